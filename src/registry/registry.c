/* Looking up. A batch goes in passes, so that the memory's latency is paid once and not sixteen times: hash all keys,
 *ask for all their lines, find their slots and ask for what those refer to, then judge.
 *
 *= 8USC1367 a(2) */
#include "registry/find.h"
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

static void find_slots(const struct registry *r, struct find *f, size_t n)
{
    if (r->secrets.level == CPU_AVX512)
        find_slots_avx512(f, n, r->image.header.reference_bits);
    else
        find_slots_portable(f, n, r->image.header.reference_bits);
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
    if (!overlay_may_have(&r->overlay, p) || overlay_key_subjects(&r->overlay, p, &subject, 1) == 0)
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

/* One batch on its way: its lines were asked for, then its slots found. */
struct batch {
    size_t n;
    bool overlay;
    struct registry_print prints[BATCH];
    struct find homes[BATCH];
    const uint8_t *slots[BATCH]; /* NULL: not found */
    struct find others[BATCH];   /* of those that may have moved */
    uint8_t moved[BATCH];        /* which they are */
    size_t moved_count;
};

static void ask_for_lines(const struct registry *r, struct batch *b)
{
    const struct image_header *h = &r->image.header;
    for (size_t i = 0; i < b->n; i++) {
        b->homes[i].bucket = bucket_at(&r->image, home_bucket(b->prints[i], h->buckets));
        b->homes[i].tag = print_tag(b->prints[i], h->reference_bits);
        ask_for(b->homes[i].bucket);
        if (b->overlay) ask_for((const void *)&r->overlay.filter[scale(b->prints[i].a, r->overlay.words)]);
    }
}

static const uint8_t *take_slot(const struct image *image, const struct find *f)
{
    if (f->slot == FIND_NONE) return NULL;
    const uint8_t *slot = f->bucket + f->slot * SLOT_BYTES;
    ask_for_handle(image, slot);
    return slot;
}

/* Keys that are not at home and may have moved: their second line is asked for before any of them is read. */
static void find_homes(const struct registry *r, struct batch *b)
{
    const struct image *image = &r->image;
    b->moved_count = 0;
    find_slots(r, b->homes, b->n);
    for (size_t i = 0; i < b->n; i++) {
        const struct find *f = &b->homes[i];
        b->slots[i] = take_slot(image, f);
        if (b->slots[i] || (f->bucket[BUCKET_BYTES - 1] & moved_bit(f->tag)) == 0) continue;
        uint64_t home = (uint64_t)(f->bucket - image->buckets) / BUCKET_BYTES;
        const uint8_t *other = bucket_at(image, other_bucket(f->tag, home, image->header.buckets));
        ask_for(other);
        b->moved[b->moved_count] = (uint8_t)i;
        b->others[b->moved_count++] = (struct find){.bucket = other, .tag = f->tag};
    }
}

static void find_moved(const struct registry *r, struct batch *b)
{
    find_slots(r, b->others, b->moved_count);
    for (size_t i = 0; i < b->moved_count; i++)
        b->slots[b->moved[i]] = take_slot(&r->image, &b->others[i]);
}

static void begin_batch(const struct registry *r, const struct registry_key *keys, size_t n, struct batch *b)
{
    b->n = n < BATCH ? n : BATCH;
    b->overlay = overlay_has_keys(&r->overlay);
    print_keys(&r->secrets, keys, b->n, b->prints);
    ask_for_lines(r, b);
}

static void end_batch(const struct registry *r, struct batch *b, struct registry_hit *hits)
{
    find_moved(r, b);
    for (size_t i = 0; i < b->n; i++)
        hits[i] = probe_slot(r, b->prints[i], b->slots[i], b->overlay);
}

/* Three batches are on their way: while the lines of one arrive, the next is hashed, and the one before is judged. */
void registry_probe(const struct registry *r, const struct registry_key *keys, size_t n, struct registry_hit *hits)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    struct batch ring[3];
    size_t batches = (n + BATCH - 1) / BATCH;
    for (size_t step = 0; step < batches + 2; step++) {
        if (step < batches) begin_batch(r, keys + step * BATCH, n - step * BATCH, &ring[step % 3]);
        if (step >= 1 && step - 1 < batches) find_homes(r, &ring[(step - 1) % 3]);
        if (step >= 2) end_batch(r, &ring[(step - 2) % 3], hits + (step - 2) * BATCH);
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
    struct batch b = {.n = 1, .prints = {p}};
    struct reference ref;
    size_t n = 0;
    ask_for_lines(r, &b);
    find_homes(r, &b);
    find_moved(r, &b);
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
    if (!overlay_has_keys(&r->overlay) || !overlay_may_have(&r->overlay, p)) return n;
    size_t more = overlay_key_subjects(&r->overlay, p, added, ARRAY_LEN(added));
    for (size_t i = 0; i < more && i < ARRAY_LEN(added); i++)
        n = add_subject(added[i], subjects, n, cap);
    return n + (more > ARRAY_LEN(added) ? more - ARRAY_LEN(added) : 0);
}

static bool index_has_subject(const struct image *i, uint64_t handle)
{
    uint64_t low = 0, high = i->header.subjects;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, there = load_le64(i->handles + 8 * middle);
        if (there == handle) return true;
        if (there < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool registry_protects(const struct registry *r, uint64_t subject)
{
    MAGIC_CHECK(r, REGISTRY_MAGIC);
    enum subject_state state = overlay_subject_state(&r->overlay, subject);
    return state == SUBJECT_PROTECTED || state == SUBJECT_SUSPECTED || (state == SUBJECT_UNKNOWN && index_has_subject(&r->image, subject));
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
    if (!index_has_subject(&w->registry->image, handle)) w->each(w->ctx, handle);
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
