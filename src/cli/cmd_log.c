/* log init|verify|list|show|follow */
#include "cli/cli.h"
#include "ledger/ledger.h"
#include "os/os.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

#define GATE_JSON_MAX ((size_t)16 << 20)
#define FOLLOW_NS 100000000L
#define PATH_MAX_BYTES 4096

struct log_options {
    const char *config, *directory, *verifier, *key, *origin;
    const char *recipient, *outcome, *event, *since, *until, *segment;
    bool json;
    char directory_path[PATH_MAX_BYTES], key_path[PATH_MAX_BYTES], origin_name[LEDGER_NAME_MAX + 1];
    uint64_t since_us, until_us;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "gate1367 log: %s: %s\n", what, why);
    return 2;
}

/* ---- where the ledger is -------------------------------------------------------------------------------------- */

/* Paths in gate.json are relative to it. */
static void resolve(char out[PATH_MAX_BYTES], const char *config, const char *path)
{
    const char *slash = strrchr(config, '/');
    int base = slash && path[0] != '/' ? (int)(slash - config) + 1 : 0;
    snprintf(out, PATH_MAX_BYTES, "%.*s%s", base, config, path);
}

static bool read_ledger_member(struct log_options *o, struct source *s, struct problems *p)
{
    struct place root = place_root(s), at = place_member(&root, "ledger");
    const json_t *ledger = json_object_get(source_root(s), "ledger");
    if (!json_is_object(ledger))
        place_error(&root, "there is no ledger; \"ledger\": {\"directory\", \"key\", \"origin\"} is expected");
    if (problems_errors(p) > 0) return false;
    const char *directory = place_string(&at, ledger, "directory", true, "");
    const char *key = place_string(&at, ledger, "key", true, "");
    const char *origin = place_string(&at, ledger, "origin", true, "");
    if (problems_errors(p) > 0) return false;
    resolve(o->directory_path, o->config, directory);
    resolve(o->key_path, o->config, key);
    snprintf(o->origin_name, sizeof o->origin_name, "%s", origin);
    o->directory = o->directory_path;
    o->key = o->key_path;
    o->origin = o->origin_name;
    return true;
}

/* Only the ledger's place is read: an auditor must get at it also where the rest of the configuration is broken. */
static bool read_config(struct log_options *o)
{
    struct buf text;
    result r = os_read_file(o->config, GATE_JSON_MAX, &text);
    if (!is_ok(r)) return fail(o->config, os_error_text(r)), false;
    struct problems *p = problems_new();
    struct source *s = p ? source_parse(o->config, buf_span(&text), p) : NULL;
    bool good = s && read_ledger_member(o, s, p);
    if (!good && p) cli_print_problems(p, false);
    source_free(s);
    problems_free(p);
    buf_free(&text);
    return good;
}

static bool check_filters(struct log_options *o)
{
    enum ledger_event event;
    enum ledger_outcome outcome;
    o->until_us = UINT64_MAX;
    if (o->event && !ledger_event_parse(span_str(o->event), &event))
        return (void)cli_usage("log", "there is no event \"%s\"", o->event), false;
    if (o->outcome && !ledger_outcome_parse(span_str(o->outcome), &outcome))
        return (void)cli_usage("log", "there is no outcome \"%s\"", o->outcome), false;
    if (o->since && !ledger_time_parse(span_str(o->since), &o->since_us))
        return (void)cli_usage("log", "--since takes a date or an RFC 3339 time, not \"%s\"", o->since), false;
    if (o->until && !ledger_time_parse(span_str(o->until), &o->until_us))
        return (void)cli_usage("log", "--until takes a date or an RFC 3339 time, not \"%s\"", o->until), false;
    return true;
}

static bool take_options(struct log_options *o, int *argc, char **argv)
{
    const struct cli_option options[] = {{"-c", NULL, &o->config}, {"--directory", NULL, &o->directory},
        {"--verifier", NULL, &o->verifier}, {"--key", NULL, &o->key}, {"--origin", NULL, &o->origin},
        {"--recipient", NULL, &o->recipient}, {"--outcome", NULL, &o->outcome}, {"--event", NULL, &o->event},
        {"--since", NULL, &o->since}, {"--until", NULL, &o->until}, {"--segment", NULL, &o->segment}, {"--json", &o->json, NULL}};
    if (!cli_options(argc, argv, options, ARRAY_LEN(options))) return false;
    if (o->config && o->directory) return (void)cli_usage("log", "give either -c or --directory"), false;
    if (!o->config && !o->directory)
        return (void)cli_usage("log", "give -c gate.json, or --directory DIR --verifier VKEY"), false;
    return check_filters(o) && (!o->config || read_config(o));
}

