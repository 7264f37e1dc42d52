#include "ledger/ledger.h"

//= RFC6962 2.1
/* The leaf and the node are told apart by their first byte, so that no node can pass for a leaf. */
static bool leaf_hash(span leaf, uint8_t out[32])
{
    static const uint8_t prefix[1] = {0};
    return sha256_two(span_of(prefix, 1), leaf, out);
}

static bool node_hash(const uint8_t left[32], const uint8_t right[32], uint8_t out[32])
{
    uint8_t pair[65];
    pair[0] = 1;
    memcpy(pair + 1, left, 32);
    memcpy(pair + 33, right, 32);
    return sha256(span_of(pair, 65), out);
}

/* edge[i] is the root of the complete subtree of 2^i leaves that bit i of size stands for: adding a leaf is adding one
 * with carry. */
bool ledger_tree_add(struct ledger_tree *t, span leaf)
{
    uint8_t hash[32];
    ASSERT(t->size < UINT64_MAX);
    if (!leaf_hash(leaf, hash)) return false;
    unsigned level = 0;
    for (; t->size >> level & 1; level++)
        if (!node_hash(t->edge[level], hash, hash)) return false;
    memcpy(t->edge[level], hash, 32);
    t->size++;
    return true;
}

bool ledger_tree_root(const struct ledger_tree *t, uint8_t root[32])
{
    if (t->size == 0) return sha256(span_of(NULL, 0), root);
    unsigned level = (unsigned)__builtin_ctzll(t->size);
    memcpy(root, t->edge[level], 32);
    for (level++; level < 64 && t->size >> level; level++)
        if ((t->size >> level & 1) && !node_hash(t->edge[level], root, root)) return false;
    return true;
}
