#include "ipc/ring.h"
#include "os/os.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    struct ipc_area *area;
    struct ipc_ring *ring;
    struct ipc_collector *collector;
};

static struct pair make_pair(void)
{
    struct pair p = {0};
    assert_true(is_ok(ipc_area_new(3, &p.area)));
    ipc_area_open_slot(p.area, 1);
    assert_true(is_ok(ipc_ring_attach(p.area, 1, &p.ring)));
    assert_true(is_ok(ipc_collector_new(p.area, &p.collector)));
    return p;
}

static void drop_pair(struct pair *p)
{
    ipc_collector_free(p->collector);
    ipc_ring_free(p->ring);
    ipc_area_free(p->area);
}

static bool readable(int fd)
{
    struct pollfd f = {.fd = fd, .events = POLLIN};
    return poll(&f, 1, 0) == 1;
}

static enum ipc_take take(struct pair *p, uint8_t *out, size_t *len, uint64_t *ticket)
{
    return ipc_collector_take(p->collector, 1, out, IPC_ENTRY_MAX, len, ticket);
}

static void test_an_entry_arrives_and_is_acknowledged(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t out[IPC_ENTRY_MAX];
    size_t len = 0;
    uint64_t ticket, taken;
    ipc_ring_arm(p.ring);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("hello"), &ticket)));
    assert_int_equal(ipc_ring_state(p.ring, ticket), IPC_TICKET_PENDING);
    assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_ENTRY);
    assert_int_equal(len, 5);
    assert_memory_equal(out, "hello", 5);
    assert_int_equal(taken, ticket);
    assert_int_equal(ipc_ring_state(p.ring, ticket), IPC_TICKET_PENDING);
    assert_false(readable(ipc_ring_wake_fd(p.ring)));
    ipc_collector_durable(p.collector, 1, taken);
    assert_true(readable(ipc_ring_wake_fd(p.ring)));
    assert_int_equal(ipc_ring_state(p.ring, ticket), IPC_TICKET_DURABLE);
    assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_NONE);
    drop_pair(&p);
}

/* What nobody waits for wakes nobody, and is taken in its order with what somebody does. */
static void test_a_quiet_entry_waits_for_company(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t out[IPC_ENTRY_MAX];
    size_t len = 0;
    uint64_t first, second, taken;
    ipc_ring_arm(p.ring);
    assert_true(ipc_collector_may_sleep(p.collector, IPC_SOON));
    ipc_ring_set_quiet(p.ring, true);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("quiet"), &first)));
    assert_false(readable(ipc_collector_fd(p.collector)));
    assert_true(ipc_collector_may_sleep(p.collector, IPC_SOON)); /* nor keeps anybody awake */
    ipc_ring_set_quiet(p.ring, false);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("loud"), &second)));
    assert_true(readable(ipc_collector_fd(p.collector)));
    assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_ENTRY);
    assert_int_equal(taken, first);
    assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_ENTRY);
    assert_int_equal(taken, second);
    drop_pair(&p);
}

static void test_a_quiet_entry_can_be_told_of_later(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint64_t ticket;
    assert_true(ipc_collector_may_sleep(p.collector, IPC_SOON));
    ipc_ring_set_quiet(p.ring, true);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("quiet"), &ticket)));
    assert_false(readable(ipc_collector_fd(p.collector)));
    ipc_ring_ask(p.ring, IPC_SOON);
    assert_true(readable(ipc_collector_fd(p.collector)));
    drop_pair(&p);
}

