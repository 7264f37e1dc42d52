/* The published log: it says what the write-ahead log says, survives every fault, and nothing in it can be changed unseen. */
#include "ledger/support.h"

#include "ledger/bundle_crew.h"
#include "ledger/publish.h"

static const struct ledger_verify_options no_options;

/* Publishes what is durable and, where asked to, recycles; the error of it. The n-th fault of that name hits it. */
static result publish_failing(const struct site *s, bool recycle, const char *fault, uint64_t n)
{
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    struct publication *p = NULL;
    struct ledger_mark mark;
    bool lost = false, more = recycle;
    TRY(ledger_open(&s->place, key, NULL, &l));
    ledger_mark(l, &mark);
    if (fault) fault_arm(fault, n);
    result r = publication_open(l, key, &p);
    if (is_ok(r)) r = publication_step(p, &mark, &lost);
    while (is_ok(r) && more)
        r = publication_recycle(p, 3, &more);
    publication_close(p);
    if (fault) fault_arm(fault, 0);
    result closed = ledger_close(l);
    ledger_key_free(key);
    return is_ok(r) ? closed : r;
}

static result publish(const struct site *s, bool recycle)
{
    return publish_failing(s, recycle, NULL, 0);
}

static void assert_ok(result r)
{
    if (!is_ok(r)) print_error("%s %d %s\n", error_class_name(r.class), r.code, r.where);
    assert_true(is_ok(r));
}

static void test_an_empty_ledger_has_a_checkpoint(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_true(report.wal && report.tiles);
    assert_int_equal(report.published, 0);
    assert_int_equal(shell("sed -n 2p %s/tlog/checkpoint | grep -qx 0", s->directory), 0);
    assert_int_equal(shell("test \"$(ls -d %s/tlog*)\" = %s/tlog", s->directory, s->directory), 0); /* made under another name */
    site_free(s);
}

/* A crash between the two halves of a rename, on a file system without a journal: the tile stands under its old name too. */
static void test_a_tile_under_two_names_is_not_written_again(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    site_append(s, 1, 300, 40);
    assert_ok(publish(s, false));
    assert_int_equal(shell("ln %s/tlog/tile/entries/000 %s/tlog/new", s->directory, s->directory), 0);
    site_append(s, 1, 300, 40);
    assert_ok(publish(s, false));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.published, 600);
    site_free(s);
}

/* Either alone, and both. */
static void test_tiles_and_log_are_verified_together_and_apart(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report both, tiles, wal;
    char copy[160];
    static const unsigned steps[] = {1, 2, 253, 1, 1, 300, 1000};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        site_append(s, 1, steps[i], 40);
        assert_ok(publish(s, false));
        assert_int_equal(site_verify(s, &both), LEDGER_IS_SOUND);
        assert_int_equal(both.published, both.entries);
    }
    assert_int_equal(both.entries, 1558);
    snprintf(copy, sizeof copy, "%s/tlog", s->directory);
    assert_int_equal(ledger_verify_with(copy, &s->verifier, &no_options, &tiles), LEDGER_IS_SOUND);
    assert_true(tiles.tiles && !tiles.wal);
    assert_int_equal(tiles.entries, 1558);
    assert_memory_equal(tiles.root, both.root, 32);
    /* Partial tiles of what is whole are gone; the last ones are there. */
    assert_int_equal(shell("test \"$(cd %s/tile && find . -type d -name '*.p' | sort | tr '\\n' ' ')\" = "
                           "'./0/006.p ./1/000.p ./entries/006.p '",
                         copy),
        0);
    shell("rm -r %s", copy);
    assert_int_equal(site_verify(s, &wal), LEDGER_IS_SOUND);
    assert_true(wal.wal && !wal.tiles);
    assert_memory_equal(wal.root, both.root, 32);
    assert_ok(publish(s, false)); /* made anew from the log */
    assert_int_equal(site_verify(s, &tiles), LEDGER_IS_SOUND);
    assert_int_equal(tiles.published, 1558);
    site_free(s);
}

static void expect_fault(const struct site *s, enum ledger_fault fault)
{
    struct ledger_report report;
    assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, fault);
}

