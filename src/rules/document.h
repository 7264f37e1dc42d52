/* One entry of `documents` while it is loaded. Private to rules. */
#ifndef GATE1367_RULES_DOCUMENT_H
#define GATE1367_RULES_DOCUMENT_H

#include "rules/set.h"

struct document_load {
    struct loader *loader;
    struct rules_document *document;
    struct list decls; /* struct path_decl */
    bool failed;
};

static inline struct path_decl *document_decl(const struct document_load *d, size_t i)
{
    return LIST_AT(&d->decls, struct path_decl, i);
}
/* One more path in this role; NULL after reporting, or out of memory. A path of a query belongs to a parameter: `unit`. */
struct path_decl *document_add_path(
    struct document_load *d, const struct place *at, const char *text, enum path_role role, uint16_t unit);
/* The ordinal of the unit that is declared with this path, or -1; reports what is no path. */
int document_find_unit(struct document_load *d, const struct place *at, const char *text);

/* writable.c: once everything else of the document is built. */
void writable_load(struct document_load *d, const struct place *at, const json_t *v);

/* query.c: `query` and `only`; before the automaton is built, and behind it. */
void query_load(struct document_load *d, const struct place *at, const json_t *v);
void query_settle(struct document_load *d);
/* Of a recipient's own automaton: the paths from `first` on are hidden from it (`writable_by`). */
void query_settle_written(struct document_load *d, const struct automaton *m, size_t first);
/* Its bit in what a value is asked for. False after reporting. */
bool query_number(struct document_load *d, const struct place *at, struct query_parameter *p);
int query_match(const struct place *at, const json_t *v);
/* columns.c: adds the parameters of `columns`; how many they are. */
size_t columns_count(const json_t *v);
void columns_load(struct document_load *d, const struct place *at, const json_t *v);
/* Once the units that each of them leaves out are known. */
void columns_settle(struct document_load *d);

#endif
