/* Spellings that a shape or a check digit tells better than an expression does: e-mail addresses, telephone numbers,
 * vehicle identification numbers. Each looks only where its rarest character stands, and proposes; the registry
 *decides.
 *
 *= 10-domain 2.1 Phone, E-mail, Vehicle
 *= ICE10036.2 2.1   a telephone or a car in somebody else's record finds her as well */
#include "match/own.h"

static const struct rules_identifier *rule_of(const struct match *m, enum rule_syntax syntax, enum registry_kind kind)
{
    return m->syntax[syntax][kind];
}

static bool label_names(const struct label *label, const struct rules_identifier *rule)
{
    for (size_t i = 0; i < label->count; i++)
        if (label->rules[i]->kind == rule->kind) return true;
    return false;
}

/* ---- e-mail ----------------------------------------------------------------------------------------------------- */

/* RFC 5321 4.1.2 Atom, and bytes above ASCII (RFC 6531). `plain`: what is no separator in a link or a list. */
static bool is_mailbox(uint8_t c, bool plain)
{
    if (is_alnum(c) || c >= 0x80) return true;
    return c != 0 && strchr(plain ? "._+-%" : "._+-%!#$&'*/=?^`{|}~", c) != NULL;
}

static bool is_host(uint8_t c)
{
    return is_alnum(c) || c >= 0x80 || c == '.' || c == '-';
}

/* Where an address may begin and end, the likeliest first. Each that is wrong costs a look-up. */
#define EMAIL_ENDS 6
struct ends {
    size_t at[EMAIL_ENDS];
    size_t count;
};

static void add_end(struct ends *e, size_t at)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->at[i] == at) return;
    if (e->count < EMAIL_ENDS) e->at[e->count++] = at;
}

static size_t mailbox_begin(span text, size_t at, bool plain)
{
    size_t begin = at;
    while (begin > 0 && is_mailbox(text.ptr[begin - 1], plain))
        begin--;
    while (begin < at && (text.ptr[begin] == '.' || text.ptr[begin] == '\''))
        begin++;
    return begin;
}

/* "maria"@… (RFC 5321 4.1.2 Quoted-string). */
static void add_quoted(struct ends *e, span text, size_t at)
{
    size_t begin = at - 1, room = begin < 64 ? begin : 64;
    for (size_t i = 1; i <= room; i++)
        if (text.ptr[begin - i] == '"') return add_end(e, begin - i);
}

/* Quotation marks, bullets and words of other scripts stand before an address without a space, signs of emphasis too. */
static struct ends find_begins(span text, size_t at)
{
    struct ends e = {.count = 0};
    if (at > 1 && text.ptr[at - 1] == '"') add_quoted(&e, text, at);
    size_t plain = mailbox_begin(text, at, true), begin = at;
    add_end(&e, plain);
    add_end(&e, mailbox_begin(text, at, false));
    while (begin > plain && text.ptr[begin - 1] < 0x80)
        begin--;
    while (begin < at && !is_alnum(text.ptr[begin]))
        begin++;
    add_end(&e, begin);
    return e;
}

/* Where the last label of the host begins; 0: it has but one. */
static size_t last_label(span host)
{
    size_t i = host.len;
    while (i > 0 && host.ptr[i - 1] != '.')
        i--;
    return i;
}

/* Not a country's, under which others have the same names, and not what addresses end with anyway. */
static bool may_be_suffix(span label)
{
    static const char *const domains[] = {"com", "org", "net", "gov", "edu", "mil"};
    for (size_t i = 0; i < ARRAY_LEN(domains); i++)
        if (span_equal_nocase(label, span_str(domains[i]))) return false;
    return label.len != 2;
}

/* maria@example.org.pdf, maria@example.org-old: what follows may be a file's and not the host's. */
static void add_without_suffixes(struct ends *e, span text, size_t host, size_t end)
{
    while (e->count < EMAIL_ENDS) {
        span all = span_sub(text, host, end - host);
        size_t label = last_label(all), dash = label + span_find(span_from(all, label), '-');
        if (label == 0 || (dash == all.len && !may_be_suffix(span_from(all, label)))) return;
        end = host + (dash < all.len ? dash : label - 1);
        if (last_label(span_sub(text, host, end - host)) == 0) return;
        add_end(e, end);
    }
}

