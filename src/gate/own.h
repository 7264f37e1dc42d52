/* Private to gate. */
#ifndef GATE1367_GATE_OWN_H
#define GATE1367_GATE_OWN_H

#include "gate/gate.h"

#define GATE_MAGIC 0x67617465u

/* Cursors over what leaves of a document in parts. */
struct gate_parts {
    bool on, last, over; /* over: the engine will read no further */
    bool missed;         /* somebody in what has not left is protected by now */
    struct buf out;      /* what leaves, as far as it has not left */
    uint64_t begun; /* offset of the first byte in `out` */
    uint64_t settled, decided, recorded, sent;
    uint64_t read_before; /* at.received when the last part was decided */
    uint32_t number;
    struct arena *arena; /* of one part */
};

/* Rules in shadow beside it (trial.c). */
struct gate_trial {
    struct engine *engine; /* NULL: none */
    struct arena *arena;   /* of one part, its own: what fails here changes nothing about the answer; kept */
    struct buf out;        /* what would leave of it: nobody reads that */
    uint64_t taken;        /* and so much of it is forgotten */
    struct buf pending;    /* what it withholds where the rules in force have decided nothing yet */
    uint64_t passed;       /* they have decided so far */
    uint64_t released;     /* of the part at hand */
    bool over, lost;       /* it reads no further; it could not */
};

struct gate {
    uint32_t magic;
    const struct gate_environment *env;
    enum gate_state state;
    bool stream, replaced, enough;
    enum recipient_class class;
    struct arena *arena;
    struct arena *review; /* for rules in shadow; NULL until there are some */
    struct engine *engine;
    struct buf body; /* decided whole: from offset 0; stream: what has not been sent; in parts: what is still needed */
    struct engine_outcome outcome;
    enum gate_failure failure;
    struct gate_cursors at;
    struct gate_parts parts;
    struct gate_trial trial;
    size_t run;        /* next edit run */
    uint64_t run_taken; /* so many bytes of it have been taken */
    uint64_t ticket;
    bool halted;              /* the ring was full: `left` waits for room */
    struct ledger_entry left; /* what of the entry is not published */
};

/* received ≥ read ≥ decided ≥ recorded ≥ sent: the house stands on this line. */
void gate_check_order(const struct gate *g);
void gate_wipe_body(struct gate *g);

/* review.c: does a byte of it leave? */
bool gate_edits_leave(const struct edit_list *edits, uint64_t begin, uint64_t end);

/* trial.c */
void gate_trial_meet(void *ctx, const struct engine_unit *u);
void gate_trial_read(struct gate *g, span window, uint64_t base, enum engine_end end);
uint64_t gate_trial_needs(const struct gate *g);

/* parts.c */
RESULT gate_parts_receive(struct gate *g, span bytes);
size_t gate_parts_take(struct gate *g, span *out);
void gate_parts_recorded(struct gate *g);
void gate_parts_reset(struct gate *g);

#endif
