/* edit: verdicts → KEEP and WRITE runs over the original bytes, separators put right (contract section 5, "Edits"). Pure.
 *
 *   [ ws A s1 B s2 C ws ]   dropping A: [ ws B s2 C ws ]   dropping B: [ ws A s2 C ws ]   dropping all: []
 */
#ifndef GATE1367_EDIT_H
#define GATE1367_EDIT_H

#include "base/base.h"
#include "policy/policy.h"

/* Either bytes [at, at+len) of the body, or `literal`. */
struct edit_run {
    uint64_t at;
    uint32_t len;
    uint32_t literal_len;    /* > 0: write literal instead */
    const uint8_t *literal;  /* static or in the arena */
};

struct edit_list {
    const struct edit_run *runs;
    size_t count;
    uint64_t length; /* of the result, bytes */
    bool identity;   /* the body leaves byte for byte */
};

/* What a restricted recipient gets of a body of `body_len` bytes. Not called when the document is withheld. */
RESULT edit_plan(const struct match_survey *survey, const struct policy_verdict *verdict,
    const struct rules_document *document, uint64_t body_len, struct arena *arena, struct edit_list *out);
/* The whole body as it is. */
RESULT edit_identity(uint64_t body_len, struct arena *arena, struct edit_list *out);

#endif
