/* log init|verify|list|show|follow */
#include "cli/log.h"
#include "os/os.h"

/* What an action would not look at is refused: who gave it expects something of it. */
static bool all_belong(const struct log_options *o, const char *action)
{
    const struct ledger_filter *f = &o->filter;
    const bool filtered = f->recipient || f->outcome || f->event || f->rule || f->grant || f->request || o->subject || o->since || o->until;
    const struct {
        const char *option, *actions; /* with a blank on both sides of each */
        bool given;
    } limits[] = {{"--format", " export ", o->format}, {"-o", " export prove ", o->output}, {"--index", " list ", o->index},
        {"--unseal", " list show follow export ", o->unseal}, {"a filter", " list follow export ", filtered},
        {"--checkpoint", " verify ", o->checkpoint}, {"--witness", " verify ", o->witness}, {"--segment", " init ", o->segment}};
    char word[32];
    snprintf(word, sizeof word, " %s ", action);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (!limits[i].given || strstr(limits[i].actions, word)) continue;
        return (void)cli_usage("log", "%s does not take %s; it belongs to:%.*s", action, limits[i].option, (int)strlen(limits[i].actions) - 1,
                   limits[i].actions), false;
    }
    return true;
}

static bool take_options(struct log_options *o, const char *action, int *argc, char **argv)
{
    struct ledger_filter *f = &o->filter;
    const struct cli_option options[] = {{"-c", NULL, &o->config}, {"--directory", NULL, &o->directory},
        {"--verifier", NULL, &o->verifier}, {"--key", NULL, &o->key}, {"--origin", NULL, &o->origin},
        {"--recipient", NULL, &f->recipient}, {"--outcome", NULL, &f->outcome}, {"--event", NULL, &f->event},
        {"--rule", NULL, &f->rule}, {"--grant", NULL, &f->grant}, {"--request", NULL, &f->request},
        {"--subject", NULL, &o->subject}, {"--since", NULL, &o->since}, {"--until", NULL, &o->until},
        {"--unseal", NULL, &o->unseal}, {"--index", NULL, &o->index}, {"--format", NULL, &o->format}, {"-o", NULL, &o->output}, {"--output", NULL, &o->output},
        {"--checkpoint", NULL, &o->checkpoint}, {"--witness", NULL, &o->witness}, {"--segment", NULL, &o->segment}, {"--json", &o->json, NULL}};
    if (!cli_options(argc, argv, options, ARRAY_LEN(options))) return false;
    return all_belong(o, action) && log_find(o) && log_check_filters(o) && log_open_unsealer(o);
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
    if (!o->json) return printf("%s\n", vkey), 0;
    printf("{\"directory\":");
    log_print_quoted(o->directory);
    printf(",\"verifier\":");
    log_print_quoted(vkey);
    printf("}\n");
    return 0;
}

/* ---- */

static int run(struct log_options *o, const char *action, char **operands)
{
    if (strcmp(action, "init") == 0) return run_init(o);
    if (strcmp(action, "verify") == 0) return log_verify(o);
    if (strcmp(action, "list") == 0) return log_list(o);
    if (strcmp(action, "export") == 0) return log_export(o);
    if (strcmp(action, "show") == 0) return log_show(o, operands[0]);
    if (strcmp(action, "prove") == 0) return log_prove(o, operands[0], operands[0] ? operands[1] : NULL);
    return log_follow(o);
}

int cli_log(int argc, char **argv)
{
    static struct log_options o; /* paths are too large for the stack of a command that is called once */
    const char *action = argc > 1 ? argv[1] : NULL;
    static const char *const actions[] = {"init", "verify", "list", "show", "follow", "prove", "export", "rotate", "recover", "approve", "schedule", "destroy", NULL};
    bool known = false;
    for (size_t i = 0; action && actions[i]; i++)
        known = known || strcmp(action, actions[i]) == 0;
    if (!known) return cli_unknown_verb("log", action, actions, actions + ARRAY_LEN(actions) - 1);
    if (strcmp(action, "rotate") == 0) return log_rotate(argc - 1, argv + 1);
    if (strcmp(action, "recover") == 0) return log_recover(argc - 1, argv + 1);
    if (strcmp(action, "approve") == 0) return log_approve(argc - 1, argv + 1);
    if (strcmp(action, "schedule") == 0) return log_schedule(argc - 1, argv + 1);
    if (strcmp(action, "destroy") == 0) return log_destroy(argc - 1, argv + 1);
    o = (struct log_options){.command = "log"};
    argv[1] = argv[0];
    argc--, argv++;
    int most = strcmp(action, "show") == 0 ? 1 : strcmp(action, "prove") == 0 ? 2 : 0;
    bool taken = take_options(&o, action, &argc, argv);
    if (taken && argc > most + 1) {
        (void)cli_usage("log", "%s is one too many", argv[most + 1]);
        taken = false;
    }
    char *operands[] = {argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL};
    int status = taken ? run(&o, action, operands) : 2;
    log_release(&o);
    return status;
}
