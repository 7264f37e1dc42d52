/* What the files of `report` share. */
#ifndef GATE1367_CLI_REPORT_H
#define GATE1367_CLI_REPORT_H

#include "cli/log.h"
#include "report/report.h"

/* To the file (never over one that is there) or, with NULL, to stdout; returns the exit status. */
int report_write(const struct log_options *o, const char *path, const struct report *r, enum report_format format);
/* The words of --format; false after saying what is wrong. */
bool report_take_format(const char *word, bool json, enum report_format *out);
int report_reconcile(int argc, char **argv);

#endif
