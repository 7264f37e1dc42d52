/* scan: what the gateway would do with these files. Nothing leaves, so that nothing is recorded.
 *
 *= ICE10036.2 4.9      review before public release
 *= ICE10036.2 4.6(3)   check of a system before it is deployed */
#include "cli/cli.h"
#include "cli/scan.h"
#include "os/os.h"

static bool take_options(struct scan *s, int *argc, char **argv)
{
    const struct cli_option options[] = {{"-c", NULL, &s->config}, {"--config", NULL, &s->config},
        {"--recipient", NULL, &s->recipient}, {"--route", NULL, &s->route}, {"--write", NULL, &s->write},
        {"--type", NULL, &s->type}, {"--jobs", NULL, &s->jobs_text}, {"--json", &s->json, NULL}};
    uint64_t jobs = 0;
    if (!cli_options(argc, argv, options, ARRAY_LEN(options))) return false;
    const char *why = NULL;
    if (s->config == NULL || s->recipient == NULL) why = "give -c gate.json and --recipient ID";
    else if (*argc < 2) why = "name files or directories, or - for stdin";
    else if (s->route != NULL && s->route[0] != '/') why = "--route takes the path of a request, or a prefix that ends in /";
    else if (s->jobs_text != NULL && (!span_to_u64(span_str(s->jobs_text), 256, &jobs) || jobs == 0)) why = "--jobs takes 1 to 256";
    s->jobs = jobs > 0 ? (unsigned)jobs : os_cpu_count();
    if (why != NULL) (void)cli_usage("scan", "%s", why);
    return why == NULL;
}

static bool has_route(const struct scan *s)
{
    const struct proxy_route *r = s->route == NULL ? NULL : proxy_find_route(&s->insight.config->settings, span_str(s->route));
    if (s->route == NULL || r != NULL) return true;
    (void)cli_usage("scan", "no route of the configuration has the path %s", s->route);
    return false;
}

static bool prepare(struct scan *s, int *status)
{
    if (!insight_open(&s->insight, "scan", s->config, status)) return false;
    *status = 2;
    if (!has_route(s)) return false;
    const struct proxy_route *r = s->route == NULL ? NULL : proxy_find_route(&s->insight.config->settings, span_str(s->route));
    if (!insight_class(&s->insight, s->recipient, r != NULL && r->public_, &s->class)) return false;
    if (s->write == NULL || is_ok(os_make_dir(s->write, 0777))) return true;
    fprintf(stderr, "gate1367 scan: %s: cannot be made or written\n", s->write);
    return false;
}

static int run(struct scan *s)
{
    bool withheld = false, failed = s->left_out > 0;
    uint64_t began = os_monotonic_ns();
    if (!scan_run(s, scan_print_file)) return cli_usage("scan", "no memory");
    scan_print_summary(s, (double)(os_monotonic_ns() - began) / 1e9);
    for (size_t i = 0; i < s->count; i++) {
        failed |= s->files[i].failed;
        withheld |= scan_withholds(&s->files[i]);
    }
    /* Whoever named the wrong directory must not take it for one that is clean. */
    bool nothing = s->count == 0 && s->left_out == 0;
    if (nothing) fputs("gate1367 scan: there was no file to scan\n", stderr);
    return failed || nothing ? 2 : withheld ? 1 : 0;
}

int cli_scan(int argc, char **argv)
{
    struct scan s = {0};
    int status = 2;
    if (!take_options(&s, &argc, argv)) return 2;
    bool ready = prepare(&s, &status);
    for (int i = 1; ready && i < argc; i++) ready = scan_add(&s, argv[i]);
    if (ready && s.write != NULL) ready = scan_targets_differ(&s);
    if (ready) status = run(&s);
    scan_free_files(&s);
    insight_close(&s.insight);
    return status;
}
