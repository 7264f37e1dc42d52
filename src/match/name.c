/* Member names: worked out once for each distinct name and kind of parent, so that a name costs one comparison. */
#include "match/own.h"

struct child child_of(struct match *m, path_state state, label_set labels, bool allowed)
{
    const struct path_info *info = path_info_of(m->document, state);
    const struct label *label = label_of(m, labels);
    struct child c = {.state = state, .roles = info->roles, .labels = labels, .info = info};
    if (info->roles & (PATH_UNIT | PATH_COUNT | PATH_UNIFORM | PATH_TEXT | PATH_PSEUDONYM)) c.act |= ACT_PIECE;
    if (info->roles & PATH_PSEUDONYM) c.act |= ACT_PSEUDONYM;
    if (m->view->has_allow && !allowed && !(info->roles & PATH_ALLOWED)) c.act |= ACT_PIECE;
    if (m->view->has_graph) c.act |= ACT_PIECE; /* any object may be what an id names */
    if (info->roles & PATH_KEY || (info->roles & PATH_LINK && m->view->system)) c.act |= ACT_KEY;
    if (info->roles & (PATH_LINK | PATH_ID | PATH_REF) || (info->roles & PATH_KEY && m->view->has_links))
        c.act |= ACT_LINK;
    if (info->roles & PATH_QUERY && m->search) c.act |= ACT_SEARCH;
    if (label->count > 0 || label->markers) c.act |= ACT_LABEL;
    return c;
}

/* The name as text; an id that the reader gave has it decoded. */
static span name_text(struct match *m, const struct doc_event *e)
{
    if (e->name != DOC_NAME_NONE) return doc_reader_name(m->reader, e->name);
    ASSERT(e->at <= m->body_len && e->len <= m->body_len - e->at);
    uint8_t *out = bytes_room(m, &m->decoded, e->len);
    return out ? span_of(out, doc_decode_string(span_of(m->body + e->at, e->len), out)) : span_of(NULL, 0);
}

/* Whether a name that stands under no label, as it reads, can hold nothing but base64. */
static bool is_plain(struct match *m, span text, const struct look *l)
{
    return l->leads == 0 && !look_coded(l) && !l->at && !view_may_identify(m, text, l);
}

/* Whether there is anything in it to look up or to find, under these labels. Where the name stands in the body as it reads,
 * a literal of it was seen there: it is in the name wherever that stands, or nowhere. */
static bool is_quiet(struct match *m, const struct doc_event *e, span text, label_set labels)
{
    uint64_t before = m->proposals;
    struct look l;
    bool raw = !(e->flags & DOC_ESCAPED), literal = raw && m->next_literal <= e->at + e->len && literal_within(m, e);
    m->spot = (struct spot){.labels = labels, .label = label_of(m, labels), .is_name = true};
    m->look(text, &l);
    m->dry = true;
    if (raw && !literal && labels == 0 && is_plain(m, text, &l))
        view_runs(m, text, &l, 0);
    else
        view_scan_known(m, text, &l, 0, raw, literal);
    m->dry = false;
    return m->proposals == before;
}

static uint8_t dull_inside(unsigned others)
{
    return (others & PATH_OTHERS_MEMBERS ? 0 : DOC_DULL_MEMBERS) | (others & PATH_OTHERS_ELEMENTS ? 0 : DOC_DULL_ELEMENTS);
}

/* What the reader need not tell of a name, under whatever it stands. What stands under a label is told, strings aside of
 * which the label says that they are nothing. */
static uint8_t dullness(const struct match *m, const struct name *n)
{
    uint8_t value = n->quiet && n->symbol == 0 && !n->beside ? DOC_DULL_VALUE : 0;
    uint8_t inside = dull_inside(path_others(m->document, n->symbol));
    if (n->beside & RULES_PART_HEAD) inside &= (uint8_t)~DOC_DULL_ELEMENTS;
    if (n->labels) return value && !n->inherits ? DOC_DULL_STRINGS : 0;
    /* Under a labelled name it inherits a label, which then stands around what is inside. */
    return n->inherits ? value : value | inside;
}

label_set name_labels(const struct match *m, uint16_t name)
{
    ASSERT(name + 1u < m->names.count);
    return TABLE_AT(&m->names, struct name, name + 1u)->labels;
}

uint8_t name_root_dullness(const struct match *m)
{
    return dull_inside(path_root_others(m->document));
}

