/* What a profile declares, for those who hold answers against it. */
#include "rules/set.h"

size_t rules_profile_documents(const struct rules_profile *p)
{
    MAGIC_CHECK(p, PROFILE_MAGIC);
    return p->documents.count;
}

static size_t index_of(const struct rules_profile *p, const struct rules_document *d)
{
    size_t i = 0;
    if (d->base != NULL) d = d->base;
    while (i < p->documents.count && *LIST_AT(&p->documents, struct rules_document *, i) != d) i++;
    return i;
}

const char *rules_unit_path(const struct rules_document *d, uint16_t unit)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    const struct rules_profile *p = d->view.profile;
    if (p == NULL || unit >= d->view.units) return "";
    const json_t *entry = json_array_get(json_object_get(p->json, "documents"), index_of(p, d));
    const json_t *declared = json_array_get(json_object_get(entry, "units"), unit);
    const char *text = json_string_value(json_is_object(declared) ? json_object_get(declared, "path") : declared);
    return text == NULL ? "" : text;
}

bool rules_graph_names(const struct rules_document *d, const char *member)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    const struct rules_profile *p = d->view.profile;
    const json_t *entry = p ? json_array_get(json_object_get(p->json, "documents"), index_of(p, d)) : NULL;
    const json_t *name, *names = json_object_get(json_object_get(entry, "graph"), "id");
    if (json_is_string(names)) return strcmp(json_string_value(names), member) == 0;
    for (size_t i = 0; (name = json_array_get(names, i)) != NULL; i++)
        if (json_is_string(name) && strcmp(json_string_value(name), member) == 0) return true;
    return false;
}

/* Part by part: a parameter of the template may stand where the route spells a word. */
bool rules_document_under(const struct rules_document *d, span route)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    for (size_t i = 0; route.len > 1; i++) {
        route = span_from(route, 1); /* its slash */
        size_t end = span_find(route, '/');
        const struct template_part *part = i < d->template.count ? &d->template.parts[i] : NULL;
        if (part == NULL || end == 0) return end == 0;
        if (part->kind == PART_REST) return true;
        if (part->kind == PART_LITERAL && !span_equal(part->text, span_sub(route, 0, end))) return false;
        route = span_from(route, end);
    }
    return true;
}
