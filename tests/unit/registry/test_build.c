/* Building from a source: who is protected, what is a key, what is reported.
 *
 *= 8USC1367 a(2)
 *= ICE10036.2 2.1
 *= 10-domain 1.1 */
#include "registry/fixture.h"

#include <stdlib.h>

/* The contract's own example, section 4. */
static const char contract_line[] =
    "{\"subject\":\"S-000001\","
    " \"cases\":[{\"id\":\"C-77\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"pending\",\"recorded\":\"2026-"
    "10-01\"}],"
    " \"names\":[{\"given\":\"María José\",\"surname\":\"García López\"},{\"given\":\"Maria\",\"surname\":\"Garcia\"}],"
    "\"dob\":\"1987-03-04\","
    " \"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A012-345-678\"},"
    "{\"kind\":\"receipt_number\",\"value\":\"EAC2190012345\"},{\"kind\":\"ssn\",\"value\":\"123-45-6789\"},"
    "{\"kind\":\"passport\",\"value\":\"G12345678\"},{\"kind\":\"person_id\",\"value\":\"90210017\",\"system\":"
    "\"earm\"},"
    "{\"kind\":\"address\",\"value\":\"12 Oak St Apt 3, Springfield 01101\",\"confidential\":true}]}\n";

static void test_contract_example(void **state UNUSED)
{
    struct built b = build_text(contract_line);
    assert_true(is_ok(b.outcome));
    assert_int_equal(problems_errors(b.problems), 0);
    assert_int_equal(problems_warnings(b.problems), 3); /* names, a birth, an address: not looked for */
    struct registry *r = open_image(b.image, NULL);
    assert_true(is_protected(r, REGISTRY_ALIEN_NUMBER, "A 012 345 678", ""));
    assert_true(is_protected(r, REGISTRY_RECEIPT_NUMBER, "eac-21-900-12345", ""));
    assert_true(is_protected(r, REGISTRY_SSN, "123456789", ""));
    assert_true(is_protected(r, REGISTRY_PASSPORT, "g12345678", ""));
    assert_true(is_protected(r, REGISTRY_PERSON_ID, "90210017", "EARM"));
    assert_true(is_protected(r, REGISTRY_ADDRESS, "12 OAK STREET, Springfield MA 01101-0001", ""));
    assert_false(is_protected(r, REGISTRY_PERSON_ID, "90210017", "eid"));
    assert_false(is_protected(r, REGISTRY_SSN, "123-45-6788", ""));
    assert_false(is_protected(r, REGISTRY_ALIEN_NUMBER, "123456789", "")); /* somebody's SSN is no A-number */
    struct registry_info info;
    registry_info(r, &info);
    assert_int_equal(info.subjects, 1);
    assert_int_equal(info.keys, 6);
    assert_int_equal(info.built, 1760000000);
    assert_int_equal(info.bytes, b.image.len);
    assert_true(registry_protects(r, handle_of("S-000001")));
    assert_false(registry_protects(r, handle_of("S-000002")));
    registry_close(r);
    built_free(&b);
}

#define PERSON(subject, cases, number)                                                                                 \
    "{\"subject\":\"" subject "\",\"cases\":[" cases                                                                   \
    "],\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"" number "\"}]}\n"
#define CASE(status) "{\"status\":\"" status "\"}"

