/* TLS contexts. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "io/io_internal.h"

#define IO_TLS_MAGIC 0x696f746cu
#define CERTIFICATES_MOST 32768 /* bytes of what a client shows: several times the usual chain, and kept as long as its connection */

struct io_tls_server {
    uint32_t magic;
    SSL_CTX *ctx;
    struct io_tickets tickets;
};

struct io_tls_client {
    uint32_t magic;
    SSL_CTX *ctx;
    char *name;
    bool is_address;
};

struct reason {
    char *text;
    size_t size;
};

/* What was being done, and OpenSSL's last word on it; neither holds anything of a key. */
static result fail_because(const struct reason *why, const char *what)
{
    const char *detail = ERR_reason_error_string(ERR_peek_last_error());
    if (why->size > 0) snprintf(why->text, why->size, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
    ERR_clear_error();
    return FAIL(ERROR_CONFIG, 0);
}

static BIO *open_pem(span pem)
{
    return pem.len > INT32_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
}

/* Never asks a terminal. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

/* The end of a PEM text shows as an error of its own kind. */
static bool pem_ended(void)
{
    unsigned long e = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
    if (ended) ERR_clear_error();
    return ended;
}

/* Calls take for each certificate of the text, which must hold one at least; take owns nothing. */
static bool each_certificate(span pem, bool (*take)(SSL_CTX *, X509 *, size_t), SSL_CTX *ctx)
{
    BIO *b = open_pem(pem);
    size_t n = 0;
    bool good = b != NULL;
    while (good) {
        X509 *x = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
        if (x == NULL) break;
        good = take(ctx, x, n++);
        X509_free(x);
    }
    BIO_free(b);
    return good && n > 0 && pem_ended();
}

static bool take_chain(SSL_CTX *ctx, X509 *x, size_t index)
{
    return index == 0 ? SSL_CTX_use_certificate(ctx, x) == 1 : SSL_CTX_add1_chain_cert(ctx, x) == 1;
}

static bool take_anchor(SSL_CTX *ctx, X509 *x, size_t index)
{
    (void)index;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) == 1;
}

static bool take_client_anchor(SSL_CTX *ctx, X509 *x, size_t index)
{
    return take_anchor(ctx, x, index) && SSL_CTX_add_client_CA(ctx, x) == 1;
}

static bool use_key(SSL_CTX *ctx, span pem)
{
    BIO *b = open_pem(pem);
    EVP_PKEY *key = b != NULL ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;
    bool good = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(b);
    return good;
}

static result use_identity(SSL_CTX *ctx, span certificate, span key, const struct reason *why)
{
    if (!each_certificate(certificate, take_chain, ctx)) return fail_because(why, "certificate");
    if (!use_key(ctx, key)) return fail_because(why, "private key");
    if (SSL_CTX_check_private_key(ctx) != 1) return fail_because(why, "private key does not belong to the certificate");
    return OK;
}

/* For both sides. Records are read ahead into a buffer that is released as soon as it is empty: one system call a
 * record, nothing held by an idle connection. */
