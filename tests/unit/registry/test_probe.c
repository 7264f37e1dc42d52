/* Looking up, against a list searched one by one; files that are damaged; what a thief of the disk finds.
 *
 *= 8USC1367 a(2) */
#include "registry/fixture.h"

#include <stdlib.h>

#define PERSONS 20000
#define RANDOM_KEYS 200000
#define MISSES 1000000

static uint64_t random_state = 0x9E3779B97F4A7C15u;
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* The oracle: sorted texts "kind/system/canonical", searched by bsearch of the C library. */
struct entry {
    char text[64];
    bool protected_;
};
struct oracle {
    struct entry *entries;
    size_t count;
};
static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->text, ((const struct entry *)b)->text);
}
static bool oracle_has(const struct oracle *o, const char *text)
{
    struct entry key;
    snprintf(key.text, sizeof key.text, "%.63s", text);
    return bsearch(&key, o->entries, o->count, sizeof key, compare_entries) != NULL;
}
static void oracle_add(struct oracle *o, const char *kind, const char *value)
{
    snprintf(o->entries[o->count++].text, sizeof o->entries->text, "%s/%s", kind, value);
}

/* Values in their canonical form, so that the oracle needs none of our code. Odd persons are denied_final. */
static void append_person(struct buf *source, struct oracle *o, unsigned i)
{
    char a[16], receipt[16], ssn[16], id[16];
    snprintf(a, sizeof a, "%09u", (unsigned)(next_random() % 999999999 + 1));
    snprintf(receipt, sizeof receipt, "EAC%010llu", (unsigned long long)(next_random() % 10000000000u));
    snprintf(ssn, sizeof ssn, "%03u%02u%04u", (unsigned)(next_random() % 665 + 1), (unsigned)(next_random() % 99 + 1),
        (unsigned)(next_random() % 9999 + 1));
    snprintf(id, sizeof id, "%u", (unsigned)(next_random() % 90000000 + 10000000));
    assert_true(is_ok(buf_printf(source,
        "{\"subject\":\"S%u\",\"cases\":[{\"status\":\"%s\"}],\"identifiers\":["
        "{\"kind\":\"alien_number\",\"value\":\"A%s\"},{\"kind\":\"receipt_number\",\"value\":\"%s\"},"
        "{\"kind\":\"ssn\",\"value\":\"%s\"},{\"kind\":\"person_id\",\"value\":\"%s\",\"system\":\"earm\"}]}\n",
        i, i % 2 ? "denied_final" : "pending", a, receipt, ssn, id)));
    if (i % 2) return;
    oracle_add(o, "alien_number", a);
    oracle_add(o, "receipt_number", receipt);
    oracle_add(o, "ssn", ssn);
    oracle_add(o, "person_id", id);
}

struct world {
    struct problems *problems;
    struct registry_builder *builder;
    struct registry *registry;
    struct oracle oracle;
    span image;
    struct buf source;
};

static int make_world(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    w->oracle.entries = mem_array((size_t)PERSONS * 2, sizeof *w->oracle.entries);
    buf_init(&w->source, (size_t)64 << 20);
    for (unsigned i = 0; i < PERSONS; i++)
        append_person(&w->source, &w->oracle, i);
    qsort(w->oracle.entries, w->oracle.count, sizeof *w->oracle.entries, compare_entries);
    w->problems = problems_new();
    w->builder = registry_builder_new(test_key, w->problems);
    assert_true(is_ok(registry_builder_source(w->builder, "s.jsonl", buf_span(&w->source))));
    assert_true(is_ok(registry_builder_finish(w->builder, 1, 0, &w->image)));
    w->registry = open_image(w->image, NULL);
    *state = w;
    return 0;
}
static int free_world(void **state)
{
    struct world *w = *state;
    registry_close(w->registry);
    registry_builder_free(w->builder);
    problems_free(w->problems);
    buf_free(&w->source);
    mem_free(w->oracle.entries);
    mem_free(w);
    return 0;
}

static struct registry_key key_of(enum registry_kind kind, const char *value)
{
    return (struct registry_key){
        kind, kind == REGISTRY_PERSON_ID ? registry_system_id(SPAN("earm")) : 0, span_str(value)};
}

static void test_every_key_is_found(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < w->oracle.count; i++) {
        const char *text = w->oracle.entries[i].text, *slash = strchr(text, '/');
        int kind = registry_kind_from(span_of(text, (size_t)(slash - text)));
        struct registry_key key = key_of((enum registry_kind)kind, slash + 1);
        struct registry_hit hit;
        registry_probe(w->registry, &key, 1, &hit);
        if (!hit.protected_ || hit.subject == REGISTRY_NO_SUBJECT) fail_msg("%s is not found", text);
    }
}

