/* Stage 2 for what bodies mostly consist of. Everything here could also be done mark by mark in walk.c, with the same
 * events; a test holds the two against each other by cutting bodies so that only one of them ever runs. Compiled once
 * for each instruction set: fast.c and fast_avx2.c include this and nobody else. */
#ifndef GATE1367_DOC_FAST_H
#define GATE1367_DOC_FAST_H

#include "doc/reader.h"
#include "doc/text.h"

/* Marks and events that must be at hand before a stride: no stride takes more (events: what was skipped, a flaw, a name,
 * a value). The eight bytes behind the first mark
 * may then be loaded at once, because every mark stands on a byte of its own; and behind an opening quote comes the
 * closing one, because a line cut inside a string ends its chunk. */
#define MARKS_AHEAD WALK_FAST_MARKS
#define EVENTS_AHEAD 4

/* Inlined, or the state of a stride would get an address and live in memory. */
#define STRIDE static inline __attribute__((always_inline))

struct stride {
    struct doc_reader *r;
    uintptr_t bytes;      /* address of the chunk's first byte; a number, for the window may begin behind it */
    const uint16_t *mark; /* the next one */
    struct doc_event *event;
    const uint16_t *last_mark; /* up to these there is enough ahead */
    const struct doc_event *last_event;
    uint64_t at; /* of the chunk */
    enum walk_state state;
    const struct walk_frame *frame;
    struct name_entry *entries;
    uint32_t last, next; /* names: the one met last (struct doc_names), the one that is foretold */
    bool inside;
    const struct doc_skip *skip;
    const uint64_t *literal; /* next of skip->literals */
};

STRIDE const uint8_t *byte_at(const struct stride *s, size_t mark)
{
    return (const uint8_t *)(s->bytes + mark);
}

/* Two stores instead of five. */
STRIDE void put_word(struct stride *s, size_t from, uint64_t word)
{
    uint64_t at = s->at + from;
    memcpy(s->event, &at, 8);
    memcpy(&s->event->len, &word, 8);
    s->event++;
}

STRIDE void put(struct stride *s, size_t from, size_t len, uint32_t name, uint32_t kind, uint32_t flags)
{
    put_word(s, from, event_word(len, name, kind, flags));
}

/* Six bits set or more. */
STRIDE bool is_six(uint64_t bits)
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

STRIDE uint32_t short_flags(const struct stride *s, size_t from, size_t len)
{
    return (uint32_t)is_six(plane_bits(s->r->scan.digit, from, len)) << 3 | (uint32_t)(len >= 12) << 4;
}
_Static_assert(DOC_DIGITS == 1 << 3 && DOC_LONG == 1 << 4, "short_flags");

/* Functions that are called get no stride. */

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
STRIDE uint32_t string_flags(const struct stride *s, size_t from, size_t to)
{
    size_t len = to - from;
    if (LIKELY(len <= PLANE_BITS_MOST && plane_bits(s->r->scan.special, from, len) == 0))
        return short_flags(s, from, len);
    return careful_flags(&s->r->scan, byte_at(s, from), from, to);
}

STRIDE bool is_name(const struct name_entry *e, const uint8_t *raw, size_t len)
{
    uint64_t head = load_le64(raw) ^ e->head;
    if (e->len != len) return false;
    if (len < 8) return (head & ((1ULL << 8 * len) - 1)) == 0;
    if (head != 0 || load_le64(raw + len - 8) != load_le64(e->bytes + len - 8)) return false;
    for (size_t at = 8; at + 8 < len; at += 8)
        if (load_le64(raw + at) != load_le64(e->bytes + at)) return false;
    return true;
}

/* Takes the name that followed the last one before; false when it is another one, or its object has it already, or one
 * around that object has it. */
STRIDE bool follow_name(struct stride *s, size_t from, size_t len)
{
    if (UNLIKELY(s->next == DOC_NAME_NONE)) return false;
    struct name_entry *e = &s->entries[s->next];
    uint64_t object = s->frame->object;
    uint32_t depth = s->r->depth;
    if (UNLIKELY(!is_name(e, byte_at(s, from), len) || !e->plain || e->object == object)) return false;
    if (e->object <= s->frame->outer && UNLIKELY(names_held(e, s->r->frames, depth))) return false;
    e->object = object;
    e->frame = depth - 1;
    s->last = s->next;
    s->next = e->next;
    s->inside = false;
    return true;
}

