/* What the files of proxy/ share. Nobody else includes it. */
#ifndef GATE1367_PROXY_INTERNAL_H
#define GATE1367_PROXY_INTERNAL_H

#include "engine/engine.h"
#include "pages/pages.h"
#include "proxy/proxy.h"

#define PROXY_INPUT 65536        /* what a connection holds unread; a whole head must fit */
#define PROXY_HEAD_MS 15000      /* a request's head, from its first byte */
#define PROXY_IDLE_MS 60000      /* between requests, and for a body's next piece … */
#define PROXY_BODY_PIECE 16384   /* … of so many bytes, or its end */
#define PROXY_SEND_MS 60000      /* for a client to take the next piece … */
#define PROXY_SEND_MOST (16 * IO_RECORD) /* … of so many bytes at most */
#define PROXY_DRAIN_IDLE_MS 5000 /* an old generation's idle connections, and where others wait for their places */
#define PROXY_SUMMARY_MS 60000   /* one summary entry an interval */
#define PROXY_QUIET_MS 10        /* an entry that nobody waits for may wait so long for one that somebody does */
#define PROXY_GROUP 16           /* decisions that a busy worker publishes before it asks for them … */
#define PROXY_GROUP_US 2000      /* … or the age of the first, in which several long documents are read */

struct worker;
struct session;
struct exchange;
struct paging;

/* ---- origin connections ----------------------------------------------------------------------------------------- */

struct origin {
    uint32_t magic;
    struct worker *worker;
    struct io_conn *conn;
    struct exchange *user; /* NULL: idle in its pool */
    size_t upstream, server;
    enum recipient_class class; /* never shared between classes */
    bool connected, reused, ended, truncated, failed;
    struct origin *next, *previous;
};

/* Idle connections of one upstream and class, newest first. */
struct origin_pool {
    struct origin *idle;
    unsigned count;
    size_t turn; /* next server */
    uint64_t told_ms; /* when it was last said that no connection could be made; 0: never */
    struct io_tls_client **tls; /* one a server, NULL for plain */
};

/* An idle connection, or a new one under way. NULL: none can be made. */
struct origin *origin_take(struct worker *w, size_t upstream, enum recipient_class class, struct exchange *user);
/* The next server's new connection (after one failed, or for a retry). */
struct origin *origin_connect(struct worker *w, size_t upstream, enum recipient_class class, struct exchange *user);
void origin_give_back(struct origin *o); /* may carry another exchange */
void origin_drop(struct origin *o);      /* NULL is fine */
void origin_close_idle(struct worker *w);
bool origin_close_one(struct worker *w); /* an idle one, whose ever. False: there is none */
RESULT origin_pools_open(struct worker *w, char *why, size_t size);
void origin_pools_close(struct worker *w);

/* ---- exchanges -------------------------------------------------------------------------------------------------- */

/* The corridor; one function a step, in exchange.c's table. */
#define PROXY_STEPS(X)                                                                                                 \
    X(READ_HEAD, read_head)                                                                                            \
    X(ADMIT, admit)                                                                                                    \
    X(ASK, ask)                                                                                                        \
    X(LISTEN, listen)                                                                                                  \
    X(READ_BODY, read_body)                                                                                            \
    X(DECIDE, decide)                                                                                                  \
    X(SUSPECT, suspect)                                                                                                \
    X(RECORD, record)                                                                                                  \
    X(PACE, pace)                                                                                                      \
    X(SEND, send)                                                                                                      \
    X(FINISH, finish)
enum step {
#define X(id, name) STEP_##id,
    PROXY_STEPS(X)
#undef X
        STEP_COUNT
};

enum flow {
    FLOW_GO,   /* x->step says where */
    FLOW_WAIT, /* for an event */
    FLOW_GONE, /* the exchange (and perhaps its session) is no more */
};

struct exchange {
    uint32_t magic;
    struct worker *worker;
    struct session *session;
    enum step step;
    struct exchange *next; /* free list; ledger queue */
    bool queued;           /* in the ledger queue */
    struct exchange *next_suspecting;
    bool suspecting;    /* waits for admin */
    struct engine_begin begin; /* as what the answer is read; its media type and charset outlive the head */
    uint64_t registry_at;      /* registry_position() when the body began to be read */
    bool suspects_part; /* … for a part of a document that leaves in parts */
    uint64_t suspicion_first, suspicion_ticket;  /* of the first and the last message */
    uint64_t suspicion_due_us;                   /* 0: nothing published yet */
    size_t suspicion_at;                         /* the next one to publish */

