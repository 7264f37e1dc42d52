/* The look with 32-byte vectors: a comparison a class. */
#include "match/look_noise.h"

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
    b->percent = within(p, '%', 2) | equal(p, '\\'); /* and '&' */
    b->line = within(p, '\n', 4);
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

LOOK __m256i equal_half(__m256i bytes, uint8_t byte)
{
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8((char)byte));
}

LOOK __m256i low_half(__m256i bytes)
{
    return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
}

LOOK __m256i high_half(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}

/* A table's entry for each byte of 0 to 15. */
LOOK __m256i entry_of(const uint8_t table[16], __m256i i)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table)), i);
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

/* By its low half a byte's bits for what its high half may be: 2, 3, 4 or 6, 5, 7, 8 and over. */
static const uint8_t run_low[16] = {
    [0x0] = 2 | 8 | 16 | 32,
    [0x1 ... 0x9] = 2 | 4 | 8 | 16 | 32,
    [0xA] = 4 | 8 | 16 | 32,
    [0xB] = 1 | 4 | 32,
    [0xC] = 4 | 32,
    [0xD] = 1 | 2 | 4 | 32,
    [0xE] = 4 | 32,
    [0xF] = 1 | 4 | 8 | 32,
};
static const uint8_t run_high[16] = {
    [0x2] = 1, [0x3] = 2, [0x4] = 4, [0x5] = 8, [0x6] = 4, [0x7] = 16, [0x8 ... 0xF] = 32};

LOOK __m256i others_than_run(__m256i bytes)
{
    __m256i classes = _mm256_and_si256(entry_of(run_low, low_half(bytes)), entry_of(run_high, high_half(bytes)));
    return _mm256_cmpeq_epi8(classes, _mm256_setzero_si256());
}

LOOK uint64_t row_of(struct pair p)
{
    return ~plane(others_than_run(p.low), others_than_run(p.high), false);
}

/* The last block of more than one is loaded from where the text ends. */
bool runs_avx2(span text)
{
    size_t left = text.len;
    const uint8_t *p = text.ptr;
    unsigned tail = 0;
    if (left <= LOOK_BLOCK) return look_row(row_of(load_tail(p, left)), &tail);
    for (; left > LOOK_BLOCK; left -= LOOK_BLOCK, p += LOOK_BLOCK)
        if (look_row(row_of(load(p)), &tail)) return true;
    return look_row(row_of(load(p + left - LOOK_BLOCK)) >> (LOOK_BLOCK - left), &tail);
}

LOOK __m256i load_32(const uint8_t *p)
{
    return _mm256_loadu_si256((const void *)p);
}

LOOK __m128i load_16(const uint8_t *p)
{
    return _mm_loadu_si128((const void *)p);
}

LOOK bool is_alike(const uint8_t *text, const struct likeness *l)
{
    __m256i x = _mm256_sub_epi8(_mm256_or_si256(load_32(text), load_32(l->with)), load_32(l->from));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(x, load_32(l->most)), x)) == -1;
}

bool alike_avx2(const uint8_t *text, const struct likeness *l)
{
    return is_alike(text, l);
}

/* Not 0: it is refused. */
LOOK unsigned take_one(const uint8_t *text, const struct registry_way *w, uint8_t *message)
{
    __m128i x = _mm_shuffle_epi8(load_16(text + w->at), load_16(w->from));
    x = _mm_or_si128(_mm_and_si128(x, load_16(w->keep)), load_16(w->put));
    _mm_storeu_si128((void *)message, x);
    unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, load_16(w->none)));
    return (same & w->leading) | (same + 1) >> REGISTRY_WAY_WIDTH;
}

unsigned take_avx2(const uint8_t *text, const struct likeness *l, const struct registry_way *ways, size_t count,
    uint8_t (*messages)[REGISTRY_WAY_WIDTH])
{
    unsigned refused = 0;
    if (UNLIKELY(!is_alike(text, l))) return TAKE_OTHER;
    for (size_t i = 0; i < count; i++)
        refused |= take_one(text, &ways[i], messages[i]);
    return refused;
}

/* ---- base64 ----------------------------------------------------------------------------------------------------- */

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* Six bits for each character of either alphabet; any six for another byte, which then reaches into no other's. */
LOOK __m256i sextets_of(__m256i c)
{
    const __m256i shifts = TWICE(0, 0, 0, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0); /* by the high half */
    __m256i last = _mm256_or_si256(equal_half(c, '/'), equal_half(c, '_'));
    __m256i marks = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8('0'), c), last);
    __m256i out = _mm256_add_epi8(c, _mm256_shuffle_epi8(shifts, high_half(c)));
    out = _mm256_blendv_epi8(out, _mm256_sub_epi8(_mm256_set1_epi8(62), last), marks);
    return _mm256_and_si256(out, _mm256_set1_epi8(63));
}

/* Twelve bytes of each sixteen characters, in the low end of each half. */
LOOK __m256i decode_halves(__m256i c)
{
    __m256i pairs = _mm256_maddubs_epi16(sextets_of(c), _mm256_set1_epi32(0x01400140));
    __m256i words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    return _mm256_shuffle_epi8(words, TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

/* One behind the other. */
LOOK __m256i decode(__m256i c)
{
    return _mm256_permutevar8x32_epi32(decode_halves(c), _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

LOOK uint32_t bits_of(__m256i bytes)
{
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

/* Which bytes the next one may follow in a character that folds. */
LOOK uint32_t leads_of(__m256i bytes)
{
    __m256i low = low_half(bytes), high = high_half(bytes), second = entry_of(noise_second, high);
    second = _mm256_alignr_epi8(_mm256_permute2x128_si256(second, second, 0x81), second, 1);
    __m256i cd = _mm256_and_si256(entry_of(noise_after_cd, low), entry_of(noise_own_cd, high));
    __m256i ef = _mm256_and_si256(entry_of(noise_after_ef, low), entry_of(noise_own_ef, high));
    __m256i may = _mm256_and_si256(_mm256_or_si256(cd, ef), second);
    return ~bits_of(_mm256_cmpeq_epi8(may, _mm256_setzero_si256()));
}

/* Without a branch but for what is rare: random bytes take each the other way. */
bool noise_avx2(span run, bool roomy)
{
    if (run.len > LOOK_READ) return false;
    __m256i p = decode(LIKELY(roomy) ? _mm256_loadu_si256((const void *)run.ptr) : load_half(run.ptr, run.len));
    uint32_t there = (1U << run.len * 3 / 4) - 1;
    struct noise n = {.printable = bits_of(_mm256_cmpgt_epi8(p, _mm256_set1_epi8(0x1F))) & there,
        .digits = bits_of(within_half(p, '0', 9)) & there,
        .signs = bits_of(_mm256_or_si256(equal_half(p, '%'), equal_half(p, '@'))) & there,
        .zeros = bits_of(equal_half(p, 0)) & there,
        .leads = leads_of(p) & there >> 1};
    if (UNLIKELY(n.leads != 0)) {
        n.follows = bits_of(p) & ~bits_of(_mm256_slli_epi16(p, 1)) & there; /* bit 6 of each byte, and so on */
        n.longer = bits_of(_mm256_slli_epi16(p, 2));
        n.longest = bits_of(_mm256_slli_epi16(p, 3));
        n.wide = bits_of(equal_half(p, 0xEF));
        n.bc = bits_of(equal_half(p, 0xBC)) & there;
    }
    return noise_is_all(&n);
}
