/* See dfa.h. */
#include "rules/dfa.h"

#define EDGE -1
#define ANY -2

/* ---- sets of nodes ---------------------------------------------------------------------------------------------- */

#define EACH_BIT(i, bits)                                                                                              \
    for (uint64_t left_##i = (bits), i = 0; left_##i && (i = (uint64_t)__builtin_ctzll(left_##i), true);               \
         left_##i &= left_##i - 1)

/* Each word that is used in both. */
#define EACH_WORD(w, a, b)                                                                                             \
    for (size_t part_##w = 0; part_##w < DFA_USED; part_##w++)                                                         \
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

static void put_word(struct subset *s, size_t w, uint64_t nodes)
{
    if (!nodes) return;
    s->nodes[w] = word_of(s, w) | nodes;
    s->used[w / 64] |= UINT64_C(1) << (w % 64);
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

static bool holds(const struct dfa *k, uint16_t set, int byte)
{
    const struct byte_set *s = &k->regular.set[set];
    return byte == ANY || (byte == EDGE ? s->edge : set_holds(s, (uint8_t)byte));
}

/* ---- what is reached without a byte ----------------------------------------------------------------------------- */

/* Goes on from a node through those that only lead on, to the others. */
static void close_node(struct dfa *k, uint16_t from, struct subset *to)
{
    size_t top = 0;
    make_empty(&k->visited);
    make_empty(to);
    k->stack[top++] = from;
    while (top > 0) {
        uint16_t i = k->stack[--top];
        const struct node *n = &k->regular.nodes[i];
        if (!put(&k->visited, i)) continue;
        if (n->kind == NODE_FOUND) to->found |= UINT64_C(1) << n->bit;
        if (n->kind == NODE_SPLIT) k->stack[top++] = n->other;
        if (n->kind == NODE_SPLIT || n->kind == NODE_EMPTY)
            k->stack[top++] = n->out;
        else if (n->kind != NODE_FOUND)
            (void)put(to, i);
    }
}

static void forget_closures(struct dfa *k)
{
    memset(k->closures, 0, k->regular.count * sizeof *k->closures);
    k->words_used = 0;
}

/* Worked out once for each node; good until the next call. */
static const struct dfa_closure *closure_of(struct dfa *k, uint16_t from)
{
    struct subset to;
    if (k->closures[from].known) return &k->closures[from];
    if (k->words_used + DFA_WORDS > DFA_CLOSURE_WORDS) forget_closures(k);
    close_node(k, from, &to);
    struct dfa_closure *c = &k->closures[from];
    *c = (struct dfa_closure){.known = true, .words = k->words_used, .found = to.found};
    EACH_WORD(w, &to, &to)
    {
        uint64_t behind = to.nodes[w] & k->behind[w];
        k->words[k->words_used++] = (struct dfa_word){to.nodes[w], behind, (uint16_t)w};
    }
    c->count = (uint16_t)(k->words_used - c->words);
    return c;
}

/* Adds what can be reached from a node without a byte; `before` is the byte that was taken last. `passed` holds the
 * nodes that looked at it already. */
static void reach(struct dfa *k, uint16_t from, int before, struct subset *passed, struct subset *out)
{
    uint16_t next[REGULAR_NODES];
    size_t top = 0;
    next[top++] = from;
    while (top > 0) {
        const struct dfa_closure *c = closure_of(k, next[--top]);
        out->found |= c->found;
        for (const struct dfa_word *w = k->words + c->words, *end = w + c->count; w < end; w++) {
            put_word(out, w->word, w->nodes & ~w->behind);
            EACH_BIT(i, w->behind)
            {
                const struct node *n = &k->regular.nodes[64 * w->word + i];
                if (holds(k, n->set, before) && put(passed, 64 * w->word + i)) next[top++] = n->out;
            }
        }
    }
}

/* ---- sets of nodes by class ------------------------------------------------------------------------------------- */

static void note_node(struct dfa *k, uint16_t i)
{
    const struct node *n = &k->regular.nodes[i];
    if (n->kind == NODE_BEHIND) k->behind[i / 64] |= UINT64_C(1) << (i % 64);
    if (n->kind != NODE_BYTE && n->kind != NODE_AHEAD) return;
    for (unsigned c = 0; c < k->classes; c++)
        if (holds(k, n->set, k->sample[c])) (void)put(n->kind == NODE_BYTE ? &k->takes[c] : &k->passes[c], i);
    if (n->kind != NODE_AHEAD) return;
    if (holds(k, n->set, EDGE)) (void)put(&k->passes[DFA_EDGE_CLASS], i);
    (void)put(&k->passes[DFA_ANY_CLASS], i);
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

static void note_nodes(struct dfa *k)
{
    for (unsigned c = 0; c < k->classes; c++) {
        make_empty(&k->takes[c]);
        make_empty(&k->passes[c]);
    }
    make_empty(&k->passes[DFA_EDGE_CLASS]);
    make_empty(&k->passes[DFA_ANY_CLASS]);
    memset(k->behind, 0, sizeof k->behind);
    for (uint16_t i = 0; i < k->regular.count; i++)
        note_node(k, i);
}

/* Those of both that are not done. */
static uint64_t still_to_do(struct subset *done, const struct subset *a, const struct subset *b, size_t w)
{
    uint64_t now = a->nodes[w] & b->nodes[w] & ~word_of(done, w);
    EACH_BIT(i, now) {
        (void)put(done, 64 * w + i);
    }
    return now;
}

/* What waits for the byte ahead goes on where that is the right one. What it reaches may wait in its turn. */
static void look_ahead(struct dfa *k, unsigned class, struct subset *s)
{
    const struct subset *passes = &k->passes[class];
    struct subset done, passed;
    make_empty(&done);
    make_empty(&passed);
    for (bool more = true; more;) {
        more = false;
        EACH_WORD(w, s, passes)
        {
            uint64_t now = still_to_do(&done, s, passes, w);
            more |= now != 0;
            EACH_BIT(i, now) reach(k, k->regular.nodes[64 * w + i].out, ANY, &passed, s);
        }
    }
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

/* The state's number; UINT16_MAX when there are too many. */
static uint16_t intern(struct dfa *k, const struct subset *s)
{
    uint64_t h = subset_hash(s);
    uint16_t tag = (uint16_t)(h >> 48);
    size_t slot = h % DFA_SLOTS;
    for (; k->slots[slot]; slot = (slot + 1) % DFA_SLOTS)
        if (k->tags[slot] == tag && are_same(&k->subsets[k->slots[slot] - 1], s)) return (uint16_t)(k->slots[slot] - 1);
    if (k->count == k->limit) return UINT16_MAX;
    copy_subset(&k->subsets[k->count], s);
    k->slots[slot] = (uint16_t)(k->count + 1);
    k->tags[slot] = tag;
    return (uint16_t)k->count++;
}

static bool do_meet(const struct subset *a, const struct subset *b)
{
    EACH_WORD(w, a, b) if (a->nodes[w] & b->nodes[w]) return true;
    return false;
}

/* The state after the bytes of a class are seen ahead: itself, where none of its nodes looks at them, else `now`. */
static const struct subset *ahead(struct dfa *k, unsigned class, const struct subset *s, struct subset *now)
{
    if (!do_meet(s, &k->passes[class])) return s;
    copy_subset(now, s);
    look_ahead(k, class, now);
    return now;
}

static uint16_t step(struct dfa *k, const struct subset *from, unsigned class)
{
    const struct subset *takes = &k->takes[class];
    struct subset after, to, passed;
    const struct subset *now = ahead(k, class, from, &after);
    copy_subset(&to, &k->subsets[k->fresh[class]]);
    to.found |= now->found & ~from->found;
    make_empty(&passed);
    EACH_WORD(w, now, takes)
    {
        EACH_BIT(i, now->nodes[w] & takes->nodes[w])
        reach(k, k->regular.nodes[64 * w + i].out, k->sample[class], &passed, &to);
    }
    return intern(k, &to);
}

static void sets_add(struct dfa_sets *s, uint16_t set)
{
    s->bits[set / 64] |= UINT64_C(1) << (set % 64);
}

/* The sets of bytes that some node of the state looks for, or one behind which a byte ahead may lead. */
static struct dfa_sets sets_of(struct dfa *k, const struct subset *s)
{
    struct dfa_sets out = {0};
    struct subset after;
    const struct subset *now = ahead(k, DFA_ANY_CLASS, s, &after);
    EACH_WORD(w, now, now)
    {
        EACH_BIT(i, now->nodes[w]) sets_add(&out, k->regular.nodes[64 * w + i].set);
    }
    return out;
}

static struct dfa_sets sets_both(const struct dfa_sets *a, const struct dfa_sets *b)
{
    struct dfa_sets out;
    for (unsigned i = 0; i < DFA_SETS; i++)
        out.bits[i] = a->bits[i] & b->bits[i];
    return out;
}

static bool sets_same(const struct dfa_sets *a, const struct dfa_sets *b)
{
    uint64_t other = 0;
    for (unsigned i = 0; i < DFA_SETS; i++)
        other |= a->bits[i] ^ b->bits[i];
    return other == 0;
}

/* Classes by which a state goes to the same one: their bytes are in the same of the sets that it looks for, and of
 * those that are looked for in the byte before. */
struct alike {
    struct dfa_sets sets;
    unsigned class;
};

/* The first one like this class, which may be itself. */
static unsigned find_like(
    const struct dfa *k, struct alike *known, unsigned *count, const struct dfa_sets *sets, unsigned class)
{
    for (unsigned i = 0; i < *count; i++)
        if (sets_same(&known[i].sets, sets) && k->behind_of[known[i].class] == k->behind_of[class])
            return known[i].class;
    known[(*count)++] = (struct alike){*sets, class};
    return class;
}

/* A search may begin behind every byte, which reaches the same wherever that byte stands; most bytes lead most states
 * there and nowhere else. */
static bool step_all(struct dfa *k, unsigned from)
{
    static const struct dfa_sets none;
    struct dfa_sets all = sets_of(k, &k->subsets[from]);
    struct alike known[256];
    uint16_t *next = k->next + ((size_t)from << k->shift);
    for (unsigned c = 0, count = 0; c < k->classes; c++) {
        struct dfa_sets sets = sets_both(&all, &k->sets_with[c]);
        next[c] = k->fresh[c];
        if (sets_same(&sets, &none)) continue;
        unsigned like = find_like(k, known, &count, &sets, c);
        next[c] = like < c ? next[like] : step(k, &k->subsets[from], c);
        if (next[c] == UINT16_MAX) return false;
    }
    return true;
}

/* Digits and what stands between them first: the columns that identifiers walk through then share cache lines. */
static void order_classes(struct dfa *k)
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
static void find_classes(struct dfa *k)
{
    memset(k->class_of, 0, sizeof k->class_of);
    k->classes = 1;
    for (uint16_t s = 0; s < k->regular.sets; s++)
        regular_split_classes(k->class_of, &k->classes, &k->regular.set[s]);
    order_classes(k);
    for (k->shift = 0; 1u << k->shift < k->classes;)
        k->shift++;
}

/* What tells the classes apart. */
static void compare_classes(struct dfa *k)
{
    struct dfa_sets behind = {0}, of[256];
    for (uint16_t i = 0; i < k->regular.count; i++)
        if (k->regular.nodes[i].kind == NODE_BEHIND) sets_add(&behind, k->regular.nodes[i].set);
    for (unsigned c = 0; c < k->classes; c++) {
        memset(&k->sets_with[c], 0, sizeof k->sets_with[c]);
        for (uint16_t s = 0; s < k->regular.sets; s++)
            if (holds(k, s, k->sample[c])) sets_add(&k->sets_with[c], s);
        of[c] = sets_both(&k->sets_with[c], &behind);
        k->behind_of[c] = 0;
        while (!sets_same(&of[k->behind_of[c]], &of[c]))
            k->behind_of[c]++;
    }
}

static uint16_t begin_behind(struct dfa *k, int byte)
{
    struct subset start, passed;
    make_empty(&start);
    make_empty(&passed);
    reach(k, 0, byte, &passed, &start);
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

void dfa_start_over(struct dfa *k)
{
    k->regular.count = k->regular.sets = 0;
    memset(&k->regular.nodes[0], 0, sizeof k->regular.nodes[0]);
}

bool dfa_determine(struct dfa *k, unsigned limit)
{
    k->limit = limit;
    k->count = 0;
    memset(k->slots, 0, sizeof k->slots);
    if (k->shapes) take_shapes(&k->regular);
    find_classes(k);
    compare_classes(k);
    skip_empty(&k->regular);
    forget_closures(k);
    note_nodes(k);
    (void)begin_behind(k, EDGE);
    for (unsigned c = 0; c < k->classes; c++)
        if ((k->fresh[c] = begin_behind(k, k->sample[c])) == UINT16_MAX) return false;
    for (unsigned s = 0; s < k->count; s++) {
        struct subset after;
        k->at_end[s] = ahead(k, DFA_EDGE_CLASS, &k->subsets[s], &after)->found;
        if (!step_all(k, s)) return false;
    }
    return true;
}
