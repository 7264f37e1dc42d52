/* A pack, a registry and an engine, for tests and fuzzers: the shapes of tests/unit/edit/generate.h as profiles, and a
 * few documents for cases by hand. */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include "engine/engine.h"
#include <stdlib.h>

#define FIXTURE_PROTECTED "A012345678"
#define FIXTURE_SECOND "A000000811"

struct fixture {
    struct problems *problems;
    struct source *source;
    struct rules_set *rules;
    struct registry_builder *builder;
    struct registry *registry;
    const struct rules_profile *profile;
    struct engine *engine;
    struct arena *arena;
    struct engine_limits limits;
};

UNUSED static const char fixture_people[] =
    "{\"subject\":\"S-1\",\"cases\":[{\"id\":\"C-1\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"pending\","
    "\"recorded\":\"2026-10-01\"}],\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A012-345-678\"},"
    "{\"kind\":\"person_id\",\"value\":\"90210017\",\"system\":\"earm\"}]}\n"
    "{\"subject\":\"S-2\",\"cases\":[{\"id\":\"C-2\",\"benefit\":\"T\",\"role\":\"principal\",\"status\":\"approved\","
    "\"recorded\":\"2026-10-01\"}],\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A000000811\"}]}\n";

UNUSED static const char fixture_rules[] =
    "{\"format\":1,\"pack\":\"fixture\",\"version\":\"1\",\"identifiers\":["
    "{\"id\":\"a-number\",\"title\":\"A-number\",\"why\":\"10-domain 2.1\",\"kind\":\"alien_number\","
    "\"pattern\":\"(?<![0-9A-Za-z])A(\\\\d{7,9})(?![0-9A-Za-z])\",\"labels\":[\"arn\"],\"bare\":\"nine_digits\","
    "\"tests\":{\"match\":[\"A012345678\"],\"ignore\":[\"XA012345678\"]}}],\"markers\":["
    "{\"id\":\"coa\",\"title\":\"Class 384\",\"why\":\"10-domain 2.3\",\"values\":[\"384\"],\"labels\":[\"coa\"],"
    "\"strength\":\"definitive\",\"tests\":{\"match\":[{\"coa\":\"384\"}],\"ignore\":[{\"room\":\"384\"}]}},"
    "{\"id\":\"shelter\",\"title\":\"Shelter\",\"why\":\"10-domain 2.7\",\"pattern\":\"(?i)\\\\bshelter\\\\b\","
    "\"literals\":[\"shelter\"],\"strength\":\"suspected\",\"tests\":{\"match\":[\"in a "
    "shelter\"],\"ignore\":[\"sheltered\"]}},"
    "{\"id\":\"advocate\",\"title\":\"Advocate\",\"why\":\"10-domain 2.7\",\"pattern\":\"(?i)\\\\badvocate\\\\b\","
    "\"literals\":[\"advocate\"],\"strength\":\"suspected\",\"tests\":{\"match\":[\"an "
    "advocate\"],\"ignore\":[\"advocates\"]}}],"
    "\"profiles\":[{\"id\":\"p\",\"title\":\"Fixture\",\"system\":\"earm\",\"documents\":[%s,"
    "{\"path\":\"/"
    "list\",\"units\":[\"$.items[*]\",\"$.items[*].associates[*]\",{\"path\":\"$.items[*].spouse\",\"absent\":\"null\"}"
    "],"
    "\"keys\":{\"person_id\":[\"$.items[*].personId\"]},\"counts\":{\"$.total\":\"$.items[*]\"},\"complete\":true,"
    "\"texts\":[\"$.echo\",\"$.items[*].text\"],\"uniform\":[\"$.items[*].notes\"]},"
    "{\"path\":\"/cut\",\"units\":[\"$.items[*]\"],\"counts\":{\"$.total\":\"$.items[*]\"}},"
    "{\"path\":\"/one\",\"units\":[\"$\",\"$.associates[*]\"],\"texts\":[\"$.text\"]},"
    "{\"path\":\"/array\",\"units\":[\"$[*]\"]},"
    "{\"path\":\"/map\",\"units\":[\"$.byNumber.*\"]},"
    "{\"path\":\"/allow\",\"units\":[\"$.items[*]\"],\"allow\":[\"$.items[*].name\",\"$.items[*].address.city\"]},"
    "{\"path\":\"/lines\",\"units\":[\"$\",\"$.associates[*]\"]},"
    "{\"path\":\"/flow\",\"units\":[\"$.items[*]\",{\"path\":\"$.one\",\"absent\":\"null\"}],\"independent\":true,"
    "\"texts\":[\"$.echo\"],\"uniform\":[\"$.notes\",\"$.items[*].notes\"]},"
    "{\"path\":\"/flow/kin\",\"units\":[\"$.items[*]\",\"$.items[*].kin[*].l[*]\"],\"independent\":true},"
    "{\"path\":\"/flow/one\",\"units\":[\"$\"],\"independent\":true},"
    "{\"path\":\"/linked\",\"units\":[\"$.items[*]\",\"$.items[*].with[*]\"],\"keys\":{\"person_id\":[\"$..id\"]},"
    "\"links\":[\"$..to\",\"$..all[*]\"],\"counts\":{\"$.n\":\"$.items[*]\"},\"complete\":true},"
    "{\"path\":\"/graph\",\"units\":[\"$..part[*]\",{\"path\":\"$..spouse\",\"absent\":\"null\"}],"
    "\"graph\":{\"id\":[\"@id\"],\"ref\":[\"ref\"],\"orphans\":[\"charge\"]}},"
    "{\"path\":\"/plain\",\"units\":[]}]}]}";

