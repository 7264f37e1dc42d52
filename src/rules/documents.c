/* One entry of `documents`: which paths of an answer play which part. */
#include "rules/document.h"

static struct path_decl *decl_at(const struct document_load *d, size_t i)
{
    return document_decl(d, i);
}

static void reject(struct document_load *d)
{
    d->failed = true;
}

/* ---- declarations ----------------------------------------------------------------------------------------------- */

static bool is_repeated(const struct document_load *d, const struct path_decl *decl)
{
    for (size_t i = 0; i < d->decls.count; i++) {
        const struct path_decl *other = decl_at(d, i);
        bool alike = other->role == decl->role && (decl->role != PATH_QUERY || other->unit == decl->unit);
        if (alike && path_equal(&other->expr, &decl->expr)) return true;
    }
    return false;
}

static bool parse_at(struct document_load *d, const struct place *at, const char *text, struct path_expr *out)
{
    size_t offset;
    const char *problem = path_parse(d->loader->set->arena, span_str(text), out, &offset);
    if (arena_failed(d->loader->set->arena))
        d->loader->no_memory = true;
    else if (problem)
        place_error(at, "\"%.80s\" is no path (offset %zu): %s", text, offset, problem);
    if (problem) reject(d);
    return !problem;
}

static bool can_be_removed(const struct path_decl *decl)
{
    return decl->expr.count > 0 || decl->role == PATH_UNIT || decl->role == PATH_ALLOWED || decl->role == PATH_KEY ||
           decl->role == PATH_LINK || decl->role == PATH_QUERY;
}

static bool check_decl(struct document_load *d, const struct path_decl *decl)
{
    const char *member = role_member(decl->role);
    if (d->decls.count == PATHS_MAX)
        place_error(&decl->at, "the document declares more than %d paths", PATHS_MAX);
    else if (!can_be_removed(decl))
        place_error(&decl->at, "$ is the whole document, which \"%s\" cannot take away; name a member of it", member);
    else if (is_repeated(d, decl))
        place_error(&decl->at, "\"%s\" names this path twice; remove one", member);
    else
        return true;
    reject(d);
    return false;
}

static struct path_decl *add_checked(struct document_load *d, const struct path_decl *decl)
{
    if (!check_decl(d, decl)) return NULL;
    struct path_decl *out = loader_add(d->loader, &d->decls, sizeof *decl);
    if (out) *out = *decl;
    return out;
}

static struct path_decl *add_decl(
    struct document_load *d, const struct place *at, const char *text, enum path_role role)
{
    struct path_decl decl = {.role = role, .at = *at};
    return parse_at(d, at, text, &decl.expr) ? add_checked(d, &decl) : NULL;
}

struct path_decl *document_add_path(
    struct document_load *d, const struct place *at, const char *text, enum path_role role, uint16_t unit)
{
    struct path_decl decl = {.role = role, .at = *at, .unit = unit};
    return parse_at(d, at, text, &decl.expr) ? add_checked(d, &decl) : NULL;
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

static void add_unit(struct document_load *d, const struct place *at, const char *text, bool absent_null)
{
    struct path_decl *decl = add_decl(d, at, text, PATH_UNIT);
    if (!decl) return;
    decl->unit = d->document->view.units++;
    decl->absent_null = absent_null;
    if (absent_null && decl->expr.count == 0)
        place_error(at, "$ cannot be written null; a withheld document becomes its \"miss\"");
}

static void load_unit_object(struct document_load *d, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"path", true, false}, {"absent", false, false}, {NULL, false, false}};
    static const char *const absents[] = {"null", NULL};
    (void)place_check_members(at, v, members);
    const char *path = place_string(at, v, "path", false, NULL);
    int absent = place_enum(at, v, "absent", absents, false, -1);
    struct place path_at = place_member(at, "path");
    if (path) add_unit(d, &path_at, path, absent == 0);
}

