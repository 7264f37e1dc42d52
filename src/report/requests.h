/* Private to report: what is kept of requests until their completion is read. */
#ifndef GATE1367_REPORT_REQUESTS_H
#define GATE1367_REPORT_REQUESTS_H

#include "base/base.h"

struct request {
    uint8_t id[16];
    uint64_t value; /* the caller's */
    bool taken;
};
struct requests {
    struct request *places;
    size_t count, room; /* room: a power of two */
};
/* Kept under the id; a value that was there is replaced. False: out of memory. */
bool requests_put(struct requests *r, const uint8_t id[16], uint64_t value);
struct request *requests_find(const struct requests *r, const uint8_t id[16]);
void requests_remove(struct requests *r, struct request *q);
void requests_free(struct requests *r);
/* The id of an entry; false: it has none. */
bool request_id(span text, uint8_t out[16]);

#endif
