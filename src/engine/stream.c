/* Units that do not refer to each other: each is judged as a document of its own when it has ended, and forgotten. */
#include "engine/own.h"
#include <stdlib.h>

#define UNIT_ARENA ((size_t)256 << 20)
#define SUBJECTS_MAX ((size_t)16 << 20)

/* ---- life ------------------------------------------------------------------------------------------------------- */

bool engine_stream_prepare(struct engine *e)
{
    struct engine_streaming *s = &e->streaming;
    size_t rules = rules_count(e->rules);
    if (!s->arena) s->arena = arena_new(UNIT_ARENA);
    if (!s->rule_counts) s->rule_counts = mem_array(rules + 1, sizeof *s->rule_counts);
    if (!s->rules) s->rules = mem_array(rules + 1, sizeof *s->rules);
    buf_init(&s->subjects, SUBJECTS_MAX);
    buf_init(&s->suspicion_counts, SUBJECTS_MAX);
    buf_init(&s->suspicion_prints, SUBJECTS_MAX);
    s->sums = (struct policy_verdict){0};
    s->outside[0] = s->outside[1] = RULE_NONE;
    s->read = s->marked_settled = s->marked_done = 0;
    edit_stream_begin(&s->edit, e->begin.out);
    return s->arena && s->rule_counts && s->rules;
}

void engine_stream_reset(struct engine *e)
{
    struct engine_streaming *s = &e->streaming;
    if (s->arena) arena_reset(s->arena);
    if (s->rule_counts) memset(s->rule_counts, 0, rules_count(e->rules) * sizeof *s->rule_counts);
    buf_free(&s->subjects);
    buf_free(&s->suspicion_counts);
    buf_free(&s->suspicion_prints);
    edit_stream_end(&s->edit);
    s->sums = (struct policy_verdict){0};
}

void engine_stream_free(struct engine *e)
{
    struct engine_streaming *s = &e->streaming;
    buf_free(&s->subjects);
    buf_free(&s->suspicion_counts);
    buf_free(&s->suspicion_prints);
    edit_stream_end(&s->edit);
    if (s->arena) arena_free(s->arena);
    mem_free(s->rule_counts);
    mem_free(s->rules);
}

static int compare_handles(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* Sorts them and leaves each once. */
static size_t settle_subjects(struct buf *subjects)
{
    size_t n = buf_len(subjects) / sizeof(uint64_t), kept = 0;
    if (n == 0) return 0;
    uint64_t *all = (uint64_t *)(void *)(subjects->base + subjects->read);
    qsort(all, n, sizeof *all, compare_handles);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || all[kept - 1] != all[i]) all[kept++] = all[i];
    subjects->write = subjects->read + kept * sizeof *all;
    return kept;
}

/* ---- one unit --------------------------------------------------------------------------------------------------- */

/* However much stands outside every unit, it is in one document. */
static bool add_up(struct engine *e, const struct policy_verdict *v)
{
    struct engine_streaming *s = &e->streaming;
    struct policy_verdict *sums = &s->sums;
    bool again = sums->outside && v->outside;
    sums->outside |= v->outside;
    memcpy(s->outside, v->outside_markers, sizeof s->outside);
    sums->found |= v->found;
    sums->flawed |= v->flawed;
    sums->seen += v->seen - again;
    sums->protected_ += v->protected_ - again;
    sums->withheld_count += v->withheld_count - (again && v->document_withheld);
    sums->disclosed += v->disclosed - (again && e->begin.class == RECIPIENT_ENTITLED);
    sums->unmatched += v->unmatched;
    for (size_t i = 0; i < v->rule_count; i++) {
        uint32_t *count = &s->rule_counts[v->rules[i].rule];
        *count = UINT32_MAX - *count < v->rules[i].count ? UINT32_MAX : *count + v->rules[i].count;
    }
    if (v->subject_count == 0) return true;
    if (buf_len(&s->subjects) > SUBJECTS_MAX / 2) (void)settle_subjects(&s->subjects); /* many times the same few */
    return is_ok(buf_append(&s->subjects, span_of(v->subjects, v->subject_count * sizeof *v->subjects)));
}

