/* Whether decoded bytes say nothing, for the kernels that decode base64. Only they include this. */
#ifndef GATE1367_MATCH_LOOK_NOISE_H
#define GATE1367_MATCH_LOOK_NOISE_H

#include "match/look.h"

#include <immintrin.h>

/* Where registry_fold() changes a character, and some beside it: what may follow its first byte, by the low half of that, four
 * bits of a byte for C and D, of another for E and F, a bit each for the high halves 8, 9, A and B. What begins otherwise stays as
 * it is, and is neither printable nor a digit. */
#define NOISE_8 1
#define NOISE_9 2
#define NOISE_A 4
#define NOISE_B 8
#define NOISE_SECOND (NOISE_8 | NOISE_9 | NOISE_A | NOISE_B)
#define NOISE_OF_C(seconds) ((seconds) << 4)
static const uint8_t noise_after_cd[16] = {
    [0x0] = NOISE_SECOND,
    [0x1] = NOISE_8 | NOISE_9,
    [0x2] = NOISE_OF_C(NOISE_8 | NOISE_A | NOISE_B),
    [0x3] = NOISE_OF_C(NOISE_SECOND),
    [0x4] = NOISE_OF_C(NOISE_SECOND),
    [0x5] = NOISE_OF_C(NOISE_SECOND),
    [0x6] = NOISE_8,
    [0x8] = NOISE_9,
    [0x9] = NOISE_A,
    [0xB] = NOISE_B,
    [0xC] = NOISE_OF_C(NOISE_SECOND),
    [0xD] = NOISE_OF_C(NOISE_8 | NOISE_9 | NOISE_A),
    [0xE] = NOISE_OF_C(NOISE_9 | NOISE_A | NOISE_B),
    [0xF] = NOISE_8,
};
#define NOISE_OF_F(seconds) ((seconds) << 4)
static const uint8_t noise_after_ef[16] = {
    [0x0] = NOISE_A | NOISE_B | NOISE_OF_F(NOISE_9),
    [0x1] = NOISE_SECOND,
    [0x2] = NOISE_8 | NOISE_9 | NOISE_B,
    [0x3] = NOISE_8 | NOISE_OF_F(NOISE_A),
    [0xA] = NOISE_9 | NOISE_A,
    [0xF] = NOISE_B,
};
/* By the high half: which of them are a byte's own; which bits it is as a second one. */
static const uint8_t noise_own_cd[16] = {[0xC] = 0xF0, [0xD] = 0x0F};
static const uint8_t noise_own_ef[16] = {[0xE] = 0x0F, [0xF] = 0xF0};
static const uint8_t noise_second[16] = {[0x8] = 0x11 * NOISE_8, [0x9] = 0x11 * NOISE_9, [0xA] = 0x11 * NOISE_A, [0xB] = 0x11 * NOISE_B};

/* A bit for each byte, of up to 24; nothing is set behind the last. */
struct noise {
    uint32_t printable; /* and 0x7F */
    uint32_t digits, signs; /* '%' and '@' */
    uint32_t zeros;     /* 0 */
    uint32_t leads;     /* may begin what folds: the byte that follows may follow it there */
    /* asked only where there are leads: */
    uint32_t follows;         /* 0x80 to 0xBF */
    uint32_t longer, longest; /* of the leads: E and F; of those: F */
    uint32_t wide, bc;        /* 0xEF; 0xBC: what folds to a sign begins with these */
};

/* What folds becomes one character in ASCII at most, maybe a digit. `wide`: text_is_wide(). */
static inline __attribute__((always_inline)) bool noise_is_all(const struct noise *n)
{
    uint32_t wide = n->printable & n->zeros >> 1 & n->printable >> 2 & n->zeros >> 3 & n->printable >> 4;
    uint32_t word = n->printable, digits = n->digits, signs = n->signs;
    if (UNLIKELY(n->leads != 0)) {
        uint32_t third = n->follows >> 2, fourth = third & n->follows >> 3, longest = n->longer & n->longest;
        uint32_t leads = n->leads & (third | ~n->longer) & (fourth | ~longest);
        word = _pext_u32(word | leads, ~(leads << 1 | (leads & n->longer) << 2 | (leads & longest) << 3));
        digits |= leads;
        signs |= n->wide & n->bc >> 1;
    }
    return !(word & word >> 1 & word >> 2) && !(wide | signs) && __builtin_popcount(digits) < 6;
}

#endif
