/* Forking the roles. A child closes what is not its own, hardens, reads its secrets, and never returns. */
#include "supervisor/internal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct child *child_by_pid(struct supervisor *s, pid_t pid)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (s->children[i].pid == pid) return &s->children[i];
    }
    return NULL;
}

size_t children_of(const struct supervisor *s, enum role role, uint64_t generation)
{
    size_t n = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &s->children[i];
        n += c->pid != 0 && c->role == role && c->generation == generation;
    }
    return n;
}

void child_tell(struct child *c, enum ipc_type type, uint64_t number)
{
    ipc_channel_tell(c->control, type, number, "");
}

/* ---- what every child does first -------------------------------------------------------------------------------- */

const char *role_name(enum role role)
{
    static const char *const names[ROLE_COUNT] = {"worker", "scribe", "admin", "trial", "asker"};
    ASSERT(role < ROLE_COUNT);
    return names[role];
}

static void become(struct supervisor *s, enum role role, pid_t parent)
{
    os_signals_reset();
    /* Ctrl-C on a terminal reaches us all, as a signal to the whole service does: the supervisor alone decides. */
    static const int OTHERS[] = {SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) signal(OTHERS[i], SIG_IGN);
    result r = os_die_with_parent(parent, SIGTERM);
    if (!is_ok(r)) os_leave(1);
    char name[16];
    snprintf(name, sizeof(name), "gate:%s", role_name(role));
    os_set_process_name(name);
    fault_role(role_name(role));
    r = os_harden();
    if (!is_ok(r)) os_leave(2);
    os_close(&s->signals);
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (s->children[i].pid != 0) os_close(&s->children[i].control);
    }
}

void close_listeners(struct supervisor *s, unsigned keep)
{
    size_t n = s->now.config->settings.listener_count;
    for (unsigned w = 0; w < s->now.config->workers; w++) {
        if (w == keep) continue;
        for (size_t i = 0; i < n; i++) os_close(&s->listeners[w * n + i]);
    }
}

static void close_admin(struct supervisor *s)
{
    os_close(&s->http_listener);
    os_close(&s->socket_listener);
}

static bool read_secret(int fd, void *out, size_t len)
{
    struct buf b;
    if (!is_ok(os_read_fd(fd, len, &b))) return false;
    bool whole = buf_len(&b) == len;
    if (whole) memcpy(out, b.base + b.read, len);
    if (b.base != NULL) mem_wipe(b.base, b.size);
    buf_free(&b);
    return whole;
}

static NORETURN void give_up(int control, const char *why)
{
    ipc_channel_tell(control, IPC_FAILED, 0, why);
    os_leave(2);
}

/* ---- confinement ------------------------------------------------------------------------------------------------ */

static void confine_worker(void *ctx)
{
    config_close_secrets(ctx);
    if (!is_ok(os_confine(OS_ROLE_WORKER, NULL, 0))) os_leave(2);
}

/* The admin role's file: the journal, opened before. */
static void confine_admin(void *ctx)
{
    config_close_secrets(ctx);
    if (!is_ok(os_confine(OS_ROLE_ADMIN, NULL, 0))) os_leave(2);
}

static result confine_scribe(void *ctx)
{
    const struct config *c = ctx;
    struct os_access access[] = {{.path = c->ledger.directory, .write = true}, {.path = c->standby.directory, .write = true}};
    return os_confine(OS_ROLE_SCRIBE, access, ARRAY_LEN(access));
}

/* ---- the roles -------------------------------------------------------------------------------------------------- */

static NORETURN void run_scribe(struct supervisor *s, int control)
{
    close_listeners(s, UINT32_MAX);
    close_admin(s);
    ipc_area_free(s->suspicions);
    struct ledger_scribe_config c = {
        .area = s->area,
        .control_fd = control,
        .key_fd = -1,
        .root_fd = s->root_fd,
        .place = s->now.config->ledger,
        .standby = s->now.config->standby,
        .generation = s->now.number,
        .scheduled = s->now.config->scheduled,
        .mark_life = true,
        .warn_bytes = s->now.config->ledger_warn,
        .shed_bytes = s->now.config->ledger_shed,
        .confine = confine_scribe,
        .confine_ctx = s->now.config,
    };
    os_leave(ledger_scribe_run(&c));
}

/* The published log is all that it reads, and the witness's word all that it writes: beside it. */
static result confine_asker(void *ctx)
{
    const struct config *c = ctx;
    char published[4096];
    snprintf(published, sizeof(published), "%s/tlog", c->ledger.directory);
    struct os_access access[] = {{.path = published, .write = true}};
    return os_confine(OS_ROLE_ASKER, access, ARRAY_LEN(access));
}