/* Every kind of file, flipped, cut, lengthened, exchanged, removed. */
static void test_nothing_can_be_changed_unseen(void **state)
{
    (void)state;
    static const struct {
        const char *change;
        enum ledger_fault fault;
    } cases[] = {
        {"printf X | dd of=tile/entries/000 bs=1 seek=30 conv=notrunc status=none", LEDGER_FAULT_TILE},
        {"printf X | dd of=tile/0/001 bs=1 seek=100 conv=notrunc status=none", LEDGER_FAULT_TILE},
        {"printf X | dd of=tile/1/000.p/2 bs=1 seek=40 conv=notrunc status=none", LEDGER_FAULT_TILE},
        {"printf X | dd of=tile/entries/002.p/88 bs=1 seek=30 conv=notrunc status=none", LEDGER_FAULT_TILE},
        {"printf X | dd of=checkpoint bs=1 seek=3 conv=notrunc status=none", LEDGER_FAULT_CHECKPOINT},
        {"truncate -s -1 tile/entries/001", LEDGER_FAULT_BUNDLE},
        {"truncate -s +1 tile/entries/001", LEDGER_FAULT_BUNDLE},
        {"truncate -s -32 tile/0/001", LEDGER_FAULT_TILE},
        {"mv tile/entries/000 t && mv tile/entries/001 tile/entries/000 && mv t tile/entries/001", LEDGER_FAULT_TILE},
        {"rm tile/entries/001", LEDGER_FAULT_BUNDLE},
        {"rm -r tile/1", LEDGER_FAULT_TILE},
        {"sed -i 's/^600$/599/' checkpoint", LEDGER_FAULT_CHECKPOINT},
        {"sed -i '5,$d' checkpoint", LEDGER_FAULT_CHECKPOINT},
        {"sed -i 's/node-1/node-2/' checkpoint", LEDGER_FAULT_CHECKPOINT},
    };
    struct site *s = site_new();
    struct ledger_report report;
    site_append(s, 2, 300, 40);
    assert_ok(publish(s, false));
    shell("cp -r %s/tlog %s/kept", s->directory, s->root);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(shell("cd %s/tlog && %s", s->directory, cases[i].change), 0);
        expect_fault(s, cases[i].fault);
        shell("rm -r %s/tlog && cp -r %s/kept %s/tlog", s->directory, s->root, s->directory);
    }
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    site_free(s);
}

/* tlog-tiles: a partial tile may go when its tile is whole, and whoever holds the checkpoint that named it is given it until then. */
static void test_a_narrower_file_is_held_to_the_entries_too(void **state)
{
    (void)state;
    static const char *const changes[] = {"printf X | dd of=tile/entries/001.p/44 bs=1 seek=30 conv=notrunc status=none",
        "printf X | dd of=tile/0/001.p/44 bs=1 seek=100 conv=notrunc status=none", "truncate -s -1 tile/entries/001.p/44",
        "truncate -s +32 tile/0/001.p/44", "cp tile/0/001.p/48 tile/0/001.p/44", "cp tile/entries/001.p/48 tile/entries/001.p/44"};
    struct site *s = site_new();
    struct ledger_report report;
    site_append(s, 1, 300, 40);
    assert_ok(publish(s, false));
    site_append(s, 1, 4, 40);
    assert_ok(publish(s, false));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(shell("test -f %s/tlog/tile/entries/001.p/44 && cp -r %s/tlog %s/kept", s->directory, s->directory, s->root), 0);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_int_equal(shell("cd %s/tlog && %s", s->directory, changes[i]), 0);
        expect_fault(s, LEDGER_FAULT_TILE);
        shell("rm -r %s/tlog && cp -r %s/kept %s/tlog", s->directory, s->root, s->directory);
    }
    shell("rm %s/tlog/tile/0/001.p/44 %s/tlog/tile/entries/001.p/44", s->directory, s->directory);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    site_free(s);
}

/* What is published is a copy that stands alone only where nothing else of a ledger is beside it. */
static void test_a_ledger_without_its_write_ahead_log_is_no_copy(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    site_append(s, 1, 30, 40);
    assert_ok(publish(s, false));
    assert_int_equal(shell("rm -r %s/wal", s->directory), 0);
    expect_fault(s, LEDGER_FAULT_GAP);
    assert_int_equal(shell("cd %s && rm node.json tip.a tip.b", s->directory), 0);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    site_free(s);
}

/* Signed by the right key, and still another log: rolled back, forked, or ahead of the write-ahead log. */
/* More bundles than are read ahead; each in its turn is the one that was changed. What is lacking while they are read is no
 * fault of theirs. */
