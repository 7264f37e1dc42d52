/* Documents of independent units: what has been decided is recorded and leaves while the rest is still on its way. */
#include "gate/own.h"

#define PART_MOST ((uint64_t)1 << 20)      /* bytes that leave in a part to who is entitled, about */
#define PART_SIZE ((uint64_t)256 * 1024)   /* that leave to who is restricted, exactly */
#define PART_READ_MOST ((uint64_t)8 << 20) /* bytes read for one, whether any leave or not */
#define SUBJECTS_MOST (16 * LEDGER_PART_SUBJECTS) /* likewise: each commit takes time, which must not be a matter of whom it names */

static void check_parts(const struct gate *g)
{
    const struct gate_parts *p = &g->parts;
    gate_check_order(g);
    ASSERT(p->settled >= p->decided && p->decided >= p->recorded && p->recorded >= p->sent);
}

bool gate_in_parts(const struct gate *g) { return g->parts.on; }
bool gate_part_is_last(const struct gate *g) { return g->parts.last; }
uint64_t gate_settled(const struct gate *g) { return g->parts.settled; }

uint32_t gate_part_number(const struct gate *g) { return g->parts.number; }

/* Reads what is new of the body, and lets go of what is not needed any more. */
static bool read_on(struct gate *g, enum engine_end end)
{
    struct gate_parts *p = &g->parts;
    uint64_t base = g->at.received - buf_len(&g->body);
    gate_trial_read(g, buf_span(&g->body), base, end);
    bool goes_on = engine_stream(g->engine, buf_span(&g->body), base, end);
    p->settled = engine_stream_settled(g->engine);
    g->at.read = g->at.received;
    uint64_t needs = engine_stream_needs(g->engine), tried = gate_trial_needs(g);
    if (goes_on) buf_consume(&g->body, (size_t)((tried < needs ? tried : needs) - base));
    return goes_on;
}

result gate_parts_receive(struct gate *g, span bytes)
{
    struct gate_parts *p = &g->parts;
    if (p->over && g->class == RECIPIENT_RESTRICTED) return OK;
    TRY(buf_append(&g->body, bytes));
    g->at.received += bytes.len;
    if (!p->over && bytes.len > 0) p->over = !read_on(g, ENGINE_GOES_ON);
    g->enough = p->over;
    check_parts(g);
    return OK;
}

static uint64_t part_most(const struct gate *g)
{
    return g->class == RECIPIENT_ENTITLED ? PART_MOST : PART_SIZE;
}

/* Both bounds look at what was read as well as at what leaves of it: a run of withheld units takes the same way. */
//= ICE10036.2 2.1
bool gate_part_ready(const struct gate *g, bool idle)
{
    const struct gate_parts *p = &g->parts;
    if (p->over) return true;
    if (p->settled < GATE_CHUNK) return false; /* the head waits for the first chunk: the whole may be smaller */
    uint64_t ready = p->settled - p->decided;
    if (ready > part_most(g) || g->at.received - p->read_before >= PART_READ_MOST) return true;
    size_t subjects = g->class == RECIPIENT_ENTITLED ? LEDGER_PART_SUBJECTS : SUBJECTS_MOST;
    if (engine_stream_subjects(g->engine) >= subjects) return true;
    return idle && ready >= GATE_CHUNK;
}

static enum gate_failure failure_of(struct gate *g)
{
    enum gate_failure f = gate_document_failure_thrown();
    return f != GATE_FINE ? f : gate_failure_of(engine_stream_unreadable(g->engine));
}

/* A document that breaks off inside a chunk ends before it: how far it got is a matter of the bytes that leave alone. */
static uint64_t whole_chunks(uint64_t n) { return n - n % GATE_CHUNK; }

/* The engine goes on before the entry is always written (a canonical answer needs none). */
static bool keep_verdict(struct gate *g)
{
    struct policy_verdict *v = &g->outcome.verdict;
    engine_stream_part(g->engine, v);
    uint64_t *subjects = arena_array(g->parts.arena, v->subject_count + 1, sizeof *subjects);
    struct policy_rule_count *rules = arena_array(g->parts.arena, v->rule_count + 1, sizeof *rules);
    if (subjects == NULL || rules == NULL) return false;
    if (v->subject_count > 0) memcpy(subjects, v->subjects, v->subject_count * sizeof *subjects);
    if (v->rule_count > 0) memcpy(rules, v->rules, v->rule_count * sizeof *rules);
    v->subjects = subjects;
    v->rules = rules;
    return engine_stream_suspicions(g->engine, g->parts.arena, &g->outcome);
}

static bool is_in_order(const struct gate *g)
{
    return g->failure == GATE_FINE && !g->outcome.verdict.document_withheld;
}

/* To who is restricted each part but the last is of one size, wherever in the body its last byte was read, and of none where only
 * so much was read that it should go on record: else the times at which parts leave would tell how much was withheld in between. */
