/* Generated documents: what was planted is found in the unit where it was planted and nowhere else, and the prefilter
 * changes nothing. The spellings are made here, by the Unicode tables, RFC 3986 and RFC 4648, and not by the reader. */
#include "support.h"

#include "match/world.h"

static struct world world;

static uint64_t seed;
static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}
static unsigned below(unsigned n)
{
    return (unsigned)(draw() >> 33) % n;
}
static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

struct text {
    char bytes[65536];
    size_t len;
};

static void add(struct text *t, const void *p, size_t n)
{
    assert_true(t->len + n < sizeof t->bytes);
    memcpy(t->bytes + t->len, p, n);
    t->bytes[t->len += n] = 0;
}
static void copy_text(struct text *t, const struct text *from)
{
    t->len = 0;
    add(t, from->bytes, from->len);
}
static void say(struct text *t, const char *s)
{
    add(t, s, strlen(s));
}

static void add_utf8(struct text *t, uint32_t c)
{
    char b[4];
    if (c < 0x80)
        b[0] = (char)c, add(t, b, 1);
    else if (c < 0x800)
        b[0] = (char)(0xC0 | c >> 6), b[1] = (char)(0x80 | (c & 63)), add(t, b, 2);
    else if (c < 0x10000)
        b[0] = (char)(0xE0 | c >> 12), b[1] = (char)(0x80 | (c >> 6 & 63)), b[2] = (char)(0x80 | (c & 63)),
        add(t, b, 3);
    else
        b[0] = (char)(0xF0 | c >> 18), b[1] = (char)(0x80 | (c >> 12 & 63)), b[2] = (char)(0x80 | (c >> 6 & 63)),
        b[3] = (char)(0x80 | (c & 63)), add(t, b, 4);
}

/* ---- disguises -------------------------------------------------------------------------------------------------- */

/* Fullwidth letters and digits, digits of other scripts, invisible characters, other spaces and dashes. */
static void disguise_unicode(struct text *t)
{
    static const uint32_t zeros[] = {0xFF10, 0x0660, 0x06F0, 0x0966, 0x1D7CE};
    static const uint32_t nothing[] = {0x200B, 0x00AD, 0x2060, 0xFEFF, 0x200E};
    static const uint32_t dashes[] = {0x2010, 0x2011, 0x2013, 0x2015};
    struct text out;
    out.len = 0;
    for (size_t i = 0; i < t->len; i++) {
        uint8_t c = (uint8_t)t->bytes[i];
        bool begins = (c & 0xC0) != 0x80;
        if (begins && chance(10)) add_utf8(&out, nothing[below(5)]);
        if (is_digit(c) && chance(40))
            add_utf8(&out, zeros[below(5)] + (c - '0'));
        else if (is_alpha(c) && chance(30))
            add_utf8(&out, 0xFF00u + (c - 0x20));
        else if (c == ' ' && chance(60))
            add_utf8(&out, 0x00A0);
        else if (c == '-' && chance(60))
            add_utf8(&out, dashes[below(4)]);
        else
            add(&out, &c, 1);
    }
    copy_text(t, &out);
}

static void disguise_percent(struct text *t)
{
    struct text out;
    out.len = 0;
    size_t sure = t->len ? below((unsigned)t->len) : 0;
    for (size_t i = 0; i < t->len; i++) {
        char hex[4];
        uint8_t c = (uint8_t)t->bytes[i];
        if (i == sure || c == '%' || c >= 0x80 || chance(30)) {
            snprintf(hex, sizeof hex, chance(50) ? "%%%02X" : "%%%02x", c);
            say(&out, hex);
        } else {
            add(&out, &c, 1);
        }
    }
    copy_text(t, &out);
}

static void disguise_base64(struct text *t)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct text out;
    out.len = 0;
    bool url = chance(50), padding = chance(50) || t->len < 9;
    for (size_t i = 0; i < t->len; i += 3) {
        uint32_t v = 0;
        size_t n = t->len - i < 3 ? t->len - i : 3;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (uint8_t)t->bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            char c = alphabet[v >> (18 - 6 * k) & 63];
            if (url) c = c == '+' ? '-' : c == '/' ? '_' : c;
            if (k <= n)
                add(&out, &c, 1);
            else if (padding)
                say(&out, "=");
        }
    }
    copy_text(t, &out);
}

/* UTF-16 in base64, as Windows' programs write it. */
static void disguise_wide(struct text *t)
{
    struct text out;
    bool big = chance(30);
    out.len = 0;
    for (size_t i = 0; i < t->len; i++) {
        if (big) add(&out, "", 1);
        add(&out, t->bytes + i, 1);
        if (!big) add(&out, "", 1);
    }
    copy_text(t, &out);
    disguise_base64(t);
}

static bool is_ascii(const struct text *t)
{
    for (size_t i = 0; i < t->len; i++)
        if ((uint8_t)t->bytes[i] >= 0x80) return false;
    return true;
}

