/* Words that say nothing of what a value is: how it is typed ({"ssn": {"stringValue": …}}), when it was so ({"ssn": {"old": …}}), or
 * that somebody may have said it ({"field": "SSN", "newValue": …}). */
#include "rules/set.h"

#define LONGEST 24 /* letters and digits of any of these words */

enum {
    WRAPS = 1,  /* under a label: only how its value is written, or when it was so */
    SAID = 2,   /* what a member may be about that names something */
    ASKED = 4,  /* hardly any other object has one, so that who names it is looked for */
    VALUE = 8,  /* a number under it is one of its kind, and not how many there are, or which of somebody's records it is */
    FIELD = 16, /* names other members, and hardly ever is there for anything else */
    NAME = 32,  /* may name them */
    ENDS = 64,  /* a name that ends in it is another one's: ssn_old */
};

struct fact {
    const char *word;
    unsigned facts;
};

/* Sorted. */
static const struct fact words[] = {
    {"actual", SAID}, {"after", WRAPS | SAID | ENDS}, {"answer", WRAPS | SAID | ASKED}, {"answers", SAID | ASKED}, {"attribute", FIELD},
    {"attributename", FIELD}, {"before", WRAPS | SAID | ENDS}, {"bigint", WRAPS}, {"buckets", WRAPS}, {"c", ENDS}, {"caption", FIELD},
    {"category", VALUE}, {"children", SAID}, {"cleartext", WRAPS}, {"code", VALUE | NAME}, {"column", FIELD}, {"columnname", FIELD},
    {"content", WRAPS | SAID}, {"counts", SAID}, {"current", WRAPS | SAID | ENDS}, {"data", SAID}, {"decimal", WRAPS},
    {"description", NAME}, {"display", WRAPS | NAME}, {"displaytext", WRAPS}, {"double", WRAPS}, {"element", FIELD}, {"elements", SAID},
    {"eq", WRAPS}, {"field", FIELD}, {"fieldid", FIELD}, {"fieldname", FIELD}, {"fieldpath", FIELD}, {"float", WRAPS},
    {"formatted", WRAPS | ENDS}, {"from", WRAPS | SAID}, {"fromstring", WRAPS | SAID | ASKED}, {"full", WRAPS | ENDS}, {"header", FIELD},
    {"i", ENDS}, {"id", NAME}, {"identificationid", VALUE}, {"identifier", WRAPS}, {"in", WRAPS}, {"input", WRAPS | SAID | ASKED},
    {"instancepath", FIELD}, {"int", WRAPS}, {"integer", WRAPS}, {"is", ENDS}, {"k", NAME}, {"key", WRAPS | NAME}, {"keyasstring", WRAPS},
    {"keyword", WRAPS | ENDS}, {"l", ENDS}, {"label", NAME}, {"left", SAID}, {"lhs", SAID | ASKED}, {"linkid", FIELD}, {"loc", FIELD},
    {"long", WRAPS}, {"mentiontext", SAID}, {"n", NAME}, {"name", NAME}, {"nbr", WRAPS | VALUE}, {"new", WRAPS | SAID | ENDS},
    {"no", WRAPS | VALUE}, {"num", WRAPS | VALUE}, {"number", SAID | ASKED | VALUE}, {"numberdecimal", WRAPS}, {"numberdouble", WRAPS},
    {"numberint", WRAPS}, {"numberlong", WRAPS}, {"numeric", WRAPS}, {"old", WRAPS | SAID | ENDS}, {"original", WRAPS | SAID | ENDS},
    {"param", FIELD}, {"parameter", FIELD}, {"parametername", FIELD}, {"path", NAME}, {"pc", ENDS}, {"plain", WRAPS | ENDS},
    {"plaintext", WRAPS | ENDS}, {"pointer", FIELD}, {"prev", WRAPS | SAID | ENDS}, {"previous", WRAPS | SAID | ENDS}, {"primary", WRAPS},
    {"prompt", FIELD}, {"property", FIELD}, {"propertyname", FIELD}, {"question", FIELD}, {"raw", WRAPS | SAID | ENDS}, {"received", SAID},
    {"ref", NAME}, {"response", WRAPS | SAID | ASKED}, {"result", WRAPS | SAID}, {"rhs", SAID | ASKED}, {"right", SAID}, {"s", ENDS},
    {"snippet", WRAPS | SAID}, {"ss", ENDS}, {"str", WRAPS | ENDS}, {"string", WRAPS | SAID}, {"t", ENDS}, {"tablabel", FIELD},
    {"term", NAME}, {"text", SAID | VALUE | NAME | ENDS}, {"title", NAME}, {"to", WRAPS | SAID}, {"tostring", WRAPS | SAID | ASKED},
    {"txt", ENDS}, {"unformatted", WRAPS}, {"unmasked", WRAPS | ENDS}, {"url", NAME}, {"v", WRAPS | SAID},
    {"val", WRAPS | SAID | ASKED | VALUE | ENDS}, {"vals", WRAPS | SAID}, {"variable", FIELD}, {"variablename", FIELD},
    {"versions", WRAPS},
};

