/* One request and its answer: the corridor's table of steps, and the half of it that reads the request. */
#include "proxy/breakable.h"
#include "proxy/internal.h"

#define FOLLOWS_US 1000000 /* a client that takes its answer more slowly sees no grid */

#define EXCHANGE_MAGIC 0x65786368u
#define SPARE_SHARE 8 /* of limits.memory, beside it */

static enum flow (*const STEPS[STEP_COUNT])(struct exchange *) = {
#define X(id, name) [STEP_##id] = step_##name,
    PROXY_STEPS(X)
#undef X
};

/* A pipelined request starts from here too (FINISH leads back to READ_HEAD), so that the stack does not grow. */
void exchange_run(struct exchange *x)
{
    enum flow flow = FLOW_GO;
    while (flow == FLOW_GO) {
        MAGIC_CHECK(x, EXCHANGE_MAGIC);
        flow = STEPS[x->step](x);
    }
}

static void pace_over(void *arg)
{
    struct exchange *x = arg;
    MAGIC_CHECK(x, EXCHANGE_MAGIC);
    exchange_run(x);
}

/* Clears what one request may leave behind; the large field arrays need no clearing. */
static void prepare(struct exchange *x, struct session *s)
{
    struct worker *w = s->worker;
    x->magic = EXCHANGE_MAGIC;
    x->worker = w;
    x->session = s;
    x->step = STEP_READ_HEAD;
    x->next = NULL;
    http_request_reset(&x->request);
    http_response_reset(&x->response);
    x->queued = x->skipped = x->body_read = x->body_dropped = x->close = x->routed = false;
    x->head_sent = x->continued = x->retried = x->responded = x->discard = x->body_complete = false;
    x->from_origin = x->recorded = x->disclosure = x->paced = x->head_written = x->chunked = false;
    x->who = &s->who;
    x->in_parts = x->begun = x->pauses = false;
    x->wire_sent = 0;
    x->heard_us = x->part_us = 0;
    x->request_due = PROXY_BODY_PIECE;
    x->class = RECIPIENT_RESTRICTED;
    x->purpose = "";
    x->arrival_us = x->decided_us = x->published_us = x->due_us = 0;
    x->route = NULL;
    x->document = x->shadow = NULL;
    x->paging = NULL;
    x->fields = NULL;
    x->field_count = 0;
    x->search = NULL;
    x->dropped = false;
    x->review = NULL;
    x->origin = NULL;
    x->admitted = false;
    x->engine = NULL;
    x->servers_tried = 0;
    x->next_suspecting = NULL;
    x->suspecting = x->suspects_part = false;
    x->suspicion_due_us = 0;
    x->suspicion_at = 0;
    x->media.len = 0;
    x->failure = GATE_FINE;
    x->answer_type = x->answer_body = span_of(NULL, 0);
    x->id[0] = '\0';
}

struct exchange *exchange_new(struct session *s)
{
    struct worker *w = s->worker;
    struct exchange *x = w->free_exchanges;
    if (x != NULL) {
        w->free_exchanges = x->next;
        w->spare_memory -= gate_held(x->gate);
    } else {
        x = mem_alloc(sizeof(*x));
        if (x == NULL) return NULL;
        buf_init(&x->head, w->limits.head);
        x->gate = gate_new(&w->gates);
        if (x->gate == NULL) {
            mem_free(x);
            return NULL;
        }
        io_timer_init(&x->timer, w->loop, pace_over, x);
        w->spare.total++;
    }
    spare_taken(&w->spare);
    prepare(x, s);
    return x;
}

void exchange_leave_origin(struct exchange *x, bool reusable)
{
    struct origin *o = x->origin;
    x->origin = NULL;
    if (o == NULL) return;
    if (reusable && x->head_sent) origin_give_back(o);
    else origin_drop(o);
}

