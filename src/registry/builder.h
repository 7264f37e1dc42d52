/* Private to registry: what the builder collects. */
#ifndef GATE1367_REGISTRY_BUILDER_H
#define GATE1367_REGISTRY_BUILDER_H

#include "registry/overlay.h"
#include "registry/person.h"
#include "registry/table.h"

#define NOBODY UINT32_MAX

/* As it appeared; 16 bytes. */
struct appearance {
    uint64_t handle;
    uint32_t line;
    uint16_t file;
    uint8_t protected_;
    uint8_t row; /* of a CSV file, where a subject may well have several */
};

struct registry_builder {
    uint32_t magic;
    bool finished;
    struct secrets secrets;
    struct problems *problems;
    struct person person; /* the line at hand */
    const char **files;
    size_t file_count, file_room;
    struct record *records;
    size_t record_count, record_room;
    struct appearance *subjects;
    size_t subject_count, subject_room; /* lines that name one */
    uint64_t persons;                   /* different ones; once they are numbered */
    uint64_t lines;
    uint32_t shared_warnings, merge_warnings;
    /* once finished */
    struct image_header header;
    uint8_t *image;
    uint32_t *numbers; /* while finishing: appearance → number among the protected, or NOBODY */
    uint32_t *origins; /* while finishing: number → appearance */
};
/* The file's number, for appearances; LIMIT when there is no room. */
RESULT builder_file(struct registry_builder *b, const char *name, uint16_t *file);
/* Takes b->person, read from that line (or CSV row). */
RESULT builder_take(struct registry_builder *b, uint16_t file, unsigned line, bool row);
RESULT builder_csv(struct registry_builder *b, const char *name, span text);

#endif
