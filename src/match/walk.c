/* The walk: events become pieces, containers and counts, and values are handed on with the place where they stand.
 *
 *   frames   0 the body itself: one value (JSON), or lines (NDJSON)
 *            1 the outermost container, and so on inwards
 *
 * Most events stand at places of which nothing is declared and hold nothing of interest: they cost a comparison with
 * what is known of their name, and the bookkeeping of their frame. */
#include "match/own.h"

uint64_t walk_key(path_state state, label_set labels, bool allowed)
{
    return (uint64_t)labels << 17 | (uint64_t)allowed << 16 | state;
}

/* ---- containers and pieces -------------------------------------------------------------------------------------- */

uint32_t walk_container(struct match *m, struct frame *f)
{
    struct match_container *last =
        m->containers.count ? TABLE_AT(&m->containers, struct match_container, m->containers.count - 1) : NULL;
    if (last && last->open > f->open) m->disorder = true;
    struct match_container *c = table_add(m, &m->containers, sizeof *c);
    if (!c) return MATCH_NONE;
    *c = (struct match_container){
        .open = f->open, .is_lines = m->top == 0, .outer = f->where.piece == MATCH_NONE};
    return f->container = m->containers.count - 1;
}

struct opening {
    uint64_t begin, value;
    uint32_t roles;
    uint16_t unit;
    bool removed, absent_null, is_member, is_line, is_root, is_object;
};

/* A piece as child of frame f; MATCH_NONE after latching. */
static uint32_t add_piece(struct match *m, struct frame *f, const struct where *around, const struct opening *o)
{
    if (!o->is_root && f->container == MATCH_NONE && walk_container(m, f) == MATCH_NONE) return MATCH_NONE;
    struct match_piece *p = table_add(m, &m->pieces, sizeof *p);
    if (!p) return MATCH_NONE;
    *p = (struct match_piece){.begin = o->begin,
        .value = o->value,
        .previous_end = o->is_root ? o->begin : f->child_end,
        .container = o->is_root ? MATCH_NONE : f->container,
        .ordinal = f->children,
        .unit_parent = around->unit,
        .roles = o->roles,
        .unit = o->unit,
        .is_member = o->is_member,
        .is_line = o->is_line,
        .is_root = o->is_root,
        .is_object = o->is_object,
        .absent_null = o->absent_null,
        .removed = o->removed};
    uint32_t i = m->pieces.count - 1;
    if (!o->is_root) f->last = i;
    if (o->roles & PATH_UNIT) m->survey.units_seen++;
    return i;
}

static void close_piece(struct match *m, uint32_t piece, uint64_t end)
{
    struct match_piece *p = piece_at(m, piece);
    p->end = p->next_begin = end;
    if (p->roles & PATH_UNIT && p->unit_parent == MATCH_NONE) suspect_closed(m);
}

/* What stood before a child that begins here knows its next sibling now. */
static inline void meet_sibling(struct match *m, struct frame *f, uint64_t begin)
{
    if (LIKELY(f->last == MATCH_NONE)) return;
    piece_at(m, f->last)->next_begin = begin;
    f->last = MATCH_NONE;
}

static bool is_container(const struct doc_event *e)
{
    return e->kind == DOC_OBJECT_BEGIN || e->kind == DOC_ARRAY_BEGIN;
}

/* A value on the way to an allowed path leads there only as a
 * container, or as the null that stands there for nobody, and a total that cannot be rewritten is not shown. */
bool walk_removes(const struct match *m, const struct child *c, const struct where *w, const struct doc_event *e)
{
    if (c->roles & (PATH_UNIFORM | PATH_TEXT)) return true;
    if (c->roles & PATH_COUNT && (!m->view->complete || (e->kind != DOC_NUMBER && e->kind != DOC_STRING))) return true;
    if (c->roles & PATH_PSEUDONYM && is_container(e)) return true; /* nothing could stand for it */
    if (!m->view->has_allow || w->allowed || c->roles & PATH_ALLOWED) return false;
    return !(c->roles & PATH_ON_THE_WAY && (is_container(e) || (c->info->absent_null && e->kind == DOC_NULL)));
}

