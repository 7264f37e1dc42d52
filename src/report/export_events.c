/* OCSF 1.4 (Datastore Activity with the profile of security controls) and ECS 8: one JSON object a line. */
#include "report/export.h"
#include "report/sums.h"

/* How an outcome reads elsewhere. action and disposition: OCSF's security_control; 0 where nothing was controlled. */
static const struct standing {
    enum ledger_outcome outcome;
    unsigned action, disposition, status, severity;
    const char *type, *result; /* ECS: event.type, event.outcome */
} standings[] = {
    {LEDGER_CLEAR, 1, 1, 1, 1, "allowed", "success"},        {LEDGER_DISCLOSED, 1, 1, 1, 2, "allowed", "success"},
    {LEDGER_UNINSPECTED, 1, 1, 1, 3, "allowed", "success"},  {LEDGER_AUTHORIZED, 1, 1, 1, 2, "allowed", "success"},
    {LEDGER_WITHHELD, 4, 2, 1, 2, "denied", "success"},      {LEDGER_BLOCKED, 2, 2, 1, 2, "denied", "success"},
    {LEDGER_REFUSED, 2, 2, 2, 2, "denied", "failure"},       {LEDGER_FAILED_CLOSED, 2, 2, 2, 3, "denied", "failure"},
    {LEDGER_SHADOW, 3, 17, 1, 3, "info", "unknown"},         {LEDGER_NO_OUTCOME, 0, 0, 0, 1, "info", "unknown"}};

static const struct standing *standing_of(const struct report_entry *e)
{
    struct fact f;
    enum ledger_outcome o = LEDGER_NO_OUTCOME;
    if (!ledger_outcome_parse(text_of(&f, e, LEDGER_MEMBER_OUTCOME), &o)) o = LEDGER_NO_OUTCOME;
    for (size_t i = 0; i < ARRAY_LEN(standings); i++)
        if (standings[i].outcome == o) return &standings[i];
    return &standings[ARRAY_LEN(standings) - 1];
}

/* ,"name":"text", or nothing where there is none. */
static void put_text(FILE *to, const char *sign, const char *name, span s)
{
    if (!s.ptr) return;
    fprintf(to, "%s\"%s\":", sign, name);
    write_json(to, s);
}

static bool is_number(span raw)
{
    return raw.len > 0 && is_digit(raw.ptr[0]);
}

/* ---- OCSF ------------------------------------------------------------------------------------------------------- */

#define OCSF_VERSION "1.4.0" /* actions 3 and 4, is_alert and policy are in no earlier security_control */
#define DATASTORE_ACTIVITY 6005u
#define ACTIVITY_READ 1u
#define ACTIVITY_QUERY 4u

static void put_actor(const struct report_entry *e, FILE *to)
{
    struct fact f;
    fputs(",\"actor\":{\"user\":{\"type_id\":99,\"type\":\"recipient\"", to);
    put_text(to, ",", "uid", text_of_recipient(&f, e, "id"));
    put_text(to, ",", "name", text_of_recipient(&f, e, "identity"));
    span organization = text_of_recipient(&f, e, "organization");
    if (organization.ptr) {
        fputs(",\"org\":{", to);
        put_text(to, "", "name", organization);
        fputc('}', to);
    }
    fputs("}},\"src_endpoint\":{", to);
    span id = text_of_recipient(&f, e, "id");
    put_text(to, "", "name", id.ptr ? id : SPAN("unknown"));
    put_text(to, ",", "ip", text_of(&f, e, LEDGER_MEMBER_CLIENT));
    fputc('}', to);
}

