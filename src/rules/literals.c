/* One automaton over all literals of free-text markers, run over raw blocks. It only says where to look: the expression
 * of the rule decides on the value. */
#include "rules/set.h"

struct literal_table {
    const char **texts;
    unsigned *flags, *ids;
    size_t *lengths;
    unsigned count;
};

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
    hs_error_t code = hs_compile_lit_multi(
        t->texts, t->flags, t->ids, t->lengths, t->count, HS_MODE_BLOCK, NULL, &l->set->literals.database, &problem);
    if (code != HS_SUCCESS)
        problems_add(l->problems, "rules", "the automaton over the literals cannot be built: %s",
            problem ? problem->message : "Vectorscan gives no reason");
    hs_free_compile_error(problem);
    return code == HS_SUCCESS;
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
        .flags = loader_alloc(l, n, sizeof *t.flags),
        .ids = loader_alloc(l, n, sizeof *t.ids),
        .lengths = loader_alloc(l, n, sizeof *t.lengths)};
    if (l->no_memory || !table_fill(l, &t)) return false;
    return table_compile(l, &t);
}

void literals_free(struct literals *t)
{
    hs_free_database(t->database);
    list_free(&t->owners);
    *t = (struct literals){0};
}

struct literal_relay {
    rules_literal_fn *each;
    void *ctx;
};

static int relay_literal(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
    const struct literal_relay *r = context;
    (void)id, (void)from, (void)flags;
    r->each(r->ctx, to);
    return 0;
}

void rules_scan_literals(
    const struct rules_set *s, struct rules_scratch *x, span raw, rules_literal_fn *each, void *ctx)
{
    struct literal_relay relay = {each, ctx};
    ASSERT(x->set == s && raw.len <= UINT32_MAX);
    if (!s->literals.database || raw.len == 0) return;
    hs_error_t code =
        hs_scan(s->literals.database, (const char *)raw.ptr, (unsigned)raw.len, 0, x->literals, relay_literal, &relay);
    ASSERT(code == HS_SUCCESS); /* block mode fails only on misuse */
}

size_t rules_literal_overlap(const struct rules_set *s)
{
    return s->literals.overlap;
}
