/* The one spelling of each identifier. Build and matching both come here, so that they cannot disagree. Values arrive
 * folded (registry_fold); what is no possible value of its kind yields 0.
 *
 *= 10-domain 2.1 */
#include "registry/canonical.h"

/* What may stand between the characters of a number. */
enum separator {
    SPACE = 1, /* tabs and ends of lines too: texts are wrapped */
    HYPHEN = 2,
    DOT = 4,
    SLASH = 8,
    ANGLE = 16,
    STAR = 32,
    SIGN = 64,  /* '#', ':' and '=', which stand before an A-number */
    MARK = 128, /* what programs put between thousands, and names of files between words */
    JOINTS = SPACE | HYPHEN | MARK,
};

static const uint8_t separators[256] = {
    ['\t'] = SPACE,
    ['\n'] = SPACE,
    ['\r'] = SPACE,
    [' '] = SPACE,
    ['#'] = SIGN,
    ['\''] = MARK,
    ['*'] = STAR,
    [','] = MARK,
    ['-'] = HYPHEN,
    ['.'] = DOT,
    ['/'] = SLASH,
    [':'] = SIGN,
    ['<'] = ANGLE,
    ['='] = SIGN,
    ['_'] = MARK,
};

/* Letters in upper case and digits as they are; 0: neither. */
static const uint8_t kept[256] = {
#define X(upper, lower) [upper] = (upper), [lower] = (upper),
    X('A', 'a') X('B', 'b') X('C', 'c') X('D', 'd') X('E', 'e') X('F', 'f') X('G', 'g') X('H', 'h') X('I', 'i')
        X('J', 'j') X('K', 'k') X('L', 'l') X('M', 'm') X('N', 'n') X('O', 'o') X('P', 'p') X('Q', 'q') X('R', 'r')
            X('S', 's') X('T', 't') X('U', 'u') X('V', 'v') X('W', 'w') X('X', 'x') X('Y', 'y') X('Z', 'z')
#undef X
                ['0'] = '0',
    ['1'] = '1',
    ['2'] = '2',
    ['3'] = '3',
    ['4'] = '4',
    ['5'] = '5',
    ['6'] = '6',
    ['7'] = '7',
    ['8'] = '8',
    ['9'] = '9',
};

static inline bool is_among(uint8_t c, unsigned skip)
{
    return separators[c] & skip;
}

/* Copies ASCII letters (upper case) and digits, passes over the separators in `skip`, and fails on anything else.
 * Returns the length, 0 when it does not fit `max`. */
static size_t copy_alnum(span value, unsigned skip, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = kept[value.ptr[i]];
        if (c) {
            if (n == max) return 0;
            out[n++] = c;
        } else if (!is_among(value.ptr[i], skip)) {
            return 0;
        }
    }
    return n;
}

static bool all_letters(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_alpha(p[i])) return false;
    return n > 0;
}

static bool has_digit(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_digit(p[i])) return true;
    return false;
}

/* Nothing but zeros and letters' absence: what clerks type where there is no number. As a key it would withhold
 * everybody who has none. */
static bool all_zeros(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != '0') return false;
    return true;
}

static unsigned number_at(const uint8_t *p, size_t n)
{
    unsigned v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned)(p[i] - '0');
    return v;
}

/* ---- A-number ---- */

/* What may stand before the digits once separators are gone: 10-domain 2.1 and A_LABELLED of 2.2. */
static const char *const alien_prefixes[] = {
    "",
    "A",
    "AZ",
    "AN",
    "ANO",
    "ANUM",
    "ANUMBER",
    "AFILE",
    "AFILENO",
    "AFILENUMBER",
    "AREG",
    "AREGNO",
    "AREGNUMBER",
    "AREGISTRATIONNO",
    "ARN",
    "ALIEN",
    "ALIENNO",
    "ALIENNUM",
    "ALIENNUMBER",
    "ALIENFILE",
    "ALIENFILENO",
    "ALIENREGNO",
    "ALIENREG",
    "ALIENREGNUMBER",
    "ALIENREGISTRATIONNO",
    "ALIENREGISTRATIONNUMBER",
    "AREGISTRATIONNUMBER",
    "ALIENREGISTRATION",
    "USCIS",
    "USCISNO",
    "USCISNUMBER",
    "USCISA",
};

