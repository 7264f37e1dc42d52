/* config: gate.json and what it names, with positions; everything `serve` needs, checked at once. Secrets are opened but not
 * read: the processes that need them read them after the fork from the inherited descriptors. */
#ifndef GATE1367_CONFIG_H
#define GATE1367_CONFIG_H

#include "base/base.h"
#include "ledger/ledger.h"
#include "os/os.h"
#include "proxy/proxy.h"
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

#endif
