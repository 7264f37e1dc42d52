/* Private to registry: which of many places of the index hold a tag. */
#ifndef GATE1367_REGISTRY_ASK_H
#define GATE1367_REGISTRY_ASK_H

#include "registry/image.h"

#define ASK_GROUP 8 /* as many are placed and compared at a time where vectors hold them */

/* Of up to REGISTRY_ASKS keys: fingerprints, tags, and the buckets that are read. */
struct ask_places {
    _Alignas(64) uint64_t a[REGISTRY_ASKS], b[REGISTRY_ASKS], tag[REGISTRY_ASKS];
    const uint8_t *bucket[REGISTRY_ASKS];
};
/* Tags and home buckets of fingerprints, whose lines are asked for. */
void ask_place_portable(const struct image *image, struct ask_places *p, size_t n);
/* n is rounded up to a multiple of ASK_GROUP; fewer than 2^32 buckets. */
void ask_place_avx512(const struct image *image, struct ask_places *p, size_t n);
/* A bit for each whose tag is in its bucket; in *moved one for each that may be in its other bucket, found or not.
 * ask_find_avx512() reads buckets up to a multiple of ASK_GROUP. */
uint64_t ask_find_portable(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved);
uint64_t ask_find_avx2(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved);
uint64_t ask_find_avx512(const struct ask_places *p, size_t n, unsigned reference_bits, uint64_t *moved);

#endif
