/* The worker's life: prepare, report ready, switch on, serve, drain. One thread, one loop, no files. */
#include "proxy/internal.h"
#include <errno.h>

#define BODY_SLACK (1u << 20)
#define ARENA_CAP (256u << 20)
#define END_LOOK_MS 10

RESULT worker_random(struct worker *w, uint8_t *out, size_t len)
{
    ASSERT(len <= sizeof(w->chance));
    if (w->chance_used + len > sizeof(w->chance)) {
        TRY(os_random(w->chance, sizeof(w->chance)));
        w->chance_used = 0;
    }
    memcpy(out, w->chance + w->chance_used, len);
    mem_wipe(w->chance + w->chance_used, len);
    w->chance_used += len;
    return OK;
}

/* An origin whose answers have outgrown the limits makes people disappear who should be found, and a stale registry makes
 * everybody disappear: somebody must hear of it. */
void worker_alarm(struct worker *w, enum gate_failure f)
{
    bool limit = f == GATE_RECORD || f == GATE_DOCUMENT || f == GATE_DEPTH;
    if (!limit && f != GATE_REGISTRY && f != GATE_SUSPICION) return;
    uint64_t now = io_now_ms();
    if (w->alarmed_ms[f] != 0 && now - w->alarmed_ms[f] < PROXY_SUMMARY_MS) return;
    w->alarmed_ms[f] = now;
    if (limit) proxy_log("worker", "over_limit", "\"row\":\"%s\"", gate_failure_name(f));
    else if (f == GATE_SUSPICION) proxy_log("worker", "suspicion_not_kept", NULL);
    else if (registry_is_behind(w->arguments->registry)) proxy_log("worker", "registry_behind", NULL);
    else if (!registry_suspicion_room(w->arguments->registry)) proxy_log("worker", "registry_full", NULL);
    else proxy_log("worker", "registry_stale", "\"built\":%llu", (unsigned long long)w->registry_built);
}

bool worker_registry_usable(const struct worker *w, uint64_t time_us)
{
    return !registry_is_stale(w->registry_built, w->settings->registry_max_age_us, time_us) &&
           registry_suspicion_room(w->arguments->registry) && !registry_is_behind(w->arguments->registry) && !gate_failure_thrown(GATE_REGISTRY);
}

/* What a request that needs an entry is refused by, whatever is asked; GATE_FINE: nothing. */
enum gate_failure worker_ledger_refusal(const struct worker *w)
{
    if (ipc_ring_failed(w->arguments->ring) || ipc_ring_held(w->arguments->ring)) return GATE_LEDGER;
    bool shed = ipc_ring_room(w->arguments->ring) == IPC_ROOM_SHED || gate_failure_thrown(GATE_LEDGER_ROOM);
    return shed ? GATE_LEDGER_ROOM : GATE_FINE;
}

/* ---- engines ---------------------------------------------------------------------------------------------------- */

#define ENGINES_KEPT 16

static bool add_engine(struct worker *w)
{
    if (w->engine_total == w->engine_room) {
        size_t room = w->engine_room * 2 + ENGINES_KEPT;
        struct engine **larger = mem_resize(w->engines, room * sizeof(*larger));
        if (larger == NULL) return false;
        w->engines = larger;
        w->engine_room = room;
    }
    struct engine *e = engine_new(w->settings->rules, cpu_level());
    if (e == NULL) return false;
    engine_share_lores(e, w->lores);
    w->engines[w->engine_idle++] = e;
    w->engine_total++;
    return true;
}

bool worker_engine_reserve(struct worker *w)
{
    if (w->engine_total == w->engine_reserved && !add_engine(w)) return false;
    w->engine_reserved++;
    return true;
}

/* After a rush the coldest go, one with each exchange that ends. */
void worker_engine_release(struct worker *w)
{
    ASSERT(w->engine_reserved > 0);
    w->engine_reserved--;
    if (w->engine_total <= ENGINES_KEPT + 2 * w->engine_reserved || w->engine_idle == 0) return;
    engine_free(w->engines[0]);
    w->engine_idle--;
    w->engine_total--;
    memmove(w->engines, w->engines + 1, w->engine_idle * sizeof(*w->engines));
}

void worker_engines_trim(struct worker *w)
{
    while (w->engine_idle > 1 && w->engine_total > w->engine_reserved + 1) {
        engine_free(w->engines[--w->engine_idle]);
        w->engine_total--;
    }
}

