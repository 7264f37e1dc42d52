/* Where an origin's document has its list, and what leads on. Whether the document is sound is not decided here: the engine
 * reads it again, with all others of the page, as one. */
#include "pages/pages.h"

#define EVENTS 256
#define NAME_MAX 1024

/* A path of member names, while a document goes by. */
struct track {
    const span *names;
    size_t count;
    size_t on;  /* so many of them lead to the object that is open */
    bool here;  /* the value that comes is behind one more */
    bool found; /* the first one was met */
};

struct listing {
    struct doc_reader *reader;
    span body;
    struct pages_list *out;
    struct track items, next;
    uint32_t depth;     /* containers open */
    uint32_t list_depth; /* of the list's elements; 0: it is not open */
    uint32_t next_depth; /* of what leads on, where it is an array; 0: it is not open */
};

static bool name_is(const struct listing *l, const struct doc_event *e, span wanted)
{
    uint8_t decoded[NAME_MAX];
    if (e->name != DOC_NAME_NONE) return span_equal(doc_reader_name(l->reader, e->name), wanted);
    span raw = span_sub(l->body, (size_t)e->at, e->len);
    if (raw.len > sizeof(decoded)) return false;
    return span_equal(span_of(decoded, doc_decode_string(raw, decoded)), wanted);
}

/* `depth` containers are open: the members of an object that `on` names lead to stand at depth on + 1. */
static void meet_name(const struct listing *l, const struct doc_event *e, struct track *t)
{
    t->here = !t->found && l->depth == t->on + 1 && t->on < t->count && name_is(l, e, t->names[t->on]);
}

/* True: this value is what the path names. */
static bool meet_value(struct track *t, bool object)
{
    bool here = t->here;
    t->here = false;
    if (!here || t->on + 1 < t->count) {
        t->on += here && object;
        return false;
    }
    t->found = true;
    return true;
}

/* An object ends: the path leads one member less deep. */
static bool leave_object(const struct listing *l, struct track *t)
{
    if (t->on == 0 || l->depth != t->on + 1) return false;
    t->on--;
    return true;
}

static void note_element(struct listing *l, uint64_t begin, uint64_t end)
{
    struct pages_list *o = l->out;
    if (end == 0) { /* it begins */
        if (o->count == 0) o->first = begin;
        if (o->count == 1) o->separator = o->last, o->separator_end = begin;
        o->count++;
        return;
    }
    o->last = end;
}

static void meet_scalar(struct listing *l, const struct doc_event *e)
{
    bool quoted = e->kind == DOC_STRING;
    uint64_t begin = e->at - quoted, end = e->at + e->len + quoted;
    if (l->list_depth > 0 && l->depth == l->list_depth) {
        note_element(l, begin, 0);
        note_element(l, begin, end);
    }
    l->out->null |= meet_value(&l->items, false) && e->kind == DOC_NULL;
    if (!meet_value(&l->next, false) || (e->kind != DOC_STRING && e->kind != DOC_NUMBER) || e->len == 0) return;
    l->out->has_next = true;
    l->out->next = e->at;
    l->out->next_len = e->len;
}

static void open_container(struct listing *l, const struct doc_event *e)
{
    bool object = e->kind == DOC_OBJECT_BEGIN, root = l->depth == 0;
    if (l->list_depth > 0 && l->depth == l->list_depth) note_element(l, e->at, 0);
    bool list = meet_value(&l->items, object) || (root && l->items.count == 0);
    bool next = meet_value(&l->next, object);
    l->depth++;
    if (next && !object) l->next_depth = l->depth, l->out->next = e->at;
    if (!list || object) return;
    l->list_depth = l->depth;
    l->out->found = true;
    l->out->open = e->at;
}

static void close_container(struct listing *l, const struct doc_event *e)
{
    if (e->kind == DOC_OBJECT_END) {
        if (leave_object(l, &l->items) && l->items.on < PAGES_DEPTH) l->out->ends[l->items.on] = e->at;
        (void)leave_object(l, &l->next);
    }
    if (e->kind == DOC_ARRAY_END && l->list_depth > 0 && l->depth == l->list_depth) {
        l->out->close = e->at;
        l->list_depth = 0;
        if (l->items.count > 0) l->out->ends[l->items.count - 1] = e->at;
    }
    if (l->next_depth > 0 && l->depth == l->next_depth) {
        l->next_depth = 0;
        l->out->next_len = e->at + 1 - l->out->next;
    }
    l->depth--;
    if (l->list_depth > 0 && l->depth == l->list_depth) note_element(l, 0, e->at + 1);
}

