#include "rules/set.h"

static void load_documents(struct loader *l, const struct place *at, const json_t *v, struct rules_profile *p)
{
    const json_t *documents = json_object_get(v, "documents");
    struct place list = place_member(at, "documents");
    if (!documents) return; /* reported as missing */
    if (!json_is_array(documents) || json_array_size(documents) == 0) {
        place_error(&list, "must be an array of at least one document");
        return;
    }
    for (size_t i = 0; i < json_array_size(documents) && !l->no_memory; i++) {
        struct place item = place_item(&list, i);
        struct rules_document *d = document_load(l, &item, json_array_get(documents, i), p);
        struct rules_document **slot = d ? loader_add(l, &p->documents, sizeof *slot) : NULL;
        if (slot) *slot = d;
    }
}

static const struct verb {
    const char *name;
    bool visible;
} verbs[] = {
#define X(id, name, visible) {name, visible},
    RULES_ON_FINDING(X)
#undef X
};

bool rules_is_visible(enum rules_on_finding verb)
{
    return verbs[verb].visible;
}

bool rules_replaces(enum rules_on_finding verb)
{
    return rules_is_visible(verb) && verb != ON_FINDING_REPORT;
}

const char *rules_on_finding_name(enum rules_on_finding verb)
{
    return verbs[verb].name;
}

bool rules_profile_is_traceable(const struct rules_profile *p, enum rules_on_finding *verb)
{
    MAGIC_CHECK(p, PROFILE_MAGIC);
    *verb = p->on_finding;
    return rules_is_visible(p->on_finding) && !p->explained;
}

static enum rules_on_finding load_verb(const struct place *at, const json_t *v)
{
    static const char *const names[] = {
#define X(id, name, visible) name,
        RULES_ON_FINDING(X)
#undef X
            NULL};
    struct place finding_at = place_member(at, "on_finding"), reason_at = place_member(at, "visible_redaction");
    int verb = place_enum(at, v, "on_finding", names, false, ON_FINDING_WITHHOLD);
    const char *reason = place_string(at, v, "visible_redaction", false, NULL);
    if (verb < 0) return ON_FINDING_WITHHOLD;
    if (verb == ON_FINDING_BLOCK)
        place_warning(&finding_at, "\"block\" withholds the whole answer for one finding: safe, but it may be noticed");
    if (reason && !*reason)
        place_error(&reason_at, "is empty; say why a restricted recipient may see that something is there");
    else if (reason && !rules_is_visible((enum rules_on_finding)verb))
        place_warning(&reason_at, "has no effect, as \"on_finding\" leaves nothing to be seen; remove it");
    return (enum rules_on_finding)verb;
}

/* True: decided beside the rules in force. */
static bool load_mode(const struct place *at, const json_t *v)
{
    static const char *const modes[] = {"enforce", "shadow", NULL};
    return place_enum(at, v, "mode", modes, false, 0) > 0;
}

static void check_system(const struct place *at, const json_t *v)
{
    struct place system_at = place_member(at, "system");
    const char *system = place_string(at, v, "system", false, NULL);
    if (system && !*system)
        place_error(&system_at, "is empty; name the system that issued the keys, as the registry does");
}

void profiles_load(struct loader *l, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"id", true, false}, {"title", true, false},
        {"documents", true, false}, {"system", false, false}, {"on_finding", false, false}, {"mode", false, false},
        {"visible_redaction", false, false}, {"tests", false, false}, {NULL, false, false}};
    (void)place_check_members(at, v, members);
    if (!json_is_object(v)) return;
    bool id = rule_check_id(l, at, v, "profile");
    bool shadow = load_mode(at, v);
    enum rules_on_finding verb = load_verb(at, v);
    check_system(at, v);
    tests_check_profile(at, v);
    const char *system = json_string_value(json_object_get(v, "system"));
    struct rules_profile *p = loader_alloc(l, 1, sizeof *p);
    struct rules_profile **slot = p ? loader_add(l, &l->set->profiles, sizeof *slot) : NULL;
    if (!slot) return;
    *slot = p;
    *p = (struct rules_profile){.magic = PROFILE_MAGIC,
        .id = loader_text(l, id ? place_string(at, v, "id", false, "") : ""),
        .title = loader_text(l, place_string(at, v, "title", false, "")),
        .system = system ? loader_text(l, system) : NULL,
        .shadow = shadow,
        .on_finding = verb,
        .explained = json_object_get(v, "visible_redaction") != NULL,
        .at = *at,
        .json = v};
    load_documents(l, at, v, p);
}
