/* Path templates of `documents`. */
#include "rules/set.h"

static const char *parse_part(struct arena *a, span text, bool last, struct template_part *out)
{
    if (text.len == 0 && !last) return "a segment is empty; no request path that reaches a document has one";
    if (span_equal(text, SPAN("*"))) {
        out->kind = PART_REST;
        return last ? NULL : "* stands for the rest and must be last; one segment is written {name}";
    }
    if (text.len >= 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}') {
        out->kind = PART_ANY;
        return text.len > 2 ? NULL : "{} has no name; write {id}";
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("{}*", text.ptr[i])) return "{name} and * stand for whole segments";
        if (strchr("?#;%\\", text.ptr[i]) || text.ptr[i] <= 0x20 || text.ptr[i] == 0x7F)
            return "a template is a decoded path without query; ? # ; % \\ and spaces cannot stand in it";
    }
    if (span_equal(text, SPAN(".")) || span_equal(text, SPAN(".."))) return "dot segments never reach a document";
    out->kind = PART_LITERAL;
    out->text = arena_copy(a, text);
    return out->text.ptr ? NULL : "out of memory";
}

const char *template_parse(struct arena *a, const char *text, struct template *out)
{
    span rest = span_str(text);
    if (rest.len == 0 || rest.ptr[0] != '/') return "a path starts with /";
    size_t slashes = 0;
    for (size_t i = 0; i < rest.len; i++)
        slashes += rest.ptr[i] == '/';
    out->parts = arena_array(a, slashes, sizeof *out->parts);
    if (!out->parts) return "out of memory";
    while (rest.len) {
        rest = span_from(rest, 1);
        size_t end = span_find(rest, '/');
        const char *problem = parse_part(a, span_sub(rest, 0, end), end == rest.len, &out->parts[out->count++]);
        if (problem) return problem;
        rest = span_from(rest, end);
    }
    return NULL;
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    uint8_t lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The next byte of percent-encoded text, -1 where an escape is broken. */
static int next_byte(span s, size_t *i)
{
    uint8_t c = s.ptr[(*i)++];
    if (c != '%') return c;
    if (s.len - *i < 2) return -1;
    int high = hex_digit(s.ptr[*i]), low = hex_digit(s.ptr[*i + 1]);
    *i += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool template_equals(span encoded, span text, bool plus)
{
    size_t i = 0, n = 0;
    while (i < encoded.len) {
        int c = plus && encoded.ptr[i] == '+' ? (i++, ' ') : next_byte(encoded, &i);
        if (c < 0 || n == text.len || text.ptr[n++] != c) return false;
    }
    return n == text.len;
}

bool template_decode(span s, uint8_t *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < s.len;) {
        int c = s.ptr[i] == '+' ? (i++, ' ') : next_byte(s, &i);
        if (c < 0) return false;
        out[(*len)++] = (uint8_t)c;
    }
    return true;
}

bool template_matches(const struct template *t, span path)
{
    if (path.len == 0 || path.ptr[0] != '/') return false;
    for (size_t p = 0; p < t->count; p++) {
        if (path.len == 0) return false;
        path = span_from(path, 1);
        size_t end = span_find(path, '/');
        span segment = span_sub(path, 0, end);
        switch (t->parts[p].kind) {
        case PART_REST: return true;
        case PART_ANY:
            if (segment.len == 0) return false;
            break;
        case PART_LITERAL:
            if (!template_equals(segment, t->parts[p].text, false)) return false;
            break;
        }
        path = span_from(path, end);
    }
    return path.len == 0;
}

bool template_covers(const struct template *a, const struct template *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (i >= b->count) return false;
        const struct template_part *x = &a->parts[i], *y = &b->parts[i];
        if (x->kind == PART_REST) return true;
        if (y->kind == PART_REST) return false;
        if (x->kind == PART_ANY && y->kind == PART_LITERAL && y->text.len == 0) return false;
        if (x->kind == PART_LITERAL && (y->kind != PART_LITERAL || !span_equal(x->text, y->text))) return false;
    }
    return a->count == b->count;
}

bool template_overlaps(const struct template *a, const struct template *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct template_part *x = &a->parts[i], *y = &b->parts[i];
        if (x->kind == PART_REST || y->kind == PART_REST) return true;
        bool both = x->kind == PART_LITERAL && y->kind == PART_LITERAL;
        if (both && !span_equal(x->text, y->text)) return false;
        if (!both && ((x->kind == PART_LITERAL && x->text.len == 0) || (y->kind == PART_LITERAL && y->text.len == 0))) return false;
    }
    return a->count == b->count;
}

const struct rules_document *rules_find_document(const struct rules_profile *p, span path)
{
    MAGIC_CHECK(p, PROFILE_MAGIC);
    for (size_t i = 0; i < p->documents.count; i++) {
        const struct rules_document *d = *LIST_AT(&p->documents, struct rules_document *, i);
        if (template_matches(&d->template, path)) return d;
    }
    return NULL;
}

bool rules_is_parameter(span encoded, span name)
{
    return name.len > 0 && template_equals(encoded, name, true);
}
