/* The five cursors and the states, held against every wrong move. The gate's own source is included, so that cursors can
 * be put where no call would put them. */
#include "gate/gate.c" /* NOLINT(bugprone-suspicious-include) */

#include "engine/fixture.h"
#include "support.h"

struct rig {
    struct fixture f;
    struct ipc_area *area;
    struct ipc_ring *ring;
    struct ipc_collector *collector;
    struct buf scratch;
    struct gate_environment env;
    struct gate *gate;
};

static const char LIST[] = "{\"total\":2,\"items\":[{\"n\":1},{\"arn\":\"" FIXTURE_PROTECTED "\"}]}";
static const char LIST_LEFT[] = "{\"total\":1,\"items\":[{\"n\":1}]}"; /* contract section 5, by hand */
static const char CLEAN[] = "{\"total\":1,\"items\":[{\"n\":1}]}";

static int set_up(void **state)
{
    struct rig *r = mem_alloc(sizeof(*r));
    assert_true(fixture_open(&r->f));
    assert_ok(ipc_area_new(1, &r->area));
    ipc_area_open_slot(r->area, 0);
    assert_ok(ipc_ring_attach(r->area, 0, &r->ring));
    assert_ok(ipc_collector_new(r->area, &r->collector));
    buf_init(&r->scratch, LEDGER_ENTRY_MAX);
    r->env = (struct gate_environment){.ring = r->ring, .scratch = &r->scratch, .body_cap = 4u << 20, .arena_cap = 8u << 20};
    r->gate = gate_new(&r->env);
    assert_non_null(r->gate);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    fault_arm("malloc", 0);
    if (gate_state(r->gate) == GATE_RECEIVING) gate_replace(r->gate);
    gate_reset(r->gate);
    gate_free(r->gate);
    buf_free(&r->scratch);
    ipc_collector_free(r->collector);
    ipc_ring_free(r->ring);
    ipc_area_free(r->area);
    fixture_close(&r->f);
    mem_free(r);
    return 0;
}

/* ---- moves ---------------------------------------------------------------------------------------------------------- */

static void open_gate(struct rig *r, enum recipient_class class)
{
    struct engine_begin b = {.document = rules_find_document(r->f.profile, SPAN("/list")), .class = class,
        .registry = r->f.registry, .limits = r->f.limits, .media_type = SPAN("application/json")};
    assert_non_null(b.document);
    gate_open(r->gate, r->f.engine, &b);
}

static void feed(struct rig *r, const char *text) { assert_ok(gate_receive(r->gate, span_str(text))); }

static void decide_on(struct rig *r, enum recipient_class class, const char *text)
{
    open_gate(r, class);
    feed(r, text);
    assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
}

static struct ledger_entry an_entry(void)
{
    return (struct ledger_entry){.time_us = UINT64_C(1795000000000000), .node = SPAN("test"), .request = SPAN("r"),
        .event = LEDGER_DISCLOSURE, .upstream_status = 200, .status = 200, .outcome = LEDGER_WITHHELD};
}

static result record(struct rig *r)
{
    struct ledger_entry e = an_entry();
    return gate_record(r->gate, &e);
}

/* The scribe's part: takes what is there. The last ticket. */
static uint64_t collect(struct rig *r)
{
    static uint8_t out[IPC_ENTRY_MAX];
    size_t len;
    uint64_t ticket = 0;
    while (ipc_collector_take(r->collector, 0, out, sizeof(out), &len, &ticket) == IPC_TAKE_ENTRY) {}
    return ticket;
}

static void make_durable(struct rig *r) { ipc_collector_durable(r->collector, 0, collect(r)); }

static void assert_cursors(const struct rig *r, uint64_t received, uint64_t read, uint64_t decided, uint64_t recorded, uint64_t sent)
{
    struct gate_cursors c = gate_cursors(r->gate);
    assert_int_equal(c.received, received);
    assert_int_equal(c.read, read);
    assert_int_equal(c.decided, decided);
    assert_int_equal(c.recorded, recorded);
    assert_int_equal(c.sent, sent);
}

