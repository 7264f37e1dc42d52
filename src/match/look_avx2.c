/* The look with 32-byte vectors: a comparison a class. */
#include "match/look.h"

#include <immintrin.h>

struct pair {
    __m256i low, high;
};

static inline uint64_t plane(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

static inline uint64_t equal(struct pair p, uint8_t byte)
{
    __m256i wanted = _mm256_set1_epi8((char)byte);
    return plane(_mm256_cmpeq_epi8(p.low, wanted), _mm256_cmpeq_epi8(p.high, wanted));
}

static inline __m256i within_half(__m256i bytes, uint8_t first, uint8_t last)
{
    __m256i from = _mm256_sub_epi8(bytes, _mm256_set1_epi8((char)first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(from, _mm256_set1_epi8((char)last)), from);
}

/* From `first` on, so many in a row. */
static inline uint64_t within(struct pair p, uint8_t first, uint8_t count)
{
    uint8_t last = (uint8_t)(count - 1);
    return plane(within_half(p.low, first, last), within_half(p.high, first, last));
}

static inline __attribute__((always_inline)) void classify_high(struct pair p, struct look_block *b)
{
    uint64_t wide = equal(p, 0xEF);
    b->lead = within(p, 0xC2, 0x3E);
    b->follows = within(p, 0x80, 0x40);
    b->at |= wide;
    b->percent |= wide;
}

static inline __attribute__((always_inline)) void classify(struct pair p, struct look_block *b)
{
    const __m256i small = _mm256_set1_epi8(0x20);
    const struct pair lower = {_mm256_or_si256(p.low, small), _mm256_or_si256(p.high, small)};
    b->digit = within(p, '0', 10);
    b->letter = within(lower, 'a', 26);
    b->url = equal(p, '-') | equal(p, '_');
    b->standard = equal(p, '+') | equal(p, '/');
    b->padding = equal(p, '=');
    b->at = equal(p, '@');
    b->percent = equal(p, '%');
    b->high = plane(p.low, p.high);
    b->lead = b->follows = 0;
    if (UNLIKELY(b->high != 0)) classify_high(p, b);
}

static inline struct pair load(const uint8_t *p)
{
    return (struct pair){_mm256_loadu_si256((const void *)p), _mm256_loadu_si256((const void *)(p + 32))};
}

static inline void store(uint8_t *out, __m256i bytes)
{
    __m256i digit = within_half(bytes, '0', 9);
    __m256i letter = within_half(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'a', 25);
    bytes = _mm256_blendv_epi8(bytes, _mm256_set1_epi8('0'), digit);
    __m256i small = _mm256_and_si256(letter, _mm256_set1_epi8(0x20));
    _mm256_storeu_si256((void *)out, _mm256_andnot_si256(small, bytes));
}

/* The last bytes of a text of `len`, zeros behind; nothing outside it is read. */
static inline struct pair load_tail(const uint8_t *p, size_t left)
{
    uint8_t tail[LOOK_BLOCK];
    const __m256i zero = _mm256_setzero_si256();
    _mm256_storeu_si256((void *)tail, zero);
    _mm256_storeu_si256((void *)(tail + 32), zero);
    if (left > 0) memcpy(tail, p, left);
    return load(tail);
}

void look_avx2(span text, struct look *out)
{
    size_t left = text.len;
    const uint8_t *p = text.ptr;
    struct look_block b;
    struct look_sum sum = {0};
    for (; left > LOOK_BLOCK; left -= LOOK_BLOCK, p += LOOK_BLOCK) {
        classify(load(p), &b);
        look_add(&sum, &b);
    }
    struct pair last = load_tail(p, left);
    classify(last, &b);
    look_add(&sum, &b);
    look_put(out, &sum, &b);
    store(out->shape, last.low);
    store(out->shape + 32, last.high);
}
