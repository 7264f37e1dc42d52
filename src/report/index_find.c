/* Asking the index. */
#include "report/index.h"
#include "report/requests.h"
#include <errno.h>

#define SQL_MAX 2048u

struct question {
    char sql[SQL_MAX];
    size_t len;
};

static void ask(struct question *q, const char *clause)
{
    int n = snprintf(q->sql + q->len, SQL_MAX - q->len, " AND %s", clause);
    ASSERT(n > 0 && (size_t)n < SQL_MAX - q->len); /* our own words, of bounded number */
    q->len += (size_t)n;
}

static void compose(struct question *q, const struct ledger_filter *f)
{
    q->len = (size_t)snprintf(q->sql, SQL_MAX, "SELECT idx FROM entries WHERE 1");
    if (f->event) ask(q, "event = (SELECT id FROM words WHERE text = ?1)");
    if (f->outcome) ask(q, "outcome = (SELECT id FROM words WHERE text = ?2)");
    if (f->recipient) ask(q, "recipient = (SELECT id FROM words WHERE text = ?3)");
    if (f->grant) ask(q, "grant_id = (SELECT id FROM words WHERE text = ?4)");
    if (f->rule) ask(q, "idx IN (SELECT idx FROM rules WHERE rule = (SELECT id FROM words WHERE text = ?5))");
    if (f->request) ask(q, "request = ?6");
    if (f->since_us) ask(q, "time_us >= ?7");
    if (f->until_us) ask(q, "time_us < ?8");
    if (ledger_filter_by_subject(f)) ask(q, "idx IN (SELECT s.idx FROM temp.wanted w JOIN subjects s ON s.subject = w.subject)");
    q->len += (size_t)snprintf(q->sql + q->len, SQL_MAX - q->len, " ORDER BY idx");
}

/* Parameters that the question does not have are passed over. */
static result bind(struct report_index *i, sqlite3_stmt *s, const struct ledger_filter *f)
{
    const char *texts[] = {f->event, f->outcome, f->recipient, f->grant, f->rule};
    uint8_t id[16];
    for (int k = 0; k < (int)ARRAY_LEN(texts); k++)
        if (texts[k]) TRY(index_bind_text(i, s, k + 1, span_str(texts[k])));
    bool named = f->request && request_id(span_str(f->request), id);
    if (f->request && (named ? sqlite3_bind_blob(s, 6, id, sizeof id, SQLITE_TRANSIENT) : sqlite3_bind_null(s, 6)) != SQLITE_OK) return index_failed(i);
    if (f->since_us && sqlite3_bind_int64(s, 7, (sqlite3_int64)f->since_us) != SQLITE_OK) return index_failed(i);
    if (f->until_us && sqlite3_bind_int64(s, 8, (sqlite3_int64)f->until_us) != SQLITE_OK) return index_failed(i);
    return OK;
}

/* ---- whom ------------------------------------------------------------------------------------------------------- */

static result want(struct report_index *i, sqlite3_stmt *s, const char *pseudonym)
{
    uint8_t bytes[16];
    if (!hex_decode(span_str(pseudonym), bytes, sizeof bytes)) return OK;
    if (sqlite3_bind_blob(s, 1, bytes, sizeof bytes, SQLITE_TRANSIENT) != SQLITE_OK) return index_failed(i);
    return index_done(i, s);
}

