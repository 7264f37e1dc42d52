/* gate: the heart. Joins engine and ledger for one answer, owns the five cursors over the decoded body
 *
 *     received ≥ read ≥ decided ≥ recorded ≥ sent
 *
 * asserts their order at every move, and is the only code that can move `sent`: up to `recorded`, which moves only when the
 * ledger says that the entries covering those bytes are durable. The answer's head waits for the first verdict.
 *
 *   IDLE ─open─► RECEIVING ─decide─► DECIDED ─record─► RECORDING ─durable─► RELEASED ─(all sent)─► RELEASED
 *                    │                  └─ exempt: nothing found for an entitled recipient ─► RELEASED
 *                    └─ stream: an answer that is not read, for an entitled recipient ─► DECIDED, bytes follow
 *   RECORDING ─failed─► REFUSED: nothing of this answer ever leaves
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 5.6(1)   every disclosure is on record */
#ifndef GATE1367_GATE_H
#define GATE1367_GATE_H

#include "base/base.h"
#include "engine/engine.h"
#include "gate/failures.h"
#include "ipc/ipc.h"
#include "ledger/ledger.h"

const char *gate_failure_name(enum gate_failure f);
/* For people: "over limits.document". */
const char *gate_failure_condition(enum gate_failure f);
enum gate_answer gate_failure_answer(enum gate_failure f, enum recipient_class class);
/* What the ledger says of an answer given because of f; LEDGER_NO_OUTCOME: no entry. */
enum ledger_outcome gate_failure_outcome(enum gate_failure f, enum recipient_class class);
/* Throws the row's switch: true when a test armed it. */
bool gate_failure_thrown(enum gate_failure f);
enum gate_failure gate_failure_of(enum engine_unreadable u);
/* The first document row (UNPROFILED and below) whose switch a test threw. */
enum gate_failure gate_document_failure_thrown(void);

/* A document of independent units goes round in parts:
 *
 *   RECEIVING ─part─► DECIDED ─record─► RECORDING ─durable─► RELEASED ─next_part─► RECEIVING …
 *
 * Its bytes have cursors of their own, over what leaves: settled ≥ decided ≥ recorded ≥ sent. */
enum gate_state { GATE_IDLE, GATE_RECEIVING, GATE_DECIDED, GATE_RECORDING, GATE_RELEASED, GATE_REFUSED };

struct gate;

struct gate_cursors {
    uint64_t received, read, decided, recorded, sent;
};

/* What all gates of a worker share. Borrowed; outlives them. */
struct gate_environment {
    struct ipc_ring *ring;
    struct buf *scratch; /* for encoding entries; cap at least LEDGER_ENTRY_MAX */
    uint64_t body_cap;   /* bytes of a body held at once: twice limits.document and a piece */
    size_t arena_cap;
};

/* One an exchange, reused: NULL on memory. */
struct gate *gate_new(const struct gate_environment *env);
void gate_free(struct gate *g);
/* IDLE again; wipes body and arena. */
void gate_reset(struct gate *g);
enum gate_state gate_state(const struct gate *g);
struct gate_cursors gate_cursors(const struct gate *g);
/* Bytes of bodies that it holds, as memory that was taken for them. What was found in them is not counted. */
uint64_t gate_held(const struct gate *g);
/* IDLE. Gives back what is kept for the next body. */
void gate_shrink(struct gate *g);
/* Lives until reset. */
struct arena *gate_arena(struct gate *g);
/* For what an entry is made of: lives until gate_next_part or reset. */
struct arena *gate_entry_arena(struct gate *g);

/* RECEIVING. The engine is the exchange's until gate_decide or gate_stream. b->arena is set by the gate. */
void gate_open(struct gate *g, struct engine *engine, const struct engine_begin *b);
/* How many bytes the origin declared: room for them is made at once (at most 4 MiB, which cost nothing until they come)
 * instead of by growing, which copies. Before the first gate_receive. */
void gate_expect(struct gate *g, uint64_t length);
/* Where the next bytes of a restricted recipient's body may be written, at most *n (> 0): gate_receive, told of them where
 * they stand, then copies nothing. The next call but for gate_place must be that, or one that drops the body, which wipes
 * them too. NULL: nowhere, *n is as it was. */
uint8_t *gate_place(struct gate *g, size_t *n);
/* Body bytes of the origin, in order; in GATE_RELEASED only for a stream that is drained. They are read now or with what
 * comes behind them, at the latest when it is decided. LIMIT: no memory, the bytes were not taken. */
RESULT gate_receive(struct gate *g, span bytes);
/* RECEIVING: the engine will read no further; gate_decide says why. A restricted recipient's body is no longer kept. */
bool gate_read_enough(const struct gate *g);
/* DECIDED. `complete`: the origin ended the body in good order. Returns the failure row or GATE_FINE. */
enum gate_failure gate_decide(struct gate *g, bool complete);
/* RECEIVING, nothing received, entitled: the answer has no body. DECIDED by what the fields of its head tell; whoever finds
 * nothing to send calls gate_replace, which leaves the outcome. */
enum gate_failure gate_decide_head(struct gate *g);
/* It was, and whole: gate_decide_again may be called. */
bool gate_may_decide_again(const struct gate *g);
/* DECIDED, everything read and nothing sent: once more, for the registry has changed. b as for gate_open. */
enum gate_failure gate_decide_again(struct gate *g, struct engine *engine, const struct engine_begin *b);
const struct engine_outcome *gate_outcome(const struct gate *g);
/* DECIDED and GATE_FINE, nothing on record yet: the gateway's own words behind byte `behind` of the body, which leaves
 * itself. They live until reset. LIMIT: no memory. */
