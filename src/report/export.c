/* The ledger's entries in other programs' words. Nothing of an entry is lost on the way: where a format has no place for
 * something, the entry itself stands beside. */
#include "report/export.h"

const char *report_export_name(enum report_export f)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        REPORT_EXPORTS(X)
#undef X
    };
    return names[f];
}

bool report_export_parse(span word, enum report_export *out)
{
    for (unsigned i = 0; i < REPORT_EXPORT_COUNT; i++) {
        if (!span_equal(word, span_str(report_export_name((enum report_export)i)))) continue;
        *out = (enum report_export)i;
        return true;
    }
    return false;
}

span text_in(struct fact *f, span raw)
{
    return ledger_view_text(raw, f->scratch, sizeof f->scratch);
}

/* Sealed members as they were unsealed, where they were. */
span text_of(struct fact *f, const struct report_entry *e, enum ledger_member m)
{
    span sealed = span_of(NULL, 0);
    if (m == LEDGER_MEMBER_CLIENT) sealed = ledger_view_member(e->unsealed, "client");
    if (m == LEDGER_MEMBER_TARGET) sealed = ledger_view_member(e->unsealed, "target");
    span s = text_in(f, sealed);
    return s.ptr ? s : text_in(f, e->view->members[m]);
}

span text_of_recipient(struct fact *f, const struct report_entry *e, const char *member)
{
    span s = text_in(f, ledger_view_member(e->unsealed, member));
    return s.ptr ? s : text_in(f, ledger_view_member(e->view->members[LEDGER_MEMBER_RECIPIENT], member));
}

uint64_t count_of(const struct report_entry *e, const char *member)
{
    return ledger_view_number(ledger_view_member(e->view->members[LEDGER_MEMBER_RECORDS], member), 0);
}

void write_list(FILE *to, span container, const char *between, void (*write)(FILE *, span))
{
    span name, value;
    size_t at = 0;
    const char *sign = "";
    while (container.len > 2 && ledger_view_next(container, &at, &name, &value)) {
        fputs(sign, to);
        sign = between;
        if (name.ptr) write(to, name);
        else write(to, value.len > 1 && value.ptr[0] == '"' ? span_sub(value, 1, value.len - 2) : value);
    }
}

/* ---- JSON Lines ------------------------------------------------------------------------------------------------- */

static void put_jsonl(const struct report_entry *e, FILE *to)
{
    fprintf(to, "{\"index\":%llu,\"entry\":%.*s", (unsigned long long)e->index, SPAN_FMT(e->view->json));
    if (e->unsealed.len > 0) fprintf(to, ",\"unsealed\":%.*s", SPAN_FMT(e->unsealed));
    fputs("}\n", to);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

static const char CSV_HEAD[] = "index,time,node,request,event,recipient,agency,component,standing,organization,identity,fingerprint,client,purpose,"
                               "method,route,target,upstream_status,status,outcome,seen,protected,withheld,redacted,disclosed,subjects,rules,grant,"
                               "exception,rules_version,registry_version,config_version,duration_us,part,last,bytes,aborted\r\n";

static void csv_text(FILE *to, span s)
{
    fputc(',', to);
    if (s.ptr) write_csv(to, s);
}

/* Numbers, true and false as they are; null is empty. */
static void csv_raw(FILE *to, span raw)
{
    fputc(',', to);
    if (raw.ptr && !span_equal(raw, SPAN("null"))) write_csv(to, raw);
}

static void csv_list(FILE *to, span container)
{
    fputs(",\"", to);
    write_list(to, container, " ", write_csv_inside);
    fputc('"', to);
}

//= RFC4180 2
static void put_csv(const struct report_entry *e, FILE *to)
{
    static const enum ledger_member first[] = {LEDGER_MEMBER_TIME, LEDGER_MEMBER_NODE, LEDGER_MEMBER_REQUEST, LEDGER_MEMBER_EVENT};
    static const char *const who[] = {"id", "agency", "component", "standing", "organization", "identity", "fingerprint"};
    static const enum ledger_member texts[] = {LEDGER_MEMBER_CLIENT, LEDGER_MEMBER_PURPOSE, LEDGER_MEMBER_METHOD, LEDGER_MEMBER_ROUTE, LEDGER_MEMBER_TARGET};
    static const char *const counts[] = {"seen", "protected", "withheld", "redacted", "disclosed"};
    static const char *const versions[] = {"rules", "registry", "config"};
    const span *m = e->view->members;
    struct fact f;
    fprintf(to, "%llu", (unsigned long long)e->index);
    for (size_t i = 0; i < ARRAY_LEN(first); i++) csv_text(to, text_of(&f, e, first[i]));
    for (size_t i = 0; i < ARRAY_LEN(who); i++) csv_text(to, text_of_recipient(&f, e, who[i]));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) csv_text(to, text_of(&f, e, texts[i]));
    csv_raw(to, m[LEDGER_MEMBER_UPSTREAM_STATUS]);
    csv_raw(to, m[LEDGER_MEMBER_STATUS]);
    csv_text(to, text_of(&f, e, LEDGER_MEMBER_OUTCOME));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) fprintf(to, ",%llu", (unsigned long long)count_of(e, counts[i]));
    csv_list(to, m[LEDGER_MEMBER_SUBJECTS]);
    csv_list(to, m[LEDGER_MEMBER_RULES]);
    csv_text(to, text_of(&f, e, LEDGER_MEMBER_GRANT));
    csv_text(to, text_of(&f, e, LEDGER_MEMBER_EXCEPTION));
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) csv_text(to, text_in(&f, ledger_view_member(m[LEDGER_MEMBER_VERSIONS], versions[i])));
    csv_raw(to, m[LEDGER_MEMBER_DURATION_US]);
    csv_raw(to, m[LEDGER_MEMBER_PART]);
    csv_raw(to, m[LEDGER_MEMBER_LAST]);
    csv_raw(to, m[LEDGER_MEMBER_BYTES]);
    csv_raw(to, m[LEDGER_MEMBER_ABORTED]);
    fputs("\r\n", to);
}

/* ---- which ------------------------------------------------------------------------------------------------------ */

void report_export_head(enum report_export format, FILE *to)
{
    if (format == REPORT_EXPORT_CSV) fputs(CSV_HEAD, to);
}

void report_export(enum report_export format, const struct report_entry *e, FILE *to)
{
    switch (format) {
    case REPORT_EXPORT_JSONL: put_jsonl(e, to); return;
    case REPORT_EXPORT_CSV: put_csv(e, to); return;
    case REPORT_EXPORT_OCSF: export_ocsf(e, to); return;
    case REPORT_EXPORT_ECS: export_ecs(e, to); return;
    case REPORT_EXPORT_CEF: export_cef(e, to); return;
    case REPORT_EXPORT_SYSLOG: export_syslog(e, to); return;
    case REPORT_EXPORT_SQLITE:
    case REPORT_EXPORT_COUNT: return;
    }
}
