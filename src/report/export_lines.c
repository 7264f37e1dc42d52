/* CEF and syslog: lines for collectors that split at signs. What comes from a client must not be taken for one. */
#include "report/export.h"
#include "report/sums.h"

#define FACILITY_AUDIT 13u
#define SYSLOG_NOTICE 5u
#define SYSLOG_WARNING 4u
#define EXAMPLE_ENTERPRISE "32473" /* RFC 5612: for documentation; a site that has a number of its own rewrites it */

/* ---- CEF -------------------------------------------------------------------------------------------------------- */

static void cef_header(FILE *to, span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '|' || s.ptr[i] == '\\') fputc('\\', to);
        fputc(s.ptr[i] < 0x20 || s.ptr[i] == 0x7f ? ' ' : s.ptr[i], to);
    }
}

static void cef_value(FILE *to, span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '\n' || c == '\r') fputs(c == '\n' ? "\\n" : "\\r", to);
        else if (c == '=' || c == '\\') fprintf(to, "\\%c", c);
        else fputc(c < 0x20 || c == 0x7f ? ' ' : c, to);
    }
}

static void cef_put(FILE *to, const char *key, span s)
{
    if (!s.ptr || s.len == 0) return;
    fprintf(to, " %s=", key);
    cef_value(to, s);
}

static void cef_labelled(FILE *to, const char *key, const char *label, span s)
{
    if (!s.ptr || s.len == 0) return;
    fprintf(to, " %sLabel=%s", key, label);
    cef_put(to, key, s);
}

static bool is_refusing(const struct report_entry *e)
{
    struct fact f;
    enum ledger_outcome o;
    if (!ledger_outcome_parse(text_of(&f, e, LEDGER_MEMBER_OUTCOME), &o)) return false;
    return o == LEDGER_FAILED_CLOSED || o == LEDGER_UNINSPECTED || o == LEDGER_SHADOW;
}

static void cef_counts(const struct report_entry *e, FILE *to)
{
    static const char *const counts[] = {"seen", "withheld", "disclosed"};
    for (unsigned i = 0; i < ARRAY_LEN(counts); i++)
        fprintf(to, " cn%uLabel=%s cn%u=%llu", i + 1, counts[i], i + 1, (unsigned long long)count_of(e, counts[i]));
}

void export_cef(const struct report_entry *e, FILE *to)
{
    struct fact f;
    enum ledger_event event;
    span word = text_of(&f, e, LEDGER_MEMBER_EVENT), client;
    bool known = ledger_event_parse(word, &event);
    fputs("CEF:0|gate1367|gate1367|" GATE1367_VERSION "|", to);
    cef_header(to, word);
    fputc('|', to);
    cef_header(to, known ? span_str(ledger_event_note(event)) : word);
    fprintf(to, "|%u|rt=%llu externalId=%llu", is_refusing(e) ? 6u : 3u, (unsigned long long)(entry_time(e->view) / 1000), (unsigned long long)e->index);
    cef_put(to, "dvchost", text_of(&f, e, LEDGER_MEMBER_NODE));
    cef_put(to, "outcome", text_of(&f, e, LEDGER_MEMBER_OUTCOME));
    client = text_of(&f, e, LEDGER_MEMBER_CLIENT);
    if (span_find(client, ':') < client.len) cef_labelled(to, "c6a2", "Source IPv6 Address", client);
    else cef_put(to, "src", client);
    cef_put(to, "suser", text_of_recipient(&f, e, "id"));
    cef_put(to, "requestMethod", text_of(&f, e, LEDGER_MEMBER_METHOD));
    cef_put(to, "request", text_of(&f, e, LEDGER_MEMBER_TARGET));
    cef_labelled(to, "cs1", "request", text_of(&f, e, LEDGER_MEMBER_REQUEST));
    cef_labelled(to, "cs2", "purpose", text_of(&f, e, LEDGER_MEMBER_PURPOSE));
    cef_labelled(to, "cs3", "organization", text_of_recipient(&f, e, "organization"));
    if (e->view->members[LEDGER_MEMBER_RULES].len > 2) {
        fputs(" cs4Label=rules cs4=", to);
        write_list(to, e->view->members[LEDGER_MEMBER_RULES], " ", cef_value);
    }
    cef_counts(e, to);
    fputc('\n', to);
}

/* ---- syslog ----------------------------------------------------------------------------------------------------- */

/* A field of the header: printable ASCII without spaces, or "-". */
//= RFC5424 6.2
static void syslog_field(FILE *to, span s, size_t max)
{
    if (s.len == 0) fputc('-', to);
    for (size_t i = 0; i < s.len && i < max; i++) fputc(s.ptr[i] > 0x20 && s.ptr[i] < 0x7f ? s.ptr[i] : '?', to);
}

//= RFC5424 6.3.3
static void syslog_parameter(FILE *to, const char *name, span s)
{
    if (!s.ptr) return;
    fprintf(to, " %s=\"", name);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '"' || c == '\\' || c == ']') fputc('\\', to);
        fputc(c < 0x20 || c == 0x7f ? ' ' : c, to);
    }
    fputc('"', to);
}

//= RFC5424 6
void export_syslog(const struct report_entry *e, FILE *to)
{
    struct fact f;
    fprintf(to, "<%u>1 ", FACILITY_AUDIT * 8 + (is_refusing(e) ? SYSLOG_WARNING : SYSLOG_NOTICE));
    syslog_field(to, text_of(&f, e, LEDGER_MEMBER_TIME), 40);
    fputc(' ', to);
    syslog_field(to, text_of(&f, e, LEDGER_MEMBER_NODE), 255);
    fputs(" gate1367 - ", to);
    syslog_field(to, text_of(&f, e, LEDGER_MEMBER_EVENT), 32);
    fprintf(to, " [gate1367@" EXAMPLE_ENTERPRISE " index=\"%llu\"", (unsigned long long)e->index);
    syslog_parameter(to, "request", text_of(&f, e, LEDGER_MEMBER_REQUEST));
    syslog_parameter(to, "recipient", text_of_recipient(&f, e, "id"));
    syslog_parameter(to, "outcome", text_of(&f, e, LEDGER_MEMBER_OUTCOME));
    syslog_parameter(to, "target", text_of(&f, e, LEDGER_MEMBER_TARGET));
    fprintf(to, "] \xef\xbb\xbf%.*s\n", SPAN_FMT(e->view->json));
}
