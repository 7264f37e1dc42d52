/* Codings that write a character by its number: percent-encoding and references, escapes of programs, quoted-printable,
 * hexadecimal. (base64: text.c) */
#include "match/own.h"

static int hex_value(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number that `digits` hexadecimal digits at `at` are; -1: they are not there. */
static int32_t hex_at(span text, size_t at, size_t digits)
{
    int32_t number = 0;
    if (at > text.len || text.len - at < digits) return -1;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(text.ptr[at + i]);
        if (digit < 0) return -1;
        number = number << 4 | digit;
    }
    return number;
}

/* ---- percent-encoding, references, escapes ---------------------------------------------------------------------- */

/* As JavaScript's escape() and JSON write it, "%u0041" and "\u0041". */
static size_t wide_character(span text, uint8_t *out, size_t *taken)
{
    int32_t code = hex_at(text, 2, 4);
    if (code < 0 || (code >= 0xD800 && code < 0xE000)) return 0;
    *taken = 6;
    return utf8_put((uint32_t)code, out);
}

static size_t one_byte(span text, size_t at, uint8_t *out, size_t *taken)
{
    int32_t byte = hex_at(text, at, 2);
    if (byte < 0) return 0;
    *taken = at + 2;
    *out = (uint8_t)byte;
    return 1;
}

/* As programs write it in a text behind a backslash: JSON within JSON has its lines ended so. */
//= RFC8259 7
static size_t escaped_character(span text, uint8_t *out, size_t *taken)
{
    static const char signs[] = "nrtbf\\/\"'", meant[] = "\n\r\t\b\f\\/\"'";
    const char *sign = text.len > 1 && text.ptr[1] != 0 ? strchr(signs, text.ptr[1]) : NULL;
    if (!sign) return 0;
    *taken = 2;
    *out = (uint8_t)meant[sign - signs];
    return 1;
}

/* What the text begins with becomes so many bytes, of which there are no more; 0: no character is coded there. */
static size_t coded(span text, uint8_t *out, size_t *taken)
{
    bool wide = text.len > 1 && text.ptr[1] == 'u';
    switch (text.ptr[0]) {
    case '&': return text_reference(text, out, taken);
    case '%': return wide ? wide_character(text, out, taken) : one_byte(text, 1, out, taken);
    case '\\':
        if (wide) return wide_character(text, out, taken);
        if (text.len > 1 && text.ptr[1] == 'x') return one_byte(text, 2, out, taken);
        return escaped_character(text, out, taken);
    default: return 0;
    }
}

/* Up to the first sign a text is copied as a whole: mostly there is none. */
static size_t copy_until(span text, const char *signs, uint8_t *out)
{
    size_t n = text.len;
    for (; *signs; signs++)
        n = span_find(span_sub(text, 0, n), (uint8_t)*signs);
    memcpy(out, text.ptr, n);
    return n;
}

/* In what a form sends (name=value&…) a plus is a space. Without any other sign nothing is coded: a sum is none. */
size_t text_decode(span text, uint8_t *out)
{
    size_t n = copy_until(text, "%&\\", out), form = n < text.len ? span_find(text, '=') : n;
    if (form < n) n = form;
    for (size_t i = n, taken, put; i < text.len; i += taken) {
        put = coded(span_from(text, i), out + n, &taken);
        if (put == 0) out[n] = text.ptr[i] == '+' && i > form ? ' ' : text.ptr[i], put = taken = 1;
        n += put;
    }
    return n;
}

/* ---- quoted-printable -------------------------------------------------------------------------------------------- */

/* A line that goes on behind its end. */
static size_t soft_break(span text)
{
    if (text.len > 1 && text.ptr[1] == '\n') return 2;
    return text.len > 2 && text.ptr[1] == '\r' && text.ptr[2] == '\n' ? 3 : 0;
}

/* Control characters are left as they stand, and what goes on with a character that never began: "n=12" and "id=90" of a query are
 * none. */
static bool is_quotable(int32_t byte, const uint8_t *out, size_t n)
{
    if (byte < ' ') return byte == '\t' || byte == '\n' || byte == '\r';
    return byte < 0x80 || byte >= 0xC0 || (n > 0 && out[n - 1] >= 0x80);
}

/* Small letters are read as robust programs do. */
//= RFC2045 6.7
size_t text_unquote(span text, uint8_t *out)
{
    size_t n = copy_until(text, "=", out);
    for (size_t i = n, taken; i < text.len; i += taken) {
        span rest = span_from(text, i);
        int32_t byte = *rest.ptr == '=' ? hex_at(rest, 1, 2) : -1;
        size_t line = *rest.ptr == '=' ? soft_break(rest) : 0;
        taken = line > 0 ? line : 1;
        if (line > 0) continue;
        bool quoted = is_quotable(byte, out, n);
        out[n++] = quoted ? (uint8_t)byte : *rest.ptr;
        if (quoted) taken = 3;
    }
    return n;
}

/* ---- hexadecimal ------------------------------------------------------------------------------------------------ */

static const uint8_t nibbles[256] = {
#define X(c, v) [c] = v,
    X('0', 0) X('1', 1) X('2', 2) X('3', 3) X('4', 4) X('5', 5) X('6', 6) X('7', 7) X('8', 8) X('9', 9) X('A', 10) X('B', 11)
        X('C', 12) X('D', 13) X('E', 14) X('F', 15) X('a', 10) X('b', 11) X('c', 12) X('d', 13) X('e', 14) X('f', 15)
#undef X
};

