/* Scores: what the walk does about a record that is told as one before it is worked out once, and then played: its pieces,
 * containers and depths follow from where its gaps begin, and of its values it is known where they stand and what they
 * are there. Only the values are looked into.
 *
 * Whatever is unusual (names that say something themselves, counts, what nothing is known of) has no score, and is walked
 * event by event; tests/unit/match/test_score.c holds the two against each other. */
#include "match/own.h"

#define CALLS 2 /* of a tale, then its score is made */
#define ACT_JOINED (ACT_LINK | ACT_SEARCH | ACT_PSEUDONYM) /* more than to look into the value */
#define NO_PLACE ((struct doc_place){UINT8_MAX, UINT8_MAX})

/* ---- making ----------------------------------------------------------------------------------------------------- */

/* A container of the record, or, first, the list. */
struct level {
    struct frame f; /* its units, pieces and containers count as the score's do */
    struct doc_place child_end;
};

struct maker {
    struct match *m;
    const struct doc_told *told;
    struct scores *all;
    struct score *s;
    struct level level[SCORE_DEEPEST + 1];
    uint32_t top;
    bool none; /* it cannot be made */
    struct child child; /* of the member whose name came last */
    struct doc_place name;
    bool name_waits;
};

static struct doc_place place_behind(struct doc_place p)
{
    return (struct doc_place){p.step, (uint8_t)(p.delta + 1)};
}

static struct doc_place place_before(struct doc_place p)
{
    return (struct doc_place){p.step, (uint8_t)(p.delta - 1)};
}

static struct level *top_of(struct maker *k)
{
    return &k->level[k->top];
}

static struct score_piece *piece_of(struct maker *k, uint32_t i)
{
    return &k->all->pieces[k->s->piece + i];
}

static void note_depth(struct maker *k, const struct where *w, uint32_t now)
{
    bool inside = w->piece != MATCH_NONE && w->piece != SCORE_AROUND;
    uint32_t *depth = inside ? &piece_of(k, w->piece)->piece.depth : &k->s->depth;
    if (now > *depth) *depth = now;
}

static void meet_sibling(struct maker *k, struct level *l, struct doc_place begin)
{
    if (l->f.last != MATCH_NONE) piece_of(k, l->f.last)->next_begin = begin;
    l->f.last = MATCH_NONE;
}

static void add_container(struct maker *k, struct level *l)
{
    if (k->all->container_count == SCORE_CONTAINERS) {
        k->none = true;
        return;
    }
    l->f.container = k->s->containers++;
    k->all->containers[k->all->container_count++] = (struct score_container){
        .open = {(uint8_t)(l->f.open >> 8), (uint8_t)l->f.open}, .outer = l->f.where.piece == MATCH_NONE};
}

static struct score_step *add_step(struct maker *k)
{
    if (k->all->step_count == SCORE_STEPS) {
        k->none = true;
        return NULL;
    }
    k->s->steps++;
    struct score_step *step = &k->all->steps[k->all->step_count++];
    *step = (struct score_step){0};
    return step;
}

/* The piece of a child of the innermost level that begins there; what is inside it goes into `w`. */
static uint32_t add_piece(struct maker *k, const struct child *c, struct doc_place value, bool removed, struct where *w)
{
    struct level *l = top_of(k);
    if (k->top > 0 && l->f.container == MATCH_NONE) add_container(k, l);
    if (k->none || k->all->piece_count == SCORE_PIECES) {
        k->none = true;
        return MATCH_NONE;
    }
    uint32_t i = k->s->pieces++;
    k->all->pieces[k->all->piece_count++] = (struct score_piece){
        .piece = {.container = k->top > 0 ? l->f.container : SCORE_AROUND,
            .ordinal = l->f.children,
            .unit_parent = w->unit,
            .roles = c->roles,
            .unit = c->info->unit,
            .is_member = k->name_waits,
            .absent_null = c->info->absent_null,
            .removed = removed},
        .begin = k->name_waits ? place_before(k->name) : value,
        .value = value,
        .previous_end = l->child_end,
        .first = k->top == 0};
    l->f.last = i;
    if (c->roles & PATH_UNIT) k->s->units++;
    w->piece = i;
    if (c->roles & PATH_UNIT) w->unit = i;
    if (c->roles & PATH_TEXT) w->in_text = true;
    if (removed) w->removed = true;
    return i;
}

