/* One text as a reader would see it: folded, then again with its codings undone: percent-encoding, escapes and character
 * references, to three levels in all; base64, hexadecimal and quoted-printable, two of them.
 *
 *= ICE10036.2 2.1
 *= 10-domain 2.2 normalisation before matching */
#include "match/own.h"

/* ---- identifiers ------------------------------------------------------------------------------------------------ */

static bool label_names(const struct label *label, const struct rules_identifier *rule)
{
    for (size_t i = 0; i < label->count; i++)
        if (label->rules[i]->id == rule->id) return true;
    return false;
}

/* The digit that a letter was on paper; 0: no reader of paper takes it for one. */
static uint8_t misread_digit(uint8_t c)
{
    switch (to_upper(c)) {
    case 'O': return '0';
    case 'I':
    case 'L': return '1';
    case 'S': return '5';
    case 'B': return '8';
    default: return is_digit(c) ? c : 0;
    }
}

/* An A-number that was read from paper: seven to nine digits, some of them letters now. It is looked up beside what stands there. */
#define MISREAD_MOST 9
//= 10-domain 2.2 OCR folding inside numeric runs, as a second key
static void propose_misread(struct match *m, const struct rules_identifier *rule, span value)
{
    uint8_t digits[MISREAD_MOST];
    size_t letters = 0;
    while (value.len > 0 && (to_upper(value.ptr[0]) == 'A' || value.ptr[0] == '#' || value.ptr[0] == '-' || value.ptr[0] == ' '))
        value = span_from(value, 1);
    if (value.len < MISREAD_MOST - 2 || value.len > MISREAD_MOST) return;
    for (size_t i = 0; i < value.len; i++) {
        digits[i] = misread_digit(value.ptr[i]);
        if (digits[i] == 0) return;
        letters += is_alpha(value.ptr[i]);
    }
    if (letters == 0 || letters > 3) return;
    propose(m, rule->id, rule->kind, span_of(digits, value.len));
    m->latest.value = span_of(NULL, 0); /* was in a buffer that is gone */
}

/* What is looked into while expressions are tried in it. */
struct seeing {
    struct match *m;
    span text;
};

#define UUID 36 /* characters: 8-4-4-4-12 */

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

static bool is_uuid(const uint8_t *p)
{
    for (size_t i = 0; i < UUID; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? p[i] != '-' : !is_hex(p[i])) return false;
    }
    return true;
}

/* One in three hundred holds an A and eight digits, one in seventy begins like a visa's number. */
//= RFC4122 3
static bool is_of_uuid(span text, span where)
{
    size_t begin = (size_t)(where.ptr - text.ptr), end = begin + where.len;
    for (size_t i = end > UUID ? end - UUID : 0; i <= begin && i + UUID <= text.len; i++) {
        bool alone = (i == 0 || !is_alnum(text.ptr[i - 1])) && (i + UUID == text.len || !is_alnum(text.ptr[i + UUID]));
        if (alone && is_uuid(text.ptr + i)) return true;
    }
    return false;
}

/* A licence is looked up as one: in some states it is a letter and seven digits, as passports and visas of some countries are. */
static bool is_licence(const struct match *m, const struct rules_identifier *rule, span text, span where)
{
    span all = span_trim(text);
    if (m->spot.is_name || (rule->kind != REGISTRY_PASSPORT && rule->kind != REGISTRY_VISA_FOIL)) return false;
    if (where.ptr != all.ptr || where.len != all.len) return false;
    for (size_t i = 0; i < m->spot.label->count; i++)
        if (m->spot.label->rules[i]->kind == REGISTRY_DRIVER_LICENSE) return true;
    return false;
}

/* Bare digits mean something under a label only, but for nine of them, see scan_bare(), and the eleven of an arrival record's number, of
 * which hardly anybody's else is registered: a hit is hers, where no label says that it is another kind's. */
static bool is_mere_number(const struct match *m, const struct rules_identifier *rule, span where)
{
    bool arrival = rule->kind == REGISTRY_I94 && (m->spot.is_name || !m->spot.label->claims);
    return !arrival && span_is_digits(where);
}

