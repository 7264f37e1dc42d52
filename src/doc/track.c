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
    l->ops[n->ops++] = (struct track_op){n->word, n->name, byte, (uint8_t)at, n->name_at};
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
    struct track *t = mem_alloc(sizeof *t);
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

//= 8USC1367 a(2) what a document said does not outlive its exchange
void track_reset(struct track *t)
{
    if (!t) return;
    mem_wipe(t->nodes, t->count * sizeof t->nodes[0]);
    mem_wipe(t->ops, t->op_count * sizeof t->ops[0]);
    t->root = t->next = TRACK_NONE;
    t->count = t->op_count = t->refusals = 0;
}
