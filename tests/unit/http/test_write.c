/* The writer and media types. Dates: RFC 9110 5.6.7 and date(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/drive.h"

static void expect_text(struct buf *b, const char *text)
{
    if (!span_equal(buf_span(b), span_str(text))) fail_msg("%.*s", SPAN_FMT(buf_span(b)));
    buf_clear(b);
}

//= RFC9110 5.6.7
static void test_date(void **state)
{
    (void)state;
    struct http_date d = {0};
    assert_true(span_equal(http_date_text(&d, 784111777), SPAN("Sun, 06 Nov 1994 08:49:37 GMT")));
    assert_true(span_equal(http_date_text(&d, 0), SPAN("Thu, 01 Jan 1970 00:00:00 GMT")));
    assert_true(span_equal(http_date_text(&d, 1709164800), SPAN("Thu, 29 Feb 2024 00:00:00 GMT")));
    assert_true(span_equal(http_date_text(&d, 1709164800), SPAN("Thu, 29 Feb 2024 00:00:00 GMT")));
}

static void test_answer(void **state)
{
    (void)state;
    struct buf b;
    struct http_date date = {0};
    struct http_field extra = {SPAN("Section-1367"), SPAN("protected; records=1"), HTTP_FIELD_SECTION_1367};
    struct http_answer a = {.status = 200,
        .now = 784111777,
        .content_type = SPAN("application/json"),
        .framing = HTTP_FRAMING_LENGTH,
        .length = 18446744073709551615u,
        .request_id = SPAN("id"),
        .extra = &extra,
        .extra_count = 1};
    buf_init(&b, 4096);
    assert_true(is_ok(http_write_answer(&b, &date, &a)));
    expect_text(&b, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
                    "Content-Length: 18446744073709551615\r\nCache-Control: private, no-store\r\nRequest-Id: id\r\n"
                    "Section-1367: protected; records=1\r\n\r\n");
    a = (struct http_answer){
        .status = 405, .now = 0, .framing = HTTP_FRAMING_CHUNKED, .close = true, .allow = SPAN("GET, HEAD")};
    assert_true(is_ok(http_write_answer(&b, &date, &a)));
    expect_text(&b,
        "HTTP/1.1 405 Method Not Allowed\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n"
        "Cache-Control: private, no-store\r\nConnection: close\r\nAllow: GET, HEAD\r\n\r\n");
    buf_free(&b);
}

/* Whatever is refused leaves nothing behind. */
//= RFC9110 5.5
static void test_refused(void **state)
{
    (void)state;
    struct buf b;
    struct http_date date = {0};
    buf_init(&b, 4096);
    assert_true(is_ok(buf_append(&b, SPAN("x"))));
    assert_int_equal(http_write_field(&b, SPAN("A"), SPAN("b\r\nC: d")).class, ERROR_INTERNAL);
    assert_int_equal(http_write_field(&b, SPAN("A"), span_of("b\0c", 3)).class, ERROR_INTERNAL);
    assert_int_equal(http_write_field(&b, SPAN("A b"), SPAN("c")).class, ERROR_INTERNAL);
    assert_int_equal(http_write_field(&b, SPAN(""), SPAN("c")).class, ERROR_INTERNAL);
    span none = span_of(NULL, 0);
    assert_int_equal(http_write_request(&b, SPAN("GET"), SPAN("/a b"), false, none, SPAN("h")).class, ERROR_INTERNAL);
    assert_int_equal(
        http_write_request(&b, SPAN("GET"), SPAN("/"), true, SPAN("a\r\n"), SPAN("h")).class, ERROR_INTERNAL);
    assert_int_equal(
        http_write_request(&b, SPAN("GET"), SPAN("/"), false, none, SPAN("h\r\nA: b")).class, ERROR_INTERNAL);
    assert_int_equal(http_write_request(&b, SPAN("GE T"), SPAN("/"), false, none, SPAN("h")).class, ERROR_INTERNAL);
    struct http_answer a = {.status = 200, .framing = HTTP_FRAMING_LENGTH, .request_id = SPAN("a\nb")};
    assert_int_equal(http_write_answer(&b, &date, &a).class, ERROR_INTERNAL);
    expect_text(&b, "x");
    buf_free(&b);
    buf_init(&b, 40);
    a.request_id = none;
    assert_int_equal(http_write_answer(&b, &date, &a).class, ERROR_LIMIT);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

static void test_request(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    assert_true(is_ok(http_write_request(&b, SPAN("GET"), SPAN("/a"), true, SPAN("b=c"), SPAN("h:1"))));
    assert_true(is_ok(http_write_field(&b, SPAN("Accept"), SPAN("*/*"))));
    assert_true(is_ok(http_write_end(&b)));
    expect_text(&b, "GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\n\r\n");
    assert_true(is_ok(http_write_request(&b, SPAN("OPTIONS"), SPAN("*"), false, span_of(NULL, 0), SPAN("[::1]"))));
    expect_text(&b, "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n");
    assert_true(is_ok(http_write_chunk(&b, SPAN("hello world"))));
    assert_true(is_ok(http_write_chunk(&b, SPAN(""))));
    expect_text(&b, "b\r\nhello world\r\n");
    buf_free(&b);
}

/* Chunk sizes of what 40,000 bytes in pieces of  become, read back from the wire. */
static void cut_stream(size_t piece)
{
    static uint8_t data[40000];
    struct http_chunker c;
    struct buf out;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    buf_init(&out, 1 << 20);
    http_chunker_init(&c);
    for (size_t i = 0; i < sizeof data; i += piece)
        assert_true(
            is_ok(http_chunker_add(&c, span_of(data + i, sizeof data - i < piece ? sizeof data - i : piece), &out)));
    assert_true(is_ok(http_chunker_finish(&c, &out)));
    span s = buf_span(&out);
    static const size_t sizes[] = {16384, 16384, 7232};
    static const char *const heads[] = {"4000\r\n", "4000\r\n", "1c40\r\n"};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(span_starts(s, span_str(heads[i])));
        assert_memory_equal(s.ptr + 6, data + at, sizes[i]);
        at += sizes[i];
        s = span_from(s, 6 + sizes[i]);
        assert_true(span_starts(s, SPAN("\r\n")));
        s = span_from(s, 2);
    }
    assert_true(span_equal(s, SPAN("0\r\n\r\n")));
    http_chunker_free(&c);
    buf_free(&out);
}

