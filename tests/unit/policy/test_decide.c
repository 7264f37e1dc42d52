/* Findings → verdicts and counts, each expectation worked out from contract sections 5 to 7.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2 */
#include "policy/policy.h"
#include "support.h"

/*  piece: 0 and 3 are units of a list; 1 is a unit in 0 and 2 a unit in 1; 4 is removed for everybody and holds unit 5.
 *
 *      0 [100,200)   1 [110,190)   2 [120,180)        3 [210,300)   4 [310,400)   5 [320,390)
 */
#define U PATH_UNIT
static const struct match_piece family[] = {
    {.begin = 100, .value = 100, .end = 200, .unit_parent = MATCH_NONE, .roles = U},
    {.begin = 110,
        .value = 114,
        .end = 190,
        .unit_parent = 0,
        .roles = U,
        .unit = 1,
        .is_member = true,
        .absent_null = true},
    {.begin = 120, .value = 120, .end = 180, .unit_parent = 1, .roles = U, .unit = 2},
    {.begin = 210, .value = 210, .end = 300, .unit_parent = MATCH_NONE, .roles = U},
    {.begin = 310, .value = 320, .end = 400, .unit_parent = MATCH_NONE, .roles = PATH_UNIFORM, .removed = true},
    {.begin = 320, .value = 320, .end = 390, .unit_parent = MATCH_NONE, .roles = U, .unit = 3},
};
#define PIECES ARRAY_LEN(family)
#define NONE MATCH_NONE

struct wanted {
    const char *withheld; /* a digit a piece */
    bool document, found;
    uint64_t seen, protected_, gone, disclosed;
};

static struct arena *arena;

static struct policy_verdict decide(
    const struct match_finding *f, size_t n, enum recipient_class class, const uint8_t *oversized)
{
    struct match_survey s = {.pieces = family, .piece_count = PIECES, .findings = f, .finding_count = n};
    struct policy_verdict v;
    assert_ok(policy_decide(&s, oversized, class, arena, &v));
    return v;
}

static void check_verdict(const struct policy_verdict *v, const struct wanted *w)
{
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(v->withheld[i], w->withheld[i] - '0');
    assert_int_equal(v->document_withheld, w->document);
    assert_int_equal(v->found, w->found);
    assert_int_equal(v->seen, w->seen);
    assert_int_equal(v->protected_, w->protected_);
    assert_int_equal(v->withheld_count, w->gone);
    assert_int_equal(v->disclosed, w->disclosed);
}

static void check(const struct match_finding *f, size_t n, const struct wanted *restricted)
{
    struct policy_verdict v = decide(f, n, RECIPIENT_RESTRICTED, NULL);
    check_verdict(&v, restricted);
    /* To those who may see, nothing is withheld, and the counts of what was found are the same. */
    struct wanted entitled = {
        "000000", false, restricted->found, restricted->seen, restricted->protected_, 0, restricted->seen};
    v = decide(f, n, RECIPIENT_ENTITLED, NULL);
    check_verdict(&v, &entitled);
}

#define HIT(u)                                                                                                         \
    {                                                                                                                  \
        .at = 380, .len = 9, .unit = (u), .rule = 4, .subject = 77, .origin = MATCH_REGISTRY                           \
    }
#define TEXT(u)                                                                                                        \
    {                                                                                                                  \
        .at = 380, .len = 9, .unit = (u), .rule = 4, .subject = 78, .origin = MATCH_REGISTRY, .in_text = true          \
    }
#define MARK(u, r)                                                                                                     \
    {                                                                                                                  \
        .at = 380, .len = 9, .unit = (u), .rule = (r), .origin = MATCH_DEFINITIVE                                      \
    }
#define MAYBE(u, r)                                                                                                    \
    {                                                                                                                  \
        .at = 380, .len = 9, .unit = (u), .rule = (r), .origin = MATCH_SUSPECTED                                       \
    }
#define FLAW(u)                                                                                                        \
    {                                                                                                                  \
        .at = 380, .unit = (u), .rule = RULE_NONE, .origin = MATCH_FLAW                                                \
    }
#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        const struct match_finding f_[] = {FINDINGS};                                                                  \
        const struct wanted w_ = {__VA_ARGS__};                                                                        \
        check(f_, ARRAY_LEN(f_), &w_);                                                                                 \
    } while (0)

static void nothing_found(void **state)
{
    (void)state;
    struct wanted w = {"000000", false, false, 5, 0, 0, 4}; /* unit 5 stands where nobody restricted looks */
    check(NULL, 0, &w);
}

