/* Streams: what has ended outside every open piece is handed out step by step, and the tables keep what is still open.
 *
 *   pieces   [ ended, handed out | waits for its sibling, or open, and all that is in it ]
 *                                 ▲ piece_stop
 *
 * A piece that may be left out is judged once its next sibling or the end of its container is there: then all bytes
 * that go with it are known. */
#include "match/own.h"
#include <stdlib.h>

/* What ends where. Of a list's last element and the list, the element comes first. */
struct ending {
    uint64_t at;
    uint32_t index;
    bool is_container;
};

static struct match_container *container_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->containers, struct match_container, i);
}

static struct match_finding *finding_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->findings, struct match_finding, i);
}

static struct ending *ending_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->order, struct ending, i);
}

static int compare_endings(const void *a, const void *b)
{
    const struct ending *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (int)x->is_container - (int)y->is_container;
}

static void add_ending(struct match *m, uint64_t at, uint32_t index, bool is_container)
{
    struct ending *e = table_add(m, &m->order, sizeof *e);
    if (e) *e = (struct ending){at, index, is_container};
}

static bool is_open(const struct match_piece *p)
{
    return p->end == 0;
}

static bool is_closed_outer(const struct match_container *c)
{
    return c->outer && c->close != 0;
}

/* The first piece behind i that does not lie in it. */
static uint32_t piece_behind(struct match *m, uint32_t i)
{
    uint64_t end = piece_at(m, i)->end;
    while (++i < m->pieces.count && piece_at(m, i)->begin < end) {
    }
    return i;
}

static void collect_endings(struct match *m, enum match_stand stand)
{
    uint32_t i = 0, waiting = MATCH_NONE;
    if (stand == MATCH_GOES_ON) waiting = TABLE_AT(&m->frames, struct frame, m->top)->last;
    m->order.count = 0;
    while (i < m->pieces.count && !is_open(piece_at(m, i)) && i != waiting) {
        add_ending(m, piece_at(m, i)->end, i, false);
        i = piece_behind(m, i);
    }
    m->stepping = (struct stepping){.piece_stop = i};
    uint32_t pieces = m->order.count;
    for (i = 0; i < m->containers.count; i++)
        if (is_closed_outer(container_at(m, i))) add_ending(m, container_at(m, i)->close, i, true);
    if (m->order.count > pieces) qsort(m->order.items, m->order.count, sizeof(struct ending), compare_endings);
}

/* All before the first piece has been handed out, and what came since lies in it: nothing has ended. Else a unit that comes in
 * many small pieces would be gone through for each of them. */
static bool goes_on(struct match *m, enum match_stand stand)
{
    return stand == MATCH_GOES_ON && m->steps_open && m->pieces.count > 0 && is_open(piece_at(m, 0));
}

result match_steps_begin(struct match *m, enum match_stand stand)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    ASSERT(m->counts.count == 0);
    if (goes_on(m, stand)) {
        m->stepping = (struct stepping){0};
        m->order.count = 0;
        return m->failed ? FAIL(ERROR_LIMIT, DOC_NO_MEMORY) : OK;
    }
    match_check_asked(m);
    m->disorder = false; /* steps are put in order by where they end */
    if (findings_settle(m) && stand == MATCH_ENDED) walk_end(m);
    if (!m->failed) collect_endings(m, stand);
    return m->failed ? FAIL(ERROR_LIMIT, DOC_NO_MEMORY) : OK;
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

/* In a field of the head: no name in the body stands at 0, where a quote is. It is in no piece, also where one begins there. */
static bool is_in_head(const struct match_finding *f)
{
    return f->in_name && f->at == 0;
}

/* Findings before `to` that have not been handed out. */
static bool step_outside(struct match *m, uint64_t to, struct match_step *out)
{
    uint32_t from = m->stepping.finding, n = from;
    while (n < m->findings.count && (finding_at(m, n)->at < to || is_in_head(finding_at(m, n))))
        finding_at(m, n++)->unit = MATCH_NONE;
    if (n == from) return false;
    m->stepping.finding = n;
    *out = (struct match_step){.kind = MATCH_STEP_OUTSIDE,
        .inside = {.findings = finding_at(m, from), .finding_count = n - from}};
    return true;
}

/* What a line breaks off with may be found behind its last byte. */
static bool is_inside(const struct match_finding *f, const struct match_piece *p, uint32_t first, uint32_t last)
{
    return f->at < p->end || (f->unit != MATCH_NONE && f->unit >= first && f->unit < last);
}

