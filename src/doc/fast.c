/* Stage 2 for what bodies mostly consist of. Everything here could also be done mark by mark in walk.c, with the same
 * events; a test holds the two against each other by cutting bodies so that only one of them ever runs. */
#include "doc/reader.h"
#include "doc/text.h"

/* Marks and events that must be at hand before a stride: no stride takes more, and the eight bytes behind the first
 * mark may then be loaded at once, because every mark stands on a byte of its own. */
#define MARKS_AHEAD 10
#define EVENTS_AHEAD 4

struct stride {
    struct doc_reader *r;
    struct doc_scan *scan;
    const uint8_t *data;  /* the window */
    uint64_t shift;       /* data[shift + mark] is the byte at a mark (modulo 2^64: the window may begin later) */
    const uint16_t *mark; /* the next one */
    struct doc_event *event;
};

static inline const uint8_t *byte_at(const struct stride *s, size_t mark) { return s->data + (size_t)(s->shift + mark); }

static inline void put(struct stride *s, size_t from, size_t len, uint32_t name, uint32_t kind, uint32_t flags)
{
    uint64_t low = (uint64_t)len | (uint64_t)name << 32 | (uint64_t)kind << 48 | (uint64_t)flags << 56;
    uint64_t at = s->r->chunk_at + from;
    _Static_assert(offsetof(struct doc_event, len) == 8 && offsetof(struct doc_event, flags) == 15, "two words");
    memcpy(s->event, &at, 8); /* two stores instead of five; every machine we build for is little-endian */
    memcpy(&s->event->len, &low, 8);
    s->event++;
}

/* Six bits set or more. */
static inline bool is_six(uint64_t bits)
{
    for (int i = 0; i < 5; i++)
        bits &= bits - 1;
    return bits != 0;
}

static inline uint32_t short_flags(const struct stride *s, size_t from, size_t len)
{
    return (is_six(plane_bits(s->scan->digit, from, len)) ? DOC_DIGITS : 0) | (len >= 12 ? DOC_LONG : 0);
}

/* Flags of a string that is long or holds something special; false when it needs a closer look. */
static __attribute__((noinline)) bool careful_flags(const struct stride *s, size_t from, size_t to, uint32_t *flags)
{
    const struct doc_scan *scan = s->scan;
    uint64_t backslash = 0, control = 0, high = 0, percent = 0, digits = 0;
    for (size_t at = from; at < to; at += PLANE_BITS_MOST) {
        size_t count = to - at < PLANE_BITS_MOST ? to - at : PLANE_BITS_MOST;
        digits += (uint64_t)__builtin_popcountll(plane_bits(scan->digit, at, count));
        if (plane_bits(scan->special, at, count) == 0) continue;
        backslash |= plane_bits(scan->backslash, at, count);
        control |= plane_bits(scan->control, at, count);
        high |= plane_bits(scan->high, at, count);
        percent |= plane_bits(scan->percent, at, count);
    }
    if (backslash || control || (high && scan->suspect)) return false;
    *flags = (to - from >= 12 ? DOC_LONG : 0) | (digits >= 6 ? DOC_DIGITS : 0) | (high ? DOC_NON_ASCII : 0) |
             (percent ? DOC_PERCENT : 0);
    return true;
}

/* The string whose quotes are the marks 0 and 1. */
static inline bool string_flags(const struct stride *s, size_t from, size_t to, uint32_t *flags)
{
    size_t len = to - from;
    if (LIKELY(len <= PLANE_BITS_MOST && plane_bits(s->scan->special, from, len) == 0)) {
        *flags = short_flags(s, from, len);
        return true;
    }
    return careful_flags(s, from, to, flags);
}

static inline bool is_name(const struct name_entry *e, const uint8_t *raw, size_t len)
{
    uint64_t head = load_le64(raw);
    if (e->len != len) return false;
    if (len < 8) return ((head ^ e->head) & ((1ULL << 8 * len) - 1)) == 0;
    if (head != e->head) return false;
    for (size_t at = 8; at + 8 <= len; at += 8)
        if (load_le64(raw + at) != load_le64(e->bytes + at)) return false;
    return load_le64(raw + len - 8) == load_le64(e->bytes + len - 8);
}

/* The name as predicted by the one before it, in an object that does not have it yet: its id, else DOC_NAME_NONE. */
static inline uint16_t predicted_name(struct stride *s, const struct walk_frame *frame, size_t from, size_t len)
{
    struct doc_names *n = &s->r->names;
    if (UNLIKELY(n->last == DOC_NAME_NONE)) return DOC_NAME_NONE;
    uint16_t id = n->entries[n->last].next;
    if (UNLIKELY(id == DOC_NAME_NONE)) return id;
    struct name_entry *e = &n->entries[id];
    if (!is_name(e, byte_at(s, from), len)) return DOC_NAME_NONE;
    if (UNLIKELY(e->object == frame->object || (e->object != 0 && e->object <= frame->outer))) return DOC_NAME_NONE;
    e->object = frame->object;
    n->last = id;
    return id;
}

