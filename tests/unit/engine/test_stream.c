/* Independent units: what leaves unit by unit is what leaves of the whole document, and how far a broken document gets
 * depends on its bytes alone.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "edit/generate.h"
#include "engine/fixture.h"
#include "support.h"
#include <time.h>

#define CASES 4000

static struct fixture f;

struct answer {
    char *out; /* all that is settled */
    size_t len;
    bool over, withheld;
    enum engine_unreadable why;
    uint64_t seen, gone, most_held;
};

/* As the gate does it: what is not needed any more goes at once, and what is settled is taken in between. */
static struct answer flow(struct engine_begin *b, span body, size_t piece, bool complete)
{
    struct answer a = {0};
    struct buf out, taken;
    buf_init(&out, 1 << 22);
    buf_init(&taken, 1 << 22);
    b->out = &out;
    uint64_t base = 0, done = 0;
    engine_start(f.engine, b);
    assert_true(engine_is_stream(f.engine));
    for (bool goes_on = true; goes_on;) {
        done = body.len - done > piece ? done + piece : body.len;
        enum engine_end end = done < body.len ? ENGINE_GOES_ON : complete ? ENGINE_COMPLETE : ENGINE_CUT;
        char *copy = mem_copy(body.ptr + base, done - base ? done - base : 1); /* a block of exactly its size */
        goes_on = engine_stream(f.engine, span_of(copy, done - base), base, end);
        mem_free(copy);
        base = engine_stream_needs(f.engine);
        if (done - base > a.most_held) a.most_held = done - base;
        size_t settled = engine_stream_settled(f.engine) - buf_len(&taken);
        assert_true(is_ok(buf_append(&taken, span_sub(buf_span(&out), 0, settled))));
        buf_consume(&out, settled);
        engine_stream_taken(f.engine, settled);
    }
    struct policy_verdict v;
    engine_stream_part(f.engine, &v);
    a.withheld = v.document_withheld;
    a.why = engine_stream_unreadable(f.engine);
    a.over = a.withheld || a.why != ENGINE_READABLE;
    a.seen = v.seen, a.gone = v.withheld_count;
    a.len = buf_len(&taken);
    assert_true(is_ok(buf_append(&taken, span_of("", 1))));
    a.out = mem_copy(buf_span(&taken).ptr, a.len + 1);
    engine_reset(f.engine);
    b->out = NULL;
    buf_free(&out);
    buf_free(&taken);
    return a;
}

static const char *const types[] = {"application/json", "application/json", "application/x-ndjson"};

static struct engine_begin begin(const char *path, int shape)
{
    return fixture_begin(&f, path, types[shape], RECIPIENT_RESTRICTED);
}

/* ---- generated documents ---------------------------------------------------------------------------------------- */

static const char *const whole_paths[] = {"/whole/list", "/whole/object", "/whole/lines"};
static const char *const stream_paths[] = {"/stream/list", "/stream/object", "/stream/lines"};
static const char *const plants[] = {"\"A012345678\"", "\"012345678\"", "\"see A12345678.\"", "\"384 A000000811\""};

static void compare_with_whole(enum generated_shape shape, span body)
{
    struct engine_begin w = begin(whole_paths[shape], (int)shape), s = begin(stream_paths[shape], (int)shape);
    struct engine_outcome o = fixture_run(&f, &w, body);
    size_t len = 0;
    char *wanted = fixture_output(&o, body, &len);
    assert_non_null(wanted);
    static const size_t pieces[] = {1, 7, 100, 1 << 20};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct answer a = flow(&s, body, pieces[i], true);
        if (a.over || a.len != len || memcmp(a.out, wanted, len) != 0)
            fprintf(stderr, "pieces of %zu, %s\n%.*s\nwanted: %s\ngot: %s\n", pieces[i], stream_paths[shape],
                SPAN_FMT(body), wanted, a.out);
        assert_false(a.over);
        assert_string_equal(a.out, wanted);
        assert_int_equal(a.seen, o.verdict.seen);
        assert_int_equal(a.gone, o.verdict.withheld_count);
        mem_free(a.out);
    }
    mem_free(wanted);
    arena_reset(f.arena);
}

