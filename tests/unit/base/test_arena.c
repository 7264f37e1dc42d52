#include "support.h"

static void test_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 300; size++) {
            uint8_t *p = arena_alloc(a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            if (size > 0) memset(p, 0xAA, size);
        }
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_free(a);
}

/* No allocation lies in another: each keeps its own pattern. */
static void test_allocations_do_not_overlap(void **state)
{
    (void)state;
    struct arena *a = arena_new(8 << 20);
    uint8_t *blocks[500];
    for (size_t i = 0; i < 500; i++) {
        size_t size = (i * 37) % 5000 + 1;
        blocks[i] = arena_alloc(a, size);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < (i * 37) % 5000 + 1; j++)
            assert_int_equal(blocks[i][j], i % 251);
    arena_free(a);
}

static void test_cap_latches_until_reset(void **state)
{
    (void)state;
    struct arena *a = arena_new(1024);
    assert_non_null(arena_alloc(a, 1000));
    assert_false(arena_failed(a));
    assert_null(arena_alloc(a, 100));
    assert_true(arena_failed(a));
    assert_null(arena_alloc(a, 1));
    assert_null(arena_copy(a, SPAN("x")).ptr);
    arena_reset(a);
    assert_false(arena_failed(a));
    assert_non_null(arena_alloc(a, 1024));
    assert_null(arena_alloc(a, 1));
    arena_reset(a);
    assert_null(arena_alloc(a, 1025));
    arena_reset(a);
    assert_null(arena_alloc(a, SIZE_MAX));
    arena_reset(a);
    assert_null(arena_array(a, SIZE_MAX / 2, 4));
    assert_true(arena_failed(a));
    arena_free(a);
}

static void test_copy(void **state)
{
    (void)state;
    struct arena *a = arena_new(1024);
    span copy = arena_copy(a, SPAN("text"));
    assert_span(copy, "text");
    assert_int_equal(copy.ptr[4], 0);
    span empty = arena_copy(a, span_of(NULL, 0));
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    arena_free(a);
    arena_free(NULL);
}

static void test_nth_malloc_fails(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        fault_arm("malloc", n);
        struct arena *a = arena_new(1 << 20);
        if (a)
            for (int i = 0; i < 40; i++)
                arena_alloc(a, 4000);
        bool hit = fault_count("malloc") >= n;
        fault_arm("malloc", 0);
        assert_int_equal(!a || arena_failed(a), hit);
        if (a) {
            arena_reset(a);
            assert_non_null(arena_alloc(a, 10));
        }
        arena_free(a);
        if (!hit) break;
    }
}

static void use_freed(void *ctx)
{
    struct arena *a = ctx;
    /* The object is still readable here: only its magic number says that it is none. */
    *(uint32_t *)(void *)a = 0;
    arena_alloc(a, 1);
}

static void test_magic_is_checked(void **state)
{
    (void)state;
    struct arena *a = arena_new(100);
    assert_true(aborts(use_freed, a));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_cap_latches_until_reset),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_nth_malloc_fails),
        cmocka_unit_test(test_magic_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
