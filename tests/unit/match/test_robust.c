/* Cut anywhere, out of memory anywhere, and nothing left behind. */
#include "support.h"

#include "match/own.h"
#include "match/world.h"

#include <time.h>

static struct world world;

static const char table[] = "{\"columns\" : [ \"name\", {\"name\": \"s\\u0073n\"} ],\n \"x\":{\"values\":[[\"coa\"],[ \"384\" ]]},"
                            "\"rows\":[ [\"A\", \"123456789\" ],[1,2],{\"f\":[{\"v\":0},{\"v\":123456789}]}],"
                            "\"index\":{\"type\":{\"text\":\"SSN\"},\"values\":[\"123456789\"]}}";
static const char rows[] = "[\"name\",\"ssn\"]\r\n[\"A\",123456789]\n{\"rows\":[[1,\"123456789\"]],\"columns\":[\"x\",\"ssn\"]}\n[\"B\",\"12";

static const char json[] = "{\"items\":[{\"aNumber\":\"12345678\",\"n\":1.2345678e7,\"x\":\"I\\u002d918 \xC3\xA9\"},\n "
                           "{\"narrative\":\"A012345678\","
                           "\"associates\":[{\"QTAxMjM0NTY3OA\":[]},{\"x\":\"in a shelter, %41012345678\"}] , "
                           "\"notes\":{}}, 555666777 ],\"total\":2,"
                           "\"coa\":384,\"x\":{\"a\":1,\"a\":\"\xFF\"}}";
static const char lines[] =
    "{\"a\":\"A012345678\"}\n\n{\"a\":[\"EAC2190012345\"\r\n{\"associates\":[{\"x\":\"I-918\"},[]]}\n\"G12345678\"";

static const char linked[] = "{\"head\":\"a\\u0062\",\"items\":[{\"id\":1.0,\"to\":\"90210017\",\"all\":[\"\xEF\xBC\x91\",2]},{\"no\":\"x y\"}]}";
static const char graph[] = "{\"@id\":\"d\",\"p\":[{\"@id\":\"P1\",\"n\":\"A012345678\"},{\"@id\":\"P1\"}],"
                            "\"r\":{\"ref\":{\"rdf:value\":\"P1\"},\"declared\":{}, \"x\":[ ]}}";

/* The body up to each end in turn, each time in a block of exactly its size. */
static char *survey_in_parts(const char *path, enum doc_format format, span body, const size_t *ends, size_t n)
{
    const struct match_survey *s = NULL;
    world_begin(&world, path, format);
    uint8_t *copy = NULL;
    enum doc_status status = DOC_MORE;
    for (size_t i = 0; i < n && status == DOC_MORE; i++) {
        uint8_t *next = mem_copy(body.ptr, ends[i]);
        const struct doc_window w = {.data = next, .len = ends[i], .complete = i + 1 == n};
        status = match_feed(world.match, &w);
        mem_free(copy);
        copy = next;
    }
    char *out = status == DOC_COMPLETE && is_ok(match_finish(world.match, &s)) ? world_dump(s) : NULL;
    mem_free(copy);
    return out;
}

static void check_splits(const char *path, enum doc_format format, span body)
{
    size_t whole[] = {body.len};
    char *expected = survey_in_parts(path, format, body, whole, 1);
    assert_non_null(expected);
    for (size_t at = 0; at <= body.len; at++) {
        size_t ends[] = {at, body.len};
        char *got = survey_in_parts(path, format, body, ends, 2);
        assert_non_null(got);
        assert_string_equal(got, expected);
        free(got);
    }
    size_t *each = calloc(body.len + 1, sizeof *each);
    for (size_t i = 0; i <= body.len; i++)
        each[i] = i;
    char *got = survey_in_parts(path, format, body, each, body.len + 1);
    assert_non_null(got);
    assert_string_equal(got, expected);
    free(got);
    free(each);
    free(expected);
}

static void test_splits(void **state)
{
    (void)state;
    check_splits("/list", DOC_JSON, span_str(json));
    check_splits("/one", DOC_JSON, span_str(json));
    check_splits("/allow", DOC_JSON, span_str(json));
    check_splits("/lines", DOC_NDJSON, span_str(lines));
    check_splits("/plain", DOC_NDJSON, span_str(lines));
    check_splits("/linked", DOC_JSON, span_str(linked));
    check_splits("/graph", DOC_JSON, span_str(graph));
    check_splits("/graph", DOC_NDJSON, span_str(graph));
    check_splits("/graph", DOC_NDJSON, span_str(lines));
    check_splits("/table", DOC_JSON, span_str(table));
    check_splits("/plain", DOC_JSON, span_str(table));
    check_splits("/lines", DOC_NDJSON, span_str(rows));
    check_splits("/plain", DOC_NDJSON, span_str(rows));
}

