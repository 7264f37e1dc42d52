/* A source of any content builds an index that opens, or has problems. First byte: 0 JSON Lines, 1 CSV, 2 a changes
 * line, 3 and up an identifier of that kind, which must be canonical in one step. */
#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[32] = {1, 2, 3};

static void build(const char *name, span text)
{
    struct problems *p = problems_new();
    struct registry_builder *b = registry_builder_new(key, p);
    struct registry *r = NULL;
    span image;
    ASSERT(p && b && is_ok(registry_builder_source(b, name, text)));
    result built = registry_builder_finish(b, 1, 0, &image);
    ASSERT(is_ok(built) == (problems_errors(p) == 0));
    if (is_ok(built)) ASSERT(is_ok(registry_open(image, key, NULL, &r)));
    registry_close(r);
    registry_builder_free(b);
    problems_free(p);
}

static void parse_change(span text)
{
    struct problems *p = problems_new();
    struct arena *a = arena_new(1 << 20);
    struct registry_change c;
    result r = registry_change_parse(key, "c", 1, text, a, p, &c);
    ASSERT(is_ok(r) == (problems_errors(p) == 0));
    arena_free(a);
    problems_free(p);
}

/* Folding twice is folding once. */
static void canonicalise(enum registry_kind kind, span text)
{
    uint8_t *once = mem_alloc(text.len + 1), *twice = mem_alloc(text.len + 1), out[REGISTRY_CANONICAL_MAX];
    ASSERT(once && twice);
    size_t n = registry_fold(text, once);
    ASSERT(n <= text.len);
    if (utf8_valid(text)) ASSERT(registry_fold(span_of(once, n), twice) == n && memcmp(once, twice, n) == 0);
    ASSERT(registry_canonical(kind, span_of(once, n), out) <= REGISTRY_CANONICAL_MAX);
    mem_free(once);
    mem_free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    span rest = span_of(data + 1, size - 1);
    if (data[0] == 0)
        build("s.jsonl", rest);
    else if (data[0] == 1)
        build("s.csv", rest);
    else if (data[0] == 2)
        parse_change(rest);
    else
        canonicalise((enum registry_kind)(data[0] % REGISTRY_KIND_COUNT), rest);
    return 0;
}
