/* mirror: what the gateway would do to a copy of traffic, and how the answers differ from what the profiles say of them;
 * counted on a board, told in a report. Nothing of an answer is kept but names that an operator wrote and the shapes of
 * paths. Pure: the board may stand in memory that other processes read. */
#ifndef GATE1367_MIRROR_H
#define GATE1367_MIRROR_H

#include "base/base.h"
#include "engine/engine.h"
#include "rules/rules.h"
#include <stdatomic.h>

/* X(id, "name", "what is counted"). `name` of a row says which: a rule, a row of the failure table, a path, or nothing. */
#define MIRROR_FACTS(X)                                                                                                \
    X(ANSWERS, "answers", "answers of the origin that were evaluated")                                                 \
    X(WITHHELD, "withheld", "answers from which a restricted recipient would not get everything")                      \
    X(NOT_FOUND, "not_found", "answers that a restricted recipient would not get at all, for what stands in them")     \
    X(WARNED, "warned", "answers that would warn an entitled recipient")                                               \
    X(SEEN, "records_seen", "declared units")                                                                          \
    X(PROTECTED, "records_protected", "records with something protected in them")                                      \
    X(GONE, "records_withheld", "records that would be withheld")                                                      \
    X(UNMATCHED, "records_unmatched", "records in which what was asked for stands in nothing that restricted recipients see") \
    X(RULE, "rules", "findings, by rule")                                                                              \
    X(REFUSED, "refused", "requests of restricted recipients that would be answered without asking the origin, by row") \
    X(NOT_ASKED, "not_asked", "copies that were not asked again because they may change something, by method")         \
    X(UNDELIVERABLE, "undeliverable", "answers that a restricted recipient would not get, an entitled one uninspected, by row") \
    X(UNIT, "units", "answers in which a declared unit stood, by path")                                                \
    X(OUTSIDE, "outside", "findings outside every declared unit, which withhold the whole answer, by path")            \
    X(COUNT, "counts", "declared counts that are not the number of units that stand there, by path")                   \
    X(UNDESCRIBED, "undescribed", "requests that no documents entry describes, by path")
enum mirror_fact {
#define X(id, name, help) MIRROR_##id,
    MIRROR_FACTS(X)
#undef X
        MIRROR_FACT_COUNT
};
const char *mirror_fact_name(enum mirror_fact f);
const char *mirror_fact_help(enum mirror_fact f);

#define MIRROR_TEXT 96
#define MIRROR_ROWS 2048u /* power of two; what finds no room is counted as lost */

/* A row is written by one process, and read by others once `taken` says that its texts stand. */
struct mirror_row {
    _Atomic uint32_t taken; /* fact + 1; 0: free */
    char route[MIRROR_TEXT], document[MIRROR_TEXT], name[MIRROR_TEXT];
    _Atomic uint64_t count;
};
/* Zeros are an empty board. */
struct mirror_board {
    _Atomic uint64_t lost;
    struct mirror_row rows[MIRROR_ROWS];
};

/* Texts are cut to fit. */
void mirror_count(struct mirror_board *b, enum mirror_fact f, const char *route, const char *document, span name, uint64_t n);

/* An answer that was read and decided for a restricted recipient; the survey from engine_survey. */
struct mirror_answer {
    const char *route;
    const struct rules_document *document; /* NULL: inspected without one */
    const struct rules_set *rules;
    const struct match_survey *survey;
    const struct policy_verdict *verdict;
    span body;
};
void mirror_look(struct mirror_board *b, const struct mirror_answer *a);

/* Where the value or name at this offset of a JSON or NDJSON body stands, as a path without indices. A member name that
 * could be somebody's (three digits or more, or not a plain word) is `*`. */
void mirror_shape(span body, uint64_t at, char out[MIRROR_TEXT]);
/* The request's path with `*` for every segment that neither the route nor a template of the profile spells out. */
void mirror_path(const char *route, const struct rules_profile *p, span path, char out[MIRROR_TEXT]);

/* ---- the report -------------------------------------------------------------------------------------------------- */

struct mirror_route {
    const char *path;
    const struct rules_profile *profile; /* NULL: none */
};
struct mirror_source {
    const struct mirror_board *const *boards; /* added up */
    size_t board_count;
    const struct mirror_route *routes;
    size_t route_count;
};
/* LIMIT: out of memory, or of the buffer's cap. */
RESULT mirror_report_json(const struct mirror_source *s, struct buf *out);
RESULT mirror_report_text(const struct mirror_source *s, struct buf *out);
/* Of all rows of the fact, on all boards. */
uint64_t mirror_sum(const struct mirror_source *s, enum mirror_fact f);
uint64_t mirror_lost(const struct mirror_source *s);

#endif
