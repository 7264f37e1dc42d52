#include "supervisor/internal.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define EXIT_LEDGER 74

uint64_t supervisor_ms(void) { return os_monotonic_ns() / 1000000; }

static void tell_all(struct supervisor *s, enum role role, uint64_t generation, enum ipc_type type, enum child_state state)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 || c->role != role || c->generation != generation || c->state == state) continue;
        child_tell(c, type, type == IPC_SWITCH ? generation : DRAIN_MS);
        c->state = state;
        c->deadline_ms = type == IPC_SWITCH ? 0 : supervisor_ms() + DRAIN_MS;
    }
}

/* Who is about to be told to serve counts from now on: his listeners hold what comes until he has heard it. Else admin would
 * say for a moment that nobody serves, to whoever asks on the word "ready", or in a reload. */
static void count_in(struct supervisor *s, const struct child *c)
{
    if (c->role != ROLE_WORKER) return;
    atomic_store(&s->counters[c->slot].beat_ms, supervisor_ms());
    atomic_store(&s->counters[c->slot].generation, c->generation);
}

static void count_all_in(struct supervisor *s, uint64_t generation)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &s->children[i];
        if (c->pid != 0 && c->generation == generation && c->state == CHILD_READY) count_in(s, c);
    }
}

static bool all_ready(const struct supervisor *s, uint64_t generation, unsigned workers)
{
    unsigned ready = 0, admin = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &s->children[i];
        if (c->pid == 0 || c->generation != generation || c->state != CHILD_READY) continue;
        ready += c->role == ROLE_WORKER;
        admin += c->role == ROLE_ADMIN;
    }
    return ready == workers && admin == 1;
}

/* ---- memory and listeners, before the first fork ---------------------------------------------------------------- */

/* Which one it was that is taken already, or not ours to take. */
static result tell_where(const char *where, result r)
{
    if (!is_ok(r)) fprintf(stderr, "gate1367: %s: %s\n", where, os_error_text(r));
    return r;
}

static RESULT listen_at(const struct os_address *a, bool again, int *fd)
{
    char where[OS_ADDRESS_TEXT];
    os_address_format(a, where);
    return tell_where(where, os_listen(a, again, fd));
}

static RESULT open_listeners(struct supervisor *s)
{
    struct config *c = s->now.config;
    size_t n = c->settings.listener_count;
    s->listeners = mem_array(c->workers * n, sizeof(int));
    REQUIRE(s->listeners != NULL, ERROR_LIMIT, ENOMEM);
    for (size_t i = 0; i < n; i++) {
        for (unsigned w = 0; w < c->workers; w++) {
            int *fd = &s->listeners[w * n + i];
            TRY(listen_at(&c->settings.listeners[i].address, w > 0, fd));
            if (w > 0) continue;
            TRY(os_listen_share(*fd));
            TRY(os_local_address(*fd, &c->settings.listeners[i].address)); /* port 0 has a number now */
        }
    }
    TRY(listen_at(&c->admin_address, false, &s->http_listener));
    TRY(os_local_address(s->http_listener, &c->admin_address));
    return tell_where(c->admin_socket, os_listen_unix(c->admin_socket, 0600, &s->socket_listener));
}

static RESULT make_secret_file(const char *name, const void *content, size_t len, int *fd)
{
    void *p;
    size_t mapped;
    TRY(os_shared_create(name, len, fd));
    if (content == NULL) return OK;
    TRY(os_shared_map(*fd, true, &p, &mapped));
    memcpy(p, content, len);
    os_shared_unmap(p, mapped);
    return OK;
}

static RESULT open_boards(struct supervisor *s)
{
    int fd = -1;
    void *p;
    TRY(os_shared_create("mirror", s->slots * sizeof(struct mirror_board), &fd));
    TRY(os_shared_map(fd, true, &p, &s->boards_len));
    os_close(&fd);
    s->boards = p;
    return OK;
}

