/* Does this certificate satisfy an entry? Values are compared byte for byte after conversion to UTF-8, by length: a NUL
 * inside an attribute makes it another value, never a shorter one. */
#include "recipient/table.h"
#include <openssl/x509v3.h>

static bool value_equals(const ASN1_STRING *s, span value)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);
    if (len < 0) return false;
    bool equal = span_equal(span_of(utf8, (size_t)len), value);
    OPENSSL_free(utf8);
    return equal;
}

/* An attribute may be repeated (several OU): any of its values will do. */
static bool name_has(const X509_NAME *name, const struct attribute *a)
{
    int at = -1;
    while ((at = X509_NAME_get_index_by_OBJ(name, a->object, at)) >= 0)
        if (value_equals(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), a->value)) return true;
    return false;
}

static bool name_matches(const X509_NAME *name, const struct attribute_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!name_has(name, &list->items[i])) return false;
    return true;
}

bool certificate_is_named(const X509 *x, const struct attribute_list *name)
{
    return name->count > 0 && name_matches(X509_get_subject_name(x), name);
}

bool certificate_issued_by(const struct certificate *c, const struct attribute_list *issuer)
{
    return issuer->count > 0 && name_matches(X509_get_issuer_name(c->x509), issuer);
}

static int general_name_type(enum san_kind kind)
{
    switch (kind) {
#define X(id, name, type)                                                                                              \
    case SAN_##id: return type;
        RECIPIENT_SANS(X)
#undef X
    case SAN_KINDS: break;
    }
    return -1;
}

static bool general_name_equals(const GENERAL_NAME *name, enum san_kind kind, span value)
{
    int type = 0;
    const ASN1_STRING *s = GENERAL_NAME_get0_value(name, &type);
    if (type != general_name_type(kind)) return false;
    span found = span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    //= RFC4343 2
    return kind == SAN_DNS ? span_equal_nocase(found, value) : span_equal(found, value);
}

static bool names_have(const GENERAL_NAMES *names, enum san_kind kind, span value)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (general_name_equals(sk_GENERAL_NAME_value(names, i), kind, value)) return true;
    return false;
}

/* An extension that stands twice, or does not parse, gives NULL and so matches nothing. */
static bool sans_match(X509 *x, const struct certificate_match *m)
{
    bool wanted = false, all = true;
    for (int kind = 0; kind < SAN_KINDS; kind++)
        wanted |= m->san[kind].ptr != NULL;
    if (!wanted) return true;
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int kind = 0; kind < SAN_KINDS; kind++)
        if (m->san[kind].ptr && !(names && names_have(names, (enum san_kind)kind, m->san[kind]))) all = false;
    GENERAL_NAMES_free(names);
    return all;
}

/* The policy itself must be asserted; anyPolicy is not taken for it. */
//= RFC5280 4.2.1.4
static bool policy_matches(X509 *x, const ASN1_OBJECT *policy)
{
    if (!policy) return true;
    CERTIFICATEPOLICIES *policies = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    bool found = false;
    for (int i = 0; policies && i < sk_POLICYINFO_num(policies); i++)
        if (OBJ_cmp(sk_POLICYINFO_value(policies, i)->policyid, policy) == 0) found = true;
    CERTIFICATEPOLICIES_free(policies);
    return found;
}

bool certificate_matches(const struct certificate *c, const struct certificate_match *m)
{
    if (m->has_fingerprint && memcmp(c->fingerprint, m->fingerprint, sizeof c->fingerprint) != 0) return false;
    return name_matches(X509_get_issuer_name(c->x509), &m->issuer) &&
           name_matches(X509_get_subject_name(c->x509), &m->subject) && sans_match(c->x509, m) &&
           policy_matches(c->x509, m->policy);
}
