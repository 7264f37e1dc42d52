/* recipients.json, then a NUL byte, then a client certificate as DER. Held: a file is loaded exactly when no problem
 * was reported; what is no certificate is nobody; nobody is entitled without a purpose. */
#include "recipient/recipient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_identity(const struct recipient_table *t, span der)
{
    struct recipient_identity who;
    const char *purpose;
    recipient_identify(t, der, &who);
    ASSERT(who.recipient && strlen(who.fingerprint) == (who.fingerprint[0] ? 64u : 0u));
    ASSERT(who.fingerprint[0] || (!who.could_be_entitled && !who.unmatched_departmental));
    ASSERT(!(who.could_be_entitled && who.unmatched_departmental));
    ASSERT(recipient_admit(t, &who, NULL, 0, false, &purpose) != ADMIT_ENTITLED && !*purpose);
    ASSERT(recipient_admit(t, &who, NULL, 0, true, &purpose) == ADMIT_RESTRICTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span input = span_of(data, size);
    size_t end = span_find(input, 0);
    struct problems *problems = problems_new();
    struct source *s = source_parse("recipients.json", span_sub(input, 0, end), problems);
    struct recipient_table *t = s ? recipient_load(s) : NULL;
    ASSERT((t != NULL) == (problems_errors(problems) == 0));
    if (t) hold_identity(t, end < size ? span_from(input, end + 1) : (span){0});
    recipient_table_free(t);
    source_free(s);
    problems_free(problems);
    return 0;
}
