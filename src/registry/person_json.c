/* A source line in JSON. Every problem is reported at its place; a line with one adds nothing that counts, for the run
 * then fails as a whole. */
#include "registry/person.h"

static span text_of(const json_t *v)
{
    return span_of(json_string_value(v), json_string_length(v));
}

static void check_date(const struct place *object, const json_t *v, const char *name)
{
    const char *date = place_string(object, v, name, false, NULL);
    struct place at = place_member(object, name);
    if (date && !person_date_valid(span_str(date))) place_error(&at, "no such day; dates are YYYY-MM-DD");
}

/* ---- cases ---- */

static bool read_status(const struct place *object, const json_t *v)
{
    const char *status = place_string(object, v, "status", true, NULL);
    if (!status) return true;
    int protects = person_status(span_str(status));
    struct place at = place_member(object, "status");
    const char *meant = protects < 0 ? source_did_you_mean(status, person_statuses) : NULL;
    if (meant)
        place_warning(&at, "unknown status, taken as protected; did you mean \"%s\"?", meant);
    else if (protects < 0)
        place_warning(&at, "unknown status, taken as protected; one of the statuses in the guide");
    return protects != 0;
}

static bool read_case(const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"id", false, false}, {"benefit", false, false},
        {"role", false, false}, {"status", true, false}, {"recorded", false, false}, {0}};
    if (!place_check_members(at, v, members)) return true;
    place_string(at, v, "id", false, NULL);
    place_enum(at, v, "benefit", person_benefits, false, 0);
    place_enum(at, v, "role", person_roles, false, 0);
    check_date(at, v, "recorded");
    return read_status(at, v);
}

/* The members of an array at `name`; NULL when absent or, reported, no array. */
static const json_t *read_array(const struct place *object, const json_t *v, const char *name, struct place *at)
{
    const json_t *array = json_object_get(v, name);
    *at = place_member(object, name);
    if (!array || json_is_array(array)) return array;
    place_error(at, "must be an array");
    return NULL;
}

/* Protected if any case, in any role, is not denied_final. Somebody listed without a case is there for a reason (a
 * confidential place has none at all), and protected. */
static bool read_cases(const struct place *object, const json_t *v)
{
    struct place at;
    const json_t *cases = read_array(object, v, "cases", &at);
    bool protects = json_array_size(cases) == 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        struct place item = place_item(&at, i);
        if (read_case(&item, json_array_get(cases, i))) protects = true;
    }
    return protects;
}

/* ---- what is not looked for ---- */

/* Who lists it takes it for protected. Said where it stands first; a source has millions of lines. */
static void tell_unmatched(struct person *p, enum person_form form, const struct place *at, uint8_t what, const char *words)
{
    if (form != PERSON_SOURCE || (p->told & what) != 0) return;
    p->told |= what;
    place_warning(at, "%s not looked for in documents by this release, here and in other lines; list what identifies the person too", words);
}

/* ---- names: checked, so that a source written for a later release is right now; not indexed ---- */

static void check_names(struct person *p, enum person_form form, const struct place *object, const json_t *v)
{
    static const struct member_spec members[] = {{"given", false, false}, {"surname", false, false}, {0}};
    struct place at;
    const json_t *names = read_array(object, v, "names", &at);
    if (json_array_size(names) > 0) tell_unmatched(p, form, &at, PERSON_TOLD_NAMES, "names are");
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct place item = place_item(&at, i);
        const json_t *name = json_array_get(names, i);
        if (!place_check_members(&item, name, members)) continue;
        place_string(&item, name, "given", false, NULL);
        place_string(&item, name, "surname", false, NULL);
    }
}

/* ---- identifiers ---- */

static const char *const kind_names[] = {
#define X(id, name, shared, surrogate) name,
    REGISTRY_KINDS(X)
#undef X
        NULL};

