/* One document from the first byte to the verdict, case by case. */
#include "engine/fixture.h"
#include "support.h"

static struct fixture f;

/* What leaves for a restricted recipient; "(not found)" when withheld, "(REASON)" when unreadable. Valid until the
 * next. */
static const char *leaves_as(const char *path, const char *type, span body, enum recipient_class class)
{
    static char *last;
    static char reason[64];
    mem_free(last);
    arena_reset(f.arena);
    struct engine_begin b = fixture_begin(&f, path, type, class);
    struct engine_outcome o = fixture_run(&f, &b, body);
    size_t len;
    last = fixture_output(&o, body, &len);
    if (last) return last;
    snprintf(reason, sizeof reason, "(%s)",
        o.verdict.document_withheld ? "not found" : engine_unreadable_name(o.unreadable));
    return reason;
}
static const char *leaves(const char *path, const char *body)
{
    return leaves_as(path, "application/json", span_str(body), RECIPIENT_RESTRICTED);
}
static const char *leaves_lines(const char *path, const char *body)
{
    return leaves_as(path, "application/x-ndjson", span_str(body), RECIPIENT_RESTRICTED);
}

//= 8USC1367 a(2)
static void protected_records_are_not_there(void **state)
{
    (void)state;
    assert_string_equal(leaves("/list", "{\"total\": 2, \"items\": [\n {\"n\":1},\n {\"a\":\"A012345678\"}\n]}"),
        "{\"total\": 1, \"items\": [\n {\"n\":1}\n]}");
    assert_string_equal(
        leaves("/list", "{\"total\":1,\"items\":[ {\"personId\":90210017} ]}"), "{\"total\":0,\"items\":[]}");
    assert_string_equal(
        leaves("/list", "{\"items\":[{\"coa\":\"384\"},{\"room\":\"384\"}]}"), "{\"items\":[{\"room\":\"384\"}]}");
    assert_string_equal(leaves("/list", "{\"items\":[{\"id\":1,\"associates\":[{\"x\":\"A012345678\"},2]}]}"),
        "{\"items\":[{\"id\":1,\"associates\":[2]}]}");
    assert_string_equal(leaves("/list", "{\"items\":[{\"id\":1,\"spouse\":{\"x\":\"A012345678\"}},{\"spouse\":{}}]}"),
        "{\"items\":[{\"id\":1,\"spouse\":null},{\"spouse\":{}}]}");
    assert_string_equal(
        leaves("/list", "{\"items\":[{\"id\":1,\"text\":\"A012345678\",\"notes\":1}],\"echo\":\"A012345678\"}"),
        "{\"items\":[{\"id\":1}]}");
    assert_string_equal(leaves("/list", "{\"items\":[{\"id\":1,\"notes\":\"A012345678\"},{\"id\":2,\"notes\":{}}]}"),
        "{\"items\":[{\"id\":2}]}");
    assert_string_equal(leaves("/list", "{\"items\":[1],\"more\":\"A012345678\"}"), "(not found)");
    assert_string_equal(leaves("/cut", "{\"total\":2,\"items\":[{\"a\":\"A012345678\"},1]}"), "{\"items\":[1]}");
    assert_string_equal(leaves("/map", "{\"byNumber\":{\"A012345678\":{\"x\":1},\"A999999999\":{\"x\":2}}}"),
        "{\"byNumber\":{\"A999999999\":{\"x\":2}}}");
    assert_string_equal(leaves("/one", "{\"a\":\"A012345678\"}"), "(not found)");
    assert_string_equal(leaves("/one", "{\"a\":1,\"associates\":[\"A012345678\"]}"), "{\"a\":1,\"associates\":[]}");
    assert_string_equal(leaves("/one", "{\"a\":1,\"text\":\"A012345678\"}"), "{\"a\":1}");
    assert_string_equal(leaves("/plain", "{\"a\":\"A012345678\"}"), "(not found)");
    assert_string_equal(leaves("/plain", " {\"a\" : 1 } "), " {\"a\" : 1 } ");
}

