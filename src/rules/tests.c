/* Tests that packs carry: samples of identifiers and markers, and whole answers of profiles. Checked here, run by those
 * who have an engine. */
#include "rules/set.h"

/* ---- known gaps ------------------------------------------------------------------------------------------------- */

/* {"todo": …}: what it holds, and its place; else the value itself. */
static const json_t *inside_todo(const json_t *v, struct place *at, bool *todo)
{
    const json_t *inside = json_object_size(v) == 1 ? json_object_get(v, "todo") : NULL;
    *todo = inside != NULL;
    if (!inside) return v;
    *at = place_member(at, "todo");
    return inside;
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

static void check_sample(const struct place *at, const json_t *v)
{
    struct place inside = *at;
    bool todo, nested;
    const json_t *sample = inside_todo(v, &inside, &todo);
    struct place below = inside;
    (void)inside_todo(sample, &below, &nested);
    if (todo && nested)
        place_error(&below, "is a known gap inside a known gap; one \"todo\" says it");
    else if (!json_is_string(sample) && !json_is_object(sample) && !json_is_array(sample))
        place_error(&inside, "a sample is a text, or an object or array as it would stand in a document");
}

static void check_samples(const struct place *tests, const json_t *v, const char *name)
{
    const json_t *samples = json_object_get(v, name);
    struct place at = place_member(tests, name);
    if (!samples) return; /* reported as missing */
    if (!json_is_array(samples) || json_array_size(samples) == 0) {
        place_error(&at, "must be an array of at least one sample");
        return;
    }
    for (size_t i = 0; i < json_array_size(samples); i++) {
        struct place item = place_item(&at, i);
        check_sample(&item, json_array_get(samples, i));
    }
}

void tests_check(const struct place *object, const json_t *v)
{
    static const struct member_spec members[] = {{"match", true, false}, {"ignore", true, false}, {NULL, false, false}};
    const json_t *tests = json_object_get(v, "tests");
    struct place at = place_member(object, "tests");
    if (!tests) return; /* reported as missing */
    (void)place_check_members(&at, tests, members);
    if (!json_is_object(tests)) return;
    check_samples(&at, tests, "match");
    check_samples(&at, tests, "ignore");
}

static void each_sample(const struct rule *r, bool match, rules_test_fn *each, void *ctx)
{
    const char *name = match ? "match" : "ignore";
    const json_t *samples = json_object_get(json_object_get(r->json, "tests"), name);
    struct place tests = place_member(&r->at, "tests"), list = place_member(&tests, name);
    for (size_t i = 0; i < json_array_size(samples); i++) {
        struct rules_test t = {.rule = r->name, .expect_match = match, .at = place_item(&list, i)};
        t.sample = inside_todo(json_array_get(samples, i), &t.at, &t.todo);
        each(ctx, &t);
    }
}

void rules_each_test(const struct rules_set *s, rules_test_fn *each, void *ctx)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->rules.count; i++) {
        each_sample(LIST_AT(&s->rules, struct rule, i), true, each, ctx);
        each_sample(LIST_AT(&s->rules, struct rule, i), false, each, ctx);
    }
}

/* ---- answers of a profile --------------------------------------------------------------------------------------- */

static const char *const expectations[] = {"not_found", "unchanged", NULL};
static const char *const recipients[] = {"restricted", "entitled", NULL};

static void check_person(const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {
        {"kind", true, false}, {"value", true, false}, {"system", false, false}, {NULL, false, false}};
    struct place kind_at = place_member(at, "kind");
    if (json_is_string(v) && json_string_length(v) > 0) return;
    if (!json_is_object(v)) {
        place_error(at, "must be an identifier as a text, {\"kind\", \"value\", \"system\"}, or a line of a registry source");
        return;
    }
    if (json_object_get(v, "subject")) return; /* the registry's own loader reads it */
    (void)place_check_members(at, v, members);
    const char *kind = place_string(at, v, "kind", false, NULL);
    (void)place_string(at, v, "value", false, "");
    (void)place_string(at, v, "system", false, "");
    if (kind && registry_kind_from(span_str(kind)) < 0)
        place_error(&kind_at, "unknown kind \"%s\"; use one of the registry's kinds", kind);
}

static void check_people(const struct place *test, const json_t *v)
{
    const json_t *people = json_object_get(v, "protected");
    struct place at = place_member(test, "protected");
    if (people && !json_is_array(people)) place_error(&at, "must be an array of identifiers or people");
    for (size_t i = 0; i < json_array_size(people); i++) {
        struct place item = place_item(&at, i);
        check_person(&item, json_array_get(people, i));
    }
}

static void check_path(const struct place *test, const json_t *v)
{
    const char *path = place_string(test, v, "path", false, "/");
    struct place at = place_member(test, "path");
    if (*path != '/' || strpbrk(path, "?#"))
        place_error(&at, "\"%.80s\" is no path; it begins with / and what follows ? stands in \"query\"", path);
}

