/* The automaton over many expressions must propose at least what each expression finds in a text: with it and without
 * it, the same is found. */
#include "rules/support.h"

#include "rules/set.h"

#define FOUND_MAX 512

struct found {
    size_t count;
    struct {
        rule_id rule;
        size_t at, len, value, value_len;
    } all[FOUND_MAX];
};

struct look {
    struct found *found;
    span text;
};

static void see_candidate(void *ctx, const struct rules_identifier *rule, span where, span value, bool limit)
{
    const struct look *l = ctx;
    struct found *f = l->found;
    assert_true(f->count < FOUND_MAX && !limit);
    f->all[f->count].rule = rule->id;
    f->all[f->count].at = (size_t)(where.ptr - l->text.ptr);
    f->all[f->count].len = where.len;
    f->all[f->count].value = (size_t)(value.ptr - l->text.ptr);
    f->all[f->count++].value_len = value.len;
}

static void see_marker(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    const struct look *l = ctx;
    struct found *f = l->found;
    assert_true(f->count < FOUND_MAX && !limit);
    f->all[f->count].rule = rule->id;
    f->all[f->count].at = (size_t)(where.ptr - l->text.ptr);
    f->all[f->count++].len = where.len;
}

/* Everything that is found in the text under the labels, with the automata or without. */
static void look_at(
    const struct rules_set *set, struct rules_scratch *x, bool on, span text, label_set labels, struct found *f)
{
    struct look look = {f, text};
    memset(f, 0, sizeof *f);
    rules_scratch_prefilter(x, on);
    rules_scan_identifiers(set, x, text, labels, see_candidate, &look);
    rules_scan_markers(set, x, text, labels, true, see_marker, &look);
}

static size_t assert_same(const struct rules_set *set, struct rules_scratch *x, span text, label_set labels)
{
    static struct found with, without;
    look_at(set, x, true, text, labels, &with);
    look_at(set, x, false, text, labels, &without);
    if (with.count != without.count || memcmp(with.all, without.all, sizeof with.all) != 0)
        fail_msg("%zu with, %zu without in: %.*s", with.count, without.count, SPAN_FMT(text));
    return with.count;
}

/* ---- the shipped pack ------------------------------------------------------------------------------------------- */

/* Pieces of identifiers, of what surrounds them, and of what only looks like them. */
static const char *const pieces[] = {"A", "a", "AZ", "Alien No. ", "A-File ", "USCIS#", "012345678", "012-345-678",
    "12345678", "0123456", "7", "-", " ", ".", "/", "EAC", "IOE", "2190012345", "-21-900-12345", "*999910340",
    "123-45-6789", "123 45 6789", "999-70-1234", "G", "G12345678", "N0012345678", "C1USA0123456784EAC2190012345<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10", "X", "x", "\xC3\xA9", "\t", ":", "#", "123456789A1", "(", ")", "T1",
    "U-", "3", "84", "384", "das", "SU", "IB", "B2", "BX", "Z14", "I-918", "I 765V", "VAWA", "EOIR-42B", "MA", "<"};

static void test_shipped_pack(void **state)
{
    static const char *const names[] = {
        "coa", "passport", "dl", "sid", "fbi", "visaNumber", "form", "aNumber", "nothing"};
    const char *const files[] = {SOURCE_DIR "/rules/section-1367.json"};
    struct loaded pack = load_files(files, 1);
    size_t hits = 0;
    (void)state;
    assert_non_null(pack.set);
    struct rules_scratch *x = rules_scratch_new(pack.set);
    for (int round = 0; round < 60000; round++) {
        char text[512] = "";
        for (unsigned p = roll(6); p > 0; p--)
            strcat(text, pieces[roll(ARRAY_LEN(pieces))]);
        label_set labels = rules_labels(pack.set, span_str(names[roll(ARRAY_LEN(names))]), 0);
        MEM_AUTO char *copy = mem_copy(text, strlen(text) + 1); /* a byte read beyond it is seen */
        hits += assert_same(pack.set, x, span_of(copy, strlen(text)), labels);
    }
    assert_true(hits > 20000);
    rules_scratch_free(x);
    loaded_free(&pack);
}