/* Whose ledger this must be. From the command line; else the public half of the configured key. */
static bool expected_verifier(const struct log_options *o, struct ledger_verifier *out)
{
    struct ledger_key *key = NULL;
    result r;
    if (o->verifier) {
        r = ledger_verifier_parse(span_str(o->verifier), out);
        if (!is_ok(r)) fail(o->verifier, ledger_error_text(r));
        return is_ok(r);
    }
    if (!o->key || !o->origin)
        return (void)cli_usage("log", "--directory needs --verifier VKEY, as log init printed it"), false;
    r = ledger_key_load(o->key, &key);
    if (is_ok(r)) r = ledger_verifier_of(key, o->origin, out);
    if (!is_ok(r)) fail(o->key, ledger_error_text(r));
    ledger_key_free(key);
    return is_ok(r);
}

/* Listing proves nothing, but it must not show somebody another ledger than the one he named. */
static bool named_ledger(const struct log_options *o)
{
    struct ledger_verifier wanted, found;
    if (!o->verifier) return true;
    if (!expected_verifier(o, &wanted)) return false;
    result r = ledger_verifier_read(o->directory, &found);
    bool same = is_ok(r) && strcmp(wanted.name, found.name) == 0 && memcmp(wanted.key, found.key, 32) == 0;
    if (!same) fail(o->directory, is_ok(r) ? "is the ledger of another verifier key" : ledger_error_text(r));
    return same;
}

/* ---- init ----------------------------------------------------------------------------------------------------- */

/* "64MiB": whole megabytes, for a segment is written with zeros when it is made. */
static bool parse_segment(const char *text, uint64_t *bytes)
{
    span s = span_str(text);
    uint64_t n = 0;
    bool unit = s.len > 3 && span_equal(span_from(s, s.len - 3), SPAN("MiB"));
    if (!unit || !span_to_u64(span_sub(s, 0, s.len - 3), 1024, &n) || n == 0) return false;
    *bytes = n << 20;
    return true;
}

static int run_init(struct log_options *o)
{
    struct ledger_verifier v;
    char vkey[LEDGER_VKEY_MAX];
    uint64_t segment = 0;
    if (!o->key || !o->origin) return cli_usage("log", "init needs -c gate.json, or --directory, --key and --origin");
    if (o->segment && !parse_segment(o->segment, &segment))
        return cli_usage("log", "--segment takes 1MiB to 1024MiB, not \"%s\"", o->segment);
    struct ledger_place place = {o->directory, o->key, o->origin, segment};
    bool had_key = os_exists(o->key);
    result r = ledger_init(&place, &v);
    if (!is_ok(r)) return fail(r.code == LEDGER_E_KEY ? o->key : o->directory, ledger_error_text(r));
    ledger_verifier_format(&v, vkey);
    fprintf(stderr, "%s the key %s; the ledger %s is empty\nverifier key, for auditors:\n", had_key ? "used" : "made",
        o->key, o->directory);
    if (o->json)
        printf("{\"directory\":\"%s\",\"verifier\":\"%s\"}\n", o->directory, vkey);
    else
        printf("%s\n", vkey);
    return 0;
}

/* ---- verify --------------------------------------------------------------------------------------------------- */

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
    (void)all;
    cli_progress_show(ctx, "MiB verified", done >> 20, 0);
}

static const char *const judgements[] = {"sound", "tampered", "cannot_tell"};

