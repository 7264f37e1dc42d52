/* The shipped pack on generated documents: with the prefilter and without, the same is proposed to the registry and the
 * same is found, for every rule on every value, in all spellings. */
#include "support.h"

#include "match/match.h"
#include <stdlib.h>

static const char profile[] =
    "{\"format\":1,\"pack\":\"test\",\"version\":\"1\",\"identifiers\":[],\"markers\":[],\"profiles\":[{\"id\":\"test\","
    "\"title\":\"Test\",\"system\":\"earm\",\"documents\":[{\"path\":\"/list\",\"units\":[\"$.items[*]\"],\"keys\":{"
    "\"person_id\":[\"$.items[*].personId\"]},\"counts\":{\"$.total\":\"$.items[*]\"},\"complete\":true,\"texts\":["
    "\"$.items[*].narrative\"]},{\"path\":\"/map\",\"units\":[\"$.people.*\"]}]}]}";

static struct problems *problems;
static struct source *sources[2];
static struct rules_set *rules;
static struct rules_scratch *scratch;
static struct match *matches[3];

/* What a record consists of, and what its values are, come from two rows of numbers, so that one may repeat without the
 * other. `twist`: so many numbers on, the first row gives another one. */
static uint64_t seed, values;
static unsigned twist;
static bool in_value;
static unsigned below(unsigned n)
{
    uint64_t *s = in_value ? &values : &seed;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    bool other = !in_value && twist > 0 && --twist == 0;
    return (unsigned)(((*s >> 20) + other) % n);
}
static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

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
static void say(struct text *t, const char *s)
{
    add(t, s, strlen(s));
}

static const char *const names[] = {"a", "b1", "zip", "status", "note", "dob", "created_at", "personId", "id", "value",
    "number", "aNumber", "alien", "ssn", "itin", "passportNumber", "i94Number", "sevisId", "visaFoil", "fbi", "fin", "sid",
    "driverLicense", "phone", "email", "vin", "address", "coa", "classOfAdmission", "category", "eadCategory", "form",
    "narrative", "items", "people", "A012345678", "text", "dl", "licensePlate", "eventNumber", "stringValue", "old", "S", "field", "newValue", "path", "title",
    "employee_ssn", "ssn_", "values", "$", "question", "answer"};

/* Parts of identifiers and markers, what stands around them, and what only looks like them. */
static const char *const parts[] = {"A", "AZ", "Alien No. ", "USCIS#", "012345678", "012-345-678", "12345678", "7", "-",
    " ", ".", "/", "EAC", "2190012345", "-21-900-12345", "*999910340", "123-45-6789", "123 45 6789", "999-70-1234",
    "SSN: ", "ITIN ", "G12345678", "N0012345678", "C1USA0123456784EAC2190012345<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10", "X", "\xC3\xA9", "\xC3\xAD", "\\t", ":", "#", "123456789A1", "(", ")",
    "T1", "U-", "384", "das", "SU6", "IB1", "B2", "Z14", "I-918", "I 765V", "VAWA", "EOIR-42B", "MA1234567", "<",
    "617-555-0123", "(617) 555-0123", "+16175550123", "6175550123", "+502 2345 6789", "1HGCM82633A004352",
    "ana@example.test", "@", "%40", "%41", "2021-03-01T10:22:33Z", "1999-11-22", "LOPEZ HERNANDEZ", ("Garc\xC3\xAD" "a"),
    "continued presence", "presencia", "victim", "(c)(31)", "A16", "D-12", "OLN ", "DL# ", "S123-4567-8901", "FBI ",
    "visa ", "Passport No. ", "\xEF\xBC\x91\xEF\xBC\x92", "\xD0\x90", "\xE2\x80\x8B", "550e8400-e29b-41d4-a716-446655440000",
    "https://example.test/a/b?c=", "administration", "0000000000", "0001100223344", "00123456789012", "_", "\\u0041", "&nbsp;", "&#45;", "&#x41;", "&amp;", "&", "\\n", "\\r\\n  ",
    "I-", "918", "COA", "class of", "admission", "admitted", "U-1", "status", "HHS", "certification letter", "MTIzNDU2Nzg5", "QTAxMjM0NTY3OA",
    "41303132333435363738", "303132333435363738", "552076697361", "0x", "E3", "EFBC91", "=41", "=30=31", "=3D", "=20", "=\\r\\n", "=\\n", "=",
    "=C3=AD", "\\\\x41", "\\\\u0031", "%u0041", "%2541", "%252541", "%25253031", "d41d8cd98f00b204e9800998ecf8427e",
    "ssn", "Ssn,", "passport ", "alien", "fin", "visa", "dl ", "219098765", "20210304", "coa>", "\\\"coa\\\":", "classOfAdmission=", "SSN"};