static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    const struct seeing *s = ctx;
    struct match *m = s->m;
    if (limit) return finding_here(m, MATCH_LIMIT, rule->id);
    bool named = label_names(m->spot.label, rule);
    if (!named && (is_mere_number(m, rule, where) || is_of_uuid(s->text, where) || is_licence(m, rule, s->text, where))) return;
    propose(m, rule->id, rule->kind, value);
    if (rule->kind == REGISTRY_ALIEN_NUMBER) propose_misread(m, rule, value);
}

static void see_bare(struct match *m, span digits)
{
    propose(m, m->nine_digits->id, REGISTRY_ALIEN_NUMBER, digits);
}

/* What may stand in a text without a label that says so. */
struct may {
    bool pattern, bare, read, near;
    const struct shape *shape; /* NULL: not known */
};

static struct may what_may_be(struct match *m, span text, const struct look *l)
{
    struct may may = {.pattern = rules_may_match(m->identifier_needs, l->digits, l->letters, l->at != 0),
        .bare = l->digits >= 9 && m->nine_digits,
        .read = syntax_may_read(m, text, l),
        .near = l->digits >= NEAR_DIGITS && l->letters >= NEAR_LETTERS};
    if (!may.pattern && !may.bare && !may.read && !may.near) return may;
    may.shape = shape_of(m, text, l);
    if (!may.shape) return may;
    may.pattern &= may.shape->patterns != 0;
    may.bare &= may.shape->bare;
    may.read &= may.shape->read;
    may.near &= may.shape->near;
    return may;
}

/* The property test against "prefilter off" holds it. */
bool view_may_identify(struct match *m, span text, const struct look *l)
{
    struct may may = what_may_be(m, text, l);
    return may.pattern || may.bare || may.read || may.near;
}

/* What reads the digits themselves may find more in the next text of this shape, or less. */
static void ask_shapes(struct match *m, const struct may *may)
{
    uint64_t proposed = may->pattern && may->shape ? may->shape->patterns : 0;
    bool known = may->shape || !(may->pattern || may->bare || may->read || may->near);
    if (!known || !rules_see_shapes(m->rules, proposed, m->spot.labels, m->learnt)) shape_varies(m);
}

static void scan_identifiers(struct match *m, span text, const struct look *l)
{
    struct may may = {true, true, true, true, NULL};
    struct seeing seeing = {m, text};
    if (m->prefilter) may = what_may_be(m, text, l);
    if (m->learning) ask_shapes(m, &may);
    if (m->spot.label->patterns) rules_scan_bound(m->rules, m->scratch, text, m->spot.label->set, see_candidate, &seeing);
    shape_read(m, text, l, !may.read);
    if (may.pattern && !may.shape)
        rules_scan_anywhere(m->rules, m->scratch, text, see_candidate, &seeing);
    else if (may.pattern)
        rules_scan_proposed(m->rules, m->scratch, text, may.shape->patterns, see_candidate, &seeing);
    if (may.bare && m->nine_digits && (!m->spot.label->claims || m->spot.is_name)) shape_each_bare(m, text, see_bare);
    if (may.near) near_scan(m, text);
}

/* ---- under a label ---------------------------------------------------------------------------------------------- */

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.' || c == '_' || c == '/' || c == '\n' || c == '\r' || c == '\t';
}

/* What tells thousands apart in a number that a program wrote for people. */
static bool is_thousands(uint8_t c)
{
    return c == ',' || c == '\'' || c == '_';
}

/* Digits in groups of three from the right, as people write a number, and not as they write a date. */
static bool is_grouped(span s, bool (*parts)(uint8_t c))
{
    size_t run = 0, groups = 0;
    for (size_t i = s.len; i > 0; i--) {
        if (is_digit(s.ptr[i - 1])) {
            run++;
        } else {
            if (run != 3 || !parts(s.ptr[i - 1])) return false;
            run = 0;
            groups++;
        }
    }
    return groups > 0 && run >= 1 && run <= 3;
}

static bool fits_bare(const struct rules_identifier *rule, size_t digits)
{
    return rule->bare != BARE_NONE && digits >= rule->bare_min && digits <= rule->bare_max;
}

/* The whole value: what has letters stands for itself; digits alone need the right number of them. */
static bool fits_whole(const struct rules_identifier *rule, span value, const struct look *l)
{
    if (l->letters > 0) return true;
    return fits_bare(rule, l->digits) && (l->digits == value.len || l->digits == rule->bare_max || is_grouped(value, is_separator));
}

