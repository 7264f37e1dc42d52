/* The inside of a reader: stage 1 fills `scan` chunk by chunk, stage 2 (walk.c) goes from mark to mark. */
#ifndef GATE1367_DOC_READER_H
#define GATE1367_DOC_READER_H

#include "doc/doc.h"
#include "doc/names.h"
#include "doc/scan.h"

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

struct walk_frame {
    uint64_t object; /* offset of the brace + 1: no other object has it; 0: an array */
    uint64_t outer;  /* the object around this one, 0: none */
    struct names_mark mark;
};

/* What the planes said about the part of a token that lies in earlier chunks. */
struct token_sum {
    uint32_t digits;
    uint8_t flags;
    bool suspect;
};

#define WALK_PENDING 8 /* one mark gives six events at most */

struct doc_reader {
    uint32_t magic;
    bool lines; /* NDJSON */
    bool tail;  /* the end of the body is in the current chunk */
    doc_scan_function *scanner;
    struct doc_limits limits;
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
    /* events that found no room */
    struct doc_event pending[WALK_PENDING];
    uint32_t pending_count;
    struct doc_names names;
    struct doc_scan scan;
};

/* Where events go during one call. */
struct walk_out {
    struct doc_event *events;
    size_t count, capacity;
};

/* One mark: its offset and the byte there; a blank behind the end of the body, where a scalar may end. */
struct mark {
    uint64_t at;
    uint8_t byte;
};

static inline void value_ended(struct doc_reader *r) { r->state = r->depth > 0 ? WALK_AFTER : WALK_DONE; }

/* `count` bits (0…57) of a plane from bit `from` on. */
static inline uint64_t plane_bits(const uint64_t *plane, size_t from, size_t count)
{
    return load_le64((const uint8_t *)plane + from / 8) >> (from % 8) & ((1ULL << count) - 1);
}
#define PLANE_BITS_MOST 57

void walk_begin_container(struct doc_reader *r, struct walk_out *out, struct mark m);
void walk_end_container(struct doc_reader *r, struct walk_out *out, struct mark m);
/* Takes the usual shapes in strides, as long as they last and there is plenty of everything: whole members, plain
 * strings, numbers, commas. Stops before the first mark that needs a closer look. */
void walk_fast(struct doc_reader *r, const struct doc_window *w, struct walk_out *out);
/* Walks the marks of the chunk: DOC_MORE when all are done, DOC_FULL, or DOC_MALFORMED (latched). */
enum doc_status walk_marks(struct doc_reader *r, const struct doc_window *w, struct walk_out *out);
/* The chunk is used up: keeps what its planes say about an open token. */
enum doc_status walk_chunk_end(struct doc_reader *r, struct walk_out *out);
/* The body is used up: DOC_COMPLETE or DOC_MALFORMED. */
enum doc_status walk_body_end(struct doc_reader *r, struct walk_out *out);

#endif