static void a_finding_withholds_its_innermost_unit(void **state)
{
    (void)state;
#define FINDINGS HIT(3)
    CHECK("000100", false, true, 5, 1, 1, 3);
#undef FINDINGS
#define FINDINGS HIT(2)
    CHECK("001000", false, true, 5, 1, 1, 3);
#undef FINDINGS
#define FINDINGS HIT(1)
    CHECK("010000", false, true, 5, 1, 2, 2);
#undef FINDINGS
#define FINDINGS HIT(0), HIT(2), HIT(2)
    CHECK("100000", false, true, 5, 2, 3, 1);
#undef FINDINGS
#define FINDINGS MARK(0, 9), FLAW(3)
    CHECK("100100", false, true, 5, 2, 4, 0);
#undef FINDINGS
#define FINDINGS HIT(5)
    CHECK("000001", false, true, 5, 1, 1, 4);
#undef FINDINGS
}

static void outside_every_unit_it_withholds_the_document(void **state)
{
    (void)state;
#define FINDINGS HIT(NONE)
    CHECK("000000", true, true, 6, 1, 6, 0);
#undef FINDINGS
#define FINDINGS FLAW(NONE), HIT(3)
    CHECK("000100", true, true, 6, 2, 6, 0);
#undef FINDINGS
#define FINDINGS TEXT(NONE)
    CHECK("000000", false, true, 6, 1, 0, 4);
#undef FINDINGS
}

static void findings_in_texts_withhold_nothing_but_are_counted(void **state)
{
    (void)state;
#define FINDINGS TEXT(0)
    CHECK("000000", false, true, 5, 1, 0, 4);
#undef FINDINGS
#define FINDINGS TEXT(0), HIT(0)
    CHECK("100000", false, true, 5, 1, 3, 1);
#undef FINDINGS
}

static void suspicion_needs_another_marker_in_the_same_unit(void **state)
{
    (void)state;
#define FINDINGS MAYBE(0, 7)
    CHECK("000000", false, false, 5, 0, 0, 4);
#undef FINDINGS
#define FINDINGS MAYBE(0, 7), MAYBE(0, 7)
    CHECK("000000", false, false, 5, 0, 0, 4);
#undef FINDINGS
#define FINDINGS MAYBE(0, 7), MAYBE(0, 8)
    CHECK("100000", false, true, 5, 1, 3, 1);
#undef FINDINGS
#define FINDINGS MAYBE(0, 7), MAYBE(3, 8)
    CHECK("000000", false, false, 5, 0, 0, 4);
#undef FINDINGS
#define FINDINGS MAYBE(0, 7), MAYBE(1, 8)
    CHECK("000000", false, false, 5, 0, 0, 4);
#undef FINDINGS
#define FINDINGS MAYBE(NONE, 7), MAYBE(NONE, 8)
    CHECK("000000", true, true, 6, 1, 6, 0);
#undef FINDINGS
#define FINDINGS HIT(3), MAYBE(0, 7)
    CHECK("000100", false, true, 5, 1, 1, 3);
#undef FINDINGS
}

static void suspicion_in_texts_is_about_somebody_else(void **state)
{
    (void)state;
    struct match_finding f[] = {MAYBE(0, 7), MAYBE(0, 8)};
    f[1].in_text = true;
    struct wanted neither = {"000000", false, false, 5, 0, 0, 4}, both = {"000000", false, true, 5, 1, 0, 4};
    check(f, 2, &neither);
    f[0].in_text = true;
    check(f, 2, &both);
}

static void a_finding_in_the_name_takes_the_name_along(void **state)
{
    (void)state;
    struct match_finding f[] = {HIT(1)};
    f[0].at = 111; /* before the value at 114 */
    struct wanted w = {"020000", false, true, 5, 1, 2, 2};
    check(f, 1, &w);
}

static void a_root_unit_is_the_document(void **state)
{
    (void)state;
    struct match_piece pieces[] = {
        {.begin = 0, .end = 100, .roles = U, .is_root = true, .unit_parent = NONE, .container = NONE},
        {.begin = 10, .end = 90, .roles = U, .unit_parent = 0}};
    struct match_finding f = HIT(1);
    struct match_survey s = {.pieces = pieces, .piece_count = 2, .findings = &f, .finding_count = 1};
    struct policy_verdict v;
    assert_ok(policy_decide(&s, NULL, RECIPIENT_RESTRICTED, arena, &v));
    assert_false(v.document_withheld);
    assert_int_equal(v.withheld_count, 1);
    assert_int_equal(v.disclosed, 1);
    f.unit = 0;
    assert_ok(policy_decide(&s, NULL, RECIPIENT_RESTRICTED, arena, &v));
    assert_true(v.document_withheld);
    assert_int_equal(v.seen, 2);
    assert_int_equal(v.protected_, 1);
    assert_int_equal(v.withheld_count, 2);
    assert_int_equal(v.disclosed, 0);
}

