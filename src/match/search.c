/* What a request asks for, looked for where its profile says that it searches, in what restricted recipients see.
 *
 *= 8USC1367 a(2)   nobody is found by what he cannot see */
#include "match/own.h"

static span scalar_text(struct match *m, const struct doc_event *e, uint8_t digits[32])
{
    if (e->kind == DOC_TRUE) return SPAN("true");
    if (e->kind == DOC_FALSE) return SPAN("false");
    return e->kind == DOC_STRING || e->kind == DOC_NUMBER ? value_text(m, e, digits) : span_of(NULL, 0);
}

static void look_at(struct match *m, const struct child *c, const struct where *w, span text)
{
    uint8_t *room = text.len > 0 ? bytes_room(m, &m->folded[0], text.len) : NULL;
    if (room) piece_at(m, w->unit)->found |= rules_search_look(m->search, c->state, text, room);
}

/* 30.0 is written like that and read as 30: both stand there. */
void search_note(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    uint8_t digits[32];
    if (w->removed || w->unit == MATCH_NONE || c->roles & PATH_PSEUDONYM) return;
    span text = scalar_text(m, e, digits);
    look_at(m, c, w, text);
    if (e->kind == DOC_NUMBER && text.ptr == digits) look_at(m, c, w, span_of(m->body + e->at, e->len));
}
