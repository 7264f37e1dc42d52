/* Whether decoded bytes say nothing, for the kernels that decode base64. Only they include this. */
#ifndef GATE1367_MATCH_LOOK_NOISE_H
#define GATE1367_MATCH_LOOK_NOISE_H

#include "match/look.h"

#include <immintrin.h>

/* First bytes of the characters that registry_fold() changes, and of others beside them: by its low half a byte's bits for
 * the high halves C, D, E and F. What begins with another one stays as it is, and is neither printable nor a digit. Also the
 * signs '%' and '@', which fold from nothing but characters that begin with 0xEF 0xBC. */
#define NOISE_C 1
#define NOISE_D 2
#define NOISE_E 4
#define NOISE_F 8
#define NOISE_PERCENT 16
#define NOISE_AT 32
static const uint8_t noise_low[16] = {
    [0x0] = NOISE_D | NOISE_E | NOISE_F | NOISE_AT,
    [0x1] = NOISE_D | NOISE_E,
    [0x2] = NOISE_C | NOISE_E,
    [0x3] = NOISE_C | NOISE_E | NOISE_F,
    [0x4] = NOISE_C,
    [0x5] = NOISE_C | NOISE_PERCENT,
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
static const uint8_t noise_high[16] = {
    [0x2] = NOISE_PERCENT, [0x4] = NOISE_AT, [0xC] = NOISE_C, [0xD] = NOISE_D, [0xE] = NOISE_E, [0xF] = NOISE_F};

/* A bit for each byte, of up to 24; nothing is set behind the last. */
struct noise {
    uint32_t printable; /* and 0x7F */
    uint32_t digits, signs;
    uint32_t leads;     /* may begin what folds: a byte of 0x80 to 0xBF follows */
    uint32_t follows;   /* 0x80 to 0xBF */
    /* asked only where there are leads: */
    uint32_t longer, longest; /* of the leads: E and F; of those: F */
    uint32_t wide, bc;        /* 0xEF; 0xBC */
};

/* What folds becomes one character in ASCII at most, maybe a digit. */
static inline __attribute__((always_inline)) bool noise_is_all(const struct noise *n)
{
    uint32_t word = n->printable, digits = n->digits, signs = n->signs;
    if (n->leads) {
        uint32_t third = n->follows >> 2, fourth = third & n->follows >> 3, longest = n->longer & n->longest;
        uint32_t leads = n->leads & (third | ~n->longer) & (fourth | ~longest);
        word = _pext_u32(word | leads, ~(leads << 1 | (leads & n->longer) << 2 | (leads & longest) << 3));
        digits |= leads;
        signs |= n->wide & n->bc >> 1;
    }
    return !(word & word >> 1 & word >> 2) && !signs && __builtin_popcount(digits) < 6;
}

#endif
