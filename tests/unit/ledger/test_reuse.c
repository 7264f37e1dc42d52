/* Recycled segments are zeroed where they lie and used again: nobody who reads meanwhile is misled, and no file is two things. */
#include "ledger/support.h"

#include "ledger/publish.h"

#define FILLER 3500
#define SMALL 280u                        /* entries: all but a segment of the least size */
#define LARGE (4 * WINDOW_BYTES)          /* a segment that nobody reads at once */
#define IN_LARGE (LARGE / (FILLER + 120)) /* entries */

struct running {
    struct site *site;
    struct ledger_key *key;
    struct ledger *ledger;
    struct publication *publication;
    uint64_t seen; /* entries that a reader was given */
    bool again;    /* it shall be recycled while that reader is at its first entry */
};

static struct running start(uint64_t segment)
{
    struct running r = {.site = site_new()};
    if (segment != TEST_SEGMENT) {
        r.site->place.segment_bytes = segment;
        assert_int_equal(shell("rm -r %s", r.site->directory), 0);
        assert_true(is_ok(ledger_init(&r.site->place, &r.site->verifier)));
    }
    r.key = site_key(r.site);
    assert_true(is_ok(ledger_open(&r.site->place, r.key, NULL, &r.ledger)));
    assert_true(is_ok(publication_open(r.ledger, r.key, &r.publication)));
    return r;
}

static void stop(struct running *r)
{
    struct ledger_report report;
    publication_close(r->publication);
    assert_true(is_ok(ledger_close(r->ledger)));
    assert_int_equal(site_verify(r->site, &report), LEDGER_IS_SOUND);
    ledger_key_free(r->key);
    site_free(r->site);
}

static void append(struct running *r, unsigned entries)
{
    char entry[4096];
    for (unsigned i = 0; i < entries; i++) {
        uint64_t at = ledger_size(r->ledger) + ledger_pending(r->ledger);
        assert_true(is_ok(ledger_add(r->ledger, span_of(entry, make_entry(at, FILLER, entry)))));
        if (ledger_pending(r->ledger) == 100) assert_true(is_ok(ledger_commit(r->ledger)));
    }
    assert_true(is_ok(ledger_commit(r->ledger)));
}

static void publish(struct running *r)
{
    struct ledger_mark mark;
    bool lost;
    ledger_mark(r->ledger, &mark);
    assert_true(is_ok(publication_step(r->publication, &mark, &lost)));
}

static void recycle(struct running *r)
{
    for (bool more = true; more;)
        assert_true(is_ok(publication_recycle(r->publication, 3, &more)));
}

static void test_the_file_is_zeroed_and_used_again(void **state)
{
    (void)state;
    struct running r = start(TEST_SEGMENT);
    const char *d = r.site->directory;
    shell("stat -c %%i %s/" FIRST_SEGMENT " >%s/first", d, r.site->root);
    append(&r, 4 * SMALL); /* uses up both spares */
    publish(&r);
    recycle(&r);
    assert_int_equal(shell("test ! -e %s/" FIRST_SEGMENT " && stat -c %%i %s/wal/spare/0.old | cmp - %s/first", d, d, r.site->root), 0);
    assert_int_equal(shell("cmp -s -n 4096 %s/wal/spare/0.old /dev/zero", d), 1);
    assert_int_equal(ledger_spares(r.ledger), 0);
    assert_true(is_ok(ledger_make_spares(r.ledger)));
    assert_int_equal(shell("stat -c %%i %s/wal/spare/0.wal | cmp - %s/first", d, r.site->root), 0);
    assert_int_equal(shell("cd %s/wal/spare && test \"$(echo *)\" = '0.wal 1.wal' && cmp -n %u 0.wal /dev/zero && cmp -n %u 1.wal /dev/zero",
                         d, TEST_SEGMENT, TEST_SEGMENT),
        0);
    append(&r, 2 * SMALL);
    stop(&r);
}

