/* The set in one spelling: what two packs have in common or not, without their formatting, titles, tests and defaults. */
#include "rules/set.h"

#include <stdlib.h>

/* ---- spelling --------------------------------------------------------------------------------------------------- */

static RESULT write_segment(struct buf *out, const struct path_segment *s)
{
    if (s->descend) TRY(buf_append(out, SPAN("..")));
    switch (s->selector) {
    case SELECT_ANY:
    case SELECT_ELEMENT: return buf_append(out, SPAN("[*]"));
    case SELECT_INDEX: return buf_printf(out, "[%llu]", (unsigned long long)s->index);
    case SELECT_NAME: break;
    }
    TRY(buf_append(out, SPAN("['")));
    for (size_t i = 0; i < s->name.len; i++) {
        uint8_t c = s->name.ptr[i];
        if (c == '\'' || c == '\\') TRY(buf_append(out, SPAN("\\")));
        if (c < 0x20) TRY(buf_printf(out, "\\u%04x", c));
        else TRY(buf_append(out, span_of(&c, 1)));
    }
    return buf_append(out, SPAN("']"));
}

/* A path as RFC 9535 2.7 normalises one; what is no path stays as it is. NULL: out of memory. */
//= RFC9535 2.7
static json_t *spell(const char *text)
{
    struct path_expr e;
    struct buf out;
    size_t offset;
    struct arena *a = text[0] == '$' ? arena_new((size_t)1 << 20) : NULL;
    buf_init(&out, (size_t)1 << 20);
    bool path = a && path_parse(a, span_str(text), &e, &offset) == NULL && !arena_failed(a);
    bool good = path && is_ok(buf_append(&out, SPAN("$")));
    for (size_t i = 0; good && i < e.count; i++) good = is_ok(write_segment(&out, &e.segments[i]));
    json_t *spelt = good ? json_stringn((const char *)buf_span(&out).ptr, buf_len(&out)) : json_string(text);
    buf_free(&out);
    if (a) arena_free(a);
    return spelt;
}

static int by_text(const void *a, const void *b)
{
    char *x = json_dumps(*(json_t *const *)a, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    char *y = json_dumps(*(json_t *const *)b, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    int order = x && y ? strcmp(x, y) : 0;
    mem_hook_free(x);
    mem_hook_free(y);
    return order;
}

/* Lists of paths, labels and words are sets. */
static json_t *sorted(json_t *list)
{
    size_t n = json_array_size(list);
    MEM_AUTO json_t **items = mem_array(n ? n : 1, sizeof *items);
    json_t *out = items ? json_array() : NULL;
    for (size_t i = 0; out && i < n; i++) items[i] = json_array_get(list, i);
    if (out && n > 0) qsort(items, n, sizeof *items, by_text);
    for (size_t i = 0; out && i < n; i++) json_array_append(out, items[i]);
    json_decref(list);
    return out;
}

static json_t *spell_value(const json_t *v);

static json_t *spell_list(const json_t *v)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(v); i++) json_array_append_new(out, spell_value(json_array_get(v, i)));
    return sorted(out);
}

/* What says nothing: an empty list or object, and what is so without being said. */
static bool is_default(const char *name, const json_t *v)
{
    static const struct word_default {
        const char *name, *value;
    } defaults[] = {{"mode", "enforce"}, {"on_finding", "withhold"}, {"bare", "none"}, {"where", "anywhere"}};
    if (json_is_false(v) || (json_is_array(v) && json_array_size(v) == 0) || (json_is_object(v) && json_object_size(v) == 0))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (!strcmp(name, defaults[i].name) && json_is_string(v)) {
            if (!strcmp(json_string_value(v), defaults[i].value)) return true;
        }
    return false;
}

static bool is_comment(const char *name)
{
    static const char *const comments[] = {"title", "why", "tests", "documents"};
    for (size_t i = 0; i < ARRAY_LEN(comments); i++)
        if (!strcmp(name, comments[i])) return true;
    return false;
}

