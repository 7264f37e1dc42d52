#include "ledger/signature_crew.h"
#include <errno.h>

/* How many jobs there are from `taken` on; 0: none will come any more. */
static uint64_t wait_jobs(struct signature_crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->given == c->taken && !c->closed)
        pthread_cond_wait(&c->news, &c->lock);
    uint64_t n = c->given - c->taken;
    pthread_mutex_unlock(&c->lock);
    return n;
}

static void job_done(struct signature_crew *c, uint64_t n)
{
    pthread_mutex_lock(&c->lock);
    c->taken += n;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
}

static void *crew_main(void *arg)
{
    struct signature_crew *c = arg;
    for (uint64_t n; (n = wait_jobs(c)) > 0; job_done(c, n)) {
        for (uint64_t i = 0; i < n && c->problem.fault == LEDGER_SOUND; i++) {
            const struct crew_job *j = &c->jobs[(c->taken + i) % CREW_JOBS];
            if (!frame_signed(j->header, &c->check))
                problem_set(&c->problem, LEDGER_FAULT_SIGNATURE, j->file, j->offset, j->index, 0);
        }
    }
    return NULL;
}

static void release(struct signature_crew *c)
{
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
    check_close(&c->check);
    mem_free(c->jobs);
    c->jobs = NULL;
}

result crew_start(struct signature_crew *c, const struct ledger_verifier *v)
{
    *c = (struct signature_crew){0};
    REQUIRE(check_open(&c->check, v->key), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    c->jobs = mem_array(CREW_JOBS, sizeof *c->jobs);
    int error = !c->jobs ? ENOMEM : fault_hit("thread") ? EAGAIN : pthread_create(&c->thread, NULL, crew_main, c);
    if (error == 0) return OK;
    release(c);
    return FAIL(ERROR_LIMIT, error);
}

void crew_give(struct signature_crew *c, const struct frame *f, const char *file, uint64_t offset)
{
    pthread_mutex_lock(&c->lock);
    while (c->given - c->taken == CREW_JOBS)
        pthread_cond_wait(&c->news, &c->lock);
    pthread_mutex_unlock(&c->lock);
    struct crew_job *j = &c->jobs[c->given % CREW_JOBS]; /* only this side moves `given` */
    memcpy(j->header, f->base, FRAME_HEADER);
    snprintf(j->file, sizeof j->file, "%s", file);
    j->offset = offset;
    j->index = f->first_index;
    pthread_mutex_lock(&c->lock);
    c->given++;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
}

bool crew_finish(struct signature_crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    release(c);
    return c->problem.fault == LEDGER_SOUND;
}
