/* Queries in the languages of programs that many use: what they say about columns, as conditions that what is shown must hold.
 *
 *   DataTables   columns[0][data]=name … search[value]=mar … columns[2][search][value]=NY … order[0][column]=1
 *   PostgREST    name=ilike.*mar*&age=gte.18&or=(city.eq.Nuuk,city.in.(Lima,"New York"))&order=name.desc.nullslast
 *
 * A column is visible whenever its record is, so that its order, and what is not looked for again (`ranges`), tell of what is
 * shown alone. What cannot be read to its end is refused: an origin might read it in another way.
 *
 *= 8USC1367 a(2)
 *= 10-domain 6.L20 */
#include "rules/searching.h"

static const struct query_parameter *find_column(const struct rules_search *q, span name)
{
    const struct rules_document *d = q->document;
    for (size_t i = 0; i < d->parameter_count; i++)
        if (d->parameters[i].kind == QUERY_COLUMN && span_equal(d->parameters[i].name, name)) return &d->parameters[i];
    return NULL;
}

/* ---- DataTables ------------------------------------------------------------------------------------------------- */

#define COLUMNS_MAX 64

enum said { SAID_DATA = 1, SAID_NAME = 2, SAID_SEARCHABLE = 4, SAID_ORDERABLE = 8, SAID_VALUE = 16, SAID_REGEX = 32, SAID_COLUMN = 64, SAID_DIR = 128 };

struct table {
    struct table_column {
        unsigned said; /* twice the same: one origin takes the first, another the last */
        const struct query_parameter *column; /* NULL: not declared */
        span value;
        bool searchable, regex, misnamed; /* misnamed: by a name that is no column's */
    } columns[COLUMNS_MAX], whole; /* whole: search[value] */
    unsigned ordered[COLUMNS_MAX]; /* what was said of the n-th order */
    uint64_t by;                   /* bits of the columns that it is ordered by */
};

static bool say(unsigned *said, enum said what)
{
    bool first = !(*said & what);
    *said |= what;
    return first;
}

/* "[word]" from the front. */
static bool take_word(span *rest, span *word)
{
    size_t end = span_find(*rest, ']');
    if (rest->len == 0 || rest->ptr[0] != '[' || end == rest->len) return false;
    *word = span_sub(*rest, 1, end - 1);
    *rest = span_from(*rest, end + 1);
    return true;
}

/* In one spelling: "[07]" is the seventh for one origin and a name for another. */
static bool take_number(span text, uint64_t *out)
{
    return text.len > 0 && (text.len == 1 || text.ptr[0] != '0') && span_to_u64(text, COLUMNS_MAX - 1, out);
}

static bool take_flag(span value, bool *out)
{
    *out = span_equal(value, SPAN("true"));
    return *out || span_equal(value, SPAN("false"));
}

static bool take_search(struct table_column *c, span rest, span value)
{
    span word;
    if (!take_word(&rest, &word) || rest.len > 0) return false;
    if (span_equal(word, SPAN("value"))) return c->value = value, say(&c->said, SAID_VALUE);
    return span_equal(word, SPAN("regex")) && say(&c->said, SAID_REGEX) && take_flag(value, &c->regex);
}

static bool take_column(struct rules_search *q, struct table_column *c, span rest, span value)
{
    span word;
    bool flag;
    if (!take_word(&rest, &word)) return false;
    if (span_equal(word, SPAN("search"))) return take_search(c, rest, value);
    if (rest.len > 0) return false;
    if (span_equal(word, SPAN("data"))) return c->column = find_column(q, value), say(&c->said, SAID_DATA);
    if (span_equal(word, SPAN("name"))) return c->misnamed = value.len > 0 && !find_column(q, value), say(&c->said, SAID_NAME);
    if (span_equal(word, SPAN("searchable"))) return say(&c->said, SAID_SEARCHABLE) && take_flag(value, &c->searchable);
    return span_equal(word, SPAN("orderable")) && say(&c->said, SAID_ORDERABLE) && take_flag(value, &flag);
}

