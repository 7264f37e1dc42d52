/* JSONTestSuite and the UTF-8 suite, judged by their manifests; every way of cutting, every level. */
#include "read_all.h"

#include <unistd.h>

struct file {
    uint8_t *bytes;
    size_t len;
};

static const char *suites(void)
{
    const char *named = getenv("GATE1367_SUITES");
    return named ? named : SOURCE_DIR "/../shared/suites";
}

static struct file load(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", suites(), folder, name);
    FILE *in = fopen(path, "rb");
    if (!in) fail_msg("%s", path);
    struct file f = {malloc(1 << 20), 0};
    f.len = fread(f.bytes, 1, 1 << 20, in);
    fclose(in);
    return f;
}

/* Calls `judge` for each line of a manifest: file, the source's verdict, the strict verdict. */
static size_t each_case(const char *folder, void (*judge)(const char *name, const char *verdict))
{
    char path[1024], line[4096];
    size_t cases = 0;
    snprintf(path, sizeof path, "%s/%s/manifest.tsv", suites(), folder);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    while (fgets(line, sizeof line, in)) {
        char *name = strtok(line, "\t");
        strtok(NULL, "\t");
        char *verdict = strtok(NULL, "\t");
        assert_non_null(verdict);
        judge(name, verdict);
        cases++;
    }
    fclose(in);
    return cases;
}

static struct levels levels;
static size_t passed, refused;

/* Findings by this project's rules, although the suite's own verdict is "accept". */
static bool is_finding_here(const char *name)
{
    return strstr(name, "y_object_duplicated_key") || strstr(name, "y_object_escaped_null_in_key");
}

static void judge_json(const char *name, const char *verdict)
{
    struct file f = load("json-testsuite", name);
    span body = span_of(f.bytes, f.len);
    struct reading all = read_everyway(&levels, DOC_JSON, 600, body);
    bool deliver = is_clean(&all), pass = strncmp(verdict, "PASS", 4) == 0;
    if (strcmp(verdict, "EITHER") != 0 && deliver != (pass && !is_finding_here(name))) {
        fprintf(stderr, "%s %s\n", name, verdict);
        print_reading(&all);
        fail();
    }
    passed += deliver;
    refused += !deliver;
    free(all.events);
    all = read_everyway(&levels, DOC_NDJSON, 600, body);
    assert_true(all.status == DOC_COMPLETE || all.malformed == DOC_TOO_DEEP);
    free(all.events);
    free(f.bytes);
}

static void json_suite(void **state)
{
    (void)state;
    passed = refused = 0;
    assert_true(each_case("json-testsuite", judge_json) > 300);
    assert_true(passed > 90 && refused > 180);
}

/* The bytes in a string of a document, at several places relative to the blocks. */
static void judge_text(const char *name, const char *verdict)
{
    if (strncmp(name, "cases/", 6) != 0) return;
    struct file f = load("text-utf8", name);
    bool valid = strcmp(verdict, "PASS") == 0;
    for (size_t i = 0; i < f.len; i++)
        if (f.bytes[i] < 0x20 || f.bytes[i] == '"' || f.bytes[i] == '\\') {
            free(f.bytes);
            return;
        }
    for (size_t before = 0; before < 130; before++) {
        uint8_t body[4096];
        size_t len = (size_t)snprintf((char *)body, sizeof body, "[\"%.*s", (int)before,
            ".........................................................................................................."
            "......"
            "..................");
        memcpy(body + len, f.bytes, f.len);
        len += f.len;
        len += (size_t)snprintf((char *)body + len, sizeof body - len, "\", \"after\"]");
        struct reading all = {0};
        for (size_t level = 0; level < levels.count; level++) {
            all = read_body(levels.readers[level], DOC_JSON, 8, span_of(body, len), WHOLE);
            if (count_flaws(&all, DOC_FLAW_INVALID_UTF8) != (valid ? 0 : 1)) fail_msg("%s %s", name, verdict);
            assert_int_equal(all.status, DOC_COMPLETE);
            free(all.events);
        }
        if (before % 40 > 0) continue;
        all = read_everyway(&levels, DOC_JSON, 8, span_of(body, len));
        free(all.events);
    }
    passed += valid;
    refused += !valid;
    free(f.bytes);
}

//= RFC3629 4
static void utf8_suite(void **state)
{
    (void)state;
    passed = refused = 0;
    assert_true(each_case("text-utf8", judge_text) > 200);
    assert_true(passed > 60 && refused > 120);
}

int main(void)
{
    if (access(suites(), R_OK) != 0) {
        printf("skipped: no suites at %s\n", suites());
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(json_suite), cmocka_unit_test(utf8_suite)};
    levels = open_levels();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close_levels(&levels);
    return failed;
}
