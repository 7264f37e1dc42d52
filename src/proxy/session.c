/* A client's connection: who stands behind it, and its requests one after the other. Pipelined requests wait in the input
 * buffer until it is their turn, so that answers leave in order. */
#include "proxy/internal.h"
#include <errno.h>
#include <openssl/x509.h>

#define SESSION_MAGIC 0x73657373u

static void identify(struct session *s)
{
    uint8_t *der = NULL;
    int len = 0;
    X509 *certificate = io_peer_certificate(s->conn);
    if (certificate != NULL) len = i2d_X509(certificate, &der);
    /* Anew on every connection, resumed ones too: the table may have changed since. */
    recipient_identify(s->worker->settings->recipients, span_of(der, len > 0 ? (size_t)len : 0), &s->who);
    OPENSSL_free(der);
    s->ends_s = io_peer_ends(s->conn);
    record_forget(&s->spelled);
    s->identified = true;
}

static void link_session(struct session *s)
{
    struct worker *w = s->worker;
    s->next = w->sessions;
    if (s->next != NULL) s->next->previous = s;
    w->sessions = s;
    struct proxy_counters *c = w->arguments->counters;
    atomic_fetch_add_explicit(&c->open_connections, 1, memory_order_relaxed);
}

static void unlink_session(struct session *s)
{
    struct worker *w = s->worker;
    if (s->previous != NULL) s->previous->next = s->next;
    else w->sessions = s->next;
    if (s->next != NULL) s->next->previous = s->previous;
    atomic_fetch_sub_explicit(&w->arguments->counters->open_connections, 1, memory_order_relaxed);
}

void session_end(struct session *s, bool orderly)
{
    MAGIC_CHECK(s, SESSION_MAGIC);
    struct worker *w = s->worker;
    if (s->exchange != NULL) exchange_free(s->exchange);
    record_forget(&s->spelled);
    unlink_session(s);
    /* Never a clean TLS close behind a body that was broken off: the client must see it. */
    if (orderly && !s->gone && !io_sending_pending(s->conn)) io_finish(s->conn);
    else if (s->cut && !io_sending_pending(s->conn)) io_break(s->conn);
    else io_abort(s->conn);
    mem_wipe(s, sizeof(*s));
    mem_free(s);
    worker_session_ended(w);
}

/* A head is under way, or nothing: who says nothing for long enough is sent away. */
static void timed_out(struct session *s)
{
    struct exchange *x = s->exchange;
    if (x == NULL) {
        session_end(s, true);
    } else if (x->step == STEP_READ_HEAD && !x->routed) {
        if (io_input(s->conn).len == 0) session_end(s, true);
        else if (exchange_head_late(x) == FLOW_GO) exchange_run(x);
    } else if (x->step == STEP_ASK) {
        if (exchange_fail(x, GATE_REQUEST_TIMEOUT) == FLOW_GO) exchange_run(x);
    } else if (x->step == STEP_SEND) {
        s->gone = true;
        x->step = STEP_FINISH;
        exchange_run(x);
    }
}

static void start_exchange(struct session *s)
{
    if (s->exchange == NULL) s->exchange = exchange_new(s);
    if (s->exchange == NULL) session_end(s, false); /* no memory: the client sees a broken connection */
    else exchange_run(s->exchange);
}

static void lost(struct session *s)
{
    s->gone = s->ended = true;
    struct exchange *x = s->exchange;
    if (x == NULL || x->step == STEP_READ_HEAD) {
        if (!s->identified) worker_count(s->worker, PROXY_HANDSHAKES_FAILED, 1);
        session_end(s, false);
    } else if (x->step == STEP_SEND || x->step == STEP_ASK || (x->step == STEP_READ_BODY && x->head_written)) {
        exchange_run(x);
    }
    /* Elsewhere the exchange goes on to its ledger entry: an attempt is recorded whether its client waits or not. */
}

static uint32_t idle_ms(const struct session *s) { return s->worker->draining ? PROXY_DRAIN_IDLE_MS : PROXY_IDLE_MS; }

