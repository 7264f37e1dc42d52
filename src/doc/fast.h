/* Stage 2 for what bodies mostly consist of. Everything here could also be done mark by mark in walk.c, with the same
 * events; a test holds the two against each other by cutting bodies so that only one of them ever runs. Compiled once
 * for each instruction set: fast.c and fast_avx2.c include this and nobody else. */
#ifndef GATE1367_DOC_FAST_H
#define GATE1367_DOC_FAST_H

#include "doc/reader.h"
#include "doc/text.h"

/* Marks and events that must be at hand before a stride: no stride takes more (events: what was skipped, a flaw, a name,
 * a value, what was skipped behind it). The eight bytes behind the first mark
 * may then be loaded at once, because every mark stands on a byte of its own; and behind an opening quote comes the
 * closing one, because a line cut inside a string ends its chunk. */
#define MARKS_AHEAD WALK_FAST_MARKS
#define EVENTS_AHEAD 5
#define EVENTS_LEFT 5 /* beside them, for the name of a value that there is no room for, and what was skipped before it */

/* Inlined, or the state of a stride would get an address and live in memory. */
#define STRIDE static inline __attribute__((always_inline))

/* Children that became no events, one behind the other. */
struct skipped {
    size_t from, end;
    uint32_t count, depth;
};

