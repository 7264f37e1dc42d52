/* http: HTTP/1.1 (RFC 9110, RFC 9112) and the URI grammar it needs (RFC 3986), as strict as contract section 5 says,
 * in both directions. Pure: bytes in, spans and decisions out; nothing is allocated but in a caller's struct buf.
 *
 * Framing is parsed and regenerated, never forwarded. A head is read from one contiguous span that starts at the
 * message's first byte and may grow (and move) between calls; a body is read piece by piece through http_body_next. */
#ifndef GATE1367_HTTP_H
#define GATE1367_HTTP_H

#include "base/base.h"

/* ---- tables --------------------------------------------------------------------------------------------------- */

/* X(METHOD, idempotent by RFC 9110 9.2.2). The text is the enum's own name. */
#define HTTP_METHODS(X)                                                                                                \
    X(GET, true) X(HEAD, true) X(POST, false) X(PUT, true) X(DELETE, true) X(CONNECT, false) X(OPTIONS, true)          \
    X(TRACE, true) X(PATCH, false)

enum http_method {
    HTTP_METHOD_OTHER, /* a token, but none of these */
#define X(name, idempotent) HTTP_##name,
    HTTP_METHODS(X)
#undef X
};

/* Field names that somebody asks for. X(ID, lower-case name, how it travels): HOP hop-by-hop (RFC 9110 7.6.1), FRAME
 * framing and routing (never forwarded, regenerated, forbidden in trailers), END end to end. */
#define HTTP_FIELDS(X)                                                                                                 \
    X(ACCEPT, "accept", END)                                                                                           \
    X(ACCEPT_ENCODING, "accept-encoding", END)                                                                         \
    X(ACCEPT_LANGUAGE, "accept-language", END)                                                                         \
    X(ACCEPT_RANGES, "accept-ranges", END)                                                                             \
    X(AGE, "age", END)                                                                                                 \
    X(ALLOW, "allow", END)                                                                                             \
    X(AUTHORIZATION, "authorization", END)                                                                             \
    X(CACHE_CONTROL, "cache-control", END)                                                                             \
    X(CLIENT_CERT, "client-cert", END)                                                                                 \
    X(CLIENT_CERT_CHAIN, "client-cert-chain", END)                                                                     \
    X(CONNECTION, "connection", HOP)                                                                                   \
    X(CONTENT_DIGEST, "content-digest", END)                                                                           \
    X(CONTENT_DISPOSITION, "content-disposition", END)                                                                 \
    X(CONTENT_ENCODING, "content-encoding", END)                                                                       \
    X(CONTENT_LENGTH, "content-length", FRAME)                                                                         \
    X(CONTENT_RANGE, "content-range", END)                                                                             \
    X(CONTENT_TYPE, "content-type", END)                                                                               \
    X(COOKIE, "cookie", END)                                                                                           \
    X(DATE, "date", END)                                                                                               \
    X(DIGEST, "digest", END)                                                                                           \
    X(ETAG, "etag", END)                                                                                               \
    X(EXPECT, "expect", HOP)                                                                                           \
    X(EXPIRES, "expires", END)                                                                                         \
    X(FORWARDED, "forwarded", END)                                                                                     \
    X(HOST, "host", FRAME)                                                                                             \
    X(IF_MATCH, "if-match", END)                                                                                       \
    X(IF_MODIFIED_SINCE, "if-modified-since", END)                                                                     \
    X(IF_NONE_MATCH, "if-none-match", END)                                                                             \
    X(IF_RANGE, "if-range", END)                                                                                       \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since", END)                                                                 \
    X(KEEP_ALIVE, "keep-alive", HOP)                                                                                   \
    X(LAST_MODIFIED, "last-modified", END)                                                                             \
    X(LINK, "link", END)                                                                                               \
    X(LOCATION, "location", END)                                                                                       \
    X(PROXY_AUTHENTICATE, "proxy-authenticate", HOP)                                                                   \
    X(PROXY_AUTHORIZATION, "proxy-authorization", HOP)                                                                 \
    X(PROXY_CONNECTION, "proxy-connection", HOP)                                                                       \
    X(PURPOSE_OF_USE, "purpose-of-use", END)                                                                           \
    X(RANGE, "range", END)                                                                                             \
    X(REPR_DIGEST, "repr-digest", END)                                                                                 \
    X(REQUEST_ID, "request-id", END)                                                                                   \
    X(SECTION_1367, "section-1367", END)                                                                               \
    X(SERVER, "server", END)                                                                                           \
    X(SET_COOKIE, "set-cookie", END)                                                                                   \
    X(TE, "te", HOP)                                                                                                   \
    X(TRAILER, "trailer", HOP)                                                                                         \
    X(TRANSFER_ENCODING, "transfer-encoding", FRAME)                                                                   \
    X(UPGRADE, "upgrade", HOP)                                                                                         \
    X(USER_AGENT, "user-agent", END)                                                                                   \
    X(VARY, "vary", END)                                                                                               \
    X(VIA, "via", END)                                                                                                 \
    X(WARNING_NOTICE, "warning-notice", END)                                                                           \
    X(X_FORWARDED_FOR, "x-forwarded-for", END)

