/* The look with 64-byte vectors: one look-up in a table gives all classes of a byte, a shift a class its plane. */
#include "match/look_classes.h"

#include <immintrin.h>

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
