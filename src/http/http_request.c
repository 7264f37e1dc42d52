/* Request heads. The start line is judged as soon as it is whole and nothing more has come, the rest at the blank line.
 *
 *   scan ──line──► start line ──scan on──► blank line ──► fields ──► host, framing, connection ──► DONE
 *     └── BAD (400, 414, 431, 501, 505) from anywhere, latched in `refusal` */
#include "http/http_parse.h"

void http_request_reset(struct http_request *r)
{
    r->scan = (struct http_scan){0};
    r->refusal = 0;
    r->head_len = 0;
    r->method = HTTP_METHOD_OTHER; /* of one that never came whole nobody knows it: not the one before it */
    r->minor = 1;
    r->field_count = 0;
}

static enum http_step refuse(struct http_request *r, uint16_t status)
{
    r->refusal = status;
    return HTTP_BAD;
}

/* Query and path of an origin-form target. */
static bool take_path(struct http_request *r, span target)
{
    size_t mark = span_find(target, '?');
    r->path = span_sub(target, 0, mark);
    r->has_query = mark < target.len;
    r->query = r->has_query ? span_from(target, mark + 1) : span_of(NULL, 0);
    return http_path_judge(r->path) && http_query_judge(r->query);
}

/* "http://authority/path?query". The authority stands in r->host until the Host field is compared with it. */
//= RFC9112 3.2.2
static bool take_absolute(struct http_request *r)
{
    size_t colon = span_search(r->target, SPAN("://"));
    span scheme = span_sub(r->target, 0, colon);
    if (colon == r->target.len) return false;
    if (!span_equal_nocase(scheme, SPAN("http")) && !span_equal_nocase(scheme, SPAN("https"))) return false;
    span rest = span_from(r->target, colon + 3);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    r->host = span_sub(rest, 0, end);
    rest = span_from(rest, end);
    if (!http_host_judge(r->host)) return false;
    if (rest.len > 0 && rest.ptr[0] == '/') return take_path(r, rest);
    /* An empty path is "/", for OPTIONS without a query "*" (RFC 9112 3.2.4). */
    r->has_query = rest.len > 0;
    r->query = r->has_query ? span_from(rest, 1) : span_of(NULL, 0);
    r->path = r->method == HTTP_OPTIONS && !r->has_query ? SPAN("*") : SPAN("/");
    return http_query_judge(r->query);
}

//= RFC9112 3.2
static bool take_target(struct http_request *r)
{
    r->host = span_of(NULL, 0);
    if (r->target.len == 0) return false;
    if (r->target.ptr[0] == '/') return take_path(r, r->target);
    if (!span_equal(r->target, SPAN("*"))) return take_absolute(r);
    r->path = r->target;
    r->has_query = false;
    r->query = span_of(NULL, 0);
    return r->method == HTTP_OPTIONS;
}

/* Splits at the first and the last space; a third one would then stand in the target, where no grammar allows it. */
//= RFC9112 3
static uint16_t judge_start_line(struct http_request *r, span line, const struct http_limits *limits)
{
    size_t space = span_find(line, ' '), last = line.len;
    while (last > 0 && line.ptr[last - 1] != ' ')
        last--;
    if (space + 1 >= last) return 400;
    r->method_text = span_sub(line, 0, space);
    r->target = span_sub(line, space + 1, last - 1 - (space + 1));
    if (!http_is_token(r->method_text)) return 400;
    switch (http_version_parse(span_from(line, last), &r->minor)) {
    case HTTP_VERSION_BAD: return 400;
    case HTTP_VERSION_OTHER: return 505;
    case HTTP_VERSION_1: break;
    }
    if (r->target.len > limits->target) return 414;
    r->method = http_method_of(r->method_text);
    if (r->method == HTTP_CONNECT) return 501;
    return take_target(r) ? 0 : 400;
}

/* One Host, unless HTTP/1.0 had none; an absolute target says the same. */
//= RFC9112 3.2
static bool judge_host(struct http_request *r, const struct http_head_facts *f)
{
    if (f->hosts > 1 || (f->hosts == 0 && r->minor > 0)) return false;
    if (f->hosts == 0) return true;
    if (!http_host_judge(f->host)) return false;
    if (r->host.len > 0 && !span_equal_nocase(r->host, f->host)) return false;
    r->host = f->host;
    return true;
}

/* Content-Length and Transfer-Encoding together are two answers to one question, whatever the order of precedence. */
//= RFC9112 6.1
//= RFC9112 6.3
static uint16_t judge_framing(struct http_request *r, const struct http_head_facts *f)
{
    if (f->lengths > 1 || f->length_bad || f->codings > 1) return 400;
    if (f->codings > 0 && (f->lengths > 0 || r->minor == 0)) return 400;
    if (f->codings > 0 && !f->chunked) return 501;
    r->framing = f->codings > 0 ? HTTP_FRAMING_CHUNKED : f->lengths > 0 ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_NONE;
    r->length = f->length;
    return 0;
}

static enum http_step finish_head(struct http_request *r, span in, const struct http_limits *limits)
{
    struct http_head_facts facts = {0};
    size_t from = r->scan.first_line + 2;
    /* Spans of the start line are taken again: the bytes may have moved since it was judged. */
    uint16_t status = judge_start_line(r, span_sub(in, 0, r->scan.first_line), limits);
    if (status != 0) return refuse(r, status);
    r->head_len = r->scan.scanned;
    switch (http_fields_parse(span_sub(in, from, r->head_len - 2 - from), r->fields, &r->field_count, &facts)) {
    case HTTP_FIELDS_BAD: return refuse(r, 400);
    case HTTP_FIELDS_MANY: return refuse(r, 431);
    case HTTP_FIELDS_OK: break;
    }
    if (!judge_host(r, &facts)) return refuse(r, 400);
    if ((status = judge_framing(r, &facts)) != 0) return refuse(r, status);
    if (facts.upgrade) return refuse(r, 501);
    r->keep_alive = !facts.close && (r->minor > 0 || facts.keep_alive);
    r->expect_continue = facts.expect_continue && r->minor > 0;
    return HTTP_DONE;
}

/* What is wrong with the head so far: what stands in front is told first. `fresh`: the start line has not been judged. */
static enum http_step judge_so_far(struct http_request *r, span in, const struct http_limits *limits, bool fresh, uint16_t otherwise)
{
    uint16_t status = fresh ? judge_start_line(r, span_sub(in, 0, r->scan.first_line), limits) : 0;
    if (status == 0) status = otherwise;
    return status != 0 ? refuse(r, status) : HTTP_MORE;
}

enum http_step http_request_read(struct http_request *r, span in, const struct http_limits *limits)
{
    bool fresh = false;
    if (r->refusal != 0) return HTTP_BAD;
    for (;;) {
        switch (http_scan_on(&r->scan, in, limits->head)) {
        case HTTP_LINE_MORE: return judge_so_far(r, in, limits, fresh, 0);
        case HTTP_LINE_BAD: return judge_so_far(r, in, limits, fresh, 400);
        case HTTP_LINE_LONG: return judge_so_far(r, in, limits, fresh, r->scan.first_line == 0 ? 414 : 431);
        case HTTP_LINE_END: return finish_head(r, in, limits);
        case HTTP_LINE_FIRST: fresh = true; break;
        }
    }
}
