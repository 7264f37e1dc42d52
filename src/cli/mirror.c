/* serve --mirror FILE…: the mirror over captured traffic instead of a copy of it. A capture is a HAR file, or JSON Lines of
 * {"target", "method", "status", "type", "body"}. */
#include "cli/mirror.h"
#include "http/http.h"
#include "trial/trial.h"

#define CAPTURE_MAX (1u << 30)

struct capture {
    const struct config *config;
    struct problems *problems;
    struct trial *trial;
    struct config_registry now;
    struct mirror_board *board;
};

/* One exchange of the capture; borrowed from its JSON. */
struct captured {
    span target, type, body;
    const char *method;
    json_int_t status;
};

/* ---- one exchange ---------------------------------------------------------------------------------------------------- */

static void count(const struct capture *m, enum mirror_fact f, const struct proxy_route *r, const struct rules_document *d, const char *name)
{
    const char *document = d == NULL ? "" : rules_document_view(d)->path_template;
    mirror_count(m->board, f, r == NULL ? "" : r->path, document, span_str(name), 1);
}

static void count_undescribed(const struct capture *m, const struct proxy_route *r, span path)
{
    char shape[MIRROR_TEXT];
    mirror_path(r->path, r->profile, path, shape);
    count(m, MIRROR_UNDESCRIBED, r, NULL, shape);
}

/* What a restricted recipient is refused before anybody asks the origin; GATE_FINE: nothing. */
static enum gate_failure refused(const struct proxy_route *r, const struct rules_document *d, const struct captured *c, span query)
{
    enum http_method method = http_method_of(span_str(c->method));
    if (method == HTTP_METHOD_OTHER || (r->restricted_methods >> method & 1u) == 0) return GATE_METHOD;
    if (d == NULL && !r->inspect) return GATE_UNPROFILED;
    if (d != NULL && query.len > 0 && !rules_query_allowed(d, query)) return GATE_QUERY;
    return GATE_FINE;
}

static void judge(struct capture *m, const struct proxy_route *r, const struct rules_document *d, const struct captured *c)
{
    char type[256];
    struct trial_answer a;
    snprintf(type, sizeof(type), "%.*s", SPAN_FMT(c->type));
    struct trial_question q = {.document = d, .inspect = r->inspect, .class = RECIPIENT_RESTRICTED, .registry = m->now.registry,
        .limits = m->config->settings.limits, .type = type, .body = c->body};
    trial_ask(m->trial, &q, &a);
    if (a.failure != GATE_FINE || a.survey == NULL) {
        count(m, MIRROR_UNDELIVERABLE, r, d, gate_failure_name(a.failure));
        return;
    }
    struct mirror_answer look = {.route = r->path, .document = d, .rules = m->config->settings.rules, .survey = a.survey,
        .verdict = &a.outcome->verdict, .body = c->body};
    mirror_look(m->board, &look);
}

/* A URL of a browser's capture begins with scheme and host, which no route has. */
static span path_of(span target)
{
    size_t scheme = span_search(target, SPAN("://"));
    if (target.len == 0 || target.ptr[0] == '/' || scheme == target.len) return target;
    span rest = span_from(target, scheme + 3);
    return span_from(rest, span_find(rest, '/'));
}

static void take(struct capture *m, const struct captured *c)
{
    span target = path_of(c->target);
    target = span_sub(target, 0, span_find(target, '#'));
    size_t end = span_find(target, '?');
    span path = span_sub(target, 0, end), query = end < target.len ? span_from(target, end + 1) : span_of(NULL, 0);
    const struct proxy_route *r = http_path_judge(path) ? proxy_find_route(&m->config->settings, path) : NULL;
    if (r == NULL) {
        count(m, MIRROR_REFUSED, NULL, NULL, gate_failure_name(GATE_NO_ROUTE));
        return;
    }
    const struct rules_document *d = r->profile == NULL ? NULL : rules_find_document(r->profile, path);
    if (d == NULL) count_undescribed(m, r, path);
    enum gate_failure f = refused(r, d, c, query);
    if (f != GATE_FINE) count(m, MIRROR_REFUSED, r, d, gate_failure_name(f));
    else if (c->status != 200) count(m, MIRROR_UNDELIVERABLE, r, d, gate_failure_name(GATE_UPSTREAM_STATUS));
    else judge(m, r, d, c);
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
static const char *take_line(struct capture *m, const json_t *v)
{
    const json_t *body = json_object_get(v, "body");
    struct captured c = {.target = text_of(v, "target"), .type = span_str(word_of(v, "type", "application/json")), .body = text_of(v, "body"),
        .method = word_of(v, "method", "GET"), .status = status_of(v)};
    if (!json_is_object(v) || c.target.len == 0) return "is no exchange; give an object with \"target\" and \"body\"";
    if (json_is_string(body)) {
        take(m, &c);
        return NULL;
    }
    if (body == NULL) return "has no \"body\"; give the answer as a text or as a JSON value";
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) return "is too large; no memory";
    c.body = span_str(text);
    take(m, &c);
    mem_hook_free(text);
    return NULL;
}

