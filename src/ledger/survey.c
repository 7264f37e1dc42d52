/* One walk over the whole log, for recovery and for verify. */
#include "ledger/tiles.h"
#include <errno.h>

#define PROGRESS_STEP (16u * 1024 * 1024)

void problem_set(
    struct ledger_problem *p, enum ledger_fault fault, const char *file, uint64_t offset, uint64_t index, int error)
{
    *p = (struct ledger_problem){.fault = fault, .offset = offset, .index = index, .error = error};
    snprintf(p->file, sizeof p->file, "%s", file);
}

struct step {
    struct survey *s;
    walk_visit_fn *visit;
    void *ctx;
};

static result visit_frame(void *ctx, const struct frame *f, uint64_t offset)
{
    struct step *step = ctx;
    struct survey *s = step->s;
    s->frames++;
    s->bytes += f->length;
    if (s->progress && s->bytes - s->told >= PROGRESS_STEP) {
        s->told = s->bytes;
        s->progress(s->progress_ctx, s->bytes, 0);
    }
    return step->visit ? step->visit(step->ctx, f, offset) : OK;
}

/* What the walk through one segment means for the survey. OK with a problem set ends the survey. */
static result judge_stop(struct survey *s, const struct walk *w, const struct walk_stop *stop)
{
    s->end_offset = stop->offset;
    switch (stop->end) {
    case WALK_CLEAN: return OK;
    case WALK_TORN: s->torn = true; return OK;
    case WALK_CORRUPT: problem_set(&s->problem, stop->fault, s->file, stop->offset, w->next_index, 0); return OK;
    case WALK_STOPPED: break;
    }
    if (stop->fault == LEDGER_FAULT_READ)
        problem_set(&s->problem, LEDGER_FAULT_READ, s->file, stop->offset, w->next_index, stop->error.code);
    return stop->error;
}

/* A gateway at work may recycle the file that is being read, and zero it for its next use: unless it was read to where the next one
 * goes on, what was seen in it means nothing. */
static bool recycled_meanwhile(
    const struct survey *s, const struct walk *w, size_t i, const struct os_direct *file, const char *path)
{
    bool whole = i + 1 < s->segments.count && w->next_index == s->segments.first[i + 1];
    return !whole && !os_direct_is_at(file, path);
}

static result gone(struct survey *s, const struct walk *w)
{
    problem_set(&s->problem, LEDGER_FAULT_READ, s->file, 0, w->next_index, ENOENT);
    return FAIL(ERROR_IO, ENOENT);
}

static result survey_segment(
    const char *directory, const struct node *node, size_t i, struct walk *w, uint8_t *window, struct step *step)
{
    struct survey *s = step->s;
    char path[PATH_BYTES];
    struct os_direct file;
    uint64_t size = 0;
    snprintf(s->file, sizeof s->file, SEGMENT_NAME, (unsigned long long)s->segments.first[i]);
    bool follows = s->segments.first[i] == w->next_index && (w->adopt || walk_enter_segment(w));
    if (!follows) {
        problem_set(&s->problem, LEDGER_FAULT_GAP, s->file, 0, w->next_index, 0);
        return OK;
    }
    TRY(layout_path(path, directory, "%s", s->file));
    result r = os_direct_open(path, false, &file, &size);
    if (!is_ok(r)) {
        problem_set(&s->problem, LEDGER_FAULT_READ, s->file, 0, w->next_index, r.code);
        return r;
    }
    struct input in = {.file = &file, .size = size, .window = window};
    if (size != node->segment_bytes) {
        problem_set(&s->problem, LEDGER_FAULT_SIZE, s->file, size, w->next_index, 0);
    } else {
        struct walk_stop stop = walk_segment(w, &in, 0, i + 1 == s->segments.count, visit_frame, step);
        r = recycled_meanwhile(s, w, i, &file, path) ? gone(s, w) : judge_stop(s, w, &stop);
    }
    os_direct_close(&file);
    return r;
}