static struct ends find_ends(span text, size_t host)
{
    struct ends e = {.count = 0};
    size_t end = host, ascii = host;
    while (end < text.len && is_host(text.ptr[end]))
        end++;
    while (end > host && !is_alnum(text.ptr[end - 1]) && text.ptr[end - 1] < 0x80)
        end--;
    add_end(&e, end);
    while (ascii < end && text.ptr[ascii] < 0x80)
        ascii++;
    while (ascii > host && !is_alnum(text.ptr[ascii - 1]))
        ascii--;
    if (ascii > host) add_end(&e, ascii);
    add_without_suffixes(&e, text, host, e.at[e.count - 1]);
    return e;
}

/* report_maria@example.org.pdf: in a file's name words are joined so. */
static void add_joined(struct ends *e, span text, size_t at)
{
    for (size_t i = at; i > e->at[0] + 1; i--)
        if (text.ptr[i - 2] == '_' || text.ptr[i - 2] == '-') add_end(e, i - 1);
}

static void scan_emails(struct match *m, span text, const struct rules_identifier *rule)
{
    for (size_t from = 0; from < text.len; from++) {
        const uint8_t *found = memchr(text.ptr + from, '@', text.len - from);
        if (!found) return;
        size_t at = from = (size_t)(found - text.ptr);
        struct ends ends = find_ends(text, at + 1), begins = find_begins(text, at);
        if (ends.count > 1) add_joined(&begins, text, at);
        for (size_t b = 0; b < begins.count; b++)
            for (size_t e = 0; e < ends.count; e++)
                propose(m, rule->id, rule->kind, span_sub(text, begins.at[b], ends.at[e] - begins.at[b]));
    }
}

/* ---- telephone -------------------------------------------------------------------------------------------------- */

#define GROUPS 8
#define GAP 3 /* characters between two groups of one number, as in ") - " */

struct group {
    size_t begin, end;
};

/* Groups of digits that may belong to one number, the last ones that were met. */
struct chain {
    struct group groups[GROUPS];
    size_t count;
};

static bool is_joint(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/' || c == '_' || c == '\n' ||
           c == '\r' || c == '\t';
}

static bool is_gap(span text, size_t from, size_t to)
{
    if (to - from == 0 || to - from > GAP) return false;
    for (size_t i = from; i < to; i++)
        if (!is_joint(text.ptr[i])) return false;
    return true;
}

static void chain_add(struct chain *c, span text, struct group g)
{
    if (c->count > 0 && !is_gap(text, c->groups[c->count - 1].end, g.begin)) c->count = 0;
    if (c->count == GROUPS) {
        memmove(c->groups, c->groups + 1, (GROUPS - 1) * sizeof *c->groups);
        c->count--;
    }
    c->groups[c->count++] = g;
}

static size_t group_len(const struct group *g)
{
    return g->end - g->begin;
}

/* "+" or "(+" before the group. */
static bool has_plus(span text, const struct group *g)
{
    return (g->begin > 0 && text.ptr[g->begin - 1] == '+') ||
           (g->begin > 1 && text.ptr[g->begin - 1] == '(' && text.ptr[g->begin - 2] == '+');
}

static bool is_prefixed(const struct match *m, span text, const struct group *g)
{
    const uint8_t *p = text.ptr + g->begin;
    return m->loose || (group_len(g) >= 2 && p[0] == '0' && p[1] == '0') || (group_len(g) >= 3 && memcmp(p, "011", 3) == 0);
}

/* An area code and an exchange begin with 2 to 9 (NANP). A shape's digits may be any. */
static bool is_american(const struct match *m, const uint8_t *area, const uint8_t *exchange)
{
    return m->loose || (area[0] >= '2' && exchange[0] >= '2');
}

static bool is_one(const struct match *m, uint8_t c)
{
    return m->loose || c == '1';
}

/* Whether the groups from g on are written as North American numbers are: 3-3-4, 3-7 or 10, a 1 before them or not. */
static bool is_american_from(const struct match *m, span text, const struct group *g, size_t n)
{
    const uint8_t *p = text.ptr;
    if (n > 1 && group_len(g) == 1 && is_one(m, p[g->begin])) g++, n--;
    const uint8_t *area = p + g->begin;
    if (n == 3 && group_len(g) == 3 && group_len(g + 1) == 3 && group_len(g + 2) == 4)
        return is_american(m, area, p + g[1].begin);
    if (n == 2 && group_len(g) == 3 && group_len(g + 1) == 7) return is_american(m, area, p + g[1].begin);
    if (n == 1 && group_len(g) == 11 && is_one(m, *area)) return is_american(m, area + 1, area + 4);
    return n == 1 && group_len(g) == 10 && is_american(m, area, area + 3);
}

