/* Paths, queries and hosts. Address forms: RFC 4291 2.2 and RFC 3986 1.1.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/http.h"

static void expect_all(bool (*judge)(span), const char *const *texts, size_t n, bool wanted)
{
    for (size_t i = 0; i < n; i++)
        if (judge(span_str(texts[i])) != wanted) fail_msg("%s: not %d", texts[i], wanted);
}

static void test_paths(void **state)
{
    (void)state;
    static const char *const good[] = {"/", "/a", "/a/", "/a/b.c", "/...", "/.a", "/a.", "/..a", "/%20", "/%00",
        "/a%3bb", "/:@!$&'()*+,=-._~", "/%252f", "/%E2%82%AC", "/.%2e."};
    static const char *const bad[] = {"", "a", "*", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./", "/../", "/a/.",
        "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2E/", "/.%2e", "/%2e.", "/%2e%2E/a", "/a%2fb", "/a%2Fb", "/a%5cb",
        "/a%5Cb", "/a\\b", "/a;b", "/;", "/a?b", "/a#b", "/a b", "/%", "/%2", "/%g0", "/a\"b", "/<", "/{", "/|", "/^",
        "/[", "/\xc3\xa4", "/\x7f"};
    expect_all(http_path_judge, good, ARRAY_LEN(good), true);
    expect_all(http_path_judge, bad, ARRAY_LEN(bad), false);
}

//= RFC3986 3.2.2
//= RFC9110 7.2
static void test_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {"example.com", "example.com:80", "example.com:", "EXAMPLE", "a_b.c",
        "192.0.2.16:80", "[::1]", "[::]:65535", "[2001:db8::7]", "[FEDC:BA98:7654:3210:FEDC:BA98:7654:3210]",
        "[1080:0:0:0:8:800:200C:417A]", "[::FFFF:129.144.52.38]", "[0:0:0:0:0:FFFF:129.144.52.38]", "[1::]",
        "[1:2:3:4:5:6:7::]", "[v1.a:b]", "a%20b"};
    static const char *const bad[] = {"", ":80", "a:b", "a:65536", "a:80:80", "u@a", "a,b", "a b", "a/b", "a?b", "a#b",
        "[::1", "::1", "[:::]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7]", "[1::2::3]", "[12345::]", "[::1]x", "[::g]",
        "[fe80::1%25eth0]", "[1:2:3:4:5:6:7:1.2.3.4]", "[1.2.3.4::]", "[::1.2.3]", "[::1.2.3.256]", "[]", "[1:]",
        "[:1]", "[1:2:3:4:5:6:7:8::]", "[v.a]", "[v1.]", "a%2", "a\"", "a=1", "a\\b", "\xc3\xa4", "[1:2:3:4:5:6:7:]"};
    expect_all(http_host_judge, good, ARRAY_LEN(good), true);
    expect_all(http_host_judge, bad, ARRAY_LEN(bad), false);
}

//= RFC3986 3.4
static void test_queries(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a=b&c", "a=/?:@;", "%41", "a=%00"};
    static const char *const bad[] = {"a b", "%4", "a[]=1", "#", "\"", "a=\xc3\xa4", "a\\"};
    expect_all(http_query_judge, good, ARRAY_LEN(good), true);
    expect_all(http_query_judge, bad, ARRAY_LEN(bad), false);
}

static void test_query_names(void **state)
{
    (void)state;
    struct http_query q = {SPAN("&name=Garcia&&n%61me=a=b&format&=x&")};
    static const char *const wanted[][2] = {{"name", "Garcia"}, {"n%61me", "a=b"}, {"format", ""}, {"", "x"}};
    span name, value;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(http_query_next(&q, &name, &value));
        assert_true(span_equal(name, span_str(wanted[i][0])));
        assert_true(span_equal(value, span_str(wanted[i][1])));
    }
    assert_false(http_query_next(&q, &name, &value));
    assert_true(http_query_name_is(SPAN("n%61me"), SPAN("name")));
    assert_true(http_query_name_is(SPAN("a+b"), SPAN("a b")));
    assert_false(http_query_name_is(SPAN("nam"), SPAN("name")));
    assert_false(http_query_name_is(SPAN("names"), SPAN("name")));
    assert_false(http_query_name_is(SPAN("nam%6"), SPAN("name")));
    assert_false(http_query_name_is(SPAN("Name"), SPAN("name")));
}

static void test_decode(void **state)
{
    (void)state;
    uint8_t out[16];
    size_t n;
    assert_true(http_percent_decode(SPAN("a%2Fb%c3%A4+"), false, out, &n));
    assert_true(span_equal(span_of(out, n), SPAN("a/b\xc3\xa4+")));
    assert_true(http_percent_decode(SPAN("a+b"), true, out, &n));
    assert_true(span_equal(span_of(out, n), SPAN("a b")));
    assert_false(http_percent_decode(SPAN("a%2"), false, out, &n));
    assert_false(http_percent_decode(SPAN("%%41"), false, out, &n));
    assert_false(http_percent_decode(SPAN("%"), false, out, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_query_names),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
