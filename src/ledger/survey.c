/* One walk over the whole log, for recovery and for verify. */
#include "ledger/layout.h"
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

static result survey_segment(
    const char *directory, const struct node *node, size_t i, struct walk *w, uint8_t *window, struct step *step)
{
    struct survey *s = step->s;
    char path[PATH_BYTES];
    struct os_direct file;
    uint64_t size = 0;
    snprintf(s->file, sizeof s->file, SEGMENT_NAME, (unsigned long long)s->segments.first[i]);
    if (s->segments.first[i] != w->next_index || !walk_enter_segment(w)) {
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
    bool last = i + 1 == s->segments.count;
    if (size != node->segment_bytes) {
        problem_set(&s->problem, LEDGER_FAULT_SIZE, s->file, size, w->next_index, 0);
    } else {
        struct walk_stop stop = walk_segment(w, &in, 0, last, visit_frame, step);
        r = judge_stop(s, w, &stop);
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
        problem_set(&s->problem, fault, s->file[0] ? s->file : "wal", s->end_offset, w->next_index, 0);
    }
}

static bool meet_empty(struct walk *w)
{
    uint8_t root[32];
    struct ledger_tree empty = {0};
    if (!ledger_tree_root(&empty, root)) return false;
    for (unsigned i = 0; i < ARRAY_LEN(w->tips); i++)
        if (w->tips[i].there && w->tips[i].size == 0) w->tips[i].met = memcmp(w->tips[i].root, root, 32) == 0;
    return true;
}

result survey_run(
    const char *directory, const struct node *node, struct walk *w, walk_visit_fn *visit, void *ctx, struct survey *s)
{
    REQUIRE(meet_empty(w), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    TRY(segments_list(directory, &s->segments));
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
