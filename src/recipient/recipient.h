/* recipient: who is asking, and what class that is (contract section 3). Pure: certificates come as DER, headers as
 *spans.
 *
 *= 8USC1367 a(2)     sworn officer or employee of DHS, DOS or DOJ, for legitimate agency purposes
 *= ICE10036.2 2.1 */
#ifndef GATE1367_RECIPIENT_H
#define GATE1367_RECIPIENT_H

#include "base/base.h"
#include "source/source.h"

#define RECIPIENT_AGENCIES(X) X(NONE, "none") X(DHS, "DHS") X(DOS, "DOS") X(DOJ, "DOJ")
#define RECIPIENT_STANDINGS(X)                                                                                         \
    X(NONE, "none")                                                                                                    \
    X(SWORN_OFFICER, "sworn_officer") X(EMPLOYEE, "employee") X(CONTRACTOR, "contractor") X(SYSTEM, "system")
enum recipient_agency {
#define X(id, name) AGENCY_##id,
    RECIPIENT_AGENCIES(X)
#undef X
};
enum recipient_standing {
#define X(id, name) STANDING_##id,
    RECIPIENT_STANDINGS(X)
#undef X
};
const char *recipient_agency_name(enum recipient_agency a);
const char *recipient_standing_name(enum recipient_standing s);

/* One entry of recipients.json; borrowed from the table, or the built-in `anonymous`. */
struct recipient {
    const char *id, *component, *organization, *address; /* "" where not given */
    enum recipient_agency agency;
    enum recipient_standing standing;
    bool conduit;
    bool trusted_proxy; /* hands on its clients' certificates, and is nobody itself */
};

enum recipient_class { RECIPIENT_RESTRICTED, RECIPIENT_ENTITLED };
_Static_assert(RECIPIENT_RESTRICTED == 0, "of whom nothing is known yet is restricted");

/* Who stands behind a connection; made once a connection, anew for resumed ones. Plain value. */
struct recipient_identity {
    const struct recipient *recipient;
    bool could_be_entitled;      /* agency, standing, no conduit */
    bool trusted_proxy;          /* this connection: who asks is what each request hands on */
    bool unmatched_departmental; /* certificate of a departmental issuer that no entry matches: constant 403 */
    char fingerprint[65];        /* SHA-256 hex of the certificate, "" without one */
    char subject[256];           /* RFC 2253 subject, cut to fit; "" without a certificate */
};

enum recipient_admission {
    ADMIT_RESTRICTED,
    ADMIT_ENTITLED,
    ADMIT_FORBIDDEN, /* the constant 403: entitled identity without a valid purpose, or unmatched departmental
                        certificate */
};

struct recipient_table;
struct recipient_table *recipient_load(struct source *s); /* NULL after reporting every problem */
void recipient_table_free(struct recipient_table *t);
/* `der` is the verified client certificate, or empty. */
void recipient_identify(const struct recipient_table *t, span der, struct recipient_identity *out);
/* As if somebody had come as that entry ("anonymous" is one): for tools that ask what he would see. False: there is none, or
 * it is a trusted proxy, which is nobody. */
bool recipient_named(const struct recipient_table *t, span id, struct recipient_identity *out);
/* Ids in file order; NULL past the last. */
const char *recipient_id_at(const struct recipient_table *t, size_t i);
/* Nobody known: anonymous. */
void recipient_be_nobody(struct recipient_identity *out);

/* ---- behind a trusted proxy (RFC 9440) --------------------------------------------------------------------------- */

/* Whom a listener trusts to issue its clients' certificates. Handed-on certificates must lead there too: a proxy that
 * forgets to verify makes nobody an officer. */
struct recipient_anchors;
struct stack_st_X509; /* STACK_OF(X509) of OpenSSL */
struct recipient_anchors *recipient_anchors_new(span pem); /* NULL: no certificate in it, or out of memory */
void recipient_anchors_free(struct recipient_anchors *a);
bool recipient_has_proxies(const struct recipient_table *t);
/* Whether an entry that entitles, or speaks for others, may take this chain (leaf first; it was verified). Where an anchor bears
 * the name by which the entry pins its issuer, the chain must hold that very certificate: a name alone every CA that a listener
 * trusts could give to one below it. True where no such entry takes it, a fingerprint pins it, or no anchor is called so. */
bool recipient_issuer_holds(
    const struct recipient_table *t, const struct recipient_anchors *a, const struct stack_st_X509 *chain);
/* Whether that is so for this certificate whatever its chain. */
struct x509_st; /* X509 of OpenSSL */
bool recipient_issuer_holds_by_leaf(const struct recipient_table *t, const struct recipient_anchors *a, const struct x509_st *leaf);
/* A digest of the file that the table was loaded from. */
const uint8_t *recipient_version(const struct recipient_table *t);
/* The id of the next entry of that sort, from entry *at on, whose issuer is none of the anchors, where there are several of them
 * that could take its name; NULL: no more. *at is left behind it. For `check`. */
const char *recipient_issuer_unlisted(const struct recipient_table *t, const struct recipient_anchors *a, size_t *at);

/* One request's fields: the values of every Client-Cert and every Client-Cert-Chain. */
struct recipient_handed_on {
    const span *certificates, *chains;
    size_t certificate_count, chain_count;
};
/* Anonymous unless there is exactly one Client-Cert, a byte sequence of one DER certificate, that leads to an anchor
 * (Client-Cert-Chain helps), is valid at `now` (seconds since 1970) and is no trusted proxy's own. */
void recipient_identify_handed_on(const struct recipient_table *t, const struct recipient_anchors *a,
    const struct recipient_handed_on *h, int64_t now, struct recipient_identity *out);

/* `purposes` are the values of all Purpose-Of-Use fields; exactly one with exactly one listed token admits.
 * `public_route` makes everybody restricted. *purpose points into the table when admitted as entitled, else "". */
enum recipient_admission recipient_admit(const struct recipient_table *t, const struct recipient_identity *who,
    const span *purposes, size_t count, bool public_route, const char **purpose);

#endif
