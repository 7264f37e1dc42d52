/* Plain connections, timers, watches, listeners. The other side is the kernel's own socket calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/harness.h"

void seen_subject(struct seen *s)
{
    s->version = io_tls_version(s->conn);
}

static struct io_loop *loop;
static bool lending; /* the owner is lent the loop's memory: nothing else may differ */

static int set_up(void **state)
{
    (void)state;
    lending = false;
    loop = io_loop_new();
    return loop == NULL;
}

static int set_up_lending(void **state)
{
    int failed = set_up(state);
    lending = true;
    return failed;
}

static int tear_down(void **state)
{
    (void)state;
    RUN_UNTIL(loop, io_loop_connections(loop) == 0);
    io_loop_free(loop);
    return 0;
}

/* One end in the loop, the other in our hand. */
static int open_pair(struct seen *s)
{
    int fds[2];
    make_pair(fds);
    seen_init(s);
    s->keep = true;
    s->conn = io_accept(loop, fds[0], NULL, record, s);
    assert_non_null(s->conn);
    if (lending) io_lend_input(s->conn, NULL);
    RUN_UNTIL(loop, s->count[IO_CONNECTED] == 1);
    return fds[1];
}

static void test_read_write_end(void **state)
{
    (void)state;
    struct seen s;
    char in[16];
    int fd = open_pair(&s);
    assert_int_equal(write(fd, "hello", 5), 5);
    RUN_UNTIL(loop, s.count[IO_READABLE] == 1);
    assert_true(span_equal(buf_span(&s.data), SPAN("hello")));
    span pieces[] = {SPAN("or"), SPAN(""), SPAN("ld")};
    assert_true(is_ok(io_queue(s.conn, SPAN("w"))));
    assert_int_equal(io_send(s.conn, pieces, 3), IO_SENT);
    assert_int_equal(read(fd, in, sizeof in), 5);
    assert_memory_equal(in, "world", 5);
    assert_int_equal(io_bytes_sent(s.conn), 5);
    assert_int_equal(io_bytes_received(s.conn), 5);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    RUN_UNTIL(loop, s.count[IO_END] == 1);
    /* After the end, one can still answer. */
    assert_int_equal(io_send(s.conn, pieces, 1), IO_SENT);
    assert_int_equal(read(fd, in, sizeof in), 2);
    run_for(loop, 20);
    assert_int_equal(s.count[IO_END], 1);
    seen_done(&s);
    assert_int_equal(read(fd, in, sizeof in), 0);
    close(fd);
}

static void test_one_byte_pieces(void **state)
{
    (void)state;
    struct seen s;
    int fd = open_pair(&s);
    for (int i = 0; i < 300; i++) {
        uint8_t c = (uint8_t)i;
        assert_int_equal(write(fd, &c, 1), 1);
        RUN_UNTIL(loop, buf_len(&s.data) == (size_t)i + 1);
    }
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_span(&s.data).ptr[i], (uint8_t)i);
    seen_done(&s);
    close(fd);
}

static size_t drain(int fd)
{
    static char sink[65536];
    size_t total = 0;
    for (ssize_t n; (n = read(fd, sink, sizeof sink)) > 0;)
        total += (size_t)n;
    return total;
}

/* A peer that does not read: the send stays pending, nothing is copied; when it reads, DRAINED comes once. */
static void test_send_back_pressure(void **state)
{
    (void)state;
    struct seen s;
    int fd = open_pair(&s);
    size_t size = 8 << 20, got = 0;
    uint8_t *data = calloc(1, size);
    span whole = span_of(data, size);
    assert_int_equal(io_send(s.conn, &whole, 1), IO_PENDING);
    run_for(loop, 30);
    assert_int_equal(s.count[IO_DRAINED], 0);
    assert_true(io_sending_pending(s.conn));
    RUN_UNTIL(loop, (got += drain(fd)) == size && s.count[IO_DRAINED] == 1);
    assert_false(io_sending_pending(s.conn));
    free(data);
    seen_done(&s);
    close(fd);
}

