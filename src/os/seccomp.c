#include "os/confine.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "say which audit architecture this is"
#endif

/* What each role may call: A allow, D deny with EACCES (libraries that merely look go on without), - the process is
 * killed, and letters for rules that look at an argument. What stands nowhere kills. The most frequent stand first:
 * older kernels walk the list at each call.
 *   M  mmap, mprotect: not executable      S  socket: only TCP over IP
 *   T  tgkill: only ourselves (abort)      L  prlimit64: only reading */
/* clang-format off */
#define SYSCALLS(X)                                                                                                    \
    /*  call            worker scribe admin */                                                                         \
    X(read,             'A', 'A', 'A')                                                                                 \
    X(write,            'A', 'A', 'A')                                                                                 \
    X(sendto,           'A', 'A', 'A')                                                                                 \
    X(recvfrom,         'A', 'A', 'A')                                                                                 \
    X(writev,           'A', 'A', 'A')                                                                                 \
    X(readv,            'A', 'A', 'A')                                                                                 \
    X(epoll_pwait,      'A', 'A', 'A')                                                                                 \
    X(epoll_pwait2,     'A', 'A', 'A')                                                                                 \
    X(epoll_ctl,        'A', 'A', 'A')                                                                                 \
    X(pwrite64,         '-', 'A', 'A')                                                                                 \
    X(pread64,          'D', 'A', 'A')                                                                                 \
    X(fdatasync,        '-', 'A', 'A')                                                                                 \
    X(fsync,            '-', 'A', 'A')                                                                                 \
    X(sync_file_range,  '-', 'A', '-')                                                                                 \
    X(sendmsg,          'A', 'A', 'A')                                                                                 \
    X(recvmsg,          'A', 'A', 'A')                                                                                 \
    X(accept4,          'A', '-', 'A')                                                                                 \
    X(close,            'A', 'A', 'A')                                                                                 \
    X(shutdown,         'A', 'A', 'A')                                                                                 \
    X(socket,           'S', '-', 'S')                                                                                 \
    X(connect,          'A', '-', '-')                                                                                 \
    X(setsockopt,       'A', 'D', 'A')                                                                                 \
    X(getsockopt,       'A', 'A', 'A')                                                                                 \
    X(getsockname,      'A', 'A', 'A')                                                                                 \
    X(getpeername,      'A', 'A', 'A')                                                                                 \
    X(fcntl,            'A', 'A', 'A')                                                                                 \
    X(mmap,             'M', 'M', 'M')                                                                                 \
    X(mprotect,         'M', 'M', 'M')                                                                                 \
    X(munmap,           'A', 'A', 'A')                                                                                 \
    X(mremap,           'A', 'A', 'A')                                                                                 \
    X(madvise,          'A', 'A', 'A')                                                                                 \
    X(brk,              'A', 'A', 'A')                                                                                 \
    X(futex,            'A', 'A', 'A')                                                                                 \
    X(clock_gettime,    'A', 'A', 'A')                                                                                 \
    X(clock_getres,     'A', 'A', 'A')                                                                                 \
    X(clock_nanosleep,  'A', 'A', 'A')                                                                                 \
    X(nanosleep,        'A', 'A', 'A')                                                                                 \
    X(gettimeofday,     'A', 'A', 'A')                                                                                 \
    X(timerfd_create,   'A', 'A', 'A')                                                                                 \
    X(timerfd_settime,  'A', 'A', 'A')                                                                                 \
    X(eventfd2,         'A', 'A', 'A')                                                                                 \
    X(epoll_create1,    'A', 'A', 'A')                                                                                 \
    X(ppoll,            'A', 'A', 'A')                                                                                 \
    X(pselect6,         'A', 'A', 'A')                                                                                 \
    X(signalfd4,        'A', 'A', 'A')                                                                                 \
    X(rt_sigaction,     'A', 'A', 'A')                                                                                 \
    X(rt_sigprocmask,   'A', 'A', 'A')                                                                                 \
    X(rt_sigreturn,     'A', 'A', 'A')                                                                                 \
    X(sigaltstack,      'A', 'A', 'A')                                                                                 \
    X(restart_syscall,  'A', 'A', 'A')                                                                                 \
    X(getrandom,        'A', 'A', 'A')                                                                                 \
    X(getpid,           'A', 'A', 'A')                                                                                 \
    X(gettid,           'A', 'A', 'A')                                                                                 \
    X(getppid,          'A', 'A', 'A')                                                                                 \
    X(getuid,           'A', 'A', 'A')                                                                                 \
    X(geteuid,          'A', 'A', 'A')                                                                                 \
    X(getgid,           'A', 'A', 'A')                                                                                 \
    X(getegid,          'A', 'A', 'A')                                                                                 \
    X(getrusage,        'A', 'A', 'A')                                                                                 \
    X(sched_yield,      'A', 'A', 'A')                                                                                 \
    X(sched_getaffinity,'A', 'A', 'A')                                                                                 \
    X(uname,            'A', 'A', 'A')                                                                                 \
    X(sysinfo,          'A', 'A', 'A')                                                                                 \
    X(fstat,            'A', 'A', 'A')                                                                                 \
    X(exit,             'A', 'A', 'A')                                                                                 \
    X(exit_group,       'A', 'A', 'A')                                                                                 \
    X(tgkill,           'T', 'T', 'T')                                                                                 \
    X(prlimit64,        'L', 'L', 'L')                                                                                 \
    X(newfstatat,       'D', 'A', 'A')                                                                                 \
    X(statx,            'D', 'A', 'A')                                                                                 \
    X(openat,           'D', 'A', 'A')                                                                                 \
    X(faccessat,        'D', 'A', 'A')                                                                                 \
    X(faccessat2,       'D', 'A', 'A')                                                                                 \
    X(readlinkat,       'D', 'D', 'D')                                                                                 \
    X(getdents64,       'D', 'A', 'A')                                                                                 \
    X(lseek,            'D', 'A', 'A')                                                                                 \
    X(statfs,           'D', 'A', 'A')                                                                                 \
    X(fstatfs,          'D', 'A', 'A')                                                                                 \
    X(fadvise64,        '-', 'A', '-')                                                                                 \
    X(fallocate,        '-', 'A', '-')                                                                                 \
    X(ftruncate,        '-', 'A', 'A')                                                                                 \
    X(flock,            '-', 'A', 'A')                                                                                 \
    X(fchmod,           '-', 'A', 'A')                                                                                 \
    X(renameat,         '-', 'A', 'A')                                                                                 \
    X(renameat2,        '-', 'A', 'A')                                                                                 \
    X(unlinkat,         '-', 'A', 'A')                                                                                 \
    X(mkdirat,          '-', 'A', 'A')                                                                                 \
    X(ioctl,            'D', 'D', 'D')                                                                                 \
    X(prctl,            'D', 'D', 'D')                                                                                 \
    X(sched_setaffinity,'D', 'D', 'D')                                                                                 \
    X(getcwd,           'D', 'D', 'D')

