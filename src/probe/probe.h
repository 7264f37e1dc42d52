/* probe: shows that two requests cannot be told apart from outside. Asks a running gateway in interleaved pairs (somebody who
 * does not exist; somebody withheld), holds every byte, header field, record of TLS and the connection's state of the two
 * against each other, and the times with statistics. One loop, one thread; nothing but the addresses that it is given.
 *
 *   pairs file ─► subjects ─► run (lanes × ways, interleaved) ─► results ─► text, JSON, SVG */
#ifndef GATE1367_PROBE_H
#define GATE1367_PROBE_H

#include "base/base.h"
#include "io/io.h"
#include "os/os.h"
#include "source/source.h"
#include "stats/stats.h"
#include <jansson.h>

enum probe_side { PROBE_ABSENT, PROBE_WITHHELD, PROBE_SIDES };

/* X(ID, name, what is measured) */
#define PROBE_WAYS(X)                                                                                                  \
    X(WARM, "warm", "the answer on a connection that is kept")                                                         \
    X(COLD, "cold", "the answer on a connection of its own, which it ends")                                            \
    X(NEXT, "next", "the answer to one more request, sent behind it at once on the same connection")                   \
    X(NEIGHBOUR, "neighbour", "the answer to another request, sent at once on another connection")
enum probe_way {
#define X(id, name, text) PROBE_##id,
    PROBE_WAYS(X)
#undef X
        PROBE_WAY_COUNT
};
#define PROBE_ALL_WAYS ((1u << PROBE_WAY_COUNT) - 1)
const char *probe_way_name(enum probe_way w);

/* X(ID, name) */
#define PROBE_DIFFERENCES(X)                                                                                           \
    X(STATUS, "status line")                                                                                           \
    X(FIELD, "header field that only one has")                                                                         \
    X(ORDER, "order of header fields")                                                                                 \
    X(VALUE, "value of a header field")                                                                                \
    X(HEAD, "bytes of the head")                                                                                       \
    X(BODY, "bytes of the body")                                                                                       \
    X(RECORDS, "sizes of TLS records")                                                                                 \
    X(ENDING, "how the connection went on")                                                                            \
    X(AFTER, "connections that ended after an answer")                                                                 \
    X(LIMITED, "answers refused for their number")
enum probe_difference_kind {
#define X(id, name) PROBE_DIFFERS_##id,
    PROBE_DIFFERENCES(X)
#undef X
};
const char *probe_difference_name(enum probe_difference_kind k);

/* X(ID, words): how a connection stood when the answers were read. */
#define PROBE_ENDINGS(X)                                                                                               \
    X(OPEN, "stays open")                                                                                              \
    X(CLEAN, "ended with close_notify")                                                                                \
    X(CUT, "ended without close_notify")                                                                               \
    X(LOST, "was reset")                                                                                               \
    X(SILENT, "no answer in time")                                                                                     \
    X(NONSENSE, "an answer that is no HTTP")
enum probe_ending {
#define X(id, words) PROBE_ENDS_##id,
    PROBE_ENDINGS(X)
#undef X
};

/* ---- one look, and two held against each other ------------------------------------------------------------------- */

#define PROBE_MESSAGES 2
/* What one request brought: all bytes, where its answers stand in them, the sizes of the records that carried them. */
struct probe_sight {
    span raw;
    size_t message_count;
    struct {
        size_t head, body, end; /* offsets */
        unsigned status;
    } messages[PROBE_MESSAGES];
    const uint32_t *records;
    size_t record_count;
    enum probe_ending ending;
};
/* Calls note for each difference; texts are safe to print and live during the call. Date and Request-Id may differ where both
 * have their form, and the gateway's own cursors where both are sealed in one length. Pure. */
typedef void probe_note(void *ctx, enum probe_difference_kind kind, const char *where, const char *absent, const char *withheld);
void probe_compare(const struct probe_sight *absent, const struct probe_sight *withheld, probe_note *note, void *ctx);

/* ---- running ----------------------------------------------------------------------------------------------------- */

struct probe_server {
    struct os_address address;
    struct io_tls_client *tls; /* NULL: plain */
    size_t index;              /* below probe_options.servers */
};
struct probe_shot {
    const struct probe_server *server;
    span text, last; /* the request as bytes; the same with Connection: close */
    bool head;       /* HEAD: no body comes */
};
struct probe_subject {
    const char *name, *who;
    unsigned ways; /* bits 1 << enum probe_way */
    struct probe_shot side[PROBE_SIDES];
    struct probe_shot next[PROBE_SIDES]; /* what is asked behind it or beside it, at the same server: the same for both */
    bool times_only;                     /* the two need not be equal */
};