//= ICE10036.2 2.1
static bool has_more_parts(const struct gate *g)
{
    return g->class == RECIPIENT_RESTRICTED && g->parts.settled - g->parts.decided > PART_SIZE;
}

static uint64_t end_of_part(const struct gate *g, enum gate_body body)
{
    const struct gate_parts *p = &g->parts;
    bool in_order = is_in_order(g);
    if (!p->last && has_more_parts(g)) return p->decided + PART_SIZE;
    if (p->over && in_order) return p->settled;
    bool leaves = p->last || body == GATE_BODY_PAUSES || g->class == RECIPIENT_ENTITLED;
    return leaves ? whole_chunks(p->settled) : p->decided;
}

/* To decide anew would take bytes that have been let go. Whoever asks again gets it without her. */
//= 8USC1367 a(2)
void gate_look_again(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct gate_parts *p = &g->parts;
    ASSERT(g->state == GATE_RECEIVING && p->on);
    if (g->class != RECIPIENT_RESTRICTED || g->engine == NULL || !engine_stream_has_missed(g->engine)) return;
    p->settled = p->decided;
    p->over = p->missed = true;
}

enum gate_failure gate_part(struct gate *g, enum gate_body body, bool unwanted)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct gate_parts *p = &g->parts;
    ASSERT(g->state == GATE_RECEIVING && p->on);
    if ((body == GATE_BODY_COMPLETE || body == GATE_BODY_CUT) && !p->over) {
        (void)read_on(g, body == GATE_BODY_COMPLETE ? ENGINE_COMPLETE : ENGINE_CUT);
        p->over = true;
    }
    g->failure = p->missed ? GATE_REGISTRY : failure_of(g);
    if (!keep_verdict(g)) {
        g->outcome.verdict.subject_count = g->outcome.verdict.rule_count = 0;
        g->failure = GATE_READ_MEMORY;
    }
    p->last = unwanted || ((p->over || !is_in_order(g)) && !has_more_parts(g));
    p->decided = end_of_part(g, body);
    g->state = GATE_DECIDED;
    p->read_before = g->at.received;
    p->number++;
    g->at.decided = g->class == RECIPIENT_ENTITLED ? p->decided : engine_stream_done(g->engine);
    g->ticket = 0;
    check_parts(g);
    return g->failure;
}

void gate_parts_recorded(struct gate *g)
{
    g->parts.recorded = g->parts.decided;
    check_parts(g);
}

/* The only place where `sent` of a part moves. */
size_t gate_parts_take(struct gate *g, span *out)
{
    struct gate_parts *p = &g->parts;
    size_t n = (size_t)(p->recorded - p->sent);
    if (n == 0) return 0;
    *out = span_sub(buf_span(&p->out), (size_t)(p->sent - p->begun), n);
    p->sent = p->recorded;
    check_parts(g);
    return 1;
}

void gate_next_part(struct gate *g)
{
    MAGIC_CHECK(g, GATE_MAGIC);
    struct gate_parts *p = &g->parts;
    ASSERT(g->state == GATE_RELEASED && p->on && !p->last && p->sent == p->recorded);
    uint64_t left = p->sent - p->begun;
    buf_consume(&p->out, (size_t)left);
    p->begun = p->sent;
    engine_stream_taken(g->engine, left);
    engine_stream_next_part(g->engine);
    arena_reset(p->arena);
    p->number = g->left.part > p->number ? g->left.part : p->number;
    g->state = GATE_RECEIVING;
    check_parts(g);
}

void gate_leave_engine(struct gate *g)
{
    if (g->engine != NULL) engine_reset(g->engine);
    g->engine = NULL;
}

void gate_parts_reset(struct gate *g)
{
    struct arena *arena = g->parts.arena;
    size_t cap = g->parts.out.cap;
    buf_free(&g->parts.out);
    g->parts = (struct gate_parts){.out = {.cap = cap}, .arena = arena};
}

result gate_parts_become_stream(struct gate *g)
{
    struct gate_parts *p = &g->parts;
    ASSERT(g->class == RECIPIENT_ENTITLED);
    uint64_t base = g->at.received - buf_len(&g->body), done = engine_stream_done(g->engine);
    TRY(buf_append(&p->out, span_from(buf_span(&g->body), (size_t)(done - base))));
    buf_consume(&p->out, (size_t)(p->sent - p->begun));
    struct buf rest = p->out;
    rest.cap = g->body.cap > rest.size ? g->body.cap : rest.size;
    buf_free(&g->body);
    g->body = rest;
    p->out = (struct buf){.cap = p->out.cap};
    g->at.sent = g->at.recorded = p->sent;
    p->on = false;
    gate_leave_engine(g); /* what it found so far is this part's outcome, and stays so */
    return OK;
}
