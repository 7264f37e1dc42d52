/* Keys to fingerprints: SipHash-2-4-128 of kind ‖ system (surrogate keys only, so that the kind tells whether it is
 * there) ‖ canonical value. Nearly all messages are of 15 bytes or less; where the CPU has wide vectors, sixteen of
 * those are hashed side by side (hash_lanes.h), the others one by one. */
#include "registry/hash.h"
#include "registry/image.h"

#define MESSAGE_MAX (1 + 4 + REGISTRY_CANONICAL_MAX)
#define SHORT_MAX REGISTRY_ASK_SHORT
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

static void pack_short(const struct registry_key *k, size_t prefix, uint8_t out[16])
{
    wide message = load_short(k->canonical.ptr, k->canonical.len) << (8 * prefix) | (uint8_t)k->kind;
    if (prefix > 1) message |= (wide)k->system << 8;
    store_le64(out, (uint64_t)message);
    store_le64(out + 8, (uint64_t)(message >> 64) | (uint64_t)(prefix + k->canonical.len) << 56);
}

bool message_of(const struct registry_key *k, uint8_t out[16])
{
    size_t prefix = prefix_length(k->kind);
    bool fits = registry_ask_fits((struct registry_head){.len = (uint8_t)prefix}, k->canonical.len);
    if (fits) pack_short(k, prefix, out);
    return fits;
}

struct registry_head registry_ask_head(enum registry_kind kind, uint32_t system)
{
    size_t prefix = prefix_length(kind);
    return (struct registry_head){
        .bytes = (uint64_t)kind | (prefix > 1 ? (uint64_t)system << 8 : 0), .len = (uint8_t)prefix};
}

static void print_one(const struct secrets *s, const uint8_t message[16], uint64_t *a, uint64_t *b)
{
    uint8_t digest[16];
    ASSERT(message[15] <= SHORT_MAX);
    siphash128(s->keys, span_of(message, message[15]), digest);
    *a = load_le64(digest);
    *b = load_le64(digest + 8);
}

void message_prints(const struct secrets *s, const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b)
{
    if (s->level == CPU_AVX512) return hash_messages_avx512(s->keys, messages, n, a, b);
    if (s->level == CPU_AVX2) return hash_messages_avx2(s->keys, messages, n, a, b);
    for (size_t i = 0; i < n; i++)
        print_one(s, messages[i], &a[i], &b[i]);
}

/* At most LANES keys. */
static void print_batch(const struct secrets *s, const struct registry_key *keys, size_t n, struct registry_print *out)
{
    uint8_t messages[LANES][16] = {{0}}, lane_of[LANES];
    uint64_t a[LANES], b[LANES];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (message_of(&keys[i], messages[used]))
            lane_of[used++] = (uint8_t)i;
        else
            print_long(s, &keys[i], &out[i]);
    }
    message_prints(s, messages, used, a, b);
    for (size_t i = 0; i < used; i++)
        out[lane_of[i]] = (struct registry_print){a[i], b[i]};
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
