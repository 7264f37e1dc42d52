/* What joins units: values of `links` and `keys`, and the ids of a graph. Only noted here; policy follows them.
 *
 *= ICE10036.2 2.1   a role, an association, a reference acknowledge whom they point to
 *= 10-domain 3.3    a graph, not a tree */
#include "match/own.h"

/* ---- values ----------------------------------------------------------------------------------------------------- */

static void add_link(struct match *m, span text, uint32_t piece, unsigned part)
{
    static const uint8_t key[16] = {0}; /* equal texts are compared byte for byte: spread is all that is needed */
    uint32_t at = m->link_text.count;
    if (text.len == 0 || text.len > UINT32_MAX) return;
    uint8_t *copy = table_add_bytes(m, &m->link_text, text.len);
    if (!copy) return;
    memcpy(copy, text.ptr, text.len);
    struct match_link *l = table_add(m, &m->links, sizeof *l);
    if (!l) return;
    *l = (struct match_link){.hash = siphash64(key, text),
        .text = at,
        .len = (uint32_t)text.len,
        .piece = piece,
        .part = (uint8_t)part};
}

span value_text(struct match *m, const struct doc_event *e, uint8_t digits[32])
{
    ASSERT(e->at <= m->body_len && e->len <= m->body_len - e->at);
    span raw = span_of(m->body + e->at, e->len);
    if (e->kind == DOC_NUMBER) {
        size_t n = text_integer(raw, digits, 32);
        return n ? span_of(digits, n) : raw;
    }
    uint8_t *out = bytes_room(m, &m->decoded, raw.len);
    return out ? span_of(out, doc_decode_string(raw, out)) : span_of(NULL, 0);
}

/* What clerks and programs write where there is nobody: letters and digits of it. */
#define NOBODY(X)                                                                                                      \
    X("DESCONOCIDO")                                                                                                   \
    X("NA")                                                                                                            \
    X("NAN")                                                                                                           \
    X("NIL")                                                                                                           \
    X("NINGUNA")                                                                                                       \
    X("NINGUNO")                                                                                                       \
    X("NOBODY")                                                                                                        \
    X("NONE")                                                                                                          \
    X("NOTAPPLICABLE")                                                                                                 \
    X("NOTAVAILABLE")                                                                                                  \
    X("NOTKNOWN")                                                                                                      \
    X("NOTPROVIDED")                                                                                                   \
    X("NULL")                                                                                                          \
    X("UNDEFINED")                                                                                                     \
    X("UNK")                                                                                                           \
    X("UNKNOWN")                                                                                                       \
    X("UNSPECIFIED")
#define NOBODY_MOST 16 /* characters */

static bool is_word_for_nobody(span s)
{
    static const char *const words[] = {
#define X(word) word,
        NOBODY(X)
#undef X
    };
    uint8_t letters[NOBODY_MOST];
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < 0x80 && !is_alnum(s.ptr[i])) continue;
        if (n == NOBODY_MOST) return false;
        letters[n++] = s.ptr[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (span_equal_nocase(span_of(letters, n), span_str(words[i]))) return true;
    return false;
}

/* No letter, and no digit but zeros. */
static bool says_nothing(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 0x80 || (is_alnum(s.ptr[i]) && s.ptr[i] != '0')) return false;
    return true;
}

/* Such a value would join all who have none. Where it is a registered key, it is looked up all the same. */
static bool is_nobody(span s)
{
    return says_nothing(s) || span_equal(s, SPAN("-1")) || is_word_for_nobody(s);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static span without_space(span s)
{
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.ptr[0]))
        s = span_from(s, 1);
    return s;
}

/* As the registry writes such a key, so that 12, "12" and "0012" are one. What no key can be is compared as it
 * is. */
