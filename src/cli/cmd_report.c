/* report accounting|quarterly|incidents|reconcile */
#include "cli/log.h"
#include "cli/output.h"
#include "cli/report.h"
#include "config/config.h"
#include "os/os.h"
#include <errno.h>

struct report_options {
    struct log_options log;
    struct ledger_filter about, period; /* of whom, and of which time, apart from what is read: what ends an answer may come later */
    const char *format, *output, *quarter;
    struct config *config; /* for names and addresses; NULL without -c */
    uint64_t last_index;
    bool any_read;
};

bool report_take_format(const char *word, bool json, enum report_format *out)
{
    static const char *const WORDS[] = {
#define X(id, name) name,
        REPORT_FORMATS(X)
#undef X
            NULL};
    *out = json ? REPORT_AS_JSON : REPORT_AS_PLAIN;
    if (!word) return true;
    for (unsigned i = 0; WORDS[i]; i++) {
        if (strcmp(WORDS[i], word) == 0) return *out = (enum report_format)i, true;
    }
    return (void)cli_usage("report", "--format takes text, csv, json or html, not \"%s\"", word), false;
}

static bool take_quarter(struct report_options *o)
{
    struct report_quarter q;
    struct ledger_filter *f = &o->log.filter;
    if (!o->quarter) return true;
    if (o->log.since || o->log.until) return (void)cli_usage("report", "give either --quarter or --since and --until"), false;
    if (!report_quarter_parse(span_str(o->quarter), &q))
        return (void)cli_usage("report", "--quarter takes a federal fiscal quarter as in FY2027Q1, not \"%s\"", o->quarter), false;
    f->since_us = report_quarter_begin(q);
    q.quarter++;
    if (q.quarter > 4) q = (struct report_quarter){q.year + 1, 1};
    f->until_us = report_quarter_begin(q);
    return true;
}

