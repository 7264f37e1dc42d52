/* Advice that needs documents: the profile's own tests say which of its unit paths ever meet anything. */
#include "trial/own.h"

#define DOCUMENTS_MAX 1024

struct met {
    const struct rules_document *document;
    uint64_t units[4]; /* bits of unit declarations that something matched */
};

struct meeting {
    struct trial *trial;
    struct met met[DOCUMENTS_MAX];
    size_t count;
};

static struct met *met_of(struct meeting *m, const struct rules_document *d)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->met[i].document == d) return &m->met[i];
    if (m->count == DOCUMENTS_MAX) return NULL;
    m->met[m->count].document = d;
    return &m->met[m->count++];
}

/* Members in which search engines tell what they found elsewhere: how well it fits, where, what else there is. */
//= 10-domain 6.L19
#define TELLING(X)                                                                                                     \
    X("score") X("maxscore") X("searchscore") X("highlight") X("highlights") X("highlighting") X("searchhighlights")   \
    X("suggest") X("suggestion") X("suggestions") X("spellcheck") X("didyoumean") X("facets") X("facetcounts")         \
    X("searchfacets") X("aggregations") X("rank") X("rownumber")

static bool is_telling(const char *name)
{
    static const char *const words[] = {
#define X(word) word,
        TELLING(X)
#undef X
    };
    char letters[20];
    size_t n = 0;
    for (const char *c = name; *c && n < sizeof letters - 1; c++)
        if (is_alnum((uint8_t)*c)) letters[n++] = (char)to_lower((uint8_t)*c);
    letters[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(letters, words[i]) == 0) return true;
    return false;
}

static const char *find_telling(const json_t *v)
{
    const char *name = NULL, *found = NULL;
    json_t *item;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)v, i, item) if (!found) found = find_telling(item);
    json_object_foreach((json_t *)(uintptr_t)v, name, item)
    {
        if (!found && is_telling(name)) found = name;
        if (!found) found = find_telling(item);
    }
    return found;
}

/* ---- what still names somebody who is gone ---------------------------------------------------------------------- */

/* Puts the ids that objects of a graph have into a set, or takes them out of it. */
static void collect_ids(const json_t *v, const struct rules_document *d, json_t *ids, bool out)
{
    const char *name;
    json_t *item;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)v, i, item) collect_ids(item, d, ids, out);
    json_object_foreach((json_t *)(uintptr_t)v, name, item)
    {
        bool id = json_is_string(item) && rules_graph_names(d, name);
        if (id && out) json_object_del(ids, json_string_value(item));
        if (id && !out) json_object_set_new(ids, json_string_value(item), json_true());
        collect_ids(item, d, ids, out);
    }
}

static const char *find_gone(const json_t *v, const json_t *gone)
{
    const char *name, *found = NULL;
    json_t *item;
    size_t i;
    if (json_is_string(v)) {
        const char *text = json_string_value(v);
        return json_object_get(gone, text + (*text == '#')) ? text : NULL;
    }
    json_array_foreach((json_t *)(uintptr_t)v, i, item) if (!found) found = find_gone(item, gone);
    json_object_foreach((json_t *)(uintptr_t)v, name, item) if (!found) found = find_gone(item, gone);
    return found;
}

/* References that are written in a way that the profile does not name are not followed: their objects stay. */
//= 10-domain 6.L27
static void see_graph(const struct rules_profile_test *test, const struct rules_document *d, span body, const json_t *left)
{
    json_error_t error;
    json_t *all = json_loadb((const char *)body.ptr, body.len, JSON_DISABLE_EOF_CHECK, &error), *gone = json_object();
    if (all && gone) {
        collect_ids(all, d, gone, false);
        collect_ids(left, d, gone, true);
        const char *text = find_gone(left, gone);
        if (text)
            place_warning(&test->at, "restricted recipients still get \"%.60s\", which names what is withheld; list the member that "
                                     "holds it in \"ref\"", text);
    }
    json_decref(all);
    json_decref(gone);
}

/* Of what a restricted recipient gets. */
static void see_answer(struct trial *t, const struct rules_profile_test *test, const struct trial_asked *asked, const struct trial_answer *a)
{
    json_error_t error;
    const struct rules_document *d = rules_find_document(test->profile, span_str(test->path));
    if (test->entitled || !trial_delivers(a) || a->verdict == TRIAL_UNINSPECTED) return;
    buf_clear(&t->text);
    if (!is_ok(trial_body(a, asked->body, &t->text))) return;
    json_t *v = json_loadb((const char *)buf_span(&t->text).ptr, buf_len(&t->text), JSON_DISABLE_EOF_CHECK, &error);
    const char *name = v ? find_telling(v) : NULL;
    if (name)
        place_warning(&test->at, "restricted recipients still get \"%.60s\", which tells of what they are not shown; list it in "
                                 "\"uniform\"", name);
    if (v && d && rules_document_view(d)->has_graph) see_graph(test, d, asked->body, v);
    json_decref(v);
}

static void see_test(void *ctx, const struct rules_profile_test *test)
{
    struct meeting *m = ctx;
    struct trial_asked asked;
    struct trial_answer a;
    const struct rules_document *d = rules_find_document(test->profile, span_str(test->path));
    struct met *met = d ? met_of(m, d) : NULL;
    if (!met) {
        struct place at = place_member(&test->at, "path");
        if (!d) place_warning(&at, "\"%s\" is described by no entry of \"documents\"; correct the path", test->path);
        return;
    }
    bool good = trial_ask_test(m->trial, test, &asked, &a);
    if (good) see_answer(m->trial, test, &asked, &a);
    for (size_t i = 0; good && a.survey && i < a.survey->piece_count; i++) {
        const struct match_piece *p = &a.survey->pieces[i];
        if (p->roles & PATH_UNIT && p->unit < 256) met->units[p->unit / 64] |= UINT64_C(1) << p->unit % 64;
    }
    trial_asked_free(&asked);
}

static bool was_met(void *ctx, const struct rules_document *d, uint16_t unit)
{
    const struct meeting *m = ctx;
    for (size_t i = 0; i < m->count; i++)
        if (m->met[i].document == d) return unit >= 256 || m->met[i].units[unit / 64] >> unit % 64 & 1;
    return false;
}

void trial_lint(struct trial *t, const struct rules_set *rules, struct problems *problems)
{
    struct meeting *m = mem_alloc(sizeof *m);
    rules_lint(rules, problems);
    if (!m) return;
    m->trial = t;
    rules_each_profile_test(rules, see_test, m);
    rules_lint_units(rules, was_met, m);
    mem_free(m);
}
