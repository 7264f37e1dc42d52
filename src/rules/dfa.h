/* A deterministic automaton out of one that is not: subset construction (Rabin and Scott, 1959), then the smallest one
 * that tells the same. Private to rules. */
#ifndef GATE1367_RULES_DFA_H
#define GATE1367_RULES_DFA_H

#include "rules/regular.h"

#define DFA_STATES 12000
#define DFA_SLOTS 32768
#define DFA_CLOSURE_WORDS 65536
#define DFA_SETS (REGULAR_SETS / 64)
#define DFA_WORDS (REGULAR_NODES / 64)
#define DFA_USED (DFA_WORDS / 64)
#define DFA_EDGE_CLASS 256
#define DFA_ANY_CLASS 257
_Static_assert(DFA_SLOTS > 2 * DFA_STATES, "slots");
_Static_assert(DFA_SETS * 64 == REGULAR_SETS, "a bit for each set");
_Static_assert(DFA_USED * 64 == DFA_WORDS, "a bit for each word");

/* A state is a set of nodes that wait for a byte, and the rules that were found on the way there. It has few of many
 * nodes: `used` has a bit for each word that is not 0, and the others are neither written nor read. */
struct subset {
    uint64_t used[DFA_USED], found, nodes[DFA_WORDS];
};

/* A bit for each set of bytes. */
struct dfa_sets {
    uint64_t bits[DFA_SETS];
};

/* What a node reaches by nodes that only lead on: words of nodes, those among them that look at the byte before, and
 * rules. */
struct dfa_word {
    uint64_t nodes, behind;
    uint16_t word;
};
struct dfa_closure {
    uint64_t found;
    uint32_t words; /* where they begin */
    uint16_t count;
    bool known;
};

/* What dfa_minimize() works with. */
struct dfa_groups {
    uint32_t sources_at[DFA_STATES + 2]; /* of a state, in `sources`, up to those of the next one */
    uint16_t sources[DFA_STATES * 256];  /* the states that lead to it, each once */
    uint16_t size[DFA_STATES];           /* of a group */
    unsigned count;

    /* States that may have to leave their group, and the parts that they are, of states that are alike. */
    uint16_t open[DFA_STATES], part_of[DFA_STATES], moved[DFA_STATES];
    bool is_open[DFA_STATES];
    unsigned opened, parts;
    uint16_t part_first[DFA_STATES], part_size[DFA_STATES], part_group[DFA_STATES]; /* a state of the part */
    uint16_t open_in[DFA_STATES],
        keeps[DFA_STATES]; /* by group: how many are open; the part that keeps its number, + 1 */
};

/* Large; zeroed before its first use. Whoever adds to `regular` begins with dfa_start_over(). */
struct dfa {
    struct regular regular;
    bool shapes; /* texts hold '0' for any digit, and letters in upper case */

    /* What dfa_determine() makes. */
    struct subset subsets[DFA_STATES];
    uint64_t at_end[DFA_STATES];     /* what is found where the text ends in this state */
    uint16_t next[DFA_STATES * 256]; /* state << shift + class: the state behind */
    uint8_t class_of[256], sample[256];
    uint16_t fresh[256]; /* by class of the byte before: where a search begins inside a text */
    unsigned classes, shift, count;

    /* What dfa_minimize() makes. */
    uint16_t group[DFA_STATES], first[DFA_STATES]; /* of a state; a group's first state */
    uint16_t place[DFA_STATES];                    /* its caller's: where each group goes */

    /* While they work. */
    uint16_t slots[DFA_SLOTS], tags[DFA_SLOTS]; /* state + 1, and something of its hash */
    struct subset takes[256];                   /* by class: the nodes that take its bytes */
    /* By class, at the end, of any class: the nodes that look ahead and find it right. */
    struct subset passes[DFA_ANY_CLASS + 1];
    struct dfa_sets sets_with[256]; /* by class: the sets that its bytes are in */
    uint8_t behind_of[256];         /* by class: the first one that is the same to whatever looks at the byte before */
    uint64_t behind[DFA_WORDS];     /* the nodes that look at the byte before */
    struct dfa_closure closures[REGULAR_NODES];
    struct dfa_word words[DFA_CLOSURE_WORDS];
    uint32_t words_used;
    struct subset visited;
    unsigned limit;
    uint16_t stack[2 * REGULAR_NODES];
    struct dfa_groups groups;
};

void dfa_start_over(struct dfa *k);
/* Makes states out of `regular`, which it may change; state 0 is where a text begins. False when it takes more than
 * `limit` (at most DFA_STATES). */
bool dfa_determine(struct dfa *k, unsigned limit);
/* Puts states that nothing tells apart into one group; groups are numbered in the order of their first states. The
 * number of groups. */
unsigned dfa_minimize(struct dfa *k);

#endif