    struct http_request request;
    struct http_body request_body;
    uint64_t request_due; /* bytes of it from which on the client gets its time anew */
    struct buf head;  /* a copy of the request's head: its spans stand in it */
    bool skipped;     /* an empty line before the head */
    bool body_read;   /* the request's body was read to its end */
    bool body_dropped; /* … but the origin, which had answered, did not get all of it */
    bool close;       /* the connection ends after this answer */
    bool routed;
    char id[LEDGER_REQUEST_ID];
    uint64_t arrival_us, time_us; /* monotonic, realtime */
    uint64_t due_us;              /* monotonic: when the answer leaves, by its grid; 0: as soon as it can */
    uint64_t decided_us;          /* monotonic */
    uint64_t published_us;        /* its entry; 0: none */
    const struct recipient_identity *who; /* who asks: the connection's, or `behind` a trusted proxy */
    struct recipient_identity behind;
    enum recipient_class class;
    const char *purpose;
    const struct proxy_route *route;
    const struct rules_document *document;
    bool dropped;                        /* the profile drops parameters: the query that goes on is `handed_on` */
    span handed_on;
    const struct rules_search *search;   /* what is asked of it, in the gate's arena; NULL: nothing that leaves units out */
    const struct rules_document *shadow; /* of a profile in shadow that describes the path, or NULL */
    bool tried;                          /* it reads a document in parts too */
    struct shadow_review *review;        /* to be published; in the gate's arena */

    struct origin *origin;
    size_t servers_tried;
    bool head_sent, continued, retried;
    struct http_response response;
    struct http_body response_body;
    uint64_t body_due; /* bytes of it from which on the origin gets its time anew */
    bool responded; /* a final head was read */
    bool discard;   /* the origin's body is not for this recipient */
    bool body_complete;
    struct http_media media;
    const struct http_field *fields; /* of the head, that the document lists: in the gate's arena */
    size_t field_count;
    uint8_t pseudonym_key[POLICY_PSEUDONYM_KEY]; /* of this recipient and month, where the profile asks for one */

    struct paging *paging; /* a list that is asked for page by page; NULL: no such thing */
    struct gate *gate;
    bool admitted; /* an engine is reserved */
    struct engine *engine;
    enum gate_failure failure;
    enum gate_answer answer;
    bool from_origin; /* the answer's body is the origin's, whole or edited */
    unsigned status;
    span answer_type, answer_body; /* where it is not */
    bool recorded;                 /* an entry was published for it */
    bool disclosure;               /* … of that event: a completion follows */

    struct io_timer timer; /* pace */
    bool paced, head_written;
    bool chunked;
    struct http_chunker chunker;
    bool in_parts, begun; /* its units leave one by one; some have, or are about to whatever comes */
    struct buf wire;      /* in parts, restricted: bytes of the answer on their way */
    size_t wire_sent;     /* so many of them are being sent */
    uint64_t heard_us, part_us; /* in parts, monotonic: when the origin sent something, when this part began to be read */
    bool pauses;          /* the origin has sent nothing for a while */
    uint64_t held;        /* what it counts for in the worker's memory */
    uint64_t sent_before; /* io_bytes_sent when the answer began */
#ifdef GATE1367_BREAKABLE
    bool hides; /* something was found and is withheld (breakable.h) */
    char validator[32];
#endif
};

struct exchange *exchange_new(struct session *s); /* NULL: out of memory */
void exchange_free(struct exchange *x);           /* to the worker's free list */
void exchange_destroy(struct exchange *x);        /* one that was on it */
void exchange_restart(struct exchange *x);        /* for the session's next request */
void exchange_run(struct exchange *x);
/* READ_BODY's loop for a stream in SEND: takes what the origin has sent into the gate. False: broken off. */
bool response_pump(struct exchange *x);
void exchange_decided(struct exchange *x); /* the verdict stands */
/* Ends in a canonical answer for the row; the next step is RECORD. */
enum flow exchange_fail(struct exchange *x, enum gate_failure f);
enum flow exchange_head_late(struct exchange *x); /* the request did not arrive in time */
void exchange_origin_event(struct exchange *x, enum io_event event);
uint8_t *exchange_place(struct exchange *x, size_t *n); /* for the origin's next bytes, as io_place */
/* Give the origin and the engine back. */
void exchange_leave_origin(struct exchange *x, bool reusable);
void exchange_leave_engine(struct exchange *x);
/* Counts anew what the exchange holds. False: all of the worker's hold more than limits.memory. */
bool exchange_account(struct exchange *x);