static void disguise_hex(struct text *t)
{
    struct text out;
    const char *format = chance(50) ? "%02x" : "%02X";
    out.len = 0;
    if (chance(20)) say(&out, "0x");
    for (size_t i = 0; i < t->len; i++) {
        char two[4];
        snprintf(two, sizeof two, format, (uint8_t)t->bytes[i]);
        say(&out, two);
    }
    copy_text(t, &out);
}

//= RFC2045 6.7
static void disguise_quoted(struct text *t)
{
    struct text out;
    out.len = 0;
    size_t sure = t->len ? below((unsigned)t->len) : 0;
    for (size_t i = 0; i < t->len; i++) {
        char hex[4];
        uint8_t c = (uint8_t)t->bytes[i];
        if (chance(5)) say(&out, chance(50) ? "=\r\n" : "=\n");
        if (i == sure || c == '=' || c >= 0x80 || chance(30)) {
            snprintf(hex, sizeof hex, "=%02X", c);
            say(&out, hex);
        } else {
            add(&out, &c, 1);
        }
    }
    copy_text(t, &out);
}

static void surround(struct text *t)
{
    static const char *const before[] = {"see ", "(", "subject: ", "No.: ", "el se\xC3\xB1or ", "\n", "\xE2\x80\x9C"};
    static const char *const behind[] = {" there", ")", ", and", ".", " \xC3\xA1 la", "\t", "; x"};
    struct text out;
    out.len = 0;
    if (chance(70)) say(&out, before[below(7)]);
    add(&out, t->bytes, t->len);
    if (chance(70)) say(&out, behind[below(7)]);
    copy_text(t, &out);
}

/* Codings may leave a part of a text as it is, or end inside it, so that a decoy turns into what it only looked like.
 */
static void disguise(struct text *t, bool coded)
{
    if (chance(30)) surround(t);
    if (chance(30)) disguise_unicode(t);
    for (unsigned level = 0; coded && level < 2 && chance(35); level++) {
        switch (below(6)) {
        case 0:
        case 1: disguise_percent(t); break;
        case 2: disguise_hex(t); break;
        case 3: disguise_quoted(t); break;
        case 4: (is_ascii(t) ? disguise_wide : disguise_base64)(t); break;
        default: disguise_base64(t);
        }
        if (chance(20)) surround(t);
    }
    if (chance(15)) disguise_unicode(t);
}

/* As a JSON string, some characters escaped that need not be. */
static void quote(struct text *out, const struct text *t)
{
    say(out, "\"");
    for (size_t i = 0; i < t->len;) {
        size_t n = utf8_length(span_of(t->bytes + i, t->len - i));
        uint8_t c = (uint8_t)t->bytes[i];
        char escape[16];
        assert_true(n > 0);
        if (c < 0x20 || c == '"' || c == '\\' || (c < 0x80 && chance(2))) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            say(out, escape);
        } else {
            add(out, t->bytes + i, n);
        }
        i += n;
    }
    say(out, "\"");
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static const char *const planted[] = {"A012345678", "A 012-345-678", "a-012345678", "Alien No. 012345678", "AZ12345678",
    "A12345678", "012345678", "EAC2190012345", "EAC-21-900-12345", "eac 21 900 12345", "EAC*999910340", "123-45-6789",
    "123 45 6789", "G12345678", "g12345678", "A555-666-777", "555666777", "Form I-918", "I918 filed"};
static const char *const numbers[] = {"12345678", "12345678.0", "1.2345678e7", "123456780E-1", "811"};

static void random_digits(struct text *t, unsigned n)
{
    char c = (char)('3' + below(6));
    add(t, &c, 1);
    for (unsigned i = 1; i < n; i++)
        c = (char)('0' + below(10)), add(t, &c, 1);
}

/* Looks like something and is nobody's. Nine random digits are S-3's once in 600 million; the seed is fixed. */
static void decoy(struct text *t)
{
    static const char *const words[] = {"LOPEZ HERNANDEZ", "MARIA", "1991-03-07", "20210301", "2021-03-01T10:22:33Z",
        "617-555-0123", "XA012345678", "A0123456780", "a012345678x", "A1234567", "ABCEAC2190012345", "000-12-3456",
        "384", "administration", "internationalization", "d41d8cd98f00b204e9800998ecf8427e", "I-9180",
        ("M\xC3\xBCller-L\xC3\xBC"
         "denscheidt"),
        "https://example.test/a%20b/c", "100%", "x%2", "\xE2\x82\xAC 12.50", "0123456780", "A099888777", "",
        "\x01\x02"};
    switch (below(6)) {
    case 0:
        say(t, "A");
        random_digits(t, 9);
        break;
    case 1: random_digits(t, 5 + below(8)); break;
    case 2:
        for (unsigned n = below(12); n > 0; n--)
            say(t, words[below(4)]), say(t, " ");
        break;
    case 3:
        for (unsigned n = below(60); n > 0; n--)
            add_utf8(t, 0x20 + below(0x600));
        break;
    default: say(t, words[below(26)]); break;
    }
}

