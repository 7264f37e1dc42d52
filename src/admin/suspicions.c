/* Somebody known only by a marker: workers say by whose answers it showed, the journal keeps it, a named person ends it.
 *
 * All that waits goes into the journal with one sync, then into the overlays, then each worker hears of its own.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2 */
#include "admin/internal.h"
#include <errno.h>

#define GROUP_BYTES (4u << 20)
#define GROUP_CHANGES 16384
#define GROUP_ARENA (16u << 20)
#define MESSAGE_HEAD 16 /* the request's id */
#define PRINT 16

struct group {
    struct admin *admin;
    struct arena *memory;
    struct registry_change *changes;
    size_t count, bytes;
    uint64_t *tickets; /* by slot; 0: nothing taken */
    bool failed;
};

/* ---- what workers say ------------------------------------------------------------------------------------------- */

static bool add_change(struct group *g, const uint8_t request[16], const uint8_t *text, size_t n)
{
    struct admin *a = g->admin;
    struct registry_print *prints = arena_array(g->memory, n, sizeof(*prints));
    if (prints == NULL || g->count == GROUP_CHANGES) return false;
    for (size_t i = 0; i < n; i++) {
        prints[i] = (struct registry_print){load_le64(text + PRINT * i), load_le64(text + PRINT * i + 8)};
    }
    n = registry_suspicion_news(a->arguments->overlays[0], prints, n);
    struct registry_change c = {.op = REGISTRY_SUSPECT, .keys = prints, .key_count = n, .time = os_realtime_us() / 1000000};
    if (n == 0) return true; /* another worker was first */
    memcpy(c.reason, request, 16);
    if (!registry_suspicion_handle(a->key, prints, n, &c.subject)) return false;
    g->changes[g->count++] = c;
    return true;
}

enum heard { HEARD, NO_ROOM, NONSENSE };

static enum heard read_message(struct group *g, span m)
{
    if (m.len <= MESSAGE_HEAD) return NONSENSE;
    const uint8_t *request = m.ptr;
    span rest = span_from(m, MESSAGE_HEAD);
    while (rest.len > 0) {
        size_t n = rest.len < 4 ? 0 : load_le32(rest.ptr);
        if (n == 0 || n > REGISTRY_CHANGE_KEYS_MAX || rest.len - 4 < n * PRINT) return NONSENSE;
        if (!add_change(g, request, rest.ptr + 4, n)) return NO_ROOM;
        rest = span_from(rest, 4 + n * PRINT);
    }
    return HEARD;
}

static void distrust(struct admin *a, unsigned slot)
{
    ipc_collector_distrust(a->collector, slot);
    ipc_channel_tell(a->arguments->control, IPC_DISTRUST, slot, "a suspicion is malformed");
}

/* A ticket's word covers all before it: what was taken and cannot be kept ends this process, and who waits asks the next. */
static void give_up(struct group *g, const char *why)
{
    memset(g->tickets, 0, ipc_area_slots(g->admin->arguments->suspicions) * sizeof(*g->tickets));
    g->count = 0;
    g->failed = g->admin->deaf = true;
    admin_alarm(g->admin, why);
    io_loop_stop(g->admin->loop);
}

/* True where something was taken of the slot, and there may be more. */
static bool take_one(struct group *g, unsigned slot)
{
    static uint8_t text[IPC_ENTRY_MAX];
    struct admin *a = g->admin;
    size_t len, before = g->count;
    uint64_t ticket;
    if (g->failed || g->bytes + IPC_ENTRY_MAX > GROUP_BYTES || g->count + IPC_ENTRY_MAX / PRINT > GROUP_CHANGES) return false;
    switch (ipc_collector_take(a->collector, slot, text, sizeof(text), &len, &ticket)) {
    case IPC_TAKE_NONE:
    case IPC_TAKE_FULL: return false;
    case IPC_TAKE_BROKEN: distrust(a, slot); return false;
    case IPC_TAKE_ENTRY: break;
    }
    g->bytes += len;
    switch (read_message(g, span_of(text, len))) {
    case HEARD: g->tickets[slot] = ticket; return true;
    case NO_ROOM: give_up(g, "no memory for suspicions"); return false;
    case NONSENSE: g->count = before; distrust(a, slot); return false;
    }
    return false;
}

static bool take_all(struct group *g)
{
    bool any = false;
    for (unsigned slot = 0; slot < ipc_area_slots(g->admin->arguments->suspicions); slot++) {
        while (take_one(g, slot)) any = true;
    }
    return any;
}

static void record(struct group *g)
{
    uint64_t ticket, *subjects = arena_array(g->memory, g->count, sizeof(*subjects));
    struct ledger_count counts[] = {{SPAN("suspect"), g->count}};
    result r = subjects == NULL ? FAIL(ERROR_LIMIT, 0) : OK;
    for (size_t i = 0; is_ok(r) && i < g->count; i++) subjects[i] = g->changes[i].subject;
    if (is_ok(r)) r = admin_publish(g->admin, LEDGER_REGISTRY, counts, 1, subjects, g->count, &ticket);
    if (!is_ok(r)) proxy_log("admin", "suspicions_unrecorded", NULL); /* they hold all the same */
}

