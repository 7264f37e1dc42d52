/* The grammar of contract section 5, "Edits", case by case, written out by hand. */
#include "edit/marked.h"
#include "support.h"

struct example {
    const char *marked, *wanted;
};

static void check(const struct example *examples, size_t count, struct marked *(*parse)(const char *))
{
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < count; i++) {
        struct marked *m = parse(examples[i].marked);
        char *got = marked_edit(m, arena);
        assert_string_equal(got, examples[i].wanted);
        mem_free(got);
        marked_free(m);
        arena_reset(arena);
    }
    arena_free(arena);
}

static void separators_in_lists(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"[ <0a ,  <0b,<0c\t]", "[ a ,  b,c\t]"},
        {"[ !0a ,  <0b,<0c\t]", "[ b,c\t]"},
        {"[ <0a ,  !0b,<0c\t]", "[ a,c\t]"},
        {"[ <0a ,  <0b,!0c\t]", "[ a ,  b\t]"},
        {"[ !0a ,  !0b,<0c\t]", "[ c\t]"},
        {"[ !0a ,  <0b,!0c\t]", "[ b\t]"},
        {"[ <0a ,  !0b,!0c\t]", "[ a\t]"},
        {"[ !0a ,  !0b,!0c\t]", "[]"},
        {"[!0a]", "[]"},
        {"[ ]", "[]"},
        {"[]", "[]"},
        {" [ !0a ] ", " [] "},
        {"[\n  !0{\"a\":1},\n  <0{\"b\":2},\n  !0{\"c\":3}\n]\n", "[\n  {\"b\":2}\n]\n"},
        {"[\n  !0{\"a\":1},\n  !0{\"c\":3}\n]\n", "[]\n"},
        {"[1, !0a, 2, !0b]", "[1, 2]"}, /* siblings that are no pieces */
        {"[!0a, 1, !0b,  2]", "[1,  2]"},
        {"[!0a, !0b, 1, !0c]", "[1]"},
    };
    check(examples, ARRAY_LEN(examples), marked_json);
}

static void members_go_with_their_names(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"{ !0\"a\" : 1 , \"b\":2 }", "{ \"b\":2 }"},
        {"{ \"a\" : 1 , !0\"b\":2 }", "{ \"a\" : 1 }"},
        {"{ ~\"a\" : 1 , !0\"b\":2 }", "{}"},
        {"{\n\t\"x\": { !0\"a\": {} },\n\t\"y\": { }\n}", "{\n\t\"x\": {},\n\t\"y\": {}\n}"},
        {"{\"a\":1,~\"t\":\"text\",\"b\":2,~\"u\":[1,2]}", "{\"a\":1,\"b\":2}"},
        {"{~\"t\":\"text\",\"b\":2}", "{\"b\":2}"},
    };
    check(examples, ARRAY_LEN(examples), marked_json);
}

static void null_takes_the_place_of_a_value_only(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"{\"a\":1, ?0\"spouse\": {\"x\":[!1a]}}", "{\"a\":1, \"spouse\": null}"},
        {"{\"a\":1, :0\"spouse\": {\"x\":1}}", "{\"a\":1, \"spouse\": {\"x\":1}}"},
        {"{ ?0\"spouse\" : 1 }", "{ \"spouse\" : null }"},
        {"[ ?0a, <0b ]", "[ b ]"},                        /* in a list it would count the withheld */
        {"{\"a\":1, *0\"A012345678\": {}}", "{\"a\":1}"}, /* the name is a finding itself */
    };
    check(examples, ARRAY_LEN(examples), marked_json);
}

static void pieces_inside_dropped_ones_vanish(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"[!0{\"l\":[!1a,<1b]},<0{\"l\":[!1c,<1d]}]", "[{\"l\":[d]}]"},
        {"[<0{\"l\":[!1a]},!0{\"l\":[<1c]}]", "[{\"l\":[]}]"},
        {"[<0{~\"l\":[!1a], \"k\":1}]", "[{\"k\":1}]"},
        {"[!0{\"l\":[ ]},<0[ ]]", "[[]]"},
        {"[!0[[]],!0[ [ ] ]]", "[]"},
    };
    check(examples, ARRAY_LEN(examples), marked_json);
}

