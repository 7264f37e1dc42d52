/* cli: one file a command. A command gets its own arguments (argv[0] is its name) and returns the exit status:
 * 0 all well, 1 what it checked does not hold, 2 usage or environment, 74 the ledger could not be written. */
#ifndef GATE1367_CLI_H
#define GATE1367_CLI_H

#include "base/base.h"
#include "source/source.h"

/* X(name, function, synopsis, what it does) */
#define CLI_COMMANDS(X)                                                                                                \
    X("serve", cli_serve, "-c gate.json", "run the gateway in the foreground")                                         \
    X("check", cli_check, "-c gate.json [--json]", "load everything serve would and report every problem")             \
    X("demo", cli_demo, "[--keep]", "the whole system on an embedded sample origin, shown side by side")               \
    X("scan", cli_scan, "-c gate.json --recipient ID FILE…", "what the gateway would do with these files")            \
    X("probe", cli_probe, "-c gate.json --pairs FILE", "shows that withheld and absent cannot be told apart")          \
    X("rules", cli_rules, "test|lint|explain|print|schema …", "the rule author's tools")                               \
    X("registry", cli_registry, "build|apply|lookup|list …", "the index of protected persons")                      \
    X("log", cli_log, "init|verify|list|show|follow …", "the ledger of disclosures")                                   \
    X("report", cli_report, "accounting|quarterly|incidents|reconcile …", "what auditors owe and are owed")         \
    X("witness", cli_witness, "init|serve …", "confirms elsewhere that a ledger only grew")                            \
    X("help", cli_help, "[COMMAND]", "this text, or a command's")

#define X(name, function, synopsis, text) int function(int argc, char **argv);
CLI_COMMANDS(X)
#undef X

int cli_main(int argc, char **argv);

/* A command's long help; every command prints it for --help. */
void cli_print_help(const char *command, FILE *to);
/* "gate1367 NAME: message" on stderr, and how to get help; returns 2. */
int cli_usage(const char *command, const char *fmt, ...) PRINTF(2, 3);
/* The same for a verb that is none of `verbs`: what was meant, or that it is one of `later` and not built yet. Both end in
 * NULL; verb may be NULL. */
int cli_unknown_verb(const char *command, const char *verb, const char *const *verbs, const char *const *later);

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* Options of one command: "--name VALUE", "--name=VALUE", flags, "-c VALUE"; the rest are operands. */
struct cli_option {
    const char *name;   /* "--json", "-c" */
    bool *flag;         /* set true, or … */
    const char **value; /* … given the value */
};
/* Takes known options out of argv (argv[0] stays); operands are left at argv[1..*argc). "--" ends options. Reports an
 * unknown option (with "did you mean") or a missing value on stderr and returns false. */
bool cli_options(int *argc, char **argv, const struct cli_option *options, size_t count);
/* The same where argv[0] is a verb of `command`, which has the help. */
bool cli_verb_options(const char *command, int *argc, char **argv, const struct cli_option *options, size_t count);

/* Colour only on a terminal, never with NO_COLOR. */
bool cli_colour(FILE *f);
/* Work of more than two seconds shows progress, on a terminal only. Zero-initialised is ready. */
struct cli_progress {
    uint64_t started_ns, shown_ns;
    bool visible;
};
void cli_progress_show(struct cli_progress *p, const char *what, uint64_t done, uint64_t all);
void cli_progress_end(struct cli_progress *p);
/* A text of the system as JSON: names of files may be no UTF-8, and their bytes from 0x80 on are then told as \xHH. NULL: no
 * memory. */
json_t *cli_json_text(const char *s);
/* Prints the problems: text on stderr, or with `json` one object a line on stdout. */
void cli_print_problems(const struct problems *p, bool json);
/* Without the lines themselves: those of a registry's source name people, and what a nightly build says is mailed about. */
void cli_print_problems_of_people(const struct problems *p, bool json);

#endif
