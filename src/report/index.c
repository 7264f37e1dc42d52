/* Making and continuing the index. */
#include "report/index.h"
#include "report/requests.h"
#include "report/sums.h"
#include <errno.h>

#define FORMAT "1"
#define BATCH 65536u

static const char SCHEMA[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, event INTEGER, outcome INTEGER, recipient INTEGER, grant_id INTEGER,"
    " status INTEGER, seen INTEGER, protected INTEGER, withheld INTEGER, redacted INTEGER, disclosed INTEGER, part INTEGER, request BLOB);"
    "CREATE TABLE rules (rule INTEGER, idx INTEGER, times INTEGER, PRIMARY KEY (rule, idx)) WITHOUT ROWID;"
    "CREATE TABLE subjects (subject BLOB, idx INTEGER, PRIMARY KEY (subject, idx)) WITHOUT ROWID;"
    "CREATE INDEX entries_time ON entries (time_us);"
    "CREATE INDEX entries_recipient ON entries (recipient, outcome, event);"
    "CREATE INDEX entries_outcome ON entries (outcome, event);"
    "CREATE INDEX entries_event ON entries (event);"
    "CREATE INDEX entries_request ON entries (request) WHERE request IS NOT NULL;"
    "CREATE INDEX entries_grant ON entries (grant_id) WHERE grant_id IS NOT NULL;"
    "CREATE VIEW ledger AS SELECT e.idx, strftime('%Y-%m-%dT%H:%M:%S', e.time_us / 1000000, 'unixepoch') || printf('.%06dZ', e.time_us % 1000000) AS time,"
    " v.text AS event, o.text AS outcome,"
    " r.text AS recipient, g.text AS grant_id, e.status, e.seen, e.protected, e.withheld, e.redacted, e.disclosed, e.part, CASE WHEN e.request IS NOT NULL THEN"
    " lower(substr(hex(e.request), 1, 8) || '-' || substr(hex(e.request), 9, 4) || '-' || substr(hex(e.request), 13, 4) || '-' || substr(hex(e.request), 17, 4)"
    " || '-' || substr(hex(e.request), 21)) END AS request"
    " FROM entries e LEFT JOIN words v ON v.id = e.event LEFT JOIN words o ON o.id = e.outcome LEFT JOIN words r ON r.id = e.recipient"
    " LEFT JOIN words g ON g.id = e.grant_id;";

static char last_error[256]; /* SQLite's own words: they name no entry */

const char *report_index_why(result r)
{
    switch (r.code) {
    case REPORT_INDEX_SQLITE: return last_error;
    case REPORT_INDEX_OTHER: return "is no index of this ledger; delete it, or name another file";
    case REPORT_INDEX_DIFFERS: return "the index and the ledger do not agree; verify the ledger, delete the index and make it again";
    default: return ledger_error_text(r);
    }
}

result index_failed(struct report_index *i)
{
    snprintf(last_error, sizeof last_error, "%s", i->db ? sqlite3_errmsg(i->db) : "out of memory");
    return FAIL(ERROR_IO, REPORT_INDEX_SQLITE);
}

result index_run(struct report_index *i, const char *sql)
{
    return sqlite3_exec(i->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : index_failed(i);
}

result index_prepare(struct report_index *i, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(i->db, sql, -1, out, NULL) == SQLITE_OK ? OK : index_failed(i);
}

result index_done(struct report_index *i, sqlite3_stmt *s)
{
    int status = sqlite3_step(s);
    if (sqlite3_reset(s) != SQLITE_OK || (status != SQLITE_DONE && status != SQLITE_ROW)) return index_failed(i);
    return OK;
}

result index_bind_text(struct report_index *i, sqlite3_stmt *s, int at, span text)
{
    int status = text.ptr ? sqlite3_bind_text(s, at, (const char *)text.ptr, (int)text.len, SQLITE_TRANSIENT) : sqlite3_bind_null(s, at);
    return status == SQLITE_OK ? OK : index_failed(i);
}

/* ---- what it stands for ----------------------------------------------------------------------------------------- */

static result write_meta(struct report_index *i, const char *name, const void *value, size_t len)
{
    sqlite3_stmt *s = NULL;
    TRY(index_prepare(i, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", &s));
    result r = index_bind_text(i, s, 1, span_str(name));
    if (is_ok(r) && sqlite3_bind_blob(s, 2, value, (int)len, SQLITE_TRANSIENT) != SQLITE_OK) r = index_failed(i);
    if (is_ok(r)) r = index_done(i, s);
    sqlite3_finalize(s);
    return r;
}

/* False: it is not there, or of another length. */
static bool read_meta(struct report_index *i, const char *name, void *out, size_t len)
{
    sqlite3_stmt *s = NULL;
    if (!is_ok(index_prepare(i, "SELECT value FROM meta WHERE name = ?1", &s))) return false;
    bool found = is_ok(index_bind_text(i, s, 1, span_str(name))) && sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == (int)len;
    if (found) memcpy(out, sqlite3_column_blob(s, 0), len);
    sqlite3_finalize(s);
    return found;
}

static result write_state(struct report_index *i)
{
    REQUIRE(ledger_tree_root(&i->tree, i->root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    i->size = i->tree.size;
    return write_meta(i, "tree", &i->tree, sizeof i->tree);
}

static result make(struct report_index *i)
{
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(&i->verifier, vkey);
    TRY(index_run(i, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; BEGIN"));
    TRY(index_run(i, SCHEMA));
    TRY(write_meta(i, "format", FORMAT, 1));
    TRY(write_meta(i, "verifier", vkey, strlen(vkey)));
    TRY(write_state(i));
    return index_run(i, "COMMIT");
}

/* As many entries as its state stands for, and no others: rows that were lost, or taken out by hand, would be missed by nobody. */
static bool is_complete(struct report_index *i)
{
    sqlite3_stmt *s = NULL;
    bool complete = is_ok(index_prepare(i, "SELECT (SELECT count(*) FROM entries), (SELECT max(idx) FROM entries), (SELECT min(idx) FROM entries)", &s)) &&
                    sqlite3_step(s) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(s, 0) == i->size &&
                    (i->size == 0 || ((uint64_t)sqlite3_column_int64(s, 1) == i->size - 1 && sqlite3_column_int64(s, 2) == 0));
    sqlite3_finalize(s);
    return complete;
}

/* Of our format, of this ledger, and of what this ledger was at that size. */
static result read_state(struct report_index *i)
{
    char vkey[LEDGER_VKEY_MAX], found[LEDGER_VKEY_MAX] = "", format = 0;
    uint8_t root[32];
    ledger_verifier_format(&i->verifier, vkey);
    bool ours = read_meta(i, "format", &format, 1) && format == FORMAT[0] && read_meta(i, "verifier", found, strlen(vkey)) &&
                memcmp(found, vkey, strlen(vkey)) == 0 && read_meta(i, "tree", &i->tree, sizeof i->tree);
    REQUIRE(ours, ERROR_CONFIG, REPORT_INDEX_OTHER);
    REQUIRE(ledger_tree_root(&i->tree, i->root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    i->size = i->tree.size;
    REQUIRE(is_complete(i), ERROR_INTERNAL, REPORT_INDEX_DIFFERS);
    if (i->size == 0) return OK;
    result r = ledger_root_at(i->directory, i->size, root);
    REQUIRE(is_ok(r) && memcmp(root, i->root, 32) == 0, ERROR_INTERNAL, REPORT_INDEX_DIFFERS);
    return OK;
}

static bool is_empty(struct report_index *i)
{
    sqlite3_stmt *s = NULL;
    bool empty = is_ok(index_prepare(i, "SELECT count(*) FROM sqlite_master", &s)) && sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0) == 0;
    sqlite3_finalize(s);
    return empty;
}

result report_index_open(const char *path, const char *directory, const struct ledger_verifier *v, bool writable, struct report_index **out)
{
    struct report_index *i = mem_alloc(sizeof *i);
    REQUIRE(i, ERROR_LIMIT, ENOMEM);
    i->magic = INDEX_MAGIC;
    i->verifier = *v;
    i->directory = mem_strdup(directory);
    int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    result r = i->directory ? OK : FAIL(ERROR_LIMIT, ENOMEM);
    if (is_ok(r) && sqlite3_open_v2(path, &i->db, flags, NULL) != SQLITE_OK) r = index_failed(i);
    if (is_ok(r)) r = writable && is_empty(i) ? make(i) : read_state(i);
    if (!is_ok(r)) {
        report_index_close(i);
        return r;
    }
    *out = i;
    return OK;
}

void report_index_close(struct report_index *i)
{
    if (!i) return;
    MAGIC_CHECK(i, INDEX_MAGIC);
    i->magic = 0;
    sqlite3_stmt *all[] = {i->entry, i->rule, i->subject, i->word, i->word_id, i->ended, i->is_ended};
    for (size_t k = 0; k < ARRAY_LEN(all); k++) sqlite3_finalize(all[k]);
    sqlite3_close(i->db);
    for (size_t k = 0; k < INDEX_WORDS; k++) mem_free(i->words[k].text);
    mem_free(i->directory);
    mem_free(i);
}

uint64_t report_index_size(const struct report_index *i)
{
    return i->size;
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

static result insert_word(struct report_index *i, span text, sqlite3_int64 *id)
{
    TRY(index_bind_text(i, i->word, 1, text));
    TRY(index_done(i, i->word));
    TRY(index_bind_text(i, i->word_id, 1, text));
    bool found = sqlite3_step(i->word_id) == SQLITE_ROW;
    if (found) *id = sqlite3_column_int64(i->word_id, 0);
    sqlite3_reset(i->word_id);
    return found ? OK : index_failed(i);
}

/* The number of a word, by a table of those used lately: they are few. */
static result bind_word(struct report_index *i, sqlite3_stmt *s, int at, span text)
{
    static const uint8_t key[16];
    if (!text.ptr) return index_bind_text(i, s, at, text);
    struct word_place *p = &i->words[siphash64(key, text) % INDEX_WORDS];
    if (!p->text || !span_equal(span_str(p->text), text)) {
        mem_free(p->text);
        p->text = mem_alloc(text.len + 1);
        REQUIRE(p->text, ERROR_LIMIT, ENOMEM);
        memcpy(p->text, text.ptr, text.len);
        TRY(insert_word(i, text, &p->id));
    }
    return sqlite3_bind_int64(s, at, p->id) == SQLITE_OK ? OK : index_failed(i);
}

static result bind_number(struct report_index *i, sqlite3_stmt *s, int at, uint64_t n)
{
    return sqlite3_bind_int64(s, at, (sqlite3_int64)n) == SQLITE_OK ? OK : index_failed(i);
}

/* null where nobody was answered. */
static result bind_status(struct report_index *i, sqlite3_stmt *s, int at, span raw)
{
    if (raw.len > 0 && is_digit(raw.ptr[0])) return bind_number(i, s, at, ledger_view_number(raw, 0));
    return sqlite3_bind_null(s, at) == SQLITE_OK ? OK : index_failed(i);
}

static result add_entry(struct report_index *i, uint64_t index, const struct ledger_view *v)
{
    static const enum ledger_member words[] = {LEDGER_MEMBER_EVENT, LEDGER_MEMBER_OUTCOME};
    static const char *const counts[] = {"seen", "protected", "withheld", "redacted", "disclosed"};
    char scratch[LEDGER_FIELD_MAX];
    uint8_t id[16];
    sqlite3_stmt *s = i->entry;
    const span *m = v->members;
    TRY(bind_number(i, s, 1, index));
    TRY(bind_number(i, s, 2, entry_time(v)));
    for (int k = 0; k < (int)ARRAY_LEN(words); k++) TRY(bind_word(i, s, 3 + k, entry_text(v, words[k], scratch, sizeof scratch)));
    TRY(bind_word(i, s, 5, entry_recipient(v, "id", scratch, sizeof scratch)));
    TRY(bind_word(i, s, 6, entry_text(v, LEDGER_MEMBER_GRANT, scratch, sizeof scratch)));
    TRY(bind_status(i, s, 7, m[LEDGER_MEMBER_STATUS]));
    for (int k = 0; k < (int)ARRAY_LEN(counts); k++)
        TRY(bind_number(i, s, 8 + k, ledger_view_number(ledger_view_member(m[LEDGER_MEMBER_RECORDS], counts[k]), 0)));
    TRY(bind_number(i, s, 13, ledger_view_number(m[LEDGER_MEMBER_PART], 1)));
    bool named = request_id(entry_text(v, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch), id);
    int bound = named ? sqlite3_bind_blob(s, 14, id, sizeof id, SQLITE_TRANSIENT) : sqlite3_bind_null(s, 14);
    return bound == SQLITE_OK ? index_done(i, s) : index_failed(i);
}

static result add_lists(struct report_index *i, uint64_t index, const struct ledger_view *v)
{
    span name, value;
    char scratch[LEDGER_FIELD_MAX];
    size_t at = 0;
    while (ledger_view_next(v->members[LEDGER_MEMBER_RULES], &at, &name, &value) && name.ptr) {
        span quoted = span_of(name.ptr - 1, name.len + 2);
        TRY(bind_word(i, i->rule, 1, ledger_view_text(quoted, scratch, sizeof scratch)));
        TRY(bind_number(i, i->rule, 2, index));
        TRY(bind_number(i, i->rule, 3, ledger_view_number(value, 0)));
        TRY(index_done(i, i->rule));
    }
    at = 0;
    while (v->members[LEDGER_MEMBER_SUBJECTS].len > 2 && ledger_view_next(v->members[LEDGER_MEMBER_SUBJECTS], &at, &name, &value)) {
        uint8_t subject[16];
        if (value.len != 34 || !hex_decode(span_sub(value, 1, 32), subject, 16)) continue;
        if (sqlite3_bind_blob(i->subject, 1, subject, 16, SQLITE_TRANSIENT) != SQLITE_OK) return index_failed(i);
        TRY(bind_number(i, i->subject, 2, index));
        TRY(index_done(i, i->subject));
    }
    return OK;
}

/* Each batch with the state that it makes, in one transaction. */
static result add(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct report_index *i = ctx;
    struct ledger_view v;
    (void)frame;
    if (index >= i->progress.end) return FAIL(ERROR_CLOSED, 0);
    REQUIRE(index == i->tree.size && ledger_view_parse(json, &v), ERROR_INTERNAL, REPORT_INDEX_DIFFERS);
    REQUIRE(ledger_tree_add(&i->tree, json), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    TRY(add_entry(i, index, &v));
    TRY(add_lists(i, index, &v));
    if (i->tree.size % BATCH != 0) return OK;
    if (i->progress.tell) i->progress.tell(i->progress.ctx, i->tree.size, i->progress.end);
    TRY(write_state(i));
    return index_run(i, "COMMIT; BEGIN");
}

static result prepare(struct report_index *i)
{
    if (i->entry) return OK;
    TRY(index_prepare(i, "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)", &i->entry));
    TRY(index_prepare(i, "INSERT OR IGNORE INTO rules VALUES (?1, ?2, ?3)", &i->rule));
    TRY(index_prepare(i, "INSERT OR IGNORE INTO subjects VALUES (?1, ?2)", &i->subject));
    TRY(index_prepare(i, "INSERT OR IGNORE INTO words (text) VALUES (?1)", &i->word));
    return index_prepare(i, "SELECT id FROM words WHERE text = ?1", &i->word_id);
}

static result read_on(struct report_index *i)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    TRY(ledger_reader_open(i->directory, i->tree.size, &reader));
    result r = ledger_reader_read(reader, add, i, &problem);
    ledger_reader_close(reader);
    return r.class == ERROR_CLOSED && r.code == 0 ? OK : r;
}

result report_index_update(struct report_index *i, ledger_progress_fn *progress, void *ctx)
{
    uint8_t signed_root[32];
    MAGIC_CHECK(i, INDEX_MAGIC);
    i->progress.tell = progress;
    i->progress.ctx = ctx;
    TRY(ledger_published(i->directory, &i->verifier, &i->progress.end, signed_root));
    REQUIRE(i->progress.end >= i->size, ERROR_INTERNAL, REPORT_INDEX_DIFFERS);
    if (i->progress.end == i->size) return OK;
    /* Without a sync a power cut may keep the state and lose rows that it stands for: nobody would see that they are missing. */
    TRY(index_run(i, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -262144; BEGIN"));
    result r = prepare(i);
    if (is_ok(r)) r = read_on(i);
    if (is_ok(r)) r = write_state(i);
    if (is_ok(r) && (i->size != i->progress.end || memcmp(i->root, signed_root, 32) != 0)) r = FAIL(ERROR_INTERNAL, REPORT_INDEX_DIFFERS);
    if (is_ok(r)) return index_run(i, "COMMIT; ANALYZE");
    result undone = index_run(i, "ROLLBACK");
    (void)undone; /* what is told is why */
    return r;
}
