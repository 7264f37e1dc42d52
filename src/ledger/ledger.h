/* ledger: what was disclosed, withheld or refused, to whom, provably. Four parts:
 *   entries   pure: one JSON object as contract section 7 has it, pseudonyms, request ids
 *   log       the write-ahead log: signed, chained, Merkle-hashed frames in pre-filled segments; one writer, locked
 *   scribe    the role that collects entries from the workers' rings and commits them in groups
 *   readers   verify, iterate, follow: need the verifier key only and work on a copy of the directory
 * No entry holds anything of a protected person in the clear: callers pass pseudonyms. */
#ifndef GATE1367_LEDGER_H
#define GATE1367_LEDGER_H

#include "base/base.h"
#include "ipc/ipc.h"

/* ---- entries: the words --------------------------------------------------------------------------------------- */

/* name, text in the ledger, for people */
#define LEDGER_EVENTS(X)                                                                                               \
    X(DISCLOSURE, "disclosure", "an answer was about to leave")                                                        \
    X(REFUSAL, "refusal", "a constant answer was given instead of the origin's")                                       \
    X(COMPLETION, "completion", "the answer ended; bytes sent, aborted or not")                                        \
    X(SUMMARY, "summary", "counts of requests refused before they had a route")                                        \
    X(REGISTRY, "registry", "the registry of protected persons was changed or asked")                                  \
    X(GRANT, "grant", "an authorised disclosure was requested, approved, used or revoked")                             \
    X(CONFIG, "config", "a configuration came into force")                                                             \
    X(RULES, "rules", "rules came into force")                                                                         \
    X(INCIDENT, "incident", "something needs review")                                                                  \
    X(AUDIT, "audit", "a records schedule came into force, or keys were destroyed under it")                                                          \
    X(START, "start", "the gateway or its ledger started")                                                             \
    X(STOP, "stop", "the gateway stopped in good order")                                                               \
    X(KEY, "key", "a key of sealed parts, wrapped for the auditors")
enum ledger_event {
#define X(name, text, note) LEDGER_##name,
    LEDGER_EVENTS(X)
#undef X
        LEDGER_EVENT_COUNT
};

#define LEDGER_OUTCOMES(X)                                                                                             \
    X(CLEAR, "clear", "nothing protected was found")                                                                   \
    X(DISCLOSED, "disclosed", "protected information went to an entitled recipient")                                   \
    X(UNINSPECTED, "uninspected", "passed to an entitled recipient unread")                                            \
    X(AUTHORIZED, "authorized", "disclosed under a grant")                                                             \
    X(WITHHELD, "withheld", "protected records were left out")                                                         \
    X(BLOCKED, "blocked", "the whole answer was withheld")                                                             \
    X(REFUSED, "refused", "a constant answer, whatever was asked")                                                     \
    X(FAILED_CLOSED, "failed_closed", "something went wrong, so nothing left")                                         \
    X(SHADOW, "shadow", "a rule under trial would have decided otherwise")
enum ledger_outcome {
    LEDGER_NO_OUTCOME, /* null */
#define X(name, text, note) LEDGER_##name,
    LEDGER_OUTCOMES(X)
#undef X
        LEDGER_OUTCOME_END
};
const char *ledger_event_name(enum ledger_event e);
const char *ledger_event_note(enum ledger_event e);
const char *ledger_outcome_name(enum ledger_outcome o); /* NULL for LEDGER_NO_OUTCOME */
const char *ledger_outcome_note(enum ledger_outcome o);
/* False when there is no such word. */
bool ledger_event_parse(span word, enum ledger_event *out);
bool ledger_outcome_parse(span word, enum ledger_outcome *out);

/* ---- entries: the record -------------------------------------------------------------------------------------- */

#define LEDGER_ENTRY_MAX IPC_ENTRY_MAX /* bytes of one encoded entry */
#define LEDGER_PART_SUBJECTS 256       /* pseudonyms a part */
#define LEDGER_PSEUDONYM 33            /* 32 hex digits and NUL */
#define LEDGER_REQUEST_ID 37           /* UUID text and NUL */
#define LEDGER_FIELD_MAX 1024          /* bytes of a text field in the entry; longer ones are cut and end with "…" */
#define LEDGER_TARGET_MAX 4096
#define LEDGER_SEALED_MAX (16u * 1024)

/* id: count */
struct ledger_count {
    span id;
    uint64_t count;
};

