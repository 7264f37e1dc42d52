/* Each filter alone, over entries of which it lets one pass: by the words that entries are written with. */
#include "ledger/support.h"

#define MONTH_US (UINT64_C(31) * 86400000000)
#define BEGIN UINT64_C(1790812800000000) /* 2026-10-01 */
static const uint64_t HANDLE = 7, OTHER = 8;
static struct ledger_root root;

static void name_of(uint64_t handle, uint64_t time_us, char out[LEDGER_PSEUDONYM])
{
    struct ledger_month m = {0};
    uint8_t bytes[8];
    store_le64(bytes, handle);
    assert_true(ledger_month_update(&m, &root, time_us));
    assert_true(ledger_pseudonym(&m, SPAN("subject"), span_of(bytes, 8), out));
}

/* Entry i of a list of six, one a month, two of them hers. */
static void entry_of(unsigned i, struct buf *b, struct ledger_view *v)
{
    static const char *const who[] = {"a", "b", "c", "d", "e\"", "f"}, *const grants[] = {NULL, "G-1", "G-12", "g-1", "G-2", "null"};
    static const enum ledger_event events[] = {LEDGER_DISCLOSURE, LEDGER_REFUSAL, LEDGER_COMPLETION, LEDGER_GRANT, LEDGER_INCIDENT, LEDGER_REGISTRY};
    static const enum ledger_outcome outcomes[] = {LEDGER_CLEAR, LEDGER_DISCLOSED, LEDGER_AUTHORIZED, LEDGER_WITHHELD, LEDGER_REFUSED, LEDGER_BLOCKED};
    static const char *const rules[] = {"r", "r2", "a \"rule\"", "x", "rr", "R"};
    char subjects[1][LEDGER_PSEUDONYM], request[LEDGER_REQUEST_ID];
    const uint8_t random[10] = {(uint8_t)i};
    struct ledger_count rule = {span_str(rules[i]), 1};
    uint64_t at = BEGIN + i * MONTH_US;
    name_of(i == 1 || i == 4 ? HANDLE : OTHER, at, subjects[0]);
    ledger_request_id(1000, random, request);
    struct ledger_entry e = {.time_us = at, .event = events[i], .outcome = outcomes[i], .rules = &rule, .rule_count = 1, .request = span_str(request),
        .grant = grants[i] ? span_str(grants[i]) : span_of(NULL, 0), .subjects = (const char(*)[LEDGER_PSEUDONYM])subjects, .subject_count = 1};
    e.recipient.id = span_str(who[i]);
    buf_init(b, LEDGER_ENTRY_MAX);
    assert_true(is_ok(ledger_entry_encode(&e, b)) && ledger_view_parse(buf_span(b), v));
}

/* Bit i: entry i passes. */
static unsigned passing(struct ledger_filter f)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < 6; i++) {
        struct buf b;
        struct ledger_view v;
        entry_of(i, &b, &v);
        if (ledger_filter_passes(&f, &v)) bits |= 1u << i;
        buf_free(&b);
    }
    return bits;
}

static void test_each_filter(void **unused)
{
    (void)unused;
    assert_int_equal(passing((struct ledger_filter){0}), 0x3f);
    assert_int_equal(passing((struct ledger_filter){.grant = "G-1"}), 1 << 1);
    assert_int_equal(passing((struct ledger_filter){.grant = "null"}), 1 << 5);
    assert_int_equal(passing((struct ledger_filter){.recipient = "e\""}), 1 << 4);
    assert_int_equal(passing((struct ledger_filter){.event = "refusal"}), 1 << 1);
    assert_int_equal(passing((struct ledger_filter){.outcome = "authorized"}), 1 << 2);
    assert_int_equal(passing((struct ledger_filter){.rule = "a \"rule\""}), 1 << 2);
    assert_int_equal(passing((struct ledger_filter){.rule = "r"}), 1 << 0);
    assert_int_equal(passing((struct ledger_filter){.since_us = BEGIN + MONTH_US, .until_us = BEGIN + 3 * MONTH_US}), 6);
    assert_int_equal(passing((struct ledger_filter){.since_us = BEGIN + 5 * MONTH_US}), 1 << 5);
    assert_int_equal(passing((struct ledger_filter){.until_us = BEGIN + 1}), 1 << 0);
    assert_int_equal(passing((struct ledger_filter){.outcome = "disclosed", .grant = "G-1", .recipient = "b"}), 1 << 1);
    assert_int_equal(passing((struct ledger_filter){.outcome = "disclosed", .grant = "G-2"}), 0);
}

/* She is called differently in each month; one name is one month's. */
static void test_a_person_in_every_month(void **unused)
{
    (void)unused;
    struct ledger_filter f = {.subjects = {HANDLE}, .subject_count = 1, .root = root};
    char first[LEDGER_PSEUDONYM], second[LEDGER_PSEUDONYM];
    assert_int_equal(passing(f), 1 << 1 | 1 << 4);
    name_of(HANDLE, BEGIN + MONTH_US, first);
    name_of(HANDLE, BEGIN + 4 * MONTH_US, second);
    assert_string_not_equal(first, second);
    struct ledger_filter by_name = {0};
    memcpy(by_name.pseudonym, second, sizeof second);
    assert_int_equal(passing(by_name), 1 << 4);
    f.subjects[1] = OTHER, f.subject_count = 2;
    assert_int_equal(passing(f), 0x3f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_filter), cmocka_unit_test(test_a_person_in_every_month)};
    memset(root.key, 3, sizeof root.key);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
