/* probe --worlds: three worlds from an operator's own fixture. In one the protected are at the origin and registered; in one only
 * registered; in one neither. Three gateways with the operator's rules, routes and limits, two origins that serve files, and every
 * query asked of all of them: what comes back must be one. Nothing of the running system is touched.
 *
 *   DIR/protected.jsonl   registry source of who is in the fixture
 *   DIR/present/…         the origin's answers where they are; DIR/absent/…: where they are not
 *   DIR/queries.txt       one request a line */
#include "cli/probe.h"
#include "cli/probe_metrics.h"
#include "fixture/fixture.h"
#include "http/http.h"
#include <limits.h>
#include <stdlib.h>

#define QUERIES_MAX 100000
#define FILE_MAX ((size_t)64 << 20)

enum world { WORLD_AT, WORLD_ABSENT, WORLD_NOBODY, WORLDS };

struct query {
    char *line;
    const char *method, *target;
    struct buf body, text, last;
    const char *type;
};

struct worlds {
    struct probing *probing;
    const struct config *config;
    char directory[FIXTURE_PATH]; /* ours */
    char places[WORLDS][FIXTURE_PATH + 16];
    char roots[2][1024];          /* of the two origins: present, absent */
    pid_t origins[2];
    uint16_t ports[2];
    struct fixture_gateway gateways[WORLDS];
    struct probe_server servers[WORLDS];
    char host[256];
    struct query *queries;
    size_t count;
    struct probe_subject *subjects;
    char **names;
    uint64_t found; /* protected records in the answers of the first world */
};

static bool fail(const char *what, const char *why)
{
    fprintf(stderr, "gate1367 probe: %s: %s\n", what, why);
    return false;
}

/* ---- the origins --------------------------------------------------------------------------------------------------- */

struct store { /* of one answer */
    char root[1024];
    struct buf head;
};

/* A query stands behind "?" in the file's name, its "/" as %2F. */
static void name_file(const struct store *s, const struct http_request *r, bool query, const char *ending, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s%.*s%s", s->root, SPAN_FMT(r->path), query ? "?" : "");
    for (size_t i = 0; query && i < r->query.len && n + 4 < size; i++) {
        n += (size_t)snprintf(out + n, size - n, r->query.ptr[i] == '/' ? "%%2F" : "%c", r->query.ptr[i]);
    }
    if (n < size) snprintf(out + n, size - n, "%s", ending);
}

/* "404", "ETag: x", one a line. */
static void read_fields(struct store *s, const char *path, struct fixture_reply *out)
{
    char name[2200];
    snprintf(name, sizeof(name), "%s.head", path);
    buf_free(&s->head);
    if (!is_ok(os_read_file(name, 65536, &s->head))) return;
    span rest = buf_span(&s->head);
    while (rest.len > 0) {
        size_t end = span_find(rest, '\n');
        span line = span_trim(span_sub(rest, 0, end));
        rest = end < rest.len ? span_from(rest, end + 1) : span_of(NULL, 0);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
        size_t colon = span_find(line, ':');
        uint64_t status;
        if (colon == line.len && span_to_u64(line, 599, &status) && status >= 200) out->status = (unsigned)status;
        if (colon == line.len || out->field_count == FIXTURE_FIELDS) continue;
        span field = span_sub(line, 0, colon), value = span_trim(span_from(line, colon + 1));
        if (span_equal_nocase(field, SPAN("content-type"))) out->content_type = value;
        else out->fields[out->field_count++] = (struct http_field){.name = field, .value = value};
    }
}

static bool serve_file(struct store *s, const char *path, struct fixture_reply *out)
{
    buf_free(&out->body);
    if (!is_ok(os_read_file(path, FILE_MAX, &out->body))) return false;
    size_t n = strlen(path);
    if (n > 7 && strcmp(path + n - 7, ".ndjson") == 0) out->content_type = SPAN("application/x-ndjson");
    read_fields(s, path, out);
    return true;
}

