/* What is read by shape and check digit, with the shipped pack. Expected values: the specimens of ICAO Doc 9303 parts 4
 * to 7, the examples of 49 CFR 565, numbers of the ranges that are kept for examples.
 *
 *= ICAO9303-3 4.9
 *= 49CFR565.15 c */
#include "support.h"

#include "match/match.h"

#include <stdlib.h>

static struct problems *problems;
static struct source *sources[2];
static struct rules_set *rules;
static struct rules_scratch *scratch;
static struct match *match;

static const char profile[] =
    "{\"format\":1,\"pack\":\"test\",\"version\":\"1\",\"profiles\":[{\"id\":\"test\",\"title\":\"Test\","
    "\"documents\":[{\"path\":\"/\",\"units\":[\"$\"]}]}]}";

static char pack_text[1 << 20];

static int setup(void **state)
{
    (void)state;
    FILE *f = fopen(SOURCE_DIR "/rules/section-1367.json", "rb");
    if (!f) return -1;
    size_t n = fread(pack_text, 1, sizeof pack_text, f);
    fclose(f);
    problems = problems_new();
    sources[0] = source_parse("section-1367.json", span_of(pack_text, n), problems);
    sources[1] = source_parse("profile.json", span_str(profile), problems);
    rules = rules_load(sources, 2, problems);
    if (!rules) return -1;
    scratch = rules_scratch_new(rules);
    match = match_new(rules, scratch, cpu_level());
    return match ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    match_free(match);
    rules_scratch_free(scratch);
    rules_free(rules);
    source_free(sources[0]);
    source_free(sources[1]);
    problems_free(problems);
    return 0;
}

struct wanted {
    enum registry_kind kind;
    const char *canonical;
    bool found;
};

static void see(void *ctx, rule_id rule, enum registry_kind kind, span canonical)
{
    struct wanted *w = ctx;
    (void)rule;
    w->found |= kind == w->kind && (!w->canonical || span_equal(canonical, span_str(w->canonical)));
}

/* Is the kind (with this canonical form, where one is given) proposed for a document? */
static bool proposes_in(const char *document, enum registry_kind kind, const char *canonical, bool prefilter)
{
    struct wanted w = {kind, canonical, false};
    const struct match_survey *survey;
    const struct match_limits limits = {.depth = 16};
    const struct doc_window window = {0, (const uint8_t *)document, strlen(document), true, 0};
    match_set_observer(match, see, &w);
    match_set_prefilter(match, prefilter);
    match_begin(
        match, DOC_JSON, rules_find_document(rules_find_profile(rules, SPAN("test")), SPAN("/")), NULL, &limits);
    assert_int_equal(match_feed(match, &window), DOC_COMPLETE);
    assert_true(is_ok(match_finish(match, &survey)));
    return w.found;
}

static bool proposes(const char *document, enum registry_kind kind, const char *canonical)
{
    bool found = proposes_in(document, kind, canonical, true);
    if (found != proposes_in(document, kind, canonical, false))
        fail_msg("the prefilter changes what is seen in %s", document);
    return found;
}

static bool in_text(const char *text, enum registry_kind kind, const char *canonical)
{
    char document[1024];
    snprintf(document, sizeof document, "{\"note\":\"%s\"}", text);
    return proposes(document, kind, canonical);
}

struct vector {
    const char *text;
    enum registry_kind kind;
    const char *canonical; /* NULL: nothing of the kind is proposed */
};

static void check(const struct vector *v)
{
    if (in_text(v->text, v->kind, v->canonical) == (v->canonical != NULL)) return;
    fail_msg("%s as %s: expected %s", v->text, registry_kind_name(v->kind), v->canonical ? v->canonical : "nothing");
}
#define CHECK_ALL(vectors)                                                                                             \
    for (size_t i_ = 0; i_ < ARRAY_LEN(vectors); i_++)                                                                 \
    check(&(vectors)[i_])

