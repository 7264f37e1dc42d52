/* What the ledger is told of an exchange. No name, number or target of anybody stands in an entry in the clear. */
#include "proxy/internal.h"

#define TARGET_SEGMENTS 64

struct entry_words {
    char target[LEDGER_TARGET_MAX];
    size_t target_len;
};

/* The index-th segment of a template or route, or empty. */
static span segment_of(const char *path, size_t index)
{
    span rest = span_str(path);
    for (size_t i = 0; rest.len > 0; i++) {
        rest = span_from(rest, 1); /* its slash */
        size_t end = span_find(rest, '/');
        if (i == index) return span_sub(rest, 0, end);
        rest = span_from(rest, end);
    }
    return span_of(NULL, 0);
}

/* Only words that an operator wrote stand in the clear: those of the route and of the document's template. */
static bool is_literal(const struct exchange *x, span segment, size_t index)
{
    if (span_equal(segment, segment_of(x->route->path, index))) return true;
    if (x->document == NULL) return false;
    return span_equal(segment, segment_of(rules_document_view(x->document)->path_template, index));
}

static void add_word(struct entry_words *e, span word)
{
    if (e->target_len + 1 + word.len > sizeof(e->target)) return;
    e->target[e->target_len++] = '/';
    memcpy(e->target + e->target_len, word.ptr, word.len);
    e->target_len += word.len;
}

static void describe_target(struct exchange *x, struct entry_words *e)
{
    span rest = x->request.path;
    for (size_t i = 0; rest.len > 0 && i < TARGET_SEGMENTS; i++) {
        rest = span_from(rest, 1);
        size_t end = span_find(rest, '/');
        span segment = span_sub(rest, 0, end);
        rest = span_from(rest, end);
        char pseudonym[LEDGER_PSEUDONYM] = "";
        if (segment.len == 0 || is_literal(x, segment, i)) add_word(e, segment.len > 0 ? segment : SPAN(""));
        else if (ledger_pseudonym(&x->worker->month, SPAN("segment"), segment, pseudonym)) add_word(e, span_str(pseudonym));
    }
}

static span or_null(const char *s)
{
    return s == NULL || s[0] == '\0' ? span_of(NULL, 0) : span_str(s);
}

/* A method that nobody knows is a client's own word, which may hold anything; its length and letters stay outside. */
//= ICE10036.2 5.6(1)
static span describe_method(const struct exchange *x)
{
    return x->request.method == HTTP_METHOD_OTHER ? SPAN("other") : x->request.method_text;
}

static void describe_recipient(const struct exchange *x, struct ledger_entry *e)
{
    const struct recipient_identity *who = x->who;
    const struct recipient *r = who->recipient;
    e->recipient.id = span_str(r->id);
    e->recipient.agency = span_str(recipient_agency_name(r->agency));
    e->recipient.component = or_null(r->component);
    e->recipient.standing = span_str(recipient_standing_name(r->standing));
    e->recipient.organization = or_null(r->organization);
    e->recipient.identity = or_null(who->subject);
    e->recipient.fingerprint = or_null(who->fingerprint);
    if (who != &x->session->who) e->recipient.via = span_str(x->session->who.recipient->id);
}

