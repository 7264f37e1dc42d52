/* Private to recipient: what recipients.json becomes. */
#ifndef GATE1367_RECIPIENT_TABLE_H
#define GATE1367_RECIPIENT_TABLE_H

#include "recipient/recipient.h"
#include <openssl/x509.h>

/* One attribute of a distinguished name: what it is and what some value of it must be. */
struct attribute {
    ASN1_OBJECT *object;
    span value; /* UTF-8 */
};

struct attribute_list {
    struct attribute *items;
    size_t count;
};

#define RECIPIENT_SANS(X) X(URI, "uri", GEN_URI) X(DNS, "dns", GEN_DNS) X(EMAIL, "email", GEN_EMAIL)
enum san_kind {
#define X(id, name, type) SAN_##id,
    RECIPIENT_SANS(X)
#undef X
        SAN_KINDS
};

/* Everything that is given must hold. */
struct certificate_match {
    struct attribute_list issuer, subject;
    span san[SAN_KINDS]; /* ptr NULL: not given */
    bool has_fingerprint;
    uint8_t fingerprint[32];
    ASN1_OBJECT *policy; /* NULL: not given */
};

struct entry {
    struct recipient recipient;
    struct certificate_match match;
    const char **purposes;
    size_t purpose_count;
};

struct recipient_table {
    uint32_t magic;
    struct arena *arena; /* holds everything below but the ASN.1 objects */
    struct entry *entries;
    size_t entry_count;
    struct attribute_list *departmental;
    size_t departmental_count;
    uint8_t version[32]; /* of the file's text */
};
#define RECIPIENT_TABLE_MAGIC 0x52435054u

bool entry_could_be_entitled(const struct entry *e);

/* A certificate as far as matching needs it. */
struct certificate {
    X509 *x509;
    uint8_t fingerprint[32];
};
bool certificate_matches(const struct certificate *c, const struct certificate_match *m);
bool certificate_issued_by(const struct certificate *c, const struct attribute_list *issuer);
bool certificate_is_named(const X509 *x, const struct attribute_list *name);
/* The entry that decides; NULL: none. */
const struct entry *certificate_entry(const struct recipient_table *t, const struct certificate *c);
X509_STORE *anchors_store(const struct recipient_anchors *a);

/* NULL unless the DER is exactly one certificate. */
X509 *certificate_parse(span der);
/* Fills *out, which is nobody's yet, from a certificate that was verified. */
void certificate_identify(const struct recipient_table *t, const struct certificate *c, struct recipient_identity *out);

/* Reads the value of "certificate"; reports at its place. */
void load_certificate_match(
    const struct place *at, const json_t *v, struct arena *arena, bool entitles, struct certificate_match *out);
void load_attributes(const struct place *at, const json_t *v, struct arena *arena, struct attribute_list *out);
void free_certificate_match(struct certificate_match *m);
void free_attributes(struct attribute_list *list);

#endif
