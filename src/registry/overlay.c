/* Live changes: the writer's side and the readers' (overlay.h has the picture).
 *
 *= ICE10036.2 2.1   somebody whose case is filed today is protected today */
#include "registry/overlay.h"

#define OVERLAY_MAGIC "G1367OVL"
#define OVERLAY_CHECK SPAN("gate1367 registry overlay")

/* A key slot takes 32 bytes, half a subject slot 8, and its share of the filter 1. */
static void size_tables(struct overlay_header *h, size_t size)
{
    uint64_t slots = (size - sizeof *h - 64) / (32 + 8 + 1);
    h->size = size;
    h->key_slots = slots;
    h->subject_slots = slots / 2;
    h->words = slots / 8;
}

static void lay_out(struct overlay *o, const void *memory)
{
    const uint8_t *at = (const uint8_t *)memory + sizeof(struct overlay_header);
    o->header = memory;
    o->filter = (const void *)at;
    o->keys = (const void *)(at + o->words * 8);
    o->subjects = (const void *)(at + o->words * 8 + o->key_slots * sizeof(struct overlay_key));
}

/* Whatever is written to memory that was all zero, the header was written before. Pages that nobody needs are not touched: they
 * would be a third of the time that a start takes. */
static bool is_fresh(const struct overlay_header *h)
{
    static const uint8_t none[sizeof h->magic];
    return memcmp(h->magic, none, sizeof none) == 0 && h->size == 0;
}

RESULT registry_overlay_format(void *memory, size_t size, const uint8_t key[32])
{
    struct secrets s;
    struct overlay_header h = {0};
    REQUIRE(size >= REGISTRY_OVERLAY_MIN && (uintptr_t)memory % 16 == 0, ERROR_CONFIG, REGISTRY_OVERLAY_BAD);
    TRY(secrets_derive(&s, key));
    if (!is_fresh(memory)) memset(memory, 0, size);
    size_tables(&h, size);
    siphash128(s.check, OVERLAY_CHECK, h.check);
    secrets_wipe(&s);
    memcpy(memory, &h, sizeof h);
    memcpy(memory, OVERLAY_MAGIC, 8);
    return OK;
}

/* Takes the segment apart; its own sizes must be those that its length gives. */
RESULT overlay_read(const void *memory, struct overlay *out)
{
    const struct overlay_header *h = memory;
    struct overlay_header expected = {0};
    REQUIRE(
        memcmp(h->magic, OVERLAY_MAGIC, 8) == 0 && h->size >= REGISTRY_OVERLAY_MIN, ERROR_CONFIG, REGISTRY_OVERLAY_BAD);
    size_tables(&expected, h->size);
    REQUIRE(
        h->key_slots == expected.key_slots && h->subject_slots == expected.subject_slots && h->words == expected.words,
        ERROR_CONFIG, REGISTRY_OVERLAY_BAD);
    *out = (struct overlay){
        .words = expected.words, .key_slots = expected.key_slots, .subject_slots = expected.subject_slots};
    lay_out(out, memory);
    return OK;
}

RESULT overlay_open(const void *memory, const struct secrets *s, struct overlay *out)
{
    uint8_t check[16];
    *out = (struct overlay){0};
    if (!memory) return OK;
    TRY(overlay_read(memory, out));
    siphash128(s->check, OVERLAY_CHECK, check);
    REQUIRE(memcmp(check, out->header->check, 16) == 0, ERROR_CONFIG, REGISTRY_OVERLAY_BAD);
    return OK;
}

/* ---- reading ---- */

/* The subject's slot, or the free one where it would go; NULL when neither is found (a table that lies). */
static const struct overlay_subject *find_subject(const struct overlay *o, uint64_t handle)
{
    uint64_t at = scale(handle, o->subject_slots);
    for (uint64_t i = 0; i < o->subject_slots; i++) {
        uint64_t there = atomic_load_explicit(&o->subjects[at].handle, memory_order_acquire);
        if (there == handle || there == 0) return &o->subjects[at];
        if (++at == o->subject_slots) at = 0;
    }
    return NULL;
}

enum subject_state overlay_subject_state(const struct overlay *o, uint64_t handle)
{
    if (!o->header || atomic_load_explicit(&o->header->subjects, memory_order_acquire) == 0) return SUBJECT_UNKNOWN;
    const struct overlay_subject *s = find_subject(o, handle);
    if (!s || atomic_load_explicit(&s->handle, memory_order_acquire) == 0) return SUBJECT_UNKNOWN;
    uint64_t state = atomic_load_explicit(&s->state, memory_order_acquire);
    bool known = state == SUBJECT_RELEASED || state == SUBJECT_SUSPECTED || state == SUBJECT_CLEARED;
    return known ? (enum subject_state)state : SUBJECT_PROTECTED;
}

