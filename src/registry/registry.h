/* registry: the index of protected persons. Build from source lines, open from mapped bytes, look up in batches,
 * overlay of live changes in shared memory. Pure: the caller maps files and segments.
 *
 * No name, number or date can be read or enumerated from an index without its key: an entry is
 * SipHash-2-4-128(key, kind ‖ system ‖ canonical value), and a subject is a keyed 64-bit handle.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1   beneficiaries listed on an application are protected like the principal */
#ifndef GATE1367_REGISTRY_H
#define GATE1367_REGISTRY_H

#include "base/base.h"
#include "source/source.h"

/* kind, name in files, shared thing, surrogate key */
#define REGISTRY_KINDS(X)                                                                                              \
    X(ALIEN_NUMBER, "alien_number", 0, 0)                                                                              \
    X(RECEIPT_NUMBER, "receipt_number", 0, 0)                                                                          \
    X(SSN, "ssn", 0, 0)                                                                                                \
    X(ITIN, "itin", 0, 0)                                                                                              \
    X(I94, "i94", 0, 0)                                                                                                \
    X(SEVIS, "sevis", 0, 0)                                                                                            \
    X(PASSPORT, "passport", 0, 0)                                                                                      \
    X(VISA_FOIL, "visa_foil", 0, 0)                                                                                    \
    X(FBI_NUMBER, "fbi_number", 0, 0)                                                                                  \
    X(FIN, "fin", 0, 0)                                                                                                \
    X(SID, "sid", 0, 0)                                                                                                \
    X(DRIVER_LICENSE, "driver_license", 0, 0)                                                                          \
    X(PERSON_ID, "person_id", 0, 1)                                                                                    \
    X(EVENT_NUMBER, "event_number", 1, 1)                                                                              \
    X(CASE_NUMBER, "case_number", 0, 1)                                                                                \
    X(PHONE, "phone", 1, 0)                                                                                            \
    X(EMAIL, "email", 0, 0)                                                                                            \
    X(VEHICLE, "vehicle", 1, 0)                                                                                        \
    X(ADDRESS, "address", 1, 0)                                                                                        \
    X(LOCATION, "location", 1, 0)                                                                                      \
    X(ORGANIZATION, "organization", 1, 0)

enum registry_kind {
#define X(id, name, shared, surrogate) REGISTRY_##id,
    REGISTRY_KINDS(X)
#undef X
        REGISTRY_KIND_COUNT
};
const char *registry_kind_name(enum registry_kind kind);
/* -1 when unknown. */
int registry_kind_from(span name);
bool registry_kind_is_surrogate(enum registry_kind kind);
/* Shared by several people; a key only where the source says confidential. */
bool registry_kind_is_shared(enum registry_kind kind);

/* ---- canonical forms -------------------------------------------------------------------------------------------- */

#define REGISTRY_CANONICAL_MAX 96
/* The one spelling under which a value is looked up (10-domain 2.1): alien_number: 9 digits, zero-padded on the left,
 * no "A"; receipt_number: 13 characters upper-case (or AAA*NNNNNNNNN); ssn, itin: 9 digits; passport: upper-case
 * alphanumerics; person_id and other surrogates: upper-case, without surrounding space, all-digit values without leading
 * zeros; … `value` is decoded, folded UTF-8. Returns the length, 0 when the value cannot be one of that kind. out has
 * REGISTRY_CANONICAL_MAX bytes. The same function serves build and matching, so that they can never disagree.
 *
 * Bare digits of an alien_number may be fewer than seven (a JSON number loses its zeros); the caller decides whether the
 * place allows that. A JSON number such as 1.2345678e7 must have been made plain digits before: '.' is a separator.
 * Placeholders (all zeros, a passport without a digit) are no values. */
size_t registry_canonical(enum registry_kind kind, span value, uint8_t *out);
/* A second key under which the source's value is known as well: a telephone number as it is written at home, without its
 * country. `canonical` came from registry_canonical(). 0: none. */
size_t registry_canonical_other(enum registry_kind kind, span canonical, uint8_t *out);
/* Folds fullwidth and other decimal digits, fullwidth letters and Latin letters with marks to ASCII, drops zero-width characters and soft hyphen,
 * other spaces and dashes (NBSP, U+2010–2015) to ASCII space and hyphen, Cyrillic and Greek letters that look like
 * Latin ones ("А", "Е") to those. out has room for
 * value.len bytes; returns the length. Malformed UTF-8 is copied. */