/* Fewer digits than this are a number somewhere in a text, whatever the text is called. */
#define EMBEDDED_MIN 6

/* More of them than the kind has are a column's width, where they begin with zeros, which the next text of the shape need not. */
#define PADDED_MAX 18
static bool fits_padded(struct match *m, const struct rules_identifier *rule, span digits)
{
    size_t zeros = 0;
    bool padded = rule->kind == REGISTRY_FIN || rule->kind == REGISTRY_ALIEN_NUMBER;
    if (!padded || digits.len <= rule->bare_max || digits.len > PADDED_MAX) return false;
    shape_varies(m);
    while (zeros < digits.len && digits.ptr[zeros] == '0')
        zeros++;
    return zeros > 0 && fits_bare(rule, digits.len - zeros);
}

static void scan_embedded(struct match *m, const struct rules_identifier *rule, span value)
{
    size_t from = 0, begin, end;
    while (text_next_digits(value, from, &begin, &end)) {
        span digits = span_sub(value, begin, end - begin);
        from = end;
        if (digits.len < EMBEDDED_MIN) continue;
        if (fits_bare(rule, digits.len)) propose(m, rule->id, rule->kind, digits);
        else if (fits_padded(m, rule, digits)) propose(m, rule->id, rule->kind, span_from(digits, digits.len - rule->bare_max));
    }
}

/* What exporters make of a number that they write as a text: "1.2345678E7". */
static void scan_scientific(struct match *m, span value)
{
    uint8_t digits[16];
    if (!text_is_scientific(value)) return;
    shape_varies(m);
    size_t n = text_integer(value, digits, sizeof digits);
    if (n > 0) value_labelled(m, span_of(digits, n));
    m->latest.value = span_of(NULL, 0); /* was in buffers that are gone */
}

/* "12,345,678": the number that a program wrote so. */
//= 10-domain L37
static void scan_thousands(struct match *m, span value)
{
    uint8_t digits[16];
    size_t n = 0;
    if (value.len > sizeof digits || !is_grouped(value, is_thousands)) return;
    shape_varies(m);
    for (size_t i = 0; i < value.len; i++)
        if (is_digit(value.ptr[i])) digits[n++] = value.ptr[i];
    value_labelled(m, span_of(digits, n));
    m->latest.value = span_of(NULL, 0); /* was in buffers that are gone */
}

static void scan_labelled(struct match *m, span text, const struct look *l)
{
    span value = span_trim(text);
    if (l->letters == 1) scan_scientific(m, value);
    if (l->letters == 0 && l->digits < value.len) scan_thousands(m, value);
    bool digits = l->digits == value.len && value.len > 0;
    uint8_t padded[9];
    for (size_t i = 0; i < m->spot.label->count; i++) {
        const struct rules_identifier *rule = m->spot.label->rules[i];
        if (value.len <= 2 * REGISTRY_CANONICAL_MAX && fits_whole(rule, value, l))
            propose(m, rule->id, rule->kind, digits ? value_pad(rule->kind, value, padded) : value);
        if (rule->kind == REGISTRY_ALIEN_NUMBER && l->letters > 0) propose_misread(m, rule, value);
        if (l->digits >= EMBEDDED_MIN && rule->bare != BARE_NONE && !(digits && value.len <= rule->bare_max))
            scan_embedded(m, rule, value);
    }
}

static void scan_key(struct match *m, span text)
{
    enum registry_kind kind = (enum registry_kind)m->spot.key->kind;
    propose(m, m->kind_rule[kind], kind, text);
}

/* ---- markers ---------------------------------------------------------------------------------------------------- */

static void scan_markers(struct match *m, span text, bool free_text)
{
    if (!free_text && !m->spot.label->markers) return;
    rules_scan_markers(m->rules, m->scratch, text, m->spot.label->set, free_text, marker_here, m);
}

/* ---- codings ---------------------------------------------------------------------------------------------------- */

static void scan_percent(struct match *m, span text, unsigned level)
{
    uint8_t *out = bytes_room(m, &m->percent[level], text.len);
    if (!out) return;
    size_t n = text_decode(text, out);
    if (n < text.len || memcmp(out, text.ptr, n) != 0) view_scan(m, span_of(out, n), level + 1, false, false);
}

