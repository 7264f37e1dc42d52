#include "rules/set.h"

void *list_add(struct list *l, size_t size)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 8;
        void *items = capacity <= SIZE_MAX / size ? mem_resize(l->items, capacity * size) : NULL;
        if (!items) return NULL;
        l->items = items;
        l->capacity = capacity;
    }
    void *item = (uint8_t *)l->items + l->count * size;
    memset(item, 0, size);
    l->count++;
    return item;
}

void list_free(struct list *l)
{
    mem_free(l->items);
    *l = (struct list){0};
}
