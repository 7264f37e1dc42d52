/* Private to ledger: the log as others read it, plain files under tlog/: checkpoint, tiles, entry bundles. Written behind
 * the write-ahead log, from what was read back of it; every file is whole and durable before a checkpoint names it. */
#ifndef GATE1367_LEDGER_TILES_H
#define GATE1367_LEDGER_TILES_H

#include "ledger/layout.h"
#include "tlog/tlog.h"

#define TILES_DIRECTORY "tlog"
#define CHECKPOINT_NAME "checkpoint"
#define BUNDLE_MAX (TLOG_WIDTH * (size_t)(RECORD_HEADER + LEDGER_ENTRY_MAX))

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* Where the files are: "DIRECTORY/tlog", or DIRECTORY itself where a checkpoint stands in it. */
RESULT tiles_root(char out[PATH_BYTES], const char *directory);
/* The checkpoint's note, initialised by the call; ENOENT where there is none. */
RESULT tiles_checkpoint(const char *root, struct buf *note);
/* The same as something that the log must pass through; nothing is expected where there is none. *ours is false where it
 * is no note of this key. */
RESULT published_expect(
    const char *directory, const struct ledger_verifier *v, struct expectation *out, bool *ours);
/* A verifier as tlog has it. */
struct tlog_verifier tlog_of(const struct ledger_verifier *v);
/* What the tile holds, `width` hashes or entries exactly: from its file, or from one that holds more. IO ENOENT: there
 * is none; INTERNAL LEDGER_E_CORRUPT: none holds as much. */
RESULT tiles_read(const char *root, const struct tlog_tile *tile, struct buf *out);
/* The right edge of the tree as it was at `size`. */
RESULT tiles_edge(const char *root, uint64_t size, struct tlog_edge *out);
/* tlog_node_fn over files; one tile is kept. */
struct tiles_nodes {
    const char *root;
    uint64_t size; /* of the tree */
    struct tlog_tile held;
    struct buf bytes;
};
void tiles_nodes_init(struct tiles_nodes *n, const char *root, uint64_t size);
result tiles_node(void *nodes, unsigned height, uint64_t index, tlog_hash out);
void tiles_nodes_free(struct tiles_nodes *n);
/* The same right edge as the writer's tree has it. */
bool tree_of_edge(const struct tlog_edge *e, struct ledger_tree *out);

/* ---- writing -------------------------------------------------------------------------------------------------- */

#define TOUCHED_MAX 8u
#define UNSYNCED_MAX 32u
struct tiles {
    char *root;
    struct tlog_edge edge;
    struct buf bundle;  /* the entries of the unfinished one */
    uint64_t published; /* size of the last checkpoint written or resumed from */
    char touched[TOUCHED_MAX][PATH_BYTES]; /* directories to be synced before a checkpoint names what is in them */
    unsigned touched_count;
    int unsynced[UNSYNCED_MAX]; /* files, likewise: together they cost little more than one */
    unsigned unsynced_count, waited; /* of them, so many were there when they were last settled */
    uint64_t doubtful; /* of tiles that begin before this leaf a crash may have left something */
};
/* Makes the directory where it is missing and stands behind the first `size` leaves, whose files are there. Whoever wrote there
 * before came to leaf `reached` at most, though no checkpoint may say so. */
RESULT tiles_open(const char *directory, uint64_t size, uint64_t reached, struct tiles **out);
/* After an error the object is of no use: close it, and open it again at what the checkpoint says. */
RESULT tiles_add(struct tiles *t, span leaf);
/* Syncs the files that were written before the last call: the disk has been about them since, and commits, which wait for the same
 * disk, do not meet with all of a checkpoint's files in a row. */
RESULT tiles_settle(struct tiles *t);
/* Writes the partial tiles, syncs, removes partial ones of what is whole by now, and replaces the checkpoint by `note`. */
RESULT tiles_publish(struct tiles *t, span note);
void tiles_close(struct tiles *t);
/* Room for what is read back, kept from one time to the next; zero is none. */
struct tiles_room {
    uint8_t *bundle, *hashes;
    size_t size; /* of bundle */
};
/* Bundles and level-0 tiles of the leaves [from, to), whole tiles all, read back from the disk: entries and hashes must
 * belong together. INTERNAL LEDGER_E_CORRUPT where they do not. */
RESULT tiles_read_back(const char *root, uint64_t from, uint64_t to, struct tiles_room *room);
void tiles_room_free(struct tiles_room *room);

#endif