/* Nothing was found in it and nothing of it goes: most are like that. */
static bool is_plain(const struct engine *e, const struct match_step *step)
{
    const struct match_piece *p = &step->piece;
    return step->inside.piece_count == 1 && !step->inside.search && step->inside.finding_count == 0 && step->inside.container_count == 0 &&
           !p->removed && p->end - p->begin <= e->begin.limits.record && p->depth <= e->begin.limits.depth;
}

static enum engine_unreadable judge_unit(struct engine *e, const struct match_step *step, struct engine_outcome *out)
{
    struct engine_streaming *s = &e->streaming;
    struct engine_limits limits = e->begin.limits;
    limits.document = UINT64_MAX;
    struct match_survey inside = step->inside;
    inside.outside = s->outside;
    size_t size = (size_t)(step->piece.end - step->piece.begin);
    struct engine_judging j = {.survey = &inside,
        .class = e->begin.class,
        .limits = &limits,
        .body = span_sub(s->edit.window, (size_t)(step->piece.begin - s->edit.base), size),
        .arena = s->arena};
    return engine_judge(&j, out);
}

static enum edit_fate fate_of(const struct match_piece *p, const struct policy_verdict *v)
{
    enum policy_withheld withheld = (enum policy_withheld)v->withheld[0];
    bool nobody = match_piece_says_nobody(p);
    if (p->removed && !nobody) return p->is_root ? EDIT_NULL : EDIT_DROP;
    if (withheld == POLICY_KEPT) return nobody ? EDIT_NULL : EDIT_KEEP;
    return withheld != POLICY_WITHHELD_NAME && p->is_member && p->absent_null ? EDIT_NULL : EDIT_DROP;
}

static bool latch_memory(struct engine *e)
{
    engine_latch(e, ENGINE_MEMORY, e->streaming.edit.cursor);
    return false;
}

/* Bytes that the charset does not have contradict it where they are seen. */
static bool is_spelt(const struct engine *e, uint64_t from)
{
    const struct edit_stream *s = &e->streaming.edit;
    if (e->charset != ENGINE_ASCII) return true;
    return engine_is_ascii(span_sub(buf_span(s->out), (size_t)(from - s->begun), (size_t)(s->settled - from)));
}

static bool put(struct engine *e, const struct match_step *step, enum edit_fate fate, const struct edit_list *runs)
{
    struct edit_stream *s = &e->streaming.edit;
    uint64_t before = s->settled;
    if (!is_ok(edit_stream_piece(s, &step->piece, step->container, fate, runs))) return latch_memory(e);
    if (e->begin.class == RECIPIENT_ENTITLED || is_spelt(e, before)) return true;
    s->settled = before;
    engine_latch(e, ENGINE_FORMAT, step->piece.begin);
    return false;
}

static void tell(const struct engine *e, const struct match_step *step, enum edit_fate fate, const struct edit_list *edits,
    const struct policy_verdict *v)
{
    const struct engine_watch *w = &e->begin.watch;
    struct engine_unit u = {.begin = step->piece.begin, .end = step->piece.end, .edits = fate == EDIT_KEEP ? edits : NULL, .inside = &step->inside,
        .verdict = v};
    if (w->unit != NULL) w->unit(w->ctx, &u);
}

static bool keep_plain(struct engine *e, const struct match_step *step)
{
    struct policy_verdict *sums = &e->streaming.sums;
    uint64_t size = step->piece.end - step->piece.begin;
    ASSERT(size <= UINT32_MAX);
    struct edit_run run = {.len = (uint32_t)size};
    struct edit_list whole = {.runs = &run, .count = 1, .length = size, .identity = true};
    bool unit = step->piece.roles & PATH_UNIT;
    sums->seen += unit;
    sums->disclosed += unit;
    tell(e, step, EDIT_KEEP, &whole, NULL);
    return put(e, step, EDIT_KEEP, &whole);
}