/* As the walk's begin_value(). `value`: its first byte. */
static uint32_t begin_value(
    struct maker *k, const struct child *c, const struct doc_event *e, struct doc_place value, struct where *w)
{
    uint32_t piece = MATCH_NONE;
    k->none |= k->name_waits && c->act & ACT_NAME;
    if (!(c->act & ACT_PIECE)) return MATCH_NONE;
    k->none |= (c->roles & PATH_COUNT) != 0;
    bool removed = walk_removes(k->m, c, w, e);
    if (c->roles & (PATH_UNIT | PATH_UNIFORM | PATH_TEXT) || (removed && !w->removed)) piece = add_piece(k, c, value, removed, w);
    if (c->roles & PATH_ALLOWED) w->allowed = true;
    return piece;
}

static void close_piece(struct maker *k, uint32_t i, struct doc_place end)
{
    struct score_piece *p = piece_of(k, i);
    p->end = p->next_begin = end;
    bool outermost = p->piece.roles & PATH_UNIT && p->piece.unit_parent == MATCH_NONE;
    struct score_step *step = outermost ? add_step(k) : NULL;
    if (step) step->does = SCORE_CLOSES;
}

static struct child child_here(struct maker *k)
{
    struct level *l = top_of(k);
    return l->f.is_array ? *walk_element(k->m, &l->f) : k->child;
}

static void end_child(struct maker *k, struct doc_place end)
{
    struct level *l = top_of(k);
    l->f.children++;
    l->child_end = end;
    k->name_waits = false;
}

/* What is looked for among its siblings is looked for where their object ends. */
static bool note_beside(struct maker *k, struct child *c)
{
    struct level *l = top_of(k);
    if (!(c->act & ACT_BESIDE)) return false;
    c->act &= (uint8_t)~ACT_BESIDE;
    if (!(c->beside & RULES_PART_BESIDE)) return false;
    k->none |= (c->act & ACT_PIECE) != 0; /* what is in it is told apart by pieces that nothing is known of here */
    l->f.beside |= BESIDE_ASKED;
    return true;
}

static void make_value(struct maker *k, const struct doc_event *e, struct doc_place at)
{
    struct level *l = top_of(k);
    struct where w = l->f.where;
    struct child c = child_here(k);
    struct doc_place value = e->kind == DOC_STRING ? place_before(at) : at, end = {(uint8_t)(at.step + 1), 0};
    meet_sibling(k, l, k->name_waits ? place_before(k->name) : value);
    uint32_t piece = begin_value(k, &c, e, value, &w);
    struct score_step *step = k->none ? NULL : add_step(k);
    if (!step) return;
    bool beside = note_beside(k, &c);
    *step = (struct score_step){.child = c,
        .where = w,
        .at = at,
        .kind = c.act & ACT_PIECE ? (uint8_t)(e->kind + 1) : 0,
        .spot = {.in_text = w.in_text,
            .labels = c.labels,
            .label = label_of(k->m, c.labels),
            .key = c.act & ACT_KEY ? c.info : NULL},
        .level = (uint8_t)k->top,
        .usual = !beside && !(c.act & ACT_JOINED)};
    if (step->kind != 0) {
        if (k->s->kinds_end == 0) k->s->kinds = (uint16_t)(k->s->steps - 1);
        k->s->kinds_end = k->s->steps;
    }
    if (piece != MATCH_NONE) close_piece(k, piece, end);
    end_child(k, end);
}

/* What names the columns of tables, or may, is walked. */
static void note_opening(struct maker *k, const struct child *c, enum doc_event_kind kind)
{
    struct level *l = top_of(k);
    bool list = kind == DOC_ARRAY_BEGIN;
    k->none |= list && (l->f.is_array || c->beside & RULES_PART_HEAD);
    k->none |= c->act & ACT_PIECE && c->beside & RULES_PART_BESIDE;
}

/* Of an object or array that ends there. */
static void note_closing(struct maker *k, const struct level *l, struct doc_place close)
{
    bool says = l->f.beside & BESIDE_SAYS;
    if (!says && !(l->f.beside & BESIDE_SAID && beside_is_said(l->f.children))) return;
    struct score_step *step = k->none ? NULL : add_step(k);
    if (!step) return;
    step->does = SCORE_ASKS;
    step->level = (uint8_t)(k->top - 1);
    step->where = l->f.where;
    step->close = close;
    step->at = says ? (struct doc_place){(uint8_t)(l->f.open >> 8), (uint8_t)l->f.open} : close;
    k->level[k->top - 1].f.beside |= BESIDE_ASKED;
}

