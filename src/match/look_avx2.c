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

bool alike_avx2(const uint8_t *text, const uint8_t *shape, size_t len)
{
    __m256i x = _mm256_loadu_si256((const void *)text), small = _mm256_set1_epi8(0x20);
    __m256i digit = _mm256_sub_epi8(x, _mm256_set1_epi8('0'));
    __m256i letter = _mm256_sub_epi8(_mm256_or_si256(x, small), _mm256_set1_epi8('a'));
    digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
    letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
    x = _mm256_andnot_si256(_mm256_and_si256(letter, small), _mm256_blendv_epi8(x, _mm256_set1_epi8('0'), digit));
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_loadu_si256((const void *)shape)));
    return _bzhi_u64(~(uint64_t)same, (unsigned)len) == 0;
}

size_t take_avx2(const struct registry_way *w, const uint8_t *value, uint8_t *out)
{
    if (UNLIKELY(w->within > REGISTRY_WAY_MAX)) return registry_way_take(w, value, out);
    __m128i x = _mm_loadu_si128((const void *)value), zeros = _mm_set1_epi8('0');
    x = _mm_shuffle_epi8(x, _mm_loadu_si128((const void *)w->from));
    x = _mm_or_si128(_mm_and_si128(x, _mm_loadu_si128((const void *)w->keep)), _mm_loadu_si128((const void *)w->put));
    _mm_storeu_si128((void *)out, x);
    uint32_t other = ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, zeros));
    return _bzhi_u64(other, w->len) == 0 || (w->leading && !(other & 1)) ? 0 : w->len;
}

/* ---- base64 ----------------------------------------------------------------------------------------------------- */

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* Six bits for each character of either alphabet; anything for another byte. */
LOOK __m256i sextets_of(__m256i c)
{
    __m256i upper = _mm256_cmpgt_epi8(c, _mm256_set1_epi8('A' - 1)), lower = _mm256_cmpgt_epi8(c, _mm256_set1_epi8('a' - 1));
    __m256i shift = _mm256_blendv_epi8(_mm256_set1_epi8(4), _mm256_set1_epi8(-65), upper);
    __m256i out = _mm256_add_epi8(c, _mm256_blendv_epi8(shift, _mm256_set1_epi8(-71), lower));
    __m256i last = _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('/')), _mm256_cmpeq_epi8(c, _mm256_set1_epi8('_')));
    __m256i before = _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('+')), _mm256_cmpeq_epi8(c, _mm256_set1_epi8('-')));
    out = _mm256_blendv_epi8(out, _mm256_set1_epi8(62), before);
    return _mm256_blendv_epi8(out, _mm256_set1_epi8(63), last);
}

/* Twelve bytes of each sixteen characters, in the low end of each half. */
LOOK __m256i decode(__m256i c)
{
    __m256i pairs = _mm256_maddubs_epi16(sextets_of(c), _mm256_set1_epi32(0x01400140));
    __m256i words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    return _mm256_shuffle_epi8(words, TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

/* The 24 bytes that were decoded, a bit for each. */
LOOK uint32_t joined(uint64_t bits)
{
    return (uint32_t)(bits & 0xFFF) | (uint32_t)(bits >> 16 & 0xFFF) << 12;
}

bool noise_avx2(span run)
{
    if (run.len > 32) return false;
    struct pair p = {decode(load_half(run.ptr, run.len)), _mm256_setzero_si256(), true};
    uint32_t there = (1U << run.len * 3 / 4) - 1;
    uint32_t printable = joined(within(p, 0x20, 0x5F)) & there, digits = joined(within(p, '0', 10)) & there;
    uint32_t signs = joined(either(p, '%', '@') | equal(p, 0xEF)) & there;
    uint32_t follows = joined(within(p, 0x80, 0x40)) & there, next = follows >> 1, pair = next & follows >> 2;
    /* What may be a character of two, three, four bytes; its fold is one character in ASCII at most, maybe a digit. */
    uint32_t two = joined(within(p, 0xC2, 0x1E)) & next, three = joined(within(p, 0xE0, 0x10)) & pair;
    uint32_t four = joined(within(p, 0xF0, 0x10)) & pair & follows >> 3;
    uint32_t leads = two | three | four, rest = leads << 1 | (three | four) << 2 | four << 3;
    uint32_t word = _pext_u32(printable | leads, ~rest);
    return !(word & word >> 1 & word >> 2) && !signs && __builtin_popcount(digits | leads) < 6;
}
