/* Examples of answers: what the tests of profiles give for a document. They are the rules' own text and nothing of
 * anybody's, so that what is learnt of them may be kept. */
#include "rules/set.h"

struct example {
    struct example *next;
    span text;
};

static span text_of(struct loader *l, const struct rules_profile_test *t, char **made)
{
    const char *text = json_string_value(t->text);
    if (text) return span_str(text);
    *made = t->body ? json_dumps(t->body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (t->body && !*made) l->no_memory = true;
    return *made ? span_str(*made) : span_of(NULL, 0);
}

static void keep(struct loader *l, struct rules_document *d, span text)
{
    if (text.len == 0 || text.len > RULES_EXAMPLES_MAX - d->examples_size) return;
    struct example *e = loader_alloc(l, 1, sizeof *e), **end = &d->examples;
    if (!e) return;
    *e = (struct example){.text = arena_copy(l->set->arena, text)};
    if (!e->text.ptr) l->no_memory = true;
    while (*end) end = &(*end)->next;
    *end = e;
    d->examples_size += text.len;
}

static bool has_lines(const struct rules_profile_test *t)
{
    return t->text && (strcasestr(t->type, "ndjson") || strcasestr(t->type, "jsonl"));
}

/* Of lines each is a document of its own: what reads an example ends where the first value does. */
static void keep_lines(struct loader *l, struct rules_document *d, span text)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = at + span_find(span_from(text, at), '\n');
        keep(l, d, span_trim(span_sub(text, at, end - at)));
        at = end + 1;
    }
}

static void take_test(void *ctx, const struct rules_profile_test *t)
{
    struct loader *l = ctx;
    char *made = NULL;
    const struct rules_document *found = rules_find_document(t->profile, span_str(t->path));
    for (size_t i = 0; found && i < t->profile->documents.count; i++) {
        struct rules_document *d = *LIST_AT(&t->profile->documents, struct rules_document *, i);
        if (d != found) continue;
        if (has_lines(t)) keep_lines(l, d, text_of(l, t, &made));
        else keep(l, d, text_of(l, t, &made));
    }
    mem_hook_free(made);
}

bool examples_take(struct loader *l)
{
    rules_each_profile_test(l->set, take_test, l);
    return !l->no_memory;
}

bool rules_document_example(const struct rules_document *d, size_t i, span *out)
{
    const struct example *e = d->base ? d->base->examples : d->examples;
    while (e && i > 0) e = e->next, i--;
    if (e) *out = e->text;
    return e != NULL;
}
