/* One request over TLS, waited for. */
#include "demo/internal.h"
#include "http/http.h"
#include "io/io.h"
#include "os/os.h"
#include <arpa/inet.h>

#define WAIT_MS 10000

const struct demo_recipient DEMO_RECIPIENTS[4] = {
    {"USCIS officer", "officer", "adjudication"},
    {"DOJ attorney", "attorney", "litigation"},
    {"state police", "police", NULL},
    {"anonymous", NULL, NULL},
};

struct question {
    struct io_loop *loop;
    span text;
    struct demo_answer *answer;
    struct http_response response;
    struct http_body body;
    bool head, done;
    result r;
};

static void over(struct question *q, result r)
{
    q->r = r;
    q->done = true;
    io_loop_stop(q->loop);
}

static void note_head(struct question *q)
{
    q->head = true;
    q->answer->status = q->response.status;
    http_body_init(&q->body, q->response.framing, q->response.length, &HTTP_LIMITS_DEFAULT);
    const struct http_field *f = http_find(q->response.fields, q->response.field_count, HTTP_FIELD_SECTION_1367, 0);
    if (f != NULL) snprintf(q->answer->section, sizeof(q->answer->section), "%.*s", SPAN_FMT(f->value));
}

static void read_answer(struct question *q, struct io_conn *c)
{
    if (!q->head) {
        enum http_step step = http_response_read(&q->response, io_input(c), false, &HTTP_LIMITS_DEFAULT);
        if (step == HTTP_BAD) over(q, FAIL(ERROR_PEER, 0));
        if (step != HTTP_DONE) return;
        note_head(q);
        io_consume(c, q->response.head_len);
    }
    for (;;) {
        size_t used;
        span data;
        enum http_step step = http_body_next(&q->body, io_input(c), &used, &data);
        result r = buf_append(&q->answer->body, data);
        io_consume(c, used);
        if (step == HTTP_BAD || !is_ok(r)) over(q, FAIL(ERROR_PEER, 0));
        if (step == HTTP_DONE) over(q, OK);
        if (q->done || used == 0) return;
    }
}

static void asked(struct io_conn *c, enum io_event event, void *arg)
{
    struct question *q = arg;
    switch (event) {
    case IO_CONNECTED:
        io_set_deadline(c, WAIT_MS);
        if (io_send(c, &q->text, 1) == IO_FAILED) over(q, FAIL(ERROR_IO, 0));
        break;
    case IO_READABLE: read_answer(q, c); break;
    case IO_DRAINED: break;
    case IO_END:
    case IO_TRUNCATED:
    case IO_ERROR:
    case IO_TIMEOUT:
        if (!q->done) over(q, FAIL(ERROR_PEER, 0));
        break;
    }
}

static RESULT read_pem(const char *directory, const char *name, const char *ending, struct buf *out)
{
    char path[DEMO_PATH];
    snprintf(path, sizeof(path), "%s/%s%s", directory, name, ending);
    return os_read_file(path, 1u << 20, out);
}

static RESULT open_tls(const char *directory, const struct demo_recipient *who, struct io_tls_client **tls)
{
    struct buf ca = {0}, certificate = {0}, key = {0};
    char why[200];
    result r = read_pem(directory, "gateway-ca", ".pem", &ca);
    if (is_ok(r) && who->file != NULL) r = read_pem(directory, who->file, ".pem", &certificate);
    if (is_ok(r) && who->file != NULL) r = read_pem(directory, who->file, ".key", &key);
    struct io_tls_client_options o = {.ca = buf_span(&ca), .certificate = buf_span(&certificate), .key = buf_span(&key), .name = "localhost"};
    if (is_ok(r)) r = io_tls_client_new(&o, tls, why, sizeof(why));
    buf_free(&ca);
    buf_free(&certificate);
    buf_free(&key);
    return r;
}

static RESULT write_question(struct buf *out, const struct demo_recipient *who, span method, const char *path, span body)
{
    TRY(http_write_request(out, method, span_str(path), false, span_of(NULL, 0), SPAN("localhost")));
    if (who->purpose != NULL) TRY(http_write_field(out, SPAN("Purpose-Of-Use"), span_str(who->purpose)));
    if (body.len > 0) TRY(http_write_length(out, body.len));
    TRY(http_write_field(out, SPAN("Connection"), SPAN("close")));
    TRY(http_write_end(out));
    return buf_append(out, body);
}

RESULT demo_ask(const char *directory, uint16_t port, const struct demo_recipient *who, span method, const char *path,
    span body, struct demo_answer *out)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct io_tls_client *tls = NULL;
    struct buf text;
    buf_init(&text, 1u << 20);
    *out = (struct demo_answer){0};
    buf_init(&out->body, 1u << 20);
    struct question *q = mem_alloc(sizeof(*q));
    REQUIRE(q != NULL, ERROR_LIMIT, 0);
    q->loop = io_loop_new();
    q->answer = out;
    result r = q->loop == NULL ? FAIL(ERROR_LIMIT, 0) : open_tls(directory, who, &tls);
    if (is_ok(r)) r = write_question(&text, who, method, path, body);
    q->text = buf_span(&text);
    struct io_conn *c = is_ok(r) ? io_connect(q->loop, (struct sockaddr *)&to, sizeof(to), tls, asked, q) : NULL;
    if (c != NULL) {
        io_set_deadline(c, WAIT_MS);
        r = io_loop_run(q->loop);
        if (is_ok(r)) r = q->r;
        io_free(c);
    }
    if (q->loop != NULL) io_loop_free(q->loop);
    io_tls_client_free(tls);
    buf_free(&text);
    mem_free(q);
    return r;
}
