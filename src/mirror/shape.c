/* Paths without what could name somebody. */
#include "mirror/mirror.h"

#define DEPTH_MAX 24
#define NAME_MAX 40
#define DIGITS_MAX 2

struct text {
    char *out;
    size_t len;
};

static void put(struct text *t, span s)
{
    if (t->len + s.len >= MIRROR_TEXT) return;
    memcpy(t->out + t->len, s.ptr, s.len);
    t->len += s.len;
    t->out[t->len] = '\0';
}

/* A word of a schema, not a value that became a name: {"A012345678": …}, {"maria garcia": …}. */
static bool is_word(span name)
{
    unsigned digits = 0;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        digits += is_digit(c);
        if (!is_alnum(c) && c != '_' && c != '-' && c != '@' && c != ':' && c != '$') return false;
    }
    return name.len > 0 && name.len <= NAME_MAX && digits <= DIGITS_MAX;
}

struct level {
    bool object, naming; /* inside an object; a name comes next */
    span name;
};

struct walk {
    struct level levels[DEPTH_MAX];
    size_t depth; /* may be more than there are levels: those below are not told */
};

static struct level *innermost(struct walk *w)
{
    return w->depth > 0 && w->depth <= DEPTH_MAX ? &w->levels[w->depth - 1] : NULL;
}

static void open_level(struct walk *w, bool object)
{
    w->depth++;
    struct level *l = innermost(w);
    if (l != NULL) *l = (struct level){.object = object, .naming = object};
}

/* Behind the closing quote of the string that begins at `from`. */
static size_t string_end(span body, size_t from)
{
    size_t i = from + 1;
    while (i < body.len && body.ptr[i] != '"') i += body.ptr[i] == '\\' ? 2 : 1;
    return i < body.len ? i + 1 : body.len;
}

static size_t step_over(struct walk *w, span body, size_t i)
{
    struct level *l = innermost(w);
    switch (body.ptr[i]) {
    case '{':
    case '[': open_level(w, body.ptr[i] == '{'); break;
    case '}':
    case ']':
        if (w->depth > 0) w->depth--;
        break;
    case ',':
        if (l != NULL) l->naming = l->object;
        break;
    case '"': {
        size_t end = string_end(body, i);
        if (l != NULL && l->naming) {
            l->name = end > i + 2 ? span_sub(body, i + 1, end - i - 2) : span_of(NULL, 0);
            l->naming = false;
        }
        return end;
    }
    default: break;
    }
    return i + 1;
}

void mirror_shape(span body, uint64_t at, char out[MIRROR_TEXT])
{
    struct walk w = {.depth = 0};
    struct text t = {.out = out};
    for (size_t i = 0; i < body.len && i < at;) i = step_over(&w, body, i);
    put(&t, SPAN("$"));
    for (size_t i = 0; i < w.depth && i < DEPTH_MAX; i++) {
        const struct level *l = &w.levels[i];
        bool named = l->object && !l->naming && is_word(l->name);
        if (!l->object) put(&t, SPAN("[*]"));
        else put(&t, SPAN("."));
        if (l->object) put(&t, named ? l->name : SPAN("*"));
    }
}

static bool has_segment(const char *path, span segment)
{
    span rest = span_str(path);
    while (rest.len > 0) {
        size_t end = span_find(rest, '/');
        if (span_equal(span_sub(rest, 0, end), segment)) return true;
        rest = span_from(rest, end < rest.len ? end + 1 : end);
    }
    return false;
}

static bool is_spelled_out(const char *route, const struct rules_profile *p, span segment)
{
    if (has_segment(route, segment)) return true;
    for (size_t i = 0; p != NULL && i < rules_profile_documents(p); i++) {
        if (has_segment(rules_document_view(rules_profile_document(p, i))->path_template, segment)) return true;
    }
    return false;
}

void mirror_path(const char *route, const struct rules_profile *p, span path, char out[MIRROR_TEXT])
{
    struct text t = {.out = out};
    out[0] = '\0';
    while (path.len > 0) {
        path = span_from(path, 1); /* its slash */
        size_t end = span_find(path, '/');
        span segment = span_sub(path, 0, end);
        put(&t, SPAN("/"));
        if (segment.len > 0) put(&t, is_spelled_out(route, p, segment) ? segment : SPAN("*"));
        path = span_from(path, end);
    }
}
