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

/* What leaves a visible trace comes later. True: decided beside the rules in force. */
static bool check_modes(const struct place *at, const json_t *v)
{
    static const char *const findings[] = {"withhold", "block", "redact", "mask", "pseudonym", "report", NULL};
    static const char *const modes[] = {"enforce", "shadow", NULL};
    struct place finding_at = place_member(at, "on_finding");
    int finding = place_enum(at, v, "on_finding", findings, false, 0),
        mode = place_enum(at, v, "mode", modes, false, 0);
    if (finding == 1)
        place_not_yet(&finding_at, "\"block\"");
    else if (finding > 1)
        place_not_yet(&finding_at, "visible redaction");
    return mode > 0;
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
        {"visible_redaction", false, true}, {"tests", false, false}, {NULL, false, false}};
    (void)place_check_members(at, v, members);
    if (!json_is_object(v)) return;
    bool id = rule_check_id(l, at, v, "profile");
    bool shadow = check_modes(at, v);
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
        .at = *at,
        .json = v};
    load_documents(l, at, v, p);
}