static span link_text(
    struct match *m, const struct path_info *info, span text, uint8_t canonical[REGISTRY_CANONICAL_MAX])
{
    uint8_t *folded = bytes_room(m, &m->folded[0], text.len);
    if (!folded) return span_of(NULL, 0);
    span value = without_space(span_of(folded, registry_fold(text, folded)));
    if (is_nobody(value)) return span_of(NULL, 0);
    size_t n = registry_canonical((enum registry_kind)info->kind, value, canonical);
    return n ? span_of(canonical, n) : value;
}

/* "#P01" in a uri member is "P01" in an id, and white space is in none (XML's ID, IRIs). */
static span id_text(span raw)
{
    span text = without_space(raw);
    return text.len > 1 && text.ptr[0] == '#' ? span_from(text, 1) : text;
}

/* XML's IDREFS, in a JSON string: several references in one, which goes with any of them. */
//= 10-domain 3.3
static void add_list(struct match *m, span text, uint32_t piece, unsigned part)
{
    for (size_t i = 0, end; i < text.len; i = end + 1) {
        for (end = i; end < text.len && !is_space(text.ptr[end]);)
            end++;
        add_link(m, id_text(span_sub(text, i, end - i)), piece, part);
    }
}

static void add_id(struct match *m, span text, const struct where *w, bool is_id)
{
    unsigned part = (is_id ? MATCH_TELLS | MATCH_DEFINES : MATCH_STANDS) | MATCH_FOLLOWS | MATCH_GRAPH;
    uint32_t piece = w->unit;
    part |= w->removed ? MATCH_UNSEEN : 0;
    bool list = false;
    text = without_space(text);
    for (size_t i = 0; i < text.len && !is_id; i++)
        list |= is_space(text.ptr[i]);
    add_link(m, id_text(text), piece, part); /* some ids do have spaces in them */
    if (list) add_list(m, text, piece, part);
}

void link_note(struct match *m, const struct doc_event *e, const struct child *c, const struct where *w)
{
    uint8_t digits[32], canonical[REGISTRY_CANONICAL_MAX];
    if ((e->kind != DOC_STRING && e->kind != DOC_NUMBER) || w->in_text) return;
    span text = value_text(m, e, digits);
    if (c->roles & (PATH_ID | PATH_REF)) add_id(m, text, w, c->roles & PATH_ID);
    if (!(c->roles & PATH_LINK || (c->roles & PATH_KEY && m->view->has_links))) return;
    unsigned part = c->roles & PATH_LINK ? MATCH_TELLS | MATCH_FOLLOWS : MATCH_TELLS;
    add_link(m, link_text(m, c->info, text, canonical), w->unit, part);
}

/* ---- pseudonyms ------------------------------------------------------------------------------------------------- */

