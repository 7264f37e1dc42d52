/* Stage 1 with 32-byte vectors. A class whose bytes differ in their low nibble is one table look-up: what stands there for a
 * byte's low nibble is that byte, or it is not in the class. UTF-8 by tables as well: three look-ups over each byte and the one before it leave a bit set for
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

/* A byte at 0x80 or over finds 0, which is no byte of these. */
static inline __m256i find_op(__m256i bytes)
{
    /* With the bit that brackets and braces differ in. It makes ',' and ':' of two control characters: see classify_rare(). */
    const __m256i by_low = TWICE(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0);
    __m256i wide = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, bytes), wide);
}

static inline __m256i find_space(__m256i bytes)
{
    const __m256i by_low = TWICE(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, bytes), bytes);
}

static inline __m256i find_digit(__m256i bytes)
{
    /* '9' becomes the greatest number there is. */
    return _mm256_cmpgt_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8(0x7F - '9')), _mm256_set1_epi8(0x7F - 10));
}

/* No backslash, '%', '&', '@', '=' or control character; what is not ASCII is less than a blank as well. */
static inline __m256i find_plain(__m256i bytes)
{
    const __m256i by_low = TWICE('@', 0, 0, 0, 0, '%', '&', 0, 0, 0, 0, 0, '\\', '=', 0, 0);
    __m256i large = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(' ' - 1));
    return _mm256_andnot_si256(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, bytes), bytes), large);
}

/* Whether there is anything rare. Where there is not, the blank is all there is of space. */
static inline uint32_t classify(struct halves h, struct block_common *k)
{
    k->quote = equal(h, '"');
    k->op = tops((struct halves){find_op(h.low), find_op(h.high)});
    k->space = equal(h, ' ');
    k->digit = tops((struct halves){find_digit(h.low), find_digit(h.high)});
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_and_si256(find_plain(h.low), find_plain(h.high)));
}

static inline void classify_rare(struct halves h, struct block_common *k, struct block_rare *r)
{
    r->high = tops(h);
    r->control = at_most(h, 0x1F);
    r->backslash = equal(h, '\\');
    r->percent = equal(h, '%') | equal(h, '&') | equal(h, '@') | equal(h, '=');
    r->lf = 0;
    if (r->control == 0) return;
    r->lf = equal(h, '\n');
    k->op &= ~r->control;
    k->space = tops((struct halves){find_space(h.low), find_space(h.high)});
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

/* What matters of the bytes before the next block: nothing, where the last three are ASCII. */
static inline uint32_t last_of(const uint8_t *block)
{
    uint32_t last = load_le32(block + SCAN_BLOCK - 4);
    return last & 0x80808000U ? last : 0;
}

size_t doc_scan_avx2(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    struct block_carry c = block_begin(s);
    const uint8_t *p = data;
    for (size_t block = first; block < first + count; block++) {
        const struct halves h = {_mm256_loadu_si256((const void *)p), _mm256_loadu_si256((const void *)(p + 32))};
        struct block_common k;
        struct block_rare r;
        if (LIKELY((classify(h, &k) | c.pending) == 0)) {
            block_put(s, &c, block, &k);
            p += SCAN_BLOCK;
            continue;
        }
        classify_rare(h, &k, &r);
        scan_suspect(s, block, is_suspect(h, r.high, s->last));
        s->last = last_of(p);
        p += block_put_rare(s, &c, block, &k, &r, lines);
        if (UNLIKELY(s->cut)) break;
    }
    block_end(s, &c);
    return (size_t)(p - data);
}

void doc_fill_avx2(struct doc_scan *s, size_t block, size_t end)
{
    block_fill_all(s, block, end);
}
