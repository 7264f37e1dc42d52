#include "ledger/tiles.h"
#include <errno.h>

#define NOTE_MAX 16384u

result tiles_root(char out[PATH_BYTES], const char *directory)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, directory, TILES_DIRECTORY));
    bool inside = os_exists(path);
    if (!inside) {
        TRY(layout_path(path, directory, CHECKPOINT_NAME));
        inside = !os_exists(path);
    }
    int n = snprintf(out, PATH_BYTES, inside ? "%s/" TILES_DIRECTORY : "%s", directory);
    REQUIRE(n > 0 && n < (int)PATH_BYTES, ERROR_CONFIG, ENAMETOOLONG);
    return OK;
}

result tiles_checkpoint(const char *root, struct buf *note)
{
    char path[PATH_BYTES];
    buf_init(note, 0);
    TRY(layout_path(path, root, CHECKPOINT_NAME));
    return os_read_file(path, NOTE_MAX, note);
}

static bool absent(result r)
{
    return r.class == ERROR_IO && r.code == ENOENT;
}

struct tlog_verifier tlog_of(const struct ledger_verifier *v)
{
    struct tlog_verifier t;
    ASSERT(is_ok(tlog_verifier_make(span_str(v->name), TLOG_ED25519, v->key, &t))); /* it was parsed or made before */
    return t;
}

result published_expect(const char *directory, const struct ledger_verifier *v, struct expectation *out, bool *ours)
{
    char root[PATH_BYTES];
    struct buf note;
    struct tlog_checkpoint c;
    struct tlog_verifier t = tlog_of(v);
    *out = (struct expectation){0};
    *ours = true;
    TRY(tiles_root(root, directory));
    result r = tiles_checkpoint(root, &note);
    if (absent(r)) return OK;
    TRY(r);
    *ours = tlog_checkpoint_open(buf_span(&note), &t, &c);
    if (*ours) {
        *out = (struct expectation){.there = true, .size = c.size};
        memcpy(out->root, c.root, TLOG_HASH);
    }
    buf_free(&note);
    return OK;
}

static size_t tile_bytes_max(const struct tlog_tile *t)
{
    return t->entries ? BUNDLE_MAX : TLOG_TILE_BYTES;
}

/* Leaves exactly `width` hashes or entries in there; false where there are fewer, or a full file holds more. */
static bool cut_to_width(const struct tlog_tile *t, unsigned stored, struct buf *bytes)
{
    span all = buf_span(bytes), rest = all, leaf;
    if (!t->entries) {
        if (all.len != (size_t)stored * TLOG_HASH) return false;
        rest = span_from(all, (size_t)t->width * TLOG_HASH);
    }
    for (unsigned i = 0; t->entries && i < t->width; i++)
        if (!tlog_bundle_next(&rest, &leaf)) return false;
    if (stored == t->width && rest.len > 0) return false;
    bytes->write -= rest.len;
    return true;
}

static result read_stored(const char *root, const struct tlog_tile *tile, unsigned stored, struct buf *out)
{
    char name[TLOG_PATH], path[PATH_BYTES];
    struct tlog_tile as_stored = *tile;
    as_stored.width = stored;
    tlog_tile_path(&as_stored, name);
    TRY(layout_path(path, root, "%s", name));
    TRY(os_read_file(path, tile_bytes_max(tile), out));
    if (cut_to_width(tile, stored, out)) return OK;
    buf_free(out);
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

struct wider {
    unsigned least, found;
};

static result find_wider(void *ctx, const char *name)
{
    struct wider *w = ctx;
    uint64_t width;
    if (span_to_u64(span_str(name), TLOG_WIDTH - 1, &width) && width >= w->least) w->found = (unsigned)width;
    return OK;
}

/* A partial tile that is gone has become a wider one: leaves are only ever added. */
static result read_wider(const char *root, const struct tlog_tile *tile, struct buf *out)
{
    char name[TLOG_PATH], path[PATH_BYTES];
    struct tlog_tile full = *tile;
    struct wider w = {.least = tile->width};
    result r = read_stored(root, tile, TLOG_WIDTH, out);
    if (!absent(r)) return r;
    full.width = TLOG_WIDTH;
    tlog_tile_path(&full, name);
    TRY(layout_path(path, root, "%s.p", name));
    TRY(os_list_dir(path, find_wider, &w));
    REQUIRE(w.found > 0, ERROR_IO, ENOENT);
    return read_stored(root, tile, w.found, out);
}

result tiles_read(const char *root, const struct tlog_tile *tile, struct buf *out)
{
    result r = read_stored(root, tile, tile->width, out);
    if (absent(r) && tile->width < TLOG_WIDTH) r = read_wider(root, tile, out);
    /* It may have become whole between two looks. */
    if (absent(r) && tile->width < TLOG_WIDTH) r = read_stored(root, tile, TLOG_WIDTH, out);
    return r;
}

result tiles_edge(const char *root, uint64_t size, struct tlog_edge *out)
{
    memset(out, 0, sizeof *out);
    out->size = size;
    for (unsigned level = 0; level < TLOG_LEVELS; level++) {
        unsigned width = tlog_edge_width(out, level);
        struct tlog_tile t = {false, level, level < 7 ? size >> (TLOG_HEIGHT * (level + 1)) : 0, width};
        struct buf bytes;
        if (width == 0) continue;
        TRY(tiles_read(root, &t, &bytes));
        memcpy(out->hashes[level], buf_span(&bytes).ptr, (size_t)width * TLOG_HASH);
        buf_free(&bytes);
    }
    return OK;
}

bool tree_of_edge(const struct tlog_edge *e, struct ledger_tree *out)
{
    *out = (struct ledger_tree){.size = e->size};
    for (unsigned height = 0; height < 64; height++) {
        if (!(e->size >> height & 1)) continue;
        unsigned level = height / TLOG_HEIGHT, bit = height % TLOG_HEIGHT;
        unsigned from = tlog_edge_width(e, level) >> (bit + 1) << (bit + 1);
        if (!tlog_hash_subtree((const tlog_hash *)e->hashes[level] + from, bit, out->edge[height])) return false;
    }
    return true;
}

/* ---- nodes ---------------------------------------------------------------------------------------------------- */

void tiles_nodes_init(struct tiles_nodes *n, const char *root, uint64_t size)
{
    *n = (struct tiles_nodes){.root = root, .size = size};
}

static result hold_tile(struct tiles_nodes *n, unsigned level, uint64_t index)
{
    struct tlog_tile t = {false, level, index, tlog_tile_width(level, index, n->size)};
    if (n->held.width > 0 && n->held.level == level && n->held.index == index) return OK;
    tiles_nodes_free(n);
    REQUIRE(t.width > 0, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    TRY(tiles_read(n->root, &t, &n->bytes));
    n->held = t;
    return OK;
}

result tiles_node(void *nodes, unsigned height, uint64_t index, tlog_hash out)
{
    struct tiles_nodes *n = nodes;
    unsigned level, from;
    uint64_t tile;
    unsigned rest = tlog_node_place(height, index, &level, &tile, &from);
    TRY(hold_tile(n, level, tile));
    REQUIRE(from + (1u << rest) <= n->held.width, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    const tlog_hash *hashes = (const tlog_hash *)(const void *)buf_span(&n->bytes).ptr;
    REQUIRE(tlog_hash_subtree(hashes + from, rest, out), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

void tiles_nodes_free(struct tiles_nodes *n)
{
    buf_free(&n->bytes);
    n->held.width = 0;
}
