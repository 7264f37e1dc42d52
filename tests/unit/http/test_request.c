/* Request heads: the examples of the RFCs, and each refusal of contract section 5 with its status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/drive.h"

static struct http_request request;

/* Reads at once, and with every split in two: the answer must be the same. Returns the refusal, 0 for DONE, 1: MORE. */
static unsigned read_with(const char *text, size_t len, const struct http_limits *limits)
{
    unsigned answers[2] = {0, 0};
    for (size_t at = 0; at <= len; at++) {
        http_request_reset(&request);
        enum http_step step = http_request_read(&request, span_of(text, at), limits);
        if (step == HTTP_MORE) step = http_request_read(&request, span_of(text, len), limits);
        answers[1] = step == HTTP_MORE ? 1 : step == HTTP_BAD ? request.refusal : 0;
        if (at == 0) answers[0] = answers[1];
        if (answers[0] != answers[1]) fail_msg("split at %zu: %u, not %u: %s", at, answers[1], answers[0], text);
    }
    return answers[0];
}
static unsigned read_text(const char *text)
{
    return read_with(text, strlen(text), &HTTP_LIMITS_DEFAULT);
}

#define ASSERT_SPAN(s, text) assert_true(span_equal((s), SPAN(text)))

//= RFC9112 3.2.1
//= RFC9112 3.2
static void test_origin_form(void **state)
{
    (void)state;
    assert_int_equal(read_text("GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\nBODY"), 0);
    assert_int_equal(request.head_len, strlen("GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n"));
    assert_int_equal(request.method, HTTP_GET);
    ASSERT_SPAN(request.path, "/where");
    ASSERT_SPAN(request.query, "q=now");
    ASSERT_SPAN(request.host, "www.example.org");
    assert_int_equal(request.framing, HTTP_FRAMING_NONE);
    assert_true(request.keep_alive && request.has_query);
    assert_int_equal(read_text("GET /where? HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    assert_true(request.has_query && request.query.len == 0);
}

//= RFC9112 3.2.2
static void test_absolute_form(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org\r\n\r\n"), 0);
    ASSERT_SPAN(request.path, "/pub/WWW/TheProject.html");
    assert_int_equal(read_text("GET http://example.org?a=b HTTP/1.1\r\nHost: EXAMPLE.org\r\n\r\n"), 0);
    ASSERT_SPAN(request.path, "/");
    ASSERT_SPAN(request.query, "a=b");
    assert_int_equal(
        read_text("OPTIONS http://www.example.org:8001 HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"), 0);
    ASSERT_SPAN(request.path, "*");
    assert_int_equal(read_text("GET http://example.org/ HTTP/1.0\r\n\r\n"), 0);
    ASSERT_SPAN(request.host, "example.org");
    assert_int_equal(read_text("GET http://example.org/ HTTP/1.1\r\nHost: example.com\r\n\r\n"), 400);
    assert_int_equal(read_text("GET http://example.org:80/ HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
    assert_int_equal(read_text("GET http://u@example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
    assert_int_equal(read_text("GET ftp://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
    assert_int_equal(read_text("GET http:/// HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
}

//= RFC9112 3.2.3
//= RFC9112 3.2.4
static void test_other_forms(void **state)
{
    (void)state;
    assert_int_equal(read_text("OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"), 0);
    ASSERT_SPAN(request.path, "*");
    assert_int_equal(read_text("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    assert_int_equal(read_text("CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), 501);
    assert_int_equal(read_text("GET www.example.com:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

struct refusal {
    const char *text;
    unsigned status;
};

#define H "Host: a\r\n"
static const struct refusal refusals[] = {
    {"\r\nGET / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1\n" H "\r\n", 400},
    {"GET / HTTP/1.1\r" H "\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: \x7f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A(b): c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "\xc3\xa4: c\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" H "\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET\r\n\r\n", 400},
    {"G@T / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / http/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.10\r\n" H "\r\n", 400},
    {"GET / HTTP/2.0\r\n" H "\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"GET /#f HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\"a\" HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a|b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /?a[]=1 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%zz HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a//b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/../b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a;b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost: \r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 501},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        unsigned status = read_text(refusals[i].text);
        if (status != refusals[i].status) fail_msg("%u, not %u: %s", status, refusals[i].status, refusals[i].text);
    }
    assert_int_equal(read_with("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30, &HTTP_LIMITS_DEFAULT), 400);
}

/* A bad byte is refused when it comes, not when the head is whole. */
static void test_refused_as_seen(void **state)
{
    (void)state;
    assert_int_equal(read_text("GET / HTTP/1.1\r\nHost: a\n"), 400);
    assert_int_equal(read_text("GET / HTTP/9.9\r\n"), 505);
    assert_int_equal(read_text("\x16\x03\x01"), 400);
}

static void test_limits(void **state)
{
    (void)state;
    struct http_limits l = {.head = 60, .target = 20, .extension = 10};
    const char fits[] = "GET /aaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\nB: ccccccccc\r\n\r\n";
    const char over[] = "GET /aaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\nB: cccccccccc\r\n\r\n";
    const char target[] = "GET /aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n";
    const char line[] = "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_int_equal(strlen(fits), 60);
    assert_int_equal(read_with(fits, strlen(fits), &l), 0);
    assert_int_equal(read_with(over, strlen(over), &l), 431);
    assert_int_equal(read_with(target, strlen(target), &l), 414);
    assert_int_equal(read_with(line, strlen(line), &l), 414);
}

static void test_field_count(void **state)
{
    (void)state;
    char text[4096];
    for (size_t fields = 127; fields <= 128; fields++) {
        size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (size_t i = 0; i < fields; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "A: b\r\n");
        n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
        http_request_reset(&request);
        enum http_step step = http_request_read(&request, span_of(text, n), &HTTP_LIMITS_DEFAULT);
        assert_int_equal(step, fields == 127 ? HTTP_DONE : HTTP_BAD);
        if (step == HTTP_BAD)
            assert_int_equal(request.refusal, 431);
        else
            assert_int_equal(request.field_count, 128);
    }
}

static void test_connection(void **state)
{
    (void)state;
    assert_int_equal(read_text("GET / HTTP/1.1\r\n" H "Connection: foo, CLOSE\r\n\r\n"), 0);
    assert_false(request.keep_alive);
    assert_int_equal(read_text("GET / HTTP/1.0\r\n\r\n"), 0);
    assert_false(request.keep_alive);
    assert_int_equal(read_text("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 0);
    assert_true(request.keep_alive);
    assert_int_equal(read_text("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), 0);
    assert_false(request.keep_alive);
    assert_int_equal(read_text("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"), 0);
    assert_true(request.expect_continue);
    assert_int_equal(request.framing, HTTP_FRAMING_LENGTH);
    assert_int_equal(request.length, 5);
    assert_int_equal(read_text("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"), 0);
    assert_int_equal(request.framing, HTTP_FRAMING_CHUNKED);
}

//= RFC9110 7.6.1
static void test_fields(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("GET / HTTP/1.1\r\n" H "X_Forwarded: 1\r\nAccept:  text/html \t\r\nX-Hop: 1\r\n"
                  "Connection: x-hop, accept-language\r\nAccept-Language: de\r\nAccept: b\r\nTE: trailers\r\n\r\n"),
        0);
    const struct http_field *f = request.fields;
    size_t n = request.field_count;
    assert_null(http_find_name(f, n, SPAN("x_forwarded"), 0));
    ASSERT_SPAN(http_find(f, n, HTTP_FIELD_ACCEPT, 0)->value, "text/html");
    ASSERT_SPAN(http_find(f, n, HTTP_FIELD_ACCEPT, 1)->value, "b");
    assert_null(http_find(f, n, HTTP_FIELD_ACCEPT, 2));
    assert_true(http_field_passes(f, n, http_find(f, n, HTTP_FIELD_ACCEPT, 0)));
    assert_false(http_field_passes(f, n, http_find(f, n, HTTP_FIELD_ACCEPT_LANGUAGE, 0)));
    assert_false(http_field_passes(f, n, http_find_name(f, n, SPAN("X-HOP"), 0)));
    assert_false(http_field_passes(f, n, http_find(f, n, HTTP_FIELD_HOST, 0)));
    assert_false(http_field_passes(f, n, http_find(f, n, HTTP_FIELD_TE, 0)));
}

/* A head that never came whole is answered too (408), as nobody's HEAD: with its body. */
static void test_nothing_is_left_of_the_request_before(void **state)
{
    (void)state;
    assert_int_equal(read_text("HEAD / HTTP/1.0\r\n\r\n"), 0);
    assert_int_equal(request.method, HTTP_HEAD);
    assert_int_equal(read_text("GET / HT"), 1);
    assert_int_equal(request.method, HTTP_METHOD_OTHER);
    assert_int_equal(request.minor, 1);
}

static void test_latched(void **state)
{
    (void)state;
    http_request_reset(&request);
    assert_int_equal(http_request_read(&request, SPAN("\n"), &HTTP_LIMITS_DEFAULT), HTTP_BAD);
    span good = SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(http_request_read(&request, good, &HTTP_LIMITS_DEFAULT), HTTP_BAD);
    http_request_reset(&request);
    assert_int_equal(http_request_read(&request, good, &HTTP_LIMITS_DEFAULT), HTTP_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origin_form),
        cmocka_unit_test(test_absolute_form),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refused_as_seen),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nothing_is_left_of_the_request_before),
        cmocka_unit_test(test_latched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
