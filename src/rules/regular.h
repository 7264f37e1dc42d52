/* What is regular of a set of expressions: automata that find at least what the expressions match. Private to rules. */
#ifndef GATE1367_RULES_REGULAR_H
#define GATE1367_RULES_REGULAR_H

#include "base/base.h"

#define REGULAR_NODES 8192
#define REGULAR_SETS 192

struct byte_set {
    uint64_t bits[4];
    bool edge; /* behind: also where the text begins; ahead: also where it ends */
};
static inline bool set_holds(const struct byte_set *s, uint8_t byte)
{
    return s->bits[byte / 64] >> (byte % 64) & 1;
}

enum node_kind {
    NODE_EMPTY,  /* goes on to `out` */
    NODE_SPLIT,  /* and to `other` */
    NODE_BYTE,   /* takes a byte of `set` */
    NODE_BEHIND, /* goes on where the byte before is in `set` */
    NODE_AHEAD,  /* where the byte behind is */
    NODE_FOUND,  /* rule `bit` may have matched */
};
struct node {
    uint8_t kind, bit;
    uint16_t set, out, other;
};

/* Node 0 is the start of everything that was added; zeroed before use. */
struct regular {
    uint16_t count, sets;
    struct node nodes[REGULAR_NODES];
    struct byte_set set[REGULAR_SETS];
};

/* Adds an expression of PCRE2 (ASCII, no options) as rule `bit`. What cannot be said here is left out, so that more is
 * found, never less. False where that cannot be done (back references, say), where there is no room, and for an
 * expression that repeats without end what repeats or has alternatives: it may meet the match limit, which counts as a match, on a text
 * that it cannot match. `wide`: upper bounds of repetitions are dropped too, for a smaller automaton. */
bool regular_add(struct regular *r, const char *pattern, bool wide, unsigned bit);
/* Adds texts that hold this ASCII text, in either case; a space in it is any white space. */
bool regular_add_literal(struct regular *r, span literal, unsigned bit);
/* Adds texts that consist of these letters and digits, in this order and either case, and of no other ones. */
bool regular_add_word(struct regular *r, span word, unsigned bit);

/* Splits the classes that bytes are in (`count` of them, numbered from 0) so that none is partly in the set. */
void regular_split_classes(uint8_t class_of[256], unsigned *count, const struct byte_set *set);

#endif
