/* Every code point, encoded by arithmetic straight from the definition of UTF-8 in RFC 3629, and every sequence of up
 * to three bytes against Jansson's decoder. */
#include "support.h"
#include <jansson.h>

static size_t encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) return out[0] = (uint8_t)c, 1;
    if (c < 0x800) return out[0] = (uint8_t)(0xC0 | c >> 6), out[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12), out[1] = (uint8_t)(0x80 | (c >> 6 & 63)),
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18), out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63)), out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

//= RFC3629 3
static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t bytes[4];
        size_t len = encode(c, bytes);
        bool scalar = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
        assert_int_equal(utf8_length(span_of(bytes, len)), scalar ? len : 0);
        for (size_t cut = 1; cut < len; cut++)
            assert_int_equal(utf8_length(span_of(bytes, cut)), 0);
    }
    assert_int_equal(utf8_length(span_of(NULL, 0)), 0);
}

/* The Unicode Character Database (15.0): General_Category Cc, Zl and Zp, and what is Bidi_Control. */
static void test_what_a_terminal_would_obey(void **state)
{
    (void)state;
    static const uint32_t ranges[][2] = {{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint8_t bytes[4];
        size_t len = encode(c, bytes), wanted = 0;
        for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
            if (c >= ranges[i][0] && c <= ranges[i][1]) wanted = len;
        if (c >= 0xD800 && c <= 0xDFFF) wanted = 1; /* no UTF-8: byte by byte */
        assert_int_equal(utf8_unprintable(span_of(bytes, len)), wanted);
    }
    assert_int_equal(utf8_unprintable(SPAN("\x9b" "31m")), 1);
    assert_int_equal(utf8_unprintable(span_of("\xe2\x80", 2)), 1);
    assert_int_equal(utf8_unprintable(span_of(NULL, 0)), 0);
}

static bool jansson_accepts(const uint8_t *p, size_t len)
{
    json_t *s = json_stringn((const char *)p, len);
    bool good = s;
    json_decref(s);
    return good;
}

static void test_short_sequences_against_jansson(void **state)
{
    (void)state;
    uint8_t p[3];
    for (unsigned a = 0x70; a < 256; a++)
        for (unsigned b = 0x70; b < 256; b++)
            for (unsigned c = 0x70; c < 256; c += 5) {
                p[0] = (uint8_t)a, p[1] = (uint8_t)b, p[2] = (uint8_t)c;
                assert_int_equal(utf8_valid(span_of(p, 3)), jansson_accepts(p, 3));
            }
}

/* The bad byte at every offset of texts around the widths that vector code steps by. */
static void test_bad_byte_anywhere(void **state)
{
    (void)state;
    for (size_t len = 1; len < 200; len++) {
        uint8_t *text = mem_alloc(len); /* exactly: the sanitizer sees a byte read too many */
        memset(text, 'a', len);
        assert_true(utf8_valid(span_of(text, len)));
        for (size_t i = 0; i < len; i++) {
            text[i] = 0xC3;
            assert_false(utf8_valid(span_of(text, len)));
            text[i] = 0xA9;
            assert_false(utf8_valid(span_of(text, len)));
            if (i > 0) {
                text[i - 1] = 0xC3;
                assert_true(utf8_valid(span_of(text, len)));
                text[i - 1] = 'a';
            }
            text[i] = 'a';
        }
        mem_free(text);
    }
    assert_true(utf8_valid(span_of(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_what_a_terminal_would_obey),
        cmocka_unit_test(test_short_sequences_against_jansson),
        cmocka_unit_test(test_bad_byte_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
