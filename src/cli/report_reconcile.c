/* report reconcile: the ledger's counters against an origin's own log. */
#include "cli/report.h"
#include "os/os.h"
#include <errno.h>

#define LINE_BYTES 65536
#define GATEWAYS_MAX 32

struct reconcile_options {
    struct log_options log;
    const char *upstream, *gateway, *format, *output;
    char gateways[1024];
    const char *list[GATEWAYS_MAX];
    size_t count;
};

static result count_entry(void *ctx, uint64_t index, const struct ledger_view *v)
{
    struct report_entry e = {index, v, span_of(NULL, 0)};
    return reconcile_add(ctx, &e);
}

/* A line over the bound is read as several, none of which is one: it is counted as unread. */
static result read_log(struct reconcile *r, const char *path)
{
    static char line[LINE_BYTES];
    bool input = strcmp(path, "-") == 0;
    FILE *f = input ? stdin : fopen(path, "r");
    REQUIRE(f, ERROR_IO, errno);
    result done = OK;
    while (is_ok(done) && fgets(line, sizeof line, f)) done = reconcile_line(r, span_str(line));
    if (is_ok(done) && ferror(f)) done = FAIL(ERROR_IO, EIO);
    if (!input) fclose(f);
    return done;
}

static bool split_gateways(struct reconcile_options *o)
{
    if (!o->gateway) return true;
    if (strlen(o->gateway) >= sizeof o->gateways) return (void)cli_usage("report", "--gateway is too long"), false;
    snprintf(o->gateways, sizeof o->gateways, "%s", o->gateway);
    for (char *at = o->gateways; at && o->count < GATEWAYS_MAX;) {
        o->list[o->count++] = at;
        at = strchr(at, ',');
        if (at) *at++ = 0;
    }
    return true;
}

static bool take_options(struct reconcile_options *o, int *argc, char **argv)
{
    struct log_options *l = &o->log;
    const struct cli_option options[] = {{"-c", NULL, &l->config}, {"--directory", NULL, &l->directory}, {"--verifier", NULL, &l->verifier},
        {"--since", NULL, &l->since}, {"--until", NULL, &l->until}, {"--upstream", NULL, &o->upstream}, {"--gateway", NULL, &o->gateway},
        {"--format", NULL, &o->format}, {"-o", NULL, &o->output}, {"--output", NULL, &o->output}, {"--json", &l->json, NULL}};
    return cli_options(argc, argv, options, ARRAY_LEN(options)) && log_find(l) && log_check_filters(l) && split_gateways(o);
}

/* What cannot be read may be what went round. */
static int judged(const struct reconcile *r, uint64_t round)
{
    unsigned long long unread = reconcile_unread(r);
    if (unread > 0)
        fprintf(stderr, "gate1367 report: %llu lines are none of the combined format (ADDRESS - USER [TIME] \"REQUEST\" STATUS BYTES …) and were not judged\n", unread);
    return round > 0 ? 1 : unread > 0 ? 2 : 0;
}

/* The counters first: they say which time can be judged. */
static int compare(struct reconcile_options *o, struct reconcile *r, char **logs, int count, enum report_format format)
{
    struct ledger_problem problem = {0};
    struct report report;
    uint64_t round = 0;
    result done = log_each(&o->log, count_entry, r, &problem);
    if (!is_ok(done)) return log_reading_failed(&o->log, done, &problem);
    for (int i = 0; i < count; i++) {
        done = read_log(r, logs[i]);
        if (!is_ok(done)) return log_fail(&o->log, logs[i], os_error_text(done));
    }
    done = report_init(&report, "reconcile", "The origin's log against the ledger");
    if (is_ok(done)) done = reconcile_report(r, &report, &round);
    int status = is_ok(done) ? report_write(&o->log, o->output, &report, format) : log_fail(&o->log, o->log.directory, ledger_error_text(done));
    report_free(&report);
    return status ? status : judged(r, round);
}

int report_reconcile(int argc, char **argv)
{
    static struct reconcile_options o;
    struct reconcile *r = NULL;
    enum report_format format;
    o = (struct reconcile_options){.log = {.command = "report", .gathering = true}};
    if (!take_options(&o, &argc, argv) || !report_take_format(o.format, o.log.json, &format) || !log_is_named_ledger(&o.log)) return 2;
    if (argc < 2) return cli_usage("report", "reconcile takes the origin's access log (nginx's combined format); - is stdin");
    result made = reconcile_new(o.upstream, o.list, o.count, &r);
    int status = is_ok(made) ? compare(&o, r, argv + 1, argc - 1, format) : log_fail(&o.log, "reconcile", os_error_text(made));
    reconcile_free(r);
    return status;
}