static void print_report_json(enum ledger_judgement j, const struct ledger_report *r)
{
    char root[65], problem[512];
    struct buf b;
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    buf_init(&b, 8192);
    bool sound = r->first.fault == LEDGER_SOUND;
    if (!sound && !is_ok(json_quote(&b, span_str(problem)))) buf_clear(&b);
    printf("{\"result\":\"%s\",\"entries\":%llu,\"frames\":%llu,\"segments\":%llu,\"bytes\":%llu,\"root\":\"%s\","
           "\"signed_end\":%llu,"
           "\"unfinished\":%s,\"problem\":",
        judgements[j], (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments,
        (unsigned long long)r->bytes, root, (unsigned long long)r->tip_size, r->torn ? "true" : "false");
    if (sound || buf_len(&b) == 0)
        printf("null}\n");
    else
        printf("{\"file\":\"%s\",\"offset\":%llu,\"index\":%llu,\"message\":%.*s}}\n", r->first.file,
            (unsigned long long)r->first.offset, (unsigned long long)r->first.index, SPAN_FMT(buf_span(&b)));
    buf_free(&b);
}

static void print_report(enum ledger_judgement j, const struct ledger_report *r, const char *directory)
{
    char root[65], problem[512];
    hex_encode(span_of(r->root, 32), root);
    ledger_problem_format(&r->first, problem, sizeof problem);
    switch (j) {
    case LEDGER_IS_SOUND:
        printf("sound: %llu entries in %llu frames of %llu segments\nMerkle root %s\nlast signed end: %llu entries\n",
            (unsigned long long)r->entries, (unsigned long long)r->frames, (unsigned long long)r->segments, root,
            (unsigned long long)r->tip_size);
        if (r->torn)
            printf(
                "note: the last frame is unfinished: a crash, or a writer at work; nothing in it was acknowledged\n");
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

static int run_verify(struct log_options *o)
{
    struct ledger_verifier v;
    struct ledger_report report;
    struct cli_progress progress = {0};
    if (!expected_verifier(o, &v)) return 2;
    enum ledger_judgement j = ledger_verify(o->directory, &v, show_progress, &progress, &report);
    cli_progress_end(&progress);
    if (o->json)
        print_report_json(j, &report);
    else
        print_report(j, &report, o->directory);
    return (int)j;
}

/* ---- list, follow --------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    return s ? s : "-";
}

/* What came from a client must not move the auditor's cursor: control characters, C1 ones too, become '?'. */
static void print_safe(FILE *to, const char *s)
{
    for (const uint8_t *p = (const uint8_t *)s; *p; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;
        fputc(*p < 0x20 || *p == 0x7f || c1 ? '?' : *p, to);
        p += c1;
    }
}

static bool matches(const struct log_options *o, const json_t *e)
{
    uint64_t at = 0;
    const char *time = text_of(e, "time");
    if (o->event && strcmp(text_of(e, "event"), o->event) != 0) return false;
    if (o->outcome && strcmp(text_of(e, "outcome"), o->outcome) != 0) return false;
    if (o->recipient && strcmp(text_of(json_object_get(e, "recipient"), "id"), o->recipient) != 0) return false;
    if (!o->since && !o->until) return true;
    return ledger_time_parse(span_str(time), &at) && at >= o->since_us && at < o->until_us;
}

static long long count_of(const json_t *records, const char *name)
{
    return (long long)json_integer_value(json_object_get(records, name));
}

static void print_row(uint64_t index, const json_t *e)
{
    const json_t *records = json_object_get(e, "records"), *status = json_object_get(e, "status");
    printf("%8llu  %.19sZ  %-10s %-13s ", (unsigned long long)index, text_of(e, "time"), text_of(e, "event"),
        text_of(e, "outcome"));
    char counts[72];
    if (json_is_integer(status))
        printf("%6lld  ", (long long)json_integer_value(status));
    else
        printf("%6s  ", "-");
    snprintf(counts, sizeof counts, "%lld/%lld/%lld", count_of(records, "seen"), count_of(records, "withheld"),
        count_of(records, "disclosed"));
    printf("%-23s  ", counts);
    print_safe(stdout, text_of(json_object_get(e, "recipient"), "id"));
    printf("  ");
    print_safe(stdout, text_of(e, "method"));
    printf(" ");
    print_safe(stdout, text_of(e, "target"));
    printf("\n");
}

static result list_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    const struct log_options *o = ctx;
    (void)frame;
    json_t *e = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    REQUIRE(e, ERROR_INTERNAL, LEDGER_E_ENTRY);
    bool wanted = matches(o, e);
    if (wanted && o->json) printf("{\"index\":%llu,\"entry\":%.*s}\n", (unsigned long long)index, SPAN_FMT(json));
    if (wanted && !o->json) print_row(index, e);
    json_decref(e);
    REQUIRE(!ferror(stdout), ERROR_CLOSED, EPIPE);
    return OK;
}

static void print_head(const struct log_options *o)
{
    if (!o->json)
        printf("   INDEX  TIME                  EVENT      OUTCOME       STATUS  SEEN/WITHHELD/DISCLOSED  RECIPIENT  "
               "REQUEST\n");
}

static int reading_failed(const struct log_options *o, result r, const struct ledger_problem *p)
{
    char text[512];
    if (r.class == ERROR_CLOSED) return 0;
    if (p->fault == LEDGER_SOUND) return fail(o->directory, ledger_error_text(r));
    ledger_problem_format(p, text, sizeof text);
    fprintf(stderr, "%s/%s\n", o->directory, text);
    return 1;
}

static int run_list(struct log_options *o)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem = {0};
    if (!named_ledger(o)) return 2;
    result r = ledger_reader_open(o->directory, 0, &reader);
    if (!is_ok(r)) return fail(o->directory, ledger_error_text(r));
    print_head(o);
    r = ledger_reader_read(reader, list_entry, o, &problem);
    ledger_reader_close(reader);
    return is_ok(r) ? 0 : reading_failed(o, r, &problem);
}

static result pass_over(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    (void)ctx, (void)index, (void)json, (void)frame;
    return OK;
}

/* Opens a reader at the end as it is now. */
static result open_at_end(const char *directory, struct ledger_reader **out, struct ledger_problem *problem)
{
    TRY(ledger_reader_open(directory, UINT64_MAX, out));
    result r = ledger_reader_read(*out, pass_over, NULL, problem);
    uint64_t end = ledger_reader_next(*out);
    ledger_reader_close(*out);
    *out = NULL;
    TRY(r);
    return ledger_reader_open(directory, end, out);
}

static int run_follow(struct log_options *o)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem = {0};
    struct timespec pause = {0, FOLLOW_NS};
    if (!named_ledger(o)) return 2;
    result r = open_at_end(o->directory, &reader, &problem);
    if (!is_ok(r)) return reading_failed(o, r, &problem);
    print_head(o);
    while (is_ok(r = ledger_reader_read(reader, list_entry, o, &problem)) && fflush(stdout) == 0)
        nanosleep(&pause, NULL);
    ledger_reader_close(reader);
    return is_ok(r) ? 0 : reading_failed(o, r, &problem);
}

