/* The log on disk: what is written is read back, a torn tail is cut, everything else that was touched is named. */
#include "ledger/support.h"
#include <pthread.h>
#include <stdatomic.h>

static result count_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    uint64_t *count = ctx;
    char expected[4096];
    size_t n = make_entry(index, 100, expected);
    assert_int_equal(index, *count);
    assert_int_equal(json.len, n);
    assert_memory_equal(json.ptr, expected, n);
    assert_true(index >= frame->first_index && index < frame->first_index + frame->count);
    ++*count;
    return OK;
}

static uint64_t read_all(const struct site *s)
{
    struct ledger_reader *r;
    uint64_t count = 0;
    assert_true(is_ok(ledger_reader_open(s->directory, 0, &r)));
    assert_true(is_ok(ledger_reader_read(r, count_entry, &count, NULL)));
    assert_int_equal(ledger_reader_next(r), count);
    ledger_reader_close(r);
    return count;
}

static void test_empty_ledger_is_sound(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    struct ledger_verifier again;
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 0);
    assert_int_equal(ledger_init(&s->place, &again).code, LEDGER_E_EXISTS);
    assert_int_equal(shell("test $(stat -c %%a %s) = 600", s->key), 0);
    assert_int_equal(shell("test $(ls %s/wal/spare | wc -l) = 2", s->directory), 0);
    site_free(s);
}

static void test_what_is_written_is_read_back_over_segments(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    for (int round = 0; round < 4; round++)
        site_append(s, 100, 1 + (unsigned)round * 25, 100);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 100 * (1 + 26 + 51 + 76));
    assert_int_equal(report.frames, 400);
    assert_true(report.segments > 2);
    assert_false(report.torn);
    assert_int_equal(report.tip_size, report.entries);
    assert_int_equal(read_all(s), report.entries);
    site_free(s);
}

static result stop_after(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    uint64_t *seen = ctx;
    (void)json, (void)frame;
    *seen = index;
    return index == 5000 ? FAIL(ERROR_CLOSED, 0) : OK;
}

static void test_a_reader_begins_anywhere_and_follows(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_reader *r;
    uint64_t seen = 0;
    site_append(s, 200, 40, 100);
    assert_true(is_ok(ledger_reader_open(s->directory, 4999, &r)));
    assert_int_equal(ledger_reader_read(r, stop_after, &seen, NULL).class, ERROR_CLOSED);
    assert_int_equal(seen, 5000);
    ledger_reader_close(r);
    assert_true(is_ok(ledger_reader_open(s->directory, 7999, &r)));
    assert_true(is_ok(ledger_reader_read(r, stop_after, &seen, NULL)));
    assert_int_equal(seen, 7999);
    site_append(s, 300, 10, 100); /* into further segments */
    assert_true(is_ok(ledger_reader_read(r, stop_after, &seen, NULL)));
    assert_int_equal(seen, 10999);
    ledger_reader_close(r);
    site_free(s);
}

static void test_only_one_writer(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    struct ledger *a = NULL, *b = NULL;
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &a)));
    assert_int_equal(ledger_open(&s->place, key, NULL, &b).code, LEDGER_E_LOCKED);
    assert_true(is_ok(ledger_close(a)));
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &b)));
    assert_true(is_ok(ledger_close(b)));
    ledger_key_free(key);
    site_free(s);
}