static inline uint8_t byte_at(span digits, size_t i)
{
    return (uint8_t)(nibbles[digits.ptr[i]] << 4 | nibbles[digits.ptr[i + 1]]);
}

size_t text_hex(span digits, uint8_t *out)
{
    for (size_t i = 0; i + 2 <= digits.len; i += 2)
        out[i / 2] = byte_at(digits, i);
    return digits.len / 2;
}

/* Digits of the character of a text that stands there; 0: none does. */
static inline size_t character_at(span digits, size_t at)
{
    uint8_t c = byte_at(digits, at);
    if (c < 0x80) return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\n' || c == '\r' ? 2 : 0;
    if (c < 0xC2 || c > 0xF4) return 0;
    size_t len = c < 0xE0 ? 4 : c < 0xF0 ? 6 : 8;
    if (digits.len - at < len) return 0;
    for (size_t i = 2; i < len; i += 2)
        if ((byte_at(digits, at + i) & 0xC0) != 0x80) return 0;
    return len;
}

typedef size_t character_function(span digits, size_t at);

static inline bool next_row(span digits, size_t from, character_function *character, size_t *begin, size_t *end)
{
    for (size_t first = from, i = from; digits.len - first >= PLAIN_MIN;) {
        size_t n = i + 2 <= digits.len ? character(digits, i) : 0;
        i += n;
        if (n > 0) continue;
        if (i - first >= PLAIN_MIN) return *begin = first, *end = i, true;
        first = i += 2;
        if (first > digits.len) return false;
    }
    return false;
}

bool text_next_plain(span digits, size_t from, size_t *begin, size_t *end)
{
    return next_row(digits, from, character_at, begin, end);
}

/* The same of a shape, where '0' is any of ten: digits may be one in ASCII. What begins with letters follows from them, and what
 * begins others is never taken for what goes on with one. */
static inline size_t character_like(span shape, size_t at)
{
    uint8_t c = shape.ptr[at];
    if (is_digit(c)) return 2;
    if (c < 'C' || (c == 'F' && !is_digit(shape.ptr[at + 1]))) return 0;
    size_t len = c < 'E' ? 4 : c == 'E' ? 6 : 8;
    if (shape.len - at < len) return 0;
    for (size_t i = 2; i < len; i += 2)
        if (shape.ptr[at + i] > 'B') return 0;
    return len;
}

bool text_may_be_plain(span shape)
{
    size_t begin, end;
    return next_row(shape, 0, character_like, &begin, &end) || next_row(shape, 1, character_like, &begin, &end);
}

/* ---- what is no text -------------------------------------------------------------------------------------------- */

/* Bytes of the character that a text has there, by its first byte. Form feed and vertical tab are white space. */
static const uint8_t lengths[256] = {
    [0x09 ... 0x0D] = 1,
    [0x20 ... 0x7F] = 1,
    [0xC2 ... 0xDF] = 2,
    [0xE0 ... 0xEF] = 3,
    [0xF0 ... 0xF4] = 4,
};

/* 0: no character begins there. */
static inline size_t character_bytes(const uint8_t *p, size_t left)
{
    size_t len = lengths[*p];
    if (LIKELY(len <= 1)) return len;
    if (left < len) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return len;
}

size_t text_condense(uint8_t *bytes, size_t len, size_t least)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        size_t first = i, more;
        while (i < len && (more = character_bytes(bytes + i, len - i)) > 0)
            i += more;
        if (i - first >= least) {
            memmove(bytes + n, bytes + first, i - first);
            n += i - first;
        }
        if (i < len && (n == 0 || bytes[n - 1] != 0)) bytes[n++] = 0;
    }
    return n;
}

/* ---- UTF-16 ----------------------------------------------------------------------------------------------------- */

static bool is_printable(uint8_t c)
{
    return c >= 0x20 && c <= 0x7E;
}

/* Where three printable characters begin with a zero after the first and the second; as many bytes as there are: nowhere. */
static size_t find_wide(span bytes)
{
    const uint8_t *p = bytes.ptr;
    for (size_t i = 1; i + 3 < bytes.len; i++) {
        const uint8_t *zero = memchr(p + i, 0, bytes.len - i - 3);
        if (!zero) break;
        i = (size_t)(zero - p);
        if (p[i + 2] == 0 && is_printable(p[i - 1]) && is_printable(p[i + 1]) && is_printable(p[i + 3])) return i - 1;
    }
    return bytes.len;
}

bool text_is_wide(span bytes)
{
    return find_wide(bytes) < bytes.len;
}

static uint32_t unit_at(span bytes, size_t at, bool little)
{
    return (uint32_t)bytes.ptr[at + !little] | (uint32_t)bytes.ptr[at + little] << 8;
}

/* Pairs of surrogates are left out: none of them folds to anything that is sought but digits and letters of mathematics. */
size_t text_narrow(span bytes, uint8_t *out)
{
    bool little = find_wide(bytes) % 2 == 0;
    size_t n = 0;
    for (size_t i = 0; i + 2 <= bytes.len; i += 2) {
        uint32_t unit = unit_at(bytes, i, little);
        if (unit < 0xD800 || unit >= 0xE000) n += utf8_put(unit, out + n);
    }
    return n;
}
