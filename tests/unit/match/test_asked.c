/* What was looked up and was nobody's is asked once more: of whoever is protected by then, and of nothing that was let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "match/world.h"

#define OVERLAY 65536

static const uint8_t key[32] = "the key of a test, no secret.";

struct asking {
    struct world w;
    struct registry_builder *builder;
    struct registry *own; /* the world's is put aside */
    uint8_t *overlay;
    uint64_t position;
};

static void open_asking(struct asking *a)
{
    span image;
    *a = (struct asking){.overlay = aligned_alloc(64, OVERLAY)};
    assert_true(a->overlay && world_open(&a->w));
    memset(a->overlay, 0, OVERLAY);
    assert_true(is_ok(registry_overlay_format(a->overlay, OVERLAY, key)));
    a->builder = registry_builder_new(key, a->w.problems);
    assert_true(is_ok(registry_builder_source(a->builder, "people.jsonl", span_str(world_people))));
    assert_true(is_ok(registry_builder_finish(a->builder, 1, 0, &image)));
    a->own = a->w.registry;
    assert_true(is_ok(registry_open(image, key, a->overlay, &a->w.registry)));
}

static void close_asking(struct asking *a)
{
    registry_close(a->w.registry);
    a->w.registry = a->own;
    registry_builder_free(a->builder);
    world_close(&a->w);
    free(a->overlay);
}

static void change(struct asking *a, enum registry_op op, const char *kind, const char *value)
{
    char text[512];
    struct arena *arena = arena_new(1 << 20);
    struct registry_change c;
    snprintf(text, sizeof text, "{\"op\":\"protect\",\"subject\":\"S-%s\",\"identifiers\":[{\"kind\":\"%s\",\"value\":\"%s\"}],"
        "\"cases\":[{\"id\":\"C\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"pending\"}]}", value, kind, value);
    assert_true(is_ok(registry_change_parse(key, "c", 1, span_str(text), arena, a->w.problems, &c)));
    c.op = op;
    c.position = ++a->position;
    assert_true(is_ok(registry_overlay_apply(a->overlay, &c)));
    arena_free(arena);
}

#define BODY "{\"items\":[{\"aNumber\":\"A087654321\",\"mail\":\"x\"},{\"ssn\":\"219-09-8765\"},{\"note\":\"A012345678\"}]}"

static void read_body(struct asking *a, bool keep)
{
    const struct match_survey *survey;
    world_begin(&a->w, "/list", DOC_JSON);
    if (keep) match_keep_asked(a->w.match);
    struct doc_window all = {.data = (const uint8_t *)BODY, .len = sizeof BODY - 1, .complete = true};
    assert_int_equal(match_feed(a->w.match, &all), DOC_COMPLETE);
    assert_true(is_ok(match_finish(a->w.match, &survey)));
}

static void test_who_is_protected_since(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    read_body(&a, true); /* the last of its numbers is protected already */
    assert_false(match_anybody_since(a.w.match));
    change(&a, REGISTRY_PROTECT, "alien_number", "A011111111");
    assert_false(match_anybody_since(a.w.match));
    change(&a, REGISTRY_SUSPECT, "alien_number", "A087654321");
    assert_false(match_anybody_since(a.w.match));
    change(&a, REGISTRY_PROTECT, "ssn", "219-09-8765");
    assert_true(match_anybody_since(a.w.match));
    close_asking(&a);
}

static void test_what_was_let_go_is_not_asked_about(void **state)
{
    struct asking a;
    uint64_t second = (uint64_t)(strstr(BODY, "{\"ssn") - BODY), third = (uint64_t)(strstr(BODY, "{\"note") - BODY);
    (void)state;
    open_asking(&a);
    read_body(&a, true);
    match_forget_asked(a.w.match, second);
    change(&a, REGISTRY_PROTECT, "alien_number", "A087654321");
    assert_false(match_anybody_since(a.w.match));
    change(&a, REGISTRY_PROTECT, "ssn", "219-09-8765");
    assert_true(match_anybody_since(a.w.match));
    match_forget_asked(a.w.match, third);
    assert_false(match_anybody_since(a.w.match));
    close_asking(&a);
}

static void test_nothing_is_kept_unasked_or_beyond_the_document(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    read_body(&a, true);
    read_body(&a, false);
    change(&a, REGISTRY_PROTECT, "ssn", "219-09-8765");
    assert_false(match_anybody_since(a.w.match));
    close_asking(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_protected_since),
        cmocka_unit_test(test_what_was_let_go_is_not_asked_about),
        cmocka_unit_test(test_nothing_is_kept_unasked_or_beyond_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
