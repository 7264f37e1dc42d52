/* rules test|lint, and the way to the other verbs */
#include "cli/cli.h"
#include "cli/packs.h"
#include "cli/verbs.h"
#include "match/match.h"
#include "trial/trial.h"

/* ---- test ------------------------------------------------------------------------------------------------------- */

struct tester {
    struct packs *packs;
    struct match *match;
    struct trial *trial;
    const char *rule; /* under test */
    bool seen;
    bool json;
    unsigned passed, failed, gaps;
};

static void saw_candidate(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    struct tester *t = ctx;
    (void)kind;
    (void)canonical;
    t->seen |= strcmp(rules_name(t->packs->set, rule), t->rule) == 0;
}

/* The sample as a document of its own, through the same reader and matcher as traffic. */
static bool read_sample(struct tester *t, const json_t *sample)
{
    char *text = json_dumps(sample, JSON_COMPACT | JSON_ENCODE_ANY);
    const struct match_limits limits = {.depth = 512, .findings = 1000000};
    const struct match_survey *survey = NULL;
    if (text == NULL) return false;
    struct doc_window w = {.data = (const uint8_t *)text, .len = strlen(text), .complete = true};
    match_begin(t->match, DOC_JSON, rules_unprofiled(t->packs->set, false), NULL, &limits);
    bool good = match_feed(t->match, &w) == DOC_COMPLETE && is_ok(match_finish(t->match, &survey));
    for (size_t i = 0; good && i < survey->finding_count; i++) {
        rule_id rule = survey->findings[i].rule;
        if (rule != RULE_NONE) t->seen |= strcmp(rules_name(t->packs->set, rule), t->rule) == 0;
    }
    match_reset(t->match);
    mem_hook_free(text);
    return good;
}

/* A known gap does not fail while it is one, and fails once it is none: nobody must go on believing in it. */
static bool count_test(struct tester *t, bool good, bool todo, const struct place *at)
{
    t->gaps += todo && !good;
    t->passed += !todo && good;
    t->failed += todo == good;
    if (todo && good) place_error(at, "works now; take the \"todo\" away");
    if (todo && !good) place_warning(at, "is a known gap (\"todo\"); nothing fails until it is closed");
    return todo || good;
}

/* One object a line: what was tested, and how it ended. */
static void print_result(const char *kind, const char *name, const struct place *at, const char *expected, bool good, bool todo)
{
    json_t *line = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b}", kind, name, "file", source_name(at->source), "pointer", at->pointer,
        "expected", expected, "outcome", good ? "holds" : "does not hold", "passed", good != todo, "todo", todo);
    if (line == NULL) return;
    json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(line);
}

static void run_sample(void *ctx, const struct rules_test *test)
{
    struct tester *t = ctx;
    t->rule = test->rule;
    t->seen = false;
    bool good = read_sample(t, test->sample) && t->seen == test->expect_match;
    if (t->json) print_result("rule", test->rule, &test->at, test->expect_match ? "match" : "ignore", good, test->todo);
    if (count_test(t, good, test->todo, &test->at)) return;
    if (test->expect_match) place_error(&test->at, "%s does not match this; correct the rule or the test", test->rule);
    else place_error(&test->at, "%s matches this; correct the rule or the test", test->rule);
}

static const char *expectation_name(enum rules_expect e)
{
    switch (e) {
    case RULES_EXPECT_NOT_FOUND: return "not_found";
    case RULES_EXPECT_UNCHANGED: return "unchanged";
    case RULES_EXPECT_BODY: return "body";
    case RULES_EXPECT_TEXT: return "text";
    }
    return "";
}

static void run_answer(void *ctx, const struct rules_profile_test *test)
{
    struct tester *t = ctx;
    const char *why;
    size_t errors = problems_errors(t->packs->problems);
    bool good = trial_test(t->trial, test, &why);
    bool broken = problems_errors(t->packs->problems) > errors; /* the test itself: no gap explains that */
    bool todo = test->todo && !broken;
    if (t->json) print_result("profile", test->profile_id, &test->at, expectation_name(test->expect), good, todo);
    if (count_test(t, good, todo, &test->at)) return;
    if (why != NULL) place_error(&test->at, "%s", why);
}

static int test(struct packs *p, bool json)
{
    struct tester t = {.packs = p, .json = json};
    struct rules_scratch *scratch = rules_scratch_new(p->set);
    t.match = scratch == NULL ? NULL : match_new(p->set, scratch, cpu_level());
    t.trial = trial_new(p->set);
    bool ready = t.match != NULL && t.trial != NULL;
    if (ready) {
        match_set_observer(t.match, saw_candidate, &t);
        rules_each_test(p->set, run_sample, &t);
        rules_each_profile_test(p->set, run_answer, &t);
    }
    match_free(t.match);
    rules_scratch_free(scratch);
    trial_free(t.trial);
    if (!ready) return cli_usage("rules", "no memory");
    cli_print_problems(p->problems, false);
    if (!json) printf("%u tests, %u failed, %u known gaps\n", t.passed + t.failed + t.gaps, t.failed, t.gaps);
    return t.failed > 0 ? 1 : 0;
}

/* ---- lint ------------------------------------------------------------------------------------------------------- */

static int lint(struct packs *p, bool json)
{
    struct trial *t = trial_new(p->set);
    if (t == NULL) return cli_usage("rules", "no memory");
    trial_lint(t, p->set, p->problems);
    trial_free(t);
    cli_print_problems(p->problems, json);
    size_t found = problems_count(p->problems);
    if (!json) printf("%zu remarks\n", found);
    return found > 0 ? 1 : 0;
}

/* ---- verbs ------------------------------------------------------------------------------------------------------ */

static int with_packs(int argc, char **argv, int (*run)(struct packs *p, bool json))
{
    bool json = false;
    struct packs p;
    const struct cli_option options[] = {{"--json", &json, NULL}};
    if (!cli_verb_options("rules", &argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc < 2) return cli_usage("rules", "%s needs at least one rule pack", argv[0]);
    int status = 1;
    if (packs_open(&p, argv + 1, (size_t)argc - 1)) status = run(&p, json);
    else if (p.problems != NULL) cli_print_problems(p.problems, json);
    packs_close(&p);
    return status;
}

static int rules_test(int argc, char **argv) { return with_packs(argc, argv, test); }
static int rules_lint_(int argc, char **argv) { return with_packs(argc, argv, lint); }

int cli_rules(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } VERBS[] = {{"test", rules_test}, {"lint", rules_lint_}, {"explain", rules_explain},
        {"replay", rules_replay},        {"print", rules_print}, {"schema", rules_schema}};
    static const char *const NAMES[] = {"test", "lint", "explain", "replay", "print", "schema", NULL};
    static const char *const LATER[] = {NULL};
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(VERBS); i++)
        if (strcmp(argv[1], VERBS[i].name) == 0) return VERBS[i].run(argc - 1, argv + 1);
    return cli_unknown_verb("rules", argc > 1 ? argv[1] : NULL, NAMES, LATER);
}
