/* Values of one shape, their digits and case aside, are asked once whether one of them may hold an identifier. */
#include "match/own.h"

static size_t slot_of(span text, const struct look *l, uint32_t more)
{
    uint64_t h = (l->digit * 0x9E3779B97F4A7C15ULL) ^ (l->letter * 0xC2B2AE3D27D4EB4FULL) ^ text.len ^ (uint64_t)more << 8;
    return (h * 0xD6E8FEB86659FD93ULL) >> 57 & (SHAPES - 2);
}
_Static_assert(SHAPES == 128 && KNOWN == SHAPES, "seven bits");

/* Both end in zeros. */
static bool is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint64_t other = 0;
    for (size_t i = 0; i < len; i += 8)
        other |= load_le64(a + i) ^ load_le64(b + i);
    return other == 0;
}

static void note_bare(struct match *m, span digits)
{
    (void)digits;
    m->loosely++;
}

static void learn(struct match *m, struct shape *s, size_t len, const struct look *l)
{
    span shape = span_of(l->shape, len);
    memcpy(s->text, l->shape, sizeof s->text);
    s->len = (uint8_t)len;
    s->patterns = rules_propose_shape(m->rules, shape);
    m->loosely = 0;
    if (l->digits >= 9) shape_each_bare(m, shape, note_bare);
    s->bare = m->loosely > 0;
    s->read = syntax_may_read_shape(m, shape, l);
    s->near = l->digits >= NEAR_DIGITS && l->letters >= NEAR_LETTERS && near_may(m, shape);
}

static void use_shape(struct match *m, size_t slot)
{
    if (m->shapes[slot].len == 0) m->shapes_used[m->shape_count++] = (uint8_t)slot;
}

/* Two places for each. */
const struct shape *shape_of(struct match *m, span text, const struct look *l)
{
    if (text.len > LOOK_BLOCK || text.len == 0 || l->leads > 0) return NULL;
    size_t slot = slot_of(text, l, 0);
    struct shape *s = &m->shapes[slot];
    if (LIKELY(s[0].len == text.len && is_same(s[0].text, l->shape, text.len))) return &s[0];
    if (s[1].len == text.len && is_same(s[1].text, l->shape, text.len)) return &s[1];
    if (s[0].len > 0) use_shape(m, slot + 1), s[1] = s[0];
    use_shape(m, slot);
    learn(m, s, text.len, l);
    return s;
}

/* ---- what is known of a shape at a place ------------------------------------------------------------------------ */

static bool is_known(const struct match *m, const struct known *k, span text, const struct look *l)
{
    return k->len == text.len && k->labels == m->spot.labels && k->key == m->spot.key && is_same(k->text, l->shape, text.len);
}

static void use_known(struct match *m, size_t slot)
{
    if (m->known[slot].len == 0) m->known_used[m->known_count++] = (uint8_t)slot;
}

/* The places for this shape, the known one first; false: it is not known yet. Two for each. */
static bool find_known(struct match *m, span text, const struct look *l, struct known **out)
{
    size_t slot = slot_of(text, l, m->spot.labels);
    struct known *k = *out = &m->known[slot];
    if (LIKELY(is_known(m, k, text, l))) return true;
    if (is_known(m, k + 1, text, l)) return *out = k + 1, true;
    if (k->len > 0) use_known(m, slot + 1), k[1] = k[0];
    use_known(m, slot);
    *k = (struct known){.key = m->spot.key, .labels = m->spot.labels, .len = (uint8_t)text.len};
    memcpy(k->text, l->shape, sizeof k->text);
    return false;
}

void shape_note(struct match *m, rule_id rule, enum registry_kind kind, span value)
{
    struct known *k = m->learning;
    uintptr_t from = (uintptr_t)value.ptr - (uintptr_t)m->learnt.ptr;
    if (from > m->learnt.len || value.len > m->learnt.len - from) return shape_varies(m);
    struct ask now = {.rule = rule, .kind = (uint8_t)kind, .from = (uint8_t)from, .len = (uint8_t)value.len};
    for (size_t i = 0; i < k->count; i++)
        if (k->asks[i].kind == now.kind && k->asks[i].from == now.from && k->asks[i].len == now.len) return;
    if (k->count == ASKS) return shape_varies(m);
    k->asks[k->count++] = now;
}