static void counts_tell_what_is_visible(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"{#0\"total\":3,\"items\":[<0a,!0b,<0c]}", "{\"total\":2,\"items\":[a,c]}"},
        {"{\"items\":[<0a,!0b,<0c],#0\"total\":\"3\"}", "{\"items\":[a,c],\"total\":\"2\"}"},
        {"{#0\"total\":3.0,\"items\":[<0a,<0b,<0c]}", "{\"total\":3,\"items\":[a,b,c]}"},
        {"{#0\"total\": 3 ,\"items\":[<0a,<0b,<0c]}", "{\"total\": 3 ,\"items\":[a,b,c]}"},
        {"{#0\"total\":1,\"items\":[!0a]}", "{\"total\":0,\"items\":[]}"},
        {"{#0\"total\":1e2,\"items\":[]}", "{\"total\":0,\"items\":[]}"},
        {"{#1\"all\":4,\"l\":[<0{\"m\":[<1a,!1b]},!0{\"m\":[<1c,<1d]}]}", "{\"all\":1,\"l\":[{\"m\":[a]}]}"},
        {"[<0{#1\"n\":2,\"m\":[<1a,!1b]},<0{\"m\":[<1c,<1d],#1\"n\":2},<0{#1\"n\":0,\"m\":[]}]",
            "[{\"n\":1,\"m\":[a]},{\"m\":[c,d],\"n\":2},{\"n\":0,\"m\":[]}]"},
        {"{<1\"summary\":{#0\"n\":2},\"l\":[<0a,!0b]}", "{\"summary\":{\"n\":1},\"l\":[a]}"},
        {"{#0\"n\":2,\"p\":{:0\"spouse\":null},\"q\":{:0\"spouse\":{}}}",
            "{\"n\":1,\"p\":{\"spouse\":null},\"q\":{\"spouse\":{}}}"},
        {"{#0\"n\":2,\"p\":{?0\"spouse\":1},\"q\":{:0\"spouse\":{}}}",
            "{\"n\":1,\"p\":{\"spouse\":null},\"q\":{\"spouse\":{}}}"},
        {"{#0\"n\":2,~\"hidden\":[<0a],\"l\":[<0b]}", "{\"n\":1,\"l\":[b]}"},
        {"[!0{#1\"n\":2,\"m\":[<1a]},<0a]", "[a]"},
    };
    check(examples, ARRAY_LEN(examples), marked_json);
}

static void lines_of_ndjson(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"<0a\n<0b\n<0c\n", "a\nb\nc\n"},
        {"!0a\n<0b\n<0c\n", "b\nc\n"},
        {"<0a\n!0b\n<0c\n", "a\nc\n"},
        {"<0a\n<0b\n!0c\n", "a\nb\n"},
        {"<0a\n<0b\n!0c", "a\nb"}, /* this origin ends no line: it would not without c either */
        {"<0a\n!0b\n!0c", "a"},
        {"!0a\n<0b", "b"},
        {"!0a\n", ""},
        {"!0a", ""},
        {"!0a\r\n!0b\r\n", ""},
        {"<0a\r\n!0b\r\n<0c\r\n", "a\r\nc\r\n"},
        {"!0a\r\n<0b\r\n", "b\r\n"},
        {"<0a\n\n!0b\n\n<0c\n\n", "a\n\nc\n\n"}, /* blank lines belong to the separators */
        {"!0a\n\n<0b\n\n", "b\n\n"},
        {"\n!0a\n<0b\n", "\nb\n"},
        {"\n\n", ""},
        {"<0{\"l\":[!1x,<1y]}\n!0{\"l\":[<1x]}\n", "{\"l\":[y]}\n"},
        {"~{#1\"n\":2,\"l\":[!1x,<1y]}\n<0{\"l\":[<1x],#1\"n\":9}\n", "{\"l\":[x],\"n\":1}\n"},
    };
    check(examples, ARRAY_LEN(examples), marked_lines);
}

/* Lines that are no units still are documents of their own: a count in one counts nothing of another. */
static void counts_stay_in_their_line(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct marked *m = marked_lines("<0{#1\"n\":2,\"l\":[!1x,<1y]}\n<0{\"l\":[<1x,<1z],#1\"n\":9}\n<0{#1\"n\":7}\n");
    for (size_t i = 0; i < m->survey.piece_count; i++) {
        if (m->pieces[i].is_line) m->pieces[i].roles = 0;
        m->pieces[i].unit_parent = MATCH_NONE;
    }
    for (size_t i = 0; i < m->survey.count_count; i++)
        m->counts[i].unit_parent = MATCH_NONE;
    char *got = marked_edit(m, arena);
    assert_string_equal(got, "{\"n\":1,\"l\":[y]}\n{\"l\":[x,z],\"n\":2}\n{\"n\":0}\n");
    mem_free(got);
    marked_free(m);
    arena_free(arena);
}

static void containers_may_come_in_any_order(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct marked *m = marked_json("{\"a\":[!0x],\"b\":[!0y, <0z],\"c\":[ ]}");
    struct match_container first = m->containers[1];
    m->containers[1] = m->containers[3];
    m->containers[3] = first;
    for (size_t i = 0; i < m->survey.piece_count; i++)
        if (m->pieces[i].container == 1) m->pieces[i].container = 3;
    char *got = marked_edit(m, arena);
    assert_string_equal(got, "{\"a\":[],\"b\":[z],\"c\":[]}");
    mem_free(got);
    marked_free(m);
    arena_free(arena);
}

