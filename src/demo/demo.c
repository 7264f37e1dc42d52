#include "demo/internal.h"
#include "ledger/ledger.h"
#include "os/os.h"
#include <signal.h>

struct demo {
    char directory[FIXTURE_PATH], vkey[LEDGER_VKEY_MAX];
    uint16_t origin_port;
    pid_t origin;
    struct fixture_gateway gateway;
    bool broken;
};

/* ---- our own commands -------------------------------------------------------------------------------------------- */

static void print_indented(span text)
{
    while (text.len > 0) {
        size_t end = span_find(text, '\n');
        printf("  %.*s\n", (int)end, (const char *)text.ptr);
        text = end < text.len ? span_from(text, end + 1) : span_of(NULL, 0);
    }
}

static int show_self(const struct demo *d, const char *const *argv)
{
    struct buf out;
    buf_init(&out, 4u << 20);
    int status = fixture_run(d->directory, argv, &out);
    print_indented(buf_span(&out));
    buf_free(&out);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static const char RECIPIENTS[] =
    "{ \"format\": 1,\n"
    "  \"departmental_issuers\": [ { \"CN\": \"DHS CA4\" }, { \"CN\": \"DOJ CA\" } ],\n"
    "  \"recipients\": [\n"
    "    { \"id\": \"uscis-officer\", \"agency\": \"DHS\", \"component\": \"USCIS\", \"standing\": \"employee\",\n"
    "      \"match\": { \"certificate\": { \"issuer\": { \"CN\": \"DHS CA4\" }, \"subject\": { \"OU\": \"USCIS\" } } },\n"
    "      \"purposes\": [\"adjudication\"] },\n"
    "    { \"id\": \"doj-attorney\", \"agency\": \"DOJ\", \"component\": \"EOIR\", \"standing\": \"employee\",\n"
    "      \"match\": { \"certificate\": { \"issuer\": { \"CN\": \"DOJ CA\" }, \"subject\": { \"OU\": \"DOJ\" } } },\n"
    "      \"purposes\": [\"litigation\"] },\n"
    "    { \"id\": \"state-police\", \"agency\": \"none\", \"standing\": \"none\",\n"
    "      \"organization\": \"Springfield State Police\", \"address\": \"1 Main St, Springfield\",\n"
    "      \"match\": { \"certificate\": { \"subject\": { \"CN\": \"sp-client\" } } } } ] }\n";

static RESULT write_config(const struct demo *d)
{
    char text[2048];
    snprintf(text, sizeof(text),
        "{ \"format\": 1,\n"
        "  \"listen\": [ { \"address\": \"127.0.0.1:0\", \"tls\": { \"certificate\": \"gateway.pem\", \"key\": \"gateway.key\",\n"
        "    \"client_ca\": \"recipients-ca.pem\", \"client_certificate\": \"optional\" } } ],\n"
        "  \"admin\": { \"address\": \"127.0.0.1:0\", \"socket\": \"admin.sock\" },\n"
        "  \"workers\": 1,\n"
        "  \"upstreams\": { \"records\": { \"servers\": [\"http://127.0.0.1:%u\"] } },\n"
        "  \"routes\": [ { \"path\": \"/api/\", \"upstream\": \"records\", \"profile\": \"persons-api\",\n"
        "    \"restricted_methods\": [\"GET\", \"HEAD\", \"POST\"] } ],\n"
        "  \"recipients\": \"recipients.json\",\n"
        "  \"rules\": [\"section-1367.json\", \"persons-api.json\"],\n"
        "  \"registry\": { \"index\": \"protected.idx\", \"key\": \"protected.key\" },\n"
        "  \"ledger\": { \"directory\": \"ledger\", \"key\": \"ledger.key\", \"origin\": \"gate1367.example/demo\" },\n"
        "  \"pace\": \"10ms\" }\n",
        d->origin_port);
    return fixture_write(d->directory, "gate.json", span_str(text));
}

static RESULT write_files(const struct demo *d)
{
    struct buf source;
    buf_init(&source, 1u << 20);
    TRY(demo_make_certificates(d->directory));
    TRY(fixture_write(d->directory, "recipients.json", span_str(RECIPIENTS)));
    TRY(fixture_write(d->directory, "section-1367.json", span_of(demo_pack_section, demo_pack_section_len)));
    TRY(fixture_write(d->directory, "persons-api.json", span_of(demo_pack_persons, demo_pack_persons_len)));
    TRY(write_config(d));
    result r = demo_write_registry_source(&source);
    if (is_ok(r)) r = fixture_write(d->directory, "protected.jsonl", buf_span(&source));
    buf_free(&source);
    return r;
}

static bool keep_vkey(struct demo *d, span printed)
{
    while (printed.len > 0 && printed.ptr[printed.len - 1] == '\n') printed.len--;
    size_t begin = printed.len;
    while (begin > 0 && printed.ptr[begin - 1] != '\n') begin--;
    span line = span_trim(span_from(printed, begin));
    if (line.len == 0 || line.len >= sizeof(d->vkey)) return false;
    memcpy(d->vkey, line.ptr, line.len);
    d->vkey[line.len] = '\0';
    return true;
}

static bool prepare(struct demo *d)
{
    static const char *const BUILD[] = {"gate1367", "registry", "build", "protected.jsonl", "-o", "protected.idx", "--key", "protected.key", NULL};
    static const char *const INIT[] = {"gate1367", "log", "init", "-c", "gate.json", "--segment", "4MiB", NULL};
    struct buf out;
    result r = write_files(d);
    if (!is_ok(r)) {
        fprintf(stderr, "gate1367 demo: %s: %s\n", d->directory, os_error_text(r));
        return false;
    }
    demo_show_heading("1. What the operator prepares", d->directory);
    if (show_self(d, BUILD) != 0) return false;
    buf_init(&out, 65536);
    bool good = fixture_run(d->directory, INIT, &out) == 0 && keep_vkey(d, buf_span(&out));
    if (good) printf("  empty ledger; the auditor keeps its verifier key:\n  %s\n", d->vkey);
    else print_indented(buf_span(&out));
    buf_free(&out);
    return good;
}

/* ---- what is shown ----------------------------------------------------------------------------------------------- */

static void ask_all(struct demo *d, const char *heading, const char *more, span method, const char *path, span body)
{
    struct demo_answer answers[4];
    demo_show_heading(heading, more);
    printf("  %.*s %s%s%.*s\n", SPAN_FMT(method), path, body.len > 0 ? "  " : "", SPAN_FMT(body));
    for (size_t i = 0; i < 4; i++) {
        result r = demo_ask(d->directory, d->gateway.port, &DEMO_RECIPIENTS[i], method, path, body, &answers[i]);
        if (!is_ok(r)) d->broken = true;
    }
    demo_show_answers(answers);
    for (size_t i = 0; i < 4; i++) buf_free(&answers[i].body);
}

/* Both answers, to the letter. */
static void compare_absent(struct demo *d)
{
    struct demo_answer withheld, absent;
    char path[2][64];
    snprintf(path[0], sizeof(path[0]), "/api/persons/%d", DEMO_PROTECTED_ID);
    snprintf(path[1], sizeof(path[1]), "/api/persons/%d", DEMO_MISSING_ID);
    const struct demo_recipient *police = &DEMO_RECIPIENTS[2];
    bool good = is_ok(demo_ask(d->directory, d->gateway.port, police, SPAN("GET"), path[0], SPAN(""), &withheld));
    good = is_ok(demo_ask(d->directory, d->gateway.port, police, SPAN("GET"), path[1], SPAN(""), &absent)) && good;
    bool equal = good && withheld.status == absent.status && span_equal(buf_span(&withheld.body), buf_span(&absent.body));
    printf("  the police's answer for her (%d) and for nobody (%d): %s\n", DEMO_PROTECTED_ID, DEMO_MISSING_ID,
        equal ? "the same bytes" : "DIFFERENT");
    if (!equal) d->broken = true;
    buf_free(&withheld.body);
    buf_free(&absent.body);
}

static void show_answers(struct demo *d)
{
    char her[64], him[64];
    snprintf(her, sizeof(her), "/api/persons/%d", DEMO_PROTECTED_ID);
    snprintf(him, sizeof(him), "/api/persons/%d", DEMO_ABUSER_ID);
    ask_all(d, "2. A list of four people, one of them protected", "counts agree with what is seen", SPAN("GET"), "/api/persons", SPAN(""));
    ask_all(d, "3. Her own record", "to those who are not entitled there is no such person", SPAN("GET"), her, SPAN(""));
    compare_absent(d);
    ask_all(d, "4. Her husband's record", "it stays, what it says about her does not", SPAN("GET"), him, SPAN(""));
    ask_all(d, "5. A search that would find her", "what was asked echoes nothing back", SPAN("POST"), "/api/search", SPAN("Hall 2"));
}

/* ---- the ledger -------------------------------------------------------------------------------------------------- */

static void show_ledger(struct demo *d)
{
    static const char *const LIST[] = {"gate1367", "log", "list", "-c", "gate.json", "--event", "disclosure", NULL};
    static const char *const LIST2[] = {"gate1367", "log", "list", "-c", "gate.json", "--event", "refusal", NULL};
    const char *const VERIFY[] = {"gate1367", "log", "verify", "--directory", "ledger", "--verifier", d->vkey, NULL};
    demo_show_heading("6. The ledger", "every attempt, durable before a byte left; nobody's name or number is in it");
    if (show_self(d, LIST) != 0 || show_self(d, LIST2) != 0) d->broken = true;
    demo_show_heading("7. Its verification", "with nothing but the verifier key");
    if (show_self(d, VERIFY) != 0) d->broken = true;
}

static RESULT copy_file(void *ctx, const char *name)
{
    const char *const *dirs = ctx;
    char from[2 * DEMO_PATH], to[2 * DEMO_PATH];
    struct buf text;
    snprintf(from, sizeof(from), "%s/%s", dirs[0], name);
    snprintf(to, sizeof(to), "%s/%s", dirs[1], name);
    result r = os_read_file(from, 1u << 28, &text);
    if (r.class == ERROR_IO || r.class == ERROR_CONFIG) return OK; /* a folder: copied on its own */
    TRY(r);
    r = os_write_atomic(to, buf_span(&text), 0600);
    buf_free(&text);
    return r;
}

/* One bit of one entry in the first segment, as somebody with a hex editor would do it. */
static RESULT falsify(const char *wal)
{
    struct buf text;
    TRY(os_read_file(wal, 1u << 28, &text));
    size_t at = span_search(buf_span(&text), SPAN("\"outcome\":\"withheld\""));
    bool found = at < buf_len(&text);
    if (found) text.base[text.read + at + 11] ^= 1;
    result r = found ? os_write_atomic(wal, buf_span(&text), 0600) : FAIL(ERROR_CONFIG, 0);
    buf_free(&text);
    return r;
}

static RESULT copy_and_falsify(const struct demo *d)
{
    char path[4][DEMO_PATH + 64], first[DEMO_PATH + 128];
    snprintf(path[0], sizeof(path[0]), "%s/ledger", d->directory);
    snprintf(path[1], sizeof(path[1]), "%s/copy", d->directory);
    snprintf(path[2], sizeof(path[2]), "%s/ledger/wal", d->directory);
    snprintf(path[3], sizeof(path[3]), "%s/copy/wal", d->directory);
    const char *top[] = {path[0], path[1]}, *wal[] = {path[2], path[3]};
    TRY(os_make_dir(path[1], 0700));
    TRY(os_make_dir(path[3], 0700));
    TRY(os_list_dir(path[0], copy_file, top));
    TRY(os_list_dir(path[2], copy_file, wal));
    snprintf(first, sizeof(first), "%s/%020d.wal", path[3], 0);
    return falsify(first);
}

static void show_tampering(struct demo *d)
{
    const char *const VERIFY[] = {"gate1367", "log", "verify", "--directory", "copy", "--verifier", d->vkey, NULL};
    demo_show_heading("8. A copy in which one bit of one entry was changed", "must be caught");
    result r = copy_and_falsify(d);
    if (!is_ok(r)) {
        printf("  could not make the copy: %s\n", os_error_text(r));
        d->broken = true;
        return;
    }
    if (show_self(d, VERIFY) != 1) d->broken = true;
}

/* ---- --keep ------------------------------------------------------------------------------------------------------ */

static void print_curl(const struct demo *d)
{
    demo_show_heading("It is running", "Ctrl-C ends it and removes everything");
    for (size_t i = 0; i < 4; i++) {
        const struct demo_recipient *r = &DEMO_RECIPIENTS[i];
        printf("  # %s\n  curl --cacert %s/gateway-ca.pem", r->title, d->directory);
        if (r->file != NULL) printf(" --cert %s/%s.pem --key %s/%s.key", d->directory, r->file, d->directory, r->file);
        if (r->purpose != NULL) printf(" -H 'Purpose-Of-Use: %s'", r->purpose);
        printf(" -i https://localhost:%u/api/persons\n", d->gateway.port);
    }
    printf("  # health, metrics, the ledger as it grows\n  curl %s/readyz; curl %s/metrics\n  gate1367 log follow -c %s/gate.json\n",
        d->gateway.admin, d->gateway.admin, d->directory);
    fflush(stdout);
}

static void wait_for_signal(void)
{
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &got);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int demo_run(bool keep)
{
    struct demo d = {0};
    if (!fixture_directory_make("demo", d.directory) || !fixture_origin_start(demo_origin_answer, NULL, &d.origin, &d.origin_port)) {
        fprintf(stderr, "gate1367 demo: no temporary directory or no socket on loopback\n");
        return 2;
    }
    bool ready = prepare(&d) && fixture_gateway_start(d.directory, &d.gateway);
    if (ready) {
        show_answers(&d);
        show_ledger(&d);
        show_tampering(&d);
        if (keep) {
            print_curl(&d);
            wait_for_signal();
        }
    }
    fixture_stop(&d.gateway.pid);
    fixture_stop(&d.origin);
    fixture_directory_remove(d.directory);
    if (ready) printf("\n%s\n", d.broken ? "something that should hold did not" : "all of it held");
    return !ready ? 2 : d.broken ? 1 : 0;
}
