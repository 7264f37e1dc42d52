/* Private to edit: one plan while it is made. */
#ifndef GATE1367_EDIT_PLAN_H
#define GATE1367_EDIT_PLAN_H

#include "edit/edit.h"

/* Bytes [from, to) of the body give way to the literal (length 0: to nothing). */
struct edit_op {
    uint64_t from, to;
    const uint8_t *literal;
    uint32_t literal_len;
    uint32_t rank; /* of two for the same bytes the lower one is done */
};

struct edit_planning {
    const struct match_survey *survey;
    const struct policy_verdict *verdict;
    span body;
    struct arena *arena;
    uint8_t *fates;    /* enum edit_fate, one a piece */
    uint8_t *counted;   /* the same, as if all pages were one */
    uint32_t *dropped; /* of each container: how many children are dropped */
    struct edit_op *ops;
    size_t op_count, literals; /* how many of them write something */
};

/* What takes the place of values in which something was found, as many ops as the verdict has redactions. */
result edit_plan_redactions(struct edit_planning *p);
/* What takes the place of the profile's `pseudonyms`, as many ops as the survey has of them. */
result edit_plan_pseudonyms(struct edit_planning *p);
/* Every count that stays gets its number: adds an op where the origin wrote another one. */
result edit_plan_counts(struct edit_planning *p);
static inline void edit_add_op(struct edit_planning *p, uint64_t from, uint64_t to, const uint8_t *literal, size_t len)
{
    p->ops[p->op_count] = (struct edit_op){from, to, literal, (uint32_t)len, (uint32_t)p->op_count};
    p->op_count++;
    p->literals += len > 0;
}

#endif
