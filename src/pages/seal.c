/* Cursors of our own. What an origin puts into a cursor (a row's id, an offset that counts everybody) must not reach who may
 * not count; so it travels sealed, in a text of one length, and comes back only from whom it was given to.
 *
 *   base64url( version ‖ nonce ‖ AES-256-GCM( expiry ‖ from ‖ skip ‖ position ‖ length ‖ address, padded to `size` ) ‖ tag )
 *
 * Recipient, path and query stand in the additional data, each behind its length.
 *
 *= NIST.SP800-38D 5.2   authenticated encryption and decryption
 *= ICE10036.2 2.1 */
#include "pages/pages.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define VERSION 1
#define FIXED 36 /* expiry, from, skip, position: 8 each; length: 4 */
#define TAG 16

static size_t plain_length(size_t size) { return FIXED + size; }
static size_t raw_length(size_t size) { return 1 + PAGES_NONCE + plain_length(size) + TAG; }
size_t pages_sealed_length(size_t size) { return (raw_length(size) * 4 + 2) / 3; }

/* ---- keys ------------------------------------------------------------------------------------------------------- */

const char *pages_keys_read(span text, struct pages_keys *out)
{
    static const char wrong[] = "is no key file; write 64 hexadecimal digits a line, such as openssl rand -hex 32 makes, the key in use first";
    *out = (struct pages_keys){.count = 0};
    while (text.len > 0) {
        size_t end = span_find(text, '\n');
        span line = span_trim(span_sub(text, 0, end));
        text = span_from(text, end < text.len ? end + 1 : end);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
        if (line.len == 0 || line.ptr[0] == '#') continue;
        if (out->count == PAGES_KEYS) return "holds more than 8 keys; remove those that no cursor under way needs any more";
        if (!hex_decode(line, out->key[out->count++], PAGES_KEY)) return wrong;
    }
    return out->count > 0 ? NULL : wrong;
}

bool pages_keys_derive(span secret, struct pages_keys *out)
{
    *out = (struct pages_keys){.count = 1};
    return hmac_sha256(secret, SPAN("gate1367 cursors 1"), out->key[0]);
}

/* ---- AES-256-GCM ------------------------------------------------------------------------------------------------ */

static bool add_data(EVP_CIPHER_CTX *c, span data)
{
    uint8_t length[8];
    int n;
    store_le64(length, data.len);
    if (data.len > INT32_MAX || !EVP_CipherUpdate(c, NULL, &n, length, sizeof(length))) return false;
    return data.len == 0 || EVP_CipherUpdate(c, NULL, &n, data.ptr, (int)data.len);
}

static bool bind(EVP_CIPHER_CTX *c, const struct pages_binding *b)
{
    return add_data(c, SPAN("gate1367 cursor 1")) && add_data(c, b->recipient) && add_data(c, b->path) &&
           add_data(c, b->query);
}

static bool seal_with(EVP_CIPHER_CTX *c, const uint8_t *key, const struct pages_binding *b, const uint8_t *nonce, span plain, uint8_t *out)
{
    int n;
    return EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, 1) && bind(c, b) &&
           EVP_CipherUpdate(c, out, &n, plain.ptr, (int)plain.len) && EVP_CipherFinal_ex(c, out + n, &n) &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + plain.len);
}

static bool open_with(EVP_CIPHER_CTX *c, const uint8_t *key, const struct pages_binding *b, const uint8_t *nonce, span sealed, uint8_t *out)
{
    int n;
    size_t len = sealed.len - TAG;
    uint8_t tag[TAG];
    memcpy(tag, sealed.ptr + len, TAG);
    return EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, 0) && bind(c, b) &&
           EVP_CipherUpdate(c, out, &n, sealed.ptr, (int)len) && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) &&
           EVP_CipherFinal_ex(c, out + n, &n) > 0;
}

/* ---- cursors ---------------------------------------------------------------------------------------------------- */

