/* The look with 64-byte vectors: one look-up in a table gives all classes of a byte, a shift a class its plane. */
#include "match/look_classes.h"
#include "match/look_noise.h"

static inline uint64_t equal(__m512i bytes, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)byte));
}

/* From `first` on, so many in a row. */
static inline uint64_t within(__m512i bytes, uint8_t first, uint8_t count)
{
    return _mm512_cmplt_epu8_mask(
        _mm512_sub_epi8(bytes, _mm512_set1_epi8((char)first)), _mm512_set1_epi8((char)count));
}

static inline __attribute__((always_inline)) void classify_high(__m512i bytes, struct look_block *b)
{
    uint64_t wide = equal(bytes, 0xEF);
    b->lead = within(bytes, 0xC2, 0x3E);
    b->follows = within(bytes, 0x80, 0x40);
    b->at |= wide;
    b->percent |= wide;
}

/* The bits 2^n of the classes. */
#define PLANE(n) _mm512_movepi8_mask(_mm512_slli_epi16(classes, 7 - (n)))
_Static_assert(IS_DIGIT == 1 << 0 && IS_LETTER == 1 << 1 && IS_URL == 1 << 2 && IS_STANDARD == 1 << 3, "planes");
_Static_assert(IS_PADDING == 1 << 4 && IS_AT == 1 << 5 && IS_PERCENT == 1 << 6, "planes");

static inline __attribute__((always_inline)) void classify(__m512i bytes, struct look_block *b)
{
    __m512i low = _mm512_loadu_si512(look_classes), high = _mm512_loadu_si512(look_classes + 64);
    b->high = _mm512_movepi8_mask(bytes);
    __m512i classes = _mm512_maskz_permutex2var_epi8(~b->high, low, bytes, high);
    b->digit = PLANE(0);
    b->letter = PLANE(1);
    b->url = PLANE(2);
    b->standard = PLANE(3);
    b->padding = PLANE(4);
    b->at = PLANE(5);
    b->percent = PLANE(6);
    b->line = within(bytes, '\n', 4);
    b->lead = b->follows = 0;
    if (UNLIKELY(b->high != 0)) classify_high(bytes, b);
}

void look_avx512(span text, struct look *out)
{
    size_t left = text.len;
    const uint8_t *p = text.ptr;
    struct look_block b;
    struct look_sum sum = {0};
    for (; left > LOOK_BLOCK; left -= LOOK_BLOCK, p += LOOK_BLOCK) {
        classify(_mm512_loadu_si512(p), &b);
        look_add(&sum, &b);
    }
    __m512i last = _mm512_maskz_loadu_epi8(_bzhi_u64(~0ULL, (unsigned)left), p);
    classify(last, &b);
    look_add(&sum, &b);
    look_put(out, &sum, &b);
    last = _mm512_mask_mov_epi8(last, b.digit, _mm512_set1_epi8('0'));
    __m512i upper = _mm512_and_si512(last, _mm512_set1_epi8((char)0xDF));
    _mm512_storeu_si512(out->shape, _mm512_mask_mov_epi8(last, b.letter, upper));
}

static inline uint64_t row_of(__m512i bytes)
{
    __m512i low = _mm512_loadu_si512(look_classes), high = _mm512_loadu_si512(look_classes + 64);
    uint64_t above = _mm512_movepi8_mask(bytes);
    __m512i classes = _mm512_permutex2var_epi8(low, bytes, high); /* of those above: what nobody asks for */
    const __m512i run = _mm512_set1_epi8(IS_DIGIT | IS_LETTER | IS_URL | IS_STANDARD | IS_PADDING);
    return above | _mm512_test_epi8_mask(classes, run);
}

bool runs_avx512(span text)
{
    size_t left = text.len;
    const uint8_t *p = text.ptr;
    unsigned tail = 0;
    for (; left > LOOK_BLOCK; left -= LOOK_BLOCK, p += LOOK_BLOCK)
        if (look_row(row_of(_mm512_loadu_si512(p)), &tail)) return true;
    return look_row(row_of(_mm512_maskz_loadu_epi8(_bzhi_u64(~0ULL, (unsigned)left), p)), &tail);
}

