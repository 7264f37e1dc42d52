/* A journal of any content is replayed up to where it is whole, or refused. The input is a list of edits to a real
 * journal (offset of two bytes, one byte), the first byte saying where it is cut, or with 0xFF the journal itself. */
#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[32] = {1, 2, 3};
static _Alignas(64) uint8_t overlay[16384];

static void replay(span journal)
{
    struct registry_journal_end end;
    ASSERT(is_ok(registry_overlay_format(overlay, sizeof overlay, key)));
    result r = registry_journal_replay(key, journal, 0, NULL, overlay, &end);
    ASSERT(end.bytes <= journal.len && end.applied <= end.records);
    ASSERT(!is_ok(r) || end.torn == (end.bytes < journal.len));
}

static void write_journal(struct buf *out)
{
    struct registry_print keys[] = {{1, 2}, {3, 4}};
    for (uint64_t i = 1; i <= 4; i++) {
        struct registry_change c = {.op = i == 3 ? REGISTRY_RELEASE : REGISTRY_PROTECT,
            .position = i,
            .subject = i,
            .keys = keys,
            .key_count = i == 3 ? 0 : 2};
        ASSERT(is_ok(registry_journal_encode(key, &c, out)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    if (data[0] == 0xFF) {
        replay(span_of(data + 1, size - 1));
        return 0;
    }
    struct buf journal;
    buf_init(&journal, 1 << 16);
    write_journal(&journal);
    span all = buf_span(&journal);
    for (size_t i = 1; i + 3 <= size; i += 3)
        journal.base[journal.read + load_be16(data + i) % all.len] = data[i + 2];
    uint8_t *exact = mem_copy(all.ptr, all.len - data[0]);
    replay(span_of(exact, all.len - data[0]));
    mem_free(exact);
    buf_free(&journal);
    return 0;
}