/* As many again as a site may have: none of them, and none of the shipped ones, is tried on every value. */
static void test_room_for_a_site(void **state)
{
    char text[16384] = "{\"format\":1,\"pack\":\"site\",\"version\":\"1\",\"identifiers\":[],\"profiles\":[],\"markers\":[";
    char *shipped = read_whole(SOURCE_DIR "/rules/section-1367.json");
    size_t n = strlen(text);
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
            "%s{\"id\":\"site-%u\",\"title\":\"t\",\"why\":\"w\",\"values\":[\"K%02uA\",\"K%02uB\",\"K%02uC\",\"K%02uD\"],\"pattern\":"
            "\"(?i)(?<![0-9A-Z])K-?%02u[A-D](?![0-9A-Z])\",\"labels\":[\"siteCode\"],\"strength\":\"definitive\","
            "\"tests\":{\"match\":[{\"siteCode\":\"K%02uA\"}],\"ignore\":[\"b\"]}}",
            i ? "," : "", i, i, i, i, i, i, i);
    snprintf(text + n, sizeof text - n, "]}");
    assert_non_null(shipped);
    struct loaded l = load_texts((const char *const[]){shipped, text}, 2);
    free(shipped);
    assert_non_null(l.set);
    const struct proposals *all[] = {&l.set->anywhere_proposals, &l.set->bound_proposals, &l.set->marker_proposals, &l.set->text_proposals,
        &l.set->shape_proposals};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->always || !all[i]->states) fail_msg("%zu: %llx", i, (unsigned long long)all[i]->always);
    loaded_free(&l);
}

/* ---- any expression --------------------------------------------------------------------------------------------- */

/* Atoms and what may stand behind them; JSON-escaped. */
static const char *const atoms[] = {"a", "b", "B", "c", "1", "2", " ", "-", ".", "[ab]", "[^a]", "[^b1]", "[a-c]",
    "\\\\d", "\\\\D", "\\\\w", "\\\\W", "\\\\s", "[\\\\d-]", "[\\\\-c ]", "\\\\b", "\\\\B", "(?:", "(?:", "(?<!",
    "(?<=", "(?!", "(?=", "|", ")", ")", "^", "$", "\\\\A", "\\\\z", "\\\\.", "(?>", "\\\\x61", "[[:alpha:]]", "\\\\1",
    "(?i:"};
static const char *const repeats[] = {
    "*", "+", "?", "{2}", "{1,2}", "{2,3}", "{1,}", "{0,2}", "*?", "++", "{0}", "{,2}"};

static void draw_expression(char *out, size_t most)
{
    unsigned open = 0;
    *out = 0;
    if (roll(3) == 0) strcat(out, "(?i)");
    for (unsigned i = 1 + roll((unsigned)most); i > 0; i--) {
        const char *atom = atoms[roll(roll(8) ? ARRAY_LEN(atoms) - 5 : ARRAY_LEN(atoms))];
        if (*atom == ')' && open == 0) continue;
        open += *atom == '(';
        open -= *atom == ')';
        strcat(out, atom);
        if (roll(3) == 0 && *atom != '(' && *atom != '|') strcat(out, repeats[roll(ARRAY_LEN(repeats))]);
    }
    while (open-- > 0)
        strcat(out, ")");
}

/* A pack of one marker under a label, with a code value now and then. False where PCRE2 refuses the expression. */
static bool open_marker(const char *expression, const char *values, struct loaded *l)
{
    char text[2048];
    snprintf(text, sizeof text,
        "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"identifiers\":[],\"profiles\":[],\"markers\":[{\"id\":\"m\","
        "\"title\":\"t\","
        "\"why\":\"w\",\"pattern\":\"%s\",%s\"labels\":[\"coa\"],\"strength\":\"definitive\",\"tests\":{\"match\":["
        "\"a\"],"
        "\"ignore\":[\"b\"]}}]}",
        expression, values);
    *l = load_text(text);
    return l->set != NULL;
}

