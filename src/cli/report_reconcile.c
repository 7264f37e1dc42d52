/* report reconcile: the ledger's counters against an origin's own log. */
#include "cli/files.h"
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

/* What is over the bound stands behind all that is looked at: a line is cut, never made into several. */
struct log_lines {
    struct reconcile *reconcile;
    uint8_t line[LINE_BYTES];
    size_t len;
    result done;
};

static void take_line(struct log_lines *l)
{
    l->done = reconcile_line(l->reconcile, span_of(l->line, l->len));
    l->len = 0;
}

static bool take_piece(void *ctx, span piece, bool last)
{
    struct log_lines *l = ctx;
    while (piece.len > 0 && is_ok(l->done)) {
        size_t n = span_find(piece, '\n'), room = LINE_BYTES - l->len;
        memcpy(l->line + l->len, piece.ptr, n < room ? n : room);
        l->len += n < room ? n : room;
        if (n < piece.len) take_line(l);
        piece = span_from(piece, n < piece.len ? n + 1 : n);
    }
    if (last && is_ok(l->done)) take_line(l);
    return is_ok(l->done);
}

static result read_log(struct reconcile *r, const char *path)
{
    static struct log_lines lines;
    lines.reconcile = r;
    lines.len = 0;
    lines.done = OK;
    return files_read_pieces(path, take_piece, &lines) ? lines.done : FAIL(ERROR_IO, errno);
}

static bool split_gateways(struct reconcile_options *o)
{
    if (!o->gateway) return true;
    if (strlen(o->gateway) >= sizeof o->gateways) return (void)cli_usage("report", "--gateway is too long"), false;
    snprintf(o->gateways, sizeof o->gateways, "%s", o->gateway);
    for (char *at = o->gateways; at;) {
        if (o->count == GATEWAYS_MAX) return (void)cli_usage("report", "--gateway takes at most %d addresses", GATEWAYS_MAX), false;
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

/* What cannot be read may be what went round, and who looked at nothing has found nothing. */
static int judged(const struct reconcile_options *o, const struct reconcile *r, uint64_t round)
{
    struct reconcile_reading n = reconcile_reading(r);
    if (n.unread > 0)
        fprintf(stderr, "gate1367 report: %llu lines are none of the combined format (ADDRESS - USER [TIME] \"REQUEST\" STATUS BYTES …) and were not judged\n",
            (unsigned long long)n.unread);
    if (o->upstream && n.asked == 0)
        fprintf(stderr, "gate1367 report: the ledger counts no request to an upstream \"%s\" in that time; is it called so in gate.json?\n", o->upstream);
    bool nothing = n.judged == 0 && (n.lines > 0 || n.answered > 0);
    if (nothing)
        fprintf(stderr, "gate1367 report: none of %llu lines was judged: they lie outside the time that the ledger's counters cover, or cannot be read; "
                        "give a log of that time\n", (unsigned long long)n.lines);
    return round > 0 ? 1 : n.unread > 0 || nothing ? 2 : 0;
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
    return status ? status : judged(o, r, round);
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
