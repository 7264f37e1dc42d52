#include "ledger/frame_crew.h"
#include <errno.h>
#include <unistd.h>

/* ---- a member ------------------------------------------------------------------------------------------------- */

/* The next job, or NULL when none will come any more. */
static struct crew_job *take_job(struct frame_crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->given == c->taken && !c->closed)
        pthread_cond_wait(&c->news, &c->lock);
    struct crew_job *j = c->given == c->taken ? NULL : &c->jobs[c->taken++ % CREW_JOBS];
    pthread_mutex_unlock(&c->lock);
    return j;
}

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

static void *member_main(void *arg)
{
    struct crew_member *m = arg;
    struct frame_crew *c = m->crew;
    for (struct crew_job *j; (j = take_job(c)) != NULL;) {
        j->hashed = hash_records(j);
        j->is_signed = !c->signatures || frame_signed(j->header, &m->check);
        pthread_mutex_lock(&c->lock);
        j->done = true;
        pthread_cond_signal(&c->finished);
        pthread_mutex_unlock(&c->lock);
    }
    digest_thread_end();
    return NULL;
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
    struct crew_job *j = &c->jobs[c->joined++ % CREW_JOBS];
    pthread_mutex_lock(&c->lock);
    while (!j->done)
        pthread_cond_wait(&c->finished, &c->lock);
    pthread_mutex_unlock(&c->lock);
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
    if (c->given - c->joined == CREW_JOBS) join_next(c); /* only this side moves `given` */
    struct crew_job *j = &c->jobs[c->given % CREW_JOBS];
    TRY(copy_frame(j, f));
    snprintf(j->file, sizeof j->file, "%s", file);
    j->offset = offset;
    j->index = f->first_index;
    j->done = false;
    pthread_mutex_lock(&c->lock);
    c->given++;
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
    return OK;
}

static void dismiss(struct frame_crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->member_count; i++) {
        pthread_join(c->members[i].thread, NULL);
        check_close(&c->members[i].check);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
    pthread_cond_destroy(&c->finished);
    for (unsigned i = 0; c->jobs && i < CREW_JOBS; i++)
        mem_free(c->jobs[i].payload);
    mem_free(c->jobs);
    c->jobs = NULL;
}

static RESULT add_member(struct frame_crew *c, const struct ledger_verifier *v)
{
    struct crew_member *m = &c->members[c->member_count];
    m->crew = c;
    REQUIRE(check_open(&m->check, v->key), ERROR_INTERNAL, LEDGER_E_CRYPTO);
    int error = fault_hit("thread") ? EAGAIN : pthread_create(&m->thread, NULL, member_main, m);
    if (error != 0) check_close(&m->check);
    REQUIRE(error == 0, ERROR_LIMIT, error);
    c->member_count++;
    return OK;
}

result crew_start(struct frame_crew *c, const struct ledger_verifier *v, bool signatures)
{
    long wanted = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct frame_crew){.signatures = signatures};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    pthread_cond_init(&c->finished, NULL);
    c->jobs = mem_array(CREW_JOBS, sizeof *c->jobs);
    result r = c->jobs ? add_member(c, v) : FAIL(ERROR_LIMIT, ENOMEM);
    /* The first one is needed; the others only make it quicker. */
    for (long i = 1; is_ok(r) && i < wanted && c->member_count < CREW_THREADS; i++)
        if (!is_ok(add_member(c, v))) break;
    if (!is_ok(r)) dismiss(c);
    return r;
}

bool crew_finish(struct frame_crew *c)
{
    while (c->joined < c->given)
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
    if (v->crew.given == 0) v->crew.tree = v->walk->tree; /* what stands in the tiles before the first frame */
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
    if (v.crew.given > 0) w->tree = v.crew.tree;
    return r;
}
