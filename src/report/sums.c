#include "report/sums.h"
#include <stdlib.h>

struct sums sums_of(const struct ledger_view *v)
{
    span records = v->members[LEDGER_MEMBER_RECORDS], subjects = v->members[LEDGER_MEMBER_SUBJECTS], name, value;
    struct sums s = {.entries = 1, .requests = ledger_view_number(v->members[LEDGER_MEMBER_PART], 1) == 1};
    size_t at = 0;
    s.seen = ledger_view_number(ledger_view_member(records, "seen"), 0);
    s.protected = ledger_view_number(ledger_view_member(records, "protected"), 0);
    s.withheld = ledger_view_number(ledger_view_member(records, "withheld"), 0);
    s.redacted = ledger_view_number(ledger_view_member(records, "redacted"), 0);
    s.disclosed = ledger_view_number(ledger_view_member(records, "disclosed"), 0);
    while (subjects.len > 2 && ledger_view_next(subjects, &at, &name, &value)) s.subjects++;
    return s;
}

void sums_add(struct sums *to, const struct sums *s)
{
    to->entries += s->entries;
    to->requests += s->requests;
    to->seen += s->seen;
    to->protected += s->protected;
    to->withheld += s->withheld;
    to->redacted += s->redacted;
    to->disclosed += s->disclosed;
    to->subjects += s->subjects;
    to->times += s->times;
}

bool sums_equal(const struct sums *a, const struct sums *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* counters only: no padding */
}

/* ---- tallies ---------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct tally *t, span name)
{
    static const uint8_t key[16];
    size_t i = (size_t)siphash64(key, name) & (t->place_count - 1);
    while (t->places[i] != 0 && !span_equal(t->lines[t->places[i] - 1].name, name)) i = (i + 1) & (t->place_count - 1);
    return i;
}

static bool grow(struct tally *t)
{
    size_t room = t->room * 2 + 16, places = 64;
    while (places < room * 2) places *= 2;
    struct tally_line *lines = mem_resize(t->lines, room * sizeof *lines);
    uint32_t *table = mem_array(places, sizeof *table);
    if (lines) t->lines = lines;
    if (!lines || !table) {
        mem_free(table);
        return false;
    }
    mem_free(t->places);
    t->places = table;
    t->place_count = places;
    t->room = room;
    for (size_t i = 0; i < t->count; i++) t->places[place_of(t, t->lines[i].name)] = (uint32_t)i + 1;
    return true;
}

struct tally_line *tally_line(struct tally *t, span name)
{
    if (t->count == t->room && !grow(t)) return NULL;
    size_t i = place_of(t, name);
    if (t->places[i] != 0) return &t->lines[t->places[i] - 1];
    span copy = arena_copy(t->memory, name.len > 0 ? name : SPAN("-"));
    if (!copy.ptr) return NULL;
    t->lines[t->count] = (struct tally_line){.name = span_of(copy.ptr, name.len > 0 ? name.len : 1)};
    t->places[i] = (uint32_t)++t->count;
    return &t->lines[t->count - 1];
}

static int by_weight(const void *a, const void *b)
{
    const struct tally_line *x = a, *y = b;
    if (x->sums.requests != y->sums.requests) return x->sums.requests < y->sums.requests ? 1 : -1;
    if (x->sums.times != y->sums.times) return x->sums.times < y->sums.times ? 1 : -1;
    return span_compare(x->name, y->name);
}

void tally_sort(struct tally *t)
{
    if (t->count > 1) qsort(t->lines, t->count, sizeof *t->lines, by_weight);
}

struct sums tally_total(const struct tally *t)
{
    struct sums all = {0};
    for (size_t i = 0; i < t->count; i++) sums_add(&all, &t->lines[i].sums);
    return all;
}

void tally_free(struct tally *t)
{
    mem_free(t->lines);
    mem_free(t->places);
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

bool entry_is(const struct ledger_view *v, enum ledger_event event)
{
    return ledger_view_is(v->members[LEDGER_MEMBER_EVENT], span_str(ledger_event_name(event)));
}

bool entry_decided(const struct ledger_view *v)
{
    return entry_is(v, LEDGER_DISCLOSURE) || entry_is(v, LEDGER_REFUSAL);
}

uint64_t entry_time(const struct ledger_view *v)
{
    char scratch[64];
    uint64_t at = 0;
    return ledger_time_parse(ledger_view_text(v->members[LEDGER_MEMBER_TIME], scratch, sizeof scratch), &at) ? at : 0;
}

span entry_text(const struct ledger_view *v, enum ledger_member m, char *scratch, size_t size)
{
    return ledger_view_text(v->members[m], scratch, size);
}

span entry_recipient(const struct ledger_view *v, const char *member, char *scratch, size_t size)
{
    return ledger_view_text(ledger_view_member(v->members[LEDGER_MEMBER_RECIPIENT], member), scratch, size);
}

span entry_organization(const struct report_entry *e, char *scratch, size_t size)
{
    span s = ledger_view_text(ledger_view_member(e->unsealed, "organization"), scratch, size);
    return s.ptr ? s : entry_recipient(e->view, "organization", scratch, size);
}
