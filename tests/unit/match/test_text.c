/* Text by itself: what may fold, numbers, and the codings against the standards' own examples. */
#include "support.h"

#include "match/own.h"
#include <stdlib.h>

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

/* Every code point: what folding changes is seen to be a lead, and becomes shorter. */
static void test_foldable(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++) {
        uint8_t in[8], out[8];
        if (c >= 0xD800 && c < 0xE000) continue;
        span text = span_of(in, put_utf8(c, in));
        size_t n = registry_fold(text, out);
        bool changed = !span_equal(text, span_of(out, n));
        struct look l;
        look_portable(text, &l);
        if (changed && !l.leads) fail_msg("U+%04X folds and is no lead", c);
        if (changed && out[0] && strchr("%&=\\", out[0]) && !l.percent) fail_msg("U+%04X becomes a sign of a coding unseen", c);
        if (changed && out[0] == '@' && !l.at) fail_msg("U+%04X becomes an at sign unseen", c);
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
        {"%zz", "%zz"}, {"%2541", "%41"}, {"100%", "100%"}, {"&#65;&#x42;&#X63;", "ABc"}, {"T&nbsp;visa", "T\xC2\xA0visa"},
        {"&amp;#65;", "&#65;"}, {"&sect;&iacute;&ndash;", "\xC2\xA7\xC3\xAD\xE2\x80\x93"}, {"&#8209;&#128512;", "\xE2\x80\x91\xF0\x9F\x98\x80"},
        {"&#150;", "\xE2\x80\x93"}, {"&;&#;&#x;&#0;&#xD800;&#1114112;&nosuch;", "&;&#;&#x;&#0;&#xD800;&#1114112;&nosuch;"},
        {"a & b&c=1&amp", "a & b&c=1&"}, {"T&nbspvisa&shy", "T\xC2\xA0visa\xC2\xAD"}, {"?a&sect=3&copying=1", "?a&sect=3&copying=1"}, {"&#000000000065;&#99999999999999999999;", "A&#99999999999999999999;"}, {"%26#65;", "&#65;"},
        {"%u0041%u00e1%u200B", "A\xC3\xA1\xE2\x80\x8B"}, {"%ud83d%u12", "%ud83d%u12"}, {"\\x41\\x7a", "Az"}, {"\\u0041\\u00E1", "A\xC3\xA1"},
        {"\\", "\\"}, {"\\x4", "\\x4"}, {"\\x4g\\u004", "\\x4g\\u004"}, {"C:\\users\\", "C:\\users\\"}};
    static const char *const quoted[][2] = {{"=41=42", "AB"}, {"a=3D=3db", "a==b"}, {"=C3=A1", "\xC3\xA1"}, {"id=90", "id=90"}, {"=EF=BC=A1=A", "\xEF\xBC\xA1=A"}, {"a=\r\nb=\nc", "abc"}, {"a=", "a="},
        {"a=4", "a=4"}, {"a=\rb", "a=\rb"}, {"a==41", "a=A"}, {"n=12&m=0", "n=12&m=0"}, {"a=0D=0Ab", "a\r\nb"}, {"=3D41", "=41"}, {"=4=41=", "=4A="}};
    static const char *const hex[][2] = {{"", ""}, {"41", "A"}, {"4a4B4", "JK"}};
    uint8_t out[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        assert_span(span_of(out, text_unquote(span_str(quoted[i][0]), out)), quoted[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(hex); i++)
        assert_span(span_of(out, text_hex(span_str(hex[i][0]), out)), hex[i][1]);
    assert_true(text_hex(span_str("00fF"), out) == 2 && out[0] == 0 && out[1] == 0xFF);
    for (size_t i = 0; i < ARRAY_LEN(base64); i++)
        assert_span(span_of(out, text_base64(span_str(base64[i][0]), out)), base64[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(percent); i++)
        assert_span(span_of(out, text_decode(span_str(percent[i][0]), out)), percent[i][1]);
}

/* Every three bytes that four hexadecimal digits or hyphens are in base64: no row of them goes on from one to the next. */
//= RFC4648 5
static void test_digest(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF-";
    (void)state;
    assert_true(text_is_digest(span_str("d41d8cd98f00b204e9800998ecf8427e")));
    assert_true(text_is_digest(span_str("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6")));
    assert_false(text_is_digest(span_str("d41d8cd98f00b204e9800998ecf8427g")));
    assert_false(text_is_digest(span_str("d41d8cd98f00+b204")));
    for (size_t i = 0; i < 23 * 23 * 23 * 23; i++) {
        char token[5] = {digits[i % 23], digits[i / 23 % 23], digits[i / 529 % 23], digits[i / 12167]};
        uint8_t out[3];
        assert_int_equal(text_base64(span_str(token), out), 3);
        bool first = is_digit(out[0]) || (out[0] >= 'A' && out[0] <= 'Z') || memchr(" -_./,'@", out[0], 8);
        if (first) fail_msg("%s", token);
    }
}

//= RFC3629 4
static void test_condense(void **state)
{
    static const struct {
        const char *bytes, *text;
        size_t len, least, left;
    } samples[] = {{"", "", 0, 3, 0}, {"abc", "abc", 3, 3, 3}, {"ab", "", 2, 3, 0}, {"\1\2abc\0\xFF" "de\1fgh", "\0abc\0fgh", 13, 3, 8},
        {"\1\2abc\0\xFF" "de\1fgh", "\0abc\0de\0fgh", 13, 1, 11}, {"a\tb\r\nc\f\v", "a\tb\r\nc\f\v", 8, 3, 8}, {"abc\x80", "abc\0", 4, 3, 4},
        {"\xC3\xA9z\xC3", "\xC3\xA9z\0", 4, 3, 4}, {"\xEF\xBC\x95\xEF\xBC", "\xEF\xBC\x95\0", 5, 3, 4}, {"\xF0\x9F\x98\x80\xC1\x81", "\xF0\x9F\x98\x80\0", 6, 3, 5},
        {"\0\0\0", "\0", 3, 3, 1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        uint8_t bytes[16];
        memcpy(bytes, samples[i].bytes, samples[i].len);
        size_t n = text_condense(bytes, samples[i].len, samples[i].least);
        if (n != samples[i].left || memcmp(bytes, samples[i].text, n) != 0) fail_msg("sample %zu: %zu bytes", i, n);
    }
}

//= RFC2781 2.1
static void test_wide(void **state)
{
    static const char little[] = "x\0\xE9\0A\0b\0c\0\x0B \x3D\xD8\0\xDC", big[] = "\xFE\xFF\0a\0b\0c";
    uint8_t out[64];
    (void)state;
    assert_true(text_is_wide(span_of(little, sizeof little - 1)));
    assert_span(span_of(out, text_narrow(span_of(little, sizeof little - 1), out)), "x\xC3\xA9" "Abc\xE2\x80\x8B");
    assert_true(text_is_wide(span_of(big, sizeof big - 1)));
    assert_span(span_of(out, text_narrow(span_of(big, sizeof big - 1), out)), "\xEF\xBB\xBF" "abc");
    assert_true(text_is_wide(span_of("a\0b\0c", 5)));
    assert_false(text_is_wide(span_of("a\0b\0", 4)));
    assert_false(text_is_wide(span_of("a\0\0b\0c\0\0d", 9)));
    assert_false(text_is_wide(span_of("a\0b\1c\0d", 7)));
    assert_false(text_is_wide(span_of("", 0)));
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

/* ---- the look ---------------------------------------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252ULL;
static unsigned roll(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

/* Letters, digits, marks of both alphabets, what folds, and now and then anything. */
static uint8_t some_byte(void)
{
    static const char usual[] = "0123456789AZaz@`[{/:+-_==%. \\\r\n\xC2\xA0\xC3\xAD\xD0\x90\xEF\xBC\x85\xF0";
    return roll(20) == 0 ? (uint8_t)roll(256) : (uint8_t)usual[roll(sizeof usual - 1)];
}

/* '=' before two letters or digits or the end of a line, or where the next block may begin with them. */
static bool may_be_quoted(span t, size_t i)
{
    const uint8_t *p = t.ptr + i;
    size_t left = t.len - i;
    if (p[0] != '=') return false;
    return i % 64 >= 62 || (left > 1 && p[1] >= '\n' && p[1] <= '\r') || (left > 2 && is_alnum(p[1]) && is_alnum(p[2]));
}

/* By the definitions of look.h, byte by byte. */
static void look_slowly(span t, struct look *out)
{
    size_t run = 0;
    *out = (struct look){0};
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = t.ptr[i];
        bool lead = c >= 0xC2 && (i % 64 == 63 || (i + 1 < t.len && (t.ptr[i + 1] & 0xC0) == 0x80));
        bool alphabet = is_alnum(c) || (c < 0x80 && c && strchr("+/-_=", c));
        out->digits += is_digit(c);
        out->letters += is_alpha(c);
        out->leads += lead;
        out->at |= c == '@' || c == 0xEF;
        out->percent |= c == '%' || c == '&' || c == '\\' || c == 0xEF;
        out->quoted |= may_be_quoted(t, i);
        run = alphabet || c >= 0x80 ? run + 1 : 0;
        out->run |= run >= RUN_MIN;
        if (t.len > 64) continue;
        out->digit |= (uint64_t)is_digit(c) << i;
        out->letter |= (uint64_t)is_alpha(c) << i;
        out->url |= (uint64_t)(is_alnum(c) || c == '-' || c == '_') << i;
        out->standard |= (uint64_t)(is_alnum(c) || c == '+' || c == '/') << i;
        out->padding |= (uint64_t)(c == '=') << i;
        out->shape[i] = is_digit(c) ? '0' : to_upper(c);
    }
}

static void assert_looks(look_function *look, runs_function *runs, span text, const struct look *expected)
{
    struct look l;
    look(text, &l);
    assert_int_equal(runs(text), expected->run != 0);
    assert_int_equal(l.digits, expected->digits);
    assert_int_equal(l.letters, expected->letters);
    assert_int_equal(l.leads, expected->leads);
    assert_int_equal(l.at != 0, expected->at != 0);
    assert_int_equal(l.percent != 0, expected->percent != 0);
    assert_int_equal(l.quoted != 0, expected->quoted != 0);
    assert_int_equal(l.run != 0, expected->run != 0);
    if (text.len > 64) return;
    assert_int_equal(l.digit, expected->digit);
    assert_int_equal(l.letter, expected->letter);
    assert_int_equal(l.url, expected->url);
    assert_int_equal(l.standard, expected->standard);
    assert_int_equal(l.padding, expected->padding);
    assert_memory_equal(l.shape, expected->shape, 64);
}

/* Every kernel that this machine has, at every length and place; the text ends where its block of memory does. */
static void test_looks_agree(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 40000; n++) {
        size_t len = n % 200;
        uint8_t *p = malloc(len + 1);
        for (size_t i = 0; i < len; i++)
            p[i + 1] = roll(3) ? some_byte() : (uint8_t)('0' + roll(10));
        span text = span_of(p + 1, len);
        struct look expected;
        look_slowly(text, &expected);
        assert_looks(look_portable, runs_portable, text, &expected);
        if (cpu_level() >= CPU_AVX2) assert_looks(look_avx2, runs_avx2, text, &expected);
        if (cpu_level() >= CPU_AVX512) assert_looks(look_avx512, runs_avx512, text, &expected);
        free(p);
    }
}

/* Texts are alike when their looks have one shape; whatever stands behind them. */
static void test_likeness(void **state)
{
    (void)state;
    unsigned same = 0;
    for (unsigned n = 0; n < 100000; n++) {
        uint8_t one[LOOK_READ], other[LOOK_READ];
        size_t len = 1 + roll(LOOK_READ);
        for (size_t i = 0; i < LOOK_READ; i++) {
            uint8_t c = one[i] = some_byte();
            other[i] = i >= len || roll(200) == 0 ? some_byte() : is_digit(c) ? (uint8_t)('0' + roll(10)) : is_alpha(c) ? c ^ 0x20 : c;
        }
        struct look a, b;
        struct likeness l;
        look_portable(span_of(one, len), &a);
        look_portable(span_of(other, len), &b);
        look_likeness(span_of(n % 2 ? one : a.shape, len), &l);
        bool alike = memcmp(a.shape, b.shape, len) == 0;
        assert_int_equal(alike_portable(other, &l), alike);
        if (cpu_level() >= CPU_AVX2) assert_int_equal(alike_avx2(other, &l), alike);
        same += alike;
    }
    assert_true(same > 20000 && same < 99000);
}

static void test_scientific(void **state)
{
    (void)state;
    static const char *const yes[] = {"1.2345678E7", "1e7", "12345678.0e+0", "12.5e-1"};
    static const char *const no[] = {"", "e7", "1.e7", ".5e7", "1e", "1e+", "1e7 ", "1e7x", "1.2", "-1e7", "1ee7", "12345678"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(text_is_scientific(span_str(yes[i])));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(text_is_scientific(span_str(no[i])));
}

/* ---- hexadecimal ------------------------------------------------------------------------------------------------- */

/* Six bytes or more in a row that are characters by utf8_valid(), of which none is a control character but tabs and ends of lines. */
static bool has_text(const uint8_t *bytes, size_t n)
{
    for (size_t from = 0; from + 6 <= n; from++)
        for (size_t len = 6; from + len <= n; len++) {
            bool plain = utf8_valid(span_of(bytes + from, len));
            for (size_t i = from; i < from + len && plain; i++)
                plain = (bytes[i] >= 0x20 && bytes[i] != 0x7F) || bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r';
            if (plain) return true;
        }
    return false;
}

static bool only_ascii(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 0x80) return false;
    return true;
}

/* Where a text stands there is one for its shape, and for digits in small letters. */
static void test_hex(void **state)
{
    static const char *const pieces[] = {"A", "7", "z", " ", "\t", "\xC3\xA1", "\xEF\xBC\x91", "\xF0\x9D\x9F\x98", "\xE2\x80\x8B", "\x01", "\x7F",
        "\xC3", "\xEF\xBC", "\xBC", "\x80", "\xF8", "\x1B"};
    size_t texts = 0, dull = 0;
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t bytes[48], shape[64];
        char digits[65];
        size_t n = 0, begin, end, most = 6 + roll(20);
        while (n < most) {
            const char *piece = pieces[roll(ARRAY_LEN(pieces))];
            uint8_t byte = (uint8_t)roll(256);
            bool any = roll(4) == 0;
            memcpy(bytes + n, any ? (const void *)&byte : piece, any ? 1 : strlen(piece));
            n += any ? 1 : strlen(piece);
        }
        for (size_t k = 0; k < n; k++)
            snprintf(digits + 2 * k, 3, roll(2) ? "%02x" : "%02X", bytes[k]);
        for (size_t k = 0; k < 2 * n; k++)
            shape[k] = is_digit((uint8_t)digits[k]) ? '0' : to_upper((uint8_t)digits[k]);
        bool text = text_next_plain(span_str(digits), 0, &begin, &end);
        if (text && only_ascii(bytes + begin / 2, 6) && !has_text(bytes, n)) fail_msg("%s holds no text", digits);
        if (!text && has_text(bytes, n)) fail_msg("%s holds a text", digits);
        if (text && !text_may_be_plain(span_of(shape, 2 * n))) fail_msg("%.*s may hold a text: %s", (int)(2 * n), shape, digits);
        texts += text;
        dull += !text_may_be_plain(span_of(shape, 2 * n));
    }
    assert_true(texts > 20000 && dull > 2000);
    assert_false(text_may_be_plain(SPAN("EAC0000000000"))); /* a receipt's number */
}

/* ---- runs that decode to no text ---------------------------------------------------------------------------------- */

/* Three printable characters and zeros between. */
static bool says_something_wide(span text)
{
    for (size_t at = 0; at + 5 <= text.len; at++) {
        bool word = true;
        for (size_t i = 0; i < 5; i++)
            word &= i % 2 ? text.ptr[at + i] == 0 : text.ptr[at + i] >= 0x20 && text.ptr[at + i] <= 0x7E;
        if (word) return true;
    }
    return false;
}

static bool says_something(span text)
{
    size_t digits = 0, row = 0;
    bool word = false, sign = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        digits += c >= '0' && c <= '9';
        row = c >= 0x20 && c <= 0x7E ? row + 1 : 0;
        word |= row == 3;
        sign |= c == '%' || c == '@';
    }
    return word || sign || digits >= 6;
}