static void only_what_is_allowed_stays(void **state)
{
    (void)state;
    assert_string_equal(
        leaves("/allow", "{\"total\":1,\"items\":[{\"name\":\"x\",\"dob\":1,\"address\":{\"city\":\"y\",\"zip\":2}}]}"),
        "{\"items\":[{\"name\":\"x\",\"address\":{\"city\":\"y\"}}]}");
    assert_string_equal(leaves("/allow", "{\"items\":[{\"dob\":1}]}"), "{\"items\":[{}]}");
    assert_string_equal(leaves("/allow", "{\"items\":\"secret\"}"), "{}");
    assert_string_equal(leaves("/allow", "\"secret\""), "null");
    assert_string_equal(
        leaves("/allow", "{\"items\":[{\"name\":\"A012345678\"},{\"name\":2}]}"), "{\"items\":[{\"name\":2}]}");
}

static void suspicion_needs_company(void **state)
{
    (void)state;
    assert_string_equal(leaves("/list", "{\"items\":[{\"t\":\"a shelter, a shelter\"}]}"),
        "{\"items\":[{\"t\":\"a shelter, a shelter\"}]}");
    assert_string_equal(leaves("/list", "{\"items\":[{\"t\":\"a shelter\",\"u\":\"an advocate\"}]}"), "{\"items\":[]}");
}

static void lines(void **state)
{
    (void)state;
    assert_string_equal(
        leaves_lines("/lines", "{\"a\":1}\n{\"a\":\"A012345678\"}\n{\"a\":2}\n"), "{\"a\":1}\n{\"a\":2}\n");
    assert_string_equal(leaves_lines("/lines", "{\"a\":1}\n{\"a\":\"A012345678\"}"), "{\"a\":1}");
    assert_string_equal(leaves_lines("/lines", "{\"a\":\"A012345678\"}\r\n{\"a\":1}\r\n"), "{\"a\":1}\r\n");
    assert_string_equal(leaves_lines("/lines", "{\"a\":\"A012345678\"}\n"), "");
    assert_string_equal(leaves_lines("/lines", ""), "");
    assert_string_equal(leaves_lines("/lines", "\n"), ""); /* as where all lines are withheld */
    assert_string_equal(leaves_lines("/lines", "\r\n \n"), "");
    assert_string_equal(leaves_lines("/lines", "\n{\"a\":\"A012345678\"}\n"), "");
    assert_string_equal(leaves_lines("/lines", "{\"a\":1}\n{\"a\"\n{\"a\":2}\n"), "{\"a\":1}\n{\"a\":2}\n");
    assert_string_equal(leaves_lines("/plain", "{\"a\":1}\n{\"a\"\n{\"a\":2}\n"), "{\"a\":1}\n{\"a\":2}\n");
    assert_string_equal(leaves_lines("/plain", "{\"a\":1}\n{\"a\":\"A012345678\"}\n"), "(not found)");
}

static void a_flaw_withholds_its_unit(void **state)
{
    (void)state;
    assert_string_equal(leaves("/array", "[1,{\"a\":1,\"a\":2},3]"), "[1,3]");
    assert_string_equal(leaves("/array", "[1,{\"a\":1,\"\\u0061\":2},3]"), "[1,3]");
    assert_string_equal(leaves("/array", "[\"\\ud800\",3]"), "[3]");
    assert_string_equal(leaves("/array", "[\"\xff\"]"), "[]");
    assert_string_equal(leaves("/array", "[{\"\\u0000\":1}]"), "[]");
    assert_string_equal(leaves("/plain", "{\"a\":1,\"a\":2}"), "(not found)");
}

static void a_byte_order_mark_stays(void **state)
{
    (void)state;
    assert_string_equal(leaves("/array", "\xEF\xBB\xBF[\"A012345678\", 2]"), "\xEF\xBB\xBF[2]");
}

