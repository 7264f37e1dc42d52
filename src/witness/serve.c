#include "witness/witness.h"

#include "http/http.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_SECONDS 5u
#define CONNECTION_NS UINT64_C(4000000000) /* one is served after the other: longer only while nobody waits */
#define PATH_BYTES 4096
#define EXCHANGES_MAX 1000u /* on a connection */

/* ---- what was seen -------------------------------------------------------------------------------------------- */

/* A file a log, named by what tells logs apart. */
static result state_path(const struct witness *w, const struct tlog_verifier *log, char out[PATH_BYTES])
{
    uint8_t digest[32];
    char hex[65];
    REQUIRE(sha256(span_str(log->name), digest), ERROR_INTERNAL, TLOG_E_CRYPTO);
    hex_encode(span_of(digest, 32), hex);
    int n = snprintf(out, PATH_BYTES, "%s/%.32s.checkpoint", w->state, hex);
    REQUIRE(n > 0 && n < PATH_BYTES, ERROR_CONFIG, ENAMETOOLONG);
    return OK;
}

static bool parse_seen(const struct witness *w, span note, struct tlog_checkpoint *out)
{
    struct tlog_note n;
    return tlog_note_split(note, &n) && tlog_note_signed(&n, &w->self, NULL) && tlog_checkpoint_parse(n.text, out);
}

/* What cannot be read is not taken for nothing: a witness that forgets is none. */
static result load_seen(const struct witness *w, const struct tlog_verifier *log, uint64_t *size, tlog_hash root)
{
    char path[PATH_BYTES];
    struct buf note;
    struct tlog_checkpoint c;
    *size = 0;
    memset(root, 0, TLOG_HASH);
    TRY(state_path(w, log, path));
    if (!os_exists(path)) return OK;
    TRY(os_read_file(path, TLOG_NOTE_MAX, &note));
    bool good = parse_seen(w, buf_span(&note), &c);
    if (good) {
        *size = c.size;
        memcpy(root, c.root, TLOG_HASH);
    }
    buf_free(&note);
    REQUIRE(good, ERROR_INTERNAL, EBADMSG);
    return OK;
}

result witness_recall(const struct witness *w, size_t log)
{
    uint64_t size;
    tlog_hash root;
    return load_seen(w, &w->logs[log], &size, root);
}

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    return ledger_key_sign(ctx, message, signature);
}

static result cosign(const struct witness *w, const struct tlog_asked *asked, uint64_t time, struct buf *answer)
{
    char path[PATH_BYTES];
    struct buf kept;
    TRY(tlog_note_sign(answer, asked->note.text, &w->self, time, sign, (void *)(uintptr_t)w->key));
    TRY(state_path(w, &w->logs[asked->log], path));
    buf_init(&kept, TLOG_NOTE_MAX);
    result r = buf_append(&kept, asked->note.text);
    if (is_ok(r)) r = buf_append(&kept, SPAN("\n"));
    if (is_ok(r)) r = buf_append(&kept, buf_span(answer));
    if (is_ok(r)) r = os_write_atomic(path, buf_span(&kept), 0600);
    buf_free(&kept);
    return r;
}

unsigned witness_add_checkpoint(const struct witness *w, span body, uint64_t time, struct buf *answer)
{
    struct tlog_asked asked;
    uint64_t seen;
    tlog_hash root;
    unsigned status = tlog_witness_read(body, w->logs, w->log_count, &asked);
    if (status != 200) return status;
    if (!is_ok(load_seen(w, &w->logs[asked.log], &seen, root))) return 500;
    status = tlog_witness_judge(&asked, seen, root);
    result r = OK;
    if (status == 409) r = buf_printf(answer, "%llu\n", (unsigned long long)seen);
    if (status == 200) r = cosign(w, &asked, time, answer);
    if (is_ok(r)) return status;
    buf_clear(answer); /* a signature over what is not durable is not given out */
    return 500;
}

/* ---- HTTP ----------------------------------------------------------------------------------------------------- */

struct visit {
    int fd;
    struct buf in, out;
    struct http_request request;
    struct http_date date;
    uint64_t until;
    int listener;
};

/* Whoever sends a byte now and then must not keep all others from their witness. */
static bool overstays(const struct visit *v)
{
    struct pollfd waiting = {.fd = v->listener, .events = POLLIN};
    return os_monotonic_ns() > v->until && poll(&waiting, 1, 0) > 0;
}

