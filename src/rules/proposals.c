/* Which of many expressions may match in a text, told by one deterministic automaton in one pass. It only says where to
 * look; PCRE2 decides. Made of what is regular in them (regular.h), which finds at least what they match. */
#include "rules/set.h"

#include "rules/dfa.h"

#define STATES_ALONE 600 /* of one rule; with more it is widened, and then left out */
#define LINE 16 /* cells in a cache line */

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static const char *pattern_text(const struct rule *rule)
{
    return json_string_value(json_object_get(rule->json, "pattern"));
}

/* What a rule is told by: its expression, a wider one, or the literals that wake it. */
enum manner { EXACT, WIDE, LITERALS, NOT_AT_ALL };

static bool add_literals(struct dfa *k, const struct rule *rule, unsigned bit)
{
    for (size_t i = 0; i < rule->literals.count; i++)
        if (!regular_add_literal(&k->regular, LIST_AT(&rule->literals, struct word, i)->text, bit)) return false;
    return rule->literals.count > 0;
}

static bool add_rule(struct dfa *k, const struct rule *rule, enum manner manner, unsigned bit)
{
    const char *pattern = rule->pattern.code ? pattern_text(rule) : NULL;
    if (manner == LITERALS) return add_literals(k, rule, bit);
    if (manner == NOT_AT_ALL) return false;
    if (rule->pattern.code && (!pattern || !regular_add(&k->regular, pattern, manner == WIDE, bit))) return false;
    for (size_t i = 0; i < rule->values.count; i++)
        if (!regular_add_word(&k->regular, LIST_AT(&rule->values, struct word, i)->text, bit)) return false;
    return true;
}

static enum manner find_manner(struct dfa *k, const struct rule *rule, enum manner first)
{
    for (enum manner m = first; m < NOT_AT_ALL; m++) {
        dfa_start_over(k);
        if (add_rule(k, rule, m, 0) && dfa_determine(k, STATES_ALONE)) return m;
    }
    return NOT_AT_ALL;
}

/* Those left out are always proposed. */
static bool determine_all(struct dfa *k, struct proposals *p, const enum manner *manners, enum manner least)
{
    size_t most = p->count < 64 ? p->count : 64;
    dfa_start_over(k);
    p->always = 0;
    for (unsigned i = 0; i < most; i++)
        if (!add_rule(k, p->rules[i], manners[i] < least ? least : manners[i], i)) p->always |= UINT64_C(1) << i;
    return dfa_determine(k, DFA_STATES);
}

/* ---- making it small -------------------------------------------------------------------------------------------- */

/* States in which nothing is found come first, so that one comparison tells; k->place says where each group goes.
 * The number of those. */
static unsigned order_groups(struct dfa *k, unsigned states)
{
    unsigned quiet = 0, at = 0;
    for (int loud = 0; loud < 2; loud++) {
        for (unsigned g = 0; g < states; g++)
            if ((k->subsets[k->first[g]].found != 0) == (bool)loud) k->place[g] = (uint16_t)at++;
        if (!loud) quiet = at;
    }
    return quiet;
}

static uint32_t note_mask(uint64_t *masks, uint32_t *count, uint64_t mask)
{
    uint32_t i = 0;
    while (i < *count && masks[i] != mask)
        i++;
    masks[i] = mask;
    if (i == *count) ++*count;
    return i;
}

