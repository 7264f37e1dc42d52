/* probe --calibrate: how long a route's answers must wait at least, so that what happens behind the gateway does not show. */
#include "cli/probe.h"
#include "cli/probe_metrics.h"
#include "http/http.h"

#define COUNT 1000          /* pairs; p99.9 needs many answers */
#define ASSUMED_COMMIT_MS 5.0
#define TRIPS_MAX 1000000
#define MEMORY ((size_t)64 << 20)

struct calibration {
    struct probing *probing;
    const struct config *config;
    const struct probe_subject *asked; /* of the pairs file */
    size_t count;
    struct probe_subject *subjects;    /* the same, at the origins */
    struct probe_server *servers;      /* by upstream */
    struct io_tls_client **tls;
    struct probing_trips *trips;       /* of each of `asked`: its dearer side */
    struct arena *memory;
    uint64_t said_trips;               /* 0: what the profiles say */
    double commit_ms;
    bool measured;
};

/* ---- where each request goes -------------------------------------------------------------------------------------- */

static const struct proxy_route *route_of(const struct calibration *k, const struct probe_shot *shot)
{
    struct http_request *r = mem_alloc(sizeof(*r));
    const struct proxy_route *route = NULL;
    if (r != NULL) http_request_reset(r);
    if (r != NULL && http_request_read(r, shot->text, &HTTP_LIMITS_DEFAULT) == HTTP_DONE) {
        route = proxy_find_route(&k->config->settings, r->path);
    }
    mem_free(r);
    return route;
}

static bool open_server(struct calibration *k, size_t upstream)
{
    const struct proxy_upstream *u = &k->config->settings.upstreams[upstream];
    struct buf key;
    char why[200] = "";
    k->servers[upstream] = (struct probe_server){.address = u->servers[0].address, .index = upstream};
    if (!u->servers[0].tls) return true;
    buf_init(&key, 65536);
    result r = u->key_fd >= 0 ? os_read_fd(u->key_fd, 65536, &key) : OK;
    struct io_tls_client_options o = {.ca = u->ca, .certificate = u->certificate, .key = buf_span(&key), .name = u->servers[0].name};
    if (is_ok(r)) r = io_tls_client_new(&o, &k->tls[upstream], why, sizeof(why));
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&key);
    if (!is_ok(r)) fprintf(stderr, "gate1367 probe: upstream %s: %s\n", u->name, why[0] != '\0' ? why : os_error_text(r));
    k->servers[upstream].tls = k->tls[upstream];
    return is_ok(r);
}

/* Both requests of each pair, straight to the origin. */
static bool aim(struct calibration *k)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct proxy_route *route = route_of(k, &k->asked[i].side[0]);
        k->subjects[i] = k->asked[i];
        k->subjects[i].ways = 1u << PROBE_WARM;
        k->subjects[i].times_only = true;
        for (int s = 0; s < PROBE_SIDES; s++) {
            if (route == NULL || route_of(k, &k->asked[i].side[s]) != route) {
                fprintf(stderr, "gate1367 probe: \"%s\": its two requests have no route, or not one; correct the paths\n", k->asked[i].name);
                return false;
            }
            struct probing_trips t;
            if (!probing_read_trips(route, k->memory, &k->subjects[i].side[s], &t)) return false;
            if (t.most > k->trips[i].most) k->trips[i] = t;
            k->subjects[i].side[s].server = k->subjects[i].next[s].server = &k->servers[route->upstream];
        }
    }
    return true;
}

/* ---- the gateway's own part --------------------------------------------------------------------------------------- */

/* The upper bound under which 99.9 % of the commits stayed, of a gateway that has seen some. */
static bool read_commit(const struct config *c, double *ms)
{
    struct buf text;
    uint64_t all = 0, below = 0;
    char name[96];
    bool found = false;
    result r = probing_metrics(&c->admin_address, &text);
    span s = buf_span(&text);
    bool known = is_ok(r) && probing_metric(s, "gate1367_commit_seconds_count", &all) && all >= 1000;
    for (size_t i = 0; known && !found && i < PROXY_BOUND_COUNT; i++) {
        snprintf(name, sizeof(name), "gate1367_commit_seconds_bucket{le=\"%s\"}", proxy_bound_text(i));
        found = probing_metric(s, name, &below) && (double)below >= 0.999 * (double)all;
        if (found) *ms = (double)proxy_bound_us(i) / 1e3;
    }
    buf_free(&text);
    return found;
}

/* ---- the proposal -------------------------------------------------------------------------------------------------- */

