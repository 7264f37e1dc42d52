/* policy: findings × recipient class → a verdict for each unit and for the document, and the counts for the ledger. Pure.
 *
 * A finding belongs to the innermost declared unit around it; outside every unit it withholds the document. Findings inside
 * `texts` withhold nothing. A suspected marker is a finding only with another marker in its unit.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2    "reason to believe" is enough */
#ifndef GATE1367_POLICY_H
#define GATE1367_POLICY_H

#include "base/base.h"
#include "match/match.h"
#include "recipient/recipient.h"

struct policy_rule_count {
    rule_id rule;
    uint32_t count;
};

struct policy_verdict {
    bool document_withheld; /* unit "$", or a finding outside every unit: the document's miss or the canonical not-found */
    bool found;             /* anything protected at all (what entitled recipients are warned of) */
    const uint8_t *withheld; /* one byte a piece of the survey: 1 = this unit is withheld (not set for pieces inside one) */
    uint64_t seen, protected_, withheld_count, disclosed;
    const uint64_t *subjects; /* distinct handles */
    size_t subject_count;
    const struct policy_rule_count *rules;
    size_t rule_count;
};

/* Arrays live in the arena. LIMIT when it is full. */
RESULT policy_decide(const struct match_survey *survey, const struct rules_document *document, enum recipient_class class,
    struct arena *arena, struct policy_verdict *out);

#endif
