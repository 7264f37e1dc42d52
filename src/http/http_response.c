/* Response heads: the same strictness. What is BAD here the proxy makes undeliverable (restricted recipients) or the
 * canonical refusal (others). */
#include "http/http_parse.h"

void http_response_reset(struct http_response *r)
{
    r->scan = (struct http_scan){0};
    r->head_len = 0;
    r->status = 0;
    r->field_count = 0;
}

/* "HTTP/1.x SP 3DIGIT [ SP reason ]". The space before an empty reason is missing in the wild; dropping the reason
 * makes the difference harmless. */
//= RFC9112 4
static bool judge_status_line(struct http_response *r, span line)
{
    if (line.len < 12 || http_version_parse(span_sub(line, 0, 8), &r->minor) != HTTP_VERSION_1) return false;
    if (line.ptr[8] != ' ' || (line.len > 12 && line.ptr[12] != ' ')) return false;
    uint64_t status;
    if (!span_to_u64(span_sub(line, 9, 3), 599, &status)) return false;
    r->status = (unsigned)status;
    return status >= 100 && status != 101;
}

/* The statuses whose answers have no body, whatever the head says. */
static bool bodyless(const struct http_response *r, bool head_request)
{
    return head_request || r->interim || r->status == 204 || r->status == 304;
}

//= RFC9112 6.3
static bool judge_framing(struct http_response *r, const struct http_head_facts *f, bool head_request)
{
    if (f->lengths > 1 || f->length_bad || f->codings > 1) return false;
    if (f->codings > 0 && (f->lengths > 0 || r->minor == 0 || !f->chunked)) return false;
    r->has_length = f->lengths > 0;
    r->length = f->length;
    if (bodyless(r, head_request))
        r->framing = HTTP_FRAMING_NONE;
    else if (f->codings > 0)
        r->framing = HTTP_FRAMING_CHUNKED;
    else
        r->framing = r->has_length ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_CLOSE;
    return true;
}

/* How often the field stands there, and the first one's value. */
static unsigned count_field(const struct http_response *r, enum http_field_id id, span *first)
{
    unsigned n = 0;
    const struct http_field *f;
    *first = span_of(NULL, 0);
    while ((f = http_find(r->fields, r->field_count, id, n)) != NULL)
        if (n++ == 0) *first = f->value;
    return n;
}

static enum http_step finish_head(struct http_response *r, span in, bool head_request)
{
    struct http_head_facts facts = {0};
    size_t from = r->scan.first_line + 2;
    r->head_len = r->scan.scanned;
    r->interim = r->status < 200;
    span lines = span_sub(in, from, r->head_len - 2 - from);
    if (http_fields_parse(lines, r->fields, &r->field_count, &facts) != HTTP_FIELDS_OK) return HTTP_BAD;
    if (!judge_framing(r, &facts, head_request)) return HTTP_BAD;
    r->keep_alive = !facts.close && (r->minor > 0 || facts.keep_alive) && r->framing != HTTP_FRAMING_CLOSE;
    r->type_count = count_field(r, HTTP_FIELD_CONTENT_TYPE, &r->content_type);
    r->coding_count = count_field(r, HTTP_FIELD_CONTENT_ENCODING, &r->content_encoding);
    return HTTP_DONE;
}

static enum http_step read_on(struct http_response *r, span in, bool head_request, const struct http_limits *limits)
{
    for (;;) {
        switch (http_scan_on(&r->scan, in, limits->head)) {
        case HTTP_LINE_MORE: return HTTP_MORE;
        case HTTP_LINE_BAD: return HTTP_BAD;
        case HTTP_LINE_LONG: return HTTP_BAD;
        case HTTP_LINE_END: return finish_head(r, in, head_request);
        case HTTP_LINE_FIRST:
            if (!judge_status_line(r, span_sub(in, 0, r->scan.first_line))) return HTTP_BAD;
        }
    }
}

enum http_step http_response_read(struct http_response *r, span in, bool head_request, const struct http_limits *limits)
{
    /* SIZE_MAX is no offset that a head has: it stands for "was bad". */
    if (r->scan.scanned == SIZE_MAX) return HTTP_BAD;
    enum http_step step = read_on(r, in, head_request, limits);
    if (step == HTTP_BAD) r->scan.scanned = SIZE_MAX;
    return step;
}