/* A scribe that lets its group grow is not woken by who may have more to give. */
static void test_who_may_wait_does_not_wake_a_holding_scribe(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint64_t ticket;
    ipc_ring_set_quiet(p.ring, true);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("quiet"), &ticket)));
    assert_true(ipc_collector_may_sleep(p.collector, IPC_NOW));
    ipc_ring_ask(p.ring, IPC_SOON);
    assert_false(readable(ipc_collector_fd(p.collector)));
    assert_true(ipc_collector_may_sleep(p.collector, IPC_NOW));
    assert_false(ipc_collector_may_sleep(p.collector, IPC_SOON));
    assert_true(ipc_collector_may_sleep(p.collector, IPC_NOW));
    ipc_ring_ask(p.ring, IPC_NOW);
    assert_true(readable(ipc_collector_fd(p.collector)));
    assert_false(ipc_collector_may_sleep(p.collector, IPC_NOW));
    assert_int_equal(ipc_collector_asked(p.collector), IPC_SOON | IPC_NOW);
    assert_int_equal(ipc_collector_asked(p.collector), 0);
    ipc_collector_awake(p.collector, true);
    assert_false(readable(ipc_collector_fd(p.collector)));
    drop_pair(&p);
}

/* Who asks while what he asks for is on its way has asked for that alone: once it is durable, what came in since waits for
 * company again. */
static void test_asking_late_asks_for_nothing_more(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t out[IPC_ENTRY_MAX];
    size_t len = 0;
    uint64_t ticket, taken;
    ipc_ring_set_quiet(p.ring, true);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("first"), &ticket)));
    assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_ENTRY);
    ipc_ring_ask(p.ring, IPC_NOW); /* taken and not durable: it stands */
    assert_false(ipc_collector_may_sleep(p.collector, IPC_NOW));
    ipc_collector_durable(p.collector, 1, taken);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("second"), &ticket)));
    assert_true(ipc_collector_may_sleep(p.collector, IPC_SOON));
    assert_int_equal(ipc_collector_asked(p.collector), 0);
    ipc_ring_ask(p.ring, IPC_SOON); /* and alone: nothing is left of the first one */
    assert_true(readable(ipc_collector_fd(p.collector)));
    assert_int_equal(ipc_collector_asked(p.collector), IPC_SOON);
    drop_pair(&p);
}

/* Every length from 1 on, far more than the ring holds: each wraps somewhere else. */
static void test_bytes_survive_every_wrap(void **state)
{
    (void)state;
    struct pair p = make_pair();
    static uint8_t in[IPC_ENTRY_MAX], out[IPC_ENTRY_MAX];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t n = 1, step = 0; n <= IPC_ENTRY_MAX; n += 1 + step++ % 97) {
        size_t len = 0;
        uint64_t ticket, taken;
        assert_true(is_ok(ipc_ring_publish(p.ring, span_of(in, n), &ticket)));
        assert_int_equal(take(&p, out, &len, &taken), IPC_TAKE_ENTRY);
        assert_int_equal(len, n);
        assert_memory_equal(in, out, n);
    }
    drop_pair(&p);
}

static void test_full_is_back_pressure_and_never_a_drop(void **state)
{
    (void)state;
    struct pair p = make_pair();
    static uint8_t entry[10000], out[IPC_ENTRY_MAX];
    unsigned published = 0, taken = 0;
    uint64_t ticket, last = 0;
    size_t len;
    result r;
    for (;;) {
        memset(entry, (int)(published & 0xff), sizeof entry);
        r = ipc_ring_publish(p.ring, span_of(entry, sizeof entry), &ticket);
        if (!is_ok(r)) break;
        assert_true(ticket > last);
        last = ticket;
        published++;
    }
    assert_int_equal(r.class, ERROR_LIMIT);
    assert_int_equal(r.code, EAGAIN);
    assert_int_equal(published, IPC_RING_BYTES / (157 * 64));
    for (; take(&p, out, &len, &ticket) == IPC_TAKE_ENTRY; taken++)
        assert_int_equal(out[0], taken & 0xff);
    assert_int_equal(taken, published);
    assert_true(is_ok(ipc_ring_publish(p.ring, span_of(entry, sizeof entry), &ticket)));
    drop_pair(&p);
}

