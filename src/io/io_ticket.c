/* Sessions that are resumed. A ticket holds who it was and not the chain that was looked at, so it must not outlive what that
 * look was made by: it carries when the handshake in full was, when the first certificate of its chain ends, and under which
 * version of the judge it passed. Renewing a ticket renews none of it. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "io/io_internal.h"

#define DEFAULT_SESSION_SECONDS 3600

/* What a ticket says of the handshake in full that it goes back to. */
struct note {
    uint8_t version[32]; /* of the judge; zeros: there was none */
    int64_t begun, ends; /* seconds since 1970; of the chain: INT64_MAX without one */
};

/* When the first of them ends; what cannot be read has ended. */
static int64_t end_of(const STACK_OF(X509) * chain)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int64_t its = 0;
        if (!io_seconds_of(X509_get0_notAfter(sk_X509_value(chain, i)), &its)) return 0;
        if (its < first) first = its;
    }
    return first;
}

static bool read_note(SSL_SESSION *session, struct note *out)
{
    void *data = NULL;
    size_t len = 0;
    if (SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 || len != sizeof *out) return false;
    memcpy(out, data, sizeof *out);
    return true;
}

int64_t io_peer_ends(const struct io_conn *c)
{
    struct note n;
    if (c->ssl == NULL || SSL_get0_peer_certificate(c->ssl) == NULL) return INT64_MAX;
    if (!SSL_session_reused(c->ssl)) return end_of(SSL_get0_verified_chain(c->ssl));
    return read_note(SSL_get_session(c->ssl), &n) ? n.ends : 0;
}

/* A session that is resumed keeps the note that it came with: OpenSSL copies it into the ticket that it renews. */
static int write_note(SSL *ssl, void *arg)
{
    const struct io_tickets *t = arg;
    struct note n = {.begun = (int64_t)time(NULL), .ends = INT64_MAX};
    if (SSL_session_reused(ssl)) return 1;
    if (t->judge != NULL) memcpy(n.version, t->judge->version, sizeof n.version);
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    if (chain != NULL) n.ends = end_of(chain);
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &n, sizeof n);
}

static bool in_date(const X509 *x, int64_t now)
{
    int64_t from, to;
    return io_seconds_of(X509_get0_notBefore(x), &from) && io_seconds_of(X509_get0_notAfter(x), &to) && from <= now && now < to;
}

/* What a handshake in full would refuse today is not let in by one of yesterday. */
static bool still_holds(const struct io_tickets *t, SSL_SESSION *session)
{
    struct note n;
    int64_t now = (int64_t)time(NULL);
    X509 *peer = SSL_SESSION_get0_peer(session);
    if (!read_note(session, &n) || now < n.begun || now - n.begun >= t->seconds || now >= n.ends) return false;
    if (peer == NULL) return true;
    if (!in_date(peer, now)) return false;
    const struct io_tls_judge *j = t->judge;
    return j == NULL || memcmp(n.version, j->version, sizeof n.version) == 0 || j->knows(j->arg, peer);
}

static SSL_TICKET_RETURN judge_ticket(
    SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl, (void)name, (void)name_len;
    switch (status) {
    case SSL_TICKET_SUCCESS: return still_holds(arg, session) ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW: return still_holds(arg, session) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT: return SSL_TICKET_RETURN_IGNORE_RENEW;
    default: return SSL_TICKET_RETURN_ABORT;
    }
}

/* What a session was agreed under. Another client CA, mode or certificate is another context. */
static bool session_context(const struct io_tls_server_options *o, uint8_t out[32])
{
    uint8_t parts[3][32] = {{0}}, mode = (uint8_t)o->client_certificate;
    return sha256(o->client_ca, parts[0]) && sha256(o->certificate, parts[1]) &&
           sha256_two(SPAN("gate1367 tls 1"), span_of(&mode, 1), parts[2]) && sha256(span_of(parts, sizeof parts), out);
}

/* The ticket keys in use: HMAC(shared secret, context ‖ i), so that other settings cannot even decrypt. */
static bool use_ticket_keys(SSL_CTX *ctx, const uint8_t *secret, const uint8_t context[32])
{
    uint8_t keys[96], label[33];
    bool good = true;
    memcpy(label, context, 32);
    for (uint8_t i = 0; i < 3; i++) {
        label[32] = i;
        good = good && hmac_sha256(span_of(secret, IO_TICKET_KEYS_SIZE), span_of(label, sizeof label), keys + 32 * i);
    }
    good = good && SSL_CTX_set_tlsext_ticket_keys(ctx, keys, IO_TICKET_KEYS_SIZE) == 1;
    mem_wipe(keys, sizeof keys);
    return good;
}

bool io_tickets_use(SSL_CTX *ctx, const struct io_tls_server_options *o, struct io_tickets *t)
{
    uint8_t context[32];
    *t = (struct io_tickets){.judge = o->judge, .seconds = o->session_seconds > 0 ? o->session_seconds : DEFAULT_SESSION_SECONDS};
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_max_early_data(ctx, 0) != 1 || SSL_CTX_set_recv_max_early_data(ctx, 0) != 1) return false;
    if (!session_context(o, context) || SSL_CTX_set_session_id_context(ctx, context, sizeof context) != 1) return false;
    if (o->ticket_keys == NULL) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(ctx, 0) == 1;
    }
    SSL_CTX_set_timeout(ctx, (long)t->seconds);
    return use_ticket_keys(ctx, o->ticket_keys, context) && SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
           SSL_CTX_set_session_ticket_cb(ctx, write_note, judge_ticket, t) == 1;
}