/* Whether what is packed in a text of this level is looked at. */
static bool may_unpack(const struct match *m, unsigned level)
{
    return level < LEVELS && m->packed < PACKED;
}

/* Whether a text without a label can be left alone, whatever it folds to: each lead becomes one character at most. */
bool view_is_dull(const struct match *m, const struct look *l, unsigned level)
{
    size_t digits = l->digits + l->leads, letters = l->letters + l->leads;
    if ((level < LEVELS && look_coded(l)) || (l->run && may_unpack(m, level))) return false;
    if (digits >= 6 || l->at) return false; /* nine bare ones, a telephone, a vehicle, a zone, an address */
    return !rules_may_match(m->identifier_needs, digits, letters, false) &&
           !rules_may_match(m->marker_needs, digits, letters, false);
}

/* Whether only what stands in the text itself can say anything of it. */
static bool stands_alone(const struct match *m)
{
    return !m->spot.key && m->spot.label->count == 0 && !m->spot.label->markers;
}

bool view_stands_alone(const struct match *m)
{
    return m->prefilter && stands_alone(m);
}

static bool is_dull(const struct match *m, const struct look *l, unsigned level)
{
    return view_stands_alone(m) && view_is_dull(m, l, level);
}

static void unpacked(struct match *m, span text, unsigned level)
{
    m->packed++;
    view_scan(m, text, level + 1, false, false);
    m->packed--;
}

/* Windows' programs write base64 of UTF-16. */
static void scan_wide(struct match *m, span text, unsigned level)
{
    if (!text_is_wide(text)) return;
    uint8_t *out = bytes_room(m, &m->narrow[level], 2 * text.len);
    if (out) unpacked(m, span_of(out, text_narrow(text, out)), level);
}

/* Apart from percent-encoding: what is a number behind '=' in one of them is text in the other. What is quoted is a text. */
static void scan_quoted(struct match *m, span text, unsigned level)
{
    if (span_find(text, '=') == text.len || !text_has_word(text)) return;
    uint8_t *out = bytes_room(m, &m->percent[level], text.len);
    if (!out) return;
    size_t n = text_unquote(text, out);
    if (n < text.len) unpacked(m, span_of(out, n), level);
}

/* What was decoded is mostly no text at all: then it is no wonder that it holds a few digits. */
static bool is_noise(const struct match *m, span text, const struct look *l, unsigned level)
{
    if (!view_stands_alone(m)) return false;
    if (l->leads > 0 || l->digits >= 6 || l->at || (level < LEVELS && look_coded(l)) || (l->run && may_unpack(m, level))) return false;
    return !rules_may_match(m->identifier_needs, l->digits, l->letters, false) && !text_has_word(text);
}

/* Pictures and signatures are mostly no text, and all that reads one would go over them byte by byte. What is shorter than a word is not
 * looked at. Under a label two letters may say something (U1), and what is no base64 at all decodes to such: there it is to be a text. */
#define WORD 4
#define WORD_LABELLED 6
void view_decode(struct match *m, span token, unsigned level)
{
    if (text_is_digest(token)) return;
    uint8_t *out = bytes_room(m, &m->base64[level], token.len * 3 / 4 + 3);
    if (!out) return;
    size_t n = text_base64(token, out);
    scan_wide(m, span_of(out, n), level);
    unpacked(m, span_of(out, text_condense(out, n, stands_alone(m) ? WORD : WORD_LABELLED)), level);
}

/* Digits before or behind it may belong to what stands beside it: where there is one too many, it is either. */
static bool is_aligned(size_t from, span digits)
{
    return from == 0 || digits.len % 2 > 0;
}

bool view_is_hex_noise(span digits)
{
    size_t begin, end;
    for (size_t from = 0; from < 2 && is_aligned(from, digits); from++)
        if (text_next_plain(digits, from, &begin, &end)) return false;
    return true;
}

//= 10-domain L36
void view_unhex(struct match *m, span digits, unsigned level)
{
    for (size_t from = 0; from < 2 && is_aligned(from, digits); from++) {
        size_t begin, end = from;
        while (text_next_plain(digits, end, &begin, &end)) {
            uint8_t *out = bytes_room(m, &m->base64[level], (end - begin) / 2);
            if (!out) return;
            unpacked(m, span_of(out, text_hex(span_sub(digits, begin, end - begin), out)), level);
        }
    }
}

