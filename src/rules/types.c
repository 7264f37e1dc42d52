/* `types`: the media types in which a document is described. Whoever may send Accept may have an origin write another shape of
 * an answer: lines instead of a list, features instead of rows, the plan of a query instead of what it finds. In that one her
 * record stands in no unit, and the whole goes; or it tells how many there are.
 *
 *= ICE10036.2 2.1 */
#include "rules/set.h"

struct type_load {
    struct loader *loader;
    const char **list;
    size_t count;
};

static bool is_token_char(uint8_t c)
{
    return is_alnum(c) || (c != 0 && strchr("!#$&-^_.+", c) != NULL);
}

//= RFC6838 4.2
static bool is_media_type(span text)
{
    size_t slash = span_find(text, '/');
    if (slash == 0 || slash + 1 >= text.len) return false;
    for (size_t i = 0; i < text.len; i++)
        if (i != slash && !is_token_char(text.ptr[i])) return false;
    return true;
}

static bool is_among(const char *const *list, size_t count, span type)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal_nocase(span_str(list[i]), type)) return true;
    return false;
}

static void load_type(void *ctx, const struct place *at, const char *text)
{
    struct type_load *t = ctx;
    if (!is_media_type(span_str(text)))
        place_error(at, "\"%.60s\" is no media type; write one without parameters, such as \"application/json\"", text);
    else if (is_among(t->list, t->count, span_str(text)))
        place_error(at, "\"%s\" stands here twice; remove one", text);
    else
        t->list[t->count++] = loader_text(t->loader, text);
}

void types_load(struct loader *l, const struct place *at, const json_t *v, struct rules_document_view *view)
{
    const json_t *types = json_object_get(v, "types");
    struct place types_at = place_member(at, "types");
    if (!types) return;
    struct type_load t = {.loader = l, .list = loader_alloc(l, json_array_size(types) + 1, sizeof *t.list)};
    if (!t.list) return;
    if (json_is_array(types) && json_array_size(types) == 0)
        place_error(&types_at, "names none, so that nobody restricted would get it; name the media types in which it is described");
    place_strings(at, v, "types", load_type, &t);
    if (l->no_memory) return;
    view->types = t.list;
    view->type_count = t.count;
}

bool rules_document_comes_as(const struct rules_document *d, span media_type)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    return d->view.type_count == 0 || is_among(d->view.types, d->view.type_count, media_type);
}
