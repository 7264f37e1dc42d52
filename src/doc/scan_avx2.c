/* Stage 1 with 32-byte vectors. Classes come from two table look-ups by nibble: a byte is in a class when its low and
 * its high nibble both say so. UTF-8 likewise: three look-ups over each byte and the one before it leave a bit set for
 * every way in which two neighbours can be wrong (Unicode 15 table 3-7), and a comparison with the bytes two and three
 * places back finds missing and stray third and fourth bytes. */
#include "doc/block.h"
#include "doc/scan_tables.h"

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define B(bits) ((char)(bits))

/* The two halves of a block. */
struct halves {
    __m256i low, high;
};

static inline uint64_t tops(struct halves h)
{
    return (uint32_t)_mm256_movemask_epi8(h.low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(h.high) << 32;
}

static inline uint64_t equal(struct halves h, char byte)
{
    __m256i all = _mm256_set1_epi8(byte);
    return tops((struct halves){_mm256_cmpeq_epi8(h.low, all), _mm256_cmpeq_epi8(h.high, all)});
}

static inline uint64_t at_most(struct halves h, char byte)
{
    __m256i all = _mm256_set1_epi8(byte);
    return tops((struct halves){
        _mm256_cmpeq_epi8(_mm256_max_epu8(h.low, all), all), _mm256_cmpeq_epi8(_mm256_max_epu8(h.high, all), all)});
}

/* ---- classes --------------------------------------------------------------------------------------------------- */

enum { COMMA = 1, BRACKET = 2, COLON = 4, BREAK = 8, BLANK = 16, PERCENT = 32, BACKSLASH = 64, DIGIT = 128 };

/* ',' is 2C, ':' 3A, brackets 5B 5D 7B 7D, breaks 09 0A 0D, the blank 20, digits 30…39, '%' 25, '\\' 5C. */
static inline __m256i classes_of(__m256i bytes)
{
    const __m256i by_low = TWICE(B(BLANK | DIGIT), B(DIGIT), B(DIGIT), B(DIGIT), B(DIGIT), B(DIGIT | PERCENT), B(DIGIT),
        B(DIGIT), B(DIGIT), B(BREAK | DIGIT), BREAK | COLON, BRACKET, COMMA | BACKSLASH, BREAK | BRACKET, 0, 0);
    const __m256i by_high = TWICE(BREAK, 0, COMMA | BLANK | PERCENT, B(COLON | DIGIT), 0, BRACKET | BACKSLASH, 0,
        BRACKET, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i nibble = _mm256_set1_epi8(15);
    return _mm256_and_si256(_mm256_shuffle_epi8(by_low, _mm256_and_si256(bytes, nibble)),
        _mm256_shuffle_epi8(by_high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

static inline uint64_t has_any(struct halves classes, char wanted)
{
    __m256i all = _mm256_set1_epi8(wanted);
    return ~equal((struct halves){_mm256_and_si256(classes.low, all), _mm256_and_si256(classes.high, all)}, 0);
}

static inline void classify(struct halves h, struct block_classes *k, bool lines)
{
    struct halves classes = {classes_of(h.low), classes_of(h.high)};
    __m256i both = _mm256_or_si256(classes.low, classes.high), rare = _mm256_set1_epi8(PERCENT | BACKSLASH);
    k->quote = equal(h, '"');
    k->backslash = 0;
    k->percent = equal(h, '@'); /* there is no class left for it */
    if (UNLIKELY(!_mm256_testz_si256(both, rare))) {
        k->backslash = has_any(classes, BACKSLASH);
        k->percent |= has_any(classes, PERCENT);
    }
    k->lf = lines ? equal(h, '\n') : 0;
    k->op = has_any(classes, COMMA | BRACKET | COLON);
    k->space = has_any(classes, BREAK | BLANK);
    k->digit = tops(classes);
    k->high = tops(h);
    k->control = at_most(h, 0x1F);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------------------------- */

/* The bytes n places earlier. */
#define EARLIER(now, before, n) _mm256_alignr_epi8(now, _mm256_permute2x128_si256(before, now, 0x21), 16 - (n))

static inline __m256i by_nibble(const uint8_t table[16], __m256i bytes, bool high)
{
    __m256i wide = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
    if (high) bytes = _mm256_srli_epi16(bytes, 4);
    return _mm256_shuffle_epi8(wide, _mm256_and_si256(bytes, _mm256_set1_epi8(15)));
}

//= RFC3629 4
static inline __m256i pairs_wrong(__m256i now, __m256i first)
{
    __m256i wrong = _mm256_and_si256(by_nibble(utf8_first_high, first, true), by_nibble(utf8_first_low, first, false));
    return _mm256_and_si256(wrong, by_nibble(utf8_second_high, now, true));
}

/* Nonzero bytes where something is wrong with the 32 bytes, given those before. */
static inline __m256i utf8_wrong(__m256i now, __m256i before)
{
    __m256i third = _mm256_subs_epu8(EARLIER(now, before, 2), _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(EARLIER(now, before, 3), _mm256_set1_epi8(0xF0 - 0x80));
    __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(B(0x80)));
    return _mm256_xor_si256(pairs_wrong(now, EARLIER(now, before, 1)), due);
}

/* Whether the block may hold malformed UTF-8. A block in ASCII can only cut off a sequence of the one before. */
static inline bool is_suspect(struct halves h, uint64_t high, uint32_t last)
{
    if (LIKELY(high == 0)) return (last & 0x80808000U) != 0;
    __m256i before = _mm256_insert_epi32(_mm256_setzero_si256(), (int)last, 7);
    __m256i wrong = _mm256_or_si256(utf8_wrong(h.low, before), utf8_wrong(h.high, h.low));
    return !_mm256_testz_si256(wrong, wrong);
}

size_t doc_scan_avx2(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    for (size_t i = 0; i < count; i++, data += SCAN_BLOCK) {
        struct halves h = {_mm256_loadu_si256((const void *)data), _mm256_loadu_si256((const void *)(data + 32))};
        struct block_classes k;
        classify(h, &k, lines);
        scan_suspect(s, first + i, is_suspect(h, k.high, s->last));
        s->last = load_le32(data + SCAN_BLOCK - 4);
        size_t used = block_put(s, first + i, &k, lines);
        if (UNLIKELY(s->cut)) return i * SCAN_BLOCK + used;
    }
    return count * SCAN_BLOCK;
}

void doc_fill_avx2(struct doc_scan *s, size_t block, size_t end)
{
    block_fill_all(s, block, end);
}