static result answer_from_files(void *ctx, const struct http_request *r, span body, struct fixture_reply *out)
{
    static const char *const ENDINGS[] = {"", ".json", ".ndjson"};
    struct store *s = ctx;
    char path[2100];
    (void)body;
    for (int query = r->has_query ? 1 : 0; query >= 0; query--) {
        for (size_t i = 0; i < ARRAY_LEN(ENDINGS); i++) {
            name_file(s, r, query == 1, ENDINGS[i], path, sizeof(path));
            if (serve_file(s, path, out)) return OK;
        }
    }
    out->status = 404;
    snprintf(path, sizeof(path), "%s/404.json", s->root);
    if (serve_file(s, path, out)) return OK;
    return buf_append(&out->body, SPAN("{\"error\":\"not found\"}\n"));
}

static bool start_origins(struct worlds *w)
{
    static const char *const NAMES[] = {"present", "absent"};
    for (size_t i = 0; i < 2; i++) {
        struct store s = {.head = {0}};
        snprintf(s.root, sizeof(s.root), "%.1000s/%s", w->probing->worlds, NAMES[i]);
        if (!os_exists(s.root)) return fail(s.root, "is not there; put the origin's answers of that world into it");
        if (!fixture_origin_start(answer_from_files, &s, &w->origins[i], &w->ports[i])) return fail(s.root, "no socket on loopback");
    }
    return true;
}

/* ---- the gateways -------------------------------------------------------------------------------------------------- */

static void make_absolute(const char *directory, json_t *object, const char *name)
{
    char path[4096];
    const char *value = json_string_value(json_object_get(object, name));
    if (value == NULL || value[0] == '/') return;
    snprintf(path, sizeof(path), "%.2000s/%.2000s", directory, value);
    json_object_set_new(object, name, json_string(path));
}

static void make_all_absolute(const char *directory, json_t *root)
{
    static const char *const TLS[] = {"certificate", "key", "client_ca"};
    json_t *tls = json_object_get(json_array_get(json_object_get(root, "listen"), 0), "tls"), *rules = json_object_get(root, "rules");
    for (size_t i = 0; i < ARRAY_LEN(TLS); i++) make_absolute(directory, tls, TLS[i]);
    make_absolute(directory, root, "recipients");
    make_absolute(directory, json_object_get(root, "cursors"), "key");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *name = json_string_value(json_array_get(rules, i));
        char path[4096];
        if (name == NULL || name[0] == '/') continue;
        snprintf(path, sizeof(path), "%.2000s/%.2000s", directory, name);
        json_array_set_new(rules, i, json_string(path));
    }
}

/* The operator's configuration, but for where it listens, whom it asks, and what it knows and records. */
static void turn_into(json_t *root, enum world world, uint16_t port)
{
    json_t *upstreams = json_object_get(root, "upstreams"), *upstream, *listen = json_object_get(root, "listen");
    const char *name;
    char url[64];
    (void)world;
    while (json_array_size(listen) > 1) json_array_remove(listen, 1);
    json_object_set_new(json_array_get(listen, 0), "address", json_string("127.0.0.1:0"));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
    json_object_foreach(upstreams, name, upstream)
    {
        json_object_set_new(upstream, "servers", json_pack("[s]", url));
        json_object_del(upstream, "tls");
    }
    json_object_set_new(root, "admin", json_pack("{s:s, s:s}", "address", "127.0.0.1:0", "socket", "admin.sock"));
    json_object_set_new(root, "workers", json_integer(1));
    json_object_set_new(root, "registry", json_pack("{s:s, s:s}", "index", "protected.idx", "key", "protected.key"));
    json_object_set_new(root, "ledger",
        json_pack("{s:s, s:s, s:s}", "directory", "ledger", "key", "ledger.key", "origin", "gate1367.example/worlds"));
}

