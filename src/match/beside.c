/* What a value is may be said by a member beside it: {"type": "SSN", "id": "219098765"} is looked into as {"SSN": {"id": "219098765"}}
 * would be, whichever comes first. Members that may say so are asked as they come; only where one does, or where there is a `value`
 * that one may be about, the object's members are gone through once more, when it has ended.
 *
 *= 10-domain 3.3 */
#include "match/own.h"

#define LONGEST 128 /* bytes of a name, or of what says what something is, as they stand */
#define SAYINGS 16  /* that one object may hold */

struct member {
    span name; /* decoded; empty where it is longer than any that matters */
    span text; /* of a string, a number or `true`, as it stands */
    enum doc_event_kind kind;
    uint8_t room[LONGEST];
};

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

/* ---- what is said ----------------------------------------------------------------------------------------------- */

/* As it reads; empty where it is too long. */
static span decoded(span text, uint8_t room[LONGEST])
{
    if (text.len == 0 || text.len > LONGEST) return span_of(NULL, 0);
    return memchr(text.ptr, '\\', text.len) ? span_of(room, doc_decode_string(text, room)) : text;
}

static label_set said(struct match *m, span text)
{
    uint8_t room[LONGEST];
    span words = decoded(text, room);
    return words.len > 0 ? rules_labels(m->rules, words, 0) : 0;
}

bool beside_asks(struct match *m, unsigned beside, const struct doc_event *e)
{
    if (beside == RULES_BESIDE_VALUE) return e->kind == DOC_TRUE || ((e->kind == DOC_STRING || e->kind == DOC_NUMBER) && e->len > 0);
    return e->kind == DOC_STRING && said(m, span_of(m->body + e->at, e->len)) != 0;
}

/* ---- going through an object that has been read: it is well formed ----------------------------------------------- */

struct cursor {
    const uint8_t *at, *end;
    const uint8_t *passed, *passed_end; /* the first and the last byte of an object in it that need not be read again; or NULL */
};

/* Behind the quote that ends the string. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : end;
}

/* Behind the bracket that ends the container there. */
static const uint8_t *container_end(const struct cursor *all)
{
    const uint8_t *p = all->at;
    size_t depth = 0;
    while (p < all->end) {
        uint8_t c = *p++;
        if (c == '"') p = string_end(p, all->end);
        if (c == '{' || c == '[') depth++;
        if (c == '{' && p - 1 == all->passed) p = all->passed_end;
        if ((c == '}' || c == ']') && --depth == 0) break;
    }
    return p;
}

static const uint8_t *word_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p != ',' && *p != '}' && *p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
        p++;
    return p;
}

static void take_name(struct cursor *c, struct member *out)
{
    const uint8_t *begin = ++c->at;
    c->at = string_end(begin, c->end);
    out->name = decoded(span_of(begin, (size_t)(c->at - begin - 1)), out->room);
}

static enum doc_event_kind kind_of(uint8_t first)
{
    if (first == '{') return DOC_OBJECT_BEGIN;
    if (first == '[') return DOC_ARRAY_BEGIN;
    if (first == '"') return DOC_STRING;
    return first == 't' ? DOC_TRUE : is_digit(first) ? DOC_NUMBER : DOC_NULL;
}

/* Of what says nothing, and of which nothing can be said, there is no text. */
static void take_value(struct cursor *c, struct member *out)
{
    const uint8_t *begin = c->at;
    out->kind = kind_of(*begin);
    out->text = span_of(NULL, 0);
    if (out->kind == DOC_OBJECT_BEGIN || out->kind == DOC_ARRAY_BEGIN) {
        c->at = container_end(c);
        return;
    }
    bool quoted = out->kind == DOC_STRING;
    c->at = quoted ? string_end(begin + 1, c->end) : word_end(begin, c->end);
    if (quoted && c->at - begin >= 2) out->text = span_of(begin + 1, (size_t)(c->at - begin) - 2);
    else if (out->kind != DOC_NULL) out->text = span_of(begin, (size_t)(c->at - begin));
}

static void pass_until(struct cursor *c, bool colon)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r' || *c->at == (colon ? ':' : ',')))
        c->at++;
}

static bool next_member(struct cursor *c, struct member *out)
{
    pass_until(c, false);
    if (c->at >= c->end || *c->at != '"') return false;
    take_name(c, out);
    pass_until(c, true);
    if (c->at >= c->end) return false;
    take_value(c, out);
    return true;
}

/* ---- looking into it -------------------------------------------------------------------------------------------- */

static void look_as(struct match *m, const struct beside_object *o, const struct member *v, label_set labels)
{
    struct child c = child_of(m, path_member(m->document, o->state, path_symbol_of(m->document, v->name)), labels, true);
    struct where w = o->where;
    if (!(c.act & ACT_LABEL)) return;
    c.act = ACT_LABEL;
    w.in_text |= (c.roles & PATH_TEXT) != 0;
    const struct doc_event e = {.at = (uint64_t)(v->text.ptr - m->body),
        .len = (uint32_t)v->text.len,
        .kind = (uint8_t)v->kind,
        .flags = memchr(v->text.ptr, '\\', v->text.len) ? DOC_ESCAPED : 0};
    if (v->kind == DOC_STRING) value_string(m, &e, &c, &w, false);
    else if (v->kind == DOC_NUMBER) value_number(m, &e, &c, &w);
    else value_true(m, &e, &c, &w);
}

/* {"type": "form", "id": "918"} is how programs write the 918th form of theirs: such a number is a person's, or says nothing. */
static bool is_row(struct match *m, const struct member *v, label_set labels)
{
    return label_of(m, labels)->count == 0 && span_is_digits(v->text) && rules_label_is_key(v->name);
}

static void tell(struct match *m, const struct beside_object *o, const struct member *v, const struct saying *s)
{
    if (v->text.ptr == s->sayer || !rules_label_is_told(v->name, s->by)) return;
    label_set labels = rules_label_inherits(v->name) ? rules_labels(m->rules, v->name, s->labels) : s->labels;
    if (s->by != RULES_BESIDE_KIND || !is_row(m, v, labels)) look_as(m, o, v, labels);
}

static void tell_all(struct match *m, const struct beside_object *o, struct cursor c, const struct sayings *said)
{
    struct member v;
    while (next_member(&c, &v))
        for (size_t i = 0; v.text.len > 0 && i < said->count; i++)
            tell(m, o, &v, &said->all[i]);
}

/* More than anybody says of one thing: what it is cannot be known. */
static void give_up(struct match *m, const struct beside_object *o, span at)
{
    m->spot = (struct spot){.at = (uint64_t)(at.ptr - m->body),
        .len = (uint32_t)at.len,
        .unit = o->where.unit,
        .in_text = o->where.in_text,
        .label = label_of(m, 0)};
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

static void collect(struct match *m, const struct beside_object *o, struct cursor c, struct sayings *all)
{
    struct member s;
    while (next_member(&c, &s)) {
        enum rules_beside by = s.kind == DOC_STRING ? rules_label_beside(s.name) : RULES_BESIDE_NONE;
        if (by != RULES_BESIDE_KIND && by != RULES_BESIDE_NAME && by != RULES_BESIDE_FIELD) continue;
        const struct saying one = {s.text.ptr, said(m, s.text), by};
        if (one.labels && !note_saying(all, &one)) return give_up(m, o, s.text);
    }
}

void beside_look(struct match *m, const struct beside_object *o)
{
    struct cursor c = {.at = m->body + o->open + 1, .end = m->body + o->close};
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
