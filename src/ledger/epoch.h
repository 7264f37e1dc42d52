/* Private to ledger: the chain of month keys, and its file. */
#ifndef GATE1367_LEDGER_EPOCH_H
#define GATE1367_LEDGER_EPOCH_H

#include "ledger/calendar.h"
#include "ledger/layout.h"

#define EPOCHS_FILE "epochs.json"

/* False: OpenSSL failed, or the month was destroyed. The month is one that the chain covers. */
bool epochs_seal_key(const struct ledger_epochs *e, uint32_t month, const uint8_t hour[32], uint8_t out[32]);
bool epochs_month_key(const struct ledger_epochs *e, uint32_t month, const uint8_t key[32], uint8_t out[32]);
/* Durable on return; the file that stood there is overwritten. */
RESULT epochs_write(const char *directory, const struct ledger_epochs *e);

#endif
