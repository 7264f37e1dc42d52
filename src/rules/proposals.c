/* Which of many expressions may match in a text, told by one deterministic automaton in one pass. It only says where to
 * look; PCRE2 decides. Made of what is regular in them (regular.h), which finds at least what they match. */
#include "rules/set.h"

#include "rules/regular.h"

#define WORDS (REGULAR_NODES / 64)
#define USED (WORDS / 64)
#define STATES_ALONE 600 /* of one rule; with more it is widened, and then left out */
#define STATES_ALL 12000
#define SLOTS 32768
#define LINE 16 /* cells in a cache line */
_Static_assert(SLOTS > 2 * STATES_ALL, "slots");

/* A state is a set of nodes that wait for a byte, and the rules that were found on the way there. It has few of many nodes:
 * `used` has a bit for each word that is not 0, and the others are neither written nor read. */
struct subset {
    uint64_t used[USED], found, nodes[WORDS];
};
_Static_assert(USED * 64 == WORDS, "a bit for each word");

struct maker {
    struct regular regular;
    struct subset subsets[STATES_ALL];
    uint16_t slots[SLOTS]; /* state + 1 */
    uint16_t next[STATES_ALL * 256];
    uint64_t at_end[STATES_ALL];
    uint8_t class_of[256], sample[256];
    uint16_t fresh[256]; /* by class of the byte before: where a search begins inside a text */
    struct subset takes[256];  /* by class: the nodes that take its bytes */
    struct subset passes[257]; /* by class, and EDGE_CLASS: those that look at the byte ahead and find it right */
    struct subset visited;
    unsigned classes, shift, count, limit;
    bool shapes; /* texts hold '0' for any digit, and letters in upper case */
    uint16_t stack[2 * REGULAR_NODES];
    uint16_t group[STATES_ALL], regrouped[STATES_ALL], first[STATES_ALL]; /* first: a group's first state */
};

#define EDGE -1
#define ANY -2
#define EDGE_CLASS 256

/* ---- sets of nodes ---------------------------------------------------------------------------------------------- */