/* A span with ptr NULL is null in the entry, one with length 0 is "". Numbers below 0 are null. */
struct ledger_entry {
    uint64_t time_us; /* since 1970, UTC */
    span node;
    span request; /* UUID text */
    enum ledger_event event;
    struct {
        span id, agency, component, standing, organization, identity, fingerprint;
        span via; /* the trusted proxy that handed the certificate on; not written where there is none */
    } recipient;
    span client, purpose, method, route, target;
    int32_t upstream_status, status;
    enum ledger_outcome outcome;
    struct {
        uint64_t seen, protected, withheld, redacted, disclosed;
    } records;
    const char (*subjects)[LEDGER_PSEUDONYM];
    size_t subject_count;
    const struct ledger_count *rules;
    size_t rule_count;
    span grant, exception;
    struct {
        span rules, registry, config;
    } versions;
    /* Written before by ledger_entry_spell from the same values and sealer, which stand here all the same; NULL: not yet. */
    struct {
        span who, versions;
    } spelled;
    int64_t duration_us;
    uint32_t part; /* from 1; 0 is taken as 1. Streams: the caller counts */
    bool more;     /* not the last part: further entries of this request and event follow */
    uint8_t nonce[16];
    span sealed; /* at most LEDGER_SEALED_MAX, or NULL; ignored with a sealer */
    /* With one, organization, identity, client and what follows stand in `sealed` and nowhere else. */
    struct ledger_sealer *sealer;
    span exact_target;       /* not written without a sealer */
    const uint64_t *handles; /* the registry's, of `subjects` in the same order; NULL: none. Likewise */
    /* Only in COMPLETION entries, after `sealed`. */
    uint64_t bytes;
    bool aborted;
    /* Only where origin is given, last: the ledger that this one goes on from, and its end; root NULL: not known. */
    struct {
        span origin;
        uint64_t size;
        const uint8_t *root;
    } link;
    /* Only where they are set, at the end: how this ledger is tied to the one before it and the one after it. */
    span previous;  /* the last checkpoint of the one before: a signed note */
    span successor; /* verifier key of the one after */
    span gap;       /* what of the one before is not proven, signed by the people who go on without it */
    span epoch;     /* of a key: the month by which what it opens can be destroyed */
    span schedule;  /* the records schedule that is in force from here on */
    span destroyed; /* which months' keys are destroyed, signed by the people who do it */
};
#define LEDGER_NOTE_MAX 8192u

/* Appends the entry to out as one or more JSON objects of at most LEDGER_ENTRY_MAX bytes and hands each to `each` in
 * order: subjects are split over parts of LEDGER_PART_SUBJECTS, rules over parts that fit; every part but the first has
 * a nonce of its own derived from e->nonce. `out` is scratch: cleared first, holds the last part after. The cap of out
 * must be at least LEDGER_ENTRY_MAX. Fails with what `each` failed with, or LIMIT when out cannot grow. */
typedef result ledger_part_fn(void *ctx, span part);
RESULT ledger_entry_parts(const struct ledger_entry *e, struct buf *out, ledger_part_fn *each, void *ctx);
/* One part, appended to out: at most LEDGER_PART_SUBJECTS subjects (asserted). LIMIT code EMSGSIZE when it would be too
 * long (only rules and `sealed` can do that). */
RESULT ledger_entry_encode(const struct ledger_entry *e, struct buf *out);
/* What many entries of one connection say alike, for ledger_entry.spelled: `recipient` and `client`, or `versions`. out is cleared
 * first; its cap must be at least LEDGER_ENTRY_MAX. LIMIT when it cannot grow. */
enum ledger_alike { LEDGER_WHO, LEDGER_VERSIONS };
RESULT ledger_entry_spell(const struct ledger_entry *e, enum ledger_alike what, struct buf *out);
/* The usual case in one step: encodes, publishes every part, *ticket is that of the last; it must be 0 before the first.
 * LIMIT EAGAIN: ring full; *left is what was not published yet: call again with it and the same ticket, and no part
 * stands in the ledger twice. IO: the ledger failed, or its scribe died between two parts. */
RESULT ledger_entry_publish(struct ledger_entry *left, struct buf *scratch, struct ipc_ring *ring, uint64_t *ticket);
/* Cheap check of what arrives from a sibling: one object in our spelling, UTF-8, no control characters, length. The
 * scribe appends nothing else. */
bool ledger_entry_plausible(span entry);

/* "2026-11-21T22:04:21.123456Z" */
#define LEDGER_TIME_TEXT 28
void ledger_time_format(uint64_t time_us, char out[LEDGER_TIME_TEXT]);
/* RFC 3339 with offset or Z, or a date alone (midnight UTC). */
bool ledger_time_parse(span text, uint64_t *time_us);
//= RFC9562 5.7
/* UUIDv7 from milliseconds since 1970 and 10 random bytes; lower case. */
void ledger_request_id(uint64_t time_ms, const uint8_t random[10], char out[LEDGER_REQUEST_ID]);
/* The 16 bytes of it and back. */
void ledger_request_bytes(const char id[LEDGER_REQUEST_ID], uint8_t out[16]);
void ledger_request_text(const uint8_t id[16], char out[LEDGER_REQUEST_ID]);

/* ---- pseudonyms ----------------------------------------------------------------------------------------------- */

#define LEDGER_MONTH_TEXT 8 /* "2026-10" and NUL */
/* Months are counted: year × 12 + month - 1. */
uint32_t ledger_month_of(uint64_t time_us);
void ledger_month_text(uint32_t month, char out[LEDGER_MONTH_TEXT]);
bool ledger_month_parse(span text, uint32_t *month);
uint64_t ledger_month_end(uint32_t month); /* microseconds since 1970 */

/* What must be kept of months so that their pseudonyms can be computed and what is sealed in them opened. Each month's state
 * follows from the one before it, and none from a later one: where an early one is destroyed, it is gone. Zeros: there is none,
 * because no records schedule was ever in force here; then nothing depends on it. */
