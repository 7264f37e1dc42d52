/* The scribe with real processes and real rings: what was acknowledged is in the ledger, whatever dies. */
#include "ledger/support.h"
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#define ENTRIES_MAX 400000u

struct shared {
    _Atomic uint32_t next, acknowledged_count, refused;
    _Atomic bool stop;
    _Atomic uint8_t acknowledged[ENTRIES_MAX];
};

struct stage {
    struct site *site;
    struct ipc_area *area;
    struct shared *shared;
    int control;
    pid_t scribe;
};

static struct ledger_place standby; /* directory NULL: none */

static void start_scribe(struct stage *g, const char *fault, uint64_t nth, bool mark_life)
{
    int fds[2];
    static struct ipc_message m;
    assert_true(is_ok(ipc_channel_pair(fds)));
    g->scribe = fork();
    assert_true(g->scribe >= 0);
    if (g->scribe == 0) {
        os_close(&fds[0]);
        if (g->control >= 0) os_close(&g->control); /* another scribe's */
        struct ledger_scribe_config c = {.area = g->area,
            .control_fd = fds[1],
            .key_fd = -1,
            .root_fd = -1,
            .place = g->site->place,
            .standby = standby,
            .generation = 9,
            .mark_life = mark_life};
        if (fault) fault_arm(fault, nth);
        _exit(ledger_scribe_run(&c));
    }
    os_close(&fds[1]);
    g->control = fds[0];
    struct pollfd p = {.fd = g->control, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 20000), 1);
    assert_true(is_ok(ipc_channel_receive(g->control, &m)));
    assert_int_equal(m.type, fault && nth == 1 && strcmp(fault, "malloc") == 0 ? IPC_FAILED : IPC_READY);
    assert_true(m.type == IPC_FAILED || m.number == 9);
}

static struct stage stage_new(void)
{
    struct stage g = {.site = site_new(), .control = -1};
    assert_true(is_ok(ipc_area_new(6, &g.area)));
    g.shared = mmap(NULL, sizeof *g.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(g.shared != MAP_FAILED);
    return g;
}

static void stage_free(struct stage *g)
{
    os_close(&g->control);
    ipc_area_free(g->area);
    munmap(g->shared, sizeof *g->shared);
    site_free(g->site);
}

static int stop_scribe(struct stage *g)
{
    static struct ipc_message m;
    int status;
    ipc_message_set(&m, IPC_STOP, 0, "%s", "");
    assert_true(is_ok(ipc_channel_send(g->control, &m)));
    assert_int_equal(waitpid(g->scribe, &status, 0), g->scribe);
    os_close(&g->control);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define WINDOW 32u
static void settle(struct ipc_ring *ring, struct shared *s, uint64_t *tickets, uint32_t *numbers, unsigned *count)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < *count; i++) {
        enum ipc_ticket_state state = ipc_ring_state(ring, tickets[i]);
        if (state == IPC_TICKET_DURABLE) {
            atomic_store(&s->acknowledged[numbers[i]], 1);
            atomic_fetch_add(&s->acknowledged_count, 1);
        } else if (state == IPC_TICKET_FAILED) {
            atomic_fetch_add(&s->refused, 1);
        } else {
            tickets[kept] = tickets[i], numbers[kept++] = numbers[i];
        }
    }
    *count = kept;
}

static void work(struct stage *g, unsigned slot)
{
    struct ipc_ring *ring;
    uint64_t tickets[WINDOW];
    uint32_t numbers[WINDOW];
    unsigned count = 0;
    char entry[4096];
    ipc_area_keep_slot(g->area, slot);
    if (!is_ok(ipc_ring_attach(g->area, slot, &ring))) _exit(2);
    struct pollfd fd = {.fd = ipc_ring_wake_fd(ring), .events = POLLIN};
    for (;;) {
        ipc_ring_arm(ring);
        settle(ring, g->shared, tickets, numbers, &count);
        if (ipc_ring_failed(ring) && count == 0) _exit(74);
        if (atomic_load(&g->shared->stop) && count == 0) break;
        while (count < WINDOW && !atomic_load(&g->shared->stop)) {
            uint32_t n = atomic_fetch_add(&g->shared->next, 1);
            if (n >= ENTRIES_MAX) _exit(0);
            numbers[count] = n;
            result r = ipc_ring_publish(ring, span_of(entry, make_entry(n, 300, entry)), &tickets[count]);
            if (!is_ok(r)) break;
            count++;
        }
        if (poll(&fd, 1, 10000) == 0) _exit(5); /* a lost wake-up or a stuck scribe */
    }
    _exit(0);
}

