/* Plans: of values of a shape that came often at a place it is known what is asked about them, and how their messages to the
 * registry are taken from the text. Such a value costs one comparison and a shuffle for each message. */
#include "match/own.h"

static bool is_plan(const struct match *m, const struct plan *p, size_t len, bool number)
{
    return p->len == len && p->number == number && p->labels == m->spot.labels && p->key == m->spot.key;
}

/* Four places for each: which labels share one is chance, and values that come in each record would drive each other out. */
#define PLACES 4
static struct plan *plan_of(struct match *m, size_t len, bool number)
{
    uint64_t h = (uint64_t)m->spot.labels << 8 ^ (uintptr_t)m->spot.key ^ (uint64_t)len << 32 ^ (uint64_t)number << 40;
    struct plan *p = &m->plans[h * 0x9E3779B97F4A7C15ULL >> 58 & (PLANS - PLACES)], *last = p + PLACES - 1;
    while (p < last && p->len > 0 && !is_plan(m, p, len, number))
        p++;
    return p;
}
_Static_assert(PLANS == 64, "six bits");

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* Apart from what each value costs: it needs room of its own. */
static __attribute__((noinline)) void read_again(struct match *m, const struct plan *p, span text)
{
    const struct look l = {.digits = p->digits, .letters = p->letters};
    syntax_scan(m, text, &l, false);
}

static __attribute__((noinline)) void look_at_tokens(struct match *m, const struct plan *p, span text)
{
    bool alone = !m->any_syntax && view_stands_alone(m);
    for (size_t i = 0; i < p->tokens; i++) {
        span token = {text.ptr + p->token[i].from, p->token[i].len};
        if (p->token[i].hex)
            view_unhex(m, token, 0);
        else if (!alone || !m->noise(token, match_is_roomy(m, token)))
            view_decode(m, token, 0);
    }
}

/* One by one, as they were found. False: it is to be looked at as if there were no plan. */
static __attribute__((noinline)) bool ask_anew(struct match *m, const struct plan *p, span text)
{
    propose_refused(m, p->ways);
    for (size_t i = 0; i < p->count && !p->number; i++) {
        const struct ask *a = &p->asks[i];
        propose(m, a->rule, (enum registry_kind)a->kind, span_sub(text, a->from, a->len));
    }
    return !p->number;
}

static inline __attribute__((always_inline)) bool follow_plan(struct match *m, struct plan *p, span text)
{
    size_t ways = p->ways;
    unsigned refused = m->take(text.ptr, &p->shape, p->way, ways, propose_room(m, ways));
    if (UNLIKELY(refused == TAKE_OTHER)) return false;
    p->calls = 0;
    if (LIKELY(!refused && !p->anew))
        propose_taken(m, p->rules, ways);
    else if (!ask_anew(m, p, text))
        return false;
    if (p->reads) read_again(m, p, text);
    if (p->tokens) look_at_tokens(m, p, text);
    return true;
}

bool plan_again(struct match *m, span text, bool number)
{
    struct plan *p = plan_of(m, text.len, number);
    return is_plan(m, p, text.len, number) && follow_plan(m, p, text);
}

bool plan_again_at(struct match *m, uint8_t *at, span text, bool number)
{
    struct plan *p = &m->plans[*at];
    if (UNLIKELY(!is_plan(m, p, text.len, number))) {
        p = plan_of(m, text.len, number);
        if (!is_plan(m, p, text.len, number)) return false;
        *at = (uint8_t)(p - m->plans);
    }
    return follow_plan(m, p, text);
}

/* ---- plans ------------------------------------------------------------------------------------------------------ */

static bool is_same_way(const struct registry_way *a, const struct registry_way *b)
{
    bool bytes = memcmp(a->from, b->from, sizeof a->from) == 0 && memcmp(a->keep, b->keep, sizeof a->keep) == 0 &&
                 memcmp(a->put, b->put, sizeof a->put) == 0 && memcmp(a->none, b->none, sizeof a->none) == 0;
    return bytes && a->at == b->at && a->leading == b->leading;
}

/* What an ask's message is taken like. False: each time it is spelled anew. One that is always the same as an earlier one of
 * its kind is taken once; whether another one is may depend on the value. */
