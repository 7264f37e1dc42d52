/* Many short texts looked for at once, in any case of their letters. Of each the four bytes in a row that are least common
 * are its gram. A kernel finds the places where one may stand: each position's byte has a bit for each of sixteen groups of
 * texts. What is found is then compared.
 *
 *   v i c t        group 12: first v, second a or i, third c, o, s or w, fourth a, l or t
 *   12 12 12 12    -> maybe: compared with vawa, vict…, viol…, visa
 *
 * A text of three bytes has any fourth. Which texts are a group is chosen so that little is found that is none: texts with
 * digits keep apart from words, since most of what is found of them stands in other numbers.
 *
 * Private to rules. */
#ifndef GATE1367_RULES_NEEDLES_H
#define GATE1367_RULES_NEEDLES_H

#include "base/base.h"

#define NEEDLE_MIN 3 /* bytes of a text */
#define NEEDLE_PLACES 4 /* bytes of a gram */
#define NEEDLE_KINDS 2 /* of them whose kinds are looked at together */
#define NEEDLE_GRAMS 4096
#define NEEDLE_BLOCK 64
#define NEEDLE_BLOCKS 128 /* of a run: tables are loaded once for each */

struct needle {
    const uint8_t *text; /* in lower case */
    uint32_t len, gram; /* where that begins */
    uint32_t group;
    uint32_t next; /* index + 1 of another one with the same hash */
    uint64_t head, keep, fold; /* the first eight bytes; bits of those that there are; the small bit of letters */
    struct {
        uint32_t head, keep, fold;
    } start; /* the same of the gram */
};

struct needles {
    uint8_t classes[NEEDLE_PLACES][2][128]; /* of ASCII bytes: groups 0 to 7 and 8 to 15 that have it there */
    uint8_t low[NEEDLE_PLACES][2][16]; /* the same by lower nibbles, which is less exact */
    uint8_t kinds[2][16]; /* the same by what kinds of bytes the first two are: needle_kinds() */
    uint32_t grams[NEEDLE_GRAMS]; /* index + 1 of one with this hash of its first three bytes, 0: none */
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

/* items[0..count) have text and length. */
void needles_prepare(struct needles *n);

/* Where the kernel that has only nibbles looks at the kinds too; the lower nibbles it looks at everywhere. */
static inline bool needle_asks_high(size_t place)
{
    return place < NEEDLE_KINDS;
}

/* Two bits of each: letters up to o and from p on (in either case), digits, marks. */
static inline unsigned needle_kinds(uint8_t first, uint8_t second)
{
    return (first >> 3 & 0xAU) | (second >> 4 & 0x5U);
}

static inline uint32_t needle_hash(uint32_t gram)
{
    return ((gram & 0xFFFFFF) | 0x202020) * 0x9E3779B1U >> 20;
}

static inline uint32_t needle_gram(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* With this one and those behind it. */
void needles_compare(const struct needles *n, span text, size_t at, uint32_t first, needle_fn *each, void *ctx);

/* A place where this gram stands, with four bytes or what there is of them. */
static inline __attribute__((always_inline)) void needles_try(
    const struct needles *n, span text, size_t at, uint32_t gram, needle_fn *each, void *ctx)
{
    uint32_t first = n->grams[needle_hash(gram)];
    if (LIKELY(first == 0)) return;
    const struct needle *one = &n->items[first - 1];
    if (one->next == 0 && ((gram | one->start.fold) & one->start.keep) != one->start.head) return;
    needles_compare(n, text, at, first, each, ctx);
}
_Static_assert(NEEDLE_GRAMS == 1 << 12, "the upper twelve bits");

static inline void needles_try_rest(const struct needles *n, span text, size_t at, needle_fn *each, void *ctx)
{
    for (; at + NEEDLE_PLACES <= text.len; at++)
        needles_try(n, text, at, load_le32(text.ptr + at), each, ctx);
    if (at + NEEDLE_MIN <= text.len) needles_try(n, text, at, needle_gram(text.ptr + at), each, ctx);
}

/* Sets a bit for each place of the blocks where one may stand; NEEDLE_PLACES - 1 bytes more are there. No calls in it: the
 * tables stay in registers. */
typedef void needles_find_function(const struct needles *n, const uint8_t *text, size_t blocks, uint64_t *places);

/* What every kernel does with what it finds, a few blocks at a time. */
static inline __attribute__((always_inline)) void needles_run(
    const struct needles *n, span text, needles_find_function *find, needle_fn *each, void *ctx)
{
    uint64_t places[NEEDLE_BLOCKS];
    size_t blocks = text.len < NEEDLE_PLACES ? 0 : (text.len - (NEEDLE_PLACES - 1)) / NEEDLE_BLOCK, at = 0;
    while (blocks > 0) {
        size_t now = blocks < NEEDLE_BLOCKS ? blocks : NEEDLE_BLOCKS;
        find(n, text.ptr + at, now, places);
        for (size_t i = 0; i < now; i++, at += NEEDLE_BLOCK)
            for (uint64_t left = places[i]; left; left &= left - 1) {
                size_t place = at + (size_t)__builtin_ctzll(left);
                needles_try(n, text, place, load_le32(text.ptr + place), each, ctx);
            }
        blocks -= now;
    }
    needles_try_rest(n, text, at, each, ctx);
}

#endif
