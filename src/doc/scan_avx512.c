/* Stage 1 with 64-byte vectors: one look-up in a table of 128 gives all classes of a byte, one test a class gives its
 * plane. UTF-8 as in scan_avx2.c, from the same tables. */
#include "doc/block.h"
#include "doc/scan_tables.h"

#define WIDE(table) _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(table)))

static inline uint64_t has_any(__m512i classes, int wanted)
{
    return _mm512_test_epi8_mask(classes, _mm512_set1_epi8((char)wanted));
}

#define HIGH 0x80 /* instead of SCAN_LF */
_Static_assert(SCAN_LF == HIGH, "one class in the place of another");

/* The classes of each byte; one at 0x80 or over has HIGH, and others that mean nothing. */
static inline __m512i classes_of(__m512i bytes)
{
    __m512i low = _mm512_loadu_si512(scan_classes), high = _mm512_loadu_si512(scan_classes + 64);
    __m512i classes = _mm512_permutex2var_epi8(low, bytes, high);
    return _mm512_ternarylogic_epi64(_mm512_set1_epi8(0x7F), classes, bytes, 0xCA); /* the first chooses between the others */
}

/* Whether there is anything rare. */
static inline uint64_t classify(__m512i classes, struct block_common *k)
{
    k->quote = has_any(classes, SCAN_QUOTE);
    k->op = has_any(classes, SCAN_OP);
    k->space = has_any(classes, SCAN_SPACE);
    k->digit = has_any(classes, SCAN_DIGIT);
    return has_any(classes, SCAN_BACKSLASH | SCAN_CONTROL | SCAN_PERCENT | HIGH);
}

static inline void classify_rare(__m512i bytes, __m512i classes, struct block_common *k, struct block_rare *r)
{
    r->high = has_any(classes, HIGH);
    k->quote &= ~r->high;
    k->op &= ~r->high;
    k->space &= ~r->high;
    k->digit &= ~r->high;
    r->backslash = has_any(classes, SCAN_BACKSLASH) & ~r->high;
    r->control = has_any(classes, SCAN_CONTROL) & ~r->high;
    r->percent = has_any(classes, SCAN_PERCENT) & ~r->high;
    r->lf = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n'));
}

/* The bytes n places earlier. */
static inline __m512i earlier(__m512i now, __m512i before, int n)
{
    static const uint8_t upward[64] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
        23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
        51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i from = _mm512_add_epi8(_mm512_loadu_si512(upward), _mm512_set1_epi8((char)(64 - n)));
    return _mm512_permutex2var_epi8(before, from, now);
}

static inline __m512i by_nibble(const uint8_t table[16], __m512i bytes, bool high)
{
    if (high) bytes = _mm512_srli_epi16(bytes, 4);
    return _mm512_shuffle_epi8(WIDE(table), _mm512_and_si512(bytes, _mm512_set1_epi8(15)));
}

//= RFC3629 4
static inline bool is_suspect(__m512i now, uint64_t high, uint32_t last)
{
    if (LIKELY(high == 0)) return (last & 0x80808000U) != 0;
    __m512i before = _mm512_maskz_set1_epi32(0x8000, (int)last), first = earlier(now, before, 1);
    __m512i wrong = _mm512_and_si512(by_nibble(utf8_first_high, first, true), by_nibble(utf8_first_low, first, false));
    wrong = _mm512_and_si512(wrong, by_nibble(utf8_second_high, now, true));
    __m512i third = _mm512_subs_epu8(earlier(now, before, 2), _mm512_set1_epi8(0xE0 - 0x80));
    __m512i fourth = _mm512_subs_epu8(earlier(now, before, 3), _mm512_set1_epi8(0xF0 - 0x80));
    __m512i due = _mm512_and_si512(_mm512_or_si512(third, fourth), _mm512_set1_epi8((char)0x80));
    wrong = _mm512_xor_si512(wrong, due);
    return _mm512_test_epi8_mask(wrong, wrong) != 0;
}

/* What matters of the bytes before the next block: nothing, where the last three are ASCII. */
static inline uint32_t last_of(const uint8_t *block)
{
    uint32_t last = load_le32(block + SCAN_BLOCK - 4);
    return last & 0x80808000U ? last : 0;
}

size_t doc_scan_avx512(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    struct block_carry c = block_begin(s);
    const uint8_t *p = data;
    for (size_t block = first; block < first + count; block++) {
        const __m512i bytes = _mm512_loadu_si512(p), classes = classes_of(bytes);
        struct block_common k;
        struct block_rare r;
        if (LIKELY((classify(classes, &k) | c.pending) == 0)) {
            block_put(s, &c, block, &k);
            p += SCAN_BLOCK;
            continue;
        }
        classify_rare(bytes, classes, &k, &r);
        scan_suspect(s, block, is_suspect(bytes, r.high, s->last));
        s->last = last_of(p);
        p += block_put_rare(s, &c, block, &k, &r, lines);
        if (UNLIKELY(s->cut)) break;
    }
    block_end(s, &c);
    return (size_t)(p - data);
}

void doc_fill_avx512(struct doc_scan *s, size_t block, size_t end)
{
    block_fill_all(s, block, end);
}
