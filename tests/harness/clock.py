"""Another time of day for one command: a library that is loaded before the C library's."""
import os
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


def later(directory, days):
    """What to put into a command's environment."""
    library = directory / "clock.so"
    if not library.exists():
        (directory / "clock.c").write_text(SOURCE)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, directory / "clock.c"], check=True)
    return {"LD_PRELOAD": str(library), "TEST_DAYS": str(days), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