static NORETURN void run_asker(struct supervisor *s, int control)
{
    close_listeners(s, UINT32_MAX);
    close_admin(s);
    ipc_area_free(s->suspicions);
    ipc_area_free(s->area);
    config_close_secrets(s->now.config);
    os_close(&s->ticket_fd);
    os_close(&s->root_fd);
    struct witness_role r = {.settings = &s->now.config->witness, .ledger = s->now.config->ledger, .control = control,
        .board = &s->processes->witness, .reborn = s->ready, .confine = confine_asker, .confine_ctx = s->now.config};
    os_leave(witness_role_run(&r));
}

static struct registry *open_registry(const struct config *c, const void *overlay, int control)
{
    uint8_t key[32];
    struct registry *r = NULL;
    if (!is_ok(config_registry_key(c, key))) give_up(control, "the registry key cannot be read");
    result opened = registry_open(span_of(c->registry.ptr, c->registry.len), key, overlay, &r);
    mem_wipe(key, sizeof(key));
    if (!is_ok(opened)) give_up(control, registry_error_text(opened.code));
    return r;
}

/* Several small answers, or what is ready of a longer one. Shorter turns cost more changes between threads than they save. */
#define WORKER_TURN_US 300

static NORETURN void run_worker(struct supervisor *s, struct generation *g, unsigned index, unsigned slot, int control)
{
    void *overlay;
    size_t len;
    struct ipc_ring *ring, *suspicions;
    close_listeners(s, index);
    close_admin(s);
    struct proxy_worker_arguments a = {.settings = &g->config->settings, .control = control,
        .listeners = &s->listeners[index * g->config->settings.listener_count], .counters = &s->counters[slot],
        .rates = s->rates,
        .mirror = s->boards == NULL ? NULL : &s->boards[slot]};
    if (!is_ok(os_shared_map(g->overlay_fd, false, &overlay, &len))) give_up(control, "the overlay cannot be mapped");
    if (!is_ok(ipc_ring_attach(s->area, slot, &ring))) give_up(control, "the ring cannot be attached");
    if (!is_ok(ipc_ring_attach(s->suspicions, slot, &suspicions))) give_up(control, "the ring to admin cannot be attached");
    ipc_area_keep_slot(s->area, slot);
    ipc_area_keep_slot(s->suspicions, slot);
    a.ring = ring;
    a.suspicions = suspicions;
    a.registry = open_registry(g->config, overlay, control);
    bool secrets = read_secret(s->ticket_fd, a.ticket_keys, sizeof(a.ticket_keys)) &&
                   read_secret(s->root_fd, &a.pseudonym_root, sizeof(a.pseudonym_root));
    if (!secrets) give_up(control, "the secrets cannot be read");
    os_close(&s->ticket_fd);
    os_close(&s->root_fd);
    os_thread_prompt(WORKER_TURN_US);
    os_leave(proxy_worker_run(&a, confine_worker, g->config));
}

static NORETURN void run_admin(struct supervisor *s, struct generation *g, unsigned slot, int control)
{
    size_t len, old_len = 0;
    struct ipc_ring *ring;
    close_listeners(s, UINT32_MAX);
    struct admin_arguments a = {.config = g->config, .counters = s->counters, .counter_slots = s->slots, .rates = s->rates, .processes = s->processes, .boards = s->boards,
        .http_listener = s->http_listener, .socket_listener = s->socket_listener, .control = control,
        .suspicions = s->suspicions};
    if (!is_ok(os_shared_map(g->overlay_fd, true, &a.overlays[0], &len))) give_up(control, "the overlay cannot be mapped");
    a.overlay_size = len;
    a.reborn = g == &s->now && s->ready;
    /* One that follows a dead one takes over what that one kept for workers that still drain. */
    int old = g == &s->next ? s->now.overlay_fd : s->old_overlay_fd;
    if (old >= 0 && !is_ok(os_shared_map(old, true, &a.overlays[1], &old_len))) {
        give_up(control, "the old overlay cannot be mapped");
    }
    if (!is_ok(ipc_ring_attach(s->area, slot, &ring))) give_up(control, "the ring cannot be attached");
    ipc_area_keep_slot(s->area, slot);
    a.ring = ring;
    if (!read_secret(s->root_fd, &a.pseudonym_root, sizeof(a.pseudonym_root))) give_up(control, "no pseudonym key");
    os_close(&s->ticket_fd);
    os_close(&s->root_fd);
    os_leave(admin_run(&a, confine_admin, g->config));
}

/* Everything that `serve` would do with the new files, in a process of its own: what crashes a parser must not take the
 * supervisor along. */
