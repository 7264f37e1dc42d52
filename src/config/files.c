#include "config/inside.h"
#include "pages/pages.h"
#include <errno.h>
#include <fcntl.h>

const char *config_path(struct config_inside *in, const char *relative)
{
    if (relative[0] == '/') return relative;
    char text[4096];
    int n = snprintf(text, sizeof(text), "%s/%s", in->directory, relative);
    bool fits = n > 0 && (size_t)n < sizeof(text); /* else it is too long for the system, which says so */
    span copy = arena_copy(in->memory, fits ? span_of(text, (size_t)n) : span_str(relative));
    return copy.ptr == NULL ? relative : (const char *)copy.ptr;
}

struct source *config_source(struct config_inside *in, const struct place *named, const char *relative)
{
    struct buf text;
    const char *path = config_path(in, relative);
    result r = os_read_file(path, CONFIG_FILE_MAX, &text);
    if (!is_ok(r)) {
        place_error(named, "%s: %s; name a file that can be read", relative, os_error_text(r));
        return NULL;
    }
    struct source *s = source_parse(path, buf_span(&text), in->problems);
    buf_free(&text);
    if (s == NULL) return NULL;
    if (in->source_count == CONFIG_SOURCES) {
        place_error(named, "more than %d files; put several rule packs into one", CONFIG_SOURCES);
        source_free(s);
        return NULL;
    }
    in->sources[in->source_count++] = s;
    config_note(in, source_text(s));
    return s;
}

span config_text(struct config_inside *in, const struct place *named, const char *relative)
{
    struct buf text;
    result r = os_read_file(config_path(in, relative), CONFIG_PEM_MAX, &text);
    if (!is_ok(r)) {
        place_error(named, "%s: %s; name a file that can be read", relative, os_error_text(r));
        return span_of(NULL, 0);
    }
    span copy = arena_copy(in->memory, buf_span(&text));
    config_note(in, buf_span(&text));
    buf_free(&text);
    return copy.ptr == NULL ? span_of(NULL, 0) : copy;
}

int config_secret(struct config_inside *in, const struct place *named, const char *relative)
{
    int fd = -1;
    result r = os_secret_open(config_path(in, relative), &fd);
    if (!is_ok(r)) {
        bool missing = r.class == ERROR_IO && r.code == ENOENT;
        const char *then = r.code == OS_SECRET_OTHERS ? "" : missing ? "; name a file that can be read"
                                                             : "; a secret belongs to its owner alone (chmod 600)";
        place_error(named, "%s: %s%s", relative, os_error_text(r), then);
        return -1;
    }
    if (in->fd_count == ARRAY_LEN(in->fds)) {
        os_close(&fd);
        place_error(named, "more than %zu secrets; use fewer listeners", ARRAY_LEN(in->fds));
        return -1;
    }
    in->fds[in->fd_count++] = fd;
    return fd;
}

/* ---- recipients, rules, registry, ledger ------------------------------------------------------------------------ */

static void load_recipients(struct loading *l)
{
    const char *name = place_string(&l->at, l->root, "recipients", false, NULL);
    if (name == NULL) return;
    struct place at = place_member(&l->at, "recipients");
    struct source *s = config_source(l->in, &at, name);
    if (s != NULL) l->in->recipients = recipient_load(s);
    l->config->settings.recipients = l->in->recipients;
}

struct packs {
    struct loading *loading;
    struct source *list[CONFIG_SOURCES];
    size_t count;
    bool broken;
};

static void load_pack(void *ctx, const struct place *at, const char *name)
{
    struct packs *p = ctx;
    struct source *s = config_source(p->loading->in, at, name);
    if (s == NULL) p->broken = true;
    else p->list[p->count++] = s;
}

static void load_rules(struct loading *l)
{
    struct packs packs = {.loading = l};
    place_strings(&l->at, l->root, "rules", load_pack, &packs);
    if (!packs.broken && packs.count == 0 && json_object_get(l->root, "rules") != NULL) {
        struct place at = place_member(&l->at, "rules");
        place_error(&at, "no rule pack is named; name at least the shipped section-1367.json");
    }
    if (packs.count == 0) return;
    l->in->rules = rules_load(packs.list, packs.count, l->in->problems);
    if (packs.broken) { /* one that cannot be read hides nothing of the others, but what is left is no set */
        rules_free(l->in->rules);
        l->in->rules = NULL;
    }
    l->config->settings.rules = l->in->rules;
    if (l->in->rules == NULL) return;
    uint8_t version[16];
    rules_version(l->in->rules, version);
    hex_encode(span_of(version, sizeof(version)), l->config->settings.rules_version);
}

