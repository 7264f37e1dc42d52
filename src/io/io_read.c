/* Reading. A small read lands in the loop's scratch first and is stored at its size, so that an idle connection holds
 * no input buffer; when reads come back full, they go straight into the connection's own. Who asked for it is lent the
 * scratch instead, and only what he leaves of it is stored; or he names a place of his own, and nothing is ever copied. */
#include <errno.h>
#include <openssl/err.h>

#include "io/io_internal.h"

enum fill { FILL_MORE, FILL_SOME, FILL_AGAIN, FILL_END, FILL_TRUNCATED, FILL_FAILED };
/* Turns a connection gets before others do. */
#define READ_TURNS 8
/* Read into an owner's place at once, and for an owner who is told after each read. */
#define IO_PLACE_MOST (256 * 1024)

bool io_may_read(const struct io_conn *c)
{
    return c->state == CONN_OPEN && !c->paused && !c->full && !c->ended && c->error.class == ERROR_NONE;
}

ssize_t io_receive(struct io_conn *c, void *to, size_t room)
{
    if (io_again("read_again", &c->read_skipped)) {
        errno = EAGAIN;
        return -1;
    }
    if (fault_hit("read")) {
        errno = ECONNRESET;
        return -1;
    }
    return recv(c->fd, to, room, 0);
}

static enum fill fill_plain(struct io_conn *c, uint8_t *to, size_t room, size_t *got)
{
    ssize_t n = io_receive(c, to, room);
    if (n > 0) {
        *got = (size_t)n;
        return *got == room ? FILL_MORE : FILL_SOME;
    }
    if (n == 0) return FILL_END;
    if (errno == EAGAIN || errno == EINTR) return FILL_AGAIN;
    io_fail(c, FAIL(ERROR_IO, errno), "read failed");
    return FILL_FAILED;
}

static bool is_truncation(const struct io_conn *c, int ssl_error)
{
    if (!c->tcp_eof) return false;
    return ssl_error == SSL_ERROR_SYSCALL || ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static enum fill fill_tls(struct io_conn *c, uint8_t *to, size_t room, size_t *got)
{
    io_clear_errors();
    int n = SSL_read(c->ssl, to, (int)room);
    if (n > 0) {
        *got = (size_t)n;
        return SSL_has_pending(c->ssl) ? FILL_MORE : FILL_SOME;
    }
    int error = SSL_get_error(c->ssl, n);
    if (error == SSL_ERROR_WANT_READ) return FILL_AGAIN;
    if (error == SSL_ERROR_ZERO_RETURN) return FILL_END;
    if (is_truncation(c, error)) return FILL_TRUNCATED;
    io_fail_tls(c, error);
    return FILL_FAILED;
}

static enum fill fill_into(struct io_conn *c, uint8_t *to, size_t room, size_t *got)
{
    return c->ssl != NULL ? fill_tls(c, to, room, got) : fill_plain(c, to, room, got);
}

static enum fill out_of_memory(struct io_conn *c, result r)
{
    io_fail(c, r, "out of memory");
    return FILL_FAILED;
}

static size_t held(const struct io_conn *c)
{
    return buf_len(&c->in) + c->lent.len;
}

/* What an accepted connection holds is counted with all others' of the loop. LIMIT: it is too much. */
static RESULT count_unread(struct io_conn *c)
{
    struct io_loop *l = c->loop;
    if (!c->server) return OK;
    l->unread += c->in.size - c->unread;
    c->unread = c->in.size;
    REQUIRE(l->unread_most == 0 || l->unread <= l->unread_most, ERROR_LIMIT, ENOBUFS);
    return OK;
}

void io_forget_unread(struct io_conn *c)
{
    c->loop->unread -= c->unread;
    c->unread = 0;
}

uint64_t io_unread(const struct io_loop *l)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    return l->unread;
}

void io_bound_input(struct io_loop *l, uint64_t bytes)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    l->unread_most = bytes;
}

