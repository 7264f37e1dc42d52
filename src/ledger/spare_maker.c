#include "ledger/spare_maker.h"
#include "os/os.h"
#include <errno.h>
#include <signal.h>
#include <time.h>

#define RETRY_NS UINT64_C(500000000)

/* However often one is wanted meanwhile: to try takes all the room that there is, and gives it back. */
static void wait_retry(struct spare_maker *m)
{
    uint64_t due = os_monotonic_ns() + RETRY_NS;
    struct timespec until = {(time_t)(due / 1000000000), (long)(due % 1000000000)};
    pthread_mutex_lock(&m->lock);
    while (!m->stop && os_monotonic_ns() < due)
        pthread_cond_timedwait(&m->news, &m->lock, &until);
    pthread_mutex_unlock(&m->lock);
}

static bool wait_wanted(struct spare_maker *m)
{
    pthread_mutex_lock(&m->lock);
    while (!m->wanted && !m->stop)
        pthread_cond_wait(&m->news, &m->lock);
    m->wanted = false;
    bool go_on = !m->stop;
    pthread_mutex_unlock(&m->lock);
    return go_on;
}

static bool stopping(struct spare_maker *m)
{
    pthread_mutex_lock(&m->lock);
    bool stop = m->stop;
    pthread_mutex_unlock(&m->lock);
    return stop;
}

static void *maker_main(void *arg)
{
    struct spare_maker *m = arg;
    os_thread_patient();
    result r = m->config->confine ? m->config->confine(m->config->confine_ctx) : OK;
    pthread_mutex_lock(&m->lock);
    m->confined = r;
    m->ready = true;
    pthread_cond_broadcast(&m->news);
    pthread_mutex_unlock(&m->lock);
    while (is_ok(r) && wait_wanted(m)) {
        for (result made = ledger_make_spares(m->ledger); !stopping(m); made = ledger_make_spares(m->ledger)) {
            atomic_store(&m->trouble, is_ok(made) ? 0 : made.code);
            if (is_ok(made)) break;
            wait_retry(m);
        }
    }
    return NULL;
}

/* Signals are the scribe's business. */
static int start_thread(struct spare_maker *m)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = fault_hit("thread") ? EAGAIN : pthread_create(&m->thread, NULL, maker_main, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void init_waiting(struct spare_maker *m)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

result maker_start(struct spare_maker *m, struct ledger *l, const struct ledger_scribe_config *config)
{
    *m = (struct spare_maker){.ledger = l, .config = config};
    init_waiting(m);
    int error = start_thread(m);
    REQUIRE(error == 0, ERROR_LIMIT, LEDGER_E_THREAD);
    m->started = true;
    pthread_mutex_lock(&m->lock);
    while (!m->ready)
        pthread_cond_wait(&m->news, &m->lock);
    pthread_mutex_unlock(&m->lock);
    return m->confined;
}

void maker_want(struct spare_maker *m)
{
    pthread_mutex_lock(&m->lock);
    m->wanted = true;
    pthread_cond_broadcast(&m->news);
    pthread_mutex_unlock(&m->lock);
}

void maker_stop(struct spare_maker *m)
{
    if (!m->started) return;
    ledger_hurry_spares(m->ledger);
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_broadcast(&m->news);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    m->started = false;
}
