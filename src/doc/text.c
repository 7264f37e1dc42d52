#include "doc/text.h"

#include "doc/doc.h"

/* What an escape stands for, 0 where there is no such escape; 'u' is not in it. */
static const uint8_t simple_escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};

static int hex_value(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of \uXXXX at `at`, -1 where that is not what stands there. */
static int32_t read_unit(span s, size_t at)
{
    int32_t unit = 0;
    if (s.len < 6 || at > s.len - 6 || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u') return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_value(s.ptr[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}
static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static size_t find_backslash(span raw, size_t from)
{
    const uint8_t *found = from < raw.len ? memchr(raw.ptr + from, '\\', raw.len - from) : NULL;
    return found ? (size_t)(found - raw.ptr) : raw.len;
}

/* Length of the \u escape at `at`, 0 where it is malformed; says on the way what is wrong with its meaning. */
static size_t check_unicode(span raw, size_t at, struct text_escapes *e)
{
    int32_t unit = read_unit(raw, at);
    if (unit < 0) return 0;
    if (unit == 0 && e->nul == TEXT_NONE) e->nul = at;
    if (is_high_surrogate(unit) && is_low_surrogate(read_unit(raw, at + 6))) return 12;
    if ((is_high_surrogate(unit) || is_low_surrogate(unit)) && e->lone_surrogate == TEXT_NONE) e->lone_surrogate = at;
    return 6;
}

//= RFC8259 7
//= RFC8259 8.2
struct text_escapes text_check_escapes(span raw)
{
    struct text_escapes e = {TEXT_NONE, TEXT_NONE, TEXT_NONE};
    size_t length;
    for (size_t at = find_backslash(raw, 0); at < raw.len; at = find_backslash(raw, at + length)) {
        uint8_t c = at + 1 < raw.len ? raw.ptr[at + 1] : 0;
        length = c == 'u' ? check_unicode(raw, at, &e) : simple_escapes[c] ? 2 : 0;
        if (length == 0) {
            e.malformed = at;
            break;
        }
    }
    return e;
}

//= RFC8259 8.1
size_t text_find_bad_utf8(span raw)
{
    size_t at = 0;
    while (at < raw.len) {
        if (raw.len - at >= 8 && (load_le64(raw.ptr + at) & 0x8080808080808080ULL) == 0) {
            at += 8;
            continue;
        }
        size_t length = raw.ptr[at] < 0x80 ? 1 : utf8_length(span_from(raw, at));
        if (length == 0) return at;
        at += length;
    }
    return TEXT_NONE;
}

static size_t skip_digits(span s, size_t at)
{
    while (at < s.len && is_digit(s.ptr[at]))
        at++;
    return at;
}

//= RFC8259 6
bool text_is_number(span s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-' ? 1 : 0, from = at;
    at = skip_digits(s, at);
    if (at == from || (s.ptr[from] == '0' && at > from + 1)) return false;
    if (at < s.len && s.ptr[at] == '.') {
        from = at + 1;
        at = skip_digits(s, from);
        if (at == from) return false;
    }
    if (at < s.len && (s.ptr[at] | 0x20) == 'e') {
        at++;
        if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-')) at++;
        from = at;
        at = skip_digits(s, from);
        if (at == from) return false;
    }
    return at == s.len;
}

bool text_has_exponent(span number)
{
    for (size_t i = 0; i < number.len; i++)
        if ((number.ptr[i] | 0x20) == 'e') return true;
    return false;
}

/* Decodes the escape at `at`; *used is its length in the raw string. Not an escape: the backslash stands for itself. */
static size_t decode_escape(span raw, size_t at, uint8_t *out, size_t *used)
{
    uint8_t c = at + 1 < raw.len ? raw.ptr[at + 1] : 0;
    int32_t unit = read_unit(raw, at), low = unit >= 0 ? read_unit(raw, at + 6) : -1;
    *used = 6;
    if (is_high_surrogate(unit) && is_low_surrogate(low)) {
        *used = 12;
        return utf8_put(0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00), out);
    }
    if (is_high_surrogate(unit) || is_low_surrogate(unit)) return utf8_put(0xFFFD, out);
    if (unit >= 0) return utf8_put((uint32_t)unit, out);
    *used = simple_escapes[c] ? 2 : 1;
    out[0] = simple_escapes[c] ? simple_escapes[c] : '\\';
    return 1;
}

size_t doc_decode_string(span raw, uint8_t *out)
{
    size_t at = 0, length = 0;
    while (at < raw.len) {
        size_t escape = find_backslash(raw, at), used = 0;
        memcpy(out + length, raw.ptr + at, escape - at);
        length += escape - at;
        at = escape;
        if (at == raw.len) break;
        length += decode_escape(raw, at, out + length, &used);
        at += used;
    }
    return length;
}
