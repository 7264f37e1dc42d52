/* Stage 1 with 64-byte vectors: one look-up in a table of 128 gives all classes of a byte, one test a class gives its
 * plane. UTF-8 as in scan_avx2.c, from the same tables. */
#include "doc/block.h"
#include "doc/scan_tables.h"

#define WIDE(table) _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(table)))

static inline uint64_t has_any(__m512i classes, int wanted)
{
    return _mm512_test_epi8_mask(classes, _mm512_set1_epi8((char)wanted));
}

static inline void classify(__m512i bytes, struct block_classes *k)
{
    __m512i low = _mm512_loadu_si512(scan_classes), high = _mm512_loadu_si512(scan_classes + 64);
    k->high = _mm512_movepi8_mask(bytes);
    __m512i classes = _mm512_maskz_permutex2var_epi8(~k->high, low, bytes, high);
    k->quote = has_any(classes, SCAN_QUOTE);
    k->backslash = has_any(classes, SCAN_BACKSLASH);
    k->op = has_any(classes, SCAN_OP);
    k->space = has_any(classes, SCAN_SPACE);
    k->control = has_any(classes, SCAN_CONTROL);
    k->digit = has_any(classes, SCAN_DIGIT);
    k->percent = has_any(classes, SCAN_PERCENT);
    k->lf = has_any(classes, SCAN_LF);
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

size_t doc_scan_avx512(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    for (size_t i = 0; i < count; i++, data += SCAN_BLOCK) {
        __m512i bytes = _mm512_loadu_si512(data);
        struct block_classes k;
        classify(bytes, &k);
        scan_suspect(s, first + i, is_suspect(bytes, k.high, s->last));
        s->last = load_le32(data + SCAN_BLOCK - 4);
        size_t used = block_put(s, first + i, &k, lines);
        if (UNLIKELY(s->cut)) return i * SCAN_BLOCK + used;
    }
    return count * SCAN_BLOCK;
}

void doc_fill_avx512(struct doc_scan *s, size_t block, size_t end)
{
    block_fill_all(s, block, end);
}