void exchange_leave_engine(struct exchange *x)
{
    gate_leave_engine(x->gate);
    worker_engine_back(x->worker, x->engine);
    x->engine = NULL;
    shadow_leave(x);
    if (x->admitted) worker_engine_release(x->worker);
    x->admitted = false;
    (void)exchange_account(x);
}

/* Counted is what the sizes of bodies alone decide, and never what was found in them: whether somebody else is admitted
 * must not tell. */
//= ICE10036.2 2.1
bool exchange_account(struct exchange *x)
{
    struct worker *w = x->worker;
    uint64_t held = gate_held(x->gate) + x->wire.size + pages_held(x) + io_unsent(x->session->conn);
    if (x->admitted && held < PROXY_ROOM) held = PROXY_ROOM;
    w->memory += held - x->held;
    x->held = held;
    return w->memory <= w->settings->memory_limit;
}

/* Forgets everything of the request and its answer. */
static void clean(struct exchange *x)
{
    struct worker *w = x->worker;
    exchange_leave_origin(x, false);
    if (x->queued) worker_unqueue(w, x);
    suspect_forget(x);
    io_timer_clear(&x->timer);
    if (gate_state(x->gate) == GATE_RECEIVING) gate_replace(x->gate);
    exchange_leave_engine(x);
    gate_reset(x->gate);
    pages_leave(x);
    if (x->head.write > 0) mem_wipe(x->head.base, x->head.write);
    buf_clear(&x->head);
    buf_free(&x->wire);
    (void)exchange_account(x);
    if (x->chunked) http_chunker_free(&x->chunker);
    x->chunked = false;
}

/* What is kept for later requests is no exchange's: else a crowd that has left would keep everybody out. */
static void spare_memory(struct exchange *x)
{
    struct worker *w = x->worker;
    if (w->spare_memory + gate_held(x->gate) > w->settings->memory_limit / SPARE_SHARE) gate_shrink(x->gate);
    w->spare_memory += gate_held(x->gate);
    w->memory -= x->held;
    x->held = 0;
}

void exchange_free(struct exchange *x)
{
    MAGIC_CHECK(x, EXCHANGE_MAGIC);
    clean(x);
    spare_memory(x);
    x->session = NULL;
    x->next = x->worker->free_exchanges;
    x->worker->free_exchanges = x;
    x->worker->spare.used--;
}

void exchange_destroy(struct exchange *x)
{
    MAGIC_CHECK(x, EXCHANGE_MAGIC);
    gate_free(x->gate);
    buf_free(&x->head);
    x->magic = 0;
    mem_free(x);
}

void exchange_restart(struct exchange *x)
{
    MAGIC_CHECK(x, EXCHANGE_MAGIC);
    struct session *s = x->session;
    clean(x);
    prepare(x, s);
}

void exchange_decided(struct exchange *x)
{
    bool first = x->decided_us == 0; /* of a document in parts */
    x->decided_us = io_now_us();
    if (x->routed && first) proxy_observe(x->worker->arguments->counters, PROXY_DECISION, x->decided_us - x->arrival_us);
}

enum flow exchange_fail(struct exchange *x, enum gate_failure f)
{
    atomic_fetch_add_explicit(&x->worker->arguments->counters->failures[f], 1, memory_order_relaxed);
    x->failure = f;
    if (mirror_is_on(x)) mirror_failed(x);
    /* A request that is not read to its end leaves bytes on the connection that are no request. */
    if (!x->body_read) x->close = true;
    exchange_leave_origin(x, false);
    x->answer = gate_failure_answer(f, x->class);
    x->from_origin = false;
    x->in_parts = x->begun = false; /* nothing has left, however much was ready to */
    exchange_decided(x);
    answer_choose(x);
    gate_replace(x->gate);
    exchange_leave_engine(x);
    x->step = STEP_RECORD;
    return FLOW_GO;
}

/* ---- READ_HEAD -------------------------------------------------------------------------------------------------- */

/* RFC 9112 2.2: one empty line between two requests is skipped; before the first there is nobody who could have sent it
 * in good faith. */