/* Mexico's, Guatemala's, El Salvador's and Honduras's numbers with the country's code in front and no plus: 502 2312-3456. */
static bool is_central(span text, const struct group *g, size_t digits)
{
    const uint8_t *p = text.ptr + g->begin;
    if (group_len(g) == 2) return digits == 12 && memcmp(p, "52", 2) == 0;
    return group_len(g) == 3 && digits == 11 && p[0] == '5' && p[1] == '0' && p[2] >= '2' && p[2] <= '4';
}

static void propose_phone(struct match *m, span text, size_t begin, size_t end, const struct rules_identifier *rule)
{
    propose(m, rule->id, rule->kind, span_sub(text, begin, end - begin));
}

/* Every number that ends with the last group. Digits alone under another kind's label are that kind's. A plus before ten may be a
 * country's, or no part of them: a space in a query, a sign of a list. */
static void chain_propose(struct match *m, const struct chain *c, span text, const struct rules_identifier *rule)
{
    size_t end = c->groups[c->count - 1].end, digits = 0;
    bool bare = (m->loose && !m->placed) || !m->spot.label->claims || m->spot.is_name || label_names(m->spot.label, rule);
    for (size_t n = 1; n <= c->count; n++) {
        const struct group *g = &c->groups[c->count - n];
        digits += group_len(g);
        if (digits > 18) return;
        bool plus = digits >= 8 && has_plus(text, g);
        if (plus) propose_phone(m, text, g->begin - 1 - (text.ptr[g->begin - 1] == '('), end, rule);
        if (plus && digits != 10) continue;
        if (digits > 10 && (is_prefixed(m, text, g) || is_central(text, g, digits)))
            propose_phone(m, text, g->begin, end, rule);
        else if (digits >= 10 && (n > 1 || bare) && is_american_from(m, text, g, n))
            propose_phone(m, text, g->begin, end, rule);
    }
}

static bool ends_number(const struct match *m, span text, size_t end)
{
    return m->loose || end == text.len || !is_alpha(text.ptr[end]) || to_lower(text.ptr[end]) == 'x';
}

static void scan_phones(struct match *m, span text, const struct rules_identifier *rule)
{
    struct chain chain; /* its groups are not cleared: only `count` of them are read */
    const uint8_t *p = text.ptr;
    chain.count = 0;
    for (size_t i = 0; i < text.len;) {
        if (!is_digit(p[i])) {
            i++;
            continue;
        }
        struct group g = {.begin = i};
        bool joined = i > 0 && is_alpha(p[i - 1]);
        while (i < text.len && is_digit(p[i]))
            i++;
        g.end = i;
        if (joined || group_len(&g) > 15) {
            chain.count = 0;
            continue;
        }
        chain_add(&chain, text, g);
        if (ends_number(m, text, i)) chain_propose(m, &chain, text, rule);
    }
}

/* Ten digits, or a country with a plus and fewer. */
static bool may_be_phone(span text, const struct look *f)
{
    return f->digits >= 10 || (f->digits == 9 && memchr(text.ptr, '+', text.len));
}

bool syntax_is_phone(span digits)
{
    const uint8_t *p = digits.ptr;
    if (digits.len == 11 && *p == '1') p++;
    return (size_t)(digits.ptr + digits.len - p) == 10 && p[0] >= '2' && p[3] >= '2';
}

/* ---- vehicle identification number ------------------------------------------------------------------------------ */

#define VIN 17
#define VIN_DIGITS 6

//= 49CFR565.15 c  the transliteration of table V; I, O and Q are in no number
static const uint8_t vin_values[256] = {
#define X(upper, lower, value) [upper] = (value) + 1, [lower] = (value) + 1,
    X('A', 'a', 1) X('B', 'b', 2) X('C', 'c', 3) X('D', 'd', 4) X('E', 'e', 5) X('F', 'f', 6) X('G', 'g', 7)
        X('H', 'h', 8) X('J', 'j', 1) X('K', 'k', 2) X('L', 'l', 3) X('M', 'm', 4) X('N', 'n', 5) X('P', 'p', 7)
            X('R', 'r', 9) X('S', 's', 2) X('T', 't', 3) X('U', 'u', 4) X('V', 'v', 5) X('W', 'w', 6) X('X', 'x', 7)
                X('Y', 'y', 8) X('Z', 'z', 9)
#undef X
                    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
};

