#include "os/os.h"
#include "support.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void close_others(void *ctx)
{
    (void)ctx;
    for (int fd = 3; fd < 40; fd++)
        dup2(2, fd);
    static const int keep[] = {20, 7, 21, 39};
    if (!is_ok(os_close_others(keep, ARRAY_LEN(keep)))) _exit(100);
    for (int fd = 3; fd < 60; fd++) {
        bool kept = fd == 7 || fd == 20 || fd == 21 || fd == 39;
        if (is_open(fd) != kept) _exit(fd);
    }
    if (!is_ok(os_close_others(NULL, 0)) || is_open(7) || !is_open(2)) _exit(101);
}

static void test_close_others(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(close_others, NULL), 0);
}

static void spoil(void)
{
    _exit(100);
}

static void leave(void *ctx)
{
    (void)ctx;
    atexit(spoil);
    os_leave(7);
}

/* What the parent would do at its end is not done by its children. */
static void test_leave(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(leave, NULL), -7);
}

static void test_clocks(void **state)
{
    (void)state;
    uint64_t mono = os_monotonic_ns(), real = os_realtime_us();
    assert_true(os_monotonic_ns() >= mono);
    time_t now = time(NULL);
    assert_true(real / 1000000 <= (uint64_t)now + 1 && real / 1000000 + 2 >= (uint64_t)now);
    assert_true(os_cpu_ns() > 0);
}

static void test_random(void **state)
{
    (void)state;
    uint8_t a[64] = {0}, b[64] = {0};
    assert_ok(os_random(a, sizeof a));
    assert_ok(os_random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    fault_arm("random", 1);
    assert_fails(os_random(a, sizeof a), ERROR_IO);
    fault_arm("random", 0);
}

static void test_events(void **state)
{
    (void)state;
    int fd;
    assert_ok(os_event_open(&fd));
    assert_int_equal(os_event_drain(fd), 0);
    os_event_signal(fd);
    os_event_signal(fd);
    assert_int_equal(os_event_drain(fd), 2);
    assert_int_equal(os_event_drain(fd), 0);
    assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
    os_event_signal(fd); /* full: does not block */
    assert_true(os_event_drain(fd) == UINT64_MAX - 1);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    os_close(&fd);
}

static void take_signals(void *ctx)
{
    (void)ctx;
    int fd;
    if (!is_ok(os_signals_open((const int[]){SIGHUP, SIGTERM, 0}, &fd))) _exit(1);
    if (os_signals_next(fd) != 0) _exit(2);
    kill(getpid(), SIGTERM);
    if (os_signals_next(fd) != SIGTERM || os_signals_next(fd) != 0) _exit(3);
    os_signals_reset();
    kill(getpid(), SIGPIPE); /* ignored */
    kill(getpid(), SIGTERM); /* deadly again */
    _exit(4);
}

static void test_signals(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(take_signals, NULL), SIGTERM);
}

static void test_shared_memory(void **state)
{
    (void)state;
    int fd;
    void *writer, *reader;
    size_t len;
    struct stat st;
    assert_ok(os_shared_create("test", 10000, &fd));
    assert_true(fstat(fd, &st) == 0 && st.st_blocks * 512 >= 10000); /* its memory is there before anybody touches it */
    assert_int_not_equal(ftruncate(fd, 20000), 0);
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_ok(os_shared_map(fd, true, &writer, &len));
    assert_int_equal(len, 10000);
    assert_ok(os_shared_map(fd, false, &reader, &len));
    memcpy(writer, "shared", 7);
    assert_string_equal(reader, "shared");
    os_shared_unmap(writer, len);
    os_shared_unmap(reader, len);
    os_close(&fd);
    fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_fails(os_shared_map(fd, false, &reader, &len), ERROR_INTERNAL);
    os_close(&fd);
}

static void test_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:8443", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:80"};
    struct os_address a;
    char text[OS_ADDRESS_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(os_address_parse(good[i], &a));
        os_address_format(&a, text);
        assert_string_equal(text, good[i]);
    }
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:-1",
        "localhost:80", "::1:80x", "[::1]", "[127.0.0.1]:80", "127.1:80", "1.2.3.4.5:80", "[::1:80", "127.0.0.1:8o"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(os_address_parse(bad[i], &a).code, OS_BAD_ADDRESS);
    size_t count;
    struct os_address list[4];
    assert_ok(os_resolve("127.0.0.1", 80, list, 4, &count));
    assert_int_equal(count, 1);
    os_address_format(&list[0], text);
    assert_string_equal(text, "127.0.0.1:80");
}

static void wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    assert_int_equal(poll(&p, 1, 5000), 1);
}