/* Calls that newer architectures never had; glibc still uses them here. */
#if defined(__x86_64__)
#define OLD_SYSCALLS(X)                                                                                                \
    X(epoll_wait,       'A', 'A', 'A')                                                                                 \
    X(poll,             'A', 'A', 'A')                                                                                 \
    X(select,           'A', 'A', 'A')                                                                                 \
    X(time,             'A', 'A', 'A')                                                                                 \
    X(open,             'D', 'A', 'A')                                                                                 \
    X(stat,             'D', 'A', 'A')                                                                                 \
    X(lstat,            'D', 'A', 'A')                                                                                 \
    X(access,           'D', 'A', 'A')                                                                                 \
    X(readlink,         'D', 'D', 'D')                                                                                 \
    X(rename,           '-', 'A', 'A')                                                                                 \
    X(unlink,           '-', 'A', 'A')                                                                                 \
    X(rmdir,            '-', 'A', '-')                                                                                 \
    X(mkdir,            '-', 'A', 'A')
#else
#define OLD_SYSCALLS(X)
#endif

/* The asker reads and replaces files as the scribe does, and talks to one address: where it differs from the scribe. */
#define ASKER_SYSCALLS(X)                                                                                              \
    X(socket, 'S') X(connect, 'A') X(setsockopt, 'A') X(pwrite64, '-') X(ftruncate, '-') X(fallocate, '-')             \
    X(flock, '-') X(mkdirat, '-') X(timerfd_create, '-') X(timerfd_settime, '-')
/* clang-format on */

struct row {
    uint32_t number;
    char may[3]; /* by enum os_role */
};
static const struct row rows[] = {
#define ROW(name, worker, scribe, admin) {SYS_##name, {worker, scribe, admin}},
    SYSCALLS(ROW) OLD_SYSCALLS(ROW)
#undef ROW
};