static bool note_suspicions(struct engine *e, const struct match_step *step)
{
    struct engine_streaming *s = &e->streaming;
    struct engine_outcome out = {0};
    struct match_survey inside = step->inside;
    inside.document = rules_document_view(e->begin.document);
    if (engine_suspect(&inside, e->begin.registry, s->arena, &out) != ENGINE_READABLE) return latch_memory(e);
    for (size_t i = 0; i < out.suspicion_count; i++) {
        const struct engine_suspicion *one = &out.suspicions[i];
        result r = buf_append(&s->suspicion_counts, span_of(&one->count, sizeof one->count));
        if (is_ok(r)) r = buf_append(&s->suspicion_prints, span_of(one->prints, one->count * sizeof *one->prints));
        if (!is_ok(r)) return latch_memory(e);
    }
    return true;
}

bool engine_stream_suspicions(const struct engine *e, struct arena *arena, struct engine_outcome *out)
{
    const struct engine_streaming *s = &e->streaming;
    size_t n = buf_len(&s->suspicion_counts) / sizeof(size_t);
    out->suspicions = NULL;
    out->suspicion_count = 0;
    if (n == 0) return true;
    span prints = arena_copy(arena, buf_span(&s->suspicion_prints));
    struct engine_suspicion *list = arena_array(arena, n, sizeof *list);
    if (!prints.ptr || !list) return false;
    const struct registry_print *at = (const struct registry_print *)(const void *)prints.ptr;
    for (size_t i = 0; i < n; i++) {
        memcpy(&list[i].count, s->suspicion_counts.base + s->suspicion_counts.read + i * sizeof(size_t), sizeof(size_t));
        list[i].prints = at;
        at += list[i].count;
    }
    out->suspicions = list;
    out->suspicion_count = n;
    return true;
}

//= 8USC1367 a(2)
static bool decide_unit(struct engine *e, const struct match_step *step)
{
    struct engine_streaming *s = &e->streaming;
    struct engine_outcome out = {0};
    arena_reset(s->arena);
    enum engine_unreadable u = judge_unit(e, step, &out);
    if (u != ENGINE_READABLE) {
        engine_latch(e, u, step->piece.begin);
        return false;
    }
    if (!add_up(e, &out.verdict)) return latch_memory(e);
    if (step->inside.identifier_count > 0 && !note_suspicions(e, step)) return false;
    if (e->begin.class == RECIPIENT_ENTITLED) return put(e, step, EDIT_KEEP, &out.edits);
    bool itself = out.verdict.withheld[0] != POLICY_KEPT;
    s->sums.document_withheld |= out.verdict.document_withheld && (!itself || step->piece.is_root);
    enum edit_fate fate = fate_of(&step->piece, &out.verdict);
    tell(e, step, fate, &out.edits, &out.verdict);
    if (s->sums.document_withheld) return false;
    return put(e, step, fate, &out.edits);
}

/* A finding that can be left out with nothing. In `texts` it is about somebody else. */
static bool decide_outside(struct engine *e, const struct match_step *step)
{
    struct engine_streaming *s = &e->streaming;
    struct policy_verdict v;
    struct match_survey inside = step->inside;
    inside.outside = s->outside;
    arena_reset(s->arena);
    if (!is_ok(policy_decide(&inside, NULL, e->begin.class, s->arena, &v)) || !add_up(e, &v)) {
        return latch_memory(e);
    }
    s->sums.document_withheld |= v.document_withheld;
    return !v.document_withheld;
}

static bool end_container(struct engine *e, const struct match_step *step)
{
    if (e->begin.class == RECIPIENT_ENTITLED) return true;
    return is_ok(edit_stream_close(&e->streaming.edit, step->container)) || latch_memory(e);
}

