#include "tlog/tlog.h"

//= RFC6962 2.1
/* Leaf and node are told apart by their first byte, so that no node can pass for a leaf. */
bool tlog_hash_leaf(span leaf, tlog_hash out)
{
    static const uint8_t prefix[1] = {0};
    return sha256_two(span_of(prefix, 1), leaf, out);
}

bool tlog_hash_node(const tlog_hash left, const tlog_hash right, tlog_hash out)
{
    uint8_t pair[1 + 2 * TLOG_HASH];
    pair[0] = 1;
    memcpy(pair + 1, left, TLOG_HASH);
    memcpy(pair + 1 + TLOG_HASH, right, TLOG_HASH);
    return sha256(span_of(pair, sizeof pair), out);
}

bool tlog_hash_subtree(const tlog_hash *hashes, unsigned height, tlog_hash out)
{
    tlog_hash row[TLOG_WIDTH / 2];
    ASSERT(height <= TLOG_HEIGHT);
    if (height == 0) {
        memcpy(out, hashes[0], TLOG_HASH);
        return true;
    }
    for (unsigned i = 0; i < 1u << (height - 1); i++)
        if (!tlog_hash_node(hashes[2 * i], hashes[2 * i + 1], row[i])) return false;
    for (unsigned left = height - 1; left > 0; left--)
        for (unsigned i = 0; i < 1u << (left - 1); i++)
            if (!tlog_hash_node(row[2 * i], row[2 * i + 1], row[i])) return false;
    memcpy(out, row[0], TLOG_HASH);
    return true;
}
