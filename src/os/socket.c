#include "os/os.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/time.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static struct sockaddr *raw(struct os_address *a)
{
    return (struct sockaddr *)&a->storage;
}
static const struct sockaddr *raw_const(const struct os_address *a)
{
    return (const struct sockaddr *)&a->storage;
}

static bool fill_address(span host, uint16_t port, bool six, struct os_address *out)
{
    char text[INET6_ADDRSTRLEN];
    if (host.len == 0 || host.len >= sizeof text) return false;
    snprintf(text, sizeof text, "%.*s", SPAN_FMT(host));
    *out = (struct os_address){.len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->storage;
    out->storage.ss_family = six ? AF_INET6 : AF_INET;
    if (six)
        v6->sin6_port = htons(port);
    else
        v4->sin_port = htons(port);
    return inet_pton(six ? AF_INET6 : AF_INET, text, six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1;
}

result os_address_parse(const char *text, struct os_address *out)
{
    span s = span_str(text), host = s;
    const char *colon = strrchr(text, ':');
    uint64_t port;
    REQUIRE(colon, ERROR_CONFIG, OS_BAD_ADDRESS);
    host.len = (size_t)(colon - text);
    REQUIRE(span_to_u64(span_from(s, host.len + 1), UINT16_MAX, &port), ERROR_CONFIG, OS_BAD_ADDRESS);
    bool six = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (six) host = span_sub(host, 1, host.len - 2);
    REQUIRE(fill_address(host, (uint16_t)port, six, out), ERROR_CONFIG, OS_BAD_ADDRESS);
    return OK;
}

void os_address_format(const struct os_address *a, char out[OS_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->storage;
    if (a->storage.ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, OS_ADDRESS_TEXT, "%s:%u", host, ntohs(v4->sin_port));
    } else if (a->storage.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, OS_ADDRESS_TEXT, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else
        snprintf(out, OS_ADDRESS_TEXT, "unix");
}

result os_resolve(const char *host, uint16_t port, struct os_address *out, size_t max, size_t *count)
{
    *count = 0;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    REQUIRE(getaddrinfo(host, service, &hints, &list) == 0, ERROR_CONFIG, OS_UNRESOLVED);
    for (struct addrinfo *i = list; i && *count < max; i = i->ai_next) {
        if (i->ai_addrlen > sizeof out->storage) continue;
        out[*count] = (struct os_address){.len = i->ai_addrlen};
        memcpy(&out[*count].storage, i->ai_addr, i->ai_addrlen);
        ++*count;
    }
    freeaddrinfo(list);
    REQUIRE(*count > 0, ERROR_CONFIG, OS_UNRESOLVED);
    return OK;
}

static RESULT open_socket(int family, int type, int *fd)
{
    *fd = socket(family, type | SOCK_CLOEXEC, 0);
    REQUIRE(*fd >= 0, ERROR_IO, errno);
    return OK;
}

static RESULT set_option(int fd, int level, int option)
{
    int on = 1;
    REQUIRE(setsockopt(fd, level, option, &on, sizeof on) == 0, ERROR_IO, errno);
    return OK;
}

static RESULT bind_and_listen(int fd, const struct os_address *a, bool reuse_port)
{
    TRY(set_option(fd, SOL_SOCKET, SO_REUSEADDR));
    if (reuse_port) TRY(set_option(fd, SOL_SOCKET, SO_REUSEPORT));
    if (a->storage.ss_family == AF_INET6) TRY(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
    REQUIRE(bind(fd, raw_const(a), a->len) == 0, ERROR_IO, errno);
    REQUIRE(listen(fd, BACKLOG) == 0, ERROR_IO, errno);
    return OK;
}

result os_listen(const struct os_address *a, bool reuse_port, int *fd)
{
    TRY(open_socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, fd));
    result r = bind_and_listen(*fd, a, reuse_port);
    if (!is_ok(r)) os_close(fd);
    return r;
}

bool os_address_is_ours(const struct os_address *a)
{
    struct os_address any = *a;
    int fd;
    if (a->storage.ss_family == AF_INET) ((struct sockaddr_in *)&any.storage)->sin_port = 0;
    else if (a->storage.ss_family == AF_INET6) ((struct sockaddr_in6 *)&any.storage)->sin6_port = 0;
    else return true;
    if (!is_ok(open_socket(any.storage.ss_family, SOCK_STREAM, &fd))) return true;
    bool ours = bind(fd, raw_const(&any), any.len) == 0 || errno != EADDRNOTAVAIL;
    os_close(&fd);
    return ours;
}

bool os_is_other(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

result os_listen_share(int fd)
{
    return set_option(fd, SOL_SOCKET, SO_REUSEPORT);
}

static RESULT unix_address(const char *path, struct os_address *out)
{
    struct sockaddr_un *a = (struct sockaddr_un *)&out->storage;
    *out = (struct os_address){.len = sizeof *a};
    REQUIRE(strlen(path) < sizeof a->sun_path, ERROR_IO, ENAMETOOLONG);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, path, strlen(path) + 1);
    return OK;
}

#define SOMEBODY_SECONDS 2 /* who is there, and takes nobody, is there all the same */

static RESULT remove_old_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0) return OK;
    REQUIRE(S_ISSOCK(st.st_mode), ERROR_IO, EEXIST);
    int fd;
    result r = os_connect_unix(path, SOMEBODY_SECONDS, &fd);
    os_close(&fd);
    if (is_ok(r) || (r.class == ERROR_IO && r.code == OS_TIMEOUT)) return FAIL(ERROR_IO, EADDRINUSE);
    return os_remove(path);
}

/* The mode is set on the descriptor before bind, so that at no moment anybody else may connect. */
static RESULT listen_with_mode(int fd, const struct os_address *a, mode_t mode)
{
    REQUIRE(fchmod(fd, mode) == 0, ERROR_IO, errno);
    mode_t before = umask(0777 & ~mode);
    int bound = bind(fd, raw_const(a), a->len), error = errno;
    umask(before);
    REQUIRE(bound == 0, ERROR_IO, error);
    REQUIRE(listen(fd, BACKLOG) == 0, ERROR_IO, errno);
    return OK;
}

result os_listen_unix(const char *path, mode_t mode, int *fd)
{
    struct os_address a;
    *fd = -1;
    TRY(unix_address(path, &a));
    TRY(remove_old_socket(path));
    TRY(open_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, fd));
    result r = listen_with_mode(*fd, &a, mode);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_accept(int listener, int *fd, struct os_address *peer)
{
    struct os_address ignored = {0}, *a = peer ? peer : &ignored;
    *a = (struct os_address){.len = sizeof a->storage};
    do
        *fd = accept4(listener, raw(a), &a->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (*fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (*fd < 0) return errno == EAGAIN ? FAIL(ERROR_CLOSED, EAGAIN) : FAIL(ERROR_IO, errno);
    int on = 1;
    if (a->storage.ss_family != AF_UNIX) setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return OK;
}

result os_connect(const struct os_address *a, int *fd, bool *done)
{
    TRY(open_socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, fd));
    int on = 1;
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *done = connect(*fd, raw_const(a), a->len) == 0;
    if (*done || errno == EINPROGRESS) return OK;
    int error = errno;
    os_close(fd);
    return FAIL(ERROR_IO, error);
}

result os_connect_result(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    REQUIRE(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0, ERROR_IO, errno);
    REQUIRE(error == 0, ERROR_IO, error);
    return OK;
}

result os_connect_unix(const char *path, unsigned seconds, int *fd)
{
    struct os_address a;
    *fd = -1;
    TRY(unix_address(path, &a));
    TRY(open_socket(AF_UNIX, SOCK_STREAM, fd));
    result r = os_set_patience(*fd, seconds); /* also of connect(): a queue that is full is waited for */
    if (is_ok(r) && connect(*fd, raw_const(&a), a.len) != 0) r = FAIL(ERROR_IO, errno == EAGAIN ? OS_TIMEOUT : errno);
    if (!is_ok(r)) os_close(fd);
    return r;
}

result os_set_patience(int fd, unsigned seconds)
{
    struct timeval t = {.tv_sec = (time_t)seconds};
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0, ERROR_IO, errno);
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0, ERROR_IO, errno);
    return OK;
}

result os_local_address(int fd, struct os_address *out)
{
    *out = (struct os_address){.len = sizeof out->storage};
    REQUIRE(getsockname(fd, raw(out), &out->len) == 0, ERROR_IO, errno);
    return OK;
}

result os_socket_pair(bool packets, int fds[2])
{
    int type = (packets ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0, ERROR_IO, errno);
    return OK;
}

result os_set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    REQUIRE(flags >= 0, ERROR_IO, errno);
    flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    REQUIRE(fcntl(fd, F_SETFL, flags) == 0, ERROR_IO, errno);
    return OK;
}

result os_peer_credentials(int fd, struct os_credentials *out)
{
    struct ucred c;
    socklen_t len = sizeof c;
    REQUIRE(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) == 0, ERROR_IO, errno);
    *out = (struct os_credentials){c.pid, c.uid, c.gid};
    return OK;
}
