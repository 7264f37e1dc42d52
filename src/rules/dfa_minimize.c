/* The smallest automaton: groups of states are split until the states of each go to the same groups (Moore, 1956).
 * Looked at again are only those that lead to a state whose group was numbered anew, and the largest part of a group
 * keeps its number (Hopcroft, 1971). */
#include "rules/dfa.h"

/* ---- who leads to whom ------------------------------------------------------------------------------------------ */

/* The states that this one leads to, each once. `seen` holds, by state, who led there last, + 1. */
static unsigned targets_of(const struct dfa *k, unsigned from, uint16_t *seen, uint16_t out[256])
{
    const uint16_t *next = k->next + ((size_t)from << k->shift);
    unsigned count = 0;
    for (unsigned c = 0; c < k->classes; c++) {
        if (seen[next[c]] == from + 1) continue;
        seen[next[c]] = (uint16_t)(from + 1);
        out[count++] = next[c];
    }
    return count;
}

static void list_sources(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    uint16_t *seen = g->part_of, to[256];
    memset(g->sources_at, 0, sizeof g->sources_at);
    memset(seen, 0, sizeof g->part_of);
    for (unsigned s = 0; s < k->count; s++)
        for (unsigned i = targets_of(k, s, seen, to); i-- > 0;)
            g->sources_at[to[i] + 2]++;
    for (unsigned s = 2; s < k->count + 2; s++)
        g->sources_at[s] += g->sources_at[s - 1];
    memset(seen, 0, sizeof g->part_of);
    for (unsigned s = 0; s < k->count; s++)
        for (unsigned i = targets_of(k, s, seen, to); i-- > 0;)
            g->sources[g->sources_at[to[i] + 1]++] = (uint16_t)s;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static bool are_alike(const struct dfa *k, unsigned a, unsigned b, bool first)
{
    if (first) return k->subsets[a].found == k->subsets[b].found && k->at_end[a] == k->at_end[b];
    if (k->group[a] != k->group[b]) return false;
    const uint16_t *x = k->next + ((size_t)a << k->shift), *y = k->next + ((size_t)b << k->shift);
    for (unsigned c = 0; c < k->classes; c++)
        if (k->group[x[c]] != k->group[y[c]]) return false;
    return true;
}

/* A sum, whose products need not wait for each other. */
static size_t likeness(const struct dfa *k, unsigned s, bool first)
{
    const uint16_t *next = k->next + ((size_t)s << k->shift);
    uint64_t h = first ? k->subsets[s].found ^ k->at_end[s] << 1 : k->group[s];
    uint64_t weight = 0x9E3779B97F4A7C15ULL;
    for (unsigned c = 0; !first && c < k->classes; c++, weight += 0xD1B54A32D192ED04ULL)
        h += (k->group[next[c]] + 1) * weight;
    return (h * 0x9E3779B97F4A7C15ULL >> 32) % DFA_SLOTS;
}

static void put_in_part(struct dfa *k, uint16_t s, bool first)
{
    struct dfa_groups *g = &k->groups;
    size_t slot = likeness(k, s, first);
    while (k->slots[slot] && !are_alike(k, g->part_first[k->slots[slot] - 1], s, first))
        slot = (slot + 1) % DFA_SLOTS;
    if (!k->slots[slot]) {
        g->part_first[g->parts] = s;
        g->part_size[g->parts] = 0;
        k->slots[slot] = (uint16_t)++g->parts;
    }
    g->part_of[s] = (uint16_t)(k->slots[slot] - 1);
    g->part_size[g->part_of[s]]++;
}

static void find_parts(struct dfa *k, bool first)
{
    struct dfa_groups *g = &k->groups;
    memset(k->slots, 0, sizeof k->slots);
    memset(g->open_in, 0, g->count * sizeof *g->open_in);
    memset(g->keeps, 0, g->count * sizeof *g->keeps);
    g->parts = 0;
    for (unsigned i = 0; i < g->opened; i++) {
        put_in_part(k, g->open[i], first);
        g->open_in[k->group[g->open[i]]]++;
    }
}

/* States that are not open go where they went: no part is like them, and they keep the number. Where there are none the
 * largest part does. */
static void choose_keepers(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    for (unsigned p = 0; p < g->parts; p++) {
        unsigned group = k->group[g->part_first[p]], keeps = g->keeps[group];
        if (g->open_in[group] < g->size[group]) continue;
        if (!keeps || g->part_size[keeps - 1] < g->part_size[p]) g->keeps[group] = (uint16_t)(p + 1);
    }
}

static void number_parts(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    for (unsigned p = 0; p < g->parts; p++) {
        uint16_t group = k->group[g->part_first[p]];
        g->part_group[p] = g->keeps[group] == p + 1 ? group : (uint16_t)g->count++;
        if (g->part_group[p] == group) continue;
        g->size[g->part_group[p]] = g->part_size[p];
        g->size[group] = (uint16_t)(g->size[group] - g->part_size[p]);
    }
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

static void open_all(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    for (g->opened = 0; g->opened < k->count; g->opened++)
        g->open[g->opened] = (uint16_t)g->opened;
}

/* Gives the open states their groups; those of another number than before are in `moved`; their number. */
static unsigned move(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    unsigned count = 0;
    for (unsigned i = 0; i < g->opened; i++) {
        uint16_t s = g->open[i], group = g->part_group[g->part_of[s]];
        g->is_open[s] = false;
        if (k->group[s] == group) continue;
        k->group[s] = group;
        g->moved[count++] = s;
    }
    return count;
}

static void open_sources(struct dfa *k, unsigned count)
{
    struct dfa_groups *g = &k->groups;
    g->opened = 0;
    for (unsigned m = 0; m < count; m++) {
        for (uint32_t i = g->sources_at[g->moved[m]]; i < g->sources_at[g->moved[m] + 1]; i++) {
            uint16_t s = g->sources[i];
            if (g->is_open[s]) continue;
            g->is_open[s] = true;
            g->open[g->opened++] = s;
        }
    }
}

/* `first`: by what they have found, whatever their groups and wherever they lead. */
static void split(struct dfa *k, bool first)
{
    find_parts(k, first);
    choose_keepers(k);
    number_parts(k);
    open_sources(k, move(k));
}

static unsigned number_groups(struct dfa *k)
{
    uint16_t *number = k->groups.size; /* + 1 */
    unsigned count = 0;
    memset(number, 0, sizeof k->groups.size);
    for (unsigned s = 0; s < k->count; s++) {
        if (!number[k->group[s]]) {
            k->first[count] = (uint16_t)s;
            number[k->group[s]] = (uint16_t)++count;
        }
        k->group[s] = (uint16_t)(number[k->group[s]] - 1);
    }
    return count;
}

unsigned dfa_minimize(struct dfa *k)
{
    struct dfa_groups *g = &k->groups;
    list_sources(k);
    memset(k->group, 0, sizeof k->group);
    memset(g->is_open, 0, sizeof g->is_open);
    g->count = 1;
    g->size[0] = (uint16_t)k->count;
    open_all(k);
    split(k, true);
    memset(g->is_open, 0, sizeof g->is_open);
    for (open_all(k); g->opened > 0;)
        split(k, false);
    return number_groups(k);
}
