/* Private to registry: one line of the source, whoever wrote it and in whatever form. */
#ifndef GATE1367_REGISTRY_PERSON_H
#define GATE1367_REGISTRY_PERSON_H

#include "registry/image.h"

struct person_key {
    struct registry_print print;
    enum registry_kind kind;
};
/* Reused from line to line; zero-initialised is empty. */
struct person {
    uint64_t handle; /* REGISTRY_NO_SUBJECT until the subject was read */
    bool protected_;
    size_t key_count, key_room;
    struct person_key *keys;
    uint8_t told; /* what was said of it once, PERSON_TOLD_…; outlives a reset */
};
/* What is checked and never looked for in documents: once said it is enough. */
#define PERSON_TOLD_NAMES 1u
#define PERSON_TOLD_BIRTH 2u
#define PERSON_TOLD_KIND 4u
void person_reset(struct person *p);
void person_free(struct person *p);

enum person_value { PERSON_VALUE_GOOD, PERSON_VALUE_BAD, PERSON_VALUE_NO_MEMORY };
/* Adds an identifier as it is spelt in the source. */
enum person_value person_add(
    struct person *p, const struct secrets *s, enum registry_kind kind, span value, span system);
/* Documents are not looked at for an identifier of that kind. */
bool person_kind_unmatched(enum registry_kind kind);
/* What an identifier of that kind looks like, for messages. */
const char *person_kind_hint(enum registry_kind kind);

/* A case's status. 1: protects, 0: denied_final, -1: unknown (which protects). */
int person_status(span status);
extern const char *const person_statuses[], *const person_benefits[], *const person_roles[];
/* "1987-03-04": a day that exists (Gregorian). */
bool person_date_valid(span date);

/* Members of a line of a changes file besides those of a source line. */
enum person_form { PERSON_SOURCE, PERSON_PROTECT };
/* Reads a JSON source line; what is wrong goes to the place's problems. LIMIT: out of memory. */
RESULT person_read(
    struct person *p, const struct secrets *s, enum person_form form, const struct place *at, const json_t *line);

#endif