/* Each row of the table in 10-domain 1.1. */
static void test_statuses(void **state UNUSED)
{
    static const struct {
        const char *cases;
        bool protects;
    } rows[] = {
        {"{\"status\":\"requested\"}", true},
        {"{\"status\":\"pending\"}", true},
        {"{\"status\":\"approved\"}", true},
        {"{\"status\":\"denied_appealable\"}", true},
        {"{\"status\":\"withdrawn\"}", true},
        {"{\"status\":\"revoked\"}", true},
        {"{\"status\":\"suspected\"}", true},
        {"{\"status\":\"naturalised\"}", true}, /* unknown to the contract: protects */
        {"{\"status\":\"denied_final\"}", false},
        {"{\"status\":\"denied_final\"},{\"status\":\"denied_final\",\"role\":\"derivative\"}", false},
        {"{\"status\":\"denied_final\"},{\"status\":\"withdrawn\",\"role\":\"derivative\"}", true},
        {"{\"status\":\"pending\"},{\"status\":\"denied_final\"}", true},
        {"", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[512];
        snprintf(line, sizeof line,
            "{\"subject\":\"S\",\"cases\":[%s],\"identifiers\":[{\"kind\":\"ssn\",\"value\":\"123-45-6789\"}]}",
            rows[i].cases);
        struct built b = build_text(line);
        assert_true(is_ok(b.outcome));
        struct registry *r = open_image(b.image, NULL);
        assert_int_equal(is_protected(r, REGISTRY_SSN, "123-45-6789", ""), rows[i].protects);
        assert_int_equal(registry_protects(r, handle_of("S")), rows[i].protects);
        registry_close(r);
        built_free(&b);
    }
}

static void test_unknown_status_warns(void **state UNUSED)
{
    struct built b = build_text(PERSON("S", CASE("aproved"), "A012345678"));
    assert_true(is_ok(b.outcome));
    assert_int_equal(problems_warnings(b.problems), 1);
    assert_string_equal(problems_text(b.problems, 0),
        "source.jsonl:1:35: /cases/0/status: warning: unknown status, taken as protected; did you mean \"approved\"?");
    built_free(&b);
}

static void test_shared_identifier(void **state UNUSED)
{
    struct built b = build_text(PERSON("S1", CASE("pending"), "A012345678")
            PERSON("S2", CASE("approved"), "012-345-678") PERSON("S3", CASE("denied_final"), "A012345678"));
    assert_true(is_ok(b.outcome));
    assert_int_equal(problems_warnings(b.problems), 2);
    assert_int_equal(problems_errors(b.problems), 0);
    struct registry *r = open_image(b.image, NULL);
    struct registry_key key = {REGISTRY_ALIEN_NUMBER, 0, SPAN("012345678")};
    uint64_t subjects[4], s1 = handle_of("S1"), s2 = handle_of("S2");
    assert_int_equal(registry_subjects(r, &key, subjects, 4), 2);
    assert_true((subjects[0] == s1 && subjects[1] == s2) || (subjects[0] == s2 && subjects[1] == s1));
    assert_int_equal(registry_subjects(r, &key, subjects, 0), 2);
    assert_false(registry_protects(r, handle_of("S3")));
    registry_close(r);
    built_free(&b);
}

static void test_same_subject_twice(void **state UNUSED)
{
    struct built b =
        build_text(PERSON("S1", CASE("denied_final"), "A012345678") PERSON("S1", CASE("pending"), "A087654321"));
    assert_true(is_ok(b.outcome));
    assert_int_equal(problems_warnings(b.problems), 1);
    struct registry *r = open_image(b.image, NULL);
    assert_true(is_protected(r, REGISTRY_ALIEN_NUMBER, "A012345678", ""));
    assert_true(is_protected(r, REGISTRY_ALIEN_NUMBER, "A087654321", ""));
    registry_close(r);
    built_free(&b);
}

/* Contract 4: shared things only where confidential is true; locations are confidential by themselves. */
static void test_shared_things(void **state UNUSED)
{
    struct built b = build_text("{\"subject\":\"S\",\"cases\":[{\"status\":\"pending\"}],\"identifiers\":["
                                "{\"kind\":\"phone\",\"value\":\"413-555-0100\"},{\"kind\":\"phone\",\"value\":\"413-"
                                "555-0101\",\"confidential\":true},"
                                "{\"kind\":\"phone\",\"value\":\"413-555-0102\",\"confidential\":false},"
                                "{\"kind\":\"event_number\",\"value\":\"XYZ1\",\"system\":\"eid\"},{\"kind\":\"email\","
                                "\"value\":\"a@example.org\"}]}\n"
                                "{\"subject\":\"house\",\"identifiers\":[{\"kind\":\"location\",\"value\":\"9 Elm Rd, "
                                "Springfield 01101\"}]}\n");
    assert_true(is_ok(b.outcome));
    struct registry *r = open_image(b.image, NULL);
    assert_false(is_protected(r, REGISTRY_PHONE, "4135550100", ""));
    assert_true(is_protected(r, REGISTRY_PHONE, "4135550101", ""));
    assert_false(is_protected(r, REGISTRY_PHONE, "4135550102", ""));
    assert_false(is_protected(r, REGISTRY_EVENT_NUMBER, "XYZ1", "eid"));
    assert_true(is_protected(r, REGISTRY_EMAIL, "A@example.org", ""));
    assert_true(is_protected(r, REGISTRY_LOCATION, "9 Elm Road, Springfield MA 01101", ""));
    registry_close(r);
    built_free(&b);
}

static void test_empty_index(void **state UNUSED)
{
    static const char *const sources[] = {"", "\n \n", PERSON("S", CASE("denied_final"), "A012345678")};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct built b = build_text(sources[i]);
        assert_true(is_ok(b.outcome));
        struct registry *r = open_image(b.image, NULL);
        assert_false(is_protected(r, REGISTRY_ALIEN_NUMBER, "A012345678", ""));
        struct registry_info info;
        registry_info(r, &info);
        assert_int_equal(info.keys + info.subjects, 0);
        registry_close(r);
        built_free(&b);
    }
}

