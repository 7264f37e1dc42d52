/* Records that go the way of one before (doc/track.h). Included by fast.h alone. */
#ifndef GATE1367_DOC_FAST_TRACK_H
#define GATE1367_DOC_FAST_TRACK_H

#ifdef __AVX2__
#include <immintrin.h>
#endif

#ifdef __AVX2__
/* A bit for each of 32 bytes that is another there. */
STRIDE uint32_t others_of(const uint8_t *p, const uint8_t *here)
{
    __m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256((const void *)p), _mm256_loadu_si256((const void *)here));
    return ~(uint32_t)_mm256_movemask_epi8(equal);
}
#endif

/* TRACK_GAP bytes may be read at p. */
STRIDE bool is_gap(const struct track_node *n, const uint8_t *p)
{
    size_t len = n->len;
#ifdef __AVX2__
    if (others_of(p, n->bytes) & n->need) return false;
    for (size_t i = 32; UNLIKELY(i < len); i += 32)
        if (_bzhi_u64(others_of(p + i, n->bytes + i), (unsigned)(len - i))) return false;
    return true;
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
STRIDE bool has_room_for(struct stride *s, const struct track_node *n)
{
    if (n->ops > 0 && s->event + 3 * n->ops > s->last_event) return false;
    return s->mark + n->marks <= s->last_mark || reach(s, n->marks);
}

STRIDE void take_brackets(struct stride *s, const struct track_node *n, size_t gap)
{
    struct doc_reader *r = s->r;
    struct track_op *op = r->track->ops + n->first_op;
    for (unsigned i = 0; i < n->ops; i++, op++) {
        size_t at = gap + op->at;
        if (op->byte == '{' || op->byte == '[') {
            const struct met name = {op->word, op->name, false};
            walk_push(r, s->at + at, op->byte == '{', op->name);
            s->frame++;
            if (r->track->now > 0) op->dull = s->frame->dull;
            put_begin(s, s->frame, op->name == DOC_NAME_NONE ? NULL : &name, gap + op->name_at, at);
        } else {
            put_end(s, s->frame, r->depth, at);
            walk_pop(r);
            s->frame--;
        }
    }
}

/* TRACK_SHAPE bytes may be read at p. */
STRIDE bool is_like(const struct track_node *n, const uint8_t *p)
{
#ifdef __AVX2__
    __m256i there = _mm256_loadu_si256((const void *)p), here = _mm256_loadu_si256((const void *)n->shape);
    return _bzhi_u64(~(uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(there, here)), n->shape_len) == 0;
#else
    return memcmp(p, n->shape, n->shape_len) == 0;
#endif
}

STRIDE bool has_shape(const uint8_t *shape, size_t len, const uint8_t *p)
{
#ifdef __AVX2__
    __m256i x = _mm256_loadu_si256((const void *)p), small = _mm256_set1_epi8(0x20), nine = _mm256_set1_epi8(9);
    __m256i digit = _mm256_sub_epi8(x, _mm256_set1_epi8('0'));
    __m256i letter = _mm256_sub_epi8(_mm256_or_si256(x, small), _mm256_set1_epi8('a'));
    digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, nine), digit);
    letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
    x = _mm256_andnot_si256(_mm256_and_si256(letter, small), _mm256_blendv_epi8(x, _mm256_set1_epi8('0'), digit));
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_loadu_si256((const void *)shape)));
    return _bzhi_u64(~(uint64_t)same, (unsigned)len) == 0;
#else
    for (size_t i = 0; i < len; i++)
        if (shape[i] != (is_digit(p[i]) ? '0' : to_upper(p[i]))) return false;
    return true;
#endif
}

/* The way of a node by what is known of it now. */
static enum track_way way_of(const struct track_node *n)
{
    bool dull = n->dull & DOC_DULL_VALUE, asked = dull || n->dull & DOC_DULL_STRINGS;
    if (!n->row) return TRACK_LOOK; /* what follows has to be looked for */
    if (n->kind == TRACK_SCALAR) return dull ? TRACK_SCALARS : TRACK_NUMBERS;
    if (!asked || n->loud == TRACK_LOUD) return TRACK_TOLD;
    if (n->exact && n->strays == TRACK_STRAYS) return TRACK_ASKED;
    if (n->shape_len > 0 && !n->exact) return TRACK_SHAPED;
    return dull ? TRACK_WORD : n->shape_len > 0 ? TRACK_SAME : TRACK_LOOK;
}

