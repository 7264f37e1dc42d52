/* Stage 1 of the JSON reader: 64-byte blocks in, bit planes and a list of marks out. A mark is a byte at which stage 2
 * must look: a quote that is not escaped, one of {}[]:, outside strings, the first byte of a number or literal and the
 * first byte after it, and in NDJSON every LF. Strings and scalars are therefore both "from a mark to the next one",
 * and a reader can stop between any two marks.
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

struct doc_scan {
    /* carried from block to block */
    uint64_t in_string; /* all ones inside a string */
    uint64_t escaped;   /* 1: the next byte is escaped */
    uint64_t scalar;    /* 1: the last byte belonged to a scalar */
    uint32_t last;      /* the last four bytes, for UTF-8 sequences that cross blocks (vector kernels only) */
    /* of this chunk */
    bool cut; /* it ends at an LF inside a string: the last mark */
    uint32_t mark_count;
    uint64_t suspect; /* bit n: blocks 2n and 2n+1 may hold malformed UTF-8; never a false negative */
    scan_plane quote; /* the unescaped ones; a bit behind the chunk's last byte ends every search (planes.h) */
    scan_plane digit;
    scan_plane special; /* any of the four below */
    scan_plane backslash, high, percent, control;
    uint16_t marks[SCAN_CHUNK + SCAN_BLOCK];
};

/* Classifies `count` blocks at data as blocks first… of the chunk and returns the bytes used: all of them, unless
 * `lines` is set and a raw LF stands inside a string: that LF is then the last byte used, `cut` is set, and the carried
 * state is that of a new line. The caller clears mark_count, suspect and cut before the first block of a chunk. */
typedef size_t doc_scan_function(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines);

_Static_assert(SCAN_BLOCKS == 128, "a bit of `suspect` for two blocks");
static inline void scan_suspect(struct doc_scan *s, size_t block, bool suspect)
{
    s->suspect |= (uint64_t)suspect << (block / 2);
}

doc_scan_function doc_scan_portable;
doc_scan_function doc_scan_avx2;
doc_scan_function doc_scan_avx512;

#endif
