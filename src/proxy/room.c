/* How many clients fit. Each may need a connection to an origin, and who was let in must not go without one because others came
 * after him: so no more are let in than there are descriptors for both, nor than there is memory for. The others wait in the
 * kernel's queue for whoever leaves, and who is connected and asks for nothing leaves sooner then. How many are connected says
 * nothing about what anybody asked. */
#include "proxy/internal.h"

#define MEMORY_A_CLIENT ((uint64_t)32 << 10) /* idle ones take 21 KiB */
#define FEW 256        /* as many clients as any memory lets in */
#define UNREAD_SHARE 8 /* of limits.memory, beside it: heads in pieces, and what came behind a request */
#define LOOK_MS 10     /* while nobody is accepted */
#define SWEEP_MS 1000  /* all sessions are looked at */

/* Those too whose last bytes are on their way. */
static uint64_t clients(const struct worker *w) { return io_loop_connections(w->loop) - w->room.origins; }

static void looked(void *arg) { room_look(arg); }

/* Where nobody says how many may come, their connections do not take more memory than what they ask for. */
static uint64_t memory_room(const struct worker *w)
{
    uint64_t n = w->settings->memory_limit / MEMORY_A_CLIENT;
    return n > FEW ? n : FEW;
}

static void bound(struct worker *w, uint64_t most)
{
    if (most < w->room.most) w->room.most = most;
}

RESULT room_measure(struct worker *w, char *why, size_t size)
{
    struct os_files files;
    uint64_t wanted = w->settings->connection_limit, least = PROXY_FILES_RESERVE + PROXY_FILES_A_CLIENT;
    io_timer_init(&w->room.timer, w->loop, looked, w);
    TRY(os_count_files(&files));
    if (files.left < least) snprintf(why, size, "RLIMIT_NOFILE of %llu leaves no descriptor for a client", (unsigned long long)files.limit);
    REQUIRE(files.left >= least, ERROR_CONFIG, 0);
    w->room.files = files.left - PROXY_FILES_RESERVE;
    w->room.most = w->room.files / PROXY_FILES_A_CLIENT;
    if (wanted > w->room.most) {
        proxy_log("worker", "connections_bounded", "\"limit\":%llu,\"fit\":%llu,\"descriptors\":%llu", (unsigned long long)wanted,
            (unsigned long long)w->room.most, (unsigned long long)files.limit);
    }
    bound(w, wanted > 0 ? wanted : memory_room(w));
    uint64_t unread = w->settings->memory_limit / UNREAD_SHARE;
    io_bound_input(w->loop, unread);
    atomic_store_explicit(&w->arguments->counters->unread_room, unread, memory_order_relaxed);
    atomic_store_explicit(&w->arguments->counters->connection_room, w->room.most, memory_order_relaxed);
    return OK;
}

static void set_listening(struct worker *w, bool on)
{
    w->room.resting = !on;
    for (size_t i = 0; i < w->settings->listener_count; i++) {
        struct io_listener *l = w->listening[i].listener;
        if (l != NULL && on) io_listener_resume(l);
        if (l != NULL && !on) io_listener_pause(l);
    }
}

void room_for_another(struct worker *w)
{
    if (io_loop_connections(w->loop) >= w->room.files) (void)origin_close_one(w);
}

void room_taken(struct worker *w)
{
    if (w->room.resting || clients(w) < w->room.most) return;
    uint64_t now = io_now_ms();
    set_listening(w, false);
    worker_count(w, PROXY_CONNECTIONS_RESTED, 1);
    io_timer_after(&w->room.timer, LOOK_MS);
    if (w->room.told_ms != 0 && now - w->room.told_ms < PROXY_SUMMARY_MS) return;
    w->room.told_ms = now;
    proxy_log("worker", "connections_full", "\"most\":%llu,\"descriptors\":%llu", (unsigned long long)w->room.most,
        (unsigned long long)w->room.files);
}

void room_overrun(struct worker *w)
{
    uint64_t now = io_now_ms();
    worker_count(w, PROXY_UNREAD_BROKEN, 1);
    if (w->room.overrun_ms != 0 && now - w->room.overrun_ms < PROXY_SUMMARY_MS) return;
    w->room.overrun_ms = now;
    proxy_log("worker", "unread_full", "\"most\":%llu", (unsigned long long)(w->settings->memory_limit / UNREAD_SHARE));
}

static void sweep(struct worker *w)
{
    uint64_t now = io_now_ms();
    if (now - w->room.swept_ms < SWEEP_MS) return;
    w->room.swept_ms = now;
    session_close_idle(w, PROXY_DRAIN_IDLE_MS);
}

void room_look(struct worker *w)
{
    if (!w->room.resting || w->draining) return;
    if (clients(w) < w->room.most) {
        set_listening(w, true);
        return;
    }
    if (w->room.timer.armed) return; /* somebody has left, and his last bytes have not */
    io_timer_after(&w->room.timer, LOOK_MS);
    sweep(w);
}