size_t registry_fold(span value, uint8_t *out);

/* ---- look-up ---------------------------------------------------------------------------------------------------- */

struct registry_key {
    enum registry_kind kind;
    uint32_t system; /* registry_system_id() of the profile's system for surrogate keys, else 0 */
    span canonical;  /* as registry_canonical() wrote it */
};
#define REGISTRY_SYSTEM_MAX 64 /* bytes of a system's name that count */
uint32_t registry_system_id(span system); /* 0 for the empty name; case and look-alikes do not matter */

#define REGISTRY_NO_SUBJECT 0
struct registry_hit {
    bool protected_;
    uint64_t subject; /* handle of one protected subject of it, REGISTRY_NO_SUBJECT when not protected */
};

/* Codes of this module's results; the class says whose fault it is. */
enum registry_error {
    REGISTRY_OK,
    REGISTRY_NO_MEMORY,       /* LIMIT */
    REGISTRY_NOT_INDEX,       /* CONFIG: no magic, or shorter than a header */
    REGISTRY_OTHER_FORMAT,    /* CONFIG: made by another release */
    REGISTRY_WRONG_KEY,       /* CONFIG: another key made it */
    REGISTRY_DAMAGED,         /* CONFIG: length, checksum or keyed hash is wrong */
    REGISTRY_SOURCE_BROKEN,   /* CONFIG: the problems say why */
    REGISTRY_OVERLAY_FULL,    /* LIMIT: rebuild and reload */
    REGISTRY_OVERLAY_BAD,     /* CONFIG: not formatted, too small, or another key's */
    REGISTRY_JOURNAL_DAMAGED, /* CONFIG: a record is broken that is not the last */
    REGISTRY_JOURNAL_BEHIND,  /* CONFIG: an index stands for more records than it holds */
    REGISTRY_JOURNAL_BUSY,    /* INTERNAL: somebody else writes it */
    REGISTRY_JOURNAL_GONE,    /* INTERNAL: its name leads to another file, or nowhere */
    REGISTRY_JOURNAL_CUT,     /* INTERNAL: it is shorter than it was */
    REGISTRY_JOURNAL_FULL,    /* INTERNAL: with this it would be larger than what is read at a start */
    REGISTRY_MARK_BEHIND,     /* CONFIG: neither journal nor index hold what was in force */
    REGISTRY_MARK_ANOTHER,    /* CONFIG: another record stands where the mark was made */
    REGISTRY_MARK_DAMAGED,    /* CONFIG: length, checksum or keyed hash of a mark is wrong */
    REGISTRY_MARK_FOREIGN,    /* CONFIG: another key made it */
    REGISTRY_TOO_LARGE,       /* LIMIT: more subjects or keys than the format holds */
};
/* What an operator is told, "is damaged; build it again from its source"; never NULL. */
const char *registry_error_text(int code);

/* Key file: 64 hex digits and a line end, or 32 raw bytes. out has REGISTRY_KEY_TEXT bytes, NUL included. */
#define REGISTRY_KEY_TEXT 66
bool registry_key_decode(span file, uint8_t key[32]);
void registry_key_encode(const uint8_t key[32], char out[REGISTRY_KEY_TEXT]);

/* The handle under which a subject stands in index, overlay, journal and hits. Never REGISTRY_NO_SUBJECT. */
bool registry_subject_handle(const uint8_t key[32], span subject, uint64_t *handle);

/* A key as index and overlay know it. */
struct registry_print {
    uint64_t a, b;
};

struct registry;
/* `index` is mapped read-only and outlives the registry. `overlay` (or NULL) likewise, made by registry_overlay_format.
 * CONFIG when the file is no index, of another format, damaged (checksum), or made with another key. Reads the whole
 * file once. */
RESULT registry_open(span index, const uint8_t key[32], const void *overlay, struct registry **out);
void registry_close(struct registry *r);
/* Looks up n keys with prefetching, any n. Constant work per key whether it hits or not, as far as a table allows.
 * `protected_` decides; a hit whose subject cannot be named (never in an intact index) has REGISTRY_NO_SUBJECT. */
