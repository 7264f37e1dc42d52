/* Which ledger, whose, and what of it. */
#include "cli/log.h"
#include "config/config.h"
#include "os/os.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define GATE_JSON_MAX ((size_t)16 << 20)
#define KEY_FILE_MAX ((size_t)64 << 10)
#define MS_DAY UINT64_C(86400000)

int log_fail(const struct log_options *o, const char *what, const char *why)
{
    fprintf(stderr, "gate1367 %s: %s: %s\n", o->command, what, why);
    return 2;
}

/* ---- where ------------------------------------------------------------------------------------------------------ */

/* Paths in gate.json are relative to the file itself, as the gateway reads them: a link to it that lies elsewhere must not make
 * another ledger of it. */
static void resolve(char out[LOG_PATH_BYTES], const char *config, const char *path)
{
    char real[PATH_MAX];
    if (!realpath(config, real)) snprintf(real, sizeof real, "%s", config);
    const char *slash = strrchr(real, '/');
    int base = slash && path[0] != '/' ? (int)(slash - real) + 1 : 0;
    snprintf(out, LOG_PATH_BYTES, "%.*s%s", base, real, path);
}

/* What is no list of keys is told by check, not here. */
static size_t read_approvers(char out[LOG_APPROVERS][LEDGER_VKEY_MAX], const json_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list) && n < LOG_APPROVERS; i++) {
        const char *key = json_string_value(json_array_get(list, i));
        if (key) snprintf(out[n++], LEDGER_VKEY_MAX, "%s", key);
    }
    return n;
}

static void read_schedule(struct log_options *o, const struct place *ledger, const json_t *v)
{
    struct place at = place_member(ledger, "schedule");
    if (!v) return;
    const char *id = place_string(&at, v, "id", true, ""), *hold = place_string(&at, v, "hold", false, "");
    snprintf(o->schedule.id, sizeof o->schedule.id, "%s", id ? id : "");
    snprintf(o->schedule.hold, sizeof o->schedule.hold, "%s", hold ? hold : "");
    o->schedule.retain_days = (place_duration(&at, v, "retain", UINT64_MAX) + MS_DAY - 1) / MS_DAY;
    o->schedule.approver_count = read_approvers(o->schedule.approvers, json_object_get(v, "approvers"));
}

static bool read_ledger_member(struct log_options *o, struct source *s, struct problems *p)
{
    struct place root = place_root(s), at = place_member(&root, "ledger");
    const json_t *ledger = json_object_get(source_root(s), "ledger");
    if (!json_is_object(ledger))
        place_error(&root, "there is no ledger; \"ledger\": {\"directory\", \"key\", \"origin\"} is expected");
    if (problems_errors(p) > 0) return false;
    const char *directory = place_string(&at, ledger, "directory", true, "");
    const char *key = place_string(&at, ledger, "key", true, "");
    const char *origin = place_string(&at, ledger, "origin", true, "");
    if (problems_errors(p) > 0) return false;
    resolve(o->directory_path, o->config, directory);
    resolve(o->key_path, o->config, key);
    snprintf(o->origin_name, sizeof o->origin_name, "%s", origin);
    o->approver_count = read_approvers(o->approvers, json_object_get(ledger, "recovery"));
    read_schedule(o, &at, json_object_get(ledger, "schedule"));
    const char *standby = json_string_value(json_object_get(json_object_get(ledger, "standby"), "directory"));
    if (standby) resolve(o->standby_path, o->config, standby);
    if (problems_errors(p) > 0) return false;
    o->directory = o->directory_path;
    o->key = o->key_path;
    o->origin = o->origin_name;
    return true;
}

/* Only the ledger's place is read: an auditor must get at it also where the rest of the configuration is broken. */
static bool read_config(struct log_options *o)
{
    struct buf text;
    result r = os_read_file(o->config, GATE_JSON_MAX, &text);
    if (!is_ok(r)) return log_fail(o, o->config, os_error_text(r)), false;
    struct problems *p = problems_new();
    struct source *s = p ? source_parse(o->config, buf_span(&text), p) : NULL;
    bool good = s && read_ledger_member(o, s, p);
    if (!good && p) cli_print_problems(p, false);
    source_free(s);
    problems_free(p);
    buf_free(&text);
    return good;
}

