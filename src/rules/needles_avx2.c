/* Thirty-two places at once: groups of a byte from tables by its lower nibble, and of two by their kinds. */
#include "rules/needles.h"

#include <immintrin.h>

struct tables {
    __m256i low[NEEDLE_PLACES], kinds;
};

static inline __m256i twice(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}

static inline struct tables load_tables(const struct needles *n, size_t half)
{
    struct tables t;
    for (size_t i = 0; i < NEEDLE_PLACES; i++)
        t.low[i] = twice(n->low[i][half]);
    t.kinds = twice(n->kinds[half]);
    return t;
}

static inline __attribute__((always_inline)) __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const void *)p);
}

/* needle_kinds() */
static inline __attribute__((always_inline)) __m256i kinds_of(__m256i first, __m256i second)
{
    return _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(first, 3), _mm256_set1_epi8(0xA)),
        _mm256_and_si256(_mm256_srli_epi16(second, 4), _mm256_set1_epi8(0x5)));
}

/* Four bytes from each place on, and the kinds of the first two. A look-up by a byte at 0x80 or over gives no group,
 * which is right but for the last: there it may follow a text of three bytes, and counts as what it is less 0x80. */
struct bytes {
    __m256i a, b, c, d, kinds;
};

static inline __attribute__((always_inline)) struct bytes load_all(const uint8_t *p)
{
    const __m256i a = load(p), b = load(p + 1);
    return (struct bytes){a, b, load(p + 2), _mm256_and_si256(load(p + 3), _mm256_set1_epi8(0x7F)), kinds_of(a, b)};
}

/* Written out, because compilers do not unroll loops at -O2. */
static inline __attribute__((always_inline)) __m256i groups_of(const struct tables *t, const struct bytes *x)
{
    __m256i first = _mm256_and_si256(_mm256_shuffle_epi8(t->low[0], x->a), _mm256_shuffle_epi8(t->low[1], x->b));
    __m256i rest = _mm256_and_si256(_mm256_shuffle_epi8(t->low[2], x->c), _mm256_shuffle_epi8(t->low[3], x->d));
    return _mm256_and_si256(_mm256_and_si256(first, rest), _mm256_shuffle_epi8(t->kinds, x->kinds));
}
_Static_assert(NEEDLE_PLACES == 4 && NEEDLE_KINDS == 2, "written out");

static inline uint32_t zeros_of(__m256i groups)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));
}

static void find(const struct needles *n, const uint8_t *text, size_t blocks, uint64_t *places)
{
    const struct tables t = load_tables(n, 0), u = load_tables(n, 1);
    for (size_t i = 0; i < blocks; i++, text += NEEDLE_BLOCK) {
        const struct bytes x = load_all(text);
        uint64_t none = zeros_of(_mm256_or_si256(groups_of(&t, &x), groups_of(&u, &x)));
        const struct bytes y = load_all(text + 32);
        none |= (uint64_t)zeros_of(_mm256_or_si256(groups_of(&t, &y), groups_of(&u, &y))) << 32;
        places[i] = ~none;
    }
}

void needles_avx2(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    needles_run(n, text, find, each, ctx);
}
