/* A certificate that a trusted proxy hands on: the proxy ended its client's TLS, verified the certificate and says which
 * one it was, with every request anew. What cannot be read as exactly one certificate, or does not lead to a CA that the
 * listener itself trusts, is nobody's: the lesser class, never an error that a client could tell from it.
 *
 *   Client-Cert once ─► byte sequence ─► one DER certificate ─► chain to client_ca ─► table ─► no proxy itself ─► identity
 *        └───────────────────┴────────────────────┴────────────────────┴──────────────────────┴─► anonymous */
//= RFC9440 2.1
//= RFC9440 2.2
#include "recipient/table.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#define ANCHORS_MAGIC 0x52414e43u
#define CHAIN_MAX 8                  /* certificates between the client's and the anchor */
#define SEQUENCE_MAX ((size_t)65536) /* base64 of one certificate */

struct recipient_anchors {
    uint32_t magic;
    X509_STORE *store;
};

static bool add_anchors(X509_STORE *store, span pem)
{
    BIO *b = pem.len > INT32_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
    size_t n = 0;
    bool good = b != NULL;
    for (X509 *x; good && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL; n++) {
        good = X509_STORE_add_cert(store, x) == 1;
        X509_free(x);
    }
    BIO_free(b);
    return good && n > 0;
}

struct recipient_anchors *recipient_anchors_new(span pem)
{
    struct recipient_anchors *a = mem_alloc(sizeof *a);
    if (!a) return NULL;
    ERR_set_mark();
    *a = (struct recipient_anchors){.magic = ANCHORS_MAGIC, .store = X509_STORE_new()};
    /* As at the listener: the file names whom to trust, an issuing CA without its root is enough. */
    bool good = a->store && add_anchors(a->store, pem) && X509_STORE_set_flags(a->store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
    ERR_pop_to_mark();
    if (good) return a;
    recipient_anchors_free(a);
    return NULL;
}

void recipient_anchors_free(struct recipient_anchors *a)
{
    if (!a) return;
    MAGIC_CHECK(a, ANCHORS_MAGIC);
    X509_STORE_free(a->store);
    a->magic = 0;
    mem_free(a);
}

X509_STORE *anchors_store(const struct recipient_anchors *a)
{
    MAGIC_CHECK(a, ANCHORS_MAGIC);
    return a->store;
}

static bool is_base64(uint8_t c)
{
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '+' || c == '/' || c == '=';
}

/* One byte sequence at the front of *in, which moves behind it. The bytes are the caller's to free. */
//= RFC8941 4.2.7
static bool take_sequence(span *in, span *out)
{
    *out = span_of(NULL, 0);
    if (in->len < 2 || in->ptr[0] != ':') return false;
    span rest = span_from(*in, 1);
    size_t end = span_find(rest, ':');
    if (end == rest.len || end == 0 || end > SEQUENCE_MAX) return false;
    span text = span_sub(rest, 0, end);
    for (size_t i = 0; i < text.len; i++)
        if (!is_base64(text.ptr[i])) return false; /* the other alphabet is no byte sequence */
    uint8_t *bytes = mem_alloc(text.len / 4 * 3 + 4);
    size_t len = 0;
    bool good = bytes && base64_decode(text, bytes, &len);
    if (!good) {
        mem_free(bytes);
        return false;
    }
    *in = span_from(rest, end + 1);
    *out = span_of(bytes, len);
    return true;
}

static X509 *take_certificate(span *in, struct certificate *fingerprinted)
{
    span der;
    if (!take_sequence(in, &der)) return NULL;
    X509 *x = certificate_parse(der);
    bool good = x && (!fingerprinted || sha256(der, fingerprinted->fingerprint));
    mem_free((void *)(uintptr_t)der.ptr);
    if (good) return x;
    X509_free(x);
    return NULL;
}

/* The one certificate of the one field; parameters are no part of its grammar. */
static bool read_certificate(span value, struct certificate *out)
{
    value = span_trim(value);
    out->x509 = take_certificate(&value, out);
    if (out->x509 && value.len == 0) return true;
    X509_free(out->x509);
    out->x509 = NULL;
    return false;
}

static bool take_comma(span *in)
{
    *in = span_trim(*in);
    if (in->len == 0) return true;
    if (in->ptr[0] != ',') return false;
    *in = span_trim(span_from(*in, 1));
    return in->len > 0; /* a trailing comma is no list */
}

/* Several fields are one list. */
//= RFC8941 4.2.1
//= RFC9440 2.3
static bool read_chain(const struct recipient_handed_on *h, STACK_OF(X509) * chain)
{
    for (size_t i = 0; i < h->chain_count; i++) {
        span in = span_trim(h->chains[i]);
        while (in.len > 0) {
            X509 *x = sk_X509_num(chain) < CHAIN_MAX ? take_certificate(&in, NULL) : NULL;
            if (!x || sk_X509_push(chain, x) <= 0) {
                X509_free(x);
                return false;
            }
            if (!take_comma(&in)) return false;
        }
    }
    return true;
}

static bool leads_to_anchor(
    const struct recipient_table *t, const struct recipient_anchors *a, X509 *x, STACK_OF(X509) * chain, int64_t now)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool good = ctx && X509_STORE_CTX_init(ctx, a->store, x, chain) == 1 && X509_STORE_CTX_set_default(ctx, "ssl_client") == 1;
    if (good) {
        X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(p, (time_t)now);
        X509_VERIFY_PARAM_set_auth_level(p, 2); /* as the handshake asks of our own clients */
        good = X509_verify_cert(ctx) == 1 && recipient_issuer_holds(t, a, X509_STORE_CTX_get0_chain(ctx));
    }
    X509_STORE_CTX_free(ctx);
    return good;
}

static bool verified(const struct recipient_table *t, const struct recipient_anchors *a, const struct recipient_handed_on *h,
    X509 *x, int64_t now)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    bool good = chain && read_chain(h, chain) && leads_to_anchor(t, a, x, chain, now);
    sk_X509_pop_free(chain, X509_free);
    return good;
}

void recipient_identify_handed_on(const struct recipient_table *t, const struct recipient_anchors *a,
    const struct recipient_handed_on *h, int64_t now, struct recipient_identity *out)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    MAGIC_CHECK(a, ANCHORS_MAGIC);
    struct certificate c = {0};
    recipient_be_nobody(out);
    if (h->certificate_count != 1) return;
    ERR_set_mark();
    if (read_certificate(h->certificates[0], &c) && verified(t, a, h, c.x509, now)) certificate_identify(t, &c, out);
    /* A proxy behind a proxy says of nobody who he is: trust is not handed on. */
    if (out->trusted_proxy) recipient_be_nobody(out);
    X509_free(c.x509);
    ERR_pop_to_mark();
}
