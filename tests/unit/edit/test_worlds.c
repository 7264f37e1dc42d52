/* Three worlds, on generated documents: with P in it and withheld = without P, byte for byte; and the removal of nodes
 * from Jansson's tree, a reader by other hands, means the same. */
#include "edit/generate.h"
#include "edit/marked.h"
#include "support.h"
#include <jansson.h>

#define CASES 30000

struct tally {
    unsigned identical, changed, emptied, lines;
};

static bool generate_two(struct arena *arena, uint64_t seed, struct buf *with, struct buf *without)
{
    static const enum generated_world worlds[] = {WORLD_MARKED, WORLD_WANTED};
    struct buf texts[] = {*with, *without};
    enum generated_shape shape = generate_worlds(arena, seed, NULL, worlds, texts, 2);
    *with = texts[0];
    *without = texts[1];
    return shape == SHAPE_LINES;
}

static void compare_one(uint64_t seed, struct arena *arena, struct buf *with, struct buf *without, struct tally *t)
{
    bool lines = generate_two(arena, seed, with, without);
    struct marked *m =
        lines ? marked_lines((const char *)buf_span(with).ptr) : marked_json((const char *)buf_span(with).ptr);
    char *got = marked_edit(m, arena);
    const char *wanted = (const char *)buf_span(without).ptr;
    if (strcmp(got, wanted) != 0)
        fprintf(stderr, "seed %llu\nwith:    %s\nwithout: %s\ngot:     %s\n", (unsigned long long)seed,
            buf_span(with).ptr, wanted, got);
    assert_string_equal(got, wanted);
    bool same = strlen(got) == m->len && memcmp(got, m->text, m->len) == 0;
    t->identical += same;
    t->changed += !same;
    t->lines += lines;
    t->emptied += strstr(got, "[]") != NULL || *got == '\0';
    mem_free(got);
    marked_free(m);
    arena_reset(arena);
}

static void withheld_and_absent_are_the_same_bytes(void **state)
{
    (void)state;
    struct arena *arena = arena_new((size_t)64 << 20);
    struct buf with, without;
    buf_init(&with, 1 << 20);
    buf_init(&without, 1 << 20);
    struct tally t = {0};
    for (uint64_t seed = 1; seed <= CASES; seed++)
        compare_one(seed, arena, &with, &without, &t);
    /* The generator must reach what it is there for. */
    assert_true(t.changed > CASES / 2 && t.identical > CASES / 100 && t.emptied > CASES / 20 && t.lines > CASES / 10);
    buf_free(&with);
    buf_free(&without);
    arena_free(arena);
}

/* ---- Jansson as oracle ------------------------------------------------------------------------------------------ */

/* The plain text with an identical tree: the k-th value in document order is the k-th piece or none. Deletes what the
 * fates say, by walking text and tree together: a piece is found by the offset of its value, which json_loadb does not
 * tell, so each value carries its ordinal in a tree made of the marked text by replacing scalars. */
struct oracle {
    const struct marked *m;
    const uint8_t *fates;
    size_t piece; /* next in document order */
};

static bool is_piece_here(const struct oracle *o, uint32_t container, size_t ordinal)
{
    if (o->piece >= o->m->survey.piece_count) return false;
    const struct match_piece *p = &o->m->pieces[o->piece];
    return p->container == container && p->ordinal == ordinal;
}

static json_t *rebuild(struct oracle *o, const json_t *v, uint32_t *next_container);

/* Containers are numbered in document order by the mark reader, as this walk meets them. */
static void rebuild_child(struct oracle *o, json_t *into, const char *name, const json_t *child, uint32_t container,
    size_t ordinal, uint32_t *next_container)
{
    uint8_t fate = EDIT_KEEP;
    if (is_piece_here(o, container, ordinal)) fate = o->fates[o->piece++];
    json_t *copy = rebuild(o, child, next_container); /* also of what is dropped: the walk must pass it */
    if (fate == EDIT_NULL) {
        json_decref(copy);
        copy = json_null();
    }
    if (fate == EDIT_KEEP || fate == EDIT_NULL) {
        int failed = name ? json_object_set_new(into, name, copy) : json_array_append_new(into, copy);
        assert_int_equal(failed, 0);
    } else
        json_decref(copy);
}

static json_t *rebuild(struct oracle *o, const json_t *v, uint32_t *next_container)
{
    if (!json_is_object(v) && !json_is_array(v)) return json_deep_copy(v);
    uint32_t container = (*next_container)++;
    size_t ordinal = 0;
    json_t *into = json_is_object(v) ? json_object() : json_array();
    if (json_is_object(v)) {
        const char *name;
        json_t *child;
        json_object_foreach((json_t *)(uintptr_t)v, name, child)
            rebuild_child(o, into, name, child, container, ordinal++, next_container);
    } else
        for (; ordinal < json_array_size(v); ordinal++)
            rebuild_child(o, into, NULL, json_array_get(v, ordinal), container, ordinal, next_container);
    return into;
}

/* Jansson keeps the order of members as they stand; counts are compared by the byte test above and left out here. */
static void deleting_nodes_from_a_tree_means_the_same(void **state)
{
    (void)state;
    struct arena *arena = arena_new((size_t)64 << 20);
    struct buf with, without;
    buf_init(&with, 1 << 20);
    buf_init(&without, 1 << 20);
    unsigned compared = 0;
    for (uint64_t seed = 1; seed <= 5000; seed++, arena_reset(arena)) {
        if (generate_two(arena, seed, &with, &without)) continue;
        struct marked *m = marked_json((const char *)buf_span(&with).ptr);
        m->survey.count_count = 0;
        char *got = marked_edit(m, arena);
        json_t *before = json_loadb(m->text, m->len, JSON_REJECT_DUPLICATES, NULL);
        json_t *after = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(before);
        assert_non_null(after);
        struct oracle o = {.m = m, .fates = edit_fates(&m->survey, &m->verdict, arena)};
        uint32_t next_container = 0;
        json_t *wanted = rebuild(&o, before, &next_container);
        assert_int_equal(o.piece, m->survey.piece_count);
        assert_true(json_equal(after, wanted));
        compared++;
        json_decref(before);
        json_decref(after);
        json_decref(wanted);
        mem_free(got);
        marked_free(m);
    }
    assert_true(compared > 3000);
    buf_free(&with);
    buf_free(&without);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(withheld_and_absent_are_the_same_bytes),
        cmocka_unit_test(deleting_nodes_from_a_tree_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
