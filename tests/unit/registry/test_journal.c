/* The journal: what is written comes back; torn at every byte; flipped at every bit; forged; nothing legible. */
#include "registry/fixture.h"

static struct registry_print some_keys[] = {{11, 12}, {13, 14}, {15, 16}};

static void append(struct buf *journal, const uint8_t key[32], enum registry_op op, uint64_t position, size_t keys)
{
    struct registry_change c = {.op = op,
        .position = position,
        .time = 1760000000,
        .subject = 100 + position,
        .keys = some_keys,
        .key_count = keys};
    assert_true(is_ok(registry_journal_encode(key, &c, journal)));
}

/* Four records; ends[i]: length with the first i of them. */
static void make_journal(struct buf *journal, size_t ends[5])
{
    buf_init(journal, 1 << 20);
    ends[0] = 0;
    for (uint64_t i = 1; i <= 4; i++) {
        append(journal, test_key, i == 3 ? REGISTRY_RELEASE : REGISTRY_PROTECT, i, i == 3 ? 0 : i - 1);
        ends[i] = buf_len(journal);
    }
}

static result replay(span journal, uint64_t from, void *overlay, struct registry_journal_end *end)
{
    /* A block of exactly that size: the sanitizer sees the first byte read beyond it. */
    uint8_t *exact = journal.len ? mem_copy(journal.ptr, journal.len) : NULL;
    result r = registry_journal_replay(test_key, span_of(exact, journal.len), from, NULL, overlay, end);
    mem_free(exact);
    return r;
}

static void test_round_trip(void **state UNUSED)
{
    static _Alignas(64) uint8_t overlay[65536];
    struct buf journal;
    size_t ends[5];
    struct registry_journal_end end;
    struct registry_overlay_info info;
    make_journal(&journal, ends);
    assert_true(is_ok(registry_overlay_format(overlay, sizeof overlay, test_key)));
    assert_true(is_ok(replay(buf_span(&journal), 0, overlay, &end)));
    assert_int_equal(end.bytes, ends[4]);
    assert_int_equal(end.position, 4);
    assert_int_equal(end.records, 4);
    assert_int_equal(end.applied, 4);
    assert_false(end.torn);
    registry_overlay_info(overlay, &info);
    assert_int_equal(info.subjects, 4);
    assert_int_equal(info.keys, 0 + 1 + 3);
    assert_int_equal(info.released, 1);
    assert_int_equal(info.position, 4);
    /* An index that includes the first two. */
    assert_true(is_ok(registry_overlay_format(overlay, sizeof overlay, test_key)));
    assert_true(is_ok(replay(buf_span(&journal), 3, overlay, &end)));
    assert_int_equal(end.records, 4);
    assert_int_equal(end.applied, 2);
    buf_free(&journal);
}

/* Read up to any record, then followed to any byte: as if it had been read to there at once. */
static void test_followed(void **state UNUSED)
{
    static _Alignas(64) uint8_t overlay[65536], at_once[65536];
    struct buf journal;
    size_t ends[5];
    make_journal(&journal, ends);
    for (size_t i = 1; i <= 4; i++) {
        for (size_t len = ends[i]; len <= ends[4]; len++) {
            struct registry_journal_end end, expected;
            struct registry_overlay_info info, wanted;
            span more = span_sub(buf_span(&journal), ends[i], len - ends[i]);
            assert_true(is_ok(registry_overlay_format(overlay, sizeof overlay, test_key)));
            assert_true(is_ok(registry_overlay_format(at_once, sizeof at_once, test_key)));
            assert_true(is_ok(replay(span_sub(buf_span(&journal), 0, len), 0, at_once, &expected)));
            assert_true(is_ok(replay(span_sub(buf_span(&journal), 0, ends[i]), 0, overlay, &end)));
            assert_true(is_ok(registry_journal_follow(test_key, more, NULL, overlay, &end)));
            assert_true(end.bytes == expected.bytes && end.position == expected.position && end.records == expected.records);
            assert_true(end.applied == expected.applied && end.torn == expected.torn);
            registry_overlay_info(overlay, &info);
            registry_overlay_info(at_once, &wanted);
            assert_memory_equal(&info, &wanted, sizeof info);
        }
    }
    /* What does not follow is damage, and changes nothing of where it was read to. */
    struct registry_journal_end end;
    assert_true(is_ok(replay(span_sub(buf_span(&journal), 0, ends[1]), 0, NULL, &end)));
    result r = registry_journal_follow(test_key, span_from(buf_span(&journal), ends[2]), NULL, NULL, &end);
    assert_true(r.class == ERROR_CONFIG && r.code == REGISTRY_JOURNAL_DAMAGED && end.bytes == ends[1] && end.position == 1);
    buf_free(&journal);
}