enum http_field_id {
    HTTP_FIELD_OTHER,
#define X(id, text, way) HTTP_FIELD_##id,
    HTTP_FIELDS(X)
#undef X
    HTTP_FIELD_COUNT,
};

/* X(STATUS, reason phrase). Every status the gateway itself may send; http_reason gives "Unknown" for others. */
#define HTTP_STATUSES(X)                                                                                               \
    X(100, "Continue") X(200, "OK") X(201, "Created") X(202, "Accepted") X(203, "Non-Authoritative Information")       \
    X(204, "No Content") X(205, "Reset Content") X(206, "Partial Content") X(300, "Multiple Choices")                  \
    X(301, "Moved Permanently") X(302, "Found") X(303, "See Other") X(304, "Not Modified")                             \
    X(307, "Temporary Redirect") X(308, "Permanent Redirect") X(400, "Bad Request") X(401, "Unauthorized")             \
    X(402, "Payment Required") X(403, "Forbidden") X(404, "Not Found") X(405, "Method Not Allowed")                    \
    X(406, "Not Acceptable") X(407, "Proxy Authentication Required") X(408, "Request Timeout") X(409, "Conflict")      \
    X(410, "Gone") X(411, "Length Required") X(412, "Precondition Failed") X(413, "Content Too Large")                 \
    X(414, "URI Too Long") X(415, "Unsupported Media Type") X(416, "Range Not Satisfiable")                            \
    X(417, "Expectation Failed") X(421, "Misdirected Request") X(422, "Unprocessable Content")                         \
    X(426, "Upgrade Required") X(428, "Precondition Required") X(429, "Too Many Requests")                             \
    X(431, "Request Header Fields Too Large") X(500, "Internal Server Error") X(501, "Not Implemented")                \
    X(502, "Bad Gateway") X(503, "Service Unavailable") X(504, "Gateway Timeout")                                      \
    X(505, "HTTP Version Not Supported")

/* RFC 9110 15. "Unknown" for a status that is not in the table. */
const char *http_reason(unsigned status);
/* By exact, case-sensitive text (RFC 9110 9.1). */
enum http_method http_method_of(span text);
span http_method_text(enum http_method m); /* empty for OTHER */
bool http_method_idempotent(enum http_method m);
/* By name, any case. */
enum http_field_id http_field_of(span name);
span http_field_name(enum http_field_id id); /* lower case; empty for OTHER */

/* ---- reading heads -------------------------------------------------------------------------------------------- */

#define HTTP_FIELDS_MAX 128

struct http_limits {
    size_t head;    /* bytes of a whole head, and of all trailers of one body: over it 431 */
    size_t target;  /* bytes of a request target: over it 414 */
    size_t extension; /* bytes of all chunk extensions of one body */
};
/* 32 KiB, 16 KiB, 16 KiB: the contract's default for `limits.header`. */
extern const struct http_limits HTTP_LIMITS_DEFAULT;

enum http_step {
    HTTP_MORE, /* not there yet: call again with more bytes */
    HTTP_DONE,
    HTTP_BAD, /* latched: the message breaks a rule */
};

enum http_framing {
    HTTP_FRAMING_NONE,    /* no body */
    HTTP_FRAMING_LENGTH,  /* exactly `length` bytes (0 is possible) */
    HTTP_FRAMING_CHUNKED, /* RFC 9112 7.1 */
    HTTP_FRAMING_CLOSE,   /* responses only: until the connection ends */
};

struct http_field {
    span name;  /* as received */
    span value; /* without surrounding white space */
    enum http_field_id id;
};

/* How far a head was scanned, so that a head that comes byte by byte costs no more than one that comes at once. */
struct http_scan {
    size_t scanned;    /* bytes already judged */
    size_t line;       /* where the current line starts */
    size_t first_line; /* end of the start line, without CRLF; 0: not seen yet */
};