static bool write_configuration(struct worlds *w, enum world world)
{
    char *text = NULL, directory[PATH_MAX];
    struct buf file;
    json_error_t error;
    json_t *root = NULL;
    if (realpath(w->probing->config, directory) != NULL && is_ok(os_read_file(w->probing->config, (size_t)16 << 20, &file))) {
        *strrchr(directory, '/') = '\0'; /* of the file itself, wherever a link to it lies */
        root = json_loadb((const char *)buf_span(&file).ptr, buf_len(&file), 0, &error);
        buf_free(&file);
    }
    if (root != NULL) {
        make_all_absolute(directory, root);
        turn_into(root, world, w->ports[world == WORLD_AT ? 0 : 1]);
        text = json_dumps(root, JSON_INDENT(1));
    }
    result r = text == NULL ? FAIL(ERROR_LIMIT, 0) : fixture_write(w->places[world], "gate.json", span_str(text));
    mem_hook_free(text);
    json_decref(root);
    return is_ok(r) || fail(w->places[world], os_error_text(r));
}

static bool run_quietly(const char *directory, const char *const *argv)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    int status = fixture_run(directory, argv, &out);
    if (status != 0) fprintf(stderr, "%.*s", SPAN_FMT(buf_span(&out)));
    buf_free(&out);
    return status == 0;
}

static bool write_source(struct worlds *w, enum world world)
{
    char path[1100];
    struct buf source;
    snprintf(path, sizeof(path), "%.1000s/protected.jsonl", w->probing->worlds);
    result r = os_read_file(path, FILE_MAX, &source);
    if (!is_ok(r)) return fail(path, os_error_text(r));
    span text = world == WORLD_NOBODY ? span_of("", 0) : buf_span(&source);
    r = fixture_write(w->places[world], "protected.jsonl", text);
    buf_free(&source);
    return is_ok(r) || fail(w->places[world], os_error_text(r));
}

static bool start_gateway(struct worlds *w, enum world world)
{
    static const char *const NAMES[WORLDS] = {"at-the-origin", "not-at-the-origin", "nobody-knows"};
    static const char *const BUILD[] = {"gate1367", "registry", "build", "protected.jsonl", "-o", "protected.idx", "--key", "protected.key", NULL};
    static const char *const INIT[] = {"gate1367", "log", "init", "-c", "gate.json", "--segment", "4MiB", NULL};
    const char *place = w->places[world];
    snprintf(w->places[world], sizeof(w->places[world]), "%.480s/%s", w->directory, NAMES[world]);
    result r = os_make_dir(place, 0700);
    if (!is_ok(r)) return fail(place, os_error_text(r));
    if (!write_source(w, world) || !write_configuration(w, world)) return false;
    if (!run_quietly(place, BUILD) || !run_quietly(place, INIT)) return false;
    if (!fixture_gateway_start(place, &w->gateways[world])) return fail(NAMES[world], "the gateway of this world does not start");
    char address[64];
    snprintf(address, sizeof(address), "127.0.0.1:%u", w->gateways[world].port);
    w->servers[world].index = world;
    return is_ok(os_address_parse(address, &w->servers[world].address));
}

/* ---- who asks ------------------------------------------------------------------------------------------------------ */

static bool read_pem(const char *path, bool secret, struct buf *out)
{
    buf_init(out, 1u << 20);
    if (path == NULL) return true;
    result r = secret ? os_secret_read(path, 1u << 20, out) : os_read_file(path, 1u << 20, out);
    return is_ok(r) || fail(path, os_error_text(r));
}

static bool open_clients(struct worlds *w)
{
    struct buf certificate, key;
    char why[200] = "";
    span own = w->config->settings.listeners[0].certificate;
    bool named = probe_certificate_name(own, w->host, sizeof(w->host)) || fail("the gateway's certificate", "names no host");
    bool good = read_pem(w->probing->certificate, false, &certificate);
    good = read_pem(w->probing->key, true, &key) && good && named;
    struct io_tls_client_options o = {.ca = own, .certificate = buf_span(&certificate), .key = buf_span(&key), .name = w->host};
    for (enum world i = WORLD_AT; good && i < WORLDS; i++) {
        good = is_ok(io_tls_client_new(&o, &w->servers[i].tls, why, sizeof(why))) || fail("TLS", why);
    }
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&certificate);
    buf_free(&key);
    return good;
}

/* ---- what is asked ------------------------------------------------------------------------------------------------- */

static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");
    char *end = word + strcspn(word, " \t");
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return *word == '\0' ? NULL : word;
}

