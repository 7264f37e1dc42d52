/* One automaton over all identifier patterns that are tried under any name, run over many values at once: which rule
 * may match where. It only says where to look; PCRE2 decides on the value. Vectorscan's prefilter mode promises a
 * superset of what the expression matches. */
#include "rules/set.h"

/* Whether a match in a value is also one where other lines stand around it: anchors see the difference. */
static bool is_unanchored(const char *pattern)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '$') return false;
        if (*p == '^' && (p == pattern || p[-1] != '[')) return false;
        if (*p == '(' && p[1] == '*') return false; /* verbs change what other constructs mean */
        if (*p != '\\') continue;
        p++;
        if (!*p || strchr("AZzGK", *p)) return false;
    }
    return true;
}

static const char *pattern_text(const struct rule *rule)
{
    return json_string_value(json_object_get(rule->json, "pattern"));
}

static bool compile(struct proposals *out, const char *const *texts, const unsigned *flags, const unsigned *ids, unsigned count)
{
    hs_compile_error_t *problem = NULL;
    hs_error_t code = hs_compile_multi(texts, flags, ids, count, HS_MODE_BLOCK, NULL, &out->database, &problem);
    hs_free_compile_error(problem);
    if (code != HS_SUCCESS) out->database = NULL;
    return code == HS_SUCCESS;
}

/* Without the automaton every pattern is tried on every value: slower, and right. */
bool proposals_build(struct loader *l)
{
    unsigned n = (unsigned)l->set->anywhere.count;
    const char **texts = loader_alloc(l, n + 1, sizeof *texts);
    unsigned *flags = loader_alloc(l, n + 1, sizeof *flags), *ids = loader_alloc(l, n + 1, sizeof *ids);
    if (l->no_memory) return false;
    for (unsigned i = 0; i < n; i++) {
        const struct rule *rule = *LIST_AT(&l->set->anywhere, const struct rule *, i);
        texts[i] = pattern_text(rule);
        flags[i] = HS_FLAG_PREFILTER;
        ids[i] = rule->identifier.id;
        if (!texts[i] || !is_unanchored(texts[i])) return true;
    }
    if (n > 0) (void)compile(&l->set->proposals, texts, flags, ids, n);
    return true;
}

void proposals_free(struct proposals *p)
{
    hs_free_database(p->database);
    p->database = NULL;
}

struct proposal_relay {
    rules_proposal_fn *each;
    void *ctx;
};

static int relay_proposal(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
    const struct proposal_relay *r = context;
    (void)from, (void)flags;
    r->each(r->ctx, (rule_id)id, to);
    return 0;
}

bool rules_scan_proposals(
    const struct rules_set *s, struct rules_scratch *x, span lines, rules_proposal_fn *each, void *ctx)
{
    struct proposal_relay relay = {each, ctx};
    ASSERT(x->set == s && lines.len <= UINT32_MAX);
    if (!s->proposals.database || !x->prefilter) return false;
    if (lines.len == 0) return true;
    hs_error_t code =
        hs_scan(s->proposals.database, (const char *)lines.ptr, (unsigned)lines.len, 0, x->literals, relay_proposal, &relay);
    ASSERT(code == HS_SUCCESS); /* block mode fails only on misuse */
    return true;
}