/* All of one run, with line, column and pointer. */
static void test_problems(void **state UNUSED)
{
    struct built b =
        build_text("{\"cases\":[{\"status\":\"pending\"}]}\n"
                   "{\"subject\":\"S\",\"cases\":[{\"benefit\":\"U\"}]}\n"
                   "{\"subject\":\"S\",\"identifers\":[]}\n"
                   "{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"alien_numbr\",\"value\":\"A012345678\"}]}\n"
                   "{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A12345\"}]}\n"
                   "{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"person_id\",\"value\":\"1\"}]}\n"
                   "{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"ssn\",\"value\":123456789}]}\n"
                   "{\"subject\":\"S\",\"dob\":\"1987-02-29\"}\n"
                   "{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"ssn\",\"value\":\"123456789\",\"system\":\"x\"}]}\n"
                   "{\"subject\":\"\"}\n"
                   "{nonsense\n"
                   "[]\n");
    assert_int_equal(b.outcome.class, ERROR_CONFIG);
    assert_int_equal(b.outcome.code, REGISTRY_SOURCE_BROKEN);
    unsigned seen[13] = {0};
    for (size_t i = 0; i < problems_count(b.problems); i++) {
        unsigned line = 0;
        assert_int_equal(sscanf(problems_text(b.problems, i), "source.jsonl:%u:", &line), 1);
        assert_in_range(line, 1, 12);
        seen[line]++;
    }
    for (unsigned line = 1; line <= 12; line++)
        if (!seen[line]) fail_msg("line %u: not reported", line);
    built_free(&b);
}

static void test_problem_texts(void **state UNUSED)
{
    struct built b =
        build_text("{\"subject\":\"S\",\"identifiers\":[{\"kind\":\"alien_numbr\",\"value\":\"A012345678\"},"
                   "{\"kind\":\"alien_number\",\"value\":\"A12345\"}]}\n");
    assert_int_equal(problems_errors(b.problems), 2);
    assert_non_null(strstr(problems_text(b.problems, 0), "source.jsonl:1:39: /identifiers/0/kind: "));
    assert_non_null(strstr(problems_text(b.problems, 0), "did you mean \"alien_number\""));
    assert_string_equal(problems_text(b.problems, 1),
        "source.jsonl:1:106: /identifiers/1/value: no alien_number; should be "
        "\"A\" and 7 to 9 digits, as in A012-345-678");
    built_free(&b);
}

static void test_csv(void **state UNUSED)
{
    struct built b = build_named("people.csv",
        "subject,status,benefit,role,case,recorded,given,surname,dob,confidential,alien_number,person_id:earm,"
        "address\r\n"
        "S1,pending,U,principal,C-1,2026-10-01,\"Maria \"\"M\"\"\",Garcia,1987-03-04,true,A012-345-678,0042,\"12 Oak "
        "St,\n"
        "Springfield 01101\"\r\n"
        "S1,denied_final,,,,,,,,,A098-765-432,,\r\n"
        "S2,denied_final,,,,,,,,,A011-111-111,,\r\n",
        0);
    for (size_t i = 0; i < problems_count(b.problems); i++)
        print_message("%s\n", problems_text(b.problems, i));
    assert_true(is_ok(b.outcome));
    assert_int_equal(problems_errors(b.problems), 0);
    assert_int_equal(problems_warnings(b.problems), 4); /* given, surname, dob, address: not looked for */
    struct registry *r = open_image(b.image, NULL);
    assert_true(is_protected(r, REGISTRY_ALIEN_NUMBER, "A012345678", ""));
    assert_true(is_protected(r, REGISTRY_ALIEN_NUMBER, "A098765432", ""));
    assert_false(is_protected(r, REGISTRY_ALIEN_NUMBER, "A011111111", ""));
    assert_true(is_protected(r, REGISTRY_PERSON_ID, "42", "earm"));
    assert_true(is_protected(r, REGISTRY_ADDRESS, "12 Oak Street, Springfield 01101", ""));
    registry_close(r);
    built_free(&b);
}