/* Nobody consumes: reading stops at the cap, and goes on at half of it. */
static void test_read_back_pressure(void **state)
{
    (void)state;
    struct seen s;
    static char block[65536];
    int fd = open_pair(&s);
    s.lazy = true;
    io_set_input_cap(s.conn, 10000);
    while (write(fd, block, sizeof block) > 0)
        continue;
    run_for(loop, 30);
    assert_int_equal(io_input(s.conn).len, 10000);
    unsigned before = s.count[IO_READABLE];
    io_consume(s.conn, 4999);
    run_for(loop, 30);
    assert_int_equal(s.count[IO_READABLE], before);
    io_consume(s.conn, 1);
    RUN_UNTIL(loop, io_input(s.conn).len == 10000);
    io_read_pause(s.conn);
    io_consume(s.conn, 10000);
    run_for(loop, 30);
    assert_int_equal(io_input(s.conn).len, 0);
    io_read_resume(s.conn);
    RUN_UNTIL(loop, io_input(s.conn).len == 10000);
    seen_done(&s);
    close(fd);
}

static void test_large_input(void **state)
{
    (void)state;
    struct seen s;
    int fd = open_pair(&s);
    size_t size = 3 << 20, sent = 0;
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 31 + i / 257);
    while (buf_len(&s.data) < size) {
        ssize_t n = write(fd, data + sent, size - sent);
        if (n > 0) sent += (size_t)n;
        assert_true(is_ok(io_loop_once(loop, 10)));
    }
    assert_memory_equal(buf_span(&s.data).ptr, data, size);
    free(data);
    seen_done(&s);
    close(fd);
}

/* Takes what is asked for and leaves the rest, which is there the next time with what came behind it. */
static size_t appetite;
static void take_some(struct io_conn *c, enum io_event event, void *arg)
{
    struct seen *s = arg;
    if (event != IO_READABLE) return;
    span in = io_input(c);
    if (in.len > appetite) in.len = appetite;
    assert_true(is_ok(buf_append(&s->data, in)));
    io_consume(c, in.len);
}

static void test_what_is_left_is_kept(void **state)
{
    (void)state;
    uint8_t block[3000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + i / 251);
    for (appetite = 0; appetite < 1100; appetite += 100) {
        struct seen s;
        int fd = open_pair(&s);
        io_set_callback(s.conn, take_some, &s);
        for (size_t at = 0; at < sizeof block; at += 1000) {
            assert_int_equal(write(fd, block + at, 1000), 1000);
            RUN_UNTIL(loop, buf_len(&s.data) + io_input(s.conn).len == at + 1000);
        }
        span left = io_input(s.conn);
        size_t taken = buf_len(&s.data);
        assert_int_equal(taken, appetite < 1000 ? 3 * appetite : 3000);
        assert_true(span_equal(buf_span(&s.data), span_of(block, taken)));
        assert_true(span_equal(left, span_of(block + taken, sizeof block - taken)));
        io_set_callback(s.conn, record, &s);
        seen_done(&s);
        close(fd);
    }
}

/* An owner who wants `wanted` bytes in memory of his own, at most `piece` at a time, and all else as ever, at most `sip`. */
static uint8_t ground[3000];
static size_t wanted, piece, sip, come;
static bool drops;

static uint8_t *place(void *arg, size_t *n)
{
    (void)arg;
    *n = come < wanted ? (piece < wanted - come ? piece : wanted - come) : sip;
    return come < wanted ? ground + come : NULL;
}

static void take_placed(struct io_conn *c, enum io_event event, void *arg)
{
    struct seen *s = arg;
    s->count[event]++;
    if (event != IO_READABLE) return;
    span in = io_input(c);
    bool here = come < wanted;
    assert_int_equal(in.ptr == ground + come, here); /* not a byte was copied */
    assert_true(in.len > 0 && in.len <= (here ? piece : sip));
    come += in.len;
    assert_true(is_ok(buf_append(&s->data, in)));
    if (drops && come >= wanted) {
        io_free(c); /* and consumes nothing */
        s->gone = true;
        return;
    }
    io_consume(c, in.len);
}