static RESULT open_memory(struct supervisor *s)
{
    uint8_t tickets[IO_TICKET_KEYS_SIZE];
    int fd = -1;
    void *p;
    s->slots = 3 * (s->now.config->workers + 1); /* every worker and admin, old, new and reborn */
    TRY(ipc_area_new(s->slots, &s->area));
    TRY(ipc_area_new(s->slots, &s->suspicions));
    size_t slots_len = s->slots * sizeof(struct proxy_counters);
    TRY(os_shared_create("counters", slots_len + sizeof(struct admin_processes) + sizeof(struct proxy_rates), &fd));
    TRY(os_shared_map(fd, true, &p, &s->counters_len));
    os_close(&fd);
    s->counters = p;
    s->processes = (struct admin_processes *)(void *)((char *)p + slots_len);
    s->rates = (struct proxy_rates *)(void *)(s->processes + 1);
    atomic_store(&s->processes->started, os_realtime_us() / 1000000);
    if (s->arguments->mirror) TRY(open_boards(s));
    TRY(os_random(tickets, sizeof(tickets)));
    result r = make_secret_file("tickets", tickets, sizeof(tickets), &s->ticket_fd);
    mem_wipe(tickets, sizeof(tickets));
    TRY(r);
    TRY(make_secret_file("pseudonyms", NULL, sizeof(struct ledger_root), &s->root_fd));
    return os_shared_create("overlay", CONFIG_OVERLAY_BYTES, &s->now.overlay_fd);
}

/* ---- starting a generation -------------------------------------------------------------------------------------- */

/* Admin first: it makes the overlay that workers read. */
static bool start_workers(struct supervisor *s, struct generation *g)
{
    for (unsigned i = 0; i < g->config->workers; i++) {
        if (!spawn_worker(s, g, i)) return false;
    }
    return true;
}

static void announce(struct supervisor *s)
{
    struct config *c = s->now.config;
    const char *urls[64];
    char text[64][OS_ADDRESS_TEXT + 16], admin[OS_ADDRESS_TEXT + 16], address[OS_ADDRESS_TEXT];
    size_t n = c->settings.listener_count < 64 ? c->settings.listener_count : 64;
    for (size_t i = 0; i < n; i++) {
        os_address_format(&c->settings.listeners[i].address, address);
        snprintf(text[i], sizeof(text[i]), "https://%s", address);
        urls[i] = text[i];
    }
    os_address_format(&c->admin_address, address);
    snprintf(admin, sizeof(admin), "http://%s", address);
    os_notify("READY=1\nSTATUS=serving");
    if (s->arguments->ready != NULL) s->arguments->ready(s->arguments->ctx, urls, n, admin);
}

static void switch_on(struct supervisor *s, struct generation *g)
{
    count_all_in(s, g->number);
    tell_all(s, ROLE_ADMIN, g->number, IPC_SWITCH, CHILD_SERVING);
    tell_all(s, ROLE_WORKER, g->number, IPC_SWITCH, CHILD_SERVING);
}

/* ---- reloading -------------------------------------------------------------------------------------------------- */

static bool still_draining(const struct supervisor *s)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (s->children[i].pid != 0 && s->children[i].state == CHILD_DRAINING) return true;
    }
    return false;
}

/* systemd(1): between RELOADING and the next READY the unit is "reloading"; MONOTONIC_USEC tells which reload is meant. */
static void notify_reloading(void)
{
    char text[96];
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading", (unsigned long long)(os_monotonic_ns() / 1000));
    os_notify(text);
}

/* The old configuration stays. */
static void reload_was_refused(struct supervisor *s)
{
    atomic_fetch_add(&s->processes->reloads_refused, 1);
    os_notify("READY=1\nSTATUS=serving; the last reload was refused, see the log");
}

static void refuse_reload(struct supervisor *s, const char *why)
{
    proxy_log("supervisor", "reload_refused", "\"reason\":\"%s\"", why);
    reload_was_refused(s);
}

