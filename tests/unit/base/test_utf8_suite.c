/* The suite text-utf8: byte sequences with the verdict of its authors. */
#include "support.h"

static void check_line(char *line, size_t *valid, size_t *invalid)
{
    char *save, *file = strtok_r(line, "\t\n", &save), *verdict = strtok_r(NULL, "\t\n", &save);
    char *strict = strtok_r(NULL, "\t\n", &save), *hex = strtok_r(NULL, "\t\n", &save);
    if (!file || !verdict || !strict || !hex || strncmp(file, "cases/", 6) != 0) return;
    uint8_t bytes[256];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof bytes && hex_decode(span_str(hex), bytes, len));
    bool pass = strcmp(strict, "PASS") == 0;
    if (utf8_valid(span_of(bytes, len)) != pass) fail_msg("%s: the suite says %s", file, strict);
    if (pass)
        ++*valid;
    else
        ++*invalid;
}

static void test_suite(void **state)
{
    (void)state;
    char path[4096], line[8192];
    snprintf(path, sizeof path, "%s/text-utf8/manifest.tsv", suites_dir());
    FILE *manifest = fopen(path, "r");
    assert_non_null(manifest);
    size_t valid = 0, invalid = 0;
    while (fgets(line, sizeof line, manifest))
        check_line(line, &valid, &invalid);
    fclose(manifest);
    assert_true(valid > 50 && invalid > 100);
}

int main(void)
{
    if (!has_suite("text-utf8/manifest.tsv")) return 77;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
