/* JSONTestSuite (nst/JSONTestSuite) as an origin's answers to a restricted recipient, judged by its manifest: delivered
 *byte for byte, or nothing leaves; the same however the body was cut.
 *
 *= RFC8259 2 */
#include "engine/fixture.h"
#include "support.h"

static struct fixture f;

enum fate { DELIVERED, CHANGED, NOTHING };

static enum fate run_at(span body, size_t split)
{
    struct engine_begin b = fixture_begin(&f, "/plain", "application/json", RECIPIENT_RESTRICTED);
    b.limits.depth = 1000; /* above what y_ and i_ files nest, below the hostile ones */
    struct engine_outcome o;
    size_t len = 0;
    engine_start(f.engine, &b);
    (void)engine_feed(f.engine, span_sub(body, 0, split));
    engine_finish(f.engine, body, true, &o);
    char *out = fixture_output(&o, body, &len);
    enum fate fate = !out                                                               ? NOTHING
                     : len == body.len && (len == 0 || memcmp(out, body.ptr, len) == 0) ? DELIVERED
                                                                                        : CHANGED;
    mem_free(out);
    arena_reset(f.arena);
    return fate;
}

/* The contract takes these for findings: readers disagree about them. */
static bool is_finding(const char *name)
{
    static const char *const findings[] = {
        "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json"};
    for (size_t i = 0; i < ARRAY_LEN(findings); i++)
        if (strcmp(findings[i], name) == 0) return true;
    return false;
}

static void check_body(const char *name, const char *verdict, span body)
{
    enum fate fate = run_at(body, 0);
    bool pass = strncmp(verdict, "PASS", 4) == 0 && !is_finding(name),
         withhold = strcmp(verdict, "WITHHOLD") == 0 || is_finding(name);
    if ((pass && fate != DELIVERED) || (withhold && fate != NOTHING)) print_error("%s: wanted %s\n", name, verdict);
    if (pass) assert_int_equal(fate, DELIVERED);
    if (withhold) assert_int_equal(fate, NOTHING);
    assert_int_not_equal(fate, CHANGED);
    size_t step = body.len > 2000 ? body.len / 50 : 1;
    for (size_t split = 1; split <= body.len; split += step)
        if (run_at(body, split) != fate) fail_msg("%s: differs when split at %zu", name, split);
}

static void check_file(const char *name, const char *verdict)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/json-testsuite/%s", suites_dir(), name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is in the manifest only", name);
    static uint8_t text[1 << 20];
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    uint8_t *exact = mem_copy(text, len);
    check_body(name, verdict, span_of(exact, len));
    mem_free(exact);
}

static void every_file_gets_the_verdict_of_its_manifest(void **state)
{
    (void)state;
    char path[4096], line[1024], name[512], source[64], verdict[64];
    snprintf(path, sizeof path, "%s/json-testsuite/manifest.tsv", suites_dir());
    FILE *manifest = fopen(path, "r");
    assert_non_null(manifest);
    assert_non_null(fgets(line, sizeof line, manifest)); /* the heading */
    unsigned files = 0;
    while (fgets(line, sizeof line, manifest)) {
        assert_int_equal(sscanf(line, "%511[^\t]\t%63[^\t]\t%63[^\t]", name, source, verdict), 3);
        check_file(name, verdict);
        files++;
    }
    fclose(manifest);
    assert_true(files > 300);
}

int main(void)
{
    if (!has_suite("json-testsuite/manifest.tsv")) return 77;
    if (!fixture_open(&f)) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_gets_the_verdict_of_its_manifest)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fixture_close(&f);
    return failed;
}
