/* Stage 2: from mark to mark. What it emits depends on the bytes alone, never on where chunks or windows ended. */
#include "doc/reader.h"
#include "doc/text.h"

#define TOKEN_MOST 0x7FFFFFFFU

/* One mark: its offset and the byte there; a blank behind the end of the body, where a scalar may end. */
struct mark {
    uint64_t at;
    uint8_t byte;
};

static void value_ended(struct doc_reader *r)
{
    r->state = r->depth > 0 ? WALK_AFTER : WALK_DONE;
}

static void emit(struct doc_reader *r, struct walk_out *out, struct doc_event event)
{
    if (LIKELY(out->count < out->capacity)) {
        out->events[out->count++] = event;
        return;
    }
    ASSERT(r->pending_count < WALK_PENDING);
    r->pending[r->pending_count++] = event;
}

static void emit_simple(struct doc_reader *r, struct walk_out *out, enum doc_event_kind kind, uint64_t at, uint32_t len)
{
    emit(r, out, (struct doc_event){.at = at, .len = len, .kind = (uint8_t)kind});
}

static void emit_flaw(struct doc_reader *r, struct walk_out *out, enum doc_flaw flaw, uint64_t at)
{
    emit(r, out, (struct doc_event){.at = at, .name = (uint16_t)flaw, .kind = DOC_FLAW});
}

/* The body cannot be read on. */
static void stop(struct doc_reader *r, enum doc_malformed what, uint64_t at)
{
    r->status = DOC_MALFORMED;
    r->malformed = what;
    r->malformed_at = at;
}

static void drop_frames(struct doc_reader *r)
{
    if (r->depth > 0) names_leave(&r->names, r->frames[0].mark);
    r->depth = 0;
    r->object = 0;
    r->names.last = DOC_NAME_NONE;
    r->names.inside = false;
    r->lesson.on = false;
}

/* The text is not JSON: the end of a JSON body, of a line in NDJSON. */
static void fail(struct doc_reader *r, struct walk_out *out, enum doc_malformed what, uint64_t at)
{
    r->token = TOKEN_NONE;
    if (!r->lines) {
        stop(r, what, at);
        return;
    }
    emit(r, out, (struct doc_event){.at = at, .name = DOC_FLAW_LINE, .kind = DOC_FLAW, .flags = (uint8_t)what});
    drop_frames(r);
    r->state = WALK_SKIP;
}

/* ---- containers ------------------------------------------------------------------------------------------------ */

static bool grow_frames(struct doc_reader *r)
{
    if (r->depth < r->frames_size) return true;
    uint32_t size = r->frames_size ? 2 * r->frames_size : 32;
    struct walk_frame *frames = size > r->frames_size ? mem_resize(r->frames, size * sizeof *frames) : NULL;
    if (!frames) return false;
    r->frames = frames;
    r->frames_size = size;
    return true;
}

static void begin_container(struct doc_reader *r, struct walk_out *out, struct mark m)
{
    bool object = m.byte == '{';
    if (UNLIKELY(r->depth >= r->limits.depth)) {
        stop(r, DOC_TOO_DEEP, m.at);
        return;
    }
    if (UNLIKELY(!grow_frames(r))) {
        stop(r, DOC_NO_MEMORY, m.at);
        return;
    }
    walk_push(r, m.at, object, r->names.last);
    r->state = object ? WALK_FIRST_NAME : WALK_FIRST_VALUE;
    emit_simple(r, out, object ? DOC_OBJECT_BEGIN : DOC_ARRAY_BEGIN, m.at, 1);
}

static void end_container(struct doc_reader *r, struct walk_out *out, struct mark m)
{
    walk_pop(r);
    if (r->depth <= r->lesson.depth) r->lesson.on = false; /* where it ends is not seen here */
    emit_simple(r, out, m.byte == '}' ? DOC_OBJECT_END : DOC_ARRAY_END, m.at, 1);
    value_ended(r);
}

/* ---- tokens ---------------------------------------------------------------------------------------------------- */

/* First bit set in [from, to), or `to`. */
static size_t plane_first(const uint64_t *plane, size_t from, size_t to)
{
    for (; from < to; from += 57) {
        uint64_t bits = plane_bits(plane, from, to - from < 57 ? to - from : 57);
        if (bits) return from + (size_t)__builtin_ctzll(bits);
    }
    return to;
}