/* ---- show ----------------------------------------------------------------------------------------------------- */

/* What an auditor should know of each member. */
#define MEMBERS(X)                                                                                                     \
    X("time", "when it was decided, UTC")                                                                              \
    X("node", "which gateway")                                                                                         \
    X("request", "id of the exchange; the client got the same as Request-Id")                                          \
    X("event", NULL)                                                                                                   \
    X("recipient", "who asked, as recipients.json knows them")                                                         \
    X("client", "network address that asked")                                                                          \
    X("purpose", "what the recipient said it was for")                                                                 \
    X("method", "HTTP method")                                                                                         \
    X("route", "configured route that was taken")                                                                      \
    X("target", "path asked for; what could name a person is a pseudonym")                                             \
    X("upstream_status", "what the origin answered")                                                                   \
    X("status", "what the recipient was answered")                                                                     \
    X("outcome", NULL)                                                                                                 \
    X("records", "units in the answer: seen, protected, withheld, redacted, disclosed")                                \
    X("subjects", "protected persons concerned, as pseudonyms of the month")                                           \
    X("rules", "what recognised them, and how often")                                                                  \
    X("grant", "authorisation that covered it")                                                                        \
    X("exception", "exception of the statute that was relied on")                                                      \
    X("versions", "rules, registry and configuration in force")                                                        \
    X("duration_us", "microseconds from arrival to the decision")                                                      \
    X("part", "number of this entry among those of the exchange")                                                      \
    X("last", "false: further parts follow")                                                                           \
    X("nonce", "chance, so that nobody can guess an entry from its hash")                                              \
    X("sealed", "what only auditors can open")                                                                         \
    X("bytes", "body bytes sent")                                                                                      \
    X("aborted", "the connection ended before the answer did")

static const char *note_of(const char *name, const json_t *value)
{
    enum ledger_event event;
    enum ledger_outcome outcome;
    span word = span_str(json_string_value(value));
    if (strcmp(name, "event") == 0 && ledger_event_parse(word, &event)) return ledger_event_note(event);
    if (strcmp(name, "outcome") == 0 && ledger_outcome_parse(word, &outcome)) return ledger_outcome_note(outcome);
#define X(member, note)                                                                                                \
    if (strcmp(name, member) == 0) return note;
    MEMBERS(X)
#undef X
    return NULL;
}

