/* Private to ledger: the scribe's third thread, which publishes behind the commits. No commit ever waits for it. */
#ifndef GATE1367_LEDGER_PUBLISHER_H
#define GATE1367_LEDGER_PUBLISHER_H

#include "ledger/background.h"
#include "ledger/publish.h"
#include <stdatomic.h>

struct publisher {
    struct publication *publication;
    struct background thread;
    struct ledger_mark mark; /* under its lock, as what follows */
    bool idle;
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
