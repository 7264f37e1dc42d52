/* The declared paths of one document as one deterministic automaton, by subset construction.
 *
 * A position is "declaration d, i steps taken". Reading a step (a member name or an element index), a position moves to
 * i+1 where the next segment selects it, and stays at i where the next segment is a descendant one. Positions past the
 * end of an `allow` path, or of one that a query searches, stay: they mean everything below too. A state is the set of positions
 * that are alive; the empty set is state 0: nothing declared can stand below. */
#include "rules/set.h"

struct builder {
    struct arena *arena;
    const struct path_decl *decls;
    size_t decl_count;
    size_t *base; /* first position of each declaration */
    size_t positions, words;
    struct list sets; /* uint64_t[words] each, by state */
    struct list next; /* path_state rows */
    path_state *buckets;
    struct automaton *out;
    bool too_many, no_memory;
};

#define BUCKETS (4 * STATES_MAX)

static bool is_subtree(const struct path_decl *d)
{
    return d->role == PATH_ALLOWED || d->role == PATH_QUERY;
}

static size_t decl_positions(const struct path_decl *d)
{
    return d->expr.count + 1 + is_subtree(d);
}

static uint64_t *set_of(const struct builder *b, size_t state)
{
    return (uint64_t *)b->sets.items + state * b->words;
}

/* ---- alphabet --------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return span_compare(*(const span *)a, *(const span *)b);
}

static int compare_indices(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t count_selectors(const struct builder *b, enum selector selector)
{
    size_t n = 0;
    for (size_t d = 0; d < b->decl_count; d++)
        for (size_t i = 0; i < b->decls[d].expr.count; i++)
            n += b->decls[d].expr.segments[i].selector == selector;
    return n;
}

static void collect_names(struct builder *b)
{
    size_t n = 0, kept = 0;
    span *names = b->out->name;
    for (size_t d = 0; d < b->decl_count; d++)
        for (size_t i = 0; i < b->decls[d].expr.count; i++)
            if (b->decls[d].expr.segments[i].selector == SELECT_NAME) names[n++] = b->decls[d].expr.segments[i].name;
    if (n > 1) qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !span_equal(names[i], names[kept - 1])) names[kept++] = names[i];
    b->out->names = (uint16_t)kept;
}

static void collect_indices(struct builder *b)
{
    size_t n = 0, kept = 0;
    uint64_t *indices = b->out->index;
    for (size_t d = 0; d < b->decl_count; d++)
        for (size_t i = 0; i < b->decls[d].expr.count; i++)
            if (b->decls[d].expr.segments[i].selector == SELECT_INDEX)
                indices[n++] = b->decls[d].expr.segments[i].index;
    if (n > 1) qsort(indices, n, sizeof *indices, compare_indices);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || indices[i] != indices[kept - 1]) indices[kept++] = indices[i];
    b->out->indices = (uint16_t)kept;
}

static bool collect_alphabet(struct builder *b)
{
    b->out->name = arena_array(b->arena, count_selectors(b, SELECT_NAME) + 1, sizeof(span));
    b->out->index = arena_array(b->arena, count_selectors(b, SELECT_INDEX) + 1, sizeof(uint64_t));
    if (!b->out->name || !b->out->index) return false;
    collect_names(b);
    collect_indices(b);
    return true;
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

static bool selects(const struct automaton *m, const struct path_segment *s, size_t column)
{
    size_t elements = (size_t)m->names + 1;
    switch (s->selector) {
    case SELECT_ANY: return true;
    case SELECT_NAME: return column > 0 && column < elements && span_equal(m->name[column - 1], s->name);
    case SELECT_ELEMENT: return column >= elements;
    case SELECT_INDEX: return column > elements && m->index[column - elements - 1] == s->index;
    }
    return false;
}

static void step_decl(const struct builder *b, size_t d, const uint64_t *from, size_t column, uint64_t *to)
{
    const struct path_decl *decl = &b->decls[d];
    size_t base = b->base[d], end = base + decl->expr.count;
    for (size_t i = 0; i < decl->expr.count; i++) {
        if (!bit_get(from, base + i)) continue;
        if (decl->expr.segments[i].descend) bit_set(to, base + i);
        if (selects(b->out, &decl->expr.segments[i], column)) bit_set(to, base + i + 1);
    }
    if (is_subtree(decl) && (bit_get(from, end) || bit_get(from, end + 1))) bit_set(to, end + 1);
}

static bool is_empty(const struct builder *b, const uint64_t *set)
{
    for (size_t i = 0; i < b->words; i++)
        if (set[i]) return false;
    return true;
}

static uint64_t hash_set(const struct builder *b, const uint64_t *set)
{
    static const uint8_t key[16] = {0}; /* operator-written input: spread is all that is needed */
    return siphash64(key, span_of(set, b->words * sizeof *set));
}

