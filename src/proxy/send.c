/* The corridor's end: on record, on the grid, out. */
#include "proxy/breakable.h"
#include "proxy/internal.h"
#include <errno.h>

/* ---- RECORD ----------------------------------------------------------------------------------------------------- */

/* Every routed request of a restricted recipient, whatever was found: finding something must cost no other path. Of
 * entitled ones, those in which something was found, could not be read, or was refused. */
static bool needs_entry(const struct exchange *x)
{
    if (!x->routed || mirror_is_on(x)) return false; /* nobody gets anything */
    if (x->class == RECIPIENT_RESTRICTED || (x->in_parts && gate_length(x->gate) == UINT64_MAX)) return true;
    return x->failure != GATE_FINE || gate_outcome(x->gate)->verdict.found;
}

static enum flow finish_broken(struct exchange *x)
{
    x->session->gone = true; /* no final chunk, no clean TLS close: the client must see it */
    x->step = STEP_FINISH;
    return FLOW_GO;
}

static enum flow refuse_unrecorded(struct exchange *x, enum gate_failure f)
{
    struct worker *w = x->worker;
    if (x->failure != f) atomic_fetch_add_explicit(&w->arguments->counters->failures[f], 1, memory_order_relaxed);
    if (x->head_written) return finish_broken(x);
    x->failure = f;
    x->answer = gate_failure_answer(f, x->class);
    x->begun = false; /* nothing of a document in parts has left either */
    exchange_leave_origin(x, false);
    answer_choose(x);
    x->step = STEP_PACE;
    return FLOW_GO;
}

static enum flow after_record(struct exchange *x)
{
    enum gate_state state = gate_poll(x->gate);
    if (state != GATE_RECORDING && x->queued) worker_unqueue(x->worker, x);
    switch (state) {
    case GATE_RECORDING:
        if (!x->queued) worker_queue(x->worker, x);
        return FLOW_WAIT;
    case GATE_RELEASED:
        proxy_observe(x->worker->arguments->counters, PROXY_COMMIT, io_now_us() - x->published_us);
        x->step = STEP_PACE;
        break;
    case GATE_REFUSED: return refuse_unrecorded(x, GATE_LEDGER);
    case GATE_IDLE:
    case GATE_RECEIVING:
    case GATE_DECIDED: ASSERT(false);
    }
    return FLOW_GO;
}

/* Answers whose first bytes have left are finished from the reserve. */
static enum gate_failure unrecordable(const struct exchange *x)
{
    if (x->failure == GATE_LEDGER || x->failure == GATE_LEDGER_ROOM) return x->failure;
    enum gate_failure f = x->head_written ? GATE_FINE : worker_ledger_refusal(x->worker);
    return f == GATE_LEDGER_ROOM || ipc_ring_held(x->worker->arguments->ring) ? f : GATE_FINE;
}

enum flow step_record(struct exchange *x)
{
    if (gate_state(x->gate) != GATE_DECIDED) return after_record(x);
    if (!needs_entry(x)) {
        bool gateway = x->routed && !mirror_is_on(x);
        if (!x->routed && !mirror_is_on(x)) summary_count(x->worker, PROXY_TALLY_REFUSED + x->failure);
        if (gateway) record_count(x);
        gate_exempt(x->gate, gateway);
        x->step = STEP_PACE;
        return FLOW_GO;
    }
    enum gate_failure f = unrecordable(x);
    if (f != GATE_FINE) {
        gate_refuse(x->gate);
        return refuse_unrecorded(x, f);
    }
    result r = record_publish(x);
    if (is_ok(r)) return after_record(x);
    if (r.class == ERROR_LIMIT && r.code == EAGAIN) {
        worker_count(x->worker, PROXY_LEDGER_WAITS, 1); /* back-pressure, never a drop */
        worker_ring_full(x->worker);
        if (!x->queued) worker_queue(x->worker, x);
        return FLOW_WAIT;
    }
    gate_refuse(x->gate);
    return refuse_unrecorded(x, GATE_LEDGER);
}

/* ---- PACE ------------------------------------------------------------------------------------------------------- */

static bool keeps_pace(const struct exchange *x, const struct proxy_pace *pace)
{
    if (BREAKS_HIDING(x, "break-early-answer") || BREAKS("break-no-pace")) return false;
    return x->class == RECIPIENT_RESTRICTED && pace->grid_us > 0 && !mirror_is_on(x) && x->failure != GATE_REQUEST_SYNTAX;
}