void shape_read(struct match *m, span text, const struct look *l, bool labelled_only)
{
    struct known *learning = m->learning;
    if (learning && !labelled_only) labelled_only = !syntax_may_read_here(m, span_of(l->shape, text.len), l);
    if (learning && !labelled_only) {
        learning->reads = true;
        m->learning = NULL;
    }
    syntax_scan(m, text, l, labelled_only);
    m->learning = learning;
}

bool shape_identify(struct match *m, span text, const struct look *l)
{
    struct known *k;
    if (!find_known(m, text, l, &k)) {
        m->learning = k;
        m->learnt = text;
        view_identify(m, text, l);
        m->learning = NULL;
    } else if (k->varies) {
        view_identify(m, text, l);
    } else {
        for (size_t i = 0; i < k->count; i++) {
            const struct ask *a = &k->asks[i];
            propose(m, a->rule, (enum registry_kind)a->kind, span_sub(text, a->from, a->len));
        }
        if (k->reads) syntax_scan(m, text, l, false);
    }
    return !k->varies && !k->reads && k->count == 0;
}

const struct known *shape_known_here(const struct match *m, span text, const struct look *l)
{
    const struct known *k = &m->known[slot_of(text, l, m->spot.labels)];
    if (is_known(m, k, text, l)) return k;
    return is_known(m, k + 1, text, l) ? k + 1 : NULL;
}

/* The last eight bytes of a text, or all of it; eight may be read. */
static uint64_t last_bytes(span text)
{
    return text.len >= 8 ? load_le64(text.ptr + text.len - 8) : load_le64(text.ptr) << 8 * (8 - text.len);
}

/* They tell most texts from others. */
static struct hush *hush_of(struct match *m, span text)
{
    return &m->hushes[(last_bytes(text) ^ text.len) * 0x9E3779B97F4A7C15ULL >> 58];
}
_Static_assert(HUSHES == 64, "six bits, and a word of them");

static bool is_rememberable(const struct match *m, span text)
{
    return text.len > 0 && text.len <= LOOK_READ && match_is_roomy(m, text);
}

bool shape_is_hushed(struct match *m, span text)
{
    if (!is_rememberable(m, text)) return false;
    const struct hush *h = hush_of(m, text);
    return h->len == text.len && memcmp(h->text, text.ptr, text.len) == 0;
}

void shape_hush(struct match *m, span text)
{
    if (!is_rememberable(m, text)) return;
    struct hush *h = hush_of(m, text);
    m->hushes_used |= UINT64_C(1) << (h - m->hushes);
    *h = (struct hush){.len = (uint8_t)text.len};
    memcpy(h->text, text.ptr, text.len);
}

/* By where letters stand at both ends, which is a matter of the shape: of a byte that is none bit 6 is 0, or its own in each
 * text of the shape. */
static struct murmur *murmur_of(struct match *m, uint16_t name, span text)
{
    uint64_t first = text.len >= 8 ? load_le64(text.ptr) : 0, bits = 0x4040404040404040ULL;
    uint64_t h = (first & bits) ^ (last_bytes(text) & bits) >> 1 ^ (uint64_t)name << 8 ^ text.len;
    return &m->murmurs[h * 0x9E3779B97F4A7C15ULL >> 58];
}
_Static_assert(MURMURS == 64, "six bits, and a word of them");

enum doc_news shape_murmurs(struct match *m, uint16_t name, span text)
{
    if (!is_rememberable(m, text)) return DOC_NEWS_SOME;
    const struct murmur *k = murmur_of(m, name, text);
    if (k->len != text.len || k->name != name || !m->alike(text.ptr, &k->shape)) return DOC_NEWS_SOME;
    for (size_t i = 0; i < k->tokens; i++) {
        span token = {text.ptr + k->token[i].from, k->token[i].len};
        bool noise = k->token[i].hex ? view_is_hex_noise(token) : m->noise(token, match_is_roomy(m, token)) || text_is_digest(token);
        if (!noise) return DOC_NEWS_SOME;
    }
    return k->never ? DOC_NEWS_NEVER : DOC_NEWS_NONE;
}

