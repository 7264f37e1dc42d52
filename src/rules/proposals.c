/* Which of many expressions may match in a text, told by one deterministic automaton in one pass. It only says where to
 * look; PCRE2 decides. Made of what is regular in them (regular.h), which finds at least what they match. */
#include "rules/set.h"

#include "rules/regular.h"

#define WORDS (REGULAR_NODES / 64)
#define STATES_ALONE 600 /* of one rule; with more it is widened, and then left out */
#define STATES_ALL 6000
#define SLOTS 16384
_Static_assert(SLOTS > 2 * STATES_ALL, "slots");

/* A state is a set of nodes that wait for a byte, and the rules that were found on the way there. */
struct subset {
    uint64_t nodes[WORDS], found;
};

struct maker {
    struct regular regular;
    struct subset subsets[STATES_ALL];
    uint16_t slots[SLOTS]; /* state + 1 */
    uint16_t next[STATES_ALL * 256];
    uint64_t at_end[STATES_ALL];
    uint8_t class_of[256], sample[256];
    unsigned classes, shift, count, limit;
    uint16_t stack[2 * REGULAR_NODES];
    uint64_t visited[WORDS];
};

#define EDGE -1
#define ANY -2

/* ---- sets of nodes ---------------------------------------------------------------------------------------------- */

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
        if (bit_get(k->visited, i)) continue;
        bit_set(k->visited, i);
        switch ((enum node_kind)n->kind) {
        case NODE_SPLIT: k->stack[top++] = n->other; k->stack[top++] = n->out; break;
        case NODE_EMPTY: k->stack[top++] = n->out; break;
        case NODE_BEHIND:
            if (holds(k, n->set, before)) k->stack[top++] = n->out;
            break;
        case NODE_BYTE:
        case NODE_AHEAD: bit_set(out->nodes, i); break;
        case NODE_FOUND: out->found |= UINT64_C(1) << n->bit; break;
        }
    }
}

static void forget_visits(struct maker *k)
{
    memset(k->visited, 0, sizeof k->visited);
}

#define EACH_NODE(i, set)                                                                                              \
    for (size_t w_ = 0; w_ < WORDS; w_++)                                                                              \
        for (uint64_t b_ = (set)->nodes[w_], i = 0; b_ && (i = 64 * w_ + (size_t)__builtin_ctzll(b_), true); b_ &= b_ - 1)

