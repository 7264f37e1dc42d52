#include "edit/plan.h"
#include <stdlib.h>

static const uint8_t null_literal[] = {'n', 'u', 'l', 'l'};

/* What happens to a piece that is in nothing dropped. null may only stand for a member: in a list it would count the
 * withheld. A root that nobody restricted may see has no place to vanish from. */
static enum edit_fate own_fate(const struct match_piece *p, enum policy_withheld withheld)
{
    bool nobody = match_piece_says_nobody(p);
    if (p->removed && !nobody) return p->is_root ? EDIT_NULL : EDIT_DROP;
    switch (withheld) {
    case POLICY_KEPT: return nobody ? EDIT_NULL : EDIT_KEEP;
    case POLICY_UNMATCHED:
    case POLICY_WITHHELD: return p->is_member && p->absent_null ? EDIT_NULL : EDIT_DROP;
    case POLICY_WITHHELD_NAME: return EDIT_DROP;
    }
    return EDIT_DROP;
}

/* Document order, parents before children: what begins before the end of the last dropped piece lies inside it. */
static void decide_fates(const struct match_survey *s, const struct policy_verdict *v, bool paged, uint8_t *fates)
{
    uint64_t gone_end = 0;
    const uint8_t *elsewhere = paged ? v->elsewhere : NULL;
    for (size_t i = 0; i < s->piece_count; i++) {
        const struct match_piece *p = &s->pieces[i];
        if (p->begin < gone_end) {
            fates[i] = EDIT_GONE;
            continue;
        }
        fates[i] = (uint8_t)own_fate(p, (enum policy_withheld)v->withheld[i]);
        if (elsewhere && elsewhere[i]) fates[i] = EDIT_DROP;
        if (fates[i] != EDIT_KEEP) gone_end = p->end;
    }
}

const uint8_t *edit_fates(const struct match_survey *survey, const struct policy_verdict *verdict, struct arena *arena)
{
    uint8_t *fates = arena_alloc(arena, survey->piece_count + 1);
    if (fates) decide_fates(survey, verdict, true, fates);
    return fates;
}

static const struct match_container *container_of(const struct match_survey *s, const struct match_piece *p)
{
    ASSERT(p->container < s->container_count);
    return &s->containers[p->container];
}

/* The bytes between the brackets; of an NDJSON body all of them, opening and closing blank lines too. */
static void inside_of(const struct edit_planning *p, const struct match_container *c, uint64_t *from, uint64_t *to)
{
    *from = c->is_lines ? 0 : c->open + 1;
    *to = c->is_lines ? p->body.len : c->close;
}

/* Nothing of it stays, or nothing was in it: both are written alike. */
static bool is_emptied(const struct edit_planning *p, size_t i)
{
    const struct match_container *c = &p->survey->containers[i];
    uint64_t from, to;
    inside_of(p, c, &from, &to);
    ASSERT(p->dropped[i] <= c->children);
    return p->dropped[i] == c->children && from < to;
}

/* A piece goes with the separator before it, so that each later kept one still stands behind its own; while nothing is
 * kept before it, it goes with the one behind it, so that the opening white space stays. */
static void drop_piece(struct edit_planning *p, const struct match_piece *piece, bool leading)
{
    if (leading)
        edit_add_op(p, piece->begin, piece->next_begin, NULL, 0);
    else
        edit_add_op(p, piece->previous_end, piece->end, NULL, 0);
}

static void plan_pieces(struct edit_planning *p, uint32_t *dropped_before)
{
    for (size_t i = 0; i < p->survey->piece_count; i++) {
        const struct match_piece *piece = &p->survey->pieces[i];
        if (p->fates[i] == EDIT_NULL) edit_add_op(p, piece->value, piece->end, null_literal, sizeof null_literal);
        if (p->fates[i] == EDIT_DROP) drop_piece(p, piece, dropped_before[piece->container]++ == piece->ordinal);
    }
}

static void plan_containers(struct edit_planning *p)
{
    for (size_t i = 0; i < p->survey->container_count; i++) {
        uint64_t from, to;
        inside_of(p, &p->survey->containers[i], &from, &to);
        if (is_emptied(p, i)) edit_add_op(p, from, to, NULL, 0);
    }
}

