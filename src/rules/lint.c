/* Self-tests of a pack, and advice: what loads, but is hardly what its author meant. */
#include "rules/set.h"

/* ---- self-tests ------------------------------------------------------------------------------------------------- */

static void each_sample(const struct rule *r, bool match, rules_test_fn *each, void *ctx)
{
    const char *name = match ? "match" : "ignore";
    const json_t *samples = json_object_get(json_object_get(r->json, "tests"), name);
    struct place tests = place_member(&r->at, "tests"), list = place_member(&tests, name);
    for (size_t i = 0; i < json_array_size(samples); i++) {
        struct rules_test t = {
            .rule = r->name, .expect_match = match, .sample = json_array_get(samples, i), .at = place_item(&list, i)};
        each(ctx, &t);
    }
}

void rules_each_test(const struct rules_set *s, rules_test_fn *each, void *ctx)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->rules.count; i++) {
        each_sample(LIST_AT(&s->rules, struct rule, i), true, each, ctx);
        each_sample(LIST_AT(&s->rules, struct rule, i), false, each, ctx);
    }
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void lint_pattern(const struct rule *r)
{
    struct place at = place_member(&r->at, "pattern");
    if (r->pattern.code && r->pattern.lookbehind > LOOKBEHIND_MAX)
        place_warning(&at,
            "looks %u characters behind; keep it to %d, or name what stands before the value in the pattern itself",
            r->pattern.lookbehind, LOOKBEHIND_MAX);
}

static void lint_identifier(const struct rule *r, const struct rules_set *s)
{
    struct place at = place_member(&r->at, "id");
    if (r->is_marker || r->labels.count || !identifier_has_bare(r->identifier.kind)) return;
    for (size_t i = 0; i < s->rules.count; i++) {
        const struct rule *other = LIST_AT(&s->rules, struct rule, i);
        if (!other->is_marker && other->identifier.kind == r->identifier.kind && other->labels.count) return;
    }
    place_warning(&at,
        "no rule for %s has labels, so that a bare number of that kind is never looked up; add \"labels\" and \"bare\"",
        registry_kind_name(r->identifier.kind));
}

/* A bare number under a label of two kinds is looked up as both: rarely meant, as one of the two is wrong. */
static bool share_label(const struct rule *a, const struct rule *b, const struct word **which)
{
    for (size_t i = 0; i < a->labels.count; i++)
        for (size_t j = 0; j < b->labels.count; j++) {
            const struct word *x = LIST_AT(&a->labels, struct word, i), *y = LIST_AT(&b->labels, struct word, j);
            *which = x;
            if (x->prefix == y->prefix && span_equal(x->text, y->text)) return true;
        }
    return false;
}

static void lint_kinds(const struct rules_set *s, size_t i)
{
    const struct rule *r = LIST_AT(&s->rules, struct rule, i);
    struct place at = place_member(&r->at, "labels");
    const struct word *label;
    for (size_t j = 0; j < i; j++) {
        const struct rule *other = LIST_AT(&s->rules, struct rule, j);
        if (r->is_marker || other->is_marker || r->identifier.kind == other->identifier.kind) continue;
        if (share_label(r, other, &label))
            place_warning(&at, "\"%.*s%s\" also labels %s in rule \"%s\"; keep it where it belongs",
                SPAN_FMT(label->text), label->prefix ? "*" : "", registry_kind_name(other->identifier.kind),
                other->name);
    }
}

static void lint_labels(const struct rule *r)
{
    struct place at = place_member(&r->at, "labels");
    for (size_t i = 0; i < r->labels.count; i++) {
        const struct word *w = LIST_AT(&r->labels, struct word, i);
        struct place item = place_item(&at, i);
        if (w->prefix && w->text.len < 4)
            place_warning(&item, "\"%.*s*\" begins many names; spell out four letters or more", SPAN_FMT(w->text));
    }
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

static bool has_count(const struct rules_document *d)
{
    for (size_t s = 1; s < d->automaton.states; s++)
        if (d->automaton.info[s].roles & PATH_COUNT) return true;
    return false;
}

static void lint_document(const struct rules_document *d)
{
    if (d->view.units == 0)
        place_warning(&d->at, "declares no \"units\", so that a finding withholds the whole document, which may be "
                              "noticed; declare what a record is");
    if (d->view.root_is_unit && !d->view.miss.given)
        place_warning(
            &d->at, "can be withheld whole and has no \"miss\"; set it to what this origin answers for nobody");
    if (d->view.complete && !has_count(d))
        place_warning(&d->at, "says \"complete\" and declares no \"counts\"; declare them or leave it out");
}

static void lint_order(const struct rules_profile *p)
{
    for (size_t j = 0; j < p->documents.count; j++) {
        const struct rules_document *later = *LIST_AT(&p->documents, struct rules_document *, j);
        struct place at = place_member(&later->at, "path");
        for (size_t i = 0; i < j; i++) {
            const struct rules_document *earlier = *LIST_AT(&p->documents, struct rules_document *, i);
            if (!template_covers(&earlier->template, &later->template)) continue;
            place_warning(&at,
                "is never reached: \"%s\" stands before it and takes every path of it; move this one up or remove it",
                earlier->view.path_template);
            break;
        }
    }
}

void rules_lint(const struct rules_set *s, struct problems *problems)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->rules.count; i++) {
        const struct rule *r = LIST_AT(&s->rules, struct rule, i);
        lint_pattern(r);
        lint_identifier(r, s);
        lint_labels(r);
        lint_kinds(s, i);
    }
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        for (size_t d = 0; d < p->documents.count; d++)
            lint_document(*LIST_AT(&p->documents, struct rules_document *, d));
        lint_order(p);
    }
    if (s->rules.count == 0 && s->profiles.count == 0)
        problems_add(
            problems, "rules", "the set is empty: nothing would ever be found; add the shipped pack section-1367.json");
}
