/* Accounting of disclosures: date, nature and purpose of each, and name and address of who got it.
 *
 *= 5USC552a c(1)
 *= ICE10036.2 5.6(1) */
#include "report/requests.h"
#include "report/sums.h"
#include <errno.h>

struct line {
    uint64_t index, time_us, disclosed, bytes;
    span request, purpose, recipient, standing, name, address, method, target, outcome;
    bool completed, aborted;
};
struct accounting {
    struct arena *memory;
    struct line *lines;
    size_t count, room;
    struct requests requests; /* to the line */
    struct requests begun;    /* of which further parts follow: to the records that the first one tells for all of them */
    uint64_t unread;          /* answers that nobody looked into: whom they were about is not known */
    report_who_fn *who;
    void *who_ctx;
    bool unknown; /* somebody's name or address is not known */
};
#define MEMORY_MAX ((size_t)1 << 30)

result accounting_new(report_who_fn *who, void *ctx, struct accounting **out)
{
    struct accounting *a = mem_alloc(sizeof *a);
    REQUIRE(a, ERROR_LIMIT, ENOMEM);
    *a = (struct accounting){.memory = arena_new(MEMORY_MAX), .who = who, .who_ctx = ctx};
    if (a->memory) {
        *out = a;
        return OK;
    }
    mem_free(a);
    return FAIL(ERROR_LIMIT, ENOMEM);
}

void accounting_free(struct accounting *a)
{
    if (!a) return;
    arena_free(a->memory);
    requests_free(&a->requests);
    requests_free(&a->begun);
    mem_free(a->lines);
    mem_free(a);
}

static struct line *new_line(struct accounting *a)
{
    if (a->count == a->room) {
        size_t room = a->room * 2 + 64;
        struct line *more = mem_resize(a->lines, room * sizeof *more);
        if (!more) return NULL;
        a->lines = more;
        a->room = room;
    }
    a->lines[a->count] = (struct line){0};
    return &a->lines[a->count++];
}

static span kept(struct accounting *a, span s)
{
    return s.ptr ? arena_copy(a->memory, s) : SPAN("");
}

/* As the entry says, or what was unsealed of it; an agency's own people by agency and component. */
static void name_recipient(struct accounting *a, const struct report_entry *e, struct line *l)
{
    char scratch[LEDGER_FIELD_MAX], text[2 * LEDGER_FIELD_MAX + 16], agency[64], component[LEDGER_FIELD_MAX];
    struct report_who who = {NULL, NULL};
    l->recipient = kept(a, entry_recipient(e->view, "id", scratch, sizeof scratch));
    l->standing = kept(a, entry_recipient(e->view, "standing", scratch, sizeof scratch));
    bool known = a->who && l->recipient.ptr && a->who(a->who_ctx, (const char *)l->recipient.ptr, &who);
    span named = entry_organization(e, scratch, sizeof scratch);
    if ((!named.ptr || named.len == 0) && known && who.organization) named = span_str(who.organization);
    span part = entry_recipient(e->view, "component", component, sizeof component), of = entry_recipient(e->view, "agency", agency, sizeof agency);
    if ((!named.ptr || named.len == 0) && of.len > 0 && !span_equal(of, SPAN("none"))) {
        int n = snprintf(text, sizeof text, "%.*s%s%.*s", SPAN_FMT(of), part.len > 0 ? ", " : "", SPAN_FMT(part));
        named = span_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    }
    l->name = kept(a, named);
    l->address = kept(a, known && who.address ? span_str(who.address) : span_of(NULL, 0));
    a->unknown = a->unknown || l->name.len == 0 || l->address.len == 0;
}

static bool is_unread(const struct ledger_view *v)
{
    return ledger_view_is(v->members[LEDGER_MEMBER_OUTCOME], span_str(ledger_outcome_name(LEDGER_UNINSPECTED)));
}

static bool is_disclosure(const struct ledger_view *v)
{
    if (!entry_is(v, LEDGER_DISCLOSURE)) return false;
    return ledger_view_is(v->members[LEDGER_MEMBER_OUTCOME], SPAN("disclosed")) ||
           ledger_view_is(v->members[LEDGER_MEMBER_OUTCOME], SPAN("authorized")) || is_unread(v);
}

/* The records of an answer that names many persons stand in its first part, and who is sought in any. */
static result count_records(struct accounting *a, const struct ledger_view *v, const uint8_t id[16], struct line *l)
{
    struct request *first = requests_find(&a->begun, id);
    uint64_t disclosed = sums_of(v).disclosed;
    if (l && first && disclosed == 0) disclosed = first->value;
    if (l && first) first->value = 0; /* each is counted once */
    if (l) l->disclosed += disclosed;
    bool last = !span_equal(v->members[LEDGER_MEMBER_LAST], SPAN("false"));
    if (first && last) return requests_remove(&a->begun, first), OK;
    if (l || last || disclosed == 0) return OK;
    return requests_put(&a->begun, id, disclosed) ? OK : FAIL(ERROR_LIMIT, ENOMEM);
}

