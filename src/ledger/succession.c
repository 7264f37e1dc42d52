/* From one ledger to the next: in good order, or over damage. Each is tied to the other by what both signed. */
#include "ledger/approval.h"
#include <errno.h>

#define MARK_MAX ((size_t)1 << 20)
#define STATEMENT "gate1367 ledger recovery"

result entry_begin(struct ledger_entry *e, enum ledger_event event, const char *node, char request[LEDGER_REQUEST_ID])
{
    uint8_t chance[26];
    TRY(os_random(chance, sizeof chance));
    uint64_t now = os_realtime_us();
    ledger_request_id(now / 1000, chance, request);
    *e = (struct ledger_entry){.time_us = now,
        .node = span_str(node),
        .request = span_str(request),
        .event = event,
        .upstream_status = -1,
        .status = -1,
        .duration_us = -1};
    memcpy(e->nonce, chance + 10, 16);
    return OK;
}

static result end_old(const struct ledger_place *old, const char *successor)
{
    struct ledger_entry e;
    char request[LEDGER_REQUEST_ID];
    TRY(entry_begin(&e, LEDGER_STOP, old->origin, request));
    e.successor = span_str(successor);
    return ledger_append_once(old, &e);
}

/* The newest checkpoint that can be read; empty where there is none. Free with buf_free. */
static result last_checkpoint(const struct ledger_place *old, struct buf *note)
{
    char root[PATH_BYTES];
    TRY(layout_path(root, old->directory, TILES_DIRECTORY));
    result r = tiles_checkpoint(root, note);
    return r.class == ERROR_IO && r.code == ENOENT ? OK : r;
}

static result begin_next(const struct ledger_place *next, span previous, span gap)
{
    struct ledger_entry e;
    char request[LEDGER_REQUEST_ID];
    TRY(entry_begin(&e, LEDGER_START, next->origin, request));
    e.previous = previous;
    e.gap = gap;
    return ledger_append_once(next, &e);
}

/* From here on nobody writes to the old one, even by mistake. */
static result name_successor(const struct ledger_place *old, const char *successor)
{
    struct node node;
    TRY(node_read(old->directory, &node));
    snprintf(node.successor, sizeof node.successor, "%s", successor);
    return node_write(old->directory, &node);
}

static result link_ledgers(const struct ledger_place *old, const struct ledger_place *next, const char *successor)
{
    struct buf note;
    TRY(end_old(old, successor));
    TRY(last_checkpoint(old, &note));
    result r = begin_next(next, buf_span(&note), span_of(NULL, 0));
    buf_free(&note);
    TRY(r);
    return name_successor(old, successor);
}

/* That the old one can be written to is found out before anything new is made. */
static result try_old(const struct ledger_place *old)
{
    struct ledger_key *key = NULL;
    struct ledger *l = NULL;
    TRY(ledger_key_load(old->key_path, &key));
    result r = ledger_open(old, key, NULL, &l);
    if (is_ok(r)) r = ledger_close(l);
    ledger_key_free(key);
    return r;
}

/* The registry that the old one's gateway had in force goes on with the next. */
static result carry_mark(const struct ledger_place *old, const struct ledger_place *next)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    struct buf mark;
    TRY(layout_path(from, old->directory, LEDGER_MARK_FILE));
    TRY(layout_path(to, next->directory, LEDGER_MARK_FILE));
    result r = os_read_file(from, MARK_MAX, &mark);
    if (r.class == ERROR_IO && r.code == ENOENT) return OK;
    if (is_ok(r)) r = os_write_atomic(to, buf_span(&mark), 0600);
    buf_free(&mark);
    return r;
}

result ledger_rotate(const struct ledger_place *old, const struct ledger_place *next, struct ledger_verifier *out)
{
    char successor[LEDGER_VKEY_MAX];
    TRY(try_old(old));
    TRY(ledger_init(next, out));
    TRY(carry_mark(old, next));
    ledger_verifier_format(out, successor);
    return link_ledgers(old, next, successor);
}

/* ---- over damage ---------------------------------------------------------------------------------------------- */

