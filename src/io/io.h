/* io: non-blocking connections, with or without TLS, over libevent's plain events and OpenSSL on a BIO of our own.
 * One callback, a handful of events. One thread, one loop. Freeing from inside a callback is safe by construction: the
 * object stays until the outermost callback frame has returned.
 *
 * Back-pressure is one sentence: one send is in flight, wait to be told DRAINED; reading stops by itself while the
 * input buffer is full, or from io_read_pause to io_read_resume. EOF without close_notify is TRUNCATED, never END.
 *
 * Fault points: "accept", "connect", "read", "write" fail (EMFILE, ECONNREFUSED, ECONNRESET); "read_again" and
 * "write_again" say EAGAIN once and then get through, even when armed for good; "write_short" takes one byte. */
#ifndef GATE1367_IO_H
#define GATE1367_IO_H

#include <netinet/in.h>
#include <openssl/types.h>
#include <sys/socket.h>

#include "base/base.h"

struct event_base;

/* ---- loop ----------------------------------------------------------------------------------------------------- */

struct io_loop;
/* NULL: out of memory or no epoll. */
struct io_loop *io_loop_new(void);
/* Everything made on it must be freed before; connections that are being finished are cut off. */
void io_loop_free(struct io_loop *l);
/* Runs until io_loop_stop. */
RESULT io_loop_run(struct io_loop *l);
/* One round: waits for events (at most wait_ms; 0 polls) and runs their callbacks. */
RESULT io_loop_once(struct io_loop *l, unsigned wait_ms);
void io_loop_stop(struct io_loop *l);
/* CLOCK_MONOTONIC in microseconds and milliseconds. Costs no system call on the machines that we run on. */
uint64_t io_now_us(void);
uint64_t io_now_ms(void);
/* For signals and what else is not here. Borrowed. */
struct event_base *io_loop_base(struct io_loop *l);
/* Connections alive on this loop, those that are being finished too. */
size_t io_loop_connections(const struct io_loop *l);

/* ---- timers and watches --------------------------------------------------------------------------------------- */

/* A one-shot timer. Zero-initialised memory inside the caller's struct; io_timer_init once, io_timer_clear before the
 * memory goes. Re-arming or clearing from inside its callback is fine. */
struct io_timer {
    struct io_loop *loop;
    void (*run)(void *arg);
    void *arg;
    struct io_timer *left, *right, *up; /* pairing heap of the loop */
    uint64_t due_us;
    bool armed;
};
void io_timer_init(struct io_timer *t, struct io_loop *l, void (*run)(void *arg), void *arg);
void io_timer_at(struct io_timer *t, uint64_t due_us); /* on the clock of io_now_us; in the past: next round */
void io_timer_after(struct io_timer *t, uint64_t ms);
void io_timer_clear(struct io_timer *t);

/* Calls run while fd is readable (eventfds, pipes, Unix sockets). The fd stays the caller's. NULL: out of memory. */
struct io_watch;
struct io_watch *io_watch_new(struct io_loop *l, int fd, void (*run)(int fd, void *arg), void *arg);
void io_watch_free(struct io_watch *w); /* NULL is fine; also from inside its callback */
/* The same for an eventfd that nobody empties: run once for each time that it was written to, or several. */
struct io_watch *io_watch_edges(struct io_loop *l, int fd, void (*run)(int fd, void *arg), void *arg);

/* Work of the loop itself: runs once after io_task_due, either before all else that is ready, as soon as the callback that runs has
 * returned (it costs a look at the kernel), or when nothing is ready any more and the loop is about to wait. Due again from inside its callback: the next time. */
enum io_task_when { IO_AT_ONCE, IO_BEFORE_WAIT };
struct io_task;
struct io_task *io_task_new(struct io_loop *l, enum io_task_when when, void (*run)(void *arg), void *arg); /* NULL: memory */
void io_task_due(struct io_task *t);
void io_task_free(struct io_task *t); /* NULL is fine */

/* ---- TLS ------------------------------------------------------------------------------------------------------ */

#define IO_TICKET_KEYS_SIZE 80
enum io_client_certificate { IO_CERTIFICATE_NONE, IO_CERTIFICATE_OPTIONAL, IO_CERTIFICATE_REQUIRED };

/* Asked last about a client's chain, leaf first, that leads to client_ca; false: the handshake fails as for any that does
 * not. A session that is resumed has no chain: one that began under another version is only where `knows` says that for
 * this leaf any chain will do. Its client is in a handshake in full else. */
struct stack_st_X509; /* STACK_OF(X509) of OpenSSL */
struct x509_st;       /* X509 */
struct io_tls_judge {
    bool (*run)(void *arg, const struct stack_st_X509 *chain);
    bool (*knows)(void *arg, const struct x509_st *leaf);
    void *arg;
    uint8_t version[32]; /* a digest of what it judges by */
};

