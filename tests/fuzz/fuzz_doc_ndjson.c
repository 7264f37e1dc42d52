/* NDJSON bodies: the first two bytes say where the rest is cut. Every hardware level, whole, cut, and mark by mark,
 * gives the same events; each line that begins ends; a line read alone as JSON is well-formed exactly where no
 * DOC_FLAW_LINE stands in it. */
#include "doc_reading.h"

static bool line_is_json(const uint8_t *data, size_t len)
{
    struct doc_reader *r = doc_reader_new(CPU_PORTABLE);
    struct reading all = read_cut(r, DOC_JSON, data, len, len, 16);
    doc_reader_free(r);
    free(all.events);
    return all.status == DOC_COMPLETE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const uint8_t *body = data + 2;
    struct reading whole = read_everyway(DOC_NDJSON, body, size - 2, load_be16(data));
    bool open = false, flawed = false;
    uint64_t begin = 0;
    for (size_t i = 0; i < whole.count; i++) {
        const struct doc_event *e = &whole.events[i];
        if (e->kind == DOC_LINE_BEGIN) {
            ASSERT(!open);
            open = true;
            flawed = false;
            begin = e->at;
        }
        ASSERT(open);
        flawed |= e->kind == DOC_FLAW && e->name == DOC_FLAW_LINE;
        if (e->kind != DOC_LINE_END) continue;
        open = false;
        /* a byte-order mark would be skipped again at the beginning of a line of its own */
        if (e->at >= begin + 3 && memcmp(body + begin, "\xEF\xBB\xBF", 3) == 0) continue;
        ASSERT(line_is_json(body + begin, (size_t)(e->at - begin)) == !flawed);
    }
    ASSERT(!open || whole.status == DOC_MALFORMED);
    free(whole.events);
    return 0;
}
