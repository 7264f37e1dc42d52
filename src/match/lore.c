/* Lore: what is learnt of a document's examples, which the rules hold themselves (rules_document_example), and is known when
 * an answer is read: its names and what they mean, the shapes of its values and what is done about them, the tracks of its
 * records, how they are told, and what the walk does about that. Small answers spend most of their time on learning it; of one
 * that is like the examples the first record is played as the hundredth would be.
 *
 * Every answer of a document begins with the same lore, whatever was read before it, and what it teaches goes with it: the
 * time that one takes says nothing about another.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "match/own.h"

static void scores_free(struct lore_scores *s)
{
    mem_free(s->all);
    mem_free(s->used);
    mem_free(s->pieces);
    mem_free(s->containers);
    mem_free(s->steps);
}

static void lore_free(struct lore *l)
{
    doc_lore_free(l->reader);
    scores_free(&l->scores);
    mem_free(l->plans);
    mem_free(l->murmurs);
    mem_free(l->hushes);
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
    l->changes = m->skip.changes;
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

static bool take_plans(struct match *m, struct lore *l)
{
    l->plans = mem_array(m->plan_count + (size_t)1, sizeof *l->plans);
    l->murmurs = mem_array(MURMURS, sizeof *l->murmurs);
    l->hushes = mem_array(HUSHES, sizeof *l->hushes);
    if (!l->plans || !l->murmurs || !l->hushes) return false;
    for (uint32_t i = 0; i < m->plan_count; i++)
        l->plans[i] = (struct lore_plan){m->plans[m->plans_used[i]], m->plans_used[i]};
    l->plan_count = m->plan_count;
    for (uint8_t i = 0; i < MURMURS; i++)
        if (m->murmurs_used >> i & 1) l->murmurs[l->murmur_count++] = (struct lore_murmur){m->murmurs[i], i};
    for (uint8_t i = 0; i < HUSHES; i++)
        if (m->hushes_used >> i & 1) l->hushes[l->hush_count++] = (struct lore_hush){m->hushes[i], i};
    return true;
}

static void *copy_some(const void *from, uint32_t count, size_t size)
{
    return mem_copy(from, (count ? count : (size_t)1) * size);
}

static bool take_scores(const struct scores *from, struct lore_scores *to)
{
    to->all = mem_array(from->used_count + (size_t)1, sizeof *to->all);
    to->used = copy_some(from->used, from->used_count, sizeof *to->used);
    to->pieces = copy_some(from->pieces, from->piece_count, sizeof *to->pieces);
    to->containers = copy_some(from->containers, from->container_count, sizeof *to->containers);
    to->steps = copy_some(from->steps, from->step_count, sizeof *to->steps);
    if (!to->all || !to->used || !to->pieces || !to->containers || !to->steps) return false;
    for (uint32_t i = 0; i < from->used_count; i++)
        to->all[i] = from->all[from->used[i]];
    to->count = from->used_count;
    to->piece_count = from->piece_count;
    to->container_count = from->container_count;
    to->step_count = from->step_count;
    return true;
}

/* `told`: how records are told, and what is done about that, is known too. */
static bool take(struct match *m, bool told, struct lore *l)
{
    l->reader = doc_reader_lore(m->reader, told);
    if (!l->reader || !take_names(m, l) || !take_shapes(m, l) || !take_plans(m, l)) return false;
    return (!told || take_scores(m->scores, &l->scores)) && !m->failed;
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
    m->skip.changes = l->changes;
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

static void recall_plans(struct match *m, const struct lore *l)
{
    for (uint32_t i = 0; i < l->plan_count; i++) {
        m->plans[l->plans[i].slot] = l->plans[i].plan;
        m->plans_used[i] = l->plans[i].slot;
    }
    m->plan_count = l->plan_count;
    m->murmurs_used = 0;
    for (uint32_t i = 0; i < l->murmur_count; i++) {
        m->murmurs[l->murmurs[i].slot] = l->murmurs[i].murmur;
        m->murmurs_used |= UINT64_C(1) << l->murmurs[i].slot;
    }
    m->hushes_used = 0;
    for (uint32_t i = 0; i < l->hush_count; i++) {
        m->hushes[l->hushes[i].slot] = l->hushes[i].hush;
        m->hushes_used |= UINT64_C(1) << l->hushes[i].slot;
    }
}

/* Labels are each matcher's own. */
static void recall_scores(struct match *m, const struct lore_scores *from)
{
    struct scores *to = m->scores;
    if (from->count == 0) return;
    memcpy(to->used, from->used, from->count * sizeof *to->used);
    for (uint32_t i = 0; i < from->count; i++)
        to->all[from->used[i]] = from->all[i];
    memcpy(to->pieces, from->pieces, from->piece_count * sizeof *to->pieces);
    memcpy(to->containers, from->containers, from->container_count * sizeof *to->containers);
    memcpy(to->steps, from->steps, from->step_count * sizeof *to->steps);
    for (uint32_t i = 0; i < from->step_count; i++)
        to->steps[i].spot.label = label_of(m, to->steps[i].spot.labels);
    to->used_count = from->count;
    to->piece_count = from->piece_count;
    to->container_count = from->container_count;
    to->step_count = from->step_count;
}

/* Without memory nothing is known, and all is learnt. */
static void recall(struct match *m, const struct lore *l)
{
    if (!l->reader || !room_for(&m->names, l->name_count, sizeof *l->names)) return;
    if (!doc_reader_recall(m->reader, l->reader)) return;
    recall_names(m, l);
    recall_shapes(m, l);
    recall_plans(m, l);
    recall_scores(m, &l->scores);
}

/* ---- rehearsing ------------------------------------------------------------------------------------------------- */

/* What is learnt of records is only known when they have been read some times: what their names mean, then how they are told,
 * then what is done about them. */
#define ROUNDS 3       /* of reading all examples, for what records are, */
#define ROUNDS_TOLD 3  /* for how they are told, */
#define ROUNDS_ALOUD 2 /* and for how they are told with all their values */

struct rehearsal {
    const struct rules_document *document;
    uint32_t visible_depth; /* of the answers */
    bool told, aloud;
};

/* What the example holds is looked up nowhere and told to nobody. */
static void read_example(
    struct match *m, const struct rehearsal *how, const struct lore *before, span text)
{
    const struct match_limits limits = {.depth = LORE_DEPTH, .visible_depth = how->visible_depth};
    const struct doc_window w = {.data = text.ptr, .len = text.len, .complete = true, .slack = DOC_SLACK};
    match_prepare(m, DOC_JSON, how->document, NULL, &limits);
    recall(m, before);
    doc_reader_rehearse(m->reader, how->aloud);
    walk_begin(m);
    (void)match_feed(m, &w); /* what is no JSON teaches as much as could be read of it */
}

/* An example with zeros behind it. */
static bool example_of(const struct rules_document *document, size_t i, struct bytes *out)
{
    span text;
    if (!rules_document_example(document, i, &text)) return false;
    *out = (struct bytes){.ptr = mem_alloc(text.len + DOC_SLACK), .size = text.len};
    if (out->ptr && text.len > 0) memcpy(out->ptr, text.ptr, text.len);
    return true;
}

/* Each example is read with what all before have taught. False: out of memory. */
static bool rehearse_once(struct match *m, const struct rehearsal *how, struct lore *out)
{
    struct bytes text;
    bool taken = true;
    for (size_t i = 0; taken && example_of(how->document, i, &text); i++) {
        struct lore more = {.document = how->document};
        if (text.ptr) read_example(m, how, out, span_of(text.ptr, text.size));
        taken = text.ptr && take(m, how->told, &more);
        mem_free(text.ptr);
        lore_free(out);
        *out = more;
    }
    if (!taken) lore_free(out);
    return taken;
}

static bool rehearse(struct match *m, const struct rules_document *document, uint32_t visible_depth, struct lore *out)
{
    for (unsigned i = 0; i < ROUNDS + ROUNDS_TOLD + ROUNDS_ALOUD; i++) {
        const struct rehearsal how = {document, visible_depth, i >= ROUNDS, i >= ROUNDS + ROUNDS_TOLD};
        if (!rehearse_once(m, &how, out)) return false;
    }
    return out->document != NULL;
}

/* A document whose lore finds no room has none: to make it anew for each answer would cost more than it saves. */
static const struct lore *make_lore(struct match *m, const struct rules_document *document, uint32_t visible_depth)
{
    struct lore *l = &m->lores->all[m->lores->count];
    match_candidate_fn *observer = m->observer;
    m->observer = NULL;
    bool done = m->lores->count < LORES && rehearse(m, document, visible_depth, l);
    m->observer = observer;
    m->lores->count += done;
    return done ? l : NULL;
}

const struct lore *lore_find(struct match *m, const struct rules_document *document, const struct match_limits *limits)
{
    span text;
    if (!m->prefilter || !m->lores || !rules_document_example(document, 0, &text)) return NULL;
    for (size_t i = 0; i < m->lores->count; i++)
        if (m->lores->all[i].document == document) return &m->lores->all[i];
    return make_lore(m, document, limits->visible_depth);
}

void lore_recall(struct match *m, const struct lore *l)
{
    if (l) recall(m, l);
}
