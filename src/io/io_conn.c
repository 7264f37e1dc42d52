/* Connections: birth, events, end. Every entry from the loop holds a frame (enter, leave); memory goes with the last.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include "io/io_internal.h"

#define INPUT_CAP (64 * 1024)
#define FLUSH_MS 10000
#define LINGER_MS 2000
#define LINGER_BYTES (1024 * 1024)

void io_run_kicked(struct io_loop *l);

/* ---- frames and events ---------------------------------------------------------------------------------------- */

static void enter(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    c->depth++;
}

static void leave(struct io_conn *c)
{
    if (--c->depth > 0 || !c->dead) return;
    c->magic = 0;
    mem_free(c);
}

bool io_emit(struct io_conn *c, enum io_event event)
{
    if (c->run != NULL && !c->dead) {
        c->depth++;
        c->run(c, event, c->arg);
        c->depth--;
    }
    return !c->dead;
}

void io_kick(struct io_conn *c)
{
    if (c->kicked || c->dead) return;
    c->kicked = true;
    TAILQ_INSERT_TAIL(&c->loop->kicked, c, in_kicked);
    event_active(c->loop->kick, EV_TIMEOUT, 0);
}

void io_fail(struct io_conn *c, result r, const char *text)
{
    if (c->error.class != ERROR_NONE) return;
    c->error = r;
    c->error_text = text;
    c->error_due = true;
    io_kick(c);
}

