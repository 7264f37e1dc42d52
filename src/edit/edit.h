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

/* The literal is written behind byte `behind` of the body, which leaves itself. It lives as long as the list. LIMIT when the
 * arena is full. */
RESULT edit_insert(struct edit_list *list, uint64_t behind, span literal, struct arena *arena);

/* Where byte `at` of the body stands in the result; for a dropped byte, where the next kept one stands. */
uint64_t edit_offset(const struct edit_list *list, uint64_t at);

/* What the plan does with a piece. */
enum edit_fate {
    EDIT_KEEP,
    EDIT_DROP, /* with a separator, or with all its siblings */
    EDIT_NULL, /* null takes the place of its value */
    EDIT_GONE, /* inside a piece that is dropped or null */
};

/* ---- streams: the same grammar, piece by piece ----------------------------------------------------------------------
 *
 * What leaves is appended to `out`. Behind a piece that stays everything is settled: each container around it holds
 * something. Before that, white space at the beginning of a list waits for the first element that stays. */

struct edit_open; /* a container that has a piece and has not ended */
struct edit_stream {
    struct buf *out;
    span window; /* of the body, from `base` on; set before each call */
    uint64_t base;
    uint64_t cursor;  /* all of the body before it has been dealt with */
    uint64_t begun;   /* offset in the result of the first byte in `out` */
    uint64_t settled; /* so many bytes of the result can no longer change */
    struct edit_open *open;
    size_t depth, room;
};
void edit_stream_begin(struct edit_stream *s, struct buf *out);
void edit_stream_end(struct edit_stream *s); /* frees; fine twice */
/* The next outermost piece, in what container (NULL: it is the document). KEEP: `runs` are of the piece, offsets from its
 * begin. LIMIT when `out` is full. */
RESULT edit_stream_piece(struct edit_stream *s, const struct match_piece *piece, const struct match_container *container,
    enum edit_fate fate, const struct edit_list *runs);
/* A container has ended. */
RESULT edit_stream_close(struct edit_stream *s, const struct match_container *container);
/* The body up to `to` leaves as it is. */
RESULT edit_stream_keep(struct edit_stream *s, uint64_t to);
/* Everything that was kept is settled: the body has ended, or nothing of it is ever left out. */
void edit_stream_settle(struct edit_stream *s);

/* One byte a piece, as edit_plan would decide: what stays visible. NULL when the arena is full. */
const uint8_t *edit_fates(const struct match_survey *survey, const struct policy_verdict *verdict, struct arena *arena);

#endif