static void make_opening(struct maker *k, const struct doc_event *e, struct doc_place at)
{
    struct level *l = top_of(k), *inner;
    struct where w = l->f.where;
    const struct child c = child_here(k);
    meet_sibling(k, l, k->name_waits ? place_before(k->name) : at);
    uint32_t piece = begin_value(k, &c, e, at, &w);
    note_opening(k, &c, (enum doc_event_kind)e->kind);
    k->none |= k->top == SCORE_DEEPEST;
    if (k->none) return;
    end_child(k, at); /* its end comes with its closing */
    inner = &k->level[++k->top];
    *inner = (struct level){.f = {.state = c.state,
                                .is_array = e->kind == DOC_ARRAY_BEGIN,
                                .beside = beside_opens(c.beside & RULES_PART_BESIDE, (enum doc_event_kind)e->kind),
                                .labels = c.labels,
                                .where = w,
                                .own = piece,
                                .container = MATCH_NONE,
                                .last = MATCH_NONE,
                                .open = (uint64_t)at.step << 8 | at.delta,
                                .info = c.info,
                                .key = walk_key(c.state, c.labels, w.allowed)},
        .child_end = place_behind(at)};
    if (inner->f.is_array) walk_know_elements(k->m, &inner->f, &c, w.allowed);
    note_depth(k, &inner->f.where, k->s->top + k->top);
}

static void add_look(struct maker *k, const struct level *l, struct doc_place close)
{
    struct score_step *step = add_step(k);
    if (!step) return;
    *step = (struct score_step){.does = SCORE_LOOKS,
        .level = (uint8_t)k->top,
        .where = l->f.where,
        .child = {.state = l->f.state},
        .at = {(uint8_t)(l->f.open >> 8), (uint8_t)l->f.open},
        .close = close};
}

static void make_closing(struct maker *k, struct doc_place at)
{
    struct level *l = top_of(k);
    if (l->f.children == 0 && l->f.container == MATCH_NONE && walk_may_empty(k->m, l->f.info)) add_container(k, l);
    if (k->none) return;
    if (l->f.beside & BESIDE_ASKED) add_look(k, l, at);
    note_closing(k, l, at);
    if (l->f.container != MATCH_NONE) {
        struct score_container *c = &k->all->containers[k->s->container + l->f.container];
        c->close = at;
        c->children = l->f.children;
    }
    if (l->f.own != MATCH_NONE) close_piece(k, l->f.own, place_behind(at));
    k->level[--k->top].child_end = place_behind(at);
}

static void make_skipped(struct maker *k, const struct doc_line *line, const struct doc_event *e)
{
    struct level *l = top_of(k);
    meet_sibling(k, l, line->at);
    l->child_end = line->end;
    l->f.children += e->name;
    if (e->flags > 0) note_depth(k, &l->f.where, k->s->top + k->top + e->flags);
}

static void make_name(struct maker *k, const struct doc_event *e, struct doc_place at)
{
    k->child = *walk_member(k->m, &top_of(k)->f, e);
    k->name = at;
    k->name_waits = true;
}

static struct doc_event event_of(const struct doc_told *told, const struct doc_line *line)
{
    struct doc_event e;
    uint64_t at = told->at + told->gaps[line->at.step] + line->at.delta;
    uint64_t word = line->kind == DOC_LINE_VALUE ? told->words[line->at.step] : line->word;
    memcpy(&e, &at, 8);
    memcpy((uint8_t *)&e + 8, &word, 8);
    return e;
}

static void make_line(struct maker *k, const struct doc_line *line)
{
    const struct doc_event e = event_of(k->told, line);
    switch ((enum doc_event_kind)e.kind) {
    case DOC_OBJECT_BEGIN:
    case DOC_ARRAY_BEGIN: make_opening(k, &e, line->at); break;
    case DOC_OBJECT_END:
    case DOC_ARRAY_END: make_closing(k, line->at); break;
    case DOC_NAME: make_name(k, &e, line->at); break;
    case DOC_STRING:
    case DOC_NUMBER:
    case DOC_TRUE:
    case DOC_FALSE:
    case DOC_NULL: make_value(k, &e, line->at); break;
    case DOC_SKIPPED: make_skipped(k, line, &e); break;
    case DOC_LINE_BEGIN:
    case DOC_LINE_END:
    case DOC_FLAW: k->none = true; break;
    }
}

