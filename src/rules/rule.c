/* What identifiers and markers have in common. */
#include "rules/set.h"

#define ID_MAX 64
#define RULES_MAX 4096

static bool is_id(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > ID_MAX || s[0] == '-' || s[n - 1] == '-') return false;
    for (size_t i = 0; i < n; i++)
        if (!is_digit((uint8_t)s[i]) && s[i] != '-' && !(s[i] >= 'a' && s[i] <= 'z')) return false;
    return true;
}

static bool is_taken(const struct rules_set *s, const char *id, const char *what)
{
    if (strcmp(what, "profile") != 0) {
        for (size_t i = 0; i < s->rules.count; i++)
            if (!strcmp(LIST_AT(&s->rules, struct rule, i)->name, id)) return true;
        return false;
    }
    return rules_find_profile(s, span_str(id)) != NULL;
}

bool rule_check_id(struct loader *l, const struct place *object, const json_t *v, const char *what)
{
    const char *id = place_string(object, v, "id", false, NULL);
    struct place at = place_member(object, "id");
    if (!id) return false;
    if (!is_id(id)) {
        place_error(&at, "\"%s\" is no id; use 1 to 64 lower-case letters, digits and inner hyphens", id);
        return false;
    }
    if (!is_taken(l->set, id, what)) return true;
    place_error(&at, "another %s is called \"%s\" already; ids are unique over all packs", what, id);
    return false;
}

static void check_text(const struct place *object, const json_t *v, const char *name, const char *advice)
{
    const char *text = place_string(object, v, name, false, "…");
    struct place at = place_member(object, name);
    if (!*text) place_error(&at, "is empty; %s", advice);
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

struct label_load {
    struct loader *loader;
    struct rule *rule;
};

static size_t fold_label(const char *s, uint8_t *out, struct word *w)
{
    w->suffix = *s == '*';
    s += w->suffix;
    size_t n = 0, len = strlen(s);
    w->prefix = len > 0 && s[len - 1] == '*';
    if (w->prefix && w->suffix) return SIZE_MAX;
    len -= w->prefix;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '*') return SIZE_MAX;
        if ((uint8_t)s[i] >= 0x80) return SIZE_MAX;
        if (!is_alnum((uint8_t)s[i])) continue;
        if (n == LABEL_MAX) return 0;
        out[n++] = to_lower((uint8_t)s[i]);
    }
    return n;
}

static bool has_label(const struct rule *r, const struct word *label)
{
    for (size_t i = 0; i < r->labels.count; i++) {
        const struct word *w = LIST_AT(&r->labels, struct word, i);
        if (w->prefix == label->prefix && w->suffix == label->suffix && span_equal(w->text, label->text)) return true;
    }
    return false;
}

static void add_label(void *ctx, const struct place *at, const char *s)
{
    struct label_load *load = ctx;
    uint8_t folded[LABEL_MAX];
    struct word label = {.prefix = false};
    size_t n = fold_label(s, folded, &label);
    label.text = span_of(folded, n == SIZE_MAX ? 0 : n);
    if (n == SIZE_MAX) {
        place_error(at, "\"%s\" is no label; labels are ASCII, and * may only begin or end one", s);
    } else if (n < 2) {
        place_error(at, "\"%s\" keeps %s letters and digits once folded; a label needs 2 to %d", s,
            n ? "too few" : "no (or too many)", LABEL_MAX);
    } else if (has_label(load->rule, &label)) {
        place_error(at, "\"%s\" folds to a label that this rule has already; remove one", s);
    } else {
        struct word *w = loader_add(load->loader, &load->rule->labels, sizeof *w);
        label.text = arena_copy(load->loader->set->arena, label.text);
        if (!label.text.ptr) load->loader->no_memory = true;
        if (w) *w = label;
    }
}

struct rule *rule_begin(struct loader *l, const struct place *at, const json_t *v)
{
    bool id = rule_check_id(l, at, v, "rule");
    check_text(at, v, "title", "say in a few words what the rule recognises");
    check_text(at, v, "why", "name the paragraph that the rule serves");
    tests_check(at, v);
    if (l->set->rules.count == RULES_MAX) {
        place_error(at, "there are more than %d identifiers and markers", RULES_MAX);
        return NULL;
    }
    struct rule *r = loader_add(l, &l->set->rules, sizeof *r);
    if (!r) return NULL;
    r->name = loader_text(l, id ? place_string(at, v, "id", false, "") : "");
    const char *title = json_string_value(json_object_get(v, "title")),
               *why = json_string_value(json_object_get(v, "why"));
    r->title = loader_text(l, title ? title : "");
    r->why = loader_text(l, why ? why : "");
    r->at = *at;
    r->json = v;
    struct label_load load = {l, r};
    place_strings(at, v, "labels", add_label, &load);
    return l->no_memory ? NULL : r;
}