/* The documents of the generated shapes: lists within lists, a partner and a spouse in each record, counts, texts. */
enum fixture_counts { FIXTURE_COUNTED, FIXTURE_WHOLE, FIXTURE_INDEPENDENT }; /* the others are without counts */
static inline void fixture_shape(
    char *out, size_t size, const char *name, const char *base, bool root_is_unit, enum fixture_counts kind)
{
    char units[4096] = "", counts[2048] = "", texts[2048] = "", path[256];
    snprintf(path, sizeof path, "%s", base);
    for (int level = 0; level <= 4; level++) {
        size_t u = strlen(units), c = strlen(counts), t = strlen(texts);
        if (level > 0 || root_is_unit)
            u += (size_t)snprintf(units + u, sizeof units - u, "%s\"%s\"", u ? "," : "", path);
        u += (size_t)snprintf(units + u, sizeof units - u, "%s\"%s.partner\"", u ? "," : "", path);
        if (level < 3)
            snprintf(units + u, sizeof units - u, ",{\"path\":\"%s.spouse\",\"absent\":\"null\"},\"%s.spouse.partner\"",
                path, path);
        if (level < 4 && kind == FIXTURE_COUNTED)
            snprintf(counts + c, sizeof counts - c, "%s\"%s.n%d\":\"%s.list[*]\"", c ? "," : "", path, level, path);
        else if (level < 4)
            snprintf(counts + c, sizeof counts - c, "%s\"%s.n%d\"", c ? "," : "", path, level);
        t += (size_t)snprintf(texts + t, sizeof texts - t, "%s\"%s.text\"", t ? "," : "", path);
        if (level < 3) snprintf(texts + t, sizeof texts - t, ",\"%s.spouse.text\"", path);
        strcat(path, ".list[*]");
    }
    static const char *const counting[] = {"\"counts\":{%s},\"complete\":true", "\"uniform\":[%s]",
        "\"independent\":true,\"uniform\":[%s]"};
    char numbers[2200];
    snprintf(numbers, sizeof numbers, counting[kind], counts);
    snprintf(out, size, "{\"path\":\"%s\",\"units\":[%s],%s,\"texts\":[%s]}", name, units, numbers, texts);
}

