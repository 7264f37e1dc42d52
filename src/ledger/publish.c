#include "ledger/publish.h"
#include <errno.h>

static result corrupt(void)
{
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

/* ---- where to go on ------------------------------------------------------------------------------------------- */

static result read_checkpoint(struct publication *p, struct expectation *out)
{
    bool ours;
    TRY(published_expect(p->directory, &p->node.verifier, out, &ours));
    p->there = out->there;
    return ours ? OK : corrupt();
}

static result resume_at_checkpoint(struct publication *p, const struct expectation *c)
{
    tlog_hash root;
    TRY(tiles_open(p->directory, c->size, p->reached, &p->tiles));
    REQUIRE(tlog_edge_root(&p->tiles->edge, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    if (!p->there || memcmp(root, c->root, TLOG_HASH) == 0) return OK;
    tiles_close(p->tiles);
    p->tiles = NULL;
    return corrupt();
}

static void stand_at_opening(struct publication *p)
{
    p->segment = p->opened.segment;
    p->offset = p->opened.offset;
    p->walk = p->at_opening;
}

static result stand_in_segment(struct publication *p, const struct segments *s, uint64_t index)
{
    size_t i = segments_find(s, index);
    REQUIRE(s->count > 0 && s->first[i] <= index, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    p->segment = s->first[i];
    p->offset = 0;
    REQUIRE(walk_start(&p->walk, &p->node.verifier), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    p->walk.next_index = p->segment;
    p->walk.adopt = p->segment > 0;
    REQUIRE(p->walk.adopt || walk_enter_segment(&p->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

/* Tiles that do not give the checkpoint's root are made again, from the first entry that the write-ahead log still has. */
static result resume_in(struct publication *p, const struct expectation *c, const struct segments *s)
{
    uint64_t first = s->count > 0 ? s->first[0] : 0;
    result r = resume_at_checkpoint(p, c);
    if (!is_ok(r) && r.class != ERROR_LIMIT && first < c->size) r = tiles_open(p->directory, first, p->reached, &p->tiles);
    TRY(r);
    bool all = p->opened.size > 0 && p->tiles->edge.size == p->opened.size;
    if (!all) return stand_in_segment(p, s, p->tiles->edge.size);
    stand_at_opening(p);
    return OK;
}

static result resume(struct publication *p)
{
    struct expectation c;
    struct segments s;
    TRY(read_checkpoint(p, &c));
    TRY(segments_list(p->directory, &s));
    result r = resume_in(p, &c, &s);
    mem_free(s.first);
    return r;
}

/* ---- reading the write-ahead log ------------------------------------------------------------------------------ */

static result take_frame(void *ctx, const struct frame *f, uint64_t offset)
{
    struct publication *p = ctx;
    size_t at = 0;
    span leaf;
    (void)offset;
    if (f->first_index + f->count <= p->tiles->edge.size) return OK; /* already there */
    if (f->first_index != p->tiles->edge.size) return corrupt();
    while (frame_next(f, &at, &leaf))
        TRY(tiles_add(p->tiles, leaf));
    p->paused = p->stride > 0 && p->tiles->edge.size - p->since >= p->stride;
    return p->paused ? FAIL(ERROR_LIMIT, EAGAIN) : OK;
}

static result read_part(struct publication *p, uint64_t end, bool *lost)
{
    char path[PATH_BYTES];
    struct os_direct file;
    uint64_t size;
    TRY(layout_path(path, p->directory, SEGMENT_NAME, (unsigned long long)p->segment));
    result r = os_direct_open(path, false, &file, &size);
    *lost = !is_ok(r) && r.class == ERROR_IO && r.code == ENOENT;
    TRY(r);
    struct input in = {.file = &file, .size = end, .window = p->window, .step = LEDGER_FRAME_MAX};
    struct walk_stop stop = walk_segment(&p->walk, &in, p->offset, false, take_frame, p);
    os_direct_close(&file);
    p->offset = stop.offset;
    *lost = stop.end == WALK_CORRUPT || stop.end == WALK_TORN ||
            (stop.fault == LEDGER_FAULT_READ && stop.error.class == ERROR_IO);
    if (stop.end == WALK_STOPPED) return p->paused ? OK : stop.error;
    return *lost ? corrupt() : OK;
}

static result read_up_to(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    while (p->walk.next_index < mark->size) {
        bool last = p->segment == mark->segment;
        TRY(read_part(p, last ? mark->offset : p->node.segment_bytes, lost));
        if (last || p->paused) break;
        p->segment = p->walk.next_index;
        p->offset = 0;
        REQUIRE(walk_enter_segment(&p->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    }
    return OK;
}

/* ---- publishing ----------------------------------------------------------------------------------------------- */

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    const struct publication *p = ctx;
    return ledger_key_sign(p->key, message, signature);
}

static result put_checkpoint(struct publication *p, const tlog_hash root)
{
    struct buf note;
    buf_init(&note, TLOG_NOTE_MAX);
    result r = tlog_checkpoint_sign(&note, &p->verifier, p->tiles->edge.size, root, sign, p);
    if (is_ok(r)) r = tiles_publish(p->tiles, buf_span(&note));
    buf_free(&note);
    p->there = is_ok(r);
    return r;
}

/* The root over what was read back must be the one that was signed when it was committed: of the last frame that was read, where
 * not all was. */
static result publish_to(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    tlog_hash root;
    REQUIRE(tlog_edge_root(&p->tiles->edge, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    *lost = p->tiles->edge.size != (p->paused ? p->walk.next_index : mark->size) ||
            (p->walk.sequence > 0 && memcmp(root, p->walk.header + 96, TLOG_HASH) != 0);
    return *lost ? corrupt() : put_checkpoint(p, root);
}

static result read_to(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    p->reached = mark->size;
    if (!p->tiles) TRY(resume(p));
    p->since = p->tiles->edge.size;
    p->paused = false;
    if (p->tiles->edge.size != mark->size) TRY(read_up_to(p, mark, lost));
    return tiles_settle(p->tiles);
}

/* After an error all begins again, at what the checkpoint says. */
static result unless_failed(struct publication *p, result r)
{
    if (is_ok(r)) return OK;
    tiles_close(p->tiles);
    p->tiles = NULL;
    return r;
}

result publication_read(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    *lost = false;
    return unless_failed(p, read_to(p, mark, lost));
}

result publication_step(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    TRY(publication_read(p, mark, lost));
    if (p->there && p->tiles->published == p->tiles->edge.size) return OK;
    return unless_failed(p, publish_to(p, mark, lost));
}

uint64_t publication_size(const struct publication *p)
{
    return p->tiles ? p->tiles->edge.size : 0;
}

/* ---- recycling ------------------------------------------------------------------------------------------------ */

/* The last two segments stay: a new one may be empty, and the chain goes on from a frame. */
static result find_old(struct publication *p)
{
    struct segments s;
    uint64_t whole = p->tiles->published / TLOG_WIDTH * TLOG_WIDTH;
    if (p->old.there || p->recycled == p->segment) return OK;
    TRY(segments_list(p->directory, &s));
    p->old.there = s.count > 2 && s.first[1] <= whole;
    if (p->old.there) p->old.first = p->old.checked = s.first[0], p->old.next = s.first[1];
    else p->recycled = p->segment;
    mem_free(s.first);
    return OK;
}

/* To be used again: a disk that is told of every freed block (`discard`) can be busy for 20 ms with a removed segment's, and so long
 * the commits would wait. Where two wait already nobody needs it, and it goes piece by piece, but not under its name: a segment that
 * is too short is damage. */
static result retire(const struct publication *p, const char *path)
{
    char other[PATH_BYTES];
    for (unsigned i = 0; i < SPARE_COUNT; i++) {
        TRY(layout_path(other, p->directory, SPARE_OLD, i));
        if (!os_exists(other)) return os_rename(path, other);
    }
    TRY(layout_path(other, p->directory, SPARE_GOING));
    TRY(os_rename(path, other));
    return os_remove_gently(other);
}

static result remove_old(struct publication *p)
{
    char path[PATH_BYTES];
    p->old.there = false;
    TRY(layout_path(path, p->directory, SEGMENT_NAME, (unsigned long long)p->old.first));
    atomic_store(&p->removed, p->old.next);
    return retire(p, path);
}

result publication_recycle(struct publication *p, uint64_t bundles, bool *more)
{
    *more = false;
    if (!p->tiles || !p->there) return OK;
    TRY(find_old(p));
    *more = p->old.there;
    if (!p->old.there) return OK;
    uint64_t left = p->old.next - p->old.checked, part = bundles * TLOG_WIDTH;
    uint64_t to = left > part ? p->old.checked + part : p->old.next;
    TRY(tiles_read_back(p->tiles->root, p->old.checked, to, &p->room));
    p->old.checked = to;
    return to == p->old.next ? remove_old(p) : OK;
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

static result open_steps(struct publication *p, const struct ledger *l, const struct ledger_key *key)
{
    ledger_mark(l, &p->opened);
    ledger_walk(l, &p->at_opening);
    p->directory = mem_strdup(ledger_directory(l));
    p->window = os_aligned_alloc(WINDOW_BYTES);
    REQUIRE(p->directory && p->window, ERROR_LIMIT, ENOMEM);
    TRY(node_read(p->directory, &p->node));
    p->verifier = tlog_of(&p->node.verifier);
    p->key = key;
    return OK;
}

result publication_open(const struct ledger *l, const struct ledger_key *key, struct publication **out)
{
    struct publication *p = mem_alloc(sizeof *p);
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    p->recycled = UINT64_MAX;
    result r = open_steps(p, l, key);
    if (!is_ok(r)) {
        publication_close(p);
        return r;
    }
    *out = p;
    return OK;
}

void publication_close(struct publication *p)
{
    if (!p) return;
    tiles_close(p->tiles);
    os_aligned_free(p->window);
    tiles_room_free(&p->room);
    mem_free(p->directory);
    mem_free(p);
}

result ledger_publish(const struct ledger *l, const struct ledger_key *key)
{
    struct publication *p = NULL;
    struct ledger_mark mark;
    bool lost;
    TRY(publication_open(l, key, &p));
    ledger_mark(l, &mark);
    result r = publication_step(p, &mark, &lost);
    publication_close(p);
    return r;
}
