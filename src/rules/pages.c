/* `pages` and `cursors` of a document: how its list is asked for page by page, and what leads from one to another. */
#include "rules/set.h"

#define SCAN_MAX 10000000
#define LIMIT_MAX 1000000
#define ITEMS_DEPTH 16

struct pages_load {
    struct loader *loader;
    struct rules_pages *pages;
    struct rules_cursor *cursors;
    size_t cursor_count;
    bool paged; /* `pages` is given */
    cursor_path_fn *each;
    void *ctx;
};

static const char *const styles[] = {
#define X(id, name) name,
    RULES_PAGE_STYLES(X)
#undef X
        NULL};
static const char *const aims[] = {
#define X(id, name) name,
    RULES_CURSOR_AIMS(X)
#undef X
        NULL};
static const char *const forms[] = {
#define X(id, name) name,
    RULES_CURSOR_FORMS(X)
#undef X
        NULL};

/* ---- paths ------------------------------------------------------------------------------------------------------ */

/* Member names alone: one place in a document. */
static bool names_of(struct loader *l, const struct path_expr *expr, const span **names)
{
    span *out = loader_alloc(l, expr->count + 1, sizeof *out);
    *names = NULL;
    for (size_t i = 0; out && i < expr->count; i++) {
        if (expr->segments[i].selector != SELECT_NAME || expr->segments[i].descend) return false;
        out[i] = expr->segments[i].name;
    }
    *names = out;
    return out != NULL;
}

static bool parse_path(struct loader *l, const struct place *at, const char *text, struct path_expr *out)
{
    size_t offset;
    const char *problem = path_parse(l->set->arena, span_str(text), out, &offset);
    if (problem) place_error(at, "\"%.80s\" is no path (offset %zu): %s", text, offset, problem);
    return !problem;
}