bool log_find(struct log_options *o)
{
    if (o->config && o->directory) return (void)cli_usage(o->command, "give either -c or --directory"), false;
    if (o->config && (o->key || o->origin)) return (void)cli_usage(o->command, "-c names key and origin; leave --key and --origin out"), false;
    if (!o->config && !o->directory)
        return (void)cli_usage(o->command, "give -c gate.json, or --directory DIR --verifier VKEY"), false;
    return !o->config || read_config(o);
}

bool log_expected_verifier(const struct log_options *o, struct ledger_verifier *out)
{
    struct ledger_key *key = NULL;
    result r;
    if (o->verifier) {
        r = ledger_verifier_parse(span_str(o->verifier), out);
        if (!is_ok(r)) log_fail(o, o->verifier, ledger_error_text(r));
        return is_ok(r);
    }
    if (!o->key || !o->origin)
        return (void)cli_usage(o->command, "--directory needs --verifier VKEY, as log init printed it"), false;
    r = ledger_key_load(o->key, &key);
    if (is_ok(r)) r = ledger_verifier_of(key, o->origin, out);
    if (!is_ok(r)) log_fail(o, o->key, ledger_error_text(r));
    ledger_key_free(key);
    return is_ok(r);
}

static bool is_signed_copy(const struct log_options *o, const struct ledger_verifier *wanted)
{
    uint64_t size;
    uint8_t root[32];
    result r = ledger_published(o->directory, wanted, &size, root);
    if (is_ok(r)) return true;
    log_fail(o, o->directory, r.code == LEDGER_E_CORRUPT ? "its checkpoint is not signed with this verifier key" : ledger_error_text(r));
    return false;
}

bool log_is_named_ledger(const struct log_options *o)
{
    struct ledger_verifier wanted, found;
    if (!o->verifier) return true;
    if (!log_expected_verifier(o, &wanted)) return false;
    if (ledger_is_copy(o->directory)) return is_signed_copy(o, &wanted);
    result r = ledger_verifier_read(o->directory, &found);
    bool same = is_ok(r) && strcmp(wanted.name, found.name) == 0 && memcmp(wanted.key, found.key, 32) == 0;
    if (!same) log_fail(o, o->directory, is_ok(r) ? "is the ledger of another verifier key" : ledger_error_text(r));
    return same;
}

/* ---- what ------------------------------------------------------------------------------------------------------- */