static void plain_value(struct text *out)
{
    static const char *const others[] = {
        "null", "true", "{}", "[]", "3.25", "-7", "1e3", "20210301", "0.5e1", "[1,[2]]"};
    struct text t;
    t.len = 0;
    if (chance(25)) return say(out, others[below(10)]);
    decoy(&t);
    if (chance(20)) disguise(&t, false);
    quote(out, &t);
}

static void member(struct text *out, const char *name)
{
    if (out->bytes[out->len - 1] != '{') say(out, ",");
    static unsigned serial; /* no two names of an object are equal */
    char text[64];
    if (name)
        snprintf(text, sizeof text, "\"%s\":", name);
    else
        snprintf(text, sizeof text, "\"%c%u\":", 'j' + below(17), serial++ % 1000);
    say(out, text);
}

static void plant_name(struct text *out, struct text *t)
{
    if (out->bytes[out->len - 1] != '{') say(out, ",");
    quote(out, t);
    say(out, ":1");
}

static void plant(struct text *out)
{
    struct text t;
    t.len = 0;
    unsigned way = below(12);
    say(&t, way == 0 ? "12345678" : planted[below(ARRAY_LEN(planted))]);
    if (chance(70)) disguise(&t, true);
    if (way == 0)
        member(out, "alienNo"), quote(out, &t);
    else if (way == 1)
        member(out, "aNumber"), say(out, numbers[below(5)]);
    else if (way == 2)
        member(out, "personId"), say(out, chance(50) ? "90210017" : "\"90210017\"");
    else if (way == 3)
        member(out, "coa"), say(out, chance(50) ? "384" : "\"das\"");
    else if (way == 4)
        member(out, "arn"), say(out, "{\"value\":\"012345678\"}");
    else if (way == 5)
        plant_name(out, &t);
    else if (way == 6)
        member(out, NULL), say(out, "555666777");
    else
        member(out, NULL), quote(out, &t);
}

/* `here`: at this depth something is planted. personId and labels count at the depth that the profile says, so that
 * surrogate keys are planted in the unit itself. */
static void record(struct text *out, bool with)
{
    unsigned members = below(6), at = below(members + 1);
    say(out, "{");
    for (unsigned i = 0; i <= members; i++) {
        if (with && i == at) plant(out);
        if (i < members) member(out, NULL), plain_value(out);
    }
    if (chance(20)) member(out, "ssn"), say(out, "\"987654\"");
    say(out, "}");
}

#define RECORDS 4

/* Which records hold something. */
static unsigned document(struct text *out)
{
    unsigned with = 0;
    say(out, "{\"items\":[");
    for (unsigned i = 0; i < RECORDS; i++) {
        bool plants = chance(30);
        if (plants) with |= 1u << i;
        if (i > 0) say(out, ",");
        record(out, plants);
    }
    say(out, "]}");
    return with;
}

/* ---- the property ----------------------------------------------------------------------------------------------- */

static unsigned units_found(const struct match_survey *s)
{
    unsigned found = 0;
    for (size_t i = 0; i < s->finding_count; i++) {
        const struct match_finding *f = &s->findings[i];
        found |= f->unit == MATCH_NONE || f->origin == MATCH_FLAW ? 1u << 31 : 1u << s->pieces[f->unit].ordinal;
    }
    return found;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The survey's text with its lines sorted: findings come in no particular order. */
static char *survey_text(const struct text *body, bool prefilter, unsigned *found)
{
    world_prefilter(&world, prefilter);
    const struct match_survey *s = world_survey(&world, "/list", DOC_JSON, span_of(body->bytes, body->len));
    if (!s) fail_msg("does not parse: %s", body->bytes);
    *found = units_found(s);
    char *text = world_dump(s), *all[512], *out = calloc(1, strlen(text) + 2);
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line && n < 512; line = strtok(NULL, "\n"))
        all[n++] = line;
    qsort(all, n, sizeof *all, compare_lines);
    for (size_t i = 0; i < n; i++)
        strcat(strcat(out, all[i]), "\n");
    free(text);
    return out;
}

#define DOCUMENTS 25000

//= ICE10036.2 2.1
static void test_agree(void **state)
{
    (void)state;
    unsigned hits = 0;
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        seed = 0x9E3779B97F4A7C15u * (i + 1);
        for (unsigned k = 0; k < 4; k++)
            (void)draw();
        struct text body;
        body.len = 0;
        unsigned with = document(&body), on, off;
        char *a = survey_text(&body, true, &on), *b = survey_text(&body, false, &off);
        if (on != with) fail_msg("document %u: planted %x, found %x\n%s\n%s", i, with, on, body.bytes, a);
        if (strcmp(a, b) != 0) fail_msg("document %u: with the prefilter\n%swithout\n%s%s", i, a, b, body.bytes);
        hits += with != 0;
        free(a);
        free(b);
    }
    assert_true(hits > DOCUMENTS / 2);
}

static int open_world(void **state)
{
    (void)state;
    return world_open(&world) ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
