/* An expression becomes nodes while it is read; a repetition reads its part once for each copy. */
#include "rules/regular.h"

#define ENDLESS UINT32_MAX
#define REPEAT_MAX 255

struct parse {
    struct regular *r;
    const char *p;
    bool caseless, wide, failed;
    uint32_t endless; /* repetitions without an upper bound so far */
    uint32_t choices; /* alternatives and repetitions that need not be so many, so far */
};

/* From `start` to `end`, an empty node that goes nowhere yet. */
struct part {
    uint16_t start, end;
};

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static uint16_t add_node(struct parse *x, enum node_kind kind)
{
    struct regular *r = x->r;
    if (r->count == 0) r->count = 1; /* the start: whoever adds a rule links it there */
    if (r->count == REGULAR_NODES) return x->failed = true, 0;
    r->nodes[r->count] = (struct node){.kind = (uint8_t)kind};
    return r->count++;
}

static struct part empty_part(struct parse *x)
{
    uint16_t i = add_node(x, NODE_EMPTY);
    return (struct part){i, i};
}

static uint16_t intern_set(struct parse *x, const struct byte_set *set)
{
    struct regular *r = x->r;
    for (uint16_t i = 0; i < r->sets; i++)
        if (!memcmp(r->set[i].bits, set->bits, sizeof set->bits) && r->set[i].edge == set->edge) return i;
    if (r->sets == REGULAR_SETS) return x->failed = true, 0;
    r->set[r->sets] = *set;
    return r->sets++;
}

static struct part set_part(struct parse *x, enum node_kind kind, const struct byte_set *set)
{
    struct part part = {add_node(x, kind), add_node(x, NODE_EMPTY)};
    x->r->nodes[part.start].set = intern_set(x, set);
    x->r->nodes[part.start].out = part.end;
    return part;
}

static struct part join(struct parse *x, struct part a, struct part b)
{
    x->r->nodes[a.end].out = b.start;
    return (struct part){a.start, b.end};
}

/* Either of the two, or, where b is empty, a or nothing. */
static struct part either(struct parse *x, struct part a, struct part b)
{
    struct part out = {add_node(x, NODE_SPLIT), add_node(x, NODE_EMPTY)};
    x->r->nodes[out.start].out = a.start;
    x->r->nodes[out.start].other = b.start;
    x->r->nodes[a.end].out = x->r->nodes[b.end].out = out.end;
    return out;
}

/* Any number of times. */
static struct part loop(struct parse *x, struct part a)
{
    struct part out = {add_node(x, NODE_SPLIT), add_node(x, NODE_EMPTY)};
    x->r->nodes[out.start].out = a.start;
    x->r->nodes[out.start].other = out.end;
    x->r->nodes[a.end].out = out.start;
    return out;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

static void set_add(struct byte_set *s, uint8_t byte)
{
    s->bits[byte / 64] |= UINT64_C(1) << (byte % 64);
}

static void set_range(struct byte_set *s, uint8_t first, uint8_t last)
{
    for (unsigned c = first; c <= last; c++)
        set_add(s, (uint8_t)c);
}

static void set_union(struct byte_set *s, const struct byte_set *other)
{
    for (size_t i = 0; i < ARRAY_LEN(s->bits); i++)
        s->bits[i] |= other->bits[i];
}

static void set_invert(struct byte_set *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->bits); i++)
        s->bits[i] = ~s->bits[i];
}

static void set_fold(struct byte_set *s)
{
    for (int c = 'a'; c <= 'z'; c++) {
        uint8_t lower = (uint8_t)c, upper = to_upper(lower);
        if (set_holds(s, lower) || set_holds(s, upper)) set_add(s, lower), set_add(s, upper);
    }
}

