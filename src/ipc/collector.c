#include "ipc/ring.h"
#include "os/os.h"
#include <errno.h>

/* What the scribe knows of a slot. Nothing of it is read back from shared memory, where the producer could change it.
 */
struct taken {
    uint32_t generation;
    bool broken;
    uint64_t tail;
    uint64_t settled;  /* tail when what was taken became durable */
    uint64_t sequence; /* of the last entry seen */
};

struct ipc_collector {
    uint32_t magic;
    struct ipc_area *area;
    struct taken *slots;
};
#define COLLECTOR_MAGIC 0x636f6c6cu

/* A scribe that follows another goes on where that one stopped; its entries are told by the ticket's epoch. */
static void resume_slot(struct taken *t, struct slot *s)
{
    uint32_t generation = epoch_generation(atomic_load(&s->epoch));
    uint64_t tail = atomic_load(&s->tail);
    *t = (struct taken){.generation = generation};
    if (mark_generation(tail) == generation) t->tail = mark_position(tail);
}

result ipc_collector_new(struct ipc_area *a, struct ipc_collector **out)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(a->kept < 0);
    struct ipc_collector *c = mem_alloc(sizeof *c);
    REQUIRE(c, ERROR_LIMIT, ENOMEM);
    *c = (struct ipc_collector){.magic = COLLECTOR_MAGIC, .area = a};
    c->slots = mem_array(a->slots, sizeof *c->slots);
    if (!c->slots) {
        mem_free(c);
        return FAIL(ERROR_LIMIT, ENOMEM);
    }
    for (unsigned i = 0; i < a->slots; i++)
        resume_slot(&c->slots[i], area_slot(a, i));
    ipc_collector_awake(c, true);
    *out = c;
    return OK;
}

void ipc_collector_free(struct ipc_collector *c)
{
    if (!c) return;
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    c->magic = 0;
    mem_free(c->slots);
    mem_free(c);
}

static void wake_worker(struct ipc_collector *c, unsigned slot)
{
    atomic_thread_fence(memory_order_seq_cst);
    struct slot *s = area_slot(c->area, slot);
    if (!atomic_load_explicit(&s->waiting, memory_order_relaxed)) return;
    if (atomic_exchange(&s->waiting, 0)) os_event_signal(c->area->worker_fds[slot]);
}

static void ring_read(const uint8_t *ring, size_t at, void *to, size_t len)
{
    at &= IPC_RING_BYTES - 1;
    size_t first = len < IPC_RING_BYTES - at ? len : IPC_RING_BYTES - at;
    memcpy(to, ring + at, first);
    memcpy((uint8_t *)to + first, ring, len - first);
}

static void move_tail(struct taken *t, struct slot *s, uint64_t units)
{
    t->tail = (t->tail + units) & POSITION_MASK;
    atomic_store_explicit(&s->tail, make_mark(t->generation, t->tail), memory_order_release);
}

/* Units published and not taken, SIZE_MAX when the head is impossible. */
static size_t units_there(struct taken *t, struct slot *s, uint32_t epoch)
{
    if (epoch_generation(epoch) != t->generation) *t = (struct taken){.generation = epoch_generation(epoch)};
    if (t->broken) return 0;
    uint64_t head = atomic_load_explicit(&s->head, memory_order_acquire);
    if (mark_generation(head) != t->generation) return 0; /* the supervisor is about to open the slot */
    uint64_t units = (mark_position(head) - t->tail) & POSITION_MASK;
    return units <= RING_UNITS ? (size_t)units : SIZE_MAX;
}

static bool header_holds(const struct entry_header *h, const struct taken *t, size_t units)
{
    if (h->length == 0 || h->length > IPC_ENTRY_MAX || h->spare != 0) return false;
    if (entry_units(h->length) > units) return false;
    if (h->ticket >> (SEQUENCE_BITS + 10) != (t->generation & 0x3ff)) return false;
    return (h->ticket & SEQUENCE_MASK) > t->sequence;
}

static enum ipc_take break_slot(struct taken *t)
{
    t->broken = true;
    return IPC_TAKE_BROKEN;
}

