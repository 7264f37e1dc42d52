/* A real OpenSSL client in a thread of its own, with blocking calls, that meets a server of ours in the loop. */
#ifndef TLS_PEER_H
#define TLS_PEER_H

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
    const struct timeval patience = {.tv_sec = 30};
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

#endif
