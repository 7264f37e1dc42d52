/* Content-Type: type, subtype and charset, respelled. */
#include "http/http_parse.h"

static bool put(struct http_media *m, span s)
{
    if (m->len + s.len > sizeof m->text) return false;
    for (size_t i = 0; i < s.len; i++)
        m->text[m->len++] = (char)to_lower(s.ptr[i]);
    return true;
}

static span take_token(span *rest)
{
    size_t n = 0;
    while (n < rest->len && http_is(rest->ptr[n], HTTP_C_TOKEN))
        n++;
    span token = span_sub(*rest, 0, n);
    *rest = span_from(*rest, n);
    return token;
}

static void skip_blank(span *rest)
{
    while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        *rest = span_from(*rest, 1);
}

static bool take_byte(span *rest, uint8_t byte)
{
    if (rest->len == 0 || rest->ptr[0] != byte) return false;
    *rest = span_from(*rest, 1);
    return true;
}

/* A quoted string whose content is taken raw; one with an escape is none that a charset has, and is told by `plain`. */
//= RFC9110 5.6.4
static bool take_quoted(span *rest, span *value, bool *plain)
{
    span from = *rest;
    *plain = true;
    for (size_t i = 0; i < from.len; i++) {
        uint8_t c = from.ptr[i];
        if (c == '"') {
            *value = span_sub(from, 0, i);
            *rest = span_from(from, i + 1);
            return true;
        }
        if (c == '\\') {
            *plain = false;
            if (++i == from.len) return false;
        }
        if (!http_is(from.ptr[i], HTTP_C_TEXT)) return false;
    }
    return false;
}

static bool take_value(span *rest, span *value, bool *plain)
{
    if (take_byte(rest, '"')) return take_quoted(rest, value, plain);
    *plain = true;
    *value = take_token(rest);
    return value->len > 0;
}

static bool take_parameter(struct http_media *m, span *rest)
{
    bool plain;
    span value, name = take_token(rest);
    if (name.len == 0) return true; /* RFC 9110 5.6.6 lets a parameter be missing between semicolons */
    if (!take_byte(rest, '=') || !take_value(rest, &value, &plain)) return false;
    if (!span_equal_nocase(name, SPAN("charset"))) return true;
    if (m->charset_at != 0 || !plain || !http_is_token(value)) return false;
    if (!put(m, SPAN("; charset="))) return false;
    m->charset_at = m->len;
    return put(m, value);
}

//= RFC9110 8.3.1
bool http_media_parse(span value, struct http_media *m)
{
    *m = (struct http_media){.len = 0};
    span rest = span_trim(value), type = take_token(&rest);
    bool slash = take_byte(&rest, '/');
    span subtype = take_token(&rest);
    if (type.len == 0 || !slash || subtype.len == 0) return false;
    if (!put(m, type) || !put(m, SPAN("/")) || !put(m, subtype)) return false;
    m->essence_len = m->len;
    for (;;) {
        skip_blank(&rest);
        if (rest.len == 0) return true;
        if (!take_byte(&rest, ';')) return false;
        skip_blank(&rest);
        if (!take_parameter(m, &rest)) return false;
    }
}

span http_media_essence(const struct http_media *m)
{
    return span_of(m->text, m->essence_len);
}

span http_media_charset(const struct http_media *m)
{
    return m->charset_at == 0 ? span_of(NULL, 0) : span_of(m->text + m->charset_at, m->len - m->charset_at);
}
