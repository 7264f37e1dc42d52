/* What a client asks for, by the bytes of its query alone. */
#include "pages/pages.h"

#define NUMBER_MAX ((uint64_t)1 << 40)
#define QUERY_MAX 65536

/* Parameters of paging, by where they stand in `seen`. */
enum { OFFSET, LIMIT, PAGE, CURSOR, PARAMETERS };

static int parameter_of(const struct rules_pages *p, span name)
{
    const span names[PARAMETERS] = {p->offset, p->limit, p->page, p->cursor};
    for (int i = 0; i < PARAMETERS; i++)
        if (rules_is_parameter(name, names[i])) return i;
    return -1;
}

static bool add_rest(struct pages_wish *w, span parameter)
{
    return (buf_len(&w->text) == 0 || is_ok(buf_append(&w->text, SPAN("&")))) && is_ok(buf_append(&w->text, parameter));
}

/* Digits as they are: "+5", "5.0", "0x5" are read by one origin and not by another. */
static bool take_number(span value, uint64_t *out)
{
    return value.len > 0 && span_to_u64(value, NUMBER_MAX, out);
}

static bool take(const struct rules_pages *p, int which, span value, struct pages_wish *w, uint64_t *page)
{
    if (which == CURSOR) {
        w->sealed = true;
        w->cursor = value; /* base64url: nothing in it is encoded, or it is none of ours */
        return true;
    }
    w->limited |= which == LIMIT;
    uint64_t *const numbers[] = {&w->place.position, &w->limit, page};
    return take_number(value, numbers[which]) && (which != PAGE || *page >= p->first);
}

static bool read_all(const struct rules_pages *p, span query, struct pages_wish *w, uint64_t *page)
{
    bool seen[PARAMETERS] = {false};
    while (query.len > 0) {
        size_t end = span_find(query, '&');
        span parameter = span_sub(query, 0, end);
        query = span_from(query, end < query.len ? end + 1 : end);
        size_t equals = span_find(parameter, '=');
        int which = parameter_of(p, span_sub(parameter, 0, equals));
        if (which < 0) {
            if (!add_rest(w, parameter)) return false;
            continue;
        }
        if (seen[which] || equals == parameter.len) return false;
        seen[which] = true;
        if (!take(p, which, span_from(parameter, equals + 1), w, page)) return false;
    }
    return true;
}

/* Beyond every list there is, it does not matter how far. */
static uint64_t page_begins(uint64_t page, uint64_t limit)
{
    return limit > 0 && page > NUMBER_MAX / limit ? NUMBER_MAX : page * limit;
}

bool pages_wish_read(const struct rules_pages *p, span query, struct pages_wish *out)
{
    uint64_t page = p->first;
    *out = (struct pages_wish){.limit = p->default_limit};
    buf_init(&out->text, QUERY_MAX);
    if (!read_all(p, query, out, &page)) return false;
    if (p->max_limit > 0 && out->limit > p->max_limit) out->limit = p->max_limit;
    out->rest = buf_span(&out->text);
    if (p->style == PAGE_STYLE_PAGE) out->place.position = page_begins(page - p->first, out->limit);
    out->place.skip = out->place.position;
    return true;
}

void pages_wish_range(const struct rules_pages *p, span range, struct pages_wish *w)
{
    size_t dash = span_find(range, '-');
    span last = dash < range.len ? span_from(range, dash + 1) : span_of(NULL, 0);
    uint64_t from, to = NUMBER_MAX;
    if (p->style != PAGE_STYLE_OFFSET || w->limited || w->place.position > 0 || dash == range.len) return;
    if (!take_number(span_sub(range, 0, dash), &from) || (last.len > 0 && !take_number(last, &to)) || to < from) return;
    w->place.position = w->place.skip = from;
    if (last.len > 0) w->limit = to - from + 1;
    if (p->max_limit > 0 && w->limit > p->max_limit) w->limit = p->max_limit;
}

void pages_wish_free(struct pages_wish *w)
{
    buf_free(&w->text);
}