static void scan_hex(struct match *m, span text, unsigned level)
{
    size_t begin, end;
    for (size_t from = 0; text_next_hex(text, from, &begin, &end); from = end)
        view_unhex(m, span_sub(text, begin, end - begin), level);
}

static void decode_token(struct match *m, span token, unsigned level)
{
    if (LIKELY(!m->any_syntax && view_stands_alone(m)) && m->noise(token, false)) return;
    view_decode(m, token, level);
}

/* Segments of a path before it: "word/QTAx…". */
#define PATH_MAX_BEFORE 32

/* A slash is a character of base64 and parts it from a path before it: then the groups of four begin behind the slash. The
 * next place where they may begin otherwise than at those before, of which `tried` has a bit each; 0: there is none. */
static size_t next_beginning(span token, size_t from, unsigned *tried)
{
    for (size_t i = from; i < PATH_MAX_BEFORE && i + RUN_MIN < token.len; i++) {
        unsigned at = (i + 1) % 4;
        if (LIKELY(token.ptr[i] != '/') || *tried >> at & 1) continue;
        *tried |= 1u << at;
        return i + 1;
    }
    return 0;
}

static void scan_token(struct match *m, span token, unsigned level)
{
    unsigned tried = 1;
    decode_token(m, token, level);
    for (size_t at = next_beginning(token, 0, &tried); at > 0; at = next_beginning(token, at, &tried))
        decode_token(m, span_from(token, at), level);
}

static void scan_tokens(struct match *m, span run, bool url, unsigned level)
{
    size_t begin, end;
    for (size_t from = 0; text_next_token(run, from, url, &begin, &end); from = end)
        scan_token(m, span_sub(run, begin, end - begin), level);
}

/* In the two alphabets apart: '/' is base64 and ends a path segment, '-' is base64url and joins words. */
static void scan_run(struct match *m, span run, unsigned level)
{
    scan_hex(m, run, level);
    scan_tokens(m, run, false, level);
    if (!text_is_common(run)) scan_tokens(m, run, true, level);
}

/* `alphabet`: where its characters stand. What is a token of the `done` alphabet too has been found. */
static size_t find_marked(uint64_t alphabet, uint64_t done, struct run *runs, size_t count, size_t most)
{
    uint64_t begins = alphabet & alphabet >> 1;
    begins &= begins >> 2;
    begins &= begins >> 4;
    begins &= begins >> (RUN_MIN - 8);
    while (begins) {
        unsigned begin = (unsigned)__builtin_ctzll(begins);
        uint64_t behind = ~alphabet >> begin;
        unsigned end = behind ? begin + (unsigned)__builtin_ctzll(behind) : LOOK_BLOCK;
        uint64_t upto = end < LOOK_BLOCK ? (UINT64_C(1) << end) - 1 : ~UINT64_C(0);
        uint64_t token = upto & ~UINT64_C(0) << begin, around = token | token << 1 | token >> 1;
        begins &= ~upto;
        if ((done & around) == token) continue;
        if (count == most) return most + 1;
        runs[count++] = (struct run){.from = (uint8_t)begin, .len = (uint8_t)(end - begin)};
    }
    return count;
}

static size_t find_runs(const struct look *l, struct run *runs, size_t most)
{
    size_t count = find_marked(l->standard, 0, runs, 0, most);
    return count > most ? count : find_marked(l->url, l->standard, runs, count, most);
}

#define RUNS_MOST (2 * LOOK_BLOCK / RUN_MIN)

/* In longer digits there is hardly a shape that says that they are none. */
#define BRIEF 16

