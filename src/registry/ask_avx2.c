/* All eight words of a block in one vector, and the eight slots of a bucket in two. */
#include "registry/ask.h"

#include <immintrin.h>

uint64_t ask_find_avx2(const struct ask_places *p, size_t n)
{
    static const uint32_t salts[BLOCK_WORDS] = {BLOCK_SALTS};
    const __m256i salt = _mm256_loadu_si256((const void *)salts), one = _mm256_set1_epi32(1);
    uint64_t found = 0;
    for (size_t i = n; i-- > 0;) {
        __m256i at = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_set1_epi32((int32_t)p->first[i]), salt), 27);
        __m256i block = _mm256_loadu_si256((const void *)p->block[i]);
        found = found << 1 | (unsigned)_mm256_testc_si256(block, _mm256_sllv_epi32(one, at));
    }
    return found;
}

void ask_slots_avx2(const uint8_t *const *buckets, const uint64_t *tags, size_t n, unsigned reference_bits, const uint8_t **slots)
{
    const __m256i mask = _mm256_set1_epi64x((int64_t)(UINT64_MAX >> reference_bits));
    for (size_t i = 0; i < n; i++) {
        __m256i tag = _mm256_set1_epi64x((int64_t)tags[i]);
        __m256i low = _mm256_and_si256(_mm256_loadu_si256((const void *)buckets[i]), mask);
        __m256i high = _mm256_and_si256(_mm256_loadu_si256((const void *)(buckets[i] + 32)), mask);
        unsigned there = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(low, tag))) |
                         (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(high, tag))) << 4;
        slots[i] = there ? buckets[i] + (size_t)__builtin_ctz(there) * SLOT_BYTES : NULL;
    }
}
_Static_assert(SLOT_BYTES == 8 && BUCKET_SLOTS == 8, "four slots a vector");