//= RFC9112 2.2
static span skip_empty_line(struct exchange *x)
{
    struct session *s = x->session;
    bool skips = s->used && !x->skipped && span_starts(io_input(s->conn), SPAN("\r\n"));
    if (skips) io_consume(s->conn, 2);
    x->skipped |= skips;
    return io_input(s->conn);
}

static void shift_span(span *s, const uint8_t *from, size_t len, const uint8_t *to)
{
    if (s->ptr >= from && s->ptr <= from + len) s->ptr = to + (s->ptr - from);
}

/* The spans of a head follow its bytes to another place. */
static void move_fields(struct http_field *fields, size_t n, const uint8_t *from, size_t len, const uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        shift_span(&fields[i].name, from, len, to);
        shift_span(&fields[i].value, from, len, to);
    }
}

static void move_request(struct http_request *r, const uint8_t *from, size_t len, const uint8_t *to)
{
    span *const spans[] = {&r->method_text, &r->target, &r->path, &r->query, &r->host};
    for (size_t i = 0; i < ARRAY_LEN(spans); i++) shift_span(spans[i], from, len, to);
    move_fields(r->fields, r->field_count, from, len, to);
}

/* The head leaves the input, whose bytes move when more come behind it: what was judged must be what is asked and what
 * is recorded, whatever a client sends meanwhile. */
static bool keep_head(struct exchange *x)
{
    struct http_request *r = &x->request;
    http_body_init(&x->request_body, r->framing, r->length, &x->worker->limits);
    x->body_read = r->framing == HTTP_FRAMING_NONE || (r->framing == HTTP_FRAMING_LENGTH && r->length == 0);
    span in = io_input(x->session->conn);
    if (fault_hit("keep-head") || !is_ok(buf_append(&x->head, span_sub(in, 0, r->head_len)))) return false;
    move_request(r, in.ptr, r->head_len, x->head.base + x->head.read);
    io_consume(x->session->conn, r->head_len);
    return true;
}

/* A request that waited behind another one arrives when that one's answer is due, and not when the worker is done with it: to wipe a
 * record that is withheld takes time too, and the grid of the next answer would tell. */
static uint64_t arrival_of(struct session *s, uint64_t now_us)
{
    uint64_t follows = s->follows_us;
    s->follows_us = 0;
    return follows > 0 && follows <= now_us && now_us - follows < FOLLOWS_US ? follows : now_us;
}

/* False: an exchange that cannot be named cannot be recorded either. */
static bool stamp(struct exchange *x)
{
    struct worker *w = x->worker;
    uint8_t chance[10];
    uint64_t now_us = io_now_us();
    x->arrival_us = arrival_of(x->session, now_us);
    x->time_us = os_realtime_us() - (now_us - x->arrival_us);
    if (!is_ok(worker_random(w, chance, sizeof(chance)))) return false;
    ledger_request_id(x->time_us / 1000, chance, x->id);
    return true;
}

static enum flow break_off(struct session *s)
{
    session_end(s, false);
    return FLOW_GONE;
}

/* Who showed a certificate that has ended meanwhile is nobody any more, and a handshake would say so: he is sent to make one, like
 * whoever was idle for too long, instead of being told that nobody is there. */
static bool has_expired(const struct exchange *x)
{
    return (int64_t)(x->time_us / 1000000) >= x->session->ends_s;
}

static enum flow send_away(struct session *s)
{
    worker_count(s->worker, PROXY_CONNECTIONS_EXPIRED, 1);
    session_end(s, true);
    return FLOW_GONE;
}

enum flow exchange_head_late(struct exchange *x)
{
    return stamp(x) ? exchange_fail(x, GATE_REQUEST_TIMEOUT) : break_off(x->session);
}

