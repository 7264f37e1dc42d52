/* Private to ledger: the scribe's second thread, which makes spare segments so that no commit waits for one. */
#ifndef GATE1367_LEDGER_SPARE_MAKER_H
#define GATE1367_LEDGER_SPARE_MAKER_H

#include "ledger/background.h"
#include <stdatomic.h>

struct spare_maker {
    struct ledger *ledger;
    struct background thread;
    bool wanted; /* under its lock */
    _Atomic int trouble; /* code of the last failure; 0: none */
};
/* Starts the thread and waits until it is confined. */
RESULT maker_start(struct spare_maker *m, struct ledger *l, const struct ledger_scribe_config *config);
void maker_want(struct spare_maker *m);
void maker_stop(struct spare_maker *m);

#endif