static const struct {
    uint32_t number;
    char may;
} asker_rows[] = {
#define ROW(name, may) {SYS_##name, may},
    ASKER_SYSCALLS(ROW)
#undef ROW
};

static char may_call(const struct row *r, enum os_role role)
{
    if (role != OS_ROLE_ASKER) return r->may[role];
    for (size_t i = 0; i < ARRAY_LEN(asker_rows); i++)
        if (asker_rows[i].number == r->number) return asker_rows[i].may;
    return r->may[OS_ROLE_SCRIBE];
}

#define PROGRAM_MAX (ARRAY_LEN(rows) * 5 + 16)
struct program {
    struct sock_filter code[PROGRAM_MAX];
    size_t len;
};

static void emit(struct program *p, struct sock_filter step)
{
    ASSERT(p->len < PROGRAM_MAX);
    p->code[p->len++] = step;
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_return(struct program *p, uint32_t action)
{
    emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

#define DENY (SECCOMP_RET_ERRNO | EACCES)
#define KILL SECCOMP_RET_KILL_PROCESS
/* The low half of an argument (both architectures are little-endian). */
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* Goes on when the accumulator equals a; else returns `otherwise`. */
static void emit_equal_or(struct program *p, uint32_t value, uint32_t otherwise)
{
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    emit_return(p, otherwise);
}

/* Allows only TCP over IPv4 and IPv6: jumps count steps from the next one. */
static void emit_socket(struct program *p)
{
    emit_load(p, ARGUMENT(0));
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0));
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0));
    emit_return(p, DENY);
    emit_load(p, ARGUMENT(1));
    emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xF)); /* without SOCK_CLOEXEC, SOCK_NONBLOCK */
    emit_equal_or(p, SOCK_STREAM, DENY);
    emit_return(p, SECCOMP_RET_ALLOW);
}

static void emit_not_executable(struct program *p)
{
    emit_load(p, ARGUMENT(2));
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    emit_return(p, KILL);
    emit_return(p, SECCOMP_RET_ALLOW);
}

static void emit_only_ourselves(struct program *p)
{
    emit_load(p, ARGUMENT(0));
    emit_equal_or(p, (uint32_t)getpid(), KILL);
    emit_return(p, SECCOMP_RET_ALLOW);
}

/* No new limit: both halves of the third argument are zero. */
static void emit_reading_limits(struct program *p)
{
    emit_load(p, ARGUMENT(2));
    emit_equal_or(p, 0, DENY);
    emit_load(p, ARGUMENT(2) + 4);
    emit_equal_or(p, 0, DENY);
    emit_return(p, SECCOMP_RET_ALLOW);
}

static void emit_rule(struct program *p, char may)
{
    switch (may) {
    case 'A': emit_return(p, SECCOMP_RET_ALLOW); break;
    case 'D': emit_return(p, DENY); break;
    case 'M': emit_not_executable(p); break;
    case 'S': emit_socket(p); break;
    case 'T': emit_only_ourselves(p); break;
    case 'L': emit_reading_limits(p); break;
    default: emit_return(p, KILL); break;
    }
}

static void emit_row(struct program *p, uint32_t number, char may)
{
    size_t jump = p->len;
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0));
    emit_rule(p, may);
    size_t over = p->len - jump - 1;
    ASSERT(over <= UINT8_MAX);
    p->code[jump].jf = (uint8_t)over;
}

static void build_program(struct program *p, enum os_role role)
{
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit_equal_or(p, ARCH, KILL);
    emit_load(p, offsetof(struct seccomp_data, nr)); /* numbers of the x32 ABI are on no row */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (may_call(&rows[i], role) != '-') emit_row(p, rows[i].number, may_call(&rows[i], role));
    emit_return(p, KILL);
}

result confine_syscalls(enum os_role role)
{
    struct program *p = mem_alloc(sizeof *p);
    REQUIRE(p, ERROR_LIMIT, ENOMEM);
    build_program(p, role);
    struct sock_fprog filter = {.len = (unsigned short)p->len, .filter = p->code};
    bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    int error = errno;
    mem_free(p);
    REQUIRE(done, ERROR_IO, error);
    return OK;
}

bool os_has_seccomp(void)
{
#ifdef OS_UNCONFINED
    return false;
#else
    uint32_t action = KILL;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#endif
}
