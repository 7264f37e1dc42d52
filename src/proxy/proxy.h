/* proxy: the corridor itself. One worker process: accepts, reads requests, asks the origin, drives the gate, answers.
 * Settings are made by config/ and only read here.
 *
 * client ─► READ_HEAD ─► ADMIT ─► ASK ─► LISTEN ─► READ_BODY ─► DECIDE ─► RECORD ─► PACE ─► SEND ─► FINISH ─┐
 *              ▲                                                                                           │
 *              └──────────────────────────────── keep-alive ───────────────────────────────────────────────┘ */
#ifndef GATE1367_PROXY_H
#define GATE1367_PROXY_H

#include "base/base.h"
#include "gate/gate.h"
#include "http/http.h"
#include "io/io.h"
#include "ipc/ipc.h"
#include "mirror/mirror.h"
#include "os/os.h"
#include "recipient/recipient.h"
#include "registry/registry.h"
#include "rules/rules.h"
#include <stdatomic.h>

/* ---- settings --------------------------------------------------------------------------------------------------- */

struct proxy_server {
    struct os_address address; /* resolved at load */
    bool tls;
    const char *name; /* host as configured: what the certificate must be for */
    const char *authority; /* host and port as configured: Host of a request that had none */
};

struct proxy_upstream {
    const char *name;
    struct proxy_server *servers;
    size_t server_count;
    unsigned keepalive;              /* idle connections kept, a class and worker */
    uint64_t connect_ms, response_ms; /* to a connection; to the head, then to each 64 KiB of a document, or between a stream's pieces */
    span ca, certificate;            /* PEM, for https; may be empty */
    int key_fd;                      /* the client key, -1: none */
};

/* When answers to restricted recipients leave, counted from the request's arrival: at the floor, and after it in steps of the
 * grid. Both 0: at once. */
struct proxy_pace {
    uint64_t floor_us, grid_us; /* floor ≥ grid */
};
/* How long after the request's arrival an answer leaves that could leave after `gone`. Later than `gone`. */
static inline uint64_t proxy_pace_due(const struct proxy_pace *p, uint64_t gone_us)
{
    if (gone_us < p->floor_us) return p->floor_us;
    return p->floor_us + ((gone_us - p->floor_us) / p->grid_us + 1) * p->grid_us;
}

struct proxy_route {
    const char *path; /* prefix */
    size_t upstream;  /* index */
    const struct rules_profile *profile; /* NULL: none */
    bool inspect;                        /* unprofiled: inspect */
    bool public_;
    uint32_t restricted_methods; /* bit 1 << enum http_method */
    const char *allow;           /* the Allow of its static 405 */
    const char *const *forward;  /* lower-case names, NULL-terminated */
    struct proxy_pace pace;      /* its own, or the one of all routes */
    bool has_pace;
};

struct proxy_listener {
    const char *text; /* as configured */
    struct os_address address;
    span certificate, client_ca; /* PEM */
    int key_fd;
    enum io_client_certificate mode;
};

/* Descriptors: so many are asked of the system for each process, a client takes two (one to its origin), and some are left over. */
#define PROXY_FILES (1u << 20)
#define PROXY_FILES_A_CLIENT 2
#define PROXY_FILES_RESERVE 16
#define PROXY_FILES_OWN 64 /* about: what a worker has open before anybody comes, and the reserve */

#define PROXY_ROOM ((uint64_t)1 << 20) /* what an exchange counts for while it waits and reads, at least */

struct proxy_settings {
    struct proxy_listener *listeners;
    size_t listener_count;
    struct proxy_upstream *upstreams;
    size_t upstream_count;
    struct proxy_route *routes; /* longest prefix first */
    size_t route_count;
    const struct recipient_table *recipients;
    const struct rules_set *rules;
    struct engine_limits limits;
    uint64_t header_limit; /* bytes of a head */
    uint64_t memory_limit; /* bytes that a worker's exchanges may hold */
    uint64_t connection_limit; /* clients of a worker at once; 0: as many as descriptors and memory allow */
    uint64_t request_limit; /* requests a second a recipient, over all workers; 0: none */
    int cursor_key_fd;     /* -1: the cursors' key is one of this gateway's own */
    uint64_t cursor_expiry_s;
    struct proxy_pace pace; /* of routes without their own, and of answers without a route */
    uint64_t registry_max_age_us; /* 0: it never is stale */
    const char *node;      /* ledger origin */
    span auditors[LEDGER_AUDITORS_MAX]; /* certificates, PEM: whom the ledger's sealed parts are for */
    size_t auditor_count;
    char config_version[33], rules_version[33]; /* hex */
    uint64_t generation;
};