static bool add_state(struct builder *b, const uint64_t *set)
{
    if (b->sets.count == STATES_MAX) return b->too_many = true, false;
    uint64_t *copy = list_add(&b->sets, b->words * sizeof *set);
    path_state *row = list_add(&b->next, automaton_columns(b->out) * sizeof *row);
    if (!copy || !row) return b->no_memory = true, false;
    memcpy(copy, set, b->words * sizeof *set);
    return true;
}

/* The number of the state that stands for the set; makes it where there is none yet. 0 on failure, latched. */
static path_state find_state(struct builder *b, const uint64_t *set)
{
    if (is_empty(b, set)) return 0;
    size_t bucket = hash_set(b, set) % BUCKETS;
    for (; b->buckets[bucket]; bucket = (bucket + 1) % BUCKETS)
        if (!memcmp(set_of(b, b->buckets[bucket]), set, b->words * sizeof *set)) return b->buckets[bucket];
    if (!add_state(b, set)) return 0;
    return b->buckets[bucket] = (path_state)(b->sets.count - 1);
}

static bool expand_state(struct builder *b, size_t state, uint64_t *scratch)
{
    size_t columns = automaton_columns(b->out);
    for (size_t c = 0; c < columns; c++) {
        memset(scratch, 0, b->words * sizeof *scratch);
        for (size_t d = 0; d < b->decl_count; d++)
            step_decl(b, d, set_of(b, state), c, scratch);
        path_state to = find_state(b, scratch);
        if (b->too_many || b->no_memory) return false;
        ((path_state *)b->next.items)[state * columns + c] = to;
    }
    return true;
}

static bool expand_all(struct builder *b)
{
    MEM_AUTO uint64_t *scratch = mem_array(b->words, sizeof *scratch);
    if (!scratch) return b->no_memory = true, false;
    if (!add_state(b, scratch)) return false; /* state 0: the empty set */
    for (size_t d = 0; d < b->decl_count; d++)
        bit_set(scratch, b->base[d]);
    if (b->decl_count && !find_state(b, scratch)) return false; /* state 1: the root */
    for (size_t s = 1; s < b->sets.count; s++)
        if (!expand_state(b, s, scratch)) return false;
    return true;
}

/* ---- what a state says ------------------------------------------------------------------------------------------ */

static void describe_decl(const struct path_decl *d, struct path_info *info)
{
    bool first = !(info->roles & d->role);
    info->roles |= d->role;
    if (d->role == PATH_CURSOR) info->roles |= PATH_TEXT;
    if (!first) return; /* the first declaration that ends here speaks */
    if (d->role == PATH_UNIT || d->role == PATH_COUNT) info->unit = d->unit;
    if (d->role == PATH_UNIT) info->absent_null = d->absent_null;
    if (d->role == PATH_KEY) info->kind = (uint8_t)d->kind;
    if (d->role == PATH_LINK && !(info->roles & PATH_KEY)) info->kind = REGISTRY_PERSON_ID;
}

static void describe_allow(const struct builder *b, size_t d, const uint64_t *set, struct path_info *info)
{
    size_t base = b->base[d], end = base + b->decls[d].expr.count;
    if (bit_get(set, end) || bit_get(set, end + 1)) info->roles |= PATH_ALLOWED;
    for (size_t p = base; p < end; p++)
        if (bit_get(set, p)) info->roles |= PATH_ON_THE_WAY;
}

/* At or below a path that a query searches: whose. */
static void describe_search(const struct builder *b, size_t d, const uint64_t *set, struct path_info *info, uint64_t *searched)
{
    size_t end = b->base[d] + b->decls[d].expr.count;
    if ((!bit_get(set, end) && !bit_get(set, end + 1)) || b->decls[d].unit >= QUERY_SEARCHES_MAX) return;
    info->roles |= PATH_QUERY;
    *searched |= UINT64_C(1) << b->decls[d].unit;
}