bool overlay_suspects(const struct overlay *o, uint64_t handle) { return overlay_subject_state(o, handle) == SUBJECT_SUSPECTED; }

size_t overlay_key_subjects(const struct overlay *o, struct registry_print p, uint64_t *subjects, size_t cap)
{
    uint64_t first = overlay_first(p), at = scale(p.a, o->key_slots);
    size_t n = 0;
    for (uint64_t i = 0; i < o->key_slots; i++) {
        const struct overlay_key *k = &o->keys[at];
        uint64_t a = atomic_load_explicit(&k->a, memory_order_acquire);
        if (a == 0) break;
        if (a == first && k->b == p.b && !subject_let_go(overlay_subject_state(o, k->subject))) {
            if (n < cap) subjects[n] = k->subject;
            n++;
        }
        if (++at == o->key_slots) at = 0;
    }
    return n;
}

bool overlay_key_suspicion(const struct overlay *o, struct registry_print p)
{
    uint64_t first = overlay_first(p), at = scale(p.a, o->key_slots);
    for (uint64_t i = 0; i < o->key_slots; i++) {
        const struct overlay_key *k = &o->keys[at];
        uint64_t a = atomic_load_explicit(&k->a, memory_order_acquire);
        if (a == 0) return false;
        enum subject_state s = a == first && k->b == p.b ? overlay_subject_state(o, k->subject) : SUBJECT_UNKNOWN;
        if (s == SUBJECT_SUSPECTED || s == SUBJECT_CLEARED) return true;
        if (++at == o->key_slots) at = 0;
    }
    return false;
}

void overlay_each_protected(const struct overlay *o, void (*each)(void *ctx, uint64_t handle), void *ctx)
{
    for (uint64_t i = 0; o->header && i < o->subject_slots; i++) {
        uint64_t handle = atomic_load_explicit(&o->subjects[i].handle, memory_order_acquire);
        if (handle != 0 && atomic_load_explicit(&o->subjects[i].state, memory_order_acquire) == SUBJECT_PROTECTED)
            each(ctx, handle);
    }
}

/* ---- writing ---- */

static uint64_t load(const _Atomic uint64_t *p)
{
    return atomic_load_explicit(p, memory_order_relaxed);
}
static void publish(const _Atomic uint64_t *p, uint64_t v)
{
    atomic_store_explicit((_Atomic uint64_t *)(uintptr_t)p, v, memory_order_release);
}

/* The slot that holds key and subject, or the free one behind the key's others. */
static const struct overlay_key *find_key(const struct overlay *o, struct registry_print p, uint64_t subject)
{
    uint64_t first = overlay_first(p), at = scale(p.a, o->key_slots);
    ASSERT(o->keys);
    for (uint64_t i = 0; i < o->key_slots; i++) {
        const struct overlay_key *k = &o->keys[at];
        if (load(&k->a) == 0 || (load(&k->a) == first && k->b == p.b && k->subject == subject)) return k;
        if (++at == o->key_slots) at = 0;
    }
    return NULL;
}

/* Keys of the change that would take a slot. A key named twice is counted twice: room is then refused a little early.
 */
static uint64_t new_keys(const struct overlay *o, const struct registry_change *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->key_count; i++) {
        const struct overlay_key *k = find_key(o, c->keys[i], c->subject);
        n += !k || load(&k->a) == 0;
    }
    return n;
}

static RESULT check_room(const struct overlay *o, const struct registry_change *c)
{
    uint64_t keys = o->key_slots / 2, subjects = o->subject_slots / 2;
    REQUIRE(load(&o->header->keys) + new_keys(o, c) <= keys, ERROR_LIMIT, REGISTRY_OVERLAY_FULL);
    const struct overlay_subject *s = find_subject(o, c->subject);
    bool known = s && load(&s->handle) == c->subject;
    REQUIRE(known || load(&o->header->subjects) + 1 <= subjects, ERROR_LIMIT, REGISTRY_OVERLAY_FULL);
    return OK;
}

/* What an operator adds leaves an eighth to what answers show: that cannot wait for a rebuild. */
static RESULT check_reserve(const struct overlay *o, const struct registry_change *c)
{
    uint64_t keys = o->key_slots / 2, subjects = o->subject_slots / 2;
    if (c->op != REGISTRY_PROTECT) return OK;
    bool fits = load(&o->header->keys) + new_keys(o, c) <= keys - keys / 8 &&
                load(&o->header->subjects) + 1 <= subjects - subjects / 8;
    REQUIRE(fits, ERROR_LIMIT, REGISTRY_OVERLAY_FULL);
    return OK;
}

RESULT registry_overlay_room(const void *memory, const struct registry_change *c)
{
    struct overlay o;
    TRY(overlay_read(memory, &o));
    TRY(check_reserve(&o, c));
    return check_room(&o, c);
}

