/* What is learnt of a document's examples makes no verdict another: generated answers, like the examples and unlike them, by
 * matchers that know them and live long, and by one that knows nothing and tries everything. */
#include "support.h"

#include "match/own.h"
#include "match/world.h"

#include <jansson.h>

/* What an answer consists of, and what its values are, come from two rows of numbers. */
static uint64_t shape, values;
static unsigned of(uint64_t *s, unsigned n)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return (unsigned)((*s >> 20) % n);
}
static unsigned below(unsigned n)
{
    return of(&shape, n);
}

struct text {
    char bytes[65536];
    unsigned deepest; /* limits.visible_depth of who reads it */
    size_t len, slack; /* bytes of 0 behind it that may be read */
    bool wide;    /* blanks between the tokens */
    bool escapes; /* some names are written with one */
};

static void say(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(t->len + n < sizeof t->bytes);
    memcpy(t->bytes + t->len, s, n + 1);
    t->len += n;
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"id", "personId", "aNumber", "alienFile", "value", "number", "coa", "ssn", "passportNo",
    "narrative", "notes", "associates", "items", "name", "text", "to", "all", "no", "memo", "ref", "@id", "declared", "charge",
    "address", "city", "A012345678", "form I-918", "shelter", ("Garc\xC3\xAD" "a"), "d1", "e", "echo", "total", "byNumber"};
static const char *const strings[] = {"A012345678", "A 012-345-678", "012345678", "EAC2190012345", "123-45-6789", "G12345678",
    "1991-03-07", "LOPEZ", "384", "B2", "in a shelter", "filed Form I-918", "QTAxMjM0NTY3OA", "A099888777", "90210017", "x", "",
    "XA012345678", "a%30b", "\\u0041012345678", ("A\xEF\xBC\x90" "12345678"), "2021-03-01T10:22:33Z", "ana@example.test", "#1"};
static const char *const scalars[] = {"null", "true", "false", "12345678", "90210017", "1.2345678e7", "7", "811", "123456789"};

static void comma(struct text *t, bool first)
{
    if (!first) say(t, t->wide ? " ,\n" : ",");
}

static void put_name(struct text *t, const char *name)
{
    char escaped[80];
    say(t, "\"");
    if (t->escapes && of(&values, 8) == 0 && (uint8_t)name[0] < 0x80) {
        snprintf(escaped, sizeof escaped, "\\u%04x%s", name[0], name + 1);
        say(t, escaped);
    } else {
        say(t, name);
    }
    say(t, t->wide ? "\" : " : "\":");
}

static void put_value(struct text *t, unsigned depth);
static void put_object(struct text *t, unsigned depth)
{
    say(t, "{");
    for (unsigned i = 0, n = below(8); i < n; i++) {
        comma(t, i == 0);
        put_name(t, names[below(ARRAY_LEN(names))]);
        put_value(t, depth);
    }
    say(t, "}");
}

static void put_value(struct text *t, unsigned depth)
{
    unsigned kind = below(10);
    if (depth > 0 && kind < 2) return put_object(t, depth - 1);
    if (depth > 0 && kind == 2) {
        say(t, "[");
        for (unsigned i = 0, n = below(4); i < n; i++)
            comma(t, i == 0), put_value(t, depth - 1);
        return say(t, "]");
    }
    if (kind == 3) return say(t, scalars[of(&values, ARRAY_LEN(scalars))]);
    say(t, "\"");
    say(t, strings[of(&values, ARRAY_LEN(strings))]);
    say(t, "\"");
}

/* A few forms of records alone, so that many are like one that an example has. */
static void put_record(struct text *t, unsigned forms)
{
    shape = 0x9E3779B97F4A7C15u * (1 + of(&values, forms));
    (void)below(2), (void)below(2);
    put_object(t, 3);
}

static const char *const paths[] = {"/list", "/cut", "/map", "/one", "/allow", "/linked", "/graph", "/plain", "/lines", "/search"};

