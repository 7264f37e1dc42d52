/* The exact texts that an operator reads. */
#include "source/source.h"
#include "support.h"

static struct problems *problems;
static struct source *source;

static int set_up(void **state)
{
    (void)state;
    problems = problems_new();
    source = NULL;
    return problems ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    source_free(source);
    problems_free(problems);
    return 0;
}

static const json_t *parse(const char *text)
{
    source_free(source);
    source = source_parse("gate.json", span_str(text), problems);
    return source ? source_root(source) : NULL;
}

static void assert_problem(size_t i, const char *want)
{
    assert_in_range(i, 0, problems_count(problems) - 1);
    assert_string_equal(problems_text(problems, i), want);
}

static void assert_only_problem(const char *want)
{
    assert_int_equal(problems_count(problems), 1);
    assert_problem(0, want);
}

/* Fresh list, one bad text, one message. */
static void assert_refused(const char *text, const char *want)
{
    problems_free(problems);
    problems = problems_new();
    assert_null(parse(text));
    assert_only_problem(want);
    assert_int_equal(problems_errors(problems), 1);
}

//= RFC8259 2
static void test_syntax_errors(void **state)
{
    (void)state;
    assert_refused("{\n  \"a\": tru\n}",
        "gate.json:2:8: not JSON: invalid token near 'tru'; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused("{\"a\": 1,}",
        "gate.json:1:9: not JSON: string or '}' expected near '}'; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused(
        "{} x", "gate.json:1:4: not JSON: end of file expected near 'x'; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused("",
        "gate.json:1:1: not JSON: '[' or '{' expected near end of file; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused("{\"a\": [1, 2\n",
        "gate.json:2:1: not JSON: ']' expected near end of file; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused(
        "// x", "gate.json:1:1: not JSON: '[' or '{' expected near '/'; strict JSON (RFC 8259) in UTF-8 is expected");
    assert_refused(
        "\xEF\xBB\xBF{}", "gate.json:1:1: the file starts with a byte order mark; save it as UTF-8 without one");
}

//= RFC8259 4
static void test_duplicate_names(void **state)
{
    (void)state;
    assert_refused("{\"a\":1,\n \"b\":2, \"a\":3}",
        "gate.json:2:9: /a: this name stands twice in its object; remove one of the two members");
    assert_refused("{\"x\":{\"k\":\"}\"},\"list\":[1,{\"k\":[{}],\"m\":{\"n\":1,\"\\u006e\":2}}]}",
        "gate.json:1:47: /list/1/m/n: this name stands twice in its object; remove one of the two members");
}

static void test_terminal_codes_do_not_reach_the_terminal(void **state)
{
    (void)state;
    static const struct member_spec none[] = {{0}};
    const json_t *v = parse("{\"\\u001b[31m\\u009b\": 1}");
    struct place root = place_root(source);
    assert_false(place_check_members(&root, v, none));
    assert_only_problem("gate.json:1:2: /?[31m??: unknown member; none is known here");
}

static const struct member_spec specs[] = {
    {"listen", true, false}, {"routes", true, false}, {"pace", false, false}, {"grants", false, true}, {0}};

static void test_members(void **state)
{
    (void)state;
    const json_t *v =
        parse("{ \"$schema\": \"x\", \"format\": 1,\n  \"lisen\": [],\n  \"grants\": {},\n  \"Pace\": 1, \"zzz\": 2 }");
    struct place root = place_root(source);
    assert_false(place_check_members(&root, v, specs));
    assert_int_equal(problems_count(problems), 7);
    assert_problem(0, "gate.json:1:1: /: \"listen\" is missing; it is required");
    assert_problem(1, "gate.json:1:1: /: \"routes\" is missing; it is required");
    assert_problem(
        2, "gate.json:1:19: /format: unknown member; known here: \"listen\", \"routes\", \"pace\", \"grants\"");
    assert_problem(3, "gate.json:2:3: /lisen: unknown member; did you mean \"listen\"?");
    assert_problem(4, "gate.json:3:3: /grants: \"grants\" is not built yet; remove it");
    assert_problem(5, "gate.json:4:3: /Pace: unknown member; did you mean \"pace\"?");
    assert_problem(6, "gate.json:4:14: /zzz: unknown member; known here: \"listen\", \"routes\", \"pace\", \"grants\"");
    assert_int_equal(problems_errors(problems), 7);
    assert_int_equal(problems_warnings(problems), 0);
}

static void test_members_of_what_is_no_object(void **state)
{
    (void)state;
    const json_t *v = parse("{\"a\": [1]}");
    struct place root = place_root(source), a = place_member(&root, "a");
    assert_false(place_check_members(&a, json_object_get(v, "a"), specs));
    assert_only_problem("gate.json:1:7: /a: is an array; must be an object");
}

static void test_good_members(void **state)
{
    (void)state;
    const json_t *v = parse("{\"listen\": [], \"routes\": []}");
    struct place root = place_root(source);
    assert_true(place_check_members(&root, v, specs));
    assert_int_equal(problems_count(problems), 0);
}

static void test_types(void **state)
{
    (void)state;
    const json_t *v = parse("{\"s\": 1,\n\"b\": \"true\",\n\"i\": 1.5,\n\"j\": 70000,\n\"w\": null}");
    struct place root = place_root(source);
    assert_string_equal(place_string(&root, v, "s", true, "fallback"), "fallback");
    assert_true(place_bool(&root, v, "b", true));
    assert_int_equal(place_integer(&root, v, "i", 0, 9, 7), 7);
    assert_int_equal(place_integer(&root, v, "j", 1, 65535, 7), 7);
    assert_null(place_string(&root, v, "w", false, NULL));
    assert_string_equal(place_string(&root, v, "absent", false, "d"), "d");
    assert_null(place_string(&root, v, "needed", true, NULL));
    assert_int_equal(problems_count(problems), 6);
    assert_problem(0, "gate.json:1:1: /: \"needed\" is missing; it is required");
    assert_problem(1, "gate.json:1:7: /s: is an integer; must be a string");
    assert_problem(2, "gate.json:2:6: /b: is a string; must be true or false");
    assert_problem(3, "gate.json:3:6: /i: is a number with a fraction or exponent; must be an integer");
    assert_problem(4, "gate.json:4:6: /j: is 70000; must be from 1 to 65535");
    assert_problem(5, "gate.json:5:6: /w: is null; must be a string");
}

static void test_good_values(void **state)
{
    (void)state;
    const json_t *v = parse("{\"s\":\"x\",\"t\":true,\"f\":false,\"i\":-5,\"w\":7.0,\"e\":1e3,\"h\":9007199254740993.0}");
    struct place root = place_root(source);
    assert_string_equal(place_string(&root, v, "s", true, NULL), "x");
    assert_true(place_bool(&root, v, "t", false));
    assert_false(place_bool(&root, v, "f", true));
    assert_int_equal(place_integer(&root, v, "i", -10, 10, 0), -5);
    //= RFC8259 6
    assert_int_equal(place_integer(&root, v, "w", 0, 9, 0), 7);
    assert_int_equal(place_integer(&root, v, "e", 0, 2000, 0), 1000);
    assert_int_equal(place_size(&root, v, "e", 0), 1000);
    assert_int_equal(problems_count(problems), 0);
}

static void test_sizes(void **state)
{
    (void)state;
    const json_t *v = parse("{\"a\":\"32KiB\",\"b\":\"4MiB\",\"c\":\"1GiB\",\"d\":4096,\"e\":\"0KiB\"}");
    struct place root = place_root(source);
    assert_int_equal(place_size(&root, v, "a", 1), 32768);
    assert_int_equal(place_size(&root, v, "b", 1), 4194304);
    assert_int_equal(place_size(&root, v, "c", 1), 1073741824);
    assert_int_equal(place_size(&root, v, "d", 1), 4096);
    assert_int_equal(place_size(&root, v, "e", 1), 0);
    assert_int_equal(place_size(&root, v, "absent", 42), 42);
    assert_int_equal(problems_count(problems), 0);
}

static void test_bad_sizes(void **state)
{
    (void)state;
    const char *right = "write a number of bytes, or one with KiB, MiB or GiB, as in \"32KiB\"";
    static const char *const bad[] = {
        "32kb", "32 KiB", "KiB", "-1KiB", "1.5MiB", "32", "", "99999999999999999999KiB", "9999999999GiB"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[128], want[256];
        problems_free(problems);
        problems = problems_new();
        snprintf(text, sizeof text, "{\"a\": \"%s\"}", bad[i]);
        const json_t *v = parse(text);
        struct place root = place_root(source);
        assert_int_equal(place_size(&root, v, "a", 42), 42);
        snprintf(want, sizeof want, "gate.json:1:7: /a: \"%s\" is not a size; %s", bad[i], right);
        assert_only_problem(want);
    }
}

static void test_bad_sizes_of_other_types(void **state)
{
    (void)state;
    const json_t *v = parse("{\"a\": -1, \"b\": 1.5}");
    struct place root = place_root(source);
    assert_int_equal(place_size(&root, v, "a", 42), 42);
    assert_int_equal(place_size(&root, v, "b", 42), 42);
    assert_problem(0, "gate.json:1:7: /a: is negative, not a size; write a number of bytes, or one with KiB, MiB or "
                      "GiB, as in \"32KiB\"");
    assert_problem(1,
        "gate.json:1:16: /b: is a number with a fraction or exponent, not a size; write a number of bytes, or one with "
        "KiB, MiB or GiB, as in \"32KiB\"");
}

static void test_durations(void **state)
{
    (void)state;
    const json_t *v = parse(
        "{\"a\":\"10ms\",\"b\":\"2s\",\"c\":\"5m\",\"d\":\"1h\",\"e\":\"7d\",\"f\":\"0ms\",\n\"x\":10,\"y\":\"10\"}");
    struct place root = place_root(source);
    assert_int_equal(place_duration(&root, v, "a", 1), 10);
    assert_int_equal(place_duration(&root, v, "b", 1), 2000);
    assert_int_equal(place_duration(&root, v, "c", 1), 300000);
    assert_int_equal(place_duration(&root, v, "d", 1), 3600000);
    assert_int_equal(place_duration(&root, v, "e", 1), 604800000);
    assert_int_equal(place_duration(&root, v, "f", 1), 0);
    assert_int_equal(problems_count(problems), 0);
    assert_int_equal(place_duration(&root, v, "x", 9), 9);
    assert_int_equal(place_duration(&root, v, "y", 9), 9);
    assert_problem(
        0, "gate.json:2:5: /x: is an integer, not a duration; write a number with ms, s, m, h or d, as in \"10ms\"");
    assert_problem(
        1, "gate.json:2:12: /y: \"10\" is not a duration; write a number with ms, s, m, h or d, as in \"10ms\"");
}

static const char *const agencies[] = {"DHS", "DOS", "DOJ", "none", NULL};

static void test_enums(void **state)
{
    (void)state;
    const json_t *v = parse("{\"a\": \"DOJ\", \"b\": \"DSH\",\n \"c\": \"Interior\", \"d\": 4}");
    struct place root = place_root(source);
    assert_int_equal(place_enum(&root, v, "a", agencies, true, -1), 2);
    assert_int_equal(place_enum(&root, v, "b", agencies, true, -1), -1);
    assert_int_equal(place_enum(&root, v, "c", agencies, true, -1), -1);
    assert_int_equal(place_enum(&root, v, "d", agencies, true, 3), 3);
    assert_int_equal(place_enum(&root, v, "absent", agencies, false, 1), 1);
    assert_int_equal(problems_count(problems), 3);
    assert_problem(0, "gate.json:1:19: /b: unknown value \"DSH\"; did you mean \"DHS\"?");
    assert_problem(
        1, "gate.json:2:7: /c: unknown value \"Interior\"; must be one of \"DHS\", \"DOS\", \"DOJ\", \"none\"");
    assert_problem(2, "gate.json:2:24: /d: is an integer; must be a string");
}

static void collect(void *ctx, const struct place *at, const char *s)
{
    char *text = ctx;
    strcat(strcat(strcat(strcat(text, at->pointer), "="), s), " ");
}

static void test_strings(void **state)
{
    (void)state;
    const json_t *v = parse("{\"l\": [\"a\", 1, \"b\"], \"m\": \"a\"}");
    struct place root = place_root(source);
    char text[128] = "";
    place_strings(&root, v, "l", collect, text);
    place_strings(&root, v, "m", collect, text);
    place_strings(&root, v, "absent", collect, text);
    assert_string_equal(text, "/l/0=a /l/2=b ");
    assert_int_equal(problems_count(problems), 2);
    assert_problem(0, "gate.json:1:13: /l/1: is an integer; must be a string");
    assert_problem(1, "gate.json:1:27: /m: is a string; must be an array");
}

static void test_format(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"{}", "gate.json:1:1: /: \"format\" is missing; add \"format\": 1"},
        {"{\"format\": 2}", "gate.json:1:12: /format: is 2; this release reads format 1"},
        {"{\"format\": \"1\"}", "gate.json:1:12: /format: is a string; must be an integer"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        problems_free(problems);
        problems = problems_new();
        const json_t *v = parse(texts[i][0]);
        struct place root = place_root(source);
        assert_false(place_check_format(&root, v));
        assert_only_problem(texts[i][1]);
    }
    const json_t *v = parse("{\"format\": 1}");
    struct place root = place_root(source);
    assert_true(place_check_format(&root, v));
}

//= RFC6901 3
/* Columns count characters, lines end with LF or CR LF, and the pointer finds names written with escapes. */
static void test_positions(void **state)
{
    (void)state;
    parse("{\r\n  \"\xC3\xA9\xF0\x9F\x98\x80\": {\"a/b\": [10, {\"~t\": \"x\"}]}, \"\\u0041\": [[], [1]] }");
    unsigned line, column;
    assert_true(source_locate(source, "", false, &line, &column));
    assert_int_equal(line * 100 + column, 101);
    assert_true(source_locate(source, "/\xC3\xA9\xF0\x9F\x98\x80", true, &line, &column));
    assert_int_equal(line * 100 + column, 203);
    assert_true(source_locate(source, "/\xC3\xA9\xF0\x9F\x98\x80/a~1b/1/~0t", false, &line, &column));
    assert_int_equal(line * 100 + column, 229);
    assert_true(source_locate(source, "/A/1/0", false, &line, &column));
    assert_int_equal(line * 100 + column, 253);
    assert_false(source_locate(source, "/A/2", false, &line, &column));
    assert_false(source_locate(source, "/A/0/0", false, &line, &column));
    assert_false(source_locate(source, "/B", false, &line, &column));
}

/* Every value of a nested text is found at its own column (columns from Python's str.index on the same text). */
static void test_every_place_is_found(void **state)
{
    (void)state;
    const json_t *v = parse("{\"a\":[0,{\"b\":\"}\\\"]\",\"c\":[]},[[2]]],\"d\":{\"e\":{},\"f\":null}}");
    static const struct {
        const char *pointer;
        unsigned column;
    } places[] = {{"/a", 6}, {"/a/0", 7}, {"/a/1", 9}, {"/a/1/b", 14}, {"/a/1/c", 25}, {"/a/2", 29}, {"/a/2/0", 30},
        {"/a/2/0/0", 31}, {"/d", 40}, {"/d/e", 45}, {"/d/f", 52}};
    assert_non_null(v);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        unsigned line, column;
        assert_true(source_locate(source, places[i].pointer, false, &line, &column));
        assert_int_equal(column, places[i].column);
    }
}

