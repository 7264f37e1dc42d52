/* Declared counts: how many units of a declaration stay visible around the place where the count stands. */
#include "edit/plan.h"

/* The visible units of each declaration, by where they begin: declaration u has begins[start[u] … start[u + 1]). */
struct visible {
    size_t declarations;
    size_t *start;
    uint64_t *begins;
    uint8_t **around; /* of each declaration: those whose units hold one of its visible units; NULL: nobody asked yet */
    uint32_t *lines;  /* NDJSON: the lines' pieces, in order */
    size_t line_count;
};

/* Where the profile says "absent": "null", an origin's own null is no unit: it says that there is none. */
static bool is_null(const struct edit_planning *p, const struct match_piece *piece)
{
    return span_equal(span_sub(p->body, piece->value, piece->end - piece->value), SPAN("null"));
}

static bool is_visible(const struct edit_planning *p, size_t i)
{
    const struct match_piece *piece = &p->survey->pieces[i];
    return p->counted[i] == EDIT_KEEP && piece->roles & PATH_UNIT && !(piece->absent_null && is_null(p, piece));
}

static size_t count_declarations(const struct match_survey *s)
{
    size_t most = 0;
    for (size_t i = 0; i < s->piece_count; i++)
        if (s->pieces[i].unit >= most) most = (size_t)s->pieces[i].unit + 1;
    for (size_t i = 0; i < s->count_count; i++)
        if (s->counts[i].unit >= most) most = (size_t)s->counts[i].unit + 1;
    return most;
}

/* Counting sort by declaration keeps the document order inside each. */
static result find_visible(const struct edit_planning *p, struct visible *v)
{
    const struct match_survey *s = p->survey;
    v->declarations = count_declarations(s);
    v->start = arena_array(p->arena, v->declarations + 2, sizeof *v->start);
    v->begins = arena_array(p->arena, s->piece_count + 1, sizeof *v->begins);
    v->around = arena_array(p->arena, v->declarations + 1, sizeof *v->around);
    REQUIRE(v->start && v->begins && v->around, ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->piece_count; i++)
        if (is_visible(p, i)) v->start[s->pieces[i].unit + 2]++;
    for (size_t u = 2; u < v->declarations + 2; u++)
        v->start[u] += v->start[u - 1];
    for (size_t i = 0; i < s->piece_count; i++)
        if (is_visible(p, i)) v->begins[v->start[s->pieces[i].unit + 1]++] = s->pieces[i].begin;
    return OK;
}

/* Every line of NDJSON is a document of its own, whether it is a unit or not. */
static result find_lines(const struct edit_planning *p, struct visible *v)
{
    const struct match_survey *s = p->survey;
    if (s->piece_count == 0 || !s->pieces[0].is_line) return OK;
    v->lines = arena_array(p->arena, s->piece_count, sizeof *v->lines);
    REQUIRE(v->lines, ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->piece_count; i++)
        if (s->pieces[i].is_line) v->lines[v->line_count++] = (uint32_t)i;
    return OK;
}

static uint32_t line_around(const struct match_survey *s, const struct visible *v, uint64_t at)
{
    size_t low = 0, high = v->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->pieces[v->lines[middle]].begin <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? v->lines[low - 1] : MATCH_NONE;
}

/* All of them are looked at, for one declaration may stand in units of several others (`$..child`). */
static result find_around(const struct edit_planning *p, struct visible *v, uint16_t unit)
{
    const struct match_survey *s = p->survey;
    if (v->around[unit]) return OK;
    uint8_t *around = v->around[unit] = arena_alloc(p->arena, v->declarations + 1);
    REQUIRE(around, ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->piece_count; i++) {
        if (s->pieces[i].unit != unit || !is_visible(p, i)) continue;
        for (uint32_t at = s->pieces[i].unit_parent; at != MATCH_NONE; at = s->pieces[at].unit_parent)
            if (s->pieces[at].roles & PATH_UNIT) around[s->pieces[at].unit] = 1;
    }
    return OK;
}

/* The innermost unit around the count of a kind that holds units of the counted declaration: a count inside a record counts
 * what that record holds; one in a summary beside the list counts the list. Else the line; MATCH_NONE: the document. */
static uint32_t scope_of(const struct match_survey *s, const struct visible *v, const struct match_count *c)
{
    uint32_t at = c->unit_parent;
    while (at != MATCH_NONE && !(s->pieces[at].roles & PATH_UNIT && v->around[c->unit][s->pieces[at].unit]))
        at = s->pieces[at].unit_parent;
    return at != MATCH_NONE ? at : line_around(s, v, c->begin);
}

/* How many of the declaration begin before `at`. */
static size_t begin_before(const struct visible *v, uint16_t unit, uint64_t at)
{
    size_t low = v->start[unit], high = v->start[unit + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->begins[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t count_visible(const struct match_survey *s, const struct visible *v, const struct match_count *c)
{
    uint32_t scope = scope_of(s, v, c);
    if (scope == MATCH_NONE) return v->start[c->unit + 1] - v->start[c->unit];
    const struct match_piece *around = &s->pieces[scope];
    return begin_before(v, c->unit, around->end) - begin_before(v, c->unit, around->begin + 1);
}

#define COUNT_ROOM 24 /* twenty digits, two quotes, NUL */

static void write_count(struct edit_planning *p, const struct match_count *c, size_t number, char *room)
{
    int len = snprintf(room, COUNT_ROOM, c->quoted ? "\"%zu\"" : "%zu", number);
    ASSERT(len > 0 && len < COUNT_ROOM);
    span now = span_sub(p->body, c->begin, c->end - c->begin), right = span_of(room, (size_t)len);
    if (!span_equal(now, right)) edit_add_op(p, c->begin, c->end, right.ptr, right.len);
}

result edit_plan_counts(struct edit_planning *p)
{
    const struct match_survey *s = p->survey;
    size_t written = 0;
    for (size_t i = 0; i < s->count_count; i++)
        written += s->counts[i].piece == MATCH_NONE;
    if (written == 0) return OK; /* the others are removed as pieces */
    struct visible v = {0};
    TRY(find_visible(p, &v));
    TRY(find_lines(p, &v));
    char *room = arena_array(p->arena, written, COUNT_ROOM);
    REQUIRE(room, ERROR_LIMIT, 0);
    for (size_t i = 0; i < s->count_count; i++) {
        const struct match_count *c = &s->counts[i];
        if (c->piece != MATCH_NONE) continue;
        TRY(find_around(p, &v, c->unit));
        write_count(p, c, count_visible(s, &v, c), room);
        room += COUNT_ROOM;
    }
    return OK;
}
