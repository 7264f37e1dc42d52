/* All seven slots of a bucket at once. */
#include "registry/find.h"
#include "registry/spread_avx512.h"

void find_slots_avx512(struct find *f, size_t n, unsigned reference_bits)
{
    const __m512i spread = spread_slots(), mask = spread_tag_mask(reference_bits);
    for (size_t i = 0; i < n; i++) {
        __m512i slots = _mm512_permutexvar_epi8(spread, _mm512_loadu_si512(f[i].bucket));
        __mmask8 equal =
            _mm512_cmpeq_epi64_mask(_mm512_and_si512(slots, mask), _mm512_set1_epi64((int64_t)f[i].tag));
        f[i].slot = (unsigned)__builtin_ctz((unsigned)(equal & 0x7f) | 1u << FIND_NONE);
    }
}
