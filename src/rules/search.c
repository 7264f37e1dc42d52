/* What a request of a restricted recipient asks for, and whether it stands in what he sees.
 *
 *   "name=Mar%C3%ADa+L" ─► parameter, value ─► terms: texts as they are compared ─► bits, one a term
 *                                              conditions: which bits a unit needs to stay
 *
 * Comparing is looser than any origin's own search may be: it only ever removes what the origin found, and what it finds
 * for nobody's sake is nothing. Decided by the request alone, before anybody looks at stored data.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "rules/searching.h"

/* ---- folding ---------------------------------------------------------------------------------------------------- */

/* Greek and Cyrillic small letters, whose capitals look like Latin ones more often than they do: two bytes each. */
static void raise_letters(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = to_upper(p[i]);
        if (i + 1 >= n || p[i] < 0xCE || p[i] > 0xD1 || (p[i + 1] & 0xC0) != 0x80) continue;
        unsigned c = (unsigned)(p[i] & 0x1F) << 6 | (p[i + 1] & 0x3F);
        if ((c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F)) c -= 0x20;
        else if (c >= 0x450 && c <= 0x45F) c -= 0x50;
        p[i] = (uint8_t)(0xC0 | c >> 6);
        p[i + 1] = (uint8_t)(0x80 | (c & 0x3F));
    }
}

/* U+2000 to U+206F: dashes, quotation marks and the like that are no look-alikes. */
static bool is_punctuation(span s)
{
    return s.len >= 3 && s.ptr[0] == 0xE2 && (s.ptr[1] == 0x80 || (s.ptr[1] == 0x81 && s.ptr[2] < 0xB0));
}

/* Words of capital letters and digits, one space between two. Other bytes above ASCII are letters. */
static size_t fold_words(span text, uint8_t *out)
{
    if (text.len > 0) memcpy(out, text.ptr, text.len);
    raise_letters(out, text.len);
    size_t n = registry_fold(span_of(out, text.len), out), kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = to_upper(out[i]);
        bool mark = is_punctuation(span_of(out + i, n - i));
        if (mark) i += 2;
        if (!mark && (c >= 0x80 || is_alnum(c))) out[kept++] = c;
        else if (kept > 0 && out[kept - 1] != ' ') out[kept++] = ' ';
    }
    return kept > 0 && out[kept - 1] == ' ' ? kept - 1 : kept;
}

static size_t squeeze(uint8_t *p, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ') p[kept++] = p[i];
    return kept;
}

bool search_folds(span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80 || is_alnum(text.ptr[i])) return true;
    return false;
}

/* ---- terms ------------------------------------------------------------------------------------------------------ */

static enum term_how how_of(enum rules_match match)
{
    switch (match) {
    case RULES_MATCH_CONTAINS: return TERM_CONTAINS;
    case RULES_MATCH_EQUALS: return TERM_EQUALS;
    case RULES_MATCH_PREFIX: return TERM_PREFIX;
    case RULES_MATCH_WORDS: return TERM_WORD;
    }
    return TERM_EQUALS;
}

static uint64_t add_term(struct rules_search *q, const struct query_parameter *p, enum rules_match match, span text)
{
    if (q->term_count == TERMS_MAX) return q->full = true, 0;
    q->terms[q->term_count] = (struct term){text, how_of(match), p->number};
    return UINT64_C(1) << q->term_count++;
}

static uint64_t add_words(struct rules_search *q, const struct query_parameter *p, span words)
{
    uint64_t bits = 0;
    while (words.len > 0 && !q->full) {
        size_t end = span_find(words, ' ');
        bits |= add_term(q, p, RULES_MATCH_WORDS, span_sub(words, 0, end));
        words = span_from(words, end < words.len ? end + 1 : end);
    }
    return bits;
}

uint64_t search_terms(struct rules_search *q, const struct query_parameter *p, enum rules_match match, span folded)
{
    if (match == RULES_MATCH_WORDS) return add_words(q, p, folded);
    span copy = arena_copy(q->arena, folded);
    if (copy.ptr == NULL) return q->full = true, 0;
    uint8_t *text = (uint8_t *)(uintptr_t)copy.ptr;
    return add_term(q, p, match, span_of(text, squeeze(text, copy.len)));
}

span search_fold(struct rules_search *q, span value)
{
    uint8_t *out = utf8_valid(value) ? arena_alloc(q->arena, value.len + 1) : NULL;
    return out == NULL ? span_of(NULL, 0) : span_of(out, fold_words(value, out));
}

void search_way(struct rules_search *q, uint32_t condition, uint64_t terms)
{
    if (q->way_count == TERMS_MAX) q->full = true;
    else q->ways[q->way_count++] = (struct way){terms, condition};
}