static size_t encode(const uint8_t *bytes, size_t n, bool url, char *out)
{
    size_t len = base64_encode(span_of(bytes, n), out);
    while (len > 0 && out[len - 1] == '=')
        len--;
    for (size_t i = 0; url && i < len; i++)
        out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
    return len;
}

/* The kernels agree, whatever stands behind the run. */
static bool is_noise(span run)
{
    uint8_t roomy[LOOK_READ];
    for (size_t i = 0; i < sizeof roomy; i++)
        roomy[i] = i < run.len ? run.ptr[i] : (uint8_t)rand();
    bool noise = noise_avx2(run, false);
    assert_true(noise_avx2(span_of(roomy, run.len), true) == noise);
    if (cpu_level() == CPU_AVX512) assert_true(noise_avx512(run, false) == noise);
    return noise;
}

/* Decoded by the codec of base: what is called noise says nothing, folded or not. Characters that fold to digits, to
 * letters and to nothing stand among those that do not. */
static void test_noise(void **state)
{
    static const char *const pieces[] = {"1", "7", "A", "x", "-", "\xD9\xA3", "\xDB\xB5", "\xEF\xBC\x91", "\xEF\xBC\x85",
        "\xE2\x80\x8B", "\xC2\xAD", "\xD0\x90", "\xF0\x9D\x9F\x98", "\xC3\xA9", "\xE1\xA5\x87", "\x01", "\xF8", "\x83", "\xC4", "@",
        "%", "\xD7\x90", NULL};
    size_t noise = 0;
    (void)state;
    if (cpu_level() < CPU_AVX2) skip();
    srand(1367);
    for (unsigned i = 0; i < 300000; i++) {
        uint8_t text[64], decoded[64], folded[64];
        char run[80];
        size_t n = 0, most = 9 + (unsigned)rand() % 16, n_decoded = 0;
        while (n < most) {
            const char *piece = pieces[(unsigned)rand() % ARRAY_LEN(pieces)];
            uint8_t byte = (uint8_t)rand();
            bool any = i % 3 == 0 || (unsigned)rand() % 4 == 0;
            if (!piece && !any) byte = 0;
            if (!piece) any = true;
            memcpy(text + n, any ? (const void *)&byte : piece, any ? 1 : strlen(piece));
            n += any ? 1 : strlen(piece);
        }
        for (size_t k = 1; i % 4 == 0 && k < most; k += 2)
            if (rand() % 6) text[k] = 0; /* much of it UTF-16 */
        size_t len = encode(text, most, i % 2, run);
        for (size_t k = 0; i % 5 == 0 && k < len; k++)
            run[k] = (char)('0' + (unsigned)rand() % 10);
        if (i % 7 == 0 && len > 12) len--;
        span token = span_of((const uint8_t *)run, len);
        bool silent = is_noise(token);
        if (!silent) continue;
        noise++;
        assert_true(base64_decode(span_of(token.ptr, len % 4 == 1 ? len - 1 : len), decoded, &n_decoded));
        size_t n_folded = registry_fold(span_of(decoded, n_decoded), folded);
        bool wide = says_something_wide(span_of(decoded, n_decoded));
        assert_true(wide == text_is_wide(span_of(decoded, n_decoded)));
        if (wide || says_something(span_of(decoded, n_decoded)) || says_something(span_of(folded, n_folded)))
            fail_msg("%.*s is no noise", (int)len, run);
    }
    assert_true(noise > 10000);
}

