#include "ledger/epoch.h"
#include "ledger/seal.h"
#include "os/os.h"
#include <errno.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define HOUR_US UINT64_C(3600000000)
#define PLAIN_MAX ((size_t)11 * 1024)
#define TARGET_MAX ((size_t)4096)
#define TEXT_MAX LEDGER_SEALED_MAX

struct ledger_sealer {
    uint32_t magic;
    STACK_OF(X509) *auditors;
    EVP_CIPHER_CTX *cipher;
    uint64_t hour, count;
    struct ledger_epochs epochs;
    char epoch[LEDGER_MONTH_TEXT]; /* empty: `wrapped` holds all of the key */
    uint8_t key[SEAL_KEY_BYTES];
    char id[SEAL_ID_TEXT];
    char wrapped[TEXT_MAX]; /* ID.BASE64 of the CMS message */
    size_t wrapped_len;
    uint64_t ticket;
    bool made, published, settled; /* settled: its entry is durable */
    struct buf plain, cut;
    char text[TEXT_MAX];
};
#define SEALER_MAGIC 0x7365616cu

/* ---- certificates ----------------------------------------------------------------------------------------------- */

static bool is_p256(X509 *certificate)
{
    char group[64] = "";
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    size_t len;
    return key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

result ledger_auditor_check(span pem, int64_t *ends)
{
    REQUIRE(pem.ptr && pem.len > 0 && pem.len <= INT32_MAX, ERROR_CONFIG, LEDGER_E_AUDITOR);
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    bool good = certificate && is_p256(certificate);
    int days = 0, seconds = 0;
    if (good && ends && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1)
        *ends = (int64_t)days * 86400 + seconds;
    X509_free(certificate);
    BIO_free(in);
    ERR_clear_error();
    return good ? OK : FAIL(ERROR_CONFIG, LEDGER_E_AUDITOR);
}

static result add_auditor(struct ledger_sealer *s, span pem)
{
    TRY(ledger_auditor_check(pem, NULL));
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    REQUIRE(certificate, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    if (sk_X509_push(s->auditors, certificate) > 0) return OK;
    X509_free(certificate);
    return FAIL(ERROR_LIMIT, ENOMEM);
}

result ledger_sealer_new(const span *auditors, size_t count, const struct ledger_epochs *epochs, struct ledger_sealer **out)
{
    struct ledger_sealer *s = mem_alloc(sizeof *s);
    REQUIRE(s, ERROR_LIMIT, ENOMEM);
    s->magic = SEALER_MAGIC;
    s->epochs = *epochs;
    s->auditors = sk_X509_new_null();
    s->cipher = EVP_CIPHER_CTX_new();
    buf_init(&s->plain, PLAIN_MAX);
    buf_init(&s->cut, TARGET_MAX + 8);
    result r = s->auditors && s->cipher ? OK : FAIL(ERROR_LIMIT, ENOMEM);
    for (size_t i = 0; i < count && is_ok(r); i++) r = add_auditor(s, auditors[i]);
    if (is_ok(r)) r = seal_key_due(s, NULL, os_realtime_us(), &(bool){false}); /* all libraries at work before confinement */
    if (!is_ok(r)) {
        ledger_sealer_free(s);
        return r;
    }
    *out = s;
    return OK;
}

void ledger_sealer_free(struct ledger_sealer *s)
{
    if (!s) return;
    MAGIC_CHECK(s, SEALER_MAGIC);
    sk_X509_pop_free(s->auditors, X509_free);
    EVP_CIPHER_CTX_free(s->cipher);
    buf_free(&s->plain);
    buf_free(&s->cut);
    mem_free_wipe(s, sizeof *s);
}

/* ---- the hourly key --------------------------------------------------------------------------------------------- */

/* SHA-256 in the key derivation instead of OpenSSL's SHA-1. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
    CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
    EVP_PKEY_CTX *ctx = info ? CMS_RecipientInfo_get0_pkey_ctx(info) : NULL;
    return ctx && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
}

//= RFC5083 2
//= RFC5753 3.1
static CMS_ContentInfo *wrap(const struct ledger_sealer *s)
{
    BIO *in = BIO_new_mem_buf(s->key, (int)sizeof s->key);
    CMS_ContentInfo *cms = in ? CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()) : NULL;
    bool good = cms && CMS_set_detached(cms, 0) == 1;
    for (int i = 0; good && i < sk_X509_num(s->auditors); i++) good = add_recipient(cms, sk_X509_value(s->auditors, i));
    good = good && CMS_final(cms, in, NULL, CMS_BINARY) == 1;
    BIO_free(in);
    if (good) return cms;
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return NULL;
}

/* ID.BASE64(bytes); 0: too long. */
static size_t put_sealed(const char *id, span bytes, char out[TEXT_MAX])
{
    size_t head = strlen(id);
    if (head + 1 + (bytes.len + 2) / 3 * 4 + 1 > TEXT_MAX) return 0;
    memcpy(out, id, head);
    out[head++] = '.';
    return head + base64_encode(bytes, out + head);
}

/* What the auditors open is one half of the key then, and the month the other. */
static bool join_epoch(struct ledger_sealer *s, uint64_t hour)
{
    uint32_t month = ledger_month_of(hour * HOUR_US);
    s->epoch[0] = 0;
    if (!ledger_epochs_cover(&s->epochs, month)) return true;
    ledger_month_text(month, s->epoch);
    return epochs_seal_key(&s->epochs, month, s->key, s->key);
}

static result renew(struct ledger_sealer *s, uint64_t hour)
{
    uint8_t id[8], *der = NULL;
    TRY(os_random(s->key, sizeof s->key));
    TRY(os_random(id, sizeof id));
    hex_encode(span_of(id, sizeof id), s->id);
    CMS_ContentInfo *cms = wrap(s);
    REQUIRE(cms, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    int len = i2d_CMS_ContentInfo(cms, &der);
    CMS_ContentInfo_free(cms);
    s->wrapped_len = len > 0 ? put_sealed(s->id, span_of(der, (size_t)len), s->wrapped) : 0;
    OPENSSL_free(der);
    REQUIRE(s->wrapped_len > 0, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    REQUIRE(join_epoch(s, hour), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    s->hour = hour;
    s->count = 0;
    s->made = true;
    s->published = s->settled = false;
    return OK;
}

bool seal_holds(struct ledger_sealer *s, const struct ipc_ring *ring)
{
    if (s->settled || !ring || !s->published) return true;
    enum ipc_ticket_state state = ipc_ring_state(ring, s->ticket);
    if (state == IPC_TICKET_DURABLE) s->settled = true;
    if (state == IPC_TICKET_FAILED) s->published = false; /* its successor is told once more */
    return state != IPC_TICKET_FAILED;
}

/* A clock that is set back keeps the key of the later hour. */
result seal_key_due(struct ledger_sealer *s, const struct ipc_ring *ring, uint64_t time_us, bool *due)
{
    MAGIC_CHECK(s, SEALER_MAGIC);
    uint64_t hour = time_us / HOUR_US;
    if (!s->made || hour > s->hour) TRY(renew(s, hour));
    if (s->published) (void)seal_holds(s, ring);
    *due = !s->published;
    return OK;
}

result seal_key_entry(struct ledger_sealer *s, span node, uint64_t time_us, struct ledger_entry *out)
{
    *out = (struct ledger_entry){.time_us = time_us,
        .node = node,
        .event = LEDGER_KEY,
        .upstream_status = -1,
        .status = -1,
        .duration_us = -1,
        .sealed = span_of(s->wrapped, s->wrapped_len),
        .epoch = s->epoch[0] ? span_str(s->epoch) : span_of(NULL, 0)};
    return os_random(out->nonce, sizeof out->nonce);
}

void seal_key_published(struct ledger_sealer *s, uint64_t ticket)
{
    s->ticket = ticket;
    s->published = true;
    s->settled = ticket == 0;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

/* A client's own words may be of any length; what is over the bound is cut as in the entry. */
static result put_text(struct ledger_sealer *s, const char *name, span value, size_t max)
{
    TRY(buf_printf(&s->plain, "%s\"%s\":", buf_len(&s->plain) > 1 ? "," : "", name));
    if (!value.ptr) return buf_append(&s->plain, SPAN("null"));
    if (value.len <= max) return json_quote(&s->plain, value);
    buf_clear(&s->cut);
    while (max > 0 && (value.ptr[max] & 0xc0) == 0x80) max--;
    TRY(buf_append(&s->cut, span_sub(value, 0, max)));
    TRY(buf_append(&s->cut, SPAN("\xe2\x80\xa6")));
    return json_quote(&s->plain, buf_span(&s->cut));
}

#define HANDLE_ROOM 20u

/* A byte of a value may take six; what is left beside the subjects is the target's. */
static result put_plain(struct ledger_sealer *s, const struct ledger_entry *e)
{
    size_t handles = e->handles ? e->subject_count : 0;
    buf_clear(&s->plain);
    TRY(buf_append(&s->plain, SPAN("{")));
    TRY(put_text(s, "organization", e->recipient.organization, 128));
    TRY(put_text(s, "identity", e->recipient.identity, 256));
    TRY(put_text(s, "client", e->client, 64));
    size_t room = (PLAIN_MAX - 64 - buf_len(&s->plain) - handles * HANDLE_ROOM) / 6;
    TRY(put_text(s, "target", e->exact_target, room < TARGET_MAX ? room : TARGET_MAX));
    TRY(buf_append(&s->plain, SPAN(",\"identifiers\":[")));
    for (size_t i = 0; i < handles; i++)
        TRY(buf_printf(&s->plain, "%s\"%016llx\"", i ? "," : "", (unsigned long long)e->handles[i]));
    return buf_append(&s->plain, SPAN("]}"));
}

static bool encrypt(struct ledger_sealer *s, span plain, span associated, uint8_t *out)
{
    int n = 0, m = 0;
    uint8_t *text = out + SEAL_IV_BYTES;
    memset(out, 0, SEAL_IV_BYTES);
    store_le64(out, ++s->count); /* one process has the key: counting never repeats */
    return EVP_EncryptInit_ex2(s->cipher, EVP_aes_256_gcm(), s->key, out, NULL) == 1 &&
           EVP_EncryptUpdate(s->cipher, NULL, &n, associated.ptr, (int)associated.len) == 1 &&
           EVP_EncryptUpdate(s->cipher, text, &n, plain.ptr, (int)plain.len) == 1 &&
           EVP_EncryptFinal_ex(s->cipher, text + n, &m) == 1 && (size_t)n + (size_t)m == plain.len &&
           EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, text + n + m) == 1;
}

result seal_entry(struct ledger_sealer *s, const struct ledger_entry *e, span *text)
{
    uint8_t bytes[SEAL_IV_BYTES + PLAIN_MAX + SEAL_TAG_BYTES];
    char nonce[33];
    MAGIC_CHECK(s, SEALER_MAGIC);
    *text = span_of(NULL, 0);
    bool nothing = !e->recipient.organization.ptr && !e->recipient.identity.ptr && !e->client.ptr && !e->exact_target.ptr &&
                   (!e->handles || e->subject_count == 0);
    if (nothing) return OK;
    TRY(put_plain(s, e));
    span plain = buf_span(&s->plain);
    hex_encode(span_of(e->nonce, sizeof e->nonce), nonce);
    REQUIRE(encrypt(s, plain, span_of(nonce, 32), bytes), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    mem_wipe((void *)(uintptr_t)plain.ptr, plain.len);
    size_t n = put_sealed(s->id, span_of(bytes, SEAL_IV_BYTES + plain.len + SEAL_TAG_BYTES), s->text);
    REQUIRE(n > 0, ERROR_LIMIT, EMSGSIZE);
    *text = span_of(s->text, n);
    return OK;
}
