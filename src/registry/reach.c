/* Ways to reach or to spot somebody: telephone, e-mail, car, driver's licence. Each has many usual spellings, and the
 *one that the source has is hardly ever the one that a record has.
 *
 *= 10-domain 2.1 Phone, E-mail, Vehicle, Driver licence */
#include "registry/canonical.h"

/* ---- telephone -------------------------------------------------------------------------------------------------- */

#define PHONE_DIGITS 20

static bool is_nothing(uint8_t c)
{
    return c != 0 && strchr(" ()-._/\t\r\n", c) != NULL;
}

/* "x12", "ext. 12", "int. 12", "#12", ";ext=12": what comes behind is a desk, not another line. */
static bool begins_extension(uint8_t c)
{
    c = to_lower(c);
    return c == 'x' || c == 'e' || c == 'i' || c == '#' || c == ';' || c == ',';
}

/* "(0)" is dialled inside the country only: +44 (0)20 7946 0018. */
static bool is_trunk_zero(span value, size_t i)
{
    return i + 2 < value.len && value.ptr[i] == '(' && value.ptr[i + 1] == '0' && value.ptr[i + 2] == ')';
}

/* Digits up to an extension; *plus when it starts with one. 0 on anything that no phone number has. */
static size_t phone_digits(span value, uint8_t out[PHONE_DIGITS], bool *plus)
{
    size_t n = 0;
    *plus = false;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (is_digit(c)) {
            if (n == PHONE_DIGITS) return 0;
            out[n++] = c;
        } else if (c == '+' && n == 0 && !*plus) {
            *plus = true;
        } else if (n >= 7 && begins_extension(c)) {
            break;
        } else if (*plus && n > 0 && is_trunk_zero(value, i)) {
            i += 2;
        } else if (!is_nothing(c)) {
            return 0;
        }
    }
    return n;
}

/* Mexico wrote a 1 before mobile numbers called from abroad, until 2019: +52 1 55 … and +52 55 … are one line. */
static size_t drop_mobile_one(uint8_t *digits, size_t n)
{
    if (n != 13 || memcmp(digits, "521", 3) != 0) return n;
    memmove(digits + 2, digits + 3, n - 3);
    return n - 1;
}

/* E.164 without the plus. A number of ten digits is North American and gets its 1; one of eight keeps them (Guatemala,
 * El Salvador, Honduras write theirs so; canonical_national() gives what to compare with); an international prefix (00,
 * 011) goes. What lacks a country and has another length could be anybody's. */
size_t canonical_phone(span value, uint8_t *out)
{
    uint8_t digits[PHONE_DIGITS];
    bool plus;
    value = span_trim(value);
    if (value.len > 4 && span_equal_nocase(span_sub(value, 0, 4), SPAN("tel:"))) value = span_from(value, 4);
    size_t n = phone_digits(value, digits, &plus), from = 0;
    if (!plus && n > 10 && memcmp(digits, "011", 3) == 0)
        from = 3, plus = true;
    else if (!plus && n > 10 && memcmp(digits, "00", 2) == 0)
        from = 2, plus = true;
    n -= from;
    bool ten = !plus && n == 10, eight = !plus && n == 8;
    size_t zeros = 0;
    while (zeros < n && digits[from + zeros] == '0')
        zeros++;
    if (zeros == n || (!ten && !eight && (n < (plus ? 8 : 11) || n > 15))) return 0;
    if (ten) out[0] = '1';
    memcpy(out + ten, digits + from, n);
    return drop_mobile_one(out, n + ten);
}

/* Country code and digits of a national number, which is how the number is written at home. */
static const struct {
    const char *code;
    uint8_t digits;
} countries[] = {{"52", 10}, {"502", 8}, {"503", 8}, {"504", 8}};

size_t canonical_national(span phone, uint8_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(countries); i++) {
        size_t code = strlen(countries[i].code);
        if (phone.len != code + countries[i].digits || memcmp(phone.ptr, countries[i].code, code) != 0) continue;
        return canonical_phone(span_from(phone, code), out);
    }
    return 0;
}

/* ---- e-mail ----------------------------------------------------------------------------------------------------- */

