#include "base/base.h"

static bool is_tail(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

/* The Unicode Standard 15, table 3-7: only the second byte is narrower after E0, ED, F0 and F4 (no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static bool is_second(uint8_t first, uint8_t c)
{
    switch (first) {
    case 0xE0: return c >= 0xA0 && c <= 0xBF;
    case 0xED: return c >= 0x80 && c <= 0x9F;
    case 0xF0: return c >= 0x90 && c <= 0xBF;
    case 0xF4: return c >= 0x80 && c <= 0x8F;
    default: return is_tail(c);
    }
}

size_t utf8_length(span s)
{
    if (s.len == 0) return 0;
    uint8_t first = s.ptr[0];
    if (first < 0x80) return 1;
    size_t n = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (n == 0 || s.len < n || !is_second(first, s.ptr[1])) return 0;
    for (size_t i = 2; i < n; i++)
        if (!is_tail(s.ptr[i])) return 0;
    return n;
}

/* Bytes of ASCII from i on, whole words of 16 only. */
static size_t skip_ascii(span s, size_t i)
{
    size_t from = i;
    while (s.len - i >= 16 && ((load_le64(s.ptr + i) | load_le64(s.ptr + i + 8)) & 0x8080808080808080u) == 0)
        i += 16;
    return i - from;
}

bool utf8_valid(span s)
{
    size_t i = 0;
    while (i < s.len) {
        i += skip_ascii(s, i);
        /* Text that is not ASCII comes in runs: stay in the slow lane for one word before looking again. */
        size_t stop = s.len - i > 16 ? i + 16 : s.len;
        while (i < stop) {
            size_t n = utf8_length(span_of(s.ptr + i, s.len - i));
            if (n == 0) return false;
            i += n;
        }
    }
    return true;
}

/* Unicode 15: LRM, RLM, 2028 to 202E (separators, embeddings, overrides), 2066 to 2069 (isolates). */
static bool is_direction(const uint8_t *p)
{
    if (p[0] != 0xe2) return false;
    if (p[1] == 0x80) return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
    return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

size_t utf8_unprintable(span s)
{
    if (s.len == 0) return 0;
    uint8_t c = s.ptr[0];
    if (c < 0x80) return c < 0x20 || c == 0x7f;
    size_t n = utf8_length(s);
    if (n == 0) return 1;
    bool c1 = c == 0xc2 && s.ptr[1] < 0xa0, arabic_mark = c == 0xd8 && s.ptr[1] == 0x9c;
    return c1 || arabic_mark || (n == 3 && is_direction(s.ptr)) ? n : 0;
}

size_t utf8_put(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}