/* At most two generations live: a reload waits until the last one's old workers are gone. */
static void try_reload(struct supervisor *s)
{
    if (!s->reload_wanted || s->ending || !s->ready || s->next.config != NULL || still_draining(s)) return;
    if (children_of(s, ROLE_TRIAL, 0) > 0) return;
    s->reload_wanted = false;
    proxy_log("supervisor", "reload", NULL);
    notify_reloading();
    if (!spawn_trial(s)) refuse_reload(s, "no process could be made");
}

static void forget_generation(struct generation *g)
{
    os_close(&g->overlay_fd);
    config_free(g->config);
    *g = (struct generation){.overlay_fd = -1};
}

static void abandon_reload(struct supervisor *s, const char *why)
{
    if (s->ending) proxy_log("supervisor", "reload_refused", "\"reason\":\"%s\"", why);
    else refuse_reload(s, why);
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &s->children[i];
        if (c->pid != 0 && c->generation == s->next.number && c->role != ROLE_SCRIBE && c->role != ROLE_ASKER) {
            kill(c->pid, SIGKILL);
            c->state = CHILD_STOPPING;
        }
    }
    forget_generation(&s->next);
    s->switching = false;
}

/* The trial found nothing wrong: load, fork the new generation from it. */
static void begin_generation(struct supervisor *s)
{
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : config_load(s->arguments->config_path, p);
    if (c != NULL) config_compare(s->now.config, c); /* the trial's word was about the files as they were then */
    if (c == NULL || problems_errors(p) > 0) {
        refuse_reload(s, "the files changed while they were read");
        config_free(c);
        problems_free(p);
        return;
    }
    os_give_memory_back(); /* before it is forked from: five times what is in use */
    s->next = (struct generation){.config = c, .number = ++s->loads, .overlay_fd = -1};
    c->generation = c->settings.generation = s->next.number;
    c->admin_address = s->now.config->admin_address;
    for (size_t i = 0; i < c->settings.listener_count; i++) {
        c->settings.listeners[i].address = s->now.config->settings.listeners[i].address;
    }
    bool good = is_ok(os_shared_create("overlay", CONFIG_OVERLAY_BYTES, &s->next.overlay_fd)) && spawn_admin(s, &s->next);
    if (!good) abandon_reload(s, "no process could be made");
    problems_free(p);
}

/* The old admin ends before the new one reads the journal's last records, and workers follow after: a change that was
 * acknowledged is in force in every worker, at every moment of the switch. */
static void begin_switch(struct supervisor *s)
{
    s->switching = true;
    tell_all(s, ROLE_ADMIN, s->now.number, IPC_STOP, CHILD_STOPPING);
}

static void continue_switch(struct supervisor *s)
{
    if (!s->switching || children_of(s, ROLE_ADMIN, s->now.number) > 0) return;
    count_all_in(s, s->next.number);
    tell_all(s, ROLE_ADMIN, s->next.number, IPC_SWITCH, CHILD_SERVING);
}

static void finish_reload(struct supervisor *s)
{
    s->switching = false;
    tell_all(s, ROLE_WORKER, s->next.number, IPC_SWITCH, CHILD_SERVING);
    tell_all(s, ROLE_WORKER, s->now.number, IPC_DRAIN, CHILD_DRAINING);
    struct generation last = s->now;
    os_close(&s->old_overlay_fd);
    s->old_overlay_fd = last.overlay_fd;
    last.overlay_fd = -1;
    s->now = s->next;
    s->next = (struct generation){.overlay_fd = -1};
    forget_generation(&last);
    proxy_log("supervisor", "reloaded", "\"generation\":%llu", (unsigned long long)s->now.number);
    atomic_fetch_add(&s->processes->reloads_taken, 1);
    os_notify("READY=1\nSTATUS=serving");
}

static void start_ending(struct supervisor *s)
{
    if (s->ending) return;
    s->ending = true;
    os_notify("STOPPING=1\nSTATUS=draining");
    proxy_log("supervisor", "stopping", NULL);
    close_listeners(s, UINT32_MAX); /* whoever comes now is refused by the system, not left waiting */
    tell_all(s, ROLE_WORKER, s->now.number, IPC_DRAIN, CHILD_DRAINING);
    if (s->next.config != NULL) abandon_reload(s, "stopping");
}

