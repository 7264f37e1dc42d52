/* The library's public face, used as another program would. */
#include "engine/fixture.h"
#include "gate1367/gate1367.h"
#include "support.h"

static gate1367_rules *rules;
static gate1367_registry *registry;
static struct registry_builder *builder;
static struct problems *problems;
static const uint8_t key[32] = "another key of a test, no secret";

static gate1367_document document(const char *path, int entitled)
{
    return (gate1367_document){
        .registry = registry, .profile = "p", .path = path, .media_type = "application/json", .entitled = entitled};
}

/* Output joined, NUL-terminated. */
static char *joined(gate1367_inspector *i)
{
    struct buf out;
    gate1367_run run;
    buf_init(&out, 1 << 20);
    while (gate1367_output(i, &run))
        assert_ok(buf_append(&out, span_of(run.bytes, run.len)));
    assert_ok(buf_append(&out, span_of("", 1)));
    char *text = mem_copy(buf_span(&out).ptr, buf_len(&out));
    buf_free(&out);
    return text;
}

static const char body[] = "{\"total\": 2, \"items\": [ {\"n\":1}, {\"a\":\"A012345678\",\"t\":\"shelter\"} ]}";

static void a_document_piece_by_piece(void **state)
{
    (void)state;
    gate1367_inspector *i = gate1367_inspector_new(rules);
    gate1367_document d = document("/list", 0);
    for (size_t piece = 1; piece < sizeof body; piece++) {
        assert_int_equal(gate1367_open(i, &d), 1);
        for (size_t at = 0; at < sizeof body - 1; at += piece) {
            char copy[sizeof body];
            size_t len = sizeof body - 1 - at < piece ? sizeof body - 1 - at : piece;
            memcpy(copy, body + at, len);
            assert_int_equal(gate1367_feed(i, copy, len), 1);
            memset(copy, 'x', len); /* fed bytes are copied */
        }
        assert_int_equal(gate1367_finish(i, 1), GATE1367_DELIVER);
        char *text = joined(i);
        assert_string_equal(text, "{\"total\": 1, \"items\": [ {\"n\":1} ]}");
        assert_int_equal(gate1367_unchanged(i), 0);
        mem_free(text);
        gate1367_close(i);
    }
    gate1367_inspector_free(i);
}

static void findings_and_counts_for_insiders(void **state)
{
    (void)state;
    gate1367_inspector *i = gate1367_inspector_new(rules);
    gate1367_document d = document("/list", 1);
    assert_int_equal(gate1367_open(i, &d), 1);
    assert_int_equal(gate1367_feed(i, body, sizeof body - 1), 1);
    assert_int_equal(gate1367_finish(i, 1), GATE1367_DELIVER);
    assert_string_equal(gate1367_reason(i), "readable");
    assert_int_equal(gate1367_unchanged(i), 1);
    char *text = joined(i);
    assert_string_equal(text, body);
    mem_free(text);
    gate1367_finding f;
    bool registered = false, suspected = false;
    while (gate1367_next_finding(i, &f)) {
        if (f.origin == GATE1367_REGISTERED) {
            registered = true;
            assert_string_equal(f.rule, "a-number");
            assert_string_equal(f.kind, "alien_number");
            assert_int_not_equal(f.subject, 0);
            assert_memory_equal(body + f.at, "A012345678", f.len);
        } else {
            suspected = true;
            assert_int_equal(f.origin, GATE1367_SUSPECTED);
            assert_string_equal(f.rule, "shelter");
        }
    }
    assert_true(registered && suspected);
    gate1367_records r = gate1367_counts(i);
    assert_int_equal(r.seen, 2);
    assert_int_equal(r.protected_, 1);
    assert_int_equal(r.withheld, 0);
    assert_int_equal(r.disclosed, 2);
    gate1367_close(i);
    assert_int_equal(gate1367_output(i, &(gate1367_run){0}), 0);
    assert_int_equal(gate1367_next_finding(i, &f), 0);
    gate1367_inspector_free(i);
}

static gate1367_verdict verdict_of(gate1367_inspector *i, const gate1367_document *d, const char *text, int complete)
{
    assert_int_equal(gate1367_open(i, d), 1);
    (void)gate1367_feed(i, text, strlen(text));
    gate1367_verdict v = gate1367_finish(i, complete);
    if (v != GATE1367_DELIVER) assert_int_equal(gate1367_output(i, &(gate1367_run){0}), 0);
    return v;
}

