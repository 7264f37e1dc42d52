/* log verify, log prove */
#include "cli/log.h"
#include "os/os.h"
#include <errno.h>

#define NOTE_MAX ((size_t)16384)
#define PROOF_MAX ((size_t)65536)

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
    (void)all;
    cli_progress_show(ctx, "MiB verified", done >> 20, 0);
}

static const char *const judgements[] = {"sound", "tampered", "cannot_tell"};

/* Of a sound ledger, not of a copy of its published half alone. */
static uint64_t presumed_in(struct log_options *o, enum ledger_judgement j, const struct ledger_report *r)
{
    bool known = j == LEDGER_IS_SOUND && r->wal && is_ok(log_learn_presumed(o, 0));
    return known ? ledger_presumed_count(o->presumed) : 0;
}

static void print_report_json(enum ledger_judgement j, const struct ledger_report *r, uint64_t presumed)
{
    char root[65], problem[512];
    struct buf b;
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    buf_init(&b, 8192);
    bool sound = r->first.fault == LEDGER_SOUND;
    if (!sound && !is_ok(json_quote(&b, span_str(problem)))) buf_clear(&b);
    printf("{\"result\":\"%s\",\"entries\":%llu,\"frames\":%llu,\"segments\":%llu,\"bytes\":%llu,\"root\":\"%s\","
           "\"signed_end\":%llu,\"published\":%llu,"
           "\"unfinished\":%s,\"presumed_disclosed\":%llu,\"problem\":",
        judgements[j], (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments,
        (unsigned long long)r->bytes, root, (unsigned long long)r->tip_size, (unsigned long long)r->published,
        r->torn ? "true" : "false", (unsigned long long)presumed);
    if (sound || buf_len(&b) == 0)
        printf("null}\n");
    else
        printf("{\"file\":\"%s\",\"offset\":%llu,\"index\":%llu,\"message\":%.*s}}\n", r->first.file,
            (unsigned long long)r->first.offset, (unsigned long long)r->first.index, SPAN_FMT(buf_span(&b)));
    buf_free(&b);
}

static void print_sound(const struct ledger_report *r)
{
    char root[65];
    hex_encode(span_of(r->root, 32), root);
    printf("sound: %llu entries", (unsigned long long)r->entries);
    if (r->wal) printf("; in the write-ahead log %llu frames of %llu segments", (unsigned long long)r->frames,
        (unsigned long long)r->segments);
    printf("\nMerkle root %s\n", root);
    if (r->wal) printf("last signed end: %llu entries\n", (unsigned long long)r->tip_size);
    if (r->tiles) printf("published: checkpoint, tiles and bundles of %llu entries\n", (unsigned long long)r->published);
    if (r->older) printf("the older checkpoint of %llu entries is of this log\n", (unsigned long long)r->older);
    if (r->torn)
        printf("note: the last frame is unfinished: a crash, or a writer at work; nothing in it was acknowledged\n");
}

static void print_report(enum ledger_judgement j, const struct ledger_report *r, const char *directory)
{
    char problem[512];
    ledger_problem_format(&r->first, problem, sizeof problem);
    switch (j) {
    case LEDGER_IS_SOUND: print_sound(r); break;
    case LEDGER_IS_TAMPERED:
        fprintf(stderr,
            "%s/%s\nNOT SOUND: what is written before entry %llu holds; from there on nothing can be relied on\n",
            directory, problem, (unsigned long long)r->first.index);
        break;
    case LEDGER_CANNOT_TELL:
        fprintf(stderr, "%s/%s\ncannot tell: the ledger could not be read\n", directory, problem);
        break;
    }
}

static int verify(struct log_options *o, span older)
{
    struct ledger_verifier v;
    struct ledger_report report;
    struct cli_progress progress = {0};
    struct ledger_verify_options options = {.progress = show_progress, .ctx = &progress, .older = older};
    if (!log_expected_verifier(o, &v)) return 2;
    enum ledger_judgement j = ledger_verify_with(o->directory, &v, &options, &report);
    cli_progress_end(&progress);
    uint64_t presumed = presumed_in(o, j, &report);
    if (o->json)
        print_report_json(j, &report, presumed);
    else
        print_report(j, &report, o->directory);
    if (!o->json && presumed > 0)
        printf("%llu disclosures without a completion: presumed disclosed (log list shows which)\n", (unsigned long long)presumed);
    return (int)j;
}

int log_verify(struct log_options *o)
{
    if (!o->checkpoint) return verify(o, span_of(NULL, 0));
    struct buf older;
    result r = os_read_file(o->checkpoint, NOTE_MAX, &older);
    if (!is_ok(r)) return log_fail(o, o->checkpoint, os_error_text(r));
    int status = verify(o, buf_span(&older));
    buf_free(&older);
    return status;
}

/* ---- prove ---------------------------------------------------------------------------------------------------- */

static int proving_failed(const struct log_options *o, result r, const char *number, uint64_t size)
{
    if (r.class == ERROR_LIMIT && r.code == ERANGE) {
        fprintf(stderr, "gate1367 log: %s is beyond the checkpoint, which has %llu entries\n", number,
            (unsigned long long)size);
        return 1;
    }
    log_fail(o, o->directory, ledger_error_text(r));
    return r.code == LEDGER_E_CORRUPT ? 1 : 2;
}

static int put_out(const struct log_options *o, span proof)
{
    if (!o->output) return fwrite(proof.ptr, 1, proof.len, stdout) == proof.len ? 0 : 2;
    result r = os_write_atomic(o->output, proof, 0644);
    return is_ok(r) ? 0 : log_fail(o, o->output, os_error_text(r));
}

int log_prove(struct log_options *o, const char *what, const char *number)
{
    struct ledger_verifier v;
    struct buf proof;
    uint64_t n = 0, size = 0;
    bool inclusion = what && strcmp(what, "inclusion") == 0, consistency = what && strcmp(what, "consistency") == 0;
    if ((!inclusion && !consistency) || !number || !span_to_u64(span_str(number), UINT64_MAX - 1, &n))
        return cli_usage("log", "prove takes inclusion INDEX, or consistency SIZE");
    if (!log_expected_verifier(o, &v)) return 2;
    buf_init(&proof, PROOF_MAX);
    result r = inclusion ? ledger_prove_inclusion(o->directory, &v, n, &proof, &size)
                         : ledger_prove_consistency(o->directory, &v, n, &proof, &size);
    int status = is_ok(r) ? put_out(o, buf_span(&proof)) : proving_failed(o, r, number, size);
    buf_free(&proof);
    return status;
}
