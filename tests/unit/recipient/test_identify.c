/* Certificates → identities → classes.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1
 *= ICE10036.2 3.3 */
#include "recipient/certificates.h"
#include "recipient/recipient.h"
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

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

static struct recipient_identity identify(const struct recipient_table *t, const struct made *m)
{
    struct recipient_identity who;
    recipient_identify(t, made_span(m), &who);
    return who;
}

/* Which entry does a table with this one "match" choose for the certificate? */
static bool matches(const char *match, const struct made *m)
{
    char text[2048];
    snprintf(text, sizeof text,
        "{\"format\":1,\"recipients\":[{\"id\":\"x\",\"agency\":\"none\",\"standing\":\"none\",\"match\":{"
        "\"certificate\":%s}}]}",
        match);
    struct recipient_table *t = load(text);
    struct recipient_identity who = identify(t, m);
    bool is_x = strcmp(who.recipient->id, "x") == 0;
    assert_true(is_x || strcmp(who.recipient->id, "anonymous") == 0);
    recipient_table_free(t);
    return is_x;
}

static void attributes_must_all_match_and_repeated_ones_may(void **state)
{
    (void)state;
    struct made m = made_certificate(
        "CN=DHS CA4/O=U.S. Government/OU=DHS", "CN=Jo/OU=USCIS/OU=People/O=U.S. Government", NULL, NULL);
    assert_true(matches("{\"issuer\":{\"CN\":\"DHS CA4\"}}", &m));
    assert_true(matches("{\"issuer\":{\"CN\":\"DHS CA4\",\"OU\":\"DHS\"},\"subject\":{\"OU\":\"USCIS\"}}", &m));
    assert_true(matches("{\"subject\":{\"OU\":\"People\"}}", &m));
    assert_true(matches("{\"subject\":{\"2.5.4.11\":\"People\"}}", &m));
    assert_true(matches("{\"subject\":{\"organizationalUnitName\":\"People\"}}", &m));
    assert_false(matches("{\"subject\":{\"OU\":\"ICE\"}}", &m));
    assert_false(matches("{\"issuer\":{\"CN\":\"DHS CA4\"},\"subject\":{\"OU\":\"ICE\"}}", &m));
    assert_false(matches("{\"issuer\":{\"CN\":\"dhs ca4\"}}", &m));
    assert_false(matches("{\"issuer\":{\"CN\":\"DHS CA\"}}", &m));
    assert_false(matches("{\"issuer\":{\"CN\":\"Jo\"}}", &m));
    assert_false(matches("{\"subject\":{\"CN\":\"DHS CA4\"}}", &m));
    assert_false(matches("{\"subject\":{\"L\":\"Springfield\"}}", &m));
}

static void nul_in_an_attribute_never_shortens_it(void **state)
{
    (void)state;
    struct made m = made_certificate("CN=DHS CA4\\0.evil", "CN=Jo\\0x", NULL, NULL);
    assert_false(matches("{\"issuer\":{\"CN\":\"DHS CA4\"}}", &m));
    assert_false(matches("{\"subject\":{\"CN\":\"Jo\"}}", &m));
}

static void attributes_compare_after_conversion_to_utf8(void **state)
{
    (void)state;
    struct made m = made_certificate("CN=X", "CN=Jos\xC3\xA9 \xE2\x82\xAC", NULL, NULL);
    assert_true(matches("{\"subject\":{\"CN\":\"Jos\xC3\xA9 \xE2\x82\xAC\"}}", &m));
    assert_false(matches("{\"subject\":{\"CN\":\"Jose \xE2\x82\xAC\"}}", &m));
}

