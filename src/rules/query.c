/* `query` and `only` of a document: which parameters a restricted recipient may send, where what they ask for must stand,
 * and which values everybody's answers are limited to.
 *
 *= 8USC1367 a(2)   nobody is found by what he cannot see
 *= ICE10036.2 2.1 */
#include "rules/document.h"

/* ---- one parameter ---------------------------------------------------------------------------------------------- */

static void add_paths(struct document_load *d, const struct place *list, const json_t *paths, struct query_parameter *p)
{
    if (!json_is_array(paths) || json_array_size(paths) == 0) {
        place_error(list, "must be an array of at least one path, of what a restricted recipient sees");
        d->failed = true;
        return;
    }
    for (size_t i = 0; i < json_array_size(paths); i++) {
        struct place item = place_item(list, i);
        const char *text = json_string_value(json_array_get(paths, i));
        if (!text) place_error(&item, "must be a path such as \"$.items[*].name\"");
        if (text) (void)document_add_path(d, &item, text, PATH_QUERY, p->number);
        else d->failed = true;
    }
}

bool query_number(struct document_load *d, const struct place *at, struct query_parameter *p)
{
    if (d->document->searching == QUERY_SEARCHES_MAX)
        place_error(at, "more than %d parameters search paths; say \"any\" of those that only search what everybody sees",
            QUERY_SEARCHES_MAX);
    else
        p->number = (uint16_t)d->document->searching++;
    return p->number != QUERY_NO_SEARCH;
}

/* ---- searches --------------------------------------------------------------------------------------------------- */

static const char *const match_names[] = {
#define X(id, name) name,
    RULES_MATCHES(X)
#undef X
        NULL};

const char *rules_match_name(enum rules_match match)
{
    return match_names[match];
}

int query_match(const struct place *at, const json_t *v)
{
    return place_enum(at, v, "match", match_names, false, RULES_MATCH_CONTAINS);
}

static void load_search(struct document_load *d, const struct place *at, const json_t *v, struct query_parameter *p)
{
    static const char *const repeats[] = {"all", "any", NULL}, *const empties[] = {"refuse", "any", NULL};
    static const struct member_spec members[] = {{"paths", true, false}, {"match", false, false},
        {"repeated", false, false}, {"empty", false, false}, {"unit", false, false}, {NULL, false, false}};
    struct place paths_at = place_member(at, "paths"), unit_at = place_member(at, "unit");
    (void)place_check_members(at, v, members);
    int match = query_match(at, v);
    p->kind = QUERY_SEARCH;
    p->match = match < 0 ? RULES_MATCH_CONTAINS : (enum rules_match)match;
    p->any_of = place_enum(at, v, "repeated", repeats, false, 0) == 1;
    p->may_be_empty = place_enum(at, v, "empty", empties, false, 0) == 1;
    const char *unit = place_string(at, v, "unit", false, NULL);
    if (unit) p->unit = document_find_unit(d, &unit_at, unit);
    if (query_number(d, at, p)) add_paths(d, &paths_at, json_object_get(v, "paths"), p);
}

/* ---- orders ----------------------------------------------------------------------------------------------------- */