/* Half of the random keys are near those of the list: batches of every size, each answer as the list has it. */
static void test_random_keys_in_batches(void **state)
{
    const struct world *w = *state;
    char values[61][16], text[96];
    struct registry_key keys[61];
    struct registry_hit hits[61];
    const char *const names[] = {"alien_number", "receipt_number", "ssn", "person_id"};
    const enum registry_kind kinds[] = {
        REGISTRY_ALIEN_NUMBER, REGISTRY_RECEIPT_NUMBER, REGISTRY_SSN, REGISTRY_PERSON_ID};
    for (size_t done = 0, n; done < RANDOM_KEYS; done += n) {
        n = next_random() % 61 + 1;
        for (size_t i = 0; i < n; i++) {
            const char *near = w->oracle.entries[next_random() % w->oracle.count].text;
            snprintf(values[i], sizeof values[i], "%.15s", strchr(near, '/') + 1);
            size_t k = next_random() % 4;
            if (next_random() % 2 && is_digit((uint8_t)values[i][8])) values[i][8] = (char)('0' + next_random() % 10);
            keys[i] = key_of(kinds[k], values[i]);
        }
        registry_probe(w->registry, keys, n, hits);
        for (size_t i = 0; i < n; i++) {
            size_t k = keys[i].kind == REGISTRY_ALIEN_NUMBER     ? 0
                       : keys[i].kind == REGISTRY_RECEIPT_NUMBER ? 1
                       : keys[i].kind == REGISTRY_SSN            ? 2
                                                                 : 3;
            snprintf(text, sizeof text, "%s/%.15s", names[k], values[i]);
            if (hits[i].protected_ != oracle_has(&w->oracle, text)) fail_msg("%s: %d", text, hits[i].protected_);
        }
    }
}

/* 48 bits of fingerprint: a million misses must not hit once. */
static void test_no_false_positive(void **state)
{
    const struct world *w = *state;
    char values[16][16];
    struct registry_key keys[16];
    struct registry_hit hits[16];
    for (unsigned i = 0; i < MISSES; i += 16) {
        for (unsigned j = 0; j < 16; j++) {
            snprintf(values[j], sizeof values[j], "LIN%010u", i + j); /* the list has EAC only */
            keys[j] = key_of(REGISTRY_RECEIPT_NUMBER, values[j]);
        }
        registry_probe(w->registry, keys, 16, hits);
        for (unsigned j = 0; j < 16; j++)
            assert_false(hits[j].protected_);
    }
}

static void test_other_system_is_another_key(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < w->oracle.count; i++) {
        const char *text = w->oracle.entries[i].text;
        if (strncmp(text, "person_id/", 10) != 0) continue;
        struct registry_key key = key_of(REGISTRY_PERSON_ID, text + 10);
        key.system = registry_system_id(SPAN("eid"));
        struct registry_hit hit;
        registry_probe(w->registry, &key, 1, &hit);
        assert_false(hit.protected_);
    }
}

/* Neither numbers nor names stand in the file: plain, hex, or base64 at any of its three alignments. */
static void assert_absent(span image, span value, const char *what)
{
    if (span_search(image, value) != image.len) fail_msg("%s: \"%.*s\" stands in the image", what, SPAN_FMT(value));
}
static void assert_value_absent(span image, const char *value)
{
    char hex[64], base64[64];
    assert_absent(image, span_str(value), "plain");
    hex_encode(span_str(value), hex);
    assert_absent(image, span_str(hex), "hex");
    for (size_t shift = 0; shift < 3; shift++) {
        span part = span_from(span_str(value), shift);
        part.len -= part.len % 3;
        base64_encode(part, base64);
        assert_absent(image, span_str(base64), "base64");
    }
}
static void test_no_value_in_the_image(void **state)
{
    const struct world *w = *state;
    /* Every 400th: a search of the whole image for each of 40,000 values, five times, would take minutes. */
    for (size_t i = 0; i < w->oracle.count; i += 400)
        assert_value_absent(w->image, strchr(w->oracle.entries[i].text, '/') + 1);
    assert_value_absent(w->image, "alien_number");
    assert_value_absent(w->image, "pending");
}