/* PEM texts; read during the call only. Borrowed. */
struct io_tls_server_options {
    span certificate; /* leaf first, then its chain */
    span key;         /* no passphrase */
    span client_ca;   /* one or more CA certificates; empty only with IO_CERTIFICATE_NONE */
    enum io_client_certificate client_certificate;
    /* Secret shared by all workers that are to resume each other's sessions; NULL: none is resumed. The keys in use are
     * derived from it and from the session-id context (a hash of client_ca, mode, certificate), so that a ticket made
     * under other settings is worth nothing. */
    const uint8_t *ticket_keys;
    unsigned session_seconds; /* from a handshake in full to the last that resumes it, however often; 0: 3600 */
    const struct io_tls_judge *judge; /* NULL: nobody; outlives the server's last handshake */
};
/* When the first of the certificates in the PEM ends, in seconds since 1970. False: none can be read. */
bool io_certificate_end(span pem, int64_t *end);
struct io_tls_server;
/* TLS 1.2 and 1.3, AEAD suites, no renegotiation, compression or 0-RTT. CONFIG where a PEM does not load or key and
 * certificate differ; `why` (size bytes) then holds the reason, without secrets. */
RESULT io_tls_server_new(const struct io_tls_server_options *o, struct io_tls_server **out, char *why, size_t size);
/* Connections keep what they need. */
void io_tls_server_free(struct io_tls_server *t);

struct io_tls_client_options {
    span ca;               /* PEM; empty: the system's store */
    span certificate, key; /* PEM; empty: none */
    const char *name;      /* host name or IP address that the peer's certificate must be for; required, copied */
};
struct io_tls_client;
RESULT io_tls_client_new(const struct io_tls_client_options *o, struct io_tls_client **out, char *why, size_t size);
void io_tls_client_free(struct io_tls_client *t);

/* ---- connections ---------------------------------------------------------------------------------------------- */

struct io_conn;

enum io_event {
    IO_CONNECTED, /* TCP, and with TLS the handshake, is done (accepted plain connections: first event too) */
    IO_READABLE,  /* io_input has more bytes than before */
    IO_DRAINED,   /* what io_send called PENDING has left */
    IO_END,       /* the peer ended in good order: FIN, or over TLS close_notify. Sending is still possible */
    IO_TRUNCATED, /* TLS only: the connection ended without close_notify */
    IO_ERROR,     /* anything else; io_error says what. Nothing more comes but what io_input holds */
    IO_TIMEOUT,   /* the deadline passed; it is cleared, the connection stands */
};
/* Called from the loop only, never from inside a call of this header. After END, TRUNCATED or ERROR no READABLE
 * comes. */
typedef void io_callback(struct io_conn *c, enum io_event event, void *arg);

/* Takes over an accepted socket (closed on failure too). tls NULL: plain. NULL: out of memory. */
struct io_conn *io_accept(struct io_loop *l, int fd, struct io_tls_server *tls, io_callback *run, void *arg);
/* Connects (non-blocking). A connection refused at once is an ERROR event later. NULL: out of memory or descriptors. */
struct io_conn *io_connect(struct io_loop *l, const struct sockaddr *to, socklen_t len, struct io_tls_client *tls,
                           io_callback *run, void *arg);
/* Hands the connection to another owner. */
void io_set_callback(struct io_conn *c, io_callback *run, void *arg);

/* Bytes received and not yet consumed; consume them with io_consume, which also restarts reading where it had stopped
 * at the cap. */
span io_input(const struct io_conn *c);
void io_consume(struct io_conn *c, size_t n);
/* Most bytes that io_input may hold (default 64 KiB; at least 1 KiB). */
void io_set_input_cap(struct io_conn *c, size_t cap);
/* For an owner who copies what he takes: during READABLE io_input may stand in memory that is not the connection's, and
 * moves when the callback returns. No send of these bytes may be under way then.
 *
 * `place` (NULL: none) is asked before each read while io_input is empty, with callback's arg: where the owner wants the
 * bytes himself, at most *n of them, all of which he consumes during READABLE unless he frees the connection; or NULL:
 * as ever, and at most *n, if that is not 0. */
typedef uint8_t *io_place(void *arg, size_t *n);
void io_lend_input(struct io_conn *c, io_place *place);
/* What accepted connections hold unread. */
uint64_t io_unread(const struct io_loop *l);
/* Most bytes that accepted connections may hold unread, all of the loop together: who goes over it is broken off (LIMIT). 0: no
 * bound. */
void io_bound_input(struct io_loop *l, uint64_t bytes);
void io_read_pause(struct io_conn *c);
void io_read_resume(struct io_conn *c);