void registry_probe(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits);
/* All protected subjects of a key (an identifier may have several): fills at most cap handles, returns how many there
 * are; a subject that index and overlay both know counts once as long as there are at most 16 in the overlay. */
size_t registry_subjects(const struct registry *r, const struct registry_key *key, uint64_t *subjects, size_t cap);
/* True when the index or the overlay protects the subject now. */
bool registry_protects(const struct registry *r, uint64_t subject);
/* True when it does so by a suspicion alone. */
bool registry_suspects(const struct registry *r, uint64_t subject);
/* KIND VALUE [system] as a person types it: folded, canonicalised, looked up. False when the value is none of that kind. */
bool registry_lookup(const struct registry *r, enum registry_kind kind, span value, span system, struct registry_hit *hit);

/* ---- is any of these known? -------------------------------------------------------------------------------------- */

/* For whoever reads documents, nearly all of whose values nobody protects. What is proposed goes into a flat batch at
 * once, as the very bytes that are hashed; up to REGISTRY_ASKS of them are asked for together, and each that may be
 * protected comes back as a bit. A bit that is not set is a promise: nothing that registry_probe() would call protected
 * is without its bit. One that is set says nothing yet: registry_probe() and registry_subjects() then decide (a released
 * subject's values keep their bits, and of keys that nobody has one in 180 has one).
 *
 * A short value, but none of the shortest, is a message of sixteen bytes: the kind; for surrogate keys the system, four bytes, lowest first; the
 * canonical value; zeros; and last how many bytes stand before the zeros. Whoever has a value in a register may write
 * the message itself and count it. */
#define REGISTRY_ASKS 64
#define REGISTRY_ASK_LEAST 8  /* kind, system and value together; with fewer the hash absorbs one word, not two */
#define REGISTRY_ASK_SHORT 15 /* at most */
struct registry_asks {
    uint32_t count;
    uint32_t most;  /* that it ever held: so much is wiped */
    uint64_t longs; /* those whose fingerprint's first word stands in `firsts`, not a message */
    uint8_t messages[REGISTRY_ASKS][16];
    uint64_t firsts[REGISTRY_ASKS];
};
/* What stands before the values of one place: worked out once. */
struct registry_head {
    uint64_t bytes;
    uint8_t len;
};
struct registry_head registry_ask_head(enum registry_kind kind, uint32_t system);
static inline bool registry_ask_fits(struct registry_head h, size_t len)
{
    return h.len + len >= REGISTRY_ASK_LEAST && h.len + len <= REGISTRY_ASK_SHORT;
}
/* Adds a value that fits; sixteen bytes may be read from `canonical` on. There is room: count < REGISTRY_ASKS. */
static inline void registry_ask_short(
    struct registry_asks *a, struct registry_head h, const uint8_t *canonical, size_t len)
{
    size_t all = h.len + len;
    ASSERT(h.len > 0 && registry_ask_fits(h, len) && a->count < REGISTRY_ASKS);
    unsigned shift = 8u * h.len; /* 8 or 40 */
    uint64_t low = load_le64(canonical), high = load_le64(canonical + 8) << shift | low >> (64 - shift);
    low = low << shift | h.bytes;
    high &= (UINT64_C(1) << 8 * (all - 8)) - 1;
    store_le64(a->messages[a->count], low);
    store_le64(a->messages[a->count++] + 8, high | (uint64_t)all << 56);
}
/* Of many kinds the message of a value follows from its shape: digits and letters stand where they stood in the last one. */
#define REGISTRY_WAY_WIDTH 16 /* bytes of the text that it is taken from, and of the message */
#define REGISTRY_WAY_PUT 0xFF
struct registry_way {
    uint8_t from[REGISTRY_WAY_WIDTH]; /* where each byte stands behind `at`, or REGISTRY_WAY_PUT: it does not come from the text */
    uint8_t keep[REGISTRY_WAY_WIDTH]; /* bits of it that are kept: letters in upper case */
    uint8_t put[REGISTRY_WAY_WIDTH];  /* what does not come from the text */
    uint8_t none[REGISTRY_WAY_WIDTH]; /* the message of a value of zeros alone, which is none */
    uint16_t leading; /* a bit for the value's first byte where a zero in front is no part of it; 0 */
    uint8_t at;
};
/* The way from the `len` bytes at `from` of this text to their message, and from the same of each other text that has the
 * same bytes but for its digits and the case of its letters. `room` bytes may be read of those. False: there is none. */
