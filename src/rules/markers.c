/* Markers: expressions and code values that by themselves give reason to believe.
 *
 *= ICE10036.2 2
 *= 10-domain 2.3 */
#include "rules/set.h"

static bool add_word(struct loader *l, struct list *list, span text)
{
    struct word *w = loader_add(l, list, sizeof *w);
    span copy = arena_copy(l->set->arena, text);
    if (!copy.ptr) l->no_memory = true;
    if (w) w->text = copy;
    return w && copy.ptr;
}

static bool has_word(const struct list *list, span text)
{
    for (size_t i = 0; i < list->count; i++)
        if (span_equal(LIST_AT(list, struct word, i)->text, text)) return true;
    return false;
}

struct word_load {
    struct loader *loader;
    struct list *list;
};

static void add_value(void *ctx, const struct place *at, const char *s)
{
    struct word_load *load = ctx;
    uint8_t normalized[VALUE_MAX];
    size_t n = value_normalize(span_str(s), normalized);
    if (n == 0)
        place_error(at, "\"%s\" is no code value; it needs 1 to %d ASCII letters and digits", s, VALUE_MAX);
    else if (has_word(load->list, span_of(normalized, n)))
        place_error(at, "\"%s\" is the same value as an earlier one; hyphens, spaces and case do not count", s);
    else
        add_word(load->loader, load->list, span_of(normalized, n));
}

static void add_literal(void *ctx, const struct place *at, const char *s)
{
    struct word_load *load = ctx;
    uint8_t lower[LITERAL_MAX];
    size_t n = strlen(s);
    if (n < LITERAL_MIN || n > LITERAL_MAX) {
        place_error(at, "\"%s\" has %zu bytes; a literal needs %d to %d", s, n, LITERAL_MIN, LITERAL_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        lower[i] = to_lower((uint8_t)s[i]);
        if (lower[i] < 0x20 || lower[i] >= 0x7F || lower[i] == '\\') {
            place_error(
                at, "a literal is printable ASCII without \\, as it stands in any spelling of the document");
            return;
        }
    }
    if (has_word(load->list, span_of(lower, n)))
        place_error(at, "\"%s\" is there already; case does not count", s);
    else
        add_word(load->loader, load->list, span_of(lower, n));
}

/* ---- a rule's parts fit each other ------------------------------------------------------------------------------- */

static void check_parts(const struct place *at, const json_t *v)
{
    bool labels = json_object_get(v, "labels"), values = json_object_get(v, "values");
    bool pattern = json_object_get(v, "pattern"), literals = json_object_get(v, "literals");
    struct place values_at = place_member(at, "values"), literals_at = place_member(at, "literals");
    struct place pattern_at = place_member(at, "pattern");
    if (!values && !pattern)
        place_error(at, "has neither \"values\" nor \"pattern\" and can never match; give it one of them");
    if (values && !labels)
        place_error(&values_at, "code values mean something only in certain fields; name them with \"labels\"");
    if (literals && !pattern)
        place_error(&literals_at, "literals wake a pattern, and there is no \"pattern\"");
    else if (literals && labels)
        place_error(&literals_at,
            "a pattern bound to \"labels\" runs on every such value; leave \"literals\" out, or make two rules");
    else if (pattern && !labels && !literals)
        place_error(&pattern_at,
            "a pattern not bound to \"labels\" needs \"literals\": texts of %d bytes or more, one of which stands in "
            "every match",
            LITERAL_MIN);
}

static bool stands_at(const uint8_t *text, span literal)
{
    for (size_t i = 0; i < literal.len; i++) {
        uint8_t c = text[i] >= '\t' && text[i] <= '\r' ? ' ' : to_lower(text[i]);
        if (c != literal.ptr[i]) return false;
    }
    return true;
}

/* In the text as it is matched, which is folded. */
static bool text_holds(struct loader *l, span text, span literal)
{
    uint8_t *folded = mem_alloc(text.len + 1);
    bool holds = false;
    if (!folded) return l->no_memory = true;
    size_t n = registry_fold(text, folded);
    for (size_t i = 0; i + literal.len <= n && !holds; i++)
        holds = stands_at(folded + i, literal);
    mem_free(folded);
    return holds;
}

static bool sample_holds(struct loader *l, const json_t *v, span literal)
{
    const char *name;
    json_t *item;
    if (json_is_string(v)) return text_holds(l, span_of(json_string_value(v), json_string_length(v)), literal);
    for (size_t i = 0; i < json_array_size(v); i++)
        if (sample_holds(l, json_array_get(v, i), literal)) return true;
    json_object_foreach((json_t *)v, name,
        item) if (text_holds(l, span_str(name), literal) || sample_holds(l, item, literal)) return true;
    return false;
}

/* A sample that must match and holds no literal proves that the rule would sleep through it. */
static void check_awake(struct loader *l, const struct rule *r)
{
    const json_t *match = json_object_get(json_object_get(r->json, "tests"), "match");
    struct place tests = place_member(&r->at, "tests"), list = place_member(&tests, "match");
    for (size_t i = 0; r->literals.count && i < json_array_size(match); i++) {
        bool awake = false;
        struct place at = place_item(&list, i);
        for (size_t n = 0; n < r->literals.count; n++)
            awake |= sample_holds(l, json_array_get(match, i), LIST_AT(&r->literals, struct word, n)->text);
        if (!awake)
            place_error(
                &at, "holds none of the literals, so the pattern would never be tried on it; add one that it holds");
    }
}

static void load_words(struct loader *l, const struct place *at, const json_t *v, struct rule *r)
{
    struct word_load values = {l, &r->values}, literals = {l, &r->literals};
    const char *pattern = place_string(at, v, "pattern", false, NULL);
    struct place pattern_at = place_member(at, "pattern");
    place_strings(at, v, "values", add_value, &values);
    place_strings(at, v, "literals", add_literal, &literals);
    if (pattern) (void)pattern_compile(l, &pattern_at, pattern, false, &r->pattern);
    check_parts(at, v);
    check_awake(l, r);
}

void markers_load(struct loader *l, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{"id", true, false}, {"title", true, false}, {"why", true, false},
        {"pattern", false, false}, {"literals", false, false}, {"values", false, false}, {"labels", false, false},
        {"strength", true, false}, {"tests", true, false}, {NULL, false, false}};
    static const char *const strengths[] = {"suspected", "definitive", NULL};
    (void)place_check_members(at, v, members);
    if (!json_is_object(v)) return;
    struct rule *r = rule_begin(l, at, v);
    if (!r) return;
    r->is_marker = true;
    load_words(l, at, v, r);
    int strength = place_enum(at, v, "strength", strengths, false, RULE_DEFINITIVE);
    r->marker = (struct rules_marker){.id = (rule_id)(l->set->rules.count - 1),
        .name = r->name,
        .title = r->title,
        .strength = (enum rule_strength)strength,
        .has_labels = r->labels.count > 0,
        .has_values = r->values.count > 0,
        .has_pattern = r->pattern.code != NULL};
}
