#include "ledger/bundle_crew.h"
#include <errno.h>
#include <unistd.h>

static void hash_entries(struct bundle_job *j, span bundle)
{
    for (span leaf; j->count < TLOG_WIDTH && tlog_bundle_next(&bundle, &leaf); j->count++) {
        j->odd = leaf.len == 0 || leaf.len > LEDGER_ENTRY_MAX;
        if (j->odd) return;
        j->broken = !tlog_hash_leaf(leaf, j->hashes[j->count]);
        if (j->broken) return;
    }
}

static void work_out(const char *root, struct bundle_job *j)
{
    buf_free(&j->bundle);
    j->count = 0;
    j->odd = j->broken = false;
    j->read = tiles_read(root, &j->tile, &j->bundle);
    if (is_ok(j->read)) hash_entries(j, buf_span(&j->bundle));
}

/* The next job, or NULL when none will come any more. */
static struct bundle_job *take_job(struct bundle_crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->given == c->taken && !c->closed)
        pthread_cond_wait(&c->news, &c->lock);
    struct bundle_job *j = c->closed ? NULL : &c->jobs[c->taken++ % BUNDLE_JOBS];
    pthread_mutex_unlock(&c->lock);
    return j;
}

static void *member_main(void *arg)
{
    struct bundle_crew *c = arg;
    for (struct bundle_job *j; (j = take_job(c)) != NULL;) {
        work_out(c->root, j);
        pthread_mutex_lock(&c->lock);
        j->done = true;
        pthread_cond_signal(&c->finished);
        pthread_mutex_unlock(&c->lock);
    }
    digest_thread_end();
    return NULL;
}

result bundles_start(struct bundle_crew *c, const char *root, uint64_t first, uint64_t size)
{
    long wanted = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct bundle_crew){.root = root, .next = first / TLOG_WIDTH * TLOG_WIDTH, .size = size};
    c->jobs = mem_array(BUNDLE_JOBS, sizeof *c->jobs);
    REQUIRE(c->jobs, ERROR_LIMIT, ENOMEM);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    pthread_cond_init(&c->finished, NULL);
    for (long i = 0; i < wanted && c->thread_count < BUNDLE_THREADS && c->next + TLOG_WIDTH < size; i++) {
        if (fault_hit("thread") || pthread_create(&c->threads[c->thread_count], NULL, member_main, c) != 0) break;
        c->thread_count++;
    }
    return OK;
}

/* The place of the bundle that was given back last is not used again before the next one is asked for. */
static void give_jobs(struct bundle_crew *c)
{
    pthread_mutex_lock(&c->lock);
    for (; c->next < c->size && c->given - c->had < BUNDLE_JOBS; c->next += TLOG_WIDTH) {
        struct bundle_job *j = &c->jobs[c->given++ % BUNDLE_JOBS];
        j->tile = (struct tlog_tile){.entries = true, .index = c->next / TLOG_WIDTH};
        j->tile.width = tlog_tile_width(0, j->tile.index, c->size);
        j->done = false;
    }
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
}

const struct bundle_job *bundles_next(struct bundle_crew *c)
{
    give_jobs(c);
    if (c->had == c->given) return NULL;
    struct bundle_job *j = &c->jobs[c->had++ % BUNDLE_JOBS];
    if (c->thread_count == 0) {
        work_out(c->root, j);
        return j;
    }
    pthread_mutex_lock(&c->lock);
    while (!j->done)
        pthread_cond_wait(&c->finished, &c->lock);
    pthread_mutex_unlock(&c->lock);
    return j;
}

void bundles_end(struct bundle_crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->thread_count; i++)
        pthread_join(c->threads[i], NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
    pthread_cond_destroy(&c->finished);
    for (unsigned i = 0; i < BUNDLE_JOBS; i++)
        buf_free(&c->jobs[i].bundle);
    mem_free(c->jobs);
}