/* A literal that lies across the border of two steps, at each offset. */
static void test_steps(void **state)
{
    static char body[3 * STEP];
    (void)state;
    for (size_t back = 0; back <= 8; back++) {
        memset(body, 'x', sizeof body);
        memcpy(body, "[\"", 2);
        memcpy(body + STEP - back, " I-918 ", 7);
        memcpy(body + 2 * STEP - back, "\",\" A012345678\",\"", 17);
        memcpy(body + sizeof body - 2, "\"]", 2);
        const struct match_survey *s = world_survey(&world, "/plain", DOC_JSON, span_of(body, sizeof body));
        assert_non_null(s);
        assert_string_equal(world_findings(&world, s), "a-number@- i918@-");
    }
}

static void test_malformed(void **state)
{
    static const struct {
        const char *body;
        enum doc_malformed why;
        uint64_t at;
    } samples[] = {{"{\"items\":[}", DOC_BAD_GRAMMAR, 10}, {"{} x", DOC_TRAILING, 3}, {"[1", DOC_CUT_SHORT, 2}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        uint64_t at = 0;
        world_begin(&world, "/list", DOC_JSON);
        span body = span_str(samples[i].body);
        const struct doc_window w = {.data = body.ptr, .len = body.len, .complete = true};
        assert_int_equal(match_feed(world.match, &w), DOC_MALFORMED);
        assert_int_equal(match_malformed(world.match, &at), samples[i].why);
        assert_int_equal(at, samples[i].at);
        assert_int_equal(match_feed(world.match, &w), DOC_MALFORMED);
    }
}

static void test_survey_limit(void **state)
{
    const struct match_survey *s;
    const struct rules_document *d = rules_find_document(world.profile, SPAN("/list"));
    (void)state;
    for (uint64_t findings = 1; findings <= 4; findings++) {
        uint64_t at;
        span body = SPAN("{\"items\":[1,2,\"A012345678\"]}"); /* a container, three units, a finding */
        const struct match_limits limits = {.depth = 8, .findings = findings};
        match_begin(world.match, DOC_JSON, d, world.registry, &limits);
        const struct doc_window w = {.data = body.ptr, .len = body.len, .complete = true};
        enum doc_status status = match_feed(world.match, &w);
        if (status == DOC_MALFORMED) assert_int_equal(match_malformed(world.match, &at), DOC_NO_MEMORY);
        assert_fails(match_finish(world.match, &s), ERROR_LIMIT);
    }
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

#define LONG_BODY ((size_t)1 << 20)
#define LONG_TIME (5 * CLOCKS_PER_SEC) /* far more than it takes; to go through it once for each of its members would take minutes */

static void check_time(const char *body, size_t len, const char *findings)
{
    static const struct match_limits limits = {.depth = 10000};
    const struct match_survey *s = NULL;
    clock_t begun = clock();
    match_begin(world.match, DOC_JSON, rules_find_document(world.profile, SPAN("/one")), world.registry, &limits);
    const struct doc_window w = {.data = (const uint8_t *)body, .len = len, .complete = true};
    assert_int_equal(match_feed(world.match, &w), DOC_COMPLETE);
    assert_ok(match_finish(world.match, &s));
    assert_string_equal(world_findings(&world, s), findings);
    assert_true(clock() - begun < LONG_TIME);
}

/* All of an object say what one of them is. */
static void test_many_sayers(void **state)
{
    static char body[LONG_BODY + 64];
    (void)state;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"id\":\"123456789\"");
    for (unsigned i = 0; n < LONG_BODY; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, ",\"%utype\":\"SSN\"", i);
    body[n++] = '}';
    check_time(body, n, "ssn@0/0");
}

/* Objects in objects that say something, with much in the innermost one and beside each. */
#define LONG_DEPTH 5000
static void test_deep_sayers(void **state)
{
    static char body[LONG_BODY + 64 * LONG_DEPTH];
    (void)state;
    size_t n = 0;
    for (unsigned i = 0; i < LONG_DEPTH; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "{\"type\":\"SSN\",\"x\":");
    body[n++] = '"';
    memset(body + n, '-', LONG_BODY);
    n += LONG_BODY;
    body[n++] = '"';
    for (unsigned i = 0; i < LONG_DEPTH; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, ",\"y\":{\"value\":%u},\"id\":%s}", i, i == LONG_DEPTH - 1 ? "123456789" : "7");
    check_time(body, n, "ssn@0/0");
}

