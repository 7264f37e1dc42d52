/* Is any of these known? Against registry_probe(), which test_probe.c holds against a list: on every kind of processor,
 * in batches of every size, of keys of every length, and with what live changes protect, release, suspect and clear.
 *
 *= 8USC1367 a(2) */
#include "registry/fixture.h"
#include "registry/ask.h"
#include "registry/overlay.h"

#include <stdlib.h>

#define PERSONS 3000
#define BATCHES 4000
#define TEXT 48
#define OVERLAY ((size_t)1 << 20)

static const enum registry_kind kinds[] = {REGISTRY_ALIEN_NUMBER, REGISTRY_RECEIPT_NUMBER, REGISTRY_PERSON_ID, REGISTRY_EMAIL};

/* Value k of person i, in its canonical form: 9 digits; 13 characters; a surrogate of 8; a long one. */
static struct registry_key value_of(unsigned i, unsigned k, char out[TEXT])
{
    switch (k % 4) {
    case 0: snprintf(out, TEXT, "%09u", i * 7919 + 1); break;
    case 1: snprintf(out, TEXT, "IOE%010u", i * 104729 + 5); break;
    case 2: snprintf(out, TEXT, "%u", 10000000 + i * 31); break;
    default: snprintf(out, TEXT, "somebody.of.long.name.%u@example.org", i);
    }
    uint32_t system = kinds[k % 4] == REGISTRY_PERSON_ID ? registry_system_id(SPAN("earm")) : 0;
    return (struct registry_key){kinds[k % 4], system, span_str(out)};
}

struct world {
    struct built built;
    void *overlay;
    struct registry *registry;
};

static int make_world(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    struct buf source;
    buf_init(&source, 16 << 20);
    for (unsigned i = 0; i < PERSONS; i++) {
        assert_true(is_ok(buf_printf(&source, "{\"subject\":\"S%u\",\"identifiers\":[", i)));
        for (unsigned k = 0; k < 4; k++) {
            char text[TEXT];
            (void)value_of(i, k, text);
            assert_true(is_ok(buf_printf(&source, "%s{\"kind\":\"%s\",\"value\":\"%s\"%s}", k ? "," : "",
                registry_kind_name(kinds[k]), text, k == 2 ? ",\"system\":\"earm\"" : "")));
        }
        assert_true(is_ok(buf_printf(&source, "]}\n")));
    }
    assert_true(is_ok(buf_append(&source, span_of("", 1))));
    w->built = build_text((const char *)buf_span(&source).ptr);
    buf_free(&source);
    assert_true(is_ok(w->built.outcome));
    w->overlay = aligned_alloc(64, OVERLAY);
    memset(w->overlay, 0, OVERLAY);
    assert_true(is_ok(registry_overlay_format(w->overlay, OVERLAY, test_key)));
    w->registry = open_image(w->built.image, w->overlay);
    *state = w;
    return 0;
}
static int free_world(void **state)
{
    struct world *w = *state;
    registry_close(w->registry);
    free(w->overlay);
    built_free(&w->built);
    mem_free(w);
    return 0;
}

/* What this processor lacks cannot be claimed. */
static void each_level(const struct world *w, void (*body)(const struct world *w))
{
    struct secrets *s = (struct secrets *)(uintptr_t)registry_secrets(w->registry);
    enum cpu_level best = cpu_level();
    for (int level = CPU_PORTABLE; level <= (int)best; level++) {
        s->level = (enum cpu_level)level;
        body(w);
    }
    s->level = best;
}

static void ask_somehow(const struct registry *r, struct registry_asks *a, const struct registry_key *key)
{
    struct registry_head head = registry_ask_head(key->kind, key->system);
    if (random() % 2 && registry_ask_fits(head, key->canonical.len))
        registry_ask_short(a, head, key->canonical.ptr, key->canonical.len);
    else
        registry_ask(r, a, key);
}

static size_t idle, bits_of_nobody;

