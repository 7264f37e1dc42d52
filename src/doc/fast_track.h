/* Records that go the way of one before (doc/track.h). Included by fast.h alone. */
#ifndef GATE1367_DOC_FAST_TRACK_H
#define GATE1367_DOC_FAST_TRACK_H

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* TRACK_GAP bytes may be read at p. */
STRIDE bool is_gap(const struct track_node *n, const uint8_t *p)
{
    size_t len = n->len;
#ifdef __AVX2__
    for (size_t i = 0;; i += 32) {
        __m256i there = _mm256_loadu_si256((const void *)(p + i)), here = _mm256_loadu_si256((const void *)(n->bytes + i));
        uint32_t other = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(there, here));
        if (LIKELY(len - i <= 32)) return _bzhi_u64(other, (unsigned)(len - i)) == 0;
        if (other) return false;
    }
#else
    for (size_t i = 0; i + 8 <= len; i += 8)
        if (load_le64(p + i) != load_le64(n->bytes + i)) return false;
    size_t rest = len % 8, at = len - rest;
    return rest == 0 || ((load_le64(p + at) ^ load_le64(n->bytes + at)) & ((UINT64_C(1) << 8 * rest) - 1)) == 0;
#endif
}

/* What may begin a scalar: no quote and no bracket. */
STRIDE bool is_scalar(uint8_t c)
{
    return is_digit(c) || c == '-' || c == 't' || c == 'f' || c == 'n';
}

STRIDE bool is_here(const struct stride *s, const struct track_node *n, size_t gap)
{
    const uint8_t *p = byte_at(s, gap);
    return is_gap(n, p) && (n->kind != TRACK_SCALAR || is_scalar(p[n->len]));
}

/* The gap among these that stands there, the one first that stood there last. */
STRIDE uint16_t find_gap(const struct stride *s, uint16_t first, uint16_t *next, size_t gap)
{
    const struct track_node *nodes = s->r->track->nodes;
    if (LIKELY(*next != TRACK_NONE && is_here(s, &nodes[*next], gap))) return *next;
    for (; first != TRACK_NONE; first = nodes[first].other)
        if (is_here(s, &nodes[first], gap)) return *next = first;
    return TRACK_NONE;
}

/* Where a gap begins, all of it is in the chunk; the value behind it may end elsewhere. */
STRIDE bool has_room_for(const struct stride *s, const struct track_node *n)
{
    return s->mark + n->marks <= s->last_mark && (n->ops == 0 || s->event + 3 * n->ops <= s->last_event);
}

STRIDE void take_brackets(struct stride *s, const struct track_node *n, size_t gap)
{
    struct doc_reader *r = s->r;
    const struct track_op *op = r->track->ops + n->first_op;
    for (unsigned i = 0; i < n->ops; i++, op++) {
        size_t at = gap + op->at;
        if (op->byte == '{' || op->byte == '[') {
            const struct met name = {op->word, op->name, false};
            walk_push(r, s->at + at, op->byte == '{', op->name);
            s->frame++;
            put_begin(s, s->frame, op->name == DOC_NAME_NONE ? NULL : &name, gap + op->name_at, at);
        } else {
            put_end(s, s->frame, r->depth, at);
            walk_pop(r);
            s->frame--;
        }
    }
}

/* TRACK_SHAPE bytes may be read at p. */
STRIDE bool has_shape(const struct track_node *n, const uint8_t *p)
{
#ifdef __AVX2__
    __m256i x = _mm256_loadu_si256((const void *)p), small = _mm256_set1_epi8(0x20), nine = _mm256_set1_epi8(9);
    __m256i digit = _mm256_sub_epi8(x, _mm256_set1_epi8('0'));
    __m256i letter = _mm256_sub_epi8(_mm256_or_si256(x, small), _mm256_set1_epi8('a'));
    digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, nine), digit);
    letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
    x = _mm256_andnot_si256(_mm256_and_si256(letter, small), _mm256_blendv_epi8(x, _mm256_set1_epi8('0'), digit));
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_loadu_si256((const void *)n->shape)));
    return _bzhi_u64(~(uint64_t)same, n->shape_len) == 0;
#else
    for (size_t i = 0; i < n->shape_len; i++)
        if (n->shape[i] != (is_digit(p[i]) ? '0' : to_upper(p[i]))) return false;
    return true;
#endif
}

static void keep_shape(struct track_node *n, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        n->shape[i] = is_digit(p[i]) ? '0' : to_upper(p[i]);
    n->shape_len = (uint8_t)len;
}

/* A string that goes to its closing quote: one of a shape that held nothing here holds nothing again. */
STRIDE bool is_void(struct stride *s, struct track_node *n, uint16_t name, const struct plain *value)
{
    const uint8_t *p = byte_at(s, value->from);
    size_t len = value->end - 1 - value->from;
    bool may_keep = len > 0 && len <= TRACK_SHAPE && value->from + TRACK_SHAPE <= s->size;
    if (may_keep && n->shape_len == len && has_shape(n, p)) return true;
    if (n->loud == TRACK_LOUD) return false;
    enum doc_news news = ask(s, name, value);
    if (news == DOC_NEWS_NEVER && may_keep) keep_shape(n, p, len);
    n->loud += news == DOC_NEWS_SOME;
    return news != DOC_NEWS_SOME;
}

