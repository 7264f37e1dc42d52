/* What can be said of a certificate without making a connection with it. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include "io/io_internal.h"

bool io_seconds_of(const ASN1_TIME *at, int64_t *out)
{
    struct tm t;
    if (ASN1_TIME_to_tm(at, &t) != 1) return false;
    *out = (int64_t)timegm(&t);
    return true;
}

bool io_certificate_end(span pem, int64_t *end)
{
    bool found = false;
    X509 *x;
    ERR_set_mark();
    BIO *b = pem.len > INT32_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
    while (b != NULL && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
        int64_t its;
        if (io_seconds_of(X509_get0_notAfter(x), &its) && (!found || its < *end)) {
            *end = its;
            found = true;
        }
        X509_free(x);
    }
    ERR_pop_to_mark();
    BIO_free(b);
    return found;
}
