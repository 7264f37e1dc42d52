/* The grammar of edits over a body that is never there as a whole.
 *
 *   kept before in this container?   a dropped piece goes            a kept one stands behind
 *   yes                              with the separator before it    its own separator
 *   no (all before are dropped)      with the separator behind it    the opening white space
 *
 * A container all of whose children were dropped is written empty: what waits of it is taken back. */
#include "edit/edit.h"

struct edit_open {
    uint64_t open;
    uint64_t mark; /* offset in the result of what stands behind the opening bracket, once its first child is dropped */
    uint32_t dropped;
    bool is_lines;
};

static const uint8_t null_literal[] = {'n', 'u', 'l', 'l'};

void edit_stream_begin(struct edit_stream *s, struct buf *out)
{
    *s = (struct edit_stream){.out = out, .open = s->open, .room = s->room};
}

void edit_stream_end(struct edit_stream *s)
{
    mem_free(s->open);
    *s = (struct edit_stream){0};
}

static uint64_t result_end(const struct edit_stream *s)
{
    return s->begun + buf_len(s->out);
}

static result append(struct edit_stream *s, uint64_t from, uint64_t to)
{
    ASSERT(from >= s->base && to >= from && to - s->base <= s->window.len);
    return buf_append(s->out, span_sub(s->window, (size_t)(from - s->base), (size_t)(to - from)));
}

result edit_stream_keep(struct edit_stream *s, uint64_t to)
{
    if (to <= s->cursor) return OK;
    TRY(append(s, s->cursor, to));
    s->cursor = to;
    return OK;
}

void edit_stream_settle(struct edit_stream *s)
{
    s->settled = result_end(s);
}

/* Containers are nested: the one that a piece stands in is the innermost that has had one, or a new one in it. */
static struct edit_open *open_of(struct edit_stream *s, const struct match_container *c)
{
    if (s->depth > 0) {
        struct edit_open *top = &s->open[s->depth - 1];
        if (top->open == c->open && top->is_lines == c->is_lines) return top;
    }
    if (s->depth == s->room) {
        size_t room = s->room ? 2 * s->room : 8;
        struct edit_open *larger = mem_resize(s->open, room * sizeof *larger);
        if (!larger) return NULL;
        s->open = larger;
        s->room = room;
    }
    s->open[s->depth] = (struct edit_open){.open = c->open, .is_lines = c->is_lines};
    return &s->open[s->depth++];
}

/* Bytes between the bracket and the first child; of lines, all before the first. */
static uint64_t opening_of(const struct match_container *c, uint64_t begin)
{
    return c->is_lines ? begin : begin - (c->open + 1);
}

/* While nothing is kept before it, a piece goes with the separator behind it, so that the opening white space stays. */
static result drop_piece(struct edit_stream *s, const struct match_piece *p, const struct match_container *c)
{
    struct edit_open *o = open_of(s, c);
    REQUIRE(o, ERROR_LIMIT, 0);
    bool leading = o->dropped++ == p->ordinal;
    if (!leading) {
        TRY(edit_stream_keep(s, p->previous_end));
        s->cursor = p->end;
        return OK;
    }
    if (p->ordinal == 0) {
        TRY(edit_stream_keep(s, p->begin));
        o->mark = result_end(s) - opening_of(c, p->begin);
        ASSERT(o->mark >= s->settled);
    }
    s->cursor = p->next_begin;
    return OK;
}

static result keep_piece(struct edit_stream *s, const struct match_piece *p, const struct edit_list *runs)
{
    TRY(edit_stream_keep(s, p->begin));
    for (size_t i = 0; i < runs->count; i++) {
        const struct edit_run *r = &runs->runs[i];
        if (r->literal_len)
            TRY(buf_append(s->out, span_of(r->literal, r->literal_len)));
        else
            TRY(append(s, p->begin + r->at, p->begin + r->at + r->len));
    }
    s->cursor = p->end;
    return OK;
}

static result null_piece(struct edit_stream *s, const struct match_piece *p)
{
    TRY(edit_stream_keep(s, p->value));
    s->cursor = p->end;
    return buf_append(s->out, span_of(null_literal, sizeof null_literal));
}

result edit_stream_piece(struct edit_stream *s, const struct match_piece *piece, const struct match_container *container,
    enum edit_fate fate, const struct edit_list *runs)
{
    switch (fate) {
    case EDIT_DROP:
    case EDIT_GONE: ASSERT(container != NULL); return drop_piece(s, piece, container);
    case EDIT_KEEP: TRY(keep_piece(s, piece, runs)); break;
    case EDIT_NULL: TRY(null_piece(s, piece)); break;
    }
    edit_stream_settle(s);
    return OK;
}

/* Takes back what stands in the result from `mark` on. */
static void take_back(struct edit_stream *s, uint64_t mark)
{
    ASSERT(mark >= s->settled && mark >= s->begun && mark <= result_end(s));
    s->out->write -= (size_t)(result_end(s) - mark);
}

result edit_stream_close(struct edit_stream *s, const struct match_container *c)
{
    struct edit_open *top = s->depth > 0 ? &s->open[s->depth - 1] : NULL;
    bool known = top && top->open == c->open && top->is_lines == c->is_lines;
    if (known) s->depth--;
    if (c->children == 0) {
        if (!c->is_lines) TRY(edit_stream_keep(s, c->open + 1));
        s->cursor = c->close;
    } else if (known && top->dropped == c->children) {
        take_back(s, top->mark);
        s->cursor = c->close;
    }
    return OK;
}