static bool is_alien_prefix(const uint8_t *word, size_t n)
{
    if (n == 0 || (n == 1 && word[0] == 'A')) return true; /* nearly always */
    for (size_t i = 0; i < ARRAY_LEN(alien_prefixes); i++)
        if (span_equal(span_of(word, n), span_str(alien_prefixes[i]))) return true;
    return false;
}

/* Reads the letters and separators before the first digit; returns its index, or value.len when the prefix is no
 * A-number's. */
static size_t skip_alien_prefix(span value, bool *bare)
{
    uint8_t word[32];
    size_t n = 0, i = 0;
    for (; i < value.len && !is_digit(value.ptr[i]); i++) {
        uint8_t c = value.ptr[i];
        if (is_alpha(c)) {
            if (n == sizeof word) return value.len;
            word[n++] = to_upper(c);
        } else if (!is_among(c, JOINTS | DOT | SLASH | SIGN)) {
            return value.len;
        }
    }
    *bare = i == 0;
    return is_alien_prefix(word, n) ? i : value.len;
}

/* Seven to nine digits with separators or a prefix; a value of digits alone may be shorter, for a number in JSON loses
 * its leading zeros. */
static size_t canonical_alien(span value, uint8_t *out)
{
    bool bare = false;
    size_t at = skip_alien_prefix(value, &bare);
    uint8_t digits[10] = {0};
    size_t n = 0;
    for (size_t i = at; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (is_digit(c)) {
            if (n == 9) return 0;
            digits[n++] = c;
        } else if (is_among(c, JOINTS | DOT | SLASH)) {
            bare = false;
        } else {
            return 0;
        }
    }
    if (n < (bare ? 1 : 7) || all_zeros(digits, n)) return 0;
    memset(out, '0', 9 - n);
    memcpy(out + 9 - n, digits, n);
    return 9;
}

/* ---- numbers with a syntax of their own ---- */

static size_t canonical_receipt(span value, uint8_t *out)
{
    if (value.len < 13) return 0;
    size_t star = span_find(value, '*');
    if (star < value.len) {
        uint8_t tail[10];
        if (copy_alnum(span_sub(value, 0, star), JOINTS, out, 3) != 3 || !all_letters(out, 3)) return 0;
        if (copy_alnum(span_from(value, star + 1), JOINTS, tail, 9) != 9 || !span_is_digits(span_of(tail, 9))) return 0;
        out[3] = '*';
        memcpy(out + 4, tail, 9);
        return 13;
    }
    if (copy_alnum(value, JOINTS | DOT | SLASH, out, 13) != 13) return 0;
    return all_letters(out, 3) && span_is_digits(span_of(out + 3, 10)) ? 13 : 0;
}

//= 10-domain 2.1 SSN: area, group and serial that are never issued
static size_t canonical_ssn(span value, uint8_t *out)
{
    if (copy_alnum(value, JOINTS | DOT | SLASH, out, 9) != 9 || !span_is_digits(span_of(out, 9))) return 0;
    unsigned area = number_at(out, 3);
    if (area == 0 || area == 666 || area >= 900) return 0;
    return number_at(out + 3, 2) != 0 && number_at(out + 5, 4) != 0 ? 9 : 0;
}

static size_t canonical_itin(span value, uint8_t *out)
{
    if (copy_alnum(value, JOINTS | DOT | SLASH, out, 9) != 9 || !span_is_digits(span_of(out, 9)) || out[0] != '9') return 0;
    unsigned g = number_at(out + 3, 2);
    return (g >= 50 && g <= 65) || (g >= 70 && g <= 88) || (g >= 90 && g <= 92) || g >= 94 ? 9 : 0;
}

static size_t canonical_i94(span value, uint8_t *out)
{
    if (copy_alnum(value, JOINTS | DOT | SLASH, out, 11) != 11) return 0;
    return span_is_digits(span_of(out, 9)) && is_digit(out[10]) && !all_zeros(out, 11) ? 11 : 0;
}

static size_t canonical_sevis(span value, uint8_t *out)
{
    size_t n = copy_alnum(value, JOINTS | DOT, out, 11);
    return n >= 10 && out[0] == 'N' && span_is_digits(span_of(out + 1, n - 1)) && !all_zeros(out + 1, n - 1) ? n : 0;
}