/* False: there is no room to tell it, and nothing is taken. */
STRIDE bool take_known(struct stride *s, struct track_node *n, size_t gap, const struct plain *value)
{
    bool member = n->name != DOC_NAME_NONE;
    unsigned dull = member ? walk_dull_member(s->skip, s->frame, n->name) : s->frame->dull ? DOC_DULL_VALUE : 0;
    enum plain_news news = news_of(dull, value);
    size_t name_at = gap + n->name_at;
    if (news == PLAIN_NOTHING || (news == PLAIN_ASK && is_void(s, n, member ? n->name : s->frame->name, value))) {
        skip(s, member ? name_at - 1 : value->from - value->string, value->end);
        return true;
    }
    if (UNLIKELY(s->event > s->last_event)) return false;
    put_skipped(s);
    if (member) put_word(s, name_at, n->word);
    put_word(s, value->from, value->word);
    return true;
}

/* Where a track was left: not entered; not yet entered; before a gap that is not in it; where the chunk or the room for
 * events ends; at a value that needs a closer look; with the record. */
enum off { OFF_NOWHERE, OFF_LATER, OFF_GAP, OFF_ROOM, OFF_VALUE, OFF_END };

STRIDE enum off put_unread(struct stride *s, const struct track_node *n, size_t gap)
{
    if (n->name == DOC_NAME_NONE) return OFF_VALUE;
    put_skipped(s);
    put_word(s, gap + n->name_at, n->word);
    return OFF_VALUE;
}

STRIDE enum off follow(struct stride *s, uint16_t first, uint32_t *steps)
{
    struct track *t = s->r->track;
    size_t gap = s->mark[0];
    for (uint16_t at = first;;) {
        struct track_node *n = &t->nodes[at];
        struct plain value;
        if (UNLIKELY(!has_room_for(s, n))) return *steps ? OFF_ROOM : OFF_NOWHERE;
        t->path[(*steps)++] = at;
        take_brackets(s, n, gap);
        s->mark += n->marks;
        if (n->kind == TRACK_END) return OFF_END;
        bool read = n->kind == TRACK_STRING ? read_string(s, s->mark - 1, &value)
                                            : read_scalar(s, s->mark - 1, *byte_at(s, gap + n->len), &value);
        if (UNLIKELY(!read || !take_known(s, n, gap, &value))) return put_unread(s, n, gap);
        s->mark += n->kind == TRACK_STRING;
        gap = value.end;
        if (UNLIKELY(gap + TRACK_GAP >= s->size)) return OFF_ROOM;
        at = find_gap(s, n->child, &n->next, gap);
        if (UNLIKELY(at == TRACK_NONE)) return OFF_GAP;
    }
}

/* A record that the chunk ends in is better read from a chunk of its own, while there is plenty behind. All marks up to
 * its brace have been taken, and nothing in front of a brace reaches beyond it. */
STRIDE bool is_cut(const struct stride *s)
{
    const struct doc_reader *r = s->r;
    size_t at = s->mark[0];
    return at + r->record_size + TRACK_GAP >= s->size && at > SCAN_CHUNK / 2 && s->behind >= SCAN_CHUNK && !r->scan.cut;
}

static void cut_chunk(struct doc_reader *r, const uint16_t *mark)
{
    r->scanned = r->chunk_at + *mark;
    r->scan.mark_count = (uint32_t)(mark - r->scan.marks);
    r->scan.in_string = r->scan.escaped = r->scan.scalar = 0;
    r->scan.last = 0;
    r->tail = false;
}

STRIDE bool is_short_of_room(const struct stride *s)
{
    return s->event + s->r->record_events > s->last_event && s->event > s->first_event;
}

STRIDE void note_record(struct stride *s, size_t from, const struct doc_event *event)
{
    s->r->record_size = (uint32_t)(s->mark[-1] - from) + 1;
    if (s->event > event) s->r->record_events = (uint32_t)(s->event - event) + EVENTS_AHEAD;
}

/* A record, from its brace on. OFF_NOWHERE: nothing was taken. Else what comes next stands in s->state. */
STRIDE enum off take_track(struct stride *s)
{
    struct doc_reader *r = s->r;
    struct track *t = r->track;
    uint32_t steps = 0, depth = r->depth;
    if (!t || t->root == TRACK_NONE || t->refusals == TRACK_REFUSALS) return OFF_NOWHERE;
    if (s->mark[0] + (size_t)TRACK_GAP >= s->size) return OFF_NOWHERE;
    if (depth + TRACK_DEEPEST > r->frames_size || depth + TRACK_DEEPEST > r->limits.depth) return OFF_NOWHERE;
    uint16_t first = find_gap(s, t->root, &t->next, s->mark[0]);
    if (first == TRACK_NONE) return OFF_NOWHERE;
    if (is_cut(s)) return cut_chunk(r, s->mark), OFF_LATER;
    if (is_short_of_room(s)) return s->full = true, OFF_LATER;
    size_t from = s->mark[0];
    const struct doc_event *event = s->event;
    enum off off = follow(s, first, &steps);
    if (off == OFF_NOWHERE) return off;
    if (off == OFF_END) note_record(s, from, event);
    s->state = off == OFF_VALUE ? WALK_VALUE : WALK_AFTER;
    if (off == OFF_VALUE) s->mark--;
    if (off != OFF_END) (void)track_leave(r, steps, depth);
    names_in(s);
    return off;
}

#endif
