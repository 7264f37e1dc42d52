#include "os/os.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define READ_STEP ((size_t)256 * 1024)
#define PATH_ROOM ((size_t)4096)

void os_close(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

bool os_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

result os_identify(const char *path, struct os_identity *out)
{
    struct stat s;
    REQUIRE(stat(path, &s) == 0, ERROR_IO, errno);
    *out = (struct os_identity){.device = s.st_dev,
        .inode = s.st_ino,
        .size = (uint64_t)s.st_size,
        .changed_ns = (uint64_t)s.st_ctim.tv_sec * 1000000000u + (uint64_t)s.st_ctim.tv_nsec};
    return OK;
}

result os_free_space(const char *path, uint64_t *bytes)
{
    struct statvfs v;
    REQUIRE(statvfs(path, &v) == 0, ERROR_IO, errno);
    *bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return OK;
}

result os_free_files(const char *path, uint64_t *files)
{
    struct statvfs v;
    REQUIRE(statvfs(path, &v) == 0, ERROR_IO, errno);
    *files = v.f_files == 0 ? UINT64_MAX : (uint64_t)v.f_favail;
    return OK;
}

result os_others_may_write(const char *path, bool *may)
{
    struct stat s;
    REQUIRE(stat(path, &s) == 0, ERROR_IO, errno);
    *may = (s.st_mode & (S_IWGRP | S_IWOTH)) != 0; /* where there is a list, the group's bits are its mask */
    return OK;
}

/* One byte more than the cap is asked for, so that a file that grew meanwhile is seen to be too large. */
static RESULT read_rest(int fd, int64_t from, size_t cap, struct buf *out)
{
    for (;;) {
        size_t have = buf_len(out), want = cap - have + 1 < READ_STEP ? cap - have + 1 : READ_STEP;
        uint8_t *to;
        TRY(buf_reserve(out, want, &to));
        REQUIRE(!fault_hit("read-file"), ERROR_IO, EIO);
        ssize_t n = from >= 0 ? pread(fd, to, want, (off_t)from + (off_t)have) : read(fd, to, want);
        if (n < 0 && errno == EINTR) continue;
        REQUIRE(n >= 0, ERROR_IO, errno);
        if (n == 0) return OK;
        buf_commit(out, (size_t)n);
        REQUIRE(buf_len(out) <= cap, ERROR_LIMIT, OS_TOO_LARGE);
    }
}

#define AS_IT_COMES (-1)

static RESULT read_all(int fd, int64_t from, size_t size_hint, size_t cap, struct buf *out)
{
    REQUIRE(cap < SIZE_MAX && size_hint <= cap, ERROR_LIMIT, OS_TOO_LARGE);
    buf_init(out, cap + 1);
    uint8_t *room;
    result r = buf_reserve(out, size_hint + 1, &room); /* the usual file: one allocation, no copy */
    if (is_ok(r)) r = read_rest(fd, from, cap, out);
    if (!is_ok(r)) buf_free(out);
    return r;
}

static RESULT open_file(const char *path, int flags, mode_t mode, int *fd)
{
    *fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    return OK;
}

result os_read_fd_from(int fd, uint64_t from, size_t cap, struct buf *out)
{
    buf_init(out, 0);
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    uint64_t size = (uint64_t)st.st_size;
    return read_all(fd, (int64_t)from, (size_t)(size > from ? size - from : 0), cap, out);
}

result os_read_fd(int fd, size_t cap, struct buf *out)
{
    return os_read_fd_from(fd, 0, cap, out);
}

static RESULT read_any(int fd, size_t cap, struct buf *out)
{
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    REQUIRE(!S_ISDIR(st.st_mode), ERROR_IO, EISDIR);
    return read_all(fd, AS_IT_COMES, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, cap, out);
}

result os_read_file(const char *path, size_t cap, struct buf *out)
{
    buf_init(out, 0);
    if (strcmp(path, "-") == 0) return read_any(STDIN_FILENO, cap, out);
    int fd;
    TRY(open_file(path, O_RDONLY, 0, &fd));
    result r = read_any(fd, cap, out);
    os_close(&fd);
    return r;
}

/* The part before the last slash, "." without one. */
static RESULT parent_of(const char *path, char out[PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    REQUIRE(len < PATH_ROOM, ERROR_IO, ENAMETOOLONG);
    snprintf(out, PATH_ROOM, "%.*s", slash && len == 0 ? 1 : slash ? (int)len : 1, slash ? path : ".");
    return OK;
}

static RESULT sync_fd(int fd)
{
    REQUIRE(!fault_hit("fsync-file"), ERROR_IO, EIO);
    REQUIRE(fsync(fd) == 0, ERROR_IO, errno);
    return OK;
}

result os_sync_dir(const char *directory)
{
    int fd;
    TRY(open_file(directory, O_RDONLY | O_DIRECTORY, 0, &fd));
    result r = sync_fd(fd);
    os_close(&fd);
    return r;
}

result os_sync_parent(const char *path)
{
    char parent[PATH_ROOM];
    TRY(parent_of(path, parent));
    return os_sync_dir(parent);
}

static RESULT wait_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    REQUIRE(poll(&p, 1, -1) >= 0 || errno == EINTR, ERROR_IO, errno);
    return OK;
}

/* A pipe is writable where it has a whole page to give (pipe(7)). */
bool os_takes_line(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

result os_write_all(int fd, span data)
{
    while (data.len > 0) {
        REQUIRE(!fault_hit("write-file"), ERROR_IO, EIO);
        ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno == EAGAIN)
            TRY(wait_writable(fd));
        else
            REQUIRE(n >= 0 || errno == EINTR, ERROR_IO, errno);
        if (n > 0) data = span_from(data, (size_t)n);
    }
    return OK;
}

result os_append_durable(int fd, span data)
{
    if (fault_hit("short-write")) {
        TRY(os_write_all(fd, span_sub(data, 0, data.len / 2)));
        return FAIL(ERROR_IO, OS_SHORT_WRITE);
    }
    TRY(os_write_all(fd, data));
    REQUIRE(!fault_hit("fsync-file"), ERROR_IO, EIO);
    REQUIRE(fdatasync(fd) == 0, ERROR_IO, errno);
    return OK;
}

result os_write_at(int fd, span data, uint64_t at)
{
    while (data.len > 0) {
        REQUIRE(!fault_hit("write-file"), ERROR_IO, EIO);
        ssize_t n = pwrite(fd, data.ptr, data.len, (off_t)at);
        REQUIRE(n >= 0 || errno == EINTR, ERROR_IO, errno);
        if (n <= 0) continue;
        data = span_from(data, (size_t)n);
        at += (uint64_t)n;
    }
    return OK;
}

static RESULT fill_unsynced(int fd, span data, mode_t mode)
{
    REQUIRE(fchmod(fd, mode) == 0, ERROR_IO, errno); /* whatever the umask: the caller named the mode */
    return os_write_all(fd, data);
}

static RESULT fill_new(int fd, span data, mode_t mode)
{
    TRY(fill_unsynced(fd, data, mode));
    return sync_fd(fd);
}

static RESULT write_then_rename(int fd, const char *temporary, const char *path, span data, mode_t mode)
{
    TRY(fill_new(fd, data, mode));
    REQUIRE(rename(temporary, path) == 0, ERROR_IO, errno);
    return os_sync_parent(path);
}

result os_write_atomic(const char *path, span data, mode_t mode)
{
    char temporary[PATH_ROOM];
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    REQUIRE(len > 0 && (size_t)len < sizeof temporary, ERROR_IO, ENAMETOOLONG);
    int fd = mkostemp(temporary, O_CLOEXEC);
    REQUIRE(fd >= 0, ERROR_IO, errno);
    result r = write_then_rename(fd, temporary, path, data, mode);
    os_close(&fd);
    if (!is_ok(r)) unlink(temporary); /* gone already when only the directory's fsync failed */
    return r;
}

static RESULT fill_temporary(const char *temporary, span data, mode_t mode)
{
    int fd;
    TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, &fd));
    result r = fill_new(fd, data, mode);
    os_close(&fd);
    return r;
}