static int open_placed(struct seen *s, const uint8_t *block, size_t size)
{
    int fd = open_pair(s);
    come = 0;
    io_lend_input(s->conn, place);
    io_set_callback(s->conn, take_placed, s);
    memset(ground, 0, sizeof ground);
    assert_int_equal(write(fd, block, size), (ssize_t)size);
    return fd;
}

static void test_bytes_come_where_their_owner_wants_them(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 7, 999, 1000, 1001, 2999, 3000};
    uint8_t block[3000];
    for (size_t i = 0; i < sizeof block; i++) block[i] = (uint8_t)(i * 13 + i / 253);
    for (size_t i = 0; i < 3 * ARRAY_LEN(sizes) * ARRAY_LEN(sizes); i++) {
        struct seen s;
        drops = i % 3 == 1;
        wanted = sizes[i / 3 % ARRAY_LEN(sizes)], piece = sizes[i / 3 / ARRAY_LEN(sizes)], sip = piece;
        int fd = open_placed(&s, block, sizeof block);
        if (i % 3 == 2) shutdown(fd, SHUT_WR);
        RUN_UNTIL(loop, drops ? s.gone : come == sizeof block);
        if (i % 3 == 2) RUN_UNTIL(loop, s.count[IO_END] == 1);
        assert_true(span_equal(buf_span(&s.data), span_of(block, come)));
        assert_memory_equal(ground, block, come < wanted ? come : wanted);
        if (come == sizeof block && wanted < sizeof block) assert_int_equal(ground[wanted], 0); /* nor one too many */
        seen_done(&s);
        close(fd);
    }
}

static void test_each_read_into_a_place_may_fail(void **state)
{
    (void)state;
    uint8_t block[3000];
    memset(block, 'x', sizeof block);
    wanted = sizeof block, piece = sip = 700, drops = false;
    for (uint64_t n = 1, hit = 1; hit; n++) {
        struct seen s;
        int fd = open_placed(&s, block, sizeof block);
        fault_arm("read", n);
        RUN_UNTIL(loop, come == sizeof block || s.count[IO_ERROR] == 1);
        hit = s.count[IO_ERROR];
        fault_arm("read", 0);
        assert_int_equal(come, hit ? (n - 1) * 700 : sizeof block);
        seen_done(&s);
        close(fd);
    }
}

/* Whatever the event, freeing in it is safe, and nothing more is told. */
static void test_free_in_callback(void **state)
{
    (void)state;
    for (int event = IO_CONNECTED; event <= IO_TIMEOUT; event++) {
        struct seen s;
        int fds[2];
        if (event == IO_TRUNCATED) continue; /* TLS only */
        make_pair(fds);
        seen_init(&s);
        s.free_at = event;
        s.conn = io_accept(loop, fds[0], NULL, record, &s);
        if (lending) io_lend_input(s.conn, NULL);
        if (event == IO_TIMEOUT) io_set_deadline(s.conn, 10);
        if (event == IO_READABLE || event == IO_END) assert_int_equal(write(fds[1], "x", 1), 1);
        if (event == IO_END) shutdown(fds[1], SHUT_WR);
        if (event == IO_ERROR) fault_arm("read", 1);
        if (event == IO_DRAINED) {
            static uint8_t data[4 << 20];
            span whole = span_of(data, sizeof data);
            RUN_UNTIL(loop, s.count[IO_CONNECTED] == 1);
            assert_int_equal(io_send(s.conn, &whole, 1), IO_PENDING);
            RUN_UNTIL(loop, drain(fds[1]) + 1 > 0 && s.gone);
        }
        RUN_UNTIL(loop, s.gone);
        fault_arm("read", 0);
        assert_int_equal(s.count[event], 1);
        assert_int_equal(io_loop_connections(loop), 0);
        seen_done(&s);
        close(fds[1]);
    }
}

/* Frees the other connection of the pair while both have events waiting. */
static struct seen *victim;
static void free_other(struct io_conn *c, enum io_event event, void *arg)
{
    record(c, event, arg);
    if (event != IO_READABLE || victim->gone) return;
    io_free(victim->conn);
    victim->gone = true;
}

