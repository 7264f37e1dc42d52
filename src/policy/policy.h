/* policy: findings × recipient class → a verdict for each unit and for the document, and the counts for the ledger.
 *Pure.
 *
 * A finding belongs to the innermost declared unit around it; outside every unit it withholds the document. Findings
 *inside `texts` withhold nothing. A suspected marker is a finding only with another marker in its unit. What is joined
 *to a withheld unit by `links` or by a graph goes with it, to a fixed point.
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

/* What policy_verdict.withheld says of a piece. */
enum policy_withheld {
    POLICY_KEPT = 0,
    POLICY_WITHHELD,      /* the unit; where the profile says so, null takes its place */
    POLICY_WITHHELD_NAME, /* its member name is a finding too: nothing may take its place */
    POLICY_UNMATCHED,     /* what was asked for does not stand in what restricted recipients see of it */
};

#define POLICY_PSEUDONYM_KEY 32
/* A value in which something was found, and which something else takes the place of. */
struct policy_redaction {
    uint64_t at; /* as match_finding */
    uint32_t len;
    uint32_t subject, subject_count; /* in policy_redactions.subjects: who was found in it, ascending */
};
struct policy_redactions {
    enum rules_on_finding verb;
    const struct policy_redaction *list; /* ascending, each value once */
    size_t count;
    const uint64_t *subjects;
};

struct policy_verdict {
    bool judged; /* a verdict of zeros is none: it says nothing about anybody, and nothing leaves by it */
    bool document_withheld; /* unit "$", or a finding outside every unit: the document's miss or the canonical not-found
                             */
    bool found;             /* anything protected at all (what entitled recipients are warned of) */
    bool dangling; /* withheld because something that stays would point to something that does not (graph) */
    bool flawed;            /* some of it is there because readers would disagree (MATCH_FLAW): read with doubt */
    const uint8_t *withheld; /* enum policy_withheld, one byte a piece (KEPT for pieces inside a withheld one) */
    const uint8_t *elsewhere; /* one byte a piece, set by whoever turns pages: a unit that stands on another page; or NULL */
    /* Records, for the ledger. A finding outside every unit makes the document itself one. protected_ ≤ seen,
     * withheld_count + disclosed ≤ seen; what is neither stood in something that nobody restricted sees. */
    uint64_t seen, protected_, withheld_count, disclosed;
    bool outside;      /* the document is one of them */
    rule_id outside_markers[2]; /* a marker that stands outside every unit (1: in texts), here or in match_survey.outside; RULE_NONE */
    uint64_t redacted; /* of those disclosed: some of it was replaced */
    uint64_t unmatched; /* left out because what was asked for does not stand in them */
    bool found_nothing; /* … and the document is one of them: nobody is there, whatever else it holds */
    bool blocked;      /* withheld because the profile blocks answers in which something is found */
    bool shown;        /* something found is let through, replaced or (report) as it is */
    struct policy_redactions redactions;
    const uint8_t *pseudonym_key; /* set by whoever knows the recipient: POLICY_PSEUDONYM_KEY bytes; NULL: none */
    const uint64_t *subjects; /* distinct handles, ascending */
    size_t subject_count;
    const struct policy_rule_count *rules; /* ascending; what was found under no rule is not in it */
    size_t rule_count;
};

/* `oversized`: one byte a piece, not 0 where a unit is over limits.record in what stays visible of it; or NULL. Arrays
 * live in the arena, which may be reset while the survey stays. LIMIT when the arena is full. */
RESULT policy_decide(const struct match_survey *survey, const uint8_t *oversized, enum recipient_class class,
    struct arena *arena, struct policy_verdict *out);

#endif
