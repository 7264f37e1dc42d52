/* Stage 1 in portable C: a class for each byte from a table, eight classes gathered into a word, bit planes cut out of
 * it by multiplication. */
#include "doc/block.h"
#include "doc/scan_tables.h"

/* Written out, because compilers do not unroll loops at -O2. */
#define EIGHT(f) (f(0) | f(1) | f(2) | f(3) | f(4) | f(5) | f(6) | f(7))

/* Bit `bit` of each of the 64 bytes in the eight words. */
static inline uint64_t plane_of(const uint64_t words[8], unsigned bit)
{
#define ROW(i) (((words[i] >> bit & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56) << 8 * (i))
    return EIGHT(ROW);
#undef ROW
}

static inline uint64_t classes_of_eight(const uint8_t *data)
{
#define CLASS(i) ((uint64_t)scan_classes[data[i]] << 8 * (i))
    return EIGHT(CLASS);
#undef CLASS
}

/* Whether there is anything rare. */
static bool classify(const uint8_t *data, struct block_common *k, struct block_rare *r)
{
    uint64_t words[8], bytes[8], any = 0, high = 0;
    for (unsigned i = 0; i < 8; i++) {
        words[i] = classes_of_eight(data + 8 * i);
        bytes[i] = load_le64(data + 8 * i);
        any |= words[i];
        high |= bytes[i];
    }
    k->quote = plane_of(words, 0);
    k->op = plane_of(words, 2);
    k->space = plane_of(words, 3);
    k->digit = plane_of(words, 5);
    any &= 0x0101010101010101ULL * (SCAN_BACKSLASH | SCAN_CONTROL | SCAN_PERCENT | SCAN_LF);
    high &= 0x8080808080808080ULL;
    *r = (struct block_rare){0};
    if (any) {
        r->backslash = plane_of(words, 1);
        r->control = plane_of(words, 4);
        r->percent = plane_of(words, 6);
        r->lf = plane_of(words, 7);
    }
    if (high) r->high = plane_of(bytes, 7);
    return (any | high) != 0;
}

size_t doc_scan_portable(struct doc_scan *s, size_t first, const uint8_t *data, size_t count, bool lines)
{
    struct block_carry c = block_begin(s);
    size_t at = 0;
    for (size_t block = first; block < first + count && !s->cut; block++) {
        struct block_common k;
        struct block_rare r;
        if (LIKELY(!classify(data + at, &k, &r) && !c.pending)) {
            block_put(s, &c, block, &k);
            at += SCAN_BLOCK;
            continue;
        }
        /* Whether the bytes are UTF-8 is decided string by string; a block in plain ASCII needs no look. */
        scan_suspect(s, block, r.high != 0);
        at += block_put_rare(s, &c, block, &k, &r, lines);
    }
    block_end(s, &c);
    return at;
}

void doc_fill_portable(struct doc_scan *s, size_t block, size_t end)
{
    block_fill_all(s, block, end);
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

#define STEP_MOST 16 /* blocks that are written at once; fewer behind a jump, since another one may follow */

static void write_more(struct doc_scan *s)
{
    uint32_t left = s->blocks - s->next_block, step = s->step > 0 ? s->step : 1;
    if (step > left) step = left;
    s->fill(s, s->next_block, s->next_block + step);
    s->next_block += step;
    s->written = s->before[s->next_block];
    if (s->step < STEP_MOST) s->step = s->step > 0 ? 2 * s->step : 1;
}

void scan_reach(struct doc_scan *s, uint32_t mark, uint32_t count)
{
    ASSERT(mark >= s->written_from);
    while (s->written < mark + count && s->next_block < s->blocks)
        write_more(s);
}

size_t scan_place(const struct doc_scan *s, uint32_t mark)
{
    if (mark < s->written) return s->marks[mark];
    size_t block = s->next_block;
    while (s->before[block + 1] <= mark)
        block++;
    uint64_t bits = s->mark[block];
    for (uint32_t n = s->before[block]; n < mark; n++)
        bits &= bits - 1;
    return block * SCAN_BLOCK + (size_t)__builtin_ctzll(bits);
}

void scan_reach_back(struct doc_scan *s, uint32_t mark, uint32_t count)
{
    /* What was written once must be written again: what is put in front of it reaches into it. */
    if (s->written > mark + count) count = s->written - mark;
    if (mark < s->written_from) {
        while (s->before[s->next_block] > mark)
            s->next_block--;
        s->written_from = s->written = s->before[s->next_block];
    }
    scan_reach(s, mark, count);
}
