/* log init|verify|list|show|follow */
#include "cli/log.h"
#include "os/os.h"

static bool take_options(struct log_options *o, int *argc, char **argv)
{
    struct ledger_filter *f = &o->filter;
    const struct cli_option options[] = {{"-c", NULL, &o->config}, {"--directory", NULL, &o->directory},
        {"--verifier", NULL, &o->verifier}, {"--key", NULL, &o->key}, {"--origin", NULL, &o->origin},
        {"--recipient", NULL, &f->recipient}, {"--outcome", NULL, &f->outcome}, {"--event", NULL, &f->event},
        {"--rule", NULL, &f->rule}, {"--grant", NULL, &f->grant}, {"--request", NULL, &f->request},
        {"--subject", NULL, &o->subject}, {"--since", NULL, &o->since}, {"--until", NULL, &o->until},
        {"--unseal", NULL, &o->unseal}, {"--index", NULL, &o->index}, {"--format", NULL, &o->format}, {"-o", NULL, &o->output}, {"--output", NULL, &o->output},
        {"--segment", NULL, &o->segment}, {"--json", &o->json, NULL}};
    if (!cli_options(argc, argv, options, ARRAY_LEN(options))) return false;
    return log_find(o) && log_check_filters(o) && log_open_unsealer(o);
}

/* ---- init ----------------------------------------------------------------------------------------------------- */

/* "64MiB": whole megabytes, for a segment is written with zeros when it is made. */
static bool parse_segment(const char *text, uint64_t *bytes)
{
    span s = span_str(text);
    uint64_t n = 0;
    bool unit = s.len > 3 && span_equal(span_from(s, s.len - 3), SPAN("MiB"));
    if (!unit || !span_to_u64(span_sub(s, 0, s.len - 3), 1024, &n) || n == 0) return false;
    *bytes = n << 20;
    return true;
}

static int run_init(struct log_options *o)
{
    struct ledger_verifier v;
    char vkey[LEDGER_VKEY_MAX];
    uint64_t segment = 0;
    if (!o->key || !o->origin) return cli_usage("log", "init needs -c gate.json, or --directory, --key and --origin");
    if (o->segment && !parse_segment(o->segment, &segment))
        return cli_usage("log", "--segment takes 1MiB to 1024MiB, not \"%s\"", o->segment);
    struct ledger_place place = {o->directory, o->key, o->origin, segment};
    bool had_key = os_exists(o->key);
    result r = ledger_init(&place, &v);
    if (!is_ok(r)) return log_fail(o, r.code == LEDGER_E_KEY ? o->key : o->directory, ledger_error_text(r));
    ledger_verifier_format(&v, vkey);
    fprintf(stderr, "%s the key %s; the ledger %s is empty\nverifier key, for auditors:\n", had_key ? "used" : "made",
        o->key, o->directory);
    if (o->json)
        printf("{\"directory\":\"%s\",\"verifier\":\"%s\"}\n", o->directory, vkey);
    else
        printf("%s\n", vkey);
    return 0;
}

/* ---- verify --------------------------------------------------------------------------------------------------- */

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
    (void)all;
    cli_progress_show(ctx, "MiB verified", done >> 20, 0);
}

static const char *const judgements[] = {"sound", "tampered", "cannot_tell"};

/* Of a sound ledger. */
static uint64_t presumed_in(struct log_options *o, enum ledger_judgement j)
{
    bool known = j == LEDGER_IS_SOUND && is_ok(log_learn_presumed(o, 0));
    return known ? ledger_presumed_count(o->presumed) : 0;
}

