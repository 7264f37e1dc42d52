/* A definitive marker in a unit makes the unit's own identifiers suspected, durably and in every worker, before the answer
 * that showed it leaves. Admin writes the journal and the overlay; we wait for its word, and then decide once more: what
 * else this answer holds of the same person is covered already.
 *
 *   worker ─ring─► admin: journal (fsync) ─► overlays ─► durable ticket ─► worker: decide again ─► RECORD
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2   "reason to believe" is enough, and it lasts until a named person ends it */
#include "proxy/internal.h"
#include <errno.h>

#define SUSPICION_US 5000000 /* for admin's word, a restart of it included */

void suspect_forget(struct exchange *x)
{
    struct exchange **at = &x->worker->suspecting;
    if (!x->suspecting) return;
    while (*at != x) at = &(*at)->next_suspecting;
    *at = x->next_suspecting;
    x->suspecting = false;
}

void suspect_moved(struct worker *w)
{
    struct exchange *list = w->suspecting;
    w->suspecting = NULL;
    for (struct exchange *x = list; x != NULL; x = x->next_suspecting) x->suspecting = false;
    while (list != NULL) {
        struct exchange *x = list;
        list = x->next_suspecting;
        exchange_run(x);
    }
}

static enum flow wait_for_admin(struct exchange *x)
{
    struct worker *w = x->worker;
    if (x->suspecting) return FLOW_WAIT;
    x->suspecting = true;
    x->next_suspecting = w->suspecting;
    w->suspecting = x;
    io_timer_at(&x->timer, x->suspicion_due_us);
    return FLOW_WAIT;
}

/* Request id, then for each suspicion the number of its fingerprints, and these. */
static size_t encode(const struct exchange *x, uint8_t *out, size_t *next)
{
    const struct engine_outcome *o = gate_outcome(x->gate);
    size_t len = 16;
    ledger_request_bytes(x->id, out);
    for (*next = x->suspicion_at; *next < o->suspicion_count; (*next)++) {
        const struct engine_suspicion *s = &o->suspicions[*next];
        if (len + 4 + 16 * s->count > IPC_ENTRY_MAX) break;
        store_le32(out + len, (uint32_t)s->count);
        len += 4;
        for (size_t i = 0; i < s->count; i++, len += 16) {
            store_le64(out + len, s->prints[i].a);
            store_le64(out + len + 8, s->prints[i].b);
        }
    }
    return len;
}

static RESULT publish(struct exchange *x)
{
    uint8_t *message;
    struct buf *scratch = &x->worker->scratch;
    buf_clear(scratch);
    TRY(buf_reserve(scratch, IPC_ENTRY_MAX, &message));
    while (x->suspicion_at < gate_outcome(x->gate)->suspicion_count) {
        size_t next, len = encode(x, message, &next);
        TRY(ipc_ring_publish(x->worker->arguments->suspicions, span_of(message, len), &x->suspicion_ticket));
        if (x->suspicion_at == 0) x->suspicion_first = x->suspicion_ticket;
        x->suspicion_at = next;
    }
    return OK;
}

static enum gate_failure decide_again(struct exchange *x, bool suspicions)
{
    struct engine_begin b = x->begin;
    b.page = pages_window(x);
    b.suspicions = suspicions;
    x->registry_at = registry_position(b.registry);
    return gate_decide_again(x->gate, x->engine, &b);
}

#define CATCH_UP_MOST 4 /* changes that come one upon the other hold nobody up for ever */

/* A body is looked up as it comes, and its origin may take long: whoever was told meanwhile that a change is in force sees no answer
 * decided without it. (Pages are read at once when all of them are here, parts decided as they come.) */
//= ICE10036.2 2.1
static void catch_up(struct exchange *x)
{
    const struct registry *r = x->worker->arguments->registry;
    if (x->paging != NULL || (x->failure != GATE_FINE && x->failure != GATE_REGISTRY)) return;
    for (unsigned i = 0; i < CATCH_UP_MOST && gate_may_decide_again(x->gate) && x->registry_at != registry_position(r); i++) {
        enum gate_failure f = decide_again(x, !mirror_is_on(x));
        if (f != GATE_FINE) x->failure = f;
    }
}

static enum flow go_on(struct exchange *x)
{
    if (x->suspects_part) x->step = STEP_RECORD;
    else exchange_conclude(x);
    x->suspects_part = false;
    x->suspicion_due_us = 0;
    x->suspicion_at = 0;
    return FLOW_GO;
}

/* What a part holds was judged as documents of their own, which do not refer to each other. */
static enum flow known_now(struct exchange *x)
{
    io_timer_clear(&x->timer);
    suspect_forget(x);
    worker_count(x->worker, PROXY_SUSPICIONS, 1);
    enum gate_failure f = x->suspects_part ? GATE_FINE : decide_again(x, false);
    if (x->failure == GATE_FINE) x->failure = f;
    /* Who is covered by now leaves the page shorter: the origin may have to be asked once more. */
    if (x->paging == NULL || x->failure != GATE_FINE) return go_on(x);
    x->suspicion_due_us = 0; /* whom its further documents show is told anew */
    x->suspicion_at = 0;
    return pages_look(x, go_on);
}

static enum flow give_up(struct exchange *x)
{
    io_timer_clear(&x->timer);
    suspect_forget(x);
    worker_alarm(x->worker, GATE_SUSPICION);
    return x->suspects_part ? parts_fail(x, GATE_SUSPICION) : exchange_fail(x, GATE_SUSPICION);
}

static enum flow ask_admin(struct exchange *x)
{
    result r = publish(x);
    if (is_ok(r) || (r.class == ERROR_LIMIT && r.code == EAGAIN)) return wait_for_admin(x);
    return give_up(x);
}

/* Where the overlay is full nobody restricted is answered at all, so that what is not kept covers nobody less. */
static bool is_needed(const struct exchange *x)
{
    bool read = x->failure == GATE_FINE || x->failure == GATE_REGISTRY || x->suspects_part;
    if (!read || gate_outcome(x->gate)->suspicion_count == 0) return false;
    return x->class == RECIPIENT_RESTRICTED || registry_suspicion_room(x->worker->arguments->registry);
}

/* A new admin knows nothing of what its predecessor was told: where the first message fell to that one, the last, which
 * may have come later, says nothing of it. */
static enum ipc_ticket_state state_of_all(const struct exchange *x)
{
    const struct ipc_ring *ring = x->worker->arguments->suspicions;
    if (ipc_ring_state(ring, x->suspicion_first) == IPC_TICKET_FAILED) return IPC_TICKET_FAILED;
    return ipc_ring_state(ring, x->suspicion_ticket);
}

enum flow step_suspect(struct exchange *x)
{
    if (gate_failure_thrown(GATE_SUSPICION)) return give_up(x);
    if (x->suspicion_due_us == 0) catch_up(x);
    if (!is_needed(x)) return go_on(x);
    uint64_t now = io_now_us();
    if (x->suspicion_due_us == 0) x->suspicion_due_us = now + SUSPICION_US;
    if (now >= x->suspicion_due_us) return give_up(x);
    if (x->suspicion_at == 0) return ask_admin(x);
    enum ipc_ticket_state state = state_of_all(x);
    if (state == IPC_TICKET_FAILED) x->suspicion_at = 0; /* admin was replaced: its successor hears all of it again */
    if (x->suspicion_at < gate_outcome(x->gate)->suspicion_count) return ask_admin(x);
    return state == IPC_TICKET_DURABLE ? known_now(x) : wait_for_admin(x);
}