RESULT record_describe_findings(struct exchange *x, const struct policy_verdict *v, struct arena *a, struct ledger_entry *e)
{
    char(*subjects)[LEDGER_PSEUDONYM] = arena_array(a, v->subject_count + 1, LEDGER_PSEUDONYM);
    struct ledger_count *rules = arena_array(a, v->rule_count + 1, sizeof(*rules));
    REQUIRE(subjects != NULL && rules != NULL, ERROR_LIMIT, 0);
    for (size_t i = 0; i < v->subject_count; i++) {
        span handle = span_of(&v->subjects[i], sizeof(v->subjects[i]));
        REQUIRE(ledger_pseudonym(&x->worker->month, SPAN("subject"), handle, subjects[i]), ERROR_INTERNAL, 0);
    }
    for (size_t i = 0; i < v->rule_count; i++) {
        bool named = v->rules[i].rule != RULE_NONE;
        rules[i].id = named ? span_str(rules_name(x->worker->settings->rules, v->rules[i].rule)) : SPAN("structure");
        rules[i].count = v->rules[i].count;
    }
    e->subjects = (const char(*)[LEDGER_PSEUDONYM])subjects;
    if (e->sealer != NULL && v->subject_count > 0) {
        uint64_t *handles = arena_array(a, v->subject_count, sizeof(*handles));
        REQUIRE(handles != NULL, ERROR_LIMIT, 0);
        memcpy(handles, v->subjects, v->subject_count * sizeof(*handles));
        e->handles = handles;
    }
    e->subject_count = v->subject_count;
    e->rules = rules;
    e->rule_count = v->rule_count;
    e->records.seen = v->seen;
    e->records.protected = v->protected_;
    e->records.withheld = v->withheld_count;
    e->records.redacted = v->redacted;
    e->records.disclosed = v->disclosed;
    return OK;
}

static enum ledger_outcome outcome_of(const struct exchange *x)
{
    if (x->failure != GATE_FINE) {
        enum ledger_outcome o = gate_failure_outcome(x->failure, x->class);
        return o == LEDGER_UNINSPECTED && !x->from_origin ? LEDGER_FAILED_CLOSED : o; /* nothing passed after all */
    }
    const struct policy_verdict *v = &gate_outcome(x->gate)->verdict;
    if (x->class == RECIPIENT_ENTITLED) return v->found ? LEDGER_DISCLOSED : LEDGER_CLEAR;
    if (v->blocked) return LEDGER_BLOCKED;
    if (v->shown) return LEDGER_DISCLOSED; /* whatever was left out beside it: `records` says how much */
    return (v->document_withheld && !v->found_nothing) || v->withheld_count > 0 ? LEDGER_WITHHELD : LEDGER_CLEAR;
}

void record_versions(const struct worker *w, struct ledger_entry *e)
{
    e->versions.rules = span_str(w->settings->rules_version);
    e->versions.registry = span_str(w->registry_version);
    e->versions.config = span_str(w->settings->config_version);
}

void record_forget(span *spelled)
{
    if (spelled->ptr != NULL) mem_free_wipe((void *)(uintptr_t)spelled->ptr, spelled->len);
    *spelled = span_of(NULL, 0);
}

/* Where there is no memory it is spelled anew with each entry. */
static span keep_spelled(struct worker *w, const struct ledger_entry *e, enum ledger_alike what, span *kept)
{
    if (kept->ptr != NULL || !is_ok(ledger_entry_spell(e, what, &w->scratch))) return *kept;
    span text = buf_span(&w->scratch);
    void *copy = mem_copy(text.ptr, text.len);
    if (copy != NULL) *kept = span_of(copy, text.len);
    return *kept;
}

/* Who stands behind a trusted proxy is somebody else with each request. */
static void describe_alike(struct exchange *x, struct ledger_entry *e)
{
    struct worker *w = x->worker;
    if (x->who == &x->session->who) e->spelled.who = keep_spelled(w, e, LEDGER_WHO, &x->session->spelled);
    e->spelled.versions = keep_spelled(w, e, LEDGER_VERSIONS, &w->spelled_versions);
}

