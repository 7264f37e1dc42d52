/* Private to policy. */
#ifndef GATE1367_POLICY_OWN_H
#define GATE1367_POLICY_OWN_H

#include "policy/policy.h"

/* What is known of a unit. The document itself, outside every unit, has the slot behind the last piece. */
#define HIT 1     /* a finding that withholds it */
#define NAMED 2   /* … in its own member name */
#define IN_TEXT 4 /* a finding inside texts: about somebody else */
#define SHOWN 8   /* a finding that withholds nothing: it is replaced, or only reported */
#define ITSELF 16 /* a finding in a reference, and so in whom it names */

/* Whether the profile lets such a finding through. */
bool redact_shows(const struct match_survey *s, const struct match_finding *f);
/* What takes the place of the findings of which `counts` is set, one byte a finding. LIMIT: the arena is full. */
RESULT redact_list(const struct match_survey *s, const uint8_t *counts, struct arena *arena, struct policy_redactions *out);

/* Follows what joins units: from each unit that is withheld to those that hold a value of it, and on from there. Each
 * value and each unit is come to once, so that the work is that of sorting the values. */
struct follow;
/* `units`: one byte a piece and one for the document. *out NULL: nothing is joined. LIMIT: the arena is full. */
RESULT follow_new(const struct match_survey *survey, struct arena *arena, uint8_t *units, struct follow **out);
/* From what is HIT now. May be called again when more is. */
void follow_run(struct follow *f);
/* Would something that stays point to something that does not? (What everybody loses is nothing that goes.) */
bool follow_dangles(struct follow *f);

/* search.c: marks the units that go because what was asked for does not stand in what stays visible of them: not in `replaced`
 * values either. LIMIT when the arena is full. */
RESULT search_judge(
    const struct match_survey *s, const struct policy_redactions *replaced, struct arena *arena, uint8_t *withheld);

#endif
