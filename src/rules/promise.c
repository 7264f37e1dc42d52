/* What every match of an expression is sure to hold, so that a text without it need not be looked at: found in the
 * automaton of the expression, which finds at least what the expression matches. */
#include "rules/regular.h"
#include "rules/set.h"

/* The fewest bytes of `of` on a way through the automaton. Its start is node 0; a way costs 1 for each byte that can be
 * nothing else. Distances only shrink, and are small, so that going round until nothing changes is enough. */
static unsigned fewest(const struct regular *r, const struct byte_set *of, uint8_t *distance)
{
    memset(distance, UINT8_MAX, r->count);
    distance[0] = 0;
    unsigned least = UINT8_MAX;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint16_t i = 0; i < r->count; i++) {
            const struct node *n = &r->nodes[i];
            if (distance[i] == UINT8_MAX) continue;
            if (n->kind == NODE_FOUND && distance[i] < least) least = distance[i];
            bool costs = n->kind == NODE_BYTE;
            for (size_t w = 0; costs && w < ARRAY_LEN(of->bits); w++)
                costs = !(r->set[n->set].bits[w] & ~of->bits[w]);
            uint8_t next = (uint8_t)(distance[i] + (costs && distance[i] < UINT8_MAX - 1));
            uint16_t to[2] = {n->out, n->kind == NODE_SPLIT ? n->other : n->out};
            for (size_t k = 0; k < 2 && n->kind != NODE_FOUND; k++)
                if (next < distance[to[k]]) distance[to[k]] = next, changed = true;
        }
    }
    return least;
}

bool pattern_promises_digits(struct loader *l, const char *pattern)
{
    static const struct byte_set digits = {.bits = {UINT64_C(0x03FF000000000000)}},
                                 letters = {.bits = {0, UINT64_C(0x07FFFFFE07FFFFFE)}};
    struct regular *r = mem_alloc(sizeof *r);
    uint8_t *distance = mem_alloc(REGULAR_NODES);
    bool promises = false;
    if (!r || !distance) l->no_memory = true;
    if (r) memset(r, 0, sizeof *r);
    if (r && distance && regular_add(r, pattern, false, 0)) {
        unsigned least = fewest(r, &digits, distance);
        promises = least >= 9 || (least >= 6 && fewest(r, &letters, distance) > 0);
    }
    mem_free(distance);
    mem_free(r);
    return promises;
}