static void test_free_another(void **state)
{
    (void)state;
    struct seen a, b;
    int fa = open_pair(&a), fb = open_pair(&b);
    io_set_callback(a.conn, free_other, &a);
    victim = &b;
    assert_int_equal(write(fa, "x", 1), 1);
    assert_int_equal(write(fb, "x", 1), 1);
    RUN_UNTIL(loop, a.count[IO_READABLE] == 1);
    run_for(loop, 10);
    assert_true(b.gone);
    seen_done(&a);
    seen_done(&b);
    close(fa);
    close(fb);
}

static void on_accept(int fd, const struct sockaddr_storage *from, void *arg)
{
    struct seen *s = arg;
    assert_int_equal(from->ss_family, AF_INET);
    s->conn = io_accept(loop, fd, NULL, record, s);
}

static void test_listen_connect(void **state)
{
    (void)state;
    struct sockaddr_in at;
    struct seen server, client;
    int fd = listen_loopback(&at);
    seen_init(&server);
    seen_init(&client);
    server.echo = client.keep = true;
    struct io_listener *l = io_listener_new(loop, fd, on_accept, &server);
    client.conn = io_connect(loop, (struct sockaddr *)&at, sizeof at, NULL, record, &client);
    RUN_UNTIL(loop, client.count[IO_CONNECTED] == 1 && server.count[IO_CONNECTED] == 1);
    span hello = SPAN("hello");
    assert_int_equal(io_send(client.conn, &hello, 1), IO_SENT);
    RUN_UNTIL(loop, buf_len(&client.data) == 5);
    assert_int_equal(io_peer_address(server.conn)->ss_family, AF_INET);
    io_finish(client.conn);
    client.gone = true;
    RUN_UNTIL(loop, server.count[IO_END] == 1);
    seen_done(&server);
    seen_done(&client);
    io_listener_free(l);
    close(fd);
    /* Now nobody listens there. */
    seen_init(&client);
    client.conn = io_connect(loop, (struct sockaddr *)&at, sizeof at, NULL, record, &client);
    RUN_UNTIL(loop, client.count[IO_ERROR] == 1);
    assert_int_equal(client.error.class, ERROR_IO);
    assert_int_equal(client.error.code, ECONNREFUSED);
    seen_done(&client);
}

/* Out of descriptors: no spin, and it goes on afterwards. */
static void test_listener_rests(void **state)
{
    (void)state;
    struct sockaddr_in at;
    struct seen server, client;
    int fd = listen_loopback(&at);
    seen_init(&server);
    seen_init(&client);
    struct io_listener *l = io_listener_new(loop, fd, on_accept, &server);
    fault_arm("accept", 1);
    client.conn = io_connect(loop, (struct sockaddr *)&at, sizeof at, NULL, record, &client);
    RUN_UNTIL(loop, fault_count("accept") == 1);
    run_for(loop, 40);
    assert_int_equal(fault_count("accept"), 1);
    assert_int_equal(server.count[IO_CONNECTED], 0);
    RUN_UNTIL(loop, server.count[IO_CONNECTED] == 1);
    fault_arm("accept", 0);
    seen_done(&client);
    seen_done(&server);
    io_listener_free(l);
    close(fd);
}

/* The peer has sent what nobody reads: our last bytes arrive nevertheless, and a clean end after them. */
static void test_finish_lingers(void **state)
{
    (void)state;
    struct sockaddr_in at;
    struct seen server;
    char in[64];
    int listener = listen_loopback(&at), fd = socket(AF_INET, SOCK_STREAM, 0);
    seen_init(&server);
    server.lazy = true;
    struct io_listener *l = io_listener_new(loop, listener, on_accept, &server);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    RUN_UNTIL(loop, server.count[IO_CONNECTED] == 1);
    io_read_pause(server.conn);
    assert_int_equal(write(fd, "never read", 10), 10);
    assert_true(is_ok(io_queue(server.conn, SPAN("goodbye"))));
    io_finish(server.conn);
    server.gone = true;
    run_for(loop, 20);
    assert_int_equal(io_loop_connections(loop), 1);
    assert_int_equal(write(fd, "more", 4), 4);
    run_for(loop, 20);
    assert_int_equal(read(fd, in, sizeof in), 7);
    assert_int_equal(read(fd, in, sizeof in), 0);
    close(fd);
    RUN_UNTIL(loop, io_loop_connections(loop) == 0);
    seen_done(&server);
    io_listener_free(l);
    close(listener);
}

