/* Certificates that trusted proxies hand on. The chain is the example of RFC 9440, appendix A; the byte sequences are like
 * those of RFC 8941, section 3.3.5, and of the structured field tests of the HTTP working group. */
//= RFC9440 2.1
//= RFC9440 2.2
//= RFC9440 2.3
//= RFC8941 4.2.1
//= RFC8941 4.2.7
#include "recipient/certificates.h"
#include "recipient/recipient.h"
#include <setjmp.h>

#include <cmocka.h>

#define CLIENT \
    "MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIElu" \
    "dGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYI" \
    "KoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9" \
    "M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAww" \
    "CgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/" \
    "Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk="
#define MIDDLE \
    "MIIB5jCCAYugAwIBAgIBFjAKBggqhkjOPQQDAjBWMQswCQYDVQQGEwJVUzEbMBkGA1UECgwSTGV0J3MgQXV0aGVudGljYXRlMSow" \
    "KAYDVQQDDCFMZXQncyBBdXRoZW50aWNhdGUgUm9vdCBBdXRob3JpdHkwHhcNMjAwMTE0MjEzMjMwWhcNMzAwMTExMjEzMjMwWjA6" \
    "MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTBZMBMGByqGSM49AgEGCCqG" \
    "SM49AwEHA0IABJf+aA54RC5pyLAR5yfXVYmNpgd+CGUTDp2KOGhc0gK91zxhHesEYkdXkpS2UN8Kati+yHtWCV3kkhCngGyv7Rqj" \
    "ZjBkMB0GA1UdDgQWBBRm3WjLa38lbEYCuiCPct0ZaSED2DAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDASBgNVHRMB" \
    "Af8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNJADBGAiEA5pLvaFwRRkxomIAtDIwg9D7gC1xzxBl4r28E" \
    "zmSO1pcCIQCJUShpSXO9HDIQMUgH69fNDEMHXD3RRX5gP7kuu2KGMg=="
#define ROOT \
    "MIICBjCCAaygAwIBAgIJAKS0yiqKtlhoMAoGCCqGSM49BAMCMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50" \
    "aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTAeFw0yMDAxMTQyMTI1NDVaFw00MDAxMDky" \
    "MTI1NDVaMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRp" \
    "Y2F0ZSBSb290IEF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFoaHU+Z5bPKmGzlYXtCf+E6HYj62fORaHDOrt+y" \
    "yh3H/rTcs7ynFfGn+gyFsrSP3Ez88rajv+U2NfD0o0uZ4PmjYzBhMB0GA1UdDgQWBBTEA2Q6eecKu9g9yb5glbkhhVINGDAfBgNV" \
    "HSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNI" \
    "ADBFAiEAmAeg1ycKHriqHnaD4M/UDBpQRpkmdcRFYGMg1Qyrkx4CIB4ivz3wQcQkGhcsUZ1SOImd/lq1Q0FLf09rGfLQPWDc"
#define PRINT "bfaf1f7e070f9fa8dd62905f158da73f84a1136624fbafcc9393c8f7287a69eb"
#define VALID_FROM INT64_C(1579042533)
#define VALID_UNTIL INT64_C(1611442533)
#define NOW (VALID_FROM + 3600)

struct fixture {
    struct recipient_table *table;
    struct recipient_anchors *root, *middle, *other;
};

static struct recipient_table *load(const char *text)
{
    struct problems *problems = problems_new();
    struct source *s = source_parse("recipients.json", span_str(text), problems);
    assert_non_null(s);
    struct recipient_table *t = recipient_load(s);
    if (!t) problems_print(problems, stderr, false, false);
    assert_non_null(t);
    source_free(s);
    problems_free(problems);
    return t;
}

#define PEM(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"
#define ENTRY(id, class, match) "{\"id\":\"" id "\"," class ",\"match\":{\"certificate\":" match "}}"
#define OFFICER "\"agency\":\"DHS\",\"standing\":\"employee\",\"purposes\":[\"p\"]"
#define BC ENTRY("bc", OFFICER, "{\"issuer\":{\"CN\":\"LA Intermediate CA\"},\"subject\":{\"CN\":\"BC\"}}")
#define TABLE(entries) "{\"format\":1,\"recipients\":[" entries "]}"

static int set_up(void **state)
{
    static struct fixture f;
    f.table = load(TABLE(BC));
    f.root = recipient_anchors_new(SPAN(PEM(ROOT)));
    f.middle = recipient_anchors_new(SPAN(PEM(MIDDLE)));
    f.other = recipient_anchors_new(SPAN(PEM(CLIENT)));
    *state = &f;
    return f.root && f.middle && f.other ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    recipient_table_free(f->table);
    recipient_anchors_free(f->root);
    recipient_anchors_free(f->middle);
    recipient_anchors_free(f->other);
    return 0;
}