static void test_a_foreign_key_opens_nothing(void **state)
{
    (void)state;
    struct site *s = site_new(), *other = site_new();
    struct ledger_key *key = site_key(other);
    struct ledger *l = NULL;
    struct ledger_report report;
    site_append(s, 1, 1, 10);
    assert_int_equal(ledger_open(&s->place, key, NULL, &l).code, LEDGER_E_VERIFIER);
    assert_int_equal(ledger_verify(s->directory, &other->verifier, NULL, NULL, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, LEDGER_FAULT_NODE);
    /* … not even when node.json was exchanged too, or the checkpoint and the tips with it. */
    shell("cp %s/node.json %s/node.json", other->directory, s->directory);
    assert_int_equal(ledger_verify(s->directory, &other->verifier, NULL, NULL, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, LEDGER_FAULT_CHECKPOINT);
    shell("cp %s/tlog/checkpoint %s/tlog/", other->directory, s->directory);
    assert_int_equal(ledger_verify(s->directory, &other->verifier, NULL, NULL, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, LEDGER_FAULT_TIP);
    shell("cp %s/tip.* %s/", other->directory, s->directory);
    assert_int_equal(ledger_verify(s->directory, &other->verifier, NULL, NULL, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, LEDGER_FAULT_SEGMENT);
    ledger_key_free(key);
    site_free(s);
    site_free(other);
}

static void expect_fault(const struct site *s, enum ledger_fault fault)
{
    struct ledger_report report;
    struct ledger_problem problem;
    struct ledger *l = NULL;
    assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, fault);
    struct ledger_key *key = site_key(s);
    assert_int_equal(ledger_open(&s->place, key, &problem, &l).code, LEDGER_E_CORRUPT);
    assert_int_equal(problem.fault, fault);
    assert_int_equal(problem.offset, report.first.offset);
    ledger_key_free(key);
}

/* One bit in each byte of a frame's header, of its records and of its padding; in the first frame, one in the middle
 * and the last. */
static void test_every_flipped_bit_is_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 3, 5, 100); /* frames of 4096 bytes */
    struct ledger_report report;
    char path[256];
    snprintf(path, sizeof path, "%s", site_path(s, FIRST_SEGMENT));
    for (uint64_t frame = 0; frame < 3; frame++) {
        for (uint64_t at = 0; at < 4096; at += at < 300 ? 1 : 53) {
            flip(path, frame * 4096 + at, (uint8_t)(1u << at % 8));
            assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
            assert_int_equal(
                report.first.fault, frame == 2 ? LEDGER_FAULT_BEHIND_TIP : LEDGER_FAULT_VALID_AFTER_INVALID);
            assert_int_equal(report.first.offset, frame * 4096);
            flip(path, frame * 4096 + at, (uint8_t)(1u << at % 8));
        }
    }
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    site_free(s);
}

/* Somebody who knows the format puts the checksum right again. */
static void reseal(const char *path, uint64_t offset)
{
    uint8_t frame[4096], crc[4];
    peek(path, offset, frame, sizeof frame);
    store_le32(crc, crc32c(0, span_of(frame + 16, sizeof frame - 16)));
    poke(path, offset + 12, crc, 4);
}

static void test_every_field_with_a_corrected_checksum_is_caught(void **state)
{
    (void)state;
    static const struct {
        uint64_t at;
        enum ledger_fault fault;
    } fields[] = {{24, LEDGER_FAULT_SEQUENCE}, {32, LEDGER_FAULT_INDEX}, {48, LEDGER_FAULT_SEGMENT},
        {64, LEDGER_FAULT_CHAIN}, {128, LEDGER_FAULT_SIGNATURE}, {96, LEDGER_FAULT_ROOT}};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct site *s = site_new();
        struct ledger_report report;
        site_append(s, 3, 5, 100);
        const char *path = site_path(s, FIRST_SEGMENT);
        flip(path, 4096 + fields[i].at, 1);
        reseal(path, 4096);
        assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
        assert_int_equal(report.first.fault, fields[i].fault);
        assert_int_equal(report.first.offset, 4096);
        assert_int_equal(report.first.index, 5);
        site_free(s);
    }
}

/* An entry is altered and the checksum corrected: signature and chain still hold, the tree does not. */
static void test_an_altered_entry_breaks_the_root(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 3, 5, 100);
    const char *path = site_path(s, FIRST_SEGMENT);
    flip(path, 4096 + 256 + 2 + 20, 1); /* a digit of the time */
    reseal(path, 4096);
    expect_fault(s, LEDGER_FAULT_ROOT);
    site_free(s);
}

static void test_swapped_frames_are_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    uint8_t a[4096], b[4096];
    site_append(s, 4, 5, 100);
    const char *path = site_path(s, FIRST_SEGMENT);
    peek(path, 4096, a, sizeof a);
    peek(path, 8192, b, sizeof b);
    poke(path, 4096, b, sizeof b);
    poke(path, 8192, a, sizeof a);
    expect_fault(s, LEDGER_FAULT_SEQUENCE);
    site_free(s);
}

static void test_a_removed_tail_is_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    uint8_t zeros[4096] = {0};
    site_append(s, 4, 5, 100);
    poke(site_path(s, FIRST_SEGMENT), 3 * 4096, zeros, sizeof zeros);
    expect_fault(s, LEDGER_FAULT_BEHIND_TIP);
    site_free(s);
}

