/* Who is asking, and what they get: the only place that turns an identity into a class.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1
 *
 *   certificate ─► first entry that matches ─► could be entitled? ─no──────────────► RESTRICTED
 *        │ none                                   │ yes
 *        ├─ departmental issuer ─► FORBIDDEN      └─ one valid purpose? ─no─► FORBIDDEN
 *        └─ else anonymous ─► RESTRICTED                   │ yes ─► ENTITLED
 *
 * A trusted proxy's certificate is looked up alike, but is nobody's identity: who stands behind it is in each request's
 * Client-Cert (handed_on.c). */
#include "recipient/table.h"
#include <openssl/err.h>
#include <openssl/x509.h>

static const struct recipient anonymous = {.id = "anonymous", .component = "", .organization = "", .address = ""};

const char *recipient_agency_name(enum recipient_agency a)
{
    switch (a) {
#define X(id, name)                                                                                                    \
    case AGENCY_##id: return name;
        RECIPIENT_AGENCIES(X)
#undef X
    }
    return "none";
}

const char *recipient_standing_name(enum recipient_standing s)
{
    switch (s) {
#define X(id, name)                                                                                                    \
    case STANDING_##id: return name;
        RECIPIENT_STANDINGS(X)
#undef X
    }
    return "none";
}

/* A conduit's readers are outside, whoever owns the account; a contractor owes the duty but is no employee. */
//= 8USC1367 a(2)
//= ICE10036.2 3.3
bool entry_could_be_entitled(const struct entry *e)
{
    const struct recipient *r = &e->recipient;
    bool insider = r->standing == STANDING_SWORN_OFFICER || r->standing == STANDING_EMPLOYEE;
    return r->agency != AGENCY_NONE && insider && !r->conduit && !r->trusted_proxy;
}

/* NULL unless the DER is exactly one certificate. Leaves nothing on OpenSSL's error queue, for the caller may be in the
 * middle of a handshake. */
X509 *certificate_parse(span der)
{
    if (der.len == 0 || der.len > 1024 * 1024) return NULL;
    const unsigned char *p = der.ptr;
    ERR_set_mark();
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    ERR_pop_to_mark();
    if (x && p == der.ptr + der.len) return x;
    X509_free(x);
    return NULL;
}

//= RFC2253 2
static void write_subject(X509 *x, char *out, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return;
    char *text = NULL;
    long len = 0;
    if (X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0) len = BIO_get_mem_data(bio, &text);
    size_t keep = len < 0 ? 0 : (size_t)len < size - 1 ? (size_t)len : size - 1;
    if (keep > 0) memcpy(out, text, keep); /* escaped to ASCII: may be cut anywhere */
    out[keep] = '\0';
    BIO_free(bio);
}

const struct entry *certificate_entry(const struct recipient_table *t, const struct certificate *c)
{
    for (size_t i = 0; i < t->entry_count; i++)
        if (certificate_matches(c, &t->entries[i].match)) return &t->entries[i];
    return NULL;
}

static bool is_departmental(const struct recipient_table *t, const struct certificate *c)
{
    for (size_t i = 0; i < t->departmental_count; i++)
        if (certificate_issued_by(c, &t->departmental[i])) return true;
    return false;
}

void recipient_be_nobody(struct recipient_identity *out)
{
    *out = (struct recipient_identity){.recipient = &anonymous};
}

void certificate_identify(const struct recipient_table *t, const struct certificate *c, struct recipient_identity *out)
{
    hex_encode(span_of(c->fingerprint, sizeof c->fingerprint), out->fingerprint);
    write_subject(c->x509, out->subject, sizeof out->subject);
    const struct entry *e = certificate_entry(t, c);
    if (e) out->recipient = &e->recipient;
    out->trusted_proxy = e && e->recipient.trusted_proxy;
    out->could_be_entitled = e && entry_could_be_entitled(e);
    out->unmatched_departmental = !e && is_departmental(t, c);
}

void recipient_identify(const struct recipient_table *t, span der, struct recipient_identity *out)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    recipient_be_nobody(out);
    struct certificate c = {.x509 = certificate_parse(der)};
    if (!c.x509) return;
    if (sha256(der, c.fingerprint)) {
        ERR_set_mark();
        certificate_identify(t, &c, out);
        ERR_pop_to_mark();
    }
    X509_free(c.x509);
}

/* The identity's entry again; NULL for anonymous. The recipient is the entry's first member. */
static const struct entry *entry_of(const struct recipient_table *t, const struct recipient *r)
{
    for (size_t i = 0; i < t->entry_count; i++)
        if (&t->entries[i].recipient == r) return &t->entries[i];
    return NULL;
}

bool recipient_named(const struct recipient_table *t, span id, struct recipient_identity *out)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    recipient_be_nobody(out);
    if (span_equal(id, span_str(anonymous.id))) return true;
    for (size_t i = 0; i < t->entry_count; i++) {
        const struct entry *e = &t->entries[i];
        if (!span_equal(id, span_str(e->recipient.id)) || e->recipient.trusted_proxy) continue;
        out->recipient = &e->recipient;
        out->could_be_entitled = entry_could_be_entitled(e);
        return true;
    }
    return false;
}

const char *recipient_id_at(const struct recipient_table *t, size_t i)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    return i < t->entry_count ? t->entries[i].recipient.id : NULL;
}

static const char *listed_purpose(const struct entry *e, span token)
{
    for (size_t i = 0; i < e->purpose_count; i++)
        if (span_equal(span_str(e->purposes[i]), token)) return e->purposes[i];
    return NULL;
}

/* Several fields, or a list in one, name no purpose: nobody must pick the one he likes. */
enum recipient_admission recipient_admit(const struct recipient_table *t, const struct recipient_identity *who,
    const span *purposes, size_t count, bool public_route, const char **purpose)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    *purpose = "";
    if (public_route) return ADMIT_RESTRICTED;
    if (who->unmatched_departmental) return ADMIT_FORBIDDEN;
    if (!who->could_be_entitled) return ADMIT_RESTRICTED;
    const struct entry *e = entry_of(t, who->recipient);
    const char *found = e && count == 1 ? listed_purpose(e, span_trim(purposes[0])) : NULL;
    if (!found) return ADMIT_FORBIDDEN;
    *purpose = found;
    return ADMIT_ENTITLED;
}
