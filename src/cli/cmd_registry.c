/* registry build|apply|inspect|lookup; list, clear and accept are in cmd_suspicions.c */
#include "admin/admin.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "registry/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define SOURCE_MAX ((size_t)64 << 30)
#define RELEASES_MAX ((size_t)64 << 20)
#define RELEASES_NAMED 256 /* handles of one build */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "gate1367 registry: %s: %s\n", what, why);
    return 2;
}

/* ---- the key ---------------------------------------------------------------------------------------------------- */

static bool make_key(const char *path, uint8_t key[32])
{
    char text[REGISTRY_KEY_TEXT];
    if (!is_ok(os_random(key, 32))) return false;
    registry_key_encode(key, text);
    result r = os_secret_create(path, span_str(text));
    mem_wipe(text, sizeof(text));
    if (!is_ok(r)) fail(path, os_error_text(r));
    else fprintf(stderr, "made the key %s; keep a copy apart from the index\n", path);
    return is_ok(r);
}

/* A key that nothing was made with is worth nothing, and the next try makes one. */
static void take_back_key(const char *path)
{
    result r = os_remove(path);
    fprintf(stderr, "%s the key %s: no index was made with it\n", is_ok(r) ? "removed" : "could not remove", path);
}

static bool read_key(const char *path, uint8_t key[32])
{
    struct buf text;
    result r = os_secret_read(path, 4096, &text);
    bool good = is_ok(r) && registry_key_decode(buf_span(&text), key);
    if (!is_ok(r)) fail(path, os_error_text(r));
    else if (!good) fail(path, "is no registry key: 64 hex digits are expected");
    if (text.base != NULL) mem_wipe(text.base, text.size);
    buf_free(&text);
    return good;
}

#define TURN_MS 60000

/* One build with a key at a time, from before the old index is looked at until the new one has taken its place: of two that did not know
 * of each other, whoever came last would put somebody out of protection whom the other had just put in. The key is read again, for
 * another build may have taken back the one that it had made. */
static bool take_turn(const char *path, int *fd, uint8_t key[32])
{
    result r = os_secret_open(path, fd);
    if (!is_ok(r)) return fail(path, os_error_text(r)), false;
    if (is_ok(os_lock_open(*fd, true, TURN_MS))) return read_key(path, key);
    return fail(path, "another build with this key is at work; nothing was written: try again"), false;
}

/* ---- build ------------------------------------------------------------------------------------------------------ */

struct build {
    const char *source, *output, *key_path, *approved;
    uint8_t key[32];
    struct problems *problems;
    struct registry_builder *builder;
    struct registry_journal_end end; /* of the journal beside the output */
    bool json;
};

static bool feed_lines(struct build *b, span text)
{
    struct cli_progress progress = {0};
    unsigned line = 1;
    size_t all = text.len;
    while (text.len > 0) {
        size_t end = span_find(text, '\n');
        if (!is_ok(registry_builder_line(b->builder, b->source, line, span_sub(text, 0, end)))) return false;
        text = end < text.len ? span_from(text, end + 1) : span_of(NULL, 0);
        if (line++ % 4096 == 0) cli_progress_show(&progress, "reading", all - text.len, all);
    }
    cli_progress_end(&progress);
    return true;
}

static bool feed_source(struct build *b)
{
    struct os_map map = {0};
    struct buf piped;
    buf_init(&piped, 0);
    bool is_pipe = strcmp(b->source, "-") == 0;
    result r = is_pipe ? os_read_file("-", SOURCE_MAX, &piped) : os_map_file(b->source, &map);
    if (!is_ok(r)) {
        fail(b->source, os_error_text(r));
        return false;
    }
    span text = is_pipe ? buf_span(&piped) : span_of(map.ptr, map.len);
    size_t n = strlen(b->source);
    bool csv = n > 4 && strcmp(b->source + n - 4, ".csv") == 0;
    bool good = csv ? is_ok(registry_builder_source(b->builder, b->source, text)) : feed_lines(b, text);
    if (!good) fail(b->source, "no memory");
    os_unmap(&map);
    buf_free(&piped);
    return good;
}

