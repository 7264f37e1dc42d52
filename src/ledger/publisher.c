#include "ledger/publisher.h"
#include <errno.h>
#include <signal.h>
#include <time.h>

#define REST_NS UINT64_C(250000000) /* from one checkpoint to the next: a commit is published within a second */
#define RETRY_NS UINT64_C(1000000000)

static void wait_until(struct publisher *p, uint64_t ns)
{
    struct timespec until = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (!p->stop && os_monotonic_ns() < ns)
        pthread_cond_timedwait(&p->news, &p->lock, &until);
}

/* Waits for something to publish, but not before `from`. False: nothing more will come. */
static bool wait_news(struct publisher *p, uint64_t from, uint64_t done, struct ledger_mark *mark)
{
    pthread_mutex_lock(&p->lock);
    p->idle = true;
    while (!p->stop && p->mark.size == done)
        pthread_cond_wait(&p->news, &p->lock);
    p->idle = false;
    wait_until(p, from);
    *mark = p->mark;
    bool go_on = !p->stop || (mark->size != done && atomic_load(&p->trouble) == 0);
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

/* False: it is over. */
static bool publish(struct publisher *p, const struct ledger_mark *mark)
{
    bool lost = false;
    result r = publication_step(p->publication, mark, &lost);
    if (is_ok(r)) r = publication_recycle(p->publication);
    atomic_store(&p->lost, lost);
    atomic_store(&p->trouble, is_ok(r) ? 0 : r.code);
    return !lost;
}

static void *publisher_main(void *arg)
{
    struct publisher *p = arg;
    struct ledger_mark mark;
    uint64_t done = UINT64_MAX, from = 0; /* an empty log has a checkpoint too */
    result r = p->config->confine ? p->config->confine(p->config->confine_ctx) : OK;
    pthread_mutex_lock(&p->lock);
    p->confined = r;
    p->ready = true;
    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
    while (is_ok(r) && wait_news(p, from, done, &mark)) {
        uint64_t start = os_monotonic_ns();
        if (!publish(p, &mark)) break;
        bool good = atomic_load(&p->trouble) == 0;
        from = start + (good ? REST_NS : RETRY_NS);
        if (good) done = mark.size;
    }
    return NULL;
}

/* Signals are the scribe's business. */
static int start_thread(struct publisher *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = fault_hit("thread") ? EAGAIN : pthread_create(&p->thread, NULL, publisher_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void init_waiting(struct publisher *p)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

result publisher_start(
    struct publisher *p, const struct ledger *l, const struct ledger_key *key, const struct ledger_scribe_config *config)
{
    *p = (struct publisher){.config = config};
    TRY(publication_open(config->place.directory, key, &p->publication));
    ledger_mark(l, &p->mark);
    init_waiting(p);
    int error = start_thread(p);
    REQUIRE(error == 0, ERROR_IO, error);
    p->started = true;
    pthread_mutex_lock(&p->lock);
    while (!p->ready)
        pthread_cond_wait(&p->news, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return p->confined;
}

void publisher_tell(struct publisher *p, const struct ledger *l)
{
    pthread_mutex_lock(&p->lock);
    ledger_mark(l, &p->mark);
    bool wake = p->idle;
    p->idle = false;
    pthread_mutex_unlock(&p->lock);
    if (wake) pthread_cond_signal(&p->news);
}

void publisher_stop(struct publisher *p)
{
    if (p->started) {
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        pthread_cond_broadcast(&p->news);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->thread, NULL);
        p->started = false;
    }
    publication_close(p->publication);
    p->publication = NULL;
}