//= 10-domain 6.L21
static void load_sorts(struct document_load *d, const struct place *at, const json_t *v, struct query_parameter *p)
{
    static const struct member_spec members[] = {{"sorts", true, false}, {NULL, false, false}};
    json_t *sorts = json_object_get(v, "sorts"), *path;
    struct place sorts_at = place_member(at, "sorts");
    const char *name;
    (void)place_check_members(at, v, members);
    p->kind = QUERY_SORT;
    if (!json_is_object(sorts) || json_object_size(sorts) == 0) {
        place_error(&sorts_at, "must be an object: each value that may be sent, and the path that it sorts by");
        return;
    }
    p->values = loader_alloc(d->loader, json_object_size(sorts), sizeof(span));
    if (!p->values) return;
    json_object_foreach(sorts, name, path)
    {
        struct place item = place_member(&sorts_at, name);
        span copy = arena_copy(d->loader->set->arena, span_str(name));
        if (!json_is_string(path)) place_error(&item, "must be the path that this value sorts by");
        else (void)document_add_path(d, &item, json_string_value(path), PATH_QUERY, QUERY_NO_SEARCH);
        if (!copy.ptr) d->loader->no_memory = true;
        else p->values[p->value_count++] = copy;
    }
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static void load_parameter(struct document_load *d, const struct place *query, const char *name, const json_t *v)
{
    struct rules_document *doc = d->document;
    struct place at = place_member(query, name);
    struct query_parameter *p = &doc->parameters[doc->parameter_count++];
    *p = (struct query_parameter){.name = arena_copy(d->loader->set->arena, span_str(name)),
        .number = QUERY_NO_SEARCH, .unit = -1, .at = at};
    if (!p->name.ptr) d->loader->no_memory = true;
    if (!*name || strpbrk(name, "&=;"))
        place_error(&at, "\"%s\" is no parameter name; write it decoded, without & = ;", name);
    else if (json_is_array(v)) {
        p->kind = QUERY_SEARCH;
        if (query_number(d, &at, p)) add_paths(d, &at, v, p);
    } else if (json_is_object(v) && json_object_get(v, "sorts"))
        load_sorts(d, &at, v, p);
    else if (json_is_object(v))
        load_search(d, &at, v, p);
    else if (json_is_string(v) && strcmp(json_string_value(v), "drop") == 0) {
        p->kind = QUERY_DROP;
        doc->drops = true;
    } else if (!json_is_string(v) || strcmp(json_string_value(v), "any") != 0)
        place_error(&at, "must be the paths that the parameter searches, {\"paths\": …, \"match\": …}, {\"sorts\": …}, "
                         "\"any\", which says that it filters nothing, or \"drop\", so that the origin never sees it");
}

/* ---- only ------------------------------------------------------------------------------------------------------- */

static void add_only_value(struct document_load *d, const struct place *at, const json_t *v, struct query_parameter *p)
{
    char number[32];
    int64_t whole;
    const char *text = json_string_value(v);
    if (source_whole_number(v, &whole)) {
        snprintf(number, sizeof number, "%lld", (long long)whole);
        text = number;
    } else if (json_is_boolean(v))
        text = json_is_true(v) ? "true" : "false";
    if (!text || !search_folds(span_str(text))) {
        place_error(at, "must be a text with a letter or a digit, a whole number, true or false");
        return;
    }
    span copy = arena_copy(d->loader->set->arena, span_str(text));
    if (!copy.ptr) d->loader->no_memory = true;
    else p->values[p->value_count++] = copy;
}

/* What is said here of every answer needs no parameter. */
static void load_only_path(struct document_load *d, const struct place *only, const char *path, const json_t *v)
{
    struct rules_document *doc = d->document;
    struct place at = place_member(only, path);
    struct query_parameter *p = &doc->parameters[doc->parameter_count++];
    *p = (struct query_parameter){.kind = QUERY_ONLY, .match = RULES_MATCH_EQUALS, .any_of = true,
        .number = QUERY_NO_SEARCH, .unit = -1, .at = at};
    if (!json_is_array(v) || json_array_size(v) == 0) {
        place_error(&at, "must be an array of the values with which a unit is there for restricted recipients");
        return;
    }
    p->values = loader_alloc(d->loader, json_array_size(v), sizeof(span));
    if (!p->values || !query_number(d, &at, p)) return;
    (void)document_add_path(d, &at, path, PATH_QUERY, p->number);
    for (size_t i = 0; i < json_array_size(v); i++) {
        struct place item = place_item(&at, i);
        add_only_value(d, &item, json_array_get(v, i), p);
    }
    doc->only_values += p->value_count;
    if (doc->only_values > QUERY_ONLY_MAX) place_error(&at, "more than %d values in all of \"only\"", QUERY_ONLY_MAX);
}

/* ---- the request's body ----------------------------------------------------------------------------------------- */

static const char *const body_names[] = {
#define X(id, name) name,
    RULES_BODIES(X)
#undef X
        NULL};

void query_load(struct document_load *d, const struct place *at, const json_t *v)
{
    json_t *query = json_object_get(v, "query"), *only = json_object_get(v, "only"), *value;
    struct place query_at = place_member(at, "query"), only_at = place_member(at, "only");
    const char *name;
    if (query && !json_is_object(query)) place_error(&query_at, "must be an object of parameter names");
    if (only && !json_is_object(only)) place_error(&only_at, "must be an object of paths, each with an array of values");
    int body = place_enum(at, v, "body", body_names, false, RULES_BODY_UNSAID);
    d->document->view.body = body < 0 ? RULES_BODY_REFUSE : (enum rules_body)body;
    d->document->parameters =
        loader_alloc(d->loader, json_object_size(query) + json_object_size(only) + columns_count(v) + 1, sizeof *d->document->parameters);
    if (!d->document->parameters) return;
    json_object_foreach(query, name, value) load_parameter(d, &query_at, name, value);
    json_object_foreach(only, name, value) load_only_path(d, &only_at, name, value);
    columns_load(d, at, v);
    if (d->document->searching > 0 && d->document->view.has_graph)
        place_error(query ? &query_at : &only_at, "cannot be combined with \"graph\": what points to a unit that is left "
                                                  "out would dangle; leave one of them out");
}

/* ---- which units go --------------------------------------------------------------------------------------------- */

/* For each declared unit, the states at it and below. */
struct units_around {
    const struct automaton *automaton;
    size_t count, *decls; /* by ordinal: its declaration */
    bool *around;         /* count × states */
    bool *target;         /* states that are asked about */
};

static bool is_around(const struct units_around *u, size_t unit, path_state s)
{
    return u->around[unit * u->automaton->states + s];
}

static bool holds_target(const struct units_around *u, size_t unit)
{
    for (path_state s = 1; s < u->automaton->states; s++)
        if (u->target[s] && is_around(u, unit, s)) return true;
    return false;
}

static bool is_strictly_in(const struct units_around *u, size_t inner, size_t outer)
{
    for (path_state s = 1; s < u->automaton->states && inner != outer; s++)
        if (automaton_accepts(u->automaton, u->decls[inner], s) && !automaton_accepts(u->automaton, u->decls[outer], s) &&
            is_around(u, outer, s))
            return true;
    return false;
}

static bool is_root(const struct document_load *d, const struct units_around *u, size_t unit)
{
    return document_decl(d, u->decls[unit])->expr.count == 0;
}

/* Inside another one that holds the target; two that may stand in each other are peers. */
static bool is_nested(const struct document_load *d, const struct units_around *u, size_t unit)
{
    for (size_t other = 0; other < u->count; other++)
        if (!is_root(d, u, other) && holds_target(u, other) && is_strictly_in(u, unit, other) && !is_strictly_in(u, other, unit))
            return true;
    return false;
}

static void settle_units(struct document_load *d, const struct units_around *u, struct query_parameter *p)
{
    bool any = false, root = false;
    for (size_t i = 0; i < u->count; i++) {
        bool holds = holds_target(u, i), goes = p->unit >= 0 ? p->unit == (int)i : !is_root(d, u, i) && !is_nested(d, u, i);
        if (!holds) continue;
        root |= is_root(d, u, i);
        if (!goes) continue;
        any = true;
        bit_set(p->units, i);
    }
    /* A line of NDJSON is the record even where it holds others; elsewhere the document goes where nothing smaller can. */
    p->lines = root && (p->unit < 0 || is_root(d, u, (size_t)p->unit));
    for (size_t i = 0; i < u->count && !any && root && p->unit < 0; i++)
        if (is_root(d, u, i)) bit_set(p->units, i);
    if (!any && !root)
        place_error(&p->at, p->unit < 0 ? "searches outside every unit, so that nothing could be left out; declare the unit around it"
                                        : "searches nothing inside this \"unit\"; name the unit around its paths");
}

/* ---- what is always shown --------------------------------------------------------------------------------------- */

/* Sorted by, or compared without being looked for: it tells of all that stands there. */
static bool is_told(const struct document_load *d, const struct path_decl *decl)
{
    const struct rules_document *doc = d->document;
    if (decl->role != PATH_QUERY || decl->unit == QUERY_NO_SEARCH) return decl->role == PATH_QUERY;
    for (size_t i = 0; i < doc->parameter_count; i++)
        if (doc->parameters[i].number == decl->unit) return doc->parameters[i].kind == QUERY_COLUMN;
    return false;
}

/* Not always shown to everybody: what stands in one of these, or holds one, tells of more than the record does. */
static bool is_hidden_in(enum path_role role)
{
    return role == PATH_UNIFORM || role == PATH_TEXT || role == PATH_PSEUDONYM || role == PATH_CURSOR || role == PATH_COUNT;
}

static bool accepts_any(const struct automaton *m, size_t decl, const bool *states)
{
    for (path_state s = 1; s < m->states; s++)
        if (states[s] && automaton_accepts(m, decl, s)) return true;
    return false;
}

/* What one record's part tells of its place must be visible whenever the record is: no unit of its own inside it. */
static void check_nested(struct document_load *d, struct units_around *u, size_t i)
{
    const struct path_decl *decl = document_decl(d, i);
    bool nested = false;
    for (path_state s = 1; s < u->automaton->states; s++)
        u->target[s] = automaton_accepts(u->automaton, i, s);
    for (size_t unit = 0; unit < u->count; unit++)
        nested |= holds_target(u, unit) && is_nested(d, u, unit);
    if (nested)
        place_error(&decl->at, "\"%s\" lies in a unit inside another: where it is withheld, the place of the other "
                               "would still tell; sort by the record's own members",
            decl->expr.text);
}

/* What the first tells of: NULL, where it is shown whenever the other is. `below`: room. */
static const char *relation(const struct document_load *d, const struct automaton *m, size_t told, size_t other, bool *below)
{
    enum path_role role = document_decl(d, other)->role;
    bool hides = is_hidden_in(role);
    automaton_mark_below(m, told, below);
    if ((hides || role == PATH_UNIT) && accepts_any(m, other, below)) return "holds";
    automaton_mark_below(m, other, below);
    return hides && accepts_any(m, told, below) ? "stands in" : NULL;
}

/* Allowed somewhere, and not all of it wherever the path leads. What is allowed nowhere is reported elsewhere. */
static bool is_partly_allowed(const struct document_load *d, const struct automaton *m, size_t i)
{
    bool some = false, all = true;
    for (path_state s = 1; s < m->states; s++) {
        if (!automaton_accepts(m, i, s)) continue;
        some |= (m->info[s].roles & (PATH_ALLOWED | PATH_ON_THE_WAY)) != 0;
        all &= (m->info[s].roles & PATH_ALLOWED) != 0;
    }
    return d->document->view.has_allow && some && !all;
}

static void check_told(struct document_load *d, struct units_around *u, size_t i, bool *below)
{
    const struct path_decl *decl = document_decl(d, i);
    if (rules_replaces(d->document->view.on_finding))
        place_warning(&decl->at, "an order by \"%s\" tells where a value stands that \"on_finding\": \"%s\" replaces; name what "
                                 "no identifier stands in",
            decl->expr.text, rules_on_finding_name(d->document->view.on_finding));
    check_nested(d, u, i);
    if (is_partly_allowed(d, u->automaton, i))
        place_error(&decl->at, "\"%s\" is not all under a path of \"allow\", so that the place of the record would tell of what is not "
                               "shown; allow all of it, or name a member that is",
            decl->expr.text);
    for (size_t k = 0; k < d->decls.count; k++) {
        const char *how = relation(d, u->automaton, i, k, below);
        const struct path_decl *other = document_decl(d, k);
        if (how)
            place_error(&decl->at, "\"%s\" %s \"%s\" of \"%s\", which is not always shown, so that the place of the record "
                                   "would tell of it; name a member that is",
                decl->expr.text, how, other->expr.text, role_member(other->role));
    }
}

static void check_sorts(struct document_load *d, struct units_around *u)
{
    MEM_AUTO bool *below = mem_array(u->automaton->states + 1u, sizeof *below);
    for (size_t i = 0; below && i < d->decls.count; i++)
        if (is_told(d, document_decl(d, i))) check_told(d, u, i, below);
    if (!below) d->loader->no_memory = true;
}

static bool are_one(const struct automaton *m, size_t a, size_t b)
{
    for (path_state s = 1; s < m->states; s++)
        if (automaton_accepts(m, a, s) && automaton_accepts(m, b, s)) return true;
    return false;
}

void query_settle_written(struct document_load *d, const struct automaton *m, size_t first)
{
    MEM_AUTO bool *below = mem_array(m->states + 1u, sizeof *below);
    for (size_t i = 0; below && i < first; i++)
        for (size_t k = first; is_told(d, document_decl(d, i)) && k < d->decls.count; k++)
            if (are_one(m, i, k) || relation(d, m, i, k, below))
                place_error(&document_decl(d, k)->at, "\"%s\" is not shown to this recipient, who may order or compare by \"%s\" and would "
                                                      "learn what others wrote there; take it out of \"query\" or \"columns\"",
                    document_decl(d, k)->expr.text, document_decl(d, i)->expr.text);
    if (!below) d->loader->no_memory = true;
}

static bool find_around(struct document_load *d, struct units_around *u)
{
    u->decls = mem_array(d->decls.count + 1, sizeof *u->decls);
    if (!u->decls) return false;
    for (size_t i = 0; i < d->decls.count; i++)
        if (document_decl(d, i)->role == PATH_UNIT) u->decls[u->count++] = i;
    u->around = mem_array(u->count + 1, u->automaton->states);
    u->target = mem_array(u->automaton->states, sizeof *u->target);
    for (size_t i = 0; u->around && i < u->count; i++) {
        bool *around = u->around + i * u->automaton->states;
        automaton_mark_below(u->automaton, u->decls[i], around);
        for (path_state s = 1; s < u->automaton->states; s++)
            around[s] |= automaton_accepts(u->automaton, u->decls[i], s);
    }
    return u->around && u->target;
}

void query_settle(struct document_load *d)
{
    struct rules_document *doc = d->document;
    struct units_around u = {.automaton = &doc->automaton};
    if (doc->parameter_count == 0) return;
    if (!find_around(d, &u)) d->loader->no_memory = true;
    for (size_t i = 0; i < doc->parameter_count && !d->loader->no_memory; i++) {
        struct query_parameter *p = &doc->parameters[i];
        if (p->number == QUERY_NO_SEARCH) continue;
        for (path_state s = 1; s < u.automaton->states; s++)
            u.target[s] = u.automaton->searched[s] >> p->number & 1;
        settle_units(d, &u, p);
    }
    if (!d->loader->no_memory) check_sorts(d, &u);
    if (!d->loader->no_memory) columns_settle(d);
    mem_free(u.decls);
    mem_free(u.around);
    mem_free(u.target);
}