/* Counts what is dropped, and makes room for every op there can be. */
static result prepare(struct edit_planning *p, uint32_t **dropped_before)
{
    const struct match_survey *s = p->survey;
    size_t ops = s->count_count + s->pseudonym_count + p->verdict->redactions.count;
    p->fates = arena_alloc(p->arena, s->piece_count + 1);
    p->dropped = arena_array(p->arena, s->container_count + 1, sizeof *p->dropped);
    *dropped_before = arena_array(p->arena, s->container_count + 1, sizeof **dropped_before);
    p->counted = p->verdict->elsewhere ? arena_alloc(p->arena, s->piece_count + 1) : p->fates;
    REQUIRE(p->fates && p->counted && p->dropped && *dropped_before, ERROR_LIMIT, 0);
    decide_fates(s, p->verdict, true, p->fates);
    if (p->counted != p->fates) decide_fates(s, p->verdict, false, p->counted);
    for (size_t i = 0; i < s->piece_count; i++) {
        ops += p->fates[i] == EDIT_DROP || p->fates[i] == EDIT_NULL;
        if (p->fates[i] != EDIT_DROP) continue;
        (void)container_of(s, &s->pieces[i]);
        p->dropped[s->pieces[i].container]++;
    }
    for (size_t i = 0; i < s->container_count; i++)
        ops += is_emptied(p, i);
    p->ops = arena_array(p->arena, ops + 1, sizeof *p->ops);
    REQUIRE(p->ops, ERROR_LIMIT, 0);
    return OK;
}

/* What holds another comes before it. */
static int compare_ops(const void *a, const void *b)
{
    const struct edit_op *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to > y->to ? -1 : 1;
    return x->rank < y->rank ? -1 : 1;
}

/* How many of them, from `first` on, stand in order. */
static size_t count_sorted(const struct edit_planning *p, size_t first)
{
    size_t n = first < p->op_count;
    while (first + n < p->op_count && compare_ops(&p->ops[first + n - 1], &p->ops[first + n]) < 0) n++;
    return n;
}

/* Pieces come in order, and all else behind them: those few are sorted alone, or one count that is no longer right would have
 * thousands of ops sorted. Gives how many come before them. */
static size_t sort_ops(struct edit_planning *p)
{
    size_t first = count_sorted(p, 0), rest = p->op_count - first;
    if (count_sorted(p, first) < rest) qsort(p->ops + first, rest, sizeof *p->ops, compare_ops);
    return first;
}

/* Two rows, each in order, as one. */
struct op_rows {
    const struct edit_op *a, *a_end, *b, *b_end;
};

static const struct edit_op *next_op(struct op_rows *r)
{
    if (r->a == r->a_end) return r->b < r->b_end ? r->b++ : NULL;
    return r->b == r->b_end || compare_ops(r->a, r->b) < 0 ? r->a++ : r->b++;
}

static void add_run(struct edit_list *out, struct edit_run *runs, struct edit_run run)
{
    run.out = out->length;
    runs[out->count++] = run;
    out->length += run.literal_len ? run.literal_len : run.len;
}

static void keep_bytes(struct edit_list *out, struct edit_run *runs, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint32_t len = to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from);
        add_run(out, runs, (struct edit_run){.at = from, .len = len});
        from += len;
    }
}

/* Ops are nested or apart, never across each other: what an outer one takes, its inner ones do not matter for. The first
 * `row` of them stand in order, and so do the others. */
static result write_runs(struct edit_planning *p, size_t row, struct edit_list *out)
{
    size_t most = p->op_count + p->literals + 1 + p->body.len / UINT32_MAX;
    struct edit_run *runs = arena_array(p->arena, most, sizeof *runs);
    REQUIRE(runs, ERROR_LIMIT, 0);
    struct op_rows rows = {p->ops, p->ops + row, p->ops + row, p->ops + p->op_count};
    uint64_t cursor = 0;
    for (const struct edit_op *op; (op = next_op(&rows)) != NULL;) {
        if (op->from < cursor) {
            ASSERT(op->to <= cursor);
            continue;
        }
        ASSERT(op->to <= p->body.len);
        keep_bytes(out, runs, cursor, op->from);
        if (op->literal_len)
            add_run(
                out, runs, (struct edit_run){.at = op->from, .literal = op->literal, .literal_len = op->literal_len});
        cursor = op->to;
    }
    keep_bytes(out, runs, cursor, p->body.len);
    ASSERT(out->count <= most);
    out->runs = runs;
    return OK;
}