/* The signed ends must lie on the way. */
static void judge_tips(struct survey *s, const struct walk *w)
{
    for (unsigned i = 0; i < ARRAY_LEN(w->tips); i++) {
        const struct expectation *t = &w->tips[i];
        if (!t->there || t->met || s->problem.fault != LEDGER_SOUND) continue;
        enum ledger_fault fault = t->size > w->next_index ? LEDGER_FAULT_BEHIND_TIP : LEDGER_FAULT_TIP_ROOT;
        if (i == OLDER) fault = LEDGER_FAULT_OLDER;
        problem_set(&s->problem, fault, s->file[0] ? s->file : "wal", s->end_offset, w->next_index, 0);
    }
}

/* Signed ends that lie before the first entry here, or at it: the tiles know their roots. */
static result meet_before(const char *tiles, struct walk *w)
{
    for (unsigned i = 0; i < ARRAY_LEN(w->tips); i++) {
        struct expectation *t = &w->tips[i];
        struct tiles_nodes nodes;
        tlog_hash root;
        if (!t->there || t->met || t->size > w->next_index) continue;
        tiles_nodes_init(&nodes, tiles, w->next_index);
        result r = tlog_root(tiles_node, &nodes, t->size, root);
        tiles_nodes_free(&nodes);
        TRY(r);
        t->met = memcmp(t->root, root, 32) == 0;
    }
    return OK;
}

/* Segments whose entries are published may be gone: the tree so far comes from the tiles then. Whether it is right shows
 * at the first frame, whose signed root stands on it. */
static result begin_behind_tiles(const char *tiles, uint64_t first, struct walk *w)
{
    struct tlog_edge *edge = mem_alloc(sizeof *edge);
    REQUIRE(edge, ERROR_LIMIT, ENOMEM);
    result r = tiles_edge(tiles, first, edge);
    if (is_ok(r) && !tree_of_edge(edge, &w->tree)) r = FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    mem_free(edge);
    w->next_index = first;
    w->adopt = first > 0;
    return r;
}

static result begin(const char *directory, struct walk *w, struct survey *s)
{
    char tiles[PATH_BYTES];
    uint64_t first = s->segments.count > 0 ? s->segments.first[0] : 0;
    const struct expectation *published = &w->tips[PUBLISHED];
    if (first > (published->there ? published->size : 0)) {
        snprintf(s->file, sizeof s->file, SEGMENT_NAME, (unsigned long long)first);
        problem_set(&s->problem, LEDGER_FAULT_GAP, s->file, 0, published->size, 0);
        return OK;
    }
    TRY(tiles_root(tiles, directory));
    result r = begin_behind_tiles(tiles, first, w);
    if (is_ok(r)) r = meet_before(tiles, w);
    bool missing = r.class == ERROR_INTERNAL || (r.class == ERROR_IO && r.code == ENOENT);
    if (is_ok(r) || !missing) return r;
    problem_set(&s->problem, LEDGER_FAULT_TILE, TILES_DIRECTORY, 0, first, 0);
    return OK;
}

result survey_run(
    const char *directory, const struct node *node, struct walk *w, walk_visit_fn *visit, void *ctx, struct survey *s)
{
    TRY(segments_list(directory, &s->segments));
    TRY(begin(directory, w, s));
    if (s->problem.fault != LEDGER_SOUND) return OK;
    uint8_t *window = os_aligned_alloc(WINDOW_BYTES);
    REQUIRE(window, ERROR_LIMIT, ENOMEM);
    struct step step = {s, visit, ctx};
    result r = OK;
    for (size_t i = 0; i < s->segments.count && is_ok(r) && s->problem.fault == LEDGER_SOUND; i++)
        r = survey_segment(directory, node, i, w, window, &step);
    os_aligned_free(window);
    if (is_ok(r) && s->segments.count == 0) problem_set(&s->problem, LEDGER_FAULT_GAP, "wal", 0, 0, 0);
    if (is_ok(r)) judge_tips(s, w);
    return r;
}