static void put_base64(struct text *out, const struct text *in)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < in->len; i += 3) {
        uint32_t v = 0;
        size_t n = in->len - i < 3 ? in->len - i : 3;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (uint8_t)in->bytes[i + k] : 0);
        for (size_t k = 0; k <= n; k++)
            add(out, &alphabet[v >> (18 - 6 * k) & 63], 1);
    }
}

static void put_hex(struct text *out, const struct text *in)
{
    char two[4];
    const char *format = chance(50) ? "%02x" : "%02X";
    for (size_t i = 0; i < in->len; i++) {
        snprintf(two, sizeof two, format, (uint8_t)in->bytes[i]);
        say(out, two);
    }
}

static void put_quoted(struct text *out, const struct text *in)
{
    char three[8];
    for (size_t i = 0; i < in->len; i++) {
        uint8_t c = (uint8_t)in->bytes[i];
        size_t escape = c != '\\' ? 0 : in->bytes[i + 1] == 'u' ? 6 : 2;
        snprintf(three, sizeof three, c >= 0x80 || chance(30) ? "=%02X" : "%c", c);
        if (escape == 0)
            say(out, three);
        else
            add(out, in->bytes + i, escape), i += escape - 1;
    }
}

static void put_wide(struct text *out, const struct text *in)
{
    struct text wide = {.len = 0};
    for (size_t i = 0; i < in->len && i < 100; i++)
        add(&wide, in->bytes + i, 1), add(&wide, "", 1);
    put_base64(out, &wide);
}

static void put_string(struct text *out)
{
    struct text t = {.len = 0};
    in_value = true;
    for (unsigned n = 1 + below(chance(5) ? 12 : 4); n > 0; n--)
        say(&t, parts[below(ARRAY_LEN(parts))]);
    say(out, "\"");
    if (chance(5))
        put_wide(out, &t);
    else if (chance(10))
        put_base64(out, &t);
    else if (chance(10))
        put_hex(out, &t);
    else if (chance(10))
        put_quoted(out, &t);
    else
        add(out, t.bytes, t.len);
    say(out, "\"");
    in_value = false;
}

static void put_value(struct text *out, unsigned depth);
static void put_object(struct text *out, unsigned depth)
{
    char name[64];
    unsigned members = below(7);
    say(out, "{");
    for (unsigned i = 0; i < members; i++) {
        snprintf(name, sizeof name, "%s\"%s%s\":", i ? "," : "", names[below(ARRAY_LEN(names))],
            i ? (const char *[]){"", "1", "22", "333", "4444", "55555", "666666"}[i] : "");
        say(out, name);
        put_value(out, depth);
    }
    say(out, "}");
}

static void put_value(struct text *out, unsigned depth)
{
    static const char *const others[] = {"null", "true", "12345678", "6175550123", "12345678.0", "1.2345678e7", "811",
        "-7", "5294.00", "123456789", "-71.0589123456", "16175550123", "123456789012", "1e3", "303132333435363738", "41303132333435363738", "1717171717171"};
    if (depth > 0 && chance(25)) {
        if (chance(60)) return put_object(out, depth - 1);
        say(out, "[");
        for (unsigned n = below(4), i = 0; i < n; i++)
            say(out, i ? "," : ""), put_value(out, depth - 1);
        return say(out, "]");
    }
    if (chance(20))
        say(out, others[below(ARRAY_LEN(others))]);
    else
        put_string(out);
}

#define RECORDS 12

/* Some records as the one before, to the byte or with other values, or all but one part of it, so that names are foretold
 * and tracks are followed and left. */
static void put_document(struct text *out, bool map)
{
    char name[32];
    uint64_t again = seed, again_values = values = ~seed;
    out->len = 0;
    say(out, map ? "{\"people\":{" : "{\"total\":3,\"items\":[");
    for (unsigned i = 0; i < RECORDS; i++) {
        in_value = true;
        bool same = chance(70), copy = chance(20);
        twist = same && chance(25) ? 1 + below(30) : 0;
        in_value = false;
        if (same) seed = again;
        if (copy) values = again_values;
        again = seed;
        again_values = values;
        say(out, i ? "," : "");
        snprintf(name, sizeof name, "\"%s%u\":", i % 5 == 4 ? "A01234567" : "x", i);
        if (map) say(out, name);
        put_object(out, 2);
    }
    say(out, map ? "}}" : "]}");
    assert_true(out->len + DOC_SLACK < sizeof out->bytes);
    memset(out->bytes + out->len, 0, DOC_SLACK);
}