#define REGISTRY_MAX_AGE_MS (UINT64_C(7) * 86400 * 1000)

static const struct member_spec REGISTRY[] = {{"index", true, false}, {"key", true, false}, {"max_age", false, false}, {0}};

static void load_index(struct loading *l, const struct place *at, const char *index)
{
    struct config *c = l->config;
    char journal[4096];
    c->registry_path = config_path(l->in, index);
    snprintf(journal, sizeof(journal), "%s.journal", c->registry_path);
    c->journal_path = (const char *)arena_copy(l->in->memory, span_str(journal)).ptr;
    /* A copy: an index overwritten in place must not become another one unchecked, under workers that look people up. */
    result r = os_map_copy(c->registry_path, &c->registry);
    l->in->index_read = is_ok(r);
    if (!is_ok(r)) place_error(at, "%s: %s; make it with gate1367 registry build", index, os_error_text(r));
}

static void load_registry(struct loading *l)
{
    const json_t *v = json_object_get(l->root, "registry");
    if (v == NULL) return;
    struct config *c = l->config;
    struct place at = place_member(&l->at, "registry");
    if (!config_object(&at, v, REGISTRY)) return;
    uint64_t max_age = place_duration(&at, v, "max_age", REGISTRY_MAX_AGE_MS);
    c->settings.registry_max_age_us = max_age > UINT64_MAX / 1000 ? UINT64_MAX : max_age * 1000;
    const char *index = place_string(&at, v, "index", false, NULL), *key = place_string(&at, v, "key", false, NULL);
    struct place at_index = place_member(&at, "index"), at_key = place_member(&at, "key");
    if (index != NULL) load_index(l, &at_index, index);
    if (key == NULL) return;
    c->registry_key_path = config_path(l->in, key);
    c->registry_key_fd = config_secret(l->in, &at_key, key);
}

static const struct member_spec LEDGER[] = {
    {"directory", true, false}, {"key", true, false}, {"origin", true, false}, {"auditors", false, false}, {"room", false, false},
    {"standby", false, false}, {"witness", false, false}, {"recovery", false, false}, {"schedule", false, false}, {0}};

static const struct member_spec ROOM[] = {{"warn", true, false}, {"shed", true, false}, {0}};

static void load_auditor(void *ctx, const struct place *at, const char *name)
{
    struct loading *l = ctx;
    struct proxy_settings *s = &l->config->settings;
    span pem = config_text(l->in, at, name);
    if (pem.ptr == NULL) return;
    if (s->auditor_count == LEDGER_AUDITORS_MAX) {
        place_error(at, "more than %d auditors; seal for fewer, who may share a key", LEDGER_AUDITORS_MAX);
        return;
    }
    if (!is_ok(ledger_auditor_check(pem, NULL))) {
        place_error(at, "%s: not a certificate with a P-256 key; give the auditor's certificate in PEM (openssl ecparam -name prime256v1)", name);
        return;
    }
    s->auditors[s->auditor_count++] = pem;
}

static void load_room(struct config *c, const struct place *ledger, const json_t *v)
{
    struct place at = place_member(ledger, "room");
    if (v == NULL || !config_object(&at, v, ROOM)) return;
    c->ledger_warn = place_size(&at, v, "warn", 0);
    c->ledger_shed = place_size(&at, v, "shed", 0);
    bool in_order = c->ledger_shed < c->ledger_warn;
    if (!in_order) place_error(&at, "\"shed\" is not below \"warn\": somebody must hear of it before answers are refused");
}

static const struct member_spec STANDBY[] = {{"directory", true, false}, {"origin", true, false}, {0}};