static void take_event(struct session *s, enum io_event event)
{
    struct worker *w = s->worker;
    struct exchange *x = s->exchange;
    switch (event) {
    case IO_CONNECTED:
        identify(s);
        /* Who was in the handshake when the draining began is answered once, like all the others: he asked nobody else yet. */
        io_set_deadline(s->conn, idle_ms(s));
        break;
    case IO_READABLE:
        if (x == NULL) start_exchange(s);
        else if (x->step == STEP_READ_HEAD || x->step == STEP_ASK) exchange_run(x);
        break;
    case IO_DRAINED:
        if (x != NULL && (x->step == STEP_SEND || x->step == STEP_ASK)) exchange_run(x);
        break;
    case IO_END:
        s->ended = true;
        if (x == NULL || x->step == STEP_READ_HEAD) session_end(s, true);
        else if (x->step == STEP_ASK) exchange_run(x);
        break;
    case IO_ERROR:
        if (io_error(s->conn).class == ERROR_LIMIT && io_error(s->conn).code == ENOBUFS) room_overrun(w);
        lost(s);
        break;
    case IO_TRUNCATED: lost(s); break;
    case IO_TIMEOUT: timed_out(s); break;
    }
}

static void session_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct session *s = arg;
    struct worker *w = s->worker;
    (void)c;
    MAGIC_CHECK(s, SESSION_MAGIC);
    take_event(s, event);
    worker_look(w);
}

/* The address alone: a port says nothing about who it was, and differs every time. */
static void name_client(struct session *s, const struct sockaddr_storage *from)
{
    struct os_address a = {.storage = *from,
        .len = from->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)};
    os_address_format(&a, s->client);
    char *colon = strrchr(s->client, ':');
    if (colon != NULL) *colon = '\0';
}

void session_accepted(int fd, const struct sockaddr_storage *from, void *arg)
{
    struct listening *l = arg;
    struct worker *w = l->worker;
    struct session *s = mem_alloc(sizeof(*s));
    if (s == NULL) {
        os_close(&fd);
        return;
    }
    *s = (struct session){.magic = SESSION_MAGIC, .worker = w, .listening = l};
    name_client(s, from);
    room_for_another(w);
    s->conn = io_accept(w->loop, fd, l->tls, session_event, s);
    if (s->conn == NULL) {
        mem_free(s);
        return;
    }
    if (w->limits.head > PROXY_INPUT) io_set_input_cap(s->conn, w->limits.head);
    io_lend_input(s->conn, NULL); /* a head is kept when it is whole, and a body goes into the origin's queue */
    io_set_deadline(s->conn, PROXY_HEAD_MS);
    link_session(s);
    worker_count(w, PROXY_CONNECTIONS, 1);
    room_taken(w);
}

enum flow session_next(struct session *s)
{
    MAGIC_CHECK(s, SESSION_MAGIC);
    struct exchange *x = s->exchange;
    s->used = true;
    bool more = io_input(s->conn).len > 0;
    if (s->gone || (s->ended && !more)) {
        session_end(s, true);
        return FLOW_GONE;
    }
    io_set_deadline(s->conn, idle_ms(s));
    if (more) {
        exchange_restart(x);
        return FLOW_GO;
    }
    s->exchange = NULL; /* an idle connection holds no buffers */
    exchange_free(x);
    return FLOW_GONE;
}

static bool is_idle(const struct session *s, uint64_t idle_ms)
{
    bool waits = s->exchange == NULL || (s->exchange->step == STEP_READ_HEAD && io_input(s->conn).len == 0);
    if (!waits || idle_ms == 0) return waits;
    return s->identified && io_time_left_ms(s->conn) + idle_ms <= PROXY_IDLE_MS;
}

void session_close_idle(struct worker *w, uint64_t idle_ms)
{
    for (struct session *s = w->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (is_idle(s, idle_ms)) session_end(s, true);
    }
}
