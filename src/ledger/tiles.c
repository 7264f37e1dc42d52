#include "ledger/tiles.h"
#include <errno.h>

#define FILE_MODE 0640
#define DIRECTORY_MODE 0750
#define TEMPORARY "new" /* there is one writer */

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* Directories on the way to the name, from the first one below root. */
static result make_parents(const char *root, const char *name)
{
    char path[PATH_BYTES];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        TRY(layout_path(path, root, "%.*s", (int)(slash - name), name));
        TRY(os_make_dir(path, DIRECTORY_MODE));
    }
    return OK;
}

/* The oldest of them, each also behind one that failed: the descriptors have to go. */
static result sync_files(struct tiles *t, unsigned count)
{
    result r = OK;
    for (unsigned i = 0; i < count; i++) {
        result one = os_sync_close(&t->unsynced[i]);
        if (is_ok(r)) r = one;
    }
    t->unsynced_count -= count;
    memmove(t->unsynced, t->unsynced + count, t->unsynced_count * sizeof *t->unsynced);
    t->waited = 0;
    return r;
}

static result sync_touched(struct tiles *t)
{
    TRY(sync_files(t, t->unsynced_count));
    for (unsigned i = 0; i < t->touched_count; i++)
        TRY(os_sync_dir(t->touched[i]));
    t->touched_count = 0;
    return OK;
}

static result touch(struct tiles *t, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = (size_t)(slash - path);
    for (unsigned i = 0; i < t->touched_count; i++)
        if (strlen(t->touched[i]) == len && memcmp(t->touched[i], path, len) == 0) return OK;
    if (t->touched_count == TOUCHED_MAX) TRY(sync_touched(t));
    memcpy(t->touched[t->touched_count], path, len);
    t->touched[t->touched_count++][len] = 0;
    return OK;
}

static bool failed_with(result r, int error)
{
    return r.class == ERROR_IO && r.code == error;
}

/* A whole tile's name is new, but for what a crash left: written under it, for nobody looks there before a checkpoint names it, or
 * the partial one goes. */
static result write_file(const char *temporary, const char *path, span data, bool new, int *fd)
{
    if (new) {
        result r = os_create_unsynced(path, data, FILE_MODE, fd);
        if (!failed_with(r, EEXIST)) return r;
    }
    return os_write_unsynced(temporary, path, data, FILE_MODE, fd);
}

static result write_tile(struct tiles *t, const struct tlog_tile *tile, span data)
{
    char name[TLOG_PATH], path[PATH_BYTES], temporary[PATH_BYTES];
    tlog_tile_path(tile, name);
    TRY(layout_path(path, t->root, "%s", name));
    TRY(layout_path(temporary, t->root, TEMPORARY));
    if (t->unsynced_count == UNSYNCED_MAX) TRY(sync_files(t, t->unsynced_count));
    int *fd = &t->unsynced[t->unsynced_count];
    result r = write_file(temporary, path, data, tile->width == TLOG_WIDTH, fd);
    if (failed_with(r, ENOENT)) {
        TRY(make_parents(t->root, name));
        r = write_file(temporary, path, data, tile->width == TLOG_WIDTH, fd);
    }
    TRY(r);
    t->unsynced_count++;
    return touch(t, path);
}

/* ---- adding --------------------------------------------------------------------------------------------------- */

static result remove_partial(const struct tiles *t, struct tlog_tile tile)
{
    char name[TLOG_PATH], path[PATH_BYTES];
    tile.width = TLOG_WIDTH;
    tlog_tile_path(&tile, name);
    TRY(layout_path(path, t->root, "%s.p", name));
    return os_remove_dir(path);
}

/* The unfinished tile that the last checkpoint names stays until the whole one is durable; one that no checkpoint names
 * was left by a crash. */
static result write_whole(struct tiles *t, const struct tlog_tile *tile, span data)
{
    unsigned shift = TLOG_HEIGHT * (tile->level + 1);
    if (tile->index << shift < t->doubtful && tile->index != t->published >> shift) TRY(remove_partial(t, *tile));
    return write_tile(t, tile, data);
}