uint32_t search_condition(struct rules_search *q, const struct query_parameter *p)
{
    if (q->condition_count == TERMS_MAX) return q->full = true, 0;
    q->conditions[q->condition_count] = p;
    return (uint32_t)q->condition_count++;
}

/* The condition that the value belongs to: its own, or where one of several is enough, the one that is there. */
static uint32_t condition_for(struct rules_search *q, const struct query_parameter *p)
{
    for (size_t i = 0; i < q->condition_count && p->any_of; i++)
        if (q->conditions[i] == p) return (uint32_t)i;
    return search_condition(q, p);
}

/* True: the value can be looked for. */
static bool add_value(struct rules_search *q, const struct query_parameter *p, span value)
{
    span words = search_fold(q, value);
    if (words.ptr == NULL) return false;
    if (words.len == 0) return p->may_be_empty && value.len == 0;
    uint32_t condition = condition_for(q, p);
    search_way(q, condition, search_terms(q, p, p->match, words));
    return !q->full;
}

/* ---- the query -------------------------------------------------------------------------------------------------- */

/* "name", "-name", "name desc", "name:asc", "name.desc", several of them with commas: the direction tells nothing. */
static bool is_sort(const struct query_parameter *p, span value)
{
    static const char *const directions[] = {"asc", "desc"};
    if (value.len > 0 && (value.ptr[0] == '-' || value.ptr[0] == '+' || value.ptr[0] == ' ')) value = span_from(value, 1);
    for (size_t i = 0; i < p->value_count; i++) {
        if (!span_starts(value, p->values[i])) continue;
        span rest = span_from(value, p->values[i].len);
        if (rest.len == 0) return true;
        if (!strchr(" :.", rest.ptr[0])) continue;
        for (size_t k = 0; k < ARRAY_LEN(directions); k++)
            if (span_equal_nocase(span_from(rest, 1), span_str(directions[k]))) return true;
    }
    return false;
}

static bool are_sorts(const struct query_parameter *p, span value)
{
    for (;;) {
        size_t end = span_find(value, ',');
        if (!is_sort(p, span_trim(span_sub(value, 0, end)))) return false;
        if (end == value.len) return true;
        value = span_from(value, end + 1);
    }
}

static bool add_decoded(struct rules_search *q, const struct query_parameter *p, span value)
{
    switch (p->kind) {
    case QUERY_ANY:
    case QUERY_DROP: return true;
    case QUERY_SORT: return are_sorts(p, value);
    case QUERY_SEARCH: return add_value(q, p, value);
    case QUERY_COLUMN:
    case QUERY_ONLY: break;
    }
    return false;
}

static bool is_named(const struct query_parameter *p)
{
    return p->kind != QUERY_ONLY && p->kind != QUERY_COLUMN;
}

static const struct query_parameter *find_parameter(const struct rules_document *d, span name)
{
    for (size_t i = 0; i < d->parameter_count; i++)
        if (is_named(&d->parameters[i]) && template_equals(name, d->parameters[i].name, true)) return &d->parameters[i];
    return NULL;
}

static bool is_of_pages(const struct rules_pages *p, span name)
{
    return p != NULL && (rules_is_parameter(name, p->offset) || rules_is_parameter(name, p->limit) ||
                            rules_is_parameter(name, p->page) || rules_is_parameter(name, p->cursor));
}

static bool add_spoken(struct rules_search *q, span raw, span value)
{
    uint8_t *name = arena_alloc(q->arena, raw.len + 1);
    size_t len;
    return name && template_decode(raw, name, &len) && dialect_take(q, span_of(name, len), value);
}

/* One "name=value"; where there is no value it is empty. */
static bool add_parameter(struct rules_search *q, span parameter)
{
    size_t equals = span_find(parameter, '='), len = 0;
    span name = span_sub(parameter, 0, equals);
    const struct query_parameter *p = find_parameter(q->document, name);
    if (!p && is_of_pages(q->document->view.pages, name)) return true;
    if (!p && q->document->dialect == RULES_DIALECT_NONE) return false;
    if (p && (p->kind == QUERY_ANY || p->kind == QUERY_DROP)) return true;
    span raw = equals < parameter.len ? span_from(parameter, equals + 1) : span_of(NULL, 0);
    uint8_t *value = arena_alloc(q->arena, raw.len + 1);
    if (!value || !template_decode(raw, value, &len)) return false;
    return p ? add_decoded(q, p, span_of(value, len)) : add_spoken(q, name, span_of(value, len));
}

