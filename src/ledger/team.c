#include "ledger/team.h"
#include <errno.h>

void team_open(struct team *t, unsigned places, team_work_fn *work, void *ctx)
{
    ASSERT(places > 0 && places <= TEAM_PLACES);
    *t = (struct team){.work = work, .ctx = ctx, .places = places};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->news, NULL);
    pthread_cond_init(&t->finished, NULL);
}

/* False when none will come any more. */
static bool take_job(struct team *t, unsigned *place)
{
    pthread_mutex_lock(&t->lock);
    while (t->given == t->taken && !t->closed)
        pthread_cond_wait(&t->news, &t->lock);
    bool more = !t->closed;
    if (more) *place = (unsigned)(t->taken++ % t->places);
    pthread_mutex_unlock(&t->lock);
    return more;
}

static void *member_main(void *arg)
{
    struct team_member *m = arg;
    struct team *t = m->team;
    for (unsigned place = 0; take_job(t, &place);) {
        t->work(t->ctx, m->number, place);
        pthread_mutex_lock(&t->lock);
        t->done[place] = true;
        pthread_cond_signal(&t->finished);
        pthread_mutex_unlock(&t->lock);
    }
    digest_thread_end();
    return NULL;
}

int team_add(struct team *t)
{
    struct team_member *m = &t->members[t->count];
    if (t->count == TEAM_THREADS || fault_hit("thread")) return EAGAIN;
    *m = (struct team_member){.team = t, .number = t->count};
    int error = pthread_create(&m->thread, NULL, member_main, m);
    if (error == 0) t->count++;
    return error;
}

unsigned team_place(const struct team *t)
{
    return (unsigned)(t->given % t->places);
}

void team_hand(struct team *t)
{
    pthread_mutex_lock(&t->lock);
    t->done[t->given++ % t->places] = false;
    pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->lock);
}

unsigned team_wait(struct team *t, uint64_t n)
{
    unsigned place = (unsigned)(n % t->places);
    ASSERT(n < t->given && t->given - n <= t->places);
    pthread_mutex_lock(&t->lock);
    while (!t->done[place])
        pthread_cond_wait(&t->finished, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return place;
}

void team_close(struct team *t)
{
    pthread_mutex_lock(&t->lock);
    t->closed = true;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->count; i++)
        pthread_join(t->members[i].thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->news);
    pthread_cond_destroy(&t->finished);
}