/* The route of a request's path; NULL: none has it. */
const struct proxy_route *proxy_find_route(const struct proxy_settings *s, span path);

/* ---- counters, shared with admin -------------------------------------------------------------------------------- */

/* X(id, "name", "help"); Prometheus counters gate1367_<name>_total but for those called gauges */
#define PROXY_COUNTERS(X)                                                                                              \
    X(CONNECTIONS, "connections", "client connections accepted")                                                       \
    X(CONNECTIONS_RESTED, "connections_rested", "times that a worker accepted nobody because it held as many clients as fit") \
    X(HANDSHAKES_FAILED, "handshakes_failed", "TLS handshakes that failed")                                            \
    X(CONNECTIONS_EXPIRED, "connections_expired", "client connections ended because the client's certificate had")        \
    X(UNREAD_BROKEN, "unread_broken", "client connections broken off because too much of what all had sent was unread")    \
    X(REQUESTS, "requests", "requests read whole")                                                                     \
    X(REQUESTS_RESTRICTED, "requests_restricted", "requests of restricted recipients")                                 \
    X(REQUESTS_ENTITLED, "requests_entitled", "requests of entitled recipients")                                       \
    X(HANDED_ON, "handed_on", "requests with a verified certificate that a trusted proxy handed on")                   \
    X(ENTRIES, "ledger_entries", "entries published to the ledger")                                                    \
    X(LEDGER_WAITS, "ledger_waits", "exchanges that met a full ring")                                                  \
    X(ORIGIN_CONNECTS, "origin_connects", "connections opened to origins")                                             \
    X(ORIGIN_CONNECTS_FAILED, "origin_connects_failed", "connections to origins that were not made: refused, not in time, not trusted, no local port left") \
    X(ORIGIN_RETRIES, "origin_retries", "requests sent again on a fresh connection")                                   \
    X(DOCUMENTS, "documents", "documents decided")                                                                     \
    X(PAGE_TRIPS, "page_trips", "further requests to origins for a page that was not whole yet")                        \
    X(PAGE_UNITS, "page_units", "units that were read of origins for pages, on whatever page they stand")               \
    X(UNINSPECTED, "uninspected", "answers passed to entitled recipients without having been read")                    \
    X(BODY_BYTES, "body_bytes", "decoded bytes received from origins")                                                 \
    X(SUSPICIONS, "suspicions", "answers that showed somebody known by a marker alone")                                \
    X(RULE_LIMITS, "rule_limits", "match limits met, each counted as a match")                                         \
    X(SHADOW, "shadow_reviews", "answers of which rules in shadow would have withheld more: each opened a review")      \
    X(SHADOW_UNREAD, "shadow_unread", "answers that rules in shadow could not read")                                   \
    X(ALERTS, "alerts", "incidents: one identity asked for one protected person again and again")                      \
    X(RECORDS_SEEN, "records_seen", "declared units of answers that were decided")                                     \
    X(RECORDS_PROTECTED, "records_protected", "records in which something protected was found")                        \
    X(RECORDS_WITHHELD, "records_withheld", "records left out of answers")                                             \
    X(RECORDS_UNMATCHED, "records_unmatched", "records that an origin found by something that restricted recipients do not see") \
    X(RECORDS_DISCLOSED, "records_disclosed", "protected records that went to entitled recipients")                    \
    X(ABORTED, "aborted", "answers broken off")
