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

#include "doc/doc.h"

#define TRACK_GAP DOC_SLACK /* bytes of a gap, at most */
#define TRACK_NODES 512   /* gaps of all tracks */
#define TRACK_OPS 2048    /* brackets in them */
#define TRACK_STEPS 128   /* gaps of one track */
#define TRACK_DEEPEST 16  /* containers of a record */
#define TRACK_BRANCHES 8  /* gaps that may follow one */
#define TRACK_REFUSALS 16 /* records that have no track, until no more are looked for */
#define TRACK_LOUD 3      /* so often, and it is told without asking */
#define TRACK_STRAYS 32   /* strings, and no other one is kept */
#define TRACK_STRANGERS 64 /* and the place where they stand is the one of which nodes are known */
#define TRACK_SHAPE 32    /* bytes of a string whose shape is kept */
#define TRACK_SECOND_SHAPE 24 /* the same of the second one */
#define TRACK_ALOUD 16    /* so many records are told aloud, then other tales are worked out */
#define TRACK_TALES 256   /* ways to tell records */
#define TRACK_LINES 6144  /* events in all of them */
#define TRACK_NONE 0xFFFF
#define TRACK_SKIPPED_DEEPEST 200 /* containers that are skipped at once; fits the flags of an event */

/* What stands behind the gap. */
enum track_kind { TRACK_STRING, TRACK_SCALAR, TRACK_END };

/* A bracket in a gap. */
struct track_op {
    uint64_t word;            /* the event of the name before it, but for its offset */
    uint16_t name;            /* that name, or DOC_NAME_NONE: an element */
    uint8_t byte, at, name_at; /* in the gap */
    bool dull;                 /* struct walk_frame, as it was judged with its node */
};

/* What the judgement of a node depends on. */
struct track_context {
    uint32_t changes, depth;
    uint16_t name;
    bool rooted, dull;
};

/* How a record that stays on its track passes the value behind a node, where that is all there is to it: nothing special
 * and no literal in it. Anything else is looked at. */
enum track_way {
    TRACK_LOOK,   /* at each, by kind */
    TRACK_WORD,   /* a short string is nothing */
    TRACK_SHAPED, /* a string of the shape that is kept is nothing, and a short one where its name is dull */
    TRACK_TOLD,   /* a string is told */
    TRACK_SAME,   /* the very string that is kept is nothing */
    TRACK_ASKED,  /* a string is asked about, but for a short one where its name is dull: each is another */
    TRACK_SCALARS, /* a short number is nothing, and true, false, null */
    TRACK_NUMBERS, /* plain digits are told */
};
#define TRACK_PASS(epoch, way) ((epoch) << 8 | (way))

/* What every record needs of it is a line of the cache; nodes that were learnt one behind the other mostly follow each
 * other. */
struct track_node {
    uint64_t pass; /* TRACK_PASS: when it was judged (struct track), and its way by that; 0: not yet */
    uint32_t need; /* a bit for each of the gap's first 32 bytes */
    uint8_t len;
    uint8_t shape_len; /* 0: none yet */
    uint8_t dull;      /* DOC_DULL_… of the value behind it, as it was judged */
    uint8_t loud;      /* so often something was found in a string behind it; TRACK_LOUD: each is told */
    uint8_t kind, marks, name_at, ops;
    uint16_t first_op;
    bool exact;     /* `shape` is that string and no other */
    uint8_t strays; /* strings since `shape` that were others, which were nothing either */
    uint16_t next;  /* the gap that followed last; TRACK_NONE: none yet */
    uint16_t child; /* gaps that may follow */
    uint16_t under; /* the name that it is asked about with */
    uint16_t name;  /* of the value behind it; DOC_NAME_NONE: an element */
    uint8_t bytes[TRACK_GAP];   /* zeros behind */
    uint8_t shape[TRACK_SHAPE]; /* of strings behind it that are nothing to the caller: '0' for digits, upper case */
    uint64_t word;     /* of its name */
    uint16_t parent;   /* the gap before it, TRACK_NONE: none */
    uint16_t other;    /* another gap that may stand in its place */
    bool row;          /* the node behind it in the table may follow it */
    uint8_t strangers; /* records like it in other places, since the last one in this */
    uint64_t since;    /* of a record's first gap: the epoch in which the others are judged here */
    struct track_context context;
    uint8_t second_len;                 /* the shape before, where it was one; 0: none */
    uint8_t second[TRACK_SECOND_SHAPE]; /* last, for what lies behind it may be read */
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct track_node, bytes) == 32, "half a line");
_Static_assert(sizeof(struct track_node) == 256, "four lines");

