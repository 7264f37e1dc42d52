/* Live changes: journal first, durable, then both overlays, then the ledger, then the answer. */
#include "admin/internal.h"
#include <errno.h>

#define CHANGES_ARENA (512u << 20)

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static RESULT name_subjects(struct admin *a, const uint64_t *subjects, size_t n, char (*out)[LEDGER_PSEUDONYM])
{
    REQUIRE(ledger_month_update(&a->month, &a->arguments->pseudonym_root, os_realtime_us()), ERROR_INTERNAL, 0);
    for (size_t i = 0; i < n; i++) {
        span handle = span_of(&subjects[i], sizeof(subjects[i]));
        REQUIRE(ledger_pseudonym(&a->month, SPAN("subject"), handle, out[i]), ERROR_INTERNAL, 0);
    }
    return OK;
}

/* An entry about many has more parts than the ring has room for at once: the scribe makes some. */
#define ROOM_TRIES 5000
#define ROOM_NAP_NS UINT64_C(1000000)

static RESULT publish(struct admin *a, struct ledger_entry *e, uint64_t *ticket)
{
    result r = ledger_entry_publish(e, &a->scratch, a->arguments->ring, ticket);
    for (unsigned i = 0; i < ROOM_TRIES && r.class == ERROR_LIMIT && r.code == EAGAIN; i++) {
        os_nap_ns(ROOM_NAP_NS);
        r = ledger_entry_publish(e, &a->scratch, a->arguments->ring, ticket);
    }
    return r;
}

RESULT admin_publish(struct admin *a, enum ledger_event event, const struct ledger_count *counts, size_t count,
    const uint64_t *subjects, size_t subject_count, uint64_t *ticket)
{
    return admin_publish_by(a, event, NULL, NULL, counts, count, subjects, subject_count, ticket);
}

