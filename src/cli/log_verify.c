/* log verify, log prove */
#include "cli/log.h"
#include "os/os.h"
#include "tlog/tlog.h"
#include <errno.h>

#define NOTE_MAX ((size_t)16384)
#define PROOF_MAX ((size_t)65536)

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
    (void)all;
    cli_progress_show(ctx, "MiB verified", done >> 20, 0);
}

static const char *const judgements[] = {"sound", "tampered", "cannot_tell"};

/* What the entries of a sound ledger say. */
struct findings {
    uint64_t presumed, witnessed; /* seconds since 1970; 0: nobody asked */
    const char *records;          /* what is not in order with schedule and destruction; NULL: nothing */
};

static enum ledger_judgement look_closer(const struct log_options *o, struct findings *f)
{
    int status = LEDGER_IS_SOUND;
    f->presumed = ledger_presumed_count(o->presumed);
    f->records = log_records_problem(o, &status);
    return (enum ledger_judgement)status;
}

static void print_report_json(struct log_options *o, enum ledger_judgement j, const struct ledger_report *r, const struct findings *f)
{
    char root[65], problem[512];
    struct buf b;
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    if (f->records) snprintf(problem, sizeof problem, "%s", f->records);
    buf_init(&b, 8192);
    bool sound = r->first.fault == LEDGER_SOUND && !f->records;
    if (!sound && !is_ok(json_quote(&b, span_str(problem)))) buf_clear(&b);
    printf("{\"result\":\"%s\",\"entries\":%llu,\"frames\":%llu,\"segments\":%llu,\"bytes\":%llu,\"root\":\"%s\","
           "\"signed_end\":%llu,\"published\":%llu,"
           "\"unfinished\":%s,\"presumed_disclosed\":%llu",
        judgements[j], (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments,
        (unsigned long long)r->bytes, root, (unsigned long long)r->tip_size, (unsigned long long)r->published,
        r->torn ? "true" : "false", (unsigned long long)f->presumed);
    log_print_destroyed(o);
    log_print_clock(o);
    log_print_end(o);
    if (f->witnessed > 0) printf(",\"witnessed\":{\"entries\":%llu,\"time\":%llu}", (unsigned long long)r->older, (unsigned long long)f->witnessed);
    printf(",\"problem\":");
    if (sound || buf_len(&b) == 0)
        printf("null}\n");
    else
        printf("{\"file\":\"%s\",\"offset\":%llu,\"index\":%llu,\"message\":%.*s}}\n", f->records ? "epochs.json" : r->first.file,
            (unsigned long long)r->first.offset, (unsigned long long)r->first.index, SPAN_FMT(buf_span(&b)));
    buf_free(&b);
}

static void print_whole(const char *judgement, const struct ledger_report *r)
{
    char root[65];
    hex_encode(span_of(r->root, 32), root);
    printf("%s: %llu entries", judgement, (unsigned long long)r->entries);
    if (r->wal) printf("; in the write-ahead log %llu frames of %llu segments", (unsigned long long)r->frames,
        (unsigned long long)r->segments);
    printf("\nMerkle root %s\n", root);
    if (r->wal) printf("last signed end: %llu entries\n", (unsigned long long)r->tip_size);
    if (r->tiles) printf("published: checkpoint, tiles and bundles of %llu entries\n", (unsigned long long)r->published);
    else printf("published: nothing, there is no checkpoint\n");
    if (r->older) printf("the older checkpoint of %llu entries is of this log\n", (unsigned long long)r->older);
    if (r->torn)
        printf("note: the last frame is unfinished: a crash, or a writer at work; nothing in it was acknowledged\n");
}

static void print_witnessed(const struct log_options *o, const struct ledger_report *r, const struct findings *f)
{
    char time[LEDGER_TIME_TEXT];
    if (f->witnessed == 0) return;
    ledger_time_format(f->witnessed * 1000000, time);
    printf("its witness %.*s signed those %llu entries at %.19sZ; %llu came after\n", (int)strcspn(o->witness, "+"), o->witness,
        (unsigned long long)r->older, time, (unsigned long long)(r->entries - r->older));
}

static void print_report(const struct log_options *o, enum ledger_judgement j, const struct ledger_report *r, const struct findings *f)
{
    const char *directory = o->directory;
    char problem[512];
    if (f->records) {
        print_whole("hashes and signatures hold", r);
        log_print_destroyed(o);
        fprintf(stderr, "%s: %s\n%s\n", directory, f->records, j == LEDGER_IS_TAMPERED
            ? "NOT SOUND: what was written stands as it was written, but what it says of the keys of months is not so"
            : "cannot tell: what it says of the keys of months could not be held against them");
        return;
    }
    ledger_problem_format(&r->first, problem, sizeof problem);
    switch (j) {
    case LEDGER_IS_SOUND:
        print_whole("sound", r);
        print_witnessed(o, r, f);
        log_print_destroyed(o);
        log_print_clock(o);
        log_print_end(o);
        break;
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

static int verify(struct log_options *o, const struct ledger_verifier *v, span older, uint64_t witnessed)
{
    struct ledger_report report;
    struct cli_progress progress = {0};
    struct ledger_verify_options options = {
        .progress = show_progress, .ctx = &progress, .older = older, .each = log_learn_entry, .each_ctx = o};
    result r = log_learn_begin(o, v);
    if (!is_ok(r)) return log_fail(o, o->directory, ledger_error_text(r));
    enum ledger_judgement j = ledger_verify_with(o->directory, v, &options, &report);
    cli_progress_end(&progress);
    struct findings f = {.witnessed = witnessed};
    if (j == LEDGER_IS_SOUND) j = look_closer(o, &f);
    if (o->json)
        print_report_json(o, j, &report, &f);
    else
        print_report(o, j, &report, &f);
    if (!o->json && f.presumed > 0)
        printf("%llu disclosures without a completion: presumed disclosed (log list shows which)\n", (unsigned long long)f.presumed);
    return (int)j;
}

/* What is no checkpoint of this ledger says nothing of it. */
static int read_older(const struct log_options *o, const struct ledger_verifier *v, struct buf *older)
{
    struct tlog_verifier ours;
    struct tlog_checkpoint c;
    result r = os_read_file(o->checkpoint, NOTE_MAX, older);
    if (!is_ok(r)) return log_fail(o, o->checkpoint, os_error_text(r));
    bool good = is_ok(tlog_verifier_make(span_str(v->name), TLOG_ED25519, v->key, &ours)) && tlog_checkpoint_open(buf_span(older), &ours, &c);
    return good ? 0 : log_fail(o, o->checkpoint, "no checkpoint that this ledger's key signed; give a copy of tlog/checkpoint of an earlier day");
}

int log_verify(struct log_options *o)
{
    struct ledger_verifier v;
    struct buf older;
    uint64_t witnessed = 0;
    buf_init(&older, NOTE_MAX);
    if (!log_expected_verifier(o, &v)) return 2;
    int status = o->witness ? log_witnessed(o, &v, &older, &witnessed) : o->checkpoint ? read_older(o, &v, &older) : 0;
    span note = buf_span(&older);
    if (status == 0) status = verify(o, &v, o->checkpoint || o->witness ? note : span_of(NULL, 0), witnessed);
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
