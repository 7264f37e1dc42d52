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

static inline __attribute__((always_inline)) void lane_round(struct lane_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = ROTATE(s->v1, 13) ^ s->v0;
    s->v3 = ROTATE(s->v3, 16) ^ s->v2;
    s->v0 = ROTATE(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = ROTATE(s->v1, 17) ^ s->v2;
    s->v3 = ROTATE(s->v3, 21) ^ s->v0;
    s->v2 = ROTATE(s->v2, 32);
}

static inline __attribute__((always_inline)) vector lane_load(const uint64_t *p)
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
    struct lane_state *x, struct lane_state *y, const uint64_t *words)
{
    vector wx = lane_load(words), wy = lane_load(words + WIDTH);
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

static inline __attribute__((always_inline)) void hash_pair(uint64_t k0, uint64_t k1, struct lanes *l, size_t at)
{
    struct lane_state x, y;
    const vector zero = {0};
    lane_start(&x, k0, k1);
    lane_start(&y, k0, k1);
    pair_absorb(&x, &y, l->first + at);
    pair_absorb(&x, &y, l->second + at);
    x.v2 ^= zero + 0xee;
    y.v2 ^= zero + 0xee;
    pair_rounds(&x, &y, 4);
    lane_store(l->a + at, lane_digest(&x));
    lane_store(l->a + at + WIDTH, lane_digest(&y));
    x.v1 ^= zero + 0xdd;
    y.v1 ^= zero + 0xdd;
    pair_rounds(&x, &y, 4);
    lane_store(l->b + at, lane_digest(&x));
    lane_store(l->b + at + WIDTH, lane_digest(&y));
}

static inline void hash_all(const uint8_t key[16], struct lanes *l)
{
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    for (size_t at = 0; at < LANES; at += 2 * WIDTH)
        hash_pair(k0, k1, l, at);
}
