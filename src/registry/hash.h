/* Private to registry: SipHash-2-4-128 of sixteen short messages at once. */
#ifndef GATE1367_REGISTRY_HASH_H
#define GATE1367_REGISTRY_HASH_H

#include "base/base.h"

#define LANES 16
/* Messages of at most 15 bytes, each as the two words that SipHash absorbs: bytes 0–7, and bytes 8–14 with the length
 * in the top byte. */
struct lanes {
    uint64_t first[LANES], second[LANES];
    uint64_t a[LANES], b[LANES]; /* the digests */
};
void hash_lanes_avx2(const uint8_t key[16], struct lanes *l);
void hash_lanes_avx512(const uint8_t key[16], struct lanes *l);

#endif