static void load_standby(struct loading *l, const struct place *ledger, const json_t *v)
{
    struct config *c = l->config;
    struct place at = place_member(ledger, "standby");
    if (v == NULL || !config_object(&at, v, STANDBY)) return;
    const char *directory = place_string(&at, v, "directory", false, NULL), *origin = place_string(&at, v, "origin", false, NULL);
    if (directory == NULL || origin == NULL) return;
    c->standby = (struct ledger_place){
        .directory = config_path(l->in, directory), .key_path = c->ledger.key_path, .origin = origin};
    if (c->standby.directory == NULL || c->ledger.directory == NULL) return;
    if (strcmp(c->standby.directory, c->ledger.directory) == 0) place_error(&at, "the standby is the ledger itself; give a directory on another device");
    if (strcmp(origin, c->ledger.origin) == 0) place_error(&at, "the standby has the ledger's origin; two logs of one name would be a fork: give it its own");
}

static const struct member_spec WITNESS[] = {{"url", true, false}, {"verifier", true, false}, {"strict", false, false},
    {"every", false, false}, {"alarm", false, false}, {"close", false, false}, {0}};

static uint64_t seconds_of(const struct place *at, const json_t *v, const char *name, uint64_t fallback_s)
{
    return place_duration(at, v, name, fallback_s * 1000) / 1000;
}

static void load_witness_texts(const struct place *at, const json_t *v, struct witness_settings *w)
{
    struct place at_url = place_member(at, "url"), at_key = place_member(at, "verifier");
    const char *url = place_string(at, v, "url", false, NULL), *key = place_string(at, v, "verifier", false, NULL);
    if (url != NULL && !is_ok(witness_place_parse(span_str(url), &w->place)))
        place_error(&at_url, "\"%s\" is not http://ADDRESS:PORT or http://ADDRESS:PORT/PREFIX; the address is a number", url);
    if (key == NULL) return;
    bool known = is_ok(tlog_verifier_parse(span_str(key), &w->verifier)) && w->verifier.type == TLOG_COSIGNATURE;
    if (!known) place_error(&at_key, "not the verifier key of a witness; give the line that gate1367 witness init printed");
}

static void load_witness(struct loading *l, const struct place *ledger, const json_t *of)
{
    const json_t *v = json_object_get(of, "witness");
    if (v == NULL) return;
    struct witness_settings *w = &l->config->witness;
    struct place at = place_member(ledger, "witness"), at_every = place_member(&at, "every"), at_close = place_member(&at, "close");
    if (!config_object(&at, v, WITNESS)) return;
    load_witness_texts(&at, v, w);
    w->there = true;
    w->strict = place_bool(&at, v, "strict", false);
    w->every_ms = place_duration(&at, v, "every", 10000);
    w->alarm_s = seconds_of(&at, v, "alarm", 60);
    w->close_s = seconds_of(&at, v, "close", 3600);
    if (w->every_ms < 100 || w->every_ms > 3600000) place_error(&at_every, "is out of bounds; use 100ms to 1h");
    if (w->close_s < w->alarm_s) place_error(&at_close, "is sooner than the alarm; use %llus or more", (unsigned long long)w->alarm_s);
}

struct approvers {
    size_t count;
    uint8_t keys[2][32]; /* the first two that differ are enough to know */
};

static void load_approver(void *ctx, const struct place *at, const char *text)
{
    struct approvers *a = ctx;
    struct tlog_verifier v;
    bool known = is_ok(tlog_verifier_parse(span_str(text), &v)) && v.type == TLOG_ED25519;
    if (!known) place_error(at, "not a person's verifier key; give the line that gate1367 log approve --key FILE --name NAME prints");
    if (!known || a->count == 2 || (a->count == 1 && memcmp(a->keys[0], v.key, 32) == 0)) return;
    memcpy(a->keys[a->count++], v.key, 32);
}

/* Who may go on without a damaged ledger: two of them together. The command reads the list itself. */
static void load_approvers(const struct place *object, const json_t *v, const char *name)
{
    struct approvers a = {0};
    struct place at = place_member(object, name);
    place_strings(object, v, name, load_approver, &a);
    if (a.count < 2) place_error(&at, "names fewer than two different keys; two people must approve");
}

static void load_recovery(const struct place *ledger, const json_t *of)
{
    if (json_object_get(of, "recovery") != NULL) load_approvers(ledger, of, "recovery");
}

