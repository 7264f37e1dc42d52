/* The pairs are asked: lanes side by side, each with one pair at a time, and all subjects and ways by turns, so that whatever
 * changes on the machine meanwhile meets both halves of a pair alike.
 *
 *   line: CLOSED ─► CONNECTING ─► (WARMING) ─► ASKING ─► (ENDING) ─► IDLE ─┐
 *           ▲                                     ▲                        │
 *           └──────────── ended ──────────────────└────────────────────────┘ */
#include "probe/internal.h"

#define SILENCES_MAX 20
#define LOAD_WAIT_US 5000000

enum line_state { LINE_CLOSED, LINE_CONNECTING, LINE_WARMING, LINE_ASKING, LINE_ENDING, LINE_IDLE };

struct line {
    struct lane *lane;
    const struct probe_server *server;
    struct io_conn *conn;
    enum line_state state;
    bool kept;      /* for more than one request; its first one is not measured */
    bool bare;      /* … but for one that ends the connection: nothing can go before it */
    size_t answered; /* on this connection */
    struct look *look; /* under way, or about to be */
    span text[2];
    size_t texts;
    span first;        /* what warms it */
    bool first_head;
    struct look warm;
    struct probe_series *last_series; /* what was asked last */
    enum probe_side last_side;
};

struct lane {
    struct runner *runner;
    struct io_timer timer;
    struct probe_series *series;
    bool swapped; /* withheld first */
    unsigned step; /* halves that are over */
    unsigned open; /* looks of this half that are not */
    struct line cold, *kept, *beside; /* kept, beside: by server */
    struct look main[PROBE_SIDES], other[PROBE_SIDES];
};

struct runner {
    struct io_loop *loop;
    const struct probe_options *o;
    struct probe_run *run;
    struct load *load; /* NULL: none is asked for */
    struct lane *lanes;
    size_t lane_count, live;
    uint64_t issued, done, all, started_us, silences;
};

static void next_task(struct lane *l);
static void half_is_over(struct lane *l);
static enum probe_side side_of(const struct lane *l) { return (l->step == 0) == l->swapped ? PROBE_WITHHELD : PROBE_ABSENT; }

