/* The mark of what was in force: the newer slot counts; every damaged byte and every length but its own is damage; another key's is
 * told from a forged one; and what journal and index together must hold to reach it. */
#include "registry/fixture.h"

static const uint8_t other_key[32] = {99};

static void put(uint8_t *file, unsigned slot, const uint8_t key[32], uint64_t sequence, uint64_t position)
{
    struct registry_mark m = {.sequence = sequence, .position = position, .seal = {7}};
    assert_true(is_ok(registry_mark_encode(key, &m, file + (size_t)slot * REGISTRY_MARK_SLOT)));
}

static result read_mark(const uint8_t *file, size_t len, struct registry_mark *out)
{
    /* A block of exactly that size: the sanitizer sees the first byte read beyond it. */
    uint8_t *exact = len > 0 ? mem_copy(file, len) : NULL;
    result r = registry_mark_read(test_key, span_of(exact, len), out);
    mem_free(exact);
    return r;
}

static void test_the_newer_one_counts(void **state UNUSED)
{
    static uint8_t file[REGISTRY_MARK_BYTES];
    struct registry_mark m;
    for (unsigned newer = 0; newer < 2; newer++) {
        put(file, newer, test_key, 5, 40);
        put(file, 1 - newer, test_key, 4, 50);
        assert_true(is_ok(read_mark(file, sizeof(file), &m)));
        assert_int_equal(m.sequence, 5);
        assert_int_equal(m.position, 40); /* somebody's word may have set it back */
        assert_int_equal(m.slot, newer);
        assert_int_equal(m.seal[0], 7);
    }
}

