#include "ledger/tiles.h"
#include <errno.h>

struct ledger_reader {
    uint32_t magic;
    char *directory;
    struct node node;
    uint64_t from;   /* entries before it are passed over */
    uint64_t first;  /* of the segment we stand in */
    uint64_t offset; /* in it */
    struct walk walk;
    uint8_t *window;
    bool behind;        /* in the published entries, before the first segment that is still there */
    uint64_t published; /* next index there */
    bool copy;          /* of the published log alone: there are no segments */
};
#define READER_MAGIC 0x72656164u

static result stand_in_segment(struct ledger_reader *r, uint64_t from)
{
    struct segments s;
    TRY(segments_list(r->directory, &s));
    size_t i = segments_find(&s, from);
    result found = s.count > 0 ? OK : FAIL(ERROR_CONFIG, LEDGER_E_MISSING);
    r->first = s.count > 0 ? s.first[i] : 0;
    mem_free(s.first);
    TRY(found);
    r->offset = 0;
    r->behind = r->first > from;
    r->published = from;
    if (r->behind) return OK;
    REQUIRE(walk_start(&r->walk, &r->node.verifier), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    r->walk.next_index = r->first;
    r->walk.adopt = r->first > 0;
    REQUIRE(r->walk.adopt || walk_enter_segment(&r->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    return OK;
}

/* How much a published log says it holds. Who signed that is looked at by who wants to know (ledger_published). */
static result checkpoint_size(const char *directory, uint64_t *size)
{
    char root[PATH_BYTES];
    struct buf note;
    struct tlog_note n;
    struct tlog_checkpoint c;
    TRY(tiles_root(root, directory));
    TRY(tiles_checkpoint(root, &note));
    bool good = tlog_note_split(buf_span(&note), &n) && tlog_checkpoint_parse(n.text, &c);
    if (good) *size = c.size;
    buf_free(&note);
    REQUIRE(good, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    return OK;
}

bool ledger_is_copy(const char *directory)
{
    char path[PATH_BYTES], root[PATH_BYTES];
    bool whole = !is_ok(layout_path(path, directory, "node.json")) || os_exists(path);
    return !whole && is_ok(tiles_root(root, directory)) && is_ok(layout_path(path, root, CHECKPOINT_NAME)) && os_exists(path);
}

static result stand_in_copy(struct ledger_reader *r, uint64_t from)
{
    uint64_t size;
    TRY(checkpoint_size(r->directory, &size));
    r->published = from < size ? from : size;
    return OK;
}

result ledger_reader_open(const char *directory, uint64_t from, struct ledger_reader **out)
{
    struct ledger_reader *r = mem_alloc(sizeof *r);
    REQUIRE(r, ERROR_LIMIT, ENOMEM);
    *r = (struct ledger_reader){.magic = READER_MAGIC, .from = from};
    r->directory = mem_strdup(directory);
    r->window = os_aligned_alloc(WINDOW_BYTES);
    result e = r->directory && r->window ? OK : FAIL(ERROR_LIMIT, ENOMEM);
    r->copy = is_ok(e) && ledger_is_copy(directory);
    if (is_ok(e) && !r->copy) e = node_read(directory, &r->node);
    if (is_ok(e)) e = r->copy ? stand_in_copy(r, from) : stand_in_segment(r, from);
    if (!is_ok(e)) {
        ledger_reader_close(r);
        return e;
    }
    *out = r;
    return OK;
}

struct delivery {
    struct ledger_reader *reader;
    ledger_entry_fn *each;
    void *ctx;
    const char *file;
};

static result deliver_frame(void *ctx, const struct frame *f, uint64_t offset)
{
    struct delivery *d = ctx;
    struct ledger_frame_view view = {.file = d->file,
        .offset = offset,
        .sequence = f->sequence,
        .first_index = f->first_index,
        .length = f->length,
        .count = f->count,
        .root = frame_root(f)};
    uint64_t index = f->first_index;
    size_t at = 0;
    span leaf;
    for (; frame_next(f, &at, &leaf); index++)
        if (index >= d->reader->from) TRY(d->each(d->ctx, index, leaf, &view));
    return OK;
}

static result read_segment(
    struct ledger_reader *r, bool last, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    char path[PATH_BYTES], name[64];
    struct os_direct file;
    uint64_t size;
    snprintf(name, sizeof name, SEGMENT_NAME, (unsigned long long)r->first);
    TRY(layout_path(path, r->directory, "%s", name));
    TRY(os_direct_open(path, false, &file, &size));
    struct input in = {.file = &file, .size = size, .window = r->window};
    struct delivery d = {r, each, ctx, name};
    struct walk_stop stop = walk_segment(&r->walk, &in, r->offset, last, deliver_frame, &d);
    bool moved = !os_direct_is_at(&file, path);
    os_direct_close(&file);
    r->offset = stop.offset;
    if (stop.end == WALK_STOPPED) return stop.error;
    /* Recycled, and perhaps being used for something else already: how it seemed to end means nothing. */
    REQUIRE(!moved, ERROR_IO, ENOENT);
    if (stop.end != WALK_CORRUPT) return OK;
    if (problem) problem_set(problem, stop.fault, name, stop.offset, r->walk.next_index, 0);
    return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
}

static result deliver_bundle(struct ledger_reader *r, uint64_t end, const struct tlog_tile *tile, span bundle,
    struct delivery *d)
{
    static const uint8_t no_root[TLOG_HASH];
    struct ledger_frame_view view = {
        .file = d->file, .first_index = tile->index * TLOG_WIDTH, .count = tile->width, .root = no_root};
    span rest = bundle, leaf;
    for (uint64_t index = view.first_index; index < end && tlog_bundle_next(&rest, &leaf); index++) {
        if (index < r->published) continue;
        r->published = index + 1;
        view.offset = bundle.len - rest.len - leaf.len - RECORD_HEADER;
        view.length = (uint32_t)(leaf.len + RECORD_HEADER);
        if (index >= r->from) TRY(d->each(d->ctx, index, leaf, &view));
    }
    return OK;
}

/* One bundle of what was published, up to the entry `end`. */
static result read_bundle(
    struct ledger_reader *r, uint64_t end, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    char root[PATH_BYTES], name[TLOG_PATH], file[80];
    struct tlog_tile tile = {.entries = true, .index = r->published / TLOG_WIDTH};
    struct buf bundle;
    tile.width = tlog_tile_width(0, tile.index, end);
    tlog_tile_path(&tile, name);
    snprintf(file, sizeof file, TILES_DIRECTORY "/%s", name);
    TRY(tiles_root(root, r->directory));
    result read = tiles_read(root, &tile, &bundle);
    if (!is_ok(read) && problem) problem_set(problem, LEDGER_FAULT_BUNDLE, file, 0, r->published, 0);
    if (!is_ok(read)) return read.class == ERROR_LIMIT ? read : FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
    struct delivery d = {r, each, ctx, file};
    result done = deliver_bundle(r, end, &tile, buf_span(&bundle), &d);
    buf_free(&bundle);
    return done;
}

/* Entries whose segments were recycled, until the first segment that is still there. */
static result read_published(
    struct ledger_reader *r, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    while (r->behind) {
        uint64_t end = r->first;
        while (r->published < end)
            TRY(read_bundle(r, end, each, ctx, problem));
        TRY(stand_in_segment(r, end));
    }
    return OK;
}

/* All that the copy holds, and later what it was brought up to date with. */
static result read_copy(struct ledger_reader *r, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    uint64_t size;
    TRY(checkpoint_size(r->directory, &size));
    while (r->published < size)
        TRY(read_bundle(r, size, each, ctx, problem));
    return OK;
}

/* The segment after the one we stand in, if there is one by now; it must begin where this one ended. */
static result has_next(struct ledger_reader *r, bool *more, uint64_t *first)
{
    struct segments s;
    TRY(segments_list(r->directory, &s));
    *more = false;
    for (size_t i = 0; i < s.count && !*more; i++) {
        if (s.first[i] <= r->first) continue;
        *more = true;
        *first = s.first[i];
    }
    mem_free(s.first);
    return OK;
}

result ledger_reader_read(struct ledger_reader *r, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    MAGIC_CHECK(r, READER_MAGIC);
    if (problem) *problem = (struct ledger_problem){0};
    if (r->copy) return read_copy(r, each, ctx, problem);
    for (;;) {
        bool more;
        uint64_t first = 0;
        TRY(read_published(r, each, ctx, problem));
        TRY(has_next(r, &more, &first));
        result read = read_segment(r, !more, each, ctx, problem);
        bool gone = read.class == ERROR_IO && read.code == ENOENT;
        if (gone) { /* recycled under our hands: what it held is published */
            TRY(stand_in_segment(r, r->walk.next_index));
            continue;
        }
        TRY(read);
        if (!more) return OK;
        if (first != r->walk.next_index) {
            if (problem) problem_set(problem, LEDGER_FAULT_GAP, "wal", 0, r->walk.next_index, 0);
            return FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT);
        }
        r->first = first;
        r->offset = 0;
        REQUIRE(walk_enter_segment(&r->walk), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    }
}

uint64_t ledger_reader_next(const struct ledger_reader *r)
{
    return r->behind || r->copy ? r->published : r->walk.next_index;
}

void ledger_reader_close(struct ledger_reader *r)
{
    if (!r) return;
    MAGIC_CHECK(r, READER_MAGIC);
    r->magic = 0;
    mem_free(r->directory);
    os_aligned_free(r->window);
    mem_free(r);
}
