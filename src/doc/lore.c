/* What a reader has learnt: names, in which order they follow each other, and tracks. Taken of bodies that are nobody's, and
 * given back to it before a body is read. */
#include "doc/reader.h"

struct doc_lore {
    struct name_entry *entries; /* of no object; their bytes stand in `text` */
    uint8_t *text;
    uint32_t count;
    uint16_t root;
    uint16_t recent[NAMES_RECENT];
    struct track_node *nodes;
    struct track_op *ops;
    uint16_t node_count, op_count, first_node, next_node, refusals;
    uint64_t epoch, anew;
    uint32_t serials;
    struct doc_skip judged; /* with which names were judged: what is known of nodes and tales holds where they are so again */
    struct track_tale *tales;
    uint8_t *tale_slots;
    struct doc_line *lines;
    uint16_t tale_count, line_count;
};

void doc_lore_free(struct doc_lore *l)
{
    if (!l) return;
    mem_free(l->entries);
    mem_free(l->text);
    mem_free(l->nodes);
    mem_free(l->ops);
    mem_free(l->tales);
    mem_free(l->tale_slots);
    mem_free(l->lines);
    mem_free(l);
}

static size_t text_size(const struct doc_names *n)
{
    size_t size = 0;
    for (uint32_t i = 0; i < n->count; i++)
        size += n->entries[i].len + (size_t)NAMES_SLACK;
    return size;
}

static bool take_names(struct doc_lore *l, const struct doc_names *n)
{
    l->entries = mem_array(n->count + (size_t)1, sizeof *l->entries);
    l->text = mem_alloc(text_size(n) + 1);
    if (!l->entries || !l->text) return false;
    uint8_t *to = l->text;
    for (uint32_t i = 0; i < n->count; i++) {
        struct name_entry *e = &l->entries[i];
        *e = n->entries[i];
        memcpy(to, e->bytes, e->len + (size_t)NAMES_SLACK);
        e->bytes = to;
        e->object = 0;
        e->frame = 0;
        to += e->len + (size_t)NAMES_SLACK;
    }
    l->count = n->count;
    l->root = n->root;
    memcpy(l->recent, n->recent, sizeof l->recent);
    return true;
}

static bool take_tracks(struct doc_lore *l, const struct track *t)
{
    if (!t || t->count == 0) return true;
    l->nodes = mem_alloc_aligned(_Alignof(struct track_node), t->count * sizeof *l->nodes);
    if (l->nodes) memcpy(l->nodes, t->nodes, t->count * sizeof *l->nodes);
    l->ops = mem_copy(t->ops, (t->op_count + (size_t)1) * sizeof *l->ops);
    if (!l->nodes || !l->ops) return false;
    l->epoch = t->epoch;
    l->anew = t->anew;
    l->node_count = t->count;
    l->op_count = t->op_count;
    l->first_node = t->root;
    l->next_node = t->next;
    l->refusals = t->refusals;
    return true;
}

static bool take_tales(struct doc_lore *l, const struct track *t)
{
    if (!t || t->tale_count == 0) return true;
    l->tales = mem_array(t->tale_count, sizeof *l->tales);
    l->tale_slots = mem_copy(t->tales_used, t->tale_count);
    l->lines = mem_copy(t->lines, (t->line_count + (size_t)1) * sizeof *l->lines);
    if (!l->tales || !l->tale_slots || !l->lines) return false;
    for (uint16_t i = 0; i < t->tale_count; i++)
        l->tales[i] = t->tales[t->tales_used[i]];
    l->tale_count = t->tale_count;
    l->line_count = t->line_count;
    l->serials = t->serials;
    return true;
}

struct doc_lore *doc_reader_lore(const struct doc_reader *r, bool tales)
{
    MAGIC_CHECK(r, READER_MAGIC);
    struct doc_lore *l = mem_alloc(sizeof *l);
    if (l) l->judged = *r->skip;
    if (l && take_names(l, &r->names) && take_tracks(l, r->track) && (!tales || take_tales(l, r->track))) return l;
    doc_lore_free(l);
    return NULL;
}

static void recall_tracks(struct track *t, const struct doc_lore *l)
{
    memcpy(t->nodes, l->nodes, l->node_count * sizeof t->nodes[0]);
    memcpy(t->ops, l->ops, l->op_count * sizeof t->ops[0]);
    t->count = l->node_count;
    t->op_count = l->op_count;
    t->root = l->first_node;
    t->next = l->next_node;
    t->refusals = l->refusals;
    t->epoch = t->anew = l->epoch; /* until it is known how names are judged: lore_judges() */
    t->serials = l->serials;
    for (uint16_t i = 0; i < l->tale_count; i++)
        t->tales[l->tale_slots[i]] = l->tales[i];
    if (l->tale_count == 0) return;
    memcpy(t->tales_used, l->tale_slots, l->tale_count);
    memcpy(t->lines, l->lines, l->line_count * sizeof t->lines[0]);
    t->tale_count = l->tale_count;
    t->line_count = l->line_count;
}

/* The pointers are those of another caller, who judges the same names alike. */
static bool judges_alike(const struct doc_skip *a, const struct doc_skip *b)
{
    return a->names == b->names && a->changes == b->changes && a->root == b->root && a->containers == b->containers &&
           a->parted == b->parted && a->deepest == b->deepest && !a->dull == !b->dull && !a->classes == !b->classes &&
           a->ask == b->ask && a->take == b->take;
}

bool lore_judges(struct doc_reader *r)
{
    const struct doc_lore *l = r->recalled;
    r->recalled = NULL;
    if (!l || l->node_count == 0 || !judges_alike(r->skip, &l->judged)) return false;
    r->track->anew = l->anew;
    return true;
}

bool doc_reader_recall(struct doc_reader *r, const struct doc_lore *l)
{
    MAGIC_CHECK(r, READER_MAGIC);
    ASSERT(r->names.count == 0 && r->scanned == 0);
    if (l->node_count > 0 && !r->track && !(r->track = track_new())) return false;
    if (!names_recall(&r->names, l->entries, l->count)) return false;
    r->names.root = l->root;
    memcpy(r->names.recent, l->recent, sizeof l->recent);
    if (l->node_count > 0) recall_tracks(r->track, l);
    r->recalled = l;
    return true;
}
