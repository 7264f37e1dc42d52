/* Stage 2 for what bodies mostly consist of. Everything here could also be done mark by mark in walk.c, with the same
 * events; a test holds the two against each other by cutting bodies so that only one of them ever runs. Compiled once
 * for each instruction set: fast.c and fast_avx2.c include this and nobody else. */
#ifndef GATE1367_DOC_FAST_H
#define GATE1367_DOC_FAST_H

#include "doc/reader.h"
#include "doc/text.h"

/* Marks and events that must be at hand before a stride: no stride takes more. The eight bytes behind the first mark may
 * then be loaded at once, because every mark stands on a byte of its own; and behind an opening quote comes the closing
 * one, because a line cut inside a string ends its chunk. */
#define MARKS_AHEAD 12
#define EVENTS_AHEAD 4

struct stride {
    struct doc_reader *r;
    const uint8_t *data;  /* the window */
    uint64_t shift;       /* data[shift + mark] is the byte at a mark (modulo 2^64: the window may begin later) */
    const uint16_t *mark; /* the next one */
    struct doc_event *event;
    uint64_t at; /* of the chunk */
    enum walk_state state;
    const struct walk_frame *frame;
    struct name_entry *entries;
    uint32_t last, next; /* names: the one met last, the one that followed it before */
};

static inline const uint8_t *byte_at(const struct stride *s, size_t mark)
{
    return s->data + (size_t)(s->shift + mark);
}

static inline void put(struct stride *s, size_t from, size_t len, uint32_t name, uint32_t kind, uint32_t flags)
{
    uint64_t low = (uint64_t)len | (uint64_t)name << 32 | (uint64_t)(kind | flags << 8) << 48, at = s->at + from;
    _Static_assert(offsetof(struct doc_event, len) == 8 && offsetof(struct doc_event, flags) == 15, "two words");
    memcpy(s->event, &at, 8); /* two stores instead of five; every machine we build for is little-endian */
    memcpy(&s->event->len, &low, 8);
    s->event++;
}

/* Six bits set or more. */
static inline bool is_six(uint64_t bits)
{
#ifdef __POPCNT__
    return __builtin_popcountll(bits) >= 6;
#else
    bits &= bits - 1;
    bits &= bits - 1;
    bits &= bits - 1;
    bits &= bits - 1;
    bits &= bits - 1;
    return bits != 0;
#endif
}

static inline uint32_t short_flags(const struct stride *s, size_t from, size_t len)
{
    return (uint32_t)is_six(plane_bits(s->r->scan.digit, from, len)) << 3 | (uint32_t)(len >= 12) << 4;
}
_Static_assert(DOC_DIGITS == 1 << 3 && DOC_LONG == 1 << 4, "short_flags");

/* The functions that are called, not inlined, get no stride: it then lives in registers. */

#define FLAGS_REFUSED 0x100

/* Flags of a string that is long or holds something special; FLAGS_REFUSED when it needs a closer look. */
static __attribute__((noinline)) uint32_t careful_flags(
    const struct doc_scan *scan, const uint8_t *raw, size_t from, size_t to)
{
    uint64_t refused = 0, high = 0, percent = 0, digits = 0;
    for (size_t at = from; at < to; at += PLANE_BITS_MOST) {
        size_t count = to - at < PLANE_BITS_MOST ? to - at : PLANE_BITS_MOST;
        digits += (uint64_t)__builtin_popcountll(plane_bits(scan->digit, at, count));
        if (plane_bits(scan->special, at, count) == 0) continue;
        refused |= plane_bits(scan->backslash, at, count) | plane_bits(scan->control, at, count);
        high |= plane_bits(scan->high, at, count);
        percent |= plane_bits(scan->percent, at, count);
    }
    if (refused) return FLAGS_REFUSED;
    if (high && scan->suspect && text_find_bad_utf8(span_of(raw, to - from)) != TEXT_NONE) return FLAGS_REFUSED;
    return (to - from >= 12 ? DOC_LONG : 0) | (digits >= 6 ? DOC_DIGITS : 0) | (high ? DOC_NON_ASCII : 0) |
           (percent ? DOC_PERCENT : 0);
}

/* Flags of the string in [from, to). */
static inline uint32_t string_flags(const struct stride *s, size_t from, size_t to)
{
    size_t len = to - from;
    if (LIKELY(len <= PLANE_BITS_MOST && plane_bits(s->r->scan.special, from, len) == 0))
        return short_flags(s, from, len);
    return careful_flags(&s->r->scan, byte_at(s, from), from, to);
}

