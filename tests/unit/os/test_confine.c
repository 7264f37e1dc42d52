/* Each forbidden thing is tried by a child of its own, so that its end tells what the kernel thought of it. */
#include "os/os.h"
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static char dir[64];
static enum os_role role;
static const struct os_access *paths;
static size_t path_count;

static void confine_or_exit(void)
{
    if (!is_ok(os_harden()) || !is_ok(os_confine(role, paths, path_count))) _exit(100);
}

/* What a child does once it is confined; its return is its exit status. */
typedef int deed(void);

static void confined(void *ctx)
{
    deed *const *d = ctx;
    confine_or_exit();
    _exit((*d)());
}

static int after(enum os_role as, deed *d)
{
    role = as;
    return run_in_child(confined, &d);
}

static const enum os_role all_roles[] = {OS_ROLE_WORKER, OS_ROLE_SCRIBE, OS_ROLE_ADMIN};

static int do_pipe(void)
{
    int fds[2];
    return pipe2(fds, 0);
}

static int do_usual_things(void)
{
    void *p = mem_alloc(8 << 20);
    int fd;
    uint8_t random[8];
    if (!p || !is_ok(os_event_open(&fd)) || !is_ok(os_random(random, sizeof random))) return 1;
    os_event_signal(fd);
    if (os_event_drain(fd) != 1 || os_monotonic_ns() == 0) return 2;
    mem_free(p);
    return write(STDERR_FILENO, "", 0) == 0 ? 0 : 3;
}

static int do_exec(void)
{
    char *const args[] = {(char *)(uintptr_t) "true", NULL};
    execv("/bin/true", args);
    return 1;
}
static int do_fork(void)
{
    return fork() < 0;
}
static int do_trace(void)
{
    return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}
static int do_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static int do_make_executable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static int do_kill(void)
{
    return kill(getppid(), 0);
}
static int do_signal_parent(void)
{
    return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}
static int do_abort(void)
{
    abort();
}
static int do_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? 1 : errno;
}
static int do_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 ? 0 : errno;
}
static int do_packet_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd >= 0 ? 1 : errno;
}
static int do_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, 0);
    return fd >= 0 ? 1 : errno;
}
static int do_raise_limit(void)
{
    struct rlimit limit = {10, 10};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 1 : errno;
}

static void test_usual_things_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_roles); i++)
        assert_int_equal(after(all_roles[i], do_usual_things), 0);
    assert_int_equal(after(OS_ROLE_WORKER, do_tcp), 0);
    assert_int_equal(after(OS_ROLE_WORKER, do_abort), SIGABRT);
}

static void test_deadly_calls(void **state)
{
    (void)state;
    static deed *const deeds[] = {
        do_exec, do_fork, do_trace, do_executable_memory, do_make_executable, do_kill, do_signal_parent, do_pipe};
    for (size_t i = 0; i < ARRAY_LEN(all_roles); i++)
        for (size_t j = 0; j < ARRAY_LEN(deeds); j++)
            assert_int_equal(after(all_roles[i], deeds[j]), SIGSYS);
    assert_int_equal(after(OS_ROLE_SCRIBE, do_tcp), SIGSYS);
}

static void test_denied_calls(void **state)
{
    (void)state;
    assert_int_equal(after(OS_ROLE_WORKER, do_open), -EACCES);
    assert_int_equal(after(OS_ROLE_WORKER, do_packet_socket), -EACCES);
    assert_int_equal(after(OS_ROLE_WORKER, do_netlink), -EACCES);
    for (size_t i = 0; i < ARRAY_LEN(all_roles); i++)
        assert_int_equal(after(all_roles[i], do_raise_limit), -EACCES);
}

static int do_work_in_dir(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/a", dir);
    if (!is_ok(os_write_atomic(path, SPAN("x"), 0600))) return 1;
    struct os_direct d;
    snprintf(path, sizeof path, "%s/b", dir);
    if (!is_ok(os_direct_create(path, OS_DIRECT_ALIGN, &d))) return 2;
    os_direct_close(&d);
    if (!is_ok(os_remove(path))) return 3;
    return do_open(); /* outside */
}

static int do_write_in_read_only_dir(void)
{
    char path[128];
    struct buf b;
    snprintf(path, sizeof path, "%s/a", dir);
    if (!is_ok(os_read_file(path, 10, &b))) return 1;
    return os_write_atomic(path, SPAN("y"), 0600).code;
}

static void test_files_outside_are_refused(void **state)
{
    (void)state;
    if (!os_has_landlock()) {
        printf("skipped: this kernel has no Landlock\n");
        skip();
    }
    struct os_access own = {dir, true}, nothing = {NULL, false};
    const struct os_access writable[] = {own, nothing};
    paths = writable, path_count = 2;
    assert_int_equal(after(OS_ROLE_SCRIBE, do_work_in_dir), -EACCES);
    const struct os_access readable[] = {{dir, false}};
    paths = readable, path_count = 1;
    assert_int_equal(after(OS_ROLE_ADMIN, do_write_in_read_only_dir), -EACCES);
    const struct os_access missing[] = {{"/no/such/place", false}};
    paths = missing;
    assert_int_equal(after(OS_ROLE_ADMIN, do_usual_things), -100);
    paths = NULL, path_count = 0;
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "./gate1367-confine-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/a", dir);
    unlink(path);
    return rmdir(dir);
}

static void harden(void *ctx)
{
    (void)ctx;
    struct rlimit core;
    if (!is_ok(os_harden())) _exit(1);
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) _exit(2);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) _exit(3);
#ifndef GATE1367_SANITIZED
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) _exit(4);
#endif
}

static void test_harden(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(harden, NULL), 0);
}

static int do_nothing(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

/* In the sanitizer build the calls are there and do nothing. */
static void test_sanitizer_builds_skip(void **state)
{
    (void)state;
    assert_false(os_has_seccomp());
    assert_false(os_has_landlock());
    assert_int_equal(after(OS_ROLE_WORKER, do_nothing), SECCOMP_MODE_DISABLED);
}

int main(void)
{
    const struct CMUnitTest confined_tests[] = {
        cmocka_unit_test(test_harden),
        cmocka_unit_test(test_usual_things_work),
        cmocka_unit_test(test_deadly_calls),
        cmocka_unit_test(test_denied_calls),
        cmocka_unit_test(test_files_outside_are_refused),
    };
    const struct CMUnitTest skipping_tests[] = {
        cmocka_unit_test(test_harden),
        cmocka_unit_test(test_sanitizer_builds_skip),
    };
#ifdef GATE1367_SANITIZED
    (void)confined_tests;
    return cmocka_run_group_tests(skipping_tests, make_dir, remove_dir);
#else
    (void)skipping_tests;
    if (!os_has_seccomp()) {
        printf("skipped: this kernel has no seccomp\n");
        return 77;
    }
    return cmocka_run_group_tests(confined_tests, make_dir, remove_dir);
#endif
}
