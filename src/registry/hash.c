/* Keys to fingerprints: SipHash-2-4-128 of kind ‖ system (surrogate keys only, so that the kind tells whether it is
 * there) ‖ canonical value. Nearly all messages are of 15 bytes or less; where the CPU has wide vectors, sixteen of
 * those are hashed side by side (hash_lanes.h), the others one by one. */
#include "registry/hash.h"
#include "registry/image.h"

#define MESSAGE_MAX (1 + 4 + REGISTRY_CANONICAL_MAX)
#define SHORT_MAX 15
#define AVX2_PAYS 4 /* with fewer keys, one by one is as quick */

typedef unsigned __int128 wide;

static size_t prefix_length(enum registry_kind kind)
{
    return registry_kind_is_surrogate(kind) ? 5 : 1;
}

static void print_long(const struct secrets *s, const struct registry_key *k, struct registry_print *out)
{
    uint8_t message[MESSAGE_MAX], digest[16];
    size_t n = prefix_length(k->kind);
    ASSERT(k->canonical.len <= REGISTRY_CANONICAL_MAX);
    message[0] = (uint8_t)k->kind;
    store_le32(message + 1, k->system);
    memcpy(message + n, k->canonical.ptr, k->canonical.len);
    siphash128(s->keys, span_of(message, n + k->canonical.len), digest);
    *out = (struct registry_print){load_le64(digest), load_le64(digest + 8)};
}

/* Up to 14 bytes as a little-endian number, without reading beyond them. */
static wide load_short(const uint8_t *p, size_t n)
{
    if (n >= 8) return (wide)load_le64(p) | (wide)load_le64(p + n - 8) << (8 * (n - 8));
    if (n >= 4) return (wide)load_le32(p) | (wide)load_le32(p + n - 4) << (8 * (n - 4));
    wide v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (wide)p[i] << (8 * i);
    return v;
}

static void pack_short(const struct registry_key *k, size_t prefix, struct lanes *l, size_t lane)
{
    wide message = load_short(k->canonical.ptr, k->canonical.len) << (8 * prefix) | (uint8_t)k->kind;
    if (prefix > 1) message |= (wide)k->system << 8;
    l->first[lane] = (uint64_t)message;
    l->second[lane] = (uint64_t)(message >> 64) | (uint64_t)(prefix + k->canonical.len) << 56;
}

/* At most LANES keys. */
static void print_batch(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out)
{
    struct lanes l;
    uint8_t lane_of[LANES];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t prefix = prefix_length(keys[i].kind);
        if (prefix + keys[i].canonical.len > SHORT_MAX) {
            print_long(s, &keys[i], &out[i]);
        } else {
            pack_short(&keys[i], prefix, &l, used);
            lane_of[used++] = (uint8_t)i;
        }
    }
    for (size_t i = used; i < LANES; i++)
        l.first[i] = l.second[i] = 0;
    if (s->level == CPU_AVX512)
        hash_lanes_avx512(s->keys, &l);
    else
        hash_lanes_avx2(s->keys, &l);
    for (size_t i = 0; i < used; i++)
        out[lane_of[i]] = (struct registry_print){l.a[i], l.b[i]};
}

void print_keys(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out)
{
    for (size_t from = 0, count; from < n; from += count) {
        count = n - from < LANES ? n - from : LANES;
        if (s->level != CPU_PORTABLE && count >= AVX2_PAYS) {
            print_batch(s, keys + from, count, out + from);
        } else {
            for (size_t i = from; i < from + count; i++)
                print_long(s, &keys[i], &out[i]);
        }
    }
}