static int compare_word(const void *key, const void *at)
{
    const span *word = key;
    const char *other = ((const struct fact *)at)->word;
    int order = strncmp((const char *)word->ptr, other, word->len);
    return order ? order : other[word->len] ? -1 : 0;
}

static bool ends_in(span word, span with)
{
    return word.len >= with.len && span_equal(span_from(word, word.len - with.len), with);
}

/* value, values, stringValue, old_value, valueString, _value_1 */
static bool is_value(span word)
{
    if (word.len < 5) return false;
    return ends_in(word, SPAN("value")) || ends_in(word, SPAN("values")) || span_equal(span_sub(word, 0, 5), SPAN("value"));
}

static unsigned facts_of(span word)
{
    if (word.len == 0 || word.len > LONGEST) return 0;
    if (is_value(word)) return WRAPS | SAID | ASKED | VALUE | ENDS;
    const struct fact *fact = bsearch(&word, words, ARRAY_LEN(words), sizeof words[0], compare_word);
    return fact ? fact->facts : 0;
}

/* Its letters and digits in lower case; false: it is none of these words. */
static bool spell(span name, uint8_t word[LONGEST], span *out)
{
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] >= 0x80) return false;
        if (!is_alnum(name.ptr[i])) continue;
        if (n == LONGEST) return false;
        word[n++] = to_lower(name.ptr[i]);
    }
    *out = span_of(word, n);
    return true;
}

static unsigned facts_of_name(span name)
{
    uint8_t room[LONGEST];
    span word;
    return spell(name, room, &word) ? facts_of(word) : 0;
}

static bool is_few_digits(span word)
{
    if (word.len == 0 || word.len > 2) return false;
    return is_digit(word.ptr[0]) && is_digit(word.ptr[word.len - 1]);
}

/* As DynamoDB writes its types, in capitals: n may be how many there are. {"$t": …} is how programs write XML. */
static bool is_type(span name)
{
    if (name.len == 1) return name.ptr[0] == 'S' || name.ptr[0] == 'N' || name.ptr[0] == 'L' || name.ptr[0] == 'M';
    return span_equal(name, SPAN("NS")) || span_equal(name, SPAN("$t"));
}

//= 10-domain L37
bool rules_name_wraps(span name)
{
    uint8_t room[LONGEST];
    span word;
    if (!spell(name, room, &word)) return false;
    return word.len == 0 || is_type(name) || is_few_digits(word) || facts_of(word) & WRAPS;
}

bool rules_name_is_said(span name)
{
    return facts_of_name(name) & SAID;
}

/* One letter is asked where it stands alone: {"k": "ssn", "v": …}; programs count versions by __v. */
bool rules_name_is_asked(span word)
{
    return facts_of(word) & ASKED || span_equal(word, SPAN("v"));
}

bool rules_name_is_value(span name)
{
    return facts_of_name(name) & VALUE;
}

enum rules_beside rules_name_names(span word)
{
    unsigned facts = facts_of(word);
    return facts & FIELD ? RULES_BESIDE_FIELD : facts & NAME ? RULES_BESIDE_NAME : RULES_BESIDE_NONE;
}

/* Behind the last mark, or where capitals begin, if that is a word of its own. */
static size_t last_part(span name)
{
    for (size_t i = name.len; i > 1; i--) {
        uint8_t c = name.ptr[i - 1], before = name.ptr[i - 2];
        if (!is_alnum(c)) return i;
        if (c >= 'A' && c <= 'Z' && before >= 'a' && before <= 'z') return i - 1;
    }
    return 0;
}

/* "SSN (required)", custom fields of Salesforce (SSN__c) and ServiceNow (u_ssn), dynamic ones of Solr (ssn_txt), and what programs call the
 * same value at another time or without its mask. */
span rules_name_bare(span name)
{
    uint8_t room[LONGEST];
    span word;
    if (name.len > 2 && name.ptr[1] == '_' && is_alpha(name.ptr[0])) name = span_from(name, 2);
    size_t remark = span_find(name, '(');
    if (remark > 0 && remark < name.len) return span_sub(name, 0, remark);
    size_t at = last_part(name);
    if (at == 0 || at == name.len || !spell(span_from(name, at), room, &word) || word.len == 0) return name;
    if (!(facts_of(word) & ENDS)) return name;
    while (at > 0 && !is_alnum(name.ptr[at - 1]))
        at--;
    return at > 0 ? span_sub(name, 0, at) : name;
}