static void put_exchange(const struct report_entry *e, FILE *to)
{
    struct fact f;
    span status = e->view->members[LEDGER_MEMBER_STATUS];
    fputs(",\"http_request\":{\"url\":{", to);
    span target = text_of(&f, e, LEDGER_MEMBER_TARGET);
    put_text(to, "", "path", target.ptr ? target : SPAN("/"));
    fputc('}', to);
    put_text(to, ",", "http_method", text_of(&f, e, LEDGER_MEMBER_METHOD));
    put_text(to, ",", "uid", text_of(&f, e, LEDGER_MEMBER_REQUEST));
    fputc('}', to);
    if (is_number(status)) fprintf(to, ",\"http_response\":{\"code\":%.*s},\"status_code\":\"%.*s\"", SPAN_FMT(status), SPAN_FMT(status));
    fputs(",\"database\":{\"type_id\":99,\"type\":\"record API\"", to);
    span route = text_of(&f, e, LEDGER_MEMBER_ROUTE);
    put_text(to, ",", "name", route.ptr ? route : SPAN("-"));
    fputc('}', to);
}

static void put_metadata(const struct report_entry *e, bool control, FILE *to)
{
    struct fact f;
    fputs(",\"metadata\":{\"version\":\"" OCSF_VERSION "\",\"product\":{\"name\":\"gate1367\",\"vendor_name\":\"gate1367\",\"version\":\"" GATE1367_VERSION
          "\"}", to);
    if (control) fputs(",\"profiles\":[\"security_control\"]", to);
    put_text(to, ",", "event_code", text_of(&f, e, LEDGER_MEMBER_EVENT));
    put_text(to, ",", "correlation_uid", text_of(&f, e, LEDGER_MEMBER_REQUEST));
    put_text(to, ",", "log_name", text_of(&f, e, LEDGER_MEMBER_NODE));
    fprintf(to, ",\"sequence\":%llu,\"uid\":\"%llu\"}", (unsigned long long)e->index, (unsigned long long)e->index);
}

static void put_control(const struct report_entry *e, const struct standing *s, FILE *to)
{
    fprintf(to, ",\"action_id\":%u,\"disposition_id\":%u,\"is_alert\":%s", s->action, s->disposition, s->severity >= 3 ? "true" : "false");
    if (e->view->members[LEDGER_MEMBER_RULES].len <= 2) return;
    fputs(",\"policy\":{\"name\":", to); /* the rules that found something, as one name */
    fputc('"', to);
    write_list(to, e->view->members[LEDGER_MEMBER_RULES], " ", write_span);
    fputs("\"}", to);
}

/* What is no access to data is a base event: every class has those attributes. */
void export_ocsf(const struct report_entry *e, FILE *to)
{
    struct fact f;
    const struct standing *s = standing_of(e);
    bool access = entry_decided(e->view) || entry_is(e->view, LEDGER_COMPLETION);
    unsigned class = access ? DATASTORE_ACTIVITY : 0, activity = access ? (count_of(e, "seen") > 1 ? ACTIVITY_QUERY : ACTIVITY_READ) : 99;
    fprintf(to, "{\"class_uid\":%u,\"class_name\":\"%s\",\"category_uid\":%u,\"category_name\":\"%s\",\"activity_id\":%u,\"type_uid\":%u,", class,
        access ? "Datastore Activity" : "Base Event", access ? 6u : 0u, access ? "Application Activity" : "Uncategorized", activity, class * 100 + activity);
    if (!access) fputs("\"activity_name\":\"Other\",", to);
    fprintf(to, "\"severity_id\":%u,\"time\":%llu", s->severity, (unsigned long long)(entry_time(e->view) / 1000));
    if (access) fprintf(to, ",\"status_id\":%u", s->status);
    put_metadata(e, access, to);
    put_text(to, ",", "message", text_of(&f, e, LEDGER_MEMBER_EVENT));
    if (access) {
        put_actor(e, to);
        put_exchange(e, to);
        put_control(e, s, to);
    }
    fprintf(to, ",\"unmapped\":{\"entry\":%.*s", SPAN_FMT(e->view->json));
    if (e->unsealed.len > 0) fprintf(to, ",\"unsealed\":%.*s", SPAN_FMT(e->unsealed));
    fputs("}}\n", to);
}

/* ---- ECS -------------------------------------------------------------------------------------------------------- */

