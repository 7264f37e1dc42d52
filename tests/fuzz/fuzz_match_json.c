/* Any bytes as a document, read whole and in pieces, with the prefilter and without: the surveys are the same. The
 * first byte picks the format, the profile and where the body is cut. */
#include "../unit/match/world.h"

#define PIECES 4

static const char *const paths[] = {"/list", "/map", "/one", "/allow", "/lines", "/plain", "/cut"};
static const char *const joined[] = {"/linked", "/graph"}; /* from 0x70 on, of the lower seven bits */
static const char *const tables[] = {"/table", "/sheet", "/stream"};    /* from 0x68 on */

static const char *path_of(uint8_t how)
{
    unsigned low = how & 0x7F;
    if (low >= 0x70) return joined[low & 1];
    return low >= 0x68 ? tables[low % ARRAY_LEN(tables)] : paths[low % ARRAY_LEN(paths)];
}

/* NULL: not read. */
static char *survey(struct world *w, uint8_t how, span body, unsigned pieces)
{
    const struct match_survey *s = NULL;
    enum doc_status status = DOC_MORE;
    world_begin(w, path_of(how), how & 0x80 ? DOC_NDJSON : DOC_JSON);
    for (unsigned i = 1; i <= pieces && status == DOC_MORE; i++) {
        const struct doc_window window = {.data = body.ptr, .len = body.len * i / pieces, .complete = i == pieces};
        status = match_feed(w->match, &window);
    }
    return status == DOC_COMPLETE && is_ok(match_finish(w->match, &s)) ? world_dump(s) : NULL;
}

static void same(char *a, char *b)
{
    ASSERT((a == NULL) == (b == NULL));
    if (a) ASSERT(!strcmp(a, b));
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    static bool opened;
    if (!opened) opened = world_open(&world);
    ASSERT(opened);
    if (size == 0) return 0;
    span body = span_of(data + 1, size - 1);
    world_prefilter(&world, true);
    char *whole = survey(&world, data[0], body, 1);
    same(whole, survey(&world, data[0], body, PIECES));
    world_prefilter(&world, false);
    same(whole, survey(&world, data[0], body, 1));
    match_reset(world.match);
    free(whole);
    return 0;
}
