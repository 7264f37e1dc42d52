#include "engine/own.h"

/* Survey entries of a document: some hundred bytes each at most. Ten thousand records of a hundred pieces. */
#define SURVEY_MAX ((uint64_t)1 << 20)

const char *engine_unreadable_name(enum engine_unreadable u)
{
    switch (u) {
    case ENGINE_READABLE: return "readable";
    case ENGINE_FORMAT: return "format";
    case ENGINE_CODING: return "coding";
    case ENGINE_MALFORMED: return "malformed";
    case ENGINE_CUT_SHORT: return "cut short";
    case ENGINE_DEPTH: return "depth";
    case ENGINE_DOCUMENT: return "document";
    case ENGINE_RECORD: return "record";
    case ENGINE_MEMORY: return "memory";
    case ENGINE_UNPROFILED: return "unprofiled";
    }
    return "unknown";
}

struct engine *engine_new(const struct rules_set *rules, enum cpu_level level)
{
    struct engine *e = mem_alloc(sizeof *e);
    if (!e) return NULL;
    e->magic = ENGINE_MAGIC;
    e->rules = rules;
    e->scratch = rules_scratch_new(rules);
    e->match = e->scratch ? match_new(rules, e->scratch, level) : NULL;
    if (e->match) return e;
    engine_free(e);
    return NULL;
}

void engine_share_lores(struct engine *e, struct match_lores *l)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    match_share_lores(e->match, l);
}

void engine_free(struct engine *e)
{
    if (!e) return;
    MAGIC_CHECK(e, ENGINE_MAGIC);
    engine_stream_free(e);
    match_free(e->match);
    rules_scratch_free(e->scratch);
    e->magic = 0;
    mem_free_wipe(e, sizeof *e);
}

void engine_reset(struct engine *e)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    if (e->reading) match_reset(e->match);
    if (e->stream) engine_stream_reset(e);
    e->stream = false;
    e->begin = (struct engine_begin){0};
    e->unreadable = ENGINE_READABLE;
    e->unreadable_at = 0;
    e->started = e->reading = false;
    e->slack = 0;
    e->survey = NULL;
}

void engine_latch(struct engine *e, enum engine_unreadable u, uint64_t at)
{
    if (e->unreadable != ENGINE_READABLE) return;
    e->unreadable = u;
    e->unreadable_at = at;
}

/* Entitled recipients get what no profile describes either way, with findings. */
static const struct rules_document *choose_document(const struct engine *e, enum doc_format format)
{
    const struct engine_begin *b = &e->begin;
    if (b->document) return b->document;
    bool inspect = b->inspect || b->class == RECIPIENT_ENTITLED;
    return inspect ? rules_unprofiled(e->rules, format == DOC_NDJSON) : NULL;
}

/* An origin may write another shape of it where Accept asks: what stands where in that one nobody has said. */
//= ICE10036.2 2.1
static bool is_described(const struct engine_begin *b)
{
    return b->class != RECIPIENT_RESTRICTED || !b->document || rules_document_comes_as(b->document, b->media_type);
}

void engine_start(struct engine *e, const struct engine_begin *b)
{
    engine_reset(e);
    e->begin = *b;
    e->started = true;
    enum doc_format format;
    if (!engine_is_identity(b->content_encoding)) engine_latch(e, ENGINE_CODING, 0);
    if (!engine_format_of(b->media_type, &format) || !engine_charset_of(b->charset, &e->charset))
        engine_latch(e, ENGINE_FORMAT, 0);
    if (!is_described(b)) engine_latch(e, ENGINE_FORMAT, 0);
    const struct rules_document *document = choose_document(e, format);
    if (!document) engine_latch(e, ENGINE_UNPROFILED, 0);
    e->begin.media_type = e->begin.charset = e->begin.content_encoding = (span){0};
    e->begin.fields = NULL;
    if (e->unreadable != ENGINE_READABLE) return;
    uint32_t depth = b->limits.depth > UINT32_MAX / 2 ? UINT32_MAX : 2 * b->limits.depth;
    struct match_limits limits = {.depth = depth, .findings = SURVEY_MAX, .visible_depth = b->limits.depth,
        .suspicions = b->suspicions && b->document,
        .search = b->class == RECIPIENT_RESTRICTED ? b->search : NULL};
    match_begin(e->match, format, document, b->registry, &limits);
    e->reading = true;
    e->stream = b->out != NULL && rules_document_view(document)->independent;
    if (e->stream && b->class == RECIPIENT_RESTRICTED) match_keep_asked(e->match);
    for (size_t i = 0; i < b->field_count; i++)
        match_scan_field(e->match, b->fields[i].name, b->fields[i].value);
    if (e->stream && !engine_stream_prepare(e)) engine_latch(e, ENGINE_MEMORY, 0);
}

