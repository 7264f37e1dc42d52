/* What an origin saw against what the gateway counted: lines of its own access log (nginx's "combined", which Apache writes
 * too) that no request of the gateway explains went round it. */
#include "report/sums.h"
#include <errno.h>
#include <stdlib.h>

#define HOUR_US UINT64_C(3600000000)
#define LISTED 1000u
#define TIME_BYTES 26u
#define MEMORY_MAX ((size_t)1 << 30)

struct hour {
    uint64_t begin_us, lines, elsewhere, asked, answered;
};
struct foreign {
    uint64_t time_us;
    span address, request, status;
};
struct reconcile {
    struct arena *memory;
    const char *upstream; /* NULL: all of them */
    const char *const *gateways;
    size_t gateway_count;
    struct hour *hours; /* ascending */
    size_t count, room;
    struct tally addresses;
    struct foreign *foreign;
    size_t foreign_count;
    uint64_t from_us, to_us; /* what the gateway's counters cover */
    uint64_t lines, unread, outside, elsewhere;
};

result reconcile_new(const char *upstream, const char *const *gateways, size_t count, struct reconcile **out)
{
    struct reconcile *r = mem_alloc(sizeof *r);
    REQUIRE(r, ERROR_LIMIT, ENOMEM);
    *r = (struct reconcile){.memory = arena_new(MEMORY_MAX), .upstream = upstream, .gateways = gateways, .gateway_count = count, .from_us = UINT64_MAX};
    r->foreign = mem_array(LISTED, sizeof *r->foreign);
    r->addresses.memory = r->memory;
    if (r->memory && r->foreign) {
        *out = r;
        return OK;
    }
    reconcile_free(r);
    return FAIL(ERROR_LIMIT, ENOMEM);
}

void reconcile_free(struct reconcile *r)
{
    if (!r) return;
    tally_free(&r->addresses);
    mem_free(r->foreign);
    mem_free(r->hours);
    if (r->memory) arena_free(r->memory);
    mem_free(r);
}

static struct hour *hour_of(struct reconcile *r, uint64_t time_us)
{
    uint64_t begin = time_us / HOUR_US * HOUR_US;
    size_t i = r->count;
    while (i > 0 && r->hours[i - 1].begin_us > begin) i--;
    if (i > 0 && r->hours[i - 1].begin_us == begin) return &r->hours[i - 1];
    if (r->count == r->room) {
        size_t room = r->room * 2 + 64;
        struct hour *more = mem_resize(r->hours, room * sizeof *more);
        if (!more) return NULL;
        r->hours = more;
        r->room = room;
    }
    memmove(r->hours + i + 1, r->hours + i, (r->count - i) * sizeof *r->hours);
    r->count++;
    r->hours[i] = (struct hour){.begin_us = begin};
    return &r->hours[i];
}

/* ---- the gateway's counters ------------------------------------------------------------------------------------- */

static bool counts(const struct reconcile *r, span name, span prefix)
{
    if (!span_starts(name, prefix)) return false;
    return !r->upstream || span_equal(span_from(name, prefix.len), span_str(r->upstream));
}

result reconcile_add(struct reconcile *r, const struct report_entry *e)
{
    span name, value;
    size_t at = 0;
    if (!entry_is(e->view, LEDGER_SUMMARY)) return OK;
    uint64_t end = entry_time(e->view), length = ledger_view_number(e->view->members[LEDGER_MEMBER_DURATION_US], 0);
    uint64_t begin = end > length ? end - length : 0;
    struct hour *h = hour_of(r, begin + (end - begin) / 2);
    REQUIRE(h, ERROR_LIMIT, ENOMEM);
    if (begin < r->from_us) r->from_us = begin;
    if (end > r->to_us) r->to_us = end;
    while (ledger_view_next(e->view->members[LEDGER_MEMBER_RULES], &at, &name, &value)) {
        if (counts(r, name, SPAN("asked."))) h->asked += ledger_view_number(value, 0);
        if (counts(r, name, SPAN("answered."))) h->answered += ledger_view_number(value, 0);
    }
    return OK;
}

/* ---- the origin's log ------------------------------------------------------------------------------------------- */

struct log_line {
    span address, request, status;
    uint64_t time_us;
};

/* Up to the byte, which is taken too. */
static bool take_until(span *rest, uint8_t end, span *out)
{
    size_t n = span_find(*rest, end);
    if (n == rest->len) return false;
    *out = span_sub(*rest, 0, n);
    *rest = span_from(*rest, n + 1);
    return true;
}