static void test_torn_at_every_byte(void **state UNUSED)
{
    struct buf journal;
    size_t ends[5];
    make_journal(&journal, ends);
    for (size_t len = 0; len <= ends[4]; len++) {
        struct registry_journal_end end;
        size_t whole = 0;
        while (whole < 4 && ends[whole + 1] <= len)
            whole++;
        assert_true(is_ok(replay(span_sub(buf_span(&journal), 0, len), 0, NULL, &end)));
        assert_int_equal(end.records, whole);
        assert_int_equal(end.bytes, ends[whole]);
        assert_int_equal(end.torn, len != ends[whole]);
    }
    buf_free(&journal);
}

/* A file that grew before its data arrived: zeros from a sector on. */
static void test_zeros_at_the_end_are_torn(void **state UNUSED)
{
    struct buf journal;
    struct registry_journal_end end;
    buf_init(&journal, 1 << 20);
    for (uint64_t i = 1; i <= 20; i++)
        append(&journal, test_key, REGISTRY_PROTECT, i, 3);
    size_t record = buf_len(&journal) / 20, last = record * 19;
    size_t sector = (last / 512 + 1) * 512;
    if (sector < last + record) {
        memset(journal.base + journal.read + sector, 0, last + record - sector);
        assert_true(is_ok(replay(buf_span(&journal), 0, NULL, &end)));
        assert_true(end.torn);
        assert_int_equal(end.records, 19);
    }
    /* Nothing but zeros behind whole records, from a sector on. */
    uint8_t *grown = mem_alloc(8192);
    memcpy(grown, journal.base + journal.read, record);
    assert_true(is_ok(replay(span_of(grown, 4096), 0, NULL, &end)));
    assert_true(end.torn);
    assert_int_equal(end.records, 1);
    mem_free(grown);
    buf_free(&journal);
}

/* What one append wrote may have arrived in any sectors. Torn, as long as what is whole behind the hole came with it; what
 * an earlier append wrote was acknowledged, and a hole in that is damage. */
static void test_a_hole_in_the_last_append_is_torn(void **state UNUSED)
{
    struct buf journal;
    struct registry_journal_end end;
    size_t first = 0, starts[40];
    buf_init(&journal, 1 << 20);
    for (uint64_t i = 1; i <= 40; i++) {
        struct registry_change c = {.op = REGISTRY_PROTECT, .position = i, .time = 1, .subject = 100 + i,
            .keys = some_keys, .key_count = 3, .fellows = i > 20 ? (uint32_t)(i - 21) : 0};
        starts[i - 1] = buf_len(&journal);
        if (i == 21) first = buf_len(&journal);
        assert_true(is_ok(registry_journal_encode(test_key, &c, &journal)));
    }
    uint8_t *bytes = journal.base + journal.read;
    size_t len = buf_len(&journal), holes = 0;
    for (size_t sector = 0; sector * 512 < len; sector++) {
        size_t from = sector * 512, to = from + 512 < len ? from + 512 : len, whole = 0;
        uint8_t *copy = mem_copy(bytes, len);
        memset(copy + from, 0, to - from);
        result r = replay(span_of(copy, len), 0, NULL, &end);
        while (whole < 39 && starts[whole + 1] <= from)
            whole++;
        if (starts[whole] < first) {
            assert_int_equal(r.code, REGISTRY_JOURNAL_DAMAGED);
        } else {
            assert_true(is_ok(r));
            assert_true(end.torn);
            assert_int_equal(end.records, whole);
            assert_int_equal(end.bytes, starts[whole]);
            holes++;
        }
        mem_free(copy);
    }
    assert_true(holes > 3);
    /* Several holes, and a file that ends inside. */
    memset(bytes + (first / 512 + 1) * 512, 0, 512);
    memset(bytes + (first / 512 + 3) * 512, 0, 512);
    assert_true(is_ok(replay(span_of(bytes, len - 10), 0, NULL, &end)));
    assert_true(end.torn && end.records >= 20);
    buf_free(&journal);
}