//= RFC4343 2
static void alternative_names_match_by_their_type(void **state)
{
    (void)state;
    struct made m =
        made_certificate("CN=X", "CN=Y", "URI:urn:dhs:1,DNS:Leis.example,email:a@b.example,DNS:two.example", NULL);
    assert_true(matches("{\"san\":{\"uri\":\"urn:dhs:1\"}}", &m));
    assert_true(matches("{\"san\":{\"dns\":\"leis.EXAMPLE\"}}", &m));
    assert_true(matches("{\"san\":{\"dns\":\"two.example\",\"email\":\"a@b.example\"}}", &m));
    assert_false(matches("{\"san\":{\"dns\":\"urn:dhs:1\"}}", &m));
    assert_false(matches("{\"san\":{\"uri\":\"leis.example\"}}", &m));
    assert_false(matches("{\"san\":{\"email\":\"A@b.example\"}}", &m));
    assert_false(matches("{\"san\":{\"dns\":\"two.example\",\"email\":\"c@b.example\"}}", &m));
    struct made none = made_certificate("CN=X", "CN=two.example", NULL, NULL);
    assert_false(matches("{\"san\":{\"dns\":\"two.example\"}}", &none));
}

//= RFC5280 4.2.1.4
static void policies_must_be_asserted_themselves(void **state)
{
    (void)state;
    struct made m = made_certificate("CN=X", "CN=Y", NULL, "2.16.840.1.101.3.2.1.3.13,1.2.3.4");
    assert_true(matches("{\"policy\":\"1.2.3.4\"}", &m));
    assert_true(matches("{\"policy\":\"2.16.840.1.101.3.2.1.3.13\"}", &m));
    assert_false(matches("{\"policy\":\"1.2.3\"}", &m));
    struct made any = made_certificate("CN=X", "CN=Y", NULL, "2.5.29.32.0"); /* anyPolicy */
    assert_false(matches("{\"policy\":\"1.2.3.4\"}", &any));
    struct made none = made_certificate("CN=X", "CN=Y", NULL, NULL);
    assert_false(matches("{\"policy\":\"1.2.3.4\"}", &none));
}

/* The openssl program is the second opinion on fingerprint and subject. */
static void openssl_line(const char *options, const struct made *m, char *out, size_t size)
{
    char path[] = "/tmp/gate1367-cert-XXXXXX", command[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, m->der, m->len), (ssize_t)m->len);
    close(fd);
    snprintf(command, sizeof command, "openssl x509 -inform DER -in %s -noout %s", path, options);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(out, (int)size, p));
    assert_int_equal(pclose(p), 0);
    unlink(path);
    out[strcspn(out, "\n")] = '\0';
}

//= RFC2253 2
static void fingerprint_and_subject_agree_with_openssl(void **state)
{
    (void)state;
    struct made m = made_certificate("CN=X", "CN=Jo, \"the\" +1/O=A\\; B/OU=USCIS", NULL, NULL);
    char line[512], hex[65], match[128];
    openssl_line("-fingerprint -sha256", &m, line, sizeof line);
    size_t n = 0;
    for (const char *c = strchr(line, '=') + 1; *c; c++)
        if (*c != ':') hex[n++] = (char)to_lower((uint8_t)*c);
    assert_int_equal(n, 64);
    hex[64] = '\0';
    snprintf(match, sizeof match, "{\"fingerprint\":\"%s\"}", hex);
    assert_true(matches(match, &m));
    struct made other = made_certificate("CN=X", "CN=Jo", NULL, NULL);
    assert_false(matches(match, &other));
    struct recipient_table *t = load("{\"format\":1,\"recipients\":[]}");
    struct recipient_identity who = identify(t, &m);
    assert_string_equal(who.fingerprint, hex);
    openssl_line("-subject -nameopt RFC2253", &m, line, sizeof line);
    assert_string_equal(line + strlen("subject="), who.subject);
    recipient_table_free(t);
}

static void long_subjects_are_cut(void **state)
{
    (void)state;
    char subject[512] = "O=";
    for (int i = 0; i < 5; i++) {
        strcat(subject, i ? "/OU=" : "");
        for (int k = 0; k < 60; k++)
            strcat(subject, "o");
    }
    struct made m = made_certificate("CN=X", subject, NULL, NULL);
    struct recipient_table *t = load("{\"format\":1,\"recipients\":[]}");
    struct recipient_identity who = identify(t, &m);
    assert_int_equal(strlen(who.subject), sizeof who.subject - 1);
    recipient_table_free(t);
}