static bool keep(struct loader *l, struct dfa *k, struct proposals *out)
{
    unsigned states = dfa_minimize(k), quiet = order_groups(k, states);
    unsigned stride = (k->classes + PROPOSALS_EXTRA + LINE - 1) / LINE * LINE;
    uint32_t *next = loader_alloc(l, (size_t)states * stride + LINE, sizeof *next), masks = 0;
    uint64_t *mask = loader_alloc(l, 2 * (size_t)states, sizeof *mask);
    if (l->no_memory) return false;
    next += (0 - (uintptr_t)next / sizeof *next) % LINE; /* rows begin where cache lines do */
    for (unsigned g = 0; g < states; g++) {
        unsigned s = k->first[g];
        uint32_t *row = next + (size_t)k->place[g] * stride;
        for (unsigned c = 0; c < k->classes; c++)
            row[c] = k->place[k->group[k->next[((size_t)s << k->shift) + c]]] * stride;
        row[k->classes] = note_mask(mask, &masks, k->subsets[s].found);
        row[k->classes + 1] = note_mask(mask, &masks, k->at_end[s]);
    }
    for (unsigned b = 0; b < 256; b++)
        out->fresh[b] = k->place[k->group[k->fresh[k->class_of[b]]]] * stride;
    memcpy(out->class_of, k->class_of, sizeof out->class_of);
    out->states = states;
    out->classes = k->classes;
    out->loud = quiet * stride;
    out->next = next;
    out->mask = mask;
    return true;
}

/* Of the expression alone, whatever values stand beside it. */
static void learn_blindness(struct dfa *k, struct rule *rule)
{
    const char *pattern = rule->pattern.code ? pattern_text(rule) : NULL;
    dfa_start_over(k);
    rule->pattern.blind = pattern && regular_add(&k->regular, pattern, false, 0) && memo_is_blind(&k->regular);
}

/* A word of so many letters and no digit is what most values of most documents are made of. */
#define WORD_LETTERS 8

static void merge_needs(struct rules_needs *out, const struct rules_needs *one)
{
    for (unsigned at = 0; at < 2; at++)
        for (unsigned digits = 0; digits <= RULES_NEEDS_MOST; digits++)
            out->letters[at][digits] |= one->letters[at][digits];
}

/* Of each rule by itself, whether or not the automaton of all of them has room for it. */
static void learn_needs(struct loader *l, struct dfa *k, struct proposals *p)
{
    for (size_t i = 0; i < p->count; i++) {
        enum manner m = EXACT;
        for (; m < NOT_AT_ALL; m++) {
            dfa_start_over(k);
            if (add_rule(k, p->rules[i], m, 0)) break;
        }
        if (m == EXACT && !p->rules[i]->is_marker && p->rules[i]->pattern.code) memo_learn(l, p->rules[i], &k->regular);
        struct rules_needs one = {0};
        if (m < NOT_AT_ALL)
            needs_of(&k->regular, &one);
        else
            needs_always(&one);
        p->rules[i]->pattern.takes_words = rules_may_match(&one, 0, WORD_LETTERS, false);
        merge_needs(&p->needs, &one);
        learn_blindness(k, p->rules[i]);
    }
}

/* ---- building --------------------------------------------------------------------------------------------------- */

/* Free text is looked at only where a literal was seen, so that literals are all it takes; expressions of whole phrases
 * would make an automaton that no cache holds.
 *
 * A part that could not be added leaves others of its rule behind: they do no harm, for the rule is tried always. */
static bool build(struct loader *l, struct dfa *k, struct proposals *p)
{
    enum manner *manners = loader_alloc(l, p->count + 1, sizeof *manners);
    enum manner first = p == &l->set->text_proposals ? LITERALS : EXACT;
    if (!manners) return false;
    if (!k->shapes) learn_needs(l, k, p);
    for (size_t i = 0; i < p->count; i++) {
        p->rules[i]->proposal = i < 64 ? UINT64_C(1) << i : 0;
        manners[i] = i < 64 ? find_manner(k, p->rules[i], first) : NOT_AT_ALL;
    }
    for (enum manner least = first; least < NOT_AT_ALL && p->count > 0; least++)
        if (determine_all(k, p, manners, least)) return keep(l, k, p);
    p->always = p->count < 64 ? (UINT64_C(1) << p->count) - 1 : UINT64_MAX;
    return true;
}

