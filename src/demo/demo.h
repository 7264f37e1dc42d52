/* demo: the whole system on an embedded record API, with real TLS, real certificates, a real ledger; laid out side by side
 * as a person would look at it. Everything lives in a temporary directory and on loopback. */
#ifndef GATE1367_DEMO_H
#define GATE1367_DEMO_H

#include "base/base.h"

/* `keep`: leaves it running and prints curl commands until SIGINT or SIGTERM. Returns the exit status: 0; 1: something that
 * the demo shows did not hold; 2: set-up. */
int demo_run(bool keep);

#endif