RESULT admin_publish_by(struct admin *a, enum ledger_event event, const char *by, const char *why, const struct ledger_count *counts,
    size_t count, const uint64_t *subjects, size_t subject_count, uint64_t *ticket)
{
    const struct proxy_settings *s = &a->arguments->config->settings;
    struct registry_info info;
    char version[33], (*names)[LEDGER_PSEUDONYM] = mem_array(subject_count + 1, LEDGER_PSEUDONYM);
    REQUIRE(names != NULL, ERROR_LIMIT, ENOMEM);
    registry_info(a->registry, &info);
    hex_encode(span_of(info.version, sizeof(info.version)), version);
    struct ledger_entry e = {.time_us = os_realtime_us(), .node = span_str(s->node), .event = event,
        .upstream_status = -1, .status = -1, .duration_us = -1, .rules = counts, .rule_count = count,
        .subjects = (const char(*)[LEDGER_PSEUDONYM])names, .subject_count = subject_count, .sealer = a->sealer,
        .handles = subjects};
    if (by != NULL) e.recipient.identity = span_str(by);
    if (why != NULL) e.purpose = span_str(why);
    e.versions.rules = span_str(s->rules_version);
    e.versions.config = span_str(s->config_version);
    e.versions.registry = span_str(version);
    result r = name_subjects(a, subjects, subject_count, names);
    if (is_ok(r)) r = os_random(e.nonce, sizeof(e.nonce));
    *ticket = 0;
    if (is_ok(r)) r = publish(a, &e, ticket);
    mem_free(names);
    return r;
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void say(struct visitor *v, const char *fmt, ...) PRINTF(2, 3);
static void say(struct visitor *v, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_clear(&v->answer);
    result r = buf_append(&v->answer, span_str(text));
    (void)r; /* 256 bytes always fit */
}

static void say_error(struct visitor *v, const char *text)
{
    buf_clear(&v->answer);
    result r = buf_append(&v->answer, SPAN("{\"status\":\"error\",\"problems\":["));
    if (is_ok(r)) r = json_quote(&v->answer, span_str(text));
    if (is_ok(r)) r = buf_append(&v->answer, SPAN("]}\n"));
    if (!is_ok(r)) buf_clear(&v->answer);
}

static void say_problems(struct visitor *v, const struct problems *p)
{
    buf_clear(&v->answer);
    result r = buf_append(&v->answer, SPAN("{\"status\":\"error\",\"problems\":["));
    for (size_t i = 0; i < problems_count(p) && is_ok(r); i++) {
        if (i > 0) r = buf_append(&v->answer, SPAN(","));
        if (is_ok(r)) r = json_quote(&v->answer, span_str(problems_text(p, i)));
    }
    if (is_ok(r)) r = buf_append(&v->answer, SPAN("]}\n"));
    if (!is_ok(r)) say_error(v, "the problems do not fit an answer");
}

/* ---- apply ------------------------------------------------------------------------------------------------------ */

struct batch {
    struct registry_change *changes;
    uint64_t *subjects;
    size_t count, protects;
    struct arena *memory;
};

static RESULT parse_line(struct admin *a, struct batch *b, const char *name, unsigned line, span text, struct problems *p)
{
    struct registry_change *c = &b->changes[b->count];
    TRY(registry_change_parse(a->key, name, line, text, b->memory, p, c));
    c->time = os_realtime_us() / 1000000;
    b->subjects[b->count++] = c->subject;
    b->protects += c->op == REGISTRY_PROTECT;
    return OK;
}

/* Every line is read before one is applied: a file with an error changes nothing. */
static RESULT parse_batch(struct admin *a, const char *name, span body, struct batch *b, struct problems *p)
{
    size_t lines = 1;
    for (size_t i = 0; i < body.len; i++) lines += body.ptr[i] == '\n';
    b->changes = arena_array(b->memory, lines, sizeof(*b->changes));
    b->subjects = arena_array(b->memory, lines, sizeof(*b->subjects));
    REQUIRE(b->changes != NULL && b->subjects != NULL, ERROR_LIMIT, ENOMEM);
    for (unsigned line = 1; body.len > 0; line++) {
        size_t end = span_find(body, '\n');
        span text = span_trim(span_sub(body, 0, end));
        if (text.len > 0 && text.ptr[text.len - 1] == '\r') text.len--;
        if (text.len > 0) {
            result r = parse_line(a, b, name, line, text, p);
            if (!is_ok(r) && r.class != ERROR_CONFIG) return r;
        }
        body = end < body.len ? span_from(body, end + 1) : span_of(NULL, 0);
    }
    return problems_errors(p) > 0 ? FAIL(ERROR_CONFIG, REGISTRY_SOURCE_BROKEN) : OK;
}

static const char *apply_error(result r)
{
    if (r.class == ERROR_LIMIT && r.code == REGISTRY_OVERLAY_FULL) return "no room for live changes; rebuild and reload";
    return r.class == ERROR_IO ? os_error_text(r) : registry_error_text(r.code);
}

/* What is put behind an older copy would be lost once the newer one is brought back. */
static bool is_whole(struct visitor *v)
{
    char words[CONFIG_MARK_WORDS];
    if (is_ok(v->admin->reached)) return true;
    mark_words(v->admin, v->admin->reached, words);
    say_error(v, words);
    return false;
}

/* In force, but where the journal is lost now nobody will know of it. */
static void say_unmarked(struct visitor *v, result r)
{
    char text[256];
    snprintf(text, sizeof(text), "the changes are in force, but " LEDGER_MARK_FILE " could not be written (%s), which tells a journal that goes back: "
        "look at the ledger's disk, then apply them again", r.class == ERROR_IO ? os_error_text(r) : registry_error_text(r.code));
    say_error(v, text);
}

static void record_changes(struct visitor *v, const struct batch *b, size_t applied)
{
    struct ledger_count counts[] = {{SPAN("protect"), b->protects}, {SPAN("release"), b->count - b->protects}};
    result r = admin_publish(v->admin, LEDGER_REGISTRY, counts, 2, b->subjects, applied, &v->ticket);
    v->waits = is_ok(r);
    if (!is_ok(r)) say_error(v, "the changes are in force, but the ledger did not take their entry");
}

/* With one sync for so many. Where not all of them have room, as many as have. */
#define TOGETHER 256
static RESULT apply_some(struct admin *a, struct batch *b, size_t *applied)
{
    size_t n = b->count - *applied < TOGETHER ? b->count - *applied : TOGETHER;
    result r = journal_apply_all(a, b->changes + *applied, n);
    bool full = r.class == ERROR_LIMIT && r.code == REGISTRY_OVERLAY_FULL;
    if (is_ok(r)) *applied += n;
    if (!full) return r;
    for (r = OK; is_ok(r) && n > 0; n--) {
        r = journal_apply(a, &b->changes[*applied]);
        *applied += is_ok(r);
    }
    return r;
}

/* Answers that show somebody by a marker wait for us meanwhile. */
static RESULT apply_all(struct admin *a, struct batch *b, size_t *applied)
{
    result r = OK;
    while (is_ok(r) && *applied < b->count) {
        r = apply_some(a, b, applied);
        suspicions_serve(a);
    }
    return r;
}

static void apply(struct visitor *v, const json_t *request, span body)
{
    if (!is_whole(v)) return;
    struct admin *a = v->admin;
    struct problems *p = problems_new();
    struct batch b = {.memory = arena_new(CHANGES_ARENA)};
    const char *given = json_string_value(json_object_get(request, "name")), *name = given != NULL ? given : "CHANGES";
    size_t applied = 0;
    result r = p == NULL || b.memory == NULL ? FAIL(ERROR_LIMIT, ENOMEM) : parse_batch(a, name, body, &b, p);
    bool parsed = is_ok(r);
    if (is_ok(r)) r = apply_all(a, &b, &applied);
    if (is_ok(r)) say(v, "{\"status\":\"ok\",\"applied\":%zu}\n", applied);
    else if (p != NULL && problems_errors(p) > 0) say_problems(v, p);
    else {
        char text[200];
        snprintf(text, sizeof(text), "%zu of %zu changes applied, then: %s", applied, b.count, apply_error(r));
        say_error(v, text);
    }
    result marked = applied > 0 ? journal_mark(a) : OK;
    if (!is_ok(marked)) say_unmarked(v, marked);
    if (parsed && applied > 0) record_changes(v, &b, applied);
    problems_free(p);
    if (b.memory != NULL) arena_free(b.memory);
}

/* ---- look-up ---------------------------------------------------------------------------------------------------- */

static void look_up(struct visitor *v, const json_t *request)
{
    const char *kind = json_string_value(json_object_get(request, "kind"));
    const char *value = json_string_value(json_object_get(request, "value"));
    const char *system = json_string_value(json_object_get(request, "system"));
    int k = kind == NULL ? -1 : registry_kind_from(span_str(kind));
    struct registry_hit hit = {0};
    if (k < 0 || value == NULL) {
        say_error(v, "a look-up needs a known kind and a value");
        return;
    }
    bool followed = journal_is_followed(v->admin);
    if (!followed && !is_whole(v)) return;
    if (!followed) {
        say_error(v, "the journal of live changes cannot be followed, so that who is protected is not known; see the gateway's log");
        return;
    }
    span in = system == NULL ? span_of(NULL, 0) : span_str(system);
    if (registry_kind_is_surrogate((enum registry_kind)k) != (registry_system_id(in) != 0)) {
        say_error(v, "a look-up names the system of a person_id, event_number or case_number, and none of other kinds");
        return;
    }
    if (!registry_lookup(v->admin->registry, (enum registry_kind)k, span_str(value), in, &hit)) {
        say_error(v, "the value cannot be one of that kind");
        return;
    }
    say(v, "{\"status\":\"ok\",\"protected\":%s}\n", hit.protected_ ? "true" : "false");
    struct ledger_count counts[] = {{SPAN("lookup"), 1}};
    result r = admin_publish(v->admin, LEDGER_REGISTRY, counts, 1, &hit.subject, hit.protected_, &v->ticket);
    v->waits = is_ok(r);
    if (!is_ok(r)) say_error(v, "the ledger did not take the look-up's entry; nothing is told");
}

/* ---- suspicions ------------------------------------------------------------------------------------------------- */

static void on_record(struct visitor *v, const struct suspicion_entry *entry)
{
    struct ledger_count counts[] = {{span_str(entry->what), entry->count > 0 ? entry->count : 1}};
    result r = admin_publish_by(v->admin, LEDGER_REGISTRY, entry->by, NULL, counts, 1, entry->subjects, entry->count, &v->ticket);
    v->waits = is_ok(r);
    if (!is_ok(r)) say_error(v, "the ledger did not take the entry; nothing is told");
}

static void list_suspected(struct visitor *v)
{
    struct suspicion_entry entry = {0};
    buf_clear(&v->answer);
    result r = suspicions_list(v->admin, &v->answer, &entry);
    if (is_ok(r)) on_record(v, &entry);
    else say_error(v, r.class == ERROR_LIMIT ? "there are more than an answer holds" : "the journal cannot be read");
    mem_free(entry.subjects);
}

static void clear(struct visitor *v, const json_t *request)
{
    const char *subject = json_string_value(json_object_get(request, "subject"));
    const char *by = json_string_value(json_object_get(request, "by"));
    const char *reason = json_string_value(json_object_get(request, "reason"));
    struct suspicion_entry entry = {0};
    bool named = subject != NULL && by != NULL && by[0] != '\0' && reason != NULL && reason[0] != '\0';
    if (!is_whole(v)) return;
    result r = named ? suspicions_clear(v->admin, subject, by, reason, &entry) : OK, marked = named && is_ok(r) ? journal_mark(v->admin) : OK;
    if (!named) say_error(v, "a suspicion is cleared by somebody with a name, for a reason");
    else if (r.class == ERROR_CONFIG) say_error(v, "nobody of that subject is suspected; registry list --suspected shows who is");
    else if (!is_ok(r)) say_error(v, apply_error(r));
    else if (!is_ok(marked)) say_unmarked(v, marked);
    else say(v, "{\"status\":\"ok\",\"cleared\":1}\n");
    if (named && is_ok(r)) on_record(v, &entry);
    mem_free(entry.subjects);
}

void changes_accept(struct visitor *v)
{
    result r = mark_accept(v->admin);
    (void)journal_is_followed(v->admin);
    if (is_ok(r)) say(v, "{\"status\":\"ok\",\"accepted\":%llu}\n", (unsigned long long)v->admin->due.position);
    else say_unmarked(v, r);
}

/* What was in force is lost: somebody answers for that it is not missing. On record before it is so. */
static void accept_loss(struct visitor *v, const json_t *request)
{
    struct admin *a = v->admin;
    const char *by = json_string_value(json_object_get(request, "by")), *reason = json_string_value(json_object_get(request, "reason"));
    bool named = by != NULL && by[0] != '\0' && reason != NULL && reason[0] != '\0';
    if (!named || is_ok(a->reached)) {
        say_error(v, named ? "nothing is missing: the registry has all that was in force here" : "a registry is accepted by somebody with a name, for a reason");
        return;
    }
    struct ledger_count counts[] = {{SPAN("accept"), 1}, {SPAN("journal"), a->due.position}, {SPAN("marked"), config_mark_position(&a->mark)}};
    result r = admin_publish_by(a, LEDGER_REGISTRY, by, reason, counts, ARRAY_LEN(counts), NULL, 0, &v->ticket);
    v->waits = v->accepts = is_ok(r);
    if (!is_ok(r)) say_error(v, "the ledger did not take the entry; nothing was changed");
}

static void tell_fixed(struct visitor *v)
{
    char digest[65];
    buf_clear(&v->answer);
    result r = buf_append(&v->answer, SPAN("{\"status\":\"ok\",\"fixed\":{"));
    for (enum config_fixed i = 0; i < CONFIG_FIXED_COUNT && is_ok(r); i++) {
        if (!config_fixed_digest(v->admin->arguments->config, i, digest)) r = FAIL(ERROR_LIMIT, 0);
        else r = buf_printf(&v->answer, "%s\"%s\":\"%s\"", i > 0 ? "," : "", config_fixed_name(i), digest);
    }
    if (is_ok(r)) r = buf_append(&v->answer, SPAN("}}\n"));
    if (!is_ok(r)) say_error(v, "no memory");
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

void local_request(struct visitor *v)
{
    span text = buf_span(&v->text);
    size_t end = span_find(text, '\n');
    if (end == text.len) return; /* more to come */
    json_error_t error;
    json_t *request = json_loadb((const char *)text.ptr, end, JSON_REJECT_DUPLICATES, &error);
    const char *command = json_string_value(json_object_get(request, "command"));
    span body = span_from(text, end + 1);
    json_int_t bytes = json_integer_value(json_object_get(request, "bytes"));
    if (command != NULL && strcmp(command, "apply") == 0 && bytes >= 0 && body.len < (size_t)bytes) {
        json_decref(request);
        return;
    }
    v->asked = true;
    if (command != NULL && strcmp(command, "apply") == 0) apply(v, request, body);
    else if (command != NULL && strcmp(command, "lookup") == 0) look_up(v, request);
    else if (command != NULL && strcmp(command, "suspected") == 0) list_suspected(v);
    else if (command != NULL && strcmp(command, "clear") == 0) clear(v, request);
    else if (command != NULL && strcmp(command, "accept") == 0) accept_loss(v, request);
    else if (command != NULL && strcmp(command, "fixed") == 0) tell_fixed(v);
    else say_error(v, "unknown command; use apply, lookup, suspected, clear, accept or fixed");
    json_decref(request);
}
