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
/* How the chain of frames goes on from there. */
void ledger_walk(const struct ledger *l, struct walk *out);
const char *ledger_directory(const struct ledger *l);

struct publication {
    char *directory;
    struct node node;
    const struct ledger_key *key; /* the committing thread's too */
    struct tlog_verifier verifier;
    struct tiles *tiles; /* NULL: to be resumed from what is on disk */
    uint64_t reached;    /* nobody wrote tiles of later entries before it was resumed */
    struct walk walk;
    uint64_t segment, offset; /* where it stands in the write-ahead log */
    uint64_t stride, since;   /* entries that are read at a time, 0: all; where it last began */
    bool paused;              /* … and more is there */
    uint64_t recycled;        /* the segment it stood in when it last looked for ones to recycle */
    struct {
        bool there;
        uint64_t first, next, checked; /* entries: of it, of the one after it, of it up to here */
    } old;                             /* the segment that is to be removed once what it holds was read back */
    _Atomic uint64_t removed; /* segments that begin before it may have been removed: for whoever watches over the files */
    bool there;               /* a checkpoint of this size is there */
    struct ledger_mark opened; /* where the log ended when the publication was opened: … */
    struct walk at_opening;    /* … whoever published all of it need not read it again */
    uint8_t *window;
    struct tiles_room room;
};
RESULT publication_open(const struct ledger *l, const struct ledger_key *key, struct publication **out);
/* Reads on up to the mark, or for a stride, and writes the tiles that are whole by that; nobody knows of them before the next
 * step. Fails as that does. */
RESULT publication_read(struct publication *p, const struct ledger_mark *mark, bool *lost);
/* Reads on likewise; tiles and a checkpoint for all that was read. An error with *lost: the disk does not give back what was
 * acknowledged; without: try again, from what is on disk. */
RESULT publication_step(struct publication *p, const struct ledger_mark *mark, bool *lost);
/* Entries that were read so far; 0 after an error. */
uint64_t publication_size(const struct publication *p);
/* Removes segments of the write-ahead log all of whose entries are in tiles that were read back: of so many bundles at a
 * time. *more: there is more to be read back, or another segment to be looked for. */
RESULT publication_recycle(struct publication *p, uint64_t bundles, bool *more);
void publication_close(struct publication *p);

/* All at once, for commands: what is durable is published when it returns. */
RESULT ledger_publish(const struct ledger *l, const struct ledger_key *key);

#endif
