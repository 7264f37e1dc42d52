/* Who is to be suspected: a definitive marker in a unit, and the unit's own identifiers, whichever comes first. What
 * stands in an outermost unit without any marker is forgotten when it closes, so that memory is bounded by the largest.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2 */
#include "match/own.h"

/* Eleven digits that nothing calls an arrival record's number are looked up as one, and may still be anybody's telephone: that a marker
 * stands beside them makes them nobody's. */
static bool is_called_so(const struct match *m, rule_id rule, enum registry_kind kind, span canonical)
{
    if (kind != REGISTRY_I94 || rule != m->arrival) return true;
    for (size_t i = 0; i < m->spot.label->count; i++)
        if (m->spot.label->rules[i]->kind == REGISTRY_I94) return true;
    for (size_t i = 0; i < canonical.len; i++)
        if (!is_digit(canonical.ptr[i])) return true;
    return false;
}

void suspect_note(struct match *m, rule_id rule, enum registry_kind kind, span canonical)
{
    if (registry_kind_is_surrogate(kind) || registry_kind_is_shared(kind) || !is_called_so(m, rule, kind, canonical)) return;
    ASSERT(canonical.len <= REGISTRY_CANONICAL_MAX);
    uint32_t text = m->identifier_text.count;
    uint8_t *copy = table_add_bytes(m, &m->identifier_text, canonical.len);
    struct match_identifier *i = copy ? table_add(m, &m->identifiers, sizeof *i) : NULL;
    if (!i) return;
    memcpy(copy, canonical.ptr, canonical.len);
    *i = (struct match_identifier){.unit = m->spot.unit, .text = text, .kind = (uint8_t)kind, .len = (uint8_t)canonical.len};
}

void suspect_mark(struct match *m)
{
    piece_at(m, m->spot.unit)->marked = true;
    m->marked = true;
}

static void keep_marked(struct match *m)
{
    uint32_t kept = m->identifiers_from;
    for (uint32_t i = kept; i < m->identifiers.count; i++) {
        const struct match_identifier *found = TABLE_AT(&m->identifiers, struct match_identifier, i);
        if (piece_at(m, found->unit)->marked) *TABLE_AT(&m->identifiers, struct match_identifier, kept++) = *found;
    }
    m->identifiers.count = kept;
}

/* In a graph a marker may belong to what is around its object, which shows only at the end: all is kept. */
void suspect_closed(struct match *m)
{
    if (m->view->has_graph) return;
    if (m->marked) keep_marked(m);
    else m->identifiers.count = m->identifiers_from;
    if (m->identifiers.count == m->identifiers_from) m->identifier_text.count = m->identifier_text_from;
    m->identifiers_from = m->identifiers.count;
    m->identifier_text_from = m->identifier_text.count;
    m->marked = false;
}
