/* What a ledger says of its own records: the schedule in force, and what was destroyed under it. Whoever reads it all knows whether
 * each destruction was in order, by what stands in the ledger alone. */
#include "ledger/schedule.h"
#include <errno.h>
#include <string.h>

#define APPROVERS_MAX 16u
#define EVENT_WINDOW 4096u /* where an entry's event stands */
#define TEXT_MAX (LEDGER_NOTE_MAX + 1)

struct ledger_records {
    uint32_t magic;
    char vkey[LEDGER_VKEY_MAX];
    struct ledger_records_summary summary;
    uint64_t retain_days;
    char approvers[APPROVERS_MAX][LEDGER_VKEY_MAX];
    size_t approver_count;
    char text[TEXT_MAX];
};
#define RECORDS_MAGIC 0x72656364u

result ledger_records_new(const struct ledger_verifier *v, struct ledger_records **out)
{
    struct ledger_records *r = mem_alloc(sizeof *r);
    REQUIRE(r, ERROR_LIMIT, ENOMEM);
    r->magic = RECORDS_MAGIC;
    ledger_verifier_format(v, r->vkey);
    *out = r;
    return OK;
}

void ledger_records_free(struct ledger_records *r)
{
    if (!r) return;
    MAGIC_CHECK(r, RECORDS_MAGIC);
    mem_free(r->summary.destroyed);
    r->magic = 0;
    mem_free(r);
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static bool take_line(span *text, const char *name, span *value)
{
    size_t end = span_find(*text, '\n');
    span line = span_sub(*text, 0, end);
    if (end == text->len || !span_starts(line, span_str(name))) return false;
    *value = span_from(line, strlen(name));
    *text = span_from(*text, end + 1);
    return true;
}

static bool take_month(span *text, const char *name, uint32_t *month)
{
    span value;
    return take_line(text, name, &value) && ledger_month_parse(value, month);
}

bool records_read_destruction(span text, struct destruction *d)
{
    span months;
    if (!span_starts(text, SPAN(DESTRUCTION_HEAD))) return false;
    text = span_from(text, sizeof DESTRUCTION_HEAD - 1);
    return take_line(&text, "", &d->vkey) && take_line(&text, LINE_SCHEDULE, &d->schedule) && take_line(&text, LINE_MONTHS, &months) &&
           months.len == 18 && span_equal(span_sub(months, 7, 4), SPAN(" to ")) && ledger_month_parse(span_sub(months, 0, 7), &d->from) &&
           ledger_month_parse(span_from(months, 11), &d->to) && d->from <= d->to && take_line(&text, LINE_KEY, &d->key) &&
           take_line(&text, LINE_NEXT, &d->next) && take_line(&text, LINE_REASON, &d->reason) && text.len == 0;
}

static void keep(char *out, size_t size, span s)
{
    snprintf(out, size, "%.*s", SPAN_FMT(s));
}

static void wrong(struct ledger_records *r, uint64_t index, const char *what)
{
    if (r->summary.problem[0] != 0) return; /* the first one tells most */
    snprintf(r->summary.problem, sizeof r->summary.problem, "entry %llu: %s", (unsigned long long)index, what);
}

/* ---- what is met -------------------------------------------------------------------------------------------------- */

static void see_schedule(struct ledger_records *r, uint64_t index, span text)
{
    struct ledger_records_summary *s = &r->summary;
    span vkey, id, days, key, approver;
    uint64_t retain;
    uint32_t first, kept;
    bool good = span_starts(text, SPAN(SCHEDULE_HEAD));
    if (good) text = span_from(text, sizeof SCHEDULE_HEAD - 1);
    good = good && take_line(&text, "", &vkey) && take_line(&text, LINE_SCHEDULE, &id) && take_line(&text, LINE_RETAIN, &days) &&
           span_to_u64(days, UINT32_MAX, &retain) && take_month(&text, LINE_FIRST, &first) && take_month(&text, LINE_KEPT, &kept) &&
           take_line(&text, LINE_KEY, &key) && key.len == 64 && span_equal(vkey, span_str(r->vkey));
    if (!good) return wrong(r, index, "a records schedule cannot be read, or is another ledger's");
    bool goes_on = s->first == 0 ? first == kept : first == s->first && kept == s->kept && span_equal(key, span_str(s->key));
    if (!goes_on) wrong(r, index, "the chain of month keys was replaced by another one");
    s->first = first;
    s->kept = kept;
    keep(s->schedule, sizeof s->schedule, id);
    keep(s->key, sizeof s->key, key);
    r->retain_days = retain;
    for (r->approver_count = 0; r->approver_count < APPROVERS_MAX && take_line(&text, LINE_APPROVER, &approver);)
        keep(r->approvers[r->approver_count++], LEDGER_VKEY_MAX, approver);
}

static bool two_approved(const struct ledger_records *r, const struct tlog_note *n)
{
    const char *approvers[APPROVERS_MAX];
    for (size_t i = 0; i < r->approver_count; i++) approvers[i] = r->approvers[i];
    return approval_two_signed(n, approvers, r->approver_count);
}

static bool old_enough(const struct ledger_records *r, uint32_t month, uint64_t time)
{
    return time >= ledger_month_end(month) + r->retain_days * UINT64_C(86400000000);
}

static result remember(struct ledger_records *r, const struct destruction *d, uint64_t index)
{
    struct ledger_records_summary *s = &r->summary;
    struct ledger_destroyed *more = mem_resize(s->destroyed, (s->destroyed_count + 1) * sizeof *more);
    REQUIRE(more, ERROR_LIMIT, ENOMEM);
    s->destroyed = more;
    s->destroyed[s->destroyed_count] = (struct ledger_destroyed){.from = d->from, .to = d->to, .index = index};
    keep(s->destroyed[s->destroyed_count++].schedule, sizeof s->schedule, d->schedule);
    s->kept = d->to + 1;
    keep(s->key, sizeof s->key, d->next);
    return OK;
}

/* What is not in order with it by what the ledger says of its schedule and its keys; NULL: nothing. No key in *d: it is none. */
static const char *object(const struct ledger_records *r, span note, uint64_t time, struct destruction *d)
{
    const struct ledger_records_summary *s = &r->summary;
    struct tlog_note n;
    bool read = tlog_note_split(note, &n) && records_read_destruction(n.text, d) && span_equal(d->vkey, span_str(r->vkey));
    if (!read) {
        *d = (struct destruction){0};
        return "what was destroyed cannot be read, or is another ledger's";
    }
    if (!span_equal(d->schedule, span_str(s->schedule))) return "keys were destroyed under a schedule that was not in force";
    if (d->from != s->kept || !span_equal(d->key, span_str(s->key))) return "keys were destroyed that were not the oldest kept";
    if (!two_approved(r, &n)) return "keys were destroyed without two of those whom the schedule names";
    return old_enough(r, d->to, time) ? NULL : "keys were destroyed before the schedule allowed it";
}

static result see_destruction(struct ledger_records *r, uint64_t index, span note, const struct ledger_view *v)
{
    char scratch[64];
    uint64_t time;
    struct destruction d;
    if (!ledger_time_parse(ledger_view_text(v->members[LEDGER_MEMBER_TIME], scratch, sizeof scratch), &time)) time = 0;
    const char *objection = object(r, note, time, &d);
    if (objection) wrong(r, index, objection);
    return d.key.ptr ? remember(r, &d, index) : OK;
}

bool ledger_records_would_hold(const struct ledger_records *r, span note, uint64_t time_us)
{
    struct destruction d;
    MAGIC_CHECK(r, RECORDS_MAGIC);
    return object(r, note, time_us, &d) == NULL;
}

result ledger_records_see(struct ledger_records *r, uint64_t index, span entry)
{
    struct ledger_view v;
    MAGIC_CHECK(r, RECORDS_MAGIC);
    if (LIKELY(!memmem(entry.ptr, entry.len < EVENT_WINDOW ? entry.len : EVENT_WINDOW, "\"event\":\"audit\"", 15))) return OK;
    if (!ledger_view_parse(entry, &v) || !ledger_view_is(v.members[LEDGER_MEMBER_EVENT], SPAN("audit"))) return OK;
    span schedule = ledger_view_text(ledger_view_member(entry, "schedule"), r->text, sizeof r->text);
    if (schedule.ptr) see_schedule(r, index, schedule);
    span destroyed = ledger_view_text(ledger_view_member(entry, "destroyed"), r->text, sizeof r->text);
    return destroyed.ptr ? see_destruction(r, index, destroyed, &v) : OK;
}

const struct ledger_records_summary *ledger_records_summary(const struct ledger_records *r)
{
    MAGIC_CHECK(r, RECORDS_MAGIC);
    return &r->summary;
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

static enum ledger_epochs_state judge(const struct ledger_records_summary *s, struct ledger_epochs *e)
{
    char key[65];
    bool behind = e->month < s->kept;
    if (e->first != s->first || e->month > s->kept) return LEDGER_EPOCHS_OTHER;
    if (!ledger_epochs_forward(e, s->kept) || !ledger_epochs_commitment(e, key) || strcmp(key, s->key) != 0) return LEDGER_EPOCHS_OTHER;
    return behind ? LEDGER_EPOCHS_BEHIND : LEDGER_EPOCHS_AGREE;
}

enum ledger_epochs_state ledger_records_compare(const struct ledger_records *r, const char *directory)
{
    struct ledger_epochs e;
    const struct ledger_records_summary *s = ledger_records_summary(r);
    result read = ledger_epochs_read(directory, &e);
    if (!is_ok(read)) return LEDGER_EPOCHS_UNREADABLE;
    if (s->first == 0) return LEDGER_EPOCHS_AGREE; /* a standby's copy, or a schedule that was cut off before its entry */
    if (e.first == 0) return LEDGER_EPOCHS_MISSING;
    enum ledger_epochs_state state = judge(s, &e);
    mem_wipe(&e, sizeof e);
    return state;
}

const char *ledger_epochs_state_text(enum ledger_epochs_state s)
{
    switch (s) {
    case LEDGER_EPOCHS_AGREE: return "epochs.json agrees with the ledger";
    case LEDGER_EPOCHS_MISSING: return "epochs.json is missing: the keys of all months of the schedule are gone, and no entry says that they were destroyed";
    case LEDGER_EPOCHS_BEHIND: return "epochs.json still holds keys that an entry says were destroyed; run log destroy --approval again";
    case LEDGER_EPOCHS_OTHER: return "epochs.json does not hold the keys that the ledger says it holds";
    case LEDGER_EPOCHS_UNREADABLE: return "epochs.json cannot be read";
    }
    return "";
}