static void load_items(struct pages_load *p, const struct place *at, const json_t *v)
{
    struct path_expr expr;
    struct place items_at = place_member(at, "items");
    const char *text = place_string(at, v, "items", false, NULL);
    if (!text || !parse_path(p->loader, &items_at, text, &expr)) return;
    if (expr.count > ITEMS_DEPTH)
        place_error(&items_at, "more than %d members lead to the list", ITEMS_DEPTH);
    else if (names_of(p->loader, &expr, &p->pages->items))
        p->pages->items_count = expr.count;
    else
        place_error(&items_at, "\"%.80s\" names more than one list; name members alone, such as \"$.items\"", text);
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static span load_parameter(struct pages_load *p, const struct place *at, const json_t *v, const char *name)
{
    const char *text = place_string(at, v, name, false, NULL);
    struct place member = place_member(at, name);
    if (!text) return span_of(NULL, 0);
    if (!*text || strpbrk(text, "&=;"))
        place_error(&member, "\"%.60s\" is no parameter name; write it decoded, without & = ;", text);
    return span_str(loader_text(p->loader, text));
}

static span load_field(struct pages_load *p, const struct place *at, const json_t *v, const char *name)
{
    const char *text = place_string(at, v, name, false, NULL);
    struct place member = place_member(at, name);
    bool token = text && *text;
    for (const char *c = text; token && *c; c++) token = is_alnum((uint8_t)*c) || *c == '-';
    if (!text) return span_of(NULL, 0);
    if (!token) place_error(&member, "\"%.60s\" is no field name; write one such as \"X-Total-Count\"", text);
    return span_str(loader_text(p->loader, text));
}

/* The parameter that a style cannot do without. */
static void check_style(const struct pages_load *p, const struct place *at)
{
    const struct rules_pages *g = p->pages;
    const span wanted[] = {g->offset, g->page, g->cursor, g->cursor};
    static const char *const names[] = {"offset", "page", "cursor", "cursor"};
    if (wanted[g->style].len == 0)
        place_error(at, "pages of style \"%s\" need \"%s\": the query parameter that says where the page begins",
            styles[g->style], names[g->style]);
    bool follows = g->style == PAGE_STYLE_CURSOR || g->style == PAGE_STYLE_LINK;
    if (g->offset.len > 0 && g->style != PAGE_STYLE_OFFSET) place_error(at, "\"offset\" belongs to the style \"offset\"; remove it");
    if (g->page.len > 0 && g->style != PAGE_STYLE_PAGE) place_error(at, "\"page\" belongs to the style \"page\"; remove it");
    if (g->cursor.len > 0 && !follows) place_error(at, "\"cursor\" belongs to the styles \"cursor\" and \"link\"; remove it");
}

static void load_pages(struct pages_load *p, const struct place *document, const json_t *document_v)
{
    static const struct member_spec members[] = {{"style", true, false}, {"items", true, false}, {"offset", false, false},
        {"limit", false, false}, {"page", false, false}, {"cursor", false, false}, {"first", false, false},
        {"default_limit", false, false}, {"max_limit", false, false}, {"scan", false, false}, {"size", false, false},
        {"total", false, false}, {"link", false, false}, {"range", false, false}, {NULL, false, false}};
    const json_t *v = json_object_get(document_v, "pages");
    struct place at = place_member(document, "pages");
    struct rules_pages *g = p->pages;
    (void)place_check_members(&at, v, members);
    int style = place_enum(&at, v, "style", styles, false, PAGE_STYLE_OFFSET);
    g->style = (enum rules_page_style)(style < 0 ? 0 : style);
    load_items(p, &at, v);
    g->offset = load_parameter(p, &at, v, "offset");
    g->limit = load_parameter(p, &at, v, "limit");
    g->page = load_parameter(p, &at, v, "page");
    g->cursor = load_parameter(p, &at, v, "cursor");
    g->first = (uint64_t)place_integer(&at, v, "first", 0, 1, 1);
    g->default_limit = (uint64_t)place_integer(&at, v, "default_limit", 1, LIMIT_MAX, 50);
    g->max_limit = (uint64_t)place_integer(&at, v, "max_limit", 0, LIMIT_MAX, 0);
    g->scan = (uint64_t)place_integer(&at, v, "scan", 1, SCAN_MAX, 10000);
    g->size = (size_t)place_integer(&at, v, "size", 16, 2048, 256);
    g->total = load_field(p, &at, v, "total");
    g->link = load_field(p, &at, v, "link");
    g->range = load_field(p, &at, v, "range");
    if (json_is_object(v) && json_object_get(v, "style")) check_style(p, &at);
}

/* ---- cursors ---------------------------------------------------------------------------------------------------- */

static bool holds(span name, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= name.len; i++)
        if (span_equal_nocase(span_sub(name, i, n), span_of(word, n))) return true;
    return false;
}

/* Most names say where they lead. */
static int aim_of(span name)
{
    static const char *const words[] = {"next", "prev", "first", "last"};
    for (int i = 0; i < (int)ARRAY_LEN(words); i++)
        if (holds(name, words[i])) return i;
    return -1;
}

/* A cursor stands beside the list, or one level deeper; what is removed is the member beside the list. */
static bool place_cursor(struct pages_load *p, const struct place *at, const char *text, struct path_expr *expr, struct rules_cursor *c)
{
    const struct rules_pages *g = p->pages;
    if (!names_of(p->loader, expr, &c->names)) {
        place_error(at, "\"%.80s\" can stand in several places; name members alone, such as \"$.next\"", text);
        return false;
    }
    c->count = expr->count;
    while (c->shared < c->count && c->shared < g->items_count && span_equal(c->names[c->shared], g->items[c->shared])) c->shared++;
    if (c->shared == g->items_count) {
        place_error(at, "\"%.80s\" stands in the list itself; a cursor stands beside it", text);
        return false;
    }
    if (c->count == c->shared || c->count > c->shared + 2) {
        place_error(at, "\"%.80s\" is neither beside the list nor one level deeper, where the gateway can write its own", text);
        return false;
    }
    expr->count = c->shared + 1;
    return true;
}

