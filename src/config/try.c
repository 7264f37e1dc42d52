/* What only shows when it is tried: keys that belong to their certificates, the registry's key, the ledger. */
#include "config/inside.h"
#include <errno.h>
#include <sys/un.h>

static void warn_of_address(const struct place *at)
{
    place_warning(at, "no interface of this machine has the address now, and without it the gateway does not start; use one that it has");
}

static void try_listener(const struct config *c, size_t i)
{
    const struct proxy_listener *l = &c->settings.listeners[i];
    bool whole = l->certificate.ptr != NULL && l->key_fd >= 0 && (l->client_ca.ptr != NULL || l->mode == IO_CERTIFICATE_NONE);
    struct buf key;
    struct io_tls_server *tls = NULL;
    char why[256] = "";
    struct place at = place_root(c->inside->sources[0]);
    if (!whole) return; /* reported */
    at = place_member(&at, "listen");
    at = place_item(&at, i);
    struct place address = place_member(&at, "address");
    if (!os_address_is_ours(&l->address)) warn_of_address(&address);
    at = place_member(&at, "tls");
    if (!is_ok(os_read_fd(l->key_fd, 64 * 1024, &key))) {
        place_error(&at, "the key cannot be read");
        return;
    }
    struct io_tls_server_options o = {
        .certificate = l->certificate, .key = buf_span(&key), .client_ca = l->client_ca, .client_certificate = l->mode};
    result r = io_tls_server_new(&o, &tls, why, sizeof(why));
    if (!is_ok(r)) place_error(&at, "%s; certificate, key and client_ca must be PEM and belong together", why);
    else io_tls_server_free(tls);
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&key);
}

/* The first server's name will do: certificate, key and CA are the same for all. */
static void try_upstream(const struct config *c, size_t i)
{
    const struct proxy_upstream *u = &c->settings.upstreams[i];
    const char *name = NULL;
    struct io_tls_client *tls = NULL;
    struct buf key;
    char why[256] = "";
    struct place root = place_root(c->inside->sources[0]), list = place_member(&root, "upstreams"), item = place_member(&list, u->name);
    struct place at = place_member(&item, "tls");
    for (size_t k = u->server_count; k-- > 0;) name = u->servers[k].tls ? u->servers[k].name : name;
    if (name == NULL || (u->certificate.ptr != NULL) != (u->key_fd >= 0)) return; /* not spoken, or reported */
    buf_init(&key, 64 * 1024);
    result r = u->key_fd >= 0 ? os_read_fd(u->key_fd, 64 * 1024, &key) : OK;
    struct io_tls_client_options o = {.ca = u->ca, .certificate = u->certificate, .key = buf_span(&key), .name = name};
    if (is_ok(r)) r = io_tls_client_new(&o, &tls, why, sizeof(why));
    if (!is_ok(r)) place_error(&at, "%s; certificate, key and ca must be PEM and belong together", why[0] != '\0' ? why : "the key cannot be read");
    io_tls_client_free(tls);
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&key);
}

