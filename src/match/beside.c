/* What a value is may be said by a member beside it: {"type": "SSN", "id": "219098765"} is looked into as {"SSN": {"id": "219098765"}}
 * would be, whichever comes first, and {"type": {"coding": [{"code": "SS"}]}, "value": …} as well. Members that may say so are asked as
 * they come; only where one does, or where there is a `value` that one may be about, the object's members are gone through once more,
 * when it has ended.
 *
 *= 10-domain 3.3 */
#include "match/raw.h"

#define SAYINGS 16 /* that one object may hold */
#define LIST_MOST 64 /* elements of one that a NAME is looked for because of: what has more is a series, and nobody's numbers */
#define DEEPEST 6    /* objects and lists in each other around one value */
#define KIND_MOST ((size_t)16 << 10) /* bytes of an object that says what others are: what is more than that is no code */

/* Whoever says the same says it once, so that an object is gone through twice, whatever it holds. */
struct saying {
    const uint8_t *sayer; /* the text that it is, which is not told of itself; NULL: there are several, each of which is told by the others */
    label_set labels;
    enum rules_beside by;
};
struct sayings {
    struct saying all[SAYINGS];
    size_t count;
};

bool beside_asks(struct match *m, unsigned beside, const struct doc_event *e)
{
    bool text = e->kind == DOC_STRING || e->kind == DOC_NUMBER;
    if (beside == RULES_BESIDE_VALUE) return e->kind == DOC_TRUE || (text && e->len > 0);
    return beside != RULES_BESIDE_NONE && e->kind == DOC_STRING && raw_labels(m, span_of(m->body + e->at, e->len)) != 0;
}

uint8_t beside_opens(unsigned beside, enum doc_event_kind kind)
{
    if (beside == RULES_BESIDE_KIND && kind == DOC_OBJECT_BEGIN) return BESIDE_SAYS;
    return beside == RULES_BESIDE_VALUE && (kind == DOC_ARRAY_BEGIN || kind == DOC_OBJECT_BEGIN) ? BESIDE_SAID : 0;
}

bool beside_is_said(uint32_t children)
{
    return children > 0 && children <= LIST_MOST;
}

/* ---- looking into it -------------------------------------------------------------------------------------------- */

/* A member of which something is said. */
struct told {
    span name;
    enum rules_beside by;
    label_set labels;
    path_state state;
    unsigned depth; /* of what it stands in, below the member that it is said of */
};

/* The innermost unit around a value: one may be a unit by itself. */
static uint32_t unit_around(struct match *m, uint64_t value)
{
    uint32_t i = 0, behind = m->pieces.count;
    while (behind - i > 1) {
        uint32_t middle = i + (behind - i) / 2;
        if (piece_at(m, middle)->begin <= value) i = middle;
        else behind = middle;
    }
    while (i != MATCH_NONE) {
        const struct match_piece *p = piece_at(m, i);
        bool unit = p->roles & PATH_UNIT || p->is_object, around = p->begin <= value && (p->end == 0 || p->end > value);
        if (unit && around) break;
        i = p->unit_parent;
    }
    return i;
}

/* {"type": "form", "id": "918"} is how programs write the 918th form of theirs: such a number is a person's, or says nothing. */
static bool is_row(struct match *m, const struct raw_value *v, const struct told *t)
{
    return (t->by == RULES_BESIDE_KIND || t->depth > 0) && label_of(m, t->labels)->count == 0 && span_is_digits(v->text) && rules_label_is_key(t->name);
}

static void tell_scalar(struct match *m, const struct beside_object *o, const struct raw_value *v, const struct told *t)
{
    struct child c = child_of(m, t->state, t->labels, true);
    struct where w = o->where;
    if (v->text.len == 0 || is_row(m, v, t)) return;
    if (m->pieces.count > 0) w.unit = unit_around(m, (uint64_t)(v->text.ptr - m->body));
    raw_look(m, v, &c, &w);
}

static void tell_value(struct match *m, const struct beside_object *o, const struct raw_cursor *c, const struct raw_value *v, const struct told *t);

/* {"type": "SSN", "values": ["219098765"]} */
static void tell_list(struct match *m, const struct beside_object *o, struct raw_cursor c, const struct told *t)
{
    struct told each = *t;
    struct raw_value v;
    for (uint64_t i = 0; raw_next_element(&c, &v); i++) {
        each.state = path_element(m->document, t->state, i);
        tell_value(m, o, &c, &v, &each);
    }
}