static void keep(struct group *g)
{
    struct admin *a = g->admin;
    if (g->count > 0 && !is_ok(journal_apply_all(a, g->changes, g->count))) {
        give_up(g, "suspicions could not be kept; rebuild and reload, or look at the journal's disk");
        return;
    }
    for (unsigned slot = 0; slot < ipc_area_slots(a->arguments->suspicions); slot++) {
        if (g->tickets[slot] != 0) ipc_collector_durable(a->collector, slot, g->tickets[slot]);
    }
    if (g->count > 0) record(g);
}

/* False when there was nothing. */
static bool run_group(struct admin *a)
{
    struct group g = {.admin = a, .memory = a->deaf ? NULL : arena_new(GROUP_ARENA)};
    if (g.memory == NULL) return false;
    g.changes = arena_array(g.memory, GROUP_CHANGES, sizeof(*g.changes));
    g.tickets = arena_array(g.memory, ipc_area_slots(a->arguments->suspicions), sizeof(*g.tickets));
    bool any = g.changes != NULL && g.tickets != NULL && take_all(&g);
    if (any) keep(&g);
    bool more = any && !g.failed;
    arena_free(g.memory);
    return more;
}

static void suspicions_come(int fd, void *arg)
{
    struct admin *a = arg;
    (void)fd;
    ipc_collector_awake(a->collector, true);
    do {
        (void)ipc_collector_asked(a->collector);
        while (run_group(a)) continue;
    } while (!ipc_collector_may_sleep(a->collector, IPC_SOON));
}

void suspicions_serve(struct admin *a)
{
    if (a->collector != NULL) suspicions_come(-1, a);
}

RESULT suspicions_open(struct admin *a)
{
    TRY(ipc_collector_new(a->arguments->suspicions, &a->collector));
    a->suspicion_watch = io_watch_new(a->loop, ipc_collector_fd(a->collector), suspicions_come, a);
    REQUIRE(a->suspicion_watch != NULL, ERROR_LIMIT, ENOMEM);
    suspicions_come(-1, a); /* what came while nobody listened */
    return OK;
}

/* Nobody is left waiting for what has been said already. */
void suspicions_close(struct admin *a)
{
    if (a->collector == NULL) return;
    while (run_group(a)) continue;
    io_watch_free(a->suspicion_watch);
    ipc_collector_free(a->collector);
}

/* ---- who is suspected ------------------------------------------------------------------------------------------- */

struct listing {
    struct admin *admin;
    struct buf *out;
    struct suspicion_entry *entry;
    size_t room;
    result outcome;
};

static RESULT note_subject(struct listing *l, uint64_t subject)
{
    struct suspicion_entry *e = l->entry;
    if (e->count == l->room) {
        size_t room = l->room * 2 + 64;
        uint64_t *larger = mem_resize(e->subjects, room * sizeof(*larger));
        REQUIRE(larger != NULL, ERROR_LIMIT, ENOMEM);
        e->subjects = larger;
        l->room = room;
    }
    e->subjects[e->count++] = subject;
    return OK;
}

static RESULT list_change(struct listing *l, const struct registry_change *c)
{
    char request[LEDGER_REQUEST_ID], since[LEDGER_TIME_TEXT];
    if (c->op != REGISTRY_SUSPECT || !registry_is_suspected(l->admin->arguments->overlays[0], c->subject)) return OK;
    ledger_request_text(c->reason, request);
    ledger_time_format(c->time * 1000000, since);
    TRY(buf_printf(l->out, "%s{\"subject\":\"%016llx\",\"since\":\"%s\",\"request\":\"%s\",\"identifiers\":%zu}",
        l->entry->count > 0 ? "," : "", (unsigned long long)c->subject, since, request, c->key_count));
    return note_subject(l, c->subject);
}

static void each_change(void *ctx, const struct registry_change *c)
{
    struct listing *l = ctx;
    if (is_ok(l->outcome)) l->outcome = list_change(l, c);
}

RESULT suspicions_list(struct admin *a, struct buf *out, struct suspicion_entry *entry)
{
    struct buf journal;
    struct listing l = {.admin = a, .out = out, .entry = entry, .outcome = OK};
    entry->what = "list";
    TRY(buf_append(out, SPAN("{\"status\":\"ok\",\"suspected\":[")));
    TRY(journal_read(a, &journal));
    result r = registry_journal_each(a->key, buf_span(&journal), each_change, &l);
    buf_free(&journal);
    TRY(r);
    TRY(l.outcome);
    return buf_append(out, SPAN("]}\n"));
}

RESULT suspicions_clear(struct admin *a, const char *subject, const char *by, const char *reason, struct suspicion_entry *entry)
{
    uint8_t handle[8];
    struct registry_change c = {.op = REGISTRY_CLEAR, .time = os_realtime_us() / 1000000};
    REQUIRE(strlen(subject) == 16 && hex_decode(span_str(subject), handle, sizeof(handle)), ERROR_CONFIG, 0);
    c.subject = load_be64(handle);
    REQUIRE(registry_is_suspected(a->arguments->overlays[0], c.subject), ERROR_CONFIG, 0);
    REQUIRE(registry_reason_hash(a->key, span_str(by), span_str(reason), c.reason), ERROR_LIMIT, 0);
    *entry = (struct suspicion_entry){.what = "clear", .by = by, .subjects = mem_alloc(sizeof(uint64_t)), .count = 1};
    REQUIRE(entry->subjects != NULL, ERROR_LIMIT, ENOMEM);
    entry->subjects[0] = c.subject;
    return journal_apply(a, &c);
}