static bool is_silent(const uint8_t *bytes, size_t n)
{
    char run[80];
    span token = span_of((const uint8_t *)run, encode(bytes, n, false, run));
    return is_noise(token);
}

static bool is_sound(span run)
{
    uint8_t decoded[64], folded[64];
    size_t n = 0;
    if (!is_noise(run)) return false;
    assert_true(base64_decode(span_of(run.ptr, run.len % 4 == 1 ? run.len - 1 : run.len), decoded, &n));
    if (says_something(span_of(folded, registry_fold(span_of(decoded, n), folded)))) fail_msg("%.13s is no noise", (const char *)run.ptr);
    return true;
}

/* Every day's time stamps and every number of a receipt might be base64: what they decode to is seldom worth a closer look. */
static void test_noise_of_what_is_usual(void **state)
{
    size_t all = 0, noise = 0;
    char run[16];
    (void)state;
    if (cpu_level() < CPU_AVX2) skip();
    for (unsigned day = 0; day < 60 * 12 * 31; day++) {
        snprintf(run, sizeof run, "%04u-%02u-%02uT%02u", 1980 + day / 372, 1 + day / 31 % 12, 1 + day % 31, day * 7 % 24);
        for (size_t i = 0; i < 13; i++) /* the codec knows the other alphabet */
            if (run[i] == '-') run[i] = '+';
        noise += is_sound(span_of((const uint8_t *)run, 13));
        snprintf(run, sizeof run, "EAC%010u", day * 448369u);
        noise += is_sound(span_of((const uint8_t *)run, 13));
        all += 2;
    }
    assert_true(noise > all * 95 / 100 && noise < all);
}

