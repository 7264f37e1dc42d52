/* Links and graphs to a fixed point.
 *
 *   piece that is HIT ─tells─► values ─follow─► pieces ─► HIT, and so on
 *          └ with all in it ─► what pointed from there points no more ─► orphans ─► HIT (graphs)
 *
 *= ICE10036.2 2.1   what points to her acknowledges her */
#include "policy/own.h"
#include <stdlib.h>

/* Links that have one text in one space. */
struct value {
    uint32_t first, end; /* in `sorted` */
    uint32_t points;     /* references that still stand */
    uint32_t seen;       /* of them those that may be seen */
    uint32_t defined;    /* definitions that still stand and may be seen */
    bool told, was_defined;
};

struct sorted {
    uint64_t hash;
    const uint8_t *text;
    uint32_t len, link;
};

#define GONE 1 /* with all in it */
#define TOLD 2 /* whom it names */

struct follow {
    const struct match_survey *survey;
    uint8_t *units;
    uint8_t *gone; /* GONE, TOLD */
    struct sorted *sorted;
    struct value *values;
    size_t value_count;
    uint32_t *value_of; /* by link */
    uint32_t *of_piece, *piece_start; /* links of piece p: of_piece[piece_start[p] … piece_start[p + 1]) */
    uint32_t *behind;   /* of each piece: the first one that is not inside it */
    uint32_t *queue;
    size_t queued, next;
};