static void add_count(
    struct match *m, const struct child *c, const struct where *w, const struct doc_event *e, uint32_t piece)
{
    if (e->kind != DOC_NUMBER && e->kind != DOC_STRING) return;
    bool quoted = e->kind == DOC_STRING;
    struct match_count *count = table_add(m, &m->counts, sizeof *count);
    if (!count) return;
    *count = (struct match_count){.begin = e->at - quoted,
        .end = e->at + e->len + quoted,
        .piece = piece,
        .unit_parent = w->unit,
        .unit = c->info->unit,
        .quoted = quoted};
}

static void enter_piece(struct match *m, struct where *w, uint32_t piece)
{
    const struct match_piece *p = piece_at(m, piece);
    w->piece = piece;
    if (p->roles & PATH_UNIT || p->is_object) w->unit = piece;
    if (p->roles & PATH_TEXT) w->in_text = true;
    if (p->removed) w->removed = true;
}

/* In a graph every object is a piece of the chain, so that the innermost one around a member is the member's own. One
 * whose reference is an object ("nc:RoleOfPerson": {…}) has a part of its own, which is more than a reference. */
static void note_member(struct match *m, const struct child *c, const struct where *w, bool object)
{
    if (w->unit == MATCH_NONE) return;
    bool says = m->name_waits && !(c->roles & (PATH_ID | PATH_REF | PATH_ASIDE));
    bool more = object && c->roles & PATH_REF && !(c->roles & PATH_LISTED);
    if (says || more) piece_at(m, w->unit)->says++;
}

/* The value's piece, if it has one, and where its inside is. */
static uint32_t open_value(
    struct match *m, struct frame *f, const struct child *c, const struct doc_event *e, struct where *w)
{
    uint32_t piece = MATCH_NONE;
    uint64_t value = e->at - (e->kind == DOC_STRING);
    struct where around = *w;
    bool removed = walk_removes(m, c, w, e);
    bool object = m->view->has_graph && e->kind == DOC_OBJECT_BEGIN;
    bool on_its_own = object || c->roles & (PATH_UNIT | PATH_UNIFORM | PATH_TEXT);
    bool line = m->top == 0 && m->format == DOC_NDJSON;
    if (m->view->has_graph) note_member(m, c, w, object);
    if (line && object) piece_at(m, m->line)->is_object = true;
    if (line && removed) piece_at(m, m->line)->removed = w->removed = true; /* in an `allow` document, say, a scalar */
    if (!line && (on_its_own || (removed && !w->removed))) {
        const struct opening o = {.begin = m->name_waits ? m->name.at - 1 : value,
            .value = value,
            .roles = c->roles,
            .unit = c->info->unit,
            .removed = removed,
            .absent_null = c->info->absent_null,
            .is_member = m->name_waits,
            .is_root = m->top == 0,
            .is_object = object};
        piece = add_piece(m, f, w, &o);
        if (piece != MATCH_NONE) enter_piece(m, w, piece);
    }
    if (line && c->roles & PATH_TEXT) w->in_text = true;
    if (c->roles & PATH_COUNT) add_count(m, c, &around, e, removed ? piece : MATCH_NONE);
    if (c->roles & PATH_ALLOWED) w->allowed = true;
    return piece;
}

/* ---- flaws ------------------------------------------------------------------------------------------------------ */

static void place_flaws(struct match *m, const struct where *w)
{
    for (uint32_t i = 0; i < m->flaw_count; i++)
        finding_add(m, &(struct match_finding){.at = m->flaws[i].at,
                           .len = m->flaws[i].len,
                           .unit = w->unit,
                           .rule = RULE_NONE,
                           .origin = MATCH_FLAW,
                           .kind = (uint8_t)m->flaws[i].name,
                           .in_text = w->in_text});
    m->flaw_count = 0;
}