static void units_leave_as_in_the_whole_document(void **state)
{
    (void)state;
    static const enum generated_world worlds[] = {WORLD_PLANTED, WORLD_ABSENT};
    struct arena *trees = arena_new((size_t)64 << 20);
    struct buf texts[2];
    for (int i = 0; i < 2; i++)
        buf_init(&texts[i], 1 << 20);
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        enum generated_shape shape = generate_worlds(trees, seed, plants[seed % ARRAY_LEN(plants)], worlds, texts, 2);
        for (int i = 0; i < 2; i++)
            compare_with_whole(shape, span_sub(buf_span(&texts[i]), 0, buf_len(&texts[i]) - 1));
        arena_reset(trees);
    }
    for (int i = 0; i < 2; i++)
        buf_free(&texts[i]);
    arena_free(trees);
}

/* Cut off, or broken by a stray bracket: however it came, it leaves as far. */
static void how_far_it_gets_depends_on_the_bytes(void **state)
{
    (void)state;
    static const enum generated_world worlds[] = {WORLD_PLANTED};
    struct arena *trees = arena_new((size_t)64 << 20);
    struct random r = {7};
    struct buf text;
    buf_init(&text, 1 << 20);
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        enum generated_shape shape = generate_worlds(trees, seed, plants[seed % ARRAY_LEN(plants)], worlds, &text, 1);
        size_t len = buf_len(&text) - 1, at = random_below(&r, (uint32_t)len + 1);
        bool stray = random_chance(&r, 50) && at < len;
        if (stray) text.base[text.read + at] = ']';
        f.limits.record = 30 + random_below(&r, 2000);
        f.limits.depth = 3 + random_below(&r, 20);
        struct engine_begin b = begin(stream_paths[shape], (int)shape);
        span body = span_sub(buf_span(&text), 0, stray ? len : at);
        struct answer one = flow(&b, body, 1, stray), all = flow(&b, body, len + 1, stray),
                      some = flow(&b, body, 1 + random_below(&r, 300), stray);
        if (strcmp(one.out, all.out) != 0 || strcmp(one.out, some.out) != 0)
            fprintf(stderr, "seed %llu, record %llu, depth %u, %s at %zu: %s, %s, %s\n%.*s\n", (unsigned long long)seed,
                (unsigned long long)f.limits.record, f.limits.depth, stray ? "stray" : "cut", at,
                engine_unreadable_name(one.why), engine_unreadable_name(some.why), engine_unreadable_name(all.why),
                SPAN_FMT(body));
        assert_string_equal(one.out, all.out);
        assert_string_equal(one.out, some.out);
        assert_int_equal(one.over, all.over);
        mem_free(one.out);
        mem_free(all.out);
        mem_free(some.out);
        arena_reset(trees);
    }
    f.limits = (struct engine_limits){.depth = 64, .record = 1 << 16, .document = 1 << 20};
    buf_free(&text);
    arena_free(trees);
}

/* ---- limits and worlds ------------------------------------------------------------------------------------------ */

static void limits_tell_nothing(void **state)
{
    (void)state;
    static const enum generated_world worlds[] = {WORLD_PLANTED, WORLD_ABSENT};
    struct arena *trees = arena_new((size_t)64 << 20);
    struct buf texts[2];
    unsigned equal = 0, over = 0;
    for (int i = 0; i < 2; i++)
        buf_init(&texts[i], 1 << 20);
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        enum generated_shape shape = generate_worlds(trees, seed, plants[seed % ARRAY_LEN(plants)], worlds, texts, 2);
        f.limits.record = 150 + seed % 1000;
        f.limits.depth = 8 + (uint32_t)(seed % 3);
        struct engine_begin b = begin(stream_paths[shape], (int)shape);
        struct answer a[2];
        for (int i = 0; i < 2; i++)
            a[i] = flow(&b, span_sub(buf_span(&texts[i]), 0, buf_len(&texts[i]) - 1), 1 + seed % 500, true);
        if (a[0].why != ENGINE_RECORD && a[1].why != ENGINE_RECORD) { /* twice the limit, raw: may be noticed */
            if (strcmp(a[0].out, a[1].out) != 0)
                fprintf(stderr, "seed %llu, record %llu, depth %u: %s, %s\nplanted: %s\nabsent: %s\n",
                    (unsigned long long)seed, (unsigned long long)f.limits.record, f.limits.depth,
                    engine_unreadable_name(a[0].why), engine_unreadable_name(a[1].why), buf_span(&texts[0]).ptr,
                    buf_span(&texts[1]).ptr);
            assert_string_equal(a[0].out, a[1].out);
            assert_int_equal(a[0].why, a[1].why);
            equal++;
            over += a[0].over;
        }
        mem_free(a[0].out);
        mem_free(a[1].out);
        arena_reset(trees);
    }
    assert_in_range(equal, CASES / 4, CASES);
    assert_in_range(over, 5, CASES);
    f.limits = (struct engine_limits){.depth = 64, .record = 1 << 16, .document = 1 << 20};
    for (int i = 0; i < 2; i++)
        buf_free(&texts[i]);
    arena_free(trees);
}