static void test_csv_problems(void **state UNUSED)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"subject,status,alien_numbr\nS,pending,A012345678\n",
            "people.csv:1:16: unknown column \"alien_numbr\"; did you mean \"alien_number\"?"},
        {"subject,alien_number\n", "people.csv:1:1: no column \"status\"; it is required"},
        {"subject,status,person_id\n",
            "people.csv:1:16: column \"person_id\" needs its system; for example person_id:earm"},
        {"subject,status\nS\n", "people.csv:2:1: 1 cells; the header row names 2 columns"},
        {"subject,status\n,pending\n", "people.csv:2:1: no subject; every row needs one"},
        {"subject,status,ssn\nS,pending,000-00-0000\n",
            "people.csv:2:11: no ssn; should be 9 digits that were ever issued, as in 123-45-6789"},
        {"subject,status\n\"S,pending\n", "people.csv:2:1: malformed from here on; quotes must stand at both ends of a "
                                          "cell, and a row has at most 64"},
        {"", "people.csv:1:1: no header row; the first row names the columns"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct built b = build_named("people.csv", rows[i].text, 0);
        assert_int_equal(b.outcome.code, REGISTRY_SOURCE_BROKEN);
        assert_int_equal(problems_count(b.problems), 1);
        assert_string_equal(problems_text(b.problems, 0), rows[i].problem);
        built_free(&b);
    }
}

static void test_dropped(void **state UNUSED)
{
    struct built old = build_text(PERSON("S1", CASE("pending"), "A012345678")
            PERSON("S2", CASE("pending"), "A012345679") PERSON("S3", CASE("pending"), "A012345680"));
    struct built new =
        build_text(PERSON("S1", CASE("pending"), "A099999999") PERSON("S3", CASE("denied_final"), "A012345680"));
    struct registry *r = open_image(old.image, NULL);
    uint64_t dropped[4], s2 = handle_of("S2"), s3 = handle_of("S3");
    assert_int_equal(registry_builder_dropped(new.builder, r, dropped, 4), 2);
    assert_true((dropped[0] == s2 && dropped[1] == s3) || (dropped[0] == s3 && dropped[1] == s2));
    assert_int_equal(registry_builder_dropped(old.builder, r, dropped, 4), 0);
    registry_close(r);
    built_free(&old);
    built_free(&new);
}

/* The n-th allocation fails: the right error, nothing leaks, and in the end it gets through. */
static void test_out_of_memory(void **state UNUSED)
{
    for (uint64_t n = 1;; n++) {
        struct problems *p = problems_new();
        span image;
        result r = {ERROR_LIMIT, REGISTRY_NO_MEMORY, "builder"};
        fault_arm("malloc", n);
        struct registry_builder *b = registry_builder_new(test_key, p);
        if (b) r = registry_builder_source(b, "s.jsonl", span_str(contract_line));
        if (b && is_ok(r)) r = registry_builder_finish(b, 1, 0, &image);
        bool through = fault_count("malloc") < n;
        fault_arm("malloc", 0);
        if (through)
            assert_true(is_ok(r));
        else if (!is_ok(r))
            assert_true(r.class == ERROR_LIMIT || r.class == ERROR_CONFIG);
        registry_builder_free(b);
        problems_free(p);
        if (through) break;
        assert_true(n < 10000);
    }
}

/* Builds an index of so many persons under this key; each is found, and nobody else. */
static void build_and_find(unsigned number, unsigned persons)
{
    uint8_t key[32] = {0};
    struct problems *p = problems_new();
    store_le32(key, number);
    struct registry_builder *b = registry_builder_new(key, p);
    struct registry *r;
    char text[128];
    span image;
    for (unsigned k = 0; k < persons; k++) {
        int n = snprintf(text, sizeof text, "{\"subject\":\"S%u\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A%09u\"}]}", k, k + 1);
        assert_true(is_ok(registry_builder_line(b, "s", 1, span_of(text, (size_t)n))));
    }
    if (!is_ok(registry_builder_finish(b, 1, 0, &image))) fail_msg("%u persons under key %u find no place", persons, number);
    assert_true(is_ok(registry_open(image, key, NULL, &r)));
    for (unsigned k = 0; k < persons + 3; k++) {
        struct registry_hit hit;
        snprintf(text, sizeof text, "A%09u", k + 1);
        assert_true(registry_lookup(r, REGISTRY_ALIEN_NUMBER, span_str(text), span_of(NULL, 0), &hit));
        if (hit.protected_ != (k < persons)) fail_msg("%s of %u under key %u: %d", text, persons, number, hit.protected_);
    }
    registry_close(r);
    registry_builder_free(b);
    problems_free(p);
}

