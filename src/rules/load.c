/* Packs in, one immutable set out. Every problem of every pack is reported; one is enough to refuse the whole set. */
#include "rules/set.h"

#define ARENA_CAP ((size_t)256 << 20)

/* ---- loader ----------------------------------------------------------------------------------------------------- */

void *loader_alloc(struct loader *l, size_t count, size_t size)
{
    void *p = arena_array(l->set->arena, count, size);
    if (!p) l->no_memory = true;
    return p;
}

const char *loader_text(struct loader *l, const char *s)
{
    const char *copy = (const char *)arena_copy(l->set->arena, span_str(s)).ptr;
    if (!copy) l->no_memory = true;
    return copy;
}

void *loader_add(struct loader *l, struct list *list, size_t size)
{
    void *item = list_add(list, size);
    if (!item) l->no_memory = true;
    return item;
}

/* ---- packs ------------------------------------------------------------------------------------------------------ */

typedef void load_item_fn(struct loader *l, const struct place *at, const json_t *v);

static void load_items(struct loader *l, const struct place *at, const json_t *pack, const char *name, load_item_fn *load)
{
    const json_t *items = json_object_get(pack, name);
    struct place list = place_member(at, name);
    if (!items) return;
    if (!json_is_array(items)) {
        place_error(&list, "must be an array of objects");
        return;
    }
    for (size_t i = 0; i < json_array_size(items) && !l->no_memory; i++) {
        struct place item = place_item(&list, i);
        load(l, &item, json_array_get(items, i));
    }
}

static void load_name(struct loader *l, const struct place *at, const json_t *v)
{
    struct place name = place_member(at, "pack");
    const char *pack = place_string(at, v, "pack", false, NULL);
    const char *version = place_string(at, v, "version", false, NULL);
    struct place version_at = place_member(at, "version");
    if (version && !*version) place_error(&version_at, "the version is empty; write one that changes with the pack, such as \"2026.1\"");
    if (!pack) return;
    if (!*pack) place_error(&name, "the pack has an empty name");
    for (size_t i = 0; i < l->set->packs.count; i++)
        if (!strcmp(*LIST_AT(&l->set->packs, const char *, i), pack))
            place_error(&name, "another pack of this set is called \"%s\" too; each needs its own name", pack);
    const char **slot = loader_add(l, &l->set->packs, sizeof *slot);
    if (slot) *slot = loader_text(l, pack);
}

static void load_pack(struct loader *l, struct source *source)
{
    static const struct member_spec members[] = {{"format", true, false}, {"pack", true, false}, {"version", true, false},
        {"title", false, false}, {"identifiers", false, false}, {"markers", false, false}, {"profiles", false, false},
        {NULL, false, false}};
    struct place at = place_root(source);
    const json_t *v = source_root(source);
    (void)place_check_members(&at, v, members);
    if (!json_is_object(v)) return;
    if (json_object_get(v, "format")) (void)place_check_format(&at, v);
    (void)place_string(&at, v, "title", false, NULL);
    load_name(l, &at, v);
    load_items(l, &at, v, "identifiers", identifiers_load);
    load_items(l, &at, v, "markers", markers_load);
    load_items(l, &at, v, "profiles", profiles_load);
}

/* ---- the set ---------------------------------------------------------------------------------------------------- */

static void *pcre_alloc(size_t size, void *data)
{
    (void)data;
    return mem_hook_alloc(size);
}

static void pcre_free(void *p, void *data)
{
    (void)data;
    mem_hook_free(p);
}

static struct rules_set *set_new(void)
{
    struct rules_set *s = mem_alloc(sizeof *s);
    if (!s) return NULL;
    s->magic = SET_MAGIC;
    s->arena = arena_new(ARENA_CAP);
    s->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    s->compile = s->memory ? pcre2_compile_context_create(s->memory) : NULL;
    if (s->arena && s->compile) return s;
    rules_free(s);
    return NULL;
}

/* Rules stop moving once all packs are read: from here on others point at them. */
static bool sort_rules(struct loader *l)
{
    for (size_t i = 0; i < l->set->rules.count; i++) {
        const struct rule *rule = LIST_AT(&l->set->rules, struct rule, i);
        struct list *list = NULL;
        if (rule->is_marker && rule->pattern.code && rule->labels.count == 0) list = &l->set->free_text;
        if (!rule->is_marker && rule->identifier.own_syntax) list = &l->set->anywhere;
        const struct rule **slot = list ? loader_add(l, list, sizeof *slot) : NULL;
        if (list && !slot) return false;
        if (slot) *slot = rule;
    }
    return true;
}

static bool name_profiles(struct loader *l)
{
    const struct list *profiles = &l->set->profiles;
    l->set->profile_names = loader_alloc(l, profiles->count + 1, sizeof *l->set->profile_names);
    if (!l->set->profile_names) return false;
    for (size_t i = 0; i < profiles->count; i++)
        l->set->profile_names[i] = (*LIST_AT(profiles, struct rules_profile *, i))->id;
    return true;
}