static bool is_google(span host)
{
    return span_equal(host, SPAN("gmail.com")) || span_equal(host, SPAN("googlemail.com"));
}

/* The mailbox rather than the spelling: no case, no quotes around it (RFC 5321 4.1.2), nothing behind a "+" (RFC 5233: a
 * folder of the same mailbox), and where Google delivers, no dots. */
static size_t copy_mailbox(span name, bool dots, uint8_t *out)
{
    size_t n = 0;
    if (name.len > 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"') name = span_sub(name, 1, name.len - 2);
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if (c <= ' ' || c == 0x7F) return 0;
        if (c == '+' && i > 0) break;
        if (c != '.' || dots) out[n++] = to_lower(c);
    }
    return n;
}

size_t canonical_email(span value, uint8_t *out)
{
    value = span_trim(value);
    if (value.len > 7 && span_equal_nocase(span_sub(value, 0, 7), SPAN("mailto:"))) value = span_from(value, 7);
    if (value.len > 0 && value.ptr[value.len - 1] == '.') value.len--; /* the root of all hosts */
    size_t at = span_find(value, '@');
    if (value.len > REGISTRY_CANONICAL_MAX || at == 0 || at + 1 >= value.len) return 0;
    uint8_t host[REGISTRY_CANONICAL_MAX];
    size_t hosts = 0;
    for (size_t i = at + 1; i < value.len; i++) {
        if (value.ptr[i] <= ' ' || value.ptr[i] == '@') return 0;
        host[hosts++] = to_lower(value.ptr[i]);
    }
    bool google = is_google(span_of(host, hosts));
    size_t n = copy_mailbox(span_sub(value, 0, at), !google, out);
    if (n == 0) return 0;
    out[n++] = '@';
    if (google) hosts = sizeof "gmail.com" - 1;
    memcpy(out + n, google ? (const uint8_t *)"gmail.com" : host, hosts);
    return n + hosts;
}

/* ---- car and licence -------------------------------------------------------------------------------------------- */

static const char states[] =
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM "
    "NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI AS MP ";

static bool is_state(span word)
{
    char code[3] = {0};
    if (word.len != 2) return false;
    for (size_t i = 0; i < 2; i++)
        code[i] = (char)to_upper(word.ptr[i]);
    for (const char *s = states; *s; s += 3)
        if (s[0] == code[0] && s[1] == code[1]) return true;
    return false;
}

static bool parts(uint8_t c)
{
    return c != 0 && strchr(" -:/,.()", c) != NULL;
}

static bool holds_digit(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_digit(s.ptr[i])) return true;
    return false;
}

static span trim_parts(span s)
{
    while (s.len > 0 && parts(s.ptr[0]))
        s = span_from(s, 1);
    while (s.len > 0 && parts(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* The state stands in front, behind, or in a member of its own, so that it cannot be a part of the key: "MA 123-ABC",
 * "123ABC (MA)". */
static span without_state(span value)
{
    value = trim_parts(value);
    if (value.len < 5) return value;
    span rest = span_from(value, 3);
    if (parts(value.ptr[2]) && is_state(span_sub(value, 0, 2)) && holds_digit(rest)) return trim_parts(rest);
    rest = span_sub(value, 0, value.len - 3);
    if (parts(value.ptr[value.len - 3]) && is_state(span_from(value, value.len - 2)) && holds_digit(rest))
        return trim_parts(rest);
    return value;
}

/* Letters and digits, a digit among them, which keeps "UNKNOWN" and "NONE" out of the index; not zeros alone. */
static size_t copy_mixed(span value, size_t min, size_t max, uint8_t *out)
{
    size_t n = 0, digits = 0, zeros = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (is_alnum(c)) {
            if (n == max) return 0;
            out[n++] = to_upper(c);
            digits += is_digit(c);
            zeros += c == '0';
        } else if (!parts(c) && c != '*') {
            return 0;
        }
    }
    return n >= min && digits > 0 && zeros < n ? n : 0;
}

size_t canonical_license(span value, uint8_t *out)
{
    return copy_mixed(without_state(value), 4, 24, out);
}

size_t canonical_vehicle(span value, uint8_t *out)
{
    return copy_mixed(without_state(value), 3, 20, out);
}
