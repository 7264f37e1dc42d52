/* listen, upstreams, routes. */
#include "config/inside.h"
#include <sys/un.h>

/* ---- listen ----------------------------------------------------------------------------------------------------- */

static const struct member_spec LISTEN[] = {{"address", true, false}, {"tls", true, false}, {0}};
static const struct member_spec LISTEN_TLS[] = {{"certificate", true, false}, {"key", true, false},
    {"client_ca", false, false}, {"client_certificate", false, false}, {0}};
static const char *const MODES[] = {"none", "optional", "required", NULL};

static bool parse_address(const struct place *at, const char *text, struct os_address *out)
{
    if (is_ok(os_address_parse(text, out))) return true;
    place_error(at, "\"%s\" is no address; write ADDRESS:PORT with a number, as in 127.0.0.1:8443", text);
    return false;
}

static void load_listener_tls(struct loading *l, const struct place *at, const json_t *v, struct proxy_listener *out)
{
    if (!config_object(at, v, LISTEN_TLS)) return;
    const char *certificate = place_string(at, v, "certificate", false, NULL), *key = place_string(at, v, "key", false, NULL);
    const char *ca = place_string(at, v, "client_ca", false, NULL);
    out->mode = (enum io_client_certificate)place_enum(at, v, "client_certificate", MODES, false, ca == NULL ? 0 : 1);
    struct place at_certificate = place_member(at, "certificate"), at_key = place_member(at, "key");
    struct place at_ca = place_member(at, "client_ca");
    if (certificate != NULL) out->certificate = config_text(l->in, &at_certificate, certificate);
    if (key != NULL) out->key_fd = config_secret(l->in, &at_key, key);
    if (ca != NULL) out->client_ca = config_text(l->in, &at_ca, ca);
    else if (out->mode != IO_CERTIFICATE_NONE) {
        place_error(at, "client certificates are asked for without a client_ca; name the CA that issues them");
    }
    if (ca != NULL && out->mode == IO_CERTIFICATE_NONE) {
        place_warning(&at_ca, "is not used, for nobody is asked for a certificate here, and everybody is anonymous; set "
                              "\"client_certificate\" to \"optional\", or remove it");
    }
}

static void load_listener(struct loading *l, const struct place *at, const json_t *v, struct proxy_listener *out)
{
    *out = (struct proxy_listener){.key_fd = -1};
    if (!config_object(at, v, LISTEN)) return;
    out->text = place_string(at, v, "address", false, NULL);
    struct place at_address = place_member(at, "address"), at_tls = place_member(at, "tls");
    if (out->text != NULL) parse_address(&at_address, out->text, &out->address);
    const json_t *tls = json_object_get(v, "tls");
    if (tls != NULL) load_listener_tls(l, &at_tls, tls, out);
}

/* What the kernel takes as the name of a Unix socket, with its end. */
#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

static void load_admin_socket(struct loading *l, const struct place *admin, const json_t *v)
{
    struct config *c = l->config;
    struct place at = place_member(admin, "socket");
    const char *name = place_string(admin, v, "socket", false, "admin.sock");
    if (name[0] == '\0') place_error(&at, "is empty; name the socket, such as admin.sock");
    c->admin_socket = config_path(l->in, name);
    if (c->admin_socket[0] != '/') c->admin_socket = (const char *)arena_copy(l->in->memory, span_str(c->admin_socket)).ptr;
    if (c->admin_socket != NULL && strlen(c->admin_socket) >= SOCKET_PATH_MAX) {
        place_error(&at, "%s is longer than the %zu bytes that a Unix socket's name may have; name a shorter path, such as "
                         "/run/gate1367/admin.sock", c->admin_socket, SOCKET_PATH_MAX - 1);
    }
}

static void load_admin(struct loading *l)
{
    static const struct member_spec ADMIN[] = {{"address", false, false}, {"socket", false, false}, {0}};
    const json_t *v = json_object_get(l->root, "admin");
    struct place at = place_member(&l->at, "admin");
    json_t *empty = NULL;
    if (v == NULL) v = empty = json_object();
    if (v != NULL && config_object(&at, v, ADMIN)) {
        const char *text = place_string(&at, v, "address", false, "127.0.0.1:9367");
        struct place at_address = place_member(&at, "address");
        parse_address(&at_address, text, &l->config->admin_address);
        l->config->admin_text = (const char *)arena_copy(l->in->memory, span_str(text)).ptr;
        load_admin_socket(l, &at, v);
    }
    json_decref(empty);
}

