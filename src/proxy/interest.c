/* Who asks for one protected person again and again: for somebody he looks for, or for what he planted. Counted over all
 * workers in shared memory, by hashes; told to insiders by an entry of the ledger and a metric. Looked at when the answer has
 * left, so that neither the answer nor its time knows of it.
 *
 *= ICE10036.2 5.6(1)
 *= 10-domain 6.L20 */
#include "proxy/internal.h"

#define HOUR_US (UINT64_C(3600) * 1000000)
#define WAYS 8      /* places that one may stand in */
#define PERSONS 4   /* an answer about more is a list, and asks for nobody */
#define COUNT_BITS 16

/* ---- counting --------------------------------------------------------------------------------------------------- */

static uint64_t hour_of(uint64_t count) { return count >> COUNT_BITS; }

/* His place, or one whose hour is over, or in a crowd the first: two then share a count, and an alert comes early. */
static struct proxy_interest *place_of(struct proxy_rates *r, uint64_t who, uint64_t hour)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct proxy_interest *p = &r->interests[(who + i) % PROXY_INTERESTS];
        if (atomic_load_explicit(&p->who, memory_order_relaxed) == who) return p;
    }
    for (size_t i = 0; i < WAYS; i++) {
        struct proxy_interest *p = &r->interests[(who + i) % PROXY_INTERESTS];
        uint64_t there = atomic_load_explicit(&p->who, memory_order_relaxed);
        bool over = there == 0 || hour_of(atomic_load_explicit(&p->count, memory_order_relaxed)) != hour;
        if (over && atomic_compare_exchange_strong(&p->who, &there, who)) {
            atomic_store_explicit(&p->count, hour << COUNT_BITS, memory_order_relaxed);
            return p;
        }
    }
    return &r->interests[who % PROXY_INTERESTS];
}

bool proxy_interest_rises(struct proxy_rates *r, uint64_t who, uint64_t now_us)
{
    uint64_t hour = now_us / HOUR_US, most = (UINT64_C(1) << COUNT_BITS) - 1, next;
    struct proxy_interest *p = place_of(r, who | 1, hour);
    uint64_t count = atomic_load_explicit(&p->count, memory_order_relaxed);
    do {
        uint64_t so_far = hour_of(count) == hour ? count & most : 0;
        if (so_far == most) return false;
        next = hour << COUNT_BITS | (so_far + 1);
    } while (!atomic_compare_exchange_weak(&p->count, &count, next));
    return (next & most) == PROXY_INTEREST_ALERT;
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

/* Whoever has a certificate is it; else the address that asks. */
static uint64_t name_pair(const struct exchange *x, uint64_t subject)
{
    static const uint8_t key[16];
    const struct recipient_identity *who = x->who;
    const char *self = who->fingerprint[0] ? who->fingerprint : x->session->client;
    uint64_t parts[3] = {siphash64(key, span_str(who->recipient->id)), siphash64(key, span_str(self)), subject};
    return siphash64(key, span_of(parts, sizeof(parts)));
}

/* What everybody hears of is no reason: a person in `texts` of a record that he may see. What he can write himself is. */
static bool asks_for_somebody(const struct exchange *x, const struct policy_verdict *v)
{
    if (x->class != RECIPIENT_RESTRICTED || !x->recorded || x->in_parts || v->subject_count == 0 || v->subject_count > PERSONS)
        return false;
    bool planted = x->document != NULL && rules_document_is_written(x->document);
    return planted || v->document_withheld || v->withheld_count > 0;
}

static void alert(struct exchange *x, uint64_t subject)
{
    struct ledger_count rule = {SPAN("asked-repeatedly"), PROXY_INTEREST_ALERT};
    char subjects[1][LEDGER_PSEUDONYM];
    struct ledger_entry e;
    uint64_t ticket = 0;
    worker_count(x->worker, PROXY_ALERTS, 1);
    proxy_recipient_count(x->worker->arguments->rates, span_str(x->who->recipient->id), PROXY_RECIPIENT_ALERTS);
    if (!is_ok(record_describe(x, gate_entry_arena(x->gate), &e))) return;
    if (!ledger_pseudonym(&x->worker->month, SPAN("subject"), span_of(&subject, sizeof(subject)), subjects[0])) return;
    e.event = LEDGER_INCIDENT;
    e.time_us = os_realtime_us();
    e.subjects = (const char(*)[LEDGER_PSEUDONYM])subjects;
    e.subject_count = 1;
    e.rules = &rule;
    e.rule_count = 1;
    if (!is_ok(ledger_entry_publish(&e, &x->worker->scratch, x->worker->arguments->ring, &ticket))) return;
    worker_published(x->worker, false);
    worker_count(x->worker, PROXY_ENTRIES, 1);
}

void interest_note(struct exchange *x)
{
    struct proxy_rates *r = x->worker->arguments->rates;
    const struct policy_verdict *v = &gate_outcome(x->gate)->verdict;
    if (r == NULL || mirror_is_on(x) || !asks_for_somebody(x, v)) return;
    for (size_t i = 0; i < v->subject_count; i++)
        if (proxy_interest_rises(r, name_pair(x, v->subjects[i]), x->arrival_us)) alert(x, v->subjects[i]);
}

void interest_count(struct exchange *x)
{
    struct proxy_rates *r = x->worker->arguments->rates;
    const struct policy_verdict *v = &gate_outcome(x->gate)->verdict;
    span id = span_str(x->who->recipient->id);
    if (r == NULL || mirror_is_on(x) || x->class != RECIPIENT_RESTRICTED || !x->routed) return;
    bool nobody = !x->from_origin && (x->answer == GATE_ANSWER_NOT_FOUND || x->answer == GATE_ANSWER_MISS || v->document_withheld);
    proxy_recipient_count(r, id, PROXY_RECIPIENT_ANSWERS);
    if (nobody) proxy_recipient_count(r, id, PROXY_RECIPIENT_NOT_FOUND);
    if (x->failure == GATE_QUERY) proxy_recipient_count(r, id, PROXY_RECIPIENT_REFUSED_QUERIES);
    if (x->failure == GATE_FINE && (v->withheld_count > 0 || (v->document_withheld && !v->found_nothing)))
        proxy_recipient_count(r, id, PROXY_RECIPIENT_WITHHELD);
}