static void write_plain(const struct pages_place *p, uint64_t expires_s, uint8_t *out)
{
    store_le64(out, expires_s);
    store_le64(out + 8, p->from);
    store_le64(out + 16, p->skip);
    store_le64(out + 24, p->position);
    store_le32(out + 32, (uint32_t)p->address.len);
    if (p->address.len > 0) memcpy(out + FIXED, p->address.ptr, p->address.len);
}

/* RFC 4648 5: no "+", "/" or "=", which a query would spell in several ways. */
static RESULT append_base64url(struct buf *out, span raw)
{
    uint8_t *text;
    TRY(buf_reserve(out, 4 * ((raw.len + 2) / 3) + 1, &text));
    size_t n = base64_encode(raw, (char *)text);
    while (n > 0 && text[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++) text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    buf_commit(out, n);
    return OK;
}

result pages_seal(const struct pages_keys *keys, const struct pages_binding *b, const uint8_t nonce[PAGES_NONCE], size_t size,
    uint64_t expires_s, const struct pages_place *place, struct buf *out)
{
    REQUIRE(place->address.len <= size, ERROR_PEER, EMSGSIZE);
    MEM_AUTO uint8_t *plain = mem_alloc(plain_length(size)), *raw = mem_alloc(raw_length(size));
    REQUIRE(plain != NULL && raw != NULL, ERROR_LIMIT, ENOMEM);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    write_plain(place, expires_s, plain);
    raw[0] = VERSION;
    memcpy(raw + 1, nonce, PAGES_NONCE);
    bool sealed = c != NULL && seal_with(c, keys->key[0], b, nonce, span_of(plain, plain_length(size)), raw + 1 + PAGES_NONCE);
    EVP_CIPHER_CTX_free(c);
    mem_wipe(plain, plain_length(size));
    REQUIRE(sealed, ERROR_INTERNAL, 0);
    return append_base64url(out, span_of(raw, raw_length(size)));
}

/* One spelling alone: what base64_decode forgives (padding, the other alphabet, bits that say nothing) would give a cursor
 * several texts. */
static bool decode(span cursor, size_t size, uint8_t *raw)
{
    size_t n;
    if (cursor.len != pages_sealed_length(size)) return false;
    for (size_t i = 0; i < cursor.len; i++)
        if (!is_alnum(cursor.ptr[i]) && cursor.ptr[i] != '-' && cursor.ptr[i] != '_') return false;
    if (!base64_decode(cursor, raw, &n) || n != raw_length(size) || raw[0] != VERSION) return false;
    struct buf again;
    buf_init(&again, cursor.len + 8);
    bool same = is_ok(append_base64url(&again, span_of(raw, n))) && span_equal(buf_span(&again), cursor);
    buf_free(&again);
    return same;
}

static bool read_plain(const uint8_t *plain, size_t size, uint64_t now_s, struct pages_place *out)
{
    uint32_t len;
    memcpy(&len, plain + 32, sizeof(len));
    *out = (struct pages_place){.from = load_le64(plain + 8), .skip = load_le64(plain + 16), .position = load_le64(plain + 24)};
    if (len > size || load_le64(plain) <= now_s) return false;
    out->address = span_of(plain + FIXED, len);
    return true;
}

bool pages_open(const struct pages_keys *keys, const struct pages_binding *b, size_t size, uint64_t now_s, span cursor,
    uint8_t *room, struct pages_place *place)
{
    MEM_AUTO uint8_t *raw = mem_alloc(raw_length(size) + 4);
    EVP_CIPHER_CTX *c = raw == NULL ? NULL : EVP_CIPHER_CTX_new();
    bool opened = false;
    if (c == NULL || !decode(cursor, size, raw)) {
        EVP_CIPHER_CTX_free(c);
        return false;
    }
    span sealed = span_of(raw + 1 + PAGES_NONCE, plain_length(size) + TAG);
    for (size_t i = 0; i < keys->count && !opened; i++) opened = open_with(c, keys->key[i], b, raw + 1, sealed, room);
    EVP_CIPHER_CTX_free(c);
    return opened && read_plain(room, size, now_s, place);
}
