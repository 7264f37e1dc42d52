/* What we write ourselves: members, links and ranges of a page. */
#include "pages/pages.h"

static const struct pages_place *place_of(const struct pages_words *w, enum rules_cursor_aim aim)
{
    return &w->leads->to[aim].place;
}

/* The parameter that says where a page begins. */
static span parameter_of(const struct rules_pages *p)
{
    switch (p->style) {
    case PAGE_STYLE_OFFSET: return p->offset;
    case PAGE_STYLE_PAGE: return p->page;
    case PAGE_STYLE_CURSOR:
    case PAGE_STYLE_LINK: break;
    }
    return p->cursor;
}

result pages_write_value(const struct pages_words *w, enum rules_cursor_aim aim, struct buf *out)
{
    const struct rules_pages *p = w->walk->rules;
    const struct pages_place *place = place_of(w, aim);
    uint64_t limit = w->walk->limit;
    switch (p->style) {
    case PAGE_STYLE_OFFSET: return buf_printf(out, "%llu", (unsigned long long)place->position);
    case PAGE_STYLE_PAGE:
        return buf_printf(out, "%llu", (unsigned long long)p->first + (limit > 0 ? place->position / limit : 0));
    case PAGE_STYLE_CURSOR:
    case PAGE_STYLE_LINK: break;
    }
    return pages_seal(w->keys, w->binding, w->nonces[aim], p->size, w->expires_s, place, out);
}

/* A name as a query spells it. */
static RESULT write_name(struct buf *out, span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if (is_alnum(c) || (c != 0 && strchr("-._~$", c) != NULL)) TRY(buf_append(out, span_sub(name, i, 1)));
        else TRY(buf_printf(out, "%%%02X", c));
    }
    return buf_append(out, SPAN("="));
}

result pages_write_link(const struct pages_words *w, enum rules_cursor_aim aim, struct buf *out)
{
    const struct rules_pages *p = w->walk->rules;
    if (w->host.len > 0) TRY(buf_printf(out, "https://%.*s", SPAN_FMT(w->host)));
    TRY(buf_printf(out, "%.*s?%.*s%s", SPAN_FMT(w->binding->path), SPAN_FMT(w->wish->rest), w->wish->rest.len > 0 ? "&" : ""));
    TRY(write_name(out, parameter_of(p)));
    TRY(pages_write_value(w, aim, out));
    if (!w->wish->limited || p->limit.len == 0) return OK;
    TRY(buf_append(out, SPAN("&")));
    TRY(write_name(out, p->limit));
    return buf_printf(out, "%llu", (unsigned long long)w->wish->limit);
}

static RESULT write_relation(const char *name, struct buf *out)
{
    return buf_printf(out, "%s{\"relation\":\"%s\",\"url\":\"", out->base[out->write - 1] == '[' ? "" : ",", name);
}

