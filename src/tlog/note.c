#include "tlog/own.h"
#include <openssl/evp.h>

#define DASH "\xe2\x80\x94 "
#define SIGNATURES_MAX 100u
#define COSIGNATURE_LINE "cosignature/v1\ntime %llu\n"
#define STAMPED_MAX (TLOG_NOTE_MAX + 64)

/* ---- keys ----------------------------------------------------------------------------------------------------- */

static bool name_holds(span name)
{
    if (name.len == 0 || name.len > TLOG_NAME_MAX || !utf8_valid(name)) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] == '+' || name.ptr[i] == 0x7f) return false;
    return true;
}

/* The first four bytes of SHA-256(name ‖ LF ‖ type ‖ key). */
result tlog_verifier_make(span name, enum tlog_key_type type, const uint8_t key[32], struct tlog_verifier *out)
{
    uint8_t digest[32], tail[34] = {'\n', (uint8_t)type};
    REQUIRE(name_holds(name), ERROR_CONFIG, TLOG_E_NAME);
    *out = (struct tlog_verifier){.type = type};
    memcpy(out->name, name.ptr, name.len);
    memcpy(out->key, key, 32);
    memcpy(tail + 2, key, 32);
    REQUIRE(sha256_two(name, span_of(tail, sizeof tail), digest), ERROR_INTERNAL, TLOG_E_CRYPTO);
    memcpy(out->id, digest, 4);
    return OK;
}

void tlog_verifier_format(const struct tlog_verifier *v, char out[TLOG_VKEY_MAX])
{
    uint8_t typed[33] = {(uint8_t)v->type};
    char hex[9], text[48];
    hex_encode(span_of(v->id, 4), hex);
    memcpy(typed + 1, v->key, 32);
    base64_encode(span_of(typed, sizeof typed), text);
    snprintf(out, TLOG_VKEY_MAX, "%s+%s+%s", v->name, hex, text);
}

result tlog_verifier_parse(span vkey, struct tlog_verifier *out)
{
    uint8_t id[4], typed[33];
    vkey = span_trim(vkey);
    size_t plus = span_find(vkey, '+');
    REQUIRE(plus < vkey.len && vkey.len < TLOG_VKEY_MAX, ERROR_CONFIG, TLOG_E_VERIFIER);
    span rest = span_from(vkey, plus + 1);
    bool good = rest.len == 9 + 44 && rest.ptr[8] == '+' && hex_decode(span_sub(rest, 0, 8), id, 4) &&
                parse_base64(span_from(rest, 9), typed, sizeof typed);
    REQUIRE(good && (typed[0] == TLOG_ED25519 || typed[0] == TLOG_COSIGNATURE), ERROR_CONFIG, TLOG_E_VERIFIER);
    TRY(tlog_verifier_make(span_sub(vkey, 0, plus), typed[0], typed + 1, out));
    REQUIRE(memcmp(id, out->id, 4) == 0, ERROR_CONFIG, TLOG_E_VERIFIER);
    return OK;
}

//= RFC8032 5.1
static bool check_ed25519(const uint8_t key[32], span message, const uint8_t signature[64])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = pkey && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(context, signature, 64, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return good;
}

/* ---- notes ---------------------------------------------------------------------------------------------------- */

/* The text ends at the last empty line. */
bool tlog_note_split(span note, struct tlog_note *out)
{
    size_t at = note.len;
    if (note.len < 3 || note.len > TLOG_NOTE_MAX || note.ptr[note.len - 1] != '\n' || !utf8_valid(note)) return false;
    for (size_t i = 0; i < note.len; i++)
        if (note.ptr[i] < ' ' && note.ptr[i] != '\n') return false;
    for (size_t i = 0; i + 1 < note.len; i++)
        if (note.ptr[i] == '\n' && note.ptr[i + 1] == '\n') at = i;
    if (at == note.len) return false;
    *out = (struct tlog_note){span_sub(note, 0, at + 1), span_from(note, at + 2)};
    return out->signatures.len > 0;
}

/* "— NAME BASE64(id ‖ signature)" of this key, with as many bytes as its type has. */
static bool parse_signature(span line, const struct tlog_verifier *v, uint8_t *out, size_t len)
{
    uint8_t bytes[4 + 8 + 64];
    span name = span_str(v->name), dash = SPAN(DASH);
    if (line.len <= dash.len + name.len || !span_starts(line, dash)) return false;
    line = span_from(line, dash.len);
    if (!span_starts(line, name) || line.ptr[name.len] != ' ') return false;
    if (!parse_base64(span_from(line, name.len + 1), bytes, 4 + len) || memcmp(bytes, v->id, 4) != 0) return false;
    memcpy(out, bytes + 4, len);
    return true;
}