/* ---- what children say ------------------------------------------------------------------------------------------ */

/* While the first generation starts: scribe, then whoever asks the witness, then admin, then workers. */
static bool next_in_line(struct supervisor *s, struct child *c)
{
    bool asks = s->now.config->witness.there;
    if (c->role == ROLE_SCRIBE || c->role == ROLE_ASKER) {
        c->state = CHILD_SERVING;
        if (s->ready) return true;
        return c->role == ROLE_SCRIBE && asks ? spawn_asker(s) : spawn_admin(s, &s->now);
    }
    return c->role != ROLE_ADMIN || start_workers(s, &s->now);
}

/* Closed for want of a witness, until it is back. */
static void hold_ledger(struct supervisor *s, bool held)
{
    ipc_area_hold(s->area, held);
    proxy_log("supervisor", held ? "witness_missing" : "witness_back", NULL);
}

static void on_ready(struct supervisor *s, struct child *c)
{
    c->deadline_ms = 0;
    c->state = CHILD_READY;
    if (c->role == ROLE_SCRIBE) atomic_store(&s->processes->scribe, 1);
    if (s->ending && !s->ready) return; /* what could not start announces nothing */
    if (s->next.config != NULL && c->generation == s->next.number) {
        if (c->role == ROLE_ADMIN && !start_workers(s, &s->next)) abandon_reload(s, "no process could be made");
        else if (all_ready(s, c->generation, s->next.config->workers)) begin_switch(s);
        return;
    }
    if (s->ready && c->role != ROLE_SCRIBE && c->role != ROLE_ASKER) {
        count_in(s, c);
        child_tell(c, IPC_SWITCH, c->generation); /* reborn */
        c->state = CHILD_SERVING;
        return;
    }
    if (!next_in_line(s, c)) {
        s->status = 2;
        start_ending(s);
        return;
    }
    if (s->ready || !all_ready(s, c->generation, s->now.config->workers)) return;
    s->ready = true;
    switch_on(s, &s->now);
    announce(s);
}

static void on_word(const struct child *c, const char *event, const char *why)
{
    struct buf quoted;
    buf_init(&quoted, 2 * IPC_TEXT_MAX);
    if (is_ok(json_quote(&quoted, span_str(why)))) {
        proxy_log("supervisor", event, "\"child\":%d,\"who\":\"%s\",\"reason\":%.*s", (int)c->pid, role_name(c->role),
            SPAN_FMT(buf_span(&quoted)));
    }
    buf_free(&quoted);
}

static void on_message(struct supervisor *s, struct child *c, const struct ipc_message *m)
{
    struct child *other;
    switch (m->type) {
    case IPC_READY: on_ready(s, c); break;
    case IPC_FAILED: on_word(c, "child_failed", m->text); break;
    case IPC_DISTRUST:
        for (size_t i = 0; i < CHILDREN_MAX; i++) {
            other = &s->children[i];
            bool uses = other->role == ROLE_WORKER || other->role == ROLE_ADMIN;
            if (other->pid != 0 && uses && other->slot == m->number) kill(other->pid, SIGKILL);
        }
        proxy_log("supervisor", "distrust", "\"slot\":%llu", (unsigned long long)m->number);
        break;
    case IPC_ALARM: on_word(c, "alarm", m->text); break;
    case IPC_RELOAD: s->reload_wanted = true; break;
    case IPC_STATUS: /* admin has caught up; the asker holds the ledger, or lets it go */
        if (c->role == ROLE_ASKER) hold_ledger(s, m->number != 0);
        if (s->switching && c->role == ROLE_ADMIN && c->generation == s->next.number) finish_reload(s);
        break;
    case IPC_NONE:
    case IPC_SECRET:
    case IPC_SWITCH:
    case IPC_DRAIN:
    case IPC_STOP:
    case IPC_SUSPICION:
    case IPC_TYPES: break;
    }
}

