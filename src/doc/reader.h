/* The inside of a reader: stage 1 fills `scan` chunk by chunk, stage 2 (walk.c) goes from mark to mark. */
#ifndef GATE1367_DOC_READER_H
#define GATE1367_DOC_READER_H

#include "doc/doc.h"
#include "doc/names.h"
#include "doc/planes.h"
#include "doc/scan.h"
#include "doc/track.h"

#define READER_MAGIC 0x646F6352 /* "docR" */

/* What may come next.
 *
 *            '{'                '"'…'"'           ':'
 *   VALUE ───────► FIRST_NAME ─────────► COLON ───────► VALUE
 *     │ '['          │ '}'        ▲
 *     ├───► FIRST_VALUE           └───────── NAME ◄─┐ ',' in an object
 *     │       │ ']'                                 │
 *     ▼       ▼                                     │
 *   scalar ► AFTER ─────────────────────────────────┘
 *              │ ',' in an array: VALUE;  the outermost value has ended: DONE
 *
 * NDJSON: an error leads to SKIP, a line feed from DONE or SKIP back to VALUE. */
enum walk_state {
    WALK_VALUE,
    WALK_FIRST_VALUE,
    WALK_FIRST_NAME,
    WALK_NAME,
    WALK_COLON,
    WALK_AFTER,
    WALK_DONE,
    WALK_SKIP,
};

/* A token that has begun and not ended. */
enum walk_token { TOKEN_NONE, TOKEN_STRING, TOKEN_NAME, TOKEN_SCALAR };

/* What the planes said about the part of a token that lies in earlier chunks. */
struct token_sum {
    uint32_t digits;
    uint8_t flags;
    bool suspect;
};

struct doc_reader;
struct walk_out;
typedef void walk_fast_function(struct doc_reader *r, const struct doc_window *w, struct walk_out *out);

#define WALK_PENDING 8 /* one mark gives six events at most */

struct doc_reader {
    uint32_t magic;
    bool lines; /* NDJSON */
    bool tail;  /* the end of the body is in the current chunk */
    doc_scan_function *scanner;
    walk_fast_function *fast;
    struct doc_limits limits;
    const struct doc_skip *skip;
    struct doc_skip judged; /* as it was when it was given, for what is known of records */
    const uint64_t *literal; /* of skip->literals: the next one, or one before it */
    /* the chunk */
    uint64_t chunk_at; /* offset of its first byte */
    uint64_t scanned;  /* offset behind its last byte */
    uint32_t next_mark;
    /* the machine */
    enum walk_state state;
    enum walk_token token;
    uint64_t token_at;
    struct token_sum sum;
    struct walk_frame *frames;
    uint32_t depth, frames_size;
    uint64_t object; /* innermost open object, 0: none */
    /* NDJSON */
    uint64_t line_at;
    bool line_open;
    /* the end */
    enum doc_status status; /* DOC_MORE while it goes on */
    enum doc_malformed malformed;
    uint64_t malformed_at;
    /* tracks (track.h) */
    struct track *track; /* NULL: none was learnt yet */
    bool rehearses;      /* what stands once is learnt too */
    bool aloud;          /* … and all values of a record are told */
    const struct doc_lore *recalled; /* until names are judged for the first time; else NULL */
    struct {
        bool on;
        uint32_t mark, depth; /* a record to learn begins there, in so many containers */
    } lesson;
    uint32_t record_size, record_events; /* of the last one that stayed on a track */
    bool waits;         /* for the rest of a record: the chunk ends before it */
    uint64_t waited_at; /* where the last one began that was waited for */
    size_t special, special_from; /* the chunk's first special byte at this place or behind it */
    /* events that found no room */
    struct doc_event pending[WALK_PENDING];
    uint32_t pending_count;
    struct doc_names names;
    struct doc_scan scan;
};

/* lore.c: whether names are judged now as they were when the lore was taken that was given back; what is known of its tracks
 * then holds. */
bool lore_judges(struct doc_reader *r);

