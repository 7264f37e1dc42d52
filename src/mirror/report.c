/* What the boards hold, told by route and document: as JSON for programs, as text for people. */
#include "mirror/mirror.h"
#include <stdlib.h>

/* Rows of all boards that say the same, added up. */
struct line {
    const struct mirror_row *row; /* its texts */
    enum mirror_fact fact;
    uint64_t count;
};

struct lines {
    struct line *items;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = strcmp(x->row->route, y->row->route);
    if (order == 0) order = strcmp(x->row->document, y->row->document);
    if (order == 0) order = x->fact < y->fact ? -1 : x->fact > y->fact;
    return order != 0 ? order : strcmp(x->row->name, y->row->name);
}

static bool collect_row(const struct mirror_row *r, struct line *out)
{
    uint32_t taken = atomic_load_explicit(&r->taken, memory_order_acquire);
    if (taken == 0 || taken > MIRROR_FACT_COUNT) return false;
    *out = (struct line){r, (enum mirror_fact)(taken - 1), atomic_load_explicit(&r->count, memory_order_relaxed)};
    return true;
}

static size_t merge(struct line *lines, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && compare(&lines[kept - 1], &lines[i]) == 0) lines[kept - 1].count += lines[i].count;
        else lines[kept++] = lines[i];
    }
    return kept;
}

static RESULT collect(const struct mirror_source *s, struct lines *out)
{
    size_t n = 0;
    out->items = mem_array(s->board_count * MIRROR_ROWS + 1, sizeof(*out->items));
    REQUIRE(out->items != NULL, ERROR_LIMIT, 0);
    for (size_t b = 0; b < s->board_count; b++) {
        for (size_t i = 0; i < MIRROR_ROWS; i++) n += collect_row(&s->boards[b]->rows[i], &out->items[n]);
    }
    qsort(out->items, n, sizeof(*out->items), compare);
    out->count = merge(out->items, n);
    return OK;
}

uint64_t mirror_lost(const struct mirror_source *s)
{
    uint64_t n = 0;
    for (size_t b = 0; b < s->board_count; b++) n += atomic_load_explicit(&s->boards[b]->lost, memory_order_relaxed);
    return n;
}

uint64_t mirror_sum(const struct mirror_source *s, enum mirror_fact f)
{
    uint64_t n = 0;
    struct line l;
    for (size_t b = 0; b < s->board_count; b++) {
        for (size_t i = 0; i < MIRROR_ROWS; i++) {
            if (collect_row(&s->boards[b]->rows[i], &l) && l.fact == f) n += l.count;
        }
    }
    return n;
}

/* ---- groups: the lines of one route and document ------------------------------------------------------------------ */

struct group {
    const struct line *lines;
    size_t count;
    const char *route, *document;
    const struct rules_document *described; /* NULL: none of that name */
};

static const struct rules_document *document_named(const struct rules_profile *p, const char *template)
{
    for (size_t i = 0; p != NULL && i < rules_profile_documents(p); i++) {
        const struct rules_document *d = rules_profile_document(p, i);
        if (strncmp(rules_document_view(d)->path_template, template, MIRROR_TEXT - 1) == 0) return d;
    }
    return NULL;
}

static size_t next_group(const struct mirror_source *s, const struct lines *all, size_t from, struct group *g)
{
    const struct line *first = &all->items[from];
    size_t to = from;
    while (to < all->count && strcmp(all->items[to].row->route, first->row->route) == 0 &&
           strcmp(all->items[to].row->document, first->row->document) == 0) {
        to++;
    }
    *g = (struct group){.lines = first, .count = to - from, .route = first->row->route, .document = first->row->document};
    for (size_t i = 0; i < s->route_count && g->document[0] != '\0'; i++) {
        if (strncmp(s->routes[i].path, g->route, MIRROR_TEXT - 1) == 0) g->described = document_named(s->routes[i].profile, g->document);
    }
    return to;
}

static uint64_t sum(const struct group *g, enum mirror_fact f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < g->count; i++) n += g->lines[i].fact == f ? g->lines[i].count : 0;
    return n;
}

static bool unit_stood(const struct group *g, const char *path)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->lines[i].fact == MIRROR_UNIT && strncmp(g->lines[i].row->name, path, MIRROR_TEXT - 1) == 0) return true;
    }
    return false;
}

/* The next declared unit, from *u on, that stood in no answer; NULL: none. */
static const char *next_absent_unit(const struct group *g, uint16_t *u)
{
    if (g->described == NULL || sum(g, MIRROR_ANSWERS) == 0) return NULL;
    while (*u < rules_document_view(g->described)->units) {
        const char *path = rules_unit_path(g->described, (*u)++);
        if (!unit_stood(g, path)) return path;
    }
    return NULL;
}