/* {"key": "ssn", "value": {"stringValue": "219098765"}}: those of its members that say nothing by themselves. */
static void tell_object(struct match *m, const struct beside_object *o, struct raw_cursor c, const struct told *t)
{
    struct raw_value v;
    while (raw_next_member(&c, &v)) {
        struct told each = *t;
        if (!rules_label_inherits(v.name)) continue;
        each.name = v.name;
        each.labels = rules_labels(m->rules, v.name, t->labels);
        each.state = path_member(m->document, t->state, path_symbol_of(m->document, v.name));
        tell_value(m, o, &c, &v, &each);
    }
}

static void tell_value(struct match *m, const struct beside_object *o, const struct raw_cursor *c, const struct raw_value *v, const struct told *t)
{
    bool list = v->kind == DOC_ARRAY_BEGIN;
    if (!list && v->kind != DOC_OBJECT_BEGIN) return tell_scalar(m, o, v, t);
    struct beside_object inner = *o;
    struct told within = *t;
    if (++within.depth > DEEPEST || v->inside.len > KIND_MOST) return;
    inner.where.in_text |= (path_info_of(m->document, t->state)->roles & PATH_TEXT) != 0;
    if (list) tell_list(m, &inner, raw_inside(c, v), &within);
    else tell_object(m, &inner, raw_inside(c, v), &within);
}

/* What has a list of them is called as one is: ids, documentNumbers. */
static bool is_told(const struct raw_value *v, enum rules_beside by, span *name)
{
    *name = v->name;
    if (rules_label_is_told(*name, by)) return true;
    if (v->kind != DOC_ARRAY_BEGIN || name->len < 2 || name->ptr[name->len - 1] != 's') return false;
    *name = span_sub(*name, 0, name->len - 1);
    return rules_label_is_told(*name, by);
}

static void tell(struct match *m, const struct beside_object *o, const struct raw_cursor *c, const struct raw_value *v, const struct saying *s)
{
    struct told t = {.by = s->by};
    if ((v->text.ptr && v->text.ptr == s->sayer) || !is_told(v, s->by, &t.name)) return;
    t.labels = rules_label_inherits(t.name) ? rules_labels(m->rules, t.name, s->labels) : s->labels;
    t.state = path_member(m->document, o->state, path_symbol_of(m->document, v->name));
    tell_value(m, o, c, v, &t);
}

static void tell_all(struct match *m, const struct beside_object *o, struct raw_cursor c, const struct sayings *said)
{
    struct raw_value v;
    while (raw_next_member(&c, &v))
        for (size_t i = 0; i < said->count; i++)
            tell(m, o, &c, &v, &said->all[i]);
}

/* More than anybody says of one thing: what it is cannot be known. */
void raw_give_up(struct match *m, const struct where *w, span at)
{
    m->spot = (struct spot){
        .at = (uint64_t)(at.ptr - m->body), .len = (uint32_t)at.len, .unit = w->unit, .in_text = w->in_text, .label = label_of(m, 0)};
    finding_here(m, MATCH_LIMIT, RULE_NONE);
}

/* False: there are too many. */
static bool note_saying(struct sayings *said, const struct saying *one)
{
    for (size_t i = 0; i < said->count; i++) {
        struct saying *before = &said->all[i];
        if (before->labels != one->labels || before->by != one->by) continue;
        before->sayer = NULL;
        return true;
    }
    if (said->count == SAYINGS) return false;
    said->all[said->count++] = *one;
    return true;
}

/* False: there are too many. */
static bool collect_text(struct match *m, const struct raw_value *s, enum rules_beside by, struct sayings *all)
{
    const struct saying one = {s->text.ptr, s->kind == DOC_STRING ? raw_labels(m, s->text) : 0, by};
    return one.labels == 0 || note_saying(all, &one);
}

/* {"text": "SSN", "coding": …}: what is in the coding is none of it. */
static bool collect_object(struct match *m, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s;
    bool all_in = true;
    while (all_in && raw_next_member(&c, &s))
        if (rules_label_parts(s.name) & RULES_PART_SAYS) all_in = collect_text(m, &s, RULES_BESIDE_KIND, all);
    return all_in;
}

static bool collect_list(struct match *m, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s;
    bool all_in = true;
    while (all_in && raw_next_element(&c, &s))
        if (s.kind == DOC_OBJECT_BEGIN) all_in = collect_object(m, raw_inside(&c, &s), all);
    return all_in;
}

