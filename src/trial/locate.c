/* From offsets to paths, in one pass of the reader. Names in which something was found are part of what is protected:
 * their number stands for them. */
#include "trial/trial.h"

#include "doc/doc.h"
#include <stdlib.h>

#define EVENTS 512
#define DEPTH 20000
#define NAME_SHOWN 120 /* bytes, and what its last character has over */

struct level {
    bool object, hidden;
    uint64_t index; /* of the member or element that is open, from 0 */
    span name;      /* raw, between the quotes */
};

struct walk {
    span body;
    const uint64_t *hidden;
    size_t hidden_count;
    struct trial_place *places;
    size_t count, next;
    struct arena *arena;
    struct level *levels;
    size_t depth;
    uint64_t line; /* 0: not NDJSON */
    bool named;    /* the member's name has come, its value not yet */
    struct buf text;
    bool failed;
};

/* ---- writing a path --------------------------------------------------------------------------------------------- */

static bool is_plain(span name)
{
    if (name.len == 0 || is_digit(name.ptr[0])) return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.ptr[i]) && name.ptr[i] != '_') return false;
    return true;
}

/* C0 and DEL, and C1 as UTF-8 writes it (U+0080 to U+009F): what drives terminals. */
static bool is_control(span c)
{
    return c.len == 2 ? c.ptr[0] == 0xC2 && c.ptr[1] < 0xA0 : c.ptr[0] < 0x20 || c.ptr[0] == 0x7F;
}

/* Raw as in the document, with its escapes; whole characters only, for what is printed must stay UTF-8. */
static RESULT write_name(struct buf *out, span raw)
{
    size_t i = 0;
    if (is_plain(raw)) return buf_printf(out, ".%.*s", SPAN_FMT(raw));
    TRY(buf_append(out, SPAN("['")));
    while (i < raw.len && i < NAME_SHOWN) {
        size_t n = utf8_length(span_from(raw, i));
        span c = span_sub(raw, i, n > 0 ? n : 1);
        if (c.ptr[0] == '\'') TRY(buf_append(out, SPAN("\\'")));
        else TRY(buf_append(out, n == 0 || is_control(c) ? SPAN("?") : c));
        i += c.len;
    }
    return buf_append(out, i < raw.len ? SPAN("…']") : SPAN("']"));
}

static RESULT write_path(struct walk *w, size_t depth)
{
    buf_clear(&w->text);
    if (w->line) TRY(buf_printf(&w->text, "line %llu: ", (unsigned long long)w->line));
    TRY(buf_append(&w->text, SPAN("$")));
    for (size_t i = 0; i < depth; i++) {
        const struct level *l = &w->levels[i];
        if (!l->object) TRY(buf_printf(&w->text, "[%llu]", (unsigned long long)l->index));
        else if (l->hidden) TRY(buf_printf(&w->text, "[#%llu]", (unsigned long long)l->index));
        else TRY(write_name(&w->text, l->name));
    }
    return OK;
}

/* Everything asked for that lies before the end of this event is at the current path. */
static void tell(struct walk *w, uint64_t before)
{
    const char *path = NULL;
    while (w->next < w->count && w->places[w->next].at < before) {
        if (!path) {
            bool good = is_ok(write_path(w, w->depth));
            path = good ? (const char *)arena_copy(w->arena, buf_span(&w->text)).ptr : NULL;
            if (!path) w->failed = true;
        }
        w->places[w->next++].path = path ? path : "?";
    }
}

/* ---- walking ---------------------------------------------------------------------------------------------------- */

static bool is_hidden(const struct walk *w, uint64_t at, uint32_t len)
{
    size_t low = 0, high = w->hidden_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (w->hidden[mid] + 1 < at) low = mid + 1;
        else high = mid;
    }
    return low < w->hidden_count && w->hidden[low] <= at + len;
}

static struct level *top(struct walk *w)
{
    return w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
}

static void value_over(struct walk *w)
{
    struct level *l = top(w);
    if (l) l->index++;
    w->named = false;
}

static void begin(struct walk *w, const struct doc_event *e)
{
    tell(w, e->at + 1);
    if (w->depth == DEPTH) {
        w->failed = true;
        return;
    }
    w->levels[w->depth++] = (struct level){.object = e->kind == DOC_OBJECT_BEGIN};
}

static void take(struct walk *w, const struct doc_event *e)
{
    struct level *l = top(w);
    switch ((enum doc_event_kind)e->kind) {
    case DOC_OBJECT_BEGIN:
    case DOC_ARRAY_BEGIN: begin(w, e); break;
    case DOC_OBJECT_END:
    case DOC_ARRAY_END:
        if (w->depth > 0) w->depth--;
        tell(w, e->at + 1);
        value_over(w);
        break;
    case DOC_NAME:
        if (!l) break;
        l->name = span_sub(w->body, (size_t)e->at, e->len);
        l->hidden = is_hidden(w, e->at, e->len);
        tell(w, e->at + e->len + 1);
        break;
    case DOC_STRING:
    case DOC_NUMBER:
    case DOC_TRUE:
    case DOC_FALSE:
    case DOC_NULL:
        tell(w, e->at + (e->len ? e->len : 1) + 1);
        value_over(w);
        break;
    case DOC_LINE_BEGIN:
        w->depth = 0;
        w->line++;
        break;
    case DOC_LINE_END:
        w->depth = 0;
        tell(w, e->at + 1);
        break;
    case DOC_SKIPPED: /* only where asked for */
    case DOC_FLAW: break;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct trial_place *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static void read_all(struct walk *w, struct doc_reader *r)
{
    struct doc_window window = {.data = w->body.ptr ? w->body.ptr : (const uint8_t *)"", .len = w->body.len, .complete = true};
    struct doc_event events[EVENTS];
    enum doc_status status;
    do {
        size_t count = 0;
        status = doc_reader_next(r, &window, events, EVENTS, &count);
        for (size_t i = 0; i < count && !w->failed; i++)
            take(w, &events[i]);
    } while (status == DOC_FULL && !w->failed);
}

bool trial_locate(span body, enum doc_format format, const uint64_t *hidden, size_t hidden_count,
    struct trial_place *places, size_t count, struct arena *arena)
{
    const struct doc_limits limits = {.depth = DEPTH};
    MEM_AUTO struct level *levels = mem_array(DEPTH, sizeof *levels);
    struct doc_reader *r = doc_reader_new(cpu_level());
    struct walk w = {.body = body, .hidden = hidden, .hidden_count = hidden_count, .places = places, .count = count,
        .arena = arena, .levels = levels, .failed = !levels || !r};
    if (count > 0) qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count; i++)
        places[i].path = "?";
    buf_init(&w.text, (size_t)16 << 20);
    if (!w.failed) {
        doc_reader_reset(r, format, &limits);
        read_all(&w, r);
    }
    buf_free(&w.text);
    doc_reader_free(r);
    return !w.failed;
}
