#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void *map(size_t size, int access, int fd)
{
    if (!fault_hit("mmap")) return mmap(NULL, size, access, MAP_SHARED, fd, 0);
    errno = ENOMEM;
    return MAP_FAILED;
}

result os_map_fd(int fd, struct os_map *out)
{
    *out = (struct os_map){NULL, 0};
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    if (st.st_size == 0) return OK;
    void *p = map((size_t)st.st_size, PROT_READ, fd);
    REQUIRE(p != MAP_FAILED, ERROR_IO, errno);
    *out = (struct os_map){p, (size_t)st.st_size};
    return OK;
}

result os_map_file(const char *path, struct os_map *out)
{
    *out = (struct os_map){NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(fd >= 0, ERROR_IO, errno);
    result r = os_map_fd(fd, out);
    os_close(&fd);
    return r;
}

result os_map_writable(const char *path, struct os_map *out)
{
    *out = (struct os_map){NULL, 0};
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(fd >= 0, ERROR_IO, errno);
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    void *p = file ? map((size_t)st.st_size, PROT_READ | PROT_WRITE, fd) : MAP_FAILED;
    int error = errno;
    os_close(&fd);
    REQUIRE(file, ERROR_CONFIG, OS_NOT_A_FILE);
    REQUIRE(p != MAP_FAILED, ERROR_IO, error);
    *out = (struct os_map){p, (size_t)st.st_size};
    return OK;
}

/* The kernel copies; what is left over by a file that shrinks meanwhile is an error. */
static RESULT copy_bytes(int from, int to, size_t size)
{
    while (size > 0) {
        ssize_t n = sendfile(to, from, NULL, size);
        if (n < 0 && errno == EINTR) continue;
        REQUIRE(n > 0, ERROR_IO, n < 0 ? errno : EIO);
        size -= (size_t)n;
    }
    return OK;
}

static RESULT fill_copy(int from, int to)
{
    struct stat st;
    REQUIRE(fstat(from, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    TRY(copy_bytes(from, to, (size_t)st.st_size));
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    REQUIRE(fcntl(to, F_ADD_SEALS, seals) == 0, ERROR_IO, errno);
    return OK;
}

result os_map_copy(const char *path, struct os_map *out)
{
    *out = (struct os_map){NULL, 0};
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(from >= 0, ERROR_IO, errno);
    int to = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    result r = to < 0 ? FAIL(ERROR_IO, errno) : fill_copy(from, to);
    if (is_ok(r)) r = os_map_fd(to, out);
    os_close(&from);
    os_close(&to);
    return r;
}

void os_unmap(struct os_map *m)
{
    if (m->ptr) munmap((void *)(uintptr_t)m->ptr, m->len);
    *m = (struct os_map){NULL, 0};
}

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static RESULT size_and_seal(int fd, size_t size)
{
    REQUIRE(ftruncate(fd, (off_t)size) == 0, ERROR_IO, errno);
    REQUIRE(fcntl(fd, F_ADD_SEALS, SIZE_SEALS) == 0, ERROR_IO, errno);
    return OK;
}

result os_shared_create(const char *name, size_t size, int *fd)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    result r = size_and_seal(*fd, size);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_shared_map(int fd, bool writable, void **p, size_t *len)
{
    int seals = fcntl(fd, F_GET_SEALS);
    REQUIRE(seals >= 0 && (seals & SIZE_SEALS) == SIZE_SEALS, ERROR_INTERNAL, 0);
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    *p = map((size_t)st.st_size, PROT_READ | (writable ? PROT_WRITE : 0), fd);
    REQUIRE(*p != MAP_FAILED, ERROR_IO, errno);
    *len = (size_t)st.st_size;
    return OK;
}

void os_shared_unmap(void *p, size_t len)
{
    if (p) munmap(p, len);
}
