/* Sending. Plain bytes go from the queue and the caller's spans in one system call; over TLS they are sealed into the wire
 * buffer, as many records a system call as IO_WIRE_HIGH holds. OpenSSL writes into that buffer and never to the socket, so that it never
 * has to be asked again for the same bytes, and a closed peer raises no SIGPIPE. */
#include <errno.h>

#include "io/io_internal.h"

/* ---- what OpenSSL believes to be the socket ------------------------------------------------------------------- */

static int bio_read(BIO *b, char *out, int len)
{
    struct io_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t n = io_receive(c, out, (size_t)len);
    if (n > 0 && c->server && c->state == CONN_HANDSHAKE && !io_hello_fits(c, (const uint8_t *)out, (size_t)n)) {
        n = -1;
        errno = EMSGSIZE;
    }
    if (n >= 0) {
        c->tcp_eof = n == 0;
        return (int)n;
    }
    c->sys_error = errno;
    if (errno == EAGAIN || errno == EINTR) BIO_set_retry_read(b);
    return -1;
}

/* Records go behind what of this connection is still unsent. */
static int bio_write(BIO *b, const char *data, int len)
{
    struct io_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    struct buf *to = buf_len(&c->wire) > 0 ? &c->wire : &c->loop->wire;
    if (is_ok(buf_append(to, span_of(data, (size_t)len)))) return len;
    c->sys_error = ENOMEM;
    return -1;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    struct io_conn *c = BIO_get_data(b);
    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP: return 1;
    case BIO_CTRL_EOF: return c != NULL && c->tcp_eof;
    default: return 0;
    }
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *io_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "gate1367");
    if (m == NULL) return NULL;
    if (BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) && BIO_meth_set_ctrl(m, bio_ctrl) &&
        BIO_meth_set_create(m, bio_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- to the kernel -------------------------------------------------------------------------------------------- */

/* Negative: not now (errno EAGAIN) or never. Fault points: "write_short" takes one byte only. */
static ssize_t send_pieces(struct io_conn *c, struct iovec *iov, size_t n)
{
    if (io_again("write_again", &c->write_skipped)) {
        errno = EAGAIN;
        return -1;
    }
    if (fault_hit("write")) {
        errno = ECONNRESET;
        return -1;
    }
    if (fault_hit("write_short")) {
        n = 1;
        iov[0].iov_len = 1;
    }
    /* The kernel looks at a message's head for longer than it looks at a lone piece. */
    if (n == 1) return send(c->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL);
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
    return sendmsg(c->fd, &m, MSG_NOSIGNAL);
}

static enum io_flush send_failed(struct io_conn *c)
{
    if (errno == EAGAIN || errno == EINTR) return IO_FLUSH_BLOCKED;
    io_fail(c, FAIL(ERROR_IO, errno), "write failed");
    return IO_FLUSH_FAILED;
}

/* Sends one buffer; what the kernel does not take stays in it. */
static enum io_flush push_buffer(struct io_conn *c, struct buf *b)
{
    while (buf_len(b) > 0) {
        span all = buf_span(b);
        struct iovec iov = {.iov_base = (void *)(uintptr_t)all.ptr, .iov_len = all.len};
        ssize_t n = send_pieces(c, &iov, 1);
        if (n < 0) return send_failed(c);
        if ((size_t)n < all.len) {
            buf_consume(b, (size_t)n);
            return IO_FLUSH_BLOCKED;
        }
        buf_forget(b); /* sealed */
    }
    return IO_FLUSH_DONE;
}

/* What is left over belongs to the connection, for the next one is about to use the loop's buffer. */
static enum io_flush keep_rest(struct io_conn *c)
{
    struct buf *shared = &c->loop->wire;
    result r = buf_append(&c->wire, buf_span(shared));
    buf_forget(shared);
    if (is_ok(r)) return IO_FLUSH_BLOCKED;
    io_fail(c, r, "out of memory");
    return IO_FLUSH_FAILED;
}

enum io_flush io_push_wire(struct io_conn *c)
{
    struct buf *shared = &c->loop->wire;
    if (buf_len(&c->wire) > 0) {
        ASSERT(buf_len(shared) == 0);
        enum io_flush own = push_buffer(c, &c->wire);
        if (own == IO_FLUSH_DONE) buf_free(&c->wire), buf_init(&c->wire, 4 * IO_WIRE_HIGH);
        return own;
    }
    enum io_flush f = push_buffer(c, shared);
    if (f == IO_FLUSH_BLOCKED) return keep_rest(c);
    buf_forget(shared);
    return f;
}

/* ---- what is to be sent --------------------------------------------------------------------------------------- */

/* The next contiguous piece: the queue first, then span by span. Empty: nothing left. */
static span next_piece(const struct io_conn *c, size_t index)
{
    if (buf_len(&c->out) > 0 && index-- == 0) return buf_span(&c->out);
    size_t at = c->span_at + index;
    if (at >= c->span_count) return span_of(NULL, 0);
    return span_from(c->spans[at], index == 0 ? c->span_off : 0);
}

/* n bytes from the front have left. */
static void advance(struct io_conn *c, size_t n)
{
    size_t queued = buf_len(&c->out) < n ? buf_len(&c->out) : n;
    c->sent += n;
    buf_consume(&c->out, queued);
    n -= queued;
    while (c->span_at < c->span_count) {
        size_t rest = c->spans[c->span_at].len - c->span_off;
        if (n < rest) {
            c->span_off += n;
            return;
        }
        n -= rest;
        c->span_at++;
        c->span_off = 0;
    }
    ASSERT(n == 0);
}

static bool nothing_left(const struct io_conn *c)
{
    return buf_len(&c->out) == 0 && c->span_at == c->span_count;
}

static size_t gather_iov(const struct io_conn *c, struct iovec *iov, size_t max, size_t *total)
{
    size_t n = 0, count = (buf_len(&c->out) > 0) + (c->span_count - c->span_at);
    *total = 0;
    for (size_t i = 0; i < count && n < max; i++) {
        span s = next_piece(c, i);
        if (s.len == 0) continue;
        iov[n++] = (struct iovec){.iov_base = (void *)(uintptr_t)s.ptr, .iov_len = s.len};
        *total += s.len;
    }
    return n;
}

#define PLAIN_PIECES 64

static enum io_flush flush_plain(struct io_conn *c)
{
    while (!nothing_left(c)) {
        struct iovec iov[PLAIN_PIECES];
        size_t total, n = gather_iov(c, iov, ARRAY_LEN(iov), &total);
        if (n == 0) {
            advance(c, 0);
            break;
        }
        ssize_t sent = send_pieces(c, iov, n);
        if (sent < 0) return send_failed(c);
        advance(c, (size_t)sent);
        if ((size_t)sent < total) return IO_FLUSH_BLOCKED;
    }
    return IO_FLUSH_DONE;
}

#define CACHE_LINE 64

/* What the record after this one is made of, from `off` in piece i on, is fetched while this one is sealed: a body that has
 * waited for its entry to be durable is no longer near the processor. */
static void fetch_ahead(const struct io_conn *c, size_t i, size_t off, size_t count)
{
    for (size_t n = 0; i < count && n < IO_RECORD; i++, off = 0) {
        span s = span_from(next_piece(c, i), off);
        size_t take = s.len < IO_RECORD - n ? s.len : IO_RECORD - n;
        for (size_t at = 0; at < take; at += CACHE_LINE)
            __builtin_prefetch(s.ptr + at);
        n += take;
    }
}

/* What goes into the next record: a large piece as it lies, small ones gathered. */
static span next_record(struct io_conn *c)
{
    span first = next_piece(c, 0);
    if (first.len >= IO_RECORD) return span_sub(first, 0, IO_RECORD);
    size_t n = 0, i = 0, off = 0, count = (buf_len(&c->out) > 0) + (c->span_count - c->span_at);
    while (i < count && n < IO_RECORD) {
        span s = next_piece(c, i);
        off = s.len < IO_RECORD - n ? s.len : IO_RECORD - n;
        if (off > 0) memcpy(c->loop->record + n, s.ptr, off);
        n += off;
        if (off == s.len) i++, off = 0;
    }
    fetch_ahead(c, i, off, count);
    return span_of(c->loop->record, n);
}

static bool seal_record(struct io_conn *c)
{
    span s = next_record(c);
    if (s.len == 0) {
        advance(c, 0);
        return true;
    }
    io_clear_errors();
    int n = SSL_write(c->ssl, s.ptr, (int)s.len);
    if (n <= 0) {
        io_fail_tls(c, SSL_get_error(c->ssl, n));
        return false;
    }
    advance(c, (size_t)n);
    return true;
}

static enum io_flush flush_tls(struct io_conn *c)
{
    enum io_flush f = io_push_wire(c);
    while (f == IO_FLUSH_DONE && !nothing_left(c)) {
        while (!nothing_left(c) && buf_len(&c->loop->wire) < IO_WIRE_HIGH)
            if (!seal_record(c)) {
                buf_forget(&c->loop->wire);
                return IO_FLUSH_FAILED;
            }
        f = io_push_wire(c);
    }
    return f;
}

enum io_flush io_flush_out(struct io_conn *c)
{
    enum io_flush f = c->ssl != NULL ? flush_tls(c) : flush_plain(c);
    if (f == IO_FLUSH_DONE && c->out.size > 0) {
        buf_free(&c->out);
        buf_init(&c->out, IO_QUEUE_CAP);
    }
    return f;
}

/* ---- for the owner -------------------------------------------------------------------------------------------- */

RESULT io_queue(struct io_conn *c, span s)
{
    return buf_append(io_output(c), s);
}

struct buf *io_output(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead && !c->pending);
    return &c->out;
}