static void test_the_bundle_that_was_changed_is_told(void **state)
{
    (void)state;
    static const unsigned places[] = {0, 1, BUNDLE_JOBS - 1, BUNDLE_JOBS, BUNDLE_JOBS + 1, 2 * BUNDLE_JOBS + 1};
    static const char *const lacking[] = {"thread", "malloc", "read"};
    struct site *s = site_new();
    struct ledger_report report;
    char bundle[160];
    site_append(s, 2 * BUNDLE_JOBS + 2, TLOG_WIDTH, 10);
    assert_ok(publish(s, false));
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.published, (2 * BUNDLE_JOBS + 2) * TLOG_WIDTH);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        snprintf(bundle, sizeof bundle, "%s/tlog/tile/entries/%03u", s->directory, places[i]);
        flip(bundle, 2 + 20, 1);
        expect_fault(s, LEDGER_FAULT_TILE);
        assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
        assert_int_equal(report.first.index, places[i] * TLOG_WIDTH);
        flip(bundle, 2 + 20, 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(lacking); i++) {
        enum ledger_judgement j = LEDGER_CANNOT_TELL;
        for (unsigned n = 1; j != LEDGER_IS_SOUND && n < 100; n++) {
            fault_arm(lacking[i], n);
            j = site_verify(s, &report);
            fault_arm(lacking[i], 0);
            assert_int_not_equal(j, LEDGER_IS_TAMPERED);
        }
    }
    site_free(s);
}

