/* From what the survey noted to whom the registry does not know yet.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2   a marker is reason to believe, also where the record that bears it is not the one that is asked for */
#include "engine/own.h"
#include <stdlib.h>

struct suspecting {
    const struct match_survey *survey;
    struct match_identifier *own; /* of units with a marker, each under its unit's owner, by unit */
    size_t count;
    struct registry_key *keys;
    struct registry_print *prints;
    struct engine_suspicion *list;
};

static uint32_t owner_of(const struct match_survey *s, uint32_t unit)
{
    return s->document->has_graph ? match_owner(s, unit) : unit;
}

static int compare_units(const void *p, const void *q)
{
    const struct match_identifier *x = p, *y = q;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return x->text < y->text ? -1 : x->text > y->text;
}

/* In a graph a marker in an object without an id belongs, as its identifiers do, to what is around it. */
static bool choose(struct suspecting *d, struct arena *a)
{
    const struct match_survey *s = d->survey;
    uint8_t *marked = arena_alloc(a, s->piece_count + 1);
    d->own = arena_array(a, s->identifier_count, sizeof *d->own);
    if (!marked || !d->own) return false;
    for (size_t i = 0; i < s->piece_count; i++) {
        uint32_t owner = s->pieces[i].marked ? owner_of(s, (uint32_t)i) : MATCH_NONE;
        if (owner != MATCH_NONE) marked[owner] = 1;
    }
    for (size_t i = 0; i < s->identifier_count; i++) {
        uint32_t owner = owner_of(s, s->identifiers[i].unit);
        if (owner == MATCH_NONE || !marked[owner]) continue;
        d->own[d->count] = s->identifiers[i];
        d->own[d->count++].unit = owner;
    }
    if (d->count > 1) qsort(d->own, d->count, sizeof *d->own, compare_units);
    return true;
}

static bool make_room(struct suspecting *d, struct arena *a)
{
    d->keys = arena_array(a, ENGINE_SUSPICION_MAX, sizeof *d->keys);
    d->prints = arena_array(a, d->count + 1, sizeof *d->prints);
    d->list = arena_array(a, d->count + 1, sizeof *d->list);
    return d->keys && d->prints && d->list;
}

static struct registry_key key_of(const struct suspecting *d, const struct match_identifier *i)
{
    return (struct registry_key){
        .kind = (enum registry_kind)i->kind, .canonical = span_of(d->survey->identifier_text + i->text, i->len)};
}

/* "A012345678" reads as the number of a passport or visa too. Where the A-number is known it is nobody else's: else each registered
 * person whose record bears a marker would be suspected once more, under another name, and live changes fill up with them. */
static bool reads_known(const struct registry *registry, const struct registry_key *key)
{
    uint8_t canonical[REGISTRY_CANONICAL_MAX];
    struct registry_hit hit = {0};
    bool may = key->kind == REGISTRY_PASSPORT || key->kind == REGISTRY_VISA_FOIL;
    if (!may || key->canonical.len == 0 || key->canonical.ptr[0] != 'A') return false;
    size_t n = registry_canonical(REGISTRY_ALIEN_NUMBER, key->canonical, canonical);
    struct registry_key number = {.kind = REGISTRY_ALIEN_NUMBER, .canonical = span_of(canonical, n)};
    if (n > 0) registry_probe(registry, &number, 1, &hit);
    return hit.protected_;
}

static size_t leave_out_known(struct suspecting *d, const struct registry *registry, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!reads_known(registry, &d->keys[i])) d->keys[kept++] = d->keys[i];
    return kept;
}

enum engine_unreadable engine_suspect(
    const struct match_survey *s, const struct registry *registry, struct arena *arena, struct engine_outcome *out)
{
    struct suspecting d = {.survey = s};
    if (!choose(&d, arena)) return ENGINE_MEMORY;
    if (d.count == 0) return ENGINE_READABLE;
    if (!make_room(&d, arena)) return ENGINE_MEMORY;
    for (size_t at = 0, n; at < d.count; at += n) {
        for (n = 0; n < ENGINE_SUSPICION_MAX && at + n < d.count && d.own[at + n].unit == d.own[at].unit; n++)
            d.keys[n] = key_of(&d, &d.own[at + n]);
        size_t fresh = registry_suspicion(registry, d.keys, leave_out_known(&d, registry, n), d.prints + at);
        if (fresh > 0) d.list[out->suspicion_count++] = (struct engine_suspicion){d.prints + at, fresh};
    }
    out->suspicions = d.list;
    return ENGINE_READABLE;
}
