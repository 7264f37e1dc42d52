#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_STEP ((size_t)1024 * 1024)
#define GENTLE_RESTS 3 /* times as long as the step before took … */
#define GENTLE_REST_MAX_NS UINT64_C(5000000)

void *os_aligned_alloc(size_t size)
{
    if (fault_hit("malloc") || size > SIZE_MAX - OS_DIRECT_ALIGN) return NULL;
    size_t rounded = (size + OS_DIRECT_ALIGN - 1) / OS_DIRECT_ALIGN * OS_DIRECT_ALIGN;
    if (rounded == 0) rounded = OS_DIRECT_ALIGN;
    void *p = aligned_alloc(OS_DIRECT_ALIGN, rounded);
    if (p) memset(p, 0, rounded);
    return p;
}

void os_aligned_free(void *p)
{
    free(p);
}

/* File systems without O_DIRECT (ramfs, tmpfs before Linux 6.6, some overlays) say EINVAL at open. */
static int try_direct(const char *path, int flags)
{
    if (!fault_hit("direct")) return open(path, flags | O_DIRECT, 0600);
    errno = EINVAL;
    return -1;
}

static RESULT open_direct(const char *path, int flags, struct os_direct *out)
{
    flags |= O_CLOEXEC | O_NOFOLLOW;
    out->direct = true;
    out->fd = try_direct(path, flags);
    if (out->fd < 0 && errno == EINVAL) {
        out->direct = false;
        out->fd = open(path, flags & ~(O_EXCL | O_DSYNC), 0600); /* the failed open may have made the file */
    }
    REQUIRE(out->fd >= 0, ERROR_IO, errno);
    return OK;
}

/* After a failed flush the page cache shows, as clean, what the disk never got. What is dirty goes to the disk first, and
 * then all is forgotten, so that the next read asks the disk. */
static RESULT forget_cache(int fd, bool writable)
{
    bool flushed = fdatasync(fd) == 0;
    REQUIRE(flushed || !writable, ERROR_IO, errno);
    REQUIRE(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 || !writable, ERROR_IO, EIO);
    return OK;
}