/* What waits for the byte ahead goes on where that is the right one. What it reaches may wait in its turn. */
static void look_ahead(struct maker *k, int byte, struct subset *s)
{
    struct subset done = {0};
    forget_visits(k);
    for (bool more = true; more;) {
        struct subset now = *s;
        more = false;
        EACH_NODE(i, &now)
        {
            const struct node *n = &k->regular.nodes[i];
            if (n->kind != NODE_AHEAD || bit_get(done.nodes, i) || !holds(k, n->set, byte)) continue;
            bit_set(done.nodes, i);
            reach(k, n->out, ANY, s);
            more = true;
        }
    }
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

static uint64_t subset_hash(const struct subset *s)
{
    uint64_t h = s->found;
    for (size_t w = 0; w < WORDS; w++)
        h = (h ^ s->nodes[w]) * 0x9E3779B97F4A7C15ULL, h ^= h >> 29;
    return h;
}

/* The state's number; UINT16_MAX when there are too many. */
static uint16_t intern(struct maker *k, const struct subset *s)
{
    size_t slot = subset_hash(s) % SLOTS;
    for (; k->slots[slot]; slot = (slot + 1) % SLOTS)
        if (!memcmp(&k->subsets[k->slots[slot] - 1], s, sizeof *s)) return (uint16_t)(k->slots[slot] - 1);
    if (k->count == k->limit) return UINT16_MAX;
    k->subsets[k->count] = *s;
    k->slots[slot] = (uint16_t)(k->count + 1);
    return (uint16_t)k->count++;
}

static uint16_t step(struct maker *k, const struct subset *from, int byte)
{
    struct subset now = *from, to = {0};
    look_ahead(k, byte, &now);
    to.found = now.found & ~from->found;
    forget_visits(k);
    EACH_NODE(i, &now)
    {
        const struct node *n = &k->regular.nodes[i];
        if (n->kind == NODE_BYTE && holds(k, n->set, byte)) reach(k, n->out, byte, &to);
    }
    reach(k, 0, byte, &to);
    return intern(k, &to);
}

/* Bytes that no set tells apart are one class. */
static void find_classes(struct maker *k)
{
    memset(k->class_of, 0, sizeof k->class_of);
    k->classes = 1;
    for (uint16_t s = 0; s < k->regular.sets; s++) {
        int split[256];
        for (unsigned c = 0; c < k->classes; c++)
            split[c] = -1;
        unsigned before = k->classes;
        bool out[256] = {false};
        for (unsigned b = 0; b < 256; b++)
            if (!set_holds(&k->regular.set[s], (uint8_t)b)) out[k->class_of[b]] = true;
        for (unsigned b = 0; b < 256; b++) {
            uint8_t c = k->class_of[b];
            if (!set_holds(&k->regular.set[s], (uint8_t)b) || c >= before || !out[c]) continue;
            if (split[c] < 0) split[c] = (int)k->classes++;
            k->class_of[b] = (uint8_t)split[c];
        }
    }
    for (unsigned b = 0; b < 256; b++)
        k->sample[k->class_of[b]] = (uint8_t)b;
    for (k->shift = 0; 1u << k->shift < k->classes;)
        k->shift++;
}

/* False when it takes more states than `limit`. */
static bool determine(struct maker *k, unsigned limit)
{
    struct subset start = {0};
    k->limit = limit;
    k->count = 0;
    memset(k->slots, 0, sizeof k->slots);
    find_classes(k);
    forget_visits(k);
    reach(k, 0, EDGE, &start);
    (void)intern(k, &start);
    for (unsigned s = 0; s < k->count; s++) {
        struct subset end = k->subsets[s];
        look_ahead(k, EDGE, &end);
        k->at_end[s] = end.found;
        for (unsigned c = 0; c < k->classes; c++) {
            uint16_t to = step(k, &k->subsets[s], k->sample[c]);
            if (to == UINT16_MAX) return false;
            k->next[((size_t)s << k->shift) + c] = to;
        }
    }
    return true;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static const char *pattern_text(const struct rule *rule)
{
    return json_string_value(json_object_get(rule->json, "pattern"));
}

static bool add_rule(struct maker *k, const struct rule *rule, bool wide, unsigned bit)
{
    const char *pattern = rule->pattern.code ? pattern_text(rule) : NULL;
    if (rule->pattern.code && (!pattern || !regular_add(&k->regular, pattern, wide, bit))) return false;
    for (size_t i = 0; i < rule->values.count; i++)
        if (!regular_add_word(&k->regular, LIST_AT(&rule->values, struct word, i)->text, bit)) return false;
    return true;
}

static void start_over(struct maker *k)
{
    k->regular.count = k->regular.sets = 0;
    memset(&k->regular.nodes[0], 0, sizeof k->regular.nodes[0]);
}

/* What a rule can be told by. */
enum manner { EXACT, WIDE, NOT_AT_ALL };

static enum manner find_manner(struct maker *k, const struct rule *rule)
{
    for (enum manner m = EXACT; m < NOT_AT_ALL; m++) {
        start_over(k);
        if (add_rule(k, rule, m == WIDE, 0) && determine(k, STATES_ALONE)) return m;
    }
    return NOT_AT_ALL;
}

/* The rules' bits in order of `rules`; those left out get none. */
static bool determine_all(struct maker *k, struct rule *const *rules, const enum manner *manners, size_t count, bool wide)
{
    unsigned bit = 0;
    start_over(k);
    for (size_t i = 0; i < count; i++) {
        rules[i]->proposal = 0;
        if (manners[i] == NOT_AT_ALL || bit == 64 || !add_rule(k, rules[i], wide || manners[i] == WIDE, bit)) continue;
        rules[i]->proposal = UINT64_C(1) << bit++;
    }
    return bit > 0 && determine(k, STATES_ALL);
}

static bool keep(struct loader *l, const struct maker *k, struct proposals *out)
{
    size_t cells = (size_t)k->count << k->shift;
    uint16_t *next = loader_alloc(l, cells, sizeof *next);
    uint64_t *found = loader_alloc(l, k->count, sizeof *found), *at_end = loader_alloc(l, k->count, sizeof *at_end);
    if (l->no_memory) return false;
    memcpy(next, k->next, cells * sizeof *next);
    memcpy(at_end, k->at_end, k->count * sizeof *at_end);
    for (unsigned s = 0; s < k->count; s++)
        found[s] = k->subsets[s].found;
    memcpy(out->class_of, k->class_of, sizeof out->class_of);
    out->shift = k->shift;
    out->states = k->count;
    out->found = found;
    out->at_end = at_end;
    out->next = next;
    return true;
}

/* A part that could not be added leaves others of its rule behind: they do no harm, for only the bits count. */
static bool build(struct loader *l, struct maker *k, struct rule *const *rules, size_t count, struct proposals *out)
{
    enum manner *manners = loader_alloc(l, count + 1, sizeof *manners);
    if (!manners) return false;
    for (size_t i = 0; i < count; i++)
        manners[i] = find_manner(k, rules[i]);
    for (int wide = 0; wide < 2; wide++)
        if (determine_all(k, rules, manners, count, wide)) return keep(l, k, out);
    for (size_t i = 0; i < count; i++)
        rules[i]->proposal = 0;
    return true;
}

/* Which automaton a rule belongs to; NULL: none. Identifiers bound to labels are apart from markers, for their
 * expressions take nearly anything, and would make the automaton of both too large. */
static struct proposals *home_of(struct rules_set *s, const struct rule *rule)
{
    if (rule->is_marker) return rule->labels.count > 0 ? &s->marker_proposals : NULL;
    if (!rule->pattern.code) return NULL;
    return rule->identifier.own_syntax ? &s->anywhere_proposals : &s->bound_proposals;
}

/* Rules without a bit are tried on every value: slower, and right. */
bool proposals_build(struct loader *l)
{
    struct proposals *all[] = {&l->set->anywhere_proposals, &l->set->bound_proposals, &l->set->marker_proposals};
    const struct list *rules = &l->set->rules;
    struct rule **mine = loader_alloc(l, rules->count + 1, sizeof *mine);
    MEM_AUTO struct maker *k = mem_alloc(sizeof *k);
    if (!k) l->no_memory = true;
    for (size_t i = 0; i < ARRAY_LEN(all) && !l->no_memory; i++) {
        size_t n = 0;
        for (size_t r = 0; r < rules->count; r++)
            if (home_of(l->set, LIST_AT(rules, struct rule, r)) == all[i]) mine[n++] = LIST_AT(rules, struct rule, r);
        if (!build(l, k, mine, n, all[i])) return false;
    }
    return !l->no_memory;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

uint64_t proposals_run(const struct proposals *p, span text)
{
    uint64_t found = 0;
    size_t state = 0;
    if (!p->states) return 0;
    for (const uint8_t *c = text.ptr, *end = c + text.len; c < end; c++) {
        state = p->next[(state << p->shift) + p->class_of[*c]];
        found |= p->found[state];
    }
    return found | p->at_end[state];
}