struct engine *worker_engine_take(struct worker *w)
{
    ASSERT(w->engine_idle > 0); /* reserved */
    return w->engines[--w->engine_idle];
}

void worker_engine_back(struct worker *w, struct engine *e)
{
    if (e != NULL) w->engines[w->engine_idle++] = e;
}

/* ---- waiting for the ledger ------------------------------------------------------------------------------------- */

void worker_queue(struct worker *w, struct exchange *x)
{
    x->queued = true;
    worker_gauge(&w->arguments->counters->ledger_waiting, 1);
    x->next = NULL;
    *w->queue_end = x;
    w->queue_end = &x->next;
    w->queued++;
    io_task_due(w->ledger_idle);
}

void worker_unqueue(struct worker *w, struct exchange *x)
{
    struct exchange **at = &w->queue;
    while (*at != x) at = &(*at)->next;
    *at = x->next;
    if (w->queue_end == &x->next) w->queue_end = at;
    x->next = NULL;
    x->queued = false;
    w->queued--;
    worker_gauge(&w->arguments->counters->ledger_waiting, -1);
}

/* Tickets become durable in order, so that the first that has to wait on ends the round. One that met a full ring keeps
 * its place, and where it meets another, all behind it would. */
static void release_recorded(struct worker *w)
{
    size_t bound = w->queued;
    w->ring_full = false;
    while (w->queue != NULL && bound-- > 0 && !w->ring_full) {
        struct exchange *x = w->queue;
        if (gate_poll(x->gate) == GATE_RECORDING) break;
        if (gate_state(x->gate) != GATE_DECIDED) worker_unqueue(w, x);
        exchange_run(x);
    }
}

static void ask_scribe(struct worker *w, enum ipc_hurry hurry)
{
    ipc_ring_ask(w->arguments->ring, hurry);
    w->unasked = 0;
    w->unasked_quiet = false;
    w->asked_soon = hurry == IPC_SOON;
}

/* The next commit makes room and wakes us. The timer is for a wake that is lost: nobody may hang for ever. */
void worker_ring_full(struct worker *w)
{
    w->ring_full = true;
    ask_scribe(w, IPC_NOW);
    if (!w->quiet_timer.armed) io_timer_after(&w->quiet_timer, PROXY_QUIET_MS);
}

/* Nothing else is ready. While other exchanges are under way their entries may soon follow, and the scribe may let its
 * group grow; when all that is left waits for the ledger it must not. Looked at once more after the wish to be woken
 * stands: else what became durable in between would be slept over. */
static void ledger_before_wait(void *arg)
{
    struct worker *w = arg;
    bool alone = w->engine_reserved == 0;
    if (w->unasked > 0 || (w->asked_soon && alone && w->queue != NULL)) ask_scribe(w, alone ? IPC_NOW : IPC_SOON);
    ipc_ring_expect(w->arguments->ring);
    release_recorded(w);
}

static void ledger_at_once(void *arg)
{
    struct worker *w = arg;
    release_recorded(w);
    if (w->queue != NULL) io_task_due(w->ledger_idle);
}

/* To read a long document takes longer than a commit. A worker that is not done for long with what is ready serves the ledger all
 * the same, and answers that may leave do not wait for the documents of others. */
void worker_look(struct worker *w)
{
    if (w->unasked > 0 && io_now_us() - w->unasked_us >= PROXY_GROUP_US) ask_scribe(w, IPC_NOW);
    if (w->queue != NULL && !w->ring_full && gate_poll(w->queue->gate) != GATE_RECORDING) io_task_due(w->ledger_first);
}

static void ledger_moved(int fd, void *arg)
{
    struct worker *w = arg;
    (void)fd;
    release_recorded(w);
    if (w->queue != NULL) io_task_due(w->ledger_idle);
}

static void admin_moved(int fd, void *arg)
{
    struct worker *w = arg;
    (void)fd;
    ipc_ring_arm(w->arguments->suspicions);
    suspect_moved(w);
}

/* Completions wait for company: the scribe takes them with the next decision, or when the timer says so. */
void worker_published(struct worker *w, bool awaited)
{
    if (!awaited) {
        w->unasked_quiet = true;
        if (!w->quiet_timer.armed) io_timer_after(&w->quiet_timer, PROXY_QUIET_MS);
        return;
    }
    if (w->unasked++ == 0) w->unasked_us = io_now_us();
    if (w->unasked >= PROXY_GROUP) ask_scribe(w, IPC_NOW);
    io_task_due(w->ledger_idle);
}

