/* Why a document becomes what it becomes, for insiders: places, rules and reasons. A value is never told, nor a member's
 * name in which something was found. */
#include "trial/own.h"

#include "http/http.h"

#include <stdlib.h>

struct explaining {
    const struct rules_set *rules;
    const struct match_survey *survey;
    const struct policy_verdict *verdict;
    enum recipient_class class;
    const char **finding_paths, **piece_paths; /* piece_paths: of units */
    uint32_t *order;                           /* of findings, by place */
    struct unit_facts *units;                  /* of pieces, and behind them of what is in no unit */
};

/* What policy asks of the markers of a unit, and whether anything in it withholds. */
struct unit_facts {
    uint32_t marker; /* rule of the first, and one over; 0: none */
    bool several;    /* of more than one rule */
    bool found;
};

/* ---- places ----------------------------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Pairs of an offset and an index, sorted by offset: who asked for which place. */
static int by_first(const void *a, const void *b)
{
    return by_offset(a, b);
}

struct asked {
    uint64_t at;
    size_t who;
};

static bool locate(struct explaining *x, span body, enum doc_format format, struct arena *a)
{
    const struct match_survey *s = x->survey;
    size_t count = s->finding_count + s->piece_count;
    struct asked *asked = arena_array(a, count + 1, sizeof *asked);
    struct trial_place *places = arena_array(a, count + 1, sizeof *places);
    uint64_t *hidden = arena_array(a, s->finding_count + 1, sizeof *hidden);
    const char **paths = arena_array(a, count + 1, sizeof *paths);
    if (!asked || !places || !hidden || !paths) return false;
    for (size_t i = 0; i < s->finding_count; i++) {
        asked[i] = (struct asked){s->findings[i].at, i};
        hidden[i] = s->findings[i].at;
    }
    for (size_t i = 0; i < s->piece_count; i++) asked[s->finding_count + i] = (struct asked){s->pieces[i].value, s->finding_count + i};
    if (count > 0) qsort(asked, count, sizeof *asked, by_first);
    if (s->finding_count > 0) qsort(hidden, s->finding_count, sizeof *hidden, by_offset);
    for (size_t i = 0; i < count; i++) places[i].at = asked[i].at;
    if (!trial_locate(body, format, hidden, s->finding_count, places, count, a)) return false;
    for (size_t i = 0; i < count; i++) paths[asked[i].who] = places[i].path;
    x->finding_paths = paths;
    x->piece_paths = paths + s->finding_count;
    return true;
}

