/* The asker beside a gateway: no answer waits for it. */
#include "witness/witness.h"

#include "ipc/ipc.h"
#include <poll.h>

#define NS_SECOND UINT64_C(1000000000)

struct role {
    const struct witness_role *config;
    struct witness_asker asker;
    bool told_late, told_refused, holds;
};

static void tell(const struct role *r, enum ipc_type type, const char *text)
{
    ipc_channel_tell(r->config->control, type, 0, text);
}

/* Seconds without a confirmation, by a clock that nobody sets: back would give him time, and forth would close a gateway. */
static uint64_t waiting(const struct witness_board *b)
{
    return (os_monotonic_ns() - atomic_load(&b->heard_ns)) / NS_SECOND;
}

static void judge_time(struct role *r)
{
    struct witness_board *b = r->config->board;
    bool late = waiting(b) >= r->config->settings->alarm_s;
    atomic_store(&b->late, late);
    if (late && !r->told_late) tell(r, IPC_ALARM, "the witness has not confirmed the ledger in time");
    r->told_late = late;
}

static enum witness_result ask(struct role *r)
{
    struct witness_board *b = r->config->board;
    uint64_t size = 0;
    enum witness_result w = witness_ask(&r->asker, &size);
    if (w == WITNESS_CONFIRMED) {
        atomic_store(&b->size, size);
        atomic_store(&b->confirmed, os_realtime_us() / 1000000);
        atomic_store(&b->heard_ns, os_monotonic_ns());
    }
    atomic_store(&b->refused, w == WITNESS_REFUSED);
    if (w == WITNESS_REFUSED && !r->told_refused)
        tell(r, IPC_ALARM, "the witness knows another ledger under this name: this one was rolled back or forked");
    r->told_refused = w == WITNESS_REFUSED;
    judge_time(r);
    return w;
}

/* False: it is over. */
static bool rest(const struct role *r)
{
    static struct ipc_message m;
    struct pollfd p = {.fd = r->config->control, .events = POLLIN};
    if (poll(&p, 1, (int)r->config->settings->every_ms) <= 0) return true;
    for (;;) {
        result got = ipc_channel_receive(r->config->control, &m);
        if (!is_ok(got) && got.class == ERROR_LIMIT) return true;
        if (!is_ok(got) || m.type == IPC_STOP) return false;
    }
}

/* Without a confirmation for too long nothing more is answered that needs an entry, until there is one again. After a refusal at
 * once; but nobody signs a refusal, and one that was made up on the way must not close a gateway for good. */
static void hold(struct role *r, bool held)
{
    if (held == r->holds) return;
    r->holds = held;
    atomic_store(&r->config->board->held, held);
    ipc_channel_tell(r->config->control, IPC_STATUS, held, "");
}

static int live(struct role *r)
{
    const struct witness_settings *s = r->config->settings;
    enum witness_result w = ask(r);
    /* Who died and lives again has a gateway to watch over, whether the witness answers just now or not. */
    if (s->strict && w != WITNESS_CONFIRMED && !r->config->reborn) {
        tell(r, IPC_FAILED, w == WITNESS_REFUSED ? "the witness knows another ledger under this name; see log recover"
                                                 : "the witness does not answer, and ledger.witness.strict asks for it");
        return 2;
    }
    tell(r, IPC_READY, "");
    do {
        bool wanting = r->holds || w == WITNESS_REFUSED || waiting(r->config->board) >= s->close_s;
        if (s->strict) hold(r, w != WITNESS_CONFIRMED && wanting);
    } while (rest(r) && (w = ask(r), true));
    return 0;
}

int witness_role_run(const struct witness_role *config)
{
    struct role *r = mem_alloc(sizeof *r);
    uint64_t time = 0;
    if (!r) return 2;
    *r = (struct role){.config = config, .holds = atomic_load(&config->board->held)};
    r->asker = (struct witness_asker){
        .directory = config->ledger.directory, .witness = config->settings->verifier, .place = config->settings->place};
    result e = ledger_verifier_read(config->ledger.directory, &r->asker.ledger);
    if (is_ok(e)) e = witness_remember(&r->asker, &time);
    if (is_ok(e) && config->confine) e = config->confine(config->confine_ctx);
    if (!config->reborn || atomic_load(&config->board->heard_ns) == 0) atomic_store(&config->board->heard_ns, os_monotonic_ns());
    if (time > 0) atomic_store(&config->board->confirmed, time);
    if (!is_ok(e)) tell(r, IPC_FAILED, ledger_error_text(e));
    int status = is_ok(e) ? live(r) : 2;
    mem_free(r);
    return status;
}
