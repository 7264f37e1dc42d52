/* A load generator for the end-to-end bench: what wrk cannot do is present a client certificate, make full handshakes
 * on purpose, keep a steady rate without omitting what it could not send in time, and hold idle connections.
 *
 *   load --port P [--connections N] [--seconds S] [--path /p?x=%u [--paths N]] [--header "A: b"]... [--certificate F
 * --key F]
 *        [--rate R]      a second over all connections, evenly; the clock runs from when a request was due
 *        [--handshakes]  each request on a connection of its own, never resumed; the answer ends it
 *        [--idle]        connects all, one request each, prints "idle" and waits for its standard input to end
 *
 * SIGINT ends it as its time does. Prints one JSON object: requests, errors, other (answers that were not 200), body_bytes, seconds, latencies in µs. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define LATENCY_MAX_US 2000000
#define MANY 16384
#define IDLE_AT_ONCE 64

enum phase { HANDSHAKING, READY, SENDING, HEAD, BODY };

struct conn {
    SSL *ssl;
    int fd;
    enum phase phase;
    uint64_t due_ns;
    char head[HEAD_MAX + 1];
    size_t head_len;
    uint64_t body_left;
    bool watched, ending; /* … with this answer, which says so */
};

static struct {
    unsigned port, connections, paths, rate;
    double seconds;
    const char *path, *certificate, *key;
    char headers[4096];
    bool handshakes, idle;
} options = {.connections = 16, .paths = 1, .seconds = 1, .path = "/"};

static struct conn *conns;
static SSL_CTX *tls;
static int poller;
static uint64_t start_ns, end_ns, sent, answered, errors, other, body_bytes, next_path, opened, ready;
static bool started;
static uint32_t *latencies; /* histogram, a microsecond each */
static uint8_t scratch[65536];
static volatile sig_atomic_t told_to_end;

static void end_now(int signal)
{
    (void)signal;
    told_to_end = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(struct conn *c, bool writing)
{
    struct epoll_event e = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e) != 0) die("epoll_ctl");
    c->watched = true;
}

static void open_conn(struct conn *c)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    c->phase = HANDSHAKING;
    c->watched = false;
    c->head_len = 0;
    (void)SSL_do_handshake(c->ssl); /* says hello; the answer is an event, or has come meanwhile and is looked at all the same */
    watch(c, SSL_is_init_finished(c->ssl));
}

static void close_conn(struct conn *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    c->ssl = NULL;
}

/* The n-th request is due so many intervals after the start, whatever became of those before it. */
static uint64_t due_of(uint64_t n)
{
    return start_ns + n * 1000000000u / options.rate;
}

static void reopen(struct conn *c)
{
    close_conn(c);
    open_conn(c);
    c->due_ns = now_ns();
}

static void failed(struct conn *c)
{
    if (now_ns() < end_ns) errors++;
    if (errors > 1000) {
        fprintf(stderr, "load: a thousand errors\n");
        exit(2);
    }
    reopen(c);
}

/* Whoever asked nothing may be left: a server's patience has an end. */
static void ended(struct conn *c, int error)
{
    if (c->phase == READY && error == SSL_ERROR_ZERO_RETURN)
        reopen(c);
    else
        failed(c);
}

static bool may_ask(struct conn *c)
{
    uint64_t now = now_ns();
    if (now >= end_ns && !options.idle) return false;
    if (options.rate == 0) {
        if (!options.handshakes) c->due_ns = now;
        return true;
    }
    if (due_of(sent) > now) return false;
    c->due_ns = due_of(sent);
    return true;
}

static void ask(struct conn *c)
{
    static char text[8192];
    static char path[1024];
    if (!may_ask(c)) return;
    snprintf(path, sizeof path, options.path, (unsigned)(next_path++ % options.paths));
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", path, options.headers,
        options.handshakes ? "Connection: close\r\n" : "");
    sent++;
    c->head_len = 0;
    c->phase = HEAD;
    if (SSL_write(c->ssl, text, n) != n) failed(c);
}