static bool take_options(struct report_options *o, int *argc, char **argv)
{
    struct log_options *l = &o->log;
    const struct cli_option options[] = {{"-c", NULL, &l->config}, {"--directory", NULL, &l->directory},
        {"--verifier", NULL, &l->verifier}, {"--subject", NULL, &l->subject}, {"--since", NULL, &l->since}, {"--until", NULL, &l->until},
        {"--quarter", NULL, &o->quarter}, {"--unseal", NULL, &l->unseal}, {"--format", NULL, &o->format}, {"-o", NULL, &o->output},
        {"--output", NULL, &o->output}, {"--json", &l->json, NULL}};
    return cli_options(argc, argv, options, ARRAY_LEN(options)) && log_find(l) && log_check_filters(l) && take_quarter(o) && log_open_unsealer(l);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool find_who(void *ctx, const char *id, struct report_who *out)
{
    const struct report_options *o = ctx;
    struct recipient_identity who;
    if (!o->config || !recipient_named(o->config->settings.recipients, span_str(id), &who)) return false;
    out->organization = who.recipient->organization[0] ? who.recipient->organization : NULL;
    out->address = who.recipient->address[0] ? who.recipient->address : NULL;
    return true;
}

/* Without it names and addresses are missing, and the report says so. */
static void load_recipients(struct report_options *o)
{
    struct problems *p = o->log.config ? problems_new() : NULL;
    if (!p) return;
    o->config = config_load(o->log.config, p);
    if (!o->config) cli_print_problems(p, false);
    problems_free(p);
}

struct gathering {
    struct report_options *options;
    struct quarterly *quarterly;
    struct accounting *accounting;
    struct incidents *incidents;
};

/* What of another time says how something of this one stands: a completion that came later, a start or stop before. */
static result look_around(struct gathering *g, const struct report_entry *e)
{
    bool completion = ledger_view_is(e->view->members[LEDGER_MEMBER_EVENT], span_str(ledger_event_name(LEDGER_COMPLETION)));
    if (g->incidents) return incidents_around(g->incidents, e);
    return g->accounting && completion ? accounting_add(g->accounting, e, false) : OK;
}

static result gather(void *ctx, uint64_t index, const struct ledger_view *v)
{
    struct gathering *g = ctx;
    const char *why;
    struct report_entry e = {index, v, span_of(NULL, 0)};
    if (!ledger_filter_passes(&g->options->period, v)) return look_around(g, &e);
    g->options->last_index = index;
    g->options->any_read = true;
    if (g->accounting) {
        bool about = ledger_filter_passes(&g->options->about, v);
        if (about) e.unsealed = log_unsealed(&g->options->log, v, &why);
        return accounting_add(g->accounting, &e, about);
    }
    return g->quarterly ? quarterly_add(g->quarterly, &e) : incidents_add(g->incidents, &e);
}

/* As far as anybody gives them. */
static void end_at_second(char time[LEDGER_TIME_TEXT])
{
    if (strcmp(time + 19, ".000000Z") == 0) snprintf(time + 19, 2, "Z");
}

static void describe(const struct report_options *o, struct report *r)
{
    struct ledger_verifier v;
    char vkey[LEDGER_VKEY_MAX], now[LEDGER_TIME_TEXT], since[LEDGER_TIME_TEXT], until[LEDGER_TIME_TEXT];
    const struct ledger_filter *f = &o->period;
    ledger_time_format(os_realtime_us(), now);
    ledger_time_format(f->since_us, since);
    ledger_time_format(f->until_us, until);
    end_at_second(since);
    end_at_second(until);
    report_fact(r, "made", "%.19sZ", now);
    if (is_ok(ledger_verifier_read(o->log.directory, &v))) {
        ledger_verifier_format(&v, vkey);
        report_fact(r, "ledger", "%s", v.name);
        report_fact(r, "verifier key", "%s", vkey);
    }
    if (f->since_us && f->until_us) report_fact(r, "period", "from %s up to, but without, %s", since, until);
    else if (f->since_us) report_fact(r, "period", "from %s on", since);
    else if (f->until_us) report_fact(r, "period", "up to, but without, %s", until);
    if (o->any_read) report_fact(r, "last entry read", "%llu", (unsigned long long)o->last_index);
    else report_fact(r, "last entry read", "none");
}

int report_write(const struct log_options *o, const char *path, const struct report *r, enum report_format format)
{
    struct output_stream out;
    const char *why = NULL, *name = path ? path : "standard output";
    if (!output_stream_open(&out, path, &why)) return log_fail(o, name, why);
    report_print(r, format, out.to);
    return output_stream_close(&out, true, &why) ? 0 : log_fail(o, name, why);
}

/* ---- the verbs -------------------------------------------------------------------------------------------------- */

static result finish(struct gathering *g, struct report *r)
{
    if (g->accounting) return accounting_report(g->accounting, r);
    return g->quarterly ? quarterly_report(g->quarterly, r) : incidents_report(g->incidents, r);
}

static result begin(struct gathering *g, const char *verb, struct report *r)
{
    struct report_options *o = g->options;
    if (strcmp(verb, "accounting") == 0) {
        load_recipients(o);
        TRY(report_init(r, verb, "Accounting of disclosures (5 U.S.C. 552a(c))"));
        return accounting_new(find_who, o, &g->accounting);
    }
    if (strcmp(verb, "quarterly") == 0) {
        TRY(report_init(r, verb, "Quarterly report of the disclosure ledger"));
        return quarterly_new(&g->quarterly);
    }
    TRY(report_init(r, verb, "Incidents in the disclosure ledger"));
    return incidents_new(&g->incidents);
}

static int make(struct report_options *o, const char *verb, enum report_format format)
{
    struct gathering g = {.options = o};
    struct report r = {.id = verb};
    struct ledger_problem problem = {0};
    int status;
    result done = begin(&g, verb, &r);
    /* Completions name nobody: what is read is not what is about the subject. */
    o->about = o->log.filter;
    o->period = (struct ledger_filter){.since_us = o->about.since_us, .until_us = o->about.until_us};
    o->log.filter = (struct ledger_filter){0};
    if (is_ok(done)) done = log_each(&o->log, gather, &g, &problem);
    if (is_ok(done)) {
        describe(o, &r);
        done = finish(&g, &r);
    }
    if (is_ok(done)) status = report_write(&o->log, o->output, &r, format);
    else status = problem.fault == LEDGER_SOUND && done.class == ERROR_INTERNAL && done.code == EIO
                      ? log_fail(&o->log, o->log.directory, "the report's sums do not agree; this is a defect of gate1367: no report")
                      : log_reading_failed(&o->log, done, &problem);
    quarterly_free(g.quarterly);
    accounting_free(g.accounting);
    incidents_free(g.incidents);
    report_free(&r);
    mem_wipe(&o->about, sizeof o->about);
    return status;
}

static int run(struct report_options *o, const char *verb)
{
    enum report_format format;
    bool accounting = strcmp(verb, "accounting") == 0;
    if (!report_take_format(o->format, o->log.json, &format) || !log_is_named_ledger(&o->log)) return 2;
    if (accounting && !o->log.subject) return cli_usage("report", "accounting needs --subject: KIND:VALUE, subject:ID or pseudonym:HEX");
    if (!accounting && o->log.subject) return cli_usage("report", "%s is about nobody in particular; leave --subject out", verb);
    int status = make(o, verb, format);
    if (o->config) config_free(o->config);
    return status;
}

int cli_report(int argc, char **argv)
{
    static struct report_options o; /* paths are too large for the stack of a command that is called once */
    static const char *const verbs[] = {"accounting", "quarterly", "incidents", "reconcile", NULL};
    static const char *const later[] = {NULL};
    const char *verb = argc > 1 ? argv[1] : NULL;
    bool known = false;
    for (size_t i = 0; verb && verbs[i]; i++) known = known || strcmp(verb, verbs[i]) == 0;
    if (!known) return cli_unknown_verb("report", verb, verbs, later);
    argv[1] = argv[0];
    argc--, argv++;
    if (strcmp(verb, "reconcile") == 0) return report_reconcile(argc, argv);
    o = (struct report_options){.log = {.command = "report", .gathering = true}};
    bool taken = take_options(&o, &argc, argv);
    if (taken && argc > 1) {
        (void)cli_usage("report", "%s is one too many", argv[1]);
        taken = false;
    }
    int status = taken ? run(&o, verb) : 2;
    log_release(&o.log);
    return status;
}
