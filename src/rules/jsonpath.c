/* Parser for the subset of JSONPath that declarations use: names, indices, wildcards and descendants.
 *
 *= RFC9535 2.2   root identifier
 *= RFC9535 2.3   name, wildcard and index selectors
 *= RFC9535 2.5   child and descendant segments */
#include "rules/set.h"

#define INDEX_MAX ((UINT64_C(1) << 53) - 1) /* RFC 9535 2.1: the I-JSON range */

struct path_reader {
    struct arena *arena;
    span text;
    size_t at;
    const char *problem; /* the first one stands */
};

static int peek(const struct path_reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : -1;
}

static bool complain(struct path_reader *r, const char *problem)
{
    if (!r->problem) r->problem = problem;
    return false;
}

static bool take(struct path_reader *r, int byte)
{
    if (peek(r) != byte) return false;
    r->at++;
    return true;
}

static void skip_blanks(struct path_reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r')
        r->at++;
}

static bool is_name_first(int c)
{
    return c == '_' || c >= 0x80 || (c >= 0 && is_alpha((uint8_t)c));
}
static bool is_name_byte(int c)
{
    return is_name_first(c) || (c >= 0 && is_digit((uint8_t)c));
}

static bool read_shorthand(struct path_reader *r, struct path_segment *out)
{
    if (take(r, '*')) {
        out->selector = SELECT_ANY;
        return true;
    }
    size_t from = r->at;
    if (!is_name_first(peek(r)))
        return complain(r, "a member name or * must follow the dot; other names are written ['…']");
    while (is_name_byte(peek(r)))
        r->at++;
    out->selector = SELECT_NAME;
    out->name = arena_copy(r->arena, span_sub(r->text, from, r->at - from));
    return out->name.ptr || complain(r, "out of memory");
}

static int hex_value(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool read_hex4(struct path_reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(peek(r));
        if (digit < 0) return complain(r, "\\u needs four hexadecimal digits");
        *out = *out << 4 | (uint32_t)digit;
        r->at++;
    }
    return true;
}

static size_t put_utf8(uint32_t c, uint8_t *out)
{
    size_t tail = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0x00, 0xC0, 0xE0, 0xF0};
    out[0] = (uint8_t)(lead[tail] | c >> (6 * tail));
    for (size_t i = 1; i <= tail; i++)
        out[i] = (uint8_t)(0x80 | (c >> (6 * (tail - i)) & 0x3F));
    return tail + 1;
}