enum proxy_counter {
#define X(id, name, help) PROXY_##id,
    PROXY_COUNTERS(X)
#undef X
        PROXY_COUNTER_COUNT
};
/* X(id, "name", "help"); Prometheus histograms gate1367_<name>, in seconds */
#define PROXY_HISTOGRAMS(X)                                                                                            \
    X(DECISION, "decision_seconds", "from a request's arrival to the verdict on its answer")                           \
    X(COMMIT, "commit_seconds", "from an entry's publication to its being durable, as its exchange saw it")            \
    X(ANSWER, "answer_seconds", "from a request's arrival to its answer's last byte, pace included")
enum proxy_histogram {
#define X(id, name, help) PROXY_##id,
    PROXY_HISTOGRAMS(X)
#undef X
        PROXY_HISTOGRAM_COUNT
};
/* Upper bounds in microseconds, ascending, and as Prometheus writes them; what is above the last falls into the bucket
 * behind. */
#define PROXY_BOUNDS(X)                                                                                                \
    X(100, "0.0001") X(250, "0.00025") X(500, "0.0005") X(1000, "0.001") X(2500, "0.0025") X(5000, "0.005")           \
    X(10000, "0.01") X(25000, "0.025") X(50000, "0.05") X(100000, "0.1") X(250000, "0.25") X(1000000, "1")            \
    X(5000000, "5")
enum {
#define X(us, text) PROXY_BOUND_##us,
    PROXY_BOUNDS(X)
#undef X
        PROXY_BOUND_COUNT
};
struct proxy_distribution {
    _Atomic uint64_t buckets[PROXY_BOUND_COUNT + 1], sum_us; /* each bucket alone, not what is below it */
};

/* What the ledger's summaries count: requests that had a route, by class and outcome; those refused without an entry, by
 * row; and what each upstream was asked and has answered, further ones together in the last place. */
#define PROXY_TALLIED_UPSTREAMS 32
enum {
    PROXY_TALLY_OUTCOMES = 0,
    PROXY_TALLY_REFUSED = PROXY_TALLY_OUTCOMES + 2 * LEDGER_OUTCOME_END,
    PROXY_TALLY_ASKED = PROXY_TALLY_REFUSED + GATE_FAILURE_COUNT,
    PROXY_TALLY_ANSWERED = PROXY_TALLY_ASKED + PROXY_TALLIED_UPSTREAMS,
    PROXY_TALLY_COUNT = PROXY_TALLY_ANSWERED + PROXY_TALLIED_UPSTREAMS
};

/* One a worker slot, in memory shared with admin; written by the worker alone. */
struct proxy_counters {
    _Atomic uint64_t counters[PROXY_COUNTER_COUNT];
    _Atomic uint64_t failures[GATE_FAILURE_COUNT];
    _Atomic uint64_t outcomes[2][LEDGER_OUTCOME_END]; /* by recipient class: answers to routed requests */
    struct proxy_distribution distributions[PROXY_HISTOGRAM_COUNT];
    _Atomic uint64_t open_connections; /* gauge */
    _Atomic uint64_t connection_room;  /* gauge: as many fit */
    _Atomic uint64_t unread, unread_room; /* gauges: bytes that clients have sent and nobody has read yet; as many may be */
    _Atomic uint64_t ledger_waiting;   /* gauge: exchanges whose entry is not durable yet */
    _Atomic uint64_t generation;       /* gauge; 0: nobody in the slot */
    _Atomic uint64_t beat_ms;          /* monotonic: when its loop last came round */
    /* Here rather than in the worker, so that its successor in the slot tells what it was killed before it told. */
    uint64_t tally[PROXY_TALLY_COUNT], told[PROXY_TALLY_COUNT];
    uint64_t told_us; /* realtime */
};
#define PROXY_BEAT_MS 1000
#define PROXY_STALLED_MS 5000 /* a worker without a beat for so long does not answer: stopped, or stuck */
const char *proxy_counter_name(enum proxy_counter c);
const char *proxy_counter_help(enum proxy_counter c);
const char *proxy_histogram_name(enum proxy_histogram h);
const char *proxy_histogram_help(enum proxy_histogram h);
const char *proxy_bound_text(size_t bucket); /* "+Inf" for the last */
uint64_t proxy_bound_us(size_t bucket);      /* bucket < PROXY_BOUND_COUNT */
/* By the one process that writes them. */
void proxy_observe(struct proxy_counters *c, enum proxy_histogram h, uint64_t us);

