/* The corridor's second half: asking the origin, reading its answer into the gate, deciding. */
#include "proxy/breakable.h"
#include "proxy/internal.h"
#include <errno.h>

#define BODY_PIECE 32768
#define BODY_PACE 65536 /* what an origin must send of a document within its response time */

/* ---- ASK -------------------------------------------------------------------------------------------------------- */

static bool in_forward_list(const struct proxy_route *route, span name)
{
    for (const char *const *f = route->forward; f != NULL && *f != NULL; f++) {
        if (span_equal_nocase(name, span_str(*f))) return true;
    }
    return false;
}

/* "Not modified" would confirm a record without its entry; a write's precondition (If-Match) is another matter. */
static bool revalidates(const struct exchange *x, enum http_field_id id)
{
    bool reads = x->request.method == HTTP_GET || x->request.method == HTTP_HEAD;
    return reads && (id == HTTP_FIELD_IF_NONE_MATCH || id == HTTP_FIELD_IF_MODIFIED_SINCE);
}

/* Contract section 3: what of a restricted recipient's head an origin may see. Everybody else's goes on but for what we
 * answer ourselves: ranges (whole documents are decided), codings (identity is what we read), foreign certificates. */
static bool field_goes_on(const struct exchange *x, const struct http_field *f)
{
    const struct http_request *r = &x->request;
    if (!http_field_passes(r->fields, r->field_count, f)) return false;
    if (f->id == HTTP_FIELD_RANGE || f->id == HTTP_FIELD_IF_RANGE || f->id == HTTP_FIELD_ACCEPT_ENCODING ||
        f->id == HTTP_FIELD_CLIENT_CERT || f->id == HTTP_FIELD_CLIENT_CERT_CHAIN || revalidates(x, f->id)) {
        return false;
    }
    if (x->class == RECIPIENT_ENTITLED) return true;
    return f->id == HTTP_FIELD_ACCEPT || f->id == HTTP_FIELD_ACCEPT_LANGUAGE || f->id == HTTP_FIELD_CONTENT_TYPE ||
           in_forward_list(x->route, f->name);
}

static RESULT write_framing(const struct exchange *x, struct buf *out)
{
    switch (x->request.framing) {
    case HTTP_FRAMING_NONE: return OK;
    case HTTP_FRAMING_LENGTH: return http_write_length(out, x->request.length);
    case HTTP_FRAMING_CHUNKED: return http_write_chunked(out);
    case HTTP_FRAMING_CLOSE: break;
    }
    return FAIL(ERROR_INTERNAL, 0);
}

/* An HTTP/1.0 request may have no Host; ours are HTTP/1.1 and must (RFC 9112 3.2). */
static span host_of(const struct exchange *x)
{
    const struct proxy_upstream *u = &x->worker->settings->upstreams[x->origin->upstream];
    return x->request.host.len > 0 ? x->request.host : span_str(u->servers[x->origin->server].authority);
}

/* HEAD is asked as GET: what is withheld shows only in a body. */
static RESULT write_request_head(struct exchange *x)
{
    struct http_request *r = &x->request;
    struct buf *out = io_output(x->origin->conn);
    span method = r->method == HTTP_HEAD ? http_method_text(HTTP_GET) : r->method_text, query = r->query;
    if (x->dropped) query = x->handed_on;
    if (x->paging != NULL) TRY(pages_query(x, &query));
    bool asks = x->paging != NULL || x->dropped ? query.len > 0 : r->has_query;
    TRY(http_write_request(out, method, r->path, asks, query, host_of(x)));
    for (size_t i = 0; i < r->field_count; i++) {
        if (field_goes_on(x, &r->fields[i])) TRY(http_write_field(out, r->fields[i].name, r->fields[i].value));
    }
    TRY(http_write_field(out, SPAN("Accept-Encoding"), SPAN("identity")));
    TRY(write_framing(x, out));
    return http_write_end(out);
}