static void put_answer(struct text *t, const char *path, unsigned forms)
{
    bool map = !strcmp(path, "/map"), lines = !strcmp(path, "/lines"), one = !strcmp(path, "/one");
    char key[32];
    t->len = 0;
    if (one) return put_record(t, forms);
    if (!lines) say(t, map ? "{\"byNumber\":{" : "{\"total\":3,\"echo\":\"A012345678\",\"items\":[");
    for (unsigned i = 0, n = 1 + of(&values, 5); i < n; i++) {
        if (lines) say(t, i ? "\n" : "");
        else comma(t, i == 0);
        snprintf(key, sizeof key, "%s%u", of(&values, 3) ? "k" : "A01234567", i);
        if (map) put_name(t, key);
        put_record(t, forms);
    }
    if (!lines) say(t, map ? "}}" : "]}");
}

static void pad(struct text *t, unsigned i)
{
    t->slack = i % 4 ? DOC_SLACK : 0;
    assert_true(t->len + t->slack < sizeof t->bytes);
    memset(t->bytes + t->len, 0, t->slack);
}

/* ---- who reads --------------------------------------------------------------------------------------------------- */

#define FORMS 12   /* of records in answers */
#define SHOWN 8    /* of which examples have these */
#define EXAMPLES 4 /* of each document */

static struct world world; /* knows nothing */
static struct match_lores *lores;
static struct match *knowing[3];
static struct arena *arena;
static const struct rules_search *search; /* what a request to /search asks for */

static char *sorted_dump(const struct match_survey *s)
{
    char *text = world_dump(s), *all[2048], *out = calloc(1, strlen(text) + 2), *end = out;
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line && n < ARRAY_LEN(all); line = strtok(NULL, "\n"))
        all[n++] = line;
    qsort(all, n, sizeof *all, world_compare);
    for (size_t i = 0; i < n; i++)
        end += sprintf(end, "%s\n", all[i]);
    free(text);
    return out;
}

/* NULL: it does not parse, or memory ran out. `step`: bytes that come at once. */
static char *read_by(struct match *m, const char *path, const struct text *t, size_t step)
{
    const struct match_survey *s = NULL;
    enum doc_status status = DOC_MORE;
    const struct match_limits limits = {.depth = 64, .visible_depth = t->deepest, .search = strcmp(path, "/search") ? NULL : search};
    const struct rules_document *d = rules_find_document(world.profile, span_str(path));
    match_begin(m, strcmp(path, "/lines") ? DOC_JSON : DOC_NDJSON, d, world.registry, &limits);
    for (size_t len = step; status == DOC_MORE; len += step) {
        if (len > t->len) len = t->len;
        const struct doc_window window = {.data = (const uint8_t *)t->bytes, .len = len, .complete = len == t->len,
            .slack = len == t->len ? t->slack : 0};
        status = match_feed(m, &window);
    }
    char *out = status == DOC_COMPLETE && is_ok(match_finish(m, &s)) ? sorted_dump(s) : NULL;
    match_reset(m);
    return out;
}

static size_t found, asked; /* findings of all answers, units in which what is asked for stands */
static char *read_slowly(const char *path, const struct text *t)
{
    world_prefilter(&world, false);
    char *out = read_by(world.match, path, t, t->len);
    world_prefilter(&world, true);
    for (const char *at = out; at && (at = strstr(at, "finding")); at++)
        found++;
    for (const char *at = out; at && (at = strstr(at, "found 1")); at++)
        asked++;
    return out;
}

static void check(const char *path, const struct text *t)
{
    char *expected = read_slowly(path, t);
    for (size_t i = 0; i < ARRAY_LEN(knowing) && knowing[i]; i++) {
        char *got = read_by(knowing[i], path, t, of(&values, 3) ? t->len : 64 + t->len % 300);
        bool same = (!got && !expected) || (got && expected && !strcmp(got, expected));
        if (!same) fail_msg("%s: knowing the examples\n%s\nwithout\n%s\n%s", path, got, expected, t->bytes);
        free(got);
    }
    free(expected);
}

#define ANSWERS 6000

