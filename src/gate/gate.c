#include "gate/own.h"

#include <errno.h>

void gate_check_order(const struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    const struct gate_cursors *c = &g->at;
    ASSERT(c->received >= c->read && c->read >= c->decided && c->decided >= c->recorded && c->recorded >= c->sent);
}

/* The only place where `sent` moves. */
static void move_sent(struct gate *g, uint64_t to)
{
    ASSERT(g->state == GATE_RELEASED && to >= g->at.sent && to <= g->at.recorded);
    g->at.sent = to;
    gate_check_order(g);
}

/* The only place where `recorded` moves: the ledger said so, or nothing has to be said. */
static void move_recorded(struct gate *g)
{
    g->at.recorded = g->at.decided;
    g->state = GATE_RELEASED;
    gate_check_order(g);
    if (g->parts.on) gate_parts_recorded(g);
}

#define GATE_BODY_KEEP (256u * 1024)

/* Small bodies keep their memory, wiped, for the next exchange; large ones give it back. */
void gate_wipe_body(struct gate *g)
{
    if (g->body.size > GATE_BODY_KEEP) {
        buf_free(&g->body);
        buf_init(&g->body, g->env->body_cap);
        return;
    }
    if (g->body.dirty > 0) mem_wipe(g->body.base, g->body.dirty);
    g->body.read = g->body.write = g->body.dirty = 0;
}

void gate_shrink(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_IDLE);
    buf_free(&g->body);
    buf_init(&g->body, g->env->body_cap);
}

/* Without a durable entry nothing of this answer ever leaves. */
static void refuse(struct gate *g)
{
    g->state = GATE_REFUSED;
    g->replaced = true;
    g->stream = false;
    gate_parts_reset(g);
    gate_wipe_body(g);
}

struct gate *gate_new(const struct gate_environment *env)
{
    struct gate *g = mem_alloc(sizeof(*g));
    if (g == NULL) return NULL;
    *g = (struct gate){.magic = GATE_MAGIC, .env = env};
    buf_init(&g->body, env->body_cap);
    buf_init(&g->parts.out, env->body_cap);
    g->arena = arena_new(env->arena_cap);
    g->parts.arena = arena_new(env->arena_cap);
    if (g->arena != NULL && g->parts.arena != NULL) return g;
    gate_free(g);
    return NULL;
}

void gate_free(struct gate *g)
{
    if (g == NULL) return;
    MAGIC_CHECK(g, GATE_MAGIC);
    buf_free(&g->body);
    buf_free(&g->parts.out);
    if (g->arena != NULL) arena_free(g->arena);
    if (g->parts.arena != NULL) arena_free(g->parts.arena);
    if (g->review != NULL) arena_free(g->review);
    if (g->trial.arena != NULL) arena_free(g->trial.arena);
    g->magic = 0;
    mem_free(g);
}

void gate_reset(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->engine == NULL && g->trial.engine == NULL);
    gate_wipe_body(g);
    gate_parts_reset(g);
    arena_reset(g->arena);
    arena_reset(g->parts.arena);
    if (g->review != NULL) arena_reset(g->review);
    if (g->trial.arena != NULL) arena_reset(g->trial.arena);
    g->state = GATE_IDLE;
    g->stream = g->replaced = g->enough = false;
    g->outcome = (struct engine_outcome){0};
    g->failure = GATE_FINE;
    g->at = (struct gate_cursors){0};
    g->run = 0;
    g->run_taken = 0;
    g->ticket = 0;
    g->halted = false;
    mem_wipe(&g->left, sizeof(g->left));
}

enum gate_state gate_state(const struct gate *g) { return g->state; }
struct gate_cursors gate_cursors(const struct gate *g) { return g->at; }
uint64_t gate_held(const struct gate *g) { return g->body.size + g->parts.out.size; }
struct arena *gate_arena(struct gate *g) { return g->arena; }
struct arena *gate_entry_arena(struct gate *g) { return g->parts.arena; }
const struct engine_outcome *gate_outcome(const struct gate *g) { return &g->outcome; }
bool gate_is_stream(const struct gate *g) { return g->stream; }
bool gate_read_enough(const struct gate *g) { return g->enough; }

void gate_open(struct gate *g, struct engine *engine, const struct engine_begin *b)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_IDLE);
    struct engine_begin begin = *b;
    begin.arena = g->arena;
    begin.out = b->keep_survey ? NULL : &g->parts.out; /* whoever looks at the survey looks at all of it */
    begin.watch = (struct engine_watch){gate_trial_meet, g};
    g->engine = engine;
    g->class = b->class;
    g->state = GATE_RECEIVING;
    engine_start(engine, &begin);
    g->parts.on = engine_is_stream(engine);
}

#define EXPECT_MAX ((uint64_t)4 << 20)

void gate_expect(struct gate *g, uint64_t length)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_RECEIVING && g->at.received == 0);
    if (g->parts.on) return;
    if (length > EXPECT_MAX) length = EXPECT_MAX;
    uint8_t *unused;
    uint64_t room = length + ENGINE_SLACK;
    result r = buf_reserve(&g->body, (size_t)(room < g->body.cap ? room : g->body.cap), &unused);
    (void)r; /* only a hint: what cannot be held is told when it comes */
}

