#include "ledger/publisher.h"

#define REST_NS UINT64_C(400000000) /* from one checkpoint to the next: a commit is published within a second */
#define SLICE_NS UINT64_C(30000000) /* how often it looks whether a bundle is full; several in a row cost a fifth less, for the caches know them */
#define MUCH (4u * TLOG_WIDTH)      /* what does not wait for that; more in a row, and answers that it keeps from a processor would show it */
#define SLICE_BUNDLES 2u            /* read back at a time, and as many more as are added */
#define STRIDE (16u * TLOG_WIDTH)   /* read at a time where much more is there: a checkpoint for it is not to wait for all of that */
#define RETRY_NS UINT64_C(1000000000)

static bool is_well(const struct publisher *p)
{
    return atomic_load(&p->trouble) == 0;
}

/* Much that is new is read soon, and read back soon: the disk, which commits wait for, is never asked for much at a time. */
static void wait_work(struct publisher *p, uint64_t due)
{
    uint64_t enough = MUCH;
    for (uint64_t at = os_monotonic_ns(); at < due && !p->thread.stop; at = os_monotonic_ns()) {
        if (is_well(p) && (enough == 0 || p->mark.size - p->read >= enough)) break;
        background_wait_until(&p->thread, at + SLICE_NS < due ? at + SLICE_NS : due);
        enough = p->more ? 0 : TLOG_WIDTH;
    }
}

/* What there is to be done: nothing more will ever be (false), or to read on up to the mark, and from `due` on to publish. */
static bool wait_news(struct publisher *p, uint64_t due, struct ledger_mark *mark, bool *now)
{
    pthread_mutex_lock(&p->thread.lock);
    while (!p->thread.stop && p->mark.size == p->done && !p->more) {
        p->idle = true; /* each time: it may have been told of a commit of nothing */
        pthread_cond_wait(&p->thread.news, &p->thread.lock);
    }
    p->idle = false;
    wait_work(p, due);
    *mark = p->mark;
    *now = mark->size != p->done && (p->thread.stop || os_monotonic_ns() >= due);
    bool go_on = !p->thread.stop || (*now && is_well(p));
    pthread_mutex_unlock(&p->thread.lock);
    return go_on;
}

/* False: it is over. */
static bool take_step(struct publisher *p, const struct ledger_mark *mark, bool publish)
{
    bool lost = false;
    result r = publish ? publication_step(p->publication, mark, &lost) : publication_read(p->publication, mark, &lost);
    uint64_t size = publication_size(p->publication), bundles = SLICE_BUNDLES;
    if (size > p->read) bundles += (size - p->read) / TLOG_WIDTH;
    if (is_ok(r)) r = publication_recycle(p->publication, bundles, &p->more);
    if (is_ok(r)) p->read = size;
    atomic_store(&p->lost, lost);
    atomic_store(&p->trouble, is_ok(r) ? 0 : r.code);
    return !lost;
}

static void publish(void *ctx)
{
    struct publisher *p = ctx;
    struct ledger_mark mark;
    uint64_t due = 0;
    bool now;
    while (wait_news(p, due, &mark, &now)) {
        uint64_t start = os_monotonic_ns();
        if (!take_step(p, &mark, now)) break;
        bool good = is_well(p);
        if (now || !good) due = start + (good ? REST_NS : RETRY_NS);
        if (good && now) p->done = p->read;
    }
}

result publisher_start(
    struct publisher *p, const struct ledger *l, const struct ledger_key *key, const struct ledger_scribe_config *config)
{
    *p = (struct publisher){.done = UINT64_MAX}; /* an empty log has a checkpoint too */
    TRY(publication_open(l, key, &p->publication));
    p->publication->stride = STRIDE;
    ledger_mark(l, &p->mark);
    p->read = p->mark.size;
    return background_start(&p->thread, config, publish, p);
}

void publisher_tell(struct publisher *p, const struct ledger *l)
{
    pthread_mutex_lock(&p->thread.lock);
    ledger_mark(l, &p->mark);
    bool wake = p->idle;
    p->idle = false;
    pthread_mutex_unlock(&p->thread.lock);
    if (wake) pthread_cond_signal(&p->thread.news);
}

void publisher_stop(struct publisher *p)
{
    background_stop(&p->thread);
    publication_close(p->publication);
    p->publication = NULL;
}