static void quiet_long_enough(void *arg)
{
    struct worker *w = arg;
    if (w->unasked_quiet) ask_scribe(w, IPC_SOON);
    if (w->ring_full) release_recorded(w);
}

/* ---- draining --------------------------------------------------------------------------------------------------- */

/* The last answer has gone to the kernel when its session ends, and not to who reads it: a process that ends at once, with bytes of the
 * client still unread, has the kernel throw away the rest of it. So connections are ended in good order first (io_finish). */
static void look_for_the_end(void *arg)
{
    struct worker *w = arg;
    if (!w->draining || w->sessions != NULL) return;
    if (io_loop_connections(w->loop) == 0) io_loop_stop(w->loop);
    else io_timer_after(&w->end_timer, END_LOOK_MS);
}

void worker_session_ended(struct worker *w)
{
    room_look(w);
    look_for_the_end(w);
}

static void drain_idle(void *arg)
{
    struct worker *w = arg;
    session_close_idle(w, 0);
    worker_session_ended(w);
}

static void stop_listening(struct worker *w)
{
    for (size_t i = 0; i < w->settings->listener_count; i++) {
        if (w->listening[i].listener == NULL) continue;
        int fd = w->arguments->listeners[i];
        io_listener_free(w->listening[i].listener);
        w->listening[i].listener = NULL;
        os_close(&fd); /* the last one closed ends the queue; in a reload the supervisor keeps it */
    }
}

static void drain(struct worker *w)
{
    if (w->draining) return;
    w->draining = true;
    stop_listening(w);
    atomic_store_explicit(&w->arguments->counters->generation, 0, memory_order_relaxed); /* readyz: not this one */
    atomic_store_explicit(&w->arguments->counters->connection_room, 0, memory_order_relaxed);
    origin_close_idle(w);
    proxy_log("worker", "draining", NULL);
    io_timer_after(&w->drain_timer, PROXY_DRAIN_IDLE_MS);
    worker_session_ended(w);
}

static void beat(void *arg)
{
    struct worker *w = arg;
    atomic_store_explicit(&w->arguments->counters->beat_ms, io_now_ms(), memory_order_relaxed);
    atomic_store_explicit(&w->arguments->counters->unread, io_unread(w->loop), memory_order_relaxed);
    io_timer_after(&w->beat_timer, PROXY_BEAT_MS);
    spare_look(w);
}

static void start_listening(struct worker *w)
{
    for (size_t i = 0; i < w->settings->listener_count; i++) {
        struct io_listener *l = w->listening[i].listener;
        if (l != NULL) io_listener_resume(l);
    }
    beat(w);
    atomic_store_explicit(&w->arguments->counters->generation, w->settings->generation, memory_order_relaxed);
    fault_ready();
}

static void stop(struct worker *w)
{
    stop_listening(w);
    w->draining = true;
    io_loop_stop(w->loop);
}

static void control_message(int fd, void *arg)
{
    struct worker *w = arg;
    static struct ipc_message m; /* too large for a frame of the loop; one worker a process */
    for (;;) {
        result r = ipc_channel_receive(fd, &m);
        if (r.class == ERROR_LIMIT) return;
        if (!is_ok(r)) {
            stop(w); /* the supervisor is gone */
            return;
        }
        if (m.type == IPC_SWITCH) start_listening(w);
        if (m.type == IPC_DRAIN) drain(w);
        if (m.type == IPC_STOP) stop(w);
    }
}

static void summarise(void *arg)
{
    struct worker *w = arg;
    summary_write(w);
    io_timer_after(&w->summary_timer, summary_due_ms());
}

/* ---- set-up ----------------------------------------------------------------------------------------------------- */

static bool issuer_holds(void *arg, const struct stack_st_X509 *chain)
{
    const struct listening *l = arg;
    return l->anchors != NULL && recipient_issuer_holds(l->worker->settings->recipients, l->anchors, chain);
}

static bool any_issuer_will_do(void *arg, const struct x509_st *leaf)
{
    const struct listening *l = arg;
    return l->anchors != NULL && recipient_issuer_holds_by_leaf(l->worker->settings->recipients, l->anchors, leaf);
}

static RESULT open_listener_tls(struct worker *w, size_t i, char *why, size_t size)
{
    const struct proxy_listener *l = &w->settings->listeners[i];
    struct buf key;
    TRY(os_read_fd(l->key_fd, 64 * 1024, &key));
    struct io_tls_server_options o = {.certificate = l->certificate, .key = buf_span(&key), .client_ca = l->client_ca,
        .client_certificate = l->mode, .ticket_keys = w->arguments->ticket_keys, .judge = &w->listening[i].judge};
    result r = io_tls_server_new(&o, &w->listening[i].tls, why, size);
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&key);
    return r;
}