struct ledger_epochs {
    uint32_t first; /* months before it have no state and need none; 0: none has */
    uint32_t month; /* the earliest that is kept: `state` is its */
    uint8_t state[32];
};
bool ledger_epochs_cover(const struct ledger_epochs *e, uint32_t month);
bool ledger_epochs_destroyed(const struct ledger_epochs *e, uint32_t month);
/* Forgets what is before that month (not before e->month). False: OpenSSL failed, or the month is none of this age. */
bool ledger_epochs_forward(struct ledger_epochs *e, uint32_t month);
/* What the ledger holds of a state, so that another one does not pass for it: a hash, in hex. */
bool ledger_epochs_commitment(const struct ledger_epochs *e, char out[65]);
/* epochs.json of the ledger's directory; zeros where there is none. CONFIG LEDGER_E_EPOCHS. */
RESULT ledger_epochs_read(const char *directory, struct ledger_epochs *out);

/* What pseudonyms are derived from. */
struct ledger_root {
    uint8_t key[32]; /* of ledger_key_root */
    struct ledger_epochs epochs;
};
/* The key of a UTC month; start with zeros and pass the current time: it is derived anew when the month changes. */
struct ledger_month {
    uint32_t month; /* 0: none yet */
    uint8_t key[32];
};
/* False when OpenSSL fails, or that month's key is destroyed. */
bool ledger_month_update(struct ledger_month *m, const struct ledger_root *root, uint64_t time_us);
/* HMAC-SHA-256(month key, type ‖ 0x00 ‖ value), first 128 bits in hex. type says what the value is ("alien_number",
 * "segment", …), so that equal values of different kinds do not look alike. */
bool ledger_pseudonym(const struct ledger_month *m, span type, span value, char out[LEDGER_PSEUDONYM]);

/* ---- looking into entries ---------------------------------------------------------------------------------------- */

/* id, name in the entry, what an auditor should know of it (NULL: the word says it). In the order of contract section 7. */
#define LEDGER_MEMBERS(X)                                                                                              \
    X(TIME, "time", "when it was decided, UTC")                                                                        \
    X(NODE, "node", "which gateway")                                                                                   \
    X(REQUEST, "request", "id of the exchange; the client got the same as Request-Id")                                 \
    X(EVENT, "event", NULL)                                                                                            \
    X(RECIPIENT, "recipient", "who asked, as recipients.json knows them")                                              \
    X(CLIENT, "client", "network address that asked")                                                                  \
    X(PURPOSE, "purpose", "what the recipient said it was for")                                                        \
    X(METHOD, "method", "HTTP method")                                                                                 \
    X(ROUTE, "route", "configured route that was taken")                                                               \
    X(TARGET, "target", "path asked for; what could name a person is a pseudonym")                                     \
    X(UPSTREAM_STATUS, "upstream_status", "what the origin answered")                                                  \
    X(STATUS, "status", "what the recipient was answered")                                                             \
    X(OUTCOME, "outcome", NULL)                                                                                        \
    X(RECORDS, "records", "units in the answer: seen, protected, withheld, redacted, disclosed")                       \
    X(SUBJECTS, "subjects", "protected persons concerned, as pseudonyms of the month")                                 \
    X(RULES, "rules", "what recognised them, and how often")                                                           \
    X(GRANT, "grant", "authorisation that covered it")                                                                 \
    X(EXCEPTION, "exception", "exception of the statute that was relied on")                                           \
    X(VERSIONS, "versions", "rules, registry and configuration in force")                                              \
    X(DURATION_US, "duration_us", "microseconds from arrival to the decision")                                         \
    X(PART, "part", "number of this entry among those of the exchange")                                                \
    X(LAST, "last", "false: further parts follow")                                                                     \
    X(NONCE, "nonce", "chance, so that nobody can guess an entry from its hash")                                       \
    X(SEALED, "sealed", "what only auditors can open")                                                                 \
    X(BYTES, "bytes", "body bytes sent")                                                                               \
    X(ABORTED, "aborted", "the connection ended before the answer did")                                                \
    X(LINK, "link", "the ledger that this one follows upon: its name, size and Merkle root at that time")
enum ledger_member {
#define X(id, text, note) LEDGER_MEMBER_##id,
    LEDGER_MEMBERS(X)
#undef X
        LEDGER_MEMBER_COUNT
};
const char *ledger_member_name(enum ledger_member m);

/* An entry's members as raw JSON, in the entry's own bytes; ptr NULL where there is none. */
struct ledger_view {
    span json, members[LEDGER_MEMBER_COUNT];
};
/* False when the leaf is no entry. Names that we do not know are passed over. */
bool ledger_view_parse(span json, struct ledger_view *out);
/* Members of an object or elements of an array (name is empty then) one by one: *at starts at 0, false at the end. The
 * name is as it stands between its quotes. */
bool ledger_view_next(span container, size_t *at, span *name, span *value);
span ledger_view_member(span object, const char *name);
/* The text of a JSON string, decoded into scratch where it holds escapes (cut to fit); ptr NULL when it is none. */
span ledger_view_text(span raw, char *scratch, size_t size);
uint64_t ledger_view_number(span raw, uint64_t fallback); /* fallback for null, fractions, texts */
bool ledger_view_is(span raw, span text);

