/* The loop, and watches on descriptors of others. */
#include <errno.h>

#include "io/io_internal.h"

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

/* Defined with the connections; declared here for the one event that calls it. */
void io_run_kicked(struct io_loop *l);

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    io_run_kicked(arg);
}

/* libevent gives everything the middle priority; what is above is done before the rest of a round, and what is below runs only
 * when a look found nothing else ready. */
#define PRIORITIES 3
static const int priorities[] = {[IO_AT_ONCE] = 0, [IO_BEFORE_WAIT] = 2};

/* Interest in descriptors that changes to and fro within a round costs one epoll_ctl, or none. One thread: no locks. */
static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL || event_base_priority_init(base, PRIORITIES) == 0) return base;
    event_base_free(base);
    return NULL;
}

static bool fill_loop(struct io_loop *l)
{
    if ((l->base = make_base()) == NULL) return false;
    if (!io_timers_open(l)) return false;
    if ((l->limit = event_new(l->base, -1, 0, on_limit, l)) == NULL) return false;
    /* Makes room in libevent's heap, so that setting it never fails later. */
    const struct timeval far = {.tv_sec = 86400};
    if (event_add(l->limit, &far) != 0) return false;
    event_del(l->limit);
    if ((l->kick = event_new(l->base, -1, 0, on_kick, l)) == NULL) return false;
    if ((l->bio = io_bio_method()) == NULL) return false;
    l->scratch = mem_alloc(IO_SCRATCH);
    l->record = mem_alloc(IO_RECORD);
    return l->scratch != NULL && l->record != NULL;
}

struct io_loop *io_loop_new(void)
{
    struct io_loop *l = mem_alloc(sizeof *l);
    if (l == NULL) return NULL;
    l->magic = IO_LOOP_MAGIC;
    l->tick_fd = -1;
    TAILQ_INIT(&l->conns);
    TAILQ_INIT(&l->kicked);
    buf_init(&l->wire, 4 * IO_WIRE_HIGH);
    if (fill_loop(l)) return l;
    io_loop_free(l);
    return NULL;
}

void io_loop_free(struct io_loop *l)
{
    if (l == NULL) return;
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct io_conn *c;
    while ((c = TAILQ_FIRST(&l->conns)) != NULL) {
        ASSERT(c->state == CONN_FLUSHING || c->state == CONN_LINGER);
        io_free(c);
    }
    io_timers_close(l);
    if (l->limit != NULL) event_free(l->limit);
    if (l->kick != NULL) event_free(l->kick);
    if (l->base != NULL) event_base_free(l->base);
    BIO_meth_free(l->bio);
    buf_free(&l->wire);
    mem_free_wipe(l->scratch, l->scratch != NULL ? IO_SCRATCH : 0);
    mem_free_wipe(l->record, l->record != NULL ? IO_RECORD : 0);
    l->magic = 0;
    mem_free(l);
}

RESULT io_loop_run(struct io_loop *l)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    REQUIRE(event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) >= 0, ERROR_IO, errno);
    return OK;
}

RESULT io_loop_once(struct io_loop *l, unsigned wait_ms)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};
    int flags = EVLOOP_ONCE | (wait_ms == 0 ? EVLOOP_NONBLOCK : EVLOOP_NO_EXIT_ON_EMPTY);
    if (wait_ms > 0) ASSERT(event_add(l->limit, &tv) == 0);
    int r = event_base_loop(l->base, flags);
    event_del(l->limit);
    REQUIRE(r >= 0, ERROR_IO, errno);
    return OK;
}

void io_loop_stop(struct io_loop *l)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    event_base_loopbreak(l->base);
}

struct event_base *io_loop_base(struct io_loop *l)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    return l->base;
}

size_t io_loop_connections(const struct io_loop *l)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    return l->conn_count;
}

#define IO_WATCH_MAGIC 0x696f7774u

struct io_watch {
    uint32_t magic;
    bool running, dead;
    void (*run)(int fd, void *arg);
    void *arg;
    struct event readable;
};

static void on_watched(evutil_socket_t fd, short what, void *arg)
{
    struct io_watch *w = arg;
    (void)what;
    MAGIC_CHECK(w, IO_WATCH_MAGIC);
    w->running = true;
    w->run(fd, w->arg);
    w->running = false;
    if (w->dead) io_watch_free(w);
}

static struct io_watch *watch_new(struct io_loop *l, int fd, short how, void (*run)(int fd, void *arg), void *arg)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct io_watch *w = mem_alloc(sizeof *w);
    if (w == NULL) return NULL;
    *w = (struct io_watch){.magic = IO_WATCH_MAGIC, .run = run, .arg = arg};
    ASSERT(event_assign(&w->readable, l->base, fd, how, on_watched, w) == 0);
    if (event_add(&w->readable, NULL) == 0) return w;
    mem_free(w);
    return NULL;
}

struct io_watch *io_watch_new(struct io_loop *l, int fd, void (*run)(int fd, void *arg), void *arg)
{
    return watch_new(l, fd, EV_READ | EV_PERSIST, run, arg);
}

struct io_watch *io_watch_edges(struct io_loop *l, int fd, void (*run)(int fd, void *arg), void *arg)
{
    return watch_new(l, fd, EV_READ | EV_PERSIST | EV_ET, run, arg);
}

void io_watch_free(struct io_watch *w)
{
    if (w == NULL) return;
    MAGIC_CHECK(w, IO_WATCH_MAGIC);
    event_del(&w->readable);
    w->dead = true;
    if (w->running) return;
    w->magic = 0;
    mem_free(w);
}

#define IO_TASK_MAGIC 0x696f746bu

struct io_task {
    uint32_t magic;
    void (*run)(void *arg);
    void *arg;
    bool due;
    struct event event;
};

static void on_task(evutil_socket_t fd, short what, void *arg)
{
    struct io_task *t = arg;
    (void)fd, (void)what;
    MAGIC_CHECK(t, IO_TASK_MAGIC);
    t->due = false;
    t->run(t->arg);
}

struct io_task *io_task_new(struct io_loop *l, enum io_task_when when, void (*run)(void *arg), void *arg)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct io_task *t = mem_alloc(sizeof *t);
    if (t == NULL) return NULL;
    *t = (struct io_task){.magic = IO_TASK_MAGIC, .run = run, .arg = arg};
    ASSERT(event_assign(&t->event, l->base, -1, 0, on_task, t) == 0);
    ASSERT(event_priority_set(&t->event, priorities[when]) == 0);
    return t;
}

void io_task_due(struct io_task *t)
{
    MAGIC_CHECK(t, IO_TASK_MAGIC);
    if (!t->due) event_active(&t->event, EV_TIMEOUT, 0);
    t->due = true;
}

void io_task_free(struct io_task *t)
{
    if (t == NULL) return;
    MAGIC_CHECK(t, IO_TASK_MAGIC);
    event_del(&t->event);
    t->magic = 0;
    mem_free(t);
}
