/* TLS against a real OpenSSL peer in a thread of its own, with blocking calls, so that the two sides share no code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "io/harness.h"

#ifndef SOURCE_DIR
#define SOURCE_DIR "."
#endif

static char certs[64];
static struct io_loop *loop;
static const uint8_t secret[IO_TICKET_KEYS_SIZE] = {1, 2, 3}, other_secret[IO_TICKET_KEYS_SIZE] = {4};

void seen_subject(struct seen *s)
{
    X509 *x = io_peer_certificate(s->conn);
    s->version = io_tls_version(s->conn);
    s->resumed = io_tls_resumed(s->conn);
    if (x) X509_NAME_oneline(X509_get_subject_name(x), s->subject, sizeof s->subject);
}

static span pem(const char *name)
{
    static char texts[8][16384];
    static unsigned next;
    char path[256], *text = texts[next++ % 8];
    snprintf(path, sizeof path, "%s/%s", certs, name);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s", path);
    size_t n = fread(text, 1, sizeof texts[0], f);
    fclose(f);
    return span_of(text, n);
}

static struct io_tls_server *make_server(const char *ca, enum io_client_certificate mode, const uint8_t *keys)
{
    char why[256] = "";
    struct io_tls_server *t;
    struct io_tls_server_options o = {.certificate = pem("gateway.pem"),
        .key = pem("gateway.key"),
        .client_ca = ca ? pem(ca) : span_of(NULL, 0),
        .client_certificate = mode,
        .ticket_keys = keys};
    result r = io_tls_server_new(&o, &t, why, sizeof why);
    if (!is_ok(r)) fail_msg("%s", why);
    return t;
}

/* ---- the peer ------------------------------------------------------------------------------------------------- */

enum parting { PART_CLEAN, PART_SILENT }; /* with close_notify, or only FIN */

struct peer {
    struct sockaddr_in at;
    int max_version;
    const char *certificate;
    SSL_SESSION *session, *got; /* offered; received */
    enum parting parting;
    size_t send, expect; /* bytes to send (pattern), bytes to read back */
    size_t piece;        /* bytes a write; 0: 16 KiB */
    unsigned rest_ms;    /* before reading */
    /* findings */
    bool connected, resumed, got_close_notify, truncated, same;
    size_t received;
    char alpn[16];
    atomic_bool done;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct peer *p = SSL_get_app_data(ssl);
    SSL_SESSION_free(p->got);
    p->got = session;
    return 1;
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 13 + i / 259);
}

static SSL_CTX *peer_context(const struct peer *p)
{
    char path[256];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    snprintf(path, sizeof path, "%s/gateway-ca.pem", certs);
    SSL_CTX_load_verify_locations(ctx, path, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (p->max_version) SSL_CTX_set_max_proto_version(ctx, p->max_version);
    if (p->max_version && p->max_version < TLS1_2_VERSION) SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    if (p->certificate) {
        snprintf(path, sizeof path, "%s/%s.pem", certs, p->certificate);
        SSL_CTX_use_certificate_chain_file(ctx, path);
        snprintf(path, sizeof path, "%s/%s.key", certs, p->certificate);
        SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM);
    }
    return ctx;
}

static void peer_send(struct peer *p, SSL *ssl)
{
    uint8_t block[16384];
    for (size_t at = 0; at < p->send;) {
        size_t n = p->piece ? p->piece : sizeof block;
        if (n > p->send - at) n = p->send - at;
        for (size_t i = 0; i < n; i++)
            block[i] = pattern(at + i);
        if (SSL_write(ssl, block, (int)n) <= 0) return;
        at += n;
    }
}