static void choose_way(struct track_node *n)
{
    if (n->pass != 0) n->pass = TRACK_PASS(n->pass >> 8, way_of(n));
}

static __attribute__((noinline)) void keep_shape(struct track_node *n, const uint8_t *p, size_t len, bool exact)
{
    if (!n->exact && n->shape_len <= TRACK_SECOND_SHAPE) {
        memcpy(n->second, n->shape, n->shape_len);
        n->second_len = n->shape_len;
    }
    for (size_t i = 0; i < len; i++)
        n->shape[i] = exact ? p[i] : is_digit(p[i]) ? '0' : to_upper(p[i]);
    n->shape_len = (uint8_t)len;
    n->exact = exact;
    choose_way(n);
}

/* One string is not kept in the place of a shape, nor where each is another. */
STRIDE void keep(struct track_node *n, const uint8_t *p, size_t len, bool exact)
{
    if (exact && n->shape_len > 0 && (!n->exact || n->strays == TRACK_STRAYS)) return;
    n->strays += exact && n->shape_len > 0;
    keep_shape(n, p, len, exact);
}

STRIDE bool is_kept(const struct track_node *n, const uint8_t *p)
{
    return n->exact ? is_like(n, p) : has_shape(n->shape, n->shape_len, p);
}

/* A string that goes to its closing quote: one of a shape that held nothing here holds nothing again. */
STRIDE bool is_void(struct stride *s, struct track_node *n, uint16_t under, const struct plain *value)
{
    const uint8_t *p = byte_at(s, value->from);
    size_t len = value->end - 1 - value->from;
    bool may_keep = len > 0 && len <= TRACK_SHAPE && value->from + TRACK_SHAPE <= s->size;
    if (may_keep && n->shape_len == len && is_kept(n, p)) return true;
    if (n->loud == TRACK_LOUD) return false;
    enum doc_news news = ask(s, under, value);
    if (news != DOC_NEWS_SOME && may_keep) keep(n, p, len, news == DOC_NEWS_NONE);
    if (news == DOC_NEWS_SOME && ++n->loud == TRACK_LOUD) choose_way(n);
    return news != DOC_NEWS_SOME;
}

/* What is behind a node to the caller, kept with it for records that are gone through in the same place. */
struct judged {
    unsigned dull; /* DOC_DULL_… */
    uint16_t under;
};

STRIDE struct judged judge(struct stride *s, struct track_node *n)
{
    const struct track *t = s->r->track;
    bool member = n->name != DOC_NAME_NONE;
    unsigned dull = member ? walk_dull_member(s->skip, s->frame, n->name) : s->frame->dull ? DOC_DULL_VALUE : 0;
    const struct judged now = {dull, member ? n->name : s->frame->name};
    if (t->now == 0) return now;
    n->dull = (uint8_t)now.dull;
    n->under = now.under;
    n->pass = TRACK_PASS(t->now, way_of(n));
    return now;
}

