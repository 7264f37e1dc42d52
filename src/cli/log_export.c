/* log export: the entries in other programs' words. */
#include "cli/log.h"
#include "cli/output.h"
#include "report/report.h"
#include <errno.h>

struct exporting {
    struct log_options *options;
    enum report_export format;
    FILE *to;
    uint64_t closed; /* sealed parts that could not be opened */
    const char *why;
};

static result export_one(void *ctx, uint64_t index, const struct ledger_view *v)
{
    struct exporting *x = ctx;
    const char *why;
    struct report_entry e = {index, v, log_unsealed(x->options, v, &why)};
    if (why) x->closed++, x->why = why;
    report_export(x->format, &e, x->to);
    REQUIRE(!ferror(x->to), ERROR_CLOSED, EPIPE);
    return OK;
}

static bool take_format(const struct log_options *o, enum report_export *out)
{
    char all[128];
    size_t n = 0;
    if (!o->format) return *out = REPORT_EXPORT_JSONL, true;
    if (report_export_parse(span_str(o->format), out)) return true;
    for (unsigned i = 0; i < REPORT_EXPORT_COUNT; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", report_export_name((enum report_export)i));
    return (void)cli_usage("log", "--format takes %s, not \"%s\"", all, o->format), false;
}

/* What broke off stays in no file: half an export would be read as one of which nothing is missing. */
int log_export(struct log_options *o)
{
    struct exporting x = {.options = o};
    struct output_stream out;
    struct ledger_problem problem = {0};
    const char *why = NULL, *name = o->output ? o->output : "standard output";
    if (!take_format(o, &x.format) || !log_is_named_ledger(o)) return 2;
    if (x.format == REPORT_EXPORT_SQLITE) return log_index(o);
    if (o->json && x.format != REPORT_EXPORT_JSONL) return cli_usage("log", "--json says how an index is told of; --format %s is what comes", o->format);
    x.to = output_stream_open(&out, o->output, &why);
    if (!x.to) return log_fail(o, name, why);
    report_export_head(x.format, x.to);
    result r = log_each(o, export_one, &x, &problem);
    bool full = ferror(x.to) != 0; /* that is why the reading ended */
    bool written = output_stream_close(&out, is_ok(r), &why);
    if (x.closed > 0) fprintf(stderr, "gate1367 log: %llu sealed parts stayed closed: %s\n", (unsigned long long)x.closed, x.why);
    if (!is_ok(r) && !full) return log_reading_failed(o, r, &problem);
    return written ? 0 : log_fail(o, name, why ? why : "could not be written");
}
