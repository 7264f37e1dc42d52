#include "policy/own.h"
#include <stdlib.h>

/* Which markers a unit holds: one rule, or several. Inside texts and outside are told apart, for what stands in texts
 * is about somebody else. */
struct markers {
    rule_id first[2];
    bool several[2];
};

struct deciding {
    const struct match_survey *survey;
    struct arena *arena;
    uint8_t *units;          /* HIT | NAMED | IN_TEXT, piece_count + 1 of them */
    struct markers *markers; /* likewise; NULL where nothing is only suspected */
    uint32_t *rule_counts;
    size_t rule_limit;
    struct follow *follow; /* NULL: nothing is joined */
    struct policy_verdict *out;
};

static size_t slot_at(const struct deciding *d, uint32_t piece)
{
    if (piece == MATCH_NONE) return d->survey->piece_count;
    ASSERT(piece < d->survey->piece_count);
    return piece;
}

static size_t slot_of(const struct deciding *d, const struct match_finding *f)
{
    return slot_at(d, match_found_in(d->survey, f));
}

static bool is_marker(const struct match_finding *f)
{
    return f->origin == MATCH_DEFINITIVE || f->origin == MATCH_SUSPECTED;
}

static void note_marker(struct markers *m, const struct match_finding *f)
{
    if (m->first[f->in_text] == RULE_NONE)
        m->first[f->in_text] = f->rule;
    else if (m->first[f->in_text] != f->rule)
        m->several[f->in_text] = true;
}

/* Two occurrences of one rule count once: only another rule makes a suspicion a finding. */
static result note_markers(struct deciding *d)
{
    const struct match_survey *s = d->survey;
    bool any = false;
    for (size_t i = 0; i < s->finding_count && !any; i++)
        any = s->findings[i].origin == MATCH_SUSPECTED;
    if (!any) return OK;
    d->markers = arena_array(d->arena, s->piece_count + 1, sizeof *d->markers);
    REQUIRE(d->markers, ERROR_LIMIT, 0);
    for (size_t i = 0; i <= s->piece_count; i++)
        d->markers[i].first[0] = d->markers[i].first[1] = RULE_NONE;
    if (s->outside) memcpy(d->markers[s->piece_count].first, s->outside, sizeof d->markers->first);
    for (size_t i = 0; i < s->finding_count; i++)
        if (is_marker(&s->findings[i])) note_marker(&d->markers[slot_of(d, &s->findings[i])], &s->findings[i]);
    return OK;
}

static void keep_markers(struct deciding *d)
{
    static const rule_id none[2] = {RULE_NONE, RULE_NONE};
    const struct match_survey *s = d->survey;
    const rule_id *stood = d->markers ? d->markers[s->piece_count].first : s->outside ? s->outside : none;
    memcpy(d->out->outside_markers, stood, sizeof d->out->outside_markers);
}

static bool counts(const struct deciding *d, const struct match_finding *f)
{
    return f->origin != MATCH_SUSPECTED || d->markers[slot_of(d, f)].several[f->in_text];
}

static void blame(struct deciding *d, const struct match_finding *f, size_t slot)
{
    const struct match_piece *p = slot < d->survey->piece_count ? &d->survey->pieces[slot] : NULL;
    bool in_name = p && f->at < p->value;
    if (p && p->is_reference && p->names) d->units[slot] |= ITSELF;
    if (redact_shows(d->survey, f))
        d->units[slot] |= SHOWN;
    else
        d->units[slot] |= f->in_text ? IN_TEXT : in_name ? HIT | NAMED : HIT;
}

/* In a graph an object without an id (a role, say) may go for the sake of whom it points to, and what is found in it
 * with it; only where it stays does the finding belong to what is around it. */
static bool is_settled(const struct deciding *d, const struct match_finding *f)
{
    return match_found_in(d->survey, f) == f->unit;
}

static void settle(struct deciding *d, const struct match_finding *f)
{
    uint32_t owner = match_found_in(d->survey, f), at = f->unit;
    while (at != owner && !(d->units[at] & HIT))
        at = d->survey->pieces[at].unit_parent;
    blame(d, f, slot_at(d, at));
}

static void note_finding(struct deciding *d, const struct match_finding *f, uint64_t *subjects)
{
    if (is_settled(d, f)) blame(d, f, slot_of(d, f));
    d->out->found = true;
    d->out->flawed |= f->origin == MATCH_FLAW;
    if (f->origin == MATCH_REGISTRY && f->subject != REGISTRY_NO_SUBJECT)
        subjects[d->out->subject_count++] = f->subject;
    if (f->rule != RULE_NONE && d->rule_counts[f->rule] < UINT32_MAX) d->rule_counts[f->rule]++;
}