static void test_limits_of_one_entry(void **state)
{
    (void)state;
    struct pair p = make_pair();
    static uint8_t entry[IPC_ENTRY_MAX + 1], out[IPC_ENTRY_MAX];
    uint64_t ticket;
    size_t len;
    assert_int_equal(ipc_ring_publish(p.ring, span_of(entry, sizeof entry), &ticket).code, EMSGSIZE);
    assert_int_equal(ipc_ring_publish(p.ring, span_of(entry, 0), &ticket).code, EMSGSIZE);
    assert_true(is_ok(ipc_ring_publish(p.ring, span_of(entry, IPC_ENTRY_MAX), &ticket)));
    assert_int_equal(ipc_collector_take(p.collector, 1, out, 100, &len, &ticket), IPC_TAKE_FULL);
    assert_int_equal(take(&p, out, &len, &ticket), IPC_TAKE_ENTRY);
    drop_pair(&p);
}

static void test_scribe_killed_fails_what_was_outstanding(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t out[IPC_ENTRY_MAX];
    uint64_t done, taken, waiting, after, t;
    size_t len;
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("durable"), &done)));
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("taken"), &taken)));
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("waiting"), &waiting)));
    take(&p, out, &len, &t);
    ipc_collector_durable(p.collector, 1, t);
    take(&p, out, &len, &t);
    ipc_collector_free(p.collector);
    ipc_ring_arm(p.ring);
    ipc_area_renew(p.area);
    assert_true(readable(ipc_ring_wake_fd(p.ring)));
    assert_int_equal(ipc_ring_state(p.ring, done), IPC_TICKET_DURABLE);
    assert_int_equal(ipc_ring_state(p.ring, taken), IPC_TICKET_FAILED);
    assert_int_equal(ipc_ring_state(p.ring, waiting), IPC_TICKET_FAILED);
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("after"), &after)));
    assert_int_equal(ipc_ring_state(p.ring, after), IPC_TICKET_PENDING);
    assert_true(is_ok(ipc_collector_new(p.area, &p.collector)));
    assert_int_equal(take(&p, out, &len, &t), IPC_TAKE_ENTRY);
    assert_memory_equal(out, "after", 5);
    ipc_collector_durable(p.collector, 1, t);
    assert_int_equal(ipc_ring_state(p.ring, after), IPC_TICKET_DURABLE);
    assert_int_equal(ipc_ring_state(p.ring, waiting), IPC_TICKET_FAILED);
    drop_pair(&p);
}

static void test_new_worker_gets_the_slot_of_a_dead_one(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t out[IPC_ENTRY_MAX];
    uint64_t stale, fresh, t;
    size_t len;
    for (int i = 0; i < 5; i++)
        assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("old"), &stale)));
    take(&p, out, &len, &t);
    assert_false(ipc_area_slot_idle(p.area, 1));
    ipc_area_open_slot(p.area, 1);
    assert_true(ipc_area_slot_idle(p.area, 1));
    struct ipc_ring *old = p.ring;
    assert_true(is_ok(ipc_ring_attach(p.area, 1, &p.ring)));
    assert_int_equal(ipc_ring_state(old, stale), IPC_TICKET_FAILED);
    assert_int_equal(ipc_ring_publish(old, SPAN("ghost"), &t).class, ERROR_IO);
    ipc_collector_durable(p.collector, 1, stale); /* an answer that comes late */
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("new"), &fresh)));
    assert_int_equal(ipc_ring_state(p.ring, fresh), IPC_TICKET_PENDING);
    assert_int_equal(take(&p, out, &len, &t), IPC_TAKE_ENTRY);
    assert_memory_equal(out, "new", 3);
    assert_int_equal(t, fresh);
    ipc_ring_free(old);
    drop_pair(&p);
}

/* Generations come round, a ticket's after 1,024, a mark's after 65,536: what the scribe said to a worker of so long ago it has not
 * said to this one. Nobody in between published anything. */