static const char *tls_reason(const struct io_conn *c, unsigned long code)
{
    long verdict = SSL_get_verify_result(c->ssl);
    const char *reason = ERR_reason_error_string(code);
    if (verdict != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return X509_verify_cert_error_string(verdict);
    return reason != NULL ? reason : "TLS error";
}

void io_fail_tls(struct io_conn *c, int ssl_error)
{
    unsigned long code = ERR_peek_error();
    enum error_class peer = c->server ? ERROR_PEER : ERROR_UPSTREAM;
    if (ssl_error == SSL_ERROR_SYSCALL && c->sys_error == ENOMEM)
        io_fail(c, FAIL(ERROR_LIMIT, ENOMEM), "out of memory");
    else if (ssl_error == SSL_ERROR_SYSCALL && !c->tcp_eof)
        io_fail(c, FAIL(ERROR_IO, c->sys_error), "connection lost");
    else if (c->tcp_eof)
        io_fail(c, FAIL(peer, 0), "closed during the handshake");
    else
        io_fail(c, FAIL(peer, ERR_GET_REASON(code)), tls_reason(c, code));
    ERR_clear_error();
    (void)io_push_wire(c); /* the alert, if it goes at once; the error stands already */
}

static void set_interest(struct io_conn *c, struct event *e, bool *is_on, bool on)
{
    if (*is_on == on) return;
    if (on && event_add(e, NULL) != 0) {
        io_fail(c, FAIL(ERROR_LIMIT, ENOMEM), "out of memory");
        return;
    }
    if (!on) event_del(e);
    *is_on = on;
}

void io_want_readable(struct io_conn *c, bool on)
{
    set_interest(c, &c->readable, &c->readable_on, on);
}
void io_want_writable(struct io_conn *c, bool on)
{
    set_interest(c, &c->writable, &c->writable_on, on);
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

static void opened(struct io_conn *c)
{
    c->state = CONN_OPEN;
    io_want_readable(c, true);
    if (!io_emit(c, IO_CONNECTED) || c->state != CONN_OPEN) return;
    /* The first request often comes with the end of the handshake; on a new plain connection a look is an even bet. */
    if (c->ssl == NULL ? c->server : SSL_has_pending(c->ssl) != 0) io_step_read(c);
}

static void step_handshake(struct io_conn *c)
{
    io_clear_errors();
    int n = SSL_do_handshake(c->ssl);
    int error = n == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
        io_fail_tls(c, error);
        return;
    }
    switch (io_push_wire(c)) {
    case IO_FLUSH_FAILED: return;
    case IO_FLUSH_BLOCKED: io_want_writable(c, true); break;
    case IO_FLUSH_DONE: io_want_writable(c, false); break;
    }
    if (error == SSL_ERROR_NONE)
        opened(c);
    else
        io_want_readable(c, true);
}

static void step_connected(struct io_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    io_want_writable(c, false);
    if (error != 0) {
        io_fail(c, FAIL(ERROR_IO, error), "connect failed");
        return;
    }
    c->state = CONN_HANDSHAKE;
    if (c->ssl != NULL)
        step_handshake(c);
    else
        opened(c);
}

/* Bytes that nobody reads keep the kernel from a reset, which could overtake our last bytes on their way. */
static void step_linger(struct io_conn *c)
{
    for (int i = 0; i < 8; i++) {
        ssize_t n = recv(c->fd, c->loop->scratch, IO_SCRATCH, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        c->lingered += n > 0 ? (size_t)n : 0;
        if (n <= 0 || c->lingered > LINGER_BYTES) {
            io_free(c);
            return;
        }
    }
}

static enum io_flush say_goodbye(struct io_conn *c)
{
    if (c->ssl == NULL) return IO_FLUSH_DONE;
    io_clear_errors();
    /* A second call would read. */
    if ((SSL_get_shutdown(c->ssl) & SSL_SENT_SHUTDOWN) == 0) (void)SSL_shutdown(c->ssl);
    return io_push_wire(c);
}

static void start_linger(struct io_conn *c)
{
    c->state = CONN_LINGER;
    io_want_writable(c, false);
    if (c->ended || shutdown(c->fd, SHUT_WR) != 0) {
        io_free(c);
        return;
    }
    io_set_deadline(c, LINGER_MS);
    io_want_readable(c, true);
}

/* The queue, then close_notify, then FIN. Called until nothing blocks. */
static void step_flush(struct io_conn *c)
{
    enum io_flush f = io_flush_out(c);
    if (f == IO_FLUSH_DONE) f = say_goodbye(c);
    switch (f) {
    case IO_FLUSH_DONE: start_linger(c); break;
    case IO_FLUSH_BLOCKED: io_want_writable(c, true); break;
    case IO_FLUSH_FAILED: io_free(c); break;
    }
}

static void step_send(struct io_conn *c)
{
    switch (io_flush_out(c)) {
    case IO_FLUSH_BLOCKED:
    case IO_FLUSH_FAILED: return;
    case IO_FLUSH_DONE: break;
    }
    io_want_writable(c, false);
    bool owed = c->pending;
    io_send_release(c);
    if (owed) io_emit(c, IO_DRAINED);
}

/* ---- entries from the loop ------------------------------------------------------------------------------------ */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct io_conn *c = arg;
    (void)fd, (void)what;
    enter(c);
    switch (c->state) {
    case CONN_CONNECTING:
    case CONN_FLUSHING: io_want_readable(c, false); break;
    case CONN_HANDSHAKE: step_handshake(c); break;
    case CONN_OPEN: io_step_read(c); break;
    case CONN_LINGER: step_linger(c); break;
    }
    leave(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct io_conn *c = arg;
    (void)fd, (void)what;
    enter(c);
    switch (c->state) {
    case CONN_CONNECTING: step_connected(c); break;
    case CONN_HANDSHAKE: step_handshake(c); break;
    case CONN_OPEN: step_send(c); break;
    case CONN_FLUSHING: step_flush(c); break;
    case CONN_LINGER: io_want_writable(c, false); break;
    }
    leave(c);
}

static void on_deadline(void *arg)
{
    struct io_conn *c = arg;
    if (c->deadline_us == 0) return;
    if (c->deadline_us > io_now_us()) {
        io_timer_at(&c->timer, c->deadline_us);
        return;
    }
    enter(c);
    c->deadline_us = 0;
    if (c->state == CONN_FLUSHING || c->state == CONN_LINGER)
        io_free(c);
    else
        io_emit(c, IO_TIMEOUT);
    leave(c);
}

static void tell_error(struct io_conn *c)
{
    c->error_due = false;
    c->ended = true;
    io_want_readable(c, false);
    io_want_writable(c, false);
    if (c->run == NULL)
        io_free(c);
    else
        io_emit(c, IO_ERROR);
}

static void run_kicked(struct io_conn *c)
{
    enter(c);
    if (c->error_due)
        tell_error(c);
    else if (c->state == CONN_CONNECTING)
        step_connected(c);
    else if (c->state == CONN_HANDSHAKE && c->connected_due) {
        c->connected_due = false;
        if (c->ssl != NULL)
            step_handshake(c);
        else
            opened(c);
    } else if (c->state == CONN_OPEN)
        io_step_read(c);
    leave(c);
}

/* Those that are kicked meanwhile wait for the next round. */
void io_run_kicked(struct io_loop *l)
{
    struct io_conn *c;
    size_t turns = 0;
    TAILQ_FOREACH(c, &l->kicked, in_kicked) turns++;
    while (turns-- > 0 && (c = TAILQ_FIRST(&l->kicked)) != NULL) {
        TAILQ_REMOVE(&l->kicked, c, in_kicked);
        c->kicked = false;
        run_kicked(c);
    }
}

/* ---- birth ---------------------------------------------------------------------------------------------------- */

static bool attach_tls(struct io_conn *c, SSL *ssl)
{
    if (ssl == NULL) return false;
    c->ssl = ssl;
    BIO *bio = BIO_new(c->loop->bio);
    if (bio == NULL) return false;
    BIO_set_data(bio, c);
    SSL_set_bio(ssl, bio, bio);
    return true;
}

static struct io_conn *make_conn(struct io_loop *l, int fd, io_callback *run, void *arg)
{
    struct io_conn *c = mem_alloc(sizeof *c);
    if (c == NULL) return NULL;
    *c = (struct io_conn){.magic = IO_CONN_MAGIC,
        .loop = l,
        .fd = fd,
        .run = run,
        .arg = arg,
        .cap = INPUT_CAP,
        .error_text = "",
        .peer = {.ss_family = AF_UNSPEC}};
    buf_init(&c->in, c->cap);
    buf_init(&c->out, IO_QUEUE_CAP);
    buf_init(&c->wire, 4 * IO_WIRE_HIGH);
    io_timer_init(&c->timer, l, on_deadline, c);
    ASSERT(event_assign(&c->readable, l->base, fd, EV_READ | EV_PERSIST, on_readable, c) == 0);
    ASSERT(event_assign(&c->writable, l->base, fd, EV_WRITE | EV_PERSIST, on_writable, c) == 0);
    TAILQ_INSERT_TAIL(&l->conns, c, in_loop);
    l->conn_count++;
    return c;
}

struct io_conn *io_accept(struct io_loop *l, int fd, struct io_tls_server *tls, io_callback *run, void *arg)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct io_conn *c = make_conn(l, fd, run, arg);
    if (c == NULL) {
        close(fd);
        return NULL;
    }
    socklen_t len = sizeof c->peer;
    if (getpeername(fd, (struct sockaddr *)&c->peer, &len) != 0) c->peer.ss_family = AF_UNSPEC;
    c->server = true;
    c->state = CONN_HANDSHAKE;
    if (tls != NULL && !attach_tls(c, io_tls_server_session(tls))) {
        io_free(c);
        return NULL;
    }
    c->connected_due = true;
    io_kick(c);
    return c;
}

static int start_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    int one = 1;
    if (to->sa_family != AF_UNIX) (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fault_hit("connect")) return ECONNREFUSED;
    return connect(fd, to, len) == 0 ? 0 : errno;
}

