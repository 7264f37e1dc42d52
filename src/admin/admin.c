#include "admin/internal.h"
#include <errno.h>
#include <unistd.h>

#define VISIT_MS 30000
#define LAST_VISITS_MS 1000 /* of those who were let in before a stop, or a reload */

/* ---- visitors --------------------------------------------------------------------------------------------------- */

static void leave(struct visitor *v, bool orderly)
{
    struct admin *a = v->admin;
    if (v->previous != NULL) v->previous->next = v->next;
    else a->visitors = v->next;
    if (v->next != NULL) v->next->previous = v->previous;
    if (orderly && !io_sending_pending(v->conn)) io_finish(v->conn);
    else io_free(v->conn);
    if (v->text.base != NULL) mem_wipe(v->text.base, v->text.size); /* look-ups hold somebody's number */
    buf_free(&v->text);
    buf_free(&v->answer);
    mem_free_wipe(v, sizeof(*v));
    if (a->stopping && a->visitors == NULL) io_loop_stop(a->loop);
}

static void send_answer(struct visitor *v)
{
    span s = buf_span(&v->answer);
    switch (io_send(v->conn, &s, 1)) {
    case IO_SENT: leave(v, true); break;
    case IO_PENDING: break;
    case IO_FAILED: leave(v, false); break;
    }
}

/* ---- HTTP: GET only --------------------------------------------------------------------------------------------- */

static void respond(struct visitor *v, unsigned status, span type, span body, bool head)
{
    struct http_date date = {0};
    struct http_answer a = {.status = status, .now = (int64_t)(os_realtime_us() / 1000000), .content_type = type,
        .framing = HTTP_FRAMING_LENGTH, .length = body.len, .close = true,
        .allow = status == 405 ? SPAN("GET") : span_of(NULL, 0)};
    result r = http_write_answer(&v->answer, &date, &a);
    if (is_ok(r) && !head) r = buf_append(&v->answer, body);
    if (is_ok(r)) send_answer(v);
    else leave(v, false);
}

#define PLAIN SPAN("text/plain; charset=utf-8")

static void serve_written(struct visitor *v, result (*write)(const struct admin *a, struct buf *out), span type)
{
    struct buf text;
    buf_init(&text, 3u << 20);
    if (is_ok(write(v->admin, &text))) respond(v, 200, type, buf_span(&text), false);
    else respond(v, 500, PLAIN, SPAN("no memory\n"), false);
    buf_free(&text);
}

/* Served all the same: no answer waits for the witness. */
static const char *witness_note(const struct admin *a)
{
    const struct witness_board *b = &a->arguments->processes->witness;
    if (atomic_load(&b->refused)) return "note: the witness knows another ledger under this name: rolled back, or forked\n";
    return atomic_load(&b->late) ? "note: the witness has not confirmed the ledger in time\n" : "";
}

static void serve_page(struct visitor *v)
{
    span path = v->request.path;
    if (v->request.method != HTTP_GET) {
        respond(v, 405, PLAIN, SPAN("GET only\n"), false);
    } else if (span_equal(path, SPAN("/healthz"))) {
        respond(v, 200, PLAIN, SPAN("alive\n"), false);
    } else if (span_equal(path, SPAN("/readyz"))) {
        const char *why = not_ready(v->admin);
        char text[CONFIG_MARK_WORDS + 128];
        snprintf(text, sizeof(text), "%s\n%s", why == NULL ? "ready" : why, witness_note(v->admin));
        respond(v, why == NULL ? 200 : 503, PLAIN, span_str(text), false);
    } else if (span_equal(path, SPAN("/metrics"))) {
        serve_written(v, metrics_write, SPAN("text/plain; version=0.0.4; charset=utf-8"));
    } else if (span_equal(path, SPAN("/mirror")) && v->admin->arguments->boards != NULL) {
        serve_written(v, mirror_page, SPAN("application/json"));
    } else {
        respond(v, 404, PLAIN, SPAN("healthz, readyz, metrics\n"), false);
    }
}

static void read_http(struct visitor *v)
{
    switch (http_request_read(&v->request, io_input(v->conn), &HTTP_LIMITS_DEFAULT)) {
    case HTTP_MORE: return;
    case HTTP_BAD:
        v->asked = true;
        respond(v, v->request.refusal, PLAIN, SPAN(""), false);
        return;
    case HTTP_DONE: break;
    }
    v->asked = true;
    serve_page(v);
}

/* ---- the socket ------------------------------------------------------------------------------------------------- */

static void read_local(struct visitor *v)
{
    span in = io_input(v->conn);
    if (v->asked || !is_ok(buf_append(&v->text, in))) {
        leave(v, false);
        return;
    }
    io_consume(v->conn, in.len);
    local_request(v);
    if (!v->asked) return;
    if (!v->waits) send_answer(v);
}

