/* Whether decoded bytes say nothing, for the kernels that decode base64. Only they include this. */
#ifndef GATE1367_MATCH_LOOK_NOISE_H
#define GATE1367_MATCH_LOOK_NOISE_H

#include "match/look.h"

#include <immintrin.h>

/* First bytes of the characters that registry_fold() changes, and of others beside them: by its low half a byte's bits for
 * the high halves C, D, E and F. What begins with another one stays as it is, and is neither printable nor a digit. */
#define NOISE_C 1
#define NOISE_D 2
#define NOISE_E 4
#define NOISE_F 8
static const uint8_t noise_low[16] = {
    [0x0] = NOISE_D | NOISE_E | NOISE_F,
    [0x1] = NOISE_D | NOISE_E,
    [0x2] = NOISE_C | NOISE_E,
    [0x3] = NOISE_C | NOISE_E | NOISE_F,
    [0x4] = NOISE_C,
    [0x5] = NOISE_C,
    [0x6] = NOISE_D,
    [0x8] = NOISE_D,
    [0x9] = NOISE_D,
    [0xA] = NOISE_E,
    [0xB] = NOISE_D,
    [0xC] = NOISE_C,
    [0xD] = NOISE_C,
    [0xE] = NOISE_C,
    [0xF] = NOISE_D | NOISE_E,
};
static const uint8_t noise_high[16] = {[0xC] = NOISE_C, [0xD] = NOISE_D, [0xE] = NOISE_E, [0xF] = NOISE_F};

/* A bit for each byte, of up to 24; nothing is set behind the last. */
struct noise {
    uint32_t printable, digits;
    uint32_t signs;   /* '%', '@' */
    uint32_t leads;   /* may begin what folds */
    uint32_t wide;    /* 0xEF, which begins '%' and '@' where 0xBC follows */
    uint32_t bc;      /* 0xBC */
    uint32_t follows; /* 0x80 to 0xBF */
    uint32_t longer, longest; /* of the leads: E and F; of those: F */
};

/* What folds becomes one character in ASCII at most, maybe a digit. */
static inline __attribute__((always_inline)) bool noise_is_all(const struct noise *n)
{
    uint32_t word = n->printable, digits = n->digits;
    if (n->leads) {
        uint32_t next = n->follows >> 1, third = next & n->follows >> 2, fourth = third & n->follows >> 3;
        uint32_t longest = n->longer & n->longest, leads = n->leads & next & (third | ~n->longer) & (fourth | ~longest);
        word = _pext_u32(word | leads, ~(leads << 1 | (leads & n->longer) << 2 | (leads & longest) << 3));
        digits |= leads;
    }
    bool sign = (n->signs | (n->wide & n->bc >> 1)) != 0;
    return !(word & word >> 1 & word >> 2) && !sign && __builtin_popcount(digits) < 6;
}

#endif
