#include "ledger/calendar.h"
#include "ledger/ledger.h"

/* One key a month: what a reader of the ledger can link ends with the month. */
bool ledger_month_update(struct ledger_month *m, const uint8_t root[32], uint64_t time_us)
{
    struct ledger_date d = ledger_date_of(time_us / 86400000000u);
    uint32_t month = d.year * 12 + d.month - 1;
    if (LIKELY(m->month == month)) return true;
    char text[16];
    int n = snprintf(text, sizeof text, "%04u-%02u", d.year, d.month);
    if (!hmac_sha256(span_of(root, 32), span_of(text, (size_t)n), m->key)) return false;
    m->month = month;
    return true;
}

#define VALUE_MAX 4096u
#define TYPE_MAX 64u

bool ledger_pseudonym(const struct ledger_month *m, span type, span value, char out[LEDGER_PSEUDONYM])
{
    ASSERT(m->month != 0 && type.len <= TYPE_MAX);
    uint8_t message[TYPE_MAX + 1 + VALUE_MAX], digest[32];
    memcpy(message, type.ptr, type.len);
    message[type.len] = 0;
    size_t at = type.len + 1, len = value.len;
    if (value.len > VALUE_MAX) { /* its hash stands for it, marked by a second zero byte */
        message[at++] = 0;
        if (!sha256(value, message + at)) return false;
        len = 32;
    } else if (len > 0) {
        memcpy(message + at, value.ptr, len);
    }
    bool good = hmac_sha256(span_of(m->key, 32), span_of(message, at + len), digest);
    mem_wipe(message, at + len);
    if (good) hex_encode(span_of(digest, 16), out);
    return good;
}