static void meet(struct listing *l, const struct doc_event *e)
{
    switch ((enum doc_event_kind)e->kind) {
    case DOC_OBJECT_BEGIN:
    case DOC_ARRAY_BEGIN: open_container(l, e); break;
    case DOC_OBJECT_END:
    case DOC_ARRAY_END: close_container(l, e); break;
    case DOC_NAME:
        meet_name(l, e, &l->items);
        meet_name(l, e, &l->next);
        break;
    case DOC_STRING:
    case DOC_NUMBER:
    case DOC_TRUE:
    case DOC_FALSE:
    case DOC_NULL: meet_scalar(l, e); break;
    case DOC_LINE_BEGIN:
    case DOC_LINE_END:
    case DOC_FLAW:
    case DOC_SKIPPED: break;
    }
}

/* ---- relations -------------------------------------------------------------------------------------------------- */

/* The objects of an array, each with a relation and a URL. */
struct relations {
    struct doc_reader *reader;
    span text;
    unsigned depth;
    enum { OTHER, RELATION, URL } member;
    bool is_next;
    uint64_t url, url_len;
    bool found;
};

static void meet_relation(struct relations *r, const struct doc_event *e)
{
    const struct listing l = {.reader = r->reader, .body = r->text};
    bool string = e->kind == DOC_STRING && r->depth == 2;
    if (e->kind == DOC_NAME)
        r->member = r->depth != 2 ? OTHER : name_is(&l, e, SPAN("relation")) ? RELATION : name_is(&l, e, SPAN("url")) ? URL : OTHER;
    if (e->kind == DOC_OBJECT_BEGIN && r->depth == 1) r->is_next = false, r->url_len = 0;
    if (string && r->member == RELATION) r->is_next = span_equal(span_sub(r->text, (size_t)e->at, e->len), SPAN("next"));
    if (string && r->member == URL) r->url = e->at, r->url_len = e->len;
    r->depth += e->kind == DOC_OBJECT_BEGIN || e->kind == DOC_ARRAY_BEGIN;
    if (e->kind != DOC_OBJECT_END && e->kind != DOC_ARRAY_END) return;
    r->depth--;
    r->found |= r->depth == 1 && r->is_next && r->url_len > 0;
}

/* What stands between `next` and `next + next_len` are the relations: finds the URL of the one that is called next. */
static void read_relations(struct doc_reader *reader, span body, struct pages_list *out)
{
    struct doc_event events[EVENTS];
    struct relations r = {.reader = reader, .text = span_sub(body, (size_t)out->next, (size_t)out->next_len)};
    struct doc_window w = {.data = r.text.ptr, .len = r.text.len, .complete = true};
    doc_reader_reset(reader, DOC_JSON, &(struct doc_limits){.depth = 64});
    enum doc_status s = DOC_FULL;
    while (s == DOC_FULL) {
        size_t n;
        s = doc_reader_next(reader, &w, events, EVENTS, &n);
        for (size_t i = 0; i < n && !r.found; i++) meet_relation(&r, &events[i]);
    }
    out->has_next = r.found;
    out->next += r.url;
    out->next_len = r.url_len;
}

/* ---- the face --------------------------------------------------------------------------------------------------- */

enum doc_malformed pages_list_read(struct doc_reader *r, const struct rules_pages *p, uint32_t depth, span body, struct pages_list *out)
{
    static const uint8_t nothing[1];
    struct doc_event events[EVENTS];
    struct doc_limits limits = {.depth = depth};
    struct doc_window w = {.data = body.ptr != NULL ? body.ptr : nothing, .len = body.len, .complete = true};
    struct listing l = {.reader = r, .body = body, .out = out, .items = {.names = p->items, .count = p->items_count}};
    if (p->next != NULL) l.next = (struct track){.names = p->next->names, .count = p->next->count};
    l.next.found = p->next == NULL;
    *out = (struct pages_list){.found = false};
    doc_reader_reset(r, DOC_JSON, &limits);
    for (;;) {
        size_t n;
        enum doc_status s = doc_reader_next(r, &w, events, EVENTS, &n);
        for (size_t i = 0; i < n; i++) meet(&l, &events[i]);
        if (s == DOC_MALFORMED) return doc_reader_malformed(r, NULL);
        if (s != DOC_FULL) break;
    }
    bool relations = p->next != NULL && p->next->form == CURSOR_AS_RELATIONS;
    if (!relations && !out->has_next) out->next_len = 0;
    if (relations && out->next_len > 0) read_relations(r, body, out);
    return DOC_OK;
}