/* What a cosigner signs: the time before the text. */
static span stamp_text(span text, uint64_t time, char room[STAMPED_MAX])
{
    int n = snprintf(room, STAMPED_MAX, COSIGNATURE_LINE, (unsigned long long)time);
    ASSERT(n > 0 && (size_t)n + text.len <= STAMPED_MAX);
    memcpy(room + n, text.ptr, text.len);
    return span_of(room, (size_t)n + text.len);
}

static bool line_signs(span line, span text, const struct tlog_verifier *v, uint64_t *time)
{
    char room[STAMPED_MAX];
    uint8_t bytes[8 + 64];
    if (v->type == TLOG_ED25519) return parse_signature(line, v, bytes, 64) && check_ed25519(v->key, text, bytes);
    if (!parse_signature(line, v, bytes, sizeof bytes)) return false;
    *time = load_be64(bytes);
    return *time <= INT64_MAX && check_ed25519(v->key, stamp_text(text, *time, room), bytes + 8);
}

bool tlog_note_signed(const struct tlog_note *n, const struct tlog_verifier *v, uint64_t *time)
{
    span rest = n->signatures, line;
    uint64_t at = 0;
    bool good = false;
    unsigned lines = 0;
    if (time) *time = 0;
    for (; take_line(&rest, &line); lines++) {
        if (lines == SIGNATURES_MAX || !span_starts(line, SPAN(DASH))) return false; /* not a note at all */
        if (!good) good = line_signs(line, n->text, v, &at);
    }
    if (good && time) *time = at;
    return good && rest.len == 0;
}

result tlog_note_sign(
    struct buf *out, span text, const struct tlog_verifier *v, uint64_t time, tlog_sign_fn *sign, void *ctx)
{
    uint8_t bytes[4 + 8 + 64];
    char room[STAMPED_MAX], encoded[112];
    size_t stamp = v->type == TLOG_COSIGNATURE ? 8 : 0;
    REQUIRE(text.len <= TLOG_NOTE_MAX, ERROR_LIMIT, TLOG_E_NAME);
    memcpy(bytes, v->id, 4);
    if (stamp > 0) store_be64(bytes + 4, time);
    span message = stamp ? stamp_text(text, time, room) : text;
    REQUIRE(sign(ctx, message, bytes + 4 + stamp), ERROR_INTERNAL, TLOG_E_CRYPTO);
    base64_encode(span_of(bytes, 4 + stamp + 64), encoded);
    return buf_printf(out, DASH "%s %s\n", v->name, encoded);
}

/* ---- checkpoints ---------------------------------------------------------------------------------------------- */

bool tlog_checkpoint_parse(span text, struct tlog_checkpoint *out)
{
    span size, root;
    if (!take_line(&text, &out->origin) || !take_line(&text, &size) || !take_line(&text, &root)) return false;
    for (span line; take_line(&text, &line);)
        if (line.len == 0) return false;
    return out->origin.len > 0 && text.len == 0 && parse_number(size, &out->size) &&
           parse_base64(root, out->root, TLOG_HASH);
}

result tlog_checkpoint_format(struct buf *out, span origin, uint64_t size, const tlog_hash root)
{
    char text[48];
    base64_encode(span_of(root, TLOG_HASH), text);
    return buf_printf(out, "%.*s\n%llu\n%s\n", SPAN_FMT(origin), (unsigned long long)size, text);
}

result tlog_checkpoint_sign(struct buf *out, const struct tlog_verifier *v, uint64_t size, const tlog_hash root,
    tlog_sign_fn *sign, void *ctx)
{
    uint8_t text[TLOG_NAME_MAX + 80];
    size_t from = buf_len(out);
    TRY(tlog_checkpoint_format(out, span_str(v->name), size, root));
    size_t len = buf_len(out) - from;
    ASSERT(len <= sizeof text);
    memcpy(text, buf_span(out).ptr + from, len); /* the buffer moves when it grows */
    TRY(buf_append(out, SPAN("\n")));
    return tlog_note_sign(out, span_of(text, len), v, 0, sign, ctx);
}

bool tlog_checkpoint_open(span note, const struct tlog_verifier *v, struct tlog_checkpoint *out)
{
    struct tlog_note n;
    return tlog_note_split(note, &n) && tlog_checkpoint_parse(n.text, out) &&
           span_equal(out->origin, span_str(v->name)) && tlog_note_signed(&n, v, NULL);
}