#define X(id, name) enum flow step_##name(struct exchange *x);
PROXY_STEPS(X)
#undef X

/* response.c */
/* The origin's body has ended, in good order or not; the next step is DECIDE. */
enum flow exchange_body_ended(struct exchange *x, bool complete);

/* parts.c: the steps of a document whose units leave one by one */
enum flow parts_read(struct exchange *x);
enum flow parts_decide(struct exchange *x);
enum flow parts_send(struct exchange *x);
/* Released, and nothing of it leaves: it was only to be on record. */
bool parts_is_empty(const struct exchange *x);
/* All of a part has left: the next, or the end. */
enum flow parts_more(struct exchange *x);

/* pages.c: the steps of a list that the origin gives page by page */
enum gate_failure pages_enter(struct exchange *x); /* GATE_FINE also where it is none */
void pages_leave(struct exchange *x);
uint64_t pages_held(const struct exchange *x);     /* bytes */
RESULT pages_query(struct exchange *x, span *query); /* of this trip; lives until the next call */
struct arena *pages_arena(const struct exchange *x); /* for what the first head says */
bool pages_is_first(const struct exchange *x);       /* the first trip is under way */
/* Takes a status that says nothing but that the list has ended. */
bool pages_past_end(struct exchange *x);
enum flow pages_begin_body(struct exchange *x, const struct engine_begin *b);
RESULT pages_receive(struct exchange *x, span data);
enum flow pages_decide(struct exchange *x);
/* After a decision: once more to the origin, a failure, or `enough`. */
enum flow pages_look(struct exchange *x, enum flow (*enough)(struct exchange *));
struct engine_page pages_window(const struct exchange *x);
/* Writes our own cursors, links and totals. */
enum gate_failure pages_finish(struct exchange *x);

/* send.c: into the connection's queue */
RESULT answer_write_head(struct exchange *x);

/* mirror.c: what is judged and counted instead of being answered */
static inline bool mirror_is_on(const struct exchange *x);
bool mirror_asks(const struct exchange *x);     /* a method that changes nothing: the origin may be asked once more */
void mirror_failed(const struct exchange *x);   /* x->failure, before the origin was asked or instead of its answer */
void mirror_decided(const struct exchange *x);  /* before the engine is given back */
/* behind.c: sets x->who */
struct behind *behind_new(void); /* NULL: out of memory */
void behind_identify(struct exchange *x);
/* answer.c: fills status, answer_type, answer_body for x->answer */
void answer_choose(struct exchange *x);
/* fields.c: what of the head passes, in x->fields, and to be scanned. LIMIT: no memory. */
RESULT fields_collect(struct exchange *x, struct engine_field **scanned);

/* shadow.c */
struct shadow_review {
    struct ledger_entry left;
    uint64_t ticket;
};
void shadow_look(struct exchange *x);      /* once the document is decided */
void shadow_begin(struct exchange *x);     /* of a document in parts, right after gate_open */
void shadow_look_part(struct exchange *x); /* once a part is decided */
void shadow_leave(struct exchange *x);
RESULT shadow_publish(struct exchange *x); /* before the answer's own entry; LIMIT EAGAIN: again when the ring drains */
/* parts.c: a failure after DECIDE. */
enum flow parts_fail(struct exchange *x, enum gate_failure f);
/* suspect.c: the exchanges that wait for admin; it moved. */
void suspect_moved(struct worker *w);
void suspect_forget(struct exchange *x);
/* response.c: the verdict stands; RECORD is next. */
void exchange_conclude(struct exchange *x);
/* interest.c: when the answer has left. */
void interest_note(struct exchange *x);
void interest_count(struct exchange *x);
/* record.c */
/* What every entry about the exchange says; its texts live in the arena or as long as the exchange. */
RESULT record_describe(struct exchange *x, struct arena *a, struct ledger_entry *e);
/* What a verdict found: subjects by pseudonym, rules by name, records. Lives in the arena. */
RESULT record_describe_findings(struct exchange *x, const struct policy_verdict *v, struct arena *a, struct ledger_entry *e);
/* Of what was spelled for a session or worker. */
void record_forget(span *spelled);
RESULT record_publish(struct exchange *x);
void record_versions(const struct worker *w, struct ledger_entry *e);
void record_count(struct exchange *x); /* what was decided, for the metrics */
void record_completion(struct exchange *x, bool aborted);