/* A refused or dead connection: the next server, each once, before anybody is told. */
static enum flow connect_failed(struct exchange *x)
{
    const struct proxy_upstream *u = &x->worker->settings->upstreams[x->route->upstream];
    exchange_leave_origin(x, false);
    x->head_sent = false;
    if (++x->servers_tried >= u->server_count) return exchange_fail(x, GATE_UPSTREAM_CONNECT);
    x->origin = origin_connect(x->worker, x->route->upstream, x->class, x);
    return x->origin == NULL ? exchange_fail(x, GATE_UPSTREAM_CONNECT) : FLOW_WAIT;
}

static bool may_retry(const struct exchange *x)
{
    return x->origin->reused && !x->retried && http_method_idempotent(x->request.method) &&
           x->request.framing == HTTP_FRAMING_NONE;
}

/* A kept-alive connection that died before a byte came back: RFC 9112 9.3.1 allows to ask again. */
//= RFC9112 9.3.1
static enum flow retry(struct exchange *x)
{
    exchange_leave_origin(x, false);
    x->retried = true;
    x->head_sent = false;
    http_response_reset(&x->response);
    worker_count(x->worker, PROXY_ORIGIN_RETRIES, 1);
    x->origin = origin_connect(x->worker, x->route->upstream, x->class, x);
    if (x->origin == NULL) return exchange_fail(x, GATE_UPSTREAM_CONNECT);
    x->step = STEP_ASK;
    return FLOW_WAIT;
}

static enum flow send_head(struct exchange *x)
{
    const struct proxy_upstream *u = &x->worker->settings->upstreams[x->route->upstream];
    if (!is_ok(write_request_head(x))) return exchange_fail(x, GATE_NO_MEMORY);
    x->head_sent = true;
    summary_count(x->worker, PROXY_TALLY_ASKED + summary_upstream(x->route->upstream));
    io_set_deadline(x->origin->conn, u->response_ms);
    (void)io_send(x->origin->conn, NULL, 0); /* a failure comes as an event */
    return FLOW_GO;
}

