/* What the files of `probe` share. */
#ifndef GATE1367_CLI_PROBE_H
#define GATE1367_CLI_PROBE_H

#include "cli/cli.h"
#include "config/config.h"
#include "probe/probe.h"

struct probing {
    const char *config, *pairs, *worlds, *listener, *count, *connections, *rate, *load, *seed, *trips, *svg;
    const char *certificate, *key, *purpose; /* with --worlds */
    bool json, calibrate;
    const char *(*nothing)(void *ctx); /* NULL, or asked when all was answered: why equal answers prove nothing, or NULL */
    void *nothing_ctx;
    struct probe_options options;
    struct cli_progress progress;
};

/* The listener that is probed: the first, or the one that --listener names. Nothing else is ever connected to. False after a
 * report. */
bool probing_listener(const struct probing *p, const struct config *c, struct probe_gateway *g);
/* A number option; false after a report. */
bool probing_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *out);
/* Loads without trying; NULL after a report. */
struct config *probing_config(const struct probing *p);
/* Asks, reports as the options say; the exit status. `what` names it. */
int probing_run(struct probing *p, const struct probe_subject *subjects, size_t count, const char *what);

/* How often the origin is asked for one request of a restricted recipient. */
struct probing_trips {
    uint64_t always, most;
    const char *document; /* template of the list in pages; NULL: it is none, and asked for once */
};
/* Turns the request into the one that the gateway makes of it at first, in memory of the arena. False: no memory. */
bool probing_read_trips(const struct proxy_route *route, struct arena *memory, struct probe_shot *shot, struct probing_trips *out);

int probing_calibrate(struct probing *p);
int probing_worlds(struct probing *p);

#endif