/* What is told to an insider is on record before it is told. */
static void ledger_moved(int fd, void *arg)
{
    struct admin *a = arg;
    (void)fd;
    ipc_ring_arm(a->arguments->ring);
    for (struct visitor *v = a->visitors, *next; v != NULL; v = next) {
        next = v->next;
        if (!v->waits) continue;
        enum ipc_ticket_state state = ipc_ring_state(a->arguments->ring, v->ticket);
        if (state == IPC_TICKET_PENDING) continue;
        v->waits = false;
        if (state == IPC_TICKET_FAILED) {
            buf_clear(&v->answer);
            result r = buf_append(&v->answer,
                SPAN("{\"status\":\"error\",\"problems\":[\"the ledger could not be written; what was asked is not told\"]}\n"));
            (void)r; /* short */
        } else if (v->accepts) {
            changes_accept(v);
        }
        send_answer(v);
    }
}

static void visitor_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct visitor *v = arg;
    (void)c;
    switch (event) {
    case IO_CONNECTED: break;
    case IO_READABLE:
        if (v->local) read_local(v);
        else if (!v->asked) read_http(v);
        break;
    case IO_DRAINED: leave(v, true); break;
    case IO_END:
        if (!v->asked) leave(v, true);
        break;
    case IO_TRUNCATED:
    case IO_ERROR:
    case IO_TIMEOUT: leave(v, false); break;
    }
}

static void welcome(struct admin *a, int fd, bool local)
{
    struct visitor *v = mem_alloc(sizeof(*v));
    if (v == NULL) {
        os_close(&fd);
        return;
    }
    v->admin = a;
    v->local = local;
    buf_init(&v->text, ADMIN_REQUEST_MAX);
    buf_init(&v->answer, 4u << 20);
    http_request_reset(&v->request);
    v->conn = io_accept(a->loop, fd, NULL, visitor_event, v);
    if (v->conn == NULL) {
        mem_free(v);
        return;
    }
    io_set_deadline(v->conn, VISIT_MS);
    v->next = a->visitors;
    if (v->next != NULL) v->next->previous = v;
    a->visitors = v;
}

static void http_accepted(int fd, const struct sockaddr_storage *from, void *arg)
{
    (void)from;
    welcome(arg, fd, false);
}