static size_t take_all(struct rig *r, char *out, size_t size)
{
    span spans[3];
    size_t len = 0;
    for (size_t n; (n = gate_take(r->gate, spans, ARRAY_LEN(spans), UINT64_MAX)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            assert_true(len + spans[i].len <= size);
            if (spans[i].len > 0) memcpy(out + len, spans[i].ptr, spans[i].len);
            len += spans[i].len;
        }
    }
    return len;
}

/* ---- the corridor ----------------------------------------------------------------------------------------------------- */

static void test_nothing_moves_before_what_stands_before_it(void **state)
{
    struct rig *r = *state;
    const uint64_t n = sizeof(LIST) - 1;
    char out[256];
    assert_int_equal(gate_state(r->gate), GATE_IDLE);
    open_gate(r, RECIPIENT_RESTRICTED);
    assert_int_equal(gate_state(r->gate), GATE_RECEIVING);
    feed(r, LIST);
    assert_cursors(r, n, 0, 0, 0, 0); /* what is small is read when all of it is there */
    assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
    assert_int_equal(gate_state(r->gate), GATE_DECIDED);
    assert_cursors(r, n, n, n, 0, 0);
    assert_ok(record(r));
    assert_int_equal(gate_poll(r->gate), GATE_RECORDING);
    uint64_t ticket = collect(r); /* taken is not durable */
    assert_int_equal(gate_poll(r->gate), GATE_RECORDING);
    assert_cursors(r, n, n, n, 0, 0);
    ipc_collector_durable(r->collector, 0, ticket);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
    assert_cursors(r, n, n, n, n, 0);
    assert_int_equal(gate_length(r->gate), sizeof(LIST_LEFT) - 1);
    assert_span(span_of(out, take_all(r, out, sizeof(out))), LIST_LEFT);
    assert_true(gate_drained(r->gate));
    assert_true(gate_cursors(r->gate).sent <= n);
    gate_reset(r->gate);
    assert_int_equal(gate_state(r->gate), GATE_IDLE);
    assert_cursors(r, 0, 0, 0, 0, 0);
}

static void test_every_split_point(void **state)
{
    struct rig *r = *state;
    char out[256];
    for (size_t i = 0; i <= sizeof(LIST) - 1; i++) {
        open_gate(r, RECIPIENT_RESTRICTED);
        assert_ok(gate_receive(r->gate, span_of(LIST, i)));
        assert_cursors(r, i, 0, 0, 0, 0);
        assert_ok(gate_receive(r->gate, span_of(LIST + i, sizeof(LIST) - 1 - i)));
        assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
        assert_ok(record(r));
        make_durable(r);
        assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
        assert_span(span_of(out, take_all(r, out, sizeof(out))), LIST_LEFT);
        gate_reset(r->gate);
    }
}

/* As io does: the bytes stand where the gate said, or else where they came. `most` bytes at a time. */
static void feed_placed(struct rig *r, span text, size_t most)
{
    while (text.len > 0) {
        size_t n = most < text.len ? most : text.len, asked = n;
        uint8_t *place = gate_place(r->gate, &n);
        assert_true(n > 0 && n <= asked);
        if (place != NULL) memcpy(place, text.ptr, n);
        span piece = place != NULL ? span_of(place, n) : span_sub(text, 0, n);
        const uint8_t *base = r->gate->body.base;
        assert_ok(gate_receive(r->gate, piece));
        if (place != NULL) assert_ptr_equal(r->gate->body.base, base); /* nothing moved */
        text = span_from(text, n);
    }
}

static void test_bytes_that_stand_where_the_gate_said(void **state)
{
    struct rig *r = *state;
    char out[256];
    const size_t size = sizeof(LIST) - 1;
    /* What the origin declared is too much, right, too little: the rest comes the other way. */
    static const uint64_t declared[] = {sizeof(LIST) + 4096, sizeof(LIST) - 1, sizeof(LIST) - 2, sizeof(LIST), 1, 0};
    for (size_t i = 1; i <= size * ARRAY_LEN(declared); i++) {
        open_gate(r, RECIPIENT_RESTRICTED);
        gate_expect(r->gate, declared[i % ARRAY_LEN(declared)]);
        feed_placed(r, span_str(LIST), (i + ARRAY_LEN(declared) - 1) / ARRAY_LEN(declared));
        assert_cursors(r, size, 0, 0, 0, 0);
        assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
        assert_ok(record(r));
        make_durable(r);
        assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
        assert_span(span_of(out, take_all(r, out, sizeof(out))), LIST_LEFT);
        gate_reset(r->gate);
        gate_shrink(r->gate);
    }
}

