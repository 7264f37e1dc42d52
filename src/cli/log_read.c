/* log list|show|follow: entries as people read them. */
#include "cli/log.h"
#include "os/os.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_NS 100000000L
#define TEXT_BYTES 4200

int log_reading_failed(const struct log_options *o, result r, const struct ledger_problem *p)
{
    char text[512];
    if (r.class == ERROR_CLOSED) return 0;
    if (p->fault == LEDGER_SOUND) return log_fail(o, o->directory, ledger_error_text(r));
    ledger_problem_format(p, text, sizeof text);
    fprintf(stderr, "%s/%s\n", o->directory, text);
    return 1;
}

void log_print_quoted(const char *text)
{
    struct buf b;
    buf_init(&b, 8 * LOG_PATH_BYTES);
    if (is_ok(json_quote(&b, span_str(text)))) printf("%.*s", SPAN_FMT(buf_span(&b)));
    else printf("null");
    buf_free(&b);
}

bool log_passes(struct log_options *o, const struct ledger_view *v)
{
    return ledger_filter_passes(&o->filter, v);
}

span log_unsealed(struct log_options *o, const struct ledger_view *v, const char **why)
{
    *why = NULL;
    if (!o->unsealer) return span_of(NULL, 0);
    enum ledger_unsealed u = ledger_unseal(o->unsealer, v, &o->unsealed);
    if (u == LEDGER_UNSEALED) return buf_span(&o->unsealed);
    if (u != LEDGER_NOTHING_SEALED) *why = ledger_unsealed_text(u);
    return span_of(NULL, 0);
}

struct reading {
    struct log_options *options;
    log_entry_fn *each;
    void *ctx;
    struct cli_progress *progress; /* NULL: what is printed shows how far it is */
};
#define TELL_ENTRIES 16384u

static result look(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct reading *r = ctx;
    struct ledger_view v;
    (void)frame;
    if (r->progress && index % TELL_ENTRIES == 0) cli_progress_show(r->progress, "entries read", index, 0);
    REQUIRE(ledger_view_parse(json, &v), ERROR_INTERNAL, LEDGER_E_ENTRY);
    if (r->options->unsealer) TRY(ledger_unsealer_learn(r->options->unsealer, &v));
    return log_passes(r->options, &v) ? r->each(r->ctx, index, &v) : OK;
}

result log_each(struct log_options *o, log_entry_fn *each, void *ctx, struct ledger_problem *problem)
{
    struct ledger_reader *reader = NULL;
    struct cli_progress progress = {0};
    struct reading r = {o, each, ctx, o->gathering || !isatty(1) ? &progress : NULL};
    *problem = (struct ledger_problem){0};
    TRY(ledger_reader_open(o->directory, 0, &reader));
    result read = ledger_reader_read(reader, look, &r, problem);
    ledger_reader_close(reader);
    cli_progress_end(&progress);
    return read;
}

/* ---- list, follow ----------------------------------------------------------------------------------------------- */

void log_print_safe(span s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        span rest = span_from(s, i);
        size_t odd = utf8_unprintable(rest);
        n = odd > 0 ? odd : utf8_length(rest);
        printf("%.*s", SPAN_FMT(odd > 0 ? SPAN("?") : span_sub(rest, 0, n)));
    }
}

static void print_text(span raw, int width)
{
    char scratch[TEXT_BYTES];
    span s = ledger_view_text(raw, scratch, sizeof scratch);
    log_print_safe(s.ptr ? s : SPAN("-"));
    for (int i = s.ptr ? (int)s.len : 1; i < width; i++) fputc(' ', stdout);
}

static void print_counts(span records)
{
    char counts[72];
    snprintf(counts, sizeof counts, "%llu/%llu/%llu", (unsigned long long)ledger_view_number(ledger_view_member(records, "seen"), 0),
        (unsigned long long)ledger_view_number(ledger_view_member(records, "withheld"), 0),
        (unsigned long long)ledger_view_number(ledger_view_member(records, "disclosed"), 0));
    printf("%-23s  ", counts);
}

/* What was done where nobody asked for anything: of the registry suspect, clear, list; of a review whose rules. */
static void print_deed(span rules)
{
    span name, value;
    size_t at = 0;
    bool none = true;
    for (; ledger_view_next(rules, &at, &name, &value); none = false) {
        if (!none) fputs(", ", stdout);
        log_print_safe(name);
    }
    if (none) fputc('-', stdout);
}

static void print_request(const struct ledger_view *v)
{
    span method = v->members[LEDGER_MEMBER_METHOD], target = v->members[LEDGER_MEMBER_TARGET];
    if (span_equal(method, SPAN("null")) && span_equal(target, SPAN("null"))) {
        print_deed(v->members[LEDGER_MEMBER_RULES]);
        return;
    }
    print_text(method, 0);
    fputc(' ', stdout);
    print_text(target, 0);
}

