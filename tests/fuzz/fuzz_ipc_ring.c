/* A hostile producer: the input is what it writes into its slot, marks and ring, between the scribe's looks. The scribe
 * must stay inside the ring and inside its own buffer, and end; an honest slot beside it must not suffer. */
#include "ipc/ring.h"
#include "os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One act: where (2 bits) and what. Positions in the ring are near its ends and the tail. */
static span act(struct slot *s, span in)
{
    uint8_t what = in.ptr[0];
    size_t n = in.len > 9 ? 8 : 0;
    if (n == 0) return span_of(NULL, 0);
    uint64_t value = load_le64(in.ptr + 1);
    uint32_t generation = epoch_generation(atomic_load(&s->epoch));
    switch (what & 3) {
    case 0: atomic_store(&s->head, value); break;
    case 1:
        atomic_store(&s->head, make_mark(generation, mark_position(atomic_load(&s->tail)) + value % (RING_UNITS + 2)));
        break;
    case 2: /* a header at the tail, nearly right */
        store_le32(slot_ring(s) + (mark_position(atomic_load(&s->tail)) * RING_UNIT) % IPC_RING_BYTES,
            (uint32_t)value & 0x1ffff);
        store_le64(slot_ring(s) + (mark_position(atomic_load(&s->tail)) * RING_UNIT + 8) % IPC_RING_BYTES,
            make_ticket(atomic_load(&s->epoch), value >> 20));
        break;
    case 3: atomic_store(what & 4 ? &s->tail : &s->durable, value); break;
    }
    if (what & 8) memcpy(slot_ring(s) + value % (IPC_RING_BYTES - 8), in.ptr + 1, 8);
    return span_from(in, 9);
}

static void collect(struct ipc_collector *c, unsigned slot)
{
    static uint8_t out[IPC_ENTRY_MAX];
    size_t len = 0;
    uint64_t ticket;
    for (unsigned i = 0;; i++) {
        ASSERT(i <= RING_UNITS); /* a ring holds no more */
        enum ipc_take t = ipc_collector_take(c, slot, out, sizeof out, &len, &ticket);
        if (t != IPC_TAKE_ENTRY) break;
        ASSERT(len > 0 && len <= sizeof out);
        ipc_collector_durable(c, slot, ticket);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipc_area *area;
    struct ipc_ring *honest;
    struct ipc_collector *c;
    uint64_t ticket;
    if (!is_ok(ipc_area_new(2, &area))) return 0;
    ipc_area_open_slot(area, 0);
    ipc_area_open_slot(area, 1);
    ASSERT(is_ok(ipc_ring_attach(area, 1, &honest)) && is_ok(ipc_collector_new(area, &c)));
    for (span in = span_of(data, size); in.len > 0;) {
        in = act(area_slot(area, 0), in);
        collect(c, 0);
        (void)ipc_collector_may_sleep(c, IPC_SOON);
        if (in.len > 0 && in.ptr[0] & 0x80) ipc_area_open_slot(area, 0);
    }
    ASSERT(is_ok(ipc_ring_publish(honest, SPAN("still served"), &ticket)));
    collect(c, 1);
    ASSERT(ipc_ring_state(honest, ticket) == IPC_TICKET_DURABLE);
    ipc_collector_free(c);
    ipc_ring_free(honest);
    ipc_area_free(area);
    return 0;
}