/* The system refuses the second socket of an address, and would name neither line. Port 0 is another one each time. */
static bool same_address(const struct os_address *a, const struct os_address *b)
{
    char one[OS_ADDRESS_TEXT], other[OS_ADDRESS_TEXT];
    if (a->len == 0 || b->len == 0) return false;
    os_address_format(a, one);
    os_address_format(b, other);
    const char *port = strrchr(one, ':');
    return strcmp(one, other) == 0 && port != NULL && strcmp(port, ":0") != 0;
}

static void check_alone(const struct loading *l, const struct place *at, size_t index)
{
    const struct proxy_listener *all = l->config->settings.listeners, *mine = &all[index];
    struct place at_address = place_member(at, "address");
    for (size_t i = 0; i < index; i++) {
        if (!same_address(&all[i].address, &mine->address)) continue;
        place_error(&at_address, "\"%s\" is the address of an earlier listener; keep one of them", mine->text);
        return;
    }
    if (same_address(&l->config->admin_address, &mine->address)) {
        place_error(&at_address, "\"%s\" is the admin address too (127.0.0.1:9367 where nothing is said); choose another port", mine->text);
    }
}

void config_load_listeners(struct loading *l)
{
    struct proxy_settings *s = &l->config->settings;
    load_admin(l);
    const json_t *list = json_object_get(l->root, "listen");
    if (list == NULL) return;
    struct place at = place_member(&l->at, "listen");
    size_t n = json_array_size(list);
    if (n == 0) {
        place_error(&at, "no listener; give an array with at least one {\"address\", \"tls\"}");
        return;
    }
    s->listeners = arena_array(l->in->memory, n, sizeof(*s->listeners));
    if (s->listeners == NULL) return;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item(&at, i);
        load_listener(l, &item, json_array_get(list, i), &s->listeners[i]);
        check_alone(l, &item, i);
    }
    s->listener_count = n;
}

/* ---- upstreams -------------------------------------------------------------------------------------------------- */

static const struct member_spec UPSTREAM[] = {
    {"servers", true, false}, {"keepalive", false, false}, {"timeout", false, false}, {"tls", false, false}, {0}};
static const struct member_spec UPSTREAM_TLS[] = {{"ca", false, false}, {"certificate", false, false}, {"key", false, false}, {0}};
static const struct member_spec TIMEOUT[] = {{"connect", false, false}, {"response", false, false}, {0}};

/* scheme "://" host [ ":" port ], nothing behind it: paths go on byte for byte as they were judged. */
static bool split_url(const char *url, bool *tls, char *host, size_t size, uint16_t *port)
{
    span rest = span_str(url);
    *tls = span_starts(rest, SPAN("https://"));
    if (!*tls && !span_starts(rest, SPAN("http://"))) return false;
    rest = span_from(rest, *tls ? 8 : 7);
    size_t end = rest.len > 0 && rest.ptr[0] == '[' ? span_find(rest, ']') + 1 : span_find(rest, ':');
    if (end == 0 || end > rest.len || end >= size) return false;
    span name = span_sub(rest, 0, end), number = span_from(rest, end);
    if (name.ptr[0] == '[') name = span_sub(name, 1, name.len - 2);
    for (size_t i = 0; i < name.len; i++) {
        if (!is_alnum(name.ptr[i]) && strchr(".-:_", name.ptr[i]) == NULL) return false;
    }
    uint64_t n = *tls ? 443 : 80;
    if (number.len > 0 && (number.ptr[0] != ':' || !span_to_u64(span_from(number, 1), 65535, &n) || n == 0)) return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *port = (uint16_t)n;
    return name.len > 0;
}

struct servers {
    struct loading *loading;
    struct proxy_upstream *upstream;
    size_t cap;
};

