/* Private to ledger: following the chain of frames through a segment, over bytes or a file; telling a torn tail from
 * corruption. */
#ifndef GATE1367_LEDGER_WALK_H
#define GATE1367_LEDGER_WALK_H

#include "ledger/frame.h"
#include "os/os.h"

/* A signed size and root that the log must pass through. */
struct expectation {
    bool there, met;
    uint64_t size;
    uint8_t root[32];
};

enum expected { TIP_A, TIP_B, PUBLISHED, OLDER, EXPECTATIONS };

/* Where in the chain we are. Plain value. */
struct walk {
    uint64_t sequence; /* of the last frame; 0: none yet */
    uint64_t next_index;
    uint8_t previous[32]; /* hash of the last frame's header; before the first one that of the verifier key */
    uint8_t segment[16];
    bool adopt; /* the next frame is taken for granted: a reader starts in the middle */
    struct ledger_tree tree; /* of whoever works out the hashes: not the walk */
    struct expectation tips[EXPECTATIONS];
    uint8_t header[FRAME_HEADER]; /* of the last frame */
};

bool walk_start(struct walk *w, const struct ledger_verifier *v);
/* The id of a segment follows from its place in the chain: frames of another ledger, or of the same file's earlier
 * life, do not pass. */
bool walk_enter_segment(struct walk *w);
/* All but root and signature: they cost too much to be done in passing. */
enum ledger_fault walk_check(struct walk *w, const struct frame *f);
bool walk_advance(struct walk *w, const struct frame *f);

/* Bytes of a segment: memory, or a file through a window. */
struct input {
    span memory; /* used when file is NULL */
    const struct os_direct *file;
    uint64_t size;
    uint8_t *window;
    uint64_t window_at;
    size_t window_len, step; /* read at a time: at least a frame; 0: WINDOW_BYTES */
};
#define WINDOW_BYTES (4u * 1024 * 1024)
/* At most len bytes at the offset, fewer at the end; valid until the next call. */
RESULT input_get(struct input *in, uint64_t offset, size_t len, span *out);

enum walk_end {
    WALK_CLEAN,   /* zeros from `offset` to the end of the segment */
    WALK_TORN,    /* an unfinished frame at `offset`, nothing valid behind it */
    WALK_CORRUPT, /* `fault` at `offset` */
    WALK_STOPPED, /* `error` is the visitor's, or of reading; `offset` is behind the frame visited last */
};
struct walk_stop {
    enum walk_end end;
    enum ledger_fault fault;
    uint64_t offset;
    result error;
};
typedef result walk_visit_fn(void *ctx, const struct frame *f, uint64_t offset);
/* From offset `from` on. visit may be NULL. In a segment that is not the last nothing may be unfinished. */
struct walk_stop walk_segment(
    struct walk *w, struct input *in, uint64_t from, bool last, walk_visit_fn *visit, void *ctx);

#endif
