#include "trial/own.h"

#include "http/http.h"

#define TRIAL_MAGIC 0x5452494cu
#define ARENA_CAP ((size_t)1 << 30)

static const struct verdict_row {
    const char *name, *words;
} VERDICTS[] = {
#define X(id, name, words) {name, words},
    TRIAL_VERDICTS(X)
#undef X
};

const char *trial_verdict_name(enum trial_verdict v)
{
    return VERDICTS[v].name;
}

const char *trial_verdict_words(enum trial_verdict v)
{
    return VERDICTS[v].words;
}

struct trial *trial_new(const struct rules_set *rules)
{
    struct trial *t = mem_alloc(sizeof *t);
    if (!t) return NULL;
    t->magic = TRIAL_MAGIC;
    t->rules = rules;
    t->engine = engine_new(rules, cpu_level());
    t->arena = arena_new(ARENA_CAP);
    buf_init(&t->text, TRIAL_TEXT_MAX);
    if (t->engine && t->arena) return t;
    trial_free(t);
    return NULL;
}

void trial_free(struct trial *t)
{
    if (!t) return;
    MAGIC_CHECK(t, TRIAL_MAGIC);
    engine_free(t->engine);
    if (t->arena) arena_free(t->arena);
    buf_free(&t->text);
    trial_flow_free(t);
    t->magic = 0;
    mem_free(t);
}

void trial_say(const struct trial_answer *a, char out[TRIAL_SAID])
{
    const char *words = trial_verdict_words(a->verdict), *why = NULL;
    if (a->failure != GATE_FINE) why = gate_failure_condition(a->failure);
    if (a->failure == GATE_QUERY) why = "a parameter that the document does not list, or a value that it does not take";
    if (why) snprintf(out, TRIAL_SAID, "%s: %s (%s)", words, gate_failure_name(a->failure), why);
    else snprintf(out, TRIAL_SAID, "%s", words);
}

enum trial_verdict trial_failed(enum gate_failure f, enum recipient_class class)
{
    enum gate_answer a = gate_failure_answer(f, class);
    if (a == GATE_ANSWER_UNINSPECTED || a == GATE_ANSWER_PASS) return TRIAL_UNINSPECTED;
    return TRIAL_UNDELIVERABLE;
}

static enum trial_verdict verdict_of(const struct engine_outcome *o, enum recipient_class class)
{
    if (class == RECIPIENT_ENTITLED) return o->edits.identity ? TRIAL_UNCHANGED : TRIAL_REPLACED;
    if (o->verdict.document_withheld) return TRIAL_NOT_FOUND;
    if (o->verdict.withheld_count > 0) return TRIAL_WITHHELD;
    if (o->verdict.shown) return o->edits.identity ? TRIAL_REPORTED : TRIAL_REPLACED;
    return o->edits.identity ? TRIAL_UNCHANGED : TRIAL_CHANGED;
}

void trial_describe(struct trial *t, const struct trial_question *q, struct buf *out)
{
    struct http_media type = {0}, *media = &type;
    bool typed = http_media_parse(span_str(q->type), media);
    struct engine_begin b = {.document = q->document,
        .inspect = q->inspect,
        .class = q->class,
        .registry = q->registry,
        .limits = q->limits,
        .media_type = typed ? http_media_essence(media) : SPAN(""),
        .charset = typed ? http_media_charset(media) : SPAN(""),
        .arena = t->arena,
        .search = t->search,
        .out = out,
        .keep_survey = out == NULL};
    engine_start(t->engine, &b);
}

bool trial_refuses(struct trial *t, const struct trial_question *q)
{
    t->search = NULL;
    if (!q->document || q->class == RECIPIENT_ENTITLED) return false;
    return rules_query_read(q->document, q->query, t->arena, &t->search) != RULES_QUERY_ALLOWED;
}

void trial_ask(struct trial *t, const struct trial_question *q, struct trial_answer *out)
{
    MAGIC_CHECK(t, TRIAL_MAGIC);
    arena_reset(t->arena);
    *out = (struct trial_answer){.outcome = &t->outcome};
    if (trial_refuses(t, q)) {
        t->outcome = (struct engine_outcome){0};
        out->failure = GATE_QUERY;
        out->verdict = TRIAL_NOT_FOUND;
        return;
    }
    trial_describe(t, q, NULL);
    engine_finish(t->engine, q->body, true, &t->outcome);
    out->failure = gate_failure_of(t->outcome.unreadable);
    out->survey = engine_survey(t->engine);
    bool fine = out->failure == GATE_FINE;
    out->verdict = fine ? verdict_of(&t->outcome, q->class) : trial_failed(out->failure, q->class);
}

bool trial_delivers(const struct trial_answer *a)
{
    return a->verdict != TRIAL_NOT_FOUND && a->verdict != TRIAL_UNDELIVERABLE;
}

RESULT trial_body(const struct trial_answer *a, span body, struct buf *out)
{
    const struct edit_list *e = &a->outcome->edits;
    ASSERT(trial_delivers(a));
    if (a->verdict == TRIAL_UNINSPECTED) return buf_append(out, body);
    for (size_t i = 0; i < e->count; i++) {
        const struct edit_run *r = &e->runs[i];
        bool literal = r->literal_len > 0;
        TRY(buf_append(out, literal ? span_of(r->literal, r->literal_len) : span_sub(body, (size_t)r->at, r->len)));
    }
    return OK;
}