/* A bit that flips is damage wherever it is, also in the last record: it may have been acknowledged. */
static void test_every_flipped_bit_is_damage(void **state UNUSED)
{
    struct buf journal;
    size_t ends[5];
    make_journal(&journal, ends);
    uint8_t *bytes = journal.base + journal.read;
    for (size_t i = 0; i < ends[4]; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct registry_journal_end end;
            bytes[i] ^= (uint8_t)(1 << bit);
            result r = replay(span_of(bytes, ends[4]), 0, NULL, &end);
            if (r.code != REGISTRY_JOURNAL_DAMAGED) fail_msg("byte %zu bit %d passes", i, bit);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    buf_free(&journal);
}

static void test_forged_and_missing_records(void **state UNUSED)
{
    uint8_t other[32] = {9};
    struct buf journal, edited;
    size_t ends[5];
    struct registry_journal_end end;
    make_journal(&journal, ends);
    buf_init(&edited, 1 << 20);
    span all = buf_span(&journal);
    /* Somebody without the key appends a release. */
    assert_true(is_ok(buf_append(&edited, all)));
    append(&edited, other, REGISTRY_RELEASE, 5, 0);
    assert_int_equal(replay(buf_span(&edited), 0, NULL, &end).code, REGISTRY_JOURNAL_DAMAGED);
    /* A record is taken out, repeated, or put elsewhere. */
    buf_clear(&edited);
    assert_true(is_ok(buf_append(&edited, span_sub(all, 0, ends[1]))));
    assert_true(is_ok(buf_append(&edited, span_from(all, ends[2]))));
    assert_int_equal(replay(buf_span(&edited), 0, NULL, &end).code, REGISTRY_JOURNAL_DAMAGED);
    buf_clear(&edited);
    assert_true(is_ok(buf_append(&edited, span_sub(all, 0, ends[1]))));
    assert_true(is_ok(buf_append(&edited, all)));
    assert_int_equal(replay(buf_span(&edited), 0, NULL, &end).code, REGISTRY_JOURNAL_DAMAGED);
    /* What an index includes may be cut off in front. */
    assert_true(is_ok(replay(span_from(all, ends[2]), 3, NULL, &end)));
    assert_int_equal(end.position, 4);
    buf_free(&edited);
    buf_free(&journal);
}

static void test_full_overlay_is_a_limit(void **state UNUSED)
{
    static _Alignas(64) uint8_t overlay[REGISTRY_OVERLAY_MIN];
    struct buf journal;
    struct registry_journal_end end;
    buf_init(&journal, 1 << 20);
    for (uint64_t i = 1; i <= 200; i++)
        append(&journal, test_key, REGISTRY_PROTECT, i, 3);
    assert_true(is_ok(registry_overlay_format(overlay, sizeof overlay, test_key)));
    result r = replay(buf_span(&journal), 0, overlay, &end);
    assert_int_equal(r.class, ERROR_LIMIT);
    assert_int_equal(r.code, REGISTRY_OVERLAY_FULL);
    buf_free(&journal);
}

/* A change behind an index that stands for more records than the journal holds would be forgotten at the next start. */
static void test_an_index_that_is_ahead(void **state UNUSED)
{
    struct buf journal;
    size_t ends[5];
    struct registry_journal_end end;
    make_journal(&journal, ends);
    assert_true(is_ok(replay(buf_span(&journal), 5, NULL, &end)));
    assert_int_equal(end.position, 4);
    assert_int_equal(replay(buf_span(&journal), 6, NULL, &end).code, REGISTRY_JOURNAL_BEHIND);
    assert_true(is_ok(replay(buf_span(&journal), UINT64_MAX, NULL, &end))); /* the records alone */
    /* Moved away: what follows is numbered behind what the index stands for. */
    assert_true(is_ok(replay(span_of(NULL, 0), 6, NULL, &end)));
    assert_int_equal(end.position, 5);
    assert_true(is_ok(replay(span_of(NULL, 0), 0, NULL, &end)));
    assert_int_equal(end.position, 0);
    buf_free(&journal);
}

/* Who steals the disk learns no name, number or reason from it. */
static void test_nothing_legible(void **state UNUSED)
{
    static const char *const lines[] = {
        "{\"op\":\"protect\",\"subject\":\"SUBJECT-1\",\"names\":[{\"given\":\"Mariana\"}],\"identifiers\":[{\"kind\":"
        "\"passport\",\"value\":\"G12345678\"}]}",
        "{\"op\":\"release\",\"subject\":\"SUBJECT-1\",\"reason\":\"Mariana cleared\"}"};
    static const char *const values[] = {"SUBJECT-1", "Mariana", "G12345678", "cleared", "passport"};
    struct problems *p = problems_new();
    struct arena *a = arena_new(1 << 20);
    struct buf journal;
    buf_init(&journal, 1 << 20);
    for (size_t i = 0; i < 2; i++) {
        struct registry_change c;
        assert_true(is_ok(registry_change_parse(test_key, "c", 1, span_str(lines[i]), a, p, &c)));
        c.position = i + 1;
        assert_true(is_ok(registry_journal_encode(test_key, &c, &journal)));
    }
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_true(span_search(buf_span(&journal), span_str(values[i])) == buf_len(&journal));
    buf_free(&journal);
    arena_free(a);
    problems_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_followed),
        cmocka_unit_test(test_torn_at_every_byte),
        cmocka_unit_test(test_zeros_at_the_end_are_torn),
        cmocka_unit_test(test_a_hole_in_the_last_append_is_torn),
        cmocka_unit_test(test_every_flipped_bit_is_damage),
        cmocka_unit_test(test_forged_and_missing_records),
        cmocka_unit_test(test_full_overlay_is_a_limit),
        cmocka_unit_test(test_an_index_that_is_ahead),
        cmocka_unit_test(test_nothing_legible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
