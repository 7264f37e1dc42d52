/* Labels against a plain reading of the contract: fold the name, compare with every label. */
#include "rules/support.h"

#define RULES 6
#define LABELS 4
static const char *const inheriting[] = {"value", "number", "id", "text", "identificationid", "code", "category"};

struct plain_rule {
    char labels[LABELS][12]; /* folded */
    bool prefix[LABELS];
    size_t count;
};

/* Short words over few letters, so that labels are prefixes of each other; now and then an inheriting name. */
static void draw_word(char *out)
{
    size_t n = 2 + roll(4);
    if (roll(8) == 0) {
        strcpy(out, inheriting[roll(4)]);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = "ab1"[roll(3)];
    out[n] = '\0';
}

static bool has(const struct plain_rule *r, const char *word, bool prefix)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->prefix[i] == prefix && !strcmp(r->labels[i], word)) return true;
    return false;
}

static void draw_rules(struct plain_rule *rules)
{
    for (size_t r = 0; r < RULES; r++) {
        for (size_t want = 1 + roll(LABELS); rules[r].count < want;) {
            char word[24];
            bool prefix = roll(2);
            draw_word(word);
            if (has(&rules[r], word, prefix)) continue;
            strcpy(rules[r].labels[rules[r].count], word);
            rules[r].prefix[rules[r].count++] = prefix;
        }
    }
}

static struct loaded load_rules(const struct plain_rule *rules)
{
    json_t *list = json_array();
    for (size_t r = 0; r < RULES; r++) {
        char id[8], label[400];
        snprintf(id, sizeof id, "r%u", (unsigned)r % 10);
        json_t *labels = json_array();
        for (size_t i = 0; i < rules[r].count; i++) {
            snprintf(label, sizeof label, "%s%s", rules[r].labels[i], rules[r].prefix[i] ? "*" : "");
            json_array_append_new(labels, json_string(label));
        }
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:{s:[s],s:[s]}}", "id", id, "title", "t", "why", "w", "kind",
                      "ssn", "bare", "labelled", "labels", labels, "tests", "match", "a", "ignore", "b"));
    }
    json_t *pack = json_pack("{s:i,s:s,s:s,s:o}", "format", 1, "pack", "p", "version", "1", "identifiers", list);
    char *text = json_dumps(pack, 0);
    struct loaded l = load_text(text);
    free(text);
    json_decref(pack);
    return l;
}

static void fold_name(const char *name, char *out)
{
    for (; *name; name++)
        if (is_alnum((uint8_t)*name)) *out++ = (char)to_lower((uint8_t)*name);
    *out = '\0';
}

/* Bits of the rules whose labels the name is or begins with. */
static unsigned plain_whole(const struct plain_rule *rules, const char *name)
{
    char folded[64];
    unsigned bits = 0;
    fold_name(name, folded);
    for (size_t r = 0; r < RULES; r++)
        for (size_t i = 0; i < rules[r].count; i++) {
            size_t n = strlen(rules[r].labels[i]);
            bool equal = !strcmp(folded, rules[r].labels[i]), starts = !strncmp(folded, rules[r].labels[i], n);
            if (rules[r].prefix[i] ? starts : equal) bits |= 1u << r;
        }
    return bits;
}

/* Without the one or two digits at its end and the marks behind them; as it is where there are none. */
static void without_number(const char *name, char *out)
{
    size_t n = strlen(name), digits = 0;
    while (n > 0 && !is_alnum((uint8_t)name[n - 1]))
        n--;
    for (; n > 0 && is_digit((uint8_t)name[n - 1]); digits++)
        n--;
    strcpy(out, name);
    if (digits == 1 || digits == 2) out[n] = '\0';
}

/* The word that it is, or NULL. */
static const char *is_inheriting(const char *name)
{
    char less[64], folded[64];
    without_number(name, less);
    fold_name(less, folded);
    for (size_t i = 0; i < ARRAY_LEN(inheriting); i++)
        if (!strcmp(folded, inheriting[i])) return inheriting[i];
    return NULL;
}

#define SEPARATORS ":./#["

static const char *last_step(const char *name)
{
    const char *last = name;
    for (const char *c = name; *c; c++)
        if (strchr(SEPARATORS, *c)) last = c + 1;
    return last;
}

/* It says nothing: no letter or digit, one or two digits, or that it is a value of some type. */
static bool is_empty(const char *name)
{
    char folded[64];
    fold_name(name, folded);
    size_t n = strlen(folded);
    if (n > 5 && (!strncmp(folded, "value", 5) || !strcmp(folded + n - 5, "value"))) return true;
    return n <= 2 && strspn(folded, "0123456789") == n;
}

