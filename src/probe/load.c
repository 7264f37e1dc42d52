/* Requests beside the pairs, at a steady rate: what another one asks. Nobody looks at what they are answered, only that they are. A
 * request for which no line is free is missed, not made up for: the rate is the gateway's to keep up with. */
#include "probe/internal.h"

#define LINES_MAX 256
#define LINE_RATE 20 /* requests a second that one connection is meant for */

struct load_line {
    struct load *load;
    const struct probe_shot *shot;
    struct io_conn *conn;
    bool ready, asking;
    struct look look;
};

struct load {
    struct io_loop *loop;
    double rate;
    uint64_t wait_ms, started_us, due; /* due: requests until now */
    struct io_timer timer;
    struct load_line *lines;
    size_t line_count, turn;
    struct probe_load *told;
};

static void line_drop(struct load_line *n)
{
    if (n->conn != NULL) io_free(n->conn);
    n->conn = NULL;
    n->ready = n->asking = false;
}

static void line_read(struct load_line *n)
{
    span in = io_input(n->conn);
    enum http_step step = n->asking ? look_take(&n->look, in) : HTTP_BAD;
    io_consume(n->conn, in.len);
    if (step == HTTP_MORE) return;
    n->asking = false;
    n->load->told->answered += step == HTTP_DONE;
    io_set_deadline(n->conn, 0);
    if (step != HTTP_DONE || n->look.closes) line_drop(n);
}

static void line_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct load_line *n = arg;
    switch (event) {
    case IO_CONNECTED:
        n->ready = true;
        io_set_deadline(c, 0);
        break;
    case IO_READABLE: line_read(n); break;
    case IO_DRAINED: break;
    case IO_END:
    case IO_TRUNCATED:
    case IO_ERROR:
    case IO_TIMEOUT: line_drop(n); break;
    }
}

static void line_connect(struct load_line *n)
{
    const struct probe_server *s = n->shot->server;
    n->conn = io_connect(n->load->loop, (const struct sockaddr *)&s->address.storage, s->address.len, s->tls, line_event, n);
    if (n->conn == NULL) return;
    io_set_input_cap(n->conn, 1u << 20);
    io_set_deadline(n->conn, n->load->wait_ms);
}

/* False: every line is at work, or not there yet. */
static bool ask_one(struct load *l)
{
    for (size_t i = 0; i < l->line_count; i++) {
        struct load_line *n = &l->lines[l->turn];
        l->turn = (l->turn + 1) % l->line_count;
        if (n->conn == NULL) line_connect(n);
        if (n->conn == NULL || !n->ready || n->asking) continue;
        look_begin(&n->look, 1, n->shot->head, false);
        n->asking = true;
        io_set_deadline(n->conn, l->wait_ms);
        (void)io_send(n->conn, &n->shot->text, 1); /* FAILED comes as an event */
        return true;
    }
    return false;
}

static void load_due(void *arg)
{
    struct load *l = arg;
    if (l->told->asked == 0 && !ask_one(l)) { /* nothing is connected yet: the clock starts with the first request */
        l->started_us = io_now_us();
        io_timer_after(&l->timer, 1);
        return;
    }
    if (l->told->asked == 0) l->told->asked = l->due = 1;
    uint64_t due = (uint64_t)((double)(io_now_us() - l->started_us) * l->rate / 1e6) + 1;
    for (; l->due < due; l->due++) {
        if (ask_one(l)) l->told->asked++;
        else l->told->missed++;
    }
    io_timer_at(&l->timer, l->started_us + (uint64_t)((double)l->due * 1e6 / l->rate));
}

struct load *load_start(struct io_loop *loop, const struct probe_subject *subjects, size_t count, const struct probe_options *o,
    struct probe_load *told)
{
    struct load *l = mem_alloc(sizeof(*l));
    if (l == NULL) return NULL;
    double wanted = o->load / LINE_RATE + 1;
    l->line_count = wanted > LINES_MAX ? LINES_MAX : (size_t)wanted;
    l->lines = mem_array(l->line_count, sizeof(*l->lines));
    l->loop = loop;
    l->rate = o->load;
    l->wait_ms = o->wait_ms;
    l->told = told;
    io_timer_init(&l->timer, loop, load_due, l);
    for (size_t i = 0; l->lines != NULL && i < l->line_count; i++) {
        struct load_line *n = &l->lines[i];
        n->load = l;
        n->shot = &subjects[i % count].next[PROBE_ABSENT];
        look_init(&n->look);
        line_connect(n);
    }
    if (l->lines == NULL) {
        load_end(l);
        return NULL;
    }
    l->started_us = io_now_us();
    io_timer_at(&l->timer, l->started_us);
    return l;
}

void load_end(struct load *l)
{
    if (l == NULL) return;
    io_timer_clear(&l->timer);
    for (size_t i = 0; l->lines != NULL && i < l->line_count; i++) {
        line_drop(&l->lines[i]);
        look_free(&l->lines[i].look);
    }
    mem_free(l->lines);
    mem_free(l);
}
