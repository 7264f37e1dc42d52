/* Addresses, places and organisations: upper case, USPS abbreviations. An address becomes house number,
 * street and ZIP5 (10-domain 2.1), so that the unit, the city and the state may be written in any way or not at all.
 *
 *= 10-domain 2.1 Address */
#include "registry/canonical.h"

#include <stdlib.h>

#define WORDS_MAX 24
#define TEXT_MAX 256

/* Upper-case words of letters and digits; what stood between them is kept as one of ' ' or ','. */
struct words {
    uint8_t text[TEXT_MAX];
    span word[WORDS_MAX];
    bool comma[WORDS_MAX]; /* a comma or line end stood before this word */
    size_t count;
};

/* The code point as an upper-case letter or digit, 0 for a separator, or 1: keep the bytes (a letter of another script;
 * Latin ones have lost their marks by now). */
static uint8_t plain_letter(const uint8_t *p, size_t n)
{
    if (n == 1) return is_alnum(p[0]) ? to_upper(p[0]) : 0;
    return n > 2 || p[0] >= 0xC6;
}

static void end_word(struct words *w, size_t from, size_t to, bool comma)
{
    if (to == from || w->count == WORDS_MAX) return;
    w->comma[w->count] = comma;
    w->word[w->count++] = span_of(w->text + from, to - from);
}

static void split_words(span value, struct words *w)
{
    size_t used = 0, from = 0;
    bool comma = false;
    w->count = 0;
    for (size_t i = 0; i < value.len && used + 4 <= TEXT_MAX;) {
        const uint8_t *p = value.ptr + i;
        size_t n = utf8_length(span_from(value, i));
        uint8_t c = plain_letter(p, n ? n : 1);
        if (n == 0) n = 1;
        i += n;
        if (p[0] == '\'' || p[0] == '.') continue; /* "O'Hara" and "St." are one word */
        if (c == 1) {
            memcpy(w->text + used, p, n);
            used += n;
        } else if (c) {
            w->text[used++] = c;
        } else {
            if (used > from) {
                end_word(w, from, used, comma);
                comma = false;
            }
            from = used;
            if (p[0] == ',' || p[0] == '\n' || p[0] == ';') comma = true;
        }
    }
    end_word(w, from, used, comma);
}

