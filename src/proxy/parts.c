/* Documents of independent units: READ_BODY to SEND go round once for each part.
 *
 *   READ_BODY ─► DECIDE ─► RECORD ─► PACE ─► SEND ─┬─► FINISH
 *       ▲                                          │
 *       └──────────────── more ────────────────────┘
 *
 * What a restricted recipient receives is one stream of bytes (the head, then chunks of exactly GATE_CHUNK bytes) that
 * leaves in records of exactly IO_RECORD: neither tells where one part ended and another began. */
#include "proxy/internal.h"

#define PAUSE_LEAST_US 20000  /* an origin that is silent for a step of the grid, but so long at least … */
#define PAUSE_MOST_US 1000000 /* … and at most, has paused, and so has one that takes so long for a part */

/* No final chunk, no clean TLS close: the client must see it. Many overlook a missing close_notify, so that a body which
 * only the end of the connection delimits ends with a reset. */
static enum flow break_off(struct exchange *x)
{
    x->session->gone = true;
    x->session->cut = x->request.minor > 0;
    x->step = STEP_FINISH;
    return FLOW_GO;
}

/* ---- READ_BODY -------------------------------------------------------------------------------------------------- */

static enum flow decide_next(struct exchange *x)
{
    io_timer_clear(&x->timer);
    if (x->origin != NULL) io_set_deadline(x->origin->conn, 0); /* the client's time runs, not the origin's */
    x->step = STEP_DECIDE;
    return FLOW_GO;
}

/* Of restricted recipients what was decided before leaves first, as before any other end that is none. */
static enum flow broken(struct exchange *x, enum gate_failure f)
{
    if (x->class == RECIPIENT_ENTITLED) return x->head_written ? break_off(x) : exchange_fail(x, f);
    x->failure = f;
    exchange_leave_origin(x, false);
    x->body_complete = false;
    return decide_next(x);
}

/* Not even held: to who is entitled the rest passes unread, from before this piece on. */
static enum flow out_of_memory(struct exchange *x, const struct http_body *before)
{
    if (x->class == RECIPIENT_RESTRICTED) return x->head_written ? break_off(x) : exchange_fail(x, GATE_READ_MEMORY);
    x->response_body = *before;
    x->failure = GATE_READ_MEMORY;
    return decide_next(x);
}

/* What an origin sends is read as fast as it comes, and as far as a part needs: a look that finds nothing is no pause. Else each step of
 * the grid would hold what was read while the gateway waited for it, less what was withheld of that. Where nothing is paced there
 * is nothing to hide. */
//= ICE10036.2 2.1
static bool has_paused(struct exchange *x)
{
    uint64_t grid = x->route->pace.grid_us, now = io_now_us();
    if (x->class == RECIPIENT_ENTITLED || grid == 0) return true;
    uint64_t pause = grid < PAUSE_LEAST_US ? PAUSE_LEAST_US : grid > PAUSE_MOST_US ? PAUSE_MOST_US : grid;
    bool silent = now >= x->heard_us + pause, slow = now >= x->part_us + PAUSE_MOST_US;
    if ((silent || slow) && io_is_silent(x->origin->conn)) return true;
    io_timer_at(&x->timer, silent || slow ? now + pause : x->heard_us + pause);
    return false;
}

static enum flow wait_for_origin(struct exchange *x)
{
    x->pauses = gate_part_ready(x->gate, true) && has_paused(x);
    if (x->pauses) return decide_next(x);
    uint64_t now = io_now_us(), due = x->heard_us + x->worker->settings->upstreams[x->route->upstream].response_ms * 1000;
    io_set_deadline(x->origin->conn, due > now ? (due - now) / 1000 + 1 : 1);
    return FLOW_WAIT;
}

enum flow parts_read(struct exchange *x)
{
    if (x->head_written && x->session->gone) return break_off(x);
    if (gate_part_ready(x->gate, false)) return decide_next(x); /* read before */
    struct io_conn *origin = x->origin->conn;
    for (;;) {
        span in = io_input(origin), data;
        size_t used;
        struct http_body before = x->response_body;
        enum http_step step = http_body_next(&x->response_body, in, &used, &data);
        if (step == HTTP_BAD) return broken(x, GATE_UPSTREAM_FRAMING);
        if (!exchange_account(x) || !is_ok(gate_receive(x->gate, data))) return out_of_memory(x, &before);
        worker_count(x->worker, PROXY_BODY_BYTES, data.len);
        io_consume(origin, used);
        if (used > 0 || x->heard_us == 0) x->heard_us = io_now_us();
        if (x->part_us == 0) x->part_us = x->heard_us;
        if (step == HTTP_DONE) return exchange_body_ended(x, true);
        if (gate_part_ready(x->gate, false)) return decide_next(x);
        if (used > 0 && io_input(origin).len > 0) continue;
        if (!x->origin->ended) return wait_for_origin(x);
        bool clean = !x->origin->truncated && !x->origin->failed;
        return exchange_body_ended(x, http_body_end(&x->response_body, clean) == HTTP_DONE);
    }
}