#define LEDGER_FILTER_SUBJECTS 64
/* What somebody wants to see; NULL and 0 are no wish. Borrowed strings. */
struct ledger_filter {
    uint64_t since_us, until_us; /* from, up to but without */
    const char *event, *outcome, *recipient, *rule, *grant, *request;
    char pseudonym[LEDGER_PSEUDONYM]; /* of a subject as it stands in entries, or … */
    uint64_t subjects[LEDGER_FILTER_SUBJECTS]; /* … handles of the registry: entries with any of them */
    size_t subject_count;
    struct ledger_root root;   /* with handles */
    struct ledger_month month; /* zero; kept by ledger_filter_passes */
    char names[LEDGER_FILTER_SUBJECTS][LEDGER_PSEUDONYM];
};
bool ledger_filter_by_subject(const struct ledger_filter *f);
bool ledger_filter_passes(struct ledger_filter *f, const struct ledger_view *v);

/* ---- sealed parts ------------------------------------------------------------------------------------------------ */

#define LEDGER_AUDITORS_MAX 16
/* Good for sealing: a certificate in PEM with a P-256 key. *ends (may be NULL): seconds until it does. CONFIG
 * LEDGER_E_AUDITOR. */
RESULT ledger_auditor_check(span pem, int64_t *ends);
/* Seals entries under an hourly key of this process, which is wrapped for every auditor and stands in the ledger before
 * what it opens (ledger_entry_parts and ledger_entry_publish see to that). One a process, made after the fork; all of its
 * entries go through one ring. CONFIG LEDGER_E_AUDITOR. */
struct ledger_sealer;
RESULT ledger_sealer_new(const span *auditors, size_t count, const struct ledger_epochs *epochs, struct ledger_sealer **out);
void ledger_sealer_free(struct ledger_sealer *s); /* NULL is fine */

/* Opens with an auditor's private key (PEM). CONFIG LEDGER_E_AUDITOR_KEY. */
struct ledger_unsealer;
struct ledger_view;
RESULT ledger_unsealer_open(span pem, struct ledger_unsealer **out);
/* What is kept of months; without it nothing opens that was sealed in a month that has one. */
void ledger_unsealer_epochs(struct ledger_unsealer *u, const struct ledger_epochs *epochs);
void ledger_unsealer_close(struct ledger_unsealer *u); /* NULL is fine */
/* Every entry that is read goes through here first, in order: those of keys are kept, others passed over. */
RESULT ledger_unsealer_learn(struct ledger_unsealer *u, const struct ledger_view *v);
enum ledger_unsealed {
    LEDGER_NOTHING_SEALED,
    LEDGER_UNSEALED,
    LEDGER_SEAL_KEY_MISSING, /* its entry was not read */
    LEDGER_SEAL_NOT_OURS,    /* sealed for others */
    LEDGER_SEAL_BROKEN,
    LEDGER_SEAL_NO_EPOCHS, /* epochs.json is not here */
    LEDGER_SEAL_DESTROYED, /* its month's key was destroyed */
};
/* The sealed part as a JSON object in out (cleared first). */
enum ledger_unsealed ledger_unseal(struct ledger_unsealer *u, const struct ledger_view *v, struct buf *out);
const char *ledger_unsealed_text(enum ledger_unsealed u);

/* ---- keys ----------------------------------------------------------------------------------------------------- */

enum ledger_error {
    LEDGER_E_LOCKED = 2001, /* IO: another process writes this ledger */
    LEDGER_E_MISSING,       /* CONFIG: there is no ledger here; log init makes one */
    LEDGER_E_EXISTS,        /* CONFIG: there is one already */
    LEDGER_E_KEY,           /* CONFIG: the key file is not an Ed25519 private key in PEM */
    LEDGER_E_VERIFIER,      /* CONFIG: not a verifier key, or not of this ledger */
    LEDGER_E_ORIGIN,        /* CONFIG: empty, or holds a space, plus or control character */
    LEDGER_E_CORRUPT,       /* INTERNAL: struct ledger_problem says where */
    LEDGER_E_FAILED,        /* IO: an earlier I/O error was final */
    LEDGER_E_LOST,          /* IO: the disk does not give back what was acknowledged */
    LEDGER_E_FULL,          /* IO: no room for another segment */
    LEDGER_E_ENTRY,         /* INTERNAL: not a plausible entry */
    LEDGER_E_CRYPTO,        /* INTERNAL: OpenSSL failed */
    LEDGER_E_NODE,          /* CONFIG: node.json cannot be read */
    LEDGER_E_UNPUBLISHED,   /* CONFIG: there is no checkpoint */
    LEDGER_E_ENDED,         /* CONFIG: the ledger was ended; another one goes on */
    LEDGER_E_APPROVAL,      /* CONFIG: not approved by two of those who may */
    LEDGER_E_AUDITOR,       /* CONFIG: not an auditor's certificate */
    LEDGER_E_AUDITOR_KEY,   /* CONFIG: not an auditor's private key */
    LEDGER_E_GONE,          /* IO: somebody deleted, replaced or cut a file of the ledger */
    LEDGER_E_EPOCHS,        /* CONFIG: epochs.json is not there, or cannot be read */
    LEDGER_E_SCHEDULE,      /* CONFIG: the records schedule does not allow it; struct ledger_refusal says why */
    LEDGER_E_THREAD,        /* LIMIT: the system makes no further thread: nothing is wrong with the ledger or its disk */
};
/* In words; falls back to os_error_text. Static lifetime. */
const char *ledger_error_text(result r);

