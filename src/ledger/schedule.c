/* A records schedule and what is destroyed under it: both are entries of the ledger. What is unscheduled has nothing by whose loss
 * it would be lost, so that there is nothing to refuse but this. */
#include "ledger/schedule.h"
#include <errno.h>

#define US_DAY UINT64_C(86400000000)

static bool refuse(struct ledger_refusal *why, const char *fmt, ...) PRINTF(2, 3);
static bool refuse(struct ledger_refusal *why, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
    return false;
}

static result verifier_text(const struct ledger_place *place, char out[LEDGER_VKEY_MAX])
{
    struct ledger_verifier v;
    TRY(ledger_verifier_read(place->directory, &v));
    ledger_verifier_format(&v, out);
    return OK;
}

static result write_everywhere(const struct ledger_records_place *p, const struct ledger_epochs *e)
{
    TRY(epochs_write(p->ledger.directory, e));
    return p->standby ? epochs_write(p->standby, e) : OK;
}

/* Where a crash parted the two, the one that holds less is right. */
static result read_everywhere(const struct ledger_records_place *p, struct ledger_epochs *out)
{
    struct ledger_epochs other = {0};
    TRY(ledger_epochs_read(p->ledger.directory, out));
    if (p->standby) TRY(ledger_epochs_read(p->standby, &other));
    if (other.first != 0 && other.month > out->month) *out = other;
    mem_wipe(&other, sizeof other);
    return OK;
}

static result append(const struct ledger_place *place, const char *what, span schedule, span destroyed)
{
    struct ledger_entry e;
    char request[LEDGER_REQUEST_ID];
    struct ledger_count count = {span_str(what), 1};
    TRY(entry_begin(&e, LEDGER_AUDIT, place->origin, request));
    e.rules = &count;
    e.rule_count = 1;
    e.schedule = schedule;
    e.destroyed = destroyed;
    return ledger_append_once(place, &e);
}

/* ---- a schedule comes into force --------------------------------------------------------------------------------- */

/* From the next month on: what this one holds already has pseudonyms without a state. In an empty ledger from this one. */
static result begin_chain(const struct ledger_place *place, struct ledger_epochs *e)
{
    struct ledger_key *key = NULL;
    struct ledger *l = NULL;
    TRY(ledger_key_load(place->key_path, &key));
    result r = ledger_open(place, key, NULL, &l);
    uint64_t size = is_ok(r) ? ledger_size(l) : 0;
    if (is_ok(r)) r = ledger_close(l);
    ledger_key_free(key);
    TRY(r);
    e->first = e->month = ledger_month_of(os_realtime_us()) + (size > 0);
    return os_random(e->state, sizeof e->state);
}

