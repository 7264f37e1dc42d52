/* Private to report: what the writers of exports share. */
#ifndef GATE1367_REPORT_EXPORT_H
#define GATE1367_REPORT_EXPORT_H

#include "report/write.h"

/* A text of an entry, decoded; lives until the next of the same fact. */
struct fact {
    char scratch[LEDGER_TARGET_MAX + 16];
};
span text_in(struct fact *f, span raw);
span text_of(struct fact *f, const struct report_entry *e, enum ledger_member m);
span text_of_recipient(struct fact *f, const struct report_entry *e, const char *member);
uint64_t count_of(const struct report_entry *e, const char *member);
/* Names of an object, or elements of an array. */
void write_list(FILE *to, span container, const char *between, void (*write)(FILE *, span));

void export_ocsf(const struct report_entry *e, FILE *to);
void export_ecs(const struct report_entry *e, FILE *to);
void export_cef(const struct report_entry *e, FILE *to);
void export_syslog(const struct report_entry *e, FILE *to);

#endif