static void print_row(uint64_t index, const struct ledger_view *v, bool presumed)
{
    const span *m = v->members;
    char scratch[64];
    span time = ledger_view_text(m[LEDGER_MEMBER_TIME], scratch, sizeof scratch), status = m[LEDGER_MEMBER_STATUS];
    printf("%8llu  ", (unsigned long long)index);
    log_print_safe(span_sub(time, 0, time.len < 19 ? time.len : 19));
    printf("Z  ");
    print_text(m[LEDGER_MEMBER_EVENT], 10);
    fputc(' ', stdout);
    print_text(m[LEDGER_MEMBER_OUTCOME], 13);
    fputc(' ', stdout);
    if (status.len > 0 && is_digit(status.ptr[0])) printf("%6llu  ", (unsigned long long)ledger_view_number(status, 0));
    else printf("%6s  ", "-");
    print_counts(m[LEDGER_MEMBER_RECORDS]);
    print_text(ledger_view_member(m[LEDGER_MEMBER_RECIPIENT], "id"), 0);
    printf("  ");
    print_request(v);
    printf("%s\n", presumed ? "  (no completion: presumed disclosed)" : "");
}

/* What was sealed, beneath the row or beside the entry. */
static void print_unsealed(struct log_options *o, const struct ledger_view *v)
{
    span name, value;
    const char *why;
    size_t at = 0;
    span open = log_unsealed(o, v, &why);
    if (o->json) {
        if (o->unsealer && open.len > 0) printf(",\"unsealed\":%.*s", SPAN_FMT(open));
        else if (o->unsealer) printf(",\"unsealed\":null%s%s%s", why ? ",\"why\":\"" : "", why ? why : "", why ? "\"" : "");
        return;
    }
    if (why) printf("%10s(sealed: %s)\n", "", why);
    while (ledger_view_next(open, &at, &name, &value)) {
        if (span_equal(value, SPAN("null")) || span_equal(value, SPAN("[]"))) continue;
        printf("%10s%-13.*s ", "", SPAN_FMT(name));
        if (value.ptr[0] == '"') print_text(value, 0);
        else log_print_safe(value);
        fputc('\n', stdout);
    }
}

static result list_entry(void *ctx, uint64_t index, const struct ledger_view *v)
{
    struct log_options *o = ctx;
    if (o->json) printf("{\"index\":%llu,\"entry\":%.*s", (unsigned long long)index, SPAN_FMT(v->json));
    else print_row(index, v, log_is_presumed(o, v));
    print_unsealed(o, v);
    if (o->json) printf("%s}\n", log_is_presumed(o, v) ? ",\"presumed_disclosed\":true" : "");
    REQUIRE(!ferror(stdout), ERROR_CLOSED, EPIPE);
    return OK;
}

static void print_head(const struct log_options *o)
{
    if (!o->json)
        printf("   INDEX  TIME                  EVENT      OUTCOME       STATUS  SEEN/WITHHELD/DISCLOSED  RECIPIENT  "
               "REQUEST\n");
}

int log_list(struct log_options *o)
{
    struct ledger_problem problem = {0};
    if (!log_is_named_ledger(o)) return 2;
    if (o->index) {
        print_head(o);
        return log_ask_index(o, list_entry, o);
    }
    result learnt = log_learn_presumed(o); /* where the ledger cannot be read to its end, listing it says so */
    (void)learnt;
    print_head(o);
    result r = log_each(o, list_entry, o, &problem);
    return is_ok(r) ? 0 : log_reading_failed(o, r, &problem);
}

/* What stands before is not shown; but the keys of what comes after may be among it. */
static result pass_over(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct reading *r = ctx;
    struct ledger_view v;
    (void)index, (void)frame;
    if (!r->options->unsealer || !ledger_view_parse(json, &v)) return OK;
    return ledger_unsealer_learn(r->options->unsealer, &v);
}

/* Opens a reader at the end as it is now. */
static result open_at_end(struct reading *reading, struct ledger_reader **out, struct ledger_problem *problem)
{
    const struct log_options *o = reading->options;
    TRY(ledger_reader_open(o->directory, o->unsealer ? 0 : UINT64_MAX, out));
    result r = ledger_reader_read(*out, pass_over, reading, problem);
    uint64_t end = ledger_reader_next(*out);
    ledger_reader_close(*out);
    *out = NULL;
    TRY(r);
    return ledger_reader_open(o->directory, end, out);
}

int log_follow(struct log_options *o)
{
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem = {0};
    struct timespec pause = {0, FOLLOW_NS};
    struct reading reading = {o, list_entry, o, NULL};
    if (!log_is_named_ledger(o)) return 2;
    result r = open_at_end(&reading, &reader, &problem);
    if (!is_ok(r)) return log_reading_failed(o, r, &problem);
    print_head(o);
    while (is_ok(r = ledger_reader_read(reader, look, &reading, &problem)) && fflush(stdout) == 0)
        nanosleep(&pause, NULL);
    ledger_reader_close(reader);
    return is_ok(r) ? 0 : log_reading_failed(o, r, &problem);
}

/* ---- show ------------------------------------------------------------------------------------------------------- */