/* The Ed25519 signing key. In the scribe and in commands that write; nowhere else. */
struct ledger_key;
RESULT ledger_key_generate(struct ledger_key **out);
RESULT ledger_key_parse(span pem, struct ledger_key **out);
RESULT ledger_key_load(const char *path, struct ledger_key **out);  /* refuses a file that others may read */
RESULT ledger_key_load_fd(int fd, struct ledger_key **out);         /* inherited descriptor; stays open */
RESULT ledger_key_pem(const struct ledger_key *k, struct buf *out); /* PKCS#8; initialises out; wipe with buf_free */
void ledger_key_free(struct ledger_key *k);
//= RFC8032 5.1
/* False only when libsodium fails. Threads may share a key. */
bool ledger_key_sign(const struct ledger_key *k, span message, uint8_t signature[64]);
RESULT ledger_key_public(const struct ledger_key *k, uint8_t key[32]);
/* HKDF-SHA-256(private seed, info "gate1367 pseudonym"): the root of pseudonyms. Workers get these 32 bytes and never
 * the key. */
RESULT ledger_key_root(const struct ledger_key *k, uint8_t root[32]);

/* The public half: name (the origin) and key, C2SP signed-note: NAME+KEYID+BASE64(0x01 ‖ key). */
#define LEDGER_NAME_MAX 255
#define LEDGER_VKEY_MAX 352
struct ledger_verifier {
    char name[LEDGER_NAME_MAX + 1];
    uint8_t key[32];
};
RESULT ledger_verifier_of(const struct ledger_key *k, const char *origin, struct ledger_verifier *out);
void ledger_verifier_format(const struct ledger_verifier *v, char out[LEDGER_VKEY_MAX]);
RESULT ledger_verifier_parse(span vkey, struct ledger_verifier *out);

/* ---- the tree ------------------------------------------------------------------------------------------------- */

//= RFC6962 2.1
/* The right edge of a Merkle tree: all that is needed to append and to know the root. Plain value; zero is empty. */
struct ledger_tree {
    uint64_t size;
    uint8_t edge[64][32];
};
bool ledger_tree_add(struct ledger_tree *t, span leaf); /* false only when OpenSSL fails */
bool ledger_tree_root(const struct ledger_tree *t, uint8_t root[32]);

/* ---- the log -------------------------------------------------------------------------------------------------- */

#define LEDGER_SEGMENT_BYTES (64u * 1024 * 1024)
#define LEDGER_FRAME_MAX (512u * 1024) /* bytes of one frame: a commit */
#define LEDGER_SEGMENT_MIN (2u * LEDGER_FRAME_MAX)

/* Where a ledger is and whose. Borrowed strings. */
struct ledger_place {
    const char *directory;
    const char *key_path; /* private key; readers need none */
    const char *origin;
    uint64_t segment_bytes; /* of a new ledger; 0: the default. A multiple of 4096 */
};

/* Everything that can be wrong with a ledger on disk. name, text. */
#define LEDGER_FAULTS(X)                                                                                               \
    X(HEADER, "the frame's header is not one")                                                                         \
    X(LENGTH, "the frame's lengths do not fit")                                                                        \
    X(CHECKSUM, "the frame's checksum does not hold")                                                                  \
    X(RECORDS, "the records do not fill the frame as it says")                                                         \
    X(SEGMENT, "the frame belongs to another segment")                                                                 \
    X(SEQUENCE, "the frame's sequence number is not the next")                                                         \
    X(INDEX, "the frame's first index is not the next")                                                                \
    X(CHAIN, "the frame does not follow the one before it")                                                            \
    X(ROOT, "the Merkle root does not follow from the entries")                                                        \
    X(SIGNATURE, "the signature is not by this ledger's key")                                                          \
    X(VALID_AFTER_INVALID, "a broken frame is followed by a valid one")                                                \
    X(GAP, "a segment is missing or misnamed")                                                                         \
    X(SIZE, "the segment's length is not this ledger's")                                                               \
    X(BEHIND_TIP, "the log ends before what was last signed as its end")                                               \
    X(TIP_ROOT, "the last signed end has another Merkle root")                                                         \
    X(TIP, "both tip files are unreadable or not signed by this ledger's key")                                         \
    X(NODE, "node.json does not agree with the verifier key")                                                          \
    X(CHECKPOINT, "the checkpoint is no note that this ledger's key signed")                                           \
    X(TILE, "the tile is missing or cut short, or does not follow from the entries")                                   \
    X(BUNDLE, "the entry bundle is missing, cut short or too long")                                                    \
    X(PUBLISHED_ROOT, "the entries do not give the checkpoint's Merkle root")                                          \
    X(OLDER, "the log does not hold what the older checkpoint says it held")                                           \
    X(TORN, "the last frame is unfinished (a crash; nothing that it held was acknowledged)")                           \
    X(READ, "the file cannot be read")
enum ledger_fault {
    LEDGER_SOUND,
#define X(name, text) LEDGER_FAULT_##name,
    LEDGER_FAULTS(X)
#undef X
        LEDGER_FAULT_END
};
const char *ledger_fault_text(enum ledger_fault f);

