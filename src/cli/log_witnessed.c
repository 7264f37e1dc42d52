/* log verify --witness: what somebody elsewhere has signed of this ledger, and when. */
#include "cli/log.h"
#include "os/os.h"
#include "tlog/tlog.h"
#include <errno.h>

static const char *path_of(const struct log_options *o, char out[LOG_PATH_BYTES])
{
    if (o->checkpoint) return o->checkpoint;
    snprintf(out, LOG_PATH_BYTES, "%s/%switnessed", o->directory, ledger_is_copy(o->directory) ? "" : "tlog/");
    return out;
}

static int judge(const struct log_options *o, const char *path, const struct ledger_verifier *log, const struct tlog_verifier *witness,
    span text, uint64_t *time)
{
    struct tlog_verifier ours;
    struct tlog_note note;
    struct tlog_checkpoint c;
    bool good = is_ok(tlog_verifier_make(span_str(log->name), TLOG_ED25519, log->key, &ours)) && tlog_checkpoint_open(text, &ours, &c) &&
                tlog_note_split(text, &note);
    if (!good) return log_fail(o, path, "not a checkpoint of this ledger");
    return tlog_note_signed(&note, witness, time) && *time > 0 ? 0 : log_fail(o, path, "that witness did not sign it");
}

int log_witnessed(const struct log_options *o, const struct ledger_verifier *log, struct buf *note, uint64_t *time)
{
    struct tlog_verifier witness;
    char room[LOG_PATH_BYTES];
    const char *path = path_of(o, room);
    result r = tlog_verifier_parse(span_str(o->witness), &witness);
    if (!is_ok(r) || witness.type != TLOG_COSIGNATURE)
        return log_fail(o, "--witness", "takes the verifier key of a witness, as gate1367 witness init printed it");
    r = os_read_file(path, TLOG_NOTE_MAX, note);
    if (!is_ok(r)) return log_fail(o, path, os_error_text(r));
    return judge(o, path, log, &witness, buf_span(note), time);
}