static bool is_graph(const struct follow *f)
{
    return f->survey->document && f->survey->document->has_graph;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* The space is in the hash: a link and an id are never one value. */
static int compare_values(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return memcmp(x->text, y->text, x->len);
}

static void sort_values(struct follow *f)
{
    const struct match_survey *s = f->survey;
    for (size_t i = 0; i < s->link_count; i++) {
        const struct match_link *l = &s->links[i];
        uint64_t space = (l->part & MATCH_GRAPH) != 0;
        f->sorted[i] = (struct sorted){(l->hash & ~UINT64_C(1)) | space, s->link_text + l->text, l->len, (uint32_t)i};
    }
    if (s->link_count > 1) qsort(f->sorted, s->link_count, sizeof *f->sorted, compare_values);
    for (size_t i = 0; i < s->link_count; i++) {
        if (i == 0 || compare_values(&f->sorted[i - 1], &f->sorted[i]) != 0)
            f->values[f->value_count++].first = (uint32_t)i;
        f->values[f->value_count - 1].end = (uint32_t)i + 1;
        f->value_of[f->sorted[i].link] = (uint32_t)f->value_count - 1;
    }
}

/* Counting sort by piece. What stands outside every unit tells nothing. */
static void sort_pieces(struct follow *f)
{
    const struct match_survey *s = f->survey;
    for (size_t i = 0; i < s->link_count; i++)
        if (s->links[i].piece != MATCH_NONE) f->piece_start[s->links[i].piece + 2]++;
    for (size_t p = 2; p < s->piece_count + 2; p++)
        f->piece_start[p] += f->piece_start[p - 1];
    for (size_t i = 0; i < s->link_count; i++)
        if (s->links[i].piece != MATCH_NONE) f->of_piece[f->piece_start[s->links[i].piece + 1]++] = (uint32_t)i;
}

/* ---- what goes with a piece ------------------------------------------------------------------------------------- */

/* Pieces are in document order, parents first: those inside one come right behind it. */
static void find_behind(struct follow *f)
{
    const struct match_survey *s = f->survey;
    for (size_t i = s->piece_count; i-- > 0;) {
        uint32_t j = (uint32_t)i + 1;
        while (j < s->piece_count && s->pieces[j].begin < s->pieces[i].end)
            j = f->behind[j];
        f->behind[i] = j;
    }
}

static void count_standing(struct follow *f)
{
    const struct match_survey *s = f->survey;
    for (size_t i = 0; i < s->link_count; i++) {
        const struct match_link *l = &s->links[i];
        struct value *v = &f->values[f->value_of[i]];
        bool seen = !(l->part & MATCH_UNSEEN);
        v->points += (l->part & MATCH_STANDS) != 0;
        v->seen += seen && l->part & MATCH_STANDS;
        v->defined += seen && l->part & MATCH_DEFINES;
        v->was_defined |= v->defined > 0;
    }
}

RESULT follow_new(const struct match_survey *s, struct arena *arena, uint8_t *units, struct follow **out)
{
    size_t pieces = s->piece_count + 1, links = s->link_count;
    *out = NULL;
    if (links == 0) return OK;
    struct follow *f = arena_alloc(arena, sizeof *f);
    REQUIRE(f, ERROR_LIMIT, 0);
    *f = (struct follow){.survey = s,
        .units = units,
        .gone = arena_alloc(arena, pieces),
        .sorted = arena_array(arena, links, sizeof *f->sorted),
        .values = arena_array(arena, links, sizeof *f->values),
        .value_of = arena_array(arena, links, sizeof *f->value_of),
        .of_piece = arena_array(arena, links, sizeof *f->of_piece),
        .piece_start = arena_array(arena, pieces + 2, sizeof *f->piece_start),
        .behind = arena_array(arena, pieces, sizeof *f->behind),
        .queue = arena_array(arena, pieces, sizeof *f->queue)};
    REQUIRE(f->gone && f->sorted && f->values && f->value_of && f->of_piece && f->piece_start &&
                f->behind && f->queue,
        ERROR_LIMIT, 0);
    sort_values(f);
    sort_pieces(f);
    find_behind(f);
    count_standing(f);
    *out = f;
    return OK;
}

/* ---- following -------------------------------------------------------------------------------------------------- */

static void hit(struct follow *f, uint32_t piece)
{
    size_t slot = piece == MATCH_NONE ? f->survey->piece_count : piece;
    if (f->units[slot] & HIT) return;
    f->units[slot] |= HIT;
    if (piece != MATCH_NONE) f->queue[f->queued++] = piece;
}

static void hit_each(struct follow *f, const struct value *v, unsigned part, unsigned roles)
{
    for (uint32_t i = v->first; i < v->end; i++) {
        const struct match_link *l = &f->survey->links[f->sorted[i].link];
        bool meant = roles == 0 || (l->piece != MATCH_NONE && f->survey->pieces[l->piece].roles & roles);
        if (l->part & part && meant) hit(f, l->piece);
    }
}

/* What is found in a reference is found in whom it names. One that goes for another's sake (of several that it names) tells
 * nobody. */
static void tell(struct follow *f, uint32_t piece, bool itself)
{
    unsigned telling = itself ? MATCH_TELLS | MATCH_STANDS : MATCH_TELLS;
    for (uint32_t i = f->piece_start[piece]; i < f->piece_start[piece + 1]; i++) {
        const struct match_link *l = &f->survey->links[f->of_piece[i]];
        struct value *v = &f->values[f->value_of[f->of_piece[i]]];
        if (!(l->part & telling) || v->told) continue;
        v->told = true;
        hit_each(f, v, MATCH_FOLLOWS, 0);
    }
}

/* What nothing points to any more, where the profile says that it is then nobody's. */
static void let_go(struct follow *f, uint32_t piece)
{
    for (uint32_t i = f->piece_start[piece]; i < f->piece_start[piece + 1]; i++) {
        const struct match_link *l = &f->survey->links[f->of_piece[i]];
        struct value *v = &f->values[f->value_of[f->of_piece[i]]];
        bool seen = !(l->part & MATCH_UNSEEN);
        if (seen && l->part & MATCH_DEFINES) v->defined--;
        if (!(l->part & MATCH_STANDS)) continue;
        v->seen -= seen;
        if (--v->points > 0) continue;
        hit_each(f, v, MATCH_DEFINES, PATH_ORPHAN);
    }
}

/* Everything inside goes too; what went before is passed over as one. */
static void go_with(struct follow *f, uint32_t piece)
{
    if (f->gone[piece] & GONE) return;
    for (uint32_t i = piece; i < f->behind[piece];) {
        if (f->gone[i] & GONE) {
            i = f->behind[i];
            continue;
        }
        f->gone[i] |= GONE;
        let_go(f, i++);
    }
}

void follow_run(struct follow *f)
{
    f->queued = f->next = 0;
    for (size_t i = 0; i < f->survey->piece_count; i++)
        if (f->units[i] & HIT && !(f->gone[i] & TOLD)) f->queue[f->queued++] = (uint32_t)i;
    size_t found = f->queued;
    while (f->next < f->queued) {
        bool itself = f->next < found && f->units[f->queue[f->next]] & ITSELF;
        uint32_t piece = f->queue[f->next++];
        f->gone[piece] |= TOLD;
        tell(f, piece, itself);
        if (is_graph(f)) go_with(f, piece);
    }
}

bool follow_dangles(struct follow *f)
{
    for (size_t i = 0; i < f->value_count; i++) {
        const struct value *v = &f->values[i];
        if (v->was_defined && v->defined == 0 && v->seen > 0) return true;
    }
    return false;
}
