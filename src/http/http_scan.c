/* Lines and fields: the part that requests and responses have in common.
 *
 * A head is read in two strides. The scan looks at every byte once, as it comes, and stops at the first that no head
 * may hold; it needs no memory but three offsets, so that a head may come byte by byte and its buffer may move. The
 * fields are split when the blank line is there. */
#include "http/http_parse.h"

/* Of eight bytes at once those below SP (HTAB looks suspicious, and is looked at) and DEL: the top bit of the first such byte
 * is the lowest that is set. */
static uint64_t find_suspects(const uint8_t *p)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
    uint64_t x = load_le64(p), del = x ^ (0x7f * ones);
    return (((x - 0x20 * ones) & ~x) | ((del - ones) & ~del)) & high;
}

size_t http_skip_text(const uint8_t *p, size_t i, size_t end)
{
    while (end - i >= 8) {
        uint64_t suspects = find_suspects(p + i);
        i += suspects ? (size_t)__builtin_ctzll(suspects) / 8 : 8;
        if (suspects == 0) continue;
        if (!http_is(p[i], HTTP_C_TEXT)) return i;
        i++;
    }
    while (i < end && http_is(p[i], HTTP_C_TEXT))
        i++;
    return i;
}

//= RFC9112 2.2
enum http_line http_scan_on(struct http_scan *s, span in, size_t limit)
{
    size_t end = in.len < limit ? in.len : limit;
    ASSERT(s->scanned <= end);
    for (;;) {
        size_t at = s->scanned = http_skip_text(in.ptr, s->scanned, end);
        if (at < end && in.ptr[at] != '\r') return HTTP_LINE_BAD;
        if (at + 1 >= end) return in.len >= limit ? HTTP_LINE_LONG : HTTP_LINE_MORE;
        if (in.ptr[at + 1] != '\n') return HTTP_LINE_BAD;
        bool empty = at == s->line;
        s->scanned = s->line = at + 2;
        if (s->first_line == 0) {
            s->first_line = at;
            return empty ? HTTP_LINE_BAD : HTTP_LINE_FIRST;
        }
        if (empty) return HTTP_LINE_END;
    }
}

enum http_version http_version_parse(span text, uint8_t *minor)
{
    if (text.len != 8 || memcmp(text.ptr, "HTTP/", 5) != 0) return HTTP_VERSION_BAD;
    if (!is_digit(text.ptr[5]) || text.ptr[6] != '.' || !is_digit(text.ptr[7])) return HTTP_VERSION_BAD;
    *minor = text.ptr[7] - '0';
    return text.ptr[5] == '1' && *minor <= 1 ? HTTP_VERSION_1 : HTTP_VERSION_OTHER;
}

bool http_list_next(span *rest, span *element)
{
    while (rest->len > 0) {
        size_t comma = span_find(*rest, ',');
        *element = span_trim(span_sub(*rest, 0, comma));
        *rest = span_from(*rest, comma < rest->len ? comma + 1 : comma);
        if (element->len > 0) return true;
    }
    return false;
}

static void note_connection(span value, struct http_head_facts *f)
{
    span option;
    while (http_list_next(&value, &option)) {
        if (span_equal_nocase(option, SPAN("close"))) f->close = true;
        if (span_equal_nocase(option, SPAN("keep-alive"))) f->keep_alive = true;
    }
}

/* Not as it is declared but as it is sent on: INT64_MAX is more than any body has, and leaves room to add. */
static void note_length(span value, struct http_head_facts *f)
{
    f->lengths++;
    if (!span_to_u64(value, INT64_MAX, &f->length)) f->length_bad = true;
}

static void note_field(const struct http_field *f, struct http_head_facts *facts)
{
    switch ((int)f->id) {
    case HTTP_FIELD_HOST:
        facts->hosts++;
        facts->host = f->value;
        break;
    case HTTP_FIELD_CONTENT_LENGTH: note_length(f->value, facts); break;
    case HTTP_FIELD_TRANSFER_ENCODING:
        facts->codings++;
        facts->chunked = span_equal_nocase(f->value, SPAN("chunked"));
        break;
    case HTTP_FIELD_CONNECTION: note_connection(f->value, facts); break;
    case HTTP_FIELD_UPGRADE: facts->upgrade = true; break;
    case HTTP_FIELD_EXPECT: facts->expect_continue |= span_equal_nocase(f->value, SPAN("100-continue")); break;
    default: break;
    }
}

/* One line into name and value. A line that starts with white space is obs-fold, and no token starts with it; white
 * space before the colon is in no token either. */
//= RFC9112 5.1
//= RFC9112 5.2
static bool split_field(span line, struct http_field *f)
{
    size_t colon = 0;
    while (colon < line.len && http_is(line.ptr[colon], HTTP_C_TOKEN))
        colon++;
    if (colon == 0 || colon == line.len || line.ptr[colon] != ':') return false;
    f->name = span_sub(line, 0, colon);
    f->value = span_trim(span_from(line, colon + 1));
    f->id = http_field_of(f->name);
    return true;
}

/* A name with an underscore is another name to readers that put names into environment variables: it goes no further. No name
 * that is known has one. */
static bool has_underscore(const struct http_field *f)
{
    return f->id == HTTP_FIELD_OTHER && memchr(f->name.ptr, '_', f->name.len) != NULL;
}

enum http_fields_result http_fields_parse(
    span lines, struct http_field *fields, size_t *count, struct http_head_facts *facts)
{
    size_t seen = 0;
    *count = 0;
    while (lines.len > 0) {
        size_t end = span_find(lines, '\r');
        struct http_field f;
        if (!split_field(span_sub(lines, 0, end), &f)) return HTTP_FIELDS_BAD;
        if (++seen > HTTP_FIELDS_MAX) return HTTP_FIELDS_MANY;
        note_field(&f, facts);
        if (!has_underscore(&f)) fields[(*count)++] = f;
        lines = span_from(lines, end + 2);
    }
    return HTTP_FIELDS_OK;
}

const struct http_field *http_find(const struct http_field *fields, size_t count, enum http_field_id id, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].id == id && index-- == 0) return &fields[i];
    return NULL;
}

const struct http_field *http_find_name(const struct http_field *fields, size_t count, span name, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal_nocase(fields[i].name, name) && index-- == 0) return &fields[i];
    return NULL;
}

static bool nominated(const struct http_field *fields, size_t count, span name)
{
    const struct http_field *connection;
    for (size_t i = 0; (connection = http_find(fields, count, HTTP_FIELD_CONNECTION, i)) != NULL; i++) {
        span rest = connection->value, option;
        while (http_list_next(&rest, &option))
            if (span_equal_nocase(option, name)) return true;
    }
    return false;
}

//= RFC9110 7.6.1
bool http_field_passes(const struct http_field *fields, size_t count, const struct http_field *f)
{
    if (http_field_way(f->id) != HTTP_WAY_END) return false;
    return !nominated(fields, count, f->name);
}