static void give_up(struct runner *r, const char *why)
{
    if (r->run->failure == NULL) r->run->failure = why;
    io_loop_stop(r->loop);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void line_event(struct io_conn *c, enum io_event event, void *arg);

static void line_drop(struct line *n)
{
    if (n->conn != NULL) io_free(n->conn);
    n->conn = NULL;
    n->state = LINE_CLOSED;
    n->answered = 0;
    n->last_series = NULL;
}

static void note_record(void *arg, uint8_t kind, size_t size)
{
    struct line *n = arg;
    if (kind == IO_RECORD_DATA && (n->state == LINE_ASKING || n->state == LINE_ENDING)) look_record(n->look, size);
}

static void line_connect(struct line *n)
{
    const struct probe_server *s = n->server;
    struct runner *r = n->lane->runner;
    n->conn = io_connect(r->loop, (const struct sockaddr *)&s->address.storage, s->address.len, s->tls, line_event, n);
    if (n->conn == NULL) {
        give_up(r, "no memory or no descriptor for a connection");
        return;
    }
    n->state = LINE_CONNECTING;
    io_watch_records(n->conn, note_record, n);
    io_set_input_cap(n->conn, 1u << 20);
    io_set_deadline(n->conn, r->o->wait_ms);
}

static void line_send(struct line *n, const span *spans, size_t count, struct look *l)
{
    io_set_deadline(n->conn, n->lane->runner->o->wait_ms);
    l->began_ns = os_monotonic_ns();
    (void)io_send(n->conn, spans, count); /* FAILED comes as an event */
}

static void line_ask_now(struct line *n)
{
    n->state = LINE_ASKING;
    line_send(n, n->text, n->texts, n->look);
}

/* The first request on a connection meets what later ones do not: another one goes ahead. */
static void line_warm(struct line *n)
{
    n->state = LINE_WARMING;
    look_begin(&n->warm, 1, n->first_head, false);
    line_send(n, &n->first, 1, &n->warm);
}

static void line_ask(struct line *n, struct look *l, const struct probe_shot *shot, const struct probe_shot *next, bool last)
{
    n->look = l;
    n->server = shot->server;
    n->text[0] = last ? shot->last : shot->text;
    n->texts = next == NULL ? 1 : 2;
    if (next != NULL) n->text[1] = next->text;
    look_begin(l, n->texts, shot->head, next != NULL && next->head);
    n->lane->open++;
    if (n->state == LINE_CLOSED) line_connect(n);
    else line_ask_now(n);
}

static void look_is_over(struct line *n, enum probe_ending ending)
{
    struct lane *l = n->lane;
    n->look->sight.ending = ending;
    n->look = NULL;
    if (--l->open == 0) half_is_over(l);
}

static void line_answered(struct line *n)
{
    n->look->ended_ns = os_monotonic_ns();
    n->answered++;
    n->last_series = n->lane->series;
    n->last_side = side_of(n->lane);
    if (n->look->closes) { /* it said so: how it ends is part of it */
        n->state = LINE_ENDING;
        return;
    }
    n->state = LINE_IDLE;
    io_set_deadline(n->conn, 0);
    look_is_over(n, PROBE_ENDS_OPEN);
}

static void line_warmed(struct line *n, bool whole)
{
    n->answered++;
    if (whole && !n->warm.closes) {
        line_ask_now(n);
        return;
    }
    n->bare = true;
    line_drop(n);
    line_connect(n);
}

static void line_read(struct line *n)
{
    span in = io_input(n->conn);
    struct look *l = n->state == LINE_WARMING ? &n->warm : n->look;
    if (n->state == LINE_IDLE || l == NULL) { /* nobody asked */
        line_drop(n);
        return;
    }
    enum http_step step = look_take(l, in);
    io_consume(n->conn, in.len);
    if (step == HTTP_MORE || (n->state == LINE_ENDING && step != HTTP_BAD)) return;
    if (n->state == LINE_WARMING) {
        line_warmed(n, step == HTTP_DONE);
        return;
    }
    if (step == HTTP_DONE) {
        line_answered(n);
        return;
    }
    line_drop(n);
    look_is_over(n, PROBE_ENDS_NONSENSE);
}

/* Ended behind the last answer, and seen only now: that was that answer's doing; this one is asked again. */
static bool line_again(struct line *n)
{
    if (!n->kept || n->answered == 0 || buf_len(&n->look->raw) > 0 || n->look->retried) return false;
    if (n->last_series != NULL) n->last_series->ended_after[n->last_side]++;
    line_drop(n); /* the look stays */
    n->look->retried = true;
    line_connect(n);
    return true;
}

static void line_ended(struct line *n, enum probe_ending ending)
{
    struct runner *r = n->lane->runner;
    enum line_state state = n->state;
    if (state == LINE_CONNECTING || state == LINE_WARMING) {
        give_up(r, state == LINE_CONNECTING ? io_error_text(n->conn) : "the connection ended before the first answer");
        return;
    }
    if (ending == PROBE_ENDS_SILENT && ++r->silences >= SILENCES_MAX) give_up(r, "too many requests were not answered in time");
    if (state == LINE_ASKING && ending != PROBE_ENDS_SILENT && line_again(n)) return;
    if (state == LINE_IDLE && n->last_series != NULL) n->last_series->ended_after[n->last_side]++;
    line_drop(n);
    if (n->look != NULL) look_is_over(n, ending);
}

static void line_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct line *n = arg;
    switch (event) {
    case IO_CONNECTED:
        io_set_deadline(c, 0);
        if (n->kept && !n->bare) line_warm(n);
        else line_ask_now(n);
        break;
    case IO_READABLE: line_read(n); break;
    case IO_DRAINED: break;
    case IO_END: line_ended(n, PROBE_ENDS_CLEAN); break;
    case IO_TRUNCATED: line_ended(n, PROBE_ENDS_CUT); break;
    case IO_ERROR: line_ended(n, PROBE_ENDS_LOST); break;
    case IO_TIMEOUT: line_ended(n, PROBE_ENDS_SILENT); break;
    }
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

static void shoot(struct lane *l)
{
    enum probe_side side = side_of(l);
    const struct probe_subject *s = l->series->subject;
    const struct probe_shot *shot = &s->side[side], *next = &s->next[side];
    struct line *kept = &l->kept[shot->server->index], *beside = &l->beside[next->server->index];
    kept->first = beside->first = next->text;
    kept->first_head = beside->first_head = next->head;
    l->open = 1; /* ours, until all are asked */
    switch (l->series->way) {
    case PROBE_WARM: line_ask(kept, &l->main[side], shot, NULL, false); break;
    case PROBE_COLD: line_ask(&l->cold, &l->main[side], shot, NULL, true); break;
    case PROBE_NEXT: line_ask(kept, &l->main[side], shot, next, false); break;
    case PROBE_NEIGHBOUR:
        line_ask(kept, &l->main[side], shot, NULL, false);
        line_ask(beside, &l->other[side], next, NULL, false);
        break;
    case PROBE_WAY_COUNT: ASSERT(false);
    }
    if (--l->open == 0) half_is_over(l);
}

static void note_difference(void *ctx, enum probe_difference_kind kind, const char *where, const char *absent, const char *withheld)
{
    struct probe_series *s = ctx;
    for (size_t i = 0; i < s->difference_count; i++) {
        struct probe_difference *d = &s->differences[i];
        bool same = d->kind == kind && d->where != NULL && (kind == PROBE_DIFFERS_BODY || strcmp(d->where, where) == 0);
        /* Values and bodies differ in a new way each time: one of them is enough to see. */
        if (same && (kind != PROBE_DIFFERS_FIELD || (d->absent != NULL && strcmp(d->absent, absent) == 0))) {
            d->count++;
            return;
        }
    }
    if (s->difference_count == PROBE_DIFFERENCES_MAX) return;
    s->differences[s->difference_count++] = (struct probe_difference){
        .kind = kind, .count = 1, .where = mem_strdup(where), .absent = mem_strdup(absent), .withheld = mem_strdup(withheld)};
}

static void note_status(struct probe_series *s, enum probe_side side, const struct probe_sight *sight)
{
    unsigned status = sight->message_count > 0 ? sight->messages[0].status : 0;
    for (size_t i = 0; i + 1 < ARRAY_LEN(s->statuses[side]) && status != 0; i++) {
        if (s->statuses[side][i] == status) return;
        if (s->statuses[side][i] != 0) continue;
        s->statuses[side][i] = status;
        return;
    }
}

static bool is_whole(const struct look *l) { return l->sight.message_count == l->wanted && l->ended_ns > 0; }

/* True: what came is refused for the number of requests, whoever it is about; the other half of the pair may not be. */
static bool note_limited(struct probe_series *s, enum probe_side side, const struct look *l)
{
    bool limited = false;
    for (size_t i = 0; i < l->sight.message_count; i++) limited |= l->sight.messages[i].status == 429;
    s->limited[side] += limited;
    return limited;
}

static void keep_pair(struct lane *l)
{
    struct probe_series *s = l->series;
    bool beside = s->way == PROBE_NEIGHBOUR, whole = true, limited = false;
    for (int i = 0; i < PROBE_SIDES; i++) {
        whole = whole && is_whole(&l->main[i]) && (!beside || is_whole(&l->other[i]));
        note_status(s, i, look_sight(&l->main[i]));
        limited = note_limited(s, i, &l->main[i]) || limited;
        if (beside) limited = note_limited(s, i, &l->other[i]) || limited;
    }
    if (!s->subject->times_only && !limited) {
        probe_compare(look_sight(&l->main[0]), look_sight(&l->main[1]), note_difference, s);
        if (beside) probe_compare(look_sight(&l->other[0]), look_sight(&l->other[1]), note_difference, s);
    }
    if (!whole || limited) {
        s->unanswered++;
        return;
    }
    for (int i = 0; i < PROBE_SIDES; i++) {
        const struct look *measured = beside ? &l->other[i] : &l->main[i];
        s->times[i][s->n] = (double)(measured->ended_ns - measured->began_ns) / 1e9;
    }
    s->n++;
}

static void half_is_over(struct lane *l)
{
    struct runner *r = l->runner;
    if (r->run->failure != NULL) return;
    if (++l->step < PROBE_SIDES) {
        shoot(l);
        return;
    }
    keep_pair(l);
    r->done++;
    if (r->o->progress != NULL) r->o->progress(r->o->ctx, r->done, r->all);
    next_task(l);
}

/* splitmix64 (Steele, Lea, Flood 2014): which half goes first must follow no pattern. */
static uint64_t mixed(uint64_t seed, uint64_t k)
{
    uint64_t z = seed + (k + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The first pairs wait until the load has begun, or does not come. */
static bool is_under_way(const struct runner *r)
{
    return r->load == NULL || r->run->load.answered > 0 || io_now_us() - r->started_us > LOAD_WAIT_US;
}

static void lane_due(void *arg)
{
    struct lane *l = arg;
    if (is_under_way(l->runner)) shoot(l);
    else io_timer_after(&l->timer, 5);
}

static void next_task(struct lane *l)
{
    struct runner *r = l->runner;
    if (r->issued == r->all) {
        if (--r->live == 0) io_loop_stop(r->loop);
        return;
    }
    uint64_t k = r->issued++;
    l->series = &r->run->series[k % r->run->series_count];
    l->swapped = mixed(r->o->seed, k) & 1;
    l->step = 0;
    /* Always from the loop: pairs answered at once must not grow the stack. */
    uint64_t due = r->o->rate > 0 ? r->started_us + (uint64_t)((double)k * 1e6 / r->o->rate) : 0;
    io_timer_at(&l->timer, due);
}

/* ---- set-up ------------------------------------------------------------------------------------------------------ */

static void init_line(struct line *n, struct lane *l, bool kept)
{
    n->lane = l;
    n->kept = kept;
    look_init(&n->warm);
}

static bool init_lane(struct lane *l, struct runner *r)
{
    l->runner = r;
    io_timer_init(&l->timer, r->loop, lane_due, l);
    for (int i = 0; i < PROBE_SIDES; i++) look_init(&l->main[i]), look_init(&l->other[i]);
    init_line(&l->cold, l, false);
    l->kept = mem_array(r->o->servers, sizeof(*l->kept));
    l->beside = mem_array(r->o->servers, sizeof(*l->beside));
    if (l->kept == NULL || l->beside == NULL) return false;
    for (size_t i = 0; i < r->o->servers; i++) init_line(&l->kept[i], l, true), init_line(&l->beside[i], l, true);
    return true;
}

static void free_line(struct line *n)
{
    line_drop(n);
    look_free(&n->warm);
}

static void free_lane(struct lane *l)
{
    io_timer_clear(&l->timer);
    for (int i = 0; i < PROBE_SIDES; i++) look_free(&l->main[i]), look_free(&l->other[i]);
    free_line(&l->cold);
    for (size_t i = 0; l->kept != NULL && l->beside != NULL && i < l->runner->o->servers; i++) free_line(&l->kept[i]), free_line(&l->beside[i]);
    mem_free(l->kept);
    mem_free(l->beside);
}

static bool make_series(const struct probe_subject *subjects, size_t count, const struct probe_options *o, struct probe_run *out)
{
    out->series = mem_array(count * PROBE_WAY_COUNT + 1, sizeof(*out->series));
    if (out->series == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        for (enum probe_way w = PROBE_WARM; w < PROBE_WAY_COUNT; w++) {
            if ((subjects[i].ways >> w & 1u) == 0) continue;
            struct probe_series *s = &out->series[out->series_count++];
            *s = (struct probe_series){.subject = &subjects[i], .way = w};
            for (int k = 0; k < PROBE_SIDES; k++) {
                s->times[k] = mem_array(o->count, sizeof(double));
                if (s->times[k] == NULL) return false;
            }
        }
    }
    return true;
}

static void judge_counts(struct probe_series *s, enum probe_difference_kind kind, const uint64_t counts[PROBE_SIDES])
{
    uint64_t a = counts[PROBE_ABSENT], b = counts[PROBE_WITHHELD], apart = a > b ? a - b : b - a;
    char text[PROBE_SIDES][32];
    if (apart < 3 || apart * apart < 9 * (a + b)) return; /* three standard deviations of fair coins */
    snprintf(text[0], sizeof(text[0]), "%llu times", (unsigned long long)a);
    snprintf(text[1], sizeof(text[1]), "%llu times", (unsigned long long)b);
    note_difference(s, kind, "connection", text[0], text[1]);
}

/* What happens to either half of a pair by itself, but to one of them much more often. */
static void judge_chances(struct probe_run *run)
{
    for (size_t i = 0; i < run->series_count; i++) {
        struct probe_series *s = &run->series[i];
        judge_counts(s, PROBE_DIFFERS_AFTER, s->ended_after);
        judge_counts(s, PROBE_DIFFERS_LIMITED, s->limited);
    }
}

static RESULT drive(struct runner *r)
{
    r->live = r->lane_count;
    r->started_us = io_now_us();
    for (size_t i = 0; i < r->lane_count; i++) next_task(&r->lanes[i]);
    return io_loop_run(r->loop);
}

result probe_run(const struct probe_subject *subjects, size_t count, const struct probe_options *o, struct probe_run *out)
{
    struct runner r = {.o = o, .run = out, .lane_count = o->connections};
    *out = (struct probe_run){0};
    ASSERT(count > 0 && o->count > 0 && o->connections > 0 && o->servers > 0);
    bool good = make_series(subjects, count, o, out) && (r.loop = io_loop_new()) != NULL &&
                (r.lanes = mem_array(o->connections, sizeof(*r.lanes))) != NULL;
    r.all = (uint64_t)o->count * out->series_count;
    for (size_t i = 0; good && i < r.lane_count; i++) good = init_lane(&r.lanes[i], &r);
    if (good && o->load > 0) good = (r.load = load_start(r.loop, subjects, count, o, &out->load)) != NULL;
    result done = good ? drive(&r) : FAIL(ERROR_LIMIT, 0);
    for (size_t i = 0; r.lanes != NULL && i < r.lane_count && r.lanes[i].runner != NULL; i++) free_lane(&r.lanes[i]);
    mem_free(r.lanes);
    load_end(r.load);
    if (r.loop != NULL) io_loop_free(r.loop);
    if (!good) out->failure = "no memory";
    if (is_ok(done) && out->failure != NULL) done = FAIL(ERROR_IO, 0);
    if (is_ok(done)) judge_chances(out);
    return done;
}

void probe_run_free(struct probe_run *r)
{
    for (size_t i = 0; i < r->series_count; i++) {
        struct probe_series *s = &r->series[i];
        for (int k = 0; k < PROBE_SIDES; k++) mem_free(s->times[k]);
        for (size_t k = 0; k < s->difference_count; k++) {
            mem_free(s->differences[k].where);
            mem_free(s->differences[k].absent);
            mem_free(s->differences[k].withheld);
        }
    }
    mem_free(r->series);
    *r = (struct probe_run){0};
}
