/* Bodies in every framing, at every split point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/drive.h"

struct outcome {
    enum http_step step;
    size_t used;
    size_t len;
    char data[256];
};

static void feed(struct http_body *b, struct outcome *o, span in)
{
    size_t used;
    span data;
    do {
        o->step = http_body_next(b, in, &used, &data);
        assert_true(o->len + data.len < sizeof o->data);
        if (data.len > 0) memcpy(o->data + o->len, data.ptr, data.len);
        o->len += data.len;
        o->used += used;
        in = span_from(in, used);
    } while (used > 0 && o->step == HTTP_MORE);
}

static struct outcome run_cut(enum http_framing framing, uint64_t length, span s, size_t step, size_t at)
{
    struct http_body b;
    struct http_limits l = {.head = 64, .target = 10, .extension = 32};
    struct outcome o = {.len = 0};
    http_body_init(&b, framing, length, &l);
    o.step = b.state;
    for (size_t i = 0; i < s.len && o.step == HTTP_MORE;) {
        size_t end = step > 0 ? i + step : i < at ? at : s.len;
        feed(&b, &o, span_sub(s, i, end - i));
        i = end;
    }
    assert_int_equal(b.received, o.len);
    return o;
}

static struct outcome run(enum http_framing framing, uint64_t length, const char *text)
{
    span s = span_str(text);
    struct outcome whole = run_cut(framing, length, s, 0, s.len), one = run_cut(framing, length, s, 1, 0);
    assert_memory_equal(&whole, &one, sizeof whole);
    for (size_t at = 1; at < s.len; at++) {
        struct outcome cut = run_cut(framing, length, s, 0, at);
        assert_memory_equal(&whole, &cut, sizeof whole);
    }
    return whole;
}

static void expect_chunked(const char *text, const char *content, const char *rest)
{
    size_t used = strlen(text) - strlen(rest);
    struct outcome o = run(HTTP_FRAMING_CHUNKED, 0, text);
    if (o.step != HTTP_DONE || o.used != used || o.len != strlen(content) || memcmp(o.data, content, o.len) != 0)
        fail_msg("step %d, used %zu, content %.*s: %s", o.step, o.used, (int)o.len, o.data, text);
}

//= RFC9112 7.1
static void test_chunked(void **state)
{
    (void)state;
    expect_chunked(
        "4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n", "Wikipedia in\r\n\r\nchunks.", "");
    expect_chunked("0\r\n\r\nGET", "", "GET");
    expect_chunked("0000000000000003\r\nabc\r\n000\r\n\r\n", "abc", "");
    expect_chunked("a;x\r\n0123456789\r\n0;y=1;z=\"a;\\\"b\"\r\n\r\n", "0123456789", "");
    expect_chunked("1 ; a = b ;c\r\nx\r\n0\r\n\r\n", "x", "");
    expect_chunked("1\r\nx\r\n0\r\nExpires: never\r\nX_Y:\r\n\r\n", "x", "");
}

static void test_chunked_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {"\r\n", "x\r\n", "-1\r\na", "+1\r\na", "0x1\r\na", " 1\r\na", "1 \r\na", "1\n",
        "1\r\r\n", "1\r\nab", "1\r\na\n", "1\r\na\r0", "10000000000000000\r\n", "8000000000000000\r\n",
        "ffffffffffffffff\r\n", "00000000000000001\r\n", "1;\r\na", "1;a \r\na", "1;a=\r\na", "1;a=b \r\na",
        "1;a=\"b\r\na", "1;a=\"b\"c\r\na", "1;a\nb", "1;a=\"\x01\"\r\n", "1,a\r\n", "0\r\n\n", "0\r\na\r\n",
        "0\r\n: b\r\n", "0\r\na : b\r\n", "0\r\n a: b\r\n", "0\r\na: b\n", "0\r\na: b\rc", "0\r\na: \x01",
        "0\r\nContent-Length: 1\r\n", "0\r\ntransfer-encoding: x\r\n", "0\r\nHOST: x\r\n", "0\r\n\rX",
        "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "0\r\na: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (run(HTTP_FRAMING_CHUNKED, 0, bad[i]).step != HTTP_BAD) fail_msg("taken: %s", bad[i]);
}

static void test_length(void **state)
{
    (void)state;
    struct outcome o = run(HTTP_FRAMING_LENGTH, 5, "HelloGET /");
    assert_int_equal(o.step, HTTP_DONE);
    assert_int_equal(o.used, 5);
    assert_memory_equal(o.data, "Hello", 5);
    assert_int_equal(run(HTTP_FRAMING_LENGTH, 0, "GET").step, HTTP_DONE);
    assert_int_equal(run(HTTP_FRAMING_NONE, 0, "GET").used, 0);
    assert_int_equal(run(HTTP_FRAMING_LENGTH, 6, "Hello").step, HTTP_MORE);
}

//= RFC9112 8
static void test_end(void **state)
{
    (void)state;
    struct http_body b;
    size_t used;
    span data;
    http_body_init(&b, HTTP_FRAMING_CLOSE, 0, &HTTP_LIMITS_DEFAULT);
    assert_int_equal(http_body_next(&b, SPAN("abc"), &used, &data), HTTP_MORE);
    assert_int_equal(data.len, 3);
    assert_int_equal(http_body_end(&b, true), HTTP_DONE);
    http_body_init(&b, HTTP_FRAMING_CLOSE, 0, &HTTP_LIMITS_DEFAULT);
    assert_int_equal(http_body_end(&b, false), HTTP_BAD);
    assert_int_equal(http_body_end(&b, true), HTTP_BAD);
    http_body_init(&b, HTTP_FRAMING_LENGTH, 1, &HTTP_LIMITS_DEFAULT);
    assert_int_equal(http_body_end(&b, true), HTTP_BAD);
    http_body_init(&b, HTTP_FRAMING_CHUNKED, 0, &HTTP_LIMITS_DEFAULT);
    assert_int_equal(http_body_next(&b, SPAN("1\r\na\r\n0\r\n"), &used, &data), HTTP_MORE);
    assert_int_equal(http_body_end(&b, true), HTTP_BAD);
    http_body_init(&b, HTTP_FRAMING_LENGTH, 0, &HTTP_LIMITS_DEFAULT);
    assert_int_equal(http_body_end(&b, false), HTTP_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_chunked_bad),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
