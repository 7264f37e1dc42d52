/* All seven tags of a bucket in two vectors: each half of one is sixteen bytes of the bucket, in which two tags lie whole. */
#include "registry/ask.h"

#include <immintrin.h>

#define TAG_LEAST 24 /* bits of a reference: with fewer a tag would have seven bytes */

struct ask_order {
    __m256i first, second, mask;
};

/* Where the tags lie in those bytes: slots 2 and 3 over 0 and 1; slot 6, twice, over 4 and 5. */
static inline struct ask_order order_of(unsigned reference_bits)
{
    ASSERT(reference_bits >= TAG_LEAST);
    const __m128i two = _mm_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 9, 10, 11, 12, 13, 14, -1, -1);
    const __m128i last = _mm_setr_epi8(6, 7, 8, 9, 10, 11, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1);
    return (struct ask_order){_mm256_set_m128i(two, two), _mm256_set_m128i(last, two),
        _mm256_set1_epi64x((int64_t)(UINT64_MAX >> (reference_bits - 8)))};
}

static inline __m256i load_both(const uint8_t *high, const uint8_t *low)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const void *)low)), _mm_loadu_si128((const void *)high), 1);
}
_Static_assert(SLOT_BYTES == 9 && BUCKET_SLOTS == 7 && BUCKET_BYTES == 64, "what is loaded where");

static inline bool holds(const uint8_t *bucket, uint64_t tag, const struct ask_order *o)
{
    __m256i first = _mm256_shuffle_epi8(load_both(bucket + 18, bucket), o->first);
    __m256i second = _mm256_shuffle_epi8(load_both(bucket + 48, bucket + 36), o->second);
    __m256i wanted = _mm256_set1_epi64x((int64_t)tag);
    first = _mm256_cmpeq_epi64(_mm256_and_si256(first, o->mask), wanted);
    second = _mm256_cmpeq_epi64(_mm256_and_si256(second, o->mask), wanted);
    __m256i either = _mm256_or_si256(first, second);
    return !_mm256_testz_si256(either, either);
}

uint64_t ask_find_avx2(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved)
{
    const struct ask_order order = order_of(reference_bits);
    uint64_t found = 0, others = 0;
    for (size_t i = n; i-- > 0;) {
        const uint8_t *bucket = p->bucket[i];
        found = found << 1 | holds(bucket, p->tag[i], &order);
        others = others << 1 | (bucket[BUCKET_BYTES - 1] >> (p->tag[i] & 7) & 1);
    }
    *moved = others;
    return found;
}
