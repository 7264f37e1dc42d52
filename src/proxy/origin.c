/* Origin connections: pools by upstream and recipient class, so that no answer meant for one class can ever be read by
 * another (a desynchronised origin is not a leak). */
#include "proxy/internal.h"
#include <errno.h>

#define ORIGIN_MAGIC 0x6f726967u

static struct origin_pool *pool_of(struct worker *w, size_t upstream, enum recipient_class class)
{
    return &w->pools[upstream * 2 + (class == RECIPIENT_ENTITLED)];
}

static void unlink_idle(struct origin *o)
{
    struct origin_pool *p = pool_of(o->worker, o->upstream, o->class);
    if (o->previous != NULL) o->previous->next = o->next;
    else p->idle = o->next;
    if (o->next != NULL) o->next->previous = o->previous;
    o->next = o->previous = NULL;
    p->count--;
}

void origin_drop(struct origin *o)
{
    if (o == NULL) return;
    MAGIC_CHECK(o, ORIGIN_MAGIC);
    if (o->user == NULL) unlink_idle(o);
    if (o->conn != NULL) io_free(o->conn);
    o->worker->room.origins--;
    o->magic = 0;
    mem_free(o);
}

static const char *why_failed(const struct origin *o, enum io_event event)
{
    result r = io_error(o->conn);
    if (event == IO_TIMEOUT) return "no connection in time";
    if (r.class == ERROR_NONE) return "closed before it stood";
    if (r.class != ERROR_IO) return io_error_text(o->conn);
    return r.code == EADDRNOTAVAIL ? "no local port is left" : os_error_text(r);
}

/* Who asks is told what everybody is told. Whoever runs this hears why, and not for each request. */
static void tell_failed(struct worker *w, size_t upstream, size_t server, enum recipient_class class, const char *why)
{
    const struct proxy_upstream *u = &w->settings->upstreams[upstream];
    struct origin_pool *p = pool_of(w, upstream, class);
    struct buf name;
    uint64_t now = io_now_ms();
    worker_count(w, PROXY_ORIGIN_CONNECTS_FAILED, 1);
    if (p->told_ms != 0 && now - p->told_ms < PROXY_SUMMARY_MS) return;
    p->told_ms = now;
    buf_init(&name, 4096);
    result r = json_quote(&name, span_str(u->name));
    if (is_ok(r)) {
        proxy_log("worker", "origin_unreachable", "\"upstream\":%.*s,\"server\":\"%s\",\"reason\":\"%s\"", SPAN_FMT(buf_span(&name)),
            u->servers[server].authority, why);
    }
    buf_free(&name);
}

/* An idle connection on which anything happens is of no more use: nobody asked for bytes. */
static void origin_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct origin *o = arg;
    struct worker *w = o->worker;
    (void)c;
    MAGIC_CHECK(o, ORIGIN_MAGIC);
    if (event == IO_CONNECTED) o->connected = true;
    bool failed = !o->connected && event != IO_READABLE && event != IO_DRAINED;
    if (failed) tell_failed(w, o->upstream, o->server, o->class, why_failed(o, event));
    if (event == IO_END) o->ended = true;
    if (event == IO_TRUNCATED) o->ended = o->truncated = true;
    if (event == IO_ERROR) o->ended = o->failed = true;
    if (o->user == NULL) origin_drop(o);
    else exchange_origin_event(o->user, event);
    worker_look(w);
}

/* An idle connection has none. */
static uint8_t *find_place(void *arg, size_t *n)
{
    struct origin *o = arg;
    MAGIC_CHECK(o, ORIGIN_MAGIC);
    return o->user != NULL ? exchange_place(o->user, n) : NULL;
}

struct origin *origin_connect(struct worker *w, size_t upstream, enum recipient_class class, struct exchange *user)
{
    const struct proxy_upstream *u = &w->settings->upstreams[upstream];
    struct origin_pool *p = pool_of(w, upstream, class);
    struct origin *o = mem_alloc(sizeof(*o));
    if (o == NULL) return NULL;
    size_t server = p->turn++ % u->server_count;
    const struct os_address *to = &u->servers[server].address;
    room_for_another(w);
    *o = (struct origin){
        .magic = ORIGIN_MAGIC, .worker = w, .user = user, .upstream = upstream, .server = server, .class = class};
    const struct sockaddr *at = (const struct sockaddr *)&to->storage;
    o->conn = io_connect(w->loop, at, to->len, p->tls[server], origin_event, o);
    /* The whole system may be out of descriptors, or somebody has lowered our bound. */
    if (o->conn == NULL && origin_close_one(w)) o->conn = io_connect(w->loop, at, to->len, p->tls[server], origin_event, o);
    if (o->conn == NULL) {
        tell_failed(w, upstream, server, class, "no descriptor, or no memory");
        o->magic = 0;
        mem_free(o);
        return NULL;
    }
    w->room.origins++;
    if (w->limits.head > PROXY_INPUT) io_set_input_cap(o->conn, w->limits.head);
    io_lend_input(o->conn, find_place); /* the gate has a body's bytes, and its head is read at once or kept */
    io_set_deadline(o->conn, u->connect_ms);
    worker_count(w, PROXY_ORIGIN_CONNECTS, 1);
    return o;
}

