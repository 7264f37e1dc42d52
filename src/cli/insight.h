/* What insiders' tools need of a running system's files: configuration, rules, recipients, and the registry as it is in
 * force now, live changes included. Nothing is changed. */
#ifndef GATE1367_CLI_INSIGHT_H
#define GATE1367_CLI_INSIGHT_H

#include "config/config.h"
#include "recipient/recipient.h"
#include "source/source.h"

struct insight {
    const char *command; /* for messages */
    struct problems *problems;
    struct config *config;
    struct config_registry now;
};

/* False after reporting; *status is then the exit status. Close it either way. */
bool insight_open(struct insight *in, const char *command, const char *path, int *status);
void insight_close(struct insight *in);
/* The recipient's class there, told by id: who could be entitled is taken to name a purpose. "restricted" and "entitled" are
 * taken as they are. False after reporting. */
bool insight_class(const struct insight *in, const char *id, bool public_route, enum recipient_class *out);

#endif
