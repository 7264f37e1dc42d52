/* Private to ledger: days since 1970 and the Gregorian date. */
#ifndef GATE1367_LEDGER_CALENDAR_H
#define GATE1367_LEDGER_CALENDAR_H

#include <stdint.h>

struct ledger_date {
    unsigned year, month, day; /* from 1 */
};
struct ledger_date ledger_date_of(uint64_t days);
uint64_t ledger_days_of(struct ledger_date d);

#endif
