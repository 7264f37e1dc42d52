/* Many short texts looked for at once, in any case of their letters. Of each the three bytes in a row that are least common
 * are its gram. A kernel finds the places where one may stand: each position's byte has a bit for each of sixteen groups of
 * texts. What is found is then compared.
 *
 *   v i c        group 12: first v, second a or i, third c, o, s or w
 *   12 12 12     -> maybe: compared with vaw…, vic…, vio…, vis…
 *
 * Private to rules. */
#ifndef GATE1367_RULES_NEEDLES_H
#define GATE1367_RULES_NEEDLES_H

#include "base/base.h"

#define NEEDLE_MIN 3 /* bytes of a gram */
#define NEEDLE_GRAMS 4096
#define NEEDLE_AHEAD 67 /* bytes that are read for 64 places */

struct needle {
    const uint8_t *text; /* in lower case */
    uint32_t len, gram; /* where that begins */
    uint32_t next; /* index + 1 of another one with the same hash */
    uint64_t head, keep, fold; /* the first eight bytes; bits of those that there are; the small bit of letters */
};

struct needles {
    uint8_t classes[NEEDLE_MIN][2][128]; /* of ASCII bytes: groups 0 to 7 and 8 to 15 that have it there */
    uint8_t low[NEEDLE_MIN][2][16], high[NEEDLE_MIN][2][16]; /* the same by nibbles, which is less exact */
    uint8_t grams[NEEDLE_GRAMS]; /* whether one has this hash */
    uint32_t heads[256]; /* index + 1, by hash */
    struct needle *items;
    size_t count;
};

typedef void needle_fn(void *ctx, uint64_t end);
typedef void needles_function(const struct needles *n, span text, needle_fn *each, void *ctx);
/* Calls `each` with the offset behind each place where one ends, in no particular order. */
needles_function needles_portable;
needles_function needles_avx2;
needles_function needles_avx512;
needles_function *needles_pick(enum cpu_level level);

/* items[0..count) have text and length; they are put into another order. */
void needles_prepare(struct needles *n);

static inline uint32_t needle_hash(uint32_t gram)
{
    return ((gram & 0xFFFFFF) | 0x202020) * 0x9E3779B1U;
}

static inline uint32_t needle_gram(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

void needles_compare(const struct needles *n, span text, size_t at, uint32_t hash, needle_fn *each, void *ctx);

/* A place where this gram stands. */
static inline __attribute__((always_inline)) void needles_try(
    const struct needles *n, span text, size_t at, uint32_t gram, needle_fn *each, void *ctx)
{
    uint32_t hash = needle_hash(gram);
    if (UNLIKELY(n->grams[hash >> 20])) needles_compare(n, text, at, hash, each, ctx);
}
_Static_assert(NEEDLE_GRAMS == 1 << 12, "the upper twelve bits");

/* The places from `at` on that have a bit; NEEDLE_AHEAD bytes are there. */
static inline void needles_try_all(const struct needles *n, span text, size_t at, uint64_t places, needle_fn *each, void *ctx)
{
    for (; places; places &= places - 1) {
        size_t place = at + (size_t)__builtin_ctzll(places);
        needles_try(n, text, place, load_le32(text.ptr + place), each, ctx);
    }
}

static inline void needles_try_rest(const struct needles *n, span text, size_t at, needle_fn *each, void *ctx)
{
    for (; at + NEEDLE_MIN <= text.len; at++)
        needles_try(n, text, at, needle_gram(text.ptr + at), each, ctx);
}

#endif
