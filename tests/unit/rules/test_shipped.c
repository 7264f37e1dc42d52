/* The shipped pack against the tables of the domain, the vectors verified there, and the whole NIEM code list. */
#include "rules/support.h"

static struct loaded pack;
static struct rules_scratch *scratch;

static int setup(void **state)
{
    const char *const files[] = {SHIPPED, EXAMPLE};
    (void)state;
    pack = load_files(files, 2);
    if (!pack.set) return -1;
    scratch = rules_scratch_new(pack.set);
    return scratch ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    rules_scratch_free(scratch);
    loaded_free(&pack);
    return 0;
}

/* ---- a small matcher: what the rules alone say about one value under one name ----------------------------------- */

struct proposals {
    enum registry_kind kind;
    const char *canonical;
    bool found;
};

static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct proposals *p = ctx;
    uint8_t canonical[REGISTRY_CANONICAL_MAX];
    assert_false(limit);
    assert_true(where.len >= value.len);
    size_t n = registry_canonical(rule->kind, value, canonical);
    if (rule->kind == p->kind && n && span_equal(span_of(canonical, n), span_str(p->canonical))) p->found = true;
}

static bool proposes(const char *name, const char *text, enum registry_kind kind, const char *canonical)
{
    uint8_t folded[512];
    struct proposals p = {.kind = kind, .canonical = canonical};
    size_t n = registry_fold(span_str(text), folded);
    label_set labels = name ? rules_labels(pack.set, span_str(name), 0) : 0;
    rules_scan_identifiers(pack.set, scratch, span_of(folded, n), labels, see_candidate, &p);
    return p.found;
}

