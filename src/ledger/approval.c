#include "ledger/approval.h"

bool approval_two_signed(const struct tlog_note *n, const char *const *approvers, size_t count)
{
    struct tlog_verifier first = {0}, v;
    for (size_t i = 0; i < count; i++) {
        if (!is_ok(tlog_verifier_parse(span_str(approvers[i]), &v)) || !tlog_note_signed(n, &v, NULL)) continue;
        if (first.name[0] == 0)
            first = v;
        else if (memcmp(first.key, v.key, 32) != 0)
            return true;
    }
    return false;
}

bool approval_one_line(span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ') return false;
    return s.len > 0 && s.len <= LEDGER_FIELD_MAX && utf8_valid(s);
}
