/* rules explain: what becomes of a document, finding by finding. */
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/insight.h"
#include "cli/packs.h"
#include "cli/verbs.h"
#include "trial/trial.h"

struct explain {
    const char *config, *profile, *recipient, *path, *type, *people, *query;
    bool json;
    const char *file;
    struct insight insight;
    struct packs packs;
    struct trial_people *made_up;
    const struct rules_set *rules;
    struct trial_question question;
};

static struct trial_people *read_people(struct explain *x);

static const struct rules_profile *find_profile(const struct explain *x)
{
    const struct rules_profile *p = rules_find_profile(x->rules, span_str(x->profile));
    if (p != NULL) return p;
    const char *near = source_did_you_mean(x->profile, rules_profile_names(x->rules));
    if (near != NULL) (void)cli_usage("rules", "no pack has the profile \"%s\"; did you mean \"%s\"?", x->profile, near);
    else (void)cli_usage("rules", "no pack has the profile \"%s\"", x->profile);
    return NULL;
}

static bool ask_for_path(const struct rules_profile *p)
{
    fputs("gate1367 rules: the profile has several documents; give --path, one of\n", stderr);
    for (size_t i = 0; rules_profile_document(p, i) != NULL; i++)
        fprintf(stderr, "  %s\n", rules_document_view(rules_profile_document(p, i))->path_template);
    return false;
}

/* The document that the path names; without a path the profile's only one. */
static bool choose_document(struct explain *x)
{
    const struct rules_profile *p = find_profile(x);
    if (p == NULL) return false;
    if (x->path == NULL && rules_profile_document(p, 1) != NULL) return ask_for_path(p);
    x->question.document = x->path == NULL ? rules_profile_document(p, 0) : rules_find_document(p, span_str(x->path));
    bool named = x->question.document != NULL && x->config != NULL && x->question.class == RECIPIENT_RESTRICTED;
    if (named) x->question.document = rules_document_for(x->question.document, span_str(x->recipient));
    if (x->question.document != NULL) return true;
    (void)cli_usage("rules", "no document of \"%s\" has the path %s", x->profile, x->path);
    return false;
}

static bool prepare_live(struct explain *x, int *status)
{
    if (!insight_open(&x->insight, "rules", x->config, status)) return false;
    *status = 2;
    x->rules = x->insight.config->settings.rules;
    x->question.registry = x->insight.now.registry;
    x->question.limits = x->insight.config->settings.limits;
    return insight_class(&x->insight, x->recipient, false, &x->question.class);
}

static bool prepare_packs(struct explain *x, char **paths, size_t count, int *status)
{
    *status = 2;
    bool entitled = strcmp(x->recipient, "entitled") == 0;
    if (!entitled && strcmp(x->recipient, "restricted") != 0) {
        (void)cli_usage("rules", "without -c the recipient is \"restricted\" or \"entitled\"");
        return false;
    }
    *status = 1;
    if (!packs_open(&x->packs, paths, count)) {
        if (x->packs.problems != NULL) cli_print_problems(x->packs.problems, false);
        return false;
    }
    *status = 2;
    x->rules = x->packs.set;
    x->made_up = read_people(x);
    if (x->made_up == NULL) return false;
    x->question.registry = trial_people_registry(x->made_up);
    x->question.limits = trial_limits();
    x->question.class = entitled ? RECIPIENT_ENTITLED : RECIPIENT_RESTRICTED;
    return true;
}

/* --protected VALUE,VALUE: the same texts that a profile's test takes. */
static struct trial_people *read_people(struct explain *x)
{
    json_t *list = json_array();
    span rest = span_str(x->people);
    while (rest.len > 0) {
        size_t comma = span_find(rest, ',');
        json_array_append_new(list, json_stringn((const char *)rest.ptr, comma));
        rest = span_from(rest, comma < rest.len ? comma + 1 : comma);
    }
    char *text = json_dumps(list, JSON_ENSURE_ASCII);
    json_decref(list);
    struct source *s = text == NULL ? NULL : source_parse("--protected", span_str(text), x->packs.problems);
    mem_hook_free(text);
    if (s == NULL) return NULL;
    struct place at = place_root(s);
    struct trial_people *people = trial_people_new(x->rules, source_root(s), &at);
    if (people == NULL) cli_print_problems(x->packs.problems, false);
    source_free(s);
    return people;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *v, const char *name)
{
    const char *s = json_string_value(json_object_get(v, name));
    return s == NULL ? "" : s;
}