struct ledger_problem {
    enum ledger_fault fault;
    char file[80];   /* relative to the directory */
    uint64_t offset; /* in the file, bytes */
    uint64_t index;  /* of the first entry concerned */
    int error;       /* errno for READ */
};
/* "wal/…0042.wal at byte 8192 (entry 57): the frame's checksum …" */
void ledger_problem_format(const struct ledger_problem *p, char *out, size_t size);

/* Makes directory, node.json, the first segment, two spares. The key file is made (0600) where there is none, else
 * used. CONFIG LEDGER_E_EXISTS when there is a ledger. */
RESULT ledger_init(const struct ledger_place *place, struct ledger_verifier *out);

/* The writer: holds the lock from open to close. Recovers first: cuts a torn tail, refuses corruption (INTERNAL
 * LEDGER_E_CORRUPT with *problem filled; problem may be NULL). */
struct ledger;
RESULT ledger_open(const struct ledger_place *place, const struct ledger_key *key, struct ledger_problem *problem,
    struct ledger **out);
/* Room for the next entry in the group being gathered (not yet on disk), LIMIT when the group has not that much left:
 * commit first. */
RESULT ledger_reserve(struct ledger *l, size_t room, uint8_t **out);
/* Takes the len bytes written there as the next entry. INTERNAL LEDGER_E_ENTRY: not plausible; nothing was taken. */
RESULT ledger_add_reserved(struct ledger *l, size_t len);
RESULT ledger_add(struct ledger *l, span entry);
size_t ledger_pending(const struct ledger *l); /* entries gathered */
size_t ledger_pending_room(const struct ledger *l);
/* What is gathered, in order, also of a ledger that failed. Fails with what `each` failed with. */
RESULT ledger_each_gathered(const struct ledger *l, ledger_part_fn *each, void *ctx);
/* Signs and writes the group as one frame; durable when OK. The first error is final: everything after fails with IO
 * LEDGER_E_FAILED and the files are not touched again. With nothing gathered: OK. */
RESULT ledger_commit(struct ledger *l);
/* Writes the tip if it is behind (bounded staleness is the caller's business: idle, or once a second). */
RESULT ledger_write_tip(struct ledger *l);
bool ledger_tip_stale(const struct ledger *l);
/* Spares short of two are made. Slow (writes whole segments): the scribe calls it from a thread of its own, at any time
 * between open and close; nothing else here may be called from two threads. */
RESULT ledger_make_spares(struct ledger *l);
/* One, where there is none: the same wait that a commit without a spare has, before there is no room left to say why. */
RESULT ledger_make_spare(struct ledger *l);
/* From any thread: from now on without the rests that are made while there is another spare. */
void ledger_hurry_spares(struct ledger *l);
unsigned ledger_spares(struct ledger *l);
uint64_t ledger_size(const struct ledger *l);
void ledger_root(const struct ledger *l, uint8_t root[32]);
bool ledger_failed(const struct ledger *l);
/* As after an I/O error: nothing is written any more. */
void ledger_give_up(struct ledger *l);
/* Bytes left in the segment that is being written. */
uint64_t ledger_segment_room(const struct ledger *l);
/* Writes the tip unless failed; gives the lock back. */
RESULT ledger_close(struct ledger *l);

/* Open, append, commit, close: for commands that run while no gateway does (IO LEDGER_E_LOCKED when one does). Every
 * part of the entry is in one frame. */
RESULT ledger_append_once(const struct ledger_place *place, const struct ledger_entry *e);

/* ---- succession ------------------------------------------------------------------------------------------------ */

/* What a gateway keeps beside its ledger that is not the ledger's, and goes on with the next one. */
#define LEDGER_MARK_FILE "registry.mark"

/* Ends a ledger and begins the next one, with a key and an origin of its own: the last entry of the old one names the new
 * verifier key, and the first entry of the new one holds the old one's final checkpoint. Nobody writes to the old one after.
 * Interrupted before it returns: remove what stands at next->directory and do it again. */
RESULT ledger_rotate(const struct ledger_place *old, const struct ledger_place *next, struct ledger_verifier *out);

/* The same where the old one is damaged, so that nothing can be added to it. What people sign before: both verifier keys,
 * how far the old one is proven by what it signed, what is wrong with it, and why they go on. Appended to out; makes the
 * new, empty ledger where it is missing. */
RESULT ledger_recovery_statement(const struct ledger_place *old, const struct ledger_place *next, span reason, struct buf *out);
/* approval: the statement with the signatures of two of the approvers (C2SP signed notes) over these two ledgers. It becomes
 * the first entry of the new one. CONFIG LEDGER_E_APPROVAL. */
RESULT ledger_recover(const struct ledger_place *old, const struct ledger_place *next, span approval, const char *const *approvers,
    size_t approver_count, struct ledger_verifier *out);

/* ---- records: schedule and destruction --------------------------------------------------------------------------- */

/* What a records schedule says. Borrowed strings. */
struct ledger_schedule {
    const char *id;       /* NULL: the records are unscheduled */
    uint64_t retain_days; /* that a month's entries are kept after its end */
    const char *hold;     /* why nothing may be destroyed now; NULL: nothing is held */
    const char *const *approvers; /* verifier keys, two of whom must agree */
    size_t approver_count;
};
struct ledger_records_place {
    struct ledger_place ledger;
    const char *standby; /* directory; NULL: none. It has a copy of epochs.json */
};
struct ledger_refusal {
    char text[512];
};
/* Puts a schedule in force: makes epochs.json where there is none (from the next month on; in an empty ledger from this one) and
 * writes it into the ledger, with who may destroy. Also after each change of the schedule. While no gateway runs. */
