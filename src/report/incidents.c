/* What an incident manager wants to see: protected information that went to who is not entitled, answers that passed unread,
 * answers nobody saw the end of, recipients who come back for one person, restarts after a crash, reviews. */
#include "report/requests.h"
#include "report/sums.h"
#include <errno.h>

#define MEMORY_MAX ((size_t)2 << 30)
#define LISTED 1000u
#define OFTEN 3u

/* id, name, what it is */
#define KINDS(X)                                                                                                       \
    X(UNENTITLED, "unentitled_disclosure", "protected information shown to a recipient who is not entitled")           \
    X(UNINSPECTED, "uninspected", "passed unread to an entitled recipient")                                            \
    X(PRESUMED, "presumed_disclosed", "protected information in an answer without a completion: counts as disclosed")    \
    X(FAILED, "failed_closed", "something went wrong, nothing left")                                                   \
    X(REVIEW, "review", "rules in shadow would have withheld more of an answer that left")                             \
    X(REPEATED, "asked_repeatedly", "one identity was answered ten times in an hour about one protected person")       \
    X(LEDGER, "ledger", "the ledger's device fills up or has room again, or its standby took over: see the target")    \
    X(CRASH, "restart_after_crash", "a start without a stop before it")
enum kind {
#define X(id, name, text) KIND_##id,
    KINDS(X)
#undef X
    KIND_COUNT
};
static const char *const NAMES[] = {
#define X(id, name, text) name,
    KINDS(X)
#undef X
};
static const char *const TEXTS[] = {
#define X(id, name, text) text,
    KINDS(X)
#undef X
};

struct incident {
    enum kind kind;
    uint64_t index, subjects;
    span time, recipient, target, request;
};
struct incidents {
    struct arena *memory;
    struct incident *list;
    size_t count, room;
    uint64_t counts[KIND_COUNT], violations;
    struct requests open;  /* disclosures whose completion is still to come: to their incident + 1, or 0 */
    struct tally attempts; /* "recipient pseudonym" */
    struct ledger_presumed *presumed; /* as `log verify` counts: whatever was found in the answer */
    bool running; /* a start without a stop */
};

result incidents_new(struct incidents **out)
{
    struct incidents *i = mem_alloc(sizeof *i);
    REQUIRE(i, ERROR_LIMIT, ENOMEM);
    *i = (struct incidents){.memory = arena_new(MEMORY_MAX)};
    i->attempts.memory = i->memory;
    if (i->memory && is_ok(ledger_presumed_new(&i->presumed))) {
        *out = i;
        return OK;
    }
    incidents_free(i);
    return FAIL(ERROR_LIMIT, ENOMEM);
}

void incidents_free(struct incidents *i)
{
    if (!i) return;
    tally_free(&i->attempts);
    requests_free(&i->open);
    ledger_presumed_free(i->presumed);
    arena_free(i->memory);
    mem_free(i->list);
    mem_free(i);
}

/* The first of an entry's rules: what an incident of the gateway's own is about. */
static span first_rule(const struct ledger_view *v)
{
    span name = span_of(NULL, 0), value;
    size_t at = 0;
    return ledger_view_next(v->members[LEDGER_MEMBER_RULES], &at, &name, &value) ? name : span_of(NULL, 0);
}

static enum kind kind_of(const struct ledger_view *v)
{
    span what = first_rule(v);
    if (ledger_view_is(v->members[LEDGER_MEMBER_OUTCOME], span_str(ledger_outcome_name(LEDGER_SHADOW)))) return KIND_REVIEW;
    if (span_equal(what, SPAN("asked-repeatedly"))) return KIND_REPEATED;
    return span_starts(what, SPAN("ledger_")) ? KIND_LEDGER : KIND_REVIEW;
}

static result note(struct incidents *in, enum kind kind, const struct report_entry *e)
{
    char scratch[LEDGER_TARGET_MAX];
    in->counts[kind]++;
    if (in->count == in->room) {
        size_t room = in->room * 2 + 64;
        struct incident *more = mem_resize(in->list, room * sizeof *more);
        REQUIRE(more, ERROR_LIMIT, ENOMEM);
        in->list = more;
        in->room = room;
    }
    struct incident *i = &in->list[in->count++];
    *i = (struct incident){.kind = kind, .index = e->index, .subjects = sums_of(e->view).subjects};
    i->time = arena_copy(in->memory, entry_text(e->view, LEDGER_MEMBER_TIME, scratch, sizeof scratch));
    i->recipient = arena_copy(in->memory, entry_recipient(e->view, "id", scratch, sizeof scratch));
    i->request = arena_copy(in->memory, entry_text(e->view, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch));
    span target = kind == KIND_LEDGER ? first_rule(e->view) : entry_text(e->view, LEDGER_MEMBER_TARGET, scratch, sizeof scratch);
    i->target = arena_copy(in->memory, target);
    return arena_failed(in->memory) ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}