static bool sort_findings(struct explaining *x, struct arena *a)
{
    size_t n = x->survey->finding_count;
    struct asked *order = arena_array(a, n + 1, sizeof *order);
    x->order = arena_array(a, n + 1, sizeof *x->order);
    if (!order || !x->order) return false;
    for (size_t i = 0; i < n; i++) order[i] = (struct asked){x->survey->findings[i].at, i};
    if (n > 0) qsort(order, n, sizeof *order, by_first);
    for (size_t i = 0; i < n; i++) x->order[i] = (uint32_t)order[i].who;
    return true;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const char *origin_name(enum match_origin o)
{
    switch (o) {
    case MATCH_REGISTRY: return "registry";
    case MATCH_DEFINITIVE: return "definitive marker";
    case MATCH_SUSPECTED: return "suspected marker";
    case MATCH_FLAW: return "structure";
    case MATCH_LIMIT: return "limit";
    }
    return "";
}

static const char *flaw_name(enum doc_flaw flaw)
{
    switch (flaw) {
    case DOC_FLAW_DUPLICATE_NAME: return "a name that its object has already";
    case DOC_FLAW_LONE_SURROGATE: return "half of a surrogate pair";
    case DOC_FLAW_INVALID_UTF8: return "bytes that are not UTF-8";
    case DOC_FLAW_NUL_IN_NAME: return "NUL in a member's name";
    case DOC_FLAW_LINE: return "a line that does not parse";
    }
    return "";
}

/* In a graph an object without an id is part of what is around it. */
static uint32_t unit_of(const struct explaining *x, const struct match_finding *f)
{
    return match_found_in(x->survey, f);
}

static struct unit_facts *facts_of(const struct explaining *x, uint32_t unit)
{
    return &x->units[unit == MATCH_NONE ? x->survey->piece_count : unit];
}

/* A marker that only suspects is none without another one in the unit. */
static bool stands_alone(const struct explaining *x, const struct match_finding *f)
{
    return f->origin == MATCH_SUSPECTED && !facts_of(x, unit_of(x, f))->several;
}

static bool is_shown(const struct explaining *x, const struct match_finding *f)
{
    return rules_is_visible(x->survey->document->on_finding) && !f->in_text && !f->in_name && f->origin != MATCH_FLAW &&
           !stands_alone(x, f);
}

static bool withholds(const struct explaining *x, const struct match_finding *f)
{
    return x->class == RECIPIENT_RESTRICTED && !f->in_text && !stands_alone(x, f) && !is_shown(x, f);
}

static bool gather_facts(struct explaining *x, struct arena *a)
{
    const struct match_survey *s = x->survey;
    x->units = arena_array(a, s->piece_count + 1, sizeof *x->units);
    for (size_t i = 0; x->units && i < s->finding_count; i++) {
        const struct match_finding *f = &s->findings[i];
        struct unit_facts *u = facts_of(x, unit_of(x, f));
        if (f->in_text || (f->origin != MATCH_SUSPECTED && f->origin != MATCH_DEFINITIVE)) continue;
        u->several |= u->marker && u->marker != f->rule + 1u;
        u->marker = f->rule + 1u;
    }
    for (size_t i = 0; x->units && i < s->finding_count; i++)
        if (withholds(x, &s->findings[i])) facts_of(x, unit_of(x, &s->findings[i]))->found = true;
    return x->units != NULL;
}

static const char *reason_of(const struct explaining *x, const struct match_finding *f)
{
    enum rules_on_finding verb = x->survey->document->on_finding;
    if (is_shown(x, f)) return "is let through, replaced or (\"report\") as it is: so the profile's \"on_finding\" says";
    if (f->in_text) return "stands in \"texts\", which nobody restricted sees: it is about somebody else";
    if (stands_alone(x, f)) return "only suspects, and no other marker stands in its unit";
    if (x->class == RECIPIENT_ENTITLED) return "is shown: the recipient is entitled";
    if (verb == ON_FINDING_BLOCK) return "blocks the whole answer: so the profile's \"on_finding\" says";
    if (unit_of(x, f) == MATCH_NONE) return "stands outside every unit, so that the document goes";
    return "withholds the unit around it";
}

static json_t *explain_finding(const struct explaining *x, size_t i)
{
    const struct match_finding *f = &x->survey->findings[i];
    bool named = f->rule != RULE_NONE;
    json_t *out = json_pack("{s:s,s:s}", "path", x->finding_paths[i], "origin", origin_name((enum match_origin)f->origin));
    if (named) {
        json_object_set_new(out, "rule", json_string(rules_name(x->rules, f->rule)));
        json_object_set_new(out, "title", json_string(rules_title(x->rules, f->rule)));
        json_object_set_new(out, "why", json_string(rules_why(x->rules, f->rule)));
    }
    if (f->origin == MATCH_REGISTRY) json_object_set_new(out, "kind", json_string(registry_kind_name((enum registry_kind)f->kind)));
    if (f->origin == MATCH_FLAW) json_object_set_new(out, "flaw", json_string(flaw_name((enum doc_flaw)f->kind)));
    uint32_t unit = unit_of(x, f);
    json_object_set_new(out, "unit", unit == MATCH_NONE ? json_null() : json_string(x->piece_paths[unit]));
    json_object_set_new(out, "withholds", json_boolean(withholds(x, f)));
    json_object_set_new(out, "reason", json_string(reason_of(x, f)));
    return out;
}

static json_t *explain_findings(const struct explaining *x)
{
    json_t *list = json_array(), *last = NULL;
    for (size_t i = 0; i < x->survey->finding_count; i++) {
        json_t *one = explain_finding(x, x->order[i]);
        if (last && json_equal(last, one)) json_decref(one); /* two spellings in one value */
        else json_array_append_new(list, last = one);
    }
    return list;
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

/* Does anything in the unit name somebody, so that it may go with them? */
static bool names_others(const struct explaining *x, uint32_t unit)
{
    for (size_t i = 0; i < x->survey->link_count; i++) {
        const struct match_link *l = &x->survey->links[i];
        if (l->part & MATCH_FOLLOWS && l->piece != MATCH_NONE && match_owner(x->survey, l->piece) == unit) return true;
    }
    return false;
}

static const char *reason_of_unit(const struct explaining *x, uint32_t unit)
{
    if (x->verdict->withheld[unit] == POLICY_UNMATCHED)
        return "what is asked for does not stand in what restricted recipients see of it";
    if (x->units[unit].found) return "something was found in it";
    if (names_others(x, unit)) return "nothing was found in it: it goes with somebody who is withheld (\"links\" or \"graph\")";
    return "nothing was found in it: it is over limits.record, or what points to it is withheld (\"graph\")";
}

static json_t *explain_units(const struct explaining *x)
{
    json_t *list = json_array();
    for (size_t i = 0; x->class == RECIPIENT_RESTRICTED && i < x->survey->piece_count; i++) {
        if (x->verdict->withheld[i] == POLICY_KEPT) continue;
        json_array_append_new(list, json_pack("{s:s,s:s}", "path", x->piece_paths[i], "reason", reason_of_unit(x, (uint32_t)i)));
    }
    return list;
}

static json_t *explain_document(const struct explaining *x, enum trial_verdict verdict)
{
    const struct policy_verdict *v = x->verdict;
    const char *why = trial_verdict_words(verdict);
    if (verdict == TRIAL_NOT_FOUND && v->document_withheld) why = "withheld whole: what was found belongs to the document itself";
    if (v->found_nothing) why = "not there: what is asked for does not stand in what restricted recipients see of it";
    if (v->blocked) why = "withheld whole: the profile blocks an answer in which something is found";
    if (v->dangling) why = "withheld whole: something that stays would point to something that does not";
    return json_pack("{s:s,s:s,s:{s:I,s:I,s:I},s:o,s:o}", "verdict", trial_verdict_name(verdict), "reason", why, "units", "seen",
        (json_int_t)v->seen, "protected", (json_int_t)v->protected_, "withheld", (json_int_t)v->withheld_count, "findings",
        explain_findings(x), "withheld", explain_units(x));
}

json_t *trial_explain(struct trial *t, const struct trial_question *q, const struct trial_answer *a)
{
    struct explaining x = {.rules = t->rules, .survey = a->survey, .verdict = &a->outcome->verdict, .class = q->class};
    struct http_media media = {0};
    enum doc_format format = DOC_JSON;
    if (!a->survey) {
        char said[TRIAL_SAID];
        trial_say(a, said);
        return json_pack("{s:s,s:s}", "verdict", trial_verdict_name(a->verdict), "reason", said);
    }
    if (http_media_parse(span_str(q->type), &media)) (void)engine_format_of(http_media_essence(&media), &format);
    bool good = locate(&x, q->body, format, t->arena) && sort_findings(&x, t->arena) && gather_facts(&x, t->arena);
    return good ? explain_document(&x, a->verdict) : NULL;
}
