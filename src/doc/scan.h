/* Stage 1 of the JSON reader: 64-byte blocks in, bit planes and a list of marks out. A mark is a byte at which stage 2
 * must look: a quote that is not escaped, one of {}[]:, outside strings, the first byte of a number or literal and the
 * first byte after it, and in NDJSON every LF. Strings and scalars are therefore both "from a mark to the next one",
 * and a reader can stop between any two marks. They are a plane first; as a list they are written where one is read
 * (scan_reach()), because records that are like others are gone through by planes alone.
 *
 *   bytes     [ { " a " : 1 2   , " \ " " } ]
 *   in string     1 1 0               1 1 1 0
 *   marks     ^ ^ ^   ^ ^ ^     ^ ^ ^     ^ ^ ^      (the blank after 12 ends the scalar, hence a mark)
 */
#ifndef GATE1367_DOC_SCAN_H
#define GATE1367_DOC_SCAN_H

#include "base/base.h"

#define SCAN_BLOCK 64
#define SCAN_BLOCKS 128 /* a chunk: small enough that planes and marks stay in the first-level cache */
#define SCAN_CHUNK ((size_t)SCAN_BLOCK * SCAN_BLOCKS)

/* One plane: a bit for each byte of the chunk, and a spare word so that eight bytes may be loaded from any bit. */
typedef uint64_t scan_plane[SCAN_BLOCKS + 1];

struct doc_scan;
/* Writes the marks of the blocks from `block` to before `end` into the list, each where it belongs, and a few words that mean
 * nothing behind the last. */
typedef void doc_fill_function(struct doc_scan *s, size_t block, size_t end);

struct doc_scan {
    /* carried from block to block */
    uint64_t in_string; /* all ones inside a string */
    uint64_t escaped;   /* 1: the next byte is escaped */
    uint64_t scalar;    /* 1: the last byte belonged to a scalar */
    uint32_t last;      /* the last four bytes, for UTF-8 sequences that cross blocks; 0 where none does (vector kernels
                           only) */
    /* of this chunk */
    bool cut; /* it ends at an LF inside a string: the last mark */
    uint32_t mark_count;
    uint32_t blocks;
    uint64_t suspect; /* bit n: blocks 2n and 2n+1 may hold malformed UTF-8; never a false negative */
    scan_plane quote; /* the unescaped ones; a bit behind the chunk's last byte ends every search (planes.h) */
    scan_plane mark;  /* likewise */
    scan_plane digit;
    scan_plane special; /* any of the four below, likewise; all five have zeros in blocks that are not `rare` */
    scan_plane backslash, high, percent, control;
    uint8_t rare[SCAN_BLOCKS];
    uint32_t rare_count;
    uint16_t before[SCAN_BLOCKS + 1]; /* how many marks there are before the block */
    /* the list, of which these are written; `next_block` is the first one whose marks are not */
    doc_fill_function *fill;
    uint32_t written_from, written, next_block;
    uint32_t step; /* blocks that are written next; 0: one, and then one more */
    uint16_t marks[SCAN_CHUNK + SCAN_BLOCK];
};

/* Classifies `count` blocks at data as blocks first… of the chunk and returns the bytes used: all of them, unless
 * `lines` is set and a raw LF stands inside a string: that LF is then the last byte used, `cut` is set, and the carried
 * state is that of a new line. The caller calls scan_begin() before the first block of a chunk and scan_end() behind the
 * last. */
typedef size_t doc_scan_function(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines);

_Static_assert(SCAN_BLOCKS == 128, "a bit of `suspect` for two blocks");
static inline void scan_suspect(struct doc_scan *s, size_t block, bool suspect)
{
    s->suspect |= (uint64_t)suspect << (block / 2);
}

doc_scan_function doc_scan_portable;
doc_scan_function doc_scan_avx2;
doc_scan_function doc_scan_avx512;
doc_fill_function doc_fill_portable;
doc_fill_function doc_fill_avx2;
doc_fill_function doc_fill_avx512;

static inline void scan_begin(struct doc_scan *s)
{
    for (; s->rare_count > 0; s->rare_count--) {
        size_t block = s->rare[s->rare_count - 1];
        s->special[block] = s->backslash[block] = s->high[block] = s->percent[block] = s->control[block] = 0;
    }
    s->special[s->blocks] = 0;
    s->mark_count = s->blocks = 0;
    s->suspect = 0;
    s->cut = false;
    s->written_from = s->written = s->next_block = 0;
    s->step = 1;
}

/* The chunk has that many blocks. */
static inline void scan_end(struct doc_scan *s, size_t blocks)
{
    s->blocks = (uint32_t)blocks;
    s->quote[s->blocks] = s->mark[s->blocks] = s->special[s->blocks] = ~0ULL;
    s->before[s->blocks] = (uint16_t)s->mark_count;
}

/* Sees to it that `count` marks from this one on are in the list, or as many as there are. No more than the mark behind the
 * last one that was asked for, unless scan_jump() went there. */
void scan_reach(struct doc_scan *s, uint32_t mark, uint32_t count);
/* As scan_reach() for marks that were passed by: they, and what is behind them, are in the list afterwards. */
void scan_reach_back(struct doc_scan *s, uint32_t mark, uint32_t count);
/* Where this mark is, in the list or behind it. */
size_t scan_place(const struct doc_scan *s, uint32_t mark);

/* The first mark at this position or behind it, at which reading goes on: those before it may never be in the list. */
static inline uint32_t scan_jump(struct doc_scan *s, size_t at)
{
    size_t block = at / SCAN_BLOCK;
    uint64_t passed = s->mark[block] & ((1ULL << at % SCAN_BLOCK) - 1);
    uint32_t mark = s->before[block] + (uint32_t)__builtin_popcountll(passed);
    if (mark >= s->written) {
        s->next_block = (uint32_t)block;
        s->written_from = s->written = s->before[block];
        s->step = 0;
    }
    return mark;
}

#endif