static void test_any_expression(void **state)
{
    static const char alphabet[] = "aabBcAC12 -.\n<";
    size_t hits = 0, loaded = 0;
    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct loaded l;
        char expression[1024];
        draw_expression(expression, 12);
        if (open_marker(expression, roll(4) ? "" : "\"values\":[\"A1\",\"BB\",\"12\"],", &l)) {
            struct rules_scratch *x = rules_scratch_new(l.set);
            loaded++;
            for (int i = 0; i < 60; i++) {
                char text[16];
                size_t n = roll(12);
                for (size_t c = 0; c < n; c++)
                    text[c] = alphabet[roll(sizeof alphabet - 1)];
                hits += assert_same(l.set, x, span_of(text, n), rules_labels(l.set, SPAN("coa"), 0));
            }
            rules_scratch_free(x);
        }
        loaded_free(&l);
    }
    assert_true(loaded > 1000 && hits > 10000);
}

/* A pack of one identifier that is looked for anywhere. False where PCRE2 refuses the expression. */
static bool open_identifier(const char *expression, struct loaded *l)
{
    char text[2048];
    snprintf(text, sizeof text,
        "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"markers\":[],\"profiles\":[],\"identifiers\":[{\"id\":\"i\","
        "\"title\":\"t\",\"why\":\"w\",\"kind\":\"passport\",\"pattern\":\"%s\",\"tests\":{\"match\":[\"a\"],"
        "\"ignore\":[\"b\"]}}]}",
        expression);
    *l = load_text(text);
    return l->set != NULL;
}

/* Other digits, and letters in the other case. */
static void draw_alike(const char *text, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)text[i], other = is_digit(c) ? (uint8_t)('0' + roll(10)) : c;
        if (is_alpha(c) && roll(2)) other = c ^ 0x20;
        out[i] = (char)other;
    }
}

/* What was found in one text is taken for what is in another only where the expression cannot tell them apart: of texts
 * that are like each other, one behind the other, the same is found as in each alone. */
static void test_texts_that_are_alike(void **state)
{
    static const char alphabet[] = "aBcAC12345 -";
    static const char *const looks[] = {"", "", "(?=[0-4]|ab)", "(?<=[0-4]|ab)", "(?![0-4]|ab)", "(?<!ab|[0-4])"};
    size_t hits = 0, loaded = 0;
    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct loaded l;
        char drawn[1024], expression[1100];
        draw_expression(drawn, 10);
        snprintf(expression, sizeof expression, "%s(%s)", looks[roll(ARRAY_LEN(looks))], drawn);
        if (open_identifier(expression, &l)) {
            struct rules_scratch *x = rules_scratch_new(l.set);
            loaded++;
            for (int i = 0; i < 40; i++) {
                char text[16], alike[16];
                size_t n = roll(12);
                for (size_t c = 0; c < n; c++)
                    text[c] = alphabet[roll(sizeof alphabet - 1)];
                draw_alike(text, n, alike);
                hits += assert_same(l.set, x, span_of(text, n), 0) + assert_same(l.set, x, span_of(alike, n), 0);
            }
            rules_scratch_free(x);
        }
        loaded_free(&l);
    }
    assert_true(loaded > 1000 && hits > 10000);
}

static size_t count_found(const struct rules_set *set, struct rules_scratch *x, span text)
{
    static struct found f;
    look_at(set, x, true, text, 0, &f);
    return f.count;
}

/* One way that a look asks for a byte is as good as one that asks for several: neither is left out of what tells texts
 * apart. */
static void test_a_look_of_two_ways(void **state)
{
    struct loaded l;
    (void)state;
    assert_true(open_identifier("(?<![0-9A-Z])K(?=[0-4]|XY)((?:XY)?[0-9]{8})(?![0-9])", &l));
    struct rules_scratch *x = rules_scratch_new(l.set);
    assert_int_equal(count_found(l.set, x, SPAN("K91111111")), 0);
    assert_int_equal(count_found(l.set, x, SPAN("K12345678")), 1);
    assert_int_equal(count_found(l.set, x, SPAN("KXY91111111")), 1);
    assert_false(rules_see_shapes(l.set, 1, 0, SPAN("K91111111")));
    rules_scratch_free(x);
    loaded_free(&l);
}

/* It does leave something out: a value that is nobody's wakes no expression. */
static void test_leaves_something_out(void **state)
{
    struct loaded l;
    (void)state;
    assert_true(open_marker("(?i)(?<![a-z])form[ -]7(?![0-9])", "", &l));
    assert_int_equal(proposals_run(&l.set->marker_proposals, SPAN("nobody's form 8")), 0);
    assert_int_equal(proposals_run(&l.set->marker_proposals, SPAN("the FORM-7 of")), 1);
    loaded_free(&l);
}

