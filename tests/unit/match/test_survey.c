/* Pieces, containers and counts: where they begin and end, worked out by hand on the text. */
#include "support.h"

#include "match/world.h"

static struct world world;

/* What stands in a piece, between it and its neighbours, and what it is. */
struct expected {
    const char *text, *before, *after, *value;
    uint32_t container, ordinal, parent, depth;
    const char *is; /* u: unit, m: member, l: line, r: root, -: removed */
};

static const char *letters(const struct match_piece *p)
{
    static char out[8];
    size_t n = 0;
    if (p->roles & PATH_UNIT) out[n++] = 'u';
    if (p->is_member) out[n++] = 'm';
    if (p->is_line) out[n++] = 'l';
    if (p->is_root) out[n++] = 'r';
    if (p->removed) out[n++] = '-';
    out[n] = 0;
    return out;
}

static void check_text(const char *body, uint64_t from, uint64_t to, const char *text, size_t piece, const char *what)
{
    assert_true(from <= to && to <= strlen(body));
    if (strlen(text) != to - from || memcmp(body + from, text, to - from) != 0)
        fail_msg("%s of piece %zu is \"%.*s\", not \"%s\"", what, piece, (int)(to - from), body + from, text);
}

static const struct match_survey *check_pieces(
    const char *path, enum doc_format format, const char *body, const struct expected *expected, size_t n)
{
    const struct match_survey *s = world_survey(&world, path, format, span_str(body));
    assert_non_null(s);
    for (size_t i = 0; i < n && i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        check_text(body, p->begin, p->end, expected[i].text, i, "text");
        check_text(body, p->previous_end, p->begin, expected[i].before, i, "separator before");
        check_text(body, p->end, p->next_begin, expected[i].after, i, "separator behind");
        check_text(body, p->value, p->end, expected[i].value ? expected[i].value : expected[i].text, i, "value");
        assert_string_equal(letters(p), expected[i].is);
        assert_int_equal(p->container, expected[i].container);
        assert_int_equal(p->ordinal, expected[i].ordinal);
        assert_int_equal(p->unit_parent, expected[i].parent);
        assert_int_equal(p->depth, expected[i].depth);
    }
    assert_int_equal(s->piece_count, n);
    return s;
}

static void check_container(const char *body, const struct match_container *c, const char *text, uint32_t children)
{
    check_text(body, c->open, c->close + !c->is_lines, text, 0, "container");
    assert_int_equal(c->children, children);
}

static void test_list(void **state)
{
    static const char body[] = " { \"items\" : [ 1 , {\"associates\":[ ],\"b\":[[0]]} ,\n\"x\" ], \"total\" : \"3\" } ";
    static const struct expected pieces[] = {
        {"1", " ", " , ", NULL, 0, 0, MATCH_NONE, 0, "u"},
        {"{\"associates\":[ ],\"b\":[[0]]}", " , ", " ,\n", NULL, 0, 1, MATCH_NONE, 5, "u"},
        {"\"x\"", " ,\n", "", NULL, 0, 2, MATCH_NONE, 0, "u"},
    };
    (void)state;
    const struct match_survey *s = check_pieces("/list", DOC_JSON, body, pieces, 3);
    assert_int_equal(s->container_count, 2);
    check_container(body, &s->containers[0], "[ 1 , {\"associates\":[ ],\"b\":[[0]]} ,\n\"x\" ]", 3);
    check_container(body, &s->containers[1], "[ ]", 0); /* empty where something may be dropped */
    assert_int_equal(s->count_count, 1);
    check_text(body, s->counts[0].begin, s->counts[0].end, "\"3\"", 0, "count");
    assert_true(s->counts[0].quoted);
    assert_int_equal(s->counts[0].piece, MATCH_NONE);
    assert_int_equal(s->units_seen, 3);
    assert_int_equal(s->visible_depth, 2);
    assert_int_equal(s->root_begin, 1);
    assert_int_equal(s->root_end, sizeof body - 2);
}

static void test_nested(void **state)
{
    static const char body[] = "{\"items\":[{\"associates\":[{\"a\":1},2],\"narrative\":\"n\",\"z\":0,\"notes\":[]}],"
                               "\"total\":null,\"echo\":1}";
    static const struct expected pieces[] = {
        {"{\"associates\":[{\"a\":1},2],\"narrative\":\"n\",\"z\":0,\"notes\":[]}", "", "", NULL, 1, 0, MATCH_NONE, 4,
            "u"},
        {"{\"a\":1}", "", ",", NULL, 3, 0, 0, 5, "u"},
        {"2", ",", "", NULL, 3, 1, 0, 0, "u"},
        {"\"narrative\":\"n\"", ",", ",", "\"n\"", 2, 1, 0, 0, "m-"},
        {"\"notes\":[]", ",", "", "[]", 2, 3, 0, 4, "m-"},
        {"\"total\":null", ",", ",", "null", 0, 1, MATCH_NONE, 0, "m-"},
        {"\"echo\":1", ",", "", "1", 0, 2, MATCH_NONE, 0, "m-"},
    };
    (void)state;
    /* Containers are told in order of their brackets: the document's own first, though its first piece is met last. */
    const struct match_survey *s = check_pieces("/list", DOC_JSON, body, pieces, 7);
    assert_int_equal(s->container_count, 4);
    check_container(body, &s->containers[0], body, 3);
    check_container(
        body, &s->containers[1], "[{\"associates\":[{\"a\":1},2],\"narrative\":\"n\",\"z\":0,\"notes\":[]}]", 1);
    check_container(
        body, &s->containers[2], "{\"associates\":[{\"a\":1},2],\"narrative\":\"n\",\"z\":0,\"notes\":[]}", 4);
    check_container(body, &s->containers[3], "[{\"a\":1},2]", 2);
}

