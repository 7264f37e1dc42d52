/* One spelling for look-alikes, before any identifier is read. Nothing grows: every code point folded here is longer in
 * UTF-8 than what it becomes, so that the output always fits where the input did.
 *
 * The point is not typography: a number typed in fullwidth digits, with a zero-width space inside or with a Cyrillic
 * letter in front is the same number to the person it helps to find. */
#include "registry/registry.h"

/* Code points of digit zero in every script of Unicode 14 (general category Nd), ascending; the nine that follow are
 * its other digits. */
static const uint32_t digit_zeros[] = {
    0x660,
    0x6f0,
    0x7c0,
    0x966,
    0x9e6,
    0xa66,
    0xae6,
    0xb66,
    0xbe6,
    0xc66,
    0xce6,
    0xd66,
    0xde6,
    0xe50,
    0xed0,
    0xf20,
    0x1040,
    0x1090,
    0x17e0,
    0x1810,
    0x1946,
    0x19d0,
    0x1a80,
    0x1a90,
    0x1b50,
    0x1bb0,
    0x1c40,
    0x1c50,
    0xa620,
    0xa8d0,
    0xa900,
    0xa9d0,
    0xa9f0,
    0xaa50,
    0xabf0,
    0xff10,
    0x104a0,
    0x10d30,
    0x11066,
    0x110f0,
    0x11136,
    0x111d0,
    0x112f0,
    0x11450,
    0x114d0,
    0x11650,
    0x116c0,
    0x11730,
    0x118e0,
    0x11950,
    0x11c50,
    0x11d50,
    0x11da0,
    0x16a60,
    0x16ac0,
    0x16b50,
    0x1d7ce,
    0x1d7d8,
    0x1d7e2,
    0x1d7ec,
    0x1d7f6,
    0x1e140,
    0x1e2f0,
    0x1e950,
    0x1fbf0,
};

/* Letters of U+00C0…U+017F without their marks, by compatibility decomposition (Unicode 14); a blank: none. */
static const char latin_base[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty"
                                 "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNn NnOoOoOoOo"
                                 "RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
_Static_assert(sizeof latin_base == 0x180 - 0xC0 + 1, "U+00C0 to U+017F");

struct range {
    uint32_t first, last;
};

/* Shown as nothing, or as a mark on the letter before: zero-width and bidirectional controls, soft hyphen, joiners,
 * combining accents, variation selectors, tags. */
static const struct range invisible[] = {
    {0x00AD, 0x00AD},
    {0x0300, 0x036F},
    {0x061C, 0x061C},
    {0x115F, 0x1160},
    {0x17B4, 0x17B5},
    {0x180B, 0x180F},
    {0x200B, 0x200F},
    {0x202A, 0x202E},
    {0x2060, 0x206F},
    {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
    {0xE0000, 0xE0FFF},
};

static const struct range spaces[] = {
    {0x0085, 0x0085},
    {0x00A0, 0x00A0},
    {0x1680, 0x1680},
    {0x2000, 0x200A},
    {0x2028, 0x2029},
    {0x202F, 0x202F},
    {0x205F, 0x205F},
    {0x3000, 0x3000},
};

static const struct range dashes[] = {
    {0x058A, 0x058A},
    {0x2010, 0x2015},
    {0x2043, 0x2043},
    {0x2212, 0x2212},
    {0x2E3A, 0x2E3B},
    {0xFE58, 0xFE58},
    {0xFE63, 0xFE63},
};

/* Letters drawn like ASCII ones (Unicode confusables, the single-letter ones of Greek and Cyrillic). */
static const struct {
    uint16_t from;
    char to;
} look_alikes[] = {
    {0x0391, 'A'},
    {0x0392, 'B'},
    {0x0395, 'E'},
    {0x0396, 'Z'},
    {0x0397, 'H'},
    {0x0399, 'I'},
    {0x039A, 'K'},
    {0x039C, 'M'},
    {0x039D, 'N'},
    {0x039F, 'O'},
    {0x03A1, 'P'},
    {0x03A4, 'T'},
    {0x03A5, 'Y'},
    {0x03A7, 'X'},
    {0x03B1, 'a'},
    {0x03BF, 'o'},
    {0x0405, 'S'},
    {0x0406, 'I'},
    {0x0408, 'J'},
    {0x0410, 'A'},
    {0x0412, 'B'},
    {0x0415, 'E'},
    {0x041A, 'K'},
    {0x041C, 'M'},
    {0x041D, 'H'},
    {0x041E, 'O'},
    {0x0420, 'P'},
    {0x0421, 'C'},
    {0x0422, 'T'},
    {0x0423, 'Y'},
    {0x0425, 'X'},
    {0x0430, 'a'},
    {0x0435, 'e'},
    {0x043E, 'o'},
    {0x0440, 'p'},
    {0x0441, 'c'},
    {0x0443, 'y'},
    {0x0445, 'x'},
    {0x0455, 's'},
    {0x0456, 'i'},
    {0x0458, 'j'},
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n && ranges[i].first <= c; i++)
        if (c <= ranges[i].last) return true;
    return false;
}

/* The digit's value, or -1. */
static int digit_value(uint32_t c)
{
    size_t low = 0, high = ARRAY_LEN(digit_zeros);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (digit_zeros[middle] <= c)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && c - digit_zeros[low - 1] <= 9) return (int)(c - digit_zeros[low - 1]);
    /* Superscript, subscript and circled digits, which compatibility decomposition (NFKC) makes plain. */
    if (c == 0x00B2 || c == 0x00B3) return (int)(c - 0x00B0);
    if (c == 0x00B9) return 1;
    if (c == 0x2070 || c == 0x24EA) return 0;
    if (c >= 0x2074 && c <= 0x2079) return (int)(c - 0x2070);
    if (c >= 0x2080 && c <= 0x2089) return (int)(c - 0x2080);
    if (c >= 0x2460 && c <= 0x2468) return (int)(c - 0x245F);
    return -1;
}

