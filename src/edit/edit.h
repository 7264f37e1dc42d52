/* edit: verdicts → KEEP and WRITE runs over the original bytes, separators put right (contract section 5, "Edits").
 * Pure.
 *
 *   [ ws A s1 B s2 C ws ]   dropping A: [ ws B s2 C ws ]   dropping B: [ ws A s2 C ws ]   dropping all: []
 *
 * O(pieces) time; a fixed number of arena arrays whatever the body. */
#ifndef GATE1367_EDIT_H
#define GATE1367_EDIT_H

#include "base/base.h"
#include "policy/policy.h"

/* Either bytes [at, at+len) of the body, or `literal` in the place of what stood from `at` on. */
struct edit_run {
    uint64_t at;
    uint64_t out; /* offset of the run in the result */
    uint32_t len;
    uint32_t literal_len;   /* > 0: write literal instead */
    const uint8_t *literal; /* static or in the arena */
};

struct edit_list {
    const struct edit_run *runs;
    size_t count;
    uint64_t length; /* of the result, bytes */
    bool identity;   /* the body leaves byte for byte */
};

/* What a restricted recipient gets of `body`. Not called when the document is withheld. The survey is of that very
 * body. LIMIT when the arena is full. */
RESULT edit_plan(const struct match_survey *survey, const struct policy_verdict *verdict, span body,
    struct arena *arena, struct edit_list *out);
/* What an entitled recipient gets: the body, but for what the profile replaces in any answer. */
RESULT edit_redact(
    const struct policy_verdict *verdict, span body, struct arena *arena, struct edit_list *out);
/* The whole body as it is. */
RESULT edit_identity(uint64_t body_len, struct arena *arena, struct edit_list *out);

/* Where byte `at` of the body stands in the result; for a dropped byte, where the next kept one stands. */
uint64_t edit_offset(const struct edit_list *list, uint64_t at);

/* What the plan does with a piece. */
enum edit_fate {
    EDIT_KEEP,
    EDIT_DROP, /* with a separator, or with all its siblings */
    EDIT_NULL, /* null takes the place of its value */
    EDIT_GONE, /* inside a piece that is dropped or null */
};
/* One byte a piece, as edit_plan would decide: what stays visible. NULL when the arena is full. */
const uint8_t *edit_fates(const struct match_survey *survey, const struct policy_verdict *verdict, struct arena *arena);

#endif