static void test_generations_come_round(void **state)
{
    (void)state;
    static const unsigned rounds[] = {1024, 65536};
    for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
        struct pair p = make_pair();
        uint8_t out[IPC_ENTRY_MAX];
        uint64_t fresh, t;
        size_t len;
        for (int k = 0; k < 3; k++) {
            assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("of old"), &t)));
            assert_int_equal(take(&p, out, &len, &t), IPC_TAKE_ENTRY);
            ipc_collector_durable(p.collector, 1, t);
        }
        for (unsigned k = 0; k < rounds[i]; k++) {
            ipc_area_open_slot(p.area, 1);
            assert_int_equal(take(&p, out, &len, &t), IPC_TAKE_NONE);
        }
        ipc_ring_free(p.ring);
        assert_true(is_ok(ipc_ring_attach(p.area, 1, &p.ring)));
        assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("new"), &fresh)));
        assert_int_equal(ipc_ring_state(p.ring, fresh), IPC_TICKET_PENDING);
        assert_int_equal(take(&p, out, &len, &t), IPC_TAKE_ENTRY);
        assert_memory_equal(out, "new", 3);
        ipc_collector_durable(p.collector, 1, t);
        assert_int_equal(ipc_ring_state(p.ring, fresh), IPC_TICKET_DURABLE);
        drop_pair(&p);
    }
}

static void test_failure_for_good_reaches_everybody(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint64_t ticket;
    assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("x"), &ticket)));
    ipc_collector_fail(p.collector);
    assert_int_equal(ipc_ring_state(p.ring, ticket), IPC_TICKET_FAILED);
    assert_int_equal(ipc_ring_publish(p.ring, SPAN("y"), &ticket).class, ERROR_IO);
    assert_true(readable(ipc_ring_wake_fd(p.ring)));
    drop_pair(&p);
}

/* A hostile producer writes what it likes into its slot: the scribe must notice, and survive. */
static void break_head(struct slot *s, uint8_t *ring)
{
    (void)ring, atomic_fetch_add(&s->head, RING_UNITS + 1);
}
static void break_length(struct slot *s, uint8_t *ring)
{
    (void)s, memset(ring, 0xff, 4);
}
static void break_no_length(struct slot *s, uint8_t *ring)
{
    (void)s, memset(ring, 0, 4);
}
static void break_past_head(struct slot *s, uint8_t *ring)
{
    (void)s, store_le32(ring, 500);
}
static void break_spare(struct slot *s, uint8_t *ring)
{
    (void)s, ring[4] = 1;
}
static void break_generation(struct slot *s, uint8_t *ring)
{
    (void)s, ring[15] ^= 0x80;
}
static void break_sequence(struct slot *s, uint8_t *ring)
{
    (void)s, memset(ring + 8, 0, 5);
}

static void test_a_producer_that_lies_is_found_out(void **state)
{
    (void)state;
    static void (*const breaks[])(struct slot *, uint8_t *) = {
        break_head, break_length, break_no_length, break_past_head, break_spare, break_generation, break_sequence};
    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        struct pair p = make_pair();
        uint8_t out[IPC_ENTRY_MAX];
        uint64_t ticket;
        size_t len;
        assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("entry"), &ticket)));
        breaks[i](area_slot(p.area, 1), slot_ring(area_slot(p.area, 1)));
        assert_int_equal(take(&p, out, &len, &ticket), IPC_TAKE_BROKEN);
        assert_int_equal(take(&p, out, &len, &ticket), IPC_TAKE_NONE);
        assert_int_equal(ipc_collector_asked(p.collector), 0); /* nor does it keep anybody from sleep */
        assert_true(ipc_collector_may_sleep(p.collector, IPC_SOON));
        ipc_area_open_slot(p.area, 1); /* the next worker is believed again */
        ipc_ring_free(p.ring);
        assert_true(is_ok(ipc_ring_attach(p.area, 1, &p.ring)));
        assert_true(is_ok(ipc_ring_publish(p.ring, SPAN("entry"), &ticket)));
        assert_int_equal(ipc_collector_asked(p.collector), IPC_SOON);
        assert_int_equal(take(&p, out, &len, &ticket), IPC_TAKE_ENTRY);
        drop_pair(&p);
    }
}

