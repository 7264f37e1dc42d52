#include "tlog/own.h"

unsigned tlog_node_place(unsigned height, uint64_t index, unsigned *level, uint64_t *tile, unsigned *from)
{
    unsigned rest = height % TLOG_HEIGHT;
    uint64_t first = index << rest;
    *level = height / TLOG_HEIGHT;
    *tile = first / TLOG_WIDTH;
    *from = (unsigned)(first % TLOG_WIDTH);
    return rest;
}

/* Largest power of two below n; n > 1. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH(D[from:to]); from is a multiple of a power of two that is not below to - from. */
static result range_root(tlog_node_fn *node, void *ctx, uint64_t from, uint64_t to, tlog_hash out)
{
    uint64_t n = to - from;
    bool any = false;
    for (unsigned bit = 0; bit < 64 && n >> bit; bit++) {
        tlog_hash subtree;
        if (!(n >> bit & 1)) continue;
        uint64_t start = from + (n >> bit >> 1 << bit << 1);
        TRY(node(ctx, bit, start >> bit, subtree));
        if (!any)
            memcpy(out, subtree, TLOG_HASH);
        else
            REQUIRE(tlog_hash_node(subtree, out, out), ERROR_INTERNAL, TLOG_E_CRYPTO);
        any = true;
    }
    REQUIRE(any || sha256(span_of(NULL, 0), out), ERROR_INTERNAL, TLOG_E_CRYPTO);
    return OK;
}

result tlog_root(tlog_node_fn *node, void *ctx, uint64_t size, tlog_hash out)
{
    return range_root(node, ctx, 0, size, out);
}

/* Found from the root down, written from the leaf up. */
static void turn_round(struct tlog_path *p)
{
    for (unsigned i = 0; i < p->count / 2; i++) {
        tlog_hash other;
        memcpy(other, p->hashes[i], TLOG_HASH);
        memcpy(p->hashes[i], p->hashes[p->count - 1 - i], TLOG_HASH);
        memcpy(p->hashes[p->count - 1 - i], other, TLOG_HASH);
    }
}

static result push_range(tlog_node_fn *node, void *ctx, uint64_t from, uint64_t to, struct tlog_path *p)
{
    ASSERT(p->count < TLOG_PATH_HASHES);
    return range_root(node, ctx, from, to, p->hashes[p->count++]);
}

result tlog_prove_inclusion(tlog_node_fn *node, void *ctx, uint64_t index, uint64_t size, struct tlog_path *out)
{
    uint64_t from = 0, to = size;
    ASSERT(index < size);
    out->count = 0;
    while (to - from > 1) {
        uint64_t middle = from + split_of(to - from);
        if (index < middle) {
            TRY(push_range(node, ctx, middle, to, out));
            to = middle;
        } else {
            TRY(push_range(node, ctx, from, middle, out));
            from = middle;
        }
    }
    turn_round(out);
    return OK;
}

result tlog_prove_consistency(tlog_node_fn *node, void *ctx, uint64_t old, uint64_t size, struct tlog_path *out)
{
    uint64_t from = 0, to = size;
    bool whole = true; /* the old root is one the checker has: it need not be told */
    ASSERT(old <= size);
    out->count = 0;
    if (old == 0) return OK;
    while (old != to) {
        uint64_t middle = from + split_of(to - from);
        if (old <= middle) {
            TRY(push_range(node, ctx, middle, to, out));
            to = middle;
        } else {
            TRY(push_range(node, ctx, from, middle, out));
            from = middle;
            whole = false;
        }
    }
    if (!whole) TRY(push_range(node, ctx, from, to, out));
    turn_round(out);
    return OK;
}

//= RFC9162 2.1.3.2
bool tlog_check_inclusion(
    const struct tlog_path *p, const tlog_hash leaf, uint64_t index, uint64_t size, const tlog_hash root)
{
    if (index >= size) return false;
    uint64_t at = index, last = size - 1;
    tlog_hash r;
    memcpy(r, leaf, TLOG_HASH);
    for (unsigned i = 0; i < p->count; i++) {
        if (last == 0) return false;
        bool left = (at & 1) || at == last;
        if (left ? !tlog_hash_node(p->hashes[i], r, r) : !tlog_hash_node(r, p->hashes[i], r)) return false;
        while (left && !(at & 1) && at != 0)
            at >>= 1, last >>= 1;
        at >>= 1, last >>= 1;
    }
    return last == 0 && memcmp(r, root, TLOG_HASH) == 0;
}

struct climb {
    uint64_t at, last;
    tlog_hash old, now;
};

static bool climb_step(struct climb *c, const tlog_hash sibling)
{
    if (c->last == 0) return false;
    if ((c->at & 1) || c->at == c->last) {
        if (!tlog_hash_node(sibling, c->old, c->old) || !tlog_hash_node(sibling, c->now, c->now)) return false;
        while (!(c->at & 1) && c->at != 0)
            c->at >>= 1, c->last >>= 1;
    } else if (!tlog_hash_node(c->now, sibling, c->now)) {
        return false;
    }
    c->at >>= 1, c->last >>= 1;
    return true;
}

//= RFC9162 2.1.4.2
bool tlog_check_consistency(
    const struct tlog_path *p, uint64_t old, const tlog_hash old_root, uint64_t size, const tlog_hash root)
{
    if (old > size) return false;
    if (old == 0) return p->count == 0;
    if (old == size) return p->count == 0 && memcmp(old_root, root, TLOG_HASH) == 0;
    bool known = (old & (old - 1)) == 0; /* a complete tree stands in the new one as it is */
    struct climb c = {.at = old - 1, .last = size - 1};
    if (!known && p->count == 0) return false;
    memcpy(c.old, known ? old_root : p->hashes[0], TLOG_HASH);
    memcpy(c.now, c.old, TLOG_HASH);
    for (; c.at & 1; c.at >>= 1)
        c.last >>= 1;
    for (unsigned i = known ? 0 : 1; i < p->count; i++)
        if (!climb_step(&c, p->hashes[i])) return false;
    return c.last == 0 && memcmp(c.old, old_root, TLOG_HASH) == 0 && memcmp(c.now, root, TLOG_HASH) == 0;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

#define PROOF_LINE "c2sp.org/tlog-proof@v1"

result tlog_proof_format(struct buf *out, const struct tlog_proof *p)
{
    TRY(buf_printf(out, PROOF_LINE "\nindex %llu\n", (unsigned long long)p->index));
    TRY(format_path(out, &p->path));
    return buf_append(out, p->note);
}

static bool take_numbered(span *s, span word, uint64_t *out)
{
    span line;
    return take_line(s, &line) && span_starts(line, word) && parse_number(span_from(line, word.len), out);
}

bool tlog_proof_parse(span text, struct tlog_proof *out)
{
    span line, s = text;
    if (!take_line(&s, &line) || !span_equal(line, SPAN(PROOF_LINE))) return false;
    if (span_starts(s, SPAN("extra ")) && !take_line(&s, &line)) return false;
    if (!take_numbered(&s, SPAN("index "), &out->index) || !parse_path(&s, &out->path)) return false;
    out->note = s;
    return true;
}

result tlog_extension_format(struct buf *out, const struct tlog_extension *x)
{
    TRY(buf_printf(out, "old %llu\n", (unsigned long long)x->old));
    TRY(format_path(out, &x->path));
    return buf_append(out, x->note);
}

bool tlog_extension_parse(span text, struct tlog_extension *out)
{
    span s = text;
    if (!take_numbered(&s, SPAN("old "), &out->old) || !parse_path(&s, &out->path)) return false;
    out->note = s;
    return out->path.count <= 63;
}