/* ---- DECIDE ----------------------------------------------------------------------------------------------------- */

static enum gate_body body_here(const struct exchange *x)
{
    if (x->origin == NULL) return x->body_complete ? GATE_BODY_COMPLETE : GATE_BODY_CUT;
    return x->pauses ? GATE_BODY_PAUSES : GATE_BODY_GOES_ON;
}

/* No more of it than this part: to HEAD, or because there is no memory to read on (restricted recipients have failed before). */
static bool is_unwanted(const struct exchange *x)
{
    return x->request.method == HTTP_HEAD || x->failure == GATE_READ_MEMORY;
}

/* An entitled recipient is not served less because something could not be read: what is here and what comes passes, on
 * record. False: there is no memory to go on with. */
static bool pass_unread(struct exchange *x)
{
    if (!is_ok(gate_parts_become_stream(x->gate))) return false;
    gate_stream(x->gate);
    worker_count(x->worker, PROXY_UNINSPECTED, 1);
    x->in_parts = false;
    return true;
}

static void count_failure(struct exchange *x)
{
    if (x->failure == GATE_FINE) return;
    atomic_fetch_add_explicit(&x->worker->arguments->counters->failures[x->failure], 1, memory_order_relaxed);
    worker_alarm(x->worker, x->failure);
}

static enum flow decided(struct exchange *x)
{
    exchange_decided(x);
    answer_choose(x);
    if (!x->from_origin) {
        gate_replace(x->gate);
        x->in_parts = false; /* what takes its place is whole */
    }
    x->suspects_part = gate_outcome(x->gate)->suspicion_count > 0;
    x->step = x->suspects_part ? STEP_SUSPECT : STEP_RECORD;
    return FLOW_GO;
}

enum flow parts_fail(struct exchange *x, enum gate_failure f)
{
    return x->head_written ? break_off(x) : exchange_fail(x, f);
}

/* The document ends here, or what can be told of it does. */
static enum flow decide_last(struct exchange *x)
{
    count_failure(x);
    x->answer = gate_failure_answer(x->failure, x->class);
    if (x->answer == GATE_ANSWER_UNINSPECTED) {
        bool passes = pass_unread(x);
        if (!passes && x->head_written) return break_off(x);
    } else {
        exchange_leave_origin(x, false);
    }
    shadow_look_part(x);
    exchange_leave_engine(x);
    return decided(x);
}

/* What is less than a chunk, or more than a part, waits for long where its origin is slow. */
static void look_again(struct exchange *x)
{
    uint64_t now = registry_position(x->worker->arguments->registry);
    if (now == x->registry_at) return;
    x->registry_at = now;
    gate_look_again(x->gate);
}

enum flow parts_decide(struct exchange *x)
{
    look_again(x);
    enum gate_failure f = gate_part(x->gate, body_here(x), is_unwanted(x));
    x->pauses = false;
    if (x->failure == GATE_FINE) x->failure = f;
    if (x->class == RECIPIENT_ENTITLED && !worker_registry_usable(x->worker, x->time_us)) x->failure = GATE_REGISTRY;
    x->begun = x->head_written || (x->class == RECIPIENT_RESTRICTED && gate_settled(x->gate) >= GATE_CHUNK);
    worker_count(x->worker, PROXY_DOCUMENTS, gate_part_number(x->gate) == 1);
    if (gate_part_is_last(x->gate)) return decide_last(x);
    x->answer = gate_failure_answer(GATE_FINE, x->class);
    shadow_look_part(x);
    return decided(x);
}

/* ---- SEND ------------------------------------------------------------------------------------------------------- */

bool parts_is_empty(const struct exchange *x)
{
    bool parts = x->in_parts && x->from_origin && x->class == RECIPIENT_RESTRICTED && gate_state(x->gate) == GATE_RELEASED;
    return parts && !gate_part_is_last(x->gate) && gate_drained(x->gate);
}

