/* The embedded record API: what a gateway stands before. Plain HTTP on loopback, a process of its own. */
#include "demo/internal.h"
#include "http/http.h"
#include "io/io.h"
#include "os/os.h"
#include <signal.h>
#include <unistd.h>

#define BODY_MAX (1u << 20)

struct visit {
    struct io_conn *conn;
    struct http_request request;
    struct buf out;
};

static bool reply(struct visit *v, unsigned status, span type, span body)
{
    struct http_date date = {0};
    bool keep = v->request.keep_alive;
    struct http_answer a = {.status = status, .now = (int64_t)(os_realtime_us() / 1000000), .content_type = type,
        .framing = HTTP_FRAMING_LENGTH, .length = body.len, .close = !keep};
    buf_clear(&v->out);
    result r = http_write_answer(&v->out, &date, &a);
    if (is_ok(r)) r = buf_append(&v->out, body);
    return is_ok(r) && keep;
}

static bool id_behind(span path, const char *prefix, uint64_t *id)
{
    span p = span_str(prefix);
    return span_starts(path, p) && span_to_u64(span_from(path, p.len), UINT32_MAX, id);
}

#define JSON SPAN("application/json")
#define MISSING SPAN("{\"error\":\"not found\"}\n")

/* True where the connection is kept. */
static bool answer(struct visit *v, span sent)
{
    span path = v->request.path;
    uint64_t id = 0;
    struct buf body;
    buf_init(&body, BODY_MAX);
    bool found = true, keep;
    span type = JSON;
    result r = OK;
    if (span_equal(path, SPAN("/api/persons"))) r = demo_people_list(&body);
    else if (id_behind(path, "/api/persons/", &id)) found = demo_people_one(&body, id);
    else if (id_behind(path, "/api/associates/", &id)) found = demo_people_associates(&body, id);
    else if (span_equal(path, SPAN("/api/search"))) r = demo_people_search(&body, sent);
    else if (span_equal(path, SPAN("/api/map"))) r = demo_people_map(&body);
    else if (span_equal(path, SPAN("/api/export.ndjson"))) {
        type = SPAN("application/x-ndjson");
        r = demo_people_export(&body);
    } else found = false;
    if (!is_ok(r)) keep = reply(v, 500, JSON, SPAN("{\"error\":\"memory\"}\n"));
    else if (found) keep = reply(v, 200, type, buf_span(&body));
    else if (id != 0 && span_starts(path, SPAN("/api/associates/"))) keep = reply(v, 200, JSON, SPAN("[]"));
    else keep = reply(v, 404, JSON, MISSING);
    buf_free(&body);
    return keep;
}

static void part(struct visit *v)
{
    buf_free(&v->out);
    io_free(v->conn);
    mem_free(v);
}

/* Small requests only: head and body must stand in the input together. */
static void read_visit(struct visit *v)
{
    for (;;) {
        span in = io_input(v->conn);
        http_request_reset(&v->request); /* from the start each time: requests here are small */
        enum http_step step = in.len == 0 ? HTTP_MORE : http_request_read(&v->request, in, &HTTP_LIMITS_DEFAULT);
        if (step == HTTP_MORE) return;
        size_t whole = v->request.head_len + (size_t)v->request.length;
        if (step == HTTP_BAD || v->request.framing == HTTP_FRAMING_CHUNKED || v->request.length > 4096) {
            part(v);
            return;
        }
        if (v->request.framing != HTTP_FRAMING_LENGTH) whole = v->request.head_len;
        if (in.len < whole) return;
        bool keep = answer(v, span_sub(in, v->request.head_len, whole - v->request.head_len));
        io_consume(v->conn, whole);
        span out = buf_span(&v->out);
        enum io_sending s = io_send(v->conn, &out, 1);
        if (s == IO_FAILED || (s == IO_SENT && !keep)) {
            part(v);
            return;
        }
        if (s == IO_PENDING) return; /* goes on when drained */
    }
}

static void visit_event(struct io_conn *c, enum io_event event, void *arg)
{
    struct visit *v = arg;
    (void)c;
    switch (event) {
    case IO_CONNECTED: break;
    case IO_READABLE:
        if (!io_sending_pending(v->conn)) read_visit(v);
        break;
    case IO_DRAINED: read_visit(v); break;
    case IO_END:
    case IO_TRUNCATED:
    case IO_ERROR:
    case IO_TIMEOUT: part(v); break;
    }
}

static void visit_accepted(int fd, const struct sockaddr_storage *from, void *arg)
{
    struct visit *v = mem_alloc(sizeof(*v));
    (void)from;
    if (v == NULL) {
        os_close(&fd);
        return;
    }
    buf_init(&v->out, BODY_MAX + 4096);
    http_request_reset(&v->request);
    v->conn = io_accept(arg, fd, NULL, visit_event, v);
    if (v->conn == NULL) mem_free(v);
}

void demo_origin_run(int listener)
{
    struct io_loop *loop = io_loop_new();
    struct io_listener *l = loop == NULL ? NULL : io_listener_new(loop, listener, visit_accepted, loop);
    if (l == NULL) _exit(2);
    result r = io_loop_run(loop);
    _exit(is_ok(r) ? 0 : 1);
}
