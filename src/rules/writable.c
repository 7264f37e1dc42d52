/* `writable_by`: what a recipient's own people can write into records. For it such members are texts: removed from every
 * answer, and what is found there is about nobody, so that a number that was planted tells nothing. Each such recipient has a
 * description of the document of its own, made when the packs are loaded.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1 */
#include "rules/document.h"

struct writable_load {
    struct document_load *document;
    struct writable *writable;
};

static void add_path(void *ctx, const struct place *at, const char *text)
{
    const struct writable_load *w = ctx;
    (void)document_add_path(w->document, at, text, PATH_TEXT, 0);
}

static void build(struct document_load *d, const struct place *at, struct writable *w, size_t declared)
{
    struct rules_document *doc = loader_alloc(d->loader, 1, sizeof *doc);
    if (!doc) return;
    *doc = *d->document;
    doc->base = d->document;
    doc->writable = NULL;
    doc->writable_count = 0;
    switch (automaton_build(d->loader->set->arena, d->decls.items, d->decls.count, doc->view.complete, &doc->automaton)) {
    case AUTOMATON_OK:
        w->document = doc;
        query_settle_written(d, &doc->automaton, declared);
        return;
    case AUTOMATON_NO_MEMORY: d->loader->no_memory = true; return;
    case AUTOMATON_TOO_MANY:
        place_error(at, "with these the paths of this document need more than %d states; use fewer .. and *", STATES_MAX);
        return;
    }
}

static void load_recipient(struct document_load *d, const struct place *list, const char *id, const json_t *all)
{
    struct rules_document *doc = d->document;
    struct place at = place_member(list, id);
    size_t declared = d->decls.count;
    struct writable *w = &doc->writable[doc->writable_count];
    struct writable_load load = {d, w};
    *w = (struct writable){.recipient = arena_copy(d->loader->set->arena, span_str(id)), .at = at};
    if (!w->recipient.ptr) d->loader->no_memory = true;
    if (!*id) place_error(&at, "is empty; name a recipient of recipients.json, or \"anonymous\"");
    if (json_is_array(json_object_get(all, id)) && json_array_size(json_object_get(all, id)) == 0)
        place_error(&at, "names nothing that the recipient can write; name it, or leave the recipient out");
    place_strings(list, all, id, add_path, &load);
    if (!d->failed && !d->loader->no_memory) build(d, &at, w, declared);
    if (w->document) doc->writable_count++;
    d->decls.count = declared;
}

void writable_load(struct document_load *d, const struct place *at, const json_t *v)
{
    json_t *all = json_object_get(v, "writable_by"), *paths;
    struct place list = place_member(at, "writable_by");
    const char *id;
    if (!all) return;
    if (!json_is_object(all)) {
        place_error(&list, "must be an object of recipients, each with the paths that it can write");
        return;
    }
    d->document->writable = loader_alloc(d->loader, json_object_size(all) + 1, sizeof *d->document->writable);
    if (!d->document->writable) return;
    json_object_foreach(all, id, paths) load_recipient(d, &list, id, all);
}

const struct rules_document *rules_document_for(const struct rules_document *d, span recipient)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    for (size_t i = 0; i < d->writable_count; i++)
        if (span_equal(d->writable[i].recipient, recipient)) return d->writable[i].document;
    return d;
}

bool rules_document_is_written(const struct rules_document *d)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    return d->base != NULL;
}

bool rules_document_writer(const struct rules_document *d, size_t i, span *recipient, struct place *at)
{
    MAGIC_CHECK(d, DOCUMENT_MAGIC);
    if (i >= d->writable_count) return false;
    *recipient = d->writable[i].recipient;
    *at = d->writable[i].at;
    return true;
}
