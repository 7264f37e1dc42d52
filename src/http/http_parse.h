/* Private to http: what the readers of requests, responses and trailers share. */
#ifndef GATE1367_HTTP_PARSE_H
#define GATE1367_HTTP_PARSE_H

#include "http/http.h"

/* Character classes of RFC 9110 and RFC 3986, one byte of flags a character. */
enum http_class {
    HTTP_C_TOKEN = 1,  /* tchar */
    HTTP_C_PATH = 2,   /* pchar or "/", without "%" and ";" */
    HTTP_C_QUERY = 4,  /* query, without "%" */
    HTTP_C_HOST = 8,   /* unreserved: reg-name without "%" and sub-delims, which stand in no host name that anybody
                          resolves ("0.0.0.0=5000" is a typing error, "a,b" a list) */
    HTTP_C_TEXT = 16,  /* HTAB, SP, VCHAR, obs-text */
    HTTP_C_HEX = 32,
};
extern const uint8_t http_class_table[256];
static inline bool http_is(uint8_t c, enum http_class class) { return (http_class_table[c] & class) != 0; }
/* Value of a hex digit. */
static inline uint8_t http_hex(uint8_t c) { return is_digit(c) ? c - '0' : (uint8_t)((c | 0x20) - 'a' + 10); }

/* Which way a field travels. */
enum http_way { HTTP_WAY_END, HTTP_WAY_HOP, HTTP_WAY_FRAME };
enum http_way http_field_way(enum http_field_id id);

enum http_line {
    HTTP_LINE_MORE,
    HTTP_LINE_FIRST, /* the start line is whole: [0, scan->first_line) */
    HTTP_LINE_END,   /* the blank line was met; scan->scanned is the length of the head */
    HTTP_LINE_BAD,   /* bare CR or LF, a control character, an empty start line */
    HTTP_LINE_LONG,  /* `limit` bytes and no end */
};
/* Goes on with the bytes not yet judged; what it answers does not depend on how the bytes were cut. */
enum http_line http_scan_on(struct http_scan *s, span in, size_t limit);

/* First byte from i on that is not plain text of a line, or `end`. */
size_t http_skip_text(const uint8_t *p, size_t i, size_t end);

struct http_head_facts {
    unsigned hosts, lengths, codings; /* Host, Content-Length, Transfer-Encoding fields */
    bool length_bad;                  /* some Content-Length is no plain decimal number */
    bool chunked;                     /* the only coding is "chunked" */
    bool upgrade, close, keep_alive, expect_continue;
    uint64_t length;
    span host;
};
enum http_fields_result { HTTP_FIELDS_OK, HTTP_FIELDS_BAD, HTTP_FIELDS_MANY };
/* Splits the field lines (each ended by CRLF, already scanned) and gathers what framing needs. */
enum http_fields_result http_fields_parse(span lines, struct http_field *fields, size_t *count,
                                          struct http_head_facts *facts);
/* "HTTP/1.0" or "HTTP/1.1". */
enum http_version { HTTP_VERSION_BAD, HTTP_VERSION_OTHER, HTTP_VERSION_1 };
enum http_version http_version_parse(span text, uint8_t *minor);

void http_chunked_init(struct http_chunked *c);
enum http_step http_chunked_next(struct http_chunked *c, const struct http_limits *limits, span in, size_t *consumed,
                                 span *data);
#endif
