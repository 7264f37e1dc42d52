#include "rules/needles.h"

#include <math.h>

/* ---- how often bytes are met ------------------------------------------------------------------------------------ */

/* In a thousand, about: letters as in English, in either case; digits as where numbers stand, for they come together. */
static const uint16_t frequent[128] = {
    ['a'] = 82, ['b'] = 15, ['c'] = 28, ['d'] = 43, ['e'] = 127, ['f'] = 22, ['g'] = 20, ['h'] = 61, ['i'] = 70,
    ['j'] = 2, ['k'] = 8, ['l'] = 40, ['m'] = 24, ['n'] = 67, ['o'] = 75, ['p'] = 19, ['q'] = 1, ['r'] = 60,
    ['s'] = 63, ['t'] = 91, ['u'] = 28, ['v'] = 10, ['w'] = 24, ['x'] = 2, ['y'] = 20, ['z'] = 1,
    ['0' ... '9'] = 46, [' '] = 80, ['"'] = 80, [','] = 80, [':'] = 80,
};

static unsigned weight_of(uint8_t c)
{
    return frequent[to_lower(c)] ? frequent[to_lower(c)] : 10;
}

/* ---- grams and groups ------------------------------------------------------------------------------------------- */

#define GROUPS 16
#define CLUSTERS 256 /* groups that are begun with; a text more joins the last one that is like it */

/* What stands at a place of the grams of a group, by nibbles. */
struct cluster {
    uint32_t low[NEEDLE_PLACES], high[NEEDLE_PLACES];
    float chance; /* how often it is met, but for a factor */
    uint16_t partner; /* the other one that it joins with the least loss */
    float loss;
};

struct clusters {
    struct cluster items[CLUSTERS];
    size_t count;
    float weights[8][16]; /* of bytes by nibbles */
};

/* How often one is met of the bytes with these nibbles. A place whose high nibble no kernel asks for has all of them. */
static float chance_at(const struct clusters *c, uint32_t low, uint32_t high, size_t place)
{
    float sum = 0;
    for (unsigned h = 0; h < 8; h++)
        for (uint32_t left = needle_asks_high(place) && !(high >> h & 1) ? 0 : low; left; left &= left - 1)
            sum += c->weights[h][__builtin_ctz(left)];
    return sum < 1 ? sum : 1;
}

static float chance_of(const struct clusters *c, const struct cluster *x)
{
    float chance = 1;
    for (size_t i = 0; i < NEEDLE_PLACES; i++)
        chance *= chance_at(c, x->low[i], x->high[i], i);
    return chance;
}

static struct cluster join(const struct clusters *c, const struct cluster *x, const struct cluster *y)
{
    struct cluster both = {0};
    for (size_t i = 0; i < NEEDLE_PLACES; i++) {
        both.low[i] = x->low[i] | y->low[i];
        both.high[i] = x->high[i] | y->high[i];
    }
    both.chance = chance_of(c, &both);
    return both;
}

static void try_partner(struct clusters *c, size_t at, size_t other)
{
    struct cluster *x = &c->items[at];
    float loss = join(c, x, &c->items[other]).chance - x->chance - c->items[other].chance;
    if (loss < x->loss) x->loss = loss, x->partner = (uint16_t)other;
}

/* Among those before it. */
static void find_partner(struct clusters *c, size_t at)
{
    c->items[at].loss = INFINITY;
    for (size_t i = 0; i < at; i++)
        try_partner(c, at, i);
}

static void choose_gram(struct needle *needle)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i == 0 || i + NEEDLE_PLACES <= needle->len; i++) {
        uint64_t weight = 1;
        for (uint32_t k = i; k < i + NEEDLE_PLACES && k < needle->len; k++)
            weight *= weight_of(needle->text[k]);
        if (weight < least) least = weight, needle->gram = i;
    }
}

/* Every byte, where a text has none at this place. */
static void add_place(struct cluster *x, const struct needle *needle, size_t place)
{
    if (needle->gram + place >= needle->len) {
        x->low[place] = 0xFFFF;
        x->high[place] = 0xFF;
        return;
    }
    uint8_t c = needle->text[needle->gram + place];
    x->low[place] |= 1U << c % 16;
    x->high[place] |= 1U << c / 16 | 1U << to_upper(c) / 16;
}

static void begin_clusters(struct clusters *c, struct needles *n)
{
    for (unsigned i = 0; i < 128; i++)
        c->weights[i / 16][i % 16] = (float)weight_of((uint8_t)i) / (is_alpha((uint8_t)i) ? 2000 : 1000);
    c->count = n->count < CLUSTERS ? n->count : CLUSTERS;
    for (size_t i = 0; i < n->count; i++) {
        struct needle *needle = &n->items[i];
        needle->group = (uint32_t)(i * c->count / n->count);
        for (size_t place = 0; place < NEEDLE_PLACES; place++)
            add_place(&c->items[needle->group], needle, place);
    }
    for (size_t i = 0; i < c->count; i++)
        c->items[i].chance = chance_of(c, &c->items[i]);
    for (size_t i = 0; i < c->count; i++)
        find_partner(c, i);
}

