/* Shared by the fuzz targets of doc: a body read in several ways that must agree. */
#ifndef FUZZ_DOC_READING_H
#define FUZZ_DOC_READING_H

#include <stdlib.h>

#include "doc/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define READING_DEPTH 64

struct reading {
    struct doc_event *events;
    size_t count;
    enum doc_status status;
    enum doc_malformed malformed;
    uint64_t at;
};

/* One window of exactly its size. */
static inline void read_window(struct doc_reader *r, struct reading *all, const uint8_t *data, uint64_t base,
    size_t end, bool complete, size_t capacity)
{
    struct doc_event events[64];
    size_t slack = complete ? end % 3 * (DOC_SLACK / 2) : 0;
    uint8_t *copy = calloc(1, end - base + 1 + slack);
    ASSERT(copy != NULL);
    if (end > base) memcpy(copy + 1, data + base, end - base);
    struct doc_window w = {base, copy + 1, (size_t)(end - base), complete, slack};
    do {
        size_t count;
        all->status = doc_reader_next(r, &w, events, capacity, &count);
        all->events = realloc(all->events, (all->count + count + 1) * sizeof events[0]);
        ASSERT(all->events != NULL);
        memcpy(all->events + all->count, events, count * sizeof events[0]);
        all->count += count;
    } while (all->status == DOC_FULL);
    free(copy);
}

static inline struct reading read_cut(
    struct doc_reader *r, enum doc_format format, const uint8_t *data, size_t len, size_t cut, size_t capacity)
{
    struct reading all = {0};
    doc_reader_reset(r, format, &(struct doc_limits){.depth = READING_DEPTH});
    if (cut < len) read_window(r, &all, data, 0, cut, false, capacity);
    if (all.status == DOC_MORE) read_window(r, &all, data, doc_reader_needs(r), len, true, capacity);
    ASSERT(all.status != DOC_MORE);
    all.malformed = doc_reader_malformed(r, &all.at);
    return all;
}

static inline void check_same(const struct reading *a, const struct reading *b)
{
    ASSERT(a->count == b->count && a->status == b->status && a->malformed == b->malformed && a->at == b->at);
    ASSERT(a->count == 0 || memcmp(a->events, b->events, a->count * sizeof a->events[0]) == 0);
}

static inline struct reading read_everyway(enum doc_format format, const uint8_t *data, size_t len, size_t cut)
{
    struct doc_reader *first = doc_reader_new(CPU_PORTABLE);
    ASSERT(first != NULL);
    struct reading whole = read_cut(first, format, data, len, len, 64);
    for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
        struct doc_reader *r = doc_reader_new((enum cpu_level)level);
        ASSERT(r != NULL);
        for (int way = 0; way < 3; way++) {
            struct reading other = read_cut(r, format, data, len, way == 0 ? len : cut % (len + 1), way == 2 ? 1 : 64);
            check_same(&whole, &other);
            free(other.events);
        }
        doc_reader_free(r);
    }
    doc_reader_free(first);
    return whole;
}

#endif
