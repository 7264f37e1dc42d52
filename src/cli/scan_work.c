/* The workers of `scan`: each takes the next file, asks its own engine, and leaves a report. */
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/scan.h"
#include "os/os.h"
#include <errno.h>
#include <time.h>

#define PLACES_MAX 1000
#define JOBS_MAX 256
#define OUTPUT_MAX ((size_t)4 << 30)

/* ---- one file --------------------------------------------------------------------------------------------------- */

static void fail(struct scan_file *f, const char *what, const char *why)
{
    struct buf text;
    buf_init(&text, 65536);
    result r = buf_printf(&text, "%s%s", what, why);
    if (is_ok(r)) r = buf_append(&text, span_of("", 1));
    mem_free(f->why);
    f->why = is_ok(r) ? mem_strdup((const char *)buf_span(&text).ptr) : NULL;
    buf_free(&text);
    f->failed = true;
}

static void cannot_write(struct scan_file *f, const struct output *to, result r)
{
    if (r.code == EEXIST) fail(f, to->path, ": is there already; name an empty directory");
    else fail(f, "cannot be written: ", r.class == ERROR_LIMIT ? "no memory" : os_error_text(r));
}

static void append_encoded(char *out, size_t size, const char *name)
{
    size_t n = strlen(out);
    for (; *name != '\0' && n + 4 < size; name++) {
        uint8_t c = (uint8_t)*name;
        bool plain = is_alnum(c) || strchr("/-._~!$&'()*+,=:@", c) != NULL;
        n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", c);
    }
}

/* The request that this file would be the answer to: the path as given, or below it where it ends in a slash. */
static void choose_document(const struct scan *s, struct scan_file *f, struct trial_question *q)
{
    char path[8192];
    q->class = s->class;
    q->inspect = s->route == NULL;
    if (s->route == NULL) return;
    snprintf(path, sizeof(path), "%s", s->route);
    if (s->route[0] != '\0' && s->route[strlen(s->route) - 1] == '/') append_encoded(path, sizeof(path), f->relative);
    const struct proxy_route *route = proxy_find_route(&s->insight.config->settings, span_str(path));
    if (route == NULL) return; /* nobody gets an answer there */
    q->inspect = route->inspect;
    if (route->public_) q->class = RECIPIENT_RESTRICTED;
    q->document = route->profile == NULL ? NULL : rules_find_document(route->profile, span_str(path));
    if (q->document != NULL && q->class == RECIPIENT_RESTRICTED) q->document = rules_document_for(q->document, span_str(s->recipient));
    if (q->document != NULL) f->document = rules_document_view(q->document)->path_template;
}

static void keep_places(struct scan_file *f, json_t *explained)
{
    json_t *all = json_object_get(explained, "withheld");
    if (json_array_size(all) > PLACES_MAX) {
        size_t i = json_array_size(all);
        while (i > PLACES_MAX) json_array_remove(all, --i);
    }
    f->places = json_incref(all);
    json_decref(explained);
}

static void report_sums(const struct trial_answer *a, struct scan_file *f)
{
    const struct policy_verdict *v = &a->outcome->verdict;
    f->verdict = a->verdict;
    f->reason = a->failure == GATE_FINE ? "" : gate_failure_name(a->failure);
    if (f->reason[0]) f->condition = gate_failure_condition(a->failure);
    f->seen = v->seen;
    f->protected_ = v->protected_;
    f->withheld = v->withheld_count;
    f->rules = mem_copy(v->rules, v->rule_count * sizeof(*f->rules));
    f->rule_count = f->rules == NULL ? 0 : v->rule_count;
}

static void report(struct trial *t, const struct trial_question *q, const struct trial_answer *a, struct scan_file *f)
{
    const struct policy_verdict *v = &a->outcome->verdict;
    report_sums(a, f);
    if (a->survey != NULL && q->class == RECIPIENT_RESTRICTED && (v->withheld_count > 0 || v->document_withheld)) keep_places(f, trial_explain(t, q, a));
}

/* What would be delivered. What is withheld whole leaves no file, for that would tell of it. */
static void write_delivered(const struct scan *s, const struct trial_answer *a, span body, struct scan_file *f)
{
    struct buf out;
    struct output to;
    if (s->write == NULL || !trial_delivers(a)) return;
    buf_init(&out, OUTPUT_MAX);
    to.fd = -1;
    result r = trial_body(a, body, &out);
    if (is_ok(r)) r = scan_output_open(&to, s->write, f->relative);
    bool opened = is_ok(r);
    if (opened) r = os_write_all(to.fd, buf_span(&out));
    if (opened) r = output_close(&to, r);
    if (!is_ok(r)) cannot_write(f, &to, r);
    buf_free(&out);
}

static void cannot_read(struct scan_file *f)
{
    fail(f, "cannot be read: ", errno != 0 ? os_error_text(FAIL(ERROR_IO, errno)) : "no memory");
}

static void scan_whole(struct scan *s, struct trial *t, struct trial_question *q, struct scan_file *f)
{
    struct buf body;
    struct trial_answer a;
    bool read = files_read(f->path, files_cap(&q->limits), &body, NULL);
    if (!read) cannot_read(f);
    q->body = buf_span(&body);
    if (read) {
        trial_ask(t, q, &a);
        report(t, q, &a, f);
        f->bytes = q->body.len;
        atomic_fetch_add_explicit(&s->work_done, q->body.len, memory_order_relaxed);
        write_delivered(s, &a, q->body, f);
    }
    buf_free(&body);
}

