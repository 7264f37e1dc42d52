/* `columns` of a document: what a client may speak of in the language of its program (dialect.c), by the names that it uses.
 *
 *= 8USC1367 a(2)
 *= 10-domain 6.L20 */
#include "rules/document.h"

size_t columns_count(const json_t *v)
{
    return json_object_size(json_object_get(json_object_get(v, "columns"), "paths"));
}

/* What PostgREST takes for no filter, whatever columns there are. */
static bool is_spoken(const char *name)
{
    static const char *const words[] = {"and", "columns", "limit", "offset", "on_conflict", "or", "order", "select"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(name, words[i]) == 0) return true;
    return false;
}

static void load_column(struct document_load *d, const struct place *paths, const char *name, const json_t *v)
{
    struct rules_document *doc = d->document;
    struct place at = place_member(paths, name);
    struct query_parameter *p = &doc->parameters[doc->parameter_count++];
    *p = (struct query_parameter){.name = arena_copy(d->loader->set->arena, span_str(name)), .kind = QUERY_COLUMN,
        .match = doc->column_match, .number = QUERY_NO_SEARCH, .unit = -1, .at = at};
    if (!p->name.ptr) d->loader->no_memory = true;
    if (!*name || (doc->dialect == RULES_DIALECT_POSTGREST && strpbrk(name, ".,()\"") != NULL))
        place_error(&at, "\"%.60s\" is no column's name; write it as the client does", name);
    if (doc->dialect == RULES_DIALECT_POSTGREST && is_spoken(name))
        place_error(&at, "\"%s\" is no filter for PostgREST but a word of its own; leave the column out", name);
    if (!json_is_string(v)) place_error(&at, "must be the path where the column stands in each record, such as \"$.data[*].name\"");
    else if (query_number(d, &at, p)) (void)document_add_path(d, &at, json_string_value(v), PATH_QUERY, p->number);
}

static void load_paths(struct document_load *d, const struct place *at, const json_t *v)
{
    json_t *paths = json_object_get(v, "paths"), *path;
    struct place paths_at = place_member(at, "paths");
    const char *name;
    if (!json_is_object(paths) || json_object_size(paths) == 0) {
        place_error(&paths_at, "must be an object: the name of each column, and the path where it stands");
        d->failed = true;
        return;
    }
    json_object_foreach(paths, name, path) load_column(d, &paths_at, name, path);
}

/* Who chooses, renames or sums up columns gets records without what tells whose they are, and sums over those who are withheld. */
//= 8USC1367 a(2)
static void check_select(const struct place *document, const json_t *document_v)
{
    struct place query = place_member(document, "query"), at = place_member(&query, "select");
    const json_t *select = json_object_get(json_object_get(document_v, "query"), "select");
    if (select && (!json_is_string(select) || strcmp(json_string_value(select), "drop") != 0))
        place_error(&at, "must be \"drop\": in PostgREST it renames, leaves out and counts columns, so that records would come without what tells whose they are");
}

void columns_load(struct document_load *d, const struct place *document, const json_t *document_v)
{
    static const char *const dialects[] = {
#define X(id, name) name,
        RULES_DIALECTS(X)
#undef X
            NULL};
    static const char *const ranges[] = {"refuse", "any", NULL};
    static const struct member_spec members[] = {
        {"dialect", true, false}, {"paths", true, false}, {"match", false, false}, {"ranges", false, false}, {NULL, false, false}};
    const json_t *v = json_object_get(document_v, "columns");
    struct place at = place_member(document, "columns"), match_at = place_member(&at, "match"), ranges_at = place_member(&at, "ranges");
    struct rules_document *doc = d->document;
    if (!v) return;
    (void)place_check_members(&at, v, members);
    int dialect = place_enum(&at, v, "dialect", dialects, false, 0), match = query_match(&at, v);
    doc->dialect = dialect < 0 ? RULES_DIALECT_DATATABLES : (enum rules_dialect)(dialect + 1);
    doc->column_match = match < 0 ? RULES_MATCH_CONTAINS : (enum rules_match)match;
    doc->column_ranges = place_enum(&at, v, "ranges", ranges, false, 0) == 1;
    bool tables = doc->dialect == RULES_DIALECT_DATATABLES;
    if (tables && json_object_get(v, "ranges")) place_error(&ranges_at, "belongs to the dialect \"postgrest\"; remove it");
    if (!tables && json_object_get(v, "match")) place_error(&match_at, "belongs to the dialect \"datatables\"; remove it");
    if (doc->column_ranges && rules_replaces(doc->view.on_finding))
        place_error(&ranges_at, "cannot be combined with \"on_finding\": \"%s\": who asks for more and less than a value learns what was "
                                "replaced; leave one of them out",
            rules_on_finding_name(doc->view.on_finding));
    if (!tables) check_select(document, document_v);
    load_paths(d, &at, v);
}

/* A search over all columns leaves one record out or keeps it: they must be one record's. */
void columns_settle(struct document_load *d)
{
    const struct rules_document *doc = d->document;
    const struct query_parameter *first = NULL;
    for (size_t i = 0; i < doc->parameter_count; i++) {
        const struct query_parameter *p = &doc->parameters[i];
        if (p->kind != QUERY_COLUMN) continue;
        if (!first) first = p;
        if (p->lines != first->lines || memcmp(p->units, first->units, sizeof p->units) != 0)
            place_error(&p->at, "stands in another unit than the column before it; name members of the same record");
    }
}
