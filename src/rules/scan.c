/* Candidates and markers in one folded value. */
#include "rules/set.h"

/* ---- identifiers ------------------------------------------------------------------------------------------------ */

struct candidate_relay {
    rules_candidate_fn *each;
    void *ctx;
};

/* Looks for the next match one byte after the last one's start: a match may hide another that begins inside it. */
static void scan_candidates(
    const struct rule *rule, struct rules_scratch *x, span folded, const struct candidate_relay *to)
{
    size_t bounds[4], from = 0;
    while (from <= folded.len) {
        enum pattern_outcome outcome = pattern_run(&rule->pattern, x, folded, from, bounds);
        if (outcome == PATTERN_MISS) return;
        to->each(to->ctx, &rule->identifier, span_sub(folded, bounds[0], bounds[1] - bounds[0]),
            span_sub(folded, bounds[2], bounds[3] - bounds[2]), outcome == PATTERN_LIMIT);
        if (outcome == PATTERN_LIMIT) return;
        from = (bounds[0] > from ? bounds[0] : from) + 1;
    }
}

/* The rules that may match, by their bits. Those that have none may always. */
static uint64_t propose(const struct proposals *p, const struct rules_scratch *x, span folded)
{
    return x->prefilter ? proposals_run(p, folded) : UINT64_MAX;
}

static bool is_proposed(const struct rule *rule, uint64_t proposed)
{
    return !rule->proposal || rule->proposal & proposed;
}

void rules_scan_anywhere(
    const struct rules_set *s, struct rules_scratch *x, span folded, rules_candidate_fn *each, void *ctx)
{
    const struct candidate_relay to = {each, ctx};
    ASSERT(x->set == s);
    uint64_t proposed = propose(&s->anywhere_proposals, x, folded);
    for (size_t i = 0; i < s->anywhere.count; i++) {
        const struct rule *rule = *LIST_AT(&s->anywhere, const struct rule *, i);
        if (is_proposed(rule, proposed)) scan_candidates(rule, x, folded, &to);
    }
}

void rules_scan_bound(
    const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, rules_candidate_fn *each, void *ctx)
{
    const struct candidate_relay to = {each, ctx};
    const struct list *bound = &labels_of(s, labels)->identifiers;
    ASSERT(x->set == s);
    if (bound->count == 0) return;
    uint64_t proposed = propose(&s->bound_proposals, x, folded);
    for (size_t i = 0; i < bound->count; i++) {
        const struct rule *rule = *LIST_AT(bound, const struct rule *, i);
        if (!rule->pattern.code || rule->identifier.own_syntax || !is_proposed(rule, proposed)) continue;
        scan_candidates(rule, x, folded, &to);
    }
}

void rules_scan_identifiers(
    const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, rules_candidate_fn *each, void *ctx)
{
    rules_scan_anywhere(s, x, folded, each, ctx);
    rules_scan_bound(s, x, folded, labels, each, ctx);
}

/* ---- markers ---------------------------------------------------------------------------------------------------- */

size_t value_normalize(span value, uint8_t out[VALUE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_alnum(value.ptr[i])) continue;
        if (n == VALUE_MAX) return 0;
        out[n++] = to_upper(value.ptr[i]);
    }
    return n;
}

static bool has_value(const struct rule *rule, span normalized)
{
    for (size_t i = 0; i < rule->values.count; i++)
        if (span_equal(LIST_AT(&rule->values, struct word, i)->text, normalized)) return true;
    return false;
}

struct marker_relay {
    rules_marker_fn *each;
    void *ctx;
};

static void scan_pattern(const struct rule *rule, struct rules_scratch *x, span folded, const struct marker_relay *to)
{
    size_t bounds[4];
    enum pattern_outcome outcome = pattern_run(&rule->pattern, x, folded, 0, bounds);
    if (outcome == PATTERN_MISS) return;
    to->each(to->ctx, &rule->marker, span_sub(folded, bounds[0], bounds[1] - bounds[0]), outcome == PATTERN_LIMIT);
}

static void scan_labelled(
    const struct rule *rule, struct rules_scratch *x, span folded, span normalized, const struct marker_relay *to)
{
    if (normalized.len && has_value(rule, normalized))
        to->each(to->ctx, &rule->marker, folded, false);
    else if (rule->pattern.code)
        scan_pattern(rule, x, folded, to);
}

static void scan_bound(
    const struct rules_set *s, struct rules_scratch *x, span folded, const struct list *bound, const struct marker_relay *to)
{
    uint8_t normalized[VALUE_MAX];
    uint64_t proposed = propose(&s->marker_proposals, x, folded);
    size_t n = value_normalize(folded, normalized);
    for (size_t i = 0; i < bound->count; i++) {
        const struct rule *rule = *LIST_AT(bound, const struct rule *, i);
        if (is_proposed(rule, proposed)) scan_labelled(rule, x, folded, span_of(normalized, n), to);
    }
}

static int note_owner(unsigned id, unsigned long long from, unsigned long long end, unsigned flags, void *context)
{
    struct rules_scratch *x = context;
    (void)from, (void)end, (void)flags;
    bit_set(x->seen, *LIST_AT(&x->set->literals.owners, rule_id, id));
    return 0;
}

static void see_literals(struct rules_scratch *x, span folded)
{
    memset(x->seen, 0, bit_words(x->set->rules.count) * sizeof *x->seen);
    if (folded.len == 0) return;
    ASSERT(folded.len <= UINT32_MAX);
    hs_error_t code = hs_scan(x->set->literals.database, (const char *)folded.ptr, (unsigned)folded.len, 0, x->literals, note_owner, x);
    ASSERT(code == HS_SUCCESS);
}

static void scan_free_text(
    const struct rules_set *s, struct rules_scratch *x, span folded, const struct marker_relay *to)
{
    if (s->free_text.count == 0) return;
    if (x->prefilter) see_literals(x, folded);
    for (size_t i = 0; i < s->free_text.count; i++) {
        const struct rule *rule = *LIST_AT(&s->free_text, const struct rule *, i);
        if (!x->prefilter || bit_get(x->seen, rule->marker.id)) scan_pattern(rule, x, folded, to);
    }
}

void rules_scan_markers(const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, bool free_text,
    rules_marker_fn *each, void *ctx)
{
    const struct marker_relay to = {each, ctx};
    const struct list *bound = &labels_of(s, labels)->markers;
    ASSERT(x->set == s);
    if (bound->count > 0) scan_bound(s, x, folded, bound, &to);
    if (free_text) scan_free_text(s, x, folded, &to);
}