/* One look ahead behind another waits for the same byte: what the first one reaches is looked at for it too. */
static void test_looks_ahead_in_a_row(void **state)
{
    static const char *const expressions[] = {"a(?=b)(?=\\\\w)", "a(?=b)(?=\\\\w)(?![x-z])b", "a(?![0-9])(?=[bc])(?!c)"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
        struct loaded l;
        assert_true(open_marker(expressions[i], "", &l));
        const struct proposals *p = &l.set->marker_proposals;
        assert_true(p->states > 0 && p->always == 0);
        assert_int_equal(proposals_run(p, SPAN("-ab-")), 1);
        assert_int_equal(proposals_run(p, SPAN("-ac-a")), 0);
        loaded_free(&l);
    }
}

/* A text that is wrapped has the end of a line where a literal has a space: short ones and those that Vectorscan reads.
 *= 10-domain 2.7 white space collapsed */
static void test_space_of_a_literal(void **state)
{
    static const char *const texts[] = {"the %sof\nadmission%s", "%sof\tadmission%s", "%sof admission%s", "%sOF\rADMISSION%s"};
    static const char pad[] = " it was said in the morning to all who had come to the office, and written down by the clerk ";
    (void)state;
    struct loaded l = load_text("{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"identifiers\":[],\"profiles\":[],\"markers\":[{\"id\":\"m\","
                  "\"title\":\"t\",\"why\":\"w\",\"pattern\":\"(?i)of\\\\sadmission\",\"literals\":[\"of admission\"],"
                  "\"strength\":\"definitive\",\"tests\":{\"match\":[\"of\\nadmission\"],\"ignore\":[\"b\"]}}]}");
    assert_non_null(l.set);
    struct rules_scratch *x = rules_scratch_new(l.set);
    for (size_t i = 0; i < 2 * ARRAY_LEN(texts); i++) {
        char text[512];
        const char *around = i % 2 ? pad : "";
        snprintf(text, sizeof text, texts[i / 2], around, around);
        assert_int_equal(assert_same(l.set, x, span_str(text), 0), 1);
    }
    assert_int_equal(assert_same(l.set, x, SPAN("ofxadmission"), 0), 0);
    rules_scratch_free(x);
    loaded_free(&l);
}

static void count_limit(void *ctx, const struct rules_marker *rule, span where, bool limit)
{
    (void)rule, (void)where;
    *(size_t *)ctx += limit;
}

/* Expressions that may meet the match limit are always tried, for the limit counts as a match: where an automaton would
 * say "no match", PCRE2 gives up, and the verdict must not depend on which of the two looked.
 *= 10-domain 2.2 */
static void test_limit_is_met_all_the_same(void **state)
{
    static const char *const endless[] = {"(x+x+)+[yz]", "(?:x|xx)+[yz]", "(x*)*[yz]", "(x+)+\\\\d"};
    char text[64];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < ARRAY_LEN(endless); i++) {
        struct loaded l;
        assert_true(open_marker(endless[i], "", &l));
        struct rules_scratch *x = rules_scratch_new(l.set);
        for (int prefilter = 0; prefilter < 2; prefilter++) {
            size_t limits = 0;
            rules_scratch_prefilter(x, prefilter);
            rules_scan_markers(l.set, x, span_of(text, sizeof text), rules_labels(l.set, SPAN("coa"), 0), true, count_limit, &limits);
            if (limits != 1) fail_msg("%s: %zu limits with the prefilter %s", endless[i], limits, prefilter ? "on" : "off");
        }
        rules_scratch_free(x);
        loaded_free(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_pack),
        cmocka_unit_test(test_room_for_a_site),
        cmocka_unit_test(test_any_expression),
        cmocka_unit_test(test_texts_that_are_alike),
        cmocka_unit_test(test_a_look_of_two_ways),
        cmocka_unit_test(test_leaves_something_out),
        cmocka_unit_test(test_looks_ahead_in_a_row),
        cmocka_unit_test(test_space_of_a_literal),
        cmocka_unit_test(test_limit_is_met_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