static const char *const world =
    "{\"format\":1,\"departmental_issuers\":[{\"CN\":\"DHS CA4\"},{\"CN\":\"DOJ CA\",\"O\":\"U.S. "
    "Government\"}],\"recipients\":["
    "{\"id\":\"officer\",\"agency\":\"DHS\",\"component\":\"USCIS\",\"standing\":\"employee\",\"purposes\":["
    "\"adjudication\",\"enforcement\"],"
    " \"match\":{\"certificate\":{\"issuer\":{\"CN\":\"DHS CA4\"},\"subject\":{\"OU\":\"USCIS\"}}}},"
    "{\"id\":\"second\",\"agency\":\"none\",\"standing\":\"none\",\"match\":{\"certificate\":{\"subject\":{\"OU\":"
    "\"USCIS\"}}}},"
    "{\"id\":\"contractor\",\"agency\":\"DHS\",\"standing\":\"contractor\",\"purposes\":[\"adjudication\"],\"match\":{"
    "\"certificate\":{\"issuer\":{\"CN\":\"DHS CA4\"},\"subject\":{\"OU\":\"C\"}}}},"
    "{\"id\":\"leis\",\"agency\":\"DHS\",\"standing\":\"system\",\"conduit\":true,\"match\":{\"certificate\":{"
    "\"subject\":{\"OU\":\"L\"}}}},"
    "{\"id\":\"hand\",\"agency\":\"DHS\",\"standing\":\"employee\",\"conduit\":true,\"purposes\":[\"adjudication\"],"
    "\"match\":{\"certificate\":{\"subject\":{\"OU\":\"H\"}}}},"
    "{\"id\":\"marshal\",\"agency\":\"DOJ\",\"standing\":\"sworn_officer\",\"purposes\":[\"custody\"],\"match\":{"
    "\"certificate\":{\"issuer\":{\"CN\":\"DOJ CA\"},\"subject\":{\"OU\":\"M\"}}}},"
    "{\"id\":\"police\",\"agency\":\"none\",\"standing\":\"sworn_officer\",\"organization\":\"Springfield "
    "Police\",\"address\":\"1 Main "
    "St\",\"purposes\":[\"adjudication\"],\"match\":{\"certificate\":{\"subject\":{\"CN\":\"sp\"}}}}"
    "]}";

static void check_admission(const struct recipient_table *t, const char *issuer, const char *subject,
    const char *purpose, const char *id, enum recipient_admission wanted)
{
    struct made m = made_certificate(issuer, subject, NULL, NULL);
    struct recipient_identity who = identify(t, &m);
    span value = span_str(purpose);
    const char *named = NULL;
    enum recipient_admission got = recipient_admit(t, &who, &value, purpose ? 1 : 0, false, &named);
    assert_string_equal(who.recipient->id, id);
    assert_int_equal(got, wanted);
    assert_string_equal(named, wanted == ADMIT_ENTITLED ? "adjudication" : "");
}

static void classes_follow_the_statute(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", "adjudication", "officer", ADMIT_ENTITLED);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", " adjudication\t", "officer", ADMIT_ENTITLED);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", NULL, "officer", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", "", "officer", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", "curiosity", "officer", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", "Adjudication", "officer", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DHS CA4", "OU=USCIS", "adjudication, enforcement", "officer", ADMIT_FORBIDDEN);
    check_admission(t, "CN=Other CA", "OU=USCIS", "adjudication", "second", ADMIT_RESTRICTED);
    check_admission(t, "CN=DHS CA4", "OU=C", "adjudication", "contractor", ADMIT_RESTRICTED);
    check_admission(t, "CN=DHS CA4", "OU=L", "adjudication", "leis", ADMIT_RESTRICTED);
    check_admission(t, "CN=Other CA", "CN=sp", "adjudication", "police", ADMIT_RESTRICTED);
    check_admission(t, "CN=Other CA", "CN=sp", NULL, "police", ADMIT_RESTRICTED);
    check_admission(t, "CN=Other CA", "CN=nobody", "adjudication", "anonymous", ADMIT_RESTRICTED);
    check_admission(t, "CN=DHS CA4", "CN=nobody", "adjudication", "anonymous", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DOJ CA/O=U.S. Government", "CN=nobody", NULL, "anonymous", ADMIT_FORBIDDEN);
    check_admission(t, "CN=DOJ CA", "CN=nobody", NULL, "anonymous", ADMIT_RESTRICTED);
    recipient_table_free(t);
}

