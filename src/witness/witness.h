/* witness: somebody elsewhere who confirms that a log only grew. Two sides of C2SP tlog-witness over plain HTTP/1.1: the
 * service, which cosigns what extends what it saw last, and the asker, which runs beside a gateway, never in the way of an
 * answer. What leaves the machine is size, root and hashes. */
#ifndef GATE1367_WITNESS_H
#define GATE1367_WITNESS_H

#include "base/base.h"
#include "ledger/ledger.h"
#include "os/os.h"
#include "tlog/tlog.h"

#define WITNESS_BODY_MAX ((size_t)32768)

/* ---- the service ---------------------------------------------------------------------------------------------- */

struct witness {
    const char *state; /* directory: the newest checkpoint of each log that it cosigned */
    struct tlog_verifier self;
    const struct ledger_key *key;
    const struct tlog_verifier *logs;
    size_t log_count;
};
/* One request's body: the HTTP status, and what is answered. A cosignature is given once the checkpoint is durable. */
unsigned witness_add_checkpoint(const struct witness *w, span body, uint64_t time, struct buf *answer);
/* Whether what was signed of that log last can be read back (INTERNAL EBADMSG: another key signed it, or it was damaged): where
 * it cannot, the log gets no signature. */
RESULT witness_recall(const struct witness *w, size_t log);
/* Serves one connection after the other on the listener until `signals` says so (os_signals_open). */
RESULT witness_serve(const struct witness *w, int listener, int signals);

/* ---- the asker ------------------------------------------------------------------------------------------------ */

/* Where a witness is: "http://ADDRESS:PORT/prefix". */
struct witness_place {
    struct os_address address;
    char host[OS_ADDRESS_TEXT];
    char path[256]; /* of add-checkpoint */
};
/* CONFIG OS_BAD_ADDRESS. */
RESULT witness_place_parse(span url, struct witness_place *out);

struct witness_asker {
    const char *directory; /* of the ledger */
    struct ledger_verifier ledger;
    struct tlog_verifier witness;
    struct witness_place place;
    uint64_t seen; /* size that the witness knows, as far as we know */
    struct {
        uint64_t size; /* 0: nothing yet */
        tlog_hash root;
    } last; /* what it confirmed last, as tlog/witnessed holds it */
};
/* Reads tlog/witnessed into a->last and a->seen, and when that was (seconds since 1970; 0: never). A file that is not by
 * this witness counts as none. */
RESULT witness_remember(struct witness_asker *a, uint64_t *time);
enum witness_result {
    WITNESS_CONFIRMED, /* the newest checkpoint is cosigned, and stands in tlog/witnessed */
    WITNESS_SILENT,    /* no answer, or none that could be used */
    WITNESS_REFUSED,   /* it saw another log under our name: ours was rolled back, or forked */
};
/* Asks once; *size is that of the checkpoint confirmed. Takes at most some seconds. */
enum witness_result witness_ask(struct witness_asker *a, uint64_t *size);

/* ---- the asker's role ----------------------------------------------------------------------------------------- */

/* How it stands, in memory that the supervisor shares with admin. */
struct witness_board {
    _Atomic uint64_t heard_ns;  /* monotonic: of the last confirmation, or since when the asker waits; 0: no witness is configured */
    _Atomic uint64_t confirmed; /* the newest checkpoint was confirmed then, in seconds since 1970; 0: never */
    _Atomic uint64_t size;      /* of that checkpoint */
    _Atomic bool late;          /* longer ago than `alarm_s` */
    _Atomic bool refused;       /* the witness knows another log under our name */
    _Atomic bool held;          /* strict, and refused, or longer ago than `close_s`: what needs an entry is refused */
};
struct witness_settings {
    bool there;
    struct witness_place place;
    struct tlog_verifier verifier;
    bool strict; /* without a witness for close_s: no more answers that need an entry */
    uint64_t every_ms, alarm_s, close_s;
};
struct witness_role {
    const struct witness_settings *settings;
    struct ledger_place ledger;
    struct witness_board *board;
    int control; /* channel to the supervisor */
    bool reborn; /* the gateway serves already */
    result (*confine)(void *ctx);
    void *confine_ctx;
};
/* The role's whole life: asks once, READY, then asks every every_ms until STOP. ALARM when the witness is late, or knows
 * another log. Strict: FAILED instead of READY where the first answer is not a confirmation, and STATUS with 1 when none came for
 * close_s, or the witness knows another log, and with 0 when one came again. Returns the exit status: 0; 2: set-up. */
int witness_role_run(const struct witness_role *r);

#endif