static bool outcome_is(const struct ledger_view *v, enum ledger_outcome o)
{
    return ledger_view_is(v->members[LEDGER_MEMBER_OUTCOME], span_str(ledger_outcome_name(o)));
}

/* Who belongs to none of the three departments, or stands there as nobody's officer. */
static bool is_entitled(const struct ledger_view *v)
{
    span who = v->members[LEDGER_MEMBER_RECIPIENT], standing = ledger_view_member(who, "standing");
    return !ledger_view_is(ledger_view_member(who, "agency"), SPAN("none")) &&
           (ledger_view_is(standing, SPAN("sworn_officer")) || ledger_view_is(standing, SPAN("employee")));
}

static result note_attempts(struct incidents *in, const struct ledger_view *v)
{
    span name, value, list = v->members[LEDGER_MEMBER_SUBJECTS];
    char scratch[LEDGER_FIELD_MAX], key[LEDGER_FIELD_MAX + 64];
    span who = entry_recipient(v, "id", scratch, sizeof scratch);
    size_t at = 0;
    while (list.len > 2 && ledger_view_next(list, &at, &name, &value)) {
        int n = snprintf(key, sizeof key, "%.*s %.*s", SPAN_FMT(who), SPAN_FMT(value));
        if (n < 0 || (size_t)n >= sizeof key) continue;
        struct tally_line *line = tally_line(&in->attempts, span_of(key, (size_t)n));
        REQUIRE(line, ERROR_LIMIT, ENOMEM);
        line->sums.requests++;
    }
    return OK;
}

/* Until its completion is read, an answer counts as disclosed. */
static result await_completion(struct incidents *in, const struct report_entry *e)
{
    char scratch[64];
    uint8_t id[16];
    if (!request_id(entry_text(e->view, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch), id)) return OK;
    if (requests_find(&in->open, id)) return OK;
    TRY(note(in, KIND_PRESUMED, e));
    return requests_put(&in->open, id, in->count - 1) ? OK : FAIL(ERROR_LIMIT, ENOMEM);
}

static void completed(struct incidents *in, const struct ledger_view *v)
{
    char scratch[64];
    uint8_t id[16];
    if (!request_id(entry_text(v, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch), id)) return;
    struct request *known = requests_find(&in->open, id);
    if (!known) return;
    in->list[known->value].kind = KIND_COUNT; /* none after all */
    in->counts[KIND_PRESUMED]--;
    requests_remove(&in->open, known);
}

static result add_decided(struct incidents *in, const struct report_entry *e)
{
    const struct ledger_view *v = e->view;
    bool disclosed = outcome_is(v, LEDGER_DISCLOSED);
    if (outcome_is(v, LEDGER_FAILED_CLOSED)) in->counts[KIND_FAILED]++;
    if (outcome_is(v, LEDGER_UNINSPECTED)) TRY(note(in, KIND_UNINSPECTED, e));
    if (disclosed && !is_entitled(v)) {
        TRY(note(in, KIND_UNENTITLED, e));
        in->violations += sums_of(v).subjects;
    }
    if (outcome_is(v, LEDGER_WITHHELD) || outcome_is(v, LEDGER_BLOCKED)) TRY(note_attempts(in, v));
    return disclosed ? await_completion(in, e) : OK;
}

static void runs_on(struct incidents *in, const struct ledger_view *v)
{
    if (entry_is(v, LEDGER_START)) in->running = true;
    if (entry_is(v, LEDGER_STOP)) in->running = false;
}

result incidents_add(struct incidents *in, const struct report_entry *e)
{
    TRY(ledger_presumed_see(in->presumed, e->view->json));
    if (entry_decided(e->view)) return add_decided(in, e);
    if (entry_is(e->view, LEDGER_COMPLETION)) return completed(in, e->view), OK;
    if (entry_is(e->view, LEDGER_INCIDENT)) return note(in, kind_of(e->view), e);
    bool crashed = in->running && entry_is(e->view, LEDGER_START);
    runs_on(in, e->view);
    return crashed ? note(in, KIND_CRASH, e) : OK;
}

