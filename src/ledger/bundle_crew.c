#include "ledger/bundle_crew.h"
#include <errno.h>
#include <unistd.h>

static void hash_entries(struct bundle_job *j, span bundle)
{
    for (span leaf; j->count < TLOG_WIDTH && tlog_bundle_next(&bundle, &leaf); j->count++) {
        j->odd = leaf.len == 0 || leaf.len > LEDGER_ENTRY_MAX;
        if (j->odd) return;
        j->broken = !tlog_hash_leaf(leaf, j->hashes[j->count]);
        if (j->broken) return;
    }
}

static void work_out(const char *root, struct bundle_job *j)
{
    buf_free(&j->bundle);
    j->count = 0;
    j->odd = j->broken = false;
    j->read = tiles_read(root, &j->tile, &j->bundle);
    if (is_ok(j->read)) hash_entries(j, buf_span(&j->bundle));
}

static void work_out_job(void *ctx, unsigned member, unsigned place)
{
    struct bundle_crew *c = ctx;
    (void)member;
    work_out(c->root, &c->jobs[place]);
}

result bundles_start(struct bundle_crew *c, const char *root, uint64_t first, uint64_t size)
{
    long wanted = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct bundle_crew){.root = root, .next = first / TLOG_WIDTH * TLOG_WIDTH, .size = size};
    c->jobs = mem_array(BUNDLE_JOBS, sizeof *c->jobs);
    REQUIRE(c->jobs, ERROR_LIMIT, ENOMEM);
    team_open(&c->team, BUNDLE_JOBS, work_out_job, c);
    for (long i = 0; i < wanted && c->team.count < BUNDLE_THREADS && c->next + TLOG_WIDTH < size; i++)
        if (team_add(&c->team) != 0) break;
    return OK;
}

/* The place of the bundle that was given back last is not used again before the next one is asked for. */
static void give_jobs(struct bundle_crew *c)
{
    for (; c->next < c->size && c->team.given - c->had < BUNDLE_JOBS; c->next += TLOG_WIDTH) {
        struct bundle_job *j = &c->jobs[team_place(&c->team)];
        j->tile = (struct tlog_tile){.entries = true, .index = c->next / TLOG_WIDTH};
        j->tile.width = tlog_tile_width(0, j->tile.index, c->size);
        team_hand(&c->team);
    }
}

const struct bundle_job *bundles_next(struct bundle_crew *c)
{
    give_jobs(c);
    if (c->had == c->team.given) return NULL;
    if (c->team.count > 0) return &c->jobs[team_wait(&c->team, c->had++)];
    struct bundle_job *j = &c->jobs[c->had++ % BUNDLE_JOBS];
    work_out(c->root, j);
    return j;
}

void bundles_end(struct bundle_crew *c)
{
    team_close(&c->team);
    for (unsigned i = 0; i < BUNDLE_JOBS; i++)
        buf_free(&c->jobs[i].bundle);
    mem_free(c->jobs);
}
