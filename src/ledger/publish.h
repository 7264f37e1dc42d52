/* Private to ledger: takes the durable log into tiles and checkpoint. Reads everything back from the disk: what is
 * published is what the disk holds. */
#ifndef GATE1367_LEDGER_PUBLISH_H
#define GATE1367_LEDGER_PUBLISH_H

#include "ledger/tiles.h"
#include <stdatomic.h>

/* Where the durable log ends. */
struct ledger_mark {
    uint64_t size, segment, offset;
};
void ledger_mark(const struct ledger *l, struct ledger_mark *out);
const char *ledger_directory(const struct ledger *l);

struct publication {
    char *directory;
    struct node node;
    struct ledger_key *key; /* a copy: signing is not for two threads at once */
    struct tlog_verifier verifier;
    struct tiles *tiles; /* NULL: to be resumed from what is on disk */
    struct walk walk;
    uint64_t segment, offset; /* where it stands in the write-ahead log */
    uint64_t recycled;        /* the segment it stood in when it last looked for ones to recycle */
    _Atomic uint64_t removed; /* segments that begin before it may have been removed: for whoever watches over the files */
    bool there;               /* a checkpoint of this size is there */
    uint8_t *window;
};
RESULT publication_open(const char *directory, const struct ledger_key *key, struct publication **out);
/* Tiles and a checkpoint for all up to the mark. An error with *lost: the disk does not give back what was acknowledged;
 * without: try again, from what is on disk. */
RESULT publication_step(struct publication *p, const struct ledger_mark *mark, bool *lost);
/* Removes segments of the write-ahead log all of whose entries are in tiles that were read back. */
RESULT publication_recycle(struct publication *p);
void publication_close(struct publication *p);

/* All at once, for commands: what is durable is published when it returns. */
RESULT ledger_publish(const struct ledger *l, const struct ledger_key *key);

#endif