static bool add_way(struct match *m, struct plan *p, const struct ask *a, span text)
{
    struct registry_way *w = &p->way[p->ways];
    enum registry_kind kind = (enum registry_kind)a->kind;
    if (!registry_way_of(m->heads[kind], kind, text, a->from, a->len, LOOK_READ, w)) return false;
    for (size_t i = 0; i < p->ways; i++) {
        if (is_same_way(&p->way[i], w)) return true;
        if (p->way[i].put[0] == w->put[0]) return false;
    }
    p->rules[p->ways++] = a->rule;
    return true;
}

static void add_ways(struct match *m, struct plan *p, span text)
{
    for (size_t i = 0; i < p->count && !p->anew; i++)
        p->anew = !add_way(m, p, &p->asks[i], text);
    if (p->anew) p->ways = 0;
}

/* A place for the plan of values of this length at the spot; NULL: there were too few of them yet. */
static struct plan *claim_plan(struct match *m, size_t len, bool number)
{
    struct plan *p = plan_of(m, len, number);
    if (len > LOOK_READ) return NULL;
    if (!p->used) m->plans_used[m->plan_count++] = (uint8_t)(p - m->plans);
    p->used = true;
    if (++p->calls < PLAN_CALLS) return NULL;
    p->calls = 0;
    return p;
}

static void make_plan(struct match *m, struct plan *p, const struct known *k, span text, const struct look *l)
{
    *p = (struct plan){.used = true, .key = k->key, .labels = k->labels, .reads = k->reads, .count = k->count};
    if (l->run && !view_find_tokens(text, l, p->token, &p->tokens)) return;
    look_likeness(span_of(k->text, k->len), &p->shape);
    memcpy(p->asks, k->asks, sizeof p->asks);
    p->digits = (uint32_t)l->digits;
    p->letters = (uint32_t)l->letters;
    add_ways(m, p, text);
    p->len = k->len;
}

void plan_keep(struct match *m, span text, const struct look *l)
{
    struct plan *p = claim_plan(m, text.len, false);
    const struct known *k = p ? shape_known_here(m, text, l) : NULL;
    if (k && !k->varies) make_plan(m, p, k, text, l);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static bool add_number(struct plan *p, rule_id rule, enum registry_kind kind, span digits)
{
    if (p->count == ASKS) return false;
    p->asks[p->count++] = (struct ask){.rule = rule, .kind = (uint8_t)kind, .len = (uint8_t)digits.len};
    return true;
}

/* Zeros that are put back must come to the same. */
static bool is_padded_alike(enum registry_kind kind, span digits)
{
    uint8_t padded[9], one[REGISTRY_CANONICAL_MAX], other[REGISTRY_CANONICAL_MAX];
    size_t n = registry_canonical(kind, digits, one);
    return span_equal(span_of(one, n), span_of(other, registry_canonical(kind, value_pad(kind, digits, padded), other)));
}

/* What value_number() proposes; false: that follows from more than how many digits there are. */
static bool find_numbers(const struct match *m, struct plan *p, span digits)
{
    const struct label *label = m->spot.label;
    bool phone = !label->claims && (digits.len == 10 || digits.len == 11) && m->syntax[SYNTAX_PHONE][REGISTRY_PHONE];
    bool known = !label->patterns && !label->markers && !phone;
    if (m->spot.key) {
        enum registry_kind kind = (enum registry_kind)m->spot.key->kind;
        known &= add_number(p, m->kind_rule[kind], kind, digits);
    }
    for (size_t i = 0; i < label->count && known; i++) {
        const struct rules_identifier *rule = label->rules[i];
        if (value_is_bare(rule, digits)) known = add_number(p, rule->id, rule->kind, digits) && is_padded_alike(rule->kind, digits);
    }
    if (!label->claims && digits.len == 9 && m->nine_digits)
        known &= add_number(p, m->nine_digits->id, REGISTRY_ALIEN_NUMBER, digits);
    return known;
}

void plan_keep_number(struct match *m, span digits)
{
    struct plan *p = claim_plan(m, digits.len, true);
    struct plan made = {.number = true, .used = true, .key = m->spot.key, .labels = m->spot.labels};
    if (!p || !find_numbers(m, &made, digits)) return;
    add_ways(m, &made, digits);
    if (made.anew) return;
    look_likeness(digits, &made.shape);
    made.len = (uint8_t)digits.len;
    *p = made;
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void plans_forget(struct match *m)
{
    for (uint32_t i = 0; i < m->plan_count; i++)
        mem_wipe(&m->plans[m->plans_used[i]], sizeof m->plans[0]);
    m->plan_count = 0;
}