static uint32_t around(uint32_t i)
{
    return i == MATCH_NONE ? MATCH_NONE : SCORE_AROUND;
}

static void make_list(struct maker *k, const struct frame *f)
{
    struct level *l = &k->level[0];
    *l = (struct level){.f = *f, .child_end = NO_PLACE};
    l->f.where.unit = around(f->where.unit);
    l->f.where.piece = around(f->where.piece);
    l->f.own = l->f.container = l->f.last = MATCH_NONE;
}

/* Names that come up are learnt, as they are when they are walked; what stands behind them in the body is not looked at. */
static void make_lines(struct maker *k, const struct frame *f)
{
    struct match *m = k->m;
    uint32_t literal_at = m->literal_at;
    uint64_t next_literal = m->next_literal;
    make_list(k, f);
    for (uint32_t i = 0; i < k->told->count && !k->none && !m->failed; i++)
        make_line(k, &k->told->lines[i]);
    m->literal_at = literal_at;
    m->next_literal = next_literal;
}

static bool has_room(const struct scores *all)
{
    return all->piece_count < SCORE_PIECES / 2 && all->container_count < SCORE_CONTAINERS / 2 && all->step_count < SCORE_STEPS / 2;
}

static void take_back(struct scores *all, const struct score *s)
{
    mem_wipe(all->pieces + s->piece, (all->piece_count - s->piece) * sizeof all->pieces[0]);
    mem_wipe(all->containers + s->container, (all->container_count - s->container) * sizeof all->containers[0]);
    mem_wipe(all->steps + s->step, (all->step_count - s->step) * sizeof all->steps[0]);
    all->piece_count = s->piece;
    all->container_count = s->container;
    all->step_count = s->step;
}

static void make(struct match *m, const struct frame *f, const struct doc_told *told, struct score *s)
{
    struct scores *all = m->scores;
    struct maker k = {.m = m, .told = told, .all = all, .s = s};
    s->piece = (uint16_t)all->piece_count;
    s->container = (uint16_t)all->container_count;
    s->step = (uint16_t)all->step_count;
    make_lines(&k, f);
    s->none = k.none || k.top > 0;
    s->made = true;
    if (s->none) take_back(all, s);
}

/* ---- playing ---------------------------------------------------------------------------------------------------- */

/* What a record means depends on this much of where its list stands. */
static uint8_t stands_of(const struct where *w)
{
    return (uint8_t)((w->unit != MATCH_NONE) | (w->piece != MATCH_NONE) << 1 | w->in_text << 2 | w->removed << 3 | w->allowed << 4);
}

static bool is_here(const struct match *m, struct frame *f, const struct score *s, path_state state)
{
    return s->key == f->key && s->state == state && s->top == m->top && s->stands == stands_of(&f->where);
}

static uint32_t *depth_around(struct match *m, const struct frame *f)
{
    return f->where.piece == MATCH_NONE ? &m->survey.visible_depth : &piece_at(m, f->where.piece)->depth;
}

/* Whether what had to be so for the score is so in this record. */
static bool is_playable(struct match *m, const struct frame *f, const struct score *s, const struct doc_told *told)
{
    const struct score_step *step = m->scores->steps + s->step + s->kinds;
    for (uint32_t i = s->kinds; i < s->kinds_end; i++, step++) {
        uint64_t kind = told->words[step->at.step] >> 48 & 0xFF;
        if (UNLIKELY(step->kind != 0 && step->kind != kind + 1)) return false;
    }
    bool deeper = s->depth > *depth_around(m, f) && s->depth > m->limits.visible_depth;
    return !(deeper && f->where.piece == MATCH_NONE && m->too_deep == UINT64_MAX);
}

struct playing {
    const struct doc_told *told;
    uint32_t pieces, containers; /* what the score's first ones are */
    const struct frame *f;
    uint32_t beside; /* a bit for each level whose object is to be looked at when it ends */
};

static uint64_t offset_of(const struct playing *p, struct doc_place at)
{
    return p->told->at + p->told->gaps[at.step] + at.delta;
}