static json_t *spell_object(const json_t *v, bool top)
{
    json_t *out = json_object(), *item;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)v, name, item)
    {
        if (!strcmp(name, "$schema") || (top && (is_comment(name) || is_default(name, item)))) continue;
        json_t *key = spell(name), *value = top && !strcmp(name, "miss") ? json_deep_copy(item) : spell_value(item);
        json_object_set_new(out, key ? json_string_value(key) : name, value);
        json_decref(key);
    }
    return out;
}

static json_t *spell_value(const json_t *v)
{
    if (json_is_array(v)) return spell_list(v);
    if (json_is_object(v)) {
        bool only_path = json_object_size(v) == 1 && json_is_string(json_object_get(v, "path"));
        return only_path ? spell_value(json_object_get(v, "path")) : spell_object(v, false);
    }
    return json_is_string(v) ? spell(json_string_value(v)) : json_deep_copy(v);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void set_words(json_t *out, const char *name, const struct list *words)
{
    json_t *list = json_array();
    char text[LABEL_MAX + LITERAL_MAX + 2];
    if (words->count == 0) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < words->count; i++) {
        const struct word *w = LIST_AT(words, struct word, i);
        snprintf(text, sizeof text, "%s%.*s%s", w->suffix ? "*" : "", SPAN_FMT(w->text), w->prefix ? "*" : "");
        json_array_append_new(list, json_string(text));
    }
    json_object_set_new(out, name, sorted(list));
}

static const struct proposals *home_of(const struct rules_set *s, const struct rule *r)
{
    if (r->is_marker) return r->labels.count > 0 ? &s->marker_proposals : &s->text_proposals;
    return r->identifier.own_syntax ? &s->anywhere_proposals : &s->bound_proposals;
}

static json_t *print_rule(const struct rules_set *s, const struct rule *r)
{
    json_t *out = spell_object(r->json, true);
    set_words(out, "labels", &r->labels);
    set_words(out, "values", &r->values);
    set_words(out, "literals", &r->literals);
    if (!r->pattern.code) return out;
    bool known = r->proposal && !(home_of(s, r)->always & r->proposal);
    json_object_set_new(out, "pattern", json_string(json_string_value(json_object_get(r->json, "pattern"))));
    json_object_set_new(out, "search", json_string(known ? "automaton" : "every value"));
    if (r->pattern.lookbehind) json_object_set_new(out, "lookbehind", json_integer(r->pattern.lookbehind));
    return out;
}

static json_t *print_rules(const struct rules_set *s, bool markers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->rules.count; i++) {
        const struct rule *r = LIST_AT(&s->rules, struct rule, i);
        if (r->is_marker == markers) json_array_append_new(list, print_rule(s, r));
    }
    return list;
}

/* ---- profiles --------------------------------------------------------------------------------------------------- */

static json_t *print_profile(const struct rules_profile *p)
{
    const json_t *documents = json_object_get(p->json, "documents");
    json_t *out = spell_object(p->json, true), *list = json_array();
    for (size_t i = 0; i < json_array_size(documents); i++)
        json_array_append_new(list, spell_object(json_array_get(documents, i), true));
    json_object_set_new(out, "documents", list); /* the first that fits describes an answer: their order counts */
    return out;
}

char *rules_canonical(const struct rules_set *s)
{
    MAGIC_CHECK(s, SET_MAGIC);
    json_t *profiles = json_array();
    for (size_t i = 0; i < s->profiles.count; i++)
        json_array_append_new(profiles, print_profile(*LIST_AT(&s->profiles, struct rules_profile *, i)));
    json_t *out = json_pack("{s:i,s:o,s:o,s:o}", "format", 1, "identifiers", print_rules(s, false), "markers", print_rules(s, true),
        "profiles", profiles);
    char *text = out ? json_dumps(out, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    json_decref(out);
    return text;
}
