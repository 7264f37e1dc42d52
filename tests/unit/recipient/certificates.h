/* Certificates made for a test with OpenSSL's own builder: an issuer name, a subject name, extensions. The key lives in
 * memory only. */
#ifndef TESTS_RECIPIENT_CERTIFICATES_H
#define TESTS_RECIPIENT_CERTIFICATES_H

#include "base/base.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>

struct made {
    uint8_t der[8192];
    size_t len;
};

/* "CN=a/OU=b/OU=c": values without slashes; "\\0" in a value is a NUL byte. */
static inline void made_name(X509_NAME *name, const char *text)
{
    char copy[512], *save = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        char *value = strchr(part, '=');
        *value++ = '\0';
        uint8_t bytes[256];
        int len = 0;
        for (const char *c = value; *c; c++) {
            if (c[0] == '\\' && c[1] == '0')
                bytes[len++] = 0, c++;
            else
                bytes[len++] = (uint8_t)*c;
        }
        int ok = X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, bytes, len, -1, 0);
        ASSERT(ok == 1);
    }
}

static inline void made_extension(X509 *x, int nid, const char *value)
{
    if (!value) return;
    X509V3_CTX ctx = {0};
    X509V3_set_ctx_nodb(&ctx);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ASSERT(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

/* Comma-separated OIDs. */
static inline void made_policies(X509 *x, const char *oids)
{
    if (!oids) return;
    char copy[256], *save = NULL;
    snprintf(copy, sizeof copy, "%s", oids);
    CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
    for (char *oid = strtok_r(copy, ",", &save); oid; oid = strtok_r(NULL, ",", &save)) {
        POLICYINFO *info = POLICYINFO_new();
        info->policyid = OBJ_txt2obj(oid, 1);
        sk_POLICYINFO_push(list, info);
    }
    int ok = X509_add1_ext_i2d(x, NID_certificate_policies, list, 0, 0);
    ASSERT(ok == 1);
    CERTIFICATEPOLICIES_free(list);
}

static inline struct made made_certificate(
    const char *issuer, const char *subject, const char *san, const char *policies)
{
    struct made out = {.len = 0};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME *i = X509_NAME_new(), *s = X509_NAME_new();
    made_name(i, issuer);
    made_name(s, subject);
    X509_set_issuer_name(x, i);
    X509_set_subject_name(x, s);
    made_extension(x, NID_subject_alt_name, san);
    made_policies(x, policies);
    X509_set_pubkey(x, key);
    ASSERT(X509_sign(x, key, EVP_sha256()) > 0);
    uint8_t *p = out.der;
    ASSERT(i2d_X509(x, NULL) < (int)sizeof out.der);
    out.len = (size_t)i2d_X509(x, &p);
    X509_NAME_free(i);
    X509_NAME_free(s);
    X509_free(x);
    EVP_PKEY_free(key);
    return out;
}

static inline span made_span(const struct made *m)
{
    return span_of(m->der, m->len);
}

#endif
