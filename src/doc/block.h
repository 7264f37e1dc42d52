/* What every stage 1 kernel does with the classes of one block: plain 64-bit arithmetic, compiled once for each
 * instruction set. Only the kernels include this. */
#ifndef GATE1367_DOC_BLOCK_H
#define GATE1367_DOC_BLOCK_H

#include "doc/scan.h"

#ifdef __PCLMUL__
#include <immintrin.h>
#endif

/* A bit for each byte of the block. */
struct block_common {
    uint64_t quote, op, space, digit;
};

/* Of a block that holds any of these; op and space are then exact as well. */
struct block_rare {
    uint64_t backslash, control, percent, high, lf;
};

/* What goes from block to block, in registers. */
struct block_carry {
    uint64_t in_string, scalar; /* struct doc_scan */
    uint64_t pending; /* not 0: what the last block ended with makes this one rare */
    uint32_t marks;
};

static inline struct block_carry block_begin(const struct doc_scan *s)
{
    return (struct block_carry){s->in_string, s->scalar, s->escaped | s->last, s->mark_count};
}

static inline void block_end(struct doc_scan *s, const struct block_carry *c)
{
    s->in_string = c->in_string;
    s->scalar = c->scalar;
    s->mark_count = c->marks;
}

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

static inline void block_keep(struct doc_scan *s, struct block_carry *c, size_t block, uint64_t quote, uint64_t marks)
{
    s->quote[block] = quote;
    s->mark[block] = marks;
    s->before[block] = (uint16_t)c->marks;
    c->marks += (uint32_t)__builtin_popcountll(marks);
}

/* The marks of a block; `op` with all of LF where lines count. Sets what is inside strings. */
static inline uint64_t block_marks(struct block_carry *c, uint64_t quote, uint64_t op, uint64_t space, uint64_t *inside)
{
    uint64_t in_string = block_prefix_parity(quote) ^ c->in_string;
    uint64_t scalar = ~(op | space | quote | in_string);
    uint64_t after_scalar = scalar << 1 | c->scalar;
    c->in_string = (uint64_t)((int64_t)in_string >> 63);
    c->scalar = scalar >> 63;
    *inside = in_string;
    return quote | (op & ~in_string) | (scalar ^ after_scalar);
}

/* Most blocks: nothing rare, nothing pending. */
static inline void block_put(struct doc_scan *s, struct block_carry *c, size_t block, const struct block_common *k)
{
    uint64_t inside;
    uint64_t marks = block_marks(c, k->quote, k->op, k->space, &inside);
    s->digit[block] = k->digit;
    block_keep(s, c, block, k->quote, marks);
}

/* Bytes of the block used: 64, or up to and with an LF that stands inside a string. That may be the 64th: ask `cut`. */
static inline size_t block_put_rare(struct doc_scan *s, struct block_carry *c, size_t block, const struct block_common *k,
    const struct block_rare *r, bool lines)
{
    uint64_t quote = k->quote & ~block_escaped(s, r->backslash), in_string;
    uint64_t marks = block_marks(c, quote, lines ? k->op | r->lf : k->op, k->space, &in_string);
    size_t used = SCAN_BLOCK;
    c->pending = s->escaped | s->last;
    if (UNLIKELY(lines && (r->lf & in_string))) {
        uint64_t lf = (r->lf & in_string) & -(r->lf & in_string);
        marks = (marks & (lf - 1)) | lf;
        c->in_string = c->scalar = c->pending = 0;
        s->escaped = s->last = 0;
        quote |= ~(lf | (lf - 1));
        used = (size_t)__builtin_ctzll(lf) + 1;
        s->cut = true;
    }
    uint64_t control = r->control & in_string;
    s->digit[block] = k->digit;
    s->backslash[block] = r->backslash;
    s->high[block] = r->high;
    s->percent[block] = r->percent;
    s->control[block] = control;
    s->special[block] = r->backslash | r->high | r->percent | control;
    s->rare[s->rare_count++] = (uint8_t)block;
    block_keep(s, c, block, quote, marks);
    return used;
}

#endif