static size_t canonical_visa_foil(span value, uint8_t *out)
{
    size_t n = copy_alnum(value, JOINTS | DOT, out, 8);
    return n == 8 && span_is_digits(span_of(out + 1, 7)) && !all_zeros(out, 8) ? 8 : 0;
}

static size_t canonical_fin(span value, uint8_t *out)
{
    uint8_t digits[20];
    size_t n = copy_alnum(value, JOINTS, digits, sizeof digits), zeros = 0;
    if (!span_is_digits(span_of(digits, n))) return 0;
    while (zeros < n && digits[zeros] == '0')
        zeros++;
    memcpy(out, digits + zeros, n - zeros);
    return n - zeros;
}

static size_t canonical_sid(span value, uint8_t *out)
{
    size_t n = copy_alnum(value, JOINTS | DOT | SLASH, out, 12);
    return n >= 3 && all_letters(out, 2) && has_digit(out + 2, n - 2) ? n : 0;
}

/* A passport or FBI number: letters and digits, a digit among them (which keeps "UNKNOWN" and
 * "NONE" out of the index). */
static size_t canonical_mixed(span value, unsigned skip, size_t min, size_t max, uint8_t *out)
{
    size_t n = copy_alnum(value, skip, out, max);
    return n >= min && has_digit(out, n) && !all_zeros(out, n) ? n : 0;
}

/* ---- surrogate keys ---- */

static bool is_padding(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without white space around it, ends of lines too. */
static span trim_surrogate(span value)
{
    while (value.len > 0 && is_padding(value.ptr[0]))
        value = span_from(value, 1);
    while (value.len > 0 && is_padding(value.ptr[value.len - 1]))
        value.len--;
    return value;
}

static size_t canonical_surrogate(span value, uint8_t *out)
{
    value = trim_surrogate(value);
    size_t zeros = 0;
    if (span_is_digits(value))
        while (zeros + 1 < value.len && value.ptr[zeros] == '0')
            zeros++;
    value = span_from(value, zeros);
    if (value.len > REGISTRY_CANONICAL_MAX) return 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < 0x20) return 0;
        out[i] = to_upper(value.ptr[i]);
    }
    return value.len;
}

size_t registry_canonical(enum registry_kind kind, span value, uint8_t *out)
{
    switch (kind) {
    case REGISTRY_ALIEN_NUMBER: return canonical_alien(span_trim(value), out);
    case REGISTRY_RECEIPT_NUMBER: return canonical_receipt(span_trim(value), out);
    case REGISTRY_SSN: return canonical_ssn(span_trim(value), out);
    case REGISTRY_ITIN: return canonical_itin(span_trim(value), out);
    case REGISTRY_I94: return canonical_i94(span_trim(value), out);
    case REGISTRY_SEVIS: return canonical_sevis(span_trim(value), out);
    case REGISTRY_PASSPORT: return canonical_mixed(span_trim(value), JOINTS | ANGLE | DOT | SLASH, 6, 12, out);
    case REGISTRY_VISA_FOIL: return canonical_visa_foil(span_trim(value), out);
    case REGISTRY_FBI_NUMBER: return canonical_mixed(span_trim(value), JOINTS, 1, 9, out);
    case REGISTRY_FIN: return canonical_fin(span_trim(value), out);
    case REGISTRY_SID: return canonical_sid(span_trim(value), out);
    case REGISTRY_DRIVER_LICENSE: return canonical_license(value, out);
    case REGISTRY_PERSON_ID:
    case REGISTRY_EVENT_NUMBER:
    case REGISTRY_CASE_NUMBER: return canonical_surrogate(value, out);
    case REGISTRY_PHONE: return canonical_phone(value, out);
    case REGISTRY_EMAIL: return canonical_email(value, out);
    case REGISTRY_VEHICLE: return canonical_vehicle(value, out);
    case REGISTRY_ADDRESS: return canonical_address(value, out);
    case REGISTRY_LOCATION: return canonical_location(value, out);
    case REGISTRY_ORGANIZATION: return canonical_organization(value, out);
    case REGISTRY_KIND_COUNT: break;
    }
    ASSERT(false);
    return 0;
}

size_t registry_canonical_other(enum registry_kind kind, span canonical, uint8_t *out)
{
    return kind == REGISTRY_PHONE ? canonical_national(canonical, out) : 0;
}

