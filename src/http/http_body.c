/* Bodies: how much of what comes is content.
 *
 * Chunked, one state a line part (RFC 9112 7.1):
 *   SIZE ─► DIGITS ─► (EXT…) ─► SIZE_LF ─► DATA ─► DATA_CR ─► DATA_LF ─► SIZE
 *                                  └─ size 0 ─► TRAILER ─► NAME ─► VALUE ─► VALUE_LF ─► TRAILER
 *                                                 └─ CR ─► END_LF ─► done */
#include "http/http_parse.h"

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_DIGITS,
    CHUNK_EXT_BEFORE, /* white space after the size: only ";" may follow */
    CHUNK_EXT_NAME_START,
    CHUNK_EXT_NAME,
    CHUNK_EXT_NAME_AFTER,
    CHUNK_EXT_VALUE_START,
    CHUNK_EXT_VALUE,
    CHUNK_EXT_QUOTED,
    CHUNK_EXT_ESCAPE,
    CHUNK_EXT_QUOTED_AFTER,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_NAME,
    CHUNK_VALUE,
    CHUNK_VALUE_LF,
    CHUNK_END_LF,
    CHUNK_DONE,
    CHUNK_BAD,
};

void http_chunked_init(struct http_chunked *c)
{
    *c = (struct http_chunked){.state = CHUNK_SIZE};
}