bool registry_way_of(struct registry_head head, enum registry_kind kind, span text, size_t from, size_t len, size_t room,
    struct registry_way *out);
/* Takes it. False: registry_canonical() is to be asked. */
static inline bool registry_way_take(const struct registry_way *w, const uint8_t *text, uint8_t message[REGISTRY_WAY_WIDTH])
{
    uint32_t same = 0; /* as in the message of zeros */
    for (unsigned i = 0; i < REGISTRY_WAY_WIDTH; i++) {
        uint8_t there = w->from[i] == REGISTRY_WAY_PUT ? 0 : text[w->at + w->from[i]];
        message[i] = (uint8_t)((there & w->keep[i]) | w->put[i]);
        same |= (uint32_t)(message[i] == w->none[i]) << i;
    }
    return same != (1U << REGISTRY_WAY_WIDTH) - 1 && !(same & w->leading);
}
/* Adds any key, and reads no byte behind it. */
void registry_ask(const struct registry *r, struct registry_asks *a, const struct registry_key *key);
/* Bit i: the i-th may be protected, now, by index or overlay. The batch is as it was: empty it with
 * registry_asks_empty(). */
uint64_t registry_any(const struct registry *r, const struct registry_asks *a);
static inline void registry_asks_empty(struct registry_asks *a)
{
    if (a->count > a->most) a->most = a->count;
    a->count = 0;
    a->longs = 0;
}
/* Leaves nothing of what was asked, now or before. */
void registry_asks_wipe(struct registry_asks *a);

struct registry_info {
    uint64_t keys, subjects; /* protected subjects and their keys */
    uint64_t built;          /* unix seconds */
    uint64_t journal;        /* first position of the journal that the index does not include */
    uint64_t bytes;
    uint8_t version[16]; /* fingerprint of the content, shown in ledger entries */
};
void registry_info(const struct registry *r, struct registry_info *out);

#define REGISTRY_CLOCK_SLACK_US UINT64_C(3600000000)
/* An index built then (registry_info.built) no longer speaks for today: somebody whose case was filed since is missing.
 * Live changes do not make it younger; only a rebuild from the source does. One from the future is stale too, for then
 * either it or the clock lies and its age is unknown; an hour is forgiven. max_age_us 0: it never is. */
bool registry_is_stale(uint64_t built, uint64_t max_age_us, uint64_t now_us);

/* ---- build ------------------------------------------------------------------------------------------------------ */

/* Collects source lines and writes the image. Problems (bad values, unknown members, several subjects of one identifier)
 * go into p, all of one run. Only identifiers are indexed; `names` and `dob` are checked and left out, for this release
 * does not match names. About 21 bytes a key and 36 a subject while it collects, plus the image. */
struct registry_builder;
struct registry_builder *registry_builder_new(const uint8_t key[32], struct problems *p); /* NULL: out of memory */
void registry_builder_free(struct registry_builder *b);
/* A whole file: CSV when the name ends in ".csv", else JSON Lines. `name` outlives the builder. LIMIT: out of memory. */
RESULT registry_builder_source(struct registry_builder *b, const char *name, span text);
/* One line of JSON Lines, for callers that show progress; blank lines are passed over. */
RESULT registry_builder_line(struct registry_builder *b, const char *name, unsigned line, span text);
struct registry_totals {
    uint64_t lines, subjects, protected_subjects, keys;
};
void registry_builder_totals(const struct registry_builder *b, struct registry_totals *out);
/* The image, owned by the builder; the caller writes it to a temporary file, syncs and renames. CONFIG
 * (REGISTRY_SOURCE_BROKEN) when the problems hold an error. The builder takes no lines afterwards. `built` in unix
 * seconds; `journal` is the first position that the source does not include: the journal's end at the time of the build,
 * once registry_builder_dropped() has been shown to the operator; 0 replays everything. */
RESULT registry_builder_finish(struct registry_builder *b, uint64_t built, uint64_t journal, span *image);
/* After finish: protected subjects of `old` (index and overlay) that the new image lacks. Fills at most cap handles,
 * returns how many there are: with any, the command refuses without --release-approved. */
