/* Rule packs named on the command line, for the verbs of `rules`. */
#ifndef GATE1367_CLI_PACKS_H
#define GATE1367_CLI_PACKS_H

#include "rules/rules.h"
#include "source/source.h"

#define PACKS_MAX 64

struct packs {
    struct source *list[PACKS_MAX];
    size_t count;
    struct problems *problems;
    struct rules_set *set;
};

/* True when all of them load; else the problems say why not. Close it either way. */
bool packs_open(struct packs *p, char **paths, size_t count);
void packs_close(struct packs *p);

#endif
