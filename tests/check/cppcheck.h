/* For cppcheck only (lint.py): macros of libraries whose headers it does not read. */
#define __builtin_expect(x, y) (x)
#define json_object_foreach(object, key, value) while (json_next(object, &key, &value))
#define json_array_foreach(array, index, value) for (index = 0; json_at(array, index, &value); index++)
#define TAILQ_HEAD(name, type)                                                                                         \
    struct name {                                                                                                      \
        struct type *first, **last;                                                                                    \
    }
#define TAILQ_ENTRY(type)                                                                                              \
    struct {                                                                                                           \
        struct type *next, **prev;                                                                                     \
    }
#define TAILQ_FIRST(head) ((head)->first)
#define TAILQ_NEXT(item, field) ((item)->field.next)
#define TAILQ_FOREACH(item, head, field) for (item = (head)->first; item; item = item->field.next)
