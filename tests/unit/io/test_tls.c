/* TLS against a real OpenSSL peer in a thread of its own, with blocking calls, so that the two sides share no code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/tls_peer.h"

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

//= RFC9325 3.1.1
//= RFC9325 4.1
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

/* A certificate for a few seconds, its own issuer: brief.pem and brief.key. */
static void make_brief(long seconds)
{
    char path[256];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), seconds);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"brief", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    snprintf(path, sizeof path, "%s/brief.pem", certs);
    FILE *f = fopen(path, "w");
    PEM_write_X509(f, x);
    fclose(f);
    snprintf(path, sizeof path, "%s/brief.key", certs);
    f = fopen(path, "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* A session does not outlive the certificate that it was made with. */
static void test_expired_not_resumed(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    SSL_SESSION *sessions[2];
    make_brief(6); /* time for two handshakes on a busy machine */
    struct io_tls_server *t = make_server("brief.pem", IO_CERTIFICATE_OPTIONAL, secret);
    for (size_t i = 0; i < 2; i++) {
        struct peer p = {.max_version = versions[i], .certificate = "brief"};
        struct seen s = meet_simply(t, &p);
        assert_string_equal(s.subject, "/CN=brief");
        sessions[i] = p.got;
        assert_non_null(p.got);
    }
    sleep(7);
    for (size_t i = 0; i < 2; i++) {
        struct peer p = {.max_version = versions[i], .certificate = "brief", .session = sessions[i]};
        struct seen s = meet_simply(t, &p);
        assert_int_equal(s.count[IO_CONNECTED], 0);
        assert_string_equal(s.error_text, "certificate has expired");
        assert_int_equal(p.received, 0);
        SSL_SESSION_free(p.got);
        SSL_SESSION_free(sessions[i]);
    }
    io_tls_server_free(t);
}

static bool any_chain(void *arg, const struct stack_st_X509 *chain)
{
    (void)arg, (void)chain;
    return true;
}

static bool as_told(void *arg, const struct x509_st *leaf)
{
    (void)leaf;
    return *(const bool *)arg;
}

static struct io_tls_server *judged_server(const struct io_tls_judge *judge, unsigned seconds)
{
    char why[256] = "";
    struct io_tls_server *t;
    struct io_tls_server_options o = {.certificate = pem("gateway.pem"), .key = pem("gateway.key"), .client_ca = pem("recipients-ca.pem"),
        .client_certificate = IO_CERTIFICATE_OPTIONAL, .ticket_keys = secret, .judge = judge, .session_seconds = seconds};
    if (!is_ok(io_tls_server_new(&o, &t, why, sizeof why))) fail_msg("%s", why);
    return t;
}

static SSL_SESSION *begin(struct io_tls_server *t, int version, const char *certificate)
{
    struct peer p = {.max_version = version, .certificate = certificate};
    struct seen s = meet_simply(t, &p);
    assert_true(p.connected && !s.resumed && p.got);
    return p.got;
}

/* Whether it is; the one that came with it takes its place, where there is one. */
static bool is_resumed(struct io_tls_server *t, int version, const char *certificate, SSL_SESSION **session)
{
    struct peer p = {.max_version = version, .certificate = certificate, .session = *session};
    struct seen s = meet_simply(t, &p);
    assert_true(p.connected && p.received == 10 && p.resumed == s.resumed);
    if (p.got) {
        SSL_SESSION_free(*session);
        *session = p.got;
    }
    return s.resumed;
}

/* A handshake asks the judge, and a session that is resumed has no chain to show it: one of another version is resumed only where
 * none is needed. Whoever is refused that is in a handshake in full, and not refused. */
static void test_judged_again(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    bool will_do = false;
    const struct io_tls_judge first = {.run = any_chain, .knows = as_told, .arg = &will_do, .version = {1}};
    const struct io_tls_judge second = {.run = any_chain, .knows = as_told, .arg = &will_do, .version = {2}};
    struct io_tls_server *before = judged_server(&first, 0), *after = judged_server(&second, 0);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = begin(before, versions[i], "uscis-officer"), *nobody = begin(before, versions[i], NULL);
        assert_true(is_resumed(before, versions[i], "uscis-officer", &session));
        will_do = true;
        assert_true(is_resumed(after, versions[i], "uscis-officer", &session)); /* and that renews no version */
        will_do = false;
        assert_false(is_resumed(after, versions[i], "uscis-officer", &session));
        assert_true(is_resumed(after, versions[i], "uscis-officer", &session)); /* it began anew */
        assert_true(is_resumed(after, versions[i], NULL, &nobody)); /* who shows no certificate is nobody's business */
        SSL_SESSION_free(session);
        SSL_SESSION_free(nobody);
    }
    io_tls_server_free(before);
    io_tls_server_free(after);
}

/* A ticket that comes with a resumed session (TLS 1.3) is good no longer than the one that it was resumed with. */
static void test_renewed_for_ever(void **state)
{
    (void)state;
    struct io_tls_server *t = judged_server(NULL, 7);
    SSL_SESSION *session = begin(t, TLS1_3_VERSION, "uscis-officer");
    sleep(2);
    assert_true(is_resumed(t, TLS1_3_VERSION, "uscis-officer", &session));
    sleep(6);
    assert_false(is_resumed(t, TLS1_3_VERSION, "uscis-officer", &session));
    SSL_SESSION_free(session);
    io_tls_server_free(t);
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

//= RFC9110 4.3.4
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
    o.key = SPAN("-----BEGIN ENCRYPTED " "PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED " "PRIVATE KEY-----\n");
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
        TEST(test_expired_not_resumed),
        TEST(test_judged_again),
        TEST(test_renewed_for_ever),
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
