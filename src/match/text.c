/* Text as bytes: what it holds, and how its codings are undone. */
#include "match/own.h"

enum {
    IS_DIGIT = 1,
    IS_LETTER = 2,
    IS_STANDARD = 4, /* base64 */
    IS_URL = 8,      /* base64url */
    IS_PADDING = 16,
    IS_LEAD = 32, /* may begin a character that registry_fold() changes */
    IS_PRINTABLE = 64,
    IS_PERCENT = 128,
};
#define IS_RUN (IS_STANDARD | IS_URL | IS_PADDING)
#define DIGIT (IS_DIGIT | IS_STANDARD | IS_URL | IS_PRINTABLE)
#define LETTER (IS_LETTER | IS_STANDARD | IS_URL | IS_PRINTABLE)

/* 0xC3–0xCC begin U+00C0–U+033F: accented Latin letters and combining marks, which folding leaves alone. */
static const uint8_t classes[256] = {
    [0x20 ... 0x24] = IS_PRINTABLE,
    ['%'] = IS_PRINTABLE | IS_PERCENT,
    [0x26 ... 0x2A] = IS_PRINTABLE,
    ['+'] = IS_PRINTABLE | IS_STANDARD,
    [','] = IS_PRINTABLE,
    ['-'] = IS_PRINTABLE | IS_URL,
    ['.'] = IS_PRINTABLE,
    ['/'] = IS_PRINTABLE | IS_STANDARD,
    ['0' ... '9'] = DIGIT,
    [0x3A ... 0x3C] = IS_PRINTABLE,
    ['='] = IS_PRINTABLE | IS_PADDING,
    [0x3E ... 0x40] = IS_PRINTABLE,
    ['A' ... 'Z'] = LETTER,
    [0x5B ... 0x5E] = IS_PRINTABLE,
    ['_'] = IS_PRINTABLE | IS_URL,
    [0x60] = IS_PRINTABLE,
    ['a' ... 'z'] = LETTER,
    [0x7B ... 0x7E] = IS_PRINTABLE,
    [0xC2] = IS_LEAD,
    [0xCD ... 0xF4] = IS_LEAD,
};
static inline uint8_t class_of(uint8_t c)
{
    return classes[c];
}

/* A lead byte without a continuation byte is malformed, and copied. */
static bool leads_at(span text, size_t i)
{
    return i + 1 < text.len && (text.ptr[i + 1] & 0xC0) == 0x80;
}

struct facts text_facts(span text)
{
    struct facts f = {0};
    unsigned all = 0, row = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned class = class_of(text.ptr[i]);
        all |= class & ~(unsigned)IS_LEAD;
        f.digits += class & IS_DIGIT;
        row = class & IS_PRINTABLE ? row + 1 : 0;
        f.word |= row >= 3;
        if (UNLIKELY(class == IS_LEAD)) f.foldable |= leads_at(text, i);
    }
    f.letter = all & IS_LETTER;
    f.percent = all & IS_PERCENT;
    return f;
}

bool text_foldable(span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (class_of(text.ptr[i]) == IS_LEAD && leads_at(text, i)) return true;
    return false;
}

static int hex_value(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t text_percent(span text, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%' && i + 2 < text.len) {
            int high = hex_value(text.ptr[i + 1]), low = hex_value(text.ptr[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        out[n++] = c;
    }
    return n;
}

/* A run of RUN_MIN covers every RUN_MIN-th byte once, so that most of a text is never looked at. */
bool text_next_run(span text, size_t from, size_t *begin, size_t *end)
{
    while (from + RUN_MIN <= text.len) {
        size_t i = from + RUN_MIN - 1;
        if (!(class_of(text.ptr[i]) & IS_RUN)) {
            from = i + 1;
            continue;
        }
        size_t first = i, last = i + 1;
        while (first > from && class_of(text.ptr[first - 1]) & IS_RUN)
            first--;
        while (last < text.len && class_of(text.ptr[last]) & IS_RUN)
            last++;
        if (last - first >= RUN_MIN) return *begin = first, *end = last, true;
        from = last;
    }
    return false;
}

bool text_next_token(span text, size_t from, bool url, size_t *begin, size_t *end)
{
    unsigned wanted = url ? IS_URL : IS_STANDARD;
    for (size_t i = from; i < text.len;) {
        size_t first = i;
        while (i < text.len && class_of(text.ptr[i]) & wanted)
            i++;
        size_t padding = i;
        if (i > first)
            while (i < text.len && i - padding < 2 && text.ptr[i] == '=')
                i++;
        if (i - first >= RUN_MIN) return *begin = first, *end = i, true;
        if (i == first) i++;
    }
    return false;
}

bool text_is_common(span run)
{
    for (size_t i = 0; i < run.len; i++)
        if (!(class_of(run.ptr[i]) & (IS_DIGIT | IS_LETTER | IS_PADDING))) return false;
    return true;
}

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

size_t text_base64(span text, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        int six = sextet(text.ptr[i]);
        ASSERT(six >= 0);
        bits = bits << 6 | (uint32_t)six;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out[n++] = (uint8_t)(bits >> held);
    }
    return n;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* "-" is not read: no identifier is negative. The exponent saturates: whatever is that large or small is no integer of
 * max digits, but for zero. */
static int64_t read_exponent(span s)
{
    bool minus = s.len > 0 && s.ptr[0] == '-';
    int64_t value = 0;
    for (size_t i = s.len > 0 && !is_digit(s.ptr[0]); i < s.len; i++)
        if (value < INT32_MAX) value = value * 10 + (s.ptr[i] - '0');
    return minus ? -value : value;
}

/* Digit i of the lexeme's digits, which may have a point among them. */
static uint8_t digit_at(span mantissa, size_t point, size_t i)
{
    return mantissa.ptr[i < point ? i : i + 1];
}

size_t text_integer(span lexeme, uint8_t *out, size_t max)
{
    size_t e = 0;
    while (e < lexeme.len && (lexeme.ptr[e] | 0x20) != 'e')
        e++;
    span mantissa = span_sub(lexeme, 0, e);
    if (e == 0 || !is_digit(mantissa.ptr[0])) return 0;
    int64_t exponent = e < lexeme.len ? read_exponent(span_from(lexeme, e + 1)) : 0;
    size_t point = span_find(mantissa, '.');
    size_t digits = point < mantissa.len ? mantissa.len - 1 : mantissa.len, first = 0;
    while (first < digits && digit_at(mantissa, point, first) == '0')
        first++;
    if (first == digits) return out[0] = '0', max > 0;
    while (digit_at(mantissa, point, digits - 1) == '0')
        digits--;
    int64_t whole = (int64_t)point + exponent; /* digits before the point once shifted */
    if (whole < (int64_t)digits || whole - (int64_t)first > (int64_t)max) return 0;
    size_t n = (size_t)(whole - (int64_t)first);
    for (size_t i = 0; i < n; i++)
        out[i] = first + i < digits ? digit_at(mantissa, point, first + i) : '0';
    return n;
}

bool text_next_digits(span text, size_t from, size_t *begin, size_t *end)
{
    for (size_t i = from; i < text.len;) {
        if (!is_alnum(text.ptr[i])) {
            i++;
            continue;
        }
        size_t first = i;
        bool digits = true;
        for (; i < text.len && is_alnum(text.ptr[i]); i++)
            digits &= is_digit(text.ptr[i]);
        if (digits) return *begin = first, *end = i, true;
    }
    return false;
}