static bool is_suspect(const struct doc_scan *s, size_t from, size_t to)
{
    size_t first = from / SCAN_BLOCK / 2, last = to / SCAN_BLOCK / 2;
    if (first > 63) return false;
    uint64_t upto = last >= 63 ? ~0ULL : (2ULL << last) - 1;
    return (s->suspect & upto & ~0ULL << first) != 0;
}

/* Adds what the planes say about [from, to) of the chunk. `to` is the mark that ends the token or the chunk's end: a
 * sequence cut off by the closing quote is seen only there. */
static void sum_range(const struct doc_scan *s, size_t from, size_t to, struct token_sum *sum)
{
    uint32_t special = 0;
    for (size_t at = from; at < to; at += 57) {
        size_t count = to - at < 57 ? to - at : 57;
        sum->digits += (uint32_t)__builtin_popcountll(plane_bits(s->digit, at, count));
        special |= plane_bits(s->special, at, count) != 0;
    }
    if (LIKELY(!special)) {
        sum->suspect |= s->suspect && is_suspect(s, from, to);
        return;
    }
    if (plane_first(s->backslash, from, to) < to) sum->flags |= DOC_ESCAPED;
    if (plane_first(s->high, from, to) < to) sum->flags |= DOC_NON_ASCII;
    if (plane_first(s->percent, from, to) < to) sum->flags |= DOC_PERCENT;
    sum->suspect |= is_suspect(s, from, to);
}

static size_t token_from(const struct doc_reader *r)
{
    return r->token_at > r->chunk_at ? (size_t)(r->token_at - r->chunk_at) : 0;
}

/* A raw control character in the part of the string that lies in this chunk before `to`. */
static bool find_control(const struct doc_reader *r, size_t to, uint64_t *at)
{
    size_t found = plane_first(r->scan.control, token_from(r), to);
    *at = r->chunk_at + found;
    return found < to;
}

static uint8_t token_flags(const struct token_sum *sum, uint64_t len)
{
    uint8_t flags = sum->flags;
    if (sum->digits >= 6) flags |= DOC_DIGITS;
    if (len >= 12) flags |= DOC_LONG;
    return flags;
}

/* Emits the flaws of a string that is not plain; false when it is malformed. */
static bool check_text(struct doc_reader *r, struct walk_out *out, span raw)
{
    bool name = r->token == TOKEN_NAME;
    struct text_escapes e = {TEXT_NONE, TEXT_NONE, TEXT_NONE};
    size_t bad = TEXT_NONE;
    if (r->sum.flags & DOC_ESCAPED) e = text_check_escapes(raw);
    if (e.malformed != TEXT_NONE) {
        fail(r, out, DOC_BAD_GRAMMAR, r->token_at + e.malformed);
        return false;
    }
    if (r->sum.suspect && (r->sum.flags & DOC_NON_ASCII)) bad = text_find_bad_utf8(raw);
    if (e.lone_surrogate != TEXT_NONE) emit_flaw(r, out, DOC_FLAW_LONE_SURROGATE, r->token_at + e.lone_surrogate);
    if (bad != TEXT_NONE) emit_flaw(r, out, DOC_FLAW_INVALID_UTF8, r->token_at + bad);
    if (name && e.nul != TEXT_NONE) emit_flaw(r, out, DOC_FLAW_NUL_IN_NAME, r->token_at + e.nul);
    return true;
}

/* Notes the name in its object; false when out of memory. */
static bool meet_name(struct doc_reader *r, struct walk_out *out, span raw, uint16_t *id)
{
    switch (names_meet(&r->names, raw, r->sum.flags & DOC_ESCAPED, r->frames, r->depth, id)) {
    case NAMES_NEW: return true;
    case NAMES_DUPLICATE: emit_flaw(r, out, DOC_FLAW_DUPLICATE_NAME, r->token_at); return true;
    case NAMES_NO_MEMORY: stop(r, DOC_NO_MEMORY, r->token_at); return false;
    }
    return false;
}

