/* JSON bodies: the first two bytes say where the rest is cut. Every hardware level, whole, cut, and mark by mark (room
 * for one event keeps the strides away), gives the same events; they nest, lie in the body and go forward. */
#include "doc_reading.h"

static void check_order(const struct reading *all, size_t len)
{
    uint32_t depth = 0;
    uint64_t at = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct doc_event *e = &all->events[i];
        ASSERT(e->at + e->len <= len);
        if (e->kind == DOC_FLAW) continue;
        ASSERT(e->at >= at);
        at = e->at;
        if (e->kind == DOC_OBJECT_BEGIN || e->kind == DOC_ARRAY_BEGIN) depth++;
        if (e->kind == DOC_OBJECT_END || e->kind == DOC_ARRAY_END) ASSERT(depth-- > 0);
        ASSERT(depth <= READING_DEPTH);
    }
    ASSERT(all->status != DOC_COMPLETE || (depth == 0 && all->count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    size_t cut = load_be16(data);
    struct reading whole = read_everyway(DOC_JSON, data + 2, size - 2, cut);
    check_order(&whole, size - 2);
    free(whole.events);
    return 0;
}
