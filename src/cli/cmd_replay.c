/* rules replay: recorded answers under new packs beside those in force, for a restricted recipient. Tells where the two
 * differ: file and entry, path, what becomes of it and how many units go; never a value. */
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/insight.h"
#include "cli/packs.h"
#include "cli/verbs.h"
#include "trial/trial.h"

/* What one set of rules makes of an exchange. */
struct judged {
    const char *verdict, *words;
    uint64_t seen, withheld;
    bool delivered;
    struct buf body;
};

struct replay {
    const char *config, *rules;
    bool json;
    struct insight insight;
    struct packs packs;
    struct trial *now, *then; /* under the rules in force, under the new ones */
    size_t exchanges, judged, more, less, other;
};

/* ---- one exchange ----------------------------------------------------------------------------------------------- */

static void judge(struct trial *t, const struct proxy_route *r, const struct rules_profile *p, const struct replay *x,
    const struct captured *c, struct judged *out)
{
    char type[256];
    struct trial_answer a;
    snprintf(type, sizeof(type), "%.*s", SPAN_FMT(c->type));
    struct trial_question q = {.document = p == NULL ? NULL : rules_find_document(p, c->path), .inspect = r->inspect,
        .class = RECIPIENT_RESTRICTED, .registry = x->insight.now.registry, .limits = x->insight.config->settings.limits, .type = type,
        .query = c->query, .body = c->body};
    trial_ask(t, &q, &a);
    const struct policy_verdict *v = &a.outcome->verdict;
    *out = (struct judged){.verdict = trial_verdict_name(a.verdict), .words = trial_verdict_words(a.verdict), .seen = v->seen,
        .withheld = v->withheld_count, .delivered = trial_delivers(&a)};
    buf_init(&out->body, (size_t)1 << 30);
    if (out->delivered && !is_ok(trial_body(&a, c->body, &out->body))) out->delivered = false;
}

static bool is_same(const struct judged *a, const struct judged *b)
{
    return a->verdict == b->verdict && a->withheld == b->withheld && span_equal(buf_span(&a->body), buf_span(&b->body));
}

/* Whether the new rules show more than those in force, or less. */
static const char *direction(struct replay *x, const struct judged *now, const struct judged *then)
{
    bool shown = now->delivered || then->delivered; /* what neither delivers shows nothing, for whatever reason */
    bool more = now->delivered != then->delivered ? then->delivered : shown && then->withheld < now->withheld;
    bool less = now->delivered != then->delivered ? now->delivered : shown && then->withheld > now->withheld;
    x->more += more;
    x->less += less;
    x->other += !more && !less;
    return more ? "more" : less ? "less" : "other";
}

static void tell(struct replay *x, const struct captured *c, const char *document, const struct judged *now, const struct judged *then)
{
    const char *shows = direction(x, now, then);
    if (!x->json) {
        printf("%s: %s: shows %s\n    in force: %s, %llu of %llu units withheld\n    new:      %s, %llu of %llu units withheld\n", c->place,
            document, shows, now->words, (unsigned long long)now->withheld, (unsigned long long)now->seen, then->words,
            (unsigned long long)then->withheld, (unsigned long long)then->seen);
        return;
    }
    json_t *v = json_pack("{s:o,s:s,s:s,s:{s:s,s:I,s:I},s:{s:s,s:I,s:I}}", "exchange", cli_json_text(c->place), "document", document,
        "shows", shows, "in_force", "verdict", now->verdict, "units", (json_int_t)now->seen, "withheld", (json_int_t)now->withheld, "new",
        "verdict", then->verdict, "units", (json_int_t)then->seen, "withheld", (json_int_t)then->withheld);
    json_dumpf(v, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(v);
}

/* Only a 200 is ever read, and only where a restricted recipient may ask. */
static bool is_judged(const struct proxy_route *r, const struct captured *c)
{
    return r != NULL && c->status == 200 && (strcmp(c->method, "GET") == 0 || strcmp(c->method, "POST") == 0 || strcmp(c->method, "HEAD") == 0);
}

static void take(void *ctx, const struct captured *c)
{
    struct replay *x = ctx;
    struct judged now, then;
    const struct proxy_route *r = proxy_find_route(&x->insight.config->settings, c->path);
    x->exchanges++;
    if (!is_judged(r, c)) return;
    x->judged++;
    const struct rules_profile *p = r->profile, *q = NULL;
    const struct rules_document *d = p == NULL ? NULL : rules_find_document(p, c->path);
    const char *document = d == NULL ? r->path : rules_document_view(d)->path_template;
    if (p != NULL) q = rules_find_profile(x->packs.set, span_str(rules_document_view(rules_profile_document(p, 0))->profile_id));
    judge(x->now, r, p, x, c, &now);
    judge(x->then, r, q, x, c, &then);
    if (!is_same(&now, &then)) tell(x, c, document, &now, &then);
    buf_free(&now.body);
    buf_free(&then.body);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* "a.json,b.json": in the order in which gate.json would name them. */
static bool open_packs(struct replay *x, char *list)
{
    char *paths[PACKS_MAX + 1];
    size_t n = 0;
    for (char *rest = list, *one; n <= PACKS_MAX && (one = strsep(&rest, ",")) != NULL;) paths[n++] = one;
    if (packs_open(&x->packs, paths, n)) return true;
    if (x->packs.problems != NULL) cli_print_problems(x->packs.problems, false);
    return false;
}

static int run(struct replay *x, char **files, size_t count)
{
    x->now = trial_new(x->insight.config->settings.rules);
    x->then = trial_new(x->packs.set);
    bool ready = x->now != NULL && x->then != NULL;
    for (size_t i = 0; ready && i < count; i++) capture_read(files[i], x->packs.problems, take, x);
    trial_free(x->now);
    trial_free(x->then);
    if (!ready) return cli_usage("rules", "no memory");
    cli_print_problems(x->packs.problems, false);
    if (!x->json)
        printf("%zu exchanges, %zu judged: %zu show more under the new rules, %zu less, %zu otherwise differ\n", x->exchanges, x->judged,
            x->more, x->less, x->other);
    if (x->more + x->less + x->other > 0 || problems_errors(x->packs.problems) > 0) return 1;
    if (x->judged > 0) return 0;
    fputs("gate1367 rules: no exchange was judged, which proves nothing: give captures of answers with status 200 to paths that have a route\n", stderr);
    return 2;
}

int rules_replay(int argc, char **argv)
{
    struct replay x = {0};
    int status = 2;
    const struct cli_option options[] = {{"-c", NULL, &x.config}, {"--rules", NULL, &x.rules}, {"--json", &x.json, NULL}};
    if (!cli_verb_options("rules", &argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc < 2 || x.config == NULL || x.rules == NULL) return cli_usage("rules", "replay needs CAPTURE… -c gate.json --rules PACK,…");
    char *list = mem_strdup(x.rules);
    if (list == NULL) return cli_usage("rules", "no memory");
    if (insight_open(&x.insight, "rules", x.config, &status)) {
        status = 1;
        if (open_packs(&x, list)) status = run(&x, argv + 1, (size_t)argc - 1);
        packs_close(&x.packs);
    }
    insight_close(&x.insight);
    mem_free(list);
    return status;
}