result os_write_renamed(const char *temporary, const char *path, span data, mode_t mode)
{
    TRY(fill_temporary(temporary, data, mode));
    REQUIRE(rename(temporary, path) == 0, ERROR_IO, errno);
    return OK;
}

/* A beginning, in small steps, between which others come to the disk; whether it got there os_sync_close says. */
static void write_out(int fd, size_t size)
{
    unsigned how = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    for (size_t at = 0; at < size; at += OS_GENTLE_STEP)
        if (sync_file_range(fd, (off_t)at, OS_GENTLE_STEP, how) != 0) return;
}

static RESULT fill_and_begin(int fd, span data, mode_t mode)
{
    TRY(fill_unsynced(fd, data, mode));
    write_out(fd, data.len);
    return OK;
}

result os_write_unsynced(const char *temporary, const char *path, span data, mode_t mode, int *fd)
{
    TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, fd));
    result r = fill_and_begin(*fd, data, mode);
    if (is_ok(r) && rename(temporary, path) != 0) r = FAIL(ERROR_IO, errno);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_create_unsynced(const char *path, span data, mode_t mode, int *fd)
{
    TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, fd));
    result r = fill_and_begin(*fd, data, mode);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_sync_close(int *fd)
{
    result r = sync_fd(*fd);
    os_close(fd);
    return r;
}

