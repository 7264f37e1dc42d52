/* The body of hash_avx2.c and hash_avx512.c: SipHash-2-4-128 (Aumasson, Bernstein 2012) over vectors of VECTOR_BYTES,
 * two vectors side by side, for one alone would wait for itself. Included once by each, after VECTOR_BYTES is defined.
 */
#include "registry/hash.h"

#define WIDTH (VECTOR_BYTES / 8)
typedef uint64_t vector __attribute__((vector_size(VECTOR_BYTES)));

struct lane_state {
    vector v0, v1, v2, v3;
};

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))
/* Without an instruction that rotates, one moves whole bytes; all else takes three. */
typedef uint32_t halves __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t quarters __attribute__((vector_size(VECTOR_BYTES)));
static inline __attribute__((always_inline)) vector rotate_32(vector x)
{
#if VECTOR_BYTES == 32
    return (vector)__builtin_shufflevector((halves)x, (halves)x, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return ROTATE(x, 32);
#endif
}
static inline __attribute__((always_inline)) vector rotate_16(vector x)
{
#if VECTOR_BYTES == 32
    return (vector)__builtin_shufflevector((quarters)x, (quarters)x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
#else
    return ROTATE(x, 16);
#endif
}

static inline __attribute__((always_inline)) void lane_round(struct lane_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = ROTATE(s->v1, 13) ^ s->v0;
    s->v3 = rotate_16(s->v3) ^ s->v2;
    s->v0 = rotate_32(s->v0);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = ROTATE(s->v1, 17) ^ s->v2;
    s->v3 = ROTATE(s->v3, 21) ^ s->v0;
    s->v2 = rotate_32(s->v2);
}

static inline __attribute__((always_inline)) vector lane_load(const void *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline __attribute__((always_inline)) void lane_store(uint64_t *p, vector v)
{
    memcpy(p, &v, sizeof v);
}

static inline __attribute__((always_inline)) void lane_start(struct lane_state *s, uint64_t k0, uint64_t k1)
{
    const vector zero = {0};
    s->v0 = zero + (k0 ^ 0x736f6d6570736575u);
    s->v1 = zero + (k1 ^ 0x646f72616e646f6du ^ 0xee);
    s->v2 = zero + (k0 ^ 0x6c7967656e657261u);
    s->v3 = zero + (k1 ^ 0x7465646279746573u);
}

static inline __attribute__((always_inline)) void pair_rounds(struct lane_state *x, struct lane_state *y, int n)
{
    for (int i = 0; i < n; i++) {
        lane_round(x);
        lane_round(y);
    }
}

static inline __attribute__((always_inline)) void pair_absorb(
    struct lane_state *x, struct lane_state *y, vector wx, vector wy)
{
    x->v3 ^= wx;
    y->v3 ^= wy;
    pair_rounds(x, y, 2);
    x->v0 ^= wx;
    y->v0 ^= wy;
}

static inline __attribute__((always_inline)) vector lane_digest(const struct lane_state *s)
{
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#if VECTOR_BYTES == 64
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#endif

/* The two words of WIDTH messages. */
struct lane_words {
    vector first, second;
};
static inline __attribute__((always_inline)) struct lane_words lane_split(const uint8_t (*messages)[16])
{
    vector low = lane_load(messages[0]), high = lane_load(messages[WIDTH / 2]);
    return (struct lane_words){
        __builtin_shufflevector(low, high, EVEN), __builtin_shufflevector(low, high, ODD)};
}

static inline __attribute__((always_inline)) void hash_pair(
    uint64_t k0, uint64_t k1, const uint8_t (*messages)[16], uint64_t *a, uint64_t *b)
{
    struct lane_words p = lane_split(messages), q = lane_split(messages + WIDTH);
    struct lane_state x, y;
    const vector zero = {0};
    lane_start(&x, k0, k1);
    lane_start(&y, k0, k1);
    pair_absorb(&x, &y, p.first, q.first);
    pair_absorb(&x, &y, p.second, q.second);
    x.v2 ^= zero + 0xee;
    y.v2 ^= zero + 0xee;
    pair_rounds(&x, &y, 4);
    lane_store(a, lane_digest(&x));
    lane_store(a + WIDTH, lane_digest(&y));
    if (!b) return;
    x.v1 ^= zero + 0xdd;
    y.v1 ^= zero + 0xdd;
    pair_rounds(&x, &y, 4);
    lane_store(b, lane_digest(&x));
    lane_store(b + WIDTH, lane_digest(&y));
}

static inline void hash_all(
    const uint8_t key[16], const uint8_t (*messages)[16], size_t n, uint64_t *a, uint64_t *b)
{
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    for (size_t at = 0; at < n; at += 2 * WIDTH)
        hash_pair(k0, k1, messages + at, a + at, b ? b + at : NULL);
}