//= RFC9325 3.1.1
//= RFC9325 4.1
static bool harden(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(
        ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1;
}

static int choose_protocol(
    SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0"; /* curl --http1.0 names the latter alone */
    unsigned char *chosen;
    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, len, ours, sizeof ours - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int verify_and_judge(X509_STORE_CTX *verified, void *arg)
{
    const struct io_tls_judge *j = arg;
    if (X509_verify_cert(verified) != 1) return 0;
    if (j->run(j->arg, X509_STORE_CTX_get0_chain(verified))) return 1;
    X509_STORE_CTX_set_error(verified, X509_V_ERR_CERT_REJECTED);
    return 0;
}

/* The file names whom to trust: an issuing CA without its root is enough. */
static result use_client_ca(SSL_CTX *ctx, const struct io_tls_server_options *o, const struct reason *why)
{
    int mode = SSL_VERIFY_PEER;
    if (o->client_certificate == IO_CERTIFICATE_REQUIRED) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (!each_certificate(o->client_ca, take_client_anchor, ctx)) return fail_because(why, "client CA");
    X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(ctx, mode, NULL);
    if (o->judge != NULL) SSL_CTX_set_cert_verify_callback(ctx, verify_and_judge, (void *)(uintptr_t)o->judge);
    return OK;
}

static result fill_server(struct io_tls_server *t, const struct io_tls_server_options *o, const struct reason *why)
{
    SSL_CTX *ctx = t->ctx;
    if (ctx == NULL || !harden(ctx)) return fail_because(why, "TLS");
    TRY(use_identity(ctx, o->certificate, o->key, why));
    if (o->client_certificate != IO_CERTIFICATE_NONE) TRY(use_client_ca(ctx, o, why));
    if (!io_tickets_use(ctx, o, &t->tickets)) return fail_because(why, "TLS sessions");
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATES_MOST);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    return OK;
}

RESULT io_tls_server_new(const struct io_tls_server_options *o, struct io_tls_server **out, char *why, size_t size)
{
    struct reason reason = {why, size};
    struct io_tls_server *t = mem_alloc(sizeof *t);
    *out = NULL;
    REQUIRE(t != NULL, ERROR_LIMIT, 0);
    ERR_clear_error();
    t->magic = IO_TLS_MAGIC;
    t->ctx = SSL_CTX_new(TLS_server_method());
    result r = fill_server(t, o, &reason);
    if (is_ok(r))
        *out = t;
    else
        io_tls_server_free(t);
    return r;
}

void io_tls_server_free(struct io_tls_server *t)
{
    if (t == NULL) return;
    MAGIC_CHECK(t, IO_TLS_MAGIC);
    SSL_CTX_free(t->ctx);
    t->magic = 0;
    mem_free(t);
}

SSL *io_tls_server_session(struct io_tls_server *t)
{
    MAGIC_CHECK(t, IO_TLS_MAGIC);
    SSL *ssl = SSL_new(t->ctx);
    if (ssl != NULL) SSL_set_accept_state(ssl);
    return ssl;
}

/* ---- client side ---------------------------------------------------------------------------------------------- */

//= RFC9110 4.3.4
static bool expect_name(struct io_tls_client *t)
{
    X509_VERIFY_PARAM *p = SSL_CTX_get0_param(t->ctx);
    t->is_address = X509_VERIFY_PARAM_set1_ip_asc(p, t->name) == 1;
    if (t->is_address) return true;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return t->name[0] != '\0' && X509_VERIFY_PARAM_set1_host(p, t->name, 0) == 1;
}

static result fill_client(struct io_tls_client *t, const struct io_tls_client_options *o, const struct reason *why)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    if (t->ctx == NULL || !harden(t->ctx)) return fail_because(why, "TLS");
    if (o->ca.len == 0 && SSL_CTX_set_default_verify_paths(t->ctx) != 1) return fail_because(why, "system CA store");
    if (o->ca.len > 0 && !each_certificate(o->ca, take_anchor, t->ctx)) return fail_because(why, "CA");
    X509_STORE_set_flags(SSL_CTX_get_cert_store(t->ctx), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    if (o->certificate.len > 0) TRY(use_identity(t->ctx, o->certificate, o->key, why));
    if (!expect_name(t)) return fail_because(why, "name of the origin");
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_alpn_protos(t->ctx, protocols, sizeof protocols - 1) != 0) return fail_because(why, "TLS");
    return OK;
}

RESULT io_tls_client_new(const struct io_tls_client_options *o, struct io_tls_client **out, char *why, size_t size)
{
    struct reason reason = {why, size};
    ASSERT(o->name != NULL);
    struct io_tls_client *t = mem_alloc(sizeof *t);
    *out = NULL;
    REQUIRE(t != NULL, ERROR_LIMIT, 0);
    ERR_clear_error();
    t->magic = IO_TLS_MAGIC;
    t->name = mem_strdup(o->name);
    t->ctx = SSL_CTX_new(TLS_client_method());
    result r = t->name != NULL ? fill_client(t, o, &reason) : FAIL(ERROR_LIMIT, 0);
    if (is_ok(r))
        *out = t;
    else
        io_tls_client_free(t);
    return r;
}

void io_tls_client_free(struct io_tls_client *t)
{
    if (t == NULL) return;
    MAGIC_CHECK(t, IO_TLS_MAGIC);
    SSL_CTX_free(t->ctx);
    mem_free(t->name);
    t->magic = 0;
    mem_free(t);
}

SSL *io_tls_client_session(struct io_tls_client *t)
{
    MAGIC_CHECK(t, IO_TLS_MAGIC);
    SSL *ssl = SSL_new(t->ctx);
    if (ssl == NULL) return NULL;
    SSL_set_connect_state(ssl);
    if (t->is_address || SSL_set_tlsext_host_name(ssl, t->name) == 1) return ssl;
    SSL_free(ssl);
    return NULL;
}