struct io_conn *io_connect(
    struct io_loop *l, const struct sockaddr *to, socklen_t len, struct io_tls_client *tls, io_callback *run, void *arg)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    ASSERT(len <= sizeof(struct sockaddr_storage));
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return NULL;
    struct io_conn *c = make_conn(l, fd, run, arg);
    if (c == NULL) {
        close(fd);
        return NULL;
    }
    memcpy(&c->peer, to, len);
    if (tls != NULL && !attach_tls(c, io_tls_client_session(tls))) {
        io_free(c);
        return NULL;
    }
    int error = start_connect(fd, to, len);
    if (error == EINPROGRESS)
        io_want_writable(c, true);
    else if (error == 0)
        io_kick(c);
    else
        io_fail(c, FAIL(ERROR_IO, error), "connect failed");
    return c;
}

void io_set_callback(struct io_conn *c, io_callback *run, void *arg)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(run != NULL && !c->dead);
    c->run = run;
    c->arg = arg;
}

void io_set_deadline(struct io_conn *c, uint64_t ms)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead);
    c->deadline_us = ms == 0 ? 0 : io_now_us() + ms * 1000;
    /* A timer that comes too early looks again: moving a deadline back, which happens at each request, costs nothing.
     */
    if (ms != 0 && (!c->timer.armed || c->timer.due_us > c->deadline_us)) io_timer_at(&c->timer, c->deadline_us);
}