/* ---- what has ended --------------------------------------------------------------------------------------------- */

static uint64_t twice(uint64_t limit)
{
    return limit > UINT64_MAX / 2 ? UINT64_MAX : 2 * limit;
}

static uint64_t step_at(const struct match_step *step)
{
    switch (step->kind) {
    case MATCH_STEP_PIECE: return step->piece.end;
    case MATCH_STEP_CONTAINER: return step->container->close;
    case MATCH_STEP_OUTSIDE: return step->inside.findings[0].at;
    }
    return 0;
}

/* What lies outside the units is held like one of them until the next that stays. */
static bool is_within_limits(struct engine *e, uint64_t begin, uint64_t at)
{
    uint64_t cursor = e->streaming.edit.cursor;
    if (begin > cursor && begin - cursor > twice(e->begin.limits.record)) {
        engine_latch(e, ENGINE_RECORD, cursor);
        return false;
    }
    if (e->begin.class == RECIPIENT_ENTITLED || at <= match_too_deep(e->match)) return true;
    engine_latch(e, ENGINE_DEPTH, match_too_deep(e->match));
    return false;
}

static bool take_step(struct engine *e, const struct match_step *step)
{
    uint64_t at = step_at(step);
    if (!is_within_limits(e, step->kind == MATCH_STEP_PIECE ? step->piece.begin : at, at)) return false;
    switch (step->kind) {
    case MATCH_STEP_PIECE: return is_plain(e, step) ? keep_plain(e, step) : decide_unit(e, step);
    case MATCH_STEP_CONTAINER: return end_container(e, step);
    case MATCH_STEP_OUTSIDE: return decide_outside(e, step);
    }
    return false;
}

/* A number (or a word) at the very end of what was cut off may have gone on: it has not ended. */
static bool may_go_on(const struct engine *e, const struct match_step *step)
{
    const struct edit_stream *s = &e->streaming.edit;
    if (step->kind != MATCH_STEP_PIECE || step->piece.end < e->streaming.read) return false;
    uint8_t last = s->window.ptr[step->piece.end - 1 - s->base];
    return last != '"' && last != '}' && last != ']';
}

static bool take_steps(struct engine *e, enum match_stand stand)
{
    struct match_step step;
    if (!is_ok(match_steps_begin(e->match, stand))) return latch_memory(e);
    while (match_steps_next(e->match, &step)) {
        if (stand == MATCH_BROKEN && may_go_on(e, &step)) return true;
        if (!take_step(e, &step)) return false;
    }
    match_steps_end(e->match);
    return true;
}

/* What came before a break is decided as if more were to come: how much that is depends on the bytes alone, so the reader
 * is told that they end. */
static bool broken(struct engine *e, enum engine_unreadable u, uint64_t at)
{
    if (take_steps(e, MATCH_BROKEN)) engine_latch(e, u, at);
    return false;
}

/* Before it has ended, a unit (or what is between two) is known to be too large only by what is there of it. */
static bool is_bounded(struct engine *e)
{
    uint64_t reached = match_reached(e->match);
    const struct match_piece *held = match_held(e->match);
    if (!is_within_limits(e, held ? held->begin : reached, reached)) return false;
    uint64_t from = !held ? reached : held->end ? held->end : held->begin;
    if (from >= reached || reached - from <= twice(e->begin.limits.record)) return true;
    return broken(e, ENGINE_RECORD, from);
}

static bool finish(struct engine *e)
{
    struct edit_stream *s = &e->streaming.edit;
    if (!is_ok(edit_stream_keep(s, e->streaming.read))) return latch_memory(e);
    uint64_t before = s->settled;
    edit_stream_settle(s);
    if (e->begin.class != RECIPIENT_ENTITLED && !is_spelt(e, before)) {
        s->settled = before;
        engine_latch(e, ENGINE_FORMAT, before);
    }
    return false;
}

