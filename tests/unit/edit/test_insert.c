/* The gateway's own words behind a byte that leaves: against a body that is edited byte by byte. */
#include "edit/edit.h"
#include "support.h"

static uint64_t state_ = 88172645463325252u;
static uint64_t below(uint64_t n)
{
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_ % n;
}

#define LEN 40

/* Kept runs, gaps, and literals in the place of gaps. */
static struct edit_list make(struct edit_run *runs, bool kept[LEN])
{
    struct edit_list l = {.runs = runs};
    for (uint64_t at = 0; at < LEN;) {
        uint64_t n = 1 + below(6), end = at + n < LEN ? at + n : LEN;
        struct edit_run *r = &runs[l.count];
        bool keep = below(3) > 0, literal = !keep && below(2);
        *r = (struct edit_run){.at = at, .out = l.length, .len = keep ? (uint32_t)(end - at) : 0};
        if (literal) r->literal = (const uint8_t *)"<x>", r->literal_len = 3;
        l.count += keep || literal;
        l.length += keep ? end - at : literal ? 3 : 0;
        for (uint64_t i = at; i < end; i++) kept[i] = keep;
        at = end;
    }
    return l;
}

static size_t write_out(const struct edit_list *l, const char *body, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct edit_run *r = &l->runs[i];
        assert_int_equal(r->out, n);
        memcpy(out + n, r->literal_len ? (const char *)r->literal : body + r->at, r->literal_len ? r->literal_len : r->len);
        n += r->literal_len ? r->literal_len : r->len;
    }
    assert_int_equal(l->length, n);
    return n;
}

static void test_words_stand_behind_their_byte(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    for (int round = 0; round < 20000; round++) {
        char body[LEN + 1], before[200], after[200];
        bool kept[LEN];
        struct edit_run runs[LEN + 1];
        for (size_t i = 0; i < LEN; i++) body[i] = (char)('A' + i);
        struct edit_list l = make(runs, kept);
        size_t n = write_out(&l, body, before);
        uint64_t behind = below(LEN);
        if (!kept[behind]) continue;
        arena_reset(a);
        assert_ok(edit_insert(&l, behind, SPAN("own"), a));
        assert_int_equal(write_out(&l, body, after), n + 3);
        size_t at = (size_t)((char *)memchr(before, body[behind], n) - before) + 1;
        assert_memory_equal(after, before, at);
        assert_memory_equal(after + at, "own", 3);
        assert_memory_equal(after + at + 3, before + at, n - at);
        assert_int_equal(edit_offset(&l, behind), at - 1);
    }
    arena_free(a);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new(16);
    struct edit_run run = {.len = 4};
    struct edit_list l = {.runs = &run, .count = 1, .length = 4};
    assert_fails(edit_insert(&l, 1, SPAN("own"), a), ERROR_LIMIT);
    assert_true(l.count == 1 && l.length == 4);
    arena_free(a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_words_stand_behind_their_byte), cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