/* What is not there now may be when the gateway starts: the directory that a service is given with its start, an address that moves. */
static void try_admin(const struct config *c)
{
    struct place root = place_root(c->inside->sources[0]), admin = place_member(&root, "admin");
    struct place at = place_member(&admin, "socket"), address = place_member(&admin, "address");
    char directory[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    if (c->admin_socket == NULL) return; /* reported */
    snprintf(directory, sizeof(directory), "%s", c->admin_socket);
    char *slash = strrchr(directory, '/');
    if (slash != NULL) slash[slash == directory] = '\0';
    if (slash != NULL && !os_exists(directory)) {
        place_warning(&at, "there is no directory %s now, and without it the gateway does not start; make it, or name another one", directory);
    }
    if (os_is_other(c->admin_socket)) place_error(&at, "%s is there and no socket; move it away, or name another one", c->admin_socket);
    if (!os_address_is_ours(&c->admin_address)) warn_of_address(&address);
}

/* A stale registry is no reason not to start: entitled recipients are served, and who is refused learns nothing. */
static void warn_of_age(const struct config *c, const struct place *at, uint64_t built)
{
    uint64_t now = os_realtime_us(), max = c->settings.registry_max_age_us, days = UINT64_C(86400000000);
    uint64_t age = now / 1000000 > built ? now - built * 1000000 : 0;
    const char *again = "build it again from its source and reload";
    if (registry_is_stale(built, max, now) && age == 0) {
        place_warning(at, "the index comes from the future, so that its age is unknown and restricted recipients are refused; "
                          "set the clock, or %s", again);
    } else if (registry_is_stale(built, max, now)) {
        place_warning(at, "the index is %llu.%llu days old, past \"max_age\": restricted recipients are refused; %s",
            (unsigned long long)(age / days), (unsigned long long)(age % days * 10 / days), again);
    } else if (registry_is_stale(built, max - max / 4, now)) {
        place_warning(at, "the index is %llu.%llu days old and near \"max_age\", past which restricted recipients are refused; %s",
            (unsigned long long)(age / days), (unsigned long long)(age % days * 10 / days), again);
    }
}

/* Suspicions need room, and without it nobody restricted is answered. */
static void warn_of_room(const struct place *at, const void *overlay)
{
    struct registry_overlay_info info;
    registry_overlay_info(overlay, &info);
    unsigned filled = registry_overlay_filled(&info);
    if (filled < 75) return;
    place_warning(at, "live changes fill %u %% of their room, %llu persons known by a marker alone among them; build the index again and "
        "reload, and see \"When live changes fill up\" in docs/operate.md", filled, (unsigned long long)info.suspected);
}

static void try_registry(const struct config *c)
{
    struct place at = place_root(c->inside->sources[0]);
    at = place_member(&at, "registry");
    struct place index = place_member(&at, "index");
    struct config_registry now;
    struct registry_info info;
    if (!c->inside->index_read || c->registry_key_fd < 0) return; /* reported */
    result r = config_registry_open(c, &now);
    if (!is_ok(r)) {
        bool denied = r.class == ERROR_IO && r.code == EACCES, journal = now.path == c->journal_path;
        place_error(&at, "%s: %s%s", now.path, now.why,
            denied ? "; the gateway's user must be able to read it, and nothing of it may be lost"
            : journal ? "; bring back a whole copy of it, or build the index again from a source that has its changes and move it away"
            : now.path == c->registry_path ? "; build the index again with this key" : "");
        return;
    }
    registry_info(now.registry, &info);
    warn_of_age(c, &index, info.built);
    warn_of_room(&index, now.overlay);
    config_registry_close(&now);
}

static void report_mark(const struct config *c, const struct config_mark *m, const struct config_registry *now, result r)
{
    struct place root = place_root(c->inside->sources[0]), at = place_member(&root, "registry");
    char words[CONFIG_MARK_WORDS];
    config_mark_words(m, r, now->journal.position, words);
    place_error(&at, "%s: %s", c->journal_path, words);
}

void config_try_mark(const struct config *c)
{
    uint8_t key[32];
    struct config_mark mark;
    struct config_registry now;
    bool whole = c->inside->index_read && c->registry_key_fd >= 0 && c->ledger.directory != NULL;
    if (!whole || !is_ok(config_registry_key(c, key))) return; /* reported */
    result r = config_mark_open(c, key, false, &mark);
    mem_wipe(key, sizeof(key));
    if (is_ok(config_registry_open(c, &now))) {
        if (is_ok(r)) r = config_mark_judge_registry(&mark, c, &now);
        if (!is_ok(r)) report_mark(c, &mark, &now, r);
        config_registry_close(&now);
    }
    config_mark_close(&mark);
}

static void try_place(const struct place *at, const struct ledger_place *ledger)
{
    struct ledger_key *key = NULL;
    struct ledger_verifier stored, ours;
    result r = ledger_verifier_read(ledger->directory, &stored);
    if (!is_ok(r)) {
        place_error(at, "%s: %s", ledger->directory, ledger_error_text(r));
        return;
    }
    r = ledger_key_load(ledger->key_path, &key);
    if (!is_ok(r)) {
        place_error(at, "%s: %s", ledger->key_path, ledger_error_text(r));
        return;
    }
    r = ledger_goes_on(ledger->directory);
    if (!is_ok(r)) place_error(at, "%s: %s; give its directory, key and origin", ledger->directory, ledger_error_text(r));
    r = ledger_verifier_of(key, ledger->origin, &ours);
    ledger_key_free(key);
    if (!is_ok(r)) place_error(at, "%s; correct \"origin\"", ledger_error_text(r));
    else if (strcmp(ours.name, stored.name) != 0 || memcmp(ours.key, stored.key, sizeof(ours.key)) != 0) {
        place_error(at, "the ledger there belongs to another origin or key; use its own, or another directory");
    }
}

static void try_schedule(const struct place *ledger, const struct config *c)
{
    struct place at = place_member(ledger, "schedule");
    struct ledger_epochs e;
    if (!c->scheduled) return;
    result r = ledger_epochs_read(c->ledger.directory, &e);
    if (!is_ok(r)) place_error(&at, "%s: %s", c->ledger.directory, ledger_error_text(r));
    else if (e.first == 0) place_error(&at, "the schedule is not in force in this ledger; run gate1367 log schedule");
    mem_wipe(&e, sizeof(e));
}

static void try_ledger(const struct config *c)
{
    struct place root = place_root(c->inside->sources[0]), at = place_member(&root, "ledger"), standby = place_member(&at, "standby");
    struct os_identity first, second;
    if (c->ledger.directory == NULL) return; /* reported */
    try_place(&at, &c->ledger);
    try_schedule(&at, c);
    if (c->standby.directory == NULL) return;
    try_place(&standby, &c->standby);
    bool known = is_ok(os_identify(c->ledger.directory, &first)) && is_ok(os_identify(c->standby.directory, &second));
    if (known && first.device == second.device) {
        place_warning(&standby, "on the same device as the ledger: what fails or fills it takes both; move the standby");
    }
}

/* Where many connect, descriptors end before anything else does. */
#define FILES_FEW 4096

static void try_files(const struct config *c)
{
    struct place root = place_root(c->inside->sources[0]), at = place_member(&root, "limits");
    uint64_t wanted = c->settings.connection_limit, most;
    struct os_files files;
    if (!is_ok(os_count_files(&files))) return;
    most = files.most < PROXY_FILES ? files.most : PROXY_FILES;
    uint64_t fit = most > PROXY_FILES_OWN ? (most - PROXY_FILES_OWN) / PROXY_FILES_A_CLIENT : 0;
    if (wanted > 0 ? wanted <= fit : most >= FILES_FEW) return;
    struct place member = place_member(&at, "connections");
    uint64_t need = wanted * PROXY_FILES_A_CLIENT + PROXY_FILES_OWN;
    const char *remedy = "raise RLIMIT_NOFILE (LimitNOFILE= under systemd)";
    if (wanted > 0) {
        place_warning(&member, "%llu clients of a worker may need %llu descriptors, and here a process may have %llu, enough for some %llu "
            "clients; %s, or use that number", (unsigned long long)wanted, (unsigned long long)need,
            (unsigned long long)most, (unsigned long long)fit, remedy);
    } else {
        place_warning(&at, "here a process may have %llu descriptors, enough for some %llu clients of a worker at once; %s",
            (unsigned long long)most, (unsigned long long)fit, remedy);
    }
}

void config_try_parts(const struct config *c)
{
    for (size_t i = 0; i < c->settings.listener_count; i++) try_listener(c, i);
    for (size_t i = 0; i < c->settings.upstream_count; i++) try_upstream(c, i);
    try_admin(c);
    try_registry(c);
    try_ledger(c);
    try_files(c);
}

void config_try(struct config *c)
{
    config_try_parts(c);
    config_warn_of_files(c);
}

/* ---- what only a restart changes -------------------------------------------------------------------------------- */

static const char *const fixed_names[] = {
#define X(id, name, words) name,
    CONFIG_FIXED(X)
#undef X
};
static const char *const fixed_words[] = {
#define X(id, name, words) words,
    CONFIG_FIXED(X)
#undef X
};

static RESULT spell_ledger(const struct config *c, struct buf *out)
{
    const struct witness_settings *w = &c->witness;
    bool standby = c->standby.directory != NULL;
    TRY(buf_printf(out, "%s\n%s\n%s\n%s\n%s\n", c->ledger.directory, c->ledger.key_path, c->ledger.origin,
        standby ? c->standby.directory : "", standby ? c->standby.origin : ""));
    TRY(buf_printf(out, "%llu %llu %d\n", (unsigned long long)c->ledger_warn, (unsigned long long)c->ledger_shed, c->scheduled));
    for (size_t i = 0; i < c->settings.auditor_count; i++) TRY(buf_append(out, c->settings.auditors[i]));
    if (!w->there) return OK;
    TRY(buf_printf(out, "%d %llu %llu %llu %s %s %s\n", w->strict, (unsigned long long)w->every_ms, (unsigned long long)w->alarm_s,
        (unsigned long long)w->close_s, w->place.host, w->place.path, w->verifier.name));
    return buf_append(out, span_of(w->verifier.key, 32));
}

static RESULT spell(const struct config *c, enum config_fixed what, struct buf *out)
{
    switch (what) {
    case CONFIG_LISTEN:
        for (size_t i = 0; i < c->settings.listener_count; i++) TRY(buf_printf(out, "%s\n", c->settings.listeners[i].text));
        return OK;
    case CONFIG_WORKERS: return buf_printf(out, "%zu", (size_t)c->workers);
    case CONFIG_ADMIN: return buf_printf(out, "%s\n%s", c->admin_text, c->admin_socket);
    case CONFIG_LEDGER: return spell_ledger(c, out);
    case CONFIG_FIXED_COUNT: break;
    }
    return OK;
}

#define SPELT_MAX ((size_t)1 << 20)

const char *config_fixed_name(enum config_fixed what)
{
    ASSERT(what < CONFIG_FIXED_COUNT);
    return fixed_names[what];
}

bool config_fixed_digest(const struct config *c, enum config_fixed what, char out[65])
{
    uint8_t digest[32];
    struct buf text;
    buf_init(&text, SPELT_MAX);
    bool good = is_ok(spell(c, what, &text)) && sha256(buf_span(&text), digest);
    buf_free(&text);
    if (good) hex_encode(span_of(digest, sizeof(digest)), out);
    return good;
}

void config_compare(const struct config *now, const struct config *next)
{
    struct place top = place_root(next->inside->sources[0]);
    for (enum config_fixed i = 0; i < CONFIG_FIXED_COUNT; i++) {
        char before[65] = "?", after[65] = "";
        struct place at = place_member(&top, fixed_names[i]);
        bool known = config_fixed_digest(now, i, before) && config_fixed_digest(next, i, after);
        if (!known || strcmp(before, after) != 0) place_error(&at, "%s changed; that needs a restart", fixed_words[i]);
    }
}

void config_warn_of_restart(const struct config *next, enum config_fixed what, const char *running)
{
    char after[65];
    ASSERT(what < CONFIG_FIXED_COUNT);
    struct place top = place_root(next->inside->sources[0]), at = place_member(&top, fixed_names[what]);
    if (!config_fixed_digest(next, what, after) || strcmp(running, after) == 0) return;
    place_warning(&at, "%s changed since the gateway that runs was started; that needs a restart, a reload is refused", fixed_words[what]);
}

void config_warn_of_silence(const struct config *next, unsigned seconds)
{
    struct place top = place_root(next->inside->sources[0]), admin = place_member(&top, "admin"), at = place_member(&admin, "socket");
    place_warning(&at, "a gateway runs there and does not answer within %u s, so that what of these files needs a restart is not known; "
                       "look at /readyz and its log", seconds);
}