//= RFC6839 3.1
//= RFC8259 8.1
static void media_types_charsets_and_codings(void **state)
{
    (void)state;
    static const struct {
        const char *type, *charset, *coding, *body, *wanted;
    } cases[] = {
        {"application/json", "", "", "[]", "[]"},
        {"Application/JSON", "UTF-8", "identity", "[]", "[]"},
        {"application/problem+json", "utf8", "", "[]", "[]"},
        {"application/vnd.api+json", "us-ascii", "", "[\"a\"]", "[\"a\"]"},
        {"application/json", "us-ascii", "", "[\"\xC3\xA9\"]", "(format)"},
        {"application/json", "iso-8859-1", "", "[]", "(format)"},
        {"application/json", "utf-16", "", "[]", "(format)"},
        {"text/json", "", "", "[]", "[]"},
        {"application/x-ndjson", "", "", "1\n2\n", "1\n2\n"},
        {"application/ndjson", "", "", "1\n2\n", "1\n2\n"},
        {"application/jsonl", "", "", "1\n2\n", "1\n2\n"},
        {"application/json-seq", "", "", "[]", "(format)"},
        {"application/xml", "", "", "<a/>", "(format)"},
        {"text/html", "", "", "[]", "(format)"},
        {"text/plain", "", "", "[]", "(format)"},
        {"", "", "", "[]", "(format)"},
        {"+json", "", "", "[]", "(format)"},
        {"/+json", "", "", "[]", "(format)"},
        {"a/+json", "", "", "[]", "(format)"},
        {"application/json", "", "gzip", "[]", "(coding)"},
        {"application/json", "", "identity, gzip", "[]", "(coding)"},
        {"application/json", "", "", "<html>", "(malformed)"},
        {"application/json", "", "", "", "(malformed)"},
        {"application/json", "", "", "[] []", "(malformed)"},
        {"application/json", "", "", "[", "(malformed)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct engine_begin b = fixture_begin(&f, "/array", cases[i].type, RECIPIENT_RESTRICTED);
        b.charset = span_str(cases[i].charset);
        b.content_encoding = span_str(cases[i].coding);
        if (strstr(cases[i].type, "l") && cases[i].body[0] == '1')
            b.document = rules_find_document(f.profile, SPAN("/lines"));
        struct engine_outcome o = fixture_run(&f, &b, span_str(cases[i].body));
        char reason[64];
        size_t len;
        char *out = fixture_output(&o, span_str(cases[i].body), &len);
        snprintf(reason, sizeof reason, "(%s)", engine_unreadable_name(o.unreadable));
        assert_string_equal(out ? out : reason, cases[i].wanted);
        mem_free(out);
    }
}

static void what_no_profile_describes(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, NULL, "application/json", RECIPIENT_RESTRICTED);
    span body = SPAN("[{\"a\":\"A012345678\"},{\"b\":1}]");
    assert_string_equal(leaves(NULL, "[{\"a\":\"A012345678\"},{\"b\":1}]"), "[{\"b\":1}]");
    assert_string_equal(leaves(NULL, "{\"a\":\"A012345678\"}"), "(not found)");
    assert_string_equal(leaves_lines(NULL, "{\"a\":\"A012345678\"}\n1\n"), "1\n");
    b.inspect = false;
    struct engine_outcome o = fixture_run(&f, &b, body);
    assert_int_equal(o.unreadable, ENGINE_UNPROFILED);
    b.class = RECIPIENT_ENTITLED; /* gets it either way, with findings */
    o = fixture_run(&f, &b, body);
    assert_int_equal(o.unreadable, ENGINE_READABLE);
    assert_true(o.verdict.found && o.edits.identity);
    assert_int_equal(o.verdict.protected_, 1);
}

//= ICE10036.2 2.1
static void entitled_recipients_get_every_byte(void **state)
{
    (void)state;
    const char *body = "{\"total\": 7, \"items\": [ {\"a\":\"A012345678\",\"notes\":\"A000000811\",\"text\":1}, "
                       "{\"n\":1} ], \"echo\":\"A012345678\" } ";
    assert_string_equal(leaves_as("/list", "application/json", span_str(body), RECIPIENT_ENTITLED), body);
    struct engine_begin b = fixture_begin(&f, "/list", "application/json", RECIPIENT_ENTITLED);
    struct engine_outcome o = fixture_run(&f, &b, span_str(body));
    assert_true(o.edits.identity && o.verdict.found && !o.verdict.document_withheld);
    assert_int_equal(o.verdict.seen, 3); /* two items, and the document for what its echo says */
    assert_int_equal(o.verdict.protected_, 2);
    assert_int_equal(o.verdict.withheld_count, 0);
    assert_int_equal(o.verdict.subject_count, 2);
    assert_string_equal(leaves_as("/list", "text/html", span_str(body), RECIPIENT_ENTITLED), "(format)");
}

static void nothing_found_leaves_byte_for_byte(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, "/list", "application/json", RECIPIENT_RESTRICTED);
    struct engine_outcome o = fixture_run(&f, &b, SPAN("{\"items\" : [ {} ,{\"associates\":[]}], \"total\" : 2}"));
    assert_true(o.edits.identity);
    assert_false(o.verdict.found);
    assert_int_equal(o.verdict.disclosed, 2);
}

/* ---- limits -------------------------------------------------------------------------------------------------------
 */