static pid_t start_worker(struct stage *g, unsigned slot)
{
    ipc_area_open_slot(g->area, slot);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) work(g, slot);
    return pid;
}

static result tick_off(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    uint8_t *seen = ctx;
    unsigned long n;
    (void)index, (void)frame;
    const char *at = memmem(json.ptr, json.len, "\"n\":", 4);
    assert_non_null(at);
    n = strtoul(at + 4, NULL, 10);
    assert_true(n < ENTRIES_MAX);
    assert_int_equal(seen[n], 0); /* never twice */
    seen[n] = 1;
    return OK;
}

/* The ledger is sound, and everything acknowledged is in it. */
static void check_acknowledged(struct stage *g)
{
    struct ledger_report report;
    struct ledger_reader *r;
    uint8_t *seen = calloc(1, ENTRIES_MAX);
    assert_non_null(seen);
    enum ledger_judgement j = site_verify(g->site, &report);
    char text[256];
    ledger_problem_format(&report.first, text, sizeof text);
    if (j != LEDGER_IS_SOUND) fail_msg("%s", text);
    assert_true(is_ok(ledger_reader_open(g->site->directory, 0, &r)));
    assert_true(is_ok(ledger_reader_read(r, tick_off, seen, NULL)));
    ledger_reader_close(r);
    for (unsigned i = 0; i < ENTRIES_MAX; i++)
        if (atomic_load(&g->shared->acknowledged[i])) assert_int_equal(seen[i], 1);
    free(seen);
}

static void nap_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* As long as a machine busy with other things may take. */
static void wait_for_more_than(const struct stage *g, uint32_t before)
{
    for (unsigned i = 0; i < 2000 && atomic_load(&g->shared->acknowledged_count) <= before; i++)
        nap_ms(10);
}