/* ---- by hand ---------------------------------------------------------------------------------------------------- */

#define HER "{\"a\":\"A012345678\"}"

static void assert_flows(const char *path, int shape, const char *body, const char *wanted, const char *why)
{
    for (size_t piece = 1; piece < strlen(body) + 2; piece++) {
        struct engine_begin b = begin(path, shape);
        struct answer a = flow(&b, span_str(body), piece, true);
        assert_string_equal(a.out, wanted);
        assert_string_equal(a.withheld ? "withheld" : engine_unreadable_name(a.why), why);
        mem_free(a.out);
    }
}

static void case_by_case(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int shape;
        const char *body, *wanted, *why;
    } cases[] = {
        {"/flow", 0, "{\"items\":[ " HER " ]}", "{\"items\":[]}", "readable"},
        {"/flow", 0, "{\"items\":[ " HER " , " HER " ]}", "{\"items\":[]}", "readable"},
        {"/flow", 0, "{\"items\":[  ]}", "{\"items\":[]}", "readable"},
        {"/flow", 0, "{\"items\":[ " HER " ,\n1 ]}", "{\"items\":[ 1 ]}", "readable"},
        {"/flow", 0, "{\"items\":[ 1,  " HER " ,\n2 ]}", "{\"items\":[ 1 ,\n2 ]}", "readable"},
        {"/flow", 0, "{\"items\":[ 1,  " HER " ]}", "{\"items\":[ 1 ]}", "readable"},
        {"/flow", 0, "{ \"one\": " HER ", \"x\":1}", "{ \"one\": null, \"x\":1}", "readable"},
        {"/flow", 0, "{ \"notes\":1 , \"x\":2}", "{ \"x\":2}", "readable"},
        {"/flow", 0, "{ \"notes\":1 , \"echo\":\"A012345678\"}", "{}", "readable"},
        {"/flow", 0, "{ \"x\":[1] , \"echo\":\"A012345678\", \"y\":2}", "{ \"x\":[1], \"y\":2}", "readable"},
        {"/flow", 0, "{\"items\":[1," HER ",2],\"more\":\"A012345678\"}", "{\"items\":[1,2", "withheld"},
        {"/flow", 0, "{\"more\":\"A012345678\",\"items\":[1]}", "", "withheld"},
        {"/flow", 0, "{\"items\":[1," HER "@", "{\"items\":[1", "malformed"},
        {"/flow", 0, "{\"items\":[1@", "", "malformed"}, /* 1@ is no number: nothing has ended */
        {"/flow", 0, "{\"items\":[1 @", "{\"items\":[1", "malformed"},
        {"/flow", 0, "{\"items\":[1,2]}}", "{\"items\":[1,2", "malformed"},
        {"/flow/one", 0, " {\"a\":1} ", " {\"a\":1} ", "readable"},
        {"/flow/one", 0, " " HER " ", "", "withheld"},
        {"/flow/one", 2, "1\n" HER "\n2\n", "1\n2\n", "readable"},
        {"/flow/one", 2, HER "\r\n\r\n2\r\n", "2\r\n", "readable"},
        {"/flow/one", 2, "\n" HER "\n\n", "", "readable"},
        {"/flow/one", 2, "\n \n", "", "readable"},
        {"/flow/one", 2, "", "", "readable"},
        {"/flow/one", 2, "1\n{\"a\n2", "1\n2", "readable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_flows(cases[i].path, cases[i].shape, cases[i].body, cases[i].wanted, cases[i].why);
}

/* What a field of the head says is in no unit, also where the first one begins with the body and goes for its own sake. */
//= 8USC1367 a(2)
static void the_head_is_in_no_unit(void **state)
{
    const struct engine_field her = {SPAN("x-subject"), SPAN("A012345678")};
    static const char *const bodies[] = {"{\"a\":\"A000000811\"}\n2\n", "{\"a\":1}\n2\n", "999999999\n2\n", " 1\n", "\n"};
    static const size_t pieces[] = {1, 7, 1 << 20};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies) * ARRAY_LEN(pieces); i++) {
        struct engine_begin b = begin("/flow/one", 2);
        b.fields = &her;
        b.field_count = 1;
        struct answer a = flow(&b, span_str(bodies[i % ARRAY_LEN(bodies)]), pieces[i / ARRAY_LEN(bodies)], true);
        assert_true(a.withheld);
        assert_int_equal(a.len, 0);
        mem_free(a.out);
    }
}

