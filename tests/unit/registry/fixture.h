/* Shared by the registry's tests: a key, a builder over text, aligned copies. */
#ifndef TEST_REGISTRY_FIXTURE_H
#define TEST_REGISTRY_FIXTURE_H

#include "registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t test_key[32] UNUSED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

struct built {
    struct problems *problems;
    struct registry_builder *builder;
    span image;
    result outcome;
};

UNUSED static struct built build_named(const char *name, const char *text, uint64_t journal)
{
    struct built b = {.problems = problems_new()};
    assert_non_null(b.problems);
    b.builder = registry_builder_new(test_key, b.problems);
    assert_non_null(b.builder);
    assert_true(is_ok(registry_builder_source(b.builder, name, span_str(text))));
    b.outcome = registry_builder_finish(b.builder, 1760000000, journal, &b.image);
    return b;
}
UNUSED static struct built build_text(const char *text)
{
    return build_named("source.jsonl", text, 0);
}
UNUSED static void built_free(struct built *b)
{
    registry_builder_free(b->builder);
    problems_free(b->problems);
}

UNUSED static struct registry *open_image(span image, const void *overlay)
{
    struct registry *r;
    result opened = registry_open(image, test_key, overlay, &r);
    if (!is_ok(opened)) fail_msg("%s", registry_error_text(opened.code));
    return r;
}

UNUSED static bool is_protected(
    const struct registry *r, enum registry_kind kind, const char *value, const char *system)
{
    struct registry_hit hit = {false, REGISTRY_NO_SUBJECT};
    assert_true(registry_lookup(r, kind, span_str(value), span_str(system), &hit));
    assert_int_equal(hit.protected_, hit.subject != REGISTRY_NO_SUBJECT);
    return hit.protected_;
}

UNUSED static uint64_t handle_of(const char *subject)
{
    uint64_t handle;
    assert_true(registry_subject_handle(test_key, span_str(subject), &handle));
    return handle;
}

#endif