/* `strict`: nothing was ever released, so that a bit of somebody whom the slow way does not know is the filter's mistake. */
static void compare(const struct world *w, unsigned persons, bool strict)
{
    static struct registry_asks asks;
    static char text[REGISTRY_ASKS][TEXT];
    struct registry_key keys[REGISTRY_ASKS];
    struct registry_hit hits[REGISTRY_ASKS];
    size_t n = (size_t)random() % (REGISTRY_ASKS + 1);
    for (size_t i = 0; i < n; i++) {
        keys[i] = value_of((unsigned)random() % persons, (unsigned)random() % 4, text[i]);
        ask_somehow(w->registry, &asks, &keys[i]);
    }
    registry_probe(w->registry, keys, n, hits);
    uint64_t any = registry_any(w->registry, &asks);
    for (size_t i = 0; i < n; i++) {
        struct registry_hit alone;
        bool bit = any >> i & 1;
        registry_probe(w->registry, &keys[i], 1, &alone); /* by itself a key is looked up without the filter */
        if (alone.protected_ != hits[i].protected_ || alone.subject != hits[i].subject) fail_msg("%s: %d alone", text[i], alone.protected_);
        if (alone.protected_ && !bit) fail_msg("%s is missed", text[i]);
        idle += strict && !alone.protected_;
        bits_of_nobody += strict && bit && !alone.protected_;
    }
    assert_true(n == REGISTRY_ASKS || any >> n == 0);
    registry_asks_empty(&asks);
}

/* One in 180 is expected to pass; the keys are always the same. */
static void compare_often(const struct world *w)
{
    idle = bits_of_nobody = 0;
    for (int i = 0; i < BATCHES; i++)
        compare(w, 4 * PERSONS, true);
    assert_true(idle > 50000);
    if (bits_of_nobody * 100 > idle) fail_msg("%zu of %zu pass", bits_of_nobody, idle);
}

static void test_as_the_slow_way(void **state) { each_level(*state, compare_often); }

/* The keys that are not where they belong are asked for too: none of all is missed. */
static void find_all(const struct world *w)
{
    struct registry_asks asks = {0};
    char text[TEXT];
    for (unsigned i = 0; i < 4 * PERSONS; i++) {
        struct registry_key key = value_of(i / 4, i, text);
        registry_ask(w->registry, &asks, &key);
        if (asks.count < REGISTRY_ASKS && i + 1 < 4 * PERSONS) continue;
        uint64_t any = registry_any(w->registry, &asks), all = ~UINT64_C(0) >> (REGISTRY_ASKS - asks.count);
        assert_true(any == all);
        registry_asks_empty(&asks);
    }
}
static void test_all_are_found(void **state) { each_level(*state, find_all); }

/* Keys of 1 to 24 characters, sixteen of one length at a time: by both ways. */
#define LENGTHS 24
#define OF_EACH 16
static struct registry_key value_long(unsigned len, unsigned i, char out[TEXT])
{
    for (unsigned at = 0; at < len; at++)
        out[at] = (char)('1' + (at == 0 ? i % 9 : at == 1 ? i / 9 : len) % 9);
    out[len] = 0;
    return (struct registry_key){REGISTRY_PERSON_ID, registry_system_id(SPAN("earm")), span_str(out)};
}

static void find_lengths(const struct world *w)
{
    static char text[OF_EACH][TEXT];
    struct registry_key keys[OF_EACH];
    struct registry_hit hits[OF_EACH];
    for (unsigned len = 1; len <= LENGTHS; len++) {
        struct registry_asks asks = {0};
        for (unsigned i = 0; i < OF_EACH; i++) {
            keys[i] = value_long(len, i, text[i]);
            ask_somehow(w->registry, &asks, &keys[i]);
        }
        registry_probe(w->registry, keys, OF_EACH, hits);
        assert_int_equal(registry_any(w->registry, &asks), (1U << OF_EACH) - 1);
        for (unsigned i = 0; i < OF_EACH; i++)
            if (!hits[i].protected_) fail_msg("%s", text[i]);
    }
}

static void test_each_length_is_found(void **state)
{
    (void)state;
    struct world w = {.overlay = NULL};
    struct buf source;
    buf_init(&source, 1 << 20);
    for (unsigned i = 0; i < LENGTHS * OF_EACH; i++) {
        char text[TEXT];
        (void)value_long(1 + i / OF_EACH, i % OF_EACH, text);
        assert_true(is_ok(buf_printf(&source, "{\"subject\":\"L%u\",\"identifiers\":[{\"kind\":\"person_id\",\"value\":\"%s\","
            "\"system\":\"earm\"}]}\n", i, text)));
    }
    assert_true(is_ok(buf_append(&source, span_of("", 1))));
    w.built = build_text((const char *)buf_span(&source).ptr);
    buf_free(&source);
    assert_true(is_ok(w.built.outcome));
    w.registry = open_image(w.built.image, NULL);
    each_level(&w, find_lengths);
    registry_close(w.registry);
    built_free(&w.built);
}

/* ---- blocks and buckets alone ----------------------------------------------------------------------------------- */

typedef uint64_t find_fn(const struct ask_places *p, size_t n);

static bool bit_of(const uint8_t *bytes, unsigned bit) { return bytes[bit / 8] >> bit % 8 & 1; }