//= ICE10036.2 4.6
static void test_scribe_killed_again_and_again(void **state)
{
    (void)state;
    struct stage g = stage_new();
    pid_t workers[2];
    int status;
    for (unsigned w = 0; w < 2; w++)
        workers[w] = start_worker(&g, w);
    for (unsigned round = 0; round < 25; round++) {
        uint32_t before = atomic_load(&g.shared->acknowledged_count);
        start_scribe(&g, NULL, 0, false);
        wait_for_more_than(&g, before);
        static struct ipc_message m;
        if (is_ok(ipc_channel_receive(g.control, &m))) fail_msg("%s: %s", ipc_type_name(m.type), m.text);
        assert_true(atomic_load(&g.shared->acknowledged_count) > before);
        nap_ms(round * 7 % 23);
        kill(g.scribe, SIGKILL);
        assert_int_equal(waitpid(g.scribe, &status, 0), g.scribe);
        os_close(&g.control);
        ipc_area_renew(g.area);
    }
    start_scribe(&g, NULL, 0, false);
    atomic_store(&g.shared->stop, true);
    for (unsigned w = 0; w < 2; w++) {
        assert_int_equal(waitpid(workers[w], &status, 0), workers[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(stop_scribe(&g), 0);
    assert_true(atomic_load(&g.shared->refused) > 0);
    check_acknowledged(&g);
    stage_free(&g);
}

static void test_a_worker_killed_is_replaced_and_the_other_notices_nothing(void **state)
{
    (void)state;
    struct stage g = stage_new();
    int status;
    start_scribe(&g, NULL, 0, false);
    pid_t steady = start_worker(&g, 0);
    for (unsigned round = 0; round < 20; round++) {
        pid_t victim = start_worker(&g, 1 + round % 3);
        nap_ms(5 + round);
        kill(victim, SIGKILL);
        assert_int_equal(waitpid(victim, &status, 0), victim);
    }
    atomic_store(&g.shared->stop, true);
    assert_int_equal(waitpid(steady, &status, 0), steady);
    assert_int_equal(status, 0);
    assert_int_equal(atomic_load(&g.shared->refused), 0);
    assert_int_equal(stop_scribe(&g), 0);
    check_acknowledged(&g);
    stage_free(&g);
}

/* The disk fails at the n-th write: nothing is acknowledged after it, the scribe says so and ends with 74. */
static void test_an_io_error_is_final(void **state)
{
    (void)state;
    static const char *const faults[] = {"write", "short-write", "fsync"};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        for (uint64_t nth = 1; nth <= 7; nth += 3) {
            struct stage g = stage_new();
            static struct ipc_message m;
            int status;
            bool at_start = strcmp(faults[i], "fsync") == 0; /* recovery makes one */
            start_scribe(&g, faults[i], nth + at_start, false);
            pid_t worker = start_worker(&g, 0);
            assert_int_equal(waitpid(g.scribe, &status, 0), g.scribe);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 74);
            assert_true(is_ok(ipc_channel_receive(g.control, &m)));
            assert_int_equal(m.type, IPC_FAILED);
            assert_int_equal(waitpid(worker, &status, 0), worker);
            assert_int_equal(WEXITSTATUS(status), 74);
            check_acknowledged(&g);
            stage_free(&g);
        }
    }
}

static result tick_off_once(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    uint8_t *seen = ctx;
    (void)index, (void)frame;
    const char *at = memmem(json.ptr, json.len, "\"n\":", 4);
    if (at) seen[strtoul(at + 4, NULL, 10)] = 1;
    return OK;
}

static void read_into(const char *directory, uint8_t *seen)
{
    struct ledger_reader *r;
    assert_true(is_ok(ledger_reader_open(directory, 0, &r)));
    assert_true(is_ok(ledger_reader_read(r, tick_off_once, seen, NULL)));
    ledger_reader_close(r);
}

static result find_link(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    char *text = ctx;
    (void)frame;
    if (index == 0) snprintf(text, 4096, "%.*s", SPAN_FMT(json));
    return OK;
}

/* The first ledger's disk fails: nobody is refused, everything acknowledged is in one of the two, both are sound, and the
 * second one's first entry names the end of the first. The next start goes on in the first, and links back. */
static void test_a_standby_takes_over(void **state)
{
    (void)state;
    static char link[4096];
    struct stage g = stage_new();
    struct site other = {.directory = ""};
    struct ledger_report first, second;
    uint8_t *seen = calloc(1, ENTRIES_MAX);
    int status;
    snprintf(other.directory, sizeof other.directory, "%s/standby", g.site->root);
    standby = (struct ledger_place){other.directory, g.site->key, "gate1367.example/standby", TEST_SEGMENT};
    assert_true(is_ok(ledger_init(&standby, &other.verifier)));
    start_scribe(&g, "write", 40, true);
    pid_t worker = start_worker(&g, 0);
    wait_for_more_than(&g, 2999);
    atomic_store(&g.shared->stop, true);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_int_equal(status, 0);
    assert_int_equal(atomic_load(&g.shared->refused), 0);
    assert_int_equal(stop_scribe(&g), 0);
    assert_int_equal(site_verify(g.site, &first), LEDGER_IS_SOUND);
    assert_int_equal(ledger_verify(other.directory, &other.verifier, NULL, NULL, &second), LEDGER_IS_SOUND);
    assert_true(first.entries > 0 && second.entries > 10);
    read_into(g.site->directory, seen);
    read_into(other.directory, seen);
    for (unsigned i = 0; i < ENTRIES_MAX; i++)
        if (atomic_load(&g.shared->acknowledged[i])) assert_int_equal(seen[i], 1);
    struct ledger_reader *r;
    assert_true(is_ok(ledger_reader_open(other.directory, 0, &r)));
    assert_true(is_ok(ledger_reader_read(r, find_link, link, NULL)));
    ledger_reader_close(r);
    assert_non_null(strstr(link, "\"link\":{\"origin\":\"gate1367.example/node-1\",\"size\":"));
    start_scribe(&g, NULL, 0, true);
    assert_int_equal(stop_scribe(&g), 0);
    assert_int_equal(site_verify(g.site, &first), LEDGER_IS_SOUND);
    standby.directory = NULL;
    free(seen);
    stage_free(&g);
}

static void test_a_liar_is_reported_and_its_neighbour_served(void **state)
{
    (void)state;
    struct stage g = stage_new();
    static struct ipc_message m;
    struct ipc_ring *liar;
    uint64_t ticket;
    int status;
    start_scribe(&g, NULL, 0, false);
    ipc_area_open_slot(g.area, 4);
    assert_true(is_ok(ipc_ring_attach(g.area, 4, &liar)));
    assert_true(is_ok(ipc_ring_publish(liar, SPAN("this is not an entry"), &ticket)));
    struct pollfd p = {.fd = g.control, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_true(is_ok(ipc_channel_receive(g.control, &m)));
    assert_int_equal(m.type, IPC_DISTRUST);
    assert_int_equal(m.number, 4);
    assert_int_equal(ipc_ring_state(liar, ticket), IPC_TICKET_PENDING);
    pid_t worker = start_worker(&g, 0);
    wait_for_more_than(&g, 0);
    atomic_store(&g.shared->stop, true);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_int_equal(status, 0);
    assert_true(atomic_load(&g.shared->acknowledged_count) > 0);
    assert_int_equal(stop_scribe(&g), 0);
    assert_int_not_equal(ipc_ring_state(liar, ticket), IPC_TICKET_DURABLE);
    ipc_ring_free(liar);
    check_acknowledged(&g);
    stage_free(&g);
}

/* SIGTERM reaches the whole service; workers that drain still need the scribe. It ends on its supervisor's word, or
 * when that is gone. */
static void test_sigterm_does_not_end_a_supervised_scribe(void **state)
{
    (void)state;
    struct stage g = stage_new();
    struct ledger_report report;
    int status;
    start_scribe(&g, NULL, 0, true);
    kill(g.scribe, SIGTERM);
    nap_ms(100);
    assert_int_equal(waitpid(g.scribe, &status, WNOHANG), 0);
    assert_int_equal(stop_scribe(&g), 0);
    assert_int_equal(site_verify(g.site, &report), LEDGER_IS_SOUND);
    assert_int_equal(report.entries, 2); /* start and stop */
    start_scribe(&g, NULL, 0, false);
    os_close(&g.control);
    assert_int_equal(waitpid(g.scribe, &status, 0), g.scribe);
    assert_int_equal(status, 0);
    stage_free(&g);
}

/* A worker asks once for all that it published, also where that is more than the scribe takes of one slot at a time: what
 * nobody asked for waits 20 ms. The best of some rounds, for the machine may be slow, but never early. */
static void test_who_asks_once_is_served_to_the_end(void **state)
{
    (void)state;
    struct stage g = stage_new();
    struct ipc_ring *ring;
    char entry[4096];
    uint64_t ticket = 0, best = UINT64_MAX;
    ipc_area_open_slot(g.area, 0);
    assert_true(is_ok(ipc_ring_attach(g.area, 0, &ring)));
    ipc_ring_set_quiet(ring, true);
    start_scribe(&g, NULL, 0, false);
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 150; i++)
            assert_true(is_ok(ipc_ring_publish(ring, span_of(entry, make_entry(round * 150 + i, 300, entry)), &ticket)));
        uint64_t since = os_monotonic_ns();
        ipc_ring_ask(ring, IPC_NOW);
        while (ipc_ring_state(ring, ticket) == IPC_TICKET_PENDING && os_monotonic_ns() - since < UINT64_C(5000000000))
            nap_ms(1);
        assert_int_equal(ipc_ring_state(ring, ticket), IPC_TICKET_DURABLE);
        if (os_monotonic_ns() - since < best) best = os_monotonic_ns() - since;
    }
    assert_true(best < UINT64_C(20000000));
    assert_int_equal(stop_scribe(&g), 0);
    ipc_ring_free(ring);
    stage_free(&g);
}