static result add_disclosure(struct accounting *a, const struct report_entry *e, const uint8_t id[16])
{
    char scratch[LEDGER_TARGET_MAX];
    const struct ledger_view *v = e->view;
    struct request *known = requests_find(&a->requests, id);
    struct line *l = known ? &a->lines[known->value] : new_line(a);
    REQUIRE(l, ERROR_LIMIT, ENOMEM);
    TRY(count_records(a, v, id, l));
    if (known) return OK;
    REQUIRE(requests_put(&a->requests, id, a->count - 1), ERROR_LIMIT, ENOMEM);
    l->index = e->index;
    l->time_us = entry_time(v);
    l->request = kept(a, entry_text(v, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch));
    l->purpose = kept(a, entry_text(v, LEDGER_MEMBER_PURPOSE, scratch, sizeof scratch));
    l->method = kept(a, entry_text(v, LEDGER_MEMBER_METHOD, scratch, sizeof scratch));
    l->outcome = kept(a, entry_text(v, LEDGER_MEMBER_OUTCOME, scratch, sizeof scratch));
    span exact = ledger_view_text(ledger_view_member(e->unsealed, "target"), scratch, sizeof scratch);
    l->target = kept(a, exact.ptr ? exact : entry_text(v, LEDGER_MEMBER_TARGET, scratch, sizeof scratch));
    name_recipient(a, e, l);
    return arena_failed(a->memory) ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}

static void add_completion(struct accounting *a, const struct ledger_view *v, const uint8_t id[16])
{
    struct request *known = requests_find(&a->requests, id);
    if (!known) return;
    struct line *l = &a->lines[known->value];
    l->completed = true;
    l->bytes = ledger_view_number(v->members[LEDGER_MEMBER_BYTES], 0);
    l->aborted = span_equal(v->members[LEDGER_MEMBER_ABORTED], SPAN("true"));
}

result accounting_add(struct accounting *a, const struct report_entry *e, bool about)
{
    char scratch[64];
    uint8_t id[16];
    bool completion = entry_is(e->view, LEDGER_COMPLETION);
    if (!completion && !is_disclosure(e->view)) return OK;
    if (!request_id(entry_text(e->view, LEDGER_MEMBER_REQUEST, scratch, sizeof scratch), id)) return OK;
    a->unread += !completion && !about && is_unread(e->view);
    if (!completion) return about ? add_disclosure(a, e, id) : count_records(a, e->view, id, NULL);
    add_completion(a, e->view, id);
    return OK;
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static const struct report_column COLUMNS[] = {{"date", "Date", REPORT_TEXT}, {"nature", "Nature", REPORT_TEXT},
    {"purpose", "Purpose", REPORT_TEXT}, {"recipient", "Recipient", REPORT_TEXT}, {"name", "Name of the person or agency", REPORT_TEXT},
    {"address", "Address", REPORT_TEXT}, {"sent", "Sent", REPORT_TEXT}, {"request", "Request", REPORT_TEXT}, {"entry", "Entry", REPORT_NUMBER}};

static const char *way_of(const struct line *l)
{
    if (span_equal(l->outcome, SPAN("authorized"))) return "under a grant";
    return span_equal(l->outcome, SPAN("uninspected")) ? "electronic answer, not inspected whole" : "electronic answer";
}

static void put_nature(struct report *r, struct report_table *t, const struct line *l)
{
    char text[LEDGER_TARGET_MAX + 256];
    int n = snprintf(text, sizeof text, "%s; %llu record%s; %.*s %.*s", way_of(l),
        (unsigned long long)l->disclosed, l->disclosed == 1 ? "" : "s", SPAN_FMT(l->method), SPAN_FMT(l->target));
    report_text(r, t, span_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

/* Nobody can say what of it arrived: an answer without completion counts as disclosed whole. */
static void put_sent(struct report *r, struct report_table *t, const struct line *l)
{
    char text[96];
    if (!l->completed) snprintf(text, sizeof text, "presumed: no completion on record");
    else snprintf(text, sizeof text, "%llu bytes%s", (unsigned long long)l->bytes, l->aborted ? ", broken off" : "");
    report_text(r, t, span_str(text));
}

result accounting_report(struct accounting *a, struct report *out)
{
    size_t presumed = 0;
    struct report_table *t = report_table_add(out, "disclosures", "Disclosures",
        "Every answer that held a record of the subject and left, to whomever: 5 U.S.C. 552a(c)(1) asks for those to other persons and agencies; "
        "(b)(1) and (b)(2) need no accounting and are listed all the same.", COLUMNS, ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < a->count; i++) {
        const struct line *l = &a->lines[i];
        char time[LEDGER_TIME_TEXT];
        ledger_time_format(l->time_us, time);
        presumed += !l->completed;
        time[10] = ' ';
        time[19] = 'Z';
        report_text(out, t, span_of(time, 20));
        put_nature(out, t, l);
        report_text(out, t, l->purpose);
        report_text(out, t, l->recipient);
        report_text(out, t, l->name);
        report_text(out, t, l->address);
        put_sent(out, t, l);
        report_text(out, t, l->request);
        report_number(out, t, l->index);
    }
    report_fact(out, "disclosures", "%zu", a->count);
    report_fact(out, "presumed disclosed", "%zu without a completion", presumed);
    if (a->unread > 0)
        report_fact(out, "passed unread", "%llu answers to entitled recipients besides: whom they were about is not known (log list --outcome uninspected)",
            (unsigned long long)a->unread);
    if (a->unknown)
        report_fact(out, "names and addresses", "some are not known: they come from recipients.json (-c) and, where entries are sealed, with --unseal");
    return out->failed ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}