/* However little is asked for, in however few pieces: the same bytes, never more than that, and as many as were foretold. */
static void test_what_leaves_in_small_pieces(void **state)
{
    struct rig *r = *state;
    char out[256];
    span spans[4];
    decide_on(r, RECIPIENT_RESTRICTED, LIST);
    assert_ok(record(r));
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
    for (size_t most = 1; most <= sizeof(LIST_LEFT); most++)
        for (size_t n = 1; n <= ARRAY_LEN(spans); n++) {
            size_t len = 0, taken;
            bool all;
            do {
                uint64_t ahead = gate_ahead(r->gate, n, &all), total = 0;
                taken = gate_take(r->gate, spans, n, most);
                assert_true(taken <= n);
                for (size_t i = 0; i < taken; total += spans[i++].len) {
                    assert_true(spans[i].len > 0);
                    memcpy(out + len + total, spans[i].ptr, spans[i].len);
                }
                assert_int_equal(total, ahead < most ? ahead : most);
                len += total;
                assert_int_equal(gate_ahead(r->gate, SIZE_MAX, &all), sizeof(LIST_LEFT) - 1 - len);
                assert_int_equal(gate_drained(r->gate), len == sizeof(LIST_LEFT) - 1);
            } while (taken > 0);
            assert_span(span_of(out, len), LIST_LEFT);
            r->gate->run = 0; /* as if nothing had left yet */
            r->gate->at.sent = 0;
        }
}

static void assert_wiped(const struct rig *r)
{
    const struct buf *b = &r->gate->body;
    assert_non_null(b->base); /* small enough to be kept */
    for (size_t i = 0; i + ENGINE_SLACK < b->size && i < sizeof(LIST); i++) assert_int_equal(b->base[i], 0);
}

/* Written, and never received: the exchange broke off between the two. */
static void test_bytes_that_nobody_received_are_wiped(void **state)
{
    struct rig *r = *state;
    for (size_t received = 0; received < 3; received++) {
        size_t n = sizeof(LIST);
        open_gate(r, RECIPIENT_RESTRICTED);
        gate_expect(r->gate, 2 * sizeof(LIST));
        memset(r->gate->body.base, 0, r->gate->body.size);
        if (received > 0) feed(r, received == 1 ? "{" : "{\"total\":");
        uint8_t *place = gate_place(r->gate, &n);
        assert_non_null(place);
        memcpy(place, LIST, sizeof(LIST));
        gate_replace(r->gate);
        assert_wiped(r);
        assert_int_equal(r->gate->body.dirty, 0);
        gate_reset(r->gate);
    }
}

static void test_who_has_no_place(void **state)
{
    struct rig *r = *state;
    size_t n = 10;
    assert_null(gate_place(r->gate, &n)); /* idle */
    open_gate(r, RECIPIENT_RESTRICTED);
    assert_null(gate_place(r->gate, &n)); /* nothing was declared, nothing was taken */
    gate_expect(r->gate, 10);
    assert_non_null(gate_place(r->gate, &n));
    feed(r, "{\"a\":1}");
    assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
    assert_null(gate_place(r->gate, &n)); /* decided */
    gate_replace(r->gate);
    gate_reset(r->gate);
    open_gate(r, RECIPIENT_ENTITLED);
    gate_expect(r->gate, 10);
    assert_null(gate_place(r->gate, &n)); /* what passes unread is not held */
    assert_int_equal(n, 10);
}

static void test_a_failure_leaves_nothing_to_send(void **state)
{
    struct rig *r = *state;
    open_gate(r, RECIPIENT_RESTRICTED);
    feed(r, "{\"arn\":\"A012345678\"");
    assert_int_equal(gate_decide(r->gate, false), GATE_CUT_SHORT);
    gate_replace(r->gate);
    assert_int_equal(gate_length(r->gate), 0);
    assert_ok(record(r));
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
    span spans[2];
    assert_int_equal(gate_take(r->gate, spans, 2, UINT64_MAX), 0);
    assert_true(gate_drained(r->gate));
    assert_int_equal(gate_cursors(r->gate).sent, 0);
}

