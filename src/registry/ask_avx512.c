/* As in find_avx512.c: all seven tags of a bucket at once, the first of them twice. What is found is kept as bytes, and
 * made bits for all keys together. */
#include "registry/ask.h"
#include "registry/spread_avx512.h"

static inline __m512i load_words(const uint64_t *p) { return _mm512_loadu_si512(p); }

/* home_bucket(): the upper half of a product of 64 and at most 32 bits. */
static inline __m512i homes_of(__m512i a, __m512i buckets)
{
    __m512i low = _mm512_srli_epi64(_mm512_mul_epu32(a, buckets), 32);
    __m512i high = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), buckets);
    return _mm512_srli_epi64(_mm512_add_epi64(high, low), 32);
}

void ask_place_avx512(const struct image *image, struct ask_places *p, size_t n)
{
    const __m512i mask = spread_tag_mask(image->header.reference_bits);
    const __m512i base = _mm512_set1_epi64((int64_t)(uintptr_t)image->buckets);
    const __m512i buckets = _mm512_set1_epi64((int64_t)image->header.buckets), one = _mm512_set1_epi64(1);
    for (size_t i = 0; i < n; i += ASK_GROUP) {
        __m512i tag = _mm512_max_epu64(_mm512_and_si512(load_words(p->b + i), mask), one);
        __m512i bucket = _mm512_add_epi64(base, _mm512_slli_epi64(homes_of(load_words(p->a + i), buckets), 6));
        _mm512_storeu_si512(p->tag + i, tag);
        _mm512_storeu_si512(p->bucket + i, bucket);
        __builtin_prefetch(p->bucket[i]);
        __builtin_prefetch(p->bucket[i + 1]);
        __builtin_prefetch(p->bucket[i + 2]);
        __builtin_prefetch(p->bucket[i + 3]);
        __builtin_prefetch(p->bucket[i + 4]);
        __builtin_prefetch(p->bucket[i + 5]);
        __builtin_prefetch(p->bucket[i + 6]);
        __builtin_prefetch(p->bucket[i + 7]);
    }
}

struct ask_bytes {
    uint8_t equal[REGISTRY_ASKS], moved[REGISTRY_ASKS];
};
static inline __attribute__((always_inline)) void find_one(
    const struct ask_places *p, size_t i, __m512i spread, __m512i mask, struct ask_bytes *out)
{
    __m512i slots = _mm512_permutexvar_epi8(spread, _mm512_loadu_si512(p->bucket[i]));
    __m512i other = _mm512_xor_si512(slots, _mm512_set1_epi64((int64_t)p->tag[i]));
    out->equal[i] = _mm512_testn_epi64_mask(other, mask);
    out->moved[i] = p->bucket[i][BUCKET_BYTES - 1];
}

/* moved_bit() of each tag, tested. */
static uint64_t test_moved(const struct ask_places *p, const struct ask_bytes *bytes)
{
    static const uint8_t powers[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8_t low[REGISTRY_ASKS];
    for (size_t i = 0; i < REGISTRY_ASKS; i += ASK_GROUP)
        _mm_storel_epi64((void *)(low + i), _mm512_cvtepi64_epi8(load_words(p->tag + i)));
    __m512i which = _mm512_and_si512(_mm512_loadu_si512(low), _mm512_set1_epi8(7));
    __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)powers));
    return _mm512_test_epi8_mask(_mm512_loadu_si512(bytes->moved), _mm512_shuffle_epi8(table, which));
}

uint64_t ask_find_avx512(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved)
{
    const __m512i spread = spread_slots(), mask = spread_tag_mask(reference_bits);
    const uint64_t asked = n < REGISTRY_ASKS ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    struct ask_bytes bytes = {{0}, {0}};
    for (size_t i = 0; i < n; i += ASK_GROUP) {
        find_one(p, i, spread, mask, &bytes);
        find_one(p, i + 1, spread, mask, &bytes);
        find_one(p, i + 2, spread, mask, &bytes);
        find_one(p, i + 3, spread, mask, &bytes);
        find_one(p, i + 4, spread, mask, &bytes);
        find_one(p, i + 5, spread, mask, &bytes);
        find_one(p, i + 6, spread, mask, &bytes);
        find_one(p, i + 7, spread, mask, &bytes);
    }
    __m512i equal = _mm512_loadu_si512(bytes.equal);
    *moved = test_moved(p, &bytes) & asked;
    return _mm512_test_epi8_mask(equal, equal) & asked;
}
