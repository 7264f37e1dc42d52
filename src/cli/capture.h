/* Captured traffic: a HAR file, or JSON Lines of {"target", "method", "status", "type", "body"}. */
#ifndef GATE1367_CLI_CAPTURE_H
#define GATE1367_CLI_CAPTURE_H

#include "base/base.h"
#include "source/source.h"

/* One exchange; borrowed. */
struct captured {
    const char *place; /* file and line, or file and entry */
    span path, query;  /* of the request; the query without '?' */
    const char *method;
    json_int_t status;
    span type, body; /* of the answer */
};
typedef void captured_fn(void *ctx, const struct captured *c);
/* Calls `each` for every exchange of the file, in order. What is wrong with it is reported. */
void capture_read(const char *path, struct problems *problems, captured_fn *each, void *ctx);

#endif
