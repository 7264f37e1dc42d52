/* What happens when something runs out: memory, backtracking, literals at the edge of a block. */
#include "rules/support.h"

static const char mixed[] =
    "{\"format\":1,\"pack\":\"p\",\"version\":\"1\","
    "\"identifiers\":[{\"id\":\"slow\",\"title\":\"t\",\"why\":\"w\",\"kind\":\"passport\",\"pattern\":\"((?:a+)+)$\","
    "\"labels\":[\"slow*\"],"
    "\"where\":\"labelled\",\"bare\":\"labelled\",\"tests\":{\"match\":[\"a\"],\"ignore\":[\"b\"]}}],"
    "\"markers\":[{\"id\":\"m\",\"title\":\"t\",\"why\":\"w\",\"pattern\":\"(?i)needle\\\\d\",\"literals\":[\"needle\"]"
    ","
    "\"strength\":\"suspected\",\"tests\":{\"match\":[\"needle1\"],\"ignore\":[\"b\"]}},"
    "{\"id\":\"n\",\"title\":\"t\",\"why\":\"w\",\"pattern\":\"(x+x+)+[yz]\",\"values\":[\"T1\"],\"labels\":[\"coa\"],"
    "\"strength\":\"definitive\",\"tests\":{\"match\":[\"a\"],\"ignore\":[\"b\"]}}],"
    "\"profiles\":[{\"id\":\"q\",\"title\":\"t\",\"system\":\"s\",\"documents\":[{\"path\":\"/x/{id}/"
    "*\",\"units\":[\"$..a[*]\",\"$.b['c d']\"],"
    "\"keys\":{\"person_id\":[\"$..id\"]},\"counts\":{\"$.n\":\"$..a[*]\"},\"texts\":[\"$.t\"],\"allow\":[\"$.a\"],"
    "\"query\":{\"f\":\"any\"},\"miss\":{\"status\":404,\"type\":\"a/b\",\"body\":\"no\"}}]}]}";

struct outcome {
    size_t calls, limits;
};

static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct outcome *o = ctx;
    assert_string_equal(rule->name, "slow");
    assert_true(value.ptr >= where.ptr);
    o->calls++, o->limits += limit;
}

static void see_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    struct outcome *o = ctx;
    (void)rule, (void)where;
    o->calls++, o->limits += limit;
}

/* An expression that backtracks without end is taken for a match.
 *= 10-domain 2.2 */
static void test_match_limit_is_a_match(void **state)
{
    struct loaded l = load_text(mixed);
    struct rules_scratch *x = rules_scratch_new(l.set);
    struct outcome o = {0};
    char text[64];
    (void)state;
    assert_non_null(x);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    label_set slow = rules_labels(l.set, SPAN("slowField"), 0);
    rules_scan_identifiers(l.set, x, span_of(text, sizeof text), slow, see_candidate, &o);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.limits, 1);
    assert_int_equal(rules_scratch_limits(x), 1);
    memset(text, 'x', sizeof text);
    o = (struct outcome){0};
    rules_scan_markers(l.set, x, span_of(text, sizeof text), rules_labels(l.set, SPAN("coa"), 0), true, see_marker, &o);
    assert_int_equal(o.limits, 1);
    assert_int_equal(rules_scratch_limits(x), 2);
    o = (struct outcome){0};
    rules_scan_identifiers(
        l.set, x, span_of(text, sizeof text), 0, see_candidate, &o); /* without its label: not tried */
    assert_int_equal(o.calls, 0);
    rules_scan_identifiers(l.set, x, span_of(NULL, 0), slow, see_candidate, &o);
    assert_int_equal(o.calls, 0);
    rules_scratch_free(x);
    loaded_free(&l);
}

