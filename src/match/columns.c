/* Tables: what a value is may be said by a name that stands in a list of them, at the value's own place.
 *
 *   {"columns": ["name", "ssn"], "rows": [["A B", "219098765"]]}     {"schema": {"fields": [{"name": "ssn"}]}, "rows": [{"f": [{"v": …}]}]}
 *   {"values": [["name", "ssn"], ["A B", "219098765"]]}
 *
 * A list under a name that says it may be one is read as it comes, and the first row of a table when it has ended. Where none of the names
 * is a label nothing follows. Else the rows around are gone through once more: each outermost unit when it ends, and what is in none, or came
 * before the names, when the object ends that holds both. A row is a list in a list, or in an object in a list; what stands at a place of it,
 * also as the members of an object, is looked into as a member of that name would be.
 *
 *= 10-domain 3.3 */
#include "match/raw.h"

#define OUT_MOST 4      /* objects around a list of names, further out than which its rows do not stand */
#define DEEPEST 32      /* containers around a table */
#define LEVELS_MOST 10  /* containers of one, from where both names and rows are */
/* Who has several lists of names has each value looked at for each of them: so many looks of this many bytes may be made in a document, and
 * as many as one list needs of values of one digit. What would need more cannot be known. */
#define LOOKS_MOST (UINT64_C(1) << 20)
#define LOOK_BYTES 4

static label_set *labels_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->columns, label_set, i);
}

