/* A line of CHANGES.jsonl: {"op":"protect", …a source line…} or {"op":"release","subject":…,"reason":…}. */
#include "registry/person.h"

static const char *const ops[] = {"protect", "release", NULL};

static RESULT copy_keys(const struct person *p, struct arena *a, struct registry_change *out)
{
    struct registry_print *keys = arena_array(a, p->key_count + 1, sizeof *keys);
    REQUIRE(keys, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    for (size_t i = 0; i < p->key_count; i++)
        keys[i] = p->keys[i].print;
    out->keys = keys;
    out->key_count = p->key_count;
    return OK;
}

static RESULT read_protect(
    const struct secrets *s, const struct place *at, const json_t *line, struct arena *a, struct registry_change *out)
{
    struct person p = {0};
    result r = person_read(&p, s, PERSON_PROTECT, at, line);
    if (is_ok(r) && p.handle != REGISTRY_NO_SUBJECT && !p.protected_) {
        struct place cases = place_member(at, "cases");
        place_error(
            &cases, "every case is denied_final, which protects nobody; to end a protection use \"op\":\"release\"");
    }
    if (is_ok(r) && p.key_count > REGISTRY_CHANGE_KEYS_MAX) {
        struct place identifiers = place_member(at, "identifiers");
        place_error(&identifiers, "more than %d identifiers; rebuild with them instead", REGISTRY_CHANGE_KEYS_MAX);
    }
    out->subject = p.handle;
    if (is_ok(r)) r = copy_keys(&p, a, out);
    person_free(&p);
    return r;
}

static span string_of(const struct place *at, const json_t *line, const char *name)
{
    const char *s = place_string(at, line, name, true, "");
    struct place member = place_member(at, name);
    if (json_is_string(json_object_get(line, name)) && s[0] == '\0') place_error(&member, "must not be empty");
    return span_of(s, json_string_length(json_object_get(line, name)));
}

//= 10-domain 1.1 ND-8: nothing releases but a named decision
static void read_release(
    const struct secrets *s, const struct place *at, const json_t *line, struct registry_change *out)
{
    static const struct member_spec members[] = {
        {"op", true, false}, {"subject", true, false}, {"reason", true, false}, {0}};
    if (!place_check_members(at, line, members)) return;
    span subject = string_of(at, line, "subject"), reason = string_of(at, line, "reason");
    if (subject.len > 0) out->subject = secrets_handle(s, subject);
    siphash128(s->reasons, reason, out->reason);
}

static RESULT read_change(
    const struct secrets *s, const struct place *at, const json_t *line, struct arena *a, struct registry_change *out)
{
    if (!json_is_object(line)) {
        place_error(at, "must be an object with \"op\"");
        return OK;
    }
    int op = place_enum(at, line, "op", ops, true, -1);
    out->op = op == 1 ? REGISTRY_RELEASE : REGISTRY_PROTECT;
    if (op == 0) return read_protect(s, at, line, a, out);
    if (op == 1) read_release(s, at, line, out);
    return OK;
}

RESULT registry_change_parse(const uint8_t key[32], const char *name, unsigned line, span text, struct arena *a,
    struct problems *p, struct registry_change *out)
{
    struct secrets s;
    size_t errors = problems_errors(p);
    *out = (struct registry_change){0};
    TRY(secrets_derive(&s, key));
    struct source *source = source_parse_line(name, line, text, p);
    result r = OK;
    if (source) {
        struct place at = place_root(source);
        r = read_change(&s, &at, source_root(source), a, out);
    }
    bool parsed = source != NULL;
    source_free(source);
    secrets_wipe(&s);
    TRY(r);
    REQUIRE(problems_errors(p) == errors, ERROR_CONFIG, REGISTRY_SOURCE_BROKEN);
    REQUIRE(parsed && out->subject != REGISTRY_NO_SUBJECT, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return OK;
}
