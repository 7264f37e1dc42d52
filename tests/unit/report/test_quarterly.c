/* Quarterly sums of random ledgers against sums of what was put in; the federal fiscal calendar. */
#include "report/report.h"
#include "support.h"

#define MONTHS 30u

static uint64_t state = 1;
static uint32_t draw(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* As the General Services Administration numbers them: the year is that in which it ends. */
static void test_the_fiscal_calendar(void **unused)
{
    (void)unused;
    static const struct {
        const char *day, *quarter;
    } known[] = {{"2026-09-30", "FY2026Q4"}, {"2026-10-01", "FY2027Q1"}, {"2026-12-31", "FY2027Q1"}, {"2027-01-01", "FY2027Q2"},
        {"2027-03-31", "FY2027Q2"}, {"2027-04-01", "FY2027Q3"}, {"2027-07-01", "FY2027Q4"}, {"2024-02-29", "FY2024Q2"}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        uint64_t at, begin;
        char text[REPORT_QUARTER_TEXT];
        struct report_quarter q, again;
        assert_true(ledger_time_parse(span_str(known[i].day), &at));
        q = report_quarter_of(at);
        report_quarter_format(q, text);
        assert_string_equal(text, known[i].quarter);
        assert_true(report_quarter_parse(span_str(text), &again));
        begin = report_quarter_begin(again);
        assert_true(begin <= at && at - begin < UINT64_C(92) * 86400000000);
    }
    struct report_quarter q;
    assert_false(report_quarter_parse(SPAN("FY2027Q5"), &q) || report_quarter_parse(SPAN("2027"), &q) || report_quarter_parse(SPAN("FY2027Q0"), &q));
}

struct truth {
    uint64_t requests, entries, seen, withheld, disclosed, subjects, findings;
};

static void put(struct quarterly *q, uint64_t index, struct truth *t)
{
    static const char *const who[] = {"a", "b", "odd \"one\"", "\xc3\xa9"};
    static const enum ledger_event events[] = {LEDGER_DISCLOSURE, LEDGER_REFUSAL, LEDGER_COMPLETION, LEDGER_REGISTRY, LEDGER_START};
    static const char subjects[3][LEDGER_PSEUDONYM] = {"00112233445566778899aabbccddeeff", "10112233445566778899aabbccddeeff", "20112233445566778899aabbccddeeff"};
    struct ledger_count rules[] = {{SPAN("a-number"), draw(5)}, {SPAN("coa-384"), draw(5)}};
    struct ledger_entry e = {.time_us = UINT64_C(1700000000000000) + (uint64_t)draw(MONTHS * 30) * 86400000000 + draw(1000), .event = events[draw(5)],
        .outcome = (enum ledger_outcome)draw(LEDGER_OUTCOME_END), .part = 1 + draw(2), .subjects = subjects, .subject_count = draw(4), .rules = rules,
        .rule_count = draw(3), .status = 200, .upstream_status = -1};
    struct ledger_view v;
    struct buf b;
    e.recipient.id = span_str(who[draw(4)]);
    e.records.seen = draw(100);
    e.records.withheld = draw(10);
    e.records.disclosed = draw(10);
    buf_init(&b, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ledger_entry_encode(&e, &b)) && ledger_view_parse(buf_span(&b), &v));
    struct report_entry r = {index, &v, span_of(NULL, 0)};
    assert_true(is_ok(quarterly_add(q, &r)));
    buf_free(&b);
    if (e.event != LEDGER_DISCLOSURE && e.event != LEDGER_REFUSAL) return;
    t->entries++;
    t->requests += e.part == 1;
    t->seen += e.records.seen;
    t->withheld += e.records.withheld;
    t->disclosed += e.records.disclosed;
    t->subjects += e.subject_count;
    for (size_t i = 0; i < e.rule_count; i++) t->findings += rules[i].count;
}

static const struct report_table *table_of(const struct report *r, const char *id)
{
    const struct report_table *t = r->tables;
    while (t && strcmp(t->id, id) != 0) t = t->next;
    assert_non_null(t);
    return t;
}

static uint64_t column_sum(const struct report_table *t, const char *id)
{
    uint64_t sum = 0;
    size_t k = 0;
    while (k < t->column_count && strcmp(t->columns[k].id, id) != 0) k++;
    assert_true(k < t->column_count);
    for (size_t i = k; i < t->count; i += t->column_count) sum += t->cells[i].number;
    return sum;
}

static void one_ledger(unsigned entries)
{
    struct quarterly *q = NULL;
    struct report r;
    struct truth t = {0};
    assert_true(is_ok(quarterly_new(&q)) && is_ok(report_init(&r, "quarterly", "Q")));
    for (unsigned i = 0; i < entries; i++) put(q, i, &t);
    assert_true(is_ok(quarterly_report(q, &r)));
    static const char *const by[] = {"outcomes", "recipients"};
    for (size_t i = 0; i < ARRAY_LEN(by); i++) {
        const struct report_table *table = table_of(&r, by[i]);
        assert_int_equal(column_sum(table, "requests"), t.requests);
        assert_int_equal(column_sum(table, "entries"), t.entries);
        assert_int_equal(column_sum(table, "seen"), t.seen);
        assert_int_equal(column_sum(table, "withheld"), t.withheld);
        assert_int_equal(column_sum(table, "disclosed"), t.disclosed);
        assert_int_equal(column_sum(table, "subjects"), t.subjects);
    }
    assert_int_equal(column_sum(table_of(&r, "rules"), "times"), t.findings);
    assert_int_equal(column_sum(table_of(&r, "quarters"), "requests"), t.requests);
    report_free(&r);
    quarterly_free(q);
}

//= ICE10036.2 4.8(2)
static void test_sums_equal_the_ledgers(void **unused)
{
    (void)unused;
    const char *more = getenv("GATE1367_CASES");
    uint64_t ledgers = 60;
    if (more) assert_true(span_to_u64(span_str(more), 1000000, &ledgers));
    for (unsigned i = 0; i < ledgers; i++) one_ledger(draw(300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_fiscal_calendar), cmocka_unit_test(test_sums_equal_the_ledgers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