bool view_find_tokens(span text, const struct look *l, struct run token[TOKENS], uint8_t *count)
{
    struct run runs[RUNS_MOST];
    size_t n = 0, all = l->padding ? RUNS_MOST + 1 : find_runs(l, runs, RUNS_MOST);
    if (all > TOKENS) return false;
    for (size_t i = 0; i < all; i++) {
        span run = span_sub(text, runs[i].from, runs[i].len);
        unsigned tried = 1;
        size_t at = 0;
        do {
            if (n == TOKENS) return false;
            token[n++] = (struct run){.from = (uint8_t)(runs[i].from + at), .len = (uint8_t)(runs[i].len - at)};
            at = next_beginning(run, at, &tried);
        } while (at > 0);
    }
    size_t begin, end;
    for (size_t from = 0; text_next_hex(text, from, &begin, &end); from = end) {
        bool brief = end - begin < BRIEF;
        if (brief && !text_may_be_plain(span_of(l->shape + begin, end - begin))) continue;
        if (n == TOKENS) return false;
        token[n++] = (struct run){(uint8_t)begin, (uint8_t)(end - begin), true};
    }
    *count = (uint8_t)n;
    return true;
}

/* MIME and PEM write base64 in lines: what crosses the end of one is whole once they are joined. */
//= RFC2045 6.8
static void scan_lines(struct match *m, span text, unsigned level)
{
    size_t begin, end;
    for (size_t from = 0; text_next_lines(text, from, &begin, &end); from = end) {
        uint8_t *out = bytes_room(m, &m->lines[level], end - begin);
        if (!out) return;
        scan_run(m, span_of(out, text_join_lines(span_sub(text, begin, end - begin), out)), level);
    }
}

void view_runs(struct match *m, span text, const struct look *l, unsigned level)
{
    size_t begin, end;
    if (!l->run) return;
    if (text.len <= LOOK_BLOCK && l->padding == 0) {
        struct run runs[RUNS_MOST];
        size_t count = find_runs(l, runs, RUNS_MOST);
        for (size_t i = 0; i < count; i++)
            scan_token(m, span_sub(text, runs[i].from, runs[i].len), level);
        return scan_hex(m, text, level);
    }
    for (size_t from = 0; text_next_run(text, from, &begin, &end); from = end)
        scan_run(m, span_sub(text, begin, end - begin), level);
    scan_lines(m, text, level);
}

/* ---- one view --------------------------------------------------------------------------------------------------- */

static void scan_folded(struct match *m, span text, const struct look *l, unsigned level, bool free_text)
{
    if (m->spot.key) scan_key(m, text);
    if (m->spot.label->count > 0) scan_labelled(m, text, l);
    scan_identifiers(m, text, l);
    scan_markers(m, text, free_text || !m->prefilter);
    if (level == LEVELS) return;
    if (l->percent || !m->prefilter) scan_percent(m, text, level);
    if (!may_unpack(m, level)) return;
    if (l->quoted || !m->prefilter) scan_quoted(m, text, level);
    view_runs(m, text, l, level);
}

void view_identify(struct match *m, span text, const struct look *l)
{
    m->latest.value = span_of(NULL, 0);
    if (m->spot.key) scan_key(m, text);
    if (m->spot.label->count > 0) scan_labelled(m, text, l);
    scan_identifiers(m, text, l);
    scan_markers(m, text, false);
}

void view_free_text(struct match *m, span text, const struct look *l)
{
    if (rules_may_match(m->marker_needs, l->digits, l->letters, l->at != 0))
        rules_scan_markers(m->rules, m->scratch, text, 0, true, marker_here, m);
}

void view_scan(struct match *m, span text, unsigned level, bool raw, bool literal)
{
    struct look l;
    m->look(text, &l);
    if (!is_dull(m, &l, level)) view_scan_known(m, text, &l, level, raw, literal);
}

/* Folding never lengthens, and what it changes it shortens. */
void view_scan_known(struct match *m, span text, const struct look *known, unsigned level, bool raw, bool literal)
{
    struct look again;
    if (known->leads > 0 || !m->prefilter) {
        uint8_t *out = bytes_room(m, &m->folded[level], text.len);
        if (!out) return;
        size_t n = registry_fold(text, out);
        if (n < text.len) {
            text = span_of(out, n);
            raw = false;
            m->look(text, &again);
            known = &again;
        }
    }
    m->latest.value = span_of(NULL, 0); /* buffers are used again */
    if (level > 0 && is_noise(m, text, known, level)) return;
    bool marker = rules_may_match(m->marker_needs, known->digits, known->letters, known->at != 0);
    scan_folded(m, text, known, level, marker && (raw ? literal : text_has_word(text)));
}
