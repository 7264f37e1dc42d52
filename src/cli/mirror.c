/* serve --mirror FILE…: the mirror over captured traffic instead of a copy of it. */
#include "cli/capture.h"
#include "cli/mirror.h"
#include "http/http.h"
#include "trial/trial.h"

struct capture {
    const struct config *config;
    struct problems *problems;
    struct trial *trial;
    struct config_registry now;
    struct mirror_board *board;
    size_t exchanges, judged;
};

/* ---- one exchange ---------------------------------------------------------------------------------------------------- */

static void count(const struct capture *m, enum mirror_fact f, const struct proxy_route *r, const struct rules_document *d, const char *name)
{
    const char *document = d == NULL ? "" : rules_document_view(d)->path_template;
    mirror_count(m->board, f, r == NULL ? "" : r->path, document, span_str(name), 1);
}

static void count_undescribed(const struct capture *m, const struct proxy_route *r, span path)
{
    char shape[MIRROR_TEXT];
    mirror_path(r->path, r->profile, path, shape);
    count(m, MIRROR_UNDESCRIBED, r, NULL, shape);
}

/* What a restricted recipient is refused before anybody asks the origin; GATE_FINE: nothing. */
static enum gate_failure refused(const struct proxy_route *r, const struct rules_document *d, const struct captured *c, span query)
{
    enum http_method method = http_method_of(span_str(c->method));
    if (method == HTTP_METHOD_OTHER || (r->restricted_methods >> method & 1u) == 0) return GATE_METHOD;
    if (d == NULL && !r->inspect) return GATE_UNPROFILED;
    if (d != NULL && query.len > 0 && !rules_query_allowed(d, query)) return GATE_QUERY;
    return GATE_FINE;
}

static void judge(struct capture *m, const struct proxy_route *r, const struct rules_document *d, const struct captured *c)
{
    char type[256];
    struct trial_answer a;
    snprintf(type, sizeof(type), "%.*s", SPAN_FMT(c->type));
    struct trial_question q = {.document = d, .inspect = r->inspect, .class = RECIPIENT_RESTRICTED, .registry = m->now.registry,
        .limits = m->config->settings.limits, .type = type, .query = c->query, .body = c->body};
    trial_ask(m->trial, &q, &a);
    m->judged++;
    if (a.failure != GATE_FINE || a.survey == NULL) {
        count(m, MIRROR_UNDELIVERABLE, r, d, gate_failure_name(a.failure));
        return;
    }
    struct mirror_answer look = {.route = r->path, .document = d, .rules = m->config->settings.rules, .survey = a.survey,
        .verdict = &a.outcome->verdict, .body = c->body};
    mirror_look(m->board, &look);
}

static void take(void *ctx, const struct captured *c)
{
    struct capture *m = ctx;
    span path = c->path, query = c->query;
    m->exchanges++;
    const struct proxy_route *r = http_path_judge(path) ? proxy_find_route(&m->config->settings, path) : NULL;
    if (r == NULL) {
        count(m, MIRROR_REFUSED, NULL, NULL, gate_failure_name(GATE_NO_ROUTE));
        return;
    }
    const struct rules_document *d = r->profile == NULL ? NULL : rules_find_document(r->profile, path);
    if (d == NULL) count_undescribed(m, r, path);
    enum gate_failure f = refused(r, d, c, query);
    if (f != GATE_FINE) count(m, MIRROR_REFUSED, r, d, gate_failure_name(f));
    else if (c->status != 200) count(m, MIRROR_UNDELIVERABLE, r, d, gate_failure_name(GATE_UPSTREAM_STATUS));
    else judge(m, r, d, c);
}

/* What shows nothing wrong because there was nothing to look at proves nothing. */
static int outcome(const struct capture *m, bool good)
{
    if (!good) return 1;
    if (m->judged > 0) return 0;
    fprintf(stderr, "gate1367 serve: none of %zu exchanges was judged, which proves nothing: give captures of answers with status 200 to "
        "paths that have a route\n", m->exchanges);
    return 2;
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

void cli_mirror_report(const struct mirror_source *source, bool json)
{
    struct buf text;
    buf_init(&text, 64u << 20);
    result r = json ? mirror_report_json(source, &text) : mirror_report_text(source, &text);
    if (is_ok(r)) fwrite(text.base + text.read, 1, buf_len(&text), stdout);
    else fputs("gate1367 serve: no memory for the report\n", stderr);
    fflush(stdout);
    buf_free(&text);
}

static void report(const struct capture *m, bool json)
{
    struct admin_mirror *all = mem_alloc(sizeof(*all));
    if (all == NULL) return;
    admin_mirror_source(m->config, m->board, 1, all);
    cli_mirror_report(&all->source, json);
    mem_free(all);
}

int cli_mirror_files(const struct config *c, char **files, size_t count_files, bool json)
{
    struct capture m = {.config = c, .problems = problems_new(), .trial = trial_new(c->settings.rules)};
    m.board = mem_alloc(sizeof(*m.board));
    bool ready = m.problems != NULL && m.trial != NULL && m.board != NULL;
    if (ready && !is_ok(config_registry_open(c, &m.now))) problems_add(m.problems, m.now.path, "%s", m.now.why);
    for (size_t i = 0; ready && m.now.registry != NULL && i < count_files; i++) capture_read(files[i], m.problems, take, &m);
    if (m.problems != NULL) cli_print_problems(m.problems, false);
    bool good = ready && problems_errors(m.problems) == 0;
    if (ready && m.now.registry != NULL) report(&m, json);
    config_registry_close(&m.now);
    mem_free(m.board);
    if (m.trial != NULL) trial_free(m.trial);
    problems_free(m.problems);
    return outcome(&m, good);
}
