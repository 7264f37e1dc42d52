/* os: everything the kernel does for us, each call with its error. Whoever needs a descriptor, a clock, random bytes or
 * confinement comes here; nothing here knows what the bytes mean. Every descriptor is close-on-exec. Errors are
 * ERROR_IO with errno as code unless said otherwise. */
#ifndef GATE1367_OS_H
#define GATE1367_OS_H

#include "base/base.h"
#include <sys/socket.h>
#include <sys/types.h>

/* Codes of errors that are not errno. */
enum os_error {
    OS_TOO_LARGE = 1001,  /* LIMIT: the file is over the cap */
    OS_SECRET_EXPOSED,    /* CONFIG: group or others may read it */
    OS_SECRET_OTHERS,     /* CONFIG: one account alone may read it, which is not ours */
    OS_NOT_A_FILE,        /* CONFIG: neither regular file nor (os_read_file only) pipe */
    OS_BAD_ADDRESS,       /* CONFIG: not ADDRESS:PORT */
    OS_UNRESOLVED,        /* CONFIG: the name has no address */
    OS_SHORT_WRITE,       /* IO: less was written than asked */
    OS_TIMEOUT,           /* IO */
};
/* What a result says in words: strerror for errno, our own words for the codes above. Static lifetime. */
const char *os_error_text(result r);

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* The whole file (or pipe) into `out`, which the call initialises; on error it is empty. "-" is stdin. Fault point
 * "read-file". */
RESULT os_read_file(const char *path, size_t cap, struct buf *out);
/* The same of an open regular file from its start, whatever its offset; the offset does not move. For secrets inherited
 * over fork. */
RESULT os_read_fd(int fd, size_t cap, struct buf *out);
RESULT os_read_fd_from(int fd, uint64_t from, size_t cap, struct buf *out); /* what stands behind the first bytes */
/* Replaces path: temporary file beside it, fsync, rename, fsync of the directory. Old or new content after a crash,
 * never a mixture. Fault points "write-file", "fsync-file". */
RESULT os_write_atomic(const char *path, span data, mode_t mode);
/* The same under a temporary name of the caller's choice, which no second writer uses, and without the directory's fsync:
 * whoever writes many files syncs their directories once. ENOENT leaves the temporary file: make the directory and
 * os_rename. */
RESULT os_write_renamed(const char *temporary, const char *path, span data, mode_t mode);
/* The same for who writes many files before any of them has to last: the disk is only told to begin. The name stands, what
 * is in the file after a crash nobody knows until os_sync_close(fd) said OK. */
RESULT os_write_unsynced(const char *temporary, const char *path, span data, mode_t mode, int *fd);
/* The same at once under its own name, where there is nothing yet (IO EEXIST): half of what a rename costs. Until the call is back
 * others may find less there. */
RESULT os_create_unsynced(const char *path, span data, mode_t mode, int *fd);
RESULT os_sync_close(int *fd);
/* A file in path's directory that has no name yet: closed before it is given one it is gone, and so it is when its process is killed.
 * IO EOPNOTSUPP where the file system knows none. */
RESULT os_create_nameless(const char *path, mode_t mode, int *fd);
/* Gives it that name, where there is nothing yet (IO EEXIST); durable on return. */
RESULT os_give_name(int fd, const char *path);
/* Opens a file that only its owner may read (no group or other bits, owned by us or root), or whom an access control list names
 * alone, if that is us: CONFIG OS_SECRET_EXPOSED or OS_SECRET_OTHERS otherwise. */
RESULT os_secret_open(const char *path, int *fd);
RESULT os_secret_read(const char *path, size_t cap, struct buf *out); /* open, read, close */
/* Creates a secret that is not there yet (EEXIST otherwise): mode 0600, durable on return. */
RESULT os_secret_create(const char *path, span data);
/* fsync of a directory; of the directory that holds path. */
RESULT os_sync_dir(const char *directory);
RESULT os_sync_parent(const char *path);
/* mkdir; an existing directory is fine. */
RESULT os_make_dir(const char *path, mode_t mode);
/* Directories made in this one from now on are put far from each other and from what else is near it, where the file system
 * knows how to (chattr +T): others who make and remove files there do not slow us down. A wish: where it cannot be had, nothing. */
