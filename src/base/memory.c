#include "base/base.h"
#include <stdlib.h>

void *mem_alloc(size_t size)
{
    if (fault_hit("malloc")) return NULL;
    return calloc(1, size ? size : 1);
}

void *mem_array(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) return NULL;
    return mem_alloc(total);
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
    void *p;
    if (fault_hit("malloc") || posix_memalign(&p, alignment, size ? size : 1) != 0) return NULL;
    return memset(p, 0, size);
}

void *mem_resize(void *p, size_t size)
{
    if (fault_hit("malloc")) return NULL;
    return realloc(p, size ? size : 1);
}

void *mem_copy(const void *p, size_t size)
{
    void *copy = mem_hook_alloc(size);
    if (copy && size > 0) memcpy(copy, p, size);
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_copy(s, strlen(s) + 1);
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe(void *p, size_t size)
{
    if (size == 0) return;
    memset(p, 0, size);
    __asm__ volatile("" : : "r"(p) : "memory"); /* somebody may look: the stores must happen */
}

void mem_free_wipe(void *p, size_t size)
{
    if (p) mem_wipe(p, size);
    free(p);
}

void *mem_hook_alloc(size_t size)
{
    if (fault_hit("malloc")) return NULL;
    return malloc(size ? size : 1);
}

void mem_hook_free(void *p)
{
    free(p);
}
