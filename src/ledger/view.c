/* Looking into an entry without a tree: raw JSON values as spans. An auditor's copy may hold anything, so that nothing is
 * taken for granted but the bounds of the leaf. */
#include "ledger/ledger.h"

#define DEPTH_MAX 16u

static span skip_space(span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t' || s.ptr[0] == '\n' || s.ptr[0] == '\r'))
        s = span_from(s, 1);
    return s;
}

/* Length of the string that begins here, quotes included; 0: it does not end. */
static size_t string_length(span s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"') return i + 1;
        if (s.ptr[i] == '\\') i++;
    }
    return 0;
}

static size_t scalar_length(span s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] != ',' && s.ptr[i] != '}' && s.ptr[i] != ']' && s.ptr[i] > ' ')
        i++;
    return i;
}

/* Length of the object or array that begins here; 0: it does not end, or is deeper than any entry. */
static size_t container_length(span s)
{
    unsigned depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '"') {
            size_t n = string_length(span_from(s, i));
            if (n == 0) return 0;
            i += n - 1;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX) return 0;
        } else if (c == '}' || c == ']') {
            if (--depth == 0) return i + 1;
        }
    }
    return 0;
}

static size_t value_length(span s)
{
    if (s.len == 0) return 0;
    if (s.ptr[0] == '"') return string_length(s);
    if (s.ptr[0] == '{' || s.ptr[0] == '[') return container_length(s);
    return scalar_length(s);
}

/* Takes the value that begins here off the rest. */
static bool take_value(span *rest, span *value)
{
    *rest = skip_space(*rest);
    size_t n = value_length(*rest);
    if (n == 0) return false;
    *value = span_sub(*rest, 0, n);
    *rest = skip_space(span_from(*rest, n));
    return true;
}

bool ledger_view_next(span container, size_t *at, span *name, span *value)
{
    if (*at == 0) *at = 1;
    if (container.len < 2 || *at >= container.len) return false;
    bool object = container.ptr[0] == '{';
    if (!object && container.ptr[0] != '[') return false;
    span rest = skip_space(span_from(container, *at));
    *name = span_of(NULL, 0);
    if (object) {
        if (rest.len == 0 || rest.ptr[0] != '"' || !take_value(&rest, name) || rest.len == 0 || rest.ptr[0] != ':') return false;
        *name = span_sub(*name, 1, name->len - 2);
        rest = span_from(rest, 1);
    }
    if (!take_value(&rest, value)) return false;
    if (rest.len > 0 && rest.ptr[0] == ',') rest = span_from(rest, 1);
    *at = container.len - rest.len;
    return true;
}

span ledger_view_member(span object, const char *name)
{
    span key, value;
    size_t at = 0;
    if (object.len == 0 || object.ptr[0] != '{') return span_of(NULL, 0);
    while (ledger_view_next(object, &at, &key, &value))
        if (span_equal(key, span_str(name))) return value;
    return span_of(NULL, 0);
}

static const struct {
    const char *name;
    size_t len;
} members[LEDGER_MEMBER_COUNT] = {
#define X(id, text, note) {text, sizeof(text) - 1},
    LEDGER_MEMBERS(X)
#undef X
};

const char *ledger_member_name(enum ledger_member m)
{
    ASSERT((unsigned)m < LEDGER_MEMBER_COUNT);
    return members[m].name;
}

/* Entries keep the order of the table, so that the search goes on where the last hit was. */
static unsigned find_member(span name, unsigned from)
{
    for (unsigned i = 0; i < LEDGER_MEMBER_COUNT; i++) {
        unsigned m = (from + i) % LEDGER_MEMBER_COUNT;
        if (span_equal(name, span_of((const uint8_t *)members[m].name, members[m].len))) return m;
    }
    return LEDGER_MEMBER_COUNT;
}

bool ledger_view_parse(span json, struct ledger_view *out)
{
    span name, value;
    size_t at = 0;
    unsigned next = 0;
    *out = (struct ledger_view){.json = json};
    if (json.len < 2 || json.ptr[0] != '{' || json.ptr[json.len - 1] != '}') return false;
    while (ledger_view_next(json, &at, &name, &value)) {
        unsigned m = find_member(name, next);
        if (m == LEDGER_MEMBER_COUNT) continue;
        if (!out->members[m].ptr) out->members[m] = value;
        next = m + 1;
    }
    return at + 1 == json.len && out->members[LEDGER_MEMBER_TIME].len > 2;
}

/* Four hex digits of an escape; false: they are none. */
static bool take_unit(span s, size_t at, uint32_t *unit)
{
    uint8_t bytes[2];
    if (at + 4 > s.len || !hex_decode(span_sub(s, at, 4), bytes, 2)) return false;
    *unit = load_be16(bytes);
    return true;
}

static size_t put_utf8(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) return out[0] = (uint8_t)c, 1;
    if (c < 0x800) return out[0] = (uint8_t)(0xc0 | c >> 6), out[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12), out[1] = (uint8_t)(0x80 | (c >> 6 & 63)), out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18), out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63)), out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

/* The escape that begins at s[at]; how long it is in *used. */
static size_t put_escape(span s, size_t at, uint8_t out[4], size_t *used)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    uint32_t c, low;
    *used = 2;
    if (at + 1 >= s.len) return *used = 1, put_utf8(0xfffd, out);
    const char *known = s.ptr[at + 1] ? strchr(from, s.ptr[at + 1]) : NULL;
    if (known) return out[0] = (uint8_t)to[known - from], 1;
    if (s.ptr[at + 1] != 'u') return out[0] = s.ptr[at + 1], 1;
    if (!take_unit(s, at + 2, &c)) return put_utf8(0xfffd, out);
    *used = 6;
    bool high = c >= 0xd800 && c < 0xdc00, pair = high && at + 7 < s.len && s.ptr[at + 6] == '\\' && s.ptr[at + 7] == 'u';
    if (pair && take_unit(s, at + 8, &low) && low >= 0xdc00 && low < 0xe000) {
        *used = 12;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(c >= 0xd800 && c < 0xe000 ? 0xfffd : c, out);
}

span ledger_view_text(span raw, char *scratch, size_t size)
{
    if (raw.len < 2 || raw.ptr[0] != '"') return span_of(NULL, 0);
    span s = span_sub(raw, 1, raw.len - 2);
    if (span_find(s, '\\') == s.len) return s;
    size_t n = 0;
    for (size_t at = 0, used; at < s.len; at += used) {
        uint8_t out[4] = {s.ptr[at]};
        size_t len = 1;
        used = 1;
        if (s.ptr[at] == '\\') len = put_escape(s, at, out, &used);
        if (n + len > size) break;
        memcpy(scratch + n, out, len);
        n += len;
    }
    return span_of(scratch, n);
}

uint64_t ledger_view_number(span raw, uint64_t fallback)
{
    uint64_t n;
    return raw.len > 0 && span_to_u64(raw, UINT64_MAX, &n) ? n : fallback;
}

bool ledger_view_is(span raw, span text)
{
    char scratch[LEDGER_FIELD_MAX * 4];
    return span_equal(ledger_view_text(raw, scratch, sizeof scratch), text) && raw.len >= 2 && raw.ptr[0] == '"';
}
