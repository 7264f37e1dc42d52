/* Tiles and proofs against the vectors of the Certificate Transparency reference implementation, and against each other:
 * every proof of every small tree holds, and with any bit changed it does not. */
#include "tlog/tlog.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LEAVES 300u

static const char *const leaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};

/* All nodes of a tree, the slow way. */
struct forest {
    tlog_hash leaf[LEAVES];
};

static result slow_node(void *ctx, unsigned height, uint64_t index, tlog_hash out)
{
    const struct forest *f = ctx;
    tlog_hash left, right;
    if (height == 0) {
        assert_true(index < LEAVES);
        memcpy(out, f->leaf[index], TLOG_HASH);
        return OK;
    }
    TRY(slow_node(ctx, height - 1, 2 * index, left));
    TRY(slow_node(ctx, height - 1, 2 * index + 1, right));
    return tlog_hash_node(left, right, out) ? OK : FAIL(ERROR_INTERNAL, 0);
}

static void fill(struct forest *f, bool reference)
{
    for (unsigned i = 0; i < (reference ? ARRAY_LEN(leaves) : LEAVES); i++) {
        uint8_t bytes[16] = {(uint8_t)i, (uint8_t)(i >> 8)};
        size_t len = reference ? strlen(leaves[i]) / 2 : 2;
        if (reference) assert_true(hex_decode(span_str(leaves[i]), bytes, len));
        assert_true(tlog_hash_leaf(span_of(bytes, len), f->leaf[i]));
    }
}

static void expect_path(const struct tlog_path *p, const char *const *hex)
{
    unsigned n = 0;
    for (; hex[n]; n++) {
        char text[65];
        assert_true(n < p->count);
        hex_encode(span_of(p->hashes[n], TLOG_HASH), text);
        assert_string_equal(text, hex[n]);
    }
    assert_int_equal(n, p->count);
}

#define H01 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define H1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H23 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H4567 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define H4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define H67 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define H0123 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H45 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"

//= RFC6962 2.1.1
static void test_inclusion_proofs_of_the_reference(void **state)
{
    (void)state;
    static const struct {
        uint64_t index, size;
        const char *path[5];
    } cases[] = {{0, 1, {NULL}}, {0, 8, {H1, H23, H4567}}, {5, 8, {H4, H67, H0123}}, {2, 3, {H01}}, {1, 5, {H0, H23, H4}}};
    struct forest f;
    fill(&f, true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tlog_path p;
        assert_true(is_ok(tlog_prove_inclusion(slow_node, &f, cases[i].index, cases[i].size, &p)));
        expect_path(&p, cases[i].path);
    }
}

//= RFC6962 2.1.2
static void test_consistency_proofs_of_the_reference(void **state)
{
    (void)state;
    static const struct {
        uint64_t old, size;
        const char *path[5];
    } cases[] = {{1, 1, {NULL}}, {1, 8, {H1, H23, H4567}}, {6, 8, {H45, H67, H0123}}, {2, 5, {H23, H4}}, {0, 8, {NULL}}};
    struct forest f;
    fill(&f, true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tlog_path p;
        assert_true(is_ok(tlog_prove_consistency(slow_node, &f, cases[i].old, cases[i].size, &p)));
        expect_path(&p, cases[i].path);
    }
}

static void refuse_changed(const struct tlog_path *good, bool (*holds)(const struct tlog_path *, void *), void *ctx)
{
    struct tlog_path p;
    for (unsigned i = 0; i < good->count; i++) {
        p = *good;
        p.hashes[i][i % TLOG_HASH] ^= (uint8_t)(1u << i % 8);
        assert_false(holds(&p, ctx));
    }
    p = *good;
    memset(p.hashes[p.count++], 7, TLOG_HASH);
    assert_false(holds(&p, ctx));
    p = *good;
    if (p.count-- > 0) assert_false(holds(&p, ctx));
}

struct claim {
    const uint8_t *leaf;
    uint64_t from, size;
    tlog_hash old, root;
};

static bool inclusion_holds(const struct tlog_path *p, void *ctx)
{
    const struct claim *c = ctx;
    return tlog_check_inclusion(p, c->leaf, c->from, c->size, c->root);
}

static bool consistency_holds(const struct tlog_path *p, void *ctx)
{
    const struct claim *c = ctx;
    return tlog_check_consistency(p, c->from, c->old, c->size, c->root);
}

