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

static uint64_t look_for(struct match *m, const struct child *c, span text)
{
    uint8_t *room = text.len > 0 ? bytes_room(m, &m->folded[0], text.len) : NULL;
    return room ? rules_search_look(m->search, c->state, text, room) : 0;
}

/* What is found in a value may still be replaced: then it does not stand there. */
static void hold(struct match *m, uint64_t at, uint32_t unit, uint64_t found)
{
    struct match_held *one = table_add(m, &m->held, sizeof *one);
    if (one) *one = (struct match_held){at, found, unit};
}

/* 30.0 is written like that and read as 30: both stand there. A count is written anew, so that the origin's is not there to be found. */
void search_note(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    uint8_t digits[32];
    if (w->removed || w->unit == MATCH_NONE || c->roles & (PATH_PSEUDONYM | PATH_COUNT)) return;
    span text = scalar_text(m, e, digits);
    uint64_t found = look_for(m, c, text);
    if (e->kind == DOC_NUMBER && text.ptr == digits) found |= look_for(m, c, span_of(m->body + e->at, e->len));
    if (found != 0 && rules_replaces(m->view->on_finding)) hold(m, e->at, w->unit, found);
    else piece_at(m, w->unit)->found |= found;
}