void shape_murmured(struct match *m, uint16_t name, span text, const struct look *l)
{
    struct murmur now = {.name = name, .len = (uint8_t)text.len, .never = !l->run};
    if (!is_rememberable(m, text) || l->leads > 0) return;
    if (l->run && !view_find_tokens(text, l, now.token, &now.tokens)) return;
    struct murmur *k = murmur_of(m, name, text);
    m->murmurs_used |= UINT64_C(1) << (k - m->murmurs);
    look_likeness(span_of(l->shape, text.len), &now.shape);
    *k = now;
}

//= 8USC1367 a(2) what a document said does not outlive its exchange
void shapes_forget(struct match *m)
{
    for (uint32_t i = 0; i < m->shape_count; i++)
        mem_wipe(&m->shapes[m->shapes_used[i]], sizeof m->shapes[0]);
    for (uint32_t i = 0; i < m->known_count; i++)
        mem_wipe(&m->known[m->known_used[i]], sizeof m->known[0]);
    m->shape_count = m->known_count = 0;
    for (uint32_t i = 0; i < MURMURS; i++)
        if (m->murmurs_used >> i & 1) mem_wipe(&m->murmurs[i], sizeof m->murmurs[0]);
    m->murmurs_used = 0;
    for (uint32_t i = 0; i < HUSHES; i++)
        if (m->hushes_used >> i & 1) mem_wipe(&m->hushes[i], sizeof m->hushes[0]);
    m->hushes_used = 0;
    m->learnt = span_of(NULL, 0);
}

/* ---- nine digits that stand alone ------------------------------------------------------------------------------- */

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.' || c == '_';
}

/* As cards print it, 012-345-678: the groups of three that were met last. */
struct threes {
    size_t begin[3], count, end;
};

/* Another group behind the same sign: an address of the network (216.136.171.252), a longer number. White space parts numbers. */
static bool is_longer(span text, size_t begin, size_t end)
{
    uint8_t sign = text.ptr[begin + 3];
    if (is_white(sign)) return false;
    if (end + 1 < text.len && text.ptr[end] == sign && is_digit(text.ptr[end + 1])) return true;
    return begin > 1 && text.ptr[begin - 1] == sign && is_digit(text.ptr[begin - 2]);
}

static void threes_add(struct match *m, struct threes *t, span text, size_t begin, size_t end, bare_fn *each)
{
    bool joined = t->count > 0 && begin == t->end + 1 && is_separator(text.ptr[t->end]);
    t->count = end - begin != 3 ? 0 : joined ? t->count + 1 : 1;
    t->end = end;
    if (t->count == 0) return;
    t->begin[(t->count - 1) % 3] = begin;
    if (t->count < 3) return;
    size_t first = t->begin[t->count % 3];
    if (text.ptr[first + 3] == text.ptr[first + 7] && !is_longer(text, first, end)) each(m, span_sub(text, first, 11));
}

/* Groups of digits in a row, however people part a number. */
struct row {
    size_t begin, end, digits, groups;
    uint64_t lengths; /* of the latest groups, four bits each, the last one's lowest */
    bool joined;      /* by one hyphen each */
};
#define ROW_GAP 3 /* characters between two groups, as in " - " */