static bool take_order(struct rules_search *q, struct table *t, uint64_t n, span rest, span value)
{
    span word;
    uint64_t column;
    if (!take_word(&rest, &word) || rest.len > 0) return false;
    if (span_equal(word, SPAN("column"))) {
        if (!say(&t->ordered[n], SAID_COLUMN) || !take_number(value, &column)) return false;
        t->by |= UINT64_C(1) << column;
        return true;
    }
    if (span_equal(word, SPAN("name"))) return say(&t->ordered[n], SAID_NAME) && (value.len == 0 || find_column(q, value) != NULL);
    bool direction = span_equal(value, SPAN("asc")) || span_equal(value, SPAN("desc")) || value.len == 0;
    return span_equal(word, SPAN("dir")) && say(&t->ordered[n], SAID_DIR) && direction;
}

static bool take_datatables(struct rules_search *q, span name, span value)
{
    size_t end = span_find(name, '[');
    span word = span_sub(name, 0, end), rest = span_from(name, end), number;
    uint64_t n;
    if (q->table == NULL) {
        q->table = arena_alloc(q->arena, sizeof *q->table);
        if (q->table == NULL) return false;
        *q->table = (struct table){.whole = {.said = 0}};
    }
    struct table *t = q->table;
    if (span_equal(word, SPAN("search"))) return take_search(&t->whole, rest, value);
    if (!take_word(&rest, &number) || !take_number(number, &n)) return false;
    if (span_equal(word, SPAN("columns"))) return take_column(q, &t->columns[n], rest, value);
    return span_equal(word, SPAN("order")) && take_order(q, t, n, rest, value);
}

/* The value stands in one of these columns; of several words each in one. */
static bool add_search(struct rules_search *q, const struct table_column *columns, size_t count, const struct table_column *asked)
{
    bool words = q->document->column_match == RULES_MATCH_WORDS;
    if (asked->value.len == 0) return true;
    span folded = search_fold(q, asked->value);
    if (asked->regex || folded.ptr == NULL || folded.len == 0) return false;
    while (folded.len > 0 && !q->full) {
        span one = words ? span_sub(folded, 0, span_find(folded, ' ')) : folded;
        folded = span_from(folded, one.len < folded.len ? one.len + 1 : one.len);
        uint32_t condition = UINT32_MAX;
        for (size_t i = 0; i < count; i++) {
            const struct table_column *c = &columns[i];
            if (c->column == NULL || !(c->searchable || c == asked)) continue;
            if (condition == UINT32_MAX) condition = search_condition(q, c->column);
            search_way(q, condition, search_terms(q, c->column, q->document->column_match, one));
        }
        if (condition == UINT32_MAX) return false; /* in nothing that is shown */
    }
    return true;
}

static bool end_datatables(struct rules_search *q)
{
    struct table *t = q->table;
    size_t count = 0;
    if (t == NULL) return true;
    while (count < COLUMNS_MAX && t->columns[count].said & SAID_DATA) count++;
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        const struct table_column *c = &t->columns[i];
        /* A gap would be closed by some origins, so that the n-th column is another. */
        if (i >= count && (c->said != 0 || t->by >> i & 1)) return false;
        if ((t->by >> i & 1) && c->column == NULL) return false;
        /* Some origins go by the name. A column that is not listed is neither looked for nor ordered by, whatever it is called. */
        if (c->misnamed && c->column != NULL) return false;
        if (c->value.len > 0 && c->column == NULL) return false;
        if (!add_search(q, c, 1, c)) return false;
    }
    return add_search(q, t->columns, count, &t->whole);
}

/* ---- PostgREST -------------------------------------------------------------------------------------------------- */

/* Up to the next comma that stands in neither quotes nor parentheses. */
static bool next_item(span *rest, span *item)
{
    unsigned depth = 0;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len && (quoted || depth > 0 || rest->ptr[i] != ','); i++) {
        uint8_t c = rest->ptr[i];
        if (quoted && c == '\\') i++;
        else if (c == '"') quoted = !quoted;
        else if (!quoted && c == '(') depth++;
        else if (!quoted && c == ')' && depth-- == 0) return false;
    }
    if (quoted || depth > 0 || i > rest->len) return false;
    *item = span_sub(*rest, 0, i);
    *rest = i < rest->len ? span_from(*rest, i + 1) : span_of(NULL, 0);
    return true;
}

/* What every release of PostgREST takes for one value of a list. Without quotes at both of its ends a value goes on to the next comma or
 * parenthesis, whatever stands in it, but for an array in braces, which goes on to their end; before 9.0 a backslash was a character like others. */