result os_create_nameless(const char *path, mode_t mode, int *fd)
{
    char parent[PATH_ROOM];
    TRY(parent_of(path, parent));
    *fd = open(parent, O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
    if (*fd >= 0) return OK;
    bool unknown = errno == EISDIR || errno == EINVAL; /* so says who has never heard of them */
    return FAIL(ERROR_IO, unknown ? EOPNOTSUPP : errno);
}

result os_give_name(int fd, const char *path)
{
    char self[64];
    TRY(sync_fd(fd));
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    REQUIRE(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0, ERROR_IO, errno);
    return os_sync_parent(path);
}

/* Linux keeps an access control list as a version and entries of eight bytes, little-endian. */
struct acl_entry {
    uint16_t tag, rights;
    uint32_t id;
};
#define ACL_VERSION 2u
#define ACL_ENTRIES 16
#define ACL_OWNER 0x01
#define ACL_ONE_USER 0x02
#define ACL_MASK 0x10

/* A credential that systemd hands to a service belongs to the service's user, or to root and is opened to that user by a list; what
 * looks like the group's rights is the list's mask then. Whether a list opens the file to one account to read, beside its owner, and to
 * nobody else. */
static bool listed_for_one(int fd, uid_t *who)
{
    struct {
        uint32_t version;
        struct acl_entry entries[ACL_ENTRIES];
    } acl;
    size_t listed = 0;
    ssize_t n = fgetxattr(fd, "system.posix_acl_access", &acl, sizeof acl);
    if (n < (ssize_t)sizeof acl.version || acl.version != ACL_VERSION) return false;
    size_t count = ((size_t)n - sizeof acl.version) / sizeof acl.entries[0];
    for (size_t i = 0; i < count; i++) {
        const struct acl_entry *e = &acl.entries[i];
        if (e->tag == ACL_OWNER || e->tag == ACL_MASK || e->rights == 0) continue;
        if (e->tag != ACL_ONE_USER || e->rights != 4 || listed++ > 0) return false;
        *who = e->id;
    }
    return listed == 1;
}

/* Checked on the open descriptor, so that nobody can swap the file between the look and the read. */
static RESULT check_secret(int fd)
{
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISREG(st.st_mode), ERROR_CONFIG, OS_NOT_A_FILE);
    uid_t who = st.st_uid == 0 ? geteuid() : st.st_uid;
    bool private = (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    REQUIRE(private || listed_for_one(fd, &who), ERROR_CONFIG, OS_SECRET_EXPOSED);
    REQUIRE(who == geteuid() && (st.st_uid == who || st.st_uid == 0), ERROR_CONFIG, OS_SECRET_OTHERS);
    return OK;
}

result os_secret_open(const char *path, int *fd)
{
    TRY(open_file(path, O_RDONLY | O_NONBLOCK, 0, fd)); /* a FIFO in its place must not hang us */
    result r = check_secret(*fd);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_secret_read(const char *path, size_t cap, struct buf *out)
{
    buf_init(out, 0);
    int fd;
    TRY(os_secret_open(path, &fd));
    result r = os_read_fd(fd, cap, out);
    os_close(&fd);
    return r;
}

result os_secret_create(const char *path, span data)
{
    int fd;
    TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &fd));
    result r = fill_new(fd, data, 0600);
    os_close(&fd);
    if (is_ok(r)) r = os_sync_parent(path);
    if (!is_ok(r)) unlink(path);
    return r;
}

