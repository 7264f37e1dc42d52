#include "witness/witness.h"

#include "http/http.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define PATH_BYTES 4096
#define WITNESSED "tlog/witnessed"
#define ANSWER_MAX ((size_t)65536)
#define SKEW_SECONDS 3600u

result witness_place_parse(span url, struct witness_place *out)
{
    span scheme = SPAN("http://");
    REQUIRE(span_starts(url, scheme), ERROR_CONFIG, OS_BAD_ADDRESS);
    span rest = span_from(url, scheme.len);
    size_t slash = span_find(rest, '/');
    span prefix = span_from(rest, slash);
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    int host = snprintf(out->host, sizeof out->host, "%.*s", SPAN_FMT(span_sub(rest, 0, slash)));
    int path = snprintf(out->path, sizeof out->path, "%.*s/add-checkpoint", SPAN_FMT(prefix));
    REQUIRE(host < (int)sizeof out->host && path < (int)sizeof out->path, ERROR_CONFIG, OS_BAD_ADDRESS);
    REQUIRE(http_path_judge(span_str(out->path)), ERROR_CONFIG, OS_BAD_ADDRESS);
    return os_address_parse(out->host, &out->address);
}

/* ---- asking over HTTP ----------------------------------------------------------------------------------------- */

static result wait_for(int fd, short what)
{
    struct pollfd p = {.fd = fd, .events = what};
    int n = poll(&p, 1, PATIENCE_MS);
    REQUIRE(n > 0, ERROR_IO, n == 0 ? ETIMEDOUT : errno);
    return OK;
}

static result open_connection(const struct witness_place *place, int *fd)
{
    bool done;
    TRY(os_connect(&place->address, fd, &done));
    result r = done ? OK : wait_for(*fd, POLLOUT);
    if (is_ok(r) && !done) r = os_connect_result(*fd);
    if (!is_ok(r)) os_close(fd);
    return r;
}

static result write_request(const struct witness_place *place, span body, struct buf *out)
{
    TRY(http_write_request(out, SPAN("POST"), span_str(place->path), false, span_of(NULL, 0), span_str(place->host)));
    TRY(http_write_length(out, body.len));
    TRY(http_write_field(out, SPAN("Connection"), SPAN("close")));
    TRY(http_write_end(out));
    return buf_append(out, body);
}

/* Until the answer is whole, or the other side ends. */
static result read_answer(int fd, struct http_response *r, struct buf *in)
{
    for (uint64_t until = os_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);;) {
        uint8_t *room;
        enum http_step step = http_response_read(r, buf_span(in), false, &HTTP_LIMITS_DEFAULT);
        REQUIRE(step != HTTP_BAD && !r->interim, ERROR_UPSTREAM, EPROTO);
        bool whole = step == HTTP_DONE && r->framing != HTTP_FRAMING_CLOSE && buf_len(in) >= r->head_len + r->length;
        REQUIRE(step != HTTP_DONE || r->framing != HTTP_FRAMING_CHUNKED, ERROR_UPSTREAM, EPROTO);
        if (whole) return OK;
        http_response_reset(r);
        REQUIRE(os_monotonic_ns() < until, ERROR_IO, ETIMEDOUT);
        TRY(wait_for(fd, POLLIN));
        TRY(buf_reserve(in, 4096, &room));
        ssize_t n = read(fd, room, 4096);
        REQUIRE(n > 0, ERROR_UPSTREAM, n < 0 ? errno : EPROTO);
        buf_commit(in, (size_t)n);
    }
}

/* The answer's body is left in `in`. */
static result converse(int fd, const struct witness_place *place, span body, unsigned *status, struct buf *in)
{
    struct http_response *r = mem_alloc(sizeof *r);
    struct buf out;
    REQUIRE(r, ERROR_LIMIT, ENOMEM);
    buf_init(&out, WITNESS_BODY_MAX + 4096);
    result e = write_request(place, body, &out);
    if (is_ok(e)) e = os_write_all(fd, buf_span(&out));
    if (is_ok(e)) e = read_answer(fd, r, in);
    if (is_ok(e)) {
        *status = r->status;
        size_t head = r->head_len;
        buf_consume(in, head);
        in->write = in->read + (size_t)r->length;
    }
    buf_free(&out);
    mem_free(r);
    return e;
}

static result post(const struct witness_place *place, span body, unsigned *status, struct buf *in)
{
    int fd;
    TRY(open_connection(place, &fd));
    result r = converse(fd, place, body, status, in);
    os_close(&fd);
    return r;
}

/* ---- what was confirmed --------------------------------------------------------------------------------------- */

static result witnessed_path(const struct witness_asker *a, char out[PATH_BYTES])
{
    int n = snprintf(out, PATH_BYTES, "%s/" WITNESSED, a->directory);
    REQUIRE(n > 0 && n < PATH_BYTES, ERROR_CONFIG, ENAMETOOLONG);
    return OK;
}