static RESULT fill(struct exchange *x, struct ledger_entry *e, struct entry_words *words)
{
    struct worker *w = x->worker;
    REQUIRE(ledger_month_update(&w->month, &w->arguments->pseudonym_root, x->time_us), ERROR_INTERNAL, 0);
    *e = (struct ledger_entry){.time_us = x->time_us, .node = span_str(w->settings->node), .request = span_str(x->id),
        .sealer = w->sealer, .exact_target = x->request.target};
    describe_recipient(x, e);
    describe_target(x, words);
    e->event = x->from_origin ? LEDGER_DISCLOSURE : LEDGER_REFUSAL;
    e->client = span_str(x->session->client);
    e->purpose = or_null(x->purpose);
    e->method = describe_method(x);
    e->route = span_str(x->route->path);
    e->target = span_of(words->target, words->target_len);
    e->upstream_status = x->responded ? (int32_t)x->response.status : -1;
    e->status = (int32_t)x->status;
    e->outcome = outcome_of(x);
    record_versions(w, e);
    describe_alike(x, e);
    e->duration_us = (int64_t)(x->decided_us - x->arrival_us);
    return worker_random(w, e->nonce, sizeof(e->nonce));
}

RESULT record_describe(struct exchange *x, struct arena *a, struct ledger_entry *e)
{
    struct entry_words words = {.target_len = 0};
    TRY(fill(x, e, &words));
    e->target = arena_copy(a, e->target);
    REQUIRE(e->target.ptr != NULL, ERROR_LIMIT, 0);
    return OK;
}

static RESULT publish(struct exchange *x)
{
    struct ledger_entry e;
    struct entry_words words;
    if (gate_record_halted(x->gate)) return gate_record(x->gate, NULL);
    words.target_len = 0;
    TRY(fill(x, &e, &words));
    TRY(record_describe_findings(x, &gate_outcome(x->gate)->verdict, gate_entry_arena(x->gate), &e));
    if (x->in_parts && gate_length(x->gate) == UINT64_MAX) {
        e.part = gate_part_number(x->gate);
        e.more = !gate_part_is_last(x->gate);
    }
    e.target = arena_copy(gate_entry_arena(x->gate), e.target); /* for the time that the ring may be full */
    REQUIRE(e.target.ptr != NULL, ERROR_LIMIT, 0);
    return gate_record(x->gate, &e);
}

RESULT record_publish(struct exchange *x)
{
    TRY(shadow_publish(x));
    TRY(publish(x));
    x->recorded = true;
    x->disclosure = x->from_origin;
    x->published_us = io_now_us();
    worker_published(x->worker, true);
    worker_count(x->worker, PROXY_ENTRIES, 1);
    record_count(x);
    return OK;
}

void record_count(struct exchange *x)
{
    const struct policy_verdict *v = &gate_outcome(x->gate)->verdict;
    bool last = !x->in_parts || gate_part_is_last(x->gate);
    enum ledger_outcome outcome = outcome_of(x);
    if (last) worker_gauge(&x->worker->arguments->counters->outcomes[x->class][outcome], 1);
    if (last) summary_count(x->worker, PROXY_TALLY_OUTCOMES + (unsigned)x->class * LEDGER_OUTCOME_END + outcome);
    worker_count(x->worker, PROXY_RECORDS_SEEN, v->seen);
    worker_count(x->worker, PROXY_RECORDS_PROTECTED, v->protected_);
    worker_count(x->worker, PROXY_RECORDS_WITHHELD, v->withheld_count);
    worker_count(x->worker, PROXY_RECORDS_UNMATCHED, v->unmatched);
    if (x->class == RECIPIENT_ENTITLED) worker_count(x->worker, PROXY_RECORDS_DISCLOSED, v->protected_);
}

/* Follows the answer; a disclosure without one counts as disclosed, so that a full ring may swallow it. */
void record_completion(struct exchange *x, bool aborted)
{
    struct ledger_entry e;
    struct entry_words words;
    uint64_t ticket = 0;
    words.target_len = 0;
    if (!is_ok(fill(x, &e, &words))) return;
    e.event = LEDGER_COMPLETION;
    e.time_us = os_realtime_us();
    e.bytes = io_bytes_sent(x->session->conn) - x->sent_before;
    e.aborted = aborted;
    result r = ledger_entry_publish(&e, &x->worker->scratch, x->worker->arguments->ring, &ticket);
    if (!is_ok(r)) return;
    worker_published(x->worker, false);
    worker_count(x->worker, PROXY_ENTRIES, 1);
}