/* All spans point into the bytes given at the call that returned DONE (or to static text), and live as they do. */
struct http_request {
    struct http_scan scan;
    uint16_t refusal; /* when BAD: 400, 414, 431, 501 or 505; the connection is to be closed after it */
    size_t head_len;  /* when DONE: bytes of the head, blank line included */
    span method_text;
    enum http_method method;
    uint8_t minor;       /* HTTP/1.minor */
    span target;         /* as received */
    span path;           /* judged: absolute, no empty, dot or hidden segment; "*" for OPTIONS * */
    bool has_query;      /* a "?" was there, perhaps with nothing after it */
    span query;          /* without "?" */
    span host;           /* Host (or the authority of an absolute target), with port; empty only in HTTP/1.0 */
    enum http_framing framing; /* NONE, LENGTH or CHUNKED */
    uint64_t length;
    bool keep_alive;
    bool expect_continue;
    size_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX]; /* in order, without those whose name holds an underscore */
};

/* Makes it ready for a new message. Cheap: leaves the field array alone. */
void http_request_reset(struct http_request *r);
/* Reads on. `in` starts at the first byte of the message and holds all bytes there are; what was given before must
 * still stand in front. An empty line before the request line is BAD like any other line that is none: RFC 9112 2.2
 * would let a server skip one, for clients that nobody uses, and each reader that skips another number of them reads
 * another stream. BAD is latched. */
enum http_step http_request_read(struct http_request *r, span in, const struct http_limits *limits);

struct http_response {
    struct http_scan scan;
    size_t head_len;
    unsigned status; /* 100..599 */
    uint8_t minor;
    bool interim;    /* 1xx: swallow it, reset, read the next head (101 is BAD: nobody asked for an upgrade) */
    enum http_framing framing;
    uint64_t length; /* LENGTH; also what a response to HEAD declared, when has_length */
    bool has_length;
    bool keep_alive; /* the connection may carry another exchange after this body */
    unsigned type_count; /* Content-Type fields: with more than one, nobody knows the type */
    span content_type;   /* the first one; empty: none */
    unsigned coding_count;
    span content_encoding; /* the first one; empty: none */
    size_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};
void http_response_reset(struct http_response *r);
/* `head_request`: the request was HEAD, no body follows whatever the head says. */
enum http_step http_response_read(struct http_response *r, span in, bool head_request,
                                  const struct http_limits *limits);

/* The index-th (from 0) field of that id, or NULL. */
const struct http_field *http_find(const struct http_field *fields, size_t count, enum http_field_id id, size_t index);
const struct http_field *http_find_name(const struct http_field *fields, size_t count, span name, size_t index);
/* True where the field goes on to the other side: not hop-by-hop, not framing, not nominated by Connection. */
bool http_field_passes(const struct http_field *fields, size_t count, const struct http_field *f);
/* Iterates a comma-separated list (RFC 9110 5.6.1); *rest starts as the value. Skips empty elements; false at the
 * end. */
bool http_list_next(span *rest, span *element);
bool http_is_token(span s);

/* ---- targets and hosts ---------------------------------------------------------------------------------------- */

/* Contract section 2: true where the path is absolute, RFC 3986 pchar only, and has no empty segment (a trailing slash
 * is none), no "." or ".." segment raw or encoded, no %2f, %5c, backslash or ";". */
bool http_path_judge(span path);
/* RFC 3986 query characters with whole percent triplets. */
bool http_query_judge(span query);
/* uri-host [ ":" port ] (RFC 9110 7.2), not empty, no userinfo, no list, no other sub-delims. */
bool http_host_judge(span host);
/* Parameters of a query, split at "&", raw. A parameter without "=" has an empty value. Empty pieces are skipped. */
struct http_query {
    span rest;
};
bool http_query_next(struct http_query *q, span *name, span *value);
/* Decodes %XX (and "+" as space where `plus`) strictly: false on a broken triplet. out has room for in.len. */
bool http_percent_decode(span in, bool plus, uint8_t *out, size_t *len);
/* The raw parameter name, decoded, is exactly `name`. */
bool http_query_name_is(span raw, span name);

/* ---- bodies --------------------------------------------------------------------------------------------------- */

/* RFC 9112 7.1 with exact CRLF and plain hex sizes; extensions and trailers are checked and dropped. */
struct http_chunked {
    uint8_t state;
    uint8_t digits;
    uint8_t name_len; /* of the trailer name under way; counts past the array */
    char name[24];
    uint64_t left;
    size_t extension, trailer; /* bytes so far */
};