static void take_findings(struct match *m, uint32_t first, uint32_t last, struct match_survey *s)
{
    const struct match_piece *p = piece_at(m, first);
    uint32_t from = m->stepping.finding, n = from;
    for (; n < m->findings.count && is_inside(finding_at(m, n), p, first, last); n++) {
        struct match_finding *f = finding_at(m, n);
        f->at -= p->begin;
        if (f->unit != MATCH_NONE) f->unit -= first;
    }
    m->stepping.finding = n;
    s->findings = n > from ? finding_at(m, from) : NULL;
    s->finding_count = n - from;
}

/* Those of one piece stand in a row: the ones around it are noted before its first or behind its last. */
static uint32_t take_containers(struct match *m, const struct match_piece *p, struct match_survey *s)
{
    uint32_t i = m->stepping.container, n = m->containers.count;
    while (i < n && (container_at(m, i)->outer || container_at(m, i)->open < p->begin))
        i++;
    uint32_t first = i;
    for (; i < n && !container_at(m, i)->outer && container_at(m, i)->open < p->end; i++) {
        container_at(m, i)->open -= p->begin;
        container_at(m, i)->close -= p->begin;
    }
    m->stepping.container = i;
    s->containers = first < n ? container_at(m, first) : NULL;
    s->container_count = i - first;
    return first;
}

static void take_inner(struct match *m, uint32_t first, uint32_t last, uint32_t container)
{
    uint64_t begin = piece_at(m, first)->begin;
    for (uint32_t i = first; i < last; i++) {
        struct match_piece *p = piece_at(m, i);
        p->begin -= begin;
        p->end -= begin;
        p->value -= begin;
        p->previous_end -= i > first ? begin : p->previous_end;
        p->next_begin = i > first ? p->next_begin - begin : p->end;
        p->container -= i > first ? container : 0;
        if (p->unit_parent != MATCH_NONE) p->unit_parent = i > first ? p->unit_parent - first : MATCH_NONE;
    }
    struct match_piece *root = piece_at(m, first);
    root->container = MATCH_NONE;
    root->ordinal = 0;
    root->is_root = true;
}

/* Of the pieces first … last; what was noted of later ones stands behind. */
static void take_identifiers(struct match *m, uint32_t first, uint32_t last, struct match_survey *s)
{
    uint32_t from = m->stepping.identifier, n = from;
    for (; n < m->identifiers.count && TABLE_AT(&m->identifiers, struct match_identifier, n)->unit < last; n++)
        TABLE_AT(&m->identifiers, struct match_identifier, n)->unit -= first;
    m->stepping.identifier = n;
    s->identifiers = n > from ? TABLE_AT(&m->identifiers, struct match_identifier, from) : NULL;
    s->identifier_count = n - from;
    s->identifier_text = m->identifier_text.items;
}

static void step_piece(struct match *m, uint32_t i, struct match_step *out)
{
    uint32_t last = piece_behind(m, i);
    *out = (struct match_step){.kind = MATCH_STEP_PIECE, .piece = *piece_at(m, i)};
    if (out->piece.container != MATCH_NONE) out->container = container_at(m, out->piece.container);
    take_findings(m, i, last, &out->inside);
    take_identifiers(m, i, last, &out->inside);
    take_inner(m, i, last, take_containers(m, &out->piece, &out->inside));
    out->inside.search = m->search;
    out->inside.pieces = piece_at(m, i);
    out->inside.piece_count = last - i;
    out->inside.root_end = out->piece.end - out->piece.begin;
}

bool match_steps_next(struct match *m, struct match_step *out)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    struct stepping *s = &m->stepping;
    if (s->next == m->order.count) {
        uint64_t open = s->piece_stop < m->pieces.count ? piece_at(m, s->piece_stop)->begin : UINT64_MAX;
        return step_outside(m, open, out);
    }
    const struct ending *e = ending_at(m, s->next);
    uint64_t begin = e->is_container ? e->at : piece_at(m, e->index)->begin;
    if (step_outside(m, begin, out)) return true;
    s->next++;
    if (!e->is_container)
        step_piece(m, e->index, out);
    else
        *out = (struct match_step){.kind = MATCH_STEP_CONTAINER, .container = container_at(m, e->index)};
    return true;
}

/* ---- forgetting ------------------------------------------------------------------------------------------------- */

