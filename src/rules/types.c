/* `types`: the media types in which a document is described. Whoever may send Accept may have an origin write another shape of
 * an answer: lines instead of a list, features instead of rows, the plan of a query instead of what it finds. In that one her
 * record stands in no unit, and the whole goes; or it tells how many there are.
 *
 *= ICE10036.2 2.1 */
#include "rules/set.h"

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

static bool is_good(const struct place *at, const char *text)
{
    bool good = is_media_type(span_str(text));
    if (!good) place_error(at, "\"%.60s\" is no media type; write one without parameters, such as \"application/json\"", text);
    return good;
}

void types_load(struct loader *l, const struct place *at, const json_t *v, struct rules_document_view *view)
{
    const json_t *types = json_object_get(v, "types");
    struct place types_at = place_member(at, "types");
    struct words w;
    if (json_is_array(types) && json_array_size(types) == 0)
        place_error(&types_at, "names none, so that nobody restricted would get it; name the media types in which it is described");
    if (!words_load(l, at, v, "types", is_good, &w)) return;
    view->types = w.list;
    view->type_count = w.count;
}

bool rules_document_comes_as(const struct rules_document *d, span media_type)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    return d->view.type_count == 0 || words_hold(d->view.types, d->view.type_count, media_type);
}