uint64_t io_time_left_ms(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    uint64_t now = io_now_us();
    return c->deadline_us > now ? (c->deadline_us - now) / 1000 : 0;
}

/* ---- end ------------------------------------------------------------------------------------------------------ */

static void discard(struct io_conn *c)
{
    ASSERT(!c->dead);
    event_del(&c->readable);
    event_del(&c->writable);
    io_timer_clear(&c->timer);
    if (c->kicked) TAILQ_REMOVE(&c->loop->kicked, c, in_kicked);
    TAILQ_REMOVE(&c->loop->conns, c, in_loop);
    c->loop->conn_count--;
    SSL_free(c->ssl);
    close(c->fd);
    io_forget_unread(c);
    buf_free(&c->in);
    buf_free(&c->out);
    buf_free(&c->wire);
    io_send_release(c);
    c->ssl = NULL;
    c->run = NULL;
    c->dead = true;
    enter(c);
    leave(c);
}

void io_free(struct io_conn *c)
{
    if (c == NULL) return;
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    if (c->state == CONN_OPEN && c->ssl != NULL && c->error.class == ERROR_NONE && !c->pending) (void)say_goodbye(c);
    discard(c);
}

void io_abort(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    discard(c);
}

void io_finish(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead && !c->pending);
    if (c->state != CONN_OPEN || c->error.class != ERROR_NONE) {
        io_free(c);
        return;
    }
    c->state = CONN_FLUSHING;
    c->run = NULL;
    io_set_deadline(c, FLUSH_MS);
    enter(c);
    step_flush(c);
    leave(c);
}

void io_break(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    if (c->ssl != NULL) SSL_set_quiet_shutdown(c->ssl, 1);
    io_finish(c);
}

/* ---- what there is to know ------------------------------------------------------------------------------------ */

result io_error(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    return c->error;
}

const char *io_error_text(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    return c->error_text;
}

int io_fd(const struct io_conn *c)
{
    return c->fd;
}
const struct sockaddr_storage *io_peer_address(const struct io_conn *c)
{
    return &c->peer;
}
bool io_is_tls(const struct io_conn *c)
{
    return c->ssl != NULL;
}
uint64_t io_bytes_sent(const struct io_conn *c)
{
    return c->sent;
}
uint64_t io_bytes_received(const struct io_conn *c)
{
    return c->received;
}

X509 *io_peer_certificate(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    if (c->ssl == NULL || SSL_get_verify_result(c->ssl) != X509_V_OK) return NULL;
    return SSL_get0_peer_certificate(c->ssl);
}

int io_tls_version(const struct io_conn *c)
{
    return c->ssl != NULL ? SSL_version(c->ssl) : 0;
}
bool io_tls_resumed(const struct io_conn *c)
{
    return c->ssl != NULL && SSL_session_reused(c->ssl) == 1;
}