static bool fingerprint(struct rules_set *s, struct source *const *packs, size_t count)
{
    uint8_t sum[64] = {0}, length[8], of_text[32];
    for (size_t i = 0; i < count; i++) {
        span text = source_text(packs[i]);
        store_le64(length, text.len);
        if (!sha256_two(span_of(length, sizeof length), text, of_text)) return false;
        if (!sha256_two(span_of(sum, 32), span_of(of_text, 32), sum + 32)) return false;
        memcpy(sum, sum + 32, 32);
    }
    memcpy(s->version, sum, sizeof s->version);
    return true;
}

static bool compile_set(struct loader *l)
{
    for (int ndjson = 0; ndjson < 2; ndjson++)
        if (!(l->set->unprofiled[ndjson] = document_unprofiled(l, ndjson))) return false;
    return sort_rules(l) && name_profiles(l) && labels_build(l) && literals_build(l) && proposals_build(l) && examples_take(l);
}

static bool load_all(struct loader *l, struct source *const *packs, size_t count)
{
    size_t before = problems_errors(l->problems);
    for (size_t i = 0; i < count && !l->no_memory; i++) load_pack(l, packs[i]);
    bool sound = !l->no_memory && problems_errors(l->problems) == before;
    return sound && compile_set(l) && fingerprint(l->set, packs, count);
}

struct rules_set *rules_load(struct source *const *packs, size_t count, struct problems *problems)
{
    struct loader l = {.set = set_new(), .problems = problems};
    if (l.set && load_all(&l, packs, count)) return l.set;
    if (!l.set || l.no_memory) problems_add(problems, "rules", "out of memory while the rules were compiled");
    rules_free(l.set);
    return NULL;
}

static void free_rule(struct rule *r)
{
    pattern_free(&r->pattern);
    list_free(&r->labels);
    list_free(&r->values);
    list_free(&r->literals);
}

void rules_free(struct rules_set *s)
{
    if (!s) return;
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->rules.count; i++) free_rule(LIST_AT(&s->rules, struct rule, i));
    for (size_t i = 0; i < s->profiles.count; i++)
        list_free(&(*LIST_AT(&s->profiles, struct rules_profile *, i))->documents);
    list_free(&s->rules);
    list_free(&s->packs);
    list_free(&s->profiles);
    list_free(&s->anywhere);
    list_free(&s->free_text);
    labels_free(&s->labels);
    literals_free(&s->literals);
    pcre2_compile_context_free(s->compile);
    pcre2_general_context_free(s->memory);
    if (s->arena) arena_free(s->arena);
    s->magic = 0;
    mem_free(s);
}

/* ---- what the set holds ----------------------------------------------------------------------------------------- */

size_t rules_count(const struct rules_set *s) { return s->rules.count; }

static const struct rule *rule_at(const struct rules_set *s, rule_id id)
{
    MAGIC_CHECK(s, SET_MAGIC);
    ASSERT(id < s->rules.count);
    return LIST_AT(&s->rules, struct rule, id);
}

const char *rules_name(const struct rules_set *s, rule_id id) { return rule_at(s, id)->name; }
const char *rules_title(const struct rules_set *s, rule_id id) { return rule_at(s, id)->title; }
const char *rules_why(const struct rules_set *s, rule_id id) { return rule_at(s, id)->why; }

const struct rules_identifier *rules_identifier_at(const struct rules_set *s, rule_id id)
{
    const struct rule *rule = rule_at(s, id);
    return rule->is_marker ? NULL : &rule->identifier;
}

const struct rules_marker *rules_marker_at(const struct rules_set *s, rule_id id)
{
    const struct rule *rule = rule_at(s, id);
    return rule->is_marker ? &rule->marker : NULL;
}

void rules_version(const struct rules_set *s, uint8_t out[16]) { memcpy(out, s->version, sizeof s->version); }

const struct rules_document *rules_unprofiled(const struct rules_set *s, bool ndjson) { return s->unprofiled[ndjson]; }

const char *const *rules_profile_names(const struct rules_set *s) { return s->profile_names; }

const struct rules_profile *rules_find_profile(const struct rules_set *s, span id)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        if (span_equal(span_str(p->id), id)) return p;
    }
    return NULL;
}

const struct rules_document *rules_profile_document(const struct rules_profile *p, size_t i)
{
    MAGIC_CHECK(p, PROFILE_MAGIC);
    return i < p->documents.count ? *LIST_AT(&p->documents, struct rules_document *, i) : NULL;
}

bool rules_profile_is_shadow(const struct rules_profile *p)
{
    MAGIC_CHECK(p, PROFILE_MAGIC);
    return p->shadow;
}

const struct rules_document *rules_shadow_document(const struct rules_set *s, span path)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        const struct rules_document *d = p->shadow ? rules_find_document(p, path) : NULL;
        if (d) return d;
    }
    return NULL;
}

const struct rules_document_view *rules_document_view(const struct rules_document *d)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    return &d->view;
}
