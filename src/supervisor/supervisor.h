/* supervisor: opens the listeners, forks the roles, restarts, reloads by generation, drains. Reads nothing from the network.
 *
 *   STARTING ─all ready─► SERVING ─SIGHUP─► trial ─ok─► new generation STARTING ─all ready─► switch, old drains
 *       │                    │                └─not ok─► the old configuration stays, with the reason
 *       └─any failed─► exit  └─SIGTERM─► DRAINING ─all gone─► admin, scribe stop ─► exit 0 or 74 */
#ifndef GATE1367_SUPERVISOR_H
#define GATE1367_SUPERVISOR_H

#include "config/config.h"

struct supervisor_arguments {
    const char *config_path;
    struct config *config; /* loaded and tried; the supervisor's from now on */
    /* Called once when every listener accepts, with the resolved addresses ("https://127.0.0.1:8443"). */
    void (*ready)(void *ctx, const char *const *urls, size_t count, const char *admin_url);
    void *ctx;
    bool mirror; /* judge copies, answer nobody */
    /* With `mirror`, once all workers have ended: what they saw. */
    void (*report)(void *ctx, const struct mirror_source *source);
};
/* Runs in the foreground until SIGTERM or SIGINT. Returns the exit status: 0, 1, 2 or 74. */
int supervisor_run(const struct supervisor_arguments *a);

#endif