static void hear(struct supervisor *s, struct child *c)
{
    static struct ipc_message m;
    while (c->pid != 0 && c->control >= 0) {
        result r = ipc_channel_receive(c->control, &m);
        if (r.class == ERROR_LIMIT) return;
        if (is_ok(r)) {
            on_message(s, c, &m);
            continue;
        }
        if (r.class != ERROR_CLOSED) kill(c->pid, SIGKILL); /* a sibling that breaks the format is not trusted */
        os_close(&c->control);
    }
}

/* ---- deaths ----------------------------------------------------------------------------------------------------- */

/* At once; but who cannot live is not born again as fast as a processor can. */
static uint64_t when_reborn(const struct child *dead)
{
    uint64_t now = supervisor_ms();
    return now - dead->started_ms < 1000 ? now + RESTART_PAUSE_MS : now;
}

static void scribe_died(struct supervisor *s, const struct child *dead, int code)
{
    atomic_store(&s->processes->scribe, 0);
    if (s->ending && s->scribe_stopped) {
        s->ledger_failed |= code == EXIT_LEDGER;
        return;
    }
    if (code == EXIT_LEDGER) {
        s->ledger_failed = true; /* the first I/O error is final: refusals until SIGTERM */
        ipc_area_fail(s->area);
        proxy_log("supervisor", "ledger_failed", NULL);
        if (!s->ready) start_ending(s);
        return;
    }
    if (!s->ready) {
        s->status = code > 0 ? code : 1;
        start_ending(s);
        return;
    }
    ipc_area_renew(s->area);
    s->restart_ms[ROLE_SCRIBE] = when_reborn(dead);
}

static void asker_died(struct supervisor *s)
{
    if (s->ending) return;
    if (!s->ready) {
        s->status = 2;
        start_ending(s);
        return;
    }
    s->restart_ms[ROLE_ASKER] = supervisor_ms() + RESTART_PAUSE_MS;
}

static void release_slot(struct supervisor *s, const struct child *c)
{
    atomic_store(&s->counters[c->slot].generation, 0);
    atomic_store(&s->counters[c->slot].open_connections, 0);
    atomic_store(&s->counters[c->slot].connection_room, 0);
    atomic_store(&s->counters[c->slot].unread, 0);
    atomic_store(&s->counters[c->slot].unread_room, 0);
    atomic_store(&s->counters[c->slot].ledger_waiting, 0);
}

static void member_died(struct supervisor *s, struct child *dead)
{
    release_slot(s, dead);
    /* What the dead one owes its successor is asked for again by who waits for it. */
    if (dead->role == ROLE_ADMIN && dead->generation == s->now.number) ipc_area_renew(s->suspicions);
    bool next = s->next.config != NULL && dead->generation == s->next.number;
    if (next) {
        abandon_reload(s, "a process of the new generation could not start");
        return;
    }
    if (s->ending || dead->state == CHILD_DRAINING || dead->state == CHILD_STOPPING || dead->generation != s->now.number) return;
    if (!s->ready) {
        s->status = 2;
        start_ending(s);
        return;
    }
    s->restart_ms[dead->role] = when_reborn(dead);
}

static void reap(struct supervisor *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *c = child_by_pid(s, pid);
        if (c == NULL) continue;
        hear(s, c); /* its last words */
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        struct child dead = *c;
        os_close(&c->control);
        *c = (struct child){.control = -1};
        if (dead.role != ROLE_TRIAL && !(s->ending && code == 0)) {
            proxy_log("supervisor", "child_ended", "\"child\":%d,\"who\":\"%s\",\"slot\":%u,\"code\":%d", (int)dead.pid,
                role_name(dead.role), dead.slot, code);
        }
        switch (dead.role) {
        case ROLE_SCRIBE: scribe_died(s, &dead, code); break;
        case ROLE_ASKER: asker_died(s); break;
        case ROLE_COUNT: break;
        case ROLE_TRIAL:
            if (code == 0 && !s->ending) begin_generation(s);
            else if (code == 1 && !s->ending) reload_was_refused(s); /* it said why */
            else if (!s->ending) refuse_reload(s, "the trial crashed");
            break;
        case ROLE_WORKER:
        case ROLE_ADMIN: member_died(s, &dead); break;
        }
    }
}