/* The deepest recursion that a pattern may ask for ends in the JIT stack's limit or the match limit, never in ours. */
static void test_long_text(void **state)
{
    struct loaded l = load_text(mixed);
    struct rules_scratch *x = rules_scratch_new(l.set);
    struct outcome o = {0};
    size_t len = 4 << 20;
    char *text = malloc(len);
    (void)state;
    assert_true(x && text);
    memset(text, 'x', len);
    memcpy(text + len - 7, "NEEDLE7", 7);
    rules_scan_markers(l.set, x, span_of(text, len), rules_labels(l.set, SPAN("coa"), 0), true, see_marker, &o);
    assert_int_equal(o.calls, 2);
    free(text);
    rules_scratch_free(x);
    loaded_free(&l);
}

static void see_literal(void *ctx, uint64_t end)
{
    bool *ends = ctx;
    ends[end] = true;
}

/* Cut anywhere, blocks that overlap as told see each literal.
 *= 10-domain 2.2 */
static void test_literals_at_every_cut(void **state)
{
    static const char text[] = "needleneedle NEEDLE nEeDlE needl needle";
    struct loaded l = load_text(mixed);
    struct rules_scratch *x = rules_scratch_new(l.set);
    bool expected[64] = {0};
    size_t overlap = rules_literal_overlap(l.set);
    (void)state;
    assert_non_null(x);
    assert_int_equal(overlap, 5);
    for (size_t i = 0; i + 6 < sizeof text; i++)
        if (!strncasecmp(text + i, "needle", 6)) expected[i + 6] = true;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        bool seen[64] = {0}, second[64] = {0};
        size_t from = cut > overlap ? cut - overlap : 0;
        rules_scan_literals(l.set, x, span_of(text, cut), see_literal, seen);
        rules_scan_literals(l.set, x, span_of(text + from, sizeof text - 1 - from), see_literal, second);
        for (size_t i = 0; i + from < sizeof seen; i++)
            seen[i + from] |= second[i];
        assert_memory_equal(seen, expected, sizeof seen);
    }
    rules_scratch_free(x);
    loaded_free(&l);
}

static void test_values_are_normalized(void **state)
{
    static const char *const yes[] = {"T1", "t1", "T-1", " T 1 ", "(T1)", "t.1"};
    static const char *const no[] = {"T11", "1T", "T", "", "T1 or so"};
    struct loaded l = load_text(mixed);
    struct rules_scratch *x = rules_scratch_new(l.set);
    label_set coa = rules_labels(l.set, SPAN("COA"), 0);
    (void)state;
    assert_true(rules_label_has_markers(l.set, coa));
    for (size_t i = 0; i < ARRAY_LEN(yes) + ARRAY_LEN(no); i++) {
        const char *text = i < ARRAY_LEN(yes) ? yes[i] : no[i - ARRAY_LEN(yes)];
        struct outcome o = {0};
        rules_scan_markers(l.set, x, span_str(text), coa, true, see_marker, &o);
        if (o.calls != (i < ARRAY_LEN(yes))) fail_msg("\"%s\": %zu", text, o.calls);
    }
    rules_scratch_free(x);
    loaded_free(&l);
}

/* One run of everything; false where memory ran out. */
static bool load_and_scan(void)
{
    struct problems *problems = problems_new();
    struct source *source = problems ? source_parse("p", span_str(mixed), problems) : NULL;
    struct rules_set *set = source ? rules_load(&source, 1, problems) : NULL;
    struct rules_scratch *x = set ? rules_scratch_new(set) : NULL;
    struct outcome o = {0};
    if (x) rules_scan_markers(set, x, SPAN("a needle1"), 0, true, see_marker, &o);
    if (x) assert_int_equal(o.calls, 1);
    bool done = x != NULL;
    rules_scratch_free(x);
    rules_free(set);
    source_free(source);
    if (problems) problems_free(problems);
    return done;
}

/* Each allocation fails once: no crash, no leak, no half-made set. */
static void test_every_allocation_fails_once(void **state)
{
    uint64_t n = 0;
    bool done = false;
    (void)state;
    while (!done && n < 100000) {
        fault_arm("malloc", ++n);
        done = load_and_scan();
    }
    fault_arm("malloc", 0);
    assert_true(done);
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_limit_is_a_match),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_literals_at_every_cut),
        cmocka_unit_test(test_values_are_normalized),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
