/* Sixty-four places at once: groups of a byte from one table of 128; bytes above ASCII find what they find, and nothing of
 * it is one of the texts. */
#include "rules/needles.h"

#include <immintrin.h>

struct tables {
    __m512i first[NEEDLE_PLACES], second[NEEDLE_PLACES];
};

static inline struct tables load_tables(const struct needles *n, size_t half)
{
    struct tables t;
    for (size_t i = 0; i < NEEDLE_PLACES; i++) {
        t.first[i] = _mm512_loadu_si512(n->classes[i][half]);
        t.second[i] = _mm512_loadu_si512(n->classes[i][half] + 64);
    }
    return t;
}

/* Written out, because compilers do not unroll loops at -O2. */
#define GROUPS(t, i, bytes) _mm512_permutex2var_epi8((t)->first[i], bytes, (t)->second[i])
#define ALL_GROUPS(t)                                                                                                  \
    _mm512_and_si512(_mm512_and_si512(GROUPS(t, 0, a), GROUPS(t, 1, b)),                                               \
        _mm512_and_si512(GROUPS(t, 2, c), GROUPS(t, 3, d)))
_Static_assert(NEEDLE_PLACES == 4, "written out");

/* Once: a look-up overwrites what it looks up, and where nothing keeps compilers from it they load that a second time rather
 * than copy it. Most of these loads lie across two lines of the cache and take as long as a look-up. */
static inline __attribute__((always_inline)) __m512i load(const uint8_t *p)
{
    __m512i bytes = _mm512_loadu_si512(p);
    __asm__("" : "+v"(bytes));
    return bytes;
}

static void find(const struct needles *n, const uint8_t *text, size_t blocks, uint64_t *places)
{
    const struct tables t = load_tables(n, 0), u = load_tables(n, 1);
    for (size_t i = 0; i < blocks; i++, text += NEEDLE_BLOCK) {
        __m512i a = load(text), b = load(text + 1), c = load(text + 2), d = load(text + 3);
        __m512i any = _mm512_or_si512(ALL_GROUPS(&t), ALL_GROUPS(&u));
        places[i] = _mm512_test_epi8_mask(any, any);
    }
}

void needles_avx512(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    needles_run(n, text, find, each, ctx);
}