/* Every value of a small source, in full. */
static void test_no_value_in_a_small_image(void **state UNUSED)
{
    struct built b = build_text(
        "{\"subject\":\"SUBJECT-000001\",\"cases\":[{\"id\":\"CASE-000077\",\"status\":\"pending\",\"recorded\":\"2026-"
        "10-01\"}],"
        "\"names\":[{\"given\":\"Mariana\",\"surname\":\"Lopezada\"}],\"dob\":\"1987-03-04\",\"identifiers\":["
        "{\"kind\":\"alien_number\",\"value\":\"A012345678\"},{\"kind\":\"passport\",\"value\":\"G12345678\"},"
        "{\"kind\":\"person_id\",\"value\":\"90210017\",\"system\":\"earmsystem\"}]}");
    static const char *const values[] = {"SUBJECT-000001", "CASE-000077", "2026-10-01", "Mariana", "Lopezada",
        "1987-03-04", "19870304", "A012345678", "012345678", "G12345678", "90210017", "earmsystem"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_value_absent(b.image, values[i]);
    built_free(&b);
}

/* ---- files that are not as they should be ---- */

static int open_code(span image, const uint8_t key[32])
{
    struct registry *r;
    result opened = registry_open(image, key, NULL, &r);
    registry_close(r);
    return opened.code;
}

static void test_flipped_bytes_are_refused(void **state UNUSED)
{
    struct built b = build_text("{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"ssn\",\"value\":\"123-45-6789\"}]}");
    uint8_t *copy = mem_copy(b.image.ptr, b.image.len);
    for (size_t i = 0; i < b.image.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            int code = open_code(span_of(copy, b.image.len), test_key);
            if (code != (i < 8 ? REGISTRY_NOT_INDEX : REGISTRY_DAMAGED)) fail_msg("byte %zu bit %d: %d", i, bit, code);
            copy[i] ^= (uint8_t)(1 << bit);
        }
    assert_int_equal(open_code(span_of(copy, b.image.len), test_key), 0);
    mem_free(copy);
    built_free(&b);
}

static void test_truncated_files_are_refused(void **state)
{
    const struct world *w = *state;
    for (size_t len = 0; len < w->image.len; len += 512)
        assert_int_equal(
            open_code(span_of(w->image.ptr, len), test_key), len < 256 ? REGISTRY_NOT_INDEX : REGISTRY_DAMAGED);
    assert_int_equal(open_code(span_of(w->image.ptr, w->image.len - 1), test_key), REGISTRY_DAMAGED);
    uint8_t *longer = mem_alloc(w->image.len + 1);
    memcpy(longer, w->image.ptr, w->image.len);
    assert_int_equal(open_code(span_of(longer, w->image.len + 1), test_key), REGISTRY_DAMAGED);
    mem_free(longer);
}

static void test_another_key_is_refused(void **state)
{
    const struct world *w = *state;
    uint8_t other[32];
    for (size_t i = 0; i < 32; i++) {
        memcpy(other, test_key, 32);
        other[i] ^= 0x80;
        assert_int_equal(open_code(w->image, other), REGISTRY_WRONG_KEY);
    }
}

static void test_open_out_of_memory(void **state)
{
    const struct world *w = *state;
    struct registry *r;
    fault_arm("malloc", 1);
    result opened = registry_open(w->image, test_key, NULL, &r);
    fault_arm("malloc", 0);
    assert_int_equal(opened.class, ERROR_LIMIT);
    assert_null(r);
}

/* Many subjects of one key: all of them are listed, each once. */
static void test_key_of_many_subjects(void **state UNUSED)
{
    struct buf source;
    buf_init(&source, 1 << 20);
    for (int i = 0; i < 1000; i++)
        assert_true(is_ok(buf_printf(&source,
            "{\"subject\":\"S%d\",\"identifiers\":[{\"kind\":\"ssn\",\"value\":\"123-45-6789\"}]}\n", i % 500)));
    assert_true(is_ok(buf_append(&source, span_of("", 1))));
    struct built b = build_text((const char *)buf_span(&source).ptr);
    assert_true(is_ok(b.outcome));
    struct registry *r = open_image(b.image, NULL);
    struct registry_key key = {REGISTRY_SSN, 0, SPAN("123456789")};
    uint64_t subjects[600];
    assert_int_equal(registry_subjects(r, &key, subjects, 600), 500);
    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "S%d", i);
        size_t found = 0;
        for (int j = 0; j < 500; j++)
            found += subjects[j] == handle_of(name);
        assert_int_equal(found, 1);
    }
    registry_close(r);
    built_free(&b);
    buf_free(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_found),
        cmocka_unit_test(test_random_keys_in_batches),
        cmocka_unit_test(test_no_false_positive),
        cmocka_unit_test(test_other_system_is_another_key),
        cmocka_unit_test(test_no_value_in_the_image),
        cmocka_unit_test(test_no_value_in_a_small_image),
        cmocka_unit_test(test_flipped_bytes_are_refused),
        cmocka_unit_test(test_truncated_files_are_refused),
        cmocka_unit_test(test_another_key_is_refused),
        cmocka_unit_test(test_open_out_of_memory),
        cmocka_unit_test(test_key_of_many_subjects),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
