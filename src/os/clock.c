#include "os/os.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    ASSERT(clock_gettime(clock, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t os_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
uint64_t os_realtime_us(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000;
}
uint64_t os_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

result os_random(void *out, size_t len)
{
    REQUIRE(!fault_hit("random"), ERROR_IO, EIO);
    for (size_t have = 0; have < len;) {
        ssize_t n = getrandom((uint8_t *)out + have, len - have, 0);
        REQUIRE(n > 0 || errno == EINTR, ERROR_IO, errno);
        if (n > 0) have += (size_t)n;
    }
    return OK;
}

/* A leading @ stands for the NUL of an abstract address (sd_notify(3)). */
static bool notify_address(struct sockaddr_un *a, socklen_t *len)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || (path[0] != '/' && path[0] != '@')) return false;
    size_t n = strlen(path);
    if (n < 2 || n >= sizeof a->sun_path) return false;
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(a->sun_path, path, n);
    if (path[0] == '@') a->sun_path[0] = '\0';
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return true;
}

void os_notify(const char *state)
{
    struct sockaddr_un a;
    socklen_t len;
    if (!notify_address(&a, &len)) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)(const void *)&a, len);
    os_close(&fd);
}

uint64_t os_watchdog_ms(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t n = 0, whose = (uint64_t)getpid();
    if (us == NULL || !span_to_u64(span_str(us), UINT64_MAX, &n)) return 0;
    if (pid != NULL && (!span_to_u64(span_str(pid), UINT64_MAX, &whose) || whose != (uint64_t)getpid())) return 0;
    return n / 1000;
}

void os_nap_ns(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&t, NULL); /* a signal may end it early */
}
