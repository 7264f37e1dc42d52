/* What the verbs of `log` and `report` share: which ledger, whose, and what of it. */
#ifndef GATE1367_CLI_LOG_H
#define GATE1367_CLI_LOG_H

#include "cli/cli.h"
#include "ledger/ledger.h"

#define LOG_PATH_BYTES 4096
#define LOG_APPROVERS 16u

/* ledger.schedule */
struct log_schedule {
    char id[256], hold[512]; /* empty: none */
    uint64_t retain_days;
    char approvers[LOG_APPROVERS][LEDGER_VKEY_MAX];
    size_t approver_count;
};

struct log_options {
    const char *command; /* "log" or "report": for messages */
    const char *config, *directory, *verifier, *key, *origin, *segment;
    const char *since, *until, *subject, *unseal, *format, *output, *index, *checkpoint, *witness;
    char approvers[LOG_APPROVERS][LEDGER_VKEY_MAX]; /* ledger.recovery */
    size_t approver_count;
    struct log_schedule schedule;
    bool filtered; /* any filter is given */
    bool gathering; /* nothing is printed while entries are read: progress may be shown */
    bool json;
    struct ledger_filter filter;
    struct ledger_unsealer *unsealer; /* NULL without --unseal */
    struct buf unsealed;
    struct ledger_presumed *presumed; /* NULL: not asked for */
    struct ledger_records *records;   /* likewise */
    struct log_clock {
        char newest[LEDGER_TIME_TEXT]; /* of the entry before; empty: none */
        uint64_t times, back_us, index; /* how often it went back, most of all by how much, and where */
    } clock;
    struct log_end {
        char next[LEDGER_VKEY_MAX];   /* the ledger that follows; empty: this one goes on */
        uint64_t index, after;        /* the entry that names it, and how many came behind that */
    } end;
    char standby_path[LOG_PATH_BYTES]; /* empty: none */
    struct report_index *asked;       /* else, with --index: it knows of completions */
    char directory_path[LOG_PATH_BYTES], key_path[LOG_PATH_BYTES], origin_name[LEDGER_NAME_MAX + 1];
};

/* "gate1367 log: what: why" on stderr; returns 2. */
int log_fail(const struct log_options *o, const char *what, const char *why);
/* Where the ledger is: -c or --directory. False after saying what is wrong. */
bool log_find(struct log_options *o);
/* The words and times of the filters, and --subject. Likewise. After log_find. */
bool log_check_filters(struct log_options *o);
/* Reads the private key of --unseal, where it is given. Likewise. */
bool log_open_unsealer(struct log_options *o);
void log_release(struct log_options *o);
/* Whose ledger this must be: from the command line, else the public half of the configured key. Likewise. */
bool log_expected_verifier(const struct log_options *o, struct ledger_verifier *out);
/* Listing proves nothing, but it must not show somebody another ledger than the one he named. Likewise. */
bool log_is_named_ledger(const struct log_options *o);
/* What a reader could not do; returns the exit status. CLOSED is no failure. */
int log_reading_failed(const struct log_options *o, result r, const struct ledger_problem *p);
/* Each entry that passes the filters, from `from` on, as it is now; with --unseal its keys were learnt before. */
typedef result log_entry_fn(void *ctx, uint64_t index, const struct ledger_view *v);
result log_each(struct log_options *o, log_entry_fn *each, void *ctx, struct ledger_problem *problem);
/* A text of somebody else's on standard output: what would move the reader's cursor becomes '?'. */
void log_print_safe(span text);
/* A JSON string on standard output: a path may hold anything. */
void log_print_quoted(const char *text);
/* One entry on its way to the filters. */
bool log_passes(struct log_options *o, const struct ledger_view *v);
/* What --unseal opens of it, as a JSON object; empty where nothing is sealed, or it cannot be opened (then *why says so,
 * else it is NULL). Lives until the next call. */
span log_unsealed(struct log_options *o, const struct ledger_view *v, const char **why);

/* Reads all, so that disclosures without a completion are known. */
RESULT log_learn_presumed(struct log_options *o);
/* Reads from that entry until it is known whether it is one. */
RESULT log_learn_presumed_of(struct log_options *o, uint64_t index);
/* Reads all for what the ledger says of its own records, too. */
RESULT log_learn(struct log_options *o);
/* The same while somebody else reads: all entries, in order, are shown to log_learn_entry (its ctx: the options). */
RESULT log_learn_begin(struct log_options *o, const struct ledger_verifier *v);
ledger_entry_fn log_learn_entry;
/* verify: a line, or a member of the report, where the machine's clock went back by more than a minute. */
void log_print_clock(const struct log_options *o);
/* verify: likewise where an entry names the ledger that follows, so that nobody takes one that has ended for the one that is written. */
void log_print_end(const struct log_options *o);
/* What was not in order with schedule and destruction, epochs.json included; NULL: all was. *status: enum ledger_judgement. After
 * log_learn. */
const char *log_records_problem(const struct log_options *o, int *status);
/* What was destroyed: lines, or a member of the report. */
void log_print_destroyed(const struct log_options *o);
bool log_is_presumed(const struct log_options *o, const struct ledger_view *v);

/* rotate, recover, approve, schedule, destroy: argv[0] is the verb. */
int log_schedule(int argc, char **argv);
int log_destroy(int argc, char **argv);
int log_rotate(int argc, char **argv);
int log_recover(int argc, char **argv);
int log_approve(int argc, char **argv);
int log_verify(struct log_options *o);
/* What the witness of --witness confirmed: read into *note, with its signature checked. 0, else the exit status after saying why. */
int log_witnessed(const struct log_options *o, const struct ledger_verifier *log, struct buf *note, uint64_t *time);
int log_prove(struct log_options *o, const char *what, const char *number);
int log_list(struct log_options *o);
int log_follow(struct log_options *o);
int log_show(struct log_options *o, const char *operand);
int log_export(struct log_options *o);
int log_index(struct log_options *o); /* export as SQLite */
/* Lists by the index of --index; returns the exit status. */
int log_ask_index(struct log_options *o, log_entry_fn *each, void *ctx);

#endif
