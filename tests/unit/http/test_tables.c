/* The tables, against the grammars spelled out from the RFCs and the IANA names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "http/http_parse.h"

static void expect_class(enum http_class class, const char *members, bool text)
{
    for (int c = 0; c < 256; c++) {
        bool wanted = text ? c == 9 || (c >= 0x20 && c != 0x7f) : c != 0 && strchr(members, c) != NULL;
        if (http_is((uint8_t)c, class) != wanted) fail_msg("class %d, character %d", class, c);
    }
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

//= RFC9110 5.6.2
//= RFC3986 3.3
static void test_classes(void **state)
{
    (void)state;
    expect_class(HTTP_C_TOKEN, LETTERS DIGITS "!#$%&'*+-.^_`|~", false);
    expect_class(HTTP_C_PATH,
        LETTERS DIGITS "-._~"
                       "!$&'()*+,="
                       ":@/",
        false);
    expect_class(HTTP_C_QUERY,
        LETTERS DIGITS "-._~"
                       "!$&'()*+,;="
                       ":@/?",
        false);
    expect_class(HTTP_C_HOST, LETTERS DIGITS "-._~", false);
    expect_class(HTTP_C_HEX, DIGITS "abcdefABCDEF", false);
    expect_class(HTTP_C_TEXT, "", true);
}

//= RFC9110 9.1
static void test_methods(void **state)
{
    (void)state;
    assert_int_equal(http_method_of(SPAN("GET")), HTTP_GET);
    assert_int_equal(http_method_of(SPAN("get")), HTTP_METHOD_OTHER);
    assert_int_equal(http_method_of(SPAN("PATCH")), HTTP_PATCH);
    assert_int_equal(http_method_of(SPAN("PROPFIND")), HTTP_METHOD_OTHER);
    assert_true(http_method_idempotent(HTTP_DELETE));
    assert_false(http_method_idempotent(HTTP_POST));
    assert_true(span_equal(http_method_text(HTTP_OPTIONS), SPAN("OPTIONS")));
}

static void test_fields(void **state)
{
    (void)state;
    assert_int_equal(http_field_of(SPAN("Content-Length")), HTTP_FIELD_CONTENT_LENGTH);
    assert_int_equal(http_field_of(SPAN("tRANSFER-eNCODING")), HTTP_FIELD_TRANSFER_ENCODING);
    assert_int_equal(http_field_of(SPAN("te")), HTTP_FIELD_TE);
    assert_int_equal(http_field_of(SPAN("Content-Lengt")), HTTP_FIELD_OTHER);
    assert_int_equal(http_field_of(SPAN("Content_Length")), HTTP_FIELD_OTHER);
    assert_int_equal(http_field_of(SPAN("")), HTTP_FIELD_OTHER);
    for (int id = 1; id < HTTP_FIELD_COUNT; id++)
        assert_int_equal(http_field_of(http_field_name((enum http_field_id)id)), id);
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