/* Steps that a person would write. */
static uint64_t rounded_up(double ms)
{
    static const uint64_t STEPS[] = {10, 12, 15, 20, 25, 30, 40, 50, 60, 75};
    for (uint64_t scale = 1; scale <= 100000; scale *= 10) {
        for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
            if ((double)(STEPS[i] * scale) / 2 >= ms && STEPS[i] * scale % 2 == 0) return STEPS[i] * scale / 2;
        }
    }
    return 600000;
}

struct estimate {
    double p50, p999, needs_ms;
    struct probing_trips trips;
    size_t answers;
    uint64_t pace_ms;
};

/* Of the page that takes most of them. */
static struct probing_trips trips_of(const struct calibration *k, const struct proxy_route *route)
{
    struct probing_trips most = {1, 1, NULL};
    for (size_t i = 0; i < k->count; i++) {
        if (route_of(k, &k->asked[i].side[0]) == route && k->trips[i].most > most.most) most = k->trips[i];
    }
    if (k->said_trips > 0) most.most = k->said_trips;
    return most;
}

static bool estimate_route(const struct calibration *k, const struct probe_run *run, const struct proxy_route *route, struct estimate *out)
{
    size_t n = 0, most = 0;
    for (size_t i = 0; i < run->series_count; i++) most += PROBE_SIDES * run->series[i].n;
    double *all = mem_array(most + 1, sizeof(*all));
    if (all == NULL) return false;
    *out = (struct estimate){.trips = trips_of(k, route)};
    for (size_t i = 0; i < run->series_count; i++) {
        const struct probe_series *s = &run->series[i];
        if (route_of(k, &s->subject->side[0]) != route) continue;
        for (int side = 0; side < PROBE_SIDES; side++) {
            if (s->n > 0) memcpy(all + n, s->times[side], s->n * sizeof(*all));
            n += s->n;
        }
    }
    stats_sort(all, n);
    out->answers = n;
    if (n > 0) {
        out->p50 = 1e3 * stats_quantile(all, n, 0.5);
        out->p999 = 1e3 * stats_quantile(all, n, 0.999);
        out->needs_ms = (double)out->trips.most * out->p999 + k->commit_ms;
        out->pace_ms = rounded_up(1.2 * out->needs_ms);
    }
    mem_free(all);
    return true;
}

static void print_estimate(const struct calibration *k, const struct proxy_route *route, const struct estimate *e, bool enough)
{
    printf("%s\n  origin p50 %.2f ms, p99.9 %.2f ms (%zu answers) x %llu %s + commit %.2f ms (%s) = %.2f ms, a fifth more for reading\n",
        route->path, e->p50, e->p999, e->answers, (unsigned long long)e->trips.most, e->trips.most == 1 ? "trip" : "trips", k->commit_ms,
        k->measured ? "measured" : "assumed", e->needs_ms);
    if (e->trips.document != NULL) {
        printf("  %s comes in pages: %llu trips in any case, so many %s; a lower \"scan\" needs fewer\n", e->trips.document,
            (unsigned long long)e->trips.always, k->said_trips > 0 ? "as --trips says" : "where most is withheld");
    }
    printf("  \"pace\": \"%llums\"   configured: floor %.0f ms, %s\n", (unsigned long long)e->pace_ms, (double)route->pace.floor_us / 1e3,
        enough ? "enough" : "TOO SHORT");
}

static void print_estimate_json(const struct calibration *k, const struct proxy_route *route, const struct estimate *e, bool enough)
{
    json_t *v = json_pack("{s:s, s:I, s:f, s:f, s:I, s:I, s:s?, s:f, s:b, s:I, s:f, s:b}", "route", route->path, "answers", (json_int_t)e->answers,
        "origin_p50_ms", e->p50, "origin_p999_ms", e->p999, "trips", (json_int_t)e->trips.most, "trips_always", (json_int_t)e->trips.always, "pages", e->trips.document, "commit_ms", k->commit_ms, "commit_measured",
        k->measured, "pace_ms", (json_int_t)e->pace_ms, "floor_ms", (double)route->pace.floor_us / 1e3, "enough", enough);
    char *text = v == NULL ? NULL : json_dumps(v, JSON_COMPACT);
    if (text != NULL) puts(text);
    mem_hook_free(text);
    json_decref(v);
}