struct stride {
    struct doc_reader *r;
    uintptr_t bytes;      /* address of the chunk's first byte; a number, for the window may begin behind it */
    const uint16_t *mark; /* the next one */
    struct doc_event *event;
    const uint16_t *last_mark; /* up to these there is enough ahead in the list */
    const struct doc_event *first_event, *last_event;
    bool full;     /* struct walk_out */
    size_t behind; /* bytes of the window behind the chunk */
    bool complete; /* nothing follows the window */
    size_t size; /* of the chunk, and what may be read behind it */
    uint64_t at; /* of the chunk */
    enum walk_state state;
    struct walk_frame *frame;
    uint32_t floor; /* containers up to this depth were opened before, or are closed */
    struct skipped skipped;
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

/* What a caller that skips has to be told of a value. */
enum plain_news { PLAIN_NOTHING, PLAIN_ASK, PLAIN_TOLD };

/* A value that is no container: its event, the place of the mark behind it. */
struct plain {
    uint64_t word;
    size_t from, end;
    uint32_t marks;
    enum plain_news news;
    bool string;
};

STRIDE bool has_literal(struct stride *s, size_t from, size_t end)
{
    if (LIKELY(*s->literal > s->at + end)) return false;
    while (*s->literal <= s->at + from)
        s->literal++;
    return *s->literal <= s->at + end;
}

/* The string in [from, to), but for literals in it. */
STRIDE bool read_text(const struct stride *s, size_t from, size_t to, struct plain *out)
{
    uint32_t flags = string_flags(s, from, to);
    if (UNLIKELY(flags == FLAGS_REFUSED)) return false;
    enum plain_news news = flags & DOC_ATTENTION ? PLAIN_ASK : PLAIN_NOTHING;
    *out = (struct plain){event_word(to - from, 0, DOC_STRING, flags), from, to + 1, 2, news, true};
    return true;
}

STRIDE bool read_string(struct stride *s, const uint16_t *mark, struct plain *out)
{
    size_t from = (size_t)mark[0] + 1, to = mark[1];
    if (UNLIKELY(!read_text(s, from, to, out))) return false;
    if (UNLIKELY(has_literal(s, from, to))) out->news = PLAIN_TOLD;
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
    *out = (struct plain){event_word(len, 0, kind, flags), from, from + len, blank ? 2 : 1, dull ? PLAIN_NOTHING : PLAIN_TOLD, false};
    return true;
}

STRIDE bool read_plain(struct stride *s, const uint16_t *mark, uint8_t first, struct plain *out)
{
    return first == '"' ? read_string(s, mark, out) : read_scalar(s, mark, first, out);
}

STRIDE enum doc_news ask(const struct stride *s, uint16_t name, const struct plain *value)
{
    if (!s->skip->ask) return DOC_NEWS_SOME;
    return s->skip->ask(s->skip->ctx, name, span_of(byte_at(s, value->from), value->end - 1 - value->from));
}

/* What has to be told of a value under a name of which this is said. */
STRIDE enum plain_news news_of(unsigned dull, const struct plain *value)
{
    if (dull & DOC_DULL_VALUE) return value->news;
    return dull & DOC_DULL_STRINGS && value->string && value->news != PLAIN_TOLD ? PLAIN_ASK : PLAIN_TOLD;
}

/* Whether there is nothing in it that the caller wants. */
STRIDE bool is_nothing(const struct stride *s, unsigned dull, uint16_t name, const struct plain *value)
{
    enum plain_news news = news_of(dull, value);
    if (news != PLAIN_ASK) return news == PLAIN_NOTHING;
    return ask(s, name, value) != DOC_NEWS_SOME;
}

STRIDE void skip(struct stride *s, size_t from, size_t end)
{
    if (s->skipped.count == 0) s->skipped.from = from;
    s->skipped.end = end;
    s->skipped.count++;
}

STRIDE void put_skipped(struct stride *s)
{
    struct skipped *k = &s->skipped;
    if (k->count > 0) put(s, k->from, k->end - k->from, k->count, DOC_SKIPPED, k->depth);
    k->count = k->depth = 0;
}

/* The events that a container begins with. `name` NULL: an element. */
STRIDE void put_begin(struct stride *s, struct walk_frame *f, const struct met *name, size_t name_at, size_t from)
{
    f->had = s->skipped.count > 0;
    put_skipped(s);
    if (name && UNLIKELY(name->twice)) put(s, name_at, 0, DOC_FLAW_DUPLICATE_NAME, DOC_FLAW, 0);
    f->named = name != NULL;
    f->first = s->event;
    if (name) put_word(s, name_at, name->word);
    put(s, from, 1, 0, f->object ? DOC_OBJECT_BEGIN : DOC_ARRAY_BEGIN, 0);
}

/* Whether nothing in the container, of this depth, was told since it began. */
STRIDE bool is_untold(const struct stride *s, const struct walk_frame *f, uint32_t depth)
{
    uint32_t inside = s->skipped.depth;
    return f->dull && depth > s->floor && s->event == f->first + 1 + f->named && inside < TRACK_SKIPPED_DEEPEST &&
           depth + inside <= s->skip->deepest;
}

/* What was told of the container is taken back, and it joins what was skipped before it. */
STRIDE void take_back(struct stride *s, const struct walk_frame *f, size_t end)
{
    size_t from = (size_t)(f->first->at - s->at) - f->named;
    uint32_t depth = s->skipped.depth + 1;
    s->event = f->first;
    s->skipped = (struct skipped){0};
    if (f->had) {
        const struct doc_event *before = --s->event;
        s->skipped = (struct skipped){(size_t)(before->at - s->at), 0, before->name, before->flags};
    }
    skip(s, from, end);
    if (depth > s->skipped.depth) s->skipped.depth = depth;
}

STRIDE void put_end(struct stride *s, const struct walk_frame *f, uint32_t depth, size_t from)
{
    if (is_untold(s, f, depth)) {
        take_back(s, f, from + 1);
    } else {
        put_skipped(s);
        put(s, from, 1, 0, f->object ? DOC_OBJECT_END : DOC_ARRAY_END, 0);
    }
    if (depth <= s->floor) s->floor = depth - 1;
}

STRIDE bool may_open(const struct doc_reader *r)
{
    return r->depth < r->limits.depth && r->depth < r->frames_size;
}

STRIDE void take_opening(struct stride *s, bool object, const struct met *name, size_t name_at)
{
    struct doc_reader *r = s->r;
    size_t from = s->mark[0];
    walk_push(r, s->at + from, object, s->last);
    names_in(s);
    s->frame++;
    /* A member whose name was told already (it left a track, or had no room) cannot be skipped without it: what is skipped
     * begins at its name. */
    bool told = !name && r->depth > 1 && s->frame[-1].object != 0;
    if (told || (name && UNLIKELY(name->twice))) s->frame->dull = false;
    put_begin(s, s->frame, name, name_at, from);
    s->state = object ? WALK_FIRST_NAME : WALK_FIRST_VALUE;
    s->mark++;
}

/* Where a record ends that is to be learnt. */
STRIDE void learn(struct stride *s)
{
    struct doc_reader *r = s->r;
    if (LIKELY(!r->lesson.on) || r->depth != r->lesson.depth) return;
    uint32_t last = (uint32_t)(s->mark - r->scan.marks);
    scan_reach_back(&r->scan, r->lesson.mark, last + 1 - r->lesson.mark);
    track_learn(r, s->bytes, r->lesson.mark, last);
    r->lesson.on = false;
}

/* The end of a container that has one around it. */
STRIDE bool take_closing(struct stride *s, bool object, uint8_t c)
{
    if (c != (object ? '}' : ']') || s->r->depth == 1) return false;
    put_end(s, s->frame, s->r->depth, s->mark[0]);
    walk_pop(s->r);
    names_in(s);
    s->frame--;
    learn(s);
    s->mark++;
    return true;
}

STRIDE bool has_room(const struct stride *s)
{
    return s->mark <= s->last_mark && s->event <= s->last_event;
}

/* Writes more of the list, so that these marks are there and MARKS_AHEAD behind them; false: there are no more. */
STRIDE bool reach(struct stride *s, uint32_t marks)
{
    struct doc_scan *scan = &s->r->scan;
    uint32_t mark = (uint32_t)(s->mark - scan->marks);
    if (mark + marks + MARKS_AHEAD > scan->mark_count) return false;
    scan_reach(scan, mark, marks + MARKS_AHEAD);
    s->last_mark = scan->marks + (scan->written < scan->mark_count ? scan->written : scan->mark_count) - MARKS_AHEAD;
    return true;
}

#include "doc/fast_track.h"

/* An element that is an object, on a track; where it has none, it is to be learnt, unless nothing like it came before.
 * OFF_NOWHERE, OFF_LATER: nothing was taken. */
STRIDE enum off take_record(struct stride *s)
{
    struct doc_reader *r = s->r;
    uint32_t mark = (uint32_t)(s->mark - r->scan.marks), depth = r->depth;
    bool first = s->state == WALK_FIRST_VALUE;
    enum off off = take_track(s);
    bool open = r->lesson.on && depth > r->lesson.depth;
    if ((off == OFF_GAP || (off == OFF_NOWHERE && (!first || r->rehearses))) && !open) {
        r->lesson.on = true;
        r->lesson.mark = mark;
        r->lesson.depth = depth;
    }
    return off;
}

/* Each takes what it can and leaves in s->state what comes next; false at anything unusual, which is then not taken. */

/* An element, or the value of a member whose name was told; it has ended, and s->state says so, unless it is a container,
 * which has begun. */
STRIDE bool take_value(struct stride *s)
{
    uint8_t c = *byte_at(s, s->mark[0]);
    struct plain value;
    if (c == '{' && s->frame->object == 0) {
        enum off off = take_record(s);
        if (off != OFF_NOWHERE) return off != OFF_LATER;
    }
    if (c == '{' || c == '[') {
        if (UNLIKELY(!may_open(s->r))) return false;
        take_opening(s, c == '{', NULL, 0);
        return true;
    }
    if (!read_plain(s, s->mark, c, &value)) return false;
    if (s->frame->object == 0 && s->frame->dull && is_nothing(s, DOC_DULL_VALUE, s->frame->name, &value)) {
        skip(s, s->mark[0], value.end);
    } else {
        put_skipped(s);
        put_word(s, value.from, value.word);
    }
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

/* A name whose value needs a closer look, or is a container. */
STRIDE bool take_head(struct stride *s, const struct met *name, uint8_t c)
{
    size_t from = (size_t)s->mark[0] + 1;
    s->mark += 3;
    s->state = WALK_VALUE;
    if ((c == '{' || c == '[') && LIKELY(may_open(s->r))) {
        take_opening(s, c == '{', name, from);
        return true;
    }
    put_skipped(s);
    put_name(s, name, from);
    return false;
}

STRIDE unsigned dullness(const struct stride *s, const struct met *name)
{
    return name->twice ? 0 : walk_dull_member(s->skip, s->frame, name->id);
}

enum taken { TAKEN, TAKEN_LAST, NOT_TAKEN };

/* A member with the comma behind it. */
STRIDE enum taken take_member(struct stride *s)
{
    struct met name;
    struct plain value;
    if (UNLIKELY(!meet_name(s, &name))) return NOT_TAKEN;
    uint8_t c = *byte_at(s, s->mark[3]);
    if (c == '{' || c == '[' || UNLIKELY(!read_plain(s, s->mark + 3, c, &value)))
        return take_head(s, &name, c) ? TAKEN_LAST : NOT_TAKEN;
    if (is_nothing(s, dullness(s, &name), (uint16_t)name.id, &value)) {
        skip(s, s->mark[0], value.end);
    } else {
        put_skipped(s);
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
    enum taken taken;
    do {
        taken = take_member(s);
    } while (taken == TAKEN && has_room(s));
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

/* Bytes behind the chunk that may be read. No gap reaches into them, for no gap holds a 0. */
STRIDE size_t slack_of(const struct doc_reader *r, const struct doc_window *w)
{
    return !r->tail ? 0 : w->slack < DOC_SLACK ? w->slack : DOC_SLACK;
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
    if (r->scan.mark_count < MARKS_AHEAD || out->capacity < EVENTS_AHEAD + EVENTS_LEFT) return;
    s.last_event = out->events + out->capacity - EVENTS_AHEAD - EVENTS_LEFT;
    s.frame = &r->frames[r->depth - 1];
    s.frame->tells = walk_tells(r->skip, s.frame);
    s.frame->class = walk_class(r->skip, s.frame->name);
    s.size = (size_t)(r->scanned - r->chunk_at) + slack_of(r, w);
    s.behind = (size_t)(w->base + w->len - r->scanned);
    s.complete = w->complete;
    s.first_event = out->events;
    s.floor = r->depth;
    names_in(&s);
    if (!reach(&s, 0)) return;
    do {
        if (!has_room(&s) && (s.event > s.last_event || !reach(&s, 0))) break;
    } while (take_one(&s));
    put_skipped(&s);
    names_out(&s);
    r->state = s.state;
    r->literal = s.literal;
    r->next_mark = (uint32_t)(s.mark - r->scan.marks);
    out->count = (size_t)(s.event - out->events);
    out->full = s.full;
}

#endif
