#include "ledger/background.h"
#include "os/os.h"
#include <errno.h>
#include <signal.h>
#include <time.h>

static void *background_main(void *arg)
{
    struct background *b = arg;
    os_thread_patient();
    result r = b->config->confine ? b->config->confine(b->config->confine_ctx) : OK;
    pthread_mutex_lock(&b->lock);
    b->confined = r;
    b->ready = true;
    pthread_cond_broadcast(&b->news);
    pthread_mutex_unlock(&b->lock);
    if (is_ok(r)) b->run(b->ctx);
    return NULL;
}

/* Signals are the scribe's business. */
static int start_thread(struct background *b)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = fault_hit("thread") ? EAGAIN : pthread_create(&b->thread, NULL, background_main, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void init_waiting(struct background *b)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

result background_start(struct background *b, const struct ledger_scribe_config *config, background_run_fn *run, void *ctx)
{
    *b = (struct background){.config = config, .run = run, .ctx = ctx};
    init_waiting(b);
    int error = start_thread(b);
    REQUIRE(error == 0, ERROR_LIMIT, LEDGER_E_THREAD);
    b->started = true;
    pthread_mutex_lock(&b->lock);
    while (!b->ready)
        pthread_cond_wait(&b->news, &b->lock);
    pthread_mutex_unlock(&b->lock);
    return b->confined;
}

void background_wait_until(struct background *b, uint64_t ns)
{
    struct timespec until = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (!b->stop && os_monotonic_ns() < ns)
        pthread_cond_timedwait(&b->news, &b->lock, &until);
}

void background_stop(struct background *b)
{
    if (!b->started) return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_broadcast(&b->news);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->started = false;
}