/* `from` becomes `to`, before it; the last one becomes `from`. */
static void move_group(struct needles *n, uint32_t from, uint32_t to, uint32_t last)
{
    for (size_t i = 0; i < n->count; i++) {
        uint32_t *group = &n->items[i].group;
        *group = *group == from ? to : *group == last ? from : *group;
    }
}

static void join_two(struct clusters *c, struct needles *n)
{
    size_t at = 1;
    for (size_t i = 2; i < c->count; i++)
        if (c->items[i].loss < c->items[at].loss) at = i;
    size_t to = c->items[at].partner, last = --c->count;
    struct cluster both = join(c, &c->items[at], &c->items[to]);
    c->items[to] = both;
    c->items[at] = c->items[last];
    move_group(n, (uint32_t)at, (uint32_t)to, (uint32_t)last);
    for (size_t i = 1; i < c->count; i++) {
        size_t partner = c->items[i].partner;
        if (i == to || i == at || partner == to || partner == at || partner >= i) {
            find_partner(c, i);
            continue;
        }
        if (i > to) try_partner(c, i, to);
        if (i > at) try_partner(c, i, at);
    }
}

/* Those that are met about as often together as apart are one group. */
static void choose_groups(struct needles *n)
{
    struct clusters c = {0};
    begin_clusters(&c, n);
    while (c.count > GROUPS)
        join_two(&c, n);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void describe(struct needle *needle)
{
    for (size_t i = 0; i < needle->len && i < 8; i++) {
        needle->head |= (uint64_t)needle->text[i] << 8 * i;
        needle->keep |= UINT64_C(0xFF) << 8 * i;
        needle->fold |= (uint64_t)(is_alpha(needle->text[i]) ? 0x20 : 0) << 8 * i;
    }
    for (size_t i = 0; i < NEEDLE_PLACES && needle->gram + i < needle->len; i++) {
        uint8_t c = needle->text[needle->gram + i];
        needle->start.head |= (uint32_t)c << 8 * i;
        needle->start.keep |= UINT32_C(0xFF) << 8 * i;
        needle->start.fold |= (uint32_t)(is_alpha(c) ? 0x20 : 0) << 8 * i;
    }
}

static void add_byte(struct needles *n, size_t place, unsigned group, uint8_t c)
{
    uint8_t bit = (uint8_t)(1 << group % 8);
    n->low[place][group / 8][c % 16] |= bit;
    if (c < 0x80) n->classes[place][group / 8][c] |= bit;
}

static void add_needle(struct needles *n, size_t i)
{
    struct needle *needle = &n->items[i];
    const uint8_t *gram = needle->text + needle->gram;
    uint32_t hash = needle_hash(needle_gram(gram));
    for (size_t place = 0; place < NEEDLE_PLACES; place++) {
        if (needle->gram + place >= needle->len) {
            for (unsigned c = 0; c < 256; c++)
                add_byte(n, place, needle->group, (uint8_t)c);
            continue;
        }
        add_byte(n, place, needle->group, gram[place]);
        add_byte(n, place, needle->group, to_upper(gram[place]));
    }
    n->kinds[needle->group / 8][needle_kinds(gram[0], gram[1])] |= (uint8_t)(1 << needle->group % 8);
    needle->next = n->grams[hash];
    n->grams[hash] = (uint32_t)i + 1;
}

void needles_prepare(struct needles *n)
{
    for (size_t i = 0; i < n->count; i++) {
        ASSERT(n->items[i].len >= NEEDLE_MIN);
        choose_gram(&n->items[i]);
        describe(&n->items[i]);
    }
    choose_groups(n);
    for (size_t i = 0; i < n->count; i++)
        add_needle(n, i);
}

static bool is_same(const struct needle *needle, const uint8_t *p, size_t from)
{
    for (size_t i = from; i < needle->len; i++)
        if (to_lower(p[i]) != needle->text[i]) return false;
    return true;
}

void needles_compare(const struct needles *n, span text, size_t at, uint32_t first, needle_fn *each, void *ctx)
{
    for (uint32_t i = first; i > 0; i = n->items[i - 1].next) {
        const struct needle *needle = &n->items[i - 1];
        if (at < needle->gram || needle->len > text.len - (at - needle->gram)) continue;
        const uint8_t *p = text.ptr + (at - needle->gram);
        bool wide = text.len - (at - needle->gram) >= 8;
        if (LIKELY(wide) && ((load_le64(p) | needle->fold) & needle->keep) != needle->head) continue;
        if (is_same(needle, p, wide ? 8 : 0)) each(ctx, at - needle->gram + needle->len);
    }
}

void needles_portable(const struct needles *n, span text, needle_fn *each, void *ctx)
{
    needles_try_rest(n, text, 0, each, ctx);
}

needles_function *needles_pick(enum cpu_level level)
{
    switch (level) {
    case CPU_PORTABLE: return needles_portable;
    case CPU_AVX2: return needles_avx2;
    case CPU_AVX512: return needles_avx512;
    }
    return needles_portable;
}