static char *nested(int depth, const char *inside)
{
    char *s = mem_alloc((size_t)depth * 2 + strlen(inside) + 1);
    memset(s, '[', (size_t)depth);
    strcpy(s + depth, inside);
    memset(s + strlen(s), ']', (size_t)depth);
    return s;
}

static const char *at_depth(int depth, const char *inside)
{
    char *body = nested(depth, inside);
    const char *got = leaves("/array", body);
    const char *kind = got[0] == '(' ? got : strcmp(got, body) == 0 ? "same" : got;
    mem_free(body);
    return kind;
}

static void depth_is_judged_on_what_stays_visible(void **state)
{
    (void)state;
    assert_string_equal(at_depth(64, ""), "same"); /* the limit of the fixture */
    assert_string_equal(at_depth(65, ""), "(depth)");
    assert_string_equal(at_depth(65, "\"A012345678\""), "[]"); /* withheld: as if it had never been there */
    assert_string_equal(at_depth(128, "\"A012345678\""), "[]");
    assert_string_equal(at_depth(129, "\"A012345678\""), "(depth)"); /* the raw bound */
}

/* {"items":[ {"p":"xxx…"}, {"id":1} ]} with the first unit of exactly `size` bytes. */
static char *padded(size_t size, const char *extra)
{
    char *s = mem_alloc(size + 64);
    size_t n = (size_t)sprintf(s, "{\"items\":[{%s\"p\":\"", extra), begin = strlen("{\"items\":[");
    while (n - begin < size - 2)
        s[n++] = 'x';
    strcpy(s + n, "\"},{\"id\":1}]}");
    return s;
}

static const char *with_unit_of(size_t size, const char *extra)
{
    char *body = padded(size, extra);
    const char *got = leaves("/list", body);
    const char *kind = got[0] == '(' ? got : strcmp(got, body) == 0 ? "same" : strlen(got) < 64 ? got : "other";
    mem_free(body);
    return kind;
}

static void records_are_judged_on_what_stays_visible(void **state)
{
    (void)state;
    f.limits.record = 200;
    assert_string_equal(with_unit_of(200, ""), "same");
    assert_string_equal(with_unit_of(201, ""), "{\"items\":[{\"id\":1}]}");
    assert_string_equal(with_unit_of(400, ""), "{\"items\":[{\"id\":1}]}");
    assert_string_equal(with_unit_of(401, ""), "(record)");
    /* 12 bytes of text and separator go: 200 stay. */
    assert_string_equal(with_unit_of(211, "\"text\":1234,"), "other");
    assert_string_equal(with_unit_of(212, "\"text\":1234,"), "other");
    assert_string_equal(with_unit_of(213, "\"text\":1234,"), "{\"items\":[{\"id\":1}]}");
    f.limits.record = 1 << 16;
}

static void an_inner_unit_too_large_goes_alone(void **state)
{
    (void)state;
    f.limits.record = 40;
    assert_string_equal(
        leaves("/list",
            "{\"items\":[{\"id\":1,\"associates\":[{\"p\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"},{\"q\":1}]}]}"),
        "{\"items\":[{\"id\":1,\"associates\":[{\"q\":1}]}]}");
    assert_string_equal(leaves("/list", "{\"items\":[{\"id\":1,\"associates\":[{\"p\":\"A012345678\"},{\"q\":1}]}]}"),
        "{\"items\":[{\"id\":1,\"associates\":[{\"q\":1}]}]}");
    f.limits.record = 1 << 16;
}

static void documents_are_judged_on_what_stays_visible(void **state)
{
    (void)state;
    f.limits.document = 20;
    assert_string_equal(leaves("/array", "[\"xxxxxxxxxxxxxxxx\"]"), "[\"xxxxxxxxxxxxxxxx\"]");
    assert_string_equal(leaves("/array", "[\"xxxxxxxxxxxxxxxxx\"]"), "(document)");
    assert_string_equal(leaves("/array", "[\"xxxxxxxxxxxxxxxx\",\"A012345678\"]"), "[\"xxxxxxxxxxxxxxxx\"]");
    assert_string_equal(leaves("/array", "[1,\"A012345678\",\"A012345678\",\"A01234567\"]"), "(document)"); /* 41 raw */
    assert_string_equal(leaves_as("/array", "application/json", SPAN("[\"xxxxxxxxxxxxxxxxx\"]"), RECIPIENT_ENTITLED),
        "[\"xxxxxxxxxxxxxxxxx\"]");
    f.limits.document = 1 << 20;
}

