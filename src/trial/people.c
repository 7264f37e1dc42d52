/* A registry in memory, made of what a test says about who is protected. Built by the registry's own builder, under a key
 * that protects nothing: these people are made up. */
#include "trial/trial.h"

struct trial_people {
    struct registry_builder *builder;
    struct registry *registry;
};

static const uint8_t no_key[32] = {1};

/* ---- texts ------------------------------------------------------------------------------------------------------ */

struct reading {
    json_t *identifiers;
    rule_id rule; /* the first that recognises it, in the order of the packs: what an author means by the text */
    bool no_memory;
};

static void saw_candidate(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    struct reading *r = ctx;
    if (rule > r->rule) return;
    if (rule < r->rule) json_array_clear(r->identifiers);
    r->rule = rule;
    json_t *one = json_pack("{s:s,s:s%}", "kind", registry_kind_name(kind), "value", (const char *)canonical.ptr, (int)canonical.len);
    if (!one || json_array_append_new(r->identifiers, one) != 0) r->no_memory = true;
}

/* What the identifiers propose for a text, as kinds and values. */
static bool read_text(struct match *m, const struct rules_set *rules, const json_t *text, struct reading *r)
{
    char *document = json_dumps(text, JSON_ENCODE_ANY);
    const struct match_limits limits = {.depth = 8};
    const struct match_survey *survey = NULL;
    if (!document) return false;
    struct doc_window w = {.data = (const uint8_t *)document, .len = strlen(document), .complete = true};
    match_set_observer(m, saw_candidate, r);
    match_begin(m, DOC_JSON, rules_unprofiled(rules, false), NULL, &limits);
    bool good = match_feed(m, &w) == DOC_COMPLETE && is_ok(match_finish(m, &survey));
    match_reset(m);
    mem_hook_free(document);
    return good && !r->no_memory;
}

static json_t *identifiers_of_text(const struct rules_set *rules, const json_t *text, const struct place *at)
{
    struct reading r = {.identifiers = json_array(), .rule = RULE_NONE};
    struct rules_scratch *scratch = rules_scratch_new(rules);
    struct match *m = scratch ? match_new(rules, scratch, cpu_level()) : NULL;
    bool good = r.identifiers && m && read_text(m, rules, text, &r);
    match_free(m);
    rules_scratch_free(scratch);
    if (good && json_array_size(r.identifiers) > 0) return r.identifiers;
    if (good) place_error(at, "no identifier of these packs recognises it; name the pack that does, or give {\"kind\", \"value\"}");
    json_decref(r.identifiers);
    return NULL;
}

static bool is_value(const json_t *person, const struct place *at)
{
    uint8_t out[REGISTRY_CANONICAL_MAX];
    int kind = registry_kind_from(span_str(json_string_value(json_object_get(person, "kind"))));
    span value = span_str(json_string_value(json_object_get(person, "value")));
    MEM_AUTO uint8_t *folded = mem_alloc(value.len);
    if (kind < 0 || !folded) return false;
    size_t len = registry_fold(value, folded);
    if (registry_canonical((enum registry_kind)kind, span_of(folded, len), out) > 0) return true;
    place_error(at, "\"%.*s\" cannot be a value of kind %s; correct one of them", SPAN_FMT(value), registry_kind_name((enum registry_kind)kind));
    return false;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static json_t *line_of(const struct rules_set *rules, const json_t *person, size_t index, const struct place *at)
{
    if (json_object_get(person, "subject")) return json_deep_copy(person);
    json_t *identifiers = NULL;
    if (json_is_string(person)) identifiers = identifiers_of_text(rules, person, at);
    else if (is_value(person, at)) identifiers = json_pack("[o]", json_deep_copy(person));
    if (!identifiers) return NULL;
    char subject[32];
    snprintf(subject, sizeof subject, "T-%zu", index);
    return json_pack("{s:s,s:[{s:s}],s:o}", "subject", subject, "cases", "status", "pending", "identifiers", identifiers);
}

static bool add_person(struct trial_people *p, const struct rules_set *rules, const json_t *person, size_t i, const struct place *at)
{
    json_t *line = line_of(rules, person, i, at);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    bool good = text && is_ok(registry_builder_line(p->builder, "protected", (unsigned)i + 1, span_str(text)));
    mem_hook_free(text);
    json_decref(line);
    return good;
}

static bool build(struct trial_people *p, const struct rules_set *rules, const json_t *people, struct problems *problems,
    const struct place *at)
{
    span image;
    for (size_t i = 0; i < json_array_size(people); i++) {
        struct place item = place_item(at, i);
        if (!add_person(p, rules, json_array_get(people, i), i, &item)) return false;
        if (problems_errors(problems) == 0) continue;
        place_error(&item, "is no line that a registry takes: %s", problems_text(problems, 0));
        return false;
    }
    return is_ok(registry_builder_finish(p->builder, 0, 0, &image)) && is_ok(registry_open(image, no_key, NULL, &p->registry));
}

struct trial_people *trial_people_new(const struct rules_set *rules, const json_t *people, const struct place *at)
{
    struct trial_people *p = mem_alloc(sizeof *p);
    struct problems *problems = problems_new();
    if (p && problems) p->builder = registry_builder_new(no_key, problems);
    bool good = p && p->builder && build(p, rules, people, problems, at);
    problems_free(problems);
    if (good) return p;
    trial_people_free(p);
    return NULL;
}

void trial_people_free(struct trial_people *p)
{
    if (!p) return;
    if (p->registry) registry_close(p->registry);
    registry_builder_free(p->builder);
    mem_free(p);
}

const struct registry *trial_people_registry(const struct trial_people *p)
{
    return p->registry;
}
