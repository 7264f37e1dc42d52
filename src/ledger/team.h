/* Private to ledger: threads that take jobs from a ring in order, while the one that gave them waits for each in order too. What a
 * job is, whoever starts them keeps in an array of as many places as the ring has. */
#ifndef GATE1367_LEDGER_TEAM_H
#define GATE1367_LEDGER_TEAM_H

#include "ledger/ledger.h"
#include <pthread.h>

#define TEAM_PLACES 128u
#define TEAM_THREADS 16u

/* In a thread of the team: the job in this place. `member` counts from 0. */
typedef void team_work_fn(void *ctx, unsigned member, unsigned place);

struct team {
    team_work_fn *work;
    void *ctx;
    unsigned places; /* at most TEAM_PLACES */
    struct team_member {
        struct team *team;
        unsigned number;
        pthread_t thread;
    } members[TEAM_THREADS];
    unsigned count;
    pthread_mutex_t lock;
    pthread_cond_t news, finished;
    uint64_t given, taken; /* under the lock, as what follows; only who started them moves `given` */
    bool done[TEAM_PLACES];
    bool closed;
};
void team_open(struct team *t, unsigned places, team_work_fn *work, void *ctx);
/* One thread more, up to TEAM_THREADS. 0, or errno. */
int team_add(struct team *t);
/* Where the next job goes; the job that stood there before must have been waited for. Then team_hand. */
unsigned team_place(const struct team *t);
void team_hand(struct team *t);
/* Until the n-th job that was handed over (from 0) is done; its place. */
unsigned team_wait(struct team *t, uint64_t n);
/* What nobody has taken yet is not done any more. */
void team_close(struct team *t);

#endif
