/* Private to registry: which of many places of the index hold a tag. */
#ifndef GATE1367_REGISTRY_ASK_H
#define GATE1367_REGISTRY_ASK_H

#include "registry/image.h"

/* Of up to REGISTRY_ASKS keys: fingerprints, and the buckets that are read. */
struct ask_places {
    _Alignas(64) uint64_t a[REGISTRY_ASKS], b[REGISTRY_ASKS];
    const uint8_t *bucket[REGISTRY_ASKS];
};
/* A bit for each whose tag is in its bucket; in *moved one for each that may be in its other bucket, found or not. */
uint64_t ask_find_portable(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved);
uint64_t ask_find_avx512(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved);

#endif