static const struct member_spec SCHEDULE[] = {{"id", true, false}, {"retain", true, false}, {"hold", false, false}, {"approvers", true, false}, {0}};

static bool is_line(const char *text, size_t max)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ') return false;
    }
    return n > 0 && n <= max;
}

//= ICE10036.2 6
/* How long records are kept, and who may end them: the commands read it themselves. */
static void load_schedule(struct loading *l, const struct place *ledger, const json_t *of)
{
    const json_t *v = json_object_get(of, "schedule");
    struct place at = place_member(ledger, "schedule"), at_id = place_member(&at, "id"), at_hold = place_member(&at, "hold");
    if (v == NULL || !config_object(&at, v, SCHEDULE)) return;
    const char *id = place_string(&at, v, "id", false, NULL), *hold = place_string(&at, v, "hold", false, NULL);
    if (id != NULL && !is_line(id, 255)) place_error(&at_id, "is not one line of at most 255 bytes; give the schedule's number");
    if (hold != NULL && !is_line(hold, 255)) place_error(&at_hold, "is not one line of at most 255 bytes; say why nothing may be destroyed");
    (void)place_duration(&at, v, "retain", 0);
    load_approvers(&at, v, "approvers");
    l->config->scheduled = true;
}

static void load_ledger(struct loading *l)
{
    const json_t *v = json_object_get(l->root, "ledger");
    if (v == NULL) return;
    struct place at = place_member(&l->at, "ledger");
    if (!config_object(&at, v, LEDGER)) return;
    const char *directory = place_string(&at, v, "directory", false, NULL);
    const char *key = place_string(&at, v, "key", false, NULL), *origin = place_string(&at, v, "origin", false, NULL);
    if (directory == NULL || key == NULL || origin == NULL) return;
    l->config->ledger = (struct ledger_place){
        .directory = config_path(l->in, directory), .key_path = config_path(l->in, key), .origin = origin};
    l->config->settings.node = origin;
    place_strings(&at, v, "auditors", load_auditor, l);
    load_room(l->config, &at, json_object_get(v, "room"));
    load_standby(l, &at, json_object_get(v, "standby"));
    load_witness(l, &at, v);
    load_recovery(&at, v);
    load_schedule(l, &at, v);
}

void config_load_files(struct loading *l)
{
    load_recipients(l);
    load_rules(l);
    load_registry(l);
    load_ledger(l);
}

/* ---- cursors of pages --------------------------------------------------------------------------------------------- */

static const struct member_spec CURSORS[] = {{"key", false, false}, {"expiry", false, false}, {0}};

