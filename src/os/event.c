#include "os/os.h"
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

result os_event_open(int *fd)
{
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    return OK;
}

void os_event_signal(int fd)
{
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
}

uint64_t os_event_drain(int fd)
{
    uint64_t count = 0;
    return read(fd, &count, sizeof count) == (ssize_t)sizeof count ? count : 0;
}

result os_signals_open(const int *signals, int *fd)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *signals; signals++)
        sigaddset(&set, *signals);
    REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0, ERROR_IO, errno);
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    return OK;
}

int os_signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void os_signals_reset(void)
{
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL); /* those that cannot be changed refuse: fine */
    signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