static RESULT receive_stream(struct gate *g, span bytes)
{
    ASSERT(g->class == RECIPIENT_ENTITLED);
    TRY(buf_append(&g->body, bytes));
    g->at.received += bytes.len;
    g->at.read = g->at.decided = g->at.received;
    /* One entry, durable since RELEASED, says that all of this passes unread. */
    if (g->state == GATE_RELEASED) g->at.recorded = g->at.decided;
    gate_check_order(g);
    return OK;
}

uint8_t *gate_place(struct gate *g, size_t *n)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct buf *b = &g->body;
    bool whole = g->state == GATE_RECEIVING && g->class == RECIPIENT_RESTRICTED && !g->parts.on && !g->enough;
    if (!whole || b->base == NULL || b->size - b->write <= ENGINE_SLACK) return NULL;
    size_t room = b->size - b->write - ENGINE_SLACK;
    if (*n > room) *n = room;
    buf_lend(b, *n);
    return b->base + b->write;
}

/* What stands where gate_place said is taken as it lies. */
static RESULT take_in(struct buf *b, span bytes)
{
    if (bytes.len == 0 || b->base == NULL || bytes.ptr != b->base + b->write) return buf_append(b, bytes);
    buf_commit(b, bytes.len);
    return OK;
}

/* Where a body is cut its records are read one way up to there and another way behind it. One that fits is read in one go,
 * when all of it is there. */
#define READ_AT_ONCE ((uint64_t)64 * 1024)

RESULT gate_receive(struct gate *g, span bytes)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    if (g->stream) return receive_stream(g, bytes);
    ASSERT(g->state == GATE_RECEIVING);
    if (g->parts.on) return gate_parts_receive(g, bytes);
    if (g->enough && g->class == RECIPIENT_RESTRICTED) return OK;
    TRY(take_in(&g->body, bytes));
    g->at.received += bytes.len;
    if (g->enough || g->at.received - g->at.read < READ_AT_ONCE) return OK;
    g->enough = !engine_feed(g->engine, buf_span(&g->body));
    g->at.read = g->at.received;
    if (g->enough && g->class == RECIPIENT_RESTRICTED) gate_wipe_body(g);
    gate_check_order(g);
    return OK;
}

/* What is behind the body may be read as well, where there is room. */
static void pad(struct gate *g, struct engine *engine)
{
    if (g->body.size - g->body.write < ENGINE_SLACK || g->body.base == NULL) return;
    memset(g->body.base + g->body.write, 0, ENGINE_SLACK);
    engine_pad(engine, ENGINE_SLACK);
}

enum gate_failure gate_decide(struct gate *g, bool complete)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_RECEIVING);
    pad(g, g->engine);
    engine_finish(g->engine, buf_span(&g->body), complete, &g->outcome);
    g->engine = NULL;
    g->failure = gate_document_failure_thrown();
    if (g->failure == GATE_FINE) g->failure = gate_failure_of(g->outcome.unreadable);
    g->state = GATE_DECIDED;
    if (g->failure != GATE_FINE) return g->failure;
    g->at.read = g->at.decided = g->at.received;
    gate_check_order(g);
    return GATE_FINE;
}

enum gate_failure gate_decide_head(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->class == RECIPIENT_ENTITLED && g->at.received == 0);
    bool held = !g->parts.on && is_ok(gate_receive(g, SPAN("null")));
    return held ? gate_decide(g, true) : GATE_READ_MEMORY;
}

span gate_raw_body(const struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    return buf_span(&g->body);
}

bool gate_may_decide_again(const struct gate *g)
{
    return g->state == GATE_DECIDED && g->failure == GATE_FINE && !g->stream && !g->replaced && !g->parts.on && g->at.sent == 0;
}

enum gate_failure gate_decide_again(struct gate *g, struct engine *engine, const struct engine_begin *b)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(gate_may_decide_again(g));
    struct engine_begin begin = *b;
    begin.arena = g->arena;
    engine_start(engine, &begin);
    pad(g, engine);
    engine_finish(engine, buf_span(&g->body), true, &g->outcome);
    g->failure = gate_failure_of(g->outcome.unreadable);
    return g->failure;
}

RESULT gate_insert(struct gate *g, uint64_t behind, span words)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_DECIDED && g->failure == GATE_FINE && !g->stream && !g->replaced && g->at.sent == 0);
    return edit_insert(&g->outcome.edits, behind, words, g->arena);
}

void gate_stream(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->class == RECIPIENT_ENTITLED && (g->state == GATE_RECEIVING || g->state == GATE_DECIDED));
    ASSERT(!g->parts.on);
    if (g->engine != NULL) engine_finish(g->engine, buf_span(&g->body), false, &g->outcome);
    g->engine = NULL;
    g->stream = true;
    g->state = GATE_DECIDED;
    g->at.read = g->at.decided = g->at.received;
    gate_check_order(g);
}