static void load_server(void *ctx, const struct place *at, const char *url)
{
    struct servers *s = ctx;
    char host[256];
    uint16_t port;
    struct proxy_server server = {0};
    size_t found = 0;
    if (!split_url(url, &server.tls, host, sizeof(host), &port)) {
        place_error(at, "\"%s\" is no origin; write http://HOST:PORT or https://HOST:PORT without a path", url);
        return;
    }
    result r = os_resolve(host, port, &server.address, 1, &found);
    if (!is_ok(r) || found == 0) {
        place_error(at, "%s cannot be resolved; names are looked up when the configuration is loaded", host);
        return;
    }
    server.name = (const char *)arena_copy(s->loading->in->memory, span_str(host)).ptr;
    server.authority = (const char *)arena_copy(s->loading->in->memory, span_str(url + (server.tls ? 8 : 7))).ptr;
    if (s->upstream->server_count < s->cap) s->upstream->servers[s->upstream->server_count++] = server;
}

static void load_upstream_tls(struct loading *l, const struct place *at, const json_t *v, struct proxy_upstream *u)
{
    if (!config_object(at, v, UPSTREAM_TLS)) return;
    const char *ca = place_string(at, v, "ca", false, NULL), *certificate = place_string(at, v, "certificate", false, NULL);
    const char *key = place_string(at, v, "key", false, NULL);
    struct place at_ca = place_member(at, "ca"), at_certificate = place_member(at, "certificate");
    struct place at_key = place_member(at, "key");
    if (ca != NULL) u->ca = config_text(l->in, &at_ca, ca);
    if (certificate != NULL) u->certificate = config_text(l->in, &at_certificate, certificate);
    if (key != NULL) u->key_fd = config_secret(l->in, &at_key, key);
    if ((key == NULL) != (certificate == NULL)) {
        place_error(at, "a client certificate needs both \"certificate\" and \"key\"; give both or neither");
    }
}

/* None would be for ever: an origin that hangs would keep what its requests hold until nobody else is admitted. */
static uint64_t load_wait(const struct place *at, const json_t *v, const char *name, uint64_t fallback)
{
    uint64_t ms = place_duration(at, v, name, fallback);
    struct place member = place_member(at, name);
    if (ms == 0) place_error(&member, "an origin that hangs would be waited for without end; use 1ms or more");
    return ms;
}

static void load_upstream(struct loading *l, const struct place *at, const char *name, const json_t *v, struct proxy_upstream *u)
{
    *u = (struct proxy_upstream){.name = name, .key_fd = -1, .keepalive = 64, .connect_ms = 2000, .response_ms = 30000};
    if (!config_object(at, v, UPSTREAM)) return;
    size_t n = json_array_size(json_object_get(v, "servers"));
    u->servers = arena_array(l->in->memory, n + 1, sizeof(*u->servers));
    if (u->servers == NULL) return;
    struct servers ctx = {.loading = l, .upstream = u, .cap = n};
    place_strings(at, v, "servers", load_server, &ctx);
    if (n == 0) place_error(at, "no server; give \"servers\": [\"http://HOST:PORT\"]");
    u->keepalive = (unsigned)place_integer(at, v, "keepalive", 0, 100000, 64);
    const json_t *timeout = json_object_get(v, "timeout"), *tls = json_object_get(v, "tls");
    struct place at_timeout = place_member(at, "timeout"), at_tls = place_member(at, "tls");
    if (timeout != NULL && config_object(&at_timeout, timeout, TIMEOUT)) {
        u->connect_ms = load_wait(&at_timeout, timeout, "connect", 2000);
        u->response_ms = load_wait(&at_timeout, timeout, "response", 30000);
    }
    if (tls != NULL) load_upstream_tls(l, &at_tls, tls, u);
    bool secured = false;
    for (size_t i = 0; i < u->server_count; i++) secured |= u->servers[i].tls;
    if (tls != NULL && !secured) place_warning(&at_tls, "is not used, for none of its servers is https://; change them, or remove it");
}

