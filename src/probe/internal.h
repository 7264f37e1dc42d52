#ifndef GATE1367_PROBE_INTERNAL_H
#define GATE1367_PROBE_INTERNAL_H

#include "http/http.h"
#include "probe/probe.h"

#define PROBE_LOOK_MAX ((size_t)96 << 20)

/* look.c: one request under way, and what came back. */
struct look {
    struct buf raw;
    size_t at; /* read so far */
    struct http_response response;
    struct http_body body;
    bool in_body, closes; /* the last answer said that the connection ends */
    size_t wanted;        /* answers */
    bool heads[PROBE_MESSAGES];
    struct probe_sight sight;
    uint32_t *records;
    size_t record_room;
    uint64_t began_ns, ended_ns;
    bool retried;
};
void look_init(struct look *l);
void look_free(struct look *l);
void look_begin(struct look *l, size_t wanted, bool first_head, bool second_head);
/* Takes more bytes. DONE: all answers are whole; BAD: no HTTP, or no memory. */
enum http_step look_take(struct look *l, span data);
void look_record(struct look *l, size_t size);
/* The sight, with pointers into the look. */
const struct probe_sight *look_sight(struct look *l);

/* load.c: requests of no pair at a steady rate, while the loop runs. NULL: no memory. */
struct load;
struct load *load_start(struct io_loop *loop, const struct probe_subject *subjects, size_t count, const struct probe_options *o,
    struct probe_load *told);
void load_end(struct load *l);

#endif