/* ---- feeding ------------------------------------------------------------------------------------------------------
 */

/* In windows that move, at every split point. */
static void every_split_gives_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type, *body, *wanted;
    } cases[] = {
        {"/list", "application/json",
            "{\"total\": 3, \"items\": [\n {\"n\":\"\\ud83d\\ude00\"},\n {\"a\":\"A0123\\u00345678\"},\n "
            "{\"arn\":12345678,\"x\":[{}]}\n], \"echo\":\"\xC3\xA9\"}",
            "{\"total\": 1, \"items\": [\n {\"n\":\"\\ud83d\\ude00\"}\n]}"},
        {"/lines", "application/x-ndjson", "{\"a\":1}\r\n{\"a\":\"A012345678\"}\r\n\r\n{bad\r\n{\"a\":2}",
            "{\"a\":1}\r\n\r\n{\"a\":2}"},
        {"/one", "application/json", "{\"x\":[1,2,{\"y\":null}],\"associates\":[ \"A012345678\" ]}",
            "{\"x\":[1,2,{\"y\":null}],\"associates\":[]}"},
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        span body = span_str(cases[c].body);
        const char *wanted = c == 1 ? leaves_lines("/lines", cases[c].body) : cases[c].wanted;
        char *kept = mem_strdup(wanted);
        for (size_t split = 0; split <= body.len; split++) {
            struct engine_begin b = fixture_begin(&f, cases[c].path, cases[c].type, RECIPIENT_RESTRICTED);
            struct engine_outcome o;
            size_t len;
            engine_start(f.engine, &b);
            uint8_t *head = mem_copy(body.ptr, split);
            assert_true(engine_feed(f.engine, span_of(split ? head : NULL, split)));
            mem_free_wipe(head, split);
            engine_finish(f.engine, body, true, &o);
            char *out = fixture_output(&o, body, &len);
            assert_non_null(out);
            assert_string_equal(out, kept);
            mem_free(out);
            arena_reset(f.arena);
        }
        mem_free(kept);
    }
}

static void byte_by_byte_gives_the_same(void **state)
{
    (void)state;
    span body = SPAN("{\"total\": 2, \"items\": [\n {\"n\":1},\n {\"a\":\"A012345678\"}\n]}");
    struct engine_begin b = fixture_begin(&f, "/list", "application/json", RECIPIENT_RESTRICTED);
    struct engine_outcome o;
    size_t len;
    engine_start(f.engine, &b);
    for (size_t i = 0; i <= body.len; i++)
        assert_true(engine_feed(f.engine, span_sub(body, 0, i)));
    engine_finish(f.engine, body, true, &o);
    char *out = fixture_output(&o, body, &len);
    assert_string_equal(out, "{\"total\": 1, \"items\": [\n {\"n\":1}\n]}");
    mem_free(out);
}

static void what_is_cut_short_is_unreadable(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, "/array", "application/json", RECIPIENT_RESTRICTED);
    struct engine_outcome o;
    engine_start(f.engine, &b);
    assert_true(engine_feed(f.engine, SPAN("[1]")));
    engine_finish(f.engine, SPAN("[1]"), false, &o);
    assert_int_equal(o.unreadable, ENGINE_CUT_SHORT);
    engine_start(f.engine, &b);
    engine_finish(f.engine, (span){0}, false, &o);
    assert_int_equal(o.unreadable, ENGINE_CUT_SHORT);
}

static void the_first_reason_stands(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, "/array", "application/json", RECIPIENT_RESTRICTED);
    struct engine_outcome o;
    char body[256] = "[1,}";
    memset(body + 4, ' ', 200); /* the reader looks at blocks */
    engine_start(f.engine, &b);
    assert_false(engine_feed(f.engine, span_str(body)));
    assert_false(engine_feed(f.engine, span_str(body)));
    engine_finish(f.engine, (span){0}, false, &o); /* the body was given up meanwhile */
    assert_int_equal(o.unreadable, ENGINE_MALFORMED);
    assert_int_equal(o.unreadable_at, 3);
}

