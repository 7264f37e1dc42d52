#ifndef GATE1367_SUPERVISOR_INTERNAL_H
#define GATE1367_SUPERVISOR_INTERNAL_H

#include "admin/admin.h"
#include "supervisor/supervisor.h"
#include <sys/types.h>

#define CHILDREN_MAX 1024
#define READY_MS 120000      /* for a child to load */
#define DRAIN_MS 30000       /* for current answers, then they are broken off */
#define NO_PROCESS_MS 10000  /* between two complaints that the kernel makes none */
#define RESTART_PAUSE_MS 500 /* for a role that died within a second of its start */

enum role { ROLE_WORKER, ROLE_SCRIBE, ROLE_ADMIN, ROLE_TRIAL, ROLE_ASKER, ROLE_COUNT };

enum child_state {
    CHILD_STARTING,
    CHILD_READY,   /* reported, not switched on */
    CHILD_SERVING,
    CHILD_DRAINING,
    CHILD_STOPPING,
};

struct child {
    pid_t pid; /* 0: free */
    enum role role;
    enum child_state state;
    int control; /* our end; -1: none */
    unsigned index, slot;
    uint64_t generation;
    uint64_t started_ms, deadline_ms; /* deadline 0: none */
};

/* What one generation owns. */
struct generation {
    struct config *config;
    uint64_t number;
    int overlay_fd;
};

struct supervisor {
    const struct supervisor_arguments *arguments;
    struct generation now, next; /* next.config NULL: no reload under way */
    int old_overlay_fd; /* what draining workers of the generation before still read; -1: none */
    struct ipc_area *area, *suspicions; /* to the scribe; to admin */
    unsigned slots;
    struct proxy_counters *counters; /* one a slot */
    size_t counters_len;
    struct mirror_board *boards; /* one a slot; NULL: no mirror */
    size_t boards_len;
    struct admin_processes *processes; /* behind the counters */
    struct proxy_rates *rates;         /* behind the processes */
    uint64_t watchdog_ms, petted_ms;   /* how often systemd wants to hear of us; 0: never */
    int signals;
    int *listeners; /* worker × listener */
    int http_listener, socket_listener;
    int ticket_fd, root_fd; /* memory files with secrets */
    struct child children[CHILDREN_MAX];
    uint64_t restart_ms[ROLE_COUNT]; /* not before, by role */
    uint64_t loads;
    uint64_t told_no_process_ms;
    bool ready, ending, reload_wanted, ledger_failed, scribe_stopped;
    bool switching; /* the new generation is ready; its admin takes over from the old one */
    int status;
};

uint64_t supervisor_ms(void);
/* Forks; false when the kernel refuses. */
/* All but those of the worker with that index; UINT32_MAX: all. */
void close_listeners(struct supervisor *s, unsigned keep);
const char *role_name(enum role role);
bool spawn_scribe(struct supervisor *s);
bool spawn_admin(struct supervisor *s, struct generation *g);
bool spawn_worker(struct supervisor *s, struct generation *g, unsigned index);
bool spawn_trial(struct supervisor *s);
bool spawn_asker(struct supervisor *s);
struct child *child_by_pid(struct supervisor *s, pid_t pid);
void child_tell(struct child *c, enum ipc_type type, uint64_t number);
size_t children_of(const struct supervisor *s, enum role role, uint64_t generation);

#endif