static bool is_one_value(span item)
{
    bool quoted = item.len >= 2 && item.ptr[0] == '"' && item.ptr[item.len - 1] == '"';
    if (quoted) item = span_sub(item, 1, item.len - 2);
    for (size_t i = 0; i < item.len; i++)
        if (item.ptr[i] == '\0' || strchr(quoted ? "\"\\" : "\"\\(){}", item.ptr[i]) != NULL) return false;
    return true;
}

/* "(a,"b c")" */
static bool are_values(span list)
{
    span item;
    if (list.len < 3 || list.ptr[0] != '(' || list.ptr[list.len - 1] != ')') return false;
    list = span_sub(list, 1, list.len - 2);
    while (list.len > 0)
        if (!next_item(&list, &item) || !is_one_value(item)) return false;
    return true;
}

/* "eq.a", "not.in.(a,b)", in a list of conditions. Where the origin ends a value before we do, what stands behind it is a condition of a column that nobody
 * asked us about: and=(name.in.(a,b(,c),notes.eq.x,…)) has two of them there, and whoever is called a tells what his notes are. */
//= 10-domain 6.L20
static bool is_whole(span operator, span value)
{
    if (span_equal(operator, SPAN("not"))) {
        operator = span_sub(value, 0, span_find(value, '.'));
        value = span_from(value, operator.len < value.len ? operator.len + 1 : operator.len);
    }
    return span_equal(operator, SPAN("in")) ? are_values(value) : is_one_value(value);
}

/* "text" in quotes, with escapes; anything else as it is, where it holds no quote. */
static bool unquote(struct rules_search *q, span item, span *out)
{
    bool quoted = item.len >= 2 && item.ptr[0] == '"' && item.ptr[item.len - 1] == '"';
    if (!quoted) return *out = item, span_find(item, '"') == item.len;
    uint8_t *text = arena_alloc(q->arena, item.len);
    size_t n = 0;
    for (size_t i = 1; text != NULL && i + 1 < item.len; i++) {
        if (item.ptr[i] == '\\') i++;
        else if (item.ptr[i] == '"') return false;
        if (i + 1 < item.len) text[n++] = item.ptr[i];
    }
    *out = span_of(text, n);
    return text != NULL;
}

static bool add_equal(struct rules_search *q, uint32_t condition, const struct query_parameter *c, span value)
{
    span folded = search_fold(q, value);
    if (folded.ptr == NULL || folded.len == 0) return false;
    search_way(q, condition, search_terms(q, c, RULES_MATCH_EQUALS, folded));
    return true;
}

/* What stands between the wildcards must stand there, in any order: looser than what was asked. */
static bool add_like(struct rules_search *q, uint32_t condition, const struct query_parameter *c, span value)
{
    uint64_t terms = 0;
    bool any = false;
    while (value.len > 0) {
        size_t end = 0;
        while (end < value.len && value.ptr[end] != '\0' && strchr("*%_", value.ptr[end]) == NULL) end++;
        span piece = span_sub(value, 0, end), folded = search_fold(q, piece);
        if (span_find(piece, '\\') < piece.len || folded.ptr == NULL) return false;
        if (folded.len > 0) terms |= search_terms(q, c, RULES_MATCH_CONTAINS, folded), any = true;
        value = span_from(value, end < value.len ? end + 1 : end);
    }
    search_way(q, condition, terms);
    return any;
}

static bool add_one_of(struct rules_search *q, uint32_t condition, const struct query_parameter *c, span list)
{
    span item, value;
    if (list.len < 3 || list.ptr[0] != '(' || list.ptr[list.len - 1] != ')') return false;
    list = span_sub(list, 1, list.len - 2);
    while (list.len > 0)
        if (!next_item(&list, &item) || !unquote(q, item, &value) || !add_equal(q, condition, c, value)) return false;
    return true;
}