static void test_chunker(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 16383, 16384, 16385, 40000};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        cut_stream(pieces[i]);
}

static void test_malloc_failures(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct buf b;
        struct http_date date = {0};
        struct http_chunker c;
        struct http_answer a = {.status = 200, .framing = HTTP_FRAMING_CHUNKED};
        buf_init(&b, 65536);
        http_chunker_init(&c);
        fault_arm("malloc", n);
        result r = http_write_answer(&b, &date, &a);
        if (is_ok(r)) r = http_chunker_add(&c, SPAN("abc"), &b);
        if (is_ok(r)) r = http_chunker_finish(&c, &b);
        bool hit = fault_count("malloc") >= n;
        fault_arm("malloc", 0);
        http_chunker_free(&c);
        buf_free(&b);
        if (!hit) {
            assert_true(is_ok(r) && n > 2);
            return;
        }
        assert_int_equal(r.class, ERROR_LIMIT);
    }
}

struct media {
    const char *from, *to; /* to NULL: refused */
};

//= RFC9110 8.3.1
//= RFC9110 5.6.4
static void test_media(void **state)
{
    (void)state;
    static const struct media rows[] = {
        {"text/html;charset=utf-8", "text/html; charset=utf-8"},
        {"Text/HTML;Charset=\"utf-8\"", "text/html; charset=utf-8"},
        {"text/html; charset=\"utf-8\"", "text/html; charset=utf-8"},
        {"application/json", "application/json"},
        {" application/problem+json ; version=1 ; charset=UTF-8;", "application/problem+json; charset=utf-8"},
        {"a/b; x=\"q\\\"; charset=y\"", "a/b"},
        {"a/b;;c=d", "a/b"},
        {"", NULL},
        {"json", NULL},
        {"a/", NULL},
        {"/b", NULL},
        {"a/b/c", NULL},
        {"a/b c", NULL},
        {"a /b", NULL},
        {"a/b; charset", NULL},
        {"a/b; charset=", NULL},
        {"a/b; charset=\"\"", NULL},
        {"a/b; charset=\"a b\"", NULL},
        {"a/b; charset = utf-8", NULL},
        {"a/b; charset=utf-8; charset=utf-16", NULL},
        {"a/b; x=\"y", NULL},
        {"a/b, c/d", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_media m;
        bool good = http_media_parse(span_str(rows[i].from), &m);
        if (good != (rows[i].to != NULL)) fail_msg("%s: %d", rows[i].from, good);
        if (good && !span_equal(http_media_text(&m), span_str(rows[i].to)))
            fail_msg("%s: %.*s", rows[i].from, (int)m.len, m.text);
    }
    struct http_media m;
    assert_true(http_media_parse(SPAN("text/HTML; charset=UTF-8"), &m));
    assert_true(span_equal(http_media_essence(&m), SPAN("text/html")));
    assert_true(span_equal(http_media_charset(&m), SPAN("utf-8")));
    char large[300];
    memset(large, 'a', sizeof large);
    large[3] = '/';
    assert_false(http_media_parse(span_of(large, sizeof large), &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_chunker),
        cmocka_unit_test(test_malloc_failures),
        cmocka_unit_test(test_media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
