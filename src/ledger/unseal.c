/* Opening `sealed` with an auditor's private key. */
#include "ledger/epoch.h"
#include "ledger/seal.h"
#include <errno.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

struct known_key {
    char id[SEAL_ID_TEXT];
    bool opened, foreign;
    uint32_t epoch; /* 0: it opens by itself */
    uint8_t key[SEAL_KEY_BYTES];
    uint8_t *wrapped; /* DER, until it is opened */
    size_t wrapped_len;
};

struct ledger_unsealer {
    uint32_t magic;
    EVP_PKEY *auditor;
    EVP_CIPHER_CTX *cipher;
    struct ledger_epochs epochs;
    struct known_key *keys;
    size_t count, room;
};
#define UNSEALER_MAGIC 0x756e7365u

result ledger_unsealer_open(span pem, struct ledger_unsealer **out)
{
    REQUIRE(pem.ptr && pem.len > 0 && pem.len <= INT32_MAX, ERROR_CONFIG, LEDGER_E_AUDITOR_KEY);
    struct ledger_unsealer *u = mem_alloc(sizeof *u);
    REQUIRE(u, ERROR_LIMIT, ENOMEM);
    u->magic = UNSEALER_MAGIC;
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    u->auditor = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    u->cipher = EVP_CIPHER_CTX_new();
    BIO_free(in);
    ERR_clear_error();
    if (u->auditor && u->cipher && EVP_PKEY_is_a(u->auditor, "EC")) {
        *out = u;
        return OK;
    }
    ledger_unsealer_close(u);
    return FAIL(ERROR_CONFIG, LEDGER_E_AUDITOR_KEY);
}

void ledger_unsealer_close(struct ledger_unsealer *u)
{
    if (!u) return;
    MAGIC_CHECK(u, UNSEALER_MAGIC);
    for (size_t i = 0; i < u->count; i++) mem_free(u->keys[i].wrapped);
    if (u->keys) mem_free_wipe(u->keys, u->room * sizeof *u->keys);
    EVP_PKEY_free(u->auditor);
    EVP_CIPHER_CTX_free(u->cipher);
    mem_free_wipe(u, sizeof *u);
}

void ledger_unsealer_epochs(struct ledger_unsealer *u, const struct ledger_epochs *epochs)
{
    MAGIC_CHECK(u, UNSEALER_MAGIC);
    u->epochs = *epochs;
}

/* ID.BASE64 → both; false: it is not that. `bytes` has room for the text's length. */
static bool split(span sealed, char id[SEAL_ID_TEXT], uint8_t *bytes, size_t *len)
{
    size_t dot = span_find(sealed, '.');
    if (dot != SEAL_ID_TEXT - 1 || dot == sealed.len) return false;
    memcpy(id, sealed.ptr, dot);
    id[dot] = 0;
    return base64_decode(span_from(sealed, dot + 1), bytes, len);
}

static struct known_key *find_key(const struct ledger_unsealer *u, const char *id)
{
    for (size_t i = u->count; i-- > 0;) /* entries follow their keys closely */
        if (memcmp(u->keys[i].id, id, SEAL_ID_TEXT) == 0) return &u->keys[i];
    return NULL;
}

static result add_key(struct ledger_unsealer *u, const struct known_key *k)
{
    if (u->count == u->room) {
        size_t room = u->room * 2 + 64;
        struct known_key *more = mem_array(room, sizeof *more);
        REQUIRE(more, ERROR_LIMIT, ENOMEM);
        if (u->count > 0) memcpy(more, u->keys, u->count * sizeof *more);
        if (u->keys) mem_free_wipe(u->keys, u->room * sizeof *u->keys);
        u->keys = more;
        u->room = room;
    }
    u->keys[u->count++] = *k;
    return OK;
}

result ledger_unsealer_learn(struct ledger_unsealer *u, const struct ledger_view *v)
{
    struct known_key k = {.opened = false};
    MAGIC_CHECK(u, UNSEALER_MAGIC);
    span sealed = v->members[LEDGER_MEMBER_SEALED];
    if (sealed.len < 3 || !ledger_view_is(v->members[LEDGER_MEMBER_EVENT], span_str(ledger_event_name(LEDGER_KEY)))) return OK;
    k.wrapped = mem_alloc(sealed.len);
    REQUIRE(k.wrapped, ERROR_LIMIT, ENOMEM);
    span epoch = ledger_view_member(v->json, "epoch");
    bool fine = split(span_sub(sealed, 1, sealed.len - 2), k.id, k.wrapped, &k.wrapped_len) && !find_key(u, k.id) &&
                (!epoch.ptr || (epoch.len > 2 && ledger_month_parse(span_sub(epoch, 1, epoch.len - 2), &k.epoch)));
    result r = fine ? add_key(u, &k) : OK;
    if (!fine || !is_ok(r)) mem_free(k.wrapped);
    return r;
}

