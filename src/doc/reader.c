#include "doc/reader.h"

static void pick_code(struct doc_reader *r, enum cpu_level level)
{
    r->fast = level == CPU_PORTABLE ? walk_fast_portable : walk_fast_avx2;
    switch (level) {
    case CPU_PORTABLE: r->scanner = doc_scan_portable, r->scan.fill = doc_fill_portable; break;
    case CPU_AVX2: r->scanner = doc_scan_avx2, r->scan.fill = doc_fill_avx2; break;
    case CPU_AVX512: r->scanner = doc_scan_avx512, r->scan.fill = doc_fill_avx512; break;
    }
}

struct doc_reader *doc_reader_new(enum cpu_level level)
{
    struct doc_reader *r = mem_alloc(sizeof *r);
    if (!r) return NULL;
    r->magic = READER_MAGIC;
    pick_code(r, level);
    names_init(&r->names);
    doc_reader_reset(r, DOC_JSON, &(struct doc_limits){.depth = 256});
    return r;
}

void doc_reader_free(struct doc_reader *r)
{
    if (!r) return;
    MAGIC_CHECK(r, READER_MAGIC);
    names_free(&r->names);
    track_reset(r->track);
    mem_free(r->track);
    mem_free(r->frames);
    mem_free_wipe(r, sizeof *r);
}

void doc_reader_reset(struct doc_reader *r, enum doc_format format, const struct doc_limits *limits)
{
    MAGIC_CHECK(r, READER_MAGIC);
    names_reset(&r->names);
    track_reset(r->track);
    r->lesson.on = r->rehearses = r->aloud = r->waits = false;
    r->recalled = NULL;
    r->waited_at = 0;
    r->record_size = r->record_events = 0;
    r->lines = format == DOC_NDJSON;
    r->tail = false;
    r->limits = *limits;
    doc_reader_skip(r, NULL);
    r->chunk_at = r->scanned = 0;
    r->next_mark = 0;
    r->special = r->special_from = 0;
    r->state = WALK_VALUE;
    r->token = TOKEN_NONE;
    r->depth = 0;
    r->object = 0;
    r->line_at = 0;
    r->line_open = false;
    r->status = DOC_MORE;
    r->malformed = DOC_OK;
    r->malformed_at = 0;
    r->pending_count = 0;
    r->scan.in_string = r->scan.escaped = r->scan.scalar = 0;
    r->scan.last = 0;
    scan_begin(&r->scan);
}

void doc_reader_rehearse(struct doc_reader *r, bool aloud)
{
    MAGIC_CHECK(r, READER_MAGIC);
    r->rehearses = true;
    r->aloud = aloud;
}

/* Whether the two say the same of all names. */
static bool judge_alike(const struct doc_skip *a, const struct doc_skip *b)
{
    return a->dull == b->dull && a->classes == b->classes && a->names == b->names && a->root == b->root &&
           a->containers == b->containers && a->parted == b->parted && a->deepest == b->deepest && a->ask == b->ask && a->ctx == b->ctx;
}

void doc_reader_skip(struct doc_reader *r, const struct doc_skip *skip)
{
    static const uint64_t none = UINT64_MAX;
    static const struct doc_skip nothing = {.literals = &none};
    MAGIC_CHECK(r, READER_MAGIC);
    r->skip = skip ? skip : &nothing;
    r->literal = r->skip->literals;
    if (!lore_judges(r) && r->track && !judge_alike(r->skip, &r->judged)) r->track->anew = r->track->epoch;
    r->judged = *r->skip;
}

uint64_t doc_reader_needs(const struct doc_reader *r)
{
    const struct doc_scan *s = &r->scan;
    uint64_t at = r->next_mark < s->mark_count ? r->chunk_at + scan_place(s, r->next_mark) : r->scanned;
    if (r->token != TOKEN_NONE) at = r->token_at;
    /* Whether a CR stands before a line feed is asked when the line feed is met. */
    return r->lines && at > 0 ? at - 1 : at;
}

uint64_t doc_reader_reached(const struct doc_reader *r)
{
    return r->scanned;
}

enum doc_malformed doc_reader_malformed(const struct doc_reader *r, uint64_t *at)
{
    if (at) *at = r->malformed_at;
    return r->malformed;
}

