/* Private to ledger: the scribe's third thread, which publishes behind the commits. No commit ever waits for it. */
#ifndef GATE1367_LEDGER_PUBLISHER_H
#define GATE1367_LEDGER_PUBLISHER_H

#include "ledger/publish.h"
#include <pthread.h>
#include <stdatomic.h>

struct publisher {
    struct publication *publication;
    const struct ledger_scribe_config *config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct ledger_mark mark; /* under the lock, as what follows */
    bool started, ready, idle, stop;
    result confined;
    uint64_t read, done; /* the thread's: size up to which it has read, and published */
    bool more;           /* … and whether segments wait to be recycled */
    _Atomic int trouble; /* code of the last failure; 0: none */
    _Atomic bool lost;   /* the disk does not give back what was acknowledged */
};
/* Starts the thread and waits until it is confined. */
RESULT publisher_start(
    struct publisher *p, const struct ledger *l, const struct ledger_key *key, const struct ledger_scribe_config *config);
/* The log has grown: costs a lock that nobody holds for longer than it takes to copy the mark. */
void publisher_tell(struct publisher *p, const struct ledger *l);
/* Publishes what there is, unless there was trouble, and ends. */
void publisher_stop(struct publisher *p);

#endif