/* \d, \w, \s and what they are not. */
static bool shorthand(char c, struct byte_set *out)
{
    *out = (struct byte_set){0};
    switch (c | 0x20) {
    case 'd': set_range(out, '0', '9'); break;
    case 's': set_range(out, '\t', '\r'), set_add(out, ' '); break;
    case 'w': set_range(out, '0', '9'), set_range(out, 'A', 'Z'), set_range(out, 'a', 'z'), set_add(out, '_'); break;
    default: return false;
    }
    if (c < 'a') set_invert(out);
    return true;
}

/* A backslash that stands for one byte. */
static bool escaped_byte(char c, uint8_t *out)
{
    *out = (uint8_t)(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
    return *out != (uint8_t)c || (c && !is_alnum((uint8_t)c));
}

/* One member of a class: `single` unless it is a shorthand. */
static bool class_item(struct parse *x, struct byte_set *set, uint8_t *single)
{
    *single = 0;
    *set = (struct byte_set){0};
    if (!*x->p || (*x->p == '[' && x->p[1] && strchr(":.=", x->p[1]))) return false;
    if (*x->p != '\\') {
        *single = (uint8_t)*x->p++;
    } else {
        char c = x->p[1];
        x->p += c ? 2 : 1;
        if (shorthand(c, set)) return true;
        if (!escaped_byte(c, single)) return false;
    }
    set_add(set, *single);
    return true;
}

/* Behind the opening bracket. */
static bool read_class(struct parse *x, struct byte_set *out)
{
    bool inverted = *x->p == '^';
    x->p += inverted;
    if (*x->p == ']') return false;
    while (*x->p != ']') {
        struct byte_set item, to;
        uint8_t first, last;
        if (!class_item(x, &item, &first)) return false;
        if (*x->p == '-' && x->p[1] != ']') {
            x->p++;
            if (!first || !class_item(x, &to, &last) || last < first) return false;
            set_range(&item, first, last);
        }
        set_union(out, &item);
    }
    x->p++;
    if (x->caseless) set_fold(out);
    if (inverted) set_invert(out);
    return true;
}

/* What takes exactly one byte; false, with p where it was, for anything else. */
static bool read_set(struct parse *x, struct byte_set *out)
{
    const char *from = x->p;
    uint8_t byte = (uint8_t)*x->p;
    *out = (struct byte_set){0};
    if (!byte || strchr("()|*+?{^$", byte)) return false;
    x->p++;
    if (byte == '[') return read_class(x, out) || (x->failed = true, false);
    if (byte == '.') return set_invert(out), true; /* a line feed too: more is found */
    if (byte == '\\') {
        char c = *x->p;
        if (shorthand(c, out)) return x->p++, true;
        if (!escaped_byte(c, &byte)) return x->p = from, false;
        x->p++;
    }
    set_add(out, byte);
    if (x->caseless) set_fold(out);
    return true;
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

static struct part read_alternatives(struct parse *x);
static struct part read_sequence(struct parse *x);

/* A look around asks for one byte in a set, or for more, which is left out: of "not" each alternative may be. */
static struct part read_look(struct parse *x, bool behind, bool negative)
{
    struct byte_set all = {.edge = negative}, one;
    bool other = false, any = false;
    do {
        const char *from = x->p;
        if (read_set(x, &one) && (*x->p == '|' || *x->p == ')')) {
            set_union(&all, &one);
            any = true;
        } else {
            x->p = from;
            (void)read_sequence(x);
            other = true;
        }
    } while (!x->failed && *x->p == '|' && x->p++);
    /* What is left out is asked for all the same: its bytes are not one to this expression. */
    if (any && other && !negative) (void)intern_set(x, &all);
    if (x->failed || !any || (other && !negative)) return empty_part(x);
    if (negative) set_invert(&all);
    return set_part(x, behind ? NODE_BEHIND : NODE_AHEAD, &all);
}

static struct part read_group(struct parse *x)
{
    static const struct {
        const char *opening;
        bool behind, negative;
    } looks[] = {{"?=", false, false}, {"?!", false, true}, {"?<=", true, false}, {"?<!", true, true}};
    struct part out;
    x->p++;
    size_t i = 0;
    while (i < ARRAY_LEN(looks) && strncmp(x->p, looks[i].opening, strlen(looks[i].opening)) != 0)
        i++;
    if (i < ARRAY_LEN(looks)) {
        x->p += strlen(looks[i].opening);
        out = read_look(x, looks[i].behind, looks[i].negative);
    } else {
        if (!strncmp(x->p, "?:", 2))
            x->p += 2;
        else if (*x->p == '?' || *x->p == '*')
            x->failed = true;
        out = read_alternatives(x);
    }
    if (*x->p == ')')
        x->p++;
    else
        x->failed = true;
    return out;
}

static struct part read_atom(struct parse *x)
{
    struct byte_set set;
    if (*x->p == '(') return read_group(x);
    if (read_set(x, &set)) return set_part(x, NODE_BYTE, &set);
    if (*x->p == '^' || *x->p == '$')
        x->p++;
    else if (*x->p == '\\' && x->p[1] && strchr("bBAzZ", x->p[1]))
        x->p += 2;
    else
        x->failed = true;
    return empty_part(x);
}

static uint32_t read_number(struct parse *x)
{
    uint32_t n = 0;
    if (!is_digit((uint8_t)*x->p)) x->failed = true;
    for (; is_digit((uint8_t)*x->p); x->p++)
        if (n <= REPEAT_MAX) n = n * 10 + (uint32_t)(*x->p - '0');
    if (n > REPEAT_MAX) x->failed = true;
    return n;
}

/* False where nothing is repeated. Lazy and possessive ones take the same or less. */
static bool read_repeat(struct parse *x, uint32_t *min, uint32_t *max)
{
    char c = *x->p;
    if (!c || !strchr("*+?{", c)) return false;
    x->p++;
    *min = c == '+';
    *max = c == '?' ? 1 : ENDLESS;
    if (c == '{') {
        *min = *max = read_number(x);
        if (*x->p == ',') *max = *++x->p == '}' ? ENDLESS : read_number(x);
        if (*x->p != '}' || *max < *min) return x->failed = true, false;
        x->p++;
    }
    if (*x->p == '?' || *x->p == '+') x->p++;
    return true;
}

/* `from` is the first copy's text. */
static struct part repeat(struct parse *x, const char *from, struct part first, uint32_t min, uint32_t max)
{
    const char *behind = x->p;
    struct part out = empty_part(x);
    for (uint32_t i = 0; !x->failed && i < (max == ENDLESS ? min + 1 : max); i++) {
        x->p = from;
        struct part copy = i == 0 ? first : read_atom(x);
        if (i >= min) copy = max == ENDLESS ? loop(x, copy) : either(x, copy, empty_part(x));
        out = join(x, out, copy);
    }
    x->p = behind;
    return out;
}

static struct part read_item(struct parse *x)
{
    const char *from = x->p;
    uint32_t before = x->endless, choices = x->choices, min, max;
    struct part atom = read_atom(x);
    if (x->failed || !read_repeat(x, &min, &max)) return atom;
    if (max > 1 && x->endless > before) x->failed = true;
    if (max == ENDLESS && x->choices > choices) x->failed = true; /* "(?:x|xx)+": as many ways as "(?:x+)+" has */
    x->endless += max == ENDLESS;
    x->choices += max > min;
    uint32_t seen = x->endless, chosen = x->choices;
    if (x->wide && max > min && max > 1) max = ENDLESS;
    struct part out = repeat(x, from, atom, min, max);
    x->choices = chosen;
    x->endless = seen; /* copies are read again, and not counted again */
    return out;
}

static struct part read_sequence(struct parse *x)
{
    struct part out = empty_part(x);
    while (!x->failed && *x->p && *x->p != '|' && *x->p != ')')
        out = join(x, out, read_item(x));
    return out;
}

static struct part read_alternatives(struct parse *x)
{
    struct part out = read_sequence(x);
    while (!x->failed && *x->p == '|') {
        x->p++;
        x->choices++;
        out = either(x, out, read_sequence(x));
    }
    return out;
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

/* What there was before a rule was added. Where nodes ran out, the start was written to in their place. */
struct before {
    uint16_t count;
    struct node start;
};

/* Takes the part in as a rule, or forgets it. */
static bool take_in(struct parse *x, struct part part, unsigned bit, struct before before)
{
    uint16_t found = add_node(x, NODE_FOUND), split = add_node(x, NODE_SPLIT);
    struct regular *r = x->r;
    if (x->failed) {
        r->count = before.count;
        r->nodes[0] = before.start;
        return false;
    }
    r->nodes[found].bit = (uint8_t)bit;
    r->nodes[part.end].out = found;
    r->nodes[split] = (struct node){.kind = NODE_SPLIT, .out = part.start, .other = r->nodes[0].out};
    r->nodes[0].out = split;
    return true;
}

bool regular_add(struct regular *r, const char *pattern, bool wide, unsigned bit)
{
    struct parse x = {.r = r, .p = pattern, .wide = wide};
    const struct before before = {r->count, r->nodes[0]};
    if (!strncmp(x.p, "(?i)", 4)) x.caseless = true, x.p += 4;
    struct part part = read_alternatives(&x);
    if (*x.p) x.failed = true;
    return take_in(&x, part, bit, before);
}

static struct part letter_part(struct parse *x, uint8_t byte)
{
    struct byte_set set = {0};
    if (byte == ' ')
        shorthand('s', &set);
    else
        set_add(&set, byte);
    set_fold(&set);
    return set_part(x, NODE_BYTE, &set);
}

bool regular_add_literal(struct regular *r, span literal, unsigned bit)
{
    struct parse x = {.r = r, .caseless = true};
    const struct before before = {r->count, r->nodes[0]};
    struct part out = empty_part(&x);
    for (size_t i = 0; i < literal.len; i++)
        out = join(&x, out, letter_part(&x, literal.ptr[i]));
    return take_in(&x, out, bit, before);
}

bool regular_add_word(struct regular *r, span word, unsigned bit)
{
    struct parse x = {.r = r, .caseless = true};
    struct byte_set edge = {.edge = true}, other = {0};
    const struct before before = {r->count, r->nodes[0]};
    set_range(&other, '0', '9'), set_range(&other, 'A', 'Z'), set_range(&other, 'a', 'z');
    set_invert(&other);
    struct part out = join(&x, set_part(&x, NODE_BEHIND, &edge), loop(&x, set_part(&x, NODE_BYTE, &other)));
    for (size_t i = 0; i < word.len; i++) {
        out = join(&x, out, letter_part(&x, word.ptr[i]));
        out = join(&x, out, loop(&x, set_part(&x, NODE_BYTE, &other)));
    }
    return take_in(&x, join(&x, out, set_part(&x, NODE_AHEAD, &edge)), bit, before);
}

/* ---- classes of bytes --------------------------------------------------------------------------------------------- */

void regular_split_classes(uint8_t class_of[256], unsigned *count, const struct byte_set *set)
{
    int into[256];
    bool out[256] = {false};
    unsigned before = *count;
    for (unsigned c = 0; c < before; c++)
        into[c] = -1;
    for (unsigned b = 0; b < 256; b++)
        if (!set_holds(set, (uint8_t)b)) out[class_of[b]] = true;
    for (unsigned b = 0; b < 256; b++) {
        uint8_t c = class_of[b];
        if (!set_holds(set, (uint8_t)b) || c >= before || !out[c]) continue;
        if (into[c] < 0) into[c] = (int)(*count)++;
        class_of[b] = (uint8_t)into[c];
    }
}