/* Answers to restricted recipients leave on a grid counted from the request's arrival, so that what was done in between
 * does not show. Until then the exchange stays in this step, whose only event is the timer: an origin that sends on, or a client
 * that takes what it was sent before, wakes nobody. */
//= ICE10036.2 2.1
enum flow step_pace(struct exchange *x)
{
    const struct proxy_pace *pace = x->route != NULL ? &x->route->pace : &x->worker->settings->pace;
    uint64_t now = io_now_us();
    if (parts_is_empty(x)) return parts_more(x);
    if (!x->paced && keeps_pace(x, pace)) {
        x->due_us = x->arrival_us + proxy_pace_due(pace, now - x->arrival_us);
        io_timer_at(&x->timer, x->due_us);
    }
    x->paced = true;
    if (now < x->due_us) return FLOW_WAIT;
    x->step = STEP_SEND;
    return FLOW_GO;
}

/* ---- SEND ------------------------------------------------------------------------------------------------------- */

#define NOTICE                                                                                                         \
    "8 U.S.C. 1367: disclosure or use outside DHS, DOS and DOJ is prohibited, acknowledging the record included; do not " \
    "act on information from a prohibited source alone"

static span section_value(const struct exchange *x, char *out, size_t size)
{
    const struct policy_verdict *v = &gate_outcome(x->gate)->verdict;
    if (gate_is_stream(x->gate)) return SPAN("uninspected");
    if (x->in_parts && gate_length(x->gate) == UINT64_MAX) return SPAN("unknown");
    if (!v->found) return SPAN("none");
    int n = snprintf(out, size, "protected; records=%llu", (unsigned long long)v->protected_);
    return span_of(out, (size_t)n);
}

/* Ours alone: an origin must not be able to claim them. */
static bool passes_to_client(const struct http_response *r, const struct http_field *f)
{
    if (!http_field_passes(r->fields, r->field_count, f)) return false;
    return f->id != HTTP_FIELD_SECTION_1367 && f->id != HTTP_FIELD_WARNING_NOTICE && f->id != HTTP_FIELD_REQUEST_ID;
}

/* Whoever changes a body owns what is said of it. */
static bool speaks_of_body(const struct http_field *f)
{
    return f->id == HTTP_FIELD_ETAG || f->id == HTTP_FIELD_CONTENT_DIGEST || f->id == HTTP_FIELD_REPR_DIGEST ||
           f->id == HTTP_FIELD_DIGEST || f->id == HTTP_FIELD_ACCEPT_RANGES || f->id == HTTP_FIELD_CONTENT_RANGE ||
           span_equal_nocase(f->name, SPAN("Content-MD5"));
}

/* The length that is declared: what will be sent, or what a stream's origin declared; false: unknown. */
static bool declared_length(const struct exchange *x, uint64_t *length)
{
    *length = gate_is_stream(x->gate) ? UINT64_MAX : gate_length(x->gate);
    if (*length != UINT64_MAX) return true;
    *length = x->response.length;
    return x->response.framing == HTTP_FRAMING_LENGTH;
}

static bool without_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

static RESULT write_entitled_framing(struct exchange *x, struct buf *out)
{
    uint64_t length;
    if (without_body(x->status)) return OK;
    if (declared_length(x, &length)) return http_write_length(out, length);
    if (x->request.minor == 0) {
        x->close = true; /* HTTP/1.0 knows no chunks: the end of the connection is the end of the body */
        return OK;
    }
    x->chunked = true;
    http_chunker_init(&x->chunker);
    return http_write_chunked(out);
}

