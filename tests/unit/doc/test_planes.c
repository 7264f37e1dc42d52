/* Stage 1 by each instruction set against a reader that goes byte by byte: marks, and what planes.h answers for every
 * range, in random chunks, also where lines are cut inside strings and where the chunk ends between blocks. */
#include "read_all.h"

#include "doc/planes.h"

static uint64_t seed = 20260301;
static uint32_t roll(uint32_t sides)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

static const struct {
    enum cpu_level level;
    doc_scan_function *scan;
    doc_fill_function *fill;
} kernels[] = {
    {CPU_PORTABLE, doc_scan_portable, doc_fill_portable},
    {CPU_AVX2, doc_scan_avx2, doc_fill_avx2},
    {CPU_AVX512, doc_scan_avx512, doc_fill_avx512},
};

/* What a chunk is said to hold. */
struct said {
    bool quote[SCAN_CHUNK], mark[SCAN_CHUNK];
    size_t used;
    bool cut;
    struct {
        bool in_string, escaped, scalar;
    } carried;
};

static bool is_op(uint8_t c, bool lines)
{
    return (c != 0 && strchr("{}[]:,", c)) || (lines && c == '\n');
}

/* As scan.h says it. */
static void say(struct said *s, span body, bool lines)
{
    s->cut = false;
    for (s->used = 0; s->used < body.len && !s->cut; s->used++) {
        uint8_t c = body.ptr[s->used];
        bool inside = s->carried.in_string, escaped = s->carried.escaped, scalar = false;
        bool quote = c == '"' && !escaped, space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        s->carried.escaped = c == '\\' && !escaped;
        s->cut = lines && inside && c == '\n';
        if (!inside && !quote && !space && !is_op(c, lines)) scalar = true;
        s->quote[s->used] = quote;
        s->mark[s->used] = quote || (!inside && is_op(c, lines)) || scalar != s->carried.scalar || s->cut;
        if (quote) s->carried.in_string = !inside;
        s->carried.scalar = scalar;
        if (s->cut) memset(&s->carried, 0, sizeof s->carried);
    }
}

static uint8_t any_byte(unsigned kind)
{
    static const char *const kinds[] = {"abc \"", "abcdefgh 12{}[]:,\"", "\"\\\\a\n", "{}[]:, \t\r\n1a\"\"", "ab0%@\xC3\xA9\x01\x7F\"",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1\""};
    const char *bytes = kinds[kind];
    return roll(60) ? (uint8_t)bytes[roll((uint32_t)strlen(bytes))] : (uint8_t)roll(256);
}

static size_t put_body(uint8_t *body)
{
    size_t blocks = roll(4) ? 1 + roll(9) : SCAN_BLOCKS;
    for (size_t at = 0, end = 0, kind = 0; at < blocks * SCAN_BLOCK; at++) {
        if (at >= end) end = at + 1 + roll(150), kind = roll(6);
        body[at] = any_byte((unsigned)kind);
    }
    return blocks * SCAN_BLOCK;
}

static bool is_special(uint8_t c, bool inside)
{
    return c == '\\' || c == '%' || c == '&' || c == '@' || c == '=' || c >= 0x80 || (c < 0x20 && inside);
}

static size_t count_bits(const uint64_t *plane, size_t from, size_t len)
{
    size_t bits = 0;
    for (size_t i = 0; i < len; i++)
        bits += plane_bits(plane, from + i, 1);
    return bits;
}

/* Strings as they begin: where they end, and ranges in them. */
static void check_ranges(const struct doc_scan *s, const struct said *said, span body)
{
    for (unsigned i = 0; i < 200; i++) {
        size_t from = roll((uint32_t)said->used + 1), end = from, len = roll(200), digits = 0;
        bool plain = true;
        while (end < said->used && !said->quote[end])
            end++;
        size_t found = planes_string_end(s, from);
        if (end == said->used)
            assert_true(found >= said->used);
        else
            assert_int_equal(found, end);
        size_t special_at = from;
        while (special_at < said->used && !plane_bits(s->special, special_at, 1))
            special_at++;
        found = planes_next_special(s, from);
        assert_true(special_at == said->used ? found >= said->used : found == special_at);
        if (len > end - from) len = end - from;
        for (size_t at = from; at < from + len; at++) {
            digits += is_digit(body.ptr[at]);
            plain &= !is_special(body.ptr[at], false);
        }
        /* A control character counts where it is inside a string, which this range may not be. */
        bool special = count_bits(s->special, from, len) > 0;
        if (plain && special) {
            bool control = false;
            for (size_t at = from; at < from + len; at++)
                control |= body.ptr[at] < 0x20;
            assert_true(control);
            continue;
        }
        assert_int_equal(!special, plain);
        assert_int_equal(count_bits(s->digit, from, len), digits);
    }
}

/* One by one, some passed by, and now and then those that were passed by after all. */
static void check_marks(struct doc_scan *s, const struct said *said)
{
    static uint16_t all[SCAN_CHUNK];
    uint32_t count = 0;
    for (size_t at = 0; at < said->used; at++)
        if (said->mark[at]) all[count++] = (uint16_t)at;
    assert_int_equal(s->mark_count, count);
    for (uint32_t mark = 0, jump = 0; mark < count; mark++) {
        if (roll(20) == 0) {
            size_t at = all[mark] + roll(300), next = mark;
            while (next < count && all[next] < at)
                next++;
            if (next == count) break;
            assert_int_equal(planes_next_mark(s, at), all[next]);
            mark = scan_jump(s, at);
            assert_int_equal(mark, next);
        }
        assert_int_equal(scan_place(s, mark), all[mark]);
        uint32_t ahead = 1 + roll(20), back = roll(10) ? mark : jump, written = s->written;
        if (back < mark) scan_reach_back(s, back, mark + 1 - back), jump = mark;
        assert_true(s->written >= written); /* what a caller knows to be there stays there */
        scan_reach(s, mark, ahead);
        assert_true(s->written >= mark + ahead || s->written == count);
        for (uint32_t i = back; i < s->written; i++)
            assert_int_equal(s->marks[i], all[i]);
    }
}

static void check_scan(size_t k, struct doc_scan *s, const struct said *said, span body, bool lines)
{
    scan_begin(s);
    s->fill = kernels[k].fill;
    size_t used = kernels[k].scan(s, 0, body.ptr, body.len / SCAN_BLOCK, lines);
    scan_end(s, (used + SCAN_BLOCK - 1) / SCAN_BLOCK);
    assert_int_equal(used, said->used);
    assert_int_equal(s->cut, said->cut);
    assert_int_equal(s->in_string, said->carried.in_string ? ~0ULL : 0);
    assert_int_equal(s->escaped, said->carried.escaped);
    assert_int_equal(s->scalar, said->carried.scalar);
    check_marks(s, said);
    check_ranges(s, said, body);
}

static void every_kernel_says_what_is_there(void **state)
{
    static struct said said;
    static uint8_t body[SCAN_CHUNK];
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        static struct doc_scan all[ARRAY_LEN(kernels)];
        memset(all, 0, sizeof all);
        memset(&said, 0, sizeof said);
        bool lines = roll(2);
        for (unsigned chunk = 0; chunk < 3; chunk++) { /* what is carried from one to the next */
            span text = span_of(body, put_body(body));
            say(&said, text, lines);
            for (size_t k = 0; k < ARRAY_LEN(kernels); k++)
                if (kernels[k].level <= cpu_level()) check_scan(k, &all[k], &said, text, lines);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_says_what_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