static void test_a_frame_removed_from_the_middle_is_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    uint8_t zeros[4096] = {0};
    site_append(s, 4, 5, 100);
    poke(site_path(s, FIRST_SEGMENT), 4096, zeros, sizeof zeros);
    expect_fault(s, LEDGER_FAULT_VALID_AFTER_INVALID);
    site_free(s);
}

/* An older copy of the log under the newer tips. */
static void test_a_rolled_back_log_is_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 2, 5, 100);
    shell("cp -r %s/wal %s/old", s->directory, s->root);
    site_append(s, 2, 5, 100);
    shell("rm -r %s/wal && mv %s/old %s/wal", s->directory, s->root, s->directory);
    expect_fault(s, LEDGER_FAULT_BEHIND_TIP);
    site_free(s);
}

/* Another history of the same ledger, signed by the same key, of the same length. */
static void test_a_second_history_is_caught(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 2, 5, 100);
    shell("cp -r %s %s/fork", s->directory, s->root);
    site_append(s, 2, 5, 100);
    shell("cp %s/tip.? %s/", s->directory, s->root);
    shell("rm -r %s && mv %s/fork %s", s->directory, s->root, s->directory);
    site_append(s, 2, 5, 101);
    shell("cp %s/tip.? %s/", s->root, s->directory);
    expect_fault(s, LEDGER_FAULT_TIP_ROOT);
    site_free(s);
}

static void test_missing_and_cut_files_are_caught(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum ledger_fault fault;
    } cases[] = {
        {"rm %s/wal/00000000000000000000.wal", LEDGER_FAULT_GAP},
        {"cd %s/wal && rm $(ls *.wal | sed -n 2p)", LEDGER_FAULT_GAP},
        {"cd %s/wal && rm $(ls *.wal | tail -1)", LEDGER_FAULT_BEHIND_TIP},
        {"cd %s/wal && mv $(ls *.wal | tail -1) 00000000000000999999.wal", LEDGER_FAULT_GAP},
        {"rm %s/wal/*.wal", LEDGER_FAULT_GAP},
        {"truncate -s -4096 %s/wal/00000000000000000000.wal", LEDGER_FAULT_SIZE},
        {"truncate -s 0 %s/wal/00000000000000000000.wal", LEDGER_FAULT_SIZE},
        {"rm %s/tip.a %s/tip.b", LEDGER_FAULT_TIP},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site *s = site_new();
        struct ledger_report report;
        site_append(s, 200, 100, 100);
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_true(report.segments >= 3);
        assert_int_equal(shell(cases[i].command, s->directory, s->directory), 0);
        expect_fault(s, cases[i].fault);
        site_free(s);
    }
}

static void test_one_unreadable_tip_is_no_harm(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    site_append(s, 1, 5, 100);
    site_append(s, 1, 5, 100);
    flip(site_path(s, "tip.a"), 3, 1);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    site_append(s, 1, 5, 100);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 15);
    site_free(s);
}

static void test_a_missing_ledger_cannot_be_judged(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    shell("rm -r %s", s->directory);
    assert_int_equal(site_verify(s, &report), LEDGER_CANNOT_TELL);
    shell("mkdir %s && echo '{}' > %s/node.json", s->directory, s->directory);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
    site_free(s);
}

/* The power fails while the last frame (8 blocks, not yet acknowledged, so not in any tip) is written: whatever part of
 * it reached the disk, in units of a sector, it is cut and everything before it stands. */
static void torn_at(const struct site *s, const uint8_t *frame, size_t len, uint64_t offset, size_t from, size_t to)
{
    struct ledger_report report;
    uint8_t *torn = calloc(1, len);
    assert_non_null(torn);
    memcpy(torn + from, frame + from, to - from);
    poke(site_path(s, FIRST_SEGMENT), offset, torn, len);
    free(torn);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 10);
    assert_int_equal(report.torn, to > from);
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    assert_int_equal(ledger_size(l), 10);
    assert_true(is_ok(ledger_close(l)));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_false(report.torn);
    ledger_key_free(key);
}

