/* The n-th write, read, sync or allocation fails, for every n until the whole run gets through: what commit said is
 * durable is there after recovery, and after a failure nothing is said to be durable. */
#include "ledger/support.h"

#define FRAMES 30u
#define EACH 90u /* several segments */

/* Appends until the first error; returns how many entries were acknowledged. */
static uint64_t append_until_failure(const struct site *s, bool *whole)
{
    struct ledger_key *key = NULL;
    struct ledger *l = NULL;
    uint64_t acknowledged = 0;
    char entry[4096];
    result r = ledger_key_load(s->key, &key);
    if (is_ok(r)) r = ledger_open(&s->place, key, NULL, &l);
    if (is_ok(r)) acknowledged = ledger_size(l);
    for (unsigned f = 0; f < FRAMES && is_ok(r); f++) {
        for (unsigned i = 0; i < EACH && is_ok(r); i++)
            r = ledger_add(l, span_of(entry, make_entry(acknowledged + i, 400, entry)));
        if (is_ok(r)) r = ledger_commit(l);
        if (is_ok(r)) acknowledged += EACH;
    }
    if (l && ledger_failed(l)) {
        assert_int_equal(ledger_add(l, SPAN("{\"time\":\"\"}")).code, LEDGER_E_FAILED);
        assert_int_equal(ledger_commit(l).code, LEDGER_E_FAILED);
        assert_int_equal(ledger_write_tip(l).code, LEDGER_E_FAILED);
    }
    result closed = ledger_close(l);
    *whole = is_ok(r) && is_ok(closed);
    ledger_key_free(key);
    return acknowledged;
}

static void fail_every(const char *name, uint64_t step)
{
    uint64_t n = 1;
    for (bool whole = false; !whole; n += step) {
        struct site *s = site_new();
        struct ledger_report report;
        fault_arm(name, n);
        uint64_t acknowledged = append_until_failure(s, &whole);
        fault_arm(name, 0);
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_true(report.entries >= acknowledged);
        assert_true(report.entries <= acknowledged + EACH);
        site_append(s, 1, 1, 10); /* and it goes on from there */
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        site_free(s);
    }
    assert_true(n > 2); /* the fault was met at all */
}

static void test_every_write_failing(void **state)
{
    (void)state, fail_every("write", 4);
}
static void test_every_short_write(void **state)
{
    (void)state, fail_every("short-write", 5);
}
static void test_every_sync_failing(void **state)
{
    (void)state, fail_every("fsync", 5);
}
static void test_every_read_failing(void **state)
{
    (void)state, fail_every("read", 1);
}
static void test_every_allocation_failing(void **state)
{
    (void)state, fail_every("malloc", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_write_failing),
        cmocka_unit_test(test_every_short_write),
        cmocka_unit_test(test_every_sync_failing),
        cmocka_unit_test(test_every_read_failing),
        cmocka_unit_test(test_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
