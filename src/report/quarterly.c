/* Federal fiscal quarters: what was asked and what became of it, per outcome, recipient and rule. Each table must add up to
 * the sum over the entries themselves. */
#include "report/sums.h"
#include <errno.h>
#include <stdlib.h>

#define QUARTERS_MAX 400u
#define MEMORY_MAX ((size_t)1 << 30)

struct period {
    struct report_quarter quarter;
    struct sums all;
    uint64_t rule_times, summaries, counted; /* of summary entries: requests with a route that they count */
    struct sums outcomes[LEDGER_OUTCOME_END];
    struct tally recipients, rules;
};
struct quarterly {
    struct arena *memory;
    struct period *periods; /* ascending */
    size_t count;
    uint64_t entries;
};

/* ---- the calendar ----------------------------------------------------------------------------------------------- */

static void year_and_month(uint64_t time_us, unsigned *year, unsigned *month)
{
    char text[LEDGER_TIME_TEXT];
    uint64_t y = 1970, m = 1;
    ledger_time_format(time_us, text);
    (void)span_to_u64(span_of(text, 4), 9999, &y);
    (void)span_to_u64(span_of(text + 5, 2), 12, &m);
    *year = (unsigned)y;
    *month = (unsigned)m;
}

struct report_quarter report_quarter_of(uint64_t time_us)
{
    unsigned year, month;
    year_and_month(time_us, &year, &month);
    return month >= 10 ? (struct report_quarter){year + 1, 1} : (struct report_quarter){year, (month - 1) / 3 + 2};
}

uint64_t report_quarter_begin(struct report_quarter q)
{
    char text[32];
    uint64_t at = 0;
    unsigned month = q.quarter == 1 ? 10 : (q.quarter - 2) * 3 + 1;
    int n = snprintf(text, sizeof text, "%04u-%02u-01", q.quarter == 1 ? q.year - 1 : q.year, month);
    return ledger_time_parse(span_of(text, (size_t)n), &at) ? at : 0;
}

void report_quarter_format(struct report_quarter q, char out[REPORT_QUARTER_TEXT])
{
    snprintf(out, REPORT_QUARTER_TEXT, "FY%04uQ%u", q.year % 10000, q.quarter % 10);
}

bool report_quarter_parse(span text, struct report_quarter *out)
{
    uint64_t year, quarter;
    if (span_starts(text, SPAN("FY"))) text = span_from(text, 2);
    if (text.len != 6 || text.ptr[4] != 'Q' || !span_to_u64(span_sub(text, 0, 4), 9999, &year) ||
        !span_to_u64(span_from(text, 5), 4, &quarter) || year < 1971 || quarter == 0)
        return false;
    *out = (struct report_quarter){(unsigned)year, (unsigned)quarter};
    return true;
}

/* ---- gathering -------------------------------------------------------------------------------------------------- */

result quarterly_new(struct quarterly **out)
{
    struct quarterly *q = mem_alloc(sizeof *q);
    REQUIRE(q, ERROR_LIMIT, ENOMEM);
    q->memory = arena_new(MEMORY_MAX);
    q->periods = mem_array(QUARTERS_MAX, sizeof *q->periods);
    if (q->memory && q->periods) {
        *out = q;
        return OK;
    }
    quarterly_free(q);
    return FAIL(ERROR_LIMIT, ENOMEM);
}

void quarterly_free(struct quarterly *q)
{
    if (!q) return;
    for (size_t i = 0; i < q->count; i++) {
        tally_free(&q->periods[i].recipients);
        tally_free(&q->periods[i].rules);
    }
    if (q->memory) arena_free(q->memory);
    mem_free(q->periods);
    mem_free(q);
}

static struct period *period_of(struct quarterly *q, uint64_t time_us)
{
    struct report_quarter want = report_quarter_of(time_us);
    unsigned at = want.year * 4 + want.quarter;
    size_t i = q->count;
    while (i > 0 && q->periods[i - 1].quarter.year * 4 + q->periods[i - 1].quarter.quarter > at) i--;
    if (i > 0 && q->periods[i - 1].quarter.year * 4 + q->periods[i - 1].quarter.quarter == at) return &q->periods[i - 1];
    if (q->count == QUARTERS_MAX) return NULL;
    memmove(q->periods + i + 1, q->periods + i, (q->count - i) * sizeof *q->periods);
    q->count++;
    q->periods[i] = (struct period){.quarter = want, .recipients.memory = q->memory, .rules.memory = q->memory};
    return &q->periods[i];
}

