/* Entries by their indices: from the published bundles, and what is not published yet by reading on from its segment. */
#include "ledger/tiles.h"
#include <errno.h>

struct ledger_fetch {
    uint32_t magic;
    char *directory;
    char root[PATH_BYTES];
    struct buf bundle;
    bool held;
    uint64_t number; /* of the bundle held */
    unsigned width;  /* entries in it */
};
#define FETCH_MAGIC 0x66657463u

result ledger_fetch_open(const char *directory, struct ledger_fetch **out)
{
    struct ledger_fetch *f = mem_alloc(sizeof *f);
    REQUIRE(f, ERROR_LIMIT, ENOMEM);
    *f = (struct ledger_fetch){.magic = FETCH_MAGIC, .directory = mem_strdup(directory)};
    result r = f->directory ? tiles_root(f->root, directory) : FAIL(ERROR_LIMIT, ENOMEM);
    if (!is_ok(r)) {
        ledger_fetch_close(f);
        return r;
    }
    *out = f;
    return OK;
}

void ledger_fetch_close(struct ledger_fetch *f)
{
    if (!f) return;
    MAGIC_CHECK(f, FETCH_MAGIC);
    if (f->held) buf_free(&f->bundle);
    mem_free(f->directory);
    f->magic = 0;
    mem_free(f);
}

static result hold(struct ledger_fetch *f, uint64_t number, unsigned width)
{
    struct tlog_tile tile = {.entries = true, .index = number, .width = width};
    if (f->held) buf_free(&f->bundle);
    f->held = false;
    TRY(tiles_read(f->root, &tile, &f->bundle));
    f->held = true;
    f->number = number;
    f->width = width;
    return OK;
}

static result from_bundle(struct ledger_fetch *f, uint64_t index, span *leaf)
{
    uint64_t number = index / TLOG_WIDTH;
    unsigned place = (unsigned)(index % TLOG_WIDTH);
    if (!f->held || f->number != number || f->width <= place) {
        result r = hold(f, number, TLOG_WIDTH); /* whole, or as much as is needed */
        if (!is_ok(r)) TRY(hold(f, number, place + 1));
    }
    span rest = buf_span(&f->bundle);
    for (unsigned i = 0; i <= place; i++) REQUIRE(tlog_bundle_next(&rest, leaf), ERROR_INTERNAL, LEDGER_E_CORRUPT);
    return OK;
}

struct catching {
    uint64_t index;
    ledger_entry_fn *each;
    void *ctx;
    bool found;
};

static result catch_one(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct catching *c = ctx;
    if (index != c->index) return OK;
    c->found = true;
    TRY(c->each(c->ctx, index, json, frame));
    return FAIL(ERROR_CLOSED, 0);
}

static result from_segment(struct ledger_fetch *f, uint64_t index, ledger_entry_fn *each, void *ctx)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    struct catching c = {index, each, ctx, false};
    TRY(ledger_reader_open(f->directory, index, &reader));
    result r = ledger_reader_read(reader, catch_one, &c, &problem);
    ledger_reader_close(reader);
    if (c.found && r.class == ERROR_CLOSED && r.code == 0) return OK;
    TRY(r);
    return FAIL(ERROR_CONFIG, LEDGER_E_MISSING);
}

result ledger_fetch(struct ledger_fetch *f, uint64_t index, ledger_entry_fn *each, void *ctx)
{
    span leaf = span_of(NULL, 0);
    MAGIC_CHECK(f, FETCH_MAGIC);
    result r = from_bundle(f, index, &leaf);
    if (!is_ok(r)) return from_segment(f, index, each, ctx);
    return each(ctx, index, leaf, NULL);
}

result ledger_published(const char *directory, const struct ledger_verifier *v, uint64_t *size, uint8_t root[32])
{
    struct expectation e;
    bool ours;
    TRY(published_expect(directory, v, &e, &ours));
    REQUIRE(ours, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    REQUIRE(e.there, ERROR_CONFIG, LEDGER_E_UNPUBLISHED);
    *size = e.size;
    memcpy(root, e.root, 32);
    return OK;
}

result ledger_root_at(const char *directory, uint64_t size, uint8_t root[32])
{
    char place[PATH_BYTES];
    struct tlog_edge *edge = mem_alloc(sizeof *edge);
    REQUIRE(edge, ERROR_LIMIT, ENOMEM);
    result r = tiles_root(place, directory);
    if (is_ok(r)) r = tiles_edge(place, size, edge);
    if (is_ok(r) && !tlog_edge_root(edge, root)) r = FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    mem_free(edge);
    return r;
}