static void describe_state(const struct builder *b, size_t state, struct automaton *m)
{
    const uint64_t *set = set_of(b, state);
    struct path_info *info = &m->info[state];
    for (size_t d = 0; d < b->decl_count; d++) {
        if (b->decls[d].role == PATH_QUERY)
            describe_search(b, d, set, info, &m->searched[state]);
        else if (is_subtree(&b->decls[d]))
            describe_allow(b, d, set, info);
        else if (bit_get(set, b->base[d] + b->decls[d].expr.count))
            describe_decl(&b->decls[d], info);
    }
    if (info->roles & PATH_ALLOWED) info->roles &= ~(uint32_t)PATH_ON_THE_WAY;
}

/* `named`: what a path calls by its name. Any other unit may go even where it would be written null: an element always does, and a
 * member whose name is the finding. */
static bool is_removable(const struct path_info *info, bool named, bool complete)
{
    if (info->roles & (PATH_TEXT | PATH_UNIFORM | PATH_PSEUDONYM)) return true;
    if ((info->roles & PATH_UNIT) && !(info->absent_null && named)) return true;
    return (info->roles & PATH_COUNT) && !complete;
}

/* A container is droppable by where it stands alone, never by what was found in it: an empty one is respelled in every
 * world alike.
 *= 8USC1367 a(2) */
static void describe_droppable(struct automaton *m, bool complete)
{
    size_t columns = automaton_columns(m);
    for (size_t s = 1; s < m->states; s++) {
        bool droppable = (m->info[s].roles & PATH_ON_THE_WAY) != 0;
        for (size_t c = 0; c < columns; c++)
            droppable |= is_removable(&m->info[m->next[s * columns + c]], c > 0 && c <= m->names, complete);
        if (droppable) m->info[s].roles |= PATH_DROPPABLE;
    }
}

/* What a path says of members that it does not name. */
static void find_others(const struct automaton *m, uint8_t *found)
{
    const uint32_t roles = PATH_UNIT | PATH_KEY | PATH_COUNT | PATH_UNIFORM | PATH_TEXT | PATH_LINK | PATH_ID | PATH_REF |
                           PATH_PSEUDONYM;
    size_t columns = automaton_columns(m), first = (size_t)m->names + 1;
    for (size_t s = 0; s < m->states; s++)
        if (m->info[m->next[s * columns]].roles & roles) found[s] = PATH_OTHERS_MEMBERS;
    for (bool more = true; more;) {
        more = false;
        for (size_t s = 0; s < m->states; s++)
            for (size_t c = first; c < columns && !(found[s] & PATH_OTHERS_ELEMENTS); c++)
                if (found[m->next[s * columns + c]]) more = true, found[s] |= PATH_OTHERS_ELEMENTS;
    }
}

static bool reach_other(uint8_t *reached, path_state s)
{
    if (reached[s]) return false;
    return reached[s] = 1, true;
}

/* `reached`: the states under names that are in no path, where no path says something of such names, and those of elements
 * below. */
static bool are_others_void(const struct automaton *m, const uint8_t *found, uint8_t *reached)
{
    size_t columns = automaton_columns(m), first = (size_t)m->names + 1;
    bool is_void = true;
    for (size_t s = 0; s < m->states; s++)
        if (!(found[s] & PATH_OTHERS_MEMBERS)) (void)reach_other(reached, m->next[s * columns]);
    for (bool more = true; more;) {
        more = false;
        for (size_t s = 0; s < m->states; s++)
            for (size_t c = first; reached[s] && c < columns; c++)
                more |= reach_other(reached, m->next[s * columns + c]);
    }
    for (size_t s = 0; s < m->states; s++)
        if (reached[s] && m->info[s].roles) is_void = false;
    return is_void;
}

static bool describe_others(struct builder *b, struct automaton *m)
{
    size_t columns = automaton_columns(m);
    MEM_AUTO uint8_t *found = mem_array(m->states, 1);
    MEM_AUTO uint8_t *reached = mem_array(m->states, 1);
    m->others = arena_array(b->arena, (size_t)m->names + 1, sizeof *m->others);
    if (!found || !reached || !m->others) return false;
    find_others(m, found);
    for (size_t s = 0; s < m->states; s++)
        for (size_t c = 0; c <= m->names; c++)
            m->others[c] |= found[m->next[s * columns + c]];
    m->root_others = found[m->states > 1 ? 1 : 0];
    m->others_are_void = are_others_void(m, found, reached);
    return true;
}