static void test_every_damaged_byte(void **state UNUSED)
{
    static uint8_t file[REGISTRY_MARK_BYTES];
    struct registry_mark m;
    put(file, 0, test_key, 5, 40);
    put(file, 1, test_key, 4, 39);
    for (size_t i = 0; i < sizeof(file); i++) {
        file[i] ^= (uint8_t)(1u << i % 8);
        result r = read_mark(file, sizeof(file), &m);
        if (r.class != ERROR_CONFIG || r.code != REGISTRY_MARK_DAMAGED) fail_msg("byte %zu", i);
        file[i] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(is_ok(read_mark(file, sizeof(file), &m)));
}

static void test_every_length(void **state UNUSED)
{
    static uint8_t file[REGISTRY_MARK_BYTES + 1];
    struct registry_mark m;
    put(file, 0, test_key, 1, 1);
    put(file, 1, test_key, 2, 2);
    for (size_t len = 0; len <= sizeof(file); len += len % 512 == 511 ? 1 : 511 - len % 512) {
        result r = read_mark(file, len, &m);
        if (len == REGISTRY_MARK_BYTES) assert_true(is_ok(r));
        else assert_int_equal(r.code, REGISTRY_MARK_DAMAGED);
    }
    assert_int_equal(read_mark(file, sizeof(file), &m).code, REGISTRY_MARK_DAMAGED);
}

/* Whoever has no key may make the checksum right, and nothing else. */
static void test_forged(void **state UNUSED)
{
    static uint8_t file[REGISTRY_MARK_BYTES];
    struct registry_mark m;
    put(file, 0, test_key, 1, 40);
    put(file, 1, test_key, 2, 41);
    for (size_t i = 32; i < 96; i++) {
        uint8_t *slot = file + REGISTRY_MARK_SLOT, was = slot[i];
        slot[i] ^= 1;
        store_le32(slot + 124, crc32c(0, span_of(slot, 124)));
        assert_int_equal(read_mark(file, sizeof(file), &m).code, REGISTRY_MARK_DAMAGED);
        slot[i] = was;
        store_le32(slot + 124, crc32c(0, span_of(slot, 124)));
    }
    assert_true(is_ok(read_mark(file, sizeof(file), &m)));
}

static void test_another_key(void **state UNUSED)
{
    static uint8_t file[REGISTRY_MARK_BYTES];
    struct registry_mark m;
    put(file, 0, other_key, 8, 40);
    put(file, 1, other_key, 9, 41);
    result r = read_mark(file, sizeof(file), &m);
    assert_int_equal(r.class, ERROR_CONFIG);
    assert_int_equal(r.code, REGISTRY_MARK_FOREIGN);
    assert_int_equal(m.sequence, 9); /* goes on behind it */
    assert_int_equal(m.position, 0);
    put(file, 0, test_key, 10, 3); /* ours is the only one that counts, whatever the other one's sequence */
    put(file, 1, other_key, 11, 41);
    assert_true(is_ok(read_mark(file, sizeof(file), &m)));
    assert_int_equal(m.position, 3);
}

/* Records from..to; `salt` makes others of them. */
static void make_journal(struct buf *out, uint64_t from, uint64_t to, uint64_t salt)
{
    buf_init(out, 1 << 16);
    for (uint64_t i = from; i <= to; i++) {
        struct registry_change c = {.op = REGISTRY_RELEASE, .position = i, .subject = i + salt};
        assert_true(is_ok(registry_journal_encode(test_key, &c, out)));
    }
}

static int judged(const struct registry_mark *m, uint64_t from, uint64_t to, uint64_t salt, uint64_t index)
{
    struct buf journal;
    make_journal(&journal, from, to, salt);
    result r = registry_mark_judge(m, buf_span(&journal), index);
    buf_free(&journal);
    return is_ok(r) ? 0 : (int)r.code;
}

static void test_what_reaches_it(void **state UNUSED)
{
    struct buf journal;
    struct registry_mark m, none = {0};
    make_journal(&journal, 1, 10, 1);
    registry_mark_of(buf_span(&journal), 0, &m);
    buf_free(&journal);
    assert_int_equal(m.position, 10);
    static const struct {
        uint64_t from, to, salt, index;
        int told;
    } rows[] = {
        {1, 10, 1, 0, 0}, {1, 12, 1, 0, 0}, {1, 10, 1, 11, 0}, {5, 12, 1, 0, 0}, /* it is there */
        {1, 9, 1, 0, REGISTRY_MARK_BEHIND}, {1, 0, 1, 0, REGISTRY_MARK_BEHIND}, {1, 0, 1, 1, REGISTRY_MARK_BEHIND},
        {1, 0, 1, 10, REGISTRY_MARK_BEHIND}, {1, 0, 1, 11, 0}, {11, 12, 1, 11, 0}, /* an index stands for it */
        {11, 12, 1, 1, REGISTRY_MARK_BEHIND}, {12, 13, 1, 5, REGISTRY_MARK_BEHIND}, /* it is nowhere */
        {1, 10, 2, 0, REGISTRY_MARK_ANOTHER}, {1, 30, 2, 0, REGISTRY_MARK_ANOTHER}, {1, 30, 2, 31, REGISTRY_MARK_ANOTHER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (judged(&m, rows[i].from, rows[i].to, rows[i].salt, rows[i].index) != rows[i].told) fail_msg("row %zu", i);
    assert_int_equal(judged(&none, 1, 0, 1, 0), 0);
    assert_int_equal(judged(&none, 1, 3, 2, 0), 0);
}

static void test_what_is_due(void **state UNUSED)
{
    struct buf journal;
    struct registry_mark of_index, of_journal, later;
    registry_mark_of(span_of(NULL, 0), 11, &of_index);
    assert_int_equal(of_index.position, 10);
    make_journal(&journal, 1, 10, 1);
    registry_mark_of(buf_span(&journal), 11, &of_journal);
    assert_int_equal(of_journal.position, 10);
    buf_free(&journal);
    make_journal(&journal, 11, 11, 1);
    registry_mark_of(buf_span(&journal), 11, &later);
    assert_int_equal(later.position, 11);
    buf_free(&journal);
    assert_true(registry_mark_advances(&of_index, &of_journal)); /* what is known of the record is kept */
    assert_false(registry_mark_advances(&of_journal, &of_index));
    assert_false(registry_mark_advances(&of_journal, &of_journal));
    assert_true(registry_mark_advances(&of_journal, &later));
    assert_false(registry_mark_advances(&later, &of_journal));
    assert_int_equal(judged(&of_index, 1, 10, 2, 0), 0); /* any record: an index stood for it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newer_one_counts),
        cmocka_unit_test(test_every_damaged_byte),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_what_reaches_it),
        cmocka_unit_test(test_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