static void an_entitling_entry_that_is_a_conduit_needs_no_pin_and_is_restricted(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    check_admission(t, "CN=Other CA", "OU=H", "adjudication", "hand", ADMIT_RESTRICTED);
    recipient_table_free(t);
}

static void sworn_officers_of_another_department_are_entitled(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    struct made m = made_certificate("CN=DOJ CA", "OU=M", NULL, NULL);
    struct recipient_identity who = identify(t, &m);
    span value = SPAN("custody");
    const char *named;
    assert_int_equal(recipient_admit(t, &who, &value, 1, false, &named), ADMIT_ENTITLED);
    assert_string_equal(named, "custody");
    span twice[] = {SPAN("custody"), SPAN("custody")};
    assert_int_equal(recipient_admit(t, &who, twice, 2, false, &named), ADMIT_FORBIDDEN);
    assert_string_equal(named, "");
    recipient_table_free(t);
}

static void on_public_routes_everybody_is_restricted(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    const char *issuers[] = {"CN=DHS CA4", "CN=DHS CA4", "CN=X"}, *subjects[] = {"OU=USCIS", "CN=nobody", "CN=Y"};
    for (size_t i = 0; i < ARRAY_LEN(issuers); i++) {
        struct made m = made_certificate(issuers[i], subjects[i], NULL, NULL);
        struct recipient_identity who = identify(t, &m);
        span value = SPAN("adjudication");
        const char *named;
        assert_int_equal(recipient_admit(t, &who, &value, 1, true, &named), ADMIT_RESTRICTED);
        assert_string_equal(named, "");
    }
    recipient_table_free(t);
}

static void what_is_no_certificate_is_nobody(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    struct made m = made_certificate("CN=DHS CA4", "OU=USCIS", NULL, NULL);
    struct recipient_identity who;
    for (size_t len = 0; len < m.len; len++) {
        uint8_t *exact = mem_copy(m.der, len);
        recipient_identify(t, span_of(len ? exact : NULL, len), &who);
        assert_string_equal(who.recipient->id, "anonymous");
        assert_false(who.could_be_entitled || who.unmatched_departmental);
        assert_string_equal(who.fingerprint, "");
        mem_free(exact);
    }
    m.der[m.len++] = 0; /* something behind it */
    who = identify(t, &m);
    assert_string_equal(who.recipient->id, "anonymous");
    recipient_table_free(t);
}

static void names_of_agencies_and_standings(void **state)
{
    (void)state;
    struct recipient_table *t = load(world);
    struct made m = made_certificate("CN=X", "CN=sp", NULL, NULL);
    struct recipient_identity who = identify(t, &m);
    assert_string_equal(recipient_agency_name(who.recipient->agency), "none");
    assert_string_equal(recipient_standing_name(who.recipient->standing), "sworn_officer");
    assert_string_equal(who.recipient->organization, "Springfield Police");
    assert_string_equal(who.recipient->address, "1 Main St");
    assert_string_equal(who.recipient->component, "");
    assert_string_equal(recipient_agency_name(AGENCY_DOS), "DOS");
    recipient_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_must_all_match_and_repeated_ones_may),
        cmocka_unit_test(nul_in_an_attribute_never_shortens_it),
        cmocka_unit_test(attributes_compare_after_conversion_to_utf8),
        cmocka_unit_test(alternative_names_match_by_their_type),
        cmocka_unit_test(policies_must_be_asserted_themselves),
        cmocka_unit_test(fingerprint_and_subject_agree_with_openssl),
        cmocka_unit_test(long_subjects_are_cut),
        cmocka_unit_test(classes_follow_the_statute),
        cmocka_unit_test(an_entitling_entry_that_is_a_conduit_needs_no_pin_and_is_restricted),
        cmocka_unit_test(sworn_officers_of_another_department_are_entitled),
        cmocka_unit_test(on_public_routes_everybody_is_restricted),
        cmocka_unit_test(what_is_no_certificate_is_nobody),
        cmocka_unit_test(names_of_agencies_and_standings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
