/* All literals of free-text markers: looked for in raw blocks, which only says where to look, and as an automaton that says
 * whose they are. The expression of the rule decides on the value. */
#include "rules/set.h"

#include <stdio.h>
#include <stdlib.h>

struct literal_table {
    const char **texts, **expressions;
    unsigned *flags, *ids;
    size_t *lengths;
    unsigned count;
};

/* A text that is wrapped has the end of a line where another has a space. Raw blocks have neither: there it is escaped, and
 * what has escapes is read anew. */
//= 10-domain 2.7 white space collapsed
#define WHITE "[\\x09-\\x0d\\x20]"

static const char *expression_of(struct loader *l, span text)
{
    size_t size = text.len * (sizeof WHITE - 1) + 1, n = 0;
    char *out = loader_alloc(l, size, 1);
    for (size_t i = 0; out && i < text.len; i++) {
        uint8_t c = text.ptr[i];
        n += (size_t)(c == ' ' ? snprintf(out + n, size - n, "%s", WHITE) : snprintf(out + n, size - n, "\\x%02x", c));
    }
    return out;
}

static bool table_fill(struct loader *l, struct literal_table *t)
{
    struct literals *out = &l->set->literals;
    for (size_t r = 0; r < l->set->free_text.count; r++) {
        const struct rule *rule = *LIST_AT(&l->set->free_text, const struct rule *, r);
        for (size_t i = 0; i < rule->literals.count; i++) {
            span text = LIST_AT(&rule->literals, struct word, i)->text;
            rule_id *owner = loader_add(l, &out->owners, sizeof *owner);
            if (!owner) return false;
            *owner = rule->marker.id;
            t->texts[t->count] = (const char *)text.ptr;
            t->lengths[t->count] = text.len;
            t->expressions[t->count] = expression_of(l, text);
            t->flags[t->count] = HS_FLAG_CASELESS;
            t->ids[t->count] = t->count;
            t->count++;
            if (text.len - 1 > out->overlap) out->overlap = text.len - 1;
        }
    }
    return true;
}

static bool table_compile(struct loader *l, const struct literal_table *t)
{
    hs_compile_error_t *problem = NULL;
    hs_error_t code = hs_compile_multi(
        t->expressions, t->flags, t->ids, t->count, HS_MODE_BLOCK, NULL, &l->set->literals.database, &problem);
    if (code != HS_SUCCESS)
        problems_add(l->problems, "rules", "the automaton over the literals cannot be built: %s",
            problem ? problem->message : "Vectorscan gives no reason");
    hs_free_compile_error(problem);
    return code == HS_SUCCESS;
}

static int compare_needles(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* In a raw block a quotation mark is never part of a text: there it is escaped, and what has escapes is read anew. */
static bool stands_raw(const struct literal_table *t, size_t i)
{
    return !memchr(t->texts[i], '"', t->lengths[i]);
}

/* Several rules may have the same one. */
static bool needles_fill(struct loader *l, const struct literal_table *t)
{
    struct needles *n = &l->set->literals.needles;
    size_t kept = 0, raw = 0;
    n->items = loader_alloc(l, t->count, sizeof *n->items);
    for (size_t i = 0; n->items && i < t->count; i++) {
        if (!stands_raw(t, i)) continue;
        uint8_t *text = loader_alloc(l, t->lengths[i], 1);
        for (size_t k = 0; text && k < t->lengths[i]; k++)
            text[k] = to_lower((uint8_t)t->texts[i][k]);
        n->items[raw++] = (struct needle){.text = text, .len = (uint32_t)t->lengths[i]};
    }
    if (!n->items || l->no_memory) return false;
    if (raw == 0) return true;
    qsort(n->items, raw, sizeof *n->items, compare_needles);
    for (size_t i = 0; i < raw; i++)
        if (kept == 0 || compare_needles(&n->items[kept - 1], &n->items[i]) != 0) n->items[kept++] = n->items[i];
    n->count = kept;
    needles_prepare(n);
    l->set->literals.find = needles_pick(cpu_level());
    return true;
}

static size_t count_literals(const struct rules_set *s)
{
    size_t n = 0;
    for (size_t r = 0; r < s->free_text.count; r++)
        n += (*LIST_AT(&s->free_text, const struct rule *, r))->literals.count;
    return n;
}

bool literals_build(struct loader *l)
{
    size_t n = count_literals(l->set);
    if (n == 0) return true;
    struct literal_table t = {.texts = loader_alloc(l, n, sizeof *t.texts),
        .expressions = loader_alloc(l, n, sizeof *t.expressions),
        .flags = loader_alloc(l, n, sizeof *t.flags),
        .ids = loader_alloc(l, n, sizeof *t.ids),
        .lengths = loader_alloc(l, n, sizeof *t.lengths)};
    if (l->no_memory || !table_fill(l, &t) || l->no_memory) return false;
    return needles_fill(l, &t) && table_compile(l, &t);
}

void literals_free(struct literals *t)
{
    hs_free_database(t->database);
    list_free(&t->owners);
    *t = (struct literals){0};
}

void rules_scan_literals(
    const struct rules_set *s, struct rules_scratch *x, span raw, rules_literal_fn *each, void *ctx)
{
    ASSERT(x->set == s);
    if (s->literals.find) s->literals.find(&s->literals.needles, raw, each, ctx);
}

size_t rules_literal_overlap(const struct rules_set *s)
{
    return s->literals.overlap;
}