/* The name of the issuing system: required with surrogate keys, out of place elsewhere. */
static bool read_system(const struct place *at, const json_t *v, enum registry_kind kind, span *system)
{
    const json_t *given = json_object_get(v, "system");
    struct place member = place_member(at, "system");
    *system = json_is_string(given) ? text_of(given) : span_of(NULL, 0);
    if (!registry_kind_is_surrogate(kind)) {
        if (given) place_error(&member, "%s has no system; remove it", registry_kind_name(kind));
        return !given;
    }
    if (given && !json_is_string(given))
        place_error(&member, "must be a string");
    else if (!given)
        place_error(at, "%s needs \"system\", the system that issued it", registry_kind_name(kind));
    else if (registry_system_id(*system) == 0 || system->len > REGISTRY_SYSTEM_MAX)
        place_error(&member, "must be a name of 1 to %d bytes", REGISTRY_SYSTEM_MAX);
    else
        return true;
    return false;
}

static RESULT add_identifier(
    struct person *p, const struct secrets *s, enum person_form form, const struct place *at, const json_t *v, enum registry_kind kind)
{
    const json_t *value = json_object_get(v, "value");
    struct place member = place_member(at, "value");
    bool confidential = place_bool(at, v, "confidential", false);
    span system;
    if (!json_is_string(value)) {
        place_error(&member, "must be a string; put numbers in quotes, or their zeros are lost");
        return OK;
    }
    if (!read_system(at, v, kind, &system)) return OK;
    size_t before = p->key_count;
    enum person_value added = person_add(p, s, kind, text_of(value), system);
    REQUIRE(added != PERSON_VALUE_NO_MEMORY, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    if (added == PERSON_VALUE_BAD)
        place_error(&member, "no %s; should be %s", registry_kind_name(kind), person_kind_hint(kind));
    /* A shared thing is a key only where it is confidential; a location is nothing but confidential. */
    if (registry_kind_is_shared(kind) && kind != REGISTRY_LOCATION && !confidential) p->key_count = before;
    if (person_kind_unmatched(kind) && p->key_count > before)
        tell_unmatched(p, form, at, PERSON_TOLD_KIND, "addresses, locations and organizations are");
    return OK;
}

static RESULT read_identifier(
    struct person *p, const struct secrets *s, enum person_form form, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {
        {"kind", true, false}, {"value", true, false}, {"system", false, false}, {"confidential", false, false}, {0}};
    if (!place_check_members(at, v, members)) return OK;
    int kind = place_enum(at, v, "kind", kind_names, true, -1);
    return kind < 0 ? OK : add_identifier(p, s, form, at, v, (enum registry_kind)kind);
}

static RESULT read_identifiers(
    struct person *p, const struct secrets *s, enum person_form form, const struct place *object, const json_t *v)
{
    struct place at;
    const json_t *identifiers = read_array(object, v, "identifiers", &at);
    for (size_t i = 0; i < json_array_size(identifiers); i++) {
        struct place item = place_item(&at, i);
        TRY(read_identifier(p, s, form, &item, json_array_get(identifiers, i)));
    }
    return OK;
}

RESULT person_read(
    struct person *p, const struct secrets *s, enum person_form form, const struct place *at, const json_t *line)
{
    static const struct member_spec source[] = {{"subject", true, false}, {"cases", false, false},
        {"names", false, false}, {"dob", false, false}, {"identifiers", false, false}, {0}};
    static const struct member_spec protect[] = {{"subject", true, false}, {"cases", false, false},
        {"names", false, false}, {"dob", false, false}, {"identifiers", false, false}, {"op", true, false}, {0}};
    person_reset(p);
    place_check_members(at, line, form == PERSON_PROTECT ? protect : source);
    if (!json_is_object(line)) return OK;
    const json_t *subject = json_object_get(line, "subject");
    struct place member = place_member(at, "subject");
    if (subject && (!json_is_string(subject) || json_string_length(subject) == 0))
        place_error(&member, "must be a string that names the person or place in your system");
    else if (subject)
        p->handle = secrets_handle(s, text_of(subject));
    check_names(p, form, at, line);
    check_date(at, line, "dob");
    struct place birth = place_member(at, "dob");
    if (json_object_get(line, "dob")) tell_unmatched(p, form, &birth, PERSON_TOLD_BIRTH, "dates of birth are");
    p->protected_ = read_cases(at, line);
    return read_identifiers(p, s, form, at, line);
}