static void test_a_stream_leaves_only_under_its_entry(void **state)
{
    struct rig *r = *state;
    span out;
    open_gate(r, RECIPIENT_ENTITLED);
    feed(r, "{\"a\":");
    gate_stream(r->gate);
    assert_true(gate_is_stream(r->gate));
    feed(r, "[1,");
    assert_cursors(r, 8, 8, 8, 0, 0);
    assert_ok(record(r));
    assert_int_equal(gate_poll(r->gate), GATE_RECORDING);
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
    assert_int_equal(gate_take(r->gate, &out, 1, UINT64_MAX), 1);
    assert_span(out, "{\"a\":[1,");
    gate_taken_left(r->gate);
    assert_true(gate_drained(r->gate));
    feed(r, "2]");
    assert_cursors(r, 10, 10, 10, 10, 8);
    assert_int_equal(gate_take(r->gate, &out, 1, UINT64_MAX), 1);
    assert_span(out, "2]");
    gate_taken_left(r->gate);
    assert_int_equal(gate_take(r->gate, &out, 1, UINT64_MAX), 0);
    assert_cursors(r, 10, 10, 10, 10, 10);
}

/* ---- every wrong move ends the worker ----------------------------------------------------------------------------------- */

enum move { MOVE_OPEN, MOVE_RECEIVE, MOVE_DECIDE, MOVE_STREAM, MOVE_REPLACE, MOVE_RECORD, MOVE_REFUSE, MOVE_TAKE, MOVE_RESET, MOVES };

struct wrong {
    struct rig *rig;
    enum move move;
};

static void make_move(void *ctx)
{
    const struct wrong *w = ctx;
    struct ledger_entry e = an_entry();
    result ignored = OK;
    span out;
    switch (w->move) {
    case MOVE_OPEN: open_gate(w->rig, RECIPIENT_ENTITLED); break;
    case MOVE_RECEIVE: ignored = gate_receive(w->rig->gate, SPAN(" ")); break;
    case MOVE_DECIDE: gate_decide(w->rig->gate, true); break;
    case MOVE_STREAM: gate_stream(w->rig->gate); break;
    case MOVE_REPLACE: gate_replace(w->rig->gate); break;
    case MOVE_RECORD: ignored = gate_record(w->rig->gate, &e); break;
    case MOVE_REFUSE: gate_refuse(w->rig->gate); break;
    case MOVE_TAKE: gate_take(w->rig->gate, &out, 1, UINT64_MAX); break;
    case MOVE_RESET: gate_reset(w->rig->gate); break;
    case MOVES: break;
    }
    (void)ignored;
}

static void bring_to(struct rig *r, enum gate_state s)
{
    if (s == GATE_IDLE) return;
    open_gate(r, RECIPIENT_ENTITLED);
    feed(r, LIST);
    if (s == GATE_RECEIVING) return;
    assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
    if (s == GATE_DECIDED) return;
    if (s == GATE_REFUSED) {
        gate_refuse(r->gate);
        return;
    }
    assert_ok(record(r));
    if (s == GATE_RECORDING) return;
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
}

static void test_states_and_moves(void **state)
{
    struct rig *r = *state;
    /* The picture in gate.h, as a table. */
    static const bool allowed[GATE_REFUSED + 1][MOVES] = {
        [GATE_IDLE] = {[MOVE_OPEN] = true, [MOVE_REPLACE] = true, [MOVE_RESET] = true},
        [GATE_RECEIVING] = {[MOVE_RECEIVE] = true, [MOVE_DECIDE] = true, [MOVE_STREAM] = true, [MOVE_REPLACE] = true},
        [GATE_DECIDED] = {[MOVE_STREAM] = true, [MOVE_REPLACE] = true, [MOVE_RECORD] = true, [MOVE_REFUSE] = true, [MOVE_RESET] = true},
        [GATE_RECORDING] = {[MOVE_RESET] = true},
        [GATE_RELEASED] = {[MOVE_TAKE] = true, [MOVE_RESET] = true},
        [GATE_REFUSED] = {[MOVE_RESET] = true},
    };
    for (enum gate_state s = GATE_IDLE; s <= GATE_REFUSED; s++) {
        bring_to(r, s);
        assert_int_equal(gate_state(r->gate), s);
        for (enum move m = 0; m < MOVES; m++) {
            struct wrong w = {r, m};
            if (aborts(make_move, &w) == allowed[s][m]) fail_msg("move %d in state %d", (int)m, (int)s);
        }
        if (s == GATE_RECEIVING) gate_replace(r->gate);
        gate_reset(r->gate);
    }
}

