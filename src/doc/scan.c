/* Stage 1 in portable C: a class for each byte from a table, eight classes gathered into a word, bit planes cut out of
 * it by multiplication. */
#include "doc/block.h"

enum { C_QUOTE = 1, C_BACKSLASH = 2, C_OP = 4, C_SPACE = 8, C_CONTROL = 16, C_DIGIT = 32, C_PERCENT = 64, C_LF = 128 };

//= RFC8259 2
static const uint8_t classes[256] = {
    [0x00 ... 0x08] = C_CONTROL,
    ['\t'] = C_CONTROL | C_SPACE,
    ['\n'] = C_CONTROL | C_SPACE | C_LF,
    [0x0B ... 0x0C] = C_CONTROL,
    ['\r'] = C_CONTROL | C_SPACE,
    [0x0E ... 0x1F] = C_CONTROL,
    [' '] = C_SPACE,
    ['"'] = C_QUOTE,
    ['\\'] = C_BACKSLASH,
    ['%'] = C_PERCENT,
    ['0' ... '9'] = C_DIGIT,
    ['{'] = C_OP,
    ['}'] = C_OP,
    ['['] = C_OP,
    [']'] = C_OP,
    [':'] = C_OP,
    [','] = C_OP,
};

/* The bits `bit` of eight bytes, side by side. */
static inline uint64_t plane_of(uint64_t eight, unsigned bit)
{
    return (eight >> bit & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56;
}

static void classify(const uint8_t *data, struct block_classes *k)
{
    *k = (struct block_classes){0};
    for (unsigned shift = 0; shift < 64; shift += 8, data += 8) {
        uint64_t eight = 0;
        for (unsigned i = 0; i < 8; i++)
            eight |= (uint64_t)classes[data[i]] << (8 * i);
        k->quote |= plane_of(eight, 0) << shift;
        k->backslash |= plane_of(eight, 1) << shift;
        k->op |= plane_of(eight, 2) << shift;
        k->space |= plane_of(eight, 3) << shift;
        k->control |= plane_of(eight, 4) << shift;
        k->digit |= plane_of(eight, 5) << shift;
        k->percent |= plane_of(eight, 6) << shift;
        k->lf |= plane_of(eight, 7) << shift;
        k->high |= plane_of(load_le64(data), 7) << shift;
    }
}

size_t doc_scan_portable(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    for (size_t i = 0; i < count; i++) {
        struct block_classes k;
        classify(data + i * SCAN_BLOCK, &k);
        /* Whether the bytes are UTF-8 is decided string by string; a block in plain ASCII needs no look. */
        if (k.high) s->suspect |= 1ULL << (first + i);
        size_t used = block_put(s, first + i, &k, lines);
        if (used < SCAN_BLOCK) return i * SCAN_BLOCK + used;
    }
    return count * SCAN_BLOCK;
}
