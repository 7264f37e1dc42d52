/* Thirty-two places at once: groups of a byte from two tables by nibble. */
#include "rules/needles.h"

#include <immintrin.h>

struct tables {
    __m256i low[NEEDLE_MIN], high[NEEDLE_MIN];
};

static inline __m256i twice(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}

static struct tables load_tables(const struct needles *n, size_t half)
{
    struct tables t;
    for (size_t i = 0; i < NEEDLE_MIN; i++) {
        t.low[i] = twice(n->low[i][half]);
        t.high[i] = twice(n->high[i][half]);
    }
    return t;
}

/* Thirty-two bytes as nibbles. */
struct nibbles {
    __m256i low, high;
};

static inline __attribute__((always_inline)) struct nibbles load(const uint8_t *p)
{
    __m256i bytes = _mm256_loadu_si256((const void *)p), nibble = _mm256_set1_epi8(15);
    return (struct nibbles){_mm256_and_si256(bytes, nibble), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)};
}

/* Written out, because compilers do not unroll loops at -O2. */
#define GROUPS(t, i, b) _mm256_and_si256(_mm256_shuffle_epi8((t)->low[i], (b).low), _mm256_shuffle_epi8((t)->high[i], (b).high))
#define ALL_GROUPS(t) _mm256_and_si256(_mm256_and_si256(GROUPS(t, 0, a), GROUPS(t, 1, b)), GROUPS(t, 2, c))
_Static_assert(NEEDLE_MIN == 3, "written out");

static inline __attribute__((always_inline)) uint32_t find(const struct tables *t, const struct tables *u, const uint8_t *p)
{
    const struct nibbles a = load(p), b = load(p + 1), c = load(p + 2);
    __m256i any = _mm256_or_si256(ALL_GROUPS(t), ALL_GROUPS(u));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(any, _mm256_setzero_si256()));
}

void needles_avx2(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    const struct tables t = load_tables(n, 0), u = load_tables(n, 1);
    size_t at = 0;
    for (; at + NEEDLE_AHEAD <= text.len; at += 64) {
        uint64_t places = find(&t, &u, text.ptr + at) | (uint64_t)find(&t, &u, text.ptr + at + 32) << 32;
        needles_try_all(n, text, at, places, each, ctx);
    }
    needles_try_rest(n, text, at, each, ctx);
}