static RESULT store(struct io_conn *c, size_t n)
{
    result r = buf_append(&c->in, span_of(c->loop->scratch, n));
    mem_wipe(c->loop->scratch, n); /* somebody's life is in it, and the scratch stays */
    TRY(r);
    return count_unread(c);
}

/* Where the next read goes to. */
enum way { WAY_STORE, WAY_STRAIGHT, WAY_LEND, WAY_PLACE };
struct way_in {
    enum way way;
    uint8_t *to;
    size_t room;
};

static bool ask_owner(const struct io_conn *c, struct way_in *w)
{
    size_t most = 0;
    uint8_t *place = c->place != NULL ? c->place(c->arg, &most) : NULL;
    if (place != NULL) {
        ASSERT(most > 0);
        *w = (struct way_in){WAY_PLACE, place, most};
        return true;
    }
    if (most > 0 && most < w->room) w->room = most;
    w->way = WAY_LEND;
    return false;
}

static RESULT find_way(struct io_conn *c, struct way_in *w)
{
    size_t most = c->ssl != NULL ? IO_RECORD : IO_SCRATCH, room = c->cap - buf_len(&c->in);
    *w = (struct way_in){WAY_STORE, c->loop->scratch, room < most ? room : most};
    if (c->lends && buf_len(&c->in) == 0 && ask_owner(c, w) && w->room > IO_PLACE_MOST) w->room = IO_PLACE_MOST;
    if (w->way != WAY_STORE || !c->bulk) return OK;
    w->way = WAY_STRAIGHT;
    return buf_reserve(&c->in, w->room, &w->to);
}

/* One read. */
static enum fill fill_once(struct io_conn *c, const struct way_in *w)
{
    size_t got = 0;
    enum fill f = fill_into(c, w->to, w->room, &got);
    result r = OK;
    switch (w->way) {
    case WAY_STORE:
        if (got > 0) r = store(c, got);
        break;
    case WAY_STRAIGHT:
        buf_commit(&c->in, got);
        r = count_unread(c);
        break;
    case WAY_LEND:
    case WAY_PLACE: c->lent = span_of(w->to, got); break;
    }
    if (!is_ok(r)) return out_of_memory(c, r);
    c->placed = w->way == WAY_PLACE;
    c->bulk = f == FILL_MORE && (w->way == WAY_STORE || w->way == WAY_STRAIGHT);
    c->received += got;
    c->full = !c->placed && held(c) >= c->cap;
    return f;
}

/* The scratch is wanted back, whatever the owner did meanwhile. What stands in memory of his own may be gone by now: he has
 * taken all of it, or given up the connection. */
static void take_back(struct io_conn *c, size_t lent)
{
    span left = c->lent;
    c->lent = span_of(NULL, 0);
    ASSERT(!c->placed || left.len == 0 || c->dead);
    if (c->placed) return;
    result r = OK;
    if (left.len > 0 && !c->dead) r = buf_append(&c->in, left);
    if (left.len > 0 && !c->dead && is_ok(r)) r = count_unread(c);
    mem_wipe(c->loop->scratch, lent);
    if (!is_ok(r)) io_fail(c, r, "out of memory");
}

/* OpenSSL may have had to answer (a key update, an alert). */
static void push_answers(struct io_conn *c)
{
    if (c->ssl != NULL && io_push_wire(c) == IO_FLUSH_BLOCKED) io_want_writable(c, true);
}

/* Up to a read that is lent: its owner sees it before the next one. */
static enum fill fill_turns(struct io_conn *c, bool *got)
{
    enum fill f = FILL_AGAIN;
    for (int i = 0; i < READ_TURNS && !c->full; i++) {
        struct way_in w;
        result r = find_way(c, &w);
        if (!is_ok(r)) return out_of_memory(c, r);
        f = fill_once(c, &w);
        *got |= f == FILL_MORE || f == FILL_SOME;
        if (f != FILL_MORE || c->lent.len > 0) break;
    }
    return f;
}

