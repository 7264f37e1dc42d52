#include "doc/reader.h"

/* ---- learning --------------------------------------------------------------------------------------------------- */

struct lesson_object {
    bool object;
    uint32_t names; /* of the lesson's, where its own begin */
};

/* A record that is gone through again, mark by mark; it is well-formed, for it was read. */
struct lesson {
    struct doc_reader *r;
    struct track *t;
    uintptr_t bytes;
    const uint16_t *mark;
    uint16_t parent; /* the gap before, TRACK_NONE: none */
    size_t from;     /* of the gap */
    bool expects_name;
    struct track_node node;
    struct track_op ops[2 * TRACK_DEEPEST];
    struct lesson_object open[TRACK_DEEPEST];
    uint32_t depth, steps;
    uint16_t names[TRACK_STEPS * 2]; /* met in the objects that are open */
    uint32_t name_count;
};

static const uint8_t *byte_of(const struct lesson *l, size_t at)
{
    return (const uint8_t *)(l->bytes + at);
}

static void begin_gap(struct lesson *l, size_t from)
{
    l->from = from;
    l->node = (struct track_node){.name = DOC_NAME_NONE, .next = TRACK_NONE, .child = TRACK_NONE, .other = TRACK_NONE};
}

static bool is_same_gap(const struct track_node *a, const struct track_node *b)
{
    return a->len == b->len && a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static uint16_t *children_of(struct lesson *l)
{
    return l->parent == TRACK_NONE ? &l->t->root : &l->t->nodes[l->parent].child;
}

/* The gap among those that follow its parent, added where it is new; false: there is no room. */
static bool put_gap(struct lesson *l)
{
    struct track *t = l->t;
    uint16_t *link = children_of(l);
    for (unsigned branches = 0; *link != TRACK_NONE; link = &t->nodes[*link].other, branches++) {
        if (is_same_gap(&t->nodes[*link], &l->node)) return l->parent = *link, true;
        if (branches == TRACK_BRANCHES) return false;
    }
    if (t->count == TRACK_NODES || l->node.ops > TRACK_OPS - t->op_count) return false;
    l->node.first_op = t->op_count;
    l->node.parent = l->parent;
    if (l->parent != TRACK_NONE && l->parent + 1 == t->count) t->nodes[l->parent].row = true;
    memcpy(t->ops + t->op_count, l->ops, l->node.ops * sizeof l->ops[0]);
    t->op_count += l->node.ops;
    t->nodes[t->count] = l->node;
    l->parent = *link = t->count++;
    return true;
}

/* The gap ends before `to`, where what is of this kind begins. */
static bool end_gap(struct lesson *l, size_t to, enum track_kind kind)
{
    size_t len = to - l->from;
    if (len > TRACK_GAP || l->steps++ == TRACK_STEPS) return false;
    l->node.kind = (uint8_t)kind;
    l->node.len = (uint8_t)len;
    l->node.need = len < 32 ? (UINT32_C(1) << len) - 1 : UINT32_MAX;
    memcpy(l->node.bytes, byte_of(l, l->from), len);
    return put_gap(l);
}

static bool met_before(const struct lesson *l, uint16_t name)
{
    for (uint32_t i = l->open[l->depth - 1].names; i < l->name_count; i++)
        if (l->names[i] == name) return true;
    return false;
}

/* Only names that stand in the table as they are written; a second one of a kind stays for those who report it. */
static bool learn_name(struct lesson *l)
{
    size_t at = (size_t)l->mark[0] + 1;
    uint16_t name = names_find(&l->r->names, span_of(byte_of(l, at), l->mark[1] - at));
    if (name == DOC_NAME_NONE || !l->r->names.entries[name].plain || met_before(l, name)) return false;
    if (l->name_count == ARRAY_LEN(l->names) || at - l->from > TRACK_GAP) return false;
    l->names[l->name_count++] = name;
    l->node.name = name;
    l->node.name_at = (uint8_t)(at - l->from);
    l->node.word = l->r->names.entries[name].word;
    l->expects_name = false;
    l->node.marks += 3;
    l->mark += 3;
    return true;
}

static bool add_op(struct lesson *l, uint8_t byte)
{
    size_t at = *l->mark - l->from;
    struct track_node *n = &l->node;
    if (n->ops == ARRAY_LEN(l->ops) || at >= TRACK_GAP) return false;
    l->ops[n->ops++] = (struct track_op){n->word, n->name, byte, (uint8_t)at, n->name_at, false};
    n->name = DOC_NAME_NONE;
    n->marks++;
    l->mark++;
    return true;
}

static bool learn_opening(struct lesson *l, uint8_t byte)
{
    if (l->depth == TRACK_DEEPEST || !add_op(l, byte)) return false;
    l->open[l->depth++] = (struct lesson_object){byte == '{', l->name_count};
    l->expects_name = byte == '{';
    return true;
}

static bool learn_closing(struct lesson *l, uint8_t byte)
{
    if (!add_op(l, byte)) return false;
    l->name_count = l->open[--l->depth].names;
    l->expects_name = false;
    return true;
}

static bool learn_value(struct lesson *l, uint8_t byte)
{
    size_t at = *l->mark;
    l->node.marks++;
    if (byte != '"') {
        if (!end_gap(l, at, TRACK_SCALAR)) return false;
        begin_gap(l, *++l->mark);
        return true;
    }
    if (!end_gap(l, at + 1, TRACK_STRING)) return false;
    begin_gap(l, (size_t)l->mark[1] + 1);
    l->mark += 2;
    return true;
}

static bool learn_mark(struct lesson *l)
{
    uint8_t c = *byte_of(l, *l->mark);
    if (l->node.marks > TRACK_GAP || (l->depth == 0 && l->node.ops > 0)) return false;
    switch (c) {
    case '{':
    case '[': return learn_opening(l, c);
    case '}':
    case ']': return learn_closing(l, c);
    case ',': l->expects_name = l->open[l->depth - 1].object; break;
    case ' ':
    case '\t':
    case '\r':
    case '\n': break;
    case '"':
        if (l->expects_name) return learn_name(l);
        return learn_value(l, c);
    default: return learn_value(l, c);
    }
    l->node.marks++;
    l->mark++;
    return true;
}

static bool learn_record(struct lesson *l, const uint16_t *last)
{
    while (l->mark <= last)
        if (!learn_mark(l)) return false;
    return l->depth == 0 && end_gap(l, (size_t)*last + 1, TRACK_END);
}

struct track *track_new(void)
{
    struct track *t = mem_alloc_aligned(_Alignof(struct track), sizeof *t);
    if (t) track_reset(t);
    return t;
}

void track_learn(struct doc_reader *r, uintptr_t bytes, uint32_t first, uint32_t last)
{
    if (!r->track && !(r->track = track_new())) return;
    struct track *t = r->track;
    if (t->refusals == TRACK_REFUSALS || t->count == TRACK_NODES) return;
    struct lesson l = {.r = r, .t = t, .bytes = bytes, .mark = r->scan.marks + first, .parent = TRACK_NONE};
    begin_gap(&l, *l.mark);
    if (!learn_record(&l, r->scan.marks + last)) t->refusals++;
    mem_wipe(&l, sizeof l);
}

/* ---- leaving ---------------------------------------------------------------------------------------------------- */

/* Where the containers that are open began, by depth: the gap on the path and the bracket in it. */
struct way_in {
    uint32_t step, op;
};

static bool is_opening(const struct track_op *op)
{
    return op->byte == '{' || op->byte == '[';
}

static const struct track_node *node_on_path(const struct track *t, uint32_t step)
{
    return &t->nodes[t->path[step]];
}

static void find_openings(const struct track *t, uint32_t steps, struct way_in *open)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < steps; i++) {
        const struct track_node *n = node_on_path(t, i);
        for (uint32_t k = 0; k < n->ops; k++) {
            if (is_opening(&t->ops[n->first_op + k]))
                open[depth++] = (struct way_in){i, k};
            else
                depth--;
        }
    }
}

