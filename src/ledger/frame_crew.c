#include "ledger/frame_crew.h"
#include <errno.h>
#include <unistd.h>

/* ---- a member ------------------------------------------------------------------------------------------------- */

static bool hash_records(struct crew_job *j)
{
    struct frame f = {.payload = span_of(j->payload, j->len)};
    size_t at = 0;
    span leaf;
    tree_range_start(&j->range, j->index);
    while (frame_next(&f, &at, &leaf))
        if (!tree_range_add(&j->range, leaf)) return false;
    return true;
}

static void check_job(void *ctx, unsigned member, unsigned place)
{
    struct frame_crew *c = ctx;
    struct crew_job *j = &c->jobs[place];
    j->hashed = hash_records(j);
    j->is_signed = !c->signatures || frame_signed(j->header, &c->checks[member]);
}

/* ---- who started them ----------------------------------------------------------------------------------------- */

static bool root_holds(struct frame_crew *c, const struct crew_job *j)
{
    uint8_t root[32];
    struct frame f = {.base = j->header};
    if (j->index != c->tree.size) return false; /* the first frame of all is believed where it begins */
    c->broken = !j->hashed || !tree_append(&c->tree, &j->range) || !ledger_tree_root(&c->tree, root);
    return !c->broken && memcmp(root, frame_root(&f), 32) == 0;
}

static void join_next(struct frame_crew *c)
{
    const struct crew_job *j = &c->jobs[team_wait(&c->team, c->joined++)];
    if (c->broken || c->problem.fault != LEDGER_SOUND) return;
    enum ledger_fault fault = LEDGER_SOUND;
    if (!root_holds(c, j))
        fault = LEDGER_FAULT_ROOT;
    else if (!j->is_signed)
        fault = LEDGER_FAULT_SIGNATURE;
    if (fault != LEDGER_SOUND && !c->broken) problem_set(&c->problem, fault, j->file, j->offset, j->index, 0);
}

static RESULT copy_frame(struct crew_job *j, const struct frame *f)
{
    if (f->payload.len > j->room) {
        uint8_t *larger = mem_resize(j->payload, f->payload.len);
        REQUIRE(larger, ERROR_LIMIT, ENOMEM);
        j->payload = larger;
        j->room = f->payload.len;
    }
    memcpy(j->payload, f->payload.ptr, f->payload.len);
    memcpy(j->header, f->base, FRAME_HEADER);
    j->len = f->payload.len;
    return OK;
}

RESULT crew_give(struct frame_crew *c, const struct frame *f, const char *file, uint64_t offset)
{
    if (c->team.given - c->joined == TEAM_PLACES) join_next(c);
    struct crew_job *j = &c->jobs[team_place(&c->team)];
    TRY(copy_frame(j, f));
    snprintf(j->file, sizeof j->file, "%s", file);
    j->offset = offset;
    j->index = f->first_index;
    team_hand(&c->team);
    return OK;
}

static void dismiss(struct frame_crew *c)
{
    team_close(&c->team);
    for (unsigned i = 0; i < c->team.count; i++)
        check_close(&c->checks[i]);
    for (unsigned i = 0; c->jobs && i < TEAM_PLACES; i++)
        mem_free(c->jobs[i].payload);
    mem_free(c->jobs);
    c->jobs = NULL;
}

static RESULT add_member(struct frame_crew *c, const struct ledger_verifier *v)
{
    struct signature_check *check = &c->checks[c->team.count];
    REQUIRE(check_open(check, v->key), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    int error = team_add(&c->team);
    if (error != 0) check_close(check);
    REQUIRE(error == 0, ERROR_LIMIT, LEDGER_E_THREAD);
    return OK;
}

result crew_start(struct frame_crew *c, const struct ledger_verifier *v, bool signatures)
{
    long wanted = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct frame_crew){.signatures = signatures};
    team_open(&c->team, TEAM_PLACES, check_job, c);
    c->jobs = mem_array(TEAM_PLACES, sizeof *c->jobs);
    result r = c->jobs ? add_member(c, v) : FAIL(ERROR_LIMIT, ENOMEM);
    /* The first one is needed; the others only make it quicker. */
    for (long i = 1; is_ok(r) && i < wanted && c->team.count < TEAM_THREADS; i++)
        if (!is_ok(add_member(c, v))) break;
    if (!is_ok(r)) dismiss(c);
    return r;
}

bool crew_finish(struct frame_crew *c)
{
    while (c->joined < c->team.given)
        join_next(c);
    dismiss(c);
    return !c->broken;
}

/* ---- all of a log ----------------------------------------------------------------------------------------------- */

struct visit {
    struct frame_crew crew;
    const struct crew_wish *wish;
    const struct survey *survey;
    const struct walk *walk;
};

static result check_later(void *ctx, const struct frame *f, uint64_t offset)
{
    struct visit *v = ctx;
    if (v->crew.team.given == 0) v->crew.tree = v->walk->tree; /* what stands in the tiles before the first frame */
    TRY(crew_give(&v->crew, f, v->survey->file, offset));
    return v->wish->each ? v->wish->each(v->wish->ctx, f) : OK;
}

/* Frames are handed over as soon as they are known to follow the one before. */
result crew_survey(
    const char *directory, const struct node *node, const struct crew_wish *wish, struct walk *w, struct survey *s)
{
    struct visit v = {.wish = wish, .survey = s, .walk = w};
    TRY(crew_start(&v.crew, &node->verifier, wish->signatures));
    result r = survey_run(directory, node, w, check_later, &v, s);
    if (!crew_finish(&v.crew)) return FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    if (v.crew.problem.fault != LEDGER_SOUND) s->problem = v.crew.problem;
    if (v.crew.team.given > 0) w->tree = v.crew.tree;
    return r;
}
