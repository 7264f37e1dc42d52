/* What one request asks for, while it is read. Private to rules: search.c looks, dialect.c reads what DataTables and PostgREST say. */
#ifndef GATE1367_RULES_SEARCHING_H
#define GATE1367_RULES_SEARCHING_H

#include "rules/set.h"

#define TERMS_MAX 64 /* bits */

enum term_how { TERM_CONTAINS, TERM_EQUALS, TERM_PREFIX, TERM_WORD };
struct term {
    span text; /* folded */
    enum term_how how;
    uint16_t parameter; /* its bit in automaton.searched */
};

/* One of the values that would do. */
struct way {
    uint64_t terms;
    uint32_t condition;
};

struct rules_search {
    const struct rules_document *document;
    struct arena *arena;
    struct table *table; /* of the dialect: what was said so far */
    struct term terms[TERMS_MAX];
    struct way ways[TERMS_MAX];
    const struct query_parameter *conditions[TERMS_MAX];
    size_t term_count, way_count, condition_count;
    bool full;
};

/* One more condition; of which parameter decides what is left out where it does not hold. */
uint32_t search_condition(struct rules_search *q, const struct query_parameter *p);
/* The value as texts are compared: words of capital letters and digits. NULL: no memory, or no UTF-8. */
span search_fold(struct rules_search *q, span value);
/* The bits of one folded value that stands where `p` searches: several words where words are compared, else one text. */
uint64_t search_terms(struct rules_search *q, const struct query_parameter *p, enum rules_match match, span folded);
/* All of these bits would do. No bits: anything does. */
void search_way(struct rules_search *q, uint32_t condition, uint64_t terms);

/* dialect.c: one parameter that `query` does not list, decoded; and when all of them were read. False: refused. */
bool dialect_take(struct rules_search *q, span name, span value);
bool dialect_end(struct rules_search *q);

#endif
