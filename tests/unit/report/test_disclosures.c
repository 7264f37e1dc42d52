/* What an accounting lists and how, and what an incident is called: entries put in by hand, rows told by hand. */
#include "report/report.h"
#include "support.h"

static const char HER[LEDGER_PSEUDONYM] = "00112233445566778899aabbccddeeff", OTHERS[LEDGER_PSEUDONYM] = "10112233445566778899aabbccddeeff";
#define ONE "019aa9f0-7b1c-7000-8000-000000000001"
#define TWO "019aa9f0-7b1c-7000-8000-000000000002"
#define THREE "019aa9f0-7b1c-7000-8000-000000000003"

struct said {
    const char *request;
    enum ledger_event event;
    enum ledger_outcome outcome;
    const char *rule;
    uint64_t disclosed;
    uint32_t part;
    bool more, about;
};
typedef result take_fn(void *to, const struct report_entry *e, bool about);

static void tell(const struct said *list, size_t count, take_fn *take, void *to)
{
    for (size_t i = 0; i < count; i++) {
        const struct said *s = &list[i];
        char subjects[1][LEDGER_PSEUDONYM];
        struct ledger_count rule = {span_str(s->rule ? s->rule : ""), 1};
        struct ledger_entry e = {.time_us = UINT64_C(1700000000000000) + i, .node = SPAN("gate1367.example/n"), .event = s->event, .outcome = s->outcome, .part = s->part, .more = s->more,
            .rules = &rule, .rule_count = s->rule != NULL, .subjects = (const char(*)[LEDGER_PSEUDONYM])subjects, .subject_count = s->part > 0, .method = SPAN("GET"),
            .target = s->request ? SPAN("/a") : span_of(NULL, 0), .status = 200, .request = s->request ? span_str(s->request) : span_of(NULL, 0), .bytes = 7};
        memcpy(subjects[0], s->about ? HER : OTHERS, LEDGER_PSEUDONYM);
        e.recipient.id = SPAN("officer"), e.recipient.agency = SPAN("DHS"), e.recipient.standing = SPAN("employee");
        e.records.seen = e.records.disclosed = s->disclosed;
        struct ledger_view v;
        struct buf b;
        buf_init(&b, LEDGER_ENTRY_MAX);
        assert_ok(ledger_entry_encode(&e, &b));
        assert_true(ledger_view_parse(buf_span(&b), &v));
        assert_ok(take(to, &(struct report_entry){i, &v, span_of(NULL, 0)}, s->about));
        buf_free(&b);
    }
}

static const struct report_table *table_of(const struct report *r, const char *id)
{
    const struct report_table *t = r->tables;
    while (t && strcmp(t->id, id) != 0) t = t->next;
    assert_non_null(t);
    return t;
}

static void expect_cell(const struct report_table *t, size_t row, const char *column, const char *text)
{
    size_t k = 0;
    while (k < t->column_count && strcmp(t->columns[k].id, column) != 0) k++;
    assert_true(k < t->column_count && row * t->column_count + k < t->count);
    assert_span(t->cells[row * t->column_count + k].text, text);
}

static result account(void *to, const struct report_entry *e, bool about)
{
    return accounting_add(to, e, about);
}

//= 5USC552a c(1)
static void test_the_accounting_has_every_answer_that_held_the_subject(void **unused)
{
    (void)unused;
    static const struct said list[] = {
        /* she stands in the second part of three: the records of all stand in the first */
        {ONE, LEDGER_DISCLOSURE, LEDGER_DISCLOSED, "a-number", 600, 1, true, false},
        {TWO, LEDGER_DISCLOSURE, LEDGER_DISCLOSED, "a-number", 5, 1, false, false},
        {ONE, LEDGER_DISCLOSURE, LEDGER_DISCLOSED, NULL, 0, 2, true, true},
        {ONE, LEDGER_DISCLOSURE, LEDGER_DISCLOSED, NULL, 0, 3, false, false},
        {ONE, LEDGER_COMPLETION, LEDGER_DISCLOSED, NULL, 0, 0, false, false},
        {TWO, LEDGER_COMPLETION, LEDGER_DISCLOSED, NULL, 0, 0, false, false},
        /* a stale registry, say: she was found, though not all was looked into */
        {THREE, LEDGER_DISCLOSURE, LEDGER_UNINSPECTED, "a-number", 1, 1, false, true},
        /* about whom nobody knows */
        {"019aa9f0-7b1c-7000-8000-000000000004", LEDGER_DISCLOSURE, LEDGER_UNINSPECTED, NULL, 0, 1, false, false},
        /* nothing of her left */
        {"019aa9f0-7b1c-7000-8000-000000000005", LEDGER_DISCLOSURE, LEDGER_WITHHELD, "a-number", 0, 1, false, true},
    };
    struct accounting *a = NULL;
    struct report r;
    assert_ok(accounting_new(NULL, NULL, &a));
    assert_ok(report_init(&r, "accounting", "A"));
    tell(list, ARRAY_LEN(list), account, a);
    assert_ok(accounting_report(a, &r));
    const struct report_table *t = table_of(&r, "disclosures");
    assert_int_equal(report_rows(t), 2);
    expect_cell(t, 0, "request", ONE);
    expect_cell(t, 0, "nature", "electronic answer; 600 records; GET /a");
    expect_cell(t, 0, "sent", "7 bytes");
    expect_cell(t, 1, "request", THREE);
    expect_cell(t, 1, "nature", "electronic answer, not inspected whole; 1 record; GET /a");
    expect_cell(t, 1, "sent", "presumed: no completion on record");
    bool told = false;
    for (const struct report_fact *f = r.facts; f; f = f->next)
        told = told || (strcmp(f->name, "passed unread") == 0 && span_starts(f->text, SPAN("1 answers")));
    assert_true(told);
    report_free(&r);
    accounting_free(a);
}

