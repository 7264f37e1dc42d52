/* Who asks behind a trusted proxy. Its connection carries many people's requests, one after the other, so that each
 * request is classified by what it hands on, and by nothing that an earlier one did.
 *
 * A certificate is verified once a minute, not with each request: what was judged is kept under a hash of the very bytes
 * that were judged and of the CAs they were judged by. */
//= RFC9440 2.2
#include "proxy/internal.h"

#define BEHIND_ROOM 256u /* power of two */
#define BEHIND_US 60000000u
#define FIELDS_MAX 9 /* of each name; one Client-Cert more than may be is enough to know */

struct behind {
    uint8_t key[32];
    uint64_t until_us; /* 0: free */
    struct recipient_identity who;
};

struct behind *behind_new(void)
{
    return mem_array(BEHIND_ROOM, sizeof(struct behind));
}

static size_t values_of(const struct http_request *r, enum http_field_id id, span out[FIELDS_MAX])
{
    size_t n = 0;
    const struct http_field *f;
    while (n < FIELDS_MAX && (f = http_find(r->fields, r->field_count, id, n)) != NULL) out[n++] = f->value;
    return n;
}

/* Chained: each part changes what all that follow give, and none can be moved into its neighbour. */
static bool add_to_key(uint8_t key[32], const span *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!sha256_two(span_of(key, 32), values[i], key)) return false;
    }
    return true;
}

static bool make_key(const struct recipient_handed_on *h, const struct listening *l, uint8_t key[32])
{
    uint64_t parts[] = {(uint64_t)(uintptr_t)l, h->certificate_count, h->chain_count};
    return sha256(span_of(parts, sizeof(parts)), key) && add_to_key(key, h->certificates, h->certificate_count) &&
           add_to_key(key, h->chains, h->chain_count);
}

static struct behind *place_of(const struct worker *w, const uint8_t key[32])
{
    uint32_t at;
    memcpy(&at, key, sizeof(at));
    return &w->behind[at & (BEHIND_ROOM - 1)];
}

static void identify(struct exchange *x, const struct recipient_handed_on *h)
{
    struct worker *w = x->worker;
    const struct listening *l = x->session->listening;
    uint8_t key[32];
    bool known = h->certificate_count == 1 && l->anchors != NULL && make_key(h, l, key);
    if (!known) {
        recipient_be_nobody(&x->behind);
        return;
    }
    struct behind *b = place_of(w, key);
    if (b->until_us <= x->arrival_us || memcmp(b->key, key, sizeof(key)) != 0) {
        recipient_identify_handed_on(w->settings->recipients, l->anchors, h, (int64_t)(x->time_us / 1000000), &b->who);
        memcpy(b->key, key, sizeof(key));
        /* Nobody is not kept: what failed for a passing reason is asked again. */
        b->until_us = b->who.fingerprint[0] == '\0' ? 0 : x->arrival_us + BEHIND_US;
    }
    x->behind = b->who;
}

void behind_identify(struct exchange *x)
{
    span certificates[FIELDS_MAX], chains[FIELDS_MAX];
    struct recipient_handed_on h = {.certificates = certificates, .chains = chains,
        .certificate_count = values_of(&x->request, HTTP_FIELD_CLIENT_CERT, certificates),
        .chain_count = values_of(&x->request, HTTP_FIELD_CLIENT_CERT_CHAIN, chains)};
    x->who = &x->session->who;
    if (!x->who->trusted_proxy) return; /* what anybody else hands on is dropped */
    identify(x, &h);
    x->who = &x->behind;
    worker_count(x->worker, PROXY_HANDED_ON, x->who->fingerprint[0] != '\0');
}
