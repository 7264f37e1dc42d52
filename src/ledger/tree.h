/* Private to ledger: what a run of leaves adds to the tree, worked out apart from the tree. */
#ifndef GATE1367_LEDGER_TREE_H
#define GATE1367_LEDGER_TREE_H

#include "ledger/ledger.h"

/* The roots of the whole subtrees that the leaves from `first` to before `next` fill, from left to right: their levels
 * rise and then fall. Enough for 2^31 leaves. */
#define TREE_RANGE_NODES 64u
struct tree_range {
    uint64_t first, next;
    unsigned count;
    struct tree_node {
        unsigned level;
        uint8_t hash[32];
    } nodes[TREE_RANGE_NODES];
};
void tree_range_start(struct tree_range *r, uint64_t first);
bool tree_range_add(struct tree_range *r, span leaf); /* false only when OpenSSL fails */
/* The same as adding its leaves one by one; the tree must end where the range begins. */
bool tree_append(struct ledger_tree *t, const struct tree_range *r);

#endif