static RESULT write_entitled_head(struct exchange *x, struct buf *out)
{
    struct http_response *r = &x->response;
    char value[64];
    bool edited = !gate_is_stream(x->gate) && gate_outcome(x->gate)->verdict.redactions.count > 0;
    TRY(http_write_status(out, x->status));
    if (http_find(r->fields, r->field_count, HTTP_FIELD_DATE, 0) == NULL) {
        TRY(http_write_field(out, SPAN("Date"), http_date_text(&x->worker->date, (int64_t)(x->time_us / 1000000))));
    }
    for (size_t i = 0; i < r->field_count; i++) {
        if (edited && speaks_of_body(&r->fields[i])) continue;
        if (passes_to_client(r, &r->fields[i])) TRY(http_write_field(out, r->fields[i].name, r->fields[i].value));
    }
    TRY(http_write_field(out, SPAN("Section-1367"), section_value(x, value, sizeof(value))));
    /* Also where not everything could be read: what was found is found. */
    if (gate_outcome(x->gate)->verdict.found) TRY(http_write_field(out, SPAN("Warning-Notice"), SPAN(NOTICE)));
    TRY(http_write_field(out, SPAN("Request-Id"), span_str(x->id)));
    TRY(write_entitled_framing(x, out));
    if (x->close) TRY(http_write_field(out, SPAN("Connection"), SPAN("close")));
    return http_write_end(out);
}

/* Chunks where the whole is not known; HTTP/1.0 knows none: the end of the connection is the end of the body. */
static enum http_framing plain_framing(struct exchange *x)
{
    if (without_body(x->status) && !x->from_origin) return HTTP_FRAMING_NONE;
    if (!x->from_origin || gate_length(x->gate) != UINT64_MAX) return HTTP_FRAMING_LENGTH;
    x->chunked = x->request.minor > 0;
    if (!x->chunked) x->close = true;
    return x->chunked ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_NONE;
}

/* The head of contract section 5, the same for every restricted answer and every canonical one. */
static RESULT write_plain_head(struct exchange *x, struct buf *out)
{
    enum http_framing framing = plain_framing(x);
    struct http_answer a = {
        .status = x->status,
        .now = (int64_t)(os_realtime_us() / 1000000),
        .content_type = x->answer_type,
        .framing = framing,
        .length = x->from_origin ? gate_length(x->gate) : x->answer_body.len,
        .request_id = span_str(x->id),
        .close = x->close,
        .extra = x->from_origin ? x->fields : NULL,
        .extra_count = x->from_origin ? x->field_count : 0,
        .allow = x->answer == GATE_ANSWER_METHOD && x->route != NULL && !x->from_origin ? span_str(x->route->allow)
                                                                                     : span_of(NULL, 0),
    };
    BREAK_ANSWER(x, &a);
    TRY(http_write_answer(out, &x->worker->date, &a));
    return BREAK_HEAD(x, out);
}

result answer_write_head(struct exchange *x)
{
    struct buf *out = io_output(x->session->conn);
    bool entitled = x->from_origin && x->class == RECIPIENT_ENTITLED;
    TRY(entitled ? write_entitled_head(x, out) : write_plain_head(x, out));
    bool bodiless = x->request.method == HTTP_HEAD || x->from_origin;
    if (BREAKS_HIDING(x, "break-second-record")) (void)io_send(x->session->conn, NULL, 0);
    return bodiless ? OK : buf_append(out, x->answer_body);
}

/* One send in flight. A stream that is chunked is copied into exact chunks; all else leaves from where it stands. */
static enum io_sending send_spans(struct exchange *x, const span *spans, size_t n)
{
    if (!x->chunked) return io_send(x->session->conn, spans, n);
    for (size_t i = 0; i < n; i++) {
        if (!is_ok(http_chunker_add(&x->chunker, spans[i], io_output(x->session->conn)))) return IO_FAILED;
    }
    return io_send(x->session->conn, NULL, 0);
}

/* What is here has left: more from the origin, or the end. */
static enum flow stream_more(struct exchange *x)
{
    gate_taken_left(x->gate);
    if (x->in_parts && !gate_part_is_last(x->gate)) return parts_more(x);
    if (x->body_complete || x->in_parts) {
        if (x->chunked) {
            if (!is_ok(http_chunker_finish(&x->chunker, io_output(x->session->conn)))) return finish_broken(x);
            enum io_sending s = io_send(x->session->conn, NULL, 0);
            http_chunker_free(&x->chunker);
            x->chunked = false;
            if (s == IO_PENDING) return FLOW_WAIT;
            if (s == IO_FAILED) return finish_broken(x);
        }
        x->step = STEP_FINISH;
        return FLOW_GO;
    }
    if (x->origin == NULL) return finish_broken(x);
    uint64_t before = gate_cursors(x->gate).received;
    if (!response_pump(x)) return finish_broken(x);
    bool moved = gate_cursors(x->gate).received != before || x->body_complete;
    if (moved) return FLOW_GO;
    io_set_deadline(x->session->conn, 0); /* the origin's time runs, not the client's */
    return FLOW_WAIT;
}