/* What compares with a value that need not stand there: true of what is shown, where the column is. */
static bool is_range(const struct rules_search *q, span operator, span value)
{
    static const char *const compare[] = {"gt", "gte", "lt", "lte", "neq"}, *const other[] = {"eq", "like", "ilike", "in", "is"};
    bool negated = span_equal(operator, SPAN("not"));
    if (!q->document->column_ranges) return false;
    if (negated) operator = span_sub(value, 0, span_find(value, '.'));
    if (negated && operator.len == value.len) return false;
    for (size_t i = 0; i < ARRAY_LEN(compare); i++)
        if (span_equal(operator, span_str(compare[i]))) return true;
    for (size_t i = 0; negated && i < ARRAY_LEN(other); i++)
        if (span_equal(operator, span_str(other[i]))) return true;
    return span_equal(operator, SPAN("is")) && (span_equal(value, SPAN("null")) || span_equal(value, SPAN("not_null")));
}

/* "eq.Nuuk". In a list of conditions values may be quoted. */
static bool add_operator(struct rules_search *q, uint32_t condition, const struct query_parameter *c, span text, bool listed)
{
    size_t dot = span_find(text, '.');
    if (dot == text.len) return false;
    span operator = span_sub(text, 0, dot), value = span_from(text, dot + 1);
    if (listed && !is_whole(operator, value)) return false;
    if (is_range(q, operator, value)) return search_way(q, condition, 0), true;
    if (span_equal(operator, SPAN("in"))) return add_one_of(q, condition, c, value);
    if (listed && !unquote(q, value, &value)) return false;
    if (span_equal(operator, SPAN("eq"))) return add_equal(q, condition, c, value);
    if (span_equal(operator, SPAN("like")) || span_equal(operator, SPAN("ilike"))) return add_like(q, condition, c, value);
    bool truth = span_equal(value, SPAN("true")) || span_equal(value, SPAN("false"));
    return span_equal(operator, SPAN("is")) && truth && add_equal(q, condition, c, value);
}

/* "(name.eq.a,city.like.*b*)": one of them is enough, or (`all`) none may fail. */
static bool add_list(struct rules_search *q, span list, bool all)
{
    uint32_t condition = UINT32_MAX;
    span item;
    if (list.len < 3 || list.ptr[0] != '(' || list.ptr[list.len - 1] != ')') return false;
    list = span_sub(list, 1, list.len - 2);
    while (list.len > 0) {
        if (!next_item(&list, &item)) return false;
        size_t dot = span_find(item, '.');
        const struct query_parameter *c = find_column(q, span_sub(item, 0, dot));
        if (c == NULL || dot == item.len) return false;
        if (all || condition == UINT32_MAX) condition = search_condition(q, c);
        if (!add_operator(q, condition, c, span_from(item, dot + 1), true)) return false;
    }
    return true;
}

/* "name.desc.nullslast,age" */
static bool is_order(const struct rules_search *q, span value)
{
    static const char *const words[] = {"asc", "desc", "nullsfirst", "nullslast"};
    for (;;) {
        size_t end = span_find(value, ',');
        span item = span_sub(value, 0, end), name = span_sub(item, 0, span_find(item, '.')), rest = span_from(item, name.len);
        if (find_column(q, name) == NULL) return false;
        while (rest.len > 0) {
            rest = span_from(rest, 1);
            span word = span_sub(rest, 0, span_find(rest, '.'));
            bool known = false;
            for (size_t i = 0; i < ARRAY_LEN(words); i++) known |= span_equal(word, span_str(words[i]));
            if (!known) return false;
            rest = span_from(rest, word.len);
        }
        if (end == value.len) return true;
        value = span_from(value, end + 1);
    }
}

static bool take_postgrest(struct rules_search *q, span name, span value)
{
    if (span_equal(name, SPAN("order"))) return is_order(q, value);
    if (span_equal(name, SPAN("or"))) return add_list(q, value, false);
    if (span_equal(name, SPAN("and"))) return add_list(q, value, true);
    const struct query_parameter *c = find_column(q, name);
    return c != NULL && add_operator(q, search_condition(q, c), c, value, false);
}

/* ---- the face --------------------------------------------------------------------------------------------------- */

bool dialect_take(struct rules_search *q, span name, span value)
{
    switch (q->document->dialect) {
    case RULES_DIALECT_NONE: return false;
    case RULES_DIALECT_DATATABLES: return take_datatables(q, name, value) && !q->full;
    case RULES_DIALECT_POSTGREST: return take_postgrest(q, name, value) && !q->full;
    }
    return false;
}

bool dialect_end(struct rules_search *q)
{
    return (q->document->dialect != RULES_DIALECT_DATATABLES || end_datatables(q)) && !q->full;
}
