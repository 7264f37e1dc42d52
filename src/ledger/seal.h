/* Private to ledger: what stands only in `sealed`. In a month that can be destroyed (epoch.h) the key that seals is made of
 * both, the hourly key and the month's state.
 *
 *   hourly key (32 random bytes, of one process) ──CMS AuthEnvelopedData──► entry of event `key`: "ID.BASE64(DER)"
 *        │
 *        └─AES-256-GCM, iv counted, the entry's nonce as associated data──► `sealed` of an entry: "ID.BASE64(iv ‖ text ‖ tag)"
 *
 * An entry may only be acknowledged when the key that opens it is durable: the entry of the key goes into the ring first,
 * and where its scribe died with it the entry fails too. */
#ifndef GATE1367_LEDGER_SEAL_H
#define GATE1367_LEDGER_SEAL_H

#include "ledger/ledger.h"

#define SEAL_KEY_BYTES 32u
#define SEAL_IV_BYTES 12u
#define SEAL_TAG_BYTES 16u
#define SEAL_ID_TEXT 17 /* 16 hex digits and NUL */

/* Whether an entry of the key must stand before the next entry. Makes the key of a new hour. */
RESULT seal_key_due(struct ledger_sealer *s, const struct ipc_ring *ring, uint64_t time_us, bool *due);
/* The entry of the key; its texts live in the sealer until the key changes. */
RESULT seal_key_entry(struct ledger_sealer *s, span node, uint64_t time_us, struct ledger_entry *out);
/* It was published under this ticket (0: it is in the same frame as what follows). */
void seal_key_published(struct ledger_sealer *s, uint64_t ticket);
/* False: the key that the last entry was sealed with died with its scribe. */
bool seal_holds(struct ledger_sealer *s, const struct ipc_ring *ring);
/* The text of `sealed`, or NULL where there is nothing to seal. Lives in the sealer until the next call. */
RESULT seal_entry(struct ledger_sealer *s, const struct ledger_entry *e, span *text);

#endif