/* 21/Nov/2026:22:04:21 +0000 */
static bool parse_time(span s, uint64_t *time_us)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[40];
    if (s.len != TIME_BYTES || s.ptr[2] != '/' || s.ptr[6] != '/' || s.ptr[11] != ':' || s.ptr[20] != ' ') return false;
    for (unsigned m = 0; m < ARRAY_LEN(months); m++) {
        if (memcmp(s.ptr + 3, months[m], 3) != 0) continue;
        int n = snprintf(text, sizeof text, "%.4s-%02u-%.2sT%.8s%.3s:%.2s", (const char *)s.ptr + 7, m + 1, (const char *)s.ptr,
            (const char *)s.ptr + 12, (const char *)s.ptr + 21, (const char *)s.ptr + 24);
        return ledger_time_parse(span_of(text, (size_t)n), time_us);
    }
    return false;
}

/* Before it stands a user's name, which may hold anything but a quote that ends here: nginx writes those as \x22, Apache as \". */
static bool take_time(span *rest, uint64_t *time_us)
{
    size_t at = span_search(*rest, SPAN("] \""));
    if (at == rest->len || at < TIME_BYTES + 1 || rest->ptr[at - TIME_BYTES - 1] != '[') return false;
    bool good = parse_time(span_sub(*rest, at - TIME_BYTES, TIME_BYTES), time_us);
    *rest = span_from(*rest, at + 3);
    return good;
}

/* Up to the quote that is none of its own, and the blank behind it. */
static bool take_request(span *rest, span *out)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '"') n += rest->ptr[n] == '\\' ? 2 : 1;
    if (n + 1 >= rest->len || rest->ptr[n + 1] != ' ') return false;
    *out = span_sub(*rest, 0, n);
    *rest = span_from(*rest, n + 2);
    return true;
}

static bool parse_line(span line, struct log_line *out)
{
    if (span_find(line, '\0') < line.len) return false; /* what a log that was cut while it was written begins with */
    if (!take_until(&line, ' ', &out->address) || out->address.len == 0) return false;
    if (!take_time(&line, &out->time_us) || !take_request(&line, &out->request)) return false;
    out->status = span_sub(line, 0, span_find(line, ' '));
    return out->status.len == 3;
}

static bool is_gateway(const struct reconcile *r, span address)
{
    for (size_t i = 0; i < r->gateway_count; i++)
        if (span_equal(address, span_str(r->gateways[i]))) return true;
    return r->gateway_count == 0;
}

/* The path without its query: a name may stand there. */
static span without_query(span request)
{
    size_t n = span_find(request, '?');
    return span_sub(request, 0, n);
}

