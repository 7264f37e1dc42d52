/* Private to ledger: a thread beside the scribe's, for what no commit waits for. */
#ifndef GATE1367_LEDGER_BACKGROUND_H
#define GATE1367_LEDGER_BACKGROUND_H

#include "ledger/ledger.h"
#include <pthread.h>

/* In the thread, once it is confined. */
typedef void background_run_fn(void *ctx);

struct background {
    const struct ledger_scribe_config *config;
    background_run_fn *run;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock; /* the owner's data that both sides use is under it too */
    pthread_cond_t news;  /* waits by a clock that nobody sets */
    bool started, ready, stop;
    result confined;
};
/* Starts the thread and waits until it is confined. LIMIT LEDGER_E_THREAD: there is none. */
RESULT background_start(struct background *b, const struct ledger_scribe_config *config, background_run_fn *run, void *ctx);
/* In the thread, under the lock: until then (os_monotonic_ns), or until it is to stop. */
void background_wait_until(struct background *b, uint64_t ns);
/* Tells it to stop, and waits until it has; nothing where none was started. */
void background_stop(struct background *b);

#endif