/* Two real processes, both sleeping whenever they can: a lost wake-up would hang here. */
#define ROUNDS 50000u
static void produce(struct ipc_area *area)
{
    struct ipc_ring *ring;
    ipc_area_keep_slot(area, 2);
    if (!is_ok(ipc_ring_attach(area, 2, &ring))) _exit(2);
    uint64_t ticket = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint8_t entry[3000];
        store_le64(entry, i);
        struct pollfd f = {.fd = ipc_ring_wake_fd(ring), .events = POLLIN};
        result r;
        while (!is_ok(r = ipc_ring_publish(ring, span_of(entry, 8 + i * 7 % 2900), &ticket))) {
            if (r.code != EAGAIN || poll(&f, 1, 5000) != 1) _exit(3);
            ipc_ring_arm(ring);
        }
        if (i % 100 != 99) continue;
        while (ipc_ring_arm(ring), ipc_ring_state(ring, ticket) == IPC_TICKET_PENDING)
            if (poll(&f, 1, 5000) != 1) _exit(4);
        if (ipc_ring_state(ring, ticket) != IPC_TICKET_DURABLE) _exit(5);
    }
    _exit(0);
}

static void test_two_processes_never_lose_a_wake(void **state)
{
    (void)state;
    struct ipc_area *area;
    struct ipc_collector *c;
    assert_true(is_ok(ipc_area_new(3, &area)));
    ipc_area_open_slot(area, 2);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) produce(area);
    assert_true(is_ok(ipc_collector_new(area, &c)));
    uint8_t out[IPC_ENTRY_MAX];
    uint64_t next = 0, ticket;
    size_t len;
    while (next < ROUNDS) {
        uint64_t before = next;
        while (ipc_collector_take(c, 2, out, sizeof out, &len, &ticket) == IPC_TAKE_ENTRY) {
            assert_int_equal(load_le64(out), next);
            assert_int_equal(len, 8 + next * 7 % 2900);
            next++;
        }
        if (next > before) {
            ipc_collector_durable(c, 2, ticket);
            continue;
        }
        struct pollfd f = {.fd = ipc_collector_fd(c), .events = POLLIN};
        if (ipc_collector_may_sleep(c, IPC_SOON)) assert_int_equal(poll(&f, 1, 5000), 1);
        ipc_collector_awake(c, true);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ipc_collector_free(c);
    ipc_area_free(area);
}

static void test_every_allocation_failing(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct pair p = {0};
        fault_arm("malloc", n);
        result r = ipc_area_new(2, &p.area);
        if (is_ok(r)) r = ipc_ring_attach(p.area, 0, &p.ring);
        if (is_ok(r)) r = ipc_collector_new(p.area, &p.collector);
        fault_arm("malloc", 0);
        drop_pair(&p);
        if (is_ok(r)) {
            assert_true(n > 4);
            break;
        }
        assert_int_equal(r.class, ERROR_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_arrives_and_is_acknowledged),
        cmocka_unit_test(test_a_quiet_entry_waits_for_company),
        cmocka_unit_test(test_a_quiet_entry_can_be_told_of_later),
        cmocka_unit_test(test_who_may_wait_does_not_wake_a_holding_scribe),
        cmocka_unit_test(test_asking_late_asks_for_nothing_more),
        cmocka_unit_test(test_bytes_survive_every_wrap),
        cmocka_unit_test(test_full_is_back_pressure_and_never_a_drop),
        cmocka_unit_test(test_limits_of_one_entry),
        cmocka_unit_test(test_scribe_killed_fails_what_was_outstanding),
        cmocka_unit_test(test_new_worker_gets_the_slot_of_a_dead_one),
        cmocka_unit_test(test_generations_come_round),
        cmocka_unit_test(test_failure_for_good_reaches_everybody),
        cmocka_unit_test(test_a_producer_that_lies_is_found_out),
        cmocka_unit_test(test_two_processes_never_lose_a_wake),
        cmocka_unit_test(test_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