void os_spread_dir(const char *path);
/* rename, then fsync of both directories. */
RESULT os_rename(const char *from, const char *to);
RESULT os_remove(const char *path); /* ENOENT is fine */
/* So much is asked of a disk at a time where others wait for the same one. */
#define OS_GENTLE_STEP ((size_t)128 * 1024)
/* A large file, a MiB at a time from its end, with the disk left alone three quarters of the time. */
RESULT os_remove_gently(const char *path);
/* A directory with the files in it; ENOENT is fine. */
RESULT os_remove_dir(const char *path);
bool os_exists(const char *path);
/* Which file a path leads to: names can be moved, numbers of a file that is kept open cannot. */
struct os_identity {
    uint64_t device, inode, size;
    uint64_t changed_ns; /* content or, of a directory, names; since 1970 */
};
RESULT os_identify(const char *path, struct os_identity *out);
static inline bool os_same_file(const struct os_identity *a, const struct os_identity *b)
{
    return a->device == b->device && a->inode == b->inode;
}
/* Bytes that we could still write on the device that holds path. */
RESULT os_free_space(const char *path, uint64_t *bytes);
/* Files that can still be made there; UINT64_MAX where the file system has no bound of its own on them. */
RESULT os_free_files(const char *path, uint64_t *files);
/* Whether group or others may write there, whom an access control list names too. */
RESULT os_others_may_write(const char *path, bool *may);
/* Calls `each` for every name in the directory but . and .., sorted bytewise; stops when it fails. */
typedef result os_name_fn(void *ctx, const char *name);
RESULT os_list_dir(const char *path, os_name_fn *each, void *ctx);
/* Takes an exclusive lock on the file (made when missing, 0600) for as long as *fd is open; EWOULDBLOCK when taken. */
RESULT os_lock(const char *path, int *fd);
/* Locks an open file for as long as it is open, alone or together with others who share it; waits for it as long as patience_ms.
 * EWOULDBLOCK: it was not to be had. A file system that has no locks keeps nobody out. */
RESULT os_lock_open(int fd, bool alone, uint32_t patience_ms);
/* Among those who share it: one at a time, until os_turn_end. Waits and fails alike. */
RESULT os_turn_take(int fd, uint32_t patience_ms);
void os_turn_end(int fd);
/* Appends all of data to fd (offset at the end), then fdatasync: a journal's step. After an error the file may hold a
 * part of it. Fault points "write-file", "fsync-file", "short-write". */
RESULT os_append_durable(int fd, span data);
/* Writes all of data where it belongs; durable after an os_append_durable of nothing. Fault point "write-file". */
RESULT os_write_at(int fd, span data, uint64_t at);
/* True where a line of up to 4096 bytes can be written to fd (pipe, file, terminal, socket) without waiting. */
bool os_takes_line(int fd);
/* Writes everything to fd (pipe, file, terminal), waiting where it must. */
RESULT os_write_all(int fd, span data);
/* close(2) with *fd = -1 after; does nothing for -1. */
void os_close(int *fd);

/* ---- direct I/O, for the ledger ------------------------------------------------------------------------------- */

/* Files written past the page cache: O_DIRECT|O_DSYNC where the file system offers it, else plain with fdatasync after
 * each write. Addresses, lengths and offsets are multiples of OS_DIRECT_ALIGN (asserted). */
#define OS_DIRECT_ALIGN 4096
struct os_direct {
    int fd;
    bool direct; /* O_DIRECT is on: reads come from the disk */
};
/* A new zero-filled file of exactly `size` bytes, all blocks allocated and written, durable with its directory entry.
 * EEXIST when it is there. Disk full shows here (ENOSPC) and then leaves no file. */
RESULT os_direct_create(const char *path, uint64_t size, struct os_direct *out);
/* The same where others write to that disk and must not wait long: as long as may_rest says yes it is done in small
 * steps, with the disk left alone three quarters of the time. */
typedef bool os_may_rest(void *ctx);
RESULT os_direct_create_gently(
    const char *path, uint64_t size, os_may_rest *may_rest, void *ctx, struct os_direct *out);
/* A file of exactly that size, whose blocks are there and written already, is zeroed where it lies, as gently, and durable. What
 * it held is gone once the first step is done. CONFIG OS_NOT_A_FILE: it has another size, and is as it was. */
RESULT os_direct_refill_gently(const char *path, uint64_t size, os_may_rest *may_rest, void *ctx);
/* Whether the path still leads to this very file. */
bool os_direct_is_at(const struct os_direct *d, const char *path);
/* Without O_DIRECT what the page cache holds of the file is flushed and forgotten first: reads come from the disk then
 * too. Fault point "direct": O_DIRECT is refused, as by a file system that has none. */
