/* Boards, shapes and paths; what a whole mirror reports is in tests/scenario/test_mirror.py. */
#include "mirror/mirror.h"
#include <setjmp.h>

#include <cmocka.h>

/* Expected paths are read off the documents by hand; '^' marks the place. */
static void a_place_becomes_a_path_without_indices_and_values(void **state)
{
    (void)state;
    static const struct {
        const char *document, *path;
    } rows[] = {
        {"^7", "$"},
        {"{\"a\":^1}", "$.a"},
        {"{\"a\":{\"b\":[1,[2,^3]]}}", "$.a.b[*][*]"},
        {"[{\"x\":1},{\"y\":{\"z\":^1}}]", "$[*].y.z"},
        {"{\"a\":[1,2],\"b\":^true}", "$.b"},
        {"{\"a\":{\"b\":1},^\"c\":1}", "$.*"}, /* a name is not told by itself */
        {"{\"s\":\"}]{[\\\"\",\"t\":^1}", "$.t"},
        {"{\"s\\\\\":^1}", "$.*"},
        {"{\"A012345678\":{\"n\":^1}}", "$.*.n"},
        {"{\"maria garcia\":^1}", "$.*"},
        {"{\"a1b2\":^1}", "$.a1b2"},
        {"{\"a1b2c3\":^1}", "$.*"},
        {"{\"\":^1}", "$.*"},
        {"{\"j:Person@id-x_y$\":^1}", "$.j:Person@id-x_y$"},
        {"{\"a\":1}\n{\"b\":{\"c\":^2}}\n", "$.b.c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128], shape[MIRROR_TEXT];
        const char *mark = strchr(rows[i].document, '^');
        size_t at = (size_t)(mark - rows[i].document);
        snprintf(text, sizeof text, "%.*s%s", (int)at, rows[i].document, mark + 1);
        mirror_shape(span_str(text), at, shape);
        assert_string_equal(shape, rows[i].path);
    }
}

/* Any bytes and any place: a path that fits, and no crash. */
static void any_bytes_have_a_shape(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (unsigned round = 0; round < 2000; round++) {
        static const char alphabet[] = "{}[]\",:\\ax1\n ";
        uint8_t body[96];
        char shape[MIRROR_TEXT];
        for (size_t i = 0; i < sizeof body; i++) {
            random = random * 1664525 + 1013904223;
            body[i] = (uint8_t)alphabet[(random >> 16) % (sizeof alphabet - 1)];
        }
        for (size_t at = 0; at <= sizeof body; at += 5) {
            mirror_shape(span_of(body, sizeof body), at, shape);
            assert_true(shape[0] == '$' && strlen(shape) < MIRROR_TEXT);
        }
    }
}

static void a_request_s_path_tells_only_what_an_operator_wrote(void **state)
{
    (void)state;
    char path[MIRROR_TEXT];
    mirror_path("/api/", NULL, SPAN("/api/persons/A012345678"), path);
    assert_string_equal(path, "/api/*/*");
    mirror_path("/api/persons", NULL, SPAN("/api/persons/1/"), path);
    assert_string_equal(path, "/api/persons/*/");
    char longer[600];
    for (size_t i = 0; i < sizeof longer; i++) longer[i] = i % 2 == 0 ? '/' : 'x';
    mirror_path("/", NULL, span_of(longer, sizeof longer), path);
    assert_true(strlen(path) < MIRROR_TEXT);
}

static uint64_t counted(struct mirror_board *b, enum mirror_fact f)
{
    const struct mirror_board *boards[] = {b};
    struct mirror_source s = {.boards = boards, .board_count = 1};
    return mirror_sum(&s, f);
}

static void a_board_counts_and_says_what_found_no_room(void **state)
{
    (void)state;
    struct mirror_board *b = mem_alloc(sizeof *b);
    for (unsigned i = 0; i < MIRROR_ROWS + 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        mirror_count(b, MIRROR_OUTSIDE, "/r/", "/r/{id}", span_str(name), 2);
    }
    assert_int_equal(counted(b, MIRROR_OUTSIDE), 2 * MIRROR_ROWS);
    assert_int_equal(atomic_load(&b->lost), 20);
    mirror_count(b, MIRROR_OUTSIDE, "/r/", "/r/{id}", SPAN("n7"), 1);
    assert_int_equal(counted(b, MIRROR_OUTSIDE), 2 * MIRROR_ROWS + 1);
    mem_free(b);
}

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct mirror_board *b = mem_alloc(sizeof *b);
    char name[200] = "";
    for (size_t i = 0; i + 3 < sizeof name; i += 2) memcpy(name + i, "\xc3\xa9", 3);
    mirror_count(b, MIRROR_OUTSIDE, "/", "", span_str(name), 1);
    for (size_t i = 0; i < MIRROR_ROWS; i++) {
        if (atomic_load(&b->rows[i].taken) == 0) continue;
        assert_int_equal(strlen(b->rows[i].name), 94); /* 47 characters of two bytes; a 48th would need the end */
        assert_int_equal(utf8_length(span_str(b->rows[i].name + 92)), 2);
    }
    mem_free(b);
}

static void memory_that_runs_out_is_no_report(void **state)
{
    (void)state;
    struct mirror_board *b = mem_alloc(sizeof *b);
    const struct mirror_board *boards[] = {b};
    struct mirror_source s = {.boards = boards, .board_count = 1};
    mirror_count(b, MIRROR_ANSWERS, "/", "", span_of(NULL, 0), 1);
    bool through = false;
    for (unsigned n = 1; !through; n++) {
        struct buf out;
        buf_init(&out, 65536);
        fault_arm("malloc", n);
        result r = n % 2 ? mirror_report_json(&s, &out) : mirror_report_text(&s, &out);
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        assert_int_equal(is_ok(r), through);
        buf_free(&out);
        assert_true(n < 100);
    }
    struct buf tiny;
    buf_init(&tiny, 16);
    assert_false(is_ok(mirror_report_json(&s, &tiny)));
    buf_free(&tiny);
    mem_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_becomes_a_path_without_indices_and_values),
        cmocka_unit_test(any_bytes_have_a_shape),
        cmocka_unit_test(a_request_s_path_tells_only_what_an_operator_wrote),
        cmocka_unit_test(a_board_counts_and_says_what_found_no_room),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(memory_that_runs_out_is_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
