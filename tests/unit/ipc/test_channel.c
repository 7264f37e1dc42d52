#include "ipc/ipc.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_every_type_goes_through(void **state)
{
    (void)state;
    int fds[2];
    static struct ipc_message out, in;
    assert_true(is_ok(ipc_channel_pair(fds)));
    for (int t = IPC_NONE + 1; t < IPC_TYPES; t++) {
        ipc_message_set(&out, (enum ipc_type)t, (uint64_t)t << 40, "text of %s", ipc_type_name((enum ipc_type)t));
        assert_true(is_ok(ipc_channel_send(fds[0], &out)));
        assert_true(is_ok(ipc_channel_receive(fds[1], &in)));
        assert_int_equal(in.type, t);
        assert_int_equal(in.number, (uint64_t)t << 40);
        assert_string_equal(in.text, out.text);
    }
    assert_int_equal(ipc_channel_receive(fds[1], &in).code, EAGAIN);
    os_close(&fds[0]);
    assert_int_equal(ipc_channel_receive(fds[1], &in).class, ERROR_CLOSED);
    ipc_message_set(&out, IPC_READY, 1, "x");
    assert_int_equal(ipc_channel_send(fds[1], &out).class, ERROR_CLOSED);
    os_close(&fds[1]);
}

/* A child that does not read, and one that is gone, keep nobody from going on. */
static void test_telling(void **state)
{
    (void)state;
    int fds[2];
    static struct ipc_message in;
    static char text[2 * IPC_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    assert_true(is_ok(ipc_channel_pair(fds)));
    ipc_channel_tell(fds[0], IPC_ALARM, 7, "100 % of %s");
    ipc_channel_tell(fds[0], IPC_FAILED, 0, text);
    assert_true(is_ok(ipc_channel_receive(fds[1], &in)));
    assert_int_equal(in.type, IPC_ALARM);
    assert_int_equal(in.number, 7);
    assert_int_equal(in.fd_count, 0);
    assert_string_equal(in.text, "100 % of %s");
    assert_true(is_ok(ipc_channel_receive(fds[1], &in)));
    assert_int_equal(strlen(in.text), IPC_TEXT_MAX);
    in = (struct ipc_message){.type = IPC_DRAIN};
    while (is_ok(ipc_channel_send(fds[0], &in))) continue;
    ipc_channel_tell(fds[0], IPC_STOP, 0, "");
    os_close(&fds[1]);
    ipc_channel_tell(fds[0], IPC_STOP, 0, "");
    os_close(&fds[0]);
}

static void test_a_descriptor_travels(void **state)
{
    (void)state;
    int fds[2], pipe_fds[2];
    static struct ipc_message out, in;
    char byte = 0;
    assert_true(is_ok(ipc_channel_pair(fds)));
    assert_int_equal(pipe(pipe_fds), 0);
    ipc_message_set(&out, IPC_SECRET, 0, "ledger.key");
    out.fd_count = 1;
    out.fds[0] = pipe_fds[0];
    assert_true(is_ok(ipc_channel_send(fds[0], &out)));
    assert_true(is_ok(ipc_channel_receive(fds[1], &in)));
    assert_int_equal(in.fd_count, 1);
    assert_true(fcntl(in.fds[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(pipe_fds[1], "k", 1), 1);
    assert_int_equal(read(in.fds[0], &byte, 1), 1);
    assert_int_equal(byte, 'k');
    for (int i = 0; i < 2; i++)
        os_close(&fds[i]), os_close(&pipe_fds[i]);
    os_close(&in.fds[0]);
}

/* The frame as it is on the wire, written by hand. */
struct wire {
    uint32_t magic;
    uint16_t version, type;
    uint32_t text_len, fd_count;
    uint64_t number;
    char text[5000];
};

static void refuse(struct wire w, size_t len, int fd_count)
{
    int fds[2], before = open_descriptors();
    static struct ipc_message in;
    assert_true(is_ok(ipc_channel_pair(fds)));
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec iov = {&w, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_count > 0) {
        int many[8] = {0};
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        *c = (struct cmsghdr){
            .cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), many, (size_t)fd_count * sizeof(int));
    }
    assert_int_equal(sendmsg(fds[0], &msg, 0), (ssize_t)len);
    result r = ipc_channel_receive(fds[1], &in);
    assert_int_equal(r.class, ERROR_INTERNAL);
    assert_int_equal(in.fd_count, 0);
    os_close(&fds[0]), os_close(&fds[1]);
    assert_int_equal(open_descriptors(), before);
}

static void test_malformed_messages_are_refused_and_leave_no_descriptor(void **state)
{
    (void)state;
    static struct wire good = {0x67313367, 1, IPC_READY, 3, 0, 7, "abc"};
    struct wire w = good;
    for (size_t n = 1; n < 27; n++)
        refuse(good, n, 0);
    refuse(good, 28, 0);
    refuse(good, sizeof good, 0);
    refuse(good, 27, 1);
    refuse(good, 27, 8);
    w.magic++, refuse(w, 27, 0), w = good;
    w.version++, refuse(w, 27, 0), w = good;
    w.type = IPC_TYPES, refuse(w, 27, 0), w = good;
    w.type = 0, refuse(w, 27, 0), w = good;
    w.text_len = 4097, refuse(w, 24 + 4097, 0), w = good;
    w.fd_count = 1, refuse(w, 27, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_goes_through),
        cmocka_unit_test(test_telling),
        cmocka_unit_test(test_a_descriptor_travels),
        cmocka_unit_test(test_malformed_messages_are_refused_and_leave_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