static result add_rules(struct period *p, const struct ledger_view *v, const struct sums *s)
{
    span name, value;
    size_t at = 0;
    while (ledger_view_next(v->members[LEDGER_MEMBER_RULES], &at, &name, &value)) {
        struct tally_line *line = tally_line(&p->rules, name);
        REQUIRE(line, ERROR_LIMIT, ENOMEM);
        uint64_t times = ledger_view_number(value, 0);
        line->sums.entries++;
        line->sums.requests += s->requests;
        line->sums.times += times;
        p->rule_times += times;
    }
    return OK;
}

/* What the gateway counted, whether there was an entry or not. */
static void add_counters(struct period *p, const struct ledger_view *v)
{
    span name, value;
    size_t at = 0;
    p->summaries++;
    while (ledger_view_next(v->members[LEDGER_MEMBER_RULES], &at, &name, &value))
        if (span_starts(name, SPAN("restricted.")) || span_starts(name, SPAN("entitled."))) p->counted += ledger_view_number(value, 0);
}

static enum ledger_outcome outcome_of(const struct ledger_view *v)
{
    char scratch[64];
    enum ledger_outcome o = LEDGER_NO_OUTCOME;
    return ledger_outcome_parse(entry_text(v, LEDGER_MEMBER_OUTCOME, scratch, sizeof scratch), &o) ? o : LEDGER_NO_OUTCOME;
}

result quarterly_add(struct quarterly *q, const struct report_entry *e)
{
    char scratch[LEDGER_FIELD_MAX];
    struct period *p = period_of(q, entry_time(e->view));
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    q->entries++;
    if (entry_is(e->view, LEDGER_SUMMARY)) add_counters(p, e->view);
    if (!entry_decided(e->view)) return OK;
    struct sums s = sums_of(e->view);
    struct tally_line *who = tally_line(&p->recipients, entry_recipient(e->view, "id", scratch, sizeof scratch));
    REQUIRE(who, ERROR_LIMIT, ENOMEM);
    sums_add(&p->all, &s);
    sums_add(&p->outcomes[outcome_of(e->view)], &s);
    sums_add(&who->sums, &s);
    return add_rules(p, e->view, &s);
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

/* In the chart's order: what went out first. */
#define SHOWN(X) X(DISCLOSED) X(AUTHORIZED) X(UNINSPECTED) X(WITHHELD) X(BLOCKED) X(REFUSED) X(FAILED_CLOSED) X(CLEAR)
static const struct report_column OVERVIEW[] = {{"quarter", "Quarter", REPORT_TEXT}, {"requests", "Requests", REPORT_NUMBER},
    {"counted", "Requests counted", REPORT_NUMBER}, {"disclosed", "disclosed", REPORT_NUMBER}, {"authorized", "authorized", REPORT_NUMBER},
    {"uninspected", "uninspected", REPORT_NUMBER}, {"withheld", "withheld", REPORT_NUMBER}, {"blocked", "blocked", REPORT_NUMBER},
    {"refused", "refused", REPORT_NUMBER}, {"failed_closed", "failed closed", REPORT_NUMBER}, {"clear", "clear", REPORT_NUMBER}};

#define SUM_COLUMNS(heading)                                                                                           \
    {"name", heading, REPORT_TEXT}, {"quarter", "Quarter", REPORT_TEXT}, {"requests", "Requests", REPORT_NUMBER},      \
        {"entries", "Entries", REPORT_NUMBER}, {"seen", "Records seen", REPORT_NUMBER},                                \
        {"protected", "Protected", REPORT_NUMBER}, {"withheld", "Withheld", REPORT_NUMBER},                            \
        {"redacted", "Redacted", REPORT_NUMBER}, {"disclosed", "Disclosed", REPORT_NUMBER},                            \
        {"subjects", "Persons found", REPORT_NUMBER}
static const struct report_column BY_OUTCOME[] = {SUM_COLUMNS("Outcome")}, BY_RECIPIENT[] = {SUM_COLUMNS("Recipient")};

static const struct report_column RULES[] = {{"rule", "Rule", REPORT_TEXT}, {"quarter", "Quarter", REPORT_TEXT},
    {"requests", "Requests", REPORT_NUMBER}, {"times", "Findings", REPORT_NUMBER}};

static void put_sums(struct report *r, struct report_table *t, span name, const char *quarter, const struct sums *s)
{
    report_text(r, t, name);
    report_text(r, t, span_str(quarter));
    const uint64_t values[] = {s->requests, s->entries, s->seen, s->protected, s->withheld, s->redacted, s->disclosed, s->subjects};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) report_number(r, t, values[i]);
}