/* ---- keeping everybody alive ------------------------------------------------------------------------------------ */

static bool index_alive(const struct supervisor *s, unsigned index)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &s->children[i];
        bool serves = c->state != CHILD_DRAINING && c->state != CHILD_STOPPING;
        if (c->pid != 0 && c->role == ROLE_WORKER && c->generation == s->now.number && c->index == index && serves) return true;
    }
    return false;
}

static void count_restart(struct supervisor *s, enum admin_role role, bool born)
{
    if (born) atomic_fetch_add(&s->processes->restarts[role], 1);
}

static void replace_missing(struct supervisor *s)
{
    uint64_t now = supervisor_ms();
    if (!s->ready || s->ending) return;
    bool scribe = children_of(s, ROLE_SCRIBE, 0) > 0 || s->ledger_failed;
    if (!scribe && now >= s->restart_ms[ROLE_SCRIBE]) count_restart(s, ADMIN_SCRIBE, spawn_scribe(s));
    bool asker = children_of(s, ROLE_ASKER, 0) > 0 || s->ledger_failed || !s->now.config->witness.there;
    if (!asker && now >= s->restart_ms[ROLE_ASKER]) count_restart(s, ADMIN_ASKER, spawn_asker(s));
    bool admin = children_of(s, ROLE_ADMIN, s->now.number) > 0 || s->switching;
    if (!admin && now >= s->restart_ms[ROLE_ADMIN]) count_restart(s, ADMIN_ADMIN, spawn_admin(s, &s->now));
    for (unsigned i = 0; i < s->now.config->workers; i++) {
        if (index_alive(s, i) || now < s->restart_ms[ROLE_WORKER]) continue;
        count_restart(s, ADMIN_WORKER, spawn_worker(s, &s->now, i));
    }
}

/* Who does not answer in time is broken off, then killed. */
static void enforce_deadlines(struct supervisor *s)
{
    uint64_t now = supervisor_ms();
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 || c->deadline_ms == 0 || now < c->deadline_ms) continue;
        if (c->state == CHILD_DRAINING) {
            child_tell(c, IPC_STOP, 0);
            c->state = CHILD_STOPPING;
            c->deadline_ms = now + 5000;
        } else {
            kill(c->pid, SIGKILL);
            c->deadline_ms = 0;
        }
    }
}

static size_t living(const struct supervisor *s, enum role role)
{
    size_t n = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++) n += s->children[i].pid != 0 && s->children[i].role == role;
    return n;
}

static void stop_role(struct supervisor *s, enum role role)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 || c->role != role || c->state == CHILD_STOPPING) continue;
        child_tell(c, IPC_STOP, 0);
        c->state = CHILD_STOPPING;
        c->deadline_ms = supervisor_ms() + 10000;
    }
}

/* Workers first, then admin, the scribe last: nobody's last entry is lost. True when all are gone. */
static bool ended(struct supervisor *s)
{
    if (!s->ending) return false;
    if (living(s, ROLE_WORKER) > 0) {
        if (!s->ready) stop_role(s, ROLE_WORKER);
        return false;
    }
    stop_role(s, ROLE_ADMIN);
    stop_role(s, ROLE_TRIAL);
    stop_role(s, ROLE_ASKER);
    if (living(s, ROLE_ADMIN) > 0 || living(s, ROLE_ASKER) > 0) return false;
    s->scribe_stopped = true;
    stop_role(s, ROLE_SCRIBE);
    return living(s, ROLE_SCRIBE) == 0;
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static void on_signals(struct supervisor *s)
{
    for (int signal; (signal = os_signals_next(s->signals)) != 0;) {
        if (signal == SIGCHLD) reap(s);
        if (signal == SIGHUP) s->reload_wanted = true;
        if (signal == SIGTERM || signal == SIGINT) start_ending(s);
    }
}

static void wait_for_news(struct supervisor *s)
{
    struct pollfd polls[CHILDREN_MAX + 1];
    struct child *of[CHILDREN_MAX + 1];
    nfds_t n = 0;
    polls[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 || c->control < 0) continue;
        of[n] = c;
        polls[n++] = (struct pollfd){.fd = c->control, .events = POLLIN};
    }
    if (poll(polls, n, 200) < 0) return;
    for (nfds_t i = 1; i < n; i++) {
        if (polls[i].revents != 0) hear(s, of[i]);
    }
    if (polls[0].revents != 0) on_signals(s);
}

