/* Private to gate. */
#ifndef GATE1367_GATE_OWN_H
#define GATE1367_GATE_OWN_H

#include "gate/gate.h"

#define GATE_MAGIC 0x67617465u

/* Cursors over what leaves of a document in parts. */
struct gate_parts {
    bool on, last, over; /* over: the engine will read no further */
    struct buf out;      /* what leaves, as far as it has not left */
    uint64_t begun; /* offset of the first byte in `out` */
    uint64_t settled, decided, recorded, sent;
    uint64_t read_before; /* at.received when the last part was decided */
    uint32_t number;
    struct arena *arena; /* of one part */
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
    size_t run;        /* next edit run */
    uint64_t ticket;
    bool halted;              /* the ring was full: `left` waits for room */
    struct ledger_entry left; /* what of the entry is not published */
};

/* received ≥ read ≥ decided ≥ recorded ≥ sent: the house stands on this line. */
void gate_check_order(const struct gate *g);
void gate_wipe_body(struct gate *g);

/* parts.c */
RESULT gate_parts_receive(struct gate *g, span bytes);
size_t gate_parts_take(struct gate *g, span *out);
void gate_parts_recorded(struct gate *g);
void gate_parts_reset(struct gate *g);

#endif
