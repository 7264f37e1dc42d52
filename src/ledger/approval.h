/* Private to ledger: what two people sign. */
#ifndef GATE1367_LEDGER_APPROVAL_H
#define GATE1367_LEDGER_APPROVAL_H

#include "ledger/tiles.h"

/* Two different keys of those signed it. Verifier keys as text. */
bool approval_two_signed(const struct tlog_note *n, const char *const *approvers, size_t count);
/* What a statement may hold in one of its lines. */
bool approval_one_line(span s);
/* An entry of a command's own, of now: who wrote it, a request id (which lives in `request`), a nonce; all else null. */
RESULT entry_begin(struct ledger_entry *e, enum ledger_event event, const char *node, char request[LEDGER_REQUEST_ID]);

#endif