static const char *note_of(const char *name, const json_t *value)
{
    enum ledger_event event;
    enum ledger_outcome outcome;
    span word = span_str(json_string_value(value));
    if (strcmp(name, "event") == 0 && ledger_event_parse(word, &event)) return ledger_event_note(event);
    if (strcmp(name, "outcome") == 0 && ledger_outcome_parse(word, &outcome)) return ledger_outcome_note(outcome);
#define X(id, member, note)                                                                                            \
    if (strcmp(name, member) == 0) return note;
    LEDGER_MEMBERS(X)
#undef X
    return NULL;
}

/* In ASCII, and that without its controls: nothing in an entry moves the auditor's cursor. */
static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    log_print_safe(text ? span_str(text) : SPAN("?"));
    mem_hook_free(text);
}

/* Names too are what somebody wrote: of rules, say. */
static void print_name(const char *indent, int width, const char *name)
{
    printf("%s", indent);
    log_print_safe(span_str(name));
    for (int n = (int)strlen(name); n < width; n++) fputc(' ', stdout);
    fputc(' ', stdout);
}

static void print_member(const char *name, const json_t *value)
{
    const char *note = note_of(name, value), *key;
    json_t *inner;
    print_name("", 16, name);
    if (!json_is_object(value)) print_value(value);
    if (note) printf("%s# %s", json_is_object(value) ? "" : "   ", note);
    printf("\n");
    json_object_foreach((json_t *)(uintptr_t)value, key, inner)
    {
        print_name("  ", 14, key);
        print_value(inner);
        printf("\n");
    }
}

struct showing {
    struct log_options *options;
    uint64_t index;
    bool found;
};

static void print_frame(uint64_t index, const struct ledger_frame_view *f)
{
    char root[65];
    hex_encode(span_of(f->root, 32), root);
    if (f->sequence == 0) { /* published, and no longer in the write-ahead log */
        printf("entry %llu, %u bytes of %s at byte %llu\n\n", (unsigned long long)index, f->length, f->file,
            (unsigned long long)f->offset);
        return;
    }
    printf("entry %llu, in frame %llu: entries %llu to %llu, %u bytes of %s at byte %llu\nMerkle root after it: %s\n\n",
        (unsigned long long)index, (unsigned long long)f->sequence, (unsigned long long)f->first_index,
        (unsigned long long)(f->first_index + f->count - 1), f->length, f->file, (unsigned long long)f->offset, root);
}

static void show_json(struct showing *s, const struct ledger_view *v, const struct ledger_frame_view *frame)
{
    printf("{\"index\":%llu,\"file\":\"%s\",\"offset\":%llu,\"sequence\":%llu,\"entry\":%.*s", (unsigned long long)s->index, frame->file,
        (unsigned long long)frame->offset, (unsigned long long)frame->sequence, SPAN_FMT(v->json));
    print_unsealed(s->options, v);
    printf("%s}\n", log_is_presumed(s->options, v) ? ",\"presumed_disclosed\":true" : "");
}

static result show_entry(void *ctx, uint64_t index, span json, const struct ledger_frame_view *frame)
{
    struct showing *s = ctx;
    struct ledger_view v;
    if (index != s->index && !s->options->unsealer) return OK;
    REQUIRE(ledger_view_parse(json, &v), ERROR_INTERNAL, LEDGER_E_ENTRY);
    if (s->options->unsealer) TRY(ledger_unsealer_learn(s->options->unsealer, &v));
    if (index != s->index) return OK;
    s->found = true;
    if (s->options->json) {
        show_json(s, &v, frame);
        return FAIL(ERROR_CLOSED, 0);
    }
    json_t *e = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL), *value;
    const char *name;
    REQUIRE(e, ERROR_INTERNAL, LEDGER_E_ENTRY);
    print_frame(index, frame);
    json_object_foreach(e, name, value) print_member(name, value);
    json_decref(e);
    if (s->options->unsealer) printf("\nunsealed:\n");
    print_unsealed(s->options, &v);
    if (log_is_presumed(s->options, &v))
        printf("\nno completion follows, so that nobody can say that the answer did not arrive: presumed disclosed\n");
    return FAIL(ERROR_CLOSED, 0);
}

int log_show(struct log_options *o, const char *operand)
{
    struct showing s = {.options = o};
    struct ledger_reader *reader = NULL;
    struct ledger_problem problem = {0};
    if (!operand || !span_to_u64(span_str(operand), UINT64_MAX - 1, &s.index))
        return cli_usage(o->command, "show takes the INDEX of an entry");
    if (!log_is_named_ledger(o)) return 2;
    result learnt = log_learn_presumed_of(o, s.index);
    (void)learnt;
    result r = ledger_reader_open(o->directory, o->unsealer ? 0 : s.index, &reader);
    if (!is_ok(r)) return log_fail(o, o->directory, ledger_error_text(r));
    r = ledger_reader_read(reader, show_entry, &s, &problem);
    uint64_t end = ledger_reader_next(reader);
    ledger_reader_close(reader);
    if (s.found) return 0;
    if (!is_ok(r)) return log_reading_failed(o, r, &problem);
    fprintf(stderr, "gate1367 log: there is no entry %s; the ledger has %llu\n", operand, (unsigned long long)end);
    return 1;
}
