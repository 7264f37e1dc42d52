#include "ledger/spare_maker.h"
#include "os/os.h"

#define RETRY_NS UINT64_C(500000000)

/* However often one is wanted meanwhile: to try takes all the room that there is, and gives it back. */
static void wait_retry(struct spare_maker *m)
{
    pthread_mutex_lock(&m->thread.lock);
    background_wait_until(&m->thread, os_monotonic_ns() + RETRY_NS);
    pthread_mutex_unlock(&m->thread.lock);
}

static bool wait_wanted(struct spare_maker *m)
{
    pthread_mutex_lock(&m->thread.lock);
    while (!m->wanted && !m->thread.stop)
        pthread_cond_wait(&m->thread.news, &m->thread.lock);
    m->wanted = false;
    bool go_on = !m->thread.stop;
    pthread_mutex_unlock(&m->thread.lock);
    return go_on;
}

static bool stopping(struct spare_maker *m)
{
    pthread_mutex_lock(&m->thread.lock);
    bool stop = m->thread.stop;
    pthread_mutex_unlock(&m->thread.lock);
    return stop;
}

static void make(void *ctx)
{
    struct spare_maker *m = ctx;
    while (wait_wanted(m)) {
        for (result made = ledger_make_spares(m->ledger); !stopping(m); made = ledger_make_spares(m->ledger)) {
            atomic_store(&m->trouble, is_ok(made) ? 0 : made.code);
            if (is_ok(made)) break;
            wait_retry(m);
        }
    }
}

result maker_start(struct spare_maker *m, struct ledger *l, const struct ledger_scribe_config *config)
{
    *m = (struct spare_maker){.ledger = l};
    return background_start(&m->thread, config, make, m);
}

void maker_want(struct spare_maker *m)
{
    pthread_mutex_lock(&m->thread.lock);
    m->wanted = true;
    pthread_cond_broadcast(&m->thread.news);
    pthread_mutex_unlock(&m->thread.lock);
}

void maker_stop(struct spare_maker *m)
{
    if (!m->thread.started) return;
    ledger_hurry_spares(m->ledger);
    background_stop(&m->thread);
}