static uint32_t piece_now(const struct playing *p, uint32_t i, uint32_t outside)
{
    return i == SCORE_AROUND ? outside : i == MATCH_NONE ? MATCH_NONE : p->pieces + i;
}

/* The containers of a record stand in the order in which they are opened, mostly behind all others. */
static void play_containers(struct match *m, const struct playing *p, const struct score *s)
{
    const struct score_container *from = m->scores->containers + s->container;
    struct match_container *to = table_more(m, &m->containers, sizeof *to, s->containers);
    for (uint32_t i = 0; to && i < s->containers; i++, from++, to++) {
        *to = (struct match_container){.open = offset_of(p, from->open),
            .close = offset_of(p, from->close),
            .children = from->children,
            .outer = from->outer};
        if (p->containers + i > 0 && to[-1].open > to->open) m->disorder = true;
    }
}

static void play_piece(const struct playing *p, const struct score_piece *from, struct match_piece *to)
{
    *to = from->piece;
    to->begin = offset_of(p, from->begin);
    to->end = offset_of(p, from->end);
    to->value = offset_of(p, from->value);
    to->previous_end = from->first ? p->f->child_end : offset_of(p, from->previous_end);
    to->next_begin = offset_of(p, from->next_begin);
    to->container = from->first ? p->f->container : p->containers + from->piece.container;
    to->unit_parent = piece_now(p, from->piece.unit_parent, p->f->where.unit);
    if (from->first) to->ordinal = p->f->children;
}

static void play_pieces(struct match *m, const struct playing *p, const struct score *s)
{
    struct match_piece *to = table_more(m, &m->pieces, sizeof *to, s->pieces);
    for (uint32_t i = 0; to && i < s->pieces; i++)
        play_piece(p, &m->scores->pieces[s->piece + i], to + i);
}

/* A string or number of a shape that was there before, or one that nothing need be done about. */
static bool play_usual(struct match *m, const struct playing *p, struct score_step *step, const struct doc_event *e)
{
    bool number = e->kind == DOC_NUMBER;
    if (number) {
        if (!(e->flags & DOC_PLAIN)) return false;
        if (!step->child.act) return e->len < 9;
    } else {
        if (e->flags & DOC_ESCAPED || m->next_literal <= e->at + e->len) return false;
        if (!(step->child.act | (e->flags & DOC_ATTENTION))) return true;
    }
    if (e->len > LOOK_READ || m->readable - e->at < LOOK_READ) return false;
    /* Field by field: a copy as a whole would be a string instruction, which takes longer than all of the rest. */
    const struct spot *there = &step->spot;
    struct spot *spot = &m->spot;
    spot->at = e->at;
    spot->len = e->len;
    spot->unit = piece_now(p, step->where.unit, p->f->where.unit);
    spot->in_text = there->in_text;
    spot->is_name = false;
    spot->labels = there->labels;
    spot->label = LIKELY(there->label->set == there->labels) ? there->label : label_of(m, there->labels);
    spot->key = there->key;
    m->latest.value = span_of(NULL, 0);
    return plan_again_at(m, &step->plan, span_of(m->body + e->at, e->len), number);
}

static struct where where_now(const struct playing *p, const struct score_step *step)
{
    struct where w = step->where;
    w.unit = piece_now(p, w.unit, p->f->where.unit);
    w.piece = piece_now(p, w.piece, p->f->where.piece);
    return w;
}

static void play_look(struct match *m, struct playing *p, const struct score_step *step)
{
    uint32_t level = UINT32_C(1) << step->level;
    if (!(p->beside & level)) return;
    p->beside &= ~level;
    const struct beside_object o = {
        .open = offset_of(p, step->at), .close = offset_of(p, step->close), .state = step->child.state, .where = where_now(p, step)};
    beside_look(m, &o);
}

static void play_ask(struct match *m, struct playing *p, const struct score_step *step)
{
    uint64_t open = offset_of(p, step->at), close = offset_of(p, step->close);
    bool blind = m->view->independent && where_now(p, step).piece == MATCH_NONE;
    if (open == close || (!blind && beside_says(m, open, close))) p->beside |= UINT32_C(1) << step->level;
}