static inline bool is_name(const struct name_entry *e, const uint8_t *raw, size_t len)
{
    uint64_t head = load_le64(raw) ^ e->head;
    if (e->len != len) return false;
    if (len < 8) return (head & ((1ULL << 8 * len) - 1)) == 0;
    if (head != 0 || load_le64(raw + len - 8) != load_le64(e->bytes + len - 8)) return false;
    for (size_t at = 8; at + 8 < len; at += 8)
        if (load_le64(raw + at) != load_le64(e->bytes + at)) return false;
    return true;
}

/* Goes from the last name to the one that followed it before; false when it is another one, or stands in an object
 * that has it or lies in one that has it. */
static inline bool follow_name(struct stride *s, size_t from, size_t len)
{
    uint32_t depth = s->r->depth;
    if (UNLIKELY(s->next == DOC_NAME_NONE)) return false;
    struct name_entry *e = &s->entries[s->next];
    if (UNLIKELY(!is_name(e, byte_at(s, from), len) || !e->plain)) return false;
    if (UNLIKELY(e->object == s->frame->object || names_held(e, s->r->frames, depth))) return false;
    e->object = s->frame->object;
    e->frame = depth - 1;
    s->last = s->next;
    s->next = e->next;
    return true;
}

/* Between these two the reader's own table knows where we are. */
static inline void names_out(struct stride *s) { s->r->names.last = (uint16_t)s->last; }

static inline void names_in(struct stride *s)
{
    struct doc_names *n = &s->r->names;
    s->entries = n->entries;
    s->last = n->last;
    s->next = n->last != DOC_NAME_NONE ? n->entries[n->last].next : DOC_NAME_NONE;
}

#define NAME_TWICE 0x10000
#define NAME_REFUSED 0x20000

/* Meets a name that was not predicted: its id, with NAME_TWICE when it is a duplicate; NAME_REFUSED when out of memory:
 * it is then met again mark by mark, and told there. */
static __attribute__((noinline)) uint32_t other_name(struct doc_reader *r, const uint8_t *raw, size_t len)
{
    uint16_t id;
    switch (names_meet(&r->names, span_of(raw, len), false, r->frames, r->depth, &id)) {
    case NAMES_NEW: return id;
    case NAMES_DUPLICATE: return id | NAME_TWICE;
    case NAMES_NO_MEMORY: return NAME_REFUSED;
    }
    return NAME_REFUSED;
}

/* A name and its colon. */
static inline bool take_name(struct stride *s)
{
    size_t from = (size_t)s->mark[0] + 1, to = s->mark[1];
    if (*byte_at(s, from - 1) != '"' || *byte_at(s, s->mark[2]) != ':') return false;
    if (LIKELY(follow_name(s, from, to - from))) {
        put(s, from, to - from, s->last, DOC_NAME, s->entries[s->last].flags);
    } else {
        uint32_t flags = string_flags(s, from, to), id = NAME_REFUSED;
        if (flags == FLAGS_REFUSED) return false;
        names_out(s);
        id = other_name(s->r, byte_at(s, from), to - from);
        names_in(s);
        if (id == NAME_REFUSED) return false;
        if (id & NAME_TWICE) put(s, from, 0, DOC_FLAW_DUPLICATE_NAME, DOC_FLAW, 0);
        put(s, from, to - from, id & 0xFFFF, DOC_NAME, flags);
    }
    s->mark += 3;
    s->state = WALK_VALUE;
    return true;
}

static inline bool take_string(struct stride *s)
{
    size_t from = (size_t)s->mark[0] + 1, to = s->mark[1];
    uint32_t flags = string_flags(s, from, to);
    if (UNLIKELY(flags == FLAGS_REFUSED)) return false;
    put(s, from, to - from, 0, DOC_STRING, flags);
    s->mark += 2;
    s->state = WALK_AFTER;
    return true;
}

static inline bool is_number(const struct stride *s, size_t from, size_t len)
{
    size_t sign = *byte_at(s, from) == '-';
    uint64_t digits = plane_bits(s->r->scan.digit, from, len) >> sign;
    if (digits == (1ULL << (len - sign)) - 1 && len > sign)
        return *byte_at(s, from + sign) != '0' || len == sign + 1;
    return text_is_number(span_of(byte_at(s, from), len));
}

