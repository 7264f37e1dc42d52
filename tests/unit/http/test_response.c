/* Response heads and how they are framed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/drive.h"

static struct http_response response;

static enum http_step read_as(const char *text, bool head_request)
{
    enum http_step first = HTTP_MORE;
    size_t len = strlen(text);
    for (size_t at = 0; at <= len; at++) {
        http_response_reset(&response);
        enum http_step step = http_response_read(&response, span_of(text, at), head_request, &HTTP_LIMITS_DEFAULT);
        if (step == HTTP_MORE)
            step = http_response_read(&response, span_of(text, len), head_request, &HTTP_LIMITS_DEFAULT);
        if (at == 0) first = step;
        if (step != first) fail_msg("split at %zu: %s", at, text);
    }
    return first;
}
static enum http_step read_text(const char *text)
{
    return read_as(text, false);
}

//= RFC9112 4
static void test_status_line(void **state)
{
    (void)state;
    assert_int_equal(read_text("HTTP/1.1 200 OK\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.status, 200);
    assert_int_equal(read_text("HTTP/1.1 404 \r\n\r\n"), HTTP_DONE);
    assert_int_equal(read_text("HTTP/1.1 404\r\n\r\n"), HTTP_DONE);
    static const char *const bad[] = {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (read_text(bad[i]) != HTTP_BAD) fail_msg("taken: %s", bad[i]);
}

//= RFC9112 6.3
static void test_framing(void **state)
{
    (void)state;
    assert_int_equal(read_text("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_LENGTH);
    assert_int_equal(response.length, 12);
    assert_true(response.keep_alive);
    assert_int_equal(read_as("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", true), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_NONE);
    assert_true(response.has_length && response.length == 12);
    assert_int_equal(read_text("HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_NONE);
    assert_int_equal(read_text("HTTP/1.1 204 No Content\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_NONE);
    assert_int_equal(read_text("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), HTTP_DONE);
    assert_true(response.interim);
    assert_int_equal(read_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_CHUNKED);
    assert_int_equal(read_text("HTTP/1.1 200 OK\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.framing, HTTP_FRAMING_CLOSE);
    assert_false(response.keep_alive);
    assert_int_equal(read_text("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"), HTTP_DONE);
    assert_false(response.keep_alive);
    static const char *const bad[] = {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1,1\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "A b: c\r\n", " a: b\r\n", "A:\x02\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[256];
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n", bad[i]);
        if (read_text(text) != HTTP_BAD) fail_msg("taken: %s", text);
    }
    assert_int_equal(read_text("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_BAD);
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Encoding: gzip\r\nContent-Type: c/d\r\n\r\n"),
        HTTP_DONE);
    assert_int_equal(response.type_count, 2);
    assert_true(span_equal(response.content_type, SPAN("a/b")));
    assert_int_equal(response.coding_count, 1);
    assert_true(span_equal(response.content_encoding, SPAN("gzip")));
    assert_int_equal(read_text("HTTP/1.1 200 OK\r\n\r\n"), HTTP_DONE);
    assert_int_equal(response.type_count, 0);
    assert_int_equal(response.content_type.len, 0);
}

static void test_latched(void **state)
{
    (void)state;
    http_response_reset(&response);
    assert_int_equal(http_response_read(&response, SPAN("\n"), false, &HTTP_LIMITS_DEFAULT), HTTP_BAD);
    assert_int_equal(
        http_response_read(&response, SPAN("HTTP/1.1 200 OK\r\n\r\n"), false, &HTTP_LIMITS_DEFAULT), HTTP_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_line),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_latched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
