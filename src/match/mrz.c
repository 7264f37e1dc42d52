/* Machine-readable zones of travel documents, line by line: a record may hold both lines, one of them, or the zone in
 *one piece. The line that holds the number says all that is looked up; names are on another.
 *
 *   TD3, MRV-A   44 characters   number(9) c nation(3) birth(6) c sex expiry(6) c optional(14) c c  |  optional(16)
 *   TD2, MRV-B   36 characters   the same with optional(7) c  |  optional(8)
 *   TD1, line 1  30 characters   code(2) issuer(3) number(9) c optional(15)
 *   TD1, line 2  30 characters   birth(6) c sex expiry(6) c nation(3) optional(11) c
 *
 *= ICAO9303-3 4.9   check digits
 *= 10-domain 2.1    the I-551 holds the A-number, and the receipt number in its optional data */
#include "match/own.h"

/* ---- characters ------------------------------------------------------------------------------------------------- */

static bool is_filler(uint8_t c)
{
    return c == '<';
}
static bool is_zone(uint8_t c)
{
    return is_alnum(c) || c == '<';
}
static bool are(const uint8_t *p, size_t n, bool digits, bool fillers)
{
    for (size_t i = 0; i < n; i++)
        if (!(digits ? is_digit(p[i]) : is_alpha(p[i])) && !(fillers && is_filler(p[i]))) return false;
    return true;
}

static unsigned value_of(uint8_t c)
{
    if (is_digit(c)) return c - '0';
    return is_alpha(c) ? to_upper(c) - 'A' + 10u : 0;
}

/* Sum of a field with the weights 7, 3, 1, of which `before` were used already. */
static unsigned weigh(const uint8_t *p, size_t n, size_t before)
{
    static const uint8_t weights[3] = {7, 3, 1};
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[(before + i) % 3] * value_of(p[i]);
    return sum;
}

//= ICAO9303-3 4.9
static bool checks(const uint8_t *p, size_t n, uint8_t digit)
{
    return is_digit(digit) && weigh(p, n, 0) % 10 == (unsigned)(digit - '0');
}

/* ---- what a line tells ------------------------------------------------------------------------------------------ */

static void tell(struct match *m, enum registry_kind kind, const uint8_t *p, size_t n)
{
    const struct rules_identifier *rule = m->syntax[SYNTAX_MRZ][kind];
    while (n > 0 && is_filler(p[n - 1]))
        n--;
    if (rule && n > 0) propose(m, rule->id, kind, span_of(p, n));
}

/* The number of a passport, card or visa. On cards of the United States it is the A-number. */
static void tell_number(struct match *m, const uint8_t *p, size_t n)
{
    tell(m, REGISTRY_PASSPORT, p, n);
    tell(m, REGISTRY_VISA_FOIL, p, n);
    if (n == 9 && are(p, 9, true, false)) tell(m, REGISTRY_ALIEN_NUMBER, p, 9);
}