//= RFC9162 2.1.3.2
//= RFC9162 2.1.4.2
static void test_every_proof_of_every_small_tree(void **state)
{
    (void)state;
    struct forest f;
    fill(&f, false);
    for (uint64_t size = 1; size <= 33; size++) {
        struct claim c = {.size = size};
        struct tlog_path p;
        assert_true(is_ok(tlog_root(slow_node, &f, size, c.root)));
        for (c.from = 0; c.from < size; c.from++) {
            c.leaf = f.leaf[c.from];
            assert_true(is_ok(tlog_prove_inclusion(slow_node, &f, c.from, size, &p)));
            assert_true(inclusion_holds(&p, &c));
            refuse_changed(&p, inclusion_holds, &c);
            assert_false(tlog_check_inclusion(&p, f.leaf[(c.from + 1) % LEAVES], c.from, size, c.root));
        }
        for (c.from = 1; c.from <= size; c.from++) {
            assert_true(is_ok(tlog_root(slow_node, &f, c.from, c.old)));
            assert_true(is_ok(tlog_prove_consistency(slow_node, &f, c.from, size, &p)));
            assert_true(consistency_holds(&p, &c));
            refuse_changed(&p, consistency_holds, &c);
            c.old[3] ^= 1;
            assert_false(consistency_holds(&p, &c));
        }
    }
}

static result count_tiles(void *ctx, unsigned level, uint64_t index, const tlog_hash *hashes)
{
    unsigned *count = ctx;
    (void)hashes;
    assert_int_equal(level, 0);
    assert_int_equal(index, *count);
    ++*count;
    return OK;
}

/* The edge, kept in tiles, and the tree, made anew from its leaves, have the same roots on the way. */
static void test_the_edge_has_the_roots_of_the_tree(void **state)
{
    (void)state;
    struct forest f;
    struct tlog_edge *e = calloc(1, sizeof *e);
    unsigned tiles = 0;
    assert_non_null(e);
    fill(&f, false);
    for (uint64_t size = 0; size <= LEAVES; size++) {
        tlog_hash slow, edge;
        assert_true(is_ok(tlog_root(slow_node, &f, size, slow)));
        assert_true(tlog_edge_root(e, edge));
        assert_memory_equal(slow, edge, TLOG_HASH);
        if (size < LEAVES) assert_true(is_ok(tlog_edge_add(e, f.leaf[size], count_tiles, &tiles)));
    }
    assert_int_equal(tiles, LEAVES / TLOG_WIDTH);
    free(e);
}

/* The names and widths that the specification gives as examples. */
static void test_names_of_the_specification(void **state)
{
    (void)state;
    char path[TLOG_PATH];
    tlog_tile_path(&(struct tlog_tile){false, 0, 1234067, 256}, path);
    assert_string_equal(path, "tile/0/x001/x234/067");
    tlog_tile_path(&(struct tlog_tile){true, 0, 1234067, 17}, path);
    assert_string_equal(path, "tile/entries/x001/x234/067.p/17");
    tlog_tile_path(&(struct tlog_tile){false, 2, 0, 1}, path);
    assert_string_equal(path, "tile/2/000.p/1");
    tlog_tile_path(&(struct tlog_tile){false, 7, UINT64_MAX, 255}, path);
    assert_string_equal(path, "tile/7/x018/x446/x744/x073/x709/x551/615.p/255");
    assert_int_equal(tlog_tile_width(0, 272, 70000), 256);
    assert_int_equal(tlog_tile_width(0, 273, 70000), 112);
    assert_int_equal(tlog_tile_width(0, 274, 70000), 0);
    assert_int_equal(tlog_tile_width(1, 0, 70000), 256);
    assert_int_equal(tlog_tile_width(1, 1, 70000), 17);
    assert_int_equal(tlog_tile_width(2, 0, 70000), 1);
    assert_int_equal(tlog_tile_width(0, 0, 256), 256);
    assert_int_equal(tlog_tile_width(1, 0, 256), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inclusion_proofs_of_the_reference),
        cmocka_unit_test(test_consistency_proofs_of_the_reference),
        cmocka_unit_test(test_every_proof_of_every_small_tree),
        cmocka_unit_test(test_the_edge_has_the_roots_of_the_tree),
        cmocka_unit_test(test_names_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
