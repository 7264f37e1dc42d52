/* What is known only when all was read: which disclosures nobody can say of that they did not arrive, and what was destroyed. */
#include "cli/log.h"

static result see(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct log_options *o = ctx;
    (void)frame;
    if (o->records) TRY(ledger_records_see(o->records, index, json));
    return ledger_presumed_see(o->presumed, json);
}

/* What completes an answer stands behind it: all is read before the first is judged. */
result log_learn_presumed(struct log_options *o, uint64_t from)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    if (o->presumed) return OK;
    TRY(ledger_presumed_new(&o->presumed));
    TRY(ledger_reader_open(o->directory, from, &reader));
    result r = ledger_reader_read(reader, see, o, &problem);
    ledger_reader_close(reader);
    return r;
}

result log_learn(struct log_options *o, uint64_t from)
{
    struct ledger_verifier v;
    if (o->records) return OK;
    TRY(ledger_verifier_read(o->directory, &v));
    TRY(ledger_records_new(&v, &o->records));
    return log_learn_presumed(o, from);
}

bool log_is_presumed(const struct log_options *o, span json)
{
    return o->presumed && ledger_presumed_has(o->presumed, json);
}
