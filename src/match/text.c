/* Text as bytes: what it holds, and how base64 is undone. */
#include "match/own.h"

enum {
    IS_DIGIT = 1,
    IS_LETTER = 2,
    IS_STANDARD = 4, /* base64 */
    IS_URL = 8,      /* base64url */
    IS_PADDING = 16,
    IS_PRINTABLE = 32,
    IS_HEX = 64,
};
#define IS_RUN (IS_STANDARD | IS_URL | IS_PADDING)
#define DIGIT (IS_DIGIT | IS_STANDARD | IS_URL | IS_PRINTABLE | IS_HEX)
#define LETTER (IS_LETTER | IS_STANDARD | IS_URL | IS_PRINTABLE)

static const uint8_t classes[256] = {
    [0x20 ... 0x2A] = IS_PRINTABLE,
    ['+'] = IS_PRINTABLE | IS_STANDARD,
    [','] = IS_PRINTABLE,
    ['-'] = IS_PRINTABLE | IS_URL,
    ['.'] = IS_PRINTABLE,
    ['/'] = IS_PRINTABLE | IS_STANDARD,
    ['0' ... '9'] = DIGIT,
    [0x3A ... 0x3C] = IS_PRINTABLE,
    ['='] = IS_PRINTABLE | IS_PADDING,
    [0x3E ... 0x40] = IS_PRINTABLE,
    ['A' ... 'F'] = LETTER | IS_HEX,
    ['G' ... 'Z'] = LETTER,
    [0x5B ... 0x5E] = IS_PRINTABLE,
    ['_'] = IS_PRINTABLE | IS_URL,
    [0x60] = IS_PRINTABLE,
    ['a' ... 'f'] = LETTER | IS_HEX,
    ['g' ... 'z'] = LETTER,
    [0x7B ... 0x7E] = IS_PRINTABLE,
};
static inline uint8_t class_of(uint8_t c)
{
    return classes[c];
}

bool text_has_word(span text)
{
    unsigned row = 0;
    for (size_t i = 0; i < text.len && row < 3; i++)
        row = class_of(text.ptr[i]) & IS_PRINTABLE ? row + 1 : 0;
    return row == 3;
}

/* A run of RUN_MIN covers every RUN_MIN-th byte once, so that most of a text is never looked at. */
static inline bool next_run_of(uint8_t wanted, span text, size_t from, size_t *begin, size_t *end)
{
    while (from + RUN_MIN <= text.len) {
        size_t i = from + RUN_MIN - 1;
        if (!(class_of(text.ptr[i]) & wanted)) {
            from = i + 1;
            continue;
        }
        size_t first = i, last = i + 1;
        while (first > from && class_of(text.ptr[first - 1]) & wanted)
            first--;
        while (last < text.len && class_of(text.ptr[last]) & wanted)
            last++;
        if (last - first >= RUN_MIN) return *begin = first, *end = last, true;
        from = last;
    }
    return false;
}

bool text_next_run(span text, size_t from, size_t *begin, size_t *end)
{
    return next_run_of(IS_RUN, text, from, begin, end);
}

