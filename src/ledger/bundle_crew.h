/* Private to ledger: threads that read published bundles and hash their entries, while the one that started them puts the
 * hashes into the tree, in order. */
#ifndef GATE1367_LEDGER_BUNDLE_CREW_H
#define GATE1367_LEDGER_BUNDLE_CREW_H

#include "ledger/team.h"
#include "ledger/tiles.h"

#define BUNDLE_JOBS 8u /* a bundle may have 15 MiB */
#define BUNDLE_THREADS 8u

struct bundle_job {
    struct tlog_tile tile;
    result read;   /* of the bundle */
    bool broken;   /* OpenSSL failed */
    struct buf bundle; /* the file, until the job is another bundle's */
    unsigned count;    /* entries hashed */
    bool odd;       /* the one behind them is empty or too long */
    tlog_hash hashes[TLOG_WIDTH];
};

struct bundle_crew {
    const char *root;
    uint64_t next, size; /* the first entry that no job covers, and where the tree ends */
    struct team team;        /* of nobody: whoever wants a bundle works it out himself */
    struct bundle_job *jobs; /* in the team's places */
    uint64_t had;
};
/* The bundles of the entries from the one that holds `first` on, up to a tree of `size`. LIMIT: no memory. */
RESULT bundles_start(struct bundle_crew *c, const char *root, uint64_t first, uint64_t size);
/* The next of them; NULL: that was the last. Good until the next call. */
const struct bundle_job *bundles_next(struct bundle_crew *c);
void bundles_end(struct bundle_crew *c);

#endif