#define EACH_BIT(i, bits)                                                                                              \
    for (uint64_t left_##i = (bits), i = 0; left_##i && (i = (uint64_t)__builtin_ctzll(left_##i), true); left_##i &= left_##i - 1)

/* Each word that is used in both. */
#define EACH_WORD(w, a, b)                                                                                             \
    for (size_t part_##w = 0; part_##w < USED; part_##w++)                                                             \
        for (uint64_t of_##w = (a)->used[part_##w] & (b)->used[part_##w], w = 0;                                       \
             of_##w && (w = 64 * part_##w + (uint64_t)__builtin_ctzll(of_##w), true); of_##w &= of_##w - 1)

static uint64_t word_of(const struct subset *s, size_t w)
{
    return s->used[w / 64] >> (w % 64) & 1 ? s->nodes[w] : 0;
}

/* False where it is in there already. */
static bool put(struct subset *s, size_t i)
{
    uint64_t before = word_of(s, i / 64), bit = UINT64_C(1) << (i % 64);
    s->used[i / 4096] |= UINT64_C(1) << (i / 64 % 64);
    s->nodes[i / 64] = before | bit;
    return !(before & bit);
}

static void copy_subset(struct subset *to, const struct subset *from)
{
    memcpy(to->used, from->used, sizeof to->used);
    to->found = from->found;
    EACH_WORD(w, from, from) to->nodes[w] = from->nodes[w];
}

static bool are_same(const struct subset *a, const struct subset *b)
{
    if (memcmp(a->used, b->used, sizeof a->used) != 0 || a->found != b->found) return false;
    EACH_WORD(w, a, a) if (a->nodes[w] != b->nodes[w]) return false;
    return true;
}

static uint64_t subset_hash(const struct subset *s)
{
    uint64_t h = s->found;
    EACH_WORD(w, s, s) h = (h ^ s->nodes[w] ^ w) * 0x9E3779B97F4A7C15ULL, h ^= h >> 29;
    return h;
}

static void make_empty(struct subset *s)
{
    memset(s->used, 0, sizeof s->used);
    s->found = 0;
}

static bool holds(const struct maker *k, uint16_t set, int byte)
{
    const struct byte_set *s = &k->regular.set[set];
    return byte == ANY || (byte == EDGE ? s->edge : set_holds(s, (uint8_t)byte));
}

/* Adds what can be reached from a node without a byte; `before` is the byte that was taken last. */
static void reach(struct maker *k, uint16_t from, int before, struct subset *out)
{
    size_t top = 0;
    k->stack[top++] = from;
    while (top > 0) {
        uint16_t i = k->stack[--top];
        const struct node *n = &k->regular.nodes[i];
        if (!put(&k->visited, i)) continue;
        switch ((enum node_kind)n->kind) {
        case NODE_SPLIT:
            k->stack[top++] = n->other;
            k->stack[top++] = n->out;
            break;
        case NODE_EMPTY: k->stack[top++] = n->out; break;
        case NODE_BEHIND:
            if (holds(k, n->set, before)) k->stack[top++] = n->out;
            break;
        case NODE_BYTE:
        case NODE_AHEAD: (void)put(out, i); break;
        case NODE_FOUND: out->found |= UINT64_C(1) << n->bit; break;
        }
    }
}

static void note_node(struct maker *k, uint16_t i)
{
    const struct node *n = &k->regular.nodes[i];
    if (n->kind != NODE_BYTE && n->kind != NODE_AHEAD) return;
    for (unsigned c = 0; c < k->classes; c++)
        if (holds(k, n->set, k->sample[c])) (void)put(n->kind == NODE_BYTE ? &k->takes[c] : &k->passes[c], i);
    if (n->kind == NODE_AHEAD && holds(k, n->set, EDGE)) (void)put(&k->passes[EDGE_CLASS], i);
}

/* Where an empty node leads that leads nowhere else. */
static uint16_t behind_empty(const struct regular *r, uint16_t i)
{
    for (uint16_t steps = 0; steps < r->count && r->nodes[i].kind == NODE_EMPTY; steps++)
        i = r->nodes[i].out;
    return i;
}

static void skip_empty(struct regular *r)
{
    for (uint16_t i = 0; i < r->count; i++) {
        r->nodes[i].out = behind_empty(r, r->nodes[i].out);
        r->nodes[i].other = behind_empty(r, r->nodes[i].other);
    }
}

static void note_nodes(struct maker *k)
{
    for (unsigned c = 0; c < k->classes; c++) {
        make_empty(&k->takes[c]);
        make_empty(&k->passes[c]);
    }
    make_empty(&k->passes[EDGE_CLASS]);
    for (uint16_t i = 0; i < k->regular.count; i++)
        note_node(k, i);
}

/* Those of both that are not done. */
static uint64_t still_to_do(struct subset *done, const struct subset *a, const struct subset *b, size_t w)
{
    uint64_t now = a->nodes[w] & b->nodes[w] & ~word_of(done, w);
    EACH_BIT(i, now) (void)put(done, 64 * w + i);
    return now;
}

/* What waits for the byte ahead goes on where that is the right one. What it reaches may wait in its turn. */
static void look_ahead(struct maker *k, unsigned class, struct subset *s)
{
    const struct subset *passes = &k->passes[class];
    struct subset done;
    make_empty(&done);
    make_empty(&k->visited);
    for (bool more = true; more;) {
        more = false;
        EACH_WORD(w, s, passes)
        {
            uint64_t now = still_to_do(&done, s, passes, w);
            more |= now != 0;
            EACH_BIT(i, now) reach(k, k->regular.nodes[64 * w + i].out, ANY, s);
        }
    }
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

/* The state's number; UINT16_MAX when there are too many. */
static uint16_t intern(struct maker *k, const struct subset *s)
{
    size_t slot = subset_hash(s) % SLOTS;
    for (; k->slots[slot]; slot = (slot + 1) % SLOTS)
        if (are_same(&k->subsets[k->slots[slot] - 1], s)) return (uint16_t)(k->slots[slot] - 1);
    if (k->count == k->limit) return UINT16_MAX;
    copy_subset(&k->subsets[k->count], s);
    k->slots[slot] = (uint16_t)(k->count + 1);
    return (uint16_t)k->count++;
}

static bool do_meet(const struct subset *a, const struct subset *b)
{
    EACH_WORD(w, a, b) if (a->nodes[w] & b->nodes[w]) return true;
    return false;
}

/* A search may begin behind every byte, which reaches the same wherever that byte stands; most bytes lead most states there
 * and nowhere else. */
static uint16_t step(struct maker *k, const struct subset *from, unsigned class)
{
    const struct subset *takes = &k->takes[class];
    struct subset now, to;
    if (!do_meet(from, takes) && !do_meet(from, &k->passes[class])) return k->fresh[class];
    copy_subset(&now, from);
    copy_subset(&to, &k->subsets[k->fresh[class]]);
    look_ahead(k, class, &now);
    to.found |= now.found & ~from->found;
    make_empty(&k->visited);
    EACH_WORD(w, &now, takes)
    {
        EACH_BIT(i, now.nodes[w] & takes->nodes[w]) reach(k, k->regular.nodes[64 * w + i].out, k->sample[class], &to);
    }
    return intern(k, &to);
}

/* Digits and what stands between them first: the columns that identifiers walk through then share cache lines. */
static void order_classes(struct maker *k)
{
    static const char often[] = "0123456789- .:/";
    uint16_t place[256];
    unsigned at = 0;
    memset(place, 0xFF, sizeof place);
    for (unsigned i = 0; i < sizeof often - 1 + 256; i++) {
        uint8_t b = i < sizeof often - 1 ? (uint8_t)often[i] : (uint8_t)(i - (sizeof often - 1));
        uint16_t *to = &place[k->class_of[b]];
        if (*to != UINT16_MAX) continue;
        k->sample[at] = b;
        *to = (uint16_t)at++;
    }
    for (unsigned b = 0; b < 256; b++)
        k->class_of[b] = (uint8_t)place[k->class_of[b]];
}

/* Bytes that no set tells apart are one class. */
static void find_classes(struct maker *k)
{
    memset(k->class_of, 0, sizeof k->class_of);
    k->classes = 1;
    for (uint16_t s = 0; s < k->regular.sets; s++)
        regular_split_classes(k->class_of, &k->classes, &k->regular.set[s]);
    order_classes(k);
    for (k->shift = 0; 1u << k->shift < k->classes;)
        k->shift++;
}

static uint16_t begin_behind(struct maker *k, int byte)
{
    struct subset start;
    make_empty(&start);
    make_empty(&k->visited);
    reach(k, 0, byte, &start);
    return intern(k, &start);
}

/* A set that holds one digit holds '0', which stands for it; so with a letter and its upper case. */
static void take_shapes(struct regular *r)
{
    for (uint16_t i = 0; i < r->sets; i++) {
        struct byte_set *s = &r->set[i];
        for (unsigned b = 0; b < 128; b++) {
            if (!set_holds(s, (uint8_t)b) || !is_alnum((uint8_t)b)) continue;
            unsigned stands = is_digit((uint8_t)b) ? '0' : to_upper((uint8_t)b);
            s->bits[stands / 64] |= UINT64_C(1) << (stands % 64);
        }
    }
}

/* False when it takes more states than `limit`. */
static bool determine(struct maker *k, unsigned limit)
{
    k->limit = limit;
    k->count = 0;
    memset(k->slots, 0, sizeof k->slots);
    if (k->shapes) take_shapes(&k->regular);
    find_classes(k);
    skip_empty(&k->regular);
    note_nodes(k);
    (void)begin_behind(k, EDGE);
    for (unsigned c = 0; c < k->classes; c++)
        if ((k->fresh[c] = begin_behind(k, k->sample[c])) == UINT16_MAX) return false;
    for (unsigned s = 0; s < k->count; s++) {
        struct subset end;
        copy_subset(&end, &k->subsets[s]);
        look_ahead(k, EDGE_CLASS, &end);
        k->at_end[s] = end.found;
        for (unsigned c = 0; c < k->classes; c++) {
            uint16_t to = step(k, &k->subsets[s], c);
            if (to == UINT16_MAX) return false;
            k->next[((size_t)s << k->shift) + c] = to;
        }
    }
    return true;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static const char *pattern_text(const struct rule *rule)
{
    return json_string_value(json_object_get(rule->json, "pattern"));
}

static void start_over(struct maker *k)
{
    k->regular.count = k->regular.sets = 0;
    memset(&k->regular.nodes[0], 0, sizeof k->regular.nodes[0]);
}

/* What a rule is told by: its expression, a wider one, or the literals that wake it. */
enum manner { EXACT, WIDE, LITERALS, NOT_AT_ALL };

static bool add_literals(struct maker *k, const struct rule *rule, unsigned bit)
{
    for (size_t i = 0; i < rule->literals.count; i++)
        if (!regular_add_literal(&k->regular, LIST_AT(&rule->literals, struct word, i)->text, bit)) return false;
    return rule->literals.count > 0;
}

static bool add_rule(struct maker *k, const struct rule *rule, enum manner manner, unsigned bit)
{
    const char *pattern = rule->pattern.code ? pattern_text(rule) : NULL;
    if (manner == LITERALS) return add_literals(k, rule, bit);
    if (manner == NOT_AT_ALL) return false;
    if (rule->pattern.code && (!pattern || !regular_add(&k->regular, pattern, manner == WIDE, bit))) return false;
    for (size_t i = 0; i < rule->values.count; i++)
        if (!regular_add_word(&k->regular, LIST_AT(&rule->values, struct word, i)->text, bit)) return false;
    return true;
}

static enum manner find_manner(struct maker *k, const struct rule *rule, enum manner first)
{
    for (enum manner m = first; m < NOT_AT_ALL; m++) {
        start_over(k);
        if (add_rule(k, rule, m, 0) && determine(k, STATES_ALONE)) return m;
    }
    return NOT_AT_ALL;
}

/* Those left out are always proposed. */
static bool determine_all(struct maker *k, struct proposals *p, const enum manner *manners, enum manner least)
{
    size_t most = p->count < 64 ? p->count : 64;
    start_over(k);
    p->always = 0;
    for (unsigned i = 0; i < most; i++)
        if (!add_rule(k, p->rules[i], manners[i] < least ? least : manners[i], i)) p->always |= UINT64_C(1) << i;
    return determine(k, STATES_ALL);
}

/* ---- making it small -------------------------------------------------------------------------------------------- */

static bool are_alike(const struct maker *k, unsigned a, unsigned b, bool first)
{
    if (first) return k->subsets[a].found == k->subsets[b].found && k->at_end[a] == k->at_end[b];
    if (k->group[a] != k->group[b]) return false;
    const uint16_t *x = k->next + ((size_t)a << k->shift), *y = k->next + ((size_t)b << k->shift);
    for (unsigned c = 0; c < k->classes; c++)
        if (k->group[x[c]] != k->group[y[c]]) return false;
    return true;
}

static size_t likeness(const struct maker *k, unsigned s, bool first)
{
    const uint16_t *next = k->next + ((size_t)s << k->shift);
    uint64_t h = first ? k->subsets[s].found ^ k->at_end[s] << 1 : k->group[s];
    for (unsigned c = 0; !first && c < k->classes; c++)
        h = (h ^ k->group[next[c]]) * 0x9E3779B97F4A7C15ULL, h ^= h >> 29;
    return (h * 0x9E3779B97F4A7C15ULL >> 32) % SLOTS;
}

/* Puts states that are alike as far as is known into one group; the number of groups. */
static unsigned regroup(struct maker *k, bool first)
{
    unsigned groups = 0;
    memset(k->slots, 0, sizeof k->slots);
    for (unsigned s = 0; s < k->count; s++) {
        size_t slot = likeness(k, s, first);
        while (k->slots[slot] && !are_alike(k, k->first[k->slots[slot] - 1], s, first))
            slot = (slot + 1) % SLOTS;
        if (!k->slots[slot]) {
            k->first[groups] = (uint16_t)s;
            k->slots[slot] = (uint16_t)++groups;
        }
        k->regrouped[s] = (uint16_t)(k->slots[slot] - 1);
    }
    memcpy(k->group, k->regrouped, k->count * sizeof *k->group);
    return groups;
}

/* States that nothing tells apart are one: the automaton is read in the order of the data, and has to stay in the
 * cache. State 0 stays in group 0. */
static unsigned group_states(struct maker *k)
{
    unsigned groups = regroup(k, true), before;
    do {
        before = groups;
        groups = regroup(k, false);
    } while (groups > before);
    return groups;
}

/* States in which nothing is found come first, so that one comparison tells; k->regrouped says where each group goes.
 * The number of those. */
static unsigned order_groups(struct maker *k, unsigned states)
{
    unsigned quiet = 0, at = 0;
    for (int loud = 0; loud < 2; loud++) {
        for (unsigned g = 0; g < states; g++)
            if ((k->subsets[k->first[g]].found != 0) == (bool)loud) k->regrouped[g] = (uint16_t)at++;
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

static bool keep(struct loader *l, struct maker *k, struct proposals *out)
{
    unsigned states = group_states(k), quiet = order_groups(k, states);
    unsigned stride = (k->classes + PROPOSALS_EXTRA + LINE - 1) / LINE * LINE;
    uint32_t *next = loader_alloc(l, (size_t)states * stride + LINE, sizeof *next), masks = 0;
    uint64_t *mask = loader_alloc(l, 2 * (size_t)states, sizeof *mask);
    if (l->no_memory) return false;
    next += (0 - (uintptr_t)next / sizeof *next) % LINE; /* rows begin where cache lines do */
    for (unsigned g = 0; g < states; g++) {
        unsigned s = k->first[g];
        uint32_t *row = next + (size_t)k->regrouped[g] * stride;
        for (unsigned c = 0; c < k->classes; c++)
            row[c] = k->regrouped[k->group[k->next[((size_t)s << k->shift) + c]]] * stride;
        row[k->classes] = note_mask(mask, &masks, k->subsets[s].found);
        row[k->classes + 1] = note_mask(mask, &masks, k->at_end[s]);
    }
    for (unsigned b = 0; b < 256; b++)
        out->fresh[b] = k->regrouped[k->group[k->fresh[k->class_of[b]]]] * stride;
    memcpy(out->class_of, k->class_of, sizeof out->class_of);
    out->states = states;
    out->classes = k->classes;
    out->loud = quiet * stride;
    out->next = next;
    out->mask = mask;
    return true;
}

/* Of the expression alone, whatever values stand beside it. */
static void learn_blindness(struct maker *k, struct rule *rule)
{
    const char *pattern = rule->pattern.code ? pattern_text(rule) : NULL;
    start_over(k);
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
static void learn_needs(struct loader *l, struct maker *k, struct proposals *p)
{
    for (size_t i = 0; i < p->count; i++) {
        enum manner m = EXACT;
        for (; m < NOT_AT_ALL; m++) {
            start_over(k);
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
static bool build(struct loader *l, struct maker *k, struct proposals *p)
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
    MEM_AUTO struct maker *k = mem_alloc(sizeof *k);
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