static void what_may_not_leave(void **state)
{
    (void)state;
    gate1367_inspector *i = gate1367_inspector_new(rules);
    gate1367_document d = document("/one", 0);
    assert_int_equal(verdict_of(i, &d, "{\"a\":\"A012345678\"}", 1), GATE1367_NOT_FOUND);
    gate1367_answer miss = gate1367_miss(i);
    assert_int_equal(miss.status, 404);
    assert_string_equal(miss.type, "application/problem+json");
    assert_memory_equal(miss.body, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}", miss.len);
    assert_int_equal(verdict_of(i, &d, "{\"a\":", 1), GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "malformed");
    assert_int_equal(verdict_of(i, &d, "{}", 0), GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "cut short");
    d.media_type = "text/html";
    assert_int_equal(verdict_of(i, &d, "{}", 1), GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "format");
    d = document("/nothing/there", 0);
    assert_int_equal(verdict_of(i, &d, "{}", 1), GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "unprofiled");
    d.inspect = 1;
    assert_int_equal(verdict_of(i, &d, "{}", 1), GATE1367_DELIVER);
    d.profile = NULL;
    assert_int_equal(verdict_of(i, &d, "{\"a\":\"A012345678\"}", 1), GATE1367_NOT_FOUND);
    d.profile = "nobody";
    assert_int_equal(gate1367_open(i, &d), 0);
    gate1367_inspector_free(i);
}

static void limits_bound_what_is_kept(void **state)
{
    (void)state;
    gate1367_inspector *i = gate1367_inspector_new(rules);
    gate1367_document d = document("/array", 0);
    d.document = 10;
    assert_int_equal(verdict_of(i, &d, "[1,2,3,44]", 1), GATE1367_DELIVER);
    assert_int_equal(verdict_of(i, &d, "[1,2,3,444]", 1), GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "document");
    assert_int_equal(verdict_of(i, &d, "[1,2,3,444,                                                       5]", 1),
        GATE1367_UNREADABLE);
    assert_string_equal(gate1367_reason(i), "document");
    gate1367_inspector_free(i);
}

static void wrong_packs_are_explained(void **state)
{
    (void)state;
    char *text = NULL;
    gate1367_pack pack = {"bad.json", "{\"format\":1,\"pack\":\"x\",\"version\":\"1\",\"profile\":[]}", 52};
    pack.len = strlen(pack.text);
    assert_null(gate1367_rules_load(&pack, 1, &text));
    assert_non_null(text);
    assert_non_null(strstr(text, "bad.json:1:"));
    gate1367_text_free(text);
    assert_null(gate1367_rules_load(&pack, 1, NULL));
    pack.len = 3;
    assert_null(gate1367_rules_load(&pack, 1, &text));
    gate1367_text_free(text);
}

static void an_index_of_another_key_is_refused(void **state)
{
    (void)state;
    uint64_t zeros[64] = {0};
    const char *why = NULL;
    assert_null(gate1367_registry_open(zeros, sizeof zeros, key, &why));
    assert_non_null(why);
    assert_null(gate1367_registry_open(zeros, 0, key, NULL));
}

/* The whole life with every allocation failing once. */
static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    bool through = false;
    for (uint64_t n = 1; !through; n++) {
        assert_true(n < 10000);
        fault_arm("malloc", n);
        gate1367_inspector *i = gate1367_inspector_new(rules);
        gate1367_verdict v = GATE1367_UNREADABLE;
        if (i) {
            gate1367_document d = document("/list", 0);
            if (gate1367_open(i, &d)) (void)gate1367_feed(i, body, sizeof body - 1);
            v = gate1367_finish(i, 1);
        }
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (i && v == GATE1367_DELIVER) {
            char *text = joined(i);
            assert_string_equal(text, "{\"total\": 1, \"items\": [ {\"n\":1} ]}");
            mem_free(text);
        } else
            assert_false(through);
        if (i && v == GATE1367_UNREADABLE) assert_string_equal(gate1367_reason(i), "memory");
        gate1367_inspector_free(i);
    }
}

static int open_all(void **state)
{
    (void)state;
    char *text = NULL;
    const char *why = NULL;
    span image;
    gate1367_pack pack = {"fixture.json", fixture_pack(), 0};
    pack.len = strlen(pack.text);
    rules = gate1367_rules_load(&pack, 1, &text);
    gate1367_text_free(text);
    problems = problems_new();
    builder = registry_builder_new(key, problems);
    if (!is_ok(registry_builder_source(builder, "people.jsonl", span_str(fixture_people)))) return -1;
    if (!is_ok(registry_builder_finish(builder, 1, 0, &image))) return -1;
    registry = gate1367_registry_open(image.ptr, image.len, key, &why);
    return rules && registry && !why ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    gate1367_registry_close(registry);
    gate1367_rules_free(rules);
    registry_builder_free(builder);
    problems_free(problems);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_piece_by_piece),
        cmocka_unit_test(findings_and_counts_for_insiders),
        cmocka_unit_test(what_may_not_leave),
        cmocka_unit_test(limits_bound_what_is_kept),
        cmocka_unit_test(wrong_packs_are_explained),
        cmocka_unit_test(an_index_of_another_key_is_refused),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
