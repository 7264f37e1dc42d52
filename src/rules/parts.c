/* Words that say what a member may be to a table, or to a type that is coded. */
#include "rules/set.h"

#define LONGEST 32 /* letters and digits of a name that may be any of these */

#define HEAD RULES_PART_HEAD
#define ROWS RULES_PART_ROWS
#define COLUMN RULES_PART_COLUMN
#define SAYS RULES_PART_SAYS

struct part_word {
    const char *word;
    unsigned parts;
};

/* Sorted. */
static const struct part_word words[] = {
    {"caption", COLUMN}, {"cells", ROWS}, {"code", SAYS}, {"coding", RULES_PART_CODING}, {"colname", COLUMN}, {"column", COLUMN},
    {"columninfo", HEAD}, {"columnmetadata", HEAD}, {"columnname", COLUMN}, {"data", ROWS}, {"display", SAYS}, {"displayname", SAYS | COLUMN},
    {"field", COLUMN}, {"fieldname", COLUMN}, {"header", COLUMN | HEAD}, {"headings", HEAD}, {"id", COLUMN}, {"key", COLUMN},
    {"label", SAYS | COLUMN}, {"meta", HEAD}, {"name", SAYS | COLUMN}, {"records", ROWS}, {"rows", ROWS}, {"rowtype", HEAD},
    {"schema", HEAD}, {"table", ROWS}, {"text", SAYS}, {"title", SAYS | COLUMN}, {"value", SAYS}, {"values", ROWS},
};
static const char *const heads[] = {"columns", "cols", "fields", "headers", "columnnames", "colnames", "fieldnames"};

/* Behind its last step: nc:code. */
static size_t spell(span name, uint8_t word[LONGEST])
{
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if (c == ':' || c == '.' || c == '/' || c == '#') n = 0;
        if (!is_alnum(c)) continue;
        if (n == LONGEST) return 0;
        word[n++] = to_lower(c);
    }
    return n;
}

static int compare_word(const void *key, const void *at)
{
    const span *word = key;
    const char *other = ((const struct part_word *)at)->word;
    int order = strncmp((const char *)word->ptr, other, word->len);
    return order ? order : other[word->len] ? -1 : 0;
}

static bool ends_in(span word, span with)
{
    return word.len >= with.len && span_equal(span_from(word, word.len - with.len), with);
}

//= 10-domain 3.3
unsigned rules_label_parts(span decoded_name)
{
    uint8_t room[LONGEST];
    span word = span_of(room, spell(decoded_name, room));
    if (word.len == 0) return 0;
    const struct part_word *found = bsearch(&word, words, ARRAY_LEN(words), sizeof words[0], compare_word);
    unsigned parts = found ? found->parts : 0;
    for (size_t i = 0; word.ptr[word.len - 1] == 's' && i < ARRAY_LEN(heads); i++)
        if (ends_in(word, span_str(heads[i]))) parts |= HEAD;
    return parts;
}
