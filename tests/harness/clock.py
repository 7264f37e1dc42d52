"""Another time of day, for one command or while something runs: a library that is loaded before the C library's."""
import mmap
import os
import struct
import subprocess

SOURCE = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *out)
{
    long status = syscall(SYS_clock_gettime, id, out);
    if (id == CLOCK_REALTIME && status == 0) out->tv_sec += atol(getenv("TEST_DAYS")) * 86400;
    return (int)status;
}
"""


TURNED = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile long *turned; /* seconds: of the time of day, of the monotonic clock */
__attribute__((constructor)) static void look(void)
{
    int fd = open(getenv("TEST_CLOCK"), O_RDONLY);
    turned = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
}
int clock_gettime(clockid_t id, struct timespec *out)
{
    long status = syscall(SYS_clock_gettime, id, out);
    if (turned && (id == CLOCK_REALTIME || id == CLOCK_MONOTONIC)) out->tv_sec += turned[id == CLOCK_MONOTONIC]; /* asked for before */
    return (int)status;
}
time_t time(time_t *out) /* OpenSSL's */
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    if (turned && getenv("TEST_CLOCK_TLS")) now.tv_sec += turned[0];
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""


def built(directory, name, source):
    library = directory / f"{name}.so"
    if not library.exists():
        (directory / f"{name}.c").write_text(source)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, directory / f"{name}.c"], check=True)
    return library


class Clocks:
    """Those of processes with this environment: turned while they run."""

    def __init__(self, directory, tls=False):
        """tls: what certificates and sessions are judged by is turned too."""
        place = directory / "turned"
        place.write_bytes(bytes(16))
        with open(place, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 16)
        self.env = {"LD_PRELOAD": str(built(directory, "turned_clock", TURNED)), "TEST_CLOCK": str(place),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        if tls:
            self.env["TEST_CLOCK_TLS"] = "1"

    def turn(self, day=0, monotonic=0):
        self.map[:] = struct.pack("qq", day, monotonic)


def later(directory, days):
    """What to put into a command's environment."""
    library = built(directory, "clock", SOURCE)
    return {"LD_PRELOAD": str(library), "TEST_DAYS": str(days), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