static NORETURN void run_trial(struct supervisor *s)
{
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : config_load(s->arguments->config_path, p);
    if (c != NULL) {
        config_try(c);
        config_try_mark(c);
        config_compare(s->now.config, c);
    }
    bool good = c != NULL && problems_errors(p) == 0;
    for (size_t i = 0; p != NULL && !good && i < problems_count(p); i++) {
        struct buf quoted;
        if (problems_is_warning(p, i)) continue; /* no reason to refuse */
        buf_init(&quoted, 8192);
        if (is_ok(json_quote(&quoted, span_str(problems_text(p, i))))) {
            proxy_log("supervisor", "reload_refused", "\"reason\":%.*s", SPAN_FMT(buf_span(&quoted)));
        }
        buf_free(&quoted);
    }
    os_leave(good ? 0 : 1);
}

/* ---- forking ---------------------------------------------------------------------------------------------------- */

static struct child *free_child(struct supervisor *s)
{
    return child_by_pid(s, 0);
}

static bool slot_taken(const struct supervisor *s, unsigned slot)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &s->children[i];
        bool uses = c->role == ROLE_WORKER || c->role == ROLE_ADMIN;
        if (c->pid != 0 && uses && c->slot == slot) return true;
    }
    return false;
}

/* A slot that nobody uses; one that the scribe has emptied first, so that no entry of the dead is dropped. */
static int choose_slot(const struct supervisor *s)
{
    int any = -1;
    for (unsigned i = 0; i < s->slots; i++) {
        if (slot_taken(s, i)) continue;
        if (ipc_area_slot_idle(s->area, i)) return (int)i;
        if (any < 0) any = (int)i;
    }
    return any;
}

struct birth {
    enum role role;
    struct generation *generation;
    unsigned index;
};

static NORETURN void live(struct supervisor *s, const struct birth *b, unsigned slot, int control, pid_t parent)
{
    become(s, b->role, parent);
    switch (b->role) {
    case ROLE_SCRIBE: run_scribe(s, control);
    case ROLE_WORKER: run_worker(s, b->generation, b->index, slot, control);
    case ROLE_ADMIN: run_admin(s, b->generation, slot, control);
    case ROLE_TRIAL: run_trial(s);
    case ROLE_ASKER: run_asker(s, control);
    case ROLE_COUNT: break;
    }
    os_leave(2);
}

/* Tried again and again where somebody has to be replaced, and told once in a while. */
static bool not_born(struct supervisor *s, const struct birth *b, const char *why)
{
    uint64_t now = supervisor_ms();
    if (s->told_no_process_ms != 0 && now - s->told_no_process_ms < NO_PROCESS_MS) return false;
    s->told_no_process_ms = now;
    proxy_log("supervisor", "no_process", "\"wanted\":\"%s\",\"reason\":\"%s\"", role_name(b->role), why);
    return false;
}

static bool give_birth(struct supervisor *s, const struct birth *b)
{
    struct child *c = free_child(s);
    int slot = b->role == ROLE_WORKER || b->role == ROLE_ADMIN ? choose_slot(s) : 0;
    int pair[2];
    if (c == NULL || slot < 0) return not_born(s, b, "too many processes of earlier generations");
    result r = ipc_channel_pair(pair);
    if (!is_ok(r)) return not_born(s, b, os_error_text(r));
    if (b->role == ROLE_WORKER || b->role == ROLE_ADMIN) {
        ipc_area_open_slot(s->area, (unsigned)slot);
        ipc_area_open_slot(s->suspicions, (unsigned)slot);
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        os_close(&pair[0]);
        live(s, b, (unsigned)slot, pair[1], parent);
    }
    r = pid < 0 ? FAIL(ERROR_IO, errno) : OK;
    os_close(&pair[1]);
    if (pid < 0) {
        os_close(&pair[0]);
        return not_born(s, b, os_error_text(r));
    }
    *c = (struct child){.pid = pid, .role = b->role, .state = CHILD_STARTING, .control = pair[0], .index = b->index,
        .slot = (unsigned)slot, .generation = b->generation == NULL ? 0 : b->generation->number,
        .started_ms = supervisor_ms(), .deadline_ms = supervisor_ms() + READY_MS};
    return true;
}

bool spawn_scribe(struct supervisor *s) { return give_birth(s, &(struct birth){.role = ROLE_SCRIBE}); }
bool spawn_asker(struct supervisor *s) { return give_birth(s, &(struct birth){.role = ROLE_ASKER}); }
bool spawn_trial(struct supervisor *s) { return give_birth(s, &(struct birth){.role = ROLE_TRIAL}); }

bool spawn_admin(struct supervisor *s, struct generation *g)
{
    return give_birth(s, &(struct birth){.role = ROLE_ADMIN, .generation = g});
}

bool spawn_worker(struct supervisor *s, struct generation *g, unsigned index)
{
    return give_birth(s, &(struct birth){.role = ROLE_WORKER, .generation = g, .index = index});
}