result os_make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0) return os_sync_parent(path);
    REQUIRE(errno == EEXIST, ERROR_IO, errno);
    struct stat st;
    REQUIRE(stat(path, &st) == 0, ERROR_IO, errno);
    REQUIRE(S_ISDIR(st.st_mode), ERROR_IO, ENOTDIR);
    return OK;
}

/* ext4 without a journal passes by each file that was removed in the same part of the disk within the last minutes whenever it
 * makes one. */
void os_spread_dir(const char *path)
{
    int flags = 0, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    os_close(&fd);
}

result os_rename(const char *from, const char *to)
{
    REQUIRE(rename(from, to) == 0, ERROR_IO, errno);
    TRY(os_sync_parent(to));
    return os_sync_parent(from);
}

result os_remove(const char *path)
{
    REQUIRE(unlink(path) == 0 || errno == ENOENT, ERROR_IO, errno);
    return OK;
}

result os_lock(const char *path, int *fd)
{
    TRY(open_file(path, O_RDWR | O_CREAT, 0600, fd));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return OK;
    int error = errno;
    os_close(fd);
    return FAIL(ERROR_IO, error);
}

result os_lock_open(int fd, bool alone, uint32_t patience_ms)
{
    uint64_t until = os_monotonic_ns() + patience_ms * UINT64_C(1000000);
    while (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return OK;
        REQUIRE(os_monotonic_ns() < until, ERROR_IO, EWOULDBLOCK);
        os_nap_ns(UINT64_C(10000000));
    }
    return OK;
}

/* A lock of the other kind, which has nothing to do with the one that is shared. */
static int set_turn(int fd, short type)
{
    struct flock turn = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &turn);
}

result os_turn_take(int fd, uint32_t patience_ms)
{
    uint64_t until = os_monotonic_ns() + patience_ms * UINT64_C(1000000);
    while (set_turn(fd, F_WRLCK) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return OK;
        REQUIRE(os_monotonic_ns() < until, ERROR_IO, EWOULDBLOCK);
        os_nap_ns(UINT64_C(10000000));
    }
    return OK;
}

void os_turn_end(int fd)
{
    (void)set_turn(fd, F_UNLCK); /* of an open file it cannot fail */
}

static int no_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

result os_list_dir(const char *path, os_name_fn *each, void *ctx)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, no_dots, by_bytes);
    REQUIRE(count >= 0, ERROR_IO, errno);
    result r = OK;
    for (int i = 0; i < count; i++) {
        if (is_ok(r)) r = each(ctx, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return r;
}

static result remove_in(void *ctx, const char *name)
{
    char path[PATH_ROOM];
    int len = snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    REQUIRE(len > 0 && (size_t)len < sizeof path, ERROR_IO, ENAMETOOLONG);
    return os_remove(path);
}

result os_remove_dir(const char *path)
{
    if (!os_exists(path)) return OK;
    TRY(os_list_dir(path, remove_in, (void *)(uintptr_t)path));
    REQUIRE(rmdir(path) == 0 || errno == ENOENT, ERROR_IO, errno);
    return OK;
}