/* Where events go during one call. */
struct walk_out {
    struct doc_event *events;
    size_t count, capacity;
    bool full; /* what comes next is better begun with more room */
};

static inline unsigned walk_dull(const struct doc_skip *skip, uint32_t name)
{
    return name < skip->names ? skip->dull[name] : 0;
}

static inline uint8_t walk_class(const struct doc_skip *skip, uint32_t name)
{
    return skip->classes && name < skip->names ? DOC_CLASS(skip->classes[name]) : 0;
}

/* DOC_DULL_… of a member's name. */
static inline unsigned walk_dull_member(const struct doc_skip *skip, const struct walk_frame *f, uint32_t name)
{
    if (f->tells || name >= skip->names) return 0;
    if (UNLIKELY(f->class != 0) && DOC_CLASS_KNOWN(skip->classes[name]) != f->class) return 0;
    return skip->dull[name];
}

/* Whether an object's members are told one by one. Asked anew now and then: the caller learns names while it reads. */
static inline bool walk_tells(const struct doc_skip *skip, const struct walk_frame *f)
{
    return !((f->rooted ? skip->root : walk_dull(skip, f->name)) & f->asks);
}

/* What a container in `around` and under `name` is to a caller that skips. */
static inline void walk_judge(
    const struct doc_skip *skip, const struct walk_frame *around, uint32_t name, struct walk_frame *f)
{
    f->tells = walk_tells(skip, f);
    f->class = walk_class(skip, f->name);
    f->dull = around->object != 0 ? walk_dull_member(skip, around, name) & DOC_DULL_VALUE : around->dull;
    f->dull = f->dull && skip->containers;
}

/* Enters a container; the frames have room. `last`: the name met last. */
static inline void walk_push(struct doc_reader *r, uint64_t at, bool object, uint32_t last)
{
    uint16_t name = DOC_NAME_NONE;
    bool element = false, rooted = true;
    if (r->depth > 0) {
        const struct walk_frame *around = &r->frames[r->depth - 1];
        element = around->object == 0;
        name = element ? around->name : (uint16_t)last;
        rooted = element && around->rooted;
    }
    struct walk_frame *f = &r->frames[r->depth];
    *f = (struct walk_frame){.object = object ? at + 1 : 0,
        .outer = r->object,
        .mark = names_mark(&r->names),
        .name = name,
        .asks = element ? DOC_DULL_ELEMENTS : DOC_DULL_MEMBERS,
        .rooted = rooted,
        .tells = true};
    if (r->depth > 0) walk_judge(r->skip, f - 1, last, f);
    r->depth++;
    r->names.last = name;
    r->names.inside = object;
    if (object) r->object = at + 1;
}

static inline void walk_pop(struct doc_reader *r)
{
    const struct walk_frame *frame = &r->frames[--r->depth];
    r->names.last = frame->name;
    r->names.inside = false;
    if (frame->object == 0) return;
    names_leave(&r->names, frame->mark);
    r->object = frame->outer;
}

/* Takes the usual shapes in strides, as long as they last and there is plenty of everything: whole members, plain
 * strings, numbers, commas. Stops before the first mark that needs a closer look. */
#define WALK_FAST_MARKS 12 /* with fewer it does nothing */
walk_fast_function walk_fast_portable;
walk_fast_function walk_fast_avx2; /* BMI and POPCNT, which every processor with AVX2 has */
/* Walks the marks of the chunk: DOC_MORE when all are done, DOC_FULL, or DOC_MALFORMED (latched). */
enum doc_status walk_marks(struct doc_reader *r, const struct doc_window *w, struct walk_out *out);
/* The chunk is used up: keeps what its planes say about an open token. */
enum doc_status walk_chunk_end(struct doc_reader *r, struct walk_out *out);
/* The body is used up: DOC_COMPLETE or DOC_MALFORMED. */
enum doc_status walk_body_end(struct doc_reader *r, struct walk_out *out);

#endif