/* Signed by the log and by the witness. */
static bool is_confirmed(const struct witness_asker *a, span note, struct tlog_checkpoint *c, uint64_t *time)
{
    struct tlog_verifier log;
    struct tlog_note n;
    return is_ok(tlog_verifier_make(span_str(a->ledger.name), TLOG_ED25519, a->ledger.key, &log)) &&
           tlog_checkpoint_open(note, &log, c) && tlog_note_split(note, &n) && tlog_note_signed(&n, &a->witness, time);
}

static void remember(struct witness_asker *a, const struct tlog_checkpoint *c)
{
    a->seen = a->last.size = c->size;
    memcpy(a->last.root, c->root, TLOG_HASH);
}

result witness_remember(struct witness_asker *a, uint64_t *time)
{
    char path[PATH_BYTES];
    struct buf note;
    struct tlog_checkpoint c;
    *time = 0;
    TRY(witnessed_path(a, path));
    if (!os_exists(path)) return OK;
    TRY(os_read_file(path, TLOG_NOTE_MAX, &note));
    bool good = is_confirmed(a, buf_span(&note), &c, time);
    if (good) remember(a, &c);
    buf_free(&note);
    return OK;
}

/* Of now, as far as two clocks agree: an old one that is shown again says nothing of today. */
static bool is_recent(uint64_t time)
{
    uint64_t now = os_realtime_us() / 1000000;
    return time + SKEW_SECONDS >= now && time <= now + SKEW_SECONDS;
}

/* The checkpoint that was sent, with the witness's line: kept only if it holds. */
static enum witness_result keep(struct witness_asker *a, span note, span lines, uint64_t *size)
{
    char path[PATH_BYTES];
    struct buf whole;
    struct tlog_checkpoint c;
    uint64_t time;
    buf_init(&whole, TLOG_NOTE_MAX);
    bool good = is_ok(buf_append(&whole, note)) && is_ok(buf_append(&whole, lines)) &&
                is_confirmed(a, buf_span(&whole), &c, &time) && is_recent(time) && is_ok(witnessed_path(a, path)) &&
                is_ok(os_write_atomic(path, buf_span(&whole), 0640));
    if (good) remember(a, &c);
    if (good) *size = c.size;
    buf_free(&whole);
    return good ? WITNESS_CONFIRMED : WITNESS_SILENT;
}

/* ---- asking --------------------------------------------------------------------------------------------------- */

/* Says how the witness answered what was asked from `old` on; 409 with a size that we have: ask again from there. */
static enum witness_result judge(
    struct witness_asker *a, unsigned status, span asked, span answer, uint64_t ours, bool *again, uint64_t *size)
{
    struct tlog_extension x;
    uint64_t theirs = 0;
    if (status == 200 && tlog_extension_parse(asked, &x)) return keep(a, x.note, answer, size);
    if (status == 422) return WITNESS_REFUSED;
    if (status != 409) return WITNESS_SILENT;
    if (!span_to_u64(span_sub(answer, 0, span_find(answer, '\n')), UINT64_MAX, &theirs)) return WITNESS_SILENT;
    if (theirs > ours || theirs == a->seen) return WITNESS_REFUSED; /* more than we have, or another tree of that size */
    a->seen = theirs;
    *again = true;
    return WITNESS_SILENT;
}

/* What the witness confirmed last must be in what we are about to send: that takes no witness to see. */
static bool extends_last(const struct witness_asker *a, span asked)
{
    struct tlog_extension x;
    struct tlog_note n;
    struct tlog_checkpoint c;
    if (a->last.size == 0 || a->seen != a->last.size) return true;
    return tlog_extension_parse(asked, &x) && tlog_note_split(x.note, &n) && tlog_checkpoint_parse(n.text, &c) &&
           tlog_check_consistency(&x.path, a->last.size, a->last.root, c.size, c.root);
}

static enum witness_result ask_from(struct witness_asker *a, bool *again, uint64_t *size)
{
    struct buf asked, answer;
    unsigned status = 0;
    uint64_t ours = 0;
    enum witness_result w = WITNESS_SILENT;
    buf_init(&asked, WITNESS_BODY_MAX);
    buf_init(&answer, ANSWER_MAX);
    result r = ledger_prove_consistency(a->directory, &a->ledger, a->seen, &asked, &ours);
    /* What the witness confirmed, we do not have any more. */
    bool shrunk = r.class == ERROR_LIMIT && r.code == ERANGE;
    if (is_ok(r) && !extends_last(a, buf_span(&asked))) shrunk = true;
    if (is_ok(r) && !shrunk) r = post(&a->place, buf_span(&asked), &status, &answer);
    if (is_ok(r) && !shrunk) w = judge(a, status, buf_span(&asked), buf_span(&answer), ours, again, size);
    buf_free(&asked);
    buf_free(&answer);
    return shrunk ? WITNESS_REFUSED : w;
}

enum witness_result witness_ask(struct witness_asker *a, uint64_t *size)
{
    bool again = false;
    enum witness_result w = ask_from(a, &again, size);
    return again ? ask_from(a, &again, size) : w;
}
