/* All seven slots of a bucket at once: their tags are spread over the eight numbers of a vector. The last of them is
 * that of the first slot again, so that no byte beyond the bucket counts. */
#include "registry/find.h"
#include <immintrin.h>

void find_slots_avx512(struct find *f, size_t n, unsigned reference_bits)
{
    static const uint8_t first[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23,
        24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46, 47, 48,
        49, 50, 51, 52, 54, 55, 56, 57, 58, 59, 60, 61, 0,  1,  2,  3,  4,  5,  6,  7,
    };
    const __m512i spread = _mm512_loadu_si512(first);
    const __m512i mask = _mm512_set1_epi64((int64_t)(UINT64_MAX >> (reference_bits - 8)));
    for (size_t i = 0; i < n; i++) {
        __m512i slots = _mm512_permutexvar_epi8(spread, _mm512_loadu_si512(f[i].bucket));
        __mmask8 equal =
            _mm512_cmpeq_epi64_mask(_mm512_and_si512(slots, mask), _mm512_set1_epi64((int64_t)f[i].tag));
        f[i].slot = (unsigned)__builtin_ctz((unsigned)(equal & 0x7f) | 1u << FIND_NONE);
    }
}