/* A semicolon separates parameters for some origins and not for others: what we cannot name, we do not allow. */
static bool add_parameters(struct rules_search *q, span query)
{
    if (query.len == 0) return true;
    if (span_find(query, ';') < query.len) return false;
    for (;;) {
        size_t end = span_find(query, '&');
        if (!add_parameter(q, span_sub(query, 0, end))) return false;
        if (end == query.len) return dialect_end(q);
        query = span_from(query, end + 1);
    }
}

static bool add_only(struct rules_search *q)
{
    const struct rules_document *d = q->document;
    for (size_t i = 0; i < d->parameter_count; i++) {
        const struct query_parameter *p = &d->parameters[i];
        for (size_t k = 0; p->kind == QUERY_ONLY && k < p->value_count; k++)
            if (!add_value(q, p, p->values[k])) return false;
    }
    return true;
}

enum rules_query rules_query_read(
    const struct rules_document *d, span query, struct arena *a, const struct rules_search **out)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    *out = NULL;
    if (query.len == 0 && d->only_values == 0) return RULES_QUERY_ALLOWED;
    struct rules_search *q = arena_alloc(a, sizeof *q);
    if (!q) return RULES_QUERY_NO_MEMORY;
    q->document = d;
    q->arena = a;
    bool allowed = add_only(q) && add_parameters(q, query);
    q->arena = NULL;
    q->table = NULL;
    if (arena_failed(a)) return RULES_QUERY_NO_MEMORY;
    if (!allowed) return RULES_QUERY_REFUSED;
    if (q->condition_count > 0) *out = q;
    return RULES_QUERY_ALLOWED;
}

bool rules_query_drops(const struct rules_document *d)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    return d->drops;
}

span rules_query_handed_on(const struct rules_document *d, span query, struct arena *a)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    uint8_t *out = arena_alloc(a, query.len + 1);
    size_t n = 0;
    if (!out) return span_of(NULL, 0);
    while (query.len > 0) {
        size_t end = span_find(query, '&');
        span one = span_sub(query, 0, end);
        const struct query_parameter *p = find_parameter(d, span_sub(one, 0, span_find(one, '=')));
        query = span_from(query, end < query.len ? end + 1 : end);
        if (p && p->kind == QUERY_DROP) continue;
        if (n > 0) out[n++] = '&';
        memcpy(out + n, one.ptr, one.len);
        n += one.len;
    }
    return span_of(out, n);
}

#define QUERY_ROOM ((size_t)1 << 20)
bool rules_query_allowed(const struct rules_document *d, span query)
{
    const struct rules_search *q;
    struct arena *a = arena_new(QUERY_ROOM);
    bool allowed = a && rules_query_read(d, query, a, &q) == RULES_QUERY_ALLOWED;
    if (a) arena_free(a);
    return allowed;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

/* Does some word of the text begin with it? */
static bool begins_word(span text, span word)
{
    for (;;) {
        if (span_starts(text, word)) return true;
        size_t end = span_find(text, ' ');
        if (end == text.len) return false;
        text = span_from(text, end + 1);
    }
}

static bool is_there(const struct term *t, span text)
{
    switch (t->how) {
    case TERM_CONTAINS: return t->text.len <= text.len && memmem(text.ptr, text.len, t->text.ptr, t->text.len) != NULL;
    case TERM_EQUALS: return span_equal(text, t->text);
    case TERM_PREFIX: return span_starts(text, t->text);
    case TERM_WORD: return begins_word(text, t->text);
    }
    return false;
}

static uint64_t look(const struct rules_search *q, uint64_t searched, span text, bool words)
{
    uint64_t found = 0;
    for (size_t i = 0; i < q->term_count; i++) {
        const struct term *t = &q->terms[i];
        if ((t->how == TERM_WORD) != words || !(searched >> t->parameter & 1)) continue;
        if (is_there(t, text)) found |= UINT64_C(1) << i;
    }
    return found;
}

uint64_t rules_search_look(const struct rules_search *q, path_state state, span text, uint8_t *room)
{
    uint64_t searched = q->document->automaton.searched[state];
    if (searched == 0) return 0;
    size_t n = fold_words(text, room);
    if (n == 0) return 0;
    uint64_t found = look(q, searched, span_of(room, n), true);
    return found | look(q, searched, span_of(room, squeeze(room, n)), false);
}

size_t rules_search_conditions(const struct rules_search *q)
{
    return q->condition_count;
}

bool rules_search_leaves_out(const struct rules_search *q, size_t condition, uint16_t unit, bool is_line)
{
    const struct query_parameter *p = q->conditions[condition];
    return is_line ? p->lines : bit_get(p->units, unit);
}

bool rules_search_holds(const struct rules_search *q, size_t condition, uint64_t found)
{
    for (size_t i = 0; i < q->way_count; i++)
        if (q->ways[i].condition == condition && (q->ways[i].terms & ~found) == 0) return true;
    return false;
}
