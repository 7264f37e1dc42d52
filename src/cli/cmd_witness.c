/* witness init|serve */
#include "cli/cli.h"
#include "os/os.h"
#include "witness/witness.h"
#include <errno.h>
#include <signal.h>

#define LOGS_MAX 256u
#define LOGS_BYTES ((size_t)1 << 20)

struct witness_options {
    const char *listen, *key, *name, *state, *logs;
    struct tlog_verifier log[LOGS_MAX];
    size_t log_count;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "gate1367 witness: %s: %s\n", what, why);
    return 2;
}

static result make_key(const char *path, struct ledger_key **out)
{
    struct buf pem;
    TRY(ledger_key_generate(out));
    result r = ledger_key_pem(*out, &pem);
    if (is_ok(r)) r = os_secret_create(path, buf_span(&pem));
    buf_free(&pem);
    return r;
}

static result name_self(const struct witness_options *o, const struct ledger_key *key, struct tlog_verifier *out)
{
    uint8_t public[32];
    TRY(ledger_key_public(key, public));
    return tlog_verifier_make(span_str(o->name), TLOG_COSIGNATURE, public, out);
}

static int run_init(const struct witness_options *o)
{
    struct ledger_key *key = NULL;
    struct tlog_verifier self;
    char vkey[TLOG_VKEY_MAX];
    result r = os_exists(o->key) ? ledger_key_load(o->key, &key) : make_key(o->key, &key);
    if (is_ok(r)) r = name_self(o, key, &self);
    ledger_key_free(key);
    if (!is_ok(r)) return fail(r.code == TLOG_E_NAME ? o->name : o->key, r.code == TLOG_E_NAME ? "no name for a key; use one without blanks and +, as witness.example/w1" : ledger_error_text(r));
    r = os_make_dir(o->state, 0700);
    if (!is_ok(r)) return fail(o->state, os_error_text(r));
    tlog_verifier_format(&self, vkey);
    fprintf(stderr, "verifier key, for gateways (ledger.witness.verifier):\n");
    printf("%s\n", vkey);
    return 0;
}

/* One a line; empty lines and those that begin with # are passed over. */
static bool read_logs(struct witness_options *o)
{
    struct buf text;
    result r = os_read_file(o->logs, LOGS_BYTES, &text);
    if (!is_ok(r)) return fail(o->logs, os_error_text(r)), false;
    unsigned number = 0;
    bool good = true;
    for (span rest = buf_span(&text), line; rest.len > 0 && good; number++) {
        size_t n = span_find(rest, '\n');
        line = span_trim(span_sub(rest, 0, n));
        rest = span_from(rest, n < rest.len ? n + 1 : n);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        good = o->log_count < LOGS_MAX && is_ok(tlog_verifier_parse(line, &o->log[o->log_count])) &&
               o->log[o->log_count++].type == TLOG_ED25519;
    }
    buf_free(&text);
    if (!good) fprintf(stderr, "gate1367 witness: %s:%u: not a log's verifier key, as log init prints it\n", o->logs, number);
    if (good && o->log_count == 0) good = (fail(o->logs, "names no log"), false);
    return good;
}

static result serve_on(const struct witness_options *o, const struct witness *w)
{
    static const int wanted[] = {SIGTERM, SIGINT, 0};
    struct os_address address;
    char text[OS_ADDRESS_TEXT];
    int listener = -1, signals = -1;
    TRY(os_address_parse(o->listen, &address));
    result r = os_listen(&address, false, &listener);
    if (is_ok(r)) r = os_local_address(listener, &address);
    if (is_ok(r)) r = os_signals_open(wanted, &signals);
    if (is_ok(r)) {
        signal(SIGPIPE, SIG_IGN); /* a client that goes is no reason to end */
        os_address_format(&address, text);
        fprintf(stderr, "ready: http://%s\n", text);
        r = witness_serve(w, listener, signals);
    }
    os_close(&listener);
    os_close(&signals);
    return r;
}

/* Served all the same: the other logs have nothing to do with it. */
static void tell_forgotten(const struct witness *w)
{
    for (size_t i = 0; i < w->log_count; i++)
        if (!is_ok(witness_recall(w, i)))
            fprintf(stderr, "gate1367 witness: %s: what was signed of %s last is damaged, or by another key: it gets no signature. Bring state and key back "
                            "from a copy, or begin anew with another --state\n", w->state, w->logs[i].name);
}

static int run_serve(struct witness_options *o)
{
    struct ledger_key *key = NULL;
    char path[4096];
    int lock = -1;
    if (!o->listen || !o->logs) return cli_usage("witness", "serve needs --listen and --logs too");
    if (!read_logs(o)) return 2;
    snprintf(path, sizeof path, "%s/LOCK", o->state);
    result r = os_lock(path, &lock);
    if (!is_ok(r)) return fail(o->state, r.code == EWOULDBLOCK ? "another witness has it" : os_error_text(r));
    struct witness w = {.state = o->state, .logs = o->log, .log_count = o->log_count};
    r = ledger_key_load(o->key, &key);
    if (is_ok(r)) r = name_self(o, key, &w.self);
    w.key = key;
    if (is_ok(r)) tell_forgotten(&w);
    const char *what = is_ok(r) ? o->listen : o->key;
    if (is_ok(r)) r = serve_on(o, &w);
    ledger_key_free(key);
    os_close(&lock);
    return is_ok(r) ? 0 : fail(what, ledger_error_text(r));
}

int cli_witness(int argc, char **argv)
{
    static struct witness_options o; /* too large for the stack of a command that is called once */
    static const char *const actions[] = {"init", "serve", NULL};
    const char *action = argc > 1 ? argv[1] : NULL;
    const struct cli_option options[] = {{"--listen", NULL, &o.listen}, {"--key", NULL, &o.key}, {"--name", NULL, &o.name},
        {"--state", NULL, &o.state}, {"--logs", NULL, &o.logs}};
    bool init = action && strcmp(action, "init") == 0, serve = action && strcmp(action, "serve") == 0;
    if (!init && !serve) return cli_unknown_verb("witness", action, actions, actions + 2);
    argv[1] = argv[0];
    argc--, argv++;
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc > 1) return cli_usage("witness", "%s is one too many", argv[1]);
    if (!o.key || !o.name || !o.state) return cli_usage("witness", "%s needs --key, --name and --state", action);
    return init ? run_init(&o) : run_serve(&o);
}