static void exempt_routed(void *ctx) { gate_exempt(((struct rig *)ctx)->gate, true); }
static void exempt_unrouted(void *ctx) { gate_exempt(((struct rig *)ctx)->gate, false); }
static void stream_it(void *ctx) { gate_stream(((struct rig *)ctx)->gate); }

static void test_a_restricted_recipient_never_streams(void **state)
{
    struct rig *r = *state;
    open_gate(r, RECIPIENT_RESTRICTED);
    feed(r, CLEAN);
    assert_true(aborts(stream_it, r));
    assert_int_equal(gate_decide(r->gate, true), GATE_FINE);
    assert_true(aborts(stream_it, r));
}

static void test_only_what_is_clean_and_entitled_is_exempt(void **state)
{
    struct rig *r = *state;
    decide_on(r, RECIPIENT_RESTRICTED, CLEAN); /* nothing found is no exemption for them */
    assert_true(aborts(exempt_routed, r));
    assert_true(aborts(exempt_unrouted, r)); /* its body still stands there */
    gate_reset(r->gate);
    decide_on(r, RECIPIENT_ENTITLED, LIST);
    assert_true(aborts(exempt_routed, r));
    gate_reset(r->gate);
    open_gate(r, RECIPIENT_ENTITLED);
    feed(r, "{");
    assert_int_equal(gate_decide(r->gate, true), GATE_MALFORMED);
    assert_true(aborts(exempt_routed, r));
    gate_stream(r->gate);
    assert_true(aborts(exempt_routed, r));
    gate_reset(r->gate);
    decide_on(r, RECIPIENT_ENTITLED, CLEAN);
    gate_exempt(r->gate, true);
    assert_int_equal(gate_state(r->gate), GATE_RELEASED);
    char out[256];
    assert_span(span_of(out, take_all(r, out, sizeof(out))), CLEAN);
}

struct order {
    struct rig *rig;
    struct gate_cursors at;
};

static void put_cursors(void *ctx)
{
    struct order *o = ctx;
    o->rig->gate->at = o->at;
    gate_check_order(o->rig->gate);
}

static void test_the_order_of_the_cursors(void **state)
{
    struct rig *r = *state;
    struct order good = {r, {5, 4, 3, 2, 1}}, wrong[] = {
        {r, {3, 4, 3, 2, 1}}, {r, {5, 2, 3, 2, 1}}, {r, {5, 4, 1, 2, 1}}, {r, {5, 4, 3, 0, 1}}, {r, {5, 5, 5, 5, 6}}};
    assert_false(aborts(put_cursors, &good));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) assert_true(aborts(put_cursors, &wrong[i]));
}

static void send_too_far(void *ctx)
{
    struct rig *r = ctx;
    move_sent(r->gate, r->gate->at.recorded + 1);
}

static void send_back(void *ctx)
{
    struct rig *r = ctx;
    move_sent(r->gate, r->gate->at.recorded);
    move_sent(r->gate, 0);
}

static void send_now(void *ctx) { move_sent(((struct rig *)ctx)->gate, 0); }

static void test_sent_moves_only_up_to_recorded(void **state)
{
    struct rig *r = *state;
    decide_on(r, RECIPIENT_RESTRICTED, LIST);
    assert_true(aborts(send_now, r));
    assert_ok(record(r));
    assert_true(aborts(send_now, r));
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
    assert_false(aborts(send_now, r));
    assert_true(aborts(send_too_far, r));
    assert_true(aborts(send_back, r));
}

