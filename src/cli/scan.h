/* What the files of `scan` share: the list, the workers, the words. */
#ifndef GATE1367_CLI_SCAN_H
#define GATE1367_CLI_SCAN_H

#include "cli/insight.h"
#include "cli/output.h"
#include "trial/trial.h"
#include <pthread.h>
#include <stdatomic.h>

/* One file, from the list to the report. */
struct scan_file {
    char *path;     /* to open; "-" is stdin */
    char *relative; /* below what was named: where --write puts it, and what a route prefix is joined with */
    uint64_t size;     /* 0: it does not say */
    bool done, failed; /* failed: could not be read or written; `why` says so */
    char *why;
    const char *document; /* template of the documents entry, or NULL */
    enum trial_verdict verdict;
    const char *reason, *condition; /* of the failure row, or "" */
    uint64_t bytes, seen, protected_, withheld;
    struct policy_rule_count *rules;
    size_t rule_count;
    json_t *places; /* [{"path", "reason"}]: units that are withheld */
};

struct scan {
    const char *config, *recipient, *route, *write, *type, *jobs_text;
    bool json;
    struct insight insight;
    enum recipient_class class;
    struct scan_file *files;
    size_t count, room;
    size_t left_out; /* places below what was named that were not read: they could not be listed, or are links to elsewhere */
    unsigned jobs;
    /* Between the workers and who prints. */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t next;
    uint64_t size;              /* of all files that say one */
    _Atomic uint64_t work_done; /* bytes of them */
};

/* Adds a file, or all below a directory in order of their names; what cannot be listed there is told and counted. False after a
 * message: it is not there, or no memory. */
bool scan_add(struct scan *s, const char *path);
/* What --write puts of one file is never put in the place of another's. False after a message. */
bool scan_targets_differ(const struct scan *s);
void scan_free_files(struct scan *s);
/* Runs the workers; `each` is called for every file in order, by the caller's thread. False: out of memory. */
typedef void scan_each_fn(struct scan *s, const struct scan_file *f);
bool scan_run(struct scan *s, scan_each_fn *each);
/* What --write puts of one file; makes the directories on the way. IO EEXIST: there is a file already. */
RESULT scan_output_open(struct output *o, const char *directory, const char *relative);
/* A file's name may hold what drives a terminal. */
void scan_print_name(FILE *out, const char *name);
void scan_print_file(struct scan *s, const struct scan_file *f);
void scan_print_summary(struct scan *s, double seconds);
/* Something of it would be withheld. */
bool scan_withholds(const struct scan_file *f);

#endif
