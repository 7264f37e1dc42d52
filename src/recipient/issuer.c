/* Who is behind an issuer's name. An entry that entitles pins its issuer by attributes, and every CA that a listener trusts, for
 * whatever people, can issue a CA below itself that bears them. So where the operator has listed the issuer's own certificate
 * among the listener's, no other one goes by its name. */
//= 8USC1367 a(2)
#include "recipient/table.h"
#include <openssl/err.h>

static bool goes_by_name(const struct entry *e)
{
    bool matters = entry_could_be_entitled(e) || e->recipient.trusted_proxy;
    return matters && e->match.issuer.count > 0 && !e->match.has_fingerprint;
}

static bool holds(const STACK_OF(X509) * chain, const X509 *anchor)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (X509_cmp(sk_X509_value(chain, i), anchor) == 0) return true;
    return false;
}

/* Whether an anchor bears the name, and is the chain's; `chain` NULL: anybody's. */
static bool is_anchored(const struct recipient_anchors *a, const struct attribute_list *issuer, const STACK_OF(X509) * chain)
{
    const STACK_OF(X509_OBJECT) *anchors = X509_STORE_get0_objects(anchors_store(a));
    for (int i = 0; i < sk_X509_OBJECT_num(anchors); i++) {
        const X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(anchors, i)); /* NULL: a revocation list */
        if (anchor && certificate_is_named(anchor, issuer) && (!chain || holds(chain, anchor))) return true;
    }
    return false;
}

/* By whose name this certificate's entry trusts it. NULL: by nobody's. False: it cannot be looked at. */
static bool name_trusted(const struct recipient_table *t, const X509 *leaf, const struct attribute_list **out)
{
    struct certificate c = {.x509 = (X509 *)(uintptr_t)leaf};
    unsigned len = sizeof c.fingerprint;
    if (!leaf || X509_digest(leaf, EVP_sha256(), c.fingerprint, &len) != 1) return false;
    ERR_set_mark(); /* the caller is in the middle of a handshake */
    const struct entry *e = certificate_entry(t, &c);
    ERR_pop_to_mark();
    *out = e && goes_by_name(e) ? &e->match.issuer : NULL;
    return true;
}

bool recipient_issuer_holds(const struct recipient_table *t, const struct recipient_anchors *a, const STACK_OF(X509) * chain)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    const struct attribute_list *issuer;
    if (!name_trusted(t, sk_X509_value(chain, 0), &issuer)) return false;
    return !issuer || is_anchored(a, issuer, chain) || !is_anchored(a, issuer, NULL);
}

bool recipient_issuer_holds_by_leaf(const struct recipient_table *t, const struct recipient_anchors *a, const X509 *leaf)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    const struct attribute_list *issuer;
    return name_trusted(t, leaf, &issuer) && (!issuer || !is_anchored(a, issuer, NULL));
}

const char *recipient_issuer_unlisted(const struct recipient_table *t, const struct recipient_anchors *a, size_t *at)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    if (sk_X509_OBJECT_num(X509_STORE_get0_objects(anchors_store(a))) < 2) return NULL;
    while (*at < t->entry_count) {
        const struct entry *e = &t->entries[(*at)++];
        if (goes_by_name(e) && !is_anchored(a, &e->match.issuer, NULL)) return e->recipient.id;
    }
    return NULL;
}