static result verifier_of_next(const struct ledger_place *next, struct ledger_verifier *out)
{
    result r = ledger_verifier_read(next->directory, out);
    return r.class == ERROR_CONFIG && r.code == LEDGER_E_MISSING ? ledger_init(next, out) : r;
}

static result old_verifier(const struct ledger_place *old, struct ledger_verifier *out)
{
    struct ledger_key *key = NULL;
    TRY(ledger_key_load(old->key_path, &key));
    result r = ledger_verifier_of(key, old->origin, out);
    ledger_key_free(key);
    return r;
}

static result head_lines(const struct ledger_place *old, const struct ledger_place *next, struct buf *out)
{
    struct ledger_verifier before, after;
    char a[LEDGER_VKEY_MAX], b[LEDGER_VKEY_MAX];
    TRY(old_verifier(old, &before));
    TRY(verifier_of_next(next, &after));
    ledger_verifier_format(&before, a);
    ledger_verifier_format(&after, b);
    return buf_printf(out, STATEMENT "\n%s\n%s\n", a, b);
}

result ledger_recovery_statement(
    const struct ledger_place *old, const struct ledger_place *next, span reason, struct buf *out)
{
    struct ledger_verifier before;
    struct ledger_report report;
    char problem[512];
    REQUIRE(approval_one_line(reason), ERROR_CONFIG, EINVAL);
    TRY(head_lines(old, next, out));
    TRY(old_verifier(old, &before));
    enum ledger_judgement j = ledger_verify(old->directory, &before, NULL, NULL, &report);
    ledger_problem_format(&report.first, problem, sizeof problem);
    if (j == LEDGER_IS_SOUND)
        TRY(buf_printf(out, "the old ledger is sound, %llu entries\n", (unsigned long long)report.entries));
    else
        TRY(buf_printf(out, "the old ledger is proven up to entry %llu: %s\n", (unsigned long long)report.first.index, problem));
    return buf_printf(out, "reason: %.*s\n", SPAN_FMT(reason));
}

static result check_approval(const struct ledger_place *old, const struct ledger_place *next, span approval,
    const char *const *approvers, size_t count)
{
    struct tlog_note n;
    struct buf head;
    buf_init(&head, LEDGER_NOTE_MAX);
    result r = head_lines(old, next, &head);
    bool good = is_ok(r) && approval.len <= LEDGER_NOTE_MAX && tlog_note_split(approval, &n) &&
                span_starts(n.text, buf_span(&head)) && approval_two_signed(&n, approvers, count);
    buf_free(&head);
    TRY(r);
    REQUIRE(good, ERROR_CONFIG, LEDGER_E_APPROVAL);
    return OK;
}

static result must_be_empty(const struct ledger_place *next, const struct ledger_verifier *v)
{
    struct expectation published;
    bool ours;
    TRY(published_expect(next->directory, v, &published, &ours));
    REQUIRE(ours && published.size == 0, ERROR_CONFIG, LEDGER_E_EXISTS);
    return OK;
}

result ledger_recover(const struct ledger_place *old, const struct ledger_place *next, span approval,
    const char *const *approvers, size_t approver_count, struct ledger_verifier *out)
{
    struct buf note;
    char successor[LEDGER_VKEY_MAX];
    TRY(check_approval(old, next, approval, approvers, approver_count));
    TRY(ledger_verifier_read(next->directory, out));
    TRY(must_be_empty(next, out));
    ledger_verifier_format(out, successor);
    result r = last_checkpoint(old, &note);
    if (is_ok(r)) r = begin_next(next, buf_len(&note) > 0 ? buf_span(&note) : span_of(NULL, 0), approval);
    buf_free(&note);
    TRY(r);
    /* It may be too damaged for that: then it cannot be opened to be written either. Where the mark is lost with it, the next start says
     * that there was none. */
    result carried = carry_mark(old, next), named = name_successor(old, successor);
    if (carried.class == ERROR_LIMIT) return carried;
    return named.class == ERROR_LIMIT ? named : OK;
}