/* ---- the ledger's side ---------------------------------------------------------------------------------------------------- */

static void test_a_full_ring_waits(void **state)
{
    struct rig *r = *state;
    uint64_t ticket;
    static uint8_t filler[IPC_ENTRY_MAX];
    size_t room = sizeof(filler);
    while (room > 0) { /* to the last byte */
        if (!is_ok(ipc_ring_publish(r->ring, span_of(filler, room), &ticket))) room /= 2;
    }
    decide_on(r, RECIPIENT_RESTRICTED, LIST);
    struct ledger_entry e = an_entry();
    for (int i = 0; i < 2; i++) {
        result full = gate_record(r->gate, i == 0 ? &e : NULL);
        assert_fails(full, ERROR_LIMIT);
        assert_int_equal(full.code, EAGAIN);
        assert_true(gate_record_halted(r->gate));
        assert_int_equal(gate_poll(r->gate), GATE_DECIDED);
    }
    make_durable(r); /* what filled the ring is not this entry */
    assert_int_equal(gate_poll(r->gate), GATE_DECIDED);
    assert_ok(gate_record(r->gate, NULL));
    assert_false(gate_record_halted(r->gate));
    assert_int_equal(gate_poll(r->gate), GATE_RECORDING);
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
}

static void assert_refused(struct rig *r)
{
    struct wrong take = {r, MOVE_TAKE}, receive = {r, MOVE_RECEIVE}, again = {r, MOVE_RECORD};
    assert_int_equal(gate_poll(r->gate), GATE_REFUSED);
    assert_int_equal(gate_length(r->gate), 0);
    assert_int_equal(gate_cursors(r->gate).sent, 0);
    assert_int_equal(gate_cursors(r->gate).recorded, 0);
    assert_true(gate_drained(r->gate));
    assert_true(aborts(make_move, &take) && aborts(make_move, &receive) && aborts(make_move, &again));
    assert_int_equal(buf_len(&r->gate->body), 0);
}

static void test_a_ticket_that_failed(void **state)
{
    struct rig *r = *state;
    decide_on(r, RECIPIENT_RESTRICTED, LIST);
    assert_ok(record(r));
    collect(r);
    ipc_collector_fail(r->collector);
    assert_refused(r);
    gate_reset(r->gate);
    decide_on(r, RECIPIENT_ENTITLED, LIST); /* and the ledger does not come back */
    assert_ok(record(r));
    assert_refused(r);
}

