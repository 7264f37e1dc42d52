#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#ifdef GATE1367_TRAINING
#include <gcov.h>
#endif
#include <linux/close_range.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned os_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (unsigned)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

void os_set_process_name(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* As linux/sched/types.h has it, which does not go together with glibc's sched.h. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};
#define PATIENT_NICE 5

/* Where it may not, or somebody chose another policy for us, everything stays as it is. A slice of 0 is the kernel's own; threads
 * inherit what the one that made them had. Linux counts niceness by thread. */
static void schedule(uint32_t policy, int32_t nicer, uint64_t slice_ns)
{
    struct scheduling s = {.size = sizeof s};
    if (syscall(SYS_sched_getattr, 0, &s, sizeof s, 0) != 0 || s.policy != SCHED_OTHER) return;
    s = (struct scheduling){.size = sizeof s, .policy = policy, .nice = s.nice + nicer, .runtime_ns = slice_ns};
    (void)syscall(SYS_sched_setattr, 0, &s, 0);
}

void os_thread_prompt(uint32_t turn_us)
{
    schedule(SCHED_OTHER, 0, turn_us * UINT64_C(1000));
}

void os_thread_patient(void)
{
    schedule(SCHED_BATCH, PATIENT_NICE, 0);
}

void os_give_memory_back(void)
{
    malloc_trim(0);
}

void os_leave(int status)
{
#ifdef GATE1367_TRAINING
    __gcov_dump();
#endif
    _exit(status);
}

result os_die_with_parent(pid_t parent, int signal)
{
    REQUIRE(prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) == 0, ERROR_IO, errno);
    REQUIRE(getppid() == parent, ERROR_IO, ESRCH); /* it ended between fork and here */
    return OK;
}

result os_harden(void)
{
    struct rlimit none = {0, 0};
    REQUIRE(setrlimit(RLIMIT_CORE, &none) == 0, ERROR_IO, errno);
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, ERROR_IO, errno);
#ifndef GATE1367_SANITIZED
    /* Not dumpable also means that no other process of the account may trace us; the leak checker must. */
    REQUIRE(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, ERROR_IO, errno);
#endif
    return OK;
}

result os_limit_files(uint64_t files)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0, ERROR_IO, errno);
    limit.rlim_cur = files < limit.rlim_max ? files : limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0, ERROR_IO, errno);
    return OK;
}

/* Descriptors are given out from below: above the first thousands there are none but where the bound was lower when it was raised. */
#define FILES_LOOKED_AT 4096

result os_count_files(struct os_files *out)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0, ERROR_IO, errno);
    *out = (struct os_files){.limit = limit.rlim_cur, .most = limit.rlim_max, .left = limit.rlim_cur};
    for (int fd = 0; fd < FILES_LOOKED_AT && (rlim_t)fd < limit.rlim_cur; fd++)
        if (fcntl(fd, F_GETFD) >= 0) out->left--;
    return OK;
}

static RESULT close_from_to(unsigned first, unsigned last)
{
    if (first > last) return OK;
    REQUIRE(close_range(first, last, 0) == 0, ERROR_IO, errno);
    return OK;
}

/* The smallest listed descriptor from `first` on, -1 when there is none. */
static int next_kept(const int *keep, size_t count, int first)
{
    int next = -1;
    for (size_t i = 0; i < count; i++)
        if (keep[i] >= first && (next < 0 || keep[i] < next)) next = keep[i];
    return next;
}

result os_close_others(const int *keep, size_t count)
{
    int first = STDERR_FILENO + 1;
    for (int kept; (kept = next_kept(keep, count, first)) >= 0; first = kept + 1)
        if (kept > first) TRY(close_from_to((unsigned)first, (unsigned)kept - 1));
    return close_from_to((unsigned)first, UINT32_MAX);
}