void config_load_upstreams(struct loading *l)
{
    struct proxy_settings *s = &l->config->settings;
    json_t *map = json_object_get(l->root, "upstreams"), *v;
    const char *name;
    if (map == NULL) return;
    struct place at = place_member(&l->at, "upstreams");
    if (json_object_size(map) == 0) {
        place_error(&at, "no upstream; give an object of at least one name with its \"servers\"");
        return;
    }
    s->upstreams = arena_array(l->in->memory, json_object_size(map), sizeof(*s->upstreams));
    if (s->upstreams == NULL) return;
    json_object_foreach(map, name, v)
    {
        struct place item = place_member(&at, name);
        load_upstream(l, &item, name, v, &s->upstreams[s->upstream_count++]);
    }
}

/* ---- routes ----------------------------------------------------------------------------------------------------- */

static const struct member_spec ROUTE[] = {{"path", true, false}, {"upstream", true, false}, {"profile", false, false},
    {"unprofiled", false, false}, {"public", false, false}, {"restricted_methods", false, false}, {"forward", false, false},
    {"pace", false, false}, {"statistical", false, true}, {0}};
static const char *const UNPROFILED[] = {"refuse", "inspect", NULL};

struct strings {
    struct loading *loading;
    struct proxy_route *route;
    const char **list;
    size_t count, cap;
    char allow[256];
};

static void load_method(void *ctx, const struct place *at, const char *name)
{
    struct strings *s = ctx;
    enum http_method m = http_method_of(span_str(name));
    if (m == HTTP_METHOD_OTHER || m == HTTP_CONNECT || m == HTTP_TRACE) {
        place_error(at, "\"%s\" is no method that can be allowed; use GET, HEAD, POST, …", name);
        return;
    }
    if ((s->route->restricted_methods >> m & 1u) != 0) return; /* said twice; Allow names it once */
    s->route->restricted_methods |= 1u << m;
    size_t len = strlen(s->allow);
    snprintf(s->allow + len, sizeof(s->allow) - len, "%s%s", len > 0 ? ", " : "", name);
}

static void load_forward(void *ctx, const struct place *at, const char *name)
{
    struct strings *s = ctx;
    enum http_field_id id = http_field_of(span_str(name));
    bool ours = id == HTTP_FIELD_HOST || id == HTTP_FIELD_CONTENT_LENGTH || id == HTTP_FIELD_TRANSFER_ENCODING ||
                id == HTTP_FIELD_RANGE || id == HTTP_FIELD_IF_RANGE || id == HTTP_FIELD_ACCEPT_ENCODING ||
                id == HTTP_FIELD_IF_MATCH || id == HTTP_FIELD_IF_NONE_MATCH || id == HTTP_FIELD_IF_MODIFIED_SINCE ||
                id == HTTP_FIELD_IF_UNMODIFIED_SINCE ||
                id == HTTP_FIELD_CLIENT_CERT || id == HTTP_FIELD_CLIENT_CERT_CHAIN || id == HTTP_FIELD_CONNECTION;
    if (!http_is_token(span_str(name)) || ours) {
        place_error(at, "\"%s\" cannot be forwarded; name an end-to-end request header that the gateway does not set", name);
        return;
    }
    if (s->count < s->cap) s->list[s->count++] = name;
}

static void find_upstream(struct loading *l, const struct place *at, const char *name, struct proxy_route *r)
{
    const struct proxy_settings *s = &l->config->settings;
    const char *names[64] = {0};
    for (size_t i = 0; i < s->upstream_count; i++) {
        if (i < 63) names[i] = s->upstreams[i].name;
        if (strcmp(s->upstreams[i].name, name) == 0) {
            r->upstream = i;
            return;
        }
    }
    const char *near = source_did_you_mean(name, names);
    place_error(at, "there is no upstream \"%s\"; %s%s%s", name, near != NULL ? "did you mean \"" : "add it to \"upstreams",
        near != NULL ? near : "", near != NULL ? "\"?" : "\"");
}

static void find_profile(struct loading *l, const struct place *at, const char *name, struct proxy_route *r)
{
    if (l->in->rules == NULL) return; /* reported */
    r->profile = rules_find_profile(l->in->rules, span_str(name));
    if (r->profile != NULL && rules_profile_is_shadow(r->profile)) {
        place_error(at, "profile \"%s\" is in shadow and decides nothing; name the profile in force, the shadow is evaluated "
                        "beside it wherever its documents describe the path", name);
    }
    if (r->profile != NULL) return;
    const char *near = source_did_you_mean(name, rules_profile_names(l->in->rules));
    if (near != NULL) place_error(at, "no rule pack has the profile \"%s\"; did you mean \"%s\"?", name, near);
    else place_error(at, "no rule pack has the profile \"%s\"; add it or correct the name", name);
}

