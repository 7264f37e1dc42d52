/* Drives the readers over a stream that arrives in pieces, as a connection would, and writes down what they made of it.
 * Two ways of cutting a stream must give the same notes. Every piece lands in a block of exactly its size, so that the
 * sanitizer sees each read past the end, and spans that outlive a move. */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdio.h>
#include <stdlib.h>

#include "http/http.h"

struct drive {
    char *notes; /* one line a message, then how it ended */
    size_t notes_len;
    FILE *log;
    unsigned complete; /* messages whose last byte was seen */
    unsigned status;   /* refusal; 0: none */
    bool bad;          /* a rule was broken */
    bool closed;       /* the last message ended the connection */
};

struct driver {
    struct drive *out;
    bool response, head_request, in_body;
    struct http_limits limits;
    struct http_request request;
    struct http_response answer;
    struct http_body body;
    uint64_t hash;
};

static inline void drive_hash(struct driver *d, span s)
{
    for (size_t i = 0; i < s.len; i++)
        d->hash = (d->hash ^ s.ptr[i]) * 1099511628211u;
}

static inline void drive_fields(FILE *log, const struct http_field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(
            log, "  %.*s=%.*s pass=%d\n", SPAN_FMT(f[i].name), SPAN_FMT(f[i].value), http_field_passes(f, n, &f[i]));
}

static inline void drive_begin(struct driver *d)
{
    d->in_body = false;
    d->hash = 14695981039346656037u;
    http_request_reset(&d->request);
    http_response_reset(&d->answer);
}

/* One head; returns bytes used. */
static inline size_t drive_head(struct driver *d, span in, enum http_step *step)
{
    struct http_request *r = &d->request;
    struct http_response *a = &d->answer;
    *step = d->response ? http_response_read(a, in, d->head_request, &d->limits) : http_request_read(r, in, &d->limits);
    if (*step != HTTP_DONE) return 0;
    if (d->response) {
        fprintf(d->out->log, "%u minor=%d framing=%d length=%llu keep=%d type=%.*s\n", a->status, a->minor,
            (int)a->framing, (unsigned long long)a->length, a->keep_alive, SPAN_FMT(a->content_type));
        drive_fields(d->out->log, a->fields, a->field_count);
        http_body_init(&d->body, a->framing, a->length, &d->limits);
        return a->head_len;
    }
    fprintf(d->out->log, "%.*s path=%.*s query=%d%.*s host=%.*s minor=%d framing=%d length=%llu keep=%d expect=%d\n",
        SPAN_FMT(r->method_text), SPAN_FMT(r->path), r->has_query, SPAN_FMT(r->query), SPAN_FMT(r->host), r->minor,
        (int)r->framing, (unsigned long long)r->length, r->keep_alive, r->expect_continue);
    drive_fields(d->out->log, r->fields, r->field_count);
    http_body_init(&d->body, r->framing, r->length, &d->limits);
    return r->head_len;
}

static inline void drive_complete(struct driver *d)
{
    if (d->response && d->answer.interim) {
        drive_begin(d);
        return;
    }
    d->out->complete++;
    fprintf(
        d->out->log, "  body %llu bytes %016llx\n", (unsigned long long)d->body.received, (unsigned long long)d->hash);
    if (!(d->response ? d->answer.keep_alive : d->request.keep_alive)) d->out->closed = true;
    drive_begin(d);
}

/* Uses what it can of `in`; returns bytes used. */
static inline size_t drive_step(struct driver *d, span in)
{
    enum http_step step;
    size_t used;
    if (!d->in_body) {
        used = drive_head(d, in, &step);
        if (step == HTTP_BAD) {
            d->out->bad = true;
            d->out->status = d->response ? 0 : d->request.refusal;
        }
        if (step != HTTP_DONE) return 0;
        d->in_body = true;
        if (d->body.state == HTTP_DONE) drive_complete(d);
        return used;
    }
    span data;
    step = http_body_next(&d->body, in, &used, &data);
    drive_hash(d, data);
    if (step == HTTP_BAD) d->out->bad = true;
    if (step == HTTP_DONE) drive_complete(d);
    return used;
}

/* cuts: ascending offsets where pieces end (the end of the stream is implied). */
static inline struct drive drive_stream(
    span stream, bool response, const size_t *cuts, size_t n_cuts, const struct http_limits *limits)
{
    struct drive out = {0};
    struct driver *d = calloc(1, sizeof *d);
    out.log = open_memstream(&out.notes, &out.notes_len);
    *d = (struct driver){.out = &out, .response = response, .limits = *limits};
    drive_begin(d);
    size_t from = 0;
    for (size_t i = 0; i <= n_cuts && !out.bad && !out.closed; i++) {
        size_t to = i < n_cuts ? cuts[i] : stream.len, used;
        do {
            uint8_t *copy = malloc(to - from + (to == from));
            memcpy(copy, stream.ptr + from, to - from);
            used = drive_step(d, span_of(copy, to - from));
            free(copy);
            from += used;
        } while (used > 0 && !out.bad && !out.closed);
    }
    if (!out.bad && !out.closed && d->in_body && http_body_end(&d->body, true) == HTTP_DONE) drive_complete(d);
    fprintf(out.log, "complete=%u bad=%d status=%u closed=%d\n", out.complete, out.bad, out.status, out.closed);
    fclose(out.log);
    free(d);
    return out;
}

#endif
