/* Digits in a text in which a word stands that would be their label: "name,ssn\nLopez,219098765", "SSN of the subject is 219098765",
 * "Duplicate entry '219098765' for key 'ssn'". Which of the digits it is about nobody knows: all of them are looked up, and whose are not
 * registered are nobody's.
 *
 *= 8USC1367 a(2)   a pattern proposes, the registry decides */
#include "match/own.h"

/* A date without signs has eight digits; fewer than seven are a number somewhere in a text, more than ten of another kind. */
#define LEAST NEAR_DIGITS
#define MOST 10

/* For each kind the rule of it that a word names. */
struct near {
    const struct rules_identifier *rules[REGISTRY_KIND_COUNT];
    bool any;
};

static bool next_number(span text, size_t from, size_t *begin, size_t *end)
{
    while (text_next_digits(text, from, begin, end)) {
        if (*end - *begin >= LEAST && *end - *begin <= MOST) return true;
        from = *end;
    }
    return false;
}

/* Telephones are found without a label, and whatever is a plate's is a word of any text. */
static bool is_sought(const struct rules_identifier *rule)
{
    return rule->bare != BARE_NONE && rule->kind != REGISTRY_PHONE && rule->kind != REGISTRY_VEHICLE;
}

static void collect(const struct match *m, span text, struct near *near)
{
    const struct rules_identifier *named[LABEL_RULES];
    label_set set;
    for (size_t from = 0; rules_next_label(m->rules, text, &from, &set);) {
        size_t n = rules_label_identifiers(m->rules, set, named, LABEL_RULES);
        for (size_t i = 0; i < n && i < LABEL_RULES; i++) {
            if (!is_sought(named[i])) continue;
            near->rules[named[i]->kind] = named[i];
            near->any = true;
        }
    }
}

/* Nine digits are looked up as an A-number wherever they stand, and zeros at the beginning are lost in numbers alone. */
static bool fits(const struct rules_identifier *rule, size_t digits)
{
    if (rule->kind == REGISTRY_ALIEN_NUMBER) return digits < 9;
    if (rule->kind == REGISTRY_SSN) return digits == 9;
    return digits >= rule->bare_min && digits <= rule->bare_max;
}

static void propose_all(struct match *m, span digits, const struct near *near)
{
    if (digits.len == 8) shape_varies(m);
    if (digits.len == 8 && shape_is_day(digits.ptr)) return;
    for (size_t kind = 0; kind < REGISTRY_KIND_COUNT; kind++) {
        const struct rules_identifier *rule = near->rules[kind];
        if (rule && fits(rule, digits.len)) propose(m, rule->id, rule->kind, digits);
    }
}

bool near_may(const struct match *m, span text)
{
    size_t begin, end;
    struct near near = {.any = false};
    if (!next_number(text, 0, &begin, &end)) return false;
    collect(m, text, &near);
    return near.any;
}

void near_scan(struct match *m, span text)
{
    size_t begin, end;
    struct near near = {.any = false};
    if (!next_number(text, 0, &begin, &end)) return;
    collect(m, text, &near);
    for (size_t from = 0; near.any && next_number(text, from, &begin, &end); from = end)
        propose_all(m, span_sub(text, begin, end - begin), &near);
}