static int compare_handles(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void keep_distinct(uint64_t *subjects, struct policy_verdict *out)
{
    size_t kept = 0;
    if (out->subject_count > 1) qsort(subjects, out->subject_count, sizeof *subjects, compare_handles);
    for (size_t i = 0; i < out->subject_count; i++)
        if (kept == 0 || subjects[kept - 1] != subjects[i]) subjects[kept++] = subjects[i];
    out->subjects = subjects;
    out->subject_count = kept;
}

static result list_rules(struct deciding *d)
{
    size_t used = 0;
    for (size_t i = 0; i < d->rule_limit; i++)
        used += d->rule_counts[i] > 0;
    if (used == 0) return OK;
    struct policy_rule_count *list = arena_array(d->arena, used, sizeof *list);
    REQUIRE(list, ERROR_LIMIT, 0);
    for (size_t i = 0; i < d->rule_limit; i++)
        if (d->rule_counts[i] > 0)
            list[d->out->rule_count++] = (struct policy_rule_count){(rule_id)i, d->rule_counts[i]};
    d->out->rules = list;
    return OK;
}

static result note_findings(struct deciding *d)
{
    const struct match_survey *s = d->survey;
    if (s->finding_count == 0) return OK;
    for (size_t i = 0; i < s->finding_count; i++)
        if (s->findings[i].rule != RULE_NONE && s->findings[i].rule >= d->rule_limit)
            d->rule_limit = (size_t)s->findings[i].rule + 1;
    TRY(note_markers(d));
    uint64_t *subjects = arena_array(d->arena, s->finding_count, sizeof *subjects);
    d->rule_counts = arena_array(d->arena, d->rule_limit + 1, sizeof *d->rule_counts);
    REQUIRE(subjects && d->rule_counts, ERROR_LIMIT, 0);
    uint8_t *counted = arena_alloc(d->arena, s->finding_count);
    REQUIRE(counted, ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->finding_count; i++) {
        counted[i] = counts(d, &s->findings[i]);
        if (counted[i]) note_finding(d, &s->findings[i], subjects);
    }
    TRY(redact_list(s, counted, d->arena, &d->out->redactions));
    keep_distinct(subjects, d->out);
    return list_rules(d);
}

/* Findings, what goes with them, and then the findings whose place had to wait for that. */
static result follow_findings(struct deciding *d)
{
    const struct match_survey *s = d->survey;
    TRY(follow_new(s, d->arena, d->units, &d->follow));
    if (d->follow) follow_run(d->follow);
    bool waited = false;
    for (size_t i = 0; i < s->finding_count; i++) {
        if (is_settled(d, &s->findings[i]) || !counts(d, &s->findings[i])) continue;
        settle(d, &s->findings[i]);
        waited = true;
    }
    if (d->follow && waited) follow_run(d->follow);
    return OK;
}

/* An NDJSON line that does not parse is a record although its profile declares none, and somebody whom only a reference names is
 * one. */
static bool is_record(const struct deciding *d, size_t i)
{
    const struct match_piece *p = &d->survey->pieces[i];
    bool found = d->units[i] & ITSELF || (d->units[i] != 0 && (p->is_line || !p->is_object));
    return (p->roles & PATH_UNIT) != 0 || found;
}

static bool is_redacted(const struct deciding *d, size_t slot)
{
    return d->units[slot] & SHOWN && d->out->redactions.count > 0;
}

/* Pieces come in document order, parents before children: what begins before the end of the last withheld one lies inside
 * it. */
static void withhold_pieces(struct deciding *d, uint8_t *withheld)
{
    uint64_t withheld_end = 0;
    for (size_t i = 0; i < d->survey->piece_count; i++) {
        const struct match_piece *p = &d->survey->pieces[i];
        if (p->begin < withheld_end || !(d->units[i] & HIT)) continue;
        withheld[i] = d->units[i] & NAMED ? POLICY_WITHHELD_NAME : POLICY_WITHHELD;
        withheld_end = p->end;
        d->out->document_withheld |= p->is_root;
    }
}

/* Withheld is what was found, wherever it lies; disclosed is what nothing takes away. */
static void count_pieces(struct deciding *d, const uint8_t *withheld)
{
    uint64_t withheld_end = 0, removed_end = 0;
    for (size_t i = 0; i < d->survey->piece_count; i++) {
        const struct match_piece *p = &d->survey->pieces[i];
        bool record = is_record(d, i), lost = withheld[i] == POLICY_UNMATCHED;
        if (withheld[i] != POLICY_KEPT && !lost && p->end > withheld_end) withheld_end = p->end;
        if ((p->removed || lost) && p->end > removed_end) removed_end = p->end;
        bool gone = p->begin < withheld_end, hidden = p->begin < removed_end;
        d->out->unmatched += lost;
        d->out->withheld_count += record && gone;
        d->out->disclosed += record && !gone && !hidden;
        d->out->redacted += record && !gone && !hidden && is_redacted(d, i);
    }
}

static void count_records(struct deciding *d)
{
    for (size_t i = 0; i < d->survey->piece_count; i++) {
        d->out->seen += is_record(d, i);
        d->out->protected_ += d->units[i] != 0 && is_record(d, i);
    }
    d->out->outside = d->units[d->survey->piece_count] != 0;
    d->out->seen += d->out->outside;
    d->out->protected_ += d->out->outside;
}

/* The document is one thing: what stood in it is withheld with it. Where it is only not what was asked for, nothing is. */
static void withhold_document(struct policy_verdict *out, bool found)
{
    if (found) out->withheld_count = out->seen;
    out->disclosed = out->redacted = 0;
    out->shown = false;
}

static bool is_any(const struct deciding *d, unsigned flag)
{
    for (size_t i = 0; i <= d->survey->piece_count; i++)
        if (d->units[i] & flag) return true;
    return false;
}

/* Something outside every unit that is let through makes the document itself a record that is disclosed. */
static void disclose_document(struct deciding *d)
{
    if (!(d->units[d->survey->piece_count] & SHOWN)) return;
    d->out->disclosed++;
    d->out->redacted += is_redacted(d, d->survey->piece_count);
}

static void disclose_all(struct deciding *d)
{
    d->out->disclosed = d->out->seen;
    const struct policy_redactions *r = &d->out->redactions;
    if (r->count == 0) return;
    for (size_t i = 0; i <= d->survey->piece_count; i++)
        d->out->redacted += d->units[i] & (SHOWN | IN_TEXT) && (i == d->survey->piece_count || is_record(d, i));
}

//= 8USC1367 a(2)
static result judge(struct deciding *d, enum recipient_class class, uint8_t *withheld)
{
    count_records(d);
    d->out->shown = is_any(d, SHOWN);
    switch (class) {
    case RECIPIENT_ENTITLED: disclose_all(d); return OK;
    case RECIPIENT_RESTRICTED: break;
    }
    withhold_pieces(d, withheld);
    TRY(search_judge(d->survey, &d->out->redactions, d->arena, withheld));
    count_pieces(d, withheld);
    d->out->dangling = d->follow && follow_dangles(d->follow);
    d->out->blocked = d->survey->document && d->survey->document->on_finding == ON_FINDING_BLOCK && is_any(d, HIT);
    d->out->document_withheld |= d->out->dangling || d->out->blocked;
    disclose_document(d);
    d->out->document_withheld |= (d->units[d->survey->piece_count] & HIT) != 0;
    bool found = d->out->document_withheld;
    d->out->found_nothing = !found && d->survey->piece_count > 0 && d->survey->pieces[0].is_root && withheld[0] == POLICY_UNMATCHED;
    d->out->document_withheld |= d->out->found_nothing;
    if (d->out->document_withheld) withhold_document(d->out, found);
    return OK;
}

RESULT policy_decide(const struct match_survey *survey, const uint8_t *oversized, enum recipient_class class,
    struct arena *arena, struct policy_verdict *out)
{
    *out = (struct policy_verdict){0};
    struct deciding d = {.survey = survey, .arena = arena, .out = out};
    uint8_t *withheld = arena_alloc(arena, survey->piece_count + 1);
    d.units = arena_alloc(arena, survey->piece_count + 1);
    REQUIRE(withheld && d.units, ERROR_LIMIT, 0);
    TRY(note_findings(&d));
    keep_markers(&d);
    for (size_t i = 0; oversized && i < survey->piece_count; i++) {
        if (oversized[i]) d.units[i] |= HIT;
        out->found |= oversized[i] != 0;
    }
    TRY(follow_findings(&d));
    TRY(judge(&d, class, withheld));
    out->withheld = withheld;
    out->judged = true;
    return OK;
}
