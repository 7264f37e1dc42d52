/* Text by itself: what may fold, numbers, and the codings against the standards' own examples. */
#include "support.h"

#include "match/own.h"

static size_t put_utf8(uint32_t c, uint8_t *p)
{
    if (c < 0x80) return p[0] = (uint8_t)c, 1;
    if (c < 0x800) return p[0] = (uint8_t)(0xC0 | c >> 6), p[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return p[0] = (uint8_t)(0xE0 | c >> 12), p[1] = (uint8_t)(0x80 | (c >> 6 & 63)),
               p[2] = (uint8_t)(0x80 | (c & 63)), 3;
    p[0] = (uint8_t)(0xF0 | c >> 18), p[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    return p[2] = (uint8_t)(0x80 | (c >> 6 & 63)), p[3] = (uint8_t)(0x80 | (c & 63)), 4;
}

/* Every code point: what folding changes is seen to be foldable, and becomes shorter. */
static void test_foldable(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++) {
        uint8_t in[8], out[8];
        if (c >= 0xD800 && c < 0xE000) continue;
        span text = span_of(in, put_utf8(c, in));
        size_t n = registry_fold(text, out);
        bool changed = !span_equal(text, span_of(out, n));
        if (changed && !text_foldable(text)) fail_msg("U+%04X folds and is not foldable", c);
        if (changed && !text_facts(text).foldable) fail_msg("U+%04X folds and the facts do not say so", c);
        if (changed && n >= text.len) fail_msg("U+%04X folds and is not shorter", c);
    }
}

static void test_integer(void **state)
{
    static const struct {
        const char *lexeme, *digits;
    } samples[] = {{"0", "0"}, {"0.0", "0"}, {"0e5", "0"}, {"7", "7"}, {"12345678", "12345678"},
        {"12345678.0", "12345678"}, {"1.2345678e7", "12345678"}, {"1.2345678E+7", "12345678"},
        {"1234567800e-2", "12345678"}, {"12345678.5", ""}, {"1.2345678e6", ""}, {"-5", ""}, {"0.5e1", "5"},
        {"0.00012e5", "12"}, {"1e8", "100000000"}, {"1e20", ""}, {"1e99999999999999999999", ""},
        {"1e-99999999999999999999", ""}, {"0e99999999999999999999", "0"}, {"100e-2", "1"},
        {"9007199254740993", "9007199254740993"}, {"12345678901234567890", "12345678901234567890"},
        {"123456789012345678901", ""}, {"10.10e1", "101"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        uint8_t out[20];
        size_t n = text_integer(span_str(samples[i].lexeme), out, sizeof out);
        if (!span_equal(span_of(out, n), span_str(samples[i].digits)))
            fail_msg("%s is \"%.*s\", not \"%s\"", samples[i].lexeme, (int)n, out, samples[i].digits);
    }
}

//= RFC4648 10
//= RFC3986 2.1
static void test_codings(void **state)
{
    static const char *const base64[][2] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}, {"Zm9vYmE", "fooba"}, {"Zm9vY", "foo"},
        {"_-__", "\xFF\xEF\xFF"}, {"/+//", "\xFF\xEF\xFF"}};
    static const char *const percent[][2] = {{"%41%42", "AB"}, {"a%2fb%2Fc", "a/b/c"}, {"%", "%"}, {"%4", "%4"},
        {"%zz", "%zz"}, {"%2541", "%41"}, {"100%", "100%"}};
    uint8_t out[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(base64); i++)
        assert_span(span_of(out, text_base64(span_str(base64[i][0]), out)), base64[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(percent); i++)
        assert_span(span_of(out, text_percent(span_str(percent[i][0]), out)), percent[i][1]);
}

static void test_runs(void **state)
{
    static const char text[] = "short words, thirteenchars, a-b_c+d/e=f==, 12345678901";
    size_t begin, end;
    (void)state;
    assert_true(text_next_run(span_str(text), 0, &begin, &end));
    assert_span(span_of(text + begin, end - begin), "thirteenchars");
    assert_true(text_next_run(span_str(text), end, &begin, &end));
    assert_span(span_of(text + begin, end - begin), "a-b_c+d/e=f==");
    assert_false(text_next_run(span_str(text), end, &begin, &end));
    assert_true(text_next_digits(span_str("a1 23x 45-6"), 0, &begin, &end));
    assert_int_equal(begin, 7);
    assert_int_equal(end, 9);
}

/* Every text of eleven to fourteen characters of two kinds: the search that skips finds what the plain one finds. */
static void test_run_search(void **state)
{
    (void)state;
    for (size_t len = 11; len <= 26; len++)
        for (size_t at = 0; at + 12 <= len; at++)
            for (size_t run = 11; at + run <= len; run++) {
                uint8_t text[32];
                size_t begin = 0, end = 0;
                memset(text, ' ', len);
                memset(text + at, 'A', run);
                assert_int_equal(text_next_run(span_of(text, len), 0, &begin, &end), run >= 12);
                if (run >= 12) assert_true(begin == at && end == at + run);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_foldable), cmocka_unit_test(test_integer),
        cmocka_unit_test(test_codings), cmocka_unit_test(test_runs), cmocka_unit_test(test_run_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
