/* One answer: what would be withheld of it, and where it differs from its profile. */
#include "mirror/mirror.h"

#define OUTSIDE_MAX 16 /* findings of one answer whose place is looked for */

struct look {
    struct mirror_board *board;
    const struct mirror_answer *answer;
    const char *document;
};

static void count(const struct look *l, enum mirror_fact f, span name, uint64_t n)
{
    mirror_count(l->board, f, l->answer->route, l->document, name, n);
}

static void count_verdict(const struct look *l)
{
    const struct policy_verdict *v = l->answer->verdict;
    span none = span_of(NULL, 0);
    count(l, MIRROR_ANSWERS, none, 1);
    count(l, MIRROR_NOT_FOUND, none, v->document_withheld);
    count(l, MIRROR_WITHHELD, none, v->document_withheld || v->withheld_count > 0 || v->unmatched > 0);
    count(l, MIRROR_WARNED, none, v->found);
    count(l, MIRROR_SEEN, none, v->seen);
    count(l, MIRROR_PROTECTED, none, v->protected_);
    count(l, MIRROR_GONE, none, v->withheld_count);
    count(l, MIRROR_UNMATCHED, none, v->unmatched);
    for (size_t i = 0; i < v->rule_count; i++) {
        bool named = v->rules[i].rule != RULE_NONE;
        span rule = named ? span_str(rules_name(l->answer->rules, v->rules[i].rule)) : SPAN("structure");
        count(l, MIRROR_RULE, rule, v->rules[i].count);
    }
}

static bool has_unit(const struct match_survey *s, uint16_t unit)
{
    for (size_t i = 0; i < s->piece_count; i++) {
        if ((s->pieces[i].roles & PATH_UNIT) != 0 && s->pieces[i].unit == unit) return true;
    }
    return false;
}

static void count_units(const struct look *l)
{
    const struct rules_document *d = l->answer->document;
    for (uint16_t u = 0; d != NULL && u < rules_document_view(d)->units; u++) {
        count(l, MIRROR_UNIT, span_str(rules_unit_path(d, u)), has_unit(l->answer->survey, u));
    }
}

/* A finding that is nobody's unit takes the whole answer with it. */
static void count_outside(const struct look *l)
{
    const struct match_survey *s = l->answer->survey;
    char shape[MIRROR_TEXT];
    unsigned told = 0;
    for (size_t i = 0; i < s->finding_count && told < OUTSIDE_MAX; i++) {
        const struct match_finding *f = &s->findings[i];
        if (f->unit != MATCH_NONE || f->in_text || f->origin == MATCH_SUSPECTED) continue;
        mirror_shape(l->answer->body, f->at, shape);
        count(l, MIRROR_OUTSIDE, span_str(shape), 1);
        told++;
    }
}

static uint64_t units_counted(const struct match_survey *s, const struct match_count *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        n += (p->roles & PATH_UNIT) != 0 && p->unit == c->unit && p->unit_parent == c->unit_parent;
    }
    return n;
}

/* A document that is called complete says how many there are; where it does not, restricted recipients would be told a
 * number that the origin never meant. */
static void count_counts(const struct look *l)
{
    const struct match_survey *s = l->answer->survey;
    const struct rules_document *d = l->answer->document;
    if (d == NULL || !rules_document_view(d)->complete) return;
    for (size_t i = 0; i < s->count_count; i++) {
        const struct match_count *c = &s->counts[i];
        span value = span_sub(l->answer->body, (size_t)c->begin, (size_t)(c->end - c->begin));
        uint64_t said = 0;
        char shape[MIRROR_TEXT];
        if (c->quoted && value.len >= 2) value = span_sub(value, 1, value.len - 2);
        if (span_to_u64(value, UINT64_MAX, &said) && said == units_counted(s, c)) continue;
        mirror_shape(l->answer->body, c->begin, shape);
        count(l, MIRROR_COUNT, span_str(shape), 1);
    }
}

void mirror_look(struct mirror_board *b, const struct mirror_answer *a)
{
    struct look l = {.board = b, .answer = a, .document = a->document == NULL ? "" : rules_document_view(a->document)->path_template};
    count_verdict(&l);
    count_units(&l);
    count_outside(&l);
    count_counts(&l);
}
