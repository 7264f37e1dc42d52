/* The SQLite index: log export --format sqlite makes and continues it, log list --index asks it. */
#include "cli/log.h"
#include "report/report.h"
#include <errno.h>

static int index_failed(const struct log_options *o, const char *path, result r)
{
    int status = log_fail(o, path, report_index_why(r));
    return r.code == REPORT_INDEX_DIFFERS ? 1 : status;
}

static void show(void *ctx, uint64_t done, uint64_t all)
{
    cli_progress_show(ctx, "entries indexed", done, all);
}

static void print_made(const struct log_options *o, unsigned long long entries, unsigned long long added)
{
    if (!o->json) {
        printf("%s: %llu entries, %llu of them new; agrees with the signed checkpoint\n", o->output, entries, added);
        return;
    }
    printf("{\"index\":");
    log_print_quoted(o->output);
    printf(",\"entries\":%llu,\"added\":%llu}\n", entries, added);
}

int log_index(struct log_options *o)
{
    struct ledger_verifier v;
    struct report_index *index = NULL;
    struct cli_progress progress = {0};
    if (!o->output) return cli_usage("log", "--format sqlite writes a file: give -o FILE");
    if (o->filtered) return cli_usage("log", "an index holds all entries; leave the filters out, and give them to log list --index");
    if (o->unseal) return cli_usage("log", "an index holds no sealed parts; leave --unseal out, and give it to log list --index");
    if (!log_expected_verifier(o, &v)) return 2;
    result r = report_index_open(o->output, o->directory, &v, true, &index);
    uint64_t before = is_ok(r) ? report_index_size(index) : 0;
    if (is_ok(r)) r = report_index_update(index, show, &progress);
    cli_progress_end(&progress);
    if (is_ok(r)) print_made(o, report_index_size(index), report_index_size(index) - before);
    report_index_close(index);
    return is_ok(r) ? 0 : index_failed(o, o->output, r);
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

struct asking {
    struct log_options *options;
    struct ledger_fetch *fetch;
    log_entry_fn *each;
    void *ctx;
};

static result learn(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct asking *a = ctx;
    struct ledger_view v;
    (void)index, (void)frame;
    REQUIRE(ledger_view_parse(json, &v), ERROR_INTERNAL, LEDGER_E_ENTRY);
    return ledger_unsealer_learn(a->options->unsealer, &v);
}

static result learn_key(void *ctx, uint64_t index)
{
    struct asking *a = ctx;
    return ledger_fetch(a->fetch, index, learn, a);
}

/* What the index says is looked at once more: an index that lies shows nothing that does not pass. */
static result show_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct asking *a = ctx;
    struct ledger_view v;
    (void)frame;
    REQUIRE(ledger_view_parse(json, &v), ERROR_INTERNAL, LEDGER_E_ENTRY);
    if (a->options->unsealer) TRY(ledger_unsealer_learn(a->options->unsealer, &v));
    return log_passes(a->options, &v) ? a->each(a->ctx, index, &v) : OK;
}

static result show_found(void *ctx, uint64_t index)
{
    struct asking *a = ctx;
    return ledger_fetch(a->fetch, index, show_entry, a);
}

static result see_rest(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    (void)index, (void)frame;
    return report_index_see(ctx, json);
}

/* What completes an answer may have come after the index was made: all of that is read before the first is judged. */
static result learn_rest(struct asking *a, struct report_index *index, struct ledger_problem *problem)
{
    struct ledger_reader *reader = NULL;
    TRY(ledger_reader_open(a->options->directory, report_index_size(index), &reader));
    result r = ledger_reader_read(reader, see_rest, index, problem);
    ledger_reader_close(reader);
    a->options->asked = index;
    return r;
}

/* What came after the index was made. */
static result show_rest(struct asking *a, uint64_t from, struct ledger_problem *problem)
{
    struct ledger_reader *reader = NULL;
    TRY(ledger_reader_open(a->options->directory, from, &reader));
    result r = ledger_reader_read(reader, show_entry, a, problem);
    uint64_t end = ledger_reader_next(reader);
    ledger_reader_close(reader);
    if (is_ok(r) && end > from)
        fprintf(stderr, "gate1367 log: the index is %llu entries behind, which were read from the ledger; log export --format sqlite continues it\n",
            (unsigned long long)(end - from));
    return r;
}

static result answer(struct asking *a, struct report_index *index, struct ledger_problem *problem)
{
    struct ledger_filter keys = {.event = ledger_event_name(LEDGER_KEY)};
    TRY(learn_rest(a, index, problem));
    if (a->options->unsealer) TRY(report_index_find(index, &keys, learn_key, a));
    TRY(report_index_find(index, &a->options->filter, show_found, a));
    return show_rest(a, report_index_size(index), problem);
}

int log_ask_index(struct log_options *o, log_entry_fn *each, void *ctx)
{
    struct ledger_verifier v;
    struct report_index *index = NULL;
    struct asking a = {o, NULL, each, ctx};
    struct ledger_problem problem = {0};
    if (o->verifier && !log_expected_verifier(o, &v)) return 2;
    result r = o->verifier ? OK : ledger_verifier_read(o->directory, &v);
    if (!is_ok(r)) return log_fail(o, o->directory, ledger_error_text(r));
    r = report_index_open(o->index, o->directory, &v, false, &index);
    if (!is_ok(r)) return index_failed(o, o->index, r);
    r = ledger_fetch_open(o->directory, &a.fetch);
    if (is_ok(r)) r = answer(&a, index, &problem);
    o->asked = NULL;
    ledger_fetch_close(a.fetch);
    report_index_close(index);
    if (is_ok(r)) return 0;
    return r.code >= REPORT_INDEX_SQLITE && r.code <= REPORT_INDEX_DIFFERS ? index_failed(o, o->index, r) : log_reading_failed(o, r, &problem);
}
