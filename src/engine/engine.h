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

/* Somebody who is known by a marker alone: identifiers of one unit that the registry does not know yet. */
struct engine_suspicion {
    const struct registry_print *prints;
    size_t count; /* at most ENGINE_SUSPICION_MAX; a unit with more makes several */
};
#define ENGINE_SUSPICION_MAX 1024

/* One page of a list, whatever the origin gave: of the units in one array those that a restricted recipient asked for.
 * Units are counted that he may see. */
struct engine_page {
    bool on;
    uint64_t items;      /* offset of the array's opening bracket; UINT64_MAX: there is no list */
    uint64_t skip, take; /* of the visible units */
    const uint64_t *begins; /* elements at which the origin's documents begin, ascending; the first is 0 */
    size_t begin_count;
};
struct engine_page_found {
    uint64_t visible; /* units */
    uint64_t taken;
    /* The first visible unit behind the page: in which of the origin's documents it stands, behind how many visible ones of
     * that document. Nothing where there is none. */
    size_t next_begin;
    uint64_t next_in;
};

struct engine_outcome {
    enum engine_unreadable unreadable; /* not ENGINE_READABLE: the rest is empty */
    uint64_t unreadable_at;
    struct policy_verdict verdict;
    struct edit_list edits; /* restricted: what leaves; entitled: identity, but for what the profile replaces */
    /* With engine_begin.suspicions, of a document that a profile describes: to be made durable before it leaves. */
    const struct engine_suspicion *suspicions;
    size_t suspicion_count;
    struct engine_page_found page; /* with engine_begin.page */
};

struct engine;
/* One a worker at least; one exchange at a time each. */
struct engine *engine_new(const struct rules_set *rules, enum cpu_level level);
void engine_free(struct engine *e);
/* Engines of one thread and one set of rules may share what the rules' own examples teach (match.h), which makes small
 * answers faster; it outlives them. */
void engine_share_lores(struct engine *e, struct match_lores *l);

/* Starts a document. media_type is the origin's Content-Type (type/subtype, lower case, without parameters), charset
 * its parameter or empty. `document` NULL: ENGINE_UNPROFILED (unless `inspect`). Everything returned lives in the
 * arena. */
struct engine_field {
    span name, value; /* value: without surrounding white space */
};
/* One unit of a stream, when it is decided; offsets in the body. Lives during the call. */
struct engine_unit {
    uint64_t begin, end;
    const struct edit_list *edits;       /* what stays of it, from its begin on; NULL: nothing */
    const struct match_survey *inside;   /* from its begin on too */
    const struct policy_verdict *verdict; /* NULL: nothing was found and all of it stays */
};
struct engine_watch {
    void (*unit)(void *ctx, const struct engine_unit *u); /* or NULL */
    void *ctx;
};
struct engine_begin {
    const struct rules_document *document;
    bool inspect; /* unprofiled: inspect */
    enum recipient_class class;
    const struct registry *registry;
    struct engine_limits limits;
    span media_type, charset, content_encoding;
    const struct engine_field *fields; /* of the head, as the document's `headers` list them: scanned as content */
    size_t field_count;
    struct arena *arena;
    struct buf *out;  /* where what leaves of a stream is put; NULL: every document is decided whole */
    const uint8_t *pseudonym_key; /* of this recipient and month, until engine_finish; NULL: none, redacted instead */
    bool suspicions;  /* look for them */
    struct engine_page page;
    const struct rules_search *search; /* what a restricted recipient asks of this document; NULL: nothing */
    struct engine_watch watch; /* of a stream */
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
/* Before engine_finish: so many bytes behind its body may be read as well, and are 0 (struct doc_window). */
#define ENGINE_SLACK DOC_SLACK
void engine_pad(struct engine *e, size_t slack);
/* What was found, for those who explain (scan, rules test, the public face): from engine_finish on until engine_reset
 * or the next engine_start. NULL without keep_survey, and of an unreadable document. */
const struct match_survey *engine_survey(const struct engine *e);
/* Wipes, and forgets a document that was started. */
void engine_reset(struct engine *e);

/* ---- streams: documents whose profile says `independent` ------------------------------------------------------------
 *
 * Each unit is judged as a document of its own as soon as it has ended, and what leaves of it is appended to b->out. How
 * far that goes depends on the bytes alone and never on how they were cut into pieces.
 *
 *   body   ──────────[ needs … open unit … ]          result   [ settled ][ waits for the next unit that stays ] */

/* After engine_start: it is one, and can be read so far. Then engine_stream takes the place of feed and finish. */
bool engine_is_stream(const struct engine *e);
/* Reads on: `window` is the body from offset `base` (engine_stream_needs() or before) to what is here. `complete`: it ends
 * there in good order; `cut`: it ends there otherwise. False: over, see engine_stream_outcome. */
enum engine_end { ENGINE_GOES_ON, ENGINE_COMPLETE, ENGINE_CUT };
bool engine_stream(struct engine *e, span window, uint64_t base, enum engine_end end);
/* Offset in the body before which nothing is needed any more. */
uint64_t engine_stream_needs(const struct engine *e);
/* All of the body before this offset is in the result, or left out. */
uint64_t engine_stream_done(const struct engine *e);
/* Length of the result that is settled: offsets count from its first byte, wherever it is by now. */
uint64_t engine_stream_settled(const struct engine *e);
/* So many bytes have been taken from the front of b->out. */
void engine_stream_taken(struct engine *e, uint64_t n);
/* Restricted: somebody whose identifiers were read in what has not been taken is protected by now, and was not then. */
bool engine_stream_has_missed(const struct engine *e);
/* What was decided since the last engine_stream_next_part; its arrays live until the next one, or until something else is
 * read. The verdict's document_withheld: a finding outside every unit; nothing behind it leaves. */
void engine_stream_part(struct engine *e, struct policy_verdict *out);
/* Of the part's units; copied into the arena. False when that is full. */
bool engine_stream_suspicions(const struct engine *e, struct arena *arena, struct engine_outcome *out);
void engine_stream_next_part(struct engine *e);
/* Findings of registered people in the part so far: when to end it. */
size_t engine_stream_subjects(const struct engine *e);
/* Why it was over: ENGINE_READABLE where the body ended and all was read, or where the document is withheld. */
enum engine_unreadable engine_stream_unreadable(const struct engine *e);

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