RESULT os_direct_open(const char *path, bool writable, struct os_direct *out, uint64_t *size);
/* Makes durable what others wrote to the file before: a write of a process that was killed may still stand in the disk's
 * own cache, and a later write that is durable by itself does not take it along. Fault point "fsync". */
RESULT os_direct_sync(const struct os_direct *d);
/* Durable when OK. Any error, a short write too, is final for the file: what is on disk is then unknown. Fault points
 * "write" (nothing is written), "short-write" (half of it is), "fsync" (written, but not known to be durable). */
RESULT os_direct_write(const struct os_direct *d, const void *data, size_t len, uint64_t offset);
/* Reads up to len; *got is less only at the end of the file. Fault point "read". */
RESULT os_direct_read(const struct os_direct *d, void *out, size_t len, uint64_t offset, size_t *got);
/* The same in small steps, between which others come to the disk. */
RESULT os_direct_read_gently(const struct os_direct *d, void *out, size_t len, uint64_t offset, size_t *got);
void os_direct_close(struct os_direct *d);
/* Zeroed memory aligned to OS_DIRECT_ALIGN, size rounded up to it; NULL when out of memory. Free with
 * os_aligned_free. Fault point "malloc". */
void *os_aligned_alloc(size_t size);
void os_aligned_free(void *p);

/* ---- shared and mapped memory --------------------------------------------------------------------------------- */

/* A file mapped read-only. The mapping outlives the descriptor and a rename over the path. len 0: ptr NULL. */
struct os_map {
    const uint8_t *ptr;
    size_t len;
};
RESULT os_map_file(const char *path, struct os_map *out);
RESULT os_map_fd(int fd, struct os_map *out);
/* Shared with whoever else maps the file. */
RESULT os_map_writable(const char *path, struct os_map *out);
/* As it is now, in read-only memory of its own: a file that is overwritten or cut later neither changes what is read nor
 * ends the reader by SIGBUS. Inherited by children, shared with them. In huge pages where the kernel has them. */
RESULT os_map_copy(const char *path, struct os_map *out);
void os_unmap(struct os_map *m);
/* An anonymous segment of `size` zero bytes, shared with children, sealed against resizing. */
RESULT os_shared_create(const char *name, size_t size, int *fd);
/* Maps all of it; *len is its size. INTERNAL when it is not sealed (a sibling could make us fault). */
RESULT os_shared_map(int fd, bool writable, void **p, size_t *len);
void os_shared_unmap(void *p, size_t len);

/* ---- time, chance, news --------------------------------------------------------------------------------------- */

uint64_t os_monotonic_ns(void);
void os_nap_ns(uint64_t ns); /* about; only in threads that nobody waits for */
uint64_t os_realtime_us(void); /* since 1970, UTC */
uint64_t os_cpu_ns(void);      /* CPU time of this process */
/* From the kernel's generator; fault point "random". Never returns fewer bytes. */
RESULT os_random(void *out, size_t len);
/* sd_notify: "READY=1", "STOPPING=1", "STATUS=…"; nothing happens where NOTIFY_SOCKET is not set or does not answer. */
void os_notify(const char *state);
/* sd_watchdog_enabled: how often "WATCHDOG=1" is expected of this process, in milliseconds; 0: never. */
uint64_t os_watchdog_ms(void);

/* ---- events and signals --------------------------------------------------------------------------------------- */

/* Non-blocking eventfd, count 0. */
RESULT os_event_open(int *fd);
void os_event_signal(int fd); /* never blocks: a full counter is as good as a signal */
uint64_t os_event_drain(int fd); /* 0: nothing had happened */
/* Blocks the signals (0-terminated list) and makes a non-blocking descriptor that delivers them. */
RESULT os_signals_open(const int *signals, int *fd);
int os_signals_next(int fd); /* 0: none pending */
/* In a child after fork: default actions, empty mask; SIGPIPE ignored. */
void os_signals_reset(void);

/* ---- sockets -------------------------------------------------------------------------------------------------- */

struct os_address {
    struct sockaddr_storage storage;
    socklen_t len;
};
#define OS_ADDRESS_TEXT 64
/* "127.0.0.1:8443", "[::1]:0": numbers only. CONFIG OS_BAD_ADDRESS. */
RESULT os_address_parse(const char *text, struct os_address *out);
/* The inverse, NUL-terminated; "unix" for Unix sockets. */
void os_address_format(const struct os_address *a, char out[OS_ADDRESS_TEXT]);
/* All stream addresses of a host name (or number), at most max; blocks. CONFIG OS_UNRESOLVED. */
RESULT os_resolve(const char *host, uint16_t port, struct os_address *out, size_t max, size_t *count);
/* Non-blocking TCP listener. With reuse_port several may listen on one address, each with a queue of its own. */
RESULT os_listen(const struct os_address *a, bool reuse_port, int *fd);
/* Lets further os_listen(…, true) of this user join an address that os_listen(…, false) has taken: so it was nobody
 * else's before, which a first listener with reuse_port could not tell. */