static void put_overview(struct quarterly *q, struct report *r)
{
    struct report_table *t = report_table_add(r, "quarters", "Requests by quarter and outcome",
        "Requests that have an entry: all of restricted recipients, and those of others in which something protected was found or which could "
        "not be inspected. \"Requests counted\" are all that had a route, by the gateway's signed counters.", OVERVIEW, ARRAY_LEN(OVERVIEW));
    if (!t) return;
    t->chart = REPORT_STACKED;
    t->chart_column = 3;
    for (size_t i = 0; i < q->count; i++) {
        struct period *p = &q->periods[i];
        char name[REPORT_QUARTER_TEXT];
        report_quarter_format(p->quarter, name);
        report_text(r, t, span_str(name));
        report_number(r, t, p->all.requests);
        report_number(r, t, p->counted);
#define X(outcome) report_number(r, t, p->outcomes[LEDGER_##outcome].requests);
        SHOWN(X)
#undef X
    }
}

static void put_outcomes(struct quarterly *q, struct report *r)
{
    struct report_table *t = report_table_add(r, "outcomes", "By outcome", "Persons found: each time somebody protected was found in an answer counts.", BY_OUTCOME,
        ARRAY_LEN(BY_OUTCOME));
    for (size_t i = 0; i < q->count; i++) {
        char quarter[REPORT_QUARTER_TEXT];
        report_quarter_format(q->periods[i].quarter, quarter);
        for (unsigned o = 0; o < LEDGER_OUTCOME_END; o++) {
            const struct sums *s = &q->periods[i].outcomes[o];
            const char *name = ledger_outcome_name((enum ledger_outcome)o);
            if (s->entries > 0) put_sums(r, t, span_str(name ? name : "none"), quarter, s);
        }
    }
}

static void put_recipients(struct quarterly *q, struct report *r)
{
    struct report_table *t = report_table_add(r, "recipients", "By recipient", "As recipients.json calls them; anonymous is whoever it does not know.",
        BY_RECIPIENT, ARRAY_LEN(BY_RECIPIENT));
    if (t) t->chart = REPORT_BARS, t->chart_column = 2;
    for (size_t i = 0; i < q->count; i++) {
        char quarter[REPORT_QUARTER_TEXT];
        struct tally *list = &q->periods[i].recipients;
        report_quarter_format(q->periods[i].quarter, quarter);
        tally_sort(list);
        for (size_t k = 0; k < list->count; k++) put_sums(r, t, list->lines[k].name, quarter, &list->lines[k].sums);
    }
}

static void put_rules(struct quarterly *q, struct report *r)
{
    struct report_table *t = report_table_add(r, "rules", "By rule", "What recognised somebody protected. An answer may hold findings of several rules.",
        RULES, ARRAY_LEN(RULES));
    if (t) t->chart = REPORT_BARS, t->chart_column = 3;
    for (size_t i = 0; i < q->count; i++) {
        char quarter[REPORT_QUARTER_TEXT];
        struct tally *list = &q->periods[i].rules;
        report_quarter_format(q->periods[i].quarter, quarter);
        tally_sort(list);
        for (size_t k = 0; k < list->count; k++) {
            report_text(r, t, list->lines[k].name);
            report_text(r, t, span_str(quarter));
            report_number(r, t, list->lines[k].sums.requests);
            report_number(r, t, list->lines[k].sums.times);
        }
    }
}

/* Every way of adding must come to the same. */
static bool sums_hold(const struct quarterly *q)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct period *p = &q->periods[i];
        struct sums outcomes = {0}, recipients = tally_total(&p->recipients);
        for (unsigned o = 0; o < LEDGER_OUTCOME_END; o++) sums_add(&outcomes, &p->outcomes[o]);
        if (!sums_equal(&outcomes, &p->all) || !sums_equal(&recipients, &p->all)) return false;
        if (tally_total(&p->rules).times != p->rule_times) return false;
    }
    return true;
}

//= ICE10036.2 4.8(2)
result quarterly_report(struct quarterly *q, struct report *out)
{
    struct sums all = {0};
    REQUIRE(sums_hold(q), ERROR_INTERNAL, EIO);
    for (size_t i = 0; i < q->count; i++) sums_add(&all, &q->periods[i].all);
    report_fact(out, "entries read", "%llu", (unsigned long long)q->entries);
    report_fact(out, "requests with an entry", "%llu", (unsigned long long)all.requests);
    report_fact(out, "records withheld", "%llu", (unsigned long long)all.withheld);
    report_fact(out, "persons found", "%llu", (unsigned long long)all.subjects);
    report_fact(out, "sums", "every table adds up to the sum over the entries themselves");
    put_overview(q, out);
    put_outcomes(q, out);
    put_recipients(q, out);
    put_rules(q, out);
    return out->failed ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}