static void test_long_pointers_are_cut(void **state)
{
    (void)state;
    parse("{\"a\": 1}");
    struct place p = place_root(source);
    for (int i = 0; i < 100; i++)
        p = place_member(&p, "member");
    assert_true(p.len < sizeof p.pointer);
    assert_int_equal(strlen(p.pointer), p.len);
    assert_string_equal(p.pointer + p.len - 4, "/\xE2\x80\xA6");
    place_error(&p, "deep; shallow");
    assert_non_null(strstr(problems_text(problems, 0), "gate.json:1:1: /member/member"));
}

static void test_lines_of_a_larger_file(void **state)
{
    (void)state;
    source = source_parse_line("people.jsonl", 41, SPAN("{\"subject\": 5}"), problems);
    struct place root = place_root(source);
    assert_null(place_string(&root, source_root(source), "subject", true, NULL));
    assert_null(source_parse_line("people.jsonl", 7, SPAN("{"), problems));
    assert_problem(0, "people.jsonl:7:2: not JSON: string or '}' expected near end of file; strict JSON (RFC 8259) in "
                      "UTF-8 is expected");
    assert_problem(1, "people.jsonl:41:13: /subject: is an integer; must be a string");
}

static void read_back(FILE *f, char *out, size_t size)
{
    rewind(f);
    out[fread(out, 1, size - 1, f)] = '\0';
    fclose(f);
}

