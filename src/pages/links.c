/* Where an origin says that its list goes on: the fields of the head, and URLs. */
#include "pages/pages.h"

static void skip_space(span *s)
{
    while (s->len > 0 && (s->ptr[0] == ' ' || s->ptr[0] == '\t')) *s = span_from(*s, 1);
}

static bool take_byte(span *s, uint8_t c)
{
    skip_space(s);
    if (s->len == 0 || s->ptr[0] != c) return false;
    *s = span_from(*s, 1);
    return true;
}

/* Up to one of `ends`; without the space behind it. */
static span take_until(span *s, const char *ends)
{
    size_t n = 0;
    skip_space(s);
    while (n < s->len && (s->ptr[n] == 0 || strchr(ends, s->ptr[n]) == NULL)) n++;
    span taken = span_trim(span_sub(*s, 0, n));
    *s = span_from(*s, n);
    return taken;
}

/* What stands between the quotes; a backslash takes the next byte along. */
static span take_quoted(span *s)
{
    size_t n = 0;
    while (n < s->len && s->ptr[n] != '"') n += s->ptr[n] == '\\' && n + 1 < s->len ? 2 : 1;
    span taken = span_sub(*s, 0, n);
    *s = span_from(*s, n < s->len ? n + 1 : n);
    return taken;
}

/* Relations are words between spaces, compared without case. */
static bool names_next(span relations)
{
    while (relations.len > 0) {
        span one = take_until(&relations, " \t");
        if (span_equal_nocase(one, SPAN("next"))) return true;
    }
    return false;
}

/* ";name=value" as often as it stands there. The first "rel" counts (RFC 8288 3.3). */
static bool take_parameters(span *s)
{
    bool next = false, seen = false;
    while (take_byte(s, ';')) {
        span name = take_until(s, "=;,"), value = span_of(NULL, 0);
        if (take_byte(s, '=')) value = take_byte(s, '"') ? take_quoted(s) : take_until(s, ";,");
        if (seen || !span_equal_nocase(name, SPAN("rel"))) continue;
        seen = true;
        next = names_next(value);
    }
    return next;
}

/* Up to the bracket that closes it, behind which space, a parameter, the next link or nothing follows: some origins repeat in a URL what they were asked,
 * brackets too, and whoever asked by one would get what stands before the link alone. */
static span take_url(span *s)
{
    span whole = *s;
    for (;;) {
        (void)take_until(s, ">");
        span url = span_trim(span_sub(whole, 0, whole.len - s->len));
        if (!take_byte(s, '>')) return url;
        if (s->len == 0 || (s->ptr[0] != 0 && strchr(";, \t", s->ptr[0]) != NULL)) return url;
    }
}

//= RFC8288 3
span pages_link_next(span field)
{
    while (field.len > 0) {
        if (!take_byte(&field, '<')) {
            if (!take_byte(&field, ',')) (void)take_until(&field, ",");
            continue;
        }
        span url = take_url(&field);
        if (take_parameters(&field)) return url;
    }
    return span_of(NULL, 0);
}

/* A byte of a path, whether it is written as it is or percent-encoded; a slash that is part of a segment is none. */
//= RFC3986 6.2.2.2
static unsigned take_path_byte(span *path)
{
    uint8_t c = path->ptr[0];
    bool encoded = c == '%' && path->len > 2 && hex_decode(span_sub(*path, 1, 2), &c, 1);
    *path = span_from(*path, encoded ? 3 : 1);
    return encoded && c == '/' ? 256 : c;
}

static bool is_same_path(span a, span b)
{
    while (a.len > 0 && b.len > 0)
        if (take_path_byte(&a) != take_path_byte(&b)) return false;
    return a.len == b.len;
}

bool pages_link_query(span own, span url, span *query)
{
    size_t scheme = span_search(url, SPAN("://"));
    bool network = span_starts(url, SPAN("//")), absolute = scheme < span_find(url, '/');
    if (network || absolute) {
        url = span_from(url, network ? 2 : scheme + 3);
        url = span_from(url, span_find(url, '/'));
    }
    size_t mark = span_find(url, '?');
    span path = span_sub(url, 0, mark);
    *query = mark < url.len ? span_from(url, mark + 1) : span_of(NULL, 0);
    bool whole = path.len == 0 || path.ptr[0] == '/'; /* a relative one names the last segment, or nothing */
    size_t last = own.len;
    while (last > 0 && own.ptr[last - 1] != '/') last--;
    bool same = whole ? path.len == 0 || is_same_path(path, own) : is_same_path(path, span_from(own, last));
    return same && query->len > 0;
}

//= RFC3986 2.1
result pages_link_write(span query, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < query.len; i++) {
        uint8_t c = query.ptr[i], unused;
        bool encoded = c == '%' && query.len - i > 2 && hex_decode(span_sub(query, i + 1, 2), &unused, 1);
        bool plain = is_alnum(c) || (c != 0 && strchr("-._~!$&'()*+,;=:@/?", c) != NULL);
        const char code[3] = {'%', hex[c >> 4], hex[c & 15]};
        TRY(buf_append(out, encoded || plain ? span_sub(query, i, 1) : span_of(code, 3)));
    }
    return OK;
}
