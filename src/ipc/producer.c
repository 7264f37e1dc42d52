#include "ipc/ring.h"
#include "os/os.h"
#include <errno.h>

struct ipc_ring {
    uint32_t magic;
    struct slot *slot;
    int scribe_fd, worker_fd;
    uint32_t generation;
    bool quiet;
    uint64_t head, sequence;
};
#define RING_MAGIC 0x72696e67u

result ipc_ring_attach(struct ipc_area *a, unsigned slot, struct ipc_ring **out)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(slot < a->slots && (a->kept < 0 || a->kept == (int)slot));
    struct ipc_ring *r = mem_alloc(sizeof *r);
    REQUIRE(r, ERROR_LIMIT, ENOMEM);
    struct slot *s = area_slot(a, slot);
    *r = (struct ipc_ring){.magic = RING_MAGIC, .slot = s, .scribe_fd = a->scribe_fd, .worker_fd = a->worker_fds[slot]};
    r->generation = epoch_generation(atomic_load(&s->epoch));
    r->head = mark_position(atomic_load(&s->head));
    *out = r;
    return OK;
}

void ipc_ring_free(struct ipc_ring *r)
{
    if (!r) return;
    MAGIC_CHECK(r, RING_MAGIC);
    r->magic = 0;
    mem_free(r);
}

static uint64_t units_used(const struct ipc_ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->slot->tail, memory_order_acquire);
    uint64_t position = mark_generation(tail) == r->generation ? mark_position(tail) : 0;
    return (r->head - position) & POSITION_MASK;
}

/* Full is said only after the wish to be woken stands and the tail was looked at once more: else the scribe could take
 * everything in between and the wake would be lost. */
static result check_room(struct ipc_ring *r, uint64_t need)
{
    uint64_t used = units_used(r);
    bool full = fault_hit("ring-full");
    if (LIKELY(used + need <= RING_UNITS && !full)) return OK;
    REQUIRE(used <= RING_UNITS, ERROR_INTERNAL, EPROTO);
    atomic_store(&r->slot->waiting, 1);
    atomic_thread_fence(memory_order_seq_cst);
    REQUIRE(units_used(r) + need <= RING_UNITS && !full, ERROR_LIMIT, EAGAIN);
    return OK;
}

static void ring_write(uint8_t *ring, size_t at, const void *from, size_t len)
{
    at &= IPC_RING_BYTES - 1;
    size_t first = len < IPC_RING_BYTES - at ? len : IPC_RING_BYTES - at;
    memcpy(ring + at, from, first);
    memcpy(ring, (const uint8_t *)from + first, len - first);
}

void ipc_ring_ask(struct ipc_ring *r, enum ipc_hurry hurry)
{
    MAGIC_CHECK(r, RING_MAGIC);
    atomic_store_explicit(&r->slot->wanted, make_mark(r->generation, r->head), memory_order_relaxed);
    atomic_fetch_or(&r->slot->asked, hurry);
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t least = atomic_load_explicit(&r->slot->sleeping, memory_order_relaxed);
    if (least == 0 || hurry < least) return;
    if (atomic_exchange(&r->slot->sleeping, 0)) os_event_signal(r->scribe_fd);
}

result ipc_ring_publish(struct ipc_ring *r, span entry, uint64_t *ticket)
{
    MAGIC_CHECK(r, RING_MAGIC);
    REQUIRE(entry.len > 0 && entry.len <= IPC_ENTRY_MAX, ERROR_LIMIT, EMSGSIZE);
    uint32_t epoch = atomic_load_explicit(&r->slot->epoch, memory_order_acquire);
    REQUIRE(!ipc_ring_failed(r) && epoch_generation(epoch) == r->generation, ERROR_IO, EIO);
    uint64_t need = entry_units(entry.len);
    TRY(check_room(r, need));
    struct entry_header header = {.length = (uint32_t)entry.len, .ticket = make_ticket(epoch, ++r->sequence)};
    uint8_t *ring = slot_ring(r->slot);
    size_t at = (size_t)(r->head * RING_UNIT);
    ring_write(ring, at, &header, sizeof header);
    ring_write(ring, at + sizeof header, entry.ptr, entry.len);
    r->head = (r->head + need) & POSITION_MASK;
    if (!r->quiet) atomic_store_explicit(&r->slot->waiting, 1, memory_order_relaxed);
    atomic_store_explicit(&r->slot->head, make_mark(r->generation, r->head), memory_order_release);
    if (!r->quiet) ipc_ring_ask(r, IPC_SOON);
    *ticket = header.ticket;
    return OK;
}

void ipc_ring_set_quiet(struct ipc_ring *r, bool quiet)
{
    MAGIC_CHECK(r, RING_MAGIC);
    r->quiet = quiet;
}

enum ipc_ticket_state ipc_ring_state(const struct ipc_ring *r, uint64_t ticket)
{
    uint64_t durable = atomic_load_explicit(&r->slot->durable, memory_order_acquire);
    if (durable >> SEQUENCE_BITS == ticket >> SEQUENCE_BITS && durable >= ticket) return IPC_TICKET_DURABLE;
    if (ipc_ring_failed(r)) return IPC_TICKET_FAILED;
    uint32_t epoch = atomic_load_explicit(&r->slot->epoch, memory_order_acquire);
    return ticket_pair(epoch) == ticket >> SEQUENCE_BITS ? IPC_TICKET_PENDING : IPC_TICKET_FAILED;
}

bool ipc_ring_failed(const struct ipc_ring *r)
{
    return atomic_load_explicit(&r->slot->failed, memory_order_acquire) != 0;
}

bool ipc_ring_standby(const struct ipc_ring *r)
{
    return atomic_load_explicit(&r->slot->standby, memory_order_relaxed) != 0;
}

bool ipc_ring_held(const struct ipc_ring *r)
{
    return atomic_load_explicit(&r->slot->held, memory_order_acquire) != 0;
}

enum ipc_room ipc_ring_room(const struct ipc_ring *r)
{
    uint32_t room = atomic_load_explicit(&r->slot->room, memory_order_relaxed);
    return room < IPC_ROOM_SHED ? (enum ipc_room)room : IPC_ROOM_SHED;
}

uint64_t ipc_ring_beat_ms(const struct ipc_ring *r)
{
    return atomic_load_explicit(&r->slot->beat_ms, memory_order_relaxed);
}

int ipc_ring_wake_fd(const struct ipc_ring *r)
{
    return r->worker_fd;
}

void ipc_ring_expect(struct ipc_ring *r)
{
    MAGIC_CHECK(r, RING_MAGIC);
    atomic_store(&r->slot->waiting, 1);
    atomic_thread_fence(memory_order_seq_cst);
}

void ipc_ring_arm(struct ipc_ring *r)
{
    os_event_drain(r->worker_fd);
    ipc_ring_expect(r);
}