static struct recipient_identity identify(
    const struct fixture *f, const struct recipient_anchors *a, const char *certificate, const char *chain, int64_t now)
{
    struct recipient_identity who;
    span certificates[] = {certificate ? span_str(certificate) : span_of(NULL, 0)};
    span chains[] = {chain ? span_str(chain) : span_of(NULL, 0)};
    struct recipient_handed_on h = {.certificates = certificates, .certificate_count = certificate != NULL,
        .chains = chains, .chain_count = chain != NULL};
    recipient_identify_handed_on(f->table, a, &h, now, &who);
    return who;
}

static void assert_nobody(struct recipient_identity who)
{
    assert_string_equal(who.recipient->id, "anonymous");
    assert_string_equal(who.fingerprint, "");
    assert_string_equal(who.subject, "");
    assert_false(who.could_be_entitled || who.unmatched_departmental || who.trusted_proxy);
}

static void assert_bc(struct recipient_identity who)
{
    assert_string_equal(who.recipient->id, "bc");
    assert_string_equal(who.fingerprint, PRINT);
    assert_string_equal(who.subject, "CN=BC");
    assert_true(who.could_be_entitled && !who.trusted_proxy);
}

static void the_example_of_the_standard(void **state)
{
    const struct fixture *f = *state;
    assert_bc(identify(f, f->root, ":" CLIENT ":", ":" MIDDLE ":, :" ROOT ":", NOW));
    assert_bc(identify(f, f->root, ":" CLIENT ":", ":" MIDDLE ":", NOW));
    assert_bc(identify(f, f->root, " :" CLIENT ": ", " :" MIDDLE ":\t,\t:" ROOT ": ", NOW));
    assert_bc(identify(f, f->middle, ":" CLIENT ":", NULL, NOW)); /* an issuing CA without its root is enough */
}

static void a_chain_must_lead_to_an_anchor(void **state)
{
    const struct fixture *f = *state;
    assert_nobody(identify(f, f->root, ":" CLIENT ":", NULL, NOW));
    assert_nobody(identify(f, f->root, ":" CLIENT ":", ":" ROOT ":", NOW));
    struct made own = made_certificate("O=Let's Authenticate/CN=LA Intermediate CA", "CN=BC", NULL, NULL);
    char text[16384] = ":";
    size_t n = base64_encode(made_span(&own), text + 1);
    text[n + 1] = ':', text[n + 2] = '\0';
    assert_nobody(identify(f, f->middle, text, NULL, NOW));
    assert_nobody(identify(f, f->root, text, ":" MIDDLE ":", NOW));
}

static void a_certificate_has_its_time(void **state)
{
    const struct fixture *f = *state;
    const struct {
        int64_t at;
        bool good;
    } times[] = {{VALID_FROM - 1, false}, {VALID_FROM, true}, {VALID_UNTIL - 1, true}, {VALID_UNTIL + 1, false}};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct recipient_identity who = identify(f, f->middle, ":" CLIENT ":", NULL, times[i].at);
        assert_int_equal(who.could_be_entitled, times[i].good);
    }
}

static void what_is_no_single_byte_sequence_is_nobody(void **state)
{
    const struct fixture *f = *state;
    static const char *const bad[] = {"", ":", "::", ":=:", ":A:", ":aGVsbG8=:", CLIENT, ":" CLIENT, CLIENT ":", "\"" CLIENT "\"",
        ":" CLIENT ":;a=b", ":" CLIENT ":x", ":" CLIENT ":, :" CLIENT ":", ":" CLIENT "::", ": " CLIENT ":", ":" CLIENT " :",
        ":" CLIENT "=:", "::" CLIENT ":", ":" CLIENT CLIENT ":", ":_-Ah:", ":aGVsbG!8=:", ":aGVsb G8=:",
        ":-----BEGIN CERTIFICATE-----:", "?1", "1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_nobody(identify(f, f->middle, bad[i], NULL, NOW));
}

/* Cut at every byte, and with every byte another: nobody, and no crash. */
static void damaged_certificates(void **state)
{
    const struct fixture *f = *state;
    char text[] = ":" CLIENT ":";
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        char saved = text[n];
        text[n] = '\0';
        assert_nobody(identify(f, f->middle, text, NULL, NOW));
        text[n] = saved == 'A' ? 'B' : 'A';
        if (n % 7 == 0) assert_nobody(identify(f, f->middle, text, NULL, NOW));
        text[n] = saved;
    }
    assert_bc(identify(f, f->middle, text, NULL, NOW));
}

static void a_broken_chain_is_nobody(void **state)
{
    const struct fixture *f = *state;
    static const char *const bad[] = {":", ":" MIDDLE, ":" MIDDLE ":,", ",:" MIDDLE ":", ":" MIDDLE "::" ROOT ":", ":" MIDDLE ": :" ROOT ":",
        ":aGVsbG8=:", ":" MIDDLE ":;a", MIDDLE};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_nobody(identify(f, f->root, ":" CLIENT ":", bad[i], NOW));
        assert_nobody(identify(f, f->middle, ":" CLIENT ":", bad[i], NOW)); /* where it would not be needed, too */
    }
    assert_bc(identify(f, f->middle, ":" CLIENT ":", "", NOW));
    char many[16384] = "";
    for (size_t i = 0; i < 9; i++) strcat(many, i > 0 ? ",:" MIDDLE ":" : ":" MIDDLE ":");
    assert_nobody(identify(f, f->root, ":" CLIENT ":", many, NOW));
}