/* The next part, the end, or the place where it breaks off. */
enum flow parts_more(struct exchange *x)
{
    bool in_order = x->failure == GATE_FINE && !gate_outcome(x->gate)->verdict.document_withheld;
    bool head = x->request.method == HTTP_HEAD;
    if (gate_part_is_last(x->gate) && !in_order && !head) return break_off(x);
    x->step = STEP_FINISH;
    if (gate_part_is_last(x->gate)) return FLOW_GO;
    gate_next_part(x->gate);
    io_set_deadline(x->session->conn, 0); /* the origin's time runs, not the client's */
    x->paced = false;
    x->heard_us = x->part_us = io_now_us(); /* it may have waited for us */
    x->step = STEP_READ_BODY;
    return FLOW_GO;
}

static RESULT add_chunk(struct exchange *x, span data)
{
    if (!x->chunked || data.len == 0) return buf_append(&x->wire, data);
    return http_write_chunk(&x->wire, data);
}

/* Parts begin and end at a chunk's border, but for the end of the last. */
static RESULT add_chunks(struct exchange *x, span data)
{
    while (data.len > 0) {
        size_t n = data.len < GATE_CHUNK ? data.len : GATE_CHUNK;
        TRY(add_chunk(x, span_sub(data, 0, n)));
        data = span_from(data, n);
    }
    return OK;
}

#define HEAD_MOST ((size_t)256 * 1024)

/* A part may hold as much as the gate does (a record of the limit leaves in one go); each chunk has some bytes around it, and
 * the head stands before. */
static size_t wire_most(const struct worker *w)
{
    size_t body = (size_t)w->gates.body_cap;
    return HEAD_MOST + body + (body / GATE_CHUNK + 2) * (HTTP_CHUNK_HEAD_MAX + 2);
}

static RESULT begin_wire(struct exchange *x)
{
    struct buf *out = io_output(x->session->conn);
    if (x->worker->draining) x->close = true; /* also of a request that came before the draining began */
    x->sent_before = io_bytes_sent(x->session->conn);
    x->head_written = true;
    buf_init(&x->wire, wire_most(x->worker));
    TRY(answer_write_head(x));
    TRY(buf_append(&x->wire, buf_span(out)));
    buf_clear(out);
    return OK;
}

/* Everything that is to leave stands in `wire`: at the end all of it goes. */
static RESULT fill_wire(struct exchange *x, bool *end)
{
    span data;
    bool body = x->request.method != HTTP_HEAD;
    if (body && gate_take(x->gate, &data, 1, UINT64_MAX) > 0) TRY(add_chunks(x, data));
    bool in_order = x->failure == GATE_FINE && !gate_outcome(x->gate)->verdict.document_withheld;
    *end = gate_drained(x->gate) && gate_part_is_last(x->gate) && in_order;
    if (!body) *end = true;
    if (!*end || !x->chunked || !body) return OK;
    x->chunked = false; /* its last chunk is written once */
    return buf_append(&x->wire, HTTP_CHUNK_LAST);
}

//= ICE10036.2 2.1
enum flow parts_send(struct exchange *x)
{
    struct io_conn *c = x->session->conn;
    bool end = false;
    if (x->session->gone) return break_off(x);
    if (io_sending_pending(c)) return FLOW_WAIT;
    if (x->wire_sent > 0) buf_consume(&x->wire, x->wire_sent);
    x->wire_sent = 0;
    if (!x->head_written && !is_ok(begin_wire(x))) return break_off(x);
    if (!is_ok(fill_wire(x, &end))) return break_off(x);
    size_t n = end ? buf_len(&x->wire) : buf_len(&x->wire) / IO_RECORD * IO_RECORD;
    if (n > PROXY_SEND_MOST) n = PROXY_SEND_MOST;
    if (n == 0) return gate_drained(x->gate) || end ? parts_more(x) : FLOW_GO;
    span whole = span_sub(buf_span(&x->wire), 0, n);
    io_set_deadline(c, PROXY_SEND_MS);
    x->wire_sent = n;
    switch (io_send(c, &whole, 1)) {
    case IO_SENT: return FLOW_GO;
    case IO_PENDING:
        (void)exchange_account(x);
        return FLOW_WAIT;
    case IO_FAILED: break;
    }
    return break_off(x);
}
