#include "source/report.h"

#define SOURCE_MAGIC 0x53524345u

struct source {
    uint32_t magic;
    unsigned first_line;
    bool of_people; /* messages quote nothing of it */
    char *name;
    uint8_t *text;
    size_t len;
    json_t *root;
    struct problems *problems;
};

json_t *source_root(const struct source *s)
{
    MAGIC_CHECK(s, SOURCE_MAGIC);
    return s->root;
}

const char *source_name(const struct source *s)
{
    MAGIC_CHECK(s, SOURCE_MAGIC);
    return s->name;
}

span source_text(const struct source *s)
{
    MAGIC_CHECK(s, SOURCE_MAGIC);
    return span_of(s->text, s->len);
}

struct problems *source_problems(const struct source *s)
{
    MAGIC_CHECK(s, SOURCE_MAGIC);
    return s->problems;
}

unsigned source_first_line(const struct source *s)
{
    return s->first_line;
}

void source_free(struct source *s)
{
    if (!s) return;
    MAGIC_CHECK(s, SOURCE_MAGIC);
    s->magic = 0;
    json_decref(s->root);
    mem_free_wipe(s->text, s->len); /* a registry's source names persons */
    mem_free(s->name);
    mem_free(s);
}

static void report_at(struct source *s, size_t offset, const char *pointer, const char *what, const char *better)
{
    struct report r = {.file = s->name, .pointer = pointer};
    r.line = s->first_line + locate_line(source_text(s), offset, &r.column, &r.code);
    problems_say(s->problems, &r, "%s; %s", what, better);
}

/* Jansson stops behind the token that it did not like and quotes it: … near 'TOKEN'. The marker belongs on its first
 * character. */
static size_t token_start(const struct source *s, const json_error_t *error)
{
    size_t end = error->position > 0 ? (size_t)error->position : 0;
    if (end > s->len) end = s->len;
    const char *near = strstr(error->text, " near '");
    if (!near) return end;
    span token = span_str(near + strlen(" near '"));
    if (token.len < 2) return end;
    token.len--;
    if (token.len > end || !span_equal(token, span_of(s->text + end - token.len, token.len)))
        return end > 0 ? end - 1 : 0;
    return end - token.len;
}

static void report_duplicate(struct source *s, size_t end)
{
    struct place at = place_root(s);
    size_t start;
    if (locate_name_end(source_text(s), end, &start, &at))
        report_at(s, start, at.pointer, "this name stands twice in its object", "remove one of the two members");
    else
        report_at(s, end, NULL, "a name stands twice in its object", "remove one of the two members");
}

static void report_syntax(struct source *s, const json_error_t *error)
{
    if (span_starts(source_text(s), SPAN("\xEF\xBB\xBF"))) {
        report_at(s, 0, NULL, "the file starts with a byte order mark", "save it as UTF-8 without one");
        return;
    }
    char what[sizeof error->text + 16];
    const char *near = s->of_people ? strstr(error->text, " near '") : NULL;
    int kept = near ? (int)(near - error->text) : (int)sizeof error->text;
    snprintf(what, sizeof what, "not JSON: %.*s", kept, error->text);
    report_at(s, token_start(s, error), NULL, what, "strict JSON (RFC 8259) in UTF-8 is expected");
}

//= RFC8259 2
static bool parse_root(struct source *s)
{
    json_error_t error = {0};
    s->root = json_loadb(s->len ? (const char *)s->text : "", s->len, JSON_REJECT_DUPLICATES, &error);
    if (s->root) return true;
    switch (json_error_code(&error)) {
    case json_error_duplicate_key: report_duplicate(s, (size_t)error.position); break;
    case json_error_out_of_memory: problems_add(s->problems, s->name, "out of memory; make the file smaller"); break;
    case json_error_unknown:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_utf8:
    case json_error_premature_end_of_input:
    case json_error_end_of_input_expected:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_character:
    case json_error_null_value:
    case json_error_null_byte_in_key:
    case json_error_numeric_overflow:
    case json_error_item_not_found:
    case json_error_index_out_of_range: report_syntax(s, &error); break;
    }
    return false;
}

static struct source *new_source(const char *name, span text, struct problems *p)
{
    struct source *s = mem_alloc(sizeof *s);
    if (!s) return NULL;
    s->magic = SOURCE_MAGIC;
    s->problems = p;
    s->len = text.len;
    s->name = mem_strdup(name);
    s->text = mem_copy(text.ptr, text.len);
    if (s->name && s->text) return s;
    if (!s->text) s->len = 0;
    source_free(s);
    return NULL;
}

static struct source *parse(const char *name, unsigned line, span text, bool of_people, struct problems *p)
{
    struct source *s = new_source(name, text, p);
    if (!s) {
        problems_add(p, name, "out of memory; make the file smaller");
        return NULL;
    }
    s->first_line = line;
    s->of_people = of_people;
    if (parse_root(s)) return s;
    source_free(s);
    return NULL;
}

//= ICE10036.2 2.1
struct source *source_parse_line(const char *name, unsigned line, span text, struct problems *p)
{
    return parse(name, line, text, true, p);
}

struct source *source_parse(const char *name, span text, struct problems *p)
{
    return parse(name, 1, text, false, p);
}

bool source_locate(const struct source *s, const char *pointer, bool on_name, unsigned *line, unsigned *column)
{
    MAGIC_CHECK(s, SOURCE_MAGIC);
    size_t offset;
    span code;
    if (!locate_pointer(source_text(s), pointer, on_name, &offset)) return false;
    *line = s->first_line + locate_line(source_text(s), offset, column, &code);
    return true;
}