enum flow step_read_head(struct exchange *x)
{
    struct session *s = x->session;
    span in = skip_empty_line(x);
    switch (in.len == 0 ? HTTP_MORE : http_request_read(&x->request, in, &x->worker->limits)) {
    case HTTP_MORE:
        if (s->ended) {
            session_end(s, true);
            return FLOW_GONE;
        }
        s->follows_us = 0; /* it has not come whole */
        if (in.len > 0 && x->arrival_us == 0) {
            x->arrival_us = 1;
            io_set_deadline(s->conn, PROXY_HEAD_MS);
        }
        return FLOW_WAIT;
    case HTTP_BAD:
        if (!stamp(x)) return break_off(s);
        x->status = x->request.refusal;
        return exchange_fail(x, GATE_REQUEST_SYNTAX);
    case HTTP_DONE: break;
    }
    if (!stamp(x)) return break_off(s);
    if (has_expired(x)) return send_away(s);
    worker_count(x->worker, PROXY_REQUESTS, 1);
    x->status = 400;
    if (gate_failure_thrown(GATE_REQUEST_SYNTAX)) return exchange_fail(x, GATE_REQUEST_SYNTAX);
    if (gate_failure_thrown(GATE_REQUEST_TIMEOUT)) return exchange_fail(x, GATE_REQUEST_TIMEOUT);
    if (!keep_head(x)) {
        x->close = true; /* the request still stands in the input */
        return exchange_fail(x, GATE_NO_MEMORY);
    }
    x->close = !x->request.keep_alive || x->worker->draining;
    BREAK_ARRIVAL(x);
    x->step = STEP_ADMIT;
    return FLOW_GO;
}

/* ---- ADMIT ------------------------------------------------------------------------------------------------------ */

/* Who is asking, for this request: the purpose comes with it. */
//= 8USC1367 a(2)
static enum recipient_admission admit_recipient(struct exchange *x)
{
    span purposes[4];
    size_t n = 0;
    const struct http_field *f;
    const struct http_request *r = &x->request;
    while (n < ARRAY_LEN(purposes) &&
           (f = http_find(r->fields, r->field_count, HTTP_FIELD_PURPOSE_OF_USE, n)) != NULL) {
        purposes[n++] = f->value;
    }
    return recipient_admit(x->worker->settings->recipients, x->who, purposes, n, x->route->public_, &x->purpose);
}

static bool method_allowed(const struct exchange *x)
{
    enum http_method m = x->request.method;
    if (mirror_is_on(x) && !mirror_asks(x)) return false; /* it was done once already */
    if (m == HTTP_CONNECT || m == HTTP_TRACE) return false;
    if (x->class == RECIPIENT_ENTITLED) return true;
    return m != HTTP_METHOD_OTHER && (x->route->restricted_methods >> m & 1u) != 0;
}

static bool has_body(const struct http_request *r)
{
    return r->framing != HTTP_FRAMING_NONE && !(r->framing == HTTP_FRAMING_LENGTH && r->length == 0);
}

/* The origin is not asked what the profile drops. */
static enum gate_failure hand_on(struct exchange *x, span query)
{
    if (!rules_query_drops(x->document)) return GATE_FINE;
    x->dropped = true;
    x->handed_on = rules_query_handed_on(x->document, query, gate_arena(x->gate));
    return x->handed_on.ptr != NULL ? GATE_FINE : GATE_NO_MEMORY;
}

/* A body that nobody reads may ask by what nobody is shown; that it may come at all is the route's word. */
//= 10-domain 6.L20
static enum gate_failure refuse_search(struct exchange *x)
{
    const struct rules_document *d = x->document;
    if (has_body(&x->request) && rules_document_view(d)->body == RULES_BODY_REFUSE) return GATE_QUERY;
    span query = x->request.has_query ? x->request.query : span_of(NULL, 0);
    switch (rules_query_read(d, query, gate_arena(x->gate), &x->search)) {
    case RULES_QUERY_ALLOWED: return hand_on(x, query);
    case RULES_QUERY_NO_MEMORY: return GATE_NO_MEMORY;
    case RULES_QUERY_REFUSED: break;
    }
    return GATE_QUERY;
}