/* Optional data is what the issuer likes: an A-number, a receipt number, the number of a visa. */
static void tell_optional(struct match *m, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t begin = i;
        while (i < n && !is_filler(p[i]))
            i++;
        size_t len = i - begin, letter = len > 0 && is_alpha(p[begin]);
        const uint8_t *at = p + begin;
        if (len == 13 && are(at, 3, false, false)) tell(m, REGISTRY_RECEIPT_NUMBER, at, 13);
        if (letter ? to_upper(*at) == 'A' && len >= 8 && len <= 10 : len == 9) tell(m, REGISTRY_ALIEN_NUMBER, at, len);
        if (len == 8) tell(m, REGISTRY_VISA_FOIL, at, 8);
        if (len > 9 && !letter && are(at, 9, true, false)) tell(m, REGISTRY_ALIEN_NUMBER, at, 9); /* and check digits */
        i += i == begin;
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

#define LINE_2 28 /* up to the optional data */
#define OPTIONAL_2 16

/* A digit that was misread must not hide somebody: the number counts when its own check digit is right, or those of
 * both dates are. */
static bool is_line_2(const uint8_t *p)
{
    uint8_t sex = to_upper(p[20]);
    if (!is_digit(p[9]) || !are(p + 10, 3, false, true) || !are(p + 13, 6, true, true) || !is_digit(p[19]))
        return false;
    if ((sex != 'M' && sex != 'F' && sex != 'X' && sex != '<') || !are(p + 21, 6, true, true) || !is_digit(p[27]))
        return false;
    return checks(p, 9, p[9]) || (checks(p + 13, 6, p[19]) && checks(p + 21, 6, p[27]));
}

static void read_line_2(struct match *m, const uint8_t *p, size_t rest)
{
    tell_number(m, p, 9);
    tell_optional(m, p + LINE_2, rest - LINE_2 < OPTIONAL_2 ? rest - LINE_2 : OPTIONAL_2);
}

static bool is_american_card(const uint8_t *p)
{
    return memcmp(p + 2, "USA", 3) == 0 || memcmp(p + 2, "usa", 3) == 0;
}

/* A number of more than nine characters goes on in the optional data, with its check digit behind (part 5, 4.2.4). */
static void read_long_number(struct match *m, const uint8_t *p)
{
    uint8_t number[9 + 15];
    size_t more = 0;
    while (more < 15 && !is_filler(p[15 + more]))
        more++;
    if (more < 2) return;
    memcpy(number, p + 5, 9);
    memcpy(number + 9, p + 15, more - 1);
    if (checks(number, 9 + more - 1, p[15 + more - 1])) tell(m, REGISTRY_PASSPORT, number, 9 + more - 1);
}

static void read_card(struct match *m, const uint8_t *p)
{
    uint8_t code = to_upper(p[0]);
    if ((code != 'A' && code != 'C' && code != 'I') || !are(p + 2, 3, false, true)) return;
    if (is_filler(p[14])) read_long_number(m, p);
    if (!checks(p + 5, 9, p[14]) && !is_american_card(p)) return;
    tell_number(m, p + 5, 9);
    tell_optional(m, p + 15, 15);
}

static void read_card_2(struct match *m, const uint8_t *p)
{
    uint8_t sex = to_upper(p[7]);
    if (!are(p + 15, 3, false, true) || (sex != 'M' && sex != 'F' && sex != 'X' && sex != '<')) return;
    if (checks(p, 6, p[6]) && checks(p + 8, 6, p[14])) tell_optional(m, p + 18, 11);
}

/* ---- a text ----------------------------------------------------------------------------------------------------- */

/* Small letters without a filler among them are base64 or prose. */
static bool is_worth(const uint8_t *p, size_t n)
{
    if (memchr(p, '<', n)) return true;
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'a' && p[i] <= 'z') return false;
    return true;
}

static void read_run(struct match *m, const uint8_t *p, size_t n)
{
    if (!is_worth(p, n)) return;
    read_card(m, p);
    for (size_t i = 0; i + MRZ_LINE <= n; i++) {
        if (n - i >= 36 && is_line_2(p + i)) read_line_2(m, p + i, n - i);
        if (is_digit(p[i + 6])) read_card_2(m, p + i);
    }
}

/* A line covers every MRZ_LINE-th byte once, so that most of a text is never looked at. */
void mrz_scan(struct match *m, span text)
{
    for (size_t i = MRZ_LINE - 1; i < text.len;) {
        if (!is_zone(text.ptr[i])) {
            i += MRZ_LINE;
            continue;
        }
        size_t begin = i, end = i + 1;
        while (begin > 0 && is_zone(text.ptr[begin - 1]))
            begin--;
        while (end < text.len && is_zone(text.ptr[end]))
            end++;
        if (end - begin >= MRZ_LINE) read_run(m, text.ptr + begin, end - begin);
        i = end + MRZ_LINE;
    }
}