/* A line that does not parse goes alone, whether or not lines are units. */
static void break_line(struct match *m, const struct doc_event *e)
{
    finding_add(m,
        &(struct match_finding){
            .at = e->at, .len = e->len, .unit = m->line, .rule = RULE_NONE, .origin = MATCH_FLAW, .kind = DOC_FLAW_LINE});
}

static void meet_flaw(struct match *m, const struct doc_event *e)
{
    if (e->name == DOC_FLAW_LINE) return break_line(m, e);
    ASSERT(m->flaw_count < FLAWS_MAX);
    m->flaws[m->flaw_count++] = *e;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* Everything that a value's place asks for but the look into the value itself. */
static uint32_t begin_value(
    struct match *m, struct frame *f, const struct child *c, const struct doc_event *e, struct where *w)
{
    uint32_t piece = c->act & ACT_PIECE ? open_value(m, f, c, e, w) : MATCH_NONE;
    if (m->flaw_count > 0) place_flaws(m, w);
    if (c->act & ACT_NAME && m->name_waits) name_scan(m, f, w);
    return piece;
}

/* Whether a value's place and what came before it ask for nothing, so that begin_value() would do nothing. */
static inline bool is_at_rest(const struct match *m, const struct child *c)
{
    return !(c->act & (ACT_PIECE | ACT_NAME)) && m->flaw_count == 0;
}

bool literal_within(struct match *m, const struct doc_event *e)
{
    const uint64_t *ends = m->literals.items;
    while (m->literal_at < m->literals.count && ends[m->literal_at] <= e->at)
        m->literal_at++;
    m->next_literal = m->literal_at < m->literals.count ? ends[m->literal_at] : UINT64_MAX;
    return m->next_literal <= e->at + e->len;
}

static void root_scalar(struct match *m, const struct doc_event *e, uint64_t end)
{
    if (m->format != DOC_JSON) return;
    m->survey.root_begin = e->at - (e->kind == DOC_STRING);
    m->survey.root_end = end;
}

static void look_into(struct match *m, const struct child *c, const struct doc_event *e, const struct where *w)
{
    if (e->kind == DOC_STRING)
        value_string(m, e, c, w, m->next_literal <= e->at + e->len && literal_within(m, e));
    else if (e->kind == DOC_NUMBER)
        value_number(m, e, c, w);
    else if (e->kind == DOC_TRUE && c->act & ACT_LABEL)
        value_true(m, e, c, w);
    if (UNLIKELY(c->act & ACT_LINK)) link_note(m, e, c, w);
    if (UNLIKELY(c->act & ACT_SEARCH)) search_note(m, e, c, w);
    if (UNLIKELY(c->act & ACT_PSEUDONYM)) pseudonym_note(m, e, w);
}

static void meet_beside(struct match *m, struct frame *f, const struct child *c, const struct doc_event *e)
{
    if (beside_asks(m, c->beside & RULES_PART_BESIDE, e)) f->beside |= BESIDE_ASKED;
    if (c->beside & RULES_PART_COLUMN && e->kind == DOC_STRING) columns_note(m, f, e);
}

static void attend_scalar(
    struct match *m, struct frame *f, const struct child *c, const struct doc_event *e, uint64_t end)
{
    if (UNLIKELY(c->act & ACT_BESIDE)) meet_beside(m, f, c, e);
    if (LIKELY(is_at_rest(m, c) && m->top > 0)) return look_into(m, c, e, &f->where);
    struct where w = f->where;
    uint32_t piece = begin_value(m, f, c, e, &w);
    look_into(m, c, e, &w);
    if (piece != MATCH_NONE) close_piece(m, piece, end);
    if (m->top == 0) root_scalar(m, e, end);
}

static inline void scalar(
    struct match *m, struct frame *f, const struct child *c, const struct doc_event *e, bool attend)
{
    bool quoted = e->kind == DOC_STRING;
    uint64_t begin = e->at - quoted, end = e->at + e->len + quoted;
    if (m->top > 0) meet_sibling(m, f, m->name_waits ? m->name.at - 1 : begin);
    if (UNLIKELY(attend || m->flaw_count > 0 || m->top == 0)) attend_scalar(m, f, c, e, end);
    m->name_waits = false;
    if (m->top == 0) return;
    f->child_end = end;
    f->children++;
}

/* ---- containers opening and closing ----------------------------------------------------------------------------- */

static struct frame *push_frame(struct match *m)
{
    if (m->top + 1 >= m->frames.count && !table_add(m, &m->frames, sizeof(struct frame))) return NULL;
    return TABLE_AT(&m->frames, struct frame, ++m->top);
}

/* False: it has been as deep before. */
static bool sound_depth(struct match *m, const struct where *w, uint32_t now)
{
    uint32_t *depth = w->piece == MATCH_NONE ? &m->survey.visible_depth : &piece_at(m, w->piece)->depth;
    if (now <= *depth) return false;
    *depth = now;
    return true;
}

static void note_depth(struct match *m, const struct where *w)
{
    if (!sound_depth(m, w, m->top)) return;
    bool first = m->too_deep == UINT64_MAX && w->piece == MATCH_NONE;
    if (first && m->top > m->limits.visible_depth) m->too_deep = frame_top(m)->open;
}

/* What is known of every element of an array: all of it where nothing is declared below. */
void walk_know_elements(struct match *m, struct frame *f, const struct child *c, bool allowed)
{
    f->indexed = c->state != 0 || (m->view->has_allow && !allowed);
    if (c->state != 0 || c->labels || (m->view->has_allow && !allowed))
        f->child = child_of(m, path_element(m->document, c->state, 0), c->labels, allowed);
    else
        f->child = m->undeclared;
    columns_attend(f, &f->child);
}

/* Elements mostly share a state: then they share what follows from it. */
static inline const struct child *element_of(struct match *m, struct frame *f)
{
    path_state state = path_element(m->document, f->state, f->children);
    if (UNLIKELY(state != f->child.state)) {
        f->child = child_of(m, state, f->labels, f->where.allowed);
        columns_attend(f, &f->child);
    }
    return &f->child;
}

static void open_beside(struct match *m, const struct child *c, const struct doc_event *e, struct frame *inner)
{
    inner->beside = beside_opens(c->beside & RULES_PART_BESIDE, (enum doc_event_kind)e->kind);
    columns_opened(m, inner - 1, c, inner);
}

/* The new frame is written field by field from what is at hand: reading back wider than was written would wait. */
static void open_container(struct match *m, const struct child *c, const struct doc_event *e)
{
    struct frame *f = frame_top(m), *inner;
    const struct child known = *c; /* frames move when they grow */
    uint32_t piece = MATCH_NONE, outer = m->top;
    struct where w;
    if (outer > 0) meet_sibling(m, f, m->name_waits ? m->name.at - 1 : e->at);
    bool rest = is_at_rest(m, &known);
    if (!rest) {
        w = f->where;
        piece = begin_value(m, f, &known, e, &w);
    }
    if (outer == 0 && m->format == DOC_JSON) m->survey.root_begin = e->at;
    f->children += outer > 0;
    if (UNLIKELY(known.labels && m->name_waits)) name_opened(m, m->name.name, known.labels);
    m->name_waits = false;
    inner = push_frame(m);
    if (!inner) return;
    inner->state = known.state;
    inner->is_array = e->kind == DOC_ARRAY_BEGIN;
    inner->indexed = false;
    inner->beside = 0;
    inner->labels = known.labels;
    if (rest) w = TABLE_AT(&m->frames, struct frame, outer)->where;
    inner->where = w;
    inner->own = piece;
    inner->container = inner->last = MATCH_NONE;
    inner->children = 0;
    inner->open = e->at;
    inner->child_end = e->at + 1;
    inner->info = known.info;
    inner->key = walk_key(known.state, known.labels, w.allowed);
    if (UNLIKELY(known.act & ACT_BESIDE)) open_beside(m, &known, e, inner);
    if (inner->is_array) walk_know_elements(m, inner, &known, w.allowed);
    note_depth(m, &inner->where);
}

bool walk_may_empty(const struct match *m, const struct path_info *info)
{
    return m->view->has_graph || info->roles & PATH_DROPPABLE || (m->view->has_allow && info->roles & PATH_ON_THE_WAY);
}

static void close_frame(struct match *m, struct frame *f, uint64_t close)
{
    if (f->children == 0 && walk_may_empty(m, f->info) && f->container == MATCH_NONE) walk_container(m, f);
    if (f->container == MATCH_NONE) return;
    struct match_container *c = TABLE_AT(&m->containers, struct match_container, f->container);
    c->close = close;
    c->children = f->children;
}

static void close_beside(struct match *m, struct frame *f, uint64_t close)
{
    bool blind = m->view->independent && f->where.piece == MATCH_NONE;
    if (f->beside & (BESIDE_ASKED | BESIDE_PASSED)) beside_closed(m, f, close);
    if (f->beside & BESIDE_SAYS && !blind && beside_says(m, f->open, close)) f[-1].beside |= BESIDE_ASKED;
    if (f->beside & BESIDE_SAID && beside_is_said(f->children)) f[-1].beside |= BESIDE_ASKED;
}

static void close_container(struct match *m, const struct doc_event *e)
{
    struct frame *f = frame_top(m);
    uint64_t end = e->at + 1;
    if (m->flaw_count > 0) place_flaws(m, &f->where);
    if (UNLIKELY(f->beside)) close_beside(m, f, e->at);
    if (UNLIKELY(m->named_count > 0 || f->beside & BESIDE_HEADING || (f->is_array && columns_may_be_head(m, f)))) columns_closed(m, f, e->at);
    close_frame(m, f, e->at);
    if (f->own != MATCH_NONE) close_piece(m, f->own, end);
    if (--m->top > 0)
        frame_top(m)->child_end = end;
    else if (m->format == DOC_JSON)
        m->survey.root_end = end;
}

/* Containers that a broken line left open end with it. */
static void drop_frames(struct match *m, uint64_t end)
{
    if (UNLIKELY(m->top > 0)) columns_line_broke(m);
    for (; m->top > 0; m->top--) {
        struct frame *f = frame_top(m);
        close_frame(m, f, end);
        if (f->own != MATCH_NONE) close_piece(m, f->own, end);
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void begin_line(struct match *m, const struct doc_event *e)
{
    struct frame *f = frame_top(m);
    meet_sibling(m, f, e->at);
    f->where = (struct where){.unit = MATCH_NONE, .piece = MATCH_NONE};
    const struct opening o = {.begin = e->at,
        .value = e->at,
        .roles = m->root.roles,
        .unit = m->root.info->unit,
        .absent_null = m->root.info->absent_null,
        .is_line = true};
    m->line = add_piece(m, f, &f->where, &o);
    if (m->line != MATCH_NONE) enter_piece(m, &f->where, m->line);
    if (m->view->has_graph) f->where.unit = m->line;
}

static void end_line(struct match *m, const struct doc_event *e)
{
    m->name_waits = false;
    drop_frames(m, e->at);
    struct frame *f = frame_top(m);
    place_flaws(m, &f->where);
    close_piece(m, m->line, e->at);
    f->last = m->line;
    f->child_end = e->at;
    f->children++;
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static inline const struct child *known_child(struct match *m, struct frame *f, const struct doc_event *e)
{
    uint32_t i = (uint32_t)e->name + 1;
    if (UNLIKELY(e->name == DOC_NAME_NONE || i >= m->names.count)) return name_child(m, f, e);
    const struct meaning *known = TABLE_AT(&m->names, struct name, i)->meanings;
    if (LIKELY(known[0].key == f->key)) return &known[0].child;
    if (LIKELY(known[1].key == f->key)) return &known[1].child;
    return name_child(m, f, e);
}

static inline bool string_asks(const struct match *m, const struct child *c, const struct doc_event *e)
{
    return (c->act | (e->flags & DOC_ATTENTION)) || !m->prefilter || m->any_syntax || m->next_literal <= e->at + e->len;
}

/* A number of which nothing is known means something with nine to eleven digits before the point. */
static bool may_be_number(const struct match *m, const struct doc_event *e)
{
    const uint8_t *p = m->body + e->at;
    if (e->flags & DOC_PLAIN) return e->len <= 11;
    for (size_t i = 9; i <= 11 && i < e->len; i++)
        if (p[i] == '.') return true;
    return false;
}

static inline bool number_asks(const struct match *m, const struct child *c, const struct doc_event *e)
{
    return c->act || !m->prefilter || e->flags & DOC_EXPONENT || (e->len >= 9 && may_be_number(m, e));
}

/* Members that hold nothing at places of which nothing is declared. */
static void pass_skipped(struct match *m, struct frame *f, const struct doc_event *e)
{
    meet_sibling(m, f, e->at);
    f->child_end = e->at + e->len;
    f->children += e->name;
    if (e->flags > 0) sound_depth(m, &f->where, m->top + e->flags);
}

/* ---- for records that are told as one before -------------------------------------------------------------------- */

const struct child *walk_member(struct match *m, struct frame *f, const struct doc_event *name)
{
    return known_child(m, f, name);
}

const struct child *walk_element(struct match *m, struct frame *f)
{
    return f->indexed ? element_of(m, f) : &f->child;
}

void walk_sibling(struct match *m, struct frame *f, uint64_t begin)
{
    meet_sibling(m, f, begin);
}

void walk_value(struct match *m, const struct child *c, const struct doc_event *e, const struct where *w)
{
    bool asks = c->act != 0;
    if (e->kind == DOC_STRING) asks = string_asks(m, c, e);
    if (e->kind == DOC_NUMBER) asks = number_asks(m, c, e);
    if (asks) look_into(m, c, e, w);
}

/* One event that is neither scalar nor name: the usual ones first. */
static void structure(struct match *m, const struct child *c, const struct doc_event *e)
{
    if (e->kind == DOC_OBJECT_BEGIN || e->kind == DOC_ARRAY_BEGIN)
        open_container(m, c, e);
    else if (e->kind == DOC_OBJECT_END || e->kind == DOC_ARRAY_END)
        close_container(m, e);
    else if (e->kind == DOC_FLAW)
        meet_flaw(m, e);
    else if (e->kind == DOC_LINE_BEGIN)
        begin_line(m, e);
    else
        end_line(m, e);
}

/* What is known of the value that comes next in f. */
static const struct child *next_child(struct match *m, struct frame *f)
{
    if (m->top == 0) return &m->root;
    return f->is_array || !m->name_waits ? &f->child : known_child(m, f, &m->name);
}

void walk_events(struct match *m, const struct doc_event *events, size_t count)
{
    struct frame *f = frame_top(m);
    const struct child *c = next_child(m, f);
    for (const struct doc_event *e = events; e < events + count && !m->failed; e++) {
        unsigned kind = e->kind;
        if (kind == DOC_NAME) {
            m->name = *e;
            m->name_waits = true;
            c = known_child(m, f, e);
            continue;
        }
        if (kind == DOC_SKIPPED) {
            pass_skipped(m, f, e);
            continue;
        }
        if (f->indexed && kind != DOC_ARRAY_END && kind != DOC_FLAW) c = element_of(m, f);
        if (kind == DOC_STRING) {
            scalar(m, f, c, e, string_asks(m, c, e));
        } else if (kind == DOC_NUMBER) {
            scalar(m, f, c, e, number_asks(m, c, e));
        } else if (kind == DOC_TRUE || kind == DOC_FALSE || kind == DOC_NULL) {
            scalar(m, f, c, e, c->act != 0);
        } else {
            ASSERT(kind <= DOC_FLAW);
            structure(m, c, e);
            f = frame_top(m);
            if (kind != DOC_FLAW) c = m->top == 0 ? &m->root : &f->child;
        }
    }
}

/* ---- begin and end ---------------------------------------------------------------------------------------------- */

void walk_begin(struct match *m)
{
    struct frame *f = table_add(m, &m->frames, sizeof *f);
    m->top = 0;
    m->root = child_of(m, path_root(m->document), 0, false);
    m->undeclared = child_of(m, 0, 0, true);
    if (!f) return;
    f->where = (struct where){.unit = MATCH_NONE, .piece = MATCH_NONE};
    f->own = f->container = f->last = MATCH_NONE;
    f->info = m->root.info;
    m->line = MATCH_NONE;
}

/* Where a container opens among all, and where it was noted. */
struct opened {
    uint64_t open;
    uint32_t noted;
    bool is_lines;
};

/* The lines of a body begin where the first line's own container does: they come first. */
static int compare_open(const void *a, const void *b)
{
    const struct opened *x = a, *y = b;
    if (x->open != y->open) return x->open > y->open ? 1 : -1;
    return (int)y->is_lines - (int)x->is_lines;
}

/* Few are ever out of order, and not by far; a body made so that many are is sorted like anything else. */
static void sort_opened(struct opened *p, uint32_t n)
{
    uint64_t moves = 0;
    for (uint32_t i = 1; i < n && moves <= 8 * (uint64_t)n; i++) {
        struct opened one = p[i];
        uint32_t to = i;
        for (; to > 0 && moves <= 8 * (uint64_t)n && compare_open(&p[to - 1], &one) > 0; to--, moves++)
            p[to] = p[to - 1];
        p[to] = one;
    }
    if (moves > 8 * (uint64_t)n) qsort(p, n, sizeof *p, compare_open);
}

/* Containers are noted with their first piece, which an inner one may have earlier. */
static void put_in_order(struct match *m, struct match_container *old, struct opened *places, uint32_t *now)
{
    struct match_container *c = m->containers.items;
    uint32_t n = m->containers.count;
    memcpy(old, c, n * sizeof *c);
    for (uint32_t i = 0; i < n; i++)
        places[i] = (struct opened){c[i].open, i, c[i].is_lines};
    sort_opened(places, n);
    for (uint32_t i = 0; i < n; i++) {
        c[i] = old[places[i].noted];
        now[places[i].noted] = i;
    }
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        struct match_piece *p = piece_at(m, i);
        if (p->container != MATCH_NONE) p->container = now[p->container];
    }
}

#define SORT_FEW 16 /* a small answer's: without memory of their own */

static bool sort_containers(struct match *m)
{
    uint32_t n = m->containers.count;
    if (n <= SORT_FEW) {
        struct match_container few[SORT_FEW];
        struct opened few_places[SORT_FEW];
        uint32_t few_now[SORT_FEW];
        return put_in_order(m, few, few_places, few_now), true;
    }
    MEM_AUTO struct match_container *old = mem_array(n, sizeof *old);
    MEM_AUTO struct opened *places = mem_array(n, sizeof *places);
    MEM_AUTO uint32_t *now = mem_array(n, sizeof *now);
    if (!old || !places || !now) return false;
    return put_in_order(m, old, places, now), true;
}

void walk_end(struct match *m)
{
    struct frame *f = frame_top(m);
    /* Blank lines alone are what is left where every line is withheld: an empty list. */
    if (m->format == DOC_NDJSON && f->container == MATCH_NONE && m->body_len > 0) walk_container(m, f);
    if (f->container != MATCH_NONE) close_frame(m, f, m->body_len);
    if (m->disorder && !sort_containers(m)) m->failed = true;
    m->disorder = false;
}
