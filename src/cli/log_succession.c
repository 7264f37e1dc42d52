/* log rotate, log recover, log approve: from one ledger to the next. */
#include "cli/log.h"
#include "os/os.h"
#include "tlog/tlog.h"
#include <errno.h>

struct succession {
    struct log_options log;
    const char *directory, *key, *origin, *reason, *approval, *out;
};

static bool take_options(struct succession *s, int *argc, char **argv)
{
    const struct cli_option options[] = {{"-c", NULL, &s->log.config}, {"--new-directory", NULL, &s->directory},
        {"--new-key", NULL, &s->key}, {"--new-origin", NULL, &s->origin}, {"--reason", NULL, &s->reason},
        {"--approval", NULL, &s->approval}, {"-o", NULL, &s->out}, {"--output", NULL, &s->out}};
    s->log.command = "log";
    if (!cli_verb_options("log", argc, argv, options, ARRAY_LEN(options))) return false;
    if (*argc > 1) return (void)cli_usage("log", "%s is one too many", argv[1]), false;
    if (!s->log.config || !s->directory || !s->key || !s->origin)
        return (void)cli_usage("log", "%s needs -c, --new-directory, --new-key and --new-origin", argv[0]), false;
    return log_find(&s->log);
}

static struct ledger_place old_place(const struct succession *s)
{
    return (struct ledger_place){.directory = s->log.directory, .key_path = s->log.key, .origin = s->log.origin};
}

static struct ledger_place new_place(const struct succession *s)
{
    return (struct ledger_place){.directory = s->directory, .key_path = s->key, .origin = s->origin};
}

static int done(const struct succession *s, const struct ledger_verifier *v)
{
    char vkey[LEDGER_VKEY_MAX];
    ledger_verifier_format(v, vkey);
    fprintf(stderr, "%s has ended; put \"directory\", \"key\" and \"origin\" of the new ledger into %s\nverifier key, for auditors:\n",
        s->log.directory, s->log.config);
    printf("%s\n", vkey);
    return 0;
}

int log_rotate(int argc, char **argv)
{
    static struct succession s;
    struct ledger_verifier v;
    if (!take_options(&s, &argc, argv)) return 2;
    struct ledger_place old = old_place(&s), next = new_place(&s);
    result r = ledger_rotate(&old, &next, &v);
    if (is_ok(r)) return done(&s, &v);
    return log_fail(&s.log, r.code == LEDGER_E_EXISTS ? s.directory : s.log.directory, ledger_error_text(r));
}

/* ---- recover -------------------------------------------------------------------------------------------------- */

static int put_statement(const struct succession *s, span text)
{
    if (!s->out) return fwrite(text.ptr, 1, text.len, stdout) == text.len ? 0 : 2;
    result r = os_write_atomic(s->out, text, 0644);
    return is_ok(r) ? 0 : log_fail(&s->log, s->out, os_error_text(r));
}

static int state(const struct succession *s, const struct ledger_place *old, const struct ledger_place *next)
{
    struct buf text;
    buf_init(&text, LEDGER_NOTE_MAX);
    result r = ledger_recovery_statement(old, next, span_str(s->reason), &text);
    int status = is_ok(r) ? put_statement(s, buf_span(&text))
                          : log_fail(&s->log, r.code == EINVAL ? s->reason : s->directory,
                                r.code == EINVAL ? "not one line of text" : ledger_error_text(r));
    buf_free(&text);
    return status;
}

static int recover(struct succession *s, const struct ledger_place *old, const struct ledger_place *next, span approval)
{
    const char *approvers[LOG_APPROVERS];
    struct ledger_verifier v;
    for (size_t i = 0; i < s->log.approver_count; i++)
        approvers[i] = s->log.approvers[i];
    result r = ledger_recover(old, next, approval, approvers, s->log.approver_count, &v);
    if (is_ok(r)) return done(s, &v);
    log_fail(&s->log, r.code == LEDGER_E_APPROVAL ? s->approval : s->directory, ledger_error_text(r));
    return r.code == LEDGER_E_APPROVAL ? 1 : 2;
}

int log_recover(int argc, char **argv)
{
    static struct succession s;
    if (!take_options(&s, &argc, argv)) return 2;
    if (!s.reason == !s.approval) return cli_usage("log", "recover needs --reason TEXT, and then --approval FILE");
    struct ledger_place old = old_place(&s), next = new_place(&s);
    if (s.reason) return state(&s, &old, &next);
    struct buf approval;
    result r = os_read_file(s.approval, LEDGER_NOTE_MAX, &approval);
    if (!is_ok(r)) return log_fail(&s.log, s.approval, os_error_text(r));
    int status = recover(&s, &old, &next, buf_span(&approval));
    buf_free(&approval);
    return status;
}

/* ---- approve -------------------------------------------------------------------------------------------------- */

static bool sign(void *ctx, span message, uint8_t signature[64])
{
    return ledger_key_sign(ctx, message, signature);
}

/* The text of a statement that nobody signed yet, or of one that others did. */
static result add_signature(struct ledger_key *key, const struct tlog_verifier *v, span file, struct buf *out)
{
    struct tlog_note n;
    bool is_signed = tlog_note_split(file, &n);
    span text = is_signed ? n.text : file;
    REQUIRE(text.len > 0 && text.ptr[text.len - 1] == '\n', ERROR_CONFIG, EINVAL);
    TRY(buf_append(out, file));
    if (!is_signed) TRY(buf_append(out, SPAN("\n")));
    return tlog_note_sign(out, text, v, 0, sign, key);
}

static result sign_file(struct ledger_key *key, const struct tlog_verifier *v, const char *path)
{
    struct buf file, out;
    TRY(os_read_file(path, LEDGER_NOTE_MAX, &file));
    buf_init(&out, LEDGER_NOTE_MAX);
    result r = add_signature(key, v, buf_span(&file), &out);
    if (is_ok(r)) r = os_write_atomic(path, buf_span(&out), 0644);
    buf_free(&out);
    buf_free(&file);
    return r;
}

static int print_key(const struct tlog_verifier *v)
{
    char vkey[TLOG_VKEY_MAX];
    tlog_verifier_format(v, vkey);
    printf("%s\n", vkey);
    return 0;
}

int log_approve(int argc, char **argv)
{
    const char *key_path = NULL, *name = NULL;
    const struct cli_option options[] = {{"--key", NULL, &key_path}, {"--name", NULL, &name}};
    struct log_options o = {.command = "log"};
    struct ledger_key *key = NULL;
    struct tlog_verifier v;
    uint8_t public[32];
    if (!cli_verb_options("log", &argc, argv, options, ARRAY_LEN(options))) return 2;
    if (!key_path || !name || argc > 2) return cli_usage("log", "approve needs --key FILE --name NAME, and takes one STATEMENT");
    result r = ledger_key_load(key_path, &key);
    if (is_ok(r)) r = ledger_key_public(key, public);
    if (is_ok(r)) r = tlog_verifier_make(span_str(name), TLOG_ED25519, public, &v);
    const char *what = is_ok(r) && argc > 1 ? argv[1] : key_path;
    if (is_ok(r) && argc > 1) r = sign_file(key, &v, argv[1]);
    ledger_key_free(key);
    if (!is_ok(r)) return log_fail(&o, r.code == TLOG_E_NAME ? name : what, r.code == TLOG_E_NAME ? "no name for a key; use one without blanks and +, as officer.example/me" : ledger_error_text(r));
    return argc > 1 ? 0 : print_key(&v);
}
