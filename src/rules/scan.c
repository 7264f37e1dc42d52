/* Candidates and markers in one folded value. */
#include "rules/set.h"

/* ---- identifiers ------------------------------------------------------------------------------------------------ */

struct candidate_relay {
    rules_candidate_fn *each;
    void *ctx;
    const struct proposals *proposals; /* that the rules are in */
};

static void relay(const struct candidate_relay *to, const struct rule *rule, span folded, const size_t bounds[4], bool limit)
{
    to->each(to->ctx, &rule->identifier, span_sub(folded, bounds[0], bounds[1] - bounds[0]),
        span_sub(folded, bounds[2], bounds[3] - bounds[2]), limit);
}

/* Looks for the next match one byte after the last one's start: a match may hide another that begins inside it. */
static void run_candidates(const struct rule *rule, struct rules_scratch *x, span folded,
    const struct candidate_relay *to, struct memo *memo)
{
    size_t bounds[4], from = 0;
    while (from + rule->pattern.shortest <= folded.len) {
        enum pattern_outcome outcome = pattern_run(&rule->pattern, x, folded, from, bounds);
        if (outcome == PATTERN_MISS) return;
        if (memo && outcome == PATTERN_LIMIT) memo_forget(memo);
        if (memo) memo_add(memo, bounds);
        relay(to, rule, folded, bounds, outcome == PATTERN_LIMIT);
        if (outcome == PATTERN_LIMIT) return;
        from = (bounds[0] > from ? bounds[0] : from) + 1;
        if (from > folded.len) return;
        if (x->prefilter && !proposals_more(to->proposals, rule->proposal, folded, from)) return;
    }
}

static void scan_candidates(
    const struct rule *rule, struct rules_scratch *x, span folded, const struct candidate_relay *to)
{
    bool known = false;
    if (folded.len < rule->pattern.shortest) return;
    struct memo *memo = x->prefilter ? memo_find(&rule->pattern, x, folded, &known) : NULL;
    if (!known) return run_candidates(rule, x, folded, to, memo);
    for (size_t i = 0; i < memo->count; i++) {
        const uint8_t *b = memo->bounds[i];
        relay(to, rule, folded, (const size_t[4]){b[0], b[1], b[2], b[3]}, false);
    }
}

const struct rules_needs *rules_identifier_needs(const struct rules_set *s)
{
    return &s->anywhere_proposals.needs;
}

const struct rules_needs *rules_marker_needs(const struct rules_set *s)
{
    return &s->text_proposals.needs;
}

static uint64_t proposed(const struct proposals *p, const struct rules_scratch *x, span text)
{
    if (x->prefilter) return proposals_run(p, text);
    return p->count < 64 ? (UINT64_C(1) << p->count) - 1 : UINT64_MAX;
}

void rules_scan_anywhere(
    const struct rules_set *s, struct rules_scratch *x, span folded, rules_candidate_fn *each, void *ctx)
{
    const struct proposals *p = &s->anywhere_proposals;
    const struct candidate_relay to = {each, ctx, p};
    ASSERT(x->set == s);
    if (p->count == 0) return;
    for (uint64_t bits = proposed(p, x, folded); bits; bits &= bits - 1)
        scan_candidates(p->rules[__builtin_ctzll(bits)], x, folded, &to);
    for (size_t i = 64; i < p->count; i++)
        scan_candidates(p->rules[i], x, folded, &to);
}

/* Few are tried at once; of many the automaton says which. */
#define PROPOSED_FEW 3

void rules_scan_proposed(const struct rules_set *s, struct rules_scratch *x, span folded, uint64_t bits,
    rules_candidate_fn *each, void *ctx)
{
    const struct proposals *p = &s->anywhere_proposals;
    const struct candidate_relay to = {each, ctx, p};
    ASSERT(x->set == s);
    if (p->count > 64) return rules_scan_anywhere(s, x, folded, each, ctx);
    if (__builtin_popcountll(bits) > PROPOSED_FEW) bits &= proposed(p, x, folded);
    for (; bits; bits &= bits - 1)
        scan_candidates(p->rules[__builtin_ctzll(bits)], x, folded, &to);
}

