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

int probing_calibrate(struct probing *p);
int probing_worlds(struct probing *p);

#endif
