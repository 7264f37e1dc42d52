/* The writer: regenerates all framing. */
#include <time.h>

#include "http/http_parse.h"

static bool is_value(span s)
{
    return http_skip_text(s.ptr, 0, s.len) == s.len;
}

/* All pieces or nothing. */
static result append_pieces(struct buf *b, const span *pieces, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += pieces[i].len;
    uint8_t *at;
    TRY(buf_reserve(b, total, &at));
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].len > 0) memcpy(at, pieces[i].ptr, pieces[i].len);
        at += pieces[i].len;
    }
    buf_commit(b, total);
    return OK;
}

/* Decimal text of a number, at the end of a buffer of 20. */
static span decimal(uint64_t value, char out[20])
{
    size_t at = 20;
    do {
        out[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return span_of(out + at, 20 - at);
}

//= RFC9110 5.6.7
span http_date_text(struct http_date *cache, int64_t unix_seconds)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (cache->text[0] == '\0' || cache->second != unix_seconds) {
        time_t t = (time_t)unix_seconds;
        struct tm tm;
        ASSERT(gmtime_r(&t, &tm) != NULL && tm.tm_year >= -1900 && tm.tm_year <= 8099);
        int n = snprintf(cache->text, sizeof cache->text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
            days + 3 * tm.tm_wday, tm.tm_mday % 100, months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000,
            tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        ASSERT(n == 29);
        cache->second = unix_seconds;
    }
    return span_of(cache->text, 29);
}

RESULT http_write_status(struct buf *b, unsigned status)
{
    ASSERT(status >= 100 && status <= 599);
    char number[20];
    span pieces[] = {
        SPAN("HTTP/1.1 "), decimal(status, number), SPAN(" "), span_str(http_reason(status)), SPAN("\r\n")};
    return append_pieces(b, pieces, ARRAY_LEN(pieces));
}

//= RFC9110 5.5
RESULT http_write_field(struct buf *b, span name, span value)
{
    REQUIRE(http_is_token(name) && is_value(value), ERROR_INTERNAL, 0);
    span pieces[] = {name, SPAN(": "), value, SPAN("\r\n")};
    return append_pieces(b, pieces, ARRAY_LEN(pieces));
}

RESULT http_write_length(struct buf *b, uint64_t length)
{
    char number[20];
    return http_write_field(b, SPAN("Content-Length"), decimal(length, number));
}

RESULT http_write_chunked(struct buf *b)
{
    return buf_append(b, SPAN("Transfer-Encoding: chunked\r\n"));
}

RESULT http_write_end(struct buf *b)
{
    return buf_append(b, SPAN("\r\n"));
}

/* The parts come from a judged request; they are judged again, for this is the last place where a line break in one of
 * them could become a second request. */
RESULT http_write_request(struct buf *b, span method, span path, bool has_query, span query, span host)
{
    REQUIRE(http_is_token(method) && http_host_judge(host), ERROR_INTERNAL, 0);
    REQUIRE(http_path_judge(path) || span_equal(path, SPAN("*")), ERROR_INTERNAL, 0);
    REQUIRE(http_query_judge(query) && (has_query || query.len == 0), ERROR_INTERNAL, 0);
    span pieces[] = {method, SPAN(" "), path, has_query ? SPAN("?") : SPAN(""), query, SPAN(" HTTP/1.1\r\nHost: "),
        host, SPAN("\r\n")};
    return append_pieces(b, pieces, ARRAY_LEN(pieces));
}

static result write_framing(struct buf *b, const struct http_answer *a)
{
    switch (a->framing) {
    case HTTP_FRAMING_NONE: return OK;
    case HTTP_FRAMING_LENGTH: return http_write_length(b, a->length);
    case HTTP_FRAMING_CHUNKED: return http_write_chunked(b);
    case HTTP_FRAMING_CLOSE: break;
    }
    return FAIL(ERROR_INTERNAL, 0);
}

static result write_optional(struct buf *b, span name, span value)
{
    return value.len > 0 ? http_write_field(b, name, value) : OK;
}

static result write_answer(struct buf *b, struct http_date *date, const struct http_answer *a)
{
    TRY(http_write_status(b, a->status));
    TRY(http_write_field(b, SPAN("Date"), http_date_text(date, a->now)));
    TRY(write_optional(b, SPAN("Content-Type"), a->content_type));
    TRY(write_framing(b, a));
    TRY(buf_append(b, SPAN("Cache-Control: private, no-store\r\n")));
    TRY(write_optional(b, SPAN("Request-Id"), a->request_id));
    if (a->close) TRY(buf_append(b, SPAN("Connection: close\r\n")));
    TRY(write_optional(b, SPAN("Allow"), a->allow));
    for (size_t i = 0; i < a->extra_count; i++)
        TRY(http_write_field(b, a->extra[i].name, a->extra[i].value));
    return http_write_end(b);
}

RESULT http_write_answer(struct buf *b, struct http_date *date, const struct http_answer *a)
{
    size_t before = buf_len(b);
    result r = write_answer(b, date, a);
    /* Half a head is worse than none: take it back. */
    if (!is_ok(r)) b->write -= buf_len(b) - before;
    return r;
}

size_t http_chunk_head(size_t len, char out[HTTP_CHUNK_HEAD_MAX])
{
    ASSERT(len > 0);
    int n = snprintf(out, HTTP_CHUNK_HEAD_MAX, "%zx\r\n", len);
    ASSERT(n > 0 && n < HTTP_CHUNK_HEAD_MAX);
    return (size_t)n;
}

/* One chunk that consists of two pieces. */
static result write_chunk_of(struct buf *b, span first, span second)
{
    char head[HTTP_CHUNK_HEAD_MAX];
    if (first.len + second.len == 0) return OK;
    size_t n = http_chunk_head(first.len + second.len, head);
    span pieces[] = {span_of(head, n), first, second, HTTP_CHUNK_END};
    return append_pieces(b, pieces, ARRAY_LEN(pieces));
}

RESULT http_write_chunk(struct buf *b, span data)
{
    return write_chunk_of(b, data, span_of(NULL, 0));
}

void http_chunker_init(struct http_chunker *c)
{
    buf_init(&c->held, HTTP_CHUNK_SIZE);
}

void http_chunker_free(struct http_chunker *c)
{
    buf_free(&c->held);
}

RESULT http_chunker_add(struct http_chunker *c, span data, struct buf *out)
{
    while (buf_len(&c->held) + data.len >= HTTP_CHUNK_SIZE) {
        size_t take = HTTP_CHUNK_SIZE - buf_len(&c->held);
        TRY(write_chunk_of(out, buf_span(&c->held), span_sub(data, 0, take)));
        buf_consume(&c->held, buf_len(&c->held));
        data = span_from(data, take);
    }
    return data.len > 0 ? buf_append(&c->held, data) : OK;
}

RESULT http_chunker_finish(struct http_chunker *c, struct buf *out)
{
    TRY(write_chunk_of(out, buf_span(&c->held), span_of(NULL, 0)));
    buf_consume(&c->held, buf_len(&c->held));
    return buf_append(out, HTTP_CHUNK_LAST);
}
