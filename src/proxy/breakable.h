/* Leaks on purpose, so that the prober can be shown to catch each. They exist only where GATE1367_BREAKABLE is defined: in
 * gate1367-breakable, which is built for tests and never installed. In every other build the words below are nothing. Armed as
 * faults are: GATE1367_FAULTS="break-etag@worker:1+".
 *
 *   break-early-answer   a withheld answer does not wait for the grid
 *   break-no-pace        no answer does
 *   break-etag           a validator of the origin's bytes where something was withheld
 *   break-extra-header   X-Withheld: 1
 *   break-header-order   Cache-Control stands before Date
 *   break-second-record  head and body leave in two TLS records
 *   break-status         403 instead of the miss
 *   break-close          the connection ends behind a withheld answer
 *   break-late-next      the request behind a withheld answer waits longer
 *   break-neighbour      nobody else is served for a while
 *   break-short-page     a page is not filled up where something was withheld */
#ifndef GATE1367_PROXY_BREAKABLE_H
#define GATE1367_PROXY_BREAKABLE_H

#ifndef GATE1367_BREAKABLE

#define BREAKS(name) false
#define BREAKS_HIDING(x, name) false
#define BREAKS_FOUND(outcome, name) false
#define BREAK_NOTE(x) ((void)0)
#define BREAK_ARRIVAL(x) ((void)0)
#define BREAK_ANSWER(x, a) ((void)0)
#define BREAK_HEAD(x, out) OK

#else

#include "proxy/internal.h"

#define BREAKS(name) fault_hit(name)
#define BREAKS_HIDING(x, name) ((x)->hides && fault_hit(name))
#define BREAKS_FOUND(outcome, name) ((outcome)->verdict.found && fault_hit(name))
#define BREAK_NOTE(x) break_note(x)
#define BREAK_ARRIVAL(x) break_arrival(x)
#define BREAK_ANSWER(x, a)                                                                                             \
    struct http_field broken_fields_[2];                                                                               \
    break_answer(x, a, broken_fields_)
#define BREAK_HEAD(x, out) break_head(x, out)

#define BREAK_HOLD_US 25000
#define BREAK_LATE_US 6000

static inline void break_note(struct exchange *x)
{
    x->hides = x->class == RECIPIENT_RESTRICTED && gate_outcome(x->gate)->verdict.found;
    x->session->hid = x->hides;
    snprintf(x->validator, sizeof(x->validator), "\"%llu\"", (unsigned long long)gate_cursors(x->gate).received);
    uint64_t until = io_now_us() + BREAK_HOLD_US;
    if (BREAKS_HIDING(x, "break-neighbour")) {
        while (io_now_us() < until) {}
    }
    if (BREAKS_HIDING(x, "break-close")) x->close = true;
}

static inline void break_arrival(struct exchange *x)
{
    x->hides = false;
    if (x->session->hid && fault_hit("break-late-next")) x->arrival_us += BREAK_LATE_US;
    x->session->hid = false;
}

static inline void break_answer(const struct exchange *x, struct http_answer *a, struct http_field more[2])
{
    size_t n = 0;
    if (BREAKS_HIDING(x, "break-extra-header")) more[n++] = (struct http_field){.name = SPAN("X-Withheld"), .value = SPAN("1")};
    if (BREAKS_HIDING(x, "break-etag")) more[n++] = (struct http_field){.name = SPAN("ETag"), .value = span_str(x->validator)};
    if (BREAKS_HIDING(x, "break-status") && !x->from_origin) a->status = 403;
    if (n == 0) return;
    a->extra = more;
    a->extra_count = n;
}

static inline result break_head(const struct exchange *x, struct buf *out)
{
    static const char CACHE[] = "Cache-Control: private, no-store\r\n";
    span all = buf_span(out);
    size_t date = span_search(all, SPAN("Date: ")), cache = span_search(all, span_str(CACHE));
    if (!BREAKS_HIDING(x, "break-header-order") || cache == all.len || date > cache) return OK;
    uint8_t *p = out->base + out->read;
    memmove(p + date + sizeof(CACHE) - 1, p + date, cache - date);
    memcpy(p + date, CACHE, sizeof(CACHE) - 1);
    return OK;
}

#endif
#endif