static bool is_vin(const struct match *m, const uint8_t *p)
{
    static const uint8_t weights[VIN] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    unsigned sum = 0, digits = 0;
    for (size_t i = 0; i < VIN; i++) {
        if (!m->loose && !vin_values[p[i]]) return false;
        sum += weights[i] * (vin_values[p[i]] - 1u);
        digits += is_digit(p[i]);
    }
    uint8_t check = sum % 11 == 10 ? 'X' : (uint8_t)('0' + sum % 11);
    if (m->loose) return digits >= VIN_DIGITS;
    return digits >= VIN_DIGITS && to_upper(p[8]) == check;
}

/* Words of 17 letters and digits. Of a longer run only every 17th byte is looked at. */
static void scan_vins(struct match *m, span text, const struct rules_identifier *rule)
{
    for (size_t i = VIN - 1; i < text.len;) {
        if (!is_alnum(text.ptr[i])) {
            i += VIN;
            continue;
        }
        size_t begin = i, end = i + 1;
        while (begin > 0 && is_alnum(text.ptr[begin - 1]))
            begin--;
        while (end < text.len && is_alnum(text.ptr[end]))
            end++;
        if (end - begin == VIN && is_vin(m, text.ptr + begin))
            propose(m, rule->id, rule->kind, span_sub(text, begin, VIN));
        i = end + VIN;
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

/* A telephone field holds the number as it is dialled there, in whatever groups. */
static void scan_labelled(struct match *m, span text, const struct rules_identifier *phone)
{
    if (text.len <= 64 && m->spot.label->count > 0 && label_names(m->spot.label, phone))
        propose(m, phone->id, phone->kind, text);
}

static bool may_be_vin(span text, const struct look *l)
{
    return l->digits >= VIN_DIGITS && text.len >= VIN;
}

static bool may_be_mrz(const struct match *m, span text, const struct look *l)
{
    return m->reads_mrz && l->digits >= MRZ_DIGITS && text.len >= MRZ_LINE;
}

bool syntax_may_read(const struct match *m, span text, const struct look *l)
{
    if (l->at && rule_of(m, SYNTAX_EMAIL, REGISTRY_EMAIL)) return true;
    if (may_be_phone(text, l) && rule_of(m, SYNTAX_PHONE, REGISTRY_PHONE)) return true;
    return may_be_mrz(m, text, l) || (may_be_vin(text, l) && rule_of(m, SYNTAX_VIN, REGISTRY_VEHICLE));
}

bool syntax_may_read_shape(struct match *m, span shape, const struct look *l)
{
    const struct rules_identifier *phone = rule_of(m, SYNTAX_PHONE, REGISTRY_PHONE),
                                  *vin = rule_of(m, SYNTAX_VIN, REGISTRY_VEHICLE);
    if (l->at || may_be_mrz(m, shape, l)) return true;
    m->loose = true;
    m->loosely = 0;
    if (phone && may_be_phone(shape, l)) scan_phones(m, shape, phone);
    if (vin && may_be_vin(shape, l)) scan_vins(m, shape, vin);
    m->loose = false;
    return m->loosely > 0;
}

bool syntax_may_read_here(struct match *m, span shape, const struct look *l)
{
    m->placed = true;
    bool may = syntax_may_read_shape(m, shape, l);
    m->placed = false;
    return may;
}

void syntax_scan(struct match *m, span text, const struct look *l, bool labelled_only)
{
    const struct rules_identifier *email = rule_of(m, SYNTAX_EMAIL, REGISTRY_EMAIL),
                                  *phone = rule_of(m, SYNTAX_PHONE, REGISTRY_PHONE),
                                  *vin = rule_of(m, SYNTAX_VIN, REGISTRY_VEHICLE);
    if (phone) scan_labelled(m, text, phone);
    if (labelled_only) return;
    if (email && (l->at || !m->prefilter)) scan_emails(m, text, email);
    if (phone && may_be_phone(text, l)) scan_phones(m, text, phone);
    if (vin && may_be_vin(text, l)) scan_vins(m, text, vin);
    if (may_be_mrz(m, text, l)) mrz_scan(m, text);
}