/* What a restricted recipient may ask is decided by the request alone, before anybody looks at stored data. */
//= ICE10036.2 2.1
static enum gate_failure refuse_request(struct exchange *x)
{
    if (!method_allowed(x) || gate_failure_thrown(GATE_METHOD)) return GATE_METHOD;
    if (x->class == RECIPIENT_ENTITLED) return GATE_FINE;
    if (x->document == NULL && !x->route->inspect) return GATE_UNPROFILED;
    enum gate_failure f = x->document != NULL ? refuse_search(x) : GATE_FINE;
    if (f != GATE_FINE) return f;
    if (gate_failure_thrown(GATE_QUERY)) return GATE_QUERY;
    return gate_failure_thrown(GATE_CURSOR) ? GATE_CURSOR : GATE_FINE;
}

static void find_document(struct exchange *x)
{
    const struct rules_profile *p = x->route->profile;
    x->document = p == NULL ? NULL : rules_find_document(p, x->request.path);
    bool restricted = x->class == RECIPIENT_RESTRICTED;
    if (restricted && x->document != NULL) x->document = rules_document_for(x->document, span_str(x->who->recipient->id));
    if (restricted) x->shadow = rules_shadow_document(x->worker->settings->rules, x->request.path);
}

/* Before anything is looked at but who asks: a request over the limit says nothing about what it asked for. */
static bool is_too_often(const struct exchange *x)
{
    const struct worker *w = x->worker;
    if (gate_failure_thrown(GATE_RATE)) return true;
    if (mirror_is_on(x)) return false; /* one sender's copies are everybody's requests */
    if (w->settings->request_limit == 0 || w->arguments->rates == NULL) return false;
    span id = span_str(x->who->recipient->id);
    return !proxy_rate_admits(w->arguments->rates, id, w->settings->request_limit, io_now_us());
}

enum flow step_admit(struct exchange *x)
{
    behind_identify(x);
    if (is_too_often(x)) return exchange_fail(x, GATE_RATE);
    x->route = proxy_find_route(x->worker->settings, x->request.path);
    if (x->route == NULL || gate_failure_thrown(GATE_NO_ROUTE)) {
        x->route = NULL;
        return exchange_fail(x, GATE_NO_ROUTE);
    }
    x->routed = true;
    enum recipient_admission admission = admit_recipient(x);
    if (mirror_is_on(x)) admission = ADMIT_RESTRICTED;
    if (admission == ADMIT_ENTITLED) x->class = RECIPIENT_ENTITLED;
    worker_count(x->worker, admission == ADMIT_ENTITLED ? PROXY_REQUESTS_ENTITLED : PROXY_REQUESTS_RESTRICTED, 1);
    if (admission == ADMIT_FORBIDDEN || gate_failure_thrown(GATE_FORBIDDEN)) return exchange_fail(x, GATE_FORBIDDEN);
    find_document(x);
    enum gate_failure f = refuse_request(x);
    if (f == GATE_FINE) f = pages_enter(x);
    if (f != GATE_FINE) return exchange_fail(x, f);
    if (x->class == RECIPIENT_RESTRICTED && !worker_registry_usable(x->worker, x->time_us)) {
        worker_alarm(x->worker, GATE_REGISTRY);
        return exchange_fail(x, GATE_REGISTRY);
    }
    f = mirror_is_on(x) || x->class == RECIPIENT_ENTITLED ? GATE_FINE : worker_ledger_refusal(x->worker);
    if (f != GATE_FINE) return exchange_fail(x, f);
    x->admitted = worker_engine_reserve(x->worker);
    if (!x->admitted || !exchange_account(x) || gate_failure_thrown(GATE_NO_MEMORY)) return exchange_fail(x, GATE_NO_MEMORY);
    io_set_deadline(x->session->conn, x->body_read ? 0 : PROXY_IDLE_MS);
    x->step = STEP_ASK;
    return FLOW_GO;
}