static bool read_unicode(struct path_reader *r, uint8_t *out, size_t *len)
{
    uint32_t c, low;
    if (!read_hex4(r, &c)) return false;
    if (c >= 0xDC00 && c <= 0xDFFF) return complain(r, "a low surrogate stands alone");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (!take(r, '\\') || !take(r, 'u')) return complain(r, "a high surrogate stands alone");
        if (!read_hex4(r, &low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return complain(r, "a high surrogate stands alone");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *len += put_utf8(c, out + *len);
    return true;
}

static bool read_escape(struct path_reader *r, int quote, uint8_t *out, size_t *len)
{
    static const char from[] = "bfnrt/\\", to[] = "\b\f\n\r\t/\\";
    int c = peek(r);
    const char *found = c > 0 ? strchr(from, c) : NULL;
    r->at++;
    if (c == 'u') return read_unicode(r, out, len);
    if (c == quote) return out[(*len)++] = (uint8_t)c, true;
    if (!found) return complain(r, "unknown escape; RFC 9535 knows \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX and the quote");
    out[(*len)++] = (uint8_t)to[found - from];
    return true;
}

static bool read_quoted(struct path_reader *r, int quote, struct path_segment *out)
{
    uint8_t *name = arena_alloc(r->arena, r->text.len + 1);
    size_t len = 0;
    if (!name) return complain(r, "out of memory");
    for (;;) {
        int c = peek(r);
        if (c < 0) return complain(r, "the quoted name does not end");
        if (c < 0x20) return complain(r, "a control character stands in a name; escape it");
        r->at++;
        if (c == quote) break;
        if (c != '\\')
            name[len++] = (uint8_t)c;
        else if (!read_escape(r, quote, name, &len))
            return false;
    }
    out->selector = SELECT_NAME;
    out->name = span_of(name, len);
    return true;
}

static bool read_index(struct path_reader *r, struct path_segment *out)
{
    if (peek(r) == '-')
        return complain(r, "indices from the end are not supported, because a list is decided while it is read; count "
                           "from 0 or write [*]");
    size_t from = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    span digits = span_sub(r->text, from, r->at - from);
    if (digits.len > 1 && digits.ptr[0] == '0') return complain(r, "an index has no leading zeros");
    if (!span_to_u64(digits, INDEX_MAX, &out->index)) return complain(r, "the index is too large");
    out->selector = SELECT_INDEX;
    return true;
}

static bool read_selector(struct path_reader *r, struct path_segment *out)
{
    int c = peek(r);
    if (c == '\'' || c == '"') {
        r->at++;
        return read_quoted(r, c, out);
    }
    if (c == '-' || (c >= '0' && c <= '9')) return read_index(r, out);
    if (c == '?') return complain(r, "filters are not supported; paths are limited to names, indices, * and ..");
    if (c == ':') return complain(r, "slices are not supported; paths are limited to names, indices, * and ..");
    if (!take(r, '*')) return complain(r, "a bracket holds a quoted name, an index or *");
    out->selector = SELECT_ANY;
    return true;
}

static bool read_bracket(struct path_reader *r, struct path_segment *out)
{
    skip_blanks(r);
    if (!read_selector(r, out)) return false;
    skip_blanks(r);
    if (peek(r) == ',')
        return complain(r, "several selectors in one bracket are not supported; declare one path for each");
    if (peek(r) == ':') return complain(r, "slices are not supported; paths are limited to names, indices, * and ..");
    return take(r, ']') || complain(r, "the bracket does not end with ]");
}

static bool read_segment(struct path_reader *r, struct path_segment *out)
{
    if (take(r, '[')) return read_bracket(r, out);
    if (!take(r, '.'))
        return complain(r, "a dot or a bracket must follow; names with other characters are written ['…']");
    out->descend = take(r, '.');
    if (out->descend && take(r, '[')) return read_bracket(r, out);
    return read_shorthand(r, out);
}

static bool read_path(struct path_reader *r, struct path_expr *out)
{
    if (!utf8_valid(r->text)) return complain(r, "the path is not UTF-8");
    if (!take(r, '$')) return complain(r, "a path starts with $, the document (in NDJSON the line)");
    while (r->at < r->text.len) {
        skip_blanks(r);
        if (r->at == r->text.len) return complain(r, "blanks stand behind the path");
        if (out->count == SEGMENTS_MAX) return complain(r, "the path has more than 64 steps");
        if (!read_segment(r, &out->segments[out->count])) return false;
        out->count++;
    }
    return true;
}

const char *path_parse(struct arena *a, span text, struct path_expr *out, size_t *offset)
{
    struct path_reader r = {.arena = a, .text = text};
    struct path_segment segments[SEGMENTS_MAX] = {0};
    *out = (struct path_expr){.segments = segments};
    *offset = 0;
    if (!read_path(&r, out)) {
        *offset = r.at;
        return r.problem;
    }
    out->segments = arena_array(a, out->count + 1, sizeof *segments);
    out->text = (const char *)arena_copy(a, text).ptr;
    if (!out->segments || !out->text) return "out of memory";
    memcpy(out->segments, segments, out->count * sizeof *segments);
    return NULL;
}

bool path_equal(const struct path_expr *a, const struct path_expr *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct path_segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->selector != y->selector || x->descend != y->descend || x->index != y->index) return false;
        if (!span_equal(x->name, y->name)) return false;
    }
    return true;
}