static void load_route_lists(struct loading *l, const struct place *at, const json_t *v, struct proxy_route *r)
{
    size_t n = json_array_size(json_object_get(v, "forward"));
    struct strings s = {.loading = l, .route = r, .cap = n};
    s.list = arena_array(l->in->memory, n + 1, sizeof(*s.list));
    if (s.list == NULL) return;
    place_strings(at, v, "restricted_methods", load_method, &s);
    if (json_object_get(v, "restricted_methods") == NULL) {
        r->restricted_methods = 1u << HTTP_GET | 1u << HTTP_HEAD;
        snprintf(s.allow, sizeof(s.allow), "GET, HEAD");
    }
    place_strings(at, v, "forward", load_forward, &s);
    r->forward = s.list;
    r->allow = (const char *)arena_copy(l->in->memory, span_str(s.allow)).ptr;
}

/* What leaves a trace acknowledges that something is there. */
//= ICE10036.2 2.1
static void check_traces(const struct place *at, const struct proxy_route *r)
{
    enum rules_on_finding verb;
    if (r->profile == NULL || !rules_profile_is_traceable(r->profile, &verb)) return;
    if (r->restricted_methods == 0) return; /* nobody restricted ever gets an answer here */
    place_error(at, "the profile's \"on_finding\": \"%s\" shows a restricted recipient that something is there; withhold, keep "
                    "them out of this route (\"restricted_methods\": []), or give the profile \"visible_redaction\": a reason",
        rules_on_finding_name(verb));
}

/* A misspelt name would let the recipient plant what it likes. */
static void check_writers(struct loading *l, const struct proxy_route *r)
{
    const struct recipient_table *t = l->config->settings.recipients;
    struct recipient_identity who;
    span id;
    struct place at;
    for (size_t d = 0; t != NULL && r->profile != NULL && rules_profile_document(r->profile, d) != NULL; d++)
        for (size_t i = 0; rules_document_writer(rules_profile_document(r->profile, d), i, &id, &at); i++)
            if (!recipient_named(t, id, &who))
                place_warning(&at, "is no recipient of recipients.json, so that nobody is meant; correct the name");
}

/* Listed, and nobody thought of what a body can ask by; or refused all the same, which is hardly meant. */
static void check_bodies(const struct place *at, const struct proxy_route *r)
{
    struct place methods = place_member(at, "restricted_methods");
    size_t refuse = 0, take = 0, unsaid = 0, paged = 0;
    if ((r->restricted_methods >> HTTP_POST & 1u) == 0) return;
    if (r->inspect)
        place_warning(&methods, "lists POST, and what no documents entry describes is answered whatever its body asks: a search in it may ask "
                                "by what nobody is shown; describe what is searched, with \"body\": \"refuse\", or leave POST out");
    for (size_t i = 0; r->profile != NULL && rules_profile_document(r->profile, i) != NULL; i++) {
        const struct rules_document *d = rules_profile_document(r->profile, i);
        if (!rules_document_under(d, span_str(r->path))) continue;
        if (rules_document_view(d)->pages != NULL) {
            paged++;
            continue;
        }
        switch (rules_document_view(d)->body) {
        case RULES_BODY_REFUSE: refuse++; break;
        case RULES_BODY_UNSAID: unsaid++; break;
        case RULES_BODY_ANY: take++; break;
        }
    }
    if (unsaid > 0)
        place_warning(&methods, "lists POST, and the body of a request is not read: a search in it may ask by what nobody is shown; say "
                                "\"body\": \"any\" of the documents whose bodies filter nothing else, \"refuse\" of the others");
    if (paged > 0)
        place_warning(&methods, "lists POST, which lists in pages do not take from restricted recipients, whatever \"body\" says: it is the canonical "
                                "not-found there; let clients ask by GET");
    if (refuse > 0 && take == 0 && unsaid == 0)
        place_warning(&methods, "lists POST, but no document here takes the body of a restricted recipient's request, which is the "
                                "canonical not-found; say \"body\": \"any\" of those whose bodies filter nothing");
}

