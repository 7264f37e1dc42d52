/* Sixty-four places at once: groups of a byte from one table of 128; bytes above ASCII find what they find, and nothing of
 * it is one of the texts. */
#include "rules/needles.h"

#include <immintrin.h>

struct tables {
    __m512i first[NEEDLE_MIN], second[NEEDLE_MIN];
};

static struct tables load_tables(const struct needles *n, size_t half)
{
    struct tables t;
    for (size_t i = 0; i < NEEDLE_MIN; i++) {
        t.first[i] = _mm512_loadu_si512(n->classes[i][half]);
        t.second[i] = _mm512_loadu_si512(n->classes[i][half] + 64);
    }
    return t;
}

/* Written out, because compilers do not unroll loops at -O2. */
#define GROUPS(t, i, bytes) _mm512_permutex2var_epi8((t)->first[i], bytes, (t)->second[i])
#define ALL_GROUPS(t) _mm512_and_si512(_mm512_and_si512(GROUPS(t, 0, a), GROUPS(t, 1, b)), GROUPS(t, 2, c))
_Static_assert(NEEDLE_MIN == 3, "written out");

static inline __attribute__((always_inline)) uint64_t find(const struct tables *t, const struct tables *u, const uint8_t *p)
{
    __m512i a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 1), c = _mm512_loadu_si512(p + 2);
    __m512i any = _mm512_or_si512(ALL_GROUPS(t), ALL_GROUPS(u));
    return _mm512_test_epi8_mask(any, any);
}

void needles_avx512(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    const struct tables t = load_tables(n, 0), u = load_tables(n, 1);
    size_t at = 0;
    for (; at + NEEDLE_AHEAD <= text.len; at += 64)
        needles_try_all(n, text, at, find(&t, &u, text.ptr + at), each, ctx);
    needles_try_rest(n, text, at, each, ctx);
}