RESULT edit_identity(uint64_t body_len, struct arena *arena, struct edit_list *out)
{
    *out = (struct edit_list){.identity = true};
    if (body_len == 0) return OK;
    struct edit_run *runs = arena_array(arena, body_len / UINT32_MAX + 1, sizeof *runs);
    REQUIRE(runs, ERROR_LIMIT, 0);
    keep_bytes(out, runs, 0, body_len);
    out->runs = runs;
    return OK;
}

RESULT edit_plan(const struct match_survey *survey, const struct policy_verdict *verdict, span body,
    struct arena *arena, struct edit_list *out)
{
    ASSERT(!verdict->document_withheld);
    *out = (struct edit_list){0};
    struct edit_planning p = {.survey = survey, .verdict = verdict, .body = body, .arena = arena};
    uint32_t *dropped_before;
    TRY(prepare(&p, &dropped_before));
    plan_pieces(&p, dropped_before);
    plan_containers(&p);
    TRY(edit_plan_counts(&p));
    TRY(edit_plan_pseudonyms(&p));
    TRY(edit_plan_redactions(&p));
    if (p.op_count == 0) return edit_identity(body.len, arena, out);
    return write_runs(&p, sort_ops(&p), out);
}

RESULT edit_redact(
    const struct policy_verdict *verdict, span body, struct arena *arena, struct edit_list *out)
{
    *out = (struct edit_list){0};
    struct edit_planning p = {.verdict = verdict, .body = body, .arena = arena};
    if (verdict->redactions.count == 0) return edit_identity(body.len, arena, out);
    p.ops = arena_array(arena, verdict->redactions.count, sizeof *p.ops);
    REQUIRE(p.ops, ERROR_LIMIT, 0);
    TRY(edit_plan_redactions(&p));
    return write_runs(&p, p.op_count, out);
}

/* How many runs begin at or before `at`. */
static size_t runs_until(const struct edit_list *list, uint64_t at)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->runs[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

RESULT edit_insert(struct edit_list *list, uint64_t behind, span literal, struct arena *arena)
{
    struct edit_run *runs = arena_array(arena, list->count + 2, sizeof *runs);
    size_t i = runs_until(list, behind);
    REQUIRE(runs, ERROR_LIMIT, 0);
    while (i > 0 && list->runs[i - 1].literal_len) i--; /* written where something else stood */
    ASSERT(i > 0 && behind < list->runs[i - 1].at + list->runs[i - 1].len && literal.len <= UINT32_MAX);
    memcpy(runs, list->runs, i * sizeof *runs);
    uint32_t kept = (uint32_t)(behind + 1 - runs[i - 1].at), rest = runs[i - 1].len - kept;
    runs[i - 1].len = kept;
    runs[i] = (struct edit_run){.at = behind + 1, .literal = literal.ptr, .literal_len = (uint32_t)literal.len};
    if (rest) runs[i + 1] = (struct edit_run){.at = behind + 1, .len = rest};
    size_t added = rest ? 2 : 1;
    memcpy(runs + i + added, list->runs + i, (list->count - i) * sizeof *runs);
    *list = (struct edit_list){.runs = runs, .count = list->count + added};
    for (size_t k = 0; k < list->count; k++) {
        runs[k].out = list->length;
        list->length += runs[k].literal_len ? runs[k].literal_len : runs[k].len;
    }
    return OK;
}

uint64_t edit_offset(const struct edit_list *list, uint64_t at)
{
    size_t low = runs_until(list, at);
    if (low == 0) return 0;
    const struct edit_run *run = &list->runs[low - 1];
    uint64_t past = at - run->at;
    if (run->literal_len) return run->out + (past > 0 ? run->literal_len : 0);
    return run->out + (past < run->len ? past : run->len);
}