/* A dot parts a version, an address of the network or a fraction. */
static bool is_gap(span text, size_t from, size_t to)
{
    if (to - from > ROW_GAP) return false;
    for (size_t i = from; i < to; i++)
        if (!is_white(text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_') return false;
    return true;
}

/* 2021-03-04 or 03-04-2021, with a digit beside it: nobody parts an A-number so, and in texts there are many. */
static bool has_date(uint64_t lengths)
{
    for (; lengths >= 0x100; lengths >>= 4)
        if ((lengths & 0xFFF) == 0x422 || (lengths & 0xFFF) == 0x224) return true;
    return false;
}

/* 1900 to 2099. */
static bool is_year(const uint8_t *digits)
{
    return (digits[0] == '1' && digits[1] == '9') || (digits[0] == '2' && digits[1] == '0');
}

/* 20210304. */
bool shape_is_day(const uint8_t *digits)
{
    unsigned month = (unsigned)(digits[4] - '0') * 10 + digits[5] - '0', day = (unsigned)(digits[6] - '0') * 10 + digits[7] - '0';
    return is_year(digits) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* A year and a serial, as courts and the police number their cases and others what they publish (2021-20191), or a day without
 * signs beside a digit (20210304-6). What else is parted so may be an A-number, which only the digits tell. */
static bool is_dated(struct match *m, span text, const struct row *r)
{
    bool serial = r->lengths == 0x45 && r->joined, before = r->lengths == 0x81, behind = r->lengths == 0x18;
    if (!serial && !before && !behind) return false;
    shape_varies(m);
    if (serial) return is_year(text.ptr + r->begin);
    return shape_is_day(text.ptr + (before ? r->begin : r->end - 8));
}

/* What has a syntax of its own, a social security number and a long ZIP code, an address of the network in the name of a host
 * (67-119-24-58), or is told as it stands. */
static bool is_other(span text, const struct row *r)
{
    if (r->groups == 1 || r->lengths == 0x324 || has_date(r->lengths)) return true;
    if (r->groups == 4 && r->joined) return true;
    return r->lengths == 0x54 && text.ptr[r->begin + 5] == '-';
}

/* A sign with a digit at its other side goes on with the number: 10:22, 1/2, -71.05. */
static bool is_cut(span text, const struct row *r)
{
    if (r->end + 1 < text.len && !is_white(text.ptr[r->end]) && is_digit(text.ptr[r->end + 1])) return true;
    return r->begin > 1 && !is_white(text.ptr[r->begin - 1]) && is_digit(text.ptr[r->begin - 2]);
}

//= 10-domain 2.2 BARE9, after its separators are stripped
static void row_propose(struct match *m, const struct row *r, span text, bare_fn *each)
{
    if (r->digits == 9 && !is_other(text, r) && !is_cut(text, r) && !is_dated(m, text, r)) each(m, span_sub(text, r->begin, r->end - r->begin));
}

static void row_add(struct match *m, struct row *r, span text, size_t begin, size_t end, bare_fn *each)
{
    size_t len = end - begin;
    if (r->groups == 0 || !is_gap(text, r->end, begin)) {
        row_propose(m, r, text, each);
        *r = (struct row){.begin = begin, .joined = true};
    } else {
        r->joined &= begin == r->end + 1 && text.ptr[r->end] == '-';
    }
    r->lengths = r->lengths << 4 | (len < 15 ? len : 15);
    r->end = end;
    r->digits += len;
    r->groups++;
}

/* The nanoseconds of a time: 10:22:33.012345678. Behind a comma another column of a table may stand. */
static bool is_nanoseconds(span text, size_t begin)
{
    static const char time[] = "00:00:00.";
    if (begin < sizeof time - 1) return false;
    const uint8_t *p = text.ptr + begin - (sizeof time - 1);
    for (size_t i = 0; i < sizeof time - 1; i++)
        if (time[i] == '0' ? !is_digit(p[i]) : p[i] != (uint8_t)time[i]) return false;
    return true;
}

void shape_each_bare(struct match *m, span text, bare_fn *each)
{
    struct threes threes = {.count = 0};
    struct row row = {.groups = 0};
    size_t from = 0, begin, end;
    while (text_next_digits(text, from, &begin, &end)) {
        from = end;
        if (end - begin == 9 && !is_nanoseconds(text, begin)) each(m, span_sub(text, begin, 9));
        threes_add(m, &threes, text, begin, end, each);
        row_add(m, &row, text, begin, end, each);
    }
    row_propose(m, &row, text, each);
}