static void end_string(struct doc_reader *r, const struct doc_window *w, struct walk_out *out, struct mark m)
{
    uint64_t control, len = m.at - r->token_at;
    size_t to = (size_t)(m.at - r->chunk_at);
    span raw = span_of(w->data + (r->token_at - w->base), len);
    bool name = r->token == TOKEN_NAME;
    uint16_t id = 0;
    sum_range(&r->scan, token_from(r), to, &r->sum);
    if (UNLIKELY(find_control(r, m.byte == '"' ? to : to + 1, &control))) {
        fail(r, out, DOC_CONTROL, control);
        return;
    }
    if (UNLIKELY(len > TOKEN_MOST)) {
        stop(r, DOC_TOO_LARGE, r->token_at);
        return;
    }
    if (r->sum.flags & (DOC_ESCAPED | DOC_NON_ASCII) && !check_text(r, out, raw)) return;
    if (name && !meet_name(r, out, raw, &id)) return;
    emit(r, out,
        (struct doc_event){.at = r->token_at,
            .len = (uint32_t)len,
            .name = id,
            .kind = name ? DOC_NAME : DOC_STRING,
            .flags = token_flags(&r->sum, len)});
    r->token = TOKEN_NONE;
    if (name)
        r->state = WALK_COLON;
    else
        value_ended(r);
}

//= RFC8259 3
static bool scalar_kind(span s, enum doc_event_kind *kind)
{
    *kind = DOC_NUMBER;
    if (text_is_number(s)) return true;
    *kind = s.ptr[0] == 't' ? DOC_TRUE : s.ptr[0] == 'f' ? DOC_FALSE : DOC_NULL;
    return span_equal(s, SPAN("true")) || span_equal(s, SPAN("false")) || span_equal(s, SPAN("null"));
}

static uint8_t number_flags(const struct token_sum *sum, span lexeme)
{
    uint8_t flags = token_flags(sum, lexeme.len);
    if (sum->digits == lexeme.len) return flags | DOC_PLAIN;
    return flags | (text_has_exponent(lexeme) ? DOC_EXPONENT : 0);
}

static void end_scalar(struct doc_reader *r, const struct doc_window *w, struct walk_out *out, struct mark m)
{
    uint64_t len = m.at - r->token_at;
    enum doc_event_kind kind;
    if (UNLIKELY(len > TOKEN_MOST)) {
        stop(r, DOC_TOO_LARGE, r->token_at);
        return;
    }
    span lexeme = span_of(w->data + (r->token_at - w->base), len);
    if (!scalar_kind(lexeme, &kind)) {
        fail(r, out, DOC_BAD_GRAMMAR, r->token_at);
        return;
    }
    sum_range(&r->scan, token_from(r), (size_t)(m.at - r->chunk_at), &r->sum);
    emit(r, out,
        (struct doc_event){.at = r->token_at,
            .len = (uint32_t)len,
            .kind = (uint8_t)kind,
            .flags = kind == DOC_NUMBER ? number_flags(&r->sum, lexeme) : 0});
    r->token = TOKEN_NONE;
    value_ended(r);
}

static void begin_token(struct doc_reader *r, enum walk_token token, uint64_t at)
{
    r->token = token;
    r->token_at = at;
    r->sum = (struct token_sum){0};
}

/* ---- the machine ----------------------------------------------------------------------------------------------- */

static void begin_value(struct doc_reader *r, struct walk_out *out, struct mark m)
{
    switch (m.byte) {
    case '{':
    case '[': begin_container(r, out, m); break;
    case '"': begin_token(r, TOKEN_STRING, m.at + 1); break;
    case '}':
    case ']':
    case ':':
    case ',': fail(r, out, DOC_BAD_GRAMMAR, m.at); break;
    default: begin_token(r, TOKEN_SCALAR, m.at);
    }
}

static void after_value(struct doc_reader *r, struct walk_out *out, struct mark m)
{
    bool object = r->frames[r->depth - 1].object != 0;
    if (m.byte == ',')
        r->state = object ? WALK_NAME : WALK_VALUE;
    else if (m.byte == (object ? '}' : ']'))
        end_container(r, out, m);
    else
        fail(r, out, DOC_BAD_GRAMMAR, m.at);
}

