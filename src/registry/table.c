/* Two-choice hashing: first every key that finds room in its home bucket goes there; the rest go to their other bucket, and
 * where that is full, they push somebody out to his own other bucket, and so on. */
#include "registry/table.h"

#define FILL_PERCENT 97
#define FILTER_BITS 12 /* a key */
#define PUSHES_MAX 5000
#define NOBODY UINT32_MAX

uint64_t table_blocks_for(uint64_t keys)
{
    return (keys * FILTER_BITS / (8 * BLOCK_BYTES) / 2 + 1) * 2;
}

/* In a handful of buckets chance is not evened out, and more of a few keys than they hold may want the same ones. */
uint64_t table_buckets_for(uint64_t keys, unsigned attempt)
{
    uint64_t least = keys * 100 / (BUCKET_SLOTS * FILL_PERCENT) + 1;
    return least + attempt * (least / 16 + 4);
}

static uint8_t *bucket_of(const struct table *t, uint64_t bucket)
{
    return t->buckets + bucket * BUCKET_BYTES;
}

/* Slot with that tag (0: a free one), or NULL. */
static uint8_t *find_in(const struct table *t, uint64_t bucket, uint64_t tag)
{
    uint8_t *slot = bucket_of(t, bucket);
    for (int i = 0; i < BUCKET_SLOTS; i++, slot += SLOT_BYTES)
        if (slot_tag(slot, t->reference_bits) == tag) return slot;
    return NULL;
}

/* Which slot is pushed out must only not repeat: xorshift (Marsaglia 2003). */
static unsigned next_victim(struct table *t)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (unsigned)(t->random >> 32) % BUCKET_SLOTS;
}

/* ---- several subjects ---- */

static bool push_node(struct table *t, uint32_t subject, uint32_t next)
{
    if (t->node_count == t->node_room) {
        size_t room = t->node_room ? 2 * t->node_room : 64;
        struct member_node *nodes = mem_resize(t->nodes, room * sizeof *nodes);
        if (!nodes) return false;
        t->nodes = nodes;
        t->node_room = room;
    }
    t->nodes[t->node_count++] = (struct member_node){subject, next};
    return true;
}

static bool push_group(struct table *t, uint32_t first, uint32_t second)
{
    if (t->group_count == t->group_room) {
        size_t room = t->group_room ? 2 * t->group_room : 64;
        uint32_t *heads = mem_resize(t->group_heads, room * sizeof *heads);
        if (!heads) return false;
        t->group_heads = heads;
        t->group_room = room;
    }
    if (!push_node(t, first, NOBODY) || !push_node(t, second, (uint32_t)t->node_count - 1)) return false;
    t->group_heads[t->group_count++] = (uint32_t)t->node_count - 1;
    return true;
}

static uint32_t first_subject(const struct table *t, uint64_t reference)
{
    if (reference < t->subjects) return (uint32_t)reference;
    return t->nodes[t->group_heads[reference - t->subjects]].subject;
}

/* The key stands in `slot` already. Records of a subject follow each other, so that only the newest member can be him
 * again; what slips through is sorted out when groups are written. */
static RESULT add_member(struct table *t, uint8_t *slot, const struct record *r, table_shared_fn *shared, void *ctx)
{
    uint64_t reference = slot_reference(slot, t->reference_bits);
    uint32_t first = first_subject(t, reference);
    if (first == r->subject) return OK;
    REQUIRE(t->node_count < NOBODY - 2, ERROR_LIMIT, REGISTRY_TOO_LARGE);
    if (reference < t->subjects) {
        uint64_t group = t->subjects + t->group_count;
        REQUIRE(group < (uint64_t)1 << t->reference_bits, ERROR_LIMIT, REGISTRY_TOO_LARGE);
        REQUIRE(push_group(t, first, r->subject), ERROR_LIMIT, REGISTRY_NO_MEMORY);
        slot_write(slot, slot_tag(slot, t->reference_bits), group, t->reference_bits);
    } else {
        uint32_t *head = &t->group_heads[reference - t->subjects];
        REQUIRE(push_node(t, r->subject, *head), ERROR_LIMIT, REGISTRY_NO_MEMORY);
        *head = (uint32_t)t->node_count - 1;
    }
    shared(ctx, r, first, r->subject);
    return OK;
}

/* ---- placing ---- */

/* Whom the record is, once. */
struct key_place {
    uint64_t tag, home, other;
};
static struct key_place place_of(const struct table *t, struct registry_print p)
{
    struct key_place k = {.tag = print_tag(p, t->reference_bits), .home = home_bucket(p, t->bucket_count)};
    k.other = other_bucket(k.tag, k.home, t->bucket_count);
    return k;
}
static struct registry_print print_of(const struct record *r)
{
    return (struct registry_print){r->a, r->b};
}

