/* Private to ledger: names and small files of a ledger directory, and walking all of it. */
#ifndef GATE1367_LEDGER_LAYOUT_H
#define GATE1367_LEDGER_LAYOUT_H

#include "ledger/walk.h"

#define PATH_BYTES 4096
/* directory/name…; CONFIG when it is too long. */
RESULT layout_path(char out[PATH_BYTES], const char *directory, const char *fmt, ...) PRINTF(3, 4);

#define SEGMENT_NAME "wal/%020llu.wal"
#define SPARE_COUNT 2u
#define SPARE_NAME "wal/spare/%u.wal"
#define SPARE_NEW "wal/spare/%u.new"
#define SPARE_OLD "wal/spare/%u.old" /* a recycled segment that waits to be zeroed and used again */
#define SPARE_GOING "wal/spare/going" /* one that is not needed, and being removed */

struct node {
    struct ledger_verifier verifier;
    uint64_t segment_bytes;
    char successor[LEDGER_VKEY_MAX]; /* verifier key of the ledger that follows; empty: it has not ended */
};
RESULT node_read(const char *directory, struct node *out);
RESULT node_write(const char *directory, const struct node *node);

/* First indices of the segments there are, rising. Free with mem_free. */
struct segments {
    uint64_t *first;
    size_t count;
};
RESULT segments_list(const char *directory, struct segments *out);
/* Position of the segment that holds the index; 0 when none does. */
size_t segments_find(const struct segments *s, uint64_t index);

/* tip.a and tip.b: a checkpoint of C2SP tlog-checkpoint (origin, size, root, signed note), padded with zeros to one
 * block. */
#define TIP_BYTES 4096u
size_t tip_format(const struct ledger_verifier *v, const struct ledger_key *key, uint64_t size, const uint8_t root[32],
    uint8_t out[TIP_BYTES]); /* 0: OpenSSL failed */
bool tip_parse(
    span text, const struct ledger_verifier *v, const struct signature_check *check, uint64_t *size, uint8_t root[32]);
/* Reads both; there is false for what is absent or not by this key. The newest is at *newest, -1: none. */
RESULT tips_read(const char *directory, const struct ledger_verifier *v, const struct signature_check *check,
    struct expectation tips[2], int *newest);

/* The whole log, segment by segment. w is prepared by walk_start. */
struct survey {
    struct ledger_problem problem; /* LEDGER_SOUND: none; TORN is told by `torn` alone */
    bool torn;
    struct segments segments; /* to be freed by the caller */
    uint64_t end_offset;      /* in the last segment: where the next frame goes */
    uint64_t frames, bytes;
    ledger_progress_fn *progress;
    void *progress_ctx;
    uint64_t told;
    char file[64]; /* that is being walked, relative */
};
RESULT survey_run(
    const char *directory, const struct node *node, struct walk *w, walk_visit_fn *visit, void *ctx, struct survey *s);
void problem_set(
    struct ledger_problem *p, enum ledger_fault fault, const char *file, uint64_t offset, uint64_t index, int error);

#endif