/* One way of saying it, never two. */
static void check_either(const struct place *test, const json_t *v, const char *a, const char *b)
{
    struct place at = place_member(test, b);
    if (!json_object_get(v, a) && !json_object_get(v, b))
        place_error(test, "has neither \"%s\" nor \"%s\"; one of them is required", a, b);
    if (json_object_get(v, a) && json_object_get(v, b))
        place_error(&at, "stands beside \"%s\"; only one of them can hold", a);
    (void)place_string(test, v, b, false, "");
}

static void check_expectation(const struct place *test, const json_t *v)
{
    struct place at = place_member(test, "expect");
    bool todo;
    const json_t *expect = json_object_get(v, "expect");
    if (expect) expect = inside_todo(expect, &at, &todo);
    if (!expect || json_is_object(expect) || json_is_array(expect)) return;
    for (size_t i = 0; json_is_string(expect) && expectations[i]; i++)
        if (!strcmp(expectations[i], json_string_value(expect))) return;
    place_error(&at, "must be \"not_found\", \"unchanged\", or the body that is expected, an object or array");
}

static void check_profile_test(const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"title", false, false}, {"path", true, false}, {"query", false, false},
        {"recipient", true, false}, {"as", false, false}, {"protected", false, false}, {"type", false, false}, {"body", false, false},
        {"text", false, false}, {"expect", false, false}, {"expect_text", false, false}, {"records", false, false},
        {NULL, false, false}};
    struct place inside = *at;
    bool todo;
    const json_t *test = inside_todo(v, &inside, &todo);
    (void)place_check_members(&inside, test, members);
    if (!json_is_object(test)) return;
    (void)place_string(&inside, test, "title", false, "");
    (void)place_string(&inside, test, "query", false, "");
    (void)place_string(&inside, test, "as", false, "");
    (void)place_string(&inside, test, "type", false, "");
    (void)place_enum(&inside, test, "recipient", recipients, false, 0);
    (void)place_integer(&inside, test, "records", 0, INT32_MAX, 0);
    check_path(&inside, test);
    check_people(&inside, test);
    check_either(&inside, test, "body", "text");
    check_either(&inside, test, "expect", "expect_text");
    check_expectation(&inside, test);
}

void tests_check_profile(const struct place *profile, const json_t *v)
{
    const json_t *tests = json_object_get(v, "tests");
    struct place at = place_member(profile, "tests");
    if (tests && !json_is_array(tests)) place_error(&at, "must be an array of tests");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        struct place item = place_item(&at, i);
        check_profile_test(&item, json_array_get(tests, i));
    }
}

static void read_expectation(const json_t *v, struct rules_profile_test *t)
{
    struct place at = t->at;
    bool todo = false;
    const json_t *expect = json_object_get(v, "expect");
    if (expect) expect = inside_todo(expect, &at, &todo);
    t->todo |= todo;
    t->expect_text = json_string_value(json_object_get(v, "expect_text"));
    if (json_is_string(expect))
        t->expect = strcmp(json_string_value(expect), "not_found") ? RULES_EXPECT_UNCHANGED : RULES_EXPECT_NOT_FOUND;
    else
        t->expect = expect ? RULES_EXPECT_BODY : RULES_EXPECT_TEXT;
    t->expect_body = expect;
}

static const char *text_or(const json_t *v, const char *name, const char *fallback)
{
    const char *s = json_string_value(json_object_get(v, name));
    return s ? s : fallback;
}

static void tell_profile_test(const struct rules_profile *p, size_t i, rules_profile_test_fn *each, void *ctx)
{
    struct place list = place_member(&p->at, "tests");
    struct rules_profile_test t = {.profile = p, .profile_id = p->id, .at = place_item(&list, i), .records = -1};
    const json_t *v = inside_todo(json_array_get(json_object_get(p->json, "tests"), i), &t.at, &t.todo);
    t.title = text_or(v, "title", "");
    t.path = text_or(v, "path", "/");
    t.query = text_or(v, "query", "");
    t.as = text_or(v, "as", "");
    t.type = text_or(v, "type", "application/json");
    t.entitled = strcmp(text_or(v, "recipient", ""), "entitled") == 0;
    t.people = json_object_get(v, "protected");
    t.body = json_object_get(v, "body");
    t.text = json_object_get(v, "text");
    const json_t *records = json_object_get(v, "records");
    if (records) t.records = json_integer_value(records);
    read_expectation(v, &t);
    each(ctx, &t);
}

void rules_each_profile_test(const struct rules_set *s, rules_profile_test_fn *each, void *ctx)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        size_t count = json_array_size(json_object_get(p->json, "tests"));
        for (size_t j = 0; j < count; j++)
            tell_profile_test(p, j, each, ctx);
    }
}
