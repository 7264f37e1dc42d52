#ifndef GATE1367_CLI_PROBE_METRICS_H
#define GATE1367_CLI_PROBE_METRICS_H

#include "base/base.h"
#include "os/os.h"

/* /metrics of that address, head included. Waits for 5 s at most. Free the buffer either way. */
RESULT probing_metrics(const struct os_address *admin, struct buf *out);
/* The value of a line "NAME VALUE"; the name with its labels. False: it is not there. */
bool probing_metric(span text, const char *name, uint64_t *value);

#endif
