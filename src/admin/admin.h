/* admin: the role that people talk to. Health, readiness and metrics over HTTP (GET only); live registry changes and
 * look-ups over a Unix socket, for insiders, each a ledger event. One process a generation. */
#ifndef GATE1367_ADMIN_H
#define GATE1367_ADMIN_H

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "mirror/mirror.h"
#include "proxy/proxy.h"

/* Two live generations at most: a change goes into both overlays before it counts as in force. */
#define ADMIN_OVERLAYS 2

/* What the supervisor counts, in memory shared with admin. */
#define ADMIN_ROLES(X) X(WORKER, "worker") X(SCRIBE, "scribe") X(ADMIN, "admin") X(ASKER, "asker")
enum admin_role {
#define X(id, name) ADMIN_##id,
    ADMIN_ROLES(X)
#undef X
        ADMIN_ROLE_COUNT
};
struct admin_processes {
    _Atomic uint64_t restarts[ADMIN_ROLE_COUNT]; /* of processes that ended unasked */
    _Atomic uint64_t reloads_taken, reloads_refused;
    _Atomic uint64_t started; /* seconds since 1970 */
    _Atomic uint64_t scribe;  /* 1: there is one, and it writes */
    struct witness_board witness;
};

struct admin_arguments {
    const struct config *config;
    struct ipc_ring *ring; /* a slot of its own */
    void *overlays[ADMIN_OVERLAYS]; /* [0]: this generation's, formatted and replayed here; [1]: the older one's, or NULL */
    size_t overlay_size;
    bool reborn; /* overlays[0] is in use by workers: go on where it ends, do not format it */
    const struct proxy_counters *counters; /* all slots */
    size_t counter_slots;
    const struct proxy_rates *rates;
    const struct admin_processes *processes;
    const struct mirror_board *boards; /* one a slot; NULL: no mirror */
    int http_listener, socket_listener; /* inherited; accepted on after SWITCH */
    int control;                        /* channel to the supervisor */
    struct ledger_root pseudonym_root;
    struct ipc_area *suspicions; /* rings of all workers; collected from SWITCH on */
};
/* All boards with the routes of a configuration, as the report wants them. At most so many of each. */
#define ADMIN_MIRROR_MAX 1024
struct admin_mirror {
    const struct mirror_board *boards[ADMIN_MIRROR_MAX];
    struct mirror_route routes[ADMIN_MIRROR_MAX];
    struct mirror_source source; /* points into this */
};
void admin_mirror_source(const struct config *c, const struct mirror_board *boards, size_t slots, struct admin_mirror *out);

/* Formats and replays the overlay, then READY; after SWITCH reads what the journal gained meanwhile, sends STATUS,
 * writes the `config` and `rules` entries and serves until STOP. `confine` (may be NULL) is called once secrets are read and the journal is open. */
int admin_run(const struct admin_arguments *a, void (*confine)(void *ctx), void *ctx);

/* ---- the socket's protocol, for cli ------------------------------------------------------------------------------ */

/* One request a connection: a JSON object on the first line, {"command":"apply","bytes":N} followed by N bytes of change
 * lines, {"command":"lookup","kind":…,"value":…,"system":…}, {"command":"suspected"},
 * {"command":"clear","subject":…,"by":…,"reason":…}, {"command":"accept","by":…,"reason":…} or {"command":"fixed"}, which asks what only a restart can change. Answer: one JSON object, then the end:
 * {"status":"ok","applied":N} | {"status":"ok","protected":true} |
 * {"status":"ok","suspected":[{"subject":…,"since":…,"request":…,"identifiers":N}]} | {"status":"ok","accepted":POSITION} | {"status":"ok","fixed":{"listen":DIGEST,…}} |
 * {"status":"error","problems":["…"]}. */
#define ADMIN_REQUEST_MAX (64u << 20)
/* Sends the request (line and body) and reads the answer. IO when nobody listens there, IO OS_TIMEOUT when nothing is heard for so
 * many seconds. */
#define ADMIN_ASK_SECONDS 60 /* a file of changes, and its entry on a slow disk */
RESULT admin_ask(const char *socket, unsigned seconds, span line, span body, struct buf *answer);
const char *admin_ask_words(result r); /* what went wrong, for people */

#endif
