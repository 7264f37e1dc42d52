/* Private to registry: a bucket's seven slots, their tags spread over the eight numbers of a vector. The last of them is that
 * of the first slot again, so that no byte beyond the bucket counts. */
#ifndef GATE1367_REGISTRY_SPREAD_AVX512_H
#define GATE1367_REGISTRY_SPREAD_AVX512_H

#include "registry/image.h"
#include <immintrin.h>

/* For _mm512_permutexvar_epi8(). */
static inline __m512i spread_slots(void)
{
    static const uint8_t first[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23,
        24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46, 47, 48,
        49, 50, 51, 52, 54, 55, 56, 57, 58, 59, 60, 61, 0,  1,  2,  3,  4,  5,  6,  7,
    };
    return _mm512_loadu_si512(first);
}

static inline __m512i spread_tag_mask(unsigned reference_bits)
{
    return _mm512_set1_epi64((int64_t)(UINT64_MAX >> (reference_bits - 8)));
}

#endif
