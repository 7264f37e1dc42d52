/* Timers: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) whose earliest one sets the loop's only clock. `left` is
 * the first child, `right` the next sibling, `up` the previous sibling or the parent.
 *
 * The clock is a timerfd that is set to the time itself. libevent waits for whole milliseconds from when it begins to wait,
 * so an answer that `pace` holds back would leave as many microseconds late as it took to decide: what is to be hidden. */
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "io/io_internal.h"

uint64_t io_now_us(void)
{
    struct timespec t;
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t io_now_ms(void)
{
    return io_now_us() / 1000;
}

static struct io_timer *merge(struct io_timer *a, struct io_timer *b)
{
    if (a == NULL) return b;
    if (b == NULL) return a;
    if (b->due_us < a->due_us) {
        struct io_timer *t = a;
        a = b;
        b = t;
    }
    b->right = a->left;
    if (b->right != NULL) b->right->up = b;
    b->up = a;
    a->left = b;
    return a;
}

/* Merges siblings two by two from the left, then those from the right, without recursion: a list of ten thousand
 * siblings is as deep as one of two. */
static struct io_timer *merge_siblings(struct io_timer *first)
{
    struct io_timer *pairs = NULL, *root = NULL;
    while (first != NULL) {
        struct io_timer *second = first->right, *next = second != NULL ? second->right : NULL;
        first->right = first->up = NULL;
        if (second != NULL) second->right = second->up = NULL;
        struct io_timer *pair = merge(first, second);
        pair->right = pairs;
        pairs = pair;
        first = next;
    }
    while (pairs != NULL) {
        struct io_timer *next = pairs->right;
        pairs->right = NULL;
        root = merge(root, pairs);
        pairs = next;
    }
    return root;
}

static void unlink_timer(struct io_loop *l, struct io_timer *t)
{
    struct io_timer *children = merge_siblings(t->left);
    if (l->root == t) {
        l->root = children;
    } else {
        if (t->up->left == t)
            t->up->left = t->right;
        else
            t->up->right = t->right;
        if (t->right != NULL) t->right->up = t->up;
        l->root = merge(l->root, children);
    }
    if (l->root != NULL) l->root->up = NULL;
    t->left = t->right = t->up = NULL;
    t->armed = false;
}

/* 0: never. Whatever it told before is forgotten. */
static void set_clock(struct io_loop *l, uint64_t due_us)
{
    const struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_us / 1000000), .tv_nsec = (long)(due_us % 1000000) * 1000}};
    ASSERT(timerfd_settime(l->tick_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
    l->tick_us = due_us;
}

/* Earlier than what is set: set it. Later: the tick comes too early once, finds nothing and sets itself anew. */
static void set_tick(struct io_loop *l)
{
    if (l->root == NULL || (l->tick_us != 0 && l->tick_us <= l->root->due_us)) return;
    set_clock(l, l->root->due_us > 0 ? l->root->due_us : 1);
}

static void run_due(struct io_loop *l)
{
    uint64_t now = io_now_us();
    l->tick_us = 0;
    while (l->root != NULL && l->root->due_us <= now) {
        struct io_timer *t = l->root;
        unlink_timer(l, t);
        t->run(t->arg);
    }
    set_tick(l);
    if (l->tick_us == 0) set_clock(l, 0);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    run_due(arg);
}

bool io_timers_open(struct io_loop *l)
{
    l->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (l->tick_fd < 0) return false;
    l->tick = event_new(l->base, l->tick_fd, EV_READ | EV_PERSIST, on_tick, l);
    return l->tick != NULL && event_add(l->tick, NULL) == 0;
}

void io_timers_close(struct io_loop *l)
{
    if (l->tick != NULL) event_free(l->tick);
    if (l->tick_fd >= 0) close(l->tick_fd);
}

void io_timer_init(struct io_timer *t, struct io_loop *l, void (*run)(void *arg), void *arg)
{
    *t = (struct io_timer){.loop = l, .run = run, .arg = arg};
}

void io_timer_at(struct io_timer *t, uint64_t due_us)
{
    io_timer_clear(t);
    t->due_us = due_us;
    t->armed = true;
    t->loop->root = merge(t->loop->root, t);
    set_tick(t->loop);
}

void io_timer_after(struct io_timer *t, uint64_t ms)
{
    io_timer_at(t, io_now_us() + ms * 1000);
}

void io_timer_clear(struct io_timer *t)
{
    if (t->armed) unlink_timer(t->loop, t);
}
