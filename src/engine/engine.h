/* engine: one document from first byte to verdict: reader, matcher, policy and edits joined, without sockets or ledger.
 * The gate drives it in the gateway; `scan`, `rules test` and the library's public face (include/gate1367/gate1367.h)
 * drive it elsewhere, so that they can never see another verdict than a client would. Pure.
 *
 *   start ─► feed … feed ─► finish ─► policy ─► edits ─► too large still? ─► policy again with that unit withheld
 *     └──────── unreadable latches: the first reason stands, nothing more is read */
#ifndef GATE1367_ENGINE_H
#define GATE1367_ENGINE_H

#include "base/base.h"
#include "edit/edit.h"
#include "match/match.h"
#include "policy/policy.h"

/* Why a document cannot be read. Rows of the failure table in gate/ refer to these. */
enum engine_unreadable {
    ENGINE_READABLE = 0,
    ENGINE_FORMAT,    /* a media type that this release does not read, or that its bytes contradict */
    ENGINE_CODING,    /* Content-Encoding other than identity */
    ENGINE_MALFORMED, /* broken structure */
    ENGINE_CUT_SHORT,
    ENGINE_DEPTH,
    ENGINE_DOCUMENT, /* over limits.document: visible bytes, or twice that raw */
    ENGINE_RECORD,   /* a unit over twice limits.record, raw (what stays visible of it over the limit: the unit is a
                        finding). Restricted recipients only: to entitled ones it was read like any other */
    ENGINE_MEMORY,
    ENGINE_UNPROFILED, /* no documents entry and `unprofiled: refuse` */
};
const char *engine_unreadable_name(enum engine_unreadable u);

struct engine_limits {
    uint32_t depth;
    uint64_t record, document; /* bytes, judged on what stays visible; raw bound is twice that */
};

struct engine_outcome {
    enum engine_unreadable unreadable; /* not ENGINE_READABLE: the rest is empty */
    uint64_t unreadable_at;
    struct policy_verdict verdict;
    struct edit_list edits; /* restricted: what leaves; entitled: identity, but for what the profile replaces */
};

struct engine;
/* One a worker at least; one exchange at a time each. */
struct engine *engine_new(const struct rules_set *rules, enum cpu_level level);
void engine_free(struct engine *e);

/* Starts a document. media_type is the origin's Content-Type (type/subtype, lower case, without parameters), charset
 * its parameter or empty. `document` NULL: ENGINE_UNPROFILED (unless `inspect`). Everything returned lives in the
 * arena. */
struct engine_begin {
    const struct rules_document *document;
    bool inspect; /* unprofiled: inspect */
    enum recipient_class class;
    const struct registry *registry;
    struct engine_limits limits;
    span media_type, charset, content_encoding;
    struct arena *arena;
    const uint8_t *pseudonym_key; /* of this recipient and month, until engine_finish; NULL: none, redacted instead */
    bool keep_survey; /* engine_survey works after engine_finish; the caller then calls engine_reset */
};
/* Wipes what is left of the last document. The spans of *b are read before it returns; the rest is held. */
void engine_start(struct engine *e, const struct engine_begin *b);
/* The body so far: a contiguous window from offset 0 that only grows (it may move between calls). Never fails visibly:
 * what cannot be read is in the outcome. Returns false once nothing more need be fed (unreadable, latched). */
bool engine_feed(struct engine *e, span body_so_far);
/* All bytes are here (complete), or the origin broke off (cut short). `body` is not read any more once engine_feed was
 * false. Nothing of the document stays in the engine (but with keep_survey); what *out points to lives in the arena. */
void engine_finish(struct engine *e, span body, bool complete, struct engine_outcome *out);
/* What was found, for those who explain (scan, rules test, the public face): from engine_finish on until engine_reset
 * or the next engine_start. NULL without keep_survey, and of an unreadable document. */
const struct match_survey *engine_survey(const struct engine *e);
/* Wipes, and forgets a document that was started. */
void engine_reset(struct engine *e);

/* Media types read as JSON and NDJSON; "+json" besides (WHATWG MIME Sniffing 4.6 for what a JSON MIME type is). */
#define ENGINE_MEDIA_TYPES(X)                                                                                          \
    X("application/json", DOC_JSON)                                                                                    \
    X("text/json", DOC_JSON)                                                                                           \
    X("application/x-ndjson", DOC_NDJSON)                                                                              \
    X("application/ndjson", DOC_NDJSON)                                                                                \
    X("application/jsonl", DOC_NDJSON)                                                                                 \
    X("application/x-jsonlines", DOC_NDJSON)
/* False: not read by this release. */
bool engine_format_of(span media_type, enum doc_format *out);

#endif