/* First pass: at home or not at all. What stays over is swapped to the front, in its order; its number is returned in
 * *left. */
static RESULT fill_homes(
    struct table *t, struct record *records, size_t n, size_t *left, table_shared_fn *shared, void *ctx)
{
    *left = 0;
    for (size_t i = 0; i < n; i++) {
        struct record r = records[i];
        struct key_place k = place_of(t, print_of(&r));
        uint8_t *slot = find_in(t, k.home, k.tag);
        if (slot) {
            TRY(add_member(t, slot, &r, shared, ctx));
        } else if ((slot = find_in(t, k.home, 0))) {
            slot_write(slot, k.tag, r.subject, t->reference_bits);
            t->keys++;
        } else {
            records[i] = records[*left];
            records[(*left)++] = r;
        }
    }
    return OK;
}

/* Who is pushed out of a full bucket: somebody for whom there is room where he goes, else anybody. So four in five stay at home,
 * where a look-up finds them first; by chance alone it would be two in three. */
static uint8_t *choose_slot(struct table *t, uint64_t bucket)
{
    unsigned first = next_victim(t);
    for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
        uint8_t *slot = bucket_of(t, bucket) + (first + i) % BUCKET_SLOTS * SLOT_BYTES;
        uint64_t other = other_bucket(slot_tag(slot, t->reference_bits), bucket, t->bucket_count);
        if (find_in(t, other, 0)) return slot;
    }
    return bucket_of(t, bucket) + first * SLOT_BYTES;
}

/* Puts tag and reference into `bucket`, pushing others on as long as it takes. */
static bool push_in(struct table *t, uint64_t bucket, uint64_t tag, uint64_t reference)
{
    for (int i = 0; i < PUSHES_MAX; i++) {
        uint8_t *slot = find_in(t, bucket, 0);
        if (slot) {
            slot_write(slot, tag, reference, t->reference_bits);
            return true;
        }
        slot = choose_slot(t, bucket);
        uint64_t out_tag = slot_tag(slot, t->reference_bits), out_reference = slot_reference(slot, t->reference_bits);
        slot_write(slot, tag, reference, t->reference_bits);
        bucket = other_bucket(out_tag, bucket, t->bucket_count);
        tag = out_tag;
        reference = out_reference;
    }
    return false;
}

static RESULT fill_others(struct table *t, const struct record *records, size_t n, table_shared_fn *shared, void *ctx)
{
    for (size_t i = 0; i < n; i++) {
        const struct record r = records[i];
        struct key_place k = place_of(t, print_of(&r));
        uint8_t *slot = find_in(t, k.home, k.tag);
        if (!slot) slot = find_in(t, k.other, k.tag);
        if (slot) {
            TRY(add_member(t, slot, &r, shared, ctx));
            continue;
        }
        REQUIRE(push_in(t, k.other, k.tag, r.subject), ERROR_LIMIT, REGISTRY_TOO_LARGE);
        t->keys++;
    }
    return OK;
}

static uint8_t *block_for(const struct table *t, const struct record *r)
{
    return t->blocks + block_of(r->a, t->block_count) * BLOCK_BYTES;
}

#define AHEAD 16 /* records whose blocks are on their way from memory */
static void fill_filter(const struct table *t, const struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *block = block_for(t, &records[i]);
        __builtin_prefetch(block_for(t, &records[i + AHEAD < n ? i + AHEAD : i]), 1);
        for (unsigned word = 0; word < BLOCK_WORDS; word++)
            store_le32(block + 4 * word, load_le32(block + 4 * word) | block_bit(records[i].a, word));
    }
}

RESULT table_fill(struct table *t, struct record *records, size_t n, table_shared_fn *shared, void *ctx)
{
    size_t left;
    t->random = 0x2545F4914F6CDD1Du;
    fill_filter(t, records, n);
    TRY(fill_homes(t, records, n, &left, shared, ctx));
    return fill_others(t, records, left, shared, ctx);
}

uint32_t table_find(const struct table *t, struct registry_print p)
{
    struct key_place k = place_of(t, p);
    const uint8_t *slot = find_in(t, k.home, k.tag);
    if (!slot) slot = find_in(t, k.other, k.tag);
    return slot ? first_subject(t, slot_reference(slot, t->reference_bits)) : NOBODY;
}

void table_free(struct table *t)
{
    mem_free(t->nodes);
    mem_free(t->group_heads);
    *t = (struct table){0};
}
