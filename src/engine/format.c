/* Which bytes this release reads. */
#include "engine/own.h"

struct media_type {
    const char *name;
    enum doc_format format;
};
static const struct media_type media_types[] = {
#define X(name, format) {name, format},
    ENGINE_MEDIA_TYPES(X)
#undef X
};

//= RFC6839 3.1
static bool has_json_suffix(span type)
{
    span suffix = SPAN("+json");
    size_t slash = span_find(type, '/');
    if (slash == 0 || type.len < slash + 2 + suffix.len) return false;
    return span_equal_nocase(span_from(type, type.len - suffix.len), suffix);
}

bool engine_format_of(span media_type, enum doc_format *out)
{
    for (size_t i = 0; i < ARRAY_LEN(media_types); i++)
        if (span_equal_nocase(media_type, span_str(media_types[i].name))) {
            *out = media_types[i].format;
            return true;
        }
    *out = DOC_JSON;
    return has_json_suffix(media_type);
}

//= RFC8259 8.1
bool engine_charset_of(span charset, enum engine_charset *out)
{
    *out = span_equal_nocase(charset, SPAN("us-ascii")) ? ENGINE_ASCII : ENGINE_UTF8;
    return charset.len == 0 || *out == ENGINE_ASCII || span_equal_nocase(charset, SPAN("utf-8")) ||
           span_equal_nocase(charset, SPAN("utf8"));
}

bool engine_is_ascii(span body)
{
    uint8_t any = 0;
    for (size_t i = 0; i < body.len; i++)
        any |= body.ptr[i];
    return any < 0x80;
}

bool engine_is_identity(span coding)
{
    span trimmed = span_trim(coding);
    return trimmed.len == 0 || span_equal_nocase(trimmed, SPAN("identity"));
}