static result schedule_text(
    const struct ledger_place *place, const struct ledger_schedule *s, const struct ledger_epochs *e, struct buf *out)
{
    char vkey[LEDGER_VKEY_MAX], first[LEDGER_MONTH_TEXT], from[LEDGER_MONTH_TEXT], key[65];
    TRY(verifier_text(place, vkey));
    ledger_month_text(e->first, first);
    ledger_month_text(e->month, from);
    REQUIRE(ledger_epochs_commitment(e, key), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    TRY(buf_printf(out, SCHEDULE_HEAD "%s\n" LINE_SCHEDULE "%s\n" LINE_RETAIN "%llu\n" LINE_FIRST "%s\n" LINE_KEPT "%s\n" LINE_KEY "%s\n",
        vkey, s->id, (unsigned long long)s->retain_days, first, from, key));
    for (size_t i = 0; i < s->approver_count; i++) TRY(buf_printf(out, LINE_APPROVER "%s\n", s->approvers[i]));
    return OK;
}

/* The file comes first: a schedule that the ledger tells of has its key. */
result ledger_schedule_begin(const struct ledger_records_place *p, const struct ledger_schedule *s, struct ledger_epochs *out)
{
    struct buf text;
    TRY(read_everywhere(p, out));
    if (out->first == 0) TRY(begin_chain(&p->ledger, out));
    TRY(write_everywhere(p, out));
    buf_init(&text, LEDGER_NOTE_MAX);
    result r = schedule_text(&p->ledger, s, out, &text);
    if (is_ok(r)) r = append(&p->ledger, "schedule", buf_span(&text), span_of(NULL, 0));
    buf_free(&text);
    return r;
}

/* ---- destroying -------------------------------------------------------------------------------------------------- */

//= ICE10036.2 6
static bool may_destroy(const struct ledger_schedule *s, const struct ledger_epochs *e, uint32_t month, uint64_t now,
    struct ledger_refusal *why)
{
    char text[LEDGER_MONTH_TEXT], first[LEDGER_MONTH_TEXT], until[LEDGER_TIME_TEXT];
    if (!s->id)
        return refuse(why, "ledger.schedule names no records schedule, and \"unscheduled records cannot be destroyed or deleted until "
                           "a schedule has been developed and approved by NARA\" (ICE Directive 10036.2, 6)");
    if (s->hold) return refuse(why, "there is a hold on the records: %s", s->hold);
    if (e->first == 0) return refuse(why, "the schedule is not in force in this ledger; gate1367 log schedule puts it in force, for what comes after");
    ledger_month_text(month, text);
    ledger_month_text(e->first, first);
    if (month < e->first)
        return refuse(why, "what was written before %s, when no schedule was in force, has no key of its own that could be destroyed", first);
    if (ledger_epochs_destroyed(e, month)) return refuse(why, "the key of %s is destroyed already", text);
    uint64_t end = ledger_month_end(month), kept = s->retain_days < 1000000 ? end + s->retain_days * US_DAY : UINT64_MAX;
    ledger_time_format(kept, until);
    if (now < kept || month + 2 > ledger_month_of(now))
        return refuse(why, "%s must be kept until %.10s, and until a whole month has passed after it", text, until);
    return true;
}

static result destruction_text(const struct ledger_place *place, const struct ledger_schedule *s, const struct ledger_epochs *e,
    uint32_t month, span reason, struct buf *out)
{
    struct ledger_epochs next = *e;
    char vkey[LEDGER_VKEY_MAX], from[LEDGER_MONTH_TEXT], to[LEDGER_MONTH_TEXT], key[65], then[65];
    TRY(verifier_text(place, vkey));
    ledger_month_text(e->month, from);
    ledger_month_text(month, to);
    bool good = ledger_epochs_commitment(e, key) && ledger_epochs_forward(&next, month + 1) && ledger_epochs_commitment(&next, then);
    mem_wipe(&next, sizeof next);
    REQUIRE(good, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return buf_printf(out, DESTRUCTION_HEAD "%s\n" LINE_SCHEDULE "%s\n" LINE_MONTHS "%s to %s\n" LINE_KEY "%s\n" LINE_NEXT "%s\n" LINE_REASON "%.*s\n",
        vkey, s->id, from, to, key, then, SPAN_FMT(reason));
}

result ledger_destruction_statement(const struct ledger_records_place *p, const struct ledger_schedule *s, uint32_t month, span reason,
    struct buf *out, struct ledger_refusal *why)
{
    struct ledger_epochs e;
    REQUIRE(approval_one_line(reason), ERROR_CONFIG, EINVAL);
    TRY(read_everywhere(p, &e));
    bool may = may_destroy(s, &e, month, os_realtime_us(), why);
    result r = may ? destruction_text(&p->ledger, s, &e, month, reason, out) : FAIL(ERROR_CONFIG, LEDGER_E_SCHEDULE);
    mem_wipe(&e, sizeof e);
    return r;
}

/* The statement is made anew and must be what was signed: so nothing of it need be believed. */
static result check_statement(const struct ledger_records_place *p, const struct ledger_schedule *s, const struct ledger_epochs *e,
    const struct tlog_note *n, uint32_t *month, struct ledger_refusal *why)
{
    struct destruction d;
    struct buf text;
    bool known = records_read_destruction(n->text, &d) && d.from == e->month;
    if (!known) return (void)refuse(why, "not a statement of what is to be destroyed of this ledger, as it is now"), FAIL(ERROR_CONFIG, LEDGER_E_SCHEDULE);
    REQUIRE(may_destroy(s, e, d.to, os_realtime_us(), why), ERROR_CONFIG, LEDGER_E_SCHEDULE);
    buf_init(&text, LEDGER_NOTE_MAX);
    result r = destruction_text(&p->ledger, s, e, d.to, d.reason, &text);
    bool same = is_ok(r) && span_equal(buf_span(&text), n->text);
    buf_free(&text);
    TRY(r);
    if (!same) return (void)refuse(why, "the statement is not of this ledger, or not of this schedule"), FAIL(ERROR_CONFIG, LEDGER_E_SCHEDULE);
    bool two = approval_two_signed(n, s->approvers, s->approver_count);
    if (!two) return (void)refuse(why, "not signed by two of ledger.schedule.approvers"), FAIL(ERROR_CONFIG, LEDGER_E_SCHEDULE);
    *month = d.to;
    return OK;
}

/* An earlier run may have been cut off between the entry and the file: then only the file is missing. */
static result finish(const struct ledger_records_place *p, struct ledger_epochs *e, uint32_t month)
{
    REQUIRE(ledger_epochs_forward(e, month + 1), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return write_everywhere(p, e);
}

//= ICE10036.2 6
result ledger_destroy(const struct ledger_records_place *p, const struct ledger_schedule *s, span approval, bool recorded,
    struct ledger_refusal *why)
{
    struct tlog_note n;
    struct ledger_epochs e;
    uint32_t month = 0;
    TRY(read_everywhere(p, &e));
    bool note = approval.len <= LEDGER_NOTE_MAX && tlog_note_split(approval, &n);
    if (!note) (void)refuse(why, "nobody signed it");
    result r = note ? check_statement(p, s, &e, &n, &month, why) : FAIL(ERROR_CONFIG, LEDGER_E_SCHEDULE);
    if (is_ok(r) && !recorded) r = append(&p->ledger, "destroy", span_of(NULL, 0), approval);
    if (is_ok(r)) r = finish(p, &e, month);
    mem_wipe(&e, sizeof e);
    return r;
}