static void load_units(struct document_load *d, const struct place *at, const json_t *v)
{
    const json_t *units = json_object_get(v, "units");
    struct place list = place_member(at, "units");
    if (units && !json_is_array(units)) place_error(&list, "must be an array of paths");
    for (size_t i = 0; i < json_array_size(units); i++) {
        const json_t *unit = json_array_get(units, i);
        struct place item = place_item(&list, i);
        if (json_is_string(unit))
            add_unit(d, &item, json_string_value(unit), false);
        else if (json_is_object(unit))
            load_unit_object(d, &item, unit);
        else
            place_error(&item, "a unit is a path, or {\"path\": …, \"absent\": \"null\"}");
    }
}

/* ---- the other roles -------------------------------------------------------------------------------------------- */

struct path_load {
    struct document_load *document;
    enum path_role role;
    enum registry_kind kind;
};

static void add_path(void *ctx, const struct place *at, const char *text)
{
    const struct path_load *load = ctx;
    struct path_decl *decl = add_decl(load->document, at, text, load->role);
    if (decl) decl->kind = load->kind;
}

static void load_paths(struct document_load *d, const struct place *at, const json_t *v, enum path_role role)
{
    struct path_load load = {.document = d, .role = role};
    place_strings(at, v, role_member(role), add_path, &load);
}

static void load_key_kind(struct document_load *d, const struct place *keys, const char *name, const json_t *v)
{
    static const char *const kinds[] = {
#define X(id, word, shared, surrogate) word,
        REGISTRY_KINDS(X)
#undef X
            NULL};
    struct place at = place_member(keys, name);
    int kind = registry_kind_from(span_str(name));
    const char *meant = kind < 0 ? source_did_you_mean(name, kinds) : NULL;
    if (meant)
        place_error(&at, "unknown kind \"%s\"; did you mean \"%s\"?", name, meant);
    else if (kind < 0)
        place_error(&at, "unknown kind \"%s\"; surrogate keys are person_id, event_number and case_number", name);
    else if (!registry_kind_is_surrogate((enum registry_kind)kind))
        place_error(&at,
            "%s is recognised wherever it stands; only person_id, event_number and case_number are declared here",
            name);
    else {
        struct path_load load = {.document = d, .role = PATH_KEY, .kind = (enum registry_kind)kind};
        place_strings(keys, v, name, add_path, &load);
    }
}

static void load_keys(struct document_load *d, const struct place *at, const json_t *v, const char *system)
{
    json_t *keys = json_object_get(v, "keys");
    struct place keys_at = place_member(at, "keys");
    const char *name;
    json_t *paths;
    if (!keys) return;
    if (!json_is_object(keys)) {
        place_error(&keys_at, "must be an object of kinds, each with an array of paths");
        return;
    }
    if (!system)
        place_error(&keys_at, "the same number means another person in another system; give the profile a \"system\"");
    json_object_foreach(keys, name, paths) load_key_kind(d, &keys_at, name, keys);
}

