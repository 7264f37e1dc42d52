/* Lore: what is learnt of a document's examples, which the rules hold themselves (rules_document_example), and is known when
 * an answer is read: its names and what they mean, the shapes of its values, and the tracks of its records. Small answers
 * spend most of their time on learning that.
 *
 * Every answer of a document begins with the same lore, whatever was read before it, and what it teaches goes with it: the
 * time that one takes says nothing about another.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "match/own.h"

static void lore_free(struct lore *l)
{
    doc_lore_free(l->reader);
    mem_free(l->names);
    mem_free(l->dull);
    mem_free(l->classes);
    mem_free(l->shapes);
    mem_free(l->known);
    *l = (struct lore){0};
}

struct match_lores *match_lores_new(void)
{
    return mem_alloc(sizeof(struct match_lores));
}

void match_lores_free(struct match_lores *l)
{
    for (size_t i = 0; l && i < l->count; i++)
        lore_free(&l->all[i]);
    mem_free(l);
}

void match_share_lores(struct match *m, struct match_lores *l)
{
    m->lores = l;
}

/* ---- taking ----------------------------------------------------------------------------------------------------- */

static uint32_t dull_count(uint32_t names)
{
    return names < MATCH_NAMES ? names : MATCH_NAMES;
}

static bool take_names(struct match *m, struct lore *l)
{
    uint32_t n = m->names.count;
    l->names = n ? mem_copy(m->names.items, n * sizeof *l->names) : NULL;
    l->dull = mem_copy(m->dull, dull_count(n) + 1);
    l->classes = mem_copy(m->classes, dull_count(n) + 1);
    l->name_count = n;
    l->class_count = m->class_count;
    memcpy(l->class_labels, m->class_labels, sizeof l->class_labels);
    return (l->names || n == 0) && l->dull && l->classes;
}

/* A slot and what is in it. */
static bool take_shapes(struct match *m, struct lore *l)
{
    l->shapes = mem_array(m->shape_count + (size_t)1, sizeof *l->shapes);
    l->known = mem_array(m->known_count + (size_t)1, sizeof *l->known);
    if (!l->shapes || !l->known) return false;
    for (uint32_t i = 0; i < m->shape_count; i++)
        l->shapes[i] = (struct lore_shape){m->shapes[m->shapes_used[i]], m->shapes_used[i]};
    for (uint32_t i = 0; i < m->known_count; i++)
        l->known[i] = (struct lore_known){m->known[m->known_used[i]], m->known_used[i]};
    l->shape_count = m->shape_count;
    l->known_count = m->known_count;
    return true;
}

static bool take(struct match *m, struct lore *l)
{
    l->reader = doc_reader_lore(m->reader);
    return l->reader && take_names(m, l) && take_shapes(m, l) && !m->failed;
}

/* ---- giving back ------------------------------------------------------------------------------------------------ */

static bool room_for(struct table *t, uint32_t count, size_t size)
{
    while (t->capacity < count)
        if (!table_grow(t, size)) return false;
    return true;
}

/* What is looked for is of one request, and so is known of no example. */
static void mark_searched(struct match *m)
{
    for (uint32_t i = 0; i < m->names.count; i++) {
        struct name *n = TABLE_AT(&m->names, struct name, i);
        for (size_t k = 0; k < ARRAY_LEN(n->meanings); k++) {
            struct child *c = &n->meanings[k].child;
            if (n->meanings[k].key != NAME_KEY_NONE && c->roles & PATH_QUERY) c->act |= ACT_SEARCH;
        }
    }
}

static void recall_names(struct match *m, const struct lore *l)
{
    if (l->name_count == 0) return;
    memcpy(m->names.items, l->names, l->name_count * sizeof *l->names);
    m->names.count = l->name_count;
    m->names.used = l->name_count * sizeof *l->names;
    memcpy(m->dull, l->dull, dull_count(l->name_count));
    memcpy(m->classes, l->classes, dull_count(l->name_count));
    memcpy(m->class_labels, l->class_labels, sizeof m->class_labels);
    m->class_count = l->class_count;
    if (m->search) mark_searched(m);
}

static void recall_shapes(struct match *m, const struct lore *l)
{
    for (uint32_t i = 0; i < l->shape_count; i++) {
        m->shapes[l->shapes[i].slot] = l->shapes[i].shape;
        m->shapes_used[i] = l->shapes[i].slot;
    }
    for (uint32_t i = 0; i < l->known_count; i++) {
        m->known[l->known[i].slot] = l->known[i].known;
        m->known_used[i] = l->known[i].slot;
    }
    m->shape_count = l->shape_count;
    m->known_count = l->known_count;
}

/* Without memory nothing is known, and all is learnt. */
static void recall(struct match *m, const struct lore *l)
{
    if (!l->reader || !room_for(&m->names, l->name_count, sizeof *l->names)) return;
    if (!doc_reader_recall(m->reader, l->reader)) return;
    recall_names(m, l);
    recall_shapes(m, l);
}

/* ---- rehearsing ------------------------------------------------------------------------------------------------- */

/* What the example holds is looked up nowhere and told to nobody. */
static void read_example(struct match *m, const struct rules_document *document, const struct lore *before, span text)
{
    const struct match_limits limits = {.depth = LORE_DEPTH};
    const struct doc_window w = {0, text.ptr, text.len, true};
    match_prepare(m, DOC_JSON, document, NULL, &limits);
    recall(m, before);
    doc_reader_rehearse(m->reader);
    walk_begin(m);
    (void)match_feed(m, &w); /* what is no JSON teaches as much as could be read of it */
}

/* Each example is read with what the ones before have taught. False: out of memory. */
static bool rehearse(struct match *m, const struct rules_document *document, struct lore *out)
{
    span text;
    for (size_t i = 0; rules_document_example(document, i, &text); i++) {
        struct lore more = {.document = document};
        read_example(m, document, out, text);
        bool taken = take(m, &more);
        lore_free(out);
        *out = more;
        if (!taken) return lore_free(out), false;
    }
    return out->document != NULL;
}

/* A document whose lore finds no room has none: to make it anew for each answer would cost more than it saves. */
static const struct lore *make_lore(struct match *m, const struct rules_document *document)
{
    struct lore *l = &m->lores->all[m->lores->count];
    match_candidate_fn *observer = m->observer;
    m->observer = NULL;
    bool done = m->lores->count < LORES && rehearse(m, document, l);
    m->observer = observer;
    m->lores->count += done;
    return done ? l : NULL;
}

const struct lore *lore_find(struct match *m, const struct rules_document *document)
{
    span text;
    if (!m->prefilter || !m->lores || !rules_document_example(document, 0, &text)) return NULL;
    for (size_t i = 0; i < m->lores->count; i++)
        if (m->lores->all[i].document == document) return &m->lores->all[i];
    return make_lore(m, document);
}

void lore_recall(struct match *m, const struct lore *l)
{
    if (l) recall(m, l);
}
