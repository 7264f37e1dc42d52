/* Private to registry: secrets derived from the key file, the file's layout, and slots of a bucket.
 *
 *   header 256 │ filter blocks × 32 │ buckets × 64 │ handles × 8 │ groups+1 × 4 │ members × 4 │ HMAC-SHA-256 of all before it
 *
 * Nearly all that is ever looked up is nobody's: of 180 such keys the filter turns away 179, and of each it reads half a line
 * of the cache. It is a Bloom filter in blocks, in each of whose eight words a key has one bit (Putze, Sanders, Singler 2007).
 * A bucket is one line: eight slots, each a fingerprint below and a reference above. What passes the filter stands in its home
 * bucket or in its other one, which follows from fingerprint and home (other = hash(fingerprint) − home, modulo the number of
 * buckets), and so does home from other, which lets the builder move what it placed without knowing its key any more. A
 * reference below `subjects` is a subject; above, a group of them. Everything is little-endian, and no offset stands in the
 * file: all follow from counts that must add up to its length. */
#ifndef GATE1367_REGISTRY_IMAGE_H
#define GATE1367_REGISTRY_IMAGE_H

#include "registry/registry.h"

#define IMAGE_MAGIC "G1367REG"
#define IMAGE_FORMAT 2u
#define IMAGE_MAC 32
#define BUCKET_BYTES 64
#define BUCKET_SLOTS 8
#define SLOT_BYTES 8
#define BLOCK_BYTES 32
#define BLOCK_WORDS 8
#define REFERENCE_LEAST 16u /* bits */
#define REFERENCE_MOST 32u

struct secrets {
    uint8_t keys[16], subjects[16], journal[16], reasons[16], check[16];
    uint8_t image[32], mark[32];
    enum cpu_level level; /* asked once */
};
/* LIMIT when the library fails. */
RESULT secrets_derive(struct secrets *s, const uint8_t key[32]);
void secrets_wipe(struct secrets *s);
uint64_t secrets_handle(const struct secrets *s, span subject);

struct image_header {
    uint8_t magic[8];
    uint32_t format, reference_bits; /* as many as there are references need, and some to spare */
    uint64_t bytes;                  /* the whole file */
    uint64_t built, journal;
    uint64_t keys, subjects, blocks, buckets, groups, members; /* blocks: an even number, so that buckets begin on a line */
    uint8_t check[16];
    uint8_t reserved[148];
    uint32_t crc; /* of the header before it */
};
_Static_assert(sizeof(struct image_header) == 256, "blocks and buckets start on a cache line");

/* The file taken apart; pointers into it. */
struct image {
    struct image_header header;
    const uint8_t *blocks, *buckets, *handles, *groups, *members, *mac;
};
/* Length the header's counts ask for; 0 when they cannot be. */
uint64_t image_length(const struct image_header *h);
void image_lay_out(struct image *i, const uint8_t *base);
/* Of its handles, which are sorted. */
bool image_has_subject(const struct image *i, uint64_t handle);
/* Writes check, crc and the keyed hash over a finished image. */
RESULT image_seal(uint8_t *base, struct image_header *h, const struct secrets *s);
RESULT image_read(span file, const struct secrets *s, struct image *out);

/* ---- fingerprints ---- */

void print_keys(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out);
/* The key as a message (registry.h: struct registry_asks). False: it is too long for one. */
bool message_of(const struct registry_key *key, uint8_t out[16]);
/* First words of the fingerprints of messages, on any processor; n is rounded up as hash.h says. */
void message_firsts(const struct secrets *s, const uint8_t (*messages)[16], size_t n, uint64_t *a);
/* Their fingerprints; at most sixteen, and there is room for as many. */
void message_prints(const struct secrets *s, const uint8_t (*messages)[16], size_t n, struct registry_print *out);

static inline uint64_t scale(uint64_t x, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)x * n) >> 64);
}

/* ---- the filter ---- */

/* The upper bits of a fingerprint's first word choose the block; the lower half, multiplied by each of these, a bit in each word. */
#define BLOCK_SALTS 0x7b1dcdafu, 0x89025cc1u, 0x1c9756cfu, 0xdb018fedu, 0xe2338acbu, 0xa389c35bu, 0xadefe001u, 0x59320dd7u
static inline uint64_t block_of(uint64_t a, uint64_t blocks)
{
    return scale(a, blocks);
}
static inline uint32_t block_bit(uint64_t a, unsigned word)
{
    static const uint32_t salts[BLOCK_WORDS] = {BLOCK_SALTS};
    return 1U << ((uint32_t)a * salts[word] >> 27);
}

/* ---- keys and slots ---- */

/* Fingerprint in a slot: never 0, for a free slot is all zeros. */
static inline uint64_t print_tag(struct registry_print p, unsigned reference_bits)
{
    uint64_t tag = p.b & UINT64_MAX >> reference_bits;
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

static inline uint64_t slot_tag(const uint8_t *slot, unsigned reference_bits)
{
    return load_le64(slot) & UINT64_MAX >> reference_bits;
}
static inline uint64_t slot_reference(const uint8_t *slot, unsigned reference_bits)
{
    return load_le64(slot) >> (64 - reference_bits);
}
static inline void slot_write(uint8_t *slot, uint64_t tag, uint64_t reference, unsigned reference_bits)
{
    store_le64(slot, tag | reference << (64 - reference_bits));
}

#endif
