/* The pairs file: who asks, and which two requests must not be told apart. */
#include "http/http.h"
#include "probe/probe.h"

#define FILE_MAX ((size_t)16 << 20)
#define PEM_MAX ((size_t)1 << 20)
#define PLAN_MEMORY ((size_t)256 << 20)
#define PAIRS_MAX 1024
#define CLIENTS_MAX 64
#define BODY_MAX ((size_t)1 << 20)
#define NAME_MAX_LEN 256

struct client {
    const char *name, *purpose; /* name NULL: anonymous */
    const json_t *fields;
    struct probe_server server;
};

struct probe_plan {
    struct arena *memory;
    struct source *source;
    char directory[1024], host[NAME_MAX_LEN];
    span ca;
    struct os_address address;
    struct client clients[CLIENTS_MAX + 1]; /* [0]: anonymous */
    size_t client_count;
    struct probe_subject *subjects;
    size_t subject_count;
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void keep_directory(struct probe_plan *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(p->directory, sizeof(p->directory), "%.*s", slash == NULL ? 1 : (int)(slash - path + 1), slash == NULL ? "." : path);
}

/* Empty after a report. */
static span read_named(struct probe_plan *p, const struct place *at, const char *name, bool secret)
{
    char path[2048];
    struct buf text;
    if (name == NULL) return span_of(NULL, 0);
    int n = name[0] == '/' ? snprintf(path, sizeof(path), "%s", name) : snprintf(path, sizeof(path), "%s/%s", p->directory, name);
    if (n >= (int)sizeof(path)) {
        place_error(at, "the name is too long; use a shorter path");
        return span_of(NULL, 0);
    }
    result r = secret ? os_secret_read(path, PEM_MAX, &text) : os_read_file(path, PEM_MAX, &text);
    if (!is_ok(r)) {
        place_error(at, "%s: %s; name a PEM file that can be read", path, os_error_text(r));
        return span_of(NULL, 0);
    }
    span kept = arena_copy(p->memory, buf_span(&text));
    if (secret && text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
    return kept;
}

/* ---- who asks ---------------------------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    enum http_field_id id = http_field_of(span_str(name));
    return id == HTTP_FIELD_HOST || id == HTTP_FIELD_CONTENT_LENGTH || id == HTTP_FIELD_TRANSFER_ENCODING ||
           id == HTTP_FIELD_CONNECTION || id == HTTP_FIELD_EXPECT || id == HTTP_FIELD_UPGRADE;
}

static bool is_value(span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7F) return false;
    }
    return true;
}

static const json_t *load_fields(const struct place *object, const json_t *v)
{
    json_t *fields = json_object_get(v, "headers"), *value;
    const char *name;
    struct place at = place_member(object, "headers");
    if (fields == NULL || !place_expect(&at, fields, JSON_OBJECT)) return NULL;
    json_object_foreach(fields, name, value)
    {
        struct place item = place_member(&at, name);
        if (!place_expect(&item, value, JSON_STRING)) continue;
        if (!http_is_token(span_str(name)) || is_ours(name)) {
            place_error(&item, "\"%s\" cannot be set; name a header field that the prober does not write itself", name);
        } else if (!is_value(span_of(json_string_value(value), json_string_length(value)))) {
            place_error(&item, "the value holds a control character; use printable text");
        }
    }
    return fields;
}

static void open_client(struct probe_plan *p, struct client *c, const struct place *at, span certificate, span key)
{
    char why[200] = "";
    struct io_tls_client_options o = {.ca = p->ca, .certificate = certificate, .key = key, .name = p->host};
    c->server.address = p->address;
    c->server.index = (size_t)(c - p->clients);
    if (!is_ok(io_tls_client_new(&o, &c->server.tls, why, sizeof(why)))) place_error(at, "TLS cannot be set up: %s; correct certificate, key or ca", why);
}

static void load_client(struct probe_plan *p, const struct place *at, const char *name, const json_t *v)
{
    static const struct member_spec CLIENT[] = {
        {"certificate", true, false}, {"key", true, false}, {"purpose", false, false}, {"headers", false, false}, {0}};
    if (p->client_count > CLIENTS_MAX) {
        place_error(at, "more than %d clients; split the file", CLIENTS_MAX);
        return;
    }
    struct client *c = &p->clients[p->client_count++];
    *c = (struct client){.name = name};
    if (!place_check_members(at, v, CLIENT)) return;
    struct place at_certificate = place_member(at, "certificate"), at_key = place_member(at, "key");
    span certificate = read_named(p, &at_certificate, place_string(at, v, "certificate", false, NULL), false);
    span key = read_named(p, &at_key, place_string(at, v, "key", false, NULL), true);
    c->purpose = place_string(at, v, "purpose", false, NULL);
    if (c->purpose != NULL && !http_is_token(span_str(c->purpose))) {
        struct place at_purpose = place_member(at, "purpose");
        place_error(&at_purpose, "\"%s\" is no purpose; use letters, digits and -", c->purpose);
    }
    c->fields = load_fields(at, v);
    if (certificate.len > 0 && key.len > 0) open_client(p, c, at, certificate, key);
}

static void load_clients(struct probe_plan *p, const struct place *root, const json_t *v)
{
    json_t *map = json_object_get(v, "clients"), *one;
    const char *name;
    struct place at = place_member(root, "clients");
    p->client_count = 1;
    open_client(p, &p->clients[0], root, span_of(NULL, 0), span_of(NULL, 0));
    if (map == NULL || !place_expect(&at, map, JSON_OBJECT)) return;
    json_object_foreach(map, name, one)
    {
        struct place item = place_member(&at, name);
        load_client(p, &item, name, one);
    }
}

static const struct client *find_client(const struct probe_plan *p, const struct place *pair, const json_t *v)
{
    const char *names[CLIENTS_MAX + 1] = {0}, *name = place_string(pair, v, "as", false, NULL);
    struct place at = place_member(pair, "as");
    if (name == NULL) return &p->clients[0];
    for (size_t i = 1; i < p->client_count; i++) {
        names[i - 1] = p->clients[i].name;
        if (strcmp(p->clients[i].name, name) == 0) return &p->clients[i];
    }
    const char *near = source_did_you_mean(name, names);
    if (near != NULL) place_error(&at, "there is no client \"%s\"; did you mean \"%s\"?", name, near);
    else place_error(&at, "there is no client \"%s\"; add it to \"clients\", or leave it out for nobody's certificate", name);
    return NULL;
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static bool is_target(span s)
{
    if (s.len == 0 || s.len > 8192 || s.ptr[0] != '/') return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7F || s.ptr[i] == '#') return false;
    }
    return true;
}

static span write_text(struct probe_plan *p, const struct probe_request *r, bool last)
{
    struct buf text;
    buf_init(&text, BODY_MAX + (1u << 20));
    result written = probe_request_write(r, last, &text);
    span kept = is_ok(written) ? arena_copy(p->memory, buf_span(&text)) : span_of(NULL, 0);
    buf_free(&text);
    return kept;
}

static json_t *joined_fields(const struct client *c, const json_t *own)
{
    json_t *all = json_object();
    if (c->fields != NULL) json_object_update(all, (json_t *)(uintptr_t)c->fields);
    if (own != NULL) json_object_update(all, (json_t *)(uintptr_t)own);
    return all;
}

static void write_shot(struct probe_plan *p, const struct place *at, const struct client *c, struct probe_request *r, const json_t *own,
    struct probe_shot *out)
{
    json_t *fields = joined_fields(c, own);
    r->fields = fields;
    r->host = p->host;
    r->purpose = c->purpose;
    out->server = &c->server;
    out->head = strcmp(r->method, "HEAD") == 0;
    out->text = write_text(p, r, false);
    out->last = write_text(p, r, true);
    json_decref(fields);
    if (out->text.len == 0 || out->last.len == 0) place_error(at, "the request cannot be written; make it shorter");
}

/* "/path?query", or {"method", "path", "headers", "body"}. */
static void load_request(struct probe_plan *p, const struct place *at, const json_t *v, const struct client *c, struct probe_shot *out)
{
    static const struct member_spec REQUEST[] = {
        {"method", false, false}, {"path", true, false}, {"headers", false, false}, {"body", false, false}, {0}};
    struct probe_request r = {.method = "GET"};
    const json_t *fields = NULL;
    if (json_is_string(v)) {
        r.target = json_string_value(v);
    } else {
        if (!place_check_members(at, v, REQUEST)) return;
        r.method = place_string(at, v, "method", false, "GET");
        r.target = place_string(at, v, "path", false, NULL);
        const char *body = place_string(at, v, "body", false, NULL);
        r.body = span_str(body);
        fields = load_fields(at, v);
    }
    if (r.target == NULL) return;
    if (!is_target(span_str(r.target))) {
        place_error(at, "\"%s\" is no path; start with \"/\", percent-encode what is not printable ASCII", r.target);
        return;
    }
    if (!http_is_token(span_str(r.method)) || strcmp(r.method, "CONNECT") == 0) {
        place_error(at, "\"%s\" is no method; use GET, HEAD, POST, …", r.method);
        return;
    }
    if (r.body.len > BODY_MAX) {
        place_error(at, "the body has over %zu bytes; make it smaller", BODY_MAX);
        return;
    }
    if (c != NULL) write_shot(p, at, c, &r, fields, out);
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

struct ways {
    unsigned bits;
};

static void load_way(void *ctx, const struct place *at, const char *name)
{
    struct ways *w = ctx;
    const char *names[PROBE_WAY_COUNT + 1] = {0};
    for (enum probe_way i = PROBE_WARM; i < PROBE_WAY_COUNT; i++) {
        names[i] = probe_way_name(i);
        if (strcmp(names[i], name) != 0) continue;
        w->bits |= 1u << i;
        return;
    }
    const char *near = source_did_you_mean(name, names);
    place_error(at, "there is no way \"%s\"; %s%s%s", name, near != NULL ? "did you mean \"" : "use warm, cold, next, neighbour",
        near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static void load_pair(struct probe_plan *p, const struct place *at, const json_t *v, const json_t *next, const struct place *at_next,
    struct probe_subject *out)
{
    static const struct member_spec PAIR[] = {{"name", true, false}, {"as", false, false}, {"ways", false, false},
        {"absent", true, false}, {"withheld", true, false}, {0}};
    struct ways ways = {0};
    if (!place_check_members(at, v, PAIR)) return;
    const struct client *c = find_client(p, at, v);
    struct place at_absent = place_member(at, "absent"), at_withheld = place_member(at, "withheld");
    out->name = place_string(at, v, "name", false, "");
    out->who = c == NULL || c->name == NULL ? "anonymous" : c->name;
    load_request(p, &at_absent, json_object_get(v, "absent"), c, &out->side[PROBE_ABSENT]);
    load_request(p, &at_withheld, json_object_get(v, "withheld"), c, &out->side[PROBE_WITHHELD]);
    out->next[0] = out->side[PROBE_ABSENT];
    if (next != NULL) load_request(p, at_next, next, c, &out->next[0]);
    out->next[1] = out->next[0];
    place_strings(at, v, "ways", load_way, &ways);
    out->ways = json_object_get(v, "ways") == NULL ? PROBE_ALL_WAYS : ways.bits;
    if (out->ways != 0) return;
    struct place at_ways = place_member(at, "ways");
    place_error(&at_ways, "no way; leave it out for all of them");
}

static void load_pairs(struct probe_plan *p, const struct place *root, const json_t *v)
{
    const json_t *list = json_object_get(v, "pairs"), *next = json_object_get(v, "next");
    struct place at = place_member(root, "pairs"), at_next = place_member(root, "next");
    if (list == NULL || !place_expect(&at, list, JSON_ARRAY)) return;
    size_t n = json_array_size(list);
    if (n == 0 || n > PAIRS_MAX) {
        place_error(&at, "%zu pairs; give 1 to %d", n, PAIRS_MAX);
        return;
    }
    p->subjects = arena_array(p->memory, n, sizeof(*p->subjects));
    if (p->subjects == NULL) return;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item(&at, i);
        load_pair(p, &item, json_array_get(list, i), next, &at_next, &p->subjects[i]);
    }
    p->subject_count = n;
}

/* ---- the gateway ------------------------------------------------------------------------------------------------- */

/* Nothing of it need be said: the certificate of the configuration is trusted, and its name expected. */
static void load_gateway(struct probe_plan *p, const struct place *root, const json_t *v, const struct probe_gateway *g)
{
    static const struct member_spec GATEWAY[] = {{"ca", false, false}, {"name", false, false}, {0}};
    const json_t *given = json_object_get(v, "gateway");
    struct place at = place_member(root, "gateway");
    p->address = g->address;
    p->ca = g->certificate;
    const char *name = NULL;
    if (given != NULL && place_check_members(&at, given, GATEWAY)) {
        struct place at_ca = place_member(&at, "ca");
        const char *ca = place_string(&at, given, "ca", false, NULL);
        if (ca != NULL) p->ca = read_named(p, &at_ca, ca, false);
        name = place_string(&at, given, "name", false, NULL);
    }
    if (name != NULL && !http_host_judge(span_str(name))) place_error(&at, "\"%s\" is no host name; use the one in the certificate", name);
    if (name != NULL) snprintf(p->host, sizeof(p->host), "%s", name);
    else if (!probe_certificate_name(g->certificate, p->host, sizeof(p->host))) {
        place_error(&at, "the gateway's certificate names no host; give \"name\"");
    }
}

static void load_all(struct probe_plan *p, const struct probe_gateway *g)
{
    static const struct member_spec TOP[] = {{"format", true, false}, {"gateway", false, false}, {"clients", false, false},
        {"next", false, false}, {"pairs", true, false}, {0}};
    const json_t *v = source_root(p->source);
    struct place root = place_root(p->source);
    (void)place_check_members(&root, v, TOP);
    if (!json_is_object(v)) return;
    place_check_format(&root, v);
    load_gateway(p, &root, v, g);
    load_clients(p, &root, v);
    load_pairs(p, &root, v);
}

struct probe_plan *probe_plan_load(const char *path, const struct probe_gateway *g, struct problems *problems)
{
    struct buf text;
    size_t before = problems_errors(problems);
    struct probe_plan *p = mem_alloc(sizeof(*p));
    if (p == NULL || (p->memory = arena_new(PLAN_MEMORY)) == NULL) {
        mem_free(p);
        problems_add(problems, path, "no memory");
        return NULL;
    }
    keep_directory(p, path);
    result r = os_secret_read(path, FILE_MAX, &text); /* it names whom nobody may know of */
    if (is_ok(r)) p->source = source_parse(path, buf_span(&text), problems);
    else if (r.class == ERROR_CONFIG) problems_add(problems, path, "%s; it names protected persons (chmod 600)", os_error_text(r));
    else problems_add(problems, path, "%s; name a file of pairs that can be read", os_error_text(r));
    buf_free(&text);
    if (p->source != NULL) load_all(p, g);
    if (arena_failed(p->memory)) problems_add(problems, path, "no memory for the pairs; split the file");
    if (problems_errors(problems) == before) return p;
    probe_plan_free(p);
    return NULL;
}

void probe_plan_free(struct probe_plan *p)
{
    if (p == NULL) return;
    for (size_t i = 0; i < p->client_count; i++) io_tls_client_free(p->clients[i].server.tls);
    source_free(p->source);
    arena_free(p->memory);
    mem_free(p);
}

const struct probe_subject *probe_plan_subjects(const struct probe_plan *p, size_t *count, size_t *servers)
{
    *count = p->subject_count;
    *servers = p->client_count;
    return p->subjects;
}
