/* The names of one body: a table of those met (decoded, bounded), and whether a name has been met before in its object.
 *
 * Duplicates among names in the table: each entry remembers the object that last held it. An object inside another
 * overwrites that, so it keeps an undo list for the entries of objects still open around it; objects that have ended
 * never come back, so the usual list of records writes no undo at all. Names outside the table go into a set of 128-bit
 * keyed hashes; an object's names leave it when the object ends. The key is secret, so that collisions cannot be made
 * (chance: under 2^-80 a body) and no chosen names can slow the tables down.
 */
#ifndef GATE1367_DOC_NAMES_H
#define GATE1367_DOC_NAMES_H

#include "doc/doc.h"

#define NAMES_MOST 4096   /* ids 0…4095 */
#define NAMES_LONGEST 128 /* decoded bytes of a name in the table */
#define NAMES_PAGE 4096
#define NAMES_PAGES 16
#define NAMES_SLOTS (2 * NAMES_MOST)
#define NAMES_FEW 64 /* up to so many names are found without a hash */
#define NAMES_RECENT 256
#define NAMES_SLACK 16 /* readable bytes after each name, so that eight may be compared at once */

struct name_entry {
    uint64_t object; /* the object that last held it; 0: none */
    uint64_t head;   /* first eight bytes, zeros behind */
    const uint8_t *bytes;
    uint32_t frame; /* where that object stood among the open containers */
    uint16_t len;
    uint16_t next; /* the name that followed last time, what stands under this one aside */
    uint16_t first; /* the name that came first in an object under this one, or in an array under it */
    uint16_t slot;
    bool plain;    /* a raw name of these very bytes has no escape and nothing else to look at */
    uint64_t word; /* the event of such a raw name, but for its offset */
};

/* The second half of an event, as it lies in memory on every machine we build for (little-endian). */
static inline uint64_t event_word(size_t len, uint32_t name, uint32_t kind, uint32_t flags)
{
    _Static_assert(offsetof(struct doc_event, len) == 8 && offsetof(struct doc_event, flags) == 15, "two words");
    return (uint64_t)len | (uint64_t)name << 32 | (uint64_t)(kind | flags << 8) << 48;
}

struct name_undo {
    uint64_t object;
    uint32_t frame;
    uint16_t name;
};

/* What an object must hand back at its end. */
struct names_mark {
    uint32_t undo, strays;
};

/* A container that is open. */
struct walk_frame {
    uint64_t object; /* offset of the brace + 1: no other object has it, later ones have more; 0: an array */
    uint64_t outer;  /* the object around this one, 0: none */
    struct names_mark mark;
    uint16_t name; /* that it stands under; DOC_NAME_NONE: none, or not in the table */
    uint8_t asks;  /* the bit of what is dull by that name */
    bool rooted;   /* the outermost container, or an element of it */
    bool tells;    /* an object: its members are told one by one */
    uint8_t class; /* DOC_CLASS of its name */
    bool dull;     /* need not be told if nothing in it is; of an array also: nor need its elements */
    /* while the events are at hand: */
    bool had, named;         /* what was skipped before it is the event before `first`; that is its name */
    struct doc_event *first; /* its own first event */
};

/* A name outside the table, in an object that is open. */
struct name_stray {
    uint64_t hash[2], object;
};

struct doc_names {
    uint8_t key[16];
    struct name_entry *entries;
    uint32_t count, size;
    uint8_t *pages[NAMES_PAGES];
    uint32_t page, page_used;
    uint16_t last;                 /* the name met last, or that of the container that ended; its `next` predicts */
    bool inside;                   /* an object under `last` has begun: its `first` predicts */
    uint16_t root;                 /* the first one in the outermost object */
    uint16_t recent[NAMES_RECENT]; /* by length and first bytes; a guess, always compared */
    uint16_t slots[NAMES_SLOTS];   /* id + 1 */
    struct name_undo *undo;
    uint32_t undo_count, undo_size;
    struct name_stray *strays;
    uint32_t *stray_slots; /* index + 1 */
    uint32_t stray_count, stray_size;
    uint8_t *scratch; /* decoded form of a name with escapes */
    size_t scratch_size;
};

void names_init(struct doc_names *n);
void names_free(struct doc_names *n);
/* Forgets and wipes all names. Costs no more than what was met. */
void names_reset(struct doc_names *n);

/* Where none is known yet: these are known, in this order, as names_init()'s key has given them slots. Their bytes outlive
 * the next reset. False: out of memory. */
bool names_recall(struct doc_names *n, const struct name_entry *entries, uint32_t count);

enum names_verdict { NAMES_NEW, NAMES_DUPLICATE, NAMES_NO_MEMORY };
/* Notes the raw name in the innermost of the open containers, an object. *id gets its id or DOC_NAME_NONE. */
enum names_verdict names_meet(
    struct doc_names *n, span raw, bool escaped, const struct walk_frame *frames, uint32_t depth, uint16_t *id);

/* The id of a name that has been met and is in the table, else DOC_NAME_NONE. */
uint16_t names_find(struct doc_names *n, span name);
/* Notes a name of the table that has been met in the innermost object already. False: out of memory. */
bool names_again(struct doc_names *n, uint16_t id, const struct walk_frame *frames, uint32_t depth);

/* Whether the entry's last object, which is not the innermost, is still open around it. */
static inline bool names_held(const struct name_entry *e, const struct walk_frame *frames, uint32_t depth)
{
    return e->object != 0 && e->frame < depth && frames[e->frame].object == e->object;
}

/* Where the next name's id is foretold, and will be noted; NULL: nowhere. */
static inline uint16_t *names_link(struct doc_names *n)
{
    if (n->last == DOC_NAME_NONE) return n->inside ? &n->root : NULL;
    struct name_entry *e = &n->entries[n->last];
    return n->inside ? &e->first : &e->next;
}

static inline struct names_mark names_mark(const struct doc_names *n)
{
    return (struct names_mark){n->undo_count, n->stray_count};
}
void names_leave_slow(struct doc_names *n, struct names_mark mark);
static inline void names_leave(struct doc_names *n, struct names_mark mark)
{
    if (UNLIKELY(n->undo_count != mark.undo || n->stray_count != mark.strays)) names_leave_slow(n, mark);
}

#endif