static void check_cursor_key(struct loading *l, const struct place *at, const char *name)
{
    struct proxy_settings *s = &l->config->settings;
    struct pages_keys keys;
    struct buf text;
    s->cursor_key_fd = config_secret(l->in, at, name);
    if (s->cursor_key_fd < 0 || !is_ok(os_read_fd(s->cursor_key_fd, 64 * 1024, &text))) return;
    const char *wrong = pages_keys_read(buf_span(&text), &keys);
    if (text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
    mem_wipe(&keys, sizeof(keys));
    if (wrong != NULL) place_error(at, "%s: %s", name, wrong);
}

void config_load_cursors(struct loading *l)
{
    struct proxy_settings *s = &l->config->settings;
    const json_t *v = json_object_get(l->root, "cursors");
    struct place at = place_member(&l->at, "cursors"), key_at = place_member(&at, "key"), expiry_at = place_member(&at, "expiry");
    s->cursor_key_fd = -1;
    s->cursor_expiry_s = 3600;
    if (v == NULL || !config_object(&at, v, CURSORS)) return;
    s->cursor_expiry_s = place_duration(&at, v, "expiry", UINT64_C(3600) * 1000) / 1000;
    if (s->cursor_expiry_s == 0) place_error(&expiry_at, "is less than a second; nobody turns a page so fast");
    const char *key = place_string(&at, v, "key", false, NULL);
    if (key != NULL) check_cursor_key(l, &key_at, key);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static const struct member_spec LIMITS[] = {{"header", false, false}, {"record", false, false}, {"document", false, false},
    {"depth", false, false}, {"expansion", false, false}, {"memory", false, false}, {"connections", false, false},
    {"requests", false, false}, {0}};

/* A bound that cannot be kept is no bound: sizes that a span cannot hold are refused here. */
static uint64_t bounded(const struct place *at, const json_t *v, const char *name, uint64_t min, uint64_t max, uint64_t fallback)
{
    uint64_t n = place_size(at, v, name, fallback);
    if (n >= min && n <= max) return n;
    struct place member = place_member(at, name);
    place_error(&member, "%llu bytes is out of bounds; use %llu to %llu", (unsigned long long)n, (unsigned long long)min,
        (unsigned long long)max);
    return fallback;
}

/* Less than one document takes would be no bound but an outage. */
static void load_memory(struct proxy_settings *s, const struct place *at, const json_t *v)
{
    uint64_t least = 2 * s->limits.document + PROXY_ROOM;
    struct place member = place_member(at, "memory");
    s->memory_limit = place_size(at, v, "memory", (uint64_t)512 << 20);
    if (json_object_get(v, "memory") == NULL && s->memory_limit < least) s->memory_limit = least;
    if (s->memory_limit >= least) return;
    place_error(&member, "%llu bytes do not hold a document of twice limits.document; use %llu or more",
        (unsigned long long)s->memory_limit, (unsigned long long)least);
}

/* ---- pace ------------------------------------------------------------------------------------------------------- */

#define PACE_MAX_MS 600000 /* nobody waits longer for an answer */

static uint64_t pace_us(const struct place *at, const json_t *v, const char *name, uint64_t fallback_ms)
{
    uint64_t ms = place_duration(at, v, name, fallback_ms);
    struct place member = place_member(at, name);
    if (ms > PACE_MAX_MS) place_error(&member, "nobody waits for so long; use at most %ds", PACE_MAX_MS / 1000);
    return ms > PACE_MAX_MS ? 0 : ms * 1000;
}

struct proxy_pace config_pace(const struct place *at, const json_t *v, struct proxy_pace fallback)
{
    static const struct member_spec PACE[] = {{"floor", true, false}, {"grid", true, false}, {0}};
    const json_t *given = json_object_get(v, "pace");
    if (given == NULL) return fallback;
    if (!json_is_object(given)) {
        uint64_t both = pace_us(at, v, "pace", 10);
        return (struct proxy_pace){both, both};
    }
    struct place here = place_member(at, "pace");
    if (!config_object(&here, given, PACE)) return fallback;
    struct proxy_pace p = {pace_us(&here, given, "floor", 10), pace_us(&here, given, "grid", 10)};
    if (p.grid_us == 0 || p.floor_us < p.grid_us) {
        place_error(&here, "the floor is the first step and the grid the steps after it; use a grid of 1ms or more and a floor that is "
                           "no less, or \"0ms\" for none");
    }
    return p;
}

void config_load_limits(struct loading *l)
{
    struct proxy_settings *s = &l->config->settings;
    const json_t *v = json_object_get(l->root, "limits");
    struct place at = place_member(&l->at, "limits");
    json_t *empty = NULL;
    if (v == NULL) v = empty = json_object();
    if (v != NULL && config_object(&at, v, LIMITS)) {
        s->header_limit = bounded(&at, v, "header", 1024, 1u << 20, 32u << 10);
        s->limits.record = bounded(&at, v, "record", 1024, 1u << 30, 4u << 20);
        s->limits.document = bounded(&at, v, "document", 1024, 1u << 30, 64u << 20);
        s->limits.depth = (uint32_t)place_integer(&at, v, "depth", 1, 10000, 256);
        s->connection_limit = (uint64_t)place_integer(&at, v, "connections", 0, PROXY_FILES / PROXY_FILES_A_CLIENT, 0);
        s->request_limit = (uint64_t)place_integer(&at, v, "requests", 0, 1000000, 0);
        load_memory(s, &at, v);
        (void)place_integer(&at, v, "expansion", 1, 100000, 200); /* no content coding is read yet: nothing expands */
    }
    json_decref(empty);
    s->pace = config_pace(&l->at, l->root, (struct proxy_pace){10000, 10000});
    for (size_t i = 0; i < s->route_count; i++) {
        if (!s->routes[i].has_pace) s->routes[i].pace = s->pace;
    }
}