static void print_finding(const json_t *f)
{
    const json_t *unit = json_object_get(f, "unit");
    const char *rule = text_of(f, "rule"), *kind = text_of(f, "kind"), *flaw = text_of(f, "flaw");
    printf("  %s\n      %s%s%s%s", text_of(f, "path"), text_of(f, "origin"), *kind || *flaw ? ", " : "", kind, flaw);
    if (*kind && !*rule) printf(", at one of the document's \"keys\" or \"links\"");
    if (*rule) printf(", rule %s \"%s\" (%s)", rule, text_of(f, "title"), text_of(f, "why"));
    printf("\n      %s%s%s%s\n", text_of(f, "reason"), unit ? " (unit " : "", unit ? (json_is_null(unit) ? "none" : json_string_value(unit)) : "",
        unit ? ")" : "");
}

static void print_words(const struct explain *x, const json_t *v)
{
    const json_t *units = json_object_get(v, "units"), *findings = json_object_get(v, "findings"), *one;
    size_t i;
    bool entitled = x->question.class == RECIPIENT_ENTITLED;
    printf("%s, as %s of %s, for %s (%s)\n\n%s\n", x->file, rules_document_view(x->question.document)->path_template, x->profile,
        x->recipient, entitled ? "entitled" : "restricted", text_of(v, "reason"));
    if (units != NULL)
        printf("units: %" JSON_INTEGER_FORMAT " seen, %" JSON_INTEGER_FORMAT " protected, %" JSON_INTEGER_FORMAT " withheld\n",
            json_integer_value(json_object_get(units, "seen")), json_integer_value(json_object_get(units, "protected")),
            json_integer_value(json_object_get(units, "withheld")));
    if (findings != NULL) puts(json_array_size(findings) > 0 ? "\nfindings" : "\nnothing was found");
    json_array_foreach(findings, i, one) print_finding(one);
    if (json_array_size(json_object_get(v, "withheld")) > 0) puts("\nwithheld");
    json_array_foreach(json_object_get(v, "withheld"), i, one) printf("  %s\n      %s\n", text_of(one, "path"), text_of(one, "reason"));
}

static void print_json(const struct explain *x, json_t *v)
{
    json_object_set_new(v, "file", cli_json_text(x->file));
    json_object_set_new(v, "profile", json_string(x->profile));
    json_object_set_new(v, "document", json_string(rules_document_view(x->question.document)->path_template));
    json_object_set_new(v, "recipient", json_string(x->recipient));
    json_object_set_new(v, "entitled", json_boolean(x->question.class == RECIPIENT_ENTITLED));
    json_dumpf(v, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int answer(struct explain *x)
{
    struct buf body;
    struct trial_answer a;
    const char *type = x->type != NULL ? x->type : files_type(x->file);
    if (type == NULL) return cli_usage("rules", "%s: the name does not say what it is; give --type application/json", x->file);
    if (!files_read(x->file, files_cap(&x->question.limits), &body, "rules")) return 2;
    x->question.type = type;
    x->question.body = buf_span(&body);
    x->question.query = span_str(x->query);
    struct trial *t = trial_new(x->rules);
    json_t *v = NULL;
    if (t != NULL) {
        trial_ask(t, &x->question, &a);
        v = trial_explain(t, &x->question, &a);
    }
    if (v != NULL && x->json) print_json(x, v);
    else if (v != NULL) print_words(x, v);
    int status = v == NULL ? cli_usage("rules", "no memory") : a.verdict == TRIAL_UNCHANGED || a.verdict == TRIAL_CHANGED ? 0 : 1;
    json_decref(v);
    trial_free(t);
    buf_free(&body);
    return status;
}

static bool take_options(struct explain *x, int *argc, char **argv)
{
    const struct cli_option options[] = {{"-c", NULL, &x->config}, {"--profile", NULL, &x->profile},
        {"--recipient", NULL, &x->recipient}, {"--path", NULL, &x->path}, {"--type", NULL, &x->type},
        {"--protected", NULL, &x->people}, {"--query", NULL, &x->query}, {"--json", &x->json, NULL}};
    if (!cli_verb_options("rules", argc, argv, options, ARRAY_LEN(options))) return false;
    bool packs = *argc > 2;
    const char *why = NULL;
    if (*argc < 2) why = "explain needs a file";
    else if (x->profile == NULL || x->recipient == NULL) why = "explain needs --profile and --recipient";
    else if (packs == (x->config != NULL)) why = "give either -c gate.json or rule packs after the file";
    else if (x->config != NULL && x->people != NULL) why = "--protected goes with packs; with -c the registry says who is";
    if (why != NULL) (void)cli_usage("rules", "%s", why);
    return why == NULL;
}

int rules_explain(int argc, char **argv)
{
    struct explain x = {0};
    int status = 2;
    if (!take_options(&x, &argc, argv)) return 2;
    x.file = argv[1];
    bool ready = x.config != NULL ? prepare_live(&x, &status) : prepare_packs(&x, argv + 2, (size_t)argc - 2, &status);
    if (ready) status = choose_document(&x) ? answer(&x) : 2;
    trial_people_free(x.made_up);
    if (x.config != NULL) insight_close(&x.insight);
    else packs_close(&x.packs);
    return status;
}
