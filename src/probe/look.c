#include "probe/internal.h"

void look_init(struct look *l)
{
    *l = (struct look){0};
    buf_init(&l->raw, PROBE_LOOK_MAX);
}

void look_free(struct look *l)
{
    buf_free(&l->raw);
    mem_free(l->records);
    l->records = NULL;
}

void look_begin(struct look *l, size_t wanted, bool first_head, bool second_head)
{
    buf_clear(&l->raw);
    http_response_reset(&l->response);
    l->at = 0;
    l->in_body = l->closes = l->retried = false;
    l->wanted = wanted;
    l->heads[0] = first_head;
    l->heads[1] = second_head;
    l->sight = (struct probe_sight){.ending = PROBE_ENDS_OPEN};
    l->began_ns = l->ended_ns = 0;
}

void look_record(struct look *l, size_t size)
{
    size_t n = l->sight.record_count;
    if (n == l->record_room) {
        size_t room = n == 0 ? 64 : 2 * n;
        uint32_t *more = room > (1u << 20) ? NULL : mem_resize(l->records, room * sizeof(*more));
        if (more == NULL) return; /* both looks lose the same */
        l->records = more;
        l->record_room = room;
    }
    l->records[n] = (uint32_t)size;
    l->sight.record_count = n + 1;
}

static enum http_step read_head(struct look *l, span rest)
{
    size_t i = l->sight.message_count;
    enum http_step step = http_response_read(&l->response, rest, l->heads[i], &HTTP_LIMITS_DEFAULT);
    if (step != HTTP_DONE) return step;
    if (l->response.interim) {
        l->at += l->response.head_len;
        http_response_reset(&l->response);
        return HTTP_DONE;
    }
    l->sight.messages[i].head = l->at;
    l->at += l->response.head_len;
    l->sight.messages[i].body = l->at;
    l->sight.messages[i].status = l->response.status;
    http_body_init(&l->body, l->response.framing, l->response.length, &HTTP_LIMITS_DEFAULT);
    l->in_body = true;
    return HTTP_DONE;
}

static enum http_step read_body(struct look *l, span rest)
{
    for (;;) {
        size_t used;
        span data;
        enum http_step step = http_body_next(&l->body, rest, &used, &data);
        l->at += used;
        rest = span_from(rest, used);
        if (step == HTTP_BAD) return step;
        if (step == HTTP_DONE) break;
        if (used == 0) return HTTP_MORE;
    }
    l->sight.messages[l->sight.message_count++].end = l->at;
    l->closes = !l->response.keep_alive;
    l->in_body = false;
    http_response_reset(&l->response);
    return HTTP_DONE;
}

enum http_step look_take(struct look *l, span data)
{
    if (!is_ok(buf_append(&l->raw, data))) return HTTP_BAD;
    while (l->sight.message_count < l->wanted) {
        span rest = span_from(buf_span(&l->raw), l->at);
        if (rest.len == 0 && !(l->in_body)) return HTTP_MORE;
        enum http_step step = l->in_body ? read_body(l, rest) : read_head(l, rest);
        if (step != HTTP_DONE) return step;
    }
    return HTTP_DONE;
}

const struct probe_sight *look_sight(struct look *l)
{
    l->sight.raw = buf_span(&l->raw);
    l->sight.records = l->records;
    return &l->sight;
}