/* What the Postal Service abbreviates (USPS Publication 28, appendices B, C1 and C2, the common ones). */
enum word_class { WORD_SUFFIX, WORD_DIRECTION, WORD_UNIT };
static const struct {
    const char *from, *to;
    enum word_class class;
} abbreviations[] = {
    {"ALLEY", "ALY", WORD_SUFFIX},
    {"ALY", "ALY", WORD_SUFFIX},
    {"AVENUE", "AVE", WORD_SUFFIX},
    {"AVE", "AVE", WORD_SUFFIX},
    {"AV", "AVE", WORD_SUFFIX},
    {"BOULEVARD", "BLVD", WORD_SUFFIX},
    {"BLVD", "BLVD", WORD_SUFFIX},
    {"CIRCLE", "CIR", WORD_SUFFIX},
    {"CIR", "CIR", WORD_SUFFIX},
    {"COURT", "CT", WORD_SUFFIX},
    {"CT", "CT", WORD_SUFFIX},
    {"COVE", "CV", WORD_SUFFIX},
    {"CV", "CV", WORD_SUFFIX},
    {"DRIVE", "DR", WORD_SUFFIX},
    {"DR", "DR", WORD_SUFFIX},
    {"EXPRESSWAY", "EXPY", WORD_SUFFIX},
    {"EXPY", "EXPY", WORD_SUFFIX},
    {"FREEWAY", "FWY", WORD_SUFFIX},
    {"FWY", "FWY", WORD_SUFFIX},
    {"HIGHWAY", "HWY", WORD_SUFFIX},
    {"HWY", "HWY", WORD_SUFFIX},
    {"LANE", "LN", WORD_SUFFIX},
    {"LN", "LN", WORD_SUFFIX},
    {"LOOP", "LOOP", WORD_SUFFIX},
    {"PARKWAY", "PKWY", WORD_SUFFIX},
    {"PKWY", "PKWY", WORD_SUFFIX},
    {"PIKE", "PIKE", WORD_SUFFIX},
    {"PLACE", "PL", WORD_SUFFIX},
    {"PL", "PL", WORD_SUFFIX},
    {"PLAZA", "PLZ", WORD_SUFFIX},
    {"PLZ", "PLZ", WORD_SUFFIX},
    {"ROAD", "RD", WORD_SUFFIX},
    {"RD", "RD", WORD_SUFFIX},
    {"SQUARE", "SQ", WORD_SUFFIX},
    {"SQ", "SQ", WORD_SUFFIX},
    {"STREET", "ST", WORD_SUFFIX},
    {"STR", "ST", WORD_SUFFIX},
    {"ST", "ST", WORD_SUFFIX},
    {"TERRACE", "TER", WORD_SUFFIX},
    {"TER", "TER", WORD_SUFFIX},
    {"TRAIL", "TRL", WORD_SUFFIX},
    {"TRL", "TRL", WORD_SUFFIX},
    {"TURNPIKE", "TPKE", WORD_SUFFIX},
    {"TPKE", "TPKE", WORD_SUFFIX},
    {"WAY", "WAY", WORD_SUFFIX},
    {"NORTH", "N", WORD_DIRECTION},
    {"N", "N", WORD_DIRECTION},
    {"SOUTH", "S", WORD_DIRECTION},
    {"S", "S", WORD_DIRECTION},
    {"EAST", "E", WORD_DIRECTION},
    {"E", "E", WORD_DIRECTION},
    {"WEST", "W", WORD_DIRECTION},
    {"W", "W", WORD_DIRECTION},
    {"NORTHEAST", "NE", WORD_DIRECTION},
    {"NE", "NE", WORD_DIRECTION},
    {"NORTHWEST", "NW", WORD_DIRECTION},
    {"NW", "NW", WORD_DIRECTION},
    {"SOUTHEAST", "SE", WORD_DIRECTION},
    {"SE", "SE", WORD_DIRECTION},
    {"SOUTHWEST", "SW", WORD_DIRECTION},
    {"SW", "SW", WORD_DIRECTION},
    {"APARTMENT", "APT", WORD_UNIT},
    {"APT", "APT", WORD_UNIT},
    {"UNIT", "UNIT", WORD_UNIT},
    {"SUITE", "STE", WORD_UNIT},
    {"STE", "STE", WORD_UNIT},
    {"ROOM", "RM", WORD_UNIT},
    {"RM", "RM", WORD_UNIT},
    {"FLOOR", "FL", WORD_UNIT},
    {"FL", "FL", WORD_UNIT},
    {"BUILDING", "BLDG", WORD_UNIT},
    {"BLDG", "BLDG", WORD_UNIT},
    {"LOT", "LOT", WORD_UNIT},
    {"SPACE", "SPC", WORD_UNIT},
    {"TRAILER", "TRLR", WORD_UNIT},
};

/* Index of the abbreviation, or -1. */
static int abbreviation_of(span word)
{
    for (size_t i = 0; i < ARRAY_LEN(abbreviations); i++)
        if (span_equal(word, span_str(abbreviations[i].from))) return (int)i;
    return -1;
}

static bool is_class(span word, enum word_class class)
{
    int i = abbreviation_of(word);
    return i >= 0 && abbreviations[i].class == class;
}

static span abbreviated(span word)
{
    int i = abbreviation_of(word);
    return i >= 0 ? span_str(abbreviations[i].to) : word;
}

static bool is_number(span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!is_digit(word.ptr[i])) return false;
    return word.len > 0;
}

