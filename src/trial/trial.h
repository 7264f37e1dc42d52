/* trial: what the gateway would answer, and why, without sockets, origin or ledger. The engine and the failure table are
 * the gateway's own, so that `scan`, `rules test` and `rules explain` can never see another verdict than a client would.
 * Pure. */
#ifndef GATE1367_TRIAL_H
#define GATE1367_TRIAL_H

#include "base/base.h"
#include "engine/engine.h"
#include "gate/gate.h"
#include "source/source.h"

/* ---- one answer ------------------------------------------------------------------------------------------------- */

/* An engine with memory of its own; one thread each. */
struct trial;
struct trial *trial_new(const struct rules_set *rules); /* NULL: out of memory */
void trial_free(struct trial *t);

struct trial_question {
    const struct rules_document *document; /* NULL: no profile describes the answer */
    bool inspect;                          /* unprofiled: inspect */
    span query;                            /* of the request, without '?' */
    enum recipient_class class;
    const struct registry *registry;
    struct engine_limits limits;
    const char *type; /* Content-Type of the origin's answer */
    span body;
};

/* The limits that a configuration has when it names none. */
struct engine_limits trial_limits(void);

/* name, for machines; for people */
#define TRIAL_VERDICTS(X)                                                                                              \
    X(UNCHANGED, "unchanged", "delivered as it is")                                                                    \
    X(CHANGED, "changed", "delivered without what everybody loses")                                                    \
    X(WITHHELD, "withheld", "delivered without what is withheld")                                                      \
    X(REPLACED, "replaced", "delivered with something else in the place of what was found")                            \
    X(REPORTED, "reported", "delivered with what was found, which is only reported")                                   \
    X(NOT_FOUND, "not_found", "withheld whole")                                                                        \
    X(UNDELIVERABLE, "undeliverable", "not delivered, for it cannot be read")                                          \
    X(UNINSPECTED, "uninspected", "delivered unread")
enum trial_verdict {
#define X(id, name, words) TRIAL_##id,
    TRIAL_VERDICTS(X)
#undef X
};
const char *trial_verdict_name(enum trial_verdict v);
const char *trial_verdict_words(enum trial_verdict v);

struct trial_answer {
    enum trial_verdict verdict;
    enum gate_failure failure;            /* GATE_FINE but where it cannot be read */
    const struct engine_outcome *outcome; /* empty where it cannot be read */
    const struct match_survey *survey;    /* NULL where it cannot be read */
};
/* Lives until the next question. The body is borrowed until then. */
void trial_ask(struct trial *t, const struct trial_question *q, struct trial_answer *out);
/* True where a body leaves: appends it. LIMIT: no room. */
bool trial_delivers(const struct trial_answer *a);
RESULT trial_body(const struct trial_answer *a, span body, struct buf *out);

/* Documents whose profile says `independent`, in pieces: memory is bounded by limits.record. trial_open, with the question's
 * body left out, is true for one of them (else ask with the whole); trial_feed hands each piece on and what leaves of it to
 * `sink`; false: the rest is not wanted. trial_close says how it ended; its survey is NULL. A document that ends in a failure, or
 * withheld whole by what is found outside its units, may have let something leave before. */
typedef result trial_sink_fn(void *ctx, span bytes);
bool trial_open(struct trial *t, const struct trial_question *q, trial_sink_fn *sink, void *ctx);
bool trial_feed(struct trial *t, span piece, bool last);
/* What the sink or memory failed with, else OK. */
RESULT trial_close(struct trial *t, struct trial_answer *out);

/* What was found and what becomes of it: places, rules and reasons, never values. A document:
 *   {"verdict", "reason", "units": {"seen", "protected", "withheld"},
 *    "findings": [{"path", "origin", "rule", "title", "why", "kind", "unit", "withholds", "reason"}],
 *    "withheld": [{"path", "reason"}]}
 * The answer must be the trial's last. NULL: out of memory. */
json_t *trial_explain(struct trial *t, const struct trial_question *q, const struct trial_answer *a);

/* ---- people of a test ------------------------------------------------------------------------------------------- */

/* A registry in memory of what a test names as protected (rules_profile_test.people, NULL: nobody): texts as the
 * identifiers of the set recognise them. NULL after reporting; `at` is the place of the array. */
struct trial_people;
struct trial_people *trial_people_new(const struct rules_set *rules, const json_t *people, const struct place *at);
void trial_people_free(struct trial_people *p);
const struct registry *trial_people_registry(const struct trial_people *p);

/* ---- tests of profiles ------------------------------------------------------------------------------------------ */

/* Runs the test; true when it holds. Otherwise *why (owned by the trial until the next one) says what came instead, as
 * "what is wrong; what would be right". Problems with the test's people are reported and make it fail with *why NULL. */
bool trial_test(struct trial *t, const struct rules_profile_test *test, const char **why);
/* The remarks of rules_lint, and those that need documents: unit paths that nothing matches in the profile's own tests. */
void trial_lint(struct trial *t, const struct rules_set *rules, struct problems *problems);

/* ---- where something stands ------------------------------------------------------------------------------------- */

/* JSONPaths of places in a document. A member's name in which something was found is never written: "[#2]" stands for
 * it, the third member. An NDJSON line is "line 3: $…". */
struct trial_place {
    uint64_t at;      /* asked: offset of a value or a member's name */
    const char *path; /* told; "?" where nothing stands */
};
/* `hidden`: ascending offsets of names that are not written. Fills the paths of places (in any order), in the arena.
 * False: out of memory. */
bool trial_locate(span body, enum doc_format format, const uint64_t *hidden, size_t hidden_count,
    struct trial_place *places, size_t count, struct arena *arena);

#endif