static RESULT look_at_file(const struct os_direct *d, bool writable, uint64_t *size)
{
    struct stat st;
    REQUIRE(fstat(d->fd, &st) == 0 && S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    *size = (uint64_t)st.st_size;
    return d->direct ? OK : forget_cache(d->fd, writable);
}

result os_direct_open(const char *path, bool writable, struct os_direct *out, uint64_t *size)
{
    TRY(open_direct(path, O_DSYNC | (writable ? O_RDWR : O_RDONLY), out));
    result r = look_at_file(out, writable, size);
    if (!is_ok(r)) os_close(&out->fd);
    return r;
}

static void assert_aligned(const void *p, size_t len, uint64_t offset)
{
    ASSERT((uintptr_t)p % OS_DIRECT_ALIGN == 0 && len % OS_DIRECT_ALIGN == 0 && offset % OS_DIRECT_ALIGN == 0);
}

/* The page cache may not be trusted with what a failed write left: without O_DIRECT each write is flushed at once. */
static RESULT flush_write(const struct os_direct *d)
{
    REQUIRE(!fault_hit("fsync"), ERROR_IO, EIO);
    REQUIRE(d->direct || fdatasync(d->fd) == 0, ERROR_IO, errno);
    return OK;
}

result os_direct_sync(const struct os_direct *d)
{
    REQUIRE(!fault_hit("fsync"), ERROR_IO, EIO);
    REQUIRE(fdatasync(d->fd) == 0, ERROR_IO, errno);
    return OK;
}

result os_direct_write(const struct os_direct *d, const void *data, size_t len, uint64_t offset)
{
    assert_aligned(data, len, offset);
    REQUIRE(!fault_hit("write"), ERROR_IO, EIO);
    bool torn = fault_hit("short-write");
    size_t asked = torn ? len / 2 / OS_DIRECT_ALIGN * OS_DIRECT_ALIGN : len;
    ssize_t n;
    do
        n = pwrite(d->fd, data, asked, (off_t)offset);
    while (n < 0 && errno == EINTR); /* nothing was written then */
    REQUIRE(n >= 0, ERROR_IO, errno);
    REQUIRE((size_t)n == len, ERROR_IO, OS_SHORT_WRITE);
    return flush_write(d);
}

result os_direct_read(const struct os_direct *d, void *out, size_t len, uint64_t offset, size_t *got)
{
    assert_aligned(out, len, offset);
    *got = 0;
    while (*got < len) {
        REQUIRE(!fault_hit("read"), ERROR_IO, EIO);
        ssize_t n = pread(d->fd, (uint8_t *)out + *got, len - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR) continue;
        REQUIRE(n >= 0, ERROR_IO, errno);
        *got += (size_t)n;
        /* An unaligned rest is the end of the file: O_DIRECT could not go on from there anyway. */
        if (n == 0 || *got % OS_DIRECT_ALIGN != 0) break;
    }
    return OK;
}

result os_direct_read_gently(const struct os_direct *d, void *out, size_t len, uint64_t offset, size_t *got)
{
    *got = 0;
    for (size_t part = OS_GENTLE_STEP; *got < len && part == OS_GENTLE_STEP; *got += part) {
        size_t step = len - *got < OS_GENTLE_STEP ? len - *got : OS_GENTLE_STEP;
        TRY(os_direct_read(d, (uint8_t *)out + *got, step, offset + *got, &part));
    }
    return OK;
}

void os_direct_close(struct os_direct *d)
{
    os_close(&d->fd);
}

static void rest_after(uint64_t took)
{
    uint64_t rest = GENTLE_RESTS * took;
    os_nap_ns(rest < GENTLE_REST_MAX_NS ? rest : GENTLE_REST_MAX_NS);
}

/* What cannot be shortened is removed as it is. */
result os_remove_gently(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    for (off_t size = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0; size > (off_t)ZERO_STEP; size -= (off_t)ZERO_STEP) {
        uint64_t since = os_monotonic_ns();
        if (ftruncate(fd, size - (off_t)ZERO_STEP) != 0) break;
        rest_after(os_monotonic_ns() - since);
    }
    os_close(&fd);
    return os_remove(path);
}

static RESULT write_steps(const struct os_direct *d, uint64_t size, const void *zeros, os_may_rest *may_rest, void *ctx)
{
    for (uint64_t at = 0, step; at < size; at += step) {
        bool gentle = may_rest && may_rest(ctx);
        uint64_t since = os_monotonic_ns();
        step = gentle ? OS_GENTLE_STEP : ZERO_STEP;
        if (step > size - at) step = size - at;
        TRY(os_direct_write(d, zeros, (size_t)step, at));
        if (gentle) rest_after(os_monotonic_ns() - since);
    }
    return OK;
}

static RESULT write_zeros(const struct os_direct *d, uint64_t size, os_may_rest *may_rest, void *ctx)
{
    void *zeros = os_aligned_alloc(ZERO_STEP);
    REQUIRE(zeros, ERROR_LIMIT, ENOMEM);
    result r = write_steps(d, size, zeros, may_rest, ctx);
    os_aligned_free(zeros);
    return r;
}

/* Synced once at the end; opened again by who uses it. */
static RESULT refill(struct os_direct *d, uint64_t size, os_may_rest *may_rest, void *ctx)
{
    TRY(write_zeros(d, size, may_rest, ctx));
    return os_direct_sync(d);
}

result os_direct_refill_gently(const char *path, uint64_t size, os_may_rest *may_rest, void *ctx)
{
    struct os_direct d;
    uint64_t found;
    TRY(open_direct(path, O_RDWR, &d));
    result r = look_at_file(&d, true, &found);
    if (is_ok(r) && found != size) r = FAIL(ERROR_CONFIG, OS_NOT_A_FILE);
    if (is_ok(r)) r = refill(&d, size, may_rest, ctx);
    os_direct_close(&d);
    return r;
}

bool os_direct_is_at(const struct os_direct *d, const char *path)
{
    struct stat here, there;
    return fstat(d->fd, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

result os_direct_create(const char *path, uint64_t size, struct os_direct *out)
{
    return os_direct_create_gently(path, size, NULL, NULL, out);
}

/* Zeros are written, not only allocated: the first write to an unwritten extent would change metadata, and so make
 * every commit into a fresh segment pay for the file system's journal. Here all of them together pay for it once. */
static RESULT fill_new(const char *path, const struct os_direct *d, uint64_t size, os_may_rest *may_rest, void *ctx)
{
    int error = posix_fallocate(d->fd, 0, (off_t)size);
    REQUIRE(error == 0, ERROR_IO, error);
    TRY(write_zeros(d, size, may_rest, ctx));
    REQUIRE(fsync(d->fd) == 0, ERROR_IO, errno);
    return os_sync_parent(path);
}

/* Filled without O_DSYNC, and opened again with it. */
result os_direct_create_gently(
    const char *path, uint64_t size, os_may_rest *may_rest, void *ctx, struct os_direct *out)
{
    ASSERT(size % OS_DIRECT_ALIGN == 0);
    TRY(open_direct(path, O_RDWR | O_CREAT | O_EXCL, out));
    result r = fill_new(path, out, size, may_rest, ctx);
    os_close(&out->fd);
    if (is_ok(r)) r = os_direct_open(path, true, out, &size);
    if (!is_ok(r)) unlink(path);
    return r;
}
