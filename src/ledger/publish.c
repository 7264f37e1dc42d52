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
    TRY(tiles_open(p->directory, c->size, &p->tiles));
    REQUIRE(tlog_edge_root(&p->tiles->edge, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    if (!p->there || memcmp(root, c->root, TLOG_HASH) == 0) return OK;
    tiles_close(p->tiles);
    p->tiles = NULL;
    return corrupt();
}

static result stand_in_segment(struct publication *p, const struct segments *s, uint64_t index)
{
    size_t i = segments_find(s, index);
    REQUIRE(s->count > 0 && s->first[i] <= index, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    p->segment = s->first[i];
    p->offset = 0;
    REQUIRE(walk_start(&p->walk, &p->node.verifier), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    p->walk.roots = false;
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
    if (!is_ok(r) && r.class != ERROR_LIMIT && first < c->size) r = tiles_open(p->directory, first, &p->tiles);
    return is_ok(r) ? stand_in_segment(p, s, p->tiles->edge.size) : r;
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
    return OK;
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
    struct input in = {.file = &file, .size = end, .window = p->window};
    struct walk_stop stop = walk_segment(&p->walk, &in, p->offset, false, take_frame, p);
    os_direct_close(&file);
    p->offset = stop.offset;
    *lost = stop.end == WALK_CORRUPT || stop.end == WALK_TORN ||
            (stop.fault == LEDGER_FAULT_READ && stop.error.class == ERROR_IO);
    if (stop.end == WALK_STOPPED) return stop.error;
    return *lost ? corrupt() : OK;
}

static result read_up_to(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    while (p->walk.next_index < mark->size) {
        bool last = p->segment == mark->segment;
        TRY(read_part(p, last ? mark->offset : p->node.segment_bytes, lost));
        if (last) break;
        p->segment = p->walk.next_index;
        p->offset = 0;
        REQUIRE(walk_enter_segment(&p->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    }
    return OK;
}

/* ---- publishing ----------------------------------------------------------------------------------------------- */

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    return key_sign(ctx, message, signature);
}

static result put_checkpoint(struct publication *p, const tlog_hash root)
{
    struct buf note;
    buf_init(&note, TLOG_NOTE_MAX);
    result r = tlog_checkpoint_sign(&note, &p->verifier, p->tiles->edge.size, root, sign, p->key);
    if (is_ok(r)) r = tiles_publish(p->tiles, buf_span(&note));
    buf_free(&note);
    p->there = is_ok(r);
    return r;
}

/* The root over what was read back must be the one that was signed when it was committed. */
static result publish_to(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    tlog_hash root;
    if (!p->tiles) TRY(resume(p));
    if (p->there && p->tiles->edge.size == mark->size) return OK;
    TRY(read_up_to(p, mark, lost));
    REQUIRE(tlog_edge_root(&p->tiles->edge, root), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    *lost = p->tiles->edge.size != mark->size ||
            (p->walk.sequence > 0 && memcmp(root, p->walk.header + 96, TLOG_HASH) != 0);
    return *lost ? corrupt() : put_checkpoint(p, root);
}

result publication_step(struct publication *p, const struct ledger_mark *mark, bool *lost)
{
    *lost = false;
    result r = publish_to(p, mark, lost);
    if (is_ok(r)) return OK;
    tiles_close(p->tiles);
    p->tiles = NULL;
    return r;
}

/* ---- recycling ------------------------------------------------------------------------------------------------ */

/* The last two segments stay: a new one may be empty, and the chain goes on from a frame. */
static result recycle_first(struct publication *p, const struct segments *s, size_t i)
{
    char path[PATH_BYTES];
    uint64_t whole = p->tiles->published / TLOG_WIDTH * TLOG_WIDTH;
    if (i + 2 >= s->count || s->first[i + 1] > whole) return FAIL(ERROR_CLOSED, 0);
    TRY(tiles_read_back(p->tiles->root, s->first[i], s->first[i + 1]));
    TRY(layout_path(path, p->directory, SEGMENT_NAME, (unsigned long long)s->first[i]));
    atomic_store(&p->removed, s->first[i + 1]);
    return os_remove(path);
}

result publication_recycle(struct publication *p)
{
    struct segments s;
    if (!p->tiles || !p->there || p->recycled == p->segment) return OK;
    TRY(segments_list(p->directory, &s));
    result r = OK;
    for (size_t i = 0; is_ok(r); i++)
        r = recycle_first(p, &s, i);
    mem_free(s.first);
    if (r.class != ERROR_CLOSED) return r;
    p->recycled = p->segment;
    return OK;
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

static result open_steps(struct publication *p, const char *directory, const struct ledger_key *key)
{
    p->directory = mem_strdup(directory);
    p->window = os_aligned_alloc(WINDOW_BYTES);
    REQUIRE(p->directory && p->window, ERROR_LIMIT, ENOMEM);
    TRY(node_read(directory, &p->node));
    p->verifier = tlog_of(&p->node.verifier);
    return key_copy(key, &p->key);
}

result publication_open(const char *directory, const struct ledger_key *key, struct publication **out)
{
    struct publication *p = mem_alloc(sizeof *p);
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    p->recycled = UINT64_MAX;
    result r = open_steps(p, directory, key);
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
    ledger_key_free(p->key);
    os_aligned_free(p->window);
    mem_free(p->directory);
    mem_free(p);
}

result ledger_publish(const struct ledger *l, const struct ledger_key *key)
{
    struct publication *p = NULL;
    struct ledger_mark mark;
    bool lost;
    TRY(publication_open(ledger_directory(l), key, &p));
    ledger_mark(l, &mark);
    result r = publication_step(p, &mark, &lost);
    publication_close(p);
    return r;
}