static void peer_receive(struct peer *p, SSL *ssl)
{
    uint8_t block[16384];
    int n = 1;
    p->same = true;
    usleep(p->rest_ms * 1000);
    while (p->received < p->expect && (n = SSL_read(ssl, block, sizeof block)) > 0)
        for (int i = 0; i < n; i++)
            p->same = p->same && block[i] == pattern(p->received++);
    if (n <= 0) {
        int e = SSL_get_error(ssl, n);
        p->got_close_notify = e == SSL_ERROR_ZERO_RETURN;
        p->truncated = !p->got_close_notify;
    }
}

static void *run_peer(void *arg)
{
    struct peer *p = arg;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* for OpenSSL's own socket calls on this side */
    SSL_CTX *ctx = peer_context(p);
    SSL *ssl = SSL_new(ctx);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval patience = {.tv_sec = 4};
    const int small = 65536;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(fd, (struct sockaddr *)&p->at, sizeof p->at) == 0) {
        SSL_set_fd(ssl, fd);
        SSL_set_app_data(ssl, p);
        if (p->session) SSL_set_session(ssl, p->session);
        p->connected = SSL_connect(ssl) == 1;
        if (p->connected) {
            const unsigned char *name;
            unsigned len;
            SSL_get0_alpn_selected(ssl, &name, &len);
            snprintf(p->alpn, sizeof p->alpn, "%.*s", (int)len, (const char *)name);
            p->resumed = SSL_session_reused(ssl);
            peer_send(p, ssl);
            peer_receive(p, ssl);
            if (p->parting == PART_CLEAN) SSL_shutdown(ssl);
        }
    }
    ERR_clear_error();
    if (p->parting == PART_SILENT) SSL_set_quiet_shutdown(ssl, 1);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(ctx);
    p->done = true;
    return NULL;
}

/* ---- one meeting ---------------------------------------------------------------------------------------------- */

static struct io_tls_server *accepting;
static void on_accept(int fd, const struct sockaddr_storage *from, void *arg)
{
    struct seen *s = arg;
    (void)from;
    s->conn = io_accept(loop, fd, accepting, record, s);
}

/* Runs until the peer is through and the server has seen how it ended. */
static void meet(struct io_tls_server *tls, struct peer *p, struct seen *s, void (*drive)(struct seen *))
{
    pthread_t thread;
    int fd = listen_loopback(&p->at);
    accepting = tls;
    s->keep = true;
    struct io_listener *l = io_listener_new(loop, fd, on_accept, s);
    assert_int_equal(pthread_create(&thread, NULL, run_peer, p), 0);
    RUN_UNTIL(loop, (drive ? drive(s) : (void)0, p->done));
    pthread_join(thread, NULL);
    RUN_UNTIL(loop,
        (drive ? drive(s) : (void)0, s->gone) || s->count[IO_END] + s->count[IO_TRUNCATED] + s->count[IO_ERROR] > 0);
    run_for(loop, 20);
    io_listener_free(l);
    close(fd);
    seen_done(s);
}

static struct seen meet_simply(struct io_tls_server *tls, struct peer *p)
{
    struct seen s;
    seen_init(&s);
    s.echo = true;
    p->send = p->expect = 10;
    meet(tls, p, &s, NULL);
    return s;
}

static void test_identity(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server("recipients-ca.pem", IO_CERTIFICATE_OPTIONAL, NULL);
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct peer p = {.max_version = versions[i], .certificate = "uscis-officer"};
        struct seen s = meet_simply(t, &p);
        assert_true(p.connected && p.same && p.received == 10);
        assert_string_equal(s.subject, "/C=US/O=U.S. Government/OU=USCIS/CN=Test Officer");
        assert_int_equal(s.version, versions[i]);
        assert_string_equal(p.alpn, "http/1.1");
        assert_int_equal(s.count[IO_END], 1);
        p = (struct peer){.max_version = versions[i]};
        s = meet_simply(t, &p);
        assert_true(p.connected && p.received == 10);
        assert_string_equal(s.subject, "");
        p = (struct peer){.max_version = versions[i], .certificate = "stranger"};
        s = meet_simply(t, &p);
        assert_int_equal(p.received, 0);
        assert_int_equal(s.count[IO_CONNECTED], 0);
        assert_int_equal(s.count[IO_ERROR], 1);
        assert_int_equal(s.error.class, ERROR_PEER);
        assert_int_equal(s.error.code, SSL_R_CERTIFICATE_VERIFY_FAILED);
        assert_string_equal(s.error_text, "unable to get local issuer certificate");
    }
    io_tls_server_free(t);
}

