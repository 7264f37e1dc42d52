/* Is any of these known? As registry_probe(), but that nothing is named and nothing judged: a value whose tag stands in
 * the index, or whose bits stand in the overlay's filter, is one that may be protected. All lines of a batch are asked
 * for before the first is read; of nine keys that nobody has about one needs a second line, and all of those are again
 * asked for before the first is read.
 *
 *= 8USC1367 a(2) */
#include "registry/ask.h"
#include "registry/hash.h"
#include "registry/overlay.h"

_Static_assert(REGISTRY_ASKS == 64 && REGISTRY_ASKS % LANES == 0, "a bit each; whole groups of lanes");

void ask_place_portable(const struct image *image, struct ask_places *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct registry_print print = {p->a[i], p->b[i]};
        p->tag[i] = print_tag(print, image->header.reference_bits);
        p->bucket[i] = image->buckets + home_bucket(print, image->header.buckets) * BUCKET_BYTES;
        __builtin_prefetch(p->bucket[i]);
    }
}

uint64_t ask_find_portable(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved)
{
    uint64_t found = 0;
    *moved = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *bucket = p->bucket[i];
        for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
            found |= (uint64_t)(slot_tag(bucket + slot * SLOT_BYTES, reference_bits) == p->tag[i]) << i;
        *moved |= (uint64_t)((bucket[BUCKET_BYTES - 1] & moved_bit(p->tag[i])) != 0) << i;
    }
    return found;
}

static bool is_wide(const struct registry *r)
{
    return registry_secrets(r)->level == CPU_AVX512 && registry_image(r)->header.buckets <= UINT32_MAX;
}

static uint64_t find(const struct registry *r, const struct ask_places *p, size_t n, uint64_t *moved)
{
    unsigned bits = registry_image(r)->header.reference_bits;
    if (is_wide(r)) return ask_find_avx512(p, n, bits, moved);
    if (registry_secrets(r)->level != CPU_PORTABLE) return ask_find_avx2(p, n, bits, moved);
    return ask_find_portable(p, n, bits, moved);
}

void registry_ask(const struct registry *r, struct registry_asks *a, const struct registry_key *key)
{
    ASSERT(a->count < REGISTRY_ASKS);
    uint32_t i = a->count++;
    if (message_of(key, a->messages[i])) return;
    a->longs |= UINT64_C(1) << i;
    memset(a->messages[i], 0, sizeof a->messages[i]);
    print_keys(registry_secrets(r), key, 1, &a->prints[i]);
}

static void take_prints(const struct registry *r, const struct registry_asks *a, struct ask_places *p)
{
    message_prints(registry_secrets(r), a->messages, a->count, p->a, p->b);
    for (uint64_t longs = a->longs; longs; longs &= longs - 1) {
        unsigned i = (unsigned)__builtin_ctzll(longs);
        p->a[i] = a->prints[i].a;
        p->b[i] = a->prints[i].b;
    }
}

static void ask_for_homes(const struct registry *r, struct ask_places *p, size_t n)
{
    if (is_wide(r))
        ask_place_avx512(registry_image(r), p, n);
    else
        ask_place_portable(registry_image(r), p, n);
}

/* Those of `moved` in a row of their own, each at its other bucket; returns whose bits are found there. */
static uint64_t find_moved(const struct registry *r, const struct ask_places *home, uint64_t moved)
{
    const struct image *image = registry_image(r);
    struct ask_places other;
    uint8_t whose[REGISTRY_ASKS] = {0};
    size_t n = 0;
    for (; moved; moved &= moved - 1) {
        unsigned i = (unsigned)__builtin_ctzll(moved);
        uint64_t at = (uint64_t)(home->bucket[i] - image->buckets) / BUCKET_BYTES;
        other.bucket[n] = image->buckets + other_bucket(home->tag[i], at, image->header.buckets) * BUCKET_BYTES;
        __builtin_prefetch(other.bucket[n]);
        other.tag[n] = home->tag[i];
        whose[n++] = (uint8_t)i;
    }
    for (size_t i = n; i % ASK_GROUP != 0; i++) { /* a group is read as a whole */
        other.bucket[i] = other.bucket[0];
        other.tag[i] = other.tag[0];
    }
    uint64_t known = 0, again, found = find(r, &other, n, &again);
    for (; found; found &= found - 1)
        known |= UINT64_C(1) << whose[__builtin_ctzll(found)];
    return known;
}

static uint64_t find_overlaid(const struct overlay *o, const struct ask_places *p, size_t n)
{
    uint64_t known = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch((const void *)&o->filter[scale(p->a[i], o->words)]);
    for (size_t i = 0; i < n; i++)
        known |= (uint64_t)overlay_may_have(o, (struct registry_print){p->a[i], p->b[i]}) << i;
    return known;
}

/* The overlay is read last: what was acknowledged before the call is seen by it. */
uint64_t registry_any(const struct registry *r, struct registry_asks *a)
{
    struct ask_places places;
    uint64_t moved;
    ASSERT(a->count <= REGISTRY_ASKS);
    if (a->count == 0) return 0;
    take_prints(r, a, &places);
    ask_for_homes(r, &places, a->count);
    uint64_t known = find(r, &places, a->count, &moved);
    moved &= ~known;
    if (moved) known |= find_moved(r, &places, moved);
    const struct overlay *o = registry_overlay(r);
    if (overlay_has_keys(o)) known |= find_overlaid(o, &places, a->count);
    return known;
}

void registry_asks_wipe(struct registry_asks *a)
{
    registry_asks_empty(a);
    mem_wipe(a->messages, a->most * sizeof a->messages[0]);
    mem_wipe(a->prints, a->most * sizeof a->prints[0]);
    a->most = 0;
}