//= 10-domain 6.L32
void pseudonym_note(struct match *m, const struct doc_event *e, const struct where *w)
{
    uint8_t digits[32];
    bool quoted = e->kind == DOC_STRING;
    if ((!quoted && e->kind != DOC_NUMBER) || w->removed) return;
    span text = span_trim(value_text(m, e, digits));
    uint32_t at = m->pseudonym_text.count;
    uint8_t *copy = text.len > 0 ? table_add_bytes(m, &m->pseudonym_text, text.len) : NULL;
    struct match_pseudonym *p = copy ? table_add(m, &m->pseudonyms, sizeof *p) : NULL;
    if (!p) return;
    memcpy(copy, text.ptr, text.len);
    *p = (struct match_pseudonym){.begin = e->at - quoted, .end = e->at + e->len + quoted, .text = at, .len = (uint32_t)text.len};
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

static struct match_link *link_at(struct match *m, uint32_t i)
{
    return TABLE_AT(&m->links, struct match_link, i);
}

static bool is_unit(const struct match_piece *p)
{
    return (p->roles & PATH_UNIT) != 0;
}

/* An id names the object that it stands in, also where it is written {"rdf:value": id}. */
static void place_id(struct match *m, struct match_link *l)
{
    const struct match_piece *p;
    while (l->piece != MATCH_NONE && (p = piece_at(m, l->piece), !p->is_object || p->roles & PATH_ID))
        l->piece = p->unit_parent;
    if (l->piece == MATCH_NONE || !piece_at(m, l->piece)->is_reference) return;
    l->part = (uint8_t)((l->part & MATCH_UNSEEN) | MATCH_TELLS | MATCH_FOLLOWS | MATCH_STANDS | MATCH_GRAPH);
}

/* A reference that is a declared unit goes alone, and so does one that no object holds. Any other stands for the object that
 * it is in: the role or association; and where that one is nothing but a reference itself, for the one around it. */
static bool holds_it(struct match *m, uint32_t piece)
{
    const struct match_piece *p = piece == MATCH_NONE ? NULL : piece_at(m, piece);
    return p && (p->is_object || !p->is_line || is_unit(p));
}

static void follow_outwards(struct match *m, uint32_t i)
{
    struct match_link l = *link_at(m, i);
    const struct match_piece *p = l.piece == MATCH_NONE ? NULL : piece_at(m, l.piece);
    bool outwards = p && (p->is_reference || p->roles & PATH_REF);
    l.part = MATCH_FOLLOWS | MATCH_GRAPH;
    while (outwards && !is_unit(p) && holds_it(m, p->unit_parent)) {
        l.piece = p->unit_parent;
        struct match_link *added = table_add(m, &m->links, sizeof *added);
        if (!added) return;
        *added = l;
        p = piece_at(m, l.piece);
        outwards = p->is_reference;
    }
}

/* What an id names is a unit, of the last declaration, unless the profile says of which. */
static void make_unit(struct match *m, const struct match_link *l)
{
    if (!(l->part & MATCH_DEFINES) || l->piece == MATCH_NONE) return;
    struct match_piece *p = piece_at(m, l->piece);
    if (is_unit(p)) return;
    p->roles |= PATH_UNIT;
    p->unit = (uint16_t)(m->view->units - 1);
    m->survey.units_seen++;
}

static uint32_t owner(const struct match_piece *pieces, uint32_t piece, bool graph)
{
    while (piece != MATCH_NONE) {
        const struct match_piece *p = &pieces[piece];
        if ((!p->is_object && !(graph && p->is_line)) || is_unit(p) || (p->is_reference && p->names)) break;
        piece = p->unit_parent;
    }
    return piece;
}

/* What joins by `links` and `keys` belongs to the unit around it, like anywhere else: an object in between is none. */
//= ICE10036.2 2.1
static void place_value(struct match *m, struct match_link *l)
{
    l->piece = owner(m->pieces.items, l->piece, true);
}

void links_close(struct match *m)
{
    uint32_t noted = m->links.count;
    if (!m->view->has_graph) return;
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        struct match_piece *p = piece_at(m, i);
        p->is_reference = p->is_object && p->says == 0;
    }
    for (uint32_t i = 0; i < noted && !m->failed; i++) {
        if (!(link_at(m, i)->part & MATCH_GRAPH)) continue;
        if (link_at(m, i)->part & MATCH_DEFINES) place_id(m, link_at(m, i));
        if (link_at(m, i)->piece != MATCH_NONE) piece_at(m, link_at(m, i)->piece)->names = true;
        follow_outwards(m, i);
    }
    for (uint32_t i = 0; i < noted; i++)
        make_unit(m, link_at(m, i));
    for (uint32_t i = 0; i < noted; i++)
        if (!(link_at(m, i)->part & MATCH_GRAPH)) place_value(m, link_at(m, i));
}

uint32_t match_owner(const struct match_survey *s, uint32_t piece)
{
    return owner(s->pieces, piece, s->document && s->document->has_graph);
}

uint32_t match_found_in(const struct match_survey *s, const struct match_finding *f)
{
    bool line = f->origin == MATCH_FLAW && f->kind == DOC_FLAW_LINE;
    return line ? f->unit : match_owner(s, f->unit);
}
