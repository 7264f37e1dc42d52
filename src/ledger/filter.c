/* What of a ledger somebody wants to see. */
#include "ledger/calendar.h"
#include "ledger/ledger.h"

/* Digits as ledger_time_format wrote them compare as text; anything else is parsed. */
static bool in_time(const struct ledger_filter *f, span raw)
{
    char scratch[64];
    uint64_t at;
    if (f->since_us == 0 && f->until_us == 0) return true;
    if (!ledger_time_parse(ledger_view_text(raw, scratch, sizeof scratch), &at)) return false;
    return at >= f->since_us && (f->until_us == 0 || at < f->until_us);
}

static bool has_rule(span rules, span wanted)
{
    span name, value;
    char scratch[LEDGER_FIELD_MAX];
    size_t at = 0;
    if (rules.len == 0 || rules.ptr[0] != '{') return false;
    while (ledger_view_next(rules, &at, &name, &value)) {
        span quoted = span_of(name.ptr - 1, name.len + 2);
        if (span_equal(ledger_view_text(quoted, scratch, sizeof scratch), wanted)) return true;
    }
    return false;
}

/* The pseudonyms of the month that the entry was written in: they end with it. */
static bool name_subjects(struct ledger_filter *f, span time)
{
    char scratch[64];
    uint64_t at;
    uint32_t before = f->month.month;
    if (f->pseudonym[0] != 0) return true;
    if (!ledger_time_parse(ledger_view_text(time, scratch, sizeof scratch), &at)) return false;
    if (!ledger_month_update(&f->month, &f->root, at)) return false;
    if (before == f->month.month) return true;
    for (size_t i = 0; i < f->subject_count; i++) {
        uint8_t handle[8];
        store_le64(handle, f->subjects[i]);
        if (!ledger_pseudonym(&f->month, SPAN("subject"), span_of(handle, 8), f->names[i])) return false;
    }
    return true;
}

static bool is_wanted(const struct ledger_filter *f, span pseudonym)
{
    if (f->pseudonym[0] != 0) return span_equal(pseudonym, span_str(f->pseudonym));
    for (size_t i = 0; i < f->subject_count; i++)
        if (span_equal(pseudonym, span_str(f->names[i]))) return true;
    return false;
}

static bool has_subject(struct ledger_filter *f, const struct ledger_view *v)
{
    span name, value, list = v->members[LEDGER_MEMBER_SUBJECTS];
    size_t at = 0;
    if (list.len <= 2 || list.ptr[0] != '[' || !name_subjects(f, v->members[LEDGER_MEMBER_TIME])) return false;
    while (ledger_view_next(list, &at, &name, &value))
        if (value.len == LEDGER_PSEUDONYM + 1 && is_wanted(f, span_sub(value, 1, LEDGER_PSEUDONYM - 1))) return true;
    return false;
}

bool ledger_filter_by_subject(const struct ledger_filter *f)
{
    return f->subject_count > 0 || f->pseudonym[0] != 0;
}

bool ledger_filter_passes(struct ledger_filter *f, const struct ledger_view *v)
{
    const span *m = v->members;
    if (f->event && !ledger_view_is(m[LEDGER_MEMBER_EVENT], span_str(f->event))) return false;
    if (f->outcome && !ledger_view_is(m[LEDGER_MEMBER_OUTCOME], span_str(f->outcome))) return false;
    if (f->request && !ledger_view_is(m[LEDGER_MEMBER_REQUEST], span_str(f->request))) return false;
    if (f->grant && !ledger_view_is(m[LEDGER_MEMBER_GRANT], span_str(f->grant))) return false;
    if (f->recipient && !ledger_view_is(ledger_view_member(m[LEDGER_MEMBER_RECIPIENT], "id"), span_str(f->recipient)))
        return false;
    if (f->rule && !has_rule(m[LEDGER_MEMBER_RULES], span_str(f->rule))) return false;
    if (!in_time(f, m[LEDGER_MEMBER_TIME])) return false;
    return !ledger_filter_by_subject(f) || has_subject(f, v);
}