static bool publish(struct builder *b, bool complete)
{
    struct automaton *m = b->out;
    size_t states = b->sets.count, columns = automaton_columns(m);
    m->next = arena_array(b->arena, states * columns, sizeof *m->next);
    m->info = arena_array(b->arena, states, sizeof *m->info);
    m->searched = arena_array(b->arena, states, sizeof *m->searched);
    m->members = arena_array(b->arena, states * b->words, sizeof *m->members);
    m->end = arena_array(b->arena, b->decl_count + 1, sizeof *m->end);
    if (!m->next || !m->info || !m->searched || !m->members || !m->end) return false;
    for (size_t d = 0; d < b->decl_count; d++)
        m->end[d] = b->base[d] + b->decls[d].expr.count;
    memcpy(m->next, b->next.items, states * columns * sizeof *m->next);
    memcpy(m->members, b->sets.items, states * b->words * sizeof *m->members);
    m->states = (uint16_t)states;
    m->words = b->words;
    for (size_t s = 1; s < states; s++)
        describe_state(b, s, m);
    describe_droppable(m, complete);
    return describe_others(b, m);
}

/* ---- the face --------------------------------------------------------------------------------------------------- */

static bool number_positions(struct builder *b)
{
    b->base = mem_array(b->decl_count + 1, sizeof *b->base);
    b->buckets = mem_array(BUCKETS, sizeof *b->buckets);
    if (!b->base || !b->buckets) return false;
    for (size_t d = 0; d < b->decl_count; d++) {
        b->base[d] = b->positions;
        b->positions += decl_positions(&b->decls[d]);
    }
    b->words = bit_words(b->positions + 1);
    return true;
}

enum automaton_outcome automaton_build(
    struct arena *a, const struct path_decl *decls, size_t count, bool complete, struct automaton *out)
{
    *out = (struct automaton){0};
    struct builder b = {.arena = a, .decls = decls, .decl_count = count, .out = out};
    bool ok = number_positions(&b) && collect_alphabet(&b) && expand_all(&b) && publish(&b, complete);
    mem_free(b.base);
    mem_free(b.buckets);
    list_free(&b.sets);
    list_free(&b.next);
    return ok ? AUTOMATON_OK : b.too_many ? AUTOMATON_TOO_MANY : AUTOMATON_NO_MEMORY;
}

bool automaton_accepts(const struct automaton *m, size_t decl, path_state s)
{
    return bit_get(m->members + s * m->words, m->end[decl]);
}

void automaton_mark_below(const struct automaton *m, size_t decl, bool *below)
{
    size_t columns = automaton_columns(m);
    memset(below, 0, m->states * sizeof *below);
    for (bool grown = true; grown;) {
        grown = false;
        for (path_state s = 1; s < m->states; s++) {
            if (!below[s] && !automaton_accepts(m, decl, s)) continue;
            for (size_t k = 0; k < columns; k++) {
                path_state to = m->next[s * columns + k];
                grown |= to && !below[to];
                if (to) below[to] = true;
            }
        }
    }
}

path_state path_root(const struct rules_document *d)
{
    return d->automaton.states > 1 ? 1 : 0;
}

unsigned path_others(const struct rules_document *d, path_symbol name)
{
    ASSERT(name <= d->automaton.names);
    return d->automaton.others[name];
}

unsigned path_root_others(const struct rules_document *d)
{
    return d->automaton.root_others;
}

bool path_others_are_void(const struct rules_document *d)
{
    return d->automaton.others_are_void;
}

path_symbol path_symbol_of(const struct rules_document *d, span decoded_name)
{
    size_t low = 0, high = d->automaton.names;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = span_compare(decoded_name, d->automaton.name[middle]);
        if (order == 0) return (path_symbol)(middle + 1);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

path_state path_member(const struct rules_document *d, path_state s, path_symbol name)
{
    const struct automaton *m = &d->automaton;
    ASSERT(s < m->states && name <= m->names);
    return m->next[s * automaton_columns(m) + name];
}

path_state path_element(const struct rules_document *d, path_state s, uint64_t index)
{
    const struct automaton *m = &d->automaton;
    size_t column = (size_t)m->names + 1;
    ASSERT(s < m->states);
    for (size_t i = 0; i < m->indices && m->index[i] <= index; i++)
        if (m->index[i] == index) column += i + 1;
    return m->next[s * automaton_columns(m) + column];
}

const struct path_info *path_info_of(const struct rules_document *d, path_state s)
{
    ASSERT(s < d->automaton.states);
    return &d->automaton.info[s];
}