/* Every character: among letters it is noise only where the fold leaves it between them, in a row where it is no digit. */
static void test_noise_of_each_character(void **state)
{
    (void)state;
    if (cpu_level() < CPU_AVX2) skip();
    size_t noise = 0;
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        uint8_t among[16], row[24], folded[24];
        size_t n = 0, n_row = 0;
        for (unsigned i = 0; i < 6; i++) {
            if (i < 3) among[n++] = (uint8_t)('a' + i);
            if (i < 2) n += put_utf8(c, among + n);
            n_row += put_utf8(c, row + n_row);
        }
        bool silent = is_silent(among, n);
        if (silent && says_something(span_of(folded, registry_fold(span_of(among, n), folded)))) fail_msg("U+%04X joins", c);
        if (is_silent(row, n_row) && says_something(span_of(folded, registry_fold(span_of(row, n_row), folded))))
            fail_msg("U+%04X in a row says something", c);
        noise += silent;
    }
    assert_true(noise > 0x10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_noise_of_each_character), cmocka_unit_test(test_noise_of_what_is_usual), cmocka_unit_test(test_likeness),
        cmocka_unit_test(test_foldable), cmocka_unit_test(test_scientific), cmocka_unit_test(test_integer),
        cmocka_unit_test(test_codings), cmocka_unit_test(test_hex), cmocka_unit_test(test_wide), cmocka_unit_test(test_condense), cmocka_unit_test(test_digest), cmocka_unit_test(test_noise), cmocka_unit_test(test_runs), cmocka_unit_test(test_run_search),
        cmocka_unit_test(test_looks_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
