/* config: gate.json and what it names, with positions; everything `serve` needs, checked at once. Secrets are opened but not
 * read: the processes that need them read them after the fork from the inherited descriptors. */
#ifndef GATE1367_CONFIG_H
#define GATE1367_CONFIG_H

#include "base/base.h"
#include "ledger/ledger.h"
#include "os/os.h"
#include "proxy/proxy.h"
#include "registry/registry.h"
#include "source/source.h"
#include "witness/witness.h"

struct config {
    struct proxy_settings settings;
    unsigned workers; /* at least 1 */
    struct os_address admin_address;
    const char *admin_text, *admin_socket; /* socket: absolute path */
    struct ledger_place ledger;
    struct ledger_place standby; /* directory NULL: none */
    uint64_t ledger_warn, ledger_shed; /* free bytes of its device; 0: ten and two segments */
    struct witness_settings witness;
    bool scheduled; /* ledger.schedule is there */
    int ledger_key_fd; /* -1: there is none */
    const char *registry_path, *registry_key_path, *journal_path;
    int registry_key_fd;       /* -1: there is none */
    struct os_map registry;    /* the index, mapped */
    uint64_t generation;       /* counts loads; set by the caller before it is used */
    struct config_inside *inside; /* what the pointers point into */
};

/* Loads gate.json at `path` and every file it names. NULL after reporting every problem. Nothing outside is changed.
 * config_try and config_compare report into the same problems, which must live until then. */
struct config *config_load(const char *path, struct problems *problems);
void config_free(struct config *c);
/* The rest of what `serve` would do, secrets included: TLS contexts, the registry's key, the ledger's place and key.
 * For `check`, before `serve`, and for the trial before a reload. */
void config_try(struct config *c);
/* What only a restart can change. */
#define CONFIG_FIXED(X)                                                                                                \
    X(LISTEN, "listen", "listen addresses")                                                                            \
    X(WORKERS, "workers", "the number of workers")                                                                     \
    X(ADMIN, "admin", "the admin address")                                                                             \
    X(LEDGER, "ledger", "the ledger")
enum config_fixed {
#define X(id, name, words) CONFIG_##id,
    CONFIG_FIXED(X)
#undef X
        CONFIG_FIXED_COUNT
};
const char *config_fixed_name(enum config_fixed what);
/* One text for all that counts of it: equal texts, and a reload is possible. False: no memory. */
bool config_fixed_digest(const struct config *c, enum config_fixed what, char out[65]);
/* What of it differs in `next`: reports each as an error. */
void config_compare(const struct config *now, const struct config *next);
/* The same as a warning, for `check`: `running` is the digest of the gateway that runs. */
void config_warn_of_restart(const struct config *next, enum config_fixed what, const char *running);
/* A gateway runs, and does not say so within so many seconds. */
void config_warn_of_silence(const struct config *next, unsigned seconds);
/* When the first of the certificates ends that listen and upstreams name, as they were loaded, in seconds since 1970. Reads all of
 * them. False: there is none. */
bool config_certificates_end(const struct config *c, int64_t *end);
/* Closes the descriptors of secrets: after a role has read its own. */
void config_close_secrets(struct config *c);
/* Reads the registry's key (32 bytes). */
RESULT config_registry_key(const struct config *c, uint8_t key[32]);

#define CONFIG_OVERLAY_BYTES (64u << 20) /* memory for live changes of the registry */
#define CONFIG_JOURNAL_MAX ((size_t)1 << 30) /* bytes of their journal; over it nothing opens it */
/* The registry as it is in force: the index, and what the journal has changed since it was built. For commands; a gateway
 * shares one among its processes. */
struct config_registry {
    struct registry *registry;
    void *overlay;
    struct registry_journal_end journal;
    const char *path, *why; /* after an error: the file that is at fault, and what is wrong with it */
};
/* With an error there is nothing to close. */
RESULT config_registry_open(const struct config *c, struct config_registry *now);
void config_registry_close(struct config_registry *now);

/* ---- the mark ----------------------------------------------------------------------------------------------------- */

/* How far the registry's journal has been in force here, in a file beside the ledger and one beside its standby. */
#define CONFIG_MARKS 2
struct config_mark {
    int fds[CONFIG_MARKS]; /* -1: there is none */
    struct registry_mark marks[CONFIG_MARKS];
    size_t place;          /* that is written */
    bool made, foreign;    /* none was there; it was of another registry's key: nothing was known here of what was in force */
    bool unsynced, broken; /* what was written is not durable yet; could not be made so */
};
/* Opens and reads; `writable` makes what is missing, and reads what cannot be written. Also after an error it is to be closed.
 * CONFIG REGISTRY_MARK_DAMAGED, LIMIT, IO. Fault point "mark-open" (it cannot be written). */
RESULT config_mark_open(const struct config *c, const uint8_t key[32], bool writable, struct config_mark *m);
RESULT config_mark_read(struct config_mark *m, const uint8_t key[32]); /* again */
void config_mark_close(struct config_mark *m);
/* registry_mark_judge: of a journal in memory, or of the registry as it was opened. */
RESULT config_mark_judge(const struct config_mark *m, span journal, uint64_t index);
RESULT config_mark_judge_registry(const struct config_mark *m, const struct config *c, const struct config_registry *now);
uint64_t config_mark_position(const struct config_mark *m);
/* Writes it where it advances. The journal must be durable up to there before, or a power failure would leave a mark that nobody can
 * reach. `durable`: before it returns, what was written before included. Fault points "mark" (nothing is written), "mark-sync"
 * (written, but not known to be durable). */
RESULT config_mark_keep(struct config_mark *m, const uint8_t key[32], const struct registry_mark *next, bool durable);
/* By somebody's word: also where it was damaged, or is further. */
RESULT config_mark_renew(struct config_mark *m, const uint8_t key[32], const struct registry_mark *next);
#define CONFIG_MARK_WORDS 512
/* What an operator is told where it was not reached; `there`: the last position that journal or index have. */
void config_mark_words(const struct config_mark *m, result r, uint64_t there, char out[CONFIG_MARK_WORDS]);
/* Reports where the registry lacks what was in force, for `check` and before a reload. `serve` starts all the same, and refuses
 * restricted recipients alone. */
void config_try_mark(const struct config *c);

#endif
