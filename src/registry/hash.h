/* Private to registry: SipHash-2-4-128 of many short messages at once. */
#ifndef GATE1367_REGISTRY_HASH_H
#define GATE1367_REGISTRY_HASH_H

#include "base/base.h"

#define LANES 16
/* Messages of 8 to 15 bytes, each as the two words that SipHash absorbs: bytes 0–7, and bytes 8–14 with the length
 * in the top byte (of a shorter one it absorbs a single word). Their digests' two words go to a[i] and b[i], where b is not
 * NULL, which takes a third longer; n is rounded up to a multiple of LANES, and all three have room for that. */
void hash_messages_avx2(const uint8_t key[16], const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b);
void hash_messages_avx512(const uint8_t key[16], const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b);

#endif