static void load_links(struct document_load *d, const struct place *at, const json_t *v, const char *system)
{
    struct place links = place_member(at, "links");
    d->document->view.has_links = json_array_size(json_object_get(v, "links")) > 0;
    if (d->document->view.has_links && !system)
        place_warning(&links, "without a \"system\" of the profile no link is looked up, so that a linked unit is seen "
                              "where it is fetched alone; name the system that issued these keys");
    load_paths(d, at, v, PATH_LINK);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

struct graph_load {
    struct document_load *document;
    enum path_role role;
};

/* What stands behind a member's name: lists around what holds the value, that member, lists in it, a member of those. */
struct inside {
    uint8_t before, after;
    const char *member, *last;
};

static void add_named(
    struct document_load *d, const struct place *at, const char *name, enum path_role role, const struct inside *in)
{
    struct path_segment *s = loader_alloc(d->loader, 3u + in->before + in->after, sizeof *s);
    struct path_decl decl = {.role = role, .at = *at, .expr = {.segments = s, .count = 1}};
    if (!s) return;
    s[0] = (struct path_segment){.selector = SELECT_NAME, .descend = true, .name = span_str(name)};
    for (uint8_t i = 0; i < in->before; i++)
        s[decl.expr.count++] = (struct path_segment){.selector = SELECT_ELEMENT};
    if (in->member) s[decl.expr.count++] = (struct path_segment){.selector = SELECT_NAME, .name = span_str(in->member)};
    for (uint8_t i = 0; i < in->after; i++)
        s[decl.expr.count++] = (struct path_segment){.selector = SELECT_ELEMENT};
    if (in->last) s[decl.expr.count++] = (struct path_segment){.selector = SELECT_NAME, .name = span_str(in->last)};
    decl.expr.text = name;
    (void)add_checked(d, &decl);
}

/* A NIEM property is a scalar, an object or an array of either, and its value may hide in rdf:value; JSON-LD has lists and
 * sets. A list in a list is neither's, and read all the same: a reference that is not seen would be left standing. */
//= 10-domain 3.3
static void add_property(void *ctx, const struct place *at, const char *text)
{
    static const char *const members[] = {"rdf:value", "@value", "@list", "@set"};
    const struct graph_load *g = ctx;
    const char *name = loader_text(g->document->loader, text);
    if (name && !*name) place_error(at, "is empty; write the member's name, such as \"@id\"");
    if (!name || !*name) return;
    for (uint8_t before = 0; before <= 2; before++)
        add_named(g->document, at, name, g->role, &(struct inside){before, 0, NULL, NULL});
    for (unsigned i = 0; i < 4 * ARRAY_LEN(members); i++) {
        struct inside in = {i & 1, i >> 1 & 1, members[i >> 2], NULL};
        add_named(g->document, at, name, g->role, &in);
        if (g->role == PATH_REF && in.after > 0) add_named(g->document, at, name, PATH_LISTED, &in);
    }
    for (unsigned i = 0; i < 4; i++)
        add_named(g->document, at, name, g->role, &(struct inside){i & 1, 1, i >> 1 ? "@list" : "@set", "@value"});
}

/* Members that say nothing about what their object names. */
static void add_asides(struct document_load *d, const struct place *at)
{
    static const char *const asides[] = {"@type", "@context", "@language", "@direction", "@index", "@list", "@set",
        "xsi:nil", "@xsi:nil", "structures:metadata", "@structures:metadata"};
    for (size_t i = 0; i < ARRAY_LEN(asides); i++)
        add_named(d, at, asides[i], PATH_ASIDE, &(struct inside){0});
}

static void load_graph(struct document_load *d, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {
        {"id", true, false}, {"ref", false, false}, {"orphans", false, false}, {NULL, false, false}};
    const json_t *graph = json_object_get(v, "graph");
    struct place graph_at = place_member(at, "graph"), id_at = place_member(&graph_at, "id");
    struct graph_load id = {d, PATH_ID}, ref = {d, PATH_REF}, orphans = {d, PATH_ORPHAN};
    if (!graph) return;
    (void)place_check_members(&graph_at, graph, members);
    if (json_is_array(json_object_get(graph, "id")) && json_array_size(json_object_get(graph, "id")) == 0)
        place_error(&id_at, "names no member; name the one that holds an object's id, such as \"@id\"");
    place_strings(&graph_at, graph, "id", add_property, &id);
    place_strings(&graph_at, graph, "ref", add_property, &ref);
    place_strings(&graph_at, graph, "orphans", add_property, &orphans);
    add_asides(d, &graph_at);
    d->document->view.has_graph = true;
    d->document->view.units++; /* what has an id: behind those that are declared */
}

/* The ordinal of the unit declaration with this path, or -1. */
static int find_unit(const struct document_load *d, const struct path_expr *expr)
{
    for (size_t i = 0; i < d->decls.count; i++)
        if (decl_at(d, i)->role == PATH_UNIT && path_equal(&decl_at(d, i)->expr, expr)) return decl_at(d, i)->unit;
    return -1;
}

int document_find_unit(struct document_load *d, const struct place *at, const char *text)
{
    struct path_expr expr;
    if (!parse_at(d, at, text, &expr)) return -1;
    int unit = find_unit(d, &expr);
    if (unit < 0) place_error(at, "\"%.80s\" is not declared in \"units\"", text);
    return unit;
}

static void load_count(struct document_load *d, const struct place *counts, const char *name, const json_t *v)
{
    struct place at = place_member(counts, name);
    struct path_expr expr;
    if (!json_is_string(v)) {
        place_error(&at, "must be the path of the units that are counted");
        return;
    }
    if (!parse_at(d, &at, json_string_value(v), &expr)) return;
    int unit = find_unit(d, &expr);
    struct path_decl *decl = add_decl(d, &at, name, PATH_COUNT);
    if (unit < 0)
        place_error(&at, "\"%.80s\" is not declared in \"units\"; only units are counted", json_string_value(v));
    else if (decl)
        decl->unit = (uint16_t)unit;
}

static void load_counts(struct document_load *d, const struct place *at, const json_t *v)
{
    json_t *counts = json_object_get(v, "counts");
    struct place counts_at = place_member(at, "counts");
    const char *name;
    json_t *unit;
    if (counts && !json_is_object(counts))
        place_error(&counts_at, "must be an object: path of the count, path of the units");
    json_object_foreach(counts, name, unit) load_count(d, &counts_at, name, unit);
    d->document->view.complete = place_bool(at, v, "complete", false);
}

static void load_allow(struct document_load *d, const struct place *at, const json_t *v)
{
    const json_t *allow = json_object_get(v, "allow");
    struct place allow_at = place_member(at, "allow");
    d->document->view.has_allow = allow != NULL;
    if (allow && json_array_size(allow) == 0) reject(d);
    if (json_is_array(allow) && json_array_size(allow) == 0)
        place_error(&allow_at, "allows nothing; name what restricted recipients may see, or leave it out");
    load_paths(d, at, v, PATH_ALLOWED);
}

/* ---- miss ------------------------------------------------------------------------------------------------------- */

static bool is_token_byte(uint8_t c)
{
    return is_alnum(c) || (c && strchr("!#$&-^_.+", c));
}

/* type/subtype and printable parameters: it goes into a head as it is. */
static bool is_media_type(const char *s)
{
    const char *slash = strchr(s, '/');
    const char *end = s + strcspn(s, "; ");
    if (!slash || slash == s || slash > end || slash + 1 == end) return false;
    for (const char *p = s; p < end; p++)
        if (p != slash && !is_token_byte((uint8_t)*p)) return false;
    for (const char *p = end; *p; p++)
        if ((uint8_t)*p < 0x20 || (uint8_t)*p >= 0x7F) return false;
    return true;
}

static void load_miss(struct document_load *d, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {
        {"status", true, false}, {"type", true, false}, {"body", true, false}, {NULL, false, false}};
    const json_t *miss = json_object_get(v, "miss");
    struct place miss_at = place_member(at, "miss");
    struct place status_at = place_member(&miss_at, "status"), type_at = place_member(&miss_at, "type");
    if (!miss) return;
    (void)place_check_members(&miss_at, miss, members);
    int64_t status = place_integer(&miss_at, miss, "status", 200, 599, 404);
    const char *type = place_string(&miss_at, miss, "type", false, "application/json");
    const char *body = place_string(&miss_at, miss, "body", false, "");
    if (status == 204 || status == 205 || status == 304)
        place_error(&status_at,
            "an answer with status %d has no body; use the status that this origin gives for nobody", (int)status);
    if (!is_media_type(type))
        place_error(&type_at, "\"%.60s\" is no media type; write one such as \"application/json\"", type);
    d->document->view.miss = (struct rules_miss){.given = true,
        .status = (unsigned)status,
        .type = loader_text(d->loader, type),
        .body = arena_copy(d->loader->set->arena, span_str(body))};
    if (!d->document->view.miss.body.ptr) d->loader->no_memory = true;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

/* Does the automaton of the first n declarations pass the bound? */
static bool is_too_many(struct document_load *d, size_t n)
{
    struct automaton m;
    struct arena *a = arena_new((size_t)64 << 20);
    enum automaton_outcome outcome = a ? automaton_build(a, d->decls.items, n, false, &m) : AUTOMATON_NO_MEMORY;
    if (a) arena_free(a);
    if (outcome == AUTOMATON_NO_MEMORY) d->loader->no_memory = true;
    return outcome == AUTOMATON_TOO_MANY;
}

/* Names the declaration that takes the automaton over its bound. */
static void report_too_many(struct document_load *d)
{
    size_t n = 1;
    while (n < d->decls.count && !is_too_many(d, n))
        n++;
    const struct path_decl *decl = decl_at(d, n - 1);
    place_error(&decl->at, "with \"%s\" the paths of this document need more than %d states; use fewer .. and *",
        decl->expr.text, STATES_MAX);
}

static void build_automaton(struct document_load *d)
{
    struct rules_document *doc = d->document;
    switch (
        automaton_build(d->loader->set->arena, d->decls.items, d->decls.count, doc->view.complete, &doc->automaton)) {
    case AUTOMATON_OK: break;
    case AUTOMATON_NO_MEMORY: d->loader->no_memory = true; return;
    case AUTOMATON_TOO_MANY: report_too_many(d); return;
    }
    query_settle(d);
    doc->view.root_is_unit = path_info_of(doc, path_root(doc))->roles & PATH_UNIT;
    document_check(doc, d->decls.items, d->decls.count);
}

static void load_template(struct document_load *d, const struct place *at, const json_t *v)
{
    const char *path = place_string(at, v, "path", false, NULL);
    struct place path_at = place_member(at, "path");
    if (!path) return;
    d->document->view.path_template = loader_text(d->loader, path);
    const char *problem = template_parse(d->loader->set->arena, path, &d->document->template);
    if (arena_failed(d->loader->set->arena))
        d->loader->no_memory = true;
    else if (problem)
        place_error(&path_at, "\"%.80s\" is no path template: %s", path, problem);
}

/* A count stands before or behind what it counts, and links lead from one unit to another: neither is known yet, or any
 * more, when a unit leaves. */
static void load_independent(struct document_load *d, const struct place *at, const json_t *v)
{
    static const char *const others[] = {"counts", "links", "graph", "pages", "cursors", "pseudonyms"};
    struct place here = place_member(at, "independent");
    d->document->view.independent = place_bool(at, v, "independent", false);
    if (!d->document->view.independent) return;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (json_object_get(v, others[i]))
            place_error(&here, "cannot be combined with \"%s\", which needs the whole document; leave one of them out",
                others[i]);
    if (d->document->view.on_finding != ON_FINDING_WITHHOLD)
        place_error(&here, "cannot be combined with \"on_finding\": \"%s\", which needs the whole document; leave one of them out",
            rules_on_finding_name(d->document->view.on_finding));
    if (d->document->view.units == 0)
        place_error(&here, "says that units do not refer to each other, but none are declared; add \"units\"");
}

/* What the origin wrote there is removed; several cursors may stand in one member. */
static void add_cursor(void *ctx, const struct place *at, const char *text, const struct path_expr *expr)
{
    struct document_load *d = ctx;
    struct path_decl decl = {.role = PATH_CURSOR, .at = *at, .expr = *expr};
    decl.expr.text = text;
    if (!is_repeated(d, &decl)) (void)add_checked(d, &decl);
}

/* A page holds so many units: the elements of its list are some. */
static void check_page_units(struct document_load *d, const struct place *at)
{
    const struct rules_pages *pages = d->document->view.pages;
    struct place items = place_member(at, "pages");
    items = place_member(&items, "items");
    struct path_segment *s = pages && pages->items ? loader_alloc(d->loader, pages->items_count + 1, sizeof *s) : NULL;
    if (!s) return;
    for (size_t i = 0; i < pages->items_count; i++)
        s[i] = (struct path_segment){.selector = SELECT_NAME, .name = pages->items[i]};
    s[pages->items_count].selector = SELECT_ANY;
    struct path_expr elements = {.segments = s, .count = pages->items_count + 1};
    if (find_unit(d, &elements) < 0)
        place_error(&items, "its elements are not declared in \"units\"; a page is refilled with units: add them as \"…[*]\"");
}

/* What joins two units must be read of both: on a page that reads less than another, one of them would still be there, and who compares the
 * two would learn that somebody stands behind. */
//= ICE10036.2 2.1
static void check_joined(struct document_load *d, const struct place *at, const json_t *v)
{
    struct rules_document_view *view = &d->document->view;
    struct place links = place_member(at, "links"), joins = view->has_links ? links : place_member(at, "graph");
    bool searches = d->document->searching > json_object_size(json_object_get(v, "only")) || json_object_get(v, "columns");
    if (view->has_links && searches)
        place_warning(&links, "a search finds one unit without those that it is joined to, so that what goes with another is seen there; "
                              "register those who must not be, or take no search");
    view->reads_all = view->complete || (view->pages && (view->has_links || view->has_graph));
    if (view->reads_all && !view->complete)
        place_warning(&joins, "join units that may stand on different pages: each page reads the whole list, and one of more than \"scan\" records is not found; "
                              "say \"complete\": true if you mean it, or name what holds registered keys in \"keys\" instead, and all that units share in \"uniform\"");
}

static void load_parts(struct document_load *d, const struct place *at, const json_t *v, const char *system)
{
    (void)place_string(at, v, "title", false, NULL);
    load_template(d, at, v);
    load_units(d, at, v);
    load_independent(d, at, v);
    load_keys(d, at, v, system);
    load_links(d, at, v, system);
    load_graph(d, at, v);
    load_counts(d, at, v);
    load_paths(d, at, v, PATH_UNIFORM);
    load_paths(d, at, v, PATH_TEXT);
    d->document->view.has_pseudonyms = json_array_size(json_object_get(v, role_member(PATH_PSEUDONYM))) > 0;
    load_paths(d, at, v, PATH_PSEUDONYM);
    load_allow(d, at, v);
    query_load(d, at, v);
    load_miss(d, at, v);
    d->document->view.pages = pages_load(d->loader, at, v, add_cursor, d);
    check_page_units(d, at);
    check_joined(d, at, v);
    types_load(d->loader, at, v, &d->document->view);
    headers_load(d->loader, at, v, &d->document->view);
    if (!d->failed && !d->loader->no_memory) build_automaton(d);
    if (!d->failed && !d->loader->no_memory) writable_load(d, at, v);
}

struct rules_document *document_load(
    struct loader *l, const struct place *at, const json_t *v, const struct rules_profile *profile)
{
    static const struct member_spec members[] = {{"path", true, false}, {"title", false, false},
        {"units", false, false}, {"keys", false, false}, {"counts", false, false}, {"complete", false, false},
        {"uniform", false, false}, {"texts", false, false}, {"allow", false, false}, {"query", false, false},
        {"only", false, false}, {"columns", false, false}, {"pseudonyms", false, false}, {"writable_by", false, false}, {"body", false, false},
        {"miss", false, false}, {"links", false, false}, {"cursors", false, false}, {"pages", false, false},
        {"independent", false, false}, {"graph", false, false}, {"headers", false, false}, {"types", false, false}, {NULL, false, false}};
    (void)place_check_members(at, v, members);
    struct rules_document *doc = json_is_object(v) ? loader_alloc(l, 1, sizeof *doc) : NULL;
    if (!doc) return NULL;
    *doc = (struct rules_document){.magic = DOCUMENT_MAGIC, .at = *at};
    doc->view.profile = profile;
    doc->view.profile_id = profile->id;
    doc->view.on_finding = profile->on_finding;
    doc->view.system = profile->system ? registry_system_id(span_str(profile->system)) : 0;
    struct document_load load = {.loader = l, .document = doc};
    load_parts(&load, at, v, profile->system);
    list_free(&load.decls);
    return doc;
}

/* A root array's elements are units inside the document, which is one itself, so that anything else that is found
 * withholds the document. In NDJSON $ is the line. */
struct rules_document *document_unprofiled(struct loader *l, bool ndjson)
{
    struct path_segment any = {.selector = SELECT_ELEMENT};
    struct path_decl decls[2] = {
        {.role = PATH_UNIT}, {.role = PATH_UNIT, .unit = 1, .expr = {.segments = &any, .count = 1}}};
    size_t count = ndjson ? 1 : 2;
    struct rules_document *doc = loader_alloc(l, 1, sizeof *doc);
    if (!doc) return NULL;
    *doc = (struct rules_document){.magic = DOCUMENT_MAGIC};
    doc->view = (struct rules_document_view){
        .profile_id = "", .path_template = "", .root_is_unit = true, .units = (uint16_t)count};
    if (automaton_build(l->set->arena, decls, count, false, &doc->automaton) == AUTOMATON_OK) return doc;
    l->no_memory = true;
    return NULL;
}
