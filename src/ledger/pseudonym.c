#include "ledger/epoch.h"

/* One key a month: what a reader of the ledger can link ends with the month. */
bool ledger_month_update(struct ledger_month *m, const struct ledger_root *root, uint64_t time_us)
{
    uint32_t month = ledger_month_of(time_us);
    if (LIKELY(m->month == month)) return true;
    char text[LEDGER_MONTH_TEXT];
    ledger_month_text(month, text);
    m->month = 0;
    if (!hmac_sha256(span_of(root->key, 32), span_str(text), m->key)) return false;
    bool good = !ledger_epochs_cover(&root->epochs, month) || epochs_month_key(&root->epochs, month, m->key, m->key);
    if (good) m->month = month;
    return good;
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