/* Plain hex, at most 16 digits, and below 2^63: no sign, no prefix, no sum that wraps. */
static enum chunk_state take_digit(struct http_chunked *c, uint8_t byte)
{
    if (!http_is(byte, HTTP_C_HEX) || c->digits == 16) return CHUNK_BAD;
    c->digits++;
    c->left = c->left << 4 | http_hex(byte);
    return c->left > INT64_MAX ? CHUNK_BAD : CHUNK_DIGITS;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* After the size, a name or a value: what may follow. */
static enum chunk_state after_part(uint8_t byte, enum chunk_state blank)
{
    if (byte == '\r') return CHUNK_SIZE_LF;
    if (byte == ';') return CHUNK_EXT_NAME_START;
    return is_blank(byte) ? blank : CHUNK_BAD;
}

/* Within extensions: chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ). */
//= RFC9112 7.1.1
static enum chunk_state step_extension(enum chunk_state state, uint8_t byte)
{
    bool token = http_is(byte, HTTP_C_TOKEN), text = http_is(byte, HTTP_C_TEXT);
    switch ((int)state) {
    case CHUNK_EXT_BEFORE:
    case CHUNK_EXT_QUOTED_AFTER:
        return byte == '\r' && state == CHUNK_EXT_BEFORE ? CHUNK_BAD : after_part(byte, CHUNK_EXT_BEFORE);
    case CHUNK_EXT_NAME_START: return token ? CHUNK_EXT_NAME : is_blank(byte) ? state : CHUNK_BAD;
    case CHUNK_EXT_NAME:
        if (token) return state;
        return byte == '=' ? CHUNK_EXT_VALUE_START : after_part(byte, CHUNK_EXT_NAME_AFTER);
    case CHUNK_EXT_NAME_AFTER:
        if (byte == '\r') return CHUNK_BAD;
        return byte == '=' ? CHUNK_EXT_VALUE_START : after_part(byte, state);
    case CHUNK_EXT_VALUE_START:
        if (byte == '"') return CHUNK_EXT_QUOTED;
        return token ? CHUNK_EXT_VALUE : is_blank(byte) ? state : CHUNK_BAD;
    case CHUNK_EXT_VALUE: return token ? state : after_part(byte, CHUNK_EXT_BEFORE);
    case CHUNK_EXT_QUOTED:
        if (byte == '"') return CHUNK_EXT_QUOTED_AFTER;
        return byte == '\\' ? CHUNK_EXT_ESCAPE : text ? state : CHUNK_BAD;
    case CHUNK_EXT_ESCAPE: return text ? CHUNK_EXT_QUOTED : CHUNK_BAD;
    default: return CHUNK_BAD;
    }
}

/* The name of a trailer is whole: one that frames or routes would change what was already decided. */
//= RFC9110 6.5.1
static bool judge_trailer_name(const struct http_chunked *c)
{
    if (c->name_len > sizeof c->name) return true;
    return http_field_way(http_field_of(span_of(c->name, c->name_len))) != HTTP_WAY_FRAME;
}

static enum chunk_state step_name(struct http_chunked *c, uint8_t byte)
{
    if (byte == ':') return judge_trailer_name(c) ? CHUNK_VALUE : CHUNK_BAD;
    if (!http_is(byte, HTTP_C_TOKEN)) return CHUNK_BAD;
    if (c->name_len < sizeof c->name) c->name[c->name_len] = (char)byte;
    if (c->name_len <= sizeof c->name) c->name_len++;
    return CHUNK_NAME;
}

static enum chunk_state step_trailer(struct http_chunked *c, enum chunk_state state, uint8_t byte)
{
    switch ((int)state) {
    case CHUNK_TRAILER:
        if (byte == '\r') return CHUNK_END_LF;
        c->name_len = 0;
        return byte == ':' ? CHUNK_BAD : step_name(c, byte);
    case CHUNK_NAME: return step_name(c, byte);
    case CHUNK_VALUE:
        if (byte == '\r') return CHUNK_VALUE_LF;
        return http_is(byte, HTTP_C_TEXT) ? state : CHUNK_BAD;
    case CHUNK_VALUE_LF: return byte == '\n' ? CHUNK_TRAILER : CHUNK_BAD;
    case CHUNK_END_LF: return byte == '\n' ? CHUNK_DONE : CHUNK_BAD;
    default: return CHUNK_BAD;
    }
}

static enum chunk_state step_size(struct http_chunked *c, enum chunk_state state, uint8_t byte)
{
    switch ((int)state) {
    case CHUNK_SIZE:
        c->digits = 0;
        c->left = 0;
        return take_digit(c, byte);
    case CHUNK_DIGITS: return http_is(byte, HTTP_C_HEX) ? take_digit(c, byte) : after_part(byte, CHUNK_EXT_BEFORE);
    case CHUNK_SIZE_LF:
        if (byte != '\n') return CHUNK_BAD;
        return c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
    case CHUNK_DATA_CR: return byte == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
    case CHUNK_DATA_LF: return byte == '\n' ? CHUNK_SIZE : CHUNK_BAD;
    default: return CHUNK_BAD;
    }
}

/* One byte that is no content. */
static enum chunk_state step_byte(struct http_chunked *c, const struct http_limits *limits, uint8_t byte)
{
    enum chunk_state state = (enum chunk_state)c->state;
    if (state >= CHUNK_TRAILER) return ++c->trailer > limits->head ? CHUNK_BAD : step_trailer(c, state, byte);
    if (state >= CHUNK_EXT_BEFORE && state < CHUNK_SIZE_LF)
        return ++c->extension > limits->extension ? CHUNK_BAD : step_extension(state, byte);
    return step_size(c, state, byte);
}

static span take_data(struct http_chunked *c, span in, size_t at)
{
    size_t n = in.len - at < c->left ? in.len - at : (size_t)c->left;
    c->left -= n;
    if (c->left == 0) c->state = CHUNK_DATA_CR;
    return span_sub(in, at, n);
}

enum http_step http_chunked_next(
    struct http_chunked *c, const struct http_limits *limits, span in, size_t *consumed, span *data)
{
    size_t i = 0;
    *data = span_of(NULL, 0);
    while (i < in.len && c->state != CHUNK_DATA && c->state < CHUNK_DONE)
        c->state = (uint8_t)step_byte(c, limits, in.ptr[i++]);
    if (c->state == CHUNK_DATA && i < in.len) {
        *data = take_data(c, in, i);
        i += data->len;
    }
    *consumed = i;
    if (c->state == CHUNK_BAD) return HTTP_BAD;
    return c->state == CHUNK_DONE ? HTTP_DONE : HTTP_MORE;
}

void http_body_init(struct http_body *b, enum http_framing framing, uint64_t length, const struct http_limits *limits)
{
    *b = (struct http_body){.framing = framing, .left = length, .limits = *limits, .state = HTTP_MORE};
    http_chunked_init(&b->chunked);
    if (framing == HTTP_FRAMING_NONE || (framing == HTTP_FRAMING_LENGTH && length == 0)) b->state = HTTP_DONE;
}

static enum http_step next_length(struct http_body *b, span in, size_t *consumed, span *data)
{
    *data = span_sub(in, 0, in.len < b->left ? in.len : (size_t)b->left);
    *consumed = data->len;
    b->left -= data->len;
    return b->left == 0 ? HTTP_DONE : HTTP_MORE;
}

enum http_step http_body_next(struct http_body *b, span in, size_t *consumed, span *data)
{
    *consumed = 0;
    *data = span_of(NULL, 0);
    if (b->state != HTTP_MORE) return b->state;
    switch (b->framing) {
    case HTTP_FRAMING_NONE: break;
    case HTTP_FRAMING_LENGTH: b->state = next_length(b, in, consumed, data); break;
    case HTTP_FRAMING_CHUNKED: b->state = http_chunked_next(&b->chunked, &b->limits, in, consumed, data); break;
    case HTTP_FRAMING_CLOSE: *data = in; *consumed = in.len;
    }
    b->received += data->len;
    return b->state;
}

//= RFC9112 8
enum http_step http_body_end(struct http_body *b, bool clean)
{
    if (b->state == HTTP_MORE) b->state = b->framing == HTTP_FRAMING_CLOSE && clean ? HTTP_DONE : HTTP_BAD;
    return b->state;
}
