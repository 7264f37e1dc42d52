#include "support.h"

static void test_queue(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_len(&b), 0);
    assert_span(buf_span(&b), "");
    assert_ok(buf_append(&b, SPAN("hello ")));
    assert_ok(buf_printf(&b, "%s %d", "world", 42));
    assert_span(buf_span(&b), "hello world 42");
    buf_consume(&b, 6);
    assert_span(buf_span(&b), "world 42");
    buf_clear(&b);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
    assert_ok(buf_append(&b, SPAN("again")));
    assert_span(buf_span(&b), "again");
    buf_free(&b);
}

static void test_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    assert_ok(buf_append(&b, SPAN("abcd")));
    assert_fails(buf_append(&b, SPAN("e")), ERROR_LIMIT);
    assert_fails(buf_printf(&b, "%d", 1), ERROR_LIMIT);
    assert_span(buf_span(&b), "abcd");
    buf_consume(&b, 2);
    assert_ok(buf_printf(&b, "%d", 12)); /* exactly at the cap: no room for vsnprintf's NUL */
    assert_span(buf_span(&b), "cd12");
    uint8_t *out;
    assert_fails(buf_reserve(&b, SIZE_MAX, &out), ERROR_LIMIT);
    buf_free(&b);
    buf_init(&b, 0);
    assert_ok(buf_append(&b, span_of(NULL, 0)));
    assert_fails(buf_append(&b, SPAN("a")), ERROR_LIMIT);
    buf_free(&b);
}

/* A stream of 0, 1, 2, … goes through a buffer with a cap, pieces of every size in and out: what comes out is the same
 * stream. */
static void test_stream_through(void **state)
{
    (void)state;
    for (size_t in = 1; in < 40; in++) {
        struct buf b;
        buf_init(&b, 64);
        uint8_t written = 0, expected = 0;
        for (int round = 0; round < 200; round++) {
            uint8_t *out;
            if (is_ok(buf_reserve(&b, in, &out))) {
                for (size_t i = 0; i < in; i++)
                    out[i] = written++;
                buf_commit(&b, in);
            }
            size_t take = (size_t)round * 7 % (buf_len(&b) + 1);
            for (size_t i = 0; i < take; i++)
                assert_int_equal(buf_span(&b).ptr[i], expected++);
            buf_consume(&b, take);
            assert_true(buf_len(&b) <= 64);
        }
        buf_free(&b);
    }
}

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i]) return false;
    return true;
}

static void test_large_buffers_are_wiped_when_they_run_empty(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    uint8_t *out;
    assert_ok(buf_reserve(&b, 65537, &out));
    memset(out, 'x', 65537);
    buf_commit(&b, 65537);
    buf_consume(&b, 65536);
    assert_int_equal(b.base[0], 'x');
    buf_consume(&b, 1);
    assert_true(all_zero(b.base, 65537));
    buf_free(&b);
    assert_null(b.base);
}

static void test_what_is_lent_is_wiped(void **state)
{
    (void)state;
    struct buf b;
    uint8_t *out;
    buf_init(&b, 1 << 20);
    assert_ok(buf_reserve(&b, 70000, &out));
    memset(out, 0, 70000);
    buf_lend(&b, 66000);
    memset(out, 'x', 66000);
    buf_commit(&b, 1);
    buf_lend(&b, 3); /* less than before: what may have been written counts */
    assert_int_equal(b.dirty, 66000);
    buf_consume(&b, 1);
    assert_true(all_zero(b.base, 66000));
    buf_free(&b);
}

static void test_what_is_no_secret_is_not_wiped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_ok(buf_append(&b, SPAN("sealed")));
    buf_forget(&b);
    assert_int_equal(buf_len(&b) + b.dirty, 0);
    assert_memory_equal(b.base, "sealed", 6);
    assert_ok(buf_append(&b, SPAN("x")));
    assert_span(buf_span(&b), "x");
    buf_free(&b);
}

static void consume_too_much(void *ctx)
{
    struct buf *b = ctx;
    buf_consume(b, buf_len(b) + 1);
}

static void commit_too_much(void *ctx)
{
    struct buf *b = ctx;
    buf_commit(b, b->size - b->write + 1);
}

static void test_misuse_is_our_own_bug(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 16);
    assert_ok(buf_append(&b, SPAN("abc")));
    assert_true(aborts(consume_too_much, &b));
    assert_true(aborts(commit_too_much, &b));
    buf_free(&b);
}

static result fill(struct buf *b)
{
    char line[1000];
    memset(line, 'a', sizeof line);
    for (int i = 0; i < 20; i++)
        TRY(buf_append(b, span_of(line, sizeof line)));
    return buf_printf(b, "%d", 7);
}

static void test_nth_malloc_fails(void **state)
{
    (void)state;
    uint64_t failures = 0;
    for (uint64_t n = 1;; n++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        fault_arm("malloc", n);
        result r = fill(&b);
        bool hit = fault_count("malloc") >= n;
        fault_arm("malloc", 0);
        if (hit) {
            assert_fails(r, ERROR_LIMIT);
            assert_int_equal(buf_len(&b) % 1000, 0); /* whole pieces only */
            failures++;
        } else
            assert_ok(r);
        buf_free(&b);
        if (!hit) break;
    }
    assert_true(failures > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_stream_through),
        cmocka_unit_test(test_large_buffers_are_wiped_when_they_run_empty),
        cmocka_unit_test(test_what_is_lent_is_wiped),
        cmocka_unit_test(test_what_is_no_secret_is_not_wiped),
        cmocka_unit_test(test_misuse_is_our_own_bug),
        cmocka_unit_test(test_nth_malloc_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