void gate_replace(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_IDLE || g->state == GATE_RECEIVING || g->state == GATE_DECIDED);
    if (g->engine != NULL && !g->parts.on) engine_finish(g->engine, buf_span(&g->body), false, &g->outcome);
    gate_leave_engine(g);
    g->replaced = true;
    g->stream = false;
    gate_parts_reset(g);
    gate_wipe_body(g);
    g->at.decided = 0;
    g->state = GATE_DECIDED;
}

uint64_t gate_length(const struct gate *g)
{
    if (g->replaced) return 0;
    if (g->parts.on) return g->parts.last && g->parts.settled < GATE_CHUNK ? g->parts.decided : UINT64_MAX;
    return g->stream ? UINT64_MAX : g->outcome.edits.length;
}

bool gate_record_halted(const struct gate *g) { return g->halted; }

RESULT gate_record(struct gate *g, const struct ledger_entry *entry)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_DECIDED);
    if (gate_failure_thrown(GATE_LEDGER)) {
        refuse(g);
        return OK;
    }
    ASSERT((entry == NULL) == g->halted);
    if (entry != NULL) g->left = *entry;
    result r = ledger_entry_publish(&g->left, g->env->scratch, g->env->ring, &g->ticket);
    g->halted = r.class == ERROR_LIMIT && r.code == EAGAIN;
    if (g->halted) return r;
    if (is_ok(r)) g->state = GATE_RECORDING;
    else refuse(g);
    return OK;
}

void gate_refuse(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_DECIDED);
    refuse(g);
}

void gate_exempt(struct gate *g, bool routed)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_DECIDED && !g->stream);
    ASSERT(!g->parts.on || gate_length(g) != UINT64_MAX);
    bool found_nothing = g->failure == GATE_FINE && g->class == RECIPIENT_ENTITLED && !g->outcome.verdict.found;
    ASSERT(!routed ? g->replaced : found_nothing);
    move_recorded(g);
}

enum gate_state gate_poll(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    if (g->state != GATE_RECORDING) return g->state;
    switch (ipc_ring_state(g->env->ring, g->ticket)) {
    case IPC_TICKET_PENDING: break;
    case IPC_TICKET_DURABLE: move_recorded(g); break;
    case IPC_TICKET_FAILED: refuse(g); break;
    }
    return g->state;
}

static size_t take_stream(struct gate *g, span *out)
{
    uint64_t held = g->at.received - buf_len(&g->body); /* offset of the buffer's first byte */
    uint64_t fresh = g->at.recorded - g->at.sent;
    if (fresh == 0) return 0;
    *out = span_sub(buf_span(&g->body), (size_t)(g->at.sent - held), (size_t)fresh);
    move_sent(g, g->at.recorded);
    return 1;
}

/* The next bytes of a run, at most `most`. */
static span take_run(struct gate *g, const struct edit_run *r, uint64_t most)
{
    uint64_t len = r->literal_len > 0 ? r->literal_len : r->len, from = g->run_taken;
    uint64_t part = len - from < most ? len - from : most;
    g->run_taken += part;
    if (g->run_taken == len) g->run++, g->run_taken = 0;
    if (r->literal_len > 0) return span_sub(span_of(r->literal, r->literal_len), (size_t)from, (size_t)part);
    ASSERT(r->at + from >= g->at.sent && r->at + r->len <= g->at.decided);
    move_sent(g, r->at + from + part);
    return span_sub(buf_span(&g->body), (size_t)(r->at + from), (size_t)part);
}

static size_t take_runs(struct gate *g, span *out, size_t n, uint64_t most)
{
    const struct edit_list *e = &g->outcome.edits;
    size_t taken = 0;
    while (taken < n && most > 0 && g->run < e->count) {
        out[taken] = take_run(g, &e->runs[g->run], most);
        most -= out[taken++].len;
    }
    return taken;
}

uint64_t gate_ahead(const struct gate *g, size_t n, bool *all)
{
    const struct edit_list *e = &g->outcome.edits;
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(!g->stream && !g->parts.on);
    *all = g->replaced || e->count - g->run <= n;
    if (g->replaced || g->run == e->count) return 0;
    uint64_t end = *all ? e->length : e->runs[g->run + n].out;
    return end - e->runs[g->run].out - g->run_taken;
}

size_t gate_take(struct gate *g, span *out, size_t n, uint64_t most)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    ASSERT(g->state == GATE_RELEASED);
    if (g->replaced || n == 0) return 0;
    if (g->parts.on) return gate_parts_take(g, out);
    ASSERT(g->class == RECIPIENT_ENTITLED || g->outcome.verdict.judged);
    return g->stream ? take_stream(g, out) : take_runs(g, out, n, most);
}

void gate_taken_left(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    if (!g->stream) return;
    uint64_t held = g->at.received - buf_len(&g->body);
    buf_consume(&g->body, (size_t)(g->at.sent - held));
}

bool gate_drained(const struct gate *g)
{
    if (g->replaced) return true;
    if (g->parts.on) return g->parts.sent == g->parts.decided;
    return g->stream ? g->at.sent == g->at.received : g->run == g->outcome.edits.count;
}