static void test_rollback_and_fork(void **state)
{
    (void)state;
    struct site *s = site_new(), *fork = site_new();
    struct ledger_report report;
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    struct ledger_problem problem;
    struct buf note;
    char path[160];
    site_append(s, 1, 300, 40);
    shell("rm -r %s && cp -r %s %s && cp %s %s", fork->directory, s->directory, fork->directory, s->key, fork->key);
    site_append(s, 1, 10, 40);
    assert_ok(publish(s, false));
    site_append(fork, 1, 10, 60);
    assert_ok(publish(fork, false));
    fork->verifier = s->verifier;
    snprintf(path, sizeof path, "%s/tlog", fork->directory);
    assert_ok(tiles_checkpoint(path, &note));
    struct ledger_verify_options older = {.older = buf_span(&note)};
    assert_int_equal(ledger_verify_with(fork->directory, &s->verifier, &older, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.older, 310);
    /* The same key signed both, but they are not one log. */
    assert_int_equal(ledger_verify_with(s->directory, &s->verifier, &older, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, LEDGER_FAULT_OLDER);
    /* Tiles of one beside the write-ahead log of the other. */
    shell("mv %s/tlog %s/own && cp -r %s/tlog %s/", s->directory, s->directory, fork->directory, s->directory);
    expect_fault(s, LEDGER_FAULT_PUBLISHED_ROOT);
    assert_int_equal(ledger_open(&s->place, key, &problem, &l).code, LEDGER_E_CORRUPT);
    shell("rm -r %s/tlog && mv %s/own %s/tlog", s->directory, s->directory, s->directory);
    /* An old copy of the write-ahead log beside newer tiles: what was published has gone from it. */
    shell("cp -r %s/wal %s/tip.a %s/tip.b %s/", s->directory, s->directory, s->directory, s->root);
    site_append(s, 1, 10, 40);
    assert_ok(publish(s, false));
    shell("rm -r %s/wal && mv %s/wal %s/tip.a %s/tip.b %s/", s->directory, s->root, s->root, s->root, s->directory);
    expect_fault(s, LEDGER_FAULT_BEHIND_TIP);
    assert_int_equal(ledger_open(&s->place, key, &problem, &l).code, LEDGER_E_CORRUPT);
    buf_free(&note);
    ledger_key_free(key);
    site_free(s);
    site_free(fork);
}

static void test_an_older_checkpoint_of_another_is_not_believed(void **state)
{
    (void)state;
    struct site *s = site_new(), *other = site_new();
    struct ledger_report report;
    struct buf note;
    char path[160];
    snprintf(path, sizeof path, "%s/tlog", other->directory);
    assert_ok(tiles_checkpoint(path, &note));
    struct ledger_verify_options older = {.older = buf_span(&note)};
    assert_int_equal(ledger_verify_with(s->directory, &s->verifier, &older, &report), LEDGER_CANNOT_TELL);
    buf_free(&note);
    site_free(s);
    site_free(other);
}

/* The n-th fault of each kind while publishing: what is there verifies, and the next attempt gets through. */
static void fail_every(struct site *s, const char *name)
{
    struct ledger_report report;
    bool whole = false;
    uint64_t n = 1;
    for (; !whole; n++) {
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        uint64_t before = report.entries;
        site_append(s, 1, 300, 40);
        result r = publish_failing(s, true, name, n);
        whole = is_ok(r);
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_true(report.published == before || report.published == before + 300);
        assert_ok(publish(s, true));
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_int_equal(report.published, before + 300);
    }
    assert_true(n > 2);
}

static void test_every_fault_while_publishing(void **state)
{
    (void)state;
    static const char *const names[] = {"write-file", "fsync-file", "read-file", "read", "malloc"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct site *s = site_new();
        fail_every(s, names[i]);
        site_free(s);
    }
}

static result count_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    uint64_t *count = ctx;
    char expected[4096];
    (void)frame;
    size_t n = make_entry(index, 400, expected);
    assert_int_equal(index, *count);
    assert_true(span_equal(json, span_of(expected, n)));
    ++*count;
    return OK;
}

/* Segments whose entries are published go; everything that reads the ledger goes on from the tiles. */
static void test_segments_are_recycled(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_report report;
    struct ledger_reader *r, *from_start;
    uint64_t count = 0, all = 0;
    assert_ok(ledger_reader_open(s->directory, 0, &from_start));
    for (unsigned round = 0; round < 6; round++) {
        site_append(s, 20, 100, 400);
        assert_ok(publish(s, true));
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_int_equal(report.entries, 2000 * (round + 1));
        /* One that follows finds them, recycled or not. */
        assert_ok(ledger_reader_read(from_start, count_entry, &all, NULL));
        assert_int_equal(all, report.entries);
    }
    assert_int_equal(shell("test $(ls %s/wal/*.wal | wc -l) -le 3 && test ! -e %s/" FIRST_SEGMENT, s->directory,
                         s->directory),
        0);
    assert_ok(ledger_reader_open(s->directory, 0, &r));
    assert_ok(ledger_reader_read(r, count_entry, &count, NULL));
    assert_int_equal(count, 12000);
    ledger_reader_close(r);
    ledger_reader_close(from_start);
    count = 5321;
    assert_ok(ledger_reader_open(s->directory, 5321, &r));
    assert_ok(ledger_reader_read(r, count_entry, &count, NULL));
    assert_int_equal(count, 12000);
    ledger_reader_close(r);
    /* Without the tiles nobody can tell any more, and nobody writes on. */
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    shell("mv %s/tlog %s/away", s->directory, s->directory);
    assert_int_equal(ledger_open(&s->place, key, NULL, &l).code, LEDGER_E_CORRUPT);
    assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
    ledger_key_free(key);
    site_free(s);
}

/* Where much waits, checkpoints come for parts of it: each ends with a frame, and what is there verifies. */
static void test_much_is_published_in_strides(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_key *key = site_key(s);
    struct ledger *l = NULL;
    struct publication *p = NULL;
    struct ledger_mark mark;
    struct ledger_report report;
    bool lost, more;
    unsigned steps = 0;
    site_append(s, 70, 100, 400); /* several segments */
    assert_ok(ledger_open(&s->place, key, NULL, &l));
    ledger_mark(l, &mark);
    assert_ok(publication_open(l, key, &p));
    p->stride = 430;
    for (uint64_t size = 0; size < mark.size; size = publication_size(p), steps++) {
        assert_ok(publication_step(p, &mark, &lost));
        assert_false(lost);
        assert_ok(publication_recycle(p, 3, &more));
        assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
        assert_int_equal(report.published, publication_size(p));
        assert_true(report.published == mark.size || report.published == size + 500);
    }
    assert_int_equal(steps, 14);
    publication_close(p);
    assert_ok(ledger_close(l));
    ledger_key_free(key);
    site_free(s);
}

/* 1.15 × leaf bytes + 33 a leaf, once segments are recycled: what is kept for good. */
static void test_disk_for_good(void **state)
{
    (void)state;
    struct site *s = site_new();
    site_append(s, 80, 256, 400);
    assert_ok(publish(s, true));
    assert_int_equal(shell("cd %s/tlog && leaves=$(cat $(find tile/entries -type f) | wc -c) && "
                           "disk=$(($(du -s --block-size=1 . | cut -f1))) && "
                           "test $disk -le $((leaves * 115 / 100 + 33 * 20480))",
                         s->directory),
        0);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_ledger_has_a_checkpoint),
        cmocka_unit_test(test_a_tile_under_two_names_is_not_written_again),
        cmocka_unit_test(test_tiles_and_log_are_verified_together_and_apart),
        cmocka_unit_test(test_nothing_can_be_changed_unseen),
        cmocka_unit_test(test_a_narrower_file_is_held_to_the_entries_too),
        cmocka_unit_test(test_a_ledger_without_its_write_ahead_log_is_no_copy),
        cmocka_unit_test(test_the_bundle_that_was_changed_is_told),
        cmocka_unit_test(test_rollback_and_fork),
        cmocka_unit_test(test_an_older_checkpoint_of_another_is_not_believed),
        cmocka_unit_test(test_every_fault_while_publishing),
        cmocka_unit_test(test_segments_are_recycled),
        cmocka_unit_test(test_much_is_published_in_strides),
        cmocka_unit_test(test_disk_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
