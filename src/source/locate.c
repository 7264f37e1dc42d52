#include "source/report.h"

/* A walk over text that Jansson has accepted (or accepted up to a point): no check for grammar here, only for the end,
 * because the copy that is walked may be cut short. */
struct walk {
    span text;
    size_t at;
};

static uint8_t peek(const struct walk *w)
{
    return w->at < w->text.len ? w->text.ptr[w->at] : 0;
}

static void skip_space(struct walk *w)
{
    while (w->at < w->text.len && strchr(" \t\r\n", w->text.ptr[w->at]) && w->text.ptr[w->at])
        w->at++;
}

/* From the opening quote to behind the closing one. */
static void skip_string(struct walk *w)
{
    for (w->at++; w->at < w->text.len; w->at++) {
        if (w->text.ptr[w->at] == '\\')
            w->at++;
        else if (w->text.ptr[w->at] == '"')
            break;
    }
    w->at = w->at < w->text.len ? w->at + 1 : w->text.len;
}

static void skip_scalar(struct walk *w)
{
    do
        w->at++;
    while (w->at < w->text.len && !strchr(",]} \t\r\n", w->text.ptr[w->at]));
}

static void skip_value(struct walk *w)
{
    size_t depth = 0;
    do {
        skip_space(w);
        uint8_t c = peek(w);
        if (c == '"')
            skip_string(w);
        else if (c == '{' || c == '[')
            depth++, w->at++;
        else if (c == '}' || c == ']')
            depth = depth ? depth - 1 : 0, w->at++;
        else if (c == ',' || c == ':')
            w->at++;
        else if (w->at < w->text.len)
            skip_scalar(w);
    } while (depth > 0 && w->at < w->text.len);
}

/* Behind `separator` and the space around it; false where something else stands. */
static bool pass(struct walk *w, uint8_t separator)
{
    skip_space(w);
    if (peek(w) != separator || w->at >= w->text.len) return false;
    w->at++;
    skip_space(w);
    return true;
}

/* A name as it is written, quotes included, decoded; NULL when it is not a string (or memory ran out). */
static json_t *decode_name(span written)
{
    return json_loadb((const char *)written.ptr, written.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static bool name_equal(span written, span name)
{
    if (written.len < 2) return false;
    if (span_find(written, '\\') == written.len) return span_equal(span_sub(written, 1, written.len - 2), name);
    json_t *decoded = decode_name(written);
    bool equal =
        json_is_string(decoded) && span_equal(span_of(json_string_value(decoded), json_string_length(decoded)), name);
    json_decref(decoded);
    return equal;
}

/* To the value of the member; *name_at is where its name starts. */
static bool enter_member(struct walk *w, span name, size_t *name_at)
{
    if (!pass(w, '{')) return false;
    while (peek(w) == '"') {
        *name_at = w->at;
        skip_string(w);
        bool found = name_equal(span_sub(w->text, *name_at, w->at - *name_at), name);
        if (!pass(w, ':')) return false;
        if (found) return true;
        skip_value(w);
        if (!pass(w, ',')) return false;
    }
    return false;
}

static bool enter_item(struct walk *w, span index)
{
    uint64_t wanted;
    if (!span_to_u64(index, UINT32_MAX, &wanted) || !pass(w, '[') || peek(w) == ']') return false;
    for (uint64_t i = 0; i < wanted; i++) {
        skip_value(w);
        if (!pass(w, ',')) return false;
    }
    return w->at < w->text.len;
}

/* RFC 6901 4: ~1 first, then ~0. False when it does not fit (no name of ours is that long). */
static bool unescape_token(span token, char *out, size_t size, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < token.len; i++) {
        char c = (char)token.ptr[i];
        if (c == '~' && i + 1 < token.len) c = token.ptr[++i] == '1' ? '/' : '~';
        if (*len == size) return false;
        out[(*len)++] = c;
    }
    return true;
}

bool locate_pointer(span text, const char *pointer, bool on_name, size_t *offset)
{
    struct walk w = {text, 0};
    skip_space(&w);
    size_t name_at = w.at;
    for (span rest = span_str(pointer); rest.len > 0;) {
        rest = span_from(rest, 1); /* the slash */
        size_t slash = span_find(rest, '/'), len;
        char name[sizeof((struct place *)0)->pointer];
        if (!unescape_token(span_sub(rest, 0, slash), name, sizeof name, &len)) return false;
        rest = span_from(rest, slash);
        bool in_array = peek(&w) == '[';
        if (!(in_array ? enter_item(&w, span_of(name, len)) : enter_member(&w, span_of(name, len), &name_at)))
            return false;
        if (in_array) name_at = w.at;
    }
    *offset = on_name ? name_at : w.at;
    return true;
}

/* Down into whatever contains `end`; containers before it are passed over whole. */
static bool find_name_end(struct walk *w, size_t end, size_t *start, struct place *at);

static bool find_in_object(struct walk *w, size_t end, size_t *start, struct place *at)
{
    pass(w, '{');
    while (peek(w) == '"') {
        *start = w->at;
        skip_string(w);
        json_t *name = decode_name(span_sub(w->text, *start, w->at - *start));
        struct place below = place_member(at, json_is_string(name) ? json_string_value(name) : "?");
        json_decref(name);
        if (w->at == end) {
            *at = below;
            return true;
        }
        if (!pass(w, ':')) return false;
        if (find_name_end(w, end, start, &below)) {
            *at = below;
            return true;
        }
        if (!pass(w, ',')) return false;
    }
    return false;
}

static bool find_in_array(struct walk *w, size_t end, size_t *start, struct place *at)
{
    pass(w, '[');
    for (size_t i = 0; w->at < w->text.len && peek(w) != ']'; i++) {
        struct place below = place_item(at, i);
        if (find_name_end(w, end, start, &below)) {
            *at = below;
            return true;
        }
        if (!pass(w, ',')) return false;
    }
    return false;
}

static bool find_name_end(struct walk *w, size_t end, size_t *start, struct place *at)
{
    struct walk over = *w;
    skip_value(&over);
    uint8_t c = peek(w);
    if (over.at >= end && c == '{') return find_in_object(w, end, start, at);
    if (over.at >= end && c == '[') return find_in_array(w, end, start, at);
    *w = over;
    return false;
}

bool locate_name_end(span text, size_t end, size_t *start, struct place *at)
{
    struct walk w = {span_sub(text, 0, end < text.len ? end : text.len), 0};
    skip_space(&w);
    return find_name_end(&w, end, start, at);
}

unsigned locate_line(span text, size_t offset, unsigned *column, span *line)
{
    unsigned lines = 0;
    size_t from = 0;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] != '\n') continue;
        lines++;
        from = i + 1;
    }
    *line = span_from(text, from);
    line->len = span_find(*line, '\n');
    if (line->len > 0 && line->ptr[line->len - 1] == '\r') line->len--;
    *column = 1;
    for (size_t i = from; i < offset && i < text.len; i++)
        *column += (text.ptr[i] & 0xC0) != 0x80;
    return lines;
}
