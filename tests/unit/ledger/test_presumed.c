/* A disclosure without a completion is presumed disclosed. */
#include "ledger/support.h"

static size_t spell(char out[512], unsigned id, const char *event)
{
    return (size_t)snprintf(out, 512,
        "{\"time\":\"2026-11-21T22:04:21.123456Z\",\"node\":\"a \\\"b\\\\\",\"request\":\"019abcde-0000-7000-8%03x-%012x\","
        "\"event\":\"%s\",\"recipient\":null}", id % 4096, id, event);
}

static void see(struct ledger_presumed *p, unsigned id, const char *event)
{
    char text[512];
    assert_true(is_ok(ledger_presumed_see(p, span_of(text, spell(text, id, event)))));
}

static bool has(struct ledger_presumed *p, unsigned id, const char *event)
{
    char text[512];
    return ledger_presumed_has(p, span_of(text, spell(text, id, event)));
}

static void test_what_is_not_completed_is_presumed(void **state)
{
    (void)state;
    struct ledger_presumed *p;
    assert_true(is_ok(ledger_presumed_new(&p)));
    see(p, 1, "disclosure");
    see(p, 1, "disclosure"); /* a further part */
    see(p, 2, "refusal");
    see(p, 3, "disclosure");
    see(p, 3, "completion");
    see(p, 4, "completion"); /* of nothing */
    assert_int_equal(ledger_presumed_count(p), 1);
    assert_true(has(p, 1, "disclosure"));
    assert_false(has(p, 1, "completion"));
    assert_false(has(p, 2, "disclosure"));
    assert_false(has(p, 3, "disclosure"));
    ledger_presumed_free(p);
}

static void test_odd_entries_are_passed_over(void **state)
{
    (void)state;
    static const char *const odd[] = {"{}", "", "{\"time\":\"x", "{\"time\":\"x\",\"node\":\"\\", "{\"time\":\"x\",\"request\":\"\"}",
        "{\"time\":\"x\",\"node\":null,\"request\":\"019abcde-0000-7000-8000-000000000001\",\"event\":\"disclosure\"}"};
    struct ledger_presumed *p;
    assert_true(is_ok(ledger_presumed_new(&p)));
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_true(is_ok(ledger_presumed_see(p, span_str(odd[i]))));
    assert_int_equal(ledger_presumed_count(p), 0);
    ledger_presumed_free(p);
}

/* Held against a plain array, through growth and removal. */
static void test_thousands_come_and_go(void **state)
{
    (void)state;
    static bool open[20000];
    struct ledger_presumed *p;
    uint64_t random = 1367, count = 0;
    assert_true(is_ok(ledger_presumed_new(&p)));
    for (unsigned step = 0; step < 60000; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned id = 1 + (unsigned)(random >> 33) % (ARRAY_LEN(open) - 1);
        bool begins = random >> 63;
        see(p, id, begins ? "disclosure" : "completion");
        count += begins != open[id] ? begins ? 1 : (uint64_t)-1 : 0;
        open[id] = begins;
    }
    assert_int_equal(ledger_presumed_count(p), count);
    for (unsigned id = 1; id < ARRAY_LEN(open); id++)
        assert_int_equal(has(p, id, "disclosure"), open[id]);
    ledger_presumed_free(p);
}

static void test_every_allocation_failing(void **state)
{
    (void)state;
    for (uint64_t n = 1, whole = 0; !whole; n++) {
        struct ledger_presumed *p = NULL;
        fault_arm("malloc", n);
        result r = ledger_presumed_new(&p);
        for (unsigned id = 1; id < 3000 && is_ok(r); id++) {
            char text[512];
            r = ledger_presumed_see(p, span_of(text, spell(text, id, "disclosure")));
        }
        fault_arm("malloc", 0);
        whole = is_ok(r);
        assert_true(whole || r.class == ERROR_LIMIT);
        ledger_presumed_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_completed_is_presumed),
        cmocka_unit_test(test_odd_entries_are_passed_over),
        cmocka_unit_test(test_thousands_come_and_go),
        cmocka_unit_test(test_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
