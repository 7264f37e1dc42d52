/* Proofs for strangers, from the published log alone. */
#include "ledger/tiles.h"
#include <errno.h>

/* The newest checkpoint, and the tiles under it. */
struct published {
    char root[PATH_BYTES];
    struct buf note;
    struct tlog_checkpoint checkpoint;
    struct tiles_nodes nodes;
};

static result open_checkpoint(struct published *p, const char *directory, const struct ledger_verifier *v)
{
    struct tlog_verifier key = tlog_of(v);
    TRY(tiles_root(p->root, directory));
    result r = tiles_checkpoint(p->root, &p->note);
    REQUIRE(is_ok(r) || r.class != ERROR_IO || r.code != ENOENT, ERROR_CONFIG, LEDGER_E_UNPUBLISHED);
    TRY(r);
    REQUIRE(tlog_checkpoint_open(buf_span(&p->note), &key, &p->checkpoint), ERROR_INTERNAL, LEDGER_E_CORRUPT);
    tiles_nodes_init(&p->nodes, p->root, p->checkpoint.size);
    return OK;
}

/* A tile that is not there is damage, whatever the kernel calls it. */
static result as_damage(result r)
{
    return r.class == ERROR_IO && r.code == ENOENT ? FAIL(ERROR_INTERNAL, LEDGER_E_CORRUPT) : r;
}

static result prove_inclusion(struct published *p, uint64_t index, struct buf *out)
{
    struct tlog_proof proof = {.index = index, .note = buf_span(&p->note)};
    tlog_hash leaf;
    TRY(tlog_prove_inclusion(tiles_node, &p->nodes, index, p->checkpoint.size, &proof.path));
    TRY(tiles_node(&p->nodes, 0, index, leaf));
    bool holds = tlog_check_inclusion(&proof.path, leaf, index, p->checkpoint.size, p->checkpoint.root);
    REQUIRE(holds, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    return tlog_proof_format(out, &proof);
}

static result prove_consistency(struct published *p, uint64_t old, struct buf *out)
{
    struct tlog_extension x = {.old = old, .note = buf_span(&p->note)};
    tlog_hash root;
    TRY(tlog_prove_consistency(tiles_node, &p->nodes, old, p->checkpoint.size, &x.path));
    TRY(tlog_root(tiles_node, &p->nodes, old, root));
    bool holds = tlog_check_consistency(&x.path, old, root, p->checkpoint.size, p->checkpoint.root);
    REQUIRE(holds, ERROR_INTERNAL, LEDGER_E_CORRUPT);
    return tlog_extension_format(out, &x);
}

typedef result prove_fn(struct published *p, uint64_t number, struct buf *out);

static result prove(const char *directory, const struct ledger_verifier *v, prove_fn *how, uint64_t number,
    uint64_t beyond, struct buf *out, uint64_t *size)
{
    struct published *p = mem_alloc(sizeof *p);
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    *size = 0;
    result r = open_checkpoint(p, directory, v);
    if (is_ok(r)) *size = p->checkpoint.size;
    if (is_ok(r) && number >= *size + beyond) r = FAIL(ERROR_LIMIT, ERANGE);
    if (is_ok(r)) r = as_damage(how(p, number, out));
    tiles_nodes_free(&p->nodes);
    buf_free(&p->note);
    mem_free(p);
    return r;
}

result ledger_prove_inclusion(
    const char *directory, const struct ledger_verifier *v, uint64_t index, struct buf *out, uint64_t *size)
{
    return prove(directory, v, prove_inclusion, index, 0, out, size);
}

result ledger_prove_consistency(
    const char *directory, const struct ledger_verifier *v, uint64_t old, struct buf *out, uint64_t *size)
{
    return prove(directory, v, prove_consistency, old, 1, out, size);
}
