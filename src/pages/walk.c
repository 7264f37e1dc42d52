/* The arithmetic of a walk: what the origin is asked, and when that is enough. All of it follows from the request and from
 * how many units are visible; a withheld unit costs another trip only where more are withheld than are read ahead. */
#include "pages/pages.h"

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Follows what the origin says comes next, or counts from the list's beginning. */
static bool follows(const struct pages_walk *w)
{
    return w->rules->style == PAGE_STYLE_CURSOR || w->rules->style == PAGE_STYLE_LINK;
}

static uint64_t ahead(uint64_t target) { return PAGES_AHEAD + target / 8; }

void pages_walk_begin(struct pages_walk *w, const struct rules_pages *p, bool whole, const struct pages_wish *wish)
{
    uint64_t at_once = p->max_limit > 0 ? p->max_limit : PAGES_AT_ONCE;
    *w = (struct pages_walk){.rules = p, .whole = whole, .limit = wish->limit, .place = wish->place};
    /* Only from the beginning can everybody be counted. */
    if (whole || !follows(w)) w->place = (struct pages_place){.skip = w->place.position, .position = w->place.position};
    uint64_t wanted = least(w->place.skip, p->scan) + least(w->limit, p->scan);
    w->target = (whole ? p->scan : least(wanted, p->scan)) + 1;
    bool steps = follows(w) && !whole && w->place.skip == 0; /* from page to page: what is behind need not be read again */
    w->block = steps ? (w->limit > PAGES_AHEAD ? w->limit : PAGES_AHEAD) : w->target + ahead(w->target);
    w->block = p->limit.len > 0 ? least(w->block, at_once) : p->default_limit;
    uint64_t further = least(ahead(w->target), w->block - 1);
    w->wanted = w->place.from + w->target;
    w->least = steps ? 2 : (w->target + further + w->block - 1) / w->block;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

/* RFC 3986 3.4: what a query may hold as it is, but for what separates its parameters. */
static bool is_plain(uint8_t c)
{
    return is_alnum(c) || (c != 0 && strchr("-._~!$'()*,:@/?", c) != NULL);
}

static RESULT add_encoded(struct buf *out, span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_plain(s.ptr[i])) TRY(buf_append(out, span_sub(s, i, 1)));
        else TRY(buf_printf(out, "%%%02X", s.ptr[i]));
    }
    return OK;
}

static RESULT add_name(struct buf *out, span name)
{
    if (buf_len(out) > 0) TRY(buf_append(out, SPAN("&")));
    TRY(add_encoded(out, name));
    return buf_append(out, SPAN("="));
}

static RESULT add_number(struct buf *out, span name, uint64_t n)
{
    if (name.len == 0) return OK;
    TRY(add_name(out, name));
    return buf_printf(out, "%llu", (unsigned long long)n);
}

result pages_walk_ask(const struct pages_walk *w, const struct pages_wish *wish, span address, struct buf *out)
{
    const struct rules_pages *p = w->rules;
    if (p->style == PAGE_STYLE_LINK && address.len > 0) return buf_append(out, address);
    TRY(buf_append(out, wish->rest));
    switch (p->style) {
    case PAGE_STYLE_OFFSET: TRY(add_number(out, p->offset, w->units)); break;
    case PAGE_STYLE_PAGE: TRY(add_number(out, p->page, p->first + w->trips)); break;
    case PAGE_STYLE_CURSOR:
        if (address.len == 0) break;
        TRY(add_name(out, p->cursor));
        TRY(add_encoded(out, address));
        break;
    case PAGE_STYLE_LINK: break;
    }
    return add_number(out, p->limit, w->block);
}

/* ---- what came -------------------------------------------------------------------------------------------------- */

void pages_walk_met(struct pages_walk *w, uint64_t count, bool leads_on, uint64_t total)
{
    const struct rules_pages *p = w->rules;
    w->trips++;
    if (w->ended) return;
    w->units += count;
    if (follows(w)) {
        w->ended = !leads_on;
        return;
    }
    bool short_page = p->max_limit > 0 && p->limit.len > 0 && count < w->block;
    /* An empty list is seen to end as any other is that is shorter than what was asked for: by one more question. */
    bool nothing = count == 0 && w->trips > 1;
    w->ended = nothing || short_page || w->units >= total;
}

static uint64_t most_units(const struct pages_walk *w)
{
    return w->place.from + 2 * (w->rules->scan + w->block);
}

uint64_t pages_walk_most(const struct pages_walk *w)
{
    bool sees_end = follows(w) || (w->rules->max_limit > 0 && w->rules->limit.len > 0); /* else by an empty page */
    uint64_t trips = w->block > 0 ? (most_units(w) + w->block - 1) / w->block + !sees_end : 0;
    return trips > w->least ? trips : w->least;
}

bool pages_walk_goes_on(const struct pages_walk *w)
{
    return w->trips < w->least || (!w->ended && w->units < w->wanted);
}

/* Units to read before deciding again. */
static uint64_t further(const struct pages_walk *w, uint64_t visible)
{
    uint64_t missing = w->target - visible, estimate = visible > 0 ? missing * w->units / visible : w->units;
    uint64_t more = least(estimate + estimate / 8, w->units);
    if (more < (w->units + 7) / 8) more = (w->units + 7) / 8;
    return more > missing ? more : missing;
}

/* A record behind all that was read may take along more than are too many: nobody can say yet that the list is too long. Whoever counts the
 * questions of one that is learns only this. */
//= ICE10036.2 2.1
static bool reads_on(struct pages_walk *w, uint64_t visible)
{
    uint64_t most = pages_walk_most(w);
    if (!w->joins || visible < w->target || w->least >= most) return false;
    w->least = most;
    w->wanted = most_units(w);
    return true;
}

enum pages_step pages_walk_judge(struct pages_walk *w, uint64_t visible)
{
    if (reads_on(w, visible)) return PAGES_ASK;
    if (!w->ended && visible < w->target) {
        w->wanted = least(w->units + further(w, visible), most_units(w));
        return w->units < most_units(w) ? PAGES_ASK : PAGES_TOO_FEW;
    }
    uint64_t scan = w->rules->scan;
    bool within = !w->whole && w->place.skip <= scan && w->limit <= scan - w->place.skip;
    return within || visible <= scan ? PAGES_ENOUGH : PAGES_TOO_FAR;
}

/* ---- where one gets from here ----------------------------------------------------------------------------------- */

static struct pages_place from_root(uint64_t position)
{
    return (struct pages_place){.skip = position, .position = position};
}

bool pages_total(const struct pages_walk *w, uint64_t visible, uint64_t *total)
{
    *total = visible;
    return w->whole;
}

void pages_leads_find(const struct pages_walk *w, uint64_t visible, const struct pages_place *next, struct pages_leads *out)
{
    uint64_t position = w->place.position, limit = w->limit, total;
    *out = (struct pages_leads){.to = {{.there = false}}};
    out->to[CURSOR_FIRST].there = true;
    if (limit == 0) return;
    out->to[CURSOR_NEXT].there = visible > w->place.skip && visible - w->place.skip > limit;
    out->to[CURSOR_NEXT].place = follows(w) && !w->whole ? *next : from_root(position + limit);
    out->to[CURSOR_NEXT].place.position = position + limit;
    out->to[CURSOR_PREVIOUS].there = position > 0;
    out->to[CURSOR_PREVIOUS].place = from_root(position > limit ? position - limit : 0);
    bool known = pages_total(w, visible, &total) && total > 0;
    out->to[CURSOR_LAST].there = known;
    out->to[CURSOR_LAST].place = from_root(known ? (total - 1) / limit * limit : 0);
}