/* ---- ways ------------------------------------------------------------------------------------------------------- */

/* Kinds of which no digit's value decides, but that they are not all zeros, or that zeros in front are dropped. */
static bool has_way(enum registry_kind kind)
{
    return kind == REGISTRY_ALIEN_NUMBER || kind == REGISTRY_RECEIPT_NUMBER || kind == REGISTRY_I94 ||
           kind == REGISTRY_PASSPORT || kind == REGISTRY_FBI_NUMBER || kind == REGISTRY_FIN || registry_kind_is_surrogate(kind);
}

/* Where each character of the spelling stands, from the last one on: they stood in the value in that order. */
static bool find_places(enum registry_kind kind, span value, span spelling, uint8_t *places)
{
    size_t i = value.len;
    bool alien = kind == REGISTRY_ALIEN_NUMBER;
    for (size_t k = spelling.len; k-- > 0;) {
        while (i > 0 && to_upper(value.ptr[i - 1]) != spelling.ptr[k]) {
            if (is_digit(value.ptr[i - 1]) || (!alien && is_alpha(value.ptr[i - 1]))) return false;
            i--;
        }
        if (i == 0 && (!alien || spelling.ptr[k] != '0')) return false;
        places[k] = i > 0 ? (uint8_t)--i : REGISTRY_WAY_PUT;
    }
    while (i-- > 0)
        if (is_digit(value.ptr[i]) || (!alien && is_alpha(value.ptr[i]))) return false;
    return true;
}

/* `places` counts from `from` in the text. False: they do not lie near each other. */
static bool find_width(const uint8_t *places, size_t n, size_t from, size_t room, struct registry_way *w)
{
    size_t first = REGISTRY_WAY_PUT, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (places[i] == REGISTRY_WAY_PUT) continue;
        if (places[i] < first) first = places[i];
        if (places[i] > last) last = places[i];
    }
    if (first == REGISTRY_WAY_PUT || room < REGISTRY_WAY_WIDTH) return false;
    size_t at = from + first, most = room - REGISTRY_WAY_WIDTH;
    if (at > most) at = most;
    w->at = (uint8_t)at;
    return at <= UINT8_MAX && from + last - at < REGISTRY_WAY_WIDTH;
}

static void put_places(const uint8_t *places, span spelling, size_t from, unsigned head, struct registry_way *w)
{
    for (size_t i = 0; i < spelling.len; i++) {
        bool put = places[i] == REGISTRY_WAY_PUT;
        w->from[head + i] = put ? REGISTRY_WAY_PUT : (uint8_t)(from + places[i] - w->at);
        w->keep[head + i] = put ? 0 : is_alpha(spelling.ptr[i]) ? 0xDF : 0xFF;
        w->put[head + i] = put ? '0' : 0;
        w->none[head + i] = '0';
    }
}

static void put_rest(struct registry_head head, size_t n, struct registry_way *w)
{
    for (unsigned i = 0; i < head.len; i++)
        w->put[i] = w->none[i] = (uint8_t)(head.bytes >> 8 * i);
    w->put[REGISTRY_WAY_WIDTH - 1] = w->none[REGISTRY_WAY_WIDTH - 1] = (uint8_t)(head.len + n);
}

bool registry_way_of(struct registry_head head, enum registry_kind kind, span text, size_t from, size_t len, size_t room,
    struct registry_way *out)
{
    uint8_t spelling[REGISTRY_CANONICAL_MAX], places[REGISTRY_ASK_SHORT];
    span value = span_sub(text, from, len);
    *out = (struct registry_way){0};
    memset(out->from, REGISTRY_WAY_PUT, sizeof out->from);
    if (!has_way(kind) || value.len >= REGISTRY_WAY_PUT) return false;
    size_t n = registry_canonical(kind, value, spelling);
    if (n == 0 || !registry_ask_fits(head, n)) return false;
    if (!find_places(kind, value, span_of(spelling, n), places)) return false;
    if (!find_width(places, n, from, room, out)) return false;
    put_places(places, span_of(spelling, n), from, head.len, out);
    put_rest(head, n, out);
    bool leading = kind == REGISTRY_FIN || (registry_kind_is_surrogate(kind) && span_is_digits(span_of(spelling, n)));
    out->leading = (uint16_t)((unsigned)leading << head.len);
    return true;
}