/* One key for a fleet of gateways, so that a page's cursor is good at each of them; alone, a gateway has a secret already. */
static RESULT read_cursor_keys(struct worker *w, char *why, size_t size)
{
    if (w->settings->cursor_key_fd < 0) {
        span root = span_of(w->arguments->pseudonym_root.key, sizeof(w->arguments->pseudonym_root.key));
        REQUIRE(pages_keys_derive(root, &w->cursor_keys), ERROR_INTERNAL, 0);
        return OK;
    }
    struct buf text;
    TRY(os_read_fd(w->settings->cursor_key_fd, 64 * 1024, &text));
    const char *wrong = pages_keys_read(buf_span(&text), &w->cursor_keys);
    if (text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
    if (wrong != NULL) snprintf(why, size, "the cursors' key %s", wrong);
    REQUIRE(wrong == NULL, ERROR_CONFIG, 0);
    return OK;
}

/* A listener without client CA knows nobody, and no proxy. */
static RESULT prepare_anchors(struct worker *w)
{
    for (size_t i = 0; i < w->settings->listener_count; i++) {
        const struct proxy_listener *l = &w->settings->listeners[i];
        struct listening *place = &w->listening[i];
        place->worker = w;
        place->judge = (struct io_tls_judge){.run = issuer_holds, .knows = any_issuer_will_do, .arg = place};
        memcpy(place->judge.version, recipient_version(w->settings->recipients), sizeof(place->judge.version));
        if (l->mode == IO_CERTIFICATE_NONE) continue;
        place->anchors = recipient_anchors_new(l->client_ca);
        REQUIRE(place->anchors != NULL, ERROR_LIMIT, ENOMEM);
    }
    if (!recipient_has_proxies(w->settings->recipients)) return OK;
    w->behind = behind_new();
    REQUIRE(w->behind != NULL, ERROR_LIMIT, ENOMEM);
    return OK;
}

/* They hear nothing before it is this worker's turn, but are made before it says that it is ready: who could not make them then would
 * end, be born again and end again, while clients wait. */
static RESULT prepare_listeners(struct worker *w)
{
    for (size_t i = 0; i < w->settings->listener_count; i++) {
        struct listening *l = &w->listening[i];
        l->listener = io_listener_new(w->loop, w->arguments->listeners[i], session_accepted, l);
        REQUIRE(l->listener != NULL, ERROR_LIMIT, ENOMEM);
        io_listener_pause(l->listener);
    }
    return OK;
}

static void name_registry(struct worker *w)
{
    struct registry_info info;
    registry_info(w->arguments->registry, &info);
    w->registry_built = info.built;
    hex_encode(span_of(info.version, sizeof(info.version)), w->registry_version);
}

/* A document that is decided whole may be twice its limit, raw; one that leaves in parts holds what lies between two
 * units, a unit, and what is about to leave, each bounded by twice a record. */
static uint64_t body_cap(const struct engine_limits *l)
{
    uint64_t whole = 2 * l->document, part = 6 * l->record;
    return (whole > part ? whole : part) + BODY_SLACK;
}

static RESULT prepare(struct worker *w, char *why, size_t size)
{
    w->chance_used = sizeof(w->chance);
    w->queue_end = &w->queue;
    w->limits = HTTP_LIMITS_DEFAULT;
    w->limits.head = (size_t)w->settings->header_limit;
    if (w->limits.target > w->limits.head) w->limits.target = w->limits.head;
    buf_init(&w->scratch, LEDGER_ENTRY_MAX);
    w->gates = (struct gate_environment){.ring = w->arguments->ring, .scratch = &w->scratch,
        .body_cap = body_cap(&w->settings->limits), .arena_cap = ARENA_CAP};
    name_registry(w);
    if (w->settings->auditor_count > 0) TRY(ledger_sealer_new(w->settings->auditors, w->settings->auditor_count, &w->arguments->pseudonym_root.epochs, &w->sealer));
    w->loop = io_loop_new();
    w->listening = mem_array(w->settings->listener_count, sizeof(*w->listening));
    REQUIRE(w->loop != NULL && w->listening != NULL, ERROR_LIMIT, ENOMEM);
    io_timer_init(&w->drain_timer, w->loop, drain_idle, w);
    io_timer_init(&w->summary_timer, w->loop, summarise, w);
    io_timer_init(&w->quiet_timer, w->loop, quiet_long_enough, w);
    io_timer_init(&w->beat_timer, w->loop, beat, w);
    io_timer_init(&w->end_timer, w->loop, look_for_the_end, w);
    TRY(prepare_anchors(w));
    for (size_t i = 0; i < w->settings->listener_count; i++) TRY(open_listener_tls(w, i, why, size));
    TRY(origin_pools_open(w, why, size));
    TRY(read_cursor_keys(w, why, size));
    w->lores = match_lores_new();
    REQUIRE(w->lores != NULL && worker_engine_reserve(w), ERROR_LIMIT, ENOMEM); /* the first request's */
    worker_engine_release(w);
    w->ring_watch = io_watch_edges(w->loop, ipc_ring_wake_fd(w->arguments->ring), ledger_moved, w);
    w->ledger_first = io_task_new(w->loop, IO_AT_ONCE, ledger_at_once, w);
    w->ledger_idle = io_task_new(w->loop, IO_BEFORE_WAIT, ledger_before_wait, w);
    w->control_watch = io_watch_new(w->loop, w->arguments->control, control_message, w);
    REQUIRE(w->ring_watch != NULL && w->control_watch != NULL, ERROR_LIMIT, ENOMEM);
    w->suspicion_watch = io_watch_new(w->loop, ipc_ring_wake_fd(w->arguments->suspicions), admin_moved, w);
    REQUIRE(w->suspicion_watch != NULL, ERROR_LIMIT, ENOMEM);
    REQUIRE(w->ledger_first != NULL && w->ledger_idle != NULL, ERROR_LIMIT, ENOMEM);
    ipc_ring_set_quiet(w->arguments->ring, true); /* it is asked when a round of them is there */
    TRY(room_measure(w, why, size));
    TRY(prepare_listeners(w));
    summary_begin(w);
    io_timer_after(&w->summary_timer, summary_due_ms());
    return OK;
}

static void close_down(struct worker *w)
{
    if (w->loop == NULL) return;
    summary_write(w);
    while (w->sessions != NULL) session_end(w->sessions, false);
    ipc_ring_ask(w->arguments->ring, IPC_NOW);
    spare_free(w);
    origin_pools_close(w);
    while (w->engine_idle > 0) engine_free(w->engines[--w->engine_idle]);
    mem_free(w->engines);
    match_lores_free(w->lores);
    io_timer_clear(&w->drain_timer);
    io_timer_clear(&w->summary_timer);
    io_timer_clear(&w->quiet_timer);
    io_timer_clear(&w->beat_timer);
    io_timer_clear(&w->end_timer);
    io_timer_clear(&w->room.timer);
    io_watch_free(w->ring_watch);
    io_task_free(w->ledger_first);
    io_task_free(w->ledger_idle);
    io_watch_free(w->control_watch);
    io_watch_free(w->suspicion_watch);
    for (size_t i = 0; w->listening != NULL && i < w->settings->listener_count; i++) {
        io_listener_free(w->listening[i].listener);
        io_tls_server_free(w->listening[i].tls);
        recipient_anchors_free(w->listening[i].anchors);
    }
    if (w->behind != NULL) mem_free(w->behind);
    record_forget(&w->spelled_versions);
    ledger_sealer_free(w->sealer);
    mem_free(w->listening);
    buf_free(&w->scratch);
    io_loop_free(w->loop);
}

static void report(const struct proxy_worker_arguments *a, enum ipc_type type, const char *text)
{
    ipc_channel_tell(a->control, type, a->settings->generation, text);
}

int proxy_worker_run(const struct proxy_worker_arguments *a, void (*confine)(void *ctx), void *ctx)
{
    char why[256] = "";
    struct worker *w = mem_alloc(sizeof(*w));
    if (w == NULL) return 2;
    w->arguments = a;
    w->settings = a->settings;
    result r = prepare(w, why, sizeof(why));
    if (!is_ok(r)) {
        report(a, IPC_FAILED, why[0] != '\0' ? why : os_error_text(r));
        close_down(w);
        mem_free(w);
        return 2;
    }
    if (confine != NULL) confine(ctx);
    report(a, IPC_READY, "");
    r = io_loop_run(w->loop);
    atomic_store_explicit(&a->counters->generation, 0, memory_order_relaxed);
    close_down(w);
    mem_wipe(w, sizeof(*w));
    mem_free(w);
    return is_ok(r) ? 0 : 1;
}