static void test_members(void **state)
{
    static const char body[] = "{\"byNumber\":{ \"1\" : {\"a\":1} , \"2\":[2]}}";
    static const struct expected pieces[] = {
        {"\"1\" : {\"a\":1}", " ", " , ", "{\"a\":1}", 0, 0, MATCH_NONE, 3, "um"},
        {"\"2\":[2]", " , ", "", "[2]", 0, 1, MATCH_NONE, 3, "um"},
    };
    (void)state;
    (void)check_pieces("/map", DOC_JSON, body, pieces, 2);
}

static void test_root(void **state)
{
    static const struct expected object[] = {
        {"{\"associates\":[{}]}", "", "", NULL, MATCH_NONE, 0, MATCH_NONE, 2, "ur"},
        {"{}", "", "", NULL, 0, 0, 0, 3, "u"},
    };
    static const struct expected scalar[] = {{"\"x\"", "", "", NULL, MATCH_NONE, 0, MATCH_NONE, 0, "ur"}};
    (void)state;
    (void)check_pieces("/one", DOC_JSON, " {\"associates\":[{}]} ", object, 2);
    (void)check_pieces("/one", DOC_JSON, " \"x\"\n", scalar, 1);
}

static void test_incomplete_count(void **state)
{
    static const char body[] = "{\"total\":2,\"items\":[1,2]}";
    static const struct expected pieces[] = {
        {"\"total\":2", "", ",", "2", 0, 0, MATCH_NONE, 0, "m-"},
        {"1", "", ",", NULL, 1, 0, MATCH_NONE, 0, "u"},
        {"2", ",", "", NULL, 1, 1, MATCH_NONE, 0, "u"},
    };
    (void)state;
    const struct match_survey *s = check_pieces("/cut", DOC_JSON, body, pieces, 3);
    assert_int_equal(s->count_count, 1);
    assert_int_equal(s->counts[0].piece, 0);
    assert_false(s->counts[0].quoted);
}

/* Only what the list names is seen: a text where a container was to lead further is not on it. */
static void test_allow(void **state)
{
    static const char body[] = "{\"more\":[1],\"items\":[{\"name\":{\"a\":1},\"ssn\":2,\"address\":{\"city\":3,"
                               "\"street\":4}},{\"address\":\"x\"},5]}";
    static const struct expected pieces[] = {
        {"\"more\":[1]", "", ",", "[1]", 0, 0, MATCH_NONE, 2, "m-"},
        {"{\"name\":{\"a\":1},\"ssn\":2,\"address\":{\"city\":3,\"street\":4}}", "", ",", NULL, 1, 0, MATCH_NONE, 4,
            "u"},
        {"\"ssn\":2", ",", ",", "2", 2, 1, 1, 0, "m-"},
        {"\"street\":4", ",", "", "4", 3, 1, 1, 0, "m-"},
        {"{\"address\":\"x\"}", ",", ",", NULL, 1, 1, MATCH_NONE, 3, "u"},
        {"\"address\":\"x\"", "", "", "\"x\"", 4, 0, 4, 0, "m-"},
        {"5", ",", "", NULL, 1, 2, MATCH_NONE, 0, "u-"},
    };
    (void)state;
    (void)check_pieces("/allow", DOC_JSON, body, pieces, 7);
}

static void test_lines(void **state)
{
    static const char body[] = "\n{\"a\":1}\r\n\n{\"associates\":[7 ,8]}\n{\"a\":[\nx\n5";
    static const struct expected pieces[] = {
        {"{\"a\":1}", "\n", "\r\n\n", NULL, 0, 0, MATCH_NONE, 1, "ul"},
        {"{\"associates\":[7 ,8]}", "\r\n\n", "\n", NULL, 0, 1, MATCH_NONE, 2, "ul"},
        {"7", "", " ,", NULL, 1, 0, 1, 0, "u"},
        {"8", " ,", "", NULL, 1, 1, 1, 0, "u"},
        {"{\"a\":[", "\n", "\n", NULL, 0, 2, MATCH_NONE, 2, "ul"},
        {"x", "\n", "\n", NULL, 0, 3, MATCH_NONE, 0, "ul"},
        {"5", "\n", "", NULL, 0, 4, MATCH_NONE, 0, "ul"},
    };
    (void)state;
    const struct match_survey *s = check_pieces("/lines", DOC_NDJSON, body, pieces, 7);
    assert_int_equal(s->containers[0].children, 5);
    assert_int_equal(s->containers[0].close, sizeof body - 1);
    assert_true(s->containers[0].is_lines);
    s = check_pieces("/lines", DOC_NDJSON, "\n \n", NULL, 0);
    assert_int_equal(s->units_seen, 0);
}

static int open_world(void **state)
{
    (void)state;
    return world_open(&world) ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_nested),
        cmocka_unit_test(test_members), cmocka_unit_test(test_root), cmocka_unit_test(test_incomplete_count),
        cmocka_unit_test(test_allow), cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