/* Lists of names in tables in tables, each with rows of its own, and the same as first rows. */
static void test_deep_tables(void **state)
{
    static char body[LONG_BODY + 64 * LONG_DEPTH];
    static const char *const parts[][3] = {
        {"{\"columns\":[\"ssn\"],\"x\":", ",\"rows\":[[%s]]}", "limit:@0/0 ssn@0/0"}, /* more names than hold at once */
        {"{\"x\":", ",\"rows\":[[%s]],\"columns\":[\"ssn\"]}", "ssn@0/0"},
        {"[[\"ssn\"],", ",[%s]]", "ssn@0/0"},
        {"{\"type\":", ",\"id\":%s,\"kind\":\"ssn\"}", "ssn@0/0"}};
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
        size_t n = (size_t)snprintf(body, sizeof body, "{\"values\":");
        for (unsigned i = 0; i < LONG_DEPTH; i++)
            n += (size_t)snprintf(body + n, sizeof body - n, "%s", parts[k][0]);
        body[n++] = '"';
        memset(body + n, '-', LONG_BODY);
        n += LONG_BODY;
        body[n++] = '"';
        for (unsigned i = 0; i < LONG_DEPTH; i++)
            n += (size_t)snprintf(body + n, sizeof body - n, parts[k][1], i == LONG_DEPTH - 1 ? "123456789" : "7"); // NOLINT: each has one %s
        body[n++] = '}';
        check_time(body, n, parts[k][2]);
    }
}

/* Many tables beside each other. */
static void test_many_tables(void **state)
{
    static char body[LONG_BODY + 128];
    (void)state;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"x\":{\"v\":1");
    for (unsigned i = 0; n < LONG_BODY; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, ",\"t%u\":{\"columns\":[\"a\",\"ssn\",%u],\"rows\":[[1,2,3]]}", i, i);
    size_t end = n;
    n += (size_t)snprintf(body + n, sizeof body - n, "}}");
    check_time(body, n, "");
    n = end + (size_t)snprintf(body + end, sizeof body - end, ",\"t\":{\"rows\":[[1,123456789]],\"columns\":[\"a\",\"ssn\"]}}}");
    check_time(body, n, "ssn@0/0");
}

/* Each value of a table stands under a dozen names of several kinds, of lists that go on outwards. */
static void test_many_names(void **state)
{
    static char body[LONG_BODY + 4096];
    static const char *const names[] = {"ssn", "aNumber", "passport", "coa"};
    (void)state;
    for (size_t most = 64; most <= LONG_BODY; most *= LONG_BODY / 64) {
        size_t n = (size_t)snprintf(body, sizeof body, "{\"x\":{\"x\":{\"x\":{\"x\":{");
        for (unsigned i = 0; i < 12; i++) {
            n += (size_t)snprintf(body + n, sizeof body - n, "\"%ucolumns\":[", i);
            for (unsigned k = 0; k < 20; k++)
                n += (size_t)snprintf(body + n, sizeof body - n, "%s\"%s\"", k ? "," : "", names[(k / 2 + (i >> k % 2)) % 4]);
            n += (size_t)snprintf(body + n, sizeof body - n, "],");
        }
        n += (size_t)snprintf(body + n, sizeof body - n, "\"rows\":[[123456789]");
        while (n < most)
            n += (size_t)snprintf(body + n, sizeof body - n, ",[1,2,3,4,5,6,7,8,9]");
        n += (size_t)snprintf(body + n, sizeof body - n, "]}}}}}");
        check_time(body, n, most > 64 ? "limit:@0/0 ssn@0/0" : "ssn@0/0");
    }
}