/* ---- requests a second, shared by all workers ------------------------------------------------------------------- */

#define PROXY_RATES 4096
/* X(ID, "name", "help"); Prometheus counters gate1367_recipient_<name>_total{recipient="id"}: who walks through numbers has
 * many answers and hardly one of them somebody. Of restricted recipients. */
#define PROXY_RECIPIENT_COUNTERS(X)                                                                                    \
    X(ANSWERS, "answers", "answers to routed requests")                                                                \
    X(NOT_FOUND, "not_found", "answers that said nobody is there, for whatever reason")                                \
    X(REFUSED_QUERIES, "refused_queries", "requests with a parameter, a value or a body that is not allowed")          \
    X(WITHHELD, "withheld", "answers from which somebody was left out")                                                \
    X(ALERTS, "alerts", "incidents: somebody protected was asked for again and again")
enum proxy_recipient_counter {
#define X(id, name, help) PROXY_RECIPIENT_##id,
    PROXY_RECIPIENT_COUNTERS(X)
#undef X
        PROXY_RECIPIENT_COUNTER_COUNT
};
const char *proxy_recipient_counter_name(enum proxy_recipient_counter c);
const char *proxy_recipient_counter_help(enum proxy_recipient_counter c);
struct proxy_rate {
    _Atomic uint64_t who, due_us; /* a hash of the recipient's id, 0: free; see rate.c */
    _Atomic uint64_t counters[PROXY_RECIPIENT_COUNTER_COUNT];
};
/* How often one identity was answered about one protected person in an hour; see interest.c. */
#define PROXY_INTERESTS 16384
struct proxy_interest {
    _Atomic uint64_t who, count; /* a hash of both, 0: free; the hour, and how often (16 bits) */
};
struct proxy_rates {
    struct proxy_rate recipients[PROXY_RATES];
    struct proxy_interest interests[PROXY_INTERESTS];
};
/* What was counted of the recipient; all of it, over all workers. */
uint64_t proxy_recipient_counted(const struct proxy_rates *r, span recipient, enum proxy_recipient_counter c);
void proxy_recipient_count(struct proxy_rates *r, span recipient, enum proxy_recipient_counter c);
/* One more time that this identity was answered about this person. True: so often in this hour that somebody should look. */
#define PROXY_INTEREST_ALERT 10
bool proxy_interest_rises(struct proxy_rates *r, uint64_t who, uint64_t now_us);
/* May this recipient make one more request now (io_now_us)? limit > 0: requests a second. */
bool proxy_rate_admits(struct proxy_rates *r, span recipient, uint64_t limit, uint64_t now_us);

/* ---- operational log -------------------------------------------------------------------------------------------- */

/* One JSON line on stderr: {"time":…,"role":…,"pid":…,"event":…, members}. `members` is printf text of further JSON
 * members ("\"slot\":3,\"reason\":\"…\"") made of our own words and numbers only: never a target, a name, a value. */
void proxy_log(const char *role, const char *event, const char *members, ...) PRINTF(3, 4);

/* ---- the worker ------------------------------------------------------------------------------------------------- */

struct proxy_worker_arguments {
    const struct proxy_settings *settings;
    const struct registry *registry;
    struct ipc_ring *ring;
    struct ipc_ring *suspicions; /* to admin */
    const int *listeners; /* one a settings->listeners */
    int control;          /* channel to the supervisor */
    uint8_t ticket_keys[IO_TICKET_KEYS_SIZE];
    struct ledger_root pseudonym_root;
    struct proxy_counters *counters;
    struct proxy_rates *rates; /* NULL: nobody counts */
    struct mirror_board *mirror; /* NULL: a gateway. Else a mirror: it asks and judges, and answers nobody */
};
/* Prepares everything (TLS contexts, engines), sends READY (or FAILED and returns), serves until DRAIN or STOP. Calls
 * `confine` (may be NULL) after the last secret is read and the last library initialised. Returns the process's exit
 * status. */
int proxy_worker_run(const struct proxy_worker_arguments *a, void (*confine)(void *ctx), void *ctx);

#endif
