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
/* Folds fullwidth and other decimal digits and fullwidth letters to ASCII, drops zero-width characters and soft hyphen,
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

struct registry;
/* `index` is mapped read-only and outlives the registry. `overlay` (or NULL) likewise, made by registry_overlay_format.
 * CONFIG when the file is no index, of another format, damaged (checksum), or made with another key. */
RESULT registry_open(span index, const uint8_t key[32], const void *overlay, struct registry **out);
void registry_close(struct registry *r);
/* Looks up n keys with prefetching, any n. Constant work per key whether it hits or not, as far as a table allows. */
void registry_probe(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits);
/* All protected subjects of a key (an identifier may have several): fills at most cap handles, returns how many there are. */
size_t registry_subjects(const struct registry *r, const struct registry_key *key, uint64_t *subjects, size_t cap);

struct registry_info {
    uint64_t keys, subjects; /* protected subjects and their keys */
    uint64_t built;          /* unix seconds */
    uint64_t journal;        /* position in the journal that the index includes */
    uint64_t bytes;
    uint8_t version[16]; /* fingerprint of the content, shown in ledger entries */
};
void registry_info(const struct registry *r, struct registry_info *out);

#endif