/* The page itself first, then where it leads. */
static RESULT write_relations(const struct pages_words *w, struct buf *out)
{
    static const char *const names[CURSOR_AIM_COUNT] = {
#define X(id, name) name,
        RULES_CURSOR_AIMS(X)
#undef X
    };
    TRY(buf_append(out, SPAN("[")));
    TRY(write_relation("self", out));
    if (w->host.len > 0) TRY(buf_printf(out, "https://%.*s", SPAN_FMT(w->host)));
    TRY(buf_printf(out, "%.*s%s%.*s\"}", SPAN_FMT(w->binding->path), w->query.len > 0 ? "?" : "", SPAN_FMT(w->query)));
    for (size_t i = 0; i < CURSOR_AIM_COUNT; i++) {
        if (!w->leads->to[i].there) continue;
        TRY(write_relation(names[i], out));
        TRY(pages_write_link(w, (enum rules_cursor_aim)i, out));
        TRY(buf_append(out, SPAN("\"}")));
    }
    return buf_append(out, SPAN("]"));
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

static RESULT write_cursor(const struct pages_words *w, const struct rules_cursor *c, struct buf *out)
{
    if (c->form == CURSOR_AS_RELATIONS) return write_relations(w, out);
    if (!w->leads->to[c->aim].there) return buf_append(out, SPAN("null"));
    if (c->form == CURSOR_AS_NUMBER) return pages_write_value(w, c->aim, out);
    TRY(buf_append(out, SPAN("\""))); /* URLs, digits and base64url: nothing that JSON escapes */
    TRY(c->form == CURSOR_AS_LINK ? pages_write_link(w, c->aim, out) : pages_write_value(w, c->aim, out));
    return buf_append(out, SPAN("\""));
}

static bool is_written(const struct pages_words *w, const struct rules_cursor *c)
{
    return c->absent_null || c->form == CURSOR_AS_RELATIONS || w->leads->to[c->aim].there;
}

static bool in_one_member(const struct rules_cursor *a, const struct rules_cursor *b)
{
    return a->shared == b->shared && span_equal(a->names[a->shared], b->names[b->shared]);
}

/* All that stands in the member of cursor `at`, which is the first of them. */
static RESULT write_member(const struct pages_words *w, size_t at, struct buf *out)
{
    const struct rules_pages *p = w->walk->rules;
    const struct rules_cursor *first = &p->cursors[at];
    TRY(buf_append(out, SPAN(",")));
    TRY(json_quote(out, first->names[first->shared]));
    TRY(buf_append(out, SPAN(":")));
    if (first->count == first->shared + 1) return write_cursor(w, first, out);
    const char *before = "{";
    for (size_t i = at; i < p->cursor_count; i++) {
        const struct rules_cursor *c = &p->cursors[i];
        if (!in_one_member(first, c) || !is_written(w, c) || c->count != c->shared + 2) continue;
        TRY(buf_append(out, span_str(before)));
        TRY(json_quote(out, c->names[c->shared + 1]));
        TRY(buf_append(out, SPAN(":")));
        TRY(write_cursor(w, c, out));
        before = ",";
    }
    return buf_append(out, SPAN("}"));
}

result pages_write_members(const struct pages_words *w, size_t depth, struct buf *out)
{
    const struct rules_pages *p = w->walk->rules;
    for (size_t i = 0; i < p->cursor_count; i++) {
        bool begun = false;
        if (p->cursors[i].shared != depth || !is_written(w, &p->cursors[i])) continue;
        for (size_t k = 0; k < i; k++) begun |= in_one_member(&p->cursors[k], &p->cursors[i]) && is_written(w, &p->cursors[k]);
        if (!begun) TRY(write_member(w, i, out));
    }
    return OK;
}

/* ---- fields of the head ----------------------------------------------------------------------------------------- */

//= RFC8288 3
result pages_write_links(const struct pages_words *w, struct buf *out)
{
    static const enum rules_cursor_aim order[] = {CURSOR_FIRST, CURSOR_PREVIOUS, CURSOR_NEXT, CURSOR_LAST};
    static const char *const names[] = {"first", "prev", "next", "last"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (!w->leads->to[order[i]].there) continue;
        TRY(buf_append(out, buf_len(out) > 0 ? SPAN(", <") : SPAN("<")));
        TRY(pages_write_link(w, order[i], out));
        TRY(buf_printf(out, ">; rel=\"%s\"", names[i]));
    }
    return OK;
}

//= RFC9110 14.4
result pages_write_range(const struct pages_walk *w, uint64_t visible, uint64_t taken, struct buf *out)
{
    uint64_t from = w->place.position, total;
    if (taken == 0) TRY(buf_append(out, SPAN("*/")));
    else TRY(buf_printf(out, "%llu-%llu/", (unsigned long long)from, (unsigned long long)(from + taken - 1)));
    if (!pages_total(w, visible, &total)) return buf_append(out, SPAN("*"));
    return buf_printf(out, "%llu", (unsigned long long)total);
}