enum engine_unreadable engine_unreadable_of(enum doc_malformed m)
{
    switch (m) {
    case DOC_OK:
    case DOC_BAD_GRAMMAR:
    case DOC_TRAILING:
    case DOC_CUT_SHORT:
    case DOC_CONTROL: return ENGINE_MALFORMED;
    case DOC_TOO_DEEP: return ENGINE_DEPTH;
    case DOC_TOO_LARGE: return ENGINE_DOCUMENT;
    case DOC_NO_MEMORY: return ENGINE_MEMORY;
    }
    return ENGINE_MALFORMED;
}

static bool read_body(struct engine *e, span body, bool complete)
{
    uint64_t limit = e->begin.limits.document;
    if (body.len > limit && body.len - limit > limit) { /* raw over twice the limit, without overflow */
        engine_latch(e, ENGINE_DOCUMENT, body.len);
        return false;
    }
    static const uint8_t nothing[1];
    struct doc_window w = {.base = 0, .data = body.ptr ? body.ptr : nothing, .len = body.len, .complete = complete,
        .slack = complete ? e->slack : 0};
    enum doc_status status;
    do
        status = match_feed(e->match, &w);
    while (status == DOC_FULL);
    if (status != DOC_MALFORMED) return true;
    uint64_t at = 0;
    enum doc_malformed m = match_malformed(e->match, &at);
    engine_latch(e, engine_unreadable_of(m), at);
    return false;
}

bool engine_feed(struct engine *e, span body_so_far)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    ASSERT(e->started);
    return e->unreadable == ENGINE_READABLE && read_body(e, body_so_far, false);
}

static void judge_body(struct engine *e, span body, struct engine_outcome *out)
{
    if (!is_ok(match_finish(e->match, &e->survey))) {
        engine_latch(e, ENGINE_MEMORY, 0);
        return;
    }
    struct engine_judging j = {.survey = e->survey,
        .class = e->begin.class,
        .limits = &e->begin.limits,
        .body = body,
        .arena = e->begin.arena,
        .pseudonym_key = e->begin.pseudonym_key,
        .page = e->begin.page};
    enum engine_unreadable u = engine_judge(&j, out);
    if (u == ENGINE_READABLE && e->survey->identifier_count > 0)
        u = engine_suspect(e->survey, e->begin.registry, e->begin.arena, out);
    if (u != ENGINE_READABLE) engine_latch(e, u, 0);
}

/* Bytes that a charset does not have contradict it where they are seen: those of a withheld unit must not tell that
 * there was one. Entitled recipients see all of the body. */
//= 8USC1367 a(2)
static bool contradicts_charset(const struct engine *e, span body, const struct engine_outcome *out)
{
    if (e->charset != ENGINE_ASCII) return false;
    for (size_t i = 0; i < out->edits.count; i++) {
        const struct edit_run *r = &out->edits.runs[i];
        if (r->literal_len == 0 && !engine_is_ascii(span_sub(body, (size_t)r->at, r->len))) return true;
    }
    return false;
}

static void finish_reading(struct engine *e, span body, bool complete, struct engine_outcome *out)
{
    if (e->unreadable != ENGINE_READABLE) return;
    if (!complete) {
        engine_latch(e, ENGINE_CUT_SHORT, body.len);
        return;
    }
    if (!read_body(e, body, true)) return;
    judge_body(e, body, out);
    if (e->unreadable == ENGINE_READABLE && contradicts_charset(e, body, out)) engine_latch(e, ENGINE_FORMAT, 0);
}

void engine_pad(struct engine *e, size_t slack)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    e->slack = slack;
}

void engine_finish(struct engine *e, span body, bool complete, struct engine_outcome *out)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    ASSERT(e->started);
    *out = (struct engine_outcome){0};
    finish_reading(e, body, complete, out);
    if (e->unreadable != ENGINE_READABLE)
        *out = (struct engine_outcome){.unreadable = e->unreadable, .unreadable_at = e->unreadable_at};
    bool keep = e->begin.keep_survey && e->unreadable == ENGINE_READABLE;
    e->started = false;
    if (!keep) engine_reset(e);
}

const struct match_survey *engine_survey(const struct engine *e)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    return e->survey;
}
