#include "support.h"

static void test_nothing_is_armed(void **state)
{
    (void)state;
    fault_init(NULL, "worker");
    assert_false(fault_armed_);
    assert_false(fault_hit("write"));
}

static void test_nth_hit_fails_once(void **state)
{
    (void)state;
    fault_init("write:3", "worker");
    assert_false(fault_hit("write"));
    assert_false(fault_hit("read"));
    assert_false(fault_hit("write"));
    assert_true(fault_hit("write"));
    assert_false(fault_hit("write"));
}

static void test_first_without_a_number(void **state)
{
    (void)state;
    fault_init("fsync,write:2", "scribe");
    assert_true(fault_hit("fsync"));
    assert_false(fault_hit("fsync"));
    assert_false(fault_hit("write"));
    assert_true(fault_hit("write"));
}

static void test_plus_means_from_then_on(void **state)
{
    (void)state;
    fault_init("read:2+", "worker");
    assert_false(fault_hit("read"));
    for (int i = 0; i < 5; i++)
        assert_true(fault_hit("read"));
}

static void test_role(void **state)
{
    (void)state;
    fault_init("fsync@scribe:2", "supervisor");
    assert_false(fault_armed_);
    assert_false(fault_hit("fsync"));
    fault_role("scribe");
    assert_true(fault_armed_);
    assert_false(fault_hit("fsync"));
    assert_true(fault_hit("fsync"));
    fault_role("scribe");
    assert_false(fault_hit("fsync"));
    assert_true(fault_hit("fsync"));
    fault_role("worker");
    assert_false(fault_hit("fsync"));
}

/* One process arms, another one meets it. */
static void test_shared_switch(void **state)
{
    static struct fault_switch s;
    (void)state;
    fault_init(NULL, "worker");
    fault_share(&s);
    assert_true(fault_armed_);
    assert_false(fault_hit("write"));
    strcpy(s.name, "write");
    strcpy(s.role, "worker");
    s.nth = 2;
    s.armed = 1;
    assert_false(fault_hit("read"));
    assert_false(fault_hit("write"));
    assert_int_equal(s.thrown, 0);
    assert_true(fault_hit("write"));
    assert_false(fault_hit("write"));
    assert_int_equal(s.thrown, 1);
    assert_int_equal(s.count, 3);
    s.count = 1;
    fault_role("scribe");
    assert_false(fault_hit("write"));
    fault_role("worker");
    s.armed = 0;
    assert_false(fault_hit("write"));
    assert_int_equal(s.count, 1);
    fault_share(NULL);
    fault_init(NULL, "worker");
    assert_false(fault_armed_);
}

static void test_arm_and_count(void **state)
{
    (void)state;
    fault_init(NULL, "test");
    fault_arm("malloc", 2);
    void *first = mem_alloc(1), *second = mem_alloc(1), *third = mem_alloc(1);
    fault_arm("malloc", 0);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    assert_int_equal(fault_count("malloc"), 3);
    assert_false(fault_armed_);
    mem_free(first);
    mem_free(third);
    fault_arm("malloc", 1);
    assert_int_equal(fault_count("malloc"), 0);
    fault_arm("malloc", 0);
}

static void init_with(void *spec)
{
    fault_init(spec, "worker");
}

/* A misspelt switch would test nothing: the process ends with the exit status of a usage error. */
static void test_bad_specifications(void **state)
{
    (void)state;
    static const char *const bad[] = {"write:", "write:0", "write:x", "write:+", ":2", "@scribe", "write:1++",
        "write:99999999999999999999999", "a-name-that-is-longer-than-any-fault-point"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(run_in_child(init_with, (void *)(uintptr_t)bad[i]), -2);
    assert_int_equal(run_in_child(init_with, (void *)(uintptr_t) "write:1, read@worker:2+,"), 0);
}

static void test_stage_counts_from_ready_on(void **state)
{
    (void)state;
    fault_init("read@worker/ready:2", "worker");
    assert_false(fault_armed_);
    for (int i = 0; i < 5; i++) assert_false(fault_hit("read"));
    fault_ready();
    assert_true(fault_armed_);
    assert_false(fault_hit("read"));
    assert_true(fault_hit("read"));
    assert_false(fault_hit("read"));
    fault_role("worker"); /* a reborn one begins before its stage again */
    assert_false(fault_armed_);
    fault_role("scribe");
    fault_ready();
    assert_false(fault_armed_);
    fault_init("read@work/ready", "worker"); /* a role's name is whole */
    fault_ready();
    assert_false(fault_armed_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_armed),
        cmocka_unit_test(test_nth_hit_fails_once),
        cmocka_unit_test(test_first_without_a_number),
        cmocka_unit_test(test_plus_means_from_then_on),
        cmocka_unit_test(test_role),
        cmocka_unit_test(test_stage_counts_from_ready_on),
        cmocka_unit_test(test_shared_switch),
        cmocka_unit_test(test_arm_and_count),
        cmocka_unit_test(test_bad_specifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