/* ---- what is seen ----------------------------------------------------------------------------------------------- */

struct seen {
    size_t count;
    char all[4000][120];
};

static void see(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    struct seen *s = ctx;
    (void)rule; /* the first of two that see the same */
    assert_true(s->count < ARRAY_LEN(s->all));
    snprintf(s->all[s->count++], sizeof s->all[0], "%s %.*s", registry_kind_name(kind), SPAN_FMT(canonical));
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void see_findings(struct seen *s, const struct match_survey *survey)
{
    for (size_t i = 0; i < survey->finding_count; i++) {
        const struct match_finding *f = &survey->findings[i];
        assert_true(s->count < ARRAY_LEN(s->all));
        snprintf(s->all[s->count++], sizeof s->all[0], "finding %llu+%u unit %u origin %u rule %u", (unsigned long long)f->at,
            f->len, f->unit, f->origin, f->rule);
    }
}

static void look(struct match *m, bool on, bool map, const struct text *body, struct seen *s)
{
    const struct match_survey *survey = NULL;
    const struct match_limits limits = {.depth = 64};
    const struct rules_document *d = rules_find_document(rules_find_profile(rules, SPAN("test")), map ? SPAN("/map") : SPAN("/list"));
    enum doc_status status = DOC_MORE;
    size_t kept = 0, step = 64 + body->len % 500; /* names that were learnt in one piece are dull in the next */
    s->count = 0;
    match_set_observer(m, see, s);
    match_set_prefilter(m, on);
    rules_scratch_prefilter(scratch, on);
    match_begin(m, DOC_JSON, d, NULL, &limits);
    for (size_t len = step; status == DOC_MORE; len += step) {
        if (len > body->len) len = body->len;
        const struct doc_window window = {.data = (const uint8_t *)body->bytes, .len = len, .complete = len == body->len,
            .slack = len == body->len && body->len % 4 ? DOC_SLACK : 0};
        status = match_feed(m, &window);
    }
    if (status != DOC_COMPLETE) fail_msg("does not parse: %s", body->bytes);
    assert_true(is_ok(match_finish(m, &survey)));
    see_findings(s, survey);
    qsort(s->all, s->count, sizeof s->all[0], compare);
    for (size_t i = 0; i < s->count; i++)
        if (i == 0 || strcmp(s->all[kept - 1], s->all[i]) != 0) memmove(s->all[kept++], s->all[i], sizeof s->all[0]);
    s->count = kept;
}

static void assert_same(const struct seen *a, const struct seen *b, const struct text *body)
{
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        const char *x = i < a->count ? a->all[i] : "nothing", *y = i < b->count ? b->all[i] : "nothing";
        if (strcmp(x, y) != 0) fail_msg("with the prefilter %s, without %s in\n%s", x, y, body->bytes);
    }
}

#define DOCUMENTS 700

//= ICE10036.2 2.1
static void test_every_rule_on_every_value(void **state)
{
    static struct seen with, without;
    static struct text body;
    size_t seen = 0;
    (void)state;
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        seed = 0x9E3779B97F4A7C15u * (i + 1);
        bool map = i % 4 == 3;
        put_document(&body, map);
        look(matches[0], false, map, &body, &without);
        for (int level = CPU_PORTABLE; level <= (int)cpu_level(); level++) {
            look(matches[level], true, map, &body, &with);
            assert_same(&with, &without, &body);
        }
        seen += without.count;
    }
    assert_true(seen > DOCUMENTS);
}

static span read_file(const char *path)
{
    static uint8_t text[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) fclose(f);
    return span_of(text, n);
}

static int open_pack(void **state)
{
    (void)state;
    problems = problems_new();
    sources[0] = source_parse("pack", read_file(SOURCE_DIR "/rules/section-1367.json"), problems);
    sources[1] = source_parse("profile", span_str(profile), problems);
    rules = sources[0] && sources[1] ? rules_load(sources, 2, problems) : NULL;
    scratch = rules ? rules_scratch_new(rules) : NULL;
    for (int level = CPU_PORTABLE; scratch && level <= (int)cpu_level(); level++)
        matches[level] = match_new(rules, scratch, (enum cpu_level)level);
    return matches[0] ? 0 : -1;
}

static int close_pack(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(matches); i++)
        match_free(matches[i]);
    rules_scratch_free(scratch);
    rules_free(rules);
    source_free(sources[0]);
    source_free(sources[1]);
    problems_free(problems);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_rule_on_every_value)};
    return cmocka_run_group_tests(tests, open_pack, close_pack);
}
