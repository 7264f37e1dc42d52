/* One document as a restricted recipient gets it. First byte: which document of the fixture, and where to cut the body
 * in two; 0xF0 and above: the rest is the seed of generated worlds. Held: the cut changes nothing; what leaves can be
 * read again and leaves unchanged (nothing protected is in it, and it is well-formed); the planted number stands
 * nowhere in it; withheld and absent are the same bytes. */
#include "../unit/edit/generate.h"
#include "../unit/engine/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture f;

static const char *const paths[] = {"/list", "/cut", "/one", "/array", "/map", "/allow", "/lines", "/plain", NULL};
#define PATHS ARRAY_LEN(paths)
static const char *const joined[] = {"/linked", "/graph"}; /* 0xE0 to 0xEF */

static struct engine_begin begin_for(uint8_t which)
{
    bool lines = which >= 0xE0 ? which & 2 : which / PATHS % 2 == 1;
    const char *path = which >= 0xE0 ? joined[which & 1] : paths[which % PATHS];
    struct engine_begin b =
        fixture_begin(&f, path, lines ? "application/x-ndjson" : "application/json", RECIPIENT_RESTRICTED);
    return b;
}

/* NULL: nothing leaves. */
static char *run(const struct engine_begin *b, span body, size_t cut, size_t *len, enum engine_unreadable *why)
{
    struct engine_outcome o;
    engine_start(f.engine, b);
    (void)engine_feed(f.engine, span_sub(body, 0, cut));
    engine_finish(f.engine, body, true, &o);
    *why = o.unreadable;
    return fixture_output(&o, body, len);
}

/* The planted number in its plainest form, touching no letter or digit. */
static bool shows_planted(span out)
{
    span planted = SPAN(FIXTURE_PROTECTED);
    for (size_t at = 0; at + planted.len <= out.len; at++) {
        at += span_search(span_from(out, at), planted);
        if (at + planted.len > out.len) return false;
        bool left = at > 0 && is_alnum(out.ptr[at - 1]),
             right = at + planted.len < out.len && is_alnum(out.ptr[at + planted.len]);
        /* What stands before it may be an escape or a percent sign and part of it: only plain neighbours are judged. */
        if (!left && !right) return true;
    }
    return false;
}

static void hold_document(uint8_t which, span body)
{
    struct engine_begin b = begin_for(which);
    size_t len[3], cut = body.len ? which * 131u % (body.len + 1) : 0;
    enum engine_unreadable why[3];
    char *whole = run(&b, body, 0, &len[0], &why[0]), *split = run(&b, body, cut, &len[1], &why[1]);
    ASSERT(why[0] == why[1] && !whole == !split);
    if (whole) {
        ASSERT(len[0] == len[1] && memcmp(whole, split, len[0]) == 0);
        ASSERT(!shows_planted(span_of(whole, len[0])));
        char *again = run(&b, span_of(whole, len[0]), 0, &len[2], &why[2]);
        ASSERT(again && len[2] == len[0] && memcmp(again, whole, len[0]) == 0);
        mem_free(again);
    }
    mem_free(whole);
    mem_free(split);
}

static char *run_world(const char *path, const char *type, const struct buf *text)
{
    struct engine_begin b = fixture_begin(&f, path, type, RECIPIENT_RESTRICTED);
    size_t len;
    enum engine_unreadable why;
    char *out = run(&b, span_sub(buf_span(text), 0, buf_len(text) - 1), 0, &len, &why);
    ASSERT(out);
    return out;
}

static void hold_worlds(span seed)
{
    static const enum generated_world worlds[] = {WORLD_PLANTED, WORLD_ABSENT, WORLD_WANTED};
    static const char *const shapes[] = {"/shape/list", "/shape/object", "/shape/lines"};
    static const char *const plants[] = {"\"A012345678\"", "12345678", "\"012345678\""};
    static const uint8_t zero[16];
    struct buf texts[3];
    for (int i = 0; i < 3; i++)
        buf_init(&texts[i], 1 << 22);
    struct arena *trees = arena_new((size_t)16 << 20);
    enum generated_shape shape = generate_worlds(trees, siphash64(zero, seed), plants[seed.len % 3], worlds, texts, 3);
    const char *type = shape == SHAPE_LINES ? "application/x-ndjson" : "application/json";
    char *with = run_world(shapes[shape], type, &texts[0]), *without = run_world(shapes[shape], type, &texts[1]);
    ASSERT(strcmp(with, (const char *)buf_span(&texts[2]).ptr) == 0);
    ASSERT(strcmp(without, with) == 0);
    mem_free(with);
    mem_free(without);
    arena_free(trees);
    for (int i = 0; i < 3; i++)
        buf_free(&texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool opened;
    if (!opened) opened = fixture_open(&f);
    ASSERT(opened);
    if (size == 0) return 0;
    if (data[0] >= 0xF0)
        hold_worlds(span_of(data + 1, size - 1));
    else
        hold_document(data[0], span_of(data + 1, size - 1));
    arena_reset(f.arena);
    return 0;
}