/* The socket's mode keeps others out; who it is is asked all the same. */
static void local_accepted(int fd, const struct sockaddr_storage *from, void *arg)
{
    struct os_credentials who;
    (void)from;
    bool known = is_ok(os_peer_credentials(fd, &who)) && (who.uid == 0 || who.uid == geteuid());
    if (known) welcome(arg, fd, true);
    else os_close(&fd);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void tell(const struct admin *a, enum ipc_type type, const char *text)
{
    ipc_channel_tell(a->arguments->control, type, a->arguments->config->generation, text);
}

void admin_alarm(const struct admin *a, const char *text) { tell(a, IPC_ALARM, text); }

static void switch_on(struct admin *a)
{
    uint64_t ticket;
    if (a->serving) return;
    if (!is_ok(journal_catch_up(a))) {
        io_loop_stop(a->loop);
        return;
    }
    a->http = io_listener_new(a->loop, a->arguments->http_listener, http_accepted, a);
    a->local = io_listener_new(a->loop, a->arguments->socket_listener, local_accepted, a);
    if (a->http == NULL || a->local == NULL) {
        io_loop_stop(a->loop); /* one that hears nobody is worth less than the next one */
        return;
    }
    if (!is_ok(suspicions_open(a))) {
        io_loop_stop(a->loop);
        return;
    }
    a->serving = true;
    struct ledger_count counts[ADMIN_MARK_COUNTS];
    size_t count = mark_counts(a, counts); /* before it is written */
    if (a->mark.made || a->mark.foreign) proxy_log("admin", "registry_mark_made", "\"foreign\":%s", a->mark.foreign ? "true" : "false");
    journal_look(a);
    tell(a, IPC_STATUS, "");
    result config = admin_publish(a, LEDGER_CONFIG, counts, count, NULL, 0, &ticket);
    result rules = admin_publish(a, LEDGER_RULES, NULL, 0, NULL, 0, &ticket);
    if (!is_ok(config) || !is_ok(rules)) admin_alarm(a, "the ledger took no entry for the new configuration");
}

static void waited_enough(void *arg)
{
    struct admin *a = arg;
    io_loop_stop(a->loop);
}

/* Whoever has been let in is answered; who comes now waits at the door for the next one, or is refused with the gateway. */
static void stop(struct admin *a)
{
    if (a->stopping) return;
    a->stopping = true;
    io_listener_free(a->http);
    io_listener_free(a->local);
    a->http = a->local = NULL;
    if (a->visitors == NULL) io_loop_stop(a->loop);
    else io_timer_after(&a->last_visits, LAST_VISITS_MS);
}

static void control_message(int fd, void *arg)
{
    struct admin *a = arg;
    static struct ipc_message m;
    for (;;) {
        result r = ipc_channel_receive(fd, &m);
        if (r.class == ERROR_LIMIT) return;
        if (is_ok(r) && m.type == IPC_SWITCH) switch_on(a);
        if (!is_ok(r)) {
            io_loop_stop(a->loop);
            return;
        }
        if (m.type == IPC_STOP || m.type == IPC_DRAIN) stop(a);
    }
}

static RESULT open_registry(struct admin *a, char *why, size_t size)
{
    const struct admin_arguments *g = a->arguments;
    TRY(config_registry_key(g->config, a->key));
    if (!g->reborn) TRY(registry_overlay_format(g->overlays[0], g->overlay_size, a->key));
    result r = registry_open(span_of(g->config->registry.ptr, g->config->registry.len), a->key, g->overlays[0], &a->registry);
    if (!is_ok(r)) snprintf(why, size, "%s", registry_error_text(r.code));
    return r;
}

static RESULT prepare(struct admin *a, char *why, size_t size)
{
    TRY(open_registry(a, why, size));
    TRY(journal_open(a, why, size));
    /* Once: to read a hundred takes tens of milliseconds, and answers may wait for us. A file that is replaced counts from a reload on. */
    if (!config_certificates_end(a->arguments->config, &a->certificates_end)) a->certificates_end = INT64_MAX;
    buf_init(&a->scratch, LEDGER_ENTRY_MAX);
    const struct proxy_settings *settings = &a->arguments->config->settings;
    if (settings->auditor_count > 0) TRY(ledger_sealer_new(settings->auditors, settings->auditor_count, &a->arguments->pseudonym_root.epochs, &a->sealer));
    a->loop = io_loop_new();
    REQUIRE(a->loop != NULL, ERROR_LIMIT, ENOMEM);
    io_timer_init(&a->last_visits, a->loop, waited_enough, a);
    io_timer_init(&a->journal_timer, a->loop, journal_look, a);
    a->ring_watch = io_watch_new(a->loop, ipc_ring_wake_fd(a->arguments->ring), ledger_moved, a);
    a->control_watch = io_watch_new(a->loop, a->arguments->control, control_message, a);
    REQUIRE(a->ring_watch != NULL && a->control_watch != NULL, ERROR_LIMIT, ENOMEM);
    ipc_ring_arm(a->arguments->ring);
    return OK;
}

static void close_down(struct admin *a)
{
    while (a->visitors != NULL) leave(a->visitors, false);
    suspicions_close(a);
    io_listener_free(a->http);
    io_listener_free(a->local);
    io_watch_free(a->ring_watch);
    io_watch_free(a->control_watch);
    io_timer_clear(&a->last_visits);
    io_timer_clear(&a->journal_timer);
    io_loop_free(a->loop);
    registry_close(a->registry);
    os_close(&a->journal);
    config_mark_close(&a->mark);
    buf_free(&a->scratch);
    ledger_sealer_free(a->sealer);
}

int admin_run(const struct admin_arguments *arguments, void (*confine)(void *ctx), void *ctx)
{
    struct admin a = {.arguments = arguments, .journal = -1, .mark = {.fds = {-1, -1}}};
    char why[256] = "";
    result r = prepare(&a, why, sizeof(why));
    if (!is_ok(r)) {
        tell(&a, IPC_FAILED, why[0] != '\0' ? why : os_error_text(r));
        return 2;
    }
    if (confine != NULL) confine(ctx);
    tell(&a, IPC_READY, "");
    fault_ready();
    r = io_loop_run(a.loop);
    close_down(&a);
    mem_wipe(a.key, sizeof(a.key));
    return is_ok(r) ? 0 : 1;
}

/* ---- the other end ---------------------------------------------------------------------------------------------- */

static RESULT send_all(int fd, span s)
{
    while (s.len > 0) {
        ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FAIL(ERROR_IO, errno == EAGAIN ? OS_TIMEOUT : errno);
        s = span_from(s, (size_t)n);
    }
    return OK;
}

static RESULT receive_all(int fd, struct buf *answer)
{
    for (;;) {
        uint8_t *room;
        TRY(buf_reserve(answer, 65536, &room));
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FAIL(ERROR_IO, errno == EAGAIN ? OS_TIMEOUT : errno);
        if (n == 0) return OK;
        buf_commit(answer, (size_t)n);
    }
}

/* The kernel takes the connection also where nobody ever will. */
RESULT admin_ask(const char *socket, unsigned seconds, span line, span body, struct buf *answer)
{
    int fd;
    TRY(os_connect_unix(socket, seconds, &fd));
    result r = send_all(fd, line);
    if (is_ok(r)) r = send_all(fd, SPAN("\n"));
    if (is_ok(r)) r = send_all(fd, body);
    if (is_ok(r)) r = receive_all(fd, answer);
    os_close(&fd);
    return r;
}

/* A gateway that stood still hears the question when it goes on. */
const char *admin_ask_words(result r)
{
    bool late = r.class == ERROR_IO && r.code == OS_TIMEOUT;
    return late ? "the gateway does not answer, and may yet do what was asked; whether it did is in its ledger" : os_error_text(r);
}
