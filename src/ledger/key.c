#include "ledger/key.h"
#include "os/os.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#define KEY_FILE_MAX 4096u

/* Seed and public key one behind the other, as libsodium signs with. */
static bool spell_secret(EVP_PKEY *pkey, uint8_t secret[static SECRET_BYTES])
{
    size_t seed = 32, public = 32;
    return sodium_init() >= 0 && EVP_PKEY_get_raw_private_key(pkey, secret, &seed) == 1 && seed == 32 &&
           EVP_PKEY_get_raw_public_key(pkey, secret + 32, &public) == 1 && public == 32;
}

static result new_key(EVP_PKEY *pkey, struct ledger_key **out)
{
    REQUIRE(pkey, ERROR_CONFIG, LEDGER_E_KEY);
    struct ledger_key *k = EVP_PKEY_get_id(pkey) == EVP_PKEY_ED25519 ? mem_alloc(sizeof *k) : NULL;
    if (!k) {
        result r = EVP_PKEY_get_id(pkey) == EVP_PKEY_ED25519 ? FAIL(ERROR_LIMIT, ENOMEM)
                                                             : FAIL(ERROR_CONFIG, LEDGER_E_KEY);
        EVP_PKEY_free(pkey);
        return r;
    }
    *k = (struct ledger_key){.magic = KEY_MAGIC, .pkey = pkey};
    if (spell_secret(pkey, k->secret)) {
        *out = k;
        return OK;
    }
    ledger_key_free(k);
    return FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
}

result ledger_key_generate(struct ledger_key **out)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    REQUIRE(pkey, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return new_key(pkey, out);
}

/* Never asks on a terminal: a key with a passphrase is simply not one we can use. */
static int no_passphrase(char *buf, int size, int writing, void *u)
{
    (void)buf, (void)size, (void)writing, (void)u;
    return 0;
}

result ledger_key_parse(span pem, struct ledger_key **out)
{
    REQUIRE(pem.len > 0 && pem.len <= KEY_FILE_MAX, ERROR_CONFIG, LEDGER_E_KEY);
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    REQUIRE(bio, ERROR_LIMIT, ENOMEM);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return new_key(pkey, out);
}

result ledger_key_load(const char *path, struct ledger_key **out)
{
    struct buf text;
    TRY(os_secret_read(path, KEY_FILE_MAX, &text));
    result r = ledger_key_parse(buf_span(&text), out);
    buf_free(&text);
    return r;
}

result ledger_key_load_fd(int fd, struct ledger_key **out)
{
    struct buf text;
    TRY(os_read_fd(fd, KEY_FILE_MAX, &text));
    result r = ledger_key_parse(buf_span(&text), out);
    buf_free(&text);
    return r;
}

result ledger_key_pem(const struct ledger_key *k, struct buf *out)
{
    MAGIC_CHECK(k, KEY_MAGIC);
    buf_init(out, KEY_FILE_MAX);
    BIO *bio = BIO_new(BIO_s_secmem());
    REQUIRE(bio, ERROR_LIMIT, ENOMEM);
    char *text = NULL;
    bool good = PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long len = BIO_get_mem_data(bio, &text);
    result r = good && len > 0 ? buf_append(out, span_of(text, (size_t)len)) : FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    if (len > 0) mem_wipe(text, (size_t)len);
    BIO_free(bio);
    return r;
}

void ledger_key_free(struct ledger_key *k)
{
    if (!k) return;
    MAGIC_CHECK(k, KEY_MAGIC);
    EVP_PKEY_free(k->pkey);
    mem_free_wipe(k, sizeof *k);
}