/* The first n items give way to the others. */
static void drop_front(struct table *t, uint32_t n, size_t size)
{
    if (n == 0) return;
    t->count -= n;
    memmove(t->items, (uint8_t *)t->items + (size_t)n * size, (size_t)t->count * size);
}

static uint32_t less(uint32_t index, uint32_t n)
{
    return index == MATCH_NONE || index < n ? MATCH_NONE : index - n;
}

/* Containers that are open, or lie in what is still open, move up. */
static void keep_containers(struct match *m, uint64_t from)
{
    uint32_t kept = 0;
    m->moved.count = 0;
    for (uint32_t i = 0; i < m->containers.count; i++) {
        const struct match_container *c = container_at(m, i);
        uint32_t *to = table_add(m, &m->moved, sizeof *to);
        if (!to) return;
        *to = MATCH_NONE;
        if (c->close != 0 && c->open < from) continue;
        *to = kept;
        *container_at(m, kept++) = *c;
    }
    m->containers.count = kept;
}

static uint32_t moved_to(const struct match *m, uint32_t container)
{
    return container == MATCH_NONE ? MATCH_NONE : *TABLE_AT(&m->moved, uint32_t, container);
}

static void move_frames(struct match *m, uint32_t n)
{
    for (uint32_t i = 0; i <= m->top; i++) {
        struct frame *f = TABLE_AT(&m->frames, struct frame, i);
        f->where.unit = less(f->where.unit, n);
        f->where.piece = less(f->where.piece, n);
        f->own = less(f->own, n);
        f->last = less(f->last, n);
        f->container = moved_to(m, f->container);
    }
    m->line = less(m->line, n);
}

static void keep_identifiers(struct match *m, uint32_t n)
{
    uint32_t gone = m->stepping.identifier;
    drop_front(&m->identifiers, gone, sizeof(struct match_identifier));
    uint32_t text = m->identifiers.count ? TABLE_AT(&m->identifiers, struct match_identifier, 0)->text : m->identifier_text.count;
    drop_front(&m->identifier_text, text, 1);
    for (uint32_t i = 0; i < m->identifiers.count; i++) {
        TABLE_AT(&m->identifiers, struct match_identifier, i)->unit -= n;
        TABLE_AT(&m->identifiers, struct match_identifier, i)->text -= text;
    }
    m->identifiers_from = m->identifiers_from > gone ? m->identifiers_from - gone : 0;
    m->identifier_text_from = m->identifier_text_from > text ? m->identifier_text_from - text : 0;
}

void match_steps_end(struct match *m)
{
    MAGIC_CHECK(m, MATCH_MAGIC);
    uint32_t n = m->stepping.piece_stop;
    uint64_t from = n < m->pieces.count ? piece_at(m, n)->begin : UINT64_MAX;
    m->steps_open = n < m->pieces.count && is_open(piece_at(m, n));
    if (n == 0 && m->stepping.finding == 0 && m->order.count == 0) return;
    keep_containers(m, from);
    if (m->failed) return;
    drop_front(&m->pieces, n, sizeof(struct match_piece));
    drop_front(&m->findings, m->stepping.finding, sizeof(struct match_finding));
    for (uint32_t i = 0; i < m->findings.count; i++)
        finding_at(m, i)->unit = less(finding_at(m, i)->unit, n);
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        piece_at(m, i)->unit_parent = less(piece_at(m, i)->unit_parent, n);
        piece_at(m, i)->container = moved_to(m, piece_at(m, i)->container);
    }
    move_frames(m, n);
    keep_identifiers(m, n);
    m->stepping = (struct stepping){0};
    m->order.count = 0;
}

/* ---- where it stands -------------------------------------------------------------------------------------------- */

const struct match_piece *match_held(const struct match *m)
{
    return m->pieces.count > 0 ? TABLE_AT(&m->pieces, struct match_piece, 0) : NULL;
}

uint64_t match_needs(const struct match *m)
{
    uint64_t overlap = rules_literal_overlap(m->rules), read = doc_reader_needs(m->reader);
    uint64_t scanned = m->literals_to > overlap ? m->literals_to - overlap : 0;
    if (m->name_waits && m->name.at < read) read = m->name.at;
    if (!m->prefilter) return read;
    return read < scanned ? read : scanned;
}

uint64_t match_reached(const struct match *m)
{
    return doc_reader_reached(m->reader);
}

uint64_t match_too_deep(const struct match *m)
{
    return m->too_deep;
}