static void add_cursor(struct pages_load *p, const struct place *at, const char *text, struct rules_cursor *given, int aim, int form)
{
    struct path_expr expr;
    const char *own = loader_text(p->loader, text);
    if (!own || !parse_path(p->loader, at, own, &expr)) return;
    if (p->paged) {
        if (!place_cursor(p, at, own, &expr, given)) return;
        if (aim < 0) aim = form == CURSOR_AS_RELATIONS ? (int)CURSOR_NEXT : aim_of(given->names[given->count - 1]);
        if (aim < 0) place_error(at, "\"%.80s\" does not say where it leads; write {\"path\": …, \"to\": \"next\"}", text);
        bool value = p->pages->style == PAGE_STYLE_CURSOR;
        given->aim = (enum rules_cursor_aim)(aim < 0 ? 0 : aim);
        given->form = (enum rules_cursor_form)(form >= 0 ? form : value ? (int)CURSOR_AS_VALUE : (int)CURSOR_AS_LINK);
        if (given->form == CURSOR_AS_NUMBER && (value || p->pages->style == PAGE_STYLE_LINK))
            place_error(at, "a sealed cursor is no number; only offsets and pages are");
        if (given->form == CURSOR_AS_RELATIONS && p->pages->style == PAGE_STYLE_CURSOR)
            place_error(at, "relations are links; the style \"cursor\" has none");
        p->cursors[p->cursor_count++] = *given;
    }
    p->each(p->ctx, at, own, &expr);
}

static void load_cursor_object(struct pages_load *p, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {
        {"path", true, false}, {"to", false, false}, {"as", false, false}, {"absent", false, false}, {NULL, false, false}};
    static const char *const absents[] = {"null", NULL};
    struct place path_at = place_member(at, "path");
    (void)place_check_members(at, v, members);
    const char *path = place_string(at, v, "path", false, NULL);
    int aim = place_enum(at, v, "to", aims, false, -1), form = place_enum(at, v, "as", forms, false, -1);
    struct rules_cursor c = {.absent_null = place_enum(at, v, "absent", absents, false, -1) == 0};
    if (path) add_cursor(p, &path_at, path, &c, aim, form);
}

static void load_cursors(struct pages_load *p, const struct place *document, const json_t *v)
{
    const json_t *cursors = json_object_get(v, "cursors");
    struct place list = place_member(document, "cursors");
    p->cursors = loader_alloc(p->loader, json_array_size(cursors) + 1, sizeof *p->cursors);
    if (cursors && !json_is_array(cursors)) place_error(&list, "must be an array of paths");
    for (size_t i = 0; p->cursors && i < json_array_size(cursors); i++) {
        const json_t *one = json_array_get(cursors, i);
        struct place at = place_item(&list, i);
        struct rules_cursor c = {0};
        if (json_is_string(one))
            add_cursor(p, &at, json_string_value(one), &c, -1, -1);
        else if (json_is_object(one))
            load_cursor_object(p, &at, one);
        else
            place_error(&at, "a cursor is a path, or {\"path\": …, \"to\": …, \"as\": …, \"absent\": \"null\"}");
    }
}

/* How the gateway itself gets from one of the origin's documents to the next. */
static void find_next(struct pages_load *p, const struct place *document)
{
    struct rules_pages *g = p->pages;
    struct place at = place_member(document, "pages");
    for (size_t i = 0; i < g->cursor_count && !g->next; i++)
        if (g->cursors[i].aim == CURSOR_NEXT) g->next = &g->cursors[i];
    bool linked = g->style == PAGE_STYLE_LINK && g->link.len > 0;
    if ((g->style == PAGE_STYLE_CURSOR || g->style == PAGE_STYLE_LINK) && !g->next && !linked)
        place_error(&at, "nothing says where the origin writes what comes next; name it in \"cursors\"%s",
            g->style == PAGE_STYLE_LINK ? ", or the field of the head in \"link\"" : "");
}

const struct rules_pages *pages_load(struct loader *l, const struct place *at, const json_t *v, cursor_path_fn *each, void *ctx)
{
    struct pages_load p = {.loader = l, .each = each, .ctx = ctx, .paged = json_object_get(v, "pages") != NULL};
    p.pages = loader_alloc(l, 1, sizeof *p.pages);
    if (!p.pages) return NULL;
    if (p.paged) load_pages(&p, at, v);
    load_cursors(&p, at, v);
    p.pages->cursors = p.cursors;
    p.pages->cursor_count = p.cursor_count;
    if (!p.paged || l->no_memory) return NULL;
    find_next(&p, at);
    return p.pages;
}
