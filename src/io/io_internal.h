/* Private to io: what a loop and a connection are made of.
 *
 *   CONNECTING ──► HANDSHAKE ──► OPEN ──io_finish──► FLUSHING ──► LINGER ──► gone
 *        └──────(plain)───────────┘└── io_free, io_abort from any state ──────┘
 */
#ifndef GATE1367_IO_INTERNAL_H
#define GATE1367_IO_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/queue.h>

#include "io/io.h"

#define IO_LOOP_MAGIC 0x696f6c70u
#define IO_CONN_MAGIC 0x696f636eu

/* How much sealed data leaves in one system call: each wakes the other side and has the kernel look after its queues. */
#define IO_WIRE_HIGH (8 * IO_RECORD)
#define IO_QUEUE_CAP (256 * 1024)
#define IO_SCRATCH (64 * 1024)

struct io_loop {
    uint32_t magic;
    struct event_base *base;
    int tick_fd;           /* readable once the earliest timer is due (io_timer.c) */
    uint64_t tick_us;      /* what it is set for; 0: not set */
    struct event *tick;    /* watches it */
    struct io_timer *root; /* pairing heap */
    struct event *limit;   /* ends io_loop_once */
    struct event *kick;    /* runs what must be told outside of the caller's frame */
    TAILQ_HEAD(conn_list, io_conn) conns;
    TAILQ_HEAD(kicked_list, io_conn) kicked;
    size_t conn_count;
    uint64_t unread, unread_most; /* of accepted connections; 0: no bound */
    BIO_METHOD *bio;
    struct buf wire;  /* sealed records of the connection that is sending right now */
    uint8_t *scratch; /* IO_SCRATCH bytes: where reads land before their size is known */
    uint8_t *record;  /* IO_RECORD bytes: where small pieces are gathered */
};

/* The record of a handshake that is on its way. */
struct io_hello {
    uint8_t head[9]; /* its own head, and that of the message in it */
    uint8_t got;
    bool done;
    size_t skip;
    size_t left; /* of a hello, in records to come */
};

enum conn_state { CONN_CONNECTING, CONN_HANDSHAKE, CONN_OPEN, CONN_FLUSHING, CONN_LINGER };

struct io_conn {
    uint32_t magic;
    enum conn_state state;
    struct io_loop *loop;
    TAILQ_ENTRY(io_conn) in_loop, in_kicked;
    io_callback *run;
    void *arg;
    SSL *ssl;
    int fd;
    int sys_error;  /* errno of the last failed call under OpenSSL */
    unsigned depth; /* frames that still use this object */
    bool dead;      /* freed by its owner; memory goes with the last frame */
    bool server;
    bool kicked, connected_due, error_due;
    bool readable_on, writable_on;
    bool paused, full;
    bool ended;                       /* END, TRUNCATED or ERROR: nothing is read any more */
    bool tcp_eof;                     /* the kernel said so */
    bool bulk;                        /* reads come back full: read straight into the input buffer */
    bool lends;                       /* the owner copies what he takes */
    bool placed;                      /* what is lent stands in the owner's own memory */
    bool pending;                     /* a send is in flight, DRAINED is owed */
    bool read_skipped, write_skipped; /* EAGAIN-first mode: this attempt was made to fail already */
    struct event readable, writable;
    struct buf in, out, wire;
    span lent; /* of the loop's scratch or the owner's, while READABLE is told; `in` is empty then */
    io_place *place;
    const span *spans; /* of the send under way: the caller's array, or spans_kept */
    span *spans_kept;
    size_t span_count, span_at, span_off;
    struct io_timer timer;
    uint64_t deadline_us;
    uint64_t sent, received;
    size_t cap; /* of the input */
    size_t lingered;
    size_t unread; /* what it counts for in the loop's */
    struct io_hello hello;
    struct sockaddr_storage peer;
    io_record *on_record;
    void *record_arg;
    size_t record_size; /* of the one whose kind is still sealed */
    result error;
    const char *error_text;
};

enum io_flush { IO_FLUSH_DONE, IO_FLUSH_BLOCKED, IO_FLUSH_FAILED };

/* io_conn.c */
void io_kick(struct io_conn *c);
/* Latches the error; the ERROR event comes from the loop. */
void io_fail(struct io_conn *c, result r, const char *text);
/* The same from OpenSSL's error queue and SSL_get_error's answer. */
void io_fail_tls(struct io_conn *c, int ssl_error);
/* False where the callback freed the connection. */
bool io_emit(struct io_conn *c, enum io_event event);
void io_want_readable(struct io_conn *c, bool on);
void io_want_writable(struct io_conn *c, bool on);

/* io_certificate.c: a time of a certificate's in seconds since 1970. False: it is none, and *out stays. */
bool io_seconds_of(const ASN1_TIME *at, int64_t *out);

/* io_send.c: everything queued, then the spans. */
enum io_flush io_flush_out(struct io_conn *c);
/* Only what OpenSSL left to be sent: alerts, handshake messages. */
enum io_flush io_push_wire(struct io_conn *c);
void io_send_release(struct io_conn *c);
BIO_METHOD *io_bio_method(void);

/* io_hello.c: what the client of a handshake has sent next. False: it announces more than anybody needs. */
bool io_hello_fits(struct io_conn *c, const uint8_t *p, size_t n);

/* io_read.c */
/* Of the socket. Negative: not now (errno EAGAIN) or never. Fault points "read_again", "read". */
ssize_t io_receive(struct io_conn *c, void *to, size_t room);
void io_forget_unread(struct io_conn *c);
void io_step_read(struct io_conn *c);
bool io_may_read(const struct io_conn *c);

/* io_ticket.c: sessions, and what of them is resumed. *t is filled, and stays where it is as long as the context. */
struct io_tickets {
    const struct io_tls_judge *judge;
    int64_t seconds;
};
bool io_tickets_use(SSL_CTX *ctx, const struct io_tls_server_options *o, struct io_tickets *t);

/* io_tls.c */
SSL *io_tls_server_session(struct io_tls_server *t);
SSL *io_tls_client_session(struct io_tls_client *t);

/* io_timer.c: the clock behind all timers of a loop, and its end. False: no descriptor or no memory. */
bool io_timers_open(struct io_loop *l);
void io_timers_close(struct io_loop *l);

/* Before a call whose failure SSL_get_error() explains. The queue is nearly always empty, and to clear all its places takes longer
 * than the look. */
static inline void io_clear_errors(void)
{
    if (ERR_peek_error() != 0) ERR_clear_error();
}

/* EAGAIN-first mode (fault points "read_again", "write_again"): each attempt fails once, then gets through, so that a
 * fault that is armed for good still makes progress. */
static inline bool io_again(const char *point, bool *skipped)
{
    *skipped = !*skipped && fault_hit(point);
    return *skipped;
}

#endif
