/* The look with 32-byte vectors: a comparison a class. */
#include "match/look.h"

#include <immintrin.h>

/* Vectors that are known to be zero cost nothing: `half` is a constant wherever it is given. */
struct pair {
    __m256i low, high;
    bool half; /* `high` is zeros, and nothing is asked of it */
};

#define LOOK static inline __attribute__((always_inline))

LOOK uint64_t plane(__m256i low, __m256i high, bool half)
{
    uint64_t bits = (uint32_t)_mm256_movemask_epi8(low);
    return half ? bits : bits | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

LOOK uint64_t equal(struct pair p, uint8_t byte)
{
    __m256i wanted = _mm256_set1_epi8((char)byte);
    return plane(_mm256_cmpeq_epi8(p.low, wanted), _mm256_cmpeq_epi8(p.high, wanted), p.half);
}

LOOK uint64_t either(struct pair p, uint8_t one, uint8_t other)
{
    __m256i x = _mm256_set1_epi8((char)one), y = _mm256_set1_epi8((char)other);
    return plane(_mm256_or_si256(_mm256_cmpeq_epi8(p.low, x), _mm256_cmpeq_epi8(p.low, y)),
        _mm256_or_si256(_mm256_cmpeq_epi8(p.high, x), _mm256_cmpeq_epi8(p.high, y)), p.half);
}

LOOK __m256i within_half(__m256i bytes, uint8_t first, uint8_t last)
{
    __m256i from = _mm256_sub_epi8(bytes, _mm256_set1_epi8((char)first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(from, _mm256_set1_epi8((char)last)), from);
}

/* From `first` on, so many in a row. */
LOOK uint64_t within(struct pair p, uint8_t first, uint8_t count)
{
    uint8_t last = (uint8_t)(count - 1);
    return plane(within_half(p.low, first, last), within_half(p.high, first, last), p.half);
}

LOOK void classify_high(struct pair p, struct look_block *b)
{
    uint64_t wide = equal(p, 0xEF);
    b->lead = within(p, 0xC2, 0x3E);
    b->follows = within(p, 0x80, 0x40);
    b->at |= wide;
    b->percent |= wide;
}

LOOK void classify(struct pair p, struct look_block *b)
{
    const __m256i small = _mm256_set1_epi8(0x20);
    const struct pair lower = {_mm256_or_si256(p.low, small), _mm256_or_si256(p.high, small), p.half};
    b->digit = within(p, '0', 10);
    b->letter = within(lower, 'a', 26);
    b->url = either(p, '-', '_');
    b->standard = either(p, '+', '/');
    b->padding = equal(p, '=');
    b->at = equal(p, '@');
    b->percent = equal(p, '%');
    b->high = plane(p.low, p.high, p.half);
    b->lead = b->follows = 0;
    if (UNLIKELY(b->high != 0)) classify_high(p, b);
}

LOOK struct pair load(const uint8_t *p)
{
    return (struct pair){_mm256_loadu_si256((const void *)p), _mm256_loadu_si256((const void *)(p + 32)), false};
}

LOOK void store(uint8_t *out, __m256i bytes)
{
    __m256i digit = within_half(bytes, '0', 9);
    __m256i letter = within_half(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'a', 25);
    bytes = _mm256_blendv_epi8(bytes, _mm256_set1_epi8('0'), digit);
    __m256i small = _mm256_and_si256(letter, _mm256_set1_epi8(0x20));
    _mm256_storeu_si256((void *)out, _mm256_andnot_si256(small, bytes));
}

/* Up to 16 bytes, zeros behind; nothing outside them is read. Two loads that overlap, and the second's own part. */
LOOK __m128i load_few(const uint8_t *p, size_t n)
{
    if (n == 16) return _mm_loadu_si128((const void *)p);
    if (n > 8) return _mm_set_epi64x((long long)(load_le64(p + n - 8) >> 8 * (16 - n)), (long long)load_le64(p));
    uint64_t word = 0;
    if (n == 8)
        word = load_le64(p);
    else if (n >= 4)
        word = load_le32(p) | (uint64_t)load_le32(p + n - 4) << 8 * (n - 4);
    else if (n > 0)
        word = p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
    return _mm_set_epi64x(0, (long long)word);
}

LOOK __m256i load_half(const uint8_t *p, size_t n)
{
    if (n <= 16) return _mm256_zextsi128_si256(load_few(p, n));
    return _mm256_set_m128i(load_few(p + 16, n - 16), _mm_loadu_si128((const void *)p));
}

/* The last bytes of a text, zeros behind. */
LOOK struct pair load_tail(const uint8_t *p, size_t n)
{
    if (n <= 32) return (struct pair){load_half(p, n), _mm256_setzero_si256(), false};
    return (struct pair){_mm256_loadu_si256((const void *)p), load_half(p + 32, n - 32), false};
}

static void look_short(span text, struct look *out)
{
    struct look_block b;
    struct look_sum sum = {0};
    struct pair only = {load_half(text.ptr, text.len), _mm256_setzero_si256(), true};
    classify(only, &b);
    look_add(&sum, &b);
    look_put(out, &sum, &b);
    store(out->shape, only.low);
    _mm256_storeu_si256((void *)(out->shape + 32), only.high);
}

void look_avx2(span text, struct look *out)
{
    if (LIKELY(text.len <= 32)) return look_short(text, out);
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