size_t registry_builder_dropped(const struct registry_builder *b, const struct registry *old, uint64_t *subjects, size_t cap);
/* After finish: how many identifiers of a live change the new image lacks although it has their subject, whom `old`
 * protects: of a `protect` that the source has not heard of. */
struct registry_change;
size_t registry_builder_lacks(const struct registry_builder *b, const struct registry *old, const struct registry_change *c);

/* ---- live changes ----------------------------------------------------------------------------------------------- */

/* SUSPECT: a definitive marker stood with these identifiers; the subject is registry_suspicion_handle of them. It holds
 * through every rebuild, until CLEAR, by a named person, ends it for good: what was cleared is not suspected again. */
enum registry_op { REGISTRY_PROTECT = 1, REGISTRY_RELEASE = 2, REGISTRY_SUSPECT = 3, REGISTRY_CLEAR = 4 };
#define REGISTRY_CHANGE_KEYS_MAX 4096
/* Nothing in it can be read without the key: handle, fingerprints, and of a reason only a keyed hash (who wrote it can be
 * held to it; the words themselves, which may name somebody, belong in the sealed part of the ledger entry). */
struct registry_change {
    enum registry_op op;
    uint64_t position; /* in the journal, from 1, without gaps */
    uint64_t time;     /* unix seconds */
    uint64_t subject;
    const struct registry_print *keys; /* protect and suspect only */
    size_t key_count;
    uint8_t reason[16]; /* release, clear; suspect: the id of the request whose answer showed it */
    uint32_t fellows; /* changes before it that were written with it, by one append */
};
/* Keyed hash of a reason (and of who gave it), for registry_change.reason. False when the library fails. */
bool registry_reason_hash(const uint8_t key[32], span by, span reason, uint8_t out[16]);
/* Reads one line of CHANGES.jsonl. Position and time are the caller's to set. Keys live in the arena. CONFIG
 * (REGISTRY_SOURCE_BROKEN) when the problems say why not. */
RESULT registry_change_parse(const uint8_t key[32], const char *name, unsigned line, span text, struct arena *a,
    struct problems *p, struct registry_change *out);

/* The overlay: append-only tables in memory that one process writes and others map read-only. Protect never takes an
 * identifier from a subject (only a rebuild does); release ends all protection through that subject, and what another
 * protected subject shares stays protected; a later protect brings the released subject back with all it had. */
#define REGISTRY_OVERLAY_MIN 8192 /* bytes; 41 a key slot and half of those are used: 16 MiB hold 200,000 keys */
/* `overlay` is all zero, as memory is that the system has just given, or was formatted before, and is emptied. */
RESULT registry_overlay_format(void *overlay, size_t size, const uint8_t key[32]);
/* Before memory that held one is given back; memory that nothing was applied to is not touched beyond its header. */
void registry_overlay_wipe(void *overlay, size_t size);
/* LIMIT (REGISTRY_OVERLAY_FULL) when registry_overlay_apply() would not find room: ask before the journal is written. */
RESULT registry_overlay_room(const void *overlay, const struct registry_change *c);
/* All of it or, with an error, nothing. In force when it returns. */
RESULT registry_overlay_apply(void *overlay, const struct registry_change *c);
struct registry_overlay_info {
    uint64_t keys, key_room;         /* used, and how many fit */
    uint64_t subjects, subject_room; /* protected or released here */
    uint64_t released, suspected;
    uint64_t position; /* of the last change applied, 0: none */
};
void registry_overlay_info(const void *overlay, struct registry_overlay_info *out);
/* How much of the scarcer room is taken, in per cent: keys or subjects. */
unsigned registry_overlay_filled(const struct registry_overlay_info *info);

/* The writer cannot follow the journal: somebody may be protected by it who is not in here. */
void registry_overlay_set_behind(void *overlay, bool behind);
bool registry_is_behind(const struct registry *r);
/* Of the last change that is in force, 0: none. What was looked up before it rose may be protected since. */
uint64_t registry_position(const struct registry *r);

/* ---- suspicions ------------------------------------------------------------------------------------------------- */

/* Of n keys those that are not protected now and were never suspected: what a new suspicion is made of. Room for n. */
size_t registry_suspicion(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_print *out);
/* Sorts, leaves each once, and drops what the overlay already suspects or has cleared; returns how many are left. */
size_t registry_suspicion_news(const void *overlay, struct registry_print *prints, size_t n);
bool registry_suspicion_handle(const uint8_t key[32], const struct registry_print *prints, size_t n, uint64_t *handle);
/* False when so little of the overlay is left that the next answer's suspicions may not fit: then nobody restricted is
 * answered, whatever is stored. What `apply` may use ends before that. */
