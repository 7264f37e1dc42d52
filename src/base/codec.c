#include "base/base.h"

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(span s, char *out)
{
    for (size_t i = 0; i < s.len; i++) {
        *out++ = hex_digits[s.ptr[i] >> 4];
        *out++ = hex_digits[s.ptr[i] & 15];
    }
    *out = '\0';
}

static int hex_value(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    uint8_t letter = to_lower(c);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool hex_decode(span s, uint8_t *out, size_t len)
{
    if (s.len % 2 != 0 || s.len / 2 != len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(s.ptr[2 * i]), low = hex_value(s.ptr[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

//= RFC4648 4
size_t base64_encode(span s, char *out)
{
    char *p = out;
    for (size_t i = 0; i < s.len; i += 3) {
        size_t have = s.len - i;
        uint32_t group = (uint32_t)s.ptr[i] << 16;
        if (have > 1) group |= (uint32_t)s.ptr[i + 1] << 8;
        if (have > 2) group |= s.ptr[i + 2];
        *p++ = base64_digits[group >> 18];
        *p++ = base64_digits[group >> 12 & 63];
        *p++ = have > 1 ? base64_digits[group >> 6 & 63] : '=';
        *p++ = have > 2 ? base64_digits[group & 63] : '=';
    }
    *p = '\0';
    return (size_t)(p - out);
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Padding may be missing, but where it stands it must be what the length asks for. */
static bool strip_padding(span *s)
{
    size_t padding = 0;
    while (padding < s->len && s->ptr[s->len - 1 - padding] == '=')
        padding++;
    if (padding > 0 && (padding > 2 || s->len % 4 != 0)) return false;
    s->len -= padding;
    return s->len % 4 != 1;
}

//= RFC4648 5
bool base64_decode(span s, uint8_t *out, size_t *len)
{
    if (!strip_padding(&s)) return false;
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int value = base64_value(s.ptr[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        /* After 2, 3 and 4 digits of a group a further byte is complete. */
        if (i % 4 == 1) out[n++] = (uint8_t)(bits >> 4);
        if (i % 4 == 2) out[n++] = (uint8_t)(bits >> 2);
        if (i % 4 == 3) out[n++] = (uint8_t)bits;
    }
    *len = n;
    return true;
}

static RESULT quote_ascii(struct buf *b, uint8_t c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *p = short_forms; *p; p += 2)
        if ((uint8_t)p[0] == c) return buf_append(b, span_of((const char[]){'\\', p[1]}, 2));
    return buf_printf(b, "\\u%04x", c);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Bytes from i on that need no change. */
static size_t plain_run(span s, size_t i)
{
    size_t from = i;
    while (i < s.len) {
        size_t n = is_plain(s.ptr[i]) ? 1 : s.ptr[i] < 0x80 ? 0 : utf8_length(span_from(s, i));
        if (n == 0) break;
        i += n;
    }
    return i - from;
}

//= RFC8259 7
result json_quote(struct buf *b, span s)
{
    TRY(buf_append(b, SPAN("\"")));
    for (size_t i = 0; i < s.len;) {
        size_t run = plain_run(s, i);
        TRY(buf_append(b, span_sub(s, i, run)));
        i += run;
        if (i == s.len) break;
        if (s.ptr[i] < 0x80)
            TRY(quote_ascii(b, s.ptr[i]));
        else
            TRY(buf_append(b, SPAN("\xEF\xBF\xBD")));
        i++;
    }
    return buf_append(b, SPAN("\""));
}