result incidents_around(struct incidents *in, const struct report_entry *e)
{
    runs_on(in, e->view);
    if (!entry_is(e->view, LEDGER_COMPLETION)) return OK;
    TRY(ledger_presumed_see(in->presumed, e->view->json));
    completed(in, e->view);
    return OK;
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static const struct report_column COUNTS[] = {{"kind", "Kind", REPORT_TEXT}, {"count", "How many", REPORT_NUMBER}, {"meaning", "What it is", REPORT_TEXT}};
static const struct report_column LIST[] = {{"time", "Time", REPORT_TEXT}, {"kind", "Kind", REPORT_TEXT}, {"recipient", "Recipient", REPORT_TEXT},
    {"subjects", "Persons", REPORT_NUMBER}, {"target", "Target", REPORT_TEXT}, {"request", "Request", REPORT_TEXT}, {"entry", "Entry", REPORT_NUMBER}};
static const struct report_column ATTEMPTS[] = {{"recipient", "Recipient", REPORT_TEXT}, {"subject", "Pseudonym of the month", REPORT_TEXT},
    {"attempts", "Answers withheld", REPORT_NUMBER}};

static void put_counts(struct incidents *in, struct report *r)
{
    struct report_table *t = report_table_add(r, "kinds", "By kind", NULL, COUNTS, ARRAY_LEN(COUNTS));
    if (t) t->chart = REPORT_BARS, t->chart_column = 1;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        report_text(r, t, span_str(NAMES[k]));
        report_number(r, t, in->counts[k]);
        report_text(r, t, span_str(TEXTS[k]));
    }
}

static void put_attempts(struct incidents *in, struct report *r)
{
    struct report_table *t = report_table_add(r, "attempts", "Recipients who came back for one person",
        "At least three answers withheld from one recipient for one person within a month. An outside requester can be the abuser.", ATTEMPTS, ARRAY_LEN(ATTEMPTS));
    tally_sort(&in->attempts);
    for (size_t i = 0; i < in->attempts.count && in->attempts.lines[i].sums.requests >= OFTEN && i < LISTED; i++) {
        span key = in->attempts.lines[i].name;
        size_t quote = span_search(key, SPAN(" \""));
        report_text(r, t, span_sub(key, 0, quote));
        report_text(r, t, quote < key.len ? span_sub(key, quote + 2, key.len - quote - 3) : SPAN(""));
        report_number(r, t, in->attempts.lines[i].sums.requests);
    }
}

/* All of them, however many are listed. */
static size_t came_back(const struct incidents *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->attempts.count; i++) n += in->attempts.lines[i].sums.requests >= OFTEN;
    return n;
}

static void put_list(struct incidents *in, struct report *r)
{
    struct report_table *t = report_table_add(r, "incidents", "Each of them",
        "failed_closed is counted above and listed by gate1367 log list --outcome failed_closed.", LIST, ARRAY_LEN(LIST));
    for (size_t i = 0; i < in->count; i++) {
        const struct incident *n = &in->list[i];
        if (n->kind == KIND_COUNT) continue;
        report_text(r, t, n->time);
        report_text(r, t, span_str(NAMES[n->kind]));
        report_text(r, t, n->recipient);
        report_number(r, t, n->subjects);
        report_text(r, t, n->target);
        report_text(r, t, n->request);
        report_number(r, t, n->index);
    }
}

//= ICE10036.2 5.5(1)
//= ICE10036.2 2.1
result incidents_report(struct incidents *in, struct report *out)
{
    uint64_t all = 0;
    for (unsigned k = 0; k < KIND_COUNT; k++) all += in->counts[k];
    report_fact(out, "incidents", "%llu", (unsigned long long)all);
    report_fact(out, "individual violations", "%llu: each person in each answer to who is not entitled", (unsigned long long)in->violations);
    report_fact(out, "answers without a completion", "%llu: those with protected information are incidents, %llu",
        (unsigned long long)ledger_presumed_count(in->presumed), (unsigned long long)in->counts[KIND_PRESUMED]);
    size_t often = came_back(in);
    report_fact(out, "came back for one person", "%zu%s", often, often > LISTED ? ", of whom the first thousand are listed" : "");
    report_fact(out, "due", "an unauthorised disclosure is reported within 24 hours of its discovery");
    put_counts(in, out);
    put_attempts(in, out);
    put_list(in, out);
    return out->failed ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}