static void step(struct doc_reader *r, struct walk_out *out, struct mark m)
{
    switch (r->state) {
    case WALK_FIRST_VALUE:
        if (m.byte == ']')
            end_container(r, out, m);
        else
            begin_value(r, out, m);
        break;
    case WALK_VALUE: begin_value(r, out, m); break;
    case WALK_FIRST_NAME:
    case WALK_NAME:
        if (m.byte == '"')
            begin_token(r, TOKEN_NAME, m.at + 1);
        else if (m.byte == '}' && r->state == WALK_FIRST_NAME)
            end_container(r, out, m);
        else
            fail(r, out, DOC_BAD_GRAMMAR, m.at);
        break;
    case WALK_COLON:
        if (m.byte == ':')
            r->state = WALK_VALUE;
        else
            fail(r, out, DOC_BAD_GRAMMAR, m.at);
        break;
    case WALK_AFTER: after_value(r, out, m); break;
    case WALK_DONE: fail(r, out, DOC_TRAILING, m.at); break;
    case WALK_SKIP: break;
    }
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

/* The line ends at `at`; its terminator has `len` bytes from `from` on. */
static void end_line(struct doc_reader *r, struct walk_out *out, uint64_t at, uint64_t from, uint32_t len)
{
    if (r->line_open) {
        if (r->state != WALK_DONE && r->state != WALK_SKIP) fail(r, out, DOC_CUT_SHORT, at);
        emit_simple(r, out, DOC_LINE_END, from, len);
    }
    r->state = WALK_VALUE;
    r->line_open = false;
    r->line_at = at + 1;
}

static void meet_line_feed(struct doc_reader *r, const struct doc_window *w, struct walk_out *out, uint64_t at)
{
    bool cr = at > r->line_at && w->data[at - 1 - w->base] == '\r';
    end_line(r, out, at, cr ? at - 1 : at, cr ? 2 : 1);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One mark, whatever it is. */
static void walk_mark(struct doc_reader *r, const struct doc_window *w, struct walk_out *out, struct mark m)
{
    if (r->token == TOKEN_SCALAR) {
        end_scalar(r, w, out, m); /* the byte that ended it has a meaning of its own */
    } else if (r->token != TOKEN_NONE) {
        end_string(r, w, out, m);
        if (m.byte == '"') return;
    }
    if (r->status != DOC_MORE) return;
    if (m.byte == '\n' && r->lines) {
        meet_line_feed(r, w, out, m.at);
        return;
    }
    if (is_space(m.byte)) return;
    if (r->lines && !r->line_open) {
        r->line_open = true;
        emit_simple(r, out, DOC_LINE_BEGIN, r->line_at, 0);
    }
    step(r, out, m);
}

enum doc_status walk_marks(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    while (r->next_mark < r->scan.mark_count) {
        if (r->token == TOKEN_NONE && r->scan.mark_count - r->next_mark >= WALK_FAST_MARKS) r->fast(r, w, out);
        if (r->status != DOC_MORE) return r->status;
        if (out->count >= out->capacity || out->full) return DOC_FULL;
        if (r->next_mark == r->scan.mark_count) break;
        scan_reach(&r->scan, r->next_mark, 1);
        uint64_t at = r->chunk_at + r->scan.marks[r->next_mark];
        bool inside = at < w->base + w->len;
        walk_mark(r, w, out, (struct mark){at, inside ? w->data[at - w->base] : ' '});
        r->next_mark++;
        if (UNLIKELY(r->status != DOC_MORE)) return r->status;
        if (UNLIKELY(r->pending_count > 0)) return DOC_FULL;
    }
    return DOC_MORE;
}

enum doc_status walk_chunk_end(struct doc_reader *r, struct walk_out *out)
{
    uint64_t control;
    size_t to = (size_t)(r->scanned - r->chunk_at);
    if (r->token == TOKEN_STRING || r->token == TOKEN_NAME) {
        if (find_control(r, to, &control)) fail(r, out, DOC_CONTROL, control);
    }
    if (r->token != TOKEN_NONE) {
        if (r->scanned - r->token_at > TOKEN_MOST) stop(r, DOC_TOO_LARGE, r->token_at);
        sum_range(&r->scan, token_from(r), to, &r->sum);
    }
    r->chunk_at = r->scanned; /* an empty chunk: nothing is counted twice */
    r->next_mark = r->scan.mark_count = 0;
    r->lesson.on = false;
    return r->status;
}

enum doc_status walk_body_end(struct doc_reader *r, struct walk_out *out)
{
    enum doc_status status = walk_chunk_end(r, out);
    if (status != DOC_MORE) return status;
    if (r->token != TOKEN_NONE || (!r->lines && r->state != WALK_DONE)) fail(r, out, DOC_CUT_SHORT, r->scanned);
    if (r->lines) end_line(r, out, r->scanned, r->scanned, 0);
    return r->status == DOC_MORE ? DOC_COMPLETE : r->status;
}
