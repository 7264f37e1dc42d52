/* What must stand in a text, at the least, for an expression to match in it: so many digits, so many letters, an at sign.
 * Most values of most documents lack it, and are then never read by an automaton. */
#include "rules/set.h"

#include "rules/regular.h"

enum ink { INK_DIGIT, INK_LETTER, INK_AT, INKS };
#define UNREACHED 0xFF
#define COUNT_MOST 0xFE

static bool is_ink(enum ink ink, unsigned byte)
{
    switch (ink) {
    case INK_DIGIT: return is_digit((uint8_t)byte);
    case INK_LETTER: return is_alpha((uint8_t)byte);
    case INK_AT: return byte == '@';
    case INKS: break;
    }
    return false;
}

/* Is every byte of the set of this ink? */
static bool is_only(const struct byte_set *set, enum ink ink)
{
    for (unsigned b = 0; b < 256; b++)
        if (set_holds(set, (uint8_t)b) && !is_ink(ink, b)) return false;
    return true;
}

static bool relax(uint8_t *least, uint16_t node, unsigned cost)
{
    if (cost > COUNT_MOST) cost = COUNT_MOST;
    if (least[node] <= cost) return false;
    least[node] = (uint8_t)cost;
    return true;
}

/* least[i]: how many bytes of the ink any way from the start to node i takes. */
static void find_least(const struct regular *r, enum ink ink, uint8_t least[REGULAR_NODES])
{
    bool only[REGULAR_SETS];
    for (uint16_t i = 0; i < r->sets; i++)
        only[i] = is_only(&r->set[i], ink);
    memset(least, UNREACHED, r->count);
    least[0] = 0;
    for (bool more = true; more;) {
        more = false;
        for (uint16_t i = 0; i < r->count; i++) {
            const struct node *n = &r->nodes[i];
            if (least[i] == UNREACHED || n->kind == NODE_FOUND) continue;
            more |= relax(least, n->out, least[i] + (unsigned)(n->kind == NODE_BYTE && only[n->set]));
            if (n->kind == NODE_SPLIT) more |= relax(least, n->other, least[i]);
        }
    }
}

static unsigned at_most(unsigned count, unsigned most)
{
    return count < most ? count : most;
}

static void allow(struct rules_needs *out, const unsigned least[INKS])
{
    uint16_t enough = (uint16_t)(0xFFFFu << at_most(least[INK_LETTER], RULES_NEEDS_MOST));
    for (unsigned at = least[INK_AT] > 0; at < 2; at++)
        for (unsigned digits = at_most(least[INK_DIGIT], RULES_NEEDS_MOST); digits <= RULES_NEEDS_MOST; digits++)
            out->letters[at][digits] |= enough;
}

void needs_always(struct rules_needs *out)
{
    allow(out, (const unsigned[INKS]){0});
}

void needs_of(const struct regular *r, struct rules_needs *out)
{
    uint8_t least[INKS][REGULAR_NODES];
    for (enum ink ink = 0; ink < INKS; ink++)
        find_least(r, ink, least[ink]);
    for (uint16_t i = 0; i < r->count; i++) {
        if (r->nodes[i].kind != NODE_FOUND || least[0][i] == UNREACHED) continue;
        const unsigned found[INKS] = {least[INK_DIGIT][i], least[INK_LETTER][i], least[INK_AT][i]};
        allow(out, found);
    }
}
