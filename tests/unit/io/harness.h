/* A loop, a recording callback, and sockets of our own for the other side. */
#ifndef HARNESS_H
#define HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/io.h"

/* What one connection told us. */
struct seen {
    struct io_conn *conn;
    unsigned count[8]; /* by event */
    struct buf data;   /* everything received, when `keep` */
    uint64_t bytes;
    bool keep, echo, lazy; /* lazy: leave the input where it is */
    bool gone;
    int free_at; /* frees the connection when this event comes; -1: never */
    result error;
    char error_text[128];
    int version;
    bool resumed;
    char subject[256]; /* of the peer's certificate, at CONNECTED */
};

void seen_subject(struct seen *s);

static inline void seen_input(struct seen *s)
{
    span in = io_input(s->conn);
    if (s->lazy) return;
    s->bytes += in.len;
    if (s->keep) assert_true(is_ok(buf_append(&s->data, in)));
    if (s->echo && !io_sending_pending(s->conn)) {
        if (!is_ok(io_queue(s->conn, in))) return;
        (void)io_send(s->conn, NULL, 0);
    }
    io_consume(s->conn, in.len);
}

static inline void record(struct io_conn *c, enum io_event event, void *arg)
{
    struct seen *s = arg;
    s->conn = c;
    s->count[event]++;
    if (event == IO_CONNECTED) seen_subject(s);
    if (event == IO_ERROR) {
        s->error = io_error(c);
        snprintf(s->error_text, sizeof s->error_text, "%s", io_error_text(c));
    }
    if (s->free_at == (int)event) {
        io_free(c);
        s->gone = true;
        s->conn = NULL;
        return;
    }
    if (event == IO_READABLE) seen_input(s);
}

static inline void seen_init(struct seen *s)
{
    *s = (struct seen){.free_at = -1};
    buf_init(&s->data, 64 << 20);
}

static inline void seen_done(struct seen *s)
{
    if (!s->gone) io_free(s->conn);
    buf_free(&s->data);
}

/* Runs rounds until the condition holds; fails after half a minute, for the machine may be busy with others meanwhile. */
#define RUN_UNTIL(loop, condition)                                                                                     \
    do {                                                                                                               \
        uint64_t until_ = io_now_ms() + 30000;                                                                         \
        while (!(condition)) {                                                                                         \
            assert_true(is_ok(io_loop_once((loop), 10)));                                                              \
            if (io_now_ms() > until_) fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #condition);                    \
        }                                                                                                              \
    } while (0)

static inline void run_for(struct io_loop *l, unsigned ms)
{
    for (uint64_t until = io_now_ms() + ms; io_now_ms() < until;)
        assert_true(is_ok(io_loop_once(l, 5)));
}

static inline int listen_loopback(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *at;
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

static inline void make_pair(int out[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out), 0);
}

#endif