struct origin *origin_take(struct worker *w, size_t upstream, enum recipient_class class, struct exchange *user)
{
    struct origin_pool *p = pool_of(w, upstream, class);
    struct origin *o;
    /* What came behind the last answer, and was not seen yet, would pass for the next one. */
    while ((o = p->idle) != NULL && !io_is_silent(o->conn)) origin_drop(o);
    if (o == NULL) return origin_connect(w, upstream, class, user);
    unlink_idle(o);
    o->user = user;
    o->reused = true;
    return o;
}

void origin_give_back(struct origin *o)
{
    MAGIC_CHECK(o, ORIGIN_MAGIC);
    struct origin_pool *p = pool_of(o->worker, o->upstream, o->class);
    bool fit = !o->ended && io_input(o->conn).len == 0 && !io_sending_pending(o->conn);
    if (!fit || o->worker->draining || p->count >= o->worker->settings->upstreams[o->upstream].keepalive) {
        origin_drop(o);
        return;
    }
    io_set_deadline(o->conn, 0);
    o->user = NULL;
    o->previous = NULL;
    o->next = p->idle;
    if (p->idle != NULL) p->idle->previous = o;
    p->idle = o;
    p->count++;
}

void origin_close_idle(struct worker *w)
{
    for (size_t i = 0; i < w->settings->upstream_count * 2; i++) {
        while (w->pools[i].idle != NULL) origin_drop(w->pools[i].idle);
    }
}

bool origin_close_one(struct worker *w)
{
    for (size_t i = 0; i < w->settings->upstream_count * 2; i++) {
        if (w->pools[i].idle == NULL) continue;
        origin_drop(w->pools[i].idle);
        return true;
    }
    return false;
}

static RESULT open_tls(const struct proxy_upstream *u, size_t server, struct io_tls_client **out, char *why, size_t size)
{
    struct buf key;
    buf_init(&key, 64 * 1024);
    if (u->key_fd >= 0) {
        TRY(os_read_fd(u->key_fd, 64 * 1024, &key));
    }
    struct io_tls_client_options o = {
        .ca = u->ca, .certificate = u->certificate, .key = buf_span(&key), .name = u->servers[server].name};
    result r = io_tls_client_new(&o, out, why, size);
    if (key.base != NULL) mem_wipe(key.base, key.size);
    buf_free(&key);
    return r;
}

RESULT origin_pools_open(struct worker *w, char *why, size_t size)
{
    size_t n = w->settings->upstream_count;
    w->pools = mem_array(n * 2, sizeof(*w->pools));
    REQUIRE(w->pools != NULL, ERROR_LIMIT, 0);
    for (size_t i = 0; i < n; i++) {
        const struct proxy_upstream *u = &w->settings->upstreams[i];
        struct io_tls_client **tls = mem_array(u->server_count, sizeof(struct io_tls_client *));
        REQUIRE(tls != NULL, ERROR_LIMIT, 0);
        w->pools[i * 2].tls = w->pools[i * 2 + 1].tls = tls;
        for (size_t s = 0; s < u->server_count; s++) {
            if (u->servers[s].tls) TRY(open_tls(u, s, &tls[s], why, size));
        }
    }
    return OK;
}

void origin_pools_close(struct worker *w)
{
    if (w->pools == NULL) return;
    origin_close_idle(w);
    for (size_t i = 0; i < w->settings->upstream_count; i++) {
        struct io_tls_client **tls = w->pools[i * 2].tls;
        for (size_t s = 0; tls != NULL && s < w->settings->upstreams[i].server_count; s++) io_tls_client_free(tls[s]);
        mem_free(tls);
    }
    mem_free(w->pools);
    w->pools = NULL;
}
