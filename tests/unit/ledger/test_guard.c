/* Deleted, replaced, cut: whatever somebody does to the names of a ledger under its writer is seen at the next look. */
#include "ledger/guard.h"
#include "ledger/support.h"

static _Atomic uint64_t removed;

static void expect_lost(const char *command, const char *lost)
{
    struct site *s = site_new();
    struct guard g;
    site_append(s, 120, 100, 100); /* several segments, both tips */
    assert_true(is_ok(guard_open(&g, s->directory)));
    for (int i = 0; i < 3; i++)
        assert_true(is_ok(guard_look(&g, &removed)));
    assert_int_equal(shell(command, s->directory, s->directory, s->directory), 0);
    result r = guard_look(&g, &removed);
    if (is_ok(r)) fail_msg("not seen: %s", command);
    assert_int_equal(r.class, ERROR_IO);
    assert_int_equal(r.code, LEDGER_E_GONE);
    if (!strstr(g.lost, lost)) fail_msg("%s: \"%s\"", command, g.lost);
    guard_close(&g);
    shell("rm -rf %s.old", s->directory);
    site_free(s);
}

static void test_everything_that_goes_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *command, *lost;
    } cases[] = {
        {"cd %s/wal && rm $(ls *.wal | tail -1)", "wal/"},
        {"rm %s/wal/00000000000000000000.wal", "wal/00000000000000000000.wal"},
        {"cd %s/wal && rm $(ls *.wal | sed -n 2p)", "wal/"},
        {"cd %s/wal && f=$(ls *.wal | tail -1) && cp $f x && mv x $f", "wal/"},
        {"cd %s/wal && f=$(ls *.wal | head -1) && cp $f x && mv x $f", "wal/00000000000000000000.wal"},
        {"cd %s/wal && truncate -s -4096 $(ls *.wal | tail -1)", "wal/"},
        {"cd %s/wal && mv $(ls *.wal | tail -1) 00000000000000000007.wal", "wal/"},
        {"rm -r %s/wal", "wal"},
        {"d=%s; mv $d/wal $d/old && cp -r $d/old $d/wal", "wal"},
        {"d=%s; mv $d $d.old && cp -r $d.old $d", "its directory"},
        {"mv %s %s.old", "its directory"},
        {"rm %s/node.json", "node.json"},
        {"rm %s/LOCK", "LOCK"},
        {"rm %s/tip.a", "tip.a"},
        {"d=%s; cp $d/tip.b $d/x && mv $d/x $d/tip.b", "tip.b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_lost(cases[i].command, cases[i].lost);
}

/* What the writer does itself is nothing to see. */
static void test_a_writer_at_work_is_no_loss(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct guard g;
    assert_true(is_ok(guard_open(&g, s->directory)));
    for (unsigned round = 0; round < 6; round++) {
        site_append(s, 30, 100, 100);
        assert_true(is_ok(guard_look(&g, &removed)));
    }
    assert_true(g.segments.count > 2);
    atomic_store(&removed, g.segments.first[1]); /* published and removed */
    assert_int_equal(shell("rm %s/" FIRST_SEGMENT, s->directory), 0);
    assert_true(is_ok(guard_look(&g, &removed)));
    assert_true(is_ok(guard_look(&g, &removed)));
    atomic_store(&removed, 0);
    guard_close(&g);
    site_free(s);
}

/* What could not be looked at for want of memory is seen at the next look. */
static void test_a_look_without_memory_is_made_again(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        struct site *s = site_new();
        struct guard g;
        site_append(s, 120, 100, 100);
        assert_true(is_ok(guard_open(&g, s->directory)));
        assert_int_equal(shell("cd %s/wal && rm $(ls *.wal | sed -n 2p)", s->directory), 0);
        fault_arm("malloc", n);
        result r = guard_look(&g, &removed);
        fault_arm("malloc", 0);
        bool blind = !is_ok(r) && r.class == ERROR_LIMIT;
        assert_true(n > 1 || blind);
        r = blind ? guard_look(&g, &removed) : r;
        assert_true(!is_ok(r) && r.class == ERROR_IO && r.code == LEDGER_E_GONE);
        guard_close(&g);
        site_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_that_goes_is_seen),
        cmocka_unit_test(test_a_writer_at_work_is_no_loss),
        cmocka_unit_test(test_a_look_without_memory_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
