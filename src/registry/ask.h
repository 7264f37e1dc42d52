/* Private to registry: which of many keys pass the index's filter, and which slots of their buckets hold them. */
#ifndef GATE1367_REGISTRY_ASK_H
#define GATE1367_REGISTRY_ASK_H

#include "registry/image.h"

/* Of keys: first words of their fingerprints, and where the filter is read. */
struct ask_places {
    uint64_t first[REGISTRY_ASKS];
    const uint8_t *block[REGISTRY_ASKS];
};
/* A bit for each of the first n whose block has all of its bits. */
uint64_t ask_find_portable(const struct ask_places *p, size_t n);
uint64_t ask_find_avx2(const struct ask_places *p, size_t n);
/* The slot of each bucket that holds the tag beside it, or NULL. */
void ask_slots_portable(const uint8_t *const *buckets, const uint64_t *tags, size_t n, unsigned reference_bits, const uint8_t **slots);
void ask_slots_avx2(const uint8_t *const *buckets, const uint64_t *tags, size_t n, unsigned reference_bits, const uint8_t **slots);

#endif
