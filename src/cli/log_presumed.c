/* Which disclosures nobody can say of that they did not arrive. */
#include "cli/log.h"

static result see(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    (void)index, (void)frame;
    return ledger_presumed_see(ctx, json);
}

/* What completes an answer stands behind it: all is read before the first is judged. */
result log_learn_presumed(struct log_options *o, uint64_t from)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    if (o->presumed) return OK;
    TRY(ledger_presumed_new(&o->presumed));
    TRY(ledger_reader_open(o->directory, from, &reader));
    result r = ledger_reader_read(reader, see, o->presumed, &problem);
    ledger_reader_close(reader);
    return r;
}

bool log_is_presumed(const struct log_options *o, span json)
{
    return o->presumed && ledger_presumed_has(o->presumed, json);
}
