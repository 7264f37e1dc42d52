#include "support.h"

#include <ctype.h>

static void test_parts(void **state)
{
    (void)state;
    span s = SPAN("abcdef");
    assert_span(span_sub(s, 0, 0), "");
    assert_span(span_sub(s, 2, 3), "cde");
    assert_span(span_from(s, 6), "");
    assert_span(span_sub(span_of(NULL, 0), 0, 0), "");
}

struct cut {
    size_t from, len;
};
static void cut_span(void *ctx)
{
    const struct cut *c = ctx;
    span_sub(SPAN("abc"), c->from, c->len);
}

static void test_parts_outside_are_our_own_bug(void **state)
{
    (void)state;
    struct cut bad[] = {{4, 0}, {0, 4}, {2, 2}, {1, SIZE_MAX}, {SIZE_MAX, 1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_true(aborts(cut_span, &bad[i]));
}

static void test_comparison(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN(""), span_of(NULL, 0)));
    assert_false(span_equal(SPAN("a"), SPAN("b")));
    assert_false(span_equal(SPAN("a"), SPAN("ab")));
    assert_true(span_equal_nocase(SPAN("Content-Length"), SPAN("cONTENT-lENGTH")));
    /* 0x20 apart, but no letters */
    assert_false(span_equal_nocase(SPAN("@[`{"), SPAN("`{@[")));
    assert_false(span_equal_nocase(SPAN("\xC4"), SPAN("\xE4")));
    assert_true(span_compare(SPAN("a"), SPAN("b")) < 0);
    assert_true(span_compare(SPAN("b"), SPAN("ab")) > 0);
    assert_true(span_compare(SPAN("a"), SPAN("ab")) < 0);
    assert_true(span_compare(SPAN("\xFF"), SPAN("a")) > 0);
    assert_int_equal(span_compare(SPAN(""), span_of(NULL, 0)), 0);
    assert_true(span_starts(SPAN("abc"), SPAN("ab")));
    assert_true(span_starts(SPAN("abc"), span_of(NULL, 0)));
    assert_false(span_starts(SPAN("a"), SPAN("ab")));
}

/* Every two bytes at the edges of words, as the C library's tolower() has it. */
static void test_comparison_without_case(void **state)
{
    static const size_t places[] = {0, 6, 7, 8, 10};
    (void)state;
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0; y < 256; y++)
            for (size_t i = 0; i < ARRAY_LEN(places); i++)
                for (size_t len = places[i] + 1; len <= 11; len += 5) {
                    uint8_t a[] = "Zx-[@`{zA-q", b[] = "zX-[@`{Za-Q";
                    bool same = x == y || (x < 128 && y < 128 && tolower((int)x) == tolower((int)y));
                    a[places[i]] = (uint8_t)x;
                    b[places[i]] = (uint8_t)y;
                    assert_true(span_equal_nocase(span_of(a, len), span_of(b, len)) == same);
                }
}

static void test_search(void **state)
{
    (void)state;
    assert_int_equal(span_find(SPAN("abcb"), 'b'), 1);
    assert_int_equal(span_find(SPAN("abc"), 'x'), 3);
    assert_int_equal(span_find(span_of(NULL, 0), 'x'), 0);
    assert_int_equal(span_search(SPAN("aabaab"), SPAN("aab")), 0);
    assert_int_equal(span_search(SPAN("xaab"), SPAN("ab")), 2);
    assert_int_equal(span_search(SPAN("ab"), SPAN("abc")), 2);
    assert_int_equal(span_search(SPAN("ab"), SPAN("")), 0);
}

//= RFC9110 5.6.3
static void test_trim(void **state)
{
    (void)state;
    assert_span(span_trim(SPAN(" \t a b \t")), "a b");
    assert_span(span_trim(SPAN(" \t ")), "");
    assert_span(span_trim(SPAN("\r\na\n")), "\r\na\n");
    assert_span(span_trim(span_of(NULL, 0)), "");
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(span_to_u64(SPAN("0"), 0, &n));
    assert_int_equal(n, 0);
    assert_true(span_to_u64(SPAN("00065535"), 65535, &n));
    assert_int_equal(n, 65535);
    assert_true(span_to_u64(SPAN("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    static const char *const bad[] = {
        "", "+1", "-1", " 1", "1 ", "1a", "0x1", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(span_to_u64(span_str(bad[i]), UINT64_MAX, &n));
    assert_false(span_to_u64(SPAN("65536"), 65535, &n));
}

static void test_digits(void **state)
{
    (void)state;
    assert_true(span_is_digits(SPAN("0123456789")));
    static const char *const others[] = {"", "1 ", "-1", "1a", "/", ":", "\xd9\xa1"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(span_is_digits(span_str(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts), cmocka_unit_test(test_digits),
        cmocka_unit_test(test_parts_outside_are_our_own_bug),
        cmocka_unit_test(test_comparison), cmocka_unit_test(test_comparison_without_case),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
