/* Private to ledger: are the files still there, and still the same? A process that holds a file open goes on writing into
 * it when somebody deletes or replaces it, and everything that it then calls durable is gone with the last descriptor. So
 * the scribe looks at the names, twice a second. What stands inside the files is log verify's business. */
#ifndef GATE1367_LEDGER_GUARD_H
#define GATE1367_LEDGER_GUARD_H

#include "ledger/layout.h"
#include <stdatomic.h>

/* At the top; tips and tiles come into being later. */
#define GUARD_FILES 5u
struct guard {
    char *directory;
    uint64_t segment_bytes;
    struct os_identity top, wal;
    struct os_identity files[GUARD_FILES]; /* inode 0: not seen yet */
    struct segments segments;
    struct os_identity *known; /* of the segments */
    char lost[64];             /* what is not as it was, relative to the directory */
};
RESULT guard_open(struct guard *g, const char *directory);
/* IO LEDGER_E_GONE: g->lost was deleted, replaced or cut. New segments are taken up; those that begin before
 * *removed may be gone, or go while this looks. LIMIT: there was no memory to look; the next look sees what this one would have. */
RESULT guard_look(struct guard *g, const _Atomic uint64_t *removed);
void guard_close(struct guard *g);

#endif
