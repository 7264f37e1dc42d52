/* Rules in shadow beside a document in parts: a second engine reads the same bytes as another stream, of which nothing ever leaves.
 * What it would withhold waits until the rules in force have decided the same bytes; where one of them leaves, that counts.
 *
 *   bytes ─► trial: withheld ranges ─► pending ─┐
 *      └───► in force: units, what of them stays ┴─► released
 *
 * What goes wrong here ends the trial and changes nothing about the answer. */
#include "gate/own.h"

#define PENDING_MAX ((size_t)1 << 20)

struct range {
    uint64_t begin, end;
};

static void lose(struct gate *g)
{
    g->trial.lost = true;
    buf_clear(&g->trial.pending);
}

struct arena *gate_trial_arena(struct gate *g) { return g->trial.arena; }

/* ---- what the trial withholds ----------------------------------------------------------------------------------- */

static void add_range(struct gate *g, uint64_t begin, uint64_t end)
{
    struct gate_trial *t = &g->trial;
    struct range r = {begin, end};
    if (begin < t->passed) t->released++; /* decided before: what stayed of it is not known any more */
    else if (!is_ok(buf_append(&t->pending, span_of(&r, sizeof r)))) lose(g);
}

static void meet_tried(void *ctx, const struct engine_unit *u)
{
    struct gate *g = ctx;
    const struct match_survey *s = u->inside;
    if (u->verdict == NULL || g->trial.lost) return;
    if (u->verdict->document_withheld) {
        add_range(g, u->begin, u->end);
        return;
    }
    for (size_t i = 0; i < s->piece_count; i++)
        if (u->verdict->withheld[i] != POLICY_KEPT) add_range(g, u->begin + s->pieces[i].begin, u->begin + s->pieces[i].end);
}

/* ---- what stays in force ---------------------------------------------------------------------------------------- */

/* Bytes outside units stay. */
static bool is_seen(const struct engine_unit *u, const struct range *r)
{
    if (r->begin < u->begin) return true;
    uint64_t end = r->end < u->end ? r->end : u->end;
    return u->edits != NULL && gate_edits_leave(u->edits, r->begin - u->begin, end - u->begin);
}

void gate_trial_meet(void *ctx, const struct engine_unit *u)
{
    struct gate *g = ctx;
    struct gate_trial *t = &g->trial;
    if (t->engine == NULL) return;
    t->passed = u->end;
    size_t n = buf_len(&t->pending) / sizeof(struct range), kept = 0;
    struct range *all = n == 0 ? NULL : (struct range *)(void *)(t->pending.base + t->pending.read);
    for (size_t i = 0; i < n; i++) {
        struct range r = all[i];
        bool waits = r.begin >= u->end, seen = !waits && is_seen(u, &r);
        t->released += seen;
        if (seen || (!waits && r.end <= u->end)) continue;
        if (!waits) r.begin = u->end; /* the rest of it is decided later */
        all[kept++] = r;
    }
    t->pending.write = t->pending.read + kept * sizeof(struct range);
}

/* ---- the trial's own stream ------------------------------------------------------------------------------------- */

bool gate_try(struct gate *g, struct engine *engine, const struct engine_begin *b)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct gate_trial *t = &g->trial;
    ASSERT(g->state == GATE_RECEIVING && g->parts.on && t->engine == NULL && g->class == RECIPIENT_RESTRICTED);
    struct engine_begin begin = *b;
    begin.arena = gate_review_arena(g);
    if (begin.arena != NULL && t->arena == NULL) t->arena = arena_new(g->env->arena_cap);
    if (begin.arena == NULL || t->arena == NULL) return false;
    arena_reset(t->arena);
    begin.class = RECIPIENT_RESTRICTED;
    begin.out = &t->out;
    begin.watch = (struct engine_watch){meet_tried, g};
    buf_init(&t->out, g->env->body_cap);
    buf_init(&t->pending, PENDING_MAX);
    engine_start(engine, &begin);
    t->engine = engine;
    t->lost = !engine_is_stream(engine);
    return true;
}

/* Nothing behind a finding outside every unit would leave. */
static void judge_end(struct gate *g)
{
    struct policy_verdict v;
    engine_stream_part(g->trial.engine, &v);
    if (v.document_withheld) add_range(g, engine_stream_done(g->trial.engine), UINT64_MAX);
    else if (engine_stream_unreadable(g->trial.engine) != ENGINE_READABLE) lose(g);
}

void gate_trial_read(struct gate *g, span window, uint64_t base, enum engine_end end)
{
    struct gate_trial *t = &g->trial;
    if (t->engine == NULL || t->lost || t->over) return;
    t->over = !engine_stream(t->engine, window, base, end);
    if (t->over) judge_end(g);
    uint64_t settled = engine_stream_settled(t->engine);
    buf_consume(&t->out, (size_t)(settled - t->taken));
    engine_stream_taken(t->engine, settled - t->taken);
    t->taken = settled;
}

uint64_t gate_trial_needs(const struct gate *g)
{
    const struct gate_trial *t = &g->trial;
    return t->engine == NULL || t->lost || t->over ? UINT64_MAX : engine_stream_needs(t->engine);
}

bool gate_trial_part(struct gate *g, struct gate_review *out)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct gate_trial *t = &g->trial;
    *out = (struct gate_review){0};
    if (t->engine == NULL || t->lost) return false;
    arena_reset(t->arena);
    if (g->parts.last) t->released += buf_len(&t->pending) / sizeof(struct range); /* behind the last unit */
    if (g->parts.last) buf_clear(&t->pending);
    engine_stream_part(t->engine, &out->verdict);
    uint64_t *subjects = arena_array(t->arena, out->verdict.subject_count + 1, sizeof *subjects);
    struct policy_rule_count *rules = arena_array(t->arena, out->verdict.rule_count + 1, sizeof *rules);
    if (subjects == NULL || rules == NULL) return false;
    if (out->verdict.subject_count > 0) memcpy(subjects, out->verdict.subjects, out->verdict.subject_count * sizeof *subjects);
    if (out->verdict.rule_count > 0) memcpy(rules, out->verdict.rules, out->verdict.rule_count * sizeof *rules);
    out->verdict.subjects = subjects;
    out->verdict.rules = rules;
    out->released = t->released;
    t->released = 0;
    engine_stream_next_part(t->engine);
    return true;
}

struct engine *gate_trial_leave(struct gate *g)
{
    struct engine *engine = g->trial.engine;
    if (engine != NULL) engine_reset(engine);
    buf_free(&g->trial.out);
    buf_free(&g->trial.pending);
    g->trial = (struct gate_trial){.arena = g->trial.arena};
    return engine;
}