/* All problems of a run in order of file and position, warnings too, with the line and a marker. */
static void test_print(void **state)
{
    (void)state;
    const json_t *v = parse("{\n\t\"\xC3\xA9\": [1, 2]\n}");
    struct place root = place_root(source), list = place_member(&root, "\xC3\xA9"), item = place_item(&list, 1);
    (void)v;
    place_error(&item, "is 2; must be 1");
    place_warning(&list, "is long; could be short");
    problems_add(problems, "ledger", "no ledger; run log init");
    problems_add(problems, "gate.json", "cannot be read; check");
    FILE *f = tmpfile();
    problems_print(problems, f, true, false);
    char text[1024];
    read_back(f, text, sizeof text);
    assert_string_equal(text, "gate.json: cannot be read; check\n"
                              "gate.json:2:7: /\xC3\xA9: warning: is long; could be short\n"
                              "    2 | \t\"\xC3\xA9\": [1, 2]\n"
                              "      | \t     ^\n"
                              "gate.json:2:11: /\xC3\xA9/1: is 2; must be 1\n"
                              "    2 | \t\"\xC3\xA9\": [1, 2]\n"
                              "      | \t         ^\n"
                              "ledger: no ledger; run log init\n");
    assert_int_equal(problems_errors(problems), 3);
    assert_int_equal(problems_warnings(problems), 1);
    f = tmpfile();
    problems_print_json(problems, f);
    read_back(f, text, sizeof text);
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    *strchr(third, '\n') = '\0';
    second[third - second - 1] = '\0';
    assert_string_equal(second,
        "{\"file\":\"gate.json\",\"line\":2,\"column\":7,\"pointer\":\"/\xC3\xA9\",\"severity\":\"warning\","
        "\"message\":\"is long; could be short\"}");
    assert_string_equal(third,
        "{\"file\":\"gate.json\",\"line\":2,\"column\":11,\"pointer\":\"/\xC3\xA9/1\",\"severity\":\"error\","
        "\"message\":\"is 2; must be 1\"}");
    json_t *first = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    assert_true(json_is_null(json_object_get(first, "line")) && json_is_null(json_object_get(first, "pointer")));
    json_decref(first);
}

