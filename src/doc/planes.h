/* What stage 1 says of the chunk, asked byte range by byte range instead of mark by mark. Private to doc.
 *
 * A position is a byte of the chunk: offset in the body less `chunk_at` of the reader; up to `scanned - chunk_at` bytes are
 * known. What is said holds until the next chunk is scanned (doc_reader_next() going on behind this one). Of a string that
 * began in the chunk before, only the part in this chunk is seen here.
 *
 *   "aNumber":"A 012-345"        from = 11, the byte behind the opening quote
 *             ^planes_string_end(s, 11) = 20: the closing quote; 20 - 11 bytes of value
 */
#ifndef GATE1367_DOC_PLANES_H
#define GATE1367_DOC_PLANES_H

#include "doc/scan.h"

/* The bits of a plane from bit `from` on: so many of them at least, zeros behind. */
#define PLANE_BITS_MOST 57
static inline uint64_t plane_at(const uint64_t *plane, size_t from)
{
    return load_le64((const uint8_t *)plane + from / 8) >> (from % 8);
}

/* `count` of them, up to PLANE_BITS_MOST. */
static inline uint64_t plane_bits(const uint64_t *plane, size_t from, size_t count)
{
    return plane_at(plane, from) & ((1ULL << count) - 1);
}

/* First bit at `from` or behind it, where one is certain to come. */
static inline size_t planes_first(const uint64_t *plane, size_t from)
{
    uint64_t bits = plane_at(plane, from);
    if (LIKELY(bits != 0)) return from + (size_t)__builtin_ctzll(bits);
    size_t block = from / SCAN_BLOCK + 1; /* the bits of `from`'s own word were among those */
    while (plane[block] == 0)
        block++;
    return block * SCAN_BLOCK + (size_t)__builtin_ctzll(plane[block]);
}

/* Likewise the first byte that is special (scan.h). */
static inline size_t planes_next_special(const struct doc_scan *s, size_t from)
{
    return planes_first(s->special, from);
}

/* First quote at `from` or behind it that no backslash escapes: where a string ends whose first byte `from` is. At the size
 * of the chunk or beyond it: there is none in the chunk. `from` is no more than the chunk's size. */
static inline size_t planes_string_end(const struct doc_scan *s, size_t from)
{
    return planes_first(s->quote, from);
}

/* Likewise the first mark (scan.h): where a number or word ends, asked from its second byte on. */
static inline size_t planes_next_mark(const struct doc_scan *s, size_t from)
{
    return planes_first(s->mark, from);
}

#endif