/* Documents of routes that nobody asked for while the mirror ran. */
static bool was_asked(const struct lines *all, const char *route, const char *document)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct mirror_row *r = all->items[i].row;
        if (strncmp(r->route, route, MIRROR_TEXT - 1) == 0 && strncmp(r->document, document, MIRROR_TEXT - 1) == 0) return true;
    }
    return false;
}

typedef result unasked_fn(void *ctx, const char *route, const char *document);
static RESULT each_unasked(const struct mirror_source *s, const struct lines *all, unasked_fn *each, void *ctx)
{
    for (size_t i = 0; i < s->route_count; i++) {
        const struct rules_profile *p = s->routes[i].profile;
        for (size_t d = 0; p != NULL && d < rules_profile_documents(p); d++) {
            const struct rules_document *document = rules_profile_document(p, d);
            const char *template = rules_document_view(document)->path_template;
            if (!rules_document_under(document, span_str(s->routes[i].path))) continue;
            if (!was_asked(all, s->routes[i].path, template)) TRY(each(ctx, s->routes[i].path, template));
        }
    }
    return OK;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static RESULT put_quoted(struct buf *out, const char *before, const char *text)
{
    TRY(buf_append(out, span_str(before)));
    return json_quote(out, span_str(text));
}

/* "name":{"a":1,"b":2} of the fact's rows. */
static RESULT put_table(struct buf *out, const struct group *g, enum mirror_fact f)
{
    const char *before = "";
    TRY(buf_printf(out, ",\"%s\":{", mirror_fact_name(f)));
    for (size_t i = 0; i < g->count; i++) {
        if (g->lines[i].fact != f) continue;
        TRY(put_quoted(out, before, g->lines[i].row->name));
        TRY(buf_printf(out, ":%llu", (unsigned long long)g->lines[i].count));
        before = ",";
    }
    return buf_append(out, SPAN("}"));
}

static RESULT put_numbers(struct buf *out, const struct group *g)
{
    static const enum mirror_fact numbers[] = {
        MIRROR_ANSWERS, MIRROR_WITHHELD, MIRROR_NOT_FOUND, MIRROR_WARNED, MIRROR_SEEN, MIRROR_PROTECTED, MIRROR_GONE,
        MIRROR_UNMATCHED};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        TRY(buf_printf(out, ",\"%s\":%llu", mirror_fact_name(numbers[i]), (unsigned long long)sum(g, numbers[i])));
    }
    return OK;
}

static RESULT put_group(struct buf *out, const struct group *g, bool first)
{
    static const enum mirror_fact tables[] = {MIRROR_RULE, MIRROR_REFUSED, MIRROR_NOT_ASKED, MIRROR_UNDELIVERABLE, MIRROR_UNIT,
        MIRROR_OUTSIDE, MIRROR_COUNT, MIRROR_UNDESCRIBED};
    TRY(put_quoted(out, first ? "{\"route\":" : ",\n{\"route\":", g->route));
    TRY(put_quoted(out, ",\"document\":", g->document));
    TRY(put_numbers(out, g));
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) TRY(put_table(out, g, tables[i]));
    TRY(buf_append(out, SPAN(",\"units_absent\":[")));
    uint16_t u = 0;
    const char *before = "";
    for (const char *path; (path = next_absent_unit(g, &u)) != NULL; before = ",") TRY(put_quoted(out, before, path));
    return buf_append(out, SPAN("]}"));
}

struct unasked_json {
    struct buf *out;
    bool some;
};

static RESULT put_unasked(void *ctx, const char *route, const char *document)
{
    struct unasked_json *j = ctx;
    TRY(put_quoted(j->out, j->some ? ",\n{\"route\":" : "{\"route\":", route));
    TRY(put_quoted(j->out, ",\"document\":", document));
    j->some = true;
    return buf_append(j->out, SPAN("}"));
}

static RESULT write_json(const struct mirror_source *s, const struct lines *all, struct buf *out)
{
    struct group g;
    struct unasked_json j = {.out = out};
    TRY(buf_printf(out, "{\"format\":1,\"answers\":%llu,\"lost\":%llu,\"documents\":[", (unsigned long long)mirror_sum(s, MIRROR_ANSWERS),
        (unsigned long long)mirror_lost(s)));
    for (size_t i = 0; i < all->count;) {
        bool first = i == 0;
        i = next_group(s, all, i, &g);
        TRY(put_group(out, &g, first));
    }
    TRY(buf_append(out, SPAN("],\"never_asked\":[")));
    TRY(each_unasked(s, all, put_unasked, &j));
    return buf_append(out, SPAN("]}\n"));
}