/* All words that would have been right: nobody knows them by heart. */
static bool unknown_word(const struct log_options *o, const char *what, const char *word, const char *const *words)
{
    char all[512];
    size_t n = 0;
    const char *near = source_did_you_mean(word, words);
    for (size_t i = 0; words[i] && n < sizeof all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", words[i]);
    if (near) (void)cli_usage(o->command, "there is no %s \"%s\"; did you mean %s? There are %s", what, word, near, all);
    else (void)cli_usage(o->command, "there is no %s \"%s\"; there are %s", what, word, all);
    return false;
}

static const char *const EVENT_WORDS[] = {
#define X(name, text, note) text,
    LEDGER_EVENTS(X)
#undef X
        NULL};
static const char *const OUTCOME_WORDS[] = {
#define X(name, text, note) text,
    LEDGER_OUTCOMES(X)
#undef X
        NULL};

static bool take_time(const struct log_options *o, const char *name, const char *text, uint64_t *out)
{
    if (!text || ledger_time_parse(span_str(text), out)) return true;
    return (void)cli_usage(o->command, "%s takes a date or an RFC 3339 time, not \"%s\"", name, text), false;
}

/* ---- whom ------------------------------------------------------------------------------------------------------- */

/* Who reads that nothing was found must know where nothing can be found. */
static void say_what_is_gone(const struct log_options *o)
{
    const struct ledger_epochs *e = &o->filter.root.epochs;
    char from[LEDGER_MONTH_TEXT], to[LEDGER_MONTH_TEXT];
    if (e->month == e->first) return;
    ledger_month_text(e->first, from);
    ledger_month_text(e->month - 1, to);
    fprintf(stderr, "gate1367 %s: entries of %s to %s cannot be found by person any more: their keys were destroyed under the records schedule\n",
        o->command, from, to);
}

static bool load_root(struct log_options *o)
{
    struct ledger_key *key = NULL;
    result r = ledger_key_load(o->key, &key);
    if (is_ok(r)) r = ledger_key_root(key, o->filter.root.key);
    if (is_ok(r)) r = ledger_epochs_read(o->directory, &o->filter.root.epochs);
    if (!is_ok(r)) log_fail(o, o->key, ledger_error_text(r));
    ledger_key_free(key);
    if (is_ok(r)) say_what_is_gone(o);
    return is_ok(r);
}

/* VALUE or VALUE@SYSTEM of a kind whose numbers a system gives out. */
static span cut_system(enum registry_kind kind, span *value)
{
    size_t at = span_find(*value, '@');
    if (!registry_kind_is_surrogate(kind) || at == value->len) return span_of(NULL, 0);
    span system = span_from(*value, at + 1);
    *value = span_sub(*value, 0, at);
    return system;
}

static bool find_handles(struct log_options *o, const struct registry *r, enum registry_kind kind, span value)
{
    uint8_t canonical[REGISTRY_CANONICAL_MAX];
    struct buf folded;
    uint8_t *room;
    span system = cut_system(kind, &value);
    if (registry_kind_is_surrogate(kind) && (system.ptr == NULL || registry_system_id(system) == 0)) {
        const char *name = registry_kind_name(kind);
        return (void)cli_usage(o->command, "a %s means somebody only in the system that issued it; write %s:VALUE@SYSTEM", name, name), false;
    }
    buf_init(&folded, 4096);
    if (value.len > 1024 || !is_ok(buf_reserve(&folded, value.len + 1, &room))) value = span_of(NULL, 0);
    size_t n = value.ptr ? registry_fold(value, room) : 0;
    n = n > 0 ? registry_canonical(kind, span_of(room, n), canonical) : 0;
    struct registry_key key = {kind, system.ptr ? registry_system_id(system) : 0, span_of(canonical, n)};
    size_t found = n > 0 ? registry_subjects(r, &key, o->filter.subjects, LEDGER_FILTER_SUBJECTS) : 0;
    buf_free(&folded);
    o->filter.subject_count = found < LEDGER_FILTER_SUBJECTS ? found : LEDGER_FILTER_SUBJECTS;
    if (n == 0) return log_fail(o, o->subject, "the value is none of its kind"), false;
    if (found > 0) return true;
    return log_fail(o, o->subject, "the registry in force protects nobody of that; who was released, or suspected and cleared, is found by subject:ID"), false;
}

/* The id that its source gave, or, for who is known by a marker alone and has none, the handle that registry list --suspected shows:
 * who was cleared is found by that for ever. */
static bool take_subject(struct log_options *o, const uint8_t key[32], span id)
{
    uint64_t *out = o->filter.subjects;
    uint8_t handle[8];
    if (!registry_subject_handle(key, id, &out[0])) return false;
    o->filter.subject_count = 1;
    if (!hex_decode(id, handle, sizeof handle)) return true;
    out[1] = load_be64(handle);
    o->filter.subject_count = 2;
    return true;
}

/* KIND:VALUE by the registry in force, subject:ID by its key alone. */
static bool find_by_registry(struct log_options *o, span word, span value)
{
    struct problems *p = problems_new();
    struct config *c = p ? config_load(o->config, p) : NULL;
    struct config_registry now;
    uint8_t key[32];
    bool good = false;
    int kind = registry_kind_from(word);
    if (!c) {
        if (p) cli_print_problems(p, false);
    } else if (span_equal(word, SPAN("subject"))) {
        good = is_ok(config_registry_key(c, key)) && take_subject(o, key, value);
        if (!good) log_fail(o, c->registry_key_path, "is no registry's key");
    } else if (kind < 0) {
        (void)cli_usage(o->command, "--subject takes KIND:VALUE, subject:ID or pseudonym:HEX, and \"%.*s\" is no kind", SPAN_FMT(word));
    } else if (!is_ok(config_registry_open(c, &now))) {
        log_fail(o, now.path, now.why);
    } else {
        good = find_handles(o, now.registry, (enum registry_kind)kind, value);
        config_registry_close(&now);
    }
    mem_wipe(key, sizeof key);
    if (c) config_free(c);
    problems_free(p);
    return good && load_root(o);
}

static bool find_subject(struct log_options *o)
{
    span text = span_str(o->subject);
    size_t colon = span_find(text, ':');
    if (colon == text.len)
        return (void)cli_usage(o->command, "--subject takes KIND:VALUE, subject:ID or pseudonym:HEX, not \"%s\"", o->subject), false;
    span word = span_sub(text, 0, colon), value = span_from(text, colon + 1);
    if (span_equal(word, SPAN("pseudonym"))) {
        uint8_t bytes[16];
        if (!hex_decode(value, bytes, sizeof bytes))
            return (void)cli_usage(o->command, "a pseudonym has 32 hex digits, as entries show it"), false;
        hex_encode(span_of(bytes, sizeof bytes), o->filter.pseudonym);
        return true;
    }
    if (!o->config)
        return (void)cli_usage(o->command, "--subject needs -c gate.json: the keys of registry and ledger say what somebody is called in it; "
                                     "pseudonym:HEX needs none"), false;
    return find_by_registry(o, word, value);
}

bool log_check_filters(struct log_options *o)
{
    enum ledger_event event;
    enum ledger_outcome outcome;
    struct ledger_filter *f = &o->filter;
    if (f->event && !ledger_event_parse(span_str(f->event), &event)) return unknown_word(o, "event", f->event, EVENT_WORDS);
    if (f->outcome && !ledger_outcome_parse(span_str(f->outcome), &outcome))
        return unknown_word(o, "outcome", f->outcome, OUTCOME_WORDS);
    if (!take_time(o, "--since", o->since, &f->since_us) || !take_time(o, "--until", o->until, &f->until_us)) return false;
    if (o->until && f->until_us <= f->since_us) /* nothing would be found, and that would be believed */
        return (void)cli_usage(o->command, "--until %s ends before anything begins: it must lie after --since", o->until), false;
    o->filtered = f->event || f->outcome || f->recipient || f->rule || f->grant || f->request || o->since || o->until || o->subject;
    return !o->subject || find_subject(o);
}

static bool give_epochs(struct log_options *o)
{
    struct ledger_epochs e;
    result r = ledger_epochs_read(o->directory, &e);
    if (is_ok(r)) ledger_unsealer_epochs(o->unsealer, &e);
    mem_wipe(&e, sizeof e);
    if (!is_ok(r)) log_fail(o, o->directory, ledger_error_text(r));
    return is_ok(r);
}

bool log_open_unsealer(struct log_options *o)
{
    struct buf pem;
    buf_init(&o->unsealed, LEDGER_ENTRY_MAX);
    if (!o->unseal) return true;
    result r = os_secret_read(o->unseal, KEY_FILE_MAX, &pem);
    if (!is_ok(r)) return log_fail(o, o->unseal, os_error_text(r)), false;
    r = ledger_unsealer_open(buf_span(&pem), &o->unsealer);
    if (pem.base) mem_wipe(pem.base, pem.size);
    buf_free(&pem);
    if (!is_ok(r)) return log_fail(o, o->unseal, ledger_error_text(r)), false;
    return give_epochs(o);
}

void log_release(struct log_options *o)
{
    ledger_unsealer_close(o->unsealer);
    ledger_presumed_free(o->presumed);
    ledger_records_free(o->records);
    buf_free(&o->unsealed);
    mem_wipe(&o->filter, sizeof o->filter);
}
