/* When a certificate ends. Expected seconds: Python's calendar.timegm(time.strptime(TEXT, "%Y%m%d%H%M%SZ")). */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "io/io_internal.h"
#include "support.h"

/* As RFC 5280 has them: UTCTime through 2049, GeneralizedTime from 2050 on, and the end of what has none. */
//= RFC5280 4.1.2.5
static void test_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type;
        int64_t seconds;
    } rows[] = {{"700101000000Z", V_ASN1_UTCTIME, 0}, {"500101000000Z", V_ASN1_UTCTIME, -631152000},
        {"000229120000Z", V_ASN1_UTCTIME, 951825600}, {"491231235959Z", V_ASN1_UTCTIME, 2524607999},
        {"20500101000000Z", V_ASN1_GENERALIZEDTIME, 2524608000}, {"99991231235959Z", V_ASN1_GENERALIZEDTIME, 253402300799}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds = 1;
        ASN1_TIME *at = ASN1_TIME_new();
        assert_int_equal(ASN1_TIME_set_string(at, rows[i].text), 1);
        assert_int_equal(ASN1_STRING_type(at), rows[i].type);
        assert_true(io_seconds_of(at, &seconds));
        assert_int_equal(seconds, rows[i].seconds);
        ASN1_TIME_free(at);
    }
}

static void test_no_time(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "tomorrow", "20501301000000Z", "20500101"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t seconds = 1;
        ASN1_TIME *at = ASN1_STRING_type_new(V_ASN1_GENERALIZEDTIME);
        assert_int_equal(ASN1_STRING_set(at, texts[i], -1), 1);
        assert_false(io_seconds_of(at, &seconds));
        assert_int_equal(seconds, 1);
        ASN1_STRING_free(at);
    }
}

static void add_certificate(BIO *to, EVP_PKEY *key, const char *end)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set_string(X509_getm_notBefore(x), "700101000000Z");
    ASN1_STRING_set(X509_getm_notAfter(x), end, -1);
    X509_getm_notAfter(x)->type = V_ASN1_GENERALIZEDTIME;
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(to, x), 1);
    X509_free(x);
}

static bool end_of(const char *const *ends, size_t n, int64_t *end)
{
    char *text;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *b = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < n; i++) add_certificate(b, key, ends[i]);
    long len = BIO_get_mem_data(b, &text);
    ERR_clear_error();
    bool found = io_certificate_end(span_of(text, (size_t)len), end);
    assert_int_equal(ERR_peek_error(), 0); /* a handshake would take it for its own */
    EVP_PKEY_free(key);
    BIO_free(b);
    return found;
}

/* Whose time cannot be read says nothing of when the others end. */
static void test_the_first_of_a_file(void **state)
{
    (void)state;
    static const char *const ends[] = {"20700101000000Z", "20501301000000Z", "20500101000000Z", "20600101000000Z"};
    int64_t end = 0;
    assert_true(end_of(ends, 4, &end));
    assert_int_equal(end, 2524608000);
    assert_true(end_of(ends, 2, &end));
    assert_int_equal(end, 3155760000);
    assert_false(end_of(ends + 1, 1, &end));
    assert_false(end_of(ends, 0, &end));
    assert_false(io_certificate_end(SPAN("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_no_time),
        cmocka_unit_test(test_the_first_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