/* The client waits for a word before it sends its body (RFC 9110 10.1.1). */
//= RFC9110 10.1.1
static void say_continue(struct exchange *x)
{
    struct io_conn *client = x->session->conn;
    if (x->continued || !x->request.expect_continue || io_input(client).len > 0) return;
    x->continued = true;
    result r = io_queue(client, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
    if (is_ok(r)) (void)io_send(client, NULL, 0);
}

/* A client that sends a byte now and then must not hold an exchange for ever: so many of them would hold all that a worker may. */
static void expect_client(struct exchange *x)
{
    if (x->request_body.received < x->request_due) return;
    x->request_due = x->request_body.received + PROXY_BODY_PIECE;
    io_set_deadline(x->session->conn, PROXY_IDLE_MS);
}

static RESULT pass_piece(struct exchange *x, span data)
{
    struct buf *out = io_output(x->origin->conn);
    if (x->request.framing == HTTP_FRAMING_CHUNKED) return http_write_chunk(out, data);
    return buf_append(out, data);
}

/* How long the origin may take, once it is its turn: while a client sends its body, the client's own time runs. */
static void expect_origin(struct exchange *x, bool its_turn)
{
    uint64_t ms = x->worker->settings->upstreams[x->route->upstream].response_ms;
    io_set_deadline(x->origin->conn, its_turn ? ms : 0);
}

/* An origin that answers before it has the whole request may do so because of what it stores: a restricted recipient's
 * request is read to its end first, whether or not anybody still wants it, so that neither the answer's head nor what
 * becomes of the connection tells when the origin made up its mind. */
//= 8USC1367 a(2)
static enum flow drop_body(struct exchange *x)
{
    struct session *s = x->session;
    x->body_dropped = true;
    expect_origin(x, false);
    say_continue(x);
    span in = io_input(s->conn), data;
    if (in.len == 0 && (s->ended || s->gone)) return exchange_fail(x, GATE_REQUEST_BODY);
    size_t used;
    enum http_step step = http_body_next(&x->request_body, in, &used, &data);
    if (step == HTTP_BAD) return exchange_fail(x, GATE_REQUEST_BODY);
    io_consume(s->conn, used);
    expect_client(x);
    x->body_read = step == HTTP_DONE;
    if (x->body_read) expect_origin(x, true);
    return used == 0 && !x->body_read ? FLOW_WAIT : FLOW_GO;
}

/* Moves what the client has sent to the origin. GO: look again; WAIT: for either side. */
static enum flow pass_body(struct exchange *x)
{
    struct session *s = x->session;
    if (io_sending_pending(x->origin->conn)) return FLOW_WAIT;
    expect_origin(x, false);
    say_continue(x);
    span in = io_input(s->conn), data;
    if (in.len > BODY_PIECE) in = span_sub(in, 0, BODY_PIECE);
    if (in.len == 0 && s->ended) return exchange_fail(x, GATE_REQUEST_BODY);
    if (in.len == 0) return FLOW_WAIT;
    size_t used;
    enum http_step step = http_body_next(&x->request_body, in, &used, &data);
    if (step == HTTP_BAD || gate_failure_thrown(GATE_REQUEST_BODY)) {
        x->status = 400;
        return exchange_fail(x, GATE_REQUEST_BODY); /* the origin's connection breaks before the body ends */
    }
    result r = pass_piece(x, data);
    if (is_ok(r) && step == HTTP_DONE && x->request.framing == HTTP_FRAMING_CHUNKED) {
        r = buf_append(io_output(x->origin->conn), HTTP_CHUNK_LAST);
    }
    if (!is_ok(r)) return exchange_fail(x, GATE_UPSTREAM_CLOSED);
    io_consume(s->conn, used);
    expect_client(x);
    x->body_read = step == HTTP_DONE;
    (void)io_send(x->origin->conn, NULL, 0);
    expect_origin(x, true);
    return used == 0 && data.len == 0 && !x->body_read ? FLOW_WAIT : FLOW_GO;
}

/* Whether the origin has made up its mind while the request's body is still on its way. Interim answers say nothing yet
 * and are swallowed; the final one LISTEN reads from its beginning. */
//= RFC9110 15.2
static bool origin_answers(struct exchange *x)
{
    struct io_conn *origin = x->origin->conn;
    while (io_input(origin).len > 0) {
        enum http_step step = http_response_read(&x->response, io_input(origin), false, &x->worker->limits);
        if (step == HTTP_MORE) return x->origin->ended;
        if (step == HTTP_DONE && x->response.interim) io_consume(origin, x->response.head_len);
        bool interim = step == HTTP_DONE && x->response.interim;
        http_response_reset(&x->response);
        if (!interim) return true;
    }
    return x->origin->ended;
}

enum flow step_ask(struct exchange *x)
{
    x->status = 400;
    if (x->origin == NULL) {
        if (gate_failure_thrown(GATE_UPSTREAM_CONNECT)) return exchange_fail(x, GATE_UPSTREAM_CONNECT);
        x->origin = origin_take(x->worker, x->route->upstream, x->class, x);
        if (x->origin == NULL) return exchange_fail(x, GATE_UPSTREAM_CONNECT);
    }
    if (x->origin->failed && !x->head_sent) return connect_failed(x);
    if (!x->origin->connected) return FLOW_WAIT;
    if (!x->head_sent) return send_head(x);
    bool answers = !x->body_read && (x->body_dropped || origin_answers(x));
    if (!x->body_read && answers && x->class == RECIPIENT_RESTRICTED) return drop_body(x);
    if (!x->body_read && !answers) return x->session->gone ? exchange_fail(x, GATE_REQUEST_BODY) : pass_body(x);
    if (!x->body_read) x->close = true; /* it answered early: the rest of the request stays unread */
    io_set_deadline(x->session->conn, 0);
    x->step = STEP_LISTEN;
    return FLOW_GO;
}

/* ---- LISTEN ----------------------------------------------------------------------------------------------------- */

/* A media type is the one thing of an origin's head that everybody gets to see: "application/x.A012345678+json" would be
 * a way out. No registered type has six digits. */
static bool names_somebody(const struct http_media *m)
{
    span essence = http_media_essence(m);
    unsigned digits = 0;
    for (size_t i = 0; i < essence.len; i++) digits += is_digit(essence.ptr[i]);
    return digits >= 6;
}

/* From the month's key, as the ledger's own pseudonyms are, but of another sort: nobody can hold one against the other. */
static const uint8_t *pseudonym_key(struct exchange *x)
{
    struct worker *w = x->worker;
    char key[LEDGER_PSEUDONYM];
    const struct rules_document_view *v = x->document == NULL ? NULL : rules_document_view(x->document);
    bool asked = v != NULL && (v->on_finding == ON_FINDING_PSEUDONYM || v->has_pseudonyms);
    if (!asked || !ledger_month_update(&w->month, &w->arguments->pseudonym_root, x->time_us)) return NULL;
    if (!ledger_pseudonym(&w->month, SPAN("pseudonyms in answers to"), span_str(x->who->recipient->id), key)) return NULL;
    memcpy(x->pseudonym_key, key, sizeof(x->pseudonym_key));
    return x->pseudonym_key;
}

/* Of an answer that has no body somebody entitled gets the head, and is told what that holds. */
static bool is_bare(const struct exchange *x)
{
    const struct http_response *r = &x->response;
    bool empty = r->framing == HTTP_FRAMING_NONE || (r->framing == HTTP_FRAMING_LENGTH && r->length == 0);
    return x->class == RECIPIENT_ENTITLED && empty;
}

/* Which of its bytes can be read, and as what. */
static struct engine_begin describe(struct exchange *x)
{
    struct worker *w = x->worker;
    struct http_response *r = &x->response;
    bool typed = r->type_count == 1 && http_media_parse(r->content_type, &x->media) && !names_somebody(&x->media);
    if (!typed) x->media.len = 0;
    bool own_page = r->status != 200; /* an error page is no answer that the profile describes */
    bool bare = is_bare(x);           /* nor is one without a body: nothing says what it would have been */
    struct engine_begin b = {
        .document = own_page || bare ? NULL : x->document,
        .inspect = x->route->inspect || x->class == RECIPIENT_ENTITLED,
        .class = x->class,
        .registry = w->arguments->registry,
        .limits = w->settings->limits,
        .media_type = bare ? SPAN("application/json") : typed ? http_media_essence(&x->media) : SPAN(""),
        .charset = typed && !bare ? http_media_charset(&x->media) : SPAN(""),
        .content_encoding = bare ? SPAN("") : r->coding_count > 1 ? SPAN("several") : r->content_encoding,
        .keep_survey = mirror_is_on(x),
        .pseudonym_key = pseudonym_key(x),
        .suspicions = !mirror_is_on(x),
        .search = own_page ? NULL : x->search,
    };
    return b;
}

/* Entitled recipients get the origin's fields; they must outlive its connection. */
static RESULT keep_response_head(struct exchange *x, span in)
{
    struct http_response *r = &x->response;
    span copy = arena_copy(gate_arena(x->gate), span_sub(in, 0, r->head_len));
    REQUIRE(copy.ptr != NULL, ERROR_LIMIT, 0);
    for (size_t i = 0; i < r->field_count; i++) {
        span *const s[] = {&r->fields[i].name, &r->fields[i].value};
        for (size_t k = 0; k < 2; k++) {
            if (s[k]->ptr >= in.ptr && s[k]->ptr <= in.ptr + r->head_len) s[k]->ptr = copy.ptr + (s[k]->ptr - in.ptr);
        }
    }
    return OK;
}

static enum flow begin_body(struct exchange *x)
{
    struct http_response *r = &x->response;
    struct worker *w = x->worker;
    x->responded = true;
    summary_count(w, PROXY_TALLY_ANSWERED + summary_upstream(x->route->upstream));
    x->body_due = 0;
    http_body_init(&x->response_body, r->framing, r->length, &w->limits);
    bool other = r->status != 200 && !pages_past_end(x);
    if (x->class == RECIPIENT_RESTRICTED && (other || gate_failure_thrown(GATE_UPSTREAM_STATUS))) {
        x->failure = GATE_UPSTREAM_STATUS;
        x->discard = true;
    }
    x->begin = describe(x);
    struct engine_field *fields;
    span in = io_input(x->origin->conn);
    bool collects = x->paging == NULL || (pages_is_first(x) && !x->discard);
    if (collects && !is_ok(fields_collect(x, &fields))) {
        return exchange_fail(x, x->class == RECIPIENT_RESTRICTED ? GATE_READ_MEMORY : GATE_NO_MEMORY);
    }
    if (x->paging != NULL) return pages_begin_body(x, &x->begin);
    x->begin.fields = fields;
    x->begin.field_count = x->field_count;
    bool kept = x->class == RECIPIENT_RESTRICTED || is_ok(keep_response_head(x, in));
    if (!kept) return exchange_fail(x, GATE_NO_MEMORY);
    x->engine = worker_engine_take(x->worker);
    x->registry_at = registry_position(x->begin.registry);
    gate_open(x->gate, x->engine, &x->begin); /* reads spans of the head: the input may be wiped when it is consumed */
    x->begin.content_encoding = span_of(NULL, 0);
    if (r->framing == HTTP_FRAMING_LENGTH && !x->discard) gate_expect(x->gate, r->length);
    io_consume(x->origin->conn, r->head_len);
    x->in_parts = gate_in_parts(x->gate) && !x->discard;
    if (x->in_parts) shadow_begin(x);
    x->step = STEP_READ_BODY;
    return FLOW_GO;
}

/* No head came. A part of one is an answer that breaks the rules; nothing at all is no answer. */
static enum flow ended_before_head(struct exchange *x, bool partial)
{
    if (!partial && may_retry(x)) return retry(x);
    return exchange_fail(x, partial ? GATE_UPSTREAM_FRAMING : GATE_UPSTREAM_CLOSED);
}

enum flow step_listen(struct exchange *x)
{
    if (gate_failure_thrown(GATE_UPSTREAM_CLOSED)) return exchange_fail(x, GATE_UPSTREAM_CLOSED);
    if (gate_failure_thrown(GATE_UPSTREAM_TIMEOUT)) return exchange_fail(x, GATE_UPSTREAM_TIMEOUT);
    span in = io_input(x->origin->conn);
    switch (http_response_read(&x->response, in, false, &x->worker->limits)) {
    case HTTP_MORE: return x->origin->ended ? ended_before_head(x, in.len > 0) : FLOW_WAIT;
    case HTTP_BAD: return exchange_fail(x, GATE_UPSTREAM_FRAMING);
    case HTTP_DONE: break;
    }
    if (gate_failure_thrown(GATE_UPSTREAM_FRAMING)) return exchange_fail(x, GATE_UPSTREAM_FRAMING);
    if (!x->response.interim) return begin_body(x);
    io_consume(x->origin->conn, x->response.head_len);
    http_response_reset(&x->response);
    return FLOW_GO;
}

/* ---- READ_BODY -------------------------------------------------------------------------------------------------- */

/* A body where none has a meaning is a second request to an origin that does not expect it: what it answers to that must
 * not be taken for the answer to anybody's next request. */
//= RFC9110 9.3.1
static bool may_be_two_requests(const struct http_request *r)
{
    bool takes_body = r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH;
    return r->framing != HTTP_FRAMING_NONE && !takes_body;
}

enum flow exchange_body_ended(struct exchange *x, bool complete)
{
    x->body_complete = complete;
    bool in_step = x->body_read && !x->body_dropped && !may_be_two_requests(&x->request);
    exchange_leave_origin(x, complete && x->response.keep_alive && in_step);
    x->step = STEP_DECIDE;
    return FLOW_GO;
}

/* The origin broke its own framing inside the body: for restricted recipients like any undeliverable document. */
static enum flow body_broken(struct exchange *x, enum gate_failure f)
{
    if (x->discard) return exchange_body_ended(x, false); /* it is not delivered anyway */
    return exchange_fail(x, f);
}

static enum flow body_at_end(struct exchange *x)
{
    bool clean = !x->origin->truncated && !x->origin->failed;
    if (http_body_end(&x->response_body, clean) == HTTP_DONE) return exchange_body_ended(x, true);
    return exchange_body_ended(x, false);
}

/* The engine will read no further. An entitled recipient is not served less for it: the bytes pass, on record. */
static enum flow cannot_read(struct exchange *x)
{
    if (x->class == RECIPIENT_RESTRICTED) return exchange_body_ended(x, false);
    x->step = STEP_DECIDE;
    return FLOW_GO;
}

/* Not even held: what is here passes as a stream to who is entitled, and makes room for the rest, which is read again
 * from before this piece. */
static enum flow cannot_hold(struct exchange *x, const struct http_body *before)
{
    if (x->class == RECIPIENT_RESTRICTED) return exchange_fail(x, GATE_READ_MEMORY);
    x->response_body = *before;
    x->failure = GATE_READ_MEMORY;
    x->step = STEP_DECIDE;
    return FLOW_GO;
}

/* An origin that sends a byte now and then must not hold an exchange for ever: its time runs on until it has sent a
 * piece worth the name, or the end. */
static void expect_more(struct exchange *x)
{
    if (x->response_body.received < x->body_due) return;
    x->body_due = x->response_body.received + BODY_PACE;
    io_set_deadline(x->origin->conn, x->worker->settings->upstreams[x->route->upstream].response_ms);
}

static RESULT receive(struct exchange *x, span data)
{
    return x->paging != NULL ? pages_receive(x, data) : gate_receive(x->gate, data);
}

enum flow step_read_body(struct exchange *x)
{
    if (x->in_parts) return parts_read(x);
    struct io_conn *origin = x->origin->conn;
    for (;;) {
        span in = io_input(origin), data;
        size_t used;
        struct http_body before = x->response_body;
        enum http_step step = http_body_next(&x->response_body, in, &used, &data);
        if (step == HTTP_BAD) return body_broken(x, GATE_UPSTREAM_FRAMING);
        result r = x->discard ? OK : exchange_account(x) ? receive(x, data) : FAIL(ERROR_LIMIT, ENOMEM);
        worker_count(x->worker, PROXY_BODY_BYTES, data.len);
        if (!is_ok(r)) return cannot_hold(x, &before);
        io_consume(origin, used);
        if (step == HTTP_DONE) return exchange_body_ended(x, true);
        /* An error page that never ends must not hold the exchange: nobody gets it anyway. */
        if (x->discard && x->response_body.received > x->worker->settings->limits.document) return exchange_body_ended(x, false);
        if (gate_read_enough(x->gate) && !x->discard) return cannot_read(x);
        if (used > 0 && io_input(origin).len > 0) continue;
        if (x->origin->ended) return body_at_end(x);
        expect_more(x);
        return FLOW_WAIT;
    }
}

/* ---- DECIDE ----------------------------------------------------------------------------------------------------- */

static enum gate_failure judge(struct exchange *x)
{
    if (x->discard) {
        gate_replace(x->gate);
        return x->failure;
    }
    bool bare = is_bare(x);
    if (bare && x->field_count == 0) {
        gate_replace(x->gate); /* nothing there to read, nothing to send */
        return GATE_FINE;
    }
    if (x->failure != GATE_FINE) return x->failure; /* its memory ran out */
    enum gate_failure f = bare ? gate_decide_head(x->gate) : gate_decide(x->gate, x->body_complete);
    if (bare) gate_replace(x->gate);
    /* What was found with a stale registry is still found; what was not may have been filed since. */
    if (x->class == RECIPIENT_ENTITLED && !worker_registry_usable(x->worker, x->time_us)) f = GATE_REGISTRY;
    return f;
}

enum flow step_decide(struct exchange *x)
{
    if (x->in_parts) return parts_decide(x);
    if (x->paging != NULL && x->failure == GATE_FINE) return pages_decide(x);
    x->failure = judge(x);
    worker_alarm(x->worker, x->failure);
    x->step = STEP_SUSPECT;
    return FLOW_GO;
}

void exchange_conclude(struct exchange *x)
{
    struct worker *w = x->worker;
    if (x->paging != NULL && x->failure == GATE_FINE) x->failure = pages_finish(x);
    if (mirror_is_on(x)) mirror_decided(x);
    else shadow_look(x);
    BREAK_NOTE(x);
    exchange_leave_engine(x);
    worker_count(w, PROXY_DOCUMENTS, 1);
    if (x->failure != GATE_FINE) {
        atomic_fetch_add_explicit(&w->arguments->counters->failures[x->failure], 1, memory_order_relaxed);
    }
    x->answer = gate_failure_answer(x->failure, x->class);
    if (x->failure != GATE_FINE && x->answer == GATE_ANSWER_UNINSPECTED) {
        gate_stream(x->gate);
        worker_count(w, PROXY_UNINSPECTED, 1);
    }
    exchange_decided(x);
    answer_choose(x);
    if (!x->from_origin && gate_state(x->gate) == GATE_DECIDED) gate_replace(x->gate);
    x->step = STEP_RECORD;
}

/* ---- events of the origin's connection -------------------------------------------------------------------------- */

static enum flow origin_timed_out(struct exchange *x)
{
    if (!x->origin->connected) return connect_failed(x);
    /* A head that stops half-way is an answer that was begun, as one that ends there. */
    bool begun = x->step == STEP_LISTEN && io_input(x->origin->conn).len > 0;
    if (!x->responded) return exchange_fail(x, begun ? GATE_UPSTREAM_FRAMING : GATE_UPSTREAM_TIMEOUT);
    x->origin->ended = x->origin->truncated = true;
    return FLOW_GO;
}

void exchange_origin_event(struct exchange *x, enum io_event event)
{
    enum flow flow = FLOW_GO;
    if (event == IO_TIMEOUT) flow = origin_timed_out(x);
    if (flow != FLOW_GO) return;
    switch (x->step) {
    case STEP_ASK:
    case STEP_LISTEN:
    case STEP_READ_BODY:
    case STEP_RECORD: /* after a failure above */
    case STEP_SEND: exchange_run(x); break; /* a stream goes on */
    case STEP_READ_HEAD:
    case STEP_ADMIT:
    case STEP_DECIDE:
    case STEP_SUSPECT:
    case STEP_PACE:
    case STEP_FINISH:
    case STEP_COUNT: break;
    }
}

/* An answer's head is read with no more than a small body behind it: the rest goes where it stays. */
#define HEAD_PIECE 8192

/* Of a body that is decided whole and has a length, for what comes behind it must not come there. */
uint8_t *exchange_place(struct exchange *x, size_t *n)
{
    const struct http_body *b = &x->response_body;
    bool whole = x->class == RECIPIENT_RESTRICTED && x->paging == NULL;
    if (whole && x->step == STEP_LISTEN) *n = HEAD_PIECE;
    if (!whole || x->step != STEP_READ_BODY || x->in_parts || x->discard) return NULL;
    if (b->framing != HTTP_FRAMING_LENGTH || b->state != HTTP_MORE) return NULL;
    size_t left = b->left < SIZE_MAX ? (size_t)b->left : SIZE_MAX;
    uint8_t *place = gate_place(x->gate, &left);
    if (place != NULL) *n = left;
    return place;
}

bool response_pump(struct exchange *x)
{
    struct io_conn *origin = x->origin->conn;
    span in = io_input(origin), data;
    size_t used;
    enum http_step step = http_body_next(&x->response_body, in, &used, &data);
    if (step == HTTP_BAD || !is_ok(gate_receive(x->gate, data))) return false;
    io_consume(origin, used);
    if (step == HTTP_MORE && x->origin->ended && io_input(origin).len == 0) {
        bool clean = !x->origin->truncated && !x->origin->failed;
        if (http_body_end(&x->response_body, clean) != HTTP_DONE) return false;
        step = HTTP_DONE;
    }
    io_set_deadline(origin, x->worker->settings->upstreams[x->route->upstream].response_ms);
    if (step == HTTP_DONE) (void)exchange_body_ended(x, true);
    x->step = STEP_SEND;
    return true;
}