RESULT ledger_schedule_begin(const struct ledger_records_place *p, const struct ledger_schedule *s, struct ledger_epochs *out);
/* What two people sign before the keys of all months up to that one are destroyed, oldest first; appended to out. CONFIG
 * LEDGER_E_SCHEDULE: the schedule does not allow it; CONFIG EINVAL: the reason is not one line. */
RESULT ledger_destruction_statement(const struct ledger_records_place *p, const struct ledger_schedule *s, uint32_t month, span reason,
    struct buf *out, struct ledger_refusal *why);
/* Destroys them: an entry that holds the approval, durable, then the keys. Cut off between the two it is run again with
 * `recorded`: the entry is there. CONFIG LEDGER_E_SCHEDULE as above, or not approved. */
RESULT ledger_destroy(const struct ledger_records_place *p, const struct ledger_schedule *s, span approval, bool recorded,
    struct ledger_refusal *why);

/* What the ledger itself says of all that; to be shown every entry from the first one, in order. LIMIT ENOMEM. */
struct ledger_records;
struct ledger_destroyed {
    uint32_t from, to; /* months, both included */
    uint64_t index;    /* of the entry */
    char schedule[256];
};
struct ledger_records_summary {
    uint32_t first, kept; /* months with a key begin, those that are kept; 0: no schedule */
    char schedule[256], key[65];
    struct ledger_destroyed *destroyed;
    size_t destroyed_count;
    char problem[160]; /* the first thing that was not in order, and in which entry; empty: all was */
};
RESULT ledger_records_new(const struct ledger_verifier *v, struct ledger_records **out);
RESULT ledger_records_see(struct ledger_records *r, uint64_t index, span entry);
const struct ledger_records_summary *ledger_records_summary(const struct ledger_records *r);
void ledger_records_free(struct ledger_records *r); /* NULL is fine */
/* Whether a verifier would find that destruction in order, were it recorded next. */
bool ledger_records_would_hold(const struct ledger_records *r, span note, uint64_t time_us);
/* Whether epochs.json holds what it should. */
enum ledger_epochs_state { LEDGER_EPOCHS_AGREE, LEDGER_EPOCHS_MISSING, LEDGER_EPOCHS_BEHIND, LEDGER_EPOCHS_OTHER, LEDGER_EPOCHS_UNREADABLE };
enum ledger_epochs_state ledger_records_compare(const struct ledger_records *r, const char *directory);
const char *ledger_epochs_state_text(enum ledger_epochs_state s);

/* ---- the scribe ----------------------------------------------------------------------------------------------- */

struct ledger_scribe_config {
    struct ipc_area *area;
    int control_fd; /* channel to the supervisor; -1: none, then SIGTERM stops */
    int key_fd;     /* inherited descriptor of the key file; closed after reading; -1: place.key_path */
    int root_fd;    /* where the struct ledger_root goes before READY (memory file, at offset 0); -1: nowhere */
    bool scheduled; /* a records schedule is configured: there must be an epochs.json */
    struct ledger_place place;
    struct ledger_place standby; /* takes over where the other fails; directory NULL: none. With the same key */
    uint64_t generation;   /* told back in READY */
    uint32_t hold_us;      /* a group waits at most this long for more, while more comes; 0: 500 */
    uint32_t hold_entries; /* … or until it has this many; 0: 16 */
    bool mark_life;        /* write entries `start`, `stop` and, as room runs out, `incident` of its own */
    /* Free bytes of the device below which somebody should hear of it, and below which answers that need an entry are
     * refused; 0: ten and two segments. */
#define LEDGER_FILES_WARN 4096
#define LEDGER_FILES_SHED 512
    uint64_t warn_bytes, shed_bytes;
    /* Called when all is open and before anything is read from a ring; may be NULL. Called once in each of the role's
     * three threads (the second makes spare segments, the third publishes), at the same time or not. */
    result (*confine)(void *ctx);
    void *confine_ctx;
};
/* The role's whole life. READY is sent when recovered; DISTRUST names a slot whose producer broke a rule; ALARM when no
 * spare can be made, when room runs out and when there is enough again; FAILED before an end that is not good. Ends on STOP, or when the supervisor is gone (DRAIN and,
 * with a control_fd, SIGTERM are ignored: workers still need it), after taking what the rings hold. Returns the exit
 * status: 0; 74: the ledger could not be written, do not restart; 1: corrupt; 2: set-up. */
int ledger_scribe_run(const struct ledger_scribe_config *config);

/* ---- readers -------------------------------------------------------------------------------------------------- */

struct ledger_frame_view {
    const char *file; /* relative */
    uint64_t offset, sequence, first_index;
    uint32_t length, count;
    const uint8_t *root; /* 32 bytes */
};
/* Called for each entry in order; stops with the error it returns (CLOSED is the usual way to say enough). */
typedef result ledger_entry_fn(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame);

