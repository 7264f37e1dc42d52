/* Private to ipc (and its tests): the shared layout of one slot, and what each end keeps for itself.
 *
 * One slot is a page of marks and then the ring. Three writers, a cache line each: the supervisor (epoch, failed), the
 * producer (head, waiting; asked, which the consumer takes back), the consumer (tail, durable, sleeping, room, …). A mark
 * carries the generation it belongs to, so that nobody has to reset at the right moment what somebody else writes:
 *
 *   epoch    generation:16 | scribe:16       a worker is put into the slot: generation+1; a scribe died: scribe+1
 *   head     generation:16 | position:48     in units of 64 bytes, rising for ever
 *   tail     generation:16 | position:48     of another generation: stands for position 0
 *   ticket   generation:10 | scribe:10 | sequence:44
 *   wanted   as head: up to where what was last asked for stands
 */
#ifndef GATE1367_IPC_RING_H
#define GATE1367_IPC_RING_H

#include "ipc/ipc.h"
#include <stdalign.h>
#include <stdatomic.h>

#define RING_UNIT 64u
#define RING_UNITS (IPC_RING_BYTES / RING_UNIT)
#define RING_PAGE 4096u
#define SLOT_BYTES (RING_PAGE + (size_t)IPC_RING_BYTES)
#define POSITION_BITS 48
#define POSITION_MASK ((UINT64_C(1) << POSITION_BITS) - 1)
#define SEQUENCE_BITS 44
#define SEQUENCE_MASK ((UINT64_C(1) << SEQUENCE_BITS) - 1)

struct slot {
    alignas(64) _Atomic uint32_t epoch;
    _Atomic uint32_t failed;
    _Atomic uint32_t held; /* the supervisor wants nothing to be released that would need an entry */
    alignas(64) _Atomic uint64_t head;
    _Atomic uint32_t waiting; /* the worker wants its eventfd */
    _Atomic uint32_t asked;   /* enum ipc_hurry, or-ed */
    _Atomic uint64_t wanted;  /* stands before `asked` does */
    alignas(64) _Atomic uint64_t tail;
    _Atomic uint64_t durable;  /* a ticket */
    _Atomic uint32_t sleeping; /* the scribe wants its eventfd for this hurry and more; 0: it is awake */
    _Atomic uint32_t room;     /* enum ipc_room */
    _Atomic uint32_t standby;  /* the scribe writes the second ledger */
    _Atomic uint64_t beat_ms;  /* when the scribe last came round */
};

/* Before each entry in the ring. */
struct entry_header {
    uint32_t length, spare;
    uint64_t ticket;
};
_Static_assert(sizeof(struct entry_header) == 16, "no padding");
_Static_assert(sizeof(struct slot) <= RING_PAGE, "marks fit the page");

struct ipc_area {
    uint32_t magic;
    unsigned slots;
    uint8_t *memory; /* slots × SLOT_BYTES; with `kept` only that slot is mapped */
    int kept;        /* -1: all */
    int scribe_fd;   /* wakes the scribe */
    int *worker_fds; /* one a slot */
};
#define AREA_MAGIC 0x61726561u

static inline struct slot *area_slot(const struct ipc_area *a, unsigned i)
{
    return (struct slot *)(void *)(a->memory + (size_t)i * SLOT_BYTES);
}
static inline uint8_t *slot_ring(struct slot *s)
{
    return (uint8_t *)s + RING_PAGE;
}
static inline uint32_t epoch_generation(uint32_t epoch)
{
    return epoch >> 16;
}
static inline uint32_t epoch_scribe(uint32_t epoch)
{
    return epoch & 0xffff;
}
static inline uint32_t make_epoch(uint32_t generation, uint32_t scribe)
{
    return generation << 16 | (scribe & 0xffff);
}
static inline uint64_t make_mark(uint32_t generation, uint64_t position)
{
    return (uint64_t)generation << POSITION_BITS | (position & POSITION_MASK);
}
static inline uint32_t mark_generation(uint64_t mark)
{
    return (uint32_t)(mark >> POSITION_BITS);
}
static inline uint64_t mark_position(uint64_t mark)
{
    return mark & POSITION_MASK;
}
/* The part of a ticket that says for which pair of processes it was made. */
static inline uint64_t ticket_pair(uint32_t epoch)
{
    return (uint64_t)(epoch_generation(epoch) & 0x3ff) << 10 | (epoch_scribe(epoch) & 0x3ff);
}
static inline uint64_t make_ticket(uint32_t epoch, uint64_t sequence)
{
    return ticket_pair(epoch) << SEQUENCE_BITS | (sequence & SEQUENCE_MASK);
}
static inline uint64_t entry_units(size_t length)
{
    return (sizeof(struct entry_header) + length + RING_UNIT - 1) / RING_UNIT;
}

#endif