static const char NO_PATH[] = "/"; /* of a route whose own was refused */

static void load_route(struct loading *l, const struct place *at, const json_t *v, struct proxy_route *r)
{
    *r = (struct proxy_route){.path = NO_PATH, .allow = ""};
    if (!config_object(at, v, ROUTE)) return;
    struct place at_path = place_member(at, "path"), at_upstream = place_member(at, "upstream");
    struct place at_profile = place_member(at, "profile");
    const char *path = place_string(at, v, "path", false, NULL), *upstream = place_string(at, v, "upstream", false, NULL);
    const char *profile = place_string(at, v, "profile", false, NULL);
    if (path != NULL && !http_path_judge(span_str(path))) {
        place_error(&at_path, "\"%s\" is no path; start with \"/\", without empty or dot segments", path);
    } else if (path != NULL) {
        r->path = path;
    }
    if (upstream != NULL) find_upstream(l, &at_upstream, upstream, r);
    if (profile != NULL) find_profile(l, &at_profile, profile, r);
    r->inspect = place_enum(at, v, "unprofiled", UNPROFILED, false, 0) == 1;
    if (r->inspect) {
        struct place at_inspect = place_member(at, "unprofiled");
        place_warning(&at_inspect, "\"inspect\" withholds safely but may be noticed; describe the answers in a profile");
    }
    r->public_ = place_bool(at, v, "public", false);
    r->has_pace = json_object_get(v, "pace") != NULL;
    r->pace = config_pace(at, v, r->pace);
    load_route_lists(l, at, v, r);
    check_traces(&at_profile, r);
    check_writers(l, r);
    check_bodies(at, r);
}

/* A route's path was judged: each of its percent signs begins a whole triplet, which stands for one character. */
static size_t route_length(const char *path)
{
    size_t n = strlen(path);
    for (; *path != '\0'; path++) n -= *path == '%' ? 2 : 0;
    return n;
}

/* As the router reads them: "/%61pi/" is "/api/", and no longer. */
static int longer_first(const void *a, const void *b)
{
    const char *one = ((const struct proxy_route *)a)->path, *other = ((const struct proxy_route *)b)->path;
    size_t x = route_length(one), y = route_length(other);
    if (x != y) return x < y ? 1 : -1;
    return strcmp(one, other);
}

static bool same_route(struct config_inside *in, const char *one, const char *other)
{
    if (one == NO_PATH || other == NO_PATH || route_length(one) != route_length(other)) return false;
    uint8_t *x = arena_array(in->memory, strlen(one), 1), *y = arena_array(in->memory, strlen(other), 1);
    size_t n, m;
    return x != NULL && y != NULL && http_percent_decode(span_str(one), false, x, &n) &&
           http_percent_decode(span_str(other), false, y, &m) && span_equal(span_of(x, n), span_of(y, m));
}

static void check_route_alone(struct loading *l, const struct place *at, size_t index)
{
    const struct proxy_route *all = l->config->settings.routes;
    for (size_t i = 0; i < index; i++) {
        if (!same_route(l->in, all[i].path, all[index].path)) continue;
        place_error(at, "the path \"%s\" has two routes; keep one", all[index].path);
        return;
    }
}

void config_load_routes(struct loading *l)
{
    struct proxy_settings *s = &l->config->settings;
    const json_t *list = json_object_get(l->root, "routes");
    if (list == NULL) return;
    struct place at = place_member(&l->at, "routes");
    size_t n = json_array_size(list);
    if (n == 0) place_error(&at, "no route; give an array with at least one {\"path\", \"upstream\"}");
    s->routes = arena_array(l->in->memory, n + 1, sizeof(*s->routes));
    if (s->routes == NULL) return;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item(&at, i);
        load_route(l, &item, json_array_get(list, i), &s->routes[i]);
        check_route_alone(l, &item, i);
    }
    s->route_count = n;
    qsort(s->routes, n, sizeof(*s->routes), longer_first);
}