static result write_full(void *ctx, unsigned level, uint64_t index, const tlog_hash *hashes)
{
    struct tiles *t = ctx;
    struct tlog_tile tile = {false, level, index, TLOG_WIDTH};
    TRY(write_whole(t, &tile, span_of(hashes, TLOG_TILE_BYTES)));
    if (level > 0) return OK;
    tile.entries = true;
    TRY(write_whole(t, &tile, buf_span(&t->bundle)));
    buf_clear(&t->bundle);
    return OK;
}

result tiles_add(struct tiles *t, span leaf)
{
    uint8_t length[RECORD_HEADER];
    tlog_hash hash;
    store_be16(length, (uint16_t)leaf.len);
    TRY(buf_append(&t->bundle, span_of(length, sizeof length)));
    TRY(buf_append(&t->bundle, leaf));
    REQUIRE(tlog_hash_leaf(leaf, hash), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return tlog_edge_add(&t->edge, hash, write_full, t);
}

/* ---- publishing ----------------------------------------------------------------------------------------------- */

static result write_partial(struct tiles *t)
{
    for (unsigned level = 0; level < TLOG_LEVELS; level++) {
        unsigned shift = TLOG_HEIGHT * level, width = tlog_edge_width(&t->edge, level);
        if (width == 0 || t->edge.size >> shift == t->published >> shift) continue; /* as it stands there */
        struct tlog_tile tile = {false, level, t->edge.size >> shift >> TLOG_HEIGHT, width};
        TRY(write_tile(t, &tile, span_of(t->edge.hashes[level], (size_t)width * TLOG_HASH)));
        tile.entries = true;
        if (level == 0) TRY(write_tile(t, &tile, buf_span(&t->bundle)));
    }
    return OK;
}

/* The tile of each level in which the last checkpoint ended is whole once the tree has grown past it. Removed before the
 * next checkpoint: who resumes from the last one fills it again and removes again. */
static result collect_partial(const struct tiles *t)
{
    for (unsigned level = 0; level < TLOG_LEVELS; level++) {
        unsigned shift = TLOG_HEIGHT * level;
        uint64_t last = t->published >> shift >> TLOG_HEIGHT;
        if (t->edge.size >> shift >> TLOG_HEIGHT == last) continue;
        TRY(remove_partial(t, (struct tlog_tile){false, level, last, TLOG_WIDTH}));
        if (level == 0) TRY(remove_partial(t, (struct tlog_tile){true, 0, last, TLOG_WIDTH}));
    }
    return OK;
}

result tiles_settle(struct tiles *t)
{
    TRY(sync_files(t, t->waited));
    t->waited = t->unsynced_count;
    return OK;
}

result tiles_publish(struct tiles *t, span note)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    TRY(write_partial(t));
    TRY(sync_touched(t));
    TRY(collect_partial(t));
    TRY(layout_path(path, t->root, CHECKPOINT_NAME));
    TRY(layout_path(temporary, t->root, TEMPORARY));
    TRY(os_write_renamed(temporary, path, note, FILE_MODE));
    TRY(os_sync_dir(t->root));
    t->published = t->edge.size;
    return OK;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static result resume(struct tiles *t, const char *directory, uint64_t size)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, directory, TILES_DIRECTORY));
    TRY(os_make_dir(path, DIRECTORY_MODE));
    t->root = mem_strdup(path);
    REQUIRE(t->root, ERROR_LIMIT, ENOMEM);
    TRY(layout_path(path, t->root, TEMPORARY));
    TRY(os_remove(path)); /* a crash may have left a file that was renamed under both names: the next would be written into it */
    TRY(tiles_edge(t->root, size, &t->edge));
    t->published = size;
    struct tlog_tile tile = {true, 0, size / TLOG_WIDTH, (unsigned)(size % TLOG_WIDTH)};
    if (tile.width == 0) return OK;
    struct buf stored;
    TRY(tiles_read(t->root, &tile, &stored));
    result r = buf_append(&t->bundle, buf_span(&stored));
    buf_free(&stored);
    return r;
}

