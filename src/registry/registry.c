/* Looking up. First it is asked which keys may be known at all (ask.c); those few go in passes, so that the memory's latency is
 * paid once and not sixteen times: ask for all their lines, find their slots and ask for what those refer to, then judge.
 *
 *= 8USC1367 a(2) */
#include "registry/ask.h"
#include "registry/overlay.h"

#define REGISTRY_MAGIC 0x52454749u
#define BATCH 16

struct registry {
    uint32_t magic;
    struct image image;
    struct secrets secrets;
    struct overlay overlay;
};

static RESULT open_parts(struct registry *r, span index, const uint8_t key[32], const void *overlay)
{
    TRY(secrets_derive(&r->secrets, key));
    TRY(image_read(index, &r->secrets, &r->image));
    return overlay_open(overlay, &r->secrets, &r->overlay);
}

RESULT registry_open(span index, const uint8_t key[32], const void *overlay, struct registry **out)
{
    struct registry *r = mem_alloc(sizeof *r);
    *out = NULL;
    REQUIRE(r, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    r->magic = REGISTRY_MAGIC;
    result opened = open_parts(r, index, key, overlay);
    if (!is_ok(opened)) {
        registry_close(r);
        return opened;
    }
    *out = r;
    return OK;
}

void registry_close(struct registry *r)
{
    if (!r) return;
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    r->magic = 0;
    mem_free_wipe(r, sizeof *r);
}

/* ---- the index ---- */

static const uint8_t *bucket_at(const struct image *i, uint64_t bucket)
{
    return i->buckets + bucket * BUCKET_BYTES;
}

/* Subjects that a slot refers to: `*first` of them lie at *members (as indices), or one is *single. */
struct reference {
    const uint8_t *members; /* NULL: the one subject `single` */
    uint64_t single, count;
};

/* False when the reference leads outside the tables; the keyed hash over the file makes that our own bug or failing
 * memory, and the caller then protects. */
static bool read_reference(const struct image *i, const uint8_t *slot, struct reference *out)
{
    const struct image_header *h = &i->header;
    uint64_t reference = slot_reference(slot, h->reference_bits);
    *out = (struct reference){.single = reference, .count = 1};
    if (reference < h->subjects) return true;
    uint64_t group = reference - h->subjects;
    if (group >= h->groups) return false;
    uint32_t from = load_le32(i->groups + 4 * group), to = load_le32(i->groups + 4 * group + 4);
    if (from >= to || to > h->members) return false;
    *out = (struct reference){.members = i->members + (size_t)4 * from, .count = to - from};
    return true;
}

/* Handle of the n-th subject, or REGISTRY_NO_SUBJECT when its index leads outside. */
static uint64_t reference_handle(const struct image *i, const struct reference *ref, uint64_t n)
{
    uint64_t subject = ref->members ? load_le32(ref->members + 4 * n) : ref->single;
    return subject < i->header.subjects ? load_le64(i->handles + 8 * subject) : REGISTRY_NO_SUBJECT;
}

static bool handle_protected(const struct registry *r, uint64_t handle)
{
    return !subject_let_go(overlay_subject_state(&r->overlay, handle));
}

static struct registry_hit judge_slot(const struct registry *r, const uint8_t *slot)
{
    struct reference ref;
    if (!read_reference(&r->image, slot, &ref)) return (struct registry_hit){true, REGISTRY_NO_SUBJECT};
    for (uint64_t i = 0; i < ref.count; i++) {
        uint64_t handle = reference_handle(&r->image, &ref, i);
        if (handle_protected(r, handle)) return (struct registry_hit){true, handle};
    }
    return (struct registry_hit){false, REGISTRY_NO_SUBJECT};
}

/* ---- both ---- */

static struct registry_hit probe_overlay(const struct registry *r, struct registry_print p)
{
    uint64_t subject;
    if (!overlay_may_have(&r->overlay, p.a) || overlay_key_subjects(&r->overlay, p, &subject, 1) == 0)
        return (struct registry_hit){false, REGISTRY_NO_SUBJECT};
    return (struct registry_hit){true, subject};
}

static struct registry_hit probe_slot(
    const struct registry *r, struct registry_print p, const uint8_t *slot, bool overlay)
{
    struct registry_hit hit = {false, REGISTRY_NO_SUBJECT};
    if (slot) hit = judge_slot(r, slot);
    return !hit.protected_ && overlay ? probe_overlay(r, p) : hit;
}

/* Brings a line near. No load: one whose line is far away holds up all behind it until it comes, so that the next batch
 * is not hashed meanwhile (measured at forty million keys: 36 ns a miss instead of 70, in huge pages as in small ones). */
static inline void ask_for(const void *line)
{
    __builtin_prefetch(line);
}

/* The line that holds the slot's handle; of a group, where its members stand. */
static void ask_for_handle(const struct image *i, const uint8_t *slot)
{
    uint64_t reference = slot_reference(slot, i->header.reference_bits), subjects = i->header.subjects;
    if (reference < subjects)
        ask_for(i->handles + 8 * reference);
    else if (reference - subjects < i->header.groups)
        ask_for(i->groups + 4 * (reference - subjects));
}

/* Keys that may be known. */
struct batch {
    size_t n;
    bool overlay;
    struct registry_print prints[BATCH];
    uint64_t tags[BATCH];
    const uint8_t *homes[BATCH];
    const uint8_t *slots[BATCH]; /* NULL: not found */
};

static void ask_for_homes(const struct registry *r, struct batch *b)
{
    const struct image_header *h = &r->image.header;
    for (size_t i = 0; i < b->n; i++) {
        b->tags[i] = print_tag(b->prints[i], h->reference_bits);
        b->homes[i] = bucket_at(&r->image, home_bucket(b->prints[i], h->buckets));
        ask_for(b->homes[i]);
        if (b->overlay) ask_for((const void *)&r->overlay.filter[scale(b->prints[i].a, r->overlay.words)]);
    }
}

static void find_slots(const struct registry *r, const uint8_t *const *buckets, const uint64_t *tags, size_t n, const uint8_t **slots)
{
    unsigned bits = r->image.header.reference_bits;
    if (r->secrets.level == CPU_PORTABLE)
        ask_slots_portable(buckets, tags, n, bits, slots);
    else
        ask_slots_avx2(buckets, tags, n, bits, slots);
}

static const uint8_t *other_of(const struct image *image, const uint8_t *home, uint64_t tag)
{
    uint64_t at = (uint64_t)(home - image->buckets) / BUCKET_BYTES;
    return bucket_at(image, other_bucket(tag, at, image->header.buckets));
}

/* Some of a batch. */
struct some {
    size_t n;
    uint8_t which[BATCH];
};

/* Those at home and the others, without a branch for each: nobody foretells which is which. */
static void part(const struct batch *b, struct some *here, struct some *away)
{
    here->n = away->n = 0;
    for (size_t i = 0; i < b->n; i++) {
        here->which[here->n] = away->which[away->n] = (uint8_t)i;
        here->n += b->slots[i] != NULL;
        away->n += b->slots[i] == NULL;
    }
}

/* Of all that are not at home the other bucket is asked for before any is read. */
static void ask_for_others(const struct registry *r, const struct batch *b, const struct some *away, const uint8_t **others, uint64_t *tags)
{
    for (size_t i = 0; i < away->n; i++) {
        tags[i] = b->tags[away->which[i]];
        others[i] = other_of(&r->image, b->homes[away->which[i]], tags[i]);
        ask_for(others[i]);
    }
}

static void find_batch(const struct registry *r, struct batch *b)
{
    const uint8_t *others[BATCH], *slots[BATCH];
    uint64_t tags[BATCH];
    struct some here, away;
    ask_for_homes(r, b);
    find_slots(r, b->homes, b->tags, b->n, b->slots);
    part(b, &here, &away);
    ask_for_others(r, b, &away, others, tags);
    for (size_t i = 0; i < here.n; i++)
        ask_for_handle(&r->image, b->slots[here.which[i]]);
    find_slots(r, others, tags, away.n, slots);
    for (size_t i = 0; i < away.n; i++) {
        b->slots[away.which[i]] = slots[i];
        if (slots[i]) ask_for_handle(&r->image, slots[i]);
    }
}

/* Those of the batch's fingerprints. */
static void judge(const struct registry *r, struct batch *b, struct registry_hit *hits)
{
    b->overlay = overlay_has_keys(&r->overlay);
    find_batch(r, b);
    for (size_t i = 0; i < b->n; i++)
        hits[i] = probe_slot(r, b->prints[i], b->slots[i], b->overlay);
}

/* Of the next of those that are known, at most BATCH; whose they are stands in `whose`. */
static uint64_t take_known(const struct registry *r, const struct registry_asks *a, const struct registry_key *keys,
    uint64_t known, struct batch *b, uint8_t *whose)
{
    uint8_t messages[BATCH][REGISTRY_WAY_WIDTH];
    uint32_t longs = 0;
    for (b->n = 0; known && b->n < BATCH; known &= known - 1) {
        unsigned i = (unsigned)__builtin_ctzll(known);
        longs |= (uint32_t)(a->longs >> i & 1) << b->n;
        whose[b->n] = (uint8_t)i;
        memcpy(messages[b->n++], a->messages[i], sizeof messages[0]);
    }
    message_prints(&r->secrets, (const uint8_t(*)[REGISTRY_WAY_WIDTH])messages, b->n, b->prints);
    for (; longs; longs &= longs - 1) {
        unsigned i = (unsigned)__builtin_ctz(longs);
        print_keys(&r->secrets, &keys[whose[i]], 1, &b->prints[i]);
    }
    return known;
}

static void probe_many(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits)
{
    struct registry_asks asks;
    asks.count = asks.most = 0;
    asks.longs = 0;
    for (size_t i = 0; i < n; i++) {
        registry_ask(r, &asks, &keys[i]);
        hits[i] = (struct registry_hit){false, REGISTRY_NO_SUBJECT};
    }
    for (uint64_t known = registry_any(r, &asks); known;) {
        struct batch b;
        struct registry_hit judged[BATCH];
        uint8_t whose[BATCH] = {0};
        known = take_known(r, &asks, keys, known, &b, whose);
        judge(r, &b, judged);
        for (size_t i = 0; i < b.n; i++)
            hits[whose[i]] = judged[i];
    }
}

static void probe_few(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits)
{
    struct batch b;
    b.n = n;
    print_keys(&r->secrets, keys, n, b.prints);
    judge(r, &b, hits);
}

#define FEW 4 /* are judged as soon */
void registry_probe(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    for (size_t from = 0, count; from < n; from += count) {
        count = n - from < REGISTRY_ASKS ? n - from : REGISTRY_ASKS;
        if (count < FEW)
            probe_few(r, keys + from, count, hits + from);
        else
            probe_many(r, keys + from, count, hits + from);
    }
}

/* Appends unless it is among the first `known` of what is already there. */
static size_t add_subject(uint64_t handle, uint64_t *subjects, size_t n, size_t cap)
{
    for (size_t i = 0; i < n && i < cap; i++)
        if (subjects[i] == handle) return n;
    if (n < cap) subjects[n] = handle;
    return n + 1;
}

static size_t index_subjects(const struct registry *r, struct registry_print p, uint64_t *subjects, size_t cap)
{
    struct batch b;
    struct reference ref;
    size_t n = 0;
    b.n = 1;
    b.overlay = false;
    b.prints[0] = p;
    find_batch(r, &b);
    const uint8_t *slot = b.slots[0];
    if (!slot) return 0;
    if (!read_reference(&r->image, slot, &ref)) return add_subject(REGISTRY_NO_SUBJECT, subjects, 0, cap);
    for (uint64_t i = 0; i < ref.count; i++) {
        uint64_t handle = reference_handle(&r->image, &ref, i);
        if (handle_protected(r, handle)) n = add_subject(handle, subjects, n, cap);
    }
    return n;
}

size_t registry_subjects(const struct registry *r, const struct registry_key *key, uint64_t *subjects, size_t cap)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    struct registry_print p;
    uint64_t added[16];
    print_keys(&r->secrets, key, 1, &p);
    size_t n = index_subjects(r, p, subjects, cap);
    if (!overlay_has_keys(&r->overlay) || !overlay_may_have(&r->overlay, p.a)) return n;
    size_t more = overlay_key_subjects(&r->overlay, p, added, ARRAY_LEN(added));
    for (size_t i = 0; i < more && i < ARRAY_LEN(added); i++)
        n = add_subject(added[i], subjects, n, cap);
    return n + (more > ARRAY_LEN(added) ? more - ARRAY_LEN(added) : 0);
}

