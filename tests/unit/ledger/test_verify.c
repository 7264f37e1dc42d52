/* Verify works out the tree in pieces, on several threads: it must be the tree that one leaf after the other gives, and
 * what is told must be the first fault, wherever it lies. */
#include "ledger/frame_crew.h"
#include "ledger/support.h"

#define FRAMES (2 * TEAM_PLACES + 3)
#define EACH 5u
#define FRAME 4096u

static void add_leaf(struct ledger_tree *t, uint64_t i)
{
    char leaf[16];
    int n = snprintf(leaf, sizeof leaf, "leaf %llu", (unsigned long long)i);
    assert_true(ledger_tree_add(t, span_of(leaf, (size_t)n)));
}

static void range_of(struct tree_range *r, uint64_t first, uint64_t count)
{
    char leaf[16];
    tree_range_start(r, first);
    for (uint64_t i = first; i < first + count; i++) {
        int n = snprintf(leaf, sizeof leaf, "leaf %llu", (unsigned long long)i);
        assert_true(tree_range_add(r, span_of(leaf, (size_t)n)));
    }
}

//= RFC6962 2.1
static void test_a_range_adds_what_its_leaves_add(void **state)
{
    (void)state;
    struct ledger_tree before = {0};
    for (uint64_t first = 0; first < 70; first++) {
        struct ledger_tree one_by_one = before;
        for (uint64_t count = 0; count < 70; count++) {
            struct ledger_tree at_once = before;
            struct tree_range r;
            uint8_t expected[32], root[32];
            range_of(&r, first, count);
            assert_true(tree_append(&at_once, &r));
            assert_true(ledger_tree_root(&one_by_one, expected) && ledger_tree_root(&at_once, root));
            assert_memory_equal(root, expected, 32);
            assert_int_equal(at_once.size, first + count);
            add_leaf(&one_by_one, first + count);
        }
        add_leaf(&before, first);
    }
}

static result add_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    (void)index, (void)frame;
    return ledger_tree_add(ctx, json) ? OK : FAIL(ERROR_INTERNAL, 0);
}

static void test_the_root_is_that_of_the_entries(void **state)
{
    (void)state;
    struct site *s = site_new();
    struct ledger_reader *reader;
    struct ledger_report report;
    struct ledger_tree tree = {0};
    uint8_t root[32];
    site_append(s, 7, 1, 10);
    site_append(s, 150, 11, 1500); /* frames of many blocks, several segments */
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_true(is_ok(ledger_reader_open(s->directory, 0, &reader)));
    assert_true(is_ok(ledger_reader_read(reader, add_entry, &tree, NULL)));
    ledger_reader_close(reader);
    assert_int_equal(report.entries, 7 + 150 * 11);
    assert_int_equal(report.entries, tree.size);
    assert_true(report.segments > 1 && ledger_tree_root(&tree, root));
    assert_memory_equal(report.root, root, 32);
    site_free(s);
}

/* Somebody who knows the format puts the checksum right again. */
static void flip_sealed(const char *path, uint64_t frame, uint64_t at)
{
    uint8_t bytes[FRAME], crc[4];
    flip(path, frame * FRAME + at, 1);
    peek(path, frame * FRAME, bytes, sizeof bytes);
    store_le32(crc, crc32c(0, span_of(bytes + 16, sizeof bytes - 16)));
    poke(path, frame * FRAME + 12, crc, 4);
}

/* The frame behind it no longer follows, and is seen first: it is not what is told. */
static void expect_first(const struct site *s, uint64_t frame, enum ledger_fault fault)
{
    struct ledger_report report;
    assert_int_equal(site_verify(s, &report), LEDGER_IS_TAMPERED);
    assert_int_equal(report.first.fault, fault);
    assert_int_equal(report.first.offset, frame * FRAME);
    assert_int_equal(report.first.index, frame * EACH);
    assert_string_equal(report.first.file, FIRST_SEGMENT);
}

static void test_the_first_fault_is_told_wherever_it_lies(void **state)
{
    (void)state;
    static const uint64_t places[] = {0, 1, TEAM_PLACES - 1, TEAM_PLACES, TEAM_PLACES + 1, FRAMES - 2, FRAMES - 1};
    struct site *s = site_new();
    struct ledger_report report;
    uint8_t sound[FRAME];
    char path[256];
    shell("rm -rf %s", s->directory);
    s->place.segment_bytes = 4 * TEST_SEGMENT; /* all in one */
    assert_true(is_ok(ledger_init(&s->place, &s->verifier)));
    site_append(s, FRAMES, EACH, 100);
    snprintf(path, sizeof path, "%s", site_path(s, FIRST_SEGMENT));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        peek(path, places[i] * FRAME, sound, sizeof sound);
        flip_sealed(path, places[i], 128); /* the signature */
        expect_first(s, places[i], LEDGER_FAULT_SIGNATURE);
        flip_sealed(path, places[i], 256 + 2 + 20); /* and an entry: the root goes first */
        expect_first(s, places[i], LEDGER_FAULT_ROOT);
        poke(path, places[i] * FRAME, sound, sizeof sound);
    }
    assert_int_equal(site_verify(s, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, FRAMES * EACH);
    site_free(s);
}

/* No memory or no thread: nobody can tell, and nobody says "tampered". */
static void test_what_is_missing_is_no_fault_of_the_ledger(void **state)
{
    (void)state;
    static const char *const faults[] = {"thread", "malloc"};
    struct site *s = site_new();
    site_append(s, 20, EACH, 100);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        enum ledger_judgement j = LEDGER_CANNOT_TELL;
        struct ledger_report report;
        unsigned n = 1;
        for (; j != LEDGER_IS_SOUND; n++) {
            fault_arm(faults[i], n);
            j = site_verify(s, &report);
            fault_arm(faults[i], 0);
            assert_int_not_equal(j, LEDGER_IS_TAMPERED);
        }
        assert_true(n > 2);
    }
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_range_adds_what_its_leaves_add),
        cmocka_unit_test(test_the_root_is_that_of_the_entries),
        cmocka_unit_test(test_the_first_fault_is_told_wherever_it_lies),
        cmocka_unit_test(test_what_is_missing_is_no_fault_of_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