//= ICAO9303-3 4.9
static void test_machine_readable_zones(void **state)
{
    static const struct vector vectors[] = {
        /* TD3, part 4 */
        {"L898902C36UTO7408122F1204159ZE184226B<<<<<10", REGISTRY_PASSPORT, "L898902C3"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
            REGISTRY_PASSPORT, "L898902C3"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10", REGISTRY_PASSPORT,
            "L898902C3"},
        {"L898902C36UTO7408122F1204159012345678<<<<<10", REGISTRY_ALIEN_NUMBER, "012345678"},
        {"L898902C36UTO7408122F1204159A12345678<<<<<10", REGISTRY_ALIEN_NUMBER, "012345678"},
        /* TD1, part 5, and its number of more than nine characters */
        {"I<UTOD231458907<<<<<<<<<<<<<<<\\n7408122F1204159UTO<<<<<<<<<<<6\\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
            REGISTRY_PASSPORT, "D23145890"},
        {"I<UTOL898902C36<<<<<<<<<<<<<<<", REGISTRY_PASSPORT, "L898902C3"},
        {"I<UTOD23145890<7349<<<<<<<<<<<", REGISTRY_PASSPORT, "D23145890734"},
        {"I<UTOD231458908<<<<<<<<<<<<<<<", REGISTRY_PASSPORT, NULL},
        {"7408122F1204159UTO012345678<<6", REGISTRY_ALIEN_NUMBER, "012345678"},
        /* TD2, part 6 */
        {"D231458907UTO7408122F1204159<<<<<<<6", REGISTRY_PASSPORT, "D23145890"},
        /* MRV-A and MRV-B, part 7 */
        {"L8988901C4XXX4009078F96121096ZE184226B<<<<<<", REGISTRY_PASSPORT, "L8988901C"},
        {"L8988901C4XXX4009078F9612109<<<<<<<<", REGISTRY_PASSPORT, "L8988901C"},
        {"L8988901C4XXX4009078F9612109A1234567", REGISTRY_VISA_FOIL, "A1234567"},
        /* the card of a permanent resident, and an unreadable check digit on it */
        {"C1USA0123456784EAC2190012345<<", REGISTRY_ALIEN_NUMBER, "012345678"},
        {"C1USA0123456784EAC2190012345<<", REGISTRY_RECEIPT_NUMBER, "EAC2190012345"},
        {"C2USA0123456787EAC2190012345<<", REGISTRY_ALIEN_NUMBER, "012345678"},
        {"c1usa0123456784eac2190012345<<", REGISTRY_ALIEN_NUMBER, "012345678"},
        {"XC1USA0123456784EAC2190012345<", REGISTRY_RECEIPT_NUMBER, NULL},
        {"C1USA0123456784EAC2190012345", REGISTRY_RECEIPT_NUMBER, NULL},
        /* a wrong check digit where the dates are right; where they are wrong too; another sex than there is */
        {"L898902C37UTO7408122F1204159ZE184226B<<<<<10", REGISTRY_PASSPORT, "L898902C3"},
        {"L898902C37UTO7408123F1204159ZE184226B<<<<<10", REGISTRY_PASSPORT, NULL},
        {"L898902C36UTO7408122Q1204159ZE184226B<<<<<10", REGISTRY_PASSPORT, NULL},
        /* base64 of an image is none */
        {"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            REGISTRY_PASSPORT, NULL},
    };
    (void)state;
    CHECK_ALL(vectors);
}

static void test_telephones(void **state)
{
    static const struct vector vectors[] = {
        {"(413) 555-0123", REGISTRY_PHONE, "14135550123"},
        {"call 413-555-0123 or", REGISTRY_PHONE, "14135550123"},
        {"at 413-555-\\r\\n0123.", REGISTRY_PHONE, "14135550123"}, /* texts are wrapped */
        {"413\\n555-0123", REGISTRY_PHONE, "14135550123"},
        {"413.555.0123 x44", REGISTRY_PHONE, "14135550123"},
        {"413 555 0123 ext. 44", REGISTRY_PHONE, "14135550123"},
        {"+1 (413) 555-0123", REGISTRY_PHONE, "14135550123"},
        {"1-413-555-0123", REGISTRY_PHONE, "14135550123"},
        {"4135550123", REGISTRY_PHONE, "14135550123"},
        {"14135550123", REGISTRY_PHONE, "14135550123"},
        {"tel:+14135550123;ext=44", REGISTRY_PHONE, "14135550123"},
        {"413-555-0123/413-555-0199", REGISTRY_PHONE, "14135550199"},
        {"PHN/4135550123.", REGISTRY_PHONE, "14135550123"},
        {"+502 2312 3456", REGISTRY_PHONE, "50223123456"},
        {"(502) 2312-3456", REGISTRY_PHONE, "50223123456"},
        {"tel. 503 2222 3333.", REGISTRY_PHONE, "50322223333"},
        {"504-9999-8888", REGISTRY_PHONE, "50499998888"},
        {"52 55 1234 5678", REGISTRY_PHONE, "525512345678"},
        {"505 2222 3333", REGISTRY_PHONE, NULL},
        {"502 2312-345", REGISTRY_PHONE, NULL},
        {"53 55 1234 5678", REGISTRY_PHONE, NULL},
        {"+503-2222-3333", REGISTRY_PHONE, "50322223333"},
        {"00504 2222 3333", REGISTRY_PHONE, "50422223333"},
        {"011 52 55 1234 5678", REGISTRY_PHONE, "525512345678"},
        {"+52 1 55 1234 5678", REGISTRY_PHONE, "525512345678"},
        {"+44 (0)20 7946 0018", REGISTRY_PHONE, "442079460018"},
        {"4\\u06615-413-555-0123", REGISTRY_PHONE, "14135550123"},
        {"%2B1%20413%20555%200123", REGISTRY_PHONE, "14135550123"},
        {"555-0123", REGISTRY_PHONE, NULL},
        {"A413-555-0123", REGISTRY_PHONE, NULL},
        {"113-555-0123", REGISTRY_PHONE, NULL},
        {"413-555-01234", REGISTRY_PHONE, NULL},
        {"2021-05-01T10:22:33Z", REGISTRY_PHONE, NULL},
        {"01/02/2021 03:04", REGISTRY_PHONE, NULL},
        {"EAC-21-900-12345", REGISTRY_PHONE, NULL},
        {"123-45-6789", REGISTRY_PHONE, NULL},
        {"550e8400-e29b-41d4-a716-446655440000", REGISTRY_PHONE, NULL},
        {"42.10149, -72.58981", REGISTRY_PHONE, NULL},
        {"1600000000", REGISTRY_PHONE, NULL},
    };
    (void)state;
    CHECK_ALL(vectors);
}

/* Digits under another kind's label are that kind's; under a telephone's label they are read as they are dialled there.
 */
static void test_telephones_by_label(void **state)
{
    (void)state;
    assert_true(proposes("{\"phone\":4135550123}", REGISTRY_PHONE, "14135550123"));
    assert_true(proposes("{\"contact\":4135550123}", REGISTRY_PHONE, "14135550123"));
    assert_false(proposes("{\"fin\":\"4135550123\"}", REGISTRY_PHONE, NULL));
    assert_false(proposes("{\"fin\":4135550123}", REGISTRY_PHONE, NULL));
    assert_true(proposes("{\"phoneNumber\":\"55 1234 5678\"}", REGISTRY_PHONE, "15512345678"));
    assert_true(proposes("{\"mobile\":\"2312-3456\"}", REGISTRY_PHONE, "23123456"));
    assert_true(proposes("{\"phones\":[{\"number\":\"2312-3456\"}]}", REGISTRY_PHONE, "23123456"));
    assert_false(proposes("{\"code\":\"2312-3456\"}", REGISTRY_PHONE, NULL));
    assert_false(proposes("{\"phone\":\"555-0123\"}", REGISTRY_PHONE, NULL));
}

static void test_addresses_of_mail(void **state)
{
    static const struct vector vectors[] = {
        {"maria.lopez@example.org", REGISTRY_EMAIL, "maria.lopez@example.org"},
        {"Maria <Maria.Lopez@Example.ORG>, or", REGISTRY_EMAIL, "maria.lopez@example.org"},
        {"maria.lopez+ice@example.org.", REGISTRY_EMAIL, "maria.lopez@example.org"},
        {"a@b.mx", REGISTRY_EMAIL, "a@b.mx"},
        {"m.a.ria@googlemail.com", REGISTRY_EMAIL, "maria@gmail.com"},
        {"https://x.example/?to=maria@example.org&x=1", REGISTRY_EMAIL, "maria@example.org"},
        {"https://x.example/?to=maria%40example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"o'hara@example.org", REGISTRY_EMAIL, "o'hara@example.org"},
        {"'maria@example.org'", REGISTRY_EMAIL, "maria@example.org"},
        {"bWFyaWFAZXhhbXBsZS5vcmc=", REGISTRY_EMAIL, "maria@example.org"},
        {"maria\\u0040example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"maria\\uff20example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"ma\\u200bria@example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"maria.lopez@example.org.pdf", REGISTRY_EMAIL, "maria.lopez@example.org"},
        {"maria@example.org.2024.JSON", REGISTRY_EMAIL, "maria@example.org"},
        {"maria@example.org-old", REGISTRY_EMAIL, "maria@example.org"},
        {"I213_maria.lopez@example.org.pdf", REGISTRY_EMAIL, "maria.lopez@example.org"},
        {"_maria@example.org_", REGISTRY_EMAIL, "maria@example.org"},
        {"\u201cmaria@example.org\u201d", REGISTRY_EMAIL, "maria@example.org"},
        {"\u00bfmaria@example.org?", REGISTRY_EMAIL, "maria@example.org"},
        {"\u2022maria@example.org\u2022", REGISTRY_EMAIL, "maria@example.org"},
        {"mail\u2014maria@example.org\u2014x", REGISTRY_EMAIL, "maria@example.org"},
        {"\u53f7maria@example.org\u3002", REGISTRY_EMAIL, "maria@example.org"},
        {"\\\"maria.lopez\\\"@example.org", REGISTRY_EMAIL, "maria.lopez@example.org"},
        /* other people's, under other countries and in words that are joined */
        {"maria@example.com.mx", REGISTRY_EMAIL, "maria@example.com.mx"},
        {"@maria", REGISTRY_EMAIL, NULL},
        {"@maria.example.org.pdf", REGISTRY_EMAIL, NULL},
        {"\\\"@maria.example.org.pdf", REGISTRY_EMAIL, NULL},
        {"maria@", REGISTRY_EMAIL, NULL},
        {"a @ b", REGISTRY_EMAIL, NULL},
        {"3 @ 5 each", REGISTRY_EMAIL, NULL},
    };
    (void)state;
    CHECK_ALL(vectors);
}

/* Of a mailbox that somebody else may have at another country's branch of the same provider, or whose name ends alike. */
static void test_addresses_of_others(void **state)
{
    static const struct vector vectors[] = {
        {"maria@hotmail.com.mx", REGISTRY_EMAIL, "maria@hotmail.com"},
        {"maria@yahoo.co.uk", REGISTRY_EMAIL, "maria@yahoo.co"},
        {"ana_maria@example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"ana-maria@example.org", REGISTRY_EMAIL, "maria@example.org"},
        {"ana.maria@example.org.pdf", REGISTRY_EMAIL, "maria@example.org"},
        {"maria@example.org.pdf", REGISTRY_EMAIL, "maria@example"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        if (in_text(vectors[i].text, REGISTRY_EMAIL, vectors[i].canonical)) fail_msg("%s is not theirs", vectors[i].text);
}

//= 49CFR565.15 c
static void test_vehicles(void **state)
{
    static const struct vector vectors[] = {
        {"1M8GDM9AXKP042788", REGISTRY_VEHICLE, "1M8GDM9AXKP042788"},
        {"5GZCZ43D13S812715", REGISTRY_VEHICLE, "5GZCZ43D13S812715"},
        {"VIN: 1m8gdm9axkp042788.", REGISTRY_VEHICLE, "1M8GDM9AXKP042788"},
        {"11111111111111111", REGISTRY_VEHICLE, "11111111111111111"},
        {"1M8GDM9A1KP042788", REGISTRY_VEHICLE, NULL},
        {"1M8GDM9AXKP04278", REGISTRY_VEHICLE, NULL},
        {"1M8GDM9AXKP0427888", REGISTRY_VEHICLE, NULL},
        {"IM8GDM9AXKP042788", REGISTRY_VEHICLE, NULL},
        {"123-ABC", REGISTRY_VEHICLE, NULL},
    };
    (void)state;
    CHECK_ALL(vectors);
    assert_true(proposes("{\"plate\":\"123-ABC\"}", REGISTRY_VEHICLE, "123ABC"));
    assert_true(proposes("{\"licensePlate\":\"MA 123-ABC\"}", REGISTRY_VEHICLE, "123ABC"));
    assert_true(proposes("{\"plate\":{\"number\":\"123ABC (MA)\"}}", REGISTRY_VEHICLE, "123ABC"));
    assert_true(proposes("{\"vin\":\"1M8-GDM9A-XKP042788\"}", REGISTRY_VEHICLE, "1M8GDM9AXKP042788"));
    assert_false(proposes("{\"plate\":\"NONE\"}", REGISTRY_VEHICLE, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine_readable_zones),
        cmocka_unit_test(test_telephones),
        cmocka_unit_test(test_telephones_by_label),
        cmocka_unit_test(test_addresses_of_mail),
        cmocka_unit_test(test_addresses_of_others),
        cmocka_unit_test(test_vehicles),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
