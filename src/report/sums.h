/* Private to report: what is added up of entries, alone or under names. */
#ifndef GATE1367_REPORT_SUMS_H
#define GATE1367_REPORT_SUMS_H

#include "report/report.h"

struct sums {
    uint64_t entries, requests; /* requests: those entries that are the first of theirs */
    uint64_t seen, protected, withheld, redacted, disclosed;
    uint64_t subjects; /* each time somebody was found counts */
    uint64_t times;    /* rules: how often */
};
struct sums sums_of(const struct ledger_view *v);
void sums_add(struct sums *to, const struct sums *s);
bool sums_equal(const struct sums *a, const struct sums *b);

/* Sums under names. */
struct tally_line {
    span name;
    struct sums sums;
};
struct tally {
    struct arena *memory; /* of the names */
    struct tally_line *lines;
    size_t count, room;
    uint32_t *places; /* hash table of line + 1 */
    size_t place_count;
};
/* The line of that name, made where there is none; NULL: out of memory. Valid until the next call. */
struct tally_line *tally_line(struct tally *t, span name);
void tally_sort(struct tally *t); /* most requests or times first, then by name; no lines are added afterwards */
struct sums tally_total(const struct tally *t);
void tally_free(struct tally *t);

/* Members that every report looks at. */
bool entry_is(const struct ledger_view *v, enum ledger_event event);
bool entry_decided(const struct ledger_view *v); /* a disclosure or a refusal */
uint64_t entry_time(const struct ledger_view *v); /* microseconds; 0: none */
span entry_recipient(const struct ledger_view *v, const char *member, char *scratch, size_t size);
/* Of the unsealed part where there is one, else of the entry. */
span entry_organization(const struct report_entry *e, char *scratch, size_t size);
span entry_text(const struct ledger_view *v, enum ledger_member m, char *scratch, size_t size);

#endif
