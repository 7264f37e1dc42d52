/* serve --mirror. */
#ifndef GATE1367_CLI_MIRROR_H
#define GATE1367_CLI_MIRROR_H

#include "admin/admin.h"
#include "cli/cli.h"

/* Judges captured traffic and prints the report. The exit status. */
int cli_mirror_files(const struct config *c, char **files, size_t count, bool json);
/* Prints to standard output. */
void cli_mirror_report(const struct mirror_source *source, bool json);

#endif