/* Fullwidth, circled and mathematical letters, and look-alikes; 0 when it is none. */
static uint8_t letter_value(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E) return (uint8_t)(c - 0xFEE0);
    if (c >= 0x24B6 && c <= 0x24CF) return (uint8_t)('A' + (c - 0x24B6));
    if (c >= 0x24D0 && c <= 0x24E9) return (uint8_t)('a' + (c - 0x24D0));
    if (c >= 0x1D400 && c <= 0x1D6A3) {
        uint32_t i = (c - 0x1D400) % 52;
        return (uint8_t)(i < 26 ? 'A' + i : 'a' + (i - 26));
    }
    if (c < look_alikes[0].from || c > look_alikes[ARRAY_LEN(look_alikes) - 1].from) return 0; /* as of most scripts */
    for (size_t i = 0; i < ARRAY_LEN(look_alikes); i++)
        if (look_alikes[i].from == c) return (uint8_t)look_alikes[i].to;
    return 0;
}

/* What the code point becomes: an ASCII byte, FOLD_DROP or FOLD_KEEP. */
//= 10-domain 2.7 diacritics stripped
enum { FOLD_DROP = -1, FOLD_KEEP = -2 };
static int fold_code_point(uint32_t c)
{
    if (c >= 0xC0 && c < 0x180) return latin_base[c - 0xC0] == ' ' ? FOLD_KEEP : latin_base[c - 0xC0];
    if (in_ranges(invisible, ARRAY_LEN(invisible), c)) return FOLD_DROP;
    if (in_ranges(spaces, ARRAY_LEN(spaces), c)) return ' ';
    if (in_ranges(dashes, ARRAY_LEN(dashes), c)) return '-';
    int digit = digit_value(c);
    if (digit >= 0) return '0' + digit;
    uint8_t letter = letter_value(c);
    return letter ? letter : FOLD_KEEP;
}

static uint32_t decode_utf8(const uint8_t *p, size_t n)
{
    if (n == 2) return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    if (n == 3) return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

//= 10-domain 2.2 normalisation before matching
size_t registry_fold(span value, uint8_t *out)
{
    size_t written = 0;
    for (size_t i = 0; i < value.len;) {
        uint8_t c = value.ptr[i];
        size_t n = c < 0x80 ? 1 : utf8_length(span_from(value, i));
        if (n <= 1) {
            out[written++] = c;
            i++;
            continue;
        }
        int folded = fold_code_point(decode_utf8(value.ptr + i, n));
        if (folded >= 0) {
            out[written++] = (uint8_t)folded;
        } else if (folded == FOLD_KEEP) {
            memmove(out + written, value.ptr + i, n);
            written += n;
        }
        i += n;
    }
    return written;
}
