#ifndef GATE1367_ADMIN_INTERNAL_H
#define GATE1367_ADMIN_INTERNAL_H

#include "admin/admin.h"
#include "http/http.h"
#include "io/io.h"

/* A connection, of either kind. */
struct visitor {
    struct admin *admin;
    struct io_conn *conn;
    struct visitor *next, *previous;
    bool local; /* the Unix socket */
    struct http_request request;
    struct buf text;   /* local: what has come */
    struct buf answer; /* local: ready, but not before its entry is durable */
    bool asked, waits, accepts; /* `accepts`: what is done once its entry is durable */
    uint64_t ticket;
};

struct admin {
    const struct admin_arguments *arguments;
    struct io_loop *loop;
    struct io_listener *http, *local;
    struct io_watch *ring_watch, *control_watch, *suspicion_watch;
    struct ipc_collector *collector; /* of suspicions, once we serve */
    bool deaf;          /* one was taken and could not be kept: no later one may say that it was */
    struct visitor *visitors;
    struct registry *registry;
    int64_t certificates_end; /* of those that this generation serves with; INT64_MAX: none */
    uint8_t key[32];
    int journal;       /* open for appending */
    uint64_t position; /* of the journal's last record */
    uint64_t journal_bytes; /* of whole records */
    struct os_identity journal_file;
    bool journal_broken; /* it could not be put right after a failed write */
    unsigned room_told;  /* per cent of the overlay's room of which the last alarm spoke */
    struct ledger_month month;
    struct ledger_sealer *sealer; /* NULL without auditors */
    struct buf scratch;
    bool serving, stopping;
    struct io_timer last_visits, journal_timer;
    bool behind, journal_lost; /* who is protected is not known; the journal's name leads elsewhere, or nowhere */
    char behind_words[CONFIG_MARK_WORDS];
    struct config_mark mark;
    struct registry_mark due;  /* what is in force: to be marked */
    result mark_read, reached; /* the mark could be read; journal and index have what it knows */
};

/* journal.c: opens, checks and replays the journal; then what it gained since. */
RESULT journal_open(struct admin *a, char *why, size_t size);
RESULT journal_catch_up(struct admin *a);
/* What others have appended since is in force here too; looks again by itself. */
void journal_look(void *admin);
bool journal_is_followed(struct admin *a); /* what others have appended up to now is in force here */
/* Room in every overlay, then durable, then in force everywhere. */
RESULT journal_apply(struct admin *a, const struct registry_change *c);
/* The same for several changes and one sync; the positions are set. LIMIT REGISTRY_OVERLAY_FULL: nothing was done. */
RESULT journal_apply_all(struct admin *a, struct registry_change *changes, size_t n);
/* How far the journal is in force is durable outside of it too: before anybody is told that a change is done. */
RESULT journal_mark(struct admin *a);
/* mark.c: opened before the journal is read, and before confinement. */
RESULT mark_open(struct admin *a);
bool mark_is_unread(const struct admin *a);
void mark_read(struct admin *a); /* again, and before the journal is */
/* Of all whole records of the journal, and of the index. */
void mark_judge(struct admin *a, span journal, uint64_t index);
void mark_add(struct admin *a, span records); /* that were added, and are durable */
RESULT mark_keep(struct admin *a, bool durable);
RESULT mark_accept(struct admin *a);
void mark_words(const struct admin *a, result r, char out[CONFIG_MARK_WORDS]);
#define ADMIN_MARK_COUNTS 4
size_t mark_counts(const struct admin *a, struct ledger_count out[ADMIN_MARK_COUNTS]);
/* Reads all of it. */
RESULT journal_read(struct admin *a, struct buf *text);
/* suspicions.c: takes what workers say from now on. */
RESULT suspicions_open(struct admin *a);
/* Those that wait, between two parts of something that takes long. */
void suspicions_serve(struct admin *a);
void suspicions_close(struct admin *a);
/* Answers {"command":"suspected"} and "clear" into out; entry: what the ledger must hold before it is told. */
struct suspicion_entry {
    const char *what, *by;
    uint64_t *subjects; /* to be freed */
    size_t count;
};
RESULT suspicions_list(struct admin *a, struct buf *out, struct suspicion_entry *entry);
RESULT suspicions_clear(struct admin *a, const char *subject, const char *by, const char *reason, struct suspicion_entry *entry);
/* Answers a local request into v->answer, and says whether a ledger entry has to be durable before it leaves. */
void local_request(struct visitor *v);
void changes_accept(struct visitor *v); /* whose entry is durable */
/* What an operator must hear of, without personal data. */
void admin_alarm(const struct admin *a, const char *text);
/* Publishes an entry of the event; 0 counts and no subjects are fine. */
RESULT admin_publish(struct admin *a, enum ledger_event event, const struct ledger_count *counts, size_t count,
    const uint64_t *subjects, size_t subject_count, uint64_t *ticket);
/* The same; `by` (or NULL) is who did it, the entry's recipient.identity, and `why` (or NULL) its purpose. */
RESULT admin_publish_by(struct admin *a, enum ledger_event event, const char *by, const char *why, const struct ledger_count *counts,
    size_t count, const uint64_t *subjects, size_t subject_count, uint64_t *ticket);
/* metrics.c */
RESULT metrics_write(const struct admin *a, struct buf *out);
/* mirror.c: a gauge for each fact; the report, JSON */
RESULT mirror_metrics(const struct admin *a, struct buf *out);
RESULT mirror_page(const struct admin *a, struct buf *out);
/* Why we would not serve now; NULL: we would. */
const char *not_ready(const struct admin *a);

#endif
