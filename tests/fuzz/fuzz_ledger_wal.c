/* Recovery over mutated bytes: the walk through a segment must neither read beyond it nor believe what it cannot have
 * been. The input is the segment, taken as long as a whole number of blocks; its first byte says whether it is the
 * last. So that mutations get past the checksum, byte 1 asks for checksums to be put right first. */
#include "ledger/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void correct_checksums(uint8_t *p, size_t size)
{
    for (size_t at = 0; at + FRAME_ALIGN <= size; at += FRAME_ALIGN) {
        uint32_t length = frame_length(span_of(p + at, size - at));
        if (length == 0 || length > size - at) continue;
        store_le32(p + at + 12, crc32c(0, span_of(p + at + 16, length - 16)));
    }
}

static result visit(void *ctx, const struct frame *f, uint64_t offset)
{
    uint64_t *seen = ctx;
    size_t at = 0;
    span leaf;
    uint32_t count = 0;
    while (frame_next(f, &at, &leaf)) {
        ASSERT(leaf.len > 0 && leaf.ptr >= f->base && leaf.ptr + leaf.len <= f->base + f->length);
        count++;
    }
    ASSERT(count == f->count && offset % FRAME_ALIGN == 0);
    *seen += count;
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 + FRAME_ALIGN) return 0;
    size_t len = (size - 2) / FRAME_ALIGN * FRAME_ALIGN;
    uint8_t *segment = mem_copy(data + 2, len);
    struct ledger_verifier v = {.name = "fuzz"};
    struct walk w;
    if (segment && walk_start(&w, &v) && walk_enter_segment(&w)) {
        if (data[1] & 1) correct_checksums(segment, len);
        w.adopt = data[1] & 2;
        struct input in = {.memory = span_of(segment, len), .size = len};
        uint64_t seen = 0;
        struct walk_stop stop = walk_segment(&w, &in, 0, data[0] & 1, visit, &seen);
        ASSERT(stop.offset <= len && stop.offset % FRAME_ALIGN == 0);
        ASSERT(stop.end != WALK_STOPPED);
        ASSERT((stop.end == WALK_CLEAN) == (stop.fault == LEDGER_SOUND));
    }
    mem_free(segment);
    return 0;
}
