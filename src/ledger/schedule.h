/* Private to ledger: the two statements by which records are scheduled and destroyed. */
#ifndef GATE1367_LEDGER_SCHEDULE_H
#define GATE1367_LEDGER_SCHEDULE_H

#include "ledger/approval.h"
#include "ledger/epoch.h"

/* Lines; after the head the ledger's verifier key. */
#define SCHEDULE_HEAD "gate1367 records schedule\n"
#define DESTRUCTION_HEAD "gate1367 destruction of ledger keys\n"
#define LINE_SCHEDULE "schedule: "
#define LINE_RETAIN "days kept after a month: "
#define LINE_FIRST "months with a key: from "
#define LINE_KEPT "kept: from "
#define LINE_KEY "key: "
#define LINE_APPROVER "approver: "
#define LINE_MONTHS "months: "
#define LINE_NEXT "next key: "
#define LINE_REASON "reason: "

/* Spans into the text. */
struct destruction {
    span vkey, schedule, key, next, reason;
    uint32_t from, to;
};
bool records_read_destruction(span text, struct destruction *out);

#endif