struct http_body {
    enum http_framing framing;
    enum http_step state; /* latched once DONE or BAD */
    uint64_t left;        /* LENGTH */
    uint64_t received;    /* content bytes so far */
    struct http_limits limits;
    struct http_chunked chunked;
};
void http_body_init(struct http_body *b, enum http_framing framing, uint64_t length, const struct http_limits *limits);
/* Takes from `in`: *consumed bytes were used, and *data is the content among them (a span into `in`, maybe empty). One
 * piece of content a call: call again with the rest until in is used up. MORE with consumed < in.len: call again. DONE
 * may come together with the last data; bytes after *consumed belong to the next message. */
enum http_step http_body_next(struct http_body *b, span in, size_t *consumed, span *data);
/* The connection ended: `clean` is FIN, or over TLS close_notify. DONE where that completes the body, else BAD. */
enum http_step http_body_end(struct http_body *b, bool clean);

/* ---- media types ---------------------------------------------------------------------------------------------- */

/* Content-Type, respelled in lower case: "application/json; charset=utf-8". Parameters but charset are dropped. */
struct http_media {
    char text[160];
    size_t len;         /* of the whole text */
    size_t essence_len; /* of "type/subtype" at its start */
    size_t charset_at;  /* where the charset stands in text; 0: none */
};
/* False where it is outside the grammar of RFC 9110 8.3, too long, or has two charsets. */
bool http_media_parse(span value, struct http_media *m);
span http_media_essence(const struct http_media *m);
span http_media_charset(const struct http_media *m); /* empty: none */
static inline span http_media_text(const struct http_media *m) { return span_of(m->text, m->len); }

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Date (IMF-fixdate, RFC 9110 5.6.7), 29 characters, made once a second. Zero-initialised is ready. */
struct http_date {
    int64_t second;
    char text[30];
};
span http_date_text(struct http_date *cache, int64_t unix_seconds);

/* Each appends to b. LIMIT where b is full; INTERNAL where a name is no token or a value holds CR, LF, NUL or another
 * control character (nothing is appended then). */
RESULT http_write_status(struct buf *b, unsigned status);
RESULT http_write_field(struct buf *b, span name, span value);
RESULT http_write_length(struct buf *b, uint64_t length);
RESULT http_write_chunked(struct buf *b);
/* The blank line. */
RESULT http_write_end(struct buf *b);
/* "METHOD path[?query] HTTP/1.1" and Host. */
RESULT http_write_request(struct buf *b, span method, span path, bool has_query, span query, span host);

/* The head of an answer, in the order and with the fields of contract section 5, blank line included. */
struct http_answer {
    unsigned status;
    int64_t now;        /* seconds since 1970 UTC */
    span content_type;  /* respelled; empty: none */
    enum http_framing framing; /* NONE writes no framing field (only 1xx, 204, 304), LENGTH, CHUNKED */
    uint64_t length;
    span request_id;    /* empty: none */
    bool close;         /* Connection: close */
    span allow;         /* empty: none */
    const struct http_field *extra; /* more fields, in this order, before the blank line */
    size_t extra_count;
};
RESULT http_write_answer(struct buf *b, struct http_date *date, const struct http_answer *a);

/* Output chunks are of exactly this size, but for the last of a body (contract section 5). */
#define HTTP_CHUNK_SIZE 16384
#define HTTP_CHUNK_HEAD_MAX 20
#define HTTP_CHUNK_END SPAN("\r\n")
#define HTTP_CHUNK_LAST SPAN("0\r\n\r\n")
/* For senders that gather spans: the line before a chunk of len (> 0) bytes; returns its length. */
size_t http_chunk_head(size_t len, char out[HTTP_CHUNK_HEAD_MAX]);
/* One chunk of whatever size, framed (nothing for an empty span): request bodies on their way to the origin. */
RESULT http_write_chunk(struct buf *b, span data);
/* Cuts a stream into exact chunks. What does not fill one is held back (in `held`) until more comes or it ends. */
struct http_chunker {
    struct buf held;
};
void http_chunker_init(struct http_chunker *c);
void http_chunker_free(struct http_chunker *c);
RESULT http_chunker_add(struct http_chunker *c, span data, struct buf *out);
/* The rest, and the final chunk. */
RESULT http_chunker_finish(struct http_chunker *c, struct buf *out);

#endif