bool registry_suspicion_room(const struct registry *r);
/* Is the subject suspected now? */
bool registry_is_suspected(const void *overlay, uint64_t subject);

/* ---- journal ---------------------------------------------------------------------------------------------------- */

/* Appends the framed record: magic, length, position, change, keyed hash (so that nobody without the key can write a
 * release), CRC-32C. */
RESULT registry_journal_encode(const uint8_t key[32], const struct registry_change *c, struct buf *out);
struct registry_journal_end {
    uint64_t bytes;    /* of whole records: cut the file here before appending */
    uint64_t position; /* of the last record; of one that is empty, the last that the index stands for (0: none) */
    uint64_t records, applied;
    bool torn; /* a crash left only parts of the last append: from `bytes` on nothing had been acknowledged */
};
/* Reads the journal and applies records from `from` (registry_info.journal) on to the overlay (NULL: only checks);
 * suspicions and what cleared them from the beginning, for no source knows them. UINT64_MAX: checks records alone.
 * `index` (NULL: none) is what the overlay lies over: one that was built where there was no journal says nothing of it by
 * position, and a release that is older than it ends no protection that it has. CONFIG (REGISTRY_JOURNAL_DAMAGED) when
 * something before the last record is broken, (REGISTRY_JOURNAL_BEHIND) when it ends before `from`, LIMIT when the overlay
 * is full. */
RESULT registry_journal_replay(const uint8_t key[32], span journal, uint64_t from, const struct registry_info *index,
    void *overlay, struct registry_journal_end *end);
/* The same of the records that were appended since it was read up to *end, of which there was one at least: `more` begins there, and
 * *end goes on where all went well. */
RESULT registry_journal_follow(const uint8_t key[32], span more, const struct registry_info *index, void *overlay,
    struct registry_journal_end *end);
/* Calls `each` with every record, in order; the change lives until it returns. Errors as above. */
RESULT registry_journal_each(const uint8_t key[32], span journal,
    void (*each)(void *ctx, const struct registry_change *c), void *ctx);

/* The keyed hash of the record at `position`, UINT64_MAX: of the last, in a journal of whole records that was read before. */
struct registry_journal_seal {
    bool found;
    uint8_t seal[16];
    uint64_t last; /* position of the last record, 0: there is none */
};
void registry_journal_seal_of(span journal, uint64_t position, struct registry_journal_seal *out);

/* ---- mark ------------------------------------------------------------------------------------------------------- */

/* What of a journal was in force at one gateway, kept apart from the journal: it must never go back unnoticed (mark.c). */
#define REGISTRY_MARK_SLOT 4096
#define REGISTRY_MARK_SLOTS 2
#define REGISTRY_MARK_BYTES (REGISTRY_MARK_SLOTS * REGISTRY_MARK_SLOT)
struct registry_mark {
    uint64_t sequence; /* of the write; 0: of a file that was just made */
    uint64_t position; /* in force up to here */
    uint8_t seal[16];  /* of the record there; zeros: an index stood for it */
    unsigned slot;     /* that holds it; the next one goes into the other */
};
/* LIMIT when the library fails. */
RESULT registry_mark_encode(const uint8_t key[32], const struct registry_mark *m, uint8_t slot[REGISTRY_MARK_SLOT]);
/* The newer one of its slots. CONFIG REGISTRY_MARK_DAMAGED, or REGISTRY_MARK_FOREIGN: *out is where to go on. */
RESULT registry_mark_read(const uint8_t key[32], span file, struct registry_mark *out);
/* Whether a journal of whole records that was read before, or the index (registry_info.journal), has all that was in force. CONFIG
 * REGISTRY_MARK_BEHIND or REGISTRY_MARK_ANOTHER. */
RESULT registry_mark_judge(const struct registry_mark *m, span journal, uint64_t index);
/* What both have: the mark that is due once it is in force. */
void registry_mark_of(span journal, uint64_t index, struct registry_mark *out);
/* Is there anything to be written? */
bool registry_mark_advances(const struct registry_mark *m, const struct registry_mark *next);

#endif