void io_send_release(struct io_conn *c)
{
    mem_free(c->spans_kept);
    c->spans = c->spans_kept = NULL;
    c->span_count = c->span_at = c->span_off = 0;
    c->pending = false;
}

/* The array belongs to the caller's frame: what is left of it is copied before that ends. */
static bool keep_spans(struct io_conn *c)
{
    size_t left = c->span_count - c->span_at;
    if (left == 0) {
        c->spans = NULL;
        c->span_count = c->span_at = 0;
        return true;
    }
    c->spans_kept = mem_copy(c->spans + c->span_at, left * sizeof(span));
    if (c->spans_kept == NULL) return false;
    c->spans = c->spans_kept;
    c->span_count = left;
    c->span_at = 0;
    return true;
}

static enum io_sending send_blocked(struct io_conn *c)
{
    if (!keep_spans(c)) {
        io_fail(c, FAIL(ERROR_LIMIT, ENOMEM), "out of memory");
        io_send_release(c);
        return IO_FAILED;
    }
    c->pending = true;
    io_want_writable(c, true);
    return IO_PENDING;
}

enum io_sending io_send(struct io_conn *c, const span *spans, size_t n)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead && !c->pending && c->state == CONN_OPEN && n <= IO_SEND_MAX);
    if (c->error.class != ERROR_NONE) return IO_FAILED;
    c->spans = spans;
    c->span_count = n;
    c->span_at = c->span_off = 0;
    switch (io_flush_out(c)) {
    case IO_FLUSH_DONE: io_send_release(c); return IO_SENT;
    case IO_FLUSH_BLOCKED: return send_blocked(c);
    case IO_FLUSH_FAILED: break;
    }
    io_send_release(c);
    return IO_FAILED;
}

uint64_t io_unsent(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    return c->out.size + c->wire.size;
}

bool io_sending_pending(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    return c->pending;
}