static void finished(struct conn *c)
{
    uint64_t now = now_ns(), us = (now - c->due_ns) / 1000;
    answered++;
    latencies[us < LATENCY_MAX_US ? us : LATENCY_MAX_US - 1]++;
    c->phase = READY;
    if (options.idle)
        ready++;
    else if (options.handshakes || c->ending)
        reopen(c);
    else
        ask(c);
}

static bool begin_body(struct conn *c)
{
    c->head[c->head_len] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) return false;
    end += 4;
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) other++;
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    char *says = strcasestr(c->head, "\r\nconnection: close\r\n");
    c->ending = says != NULL && says < end;
    if (length == NULL || length >= end) {
        fprintf(stderr, "load: an answer without Content-Length\n");
        exit(2);
    }
    size_t there = c->head_len - (size_t)(end - c->head);
    c->body_left = strtoull(length + 17, NULL, 10);
    body_bytes += c->body_left;
    c->body_left -= there < c->body_left ? there : c->body_left;
    c->phase = BODY;
    return true;
}

static void took(struct conn *c, const uint8_t *bytes, size_t n)
{
    if (c->phase == HEAD) {
        size_t room = HEAD_MAX - c->head_len, take = n < room ? n : room;
        memcpy(c->head + c->head_len, bytes, take);
        c->head_len += take;
        if (!begin_body(c)) return;
        n -= take;
    }
    if (c->phase != BODY) return;
    c->body_left -= n < c->body_left ? n : c->body_left;
    if (c->body_left == 0) finished(c);
}

static void readable(struct conn *c)
{
    if (c->phase == HANDSHAKING) {
        int n = SSL_do_handshake(c->ssl);
        if (n != 1) {
            int e = SSL_get_error(c->ssl, n);
            if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) failed(c);
            return;
        }
        c->phase = READY;
        if (started) ask(c);
    }
    for (int turns = 0; turns < 8 && c->ssl != NULL; turns++) {
        SSL *before = c->ssl;
        int n = SSL_read(c->ssl, scratch, sizeof scratch);
        if (n > 0) {
            took(c, scratch, (size_t)n);
            if (c->ssl != before) return;
            continue;
        }
        int e = SSL_get_error(c->ssl, n);
        if (e != SSL_ERROR_WANT_READ) ended(c, e);
        return;
    }
    if (SSL_has_pending(c->ssl)) watch(c, true); /* comes back at once */
}

#define LONG_NS 20000000u

/* Steady rate: whoever is free takes what is due, in turn. How long nobody need look again. */
static uint64_t ask_due(void)
{
    static unsigned turn;
    for (unsigned i = 0; i < options.connections && due_of(sent) <= now_ns(); i++, turn = (turn + 1) % options.connections)
        if (conns[turn].phase == READY) ask(&conns[turn]);
    uint64_t due = due_of(sent), now = now_ns();
    return due > now && due - now < LONG_NS ? due - now : LONG_NS;
}

static bool anybody_waits(void)
{
    for (unsigned i = 0; i < options.connections; i++)
        if (conns[i].phase == HEAD || conns[i].phase == BODY) return true;
    return false;
}

/* What was asked in time is waited for, so that what it cost and what it brought are of the same requests. */
static bool over(void)
{
    if (options.idle) return ready == options.connections;
    uint64_t now = now_ns();
    if (told_to_end && now < end_ns) end_ns = now;
    return now >= end_ns && (options.handshakes || !anybody_waits() || now > end_ns + 5000000000u);
}

static bool all_ready(void)
{
    for (unsigned i = 0; i < options.connections; i++)
        if (conns[i].phase != READY) return false;
    return true;
}

/* The clock runs from when all connections stand: their handshakes are no request's latency. Where they are what is
 * measured, or nothing is, it runs at once. */
static void start_clock(void)
{
    started = true;
    start_ns = now_ns();
    end_ns = start_ns + (uint64_t)(options.seconds * 1e9);
    for (unsigned i = 0; i < options.connections; i++)
        if (conns[i].phase == READY) ask(&conns[i]);
}

static void open_next(void)
{
    struct conn *c = &conns[opened++];
    open_conn(c);
    c->due_ns = now_ns();
}

