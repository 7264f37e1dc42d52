/* RFC 3986 as far as a request needs it: paths, queries, hosts. */
#include "http/http_parse.h"

static bool is_triplet(span s, size_t i)
{
    return i + 2 < s.len && http_is(s.ptr[i + 1], HTTP_C_HEX) && http_is(s.ptr[i + 2], HTTP_C_HEX);
}

static uint8_t triplet_value(span s, size_t i)
{
    return (uint8_t)(http_hex(s.ptr[i + 1]) << 4 | http_hex(s.ptr[i + 2]));
}

/* All characters of the class, percent only in whole triplets. */
static bool judge_chars(span s, enum http_class class)
{
    for (size_t i = 0; i < s.len; i++) {
        if (http_is(s.ptr[i], class)) continue;
        if (s.ptr[i] != '%' || !is_triplet(s, i)) return false;
        i += 2;
    }
    return true;
}

/* A segment, without slashes: no byte outside pchar, no hidden separator, not "." or ".." however they are spelled.
 * An origin that decodes before it resolves would see another path than the one the route was chosen by. */
static bool judge_segment(span s)
{
    size_t dots = 0, others = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '%') {
            if (!is_triplet(s, i)) return false;
            c = triplet_value(s, i);
            if (c == '/' || c == '\\') return false;
            i += 2;
        } else if (!http_is(c, HTTP_C_PATH)) {
            return false;
        }
        if (c == '.')
            dots++;
        else
            others++;
    }
    return others > 0 || dots > 2 || dots == 0;
}

//= RFC3986 3.3
bool http_path_judge(span path)
{
    if (path.len == 0 || path.ptr[0] != '/') return false;
    span rest = span_from(path, 1);
    for (;;) {
        size_t slash = span_find(rest, '/');
        if (slash == 0 && rest.len > 0) return false;
        if (!judge_segment(span_sub(rest, 0, slash))) return false;
        if (slash == rest.len) return true;
        rest = span_from(rest, slash + 1);
    }
}

//= RFC3986 3.4
bool http_query_judge(span query)
{
    return judge_chars(query, HTTP_C_QUERY);
}

static bool judge_octet(span s)
{
    uint64_t value;
    return s.len > 0 && s.len <= 3 && (s.len == 1 || s.ptr[0] != '0') && span_to_u64(s, 255, &value);
}

static bool judge_ipv4(span s)
{
    for (int i = 0; i < 4; i++) {
        size_t dot = i < 3 ? span_find(s, '.') : s.len;
        if ((i < 3 && dot == s.len) || !judge_octet(span_sub(s, 0, dot))) return false;
        s = span_from(s, i < 3 ? dot + 1 : dot);
    }
    return true;
}

static bool judge_h16(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!http_is(s.ptr[i], HTTP_C_HEX)) return false;
    return s.len >= 1 && s.len <= 4;
}

/* Pieces between colons up to "::" or the end: how many 16-bit groups they are, or -1. An IPv4 address may stand last.
 */
static int count_groups(span s, bool last)
{
    int groups = 0;
    while (s.len > 0) {
        size_t colon = span_find(s, ':');
        span piece = span_sub(s, 0, colon);
        bool final = colon == s.len;
        if (judge_h16(piece))
            groups += 1;
        else if (final && last && judge_ipv4(piece))
            groups += 2;
        else
            return -1;
        if (colon + 1 == s.len) return -1; /* a colon at the end */
        s = span_from(s, final ? colon : colon + 1);
    }
    return groups;
}

//= RFC3986 3.2.2
static bool judge_ipv6(span s)
{
    size_t gap = span_search(s, SPAN("::"));
    if (gap == s.len) return count_groups(s, true) == 8;
    int before = count_groups(span_sub(s, 0, gap), false), after = count_groups(span_from(s, gap + 2), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ); without sub-delims here as in any host. */
static bool judge_ipvfuture(span s)
{
    size_t dot = span_find(s, '.');
    if (s.len < 4 || to_lower(s.ptr[0]) != 'v' || dot < 2 || dot + 1 >= s.len) return false;
    for (size_t i = 1; i < dot; i++)
        if (!http_is(s.ptr[i], HTTP_C_HEX)) return false;
    for (size_t i = dot + 1; i < s.len; i++)
        if (!http_is(s.ptr[i], HTTP_C_HOST) && s.ptr[i] != ':') return false;
    return true;
}

static bool judge_port(span s)
{
    uint64_t port;
    return s.len == 0 || span_to_u64(s, 65535, &port);
}

/* After the host: nothing, or a colon and a port. */
static bool judge_port_part(span s)
{
    return s.len == 0 || (s.ptr[0] == ':' && judge_port(span_from(s, 1)));
}

//= RFC9110 7.2
bool http_host_judge(span host)
{
    if (host.len == 0) return false;
    if (host.ptr[0] == '[') {
        size_t close = span_find(host, ']');
        if (close == host.len) return false;
        span inner = span_sub(host, 1, close - 1);
        return (judge_ipv6(inner) || judge_ipvfuture(inner)) && judge_port_part(span_from(host, close + 1));
    }
    size_t colon = span_find(host, ':');
    return colon > 0 && judge_chars(span_sub(host, 0, colon), HTTP_C_HOST) && judge_port_part(span_from(host, colon));
}

bool http_query_next(struct http_query *q, span *name, span *value)
{
    while (q->rest.len > 0) {
        size_t end = span_find(q->rest, '&');
        span piece = span_sub(q->rest, 0, end);
        q->rest = span_from(q->rest, end < q->rest.len ? end + 1 : end);
        if (piece.len == 0) continue;
        size_t equals = span_find(piece, '=');
        *name = span_sub(piece, 0, equals);
        *value = span_from(piece, equals < piece.len ? equals + 1 : equals);
        return true;
    }
    return false;
}

/* Decodes one character at *i and moves on; false on a broken triplet. */
static bool decode_one(span in, bool plus, size_t *i, uint8_t *c)
{
    *c = in.ptr[*i];
    if (*c == '%') {
        if (!is_triplet(in, *i)) return false;
        *c = triplet_value(in, *i);
        *i += 2;
    } else if (plus && *c == '+') {
        *c = ' ';
    }
    *i += 1;
    return true;
}

bool http_percent_decode(span in, bool plus, uint8_t *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < in.len;)
        if (!decode_one(in, plus, &i, &out[(*len)++])) return false;
    return true;
}

bool http_query_name_is(span raw, span name)
{
    size_t at = 0;
    uint8_t c;
    for (size_t i = 0; i < raw.len; at++)
        if (!decode_one(raw, true, &i, &c) || at >= name.len || name.ptr[at] != c) return false;
    return at == name.len;
}
