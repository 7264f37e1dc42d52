#include "ledger/layout.h"
#include <errno.h>

/* The text that is signed: origin, size, root, each on a line. */
static size_t checkpoint_text(const char *origin, uint64_t size, const uint8_t root[32], char *out, size_t room)
{
    char text[48];
    base64_encode(span_of(root, 32), text);
    int n = snprintf(out, room, "%s\n%llu\n%s\n", origin, (unsigned long long)size, text);
    ASSERT(n > 0 && (size_t)n < room);
    return (size_t)n;
}

/* The key id stands in the vkey: NAME+ID+KEY. */
static void verifier_id(const struct ledger_verifier *v, uint8_t id[4])
{
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(v, vkey);
    ASSERT(hex_decode(span_of(vkey + strlen(v->name) + 1, 8), id, 4));
}

size_t tip_format(const struct ledger_verifier *v, const struct ledger_key *key, uint64_t size, const uint8_t root[32],
    uint8_t out[TIP_BYTES])
{
    uint8_t signature[68];
    char text[104];
    memset(out, 0, TIP_BYTES);
    size_t n = checkpoint_text(v->name, size, root, (char *)out, TIP_BYTES);
    verifier_id(v, signature);
    if (!ledger_key_sign(key, span_of(out, n), signature + 4)) return 0;
    base64_encode(span_of(signature, sizeof signature), text);
    int m = snprintf((char *)out + n, TIP_BYTES - n, "\n\xe2\x80\x94 %s %s\n", v->name, text);
    ASSERT(m > 0 && n + (size_t)m < TIP_BYTES);
    return n + (size_t)m;
}

static bool take_line(span *s, span *line)
{
    size_t n = span_find(*s, '\n');
    if (n == s->len) return false;
    *line = span_sub(*s, 0, n);
    *s = span_from(*s, n + 1);
    return true;
}

static bool take_checkpoint(span *s, const struct ledger_verifier *v, uint64_t *size, uint8_t root[32])
{
    span origin, count, hash, empty;
    uint8_t decoded[64];
    size_t len = 0;
    if (!take_line(s, &origin) || !take_line(s, &count) || !take_line(s, &hash) || !take_line(s, &empty)) return false;
    if (!span_equal(origin, span_str(v->name)) || empty.len != 0 || !span_to_u64(count, UINT64_MAX, size)) return false;
    if (hash.len != 44 || !base64_decode(hash, decoded, &len) || len != 32) return false;
    memcpy(root, decoded, 32);
    return true;
}

bool tip_parse(
    span text, const struct ledger_verifier *v, const struct signature_check *check, uint64_t *size, uint8_t root[32])
{
    span s = span_sub(text, 0, span_find(text, 0)), line;
    span all = s;
    if (!take_checkpoint(&s, v, size, root)) return false;
    size_t signed_len = all.len - s.len - 1;
    uint8_t signature[96], id[4];
    size_t len = 0;
    if (!take_line(&s, &line) || s.len != 0) return false;
    span name = span_str(v->name);
    size_t before = 4 + name.len + 1;
    if (line.len != before + 92 || !span_starts(line, SPAN("\xe2\x80\x94 "))) return false;
    if (!span_equal(span_sub(line, 4, name.len), name) || line.ptr[4 + name.len] != ' ') return false;
    if (!base64_decode(span_from(line, before), signature, &len) || len != 68) return false;
    verifier_id(v, id);
    return memcmp(signature, id, 4) == 0 && check_signature(check, span_sub(all, 0, signed_len), signature + 4);
}

/* From the disk, as segments are. A tip of another length than ours is none. */
static result tip_load(const char *path, uint8_t out[TIP_BYTES], size_t *len)
{
    struct os_direct file;
    uint64_t size;
    TRY(os_direct_open(path, false, &file, &size));
    result r = os_direct_read(&file, out, TIP_BYTES, 0, len);
    os_direct_close(&file);
    return r;
}

static result tip_read(const char *directory, const char *name, const struct ledger_verifier *v,
    const struct signature_check *check, struct expectation *tip)
{
    char path[PATH_BYTES];
    *tip = (struct expectation){0};
    TRY(layout_path(path, directory, "%s", name));
    if (!os_exists(path)) return OK;
    uint8_t *text = os_aligned_alloc(TIP_BYTES);
    size_t len = 0;
    REQUIRE(text, ERROR_LIMIT, ENOMEM);
    result r = tip_load(path, text, &len);
    tip->there = is_ok(r) && tip_parse(span_of(text, len), v, check, &tip->size, tip->root);
    os_aligned_free(text);
    return r;
}

result tips_read(const char *directory, const struct ledger_verifier *v, const struct signature_check *check,
    struct expectation tips[2], int *newest)
{
    TRY(tip_read(directory, "tip.a", v, check, &tips[0]));
    TRY(tip_read(directory, "tip.b", v, check, &tips[1]));
    *newest = -1;
    for (int i = 0; i < 2; i++)
        if (tips[i].there && (*newest < 0 || tips[i].size > tips[*newest].size)) *newest = i;
    return OK;
}