//= 8USC1367 a(2)
//= ICE10036.2 2.1
static void test_no_verdict_changes(void **state)
{
    static struct text t;
    (void)state;
    for (unsigned i = 0; i < ANSWERS; i++) {
        values = 0xD6E8FEB86659FD93u * (i + 1);
        t.wide = i % 5 == 4;
        t.escapes = i % 3 == 2;
        const char *path = paths[of(&values, ARRAY_LEN(paths))];
        put_answer(&t, path, FORMS);
        pad(&t, i);
        t.deepest = i % 3 ? 0 : 2 + i % 7;
        check(path, &t);
    }
    assert_true(found > ANSWERS && asked > 5);
    assert_int_equal(lores->count, ARRAY_LEN(paths));
    for (size_t i = 0; i < lores->count; i++)
        assert_true(lores->all[i].name_count > 2);
}

/* More names than the reader's table holds, after and before those of the examples; one stands twice. */
static void test_full_table(void **state)
{
    static struct text t;
    char name[32];
    (void)state;
    for (unsigned twice = 0; twice < 2; twice++) {
        t.len = 0;
        t.wide = t.escapes = false;
        say(&t, "{\"items\":[{\"personId\":90210017");
        for (unsigned i = 0; i < 4500; i++) {
            snprintf(name, sizeof name, ",\"n%u\":%u", twice && i == 4490 ? 4400 : i, i);
            say(&t, name);
        }
        say(&t, "},{\"personId\":7,\"aNumber\":\"012345678\",\"personId\":7}]}");
        check("/list", &t);
        put_answer(&t, "/list", FORMS);
        check("/list", &t);
    }
}

/* What an example is like, and with other values, some of which are told although the example's were not. */
static const char example[] =
    "{\"total\":2,\"items\":[{\"personId\":1,\"aNumber\":\"A011111111\",\"name\":\"Ana\",\"city\":\"X\",\"d1\":\"1991-03-07\"},"
    "{\"personId\":2,\"aNumber\":\"A022222222\",\"name\":\"Bo\",\"city\":\"YY\",\"d1\":\"1992-04-08\"}]}";
static const char like_it[] =
    "{\"total\":4,\"items\":[{\"personId\":77,\"aNumber\":\"A099888777\",\"name\":\"Eva\",\"city\":\"ZZZ\",\"d1\":\"1999-12-31\"},"
    "{\"personId\":90210017,\"aNumber\":\"A012345678\",\"name\":\"Ida\",\"city\":\"\",\"d1\":\"2001-01-01\"},"
    "{\"personId\":3,\"aNumber\":\"A033333333\",\"name\":\"Garc\xC3\xAD" "a\",\"city\":\"in a shelter\",\"d1\":\"2002-02-02\"},"
    "{\"personId\":4,\"aNumber\":\"A044444444\",\"name\":\"O\",\"city\":\"A\xC3\x9F\",\"d1\":\"A 012-345-678\"}]}";