static result want_month(struct report_index *i, sqlite3_stmt *s, struct ledger_filter *f, uint64_t time_us)
{
    char name[LEDGER_PSEUDONYM];
    uint8_t handle[8];
    if (ledger_epochs_destroyed(&f->root.epochs, ledger_month_of(time_us))) return OK;
    REQUIRE(ledger_month_update(&f->month, &f->root, time_us), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    for (size_t k = 0; k < f->subject_count; k++) {
        store_le64(handle, f->subjects[k]);
        REQUIRE(ledger_pseudonym(&f->month, SPAN("subject"), span_of(handle, 8), name), ERROR_INTERNAL, LEDGER_E_CRYPTO);
        TRY(want(i, s, name));
    }
    return OK;
}

static result times_of(struct report_index *i, uint64_t *first, uint64_t *last)
{
    sqlite3_stmt *s = NULL;
    TRY(index_prepare(i, "SELECT (SELECT min(time_us) FROM entries), (SELECT max(time_us) FROM entries)", &s));
    bool row = sqlite3_step(s) == SQLITE_ROW;
    *first = row ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    *last = row ? (uint64_t)sqlite3_column_int64(s, 1) : 0;
    sqlite3_finalize(s);
    return row ? OK : index_failed(i);
}

#define DAYS_20 (UINT64_C(20) * 86400000000)
/* Every month is met in steps of twenty days. */
static result fill_wanted(struct report_index *i, struct ledger_filter *f)
{
    sqlite3_stmt *s = NULL;
    uint64_t first, last;
    TRY(index_run(i, "CREATE TEMP TABLE IF NOT EXISTS wanted (subject BLOB PRIMARY KEY) WITHOUT ROWID; DELETE FROM temp.wanted"));
    TRY(times_of(i, &first, &last));
    TRY(index_prepare(i, "INSERT OR IGNORE INTO temp.wanted VALUES (?1)", &s));
    result r = f->pseudonym[0] ? want(i, s, f->pseudonym) : OK;
    for (uint64_t at = first; is_ok(r) && !f->pseudonym[0] && at < last; at += DAYS_20) r = want_month(i, s, f, at);
    if (is_ok(r) && !f->pseudonym[0]) r = want_month(i, s, f, last);
    sqlite3_finalize(s);
    f->month.month = 0; /* the names of the filter's own month are made anew */
    return r;
}

result report_index_find(struct report_index *i, struct ledger_filter *f, report_index_fn *each, void *ctx)
{
    struct question q;
    sqlite3_stmt *s = NULL;
    int status = SQLITE_DONE;
    MAGIC_CHECK(i, INDEX_MAGIC);
    if (ledger_filter_by_subject(f)) TRY(fill_wanted(i, f));
    compose(&q, f);
    TRY(index_prepare(i, q.sql, &s));
    result r = bind(i, s, f);
    while (is_ok(r) && (status = sqlite3_step(s)) == SQLITE_ROW) r = each(ctx, (uint64_t)sqlite3_column_int64(s, 0));
    if (is_ok(r) && status != SQLITE_DONE) r = index_failed(i);
    sqlite3_finalize(s);
    return r;
}

/* ---- completions ------------------------------------------------------------------------------------------------ */

static result prepare_ended(struct report_index *i)
{
    if (i->is_ended) return OK;
    TRY(index_run(i, "CREATE TEMP TABLE IF NOT EXISTS ended (request BLOB PRIMARY KEY) WITHOUT ROWID"));
    TRY(index_prepare(i, "INSERT OR IGNORE INTO temp.ended VALUES (?1)", &i->ended));
    return index_prepare(i,
        "SELECT EXISTS (SELECT 1 FROM entries WHERE request = ?1 AND event = (SELECT id FROM words WHERE text = ?2))"
        " OR EXISTS (SELECT 1 FROM temp.ended WHERE request = ?1)",
        &i->is_ended);
}

/* Whether it is an entry of that event about a request. */
static bool is_about(const struct ledger_view *v, enum ledger_event event, uint8_t id[16])
{
    char scratch[LEDGER_REQUEST_ID];
    return ledger_view_is(v->members[LEDGER_MEMBER_EVENT], span_str(ledger_event_name(event))) &&
           request_id(ledger_view_text(v->members[LEDGER_MEMBER_REQUEST], scratch, sizeof scratch), id);
}

static result bind_id(struct report_index *i, sqlite3_stmt *s, const uint8_t id[16])
{
    return sqlite3_bind_blob(s, 1, id, 16, SQLITE_TRANSIENT) == SQLITE_OK ? OK : index_failed(i);
}

result report_index_see(struct report_index *i, span entry)
{
    struct ledger_view v;
    uint8_t id[16];
    MAGIC_CHECK(i, INDEX_MAGIC);
    TRY(prepare_ended(i));
    if (!ledger_view_parse(entry, &v) || !is_about(&v, LEDGER_COMPLETION, id)) return OK;
    TRY(bind_id(i, i->ended, id));
    return index_done(i, i->ended);
}

result report_index_is_presumed(struct report_index *i, const struct ledger_view *v, bool *presumed)
{
    uint8_t id[16];
    MAGIC_CHECK(i, INDEX_MAGIC);
    *presumed = is_about(v, LEDGER_DISCLOSURE, id);
    if (!*presumed) return OK;
    TRY(prepare_ended(i));
    TRY(bind_id(i, i->is_ended, id));
    TRY(index_bind_text(i, i->is_ended, 2, span_str(ledger_event_name(LEDGER_COMPLETION))));
    *presumed = sqlite3_step(i->is_ended) != SQLITE_ROW || sqlite3_column_int(i->is_ended, 0) == 0;
    return sqlite3_reset(i->is_ended) == SQLITE_OK ? OK : index_failed(i);
}
