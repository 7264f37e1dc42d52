/* Private to registry: secrets derived from the key file, the file's layout, and slots of a bucket.
 *
 *   header 256 │ buckets × 64 │ handles × 8 │ groups+1 × 4 │ members × 4 │ HMAC-SHA-256 of all before it
 *
 * A bucket is one cache line: seven slots of nine bytes (fingerprint below, reference above) and one byte of a tiny
 * Bloom filter over the keys that belong here but had to move to their other bucket. A look-up reads the home bucket,
 * and the other one only where that byte says so: about one miss in nine. The other bucket follows from fingerprint and
 * home (other = hash(fingerprint) − home, modulo the number of buckets), and so does home from other, which lets the
 * builder move what it placed without knowing its key any more. A reference below `subjects` is a subject; above, a
 * group of them. Everything is little-endian, and no offset stands in the file: all follow from counts that must add up
 * to its length. */
#ifndef GATE1367_REGISTRY_IMAGE_H
#define GATE1367_REGISTRY_IMAGE_H

#include "registry/registry.h"

#define IMAGE_MAGIC "G1367REG"
#define IMAGE_FORMAT 1u
#define IMAGE_MAC 32
#define BUCKET_BYTES 64
#define BUCKET_SLOTS 7
#define SLOT_BYTES 9

struct secrets {
    uint8_t keys[16], subjects[16], journal[16], reasons[16], check[16];
    uint8_t image[32];
    enum cpu_level level; /* asked once */
};
/* LIMIT when the library fails. */
RESULT secrets_derive(struct secrets *s, const uint8_t key[32]);
void secrets_wipe(struct secrets *s);
uint64_t secrets_handle(const struct secrets *s, span subject);

struct image_header {
    uint8_t magic[8];
    uint32_t format, reference_bits; /* 24, or 32 where there are more than 2^24 references */
    uint64_t bytes;                  /* the whole file */
    uint64_t built, journal;
    uint64_t keys, subjects, buckets, groups, members;
    uint8_t check[16];
    uint8_t reserved[156];
    uint32_t crc; /* of the header before it */
};
_Static_assert(sizeof(struct image_header) == 256, "buckets start on a cache line");

/* The file taken apart; pointers into it. */
struct image {
    struct image_header header;
    const uint8_t *buckets, *handles, *groups, *members, *mac;
};
/* Length the header's counts ask for; 0 when they cannot be. */
uint64_t image_length(const struct image_header *h);
void image_lay_out(struct image *i, const uint8_t *base);
/* Writes check, crc and the keyed hash over a finished image. */
RESULT image_seal(uint8_t *base, struct image_header *h, const struct secrets *s);
RESULT image_read(span file, const struct secrets *s, struct image *out);

/* ---- keys and slots ---- */

void print_keys(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out);
/* The key as a message (registry.h: struct registry_asks). False: it is too long for one. */
bool message_of(const struct registry_key *key, uint8_t out[16]);
/* As hash_messages_avx512(), on any processor. */
void message_prints(const struct secrets *s, const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b);

static inline uint64_t scale(uint64_t x, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)x * n) >> 64);
}

/* Fingerprint of a key: never 0, for a free slot is all zeros. */
static inline uint64_t print_tag(struct registry_print p, unsigned reference_bits)
{
    uint64_t tag = p.b & (UINT64_MAX >> (reference_bits - 8));
    return tag ? tag : 1;
}
static inline uint64_t home_bucket(struct registry_print p, uint64_t buckets)
{
    return scale(p.a, buckets);
}
static inline uint64_t other_bucket(uint64_t tag, uint64_t bucket, uint64_t buckets)
{
    uint64_t sum = scale(tag * 0x9E3779B97F4A7C15u, buckets);
    return sum >= bucket ? sum - bucket : sum + buckets - bucket;
}
/* Which bit of the home bucket's filter byte says that a key moved. */
static inline uint8_t moved_bit(uint64_t tag)
{
    return (uint8_t)(1u << (tag & 7));
}

static inline uint64_t slot_tag(const uint8_t *slot, unsigned reference_bits)
{
    return load_le64(slot) & (UINT64_MAX >> (reference_bits - 8));
}
static inline uint64_t slot_reference(const uint8_t *slot, unsigned reference_bits)
{
    return load_le64(slot) >> (72 - reference_bits) | (uint64_t)slot[8] << (reference_bits - 8);
}
static inline void slot_write(uint8_t *slot, uint64_t tag, uint64_t reference, unsigned reference_bits)
{
    store_le64(slot, tag | reference << (72 - reference_bits));
    slot[8] = (uint8_t)(reference >> (reference_bits - 8));
}

#endif
