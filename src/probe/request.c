/* Requests as bytes, and the name that the gateway's certificate is for. */
#include "http/http.h"
#include "probe/probe.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static RESULT write_fields(const json_t *fields, struct buf *out)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
    {
        TRY(http_write_field(out, span_str(name), span_str(json_string_value(value))));
    }
    return OK;
}

result probe_request_write(const struct probe_request *r, bool last, struct buf *out)
{
    span target = span_str(r->target);
    size_t mark = span_find(target, '?');
    bool query = mark < target.len;
    span rest = query ? span_from(target, mark + 1) : span_of(NULL, 0);
    TRY(http_write_request(out, span_str(r->method), span_sub(target, 0, mark), query, rest, span_str(r->host)));
    if (r->purpose != NULL) TRY(http_write_field(out, SPAN("Purpose-Of-Use"), span_str(r->purpose)));
    if (r->fields != NULL) TRY(write_fields(r->fields, out));
    if (r->body.len > 0) TRY(http_write_length(out, r->body.len));
    if (last) TRY(http_write_field(out, SPAN("Connection"), SPAN("close")));
    TRY(http_write_end(out));
    return buf_append(out, r->body);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool copy_text(span s, char *out, size_t size)
{
    if (s.len == 0 || s.len >= size || span_find(s, 0) < s.len) return false;
    memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}

static bool name_of(const GENERAL_NAME *g, char *out, size_t size)
{
    int type;
    const void *value = GENERAL_NAME_get0_value(g, &type);
    if (type == GEN_DNS) {
        span s = span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
        return s.len > 0 && s.ptr[0] != '*' && copy_text(s, out, size);
    }
    if (type != GEN_IPADD || ASN1_STRING_length(value) != 4) return false;
    const uint8_t *p = ASN1_STRING_get0_data(value);
    return snprintf(out, size, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]) < (int)size;
}

bool probe_certificate_name(span pem, char *out, size_t size)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    GENERAL_NAMES *names = x == NULL ? NULL : X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) found = name_of(sk_GENERAL_NAME_value(names, i), out, size);
    GENERAL_NAMES_free(names);
    X509_free(x);
    BIO_free(bio);
    return found;
}