/* What leads to a key stands before the key does: a key that is there is never looked at again, not even by who reads the journal
 * behind a writer that was killed. */
static void add_key(const struct overlay *o, struct registry_print p, uint64_t subject)
{
    const struct overlay_key *found = find_key(o, p, subject);
    ASSERT(found != NULL);
    if (load(&found->a) != 0) return;
    const _Atomic uint64_t *word = &o->filter[scale(p.a, o->words)];
    publish(word, load(word) | filter_bits(p.a));
    publish(&o->header->keys, load(&o->header->keys) + 1);
    struct overlay_key *k = (struct overlay_key *)(uintptr_t)found;
    k->b = p.b;
    k->subject = subject;
    publish(&k->a, overlay_first(p));
}

/* Somebody may have been killed before he counted. */
static void count_state(const _Atomic uint64_t *count, bool was, bool is)
{
    uint64_t n = load(count);
    if (is && !was) publish(count, n + 1);
    if (was && !is && n > 0) publish(count, n - 1);
}

static void set_state(const struct overlay *o, uint64_t handle, enum subject_state state)
{
    const struct overlay_subject *s = find_subject(o, handle);
    ASSERT(s != NULL);
    bool known = load(&s->handle) == handle;
    uint64_t was = known ? load(&s->state) : SUBJECT_UNKNOWN;
    if (!known) publish(&o->header->subjects, load(&o->header->subjects) + 1);
    publish(&s->state, state);
    if (!known) publish(&s->handle, handle);
    count_state(&o->header->released, was == SUBJECT_RELEASED, state == SUBJECT_RELEASED);
    count_state(&o->header->suspected, was == SUBJECT_SUSPECTED, state == SUBJECT_SUSPECTED);
}

static enum subject_state state_after(const struct overlay *o, const struct registry_change *c)
{
    switch (c->op) {
    case REGISTRY_PROTECT: break;
    case REGISTRY_RELEASE: return SUBJECT_RELEASED;
    case REGISTRY_CLEAR: return SUBJECT_CLEARED;
    case REGISTRY_SUSPECT: /* also read a second time from the journal, behind what cleared it */
        return overlay_subject_state(o, c->subject) == SUBJECT_CLEARED ? SUBJECT_CLEARED : SUBJECT_SUSPECTED;
    }
    return SUBJECT_PROTECTED;
}

/* A protect adds its keys before it turns the subject's state, so that a released subject comes back whole; a release
 * turns the state alone. */
RESULT registry_overlay_apply(void *memory, const struct registry_change *c)
{
    struct overlay o;
    TRY(overlay_read(memory, &o));
    ASSERT(c->subject != REGISTRY_NO_SUBJECT);
    TRY(check_room(&o, c));
    for (size_t i = 0; i < c->key_count; i++)
        add_key(&o, c->keys[i], c->subject);
    set_state(&o, c->subject, state_after(&o, c));
    if (c->position > load(&o.header->position)) publish(&o.header->position, c->position);
    return OK;
}

void registry_overlay_wipe(void *memory, size_t size)
{
    struct overlay o;
    bool filled = !is_ok(overlay_read(memory, &o)) || load(&o.header->keys) > 0 || load(&o.header->subjects) > 0;
    mem_wipe(memory, filled ? size : sizeof *o.header);
}

void registry_overlay_set_behind(void *memory, bool behind)
{
    struct overlay o;
    if (is_ok(overlay_read(memory, &o))) publish(&o.header->behind, behind);
}

bool registry_is_behind(const struct registry *r)
{
    const struct overlay *o = registry_overlay(r);
    return o->header && load(&o->header->behind) != 0;
}

uint64_t registry_position(const struct registry *r)
{
    const struct overlay *o = registry_overlay(r);
    return o->header ? atomic_load_explicit(&o->header->position, memory_order_acquire) : 0;
}

void registry_overlay_info(const void *memory, struct registry_overlay_info *out)
{
    struct overlay o;
    *out = (struct registry_overlay_info){0};
    if (!memory || !is_ok(overlay_read(memory, &o))) return;
    *out = (struct registry_overlay_info){.keys = load(&o.header->keys),
        .key_room = o.key_slots / 2,
        .subjects = load(&o.header->subjects),
        .subject_room = o.subject_slots / 2,
        .released = load(&o.header->released),
        .suspected = load(&o.header->suspected),
        .position = load(&o.header->position)};
}

unsigned registry_overlay_filled(const struct registry_overlay_info *info)
{
    uint64_t keys = info->key_room ? info->keys * 100 / info->key_room : 0;
    uint64_t subjects = info->subject_room ? info->subjects * 100 / info->subject_room : 0;
    return (unsigned)(keys > subjects ? keys : subjects);
}
