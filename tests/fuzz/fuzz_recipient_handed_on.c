/* A Client-Cert value, then a NUL byte, then a Client-Cert-Chain value, as a trusted proxy hands them on; the anchors are
 * whatever PEM follows a second NUL byte. Held: nobody is somebody without a fingerprint, and nothing of a certificate that
 * does not verify is kept. */
#include "recipient/recipient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char TABLE[] = "{\"format\":1,\"recipients\":[{\"id\":\"all\",\"agency\":\"DHS\",\"standing\":\"employee\","
                            "\"purposes\":[\"p\"],\"match\":{\"certificate\":{\"issuer\":{\"CN\":\"LA Intermediate CA\"}}}}]}";

static struct recipient_table *table(void)
{
    static struct recipient_table *t;
    if (t) return t;
    struct problems *problems = problems_new();
    struct source *s = source_parse("recipients.json", span_str(TABLE), problems);
    t = recipient_load(s);
    ASSERT(t);
    source_free(s);
    problems_free(problems);
    return t;
}

static span part(span *input)
{
    size_t end = span_find(*input, 0);
    span out = span_sub(*input, 0, end);
    *input = end < input->len ? span_from(*input, end + 1) : span_of(NULL, 0);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span input = span_of(data, size), certificate = part(&input), chain = part(&input);
    struct recipient_anchors *a = recipient_anchors_new(input);
    if (!a) return 0;
    struct recipient_handed_on h = {.certificates = &certificate, .certificate_count = 1, .chains = &chain, .chain_count = 1};
    struct recipient_identity who;
    recipient_identify_handed_on(table(), a, &h, INT64_C(1579046133), &who);
    ASSERT(strlen(who.fingerprint) == (who.fingerprint[0] ? 64u : 0u));
    ASSERT(who.fingerprint[0] || (!who.could_be_entitled && !who.subject[0]));
    h.certificate_count = 2;
    recipient_identify_handed_on(table(), a, &h, INT64_C(1579046133), &who);
    ASSERT(!who.fingerprint[0]);
    recipient_anchors_free(a);
    return 0;
}
