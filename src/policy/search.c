/* What a request asks for must stand in what stays visible of a unit: the origin may have found it by something else.
 *
 *   found in a unit ─► and in those around it, as long as nothing between is withheld or removed
 *   the outermost unit that a condition speaks of goes where the condition does not hold
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "policy/own.h"

struct searching {
    const struct match_survey *survey;
    const struct rules_search *search;
    uint64_t *found;
    uint8_t *gone; /* lies in something that is withheld or removed, or is that */
};

/* Both in document order. */
static void add_held(struct searching *x, const struct policy_redactions *replaced)
{
    size_t next = 0;
    for (size_t i = 0; i < x->survey->held_count; i++) {
        const struct match_held *h = &x->survey->held[i];
        while (next < replaced->count && replaced->list[next].at < h->at) next++;
        if (next == replaced->count || replaced->list[next].at != h->at) x->found[h->unit] |= h->found;
    }
}

/* Parents before children; children's bits reach their parents on the way back. */
static void gather(struct searching *x, const uint8_t *withheld)
{
    const struct match_survey *s = x->survey;
    uint64_t gone_end = 0;
    for (size_t i = 0; i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        if ((withheld[i] != POLICY_KEPT || p->removed) && p->end > gone_end) gone_end = p->end;
        x->gone[i] = p->begin < gone_end;
    }
    for (size_t i = s->piece_count; i-- > 0;) {
        const struct match_piece *p = &s->pieces[i];
        if (x->gone[i]) continue;
        x->found[i] |= p->found;
        if (p->unit_parent != MATCH_NONE) x->found[p->unit_parent] |= x->found[i];
    }
}

static bool speaks_of(const struct searching *x, size_t condition, uint32_t piece)
{
    const struct match_piece *p = &x->survey->pieces[piece];
    return p->roles & PATH_UNIT && rules_search_leaves_out(x->search, condition, p->unit, p->is_line);
}

static bool is_outermost(const struct searching *x, size_t condition, uint32_t piece)
{
    for (uint32_t at = x->survey->pieces[piece].unit_parent; at != MATCH_NONE; at = x->survey->pieces[at].unit_parent)
        if (speaks_of(x, condition, at)) return false;
    return true;
}

static bool is_unmatched(const struct searching *x, uint32_t piece)
{
    for (size_t c = 0; c < rules_search_conditions(x->search); c++)
        if (speaks_of(x, c, piece) && is_outermost(x, c, piece) && !rules_search_holds(x->search, c, x->found[piece]))
            return true;
    return false;
}

RESULT search_judge(
    const struct match_survey *s, const struct policy_redactions *replaced, struct arena *arena, uint8_t *withheld)
{
    struct searching x = {.survey = s, .search = s->search};
    uint64_t lost_end = 0;
    if (!s->search || s->piece_count == 0) return OK;
    x.found = arena_array(arena, s->piece_count, sizeof *x.found);
    x.gone = arena_alloc(arena, s->piece_count);
    REQUIRE(x.found && x.gone, ERROR_LIMIT, 0);
    add_held(&x, replaced);
    gather(&x, withheld);
    for (size_t i = 0; i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        if (x.gone[i] || p->begin < lost_end || !is_unmatched(&x, (uint32_t)i)) continue;
        withheld[i] = POLICY_UNMATCHED;
        lost_end = p->end;
    }
    return OK;
}
