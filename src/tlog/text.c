#include "tlog/own.h"

bool take_line(span *s, span *line)
{
    size_t n = span_find(*s, '\n');
    if (n == s->len) return false;
    *line = span_sub(*s, 0, n);
    *s = span_from(*s, n + 1);
    return true;
}

bool parse_number(span text, uint64_t *out)
{
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) return false;
    return span_to_u64(text, UINT64_MAX, out);
}

/* The decoder is lenient where these formats are not: what is encoded again must be the same text. */
bool parse_base64(span text, uint8_t *out, size_t len)
{
    uint8_t decoded[192];
    char again[200];
    size_t n = 0;
    ASSERT(len <= 128);
    if (text.len != (len + 2) / 3 * 4 || !base64_decode(text, decoded, &n) || n != len) return false;
    base64_encode(span_of(decoded, n), again);
    if (memcmp(again, text.ptr, text.len) != 0) return false;
    memcpy(out, decoded, n);
    return true;
}

bool parse_path(span *s, struct tlog_path *out)
{
    span line;
    out->count = 0;
    while (take_line(s, &line)) {
        if (line.len == 0) return true;
        if (out->count == TLOG_PATH_HASHES || !parse_base64(line, out->hashes[out->count], TLOG_HASH)) return false;
        out->count++;
    }
    return false;
}

result format_path(struct buf *out, const struct tlog_path *p)
{
    char text[48];
    for (unsigned i = 0; i < p->count; i++) {
        base64_encode(span_of(p->hashes[i], TLOG_HASH), text);
        TRY(buf_printf(out, "%s\n", text));
    }
    return buf_append(out, SPAN("\n"));
}
