#include "support.h"

static void test_zeroed(void **state)
{
    (void)state;
    uint8_t *p = mem_alloc(1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    mem_free(p);
    p = mem_alloc(0);
    assert_non_null(p);
    mem_free(p);
}

static void test_array_overflow(void **state)
{
    (void)state;
    assert_null(mem_array(SIZE_MAX / 2, 3));
    void *p = mem_array(3, 5);
    assert_non_null(p);
    mem_free(p);
}

static void test_resize_keeps_the_old_block_when_it_fails(void **state)
{
    (void)state;
    char *p = mem_strdup("text");
    fault_arm("malloc", 1);
    assert_null(mem_resize(p, 100));
    fault_arm("malloc", 0);
    assert_string_equal(p, "text");
    p = mem_resize(p, 100);
    assert_string_equal(p, "text");
    mem_free_wipe(p, 100);
}

static void test_every_allocator_can_fail(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        fault_arm("malloc", 1);
        void *p = i == 0   ? mem_alloc(1)
                  : i == 1 ? mem_array(1, 1)
                  : i == 2 ? mem_copy("a", 1)
                  : i == 4 ? mem_alloc_aligned(64, 64)
                  : i == 3 ? (void *)mem_strdup("a")
                           : mem_hook_alloc(1);
        fault_arm("malloc", 0);
        assert_null(p);
    }
}

static void test_aligned(void **state)
{
    (void)state;
    void *blocks[64];
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        blocks[i] = mem_alloc_aligned(64, 100 + i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        for (size_t k = 0; k < 100 + i; k++) assert_int_equal(((uint8_t *)blocks[i])[k], 0);
        memset(blocks[i], 0xff, 100 + i);
        if (i % 2) mem_free(blocks[i]), blocks[i] = NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) mem_free(blocks[i]);
}

static void test_wipe(void **state)
{
    (void)state;
    char secret[] = "secret";
    mem_wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        assert_int_equal(secret[i], 0);
    mem_wipe(NULL, 0);
    mem_free_wipe(NULL, 0);
}

static void test_auto(void **state)
{
    (void)state;
    MEM_AUTO char *p = mem_strdup("freed at the end of scope: the leak checker would tell");
    MEM_AUTO char *none = NULL;
    assert_non_null(p);
    assert_null(none);
}

static void break_assertion(void *ctx)
{
    ASSERT(ctx == (void *)1);
}

static void test_assertions_abort(void **state)
{
    (void)state;
    assert_true(aborts(break_assertion, NULL));
    assert_int_equal(run_in_child(break_assertion, (void *)1), 0);
}

static void test_class_names(void **state)
{
    (void)state;
    assert_string_equal(error_class_name(ERROR_NONE), "none");
    assert_string_equal(error_class_name(ERROR_INTERNAL), "internal");
    result r = FAIL(ERROR_PEER, 3);
    assert_false(is_ok(r));
    assert_int_equal(r.code, 3);
    assert_non_null(strstr(r.where, "test_memory.c:"));
}

/* The variable only ever lowers the level. */
static void test_cpu_level(void **state)
{
    (void)state;
    const char *wanted = getenv("GATE1367_CPU");
    if (wanted && strcmp(wanted, "portable") == 0) assert_int_equal(cpu_level(), CPU_PORTABLE);
    if (!__builtin_cpu_supports("avx2")) assert_int_equal(cpu_level(), CPU_PORTABLE);
    assert_int_equal(cpu_level(), cpu_level());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_array_overflow),
        cmocka_unit_test(test_resize_keeps_the_old_block_when_it_fails),
        cmocka_unit_test(test_every_allocator_can_fail),
        cmocka_unit_test(test_aligned),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_assertions_abort),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_cpu_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