static const char *plain_joins(const char *name)
{
    const char *word = is_inheriting(name);
    return word || is_empty(name) ? word : is_inheriting(last_step(name));
}

static bool plain_inherits(const char *name)
{
    return plain_joins(name) || is_empty(name) || is_empty(last_step(name));
}

/* What a name carries, or what it does without its number. */
static unsigned plain_one(const struct plain_rule *rules, const char *name)
{
    char less[64];
    unsigned bits = plain_whole(rules, name);
    without_number(name, less);
    return bits ? bits : plain_whole(rules, less);
}

/* Custom fields: u_ssn is ssn. */
static unsigned plain_numbered(const struct plain_rule *rules, const char *name)
{
    unsigned bits = plain_one(rules, name);
    return bits == 0 && is_alpha((uint8_t)name[0]) && name[1] == '_' && name[2] ? plain_one(rules, name + 2) : bits;
}

static bool is_index(const char *step)
{
    size_t digits = strspn(step, "0123456789");
    return digits > 0 && digits <= 2 && strspn(step + digits, "-_ .#:[/") == strlen(step + digits);
}

/* Bits of the rules that the name carries by itself: its last step, all of it, or the last of its steps that is neither an index nor
 * inherits. */
static unsigned plain_own(const struct plain_rule *rules, const char *name)
{
    char rest[64];
    unsigned bits = 0, more = 0;
    strcpy(rest, name);
    for (size_t n = strlen(rest); n > 0 && !is_alnum((uint8_t)rest[n - 1]); n--)
        rest[n - 1] = '\0';
    const char *step = last_step(rest);
    if (step > rest && step[-1] != '/' && !is_inheriting(step) && !is_empty(step)) bits = plain_numbered(rules, step);
    if (bits == 0) bits = plain_numbered(rules, rest);
    if (bits) return bits;
    for (char *last = (char *)last_step(rest); last > rest; last = (char *)last_step(rest)) {
        const char *inherits = is_inheriting(last);
        unsigned own = inherits ? 0 : plain_numbered(rules, last);
        if (own || (!inherits && !is_index(last) && !is_empty(last))) return own | more;
        if (inherits && !more) more = plain_whole(rules, inherits);
        last[-1] = '\0';
    }
    return plain_numbered(rules, rest) | more;
}

/* Those and what it stands in, but for a name that says more than the inheriting word at its end. */
static unsigned plain_under(const struct plain_rule *rules, const char *name, unsigned around)
{
    const char *word = plain_joins(name);
    unsigned own = plain_own(rules, name), alone = word ? plain_whole(rules, word) : 0;
    if (!word) return own ? own : plain_inherits(name) ? around : 0;
    if (around == 0) return own;
    return own && own != alone && strlen(name) > strlen(word) ? own : alone | around;
}

static unsigned bits_of(const struct rules_set *s, label_set labels)
{
    const struct rules_identifier *bound[RULES];
    unsigned bits = 0;
    size_t n = rules_label_identifiers(s, labels, bound, RULES);
    assert_true(n <= RULES);
    for (size_t i = 0; i < n; i++)
        bits |= 1u << (bound[i]->name[1] - '0');
    return bits;
}

static void draw_name(char *out)
{
    char word[24];
    draw_word(word);
    for (const char *w = word; *w; w++) {
        if (roll(5) == 0) *out++ = "-_ .#:/[1"[roll(9)];
        *out++ = (char)(roll(2) ? to_upper((uint8_t)*w) : *w);
    }
    for (unsigned n = roll(3); n > 0; n--)
        *out++ = "ab1z-"[roll(5)];
    *out = '\0';
}

/* id, b:id, ab.id[1], id_2; but what ends in value or text may be what stands before that. */
static void draw_inheriting(char *out)
{
    static const char *const ends[] = {"number", "id", "code", "category"};
    static const char *const numbers[] = {"", "", "_2", "[1]"};
    char before[8] = "";
    for (unsigned n = roll(2) ? roll(4) : 0; n > 0; n--)
        before[n - 1] = "ab1"[roll(3)];
    if (*before) sprintf(out, "%s%c%s%s", before, ":."[roll(2)], ends[roll(4)], numbers[roll(4)]);
    else sprintf(out, "%s%s", inheriting[roll(ARRAY_LEN(inheriting))], numbers[roll(4)]);
}

static void compare_chain(const struct rules_set *s, const struct plain_rule *rules)
{
    label_set labels = 0;
    unsigned expected = 0;
    for (int depth = 0; depth < 4; depth++) {
        char name[64];
        if (depth && roll(2))
            draw_inheriting(name);
        else
            draw_name(name);
        labels = rules_labels(s, span_str(name), labels);
        expected = plain_under(rules, name, expected);
        if (rules_label_inherits(span_str(name)) != plain_inherits(name)) fail_msg("\"%s\" inherits, or does not", name);
        if (bits_of(s, labels) != expected) fail_msg("\"%s\": %x, expected %x", name, bits_of(s, labels), expected);
        assert_int_equal(labels == 0, expected == 0);
    }
}

