/* What a value is may be said by a member beside it: {"type": "SSN", "id": "219098765"} is looked into as {"SSN": {"id": "219098765"}}
 * would be, whichever comes first. Members that may say so are asked as they come; only where one does, or where there is a `value`
 * that one may be about, the object's members are gone through once more, when it has ended.
 *
 *= 10-domain 3.3 */
#include "match/own.h"

#define LONGEST 128 /* bytes of a name, or of what says what something is, as they stand */
#define VALUE_MIN 2 /* characters or digits that mean anything under a label */

struct member {
    span name; /* decoded; empty where it is longer than any that matters */
    span text; /* of a string or a number, as it stands */
    enum doc_event_kind kind;
    uint8_t room[LONGEST];
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
    if (beside == RULES_BESIDE_VALUE) return (e->kind == DOC_STRING || e->kind == DOC_NUMBER) && e->len >= VALUE_MIN;
    return e->kind == DOC_STRING && said(m, span_of(m->body + e->at, e->len)) != 0;
}

/* ---- going through an object that has been read: it is well formed ----------------------------------------------- */

struct cursor {
    const uint8_t *at, *end;
};

/* Behind the quote that ends the string. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : end;
}

static const uint8_t *container_end(const uint8_t *p, const uint8_t *end)
{
    size_t depth = 0;
    while (p < end) {
        uint8_t c = *p++;
        if (c == '"') p = string_end(p, end);
        if (c == '{' || c == '[') depth++;
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

static void take_value(struct cursor *c, struct member *out)
{
    const uint8_t *begin = c->at;
    bool quoted = *begin == '"';
    out->kind = quoted ? DOC_STRING : DOC_NUMBER;
    out->text = span_of(NULL, 0);
    if (*begin == '{' || *begin == '[') {
        c->at = container_end(begin, c->end);
        return;
    }
    c->at = quoted ? string_end(begin + 1, c->end) : word_end(begin, c->end);
    if (quoted && c->at - begin >= 2) out->text = span_of(begin + 1, (size_t)(c->at - begin) - 2);
    else if (is_digit(*begin)) out->text = span_of(begin, (size_t)(c->at - begin));
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
    else value_number(m, &e, &c, &w);
}

static void tell_others(struct match *m, const struct beside_object *o, struct cursor all, const uint8_t *sayer, enum rules_beside by, label_set labels)
{
    struct member v;
    while (next_member(&all, &v))
        if (v.text.len >= VALUE_MIN && v.text.ptr != sayer && rules_label_is_told(v.name, by))
            look_as(m, o, &v, rules_labels(m->rules, v.name, labels));
}

void beside_look(struct match *m, const struct beside_object *o)
{
    const struct cursor all = {m->body + o->open + 1, m->body + o->close};
    struct cursor c = all;
    struct member s;
    if (m->view->independent && o->where.piece == MATCH_NONE) return; /* its beginning may be gone, by how the body was cut */
    while (next_member(&c, &s)) {
        enum rules_beside by = s.kind == DOC_STRING ? rules_label_beside(s.name) : RULES_BESIDE_NONE;
        if (by != RULES_BESIDE_KIND && by != RULES_BESIDE_NAME) continue;
        label_set labels = said(m, s.text);
        if (labels) tell_others(m, o, all, s.text.ptr, by, labels);
    }
}
