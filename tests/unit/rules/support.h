/* Packs for tests: from text or from a file of the tree. */
#ifndef RULES_TEST_SUPPORT_H
#define RULES_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/rules.h"

struct loaded {
    struct problems *problems;
    struct source *sources[4];
    size_t count;
    struct rules_set *set;
};

/* xorshift64 (Marsaglia 2003): 0 to n - 1, the same ones in each run. */
static UNUSED unsigned roll(unsigned n)
{
    static uint64_t seed = 6364136223846793005ULL;
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

static UNUSED void loaded_free(struct loaded *l)
{
    rules_free(l->set);
    for (size_t i = 0; i < l->count; i++)
        source_free(l->sources[i]);
    problems_free(l->problems);
}

static UNUSED struct loaded load_texts(const char *const *texts, size_t count)
{
    struct loaded l = {.problems = problems_new()};
    assert_non_null(l.problems);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "pack%zu.json", i);
        l.sources[i] = source_parse(name, span_str(texts[i]), l.problems);
        assert_non_null(l.sources[i]);
        l.count++;
    }
    l.set = rules_load(l.sources, l.count, l.problems);
    return l;
}

static UNUSED struct loaded load_text(const char *text)
{
    return load_texts(&text, 1);
}

static UNUSED char *read_whole(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    assert_true(n < (1 << 20) - 1);
    fclose(f);
    return text;
}

static UNUSED void print_problems(const struct loaded *l)
{
    for (size_t i = 0; i < problems_count(l->problems); i++)
        print_message("%s\n", problems_text(l->problems, i));
}

static UNUSED struct loaded load_files(const char *const *paths, size_t count)
{
    char *texts[4] = {0};
    for (size_t i = 0; i < count; i++) {
        texts[i] = read_whole(paths[i]);
        assert_non_null(texts[i]);
    }
    struct loaded l = load_texts((const char *const *)texts, count);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    print_problems(&l);
    return l;
}

#define SHIPPED SOURCE_DIR "/rules/section-1367.json"
#define EXAMPLE SOURCE_DIR "/rules/examples/persons-api.json"

#endif
