#include "base/base.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>

/* Looking an algorithm up in OpenSSL takes a lock and a search each time, and costs more than hashing a short text.
 * Each thread looks once and keeps one context, which holds no data between calls (HMAC's key is wiped by the next
 * init; callers who must not leave one behind hash an empty message under a zero key). */
static _Thread_local EVP_MD *sha;
static _Thread_local EVP_MD_CTX *sha_context;
static _Thread_local EVP_MAC_CTX *mac_context;

static bool prepare_sha(void)
{
    if (LIKELY(sha && sha_context)) return true;
    if (!sha) sha = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha_context) sha_context = EVP_MD_CTX_new();
    return sha && sha_context;
}

static EVP_MAC_CTX *new_mac_context(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!mac) return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
    if (context && !EVP_MAC_CTX_set_params(context, params)) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

void digest_thread_end(void)
{
    EVP_MD_CTX_free(sha_context);
    EVP_MAC_CTX_free(mac_context);
    EVP_MD_free(sha);
    sha = NULL;
    sha_context = NULL;
    mac_context = NULL;
}

bool sha256(span data, uint8_t out[32])
{
    return sha256_two(data, span_of(NULL, 0), out);
}

bool sha256_two(span a, span b, uint8_t out[32])
{
    if (!prepare_sha()) return false;
    return EVP_DigestInit_ex2(sha_context, sha, NULL) && EVP_DigestUpdate(sha_context, a.ptr, a.len) &&
           EVP_DigestUpdate(sha_context, b.ptr, b.len) && EVP_DigestFinal_ex(sha_context, out, NULL);
}

//= RFC2104 2
bool hmac_sha256(span key, span data, uint8_t out[32])
{
    if (!mac_context) mac_context = new_mac_context();
    if (!mac_context) return false;
    /* OpenSSL takes a NULL key for "the same as before": an empty key needs an address. */
    const uint8_t *k = key.len > 0 ? key.ptr : (const uint8_t *)"";
    size_t len = 0;
    return EVP_MAC_init(mac_context, k, key.len, NULL) && EVP_MAC_update(mac_context, data.ptr, data.len) &&
           EVP_MAC_final(mac_context, out, &len, 32) && len == 32;
}