/* What is no piece is planned behind all pieces: counts before, between and behind them, and lists that are emptied. */
static void what_is_no_piece_finds_its_place(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct marked *m = marked_json("{#0\"n\":9,\"l\":[!0a,<0b],#0\"m\":9,\"e\":[!0c],\"f\":[!0d, !0e],\"k\":[<0f,!0g],#0\"o\":9}");
    char *got = marked_edit(m, arena);
    assert_string_equal(got, "{\"n\":2,\"l\":[b],\"m\":2,\"e\":[],\"f\":[],\"k\":[f],\"o\":2}");
    mem_free(got);
    marked_free(m);
    arena_free(arena);
}

static void offsets_in_the_result(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct marked *m = marked_json("{#0\"n\":100,\"l\":[!0abc,<0de]}");
    /*                              {"n":100,"l":[abc,de]} → {"n":1,"l":[de]} */
    struct edit_list list;
    assert_ok(edit_plan(&m->survey, &m->verdict, span_of(m->text, m->len), arena, &list));
    assert_int_equal(list.length, strlen("{\"n\":1,\"l\":[de]}"));
    assert_int_equal(edit_offset(&list, 0), 0);
    assert_int_equal(edit_offset(&list, 5), 5);   /* before the count */
    assert_int_equal(edit_offset(&list, 8), 6);   /* behind it */
    assert_int_equal(edit_offset(&list, 14), 12); /* abc: where de will stand */
    assert_int_equal(edit_offset(&list, 18), 12);
    assert_int_equal(edit_offset(&list, 20), 14);
    assert_int_equal(edit_offset(&list, m->len), list.length);
    assert_ok(edit_identity(5, arena, &list));
    assert_true(list.identity);
    assert_int_equal(edit_offset(&list, 3), 3);
    assert_ok(edit_identity(0, arena, &list));
    assert_int_equal(list.count, 0);
    assert_ok(edit_identity((uint64_t)UINT32_MAX * 2 + 7, arena, &list)); /* runs hold 32 bits of length */
    assert_int_equal(list.count, 3);
    assert_int_equal(list.length, (uint64_t)UINT32_MAX * 2 + 7);
    assert_int_equal(edit_offset(&list, (uint64_t)UINT32_MAX + 3), (uint64_t)UINT32_MAX + 3);
    marked_free(m);
    arena_free(arena);
}

static void a_root_that_nobody_may_see_is_null(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct match_piece root = {.begin = 1,
        .end = 9,
        .next_begin = 9,
        .value = 1,
        .previous_end = 1,
        .container = MATCH_NONE,
        .unit_parent = MATCH_NONE,
        .is_root = true,
        .removed = true};
    struct match_survey survey = {.pieces = &root, .piece_count = 1};
    uint8_t withheld = 0;
    struct policy_verdict verdict = {.withheld = &withheld};
    struct edit_list list;
    assert_ok(edit_plan(&survey, &verdict, SPAN(" \"secret\" "), arena, &list));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.length, 6);
    assert_memory_equal(list.runs[1].literal, "null", 4);
    arena_free(arena);
}

static void a_full_arena_is_a_limit(void **state)
{
    (void)state;
    struct marked *m = marked_json("{#0\"n\":3,\"l\":[!0a,<0b,!0c]}");
    bool through = false;
    for (size_t cap = 0; !through; cap += 16) {
        struct arena *arena = arena_new(cap);
        struct edit_list list;
        result r = edit_plan(&m->survey, &m->verdict, span_of(m->text, m->len), arena, &list);
        through = is_ok(r);
        if (!through)
            assert_fails(r, ERROR_LIMIT);
        else
            assert_int_equal(list.length, strlen("{\"n\":1,\"l\":[b]}"));
        arena_free(arena);
        assert_true(cap < 65536);
    }
    marked_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators_in_lists),
        cmocka_unit_test(members_go_with_their_names),
        cmocka_unit_test(null_takes_the_place_of_a_value_only),
        cmocka_unit_test(pieces_inside_dropped_ones_vanish),
        cmocka_unit_test(counts_tell_what_is_visible),
        cmocka_unit_test(lines_of_ndjson),
        cmocka_unit_test(counts_stay_in_their_line),
        cmocka_unit_test(containers_may_come_in_any_order),
        cmocka_unit_test(what_is_no_piece_finds_its_place),
        cmocka_unit_test(offsets_in_the_result),
        cmocka_unit_test(a_root_that_nobody_may_see_is_null),
        cmocka_unit_test(a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