/* A key is made by chance, and whoever has it must get an index: under key 305 more of twelve persons want one bucket than
 * it holds. GATE1367_KEYS: how many keys. */
static void test_every_key_makes_an_index(void **state UNUSED)
{
    const char *more = getenv("GATE1367_KEYS");
    unsigned keys = more ? (unsigned)strtoul(more, NULL, 10) : 400;
    for (unsigned i = 0; i < keys; i++)
        build_and_find(i, 1 + i % 40);
    build_and_find(305, 12);
}

/* References are as long as the subjects need, and longer where so many share something that there are more groups: here each
 * of 40,000 numbers belongs to two of 40,000 persons, and sixteen bits name 65,536. */
#define CIRCLE 40000
static void test_more_groups_than_names(void **state UNUSED)
{
    struct problems *p = problems_new();
    struct registry_builder *b = registry_builder_new(test_key, p);
    struct registry *r;
    uint64_t subjects[4];
    char text[192];
    span image;
    for (unsigned i = 0; i < CIRCLE; i++) {
        int n = snprintf(text, sizeof text, "{\"subject\":\"S%u\",\"identifiers\":[{\"kind\":\"alien_number\",\"value\":\"A%09u\"},"
            "{\"kind\":\"alien_number\",\"value\":\"A%09u\"}]}", i, 1 + i, 1 + (i + 1) % CIRCLE);
        assert_true(is_ok(registry_builder_line(b, "s", i + 1, span_of(text, (size_t)n))));
    }
    assert_true(is_ok(registry_builder_finish(b, 1, 0, &image)));
    assert_true(is_ok(registry_open(image, test_key, NULL, &r)));
    for (unsigned i = 0; i < CIRCLE; i++) {
        snprintf(text, sizeof text, "%09u", 1 + i);
        struct registry_key key = {REGISTRY_ALIEN_NUMBER, 0, span_str(text)};
        if (registry_subjects(r, &key, subjects, 4) != 2) fail_msg("%s", text);
    }
    registry_close(r);
    registry_builder_free(b);
    problems_free(p);
}

static void test_key_file(void **state UNUSED)
{
    char text[REGISTRY_KEY_TEXT];
    uint8_t key[32];
    registry_key_encode(test_key, text);
    assert_string_equal(text, "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n");
    assert_true(registry_key_decode(span_str(text), key));
    assert_memory_equal(key, test_key, 32);
    assert_true(registry_key_decode(span_of(test_key, 32), key));
    assert_memory_equal(key, test_key, 32);
    assert_false(registry_key_decode(span_of(text, 63), key));
    assert_false(registry_key_decode(SPAN(""), key));
    assert_false(registry_key_decode(span_of(test_key, 31), key));
}

/* Seconds of the day and its age, worked by hand. */
static void test_stale(void **state UNUSED)
{
    const uint64_t built = 1760000000, s = 1000000, day = 86400 * s, at = built * s;
    static const uint64_t never = 0;
    assert_false(registry_is_stale(built, day, at));
    assert_false(registry_is_stale(built, day, at + day - 1));
    assert_true(registry_is_stale(built, day, at + day));
    assert_true(registry_is_stale(built, day, UINT64_MAX));
    assert_false(registry_is_stale(built, never, UINT64_MAX));
    assert_false(registry_is_stale(built, UINT64_MAX, at + day));
    assert_false(registry_is_stale(built, day, at - 3600 * s)); /* two clocks never agree */
    assert_true(registry_is_stale(built, day, at - 3600 * s - 1));
    assert_true(registry_is_stale(UINT64_MAX, UINT64_MAX, at));
    assert_true(registry_is_stale(UINT64_MAX / s, day, at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract_example),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_unknown_status_warns),
        cmocka_unit_test(test_shared_identifier),
        cmocka_unit_test(test_same_subject_twice),
        cmocka_unit_test(test_shared_things),
        cmocka_unit_test(test_empty_index),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_problem_texts),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_problems),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_every_key_makes_an_index),
        cmocka_unit_test(test_more_groups_than_names),
        cmocka_unit_test(test_key_file),
        cmocka_unit_test(test_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
