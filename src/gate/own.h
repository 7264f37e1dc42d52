/* Private to gate. */
#ifndef GATE1367_GATE_OWN_H
#define GATE1367_GATE_OWN_H

#include "gate/gate.h"

struct gate {
    uint32_t magic;
    const struct gate_environment *env;
    enum gate_state state;
    bool stream, replaced, enough;
    enum recipient_class class;
    struct arena *arena;
    struct arena *review; /* for rules in shadow; NULL until there are some */
    struct engine *engine;
    struct buf body; /* decided whole: from offset 0; stream: what has not been sent */
    struct engine_outcome outcome;
    enum gate_failure failure;
    struct gate_cursors at;
    size_t run;        /* next edit run */
    uint64_t ticket;
    bool halted;              /* the ring was full: `left` waits for room */
    struct ledger_entry left; /* what of the entry is not published */
};

#endif