bool text_next_hex(span text, size_t from, size_t *begin, size_t *end)
{
    return next_run_of(IS_HEX, text, from, begin, end);
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

static size_t run_end(span text, size_t from)
{
    while (from < text.len && class_of(text.ptr[from]) & IS_RUN)
        from++;
    return from;
}

/* Behind the end of the line that stands at `at`; `at`: none does. */
static size_t line_end(span text, size_t at)
{
    size_t i = at < text.len && text.ptr[at] == '\r' ? at + 1 : at;
    return i < text.len && text.ptr[i] == '\n' ? i + 1 : at;
}

/* The run that ends before this end of a line begins here. */
static size_t run_begin(span text, size_t from, size_t end)
{
    while (end > from && class_of(text.ptr[end - 1]) & IS_RUN)
        end--;
    return end;
}

bool text_next_lines(span text, size_t from, size_t *begin, size_t *end)
{
    while (from < text.len) {
        const uint8_t *found = memchr(text.ptr + from, '\n', text.len - from);
        if (!found) return false;
        size_t last = (size_t)(found - text.ptr), next = last + 1;
        if (last > from && text.ptr[last - 1] == '\r') last--;
        size_t first = run_begin(text, from, last);
        for (size_t more = run_end(text, next); last - first >= RUN_MIN && more > next; more = run_end(text, next)) {
            *begin = first;
            *end = more;
            if (line_end(text, more) == more) return true;
            next = line_end(text, more);
            if (run_end(text, next) == next) return true;
        }
        from = next;
    }
    return false;
}

size_t text_join_lines(span text, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' && text.ptr[i] != '\n') out[n++] = text.ptr[i];
    return n;
}

bool text_is_common(span run)
{
    for (size_t i = 0; i < run.len; i++)
        if (!(class_of(run.ptr[i]) & (IS_DIGIT | IS_LETTER | IS_PADDING))) return false;
    return true;
}

bool text_is_digest(span token)
{
    for (size_t i = 0; i < token.len; i++)
        if (!(class_of(token.ptr[i]) & IS_HEX) && token.ptr[i] != '-') return false;
    return true;
}

static const uint8_t sextets[256] = {
#define X(c, v) [c] = v,
    X('A', 0) X('B', 1) X('C', 2) X('D', 3) X('E', 4) X('F', 5) X('G', 6) X('H', 7) X('I', 8) X('J', 9) X('K', 10)
        X('L', 11) X('M', 12) X('N', 13) X('O', 14) X('P', 15) X('Q', 16) X('R', 17) X('S', 18) X('T', 19) X('U', 20) X(
            'V', 21) X('W', 22) X('X', 23) X('Y', 24) X('Z', 25) X('a', 26) X('b', 27) X('c', 28) X('d', 29) X('e', 30)
            X('f', 31) X('g', 32) X('h', 33) X('i', 34) X('j', 35) X('k', 36) X('l', 37) X('m', 38) X('n', 39)
                X('o', 40) X('p', 41) X('q', 42) X('r', 43) X('s', 44) X('t', 45) X('u', 46) X('v', 47) X('w', 48)
                    X('x', 49) X('y', 50) X('z', 51) X('0', 52) X('1', 53) X('2', 54) X('3', 55) X('4', 56) X('5', 57)
                        X('6', 58) X('7', 59) X('8', 60) X('9', 61) X('+', 62) X('-', 62) X('/', 63) X('_', 63)
#undef X
};

static uint32_t four_sextets(const uint8_t *p)
{
    return (uint32_t)sextets[p[0]] << 18 | (uint32_t)sextets[p[1]] << 12 | (uint32_t)sextets[p[2]] << 6 | sextets[p[3]];
}

/* The caller found a run of the alphabet: nothing else stands before the padding. */
size_t text_base64(span text, uint8_t *out)
{
    size_t len = text.len, n = 0, i = 0;
    while (len > 0 && text.ptr[len - 1] == '=')
        len--;
    for (; i + 4 <= len; i += 4, n += 3) {
        uint32_t bits = four_sextets(text.ptr + i);
        out[n] = (uint8_t)(bits >> 16), out[n + 1] = (uint8_t)(bits >> 8), out[n + 2] = (uint8_t)bits;
    }
    uint8_t last[4] = {'A', 'A', 'A', 'A'};
    for (size_t k = 0; i + k < len; k++)
        last[k] = text.ptr[i + k];
    uint32_t bits = four_sextets(last);
    if (len - i >= 2) out[n++] = (uint8_t)(bits >> 16);
    if (len - i == 3) out[n++] = (uint8_t)(bits >> 8);
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

static bool is_plain(span lexeme)
{
    for (size_t i = 0; i < lexeme.len; i++)
        if (!is_digit(lexeme.ptr[i])) return false;
    return lexeme.len > 0 && lexeme.ptr[0] != '0';
}

size_t text_integer(span lexeme, uint8_t *out, size_t max)
{
    size_t e = 0;
    if (lexeme.len <= max && is_plain(lexeme)) {
        memcpy(out, lexeme.ptr, lexeme.len);
        return lexeme.len;
    }
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

static size_t digits_from(span text, size_t i)
{
    while (i < text.len && is_digit(text.ptr[i]))
        i++;
    return i;
}

bool text_is_scientific(span text)
{
    size_t whole = digits_from(text, 0), i = whole;
    if (i < text.len && text.ptr[i] == '.') i = digits_from(text, whole + 1);
    if (whole == 0 || i == whole + 1 || i == text.len || to_lower(text.ptr[i]) != 'e') return false;
    i++;
    if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-')) i++;
    return i < text.len && digits_from(text, i) == text.len;
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