/* Nobody needs more than two; what goes is never seen half gone. */
static void test_what_is_not_needed_is_removed(void **state)
{
    (void)state;
    struct running r = start(TEST_SEGMENT);
    append(&r, 7 * SMALL);
    publish(&r);
    recycle(&r);
    assert_int_equal(shell("cd %s/wal && test \"$(cd spare && echo *)\" = '0.old 1.old' && test $(ls *.wal | wc -l) -le 3", r.site->directory), 0);
    assert_int_equal(shell("touch %s/wal/spare/going", r.site->directory), 0); /* as a crash leaves it */
    publication_close(r.publication);
    assert_true(is_ok(ledger_close(r.ledger)));
    assert_true(is_ok(ledger_open(&r.site->place, r.key, NULL, &r.ledger)));
    assert_true(is_ok(publication_open(r.ledger, r.key, &r.publication)));
    assert_int_equal(shell("cd %s/wal/spare && test \"$(echo *)\" = '0.old 1.old'", r.site->directory), 0);
    assert_true(is_ok(ledger_make_spares(r.ledger)));
    assert_int_equal(shell("cd %s/wal/spare && test \"$(echo *)\" = '0.wal 1.wal'", r.site->directory), 0);
    append(&r, SMALL);
    stop(&r);
}

/* Where zeroing fails the attempt fails, and the next one makes a new file. */
static void test_zeroing_that_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"write", "fsync", "fsync-file", "malloc"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct running r = start(TEST_SEGMENT);
        append(&r, 4 * SMALL);
        publish(&r);
        recycle(&r);
        uint64_t n = 1;
        for (bool failed = true; failed; n++) {
            fault_arm(names[i], n);
            failed = !is_ok(ledger_make_spares(r.ledger));
            fault_arm(names[i], 0);
        }
        assert_true(n > 2);
        assert_int_equal(ledger_spares(r.ledger), 2);
        assert_int_equal(shell("cd %s/wal/spare && for f in ?.wal; do cmp -n %u $f /dev/zero || exit 1; done", r.site->directory,
                             TEST_SEGMENT),
            0);
        append(&r, 2 * SMALL);
        stop(&r);
    }
}

static result see(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct running *r = ctx;
    char expected[4096];
    (void)frame;
    assert_int_equal(index, r->seen++);
    assert_true(span_equal(json, span_of(expected, make_entry(index, FILLER, expected))));
    if (!r->again) return OK;
    r->again = false; /* the file that is being read becomes another */
    publish(r);
    recycle(r);
    assert_true(is_ok(ledger_make_spares(r->ledger)));
    append(r, 2000);
    return OK;
}

static void test_a_reader_goes_on_in_the_tiles(void **state)
{
    (void)state;
    struct running r = start(LARGE);
    struct ledger_reader *reader;
    struct ledger_problem problem;
    append(&r, 4 * IN_LARGE);
    r.again = true;
    assert_true(is_ok(ledger_reader_open(r.site->directory, 0, &reader)));
    assert_true(is_ok(ledger_reader_read(reader, see, &r, &problem)));
    assert_int_equal(r.seen, 4 * IN_LARGE + 2000);
    ledger_reader_close(reader);
    stop(&r);
}

static void test_verify_is_not_misled(void **state)
{
    (void)state;
    struct running r = start(LARGE);
    struct ledger_report report;
    append(&r, 4 * IN_LARGE);
    r.again = true;
    struct ledger_verify_options options = {.each = see, .each_ctx = &r};
    enum ledger_judgement j = ledger_verify_with(r.site->directory, &r.site->verifier, &options, &report);
    if (j != LEDGER_IS_SOUND) print_error("%s at %llu: %d\n", report.first.file, (unsigned long long)report.first.index, report.first.fault);
    assert_int_equal(j, LEDGER_IS_SOUND);
    assert_false(r.again);
    assert_int_equal(r.seen, 4 * IN_LARGE + 2000);
    stop(&r);
}

/* A crash in the middle of a rename, on a file system without a journal. */
static void test_a_file_under_two_names_is_no_spare(void **state)
{
    (void)state;
    struct running r = start(TEST_SEGMENT);
    append(&r, 100);
    assert_true(is_ok(ledger_close(r.ledger)));
    assert_int_equal(shell("cd %s/wal && ln -f 00000000000000000000.wal spare/1.wal && ln 00000000000000000000.wal spare/0.old", r.site->directory), 0);
    assert_true(is_ok(ledger_open(&r.site->place, r.key, NULL, &r.ledger)));
    assert_int_equal(ledger_spares(r.ledger), 1);
    assert_int_equal(shell("cd %s/wal/spare && test \"$(echo *)\" = 0.wal", r.site->directory), 0);
    append(&r, 4 * SMALL);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file_is_zeroed_and_used_again),
        cmocka_unit_test(test_what_is_not_needed_is_removed),
        cmocka_unit_test(test_zeroing_that_fails),
        cmocka_unit_test(test_a_reader_goes_on_in_the_tiles),
        cmocka_unit_test(test_verify_is_not_misled),
        cmocka_unit_test(test_a_file_under_two_names_is_no_spare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