static struct frame *outer_of(struct match *m)
{
    return TABLE_AT(&m->frames, struct frame, m->top - 1);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

void columns_opened(struct match *m, const struct frame *f, const struct child *c, struct frame *inner)
{
    if (f->beside & BESIDE_HEADING && !inner->is_array) {
        inner->beside |= BESIDE_COLUMN;
        inner->key |= KEY_COLUMN;
    }
    if (!inner->is_array) return;
    if (c->beside & RULES_PART_ROWS) inner->beside |= BESIDE_TABLE;
    if (!(c->beside & RULES_PART_HEAD) || m->heading > 0 || m->top > DEEPEST) return;
    inner->beside |= BESIDE_HEADING;
    m->heading = m->top;
    m->heading_from = m->columns.count;
}

static void note(struct match *m, uint32_t column, label_set labels)
{
    uint32_t i = m->heading_from + column;
    while (!m->failed && labels && m->columns.count <= i)
        (void)table_add(m, &m->columns, sizeof(label_set));
    if (!m->failed && labels && *labels_at(m, i) == 0) *labels_at(m, i) = labels;
}

void columns_note(struct match *m, const struct frame *f, const struct doc_event *e)
{
    uint32_t column = f->beside & BESIDE_HEADING ? f->children : outer_of(m)->children - 1;
    note(m, column, raw_labels(m, span_of(m->body + e->at, e->len)));
}

static bool is_same(struct match *m, const struct head *a, const struct head *b)
{
    bool alike = a->level == b->level && a->count == b->count && a->is_row == b->is_row && a->count > 0;
    return alike && memcmp(labels_at(m, a->from), labels_at(m, b->from), a->count * sizeof(label_set)) == 0;
}

/* The last one is the same as another of its level. */
static bool is_again(struct match *m)
{
    const struct head *last = &m->named[m->named_count - 1];
    for (const struct head *h = last; h-- > m->named;)
        if (is_same(m, h, last)) return true;
    return false;
}

static void drop_last(struct match *m)
{
    m->columns.count = m->named[--m->named_count].from;
}

/* What was noted since `from` are names for a table in the frame of that level, unless none is a label. */
static void add_head(struct match *m, const struct head *h)
{
    uint32_t count = m->columns.count - h->from;
    if (m->failed || count == 0) return;
    if (m->named_count == HEADS) {
        m->columns.count = h->from;
        m->named[HEADS - 1].count = 0; /* there are too many */
        return;
    }
    struct head *added = &m->named[m->named_count++];
    *added = *h;
    added->count = count;
    if (is_again(m)) drop_last(m);
}

static void end_heading(struct match *m, const struct frame *f, uint64_t close)
{
    m->heading = 0;
    add_head(m, &(struct head){.from = m->heading_from, .width = f->children, .level = m->top - 1, .open = f->open, .close = close});
}

/* The first list in a list of which the reader tells all, however the document is read. */
bool columns_may_be_head(const struct match *m, const struct frame *f)
{
    const struct frame *outer = f - 1;
    bool lines = m->top == 1 && m->format == DOC_NDJSON;
    bool table = outer->beside & BESIDE_TABLE || (outer->is_array && m->top > 1 && (m->top == 2 || f->own != MATCH_NONE));
    return lines ? outer->children == 0 : table && outer->children == 1 && m->top <= DEEPEST;
}

/* A number as persons have them, which no column is called by: days have fewer digits, times more. Whose it is might be withheld, and what is
 * under it told otherwise than where it is not there. */
static bool is_number(span text)
{
    size_t digits = 0, letters = 0;
    for (size_t i = 0; i < text.len && i < RAW_LONGEST; i++)
        digits += is_digit(text.ptr[i]), letters += is_alpha(text.ptr[i]);
    return digits >= 9 && digits <= 11 && letters <= 3;
}

static void read_first_row(struct match *m, const struct frame *f, uint64_t close)
{
    struct raw_cursor c = {.at = m->body + f->open + 1, .end = m->body + close};
    struct raw_value v;
    uint32_t from = m->heading_from = m->columns.count, width = 0;
    bool names = true;
    for (; names && raw_next_element(&c, &v); width++) {
        names = v.kind == DOC_NULL || (v.kind == DOC_STRING && !is_number(v.text));
        if (names && v.text.len > 0) note(m, width, raw_labels(m, v.text));
    }
    if (names)
        add_head(m, &(struct head){.from = from, .width = width, .level = m->top - 1, .open = f->open, .close = close, .is_row = true});
    else
        m->columns.count = from;
}

/* ---- where it stands -------------------------------------------------------------------------------------------- */

struct level {
    bool object;
    bool listed; /* stands in an array */
    bool row, cell;
    uint32_t children;
    uint32_t column; /* of a cell */
};

struct looking {
    struct match *m;
    const struct head *first, *last; /* the names that hold */
    bool ends; /* a unit; else what is in one that came behind the names was looked at */
    struct where base, where;
    uint32_t piece; /* the next one */
    bool closed;    /* the outermost unit around is */
    struct raw_cursor c;
    struct level levels[LEVELS_MOST];
    uint32_t top;
    bool gave_up;
};

/* The first piece that begins behind this offset. */
static uint32_t piece_behind(struct match *m, uint64_t at)
{
    uint32_t from = 0, to = m->pieces.count;
    while (from < to) {
        uint32_t i = from + (to - from) / 2;
        if (piece_at(m, i)->begin > at) to = i;
        else from = i + 1;
    }
    return from;
}

static bool is_around(const struct match_piece *p, uint64_t at)
{
    return p->begin <= at && (p->end == 0 || p->end > at);
}

/* As the walk's enter_piece(), from outside inwards. */
static void work_out_where(struct looking *l)
{
    struct match *m = l->m;
    l->where = l->base;
    l->closed = false;
    for (uint32_t i = 0; i < m->nest.count; i++) {
        uint32_t at = *TABLE_AT(&m->nest, uint32_t, i);
        const struct match_piece *p = piece_at(m, at);
        bool unit = p->roles & PATH_UNIT || p->is_object;
        if (unit && l->where.unit == MATCH_NONE) l->closed = p->end != 0;
        if (unit) l->where.unit = at;
        l->where.piece = at;
        l->where.in_text |= (p->roles & PATH_TEXT) != 0;
    }
}

/* To this offset, which is behind the last one. */
static void go_to(struct looking *l, uint64_t at)
{
    struct match *m = l->m;
    bool moved = false;
    while (m->nest.count > 0 && !is_around(piece_at(m, *TABLE_AT(&m->nest, uint32_t, m->nest.count - 1)), at))
        m->nest.count--, moved = true;
    for (; l->piece < m->pieces.count && piece_at(m, l->piece)->begin <= at; l->piece++) {
        if (!is_around(piece_at(m, l->piece), at)) continue;
        uint32_t *i = table_add(m, &m->nest, sizeof *i);
        if (i) *i = l->piece, moved = true;
    }
    if (moved) work_out_where(l);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* What stands in a unit that has closed makes nobody suspected: its identifiers are gone. */
static void look(struct looking *l, const struct raw_value *v, label_set labels)
{
    struct match *m = l->m;
    struct child c = child_of(m, 0, labels, true);
    bool marked = m->marked, suspicions = m->limits.suspicions;
    if (l->closed) m->limits.suspicions = false;
    raw_look(m, v, &c, &l->where);
    m->limits.suspicions = suspicions;
    if (l->closed) m->marked = marked;
}

/* By the names of this head: in a container further inside, or in a unit when it ended. */
static bool was_looked_at(const struct looking *l, const struct head *h, uint64_t at)
{
    if (at > h->seen.open && at < h->seen.close) return true;
    return !l->ends && l->closed && at > h->close && !l->m->view->has_graph;
}

static void give_up(struct looking *l, const struct where *w, span at)
{
    if (!l->gave_up) raw_give_up(l->m, w, at);
    l->gave_up = true;
}

/* False: too much was looked at. */
static bool may_look(struct looking *l, const struct raw_value *v)
{
    uint64_t most = LOOKS_MOST + (uint64_t)(l->c.end - l->m->body) / 2;
    if (l->m->looks <= most) l->m->looks += 1 + v->text.len / LOOK_BYTES;
    if (l->m->looks <= most) return true;
    give_up(l, &l->base, v->text);
    return false;
}

static void look_at_cell(struct looking *l, const struct raw_value *v, uint32_t column)
{
    struct match *m = l->m;
    uint64_t at = (uint64_t)(v->text.ptr - m->body);
    go_to(l, at);
    for (const struct head *h = l->first; h < l->last && !m->failed; h++) {
        if (was_looked_at(l, h, at)) continue;
        if (h->count == 0) give_up(l, &l->where, v->text);
        if (column >= h->count || *labels_at(m, h->from + column) == 0) continue;
        if (!may_look(l, v)) return;
        look(l, v, *labels_at(m, h->from + column));
    }
}

/* Is anything said of what stands there? */
static bool is_named(struct looking *l, uint32_t column)
{
    for (const struct head *h = l->first; h < l->last; h++)
        if (h->count == 0 || (column < h->count && *labels_at(l->m, h->from + column))) return true;
    return false;
}

static void look_at_scalar(struct looking *l, const struct raw_value *v, const struct level *in, uint32_t child)
{
    uint32_t column = in->cell ? in->column : child;
    if ((in->row || in->cell) && v->text.len > 0 && is_named(l, column)) look_at_cell(l, v, column);
}

static bool is_head(const struct looking *l, uint64_t at)
{
    for (const struct head *h = l->first; h < l->last; h++)
        if (h->open == at) return true;
    return false;
}

/* Into the container that begins here, a child of the innermost one. False: it is passed. */
static bool enter(struct looking *l, uint32_t child)
{
    const struct level *outer = &l->levels[l->top];
    uint8_t c = *l->c.at;
    if ((c != '{' && c != '[') || l->top + 1 == LEVELS_MOST || is_head(l, (uint64_t)(l->c.at - l->m->body))) return false;
    bool object = c == '{';
    l->levels[++l->top] = (struct level){.object = object,
        .listed = !outer->object,
        .row = !object && (!outer->object || outer->listed),
        .cell = object && outer->row,
        .column = child};
    l->c.at++;
    return true;
}

static void leave(struct looking *l)
{
    const struct level *level = &l->levels[l->top--];
    for (const struct head *h = l->first; level->row && h < l->last; h++)
        if (level->children == h->width) l->m->named[h - l->m->named].met = true;
    l->c.at++;
}

static void go_through(struct looking *l)
{
    struct raw_value v;
    for (;;) {
        struct level *in = &l->levels[l->top];
        if (!raw_begin(&l->c, in->object, &v)) {
            if (l->top == 0 || l->c.at >= l->c.end) break;
            leave(l);
            continue;
        }
        uint32_t child = in->children++;
        if (enter(l, child)) continue;
        raw_take(&l->c, &v);
        look_at_scalar(l, &v, in, child);
    }
}

static bool is_list(const struct match *m, const struct frame *f, uint32_t level)
{
    return level > 0 ? f->is_array : m->format == DOC_NDJSON;
}

/* Of lines a list is one by itself or is all that its line has: a record's lists are not what a record before it named. Whose record that
 * was, and whether it is shown, the next ones must not tell. */
static bool is_listed_row(const struct match *m, const struct frame *f)
{
    return m->top > 1 || m->format != DOC_NDJSON || f->is_array || f->children == 1;
}

/* The container of f, by the names of these heads: they stand in it, or around it and it is a unit, which may be a row of theirs. */
static void look_through(struct match *m, const struct frame *f, uint64_t close, uint32_t first, uint32_t last)
{
    bool unit = m->named[first].level < m->top;
    bool listed = unit && is_list(m, f - 1, m->top - 1) && is_listed_row(m, f), deeper = unit && m->top > 1 && is_list(m, f - 2, m->top - 2);
    struct looking l = {.m = m,
        .first = m->named + first,
        .last = m->named + last,
        .ends = unit,
        .base = f->where,
        .where = f->where,
        .piece = piece_behind(m, f->open),
        .c = {.at = m->body + f->open + 1, .end = m->body + close},
        .levels = {{.object = !f->is_array, .listed = listed, .row = f->is_array && (listed || deeper)}}};
    m->nest.count = 0;
    go_through(&l);
    for (const struct head *h = l.first; l.levels[0].row && h < l.last; h++)
        if (l.levels[0].children == h->width) m->named[h - m->named].met = true;
}

/* ---- the end of a container ------------------------------------------------------------------------------------- */

/* Heads stand in the order of their levels: the first of this one. */
static uint32_t first_of_level(const struct match *m, uint32_t level)
{
    uint32_t i = m->named_count;
    while (i > 0 && m->named[i - 1].level >= level)
        i--;
    return i;
}

static bool is_outermost_unit(struct match *m, const struct frame *f)
{
    if (m->top == 1 && m->format == DOC_NDJSON) return true;
    const struct match_piece *p = f->own == MATCH_NONE ? NULL : piece_at(m, f->own);
    return p && p->roles & PATH_UNIT && p->unit_parent == MATCH_NONE && !m->view->has_graph;
}

/* Rows may still come, or have come before, further out. */
static bool goes_out(struct match *m, const struct frame *f, const struct head *h, bool blind)
{
    bool lines = m->top == 1 && m->format == DOC_NDJSON;
    if (h->is_row || h->met) return false;
    if (lines) return true;
    if (m->top == 1 || outer_of(m)->is_array || is_outermost_unit(m, f)) return false;
    return blind || h->ups < OUT_MOST;
}

/* Of lines the latest names hold, until others come. */
static void forget_before(struct match *m, uint64_t line)
{
    while (m->named_count > 0 && m->named[0].level == 0 && m->named[0].open < line) {
        uint32_t n = m->named_count > 1 ? m->named[1].from : m->columns.count, rest = m->columns.count - n;
        if (rest > 0) memmove(labels_at(m, 0), labels_at(m, n), rest * sizeof(label_set));
        m->columns.count = rest;
        memmove(m->named, m->named + 1, --m->named_count * sizeof m->named[0]);
        for (uint32_t i = 0; i < m->named_count; i++)
            m->named[i].from -= n;
    }
}

static void hand_out(struct match *m, const struct frame *f, uint64_t close, uint32_t first, bool blind)
{
    uint32_t last = m->named_count, kept = first, to = m->named[first].from;
    for (uint32_t i = first; i < last; i++) {
        struct head h = m->named[i];
        if (!goes_out(m, f, &h, blind)) continue;
        uint32_t n = (i + 1 < last ? m->named[i + 1].from : m->columns.count) - h.from;
        memmove(labels_at(m, to), labels_at(m, h.from), n * sizeof(label_set));
        h.from = to;
        if (!blind) h.seen = (struct beside_span){f->open, close};
        h.level--;
        h.ups++;
        to += n;
        m->named[kept++] = h;
    }
    m->named_count = kept;
    m->columns.count = to;
    if (m->top == 1 && kept > first) forget_before(m, f->open);
}

void columns_closed(struct match *m, struct frame *f, uint64_t close)
{
    bool may_be_head = f->is_array && columns_may_be_head(m, f);
    bool blind = m->view->independent && f->where.piece == MATCH_NONE; /* its beginning may be gone, by how the body was cut */
    if (f->beside & BESIDE_HEADING) end_heading(m, f, close);
    uint32_t own = first_of_level(m, m->top);
    if (own > 0 && !(f->beside & BESIDE_HEADING) && is_outermost_unit(m, f)) look_through(m, f, close, 0, own);
    if (own < m->named_count) {
        if (!blind) look_through(m, f, close, own, m->named_count);
        hand_out(m, f, close, own, blind);
    }
    if (may_be_head && !blind && m->heading == 0) read_first_row(m, f, close);
}

void columns_line_broke(struct match *m)
{
    m->heading = 0;
    while (m->named_count > 0 && m->named[m->named_count - 1].level > 0)
        drop_last(m);
    m->columns.count = m->named_count > 0 ? m->columns.count : 0;
}