/* Which automaton a rule belongs to; NULL: none. Identifiers bound to labels are apart from markers, for their
 * expressions take nearly anything, and would make the automaton of both too large. */
static struct proposals *home_of(struct rules_set *s, const struct rule *rule)
{
    if (rule->is_marker && rule->labels.count > 0) return &s->marker_proposals;
    if (rule->is_marker) return rule->pattern.code ? &s->text_proposals : NULL;
    if (!rule->pattern.code) return NULL;
    return rule->identifier.own_syntax ? &s->anywhere_proposals : &s->bound_proposals;
}

static bool list_home(struct loader *l, struct proposals *p)
{
    const struct list *rules = &l->set->rules;
    p->rules = loader_alloc(l, rules->count + 1, sizeof *p->rules);
    if (!p->rules) return false;
    for (size_t r = 0; r < rules->count; r++)
        if (home_of(l->set, LIST_AT(rules, struct rule, r)) == p) p->rules[p->count++] = LIST_AT(rules, struct rule, r);
    return true;
}

static void mark_labels(struct labels *labels)
{
    for (size_t s = 0; s < labels->sets.count; s++) {
        struct label_rules *set = LIST_AT(&labels->sets, struct label_rules, s);
        for (size_t i = 0; i < set->markers.count; i++)
            set->marker_bits |= (*LIST_AT(&set->markers, const struct rule *, i))->proposal;
        for (size_t i = 0; i < set->identifiers.count; i++) {
            const struct rule *rule = *LIST_AT(&set->identifiers, const struct rule *, i);
            if (!rule->identifier.own_syntax) set->identifier_bits |= rule->proposal;
        }
    }
}

bool proposals_build(struct loader *l)
{
    struct proposals *all[] = {
        &l->set->anywhere_proposals, &l->set->bound_proposals, &l->set->marker_proposals, &l->set->text_proposals};
    MEM_AUTO struct dfa *k = mem_alloc(sizeof *k);
    if (!k) l->no_memory = true;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (l->no_memory || !list_home(l, all[i]) || !build(l, k, all[i])) return false;
    l->set->shape_proposals.rules = l->set->anywhere_proposals.rules;
    l->set->shape_proposals.count = l->set->anywhere_proposals.count;
    k->shapes = true;
    if (!build(l, k, &l->set->shape_proposals)) return false;
    mark_labels(&l->set->labels);
    return true;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* Stops early once one of `wanted` is found. */
static uint64_t run(const struct proposals *p, uint32_t state, span text, uint64_t wanted)
{
    const uint32_t *next = p->next, loud = p->loud;
    uint64_t found = p->always;
    for (const uint8_t *c = text.ptr, *end = c + text.len; c < end; c++) {
        state = next[state + p->class_of[*c]];
        if (LIKELY(state < loud)) continue;
        found |= p->mask[next[state + p->classes]];
        if (found & wanted) return found;
    }
    return found | p->mask[next[state + p->classes + 1]];
}

uint64_t proposals_run(const struct proposals *p, span text)
{
    return p->states ? run(p, 0, text, 0) : p->always;
}

uint64_t rules_propose_shape(const struct rules_set *s, span shape)
{
    const struct proposals *p = &s->shape_proposals;
    uint64_t found = 0;
    if (p->count > 64) return UINT64_MAX;
    for (uint64_t bits = proposals_run(p, shape); bits; bits &= bits - 1)
        if (p->rules[__builtin_ctzll(bits)]->pattern.shortest <= shape.len) found |= bits & -bits;
    return found;
}

/* No farther than to the next place, so that a text of many matches is not read anew for each of them. */
bool proposals_more(const struct proposals *p, uint64_t rule, span text, size_t from)
{
    ASSERT(from > 0 && from <= text.len);
    if (!p->states || !rule || p->always & rule) return true;
    return run(p, p->fresh[text.ptr[from - 1]], span_from(text, from), rule) & rule;
}