RESULT mirror_report_json(const struct mirror_source *s, struct buf *out)
{
    struct lines all = {0};
    result r = collect(s, &all);
    if (is_ok(r)) r = write_json(s, &all, out);
    mem_free(all.items);
    return r;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* What a fact's rows say to a person: "    %s: %llu, what it means\n". */
static const struct {
    enum mirror_fact fact;
    const char *words;
} DRIFT[] = {
    {MIRROR_REFUSED, "times a restricted recipient would be answered without asking the origin"},
    {MIRROR_NOT_ASKED, "copies were not asked again: they may change something"},
    {MIRROR_UNDELIVERABLE, "answers cannot be read: not for restricted recipients, uninspected for entitled ones"},
    {MIRROR_OUTSIDE, "findings stood outside every declared unit and withhold the whole answer; declare a unit around them, or \"texts\""},
    {MIRROR_COUNT, "times the count was not the number of units in the answer; drop \"complete\", or correct the path"},
    {MIRROR_UNDESCRIBED, "requests that no documents entry describes; add one, or set \"unprofiled\""},
};

static RESULT tell_rows(struct buf *out, const struct group *g, enum mirror_fact f, const char *words)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct line *l = &g->lines[i];
        if (l->fact != f) continue;
        TRY(buf_printf(out, "  %s: %llu %s\n", l->row->name, (unsigned long long)l->count, words));
    }
    return OK;
}

static RESULT tell_rules(struct buf *out, const struct group *g)
{
    const char *before = "  found by ";
    for (size_t i = 0; i < g->count; i++) {
        if (g->lines[i].fact != MIRROR_RULE) continue;
        TRY(buf_printf(out, "%s%s %llu", before, g->lines[i].row->name, (unsigned long long)g->lines[i].count));
        before = ", ";
    }
    return before[0] == ',' ? buf_append(out, SPAN("\n")) : OK;
}

/* Where searches are rare it would be one more line to read past. */
static RESULT tell_unmatched(struct buf *out, const struct group *g)
{
    uint64_t n = sum(g, MIRROR_UNMATCHED);
    if (n == 0) return OK;
    return buf_printf(out, "  %llu records would be left out because what was asked for stands in nothing that is shown of them\n",
        (unsigned long long)n);
}

static RESULT tell_group(struct buf *out, const struct group *g)
{
    unsigned long long answers = sum(g, MIRROR_ANSWERS);
    TRY(buf_printf(out, "%s%s%s\n", g->route, g->document[0] != '\0' ? "  " : "", g->document));
    if (answers > 0) {
        unsigned long long whole = sum(g, MIRROR_NOT_FOUND), some = sum(g, MIRROR_WITHHELD) - whole;
        TRY(buf_printf(out, "  %llu answers: a restricted recipient would not get %llu of them, and %llu in part; an entitled one is "
                            "warned of %llu\n", answers, whole, some, (unsigned long long)sum(g, MIRROR_WARNED)));
        TRY(buf_printf(out, "  %llu records: %llu protected, %llu withheld\n", (unsigned long long)sum(g, MIRROR_SEEN),
            (unsigned long long)sum(g, MIRROR_PROTECTED), (unsigned long long)sum(g, MIRROR_GONE)));
    }
    TRY(tell_unmatched(out, g));
    TRY(tell_rules(out, g));
    for (size_t i = 0; i < ARRAY_LEN(DRIFT); i++) TRY(tell_rows(out, g, DRIFT[i].fact, DRIFT[i].words));
    uint16_t u = 0;
    for (const char *path; (path = next_absent_unit(g, &u)) != NULL;) {
        TRY(buf_printf(out, "  %s: a declared unit that stood in none of %llu answers; correct the path\n", path, answers));
    }
    return OK;
}

static RESULT tell_unasked(void *ctx, const char *route, const char *document)
{
    return buf_printf(ctx, "%s  %s\n  never asked for\n", route, document);
}

static RESULT write_text(const struct mirror_source *s, const struct lines *all, struct buf *out)
{
    struct group g;
    TRY(buf_printf(out, "mirror: %llu answers evaluated, %llu of them would not reach a restricted recipient whole; nothing was "
                        "released\n", (unsigned long long)mirror_sum(s, MIRROR_ANSWERS), (unsigned long long)mirror_sum(s, MIRROR_WITHHELD)));
    for (size_t i = 0; i < all->count;) {
        i = next_group(s, all, i, &g);
        TRY(tell_group(out, &g));
    }
    TRY(each_unasked(s, all, tell_unasked, out));
    if (mirror_lost(s) == 0) return OK;
    return buf_printf(out, "%llu facts found no room and are missing above\n", (unsigned long long)mirror_lost(s));
}

RESULT mirror_report_text(const struct mirror_source *s, struct buf *out)
{
    struct lines all = {0};
    result r = collect(s, &all);
    if (is_ok(r)) r = write_text(s, &all, out);
    mem_free(all.items);
    return r;
}