static void test_a_torn_tail_is_cut_at_every_sector(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 2, 5, 100);
    shell("cp %s/tip.? %s/", s->directory, s->root);
    site_append(s, 1, 100, 100);
    shell("cp %s/tip.? %s/", s->root, s->directory);
    uint8_t head[256];
    peek(site_path(s, FIRST_SEGMENT), 8192, head, sizeof head);
    size_t len = frame_length(span_of(head, sizeof head));
    assert_true(len > 4096);
    uint8_t *frame = malloc(len);
    assert_non_null(frame);
    peek(site_path(s, FIRST_SEGMENT), 8192, frame, len);
    size_t payload = 256 + load_le32(frame + 20);
    for (size_t n = 0; n < payload; n += 512)
        torn_at(s, frame, len, 8192, 0, n);
    for (size_t n = 512; n < payload; n += 512)
        torn_at(s, frame, len, 8192, n, len);
    site_append(s, 1, 1, 100);
    assert_int_equal(read_all(s), 11);
    free(frame);
    site_free(s);
}

struct making {
    struct ledger *ledger;
    _Atomic bool enough;
};

static void *keep_making(void *arg)
{
    struct making *m = arg;
    bool failed = false;
    while (!atomic_load(&m->enough) && !failed)
        failed = !is_ok(ledger_make_spares(m->ledger));
    return failed ? m : NULL;
}

/* Commits use up segments faster than the second thread makes them: both then want the same spare. */
static void test_commits_that_outrun_the_spares(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    struct ledger_report report;
    struct ledger *l = NULL;
    pthread_t maker;
    void *failed = NULL;
    char entry[4096];
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    struct making making = {.ledger = l};
    assert_int_equal(pthread_create(&maker, NULL, keep_making, &making), 0);
    for (uint64_t i = 0; i < 15000; i++) {
        assert_true(is_ok(ledger_add(l, span_of(entry, make_entry(i, 1800, entry)))));
        if (ledger_pending(l) < 200) continue;
        result r = ledger_commit(l);
        if (!is_ok(r)) fail_msg("%s: %s", r.where, ledger_error_text(r));
    }
    atomic_store(&making.enough, true);
    assert_int_equal(pthread_join(maker, &failed), 0);
    assert_null(failed);
    assert_true(is_ok(ledger_close(l)));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 15000);
    assert_true(report.segments > 20);
    ledger_key_free(key);
    site_free(s);
}

static void test_append_once_writes_every_part(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    static char subjects[600][LEDGER_PSEUDONYM];
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        snprintf(subjects[i], LEDGER_PSEUDONYM, "%032zx", i);
    struct ledger_entry e = {.time_us = 1,
        .event = LEDGER_REGISTRY,
        .subjects = (const char(*)[LEDGER_PSEUDONYM])subjects,
        .subject_count = 600};
    assert_true(is_ok(ledger_append_once(&s->place, &e)));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 3);
    assert_int_equal(report.frames, 1);
    site_free(s);
}

static void test_an_entry_that_is_none_is_not_taken(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    assert_true(is_ok(ledger_open(&s->place, key, NULL, &l)));
    static const char *const bad[] = {
        "", "{}", "{\"time\":\"x\"", "{\"time\":\"\n\"}", "{\"time\":\"\xff\"}", "[{\"time\":\"x\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ledger_add(l, span_str(bad[i])).code, LEDGER_E_ENTRY);
    assert_int_equal(ledger_pending(l), 0);
    assert_true(is_ok(ledger_close(l)));
    ledger_key_free(key);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_ledger_is_sound),
        cmocka_unit_test(test_what_is_written_is_read_back_over_segments),
        cmocka_unit_test(test_a_reader_begins_anywhere_and_follows),
        cmocka_unit_test(test_only_one_writer),
        cmocka_unit_test(test_a_foreign_key_opens_nothing),
        cmocka_unit_test(test_every_flipped_bit_is_caught),
        cmocka_unit_test(test_every_field_with_a_corrected_checksum_is_caught),
        cmocka_unit_test(test_an_altered_entry_breaks_the_root),
        cmocka_unit_test(test_swapped_frames_are_caught),
        cmocka_unit_test(test_a_removed_tail_is_caught),
        cmocka_unit_test(test_a_frame_removed_from_the_middle_is_caught),
        cmocka_unit_test(test_a_rolled_back_log_is_caught),
        cmocka_unit_test(test_a_second_history_is_caught),
        cmocka_unit_test(test_missing_and_cut_files_are_caught),
        cmocka_unit_test(test_one_unreadable_tip_is_no_harm),
        cmocka_unit_test(test_a_missing_ledger_cannot_be_judged),
        cmocka_unit_test(test_a_torn_tail_is_cut_at_every_sector),
        cmocka_unit_test(test_commits_that_outrun_the_spares),
        cmocka_unit_test(test_append_once_writes_every_part),
        cmocka_unit_test(test_an_entry_that_is_none_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