static void a_line_that_does_not_parse_is_a_record(void **state)
{
    (void)state;
    struct match_piece pieces[] = {{.begin = 0, .end = 10, .is_line = true, .unit_parent = NONE},
        {.begin = 11, .end = 20, .is_line = true, .unit_parent = NONE}};
    struct match_finding f = FLAW(1);
    struct match_survey s = {.pieces = pieces, .piece_count = 2, .findings = &f, .finding_count = 1};
    struct policy_verdict v;
    assert_ok(policy_decide(&s, NULL, RECIPIENT_RESTRICTED, arena, &v));
    assert_false(v.document_withheld);
    assert_true(v.flawed);
    assert_int_equal(v.withheld[0], POLICY_KEPT);
    assert_int_equal(v.withheld[1], POLICY_WITHHELD);
    assert_int_equal(v.seen, 1);
    assert_int_equal(v.withheld_count, 1);
}

static void oversized_units_are_findings(void **state)
{
    (void)state;
    uint8_t oversized[PIECES] = {0, 0, 1, 1, 0, 0};
    struct policy_verdict v = decide(NULL, 0, RECIPIENT_RESTRICTED, oversized);
    struct wanted w = {"001100", false, true, 5, 2, 2, 2};
    check_verdict(&v, &w);
}

static void subjects_and_rules_are_counted(void **state)
{
    (void)state;
    const struct match_finding f[] = {HIT(3), HIT(3), TEXT(0), MARK(0, 9), FLAW(0), MAYBE(0, 2), MAYBE(3, 1),
        {.at = 380, .unit = 3, .rule = 4, .origin = MATCH_LIMIT}};
    struct policy_verdict v = decide(f, ARRAY_LEN(f), RECIPIENT_RESTRICTED, NULL);
    assert_int_equal(v.subject_count, 2);
    assert_int_equal(v.subjects[0], 77);
    assert_int_equal(v.subjects[1], 78);
    assert_true(v.flawed);
    assert_int_equal(v.rule_count, 3); /* rule 1 was suspected alone */
    const struct policy_rule_count wanted[] = {{2, 1}, {4, 4}, {9, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(v.rules[i].rule, wanted[i].rule);
        assert_int_equal(v.rules[i].count, wanted[i].count);
    }
}

static void a_full_arena_is_a_limit(void **state)
{
    (void)state;
    const struct match_finding f[] = {HIT(3), MAYBE(0, 2), MAYBE(0, 1)};
    struct match_survey s = {.pieces = family, .piece_count = PIECES, .findings = f, .finding_count = 3};
    bool through = false;
    for (size_t cap = 0; !through; cap += 16) {
        struct arena *small = arena_new(cap);
        struct policy_verdict v;
        result r = policy_decide(&s, NULL, RECIPIENT_RESTRICTED, small, &v);
        through = is_ok(r);
        if (!through)
            assert_fails(r, ERROR_LIMIT);
        else
            assert_int_equal(v.withheld_count, 4);
        arena_free(small);
        assert_true(cap < 65536);
    }
}

static int make_arena(void **state)
{
    (void)state;
    return (arena = arena_new(1 << 20)) ? 0 : -1;
}
static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_found),
        cmocka_unit_test(a_finding_withholds_its_innermost_unit),
        cmocka_unit_test(outside_every_unit_it_withholds_the_document),
        cmocka_unit_test(findings_in_texts_withhold_nothing_but_are_counted),
        cmocka_unit_test(suspicion_needs_another_marker_in_the_same_unit),
        cmocka_unit_test(suspicion_in_texts_is_about_somebody_else),
        cmocka_unit_test(a_finding_in_the_name_takes_the_name_along),
        cmocka_unit_test(a_root_unit_is_the_document),
        cmocka_unit_test(a_line_that_does_not_parse_is_a_record),
        cmocka_unit_test(oversized_units_are_findings),
        cmocka_unit_test(subjects_and_rules_are_counted),
        cmocka_unit_test(a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