/* ASCII only: nothing in an entry moves the auditor's cursor. */
static void print_value(const json_t *value)
{
    if (json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII) != 0) printf("?");
}

static void print_member(const char *name, const json_t *value)
{
    const char *note = note_of(name, value), *key;
    json_t *inner;
    printf("%-16s ", name);
    if (!json_is_object(value)) print_value(value);
    if (note) printf("%s# %s", json_is_object(value) ? "" : "   ", note);
    printf("\n");
    json_object_foreach((json_t *)(uintptr_t)value, key, inner)
    {
        printf("  %-14s ", key);
        print_value(inner);
        printf("\n");
    }
}

struct showing {
    const struct log_options *options;
    uint64_t index;
    bool found;
};

static void print_frame(uint64_t index, const struct ledger_frame_view *f)
{
    char root[65];
    hex_encode(span_of(f->root, 32), root);
    printf("entry %llu, in frame %llu: entries %llu to %llu, %u bytes of %s at byte %llu\nMerkle root after it: %s\n\n",
        (unsigned long long)index, (unsigned long long)f->sequence, (unsigned long long)f->first_index,
        (unsigned long long)(f->first_index + f->count - 1), f->length, f->file, (unsigned long long)f->offset, root);
}

static result show_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct showing *s = ctx;
    if (index != s->index) return OK;
    s->found = true;
    if (s->options->json) {
        printf("{\"index\":%llu,\"file\":\"%s\",\"offset\":%llu,\"sequence\":%llu,\"entry\":%.*s}\n",
            (unsigned long long)index, frame->file, (unsigned long long)frame->offset,
            (unsigned long long)frame->sequence, SPAN_FMT(json));
        return FAIL(ERROR_CLOSED, 0);
    }
    json_t *e = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL), *value;
    const char *name;
    REQUIRE(e, ERROR_INTERNAL, LEDGER_E_ENTRY);
    print_frame(index, frame);
    json_object_foreach(e, name, value) print_member(name, value);
    json_decref(e);
    return FAIL(ERROR_CLOSED, 0);
}

static int run_show(struct log_options *o, const char *operand)
{
    struct showing s = {.options = o};
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem = {0};
    if (!operand || !span_to_u64(span_str(operand), UINT64_MAX - 1, &s.index))
        return cli_usage("log", "show takes the INDEX of an entry");
    if (!named_ledger(o)) return 2;
    result r = ledger_reader_open(o->directory, s.index, &reader);
    if (!is_ok(r)) return fail(o->directory, ledger_error_text(r));
    r = ledger_reader_read(reader, show_entry, &s, &problem);
    uint64_t end = ledger_reader_next(reader);
    ledger_reader_close(reader);
    if (s.found) return 0;
    if (!is_ok(r)) return reading_failed(o, r, &problem);
    fprintf(stderr, "gate1367 log: there is no entry %s; the ledger has %llu\n", operand, (unsigned long long)end);
    return 1;
}

/* ---- */

int cli_log(int argc, char **argv)
{
    static struct log_options o; /* paths are too large for the stack of a command that is called once */
    const char *action = argc > 1 ? argv[1] : NULL;
    static const char *const actions[] = {"init", "verify", "list", "show", "follow", NULL};
    static const char *const later[] = {"prove", "export", NULL};
    bool known = false;
    for (size_t i = 0; action && actions[i]; i++)
        known = known || strcmp(action, actions[i]) == 0;
    if (!known) return cli_unknown_verb("log", action, actions, later);
    o = (struct log_options){0};
    argv[1] = argv[0];
    argc--, argv++;
    if (!take_options(&o, &argc, argv)) return 2;
    bool show = strcmp(action, "show") == 0;
    if (argc > (show ? 2 : 1)) return cli_usage("log", "%s is one too many", argv[show ? 2 : 1]);
    if (strcmp(action, "init") == 0) return run_init(&o);
    if (strcmp(action, "verify") == 0) return run_verify(&o);
    if (strcmp(action, "list") == 0) return run_list(&o);
    if (show) return run_show(&o, argv[1]);
    return run_follow(&o);
}