static void learn_name(struct match *m, struct name *n, const struct doc_event *e)
{
    span text = name_text(m, e);
    n->symbol = path_symbol_of(m->document, text);
    n->labels = rules_labels(m->rules, text, 0);
    n->inherits = rules_label_inherits(text);
    unsigned parts = rules_label_parts(text);
    n->beside = (uint8_t)rules_label_beside(text);
    if (n->beside == RULES_BESIDE_NAME) n->beside = RULES_BESIDE_NONE; /* asked for where there is a value that it may be of */
    n->beside |= (uint8_t)(parts & (RULES_PART_HEAD | RULES_PART_ROWS));
    n->column = (parts & RULES_PART_COLUMN) != 0;
    n->quiet = m->prefilter && is_quiet(m, e, text, 0);
    n->known = true;
    if (m->skips && e->name < MATCH_NAMES) name_dull(m, e->name, dullness(m, n));
}

static uint8_t class_of(const struct match *m, label_set labels)
{
    for (uint32_t i = 0; i < m->class_count; i++)
        if (m->class_labels[i] == labels) return (uint8_t)(i + 1);
    return 0;
}

/* The name is neither the label's nor found under it. */
static void note_harmless(struct match *m, uint16_t name, label_set labels)
{
    if (!m->skips || name >= MATCH_NAMES) return;
    m->classes[name] = (uint8_t)(DOC_CLASS(m->classes[name]) | class_of(m, labels) << 4);
    m->skip.changes++;
}

/* Only what stands under the name itself has its labels: what inherits them is told. */
void name_opened(struct match *m, uint16_t name, label_set labels)
{
    const struct name *n = name < MATCH_NAMES && name + 1u < m->names.count ? TABLE_AT(&m->names, struct name, name + 1u) : NULL;
    if (!m->skips || !n || n->inherits || n->labels != labels || DOC_CLASS(m->classes[name]) || n->beside & RULES_PART_HEAD) return;
    uint8_t class = class_of(m, labels);
    if (class == 0 && m->class_count == 15) return;
    if (class == 0) m->class_labels[m->class_count++] = labels, class = (uint8_t)m->class_count;
    m->classes[name] |= class;
    name_dull(m, name, m->dull[name] | dull_inside(path_others(m->document, n->symbol)));
}

static const struct child *learn_child(
    struct match *m, const struct frame *f, struct name *n, const struct doc_event *e)
{
    label_set labels = n->inherits && f->labels ? rules_labels(m->rules, name_text(m, e), f->labels) : n->labels;
    struct meaning *meaning = &n->meanings[n->oldest];
    n->oldest ^= 1;
    meaning->child = child_of(m, path_member(m->document, f->state, n->symbol), labels, f->where.allowed);
    if (!n->quiet || (f->labels && !is_quiet(m, e, name_text(m, e), f->labels))) meaning->child.act |= ACT_NAME;
    else if (f->labels && !n->inherits && !n->beside) note_harmless(m, e->name, f->labels);
    meaning->child.beside = n->beside;
    if (f->beside & BESIDE_COLUMN && n->column) meaning->child.beside |= RULES_PART_COLUMN;
    if (meaning->child.beside) meaning->child.act |= ACT_BESIDE;
    meaning->key = f->key;
    return &meaning->child;
}

/* Names without an id share the table's first entry, which is learnt each time. */
static struct name *name_entry(struct match *m, const struct doc_event *e)
{
    uint32_t i = e->name == DOC_NAME_NONE ? 0 : (uint32_t)e->name + 1;
    while (m->names.count <= i) {
        struct name *added = table_add(m, &m->names, sizeof *added);
        if (!added) return NULL;
        added->meanings[0].key = added->meanings[1].key = NAME_KEY_NONE;
    }
    struct name *n = TABLE_AT(&m->names, struct name, i);
    if (i == 0) n->known = false;
    return n;
}

const struct child *name_child(struct match *m, const struct frame *f, const struct doc_event *e)
{
    struct name *n = name_entry(m, e);
    if (!n) return &m->root; /* failed is latched: what follows is never seen */
    if (!n->known) {
        learn_name(m, n, e);
        n->meanings[0].key = n->meanings[1].key = NAME_KEY_NONE;
    }
    return learn_child(m, f, n, e);
}

/* A name is a value too. Under a label it may be what the label says, and nine digits are still an A-number. */
void name_scan(struct match *m, const struct frame *f, const struct where *w)
{
    const struct doc_event *e = &m->name;
    m->spot = (struct spot){.at = e->at,
        .len = e->len,
        .unit = w->unit,
        .in_text = w->in_text,
        .is_name = true,
        .labels = f->labels,
        .label = label_of(m, f->labels)};
    view_scan(m, name_text(m, e), 0, false, false);
}
