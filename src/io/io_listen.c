/* Accepting. */
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "io/io_internal.h"

#define IO_LISTENER_MAGIC 0x696f6c73u
/* So many a wake: others want their turn. */
#define ACCEPT_BATCH 32
#define REST_MS 100

struct io_listener {
    uint32_t magic;
    bool running, dead, paused;
    io_accepted *run;
    void *arg;
    struct event readable;
    struct io_timer rest;
};

static void listen_again(struct io_listener *s)
{
    /* Nothing to be done when epoll has no memory but to try later. */
    if (event_add(&s->readable, NULL) != 0) io_timer_after(&s->rest, REST_MS);
}

static void on_rested(void *arg)
{
    struct io_listener *s = arg;
    if (!s->paused) listen_again(s);
}

static int accept_one(struct io_listener *s, struct sockaddr_storage *from)
{
    socklen_t len = sizeof *from;
    if (fault_hit("accept")) {
        errno = EMFILE;
        return -1;
    }
    return accept4(event_get_fd(&s->readable), (struct sockaddr *)from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Out of descriptors the listener stays readable: without a rest the loop would spin. */
static void rest(struct io_listener *s)
{
    event_del(&s->readable);
    io_timer_after(&s->rest, REST_MS);
}

static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM || error == ENETDOWN ||
           error == EHOSTUNREACH || error == ENETUNREACH;
}

static void accept_batch(struct io_listener *s)
{
    for (int i = 0; i < ACCEPT_BATCH && !s->dead && !s->paused; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        int fd = accept_one(s, &from), one = 1;
        if (fd < 0 && is_passing(errno)) continue;
        if (fd < 0) {
            if (errno != EAGAIN) rest(s);
            return;
        }
        /* Not on Unix sockets, where it fails and does not matter. */
        if (from.ss_family != AF_UNIX) (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        s->run(fd, &from, s->arg);
    }
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct io_listener *s = arg;
    (void)fd, (void)what;
    MAGIC_CHECK(s, IO_LISTENER_MAGIC);
    s->running = true;
    accept_batch(s);
    s->running = false;
    if (s->dead) io_listener_free(s);
}

struct io_listener *io_listener_new(struct io_loop *l, int fd, io_accepted *run, void *arg)
{
    MAGIC_CHECK(l, IO_LOOP_MAGIC);
    struct io_listener *s = mem_alloc(sizeof *s);
    if (s == NULL) return NULL;
    *s = (struct io_listener){.magic = IO_LISTENER_MAGIC, .run = run, .arg = arg};
    io_timer_init(&s->rest, l, on_rested, s);
    ASSERT(event_assign(&s->readable, l->base, fd, EV_READ | EV_PERSIST, on_acceptable, s) == 0);
    if (event_add(&s->readable, NULL) == 0) return s;
    mem_free(s);
    return NULL;
}

void io_listener_pause(struct io_listener *s)
{
    MAGIC_CHECK(s, IO_LISTENER_MAGIC);
    s->paused = true;
    io_timer_clear(&s->rest);
    event_del(&s->readable);
}

void io_listener_resume(struct io_listener *s)
{
    MAGIC_CHECK(s, IO_LISTENER_MAGIC);
    s->paused = false;
    if (!s->rest.armed) listen_again(s);
}

void io_listener_free(struct io_listener *s)
{
    if (s == NULL) return;
    MAGIC_CHECK(s, IO_LISTENER_MAGIC);
    io_timer_clear(&s->rest);
    event_del(&s->readable);
    s->dead = true;
    if (s->running) return;
    s->magic = 0;
    mem_free(s);
}
