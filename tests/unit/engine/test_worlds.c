/* Three worlds through the whole engine, on generated documents: the withheld at the origin, and not at the origin,
 *give the same bytes; and those are the bytes that the generator writes for nobody.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1   acknowledging that a record exists is a disclosure */
#include "edit/generate.h"
#include "engine/fixture.h"
#include "support.h"

#define CASES 20000

static const char *const paths[] = {"/shape/list", "/shape/object", "/shape/lines"};
static const char *const types[] = {"application/json", "application/json", "application/x-ndjson"};
/* One person under many spellings; where it stands in nothing withheld, it stands in texts. */
static const char *const plants[] = {"\"A012345678\"", "\"012345678\"", "12345678", "\"A0\\u00312345678\"",
    "\"see A12345678.\"", "\"\\uff21\\uff10\\uff11\\uff12\\uff13\\uff14\\uff15\\uff16\\uff17\\uff18\"", "12345678.0",
    "\"384 A000000811\""};

static char *run(
    struct fixture *f, enum generated_shape shape, const struct buf *text, struct engine_outcome *o, size_t *len)
{
    span body = span_sub(buf_span(text), 0, buf_len(text) - 1);
    struct engine_begin b = fixture_begin(f, paths[shape], types[shape], RECIPIENT_RESTRICTED);
    *o = fixture_run(f, &b, body);
    char *out = fixture_output(o, body, len);
    if (!out)
        fprintf(stderr, "unreadable: %s at %llu, withheld %d\n%s\n", engine_unreadable_name(o->unreadable),
            (unsigned long long)o->unreadable_at, o->verdict.document_withheld, body.ptr);
    assert_non_null(out);
    return out;
}

static void compare_worlds(
    struct fixture *f, struct arena *trees, uint64_t seed, struct buf texts[3], unsigned *withheld)
{
    static const enum generated_world worlds[] = {WORLD_PLANTED, WORLD_ABSENT, WORLD_WANTED};
    const char *plant = plants[seed % ARRAY_LEN(plants)];
    enum generated_shape shape = generate_worlds(trees, seed, plant, worlds, texts, 3);
    struct engine_outcome o;
    size_t len[2];
    char *with = run(f, shape, &texts[0], &o, &len[0]);
    *withheld += o.verdict.withheld_count > 0;
    char *without = run(f, shape, &texts[1], &o, &len[1]);
    assert_int_equal(o.verdict.withheld_count, 0);
    const char *wanted = (const char *)buf_span(&texts[2]).ptr;
    if (strcmp(with, wanted) != 0 || strcmp(without, wanted) != 0)
        fprintf(stderr, "seed %llu %s\nplanted: %s\nabsent: %s\nwanted: %s\ngot with: %s\ngot without: %s\n",
            (unsigned long long)seed, paths[shape], buf_span(&texts[0]).ptr, buf_span(&texts[1]).ptr, wanted, with,
            without);
    assert_string_equal(with, wanted);
    assert_string_equal(without, wanted);
    mem_free(with);
    mem_free(without);
    arena_reset(f->arena);
    arena_reset(trees);
}

static void withheld_and_absent_leave_the_same_bytes(void **state)
{
    (void)state;
    struct fixture f;
    struct buf texts[3];
    unsigned withheld = 0;
    assert_true(fixture_open(&f));
    struct arena *trees = arena_new((size_t)64 << 20);
    for (int i = 0; i < 3; i++)
        buf_init(&texts[i], 1 << 20);
    for (uint64_t seed = 1; seed <= CASES; seed++)
        compare_worlds(&f, trees, seed, texts, &withheld);
    assert_true(withheld > CASES / 2);
    for (int i = 0; i < 3; i++)
        buf_free(&texts[i]);
    arena_free(trees);
    fixture_close(&f);
}

/* ---- limits --------------------------------------------------------------------------------------------------------
 */

struct answer {
    char *out; /* NULL: nothing leaves */
    enum engine_unreadable why;
};

static struct answer answer_for(struct fixture *f, enum generated_shape shape, const struct buf *text)
{
    span body = span_sub(buf_span(text), 0, buf_len(text) - 1);
    struct engine_begin b = fixture_begin(f, paths[shape], types[shape], RECIPIENT_RESTRICTED);
    struct engine_outcome o = fixture_run(f, &b, body);
    size_t len;
    return (struct answer){.out = fixture_output(&o, body, &len), .why = o.unreadable};
}

/* Met by what nobody restricted sees, the raw bounds (twice the limit) may be noticed; the limits themselves never. */
static bool over_raw_bound(const struct fixture *f, const struct answer *a, const struct buf *text)
{
    return a->why == ENGINE_RECORD || (a->why == ENGINE_DOCUMENT && buf_len(text) - 1 > 2 * f->limits.document);
}

struct tally {
    unsigned equal, nothing, exempt;
};

static void compare_limited(struct fixture *f, struct arena *trees, uint64_t seed, struct buf texts[2], struct tally *t)
{
    static const enum generated_world worlds[] = {WORLD_PLANTED, WORLD_ABSENT};
    enum generated_shape shape = generate_worlds(trees, seed, plants[seed % ARRAY_LEN(plants)], worlds, texts, 2);
    f->limits.record = 150 + seed % 1000;
    f->limits.document = 40 + seed * 7 % 1500;
    f->limits.depth = 8 + (uint32_t)(seed % 8); /* generated documents nest less than sixteen */
    struct answer with = answer_for(f, shape, &texts[0]), without = answer_for(f, shape, &texts[1]);
    if (over_raw_bound(f, &with, &texts[0]) || over_raw_bound(f, &without, &texts[1])) {
        t->exempt++;
    } else {
        if (!with.out != !without.out || (with.out && strcmp(with.out, without.out) != 0))
            fprintf(stderr, "seed %llu\nplanted: %s\nabsent: %s\ngot with (%s): %s\ngot without (%s): %s\n",
                (unsigned long long)seed, buf_span(&texts[0]).ptr, buf_span(&texts[1]).ptr,
                engine_unreadable_name(with.why), with.out, engine_unreadable_name(without.why), without.out);
        assert_int_equal(!with.out, !without.out);
        if (with.out) assert_string_equal(with.out, without.out);
        t->equal++;
        t->nothing += !with.out;
    }
    mem_free(with.out);
    mem_free(without.out);
    arena_reset(f->arena);
    arena_reset(trees);
}

static void limits_tell_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct buf texts[2];
    struct tally t = {0};
    assert_true(fixture_open(&f));
    struct arena *trees = arena_new((size_t)64 << 20);
    for (int i = 0; i < 2; i++)
        buf_init(&texts[i], 1 << 20);
    for (uint64_t seed = 1; seed <= CASES / 2; seed++)
        compare_limited(&f, trees, seed, texts, &t);
    assert_true(t.equal > CASES / 4 && t.nothing > 20);
    for (int i = 0; i < 2; i++)
        buf_free(&texts[i]);
    arena_free(trees);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(withheld_and_absent_leave_the_same_bytes), cmocka_unit_test(limits_tell_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