/* ---- records that are told as one before was ---------------------------------------------------------------------- */

/* What is told of a record that ends in this node, and of whose values these are told. */
struct track_tale {
    uint64_t told[TRACK_STEPS / 64]; /* a bit for each step */
    uint64_t epoch;                  /* 0: none */
    uint32_t serial;                 /* no other tale's since the reset */
    uint16_t node, first, count;     /* of lines; none: the record is skipped as a whole */
    uint8_t depth;                   /* skipped as a whole: containers in it */
};

/* A record that was gone through. */
struct track_record {
    uint64_t told[TRACK_STEPS / 64];
    uint64_t words[TRACK_STEPS]; /* of the values that are told */
    uint16_t gaps[TRACK_STEPS];
    uint16_t steps, end; /* `end`: the last node, which says the whole way */
};

struct track {
    uint16_t root, next; /* first gaps of records; the one that was met last */
    uint16_t count, op_count;
    uint16_t refusals;
    struct track_node nodes[TRACK_NODES];
    struct track_op ops[TRACK_OPS];
    uint16_t path[TRACK_STEPS]; /* of the record that is being read */
    uint64_t epoch, anew; /* the latest; what was judged up to then is judged anew */
    uint64_t now;         /* of the record that is being read */
    uint64_t left;        /* where a record begins that could not be gone through; 0: none */
    uint32_t serials;
    uint32_t aloud;       /* records that had no tale of their own, since the reset */
    bool used;            /* `record`, since the reset */
    struct track_record record;
    struct track_tale tales[TRACK_TALES]; /* each where track_tale_of() looks for it */
    uint8_t tales_used[TRACK_TALES];
    uint16_t tale_count;
    uint16_t line_count;
    struct doc_line lines[TRACK_LINES];
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
/* Where the tale of the record may stand that was gone through, in this place or the one beside it. */
static inline struct track_tale *track_place_of(struct track *t)
{
    const struct track_record *record = &t->record;
    uint64_t h = record->told[0] ^ record->told[1] * 0xC2B2AE3D27D4EB4FULL ^ (uint64_t)record->end << 48;
    return &t->tales[h * 0x9E3779B97F4A7C15ULL >> 56];
}
_Static_assert(TRACK_TALES == 256 && TRACK_STEPS == 128, "eight bits, two words");

static inline bool track_is_told(const struct track *t, const struct track_tale *tale)
{
    const struct track_record *record = &t->record;
    return tale->epoch == t->now && tale->node == record->end && tale->told[0] == record->told[0] &&
           tale->told[1] == record->told[1];
}

/* What is known of nodes is known for records in the same place, as long as the caller knows no more. False: they are
 * known for another place, which mostly lies further out: records with a first gap like that of what they hold. */
static inline bool track_look_around(struct track *t, uint16_t root, const struct track_context *now)
{
    struct track_node *n = &t->nodes[root];
    const struct track_context *c = &n->context;
    bool lasts = n->since > t->anew && c->changes == now->changes;
    bool same = c->depth == now->depth && c->name == now->name && c->rooted == now->rooted && c->dull == now->dull;
    if (lasts && !same && now->depth > c->depth && ++n->strangers < TRACK_STRANGERS) return false;
    if (UNLIKELY(!lasts || !same)) {
        n->context = *now;
        n->since = ++t->epoch;
    }
    n->strangers = 0;
    t->now = n->since;
    return true;
}

static inline const struct track_tale *track_tale_of(struct track *t)
{
    const struct track_tale *tale = track_place_of(t);
    if (LIKELY(track_is_told(t, tale))) return tale;
    tale = &t->tales[(tale - t->tales) ^ 1];
    return track_is_told(t, tale) ? tale : NULL;
}

/* Works out how the record that was gone through is told; NULL: there is no room for it. */
const struct track_tale *track_tell(struct doc_reader *r);
/* Forgets and wipes. */
void track_reset(struct track *t);

#endif