struct ledger_report {
    uint64_t entries, frames, segments, bytes;
    uint8_t root[32];
    bool torn;                   /* unfinished last frame: a crash, or a writer at work */
    uint64_t tip_size;           /* newest signed end */
    bool wal, tiles;             /* what was there to be verified */
    uint64_t published;          /* size of the checkpoint */
    uint64_t older;              /* size of the older checkpoint that was given */
    struct ledger_problem first; /* LEDGER_SOUND when all is well */
};
enum ledger_judgement { LEDGER_IS_SOUND = 0, LEDGER_IS_TAMPERED = 1, LEDGER_CANNOT_TELL = 2 };
/* Every frame's checksum, chain and signature, the root recomputed from the entries, agreement with the tip.
 * `progress` (may be NULL) is called about every 16 MiB with bytes done and in all. */
typedef void ledger_progress_fn(void *ctx, uint64_t done, uint64_t all);
enum ledger_judgement ledger_verify(const char *directory, const struct ledger_verifier *v,
    ledger_progress_fn *progress, void *ctx, struct ledger_report *out);
/* The same, and the published log: every entry bundle, every tile, the root and the signature of the checkpoint. Either may
 * be missing; where both are there they must agree. `older` (ptr NULL: none) is a checkpoint's note from an earlier day:
 * the log must hold that tree. A directory that holds a checkpoint itself is a published log alone. `each` (may be NULL) is
 * shown every entry once, in order and without its frame, so that nobody reads them again: what it saw counts only where the log
 * is sound, for it is shown before all of it is known. An error of it ends in CANNOT_TELL. */
struct ledger_verify_options {
    ledger_progress_fn *progress;
    void *ctx;
    span older;
    ledger_entry_fn *each;
    void *each_ctx;
};
enum ledger_judgement ledger_verify_with(const char *directory, const struct ledger_verifier *v,
    const struct ledger_verify_options *options, struct ledger_report *out);
/* Proof files from the published log, appended to out: that the entry is in the tree of the newest checkpoint (C2SP
 * tlog-proof), or that this tree holds the one of the first `old` entries (as a C2SP tlog-witness is asked). The checkpoint
 * is checked, and the proof before it is given out. LIMIT ERANGE: the checkpoint has not that many entries, *size says how
 * many; CONFIG LEDGER_E_UNPUBLISHED: there is no checkpoint; INTERNAL LEDGER_E_CORRUPT: the tiles do not give its root. */
RESULT ledger_prove_inclusion(
    const char *directory, const struct ledger_verifier *v, uint64_t index, struct buf *out, uint64_t *size);
RESULT ledger_prove_consistency(
    const char *directory, const struct ledger_verifier *v, uint64_t old, struct buf *out, uint64_t *size);
/* Disclosures without a completion, which count as disclosed. To be shown every entry of a ledger, in order; then it knows
 * which answers nobody can say of that they did not arrive. LIMIT ENOMEM. */
struct ledger_presumed;
RESULT ledger_presumed_new(struct ledger_presumed **out);
RESULT ledger_presumed_see(struct ledger_presumed *p, span entry);
bool ledger_presumed_has(const struct ledger_presumed *p, span entry); /* this disclosure is one */
uint64_t ledger_presumed_count(const struct ledger_presumed *p);       /* answers */
void ledger_presumed_free(struct ledger_presumed *p);
/* The verifier that node.json names: for display and convenience, no proof. */
RESULT ledger_verifier_read(const char *directory, struct ledger_verifier *out);
/* LEDGER_E_ENDED: another one goes on, and nothing is added to this. By node.json: for convenience, no proof. */
RESULT ledger_goes_on(const char *directory);
/* A copy of the published log alone: readers read that. */
bool ledger_is_copy(const char *directory);
/* Reads entries from index `from` on, and later what was added since. Checks checksums and chain from the segment where
 * it starts (not signatures and root: that is verify). */
struct ledger_reader;
RESULT ledger_reader_open(const char *directory, uint64_t from, struct ledger_reader **out);
/* Everything that is there now and was not read yet. INTERNAL LEDGER_E_CORRUPT with *problem filled; an unfinished last
 * frame is simply not there yet. After CLOSED from `each` the reader stands behind that entry's frame. */
RESULT ledger_reader_read(struct ledger_reader *r, ledger_entry_fn *each, void *ctx, struct ledger_problem *problem);
uint64_t ledger_reader_next(const struct ledger_reader *r); /* index of the next entry to come */
void ledger_reader_close(struct ledger_reader *r);
/* Single entries, best in rising order: neighbours cost nothing. `each` gets no frame for what is published. CONFIG
 * LEDGER_E_MISSING: there is no such entry. */
struct ledger_fetch;
RESULT ledger_fetch_open(const char *directory, struct ledger_fetch **out);
RESULT ledger_fetch(struct ledger_fetch *f, uint64_t index, ledger_entry_fn *each, void *ctx);
void ledger_fetch_close(struct ledger_fetch *f); /* NULL is fine */
/* What the newest checkpoint says; its signature is checked. CONFIG LEDGER_E_UNPUBLISHED: there is none. */
RESULT ledger_published(const char *directory, const struct ledger_verifier *v, uint64_t *size, uint8_t root[32]);
/* The root of the first `size` entries, of the published tiles. */
RESULT ledger_root_at(const char *directory, uint64_t size, uint8_t root[32]);

#endif
