/* Private to ledger: threads that work out what costs most about frames, the hashes of their entries and, where asked to,
 * the check of their signatures, while the one that started them reads on. It puts the frames' parts of the tree together, in order,
 * and so finds the first frame that does not hold. */
#ifndef GATE1367_LEDGER_FRAME_CREW_H
#define GATE1367_LEDGER_FRAME_CREW_H

#include "ledger/layout.h"
#include "ledger/team.h"
#include "ledger/tree.h"

struct crew_job {
    bool hashed, is_signed;
    uint8_t header[FRAME_HEADER];
    char file[64];
    uint64_t offset, index;
    uint8_t *payload; /* a copy: the reader's window moves on */
    size_t len, room;
    struct tree_range range;
};

struct frame_crew {
    bool signatures; /* are checked too */
    struct team team;
    struct signature_check checks[TEAM_THREADS]; /* one a member */
    struct crew_job *jobs;                       /* in the team's places */
    uint64_t joined;
    struct ledger_tree tree;       /* of the frames joined */
    struct ledger_problem problem; /* of the first frame that does not hold: nothing after it is joined */
    bool broken;                   /* OpenSSL failed: nobody can tell */
};
/* One thread a processor. */
RESULT crew_start(struct frame_crew *c, const struct ledger_verifier *v, bool signatures);
/* The next frame in order; a part of its bytes is copied. Waits while the ring is full. LIMIT: no memory. */
RESULT crew_give(struct frame_crew *c, const struct frame *f, const char *file, uint64_t offset);
/* Waits until all is checked, and releases everything but tree and problem. False: OpenSSL failed. */
bool crew_finish(struct frame_crew *c);

/* survey_run, with a crew to work out the roots: w->tree holds all of the tree after it. A bad root or signature lies before
 * whatever else ended the walk, or in the same frame. */
struct crew_wish {
    bool signatures;                                  /* check them too */
    result (*each)(void *ctx, const struct frame *f); /* shown what follows the frame before, root and signature not looked at yet; or NULL */
    void *ctx;
};
RESULT crew_survey(const char *directory, const struct node *node, const struct crew_wish *wish, struct walk *w, struct survey *s);

#endif
