/* What is known only when all was read: which disclosures nobody can say of that they did not arrive, and what was destroyed. */
#include "cli/log.h"
#include "report/report.h"

/* Processes that write at once are not in step, nor is what waited for a disk. */
#define CLOCK_STEP_US ((uint64_t)60 * 1000000)
#define ENTRY_HEAD "{\"time\":\""
#define EVENT_WINDOW ((size_t)LEDGER_NAME_MAX + 160) /* the event stands behind time, node and request */
#define STOP "\"event\":\"stop\""

static void see_clock(struct log_clock *c, uint64_t index, span json)
{
    uint64_t before, now;
    /* A log that somebody else wrote may hold anything. */
    if (json.len < sizeof ENTRY_HEAD + LEDGER_TIME_TEXT || !span_starts(json, SPAN(ENTRY_HEAD))) return;
    span text = span_sub(json, sizeof ENTRY_HEAD - 1, LEDGER_TIME_TEXT - 1);
    bool back = c->newest[0] && memcmp(text.ptr, c->newest, text.len) < 0;
    if (back && ledger_time_parse(span_str(c->newest), &before) && ledger_time_parse(text, &now) && before > now + CLOCK_STEP_US) {
        c->times++;
        if (before - now > c->back_us) c->index = index, c->back_us = before - now;
    } else if (back) {
        return;
    }
    memcpy(c->newest, text.ptr, text.len);
}

/* The last word counts: a rotation that was broken off is done again. */
static void see_end(struct log_end *e, uint64_t index, span json)
{
    struct ledger_view v;
    e->after++;
    size_t head = json.len < EVENT_WINDOW ? json.len : EVENT_WINDOW;
    if (LIKELY(!memmem(json.ptr, head, STOP, sizeof STOP - 1))) return;
    if (!ledger_view_parse(json, &v) || !ledger_view_is(v.members[LEDGER_MEMBER_EVENT], SPAN("stop"))) return;
    char text[LEDGER_VKEY_MAX];
    span next = ledger_view_text(ledger_view_member(json, "successor"), text, sizeof text);
    if (!next.ptr || next.len == 0 || next.len >= sizeof e->next) return;
    snprintf(e->next, sizeof e->next, "%.*s", SPAN_FMT(next));
    e->index = index;
    e->after = 0;
}

struct learning {
    struct log_options *options;
    bool one;         /* only the first entry's fate is of interest: … */
    struct buf first; /* … it */
};

static result see(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct learning *l = ctx;
    const struct log_options *o = l->options;
    (void)frame;
    if (o->records) TRY(ledger_records_see(o->records, index, json));
    TRY(ledger_presumed_see(o->presumed, json));
    if (!l->one) return OK;
    if (buf_len(&l->first) == 0) TRY(buf_append(&l->first, json));
    return ledger_presumed_has(o->presumed, buf_span(&l->first)) ? OK : FAIL(ERROR_CLOSED, 0);
}

/* What completes an answer stands behind it: all is read before the first is judged. */
static RESULT read_from(struct log_options *o, uint64_t from, bool one)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    if (o->presumed) return OK;
    TRY(ledger_presumed_new(&o->presumed));
    struct learning l = {.options = o, .one = one};
    buf_init(&l.first, LEDGER_ENTRY_MAX);
    TRY(ledger_reader_open(o->directory, from, &reader));
    result r = ledger_reader_read(reader, see, &l, &problem);
    ledger_reader_close(reader);
    buf_free(&l.first);
    return r;
}

result log_learn_presumed(struct log_options *o)
{
    return read_from(o, 0, false);
}

result log_learn_presumed_of(struct log_options *o, uint64_t index)
{
    result r = read_from(o, index, true);
    return r.class == ERROR_CLOSED ? OK : r;
}

result log_learn_begin(struct log_options *o, const struct ledger_verifier *v)
{
    TRY(ledger_records_new(v, &o->records));
    return ledger_presumed_new(&o->presumed);
}

result log_learn_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct log_options *o = ctx;
    struct learning l = {.options = o};
    see_clock(&o->clock, index, json);
    see_end(&o->end, index, json);
    return see(&l, index, json, frame);
}

void log_print_clock(const struct log_options *o)
{
    const struct log_clock *c = &o->clock;
    unsigned long long s = c->back_us / 1000000, index = c->index, times = c->times;
    if (o->json) printf(",\"clock_went_back\":{\"times\":%llu,\"seconds\":%llu,\"index\":%llu}", times, s, index);
    else if (times > 0) printf("note: the clock was set back by %llu h %llu min before entry %llu (%llu times in all): the times of what was recorded until "
                               "then, or from there on, are wrong\n", s / 3600, s / 60 % 60, index, times);
}

void log_print_end(const struct log_options *o)
{
    const struct log_end *e = &o->end;
    unsigned long long index = e->index, after = e->after;
    if (o->json && e->next[0]) printf(",\"successor\":{\"index\":%llu,\"verifier\":\"%s\",\"after\":%llu}", index, e->next, after);
    else if (o->json) printf(",\"successor\":null");
    else if (e->next[0]) printf("note: entry %llu ended this ledger; the one that follows it is %s\n", index, e->next);
    if (!o->json && e->next[0] && after > 0) printf("note: %llu entries came after its end\n", after);
}

result log_learn(struct log_options *o)
{
    struct ledger_verifier v;
    if (o->records) return OK;
    TRY(ledger_verifier_read(o->directory, &v));
    TRY(ledger_records_new(&v, &o->records));
    return log_learn_presumed(o);
}

bool log_is_presumed(const struct log_options *o, const struct ledger_view *v)
{
    bool presumed = true;
    if (!o->asked) return o->presumed && ledger_presumed_has(o->presumed, v->json);
    return !is_ok(report_index_is_presumed(o->asked, v, &presumed)) || presumed;
}