/* summary.c: signed counters of an interval */
void summary_begin(struct worker *w); /* before the first exchange */
void summary_write(struct worker *w);
uint64_t summary_due_ms(void); /* until the interval ends */

/* ---- sessions --------------------------------------------------------------------------------------------------- */

struct session {
    uint32_t magic;
    struct worker *worker;
    struct io_conn *conn;
    struct exchange *exchange; /* NULL between requests */
    struct session *next, *previous;
    const struct listening *listening;
    struct recipient_identity who;
    char client[OS_ADDRESS_TEXT]; /* address without port */
    span spelled; /* who it is, as every entry says it: memory of its own; NULL: no entry yet */
    int64_t ends_s; /* when what it showed of itself ends, in seconds since 1970 */
    bool identified, used;
    bool ended; /* the client sends no more */
    bool gone;  /* the connection is broken: nothing can be sent */
    bool cut;   /* … by us, inside an answer: what was sent of it shall arrive */
    uint64_t follows_us; /* the next request stood there already when the answer before it was due; 0: it did not */
#ifdef GATE1367_BREAKABLE
    bool hid; /* the answer before */
#endif
};
void session_accepted(int fd, const struct sockaddr_storage *from, void *listener);
/* The exchange is over: next request, or the end of the connection. */
enum flow session_next(struct session *s);
void session_end(struct session *s, bool orderly);
/* Those that have asked for nothing for so long; 0: and those that have not asked yet. */
void session_close_idle(struct worker *w, uint64_t idle_ms);

/* ---- room.c: how many clients fit ------------------------------------------------------------------------------- */

struct room {
    uint64_t files;        /* descriptors for connections */
    uint64_t most;         /* clients at once */
    uint64_t origins;      /* connections to origins, idle ones too */
    bool resting;          /* nobody is accepted */
    struct io_timer timer; /* looks whether somebody has left */
    uint64_t told_ms, swept_ms, overrun_ms;
};
/* Once all else is open. CONFIG: there is no room for anybody. */
RESULT room_measure(struct worker *w, char *why, size_t size);
void room_taken(struct worker *w); /* by one more client */
void room_look(struct worker *w);  /* somebody may have left */
void room_overrun(struct worker *w); /* somebody was broken off, for too much of what all have sent is unread */
/* Before a connection is made: an idle one to an origin gives its place where it must. */
void room_for_another(struct worker *w);

/* ---- spare.c: what is kept for later requests -------------------------------------------------------------------- */

struct spare {
    uint64_t total, used; /* exchanges; `used` are under way */
    uint64_t peak;        /* most at once, lately */
    unsigned waited;      /* for a quiet moment */
    bool owed;            /* there was a crowd, and what it left has not gone back */
};
static inline void spare_taken(struct spare *s)
{
    if (++s->used > s->peak) s->peak = s->used;
}
void spare_look(struct worker *w); /* once a second */
void spare_free(struct worker *w); /* all that are kept */

/* ---- the worker ------------------------------------------------------------------------------------------------- */

struct listening {
    struct worker *worker;
    struct io_listener *listener;
    struct io_tls_server *tls;
    struct recipient_anchors *anchors; /* NULL where no client has a certificate */
    struct io_tls_judge judge;         /* by them */
};

