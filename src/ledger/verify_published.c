/* The published log: every bundle hashed into the tree again, every tile compared, the root as the checkpoint signed it. */
#include "ledger/bundle_crew.h"
#include "ledger/verify.h"
#include <errno.h>

#define PROGRESS_STEP (16u * 1024 * 1024)
#define ATTEMPTS 8u

static result blame(struct published_check *c, enum ledger_fault fault, const struct tlog_tile *tile)
{
    char name[TLOG_PATH], file[sizeof c->problem.file];
    tlog_tile_path(tile, name);
    snprintf(file, sizeof file, TILES_DIRECTORY "/%s", name);
    problem_set(&c->problem, fault, file, 0, tile->index << (TLOG_HEIGHT * (tile->level + 1)), 0);
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

static result judge_read(struct published_check *c, enum ledger_fault fault, const struct tlog_tile *tile, result r)
{
    bool missing = (r.class == ERROR_IO && r.code == ENOENT) || r.class == ERROR_INTERNAL;
    bool too_large = r.class == ERROR_LIMIT && r.code == OS_TOO_LARGE;
    if (missing || too_large) return blame(c, fault, tile);
    if (!is_ok(r)) problem_set(&c->problem, LEDGER_FAULT_READ, TILES_DIRECTORY, 0, c->edge->size, r.code);
    return r;
}

static result compare_tile(struct published_check *c, const struct tlog_tile *tile, const tlog_hash *hashes)
{
    struct buf stored;
    TRY(judge_read(c, LEDGER_FAULT_TILE, tile, tiles_read(c->root, tile, &stored)));
    bool same = span_equal(buf_span(&stored), span_of(hashes, (size_t)tile->width * TLOG_HASH));
    buf_free(&stored);
    return same ? OK : blame(c, LEDGER_FAULT_TILE, tile);
}

static result compare_full(void *ctx, unsigned level, uint64_t index, const tlog_hash *hashes)
{
    struct tlog_tile tile = {false, level, index, TLOG_WIDTH};
    return compare_tile(ctx, &tile, hashes);
}

static result meet(struct published_check *c, struct expectation *e, enum ledger_fault fault)
{
    tlog_hash root;
    if (!e->there || e->met || e->size != c->edge->size) return OK;
    REQUIRE(tlog_edge_root(c->edge, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    e->met = memcmp(root, e->root, TLOG_HASH) == 0;
    if (e->met) return OK;
    problem_set(&c->problem, fault, TILES_DIRECTORY "/" CHECKPOINT_NAME, 0, e->size, 0);
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

static void tell_progress(struct published_check *c, size_t bytes)
{
    c->bytes += bytes;
    if (!c->options->progress || c->bytes - c->told < PROGRESS_STEP) return;
    c->told = c->bytes;
    c->options->progress(c->options->ctx, c->bytes, 0);
}

static result add_bundle(struct published_check *c, const struct bundle_job *j)
{
    uint64_t index = j->tile.index * TLOG_WIDTH;
    span rest = buf_span(&j->bundle), leaf;
    TRY(judge_read(c, LEDGER_FAULT_BUNDLE, &j->tile, j->read));
    REQUIRE(!j->broken, ERROR_INTERNAL, LEDGER_E_CRYPTO);
    tell_progress(c, rest.len);
    for (unsigned i = 0; i < j->count && tlog_bundle_next(&rest, &leaf); i++, index++) {
        if (index < c->edge->size) continue; /* of a call before this one */
        TRY(tlog_edge_add(c->edge, j->hashes[i], compare_full, c));
        TRY(verify_show(c->showing, index, leaf));
        TRY(meet(c, &c->older, LEDGER_FAULT_OLDER));
    }
    return j->odd || j->count < j->tile.width ? blame(c, LEDGER_FAULT_BUNDLE, &j->tile) : OK;
}

static result check_bundles(struct published_check *c)
{
    struct bundle_crew crew;
    const struct bundle_job *j;
    result r = OK;
    if (c->edge->size >= c->checkpoint.size) return OK;
    TRY(bundles_start(&crew, c->root, c->edge->size, c->checkpoint.size));
    while (is_ok(r) && (j = bundles_next(&crew)) != NULL)
        r = add_bundle(c, j);
    bundles_end(&crew);
    return r;
}

/* ---- what earlier checkpoints named ---------------------------------------------------------------------------- */

/* Narrower files of a tile may stay until it is whole: whoever holds the checkpoint that named one is given it. */
struct narrower {
    struct published_check *check;
    struct tlog_tile tile; /* as it is now … */
    span now;              /* … and what it holds */
};

static result compare_narrower(void *ctx, const char *name)
{
    struct narrower *n = ctx;
    struct tlog_tile old = n->tile;
    struct buf stored;
    uint64_t width;
    if (!span_to_u64(span_str(name), n->tile.width, &width) || width == 0 || width == n->tile.width) return OK;
    old.width = (unsigned)width;
    TRY(judge_read(n->check, LEDGER_FAULT_TILE, &old, tiles_read(n->check->root, &old, &stored)));
    size_t len = buf_len(&stored);
    bool same = len <= n->now.len && span_equal(buf_span(&stored), span_sub(n->now, 0, len));
    buf_free(&stored);
    return same ? OK : blame(n->check, LEDGER_FAULT_TILE, &old);
}

static result check_narrower(struct published_check *c, const struct tlog_tile *tile, span now)
{
    struct narrower n = {.check = c, .tile = *tile, .now = now};
    struct tlog_tile full = *tile;
    char name[TLOG_PATH], path[PATH_BYTES];
    full.width = TLOG_WIDTH;
    tlog_tile_path(&full, name);
    TRY(layout_path(path, c->root, "%s.p", name));
    result r = os_list_dir(path, compare_narrower, &n);
    bool gone = r.class == ERROR_IO && r.code == ENOENT; /* it has become whole meanwhile */
    return gone ? OK : r;
}

static result check_last_bundle(struct published_check *c)
{
    struct tlog_tile tile = {.entries = true, .index = c->edge->size >> TLOG_HEIGHT, .width = tlog_edge_width(c->edge, 0)};
    struct buf bundle;
    if (tile.width == 0) return OK;
    TRY(judge_read(c, LEDGER_FAULT_BUNDLE, &tile, tiles_read(c->root, &tile, &bundle)));
    result r = check_narrower(c, &tile, buf_span(&bundle));
    buf_free(&bundle);
    return r;
}

static result check_edge_tile(struct published_check *c, const struct tlog_tile *tile)
{
    const tlog_hash *hashes = (const tlog_hash *)c->edge->hashes[tile->level];
    TRY(compare_tile(c, tile, hashes));
    return check_narrower(c, tile, span_of(hashes, (size_t)tile->width * TLOG_HASH));
}

static result check_edge(struct published_check *c)
{
    for (unsigned level = 0; level < TLOG_LEVELS; level++) {
        struct tlog_tile tile = {.level = level, .width = tlog_edge_width(c->edge, level)};
        tile.index = c->edge->size >> (TLOG_HEIGHT * level) >> TLOG_HEIGHT;
        if (tile.width > 0) TRY(check_edge_tile(c, &tile));
    }
    TRY(check_last_bundle(c));
    return meet(c, &c->checkpoint, LEDGER_FAULT_PUBLISHED_ROOT);
}

result verify_published(struct published_check *c)
{
    bool ours;
    uint64_t before = c->checkpoint.size;
    TRY(published_expect(c->root, c->verifier, &c->checkpoint, &ours));
    REQUIRE(!ours || c->checkpoint.there, ERROR_IO, ENOENT);
    bool grown = ours && c->checkpoint.size >= before;
    if (!grown) problem_set(&c->problem, LEDGER_FAULT_CHECKPOINT, TILES_DIRECTORY "/" CHECKPOINT_NAME, 0, 0, 0);
    REQUIRE(grown, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    TRY(meet(c, &c->older, LEDGER_FAULT_OLDER)); /* of an empty tree */
    TRY(check_bundles(c));
    return check_edge(c);
}

/* ---- both ----------------------------------------------------------------------------------------------------- */

static enum ledger_judgement judge(const struct published_check *c, result r, struct ledger_report *out)
{
    out->published = c->checkpoint.size;
    if (is_ok(r)) return LEDGER_IS_SOUND;
    out->first = c->problem;
    return r.class == ERROR_INTERNAL && r.code == LEDGER_E_CORRUPT ? LEDGER_IS_TAMPERED : LEDGER_CANNOT_TELL;
}

static enum ledger_judgement tiles_alone(const struct published_check *c, struct ledger_report *out)
{
    out->entries = c->checkpoint.size;
    out->bytes = c->bytes;
    memcpy(out->root, c->checkpoint.root, TLOG_HASH);
    if (!c->older.there || c->older.met) return LEDGER_IS_SOUND;
    problem_set(&out->first, LEDGER_FAULT_OLDER, TILES_DIRECTORY "/" CHECKPOINT_NAME, 0, c->checkpoint.size, 0);
    return LEDGER_IS_TAMPERED;
}

static uint64_t first_segment(const char *directory)
{
    struct segments s;
    if (!is_ok(segments_list(directory, &s))) return 0;
    uint64_t first = s.count > 0 ? s.first[0] : 0;
    mem_free(s.first);
    return first;
}

/* A gateway at work publishes and recycles meanwhile: the tiles are caught up with until they reach what is left of the
 * write-ahead log. */
static enum ledger_judgement verify_both(
    const char *directory, struct published_check *c, struct ledger_report *out)
{
    for (unsigned attempt = 0;; attempt++) {
        result r = out->tiles ? verify_published(c) : OK;
        enum ledger_judgement j = judge(c, r, out);
        if (j != LEDGER_IS_SOUND) return j;
        if (!out->wal) return tiles_alone(c, out);
        if (attempt < ATTEMPTS && first_segment(directory) > c->checkpoint.size) continue;
        struct expectation more[2] = {c->checkpoint, c->older};
        more[0].met = false;
        j = verify_wal(directory, c->verifier, more, c->showing, out);
        bool moved = j == LEDGER_CANNOT_TELL && out->first.error == ENOENT && out->tiles;
        if (!moved || attempt >= ATTEMPTS) return j;
        out->first = (struct ledger_problem){0};
    }
}

static enum ledger_judgement take_older(struct published_check *c, struct ledger_report *out)
{
    struct tlog_checkpoint older;
    struct tlog_verifier v = tlog_of(c->verifier);
    if (!c->options->older.ptr) return LEDGER_IS_SOUND;
    if (!tlog_checkpoint_open(c->options->older, &v, &older)) {
        problem_set(&out->first, LEDGER_FAULT_CHECKPOINT, "the older checkpoint", 0, 0, 0);
        return LEDGER_CANNOT_TELL;
    }
    c->older = (struct expectation){.there = true, .size = older.size};
    memcpy(c->older.root, older.root, TLOG_HASH);
    out->older = older.size;
    return LEDGER_IS_SOUND;
}

static bool find_parts(const char *directory, struct published_check *c, struct ledger_report *out)
{
    char path[PATH_BYTES];
    if (!is_ok(tiles_root(c->root, directory)) || !is_ok(layout_path(path, c->root, CHECKPOINT_NAME))) return false;
    out->tiles = os_exists(path);
    if (!is_ok(layout_path(path, directory, "wal"))) return false;
    out->wal = os_exists(path) || !out->tiles;
    if (!is_ok(layout_path(path, directory, "node.json"))) return false;
    out->wal |= os_exists(path); /* no copy of tiles: somebody took its write-ahead log away */
    return true;
}

enum ledger_judgement ledger_verify_with(const char *directory, const struct ledger_verifier *v,
    const struct ledger_verify_options *options, struct ledger_report *out)
{
    *out = (struct ledger_report){0};
    struct published_check *c = mem_alloc(sizeof *c);
    struct showing showing = {.options = options};
    if (!c) return LEDGER_CANNOT_TELL;
    *c = (struct published_check){.options = options, .showing = &showing, .verifier = v, .edge = mem_alloc(sizeof *c->edge)};
    enum ledger_judgement j = LEDGER_CANNOT_TELL;
    struct node node;
    if (c->edge && find_parts(directory, c, out)) j = take_older(c, out);
    if (j == LEDGER_IS_SOUND && out->wal) j = verify_node(directory, v, &node, out);
    if (j == LEDGER_IS_SOUND && c->edge) j = verify_both(directory, c, out);
    mem_free(c->edge);
    mem_free(c);
    return j;
}

enum ledger_judgement ledger_verify(const char *directory, const struct ledger_verifier *v,
    ledger_progress_fn *progress, void *ctx, struct ledger_report *out)
{
    struct ledger_verify_options options = {.progress = progress, .ctx = ctx};
    return ledger_verify_with(directory, v, &options, out);
}