static void put_event(const struct report_entry *e, const struct standing *s, bool access, FILE *to)
{
    struct fact f;
    span duration = e->view->members[LEDGER_MEMBER_DURATION_US];
    fprintf(to, ",\"event\":{\"kind\":\"event\",\"module\":\"gate1367\",\"dataset\":\"gate1367.ledger\",\"sequence\":%llu,\"category\":[\"%s\"],\"type\":[\"%s\"%s],"
        "\"outcome\":\"%s\"", (unsigned long long)e->index, access ? "database" : "configuration", access ? "access" : "info", "", s->result);
    put_text(to, ",", "action", text_of(&f, e, LEDGER_MEMBER_EVENT));
    put_text(to, ",", "id", text_of(&f, e, LEDGER_MEMBER_REQUEST));
    put_text(to, ",", "reason", text_of(&f, e, LEDGER_MEMBER_OUTCOME));
    if (is_number(duration)) fprintf(to, ",\"duration\":%.*s000", SPAN_FMT(duration));
    fputc('}', to);
}

static void put_http(const struct report_entry *e, FILE *to)
{
    struct fact f;
    span status = e->view->members[LEDGER_MEMBER_STATUS], bytes = e->view->members[LEDGER_MEMBER_BYTES], method = text_of(&f, e, LEDGER_MEMBER_METHOD);
    const char *sign = "";
    if (!method.ptr && !is_number(status)) return;
    fputs(",\"http\":{", to);
    if (method.ptr) {
        fputs("\"request\":{", to);
        put_text(to, "", "method", method);
        fputc('}', to);
        sign = ",";
    }
    if (is_number(status)) fprintf(to, "%s\"response\":{\"status_code\":%.*s", sign, SPAN_FMT(status));
    if (is_number(status) && is_number(bytes)) fprintf(to, ",\"bytes\":%.*s", SPAN_FMT(bytes));
    fputs(is_number(status) ? "}}" : "}", to);
}

/* {"group":{"name":text}} where there is one. */
static void put_group(FILE *to, const char *group, const char *name, span s)
{
    if (!s.ptr) return;
    fprintf(to, ",\"%s\":{", group);
    put_text(to, "", name, s);
    fputc('}', to);
}

void export_ecs(const struct report_entry *e, FILE *to)
{
    struct fact f;
    const struct standing *s = standing_of(e);
    bool access = entry_decided(e->view) || entry_is(e->view, LEDGER_COMPLETION);
    fputs("{\"@timestamp\":", to);
    write_json(to, text_of(&f, e, LEDGER_MEMBER_TIME));
    fputs(",\"ecs\":{\"version\":\"8.11.0\"}", to);
    put_event(e, s, access, to);
    put_http(e, to);
    put_group(to, "url", "path", text_of(&f, e, LEDGER_MEMBER_TARGET));
    put_group(to, "user", "id", text_of_recipient(&f, e, "id"));
    put_group(to, "organization", "name", text_of_recipient(&f, e, "organization"));
    put_group(to, "source", "ip", text_of(&f, e, LEDGER_MEMBER_CLIENT));
    fputs(",\"observer\":{\"vendor\":\"gate1367\",\"product\":\"gate1367\",\"type\":\"proxy\",\"version\":\"" GATE1367_VERSION "\"", to);
    put_text(to, ",", "name", text_of(&f, e, LEDGER_MEMBER_NODE));
    fputc('}', to);
    if (access && e->view->members[LEDGER_MEMBER_RULES].len > 2) {
        fputs(",\"rule\":{\"name\":[\"", to);
        write_list(to, e->view->members[LEDGER_MEMBER_RULES], "\",\"", write_span);
        fputs("\"]}", to);
    }
    fprintf(to, ",\"gate1367\":{\"entry\":%.*s", SPAN_FMT(e->view->json));
    if (e->unsealed.len > 0) fprintf(to, ",\"unsealed\":%.*s", SPAN_FMT(e->unsealed));
    fputs("}}\n", to);
}