static void print_report_json(enum ledger_judgement j, const struct ledger_report *r, uint64_t presumed)
{
    char root[65], problem[512];
    struct buf b;
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    buf_init(&b, 8192);
    bool sound = r->first.fault == LEDGER_SOUND;
    if (!sound && !is_ok(json_quote(&b, span_str(problem)))) buf_clear(&b);
    printf("{\"result\":\"%s\",\"entries\":%llu,\"frames\":%llu,\"segments\":%llu,\"bytes\":%llu,\"root\":\"%s\","
           "\"signed_end\":%llu,"
           "\"unfinished\":%s,\"presumed_disclosed\":%llu,\"problem\":",
        judgements[j], (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments,
        (unsigned long long)r->bytes, root, (unsigned long long)r->tip_size, r->torn ? "true" : "false", (unsigned long long)presumed);
    if (sound || buf_len(&b) == 0)
        printf("null}\n");
    else
        printf("{\"file\":\"%s\",\"offset\":%llu,\"index\":%llu,\"message\":%.*s}}\n", r->first.file,
            (unsigned long long)r->first.offset, (unsigned long long)r->first.index, SPAN_FMT(buf_span(&b)));
    buf_free(&b);
}

static void print_report(enum ledger_judgement j, const struct ledger_report *r, const char *directory)
{
    char root[65], problem[512];
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    switch (j) {
    case LEDGER_IS_SOUND:
        printf("sound: %llu entries in %llu frames of %llu segments\nMerkle root %s\nlast signed end: %llu entries\n",
            (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments, root,
            (unsigned long long)r->tip_size);
        if (r->torn)
            printf(
                "note: the last frame is unfinished: a crash, or a writer at work; nothing in it was acknowledged\n");
        break;
    case LEDGER_IS_TAMPERED:
        fprintf(stderr,
            "%s/%s\nNOT SOUND: what is written before entry %llu holds; from there on nothing can be relied on\n",
            directory, problem, (unsigned long long)r->first.index);
        break;
    case LEDGER_CANNOT_TELL:
        fprintf(stderr, "%s/%s\ncannot tell: the ledger could not be read\n", directory, problem);
        break;
    }
}

static int run_verify(struct log_options *o)
{
    struct ledger_verifier v;
    struct ledger_report report;
    struct cli_progress progress = {0};
    if (!log_expected_verifier(o, &v)) return 2;
    enum ledger_judgement j = ledger_verify(o->directory, &v, show_progress, &progress, &report);
    cli_progress_end(&progress);
    if (o->json)
        print_report_json(j, &report, presumed_in(o, j));
    else
        print_report(j, &report, o->directory);
    if (!o->json && presumed_in(o, j) > 0)
        printf("%llu disclosures without a completion: presumed disclosed (log list shows which)\n",
            (unsigned long long)presumed_in(o, j));
    return (int)j;
}

/* ---- */

static int run(struct log_options *o, const char *action, const char *operand)
{
    if (strcmp(action, "init") == 0) return run_init(o);
    if (strcmp(action, "verify") == 0) return run_verify(o);
    if (strcmp(action, "list") == 0) return log_list(o);
    if (strcmp(action, "export") == 0) return log_export(o);
    if (strcmp(action, "show") == 0) return log_show(o, operand);
    return log_follow(o);
}

int cli_log(int argc, char **argv)
{
    static struct log_options o; /* paths are too large for the stack of a command that is called once */
    const char *action = argc > 1 ? argv[1] : NULL;
    static const char *const actions[] = {"init", "verify", "list", "show", "follow", "export", NULL};
    static const char *const later[] = {"prove", NULL};
    bool known = false;
    for (size_t i = 0; action && actions[i]; i++)
        known = known || strcmp(action, actions[i]) == 0;
    if (!known) return cli_unknown_verb("log", action, actions, later);
    o = (struct log_options){.command = "log"};
    argv[1] = argv[0];
    argc--, argv++;
    bool show = strcmp(action, "show") == 0, taken = take_options(&o, &argc, argv);
    if (taken && argc > (show ? 2 : 1)) {
        (void)cli_usage("log", "%s is one too many", argv[show ? 2 : 1]);
        taken = false;
    }
    int status = taken ? run(&o, action, argv[1]) : 2;
    log_release(&o);
    return status;
}