void rules_scan_bound(
    const struct rules_set *s, struct rules_scratch *x, span folded, label_set labels, rules_candidate_fn *each, void *ctx)
{
    const struct label_rules *set = labels_of(s, labels);
    const struct proposals *p = &s->bound_proposals;
    const struct candidate_relay to = {each, ctx, p};
    ASSERT(x->set == s);
    uint64_t bits = set->identifier_bits;
    if (bits & ~p->always) bits &= proposed(p, x, folded);
    for (; bits; bits &= bits - 1)
        scan_candidates(p->rules[__builtin_ctzll(bits)], x, folded, &to);
    for (size_t i = 64; i < p->count; i++)
        if (bit_get(set->bits, p->rules[i]->identifier.id)) scan_candidates(p->rules[i], x, folded, &to);
}

static bool all_blind(const struct proposals *p, uint64_t bits)
{
    for (; bits; bits &= bits - 1)
        if (!p->rules[__builtin_ctzll(bits)]->pattern.blind) return false;
    return p->count <= 64;
}

static uint8_t shape_byte(uint8_t c)
{
    return is_digit(c) ? '0' : to_upper(c);
}

/* Whether a text of the shape may be one of the rule's code values. */
static bool may_be_value(const struct rule *rule, span normalized)
{
    for (size_t i = 0; i < rule->values.count; i++) {
        span value = LIST_AT(&rule->values, struct word, i)->text;
        size_t same = 0;
        while (value.len == normalized.len && same < value.len && shape_byte(value.ptr[same]) == shape_byte(normalized.ptr[same]))
            same++;
        if (value.len == normalized.len && same == value.len) return true;
    }
    return false;
}

static bool markers_see_shapes(const struct label_rules *set, span text)
{
    uint8_t normalized[VALUE_MAX];
    span value = span_of(normalized, value_normalize(text, normalized));
    for (size_t i = 0; i < set->markers.count; i++) {
        const struct rule *rule = *LIST_AT(&set->markers, const struct rule *, i);
        if (may_be_value(rule, value) || (rule->pattern.code && !rule->pattern.blind)) return false;
    }
    return true;
}

bool rules_see_shapes(const struct rules_set *s, uint64_t proposed, label_set labels, span text)
{
    const struct label_rules *set = labels_of(s, labels);
    return all_blind(&s->anywhere_proposals, proposed) && all_blind(&s->bound_proposals, set->identifier_bits) &&
           markers_see_shapes(set, text);
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

static void scan_bound_markers(
    const struct rules_set *s, struct rules_scratch *x, span folded, const struct label_rules *set, const struct marker_relay *to)
{
    uint8_t normalized[VALUE_MAX];
    const struct proposals *p = &s->marker_proposals;
    uint64_t bits = set->marker_bits & proposed(p, x, folded);
    if (!bits && p->count <= 64) return;
    span value = span_of(normalized, value_normalize(folded, normalized));
    for (; bits; bits &= bits - 1)
        scan_labelled(p->rules[__builtin_ctzll(bits)], x, folded, value, to);
    for (size_t i = 64; i < p->count; i++)
        if (bit_get(set->bits, p->rules[i]->marker.id)) scan_labelled(p->rules[i], x, folded, value, to);
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

/* Short texts cost less than waking Vectorscan does. */
#define SHORT_TEXT 96

static void scan_short_text(
    const struct rules_set *s, struct rules_scratch *x, span folded, const struct marker_relay *to)
{
    const struct proposals *p = &s->text_proposals;
    for (uint64_t bits = proposals_run(p, folded); bits; bits &= bits - 1)
        scan_pattern(p->rules[__builtin_ctzll(bits)], x, folded, to);
}

static void scan_free_text(
    const struct rules_set *s, struct rules_scratch *x, span folded, const struct marker_relay *to)
{
    if (s->free_text.count == 0) return;
    if (x->prefilter && folded.len <= SHORT_TEXT && s->text_proposals.count <= 64) {
        scan_short_text(s, x, folded, to);
        return;
    }
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
    const struct label_rules *bound = labels_of(s, labels);
    ASSERT(x->set == s);
    if (bound->markers.count > 0) scan_bound_markers(s, x, folded, bound, &to);
    if (free_text) scan_free_text(s, x, folded, &to);
}
