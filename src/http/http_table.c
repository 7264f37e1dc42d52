/* Names: methods, fields, statuses. */
#include "http/http_parse.h"

const struct http_limits HTTP_LIMITS_DEFAULT = {.head = 32768, .target = 16384, .extension = 16384};

struct name_row {
    const char *text;
    uint8_t len;
    uint8_t way;
};

static const struct name_row field_rows[HTTP_FIELD_COUNT] = {{"", 0, HTTP_WAY_END},
#define X(id, text, way) {text, sizeof(text) - 1, HTTP_WAY_##way},
    HTTP_FIELDS(X)
#undef X
};

/* Length and the first two characters: few enough names share them, so that the text is compared about once. */
#define SIGN(len, first, second) ((uint32_t)(len) << 16 | (uint32_t)(first) << 8 | (uint32_t)(second))
#define GROUP 8
static const uint32_t field_signs[(HTTP_FIELD_COUNT + GROUP - 1) / GROUP * GROUP] = {0,
#define X(id, text, way) SIGN(sizeof(text) - 1, text[0], text[1]),
    HTTP_FIELDS(X)
#undef X
};

static enum http_field_id find_in_group(span name, uint32_t sign, size_t from)
{
    for (size_t i = from; i < from + GROUP && i < HTTP_FIELD_COUNT; i++) {
        if (field_signs[i] != sign) continue;
        if (span_equal_nocase(name, span_of(field_rows[i].text, field_rows[i].len))) return (enum http_field_id)i;
    }
    return HTTP_FIELD_OTHER;
}

/* Compared at once, four by four. */
static bool is_in_group(uint32_t sign, size_t from)
{
    typedef uint32_t four __attribute__((vector_size(16)));
    const four wanted = {sign, sign, sign, sign};
    four first, second;
    uint64_t same[2];
    _Static_assert(GROUP * sizeof field_signs[0] == sizeof first + sizeof second, "two fours");
    memcpy(&first, field_signs + from, sizeof first);
    memcpy(&second, field_signs + from + GROUP / 2, sizeof second);
    first = (four)(first == wanted) | (four)(second == wanted);
    memcpy(same, &first, sizeof same);
    return (same[0] | same[1]) != 0;
}

enum http_field_id http_field_of(span name)
{
    if (name.len < 2 || name.len > 32) return HTTP_FIELD_OTHER;
    uint32_t sign = SIGN(name.len, to_lower(name.ptr[0]), to_lower(name.ptr[1]));
    for (size_t from = 0; from < ARRAY_LEN(field_signs); from += GROUP) {
        enum http_field_id id = is_in_group(sign, from) ? find_in_group(name, sign, from) : HTTP_FIELD_OTHER;
        if (id != HTTP_FIELD_OTHER) return id;
    }
    return HTTP_FIELD_OTHER;
}

span http_field_name(enum http_field_id id)
{
    ASSERT(id < HTTP_FIELD_COUNT);
    return span_of(field_rows[id].text, field_rows[id].len);
}

enum http_way http_field_way(enum http_field_id id)
{
    ASSERT(id < HTTP_FIELD_COUNT);
    return (enum http_way)field_rows[id].way;
}

struct method_row {
    span text;
    bool idempotent;
};

static const struct method_row method_rows[] = {{{NULL, 0}, false},
#define X(name, idempotent) {{(const uint8_t *)#name, sizeof(#name) - 1}, idempotent},
    HTTP_METHODS(X)
#undef X
};

//= RFC9110 9.1
enum http_method http_method_of(span text)
{
    for (size_t i = 1; i < ARRAY_LEN(method_rows); i++)
        if (span_equal(text, method_rows[i].text)) return (enum http_method)i;
    return HTTP_METHOD_OTHER;
}

span http_method_text(enum http_method m)
{
    ASSERT((size_t)m < ARRAY_LEN(method_rows));
    return method_rows[m].text;
}

bool http_method_idempotent(enum http_method m)
{
    ASSERT((size_t)m < ARRAY_LEN(method_rows));
    return method_rows[m].idempotent;
}

const char *http_reason(unsigned status)
{
    switch (status) {
#define X(number, text)                                                                                                \
    case number: return text;
        HTTP_STATUSES(X)
#undef X
    default: return "Unknown";
    }
}

bool http_is_token(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!http_is(s.ptr[i], HTTP_C_TOKEN)) return false;
    return s.len > 0;
}