static void run(void)
{
    struct epoll_event events[64];
    uint64_t patience = now_ns() + 20000000000u;
    if (options.handshakes || options.idle) start_clock();
    while (!started || !over()) {
        /* thousands at once would wait for their handshakes longer than a server has patience */
        while (options.idle && opened < options.connections && opened - ready < IDLE_AT_ONCE)
            open_next();
        if (!started && all_ready()) start_clock();
        if (!started && now_ns() > patience) die("connections");
        uint64_t ns = options.rate > 0 && started ? ask_due() : LONG_NS;
        struct timespec wait = {0, (long)ns};
        int n = epoll_pwait2(poller, events, 64, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) watch(c, false);
            readable(c);
        }
    }
}

static uint64_t percentile(double p)
{
    uint64_t want = (uint64_t)((double)answered * p), seen = 0;
    for (uint64_t us = 0; us < LATENCY_MAX_US; us++) {
        seen += latencies[us];
        if (seen > want) return us;
    }
    return 0;
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(o, "--handshakes") == 0)
            options.handshakes = true;
        else if (strcmp(o, "--idle") == 0)
            options.idle = true;
        else if (i++, strcmp(o, "--port") == 0)
            options.port = (unsigned)atoi(v);
        else if (strcmp(o, "--connections") == 0)
            options.connections = (unsigned)atoi(v);
        else if (strcmp(o, "--paths") == 0)
            options.paths = (unsigned)atoi(v);
        else if (strcmp(o, "--rate") == 0)
            options.rate = (unsigned)atoi(v);
        else if (strcmp(o, "--seconds") == 0)
            options.seconds = atof(v);
        else if (strcmp(o, "--path") == 0)
            options.path = v;
        else if (strcmp(o, "--certificate") == 0)
            options.certificate = v;
        else if (strcmp(o, "--key") == 0)
            options.key = v;
        else if (strcmp(o, "--header") == 0) {
            size_t n = strlen(options.headers);
            snprintf(options.headers + n, sizeof options.headers - n, "%s\r\n", v);
        } else {
            fprintf(stderr, "load: no option %s\n", o);
            exit(2);
        }
    }
    if (options.connections == 0 || options.connections > MANY || options.paths == 0) die("--connections, --paths");
}

static void prepare(void)
{
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(
        tls, "TLS_AES_256_GCM_SHA384"); /* one for all, so that none is measured at a cheaper one */
    SSL_CTX_set1_groups_list(tls, "X25519");
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, options.idle ? 0 : 1);
    if (!options.idle) SSL_CTX_set_default_read_buffer_len(tls, sizeof scratch);
    if (options.certificate != NULL && (SSL_CTX_use_certificate_chain_file(tls, options.certificate) != 1 ||
                                           SSL_CTX_use_PrivateKey_file(tls, options.key, SSL_FILETYPE_PEM) != 1))
        die("--certificate, --key");
    latencies = calloc(LATENCY_MAX_US, sizeof *latencies);
    conns = calloc(options.connections, sizeof *conns);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (latencies == NULL || conns == NULL || poller < 0) die("prepare");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    signal(SIGINT, end_now);
    prepare();
    while (!options.idle && opened < options.connections)
        open_next();
    run();
    if (options.idle) {
        printf("idle\n");
        fflush(stdout);
        while (read(0, scratch, sizeof scratch) > 0) {}
    }
    double took_s = (double)(now_ns() - start_ns) / 1e9;
    printf("{\"requests\":%llu,\"errors\":%llu,\"other\":%llu,\"body_bytes\":%llu,\"seconds\":%.4f,\"p50_us\":%llu,"
           "\"p90_us\":%llu,\"p99_us\":%llu,\"p999_us\":%llu}\n",
        (unsigned long long)answered, (unsigned long long)errors, (unsigned long long)other,
        (unsigned long long)body_bytes, took_s, (unsigned long long)percentile(0.5),
        (unsigned long long)percentile(0.9), (unsigned long long)percentile(0.99),
        (unsigned long long)percentile(0.999));
    return 0;
}
