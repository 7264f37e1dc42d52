/* Joined units to a fixed point. Surveys are made by hand: piece i is [10 i, 10 i + 9) of a flat list.
 *
 *= ICE10036.2 2.1 */
#include "policy/policy.h"
#include "support.h"

#define MOST 200000
static struct arena *arena;
static struct match_piece pieces[MOST];
static struct match_link links[MOST * 2];
static uint8_t text[MOST * 8];
static struct match_survey survey;

static void begin(size_t count)
{
    arena_reset(arena);
    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct match_piece){
            .begin = 10 * i, .value = 10 * i, .end = 10 * i + 9, .unit_parent = MATCH_NONE, .roles = PATH_UNIT};
    survey = (struct match_survey){.pieces = pieces, .piece_count = count, .links = links, .link_text = text};
}

/* A hash that tells little, so that texts decide. */
static void join(uint32_t piece, uint32_t value, unsigned part)
{
    uint32_t at = (uint32_t)survey.link_count * 4;
    memcpy(text + at, &value, sizeof value);
    links[survey.link_count++] = (struct match_link){
        .hash = value % 7, .text = at, .len = 4, .piece = piece, .part = (uint8_t)part};
}

static struct policy_verdict decide(const struct match_finding *f, size_t n)
{
    struct policy_verdict v;
    survey.findings = f;
    survey.finding_count = n;
    assert_ok(policy_decide(&survey, NULL, RECIPIENT_RESTRICTED, arena, &v));
    return v;
}

#define TELLS MATCH_TELLS
#define FOLLOWS MATCH_FOLLOWS
#define BOTH (MATCH_TELLS | MATCH_FOLLOWS)
#define HIT(u)                                                                                                         \
    {                                                                                                                  \
        .at = 10 * (u) + 1, .unit = (u), .rule = RULE_NONE, .origin = MATCH_DEFINITIVE                                            \
    }

static void check(const struct policy_verdict *v, const char *withheld)
{
    for (size_t i = 0; i < strlen(withheld); i++)
        if (v->withheld[i] != withheld[i] - '0') fail_msg("piece %zu is %d", i, v->withheld[i]);
}

static void a_link_goes_one_way_and_a_shared_link_both(void **state)
{
    const struct match_finding first[] = {HIT(0)}, second[] = {HIT(1)};
    (void)state;
    begin(3);
    join(0, 5, TELLS); /* a key */
    join(1, 5, BOTH);  /* a link */
    join(2, 6, BOTH);
    struct policy_verdict v = decide(first, 1);
    check(&v, "110");
    assert_int_equal(v.protected_, 2);
    assert_int_equal(v.withheld_count, 2);
    assert_int_equal(v.disclosed, 1);
    v = decide(second, 1);
    check(&v, "010"); /* nobody goes because somebody who is withheld names him */
    begin(2);
    join(0, 5, BOTH);
    join(1, 5, BOTH);
    v = decide(second, 1);
    check(&v, "11");
}

static void links_and_ids_are_different_things(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    (void)state;
    begin(2);
    join(0, 5, BOTH);
    join(1, 5, BOTH | MATCH_GRAPH);
    struct policy_verdict v = decide(f, 1);
    check(&v, "10");
}

/* Each takes the next along, to the end of a long row; the work is linear, or this would not end. */
static void to_a_fixed_point(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    (void)state;
    begin(MOST);
    for (uint32_t i = 0; i < MOST; i++) {
        join(i, i, TELLS);
        join(i, i - 1, FOLLOWS);
    }
    struct policy_verdict v = decide(f, 1);
    assert_int_equal(v.withheld_count, MOST);
    begin(MOST);
    for (uint32_t i = 0; i < MOST; i++)
        join(i, 1, BOTH); /* all share one */
    v = decide(f, 1);
    assert_int_equal(v.withheld_count, MOST);
}

static void a_link_outside_every_unit_is_the_document(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    (void)state;
    begin(2);
    join(0, 5, TELLS);
    join(MATCH_NONE, 5, BOTH);
    assert_true(decide(f, 1).document_withheld);
    begin(2);
    join(MATCH_NONE, 5, BOTH); /* it tells of nobody */
    join(0, 5, BOTH);
    struct policy_verdict v = decide(f, 1);
    assert_true(v.document_withheld);
}