/* ---- a file of independent units -------------------------------------------------------------------------------- */

struct flow {
    struct scan *scan;
    struct trial *trial;
    struct scan_file *file;
    struct output to;
    bool write;
    bool raw; /* entitled recipients get every byte, whether it could be read or not */
    result failed;
};

static result write_piece(void *ctx, span bytes)
{
    const struct flow *w = ctx;
    return !w->write || w->raw ? OK : os_write_all(w->to.fd, bytes);
}

static bool feed_piece(void *ctx, span piece, bool last)
{
    struct flow *w = ctx;
    w->file->bytes += piece.len;
    atomic_fetch_add_explicit(&w->scan->work_done, piece.len, memory_order_relaxed);
    if (w->write && w->raw && is_ok(w->failed)) w->failed = os_write_all(w->to.fd, piece);
    bool wanted = trial_feed(w->trial, piece, last);
    return (wanted || w->raw) && !last && is_ok(w->failed);
}

/* It has its name once it is whole. */
static void finish_output(const struct trial_answer *a, bool read, struct flow *w)
{
    bool keep = read && trial_delivers(a) && !w->file->failed;
    result r = keep ? output_close(&w->to, OK) : OK;
    if (!keep) output_drop(&w->to);
    if (!is_ok(r)) cannot_write(w->file, &w->to, r);
}

static void scan_flow(struct scan *s, struct trial *t, struct flow *w)
{
    struct scan_file *f = w->file;
    struct trial_answer a;
    result r = s->write != NULL ? scan_output_open(&w->to, s->write, f->relative) : OK;
    w->write = s->write != NULL && is_ok(r);
    if (!is_ok(r)) cannot_write(f, &w->to, r);
    bool read = !f->failed && files_read_pieces(f->path, feed_piece, w);
    if (!read && !f->failed) cannot_read(f);
    r = trial_close(t, &a);
    if (is_ok(r)) r = w->failed;
    if (!is_ok(r)) fail(f, "", r.class == ERROR_LIMIT ? "no memory" : os_error_text(r));
    if (!f->failed) report_sums(&a, f);
    if (w->write) finish_output(&a, read, w);
}

static void scan_one(struct scan *s, struct trial *t, struct scan_file *f)
{
    const char *named = s->type != NULL ? s->type : files_type(f->path);
    struct flow w = {.scan = s, .trial = t, .file = f, .failed = OK};
    struct trial_question q = {.registry = s->insight.now.registry,
        .limits = s->insight.config->settings.limits,
        .type = named != NULL ? named : "application/octet-stream"};
    choose_document(s, f, &q);
    w.raw = q.class == RECIPIENT_ENTITLED;
    errno = 0;
    if (trial_open(t, &q, write_piece, &w)) scan_flow(s, t, &w);
    else scan_whole(s, t, &q, f);
}

/* ---- many ------------------------------------------------------------------------------------------------------- */

static struct scan_file *take(struct scan *s)
{
    pthread_mutex_lock(&s->lock);
    struct scan_file *f = s->next < s->count ? &s->files[s->next++] : NULL;
    pthread_mutex_unlock(&s->lock);
    return f;
}

static void tell(struct scan *s, struct scan_file *f)
{
    pthread_mutex_lock(&s->lock);
    f->done = true;
    pthread_cond_signal(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *ctx)
{
    struct scan *s = ctx;
    struct trial *t = trial_new(s->insight.config->settings.rules);
    for (struct scan_file *f; (f = take(s)) != NULL; tell(s, f)) {
        if (t == NULL) fail(f, "no memory", "");
        else scan_one(s, t, f);
    }
    trial_free(t);
    return NULL;
}

/* Waits for the file, showing how far the others are. */
static void wait_for(struct scan *s, const struct scan_file *f, struct cli_progress *progress)
{
    struct timespec until;
    pthread_mutex_lock(&s->lock);
    while (!f->done) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += (until.tv_nsec += 200000000) / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&s->moved, &s->lock, &until);
        pthread_mutex_unlock(&s->lock);
        cli_progress_show(progress, "scanning", atomic_load_explicit(&s->work_done, memory_order_relaxed), s->size);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

bool scan_run(struct scan *s, scan_each_fn *each)
{
    pthread_t threads[JOBS_MAX] = {0};
    struct cli_progress progress = {0};
    unsigned jobs = s->jobs < JOBS_MAX ? s->jobs : JOBS_MAX, started = 0;
    if (jobs > s->count) jobs = (unsigned)s->count;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    while (started < jobs && pthread_create(&threads[started], NULL, work, s) == 0) started++;
    for (size_t i = 0; started > 0 && i < s->count; i++) {
        wait_for(s, &s->files[i], &progress);
        cli_progress_end(&progress);
        each(s, &s->files[i]);
    }
    for (unsigned i = 0; i < started; i++) pthread_join(threads[i], NULL);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    return started > 0 || s->count == 0;
}