static void test_abort_resets(void **state)
{
    (void)state;
    struct sockaddr_in at;
    struct seen server;
    char in[64];
    int listener = listen_loopback(&at), fd = socket(AF_INET, SOCK_STREAM, 0);
    seen_init(&server);
    struct io_listener *l = io_listener_new(loop, listener, on_accept, &server);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    RUN_UNTIL(loop, server.count[IO_CONNECTED] == 1);
    io_abort(server.conn);
    server.gone = true;
    assert_int_equal(read(fd, in, sizeof in), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    seen_done(&server);
    io_listener_free(l);
    close(listener);
}

static void test_deadline(void **state)
{
    (void)state;
    struct seen s;
    int fd = open_pair(&s);
    uint64_t start = io_now_ms();
    io_set_deadline(s.conn, 20);
    io_set_deadline(s.conn, 80); /* moved back: the early timer looks again */
    RUN_UNTIL(loop, s.count[IO_TIMEOUT] == 1);
    assert_in_range(io_now_ms() - start, 79, 10000); /* never early; how late is the machine's matter */
    run_for(loop, 50);
    assert_int_equal(s.count[IO_TIMEOUT], 1);
    io_set_deadline(s.conn, 20);
    io_set_deadline(s.conn, 0);
    run_for(loop, 50);
    assert_int_equal(s.count[IO_TIMEOUT], 1);
    seen_done(&s);
    close(fd);
}

/* 500 timers in an order of their own, some cleared, some re-armed: they run in the order of their times. */
#define TIMERS 500
static struct {
    struct io_timer timer;
    uint64_t due;
    bool cleared, ran;
} rows[TIMERS];
static uint64_t last_due;
static unsigned ran, misordered;

static void on_timer(void *arg)
{
    size_t i = (size_t)(uintptr_t)arg;
    assert_false(rows[i].cleared || rows[i].ran);
    if (rows[i].due < last_due) misordered++;
    assert_true(io_now_us() >= rows[i].due);
    last_due = rows[i].due;
    rows[i].ran = true;
    ran++;
    io_timer_clear(&rows[(i + 1) % TIMERS].timer); /* of the neighbour: maybe the next in line */
    if (!rows[(i + 1) % TIMERS].ran) rows[(i + 1) % TIMERS].cleared = true;
}

static void test_timers(void **state)
{
    (void)state;
    uint64_t now = io_now_us(), random = 12345;
    unsigned cleared = 0, done = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        rows[i].due = now + 1000 + (random >> 33) % 60000;
        io_timer_init(&rows[i].timer, loop, on_timer, (void *)(uintptr_t)i);
        io_timer_at(&rows[i].timer, now + (random >> 40) % 900000);
        io_timer_at(&rows[i].timer, rows[i].due);
    }
    run_for(loop, 120);
    for (size_t i = 0; i < TIMERS; i++) {
        assert_true(rows[i].ran != rows[i].cleared);
        cleared += rows[i].cleared;
        done += rows[i].ran;
    }
    assert_int_equal(done + cleared, TIMERS);
    assert_int_equal(done, ran);
    assert_true(done > 100 && cleared > 100);
    assert_int_equal(misordered, 0);
}

/* A timer runs at its time, not at the end of a millisecond: 0.1 ms behind a whole one. The best of some rounds. */
static uint64_t late_us;

static void on_late(void *arg)
{
    uint64_t by = io_now_us() - ((struct io_timer *)arg)->due_us;
    if (by < late_us) late_us = by;
}

static void test_a_timer_knows_no_grain(void **state)
{
    (void)state;
    struct io_timer timer;
    late_us = UINT64_MAX;
    io_timer_init(&timer, loop, on_late, &timer);
    for (unsigned i = 0; i < 2000 && late_us >= 600; i++) { /* once in good time, whatever else the machine does */
        io_timer_at(&timer, io_now_us() + 2100);
        run_for(loop, 4);
    }
    assert_true(late_us < 600);
}