/* A catalogue of tables is nobody's; where a table stands beside it, more than 16 different lists of names may be that table's. */
static void test_catalogue(void **state)
{
    static char body[LONG_BODY];
    (void)state;
    for (unsigned count = 15; count <= 1000; count += 985) {
        size_t n = (size_t)snprintf(body, sizeof body, "{\"x\":{\"v\":1");
        for (unsigned i = 0; i < count; i++) {
            n += (size_t)snprintf(body + n, sizeof body - n, ",\"t%u\":{\"columns\":[", i);
            for (unsigned k = 0; k < i % 40; k++)
                n += (size_t)snprintf(body + n, sizeof body - n, "\"c%u\",", k);
            n += (size_t)snprintf(body + n, sizeof body - n, "\"ssn\"]}");
        }
        size_t end = n;
        n += (size_t)snprintf(body + n, sizeof body - n, "}}");
        check_time(body, n, "");
        n = end + (size_t)snprintf(body + end, sizeof body - end, ",\"rows\":[[7,7]]}}");
        check_time(body, n, count > 16 ? "limit:@0/0" : "");
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static char *survey_once(const char *path, enum doc_format format, span body)
{
    const struct match_survey *s = NULL;
    struct match *old = world.match, *m = match_new(world.rules, world.scratch, cpu_level());
    if (!m) return NULL;
    world.match = m;
    world_begin(&world, path, format);
    world.match = old;
    const struct doc_window w = {.data = body.ptr, .len = body.len, .complete = true};
    enum doc_status status = match_feed(m, &w);
    bool good = status == DOC_COMPLETE && is_ok(match_finish(m, &s));
    fault_arm("malloc", 0);
    char *out = good ? world_dump(s) : NULL;
    match_free(m);
    return out;
}

/* Either the same survey or none. */
static void check_faults(const char *path, enum doc_format format, span body)
{
    char *expected = survey_once(path, format, body);
    assert_non_null(expected);
    bool through = false;
    for (uint64_t n = 1; !through; n++) {
        assert_true(n < 10000);
        fault_arm("malloc", n);
        char *got = survey_once(path, format, body);
        through = got != NULL;
        if (got) assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
}

static void test_faults(void **state)
{
    (void)state;
    check_faults("/list", DOC_JSON, span_str(json));
    check_faults("/lines", DOC_NDJSON, span_str(lines));
    check_faults("/linked", DOC_JSON, span_str(linked));
    check_faults("/graph", DOC_JSON, span_str(graph));
    check_faults("/table", DOC_JSON, span_str(table));
    check_faults("/lines", DOC_NDJSON, span_str(rows));
}

#define CANARY "canary"

static bool holds_canary(const void *p, size_t n)
{
    for (size_t i = 0; p && i + 6 <= n; i++)
        if (!memcmp((const uint8_t *)p + i, CANARY, 6) || !memcmp((const uint8_t *)p + i, "CANARY", 6)) return true;
    return false;
}

static bool buffers_hold_canary(const struct match *m)
{
    const struct bytes *all[] = {&m->decoded, &m->folded[0], &m->folded[1], &m->folded[2], &m->percent[0],
        &m->percent[1], &m->base64[0], &m->base64[1]};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (holds_canary(all[i]->ptr, all[i]->size)) return true;
    return false;
}

//= 8USC1367 a(2)
static void test_wiped(void **state)
{
    static const char body[] = "{\"items\":[{\"personId\":\"canary-1\",\"\\u0063anary\":\"\xC2\xA0 \\u0063anary "
                               "%63anary Y2FuYXJ5Y2FuYXJ5\"}]}";
    (void)state;
    struct match *m = world.match;
    assert_non_null(world_survey(&world, "/list", DOC_JSON, span_str(body)));
    assert_true(buffers_hold_canary(m)); /* the test looks where something was */
    assert_true(holds_canary(&m->batch, sizeof m->batch));
    match_reset(m);
    assert_false(buffers_hold_canary(m));
    assert_false(holds_canary(m, sizeof *m));
    assert_non_null(world_survey(&world, "/linked", DOC_JSON, SPAN("{\"head\":\"canary\"}")));
    assert_true(holds_canary(m->link_text.items, m->link_text.capacity));
    match_reset(m);
    assert_false(holds_canary(m->link_text.items, m->link_text.capacity));
    assert_int_equal(m->findings.count + m->pieces.count + m->names.count, 0);
    const struct match_piece *pieces = m->pieces.items;
    for (uint32_t i = 0; i < m->pieces.capacity && i < 4; i++)
        assert_int_equal(pieces[i].end, 0);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_splits), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_survey_limit), cmocka_unit_test(test_many_sayers),
        cmocka_unit_test(test_deep_sayers), cmocka_unit_test(test_deep_tables), cmocka_unit_test(test_many_tables), cmocka_unit_test(test_catalogue), cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_wiped)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
