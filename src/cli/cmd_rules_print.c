/* rules print, rules schema: what the program knows, for other programs. */
#include "cli/cli.h"
#include "cli/packs.h"
#include "cli/verbs.h"

int rules_print(int argc, char **argv)
{
    struct packs p;
    if (!cli_verb_options("rules", &argc, argv, NULL, 0)) return 2;
    if (argc < 2) return cli_usage("rules", "print needs at least one rule pack");
    char *text = packs_open(&p, argv + 1, (size_t)argc - 1) ? rules_canonical(p.set) : NULL;
    if (text != NULL) puts(text);
    else if (p.problems != NULL) cli_print_problems(p.problems, false);
    int status = text != NULL ? 0 : 1;
    mem_hook_free(text);
    packs_close(&p);
    return status;
}

/* X(word, symbol): the JSON Schemas that the program carries */
#define SCHEMAS(X)                                                                                                     \
    X("rules", cli_schema_rules)                                                                                       \
    X("gate", cli_schema_gate)                                                                                         \
    X("recipients", cli_schema_recipients)                                                                             \
    X("registry-source", cli_schema_registry_source)                                                                   \
    X("pairs", cli_schema_pairs)

#define X(word, symbol)                                                                                                \
    extern const unsigned char symbol[];                                                                               \
    extern const size_t symbol##_len;
SCHEMAS(X)
#undef X

static const struct schema {
    const char *word;
    const unsigned char *text;
    const size_t *len;
} KNOWN[] = {
#define X(word, symbol) {word, symbol, &symbol##_len},
    SCHEMAS(X)
#undef X
};

int rules_schema(int argc, char **argv)
{
    if (!cli_verb_options("rules", &argc, argv, NULL, 0)) return 2;
    if (argc > 2) return cli_usage("rules", "schema prints one: rules, gate, recipients, registry-source or pairs");
    const char *word = argc > 1 ? argv[1] : "rules";
    for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++) {
        if (strcmp(KNOWN[i].word, word) != 0) continue;
        fwrite(KNOWN[i].text, 1, *KNOWN[i].len, stdout);
        return 0;
    }
    const char *names[ARRAY_LEN(KNOWN) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++) names[i] = KNOWN[i].word;
    const char *near = source_did_you_mean(word, names);
    if (near != NULL) return cli_usage("rules", "there is no schema \"%s\"; did you mean \"%s\"?", word, near);
    return cli_usage("rules", "there is no schema \"%s\"; name rules, gate, recipients, registry-source or pairs", word);
}