static bool sends_body(const struct exchange *x)
{
    return x->from_origin && x->request.method != HTTP_HEAD && !without_body(x->status);
}

static RESULT append_all(struct buf *out, const span *spans, size_t n)
{
    for (size_t i = 0; i < n; i++) TRY(buf_append(out, spans[i]));
    return OK;
}

/* Room for a record and what comes with it at once, instead of growing to it. */
static RESULT make_room(struct buf *out)
{
    uint8_t *unused;
    size_t most = 2 * IO_RECORD;
    return out->size >= most ? OK : buf_reserve(out, most - buf_len(out), &unused);
}

/* An edited document is many pieces, an untouched one is one: the sizes of the records on the wire must not tell them
 * apart. So each round but the last is a whole number of records, the head and what was too little for one included. */
//= ICE10036.2 2.1
static RESULT take_pieces(struct exchange *x, span *spans, size_t *n)
{
    struct buf *out = io_output(x->session->conn);
    bool all = gate_is_stream(x->gate) || gate_in_parts(x->gate);
    uint64_t most = UINT64_MAX;
    while (!all) {
        uint64_t held = buf_len(out), ahead = gate_ahead(x->gate, IO_SEND_MAX, &all), whole = held + ahead;
        if (whole > PROXY_SEND_MOST) whole = PROXY_SEND_MOST, all = false;
        whole -= whole % IO_RECORD;
        if (all) break;
        if (whole > held) {
            most = whole - held;
            break;
        }
        TRY(make_room(out));
        *n = gate_take(x->gate, spans, IO_SEND_MAX, ahead);
        TRY(append_all(out, spans, *n));
    }
    *n = gate_take(x->gate, spans, IO_SEND_MAX, most);
    return OK;
}

enum flow step_send(struct exchange *x)
{
    struct session *s = x->session;
    span *spans = x->worker->pieces;
    bool flows = gate_is_stream(x->gate) || x->in_parts;
    if (x->in_parts && x->from_origin && x->class == RECIPIENT_RESTRICTED && gate_length(x->gate) == UINT64_MAX) {
        return parts_send(x);
    }
    if (s->gone) return finish_broken(x);
    if (io_sending_pending(s->conn)) return FLOW_WAIT;
    size_t n = 0;
    if (!x->head_written) {
        if (x->worker->draining) x->close = true; /* also of a request that came before the draining began */
        x->sent_before = io_bytes_sent(s->conn);
        if (!is_ok(answer_write_head(x))) return finish_broken(x);
        x->head_written = true;
    } else if (!sends_body(x) || (gate_drained(x->gate) && !flows)) {
        x->step = STEP_FINISH;
        return FLOW_GO;
    }
    if (sends_body(x) && !is_ok(take_pieces(x, spans, &n))) return finish_broken(x);
    if (n == 0 && io_output(s->conn)->write == io_output(s->conn)->read) return stream_more(x);
    io_set_deadline(s->conn, PROXY_SEND_MS);
    switch (send_spans(x, spans, n)) {
    case IO_SENT: return FLOW_GO;
    case IO_PENDING:
        if (x->origin != NULL) io_set_deadline(x->origin->conn, 0); /* the client's time runs, not the origin's */
        (void)exchange_account(x); /* a slow reader */
        return FLOW_WAIT;
    case IO_FAILED: break;
    }
    return finish_broken(x);
}

/* ---- FINISH ----------------------------------------------------------------------------------------------------- */

enum flow step_finish(struct exchange *x)
{
    struct session *s = x->session;
    s->follows_us = io_input(s->conn).len > 0 ? x->due_us : 0;
    if (s->gone) worker_count(x->worker, PROXY_ABORTED, 1);
    else if (x->routed) proxy_observe(x->worker->arguments->counters, PROXY_ANSWER, io_now_us() - x->arrival_us);
    if (x->recorded && x->disclosure) record_completion(x, s->gone);
    interest_count(x);
    interest_note(x);
    exchange_leave_origin(x, false);
    if (s->gone || x->close) {
        session_end(s, !s->gone);
        return FLOW_GONE;
    }
    return session_next(s);
}