static uint64_t published_size(const struct stage *g)
{
    uint64_t size = 0;
    uint8_t root[32];
    assert_true(is_ok(ledger_published(g->site->directory, &g->site->verifier, &size, root)));
    return size;
}

/* How long until a checkpoint holds what is acknowledged now. */
static uint64_t published_after(const struct stage *g)
{
    uint64_t since = os_monotonic_ns(), now;
    uint32_t size = atomic_load(&g->shared->acknowledged_count);
    do {
        nap_ms(5);
        now = os_monotonic_ns();
        assert_true(now - since < UINT64_C(30000000000));
    } while (published_size(g) < size);
    return now - since;
}

/* While workers never stop asking, and the publisher has nowhere to rest. A machine that is busy with other things may be late
 * now and then, not always. */
static void test_what_is_committed_is_published_within_a_second_under_load(void **state)
{
    (void)state;
    struct stage g = stage_new();
    pid_t workers[2];
    int status;
    uint64_t best = UINT64_MAX;
    start_scribe(&g, NULL, 0, false);
    for (unsigned w = 0; w < 2; w++)
        workers[w] = start_worker(&g, w);
    while (atomic_load(&g.shared->acknowledged_count) < 1000)
        nap_ms(5);
    for (unsigned round = 0; round < 20 && best > UINT64_C(1000000000); round++) {
        uint64_t took = published_after(&g);
        if (took < best) best = took;
    }
    assert_true(best <= UINT64_C(1000000000));
    atomic_store(&g.shared->stop, true);
    for (unsigned w = 0; w < 2; w++) {
        assert_int_equal(waitpid(workers[w], &status, 0), workers[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(stop_scribe(&g), 0);
    assert_int_equal(published_size(&g), atomic_load(&g.shared->acknowledged_count)); /* good order: nothing is left */
    stage_free(&g);
}

static void test_a_damaged_ledger_is_refused_at_start(void **state)
{
    (void)state;
    struct stage g = stage_new();
    static struct ipc_message m;
    int fds[2], status;
    site_append(g.site, 3, 2, 10);
    flip(site_path(g.site, FIRST_SEGMENT), 4096 + 300, 1);
    assert_true(is_ok(ipc_channel_pair(fds)));
    pid_t pid = fork();
    if (pid == 0) {
        struct ledger_scribe_config c = {
            .area = g.area, .control_fd = fds[1], .key_fd = -1, .root_fd = -1, .place = g.site->place};
        _exit(ledger_scribe_run(&c));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(is_ok(ipc_channel_receive(fds[0], &m)));
    assert_int_equal(m.type, IPC_FAILED);
    assert_non_null(strstr(m.text, "wal/00000000000000000000.wal at byte 4096"));
    os_close(&fds[0]), os_close(&fds[1]);
    stage_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scribe_killed_again_and_again),
        cmocka_unit_test(test_a_worker_killed_is_replaced_and_the_other_notices_nothing),
        cmocka_unit_test(test_an_io_error_is_final),
        cmocka_unit_test(test_a_standby_takes_over),
        cmocka_unit_test(test_a_liar_is_reported_and_its_neighbour_served),
        cmocka_unit_test(test_sigterm_does_not_end_a_supervised_scribe),
        cmocka_unit_test(test_who_asks_once_is_served_to_the_end),
        cmocka_unit_test(test_what_is_committed_is_published_within_a_second_under_load),
        cmocka_unit_test(test_a_damaged_ledger_is_refused_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