static void several_fields(void **state)
{
    const struct fixture *f = *state;
    struct recipient_identity who;
    span twice[] = {SPAN(":" CLIENT ":"), SPAN(":" CLIENT ":")}, chains[] = {SPAN(":" MIDDLE ":"), SPAN(":" ROOT ":")};
    struct recipient_handed_on h = {.certificates = twice, .certificate_count = 2, .chains = chains, .chain_count = 2};
    recipient_identify_handed_on(f->table, f->root, &h, NOW, &who);
    assert_nobody(who); /* also where they say the same */
    h.certificate_count = 0;
    recipient_identify_handed_on(f->table, f->root, &h, NOW, &who);
    assert_nobody(who);
    h.certificate_count = 1;
    recipient_identify_handed_on(f->table, f->root, &h, NOW, &who);
    assert_bc(who); /* a chain in two fields is one list */
}

static void classes_are_as_for_who_comes_himself(void **state)
{
    struct fixture f = *(const struct fixture *)*state;
    const char *purpose;
    span named = SPAN("p");
    f.table = load(TABLE(BC));
    struct recipient_identity who = identify(&f, f.middle, ":" CLIENT ":", NULL, NOW);
    assert_int_equal(recipient_admit(f.table, &who, &named, 1, false, &purpose), ADMIT_ENTITLED);
    assert_int_equal(recipient_admit(f.table, &who, NULL, 0, false, &purpose), ADMIT_FORBIDDEN);
    assert_int_equal(recipient_admit(f.table, &who, &named, 1, true, &purpose), ADMIT_RESTRICTED);
    recipient_table_free(f.table);
    f.table = load("{\"format\":1,\"departmental_issuers\":[{\"CN\":\"LA Intermediate CA\"}],\"recipients\":[]}");
    who = identify(&f, f.middle, ":" CLIENT ":", NULL, NOW);
    assert_true(who.unmatched_departmental);
    recipient_table_free(f.table);
}

/* Trust is not handed on: a proxy that names a proxy names nobody. And a proxy's own certificate entitles nobody. */
static void a_proxy_behind_a_proxy(void **state)
{
    struct fixture f = *(const struct fixture *)*state;
    const char *purpose;
    span named = SPAN("p");
    f.table = load(TABLE(ENTRY("edge", "\"trusted_proxy\":true", "{\"issuer\":{\"CN\":\"LA Intermediate CA\"}}") "," BC));
    assert_true(recipient_has_proxies(f.table));
    assert_nobody(identify(&f, f.middle, ":" CLIENT ":", NULL, NOW));
    uint8_t der[1024];
    size_t len;
    assert_true(base64_decode(SPAN(CLIENT), der, &len));
    struct recipient_identity who;
    recipient_identify(f.table, span_of(der, len), &who);
    assert_true(who.trusted_proxy && !who.could_be_entitled);
    assert_string_equal(who.recipient->id, "edge");
    assert_int_equal(recipient_admit(f.table, &who, &named, 1, false, &purpose), ADMIT_RESTRICTED);
    recipient_table_free(f.table);
    f.table = load(TABLE(BC));
    assert_false(recipient_has_proxies(f.table));
    recipient_table_free(f.table);
}

static void anchors_are_certificates(void **state)
{
    (void)state;
    assert_null(recipient_anchors_new(span_of(NULL, 0)));
    assert_null(recipient_anchors_new(SPAN("nothing")));
    assert_null(recipient_anchors_new(SPAN(PEM("AAAA"))));
}

static void memory_that_runs_out_makes_nobody(void **state)
{
    const struct fixture *f = *state;
    bool through = false;
    for (unsigned n = 1; !through; n++) {
        fault_arm("malloc", n);
        struct recipient_identity who = identify(f, f->root, ":" CLIENT ":", ":" MIDDLE ":", NOW);
        through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (through) assert_bc(who);
        else assert_nobody(who);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_standard),
        cmocka_unit_test(a_chain_must_lead_to_an_anchor),
        cmocka_unit_test(a_certificate_has_its_time),
        cmocka_unit_test(what_is_no_single_byte_sequence_is_nobody),
        cmocka_unit_test(damaged_certificates),
        cmocka_unit_test(a_broken_chain_is_nobody),
        cmocka_unit_test(several_fields),
        cmocka_unit_test(classes_are_as_for_who_comes_himself),
        cmocka_unit_test(a_proxy_behind_a_proxy),
        cmocka_unit_test(anchors_are_certificates),
        cmocka_unit_test(memory_that_runs_out_makes_nobody),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