static void test_first_record_is_played(void **state)
{
    static struct text t;
    (void)state;
    say(&t, like_it);
    for (unsigned i = 1; i <= 2; i++) {
        pad(&t, i);
        check("/list", &t);
        for (size_t k = 0; k < ARRAY_LEN(knowing) && knowing[k]; k++) {
            const struct match_limits limits = {.depth = 64};
            const struct doc_window w = {.data = (const uint8_t *)t.bytes, .len = t.len, .complete = true, .slack = t.slack};
            match_begin(knowing[k], DOC_JSON, rules_find_document(world.profile, SPAN("/list")), world.registry, &limits);
            assert_int_equal(match_feed(knowing[k], &w), DOC_COMPLETE);
            assert_int_equal(knowing[k]->scores->played, 4);
            match_reset(knowing[k]);
        }
    }
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

/* The same answer twice, others and other people's between: as far as anybody can tell, none was there. */
static void test_nothing_is_kept(void **state)
{
    static struct text t, other;
    (void)state;
    values = 1;
    put_answer(&t, "/list", FORMS);
    struct match *m = knowing[0];
    char *first = read_by(m, "/list", &t, t.len);
    size_t size = 0;
    for (unsigned i = 0; i < 20; i++) {
        values = i + 2;
        put_answer(&other, paths[i % ARRAY_LEN(paths)], FORMS);
        free(read_by(m, paths[i % ARRAY_LEN(paths)], &other, other.len));
        size += other.len;
    }
    char *again = read_by(m, "/list", &t, t.len);
    assert_true(size > 1000);
    assert_string_equal(first, again);
    free(first);
    free(again);
}

/* Without memory for what examples teach the answer is read all the same, or not at all. */
static void test_faults(void **state)
{
    static struct text t;
    bool through = false;
    (void)state;
    values = 77;
    t.wide = t.escapes = false;
    put_answer(&t, "/list", FORMS);
    char *expected = read_by(knowing[0], "/list", &t, t.len);
    for (uint64_t n = 1; !through; n++) {
        assert_true(n < 10000);
        struct match_lores *own = match_lores_new();
        struct match *m = match_new(world.rules, world.scratch, cpu_level());
        match_share_lores(m, own);
        fault_arm("malloc", n);
        char *got = read_by(m, "/list", &t, t.len);
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (got) assert_string_equal(got, expected);
        free(got);
        got = read_by(m, "/list", &t, t.len);
        assert_string_equal(got, expected);
        free(got);
        match_free(m);
        match_lores_free(own);
    }
    free(expected);
}

/* ---- the world with examples -------------------------------------------------------------------------------------- */

static json_t *make_examples(void)
{
    static struct text t;
    json_t *tests = json_array();
    for (size_t p = 0; p < ARRAY_LEN(paths); p++)
        for (unsigned i = 0; i < EXAMPLES; i++) {
            values = 0xC2B2AE3D27D4EB4Fu * (i + 1) + p;
            put_answer(&t, paths[p], SHOWN);
            if (i == EXAMPLES - 1) t.bytes[t.len / 2] = 0; /* no JSON */
            json_array_append_new(tests,
                json_pack("{s:s,s:s,s:s,s:s}", "path", paths[p], "recipient", "restricted", "text", t.bytes, "expect", "unchanged"));
        }
    json_array_append_new(
        tests, json_pack("{s:s,s:s,s:s,s:s}", "path", paths[0], "recipient", "restricted", "text", example, "expect", "unchanged"));
    return tests;
}

static int open_world(void **state)
{
    (void)state;
    json_error_t error;
    json_t *pack = json_loads(world_pack, 0, &error), *tests = make_examples();
    json_t *profile = json_array_get(json_object_get(pack, "profiles"), 0);
    json_object_set_new(profile, "tests", tests);
    json_t *searched = json_array();
    for (const char *const *name = (const char *const[]){"id", "value", "name", "text", "to", "no", "memo", "d1", "e", NULL}; *name; name++)
        json_array_append_new(searched, json_sprintf("$.items[*].%s", *name));
    json_array_append_new(json_object_get(profile, "documents"),
        json_pack("{s:s,s:[s],s:{s:{s:o,s:s}}}", "path", "/search", "units", "$.items[*]", "query", "q", "paths", searched, "match",
            "contains"));
    char *text = json_dumps(pack, JSON_COMPACT);
    json_decref(pack);
    bool good = world_open_pack(&world, text, span_str(world_people));
    free(text);
    lores = match_lores_new();
    arena = arena_new(1 << 20);
    const struct rules_document *d = good ? rules_find_document(world.profile, SPAN("/search")) : NULL;
    good = good && rules_query_read(d, SPAN("q=12"), arena, &search) == RULES_QUERY_ALLOWED;
    for (int level = CPU_PORTABLE; good && level <= (int)cpu_level(); level++) {
        knowing[level] = match_new(world.rules, world.scratch, (enum cpu_level)level);
        match_share_lores(knowing[level], lores);
    }
    return good ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(knowing); i++)
        match_free(knowing[i]);
    match_lores_free(lores);
    arena_free(arena);
    world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_record_is_played), cmocka_unit_test(test_no_verdict_changes), cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_nothing_is_kept), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
