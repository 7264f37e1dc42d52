/* Verdict and edits, and the limits that are judged on what stays visible: what is withheld must not be told by a
 * document that is refused for its sake. */
#include "engine/own.h"

static enum engine_unreadable when_failed(result r)
{
    ASSERT(r.class == ERROR_LIMIT); /* policy and edit know no other failure */
    return ENGINE_MEMORY;
}

#define HAND_ON(expr)                                                                                                  \
    do {                                                                                                               \
        result hand_on_ = (expr);                                                                                      \
        if (!is_ok(hand_on_)) return when_failed(hand_on_);                                                            \
    } while (0)

static bool is_unit(const struct match_piece *p)
{
    return (p->roles & PATH_UNIT) != 0;
}

static uint64_t twice(uint64_t limit)
{
    return limit > UINT64_MAX / 2 ? UINT64_MAX : 2 * limit;
}

static uint64_t largest_unit(const struct match_survey *s)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < s->piece_count; i++) {
        uint64_t size = s->pieces[i].end - s->pieces[i].begin;
        if (is_unit(&s->pieces[i]) && size > largest) largest = size;
    }
    return largest;
}

static bool is_oversized(const struct engine_judging *j, const struct edit_list *edits, size_t i)
{
    const struct match_piece *p = &j->survey->pieces[i];
    if (p->end - p->begin <= j->limits->record) return false;
    return edit_offset(edits, p->end) - edit_offset(edits, p->begin) > j->limits->record;
}

#define OVERSIZED 1
#define HOLDS_ONE 2

/* Marks the innermost units that are still too large. The outer ones are looked at again without them. True: some. */
static bool mark_oversized(const struct engine_judging *j, const struct edit_list *edits, const uint8_t *fates,
    uint8_t *oversized, uint8_t *holds)
{
    bool some = false;
    for (size_t i = j->survey->piece_count; i-- > 0;) {
        const struct match_piece *p = &j->survey->pieces[i];
        if (fates[i] == EDIT_KEEP && is_unit(p) && is_oversized(j, edits, i)) holds[i] |= OVERSIZED;
        if (!holds[i]) continue;
        if (p->unit_parent != MATCH_NONE) holds[p->unit_parent] |= HOLDS_ONE;
        if (holds[i] != OVERSIZED) continue;
        oversized[i] = 1;
        some = true;
    }
    return some;
}

static enum engine_unreadable plan(const struct engine_judging *j, const uint8_t *oversized, struct engine_outcome *out)
{
    out->edits = (struct edit_list){0};
    HAND_ON(policy_decide(j->survey, oversized, j->class, j->arena, &out->verdict));
    out->verdict.pseudonym_key = j->pseudonym_key;
    if (out->verdict.document_withheld) return ENGINE_READABLE;
    HAND_ON(edit_plan(j->survey, &out->verdict, j->body, j->arena, &out->edits));
    return ENGINE_READABLE;
}

/* Withholding only ever makes its surroundings smaller, so that this ends after as many rounds as units are nested. */
static enum engine_unreadable plan_within_record(const struct engine_judging *j, struct engine_outcome *out)
{
    size_t n = j->survey->piece_count + 1;
    uint8_t *oversized = arena_alloc(j->arena, n), *holds = arena_alloc(j->arena, n);
    const uint8_t *fates = NULL;
    if (!oversized || !holds) return ENGINE_MEMORY;
    for (;;) {
        enum engine_unreadable u = plan(j, oversized, out);
        if (u != ENGINE_READABLE || out->verdict.document_withheld) return u;
        fates = edit_fates(j->survey, &out->verdict, j->arena);
        if (!fates) return ENGINE_MEMORY;
        memset(holds, 0, n);
        if (!mark_oversized(j, &out->edits, fates, oversized, holds)) return ENGINE_READABLE;
    }
}

static bool any_deeper(const struct match_survey *s, uint32_t depth)
{
    for (size_t i = 0; i < s->piece_count; i++)
        if (s->pieces[i].depth > depth) return true;
    return false;
}

static enum engine_unreadable check_depth(const struct engine_judging *j, const struct policy_verdict *v)
{
    const struct match_survey *s = j->survey;
    if (s->visible_depth > j->limits->depth) return ENGINE_DEPTH;
    if (!any_deeper(s, j->limits->depth)) return ENGINE_READABLE;
    const uint8_t *fates = edit_fates(s, v, j->arena);
    if (!fates) return ENGINE_MEMORY;
    for (size_t i = 0; i < s->piece_count; i++)
        if (fates[i] == EDIT_KEEP && s->pieces[i].depth > j->limits->depth) return ENGINE_DEPTH;
    return ENGINE_READABLE;
}

