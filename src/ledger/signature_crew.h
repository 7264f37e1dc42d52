/* Private to ledger: a second thread that checks frames' signatures while the first one hashes their entries. An
 * Ed25519 check costs as much as hashing a hundred entries. */
#ifndef GATE1367_LEDGER_SIGNATURE_CREW_H
#define GATE1367_LEDGER_SIGNATURE_CREW_H

#include "ledger/layout.h"
#include <pthread.h>

#define CREW_JOBS 256u

struct crew_job {
    uint8_t header[FRAME_HEADER];
    char file[64];
    uint64_t offset, index;
};

struct signature_crew {
    struct signature_check check;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct crew_job *jobs; /* a ring */
    uint64_t taken, given; /* under the lock */
    bool closed;
    struct ledger_problem problem; /* the first bad signature */
};
RESULT crew_start(struct signature_crew *c, const struct ledger_verifier *v);
/* Waits while the ring is full. */
void crew_give(struct signature_crew *c, const struct frame *f, const char *file, uint64_t offset);
/* Waits until all is checked, and releases everything. False: c->problem says which frame. */
bool crew_finish(struct signature_crew *c);

#endif
