/* Random documents in several worlds. Those without the withheld are made by leaving them out of the tree, not by
 * editing. */
#ifndef TESTS_EDIT_GENERATE_H
#define TESTS_EDIT_GENERATE_H

#include "base/base.h"

struct random {
    uint64_t state;
};
static inline uint32_t random_below(struct random *r, uint32_t n)
{ /* xorshift64* (Vigna 2016) */
    r->state ^= r->state >> 12, r->state ^= r->state << 25, r->state ^= r->state >> 27;
    return (uint32_t)((r->state * 2685821657736338717u) >> 33) % n;
}
static inline bool random_chance(struct random *r, uint32_t percent)
{
    return random_below(r, 100) < percent;
}

/* How this origin writes: uniform throughout one document. */
struct manner {
    char open[16], comma[16], close[16]; /* white space, `comma` with its comma */
    int indent;                          /* characters a level; -1: no line breaks */
    char indent_with;
    const char *colon, *eol, *empty_list, *empty_object;
    bool last_eol;
};

enum node_kind { NODE_LIST, NODE_OBJECT, NODE_SCALAR, NODE_COUNT };
struct node {
    enum node_kind kind;
    char mark;        /* of marked.h, 0: none */
    int unit;         /* its declaration */
    const char *name; /* as a member */
    unsigned value;
    struct node *first, *next;
};

enum generated_world {
    WORLD_MARKED,  /* with everybody in it, marked for marked.h */
    WORLD_PLANTED, /* with everybody in it, and a protected value in each of the withheld */
    WORLD_ABSENT,  /* as the same origin writes it where the withheld do not exist */
    WORLD_WANTED,  /* what a restricted recipient must get in any of them */
};

struct generator {
    struct random random;
    struct manner manner;
    struct arena *arena;
    struct buf *out;
    enum generated_world world;
    const char *plant; /* a protected value */
    int budget;
};

/* ---- trees ---------------------------------------------------------------------------------------------------- */

static struct node *node_new(struct generator *g, enum node_kind kind, const char *name)
{
    struct node *n = arena_alloc(g->arena, sizeof *n);
    ASSERT(n);
    n->kind = kind;
    n->name = name;
    n->value = random_below(&g->random, 100000);
    return n;
}

static void node_add(struct node *parent, struct node *child)
{
    struct node **end = &parent->first;
    while (*end)
        end = &(*end)->next;
    *end = child;
}

static char unit_mark(struct generator *g)
{
    return random_chance(&g->random, 40) ? '!' : '<';
}

/* A record of declaration `level`: fields, a removed text, an object-member unit, a list of records of the next level
 * with its count, a list of plain values. Always under the same names, in an order of its own. */
static struct node *record_new(struct generator *g, const char *name, int level);

static struct node *list_new(struct generator *g, const char *name, int level)
{
    struct node *list = node_new(g, NODE_LIST, name);
    uint32_t n = random_below(&g->random, 5);
    for (uint32_t i = 0; i < n && g->budget > 0; i++) {
        struct node *item = record_new(g, NULL, level);
        item->mark = unit_mark(g);
        item->unit = level;
        node_add(list, item);
    }
    return list;
}

/* Declarations are paths: what lies below a spouse would need declarations of its own, so nothing counted does. */
#define LEVEL_WITHOUT_LISTS 9

static void add_spouse(struct generator *g, struct node *record)
{
    struct node *spouse = record_new(g, "spouse", LEVEL_WITHOUT_LISTS);
    spouse->unit = 8;
    spouse->mark = random_chance(&g->random, 50) ? '?' : ':';
    node_add(record, spouse);
}

static void add_partner(struct generator *g, struct node *record)
{
    struct node *partner = node_new(g, NODE_OBJECT, "partner");
    partner->unit = 9;
    partner->mark = unit_mark(g);
    node_add(
        partner, node_new(g, NODE_SCALAR, "id")); /* never empty: nothing in it can be withheld, so it stays as it is */
    node_add(record, partner);
}

