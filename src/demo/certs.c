#include "demo/internal.h"
#include "os/os.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAYS 2

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

static bool add_name(X509 *x, const char *const *parts)
{
    X509_NAME *n = X509_get_subject_name(x);
    for (; *parts != NULL; parts += 2) {
        if (X509_NAME_add_entry_by_txt(n, parts[0], MBSTRING_UTF8, (const unsigned char *)parts[1], -1, -1, 0) != 1) return false;
    }
    return true;
}

static bool extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool good = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return good;
}

static X509 *blank(EVP_PKEY *key, const char *const *subject)
{
    X509 *x = X509_new();
    uint64_t serial;
    result r = os_random(&serial, sizeof(serial));
    bool good = x != NULL && is_ok(r) && X509_set_version(x, 2) == 1 &&
                ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(x), -300) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(x), DAYS * 86400L) != NULL && X509_set_pubkey(x, key) == 1 &&
                add_name(x, subject);
    if (good) return x;
    X509_free(x);
    return NULL;
}

static bool make_authority(const char *const *subject, struct authority *a)
{
    a->key = EVP_EC_gen("P-256");
    a->certificate = a->key == NULL ? NULL : blank(a->key, subject);
    X509 *x = a->certificate;
    return x != NULL && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
           extend(x, x, NID_basic_constraints, "critical,CA:TRUE") &&
           extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") && X509_sign(x, a->key, EVP_sha256()) > 0;
}

static RESULT write_pem(const char *directory, const char *name, X509 *certificate, EVP_PKEY *key, bool append)
{
    char path[DEMO_PATH];
    struct buf text;
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    buf_init(&text, 1u << 20);
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    result r = OK;
    if (append && os_exists(path)) r = os_read_file(path, 1u << 20, &text);
    bool good = bio != NULL && (key == NULL ? PEM_write_bio_X509(bio, certificate) == 1
                                            : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    if (!good) r = FAIL(ERROR_INTERNAL, 0);
    long len = good ? BIO_get_mem_data(bio, &data) : 0;
    if (is_ok(r)) r = buf_append(&text, span_of(data, (size_t)len));
    if (is_ok(r)) r = os_write_atomic(path, buf_span(&text), 0600);
    buf_free(&text);
    BIO_free(bio);
    return r;
}

static RESULT issue(const char *directory, const char *name, const struct authority *by, const char *const *subject, bool server)
{
    char file[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key == NULL ? NULL : blank(key, subject);
    bool good = x != NULL && X509_set_issuer_name(x, X509_get_subject_name(by->certificate)) == 1 &&
                extend(x, by->certificate, NID_ext_key_usage, server ? "serverAuth" : "clientAuth") &&
                (!server || extend(x, by->certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1")) &&
                X509_sign(x, by->key, EVP_sha256()) > 0;
    result r = good ? OK : FAIL(ERROR_INTERNAL, 0);
    snprintf(file, sizeof(file), "%s.pem", name);
    if (is_ok(r)) r = write_pem(directory, file, x, NULL, false);
    snprintf(file, sizeof(file), "%s.key", name);
    if (is_ok(r)) r = write_pem(directory, file, NULL, key, false);
    X509_free(x);
    EVP_PKEY_free(key);
    return r;
}

static RESULT issue_all(const char *directory, const struct authority *gateway, const struct authority *dhs,
    const struct authority *doj, const struct authority *state)
{
    static const char *const HOST[] = {"CN", "localhost", NULL};
    static const char *const OFFICER[] = {"C", "US", "O", "U.S. Government", "OU", "USCIS", "CN", "Demo Officer", NULL};
    static const char *const ATTORNEY[] = {"C", "US", "O", "U.S. Government", "OU", "DOJ", "CN", "Demo Attorney", NULL};
    static const char *const POLICE[] = {"O", "Springfield State Police", "CN", "sp-client", NULL};
    TRY(issue(directory, "gateway", gateway, HOST, true));
    TRY(issue(directory, "officer", dhs, OFFICER, false));
    TRY(issue(directory, "attorney", doj, ATTORNEY, false));
    TRY(issue(directory, "police", state, POLICE, false));
    TRY(write_pem(directory, "gateway-ca.pem", gateway->certificate, NULL, false));
    TRY(write_pem(directory, "recipients-ca.pem", dhs->certificate, NULL, false));
    TRY(write_pem(directory, "recipients-ca.pem", doj->certificate, NULL, true));
    return write_pem(directory, "recipients-ca.pem", state->certificate, NULL, true);
}

RESULT demo_make_certificates(const char *directory)
{
    static const char *const NAMES[4][5] = {{"CN", "Demo Gateway CA", NULL}, {"O", "U.S. Government", "CN", "DHS CA4", NULL},
        {"O", "U.S. Government", "CN", "DOJ CA", NULL}, {"O", "Example State", "CN", "State CA", NULL}};
    struct authority a[4] = {{0}};
    result r = OK;
    for (size_t i = 0; i < 4 && is_ok(r); i++) {
        if (!make_authority(NAMES[i], &a[i])) r = FAIL(ERROR_INTERNAL, 0);
    }
    if (is_ok(r)) r = issue_all(directory, &a[0], &a[1], &a[2], &a[3]);
    for (size_t i = 0; i < 4; i++) {
        X509_free(a[i].certificate);
        EVP_PKEY_free(a[i].key);
    }
    return r;
}
