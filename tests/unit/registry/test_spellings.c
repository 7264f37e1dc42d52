/* The source writes an identifier in one way, a person who asks or a record in another: they meet. Ways are those of
 * 10-domain 2.1.
 *
 *= 10-domain 2.1 Phone, E-mail, Vehicle, Driver licence */
#include "fixture.h"

#define PERSON(identifiers)                                                                                            \
    "{\"subject\":\"S-1\",\"cases\":[{\"id\":\"C-1\",\"benefit\":\"U\",\"role\":\"principal\",\"status\":\"pending\"," \
    "\"recorded\":\"2026-10-01\"}],\"identifiers\":[" identifiers "]}\n"

struct pair {
    enum registry_kind kind;
    const char *source, *asked; /* the member of the source, and what is looked up */
    bool meet;
};

static const struct pair pairs[] = {
    {REGISTRY_PHONE, "+1 413 555 0123", "(413) 555-0123", true},
    {REGISTRY_PHONE, "413-555-0123", "+14135550123", true},
    {REGISTRY_PHONE, "413-555-0123", "1.413.555.0123 x9", true},
    {REGISTRY_PHONE, "+52 55 1234 5678", "55 1234 5678", true},
    {REGISTRY_PHONE, "+52 1 55 1234 5678", "+52 55 1234 5678", true},
    {REGISTRY_PHONE, "+502 2312 3456", "2312-3456", true},
    {REGISTRY_PHONE, "+504 2222 3333", "00504 22223333", true},
    {REGISTRY_PHONE, "+505 2222 3333", "2222-3333", false},
    {REGISTRY_PHONE, "413-555-0123", "413-555-0124", false},
    {REGISTRY_EMAIL, "Maria.Lopez+x@Example.org", "maria.lopez@example.org", true},
    {REGISTRY_EMAIL, "maria.lopez@example.org", "mailto:MARIA.LOPEZ+ice@EXAMPLE.ORG", true},
    {REGISTRY_EMAIL, "maria.lopez@example.org", "marialopez@example.org", false},
    {REGISTRY_VEHICLE, "MA 123-ABC", "123ABC", true},
    {REGISTRY_VEHICLE, "123ABC", "MA 123-ABC", true},
    {REGISTRY_VEHICLE, "1M8GDM9AXKP042788", "1m8-gdm9a-xkp042788", true},
    {REGISTRY_VEHICLE, "123ABC", "124ABC", false},
    {REGISTRY_DRIVER_LICENSE, "MA-S12345678", "S12345678", true},
    {REGISTRY_DRIVER_LICENSE, "S123-456-78", "S12345678 (MA)", true},
    {REGISTRY_DRIVER_LICENSE, "S12345678", "S12345679", false},
};

static void test_spellings_meet(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char text[512];
        snprintf(text, sizeof text, PERSON("{\"kind\":\"%s\",\"value\":\"%s\",\"confidential\":true}"),
            registry_kind_name(pairs[i].kind), pairs[i].source);
        struct built b = build_text(text);
        assert_true(is_ok(b.outcome));
        struct registry *r = open_image(b.image, NULL);
        if (is_protected(r, pairs[i].kind, pairs[i].asked, "") != pairs[i].meet)
            fail_msg("%s and %s: expected %s", pairs[i].source, pairs[i].asked, pairs[i].meet ? "one" : "two");
        registry_close(r);
        built_free(&b);
    }
}

/* A number without its country could be anybody's: the source must say more. */
static void test_short_numbers_are_refused(void **state UNUSED)
{
    static const char *const numbers[] = {"555-0123", "2312-3456", "123456789"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char text[512];
        snprintf(text, sizeof text, PERSON("{\"kind\":\"phone\",\"value\":\"%s\",\"confidential\":true}"), numbers[i]);
        struct built b = build_text(text);
        assert_false(is_ok(b.outcome));
        assert_int_equal(problems_count(b.problems), 1);
        built_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings_meet),
        cmocka_unit_test(test_short_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