static bool bad_line(const struct worlds *w, size_t line, const char *why)
{
    fprintf(stderr, "%s/queries.txt:%zu:1: /: %s\n", w->probing->worlds, line, why);
    return false;
}

/* "[METHOD] /target [@file]" */
static bool read_query(struct worlds *w, struct query *q, size_t line)
{
    char *at = q->line, path[1400];
    char *first = next_word(&at), *second = first == NULL ? NULL : next_word(&at), *third = second == NULL ? NULL : next_word(&at);
    bool short_form = first != NULL && first[0] == '/';
    q->method = short_form ? "GET" : first;
    q->target = short_form ? first : second;
    const char *body = short_form ? second : third;
    buf_init(&q->body, FILE_MAX);
    buf_init(&q->text, 2 * FILE_MAX);
    buf_init(&q->last, 2 * FILE_MAX);
    if (q->target == NULL || q->target[0] != '/' || !http_is_token(span_str(q->method))) {
        return bad_line(w, line, "this is no request; write METHOD /path?query, or the path alone, and @file for a body");
    }
    if (body != NULL && body[0] != '@') return bad_line(w, line, "more than one path; a body is @file");
    if (body == NULL) return true;
    snprintf(path, sizeof(path), "%.1000s/%.300s", w->probing->worlds, body + 1);
    if (!is_ok(os_read_file(path, 1u << 20, &q->body))) return bad_line(w, line, "its body cannot be read");
    size_t n = strlen(body);
    q->type = n > 5 && strcmp(body + n - 5, ".json") == 0 ? "application/json" : "application/octet-stream";
    return true;
}

static bool write_query(struct worlds *w, struct query *q)
{
    json_t *fields = q->type == NULL ? NULL : json_pack("{s:s}", "Content-Type", q->type);
    struct probe_request r = {.method = q->method, .target = q->target, .host = w->host, .purpose = w->probing->purpose, .fields = fields,
        .body = buf_span(&q->body)};
    bool good = is_ok(probe_request_write(&r, false, &q->text)) && is_ok(probe_request_write(&r, true, &q->last));
    json_decref(fields);
    return good || fail(q->target, "the request cannot be written");
}

static bool read_queries(struct worlds *w)
{
    char path[1100];
    struct buf text;
    size_t number = 0;
    bool good = true;
    snprintf(path, sizeof(path), "%.1000s/queries.txt", w->probing->worlds);
    result r = os_read_file(path, FILE_MAX, &text);
    if (!is_ok(r)) return fail(path, os_error_text(r));
    w->queries = mem_array(QUERIES_MAX, sizeof(*w->queries));
    span rest = buf_span(&text);
    while (w->queries != NULL && rest.len > 0) {
        size_t end = span_find(rest, '\n');
        span line = span_trim(span_sub(rest, 0, end));
        rest = end < rest.len ? span_from(rest, end + 1) : span_of(NULL, 0);
        number++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
        if (line.len == 0 || line.ptr[0] == '#') continue;
        if (w->count == QUERIES_MAX) {
            good = bad_line(w, number, "one query too many; split the file");
            break;
        }
        struct query *q = &w->queries[w->count++];
        q->line = mem_alloc(line.len + 1);
        if (q->line != NULL) memcpy(q->line, line.ptr, line.len);
        good = q->line != NULL && read_query(w, q, number) && write_query(w, q) && good;
    }
    buf_free(&text);
    return good && (w->count > 0 || fail(path, "no query stands in it; write one a line"));
}

