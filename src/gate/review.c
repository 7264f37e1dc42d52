/* Rules in shadow: what they would have withheld of an answer that is decided. They decide nothing, and what goes wrong
 * here changes nothing about the answer: they have memory of their own. */
#include "gate/own.h"

bool gate_edits_leave(const struct edit_list *edits, uint64_t begin, uint64_t end)
{
    size_t low = 0, high = edits->count;
    while (low < high) { /* first run that ends behind `begin` */
        size_t mid = low + (high - low) / 2;
        if (edits->runs[mid].at + edits->runs[mid].len <= begin) low = mid + 1;
        else high = mid;
    }
    for (; low < edits->count && edits->runs[low].at < end; low++) {
        const struct edit_run *r = &edits->runs[low];
        if (r->literal_len == 0 && r->len > 0 && r->at + r->len > begin) return true;
    }
    return false;
}

static uint64_t count_released(const struct edit_list *edits, const struct match_survey *s, const struct policy_verdict *v)
{
    uint64_t n = 0;
    if (v->document_withheld) return edits->length > 0;
    for (size_t i = 0; i < s->piece_count; i++)
        n += v->withheld[i] != POLICY_KEPT && gate_edits_leave(edits, s->pieces[i].begin, s->pieces[i].end);
    for (size_t i = 0; i < v->redactions.count; i++) {
        const struct policy_redaction *r = &v->redactions.list[i];
        n += gate_edits_leave(edits, r->at, r->at + r->len);
    }
    return n;
}

static bool has_room(struct gate *g)
{
    if (fault_hit("shadow")) return false;
    if (g->review == NULL) g->review = arena_new(g->env->arena_cap);
    return g->review != NULL;
}

bool gate_review(struct gate *g, struct engine *engine, const struct engine_begin *b, struct gate_review *out)
{
    *out = (struct gate_review){0};
    ASSERT(g->state == GATE_DECIDED && g->class == RECIPIENT_RESTRICTED && g->failure == GATE_FINE);
    if (g->outcome.verdict.document_withheld || g->replaced) return true;
    if (!has_room(g)) return false;
    struct engine_outcome outcome;
    struct engine_begin begin = *b;
    begin.arena = g->review;
    begin.class = RECIPIENT_RESTRICTED;
    begin.keep_survey = true;
    engine_start(engine, &begin);
    engine_finish(engine, buf_span(&g->body), true, &outcome);
    const struct match_survey *s = engine_survey(engine);
    if (s != NULL) {
        out->released = count_released(&g->outcome.edits, s, &outcome.verdict);
        out->verdict = outcome.verdict;
    }
    engine_reset(engine);
    return s != NULL;
}

struct arena *gate_review_arena(struct gate *g)
{
    return has_room(g) ? g->review : NULL;
}
