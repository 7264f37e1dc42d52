#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
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

#define HUGE_PAGE ((size_t)2 << 20)

/* Private memory that starts where a huge page can. Random look-ups all over some hundred megabytes find the page's
 * address at hand more often where the kernel has such pages to give. */
static RESULT reserve(size_t size, uint8_t **out)
{
    if (size > SIZE_MAX - 2 * HUGE_PAGE || fault_hit("mmap")) return FAIL(ERROR_IO, ENOMEM);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page, room = whole + HUGE_PAGE;
    uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED, ERROR_IO, errno);
    size_t before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) munmap(p, before);
    munmap(p + before + whole, HUGE_PAGE - before);
    (void)madvise(p + before, whole, MADV_HUGEPAGE);
    *out = p + before;
    return OK;
}

/* What is left over by a file that shrinks meanwhile is an error. */
static RESULT read_all(int from, uint8_t *to, size_t size)
{
    while (size > 0) {
        ssize_t n = read(from, to, size);
        if (n < 0 && errno == EINTR) continue;
        REQUIRE(n > 0, ERROR_IO, n < 0 ? errno : EIO);
        to += n;
        size -= (size_t)n;
    }
    return OK;
}

static RESULT copy_from(int fd, struct os_map *out)
{
    struct stat st;
    uint8_t *p;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    if (st.st_size == 0) return OK;
    TRY(reserve((size_t)st.st_size, &p));
    *out = (struct os_map){p, (size_t)st.st_size};
    result r = read_all(fd, p, out->len);
    if (is_ok(r) && mprotect(p, out->len, PROT_READ) != 0) r = FAIL(ERROR_IO, errno);
    if (!is_ok(r)) os_unmap(out);
    return r;
}

result os_map_copy(const char *path, struct os_map *out)
{
    *out = (struct os_map){NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(fd >= 0, ERROR_IO, errno);
    result r = copy_from(fd, out);
    os_close(&fd);
    return r;
}

void os_unmap(struct os_map *m)
{
    if (m->ptr) munmap((void *)(uintptr_t)m->ptr, m->len);
    *m = (struct os_map){NULL, 0};
}

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Its memory is there from the start: whoever touched a page of it for which there is none would die. */
static RESULT size_and_seal(int fd, size_t size)
{
    REQUIRE(ftruncate(fd, (off_t)size) == 0 && fallocate(fd, 0, 0, (off_t)size) == 0, ERROR_IO, errno);
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