bool registry_protects(const struct registry *r, uint64_t subject)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    enum subject_state state = overlay_subject_state(&r->overlay, subject);
    return state == SUBJECT_PROTECTED || state == SUBJECT_SUSPECTED || (state == SUBJECT_UNKNOWN && image_has_subject(&r->image, subject));
}

bool registry_suspects(const struct registry *r, uint64_t subject)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    return overlay_suspects(&r->overlay, subject);
}

/* Those that only the overlay knows. */
struct overlay_walk {
    const struct registry *registry;
    void (*each)(void *ctx, uint64_t handle);
    void *ctx;
};
static void walk_overlay(void *ctx, uint64_t handle)
{
    const struct overlay_walk *w = ctx;
    if (!image_has_subject(&w->registry->image, handle)) w->each(w->ctx, handle);
}

void registry_each_protected(const struct registry *r, void (*each)(void *ctx, uint64_t handle), void *ctx)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    for (uint64_t i = 0; i < r->image.header.subjects; i++) {
        uint64_t handle = load_le64(r->image.handles + 8 * i);
        if (handle_protected(r, handle)) each(ctx, handle);
    }
    struct overlay_walk w = {r, each, ctx};
    overlay_each_protected(&r->overlay, walk_overlay, &w);
}

#define LOOKUP_MAX 1024
bool registry_lookup(
    const struct registry *r, enum registry_kind kind, span value, span system, struct registry_hit *hit)
{
    uint8_t folded[LOOKUP_MAX], canonical[REGISTRY_CANONICAL_MAX];
    if (value.len > sizeof folded) return false;
    size_t n = registry_canonical(kind, span_of(folded, registry_fold(value, folded)), canonical);
    struct registry_key key = {
        kind, registry_kind_is_surrogate(kind) ? registry_system_id(system) : 0, span_of(canonical, n)};
    if (n > 0) registry_probe(r, &key, 1, hit);
    mem_wipe(folded, sizeof folded);
    mem_wipe(canonical, sizeof canonical);
    return n > 0;
}

const struct image *registry_image(const struct registry *r)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    return &r->image;
}
const struct overlay *registry_overlay(const struct registry *r) { return &r->overlay; }
const struct secrets *registry_secrets(const struct registry *r) { return &r->secrets; }

bool registry_is_stale(uint64_t built, uint64_t max_age_us, uint64_t now_us)
{
    if (max_age_us == 0) return false;
    if (built > (UINT64_MAX - REGISTRY_CLOCK_SLACK_US) / 1000000) return true;
    uint64_t built_us = built * 1000000;
    return now_us < built_us ? built_us - now_us > REGISTRY_CLOCK_SLACK_US : now_us - built_us >= max_age_us;
}

void registry_info(const struct registry *r, struct registry_info *out)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    const struct image_header *h = &r->image.header;
    *out = (struct registry_info){
        .keys = h->keys, .subjects = h->subjects, .built = h->built, .journal = h->journal, .bytes = h->bytes};
    memcpy(out->version, r->image.mac, sizeof out->version);
}
