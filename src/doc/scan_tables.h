/* The facts of stage 1, once for all kernels. Only they include this. */
#ifndef GATE1367_DOC_SCAN_TABLES_H
#define GATE1367_DOC_SCAN_TABLES_H

#include "base/base.h"

/* Classes of a byte in JSON. */
enum {
    SCAN_QUOTE = 1,
    SCAN_BACKSLASH = 2,
    SCAN_OP = 4,
    SCAN_SPACE = 8,
    SCAN_CONTROL = 16,
    SCAN_DIGIT = 32,
    SCAN_PERCENT = 64, /* and '&', '@' and '=': they make a value worth a second look */
    SCAN_LF = 128,
};

//= RFC8259 2
static const uint8_t scan_classes[256] UNUSED = {
    [0x00 ... 0x08] = SCAN_CONTROL,
    ['\t'] = SCAN_CONTROL | SCAN_SPACE,
    ['\n'] = SCAN_CONTROL | SCAN_SPACE | SCAN_LF,
    [0x0B ... 0x0C] = SCAN_CONTROL,
    ['\r'] = SCAN_CONTROL | SCAN_SPACE,
    [0x0E ... 0x1F] = SCAN_CONTROL,
    [' '] = SCAN_SPACE,
    ['"'] = SCAN_QUOTE,
    ['\\'] = SCAN_BACKSLASH,
    ['%'] = SCAN_PERCENT,
    ['&'] = SCAN_PERCENT,
    ['@'] = SCAN_PERCENT,
    ['='] = SCAN_PERCENT,
    ['0' ... '9'] = SCAN_DIGIT,
    ['{'] = SCAN_OP,
    ['}'] = SCAN_OP,
    ['['] = SCAN_OP,
    [']'] = SCAN_OP,
    [':'] = SCAN_OP,
    [','] = SCAN_OP,
};

/* The ways in which a byte and the one before it can be wrong together as UTF-8. */
enum {
    UTF8_SHORT = 1,      /* a lead, then no continuation */
    UTF8_STRAY = 2,      /* ASCII, then a continuation */
    UTF8_LONG_2 = 4,     /* C0 or C1, then a continuation */
    UTF8_LONG_3 = 8,     /* E0, then 80…9F */
    UTF8_SURROGATE = 16, /* ED, then A0…BF */
    UTF8_LONG_4 = 32,    /* F0, then 80…8F; and F5…FF, then 80…8F, which is too large */
    UTF8_LARGE = 64,     /* F4…FF, then 90…BF */
    UTF8_TWO = 128,      /* two continuations: right when a third or fourth byte is due, and wrong else */
    UTF8_ANY = UTF8_SHORT | UTF8_STRAY | UTF8_TWO,
    UTF8_BEYOND = UTF8_ANY | UTF8_LARGE | UTF8_LONG_4,
    UTF8_FOLLOWS = UTF8_STRAY | UTF8_LONG_2 | UTF8_TWO,
};

/* By the high nibble of the first byte, by its low nibble, by the high nibble of the second: what all three allow. */
//= RFC3629 4
static const uint8_t utf8_first_high[16] UNUSED = {
    [0x0 ... 0x7] = UTF8_STRAY,
    [0x8 ... 0xB] = UTF8_TWO,
    [0xC] = UTF8_SHORT | UTF8_LONG_2,
    [0xD] = UTF8_SHORT,
    [0xE] = UTF8_SHORT | UTF8_LONG_3 | UTF8_SURROGATE,
    [0xF] = UTF8_SHORT | UTF8_LONG_4 | UTF8_LARGE,
};
static const uint8_t utf8_first_low[16] UNUSED = {
    [0x0] = UTF8_ANY | UTF8_LONG_2 | UTF8_LONG_3 | UTF8_LONG_4,
    [0x1] = UTF8_ANY | UTF8_LONG_2,
    [0x2 ... 0x3] = UTF8_ANY,
    [0x4] = UTF8_ANY | UTF8_LARGE,
    [0x5 ... 0xC] = UTF8_BEYOND,
    [0xD] = UTF8_BEYOND | UTF8_SURROGATE,
    [0xE ... 0xF] = UTF8_BEYOND,
};
static const uint8_t utf8_second_high[16] UNUSED = {
    [0x0 ... 0x7] = UTF8_SHORT,
    [0x8] = UTF8_FOLLOWS | UTF8_LONG_3 | UTF8_LONG_4,
    [0x9] = UTF8_FOLLOWS | UTF8_LONG_3 | UTF8_LARGE,
    [0xA ... 0xB] = UTF8_FOLLOWS | UTF8_SURROGATE | UTF8_LARGE,
    [0xC ... 0xF] = UTF8_SHORT,
};

#endif