/* HAR 1.2: content.text is the decoded body, in base64 where content.encoding says so. */
static const char *take_entry(struct capture *m, const json_t *v)
{
    const json_t *request = json_object_get(v, "request"), *response = json_object_get(v, "response");
    const json_t *content = json_object_get(response, "content");
    struct captured c = {.target = text_of(request, "url"), .type = text_of(content, "mimeType"), .body = text_of(content, "text"),
        .method = word_of(request, "method", "GET"), .status = json_integer_value(json_object_get(response, "status"))};
    if (c.target.len == 0 || response == NULL) return "is no entry of a HAR file; give one with \"request\" and \"response\"";
    if (strcmp(word_of(content, "encoding", ""), "base64") != 0) {
        take(m, &c);
        return NULL;
    }
    uint8_t *bytes = mem_alloc(c.body.len / 4 * 3 + 4);
    size_t len = 0;
    bool good = bytes != NULL && base64_decode(c.body, bytes, &len);
    c.body = span_of(bytes, len);
    if (good) take(m, &c);
    mem_free(bytes);
    return good ? NULL : "has a body that is no base64";
}

static void complain(struct capture *m, const char *path, size_t line, const char *what)
{
    char place[512];
    snprintf(place, sizeof(place), "%s:%zu", path, line);
    problems_add(m->problems, place, "%s", what);
}

static void take_har(struct capture *m, const char *path, const json_t *entries)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *wrong = take_entry(m, json_array_get(entries, i));
        if (wrong != NULL) problems_add(m->problems, path, "/log/entries/%zu %s", i, wrong);
    }
}

static void take_lines(struct capture *m, const char *path, span text)
{
    for (size_t line = 1; text.len > 0; line++) {
        size_t end = span_find(text, '\n');
        span one = span_trim(span_sub(text, 0, end));
        text = end < text.len ? span_from(text, end + 1) : span_of(NULL, 0);
        if (one.len == 0) continue;
        json_error_t error;
        json_t *v = json_loadb((const char *)one.ptr, one.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        const char *wrong = v == NULL ? "is no JSON; write one exchange a line, or give a HAR file" : take_line(m, v);
        if (wrong != NULL) complain(m, path, line, wrong);
        json_decref(v);
    }
}

static void take_file(struct capture *m, const char *path)
{
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

/* ---- the command ----------------------------------------------------------------------------------------------------- */

void cli_mirror_report(const struct mirror_source *source, bool json)
{
    struct buf text;
    buf_init(&text, 64u << 20);
    result r = json ? mirror_report_json(source, &text) : mirror_report_text(source, &text);
    if (is_ok(r)) fwrite(text.base + text.read, 1, buf_len(&text), stdout);
    else fputs("gate1367 serve: no memory for the report\n", stderr);
    fflush(stdout);
    buf_free(&text);
}

static void report(const struct capture *m, bool json)
{
    struct admin_mirror *all = mem_alloc(sizeof(*all));
    if (all == NULL) return;
    admin_mirror_source(m->config, m->board, 1, all);
    cli_mirror_report(&all->source, json);
    mem_free(all);
}

int cli_mirror_files(const struct config *c, char **files, size_t count_files, bool json)
{
    struct capture m = {.config = c, .problems = problems_new(), .trial = trial_new(c->settings.rules)};
    m.board = mem_alloc(sizeof(*m.board));
    bool ready = m.problems != NULL && m.trial != NULL && m.board != NULL;
    if (ready && !is_ok(config_registry_open(c, &m.now))) problems_add(m.problems, m.now.path, "%s", m.now.why);
    for (size_t i = 0; ready && m.now.registry != NULL && i < count_files; i++) take_file(&m, files[i]);
    if (m.problems != NULL) cli_print_problems(m.problems, false);
    bool good = ready && problems_errors(m.problems) == 0;
    if (ready && m.now.registry != NULL) report(&m, json);
    config_registry_close(&m.now);
    mem_free(m.board);
    if (m.trial != NULL) trial_free(m.trial);
    problems_free(m.problems);
    return good ? 0 : 1;
}