/* Appends the word and a space before it; false when it does not fit (the rest is then cut: both sides cut alike). */
static bool append_word(uint8_t *out, size_t *n, span word)
{
    size_t gap = *n > 0;
    if (*n + gap + word.len > REGISTRY_CANONICAL_MAX) return false;
    if (gap) out[(*n)++] = ' ';
    memcpy(out + *n, word.ptr, word.len);
    *n += word.len;
    return true;
}

static size_t join_words(const struct words *w, size_t from, size_t to, uint8_t *out, size_t n)
{
    for (size_t i = from; i < to; i++)
        if (!append_word(out, &n, abbreviated(w->word[i]))) break;
    return n;
}

/* The word behind the street: at a comma, a unit, the ZIP code, or after the suffix and its direction. */
static size_t street_end(const struct words *w, size_t house, size_t zip)
{
    size_t end = house + 1;
    bool suffix = false;
    for (; end < zip && !w->comma[end] && !is_class(w->word[end], WORD_UNIT); end++) {
        if (suffix && !is_class(w->word[end], WORD_DIRECTION)) break;
        if (end > house + 1 && is_class(w->word[end], WORD_SUFFIX)) suffix = true;
    }
    return end;
}

/* The last word that is five digits, or their like before a ZIP+4; w->count when there is none behind `house`. */
static size_t find_zip(const struct words *w, size_t house)
{
    for (size_t i = w->count; i > house + 1; i--) {
        span word = w->word[i - 1];
        if (is_number(word) && (word.len == 5 || word.len == 9)) return i - 1;
    }
    return w->count;
}

size_t canonical_address(span value, uint8_t *out)
{
    struct words w;
    split_words(value, &w);
    size_t house = 0;
    while (house < w.count && !is_digit(w.word[house].ptr[0]))
        house++;
    size_t zip = find_zip(&w, house);
    size_t end = house < w.count && zip < w.count ? street_end(&w, house, zip) : 0;
    if (end <= house + 1) return join_words(&w, 0, w.count, out, 0); /* no such parts: the whole, normalised */
    size_t n = join_words(&w, house, end, out, 0);
    append_word(out, &n, span_sub(w.word[zip], 0, 5));
    return n;
}

/* "42.10149, -72.58981": about a hundred metres (10-domain 2.1, rounded to three decimals). */
static size_t canonical_coordinates(span value, uint8_t *out)
{
    char text[64], *end;
    value = span_trim(value);
    if (value.len == 0 || value.len >= sizeof text) return 0;
    for (size_t i = 0; i < value.len; i++)
        if (!is_digit(value.ptr[i]) && !strchr("+-., ", value.ptr[i])) return 0;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    double latitude = strtod(text, &end);
    if (end == text || !memchr(text, '.', (size_t)(end - text))) return 0;
    char *second = end + strspn(end, ", ");
    double longitude = strtod(second, &end);
    if (second == end || *end != '\0' || !memchr(second, '.', (size_t)(end - second))) return 0;
    if (latitude < -90 || latitude > 90 || longitude < -180 || longitude > 180) return 0;
    int n = snprintf(text, sizeof text, "%.3f,%.3f", latitude, longitude);
    memcpy(out, text, (size_t)n);
    return (size_t)n;
}

size_t canonical_location(span value, uint8_t *out)
{
    size_t n = canonical_coordinates(value, out);
    return n ? n : canonical_address(value, out);
}

/* Forms of incorporation say nothing about who it is. */
static bool is_incorporation(span word)
{
    static const char *const forms[] = {
        "INC", "LLC", "LLP", "LTD", "CORP", "CORPORATION", "INCORPORATED", "CO", "COMPANY"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (span_equal(word, span_str(forms[i]))) return true;
    return false;
}

size_t canonical_organization(span value, uint8_t *out)
{
    struct words w;
    split_words(value, &w);
    while (w.count > 1 && is_incorporation(w.word[w.count - 1]))
        w.count--;
    size_t n = 0;
    for (size_t i = 0; i < w.count; i++)
        if (!append_word(out, &n, w.word[i])) break;
    return n;
}
