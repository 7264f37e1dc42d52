/* Lists of words that mean the same in either case: media types, fields of a head. */
#include "rules/set.h"

struct word_load {
    struct loader *loader;
    word_good_fn *good;
    struct words *words;
};

bool words_hold(const char *const *list, size_t count, span word)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal_nocase(span_str(list[i]), word)) return true;
    return false;
}

static void load_word(void *ctx, const struct place *at, const char *text)
{
    struct word_load *l = ctx;
    struct words *w = l->words;
    if (!l->good(at, text)) return;
    if (words_hold(w->list, w->count, span_str(text))) place_error(at, "\"%s\" stands here twice; remove one", text);
    else w->list[w->count++] = loader_text(l->loader, text);
}

bool words_load(struct loader *l, const struct place *at, const json_t *v, const char *name, word_good_fn *good, struct words *out)
{
    const json_t *all = json_object_get(v, name);
    struct word_load load = {l, good, out};
    *out = (struct words){0};
    if (!all) return false;
    out->list = loader_alloc(l, json_array_size(all) + 1, sizeof *out->list);
    if (!out->list) return false;
    place_strings(at, v, name, load_word, &load);
    return !l->no_memory;
}