#define PROBE_COUNT_MAX 1000000
#define PROBE_CONNECTIONS_MAX 64
struct probe_options {
    size_t count;         /* pairs a subject and way */
    unsigned connections; /* lanes that ask side by side */
    double rate;          /* pairs a second over all; 0: as fast as answers come */
    double load;          /* further requests a second, of no pair (each subject's next); 0: none */
    uint64_t seed;        /* decides which of a pair is asked first */
    uint64_t wait_ms;     /* for one answer */
    size_t servers;       /* how many there are */
    void (*progress)(void *ctx, uint64_t done, uint64_t all); /* may be NULL */
    void *ctx;
};

struct probe_difference {
    enum probe_difference_kind kind;
    uint64_t count;
    char *where, *absent, *withheld; /* of the first one */
};
#define PROBE_DIFFERENCES_MAX 32
struct probe_series {
    const struct probe_subject *subject;
    enum probe_way way;
    size_t n;                    /* pairs measured */
    double *times[PROBE_SIDES];  /* seconds; the i-th of both are a pair */
    struct probe_difference differences[PROBE_DIFFERENCES_MAX];
    size_t difference_count;
    unsigned statuses[PROBE_SIDES][8]; /* that were seen, 0 behind the last */
    uint64_t ended_after[PROBE_SIDES]; /* kept connections that ended with nothing asked since */
    uint64_t limited[PROBE_SIDES];     /* answers 429, which are the rate's doing where both have as many */
    uint64_t unanswered;               /* pairs without two whole answers that say something */
};
/* What became of the further requests: `missed` ones found no connection free when they were due. */
struct probe_load {
    uint64_t asked, answered, missed;
};
struct probe_run {
    struct probe_series *series;
    size_t series_count;
    struct probe_load load;
    const char *failure; /* why it broke off; NULL: it did not */
};
/* IO, LIMIT: see failure. Free it either way. */
RESULT probe_run(const struct probe_subject *subjects, size_t count, const struct probe_options *o, struct probe_run *out);
void probe_run_free(struct probe_run *r);

/* ---- judging ----------------------------------------------------------------------------------------------------- */

#define PROBE_ALPHA 0.01     /* over all series of a run together */
#define PROBE_T_MAX 4.5      /* Goodwill et al. 2011 (TVLA) */
#define PROBE_TIMES_MIN 100  /* pairs, for a statement about time */
#define PROBE_CONFIDENCE 0.95
struct probe_timing {
    bool enough, equal;
    struct stats_ks ks;
    struct stats_welch welch;
    struct stats_median apart;                         /* of withheld − absent within each pair, seconds */
    double p50[PROBE_SIDES], p99[PROBE_SIDES], least, most; /* seconds; least, most: what a picture should show */
    double limit;                                      /* what ks.p has to exceed */
};
/* False: no memory. */
bool probe_time(const struct probe_run *r, const struct probe_series *s, struct probe_timing *out);
/* X(ID, word): what a series says. */
enum probe_verdict { PROBE_EQUAL, PROBE_DIFFERS, PROBE_NOTHING }; /* NOTHING: refused or unanswered, which proves nothing */
enum probe_verdict probe_judge(const struct probe_run *r, const struct probe_series *s, const struct probe_timing *t);
/* A status among the answers that depends on nothing stored: two of them prove nothing, and their times are of nothing looked up. 0:
 * there is none. */
unsigned probe_refusal(const struct probe_series *s);
const char *probe_verdict_name(enum probe_verdict v);

/* ---- reporting --------------------------------------------------------------------------------------------------- */

struct probe_heading {
    const char *what; /* "pairs of pairs.json at 127.0.0.1:8443" */
    const struct probe_options *options;
    const char *nothing; /* why equal answers prove nothing all the same; NULL: they do */
};
/* Each returns the worst verdict. */
enum probe_verdict probe_print(const struct probe_run *r, const struct probe_heading *h, FILE *to, bool colour);
json_t *probe_json(const struct probe_run *r, const struct probe_heading *h); /* NULL: no memory */
RESULT probe_svg(const struct probe_run *r, const struct probe_heading *h, struct buf *out);

/* ---- the pairs file ---------------------------------------------------------------------------------------------- */

struct probe_plan;
/* What of the gateway the file need not say. */
struct probe_gateway {
    struct os_address address;
    span certificate; /* PEM, the gateway's own: what is trusted, and whose name is expected, where the file names no other */
};
/* Loads the file and what it names (paths are relative to it). NULL after reporting every problem. */
struct probe_plan *probe_plan_load(const char *path, const struct probe_gateway *g, struct problems *p);
void probe_plan_free(struct probe_plan *p);
const struct probe_subject *probe_plan_subjects(const struct probe_plan *p, size_t *count, size_t *servers);

/* A request's bytes, twice: kept and with Connection: close. Fields are {"Name": "value"} or NULL. LIMIT: no memory. */
struct probe_request {
    const char *method, *target, *host, *purpose; /* purpose may be NULL */
    const json_t *fields;
    span body;
};
RESULT probe_request_write(const struct probe_request *r, bool last, struct buf *out);
/* The first name in the certificate that a client can ask for; false: none. */
bool probe_certificate_name(span pem, char *out, size_t size);

#endif