const char *doc_malformed_name(enum doc_malformed m)
{
    switch (m) {
    case DOC_OK: return "well-formed";
    case DOC_BAD_GRAMMAR: return "not JSON";
    case DOC_TRAILING: return "bytes after the value";
    case DOC_CUT_SHORT: return "cut short";
    case DOC_TOO_DEEP: return "nested too deeply";
    case DOC_TOO_LARGE: return "token too large";
    case DOC_CONTROL: return "control character in a string";
    case DOC_NO_MEMORY: return "out of memory";
    }
    return "?";
}

size_t doc_reader_names(const struct doc_reader *r)
{
    return r->names.count;
}

span doc_reader_name(const struct doc_reader *r, uint16_t id)
{
    ASSERT(id < r->names.count);
    return span_of(r->names.entries[id].bytes, r->names.entries[id].len);
}

/* ---- chunks ---------------------------------------------------------------------------------------------------- */

/* The last bytes of the body, padded with blanks to a block. A blank behind the last byte ends a scalar. */
static size_t scan_tail(struct doc_reader *r, size_t first, const uint8_t *data, size_t len)
{
    uint8_t block[SCAN_BLOCK];
    memset(block, ' ', sizeof block);
    if (len > 0) memcpy(block, data, len);
    size_t used = r->scanner(&r->scan, first, block, 1, r->lines);
    mem_wipe(block, sizeof block);
    r->tail = !r->scan.cut; /* else a line ended inside a string, and what is left comes next */
    return r->tail ? len : used;
}

/* Classifies the next chunk; false when the window holds too little for it. */
static bool scan_chunk(struct doc_reader *r, const struct doc_window *w)
{
    const uint8_t *data = w->data + (r->scanned - w->base);
    size_t len = (size_t)(w->base + w->len - r->scanned), used = 0;
    size_t blocks = len / SCAN_BLOCK < SCAN_BLOCKS ? len / SCAN_BLOCK : SCAN_BLOCKS;
    if (blocks == 0 && !w->complete) return false;
    //= RFC8259 8.1
    if (r->scanned == 0 && len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        r->scanned = r->line_at = 3;
        return scan_chunk(r, w);
    }
    r->chunk_at = r->scanned;
    r->next_mark = 0;
    r->special = r->special_from = 0;
    r->lesson.on = false;
    scan_begin(&r->scan);
    if (blocks > 0) used = r->scanner(&r->scan, 0, data, blocks, r->lines);
    if (r->scan.cut) blocks = (used + SCAN_BLOCK - 1) / SCAN_BLOCK;
    if (!r->scan.cut && blocks < SCAN_BLOCKS && w->complete)
        used += scan_tail(r, blocks, data + used, len - used), blocks++;
    scan_end(&r->scan, blocks);
    r->scanned += used;
    return true;
}

static void check_window(const struct doc_reader *r, const struct doc_window *w)
{
    ASSERT(w->base <= doc_reader_needs(r));
    ASSERT(w->base + w->len >= r->scanned);
    ASSERT(!r->tail || w->complete);
}

static void put_pending(struct doc_reader *r, struct walk_out *out)
{
    uint32_t moved = 0;
    while (moved < r->pending_count && out->count < out->capacity)
        out->events[out->count++] = r->pending[moved++];
    r->pending_count -= moved;
    memmove(r->pending, r->pending + moved, r->pending_count * sizeof r->pending[0]);
}

static enum doc_status run(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    for (;;) {
        enum doc_status status = walk_marks(r, w, out);
        if (status != DOC_MORE) return status;
        if (r->tail) return walk_body_end(r, out);
        status = walk_chunk_end(r, out);
        if (status != DOC_MORE) return status;
        bool waits = r->waits;
        r->waits = false;
        if (waits || !scan_chunk(r, w)) return DOC_MORE;
    }
}

enum doc_status doc_reader_next(
    struct doc_reader *r, const struct doc_window *w, struct doc_event *events, size_t capacity, size_t *count)
{
    MAGIC_CHECK(r, READER_MAGIC);
    ASSERT(capacity > 0);
    struct walk_out out = {events, 0, capacity, false};
    enum doc_status status = r->status;
    put_pending(r, &out);
    if (status == DOC_MORE && r->pending_count == 0) {
        check_window(r, w);
        status = run(r, w, &out);
        if (status == DOC_COMPLETE || status == DOC_MALFORMED) r->status = status;
    }
    *count = out.count;
    return r->pending_count > 0 ? DOC_FULL : status;
}
