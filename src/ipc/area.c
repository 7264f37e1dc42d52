#include "ipc/ring.h"
#include "os/os.h"
#include <errno.h>
#include <sys/mman.h>

static result open_worker_fds(struct ipc_area *a)
{
    a->worker_fds = mem_array(a->slots, sizeof *a->worker_fds);
    REQUIRE(a->worker_fds, ERROR_LIMIT, ENOMEM);
    for (unsigned i = 0; i < a->slots; i++)
        a->worker_fds[i] = -1;
    for (unsigned i = 0; i < a->slots; i++)
        TRY(os_event_open(&a->worker_fds[i]));
    return os_event_open(&a->scribe_fd);
}

static result map_slots(struct ipc_area *a)
{
    size_t size = (size_t)a->slots * SLOT_BYTES;
    void *p =
        fault_hit("mmap") ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED, ERROR_IO, ENOMEM);
    a->memory = p;
    return OK;
}

result ipc_area_new(unsigned slots, struct ipc_area **out)
{
    REQUIRE(slots > 0 && slots <= IPC_SLOTS_MAX, ERROR_LIMIT, EINVAL);
    struct ipc_area *a = mem_alloc(sizeof *a);
    REQUIRE(a, ERROR_LIMIT, ENOMEM);
    *a = (struct ipc_area){.magic = AREA_MAGIC, .slots = slots, .kept = -1, .scribe_fd = -1};
    result r = map_slots(a);
    if (is_ok(r)) r = open_worker_fds(a);
    if (!is_ok(r)) {
        ipc_area_free(a);
        return r;
    }
    *out = a;
    return OK;
}

static void unmap_slots(struct ipc_area *a)
{
    if (!a->memory) return;
    if (a->kept < 0)
        munmap(a->memory, (size_t)a->slots * SLOT_BYTES);
    else
        munmap(area_slot(a, (unsigned)a->kept), SLOT_BYTES);
    a->memory = NULL;
}

void ipc_area_free(struct ipc_area *a)
{
    if (!a) return;
    MAGIC_CHECK(a, AREA_MAGIC);
    unmap_slots(a);
    for (unsigned i = 0; a->worker_fds && i < a->slots; i++)
        os_close(&a->worker_fds[i]);
    os_close(&a->scribe_fd);
    mem_free(a->worker_fds);
    a->magic = 0;
    mem_free(a);
}

unsigned ipc_area_slots(const struct ipc_area *a)
{
    return a->slots;
}

/* The epoch goes first: from then on the scribe takes nothing from the slot until a head of the new generation stands
 * there, and what it was copying meanwhile it throws away. Generations come round again, a ticket's after 1,024: what the scribe
 * told a worker of so long ago must not be left, or it would be told to this one. */
void ipc_area_open_slot(struct ipc_area *a, unsigned slot)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(slot < a->slots && a->kept < 0);
    struct slot *s = area_slot(a, slot);
    uint32_t old = atomic_load(&s->epoch);
    uint32_t generation = (epoch_generation(old) + 1) & 0xffff;
    atomic_store(&s->epoch, make_epoch(generation, epoch_scribe(old)));
    atomic_store(&s->waiting, 0);
    atomic_store(&s->asked, 0);
    atomic_store(&s->durable, 0);
    atomic_store(&s->tail, make_mark(generation, 0));
    atomic_store(&s->head, make_mark(generation, 0));
    os_event_drain(a->worker_fds[slot]);
}

bool ipc_area_slot_idle(const struct ipc_area *a, unsigned slot)
{
    ASSERT(slot < a->slots && a->kept < 0);
    struct slot *s = area_slot(a, slot);
    uint64_t head = atomic_load(&s->head), tail = atomic_load(&s->tail);
    return head == tail || (mark_position(head) == 0 && mark_generation(head) != mark_generation(tail));
}

void ipc_area_renew(struct ipc_area *a)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(a->kept < 0);
    for (unsigned i = 0; i < a->slots; i++) {
        struct slot *s = area_slot(a, i);
        uint32_t old = atomic_load(&s->epoch);
        atomic_store(&s->epoch, make_epoch(epoch_generation(old), epoch_scribe(old) + 1));
        os_event_signal(a->worker_fds[i]);
    }
}

void ipc_area_fail(struct ipc_area *a)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(a->kept < 0);
    for (unsigned i = 0; i < a->slots; i++) {
        atomic_store(&area_slot(a, i)->failed, 1);
        os_event_signal(a->worker_fds[i]);
    }
}

void ipc_area_hold(struct ipc_area *a, bool held)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(a->kept < 0);
    for (unsigned i = 0; i < a->slots; i++)
        atomic_store(&area_slot(a, i)->held, held);
}

/* The mapping is anonymous: once it is gone nothing in this process can bring it back. */
void ipc_area_keep_slot(struct ipc_area *a, unsigned slot)
{
    MAGIC_CHECK(a, AREA_MAGIC);
    ASSERT(slot < a->slots && a->kept < 0);
    for (unsigned i = 0; i < a->slots; i++) {
        if (i == slot) continue;
        munmap(area_slot(a, i), SLOT_BYTES);
        os_close(&a->worker_fds[i]);
    }
    a->kept = (int)slot;
}
