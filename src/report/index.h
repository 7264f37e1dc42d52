/* Private to report: the parts of the SQLite index. */
#ifndef GATE1367_REPORT_INDEX_H
#define GATE1367_REPORT_INDEX_H

#include "report/report.h"
#include <sqlite3.h>

#define INDEX_WORDS 4096u

struct word_place {
    char *text;
    sqlite3_int64 id;
};
struct report_index {
    uint32_t magic;
    sqlite3 *db;
    char *directory;
    struct ledger_verifier verifier;
    uint64_t size;
    uint8_t root[32];
    struct ledger_tree tree; /* of what is in it */
    sqlite3_stmt *entry, *rule, *subject, *word, *word_id, *ended, *is_ended;
    struct word_place words[INDEX_WORDS]; /* most of those seen lately */
    struct sums_progress {
        ledger_progress_fn *tell;
        void *ctx;
        uint64_t end;
    } progress;
};
#define INDEX_MAGIC 0x69647831u

/* The last error of this thread's SQLite, for report_index_why. */
result index_failed(struct report_index *i);
result index_run(struct report_index *i, const char *sql);
result index_prepare(struct report_index *i, const char *sql, sqlite3_stmt **out);
/* Steps to the end; the statement is reset. */
result index_done(struct report_index *i, sqlite3_stmt *s);
result index_bind_text(struct report_index *i, sqlite3_stmt *s, int at, span text); /* ptr NULL: null */

#endif
