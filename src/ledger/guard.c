#include "ledger/guard.h"
#include "ledger/tiles.h"
#include <errno.h>

/* A directory that changed so recently may change again without a new time. */
#define TICK_NS UINT64_C(100000000)

static const char *const files[GUARD_FILES] = {"LOCK", "node.json", "tip.a", "tip.b", TILES_DIRECTORY};

static result lost(struct guard *g, const char *name)
{
    snprintf(g->lost, sizeof g->lost, "%s", name);
    return FAIL(ERROR_IO, LEDGER_E_GONE);
}

static result identify(const struct guard *g, const char *name, struct os_identity *out)
{
    char path[PATH_BYTES];
    TRY(layout_path(path, g->directory, "%s", name));
    return os_identify(path, out);
}

static result look_at_file(struct guard *g, size_t i)
{
    struct os_identity now;
    result r = identify(g, files[i], &now);
    if (!is_ok(r) && r.code == ENOENT && g->files[i].inode == 0) return OK;
    if (!is_ok(r) || (g->files[i].inode != 0 && !os_same_file(&now, &g->files[i]))) return lost(g, files[i]);
    g->files[i] = now;
    return OK;
}

static result look_at_segment(struct guard *g, size_t i, struct os_identity *now)
{
    char name[64];
    snprintf(name, sizeof name, SEGMENT_NAME, (unsigned long long)g->segments.first[i]);
    bool whole = is_ok(identify(g, name, now)) && now->size == g->segment_bytes;
    return whole ? OK : lost(g, name);
}

/* *now is the place in the new list where it is looked for. */
static result compare_one(struct guard *g, uint64_t first, const struct os_identity *known, size_t *now)
{
    char name[64];
    snprintf(name, sizeof name, SEGMENT_NAME, (unsigned long long)first);
    if (*now >= g->segments.count || g->segments.first[*now] != first) return lost(g, name);
    struct os_identity *found = &g->known[(*now)++];
    TRY(look_at_segment(g, *now - 1, found));
    return os_same_file(found, known) ? OK : lost(g, name);
}

/* Every segment that there was, and that we did not remove ourselves, is there, and the same file. */
static result compare(struct guard *g, const struct segments *before, const struct os_identity *known, const _Atomic uint64_t *removed)
{
    size_t now = 0;
    for (size_t i = 0; i < before->count; i++) {
        result r = compare_one(g, before->first[i], &known[i], &now);
        if (!is_ok(r) && before->first[i] >= atomic_load(removed)) return r;
    }
    for (; now < g->segments.count; now++)
        TRY(look_at_segment(g, now, &g->known[now]));
    return OK;
}

/* What there is now; where that cannot be had all stays as it was. */
static result list_now(struct guard *g)
{
    struct segments now;
    TRY(segments_list(g->directory, &now));
    struct os_identity *known = mem_array(now.count + 1, sizeof *known);
    if (!known) return mem_free(now.first), FAIL(ERROR_LIMIT, ENOMEM);
    g->segments = now;
    g->known = known;
    return OK;
}

static result list_again(struct guard *g, const _Atomic uint64_t *removed)
{
    struct segments before = g->segments;
    struct os_identity *known = g->known;
    result r = list_now(g);
    if (!is_ok(r)) return g->wal.changed_ns = 0, r; /* so that the next look lists again */
    r = compare(g, &before, known, removed);
    mem_free(before.first);
    mem_free(known);
    return r;
}

/* Names come and go with a directory's time; as long as that stands still only the segment that is written has to be
 * looked at. */
static result look_at_log(struct guard *g, const _Atomic uint64_t *removed)
{
    struct os_identity now, last;
    if (!is_ok(identify(g, "wal", &now)) || (g->wal.inode != 0 && !os_same_file(&now, &g->wal))) return lost(g, "wal");
    bool still = g->wal.inode != 0 && now.changed_ns == g->wal.changed_ns &&
                 os_realtime_us() * 1000 > now.changed_ns + TICK_NS;
    g->wal = now;
    if (!still) return list_again(g, removed);
    size_t i = g->segments.count - 1;
    TRY(look_at_segment(g, i, &last));
    return OK;
}

result guard_look(struct guard *g, const _Atomic uint64_t *removed)
{
    struct os_identity now;
    result r = os_identify(g->directory, &now);
    if (!is_ok(r) || (g->top.inode != 0 && !os_same_file(&now, &g->top))) return lost(g, "its directory");
    g->top = now;
    for (size_t i = 0; i < GUARD_FILES; i++)
        TRY(look_at_file(g, i));
    return look_at_log(g, removed);
}

result guard_open(struct guard *g, const char *directory)
{
    struct node node;
    *g = (struct guard){0};
    static const _Atomic uint64_t none;
    TRY(node_read(directory, &node));
    g->segment_bytes = node.segment_bytes;
    g->directory = mem_strdup(directory);
    REQUIRE(g->directory, ERROR_LIMIT, ENOMEM);
    return guard_look(g, &none);
}

void guard_close(struct guard *g)
{
    mem_free(g->directory);
    mem_free(g->segments.first);
    mem_free(g->known);
    *g = (struct guard){0};
}
