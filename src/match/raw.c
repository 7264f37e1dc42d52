#include "match/raw.h"

span raw_decoded(span text, uint8_t room[RAW_LONGEST])
{
    if (text.len == 0 || text.len > RAW_LONGEST) return span_of(NULL, 0);
    return memchr(text.ptr, '\\', text.len) ? span_of(room, doc_decode_string(text, room)) : text;
}

label_set raw_labels(struct match *m, span text)
{
    uint8_t room[RAW_LONGEST];
    span words = raw_decoded(text, room);
    return words.len > 0 ? rules_labels(m->rules, words, 0) : 0;
}

/* Behind the quote that ends the string. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : end;
}

/* Behind the bracket that ends the container there. */
static const uint8_t *container_end(const struct raw_cursor *all)
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
    while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
        p++;
    return p;
}

static void take_name(struct raw_cursor *c, struct raw_value *out)
{
    const uint8_t *begin = ++c->at;
    c->at = string_end(begin, c->end);
    out->name = raw_decoded(span_of(begin, (size_t)(c->at - begin - 1)), out->room);
}

static enum doc_event_kind kind_of(uint8_t first)
{
    if (first == '{') return DOC_OBJECT_BEGIN;
    if (first == '[') return DOC_ARRAY_BEGIN;
    if (first == '"') return DOC_STRING;
    return first == 't' ? DOC_TRUE : is_digit(first) ? DOC_NUMBER : DOC_NULL;
}

void raw_take(struct raw_cursor *c, struct raw_value *out)
{
    const uint8_t *begin = c->at;
    out->kind = kind_of(*begin);
    out->text = out->inside = span_of(NULL, 0);
    if (out->kind == DOC_OBJECT_BEGIN || out->kind == DOC_ARRAY_BEGIN) {
        c->at = container_end(c);
        if (c->at - begin >= 2) out->inside = span_of(begin + 1, (size_t)(c->at - begin) - 2);
        return;
    }
    bool quoted = out->kind == DOC_STRING;
    c->at = quoted ? string_end(begin + 1, c->end) : word_end(begin, c->end);
    if (quoted && c->at - begin >= 2) out->text = span_of(begin + 1, (size_t)(c->at - begin) - 2);
    else if (out->kind != DOC_NULL) out->text = span_of(begin, (size_t)(c->at - begin));
}

static void pass_until(struct raw_cursor *c, bool colon)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r' || *c->at == (colon ? ':' : ',')))
        c->at++;
}

bool raw_begin(struct raw_cursor *c, bool member, struct raw_value *out)
{
    out->name = span_of(NULL, 0);
    pass_until(c, false);
    if (c->at >= c->end || *c->at == ']' || *c->at == '}') return false;
    if (!member) return true;
    take_name(c, out);
    pass_until(c, true);
    return c->at < c->end;
}

bool raw_next_member(struct raw_cursor *c, struct raw_value *out)
{
    if (!raw_begin(c, true, out)) return false;
    raw_take(c, out);
    return true;
}

bool raw_next_element(struct raw_cursor *c, struct raw_value *out)
{
    if (!raw_begin(c, false, out)) return false;
    raw_take(c, out);
    return true;
}

void raw_look(struct match *m, const struct raw_value *v, struct child *c, const struct where *around)
{
    struct where w = *around;
    if (!(c->act & ACT_LABEL) || v->text.len == 0) return;
    c->act = ACT_LABEL;
    w.in_text |= (c->roles & PATH_TEXT) != 0;
    const struct doc_event e = {.at = (uint64_t)(v->text.ptr - m->body),
        .len = (uint32_t)v->text.len,
        .kind = (uint8_t)v->kind,
        .flags = memchr(v->text.ptr, '\\', v->text.len) ? DOC_ESCAPED : 0};
    if (v->kind == DOC_STRING) value_string(m, &e, c, &w, false);
    else if (v->kind == DOC_NUMBER) value_number(m, &e, c, &w);
    else value_true(m, &e, c, &w);
}