/* One key after another, bit by bit as image.h lays them out. */
static uint64_t find_by_hand(const struct ask_places *p, size_t n)
{
    static const uint64_t salts[8] = {BLOCK_SALTS};
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        bool all = true;
        for (unsigned word = 0; word < 8; word++)
            all &= bit_of(p->block[i], 32 * word + (unsigned)(p->first[i] % 0x100000000 * salts[word] % 0x100000000 / 0x8000000));
        found |= (uint64_t)all << i;
    }
    return found;
}

/* Blocks that have all of a key's bits, and blocks that may lack one. */
static void fill_blocks(struct ask_places *p, uint8_t (*blocks)[BLOCK_BYTES])
{
    for (size_t i = 0; i < REGISTRY_ASKS; i++) {
        p->first[i] = (uint64_t)random() << 33 ^ (uint64_t)random();
        p->block[i] = memset(blocks[i], 0xFF, BLOCK_BYTES);
        for (unsigned lacks = (unsigned)random() % 48; lacks > 0; lacks--)
            blocks[i][random() % BLOCK_BYTES] &= (uint8_t)~(1U << random() % 8);
    }
}

static void compare_blocks(find_fn *find)
{
    static struct ask_places places;
    static uint8_t blocks[REGISTRY_ASKS][BLOCK_BYTES];
    uint64_t some = 0, others = 0;
    for (unsigned round = 0; round < 2000; round++) {
        size_t n = (size_t)random() % (REGISTRY_ASKS + 1);
        fill_blocks(&places, blocks);
        uint64_t expected = find_by_hand(&places, n);
        assert_true(find(&places, n) == expected);
        some |= expected;
        others |= n == REGISTRY_ASKS ? ~expected : 0;
    }
    assert_true(some == UINT64_MAX && others == UINT64_MAX);
}

static void test_blocks_are_read_alike(void **state)
{
    (void)state;
    compare_blocks(ask_find_portable);
    if (cpu_level() >= CPU_AVX2) compare_blocks(ask_find_avx2);
}

typedef void slots_fn(const uint8_t *const *buckets, const uint64_t *tags, size_t n, unsigned reference_bits, const uint8_t **slots);

static const uint8_t *slot_by_hand(const uint8_t *bucket, uint64_t tag, unsigned reference_bits)
{
    for (unsigned slot = 0; slot < 8; slot++) {
        bool same = true;
        for (unsigned bit = 0; bit < 64 - reference_bits; bit++)
            same &= bit_of(bucket, 64 * slot + bit) == (tag >> bit & 1);
        if (same) return bucket + (size_t)8 * slot;
    }
    return NULL;
}

/* Tags that stand in a slot of their bucket, and tags that one bit keeps from it. */
static void compare_slots(slots_fn *find)
{
    static uint8_t buckets[16][BUCKET_BYTES];
    const uint8_t *which[16], *slots[16];
    uint64_t tags[16];
    for (unsigned round = 0; round < 3000; round++) {
        unsigned reference_bits = 16 + round % 17, bits = 64 - reference_bits;
        for (size_t i = 0; i < 16; i++) {
            for (size_t at = 0; at < BUCKET_BYTES; at++)
                buckets[i][at] = (uint8_t)random();
            which[i] = buckets[i];
            tags[i] = load_le64(buckets[i] + 8 * (random() % 8)) & (UINT64_MAX >> reference_bits);
            if (random() % 2) tags[i] ^= UINT64_C(1) << (unsigned)random() % bits;
        }
        find(which, tags, 16, reference_bits, slots);
        for (size_t i = 0; i < 16; i++)
            assert_ptr_equal(slots[i], slot_by_hand(buckets[i], tags[i], reference_bits));
    }
}

static void test_slots_are_found_alike(void **state)
{
    (void)state;
    compare_slots(ask_slots_portable);
    if (cpu_level() >= CPU_AVX2) compare_slots(ask_slots_avx2);
}

static void apply(void *overlay, const char *text)
{
    static uint64_t position;
    struct problems *p = problems_new();
    struct arena *a = arena_new(1 << 20);
    struct registry_change c;
    assert_true(is_ok(registry_change_parse(test_key, "c", 1, span_str(text), a, p, &c)));
    c.position = ++position;
    assert_true(is_ok(registry_overlay_apply(overlay, &c)));
    arena_free(a);
    problems_free(p);
}

static bool asked(const struct registry *r, unsigned person, unsigned k)
{
    struct registry_asks asks = {0};
    char text[TEXT];
    struct registry_key key = value_of(person, k, text);
    registry_ask(r, &asks, &key);
    return registry_any(r, &asks) == 1;
}

