/* The mirror: every request is judged as a restricted recipient's, whoever sent the copy; nothing is recorded, for nothing
 * is released: each answer is the same empty 204, and the gate holds whoever forgets to the constant (gate_exempt). */
#include "proxy/internal.h"

static span shown_method(const struct exchange *x)
{
    return x->request.method == HTTP_METHOD_OTHER ? SPAN("other") : x->request.method_text;
}

static const char *document_of(const struct exchange *x)
{
    return x->document == NULL ? "" : rules_document_view(x->document)->path_template;
}

static void count(const struct exchange *x, enum mirror_fact f, span name)
{
    mirror_count(x->worker->arguments->mirror, f, x->route->path, document_of(x), name, 1);
}

bool mirror_asks(const struct exchange *x)
{
    return x->request.method == HTTP_GET || x->request.method == HTTP_HEAD;
}

static void count_undescribed(const struct exchange *x)
{
    char path[MIRROR_TEXT];
    mirror_path(x->route->path, x->route->profile, x->request.path, path);
    count(x, MIRROR_UNDESCRIBED, span_str(path));
}

void mirror_failed(const struct exchange *x)
{
    if (!x->routed) return;
    if (x->failure == GATE_UNPROFILED) count_undescribed(x);
    if (x->failure == GATE_METHOD && !mirror_asks(x)) count(x, MIRROR_NOT_ASKED, shown_method(x));
    else count(x, x->head_sent ? MIRROR_UNDELIVERABLE : MIRROR_REFUSED, span_str(gate_failure_name(x->failure)));
}

void mirror_decided(const struct exchange *x)
{
    if (x->failure != GATE_FINE) {
        mirror_failed(x);
        return;
    }
    if (x->document == NULL) count_undescribed(x);
    const struct match_survey *survey = x->engine == NULL ? NULL : engine_survey(x->engine);
    if (survey == NULL) return;
    struct mirror_answer a = {.route = x->route->path, .document = x->document, .rules = x->worker->settings->rules,
        .survey = survey, .verdict = &gate_outcome(x->gate)->verdict, .body = gate_raw_body(x->gate)};
    mirror_look(x->worker->arguments->mirror, &a);
}