/* A list without end: what is held is a unit and what is read at once, whether or not anybody in it is withheld. */
static void memory_is_a_unit(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 1 << 22);
    assert_true(is_ok(buf_append(&body, SPAN("{\"items\":["))));
    for (int i = 0; i < 20000; i++)
        assert_true(is_ok(buf_printf(&body, "%s{\"n\":%d,\"a\":\"A%09d\"}", i ? "," : "", i, i % 3 ? 12345678 : i)));
    assert_true(is_ok(buf_append(&body, SPAN("]}"))));
    struct engine_begin b = begin("/flow", 0);
    struct answer a = flow(&b, buf_span(&body), 4096, true);
    assert_false(a.over);
    assert_int_equal(a.seen, 20000);
    assert_int_equal(a.gone, 13333);
    assert_true(a.most_held < 512);
    mem_free(a.out);
    buf_free(&body);
}

/* However small the pieces that a unit comes in, what it holds is gone through once. Looked through for each piece, this took a quarter of a minute. */
static void a_unit_in_pieces_is_read_once(void **state)
{
    (void)state;
    struct buf body, out;
    buf_init(&body, 1 << 22);
    buf_init(&out, 1 << 22);
    assert_true(is_ok(buf_append(&body, SPAN("{\"items\":[{\"n\":1,\"kin\":["))));
    for (int i = 0; i < 120000; i++)
        assert_true(is_ok(buf_printf(&body, "%s{\"n\":%d,\"l\":[1]}", i ? "," : "", i)));
    assert_true(is_ok(buf_append(&body, SPAN("]}]}"))));
    span all = buf_span(&body);
    struct engine_begin b = begin("/flow/kin", 0);
    b.out = &out;
    b.limits.record = 4 << 20;
    clock_t from = clock();
    engine_start(f.engine, &b);
    for (size_t done = 0; done < all.len;) {
        done = all.len - done > 7 ? done + 7 : all.len;
        (void)engine_stream(f.engine, span_sub(all, 0, done), 0, done < all.len ? ENGINE_GOES_ON : ENGINE_COMPLETE);
    }
    assert_int_equal(engine_stream_unreadable(f.engine), ENGINE_READABLE);
    assert_int_equal(engine_stream_settled(f.engine), all.len);
    assert_true(clock() - from < 5 * CLOCKS_PER_SEC);
    engine_reset(f.engine);
    buf_free(&out);
    buf_free(&body);
}

static int open_fixture(void **state)
{
    (void)state;
    return fixture_open(&f) ? 0 : -1;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(case_by_case), cmocka_unit_test(memory_is_a_unit), cmocka_unit_test(a_unit_in_pieces_is_read_once),
        cmocka_unit_test(units_leave_as_in_the_whole_document), cmocka_unit_test(how_far_it_gets_depends_on_the_bytes),
        cmocka_unit_test(limits_tell_nothing), cmocka_unit_test(the_head_is_in_no_unit)};
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
