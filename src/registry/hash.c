/* Keys to fingerprints: SipHash-2-4-128 of kind ‖ system (surrogate keys only, so that the kind tells whether it is
 * there) ‖ canonical value. Nearly all messages are of 15 bytes or less; where the CPU has wide vectors, sixteen of
 * those are hashed side by side (hash_lanes.h), the others one by one. */
#include "registry/hash.h"
#include "registry/image.h"

#define MESSAGE_MAX (1 + 4 + REGISTRY_CANONICAL_MAX)
#define SHORT_MAX REGISTRY_ASK_SHORT
#define AVX2_PAYS 4 /* with fewer keys, one by one is as quick */

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

/* Fewer than eight bytes as a little-endian number, without reading beyond them. */
static uint64_t load_few(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

#define SURROGATE_BIT(name, text, shared, surrogate) | (uint64_t)(surrogate) << REGISTRY_##name
static const uint64_t surrogates = 0 REGISTRY_KINDS(SURROGATE_BIT);
_Static_assert(REGISTRY_KIND_COUNT <= 64, "a bit each");

/* Without branches where the value has eight bytes or more, as nearly all have: kinds come in any order. */
bool message_of(const struct registry_key *k, uint8_t out[16])
{
    unsigned more = (unsigned)(surrogates >> k->kind & 1) * 4;
    size_t n = k->canonical.len, all = n + more + 1;
    if (all < REGISTRY_ASK_LEAST || all > REGISTRY_ASK_SHORT) return false;
    const uint8_t *p = k->canonical.ptr;
    uint64_t low, high = 0;
    if (n < 8) {
        low = load_few(p, n);
    } else {
        low = load_le64(p);
        high = load_le64(p + n - 8) >> 8 >> (8 * (15 - n));
    }
    unsigned shift = 8 * (more + 1); /* 8 or 40 */
    uint64_t head = ((uint64_t)k->system << 8 & ((UINT64_C(1) << shift) - 1)) | (uint64_t)k->kind;
    store_le64(out, low << shift | head);
    store_le64(out + 8, high << shift | low >> (64 - shift) | (uint64_t)all << 56);
    return true;
}

struct registry_head registry_ask_head(enum registry_kind kind, uint32_t system)
{
    size_t prefix = prefix_length(kind);
    return (struct registry_head){
        .bytes = (uint64_t)kind | (prefix > 1 ? (uint64_t)system << 8 : 0), .len = (uint8_t)prefix};
}

static void hash_messages(const struct secrets *s, const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b)
{
    if (s->level == CPU_AVX512)
        hash_messages_avx512(s->keys, messages, n, a, b);
    else
        hash_messages_avx2(s->keys, messages, n, a, b);
}

static struct registry_print print_one(const struct secrets *s, const uint8_t message[16])
{
    uint8_t digest[16];
    ASSERT(message[15] <= SHORT_MAX);
    siphash128(s->keys, span_of(message, message[15]), digest);
    return (struct registry_print){load_le64(digest), load_le64(digest + 8)};
}

void message_firsts(const struct secrets *s, const uint8_t (*messages)[16], size_t n, uint64_t *a)
{
    if (s->level != CPU_PORTABLE) return hash_messages(s, messages, n, a, NULL);
    for (size_t i = 0; i < n; i++)
        a[i] = print_one(s, messages[i]).a;
}

void message_prints(const struct secrets *s, const uint8_t (*messages)[16], size_t n, struct registry_print *out)
{
    uint64_t a[LANES], b[LANES];
    ASSERT(n <= LANES);
    if (s->level != CPU_PORTABLE) hash_messages(s, messages, n, a, b);
    for (size_t i = 0; i < n; i++)
        out[i] = s->level != CPU_PORTABLE ? (struct registry_print){a[i], b[i]} : print_one(s, messages[i]);
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
    hash_messages(s, messages, used, a, b);
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