static struct io_watch *watch;
static unsigned watched;
static void on_watch(int fd, void *arg)
{
    char c;
    (void)arg;
    assert_int_equal(read(fd, &c, 1), 1);
    if (++watched == 2) io_watch_free(watch);
}

static void test_watch(void **state)
{
    (void)state;
    int fds[2];
    make_pair(fds);
    watch = io_watch_new(loop, fds[0], on_watch, NULL);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    run_for(loop, 30);
    assert_int_equal(watched, 2);
    close(fds[0]);
    close(fds[1]);
}

static char order[16];
static struct io_task *first_task, *idle_task;
static void note(char c)
{
    size_t n = strlen(order);
    if (n + 1 < sizeof order) order[n] = c;
}
static void on_ready(int fd, void *arg)
{
    char c;
    if (read(fd, &c, 1) != 1) return;
    note('r');
    io_task_due(idle_task);
    io_task_due(first_task);
    io_task_due(first_task);
    (void)arg;
}
static void on_task(void *arg)
{
    note(*(const char *)arg);
}

/* Two descriptors are ready, one of them twice over: the one task comes between any two of them, the other when all is done. */
static void test_tasks(void **state)
{
    (void)state;
    int fds[2], others[2];
    make_pair(fds);
    make_pair(others);
    first_task = io_task_new(loop, IO_AT_ONCE, on_task, (char[]){"a"});
    idle_task = io_task_new(loop, IO_BEFORE_WAIT, on_task, (char[]){"i"});
    struct io_watch *w = io_watch_new(loop, fds[0], on_ready, NULL), *other = io_watch_new(loop, others[0], on_ready, NULL);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    assert_int_equal(write(others[1], "c", 1), 1);
    run_for(loop, 30);
    assert_string_equal(order, "rararai");
    io_task_due(idle_task);
    io_task_free(idle_task); /* what is due does not come after all */
    io_task_free(first_task);
    run_for(loop, 5);
    assert_string_equal(order, "rararai");
    io_watch_free(w);
    io_watch_free(other);
    close(fds[0]);
    close(fds[1]);
    close(others[0]);
    close(others[1]);
}

/* n = 1, 2, 3 … until one exchange gets through: an error or a NULL, never a crash, a leak or a hang. */
static bool exchange(const char *point, uint64_t n)
{
    struct sockaddr_in at;
    struct seen server, client;
    int fd = listen_loopback(&at);
    span hello = SPAN("hello");
    seen_init(&server);
    seen_init(&client);
    server.echo = true;
    fault_arm(point, n);
    struct io_listener *l = io_listener_new(loop, fd, on_accept, &server);
    client.conn = l ? io_connect(loop, (struct sockaddr *)&at, sizeof at, NULL, record, &client) : NULL;
    for (int i = 0; i < 100 && client.conn && client.bytes < 5 && !client.count[IO_ERROR] && !client.count[IO_END];
         i++) {
        assert_true(is_ok(io_loop_once(loop, 2)));
        if (client.count[IO_CONNECTED] == 1 && !client.count[IO_ERROR]) {
            (void)io_send(client.conn, &hello, 1);
            client.count[IO_CONNECTED]++;
        }
        if (server.count[IO_ERROR] && !server.gone) {
            io_free(server.conn);
            server.gone = true;
        }
    }
    bool hit = fault_count(point) >= n;
    fault_arm(point, 0);
    if (!hit) assert_int_equal(client.bytes, 5);
    seen_done(&client);
    seen_done(&server);
    io_listener_free(l);
    close(fd);
    return hit;
}

static void test_nth_failures(void **state)
{
    (void)state;
    static const char *const points[] = {"malloc", "read", "write", "connect", "read_again", "write_again"};
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        uint64_t n = 1;
        while (exchange(points[i], n))
            n++;
        assert_true(n > 1 && n < 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_write_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_byte_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_send_back_pressure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_back_pressure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_in_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_write_end, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_one_byte_pieces, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_read_back_pressure, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_large_input, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_free_in_callback, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_is_kept, set_up_lending, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_come_where_their_owner_wants_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_read_into_a_place_may_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listen_connect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_rests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finish_lingers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abort_resets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_timer_knows_no_grain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tasks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nth_failures, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