static RESULT set_up(struct supervisor *s)
{
    /* The last two do nothing: who rotates logs the way of other servers must not end this one. */
    static const int SIGNALS[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, 0};
    for (size_t i = 0; i < CHILDREN_MAX; i++) s->children[i].control = -1;
    s->signals = s->http_listener = s->socket_listener = s->ticket_fd = s->root_fd = -1;
    s->next.overlay_fd = s->now.overlay_fd = s->old_overlay_fd = -1;
    TRY(os_limit_files(PROXY_FILES));
    TRY(os_signals_open(SIGNALS, &s->signals));
    TRY(open_listeners(s));
    return open_memory(s);
}

static void tear_down(struct supervisor *s)
{
    if (s->socket_listener >= 0) { /* else it is somebody else's */
        result r = os_remove(s->now.config->admin_socket);
        (void)r;
    }
    size_t n = s->now.config->workers * s->now.config->settings.listener_count;
    for (size_t i = 0; s->listeners != NULL && i < n; i++) os_close(&s->listeners[i]);
    mem_free(s->listeners);
    os_close(&s->http_listener);
    os_close(&s->socket_listener);
    os_close(&s->ticket_fd);
    os_close(&s->root_fd);
    os_close(&s->signals);
    if (s->boards != NULL) os_shared_unmap(s->boards, s->boards_len);
    if (s->counters != NULL) os_shared_unmap(s->counters, s->counters_len);
    ipc_area_free(s->area);
    ipc_area_free(s->suspicions);
    forget_generation(&s->now);
    os_close(&s->old_overlay_fd);
}

/* Whoever hangs longer than the unit allows is started again. */
static void pet_watchdog(struct supervisor *s)
{
    uint64_t now = supervisor_ms();
    if (s->watchdog_ms == 0 || now - s->petted_ms < s->watchdog_ms) return;
    s->petted_ms = now;
    os_notify("WATCHDOG=1");
}

static void report_mirror(struct supervisor *s)
{
    struct admin_mirror m;
    admin_mirror_source(s->now.config, s->boards, s->slots, &m);
    if (s->arguments->report != NULL) s->arguments->report(s->arguments->ctx, &m.source);
}

int supervisor_run(const struct supervisor_arguments *a)
{
    struct supervisor *s = mem_alloc(sizeof(*s));
    if (s == NULL) return 2;
    s->arguments = a;
    s->now = (struct generation){.config = a->config, .number = ++s->loads, .overlay_fd = -1};
    a->config->generation = a->config->settings.generation = s->now.number;
    result r = set_up(s);
    if (!is_ok(r) || !spawn_scribe(s)) {
        fprintf(stderr, "gate1367: %s: %s\n", is_ok(r) ? "fork" : "listening", os_error_text(r));
        s->status = 2;
        s->ending = true;
    }
    s->watchdog_ms = os_watchdog_ms() / 2;
    while (!ended(s)) {
        wait_for_news(s);
        pet_watchdog(s);
        enforce_deadlines(s);
        replace_missing(s);
        if (!still_draining(s)) os_close(&s->old_overlay_fd);
        try_reload(s);
        continue_switch(s);
    }
    if (s->boards != NULL && s->ready) report_mirror(s);
    int status = s->ledger_failed ? EXIT_LEDGER : s->status;
    tear_down(s);
    mem_free(s);
    return status;
}
