#include "support.h"
#include <jansson.h>

static void test_hex(void **state)
{
    (void)state;
    char text[17];
    hex_encode(SPAN("\x00\x01\x7f\x80\xfe\xff"), text);
    assert_string_equal(text, "00017f80feff");
    uint8_t out[6];
    assert_true(hex_decode(SPAN("00017F80fEfF"), out, 6));
    assert_memory_equal(out, "\x00\x01\x7f\x80\xfe\xff", 6);
    static const char *const bad[] = {
        "", "0", "00017f80fef", "00017f80fef g", "00017f80fegf", "00017f80feff00", "0x017f80feff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(hex_decode(span_str(bad[i]), out, 6));
}

//= RFC4648 10
static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

//= RFC4648 4
static void test_base64(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char text[16];
        uint8_t out[16];
        size_t len;
        assert_int_equal(base64_encode(span_str(pairs[i][0]), text), strlen(pairs[i][1]));
        assert_string_equal(text, pairs[i][1]);
        assert_true(base64_decode(span_str(pairs[i][1]), out, &len));
        assert_span(span_of(out, len), pairs[i][0]);
        span bare = span_str(pairs[i][1]);
        while (bare.len > 0 && bare.ptr[bare.len - 1] == '=')
            bare.len--;
        assert_true(base64_decode(bare, out, &len));
        assert_span(span_of(out, len), pairs[i][0]);
    }
}

//= RFC4648 5
static void test_base64_alphabets(void **state)
{
    (void)state;
    uint8_t out[16];
    size_t len;
    assert_true(base64_decode(SPAN("+/+/"), out, &len));
    assert_memory_equal(out, "\xfb\xff\xbf", 3);
    assert_true(base64_decode(SPAN("-_-_"), out, &len));
    assert_memory_equal(out, "\xfb\xff\xbf", 3);
    static const char *const bad[] = {"A", "AAAAA", "AA=", "AAA==", "A===", "====", "=", "AA==A", "AA=A",
        "A A=", "AAA\n", "AA*A", "\xC3\xA4==", "AAAA="};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(base64_decode(span_str(bad[i]), out, &len));
}

/* Jansson reads back what was quoted: the same bytes where they were UTF-8. */
static void assert_reads_back(span in, span want)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_ok(json_quote(&b, in));
    json_t *v = json_loadb((const char *)b.base, buf_len(&b), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_true(json_is_string(v));
    assert_true(span_equal(span_of(json_string_value(v), json_string_length(v)), want));
    json_decref(v);
    buf_free(&b);
}

//= RFC8259 7
static void test_json_quote(void **state)
{
    (void)state;
    uint8_t all[128];
    for (int i = 0; i < 128; i++)
        all[i] = (uint8_t)i;
    assert_reads_back(span_of(all, 128), span_of(all, 128));
    assert_reads_back(SPAN("Garc\xC3\xAD"
                           "a \xF0\x9F\x98\x80"),
        SPAN("Garc\xC3\xAD"
             "a \xF0\x9F\x98\x80"));
    assert_reads_back(SPAN("a\xFF"
                           "b\xC3"),
        SPAN("a\xEF\xBF\xBD"
             "b\xEF\xBF\xBD"));
    assert_reads_back(SPAN("\xED\xA0\x80"), SPAN("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
    assert_reads_back(span_of(NULL, 0), SPAN(""));
    struct buf b;
    buf_init(&b, 100);
    assert_ok(json_quote(&b, SPAN("\"\\\b\f\n\r\t\x01/")));
    assert_span(buf_span(&b), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\"");
    buf_free(&b);
    buf_init(&b, 5);
    assert_fails(json_quote(&b, SPAN("abcdef")), ERROR_LIMIT);
    buf_free(&b);
}

static void test_loads_and_stores(void **state)
{
    (void)state;
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[8] = {0};
    assert_int_equal(load_be16(bytes), 0x0102);
    assert_int_equal(load_le32(bytes), 0x04030201);
    assert_true(load_le64(bytes) == 0x0807060504030201u);
    store_be16(out, 0x0102);
    assert_memory_equal(out, bytes, 2);
    store_le64(out, 0x0807060504030201u);
    assert_memory_equal(out, bytes, 8);
}

/* As Python writes it: (0xFEDCBA9876543210).to_bytes(8, "big"), (0x80).to_bytes(8, "big"), (2**64 - 2).to_bytes(8, "big"); each from an
 * odd place. */
static void test_eight_bytes_the_highest_first(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
    } rows[] = {{UINT64_C(0xFEDCBA9876543210), "\xfe\xdc\xba\x98\x76\x54\x32\x10"},
        {UINT64_C(0x80), "\x00\x00\x00\x00\x00\x00\x00\x80"}, {UINT64_C(18446744073709551614), "\xff\xff\xff\xff\xff\xff\xff\xfe"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t in[9], out[10];
        memcpy(in + 1, rows[i].bytes, 8);
        assert_true(load_be64(in + 1) == rows[i].value);
        memset(out, '#', sizeof out);
        store_be64(out + 1, rows[i].value);
        assert_memory_equal(out + 1, rows[i].bytes, 8);
        assert_true(out[0] == '#' && out[9] == '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_alphabets),
        cmocka_unit_test(test_json_quote),
        cmocka_unit_test(test_loads_and_stores),
        cmocka_unit_test(test_eight_bytes_the_highest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
