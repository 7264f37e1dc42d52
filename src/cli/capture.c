#include "cli/capture.h"

#include "os/os.h"

#define CAPTURE_MAX (1u << 30)

struct reading {
    struct problems *problems;
    captured_fn *each;
    void *ctx;
    char place[512];
};

/* As it stands in the file. */
struct answer {
    span target, type, body;
    const char *method;
    json_int_t status;
};

/* A URL of a browser's capture begins with scheme and host, which no route has. */
static span path_of(span target)
{
    size_t scheme = span_search(target, SPAN("://"));
    if (target.len == 0 || target.ptr[0] == '/' || scheme == target.len) return target;
    span rest = span_from(target, scheme + 3);
    return span_from(rest, span_find(rest, '/'));
}

static void tell(struct reading *m, const struct answer *a)
{
    span target = path_of(a->target);
    target = span_sub(target, 0, span_find(target, '#'));
    size_t end = span_find(target, '?');
    struct captured c = {.place = m->place, .path = span_sub(target, 0, end), .method = a->method, .status = a->status, .type = a->type,
        .body = a->body};
    if (end < target.len) c.query = span_from(target, end + 1);
    m->each(m->ctx, &c);
}

/* ---- the two formats ------------------------------------------------------------------------------------------------- */

static span text_of(const json_t *v, const char *name)
{
    const json_t *s = json_object_get(v, name);
    return span_of(json_string_value(s), json_string_length(s));
}

static const char *word_of(const json_t *v, const char *name, const char *fallback)
{
    const char *s = json_string_value(json_object_get(v, name));
    return s == NULL ? fallback : s;
}

static json_int_t status_of(const json_t *v)
{
    const json_t *s = json_object_get(v, "status");
    return s == NULL ? 200 : json_integer_value(s);
}

/* NULL: taken; else what is wrong with it. */
static const char *take_line(struct reading *m, const json_t *v)
{
    const json_t *body = json_object_get(v, "body");
    struct answer c = {.target = text_of(v, "target"), .type = span_str(word_of(v, "type", "application/json")), .body = text_of(v, "body"),
        .method = word_of(v, "method", "GET"), .status = status_of(v)};
    if (!json_is_object(v) || c.target.len == 0) return "is no exchange; give an object with \"target\" and \"body\"";
    if (json_is_string(body)) {
        tell(m, &c);
        return NULL;
    }
    if (body == NULL) return "has no \"body\"; give the answer as a text or as a JSON value";
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) return "is too large; no memory";
    c.body = span_str(text);
    tell(m, &c);
    mem_hook_free(text);
    return NULL;
}

/* HAR 1.2: content.text is the decoded body, in base64 where content.encoding says so. */
static const char *take_entry(struct reading *m, const json_t *v)
{
    const json_t *request = json_object_get(v, "request"), *response = json_object_get(v, "response");
    const json_t *content = json_object_get(response, "content");
    struct answer c = {.target = text_of(request, "url"), .type = text_of(content, "mimeType"), .body = text_of(content, "text"),
        .method = word_of(request, "method", "GET"), .status = json_integer_value(json_object_get(response, "status"))};
    if (c.target.len == 0 || response == NULL) return "is no entry of a HAR file; give one with \"request\" and \"response\"";
    if (strcmp(word_of(content, "encoding", ""), "base64") != 0) {
        tell(m, &c);
        return NULL;
    }
    uint8_t *bytes = mem_alloc(c.body.len / 4 * 3 + 4);
    size_t len = 0;
    bool good = bytes != NULL && base64_decode(c.body, bytes, &len);
    c.body = span_of(bytes, len);
    if (good) tell(m, &c);
    mem_free(bytes);
    return good ? NULL : "has a body that is no base64";
}


static void take_har(struct reading *m, const char *path, const json_t *entries)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        snprintf(m->place, sizeof(m->place), "%s:/log/entries/%zu", path, i);
        const char *wrong = take_entry(m, json_array_get(entries, i));
        if (wrong != NULL) problems_add(m->problems, path, "/log/entries/%zu %s", i, wrong);
    }
}

static void take_lines(struct reading *m, const char *path, span text)
{
    for (size_t line = 1; text.len > 0; line++) {
        size_t end = span_find(text, '\n');
        span one = span_trim(span_sub(text, 0, end));
        text = end < text.len ? span_from(text, end + 1) : span_of(NULL, 0);
        if (one.len == 0) continue;
        json_error_t error;
        snprintf(m->place, sizeof(m->place), "%s:%zu", path, line);
        json_t *v = json_loadb((const char *)one.ptr, one.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        const char *wrong = v == NULL ? "is no JSON; write one exchange a line, or give a HAR file" : take_line(m, v);
        if (wrong != NULL) problems_add(m->problems, m->place, "%s", wrong);
        json_decref(v);
    }
}

void capture_read(const char *path, struct problems *problems, captured_fn *each, void *ctx)
{
    struct reading reading = {.problems = problems, .each = each, .ctx = ctx}, *m = &reading;
    struct buf text;
    json_error_t error;
    result r = os_read_file(path, CAPTURE_MAX, &text);
    if (!is_ok(r)) {
        problems_add(m->problems, path, "%s; name a capture that can be read", os_error_text(r));
        return;
    }
    span all = buf_span(&text);
    json_t *har = json_loadb((const char *)all.ptr, all.len, JSON_ALLOW_NUL, &error);
    const json_t *entries = json_object_get(json_object_get(har, "log"), "entries");
    if (json_is_array(entries)) take_har(m, path, entries);
    else take_lines(m, path, all);
    json_decref(har);
    if (text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
}