/* ---- base64 ----------------------------------------------------------------------------------------------------- */

/* Six bits for each character of either alphabet (RFC 4648 4, 5). */
static const uint8_t sextets[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 62, 0, 62, 0, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 0, 0, 0, 0, 0, 0,
    0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 0, 0, 0, 0, 63,
    0, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 0, 0, 0, 0, 0,
};

/* Three bytes of each four characters, one behind the other. */
static inline __m256i decode(__m256i c)
{
    __m512i wide = _mm512_castsi256_si512(c);
    __m512i six = _mm512_permutex2var_epi8(_mm512_loadu_si512(sextets), wide, _mm512_loadu_si512(sextets + 64));
    __m256i pairs = _mm256_maddubs_epi16(_mm512_castsi512_si256(six), _mm256_set1_epi32(0x01400140));
    __m256i words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    const __m256i order = _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 18, 17, 16, 22, 21, 20, 26, 25, 24, 30, 29, 28, 0, 0, 0, 0, 0, 0, 0, 0);
    return _mm256_permutexvar_epi8(order, words);
}

static inline uint32_t within_half(__m256i bytes, uint8_t first, uint8_t count)
{
    return _mm256_cmplt_epu8_mask(_mm256_sub_epi8(bytes, _mm256_set1_epi8((char)first)), _mm256_set1_epi8((char)count));
}

static inline uint32_t equal_half(__m256i bytes, uint8_t byte)
{
    return _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8((char)byte));
}

/* A table's entry for each byte of 0 to 15. */
static inline __m256i entry_of(const uint8_t table[16], __m256i i)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table)), i);
}

static inline __m256i low_half(__m256i bytes)
{
    return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
}

static inline __m256i high_half(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}

/* Which bytes the next one may follow in a character that folds. */
static inline uint32_t leads_of(__m256i bytes)
{
    static const uint8_t next[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 0};
    __m256i low = low_half(bytes), high = high_half(bytes), second = entry_of(noise_second, high);
    second = _mm256_permutexvar_epi8(_mm256_loadu_si256((const void *)next), second);
    __m256i cd = _mm256_and_si256(entry_of(noise_after_cd, low), entry_of(noise_own_cd, high));
    __m256i ef = _mm256_and_si256(entry_of(noise_after_ef, low), entry_of(noise_own_ef, high));
    return _mm256_test_epi8_mask(_mm256_or_si256(cd, ef), second);
}

/* Without a branch but for what is rare: random bytes take each the other way. */
bool noise_avx512(span run, bool roomy)
{
    (void)roomy; /* no more is read of it than there is */
    if (run.len > LOOK_READ) return false;
    __m256i p = decode(_mm256_maskz_loadu_epi8(_bzhi_u32(~0U, (unsigned)run.len), run.ptr));
    uint32_t there = (1U << run.len * 3 / 4) - 1;
    struct noise n = {.printable = _mm256_cmpgt_epi8_mask(p, _mm256_set1_epi8(0x1F)) & there,
        .digits = within_half(p, '0', 10) & there,
        .signs = (equal_half(p, '%') | equal_half(p, '@')) & there,
        .zeros = equal_half(p, 0) & there,
        .leads = leads_of(p) & there >> 1};
    if (UNLIKELY(n.leads != 0)) {
        n.follows = (uint32_t)_mm256_movepi8_mask(p) & ~_mm256_test_epi8_mask(p, _mm256_set1_epi8(0x40)) & there;
        n.longer = _mm256_test_epi8_mask(p, _mm256_set1_epi8(0x20));
        n.longest = _mm256_test_epi8_mask(p, _mm256_set1_epi8(0x10));
        n.wide = equal_half(p, 0xEF);
        n.bc = equal_half(p, 0xBC) & there;
    }
    return noise_is_all(&n);
}
