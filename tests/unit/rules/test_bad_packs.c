/* What is wrong with a pack is said in words that say what would be right: the texts themselves are tested. Each case
 * is a sound pack with one merge patch (RFC 7396) applied to it. */
#include "rules/bad_packs.h"

static struct loaded load_patched(const struct bad_pack *c)
{
    char *text = patched_text(c);
    struct loaded l = load_text(text);
    free(text);
    return l;
}

/* Behind "FILE:LINE:COLUMN: ", which test_place pins down. */
static const char *message_of(const struct loaded *l, size_t i)
{
    const char *text = problems_text(l->problems, i);
    const char *message = strstr(text, ": ");
    return message ? message + 2 : text;
}

static void test_texts(void **state)
{
    bool print = getenv("RULES_PRINT") != NULL;
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loaded l = load_patched(&cases[i]);
        const char *first = problems_count(l.problems) ? message_of(&l, 0) : "(nothing)";
        if (print) printf("%s\n", first);
        if (l.set || strcmp(first, cases[i].expected) != 0) {
            print_message("%zu. %s\n   said:     %s\n   expected: %s\n", i, cases[i].patch, first, cases[i].expected);
            wrong++;
        }
        loaded_free(&l);
    }
    assert_true(ARRAY_LEN(cases) >= 60);
    assert_int_equal(wrong, 0);
}

static void test_sound_pack_loads(void **state)
{
    struct loaded l = load_text(sound);
    (void)state;
    print_problems(&l);
    assert_non_null(l.set);
    assert_int_equal(rules_count(l.set), 2);
    loaded_free(&l);
}

static void test_place(void **state)
{
    struct loaded l = load_text("{\n  \"format\": 1,\n  \"pack\": \"p\",\n  \"version\": \"1\",\n  \"profils\": []\n}");
    (void)state;
    assert_null(l.set);
    assert_int_equal(problems_count(l.problems), 1);
    assert_string_equal(
        problems_text(l.problems, 0), "pack0.json:5:3: /profils: unknown member; did you mean \"profiles\"?");
    loaded_free(&l);
}

/* All problems of all packs come in one run. */
static void test_all_in_one_run(void **state)
{
    static const char *const packs[] = {
        "{\"format\":1,\"pack\":\"p\",\"version\":\"1\",\"markers\":[{\"id\":\"M\"},{\"id\":\"n\"}]}",
        "{\"format\":2,\"pack\":\"p\",\"version\":\"\",\"profiles\":[{\"id\":\"x\",\"title\":\"t\",\"documents\":[{"
        "\"path\":\"x\"}]}]}"};
    struct loaded l = load_texts(packs, 2);
    (void)state;
    assert_null(l.set);
    assert_true(problems_errors(l.problems) >= 10);
    loaded_free(&l);
}

static void test_ids_unique_over_packs(void **state)
{
    char second[sizeof sound];
    (void)state;
    memcpy(second, sound, sizeof sound);
    *strstr(second, "\"p\"") = '"';
    memcpy(strstr(second, "\"pack\":\"p\""), "\"pack\":\"r\"", 10);
    const char *const packs[] = {sound, second};
    struct loaded l = load_texts(packs, 2);
    assert_null(l.set);
    assert_int_equal(problems_count(l.problems), 3);
    assert_string_equal(
        message_of(&l, 0), "/identifiers/0/id: another rule is called \"i\" already; ids are unique over all packs");
    assert_string_equal(
        message_of(&l, 1), "/markers/0/id: another rule is called \"m\" already; ids are unique over all packs");
    assert_string_equal(
        message_of(&l, 2), "/profiles/0/id: another profile is called \"q\" already; ids are unique over all packs");
    loaded_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_pack_loads),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_all_in_one_run),
        cmocka_unit_test(test_ids_unique_over_packs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
