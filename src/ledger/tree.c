#include "ledger/tree.h"
#include "tlog/tlog.h"

/* edge[i] is the root of the complete subtree of 2^i leaves that bit i of size stands for: adding a subtree is adding
 * its size with carry. Nothing smaller than it may be there. */
static bool append_node(struct ledger_tree *t, unsigned level, const uint8_t hash[32])
{
    uint8_t carried[32];
    uint64_t leaves = UINT64_C(1) << level;
    ASSERT(t->size <= UINT64_MAX - leaves && (t->size & (leaves - 1)) == 0);
    memcpy(carried, hash, 32);
    for (; t->size >> level & 1; level++)
        if (!tlog_hash_node(t->edge[level], carried, carried)) return false;
    memcpy(t->edge[level], carried, 32);
    t->size += leaves;
    return true;
}

bool ledger_tree_add(struct ledger_tree *t, span leaf)
{
    uint8_t hash[32];
    return tlog_hash_leaf(leaf, hash) && append_node(t, 0, hash);
}

void tree_range_start(struct tree_range *r, uint64_t first)
{
    r->first = r->next = first;
    r->count = 0;
}

/* Two neighbours of one level that end at a multiple of both together are one. */
bool tree_range_add(struct tree_range *r, span leaf)
{
    ASSERT(r->count < TREE_RANGE_NODES && r->next < UINT64_MAX);
    struct tree_node *last = &r->nodes[r->count++];
    last->level = 0;
    if (!tlog_hash_leaf(leaf, last->hash)) return false;
    r->next++;
    for (; r->count >= 2 && last[-1].level == last->level && (r->next >> last->level & 1) == 0; last--) {
        if (!tlog_hash_node(last[-1].hash, last->hash, last[-1].hash)) return false;
        last[-1].level++;
        r->count--;
    }
    return true;
}

bool tree_append(struct ledger_tree *t, const struct tree_range *r)
{
    ASSERT(t->size == r->first);
    for (unsigned i = 0; i < r->count; i++)
        if (!append_node(t, r->nodes[i].level, r->nodes[i].hash)) return false;
    return true;
}

bool ledger_tree_root(const struct ledger_tree *t, uint8_t root[32])
{
    if (t->size == 0) return sha256(span_of(NULL, 0), root);
    unsigned level = (unsigned)__builtin_ctzll(t->size);
    memcpy(root, t->edge[level], 32);
    for (level++; level < 64 && t->size >> level; level++)
        if ((t->size >> level & 1) && !tlog_hash_node(t->edge[level], root, root)) return false;
    return true;
}