/* ---- one page of a list ------------------------------------------------------------------------------------------ */

static bool is_in_list(const struct engine_judging *j, const struct match_piece *p)
{
    const struct match_survey *s = j->survey;
    return p->roles & PATH_UNIT && p->container < s->container_count && s->containers[p->container].open == j->page.items;
}

/* Leaves every unit of the list to other pages but the visible ones from `skip` on, `take` of them. */
static void choose_units(const struct engine_judging *j, const uint8_t *fates, uint64_t skip, uint64_t take, uint8_t *elsewhere,
    struct engine_page_found *found)
{
    uint64_t in = 0; /* visible ones of the document at hand */
    size_t document = 0;
    *found = (struct engine_page_found){0};
    for (size_t i = 0; i < j->survey->piece_count; i++) {
        const struct match_piece *p = &j->survey->pieces[i];
        if (!is_in_list(j, p)) continue;
        for (; document + 1 < j->page.begin_count && j->page.begins[document + 1] <= p->ordinal; document++) in = 0;
        bool counts = fates[i] == EDIT_KEEP;
        uint64_t at = counts ? found->visible++ : 0;
        elsewhere[i] = !counts || at < skip || at - skip >= take;
        if (counts && at >= skip && at - skip == take) found->next_begin = document, found->next_in = in;
        in += counts;
        found->taken += !elsewhere[i];
    }
}

/* What refuses a page is all that is visible up to its end: neither what was withheld, nor how much was read ahead because
 * something might be. */
//= ICE10036.2 2.1
static enum engine_unreadable turn_page(const struct engine_judging *j, struct engine_outcome *out)
{
    const struct match_survey *s = j->survey;
    const struct engine_page *page = &j->page;
    const uint8_t *fates = edit_fates(s, &out->verdict, j->arena);
    uint8_t *elsewhere = arena_alloc(j->arena, s->piece_count + 1);
    uint64_t end = page->take > UINT64_MAX - page->skip ? UINT64_MAX : page->skip + page->take;
    if (!fates || !elsewhere) return ENGINE_MEMORY;
    choose_units(j, fates, 0, end, elsewhere, &out->page);
    out->verdict.elsewhere = elsewhere;
    HAND_ON(edit_plan(s, &out->verdict, j->body, j->arena, &out->edits));
    if (out->edits.length > j->limits->document) return ENGINE_DOCUMENT;
    enum engine_unreadable u = check_depth(j, &out->verdict);
    if (u != ENGINE_READABLE || page->skip == 0) return u;
    choose_units(j, fates, page->skip, page->take, elsewhere, &out->page);
    HAND_ON(edit_plan(s, &out->verdict, j->body, j->arena, &out->edits));
    return ENGINE_READABLE;
}

static enum engine_unreadable judge_restricted(const struct engine_judging *j, struct engine_outcome *out)
{
    uint64_t largest = largest_unit(j->survey);
    if (largest > twice(j->limits->record)) return ENGINE_RECORD;
    bool large = largest > j->limits->record;
    enum engine_unreadable u = large ? plan_within_record(j, out) : plan(j, NULL, out);
    if (u != ENGINE_READABLE || out->verdict.document_withheld) return u;
    if (j->page.on) return turn_page(j, out);
    if (out->edits.length > j->limits->document) return ENGINE_DOCUMENT;
    return check_depth(j, &out->verdict);
}

static enum engine_unreadable judge_entitled(const struct engine_judging *j, struct engine_outcome *out)
{
    HAND_ON(policy_decide(j->survey, NULL, j->class, j->arena, &out->verdict));
    out->verdict.pseudonym_key = j->pseudonym_key;
    HAND_ON(edit_redact(&out->verdict, j->body, j->arena, &out->edits));
    return ENGINE_READABLE;
}

enum engine_unreadable engine_judge(const struct engine_judging *j, struct engine_outcome *out)
{
    switch (j->class) {
    case RECIPIENT_RESTRICTED: return judge_restricted(j, out);
    case RECIPIENT_ENTITLED: return judge_entitled(j, out);
    }
    return ENGINE_MEMORY;
}