/* False: there is no room to tell it, and nothing is taken. */
STRIDE bool take_known(
    struct stride *s, struct track_node *n, const struct judged *judged, size_t gap, const struct plain *value)
{
    bool member = n->name != DOC_NAME_NONE;
    enum plain_news news = news_of(judged->dull, value);
    size_t name_at = gap + n->name_at;
    if (news == PLAIN_NOTHING || (news == PLAIN_ASK && is_void(s, n, judged->under, value))) {
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

STRIDE void note_record(struct stride *s, const struct doc_event *event)
{
    if (s->event > event) s->r->record_events = (uint32_t)(s->event - event) + EVENTS_AHEAD;
}

STRIDE enum off follow(struct stride *s, uint16_t first, uint32_t *steps)
{
    struct track *t = s->r->track;
    const struct doc_event *event = s->event;
    size_t from = s->mark[0], gap = from;
    for (uint16_t at = first;;) {
        struct track_node *n = &t->nodes[at];
        struct plain value;
        if (UNLIKELY(!has_room_for(s, n))) return *steps ? OFF_ROOM : OFF_NOWHERE;
        t->path[(*steps)++] = at;
        take_brackets(s, n, gap);
        s->mark += n->marks;
        const struct judged judged = judge(s, n);
        if (n->kind == TRACK_END) {
            s->r->record_size = (uint32_t)(gap + n->len - from);
            note_record(s, event);
            return OFF_END;
        }
        bool read = n->kind == TRACK_STRING ? read_string(s, s->mark - 1, &value)
                                            : read_scalar(s, s->mark - 1, *byte_at(s, gap + n->len), &value);
        if (UNLIKELY(!read || !take_known(s, n, &judged, gap, &value))) return put_unread(s, n, gap);
        s->mark += n->kind == TRACK_STRING;
        gap = value.end;
        if (UNLIKELY(gap + TRACK_GAP >= s->size)) return OFF_ROOM;
        at = find_gap(s, n->child, &n->next, gap);
        if (UNLIKELY(at == TRACK_NONE)) return OFF_GAP;
    }
}

/* ---- records that stay on their track --------------------------------------------------------------------------- */

/* Such a record is gone through in silence; what is told of it follows from its way and from which values are told. */

/* Whether a string may hold what it takes to be told, judged by its length and bytes alone; PLAIN_TOLD also where that needs
 * a closer look. */
STRIDE bool is_short_word(const struct doc_scan *scan, size_t from, size_t len)
{
    if (len >= 12 || plane_bits(scan->special, from, len) != 0) return false;
    return len < 6 || !is_six(plane_bits(scan->digit, from, len));
}

enum passed { PASSED_SILENT, PASSED_TOLD, PASSED_NOT };

/* A string behind the node that has to be looked at. */
STRIDE enum passed read_passing(struct stride *s, struct track_node *n, size_t from, size_t to, uint64_t *word)
{
    struct plain value;
    const uint16_t mark[2] = {(uint16_t)(from - 1), (uint16_t)to};
    if (UNLIKELY(!read_string(s, mark, &value))) return PASSED_NOT;
    enum plain_news news = news_of(n->dull, &value);
    bool asked = n->loud < TRACK_LOUD;
    if (asked && (news == PLAIN_NOTHING || (news == PLAIN_ASK && is_void(s, n, n->under, &value)))) return PASSED_SILENT;
    *word = value.word;
    return PASSED_TOLD;
}

/* A string behind the node, up to `to`. */
STRIDE enum passed pass_string(struct stride *s, struct track_node *n, size_t from, size_t to, uint64_t *word)
{
    size_t len = to - from;
    if (LIKELY(!has_literal(s, from, to) && n->loud < TRACK_LOUD)) {
        bool shaped = n->shape_len == len && n->dull & (DOC_DULL_VALUE | DOC_DULL_STRINGS) && from + TRACK_SHAPE <= s->size;
        if (shaped && len > 0 && is_kept(n, byte_at(s, from))) return PASSED_SILENT;
        if (n->dull & DOC_DULL_VALUE && is_short_word(&s->r->scan, from, len)) return PASSED_SILENT;
    }
    return read_passing(s, n, from, to, word);
}

STRIDE enum passed pass_scalar(struct stride *s, const struct track_node *n, size_t from, size_t to, uint64_t *word)
{
    struct plain value;
    const uint16_t mark[2] = {(uint16_t)from, (uint16_t)to};
    if (UNLIKELY(!read_scalar(s, mark, *byte_at(s, from), &value))) return PASSED_NOT;
    if (news_of(n->dull, &value) == PLAIN_NOTHING) return PASSED_SILENT;
    *word = value.word;
    return PASSED_TOLD;
}

/* Passes the value behind a node, whatever it is; where the next gap begins. 0: it needs a closer look than this. */
static __attribute__((noinline)) size_t pass_any(struct stride *s, struct track_node *n, size_t step, size_t from)
{
    struct track_record *record = &s->r->track->record;
    bool string = n->kind == TRACK_STRING;
    size_t to = string ? planes_string_end(&s->r->scan, from) : planes_next_mark(&s->r->scan, from + 1);
    if (UNLIKELY(to + 1 + TRACK_GAP >= s->size)) return 0;
    enum passed passed = string ? pass_string(s, n, from, to, &record->words[step]) : pass_scalar(s, n, from, to, &record->words[step]);
    if (UNLIKELY(passed == PASSED_NOT)) return 0;
    record->told[step / 64] |= (uint64_t)(passed == PASSED_TOLD) << step % 64;
    return to + string;
}

/* Up to here nothing is special, no literal ends, and there is room for a gap behind any byte of a chunk of that size. */
static __attribute__((noinline)) size_t next_stop(struct doc_reader *r, size_t size, const uint64_t **literal, size_t from)
{
    size_t stop = size > 1 + TRACK_GAP ? size - 1 - TRACK_GAP : 0;
    if (from < r->special_from || r->special < from) {
        r->special = planes_next_special(&r->scan, from);
        r->special_from = from;
    }
    if (r->special < stop) stop = r->special;
    while (**literal <= r->chunk_at + from)
        ++*literal;
    return **literal - r->chunk_at < stop ? (size_t)(**literal - r->chunk_at) : stop;
}

STRIDE size_t first_bit(uint64_t bits)
{
#ifdef __BMI__
    return _tzcnt_u64(bits);
#else
    return bits ? (size_t)__builtin_ctzll(bits) : 64;
#endif
}

/* Of a string that begins there. */
struct glance {
    size_t len; /* 64: at least PLANE_BITS_MOST, and `six` says nothing */
    bool six;
};
STRIDE struct glance glance_at(const struct doc_scan *scan, size_t from)
{
    size_t len = first_bit(plane_at(scan->quote, from));
#ifdef __BMI2__
    uint64_t digits = _bzhi_u64(plane_at(scan->digit, from), (unsigned)len);
#else
    uint64_t digits = plane_at(scan->digit, from) & (len < 64 ? (1ULL << len) - 1 : ~0ULL);
#endif
    return (struct glance){len, is_six(digits)};
}

/* Bytes of the number that these digits begin, with one point at most, which is dull if it has fewer than nine bytes;
 * LONG_SCALAR: another. */
#define DULL_SCALAR 8
#define LONG_SCALAR 64
STRIDE size_t number_len(const uint8_t *p, uint64_t digits)
{
    size_t len = first_bit(~digits);
    if (UNLIKELY(len > DULL_SCALAR || (*p == '0' && len > 1))) return LONG_SCALAR;
    if (LIKELY(p[len] != '.')) return len;
    size_t more = first_bit(~(digits >> (len + 1)));
    return more > 0 ? len + 1 + more : LONG_SCALAR;
}

STRIDE size_t word_len(const uint8_t *p)
{
    uint32_t word = load_le32(p);
    if (word == 0x6C6C756E || word == 0x65757274) return 4; /* null, true */
    return word == 0x736C6166 && p[4] == 'e' ? 5 : LONG_SCALAR;
}

/* Where the short number or word ends that something other than a blank follows; 0: it is another. */
STRIDE size_t end_of_scalar(const struct doc_scan *scan, const uint8_t *p, size_t from, size_t stop)
{
    if (UNLIKELY(from + DULL_SCALAR + 1 > stop)) return 0;
    uint64_t digits = plane_at(scan->digit, from);
    size_t len = LIKELY(digits & 1) ? number_len(p, digits) : word_len(p);
    if (UNLIKELY(len > DULL_SCALAR)) return 0;
    return LIKELY(p[len] == ',' || p[len] == '}' || p[len] == ']') ? from + len : 0;
}

/* Whether blanks part a string into pieces of fewer than twelve bytes; false where it is longer than 32. TRACK_SHAPE bytes may
 * be read. */
STRIDE bool is_parted(const uint8_t *p, size_t len)
{
#ifdef __AVX2__
    __m256i blank = _mm256_cmpeq_epi8(_mm256_loadu_si256((const void *)p), _mm256_set1_epi8(' '));
    uint64_t others = ~(uint64_t)(uint32_t)_mm256_movemask_epi8(blank);
#else
    uint64_t others = ~0ULL;
    for (size_t i = 0; i < len && i < 32; i++)
        if (p[i] == ' ') others &= ~(1ULL << i);
#endif
    if (len > 32) return false;
    others &= (1ULL << len) - 1;
    others &= others >> 1;
    others &= others >> 2;
    others &= others >> 4;
    return (others & others >> 4) == 0;
}
_Static_assert(TRACK_SHAPE == 32, "bits of a word");

/* Likewise the plain number, of any length in sight. */
STRIDE size_t end_of_number(const struct doc_scan *scan, const uint8_t *p, size_t from, size_t stop, uint64_t *word)
{
    uint64_t digits = plane_at(scan->digit, from);
    size_t len = first_bit(~digits);
    if (UNLIKELY(len - 1 >= 20 || from + len >= stop || (*p == '0' && len > 1))) return 0;
    if (UNLIKELY(p[len] != ',' && p[len] != '}' && p[len] != ']')) return 0;
    *word = event_word(len, 0, DOC_NUMBER, (uint32_t)(len >= 6) << 3 | (uint32_t)(len >= 12) << 4 | DOC_PLAIN);
    return from + len;
}

/* Likewise the string that is told and longer than is seen at a glance. */
static __attribute__((noinline)) size_t pass_long(
    const struct doc_scan *scan, const uint8_t *p, size_t from, size_t stop, struct track_record *record, size_t step)
{
    size_t to = planes_string_end(scan, from);
    if (to >= stop) return 0;
    record->words[step] = event_word(to - from, 0, DOC_STRING, careful_flags(scan, p, from, to));
    record->told[step / 64] |= 1ULL << step % 64;
    return to + 1;
}

/* Whether a string that is none of those kept is nothing all the same, and there is nothing to keep of it. */
static __attribute__((noinline)) bool is_unheard(const struct doc_skip *skip, uint16_t under, const uint8_t *p, size_t len)
{
    return skip->ask && skip->ask(skip->ctx, under, span_of(p, len)) == DOC_NEWS_NONE;
}

/* How a string is passed by its way alone. PASS_WORD: if it is a short word. */
enum pass { PASS_NOT, PASS_NOTHING, PASS_WORD };
STRIDE enum pass pass_by_shape(const struct track_node *n, const uint8_t *p, size_t len)
{
    if (LIKELY(len == n->shape_len && has_shape(n->shape, len, p))) return PASS_NOTHING;
    if (len > 0 && len == n->second_len && has_shape(n->second, len, p)) return PASS_NOTHING;
    return n->dull & DOC_DULL_VALUE ? PASS_WORD : PASS_NOT;
}

/* Of the string that was glanced at. */
STRIDE bool is_plain_word(const struct doc_skip *skip, struct glance g, const uint8_t *p)
{
    return !g.six && (g.len < 12 || (skip->parted && is_parted(p, g.len)));
}

/* Passes the value behind a node that was judged for records of this epoch, where its way is all there is to it; where the
 * next gap begins, which the next node may be. 0: it has to be looked at. */
STRIDE size_t pass_quickly(const struct doc_reader *r, const struct track_node *n, uint64_t key, const uint8_t *p, size_t from,
    size_t stop, struct track_record *record, size_t step)
{
    uint64_t way = n->pass ^ key;
    if (LIKELY(way - 1 < TRACK_ASKED)) {
        const struct glance g = glance_at(&r->scan, from);
        size_t end = from + g.len;
        enum pass pass = PASS_WORD;
        if (UNLIKELY(end >= stop)) return 0;
        if (way == TRACK_TOLD) {
            if (UNLIKELY(g.len == 64)) return pass_long(&r->scan, p, from, stop, record, step);
            record->words[step] = event_word(g.len, 0, DOC_STRING, (uint32_t)g.six << 3 | (uint32_t)(g.len >= 12) << 4);
            record->told[step / 64] |= 1ULL << step % 64;
            return end + 1;
        }
        if (way == TRACK_SHAPED) pass = pass_by_shape(n, p, g.len);
        if (way == TRACK_SAME) pass = g.len == n->shape_len && is_like(n, p) ? PASS_NOTHING : PASS_NOT;
        if (way == TRACK_ASKED && !(n->dull & DOC_DULL_VALUE && is_plain_word(r->skip, g, p)))
            pass = g.len < 64 && is_unheard(r->skip, n->under, p, g.len) ? PASS_NOTHING : PASS_NOT;
        if (pass == PASS_NOT || (pass == PASS_WORD && UNLIKELY(!is_plain_word(r->skip, g, p)))) return 0;
        return end + 1;
    }
    if (LIKELY(way == TRACK_SCALARS)) return end_of_scalar(&r->scan, p, from, stop);
    if (way != TRACK_NUMBERS) return 0;
    size_t end = end_of_number(&r->scan, p, from, stop, &record->words[step]);
    record->told[step / 64] |= (uint64_t)(end > 0) << step % 64;
    return end;
}
_Static_assert(TRACK_WORD == 1 && TRACK_SHAPED == 2 && TRACK_TOLD == 3 && TRACK_SAME == 4 && TRACK_ASKED == 5, "strings");
_Static_assert(TRACK_SHAPE <= TRACK_GAP, "a shape may be compared where a gap may");

/* The gap that follows the node before it; NULL: there is none. */
static __attribute__((noinline)) struct track_node *seek(const struct stride *s, struct track_node *before, size_t gap)
{
    uint16_t at = find_gap(s, before->child, &before->next, gap);
    return LIKELY(at != TRACK_NONE) ? &s->r->track->nodes[at] : NULL;
}

/* Where a record is that is gone through, before a value that its way did not pass: what was made of it. */
struct passing {
    struct track_node *n;
    size_t next, stop; /* `next`: where the gap behind the value begins; 0: the value is passed once more */
    enum { PASSING_ON, PASSING_LEFT, PASSING_END } as;
};
static __attribute__((noinline)) struct passing pass_slowly(
    struct stride *s, struct track_node *n, size_t gap, size_t stop, size_t step)
{
    struct track *t = s->r->track;
    size_t from = gap + n->len;
    struct passing to = {n, 0, stop, PASSING_LEFT};
    if (UNLIKELY(n->pass >> 8 != t->now)) return to;
    if (n->kind == TRACK_END) return to.as = PASSING_END, to;
    if (stop < from) { /* it stood before the value */
        to.stop = next_stop(s->r, s->size, &s->literal, from);
        if (LIKELY(to.stop >= from)) to.as = PASSING_ON;
        return to;
    }
    if (UNLIKELY(n->kind == TRACK_SCALAR && !is_scalar(*byte_at(s, from)))) { /* the gap is the beginning of another */
        if ((to.n = seek(s, &t->nodes[n->parent], gap))) to.as = PASSING_ON;
        return to;
    }
    to.next = pass_any(s, n, step, from);
    if (UNLIKELY(to.next == 0)) return to;
    if (stop < to.next) to.stop = next_stop(s->r, s->size, &s->literal, to.next);
    return to.as = PASSING_ON, to;
}

/* Goes through a record, whose first gap this is and begins there; where it ends. 0: it leaves the track, or is to be judged
 * first. By planes alone: its marks are mostly never put into the list. A function of its own, with a stride of its own: it
 * needs all registers that there are, and calls others for all that is seldom. */
static __attribute__((noinline)) size_t go_through(
    struct doc_reader *r, uintptr_t bytes, size_t size, size_t gap, uint16_t first)
{
    struct track *t = r->track;
    struct track_record *record = &t->record;
    struct stride s; /* all that is asked of it; the rest would take longer to clear than a few gaps */
    s.r = r;
    s.bytes = bytes;
    s.size = size;
    s.at = r->chunk_at;
    s.skip = r->skip;
    s.literal = r->literal;
    const uint64_t key = TRACK_PASS(t->now, 0);
    struct track_node *n = &t->nodes[first];
    size_t step = 0, stop = next_stop(r, size, &s.literal, gap);
    record->told[0] = record->told[1] = 0;
    for (;;) {
        size_t from = gap + n->len;
        record->gaps[step] = (uint16_t)gap;
        size_t next = pass_quickly(r, n, key, (const uint8_t *)(bytes + from), from, stop, record, step);
        bool row = true;
        if (UNLIKELY(next == 0)) {
            const struct passing to = pass_slowly(&s, n, gap, stop, step);
            if (to.as == PASSING_LEFT) return 0;
            if (to.as == PASSING_END) break;
            n = to.n;
            stop = to.stop;
            if (to.next == 0) continue;
            next = to.next;
            row = n->row;
        }
        gap = next;
        step++;
        if (LIKELY(row && is_gap(n + 1, (const uint8_t *)(bytes + gap))))
            n++;
        else if (UNLIKELY(!(n = seek(&s, n, gap))))
            return 0;
    }
    record->steps = (uint16_t)(step + 1);
    record->end = (uint16_t)(n - t->nodes);
    r->literal = s.literal;
    return gap + n->len;
}

STRIDE size_t offset_of(const uint16_t *gaps, struct doc_place p)
{
    return (size_t)gaps[p.step] + p.delta;
}

/* In variables of its own, which stay in registers. */
STRIDE void put_lines(struct stride *s, const struct track_tale *tale)
{
    const struct track *t = s->r->track;
    const struct doc_line *l = t->lines + tale->first, *last = l + tale->count;
    const uint16_t *gaps = t->record.gaps;
    const uint64_t *words = t->record.words;
    uint8_t *event = (uint8_t *)s->event;
    uint64_t base = s->at;
    for (; l < last; l++, event += sizeof *s->event) {
        uint64_t from = offset_of(gaps, l->at), at = base + from;
        uint64_t word = l->kind == DOC_LINE_VALUE ? words[l->at.step] : l->word;
        if (l->kind == DOC_LINE_SKIPPED) word += offset_of(gaps, l->end) - from;
        memcpy(event, &at, 8);
        memcpy(event + 8, &word, 8);
    }
    s->event += tale->count;
}

static __attribute__((noinline)) bool hand(const struct doc_skip *skip, const struct doc_event *before, size_t count,
    const struct track *t, const struct track_tale *tale, uint64_t at, uint64_t end)
{
    const struct doc_told record = {.at = at,
        .gaps = t->record.gaps,
        .words = t->record.words,
        .lines = t->lines + tale->first,
        .count = tale->count,
        .serial = tale->serial,
        .end = end};
    return skip->take(skip->ctx, before, count, &record);
}

/* To a caller that takes records, with all that was told before; no container whose beginning it has can be taken back. */
STRIDE bool hand_over(struct stride *s, const struct track_tale *tale, size_t end)
{
    if (!s->skip->take) return false;
    size_t count = (size_t)(s->event - s->first_event);
    s->event -= count;
    s->floor = s->r->depth;
    return hand(s->skip, s->event, count, s->r->track, tale, s->at, s->at + end);
}

/* Goes on behind a record that ends before `end`. Where the next one follows at once, two marks are all that is asked for
 * before it is gone through as well: the rest of the list is not written. */
STRIDE void jump(struct stride *s, size_t end)
{
    struct doc_scan *scan = &s->r->scan;
    uint32_t mark = scan_jump(scan, end);
    s->mark = scan->marks + mark;
    if (mark < scan->written) return;
    bool next = end + 1 < s->size && *byte_at(s, end) == ',' && *byte_at(s, end + 1) == '{';
    s->last_mark = s->mark - 1;
    if (!next) return;
    scan->marks[mark] = (uint16_t)end;
    scan->marks[mark + 1] = (uint16_t)(end + 1);
    s->last_mark = s->mark + 1;
}

/* The words of all values but those that are told as it is. False: one of them needs a closer look. */
static bool read_silent(struct doc_reader *r, uintptr_t bytes, size_t size, const uint64_t told[TRACK_STEPS / 64])
{
    struct track_record *record = &r->track->record;
    const struct stride s = {.r = r, .bytes = bytes, .size = size, .at = r->chunk_at, .skip = r->skip};
    const struct track_node *nodes = r->track->nodes, *n = &nodes[record->end];
    for (size_t i = record->steps - (size_t)1; i-- > 0;) {
        n = &nodes[n->parent];
        size_t from = record->gaps[i] + (size_t)n->len, to = record->gaps[i + 1];
        struct plain value;
        if (told[i / 64] >> i % 64 & 1) continue;
        const uint16_t mark[2] = {(uint16_t)from, (uint16_t)to};
        bool read = n->kind == TRACK_STRING ? read_text(&s, from, to - 1, &value) : read_scalar(&s, mark, *byte_at(&s, from), &value);
        if (UNLIKELY(!read)) return false;
        record->words[i] = value.word;
    }
    return true;
}

/* The tale of the record in which all its values are told. NULL: there is none. */
static const struct track_tale *tell_aloud(struct doc_reader *r, uintptr_t bytes, size_t size, bool make)
{
    struct track_record *record = &r->track->record;
    const uint64_t told[TRACK_STEPS / 64] = {record->told[0], record->told[1]};
    size_t values = record->steps - 1;
    record->told[0] = values < 64 ? (UINT64_C(1) << values) - 1 : ~UINT64_C(0);
    record->told[1] = values <= 64 ? 0 : (UINT64_C(1) << (values - 64)) - 1;
    const struct track_tale *tale = track_tale_of(r->track);
    if ((tale || make) && read_silent(r, bytes, size, told)) return tale ? tale : track_tell(r);
    memcpy(record->told, told, sizeof told);
    return NULL;
}

/* Where the record was never told so, all of it may be told, as an example was: that costs less than to work out another tale,
 * as long as there are few. */
static __attribute__((noinline)) const struct track_tale *tell_otherwise(struct doc_reader *r, uintptr_t bytes, size_t size)
{
    const struct track_tale *tale = NULL;
    if (r->aloud || r->track->aloud++ < TRACK_ALOUD) tale = tell_aloud(r, bytes, size, r->aloud);
    return tale ? tale : track_tell(r);
}

/* False: the record was not taken. */
STRIDE bool tell(struct stride *s, size_t from, size_t end)
{
    struct doc_reader *r = s->r;
    const struct track_tale *tale = r->aloud ? NULL : track_tale_of(r->track);
    if (UNLIKELY(!tale)) tale = tell_otherwise(r, s->bytes, s->size);
    if (UNLIKELY(!tale)) return false;
    if (tale->count > 0) {
        put_skipped(s);
        if (!hand_over(s, tale, end)) {
            if (UNLIKELY(s->event + tale->count > s->last_event)) return false;
            put_lines(s, tale);
        }
    } else {
        skip(s, from, end);
        if (tale->depth > s->skipped.depth) s->skipped.depth = tale->depth;
    }
    return true;
}

/* Bytes that have to be there for a record as large as the last one. */
STRIDE size_t record_room(const struct doc_reader *r)
{
    return (size_t)r->record_size + TRACK_GAP + SCAN_BLOCK;
}

/* Whether the window holds no such record, and more may follow: it is waited for once. */
STRIDE bool is_early(const struct stride *s, size_t at)
{
    return s->size - at + s->behind <= record_room(s->r) && !s->complete && s->r->waited_at != s->at + at;
}

/* A record that the chunk ends in is better read from a chunk of its own, as long as no more is scanned again than was read.
 * All marks up to its brace have been taken, and nothing in front of a brace reaches beyond it. */
STRIDE bool is_cut(const struct stride *s, size_t at)
{
    size_t left = s->size - at, room = record_room(s->r);
    if (LIKELY(left > room) || at < left || room > SCAN_CHUNK || s->r->scan.cut) return false;
    return left + s->behind > room || is_early(s, at);
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

/* Where the record ends that begins there, which was taken; 0: nothing was. */
STRIDE size_t take_one_whole(struct stride *s, uint16_t first, size_t from)
{
    struct doc_reader *r = s->r;
    struct track *t = r->track;
    const struct walk_frame *f = s->frame;
    const struct doc_event *event = s->event;
    const struct track_context here = {s->skip->changes, r->depth, f->name, f->rooted, f->dull};
    t->now = 0;
    if (!track_look_around(t, first, &here) || s->at + from == t->left) return 0;
    t->used = true;
    r->literal = s->literal;
    size_t end = go_through(r, s->bytes, s->size, from, first);
    if (UNLIKELY(end == 0)) t->left = s->at + from;
    if (UNLIKELY(end == 0 || !tell(s, from, end))) return 0;
    s->literal = r->literal;
    r->record_size = (uint32_t)(end - from);
    note_record(s, event);
    return end;
}

/* The first gap of the record behind one that ends there, where it follows at once and nothing is in its way; else
 * TRACK_NONE: it is met as any value is. */
STRIDE uint16_t next_whole(struct stride *s, size_t end)
{
    struct track *t = s->r->track;
    size_t from = end + 1;
    if (from + TRACK_GAP >= s->size || *byte_at(s, end) != ',' || *byte_at(s, from) != '{') return TRACK_NONE;
    if (is_cut(s, from) || is_short_of_room(s) || s->event > s->last_event) return TRACK_NONE;
    return find_gap(s, t->root, &t->next, from);
}

/* The record that begins at the mark, and those behind it. False: nothing was taken. */
STRIDE bool take_whole(struct stride *s, uint16_t first)
{
    struct doc_reader *r = s->r;
    size_t end = 0;
    for (size_t from = s->mark[0], next; first != TRACK_NONE; end = next, from = end + 1, first = next_whole(s, end)) {
        next = take_one_whole(s, first, from);
        if (next == 0) break;
    }
    if (end == 0) return false;
    jump(s, end);
    r->names.last = s->frame->name;
    r->names.inside = false;
    return true;
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
    if (is_cut(s, s->mark[0])) {
        r->waits = is_early(s, s->mark[0]);
        if (r->waits) r->waited_at = s->at + s->mark[0];
        return cut_chunk(r, s->mark), OFF_LATER;
    }
    if (is_short_of_room(s)) return s->full = true, OFF_LATER;
    enum off off = take_whole(s, first) ? OFF_END : follow(s, first, &steps);
    if (off == OFF_NOWHERE) return off;
    s->state = off == OFF_VALUE ? WALK_VALUE : WALK_AFTER;
    if (off == OFF_VALUE) s->mark--;
    if (off != OFF_END) (void)track_leave(r, steps, depth);
    names_in(s);
    return off;
}

#endif