/* Whether it was asked at all; and 0, or a status by which its origin refused instead of looking anything up. */
static bool was_asked(const struct calibration *k, const struct probe_run *run, const struct proxy_route *route, unsigned *refusal)
{
    bool asked = false;
    *refusal = 0;
    for (size_t i = 0; i < run->series_count; i++) {
        if (route_of(k, &run->series[i].subject->side[0]) != route) continue;
        asked = true;
        if (*refusal == 0) *refusal = probe_refusal(&run->series[i]);
    }
    return asked;
}

/* What came too fast because nobody was looked for would become a pace that is too short. */
static bool is_measured(const struct proxy_route *route, const struct estimate *e, unsigned refusal)
{
    if (e->answers == 0) fprintf(stderr, "gate1367 probe: %s: no answer of its origin came whole; no pace can be proposed\n", route->path);
    else if (refusal != 0)
        fprintf(stderr, "gate1367 probe: %s: its origin answered with %u, so that the times are of refusals and no pace follows from them; give what it "
                        "asks for (\"headers\" of the pairs' clients)\n", route->path, refusal);
    return e->answers > 0 && refusal == 0;
}

static int propose(const struct calibration *k, const struct probe_run *run)
{
    const struct proxy_settings *s = &k->config->settings;
    int status = 0;
    for (size_t i = 0; i < s->route_count; i++) {
        struct estimate e;
        unsigned refusal;
        if (!was_asked(k, run, &s->routes[i], &refusal)) continue;
        if (!estimate_route(k, run, &s->routes[i], &e)) return 2;
        if (!is_measured(&s->routes[i], &e, refusal)) {
            status = 2;
            continue;
        }
        bool enough = s->routes[i].pace.floor_us >= e.pace_ms * 1000;
        if (!enough && status == 0) status = 1;
        if (k->probing->json) print_estimate_json(k, &s->routes[i], &e, enough);
        else print_estimate(k, &s->routes[i], &e, enough);
    }
    return status;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static void show_progress(void *ctx, uint64_t done, uint64_t all) { cli_progress_show(ctx, "calibrating", done, all); }

static int measure(struct calibration *k)
{
    struct probe_run run;
    struct probe_options o = k->probing->options;
    if (k->probing->count == NULL) o.count = COUNT;
    o.servers = k->config->settings.upstream_count;
    o.progress = show_progress;
    o.ctx = &k->probing->progress;
    k->commit_ms = ASSUMED_COMMIT_MS;
    k->measured = read_commit(k->config, &k->commit_ms);
    result r = probe_run(k->subjects, k->count, &o, &run);
    cli_progress_end(&k->probing->progress);
    int status = is_ok(r) ? propose(k, &run) : 2;
    if (!is_ok(r)) fprintf(stderr, "gate1367 probe: the origin: %s\n", run.failure != NULL ? run.failure : "the loop failed");
    probe_run_free(&run);
    return status;
}

static int calibrate(struct calibration *k)
{
    size_t n = k->config->settings.upstream_count;
    bool good = true;
    k->subjects = mem_array(k->count + 1, sizeof(*k->subjects));
    k->servers = mem_array(n + 1, sizeof(*k->servers));
    k->tls = mem_array(n + 1, sizeof(*k->tls));
    k->trips = mem_array(k->count + 1, sizeof(*k->trips));
    k->memory = arena_new(MEMORY);
    good = k->subjects != NULL && k->servers != NULL && k->tls != NULL && k->trips != NULL && k->memory != NULL;
    for (size_t i = 0; good && i < n; i++) good = open_server(k, i);
    int status = good && aim(k) ? measure(k) : 2;
    for (size_t i = 0; k->tls != NULL && i < n; i++) io_tls_client_free(k->tls[i]);
    mem_free(k->trips);
    if (k->memory != NULL) arena_free(k->memory);
    mem_free(k->subjects);
    mem_free(k->servers);
    mem_free(k->tls);
    return status;
}

int probing_calibrate(struct probing *p)
{
    struct probe_gateway g;
    struct calibration k = {.probing = p};
    if (!probing_number("--trips", p->trips, 1, TRIPS_MAX, 0, &k.said_trips)) return 2;
    struct config *c = probing_config(p);
    struct problems *problems = problems_new();
    int status = c == NULL ? 1 : 2;
    if (c != NULL && problems != NULL && probing_listener(p, c, &g)) {
        struct probe_plan *plan = probe_plan_load(p->pairs, &g, problems);
        size_t servers;
        cli_print_problems(problems, false);
        k.config = c;
        if (plan != NULL) k.asked = probe_plan_subjects(plan, &k.count, &servers);
        status = plan == NULL ? 1 : calibrate(&k);
        probe_plan_free(plan);
    }
    problems_free(problems);
    config_free(c);
    return status;
}
