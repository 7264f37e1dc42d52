/* The mark of what was in force (config/mark.c), as the one role that writes it sees it: behind the journal, before anybody is told that
 * a change is done. Where the registry lacks what the mark knows nobody restricted is answered, until it is brought back or a named
 * person says that it is lost. */
#include "admin/internal.h"

RESULT mark_open(struct admin *a)
{
    a->mark_read = a->reached = config_mark_open(a->arguments->config, a->key, true, &a->mark);
    return a->mark_read.class == ERROR_LIMIT && a->mark.fds[0] < 0 ? a->mark_read : OK; /* the next admin opens it */
}

/* For a passing reason, such as memory: it is tried again. */
bool mark_is_unread(const struct admin *a)
{
    return !is_ok(a->mark_read) && a->mark_read.class != ERROR_CONFIG && a->mark.fds[0] >= 0;
}

/* The admin of the generation before may have written it since. */
void mark_read(struct admin *a)
{
    if (a->mark.fds[0] >= 0) a->mark_read = config_mark_read(&a->mark, a->key);
}

void mark_judge(struct admin *a, span journal, uint64_t index)
{
    registry_mark_of(journal, index, &a->due);
    a->reached = is_ok(a->mark_read) ? config_mark_judge(&a->mark, journal, index) : a->mark_read;
}

void mark_add(struct admin *a, span records)
{
    struct registry_mark more;
    registry_mark_of(records, 0, &more);
    if (more.position > 0) a->due = more;
}

RESULT mark_keep(struct admin *a, bool durable)
{
    TRY(a->reached);
    return config_mark_keep(&a->mark, a->key, &a->due, durable);
}

RESULT mark_accept(struct admin *a)
{
    TRY(config_mark_renew(&a->mark, a->key, &a->due));
    a->mark_read = a->reached = OK;
    return OK;
}

void mark_words(const struct admin *a, result r, char out[CONFIG_MARK_WORDS])
{
    config_mark_words(&a->mark, r, a->due.position, out);
}

/* For an auditor, who sees from one `config` entry to the next whether the registry went back. */
size_t mark_counts(const struct admin *a, struct ledger_count out[ADMIN_MARK_COUNTS])
{
    size_t n = 0;
    out[n++] = (struct ledger_count){SPAN("journal"), a->due.position};
    if (a->mark.made) out[n++] = (struct ledger_count){SPAN("mark_made"), 1};
    if (a->mark.foreign) out[n++] = (struct ledger_count){SPAN("mark_of_another_key"), 1};
    if (!is_ok(a->reached)) out[n++] = (struct ledger_count){SPAN("mark_not_reached"), 1};
    return n;
}