//= RFC5869 2
result ledger_key_root(const struct ledger_key *k, uint8_t root[32])
{
    MAGIC_CHECK(k, KEY_MAGIC);
    static const uint8_t salt[32];
    static const char info[] = "gate1367 pseudonym\x01"; /* with the counter of the first and only block */
    uint8_t seed[32], prk[32];
    size_t len = sizeof seed;
    bool good = EVP_PKEY_get_raw_private_key(k->pkey, seed, &len) == 1 && len == 32 &&
                hmac_sha256(span_of(salt, 32), span_of(seed, 32), prk) &&
                hmac_sha256(span_of(prk, 32), span_of(info, sizeof info - 1), root);
    mem_wipe(seed, sizeof seed);
    mem_wipe(prk, sizeof prk);
    REQUIRE(good, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

bool ledger_key_sign(const struct ledger_key *k, span message, uint8_t signature[64])
{
    MAGIC_CHECK(k, KEY_MAGIC);
    return crypto_sign_detached(signature, NULL, message.ptr, message.len, k->secret) == 0;
}

result ledger_key_public(const struct ledger_key *k, uint8_t key[32])
{
    size_t len = 32;
    MAGIC_CHECK(k, KEY_MAGIC);
    REQUIRE(EVP_PKEY_get_raw_public_key(k->pkey, key, &len) == 1, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

bool check_open(struct signature_check *c, const uint8_t key[32])
{
    c->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    c->context = EVP_MD_CTX_new();
    if (c->pkey && c->context) return true;
    check_close(c);
    return false;
}

void check_close(struct signature_check *c)
{
    EVP_MD_CTX_free(c->context);
    EVP_PKEY_free(c->pkey);
    *c = (struct signature_check){0};
}

bool check_signature(const struct signature_check *c, span message, const uint8_t signature[64])
{
    EVP_MD_CTX_reset(c->context);
    return EVP_DigestVerifyInit(c->context, NULL, NULL, NULL, c->pkey) == 1 &&
           EVP_DigestVerify(c->context, signature, 64, message.ptr, message.len) == 1;
}

/* ---- verifier keys -------------------------------------------------------------------------------------------- */

#define ALGORITHM_ED25519 0x01

static bool name_holds(span name)
{
    if (name.len == 0 || name.len > LEDGER_NAME_MAX || !utf8_valid(name)) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] == '+' || name.ptr[i] == 0x7f) return false;
    return true;
}

result ledger_verifier_of(const struct ledger_key *k, const char *origin, struct ledger_verifier *out)
{
    MAGIC_CHECK(k, KEY_MAGIC);
    REQUIRE(origin && name_holds(span_str(origin)), ERROR_CONFIG, LEDGER_E_ORIGIN);
    *out = (struct ledger_verifier){0};
    memcpy(out->name, origin, strlen(origin));
    size_t len = 32;
    REQUIRE(EVP_PKEY_get_raw_public_key(k->pkey, out->key, &len) == 1, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

/* C2SP signed-note: the first four bytes of SHA-256(name ‖ LF ‖ algorithm ‖ key). */
static void key_id(const struct ledger_verifier *v, uint8_t id[4])
{
    uint8_t digest[32], tail[34] = {'\n', ALGORITHM_ED25519};
    memcpy(tail + 2, v->key, 32);
    ASSERT(sha256_two(span_str(v->name), span_of(tail, sizeof tail), digest));
    memcpy(id, digest, 4);
}

void ledger_verifier_format(const struct ledger_verifier *v, char out[LEDGER_VKEY_MAX])
{
    uint8_t id[4], typed[33] = {ALGORITHM_ED25519};
    char hex[9], text[48];
    key_id(v, id);
    hex_encode(span_of(id, 4), hex);
    memcpy(typed + 1, v->key, 32);
    base64_encode(span_of(typed, sizeof typed), text);
    snprintf(out, LEDGER_VKEY_MAX, "%s+%s+%s", v->name, hex, text);
}

result ledger_verifier_parse(span vkey, struct ledger_verifier *out)
{
    vkey = span_trim(vkey);
    size_t plus = span_find(vkey, '+');
    REQUIRE(plus < vkey.len && vkey.len <= LEDGER_VKEY_MAX, ERROR_CONFIG, LEDGER_E_VERIFIER);
    span name = span_sub(vkey, 0, plus), rest = span_from(vkey, plus + 1);
    REQUIRE(
        name_holds(name) && rest.len > 9 && rest.len <= 9 + 48 && rest.ptr[8] == '+', ERROR_CONFIG, LEDGER_E_VERIFIER);
    uint8_t id[4], expected[4], typed[64];
    size_t len = 0;
    REQUIRE(hex_decode(span_sub(rest, 0, 8), id, 4), ERROR_CONFIG, LEDGER_E_VERIFIER);
    REQUIRE(base64_decode(span_from(rest, 9), typed, &len), ERROR_CONFIG, LEDGER_E_VERIFIER);
    REQUIRE(len == 33 && typed[0] == ALGORITHM_ED25519, ERROR_CONFIG, LEDGER_E_VERIFIER);
    *out = (struct ledger_verifier){0};
    memcpy(out->name, name.ptr, name.len);
    memcpy(out->key, typed + 1, 32);
    key_id(out, expected);
    REQUIRE(memcmp(id, expected, 4) == 0, ERROR_CONFIG, LEDGER_E_VERIFIER);
    return OK;
}