static bool read_on(struct engine *e, const struct doc_window *w, enum engine_end end)
{
    uint64_t at = 0;
    enum doc_status status = match_feed(e->match, w);
    e->streaming.read = w->base + w->len;
    if (status == DOC_MALFORMED) {
        enum engine_unreadable u = engine_unreadable_of(match_malformed(e->match, &at));
        if (u == ENGINE_MEMORY) return latch_memory(e);
        return broken(e, end == ENGINE_CUT ? ENGINE_CUT_SHORT : u, at);
    }
    if (end == ENGINE_CUT) return broken(e, ENGINE_CUT_SHORT, e->streaming.read);
    if (!take_steps(e, status == DOC_COMPLETE ? MATCH_ENDED : MATCH_GOES_ON) || !is_bounded(e)) return false;
    return status == DOC_COMPLETE ? finish(e) : true;
}

bool engine_stream(struct engine *e, span window, uint64_t base, enum engine_end end)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    ASSERT(e->started && e->stream);
    static const uint8_t nothing[1];
    if (e->unreadable != ENGINE_READABLE || e->streaming.sums.document_withheld) return false;
    struct doc_window w = {.base = base,
        .data = window.ptr ? window.ptr : nothing,
        .len = window.len,
        .complete = end != ENGINE_GOES_ON};
    e->streaming.edit.window = window;
    e->streaming.edit.base = base;
    return read_on(e, &w, end);
}

/* ---- looking at it ---------------------------------------------------------------------------------------------- */

bool engine_is_stream(const struct engine *e)
{
    return e->stream && e->unreadable == ENGINE_READABLE;
}

uint64_t engine_stream_needs(const struct engine *e)
{
    uint64_t needs = match_needs(e->match), cursor = e->streaming.edit.cursor;
    return cursor < needs ? cursor : needs;
}

uint64_t engine_stream_done(const struct engine *e)
{
    return e->streaming.edit.cursor;
}

uint64_t engine_stream_settled(const struct engine *e)
{
    return e->streaming.edit.settled;
}

void engine_stream_taken(struct engine *e, uint64_t n)
{
    struct edit_stream *s = &e->streaming.edit;
    s->begun += n;
    ASSERT(s->begun <= s->settled);
    if (s->begun < e->streaming.marked_settled) return;
    match_forget_asked(e->match, e->streaming.marked_done);
    e->streaming.marked_settled = s->settled;
    e->streaming.marked_done = s->cursor;
}

bool engine_stream_has_missed(const struct engine *e)
{
    return match_anybody_since(e->match);
}

void engine_stream_part(struct engine *e, struct policy_verdict *out)
{
    MAGIC_CHECK(e, ENGINE_MAGIC);
    struct engine_streaming *s = &e->streaming;
    size_t count = 0;
    for (size_t i = 0; i < rules_count(e->rules); i++)
        if (s->rule_counts[i] > 0) s->rules[count++] = (struct policy_rule_count){(rule_id)i, s->rule_counts[i]};
    *out = s->sums;
    out->rules = s->rules;
    out->rule_count = count;
    out->subject_count = settle_subjects(&s->subjects);
    out->subjects = (const uint64_t *)(const void *)buf_span(&s->subjects).ptr;
}

void engine_stream_next_part(struct engine *e)
{
    struct engine_streaming *s = &e->streaming;
    s->sums = (struct policy_verdict){.document_withheld = s->sums.document_withheld, .outside = s->sums.outside};
    memset(s->rule_counts, 0, rules_count(e->rules) * sizeof *s->rule_counts);
    buf_clear(&s->subjects);
    buf_clear(&s->suspicion_counts);
    buf_clear(&s->suspicion_prints);
}

size_t engine_stream_subjects(const struct engine *e)
{
    return buf_len(&e->streaming.subjects) / sizeof(uint64_t);
}

enum engine_unreadable engine_stream_unreadable(const struct engine *e)
{
    return e->unreadable;
}