//= 10-domain 3.3 a type that is coded says it by its text, its codes and their displays
static bool collect_kind(struct match *m, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s;
    bool all_in = true;
    while (all_in && raw_next_member(&c, &s)) {
        unsigned parts = rules_label_parts(s.name);
        if (parts & RULES_PART_SAYS) all_in = collect_text(m, &s, RULES_BESIDE_KIND, all);
        if (!(parts & RULES_PART_CODING)) continue;
        if (s.kind == DOC_OBJECT_BEGIN) all_in = collect_object(m, raw_inside(&c, &s), all);
        else if (s.kind == DOC_ARRAY_BEGIN) all_in = collect_list(m, raw_inside(&c, &s), all);
    }
    return all_in;
}

/* What stands in it is mostly skipped, and was not asked as it came. */
bool beside_says(struct match *m, uint64_t open, uint64_t close)
{
    const struct raw_cursor c = {.at = m->body + open + 1, .end = m->body + close};
    struct sayings all = {.count = 0};
    return close - open <= KIND_MOST && (!collect_kind(m, c, &all) || all.count > 0);
}

/* {"field": {"name": "SSN"}, "value": …} */
static bool collect_field(struct match *m, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s;
    bool all_in = true;
    while (all_in && raw_next_member(&c, &s))
        if (rules_label_beside(s.name) == RULES_BESIDE_NAME) all_in = collect_text(m, &s, RULES_BESIDE_NAME, all);
    return all_in;
}

/* {"loc": ["body", "ssn"], "input": …}: the last step of a way. */
static bool collect_way(struct match *m, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s, last = {.kind = DOC_NULL};
    while (raw_next_element(&c, &s))
        last = s;
    return collect_text(m, &last, RULES_BESIDE_FIELD, all);
}

static bool collect_named(struct match *m, const struct raw_cursor *c, const struct raw_value *s, enum rules_beside by, struct sayings *all)
{
    if (s->kind == DOC_ARRAY_BEGIN && s->inside.len <= KIND_MOST && by != RULES_BESIDE_KIND) return collect_way(m, raw_inside(c, s), all);
    if (s->kind == DOC_OBJECT_BEGIN && s->inside.len <= KIND_MOST && by == RULES_BESIDE_FIELD) return collect_field(m, raw_inside(c, s), all);
    return collect_text(m, s, by, all);
}

static void collect(struct match *m, const struct beside_object *o, struct raw_cursor c, struct sayings *all)
{
    struct raw_value s;
    bool all_in = true;
    while (all_in && raw_next_member(&c, &s)) {
        enum rules_beside by = rules_label_beside(s.name);
        bool coded = by == RULES_BESIDE_KIND && s.kind == DOC_OBJECT_BEGIN && s.inside.len < KIND_MOST;
        if (coded) all_in = collect_kind(m, raw_inside(&c, &s), all);
        else if (by != RULES_BESIDE_NONE && by != RULES_BESIDE_VALUE) all_in = collect_named(m, &c, &s, by, all);
        if (!all_in) raw_give_up(m, &o->where, s.text.ptr ? s.text : s.inside);
    }
}

void beside_look(struct match *m, const struct beside_object *o)
{
    struct raw_cursor c = {.at = m->body + o->open + 1, .end = m->body + o->close};
    struct sayings all = {.count = 0};
    if (m->view->independent && o->where.piece == MATCH_NONE) return; /* its beginning may be gone, by how the body was cut */
    if (o->passed.close > 0) c.passed = m->body + o->passed.open, c.passed_end = m->body + o->passed.close;
    collect(m, o, c, &all);
    if (all.count > 0) tell_all(m, o, c, &all);
}

/* ---- objects in objects ------------------------------------------------------------------------------------------ */

static uint64_t length_of(struct beside_span s)
{
    return s.close - s.open;
}

/* The longest object that was gone through is passed by all around it at one stroke: else the innermost would be read as often as
 * it is deep. */
static void hand_up(const struct match *m, const struct frame *f)
{
    struct frame *outer = TABLE_AT(&m->frames, struct frame, m->top - 1);
    if (outer->beside & BESIDE_PASSED && length_of(outer->passed) >= length_of(f->passed)) return;
    outer->passed = f->passed;
    outer->beside |= BESIDE_PASSED;
}

void beside_closed(struct match *m, struct frame *f, uint64_t close)
{
    struct beside_object o = {.open = f->open, .close = close, .state = f->state, .where = f->where};
    if (f->beside & BESIDE_PASSED) o.passed = f->passed;
    if (f->beside & BESIDE_ASKED) {
        beside_look(m, &o);
        f->passed = (struct beside_span){f->open, close};
    }
    if (m->top > 1) hand_up(m, f);
}