static void test_required_and_none(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server("recipients-ca.pem", IO_CERTIFICATE_REQUIRED, NULL);
    struct peer p = {0};
    struct seen s = meet_simply(t, &p);
    assert_int_equal(p.received, 0);
    assert_int_equal(s.count[IO_CONNECTED], 0);
    assert_int_equal(s.error.code, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
    p = (struct peer){.certificate = "state-police"};
    s = meet_simply(t, &p);
    assert_int_equal(p.received, 10);
    io_tls_server_free(t);
    t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    p = (struct peer){.certificate = "state-police"};
    s = meet_simply(t, &p);
    assert_int_equal(p.received, 10);
    assert_string_equal(s.subject, "");
    io_tls_server_free(t);
}

static void test_old_version_refused(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct peer p = {.max_version = TLS1_1_VERSION};
    struct seen s = meet_simply(t, &p);
    assert_false(p.connected);
    assert_int_equal(s.count[IO_CONNECTED], 0);
    assert_int_equal(s.error.class, ERROR_PEER);
    io_tls_server_free(t);
}

/* First full, then resumed: by another context with the same secret too, never under another CA or secret. */
static void resume(int version)
{
    struct io_tls_server *first = make_server("recipients-ca.pem", IO_CERTIFICATE_OPTIONAL, secret);
    struct io_tls_server *sibling = make_server("recipients-ca.pem", IO_CERTIFICATE_OPTIONAL, secret);
    struct io_tls_server *dropped = make_server("state-ca.pem", IO_CERTIFICATE_OPTIONAL, secret);
    struct io_tls_server *required = make_server("recipients-ca.pem", IO_CERTIFICATE_REQUIRED, secret);
    struct io_tls_server *rekeyed = make_server("recipients-ca.pem", IO_CERTIFICATE_OPTIONAL, other_secret);
    struct peer p = {.max_version = version, .certificate = "uscis-officer"};
    struct seen s = meet_simply(first, &p);
    SSL_SESSION *session = p.got;
    assert_non_null(session);
    assert_false(p.resumed || s.resumed);
    struct io_tls_server *const good[] = {first, sibling}, *const fresh[] = {required, rekeyed};
    for (size_t i = 0; i < 2; i++) {
        p = (struct peer){.max_version = version, .certificate = "uscis-officer", .session = session};
        s = meet_simply(good[i], &p);
        if (!p.connected || !p.resumed || !s.resumed || p.received != 10)
            fail_msg(
                "version %x, context %zu: %d %d %d %zu", version, i, p.connected, p.resumed, s.resumed, p.received);
        assert_string_equal(s.subject, "/C=US/O=U.S. Government/OU=USCIS/CN=Test Officer");
        /* A TLS 1.3 ticket is for one use: go on with the one that came with it. */
        if (p.got) {
            SSL_SESSION_free(session);
            session = p.got;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *copy = SSL_SESSION_dup(session);
        p = (struct peer){.max_version = version, .certificate = "uscis-officer", .session = copy};
        s = meet_simply(fresh[i], &p);
        assert_true(p.connected && !p.resumed && !s.resumed && p.received == 10);
        SSL_SESSION_free(copy);
        SSL_SESSION_free(p.got);
    }
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    p = (struct peer){.max_version = version, .certificate = "uscis-officer", .session = copy};
    s = meet_simply(dropped, &p);
    assert_int_equal(p.received, 0);
    assert_int_equal(s.count[IO_CONNECTED], 0);
    SSL_SESSION_free(p.got);
    SSL_SESSION_free(copy);
    p = (struct peer){.max_version = version, .session = session};
    s = meet_simply(dropped, &p);
    assert_false(s.resumed);
    assert_string_equal(s.subject, "");
    SSL_SESSION_free(p.got);
    SSL_SESSION_free(session);
    io_tls_server_free(first);
    io_tls_server_free(sibling);
    io_tls_server_free(dropped);
    io_tls_server_free(required);
    io_tls_server_free(rekeyed);
}

static void test_resumption(void **state)
{
    (void)state;
    resume(TLS1_2_VERSION);
    resume(TLS1_3_VERSION);
    struct io_tls_server *none = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct peer p = {.max_version = TLS1_3_VERSION};
    (void)meet_simply(none, &p);
    assert_null(p.got);
    io_tls_server_free(none);
}

static void test_truncation(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct peer p = {.parting = PART_SILENT};
    struct seen s = meet_simply(t, &p);
    assert_int_equal(s.count[IO_TRUNCATED], 1);
    assert_int_equal(s.count[IO_END] + s.count[IO_ERROR], 0);
    p = (struct peer){.parting = PART_CLEAN};
    s = meet_simply(t, &p);
    assert_int_equal(s.count[IO_END], 1);
    assert_int_equal(s.count[IO_TRUNCATED] + s.count[IO_ERROR], 0);
    io_tls_server_free(t);
}

/* How our own two ways to end look from the other side. */
static void finish_at_input(struct seen *s)
{
    if (s->gone || s->bytes < 10) return;
    assert_true(is_ok(io_queue(s->conn, buf_span(&s->data))));
    io_finish(s->conn);
    s->gone = true;
}
static void abort_at_input(struct seen *s)
{
    if (s->gone || s->bytes < 10) return;
    span half = span_sub(buf_span(&s->data), 0, 5);
    assert_int_equal(io_send(s->conn, &half, 1), IO_SENT);
    io_abort(s->conn);
    s->gone = true;
}

static void test_finish_and_abort(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct seen s;
    struct peer p = {.send = 10, .expect = 11};
    seen_init(&s);
    meet(t, &p, &s, finish_at_input);
    assert_int_equal(p.received, 10);
    assert_true(p.same && p.got_close_notify);
    p = (struct peer){.send = 10, .expect = 11};
    seen_init(&s);
    meet(t, &p, &s, abort_at_input);
    assert_true(p.received <= 5 && p.truncated && !p.got_close_notify);
    io_tls_server_free(t);
}

/* A large answer out of a small head and a borrowed body, to a peer that first rests. */
static uint8_t *large;
#define LARGE (8u << 20)
static unsigned sends, pending;
static void send_large(struct seen *s)
{
    if (s->bytes == 0 || sends > 0) return;
    span body[] = {span_of(large + 10, 100), span_of(large + 110, LARGE - 110)};
    assert_true(is_ok(io_queue(s->conn, span_of(large, 10))));
    enum io_sending sending = io_send(s->conn, body, 2);
    assert_int_not_equal(sending, IO_FAILED);
    pending = sending == IO_PENDING;
    sends++;
}

static void send_with(const char *point, uint64_t nth)
{
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct seen s;
    struct peer p = {.send = 1, .expect = LARGE, .rest_ms = point ? 20 : 400};
    seen_init(&s);
    sends = 0;
    if (point) fault_arm(point, nth);
    meet(t, &p, &s, send_large);
    if (point) fault_arm(point, 0);
    assert_int_equal(p.received, LARGE);
    assert_true(p.same);
    assert_int_equal(s.count[IO_DRAINED], pending);
    io_tls_server_free(t);
}

static void test_large_send(void **state)
{
    (void)state;
    large = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = pattern(i);
    send_with(NULL, 0);
    assert_int_equal(pending, 1);
    for (uint64_t n = 1; n < 7; n++) {
        send_with("write_again", n);
        send_with("write_short", n);
        send_with("read_again", n < 4 ? n : 4);
    }
    free(large);
}

static void receive_pieces(size_t size, size_t piece)
{
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct seen s;
    struct peer p = {.send = size, .piece = piece};
    seen_init(&s);
    meet(t, &p, &s, NULL);
    assert_int_equal(s.bytes, size);
    assert_int_equal(s.count[IO_END], 1);
    io_tls_server_free(t);
}

static void test_receive(void **state)
{
    (void)state;
    receive_pieces(300, 1);
    receive_pieces(5 << 20, 0);
    receive_pieces(100000, 777);
}

/* Input stays where it is: bounded, and all of it comes when it is taken. */
static size_t most_held;
static void take_slowly(struct seen *s)
{
    if (!s->conn || s->count[IO_CONNECTED] == 0 || s->count[IO_END]) return;
    s->lazy = true;
    if (s->count[IO_READABLE] == 0) io_set_input_cap(s->conn, 20000);
    size_t n = io_input(s->conn).len;
    if (n > most_held) most_held = n;
    s->bytes += n < 3000 ? n : 3000;
    io_consume(s->conn, n < 3000 ? n : 3000);
}

static void test_receive_bounded(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct seen s;
    struct peer p = {.send = 500000};
    seen_init(&s);
    s.lazy = true;
    meet(t, &p, &s, take_slowly);
    assert_true(most_held > 10000 && most_held <= 65536);
    io_tls_server_free(t);
}

/* ---- our client ----------------------------------------------------------------------------------------------- */

static struct io_tls_client *make_client(const char *ca, const char *name, const char *certificate)
{
    char why[256] = "", path[64], key[64];
    struct io_tls_client *t;
    snprintf(path, sizeof path, "%s.pem", certificate ? certificate : "");
    snprintf(key, sizeof key, "%s.key", certificate ? certificate : "");
    struct io_tls_client_options o = {.ca = pem(ca), .name = name};
    if (certificate) {
        o.certificate = pem(path);
        o.key = pem(key);
    }
    if (!is_ok(io_tls_client_new(&o, &t, why, sizeof why))) fail_msg("%s", why);
    return t;
}

/* Our client with our server: both sides of the corridor in one loop. */
static struct seen connect_as(struct io_tls_server *server, const char *ca, const char *name, const char *certificate)
{
    struct io_tls_client *t = make_client(ca, name, certificate);
    struct sockaddr_in at;
    struct seen s, c;
    int fd = listen_loopback(&at);
    span hello = SPAN("hello");
    seen_init(&s);
    seen_init(&c);
    s.echo = true;
    accepting = server;
    struct io_listener *l = io_listener_new(loop, fd, on_accept, &s);
    c.conn = io_connect(loop, (struct sockaddr *)&at, sizeof at, t, record, &c);
    RUN_UNTIL(loop, c.count[IO_CONNECTED] || c.count[IO_ERROR]);
    if (c.count[IO_CONNECTED]) {
        assert_int_equal(io_send(c.conn, &hello, 1), IO_SENT);
        RUN_UNTIL(loop, c.bytes == 5 || c.count[IO_ERROR]);
    }
    snprintf(c.subject, sizeof c.subject, "%s", s.subject); /* what the server saw of us */
    seen_done(&c);
    seen_done(&s);
    io_listener_free(l);
    close(fd);
    io_tls_client_free(t);
    return c;
}

static void test_client_verifies(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server("origin-ca.pem", IO_CERTIFICATE_OPTIONAL, NULL);
    struct seen c = connect_as(t, "gateway-ca.pem", "localhost", "gw-client");
    assert_int_equal(c.bytes, 5);
    assert_string_equal(c.subject, "/CN=gate1367");
    c = connect_as(t, "gateway-ca.pem", "127.0.0.1", NULL);
    assert_int_equal(c.bytes, 5);
    c = connect_as(t, "gateway-ca.pem", "::1", NULL);
    assert_int_equal(c.bytes, 5);
    c = connect_as(t, "gateway-ca.pem", "example.org", NULL);
    assert_int_equal(c.count[IO_CONNECTED], 0);
    assert_int_equal(c.error.class, ERROR_UPSTREAM);
    assert_string_equal(c.error_text, "hostname mismatch");
    c = connect_as(t, "gateway-ca.pem", "127.0.0.2", NULL);
    assert_string_equal(c.error_text, "IP address mismatch");
    c = connect_as(t, "origin-ca.pem", "localhost", NULL);
    assert_int_equal(c.count[IO_CONNECTED], 0);
    assert_string_equal(c.error_text, "unable to get local issuer certificate");
    io_tls_server_free(t);
}

static void test_bad_material(void **state)
{
    (void)state;
    char why[256];
    struct io_tls_server *t;
    struct io_tls_server_options o = {.certificate = pem("gateway.pem"), .key = pem("origin.key")};
    assert_int_equal(io_tls_server_new(&o, &t, why, sizeof why).class, ERROR_CONFIG);
    assert_null(t);
    assert_true(strncmp(why, "private key", 11) == 0);
    o.key = SPAN("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assert_int_equal(io_tls_server_new(&o, &t, why, sizeof why).class, ERROR_CONFIG);
    o = (struct io_tls_server_options){.certificate = SPAN("none"), .key = pem("gateway.key")};
    assert_int_equal(io_tls_server_new(&o, &t, why, sizeof why).class, ERROR_CONFIG);
    assert_true(strncmp(why, "certificate", 11) == 0);
    o = (struct io_tls_server_options){
        .certificate = pem("gateway.pem"), .key = pem("gateway.key"), .client_certificate = IO_CERTIFICATE_OPTIONAL};
    assert_int_equal(io_tls_server_new(&o, &t, why, sizeof why).class, ERROR_CONFIG);
    assert_true(strncmp(why, "client CA", 9) == 0);
    struct io_tls_client *c;
    struct io_tls_client_options p = {.ca = pem("origin-ca.pem"), .name = ""};
    assert_int_equal(io_tls_client_new(&p, &c, why, sizeof why).class, ERROR_CONFIG);
}

/* Bytes that are no TLS, and a peer that leaves in the middle of the handshake. */
static void test_no_handshake(void **state)
{
    (void)state;
    struct io_tls_server *t = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    for (int i = 0; i < 2; i++) {
        struct seen s;
        int fds[2];
        make_pair(fds);
        seen_init(&s);
        s.conn = io_accept(loop, fds[0], t, record, &s);
        if (i == 0)
            assert_int_equal(write(fds[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
        else
            close(fds[1]);
        RUN_UNTIL(loop, s.count[IO_ERROR] == 1);
        assert_int_equal(s.error.class, ERROR_PEER);
        if (i == 0) close(fds[1]);
        seen_done(&s);
    }
    io_tls_server_free(t);
}

static bool tls_exchange(const char *point, uint64_t n)
{
    struct io_tls_server *server = make_server(NULL, IO_CERTIFICATE_NONE, NULL);
    struct io_tls_client *client = make_client("gateway-ca.pem", "localhost", NULL);
    struct seen s, c;
    struct sockaddr_in at;
    int fd = listen_loopback(&at);
    span hello = SPAN("hello");
    seen_init(&s);
    seen_init(&c);
    s.echo = true;
    accepting = server;
    fault_arm(point, n);
    struct io_listener *l = io_listener_new(loop, fd, on_accept, &s);
    c.conn = l ? io_connect(loop, (struct sockaddr *)&at, sizeof at, client, record, &c) : NULL;
    for (int i = 0;
         i < 100 && c.conn && c.bytes < 5 && !c.count[IO_ERROR] && !c.count[IO_END] && !c.count[IO_TRUNCATED]; i++) {
        assert_true(is_ok(io_loop_once(loop, 5)));
        if (c.count[IO_CONNECTED] == 1 && !c.count[IO_ERROR]) {
            (void)io_send(c.conn, &hello, 1);
            c.count[IO_CONNECTED]++;
        }
        if (s.count[IO_ERROR] && !s.gone) {
            io_free(s.conn);
            s.gone = true;
        }
    }
    bool hit = fault_count(point) >= n;
    fault_arm(point, 0);
    if (!hit) assert_int_equal(c.bytes, 5);
    seen_done(&c);
    seen_done(&s);
    io_listener_free(l);
    close(fd);
    io_tls_server_free(server);
    io_tls_client_free(client);
    return hit;
}

static void test_nth_failures(void **state)
{
    (void)state;
    static const char *const points[] = {"malloc", "read", "write", "read_again", "write_again", "write_short"};
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        uint64_t n = 1;
        while (tls_exchange(points[i], n))
            n++;
        assert_true(n > 3 && n < 300);
    }
}

/* OpenSSL's own allocations, under the point "crypto". */
static void *crypto_alloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fault_hit("crypto") ? NULL : malloc(n);
}
static void *crypto_resize(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fault_hit("crypto") ? NULL : realloc(p, n);
}
static void crypto_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static void test_nth_crypto_failures(void **state)
{
    (void)state;
    uint64_t n = 1;
    while (tls_exchange("crypto", n))
        n += n < 100 ? 1 : 23; /* there are about three thousand */
    assert_true(n > 100);
}

/* Every read and write fails with EAGAIN before it gets through, all the time. */
static void test_eagain_first(void **state)
{
    (void)state;
    fault_init("read_again:1+,write_again:1+", "test");
    struct io_tls_server *t = make_server("recipients-ca.pem", IO_CERTIFICATE_OPTIONAL, NULL);
    struct peer p = {.send = 200000};
    struct seen s;
    seen_init(&s);
    meet(t, &p, &s, NULL);
    assert_int_equal(s.bytes, 200000);
    p = (struct peer){.certificate = "doj-attorney"};
    s = meet_simply(t, &p);
    assert_int_equal(p.received, 10);
    io_tls_server_free(t);
    fault_init(NULL, "test");
}

static int set_up(void **state)
{
    (void)state;
    loop = io_loop_new();
    return loop == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    RUN_UNTIL(loop, io_loop_connections(loop) == 0);
    io_loop_free(loop);
    return 0;
}

static int make_certs(void **state)
{
    char command[512];
    (void)state;
    snprintf(certs, sizeof certs, "/tmp/gate1367-certs-XXXXXX");
    if (!mkdtemp(certs)) return 1;
    snprintf(command, sizeof command, "'%s/certs/make-test-certs.sh' '%s'", SOURCE_DIR, certs);
    signal(SIGPIPE, SIG_DFL); /* nothing here may need it ignored */
    return system(command) != 0;
}

static int drop_certs(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", certs);
    return system(command);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_identity),
        TEST(test_required_and_none),
        TEST(test_old_version_refused),
        TEST(test_resumption),
        TEST(test_truncation),
        TEST(test_finish_and_abort),
        TEST(test_large_send),
        TEST(test_receive),
        TEST(test_receive_bounded),
        TEST(test_client_verifies),
        TEST(test_bad_material),
        TEST(test_no_handshake),
        TEST(test_nth_failures),
        TEST(test_nth_crypto_failures),
        TEST(test_eagain_first),
    };
    if (!CRYPTO_set_mem_functions(crypto_alloc, crypto_resize, crypto_free)) return 1;
    return cmocka_run_group_tests(tests, make_certs, drop_certs);
}
