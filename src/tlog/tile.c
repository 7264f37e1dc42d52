#include "tlog/tlog.h"

#define GROUPS_MAX 7u /* of three digits: 2^64 has twenty */

/* Groups of three digits, all but the last marked, so that no directory and file ever share a name. */
static int write_index(uint64_t index, char *out, size_t room)
{
    unsigned groups[GROUPS_MAX], count = 0;
    int n = 0;
    do
        groups[count++] = (unsigned)(index % 1000);
    while ((index /= 1000) > 0);
    while (count-- > 0)
        n += snprintf(out + n, room - (size_t)n, count > 0 ? "x%03u/" : "%03u", groups[count]);
    return n;
}

void tlog_tile_path(const struct tlog_tile *t, char out[TLOG_PATH])
{
    ASSERT(t->width > 0 && t->width <= TLOG_WIDTH && t->level < 64);
    int n = t->entries ? snprintf(out, TLOG_PATH, "tile/entries/") : snprintf(out, TLOG_PATH, "tile/%u/", t->level);
    n += write_index(t->index, out + n, TLOG_PATH - (size_t)n);
    if (t->width < TLOG_WIDTH) n += snprintf(out + n, TLOG_PATH - (size_t)n, ".p/%u", t->width);
    ASSERT(n < TLOG_PATH);
}

unsigned tlog_tile_width(unsigned level, uint64_t index, uint64_t size)
{
    uint64_t hashes = size >> (TLOG_HEIGHT * level);
    if (index >= (hashes + TLOG_WIDTH - 1) / TLOG_WIDTH) return 0;
    return index < hashes / TLOG_WIDTH ? TLOG_WIDTH : (unsigned)(hashes % TLOG_WIDTH);
}

bool tlog_bundle_next(span *bundle, span *leaf)
{
    if (bundle->len < 2) return false;
    size_t len = load_be16(bundle->ptr);
    if (len > bundle->len - 2) return false;
    *leaf = span_sub(*bundle, 2, len);
    *bundle = span_from(*bundle, 2 + len);
    return true;
}

result tlog_edge_add(struct tlog_edge *e, const tlog_hash leaf, tlog_full_fn *full, void *ctx)
{
    ASSERT(e->size < UINT64_MAX >> 1);
    memcpy(e->hashes[0][tlog_edge_width(e, 0)], leaf, TLOG_HASH);
    e->size++;
    for (unsigned level = 0; tlog_edge_width(e, level) == 0; level++) {
        uint64_t above = e->size >> (TLOG_HEIGHT * (level + 1)); /* hashes of the next level, with the one to come */
        tlog_hash *to = &e->hashes[level + 1][(above - 1) % TLOG_WIDTH];
        TRY(full(ctx, level, above - 1, (const tlog_hash *)e->hashes[level]));
        REQUIRE(tlog_hash_subtree((const tlog_hash *)e->hashes[level], TLOG_HEIGHT, *to), ERROR_INTERNAL, TLOG_E_CRYPTO);
    }
    return OK;
}

/* Complete subtrees from right to left, each the left neighbour of all that was before. */
static bool fold_level(const tlog_hash *hashes, unsigned width, bool *any, tlog_hash root)
{
    for (unsigned bit = 0; bit < TLOG_HEIGHT; bit++) {
        tlog_hash subtree;
        if (!(width >> bit & 1)) continue;
        unsigned from = width >> (bit + 1) << (bit + 1);
        if (!tlog_hash_subtree(hashes + from, bit, subtree)) return false;
        if (!*any)
            memcpy(root, subtree, TLOG_HASH);
        else if (!tlog_hash_node(subtree, root, root))
            return false;
        *any = true;
    }
    return true;
}

bool tlog_edge_root(const struct tlog_edge *e, tlog_hash root)
{
    bool any = false;
    for (unsigned level = 0; level < TLOG_LEVELS; level++)
        if (!fold_level((const tlog_hash *)e->hashes[level], tlog_edge_width(e, level), &any, root)) return false;
    return any || sha256(span_of(NULL, 0), root);
}
