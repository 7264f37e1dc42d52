/* rules test|lint */
#include "cli/cli.h"
#include "match/match.h"
#include "os/os.h"

#define PACK_MAX (16u << 20)
#define PACKS_MAX 64

struct packs {
    struct source *list[PACKS_MAX];
    size_t count;
    struct problems *problems;
    struct rules_set *set;
};

static bool read_pack(struct packs *p, const char *path)
{
    struct buf text;
    result r = os_read_file(path, PACK_MAX, &text);
    if (!is_ok(r)) {
        problems_add(p->problems, path, "%s; name a rule pack that can be read", os_error_text(r));
        return false;
    }
    struct source *s = source_parse(path, buf_span(&text), p->problems);
    buf_free(&text);
    if (s != NULL) p->list[p->count++] = s;
    return s != NULL;
}

static bool open_packs(struct packs *p, int argc, char **argv)
{
    *p = (struct packs){.problems = problems_new()};
    bool good = p->problems != NULL;
    for (int i = 1; good && i < argc && p->count < PACKS_MAX; i++) good = read_pack(p, argv[i]) && good;
    if (good) p->set = rules_load(p->list, p->count, p->problems);
    return p->set != NULL;
}

static void close_packs(struct packs *p)
{
    rules_free(p->set);
    for (size_t i = 0; i < p->count; i++) source_free(p->list[i]);
    problems_free(p->problems);
}

/* ---- test ------------------------------------------------------------------------------------------------------- */

struct tester {
    struct packs *packs;
    struct match *match;
    const char *rule; /* under test */
    bool seen;
    bool json;
    unsigned passed, failed;
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

static void run_test(void *ctx, const struct rules_test *test)
{
    struct tester *t = ctx;
    t->rule = test->rule;
    t->seen = false;
    bool good = read_sample(t, test->sample) && t->seen == test->expect_match;
    t->passed += good;
    t->failed += !good;
    if (t->json) {
        printf("{\"rule\":\"%s\",\"pointer\":\"%s\",\"expected\":\"%s\",\"passed\":%s}\n", test->rule, test->at.pointer,
            test->expect_match ? "match" : "ignore", good ? "true" : "false");
    }
    if (good) return;
    if (test->expect_match) place_error(&test->at, "%s does not match this; correct the rule or the test", test->rule);
    else place_error(&test->at, "%s matches this; correct the rule or the test", test->rule);
}

static int test(struct packs *p, bool json)
{
    struct tester t = {.packs = p, .json = json};
    struct rules_scratch *scratch = rules_scratch_new(p->set);
    t.match = scratch == NULL ? NULL : match_new(p->set, scratch, cpu_level());
    if (t.match == NULL) return cli_usage("rules", "no memory");
    match_set_observer(t.match, saw_candidate, &t);
    rules_each_test(p->set, run_test, &t);
    match_free(t.match);
    rules_scratch_free(scratch);
    if (!json) {
        cli_print_problems(p->problems, false);
        printf("%u tests, %u failed\n", t.passed + t.failed, t.failed);
    }
    return t.failed > 0 ? 1 : 0;
}

/* ---- lint ------------------------------------------------------------------------------------------------------- */

static int lint(struct packs *p, bool json)
{
    rules_lint(p->set, p->problems);
    cli_print_problems(p->problems, json);
    size_t found = problems_count(p->problems);
    if (!json) printf("%zu remarks\n", found);
    return found > 0 ? 1 : 0;
}

int cli_rules(int argc, char **argv)
{
    bool json = false;
    struct packs p;
    const struct cli_option options[] = {{"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    bool testing = argc > 1 && strcmp(argv[1], "test") == 0, linting = argc > 1 && strcmp(argv[1], "lint") == 0;
    static const char *const VERBS[] = {"test", "lint", NULL}, *const LATER[] = {"explain", "replay", "schema", "print", NULL};
    if (!testing && !linting) return cli_unknown_verb("rules", argc > 1 ? argv[1] : NULL, VERBS, LATER);
    if (argc < 3) return cli_usage("rules", "%s needs at least one rule pack", argv[1]);
    int status = 1;
    if (open_packs(&p, argc - 1, argv + 1)) status = testing ? test(&p, json) : lint(&p, json);
    else if (p.problems != NULL) cli_print_problems(p.problems, json);
    close_packs(&p);
    return status;
}
