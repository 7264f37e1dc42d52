/* Private to registry: live changes in shared memory. One writer; readers take no lock.
 *
 *   header │ filter words × 8 │ key slots × 32 │ subject slots × 16
 *
 * Both tables are open-addressed, filled at most half, and never forget. A key slot is written back to front and
 * becomes visible with the release store of its first word; a subject's state is one word. So a reader sees a change as
 * a whole for each key, and whatever it sees was true or is about to be acknowledged.
 *
 * The writer may be killed between any two stores; the next one then makes the same change again. So what a look-up passes on its
 * way (filter, counts) is written before what it finds, and a count may be one too high.
 *
 *   subject:  (none) ── protect ──► PROTECTED ◄── protect / release ──► RELEASED
 *
 *   suspicion: (none) ── suspect ──► SUSPECTED ── clear ──► CLEARED, which is final
 *
 * A subject that has no slot is as its index says. */
#ifndef GATE1367_REGISTRY_OVERLAY_H
#define GATE1367_REGISTRY_OVERLAY_H

#include "registry/image.h"

#include <stdatomic.h>

enum subject_state { SUBJECT_UNKNOWN = 0, SUBJECT_PROTECTED = 1, SUBJECT_RELEASED = 2, SUBJECT_SUSPECTED = 3, SUBJECT_CLEARED = 4 };
/* Only two values end a protection; whatever else stands there protects. */
static inline bool subject_let_go(enum subject_state s) { return s == SUBJECT_RELEASED || s == SUBJECT_CLEARED; }

struct overlay_key {
    _Atomic uint64_t a; /* 0: free; stored last */
    uint64_t b, subject, spare;
};
struct overlay_subject {
    _Atomic uint64_t handle; /* 0: free; stored last */
    _Atomic uint64_t state;
};
struct overlay_header {
    uint8_t magic[8];
    uint64_t size, words, key_slots, subject_slots;
    uint8_t check[16];
    _Atomic uint64_t keys, subjects, released, position, suspected;
    _Atomic uint64_t behind; /* 1: the writer cannot follow the journal */
};

/* What a reader keeps: sizes are read once and checked, so that later nonsense in the segment cannot lead it outside.
 */
struct overlay {
    const struct overlay_header *header; /* NULL: no overlay */
    const _Atomic uint64_t *filter;
    const struct overlay_key *keys;
    const struct overlay_subject *subjects;
    uint64_t words, key_slots, subject_slots;
};
RESULT overlay_open(const void *memory, const struct secrets *s, struct overlay *out);

/* Three bits in one word, by the lower bits of a fingerprint's first word; the upper ones choose the word. */
static inline uint64_t filter_bits(uint64_t a)
{
    return (uint64_t)1 << (a & 63) | (uint64_t)1 << (a >> 6 & 63) | (uint64_t)1 << (a >> 12 & 63);
}
static inline uint64_t overlay_first(struct registry_print p)
{
    return p.a ? p.a : 1;
}

static inline bool overlay_has_keys(const struct overlay *o)
{
    return o->header && atomic_load_explicit(&o->header->keys, memory_order_acquire) > 0;
}
static inline bool overlay_may_have(const struct overlay *o, uint64_t a)
{
    uint64_t bits = filter_bits(a);
    return (atomic_load_explicit(&o->filter[scale(a, o->words)], memory_order_acquire) & bits) == bits;
}

enum subject_state overlay_subject_state(const struct overlay *o, uint64_t handle);
bool overlay_suspects(const struct overlay *o, uint64_t handle);
/* Protected subjects of the key that the overlay added; like registry_subjects. */
size_t overlay_key_subjects(const struct overlay *o, struct registry_print p, uint64_t *subjects, size_t cap);
/* Did it ever suspect somebody by this key? */
bool overlay_key_suspicion(const struct overlay *o, struct registry_print p);
/* Of a mapped segment, by its owner or by a reader that checked the key. */
RESULT overlay_read(const void *memory, struct overlay *out);
/* Of an open registry: checked to be one. */
const struct image *registry_image(const struct registry *r);
const struct overlay *registry_overlay(const struct registry *r);
const struct secrets *registry_secrets(const struct registry *r);
/* Calls `each` with every subject that the overlay protects (suspicions apart: no source has them). */
void overlay_each_protected(const struct overlay *o, void (*each)(void *ctx, uint64_t handle), void *ctx);

/* Calls `each` once with every subject that the index or the overlay protects now. */
void registry_each_protected(const struct registry *r, void (*each)(void *ctx, uint64_t handle), void *ctx);

#endif