static inline char *fixture_pack(void)
{
    static char all[65536], pack[98304];
    static const char *const folders[] = {"shape", "whole", "stream"};
    size_t used = 0;
    for (int kind = 0; kind < 3; kind++)
        for (int shape = 0; shape < 3; shape++) {
            static const char *const names[] = {"list", "object", "lines"}, *const bases[] = {"$[*]", "$", "$"};
            char name[32], one[8192];
            snprintf(name, sizeof name, "/%s/%s", folders[kind], names[shape]);
            fixture_shape(one, sizeof one, name, bases[shape], shape != 1, (enum fixture_counts)kind);
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? "," : "", one);
        }
    snprintf(pack, sizeof pack, fixture_rules, all);
    return pack;
}

static inline bool fixture_open(struct fixture *f)
{
    static const uint8_t key[32] = "a test's key, that keeps nothing";
    span image;
    *f = (struct fixture){.problems = problems_new(), .limits = {.depth = 64, .record = 1 << 16, .document = 1 << 20}};
    f->source = source_parse("fixture.json", span_str(fixture_pack()), f->problems);
    f->rules = f->source ? rules_load(&f->source, 1, f->problems) : NULL;
    f->builder = registry_builder_new(key, f->problems);
    if (!is_ok(registry_builder_source(f->builder, "people.jsonl", span_str(fixture_people)))) return false;
    if (!is_ok(registry_builder_finish(f->builder, 1, 0, &image))) return false;
    for (size_t i = 0; i < problems_count(f->problems); i++)
        fprintf(stderr, "%s\n", problems_text(f->problems, i));
    if (!f->rules || !is_ok(registry_open(image, key, NULL, &f->registry))) return false;
    f->profile = rules_find_profile(f->rules, SPAN("p"));
    f->engine = engine_new(f->rules, cpu_level());
    f->arena = arena_new((size_t)64 << 20);
    return f->engine && f->arena && f->profile;
}

static inline void fixture_close(struct fixture *f)
{
    arena_free(f->arena);
    engine_free(f->engine);
    registry_close(f->registry);
    registry_builder_free(f->builder);
    rules_free(f->rules);
    source_free(f->source);
    problems_free(f->problems);
}

/* path NULL: unprofiled, inspected. */
static inline struct engine_begin fixture_begin(
    const struct fixture *f, const char *path, const char *media_type, enum recipient_class class)
{
    struct engine_begin b = {.class = class,
        .registry = f->registry,
        .limits = f->limits,
        .media_type = span_str(media_type),
        .arena = f->arena,
        .inspect = path == NULL};
    if (path) {
        b.document = rules_find_document(f->profile, span_str(path));
        ASSERT(b.document);
    }
    return b;
}

/* The bytes that leave, NUL-terminated (body bytes may hold NUL: *len). NULL: unreadable or withheld. */
static inline char *fixture_output(const struct engine_outcome *o, span body, size_t *len)
{
    if (o->unreadable != ENGINE_READABLE || o->verdict.document_withheld) return NULL;
    char *out = mem_alloc(o->edits.length + 1);
    ASSERT(out);
    *len = 0;
    for (size_t i = 0; i < o->edits.count; i++) {
        const struct edit_run *run = &o->edits.runs[i];
        ASSERT(run->out == *len);
        if (!run->literal_len) ASSERT(run->at + run->len <= body.len);
        memcpy(out + *len, run->literal_len ? run->literal : body.ptr + run->at,
            run->literal_len ? run->literal_len : run->len);
        *len += run->literal_len ? run->literal_len : run->len;
    }
    ASSERT(*len == o->edits.length);
    return out;
}

/* Fed whole, in a block of exactly its size. */
static inline struct engine_outcome fixture_run(struct fixture *f, const struct engine_begin *b, span body)
{
    struct engine_outcome o;
    engine_start(f->engine, b);
    engine_finish(f->engine, body, true, &o);
    return o;
}

#endif
