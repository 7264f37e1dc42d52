/* Is any of these known? As registry_probe(), but that nothing is named and nothing judged: a value that passes the index's
 * filter or the overlay's is one that may be protected. All blocks of a batch are asked for before the first is read.
 *
 *= 8USC1367 a(2) */
#include "registry/ask.h"
#include "registry/hash.h"
#include "registry/overlay.h"

_Static_assert(REGISTRY_ASKS == 64 && REGISTRY_ASKS % LANES == 0, "a bit each; whole groups of lanes");

uint64_t ask_find_portable(const struct ask_places *p, size_t n)
{
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t lacks = 0;
        for (unsigned word = 0; word < BLOCK_WORDS; word++)
            lacks |= block_bit(p->first[i], word) & ~load_le32(p->block[i] + 4 * word);
        found |= (uint64_t)(lacks == 0) << i;
    }
    return found;
}

/* Without branches on the way: which slot it is nobody foretells. */
static const uint8_t *find_slot(const uint8_t *bucket, uint64_t tag, unsigned reference_bits)
{
    unsigned there = 0;
    for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
        there |= (unsigned)(slot_tag(bucket + slot * SLOT_BYTES, reference_bits) == tag) << slot;
    return there ? bucket + (size_t)__builtin_ctz(there) * SLOT_BYTES : NULL;
}

void ask_slots_portable(const uint8_t *const *buckets, const uint64_t *tags, size_t n, unsigned reference_bits, const uint8_t **slots)
{
    for (size_t i = 0; i < n; i++)
        slots[i] = find_slot(buckets[i], tags[i], reference_bits);
}

void registry_ask(const struct registry *r, struct registry_asks *a, const struct registry_key *key)
{
    struct registry_print print;
    ASSERT(a->count < REGISTRY_ASKS);
    uint32_t i = a->count++;
    if (message_of(key, a->messages[i])) return;
    a->longs |= UINT64_C(1) << i;
    memset(a->messages[i], 0, sizeof a->messages[i]);
    print_keys(registry_secrets(r), key, 1, &print);
    a->firsts[i] = print.a;
}

static void take_firsts(const struct registry *r, const struct registry_asks *a, struct ask_places *p)
{
    message_firsts(registry_secrets(r), a->messages, a->count, p->first);
    for (uint64_t longs = a->longs; longs; longs &= longs - 1) {
        unsigned i = (unsigned)__builtin_ctzll(longs);
        p->first[i] = a->firsts[i];
    }
}

static void ask_for_blocks(const struct registry *r, const struct registry_asks *a, struct ask_places *p)
{
    const uint8_t *blocks = registry_image(r)->blocks;
    uint64_t count = registry_image(r)->header.blocks;
    take_firsts(r, a, p);
    for (size_t i = 0; i < a->count; i++) {
        p->block[i] = blocks + block_of(p->first[i], count) * BLOCK_BYTES;
        __builtin_prefetch(p->block[i]);
    }
}

static uint64_t find_overlaid(const struct overlay *o, const struct ask_places *p, size_t n)
{
    uint64_t known = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch((const void *)&o->filter[scale(p->first[i], o->words)]);
    for (size_t i = 0; i < n; i++)
        known |= (uint64_t)overlay_may_have(o, p->first[i]) << i;
    return known;
}

/* The overlay is read last: what was acknowledged before the call is seen by it. */
static uint64_t find_passing(const struct registry *r, const struct registry_asks *a, const struct ask_places *p)
{
    bool portable = registry_secrets(r)->level == CPU_PORTABLE;
    uint64_t known = portable ? ask_find_portable(p, a->count) : ask_find_avx2(p, a->count);
    const struct overlay *o = registry_overlay(r);
    if (overlay_has_keys(o)) known |= find_overlaid(o, p, a->count);
    return known;
}

uint64_t registry_any(const struct registry *r, const struct registry_asks *a)
{
    struct ask_places places;
    ASSERT(a->count <= REGISTRY_ASKS);
    if (a->count == 0) return 0;
    ask_for_blocks(r, a, &places);
    return find_passing(r, a, &places);
}

void registry_asks_wipe(struct registry_asks *a)
{
    registry_asks_empty(a);
    mem_wipe(a->messages, a->most * sizeof a->messages[0]);
    mem_wipe(a->firsts, a->most * sizeof a->firsts[0]);
    a->most = 0;
}