static bool read_more(struct visit *v)
{
    uint8_t *room;
    if (overstays(v) || !is_ok(buf_reserve(&v->in, 4096, &room))) return false;
    ssize_t n = read(v->fd, room, 4096);
    if (n <= 0) return false;
    buf_commit(&v->in, (size_t)n);
    return true;
}

static bool answer(struct visit *v, unsigned status, span body)
{
    bool conflict = status == 409;
    struct http_answer a = {.status = status,
        .now = (int64_t)(os_realtime_us() / 1000000),
        .content_type = conflict ? SPAN("text/x.tlog.size") : SPAN("text/plain; charset=utf-8"),
        .framing = HTTP_FRAMING_LENGTH,
        .length = body.len,
        .close = !v->request.keep_alive || status == 400,
        .allow = status == 405 ? SPAN("POST") : span_of(NULL, 0)};
    buf_clear(&v->out);
    if (!is_ok(http_write_answer(&v->out, &v->date, &a)) || !is_ok(buf_append(&v->out, body))) return false;
    return is_ok(os_write_all(v->fd, buf_span(&v->out))) && !a.close;
}

static bool judge_body(const struct witness *w, struct visit *v)
{
    struct buf reply;
    span all = buf_span(&v->in);
    buf_init(&reply, 4096);
    span body = span_sub(all, v->request.head_len, (size_t)v->request.length);
    unsigned status = witness_add_checkpoint(w, body, os_realtime_us() / 1000000, &reply);
    bool go_on = answer(v, status, buf_span(&reply));
    buf_free(&reply);
    return go_on;
}

static bool is_add_checkpoint(span path)
{
    static const char name[] = "/add-checkpoint";
    size_t len = sizeof name - 1;
    return path.len >= len && span_equal(span_from(path, path.len - len), SPAN("/add-checkpoint"));
}

/* False: the connection ends. */
static bool exchange(const struct witness *w, struct visit *v)
{
    enum http_step step;
    http_request_reset(&v->request);
    while ((step = http_request_read(&v->request, buf_span(&v->in), &HTTP_LIMITS_DEFAULT)) == HTTP_MORE)
        if (!read_more(v)) return false;
    if (step == HTTP_BAD) return answer(v, v->request.refusal, SPAN("")) && false;
    if (v->request.framing == HTTP_FRAMING_CHUNKED) return answer(v, 411, SPAN("")) && false;
    if (v->request.length > WITNESS_BODY_MAX) return answer(v, 413, SPAN("")) && false;
    size_t whole = v->request.head_len + (size_t)v->request.length;
    while (buf_len(&v->in) < whole)
        if (!read_more(v)) return false;
    http_request_reset(&v->request); /* the buffer may have moved */
    if (http_request_read(&v->request, buf_span(&v->in), &HTTP_LIMITS_DEFAULT) != HTTP_DONE) return false;
    bool go_on = !is_add_checkpoint(v->request.path)    ? answer(v, 404, SPAN(""))
                 : v->request.method != HTTP_POST ? answer(v, 405, SPAN(""))
                                                  : judge_body(w, v);
    buf_consume(&v->in, whole);
    return go_on;
}

static void serve_connection(const struct witness *w, int listener, int fd)
{
    struct visit *v = mem_alloc(sizeof *v);
    if (v && is_ok(os_set_nonblocking(fd, false)) && is_ok(os_set_patience(fd, PATIENCE_SECONDS))) {
        v->fd = fd;
        v->listener = listener;
        v->until = os_monotonic_ns() + CONNECTION_NS;
        buf_init(&v->in, WITNESS_BODY_MAX + 65536);
        buf_init(&v->out, 65536);
        for (unsigned i = 0; i < EXCHANGES_MAX && exchange(w, v); i++)
            continue;
        buf_free(&v->in);
        buf_free(&v->out);
    }
    mem_free(v);
    os_close(&fd);
}

result witness_serve(const struct witness *w, int listener, int signals)
{
    struct pollfd fds[2] = {{.fd = listener, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    for (;;) {
        int fd;
        REQUIRE(poll(fds, 2, -1) >= 0 || errno == EINTR, ERROR_IO, errno);
        if (os_signals_next(signals) != 0) return OK;
        result r = os_accept(listener, &fd, NULL);
        if (is_ok(r)) serve_connection(w, listener, fd);
    }
}