enum ipc_take ipc_collector_take(
    struct ipc_collector *c, unsigned slot, uint8_t *out, size_t room, size_t *len, uint64_t *ticket)
{
    ASSERT(slot < c->area->slots);
    struct taken *t = &c->slots[slot];
    struct slot *s = area_slot(c->area, slot);
    for (;;) {
        uint32_t epoch = atomic_load_explicit(&s->epoch, memory_order_acquire);
        size_t units = units_there(t, s, epoch);
        if (units == 0) return IPC_TAKE_NONE;
        if (units == SIZE_MAX) return break_slot(t);
        struct entry_header h;
        size_t at = (size_t)(t->tail * RING_UNIT);
        ring_read(slot_ring(s), at, &h, sizeof h);
        if (!header_holds(&h, t, units)) return break_slot(t);
        bool stale = h.ticket >> SEQUENCE_BITS != ticket_pair(epoch);
        if (!stale && h.length > room) return IPC_TAKE_FULL;
        if (!stale) ring_read(slot_ring(s), at + sizeof h, out, h.length);
        /* A new worker may have begun to write over what was just copied. */
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load(&s->epoch) != epoch) continue;
        t->sequence = h.ticket & SEQUENCE_MASK;
        move_tail(t, s, entry_units(h.length));
        if (stale) { /* published for a scribe that died: its ticket has failed, and the room is free again */
            wake_worker(c, slot);
            continue;
        }
        *len = h.length;
        *ticket = h.ticket;
        return IPC_TAKE_ENTRY;
    }
}

void ipc_collector_distrust(struct ipc_collector *c, unsigned slot)
{
    ASSERT(slot < c->area->slots);
    c->slots[slot].broken = true;
}

void ipc_collector_durable(struct ipc_collector *c, unsigned slot, uint64_t ticket)
{
    ASSERT(slot < c->area->slots);
    c->slots[slot].settled = c->slots[slot].tail;
    atomic_store_explicit(&area_slot(c->area, slot)->durable, ticket, memory_order_release);
    wake_worker(c, slot);
}

void ipc_collector_set_room(struct ipc_collector *c, enum ipc_room room)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    for (unsigned i = 0; i < c->area->slots; i++)
        atomic_store_explicit(&area_slot(c->area, i)->room, (uint32_t)room, memory_order_relaxed);
}

void ipc_collector_set_standby(struct ipc_collector *c, bool standby)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    for (unsigned i = 0; i < c->area->slots; i++)
        atomic_store_explicit(&area_slot(c->area, i)->standby, standby, memory_order_relaxed);
}

void ipc_collector_beat(struct ipc_collector *c, uint64_t now_ms)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    for (unsigned i = 0; i < c->area->slots; i++)
        atomic_store_explicit(&area_slot(c->area, i)->beat_ms, now_ms, memory_order_relaxed);
}

void ipc_collector_fail(struct ipc_collector *c)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    ipc_area_fail(c->area);
}

/* A producer may ask for what is on its way already: once it is durable nothing is asked for any more, and what came in since
 * can wait for company. Read after `asked` was. */
static bool has_what_it_wants(const struct taken *t, const struct slot *s)
{
    uint64_t wanted = atomic_load_explicit(&s->wanted, memory_order_acquire);
    return mark_generation(wanted) == t->generation && ((t->settled - mark_position(wanted)) & POSITION_MASK) <= POSITION_MASK / 2;
}

/* One that broke the rules has no say, until somebody else is put into its slot. */
static bool has_a_say(const struct taken *t, struct slot *s)
{
    return !t->broken || epoch_generation(atomic_load(&s->epoch)) != t->generation;
}

unsigned ipc_collector_asked(struct ipc_collector *c)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    unsigned asked = 0;
    for (unsigned i = 0; i < c->area->slots; i++) {
        struct slot *s = area_slot(c->area, i);
        if (atomic_load_explicit(&s->asked, memory_order_relaxed) == 0 || !has_a_say(&c->slots[i], s)) continue;
        unsigned one = atomic_exchange(&s->asked, 0) & (IPC_SOON | IPC_NOW);
        if (!has_what_it_wants(&c->slots[i], s)) asked |= one;
    }
    return asked;
}

static bool nobody_asked(struct ipc_collector *c, enum ipc_hurry least)
{
    for (unsigned i = 0; i < c->area->slots; i++) {
        struct slot *s = area_slot(c->area, i);
        const struct taken *t = &c->slots[i];
        uint32_t asked = atomic_load(&s->asked) & (IPC_SOON | IPC_NOW);
        if (asked >= (uint32_t)least && has_a_say(t, s) && !has_what_it_wants(t, s)) return false;
    }
    return true;
}

bool ipc_collector_may_sleep(struct ipc_collector *c, enum ipc_hurry least)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    for (unsigned i = 0; i < c->area->slots; i++)
        atomic_store_explicit(&area_slot(c->area, i)->sleeping, least, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return nobody_asked(c, least);
}

void ipc_collector_awake(struct ipc_collector *c, bool readable)
{
    MAGIC_CHECK(c, COLLECTOR_MAGIC);
    for (unsigned i = 0; i < c->area->slots; i++)
        atomic_store_explicit(&area_slot(c->area, i)->sleeping, 0, memory_order_relaxed);
    if (readable) os_event_drain(c->area->scribe_fd);
}

int ipc_collector_fd(const struct ipc_collector *c)
{
    return c->area->scribe_fd;
}