struct worker {
    const struct proxy_worker_arguments *arguments;
    const struct proxy_settings *settings;
    struct io_loop *loop;
    struct listening *listening;
    struct room room;
    struct spare spare;
    struct origin_pool *pools; /* upstream × class */
    struct session *sessions;
    struct exchange *free_exchanges;
    struct exchange *queue, **queue_end; /* waiting for the ledger, oldest first */
    size_t queued;                       /* so many */
    struct exchange *suspecting;         /* waiting for admin */
    struct io_task *ledger_first, *ledger_idle; /* when the scribe is asked, and its answers are looked at */
    unsigned unasked;                    /* decisions published that the scribe was not asked for yet */
    uint64_t unasked_us;                 /* when the first of them was */
    bool asked_soon, unasked_quiet;
    bool ring_full;                      /* the first of the queue has to be published once there is room */
    struct match_lores *lores;           /* of all engines */
    struct engine **engines;             /* idle ones, the one used last at the end */
    size_t engine_idle, engine_total, engine_room, engine_reserved;
    struct pages_keys cursor_keys;
    struct behind *behind; /* certificates that trusted proxies handed on lately; NULL without one */
    struct gate_environment gates;
    struct buf scratch;
    struct http_limits limits;
    struct http_date date;
    struct ledger_month month;
    struct ledger_sealer *sealer; /* NULL without auditors */
    span pieces[IO_SEND_MAX]; /* of the answer that is being sent right now */
    uint8_t chance[1024]; /* random bytes bought wholesale */
    size_t chance_used;
    struct io_watch *ring_watch, *control_watch, *suspicion_watch;
    struct io_timer drain_timer, summary_timer, quiet_timer, beat_timer, end_timer;
    uint64_t memory;       /* that exchanges hold */
    uint64_t spare_memory; /* that free ones keep */
    bool draining, broken;
    uint64_t alarmed_ms[GATE_FAILURE_COUNT];
    uint64_t told_before[PROXY_TALLY_COUNT]; /* what the summary before the last had told … */
    uint64_t told_before_us, summary_ticket; /* … and the last one's: what died with a scribe is told again */
    char registry_version[33];
    span spelled_versions; /* as every entry says them: memory of its own */
    uint64_t registry_built; /* unix seconds */
};

static inline void worker_count(struct worker *w, enum proxy_counter c, uint64_t n)
{
    _Atomic uint64_t *v = &w->arguments->counters->counters[c];
    atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline void worker_gauge(_Atomic uint64_t *v, int64_t change)
{
    uint64_t now = atomic_load_explicit(v, memory_order_relaxed);
    atomic_store_explicit(v, now + (uint64_t)change, memory_order_relaxed);
}
static inline void summary_count(struct worker *w, unsigned what)
{
    w->arguments->counters->tally[what]++;
}
static inline unsigned summary_upstream(size_t upstream)
{
    return upstream < PROXY_TALLIED_UPSTREAMS ? (unsigned)upstream : PROXY_TALLIED_UPSTREAMS - 1;
}
static inline bool mirror_is_on(const struct exchange *x) { return x->worker->arguments->mirror != NULL; }
RESULT worker_random(struct worker *w, uint8_t *out, size_t len); /* IO: no chance to be had */
/* There is an engine for every exchange that was admitted, so that none goes without once its origin was asked. Which one
 * it gets shows when there is something to read: the one used last, whose memory is warm. False: out of memory. */
bool worker_engine_reserve(struct worker *w);
void worker_engine_release(struct worker *w);
void worker_engines_trim(struct worker *w); /* idle ones, but for one */
struct engine *worker_engine_take(struct worker *w);            /* for a reservation */
void worker_engine_back(struct worker *w, struct engine *e); /* NULL is fine; before its release */
void worker_queue(struct worker *w, struct exchange *x);     /* until the ledger moves */
void worker_unqueue(struct worker *w, struct exchange *x);
/* An entry was published, which an exchange waits for or nobody does. */
void worker_published(struct worker *w, bool awaited);
void worker_look(struct worker *w); /* behind each event that may have taken long */
void worker_ring_full(struct worker *w); /* somebody could not be published, and is queued */
void worker_session_ended(struct worker *w);
/* Once a minute for each row is enough. */
void worker_alarm(struct worker *w, enum gate_failure f);
/* For a request that arrived then; its clock was read already. */
enum gate_failure worker_ledger_refusal(const struct worker *w);
bool worker_registry_usable(const struct worker *w, uint64_t time_us);

#endif