result tiles_open(const char *directory, uint64_t size, uint64_t reached, struct tiles **out)
{
    struct tiles *t = mem_alloc(sizeof *t);
    REQUIRE(t, ERROR_LIMIT, ENOMEM);
    buf_init(&t->bundle, BUNDLE_MAX);
    t->doubtful = reached;
    result r = resume(t, directory, size);
    if (!is_ok(r)) {
        tiles_close(t);
        return r;
    }
    *out = t;
    return OK;
}

void tiles_close(struct tiles *t)
{
    if (!t) return;
    for (unsigned i = 0; i < t->unsynced_count; i++)
        os_close(&t->unsynced[i]);
    buf_free(&t->bundle);
    mem_free(t->root);
    mem_free(t);
}

/* ---- reading back --------------------------------------------------------------------------------------------- */

#define HASHES_ROOM (2 * TLOG_TILE_BYTES) /* more than a tile has: one that is too long shows */

static size_t whole_blocks(uint64_t bytes)
{
    return ((size_t)bytes + OS_DIRECT_ALIGN - 1) / OS_DIRECT_ALIGN * OS_DIRECT_ALIGN;
}

static result make_room(struct tiles_room *room, size_t size)
{
    if (!room->hashes) room->hashes = os_aligned_alloc(HASHES_ROOM);
    if (room->size < size) {
        os_aligned_free(room->bundle);
        room->bundle = os_aligned_alloc(size);
        room->size = room->bundle ? size : 0;
    }
    REQUIRE(room->hashes && room->bundle, ERROR_LIMIT, ENOMEM);
    return OK;
}

/* Past the page cache, which would show what was written and not what the disk has. */
static result read_open(const struct os_direct *file, uint64_t bytes, bool entries, struct tiles_room *room, span *out)
{
    size_t got = 0, size = whole_blocks(bytes == 0 ? 1 : bytes < BUNDLE_MAX ? bytes : BUNDLE_MAX);
    TRY(make_room(room, entries ? size : OS_DIRECT_ALIGN));
    if (!entries && size > HASHES_ROOM) size = HASHES_ROOM;
    uint8_t *to = entries ? room->bundle : room->hashes;
    TRY(os_direct_read_gently(file, to, size, 0, &got));
    REQUIRE(got == bytes, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    *out = span_of(to, got);
    return OK;
}

static result read_direct(const char *root, const struct tlog_tile *tile, struct tiles_room *room, span *out)
{
    char name[TLOG_PATH], path[PATH_BYTES];
    struct os_direct file;
    uint64_t bytes;
    tlog_tile_path(tile, name);
    TRY(layout_path(path, root, "%s", name));
    TRY(os_direct_open(path, false, &file, &bytes));
    result r = read_open(&file, bytes, tile->entries, room, out);
    os_direct_close(&file);
    return r;
}

static result check_bundle(const char *root, uint64_t index, struct tiles_room *room)
{
    struct tlog_tile tile = {true, 0, index, TLOG_WIDTH};
    span bundle, hashes, leaf;
    TRY(read_direct(root, &tile, room, &bundle));
    tile.entries = false;
    TRY(read_direct(root, &tile, room, &hashes));
    REQUIRE(hashes.len == TLOG_TILE_BYTES, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    for (unsigned i = 0; i < TLOG_WIDTH; i++) {
        tlog_hash hash;
        REQUIRE(tlog_bundle_next(&bundle, &leaf), ERROR_INTERNAL, LEDGER_E_CORRUPT);
        REQUIRE(tlog_hash_leaf(leaf, hash), ERROR_INTERNAL, LEDGER_E_CRYPTO);
        REQUIRE(memcmp(hash, hashes.ptr + (size_t)i * TLOG_HASH, TLOG_HASH) == 0, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    }
    REQUIRE(bundle.len == 0, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    return OK;
}

result tiles_read_back(const char *root, uint64_t from, uint64_t to, struct tiles_room *room)
{
    for (uint64_t i = from / TLOG_WIDTH; i < (to + TLOG_WIDTH - 1) / TLOG_WIDTH; i++)
        TRY(check_bundle(root, i, room));
    return OK;
}

void tiles_room_free(struct tiles_room *room)
{
    os_aligned_free(room->bundle);
    os_aligned_free(room->hashes);
    *room = (struct tiles_room){0};
}