static inline bool is_word(const struct stride *s, size_t from, size_t len, uint8_t first, enum doc_event_kind *kind)
{
    const uint8_t *p = byte_at(s, from);
    *kind = first == 't' ? DOC_TRUE : first == 'f' ? DOC_FALSE : DOC_NULL;
    if (first == 'f') return len == 5 && memcmp(p, "false", 5) == 0;
    return len == 4 && memcmp(p, first == 't' ? "true" : "null", 4) == 0;
}

static inline bool take_scalar(struct stride *s, uint8_t first)
{
    size_t from = s->mark[0], len = s->mark[1] - from;
    enum doc_event_kind kind = DOC_NUMBER;
    uint8_t after = *byte_at(s, s->mark[1]);
    uint32_t flags = 0;
    if (UNLIKELY(len > PLANE_BITS_MOST)) return false;
    if (is_digit(first) || first == '-') {
        if (!is_number(s, from, len)) return false;
        flags = short_flags(s, from, len);
    } else if (!is_word(s, from, len, first, &kind)) {
        return false;
    }
    put(s, from, len, 0, kind, flags);
    /* The mark that ended it has a meaning of its own, unless it is a blank. */
    s->mark += after == ' ' || after == '\t' || after == '\r' || (after == '\n' && !s->r->lines) ? 2 : 1;
    s->state = WALK_AFTER;
    return true;
}

static inline bool take_opening(struct stride *s, bool object)
{
    struct doc_reader *r = s->r;
    size_t from = s->mark[0];
    if (UNLIKELY(r->depth >= r->limits.depth || r->depth == r->frames_size)) return false;
    walk_push(r, s->at + from, object);
    s->frame++;
    put(s, from, 1, 0, object ? DOC_OBJECT_BEGIN : DOC_ARRAY_BEGIN, 0);
    s->state = object ? WALK_FIRST_NAME : WALK_FIRST_VALUE;
    s->mark++;
    return true;
}

static inline bool take_value(struct stride *s)
{
    uint8_t c = *byte_at(s, s->mark[0]);
    if (LIKELY(c == '"')) return take_string(s);
    if (c == '{' || c == '[') return take_opening(s, c == '{');
    return take_scalar(s, c);
}

/* A comma, or the end of a container that has one around it. */
static inline bool take_after(struct stride *s)
{
    bool object = s->frame->object != 0;
    size_t from = s->mark[0];
    uint8_t c = *byte_at(s, from);
    if (LIKELY(c == ',')) {
        s->state = object ? WALK_NAME : WALK_VALUE;
    } else {
        if (c != (object ? '}' : ']') || s->r->depth == 1) return false;
        walk_pop(s->r);
        s->frame--;
        put(s, from, 1, 0, object ? DOC_OBJECT_END : DOC_ARRAY_END, 0);
    }
    s->mark++;
    return true;
}

/* Member or element with what follows it; false at anything unusual, which is then not taken. */
static inline bool take_one(struct stride *s)
{
    if (s->state == WALK_FIRST_NAME || s->state == WALK_NAME) {
        if (UNLIKELY(!take_name(s))) return false;
    }
    if (s->state == WALK_VALUE || s->state == WALK_FIRST_VALUE) {
        if (UNLIKELY(!take_value(s))) return false;
    }
    return s->state != WALK_AFTER || take_after(s);
}

static inline void take_strides(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    struct stride s = {.r = r, .data = w->data, .shift = r->chunk_at - w->base, .at = r->chunk_at,
        .mark = r->scan.marks + r->next_mark, .event = out->events + out->count, .state = r->state};
    if (r->depth == 0 || s.state == WALK_COLON || s.state == WALK_SKIP) return;
    if (r->scan.mark_count < MARKS_AHEAD || out->capacity < EVENTS_AHEAD) return;
    const uint16_t *last_mark = r->scan.marks + r->scan.mark_count - MARKS_AHEAD;
    const struct doc_event *last_event = out->events + out->capacity - EVENTS_AHEAD;
    s.frame = &r->frames[r->depth - 1];
    names_in(&s);
    while (s.mark <= last_mark && s.event <= last_event)
        if (!take_one(&s)) break;
    names_out(&s);
    r->state = s.state;
    r->next_mark = (uint32_t)(s.mark - r->scan.marks);
    out->count = (size_t)(s.event - out->events);
}

#endif