/* The journal beside the index: its records are in force until a build includes them. */
static bool read_journal(const struct build *b, struct buf *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s.journal", b->output);
    buf_init(text, 0);
    return !os_exists(path) || is_ok(os_read_file(path, CONFIG_JOURNAL_MAX, text));
}

/* What is protected today: the old index with its live changes on top. */
struct old {
    struct os_map map;
    struct registry_builder *none; /* where there is no index: one of nobody */
    void *overlay;
    struct registry *registry;
    struct registry_info info;
};

/* An index that was removed takes nobody along whom the journal beside it protects. */
static RESULT find_image(const struct build *b, struct old *o, span *image)
{
    if (os_exists(b->output)) {
        TRY(os_map_file(b->output, &o->map));
        *image = span_of(o->map.ptr, o->map.len);
        return OK;
    }
    o->none = registry_builder_new(b->key, b->problems);
    REQUIRE(o->none != NULL, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return registry_builder_finish(o->none, 0, 0, image);
}

static RESULT open_old(struct build *b, span journal, struct old *o)
{
    span image;
    o->overlay = mem_alloc(CONFIG_OVERLAY_BYTES);
    REQUIRE(o->overlay != NULL, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    TRY(find_image(b, o, &image));
    TRY(registry_overlay_format(o->overlay, CONFIG_OVERLAY_BYTES, b->key));
    TRY(registry_open(image, b->key, o->overlay, &o->registry));
    registry_info(o->registry, &o->info);
    return registry_journal_replay(b->key, journal, o->info.journal, &o->info, o->overlay, &b->end);
}

static void close_old(struct old *o)
{
    if (o->registry != NULL) registry_close(o->registry);
    registry_builder_free(o->none);
    os_unmap(&o->map);
    mem_free(o->overlay);
}

/* Identifiers that live changes gave to somebody whom the new source has without them. */
struct lacking {
    const struct registry_builder *builder;
    const struct old *old;
    size_t count;
};

static void note_lacking(void *ctx, const struct registry_change *c)
{
    struct lacking *l = ctx;
    if (c->position >= l->old->info.journal) l->count += registry_builder_lacks(l->builder, l->old->registry, c);
}

static RESULT count_lacking(const struct build *b, const struct old *o, span journal, size_t *count)
{
    struct lacking l = {b->builder, o, 0};
    TRY(registry_journal_each(b->key, journal, note_lacking, &l));
    *count = l.count;
    return OK;
}

/* Who ended whose protection and why stays beside the index, whatever becomes of the terminal. Handles are keyed. */
//= ICE10036.2 5.6(1)
static bool record_release(const struct build *b, size_t dropped, size_t lacking, const uint64_t *handles, size_t count)
{
    char path[4096], time[LEDGER_TIME_TEXT], handle[17];
    struct buf text;
    json_t *list = json_array();
    snprintf(path, sizeof(path), "%s.releases", b->output);
    ledger_time_format(os_realtime_us(), time);
    for (size_t i = 0; i < count; i++) {
        snprintf(handle, sizeof(handle), "%016llx", (unsigned long long)handles[i]);
        json_array_append_new(list, json_string(handle));
    }
    json_t *v = json_pack("{s:s,s:I,s:o,s:I,s:I,s:o}", "time", time, "uid", (json_int_t)getuid(), "reason", cli_json_text(b->approved),
        "released", (json_int_t)dropped, "identifiers", (json_int_t)lacking, "handles", list);
    char *line = v == NULL ? NULL : json_dumps(v, JSON_COMPACT);
    json_decref(v);
    buf_init(&text, RELEASES_MAX);
    result r = os_exists(path) ? os_read_file(path, RELEASES_MAX, &text) : OK;
    if (is_ok(r)) r = line == NULL ? FAIL(ERROR_LIMIT, ENOMEM) : buf_append(&text, span_str(line));
    if (is_ok(r)) r = buf_append(&text, SPAN("\n"));
    if (is_ok(r)) r = os_write_atomic(path, buf_span(&text), 0600);
    mem_hook_free(line);
    buf_free(&text);
    if (!is_ok(r)) (void)fail(path, os_error_text(r));
    return is_ok(r);
}

static void tell_dropped(const struct build *b, result opened, size_t dropped, size_t lacking)
{
    if (!is_ok(opened)) fprintf(stderr, "%s: %s\n", b->output, registry_error_text(opened.code));
    else if (dropped > 0) fprintf(stderr, "%zu protected subjects of %s are not in the new index\n", dropped, b->output);
    if (lacking > 0)
        fprintf(stderr, "%zu identifiers that live changes added to subjects of %s are not in the new index\n", lacking, b->output);
}

/* Protected subjects that would fall out of protection, or identifiers that would not be looked for any more though nobody
 * who made the source can have known of them; an unreadable old index counts as one that must be approved. */
static bool drops_nobody(struct build *b, span journal)
{
    struct old o = {0};
    uint64_t sample[RELEASES_NAMED];
    size_t dropped = 1, lacking = 0;
    if (!os_exists(b->output) && journal.len == 0) return true;
    result opened = open_old(b, journal, &o);
    if (is_ok(opened)) opened = count_lacking(b, &o, journal, &lacking);
    if (is_ok(opened)) dropped = registry_builder_dropped(b->builder, o.registry, sample, ARRAY_LEN(sample));
    tell_dropped(b, opened, dropped, lacking);
    close_old(&o);
    size_t named = !is_ok(opened) ? 0 : dropped < ARRAY_LEN(sample) ? dropped : ARRAY_LEN(sample);
    if (dropped + lacking == 0) return true;
    if (b->approved != NULL) return record_release(b, dropped, lacking, sample, named);
    fputs("an ended protection needs a named reason: --release-approved REASON\n", stderr);
    return false;
}

static void print_built(const struct build *b, size_t bytes)
{
    struct registry_totals t;
    unsigned long long journal = b->end.records > 0 ? b->end.position : 0;
    registry_builder_totals(b->builder, &t);
    if (b->json) {
        json_t *v = json_pack("{s:s,s:o,s:I,s:I,s:I,s:I,s:I}", "status", "ok", "index", cli_json_text(b->output), "protected",
            (json_int_t)t.protected_subjects, "subjects", (json_int_t)t.subjects, "keys", (json_int_t)t.keys, "bytes",
            (json_int_t)bytes, "journal", (json_int_t)journal);
        char *line = v == NULL ? NULL : json_dumps(v, JSON_COMPACT);
        if (line != NULL) puts(line);
        json_decref(v);
        mem_hook_free(line);
        return;
    }
    printf("%s: %llu protected subjects of %llu, %llu keys, %zu bytes\n", b->output, (unsigned long long)t.protected_subjects,
        (unsigned long long)t.subjects, (unsigned long long)t.keys, bytes);
    if (journal > 0) printf("stands for the journal up to record %llu\n", journal);
    if (t.protected_subjects == 0) fprintf(stderr, "warning: it protects nobody; is this the right source?\n");
}

/* Where the journal was moved away, the index alone knows how far it had come: the next one stands for no less, and what is changed from
 * then on is numbered behind it. */
static uint64_t old_index_journal(const struct build *b)
{
    struct os_map map = {0};
    struct registry *old = NULL;
    struct registry_info info = {0};
    if (b->end.records > 0 || !os_exists(b->output) || !is_ok(os_map_file(b->output, &map))) return 0;
    if (is_ok(registry_open(span_of(map.ptr, map.len), b->key, NULL, &old))) registry_info(old, &info);
    registry_close(old);
    os_unmap(&map);
    return info.journal;
}

static int write_index(struct build *b)
{
    span image;
    struct buf journal;
    bool readable = read_journal(b, &journal) &&
                    is_ok(registry_journal_replay(b->key, buf_span(&journal), UINT64_MAX, NULL, NULL, &b->end));
    if (!readable) {
        buf_free(&journal);
        return fail(b->output, "its journal cannot be read; nothing was written");
    }
    /* The new index stands for everything up to the journal's end: an old release must not be replayed over a newer
     * protection, and what was protected live but is missing from the source shows as dropped. */
    uint64_t includes = b->end.position + 1, before = old_index_journal(b);
    if (before > includes) includes = before;
    result r = registry_builder_finish(b->builder, os_realtime_us() / 1000000, includes, &image);
    bool keeps = is_ok(r) && drops_nobody(b, buf_span(&journal));
    buf_free(&journal);
    if (!is_ok(r)) return r.class == ERROR_CONFIG ? 1 : fail(b->output, registry_error_text(r.code));
    if (!keeps) return 1;
    r = os_write_atomic(b->output, image, 0600);
    if (!is_ok(r)) return fail(b->output, os_error_text(r));
    print_built(b, image.len);
    return 0;
}

static int build(int argc, char **argv)
{
    struct build b = {0};
    const struct cli_option options[] = {{"-o", NULL, &b.output}, {"--output", NULL, &b.output}, {"--key", NULL, &b.key_path},
        {"--release-approved", NULL, &b.approved}, {"--json", &b.json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc != 2 || b.output == NULL || b.key_path == NULL) {
        return cli_usage("registry", "build needs SOURCE -o protected.idx --key protected.key");
    }
    if (b.approved != NULL && b.approved[0] == '\0') return cli_usage("registry", "--release-approved needs a reason");
    b.source = argv[1];
    bool had_key = os_exists(b.key_path);
    int turn = -1;
    if (!had_key && !make_key(b.key_path, b.key)) return 2;
    bool ready = take_turn(b.key_path, &turn, b.key);
    b.problems = ready ? problems_new() : NULL;
    b.builder = b.problems == NULL ? NULL : registry_builder_new(b.key, b.problems);
    int status = !ready ? 2 : b.builder == NULL ? fail("build", "no memory") : feed_source(&b) ? write_index(&b) : 2;
    if (b.problems != NULL) cli_print_problems_of_people(b.problems, b.json);
    registry_builder_free(b.builder);
    problems_free(b.problems);
    mem_wipe(b.key, sizeof(b.key));
    if (ready && status != 0 && !had_key && !os_exists(b.output)) take_back_key(b.key_path);
    os_close(&turn);
    return status;
}

/* ---- what apply and lookup share -------------------------------------------------------------------------------- */

static struct config *load(const char *path)
{
    struct problems *p = problems_new();
    struct config *c = p == NULL ? NULL : config_load(path, p);
    if (p != NULL && c == NULL) cli_print_problems(p, false);
    problems_free(p);
    return c;
}

/* Prints the answer; status by its "status". */
static int show_answer(span answer, bool json)
{
    json_error_t error;
    json_t *v = json_loadb((const char *)answer.ptr, answer.len, 0, &error), *problem;
    size_t i;
    const char *status = json_string_value(json_object_get(v, "status"));
    bool good = status != NULL && strcmp(status, "ok") == 0;
    if (json) printf("%.*s", SPAN_FMT(answer));
    json_array_foreach(json_object_get(v, "problems"), i, problem)
    {
        fprintf(stderr, "%s\n", json_string_value(problem));
    }
    if (v == NULL) fputs("gate1367 registry: the gateway broke off; whether it did what was asked is in its ledger\n", stderr);
    const json_t *protected_ = json_object_get(v, "protected"), *applied = json_object_get(v, "applied");
    if (!json && good && protected_ != NULL) puts(json_is_true(protected_) ? "protected" : "not protected");
    if (!json && good && applied != NULL) printf("%lld changes in force\n", (long long)json_integer_value(applied));
    json_decref(v);
    return good ? 0 : 1;
}

/* The running gateway's admin answers; NULL status -1: nobody runs. */
static int ask_gateway(const struct config *c, span line, span body, bool json)
{
    struct buf answer;
    buf_init(&answer, 16u << 20);
    result r = admin_ask(c->admin_socket, ADMIN_ASK_SECONDS, line, body, &answer);
    bool nobody = r.class == ERROR_IO && (r.code == ENOENT || r.code == ECONNREFUSED);
    int status = nobody ? -1 : is_ok(r) ? show_answer(buf_span(&answer), json) : fail(c->admin_socket, admin_ask_words(r));
    buf_free(&answer);
    return status;
}

/* Without a gateway the command writes the entry itself. */
static int record(const struct config *c, const struct ledger_count *counts, size_t n, const uint64_t *subjects, size_t subject_count)
{
    struct ledger_key *key = NULL;
    struct ledger_month month = {0};
    struct ledger_root root = {0};
    char(*names)[LEDGER_PSEUDONYM] = mem_array(subject_count + 1, LEDGER_PSEUDONYM);
    struct ledger_entry e = {.time_us = os_realtime_us(), .node = span_str(c->ledger.origin), .event = LEDGER_REGISTRY,
        .upstream_status = -1, .status = -1, .duration_us = -1, .rules = counts, .rule_count = n,
        .subjects = (const char(*)[LEDGER_PSEUDONYM])names, .subject_count = subject_count, .handles = subjects};
    e.versions.rules = span_str(c->settings.rules_version);
    e.versions.config = span_str(c->settings.config_version);
    result r = names == NULL ? FAIL(ERROR_LIMIT, ENOMEM) : ledger_key_load(c->ledger.key_path, &key);
    if (is_ok(r)) r = ledger_key_root(key, root.key);
    if (is_ok(r)) r = ledger_epochs_read(c->ledger.directory, &root.epochs);
    if (is_ok(r) && c->settings.auditor_count > 0)
        r = ledger_sealer_new(c->settings.auditors, c->settings.auditor_count, &root.epochs, &e.sealer);
    if (is_ok(r) && !ledger_month_update(&month, &root, e.time_us)) r = FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    for (size_t i = 0; is_ok(r) && i < subject_count; i++) {
        span handle = span_of(&subjects[i], sizeof(subjects[i]));
        if (!ledger_pseudonym(&month, SPAN("subject"), handle, names[i])) r = FAIL(ERROR_INTERNAL, LEDGER_E_CRYPTO);
    }
    if (is_ok(r)) r = os_random(e.nonce, sizeof(e.nonce));
    if (is_ok(r)) r = ledger_append_once(&c->ledger, &e);
    ledger_key_free(key);
    ledger_sealer_free(e.sealer);
    mem_wipe(&root, sizeof(root));
    mem_free(names);
    if (is_ok(r)) return 0;
    fail(c->ledger.directory, ledger_error_text(r));
    return 74;
}

/* ---- apply ------------------------------------------------------------------------------------------------------ */

struct offline {
    const struct config *config;
    const char *path;
    struct config_registry now; /* as it will be in force */
    uint8_t key[32];
    struct problems *problems;
    struct arena *arena;
    struct registry_change *changes;
    uint64_t *subjects;
    size_t count, protects;
    struct registry_journal_end end;
    struct config_mark mark;
    result marked;
    int journal; /* locked */
    bool json;
};

static bool parse_changes(struct offline *o, span text)
{
    size_t lines = 1;
    for (size_t i = 0; text.ptr && i < text.len; i++) lines += text.ptr[i] == '\n';
    o->changes = arena_array(o->arena, lines, sizeof(*o->changes));
    o->subjects = arena_array(o->arena, lines, sizeof(*o->subjects));
    if (o->changes == NULL || o->subjects == NULL) return false;
    for (unsigned line = 1; text.len > 0; line++) {
        size_t end = span_find(text, '\n');
        span one = span_trim(span_sub(text, 0, end));
        if (one.len > 0 && one.ptr[one.len - 1] == '\r') one.len--;
        struct registry_change *c = &o->changes[o->count];
        if (one.len > 0 && is_ok(registry_change_parse(o->key, o->path, line, one, o->arena, o->problems, c))) {
            c->position = o->end.position + o->count + 1;
            c->time = os_realtime_us() / 1000000;
            o->protects += c->op == REGISTRY_PROTECT;
            o->subjects[o->count++] = c->subject;
        }
        text = end < text.len ? span_from(text, end + 1) : span_of(NULL, 0);
    }
    return problems_errors(o->problems) == 0;
}

/* An older copy that is put in its place before the next start is told, too. */
static RESULT mark_changes(struct offline *o, span records)
{
    struct registry_mark next;
    registry_mark_of(records, 0, &next);
    return next.position > 0 ? config_mark_keep(&o->mark, o->key, &next, true) : OK;
}

static RESULT append_changes(struct offline *o)
{
    struct buf records;
    buf_init(&records, (size_t)1 << 30);
    result r = OK;
    for (size_t i = 0; i < o->count && is_ok(r); i++) {
        o->changes[i].fellows = (uint32_t)i;
        r = registry_journal_encode(o->key, &o->changes[i], &records);
    }
    if (is_ok(r) && buf_len(&records) > CONFIG_JOURNAL_MAX - o->end.bytes)
        r = FAIL(ERROR_INTERNAL, REGISTRY_JOURNAL_FULL);
    bool cut = !is_ok(r) || (ftruncate(o->journal, (off_t)o->end.bytes) == 0 && lseek(o->journal, 0, SEEK_END) >= 0);
    if (!cut) r = FAIL(ERROR_IO, errno);
    if (is_ok(r)) r = os_append_durable(o->journal, buf_span(&records));
    if (is_ok(r)) r = os_sync_parent(o->config->journal_path);
    o->marked = is_ok(r) ? mark_changes(o, buf_span(&records)) : OK;
    buf_free(&records);
    return r;
}

#define LOCK_MS 5000

/* Ours alone from before it is read until it is written: what another command, or a gateway that has started meanwhile, writes in
 * between would be cut off again, though it was acknowledged. */
static bool take_journal(struct offline *o)
{
    const char *path = o->config->journal_path;
    o->journal = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (o->journal < 0) return fail(path, os_error_text(FAIL(ERROR_IO, errno))), false;
    if (is_ok(os_lock_open(o->journal, true, LOCK_MS))) return true;
    return fail(path, "a gateway that is starting or ending, or another command, writes it; nothing was changed: try again"), false;
}

static bool read_old_journal(struct offline *o)
{
    result r = config_registry_open(o->config, &o->now);
    if (!is_ok(r)) return fail(o->now.path, o->now.why), false;
    o->end = o->now.journal;
    return true;
}

/* Nothing is put behind an older copy, nor said of it: whoever is missing in it would be forgotten. */
static bool is_whole(const struct config *c, const struct config_registry *now, struct config_mark *mark, result opened)
{
    char words[CONFIG_MARK_WORDS];
    result r = is_ok(opened) ? config_mark_judge_registry(mark, c, now) : opened;
    if (is_ok(r)) return true;
    config_mark_words(mark, r, now->journal.position, words);
    return fail(c->journal_path, words), false;
}

/* What the next start has no room for would keep it from starting. */
static RESULT try_changes(struct offline *o)
{
    for (size_t i = 0; i < o->count; i++) {
        TRY(registry_overlay_room(o->now.overlay, &o->changes[i]));
        TRY(registry_overlay_apply(o->now.overlay, &o->changes[i]));
    }
    return OK;
}

static const char *why_not(result r)
{
    return r.class == ERROR_IO ? os_error_text(r) : registry_error_text(r.code);
}

/* Nobody runs: the journal alone is written, and the next start replays it. */
static int write_offline(struct offline *o, span text)
{
    result marked = config_mark_open(o->config, o->key, true, &o->mark);
    if (!read_old_journal(o) || !is_whole(o->config, &o->now, &o->mark, marked)) return 2;
    if (!parse_changes(o, text)) {
        cli_print_problems_of_people(o->problems, o->json);
        return 1;
    }
    result r = try_changes(o);
    if (is_ok(r)) r = append_changes(o);
    return is_ok(r) ? 0 : fail(o->config->journal_path, why_not(r));
}

static int apply_offline(struct offline *o, span text)
{
    if (!is_ok(config_registry_key(o->config, o->key))) return fail(o->config->registry_key_path, "is no registry key");
    if (!take_journal(o)) return 2;
    int status = write_offline(o, text);
    config_registry_close(&o->now);
    config_mark_close(&o->mark);
    if (status != 0) return status; /* else the journal stays ours: one writes to the ledger at a time, too */
    struct ledger_count counts[] = {{SPAN("protect"), o->protects}, {SPAN("release"), o->count - o->protects}, {SPAN("mark_made"), 1}};
    status = record(o->config, counts, o->mark.made || o->mark.foreign ? 3 : 2, o->subjects, o->count);
    if (status == 0 && !is_ok(o->marked)) return fail("the changes are in the journal, but " LEDGER_MARK_FILE " beside the ledger could not be written", why_not(o->marked));
    if (status == 0 && o->json) printf("{\"status\":\"ok\",\"journaled\":%zu}\n", o->count);
    else if (status == 0) printf("%zu changes in the journal; in force when the gateway starts\n", o->count);
    return status;
}

#define NAME_MAX_TOLD 512 /* of the file, with which problems begin */

static int apply_online(const struct config *c, const char *path, span text, bool json)
{
    json_t *request = json_pack("{s:s,s:I,s:o}", "command", "apply", "bytes", (json_int_t)text.len, "name",
        cli_json_text(strlen(path) > NAME_MAX_TOLD ? "CHANGES" : path));
    char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    int status = line == NULL ? fail("apply", "no memory") : ask_gateway(c, span_str(line), text, json);
    json_decref(request);
    mem_hook_free(line);
    return status;
}

static int apply(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false;
    const struct cli_option options[] = {{"-c", NULL, &path}, {"--config", NULL, &path}, {"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (path == NULL || argc != 2) return cli_usage("registry", "apply needs -c gate.json CHANGES.jsonl");
    struct config *c = load(path);
    struct buf text;
    if (c == NULL) return 1;
    result r = os_read_file(argv[1], ADMIN_REQUEST_MAX - 4096, &text);
    int status = is_ok(r) ? -1 : fail(argv[1], os_error_text(r));
    if (status < 0) status = apply_online(c, argv[1], buf_span(&text), json);
    if (status < 0) {
        struct offline o = {
            .config = c, .path = argv[1], .problems = problems_new(), .arena = arena_new((size_t)1 << 30), .journal = -1, .mark = {.fds = {-1, -1}}, .json = json};
        bool memory = o.problems != NULL && o.arena != NULL;
        status = memory ? apply_offline(&o, buf_span(&text)) : fail("apply", "no memory");
        mem_wipe(o.key, sizeof(o.key));
        os_close(&o.journal);
        problems_free(o.problems);
        if (o.arena != NULL) arena_free(o.arena);
    }
    buf_free(&text);
    config_free(c);
    return status;
}

/* ---- lookup ----------------------------------------------------------------------------------------------------- */

static bool open_whole(const struct config *c, struct config_registry *now)
{
    uint8_t key[32];
    struct config_mark mark = {.fds = {-1, -1}};
    result marked = config_registry_key(c, key);
    if (is_ok(marked)) marked = config_mark_open(c, key, false, &mark);
    mem_wipe(key, sizeof(key));
    bool opened = is_ok(config_registry_open(c, now)), whole = opened && is_whole(c, now, &mark, marked);
    if (!opened) fail(now->path, now->why);
    else if (!whole) config_registry_close(now);
    config_mark_close(&mark);
    return whole;
}

static int look_up_offline(const struct config *c, enum registry_kind kind, const char *value, const char *system, bool json)
{
    struct config_registry now;
    struct registry_hit hit = {0};
    int status;
    if (!open_whole(c, &now)) return 2;
    if (!registry_lookup(now.registry, kind, span_str(value), span_str(system == NULL ? "" : system), &hit)) {
        static const char WHY[] = "the value cannot be one of that kind";
        if (json) printf("{\"status\":\"error\",\"problems\":[\"%s\"]}\n", WHY);
        fprintf(stderr, "%s\n", WHY);
        status = 1;
    } else {
        struct ledger_count counts[] = {{SPAN("lookup"), 1}};
        status = record(c, counts, 1, &hit.subject, hit.protected_);
        if (status == 0 && json) printf("{\"status\":\"ok\",\"protected\":%s}\n", hit.protected_ ? "true" : "false");
        else if (status == 0) puts(hit.protected_ ? "protected" : "not protected");
    }
    config_registry_close(&now);
    return status;
}

static int unknown_kind(const char *word)
{
    const char *names[REGISTRY_KIND_COUNT + 1] = {0};
    for (enum registry_kind k = 0; k < REGISTRY_KIND_COUNT; k++) names[k] = registry_kind_name(k);
    const char *near = source_did_you_mean(word, names);
    if (near != NULL) return cli_usage("registry", "there is no kind \"%s\"; did you mean \"%s\"?", word, near);
    struct buf all;
    buf_init(&all, 1024);
    result r = OK;
    for (size_t i = 0; names[i] != NULL && is_ok(r); i++) r = buf_printf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    int status = cli_usage("registry", "there is no kind \"%s\"; give one of %.*s", word, SPAN_FMT(buf_span(&all)));
    buf_free(&all);
    return status;
}

/* A surrogate key means somebody in one system alone: "not protected", said of another one, would be taken for an answer. */
static int wrong_system(enum registry_kind kind, const char *system)
{
    bool named = system != NULL && registry_system_id(span_str(system)) != 0, surrogate = registry_kind_is_surrogate(kind);
    if (surrogate && !named) return cli_usage("registry", "a %s means somebody only in the system that issued it; give --system SYSTEM", registry_kind_name(kind));
    if (!surrogate && system != NULL) return cli_usage("registry", "a %s has no system; leave --system out", registry_kind_name(kind));
    return 0;
}

static int look_up(int argc, char **argv)
{
    const char *path = NULL, *system = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"-c", NULL, &path}, {"--config", NULL, &path}, {"--system", NULL, &system}, {"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (path == NULL || argc != 3) return cli_usage("registry", "lookup needs -c gate.json KIND VALUE [--system SYSTEM]");
    int kind = registry_kind_from(span_str(argv[1]));
    if (kind < 0) return unknown_kind(argv[1]);
    if (wrong_system((enum registry_kind)kind, system) != 0) return 2;
    struct config *c = load(path);
    if (c == NULL) return 1;
    json_t *request = json_pack("{s:s,s:s,s:s,s:s*}", "command", "lookup", "kind", argv[1], "value", argv[2], "system", system);
    char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    int status = line == NULL ? fail("lookup", "no memory") : ask_gateway(c, span_str(line), span_of(NULL, 0), json);
    if (status < 0) status = look_up_offline(c, (enum registry_kind)kind, argv[2], system, json);
    json_decref(request);
    mem_hook_free(line);
    config_free(c);
    return status;
}

/* ---- inspect ---------------------------------------------------------------------------------------------------- */

static void print_info(const struct registry_info *i, bool json)
{
    char version[33], built[32];
    time_t t = (time_t)i->built;
    struct tm tm;
    hex_encode(span_of(i->version, sizeof(i->version)), version);
    strftime(built, sizeof(built), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    if (json) {
        printf("{\"subjects\":%llu,\"keys\":%llu,\"bytes\":%llu,\"built\":\"%s\",\"journal\":%llu,\"version\":\"%s\"}\n",
            (unsigned long long)i->subjects, (unsigned long long)i->keys, (unsigned long long)i->bytes, built,
            (unsigned long long)i->journal, version);
        return;
    }
    printf("protected subjects  %llu\nkeys                %llu\nbytes               %llu\nbuilt               %s\n"
           "journal from        %llu\nversion             %s\n",
        (unsigned long long)i->subjects, (unsigned long long)i->keys, (unsigned long long)i->bytes, built,
        (unsigned long long)i->journal, version);
}

static int inspect(int argc, char **argv)
{
    const char *key_path = NULL;
    bool json = false;
    uint8_t key[32];
    struct os_map map;
    struct registry *r = NULL;
    struct registry_info info;
    const struct cli_option options[] = {{"--key", NULL, &key_path}, {"--json", &json, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc != 2 || key_path == NULL) return cli_usage("registry", "inspect needs protected.idx --key protected.key");
    if (!read_key(key_path, key)) return 2;
    result opened = os_map_file(argv[1], &map);
    if (!is_ok(opened)) return fail(argv[1], os_error_text(opened));
    opened = registry_open(span_of(map.ptr, map.len), key, NULL, &r);
    mem_wipe(key, sizeof(key));
    int status = 0;
    if (is_ok(opened)) {
        registry_info(r, &info);
        print_info(&info, json);
        registry_close(r);
    } else {
        fail(argv[1], registry_error_text(opened.code));
        status = 1;
    }
    os_unmap(&map);
    return status;
}

int cli_registry(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int, char **);
    } VERBS[] = {{"build", build}, {"apply", apply}, {"inspect", inspect}, {"lookup", look_up},
        {"list", registry_list}, {"clear", registry_clear}, {"accept", registry_accept}};
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(VERBS); i++) {
        if (strcmp(argv[1], VERBS[i].name) != 0) continue;
        argv[1] = argv[0];
        return VERBS[i].run(argc - 1, argv + 1);
    }
    static const char *const NAMES[] = {"build", "apply", "inspect", "lookup", "list", "clear", "accept", NULL}, *const LATER[] = {NULL};
    return cli_unknown_verb("registry", argc > 1 ? argv[1] : NULL, NAMES, LATER);
}
