/* Classes of a byte, once for the kernels that look them up. Only they include this. */
#ifndef GATE1367_MATCH_LOOK_CLASSES_H
#define GATE1367_MATCH_LOOK_CLASSES_H

#include "match/look.h"

enum {
    IS_DIGIT = 1,
    IS_LETTER = 2,
    IS_URL = 4,      /* base64url; letters and digits aside */
    IS_STANDARD = 8, /* base64 */
    IS_PADDING = 16,
    IS_AT = 32,
    IS_PERCENT = 64,
    IS_LEAD = 128,
};

/* U+FF05, U+FF06, U+FF1D, U+FF20 and U+FF3C become '%', '&', '=', '@' and a backslash. */
static const uint8_t look_classes[256] = {
    ['%'] = IS_PERCENT,
    ['&'] = IS_PERCENT,
    ['+'] = IS_STANDARD,
    ['-'] = IS_URL,
    ['/'] = IS_STANDARD,
    ['0' ... '9'] = IS_DIGIT,
    ['='] = IS_PADDING,
    ['@'] = IS_AT,
    ['A' ... 'Z'] = IS_LETTER,
    ['\\'] = IS_PERCENT,
    ['_'] = IS_URL,
    ['a' ... 'z'] = IS_LETTER,
    [0xC2 ... 0xEE] = IS_LEAD,
    [0xEF] = IS_LEAD | IS_AT | IS_PERCENT,
    [0xF0 ... 0xFF] = IS_LEAD,
};

#endif