/* Two listeners share one address, as two workers' do. */
static void test_listen_and_connect(void **state)
{
    (void)state;
    struct os_address any, bound, peer;
    int first, second, third, client, server;
    bool done;
    assert_ok(os_address_parse("127.0.0.1:0", &any));
    assert_ok(os_listen(&any, true, &first));
    assert_ok(os_local_address(first, &bound));
    assert_ok(os_listen(&bound, true, &second));
    assert_int_equal(os_listen(&bound, false, &third).code, EADDRINUSE);
    assert_int_equal(third, -1);
    os_close(&second);
    assert_fails(os_accept(first, &server, NULL), ERROR_CLOSED);
    assert_ok(os_connect(&bound, &client, &done));
    wait_for(client, POLLOUT);
    assert_ok(os_connect_result(client));
    wait_for(first, POLLIN);
    assert_ok(os_accept(first, &server, &peer));
    struct os_address local;
    assert_ok(os_local_address(client, &local));
    assert_memory_equal(&peer.storage, &local.storage, sizeof(struct sockaddr_in));
    assert_true(fcntl(server, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
    os_close(&client);
    os_close(&server);
    os_close(&first);
    result r = os_connect(&bound, &client, &done);
    if (is_ok(r)) {
        wait_for(client, POLLOUT);
        r = os_connect_result(client);
        os_close(&client);
    }
    assert_int_equal(r.code, ECONNREFUSED);
}

static void test_unix_socket(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/gate1367-sock-%d", (int)getpid());
    unlink(path);
    int listener, client, server;
    for (int round = 0; round < 2; round++) { /* the second time over the socket that the first left */
        assert_ok(os_listen_unix(path, 0600, &listener));
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_ok(os_connect_unix(path, 10, &client));
        assert_ok(os_accept(listener, &server, NULL));
        struct os_credentials who;
        assert_ok(os_peer_credentials(server, &who));
        assert_int_equal(who.pid, getpid());
        assert_int_equal(who.uid, geteuid());
        os_close(&client);
        os_close(&server);
        os_close(&listener);
    }
    unlink(path);
    FILE *f = fopen(path, "w");
    fclose(f);
    assert_int_equal(os_listen_unix(path, 0600, &listener).code, EEXIST);
    unlink(path);
}

static void test_notify(void **state)
{
    (void)state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int len = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "gate1367-notify-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, size), 0);
    char name[128], got[64] = "";
    snprintf(name, sizeof name, "@%s", a.sun_path + 1);
    unsetenv("NOTIFY_SOCKET");
    os_notify("READY=1");
    setenv("NOTIFY_SOCKET", name, 1);
    os_notify("STOPPING=1");
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 10);
    assert_string_equal(got, "STOPPING=1");
    os_close(&fd);
}

/* As sd_watchdog_enabled(3) has it. */
static void test_watchdog(void **state)
{
    (void)state;
    char own[24];
    snprintf(own, sizeof own, "%d", (int)getpid());
    const struct {
        const char *us, *pid;
        uint64_t ms;
    } rows[] = {{NULL, NULL, 0}, {"30000000", NULL, 30000}, {"30000000", own, 30000}, {"30000000", "1", 0}, {"x", NULL, 0},
        {"", NULL, 0}, {"30000000", "x", 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].us) setenv("WATCHDOG_USEC", rows[i].us, 1);
        else unsetenv("WATCHDOG_USEC");
        if (rows[i].pid) setenv("WATCHDOG_PID", rows[i].pid, 1);
        else unsetenv("WATCHDOG_PID");
        assert_int_equal(os_watchdog_ms(), rows[i].ms);
    }
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void test_cpu_count(void **state)
{
    (void)state;
    assert_in_range(os_cpu_count(), 1, 100000);
}

struct turn {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline_ns, period_ns;
};

static struct turn turn_of_this_thread(void)
{
    struct turn t = {0};
    if (syscall(SYS_sched_getattr, 0, &t, sizeof t, 0) != 0) _exit(100);
    return t;
}

/* Kernels before 6.12 know no slices and say 0. */
static void be_prompt_then_patient(void *ctx)
{
    (void)ctx;
    struct turn before = turn_of_this_thread();
    if (before.policy != SCHED_OTHER) return; /* somebody chose for us: it stays */
    os_thread_prompt(100);
    struct turn prompt = turn_of_this_thread();
    if (prompt.policy != SCHED_OTHER || prompt.nice != before.nice) _exit(1);
    if (prompt.slice_ns != 0 && prompt.slice_ns != 100000) _exit(2);
    os_thread_patient();
    struct turn patient = turn_of_this_thread();
    if (patient.policy != SCHED_BATCH || patient.nice != (before.nice < 14 ? before.nice + 5 : 19)) _exit(3);
    if (patient.slice_ns != before.slice_ns) _exit(4);
}

static void test_threads_prompt_and_patient(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(be_prompt_then_patient, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_others),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_shared_memory),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_listen_and_connect),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_notify),
        cmocka_unit_test(test_watchdog),
        cmocka_unit_test(test_cpu_count),
        cmocka_unit_test(test_threads_prompt_and_patient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
