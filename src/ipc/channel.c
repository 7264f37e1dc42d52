#include "ipc/ipc.h"
#include "os/os.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct frame_header {
    uint32_t magic;
    uint16_t version, type;
    uint32_t text_len, fd_count;
    uint64_t number;
};
#define FRAME_MAGIC 0x67313367u
#define FRAME_VERSION 1

static const char *const type_names[IPC_TYPES] = {"none",
#define X(name, text, note) text,
    IPC_MESSAGES(X)
#undef X
};

const char *ipc_type_name(enum ipc_type type)
{
    return (unsigned)type < IPC_TYPES ? type_names[type] : "unknown";
}

result ipc_channel_pair(int fds[2])
{
    return os_socket_pair(true, fds);
}

void ipc_message_set(struct ipc_message *m, enum ipc_type type, uint64_t number, const char *fmt, ...)
{
    *m = (struct ipc_message){.type = type, .number = number};
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(m->text, sizeof m->text, fmt, args);
    va_end(args);
    if (n > 0) m->text_len = (uint32_t)n < IPC_TEXT_MAX ? (uint32_t)n : IPC_TEXT_MAX;
}

void ipc_channel_tell(int fd, enum ipc_type type, uint64_t number, const char *text)
{
    struct ipc_message m;
    ipc_message_set(&m, type, number, "%s", text);
    result r = ipc_channel_send(fd, &m);
    (void)r; /* see the header */
}

union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

static void attach_fds(struct msghdr *msg, union control *control, const struct ipc_message *m)
{
    if (m->fd_count == 0) return;
    msg->msg_control = control->bytes;
    msg->msg_controllen = CMSG_SPACE(m->fd_count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(m->fd_count * sizeof(int));
    memcpy(CMSG_DATA(c), m->fds, m->fd_count * sizeof(int));
}

static result channel_error(int error)
{
    if (error == EAGAIN || error == ENOBUFS || error == EINTR) return FAIL(ERROR_LIMIT, EAGAIN);
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) return FAIL(ERROR_CLOSED, error);
    return FAIL(ERROR_IO, error);
}

result ipc_channel_send(int fd, const struct ipc_message *m)
{
    REQUIRE(m->type > IPC_NONE && m->type < IPC_TYPES, ERROR_INTERNAL, EPROTO);
    REQUIRE(m->text_len <= IPC_TEXT_MAX && m->fd_count <= IPC_FDS_MAX, ERROR_INTERNAL, EPROTO);
    struct frame_header h = {FRAME_MAGIC, FRAME_VERSION, (uint16_t)m->type, m->text_len, m->fd_count, m->number};
    struct iovec iov[2] = {{&h, sizeof h}, {(void *)(uintptr_t)m->text, m->text_len}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    union control control;
    memset(&control, 0, sizeof control);
    attach_fds(&msg, &control, m);
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? channel_error(errno) : OK;
}

/* Takes every descriptor that came, also where more came than we have room for: none may stay open unnoticed. */
static bool collect_fds(struct msghdr *msg, struct ipc_message *m)
{
    bool fits = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            fits = false;
            continue;
        }
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (m->fd_count < IPC_FDS_MAX)
                m->fds[m->fd_count++] = fd;
            else
                close(fd), fits = false;
        }
    }
    return fits;
}

static result refuse_message(struct ipc_message *m)
{
    for (uint32_t i = 0; i < m->fd_count; i++)
        os_close(&m->fds[i]);
    m->fd_count = 0;
    m->type = IPC_NONE;
    return FAIL(ERROR_INTERNAL, EPROTO);
}

static bool frame_holds(const struct frame_header *h, size_t len, const struct ipc_message *m)
{
    return len >= sizeof *h && h->magic == FRAME_MAGIC && h->version == FRAME_VERSION && h->type > IPC_NONE &&
           h->type < IPC_TYPES && h->text_len <= IPC_TEXT_MAX && len == sizeof *h + h->text_len &&
           h->fd_count == m->fd_count;
}

result ipc_channel_receive(int fd, struct ipc_message *m)
{
    struct frame_header h = {0};
    *m = (struct ipc_message){.type = IPC_NONE};
    struct iovec iov[2] = {{&h, sizeof h}, {m->text, IPC_TEXT_MAX}};
    union control control;
    struct msghdr msg = {
        .msg_iov = iov, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return channel_error(errno);
    bool fits = collect_fds(&msg, m);
    if (n == 0 && m->fd_count == 0) return FAIL(ERROR_CLOSED, 0);
    if (!fits || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || !frame_holds(&h, (size_t)n, m)) return refuse_message(m);
    m->type = (enum ipc_type)h.type;
    m->number = h.number;
    m->text_len = h.text_len;
    m->text[h.text_len] = 0;
    return OK;
}
