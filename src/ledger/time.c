/* Calendar arithmetic without the C library's time zones: pure, and fast enough for every entry. */
#include "ledger/calendar.h"
#include "ledger/ledger.h"

#define DAY_SECONDS UINT64_C(86400)

/* Proleptic Gregorian calendar counted in eras of 400 years that begin on 1 March, so that the leap day is last. */
struct ledger_date ledger_date_of(uint64_t days)
{
    uint64_t z = days + 719468, era = z / 146097, day = z % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t yday = day - (365 * year + year / 4 - year / 100), shifted = (5 * yday + 2) / 153;
    unsigned month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    return (struct ledger_date){
        (unsigned)(year + era * 400) + (month <= 2), month, (unsigned)(yday - (153 * shifted + 2) / 5 + 1)};
}

uint64_t ledger_days_of(struct ledger_date d)
{
    uint64_t year = d.year - (d.month <= 2), era = year / 400, yoe = year % 400;
    uint64_t shifted = d.month > 2 ? d.month - 3 : d.month + 9, yday = (153 * shifted + 2) / 5 + d.day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + yday - 719468;
}

static char *put_digits(char *p, uint64_t v, unsigned count)
{
    for (unsigned i = count; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + count;
}

void ledger_time_format(uint64_t time_us, char out[LEDGER_TIME_TEXT])
{
    uint64_t seconds = time_us / 1000000, rest = seconds % DAY_SECONDS;
    struct ledger_date d = ledger_date_of(seconds / DAY_SECONDS);
    char *p = put_digits(out, d.year % 10000, 4);
    *p++ = '-', p = put_digits(p, d.month, 2);
    *p++ = '-', p = put_digits(p, d.day, 2);
    *p++ = 'T', p = put_digits(p, rest / 3600, 2);
    *p++ = ':', p = put_digits(p, rest / 60 % 60, 2);
    *p++ = ':', p = put_digits(p, rest % 60, 2);
    *p++ = '.', p = put_digits(p, time_us % 1000000, 6);
    *p++ = 'Z', *p = 0;
}

static bool take_digits(span *s, unsigned count, uint64_t max, uint64_t *out)
{
    if (s->len < count || !span_to_u64(span_sub(*s, 0, count), max, out)) return false;
    *s = span_from(*s, count);
    return true;
}

static bool take_char(span *s, char c)
{
    if (s->len == 0 || s->ptr[0] != (uint8_t)c) return false;
    *s = span_from(*s, 1);
    return true;
}

static unsigned month_days(uint64_t year, uint64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(span *s, uint64_t *days)
{
    uint64_t y, m, d;
    if (!take_digits(s, 4, 9999, &y) || !take_char(s, '-') || !take_digits(s, 2, 12, &m) || !take_char(s, '-') ||
        !take_digits(s, 2, 31, &d))
        return false;
    if (y < 1970 || m == 0 || d == 0 || d > month_days(y, m)) return false;
    *days = ledger_days_of((struct ledger_date){(unsigned)y, (unsigned)m, (unsigned)d});
    return true;
}

static bool take_fraction(span *s, uint64_t *us)
{
    *us = 0;
    if (!take_char(s, '.')) return true;
    unsigned digits = 0;
    for (; s->len > 0 && is_digit(s->ptr[0]); digits++, *s = span_from(*s, 1))
        if (digits < 6) *us = *us * 10 + (s->ptr[0] - '0');
    for (unsigned i = digits; i < 6; i++)
        *us *= 10;
    return digits > 0;
}

/* Seconds east of UTC. */
static bool take_offset(span *s, int64_t *offset)
{
    uint64_t h, m;
    *offset = 0;
    if (take_char(s, 'Z') || take_char(s, 'z')) return true;
    bool east = take_char(s, '+');
    if (!east && !take_char(s, '-')) return false;
    if (!take_digits(s, 2, 23, &h) || !take_char(s, ':') || !take_digits(s, 2, 59, &m)) return false;
    *offset = (int64_t)(h * 3600 + m * 60) * (east ? 1 : -1);
    return true;
}

bool ledger_time_parse(span text, uint64_t *time_us)
{
    uint64_t days, h, m, sec, us;
    int64_t offset;
    if (!take_date(&text, &days)) return false;
    *time_us = days * DAY_SECONDS * 1000000;
    if (text.len == 0) return true;
    if (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) return false;
    if (!take_digits(&text, 2, 23, &h) || !take_char(&text, ':') || !take_digits(&text, 2, 59, &m) ||
        !take_char(&text, ':') || !take_digits(&text, 2, 60, &sec) || !take_fraction(&text, &us) ||
        !take_offset(&text, &offset) || text.len != 0)
        return false;
    int64_t seconds = (int64_t)(days * DAY_SECONDS + h * 3600 + m * 60 + sec) - offset;
    if (seconds < 0) return false;
    *time_us = (uint64_t)seconds * 1000000 + us;
    return true;
}

//= RFC9562 5.7
void ledger_request_id(uint64_t time_ms, const uint8_t random[10], char out[LEDGER_REQUEST_ID])
{
    uint8_t id[16];
    for (unsigned i = 0; i < 6; i++)
        id[i] = (uint8_t)(time_ms >> (40 - 8 * i));
    memcpy(id + 6, random, 10);
    id[6] = 0x70 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    ledger_request_text(id, out);
}

void ledger_request_text(const uint8_t id[16], char out[LEDGER_REQUEST_ID])
{
    char hex[33], *p = out;
    hex_encode(span_of(id, 16), hex);
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) *p++ = '-';
        *p++ = hex[i];
    }
    *p = 0;
}

void ledger_request_bytes(const char id[LEDGER_REQUEST_ID], uint8_t out[16])
{
    char hex[32];
    size_t n = 0;
    for (const char *p = id; *p != 0 && n < sizeof hex; p++)
        if (*p != '-') hex[n++] = *p;
    if (!hex_decode(span_of(hex, n), out, 16)) memset(out, 0, 16);
}
