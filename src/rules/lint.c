/* Advice: what loads, but is hardly what its author meant. */
#include "rules/set.h"

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void lint_pattern(const struct rule *r)
{
    struct place at = place_member(&r->at, "pattern");
    if (r->pattern.code && r->pattern.lookbehind > LOOKBEHIND_MAX)
        place_warning(&at,
            "looks %u characters behind; keep it to %d, or name what stands before the value in the pattern itself",
            r->pattern.lookbehind, LOOKBEHIND_MAX);
}

/* The automaton that proposes where to look cannot be made of it: the expression runs on every text that is long enough,
 * which few values are where it asks for many bytes. */
#define LONG_MATCH 24
static void lint_prefilter(const struct rule *r, const struct rules_set *s)
{
    bool anywhere = !r->is_marker && r->identifier.own_syntax;
    if (!r->pattern.code || !anywhere || r->pattern.shortest >= LONG_MATCH) return;
    struct place at = place_member(&r->at, "pattern");
    if (r->pattern.takes_words)
        place_warning(&at, "may match in an ordinary word, so that every value is read for it; ask for nine digits, or six and a letter, "
                           "or say \"where\": \"labelled\"");
    if (r->proposal && !(s->anywhere_proposals.always & r->proposal)) return;
    place_warning(&at, "holds nothing regular to look for first, so that it is tried on every value; begin it with a literal or a "
                       "class of characters, bounded in number, and without back references");
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
            if (x->prefix == y->prefix && x->suffix == y->suffix && span_equal(x->text, y->text)) return true;
        }
    return false;
}

/* Whose number a taxpayer's is its first digit tells (26 CFR 301.6109-1), and one column holds both. */
static bool tell_themselves(enum registry_kind a, enum registry_kind b)
{
    return (a == REGISTRY_SSN && b == REGISTRY_ITIN) || (a == REGISTRY_ITIN && b == REGISTRY_SSN);
}

static void lint_kinds(const struct rules_set *s, size_t i)
{
    const struct rule *r = LIST_AT(&s->rules, struct rule, i);
    struct place at = place_member(&r->at, "labels");
    const struct word *label;
    for (size_t j = 0; j < i; j++) {
        const struct rule *other = LIST_AT(&s->rules, struct rule, j);
        if (r->is_marker || other->is_marker || r->identifier.kind == other->identifier.kind) continue;
        if (tell_themselves(r->identifier.kind, other->identifier.kind)) continue;
        if (share_label(r, other, &label))
            place_warning(&at, "\"%s%.*s%s\" also labels %s in rule \"%s\"; keep it where it belongs",
                label->suffix ? "*" : "", SPAN_FMT(label->text), label->prefix ? "*" : "", registry_kind_name(other->identifier.kind),
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
        if (w->suffix && w->text.len < 3) place_warning(&item, "\"*%.*s\" ends many names; spell out three letters or more", SPAN_FMT(w->text));
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
    const struct rules_pages *pages = d->view.pages;
    bool told = pages && (pages->total.len > 0 || pages->range.len > 0 || pages->link.len > 0 || pages->cursor_count > 0);
    if (pages && !pages->limit.len)
        place_warning(&d->at, "no \"limit\" among \"pages\": the origin gives as many as it likes, one page a request; name the parameter if "
                              "there is one");
    if (d->view.complete && !has_count(d) && !told)
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

/* ---- profiles --------------------------------------------------------------------------------------------------- */

static void lint_visible(const struct rules_profile *p)
{
    struct place at = place_member(&p->at, "visible_redaction");
    if (json_object_get(p->json, "visible_redaction"))
        place_warning(&at, "what is blacked out tells everybody that somebody is there; withhold wherever a restricted "
                           "recipient can come, and keep this for answers under a grant");
}

/* Which of two profiles describes an answer is decided by a route alone: one of them is easily forgotten. */
static void lint_overlap(const struct rules_profile *a, const struct rules_profile *b)
{
    if (a->shadow != b->shadow) return;
    for (size_t j = 0; j < b->documents.count; j++) {
        const struct rules_document *later = *LIST_AT(&b->documents, struct rules_document *, j);
        struct place at = place_member(&later->at, "path");
        for (size_t i = 0; i < a->documents.count; i++) {
            const struct rules_document *earlier = *LIST_AT(&a->documents, struct rules_document *, i);
            if (!template_overlaps(&earlier->template, &later->template)) continue;
            place_warning(&at, "profile \"%s\" describes such paths too, as \"%s\"; keep one description of an answer, or make "
                               "the paths differ", a->id, earlier->view.path_template);
            break;
        }
    }
}

static void lint_profiles(const struct rules_set *s)
{
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        lint_visible(p);
        for (size_t j = 0; j < i; j++)
            lint_overlap(*LIST_AT(&s->profiles, struct rules_profile *, j), p);
    }
}

static void lint_document_units(const struct rules_document *d, const json_t *v, rules_met_fn *met, void *ctx)
{
    const json_t *units = json_object_get(v, "units");
    struct place list = place_member(&d->at, "units");
    for (size_t i = 0; i < json_array_size(units) && i < d->view.units; i++) {
        struct place item = place_item(&list, i);
        if (!met(ctx, d, (uint16_t)i))
            place_warning(&item, "no test of this profile holds anything there; correct the path, or add a test that does");
    }
}

void rules_lint_units(const struct rules_set *s, rules_met_fn *met, void *ctx)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->profiles.count; i++) {
        const struct rules_profile *p = *LIST_AT(&s->profiles, struct rules_profile *, i);
        struct place at = place_member(&p->at, "id");
        bool tested = json_array_size(json_object_get(p->json, "tests")) > 0;
        if (!tested) place_warning(&at, "has no \"tests\"; add an answer of each document, with somebody in it who must not be seen");
        const json_t *documents = json_object_get(p->json, "documents");
        for (size_t d = 0; tested && d < p->documents.count; d++)
            lint_document_units(*LIST_AT(&p->documents, struct rules_document *, d), json_array_get(documents, d), met, ctx);
    }
}

void rules_lint(const struct rules_set *s, struct problems *problems)
{
    MAGIC_CHECK(s, SET_MAGIC);
    for (size_t i = 0; i < s->rules.count; i++) {
        const struct rule *r = LIST_AT(&s->rules, struct rule, i);
        lint_pattern(r);
        lint_prefilter(r, s);
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
    lint_profiles(s);
    if (s->rules.count == 0 && s->profiles.count == 0)
        problems_add(
            problems, "rules", "the set is empty: nothing would ever be found; add the shipped pack section-1367.json");
}