static void test_against_plain_reading(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct plain_rule rules[RULES] = {0};
        draw_rules(rules);
        struct loaded l = load_rules(rules);
        print_problems(&l);
        assert_non_null(l.set);
        for (int chain = 0; chain < 200; chain++)
            compare_chain(l.set, rules);
        loaded_free(&l);
    }
}

static const char one_rule[] = "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"identifiers\":[{\"id\":\"r0\","
                               "\"title\":\"t\",\"why\":\"w\",\"kind\":\"ssn\","
                               "\"bare\":\"labelled\",\"labels\":[\"socialSecurity*\",\"ssn\"],\"tests\":{\"match\":["
                               "\"a\"],\"ignore\":[\"b\"]}}]}";

static void test_names_of_any_length(void **state)
{
    struct loaded l = load_text(one_rule);
    char name[4000];
    (void)state;
    assert_non_null(l.set);
    memset(name, 'x', sizeof name);
    memcpy(name, "Social Security", 15);
    assert_true(rules_labels(l.set, span_of(name, sizeof name), 0) != 0);
    memset(name, '-', sizeof name);
    memcpy(name + sizeof name - 3, "SSN", 3);
    assert_true(rules_labels(l.set, span_of(name, sizeof name), 0) != 0);
    name[sizeof name - 1] = 'M';
    assert_true(rules_labels(l.set, span_of(name, sizeof name), 0) == 0);
    /* fullwidth letters, wherever the pieces in which a long name is folded may cut them */
    for (size_t pad = 0; pad < 600; pad++) {
        memset(name, '_', pad);
        memcpy(name + pad, "\xEF\xBD\x93\xEF\xBC\xB3\xE2\x80\x8B\xEF\xBD\x8E", 12);
        if (!rules_labels(l.set, span_of(name, pad + 12), 0)) fail_msg("lost behind %zu bytes", pad);
    }
    assert_true(rules_labels(l.set, SPAN(""), 0) == 0);
    loaded_free(&l);
}

/* Names as programs write them that make a table of a tree (pandas' json_normalize(), flat-file exports), and as JSON-LD may. */
static void test_ways(void **state)
{
    static const char *const ssn[] = {"person.ssn", "person.SSN.value", "items[0].ssn", "ssn[1]", "ssn.0", "ssn.0.value", "ssn_2", "SSN 12", "p[ssn]",
        "p[0][ssn]", "https://example.org/terms#ssn", "https://example.org/ssn", "j:ssn", "person.social security no.", "a.b.ssn.id", "Social Security/File"};
    static const char *const other[] = {"ssn.city", "ssn_2020", "ssn.0.city", "person.badge.value", "ssn.phone/x", "2", "0.1", ".", "", "[0]", "ssnx.1"};
    struct loaded l = load_text(one_rule);
    (void)state;
    assert_non_null(l.set);
    for (size_t i = 0; i < ARRAY_LEN(ssn); i++)
        if (!rules_labels(l.set, span_str(ssn[i]), 0)) fail_msg("%s is no label", ssn[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (rules_labels(l.set, span_str(other[i]), 0)) fail_msg("%s is a label", other[i]);
    loaded_free(&l);
}

/* What people write over a column of numbers: "A#" of an A-number (10-domain 2.1). The letter alone says nothing. */
static void test_number_signs(void **state)
{
    static const char *const alien[] = {"A#", "a #", "A-#", "Spouse A#", "person.A#", "row[0].A #:", "aNumber#"};
    static const char *const other[] = {"A", "#", "C#", "#A", "A#x", "A*"};
    struct loaded l = load_text("{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"identifiers\":[{\"id\":\"a\",\"title\":\"t\",\"why\":\"w\","
                                "\"kind\":\"alien_number\",\"bare\":\"labelled\",\"labels\":[\"aNumber*\",\"spouseANumber\"],\"tests\":{"
                                "\"match\":[\"a\"],\"ignore\":[\"b\"]}}]}");
    (void)state;
    assert_non_null(l.set);
    for (size_t i = 0; i < ARRAY_LEN(alien); i++)
        if (!rules_labels(l.set, span_str(alien[i]), 0)) fail_msg("%s is no label", alien[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (rules_labels(l.set, span_str(other[i]), 0)) fail_msg("%s is a label", other[i]);
    loaded_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_number_signs),
        cmocka_unit_test(test_against_plain_reading),
        cmocka_unit_test(test_names_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