static void test_a_scribe_that_died(void **state)
{
    struct rig *r = *state;
    open_gate(r, RECIPIENT_ENTITLED);
    feed(r, LIST);
    gate_stream(r->gate);
    assert_ok(record(r));
    collect(r);
    ipc_area_renew(r->area);
    assert_refused(r);
    gate_reset(r->gate);
    ipc_collector_free(r->collector);
    assert_ok(ipc_collector_new(r->area, &r->collector));
    decide_on(r, RECIPIENT_RESTRICTED, LIST); /* the next scribe writes again */
    assert_ok(record(r));
    make_durable(r);
    assert_int_equal(gate_poll(r->gate), GATE_RELEASED);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------- */

static void test_memory_fails_at_every_point(void **state)
{
    struct rig *r = *state;
    char out[256];
    size_t whole = 0, refused = 0;
    for (uint64_t n = 1; whole == 0; n++) {
        fault_arm("malloc", n);
        struct gate *g = gate_new(&r->env), *kept = r->gate;
        if (g != NULL) {
            r->gate = g;
            open_gate(r, RECIPIENT_RESTRICTED);
            result fed = gate_receive(g, span_str(LIST));
            if (!is_ok(fed)) {
                assert_fails(fed, ERROR_LIMIT);
                assert_cursors(r, 0, 0, 0, 0, 0); /* the bytes were not taken */
                assert_ok(gate_receive(g, span_str(LIST)));
            }
            enum gate_failure f = gate_decide(g, true);
            assert_true(f == GATE_FINE || f == GATE_READ_MEMORY);
            if (f != GATE_FINE) gate_replace(g);
            assert_ok(record(r));
            make_durable(r);
            enum gate_state end = gate_poll(g);
            if (end == GATE_RELEASED && f == GATE_FINE) assert_span(span_of(out, take_all(r, out, sizeof(out))), LIST_LEFT);
            else assert_true(gate_drained(g) && gate_length(g) == 0);
            refused += end == GATE_REFUSED || f != GATE_FINE || !is_ok(fed);
            if (fault_count("malloc") < n) whole++;
            fault_arm("malloc", 0);
            gate_reset(g);
            gate_free(g);
            r->gate = kept;
        }
        buf_free(&r->scratch);
    }
    assert_true(refused > 0);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------------- */

static void test_no_row_passes_for_a_restricted_recipient(void **state)
{
    (void)state;
    //= ICE10036.2 2.1
    for (enum gate_failure f = GATE_REQUEST_SYNTAX; f < GATE_FAILURE_COUNT; f++) {
        enum gate_answer a = gate_failure_answer(f, RECIPIENT_RESTRICTED);
        assert_true(a != GATE_ANSWER_PASS && a != GATE_ANSWER_UNINSPECTED);
        assert_true(gate_failure_outcome(f, RECIPIENT_RESTRICTED) != LEDGER_DISCLOSED);
        bool uninspected = gate_failure_answer(f, RECIPIENT_ENTITLED) == GATE_ANSWER_UNINSPECTED;
        assert_int_equal(uninspected, gate_failure_outcome(f, RECIPIENT_ENTITLED) == LEDGER_UNINSPECTED);
        for (enum gate_failure other = GATE_FINE; other < f; other++)
            assert_string_not_equal(gate_failure_name(other), gate_failure_name(f));
    }
}

static void test_every_row_has_its_switch(void **state)
{
    (void)state;
    for (enum gate_failure f = GATE_REQUEST_SYNTAX; f < GATE_FAILURE_COUNT; f++) {
        assert_false(gate_failure_thrown(f));
        char spec[64];
        snprintf(spec, sizeof(spec), "%s:1+", gate_failure_name(f));
        fault_init(spec, "test");
        assert_true(gate_failure_thrown(f));
        assert_int_equal(gate_document_failure_thrown(), f >= GATE_UNPROFILED ? f : GATE_FINE);
        fault_init(NULL, "test");
    }
}

static void test_every_reason_of_the_engine_is_a_row(void **state)
{
    (void)state;
    assert_int_equal(gate_failure_of(ENGINE_READABLE), GATE_FINE);
    for (enum engine_unreadable u = ENGINE_FORMAT; u <= ENGINE_UNPROFILED; u++) {
        enum gate_failure f = gate_failure_of(u);
        assert_true(f >= GATE_UNPROFILED && f < GATE_FAILURE_COUNT);
        for (enum engine_unreadable other = ENGINE_FORMAT; other < u; other++) assert_int_not_equal(gate_failure_of(other), f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        WITH_RIG(test_nothing_moves_before_what_stands_before_it),
        WITH_RIG(test_every_split_point),
        WITH_RIG(test_bytes_that_stand_where_the_gate_said),
        WITH_RIG(test_bytes_that_nobody_received_are_wiped),
        WITH_RIG(test_who_has_no_place),
        WITH_RIG(test_what_leaves_in_small_pieces),
        WITH_RIG(test_a_failure_leaves_nothing_to_send),
        WITH_RIG(test_a_stream_leaves_only_under_its_entry),
        WITH_RIG(test_states_and_moves),
        WITH_RIG(test_a_restricted_recipient_never_streams),
        WITH_RIG(test_only_what_is_clean_and_entitled_is_exempt),
        WITH_RIG(test_the_order_of_the_cursors),
        WITH_RIG(test_sent_moves_only_up_to_recorded),
        WITH_RIG(test_a_full_ring_waits),
        WITH_RIG(test_a_ticket_that_failed),
        WITH_RIG(test_a_scribe_that_died),
        WITH_RIG(test_memory_fails_at_every_point),
        cmocka_unit_test(test_no_row_passes_for_a_restricted_recipient),
        cmocka_unit_test(test_every_row_has_its_switch),
        cmocka_unit_test(test_every_reason_of_the_engine_is_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