enum io_sending {
    IO_SENT,    /* all of it has gone to the kernel: no DRAINED will come, the memory is yours */
    IO_PENDING, /* keep the memory until DRAINED (or until io_free, io_abort) */
    IO_FAILED,  /* latched; an ERROR event follows */
};
/* Copies into the output queue, sends nothing yet. Small things: heads. LIMIT over 256 KiB or out of memory. Not while
 * a send is PENDING. */
RESULT io_queue(struct io_conn *c, span s);
/* Where to write into the queue directly (writers of http take a struct buf). Same rules. */
struct buf *io_output(struct io_conn *c);
/* Sends what is queued, then these spans, tried at once; the array is copied, the bytes are not. Small pieces leave in
 * one record of at most IO_RECORD bytes, or one writev. n ≤ IO_SEND_MAX; 0 flushes. One send in flight: not while one is
 * PENDING. The last record holds what is left over: give multiples of IO_RECORD, queue included, where the sizes of
 * records must not tell how the bytes were handed over. */
#define IO_SEND_MAX 1024
#define IO_RECORD 16384
enum io_sending io_send(struct io_conn *c, const span *spans, size_t n);
bool io_sending_pending(const struct io_conn *c);
/* Bytes of memory that hold what has not left yet, the caller's spans not among them. */
uint64_t io_unsent(const struct io_conn *c);

/* TIMEOUT in ms from now; 0: none. Replaces the earlier one; costs a comparison. */
void io_set_deadline(struct io_conn *c, uint64_t ms);

/* Until the deadline; 0: there is none, or it is due. */
uint64_t io_time_left_ms(const struct io_conn *c);

/* Ends in good order and gives the connection up: what is queued is sent, then close_notify and FIN, then the peer's
 * last bytes are discarded for at most 2 s so that it can read ours. No callback comes any more; c is gone for the
 * caller. Not while a send is PENDING. */
void io_finish(struct io_conn *c);
/* Ends so that the peer sees it: no close_notify, and a reset. c is gone for the caller. */
void io_abort(struct io_conn *c);
/* Ends so that the peer sees that something is missing, and receives all that was sent before: as io_finish, without
 * close_notify. */
void io_break(struct io_conn *c);
/* Closes the descriptor without ceremony (idle origin connections, errors): over TLS with close_notify when that is
 * possible at once. c is gone for the caller. NULL is fine. */
void io_free(struct io_conn *c);

/* Why: ERROR_NONE before an ERROR event. IO with errno, PEER (server side) or UPSTREAM (client side) with OpenSSL's
 * reason code, LIMIT when memory ran out. */
result io_error(const struct io_conn *c);
/* A short word for logs, no data of the peer in it ("certificate verify failed"); never NULL. */
const char *io_error_text(const struct io_conn *c);
int io_fd(const struct io_conn *c);
/* The other end; family AF_UNSPEC where there is none. */
const struct sockaddr_storage *io_peer_address(const struct io_conn *c);
bool io_is_tls(const struct io_conn *c);
/* Verified certificate of the peer, also after resumption; NULL: none given. Borrowed, lives as c does. */
X509 *io_peer_certificate(const struct io_conn *c);
/* When the first certificate of the chain that the peer showed ends, in seconds since 1970; INT64_MAX: it showed none. */
int64_t io_peer_ends(const struct io_conn *c);
int io_tls_version(const struct io_conn *c); /* 0x0303, 0x0304; 0: plain */
bool io_tls_resumed(const struct io_conn *c);
/* For who looks at the wire itself: calls run for each TLS record that was read, with the kind of what it held (IO_RECORD_DATA,
 * or handshake, alert) and its size on the wire without its header, before the bytes show in io_input. Nothing on plain ones. */
#define IO_RECORD_DATA 23
typedef void io_record(void *arg, uint8_t kind, size_t size);
void io_watch_records(struct io_conn *c, io_record *run, void *arg);
uint64_t io_bytes_sent(const struct io_conn *c); /* payload taken by the kernel or TLS */
uint64_t io_bytes_received(const struct io_conn *c);
/* Nothing has come that was not read yet, not even an end. Asks the kernel. */
bool io_is_silent(const struct io_conn *c);

/* ---- listening ------------------------------------------------------------------------------------------------ */

/* Accepts on an inherited, listening, non-blocking descriptor (which stays the caller's). Each socket (non-blocking,
 * close-on-exec, TCP_NODELAY) goes to run, which owns it from then on. Out of descriptors: accepting rests 100 ms. */
struct io_listener;
typedef void io_accepted(int fd, const struct sockaddr_storage *from, void *arg);
struct io_listener *io_listener_new(struct io_loop *l, int fd, io_accepted *run, void *arg);
void io_listener_pause(struct io_listener *s);
void io_listener_resume(struct io_listener *s);
void io_listener_free(struct io_listener *s);

#endif