static void suspect(const struct world *w, unsigned person)
{
    char text[TEXT];
    struct registry_key key = value_of(person, 0, text);
    struct registry_print print;
    assert_int_equal(registry_suspicion(w->registry, &key, 1, &print), 1);
    struct registry_change c = {.op = REGISTRY_SUSPECT, .position = 1000, .keys = &print, .key_count = 1};
    assert_true(registry_suspicion_handle(test_key, &print, 1, &c.subject));
    assert_true(is_ok(registry_overlay_apply(w->overlay, &c)));
}

static void compare_changed(const struct world *w)
{
    for (int i = 0; i < 300; i++)
        compare(w, 4 * PERSONS, false);
}

static void test_with_live_changes(void **state)
{
    const struct world *w = *state;
    char line[160];
    unsigned stranger = 2 * PERSONS;
    assert_false(asked(w->registry, stranger, 0) || asked(w->registry, stranger + 1, 0));
    suspect(w, stranger);
    assert_true(asked(w->registry, stranger, 0) && !asked(w->registry, stranger, 1));
    for (unsigned i = 1; i < 200; i++) {
        char text[TEXT];
        (void)value_of(stranger + i, i % 3, text);
        snprintf(line, sizeof line, "{\"op\":\"protect\",\"subject\":\"N%u\",\"identifiers\":[{\"kind\":\"%s\",\"value\":\"%s\"%s}]}", i,
            registry_kind_name(kinds[i % 3]), text, i % 3 == 2 ? ",\"system\":\"earm\"" : "");
        apply(w->overlay, line);
        assert_true(asked(w->registry, stranger + i, i % 3));
        snprintf(line, sizeof line, "{\"op\":\"release\",\"subject\":\"%c%u\",\"reason\":\"x\"}", i % 2 ? 'N' : 'S', i);
        if (i % 5 == 0) apply(w->overlay, line);
    }
    each_level(w, compare_changed);
}

static void test_what_is_wiped_is_gone(void **state)
{
    const struct world *w = *state;
    static struct registry_asks asks, none;
    char text[TEXT];
    for (unsigned i = 0; i < 20; i++) {
        struct registry_key key = value_of(i, i, text);
        registry_ask(w->registry, &asks, &key);
        if (i == 11) registry_asks_empty(&asks);
    }
    registry_asks_wipe(&asks);
    assert_memory_equal(&asks, &none, sizeof asks);
    assert_true(registry_any(w->registry, &asks) == 0);
}

/* The format of a message is part of the contract: docs of struct registry_asks. */
static void test_what_a_message_is(void **state)
{
    const struct world *w = *state;
    struct registry_asks asks = {0};
    struct registry_key person = {REGISTRY_PERSON_ID, 0x04030201, SPAN("10000000")}, number = {REGISTRY_SSN, 0, SPAN("123456789")};
    static const uint8_t surrogate[16] = {REGISTRY_PERSON_ID, 1, 2, 3, 4, '1', '0', '0', '0', '0', '0', '0', '0', 0, 0, 13},
                         plain[16] = {REGISTRY_SSN, '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 10};
    registry_ask(w->registry, &asks, &person);
    registry_ask(w->registry, &asks, &number);
    registry_ask_short(&asks, registry_ask_head(REGISTRY_PERSON_ID, 0x04030201), (const uint8_t *)"10000000and more", 8);
    registry_ask_short(&asks, registry_ask_head(REGISTRY_SSN, 7), (const uint8_t *)"123456789 and more", 9);
    assert_memory_equal(asks.messages[0], surrogate, 16);
    assert_memory_equal(asks.messages[1], plain, 16);
    assert_memory_equal(asks.messages[2], surrogate, 16);
    assert_memory_equal(asks.messages[3], plain, 16);
    assert_false(registry_ask_fits(registry_ask_head(REGISTRY_SSN, 0), 15));
    assert_true(registry_ask_fits(registry_ask_head(REGISTRY_SSN, 0), 14) && registry_ask_fits(registry_ask_head(REGISTRY_PERSON_ID, 1), 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_slow_way),
        cmocka_unit_test(test_all_are_found),
        cmocka_unit_test(test_each_length_is_found),
        cmocka_unit_test(test_what_is_wiped_is_gone),
        cmocka_unit_test(test_what_a_message_is),
        cmocka_unit_test(test_blocks_are_read_alike),
        cmocka_unit_test(test_slots_are_found_alike),
        cmocka_unit_test(test_with_live_changes), /* last: the overlay is changed from here on */
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
