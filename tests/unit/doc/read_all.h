/* Reads a whole body and keeps every event, cut as a test asks for it. */
#ifndef TEST_DOC_READ_ALL_H
#define TEST_DOC_READ_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "doc/doc.h"

struct reading {
    struct doc_event *events;
    size_t count, size;
    enum doc_status status;
    enum doc_malformed malformed;
    uint64_t at;
};

/* How a body arrives. */
struct feeding {
    size_t first;    /* bytes of the first window */
    size_t step;     /* bytes more for each later one (0: all the rest) */
    size_t capacity; /* events a call */
    bool trim;       /* drop what the reader does not need, and hold the rest in a block of exactly its size */
};

static const struct feeding WHOLE UNUSED = {SIZE_MAX, 0, 256, false};

static inline void keep_events(struct reading *all, const struct doc_event *events, size_t count)
{
    if (all->count + count > all->size) {
        all->size = 2 * (all->count + count);
        all->events = realloc(all->events, all->size * sizeof *events);
        assert_non_null(all->events);
    }
    if (count > 0) memcpy(all->events + all->count, events, count * sizeof *events);
    all->count += count;
}

/* Gives the reader one window until it wants more. */
static inline enum doc_status drain(
    struct doc_reader *r, const struct doc_window *w, size_t capacity, struct reading *all)
{
    struct doc_event *events = malloc(capacity * sizeof *events);
    enum doc_status status;
    do {
        size_t count = 0;
        status = doc_reader_next(r, w, events, capacity, &count);
        assert_true(count <= capacity);
        keep_events(all, events, count);
    } while (status == DOC_FULL);
    free(events);
    return status;
}

static inline struct reading read_body(
    struct doc_reader *r, enum doc_format format, uint32_t depth, span body, struct feeding f)
{
    struct reading all = {0};
    size_t have = f.first < body.len ? f.first : body.len;
    doc_reader_reset(r, format, &(struct doc_limits){.depth = depth});
    for (;;) {
        uint64_t base = f.trim ? doc_reader_needs(r) : 0;
        assert_true(base <= have);
        size_t slack = have == body.len ? body.len % 3 * (DOC_SLACK / 2) : 0;
        uint8_t *copy = calloc(1, have - base + 1 + slack); /* one byte more only so that nothing is not NULL */
        memcpy(copy + 1, body.ptr + base, have - base);
        struct doc_window w = {base, copy + 1, have - base, have == body.len, slack};
        all.status = drain(r, &w, f.capacity, &all);
        free(copy);
        if (all.status != DOC_MORE) break;
        assert_true(have < body.len);
        have = f.step == 0 || body.len - have < f.step ? body.len : have + f.step;
    }
    all.malformed = doc_reader_malformed(r, &all.at);
    return all;
}

static inline bool same_reading(const struct reading *a, const struct reading *b)
{
    if (a->count != b->count || a->status != b->status || a->malformed != b->malformed || a->at != b->at) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct doc_event *x = &a->events[i], *y = &b->events[i];
        if (x->at != y->at || x->len != y->len || x->name != y->name || x->kind != y->kind || x->flags != y->flags)
            return false;
    }
    return true;
}

static inline void print_reading(const struct reading *a)
{
    fprintf(stderr, "status %d malformed %d at %llu\n", a->status, a->malformed, (unsigned long long)a->at);
    for (size_t i = 0; i < a->count; i++)
        fprintf(stderr, "  kind %d at %llu len %u name %u flags %x\n", a->events[i].kind,
            (unsigned long long)a->events[i].at, a->events[i].len, a->events[i].name, a->events[i].flags);
}

static inline void assert_same(span body, const struct reading *a, const struct reading *b, const char *what, size_t n)
{
    if (same_reading(a, b)) return;
    fprintf(stderr, "%s %zu: %.*s\n", what, n, (int)(body.len < 2000 ? body.len : 2000), (const char *)body.ptr);
    print_reading(a);
    print_reading(b);
    fail();
}

static inline size_t count_flaws(const struct reading *all, enum doc_flaw flaw)
{
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++)
        n += all->events[i].kind == DOC_FLAW && all->events[i].name == flaw;
    return n;
}

static inline bool is_clean(const struct reading *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->events[i].kind == DOC_FLAW) return false;
    return all->status == DOC_COMPLETE;
}

/* One reader for each level that this processor has. */
struct levels {
    struct doc_reader *readers[3];
    size_t count;
};

static inline struct levels open_levels(void)
{
    struct levels l = {{NULL}, 0};
    for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
        l.readers[l.count] = doc_reader_new((enum cpu_level)level);
        assert_non_null(l.readers[l.count++]);
    }
    return l;
}

static inline void close_levels(struct levels *l)
{
    for (size_t i = 0; i < l->count; i++)
        doc_reader_free(l->readers[i]);
}

/* The body read whole by the portable reader, after it was found the same at every level, at every split point, in
 * single bytes, through a window of one token and with room for one event only. */
static inline struct reading read_everyway(struct levels *l, enum doc_format format, uint32_t depth, span body)
{
    struct reading whole = read_body(l->readers[0], format, depth, body, WHOLE);
    for (size_t level = 0; level < l->count; level++) {
        size_t step = body.len > 4000 ? body.len / 97 : 1;
        for (size_t cut = 0; cut <= body.len; cut += step) {
            struct reading other =
                read_body(l->readers[level], format, depth, body, (struct feeding){cut, 0, 64, true});
            assert_same(body, &whole, &other, "split", cut);
            free(other.events);
        }
        const struct feeding ways[] = {{0, 1, 64, true}, {0, 1, 1, false}, {SIZE_MAX, 0, 1, false}, {7, 65, 3, true}};
        for (size_t i = 0; i < (body.len > 20000 ? 0 : ARRAY_LEN(ways)); i++) {
            struct reading other = read_body(l->readers[level], format, depth, body, ways[i]);
            assert_same(body, &whole, &other, "way", i);
            free(other.events);
        }
    }
    return whole;
}

#endif