static void add_field(struct generator *g, struct node *record, uint32_t which, int level)
{
    static const char *const counts[] = {"n0", "n1", "n2", "n3", "n4"};
    struct node *field;
    switch (which) {
    case 0: node_add(record, node_new(g, NODE_SCALAR, "id")); break;
    case 1:
        field = node_new(g, random_chance(&g->random, 50) ? NODE_SCALAR : NODE_OBJECT, "text");
        field->mark = '~';
        node_add(record, field);
        break;
    case 2:
        if (level < 4) node_add(record, list_new(g, "list", level + 1));
        break;
    case 3:
        field = node_new(g, NODE_COUNT, counts[level < 4 ? level : 4]);
        field->unit = level + 1;
        field->mark = '#';
        if (level < 4) node_add(record, field);
        break;
    case 4: add_partner(g, record); break;
    case 5:
        if (level < 3 && g->budget > 0) add_spouse(g, record);
        break;
    default: node_add(record, node_new(g, NODE_SCALAR, "name")); break;
    }
}

static struct node *record_new(struct generator *g, const char *name, int level)
{
    struct node *record = node_new(g, NODE_OBJECT, name);
    uint32_t first = random_below(&g->random, 7);
    g->budget--;
    for (uint32_t i = 0; i < 7; i++)
        if (random_chance(&g->random, 55)) add_field(g, record, (first + i) % 7, level);
    return record;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void put(struct generator *g, const char *s)
{
    result r = buf_append(g->out, span_str(s));
    ASSERT(is_ok(r));
}

static void put_break(struct generator *g, const char *before, int depth)
{
    put(g, before);
    if (g->manner.indent < 0) return;
    put(g, g->manner.eol);
    for (int i = 0; i < depth * g->manner.indent; i++) {
        char c[2] = {g->manner.indent_with, 0};
        put(g, c);
    }
}

static bool world_full(const struct generator *g)
{
    return g->world == WORLD_MARKED || g->world == WORLD_PLANTED;
}
static bool node_shown(const struct generator *g, const struct node *n)
{
    if (n->mark == '!') return world_full(g);
    return n->mark != '~' || g->world != WORLD_WANTED;
}
static bool node_planted(const struct generator *g, const struct node *n)
{
    return g->world == WORLD_PLANTED && (n->mark == '!' || n->mark == '?');
}

/* Units of the declaration below, as this world has them. */
static unsigned count_units(const struct generator *g, const struct node *n, int unit)
{
    unsigned count = 0;
    if (!world_full(g) && n->mark == '?') return 0;
    for (const struct node *c = n->first; c; c = c->next) {
        if (!node_shown(g, c)) continue;
        count += (c->mark == '<' || c->mark == '!') && c->unit == unit;
        count += count_units(g, c, unit);
    }
    return count;
}

static void put_mark(struct generator *g, const struct node *n)
{
    if (g->world != WORLD_MARKED || !n->mark) return;
    char mark[3] = {n->mark, n->mark == '~' ? '\0' : (char)('0' + n->unit), 0};
    put(g, mark);
}

static void put_node(struct generator *g, const struct node *n, const struct node *parent, int depth);

static void put_children(struct generator *g, const struct node *n, int depth)
{
    bool first = true, object = n->kind == NODE_OBJECT;
    put(g, object ? "{" : "[");
    if (node_planted(g, n)) {
        put_break(g, g->manner.open, depth + 1);
        put(g, "\"arn\"");
        put(g, g->manner.colon);
        put(g, g->plant);
        first = false;
    }
    for (const struct node *c = n->first; c; c = c->next) {
        if (!node_shown(g, c)) continue;
        put_break(g, first ? g->manner.open : g->manner.comma, depth + 1);
        put_mark(g, c);
        put_node(g, c, n, depth + 1);
        first = false;
    }
    put_break(g, g->manner.close, depth);
    put(g, object ? "}" : "]");
}

static void put_value(struct generator *g, const struct node *n, const struct node *parent, int depth)
{
    char text[128];
    bool any = node_planted(g, n);
    for (const struct node *c = n->first; c; c = c->next)
        any |= node_shown(g, c);
    switch (n->kind) {
    case NODE_LIST:
    case NODE_OBJECT:
        if (any)
            put_children(g, n, depth);
        else if (g->world != WORLD_WANTED)
            put(g, n->kind == NODE_LIST ? g->manner.empty_list : g->manner.empty_object);
        else
            put(g, n->kind == NODE_LIST ? "[]" : "{}");
        return;
    case NODE_SCALAR:
        if (g->world == WORLD_PLANTED && n->mark == '~')
            snprintf(text, sizeof text, "%s", g->plant); /* about somebody else */
        else
            snprintf(text, sizeof text, n->value % 2 ? "\"v%u\"" : "%u", n->value);
        break;
    case NODE_COUNT:
        snprintf(text, sizeof text, n->name[1] == '2' ? "\"%u\"" : "%u", count_units(g, parent, n->unit));
        break;
    }
    put(g, text);
}

static void put_node(struct generator *g, const struct node *n, const struct node *parent, int depth)
{
    if (n->name) {
        put(g, "\"");
        put(g, n->name);
        put(g, "\"");
        put(g, g->manner.colon);
    }
    if (!world_full(g) && n->mark == '?')
        put(g, "null");
    else
        put_value(g, n, parent, depth);
}

/* ---- documents ------------------------------------------------------------------------------------------------ */

static void choose_manner(struct generator *g, bool lines)
{
    static const char *const gaps[] = {"", "", " ", "  ", "\t"};
    struct manner *m = &g->manner;
    *m = (struct manner){.indent = -1, .eol = random_chance(&g->random, 30) ? "\r\n" : "\n"};
    m->colon = random_chance(&g->random, 50) ? ":" : random_chance(&g->random, 50) ? ": " : " : ";
    if (!lines && random_chance(&g->random, 60)) {
        static const int indents[] = {0, 1, 2, 4};
        m->indent = indents[random_below(&g->random, 4)];
        m->indent_with = random_chance(&g->random, 30) ? '\t' : ' ';
    }
    snprintf(m->open, sizeof m->open, "%s", gaps[random_below(&g->random, 5)]);
    const char *before = gaps[random_below(&g->random, 4)]; /* in an order that no compiler chooses */
    snprintf(m->comma, sizeof m->comma, "%s,%s", before, gaps[random_below(&g->random, 5)]);
    snprintf(m->close, sizeof m->close, "%s", gaps[random_below(&g->random, 5)]);
    m->empty_list = random_chance(&g->random, 50) ? "[]" : "[ \t]";
    m->empty_object = random_chance(&g->random, 50) ? "{}" : "{ }";
    m->last_eol = random_chance(&g->random, 70);
}

static void put_json(struct generator *g, const struct node *root)
{
    put(g, g->manner.open);
    put_node(g, root, NULL, 0);
    if (g->manner.last_eol) put(g, g->manner.eol);
}

static void put_lines(struct generator *g, const struct node *root)
{
    bool first = true;
    for (const struct node *c = root->first; c; c = c->next) {
        if (!node_shown(g, c)) continue;
        if (!first) put(g, g->manner.eol);
        put_mark(g, c);
        put_node(g, c, root, 0);
        first = false;
    }
    if (!first && g->manner.last_eol) put(g, g->manner.eol);
}

enum generated_shape { SHAPE_LIST, SHAPE_OBJECT, SHAPE_LINES };

/* The same tree in `count` worlds; the texts are NUL-terminated. `plant` is a JSON value, or NULL where none is
 * planted. */
static enum generated_shape generate_worlds(struct arena *arena, uint64_t seed, const char *plant,
    const enum generated_world *worlds, struct buf *texts, size_t count)
{
    struct generator g = {.random = {seed * 0x9E3779B97F4A7C15u + 1}, .arena = arena, .budget = 40, .plant = plant};
    for (int i = 0; i < 4; i++)
        (void)random_below(&g.random, 2);
    bool lines = random_chance(&g.random, 25), list = random_chance(&g.random, 50);
    choose_manner(&g, lines);
    struct node *root = lines || list ? list_new(&g, NULL, 0) : record_new(&g, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        g.world = worlds[i];
        g.out = &texts[i];
        buf_clear(g.out);
        if (lines)
            put_lines(&g, root);
        else
            put_json(&g, root);
        result r = buf_append(g.out, span_of("", 1));
        ASSERT(is_ok(r));
    }
    return lines ? SHAPE_LINES : list ? SHAPE_LIST : SHAPE_OBJECT;
}

#endif