/* Notes the names of the object that is open at `depth` and began there. */
static bool note_names(struct doc_reader *r, uint32_t steps, struct way_in from, uint32_t depth)
{
    const struct track *t = r->track;
    uint32_t above = 0;
    for (uint32_t i = from.step; i < steps; i++) {
        const struct track_node *n = node_on_path(t, i);
        for (uint32_t k = i == from.step ? from.op + 1 : 0; k < n->ops; k++) {
            const struct track_op *op = &t->ops[n->first_op + k];
            if (above == 0 && is_opening(op) && op->name != DOC_NAME_NONE && !names_again(&r->names, op->name, r->frames, depth))
                return false;
            above += is_opening(op) ? 1u : UINT32_MAX;
        }
        if (above == 0 && n->name != DOC_NAME_NONE && !names_again(&r->names, n->name, r->frames, depth)) return false;
    }
    return true;
}

bool track_leave(struct doc_reader *r, uint32_t steps, uint32_t depth)
{
    struct way_in open[TRACK_DEEPEST] = {{0, 0}};
    const struct track_node *last = node_on_path(r->track, steps - 1);
    find_openings(r->track, steps, open);
    for (uint32_t d = depth; d < r->depth; d++) {
        r->frames[d].mark = names_mark(&r->names);
        if (note_names(r, steps, open[d - depth], d + 1)) continue;
        r->status = DOC_MALFORMED;
        r->malformed = DOC_NO_MEMORY;
        r->malformed_at = r->chunk_at;
        return false;
    }
    r->names.last = last->name != DOC_NAME_NONE ? last->name : r->frames[r->depth - 1].name;
    r->names.inside = false;
    return true;
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

/* A container that is open while a record is told. */
struct told_frame {
    struct doc_place from; /* its first byte, with its name */
    uint16_t first;          /* its own first line */
    bool had, named, dull;   /* what was skipped before it is the line before `first` */
};

/* Writes the tale of a record: what fast.h would tell of it bracket by bracket. */
struct teller {
    const struct doc_reader *r;
    struct track *t;
    uint16_t first, count; /* lines */
    bool full;
    uint32_t depth;
    struct told_frame open[TRACK_DEEPEST];
    struct { /* children that became no events, one behind the other */
        struct doc_place from, end;
        uint32_t count, depth;
    } skipped;
};

static void add_line(struct teller *w, struct doc_line line)
{
    w->full |= w->first + w->count == TRACK_LINES;
    if (!w->full) w->t->lines[w->first + w->count++] = line;
}

static void add_fixed(struct teller *w, struct doc_place at, uint64_t word)
{
    add_line(w, (struct doc_line){.word = word, .at = at, .kind = DOC_LINE_FIXED});
}

static void skip_child(struct teller *w, struct doc_place from, struct doc_place end)
{
    if (w->skipped.count++ == 0) w->skipped.from = from;
    w->skipped.end = end;
}

static void add_skipped(struct teller *w)
{
    if (w->skipped.count > 0)
        add_line(w, (struct doc_line){.word = event_word(0, w->skipped.count, DOC_SKIPPED, w->skipped.depth),
                        .at = w->skipped.from,
                        .end = w->skipped.end,
                        .kind = DOC_LINE_SKIPPED});
    w->skipped.count = w->skipped.depth = 0;
}

static void tell_opening(struct teller *w, const struct track_op *op, uint8_t step)
{
    bool named = op->name != DOC_NAME_NONE;
    struct told_frame *f = &w->open[w->depth++];
    *f = (struct told_frame){.had = w->skipped.count > 0, .named = named, .dull = op->dull};
    f->from = (struct doc_place){step, named ? (uint8_t)(op->name_at - 1) : op->at};
    add_skipped(w);
    f->first = w->count;
    if (named) add_fixed(w, (struct doc_place){step, op->name_at}, op->word);
    add_fixed(w, (struct doc_place){step, op->at},
        event_word(1, 0, op->byte == '{' ? DOC_OBJECT_BEGIN : DOC_ARRAY_BEGIN, 0));
}

static bool is_untold(const struct teller *w, const struct told_frame *f)
{
    uint32_t inside = w->skipped.depth, depth = w->r->depth + w->depth + 1;
    return f->dull && w->count == f->first + 1 + f->named && inside < TRACK_SKIPPED_DEEPEST &&
           depth + inside <= w->r->skip->deepest;
}

static void take_back(struct teller *w, const struct told_frame *f, struct doc_place end)
{
    uint32_t depth = w->skipped.depth + 1;
    w->count = f->first;
    w->skipped.count = w->skipped.depth = 0;
    if (f->had) {
        const struct doc_line *before = &w->t->lines[w->first + --w->count];
        w->skipped.count = before->word >> 32 & 0xFFFF;
        w->skipped.depth = (uint32_t)(before->word >> 56);
        w->skipped.from = before->at;
    }
    skip_child(w, f->from, end);
    if (depth > w->skipped.depth) w->skipped.depth = depth;
}

static void tell_closing(struct teller *w, const struct track_op *op, uint8_t step)
{
    const struct told_frame *f = &w->open[--w->depth];
    if (is_untold(w, f)) return take_back(w, f, (struct doc_place){step, (uint8_t)(op->at + 1)});
    add_skipped(w);
    add_fixed(w, (struct doc_place){step, op->at}, event_word(1, 0, op->byte == '}' ? DOC_OBJECT_END : DOC_ARRAY_END, 0));
}

static void tell_value(struct teller *w, const struct track_node *n, uint8_t step, bool told)
{
    bool member = n->name != DOC_NAME_NONE;
    struct doc_place at = {step, n->len}, name = {step, n->name_at};
    struct doc_place from = {step, member ? (uint8_t)(n->name_at - 1) : (uint8_t)(n->len - (n->kind == TRACK_STRING))};
    if (!told) return skip_child(w, from, (struct doc_place){(uint8_t)(step + 1), 0});
    add_skipped(w);
    if (member) add_fixed(w, name, n->word);
    add_line(w, (struct doc_line){.at = at, .kind = DOC_LINE_VALUE});
}

/* The nodes of the record that was gone through. */
static void find_path(const struct track *t, uint16_t path[TRACK_STEPS])
{
    uint16_t node = t->record.end;
    for (uint32_t i = t->record.steps; i > 0; node = t->nodes[node].parent) {
        ASSERT(node != TRACK_NONE);
        path[--i] = node;
    }
    ASSERT(node == TRACK_NONE);
}

static void tell_record(struct teller *w)
{
    const struct track_record *record = &w->t->record;
    uint16_t path[TRACK_STEPS];
    find_path(w->t, path);
    for (uint32_t i = 0; i < record->steps && !w->full; i++) {
        const struct track_node *n = &w->t->nodes[path[i]];
        const struct track_op *op = w->t->ops + n->first_op;
        for (uint32_t k = 0; k < n->ops; k++, op++) {
            if (is_opening(op))
                tell_opening(w, op, (uint8_t)i);
            else
                tell_closing(w, op, (uint8_t)i);
        }
        if (n->kind != TRACK_END) tell_value(w, n, (uint8_t)i, record->told[i / 64] >> i % 64 & 1);
    }
}

static void forget_tales(struct track *t)
{
    for (uint32_t i = 0; i < t->tale_count; i++)
        mem_wipe(&t->tales[t->tales_used[i]], sizeof t->tales[0]);
    mem_wipe(t->lines, t->line_count * sizeof t->lines[0]);
    t->tale_count = t->line_count = 0;
}

static bool try_to_tell(struct doc_reader *r, struct track_tale *tale)
{
    struct track *t = r->track;
    struct teller w = {.r = r, .t = t, .first = t->line_count};
    tell_record(&w);
    if (w.full) return false;
    if (tale->epoch == 0) t->tales_used[t->tale_count++] = (uint8_t)(tale - t->tales);
    *tale = (struct track_tale){.node = t->record.end,
        .first = w.first,
        .count = w.count,
        .depth = (uint8_t)w.skipped.depth,
        .epoch = t->now,
        .serial = ++t->serials};
    memcpy(tale->told, t->record.told, sizeof tale->told);
    t->line_count += w.count;
    return true;
}

const struct track_tale *track_tell(struct doc_reader *r)
{
    struct track *t = r->track;
    struct track_tale *tale = track_place_of(t), *beside = &t->tales[(tale - t->tales) ^ 1];
    if (tale->epoch == t->now && beside->epoch != t->now) tale = beside;
    if (try_to_tell(r, tale)) return tale;
    forget_tales(t);
    return try_to_tell(r, tale) ? tale : NULL;
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void track_reset(struct track *t)
{
    if (!t) return;
    mem_wipe(t->nodes, t->count * sizeof t->nodes[0]);
    mem_wipe(t->ops, t->op_count * sizeof t->ops[0]);
    if (t->used) mem_wipe(&t->record, sizeof t->record);
    forget_tales(t);
    t->used = false;
    t->root = t->next = TRACK_NONE;
    t->count = t->op_count = t->refusals = 0;
    t->serials = t->aloud = 0;
    t->epoch = t->anew = t->now = t->left = 0;
}
