/* What is known only when all was read: which disclosures nobody can say of that they did not arrive, and what was destroyed. */
#include "cli/log.h"
#include "report/report.h"

struct learning {
    struct log_options *options;
    bool one;         /* only the first entry's fate is of interest: … */
    struct buf first; /* … it */
};

static result see(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct learning *l = ctx;
    const struct log_options *o = l->options;
    (void)frame;
    if (o->records) TRY(ledger_records_see(o->records, index, json));
    TRY(ledger_presumed_see(o->presumed, json));
    if (!l->one) return OK;
    if (buf_len(&l->first) == 0) TRY(buf_append(&l->first, json));
    return ledger_presumed_has(o->presumed, buf_span(&l->first)) ? OK : FAIL(ERROR_CLOSED, 0);
}

/* What completes an answer stands behind it: all is read before the first is judged. */
static RESULT read_from(struct log_options *o, uint64_t from, bool one)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem;
    if (o->presumed) return OK;
    TRY(ledger_presumed_new(&o->presumed));
    struct learning l = {.options = o, .one = one};
    buf_init(&l.first, LEDGER_ENTRY_MAX);
    TRY(ledger_reader_open(o->directory, from, &reader));
    result r = ledger_reader_read(reader, see, &l, &problem);
    ledger_reader_close(reader);
    buf_free(&l.first);
    return r;
}

result log_learn_presumed(struct log_options *o)
{
    return read_from(o, 0, false);
}

result log_learn_presumed_of(struct log_options *o, uint64_t index)
{
    result r = read_from(o, index, true);
    return r.class == ERROR_CLOSED ? OK : r;
}

result log_learn(struct log_options *o)
{
    struct ledger_verifier v;
    if (o->records) return OK;
    TRY(ledger_verifier_read(o->directory, &v));
    TRY(ledger_records_new(&v, &o->records));
    return log_learn_presumed(o);
}

bool log_is_presumed(const struct log_options *o, const struct ledger_view *v)
{
    bool presumed = true;
    if (!o->asked) return o->presumed && ledger_presumed_has(o->presumed, v->json);
    return !is_ok(report_index_is_presumed(o->asked, v, &presumed)) || presumed;
}