static void a_survey_is_kept_on_demand_only(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, "/array", "application/json", RECIPIENT_RESTRICTED);
    fixture_run(&f, &b, SPAN("[\"A012345678\"]"));
    assert_null(engine_survey(f.engine));
    b.keep_survey = true;
    fixture_run(&f, &b, SPAN("[\"A012345678\"]"));
    const struct match_survey *s = engine_survey(f.engine);
    assert_non_null(s);
    assert_int_equal(s->finding_count, 1);
    assert_int_equal(s->findings[0].at, 2);
    engine_reset(f.engine);
    assert_null(engine_survey(f.engine));
    fixture_run(&f, &b, SPAN("[\"A012345678\""));
    assert_null(engine_survey(f.engine));
}

static void an_engine_may_be_started_anew_at_any_time(void **state)
{
    (void)state;
    struct engine_begin b = fixture_begin(&f, "/array", "application/json", RECIPIENT_RESTRICTED);
    engine_start(f.engine, &b);
    assert_true(engine_feed(f.engine, SPAN("{\"half")));
    assert_string_equal(leaves("/array", "[\"A012345678\",1]"), "[1]");
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static const char failing_body[] = "{\"total\":3,\"items\":[{\"a\":\"A0123\\u00345678\",\"t\":\"shelter "
                                   "advocate\"},{\"n\":1,\"associates\":[\"A012345678\",2]},{\"n\":2}]}";

/* Memory that runs out anywhere: unreadable, and nothing leaves. */
static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    bool through = false;
    for (uint64_t n = 1; !through; n++) {
        assert_true(n < 10000);
        struct arena *arena = arena_new(1 << 20);
        struct engine_begin b = fixture_begin(&f, "/list", "application/json", RECIPIENT_RESTRICTED);
        struct engine_outcome o;
        b.arena = arena;
        fault_arm("malloc", n);
        struct engine *e = engine_new(f.rules, CPU_PORTABLE);
        bool made = e != NULL;
        if (made) {
            engine_start(e, &b);
            engine_finish(e, span_str(failing_body), true, &o);
        }
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (made) {
            assert_true(o.unreadable == ENGINE_MEMORY || o.unreadable == ENGINE_READABLE);
            if (through) assert_int_equal(o.unreadable, ENGINE_READABLE);
            if (o.unreadable == ENGINE_READABLE)
                assert_int_equal(o.verdict.withheld_count, 2);
            else
                assert_int_equal(o.edits.count, 0);
        }
        engine_free(e);
        arena_free(arena);
    }
}

static void a_full_arena_is_said(void **state)
{
    (void)state;
    bool through = false;
    for (size_t cap = 0; !through; cap += 16) {
        assert_true(cap < 1 << 20);
        struct arena *arena = arena_new(cap);
        struct engine_begin b = fixture_begin(&f, "/list", "application/json", RECIPIENT_RESTRICTED);
        b.arena = arena;
        struct engine_outcome o = fixture_run(&f, &b, span_str(failing_body));
        through = o.unreadable == ENGINE_READABLE;
        if (!through) assert_int_equal(o.unreadable, ENGINE_MEMORY);
        if (!through) assert_int_equal(o.edits.count, 0);
        arena_free(arena);
    }
}

static int open_fixture(void **state)
{
    (void)state;
    return fixture_open(&f) ? 0 : -1;
}
static int close_fixture(void **state)
{
    (void)state;
    (void)leaves("/array", "x"); /* frees what the last call held */
    fixture_close(&f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protected_records_are_not_there),
        cmocka_unit_test(only_what_is_allowed_stays),
        cmocka_unit_test(suspicion_needs_company),
        cmocka_unit_test(lines),
        cmocka_unit_test(a_flaw_withholds_its_unit),
        cmocka_unit_test(a_byte_order_mark_stays),
        cmocka_unit_test(media_types_charsets_and_codings),
        cmocka_unit_test(what_no_profile_describes),
        cmocka_unit_test(entitled_recipients_get_every_byte),
        cmocka_unit_test(nothing_found_leaves_byte_for_byte),
        cmocka_unit_test(depth_is_judged_on_what_stays_visible),
        cmocka_unit_test(records_are_judged_on_what_stays_visible),
        cmocka_unit_test(an_inner_unit_too_large_goes_alone),
        cmocka_unit_test(documents_are_judged_on_what_stays_visible),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(byte_by_byte_gives_the_same),
        cmocka_unit_test(what_is_cut_short_is_unreadable),
        cmocka_unit_test(the_first_reason_stands),
        cmocka_unit_test(a_survey_is_kept_on_demand_only),
        cmocka_unit_test(an_engine_may_be_started_anew_at_any_time),
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(a_full_arena_is_said),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
