/* Documents of independent units, piece by piece, as the gateway lets them leave. */
#include "trial/own.h"

#define WINDOW_MAX ((size_t)4 << 30)

void trial_flow_free(struct trial *t)
{
    buf_free(&t->flow.window);
    buf_free(&t->flow.out);
    mem_free(t->flow.rules);
    t->flow.rules = NULL;
}

bool trial_open(struct trial *t, const struct trial_question *q, trial_sink_fn *sink, void *ctx)
{
    struct trial_flow *w = &t->flow;
    trial_flow_free(t);
    arena_reset(t->arena);
    *w = (struct trial_flow){.class = q->class, .sink = sink, .ctx = ctx};
    buf_init(&w->window, WINDOW_MAX);
    buf_init(&w->out, WINDOW_MAX);
    (void)trial_refuses(t, q); /* files come without a query: only what is asked for in every answer */
    trial_describe(t, q, &w->out);
    if (!engine_is_stream(t->engine)) {
        engine_reset(t->engine);
        return false;
    }
    w->rules = mem_array(rules_count(t->rules) + 1, sizeof *w->rules);
    if (!w->rules) w->failed = FAIL(ERROR_LIMIT, 0);
    return true;
}

static void add_up(struct trial *t)
{
    struct policy_verdict v, *sums = &t->flow.sums;
    engine_stream_part(t->engine, &v);
    sums->document_withheld |= v.document_withheld;
    sums->found |= v.found;
    sums->shown |= v.shown;
    sums->seen += v.seen;
    sums->protected_ += v.protected_;
    sums->withheld_count += v.withheld_count;
    sums->disclosed += v.disclosed;
    for (size_t i = 0; i < v.rule_count; i++) {
        size_t at = v.rules[i].rule == RULE_NONE ? rules_count(t->rules) : v.rules[i].rule;
        t->flow.rules[at].count += v.rules[i].count;
    }
    engine_stream_next_part(t->engine);
}

static result hand_out(struct trial *t)
{
    struct trial_flow *w = &t->flow;
    size_t n = (size_t)(engine_stream_settled(t->engine) - w->left);
    if (n == 0) return OK;
    TRY(w->sink(w->ctx, span_sub(buf_span(&w->out), 0, n)));
    buf_consume(&w->out, n);
    engine_stream_taken(t->engine, n);
    w->left += n;
    return OK;
}

static result feed(struct trial *t, span piece, bool last)
{
    struct trial_flow *w = &t->flow;
    TRY(buf_append(&w->window, piece));
    w->read += piece.len;
    bool goes_on = engine_stream(t->engine, buf_span(&w->window), w->base, last ? ENGINE_COMPLETE : ENGINE_GOES_ON);
    w->over = last || !goes_on;
    TRY(hand_out(t));
    add_up(t);
    if (w->over) return OK;
    uint64_t needs = engine_stream_needs(t->engine);
    buf_consume(&w->window, (size_t)(needs - w->base));
    w->base = needs;
    return OK;
}

bool trial_feed(struct trial *t, span piece, bool last)
{
    struct trial_flow *w = &t->flow;
    if (w->over || !is_ok(w->failed)) return false;
    w->failed = feed(t, piece, last);
    return is_ok(w->failed) && !w->over;
}

static enum trial_verdict verdict_of(const struct trial_flow *w)
{
    if (w->class == RECIPIENT_ENTITLED) return TRIAL_UNCHANGED;
    if (w->sums.document_withheld) return TRIAL_NOT_FOUND;
    if (w->sums.withheld_count > 0) return TRIAL_WITHHELD;
    if (w->sums.shown) return w->left == w->read ? TRIAL_REPORTED : TRIAL_REPLACED;
    return w->left == w->read ? TRIAL_UNCHANGED : TRIAL_CHANGED;
}

/* The rules that found something, ascending. */
static size_t pack_rules(struct trial *t)
{
    struct policy_rule_count *rules = t->flow.rules;
    size_t n = 0, all = rules_count(t->rules);
    for (size_t i = 0; rules && i <= all; i++)
        if (rules[i].count > 0) rules[n++] = (struct policy_rule_count){i == all ? RULE_NONE : (rule_id)i, rules[i].count};
    return n;
}

result trial_close(struct trial *t, struct trial_answer *out)
{
    struct trial_flow *w = &t->flow;
    enum engine_unreadable u = w->over ? engine_stream_unreadable(t->engine) : ENGINE_CUT_SHORT;
    t->outcome = (struct engine_outcome){.unreadable = u, .verdict = w->sums};
    t->outcome.verdict.rules = w->rules;
    t->outcome.verdict.rule_count = pack_rules(t);
    *out = (struct trial_answer){.failure = gate_failure_of(u), .outcome = &t->outcome};
    out->verdict = out->failure == GATE_FINE ? verdict_of(w) : trial_failed(out->failure, w->class);
    engine_reset(t->engine);
    buf_free(&w->window);
    buf_free(&w->out);
    return w->failed;
}