RESULT gate_insert(struct gate *g, uint64_t behind, span words);
/* The body as it came, for those who count what it looks like (the mirror): never to be sent. Lives until it is replaced. */
span gate_raw_body(const struct gate *g);
/* What rules in shadow would have withheld of a decided document, for a restricted recipient. Changes nothing about the
 * answer, whatever happens. */
struct gate_review {
    uint64_t released; /* units (or the document) that they withhold, and values that they replace, of which a byte leaves */
    struct policy_verdict verdict; /* theirs; lives until reset */
};
/* DECIDED and GATE_FINE, restricted. `b` describes the document as the shadow sees it. False: they could not read it. */
bool gate_review(struct gate *g, struct engine *engine, const struct engine_begin *b, struct gate_review *out);
/* The same beside a document in parts: right after gate_open, where `b` describes independent units too. The engine is the
 * gate's until gate_trial_leave, which gives it back (NULL: there was none). False: no memory, the engine was not taken. */
bool gate_try(struct gate *g, struct engine *engine, const struct engine_begin *b);
struct engine *gate_trial_leave(struct gate *g);
/* DECIDED: of the part at hand, once. The verdict lives until the next, in gate_trial_arena. False: they could not read it. */
bool gate_trial_part(struct gate *g, struct gate_review *out);
struct arena *gate_trial_arena(struct gate *g);
/* Lives until reset; not the arena that the answer depends on. NULL: out of memory. */
struct arena *gate_review_arena(struct gate *g);
/* DECIDED with nothing read: the origin's bytes pass as they come, for an entitled recipient (asserted) and only under a
 * ledger entry that says `uninspected`. May follow RECEIVING: what was received stays in front. */
void gate_stream(struct gate *g);
bool gate_is_stream(const struct gate *g);
/* DECIDED with a canonical answer instead of the origin's body, which is dropped. */
void gate_replace(struct gate *g);
/* Bytes of the body that the recipient gets (edited for restricted ones); UINT64_MAX for a stream: unknown. */
uint64_t gate_length(const struct gate *g);

/* Publishes the entry (all its parts). RECORDING, or REFUSED. LIMIT EAGAIN: the ring is full; call again when it drains,
 * with NULL for what is left of the entry, whose texts and lists live until then. */
RESULT gate_record(struct gate *g, const struct ledger_entry *entry);
/* Such a call is owed. */
bool gate_record_halted(const struct gate *g);
/* REFUSED: the entry could not even be made. */
void gate_refuse(struct gate *g);
/* Released without an entry: asserts entitled, nothing found, everything read (or a route-less answer, `routed` false). */
void gate_exempt(struct gate *g, bool routed);
/* Looks at the ledger: RECORDING, RELEASED or REFUSED. No system call. */
enum gate_state gate_poll(struct gate *g);

/* ---- documents in parts ----------------------------------------------------------------------------------------- */

#define GATE_CHUNK 16384 /* a part but the last is a whole number of these */

/* After gate_open: the document's units leave as they are decided. gate_receive, then gate_part instead of gate_decide. */
bool gate_in_parts(const struct gate *g);
/* RECEIVING: there is something to release, or enough was decided that it should go on record; also where the body ended before,
 * and not all of it has left. `idle`: nothing more has come, so that less is enough. */
bool gate_part_ready(const struct gate *g, bool idle);
/* How the body ends here, where it does: then the part is the last. */
enum gate_body {
    GATE_BODY_GOES_ON,
    GATE_BODY_PAUSES,   /* it goes on, and nothing has come for a while: what is there leaves */
    GATE_BODY_COMPLETE,
    GATE_BODY_CUT,
};
/* RECEIVING. The registry has changed: where somebody is protected now who stands, to a restricted recipient, in what was decided
 * and has not left, none of that leaves, and the next part fails (GATE_REGISTRY) and is the last. */
void gate_look_again(struct gate *g);
/* DECIDED. Returns the failure row or GATE_FINE; after a failure (or a withheld document, see gate_outcome) what was
 * decided before it still leaves in whole chunks, when gate_length says that there ever was one. `unwanted`: the part is the last,
 * though the body goes on. */
enum gate_failure gate_part(struct gate *g, enum gate_body body, bool unwanted);
/* The part ends the document: in good order, by a failure or by a finding outside every unit. */
bool gate_part_is_last(const struct gate *g);
/* RELEASED and all taken, not the last: RECEIVING. */
void gate_next_part(struct gate *g);
/* Number of the first entry of the part, and of the last one published. */
uint32_t gate_part_number(const struct gate *g);
/* Bytes of what leaves that are settled by now. */
uint64_t gate_settled(const struct gate *g);
/* After a failure, for an entitled recipient: what has not left and what is still to come becomes one body that is not
 * read. Then gate_stream. LIMIT: no memory, and nothing was changed. */
RESULT gate_parts_become_stream(struct gate *g);
/* Gives the engine back, whatever the state: nothing more is read. */
void gate_leave_engine(struct gate *g);

/* ---- sending ---------------------------------------------------------------------------------------------------- */

/* RELEASED: at most n spans of what may leave next, of `most` bytes together (a stream's and a part's: all that is there).
 * The bytes live until reset (stream: until gate_taken_left). They count as sent: hand them to the connection. 0: all that is
 * here has been taken. */
size_t gate_take(struct gate *g, span *out, size_t n, uint64_t most);
/* RELEASED, decided whole: how many bytes n spans of them hold; `all`: they are what is left. */
uint64_t gate_ahead(const struct gate *g, size_t n, bool *all);
/* What was taken has left the connection: a stream's memory is free again. */
void gate_taken_left(struct gate *g);
/* Everything decided and received has been taken. */
bool gate_drained(const struct gate *g);

#endif