static bool decrypt_key(struct ledger_unsealer *u, struct known_key *k)
{
    const uint8_t *at = k->wrapped;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)k->wrapped_len);
    BIO *out = cms ? BIO_new(BIO_s_mem()) : NULL;
    bool good = out && CMS_decrypt(cms, u->auditor, NULL, NULL, out, CMS_BINARY) == 1 &&
                BIO_read(out, k->key, sizeof k->key) == (int)sizeof k->key && BIO_pending(out) == 0;
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return good;
}

static bool open_key(struct ledger_unsealer *u, struct known_key *k)
{
    if (k->opened) return true;
    if (k->foreign) return false;
    k->foreign = !decrypt_key(u, k);
    k->opened = !k->foreign && (k->epoch == 0 || epochs_seal_key(&u->epochs, k->epoch, k->key, k->key));
    mem_free(k->wrapped);
    k->wrapped = NULL;
    return k->opened;
}

static bool decrypt(struct ledger_unsealer *u, const struct known_key *k, span bytes, span associated, uint8_t *out, size_t *len)
{
    int n = 0, m = 0;
    if (bytes.len < SEAL_IV_BYTES + SEAL_TAG_BYTES) return false;
    *len = bytes.len - SEAL_IV_BYTES - SEAL_TAG_BYTES;
    void *tag = (void *)(uintptr_t)(bytes.ptr + SEAL_IV_BYTES + *len);
    return EVP_DecryptInit_ex2(u->cipher, EVP_aes_256_gcm(), k->key, bytes.ptr, NULL) == 1 &&
           EVP_DecryptUpdate(u->cipher, NULL, &n, associated.ptr, (int)associated.len) == 1 &&
           EVP_DecryptUpdate(u->cipher, out, &n, bytes.ptr + SEAL_IV_BYTES, (int)*len) == 1 &&
           EVP_CIPHER_CTX_ctrl(u->cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1 &&
           EVP_DecryptFinal_ex(u->cipher, out + n, &m) == 1;
}

/* Whoever sealed it wrote JSON; what is none is not shown. */
static bool is_object(span s)
{
    if (s.len < 2 || s.ptr[0] != '{' || s.ptr[s.len - 1] != '}' || !utf8_valid(s)) return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x20) return false;
    return true;
}

enum ledger_unsealed ledger_unseal(struct ledger_unsealer *u, const struct ledger_view *v, struct buf *out)
{
    span sealed = v->members[LEDGER_MEMBER_SEALED], nonce = v->members[LEDGER_MEMBER_NONCE];
    char id[SEAL_ID_TEXT];
    uint8_t bytes[LEDGER_ENTRY_MAX], *room;
    size_t len, plain;
    MAGIC_CHECK(u, UNSEALER_MAGIC);
    buf_clear(out);
    bool is_key = ledger_view_is(v->members[LEDGER_MEMBER_EVENT], span_str(ledger_event_name(LEDGER_KEY)));
    if (sealed.len < 3 || sealed.ptr[0] != '"' || is_key) return LEDGER_NOTHING_SEALED;
    if (nonce.len < 2 || !split(span_sub(sealed, 1, sealed.len - 2), id, bytes, &len)) return LEDGER_SEAL_BROKEN;
    struct known_key *k = find_key(u, id);
    if (!k) return LEDGER_SEAL_KEY_MISSING;
    if (k->epoch != 0 && !ledger_epochs_cover(&u->epochs, k->epoch)) return LEDGER_SEAL_NO_EPOCHS;
    if (k->epoch != 0 && ledger_epochs_destroyed(&u->epochs, k->epoch)) return LEDGER_SEAL_DESTROYED;
    if (!open_key(u, k)) return LEDGER_SEAL_NOT_OURS;
    if (!is_ok(buf_reserve(out, len, &room))) return LEDGER_SEAL_BROKEN;
    if (!decrypt(u, k, span_of(bytes, len), span_sub(nonce, 1, nonce.len - 2), room, &plain)) return LEDGER_SEAL_BROKEN;
    if (!is_object(span_of(room, plain))) return LEDGER_SEAL_BROKEN;
    buf_commit(out, plain);
    return LEDGER_UNSEALED;
}

const char *ledger_unsealed_text(enum ledger_unsealed u)
{
    switch (u) {
    case LEDGER_NOTHING_SEALED: return "nothing is sealed";
    case LEDGER_UNSEALED: return "unsealed";
    case LEDGER_SEAL_KEY_MISSING: return "the entry of its key is not in what was read";
    case LEDGER_SEAL_NOT_OURS: return "it is not sealed for this key";
    case LEDGER_SEAL_NO_EPOCHS: return "epochs.json of the ledger's directory is needed beside the key";
    case LEDGER_SEAL_DESTROYED: return "the key of its month was destroyed under the records schedule";
    case LEDGER_SEAL_BROKEN: return "it does not open: it was changed, or belongs to another entry";
    }
    return "";
}