/* Two subjects a query: the world where the protected are at the origin, beside each of the other two. */
static bool make_subjects(struct worlds *w)
{
    static const char *const AGAINST[] = {"not at the origin", "known to nobody"};
    w->subjects = mem_array(2 * w->count, sizeof(*w->subjects));
    w->names = mem_array(2 * w->count, sizeof(*w->names));
    for (size_t i = 0; w->subjects != NULL && w->names != NULL && i < 2 * w->count; i++) {
        const struct query *q = &w->queries[i / 2];
        const struct probe_server *other = &w->servers[i % 2 == 0 ? WORLD_ABSENT : WORLD_NOBODY];
        size_t size = strlen(q->target) + 64;
        w->names[i] = mem_alloc(size);
        if (w->names[i] == NULL) return false;
        snprintf(w->names[i], size, "%s %s: at the origin | %s", q->method, q->target, AGAINST[i % 2]);
        struct probe_subject *s = &w->subjects[i];
        *s = (struct probe_subject){.name = w->names[i], .who = w->probing->certificate == NULL ? "anonymous" : w->probing->certificate, .ways = PROBE_ALL_WAYS};
        for (int side = 0; side < PROBE_SIDES; side++) {
            s->side[side] = (struct probe_shot){.server = side == PROBE_WITHHELD ? &w->servers[WORLD_AT] : other,
                .text = buf_span(&q->text), .last = buf_span(&q->last), .head = strcmp(q->method, "HEAD") == 0};
            s->next[side] = s->side[side];
        }
    }
    return w->subjects != NULL && w->names != NULL;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

/* Worlds that are equal because nothing was ever found prove nothing. */
static uint64_t found_at(const struct worlds *w)
{
    struct os_address a;
    struct buf text;
    uint64_t found = 0;
    const char *address = strstr(w->gateways[WORLD_AT].admin, "//");
    if (address == NULL || !is_ok(os_address_parse(address + 2, &a))) return 0;
    result r = probing_metrics(&a, &text);
    if (!is_ok(r) || !probing_metric(buf_span(&text), "gate1367_records_protected_total", &found)) found = 0;
    buf_free(&text);
    return found;
}

static const char *found_nobody(void *ctx)
{
    struct worlds *w = ctx;
    w->found = found_at(w);
    if (w->found > 0) return NULL;
    (void)fail(w->probing->worlds, "nobody protected was found in any answer: equal worlds prove nothing then; look at protected.jsonl, the paths and the profile");
    return "nobody protected was found in any answer, which proves nothing";
}

static int ask(struct worlds *w)
{
    char what[1100];
    snprintf(what, sizeof(what), "three worlds of %.1000s, %zu queries", w->probing->worlds, w->count);
    w->probing->options.servers = WORLDS;
    w->probing->nothing = found_nobody;
    w->probing->nothing_ctx = w;
    int status = probing_run(w->probing, w->subjects, 2 * w->count, what);
    if (status == 0 && !w->probing->json) printf("somebody protected was found in %llu records of these answers\n", (unsigned long long)w->found);
    return status;
}

static void clear(struct worlds *w)
{
    for (enum world i = WORLD_AT; i < WORLDS; i++) {
        fixture_stop(&w->gateways[i].pid);
        io_tls_client_free(w->servers[i].tls);
    }
    for (size_t i = 0; i < 2; i++) fixture_stop(&w->origins[i]);
    for (size_t i = 0; w->names != NULL && i < 2 * w->count; i++) mem_free(w->names[i]);
    for (size_t i = 0; w->queries != NULL && i < w->count; i++) {
        buf_free(&w->queries[i].body);
        buf_free(&w->queries[i].text);
        buf_free(&w->queries[i].last);
        mem_free(w->queries[i].line);
    }
    mem_free(w->names);
    mem_free(w->subjects);
    mem_free(w->queries);
    fixture_directory_remove(w->directory);
}

static bool prepare(struct worlds *w)
{
    if (!open_clients(w) || !read_queries(w) || !start_origins(w)) return false;
    for (enum world i = WORLD_AT; i < WORLDS; i++) {
        if (!start_gateway(w, i)) return false;
    }
    return make_subjects(w);
}

int probing_worlds(struct probing *p)
{
    struct worlds w = {.probing = p};
    if ((p->certificate == NULL) != (p->key == NULL)) return cli_usage("probe", "--certificate and --key go together");
    struct config *c = probing_config(p);
    if (c == NULL) return 1;
    w.config = c;
    int status = 2;
    if (!fixture_directory_make("worlds", w.directory)) (void)fail("a temporary directory", "cannot be made");
    else {
        if (prepare(&w)) status = ask(&w);
        clear(&w);
    }
    config_free(c);
    return status;
}