static void play_value(struct match *m, struct playing *p, struct score_step *step)
{
    struct doc_event e;
    uint64_t at = offset_of(p, step->at);
    memcpy(&e, &at, 8);
    memcpy((uint8_t *)&e + 8, &p->told->words[step->at.step], 8);
    if ((e.kind == DOC_STRING || e.kind == DOC_NUMBER) && LIKELY(step->usual && play_usual(m, p, step, &e))) return;
    if (UNLIKELY(step->child.beside & RULES_PART_BESIDE)) {
        if (beside_asks(m, step->child.beside & RULES_PART_BESIDE, &e)) p->beside |= UINT32_C(1) << step->level;
        if (!(step->child.act & ACT_JOINED) && (e.kind == DOC_STRING || e.kind == DOC_NUMBER) && play_usual(m, p, step, &e)) return;
    }
    const struct where w = where_now(p, step);
    walk_value(m, &step->child, &e, &w);
}

static void play_steps(struct match *m, struct playing *p, const struct score *s)
{
    struct score_step *step = m->scores->steps + s->step;
    const struct score_step *last = step + s->steps;
    for (; step < last; step++) {
        if (LIKELY(step->does == SCORE_VALUE))
            play_value(m, p, step);
        else if (step->does == SCORE_CLOSES)
            suspect_closed(m);
        else if (step->does == SCORE_ASKS)
            play_ask(m, p, step);
        else
            play_look(m, p, step);
    }
}

/* The element has begun and ended. */
static void play_list(struct match *m, struct frame *f, const struct score *s, const struct playing *p)
{
    uint32_t *depth = depth_around(m, f);
    if (s->depth > *depth) *depth = s->depth;
    f->child_end = p->told->end;
    f->children++;
    if (s->pieces > 0 && m->scores->pieces[s->piece].first) f->last = p->pieces;
}

static void play(struct match *m, struct frame *f, const struct score *s, const struct doc_told *told)
{
    const struct scores *all = m->scores;
    bool first = s->pieces > 0 && all->pieces[s->piece].first;
    walk_sibling(m, f, told->at + told->gaps[0]);
    if (first && f->container == MATCH_NONE) (void)walk_container(m, f);
    struct playing p = {.told = told, .pieces = m->pieces.count, .containers = m->containers.count, .f = f};
    play_containers(m, &p, s);
    play_pieces(m, &p, s);
    m->survey.units_seen += s->units;
    if (m->failed) return;
    play_steps(m, &p, s);
    play_list(m, f, s, &p);
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static struct score *find_score(struct match *m, struct frame *f, const struct doc_told *told, path_state state)
{
    struct scores *all = m->scores;
    struct score *s = &all->all[told->serial % SCORES];
    if (LIKELY(s->serial == told->serial && is_here(m, f, s, state))) return s;
    if (s->serial == 0) all->used[all->used_count++] = (uint16_t)(s - all->all);
    *s = (struct score){.key = f->key, .serial = told->serial, .top = m->top, .state = state, .stands = stands_of(&f->where)};
    return s;
}

bool score_play(void *match, const struct doc_event *before, size_t count, const struct doc_told *told)
{
    struct match *m = match;
    if (count > 0) walk_events(m, before, count);
    struct frame *f = frame_top(m);
    if (m->failed || m->top == 0 || !f->is_array || m->flaw_count > 0 || m->named_count > 0 || f->beside & BESIDE_HEADING) return false;
    struct score *s = find_score(m, f, told, walk_element(m, f)->state);
    if (UNLIKELY(!s->made)) {
        if (++s->calls < CALLS) return false;
        if (!has_room(m->scores)) return scores_forget(m), false;
        make(m, f, told, s);
    }
    if (s->none || m->failed || !is_playable(m, f, s, told)) return false;
    play(m, f, s, told);
    m->scores->played++;
    return true;
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void scores_forget(struct match *m)
{
    struct scores *all = m->scores;
    for (uint32_t i = 0; i < all->used_count; i++)
        mem_wipe(&all->all[all->used[i]], sizeof all->all[0]);
    mem_wipe(all->used, all->used_count * sizeof all->used[0]);
    mem_wipe(all->pieces, all->piece_count * sizeof all->pieces[0]);
    mem_wipe(all->containers, all->container_count * sizeof all->containers[0]);
    mem_wipe(all->steps, all->step_count * sizeof all->steps[0]);
    all->piece_count = all->container_count = all->step_count = all->used_count = 0;
}

void scores_reset(struct match *m)
{
    scores_forget(m);
    m->scores->played = 0;
}