static result look(void *to, const struct report_entry *e, bool about)
{
    (void)about;
    return incidents_add(to, e);
}

//= ICE10036.2 5.5(1)
static void test_each_incident_is_called_what_it_is(void **unused)
{
    (void)unused;
    static const struct said list[] = {
        {ONE, LEDGER_INCIDENT, LEDGER_SHADOW, "ledger_profile_of_a_site", 1, 1, false, true},
        {TWO, LEDGER_INCIDENT, LEDGER_WITHHELD, "asked-repeatedly", 0, 1, false, true},
        {NULL, LEDGER_INCIDENT, LEDGER_NO_OUTCOME, "ledger_room_shed", 0, 0, false, false},
        {NULL, LEDGER_INCIDENT, LEDGER_NO_OUTCOME, "ledger_standby", 0, 0, false, false},
    };
    static const char *const rows[][2] = {{"review", "/a"}, {"asked_repeatedly", "/a"}, {"ledger", "ledger_room_shed"}, {"ledger", "ledger_standby"}};
    struct incidents *in = NULL;
    struct report r;
    assert_ok(incidents_new(&in));
    assert_ok(report_init(&r, "incidents", "I"));
    tell(list, ARRAY_LEN(list), look, in);
    assert_ok(incidents_report(in, &r));
    const struct report_table *t = table_of(&r, "incidents");
    assert_int_equal(report_rows(t), ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect_cell(t, i, "kind", rows[i][0]);
        expect_cell(t, i, "target", rows[i][1]);
    }
    report_free(&r);
    incidents_free(in);
}

/* Two counts of one thing that differ are asked about: the report says both. */
static void test_answers_without_a_completion(void **unused)
{
    (void)unused;
    static const struct said list[] = {
        {ONE, LEDGER_DISCLOSURE, LEDGER_DISCLOSED, "a-number", 1, 1, false, true},
        {TWO, LEDGER_DISCLOSURE, LEDGER_WITHHELD, "a-number", 0, 1, false, true},
        {THREE, LEDGER_DISCLOSURE, LEDGER_WITHHELD, "a-number", 0, 1, false, true},
        {THREE, LEDGER_COMPLETION, LEDGER_WITHHELD, NULL, 0, 0, false, false},
    };
    struct incidents *in = NULL;
    struct report r;
    bool told = false;
    assert_ok(incidents_new(&in));
    assert_ok(report_init(&r, "incidents", "I"));
    tell(list, ARRAY_LEN(list), look, in);
    assert_ok(incidents_report(in, &r));
    expect_cell(table_of(&r, "incidents"), 0, "kind", "presumed_disclosed");
    assert_int_equal(report_rows(table_of(&r, "incidents")), 1);
    for (const struct report_fact *f = r.facts; f; f = f->next)
        told = told || (strcmp(f->name, "answers without a completion") == 0 && span_starts(f->text, SPAN("2: ")) && span_search(f->text, SPAN(", 1")) < f->text.len);
    assert_true(told);
    report_free(&r);
    incidents_free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_accounting_has_every_answer_that_held_the_subject),
        cmocka_unit_test(test_each_incident_is_called_what_it_is), cmocka_unit_test(test_answers_without_a_completion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