static void drop_empty_input(struct io_conn *c)
{
    if (c->bulk || c->in.size == 0 || buf_len(&c->in) > 0) return;
    buf_free(&c->in);
    buf_init(&c->in, c->cap);
    io_forget_unread(c);
}

static void end_input(struct io_conn *c, enum io_event event)
{
    c->ended = true;
    io_want_readable(c, false);
    io_emit(c, event);
}

static void after_fill(struct io_conn *c, enum fill f)
{
    switch (f) {
    case FILL_END: end_input(c, IO_END); break;
    case FILL_TRUNCATED: end_input(c, IO_TRUNCATED); break;
    case FILL_MORE:
        if (io_may_read(c)) io_kick(c);
        break;
    case FILL_SOME:
    case FILL_AGAIN:
    case FILL_FAILED: break;
    }
}

/* False: the callback has freed or finished it. */
static bool read_and_tell(struct io_conn *c, enum fill *f)
{
    bool got = false;
    *f = fill_turns(c, &got);
    push_answers(c);
    size_t lent = c->lent.len;
    bool alive = !got || io_emit(c, IO_READABLE);
    if (lent > 0) take_back(c, lent);
    if (!alive || c->state != CONN_OPEN) return false;
    drop_empty_input(c);
    return true;
}

/* A body that fills the place it is read to is whole or waits in the kernel: no look whether there is more. What OpenSSL
 * holds nobody would wake us for. */
static bool is_worth_a_look(struct io_conn *c)
{
    size_t n = 0;
    return c->ssl != NULL || !c->placed || c->place(c->arg, &n) != NULL;
}

void io_step_read(struct io_conn *c)
{
    enum fill f = FILL_MORE;
    for (uint64_t until = c->received + IO_PLACE_MOST; f == FILL_MORE && c->received < until;) {
        /* Interest is withdrawn here, where it is in the way, and not when reading is paused: most pauses end before
         * anything comes. */
        if (!io_may_read(c)) {
            io_want_readable(c, false);
            return;
        }
        if (!read_and_tell(c, &f)) return;
        if (!c->lends) break;
        if (f == FILL_MORE && !is_worth_a_look(c)) f = FILL_SOME;
    }
    after_fill(c, f);
}

/* Reading may go on: on the socket, and over what OpenSSL has already taken from it. */
static void restart(struct io_conn *c)
{
    if (!io_may_read(c)) return;
    io_want_readable(c, true);
    if (c->bulk || (c->ssl != NULL && SSL_has_pending(c->ssl))) io_kick(c);
}

span io_input(const struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    return c->lent.len > 0 ? c->lent : buf_span(&c->in);
}

void io_lend_input(struct io_conn *c, io_place *place)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    c->lends = true;
    c->place = place;
}

void io_consume(struct io_conn *c, size_t n)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead);
    if (c->lent.len > 0) {
        ASSERT(n <= c->lent.len);
        c->lent = span_from(c->lent, n);
    } else {
        buf_consume(&c->in, n);
    }
    if (c->full && held(c) <= c->cap / 2) {
        c->full = false;
        restart(c);
    }
}

bool io_is_silent(const struct io_conn *c)
{
    char one;
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    if (held(c) > 0 || c->ended || (c->ssl != NULL && SSL_has_pending(c->ssl))) return false;
    return recv(c->fd, &one, 1, MSG_PEEK) < 0 && (errno == EAGAIN || errno == EINTR);
}

void io_set_input_cap(struct io_conn *c, size_t cap)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead);
    c->cap = cap < 1024 ? 1024 : cap;
    c->in.cap = c->cap;
    bool was_full = c->full;
    c->full = held(c) >= c->cap;
    if (was_full && !c->full) restart(c);
}

void io_read_pause(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    c->paused = true;
}

void io_read_resume(struct io_conn *c)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    ASSERT(!c->dead);
    if (!c->paused) return;
    c->paused = false;
    restart(c);
}