/* 0 holds 1 and 2; 3 stands beside. */
static struct rules_document_view graph_view = {.has_graph = true};
static void begin_graph(void)
{
    begin(4);
    pieces[0].end = 29;
    pieces[1].unit_parent = pieces[2].unit_parent = 0;
    survey.document = &graph_view;
    for (size_t i = 0; i < 4; i++)
        pieces[i].is_object = true;
}

static void what_stays_must_not_point_to_what_does_not(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    (void)state;
    begin_graph();
    join(1, 5, BOTH | MATCH_DEFINES | MATCH_GRAPH);
    join(3, 5, FOLLOWS | MATCH_STANDS | MATCH_GRAPH);
    struct policy_verdict v = decide(f, 1);
    assert_true(v.dangling && v.document_withheld);
    join(3, 5, BOTH | MATCH_DEFINES | MATCH_GRAPH); /* the same object again, beside */
    v = decide(f, 1);
    assert_false(v.dangling || v.document_withheld);
    begin_graph();
    join(3, 5, FOLLOWS | MATCH_STANDS | MATCH_GRAPH); /* it pointed nowhere before */
    assert_false(decide(f, 1).dangling);
}

static void orphans_go_with_the_last_reference(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    (void)state;
    begin_graph();
    pieces[3].roles |= PATH_ORPHAN;
    join(3, 5, BOTH | MATCH_DEFINES | MATCH_GRAPH);
    struct policy_verdict v = decide(f, 1);
    check(&v, "1000"); /* nothing ever pointed to it */
    join(2, 5, FOLLOWS | MATCH_STANDS | MATCH_GRAPH);
    v = decide(f, 1);
    check(&v, "1001");
    join(MATCH_NONE, 5, FOLLOWS | MATCH_STANDS | MATCH_GRAPH);
    v = decide(f, 1);
    check(&v, "1000");
}

/* 1 has no id; what is found there goes with it where it goes anyway, else it is the matter of 0 around it. */
static void a_finding_goes_with_the_role(void **state)
{
    const struct match_finding role[] = {HIT(1)}, both[] = {HIT(1), HIT(3)};
    (void)state;
    begin_graph();
    pieces[1].roles = 0;
    pieces[1].says = 1;
    join(3, 5, BOTH | MATCH_DEFINES | MATCH_GRAPH);
    join(1, 5, FOLLOWS | MATCH_STANDS | MATCH_GRAPH);
    struct policy_verdict v = decide(role, 1);
    check(&v, "1000");
    v = decide(both, 2);
    check(&v, "0101");
    assert_int_equal(v.seen, 3); /* a role is no record */
    assert_int_equal(v.protected_, 1);
}

static void a_full_arena_is_a_limit(void **state)
{
    const struct match_finding f[] = {HIT(0)};
    bool through = false;
    (void)state;
    begin(3);
    join(0, 5, TELLS);
    join(1, 5, BOTH);
    survey.findings = f;
    survey.finding_count = 1;
    for (size_t cap = 0; !through; cap += 16) {
        struct arena *small = arena_new(cap);
        struct policy_verdict v;
        result r = policy_decide(&survey, NULL, RECIPIENT_RESTRICTED, small, &v);
        through = is_ok(r);
        if (!through)
            assert_fails(r, ERROR_LIMIT);
        else
            assert_int_equal(v.withheld_count, 2);
        arena_free(small);
        assert_true(cap < 65536);
    }
}

static int make_arena(void **state)
{
    (void)state;
    return (arena = arena_new((size_t)128 << 20)) ? 0 : -1;
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
        cmocka_unit_test(a_link_goes_one_way_and_a_shared_link_both),
        cmocka_unit_test(links_and_ids_are_different_things),
        cmocka_unit_test(to_a_fixed_point),
        cmocka_unit_test(a_link_outside_every_unit_is_the_document),
        cmocka_unit_test(what_stays_must_not_point_to_what_does_not),
        cmocka_unit_test(orphans_go_with_the_last_reference),
        cmocka_unit_test(a_finding_goes_with_the_role),
        cmocka_unit_test(a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