static void test_did_you_mean(void **state)
{
    (void)state;
    static const char *const words[] = {"certificate", "address", "listen", "id", NULL};
    assert_string_equal(source_did_you_mean("certifcate", words), "certificate");
    assert_string_equal(source_did_you_mean("adress", words), "address");
    assert_string_equal(source_did_you_mean("lsiten", words), "listen");
    assert_string_equal(source_did_you_mean("ID", words), "id");
    assert_null(source_did_you_mean("xy", words));
    assert_null(source_did_you_mean("", words));
    assert_null(source_did_you_mean("upstreams", words));
}

/* No allocation may be forgotten: either the same problem is reported, or at least counted. */
static void test_nth_malloc_fails(void **state)
{
    (void)state;
    json_set_alloc_funcs(mem_hook_alloc, mem_hook_free);
    for (uint64_t n = 1;; n++) {
        struct problems *p = problems_new();
        fault_arm("malloc", n);
        struct source *s = source_parse("f.json", SPAN("{\"a\": {\"\\u0062\": [1, \"x\"]}}"), p);
        if (s) {
            struct place root = place_root(s), a = place_member(&root, "a");
            place_string(&a, json_object_get(source_root(s), "a"), "b", true, NULL);
        }
        bool hit = fault_count("malloc") >= n;
        fault_arm("malloc", 0);
        assert_int_equal(problems_errors(p), 1);
        if (!hit) assert_string_equal(problems_text(p, 0), "f.json:1:18: /a/b: is an array; must be a string");
        source_free(s);
        problems_free(p);
        if (!hit) break;
    }
    json_set_alloc_funcs(malloc, free);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_syntax_errors),
        CASE(test_duplicate_names),
        CASE(test_terminal_codes_do_not_reach_the_terminal),
        CASE(test_members),
        CASE(test_members_of_what_is_no_object),
        CASE(test_good_members),
        CASE(test_types),
        CASE(test_good_values),
        CASE(test_sizes),
        CASE(test_bad_sizes),
        CASE(test_bad_sizes_of_other_types),
        CASE(test_durations),
        CASE(test_enums),
        CASE(test_strings),
        CASE(test_format),
        CASE(test_positions),
        CASE(test_every_place_is_found),
        CASE(test_long_pointers_are_cut),
        CASE(test_lines_of_a_larger_file),
        CASE(test_print),
        CASE(test_did_you_mean),
        CASE(test_nth_malloc_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
