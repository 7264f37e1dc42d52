/* Rules in shadow: evaluated beside those in force, which alone decide. Where they would have withheld something that
 * leaves, a review is opened: an entry of the ledger, and a metric. Done for every answer of a path that they describe,
 * before anything of it is sent and whatever is found, so that nobody can tell by waiting. */
#include "proxy/internal.h"

#include <errno.h>

/* As the answer is read, by other rules: nothing that is asked, suspected or replaced by them is. */
static struct engine_begin describe(const struct exchange *x)
{
    const struct engine_begin *b = &x->begin;
    return (struct engine_begin){.document = x->shadow,
        .class = b->class,
        .registry = b->registry,
        .limits = b->limits,
        .media_type = b->media_type,
        .charset = b->charset};
}

/* The profile whose review it is stands before the rules that found something. */
static RESULT put_profile_first(const struct exchange *x, const struct gate_review *r, struct arena *a, struct ledger_entry *e)
{
    struct ledger_count *rules = arena_array(a, e->rule_count + 1, sizeof(*rules));
    REQUIRE(rules != NULL, ERROR_LIMIT, 0);
    rules[0] = (struct ledger_count){span_str(rules_document_view(x->shadow)->profile_id), r->released};
    memcpy(rules + 1, e->rules, e->rule_count * sizeof(*rules));
    e->rules = rules;
    e->rule_count++;
    return OK;
}

static RESULT open_review(struct exchange *x, const struct gate_review *r)
{
    struct arena *a = x->in_parts ? gate_trial_arena(x->gate) : gate_review_arena(x->gate);
    struct shadow_review *review = a == NULL ? NULL : arena_alloc(a, sizeof(*review));
    REQUIRE(review != NULL, ERROR_LIMIT, 0);
    TRY(record_describe(x, a, &review->left));
    struct ledger_entry *e = &review->left;
    TRY(record_describe_findings(x, &r->verdict, a, e));
    TRY(put_profile_first(x, r, a, e));
    e->event = LEDGER_INCIDENT;
    e->outcome = LEDGER_SHADOW;
    e->records.withheld = e->records.redacted = 0; /* rules in shadow withhold nothing */
    e->records.disclosed = r->released;
    x->review = review;
    return OK;
}

void shadow_look(struct exchange *x)
{
    struct gate_review r;
    if (x->shadow == NULL || x->class != RECIPIENT_RESTRICTED || x->failure != GATE_FINE) return;
    struct engine_begin b = describe(x);
    if (!gate_review(x->gate, x->engine, &b, &r)) {
        worker_count(x->worker, PROXY_SHADOW_UNREAD, 1);
        return;
    }
    if (r.released == 0) return;
    worker_count(x->worker, PROXY_SHADOW, 1);
    if (!is_ok(open_review(x, &r))) worker_count(x->worker, PROXY_SHADOW_UNREAD, 1);
}

/* ---- beside a document in parts --------------------------------------------------------------------------------- */

/* Only where its units are independent for the shadow too: else it would need the whole. */
void shadow_begin(struct exchange *x)
{
    x->tried = false;
    if (x->shadow == NULL || x->class != RECIPIENT_RESTRICTED || !rules_document_view(x->shadow)->independent) return;
    if (!worker_engine_reserve(x->worker)) return;
    struct engine *engine = worker_engine_take(x->worker);
    struct engine_begin b = describe(x);
    x->tried = gate_try(x->gate, engine, &b);
    if (x->tried) return;
    worker_engine_back(x->worker, engine);
    worker_engine_release(x->worker);
}

void shadow_leave(struct exchange *x)
{
    struct engine *engine = gate_trial_leave(x->gate);
    if (engine == NULL) return;
    worker_engine_back(x->worker, engine);
    worker_engine_release(x->worker);
}

/* Nothing leaves of a document that becomes its miss. */
void shadow_look_part(struct exchange *x)
{
    struct gate_review r;
    bool last = gate_part_is_last(x->gate);
    if (x->shadow == NULL || x->class != RECIPIENT_RESTRICTED) return;
    bool read = x->tried && gate_trial_part(x->gate, &r);
    if (!read && last) worker_count(x->worker, PROXY_SHADOW_UNREAD, 1);
    bool leaves = x->begun || (x->failure == GATE_FINE && !gate_outcome(x->gate)->verdict.document_withheld);
    if (!read || !leaves || r.released == 0) return;
    worker_count(x->worker, PROXY_SHADOW, 1);
    if (!is_ok(open_review(x, &r))) worker_count(x->worker, PROXY_SHADOW_UNREAD, 1);
}

RESULT shadow_publish(struct exchange *x)
{
    struct shadow_review *v = x->review;
    if (v == NULL) return OK;
    v->left.status = (int32_t)x->status;
    /* the answer's own entry follows, and asks whom it must */
    result r = ledger_entry_publish(&v->left, &x->worker->scratch, x->worker->arguments->ring, &v->ticket);
    if (r.class == ERROR_LIMIT && r.code == EAGAIN) return r;
    if (is_ok(r)) worker_count(x->worker, PROXY_ENTRIES, 1);
    x->review = NULL; /* what else fails here fails the answer's own entry */
    return OK;
}
