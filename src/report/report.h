/* report: what auditors owe and are owed, made of a ledger's entries and of nothing else; and the ledger in other
 * programs' words (exports, an SQLite index). Two parts:
 *   documents  facts and tables, gathered by quarterly, accounting, incidents and reconcile; printed as text, CSV, JSON or
 *              one page of HTML
 *   exports    entry by entry
 * Nobody here trusts an entry's texts: each writer escapes for whoever reads it. */
#ifndef GATE1367_REPORT_REPORT_H
#define GATE1367_REPORT_REPORT_H

#include "base/base.h"
#include "ledger/ledger.h"
#include <stdio.h>

/* ---- documents -------------------------------------------------------------------------------------------------- */

#define REPORT_COLUMNS_MAX 16
enum report_kind { REPORT_TEXT, REPORT_NUMBER };
struct report_column {
    const char *id, *heading;
    enum report_kind kind;
};
enum report_chart {
    REPORT_NO_CHART,
    REPORT_BARS,    /* the first column against the `chart_column` */
    REPORT_STACKED, /* the first column against all numbers from `chart_column` on */
};
struct report_cell {
    span text;
    uint64_t number;
};
struct report_table {
    const char *id, *title, *note; /* note may be NULL */
    const struct report_column *columns;
    size_t column_count;
    enum report_chart chart;
    size_t chart_column;
    struct report_cell *cells; /* row by row */
    size_t count, room;        /* cells */
    struct report_table *next;
};
struct report_fact {
    const char *name;
    span text;
    struct report_fact *next;
};
struct report {
    const char *id, *title;
    struct arena *memory;
    struct report_fact *facts, **facts_end;
    struct report_table *tables, **tables_end;
    bool failed; /* out of memory: latched */
};
RESULT report_init(struct report *r, const char *id, const char *title);
void report_free(struct report *r);
void report_fact(struct report *r, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* Strings and columns outlive the report. NULL: out of memory. */
struct report_table *report_table_add(
    struct report *r, const char *id, const char *title, const char *note, const struct report_column *columns, size_t count);
void report_text(struct report *r, struct report_table *t, span text); /* copied; the table may be NULL */
void report_number(struct report *r, struct report_table *t, uint64_t number);
static inline size_t report_rows(const struct report_table *t) { return t->count / t->column_count; }

#define REPORT_FORMATS(X) X(PLAIN, "text") X(CSV, "csv") X(JSON, "json") X(HTML, "html")
enum report_format {
#define X(id, name) REPORT_AS_##id,
    REPORT_FORMATS(X)
#undef X
};
void report_print(const struct report *r, enum report_format format, FILE *to);

/* ---- whom an entry is about -------------------------------------------------------------------------------------- */

/* An entry as it is read, and what was unsealed of it (empty where nothing was). */
struct report_entry {
    uint64_t index;
    const struct ledger_view *view;
    span unsealed;
};
/* Name and address of recipients, from recipients.json; NULL where it is not known. */
struct report_who {
    const char *organization, *address;
};
typedef bool report_who_fn(void *ctx, const char *id, struct report_who *out);

/* ---- quarterly --------------------------------------------------------------------------------------------------- */

/* Federal fiscal quarters: the first begins with October of the year before. */
struct report_quarter {
    unsigned year, quarter; /* from 1 */
};
struct report_quarter report_quarter_of(uint64_t time_us);
uint64_t report_quarter_begin(struct report_quarter q); /* microseconds since 1970, UTC */
/* "FY2027Q1" */
bool report_quarter_parse(span text, struct report_quarter *out);
#define REPORT_QUARTER_TEXT 16
void report_quarter_format(struct report_quarter q, char out[REPORT_QUARTER_TEXT]);

struct quarterly;
RESULT quarterly_new(struct quarterly **out);
void quarterly_free(struct quarterly *q);
RESULT quarterly_add(struct quarterly *q, const struct report_entry *e);
/* INTERNAL when a table's sums are not the ledger's: our own bug, but nobody signs such a report. */
RESULT quarterly_report(struct quarterly *q, struct report *out);

/* ---- accounting of disclosures ----------------------------------------------------------------------------------- */

struct accounting;
RESULT accounting_new(report_who_fn *who, void *ctx, struct accounting **out);
void accounting_free(struct accounting *a);
/* Completions of other people's answers too: which of them it takes is its business. `about`: the entry passed the filter. */
RESULT accounting_add(struct accounting *a, const struct report_entry *e, bool about);
RESULT accounting_report(struct accounting *a, struct report *out);

/* ---- incidents --------------------------------------------------------------------------------------------------- */

struct incidents;
RESULT incidents_new(struct incidents **out);
void incidents_free(struct incidents *i);
RESULT incidents_add(struct incidents *i, const struct report_entry *e);
/* An entry of another time than the report's, in order with the others: whether what it is about was completed, or had crashed, may
 * stand there. */
RESULT incidents_around(struct incidents *i, const struct report_entry *e);
RESULT incidents_report(struct incidents *i, struct report *out);

/* ---- reconciliation ---------------------------------------------------------------------------------------------- */

/* The origin's own access log (nginx's "combined") against the counters of `summary` entries. upstream NULL: all;
 * gateways: addresses from which the gateway asks, none: not known. Strings are borrowed. */
struct reconcile;
RESULT reconcile_new(const char *upstream, const char *const *gateways, size_t count, struct reconcile **out);
void reconcile_free(struct reconcile *r);
RESULT reconcile_add(struct reconcile *r, const struct report_entry *e); /* all entries before the first line */
RESULT reconcile_line(struct reconcile *r, span line);
/* *round: lines that no request of the gateway explains. */
RESULT reconcile_report(struct reconcile *r, struct report *out, uint64_t *round);
/* Lines in all; of another format, so that nobody can judge them; within the time that the counters cover, and read; and what the
 * counters say that the gateway asked, and how many answers began. */
struct reconcile_reading {
    uint64_t lines, unread, judged, asked, answered;
};
struct reconcile_reading reconcile_reading(const struct reconcile *r);

/* ---- exports ----------------------------------------------------------------------------------------------------- */

/* id, word, what it is */
#define REPORT_EXPORTS(X)                                                                                              \
    X(JSONL, "jsonl", "JSON Lines: index, entry and what was unsealed")                                                \
    X(CSV, "csv", "one row an entry; safe to open in a spreadsheet")                                                   \
    X(OCSF, "ocsf", "OCSF 1.4 Datastore Activity (6005) with security_control; other events as Base Event")           \
    X(ECS, "ecs", "Elastic Common Schema 8")                                                                           \
    X(CEF, "cef", "ArcSight Common Event Format")                                                                      \
    X(SYSLOG, "syslog", "RFC 5424, one message a line")                                                                \
    X(SQLITE, "sqlite", "an index to ask questions of; continued where it is there")
enum report_export {
#define X(id, name, text) REPORT_EXPORT_##id,
    REPORT_EXPORTS(X)
#undef X
        REPORT_EXPORT_COUNT
};
const char *report_export_name(enum report_export f);
bool report_export_parse(span word, enum report_export *out);
/* All but SQLITE, which report_index_* makes. */
void report_export_head(enum report_export format, FILE *to);
void report_export(enum report_export format, const struct report_entry *e, FILE *to);

/* ---- the index --------------------------------------------------------------------------------------------------- */

/* An SQLite file over the published entries: derived, and disposable. What it holds was hashed on the way in, and the root
 * compared with the signed checkpoint; before it is asked, its root is compared with the ledger's at that size. */
struct report_index;
enum report_index_error {
    REPORT_INDEX_SQLITE = 4001, /* IO: report_index_why says what SQLite said */
    REPORT_INDEX_OTHER,         /* CONFIG: no index of ours, or another ledger's */
    REPORT_INDEX_DIFFERS,       /* INTERNAL: the ledger and it do not agree: delete it, and verify the ledger */
};
RESULT report_index_open(
    const char *path, const char *directory, const struct ledger_verifier *v, bool writable, struct report_index **out);
void report_index_close(struct report_index *i); /* NULL is fine */
const char *report_index_why(result r);
/* Adds what was published since. */
RESULT report_index_update(struct report_index *i, ledger_progress_fn *progress, void *ctx);
uint64_t report_index_size(const struct report_index *i);
/* Calls each for the entries that pass, in order; stops with its error. The filter's pseudonyms are made for every month
 * there is. */
typedef result report_index_fn(void *ctx, uint64_t index);
RESULT report_index_find(struct report_index *i, struct ledger_filter *f, report_index_fn *each, void *ctx);
/* To be shown every entry that came after it was made; then it knows of each disclosure, its own and those, whether a
 * completion came (struct ledger_presumed knows it from the entries alone). */
RESULT report_index_see(struct report_index *i, span entry);
RESULT report_index_is_presumed(struct report_index *i, const struct ledger_view *v, bool *presumed);

#endif
