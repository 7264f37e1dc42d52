/* Private to ledger: the two halves of verification. */
#ifndef GATE1367_LEDGER_VERIFY_H
#define GATE1367_LEDGER_VERIFY_H

#include "ledger/tiles.h"

/* Every entry is shown once and in order, whichever half it is found in, and however often a half is read again. */
struct showing {
    const struct ledger_verify_options *options;
    uint64_t next;
};
RESULT verify_show(struct showing *s, uint64_t index, span entry);

/* That node.json names this verifier. */
enum ledger_judgement verify_node(
    const char *directory, const struct ledger_verifier *v, struct node *node, struct ledger_report *out);
/* The write-ahead log alone. `more`: PUBLISHED and OLDER, what else it must pass through. Fills its part of *out. */
enum ledger_judgement verify_wal(const char *directory, const struct ledger_verifier *v, const struct expectation more[2],
    struct showing *showing, struct ledger_report *out);

/* The published log alone, from where the last call ended: a log that grows is caught up with. */
struct published_check {
    const struct ledger_verify_options *options;
    struct showing *showing;
    const struct ledger_verifier *verifier;
    char root[PATH_BYTES];
    struct tlog_edge *edge;
    struct expectation checkpoint, older; /* older is met where it lies in here */
    uint64_t bytes, told;
    struct ledger_problem problem;
};
/* IO ENOENT: there is no checkpoint. INTERNAL LEDGER_E_CORRUPT: c->problem says where. */
RESULT verify_published(struct published_check *c);

#endif
