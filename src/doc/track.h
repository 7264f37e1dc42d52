/* Tracks: the ways that lead through the records of a list. Most records have the names and brackets of the one before,
 * and differ in their values alone. What stands between two values is a gap; a track is a sequence of gaps, learnt from
 * a record that was read mark by mark or in strides, and compared as a whole in the next one: its brackets, names and
 * commas are then not read again, and no name of it can be there twice. Tracks that part are a tree.
 *
 *   {"id":  17  ,"name":{"last":"  LOPEZ  ","first":"  ANA  "},"alerts":[],"dob":"  1990-01-01  "}
 *   └─────┘    └────────────────┘       └───────────┘     └───────────────────────┘            └─┘   five gaps
 *
 * A gap's bytes say all of it but what ended before it; that it is a gap of this track says the rest. */
#ifndef GATE1367_DOC_TRACK_H
#define GATE1367_DOC_TRACK_H

#include "base/base.h"

#define TRACK_GAP 128     /* bytes of a gap, at most */
#define TRACK_NODES 512   /* gaps of all tracks */
#define TRACK_OPS 2048    /* brackets in them */
#define TRACK_STEPS 128   /* gaps of one track */
#define TRACK_DEEPEST 16  /* containers of a record */
#define TRACK_BRANCHES 8  /* gaps that may follow one */
#define TRACK_REFUSALS 16 /* records that have no track, until no more are looked for */
#define TRACK_LOUD 3      /* so often, and it is told without asking */
#define TRACK_SHAPE 32    /* bytes of a string whose shape is kept */
#define TRACK_NONE 0xFFFF

/* What stands behind the gap. */
enum track_kind { TRACK_STRING, TRACK_SCALAR, TRACK_END };

/* A bracket in a gap. */
struct track_op {
    uint64_t word;            /* the event of the name before it, but for its offset */
    uint16_t name;            /* that name, or DOC_NAME_NONE: an element */
    uint8_t byte, at, name_at; /* in the gap */
};

struct track_node {
    uint8_t bytes[TRACK_GAP]; /* zeros behind */
    uint64_t word;            /* of the name of the value behind it */
    uint16_t name;            /* DOC_NAME_NONE: an element */
    uint16_t next;            /* the gap that followed last; TRACK_NONE: none yet */
    uint16_t child, other;    /* gaps that may follow; another that may stand in its place */
    uint16_t first_op;
    uint8_t ops, len, marks, name_at;
    uint8_t kind;
    uint8_t loud;               /* so often something was found in a string behind it */
    uint8_t shape_len;          /* 0: none yet */
    uint8_t shape[TRACK_SHAPE]; /* of strings behind it that are nothing to the caller: '0' for digits, upper case */
};

struct track {
    uint16_t root, next; /* first gaps of records; the one that was met last */
    uint16_t count, op_count;
    uint16_t refusals;
    struct track_node nodes[TRACK_NODES];
    struct track_op ops[TRACK_OPS];
    uint16_t path[TRACK_STEPS]; /* of the record that is being read */
};

struct doc_reader;
/* Learns the track of the record from mark `first` to mark `last` of the chunk, whose first byte stands at `bytes`; what
 * cannot be learnt is left. */
void track_learn(struct doc_reader *r, uintptr_t bytes, uint32_t first, uint32_t last);
/* A track is left inside a record after `steps` gaps: the names that were met in the objects that are open are noted,
 * which began at this depth. False: out of memory, which is latched. */
bool track_leave(struct doc_reader *r, uint32_t steps, uint32_t depth);
/* Without tracks; NULL: out of memory. */
struct track *track_new(void);
/* Forgets and wipes. */
void track_reset(struct track *t);

#endif
