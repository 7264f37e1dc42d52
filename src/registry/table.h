/* Private to registry: placing keys in buckets while an image is made. */
#ifndef GATE1367_REGISTRY_TABLE_H
#define GATE1367_REGISTRY_TABLE_H

#include "registry/image.h"

/* As collected; packed, for there may be forty million. */
struct __attribute__((packed)) record {
    uint64_t a, b;
    uint32_t subject; /* index into the builder's subjects */
    uint8_t kind;
};

/* Subjects of a key that has several: a list through `next`, UINT32_MAX ends it. */
struct member_node {
    uint32_t subject, next;
};
struct table {
    uint8_t *blocks, *buckets;
    uint64_t block_count, bucket_count, keys;
    unsigned reference_bits;
    uint64_t subjects; /* references from here on are groups */
    struct member_node *nodes;
    size_t node_count, node_room;
    uint32_t *group_heads;
    size_t group_count, group_room;
    uint64_t random;
};

/* Called when a key has one more subject: `first` had it already. Both are numbers among the protected. */
typedef void table_shared_fn(void *ctx, const struct record *r, uint32_t first, uint32_t second);

/* Blocks of the filter for that many keys, twelve bits each: one in 180 that it does not know passes. */
uint64_t table_blocks_for(uint64_t keys);
/* Buckets for that many keys, eight slots filled to 97 in a hundred; with each attempt, from 0 on, some more. */
uint64_t table_buckets_for(uint64_t keys, unsigned attempt);
/* Places records[0, n), whose `subject` is already the number among the protected, into t's zeroed blocks and buckets; reorders
 * them. LIMIT: out of memory, or REGISTRY_TOO_LARGE: no place found, which by chance happens to a few keys,
 * or more groups than there are references. The records are all there still. */
RESULT table_fill(struct table *t, struct record *records, size_t n, table_shared_fn *shared, void *ctx);
void table_free(struct table *t);
/* Number of one subject of the key, or UINT32_MAX. */
uint32_t table_find(const struct table *t, struct registry_print p);

#endif
