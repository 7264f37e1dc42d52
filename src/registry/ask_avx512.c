/* As in find_avx512.c: all seven tags of a bucket at once, the first of them twice. */
#include "registry/ask.h"
#include <immintrin.h>

uint64_t ask_find_avx512(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved)
{
    static const uint8_t first[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23,
        24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46, 47, 48,
        49, 50, 51, 52, 54, 55, 56, 57, 58, 59, 60, 61, 0,  1,  2,  3,  4,  5,  6,  7,
    };
    const __m512i spread = _mm512_loadu_si512(first);
    const __m512i mask = _mm512_set1_epi64((int64_t)(UINT64_MAX >> (reference_bits - 8)));
    uint64_t found = 0, elsewhere = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t tag = print_tag((struct registry_print){p->a[i], p->b[i]}, reference_bits);
        __m512i slots = _mm512_permutexvar_epi8(spread, _mm512_loadu_si512(p->bucket[i]));
        __mmask8 equal = _mm512_testn_epi64_mask(_mm512_xor_si512(slots, _mm512_set1_epi64((int64_t)tag)), mask);
        found |= (uint64_t)(equal != 0) << i;
        elsewhere |= (uint64_t)((p->bucket[i][BUCKET_BYTES - 1] & moved_bit(tag)) != 0) << i;
    }
    *moved = elsewhere;
    return found;
}
