#include "base/base.h"

/* SipHash-2-4, from the paper (Aumasson, Bernstein: SipHash: a fast short-input PRF, 2012); the 128-bit variant as
 * its authors later defined it: another constant in v1, another before finishing, and a second finish. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_finish(struct sip *s)
{
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline struct sip sip_start(const uint8_t key[16])
{
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    return (struct sip){
        k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
}

static inline uint64_t last_word(const uint8_t *p, size_t len)
{
    uint64_t word = (uint64_t)len << 56;
    size_t tail = len & 7;
    for (size_t i = 0; i < tail; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static inline void sip_data(struct sip *s, span data)
{
    const uint8_t *p = data.ptr;
    size_t words = data.len / 8;
    for (size_t i = 0; i < words; i++)
        sip_absorb(s, load_le64(p + 8 * i));
    sip_absorb(s, last_word(words ? p + 8 * words : p, data.len));
}

uint64_t siphash64(const uint8_t key[16], span data)
{
    struct sip s = sip_start(key);
    sip_data(&s, data);
    s.v2 ^= 0xff;
    return sip_finish(&s);
}

void siphash128(const uint8_t key[16], span data, uint8_t out[16])
{
    struct sip s = sip_start(key);
    s.v1 ^= 0xee;
    sip_data(&s, data);
    s.v2 ^= 0xee;
    store_le64(out, sip_finish(&s));
    s.v1 ^= 0xdd;
    store_le64(out + 8, sip_finish(&s));
}
