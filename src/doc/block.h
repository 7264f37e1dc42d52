/* What every stage 1 kernel does with the classes of one block: plain 64-bit arithmetic, compiled once for each
 * instruction set. Only the kernels include this. */
#ifndef GATE1367_DOC_BLOCK_H
#define GATE1367_DOC_BLOCK_H

#include "doc/scan.h"

#ifdef __PCLMUL__
#include <immintrin.h>
#endif

/* A bit for each byte of the block. */
struct block_classes {
    uint64_t quote, backslash, op, space, control, digit, percent, high, lf;
};

/* Bit n of the result: parity of the bits 0…n. Turns quotes into "inside a string". */
static inline uint64_t block_prefix_parity(uint64_t bits)
{
#ifdef __PCLMUL__
    __m128i all = _mm_set1_epi8((char)0xFF);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), all, 0));
#else
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
#endif
}

/* The bytes that a backslash before them escapes. A loop over backslashes: they are rare, and it is plainly right. */
static inline uint64_t block_escaped(struct doc_scan *s, uint64_t backslash)
{
    uint64_t escaped = s->escaped;
    uint64_t left = backslash & ~escaped;
    s->escaped = 0;
    while (UNLIKELY(left != 0)) {
        uint64_t escape = left & -left;
        uint64_t target = escape << 1;
        escaped |= target;
        s->escaped = escape >> 63;
        left &= ~(escape | target);
    }
    return escaped;
}

#ifdef __AVX512F__
/* Sixteen positions at a time are packed by one instruction; no branch depends on how many there are. */
static inline void block_fill(uint16_t *out, size_t block, uint64_t marks)
{
    __m512i at = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm512_set1_epi32((int)(block * SCAN_BLOCK)));
    for (int i = 0; i < 4; i++) {
        __m512i packed = _mm512_maskz_compress_epi32((__mmask16)marks, at);
        _mm256_storeu_si256((void *)out, _mm512_cvtepi32_epi16(packed));
        out += __builtin_popcountll(marks & 0xFFFF);
        marks >>= 16;
        at = _mm512_add_epi32(at, _mm512_set1_epi32(16));
    }
}
#else
static inline void block_fill(uint16_t *out, size_t block, uint64_t marks)
{
    uint16_t base = (uint16_t)(block * SCAN_BLOCK);
#ifdef __POPCNT__
    /* Sixteen without asking, then eight at a time: how many there are is a branch that is hard to predict. */
    uint32_t count = (uint32_t)__builtin_popcountll(marks);
#define NEXT_MARK(i) (out[i] = (uint16_t)(base + _tzcnt_u64(marks)), marks &= marks - 1)
#define EIGHT_MARKS(i)                                                                                                 \
    (NEXT_MARK(i), NEXT_MARK(i + 1), NEXT_MARK(i + 2), NEXT_MARK(i + 3), NEXT_MARK(i + 4), NEXT_MARK(i + 5),           \
        NEXT_MARK(i + 6), NEXT_MARK(i + 7))
    EIGHT_MARKS(0);
    EIGHT_MARKS(8);
    for (uint32_t done = 16; done < count; done += 8)
        EIGHT_MARKS(done);
#undef EIGHT_MARKS
#undef NEXT_MARK
#else
    for (; marks; marks &= marks - 1)
        *out++ = (uint16_t)(base + __builtin_ctzll(marks));
#endif
}
#endif

static inline void block_fill_all(struct doc_scan *s, size_t block, size_t end)
{
    for (; block < end; block++)
        block_fill(s->marks + s->before[block], block, s->mark[block]);
}

/* Bytes of the block used: 64, or up to and with an LF that stands inside a string. That may be the 64th: ask `cut`. */
static inline size_t block_put(struct doc_scan *s, size_t block, const struct block_classes *k, bool lines)
{
    uint64_t quote = k->quote & ~block_escaped(s, k->backslash);
    uint64_t in_string = block_prefix_parity(quote) ^ s->in_string;
    uint64_t scalar = ~(k->op | k->space | quote | in_string);
    uint64_t after_scalar = scalar << 1 | s->scalar;
    uint64_t op = (lines ? k->op | k->lf : k->op) & ~in_string;
    uint64_t marks = quote | op | (scalar ^ after_scalar);
    size_t used = SCAN_BLOCK;
    s->in_string = (uint64_t)((int64_t)in_string >> 63);
    s->scalar = scalar >> 63;
    if (UNLIKELY(lines && (k->lf & in_string))) {
        uint64_t lf = (k->lf & in_string) & -(k->lf & in_string);
        marks = (marks & (lf - 1)) | lf;
        s->in_string = s->escaped = s->scalar = 0;
        s->last = 0;
        quote |= ~(lf | (lf - 1));
        used = (size_t)__builtin_ctzll(lf) + 1;
        s->cut = true;
    }
    uint64_t control = k->control & in_string;
    s->quote[block] = quote;
    s->digit[block] = k->digit;
    s->backslash[block] = k->backslash;
    s->high[block] = k->high;
    s->percent[block] = k->percent;
    s->control[block] = control;
    s->special[block] = k->backslash | k->high | k->percent | control;
    s->mark[block] = marks;
    s->before[block] = (uint16_t)s->mark_count;
    s->mark_count += (uint32_t)__builtin_popcountll(marks);
    return used;
}

#endif