//= 10-domain 2.2
static void test_identifier_vectors(void **state)
{
    static const struct {
        const char *text, *canonical;
        enum registry_kind kind;
        bool expect;
    } vectors[] = {
        {"A123456789", "123456789", REGISTRY_ALIEN_NUMBER, true},
        {"A 012-345-678", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"Alien No. 012345678", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"AZ12345678", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"A-File No. 012-345-678", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"A\xE2\x80\x91"
         "012\xE2\x80\x91"
         "345\xE2\x80\x91"
         "678",
            "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"A#:012345678", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"XA012345678", "012345678", REGISTRY_ALIEN_NUMBER, false},
        {"DA12345678", "012345678", REGISTRY_ALIEN_NUMBER, false},
        {"A1234567890", "234567890", REGISTRY_ALIEN_NUMBER, false},
        {"A1234567890", "123456789", REGISTRY_ALIEN_NUMBER, false},
        {"a012345678x", "012345678", REGISTRY_ALIEN_NUMBER, false},
        {"EAC-21-900-12345", "EAC2190012345", REGISTRY_RECEIPT_NUMBER, true},
        {"IOE0912345678", "IOE0912345678", REGISTRY_RECEIPT_NUMBER, true},
        {"EAC*999910340", "EAC*999910340", REGISTRY_RECEIPT_NUMBER, true},
        {"ABCEAC2190012345", "EAC2190012345", REGISTRY_RECEIPT_NUMBER, false},
        {"123456789A1", "123456789A1", REGISTRY_I94, true},
        {"123-45-6789", "123456789", REGISTRY_SSN, true},
        {"000-12-3456", "000123456", REGISTRY_SSN, false},
        {"123-456789", "123456789", REGISTRY_SSN, false},
        {"999-93-1234", "999931234", REGISTRY_ITIN, false},
        {"999-89-1234", "999891234", REGISTRY_ITIN, false},
        {"999-70-1234", "999701234", REGISTRY_ITIN, true},
        {"G12345678", "G12345678", REGISTRY_PASSPORT, true},
        /* a number is not hidden by the digit that follows it */
        {"A12345678 9 items", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"A 12-345-678 9 items", "012345678", REGISTRY_ALIEN_NUMBER, true},
        {"see A012345678, A876543210", "876543210", REGISTRY_ALIEN_NUMBER, true},
        {"USCIS# 000-000-811", "000000811", REGISTRY_ALIEN_NUMBER, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        if (proposes(NULL, vectors[i].text, vectors[i].kind, vectors[i].canonical) != vectors[i].expect)
            fail_msg(
                "%s as %s: expected %s", vectors[i].text, vectors[i].canonical, vectors[i].expect ? "hit" : "miss");
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static bool is_bare_as(const char *name, enum registry_kind kind)
{
    const struct rules_identifier *bound[32];
    size_t n = rules_label_identifiers(pack.set, rules_labels(pack.set, span_str(name), 0), bound, 32);
    assert_true(n <= 32);
    for (size_t i = 0; i < n; i++)
        if (bound[i]->kind == kind && bound[i]->bare != BARE_NONE) return true;
    return false;
}

static void test_label_spellings(void **state)
{
    static const char *const alien[] = {"aNumber", "A Number", "a_number", "A-NUMBER", "a#number", "alienNumber",
        "Alien Registration No.", "arn", "uscisNumber", "AFILE", "aFileNumber", "\xEF\xBD\x81Number"};
    static const char *const other[] = {"number", "phone", "an", "bNumber", "fin", "arnold", "zip", "anumbr"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alien); i++)
        if (!is_bare_as(alien[i], REGISTRY_ALIEN_NUMBER)) fail_msg("%s is no label", alien[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (is_bare_as(other[i], REGISTRY_ALIEN_NUMBER)) fail_msg("%s is a label", other[i]);
    assert_true(is_bare_as("ssn", REGISTRY_SSN));
    assert_true(is_bare_as("Social Security Number", REGISTRY_SSN));
    assert_true(is_bare_as("passportNo", REGISTRY_PASSPORT));
}

/* ---- class of admission ------------------------------------------------------------------------------------------ */

/* Written down from the table of 10-domain 2.3, not from the pack. */
static const char definitive[] =
    " 384 DAS T1 T2 T3 T4 T5 T6 U1 U2 U3 U4 U5 ST6 ST7 ST8 ST9 ST0 SU6 SU7 SU8 SU9 SU0 SU3 SU4 SU5 IB1 IB2 IB3 IB6 IB7"
    " IB8 IB5 IB0 B11 B12 B16 B17 B20 B21 B22 B23 B24 B25 B26 B27 B28 B29 B31 B32 B33 B36 B37 B38 BX1 BX2 BX3 BX6 BX7"
    " BX8 Z14 ";
static const char suspected[] = " SU2 ";

struct seen_markers {
    size_t definitive, suspected;
};

static void see_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    struct seen_markers *seen = ctx;
    (void)where;
    assert_false(limit);
    if (rule->strength == RULE_DEFINITIVE)
        seen->definitive++;
    else
        seen->suspected++;
}

static struct seen_markers markers_in(const char *name, const char *text)
{
    uint8_t folded[1024];
    struct seen_markers seen = {0};
    size_t n = registry_fold(span_str(text), folded);
    label_set labels = rules_labels(pack.set, span_str(name), 0);
    rules_scan_markers(pack.set, scratch, span_of(folded, n), labels, true, see_marker, &seen);
    return seen;
}

static bool listed(const char *list, const char *code)
{
    char word[1100];
    snprintf(word, sizeof word, " %s ", code);
    return strstr(list, word) != NULL;
}

static void check_code(const char *code, const char *spelt)
{
    struct seen_markers seen = markers_in("coa", spelt);
    if ((seen.definitive > 0) != listed(definitive, code) || (seen.suspected > 0) != listed(suspected, code))
        fail_msg("%s (as %s): %zu definitive, %zu suspected", code, spelt, seen.definitive, seen.suspected);
    seen = markers_in("room", spelt);
    assert_int_equal(seen.definitive + seen.suspected, 0);
}

static void check_spellings(const char *code)
{
    char spelt[80];
    check_code(code, code);
    snprintf(spelt, sizeof spelt, " %s\t", code);
    check_code(code, spelt);
    for (size_t i = 0; code[i]; i++)
        spelt[i] = (char)to_lower((uint8_t)code[i]), spelt[i + 1] = '\0';
    check_code(code, spelt);
}

static void test_codes_of_the_table(void **state)
{
    char copy[sizeof definitive], hyphened[80];
    (void)state;
    memcpy(copy, definitive, sizeof copy);
    size_t n = 0;
    for (char *code = strtok(copy, " "); code; code = strtok(NULL, " "), n++) {
        check_spellings(code);
        size_t letters = strcspn(code, "0123456789");
        if (letters == 0 || !code[letters]) continue;
        snprintf(hyphened, sizeof hyphened, "%.*s-%s", (int)letters, code, code + letters);
        check_code(code, hyphened);
    }
    assert_int_equal(n, 61);
    check_spellings("SU2");
}

//= 10-domain 2.3
static void test_traps(void **state)
{
    static const char *const traps[] = {"B1", "B2", "B-2", "T21", "T28", "T41", "T58", "T1D", "T2D", "T3D", "T1M",
        "T2M", "T3M", "U1M", "U2M", "1B1", "ST", "STC", "TD", "TN1", "UU", "CP", "Z11", "Z13", "Z15", "SL1", "SL6",
        "DA", "DED"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(traps); i++)
        check_spellings(traps[i]);
}

static void test_niem_codes(void **state)
{
    const char *suites = getenv("GATE1367_SUITES");
    char path[512], line[1024];
    size_t codes = 0, found = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/niem-coa/class-of-admission.txt", suites ? suites : SOURCE_DIR "/../shared/suites");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no suite at %s\n", path);
        skip();
    }
    while (fgets(line, sizeof line, f)) {
        char *end = strstr(line, " | ");
        if (!end) continue;
        *end = '\0';
        codes++;
        found += listed(definitive, line);
        check_spellings(line);
    }
    fclose(f);
    assert_int_equal(codes, 993);
    assert_true(found > 40); /* most of the table is in NIEM; T6 and others are not */
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

//= 10-domain 2.5
static void test_forms(void **state)
{
    static const char *const yes[] = {"I-914", "filed Form I-914 Supplement A", "I-914B", "I-918", "I-918, Supp. B",
        "i918a", "I-929", "I-765V", "I-765 V", "EOIR-42B with VAWA", "EOIR-42B, section 240A(b)(2)",
        "Continued Presence granted", "HHS Certification Letter", "Child Eligibility Letter"};
    static const char *const maybe[] = {
        "I-360", "I-751", "I-485", "I-192", "I-539", "EOIR-40", "EOIR-42B", "I-881", "I-912", "I-246", "I192"};
    static const char *const no[] = {
        "I-9180", "I-765", "I-91", "WI 918", "914 Main St", "I-4850", "EOIR-42A", "I-36", "G-28"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (markers_in("note", yes[i]).definitive == 0) fail_msg("missed %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(maybe); i++) {
        struct seen_markers seen = markers_in("note", maybe[i]);
        if (seen.definitive || seen.suspected != 1) fail_msg("%s is not only suspected", maybe[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        struct seen_markers seen = markers_in("note", no[i]);
        if (seen.definitive || seen.suspected) fail_msg("taken for a marker: %s", no[i]);
    }
}

/* The literals only save work: without them every verdict is the same. */
static void test_prefilter_changes_nothing(void **state)
{
    static const char *const words[] = {"I-", "I ", "914", "918", "929", "765", "V", "EOIR", "-42B", " VAWA ",
        "240A(b)(2)", "continued", " presence", "HHS ", "Certification Letter", "360", "A", " ", "9", "i", "x"};
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[160] = "";
        for (int w = 0; w < 5; w++) {
            seed = seed * 1664525 + 1013904223;
            strcat(text, words[(seed >> 16) % ARRAY_LEN(words)]);
        }
        rules_scratch_prefilter(scratch, true);
        struct seen_markers with = markers_in("note", text);
        rules_scratch_prefilter(scratch, false);
        struct seen_markers without = markers_in("note", text);
        rules_scratch_prefilter(scratch, true);
        if (memcmp(&with, &without, sizeof with) != 0) fail_msg("the prefilter hides something in: %s", text);
    }
}

/* ---- the pack's own samples, as far as they are texts, and lint ---------------------------------------------------
 */

struct sample_run {
    size_t seen;
};

/* Read by the matcher: nine digits anywhere, letters that were digits on paper, and what has a syntax instead of a pattern. */
static bool is_matchers(const struct rules_test *t)
{
    if (!strcmp(t->rule, "a-number-misread")) return true;
    for (rule_id i = 0; i < rules_count(pack.set); i++) {
        const struct rules_identifier *rule = rules_identifier_at(pack.set, i);
        if (!strcmp(rules_name(pack.set, i), t->rule)) return rule && rule->syntax != SYNTAX_NONE;
    }
    return true;
}

struct rule_hit {
    const char *rule;
    bool hit;
};

static void hit_identifier(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    struct rule_hit *h = ctx;
    uint8_t canonical[REGISTRY_CANONICAL_MAX];
    (void)where, (void)limit;
    if (!strcmp(rule->name, h->rule) && registry_canonical(rule->kind, value, canonical)) h->hit = true;
}

static void hit_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    struct rule_hit *h = ctx;
    (void)where, (void)limit;
    if (!strcmp(rule->name, h->rule)) h->hit = true;
}

/* Digits and what parts them. */
static bool is_digits(span text)
{
    return strspn((const char *)text.ptr, "0123456789 -_") >= text.len;
}

static void run_sample(void *ctx, const struct rules_test *t)
{
    struct sample_run *run = ctx;
    uint8_t folded[1024];
    struct rule_hit h = {.rule = t->rule};
    run->seen++;
    if (!json_is_string(t->sample) || is_matchers(t)) return;
    span text = span_str(json_string_value(t->sample));
    assert_true(text.len < sizeof folded);
    text = span_of(folded, registry_fold(text, folded));
    rules_scan_identifiers(pack.set, scratch, text, 0, hit_identifier, &h);
    rules_scan_markers(pack.set, scratch, text, 0, true, hit_marker, &h);
    bool bare =
        t->expect_match && is_digits(text) && !strcmp(t->rule, "a-number") && !h.hit; /* nine digits: the matcher's */
    if (!bare && h.hit != t->expect_match)
        fail_msg("%s: \"%s\" %s", t->rule, json_string_value(t->sample), h.hit ? "hit" : "missed");
}

static void test_own_samples(void **state)
{
    struct sample_run run = {0};
    (void)state;
    rules_each_test(pack.set, run_sample, &run);
    assert_true(run.seen > 200);
}

static void test_lint_is_silent(void **state)
{
    (void)state;
    rules_lint(pack.set, pack.problems);
    print_problems(&pack);
    assert_int_equal(problems_count(pack.problems), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identifier_vectors),
        cmocka_unit_test(test_label_spellings),
        cmocka_unit_test(test_codes_of_the_table),
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_niem_codes),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_prefilter_changes_nothing),
        cmocka_unit_test(test_own_samples),
        cmocka_unit_test(test_lint_is_silent),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
