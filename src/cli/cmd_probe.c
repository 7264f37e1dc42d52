/* probe: --pairs against a running gateway; --calibrate and --worlds are in files of their own. */
#include "cli/probe.h"
#include <arpa/inet.h>

bool probing_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *out)
{
    *out = fallback;
    if (text == NULL) return true;
    if (span_to_u64(span_str(text), most, out) && *out >= least) return true;
    (void)cli_usage("probe", "%s takes a number from %llu to %llu", name, (unsigned long long)least, (unsigned long long)most);
    return false;
}

struct config *probing_config(const struct probing *p)
{
    struct problems *problems = problems_new();
    struct config *c = problems == NULL ? NULL : config_load(p->config, problems);
    if (problems != NULL && c == NULL) cli_print_problems(problems, false);
    problems_free(problems);
    return c;
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

static struct sockaddr_in *in4(struct os_address *a) { return a->storage.ss_family == AF_INET ? (void *)&a->storage : NULL; }
static struct sockaddr_in6 *in6(struct os_address *a) { return a->storage.ss_family == AF_INET6 ? (void *)&a->storage : NULL; }

static in_port_t *port_of(struct os_address *a)
{
    ASSERT(in4(a) != NULL || in6(a) != NULL); /* what os_address_parse makes */
    return in4(a) != NULL ? &in4(a)->sin_port : &in6(a)->sin6_port;
}

/* A listener on all addresses is asked on loopback. */
static void make_reachable(struct os_address *a)
{
    if (in4(a) != NULL && in4(a)->sin_addr.s_addr == htonl(INADDR_ANY)) in4(a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (in6(a) != NULL && IN6_IS_ADDR_UNSPECIFIED(&in6(a)->sin6_addr)) in6(a)->sin6_addr = in6addr_loopback;
}

/* The same address and port; a port of 0 is whichever the kernel picked. */
static bool is_listener(const struct os_address *configured, const struct os_address *given)
{
    struct os_address a = *configured, b = *given;
    char x[OS_ADDRESS_TEXT], y[OS_ADDRESS_TEXT];
    make_reachable(&a);
    if (*port_of(&a) == 0) *port_of(&a) = *port_of(&b);
    os_address_format(&a, x);
    os_address_format(&b, y);
    return *port_of(&b) != 0 && strcmp(x, y) == 0;
}

bool probing_listener(const struct probing *p, const struct config *c, struct probe_gateway *g)
{
    const struct proxy_settings *s = &c->settings;
    if (p->listener == NULL) {
        *g = (struct probe_gateway){s->listeners[0].address, s->listeners[0].certificate};
        make_reachable(&g->address);
        if (*port_of(&g->address) != 0) return true;
        (void)cli_usage("probe", "%s listens on a port that the kernel picks; give the one that it printed: --listener", s->listeners[0].text);
        return false;
    }
    struct os_address given;
    if (is_ok(os_address_parse(p->listener, &given))) {
        for (size_t i = 0; i < s->listener_count; i++) {
            if (!is_listener(&s->listeners[i].address, &given)) continue;
            *g = (struct probe_gateway){given, s->listeners[i].certificate};
            return true;
        }
    }
    (void)cli_usage("probe", "\"%s\" is no listener of %s; the prober asks nobody else", p->listener, p->config);
    return false;
}

/* ---- asking and telling ------------------------------------------------------------------------------------------ */

static void show_progress(void *ctx, uint64_t done, uint64_t all) { cli_progress_show(ctx, "probing", done, all); }

static bool write_svg(const struct probing *p, const struct probe_run *run, const struct probe_heading *h)
{
    struct buf out;
    if (p->svg == NULL) return true;
    buf_init(&out, (size_t)64 << 20);
    result r = probe_svg(run, h, &out);
    if (is_ok(r)) r = os_write_atomic(p->svg, buf_span(&out), 0600);
    buf_free(&out);
    if (!is_ok(r)) fprintf(stderr, "gate1367 probe: %s: %s\n", p->svg, os_error_text(r));
    return is_ok(r);
}

static int exit_status(enum probe_verdict v)
{
    switch (v) {
    case PROBE_EQUAL: return 0;
    case PROBE_DIFFERS: return 1;
    case PROBE_NOTHING: break;
    }
    return 2;
}

static int print_json(const struct probe_run *run, const struct probe_heading *h)
{
    json_t *v = probe_json(run, h);
    char *text = v == NULL ? NULL : json_dumps(v, JSON_INDENT(1));
    const char *verdict = json_string_value(json_object_get(v, "verdict"));
    int status = text == NULL || verdict == NULL ? 2 : exit_status(strcmp(verdict, "equal") == 0 ? PROBE_EQUAL : strcmp(verdict, "DIFFERENT") == 0 ? PROBE_DIFFERS : PROBE_NOTHING);
    if (text != NULL) puts(text);
    mem_hook_free(text);
    json_decref(v);
    return status;
}

int probing_run(struct probing *p, const struct probe_subject *subjects, size_t count, const char *what)
{
    struct probe_run run;
    struct probe_heading h = {.what = what, .options = &p->options};
    p->options.progress = show_progress;
    p->options.ctx = &p->progress;
    result r = probe_run(subjects, count, &p->options, &run);
    cli_progress_end(&p->progress);
    if (is_ok(r) && p->nothing != NULL) h.nothing = p->nothing(p->nothing_ctx);
    int status = 2;
    if (!is_ok(r)) fprintf(stderr, "gate1367 probe: %s\n", run.failure != NULL ? run.failure : "the loop failed");
    else if (p->json) status = print_json(&run, &h);
    else status = exit_status(probe_print(&run, &h, stdout, cli_colour(stdout)));
    if (is_ok(r) && !write_svg(p, &run, &h)) status = 2;
    probe_run_free(&run);
    return status;
}

static int run_pairs(struct probing *p)
{
    struct probe_gateway g;
    struct config *c = probing_config(p);
    if (c == NULL) return 1;
    struct problems *problems = problems_new();
    int status = 2;
    if (problems != NULL && probing_listener(p, c, &g)) {
        struct probe_plan *plan = probe_plan_load(p->pairs, &g, problems);
        cli_print_problems(problems, false);
        status = 1;
        if (plan != NULL) {
            char where[OS_ADDRESS_TEXT], what[OS_ADDRESS_TEXT + 4200];
            size_t count;
            const struct probe_subject *subjects = probe_plan_subjects(plan, &count, &p->options.servers);
            os_address_format(&g.address, where);
            snprintf(what, sizeof(what), "%.4096s at %s", p->pairs, where);
            status = probing_run(p, subjects, count, what);
            probe_plan_free(plan);
        }
    }
    problems_free(problems);
    config_free(c);
    return status;
}

static bool read_options(struct probing *p)
{
    uint64_t count, connections, rate, load, seed;
    uint64_t usual = p->worlds != NULL ? 1 : 400;
    if (!probing_number("--count", p->count, 1, PROBE_COUNT_MAX, usual, &count)) return false;
    if (!probing_number("--connections", p->connections, 1, PROBE_CONNECTIONS_MAX, 4, &connections)) return false;
    if (!probing_number("--rate", p->rate, 0, 1000000, p->worlds != NULL ? 0 : 100, &rate)) return false;
    if (!probing_number("--load", p->load, 0, 100000, 0, &load)) return false;
    if (!probing_number("--seed", p->seed, 0, INT64_MAX, 1, &seed)) return false;
    p->options = (struct probe_options){
        .count = (size_t)count, .connections = (unsigned)connections, .rate = (double)rate, .load = (double)load, .seed = seed, .wait_ms = 30000};
    return true;
}

int cli_probe(int argc, char **argv)
{
    struct probing p = {0};
    const struct cli_option options[] = {{"-c", NULL, &p.config}, {"--config", NULL, &p.config}, {"--pairs", NULL, &p.pairs},
        {"--worlds", NULL, &p.worlds}, {"--calibrate", &p.calibrate, NULL}, {"--listener", NULL, &p.listener},
        {"--count", NULL, &p.count}, {"--connections", NULL, &p.connections}, {"--rate", NULL, &p.rate}, {"--load", NULL, &p.load}, {"--seed", NULL, &p.seed},
        {"--trips", NULL, &p.trips}, {"--svg", NULL, &p.svg}, {"--certificate", NULL, &p.certificate}, {"--key", NULL, &p.key},
        {"--purpose", NULL, &p.purpose}, {"--json", &p.json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (p.config == NULL || argc > 1) return cli_usage("probe", "give the configuration: probe -c gate.json --pairs FILE");
    if ((p.pairs == NULL) == (p.worlds == NULL)) return cli_usage("probe", "give --pairs FILE (with --calibrate for its pace) or --worlds DIR");
    if (p.load != NULL && (p.calibrate || p.worlds != NULL)) return cli_usage("probe", "--load goes with --pairs alone: it is for a gateway that runs");
    if (p.calibrate && p.pairs == NULL) return cli_usage("probe", "--calibrate asks what --pairs names");
    if (!read_options(&p)) return 2;
    if (p.worlds != NULL) return probing_worlds(&p);
    return p.calibrate ? probing_calibrate(&p) : run_pairs(&p);
}