result reconcile_line(struct reconcile *r, span line)
{
    struct log_line l;
    line = span_trim(line);
    if (line.len == 0) return OK;
    r->lines++;
    if (!parse_line(line, &l)) return r->unread++, OK;
    if (l.time_us < r->from_us / 1000000 * 1000000 || l.time_us > r->to_us) return r->outside++, OK;
    struct hour *h = hour_of(r, l.time_us);
    struct tally_line *who = tally_line(&r->addresses, l.address);
    REQUIRE(h && who, ERROR_LIMIT, ENOMEM);
    who->sums.requests++;
    if (is_gateway(r, l.address)) return h->lines++, OK;
    h->elsewhere++;
    r->elsewhere++;
    if (r->foreign_count == LISTED) return OK;
    r->foreign[r->foreign_count++] = (struct foreign){l.time_us, arena_copy(r->memory, l.address),
        arena_copy(r->memory, without_query(l.request)), arena_copy(r->memory, l.status)};
    return arena_failed(r->memory) ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static const struct report_column HOURS[] = {{"hour", "Hour", REPORT_TEXT}, {"explained", "explained", REPORT_NUMBER},
    {"unexplained", "no request of the gateway", REPORT_NUMBER}, {"elsewhere", "from another address", REPORT_NUMBER}};
static const struct report_column COUNTERS[] = {{"hour", "Hour", REPORT_TEXT}, {"lines", "Lines at the origin", REPORT_NUMBER},
    {"asked", "Asked by the gateway", REPORT_NUMBER}, {"answered", "Answers that began", REPORT_NUMBER}};
static const struct report_column ADDRESSES[] = {{"address", "Address", REPORT_TEXT}, {"lines", "Lines", REPORT_NUMBER}, {"gateway", "The gateway's", REPORT_TEXT}};
static const struct report_column FOREIGN[] = {{"time", "Time", REPORT_TEXT}, {"address", "Address", REPORT_TEXT}, {"request", "Request", REPORT_TEXT},
    {"status", "Status", REPORT_TEXT}};

/* What was asked at the end of an hour may be answered, and logged, in the next. */
static uint64_t unexplained_of(const struct reconcile *r, size_t i, uint64_t *left)
{
    const struct hour *h = &r->hours[i];
    uint64_t asked = h->asked + *left, over = h->lines > asked ? h->lines - asked : 0;
    *left = h->asked > h->lines ? h->asked - h->lines : 0;
    return over;
}

/* What was asked, and what the origin may never have logged: as many lines could be of others. */
static uint64_t unanswered_of(const struct reconcile *r)
{
    struct reconcile_reading n = reconcile_reading(r);
    return n.asked > n.answered ? n.asked - n.answered : 0;
}

/* The origin logs at least the answers that began: where they are more, its log is not whole, and what went round may have stood
 * where they did. */
static uint64_t lacking_of(const struct reconcile *r)
{
    uint64_t lines = 0, answered = reconcile_reading(r).answered;
    for (size_t i = 0; i < r->count; i++) lines += r->hours[i].lines;
    return answered > lines ? answered - lines : 0;
}

static uint64_t put_hours(struct reconcile *r, struct report *out)
{
    struct report_table *t = report_table_add(out, "hours", "What the origin saw", "Lines of the origin's log by hour.", HOURS, ARRAY_LEN(HOURS));
    uint64_t left = 0, all = 0;
    if (t) t->chart = REPORT_STACKED, t->chart_column = 1;
    for (size_t i = 0; i < r->count; i++) {
        char time[LEDGER_TIME_TEXT];
        uint64_t over = unexplained_of(r, i, &left);
        ledger_time_format(r->hours[i].begin_us, time);
        all += over;
        report_text(out, t, span_of(time, 16));
        report_number(out, t, r->hours[i].lines - over);
        report_number(out, t, over);
        report_number(out, t, r->hours[i].elsewhere);
    }
    return all;
}

static void put_counters(struct reconcile *r, struct report *out)
{
    struct report_table *t = report_table_add(out, "counters", "Beside the gateway's counters",
        "The origin logs what it has read: between the answers that began and what was asked. More is what no request of the gateway explains.",
        COUNTERS, ARRAY_LEN(COUNTERS));
    for (size_t i = 0; i < r->count; i++) {
        const struct hour *h = &r->hours[i];
        char time[LEDGER_TIME_TEXT];
        ledger_time_format(h->begin_us, time);
        report_text(out, t, span_of(time, 16));
        report_number(out, t, h->lines + h->elsewhere);
        report_number(out, t, h->asked);
        report_number(out, t, h->answered);
    }
}

static void put_addresses(struct reconcile *r, struct report *out)
{
    struct report_table *t = report_table_add(out, "addresses", "By address", "Who asked the origin.", ADDRESSES, ARRAY_LEN(ADDRESSES));
    tally_sort(&r->addresses);
    for (size_t i = 0; i < r->addresses.count; i++) {
        span address = r->addresses.lines[i].name;
        report_text(out, t, address);
        report_number(out, t, r->addresses.lines[i].sums.requests);
        report_text(out, t, r->gateway_count == 0 ? SPAN("not said") : is_gateway(r, address) ? SPAN("yes") : SPAN("no"));
    }
}

static void put_foreign(struct reconcile *r, struct report *out)
{
    struct report_table *t = report_table_add(out, "elsewhere", "Requests from another address", "The first thousand, without their queries.", FOREIGN,
        ARRAY_LEN(FOREIGN));
    for (size_t i = 0; i < r->foreign_count; i++) {
        char time[LEDGER_TIME_TEXT];
        ledger_time_format(r->foreign[i].time_us, time);
        report_text(out, t, span_of(time, 19));
        report_text(out, t, r->foreign[i].address);
        report_text(out, t, r->foreign[i].request);
        report_text(out, t, r->foreign[i].status);
    }
}

result reconcile_report(struct reconcile *r, struct report *out, uint64_t *round)
{
    char from[LEDGER_TIME_TEXT] = "-", to[LEDGER_TIME_TEXT] = "-";
    if (r->to_us > 0) {
        ledger_time_format(r->from_us, from);
        ledger_time_format(r->to_us, to);
    }
    uint64_t unexplained = put_hours(r, out);
    *round = unexplained + r->elsewhere;
    report_fact(out, "went round the gateway", "%llu", (unsigned long long)*round);
    report_fact(out, "asked without an answer", "%llu", (unsigned long long)unanswered_of(r));
    report_fact(out, "answers that the log lacks", "%llu", (unsigned long long)lacking_of(r));
    report_fact(out, "upstream", "%s", r->upstream ? r->upstream : "all");
    report_fact(out, "counted from", "%.19s", from);
    report_fact(out, "counted to", "%.19s", to);
    report_fact(out, "lines read", "%llu", (unsigned long long)r->lines);
    report_fact(out, "lines outside that time", "%llu", (unsigned long long)r->outside);
    report_fact(out, "lines that are no combined log", "%llu", (unsigned long long)r->unread);
    put_counters(r, out);
    put_addresses(r, out);
    put_foreign(r, out);
    return out->failed ? FAIL(ERROR_LIMIT, ENOMEM) : OK;
}

struct reconcile_reading reconcile_reading(const struct reconcile *r)
{
    struct reconcile_reading n = {.lines = r->lines, .unread = r->unread, .judged = r->lines - r->unread - r->outside};
    for (size_t i = 0; i < r->count; i++) n.asked += r->hours[i].asked, n.answered += r->hours[i].answered;
    return n;
}