/* Whether an interface has it (its port aside); true where that cannot be asked. */
bool os_address_is_ours(const struct os_address *a);
/* Whether something is there that is no socket. */
bool os_is_other(const char *path);
RESULT os_listen_share(int fd);
/* Non-blocking Unix listener at path with the mode; an old socket there on which nobody listens any more is removed,
 * anything else is an error. */
RESULT os_listen_unix(const char *path, mode_t mode, int *fd);
/* Non-blocking, TCP_NODELAY. CLOSED when nobody waits (EAGAIN). `peer` may be NULL. */
RESULT os_accept(int listener, int *fd, struct os_address *peer);
/* Starts a non-blocking connection; *done when it stands at once. os_connect_result once writable. */
RESULT os_connect(const struct os_address *a, int *fd, bool *done);
RESULT os_connect_result(int fd);
/* Blocking; connecting, reading and writing give up after so many seconds: IO OS_TIMEOUT, later EAGAIN. */
RESULT os_connect_unix(const char *path, unsigned seconds, int *fd);
/* Reads and writes of a blocking socket give up after so many seconds (EAGAIN). */
RESULT os_set_patience(int fd, unsigned seconds);
RESULT os_local_address(int fd, struct os_address *out);
/* A connected pair of SOCK_SEQPACKET (`packets`) or SOCK_STREAM sockets, non-blocking. */
RESULT os_socket_pair(bool packets, int fds[2]);
RESULT os_set_nonblocking(int fd, bool on);
struct os_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
RESULT os_peer_credentials(int fd, struct os_credentials *out);

/* ---- processes ------------------------------------------------------------------------------------------------ */

unsigned os_cpu_count(void); /* that we may run on; at least 1 */
void os_set_process_name(const char *name); /* as ps shows it; cut to 15 bytes */
/* Somebody waits for the thread that calls, which has about that much to do at a time: when it wakes it need not wait for the longer
 * turn of another one to end, and its own turns are no longer than that (at least 100 µs; Linux 6.12; older ones take no notice).
 * Before confinement, as the next. */
void os_thread_prompt(uint32_t turn_us);
/* … has much to do and nobody waits for it: on a busy processor it gets about a third of a share. */
void os_thread_patient(void);
/* How a role ends: _exit, for what atexit would do belongs to the process that forked us. A training build first writes down what it
 * counted. */
NORETURN void os_leave(int status);
/* Gives what was freed back to the system: who has loaded much and now serves for long would keep it, and hand it on to each child. */
void os_give_memory_back(void);
/* The kernel kills us with the signal when the parent ends; fails with ESRCH when it already has. */
RESULT os_die_with_parent(pid_t parent, int signal);
/* No core dumps, not dumpable, no new privileges. Before secrets are read. */
RESULT os_harden(void);
/* Upper bound on open descriptors; address space unlimited. Lowers only to what the hard limit allows. */
RESULT os_limit_files(uint64_t files);
/* The bound in force, the one that os_limit_files cannot pass, and how many descriptors may still be opened. */
struct os_files {
    uint64_t limit, most, left;
};
RESULT os_count_files(struct os_files *out);
/* Closes every descriptor from 3 on but those listed (any order). */
RESULT os_close_others(const int *keep, size_t count);

/* What a process may do after it is set up. Syscalls not on the role's list kill it (seccomp); files outside `paths`
 * are refused with EACCES (Landlock; where the kernel lacks it, the file system permissions alone stand). No way
 * back. Binds the calling thread and what it starts later: a thread that runs already confines itself. Sanitizer
 * and training builds do nothing. Call os_harden first. */
enum os_role { OS_ROLE_WORKER, OS_ROLE_SCRIBE, OS_ROLE_ADMIN, OS_ROLE_ASKER };
struct os_access {
    const char *path; /* file or directory with all below it; NULL is skipped */
    bool write;       /* also create, rename, remove */
};
RESULT os_confine(enum os_role role, const struct os_access *paths, size_t count);
/* What os_confine would achieve here: for the start-up log. */
bool os_has_seccomp(void);
bool os_has_landlock(void);

#endif