/* Between these two the reader's own table knows where we are. */
STRIDE void names_out(struct stride *s)
{
    s->r->names.last = (uint16_t)s->last;
    s->r->names.inside = s->inside;
}

STRIDE void names_in(struct stride *s)
{
    struct doc_names *n = &s->r->names;
    s->entries = n->entries;
    s->last = n->last;
    s->inside = n->inside;
    const uint16_t *link = names_link(n);
    s->next = link ? *link : DOC_NAME_NONE;
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

/* A name that has been met, and the second half of its event. */
struct met {
    uint64_t word;
    uint32_t id;
    bool twice;
};

/* A name that was not predicted. */
STRIDE bool meet_other_name(struct stride *s, size_t from, size_t to, struct met *out)
{
    uint32_t flags = string_flags(s, from, to), id;
    if (flags == FLAGS_REFUSED) return false;
    names_out(s);
    id = other_name(s->r, byte_at(s, from), to - from);
    names_in(s);
    if (id == NAME_REFUSED) return false;
    out->id = id & 0xFFFF;
    out->twice = (id & NAME_TWICE) != 0;
    out->word = event_word(to - from, out->id, DOC_NAME, flags);
    return true;
}

/* A name and its colon; the marks stay where they are. */
STRIDE bool meet_name(struct stride *s, struct met *out)
{
    size_t from = (size_t)s->mark[0] + 1, to = s->mark[1];
    if (UNLIKELY(*byte_at(s, from - 1) != '"' || *byte_at(s, s->mark[2]) != ':')) return false;
    if (UNLIKELY(!follow_name(s, from, to - from))) return meet_other_name(s, from, to, out);
    *out = (struct met){s->entries[s->last].word, s->last, false};
    return true;
}

STRIDE void put_name(struct stride *s, const struct met *name, size_t from)
{
    if (UNLIKELY(name->twice)) put(s, from, 0, DOC_FLAW_DUPLICATE_NAME, DOC_FLAW, 0);
    put_word(s, from, name->word);
}

/* A value that is no container: its event, the place of the mark behind it, and whether a caller that skips wants it. */
struct plain {
    uint64_t word;
    size_t from, end;
    uint32_t marks;
    bool dull;
};

STRIDE bool has_literal(struct stride *s, size_t from, size_t end)
{
    if (LIKELY(*s->literal > s->at + end)) return false;
    while (*s->literal <= s->at + from)
        s->literal++;
    return *s->literal <= s->at + end;
}

STRIDE bool read_string(struct stride *s, const uint16_t *mark, struct plain *out)
{
    size_t from = (size_t)mark[0] + 1, to = mark[1];
    uint32_t flags = string_flags(s, from, to);
    if (UNLIKELY(flags == FLAGS_REFUSED)) return false;
    bool dull = !(flags & DOC_ATTENTION) && !has_literal(s, from, to);
    *out = (struct plain){event_word(to - from, 0, DOC_STRING, flags), from, to + 1, 2, dull};
    return true;
}

static __attribute__((noinline)) uint32_t careful_number(const uint8_t *raw, size_t len, uint32_t flags)
{
    span lexeme = span_of(raw, len);
    if (!text_is_number(lexeme)) return FLAGS_REFUSED;
    return flags | (text_has_exponent(lexeme) ? DOC_EXPONENT : 0);
}

/* Flags of the number; FLAGS_REFUSED when it is none. */
STRIDE uint32_t number_flags(const struct stride *s, size_t from, size_t len)
{
    const uint8_t *raw = byte_at(s, from);
    size_t sign = raw[0] == '-';
    uint64_t digits = plane_bits(s->r->scan.digit, from, len), others = ~digits & ((1ULL << len) - 1) & ~sign;
    uint32_t flags = (uint32_t)is_six(digits) << 3 | (uint32_t)(len >= 12) << 4;
    bool zero = raw[sign] == '0';
    if (LIKELY(others == 0 && len > sign && (!zero || len == sign + 1))) return sign ? flags : flags | DOC_PLAIN;
    /* One point with digits on both sides. */
    size_t point = (size_t)__builtin_ctzll(others | 1ULL << 63);
    bool single = (others & (others - 1)) == 0 && point > sign && point + 1 < len && raw[point] == '.';
    if (LIKELY(single && (!zero || point == sign + 1))) return flags;
    return careful_number(raw, len, flags);
}

STRIDE bool is_word(const struct stride *s, size_t from, size_t len, uint8_t first, enum doc_event_kind *kind)
{
    const uint8_t *p = byte_at(s, from);
    *kind = first == 't' ? DOC_TRUE : first == 'f' ? DOC_FALSE : DOC_NULL;
    if (first == 'f') return len == 5 && memcmp(p, "false", 5) == 0;
    return len == 4 && memcmp(p, first == 't' ? "true" : "null", 4) == 0;
}

/* Has it fewer than nine digits before its point, or more than eleven? Wider than that is told as well. */
STRIDE bool is_dull_number(size_t len, uint32_t flags)
{
    return len < 9 ? !(flags & DOC_EXPONENT) : (flags & DOC_PLAIN) && len > 11;
}

STRIDE bool read_scalar(const struct stride *s, const uint16_t *mark, uint8_t first, struct plain *out)
{
    size_t from = mark[0], len = mark[1] - from;
    enum doc_event_kind kind = DOC_NUMBER;
    uint8_t after = *byte_at(s, mark[1]);
    uint32_t flags = 0;
    if (UNLIKELY(len > PLANE_BITS_MOST)) return false;
    if (is_digit(first) || first == '-') {
        flags = number_flags(s, from, len);
        if (UNLIKELY(flags == FLAGS_REFUSED)) return false;
    } else if (!is_word(s, from, len, first, &kind)) {
        return false;
    }
    bool dull = kind != DOC_NUMBER || is_dull_number(len, flags);
    /* The mark that ended it has a meaning of its own, unless it is a blank. */
    bool blank = after == ' ' || after == '\t' || after == '\r' || (after == '\n' && !s->r->lines);
    *out = (struct plain){event_word(len, 0, kind, flags), from, from + len, blank ? 2 : 1, dull};
    return true;
}

STRIDE bool read_plain(struct stride *s, const uint16_t *mark, uint8_t first, struct plain *out)
{
    return first == '"' ? read_string(s, mark, out) : read_scalar(s, mark, first, out);
}

STRIDE bool take_opening(struct stride *s, bool object)
{
    struct doc_reader *r = s->r;
    size_t from = s->mark[0];
    if (UNLIKELY(r->depth >= r->limits.depth || r->depth == r->frames_size)) return false;
    walk_push(r, s->at + from, object, s->last);
    names_in(s);
    s->frame++;
    put(s, from, 1, 0, object ? DOC_OBJECT_BEGIN : DOC_ARRAY_BEGIN, 0);
    s->state = object ? WALK_FIRST_NAME : WALK_FIRST_VALUE;
    s->mark++;
    return true;
}

/* The end of a container that has one around it. */
STRIDE bool take_closing(struct stride *s, bool object, uint8_t c)
{
    size_t from = s->mark[0];
    if (c != (object ? '}' : ']') || s->r->depth == 1) return false;
    walk_pop(s->r);
    names_in(s);
    s->frame--;
    put(s, from, 1, 0, object ? DOC_OBJECT_END : DOC_ARRAY_END, 0);
    s->mark++;
    return true;
}

/* Each takes what it can and leaves in s->state what comes next; false at anything unusual, which is then not taken. */

/* A value; it has ended, and s->state says so, unless it is a container, which has begun. */
STRIDE bool take_value(struct stride *s)
{
    uint8_t c = *byte_at(s, s->mark[0]);
    struct plain value;
    if (c == '{' || c == '[') return take_opening(s, c == '{');
    if (!read_plain(s, s->mark, c, &value)) return false;
    put_word(s, value.from, value.word);
    s->mark += value.marks;
    s->state = WALK_AFTER;
    return true;
}

STRIDE bool take_after(struct stride *s)
{
    bool object = s->frame->object != 0;
    uint8_t c = *byte_at(s, s->mark[0]);
    if (c != ',') return take_closing(s, object, c);
    s->state = object ? WALK_NAME : WALK_VALUE;
    s->mark++;
    return true;
}

STRIDE bool has_room(const struct stride *s)
{
    return s->mark <= s->last_mark && s->event <= s->last_event;
}

/* Children that became no events, one behind the other. */
struct skipped {
    size_t from, end;
    uint32_t count;
};

STRIDE void skip(struct skipped *k, size_t from, size_t end)
{
    if (k->count == 0) k->from = from;
    k->end = end;
    k->count++;
}

STRIDE void put_skipped(struct stride *s, struct skipped *k)
{
    if (k->count > 0) put(s, k->from, k->end - k->from, k->count, DOC_SKIPPED, 0);
    k->count = 0;
}

/* A name whose value needs a closer look, or is a container. */
STRIDE bool take_head(struct stride *s, const struct met *name, uint8_t c)
{
    put_name(s, name, (size_t)s->mark[0] + 1);
    s->mark += 3;
    s->state = WALK_VALUE;
    return (c == '{' || c == '[') && take_opening(s, c == '{');
}

STRIDE bool is_dull_name(const struct stride *s, const struct met *name)
{
    if (name->id >= s->skip->names || !(s->skip->dull[name->id] & DOC_DULL_VALUE) || name->twice) return false;
    return !walk_tells(s->r, s->frame);
}

enum taken { TAKEN, TAKEN_LAST, NOT_TAKEN };

/* A member with the comma behind it. */
STRIDE enum taken take_member(struct stride *s, struct skipped *skipped)
{
    struct met name;
    struct plain value;
    if (UNLIKELY(!meet_name(s, &name))) return NOT_TAKEN;
    uint8_t c = *byte_at(s, s->mark[3]);
    if (c == '{' || c == '[' || UNLIKELY(!read_plain(s, s->mark + 3, c, &value))) {
        put_skipped(s, skipped);
        return take_head(s, &name, c) ? TAKEN_LAST : NOT_TAKEN;
    }
    if (value.dull && is_dull_name(s, &name)) {
        skip(skipped, s->mark[0], value.end);
    } else {
        put_skipped(s, skipped);
        put_name(s, &name, (size_t)s->mark[0] + 1);
        put_word(s, value.from, value.word);
    }
    s->mark += 3 + value.marks;
    s->state = WALK_AFTER;
    if (*byte_at(s, s->mark[0]) != ',') return TAKEN_LAST;
    s->mark++;
    s->state = WALK_NAME;
    return TAKEN;
}

/* Members, from a name on, as long as their values are strings and scalars with a comma behind them. */
STRIDE bool take_members(struct stride *s)
{
    struct skipped skipped = {0};
    enum taken taken;
    do {
        taken = take_member(s, &skipped);
    } while (taken == TAKEN && has_room(s));
    put_skipped(s, &skipped);
    return taken != NOT_TAKEN;
}

STRIDE bool take_one(struct stride *s)
{
    switch (s->state) {
    case WALK_FIRST_NAME:
    case WALK_NAME: return take_members(s);
    case WALK_FIRST_VALUE:
    case WALK_VALUE: return take_value(s);
    case WALK_AFTER: return take_after(s);
    case WALK_COLON:
    case WALK_DONE:
    case WALK_SKIP: return false;
    }
    return false;
}

STRIDE void take_strides(struct doc_reader *r, const struct doc_window *w, struct walk_out *out)
{
    struct stride s = {.r = r,
        .bytes = (uintptr_t)w->data + (uintptr_t)(r->chunk_at - w->base),
        .at = r->chunk_at,
        .mark = r->scan.marks + r->next_mark,
        .event = out->events + out->count,
        .state = r->state,
        .skip = r->skip,
        .literal = r->literal};
    if (r->depth == 0 || s.state == WALK_COLON || s.state == WALK_SKIP) return;
    if (r->scan.mark_count < MARKS_AHEAD || out->capacity < EVENTS_AHEAD) return;
    s.last_mark = r->scan.marks + r->scan.mark_count - MARKS_AHEAD;
    s.last_event = out->events + out->capacity - EVENTS_AHEAD;
    s.frame = &r->frames[r->depth - 1];
    names_in(&s);
    while (has_room(&s))
        if (!take_one(&s)) break;
    names_out(&s);
    r->state = s.state;
    r->literal = s.literal;
    r->next_mark = (uint32_t)(s.mark - r->scan.marks);
    out->count = (size_t)(s.event - out->events);
}

#endif