/* A name and its colon. */
static inline bool take_name(struct stride *s, const struct walk_frame *frame)
{
    size_t from = (size_t)s->mark[0] + 1, to = s->mark[1];
    uint32_t flags;
    uint16_t id;
    if (*byte_at(s, to) != '"' || *byte_at(s, s->mark[2]) != ':') return false;
    if (!string_flags(s, from, to, &flags)) return false;
    id = predicted_name(s, frame, from, to - from);
    if (UNLIKELY(id == DOC_NAME_NONE)) {
        span raw = span_of(byte_at(s, from), to - from);
        enum names_verdict verdict = names_meet(&s->r->names, raw, false, frame->object, frame->outer, &id);
        if (verdict == NAMES_NO_MEMORY) return false; /* met again mark by mark, where it is told */
        if (verdict == NAMES_DUPLICATE) put(s, from, 0, DOC_FLAW_DUPLICATE_NAME, DOC_FLAW, 0);
    }
    put(s, from, to - from, id, DOC_NAME, flags);
    s->mark += 3;
    return true;
}

static inline bool take_string(struct stride *s)
{
    size_t from = (size_t)s->mark[0] + 1, to = s->mark[1];
    uint32_t flags;
    if (UNLIKELY(*byte_at(s, to) != '"') || !string_flags(s, from, to, &flags)) return false;
    put(s, from, to - from, 0, DOC_STRING, flags);
    s->mark += 2;
    return true;
}

static inline bool is_number(const struct stride *s, size_t from, size_t len)
{
    size_t sign = *byte_at(s, from) == '-';
    uint64_t digits = plane_bits(s->scan->digit, from, len) >> sign;
    if (digits == (1ULL << (len - sign)) - 1 && len > sign)
        return *byte_at(s, from + sign) != '0' || len == sign + 1;
    return text_is_number(span_of(byte_at(s, from), len));
}

static inline bool is_word(const struct stride *s, size_t from, size_t len, enum doc_event_kind *kind)
{
    const uint8_t *p = byte_at(s, from);
    switch (*p) {
    case 't': *kind = DOC_TRUE; return len == 4 && memcmp(p, "true", 4) == 0;
    case 'f': *kind = DOC_FALSE; return len == 5 && memcmp(p, "false", 5) == 0;
    case 'n': *kind = DOC_NULL; return len == 4 && memcmp(p, "null", 4) == 0;
    default: return false;
    }
}

static inline bool take_scalar(struct stride *s)
{
    size_t from = s->mark[0], len = s->mark[1] - from;
    enum doc_event_kind kind = DOC_NUMBER;
    uint8_t first = *byte_at(s, from), after = *byte_at(s, s->mark[1]);
    if (UNLIKELY(len > PLANE_BITS_MOST)) return false;
    if (is_digit(first) || first == '-') {
        if (!is_number(s, from, len)) return false;
        put(s, from, len, 0, kind, short_flags(s, from, len));
    } else {
        if (!is_word(s, from, len, &kind)) return false;
        put(s, from, len, 0, kind, 0);
    }
    /* The mark that ended it has a meaning of its own, unless it is a blank. */
    s->mark += after == ' ' || after == '\t' || after == '\r' || (after == '\n' && !s->r->lines) ? 2 : 1;
    return true;
}

/* An opening or closing bracket, by way of walk.c. */
static inline void take_bracket(struct stride *s, bool opens)
{
    struct walk_out out = {s->event, 0, EVENTS_AHEAD};
    struct mark m = {s->r->chunk_at + s->mark[0], *byte_at(s, s->mark[0])};
    if (opens)
        walk_begin_container(s->r, &out, m);
    else
        walk_end_container(s->r, &out, m);
    s->event += out.count;
    s->mark++;
}

static inline bool take_value(struct stride *s)
{
    struct doc_reader *r = s->r;
    uint8_t c = *byte_at(s, s->mark[0]);
    switch (c) {
    case '"':
        if (!take_string(s)) return false;
        break;
    case '{':
    case '[': take_bracket(s, true); return r->status == DOC_MORE;
    default:
        if (!take_scalar(s)) return false;
    }
    r->state = WALK_AFTER;
    return true;
}

static inline bool take_after(struct stride *s, bool object)
{
    uint8_t c = *byte_at(s, s->mark[0]);
    if (LIKELY(c == ',')) {
        s->r->state = object ? WALK_NAME : WALK_VALUE;
        s->mark++;
        return true;
    }
    if (c != (object ? '}' : ']')) return false;
    take_bracket(s, false);
    return true;
}

/* One stride; false at anything unusual, with nothing of it taken. */
static inline bool take_one(struct stride *s)
{
    struct doc_reader *r = s->r;
    const struct walk_frame *frame = &r->frames[r->depth - 1];
    switch (r->state) {
    case WALK_FIRST_NAME:
    case WALK_NAME:
        if (*byte_at(s, s->mark[0]) != '"' || !take_name(s, frame)) return false;
        r->state = WALK_VALUE;
        return true;
    case WALK_FIRST_VALUE:
        if (*byte_at(s, s->mark[0]) == ']') return false;
        return take_value(s);
    case WALK_VALUE: return take_value(s);
    case WALK_AFTER: return take_after(s, frame->object != 0);
    case WALK_COLON:
    case WALK_DONE:
    case WALK_SKIP: return false;
    }
    return false;
}

void walk_fast(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    struct stride s = {.r = r, .scan = &r->scan, .data = w->data, .shift = r->chunk_at - w->base,
        .mark = r->scan.marks + r->next_mark, .event = out->events + out->count};
    const uint16_t *marks_end = r->scan.marks + r->scan.mark_count;
    const struct doc_event *events_end = out->events + out->capacity;
    while (r->depth > 0 && marks_end - s.mark >= MARKS_AHEAD && events_end - s.event >= EVENTS_AHEAD)
        if (!take_one(&s)) break;
    r->next_mark = (uint32_t)(s.mark - r->scan.marks);
    out->count = (size_t)(s.event - out->events);
}
