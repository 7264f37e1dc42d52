/* Private to registry: which slot of its bucket holds a tag, for a batch of buckets. */
#ifndef GATE1367_REGISTRY_FIND_H
#define GATE1367_REGISTRY_FIND_H

#include "registry/image.h"

#define FIND_NONE 7u /* no slot holds it */
_Static_assert(FIND_NONE == BUCKET_SLOTS, "slots count from 0");

struct find {
    const uint8_t *bucket;
    uint64_t tag; /* never 0: a free slot is all zeros */
    unsigned slot;
};
void find_slots_portable(struct find *f, size_t n, unsigned reference_bits);
void find_slots_avx512(struct find *f, size_t n, unsigned reference_bits);

#endif
